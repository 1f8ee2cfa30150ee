package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ttai-go/ttai/storage"
)

// TestKV checks the contract of storage.KV.
func TestKV(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"a value is read as it was written", testRoundTrip},
		{"a value of the largest size is kept", testLargest},
		{"a missing value is ErrNotFound", testMissing},
		{"values are copied in and out", testCopies},
		{"a value expires at the end of its time to live", testExpiry},
		{"bad keys, spaces and times to live are refused by name", testRefusals},
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
		{"two processes see each other's writes", testKVSecond},
		{"what was written survives", testKVReopen},
	})
}

func (r *rig) kv() storage.KV { r.t.Helper(); return spaceOf(r.t, r.store, "alice", "space") }

func spaceOf(t *testing.T, s storage.Store, tenant storage.TenantID, name string) storage.KV {
	t.Helper()
	kv, err := tenantOf(t, s, tenant).KV(name)
	check(t, err)
	return kv
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

func testRoundTrip(r *rig) {
	t := r.t
	kv := r.kv()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	keys := []string{
		"k", "a/b/c", "with space", "%", "_", "*?[a]", `back\slash`, "'quote\"", "..", "日本語", "é", "e\u0301",
		"\x00", "\xff\xfe", string(every), strings.Repeat("k", 1024), "K",
	}
	large := 1 << 20
	if r.MaxValue > 0 {
		large = min(large, r.MaxValue)
	}
	values := [][]byte{{}, []byte("text"), every, bytes.Repeat([]byte{0}, large)}
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

func testLargest(r *rig) {
	t, kv := r.t, r.kv()
	size := r.MaxValue
	if size == 0 {
		size = 8 << 20
	}
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i * 31 >> 3)
	}
	check(t, kv.Put(t.Context(), "large", data, 0))
	wantValue(t, kv, "large", data)
}

func testMissing(r *rig) {
	t := r.t
	kv := r.kv()
	_, err := kv.Get(t.Context(), "never")
	wantIs(t, err, storage.ErrNotFound)
	check(t, kv.Delete(t.Context(), "never"))

	check(t, kv.Put(t.Context(), "once", []byte("x"), 0))
	check(t, kv.Delete(t.Context(), "once"))
	_, err = kv.Get(t.Context(), "once")
	wantIs(t, err, storage.ErrNotFound)
}

func testCopies(r *rig) {
	t := r.t
	kv := r.kv()
	data := []byte("before")
	check(t, kv.Put(t.Context(), "k", data, 0))
	copy(data, "CHANGE")
	v, err := kv.Get(t.Context(), "k")
	check(t, err)
	copy(v.Data, "CHANGE")
	wantValue(t, kv, "k", []byte("before"))
}

func testExpiry(r *rig) {
	t := r.t
	kv := r.kv()
	check(t, kv.Put(t.Context(), "short", []byte("x"), r.units(1)))
	check(t, kv.Put(t.Context(), "long", []byte("x"), r.units(4)))
	check(t, kv.Put(t.Context(), "ever", []byte("x"), 0))
	_, err := kv.CompareAndSet(t.Context(), "claimed", storage.NoVersion, []byte("x"), r.units(1))
	check(t, err)

	r.pass(0.5)
	wantValue(t, kv, "short", []byte("x"))
	r.pass(1)
	_, err = kv.Get(t.Context(), "short")
	wantIs(t, err, storage.ErrNotFound)
	wantKeys(t, kv, "", "ever", "long")

	// What has expired counts as absent, and writing again starts a new life.
	_, err = kv.CompareAndSet(t.Context(), "claimed", storage.NoVersion, []byte("y"), 0)
	check(t, err)
	check(t, kv.Put(t.Context(), "long", []byte("y"), 0))
	r.pass(4)
	wantKeys(t, kv, "", "claimed", "ever", "long")
}

func testRefusals(r *rig) {
	t := r.t
	s := r.store
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

func testCompareAndSet(r *rig) {
	t := r.t
	kv := r.kv()
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

func testRace(r *rig) {
	t, kv := r.t, r.kv()
	const writers, rounds = 8, 25
	var group sync.WaitGroup
	for range writers {
		group.Go(func() { count(t, kv, rounds) })
	}
	group.Wait()
	wantValue(t, kv, "n", fmt.Append(nil, writers*rounds))
}

// count adds one to a counter so many times, against others who do the same.
func count(t *testing.T, kv storage.KV, rounds int) {
	for range rounds {
		for {
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
}

func testVersions(r *rig) {
	t := r.t
	kv := r.kv()
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

func testKeys(r *rig) {
	t := r.t
	kv := r.kv()
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

func testManyKeys(r *rig) {
	t := r.t
	kv := r.kv()
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

func testKeysStop(r *rig) {
	t := r.t
	kv := r.kv()
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

func testSpaces(r *rig) {
	t := r.t
	s := r.store
	one, two := spaceOf(t, s, "alice", "one"), spaceOf(t, s, "alice", "two")
	check(t, one.Put(t.Context(), "k", []byte("1"), 0))
	_, err := two.Get(t.Context(), "k")
	wantIs(t, err, storage.ErrNotFound)
	wantKeys(t, two, "")
	// The same space opened again is the same space.
	wantValue(t, spaceOf(t, s, "alice", "one"), "k", []byte("1"))
}

func testTenants(r *rig) {
	t := r.t
	s := r.store
	for i, id := range hostile {
		kv := spaceOf(t, s, id, "space")
		wantKeys(t, kv, "")
		check(t, kv.Put(t.Context(), "k", fmt.Append(nil, i), 0))
		check(t, kv.Put(t.Context(), "b/space/k", fmt.Append(nil, i), 0))
	}
	for i, id := range hostile {
		kv := spaceOf(t, s, id, "space")
		wantKeys(t, kv, "", "b/space/k", "k")
		wantValue(t, kv, "k", fmt.Append(nil, i))
	}
	check(t, spaceOf(t, s, "a", "space").Delete(t.Context(), "k"))
	wantValue(t, spaceOf(t, s, "A", "space"), "k", []byte("1"))
}

func testCancelled(r *rig) {
	t := r.t
	kv := r.kv()
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

func testClosed(r *rig) {
	t := r.t
	s := r.store
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

func testKVSecond(r *rig) {
	t, kv := r.t, r.kv()
	other := spaceOf(t, r.second(), "alice", "space")
	check(t, kv.Put(t.Context(), "k", []byte("here"), 0))
	seen := wantValue(t, other, "k", []byte("here"))
	_, err := other.CompareAndSet(t.Context(), "k", seen, []byte("there"), 0)
	check(t, err)
	wantValue(t, kv, "k", []byte("there"))
	_, err = kv.CompareAndSet(t.Context(), "k", seen, []byte("late"), 0)
	wantIs(t, err, storage.ErrConflict)

	const each = 50
	var group sync.WaitGroup
	for _, kv := range []storage.KV{kv, other} {
		group.Go(func() { count(t, kv, each) })
	}
	group.Wait()
	wantValue(t, kv, "n", fmt.Append(nil, 2*each))
}

func testKVReopen(r *rig) {
	t, kv := r.t, r.kv()
	check(t, kv.Put(t.Context(), "k", []byte("kept"), 0))
	before := wantValue(t, kv, "k", []byte("kept"))
	check(t, kv.Put(t.Context(), "gone", nil, 0))
	check(t, kv.Delete(t.Context(), "gone"))
	r.crash()
	kv = r.kv()
	want(t, "the version after reopening", wantValue(t, kv, "k", []byte("kept")), before)
	wantKeys(t, kv, "", "k")
	check(t, kv.Put(t.Context(), "k", []byte("new"), 0))
	if wantValue(t, kv, "k", []byte("new")) == before {
		t.Fatalf("version %d returned", before)
	}
}
