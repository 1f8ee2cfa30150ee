package strategy_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/strategy"
)

// repriced is a long straddle of one contract each and some short shares, valued
// by the model at a price, a volatility and a time.
func repriced(at time.Time, spot, vol, shares float64) strategy.Exposure {
	expiry := options.ExpiryTime(day("2026-02-06"), "", nil)
	e := strategy.Exposure{Time: at, Spot: spot, Shares: shares}
	worth := shares * spot
	for _, kind := range []options.Kind{options.Call, options.Put} {
		m := options.BSM{Spot: spot, Strike: 100, Years: expiry.Sub(at).Hours() / (24 * 365), Rate: 0.04, Vol: vol}
		g := m.Greeks(kind)
		worth += 100 * g.Price
		e.Legs = append(e.Legs, strategy.LegExposure{Symbol: market.Symbol(kind.String()), Size: 100, Vol: market.Float(vol), Delta: market.Float(g.Delta),
			Gamma: market.Float(g.Gamma), Theta: market.Float(g.Theta), Vega: market.Float(g.Vega)})
	}
	e.Profit = worth - 1000
	return e
}

func TestAttributionAgreesWithExactRepricing(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	first := repriced(at, 100, 0.25, -10)
	price := func(t time.Time, spot, vol float64) float64 { return repriced(t, spot, vol, 0).Profit }
	tests := []struct {
		name string
		next strategy.Exposure
		part func(strategy.Attribution) float64
		want float64 // by repricing with that change alone
		// near is how far the first orders may be from it.
		near float64
	}{
		{"time alone", repriced(at.Add(time.Hour), 100, 0.25, -10), func(a strategy.Attribution) float64 { return a.Theta }, price(at.Add(time.Hour), 100, 0.25) - price(at, 100, 0.25), 0.002},
		{"volatility alone", repriced(at, 100, 0.251, -10), func(a strategy.Attribution) float64 { return a.Vega }, price(at, 100, 0.251) - price(at, 100, 0.25), 0.001},
		{"movement alone", repriced(at, 100.5, 0.25, 0), func(a strategy.Attribution) float64 { return a.Delta + a.Gamma }, price(at, 100.5, 0.25) - price(at, 100, 0.25), 0.02},
		{"the shares", repriced(at, 100.5, 0.25, -10), func(a strategy.Attribution) float64 { return a.Hedging }, -5, 1e-9},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var a strategy.Attributor
			from := first
			if tt.name == "movement alone" {
				from = repriced(at, 100, 0.25, 0)
			}
			a.Observe(from)
			a.Observe(tt.next)
			parts := a.Parts()
			assert.InDelta(t, tt.want, tt.part(parts), tt.near)
			assert.InDelta(t, tt.next.Profit-from.Profit, parts.Total(), 1e-9, "the parts add up")
			assert.InDelta(t, 0, parts.Rest, 0.02, "little is left")
			assert.Zero(t, parts.Trading)
		})
	}
}

func TestTheRestShrinksWithTheSteps(t *testing.T) {
	rest := func(steps int) float64 {
		var a strategy.Attributor
		for i := range steps + 1 {
			x := float64(i) / float64(steps)
			a.Observe(repriced(ny("2026-01-06", 10, 0).Add(time.Duration(x*float64(120*time.Hour))), 100+4*x, 0.25+0.05*x, -20))
		}
		p := a.Parts()
		assert.InDelta(t, a.Gain, p.Total(), 1e-9)
		return math.Abs(p.Rest)
	}
	coarse, fine := rest(1), rest(64)
	assert.Less(t, fine, coarse/20, "coarse %g, fine %g", coarse, fine)
}

func TestWhatIsLeftOfSpansWithTradesIsTrading(t *testing.T) {
	var a strategy.Attributor
	at := ny("2026-01-06", 10, 0)
	a.Observe(repriced(at, 100, 0.25, 0))
	hedged := repriced(at, 100, 0.25, -5)
	hedged.Profit = repriced(at, 100, 0.25, 0).Profit - 1.25 // a fee
	a.Observe(hedged)
	p := a.Parts()
	assert.InDelta(t, -1.25, p.Trading, 1e-9)
	assert.InDelta(t, -1.25, p.Total(), 1e-9)
	assert.InDelta(t, 0, p.Rest, 1e-9)
}

func TestMomentsWithoutAPriceAreLeftOut(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	var with, without strategy.Attributor
	last := repriced(at.Add(2*time.Hour), 101, 0.25, -5)
	with.Observe(repriced(at, 100, 0.25, -5))
	unknown := repriced(at.Add(time.Hour), 100.5, 0.25, -5)
	unknown.Profit = math.NaN()
	with.Observe(unknown)
	with.Observe(last)
	without.Observe(repriced(at, 100, 0.25, -5))
	without.Observe(last)
	assert.Equal(t, without.Parts(), with.Parts())
}

func TestAnAttributorGoesOnFromItsJSON(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	var a, b strategy.Attributor
	first, second := repriced(at, 100, 0.25, -5), repriced(at.Add(time.Hour), 101, 0.26, -8)
	first.Legs[0].Vega = market.Float(math.NaN())
	a.Observe(first)
	text, err := json.Marshal(a)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &b))
	a.Observe(second)
	b.Observe(second)
	assert.Equal(t, a.Parts(), b.Parts())
}

func TestARunAttributesItsWholeProfit(t *testing.T) {
	b := newOptionBench(t, build(t, "gamma-scalping", map[string]any{"symbol": "XYZ", "pricing": "natural", "hedge_every": "0s", "dte": 30, "stop_theta": 0, "stop_vol_fall": 0}),
		ny("2026-01-06", 9, 0), benchOptions{}).start()
	times, spots := wander(5, 8)
	for i, at := range times {
		if at.Before(ny("2026-01-06", 9, 0)) {
			continue
		}
		b.chain(at, spots[i], month().live(at).at(at, spots[i]))
	}
	var snapshot struct {
		Strategy struct {
			Attribution strategy.Attributor `json:"attribution"`
		} `json:"strategy"`
	}
	state, err := b.s.Snapshot()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(state, &snapshot))
	a := snapshot.Strategy.Attribution
	p := a.Parts()
	assert.InDelta(t, b.s.Profit(), p.Total(), 1e-6, "all that was gained since the start")
	assert.InDelta(t, b.worth()-100_000, p.Total(), 1e-6, "and that is what the account says")
	assert.Greater(t, p.Gamma, 0.0)
	assert.Less(t, p.Theta, 0.0)
	assert.NotZero(t, p.Hedging)
	assert.Less(t, p.Trading, 0.0, "spreads were paid")
	assert.Less(t, math.Abs(p.Rest), 0.25*(math.Abs(p.Gamma)+math.Abs(p.Theta)), "%+v", p)
}
