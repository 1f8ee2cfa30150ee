package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// ServeStdio serves one client over the process's standard input and output.
// Nothing else may write to standard output meanwhile. It returns nil when the
// client closes its end, after the calls in flight have been answered or ten
// seconds have passed, and ctx's error when ctx ends first.
func (s *Server) ServeStdio(ctx context.Context) error {
	return s.Serve(ctx, os.Stdin, os.Stdout)
}

// Serve is [Server.ServeStdio] over other streams. It closes both.
func (s *Server) Serve(ctx context.Context, in io.ReadCloser, out io.WriteCloser) error {
	server, err := s.serverFor(ctx, Local())
	if err != nil {
		return err
	}
	limit := int(s.opts.Limits.MaxBody)
	err = server.Run(ctx, &patientTransport{sdk.IOTransport{Reader: in, Writer: out, MaxLineLength: limit}})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
		return nil
	}
	return fmt.Errorf("mcp: the client sent what is not the protocol, one JSON message a line: %w", err)
}

// patience is how long calls in flight may take after the client has closed
// its end. A client that pipes its questions in wants the answers; one that
// has gone away does not.
const patience = 10 * time.Second

// A patientTransport reports the end of the input only when what was asked
// before has been answered.
type patientTransport struct{ inner sdk.IOTransport }

func (t *patientTransport) Connect(ctx context.Context) (sdk.Connection, error) {
	conn, err := t.inner.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &patientConn{Connection: conn, ended: ctx.Done(), open: map[jsonrpc.ID]bool{}, idle: make(chan struct{}, 1), closed: make(chan struct{})}, nil
}

type patientConn struct {
	sdk.Connection
	ended <-chan struct{} // closed when the server is told to stop

	mu   sync.Mutex
	open map[jsonrpc.ID]bool // requests without an answer
	idle chan struct{}       // receives when there are none left

	once   sync.Once
	closed chan struct{}
}

func (c *patientConn) Read(ctx context.Context) (jsonrpc.Message, error) {
	message, err := c.Connection.Read(ctx)
	switch {
	case errors.Is(err, io.EOF):
		c.wait()
	case err == nil:
		if r, ok := message.(*jsonrpc.Request); ok {
			c.note(r)
		}
	}
	return message, err
}

// note remembers a request, and forgets one that the client cancels: it is not
// answered.
func (c *patientConn) note(r *jsonrpc.Request) {
	if r.IsCall() {
		c.mu.Lock()
		c.open[r.ID] = true
		c.mu.Unlock()
		return
	}
	if r.Method != "notifications/cancelled" {
		return
	}
	var params struct {
		RequestID any `json:"requestId"`
	}
	if json.Unmarshal(r.Params, &params) != nil {
		return
	}
	if id, err := jsonrpc.MakeID(params.RequestID); err == nil {
		c.answered(id)
	}
}

func (c *patientConn) answered(id jsonrpc.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, id)
	if len(c.open) == 0 {
		select {
		case c.idle <- struct{}{}:
		default:
		}
	}
}

func (c *patientConn) Write(ctx context.Context, message jsonrpc.Message) error {
	err := c.Connection.Write(ctx, message)
	if r, ok := message.(*jsonrpc.Response); ok {
		c.answered(r.ID)
	}
	if err != nil {
		c.once.Do(func() { close(c.closed) }) // nobody is listening
	}
	return err
}

func (c *patientConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Connection.Close()
}

// wait returns when nothing is in flight, or when waiting is pointless.
func (c *patientConn) wait() {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		c.mu.Lock()
		left := len(c.open)
		c.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-c.idle:
		case <-c.closed:
			return
		case <-c.ended:
			return
		case <-timer.C:
			return
		}
	}
}
