package storage_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openMemory(t testing.TB, now func() time.Time) *memory.Store {
	t.Helper()
	s, err := memory.New(&memory.Options{Now: now})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func tenantOf(t testing.TB, s storage.Store, id storage.TenantID) storage.Tenant {
	t.Helper()
	h, err := s.For(id)
	require.NoError(t, err)
	return h
}

func TestACombinedStorePassesTheSuite(t *testing.T) {
	storagetest.TestStore(t, storagetest.Harness{
		Open: func(t *testing.T, now func() time.Time) storage.Store {
			one, two := openMemory(t, now), openMemory(t, now)
			return storage.Combine(one, storage.Parts{KV: two, Queue: two, Objects: two, Directory: two})
		},
		Without: []string{"Objects", "Vectors", "PubSub", "Locks", "Limiter", "Records"},
	})
}

func TestCombineTakesEachCapabilityFromItsPart(t *testing.T) {
	base, part := openMemory(t, nil), openMemory(t, nil)
	c := storage.Combine(base, storage.Parts{KV: part})
	kv, err := tenantOf(t, c, "a").KV("x")
	require.NoError(t, err)
	require.NoError(t, kv.Put(t.Context(), "k", []byte("v"), 0))
	kv, err = tenantOf(t, part, "a").KV("x")
	require.NoError(t, err)
	_, err = kv.Get(t.Context(), "k")
	require.NoError(t, err)
	kv, err = tenantOf(t, base, "a").KV("x")
	require.NoError(t, err)
	_, err = kv.Get(t.Context(), "k")
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.NoError(t, c.Close())
	_, err = part.For("a")
	assert.ErrorIs(t, err, storage.ErrClosed)
}

func TestWhatAnEngineLacksIsUnsupported(t *testing.T) {
	u := storage.Unsupported{Tenant: "a", Engine: "box"}
	assert.Equal(t, storage.TenantID("a"), u.ID())
	for what, f := range map[string]func() error{
		"KV":        func() error { _, err := u.KV("x"); return err },
		"Objects":   func() error { _, err := u.Objects("x"); return err },
		"Vectors":   func() error { _, err := u.Vectors("x", 1); return err },
		"Queue":     func() error { _, err := u.Queue("x", nil); return err },
		"PubSub":    func() error { _, err := u.PubSub(); return err },
		"Locks":     func() error { _, err := u.Locks(); return err },
		"Limiter":   func() error { _, err := u.Limiter(); return err },
		"Records":   func() error { _, err := u.Records(); return err },
		"Journal":   func() error { _, err := u.Journal("x"); return err },
		"Directory": func() error { _, err := u.Directory(); return err },
	} {
		assert.ErrorIs(t, f(), storage.ErrUnsupported, what)
		assert.ErrorContains(t, f(), "box", what)
	}
}

func TestGCRANeverAllowsMoreThanBurstAndRate(t *testing.T) {
	for _, limit := range []storage.Limit{{Rate: 1, Per: time.Second}, {Rate: 7, Per: 3 * time.Second, Burst: 20}, {Rate: 1000, Per: time.Millisecond, Burst: 1}, {Rate: 3, Per: 24 * time.Hour}} {
		const start = int64(1_800_000_000e9)
		now, tat, allowed := start, int64(0), 0
		seed := uint32(7)
		for range 3000 {
			seed = seed*1664525 + 1013904223
			now += int64(float64(seed>>16) / 65536 * 2 * limit.Interval())
			next, d := storage.GCRA(tat, now, limit, 1)
			if d.Allowed {
				allowed++
			} else {
				require.Equal(t, tat, next)
				_, later := storage.GCRA(tat, now+int64(d.Wait), limit, 1)
				require.True(t, later.Allowed, "after the wait it is allowed")
				_, sooner := storage.GCRA(tat, now+int64(d.Wait)-1000, limit, 1)
				require.False(t, sooner.Allowed && d.Wait > 2000, "and not much sooner")
			}
			tat = next
			burst := limit.Burst
			if burst == 0 {
				burst = limit.Rate
			}
			require.LessOrEqual(t, float64(allowed), float64(burst)+float64(now-start)/limit.Interval()+0.01)
		}
		require.Greater(t, allowed, 1000)
	}
}

var orders = storage.JournalID{Tenant: "a", Name: "orders"}

// forged is a journal whose entries somebody changed.
type forged struct {
	entries []storage.Entry
	head    storage.JournalHead
}

func (f forged) Append(context.Context, ...storage.NewEntry) ([]storage.Entry, error) {
	return nil, storage.ErrReadOnly
}

func (f forged) Read(_ context.Context, from uint64) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		for _, e := range f.entries {
			if e.Seq >= from && !yield(e, nil) {
				return
			}
		}
	}
}

func (f forged) Head(context.Context) (storage.JournalHead, error) { return f.head, nil }

func chain(n int) []storage.Entry {
	var entries []storage.NewEntry
	for i := range n {
		entries = append(entries, storage.NewEntry{Kind: "order", Data: fmt.Append(nil, i)})
	}
	return storage.Chain(storage.JournalGenesis(orders), time.Unix(1_800_000_000, 0), entries)
}

func headOf(entries []storage.Entry) storage.JournalHead {
	last := entries[len(entries)-1]
	return storage.JournalHead{Seq: last.Seq, Hash: last.Hash}
}

func TestVerifyJournalFindsEveryChange(t *testing.T) {
	good := chain(5)
	head, err := storage.VerifyJournal(t.Context(), orders, forged{good, headOf(good)}, headOf(good[:3]))
	require.NoError(t, err)
	require.Equal(t, headOf(good), head)

	rewritten := slices.Clone(good[:2])
	more := storage.Chain(headOf(rewritten), time.Unix(1_800_000_000, 0), []storage.NewEntry{{Kind: "order", Data: []byte("other")}, {Kind: "order"}, {Kind: "order"}})
	rewritten = append(rewritten, more...)
	change := func(i int, f func(*storage.Entry)) []storage.Entry {
		e := slices.Clone(good)
		e[i].Data = bytes.Clone(e[i].Data)
		f(&e[i])
		return e
	}
	for name, test := range map[string]struct {
		entries []storage.Entry
		head    storage.JournalHead
		known   []storage.JournalHead
		seq     uint64
	}{
		"data":                  {change(1, func(e *storage.Entry) { e.Data[0]++ }), headOf(good), nil, 2},
		"kind":                  {change(1, func(e *storage.Entry) { e.Kind = "x" }), headOf(good), nil, 2},
		"time":                  {change(1, func(e *storage.Entry) { e.Time = e.Time.Add(time.Microsecond) }), headOf(good), nil, 2},
		"hash made to fit":      {change(1, func(e *storage.Entry) { e.Data[0]++; e.Hash = e.Sum() }), headOf(good), nil, 3},
		"removed":               {slices.Delete(slices.Clone(good), 1, 2), headOf(good), nil, 2},
		"removed first":         {good[1:], headOf(good), nil, 1},
		"swapped":               {[]storage.Entry{good[1], good[0]}, headOf(good[:2]), nil, 1},
		"cut off":               {good[:3], headOf(good), nil, 4},
		"cut off with its head": {good[:3], headOf(good[:3]), []storage.JournalHead{headOf(good)}, 4},
		"emptied":               {nil, storage.JournalGenesis(orders), []storage.JournalHead{headOf(good)}, 1},
		"rewritten":             {rewritten, headOf(rewritten), []storage.JournalHead{headOf(good[:4])}, 4},
		"another's":             {good, headOf(good), []storage.JournalHead{storage.JournalGenesis(storage.JournalID{Tenant: "b", Name: "orders"})}, 0},
		"contradicting heads":   {good, headOf(good), []storage.JournalHead{headOf(good), headOf(rewritten)}, 5},
	} {
		_, err := storage.VerifyJournal(t.Context(), orders, forged{test.entries, test.head}, test.known...)
		broken, ok := errors.AsType[*storage.BrokenChainError](err)
		if assert.True(t, ok, "%s: %v", name, err) {
			assert.Equal(t, test.seq, broken.Seq, "%s: %v", name, err)
			assert.ErrorIs(t, err, storage.ErrCorrupt, name)
		}
	}
	_, err = storage.VerifyJournal(t.Context(), orders, forged{rewritten, headOf(rewritten)})
	require.NoError(t, err, "without a kept head a rewritten journal looks well: this is what anchors are for")
	_, err = storage.VerifyJournal(t.Context(), storage.JournalID{Tenant: "b", Name: "orders"}, forged{good, headOf(good)})
	require.ErrorIs(t, err, storage.ErrCorrupt, "it does not pass for another tenant's")
}

func TestSignedHeadsAreVerifiedAndAnchored(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	s := openMemory(t, nil)
	h := tenantOf(t, s, "a")
	j, err := h.Journal("orders")
	require.NoError(t, err)
	objects, err := tenantOf(t, s, "auditor").Objects("anchors")
	require.NoError(t, err)
	now := time.Unix(1_800_000_000, 0)
	var sent []storage.SignedHead
	hook := func(_ context.Context, head storage.SignedHead) error { sent = append(sent, head); return nil }
	for range 3 {
		_, err := j.Append(t.Context(), storage.NewEntry{Kind: "order"})
		require.NoError(t, err)
		head, err := storage.AnchorJournal(t.Context(), orders, j, private, now, hook, storage.ObjectAnchor(objects))
		require.NoError(t, err)
		require.NoError(t, storage.VerifyHead(public, head))
	}
	require.Len(t, sent, 3)
	_, err = storage.AnchorJournal(t.Context(), orders, j, private, now, storage.ObjectAnchor(objects))
	require.NoError(t, err, "the same head again")
	known, err := storage.AnchoredHeads(t.Context(), orders, objects, public)
	require.NoError(t, err)
	require.Len(t, known, 3)
	_, err = storage.VerifyJournal(t.Context(), orders, j, known...)
	require.NoError(t, err)

	other := forged{chain(3), headOf(chain(3))}
	_, err = storage.AnchorJournal(t.Context(), orders, other, private, now, storage.ObjectAnchor(objects))
	require.ErrorIs(t, err, storage.ErrCorrupt, "a rewritten journal contradicts what was anchored")
	_, err = storage.VerifyJournal(t.Context(), orders, other, known...)
	require.ErrorIs(t, err, storage.ErrCorrupt)
	refuses := errors.New("refused")
	_, err = storage.AnchorJournal(t.Context(), orders, j, private, now, func(context.Context, storage.SignedHead) error { return refuses }, hook)
	require.ErrorIs(t, err, refuses)
	require.Len(t, sent, 4, "the others are asked all the same")

	for name, forge := range map[string]func(*storage.SignedHead){
		"seq":       func(s *storage.SignedHead) { s.Seq++ },
		"hash":      func(s *storage.SignedHead) { s.Hash[0]++ },
		"time":      func(s *storage.SignedHead) { s.Time = s.Time.Add(time.Second) },
		"tenant":    func(s *storage.SignedHead) { s.Tenant = "b" },
		"name":      func(s *storage.SignedHead) { s.Name = "b" },
		"signature": func(s *storage.SignedHead) { s.Signature = bytes.Clone(s.Signature); s.Signature[0]++ },
		"key":       func(s *storage.SignedHead) { s.Key = make([]byte, 32) },
		"nothing":   func(s *storage.SignedHead) { s.Signature = nil },
	} {
		head := sent[0]
		forge(&head)
		assert.ErrorIs(t, storage.VerifyHead(public, head), storage.ErrSignature, name)
	}
	stranger, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	assert.ErrorIs(t, storage.VerifyHead(stranger, sent[0]), storage.ErrSignature)
	_, err = storage.AnchoredHeads(t.Context(), orders, objects, stranger)
	assert.ErrorIs(t, err, storage.ErrSignature)
}

func TestFuseRanksAddsReciprocalRanks(t *testing.T) {
	m := func(ids ...string) (out []storage.Match) {
		for _, id := range ids {
			out = append(out, storage.Match{Document: storage.Document{ID: id}})
		}
		return out
	}
	fused := storage.FuseRanks(m("a", "b", "c"), m("c", "a"))
	require.Len(t, fused, 3)
	for i, want := range []struct {
		id    string
		score float64
	}{{"a", 1./61 + 1./62}, {"c", 1./63 + 1./61}, {"b", 1. / 62}} {
		assert.Equal(t, want.id, fused[i].ID)
		assert.InDelta(t, want.score, fused[i].Score, 1e-15)
	}
}

func TestTheCacheLoadsOnceAndForgetsInTime(t *testing.T) {
	now := time.Unix(0, 0)
	s := openMemory(t, func() time.Time { return now })
	kv, err := tenantOf(t, s, "a").KV("quotes")
	require.NoError(t, err)
	opts := &storage.CacheOptions{Now: func() time.Time { return now }}
	c, err := storage.NewCache[float64](kv, opts)
	require.NoError(t, err)
	other, err := storage.NewCache[float64](kv, opts)
	require.NoError(t, err)
	var calls atomic.Int32
	get := func(c *storage.Cache[float64], v float64) float64 {
		got, err := c.Load(t.Context(), "SPY", storage.Warm, func(context.Context) (float64, error) { calls.Add(1); return v, nil })
		require.NoError(t, err)
		return got
	}
	assert.Equal(t, 1.0, get(c, 1))
	assert.Equal(t, 1.0, get(c, 2), "from memory")
	assert.Equal(t, 1.0, get(other, 3), "from the KV")
	now = now.Add(2 * time.Second)
	assert.Equal(t, 1.0, get(c, 4), "from the KV once memory is too old")
	now = now.Add(time.Hour)
	assert.Equal(t, 5.0, get(c, 5))
	assert.Equal(t, int32(2), calls.Load())
	require.NoError(t, c.Forget(t.Context(), "SPY"))
	assert.Equal(t, 6.0, get(c, 6))
	refused := errors.New("no quote")
	_, err = c.Load(t.Context(), "QQQ", 0, func(context.Context) (float64, error) { return 0, refused })
	require.ErrorIs(t, err, refused)
	got, err := c.Load(t.Context(), "QQQ", 0, func(context.Context) (float64, error) { return 7, nil })
	require.NoError(t, err, "errors are not kept")
	assert.Equal(t, 7.0, got)
}

func TestOfManyWhoLoadOneFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := storage.NewCache[int](nil, nil)
		require.NoError(t, err)
		var calls atomic.Int32
		var group sync.WaitGroup
		fetch := func(ctx context.Context) (int, error) {
			calls.Add(1)
			select {
			case <-time.After(time.Second):
				return 7, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		first, cancel := context.WithCancel(t.Context())
		group.Go(func() { _, err := c.Load(first, "k", 0, fetch); assert.ErrorIs(t, err, context.Canceled) })
		synctest.Wait()
		for range 20 {
			group.Go(func() { v, err := c.Load(t.Context(), "k", 0, fetch); assert.NoError(t, err); assert.Equal(t, 7, v) })
		}
		synctest.Wait()
		cancel() // the others begin again, together
		group.Wait()
		assert.Equal(t, int32(2), calls.Load())
	})
}

func TestACacheStaysWithinItsBound(t *testing.T) {
	c, err := storage.NewCache[int](nil, &storage.CacheOptions{MaxValues: 64})
	require.NoError(t, err)
	calls := 0
	for round := range 2 {
		for i := range 1000 {
			_, err := c.Load(t.Context(), fmt.Sprint(i), 0, func(context.Context) (int, error) { calls++; return round, nil })
			require.NoError(t, err)
		}
	}
	assert.Greater(t, calls, 1900)
	for _, opts := range []storage.CacheOptions{{MaxValues: -1}, {Local: -1}} {
		_, err := storage.NewCache[int](nil, &opts)
		assert.Error(t, err)
	}
}

func TestACacheHitAllocatesNothing(t *testing.T) {
	c, err := storage.NewCache[float64](nil, &storage.CacheOptions{Local: time.Hour})
	require.NoError(t, err)
	fetch := func(context.Context) (float64, error) { return 1, nil }
	_, err = c.Load(t.Context(), "SPY", 0, fetch)
	require.NoError(t, err)
	ctx := t.Context()
	assert.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = c.Load(ctx, "SPY", 0, fetch) }))
}

func BenchmarkCacheHit(b *testing.B) {
	c, _ := storage.NewCache[float64](nil, &storage.CacheOptions{Local: time.Hour})
	fetch := func(context.Context) (float64, error) { return 1, nil }
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		_, _ = c.Load(ctx, "SPY", 0, fetch)
	}
}

func TestHoldRenewsAndEndsWhenTheLeaseIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := memory.New(nil)
		require.NoError(t, err)
		defer s.Close()
		l, err := tenantOf(t, s, "a").Locks()
		require.NoError(t, err)
		var first storage.Lease
		require.NoError(t, storage.Hold(t.Context(), l, "leader", time.Second, func(ctx context.Context, lease storage.Lease) error {
			first = lease
			time.Sleep(10 * time.Second)
			_, err := l.Acquire(ctx, "leader", time.Second)
			assert.ErrorIs(t, err, storage.ErrHeld, "it was renewed")
			return ctx.Err()
		}))
		err = storage.Hold(t.Context(), l, "leader", time.Second, func(ctx context.Context, lease storage.Lease) error {
			assert.Greater(t, lease.Token, first.Token)
			require.NoError(t, l.Release(ctx, lease)) // as if it had run out
			<-ctx.Done()
			return ctx.Err()
		})
		require.ErrorIs(t, err, storage.ErrLeaseLost)
		held, err := l.Acquire(t.Context(), "leader", 24*time.Hour)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, storage.Hold(ctx, l, "leader", time.Second, nil), context.DeadlineExceeded)
		require.NoError(t, l.Release(t.Context(), held))
	})
}

func TestWaitForWaitsAsLongAsTheLimitSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := memory.New(nil)
		require.NoError(t, err)
		defer s.Close()
		l, err := tenantOf(t, s, "a").Limiter()
		require.NoError(t, err)
		begun := time.Now()
		for range 5 {
			require.NoError(t, storage.WaitFor(t.Context(), l, "x", storage.Limit{Rate: 1, Per: time.Second}, 1))
		}
		assert.InDelta(t, 4, time.Since(begun).Seconds(), 0.01)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, storage.WaitFor(ctx, l, "x", storage.Limit{Rate: 1, Per: time.Second}, 1), context.DeadlineExceeded)
	})
}

func TestBackoffDoublesUpToItsBound(t *testing.T) {
	o, err := (&storage.QueueOptions{MinBackoff: time.Second, MaxBackoff: 5 * time.Second}).Validated()
	require.NoError(t, err)
	for attempt, want := range map[int]time.Duration{1: 1, 2: 2, 3: 4, 4: 5, 1000: 5} {
		assert.Equal(t, want*time.Second, o.Backoff(attempt))
	}
}

func TestHashesReadWhatTheyWrote(t *testing.T) {
	h := storage.JournalGenesis(orders).Hash
	text, err := h.MarshalText()
	require.NoError(t, err)
	var got storage.Hash
	require.NoError(t, got.UnmarshalText(text))
	assert.Equal(t, h, got)
	for _, bad := range []string{"", "00", strings.Repeat("g", 64), strings.Repeat("0", 65)} {
		assert.Error(t, got.UnmarshalText([]byte(bad)), bad)
	}
}
