package tastytrade

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"github.com/ttai-go/ttai/internal/wsconn"
)

// A streamRequest is what the client sends.
type streamRequest struct {
	Action    string `json:"action"`
	Value     any    `json:"value,omitempty"`
	AuthToken string `json:"auth-token"`
	RequestID int64  `json:"request-id"`
	Source    string `json:"source,omitempty"`
}

// An accountSession is one connection. Its reader is a goroutine that hands
// notifications on and wakes the requests whose acknowledgement came.
type accountSession struct {
	ws      *wsconn.Conn
	ctx     context.Context
	cancel  context.CancelCauseFunc
	wg      sync.WaitGroup
	push    func(Notification)
	trouble func(error)

	writing sync.Mutex

	mu       sync.Mutex
	last     int64 // request id
	pending  []*pendingRequest
	received int64
}

type pendingRequest struct {
	id     int64
	action string
	answer chan error // holds one
}

func newAccountSession(ctx context.Context, ws *wsconn.Conn, push func(Notification), trouble func(error)) *accountSession {
	s := &accountSession{ws: ws, push: push, trouble: trouble}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.wg.Go(s.read)
	return s
}

// close ends the session and waits for its goroutine.
func (s *accountSession) close(cause error) {
	s.cancel(cause)
	s.ws.Close()
	s.wg.Wait()
}

// frames returns how many messages have come.
func (s *accountSession) frames() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received
}

// request sends a request and waits for its acknowledgement.
func (s *accountSession) request(ctx context.Context, r streamRequest) error {
	p := &pendingRequest{action: r.Action, answer: make(chan error, 1)}
	s.mu.Lock()
	s.last++
	r.RequestID, p.id = s.last, s.last
	s.pending = append(s.pending, p)
	s.mu.Unlock()
	defer s.take(func(q *pendingRequest) bool { return q == p })
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	s.writing.Lock()
	err = s.ws.Write(ctx, data)
	s.writing.Unlock()
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("tastytrade: account streamer: sending %s: %w", r.Action, ctx.Err())
		}
		return fmt.Errorf("tastytrade: account streamer: sending %s: %w", r.Action, err)
	}
	select {
	case err := <-p.answer:
		return err
	case <-ctx.Done():
		return fmt.Errorf("tastytrade: account streamer: no answer to %s: %w", r.Action, ctx.Err())
	case <-s.ctx.Done():
		return fmt.Errorf("tastytrade: account streamer: no answer to %s: %w", r.Action, context.Cause(s.ctx))
	}
}

// take removes and returns the first pending request that matches.
func (s *accountSession) take(match func(*pendingRequest) bool) *pendingRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range s.pending {
		if match(p) {
			s.pending = slices.Delete(s.pending, i, i+1)
			return p
		}
	}
	return nil
}

func (s *accountSession) read() {
	for {
		data, err := s.ws.Read(s.ctx)
		if err != nil {
			s.cancel(err)
			return
		}
		s.mu.Lock()
		s.received++
		s.mu.Unlock()
		if err := s.frame(data); err != nil {
			s.cancel(err) // something was sent and is lost: begin again
			return
		}
	}
}

var errFrame = errors.New("a message that cannot be read")

// frame acts on one message.
func (s *accountSession) frame(data []byte) error {
	data = bytes.TrimSpace(data)
	if !json.Valid(data) {
		return errFrame
	}
	members, err := splitObject(data)
	if err != nil {
		return errFrame
	}
	if results := lookup(members, "results"); results != nil && results[0] == '[' {
		elems, err := splitArray(results)
		if err != nil {
			return errFrame
		}
		for _, e := range elems {
			inner, err := splitObject(e)
			if err != nil {
				return errFrame
			}
			s.message(e, inner)
		}
		return nil
	}
	s.message(data, members)
	return nil
}

func (s *accountSession) message(data []byte, members []member) {
	if lookup(members, "type") == nil && lookup(members, "status") != nil {
		s.acknowledged(members)
		return
	}
	var n Notification
	if err := notificationCodec.decode(bytes.Clone(data), reflect.ValueOf(&n).Elem()); err != nil {
		s.trouble(err) // cannot be: no field of it is needed
		return
	}
	n.Value, n.Err = typed(n.Type, n.Data)
	s.push(n)
}

// acknowledged wakes the request that an acknowledgement answers: the one of
// its request id or, as errors can lack one, the oldest of its action.
func (s *accountSession) acknowledged(members []member) {
	field := func(name string) string {
		raw := lookup(members, name)
		if raw == nil || string(raw) == "null" {
			return ""
		}
		value, _ := scalar(raw)
		return value
	}
	var answer error
	action := field("action")
	if field("status") != "ok" {
		answer = &StreamError{Action: action, Message: field("message")}
	}
	id, err := strconv.ParseInt(field("request-id"), 10, 64)
	p := s.take(func(p *pendingRequest) bool { return err == nil && p.id == id || err != nil && p.action == action })
	switch {
	case p != nil:
		p.answer <- answer
	case answer != nil:
		s.trouble(answer)
	}
}
