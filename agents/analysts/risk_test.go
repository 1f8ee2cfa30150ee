package analysts_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/workflow"
)

// The figures of the tail by the shortest road from the bars, and the correlation by
// gonum.
func TestRiskFiguresAreThoseOfAnIndependentComputation(t *testing.T) {
	source := rising()
	bars := source.bars["TEST"]
	for i := range bars { // days of different sizes, and a gap
		by := 1 + 0.02*math.Sin(float64(i*i%97))
		bars[i].Open, bars[i].High, bars[i].Low, bars[i].Close = bars[i].Open*by, bars[i].High*by, bars[i].Low*by, bars[i].Close*by
	}
	got := analyze(t, source, analysts.Request{LookbackYears: 2})
	n := int(value(t, got, "data.bars"))
	bars = bars[len(bars)-n:]
	var changes []float64
	worstMonth, deepest, gap := 0.0, 0.0, 0.0
	for i := range bars {
		if i > 0 {
			changes = append(changes, bars[i].Close/bars[i-1].Close-1)
		}
		if i > 0 && i >= len(bars)-252 {
			gap = max(gap, math.Abs(bars[i].Open/bars[i-1].Close-1))
		}
		for j := range i {
			fall := 1 - bars[i].Close/bars[j].Close
			deepest = max(deepest, fall)
			if i-j == 21 {
				worstMonth = max(worstMonth, fall)
			}
		}
	}
	// As few as 5 % of the days lose the value at risk or more.
	loss := value(t, got, "risk.var95")
	var as []float64
	for _, c := range changes {
		if -c >= loss-1e-15 {
			as = append(as, -c)
		}
	}
	assert.Len(t, as, len(changes)/20)
	assert.InDelta(t, stat.Mean(as, nil), value(t, got, "risk.cvar95"), 1e-12)
	assert.InDelta(t, worstMonth, value(t, got, "risk.worst_month"), 1e-12)
	assert.InDelta(t, deepest, value(t, got, "risk.drawdown"), 1e-12)
	assert.InDelta(t, gap, value(t, got, "risk.gap"), 1e-12)

	logs := func(b []market.Bar) (out []float64) {
		b = b[len(b)-61:]
		for i := 1; i < len(b); i++ {
			out = append(out, math.Log(b[i].Close/b[i-1].Close))
		}
		return out
	}
	assert.InDelta(t, stat.Correlation(logs(bars), logs(source.bars["SPY"]), nil), value(t, got, "risk.correlation"), 1e-12)
}

func TestStressIsARevaluationOfThePositions(t *testing.T) {
	source := rising()
	i := slices.IndexFunc(source.chain, func(q market.OptionQuote) bool {
		return q.Expiration == market.DateOf(noon).AddDays(37) && q.Kind == market.Put && q.Strike < q.Spot*0.97 && q.Strike > q.Spot*0.9
	})
	put := source.chain[i]
	mark := decimal.NewFromFloat(put.Spot)
	w := &wallet{accounts: []broker.Account{{ID: "A"}}, balances: map[broker.AccountID]*broker.Balances{"A": {Cash: dec("1000"), NetLiquidatingValue: dec("50000")}},
		positions: map[broker.AccountID][]broker.Position{"A": {
			{Symbol: "TEST", Underlying: "TEST", Kind: market.KindEquity, Quantity: decimal.NewFromInt(50), Multiplier: decimal.NewFromInt(1), Mark: &mark},
			{Symbol: put.Symbol, Underlying: "TEST", Kind: market.KindOption, Quantity: decimal.NewFromInt(-3), Multiplier: decimal.NewFromInt(100), Mark: dec("1")},
		}}}
	got, err := analyst(t, source, func(d *analysts.Deps) { d.Broker = w }).Analyze(t.Context(), analysts.Request{Symbol: "TEST"})
	require.NoError(t, err)
	// The fake's chain is priced with a volatility of 0.4 everywhere.
	years := options.YearsToExpiry(noon, options.ExpiryTime(put.Expiration, market.SettledPM, nil))
	worth := func(spot float64) float64 {
		return options.BSM{Spot: spot, Strike: put.Strike, Years: years, Rate: testRate, Vol: 0.4}.Price(market.Put)
	}
	want := -0.1*50*put.Spot - 300*(worth(0.9*put.Spot)-worth(put.Spot))
	assert.InEpsilon(t, want, value(t, got, "risk.stress10"), 0.01)
	assert.InEpsilon(t, want/50000, value(t, got, "risk.stress10_share"), 0.01)
}

// What a spread may win and lose, and at which prices it breaks even, from the prices
// at expiration alone.
func TestSpreadsAreWhatTheirLegsPayAtExpiration(t *testing.T) {
	a := analyst(t, rising(), nil)
	got, err := a.Analyze(t.Context(), analysts.Request{Symbol: "TEST", Strategies: []analysts.Strategy{analysts.BullPut, analysts.BearCall, analysts.IronCondor}})
	require.NoError(t, err)
	seen := map[analysts.Strategy]bool{}
	for _, c := range got.Candidates {
		seen[c.Strategy] = true
		pays := func(price float64) float64 {
			sum := c.CreditMid.InexactFloat64()
			for _, l := range c.Legs {
				contract, ok := l.Symbol.Contract()
				require.True(t, ok)
				sum += 100 * float64(l.Quantity) * max(float64(contract.Kind)*(price-float64(l.Strike)), 0)
			}
			return sum
		}
		best, worst := math.Inf(-1), math.Inf(1)
		for price := 1.0; price < 400; price += 0.25 {
			best, worst = max(best, pays(price)), min(worst, pays(price))
		}
		assert.InDelta(t, best, float64(*c.MaxGain), 0.02, c.Strategy)
		assert.InDelta(t, worst, float64(*c.MaxLoss), 0.02, c.Strategy)
		assert.InDelta(t, -worst, c.CapitalRequired.InexactFloat64(), 0.02)
		assert.InDelta(t, 0, pays(float64(c.Breakeven)), 0.02)
		assert.InDelta(t, best/-worst, float64(c.Return), 1e-3)
		assert.InDelta(t, best/-worst*365/float64(c.Days), float64(c.Annualized), 1e-2)
	}
	assert.Len(t, seen, 3)
}

func TestAScreenerThatCouldLookAtNothingFailsAndSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := rising()
		source.fail = map[string]error{"Bars": errors.New("the wire is cut"), "Expirations": errors.New("the wire is cut")}
		d := newDesk(source)
		e := d.engine(t, tenant(t), nil)
		_, err := e.Start(t.Context(), "s", analysts.ScreenerWorkflow, analysts.ScreenerJob{Name: "all", Symbols: []market.Symbol{"TA", "TB", "TC", "TD", "TE", "TF"}})
		require.NoError(t, err)
		_, err = workflow.Result[analysts.Screening](t.Context(), e, "s")
		require.ErrorContains(t, err, "none of 6 symbols could be analysed")
		require.ErrorContains(t, err, "the wire is cut")
		status, err := e.Status(t.Context(), "s")
		require.NoError(t, err)
		assert.Equal(t, workflow.Progress{Done: 6, Total: 6, Text: "nothing so far; 6 failed"}, status.Progress)
		assert.Empty(t, d.saved)
		assert.Empty(t, d.told)
	})
}
