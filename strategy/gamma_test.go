package strategy_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/strategy"
)

func scalp(changes map[string]any) map[string]any {
	p := map[string]any{"symbol": "XYZ", "dte": 30, "min_dte": 20, "max_dte": 40, "pricing": "natural", "hedge_every": "0s", "stop_theta": 0, "stop_vol_fall": 0,
		"stop_loss": 0, "close_dte": -1, "rate": 0.04}
	for k, v := range changes {
		p[k] = v
	}
	return p
}

// straddleDelta is that of a straddle of ten on 100 and February 6, in shares.
func straddleDelta(at time.Time, spot, vol float64) float64 {
	m := options.BSM{Spot: spot, Strike: 100, Years: options.YearsToExpiry(at, options.ExpiryTime(day("2026-02-06"), "", nil)), Rate: 0.04, Vol: vol}
	return 1000 * (m.Greeks(options.Call).Delta + m.Greeks(options.Put).Delta)
}

func TestItHedgesToZeroOutsideOfTheBand(t *testing.T) {
	b := newOptionBench(t, build(t, "gamma-scalping", scalp(map[string]any{"contracts": 10})), ny("2026-01-06", 9, 0), benchOptions{}).start()
	shares := func() float64 { return b.s.Position("XYZ").Quantity }
	at := ny("2026-01-06", 10, 0)
	b.chain(at, 100, plain().at(at, 100))
	require.Contains(t, b.sent[0], "BTO 10 0206 100C, BTO 10 0206 100P")
	assert.InDelta(t, -straddleDelta(at, 100, 0.25), shares(), 1, "at once")
	before := len(b.sent)
	at = ny("2026-01-06", 10, 5)
	b.chain(at, 100.02, plain().at(at, 100.02))
	assert.Len(t, b.sent, before, "a delta of less than 500 dollars stays")
	at = ny("2026-01-06", 10, 10)
	b.chain(at, 103, plain().at(at, 103))
	assert.InDelta(t, -straddleDelta(at, 103, 0.25), shares(), 2)
	assert.Less(t, shares(), -200.0, "sold into strength")
	at = ny("2026-01-06", 10, 15)
	b.chain(at, 97, plain().at(at, 97))
	assert.InDelta(t, -straddleDelta(at, 97, 0.25), shares(), 2)
	assert.Greater(t, shares(), 100.0, "bought into weakness")
	last := b.sent[len(b.sent)-2:]
	assert.Contains(t, last[0], "BTC", "the short side is closed first")
	assert.Contains(t, last[1], "BTO")
}

func TestItHedgesToTheEdgeOfTheBandWhenAskedTo(t *testing.T) {
	b := newOptionBench(t, build(t, "gamma-scalping", scalp(map[string]any{"contracts": 10, "hedge_to": "band", "band": 5000})), ny("2026-01-06", 9, 0), benchOptions{}).start()
	at := ny("2026-01-06", 10, 0)
	b.chain(at, 103, plain().at(at, 103)) // 103 straddle
	before := b.s.Position("XYZ").Quantity
	assert.InDelta(t, 0, before, 60)
	at = at.Add(time.Minute)
	b.chain(at, 106, plain().at(at, 106))
	m := options.BSM{Spot: 106, Strike: 103, Years: options.YearsToExpiry(at, options.ExpiryTime(day("2026-02-06"), "", nil)), Rate: 0.04, Vol: 0.25}
	delta := 1000 * (m.Greeks(options.Call).Delta + m.Greeks(options.Put).Delta)
	assert.InDelta(t, -(delta - 5000/106.0), b.s.Position("XYZ").Quantity, 2)
}

func TestPendingHedgesAreCounted(t *testing.T) {
	b := newOptionBench(t, build(t, "gamma-scalping", scalp(map[string]any{"contracts": 10})), ny("2026-01-06", 9, 0), benchOptions{
		Paper: func(o *paper.Options) { o.Latency = paper.Latency{Live: 20 * time.Minute} },
		Positions: []paper.Position{
			{Symbol: "XYZ   260206C00100000", Quantity: decimal.NewFromInt(10), AverageOpenPrice: decimal.NewFromInt(3)},
			{Symbol: "XYZ   260206P00100000", Quantity: decimal.NewFromInt(10), AverageOpenPrice: decimal.NewFromInt(3)},
		}}).start()
	for i := range 5 {
		at := ny("2026-01-06", 10, i)
		b.chain(at, 103, plain().at(at, 103))
	}
	require.Len(t, b.sent, 1, "one order on its way, and four looks at the same delta")
	b.until(ny("2026-01-06", 10, 30))
	at := ny("2026-01-06", 10, 31)
	b.chain(at, 103, plain().at(at, 103))
	assert.InDelta(t, -straddleDelta(at, 103, 0.25), b.s.Position("XYZ").Quantity, 2)
	assert.Len(t, b.sent, 1)
}

func TestItWaitsForItsInterval(t *testing.T) {
	b := newOptionBench(t, build(t, "gamma-scalping", scalp(map[string]any{"contracts": 10, "hedge_every": "2m"})), ny("2026-01-06", 9, 0), benchOptions{}).start()
	var counts []int
	for i, spot := range []float64{100, 101, 102, 103, 104} {
		at := ny("2026-01-06", 10, i)
		b.chain(at, spot, plain().at(at, spot))
		counts = append(counts, len(b.sent))
	}
	assert.Equal(t, []int{2, 2, 3, 3, 4}, counts, "the straddle and its hedge, then every two minutes")
}

func TestPricesWithoutAVolatilityFallBack(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	tests := []struct {
		name  string
		spoil func(q *market.OptionQuote)
		hedge bool
	}{
		// The call's middle is under its intrinsic value: the nearest strike's volatility stands in.
		{"below intrinsic value", func(q *market.OptionQuote) { q.Bid, q.Ask = 2.0, 2.2 }, true},
		{"quoted volatility", func(q *market.OptionQuote) { q.Bid, q.Ask, q.IV = 2.0, 2.2, 0.25 }, true},
		{"crossed", func(q *market.OptionQuote) { q.Bid, q.Ask = 5, 4 }, false},
		{"without an offer", func(q *market.OptionQuote) { q.Ask = nan }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newOptionBench(t, build(t, "gamma-scalping", scalp(map[string]any{"contracts": 10})), ny("2026-01-06", 9, 0), benchOptions{}).start()
			b.chain(at, 100, plain().at(at, 100))
			was, later := len(b.sent), at.Add(time.Minute)
			quotes := plain().at(later, 104)
			for i := range quotes {
				if short(quotes[i].Symbol) == "0206 100C" {
					tt.spoil(&quotes[i])
				}
			}
			b.chain(later, 104, quotes)
			if !tt.hedge {
				assert.Len(t, b.sent, was)
				assert.True(t, b.said("no hedge: no sound quote of XYZ   260206C00100000"), b.notes)
				return
			}
			assert.InDelta(t, -straddleDelta(later, 104, 0.25), b.s.Position("XYZ").Quantity, 8)
		})
	}
}

func TestALegWithoutAQuoteCanTakeItsLastVolatility(t *testing.T) {
	b := newOptionBench(t, build(t, "gamma-scalping", scalp(map[string]any{"contracts": 10, "missing": "last", "structure": "straddle"})), ny("2026-01-06", 9, 0), benchOptions{}).start()
	at := ny("2026-01-06", 10, 0)
	b.chain(at, 100, plain().at(at, 100))
	later := at.Add(time.Minute)
	var few []market.OptionQuote // of that expiry, nothing but the put
	for _, q := range plain().at(later, 104) {
		if q.Expiration != day("2026-02-06") || short(q.Symbol) == "0206 100P" {
			few = append(few, q)
		}
	}
	b.chain(later, 104, few)
	assert.InDelta(t, -straddleDelta(later, 104, 0.25), b.s.Position("XYZ").Quantity, 3)
}

func TestScalpsStop(t *testing.T) {
	tests := []struct {
		name    string
		changes map[string]any
		at      time.Time
		spot    float64
		vol     float64
		says    string
	}{
		{"at days to expiry", map[string]any{"close_dte": 7}, ny("2026-01-30", 10, 0), 100, 0.25, "last day: 7 days"},
		{"when decay eats it", map[string]any{"stop_theta": 0.05}, ny("2026-01-30", 10, 0), 100, 0.25, "decay:"},
		{"when volatility has fallen", map[string]any{"stop_vol_fall": 0.3}, ny("2026-01-08", 10, 0), 100, 0.17, "volatility: the volatility has fallen by 3"},
		{"when volatility has risen", map[string]any{"take_vol_rise": 0.3}, ny("2026-01-08", 10, 0), 100, 0.34, "volatility: the volatility has risen by 3"},
		{"at a loss, hedges included", map[string]any{"stop_loss": 0.2}, ny("2026-01-20", 10, 0), 100, 0.22, "stop: a loss"},
		{"at a profit, hedges included", map[string]any{"take_profit": 0.3}, ny("2026-01-08", 10, 0), 112, 0.25, "profit: a profit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.changes["wait"] = 30
			b := newOptionBench(t, build(t, "gamma-scalping", scalp(tt.changes)), ny("2026-01-06", 9, 0), benchOptions{}).start()
			at := ny("2026-01-06", 10, 0)
			b.chain(at, 100, plain().at(at, 100))
			require.Contains(t, b.sent[0], "BTO 1 0206 100C")
			// A step before, it holds and has shares.
			b.chain(at.Add(time.Hour), 101.5, plain().at(at.Add(time.Hour), 101.5))
			require.NotZero(t, b.s.Position("XYZ").Quantity)
			require.False(t, b.said("close:"), b.notes)
			m := plain()
			m.Vol = tt.vol
			b.chain(tt.at, tt.spot, m.live(tt.at).at(tt.at, tt.spot))
			b.until(tt.at.Add(5 * time.Minute))
			assert.True(t, b.said("close: "+tt.says), b.notes)
			assert.Empty(t, b.held(), "options and shares: %v", b.sent)
		})
	}
}

func TestTheThetaBudgetLimitsTheSize(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	m := options.BSM{Spot: 100, Strike: 100, Years: options.YearsToExpiry(at, options.ExpiryTime(day("2026-02-06"), "", nil)), Rate: 0.04, Vol: 0.25}
	decay := -100 * (m.Greeks(options.Call).Theta + m.Greeks(options.Put).Theta) / 365
	b := newOptionBench(t, build(t, "gamma-scalping", scalp(map[string]any{"contracts": 10, "theta_budget": 3.5 * decay})), ny("2026-01-06", 9, 0), benchOptions{}).start()
	b.chain(at, 100, plain().at(at, 100))
	assert.Contains(t, b.sent[0], "BTO 3 0206 100C")
}

// The notebook's own rules: whatever is there is closed; three calls from 1 %
// above the price by market orders; the delta by the middle prices' volatility and
// whole days; a band of 500 dollars every two minutes.
func TestTheNotebooksRulesAreAConfiguration(t *testing.T) {
	p := strategy.NotebookGammaScalp("XYZ")
	made, err := strategy.NewGammaScalp(p)
	require.NoError(t, err)
	b := newOptionBench(t, made, ny("2026-01-06", 9, 0), benchOptions{
		Positions: []paper.Position{{Symbol: "XYZ", Quantity: decimal.NewFromInt(30), AverageOpenPrice: decimal.NewFromInt(90)}}}).start()
	delta := func(at time.Time, spot float64) float64 {
		sum := 0.0
		for _, strike := range []float64{101, 102, 103} {
			price := math.Round(100*options.BSM{Spot: spot, Strike: strike, Years: options.YearsToExpiry(at, options.ExpiryTime(day("2026-01-23"), "", nil)), Rate: 0.04, Vol: 0.25}.Price(options.Call)) / 100
			m := options.BSM{Spot: spot, Strike: strike, Years: 17.0 / 365, Rate: 0.045}
			vol, err := m.ImpliedVol(options.Call, price)
			require.NoError(t, err)
			m.Vol = vol
			sum += 100 * m.Greeks(options.Call).Delta
		}
		return sum
	}
	held := 0.0
	for i, spot := range []float64{100, 100, 100.5, 101.5, 101.6, 99} {
		at := ny("2026-01-06", 10, 2*i)
		b.chain(at, spot, plain().at(at, spot))
		if i == 0 { // what was there is sold at the first chance
			assert.Equal(t, "STC 30 XYZ @ market", b.sent[0])
		}
		if net := held + delta(at, spot); math.Abs(net*spot) > 500 {
			held -= math.RoundToEven(net)
		}
		assert.Equal(t, held, b.s.Position("XYZ").Quantity, "at %g: %v", spot, b.sent)
	}
	assert.Equal(t, "BTO 1 0123 101C, BTO 1 0123 102C, BTO 1 0123 103C @ market", b.sent[1])
}

func TestItGoesOnFromThePositionsItFinds(t *testing.T) {
	b := newOptionBench(t, build(t, "gamma-scalping", scalp(map[string]any{"contracts": 10})), ny("2026-01-06", 9, 0), benchOptions{}).start()
	at := ny("2026-01-06", 10, 0)
	b.chain(at, 100, plain().at(at, 100))
	b.chain(at.Add(time.Minute), 102, plain().at(at.Add(time.Minute), 102))
	held, sent := fmt.Sprint(b.held()), len(b.sent)
	b.again(build(t, "gamma-scalping", scalp(map[string]any{"contracts": 10})), false)
	assert.True(t, b.said("takes up a position of 2 contracts"), b.notes)
	b.chain(at.Add(2*time.Minute), 102, plain().at(at.Add(2*time.Minute), 102))
	assert.Equal(t, held, fmt.Sprint(b.held()))
	assert.Len(t, b.sent, sent, "nothing is bought again")
	later := at.Add(3 * time.Minute)
	b.chain(later, 104, plain().at(later, 104))
	assert.InDelta(t, -straddleDelta(later, 104, 0.25), b.s.Position("XYZ").Quantity, 2)
}

func TestHedgesCanBeKeptToTheSessionsEnd(t *testing.T) {
	b := newOptionBench(t, build(t, "gamma-scalping", scalp(map[string]any{"contracts": 10, "hedge_last": "10m"})), ny("2026-01-06", 9, 0), benchOptions{}).start()
	at := ny("2026-01-06", 10, 0)
	b.chain(at, 100, plain().at(at, 100))
	b.chain(at.Add(time.Hour), 105, plain().at(at.Add(time.Hour), 105))
	assert.Zero(t, b.s.Position("XYZ").Quantity)
	at = ny("2026-01-06", 15, 51)
	b.chain(at, 105, plain().at(at, 105))
	assert.InDelta(t, -straddleDelta(at, 105, 0.25), b.s.Position("XYZ").Quantity, 2)
}

func TestWhatSharesOfOthersLoseIsNoLossOfTheScalp(t *testing.T) {
	b := newOptionBench(t, build(t, "gamma-scalping", scalp(map[string]any{"stop_loss": 0.2})), ny("2026-01-06", 9, 0), benchOptions{Positions: shares(1000, 90)})
	at := ny("2026-01-06", 9, 0)
	b.data.set(market.Quote{Symbol: "XYZ", Time: at, Bid: 100, Ask: 100, Last: 100})
	b.start()
	b.chain(ny("2026-01-06", 10, 0), 100, plain().at(ny("2026-01-06", 10, 0), 100))
	require.Contains(t, b.sent[0], "BTO 1 0206 100C")
	b.chain(ny("2026-01-06", 11, 0), 96, plain().at(ny("2026-01-06", 11, 0), 96))
	assert.False(t, b.said("close:"), "the thousand shares have lost 4,000 dollars, and the straddle has gained: %v", b.notes)
	assert.Greater(t, b.s.Position("XYZ").Quantity, 1000.0, "hedges come on top of them")
}
