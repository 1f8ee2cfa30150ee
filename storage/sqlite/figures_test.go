package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
)

func BenchmarkKVCompareAndSet(b *testing.B) {
	kv, err := benchTenant(b).KV("x")
	require.NoError(b, err)
	n := 0
	for b.Loop() {
		n++
		_, err = kv.CompareAndSet(b.Context(), fmt.Sprint(n), storage.NoVersion, make([]byte, 200), 0)
	}
	require.NoError(b, err)
}

func BenchmarkRecordGet(b *testing.B) {
	r, err := benchTenant(b).Records()
	require.NoError(b, err)
	_, err = r.Write(b.Context(), storage.RecordWrite{Collection: "x", ID: "1", Data: []byte(`{"a":1}`)})
	require.NoError(b, err)
	for b.Loop() {
		_, err = r.Get(b.Context(), "x", "1")
	}
	require.NoError(b, err)
}

func BenchmarkJournalAppend(b *testing.B) {
	j, err := benchTenant(b).Journal("x")
	require.NoError(b, err)
	for b.Loop() {
		_, err = j.Append(b.Context(), storage.NewEntry{Kind: "order.placed", Data: make([]byte, 200)})
	}
	require.NoError(b, err)
}

// user stores what a user who trades gathers: 20 positions, 10 alerts, 30
// analyses of 2 KB, 3 watchlists of 25 symbols, 40 trades, preferences and a
// session.
func user(ctx context.Context, r *storage.Repositories, id string) error {
	at := time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)
	var writes []storage.RecordWrite
	var failed error
	add := func(w storage.RecordWrite, err error) {
		if failed == nil {
			failed = err
		}
		writes = append(writes, w)
	}
	one := func(kind string, i int) string { return fmt.Sprintf("%s-%s-%03d", id, kind, i) }
	symbol := func(i int) string { return fmt.Sprintf("SYM%02d  261016C00450000", i) }
	add(r.Users.Write(storage.OpPut, &storage.User{ID: id, Email: id + "@example.test", Role: storage.Member, State: storage.Active}, 0))
	add(r.Preferences.Write(storage.OpPut, &storage.Preferences{User: id, TimeZone: "America/New_York", Settings: map[string]string{"theme": "dark"}}, 0))
	add(r.Sessions.Write(storage.OpPut, &storage.Session{ID: one("s", 0), User: id, Created: at, Expires: at.Add(time.Hour)}, 0))
	for i := range 20 {
		add(r.Positions.Write(storage.OpPut, &storage.Position{ID: one("p", i), User: id, Account: "5WT00001", Symbol: symbol(i), Quantity: decimal.NewFromInt(-1), Cost: decimal.RequireFromString("123.45"), Opened: at}, 0))
	}
	for i := range 10 {
		add(r.Alerts.Write(storage.OpPut, &storage.Alert{ID: one("a", i), User: id, Symbol: symbol(i), Rule: []byte(`{"above":450.5}`), Active: true}, 0))
	}
	for i := range 30 {
		document := fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("evidence ", 220))
		add(r.Analyses.Write(storage.OpPut, &storage.Analysis{ID: one("n", i), User: id, Symbol: symbol(i), Time: at, Verdict: "neutral", Document: document}, 0))
	}
	for i := range 3 {
		symbols := make([]string, 25)
		for j := range symbols {
			symbols[j] = fmt.Sprintf("SYM%02d", j)
		}
		add(r.Watchlists.Write(storage.OpPut, &storage.Watchlist{ID: one("w", i), User: id, Name: "list", Symbols: symbols}, 0))
	}
	for i := range 40 {
		add(r.Trades.Write(storage.OpPut, &storage.Trade{ID: one("t", i), User: id, Account: "5WT00001", Symbol: symbol(i), Quantity: decimal.NewFromInt(1), Price: decimal.RequireFromString("1.23"), Amount: decimal.RequireFromString("-123"), Fees: decimal.RequireFromString("-1.13"), Time: at}, 0))
	}
	if failed != nil {
		return failed
	}
	_, err := r.Records.Write(ctx, writes...)
	return err
}

// The size of the file for 1,000 users, a hundred in each of ten tenants.
func BenchmarkSizeOf1000Users(b *testing.B) {
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "ttai.db")
		s, err := sqlite.Open(b.Context(), path, nil)
		require.NoError(b, err)
		for i := range 1000 {
			h, err := s.For(storage.TenantID(fmt.Sprint("tenant", i/100)))
			require.NoError(b, err)
			r, err := storage.Open(h)
			require.NoError(b, err)
			require.NoError(b, user(b.Context(), r, fmt.Sprintf("user%04d", i)))
		}
		require.NoError(b, s.Close())
		info, err := os.Stat(path)
		require.NoError(b, err)
		b.ReportMetric(float64(info.Size())/1e6, "MB/1000users")
	}
}

// The memory of 10,000 handles, each of which has read and written.
func BenchmarkMemoryOf10000Tenants(b *testing.B) {
	for b.Loop() {
		s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ttai.db"), nil)
		require.NoError(b, err)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		open := make([]*storage.Repositories, 10_000)
		for i := range open {
			h, err := s.For(storage.TenantID(fmt.Sprint("tenant", i)))
			require.NoError(b, err)
			kv, err := h.KV("cache")
			require.NoError(b, err)
			require.NoError(b, kv.Put(b.Context(), "k", []byte("v"), 0))
			_, err = kv.Get(b.Context(), "k")
			require.NoError(b, err)
			open[i], err = storage.Open(h)
			require.NoError(b, err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB/10000tenants")
		runtime.KeepAlive(open)
		require.NoError(b, s.Close())
	}
}
