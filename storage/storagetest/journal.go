package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// TestJournal checks the contract of storage.Journal.
func TestJournal(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"entries stand as they were appended, chained", testJournalChain},
		{"entries hold any bytes", testJournalBytes},
		{"reading begins anywhere and can be stopped", testJournalRead},
		{"an append is done whole", testJournalBatch},
		{"ten thousand entries are read once each", testJournalMany},
		{"many who append leave one chain without a gap", testJournalRace},
		{"journals and tenants share nothing", testJournalTenants},
		{"bad arguments are refused by name", testJournalRefusals},
		{"a cancelled context ends every method", testJournalCancelled},
		{"two processes leave one chain", testJournalSecond},
		{"what was appended survives", testJournalReopen},
		{"a closed store says so", testJournalClosed},
	})
}

func (r *rig) journal() storage.Journal {
	r.t.Helper()
	return journalOf(r.t, r.store, "alice", "orders")
}

func journalOf(t *testing.T, s storage.Store, id storage.TenantID, name string) storage.Journal {
	t.Helper()
	j, err := tenantOf(t, s, id).Journal(name)
	check(t, err)
	return j
}

var orders = storage.JournalID{Tenant: "alice", Name: "orders"}

func appendTo(t *testing.T, j storage.Journal, texts ...string) []storage.Entry {
	t.Helper()
	var entries []storage.NewEntry
	for _, text := range texts {
		entries = append(entries, storage.NewEntry{Kind: "note", Data: []byte(text)})
	}
	got, err := j.Append(t.Context(), entries...)
	check(t, err)
	want(t, "entries returned by Append", len(got), len(texts))
	return got
}

func read(t *testing.T, j storage.Journal, from uint64) []storage.Entry {
	t.Helper()
	var out []storage.Entry
	for e, err := range j.Read(t.Context(), from) {
		check(t, err)
		out = append(out, e)
	}
	return out
}

func wantEntry(t *testing.T, got, w storage.Entry) {
	t.Helper()
	if got.Seq != w.Seq || !got.Time.Equal(w.Time) || got.Kind != w.Kind || !bytes.Equal(got.Data, w.Data) || got.Prev != w.Prev || got.Hash != w.Hash {
		t.Fatalf("got entry %+v\nwant      %+v", got, w)
	}
}

// wantVerified checks the whole chain and how many entries it has.
func wantVerified(t *testing.T, id storage.JournalID, j storage.Journal, n uint64, known ...storage.JournalHead) storage.JournalHead {
	t.Helper()
	head, err := storage.VerifyJournal(t.Context(), id, j, known...)
	check(t, err)
	want(t, "entries", head.Seq, n)
	kept, err := j.Head(t.Context())
	check(t, err)
	want(t, "head", kept, head)
	return head
}

func testJournalChain(r *rig) {
	t, j := r.t, r.journal()
	wantVerified(t, orders, j, 0)
	want(t, "entries", len(read(t, j, 0)), 0)
	empty, err := j.Head(t.Context())
	check(t, err)
	want(t, "head of nothing", empty, storage.JournalGenesis(orders))

	first := appendTo(t, j, "placed")
	want(t, "number", first[0].Seq, 1)
	want(t, "the hash before", first[0].Prev, empty.Hash)
	if d := first[0].Time.Sub(r.now()).Abs(); d > time.Millisecond && r.Unit == 0 || d > 5*time.Second {
		t.Errorf("appended at %v, want %v", first[0].Time, r.now())
	}
	known := wantVerified(t, orders, j, 1)
	r.pass(1)
	rest := appendTo(t, j, "filled", "closed")
	want(t, "the hash before", rest[0].Prev, first[0].Hash)
	for i, e := range read(t, j, 0) {
		wantEntry(t, e, append(first, rest...)[i])
		want(t, "hash", e.Sum(), e.Hash)
	}
	wantVerified(t, orders, j, 3, known)
}

func testJournalBytes(r *rig) {
	t, j := r.t, r.journal()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for i, data := range [][]byte{nil, every, []byte(`{"é":"日本"}`), bytes.Repeat([]byte{1}, 1<<20)} {
		sent := bytes.Clone(data)
		_, err := j.Append(t.Context(), storage.NewEntry{Kind: "order.placed-1_x", Data: sent})
		check(t, err)
		clear(sent)
		got := read(t, j, uint64(i+1))
		if len(got) != 1 || !bytes.Equal(got[0].Data, data) || got[0].Kind != "order.placed-1_x" {
			t.Fatalf("%d bytes came back differently", len(data))
		}
	}
	wantVerified(t, orders, j, 4)
}

func testJournalRead(r *rig) {
	t, j := r.t, r.journal()
	appendTo(t, j, "1", "2", "3", "4")
	for from, n := range map[uint64]int{0: 4, 1: 4, 2: 3, 4: 1, 5: 0, 1 << 40: 0} {
		want(t, fmt.Sprint("entries from ", from), len(read(t, j, from)), n)
	}
	n := 0
	for e, err := range j.Read(t.Context(), 2) {
		check(t, err)
		want(t, "number", e.Seq, uint64(n+2))
		appendTo(t, j, "meanwhile")
		if n++; n == 2 {
			break
		}
	}
	wantVerified(t, orders, j, 6)
}

func testJournalBatch(r *rig) {
	t, j := r.t, r.journal()
	appendTo(t, j)
	_, err := j.Append(t.Context(), storage.NewEntry{Kind: "good"}, storage.NewEntry{Kind: "No Good"})
	wantField(t, err, "Kind")
	wantVerified(t, orders, j, 0)
	entries := make([]storage.NewEntry, 1000)
	for i := range entries {
		entries[i].Kind = "bulk"
	}
	got, err := j.Append(t.Context(), entries...)
	check(t, err)
	want(t, "the last", got[999].Seq, 1000)
	wantVerified(t, orders, j, 1000)
}

func testJournalMany(r *rig) {
	t, j := r.t, r.journal()
	const n = 10_000
	for i := 0; i < n; i += 1000 {
		entries := make([]storage.NewEntry, 1000)
		for k := range entries {
			entries[k] = storage.NewEntry{Kind: "tick", Data: fmt.Append(nil, i+k)}
		}
		_, err := j.Append(t.Context(), entries...)
		check(t, err)
	}
	for i, e := range read(t, j, 0) {
		want(t, "entry", string(e.Data), fmt.Sprint(i))
	}
	wantVerified(t, orders, j, n)
}

func testJournalRace(r *rig) { r.journalRace(r.journal(), r.journal()) }

func (r *rig) journalRace(journals ...storage.Journal) {
	t := r.t
	const writers, rounds = 6, 20
	var group sync.WaitGroup
	for w := range writers {
		j := journals[w%len(journals)]
		group.Go(func() {
			last := uint64(0)
			for i := range rounds {
				got, err := j.Append(t.Context(), storage.NewEntry{Kind: "a", Data: fmt.Append(nil, w, i)}, storage.NewEntry{Kind: "b"})
				if err != nil {
					t.Error(err)
					return
				}
				if got[0].Seq <= last || got[1].Seq != got[0].Seq+1 || got[1].Prev != got[0].Hash {
					t.Errorf("entries %d and %d came after %d", got[0].Seq, got[1].Seq, last)
				}
				last = got[1].Seq
			}
		})
	}
	group.Wait()
	wantVerified(t, orders, journals[0], writers*rounds*2)
}

func testJournalTenants(r *rig) {
	t := r.t
	heads := map[storage.Hash]bool{}
	for _, id := range hostile {
		appendTo(t, journalOf(t, r.store, id, "orders"), "same")
	}
	for _, id := range hostile {
		j := journalOf(t, r.store, id, "orders")
		heads[wantVerified(t, storage.JournalID{Tenant: id, Name: "orders"}, j, 1).Hash] = true
		wantVerified(t, storage.JournalID{Tenant: id, Name: "other"}, journalOf(t, r.store, id, "other"), 0)
	}
	want(t, "different chains", len(heads), len(hostile))
}

func testJournalRefusals(r *rig) {
	t, j := r.t, r.journal()
	for _, kind := range []string{"", "A", "a b", strings.Repeat("k", 65)} {
		_, err := j.Append(t.Context(), storage.NewEntry{Kind: kind})
		wantField(t, err, "Kind")
	}
	_, err := j.Append(t.Context(), storage.NewEntry{Kind: "a", Data: make([]byte, 1<<20+1)})
	wantField(t, err, "Data")
	_, err = j.Append(t.Context(), make([]storage.NewEntry, 1001)...)
	wantField(t, err, "entries")
	wantVerified(t, orders, j, 0)
}

func testJournalCancelled(r *rig) {
	t, j, ctx := r.t, r.journal(), cancelled(r.t)
	_, err := j.Append(ctx, storage.NewEntry{Kind: "a"})
	wantIs(t, err, context.Canceled)
	_, err = j.Head(ctx)
	wantIs(t, err, context.Canceled)
	n := 0
	for _, err := range j.Read(ctx, 0) {
		wantIs(t, err, context.Canceled)
		n++
	}
	want(t, "errors of Read", n, 1)
	wantVerified(t, orders, j, 0)
}

func testJournalSecond(r *rig) {
	r.journalRace(r.journal(), journalOf(r.t, r.second(), "alice", "orders"))
}

func testJournalReopen(r *rig) {
	t, j := r.t, r.journal()
	appendTo(t, j, "1", "2")
	known := wantVerified(t, orders, j, 2)
	r.crash()
	j = r.journal()
	wantVerified(t, orders, j, 2, known)
	appendTo(t, j, "3")
	wantVerified(t, orders, j, 3, known)
}

func testJournalClosed(r *rig) {
	t, j := r.t, r.journal()
	check(t, r.store.Close())
	_, err := j.Append(t.Context(), storage.NewEntry{Kind: "a"})
	wantIs(t, err, storage.ErrClosed)
	_, err = j.Head(t.Context())
	wantIs(t, err, storage.ErrClosed)
	for _, err := range j.Read(t.Context(), 0) {
		wantIs(t, err, storage.ErrClosed)
	}
}
