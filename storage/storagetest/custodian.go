package storagetest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// TestCustodian checks the contract of storage.Custodian.
func TestCustodian(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"the inventory names what there is", testInventory},
		{"erasing removes everything of one tenant but journals", testErase},
		{"an erased tenant can start again", testEraseThenUse},
		{"a cancelled context erases nothing", testEraseCancelled},
	})
}

func (r *rig) custodian(id storage.TenantID) storage.Custodian {
	r.t.Helper()
	c, ok := r.tenant(id).(storage.Custodian)
	if !ok {
		r.t.Fatalf("%T is no custodian", r.tenant(id))
	}
	return c
}

// fill stores something of every kind that the engine has.
func fill(t *testing.T, h storage.Tenant) (has storage.Inventory) {
	t.Helper()
	ctx := t.Context()
	has.Collections = map[string]int{}
	if kv, err := h.KV("space"); !errors.Is(err, storage.ErrUnsupported) {
		check(t, err)
		check(t, kv.Put(ctx, "k", []byte("v"), 0))
		has.Spaces = []string{"space"}
	}
	if o, err := h.Objects("bucket"); !errors.Is(err, storage.ErrUnsupported) {
		check(t, err)
		_, err = o.Put(ctx, "a/b", strings.NewReader("x"), nil)
		check(t, err)
		has.Buckets = []string{"bucket"}
	}
	if v, err := h.Vectors("documents", 2); !errors.Is(err, storage.ErrUnsupported) {
		check(t, err)
		check(t, v.Put(ctx, storage.Document{ID: "d", Text: "alpha", Vector: []float32{1, 0}, Metadata: map[string]string{"k": "v"}}))
		has.Collections["documents"] = 2
	}
	if q, err := h.Queue("queue", &storage.QueueOptions{Attempts: 1}); !errors.Is(err, storage.ErrUnsupported) {
		check(t, err)
		_, err = q.Send(ctx, storage.NewMessage{Body: []byte("dead")})
		check(t, err)
		got, err := q.Receive(ctx, 1, 0)
		check(t, err)
		check(t, q.Retry(ctx, got[0], "no"))
		_, err = q.Send(ctx, storage.NewMessage{Body: []byte("leased"), Key: "k"})
		check(t, err)
		_, err = q.Receive(ctx, 1, 0)
		check(t, err)
		_, err = q.Send(ctx, storage.NewMessage{Body: []byte("ready")}, storage.NewMessage{Body: []byte("later"), Delay: time.Hour})
		check(t, err)
		has.Queues = []string{"queue"}
	}
	if r, err := h.Records(); !errors.Is(err, storage.ErrUnsupported) {
		check(t, err)
		_, err = r.Write(ctx, storage.RecordWrite{Collection: "notes", ID: "n", Data: []byte("1"), Fields: []storage.Field{storage.Unique("u", "x")}})
		check(t, err)
		has.Records = []string{"notes"}
	}
	if j, err := h.Journal("journal"); !errors.Is(err, storage.ErrUnsupported) {
		check(t, err)
		_, err = j.Append(ctx, storage.NewEntry{Kind: "entry", Data: []byte("x")})
		check(t, err)
		has.Journals = []string{"journal"}
	}
	return has
}

func wantInventory(t *testing.T, c storage.Custodian, want storage.Inventory) {
	t.Helper()
	got, err := c.Inventory(t.Context())
	check(t, err)
	wantAll(t, "spaces", got.Spaces, want.Spaces)
	wantAll(t, "buckets", got.Buckets, want.Buckets)
	wantAll(t, "queues", got.Queues, want.Queues)
	wantAll(t, "journals", got.Journals, want.Journals)
	wantAll(t, "records", got.Records, want.Records)
	if len(got.Collections) != len(want.Collections) || got.Collections["documents"] != want.Collections["documents"] {
		t.Fatalf("collections: got %v, want %v", got.Collections, want.Collections)
	}
}

func testInventory(r *rig) {
	alice := r.custodian("alice")
	wantInventory(r.t, alice, storage.Inventory{})
	has := fill(r.t, alice)
	wantInventory(r.t, alice, has)
	wantInventory(r.t, r.custodian("bob"), storage.Inventory{})
	if kv, err := alice.KV("short"); !errors.Is(err, storage.ErrUnsupported) {
		check(r.t, err)
		check(r.t, kv.Put(r.t.Context(), "k", nil, r.units(1)))
		r.pass(2)
		wantInventory(r.t, alice, has) // what has expired is not there
	}
}

func testErase(r *rig) {
	alice, bob := r.custodian("alice"), r.custodian("bob")
	kept, theirs := fill(r.t, alice), fill(r.t, bob)
	check(r.t, alice.Erase(r.t.Context()))
	wantInventory(r.t, alice, storage.Inventory{Journals: kept.Journals})
	wantInventory(r.t, bob, theirs)
	check(r.t, alice.Erase(r.t.Context())) // again is no error
	if kept.Journals != nil {
		j, err := alice.Journal("journal")
		check(r.t, err)
		head, err := storage.VerifyJournal(r.t.Context(), storage.JournalID{Tenant: "alice", Name: "journal"}, j)
		check(r.t, err)
		want(r.t, "entries", head.Seq, 1)
	}
	if v, err := alice.Vectors("documents", 2); !errors.Is(err, storage.ErrUnsupported) {
		check(r.t, err)
		found, err := v.Matching(r.t.Context(), "alpha", nil)
		check(r.t, err)
		want(r.t, "matches", len(found), 0)
		found, err = v.Nearest(r.t.Context(), []float32{1, 0}, nil)
		check(r.t, err)
		want(r.t, "neighbours", len(found), 0)
	}
	if q, err := alice.Queue("queue", &storage.QueueOptions{Attempts: 1}); !errors.Is(err, storage.ErrUnsupported) {
		check(r.t, err)
		for l, err := range q.DeadLetters().List(r.t.Context()) {
			r.t.Fatalf("dead letter %v, %v", l.ID, err)
		}
	}
}

func testEraseThenUse(r *rig) {
	alice := r.custodian("alice")
	has := fill(r.t, alice)
	var before storage.Version
	records, err := alice.Records()
	with := !errors.Is(err, storage.ErrUnsupported)
	if with {
		check(r.t, err)
		got, err := records.Get(r.t.Context(), "notes", "n")
		check(r.t, err)
		before = got.Version
	}
	var token uint64
	locks, err := alice.Locks()
	locked := !errors.Is(err, storage.ErrUnsupported)
	if locked {
		check(r.t, err)
		lease, err := locks.Acquire(r.t.Context(), "l", r.units(10))
		check(r.t, err)
		token = lease.Token
	}
	check(r.t, alice.Erase(r.t.Context()))
	again := fill(r.t, alice)
	wantInventory(r.t, alice, has)
	if !slices.Equal(has.Records, again.Records) {
		r.t.Fatalf("got %v, want %v", again.Records, has.Records)
	}
	if with {
		got, err := records.Get(r.t.Context(), "notes", "n")
		check(r.t, err)
		if got.Version == before {
			r.t.Fatal("a version came back")
		}
	}
	if locked {
		lease, err := locks.Acquire(r.t.Context(), "l", r.units(10))
		check(r.t, err)
		if lease.Token <= token {
			r.t.Fatalf("token %d after %d", lease.Token, token)
		}
	}
}

func testEraseCancelled(r *rig) {
	alice := r.custodian("alice")
	has := fill(r.t, alice)
	wantIs(r.t, alice.Erase(cancelled(r.t)), cancelled(r.t).Err())
	_, err := alice.Inventory(cancelled(r.t))
	wantIs(r.t, err, cancelled(r.t).Err())
	wantInventory(r.t, alice, has)
}
