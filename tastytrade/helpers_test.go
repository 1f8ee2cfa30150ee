package tastytrade_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/internal/rest/resttest"
	"github.com/ttai-go/ttai/tastytrade"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A recorder is a server in memory that keeps the requests and answers them
// with a status and a body.
type recorder struct {
	answer func(w http.ResponseWriter, r *http.Request)

	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	forms    []url.Values
}

func (s *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	_ = r.ParseForm()
	s.mu.Lock()
	s.requests = append(s.requests, r)
	s.bodies = append(s.bodies, string(body))
	s.forms = append(s.forms, r.PostForm)
	s.mu.Unlock()
	s.answer(w, r)
}

func (s *recorder) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *recorder) last() *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[len(s.requests)-1]
}

func answering(status int, body string) *recorder {
	return &recorder{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}}
}

func clientOptions(t testing.TB, server http.Handler) *tastytrade.ClientOptions {
	return &tastytrade.ClientOptions{BaseURL: "http://memory", Dial: resttest.Serve(t, server), Limiter: tastytrade.NoLimit(), Retries: -1}
}

// client returns a client of server without rates and retries.
func client(t testing.TB, server http.Handler, change func(*tastytrade.ClientOptions)) *tastytrade.Client {
	t.Helper()
	opts := clientOptions(t, server)
	if change != nil {
		change(opts)
	}
	c, err := tastytrade.NewClient(tastytrade.StaticTokenSource("access-secret"), opts)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}
