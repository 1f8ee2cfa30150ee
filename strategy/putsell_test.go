package strategy_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

func TestPutsAreChosenByYieldAndDelta(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	delta := func(strike float64, date string) float64 {
		return math.Abs(options.BSM{Spot: 100, Strike: strike, Years: options.YearsToExpiry(at, options.ExpiryTime(day(date), "", nil)), Rate: 0.01, Vol: 0.25}.Greeks(options.Put).Delta)
	}
	// In the middle of 0.18 and 0.42 is 0.30, of the expiry nearest to thirty days.
	sent, b := openingOrder(t, "cash-secured-put", nil, 100, plain(), nil)
	require.NotEmpty(t, sent, b.notes)
	best := 0.0
	for strike := 80.0; strike < 100; strike++ {
		if math.Abs(delta(strike, "2026-02-06")-0.30) < math.Abs(delta(best, "2026-02-06")-0.30) {
			best = strike
		}
	}
	assert.Contains(t, sent, "STO 1 0206 97P")
	assert.Equal(t, 97.0, best)
	// The highest yearly yield is that of the nearest expiry and the largest delta.
	sent, _ = openingOrder(t, "cash-secured-put", map[string]any{"choose": "yield", "min_dte": 5, "max_delta": 0.35}, 100, plain(), nil)
	assert.Contains(t, sent, "STO 1 0116 98P")
	assert.LessOrEqual(t, delta(98, "2026-01-16"), 0.35)
	assert.Greater(t, delta(99, "2026-01-16"), 0.35)
	// A yield of at most 20 % a year leaves deltas that are smaller.
	_, b = openingOrder(t, "cash-secured-put", map[string]any{"choose": "yield", "max_yield": 0.05}, 100, plain(), nil)
	assert.True(t, b.said("no put qualifies"), b.notes)
}

func TestBollingerBandsBoundTheStrikes(t *testing.T) {
	var bars []market.Bar
	for i := range 20 { // closes of 99 and 101 by turns: the lower band is at 98
		close := 99 + 2*float64(i%2)
		bars = append(bars, market.Bar{Open: close, High: close, Low: close, Close: close})
	}
	run := func(bars []market.Bar) (*optionBench, string) {
		b := newOptionBench(t, build(t, "cash-secured-put", map[string]any{"symbol": "XYZ", "contracts": 1, "pricing": "natural"}), ny("2026-01-06", 9, 0), benchOptions{}).start()
		b.data.bars = bars
		at := ny("2026-01-06", 10, 0)
		b.chain(at, 100, plain().at(at, 100))
		require.NotEmpty(t, b.sent, b.notes)
		return b, b.sent[0]
	}
	_, bounded := run(bars)
	assert.Contains(t, bounded, "STO 1 0206 98P", "97 would be the delta's choice")
	_, free := run(bars[:10])
	assert.Contains(t, free, "STO 1 0206 97P", "too few bars for a band")
}
