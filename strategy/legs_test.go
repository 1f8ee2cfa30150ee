package strategy_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// openingOrder returns the first order of a strategy in a market.
func openingOrder(t *testing.T, name string, params map[string]any, spot float64, m smile, change func(*market.OptionQuote)) (string, *optionBench) {
	t.Helper()
	p := map[string]any{"symbol": "XYZ", "contracts": 1, "pricing": "natural"}
	for k, v := range params {
		p[k] = v
	}
	at := ny("2026-01-06", 10, 0)
	b := newOptionBench(t, build(t, name, p), ny("2026-01-06", 9, 0), benchOptions{}).start()
	quotes := m.at(at, spot)
	if change != nil {
		for i := range quotes {
			change(&quotes[i])
		}
	}
	b.chain(at, spot, quotes)
	if len(b.sent) == 0 {
		return "", b
	}
	return b.sent[0], b
}

func TestStrikesAndExpiriesAreChosenByTheirRules(t *testing.T) {
	fives := plain()
	fives.Step, fives.Strikes = 5, 8
	tests := []struct {
		name, strategy string
		params         map[string]any
		market         smile
		spot           float64
		want           string
	}{
		{"the strike of the nearest delta", "bull-put-spread", map[string]any{"dte": 30, "delta": 0.30, "width": 5, "strike_range": 0}, plain(), 100, "STO 1 0206 97P"},
		{"the highest put strike at or below a part of the price", "bull-put-spread", map[string]any{"dte": 30, "moneyness": 0.965, "width": 5, "strike_range": 0}, plain(), 100, "STO 1 0206 96P"},
		{"on the strike itself", "bull-put-spread", map[string]any{"dte": 30, "moneyness": 0.96, "width": 5, "strike_range": 0}, plain(), 100, "STO 1 0206 96P"},
		{"the lowest call strike at or above a part of the price", "bear-call-spread", map[string]any{"dte": 30, "moneyness": 1.035, "width": 5, "strike_range": 0}, plain(), 100, "STO 1 0206 104C"},
		{"the wing nearest to the width that is listed", "bull-put-spread", map[string]any{"dte": 30, "moneyness": 0.96, "width": 8, "strike_range": 0}, fives, 100, "BTO 1 0206 85P, STO 1 0206 95P"},
		{"the strike nearest to the price", "long-straddle", map[string]any{"dte": 30}, plain(), 100.4, "BTO 1 0206 100C, BTO 1 0206 100P"},
		{"rounded the other way", "long-straddle", map[string]any{"dte": 30}, plain(), 100.6, "BTO 1 0206 101C, BTO 1 0206 101P"},
		{"the expiry nearest to the days aimed at", "long-straddle", map[string]any{"dte": 15, "min_dte": 5}, plain(), 100, "BTO 1 0123 100C"},
		{"the earlier of two equally near", "long-straddle", map[string]any{"dte": 24, "min_dte": 5}, plain(), 100, "BTO 1 0123 100C"},
		{"within the days allowed", "long-straddle", map[string]any{"dte": 30, "min_dte": 40}, plain(), 100, "BTO 1 0306 100C"},
		{"none when no expiry is", "long-straddle", map[string]any{"dte": 30, "min_dte": 35, "max_dte": 50}, plain(), 100, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sent, b := openingOrder(t, tt.strategy, tt.params, tt.spot, tt.market, nil)
			if tt.want == "" {
				assert.Empty(t, sent)
				assert.True(t, b.said("no straddle") || b.said("no expiry"), b.notes)
				return
			}
			assert.Contains(t, sent, tt.want, b.notes)
		})
	}
}

func TestContractsMustBeLiquid(t *testing.T) {
	is := func(q *market.OptionQuote, name string) bool { return short(q.Symbol) == name }
	tests := []struct {
		name   string
		params map[string]any
		change func(*market.OptionQuote)
		want   string
	}{
		{"all are", map[string]any{"open_interest": 500}, nil, "STO 1 0206 95P"},
		{"open interest", map[string]any{"open_interest": 500}, func(q *market.OptionQuote) {
			if is(q, "0206 95P") {
				q.OpenInterest = 499
			}
		}, "STO 1 0206 94P"},
		{"unknown open interest is not enough", map[string]any{"open_interest": 1}, func(q *market.OptionQuote) { q.OpenInterest = nan }, ""},
		{"unknown open interest is enough when none is asked for", map[string]any{"open_interest": 0}, func(q *market.OptionQuote) { q.OpenInterest = nan }, "STO 1 0206 95P"},
		{"the spread", map[string]any{"max_spread": 0.1}, func(q *market.OptionQuote) {
			if is(q, "0206 95P") {
				q.Bid -= 0.10
			}
		}, "STO 1 0206 94P"},
		{"the bid of what is sold", map[string]any{"min_bid": 1.0}, nil, ""},
		{"no bid at all", nil, func(q *market.OptionQuote) {
			if is(q, "0206 95P") {
				q.Bid = 0
			}
		}, "STO 1 0206 94P"},
		{"the range of strikes", map[string]any{"strike_range": 0.04}, nil, ""},
		{"adjusted contracts are left alone", nil, func(q *market.OptionQuote) {
			if is(q, "0206 95P") {
				q.Multiplier = 150
			}
		}, "STO 1 0206 94P"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			params := map[string]any{"dte": 30, "moneyness": 0.95, "band_days": 0, "open_interest": 0}
			for k, v := range tt.params {
				params[k] = v
			}
			sent, b := openingOrder(t, "cash-secured-put", params, 100, plain(), tt.change)
			if tt.want == "" {
				assert.Empty(t, sent)
				assert.True(t, b.said("nothing to open"), b.notes)
				return
			}
			assert.Contains(t, sent, tt.want, b.notes)
		})
	}
}

func TestOfTwoRootsTheOneThatSettlesAtTheCloseComesFirst(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	index := func(root string, settled market.Settlement) []market.OptionQuote {
		quotes := smile{Symbol: "SPX", Vol: 0.25, Step: 1, Strikes: 5, Expiries: fridays[2:3]}.at(at, 100)
		for i := range quotes {
			symbol, err := market.NewOptionSymbol(market.Contract{Root: root, Expiration: quotes[i].Expiration, Kind: quotes[i].Kind, Strike: quotes[i].Strike})
			require.NoError(t, err)
			quotes[i].Symbol, quotes[i].Root, quotes[i].Settlement = symbol, root, settled
		}
		return quotes
	}
	both := append(index("SPX", market.SettledAM), index("SPXW", market.SettledPM)...)
	for root, want := range map[string]string{"": "SPXW", "SPX": "SPX", "SPXW": "SPXW"} {
		b := newOptionBench(t, build(t, "long-straddle", map[string]any{"symbol": "SPX", "dte": 30, "contracts": 1, "pricing": "natural", "root": root}), ny("2026-01-06", 9, 0), benchOptions{}).start()
		b.chain(at, 100, both)
		require.Len(t, b.sent, 1, b.notes)
		positions := b.s.Positions()
		require.Len(t, positions, 2)
		contract, _ := positions[0].Symbol.Contract()
		assert.Equal(t, want, contract.Root)
	}
}

// Deltas can go by the volatility that comes with the quotes and by whole days.
func TestDeltasGoByTheModelThatIsAskedFor(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	nearest := func(vol, years float64) float64 {
		best, distance := 0.0, math.Inf(1)
		for strike := 75.0; strike <= 100; strike++ {
			d := math.Abs(math.Abs(options.BSM{Spot: 100, Strike: strike, Years: years, Rate: 0.04, Vol: vol}.Greeks(options.Put).Delta) - 0.25)
			if d < distance {
				best, distance = strike, d
			}
		}
		return best
	}
	exact := options.YearsToExpiry(at, options.ExpiryTime(day("2026-02-06"), "", nil))
	tests := []struct {
		params map[string]any
		want   float64
	}{
		{map[string]any{}, nearest(0.25, exact)},
		{map[string]any{"vol_from": "quoted"}, nearest(0.50, exact)},
		{map[string]any{"years": "days"}, nearest(0.25, 31.0/365)},
	}
	for _, tt := range tests {
		tt.params["dte"], tt.params["delta"], tt.params["strike_range"], tt.params["width"] = 30, 0.25, 0, 5
		_, b := openingOrder(t, "bull-put-spread", tt.params, 100, plain(), func(q *market.OptionQuote) { q.IV = 0.50 })
		sold := 0.0
		for _, p := range b.s.Positions() {
			if contract, _ := p.Symbol.Contract(); p.Quantity < 0 {
				sold = contract.Strike
			}
		}
		assert.Equal(t, tt.want, sold, "%v %v", tt.params, b.notes)
	}
}

func TestAQuoteNewerThanTheChainCounts(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	b := newOptionBench(t, build(t, "iron-condor", condor(map[string]any{"pricing": "mid", "reprice": "1m", "concession": 0})), ny("2026-01-06", 9, 0), benchOptions{}).start()
	b.chain(at, 100, plain().at(at, 100))
	first := limitOf(t, b.sent[0])
	// The call that is sold is bid up by 20 cents before the limit is looked at again.
	for s, q := range b.data.quotes {
		if short(s) == "0206 105C" {
			q.Bid, q.Ask, q.Time = q.Bid+0.20, q.Ask+0.20, at.Add(30*time.Second)
			b.data.quotes[s] = q
		}
	}
	b.until(at.Add(time.Minute))
	require.Len(t, b.sent, 2)
	assert.InDelta(t, first+0.20, limitOf(t, b.sent[1]), 1e-9)
}

func TestLittleTimeLeftMeansThePriceThatFills(t *testing.T) {
	at := ny("2026-01-06", 15, 59).Add(30 * time.Second)
	b := newOptionBench(t, build(t, "iron-condor", condor(nil)), ny("2026-01-06", 9, 0), benchOptions{}).start()
	b.chain(at, 100, plain().at(at, 100))
	assert.Len(t, b.held(), 4, b.sent)
}
