package cassette

import (
	"net/http"
	"net/url"
	"sync"
)

// A Player answers requests with what was recorded for the same method, path and
// query, several answers in turn and the last one from then on; what was never
// asked for is answered with 404. A query in another order is the same. It is
// safe for concurrent use.
type Player struct {
	mu      sync.Mutex
	answers map[string][]*Exchange
}

// NewPlayer plays the exchanges of a cassette.
func NewPlayer(c *Cassette) *Player {
	p := &Player{answers: map[string][]*Exchange{}}
	for _, e := range c.Entries {
		if x := e.Exchange; x != nil {
			key := playerKey(x.Method, x.Path, x.Query)
			p.answers[key] = append(p.answers[key], x)
		}
	}
	return p
}

func playerKey(method, path, query string) string {
	values, err := url.ParseQuery(query)
	if err == nil {
		query = values.Encode()
	}
	return method + " " + path + "?" + query
}

// Has tells whether such a request was recorded. Query is as it stands in an
// address, in any order.
func (p *Player) Has(method, path, query string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.answers[playerKey(method, path, query)]) > 0
}

// ServeHTTP answers one request.
func (p *Player) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := playerKey(r.Method, r.URL.Path, r.URL.RawQuery)
	p.mu.Lock()
	var x *Exchange
	if list := p.answers[key]; len(list) > 0 {
		x = list[0]
		if len(list) > 1 {
			p.answers[key] = list[1:]
		}
	}
	p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case x == nil:
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error":{"code":"not_recorded","message":"the recording has no such request"}}`))
	case x.Body == nil && x.Other != "":
		w.Header().Set("Content-Type", x.Other)
		w.WriteHeader(x.Status)
	default:
		w.WriteHeader(x.Status)
		_, _ = w.Write(x.Body)
	}
}
