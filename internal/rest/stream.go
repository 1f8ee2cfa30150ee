package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// A Stream is an answer whose body is read as it arrives. It must be closed.
type Stream struct {
	Status int
	Header http.Header

	op     string
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	idle   *idleTimer
}

// errIdle is why a call without a deadline of its own was given up.
var errIdle = errors.New("nothing arrived for too long")

// An idleTimer gives a call up when it has waited for the server for too long.
// Time that the reader spends elsewhere does not count.
type idleTimer struct {
	timeout time.Duration
	timer   *time.Timer
}

func (t *idleTimer) start() {
	if t != nil {
		t.timer.Reset(t.timeout)
	}
}

func (t *idleTimer) stop() {
	if t != nil {
		t.timer.Stop()
	}
}

// Open is Do for answers that are too large to hold: it returns when the head
// of the answer is there. Refused and failed attempts are repeated as Do does
// until then, and never afterwards. A context without a deadline ends with the
// first wait for the server that is longer than Options.Timeout.
func (c *Client) Open(ctx context.Context, req *Request) (*Stream, error) {
	s := &Stream{op: req.Operation}
	_, limited := ctx.Deadline()
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	if !limited {
		s.idle = &idleTimer{timeout: c.opts.Timeout}
		s.idle.timer = time.AfterFunc(c.opts.Timeout, func() { s.cancel(errIdle) })
	}
	fail := func(err error) (*Stream, error) {
		s.idle.stop()
		err = s.fault(err)
		s.cancel(nil)
		return nil, err
	}
	httpReq, err := c.build(s.ctx, req)
	if err != nil {
		return fail(err)
	}
	if err := c.wait(s.ctx, req.Method, httpReq.URL.Path); err != nil {
		return fail(&TransportError{Operation: req.Operation, Err: err})
	}
	start := c.opts.Now()
	resp, err := c.head(httpReq)
	if err != nil {
		return fail(err)
	}
	s.idle.stop()
	s.Status, s.Header, s.body = resp.StatusCode, resp.Header, resp.Body
	c.opts.Logger.DebugContext(ctx, "request", "operation", req.Operation, "status", resp.StatusCode, "took", c.opts.Now().Sub(start))
	return s, nil
}

// Read reads the body.
func (s *Stream) Read(p []byte) (int, error) {
	s.idle.start()
	n, err := s.body.Read(p)
	s.idle.stop()
	if err != nil && err != io.EOF {
		err = s.fault(err)
	}
	return n, err
}

// fault makes a *TransportError of what went wrong.
func (s *Stream) fault(err error) error {
	if errors.Is(context.Cause(s.ctx), errIdle) {
		return &TransportError{Operation: s.op, Err: context.DeadlineExceeded, Dispatched: true}
	}
	var have *TransportError
	if errors.As(err, &have) {
		return err
	}
	return &TransportError{Operation: s.op, Err: cause(err), Dispatched: dispatched(err)}
}

// Close ends the call, also in the middle of the body. The connection is used
// again when the body has been read to its end.
func (s *Stream) Close() error {
	s.idle.stop()
	s.cancel(nil) // first: a body that is given up must not be waited for
	return s.body.Close()
}
