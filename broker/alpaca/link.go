package alpaca

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
	"github.com/ttai-go/ttai/internal/wsconn"
)

// StreamOptions configure a websocket. The zero value works.
type StreamOptions struct {
	// Buffer is how many events wait for the reader. When there are more, what
	// comes is dropped until the reader has taken them all, and it is told of the
	// gap. 0: 1024.
	Buffer int
	// MinWait and MaxWait bound the wait before connecting again. 0: 500 ms, 30 s.
	MinWait, MaxWait time.Duration
	// Ping is how often a connection is tested, and how long its answer may take.
	// 0: 20 s.
	Ping time.Duration
}

func (o StreamOptions) complete() (StreamOptions, error) {
	switch {
	case o.Buffer < 0:
		return o, invalid.Field("Stream.Buffer", o.Buffer, "a positive number of events, or 0 for 1024")
	case o.MinWait < 0:
		return o, invalid.Field("Stream.MinWait", o.MinWait, "a positive duration, or 0 for 500 ms")
	case o.MaxWait < 0:
		return o, invalid.Field("Stream.MaxWait", o.MaxWait, "a positive duration, or 0 for 30 s")
	case o.Ping < 0:
		return o, invalid.Field("Stream.Ping", o.Ping, "a positive duration, or 0 for 20 s")
	}
	if o.Buffer == 0 {
		o.Buffer = 1024
	}
	if o.MinWait == 0 {
		o.MinWait = 500 * time.Millisecond
	}
	if o.MaxWait == 0 {
		o.MaxWait = 30 * time.Second
	}
	o.MaxWait = max(o.MinWait, o.MaxWait)
	if o.Ping == 0 {
		o.Ping = 20 * time.Second
	}
	return o, nil
}

// A link is a websocket that comes back by itself.
type link struct {
	opts   StreamOptions
	logger *slog.Logger
	// open connects, authenticates and subscribes.
	open func(ctx context.Context) (*wsconn.Conn, error)
	// receive takes a message. An error ends the connection.
	receive func(data []byte) error
	// again is called when a connection is there after one that was lost.
	again func(ctx context.Context, conn *wsconn.Conn, reason string) error
}

// handshake bounds opening a connection with all that is said in it.
const handshake = 15 * time.Second

// steady is how long a connection must last for the next attempt to come at once.
const steady = time.Minute

// connect opens a connection within the handshake's time.
func (l *link) connect(ctx context.Context) (*wsconn.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshake)
	defer cancel()
	return l.open(ctx)
}

// run reads conn, and those after it, until ctx ends or there is no use in trying
// again. It returns why.
func (l *link) run(ctx context.Context, conn *wsconn.Conn) error {
	backoff := wsconn.Backoff{Min: l.opts.MinWait, Max: l.opts.MaxWait}
	for {
		began := time.Now()
		err := l.read(ctx, conn)
		conn.Close()
		if ctx.Err() != nil {
			return ErrClosed
		}
		if time.Since(began) > steady {
			backoff.Reset()
		}
		reason := "the connection was lost: " + err.Error()
		l.logger.WarnContext(ctx, "stream interrupted", "error", err)
		for {
			if !wsconn.Sleep(ctx, backoff.Next()) {
				return ErrClosed
			}
			if conn, err = l.connect(ctx); err == nil {
				if err = l.again(ctx, conn, reason); err == nil {
					break
				}
				conn.Close()
			}
			if ctx.Err() != nil {
				return ErrClosed
			}
			if final(err) {
				return err
			}
			l.logger.DebugContext(ctx, "stream not reached", "error", err)
		}
	}
}

// final tells whether trying again is of no use.
func final(err error) bool {
	if errors.Is(err, ErrUnauthorized) {
		return true
	}
	stream, ok := errors.AsType[*StreamError](err)
	return ok && (stream.Code == 409 || stream.Code == 411)
}

// read takes messages until the connection ends, and tests it now and then.
func (l *link) read(ctx context.Context, conn *wsconn.Conn) error {
	ctx, cancel := context.WithCancelCause(ctx)
	pinged := make(chan struct{})
	go func() {
		defer close(pinged)
		for wsconn.Sleep(ctx, l.opts.Ping) {
			within, stop := context.WithTimeout(ctx, l.opts.Ping)
			err := conn.Ping(within)
			stop()
			if err != nil {
				cancel(errors.New("no answer to a ping"))
				return
			}
		}
	}()
	defer func() {
		cancel(nil)
		<-pinged
	}()
	for {
		data, err := conn.Read(ctx)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
				return cause
			}
			return err
		}
		if err := l.receive(data); err != nil {
			return err
		}
	}
}

// dial opens a websocket below base.
func (c *Client) dial(ctx context.Context, address string, header http.Header) (*wsconn.Conn, error) {
	hc, err := rest.HTTPClient(c.opts.HTTPClient, nil)
	if err != nil {
		return nil, err
	}
	// Each stream has a transport of its own, gone with its connection.
	if c.opts.HTTPClient == nil || c.opts.HTTPClient.Transport == nil {
		hc = nil
	}
	if header == nil {
		header = http.Header{}
	}
	header.Set("User-Agent", c.opts.UserAgent)
	conn, err := wsconn.Dial(ctx, address, &wsconn.Options{HTTPClient: hc, Header: header})
	if err != nil {
		return nil, fmt.Errorf("alpaca: opening a stream: %w", err)
	}
	return conn, nil
}

// websocketURL is the address of a websocket on a REST host.
func websocketURL(base, path string) string {
	base = strings.TrimRight(base, "/")
	if rest, ok := strings.CutPrefix(base, "https://"); ok {
		return "wss://" + rest + path
	}
	return "ws://" + strings.TrimPrefix(base, "http://") + path
}

// A StreamError is what a stream's server says about a request.
type StreamError struct {
	Code    int // 402 not authenticated, 405 too many symbols, 406 too many connections …
	Message string
}

// Error tells the code and the words.
func (e *StreamError) Error() string {
	return fmt.Sprintf("alpaca: stream: %s (%d)", e.Message, e.Code)
}

// Is matches ErrUnauthorized.
func (e *StreamError) Is(target error) bool { return target == ErrUnauthorized && e.Code == 402 }
