package storagetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// TestLocks checks the contract of storage.Locks.
func TestLocks(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"a lock is held by one, also within a process", testLockHeld},
		{"a lease ends by itself", testLockExpiry},
		{"a renewed lease lasts, an ended one cannot be renewed", testLockRenew},
		{"tokens grow with every lease", testLockTokens},
		{"releasing a lost lease frees nothing of another's", testLockStale},
		{"of many who want a lock one has it at a time", testLockRace},
		{"locks of other names and tenants are others", testLockTenants},
		{"bad arguments are refused by name", testLockRefusals},
		{"a cancelled context ends every method", testLockCancelled},
		{"two processes exclude each other", testLockSecond},
		{"tokens grow after a crash too, and leases stand", testLockReopen},
		{"a closed store says so", testLockClosed},
	})
}

func (r *rig) locks() storage.Locks { r.t.Helper(); return locksOf(r.t, r.store, "alice") }

func locksOf(t *testing.T, s storage.Store, id storage.TenantID) storage.Locks {
	t.Helper()
	l, err := tenantOf(t, s, id).Locks()
	check(t, err)
	return l
}

func (r *rig) acquire(l storage.Locks) storage.Lease {
	r.t.Helper()
	lease, err := l.Acquire(r.t.Context(), "leader", r.units(2))
	check(r.t, err)
	want(r.t, "name", lease.Name, "leader")
	if lease.Token == 0 || !lease.Expires.After(r.now()) {
		r.t.Fatalf("lease %d ends at %v", lease.Token, lease.Expires)
	}
	return lease
}

func (r *rig) wantHeld(l storage.Locks) {
	r.t.Helper()
	_, err := l.Acquire(r.t.Context(), "leader", r.units(2))
	wantIs(r.t, err, storage.ErrHeld)
}

func testLockHeld(r *rig) {
	l := r.locks()
	lease := r.acquire(l)
	r.wantHeld(l)
	r.wantHeld(r.locks())
	check(r.t, l.Release(r.t.Context(), lease))
	r.acquire(r.locks())
}

func testLockExpiry(r *rig) {
	l := r.locks()
	r.acquire(l)
	r.pass(1.25)
	r.wantHeld(l)
	r.pass(1)
	r.acquire(l)
}

func testLockRenew(r *rig) {
	t, l := r.t, r.locks()
	lease := r.acquire(l)
	r.pass(1.25)
	renewed, err := l.Renew(t.Context(), lease, r.units(2))
	check(t, err)
	want(t, "token", renewed.Token, lease.Token)
	if !renewed.Expires.After(lease.Expires) {
		t.Errorf("it ends at %v, as before", renewed.Expires)
	}
	r.pass(1.25)
	r.wantHeld(l)
	r.pass(1)
	_, err = l.Renew(t.Context(), renewed, r.units(2))
	wantIs(t, err, storage.ErrLeaseLost)
	other := r.acquire(l)
	_, err = l.Renew(t.Context(), renewed, r.units(2))
	wantIs(t, err, storage.ErrLeaseLost)
	check(t, l.Release(t.Context(), other))
	_, err = l.Renew(t.Context(), other, r.units(2))
	wantIs(t, err, storage.ErrLeaseLost)
}

func testLockTokens(r *rig) {
	t, l := r.t, r.locks()
	last := uint64(0)
	for i := range 6 {
		lease := r.acquire(l)
		if lease.Token <= last {
			t.Fatalf("token %d came after %d", lease.Token, last)
		}
		last = lease.Token
		if i%2 == 0 {
			check(t, l.Release(t.Context(), lease))
		} else {
			r.pass(2.25)
		}
	}
}

func testLockStale(r *rig) {
	t, l := r.t, r.locks()
	old := r.acquire(l)
	r.pass(2.25)
	r.acquire(l)
	check(t, l.Release(t.Context(), old))
	r.wantHeld(l)
	check(t, l.Release(t.Context(), storage.Lease{Name: "leader", Token: 1 << 40}))
	r.wantHeld(l)
	check(t, l.Release(t.Context(), storage.Lease{Name: "never", Token: 1}))
}

func testLockRace(r *rig) { r.lockRace(r.locks(), r.locks()) }

// lockRace has many take turns and checks that they never overlap.
func (r *rig) lockRace(locks ...storage.Locks) {
	t := r.t
	var holders, turns atomic.Int32
	var mu sync.Mutex
	tokens := map[uint64]bool{}
	var group sync.WaitGroup
	for i := range 6 {
		l := locks[i%len(locks)]
		group.Go(func() {
			for done := 0; done < 10; {
				lease, err := l.Acquire(t.Context(), "turn", time.Hour)
				if errors.Is(err, storage.ErrHeld) {
					time.Sleep(time.Millisecond)
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d hold the lock", n)
				}
				mu.Lock()
				if tokens[lease.Token] {
					t.Errorf("token %d was given twice", lease.Token)
				}
				tokens[lease.Token] = true
				mu.Unlock()
				holders.Add(-1)
				turns.Add(1)
				done++
				if err := l.Release(t.Context(), lease); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	want(t, "turns", turns.Load(), 60)
}

func testLockTenants(r *rig) {
	for _, id := range hostile {
		r.acquire(locksOf(r.t, r.store, id))
	}
	l := r.locks()
	for _, name := range []string{"a", "A", "a/b", "a:b", "..", "é", "e\u0301", "'; --", "*", strings.Repeat("n", 256)} {
		_, err := l.Acquire(r.t.Context(), name, r.units(2))
		check(r.t, err)
	}
}

func testLockRefusals(r *rig) {
	t, l := r.t, r.locks()
	for _, name := range []string{"", "a\x00", "a\xff", strings.Repeat("n", 257)} {
		_, err := l.Acquire(t.Context(), name, time.Minute)
		wantField(t, err, "name")
	}
	for _, ttl := range []time.Duration{0, -1, 25 * time.Hour} {
		_, err := l.Acquire(t.Context(), "x", ttl)
		wantField(t, err, "ttl")
	}
	lease := r.acquire(l)
	_, err := l.Renew(t.Context(), lease, 0)
	wantField(t, err, "ttl")
}

func testLockCancelled(r *rig) {
	t, l, ctx := r.t, r.locks(), cancelled(r.t)
	_, err := l.Acquire(ctx, "leader", time.Minute)
	wantIs(t, err, context.Canceled)
	lease := r.acquire(l)
	_, err = l.Renew(ctx, lease, time.Minute)
	wantIs(t, err, context.Canceled)
	wantIs(t, l.Release(ctx, lease), context.Canceled)
	r.wantHeld(l)
}

func testLockSecond(r *rig) {
	l := r.locks()
	other := locksOf(r.t, r.second(), "alice")
	first := r.acquire(l)
	r.wantHeld(other)
	check(r.t, l.Release(r.t.Context(), first))
	if second := r.acquire(other); second.Token <= first.Token {
		r.t.Fatalf("token %d came after %d", second.Token, first.Token)
	}
	r.wantHeld(l)
	r.lockRace(l, other)
}

func testLockReopen(r *rig) {
	t := r.t
	first := r.acquire(r.locks())
	r.crash()
	l := r.locks()
	r.wantHeld(l)
	_, err := l.Renew(t.Context(), first, r.units(2))
	check(t, err)
	check(t, l.Release(t.Context(), first))
	r.crash()
	if lease := r.acquire(r.locks()); lease.Token <= first.Token {
		t.Fatalf("token %d came after %d", lease.Token, first.Token)
	}
}

func testLockClosed(r *rig) {
	l := r.locks()
	lease := r.acquire(l)
	check(r.t, r.store.Close())
	_, err := l.Acquire(r.t.Context(), "x", time.Minute)
	wantIs(r.t, err, storage.ErrClosed)
	_, err = l.Renew(r.t.Context(), lease, time.Minute)
	wantIs(r.t, err, storage.ErrClosed)
	wantIs(r.t, l.Release(r.t.Context(), lease), storage.ErrClosed)
}
