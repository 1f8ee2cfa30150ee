package workflow

import (
	"hash/fnv"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Policy says how often and how long a step is tried. The zero value works.
type Policy struct {
	// Attempts is how often a step may fail; 0 means 5. An attempt that ended with
	// its process is not counted here.
	Attempts int
	// Interruptions is how often an attempt may be cut off because its process ended
	// or the run was given up; 0 means 25. A step that is cut off once more is a
	// StepError with Interrupted set: it may be what kills its process.
	Interruptions int
	// MinBackoff and MaxBackoff bound the pause after a failure: after attempt n it
	// is MinBackoff·2ⁿ⁻¹, at most MaxBackoff, and of that between a half and all.
	// 0 means 1 second and 1 minute.
	MinBackoff, MaxBackoff time.Duration
	// Timeout ends the context of one attempt; 0 means never.
	Timeout time.Duration
	// Deadline bounds all attempts together, from the first one's beginning,
	// whatever processes they ran in; 0 means no bound.
	Deadline time.Duration
	// Once demands that the step begins at most once, whatever fails: placing an
	// order. Attempts is 1 then, and a step whose process died is a StepError with
	// Interrupted set.
	Once bool
}

// Validated returns the policy with its defaults, or a *FieldError.
func (p Policy) Validated() (Policy, error) {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"MinBackoff", p.MinBackoff}, {"MaxBackoff", p.MaxBackoff}, {"Timeout", p.Timeout}, {"Deadline", p.Deadline}} {
		if d.value < 0 {
			return p, invalid.Field(d.name, d.value, "0 or a positive duration")
		}
	}
	if p.Attempts < 0 || p.Attempts > 1000 {
		return p, invalid.Field("Attempts", p.Attempts, "1 to 1000, or 0 for 5")
	}
	if p.Interruptions < 0 || p.Interruptions > 1000 {
		return p, invalid.Field("Interruptions", p.Interruptions, "1 to 1000, or 0 for 25")
	}
	if p.Interruptions == 0 {
		p.Interruptions = 25
	}
	switch {
	case p.Once && p.Attempts > 1:
		return p, invalid.Field("Attempts", p.Attempts, "0 or 1 with Once")
	case p.Once:
		p.Attempts = 1
	case p.Attempts == 0:
		p.Attempts = 5
	}
	if p.MinBackoff == 0 {
		p.MinBackoff = time.Second
	}
	if p.MaxBackoff == 0 {
		p.MaxBackoff = max(time.Minute, p.MinBackoff)
	}
	return p, nil
}

// Backoff returns the pause after a step's failed attempt, counted from 1. Its
// jitter comes from the step's key, so that runs that failed together do not come
// back together, and a test sees the same pause each time. The policy must be
// validated.
func (p Policy) Backoff(key string, attempt int) time.Duration {
	d := min(p.MinBackoff, p.MaxBackoff)
	for range attempt - 1 {
		if d >= p.MaxBackoff/2 {
			d = p.MaxBackoff
			break
		}
		d *= 2
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	_, _ = h.Write([]byte{byte(attempt), byte(attempt >> 8)})
	x := h.Sum64() // FNV leaves its high bits poor for short changes at the end
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return d/2 + time.Duration(float64(d-d/2)*float64(x>>11)/(1<<53))
}
