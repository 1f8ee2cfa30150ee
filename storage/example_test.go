package storage_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/files"
	"github.com/ttai-go/ttai/storage/memory"
)

// tenant is what an example works with: one person's handle of a store in memory.
func tenant() storage.Tenant {
	store, err := memory.New(nil)
	must(err)
	h, err := store.For(storage.Local)
	must(err)
	return h
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func ExampleKV() {
	ctx := context.Background()
	quotes, err := tenant().KV("quotes")
	must(err)
	must(quotes.Put(ctx, "SPY", []byte("450.10"), storage.Hot)) // gone after a second

	// Two programs count; neither may lose the other's step.
	version, err := quotes.CompareAndSet(ctx, "calls", storage.NoVersion, []byte("1"), 0)
	must(err)
	_, err = quotes.CompareAndSet(ctx, "calls", version, []byte("2"), 0)
	must(err)
	_, err = quotes.CompareAndSet(ctx, "calls", version, []byte("2"), 0)
	fmt.Println(errors.Is(err, storage.ErrConflict))
	for key, err := range quotes.Keys(ctx, "") {
		must(err)
		fmt.Println(key)
	}
	// Output:
	// true
	// SPY
	// calls
}

func ExampleCache() {
	ctx := context.Background()
	shared, err := tenant().KV("chains")
	must(err)
	chains, err := storage.NewCache[[]string](shared, nil)
	must(err)
	asked := 0
	fetch := func(context.Context) ([]string, error) {
		asked++
		return []string{"2026-12-18", "2027-01-15"}, nil
	}
	for range 3 {
		expirations, err := chains.Load(ctx, "SPY", storage.Warm, fetch)
		must(err)
		fmt.Println(expirations)
	}
	fmt.Println("the broker was asked", asked, "time")
	// Output:
	// [2026-12-18 2027-01-15]
	// [2026-12-18 2027-01-15]
	// [2026-12-18 2027-01-15]
	// the broker was asked 1 time
}

func ExampleObjects() {
	ctx := context.Background()
	reports, err := tenant().Objects("reports")
	must(err)
	_, err = reports.Put(ctx, "2026/11/20.md", strings.NewReader("# Friday\nSold one put."), &storage.PutOptions{ContentType: "text/markdown", IfAbsent: true})
	must(err)
	_, err = reports.Put(ctx, "2026/11/20.md", strings.NewReader("other"), &storage.PutOptions{IfAbsent: true})
	fmt.Println(errors.Is(err, storage.ErrConflict))

	object, body, err := reports.Get(ctx, "2026/11/20.md", &storage.Range{Offset: 9})
	must(err)
	defer body.Close()
	text, err := io.ReadAll(body)
	must(err)
	fmt.Println(object.Size, object.ContentType, string(text))
	for o, err := range reports.List(ctx, "2026/", "") {
		must(err)
		fmt.Println(o.Key)
	}
	// Output:
	// true
	// 22 text/markdown Sold one put.
	// 2026/11/20.md
}

func ExampleHybrid() {
	ctx := context.Background()
	notes, err := tenant().Vectors("notes", 3)
	must(err)
	must(notes.Put(ctx,
		storage.Document{ID: "wheel", Text: "Sell puts until assigned, then calls.", Vector: []float32{1, 0, 0}, Metadata: map[string]string{"kind": "strategy"}},
		storage.Document{ID: "condor", Text: "Sell a put spread and a call spread.", Vector: []float32{0.8, 0.6, 0}, Metadata: map[string]string{"kind": "strategy"}},
		storage.Document{ID: "pdt", Text: "Three day trades in five days.", Vector: []float32{0, 0, 1}, Metadata: map[string]string{"kind": "rule"}},
	))
	question := []float32{0.9, 0.1, 0} // as the model embeds "selling puts until assigned"
	matches, err := storage.Hybrid(ctx, notes, "selling puts until assigned", question, &storage.SearchOptions{
		Limit: 2, Where: storage.Where{"kind": {"strategy"}},
	})
	must(err)
	for _, m := range matches {
		fmt.Println(m.ID)
	}
	// Output:
	// wheel
	// condor
}

func ExampleQueue() {
	ctx := context.Background()
	tasks, err := tenant().Queue("tasks", &storage.QueueOptions{Attempts: 1})
	must(err)
	_, err = tasks.Send(ctx,
		storage.NewMessage{Body: []byte("analyse SPY"), Key: "SPY 2026-11-20"},
		storage.NewMessage{Body: []byte("analyse SPY"), Key: "SPY 2026-11-20"}, // the same: not stored again
		storage.NewMessage{Body: []byte("analyse ????")},
	)
	must(err)
	// Ten at once, or what there is after 20 ms.
	batch, err := tasks.Receive(ctx, 10, 20*time.Millisecond)
	must(err)
	for _, m := range batch {
		if strings.Contains(string(m.Body), "?") {
			must(tasks.Retry(ctx, m, "no such symbol")) // its only attempt
			continue
		}
		fmt.Println("done:", string(m.Body))
		must(tasks.Ack(ctx, m))
	}
	for dead, err := range tasks.DeadLetters().List(ctx) {
		must(err)
		fmt.Println("failed:", string(dead.Body), "-", dead.Cause)
	}
	// Output:
	// done: analyse SPY
	// failed: analyse ???? - no such symbol
}

func ExamplePubSub() {
	ctx := context.Background()
	events, err := tenant().PubSub()
	must(err)
	sub, err := events.Subscribe(ctx, "fills", "alerts")
	must(err)
	defer sub.Close()
	must(events.Publish(ctx, "fills", []byte("sold 1 SPY put")))
	e, err := sub.Receive(ctx)
	must(err)
	fmt.Println(e.Topic, string(e.Data), e.Missed)
	// Output: fills sold 1 SPY put 0
}

func ExampleHold() {
	ctx := context.Background()
	locks, err := tenant().Locks()
	must(err)
	// One of all processes runs the daily report. The lease is renewed meanwhile.
	err = storage.Hold(ctx, locks, "daily-report", time.Minute, func(ctx context.Context, lease storage.Lease) error {
		_, err := locks.Acquire(ctx, "daily-report", time.Minute)
		fmt.Println("somebody else gets it:", !errors.Is(err, storage.ErrHeld))
		fmt.Println("what is written carries token", lease.Token)
		return nil
	})
	must(err)
	// Output:
	// somebody else gets it: false
	// what is written carries token 1
}

func ExampleLimiter() {
	ctx := context.Background()
	limiter, err := tenant().Limiter()
	must(err)
	limit := storage.Limit{Rate: 2, Per: time.Hour} // two at once, then one each half hour
	for range 3 {
		d, err := limiter.Take(ctx, "POST /orders", limit, 1)
		must(err)
		fmt.Println(d.Allowed, d.Remaining, d.Wait.Round(time.Minute))
	}
	// Output:
	// true 1 0s
	// true 0 0s
	// false 0 30m0s
}

func ExampleOpen_trades() {
	ctx := context.Background()
	r, err := storage.Open(tenant())
	must(err)
	for _, trade := range []storage.Trade{
		{ID: "1", User: "ann", Account: "5WT00001", Symbol: "SPY", Quantity: decimal.NewFromInt(-1), Amount: decimal.RequireFromString("215.00"), Time: time.Date(2026, 11, 19, 15, 0, 0, 0, time.UTC)},
		{ID: "2", User: "ann", Account: "5WT00001", Symbol: "SPY", Quantity: decimal.NewFromInt(1), Amount: decimal.RequireFromString("-90.00"), Time: time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)},
		{ID: "3", User: "bob", Account: "5WT00002", Symbol: "QQQ", Quantity: decimal.NewFromInt(10), Amount: decimal.RequireFromString("-6000.00"), Time: time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC)},
	} {
		_, err := r.Trades.Create(ctx, trade)
		must(err)
	}
	sum := decimal.Zero
	for trade, err := range r.Trades.All(ctx, storage.RecordQuery{Where: []storage.Field{storage.Text("user", "ann")}, Order: "time", Kind: storage.NumberField}) {
		must(err)
		sum = sum.Add(trade.Value.Amount)
		fmt.Println(trade.Value.ID, trade.Value.Amount)
	}
	fmt.Println("ann made", sum)
	// Output:
	// 1 215
	// 2 -90
	// ann made 125
}

// A type of one's own becomes records by saying what its id is and by what it is
// listed.
func ExampleCollection() {
	ctx := context.Background()
	type idea struct {
		ID, Symbol string
		Votes      int
	}
	records, err := tenant().Records()
	must(err)
	ideas := storage.NewCollection(records, storage.Kind[idea]{
		Collection: "ideas",
		ID:         func(v *idea) string { return v.ID },
		Fields:     func(v *idea) []storage.Field { return []storage.Field{storage.Text("symbol", v.Symbol)} },
	})
	_, err = ideas.Create(ctx, idea{ID: "a", Symbol: "SPY"})
	must(err)
	// Read, change, write; again from the start when somebody else was faster.
	voted, err := ideas.Update(ctx, "a", func(v *idea) error { v.Votes++; return nil })
	must(err)
	fmt.Println(voted.Value.Symbol, voted.Value.Votes)
	// Output: SPY 1
}

func ExampleJournal() {
	ctx := context.Background()
	id := storage.JournalID{Tenant: storage.Local, Name: "orders"}
	orders, err := tenant().Journal(id.Name)
	must(err)
	_, err = orders.Append(ctx,
		storage.NewEntry{Kind: "order.approved", Data: []byte(`{"preview":"p-1","by":"ann"}`)},
		storage.NewEntry{Kind: "order.placed", Data: []byte(`{"preview":"p-1","order":42}`)},
	)
	must(err)

	// The head is signed and kept where the owner of the store cannot reach it.
	elsewhere, err := tenant().Objects("heads")
	must(err)
	public, private, err := ed25519.GenerateKey(nil)
	must(err)
	_, err = storage.AnchorJournal(ctx, id, orders, private, time.Now(), storage.ObjectAnchor(elsewhere))
	must(err)

	known, err := storage.AnchoredHeads(ctx, id, elsewhere, public)
	must(err)
	head, err := storage.VerifyJournal(ctx, id, orders, known...)
	fmt.Println(head.Seq, "entries", err)

	// A journal that is shorter than what was signed is found out.
	empty, err := tenant().Journal(id.Name)
	must(err)
	_, err = storage.VerifyJournal(ctx, id, empty, known...)
	fmt.Println(err)
	// Output:
	// 2 entries <nil>
	// journal orders: entry 1: it is missing: a head was kept of entry 2
}

func ExampleStaff() {
	ctx := context.Background()
	store, err := memory.New(nil)
	must(err)
	defer store.Close()
	directory, err := store.Directory()
	must(err)
	h, err := store.For("desk")
	must(err)
	staff, err := storage.NewStaff(h, directory)
	must(err)
	must(staff.Found(ctx, storage.Organization{Name: "The Desk", Plan: storage.Team}, storage.User{ID: "ann", Email: "ann@example.com"}))
	must(staff.Invite(ctx, "ann", storage.User{ID: "bob", Email: "bob@example.com", Role: storage.Member}))
	must(staff.Accept(ctx, "bob"))

	fmt.Println(storage.Member.May(storage.MayPropose), storage.Member.May(storage.MayApprove))
	fmt.Println(staff.SetRole(ctx, "bob", "bob", storage.Owner))
	fmt.Println(staff.Suspend(ctx, "ann", "ann"))
	login, err := directory.Find(ctx, "bob@example.com")
	must(err)
	fmt.Println(login.Tenant, login.User)
	// Output:
	// true false
	// change-roles by member "bob": not allowed
	// the last active owner stays: not allowed
	// desk bob
}

// Growing is taking one part from another engine.
func ExampleCombine() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	must(err)
	defer os.RemoveAll(dir)
	database, err := memory.New(nil) // or sqlite, or postgres
	must(err)
	folder, err := files.Open(dir, nil) // or s3
	must(err)
	store := storage.Combine(database, storage.Parts{Objects: folder})
	defer store.Close()

	h, err := store.For(storage.Local)
	must(err)
	objects, err := h.Objects("reports")
	must(err)
	_, err = objects.Put(ctx, "one", strings.NewReader("in the folder"), nil)
	must(err)
	alone, err := folder.For(storage.Local)
	must(err)
	_, err = alone.Records()
	fmt.Println(err)
	_, err = h.Records()
	fmt.Println(err)
	// Output:
	// records of files: not supported by this storage engine
	// <nil>
}
