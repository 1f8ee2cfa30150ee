package storage

import (
	"context"
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Limiter says how fast something may be done, over all processes that use the
// engine. Implementations are safe for concurrent use and pass
// storagetest.TestLimiter. They follow [GCRA], so that limits mean the same
// everywhere.
type Limiter interface {
	// Take asks to do n things at once under the limit of that name: an endpoint,
	// a credential's fingerprint, 1 to 256 bytes of UTF-8 text without control
	// characters. It answers at once; what was not allowed was not counted. All
	// who use a name should give the same limit; when they differ each is judged
	// by its own.
	Take(ctx context.Context, name string, limit Limit, n int) (Decision, error)
}

// A Limit is a rate with a burst.
type Limit struct {
	Rate int           // so many, at least 1
	Per  time.Duration // in this time, 1 ms to 366 days
	// Burst is how many may come at once, at least 1; 0 means Rate. Over any time
	// t no more than Burst + Rate·t/Per are allowed.
	Burst int
}

// A Decision is the answer to [Limiter.Take].
type Decision struct {
	Allowed   bool
	Remaining int           // how many more would be allowed now
	Wait      time.Duration // until the same would be allowed; 0 when it was
	Reset     time.Duration // until the whole burst is there again
}

// CheckTake returns a *FieldError unless Take can be called so. Adapters call it.
func CheckTake(name string, limit Limit, n int) error {
	if err := CheckText("name", name, 256); err != nil {
		return err
	}
	if limit.Rate < 1 || limit.Rate > 1_000_000_000 {
		return invalid.Field("Rate", limit.Rate, "1 to 1,000,000,000")
	}
	if limit.Per < time.Millisecond || limit.Per > 366*24*time.Hour {
		return invalid.Field("Per", limit.Per, "1 ms to 366 days")
	}
	if limit.Burst < 0 || limit.Burst > 1_000_000_000 {
		return invalid.Field("Burst", limit.Burst, "1 to 1,000,000,000, or 0 for the rate")
	}
	if n < 1 || n > limit.burst() {
		return invalid.Fieldf("n", n, "1 to the burst, %d", limit.burst())
	}
	if limit.Interval()*float64(limit.burst()) > 100*365.25*24*3600e9 {
		return invalid.Field("Burst", limit.Burst, "no more than the rate allows in 100 years")
	}
	return nil
}

func (l Limit) burst() int {
	if l.Burst == 0 {
		return l.Rate
	}
	return l.Burst
}

// Interval returns the nanoseconds that one unit takes: Per/Rate.
func (l Limit) Interval() float64 { return float64(l.Per) / float64(l.Rate) }

// GCRA is the generic cell rate algorithm, the one rule behind all limiters. Tat
// is the theoretical arrival time that was stored under the name, in nanoseconds
// since 1970, 0 when there is none; the returned one is to be stored when n were
// allowed, and may be forgotten once it has passed. Both must happen atomically.
//
//	interval = Per/Rate;  tat' = max(tat, now) + n·interval
//	allowed  ⇔ tat' − now ≤ Burst·interval
//
// Source: ITU-T I.371, virtual scheduling.
func GCRA(tat, now int64, limit Limit, n int) (int64, Decision) {
	interval := limit.Interval()
	// Relative to now the numbers are small enough for exact arithmetic.
	behind := math.Max(0, float64(tat-now))
	full := interval * float64(limit.burst())
	next := behind + interval*float64(n)
	const slack = 1 // a nanosecond, so that rounding refuses nothing
	if next > full+slack {
		return tat, Decision{
			Remaining: remaining(full, behind, interval),
			Wait:      time.Duration(math.Ceil(next - full)),
			Reset:     time.Duration(math.Ceil(behind)),
		}
	}
	return now + int64(math.Ceil(next)), Decision{
		Allowed:   true,
		Remaining: remaining(full, next, interval),
		Reset:     time.Duration(math.Ceil(next)),
	}
}

func remaining(full, used, interval float64) int {
	return max(0, int((full-used+1)/interval))
}
