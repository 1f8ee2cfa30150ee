package sqlite_test

import (
	"encoding/json"
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

// desk stores what one organisation of ten users has after a while: for each user
// a login, a session, a token and credentials as the vault seals them,
// preferences, 2 watchlists, 3 alerts, 10 positions, 20 trades and 5 analyses of
// 2 KB; for all of them a journal of 20 entries for each.
func desk(b *testing.B, s storage.Store, tenant storage.TenantID) {
	b.Helper()
	h, err := s.For(tenant)
	require.NoError(b, err)
	r, err := storage.Open(h)
	require.NoError(b, err)
	directory, err := s.Directory()
	require.NoError(b, err)
	journal, err := h.Journal("orders")
	require.NoError(b, err)
	day := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	var writes []storage.RecordWrite
	add := func(w storage.RecordWrite, err error) {
		require.NoError(b, err)
		writes = append(writes, w)
	}
	document, err := json.Marshal(map[string]string{"text": strings.Repeat("evidence ", 220)})
	require.NoError(b, err)
	var entries []storage.NewEntry
	for u := range 10 {
		user := fmt.Sprintf("user-%d", u)
		email := fmt.Sprintf("%s@%s.example.com", user, tenant)
		require.NoError(b, directory.Claim(b.Context(), storage.DirectoryEntry{Login: email, Tenant: tenant, User: user}))
		add(r.Users.Write(storage.OpPut, &storage.User{ID: user, Email: email, Role: storage.Member, State: storage.Active}, 0))
		add(r.Sessions.Write(storage.OpPut, &storage.Session{ID: strings.Repeat("a", 63) + fmt.Sprint(u), User: user, Created: day, Expires: day}, 0))
		add(r.Tokens.Write(storage.OpPut, &storage.Secret{User: user, Provider: "tastytrade", Ciphertext: make([]byte, 600), Expires: day}, 0))
		add(r.Credentials.Write(storage.OpPut, &storage.Secret{User: user, Provider: "alpaca", Ciphertext: make([]byte, 200)}, 0))
		add(r.Preferences.Write(storage.OpPut, &storage.Preferences{User: user, TimeZone: "America/New_York", Settings: map[string]string{"theme": "dark"}}, 0))
		for i := range 20 {
			id := fmt.Sprintf("%s-%d", user, i)
			if i < 2 {
				add(r.Watchlists.Write(storage.OpPut, &storage.Watchlist{ID: id, User: user, Name: "indexes", Symbols: strings.Split("SPY QQQ IWM DIA VIX XLE XLF XLK TLT GLD", " ")}, 0))
			}
			if i < 3 {
				add(r.Alerts.Write(storage.OpPut, &storage.Alert{ID: id, User: user, Symbol: "SPY", Rule: []byte(`{"above":450.5}`), Active: true}, 0))
			}
			if i < 5 {
				add(r.Analyses.Write(storage.OpPut, &storage.Analysis{ID: id, User: user, Symbol: "SPY", Time: day, Verdict: "hold", Document: document}, 0))
			}
			if i < 10 {
				add(r.Positions.Write(storage.OpPut, &storage.Position{ID: id, User: user, Account: "5WT00001", Symbol: "SPY   261218P00450000", Quantity: decimal.NewFromInt(-1), Cost: decimal.RequireFromString("215.50"), Opened: day}, 0))
			}
			add(r.Trades.Write(storage.OpPut, &storage.Trade{ID: id, User: user, Account: "5WT00001", Symbol: "SPY   261218P00450000", Quantity: decimal.NewFromInt(-1), Price: decimal.RequireFromString("2.155"), Amount: decimal.RequireFromString("215.50"), Fees: decimal.RequireFromString("1.13"), Time: day}, 0))
			entries = append(entries, storage.NewEntry{Kind: "order.placed", Data: []byte(`{"user":"` + user + `","preview":"` + id + `","symbol":"SPY   261218P00450000","quantity":"-1","price":"2.155"}`)})
		}
	}
	_, err = r.Records.Write(b.Context(), writes...)
	require.NoError(b, err)
	_, err = journal.Append(b.Context(), entries...)
	require.NoError(b, err)
}

// It reports how large the file of 1,000 users in 100 organisations is, journals
// and indexes included.
func BenchmarkFileOfThousandUsers(b *testing.B) {
	var size int64
	for b.Loop() {
		file := filepath.Join(b.TempDir(), "ttai.db")
		s, err := sqlite.Open(b.Context(), file, nil)
		require.NoError(b, err)
		for i := range 100 {
			desk(b, s, storage.TenantID(fmt.Sprintf("desk-%d", i)))
		}
		require.NoError(b, s.Close())
		info, err := os.Stat(file)
		require.NoError(b, err)
		size = info.Size()
	}
	b.ReportMetric(float64(size)/(1<<20), "MB")
}

// It reports what 10,000 tenants need of memory whose handles are all open and
// have all read and written.
func BenchmarkTenThousandTenantsOpen(b *testing.B) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ttai.db"), nil)
	require.NoError(b, err)
	defer s.Close()
	var used uint64
	for b.Loop() {
		before := heap()
		open := make([]storage.Tenant, 10_000)
		spaces := make([]storage.KV, len(open))
		for i := range open {
			open[i], err = s.For(storage.TenantID(fmt.Sprintf("tenant-%d", i)))
			require.NoError(b, err)
			spaces[i], err = open[i].KV("cache")
			require.NoError(b, err)
			require.NoError(b, spaces[i].Put(b.Context(), "k", []byte("v"), 0))
			_, err = spaces[i].Get(b.Context(), "k")
			require.NoError(b, err)
		}
		used = heap() - before
		runtime.KeepAlive(open)
		runtime.KeepAlive(spaces)
	}
	b.ReportMetric(float64(used)/(1<<20), "MB")
}
