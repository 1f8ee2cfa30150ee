package dxlink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/wsconn"
)

// A session is one websocket connection that has been authorised. Its reader
// and writer are goroutines of their own; wait returns when both have ended.
type session struct {
	ws     *wsconn.Conn
	ctx    context.Context
	cancel context.CancelCauseFunc
	in     chan []byte
	free   chan []byte // messages that have been read, for their memory
	wg     sync.WaitGroup
	server time.Duration // how long the server lets the client be silent

	mu   sync.Mutex
	out  []any
	wake chan struct{}
}

var (
	errSilent = errors.New("the server went silent")
	errWrite  = 10 * time.Second // how long one message may take to be written
)

// inbox is how many messages wait between the socket and the decoder.
const inbox = 64

// mostKept is how large a message may be for its memory to be used again.
const mostKept = 1 << 20

func newSession(ctx context.Context, ws *wsconn.Conn) *session {
	s := &session{ws: ws, in: make(chan []byte, inbox), free: make(chan []byte, inbox), wake: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.wg.Go(s.read)
	s.wg.Go(s.write)
	return s
}

// send queues messages in order. It never blocks; a session that has ended
// forgets them.
func (s *session) send(messages ...any) {
	s.mu.Lock()
	s.out = append(s.out, messages...)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *session) write() {
	for {
		s.mu.Lock()
		batch := s.out
		s.out = nil
		s.mu.Unlock()
		for _, m := range batch {
			data, err := json.Marshal(m)
			if err == nil {
				ctx, cancel := context.WithTimeout(s.ctx, errWrite)
				err = s.ws.Write(ctx, data)
				cancel()
			}
			if err != nil {
				s.cancel(err)
				return
			}
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-s.wake:
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *session) read() {
	for {
		var buf []byte
		select {
		case buf = <-s.free:
		default:
		}
		data, err := s.ws.ReadInto(s.ctx, buf)
		if err != nil {
			s.cancel(err)
			return
		}
		select {
		case s.in <- data:
		case <-s.ctx.Done():
			return
		}
	}
}

// reuse gives back the memory of a message.
func (s *session) reuse(data []byte) {
	if cap(data) > mostKept {
		return
	}
	select {
	case s.free <- data:
	default:
	}
}

// close ends the session and waits for its goroutines.
func (s *session) close(cause error) {
	s.cancel(cause)
	s.ws.Close()
	s.wg.Wait()
}

// connect makes a session: a new token, the websocket, SETUP, AUTH, each after
// the answer to the one before, because servers drop clients that hurry.
func (c *Conn) connect(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Handshake)
	defer cancel()
	token, err := c.token(ctx)
	if err != nil {
		return nil, fmt.Errorf("dxlink: getting a token: %w", err)
	}
	ws, err := wsconn.Dial(ctx, c.url, &wsconn.Options{
		HTTPClient: c.opts.HTTPClient, Dial: c.opts.Dial, Header: http.Header{"User-Agent": {c.opts.UserAgent}},
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s := newSession(c.ctx, ws)
	if err := c.authorise(ctx, s, token); err != nil {
		s.close(err)
		return nil, err
	}
	return s, nil
}

// patience is how long to wait for a server to say that it wants a token
// before sending it anyway.
const patience = 2 * time.Second

func (c *Conn) authorise(ctx context.Context, s *session, token string) error {
	seconds := c.opts.Keepalive.Seconds()
	s.send(setupMessage{Type: "SETUP", Version: "0.1-" + c.opts.UserAgent, KeepaliveTimeout: seconds, AcceptKeepaliveTimeout: seconds})
	var setup, asked, sent bool
	auth := func() {
		s.send(authMessage{Type: "AUTH", Token: token})
		sent = true
	}
	impatient := time.NewTimer(time.Hour)
	defer impatient.Stop()
	for {
		var m inbound
		select {
		case <-impatient.C:
			auth()
			continue
		case <-ctx.Done():
			return fmt.Errorf("%w: the server did not finish the handshake: %w", ErrUnavailable, ctx.Err())
		case <-s.ctx.Done():
			return fmt.Errorf("%w: the server ended the connection during the handshake: %w", ErrUnavailable, context.Cause(s.ctx))
		case data := <-s.in:
			if err := json.Unmarshal(data, &m); err != nil {
				return fmt.Errorf("%w: a message that is not JSON: %w", ErrUnavailable, err)
			}
		}
		switch m.Type {
		case "SETUP":
			setup = true
			if m.KeepaliveTimeout > 0 && m.KeepaliveTimeout < 1e6 {
				s.server = time.Duration(m.KeepaliveTimeout * float64(time.Second))
			}
			if asked && !sent {
				auth()
			} else if !sent {
				impatient.Reset(patience)
			}
		case "AUTH_STATE":
			switch {
			case m.State == "AUTHORIZED":
				return nil
			case sent && asked:
				return ErrUnauthorized
			default: // the first one asks for the token
				asked = true
				if setup && !sent {
					impatient.Stop()
					auth()
				}
			}
		case "ERROR":
			return &ProtocolError{Channel: m.Channel, Code: m.Error, Message: m.Message}
		}
	}
}

// serve runs an authorised session until it ends and returns why.
func (c *Conn) serve(s *session) error {
	every := c.opts.Keepalive / 2
	if s.server > 0 {
		every = min(every, s.server/2)
	}
	keepalive := time.NewTicker(max(every, 100*time.Millisecond))
	defer keepalive.Stop()
	silence := time.NewTimer(c.opts.Keepalive)
	defer silence.Stop()
	for {
		in, room := s.in, c.held()
		if room != nil {
			in = nil // a consumer wants every event and is behind
		}
		select {
		case data := <-in:
			silence.Reset(c.opts.Keepalive)
			err := c.handle(s, data)
			s.reuse(data)
			if err != nil {
				return err
			}
		case <-room:
			silence.Reset(c.opts.Keepalive)
		case <-keepalive.C:
			s.send(plainMessage{Type: "KEEPALIVE"})
		case <-silence.C:
			if room == nil {
				return errSilent
			}
			silence.Reset(c.opts.Keepalive) // it is not the server that is silent
		case <-s.ctx.Done():
			c.drain(s)
			return context.Cause(s.ctx)
		}
	}
}

// drain acts on what arrived before the connection was lost.
func (c *Conn) drain(s *session) {
	for c.ctx.Err() == nil && c.held() == nil {
		select {
		case data := <-s.in:
			if c.handle(s, data) != nil {
				return
			}
		default:
			return
		}
	}
}

// handle acts on one message. An error ends the session.
func (c *Conn) handle(s *session, data []byte) error {
	c.mu.Lock()
	c.stats.Messages++
	c.stats.Bytes += uint64(len(data))
	c.mu.Unlock()
	if channel, at, ok := feedData(data); ok && c.data(channel, data, at, true) {
		return nil
	}
	var m inbound
	if err := json.Unmarshal(data, &m); err != nil {
		c.mu.Lock()
		c.stats.Rejected++
		c.mu.Unlock()
		c.trouble(fmt.Errorf("dxlink: a message that cannot be read: %w", err))
		return nil
	}
	switch m.Type {
	case "CHANNEL_OPENED":
		c.opened(s, m.Channel)
	case "FEED_CONFIG":
		c.configured(&m)
	case "FEED_DATA":
		c.data(m.Channel, m.Data, 0, false)
	case "DOM_SNAPSHOT":
		c.book(&m)
	case "CHANNEL_CLOSED":
		return c.channelEnded(m.Channel, &ProtocolError{Channel: m.Channel, Code: "CHANNEL_CLOSED", Message: "the server closed the channel"}, true)
	case "AUTH_STATE":
		if m.State != "AUTHORIZED" {
			return ErrUnauthorized // the token has ended; the next connection has a new one
		}
	case "ERROR":
		err := &ProtocolError{Channel: m.Channel, Code: m.Error, Message: m.Message}
		c.trouble(err)
		if m.Channel == 0 {
			if m.Error == "TIMEOUT" || m.Error == "UNAUTHORIZED" {
				return err
			}
			return nil
		}
		return c.channelEnded(m.Channel, err, false)
	}
	return nil
}

// feedData finds the data of a FEED_DATA message written as servers do, without
// white space and with the type and the channel in front. Others are read by
// encoding/json.
func feedData(b []byte) (channel, at int, ok bool) {
	i, typed, numbered := 0, false, false
	for i < len(b) {
		switch {
		case has(b, i, `{"type":"FEED_DATA"`) && i == 0:
			i, typed = i+len(`{"type":"FEED_DATA"`), true
		case has(b, i, `,"type":"FEED_DATA"`) && i > 0:
			i, typed = i+len(`,"type":"FEED_DATA"`), true
		case has(b, i, `{"channel":`) && i == 0, has(b, i, `,"channel":`) && i > 0:
			n, end := quickInt(b, i+len(`{"channel":`))
			if end == 0 {
				return 0, 0, false
			}
			i, channel, numbered = end, int(n), true
		case has(b, i, `,"data":[`) && typed && numbered:
			return channel, i + len(`,"data":`), true
		default:
			return 0, 0, false
		}
	}
	return 0, 0, false
}
