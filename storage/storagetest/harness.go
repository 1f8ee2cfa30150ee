// Package storagetest has the suites that every storage adapter passes. An
// adapter's test is a few lines:
//
//	func TestStore(t *testing.T) {
//		storagetest.TestStore(t, storagetest.Harness{
//			Open: func(t *testing.T, now func() time.Time) storage.Store { … },
//		})
//	}
//
// TestStore runs the suite of each capability that the store has; the suites can
// also be run one by one.
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// A Harness is how the suites open an adapter, and what they may expect of it.
// Only Open is required.
type Harness struct {
	// Open opens an empty store for one test and has it closed with t.Cleanup;
	// closing twice must be harmless. The store tells the time with now, unless
	// Unit is set. On a server that the tests share, empty means a namespace of
	// its own.
	Open func(t *testing.T, now func() time.Time) storage.Store
	// Second opens the same data once more beside s, as another process would,
	// with the clock that s was opened with. Nil skips the tests that need it;
	// it is for stores that live in one process.
	Second func(t *testing.T, s storage.Store) storage.Store
	// Reopen ends s without any farewell that the adapter can do without, and
	// opens what it kept, with the same clock. Nil skips the tests of what
	// survives; it is for stores that keep nothing.
	Reopen func(t *testing.T, s storage.Store) storage.Store
	// Unit is for engines that tell the time themselves: the suites use and wait
	// for real spans of a few units. At least 50 ms; a second for engines whose
	// times to live are whole seconds. Zero means that the store uses now, and
	// that a unit is a minute that costs nothing.
	Unit time.Duration
	// MaxValue is the largest value of a KV in bytes; 0 means 8 MB.
	MaxValue int
	// LaxReceipts says that the engine cannot tell an acknowledgement under a
	// lease that ended from one under the present lease.
	LaxReceipts bool
	// Parallel runs the tests of a suite beside each other. Open, Second and Reopen
	// must allow it.
	Parallel bool
	// Without names suites that TestStore leaves out although the store has the
	// capability: "KV", "Objects", …. It is for combined stores whose parts are
	// tested elsewhere.
	Without []string
}

// A rig is a harness within one test: an open store and its clock.
type rig struct {
	Harness
	t     *testing.T
	store storage.Store
	nanos atomic.Int64
}

func (h Harness) rig(t *testing.T) *rig {
	t.Helper()
	r := &rig{Harness: h, t: t}
	r.nanos.Store(time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC).UnixNano())
	r.store = h.Open(t, r.now)
	return r
}

// now is the clock that stands until a test moves it, or the real one.
func (r *rig) now() time.Time {
	if r.Unit > 0 {
		return time.Now()
	}
	return time.Unix(0, r.nanos.Load())
}

// units is so many units of time.
func (r *rig) units(n float64) time.Duration {
	if r.Unit > 0 {
		return time.Duration(n * float64(r.Unit))
	}
	return time.Duration(n * float64(time.Minute))
}

// pass lets so many units pass.
func (r *rig) pass(n float64) {
	if r.Unit > 0 {
		time.Sleep(r.units(n)) // the engine's own clock can only be waited for
		return
	}
	r.nanos.Add(int64(r.units(n)))
}

// second returns another process's view of the store, or skips the test.
func (r *rig) second() storage.Store {
	r.t.Helper()
	if r.Second == nil {
		r.t.Skip("the store lives in one process")
	}
	return r.Harness.Second(r.t, r.store)
}

// crash ends the store and opens what it kept, or skips the test.
func (r *rig) crash() {
	r.t.Helper()
	if r.Reopen == nil {
		r.t.Skip("the store keeps nothing")
	}
	r.store = r.Harness.Reopen(r.t, r.store)
}

func (r *rig) tenant(id storage.TenantID) storage.Tenant {
	r.t.Helper()
	return tenantOf(r.t, r.store, id)
}

func tenantOf(t *testing.T, s storage.Store, id storage.TenantID) storage.Tenant {
	t.Helper()
	h, err := s.For(id)
	check(t, err)
	if h.ID() != id {
		t.Fatalf("the handle is of %q, want %q", h.ID(), id)
	}
	return h
}

// A claim is one test of a suite.
type claim struct {
	name string
	f    func(*rig)
}

func run(t *testing.T, h Harness, claims []claim) {
	t.Helper()
	for _, c := range claims {
		t.Run(c.name, func(t *testing.T) {
			if h.Parallel {
				t.Parallel()
			}
			c.f(h.rig(t))
		})
	}
}

// TestStore runs the suites of everything that the store has, and [TestTenants].
func TestStore(t *testing.T, h Harness) {
	without := map[string]bool{}
	for _, name := range h.Without {
		without[name] = true
	}
	probe := h.rig(t)
	tenant := probe.tenant("alice")
	for _, suite := range []struct {
		name string
		has  func() error
		test func(*testing.T, Harness)
	}{
		{"Tenants", func() error { return nil }, TestTenants},
		{"KV", func() error { _, err := tenant.KV("x"); return err }, TestKV},
		{"Objects", func() error { _, err := tenant.Objects("x"); return err }, TestObjects},
		{"Vectors", func() error { _, err := tenant.Vectors("x", 3); return err }, TestVectors},
		{"Queue", func() error { _, err := tenant.Queue("x", nil); return err }, TestQueue},
		{"PubSub", func() error { _, err := tenant.PubSub(); return err }, TestPubSub},
		{"Locks", func() error { _, err := tenant.Locks(); return err }, TestLocks},
		{"Limiter", func() error { _, err := tenant.Limiter(); return err }, TestLimiter},
		{"Records", func() error { _, err := tenant.Records(); return err }, TestRecords},
		{"Journal", func() error { _, err := tenant.Journal("x"); return err }, TestJournal},
		{"Custodian", func() error {
			c, ok := tenant.(storage.Custodian)
			if !ok {
				return storage.ErrUnsupported
			}
			_, err := c.Inventory(t.Context())
			return err
		}, TestCustodian},
		{"Directory", func() error { _, err := probe.store.Directory(); return err }, TestDirectory},
	} {
		if without[suite.name] {
			continue
		}
		err := suite.has()
		if errors.Is(err, storage.ErrUnsupported) {
			continue
		}
		check(t, err)
		t.Run(suite.name, func(t *testing.T) { suite.test(t, h) })
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantIs(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func wantField(t *testing.T, err error, field string) {
	t.Helper()
	if fe, ok := errors.AsType[*storage.FieldError](err); !ok || fe.Field != field {
		t.Fatalf("got error %v, want a *FieldError of %s", err, field)
	}
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func wantAll[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s:\n got %s\nwant %s", what, cut(fmt.Sprint(got)), cut(fmt.Sprint(want)))
	}
}

func cut(s string) string {
	if len(s) > 2000 {
		return s[:2000] + "…"
	}
	return s
}

// cancelled returns a context that has ended.
func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// hostile are tenant ids that a careless encoding of tenant, space and key would
// confuse with each other or take for something else.
var hostile = []storage.TenantID{
	"a", "A", "a/b", "a:b", "a%2Fb", "a.b", "..", "../a", ".", "a b", "a'b", "a\"b", "a`b", "%", "_", "*", ">", "a.*", "a\n", "a\x00b", "a\x00",
	"é", "e\u0301", "null", "a/space", "space", "\u202ea", "а" /* Cyrillic */, "ａ" /* full width */, "a\u200b", "ß", "SS", "İ", "i",
	"'; DROP TABLE kv; --", "a|b", "{a}", "a}b", "$1", "a\\b", "CON", "nul.txt", "-a", "~", "a,b", "a=b", "a;b", "a#b", "a?b", " a", "a ", "日本",
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456x",
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456y",
}
