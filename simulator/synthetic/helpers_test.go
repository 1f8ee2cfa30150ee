package synthetic_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/deptest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{Own: []string{"market", "options", "internal/invalid", "internal/occ"}})
}

// at returns the default market with its clock standing at now.
func at(t testing.TB, now time.Time) *synthetic.Market {
	t.Helper()
	m, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: market.NewManualClock(now)})
	require.NoError(t, err)
	return m
}

// whole is the default market at its very end, all of its history made once for
// the tests that only read it.
var whole = sync.OnceValues(func() (*synthetic.Market, error) {
	return synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: market.NewManualClock(newYork(date(2030, 12, 30), 17, 0))})
})

// atTheEnd returns the default market after its last year.
func atTheEnd(t testing.TB) *synthetic.Market {
	t.Helper()
	m, err := whole()
	require.NoError(t, err)
	return m
}

// sequential skips a test of many numbers and one goroutine when the race
// detector, which has nothing to find in it, would make it ten times slower.
func sequential(t testing.TB) {
	t.Helper()
	if racing {
		t.Skip("one goroutine: nothing for the race detector")
	}
}

// clocked returns the default market and the clock that moves it.
func clocked(t testing.TB, now time.Time) (*synthetic.Market, *market.ManualClock) {
	t.Helper()
	clock := market.NewManualClock(now)
	m, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: clock})
	require.NoError(t, err)
	return m, clock
}

func date(y int, m time.Month, d int) market.Date { return market.Date{Year: y, Month: m, Day: d} }

// newYork is a time of day on the exchange.
func newYork(d market.Date, hour, minute int) time.Time {
	return d.At(hour, minute, market.NYSE().Location())
}

func bars(t testing.TB, m *synthetic.Market, req market.BarsRequest) []market.Bar {
	t.Helper()
	got, err := m.Bars(t.Context(), req)
	require.NoError(t, err)
	return got
}

func daily(t testing.TB, m *synthetic.Market, s market.Symbol) []market.Bar {
	t.Helper()
	return bars(t, m, market.BarsRequest{Symbol: s, Interval: market.Day})
}

// same compares two slices and reports the first difference alone: a whole
// comparison of long ones would take minutes to print.
func same[T any](t testing.TB, want, got []T, about ...any) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		if !assert.ObjectsAreEqual(want[i], got[i]) {
			assert.Fail(t, fmt.Sprintf("item %d of %d: want %v, got %v", i, len(want), want[i], got[i]), about...)
			return
		}
	}
	if len(want) != len(got) {
		assert.Fail(t, fmt.Sprintf("want %d items, got %d", len(want), len(got)), about...)
	}
}

// text is a value with every digit, NaN equal to NaN, events instead of their
// addresses.
func text(v any) string {
	if list, ok := v.([]market.Metrics); ok {
		var events []any
		for i := range list {
			for _, e := range []**market.Event{&list[i].NextEarnings, &list[i].NextDividend} {
				if *e != nil {
					events = append(events, **e)
					*e = nil
				}
			}
		}
		return fmt.Sprintf("%+v %+v", list, events)
	}
	return fmt.Sprintf("%+v", v)
}
