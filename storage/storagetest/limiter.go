package storagetest

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// TestLimiter checks the contract of storage.Limiter.
func TestLimiter(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"a burst is allowed and then the rate", testLimitRate},
		{"what was refused was not counted", testLimitRefused},
		{"several are taken at once or not at all", testLimitSeveral},
		{"the wait is as long as it takes", testLimitWait},
		{"it agrees with the rule", testLimitRule},
		{"many who ask at once get no more than the burst", testLimitRace},
		{"names and tenants have limits of their own", testLimitTenants},
		{"bad arguments are refused by name", testLimitRefusals},
		{"a cancelled context ends it", testLimitCancelled},
		{"two processes share a limit", testLimitSecond},
		{"a closed store says so", testLimitClosed},
	})
}

func (r *rig) limiter() storage.Limiter { r.t.Helper(); return limiterOf(r.t, r.store, "alice") }

func limiterOf(t *testing.T, s storage.Store, id storage.TenantID) storage.Limiter {
	t.Helper()
	l, err := tenantOf(t, s, id).Limiter()
	check(t, err)
	return l
}

// limit is two a unit, three at once.
func (r *rig) limit() storage.Limit {
	return storage.Limit{Rate: 2, Per: r.units(1), Burst: 3}
}

func (r *rig) take(l storage.Limiter, n int) storage.Decision {
	r.t.Helper()
	d, err := l.Take(r.t.Context(), "GET /orders", r.limit(), n)
	check(r.t, err)
	if d.Allowed != (d.Wait == 0) {
		r.t.Fatalf("allowed %v with a wait of %v", d.Allowed, d.Wait)
	}
	return d
}

func testLimitRate(r *rig) {
	l := r.limiter()
	for left := 2; left >= 0; left-- {
		d := r.take(l, 1)
		want(r.t, "allowed", d.Allowed, true)
		want(r.t, "remaining", d.Remaining, left)
	}
	want(r.t, "allowed beyond the burst", r.take(l, 1).Allowed, false)
	r.pass(0.6)
	want(r.t, "allowed half a unit later", r.take(l, 1).Allowed, true)
	want(r.t, "allowed twice half a unit later", r.take(l, 1).Allowed, false)
	r.pass(5)
	want(r.t, "remaining after a rest", r.take(l, 1).Remaining, 2)
}

func testLimitRefused(r *rig) {
	l := r.limiter()
	r.take(l, 3)
	for range 20 {
		want(r.t, "allowed", r.take(l, 1).Allowed, false)
	}
	r.pass(0.6)
	want(r.t, "allowed", r.take(l, 1).Allowed, true)
}

func testLimitSeveral(r *rig) {
	l := r.limiter()
	want(r.t, "remaining", r.take(l, 2).Remaining, 1)
	d := r.take(l, 2)
	want(r.t, "allowed", d.Allowed, false)
	want(r.t, "remaining", d.Remaining, 1)
	want(r.t, "allowed", r.take(l, 1).Allowed, true)
}

func testLimitWait(r *rig) {
	l := r.limiter()
	d := r.take(l, 3)
	r.wantAbout("reset", d.Reset, 1.5)
	d = r.take(l, 1)
	r.wantAbout("wait for one", d.Wait, 0.5)
	r.wantAbout("reset", d.Reset, 1.5)
	r.wantAbout("wait for three", r.take(l, 3).Wait, 1.5)
	r.pass(d.Wait.Seconds()/r.units(1).Seconds() + 0.001)
	want(r.t, "allowed after the wait", r.take(l, 1).Allowed, true)
}

func (r *rig) wantAbout(what string, got time.Duration, units float64) {
	r.t.Helper()
	slack := time.Millisecond
	if r.Unit > 0 {
		slack = r.Unit / 2 // the clock goes on
	}
	if off := got - r.units(units); off < -slack || off > slack {
		r.t.Errorf("%s: got %v, want %v", what, got, r.units(units))
	}
}

func testLimitRule(r *rig) {
	if r.Unit > 0 {
		r.t.Skip("it takes a clock that can be set")
	}
	l := r.limiter()
	limit := storage.Limit{Rate: 7, Per: 3 * time.Second, Burst: 5}
	var tat int64
	seed := uint32(1)
	for i := range 500 {
		seed = seed*1664525 + 1013904223
		r.nanos.Add(int64(seed>>12) * 1000) // up to a second
		n := 1 + int(seed>>8)%5
		next, wanted := storage.GCRA(tat, r.now().UnixNano(), limit, n)
		tat = next
		got, err := l.Take(r.t.Context(), "rule", limit, n)
		check(r.t, err)
		want(r.t, "allowed", got.Allowed, wanted.Allowed)
		want(r.t, "remaining", got.Remaining, wanted.Remaining)
		for what, d := range map[string]time.Duration{"wait": got.Wait - wanted.Wait, "reset": got.Reset - wanted.Reset} {
			if d.Abs() > 10*time.Microsecond {
				r.t.Fatalf("step %d: %s differs by %v", i, what, d)
			}
		}
	}
}

func testLimitRace(r *rig) { r.limitRace(r.limiter(), r.limiter()) }

func (r *rig) limitRace(limiters ...storage.Limiter) {
	t := r.t
	limit := storage.Limit{Rate: 50, Per: 24 * time.Hour}
	var allowed atomic.Int32
	var group sync.WaitGroup
	for i := range 8 {
		l := limiters[i%len(limiters)]
		group.Go(func() {
			for range 25 {
				d, err := l.Take(t.Context(), "raced", limit, 1)
				if err != nil {
					t.Error(err)
					return
				}
				if d.Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	group.Wait()
	want(t, "allowed of 200", allowed.Load(), 50)
}

func testLimitTenants(r *rig) {
	for _, id := range hostile {
		want(r.t, "allowed", r.take(limiterOf(r.t, r.store, id), 3).Allowed, true)
	}
	l := r.limiter()
	for _, name := range []string{"a", "A", "a/b", "a:b", "..", "é", "e\u0301", "'; --", "*"} {
		d, err := l.Take(r.t.Context(), name, r.limit(), 3)
		check(r.t, err)
		want(r.t, "allowed", d.Allowed, true)
	}
}

func testLimitRefusals(r *rig) {
	t, l := r.t, r.limiter()
	good := r.limit()
	for _, test := range []struct {
		field, name string
		limit       storage.Limit
		n           int
	}{
		{"name", "", good, 1},
		{"name", strings.Repeat("n", 257), good, 1},
		{"Rate", "x", storage.Limit{Per: time.Second}, 1},
		{"Per", "x", storage.Limit{Rate: 1}, 1},
		{"Burst", "x", storage.Limit{Rate: 1, Per: time.Second, Burst: -1}, 1},
		{"n", "x", good, 0},
		{"n", "x", good, 4},
	} {
		_, err := l.Take(t.Context(), test.name, test.limit, test.n)
		wantField(t, err, test.field)
	}
}

func testLimitCancelled(r *rig) {
	_, err := r.limiter().Take(cancelled(r.t), "GET /orders", r.limit(), 1)
	wantIs(r.t, err, context.Canceled)
	want(r.t, "remaining", r.take(r.limiter(), 1).Remaining, 2)
}

func testLimitSecond(r *rig) {
	l := r.limiter()
	other := limiterOf(r.t, r.second(), "alice")
	r.take(l, 2)
	want(r.t, "remaining", r.take(other, 1).Remaining, 0)
	want(r.t, "allowed", r.take(l, 1).Allowed, false)
	r.limitRace(l, other)
}

func testLimitClosed(r *rig) {
	l := r.limiter()
	check(r.t, r.store.Close())
	_, err := l.Take(r.t.Context(), "x", r.limit(), 1)
	wantIs(r.t, err, storage.ErrClosed)
}
