package rest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Family is a group of routes that share a budget.
type Family struct {
	Methods   []string // nil: all
	Pattern   string   // segments, "*" for any one, a last "**" for any rest: "/accounts/*/orders/**"
	PerSecond float64
}

// Buckets is a [Limiter] of one token bucket for everything and one for each
// family. A bucket holds a single token, so that no second ever sees more
// requests than its rate. Turns are given in the order in which they were asked
// for, and a caller that gives up costs the others nothing. Buckets are safe for
// concurrent use and meant to be shared by every client of a credential.
type Buckets struct {
	global   family
	families []family
}

type family struct {
	Family
	pattern []string
	bucket  *bucket
}

// NewBuckets returns Buckets for at most perSecond requests in all. The first
// family that matches a request counts.
func NewBuckets(perSecond float64, families []Family) *Buckets {
	b := &Buckets{global: family{Family{PerSecond: perSecond}, nil, newBucket(perSecond)}}
	for _, f := range families {
		b.families = append(b.families, family{f, segments(f.Pattern), newBucket(f.PerSecond)})
	}
	return b
}

// Wait blocks until the request's turn. It fails at once when ctx would end
// before.
func (b *Buckets) Wait(ctx context.Context, method, path string) error {
	if f := b.family(method, path); f != nil {
		if err := f.bucket.wait(ctx); err != nil {
			return err
		}
	}
	return b.global.bucket.wait(ctx)
}

// Matching returns whose budgets a request uses: its family's, if it belongs to
// one, and that of everything, whose pattern is empty.
func (b *Buckets) Matching(method, path string) []Family {
	if f := b.family(method, path); f != nil {
		return []Family{f.Family, b.global.Family}
	}
	return []Family{b.global.Family}
}

// Pause gives no turn to the family of a request for d, to nobody at all when
// the request belongs to none.
func (b *Buckets) Pause(method, path string, d time.Duration) {
	f := b.family(method, path)
	if f == nil {
		f = &b.global
	}
	f.bucket.pause(d)
}

func (b *Buckets) family(method, path string) *family {
	parts := segments(path)
	for i := range b.families {
		if f := &b.families[i]; f.matches(method, parts) {
			return f
		}
	}
	return nil
}

// A bucket gives one turn per interval.
type bucket struct {
	interval time.Duration
	turn     chan struct{} // holds one value: who has it is the next; channels queue in order
	waiting  atomic.Int64  // callers in the queue and the one that has the turn

	mu   sync.Mutex
	next time.Time // of the next turn
}

func newBucket(perSecond float64) *bucket {
	b := &bucket{interval: time.Duration(float64(time.Second) / perSecond), turn: make(chan struct{}, 1)}
	b.turn <- struct{}{}
	return b
}

func (b *bucket) wait(ctx context.Context) error {
	ahead := b.waiting.Add(1) - 1
	defer b.waiting.Add(-1)
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		// Those ahead may give up, but nobody can count on that.
		if at := b.left() + time.Duration(ahead)*b.interval; time.Until(deadline) < at {
			return ErrBudget
		}
	}
	select {
	case <-b.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { b.turn <- struct{}{} }()
	for {
		left := b.left()
		if left <= 0 {
			break
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	b.next = time.Now().Add(b.interval)
	b.mu.Unlock()
	return nil
}

// left is how long it takes until the next turn.
func (b *bucket) left() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Until(b.next)
}

func (b *bucket) pause(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until := time.Now().Add(d); until.After(b.next) {
		b.next = until
	}
}

// ErrBudget is the cause when a request's turn comes after its deadline.
var ErrBudget = errors.New("no turn within the deadline under the request rate")

func segments(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

func (f *family) matches(method string, path []string) bool {
	ok := len(f.Methods) == 0
	for _, m := range f.Methods {
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
