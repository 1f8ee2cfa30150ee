package backtest_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// endless makes minute bars as they are read.
type endless struct{ n int }

func (e endless) Open() (backtest.BarReader, error) {
	s := market.NYSE().Next(time.Date(1990, 1, 2, 0, 0, 0, 0, time.UTC))
	return &endlessReader{left: e.n, session: s, at: s.Open, price: 100, random: rand.New(rand.NewPCG(1, 2))}, nil
}

type endlessReader struct {
	left    int
	session market.Session
	at      time.Time
	price   float64
	random  *rand.Rand
}

func (r *endlessReader) Next(dst []market.Bar) (int, error) {
	n := min(len(dst), r.left)
	r.left -= n
	for i := range n {
		if !r.at.Before(r.session.Close) {
			r.session = market.NYSE().Next(r.at)
			r.at = r.session.Open
		}
		open := r.price
		r.price *= math.Exp(r.random.NormFloat64() * 0.0005)
		dst[i] = market.Bar{Time: r.at, Open: open, High: max(open, r.price), Low: min(open, r.price), Close: r.price, Volume: 1}
		r.at = r.at.Add(time.Minute)
	}
	return n, nil
}

// TestMemoryDoesNotGrowWithTheHistory runs over a history and one ten times as
// long, read as it is made.
func TestMemoryDoesNotGrowWithTheHistory(t *testing.T) {
	peak := func(n int) (heap uint64) {
		s := &counting{Strategy: crossingOf(t, `{"symbol":"SPY","interval":"1m","fast":20,"slow":80,"stake":10}`)}
		s.on = func(bar int) {
			if bar%(n/8) == 0 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				heap = max(heap, m.HeapAlloc)
			}
		}
		r, err := backtest.Run(t.Context(), backtest.Options{
			Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Source: endless{n}}}},
			Accounts: []backtest.Account{{Strategy: s, Cash: dollars("1000000")}},
			Curve:    backtest.CurveOptions{Most: 1000, Records: 100},
		})
		require.NoError(t, err)
		require.EqualValues(t, n, r.Record.Bars)
		a := &r.Record.Accounts[0]
		assert.LessOrEqual(t, a.Curve.Len(), 1000)
		assert.Greater(t, a.Curve.Len(), 300)
		assert.LessOrEqual(t, len(a.Fills), 200)
		require.NotZero(t, heap)
		return heap
	}
	short, long := peak(30_000), peak(300_000)
	t.Logf("heap: %d KB for 30,000 bars, %d KB for 300,000", short/1024, long/1024)
	assert.Less(t, float64(long), 1.25*float64(short)+512*1024)
}

// counting tells of each bar that a strategy gets.
type counting struct {
	strategy.Strategy
	bars int
	on   func(bar int)
}

func (c *counting) Handle(s *strategy.Session, e *strategy.Event) error {
	if e.Kind == strategy.BarEvent {
		c.bars++
		c.on(c.bars)
	}
	return c.Strategy.Handle(s, e)
}
