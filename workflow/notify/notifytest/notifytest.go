// Package notifytest has local fakes of the services that notifications go to, for
// other people's tests: Discord, Slack, Telegram, a receiver of signed webhooks, a
// mail server and a push service. Each listens on this machine, refuses what the
// real one is documented to refuse (texts that are too long, markup that does not
// close, wrong signatures), and fails as it is told to.
//
//	d := notifytest.NewDiscord(t)
//	d.Fail(notifytest.Fault{Status: 429, RetryAfter: 2 * time.Second})
//	… a channel with the secret d.Secret() …
//	d.Messages()
package notifytest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

// A Fault is what one request meets instead of an answer.
type Fault struct {
	// Stall is how long nothing happens first. It ends with the server.
	Stall time.Duration
	// Status is answered, with Retry-After when RetryAfter is set. For the mail server
	// it is the reply's code.
	Status     int
	RetryAfter time.Duration
	// Cut closes the connection without an answer.
	Cut bool
	// Lost takes the message and then closes the connection without an answer: the
	// sender cannot know.
	Lost bool
}

// server is what all fakes are.
type server struct {
	http *httptest.Server
	done chan struct{}

	mu       sync.Mutex
	faults   []Fault
	requests int
	problems []string
}

// start serves until the test ends. Handle answers a request that meets no fault;
// lose tells that its answer will not be seen.
func (s *server) start(t testing.TB, handle func(w http.ResponseWriter, r *http.Request, body []byte)) {
	t.Helper()
	s.done = make(chan struct{})
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 32<<20))
		if err != nil {
			return
		}
		fault := s.next()
		if fault.Stall > 0 {
			timer := time.NewTimer(fault.Stall)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-s.done:
			case <-r.Context().Done():
				return
			}
		}
		switch {
		case fault.Cut:
			panic(http.ErrAbortHandler)
		case fault.Lost:
			handle(httptest.NewRecorder(), r, body)
			panic(http.ErrAbortHandler)
		case fault.Status != 0:
			if fault.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(int(fault.RetryAfter.Seconds())))
			}
			http.Error(w, "told to fail", fault.Status)
			return
		}
		handle(w, r, body)
	}))
	t.Cleanup(func() {
		close(s.done)
		s.http.Close()
	})
}

func (s *server) next() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if len(s.faults) == 0 {
		return Fault{}
	}
	f := s.faults[0]
	s.faults = s.faults[1:]
	return f
}

// Fail lets the next requests meet these faults, one each.
func (s *server) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Requests returns how many requests came, those that met a fault included.
func (s *server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Problems returns what was wrong with the requests that were refused for their
// content.
func (s *server) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.problems...)
}

// refuse answers 400 and remembers why.
func (s *server) refuse(w http.ResponseWriter, status int, problem, body string) {
	s.mu.Lock()
	s.problems = append(s.problems, problem)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// units is the length of s in UTF-16 units.
func units(s string) int { return len(utf16.Encode([]rune(s))) }

// A File is one that came with a message.
type File struct {
	Name, ContentType string
	Data              []byte
}
