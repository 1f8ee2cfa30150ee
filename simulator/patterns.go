package simulator

import (
	"net/http"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A routePattern is a path in which {name} stands for one segment and, at the
// end, {rest...} for any number of them. The empty pattern is every path.
type routePattern struct {
	method   string // "" is every method
	segments []string
	every    bool
	rest     bool
}

// parseRoute reads a pattern such as "POST /accounts/{account}/orders".
func parseRoute(field, text string) (routePattern, error) {
	var p routePattern
	path := text
	if method, rest, ok := strings.Cut(text, " "); ok {
		p.method, path = method, rest
	}
	if path == "" && p.method == "" {
		p.every = true
		return p, nil
	}
	if !strings.HasPrefix(path, "/") || p.method != strings.ToUpper(p.method) {
		return p, invalid.Field(field, text, `a route such as "POST /accounts/{account}/orders", or nothing for every one`)
	}
	p.segments = strings.Split(path[1:], "/")
	if last := p.segments[len(p.segments)-1]; strings.HasPrefix(last, "{") && strings.HasSuffix(last, "...}") {
		p.rest = true
		p.segments = p.segments[:len(p.segments)-1]
	}
	return p, nil
}

func (p *routePattern) matches(r *http.Request) bool {
	if p.method != "" && p.method != r.Method {
		return false
	}
	if p.every {
		return true
	}
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	for i, want := range p.segments {
		got, rest, more := strings.Cut(path, "/")
		if !(strings.HasPrefix(want, "{") && strings.HasSuffix(want, "}") && got != "") && want != got {
			return false
		}
		if i == len(p.segments)-1 {
			return !more || p.rest
		}
		if !more {
			return false
		}
		path = rest
	}
	return p.rest
}
