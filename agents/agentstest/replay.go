package agentstest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// A Cassette is recorded traffic: what a server answered to each request. It holds
// no header of a request, so no key, and no request at all, only its hash.
type Cassette struct {
	Exchanges []Exchange `json:"exchanges"`
}

// An Exchange is one answer.
type Exchange struct {
	Key         string `json:"key"` // of the request: see [RequestKey]
	Status      int    `json:"status"`
	ContentType string `json:"content_type,omitempty"`
	RetryAfter  string `json:"retry_after,omitempty"`
	Body        string `json:"body"`
}

// RequestKey returns the hash by which a request is found again: of its method,
// path and body. JSON counts by its meaning, whatever the order of members and the
// spaces between them; host and headers do not count.
func RequestKey(method, path string, body []byte) string {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) == nil {
		if sorted, err := json.Marshal(v); err == nil {
			body = sorted
		}
	}
	sum := sha256.Sum256([]byte(method + " " + path + "\n" + string(body)))
	return hex.EncodeToString(sum[:])
}

// read returns the body of a request and its key.
func read(req *http.Request) ([]byte, string, error) {
	var body []byte
	if req.Body != nil {
		defer req.Body.Close()
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, "", err
		}
	}
	return body, RequestKey(req.Method, req.URL.Path, body), nil
}

// A Recorder is a transport that keeps what passes through it. It is safe for
// concurrent use.
type Recorder struct {
	// Next does the work; nil: http.DefaultTransport.
	Next http.RoundTripper

	mu       sync.Mutex
	cassette Cassette
}

// Cassette returns what was recorded so far. What a server answered is kept word by
// word: look it through before it becomes public.
func (r *Recorder) Cassette() Cassette {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Cassette{Exchanges: append([]Exchange(nil), r.cassette.Exchanges...)}
}

// RoundTrip sends req and reads the whole answer before it returns.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	body, key, err := read(req)
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Body = io.NopCloser(bytes.NewReader(body))
	next := r.Next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err // half an answer is no record
	}
	r.mu.Lock()
	r.cassette.Exchanges = append(r.cassette.Exchanges, Exchange{key, resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header.Get("Retry-After"), string(answer)})
	r.mu.Unlock()
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	return resp, nil
}

// ErrNotRecorded: a [Replayer] has no answer, or no further one, to a request.
var ErrNotRecorded = errors.New("agentstest: this request was not recorded")

// A Replayer is a transport that answers from a cassette and reaches no network.
// Equal requests get their answers in the order of the recording, each once. It is
// safe for concurrent use.
type Replayer struct {
	mu      sync.Mutex
	answers map[string][]Exchange
}

// NewReplayer returns a Replayer of c.
func NewReplayer(c Cassette) *Replayer {
	r := &Replayer{answers: map[string][]Exchange{}}
	for _, e := range c.Exchanges {
		r.answers[e.Key] = append(r.answers[e.Key], e)
	}
	return r
}

// Left returns how many answers were not asked for.
func (r *Replayer) Left() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, list := range r.answers {
		n += len(list)
	}
	return n
}

// RoundTrip answers req, or fails with ErrNotRecorded.
func (r *Replayer) RoundTrip(req *http.Request) (*http.Response, error) {
	_, key, err := read(req)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.answers[key]
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: %s %s, key %s", ErrNotRecorded, req.Method, req.URL.Path, key)
	}
	e := list[0]
	r.answers[key] = list[1:]
	header := http.Header{}
	for name, value := range map[string]string{"Content-Type": e.ContentType, "Retry-After": e.RetryAfter} {
		if value != "" {
			header.Set(name, value)
		}
	}
	return &http.Response{
		StatusCode: e.Status, Status: fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)), Header: header, Request: req,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(e.Body)), Body: io.NopCloser(strings.NewReader(e.Body)),
	}, nil
}
