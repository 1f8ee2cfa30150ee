package agentstest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
)

// An answer is what the fake server does with one request.
type answer struct {
	status int // 0: 200
	header http.Header
	body   string
	kind   string // content type; empty: text/event-stream
	piece  int    // bytes at a time; 0: all at once
	stall  bool   // silence after the body instead of its end
	cut    bool   // the connection is lost after the body
}

// A server answers requests in memory, in the order of its answers; the last one
// again and again.
type server struct {
	mu      sync.Mutex
	answers []answer
	bodies  [][]byte
	headers []http.Header
}

func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil {
		var err error
		if sent, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies, s.headers = append(s.bodies, sent), append(s.headers, req.Header.Clone())
	a := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	header := a.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", a.kind)
	if a.kind == "" {
		header.Set("Content-Type", "text/event-stream; charset=utf-8")
	}
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: header, Request: req, ContentLength: -1,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: &body{ctx: req.Context(), rest: []byte(a.body), answer: a},
	}, nil
}

// A body is read in pieces and ends as its answer says.
type body struct {
	ctx    context.Context
	rest   []byte
	answer answer
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if len(b.rest) == 0 {
		switch {
		case b.answer.stall:
			<-b.ctx.Done()
			return 0, b.ctx.Err()
		case b.answer.cut:
			return 0, io.ErrUnexpectedEOF
		}
		return 0, io.EOF
	}
	n := len(b.rest)
	if b.answer.piece > 0 {
		n = min(n, b.answer.piece)
	}
	n = copy(p, b.rest[:n])
	b.rest = b.rest[n:]
	return n, nil
}

func (b *body) Close() error { return nil }

// ServeHTTP serves the same answers over a real connection.
func (s *server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	resp, err := s.RoundTrip(req)
	if err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	var b bytes.Buffer
	if _, err := io.Copy(&b, resp.Body); err == nil {
		for line := range strings.Lines(b.String()) {
			if _, err := io.WriteString(w, line); err != nil {
				return
			}
			http.NewResponseController(w).Flush()
		}
	}
}
