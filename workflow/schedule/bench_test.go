package schedule

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
)

// What a scheduler of the default jobs costs every few seconds while nothing is due,
// on a SQLite file.
func BenchmarkIdleTick(b *testing.B) {
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "data.db"), nil)
	require.NoError(b, err)
	defer store.Close()
	tenant, err := store.For("trader")
	require.NoError(b, err)
	engine, err := journal.New(b.Context(), tenant, []workflow.Workflow(nil), nil)
	require.NoError(b, err)
	defer engine.Close()
	s, err := New(b.Context(), tenant, engine, DefaultJobs(), &Options{Clock: market.NewManualClock(at(b, "2026-03-08 12:03"))})
	require.NoError(b, err)
	_, err = s.Tick(b.Context())
	require.NoError(b, err)
	for b.Loop() {
		if _, err := s.Tick(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	after := at(b, "2026-03-08 12:03")
	for _, text := range []string{"45m before open", "every 15m", "close on the last session of the month", "open on monthly expirations of SPX", "cron 30 8 * * 1-5 in America/New_York"} {
		b.Run(text, func(b *testing.B) {
			trigger, err := ParseTrigger(text)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := trigger.Next(context.Background(), World{}, after); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
