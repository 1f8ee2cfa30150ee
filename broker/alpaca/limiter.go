package alpaca

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Limiter spaces the requests of one credential to one of Alpaca's two APIs.
// Share it among all clients of that credential. Implementations are safe for
// concurrent use.
type Limiter interface {
	// Wait blocks until a request may be sent; it fails when ctx ends first, or
	// would.
	Wait(ctx context.Context) error
	// Observe is told every answer's status and headers.
	Observe(status int, header http.Header)
}

// RequestsPerMinute is what Alpaca allows an account on each API, unless its
// plan says more.
const RequestsPerMinute = 200

// A RateLimiter is a token bucket that no minute sees more requests of than
// allowed: a tenth of a minute's budget may go out at once, the rest comes evenly.
// It learns from the X-RateLimit headers: another limit changes its rate, and
// when nothing remains everyone waits for the reset.
type RateLimiter struct {
	now    func() time.Time
	bucket *rate.Limiter

	mu        sync.Mutex
	perMinute int
	until     time.Time // nobody goes before
}

// NewRateLimiter returns a limiter of perMinute requests, 0 meaning
// [RequestsPerMinute]. Now is for tests; nil is time.Now.
func NewRateLimiter(perMinute int, now func() time.Time) (*RateLimiter, error) {
	if perMinute < 0 || perMinute > 1_000_000 {
		return nil, invalid.Field("perMinute", perMinute, "1 to 1000000 requests, or 0 for 200")
	}
	if perMinute == 0 {
		perMinute = RequestsPerMinute
	}
	if now == nil {
		now = time.Now
	}
	l := &RateLimiter{now: now, perMinute: perMinute}
	l.bucket = rate.NewLimiter(budget(perMinute))
	return l, nil
}

// budget splits a minute's requests so that burst and flow together never exceed
// them within any minute.
func budget(perMinute int) (rate.Limit, int) {
	burst := max(1, perMinute/10)
	return rate.Limit(float64(max(perMinute-burst, 1)) / 60), burst
}

// PerMinute is the limit in force.
func (l *RateLimiter) PerMinute() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.perMinute
}

// Wait blocks until a request may be sent.
func (l *RateLimiter) Wait(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		l.mu.Lock()
		pause := l.until.Sub(l.now())
		l.mu.Unlock()
		if pause <= 0 {
			break
		}
		if err := sleepWithin(ctx, pause); err != nil {
			return err
		}
	}
	now := l.now()
	turn := l.bucket.ReserveN(now, 1)
	if err := sleepWithin(ctx, turn.DelayFrom(now)); err != nil {
		turn.CancelAt(now)
		return err
	}
	return nil
}

func sleepWithin(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return fmt.Errorf("alpaca: no turn within the deadline under the request rate: %w", context.DeadlineExceeded)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// longestPause bounds what a header can ask for.
const longestPause = 2 * time.Minute

// Observe reads X-RateLimit-Limit, -Remaining and -Reset.
func (l *RateLimiter) Observe(status int, header http.Header) {
	limit, errLimit := strconv.Atoi(header.Get("X-Ratelimit-Limit"))
	remaining, errRemaining := strconv.Atoi(header.Get("X-Ratelimit-Remaining"))
	reset, hasReset := resetTime(header)
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if errLimit == nil && limit > 0 && limit <= 1_000_000 && limit != l.perMinute {
		l.perMinute = limit
		flow, burst := budget(limit)
		l.bucket.SetLimitAt(now, flow)
		l.bucket.SetBurstAt(now, burst)
	}
	exhausted := errRemaining == nil && remaining <= 0 || status == http.StatusTooManyRequests
	if !exhausted {
		return
	}
	until := now.Add(time.Second) // a refusal without a word of how long
	if hasReset {
		until = reset
	} else if status != http.StatusTooManyRequests {
		return
	}
	if most := now.Add(longestPause); until.After(most) {
		until = most
	}
	if until.After(l.until) {
		l.until = until
	}
}

// resetTime is when the budget is whole again, in Unix seconds on the wire.
func resetTime(header http.Header) (time.Time, bool) {
	seconds, err := strconv.ParseInt(header.Get("X-Ratelimit-Reset"), 10, 64)
	if err != nil || seconds <= 0 {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0), true
}
