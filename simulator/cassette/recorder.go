package cassette

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
)

// A Recorder is an http.RoundTripper that takes down what passes through it:
// answers, and the messages of websockets that are opened through it. It changes
// nothing of what it passes on, and holds all in memory. It is safe for concurrent
// use; the name of the current call is common to all.
type Recorder struct {
	base http.RoundTripper

	mu      sync.Mutex
	call    string
	entries []Entry
}

// NewRecorder records what goes through base; nil means http.DefaultTransport.
func NewRecorder(base http.RoundTripper) *Recorder {
	if base == nil {
		base = http.DefaultTransport
	}
	return &Recorder{base: base}
}

// Call names what is asked for from here on.
func (r *Recorder) Call(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.call = name
}

// Entries returns what was taken down so far, with every secret in it: see
// [Redact].
func (r *Recorder) Entries() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.entries)
}

func (r *Recorder) add(e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Exchange != nil {
		e.Exchange.Call = r.call
	}
	r.entries = append(r.entries, e)
}

// CloseIdleConnections passes the wish on.
func (r *Recorder) CloseIdleConnections() {
	if c, ok := r.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip sends the request. The answer is read to its end before it is handed
// on, websockets aside. Requests for tokens are not taken down.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.base.RoundTrip(req)
	if err != nil || req.URL.Path == "/oauth/token" {
		return resp, err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		if conn, ok := resp.Body.(io.ReadWriteCloser); ok {
			stream := req.URL.Path
			resp.Body = newTap(conn, func(sent bool, data []byte) {
				r.add(Entry{Frame: &Frame{Stream: stream, Sent: sent, Data: data}})
			})
		}
		return resp, nil
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil { // what came is handed on, and then the failure
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
		return resp, nil
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	x := &Exchange{Method: req.Method, Path: req.URL.Path, Query: req.URL.RawQuery, Status: resp.StatusCode}
	if json.Valid(body) {
		x.Body = body
	} else if len(body) > 0 {
		x.Other = resp.Header.Get("Content-Type")
	}
	r.add(Entry{Exchange: x})
	return resp, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
