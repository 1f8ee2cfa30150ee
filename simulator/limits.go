package simulator

import (
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A RateLimit is how often a customer may ask a family of routes. Beyond it the
// answer is 429.
type RateLimit struct {
	// Family names the limit, in logs.
	Family string
	// Routes are those that share it: "GET /instruments/equities/{symbol}", where
	// {symbol} is one segment of the path. A request counts for the first limit
	// with a route that it matches.
	Routes []string
	// PerSecond is the rate, above 0; so many requests may come at once.
	PerSecond float64
}

// PublishedRateLimits returns the limits that the broker's own client keeps, one
// for each family of endpoints. The broker publishes no others; every request
// counts for the last, of all routes, too.
func PublishedRateLimits() []RateLimit {
	return []RateLimit{
		{"order writes", []string{
			"POST /accounts/{account}/orders", "PUT /accounts/{account}/orders/{id}", "PATCH /accounts/{account}/orders/{id}",
			"DELETE /accounts/{account}/orders/{id}", "POST /accounts/{account}/orders/{rest...}",
			"POST /accounts/{account}/complex-orders", "POST /accounts/{account}/complex-orders/{rest...}",
			"PATCH /accounts/{account}/complex-orders/{id}", "DELETE /accounts/{account}/complex-orders/{id}",
		}, 20},
		{"market data by type", []string{"GET /market-data/by-type"}, 2},
		{"option chains", []string{"GET /option-chains/{rest...}"}, 2},
		{"futures option chains", []string{"GET /futures-option-chains/{rest...}"}, 2},
		{"equities", []string{"GET /instruments/equities"}, 2},
		{"active equities", []string{"GET /instruments/equities/active"}, 2},
		{"equity", []string{"GET /instruments/equities/{symbol}"}, 3},
		{"futures", []string{"GET /instruments/futures"}, 1},
		{"future products", []string{"GET /instruments/future-products"}, 1},
		{"future option products", []string{"GET /instruments/future-option-products"}, 1},
		{"equity option", []string{"GET /instruments/equity-options/{symbol}"}, 3},
		{"future option", []string{"GET /instruments/future-options/{symbol}"}, 3},
		{"positions", []string{"GET /accounts/{account}/positions"}, 1},
		{"balances", []string{"GET /accounts/{account}/balances"}, 1},
		{"trading status", []string{"GET /accounts/{account}/trading-status"}, 1},
		{"accounts", []string{"GET /customers/{customer}/accounts"}, 1},
		{"everything", []string{""}, 50},
	}
}

// limits are the rate limits in force, each customer with buckets of its own.
type limits struct {
	families []family

	mu      sync.Mutex
	buckets map[bucketKey]*rate.Limiter
}

type family struct {
	name   string
	routes []routePattern
	every  bool // counts for all routes, whatever else they count for
	rate   float64
}

type bucketKey struct {
	customer string
	family   int
}

func newLimits(list []RateLimit) (*limits, error) {
	l := &limits{buckets: map[bucketKey]*rate.Limiter{}}
	for _, one := range list {
		f := family{name: one.Family, rate: one.PerSecond}
		if !(one.PerSecond > 0) || math.IsInf(one.PerSecond, 0) {
			return nil, invalid.Field("RateLimits.PerSecond", one.PerSecond, "a number above 0")
		}
		for _, text := range one.Routes {
			p, err := parseRoute("RateLimits.Routes", text)
			if err != nil {
				return nil, err
			}
			f.routes = append(f.routes, p)
			f.every = f.every || p.every
		}
		l.families = append(l.families, f)
	}
	return l, nil
}

// refused counts a request and returns the name of the limit that it exceeds; ok
// when it exceeds none.
func (l *limits) refused(customer string, r *http.Request, now time.Time) (name string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := false
	for i := range l.families {
		f := &l.families[i]
		if found && !f.every || !f.has(r) {
			continue
		}
		found = true
		key := bucketKey{customer, i}
		bucket := l.buckets[key]
		if bucket == nil {
			bucket = rate.NewLimiter(rate.Limit(f.rate), max(1, int(f.rate)))
			l.buckets[key] = bucket
		}
		if !bucket.AllowN(now, 1) {
			return f.name, false
		}
	}
	return "", true
}

func (f *family) has(r *http.Request) bool {
	for i := range f.routes {
		if f.routes[i].matches(r) {
			return true
		}
	}
	return false
}
