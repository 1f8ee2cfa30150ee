// Package wsconn opens websocket connections, over the network or in memory,
// and spaces attempts to open them again.
package wsconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
)

// Options configure a connection. The zero value works.
type Options struct {
	HTTPClient *http.Client  // nil: one of its own
	Dial       rest.DialFunc // nil: the network
	Header     http.Header   // of the handshake
	MaxMessage int64         // bytes of a message read; 0: 16 MiB
}

// A Conn is a websocket of text messages. One goroutine may read while others
// write.
type Conn struct{ ws *websocket.Conn }

// ParseURL checks the address of a websocket: wss, or ws to this machine. With
// an in-memory dialer any host will do.
func ParseURL(s string, inMemory bool) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, invalid.Secret("url", "a wss URL with a host")
	}
	switch {
	case u.Scheme == "wss", u.Scheme == "ws" && (inMemory || rest.Loopback(u.Hostname())):
		return u, nil
	}
	return nil, invalid.Field("url", u.Scheme+"://"+u.Host, "a wss URL, or ws to a loopback address")
}

// Dial opens a websocket. ctx is for the handshake only.
func Dial(ctx context.Context, address string, opts *Options) (*Conn, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	u, err := ParseURL(address, o.Dial != nil)
	if err != nil {
		return nil, err
	}
	client, err := rest.HTTPClient(o.HTTPClient, o.Dial)
	if err != nil {
		return nil, err
	}
	ws, resp, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{HTTPClient: client, HTTPHeader: o.Header})
	if err != nil {
		if o.HTTPClient == nil {
			client.CloseIdleConnections()
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, fmt.Errorf("websocket handshake: the server answered %d", resp.StatusCode)
		}
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // without the address
		}
		return nil, fmt.Errorf("websocket handshake: %w", err)
	}
	if o.MaxMessage <= 0 {
		o.MaxMessage = 16 << 20
	}
	ws.SetReadLimit(o.MaxMessage)
	return &Conn{ws: ws}, nil
}

// Read returns the next message. When ctx ends the connection is closed.
func (c *Conn) Read(ctx context.Context) ([]byte, error) {
	_, data, err := c.ws.Read(ctx)
	return data, err
}

// ReadInto returns the next message in buf, which grows as needed: callers that
// hand the result back in read without allocating. What buf held is lost, also
// when there is an error. When ctx ends the connection is closed.
func (c *Conn) ReadInto(ctx context.Context, buf []byte) ([]byte, error) {
	_, r, err := c.ws.Reader(ctx)
	if err != nil {
		return buf[:0], err
	}
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, max(4096, cap(buf)))
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf[:0], err
		}
	}
}

// Write sends a text message. When ctx ends the connection is closed.
func (c *Conn) Write(ctx context.Context, data []byte) error {
	return c.ws.Write(ctx, websocket.MessageText, data)
}

// WriteBinary sends a binary message. When ctx ends the connection is closed.
func (c *Conn) WriteBinary(ctx context.Context, data []byte) error {
	return c.ws.Write(ctx, websocket.MessageBinary, data)
}

// Ping waits for the other side to answer a ping, which takes a reader at work.
func (c *Conn) Ping(ctx context.Context) error { return c.ws.Ping(ctx) }

// Close drops the connection and ends reads and writes in flight.
func (c *Conn) Close() { _ = c.ws.CloseNow() }

// A Backoff spaces attempts: doubling from Min to Max, each wait anywhere
// between the half and the whole, so that many clients do not come back at
// once. It is not safe for concurrent use.
type Backoff struct {
	Min, Max time.Duration
	failures int
}

// Next returns how long to wait before the next attempt.
func (b *Backoff) Next() time.Duration {
	wait := min(b.Min<<min(b.failures, 16), b.Max)
	b.failures++
	return wait/2 + rand.N(wait/2+1)
}

// Reset starts over after a connection that lasted.
func (b *Backoff) Reset() { b.failures = 0 }

// Sleep waits for d and reports whether ctx is still alive.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
