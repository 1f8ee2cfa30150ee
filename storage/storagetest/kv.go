// Package storagetest has the suites that every storage adapter passes. An
// adapter's test is a few lines:
//
//	func TestKV(t *testing.T) {
//		storagetest.TestKV(t, func(t *testing.T, now func() time.Time) storage.Store { … })
//	}
package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// Open opens an empty store for one test and has it closed with t.Cleanup;
// closing twice must be harmless. The store tells the time with now.
type Open func(t *testing.T, now func() time.Time) storage.Store

// TestKV checks the contract of storage.KV, storage.Tenant and storage.Store.
func TestKV(t *testing.T, open Open) {
	tests := []struct {
		name string
		f    func(*testing.T, Open)
	}{
		{"a value is read as it was written", testRoundTrip},
		{"a missing value is ErrNotFound", testMissing},
		{"values are copied in and out", testCopies},
		{"a value expires at the end of its time to live", testExpiry},
		{"bad keys, spaces, tenants and times to live are refused by name", testRefusals},
		{"compare-and-set writes only over the expected version", testCompareAndSet},
		{"of many writers of one version exactly one wins", testRace},
		{"versions never return", testVersions},
		{"keys come in byte order and by prefix", testKeys},
		{"ten thousand keys are listed once each", testManyKeys},
		{"a listing can be stopped", testKeysStop},
		{"spaces share nothing", testSpaces},
		{"tenants share nothing, whatever their names", testTenants},
		{"a cancelled context ends every method", testCancelled},
		{"a closed store says so", testClosed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.f(t, open) })
	}
}

// A clock stands until a test moves it.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanos.Store(time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

func space(t *testing.T, open Open) storage.KV {
	t.Helper()
	return spaceOf(t, open(t, newClock().now), "alice", "space")
}

func spaceOf(t *testing.T, s storage.Store, tenant storage.TenantID, name string) storage.KV {
	t.Helper()
	h, err := s.For(tenant)
	check(t, err)
	if h.ID() != tenant {
		t.Fatalf("the handle is of %q, want %q", h.ID(), tenant)
	}
	kv, err := h.KV(name)
	check(t, err)
	return kv
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

func wantValue(t *testing.T, kv storage.KV, key string, want []byte) storage.Version {
	t.Helper()
	v, err := kv.Get(t.Context(), key)
	check(t, err)
	if !bytes.Equal(v.Data, want) {
		t.Fatalf("value of %q has %d bytes and differs from the %d that were written", key, len(v.Data), len(want))
	}
	if v.Version == storage.NoVersion {
		t.Fatalf("value of %q has no version", key)
	}
	return v.Version
}

func testRoundTrip(t *testing.T, open Open) {
	kv := space(t, open)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	keys := []string{
		"k", "a/b/c", "with space", "%", "_", "*?[a]", `back\slash`, "'quote\"", "..", "日本語", "é", "e\u0301",
		"\x00", "\xff\xfe", string(every), strings.Repeat("k", 1024), "K",
	}
	values := [][]byte{{}, []byte("text"), every, bytes.Repeat([]byte{0}, 1<<20)}
	for _, value := range values {
		for _, key := range keys {
			check(t, kv.Put(t.Context(), key, value, 0))
		}
		for _, key := range keys {
			wantValue(t, kv, key, value)
		}
	}
	check(t, kv.Put(t.Context(), "nil", nil, 0))
	wantValue(t, kv, "nil", []byte{})
}

func testMissing(t *testing.T, open Open) {
	kv := space(t, open)
	_, err := kv.Get(t.Context(), "never")
	wantIs(t, err, storage.ErrNotFound)
	check(t, kv.Delete(t.Context(), "never"))

	check(t, kv.Put(t.Context(), "once", []byte("x"), 0))
	check(t, kv.Delete(t.Context(), "once"))
	_, err = kv.Get(t.Context(), "once")
	wantIs(t, err, storage.ErrNotFound)
}

func testCopies(t *testing.T, open Open) {
	kv := space(t, open)
	data := []byte("before")
	check(t, kv.Put(t.Context(), "k", data, 0))
	copy(data, "CHANGE")
	v, err := kv.Get(t.Context(), "k")
	check(t, err)
	copy(v.Data, "CHANGE")
	wantValue(t, kv, "k", []byte("before"))
}

func testExpiry(t *testing.T, open Open) {
	clock := newClock()
	kv := spaceOf(t, open(t, clock.now), "alice", "space")
	check(t, kv.Put(t.Context(), "short", []byte("x"), time.Minute))
	check(t, kv.Put(t.Context(), "long", []byte("x"), time.Hour))
	check(t, kv.Put(t.Context(), "ever", []byte("x"), 0))
	_, err := kv.CompareAndSet(t.Context(), "claimed", storage.NoVersion, []byte("x"), time.Minute)
	check(t, err)

	clock.advance(time.Minute - time.Second)
	wantValue(t, kv, "short", []byte("x"))
	clock.advance(2 * time.Second)
	_, err = kv.Get(t.Context(), "short")
	wantIs(t, err, storage.ErrNotFound)
	wantKeys(t, kv, "", "ever", "long")

	// What has expired counts as absent, and writing again starts a new life.
	_, err = kv.CompareAndSet(t.Context(), "claimed", storage.NoVersion, []byte("y"), 0)
	check(t, err)
	check(t, kv.Put(t.Context(), "long", []byte("y"), 0))
	clock.advance(1000 * time.Hour)
	wantKeys(t, kv, "", "claimed", "ever", "long")
}

func testRefusals(t *testing.T, open Open) {
	s := open(t, newClock().now)
	for _, id := range []storage.TenantID{"", storage.TenantID(strings.Repeat("t", 129))} {
		_, err := s.For(id)
		wantField(t, err, "tenant")
	}
	h, err := s.For("alice")
	check(t, err)
	for _, name := range []string{"", "Upper", "a/b", "a b", "é", strings.Repeat("s", 65)} {
		_, err := h.KV(name)
		wantField(t, err, "space")
	}
	kv, err := h.KV(strings.Repeat("s", 64))
	check(t, err)
	for _, key := range []string{"", strings.Repeat("k", 1025)} {
		_, err := kv.Get(t.Context(), key)
		wantField(t, err, "key")
		wantField(t, kv.Put(t.Context(), key, nil, 0), "key")
		_, err = kv.CompareAndSet(t.Context(), key, storage.NoVersion, nil, 0)
		wantField(t, err, "key")
		wantField(t, kv.Delete(t.Context(), key), "key")
	}
	wantField(t, kv.Put(t.Context(), "k", nil, -1), "ttl")
	_, err = kv.CompareAndSet(t.Context(), "k", storage.NoVersion, nil, -1)
	wantField(t, err, "ttl")
}

func testCompareAndSet(t *testing.T, open Open) {
	kv := space(t, open)
	_, err := kv.CompareAndSet(t.Context(), "k", 7, []byte("a"), 0)
	wantIs(t, err, storage.ErrConflict)
	first, err := kv.CompareAndSet(t.Context(), "k", storage.NoVersion, []byte("a"), 0)
	check(t, err)
	if got := wantValue(t, kv, "k", []byte("a")); got != first {
		t.Fatalf("Get says version %d, CompareAndSet said %d", got, first)
	}
	_, err = kv.CompareAndSet(t.Context(), "k", storage.NoVersion, []byte("b"), 0)
	wantIs(t, err, storage.ErrConflict)
	second, err := kv.CompareAndSet(t.Context(), "k", first, []byte("b"), 0)
	check(t, err)
	_, err = kv.CompareAndSet(t.Context(), "k", first, []byte("c"), 0)
	wantIs(t, err, storage.ErrConflict)
	wantValue(t, kv, "k", []byte("b"))
	check(t, kv.Put(t.Context(), "k", []byte("c"), 0))
	_, err = kv.CompareAndSet(t.Context(), "k", second, []byte("d"), 0)
	wantIs(t, err, storage.ErrConflict)
}

func testRace(t *testing.T, open Open) {
	kv := space(t, open)
	const writers, rounds = 8, 25
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range rounds {
				for { // add one to a counter
					v, err := kv.Get(t.Context(), "n")
					if err != nil && !errors.Is(err, storage.ErrNotFound) {
						t.Error(err)
						return
					}
					var n int
					fmt.Sscan(string(v.Data), &n) // nothing there leaves 0
					_, err = kv.CompareAndSet(t.Context(), "n", v.Version, fmt.Append(nil, n+1), 0)
					if err == nil {
						break
					}
					if !errors.Is(err, storage.ErrConflict) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	group.Wait()
	wantValue(t, kv, "n", fmt.Append(nil, writers*rounds))
}

func testVersions(t *testing.T, open Open) {
	kv := space(t, open)
	seen := map[storage.Version]bool{}
	for range 20 {
		check(t, kv.Put(t.Context(), "k", []byte("same"), 0))
		v := wantValue(t, kv, "k", []byte("same"))
		if seen[v] {
			t.Fatalf("version %d returned", v)
		}
		seen[v] = true
		check(t, kv.Delete(t.Context(), "k")) // a new life does not begin with an old version
	}
}

func wantKeys(t *testing.T, kv storage.KV, prefix string, want ...string) {
	t.Helper()
	var got []string
	for k, err := range kv.Keys(t.Context(), prefix) {
		check(t, err)
		got = append(got, k)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("keys with prefix %q: got %q, want %q", prefix, got, want)
	}
}

func testKeys(t *testing.T, open Open) {
	kv := space(t, open)
	wantKeys(t, kv, "")
	for _, k := range []string{"b", "a", "a/1", "a/2", "a%", "a_", "A", "\xff", "\xff\xff", "é"} {
		check(t, kv.Put(t.Context(), k, nil, 0))
	}
	wantKeys(t, kv, "", "A", "a", "a%", "a/1", "a/2", "a_", "b", "é", "\xff", "\xff\xff")
	wantKeys(t, kv, "a/", "a/1", "a/2")
	wantKeys(t, kv, "a%", "a%") // patterns of an engine's own do not leak through
	wantKeys(t, kv, "a_", "a_")
	wantKeys(t, kv, "\xff", "\xff", "\xff\xff")
	wantKeys(t, kv, "zz")
}

func testManyKeys(t *testing.T, open Open) {
	kv := space(t, open)
	const n = 10_000
	want := make([]string, n)
	for i := range want {
		want[i] = fmt.Sprintf("key/%05d", i)
	}
	for i := range want {
		check(t, kv.Put(t.Context(), want[(i*7919)%n], []byte("x"), 0))
	}
	check(t, kv.Put(t.Context(), "other", nil, 0))
	wantKeys(t, kv, "key/", want...)
}

func testKeysStop(t *testing.T, open Open) {
	kv := space(t, open)
	for i := range 100 {
		check(t, kv.Put(t.Context(), fmt.Sprintf("%02d", i), nil, 0))
	}
	n := 0
	for _, err := range kv.Keys(t.Context(), "") {
		check(t, err)
		// Writing inside the loop neither blocks nor ends it.
		check(t, kv.Put(t.Context(), "zz", nil, 0))
		if n++; n == 10 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range kv.Keys(ctx, "") {
		cancel()
		last = err
	}
	wantIs(t, last, context.Canceled)
}

func testSpaces(t *testing.T, open Open) {
	s := open(t, newClock().now)
	one, two := spaceOf(t, s, "alice", "one"), spaceOf(t, s, "alice", "two")
	check(t, one.Put(t.Context(), "k", []byte("1"), 0))
	_, err := two.Get(t.Context(), "k")
	wantIs(t, err, storage.ErrNotFound)
	wantKeys(t, two, "")
	// The same space opened again is the same space.
	wantValue(t, spaceOf(t, s, "alice", "one"), "k", []byte("1"))
}

func testTenants(t *testing.T, open Open) {
	s := open(t, newClock().now)
	// Pairs that a careless encoding of tenant, space and key would confuse.
	ids := []storage.TenantID{
		"a", "A", "a/b", "a:b", "a%2Fb", "a.b", "..", "../a", ".", "a\x00b", "a b", "a'b", "a\"b", "%", "_", "*", "a\n",
		"é", "e\u0301", "null", "a/space", "space", storage.TenantID(strings.Repeat("t", 128)), "\u202ea",
	}
	for i, id := range ids {
		kv := spaceOf(t, s, id, "space")
		wantKeys(t, kv, "")
		check(t, kv.Put(t.Context(), "k", fmt.Append(nil, i), 0))
		check(t, kv.Put(t.Context(), "b/space/k", fmt.Append(nil, i), 0))
	}
	for i, id := range ids {
		kv := spaceOf(t, s, id, "space")
		wantKeys(t, kv, "", "b/space/k", "k")
		wantValue(t, kv, "k", fmt.Append(nil, i))
	}
	check(t, spaceOf(t, s, "a", "space").Delete(t.Context(), "k"))
	wantValue(t, spaceOf(t, s, "A", "space"), "k", []byte("1"))
}

func testCancelled(t *testing.T, open Open) {
	kv := space(t, open)
	check(t, kv.Put(t.Context(), "k", []byte("x"), 0))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := kv.Get(ctx, "k")
	wantIs(t, err, context.Canceled)
	wantIs(t, kv.Put(ctx, "k", []byte("y"), 0), context.Canceled)
	_, err = kv.CompareAndSet(ctx, "k2", storage.NoVersion, []byte("y"), 0)
	wantIs(t, err, context.Canceled)
	wantIs(t, kv.Delete(ctx, "k"), context.Canceled)
	n := 0
	for _, err := range kv.Keys(ctx, "") {
		wantIs(t, err, context.Canceled)
		n++
	}
	if n != 1 {
		t.Fatalf("Keys yielded %d times, want one error", n)
	}
	wantValue(t, kv, "k", []byte("x")) // nothing was changed
}

func testClosed(t *testing.T, open Open) {
	s := open(t, newClock().now)
	h, err := s.For("alice")
	check(t, err)
	kv, err := h.KV("space")
	check(t, err)
	check(t, s.Close())

	_, err = kv.Get(t.Context(), "k")
	wantIs(t, err, storage.ErrClosed)
	wantIs(t, kv.Put(t.Context(), "k", nil, 0), storage.ErrClosed)
	_, err = kv.CompareAndSet(t.Context(), "k", storage.NoVersion, nil, 0)
	wantIs(t, err, storage.ErrClosed)
	wantIs(t, kv.Delete(t.Context(), "k"), storage.ErrClosed)
	for _, err := range kv.Keys(t.Context(), "") {
		wantIs(t, err, storage.ErrClosed)
	}
}
