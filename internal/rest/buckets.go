package rest

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/time/rate"
)

// A Family is a group of routes that share a budget.
type Family struct {
	Methods   []string // nil: all
	Pattern   string   // segments, "*" for any one, a last "**" for any rest: "/accounts/*/orders/**"
	PerSecond float64
}

// Buckets is a [Limiter] of one token bucket for everything and one for each
// family. A bucket holds a single token, so that no second ever sees more
// requests than its rate. Buckets are safe for concurrent use and meant to be
// shared by every client of a credential.
type Buckets struct {
	global   *rate.Limiter
	families []family
}

type family struct {
	methods []string
	pattern []string
	limiter *rate.Limiter
}

// NewBuckets returns Buckets for at most perSecond requests in all. The first
// family that matches a request counts.
func NewBuckets(perSecond float64, families []Family) *Buckets {
	b := &Buckets{global: rate.NewLimiter(rate.Limit(perSecond), 1)}
	for _, f := range families {
		b.families = append(b.families, family{f.Methods, segments(f.Pattern), rate.NewLimiter(rate.Limit(f.PerSecond), 1)})
	}
	return b
}

// Wait blocks until the request's turn. It fails at once when ctx would end
// before.
func (b *Buckets) Wait(ctx context.Context, method, path string) error {
	parts := segments(path)
	for _, f := range b.families {
		if !f.matches(method, parts) {
			continue
		}
		if err := f.limiter.Wait(ctx); err != nil {
			return limited(ctx, err)
		}
		break
	}
	return limited(ctx, b.global.Wait(ctx))
}

// ErrBudget is the cause when a request's turn comes after its deadline.
var ErrBudget = errors.New("no turn within the deadline under the request rate")

func limited(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return ErrBudget
}

func segments(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

func (f family) matches(method string, path []string) bool {
	ok := len(f.methods) == 0
	for _, m := range f.methods {
		ok = ok || m == method
	}
	if !ok {
		return false
	}
	for i, want := range f.pattern {
		if want == "**" {
			return true
		}
		if i >= len(path) || want != "*" && want != path[i] {
			return false
		}
	}
	return len(path) == len(f.pattern)
}
