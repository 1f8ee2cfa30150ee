package sqlite

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	lib "modernc.org/sqlite/lib"

	"github.com/ttai-go/ttai/storage"
)

var runs = flag.Int("faults", 60, "how many seeds TestNothingAcknowledgedIsLostWhicheverWriteOrSyncFails runs; from 10000 on, TestAFileWhoseMakingFailedAnywhereIsMadeAgain leaves no place out")

// A ledger is what a run did, and what it was told of it.
type ledger struct {
	path    string
	store   *Store
	records storage.Records
	journal storage.Journal
	queue   storage.Queue
	claims  storage.KV
	cache   storage.KV

	random *rand.Rand
	acked  map[string]map[int]bool // kind → number → whether it was acknowledged; else it may have happened
}

var orders = storage.JournalID{Tenant: "alice", Name: "orders"}

func openLedger(ctx context.Context, path string, random *rand.Rand) (*ledger, error) {
	s, err := Open(ctx, path, &Options{Readers: 2})
	if err != nil {
		return nil, err
	}
	l := &ledger{path: path, store: s, random: random, acked: map[string]map[int]bool{}}
	h, err := s.For(orders.Tenant)
	for _, get := range []func() error{
		func() (err error) { l.records, err = h.Records(); return err },
		func() (err error) { l.journal, err = h.Journal(orders.Name); return err },
		func() (err error) { l.queue, err = h.Queue("tasks", nil); return err },
		func() (err error) { l.claims, err = h.KV("claims"); return err },
		func() (err error) { l.cache, err = h.KV("cache"); return err },
		func() error { return s.durable.often(ctx) },
		func() error { return s.relaxed.often(ctx) },
	} {
		if err == nil {
			err = get()
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return l, nil
}

// often makes a session carry the log over into the file often, so that short runs
// do it too.
func (s *session) often(ctx context.Context) error {
	var n int
	return s.row(ctx, "PRAGMA wal_autocheckpoint = 12").Scan(&n)
}

// do does operation number n, one of those that must survive, or one that need not.
func (l *ledger) do(ctx context.Context, n int) error {
	id, data := fmt.Sprintf("%04d", n), strconv.AppendInt(nil, int64(n), 10)
	kinds := []string{"records", "journal", "claims", "queue", "cache"}
	kind := kinds[l.random.IntN(len(kinds))]
	err := func() (err error) {
		switch kind {
		case "records":
			_, err = l.records.Write(ctx,
				storage.RecordWrite{Op: storage.OpCreate, Collection: "left", ID: id, Data: data, Fields: []storage.Field{storage.Unique("n", id)}},
				storage.RecordWrite{Op: storage.OpCreate, Collection: "right", ID: id, Data: fmt.Appendf(nil, "%q", strings.Repeat("x", l.random.IntN(3000)))})
		case "journal":
			_, err = l.journal.Append(ctx, storage.NewEntry{Kind: "first", Data: data}, storage.NewEntry{Kind: "second", Data: data})
		case "claims":
			_, err = l.claims.CompareAndSet(ctx, id, storage.NoVersion, data, 0)
		case "queue":
			_, err = l.queue.Send(ctx, storage.NewMessage{Body: data})
		case "cache":
			err = l.cache.Put(ctx, "k", make([]byte, l.random.IntN(5000)), 0)
		}
		return err
	}()
	if l.acked[kind] == nil {
		l.acked[kind] = map[int]bool{}
	}
	l.acked[kind][n] = err == nil
	return err
}

// verify finds everything that was acknowledged, and no half of anything.
func (l *ledger) verify(t *testing.T, acked map[string]map[int]bool, seed int) {
	t.Helper()
	ctx := t.Context()
	counted := map[string]map[int]int{"records": {}, "journal": {}, "claims": {}, "queue": {}}
	halves := map[string]int{}
	for _, side := range []string{"left", "right"} {
		page, err := l.records.List(ctx, side, storage.RecordQuery{Limit: 1000})
		require.NoError(t, err, "seed %d", seed)
		for _, r := range page.Records {
			halves[r.ID]++
			n, err := strconv.Atoi(r.ID)
			require.NoError(t, err)
			counted["records"][n] = 1
		}
	}
	for id, n := range halves {
		require.Equal(t, 2, n, "seed %d: half of batch %s", seed, id)
	}
	_, err := storage.VerifyJournal(ctx, orders, l.journal)
	require.NoError(t, err, "seed %d", seed)
	first := ""
	for e, err := range l.journal.Read(ctx, 0) {
		require.NoError(t, err, "seed %d", seed)
		if e.Kind == "first" {
			require.Empty(t, first, "seed %d: half of an append", seed)
			first = string(e.Data)
			continue
		}
		require.Equal(t, first, string(e.Data), "seed %d: half of an append", seed)
		n, err := strconv.Atoi(first)
		require.NoError(t, err)
		counted["journal"][n]++
		first = ""
	}
	require.Empty(t, first, "seed %d: half of an append", seed)
	for key, err := range l.claims.Keys(ctx, "") {
		require.NoError(t, err, "seed %d", seed)
		n, err := strconv.Atoi(key)
		require.NoError(t, err)
		counted["claims"][n]++
	}
	messages, err := l.queue.Receive(ctx, 1000, 0)
	require.NoError(t, err, "seed %d", seed)
	for _, m := range messages {
		n, err := strconv.Atoi(string(m.Body))
		require.NoError(t, err)
		counted["queue"][n]++
	}
	for kind, found := range counted {
		for n, ok := range acked[kind] {
			require.LessOrEqual(t, found[n], 1, "seed %d: %s %d is there twice", seed, kind, n)
			if ok {
				require.Equal(t, 1, found[n], "seed %d: %s %d was acknowledged and is lost", seed, kind, n)
			}
		}
		for n := range found {
			_, asked := acked[kind][n]
			require.True(t, asked, "seed %d: %s %d was never asked for", seed, kind, n)
		}
	}
}

// The ways in which a disk fails from its call number k on.
var faults = []struct {
	name string
	fail func(d *disk, k int) func(call int, sync bool) int32
}{
	{"one call fails", func(_ *disk, k int) func(int, bool) int32 {
		return func(call int, sync bool) int32 {
			switch {
			case call != k:
				return lib.SQLITE_OK
			case sync:
				return lib.SQLITE_IOERR_FSYNC
			}
			return lib.SQLITE_IOERR_WRITE
		}
	}},
	{"the disk is full for a while", func(_ *disk, k int) func(int, bool) int32 {
		return func(call int, sync bool) int32 {
			if sync || call < k || call >= k+6 {
				return lib.SQLITE_OK
			}
			return lib.SQLITE_FULL
		}
	}},
	{"the power goes", func(d *disk, k int) func(int, bool) int32 {
		return func(call int, _ bool) int32 {
			if call < k {
				return lib.SQLITE_OK
			}
			d.off = true
			return lib.SQLITE_IOERR
		}
	}},
}

// Every run fails at a write, truncation or sync of its own, then loses power, and
// everything that was acknowledged must be there when it is back.
func TestNothingAcknowledgedIsLostWhicheverWriteOrSyncFails(t *testing.T) {
	d := mount(t)
	path := t.TempDir() + "/ttai.db"
	d.insert(newDisk(nil))
	s, err := Open(t.Context(), path, nil)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	empty := d.disk
	const operations = 14
	places, failed, refused := map[int]bool{}, 0, 0
	for seed := range *runs {
		random := rand.New(rand.NewPCG(uint64(seed), 7))
		fresh := empty.copied(random)
		d.insert(fresh)
		l, err := openLedger(t.Context(), path, random)
		require.NoError(t, err, "seed %d", seed)
		way := faults[seed%len(faults)]
		k := fresh.calls + (seed/len(faults)*7)%120 // a run makes about a hundred calls; 7 reaches all of them
		fresh.fails = way.fail(fresh, k)
		for n := range operations {
			if err := l.do(t.Context(), n); err != nil {
				refused++
				require.True(t, errors.Is(err, storage.ErrUnavailable) || errors.Is(err, storage.ErrFull), "seed %d, %s: %v", seed, way.name, err)
			}
		}
		if fresh.calls > k {
			failed++
			places[k] = true
		}
		if !fresh.off {
			// The cause is gone: the store works as if nothing had been.
			fresh.fails = nil
			require.NoError(t, l.do(t.Context(), operations), "seed %d, %s", seed, way.name)
			if seed%2 == 0 { // with and without a look before the power goes too
				_, err := storage.VerifyJournal(t.Context(), orders, l.journal)
				require.NoError(t, err, "seed %d, %s", seed, way.name)
			}
		}
		found := fresh.after()
		fresh.off = true
		_ = l.store.Close() // there is no disk to close
		d.insert(found)
		again, err := openLedger(t.Context(), path, random)
		require.NoError(t, err, "seed %d, %s", seed, way.name)
		again.verify(t, l.acked, seed)
		var verdict string
		require.NoError(t, again.store.durable.row(t.Context(), "PRAGMA integrity_check").Scan(&verdict))
		require.Equal(t, "ok", verdict, "seed %d", seed)
		require.NoError(t, again.do(t.Context(), operations+1), "seed %d: it goes on", seed)
		require.NoError(t, again.store.Close())
	}
	t.Logf("%d runs; in %d of them a call failed, at %d different places; %d operations were refused", *runs, failed, len(places), refused)
	require.Greater(t, failed, *runs*3/4, "faults that hit nothing prove nothing")
}

// Opening a new file makes it in many writes and syncs. Each fails in turn, or
// takes the power with it; opening again does the rest.
func TestAFileWhoseMakingFailedAnywhereIsMadeAgain(t *testing.T) {
	d := mount(t)
	path := t.TempDir() + "/ttai.db"
	whole := newDisk(nil)
	d.insert(whole)
	s, err := Open(t.Context(), path, nil)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	total := whole.calls
	for k := range total {
		for i, way := range faults {
			if *runs < 10_000 && (k+i)%23 != 0 {
				continue
			}
			random := rand.New(rand.NewPCG(uint64(k), 9))
			broken := newDisk(random)
			broken.fails = way.fail(broken, k)
			d.insert(broken)
			if s, err := Open(t.Context(), path, nil); err == nil {
				_ = s.Close() // the fault may have hit what needs no success
			}
			next := broken
			if broken.off {
				next = broken.after()
			}
			next.fails = nil
			d.insert(next)
			l, err := openLedger(t.Context(), path, random)
			require.NoError(t, err, "call %d of %d, %s", k, total, way.name)
			require.NoError(t, l.do(t.Context(), 1))
			require.NoError(t, l.store.Close())
		}
	}
	t.Logf("%d writes and syncs", total)
}
