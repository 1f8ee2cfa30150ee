package tastytrade

import (
	"context"

	"github.com/ttai-go/ttai/internal/rest"
)

// A Limiter delays requests so that the broker's limits hold. Wait blocks until
// the turn of a request and fails when ctx ends first or would end before.
// Clients that use one credential share one Limiter. Implementations are safe
// for concurrent use. One that several processes share keeps its count where
// they all reach it: see [NewSharedLimiter]. One that also has the method
//
//	Pause(method, path string, d time.Duration)
//
// is told how long a 429 answer asks to wait.
type Limiter interface {
	Wait(ctx context.Context, method, path string) error
}

// NewLimiter returns a Limiter with the broker's rates per family of routes:
// two requests a second for chains and quotes, one for positions and balances,
// and so on, within 50 a second for everything. Turns are given in the order in
// which they were asked for; a request whose context ends while it waits leaves
// its turn to the next; one whose turn would come after its deadline fails at
// once with [ErrRateLimited]. A 429 answer with Retry-After holds its family back
// for everyone who shares the limiter.
func NewLimiter() Limiter { return newBuckets() }

func newBuckets() *rest.Buckets {
	return rest.NewBuckets(50, []rest.Family{
		{Methods: []string{"POST", "PUT", "PATCH", "DELETE"}, Pattern: "/accounts/*/orders/**", PerSecond: 20},
		{Methods: []string{"POST", "PUT", "PATCH", "DELETE"}, Pattern: "/accounts/*/complex-orders/**", PerSecond: 20},
		{Pattern: "/market-data/by-type", PerSecond: 2},
		{Pattern: "/option-chains/**", PerSecond: 2},
		{Pattern: "/futures-option-chains/**", PerSecond: 2},
		{Pattern: "/instruments/equities", PerSecond: 2},
		{Pattern: "/instruments/equities/active", PerSecond: 2},
		{Pattern: "/instruments/equities/*", PerSecond: 3},
		{Pattern: "/instruments/futures/**", PerSecond: 1},
		{Pattern: "/instruments/future-products/**", PerSecond: 1},
		{Pattern: "/instruments/future-option-products/**", PerSecond: 1},
		{Pattern: "/instruments/equity-options/*", PerSecond: 3},
		{Pattern: "/instruments/future-options/*", PerSecond: 3},
		{Pattern: "/accounts/*/positions", PerSecond: 1},
		{Pattern: "/accounts/*/balances/**", PerSecond: 1},
		{Pattern: "/accounts/*/trading-status", PerSecond: 1},
		{Pattern: "/customers/*/accounts", PerSecond: 1},
	})
}

// NoLimit returns a Limiter that never waits, for servers of one's own.
func NoLimit() Limiter { return noLimit{} }

type noLimit struct{}

func (noLimit) Wait(ctx context.Context, _, _ string) error { return ctx.Err() }
