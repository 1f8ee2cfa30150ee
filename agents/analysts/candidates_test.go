package analysts_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func candidates(a *analysts.Analysis, strategy analysts.Strategy) (list []analysts.Candidate) {
	for _, c := range a.Candidates {
		if c.Strategy == strategy {
			list = append(list, c)
		}
	}
	return list
}

func TestCandidatesKeepTheRules(t *testing.T) {
	a := analyze(t, rising(), analysts.Request{})
	require.Len(t, candidates(a, analysts.CashSecuredPut), 2)
	require.Len(t, candidates(a, analysts.CoveredCall), 2)
	spot := value(t, a, "options.spot")
	seen := map[market.Date]bool{}
	for _, c := range a.Candidates {
		assert.True(t, c.Days >= 20 && c.Days <= 60, "%d days", c.Days)
		assert.True(t, math.Abs(float64(c.Delta)) >= 0.15 && math.Abs(float64(c.Delta)) <= 0.35, "delta %v", c.Delta)
		assert.LessOrEqual(t, float64(c.Spread), 0.15)
		contract, ok := c.Symbol.Contract()
		require.True(t, ok)
		assert.Equal(t, contract.Strike, float64(c.Strike))
		assert.Equal(t, contract.Expiration, c.Expiration)
		if c.Strategy == analysts.CashSecuredPut {
			assert.Equal(t, market.Put, contract.Kind)
			assert.Less(t, contract.Strike, spot)
			assert.False(t, seen[c.Expiration], "one candidate per expiration")
			seen[c.Expiration] = true
		} else {
			assert.Equal(t, market.Call, contract.Kind)
			assert.Greater(t, contract.Strike, spot)
		}
	}

	none := analyze(t, rising(), analysts.Request{Rules: &analysts.Rules{MinDelta: 0.2, MaxDelta: 0.3, MinDays: 30, MaxDays: 40, PerStrategy: 3}})
	require.Len(t, none.Candidates, 2, "one expiration, both strategies")
	for _, c := range none.Candidates {
		assert.Equal(t, 37, c.Days)
	}
}

// The numbers are recomputed from the quote by the formulas of the method text.
// The chain is priced at a flat volatility of 40 % and a rate of 4 % without
// dividends, so the probability is N(d2) with these.
func TestCandidatesNumbersFollowFromTheirQuote(t *testing.T) {
	a := analyze(t, rising(), analysts.Request{})
	spot, atr := value(t, a, "options.spot"), value(t, a, "volatility.atr")
	require.NotEmpty(t, a.CandidateMethod)
	for _, c := range a.Candidates {
		mid, strike := float64(c.Mid), float64(c.Strike)
		assert.InDelta(t, (float64(c.Bid)+float64(c.Ask))/2, mid, 2e-6)
		assert.InDelta(t, mid*100, c.CreditMid.InexactFloat64(), 0.005)
		assert.InDelta(t, float64(c.Bid)*100, c.CreditBid.InexactFloat64(), 0.005)
		assert.True(t, c.CreditBid.IsPositive(), "what is received is positive")

		held, breakeven := strike, strike-mid
		if c.Strategy == analysts.CoveredCall {
			held, breakeven = spot, spot-mid
			assert.Equal(t, "100 shares", c.Needs)
		} else {
			assert.Equal(t, "cash of "+c.CapitalRequired.StringFixed(2), c.Needs)
		}
		assert.InDelta(t, held*100, c.CapitalRequired.InexactFloat64(), 0.005)
		assert.InDelta(t, mid/held, float64(c.Return), 1e-6)
		assert.InDelta(t, mid/held*365/float64(c.Days), float64(c.Annualized), 1e-6)
		assert.InDelta(t, breakeven, float64(c.Breakeven), 2e-6)
		assert.InDelta(t, 0.4, float64(c.IV), 0.002)

		years := (float64(c.Days) + 4.0/24) / 365 // noon to the close four hours later
		d2 := func(k float64) float64 {
			return (math.Log(spot/k) + (testRate-0.08)*years) / (0.4 * math.Sqrt(years))
		}
		above := func(k float64) float64 { return math.Erfc(-d2(k)/math.Sqrt2) / 2 }
		assert.InDelta(t, above(breakeven), float64(c.ProbabilityOfProfit), 0.003, c.Symbol)
		itm := above(strike)
		if c.Strategy == analysts.CashSecuredPut {
			itm = 1 - itm
		}
		assert.InDelta(t, itm, float64(c.ProbabilityITM), 0.003, c.Symbol)

		require.NotEmpty(t, c.SupportID)
		support := value(t, a, c.SupportID)
		assert.InDelta(t, (strike-support)/atr, float64(c.SupportDistanceATR), 1e-6)
		assert.InDelta(t, strike/support-1, float64(c.SupportDistance), 1e-6)
		assert.Contains(t, c.Evidence, c.SupportID)
	}
}

func TestMoneyIsAStringInJSON(t *testing.T) {
	a := analyze(t, rising(), analysts.Request{})
	data, err := json.Marshal(a.Candidates[0])
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(data, &fields))
	for _, name := range []string{"credit_bid", "credit_mid", "capital_required"} {
		assert.IsType(t, "", fields[name], name)
	}
}

func TestEarningsBeforeExpirationForbidIt(t *testing.T) {
	today := market.DateOf(noon)
	for _, row := range []struct {
		days    int
		timing  string
		allowed []int // days to expiration
	}{
		{40, "after close", []int{23, 37}},
		{37, "after close", []int{23, 37}}, // reported when the contract is gone
		{37, "before open", []int{23}},
		{37, "", []int{23}},
		{5, "before open", nil},
	} {
		source := rising()
		source.events[1].Date, source.events[1].Timing = today.AddDays(row.days), row.timing
		a := analyze(t, source, analysts.Request{})
		consistent(t, a)
		assert.Equal(t, float64(row.days), value(t, a, "events.earnings"))
		var allowed []int
		for _, c := range candidates(a, analysts.CashSecuredPut) {
			if len(c.Vetoes) == 0 {
				allowed = append(allowed, c.Days)
			}
		}
		assert.ElementsMatch(t, row.allowed, allowed, "earnings in %d days %s", row.days, row.timing)
		if row.allowed == nil {
			assert.NotEqual(t, analysts.DecisionSelect, a.Verdict.Decision)
			require.NotEmpty(t, a.Verdict.Vetoes)
			assert.Contains(t, a.Verdict.Vetoes[0].Text, "earnings before every expiration")
			require.Len(t, candidates(a, analysts.CashSecuredPut), 1, "the best one is shown with its veto")
		}
	}
}

func TestEarningsOfThisMorningAreOver(t *testing.T) {
	source := rising()
	source.events = []market.Event{
		{Symbol: "TEST", Kind: market.Earnings, Date: market.DateOf(noon), Timing: "before open", Value: 1.2},
		{Symbol: "TEST", Kind: market.Dividend, Date: market.DateOf(noon), Value: 0.3},
	}
	a := analyze(t, source, analysts.Request{})
	assert.Contains(t, absent(t, a, "events.earnings"), "none announced")
	assert.Contains(t, absent(t, a, "events.dividend"), "none announced")
	warned := false
	for _, c := range a.Candidates {
		for _, w := range c.Warnings {
			warned = warned || w.Evidence[0] == "events.earnings"
		}
	}
	assert.True(t, warned, "an unknown earnings date is a warning")

	source.events[0].Timing = "after close"
	a = analyze(t, source, analysts.Request{})
	assert.Zero(t, value(t, a, "events.earnings"), "this evening's are still to come")
}

func TestAnIlliquidChainForbidsSelling(t *testing.T) {
	source := rising()
	source.chain = chainAround(source.quote.Last, 0.4, testRate, 0.5, 9, 23, 37, 51)
	a := analyze(t, source, analysts.Request{})
	consistent(t, a)
	assert.InDelta(t, 0.5, value(t, a, "options.spread"), 0.01)
	assert.Empty(t, a.Candidates)
	assert.NotEqual(t, analysts.DecisionSelect, a.Verdict.Decision)
	assert.Contains(t, a.Verdict.Vetoes[0].Text, "illiquid")
}

func TestNoExpirationInReachIsSaid(t *testing.T) {
	source := rising()
	source.chain = chainAround(source.quote.Last, 0.4, testRate, 0.02, 2, 9)
	a := analyze(t, source, analysts.Request{})
	consistent(t, a)
	assert.Empty(t, a.Candidates)
	assert.Contains(t, a.Verdict.Vetoes[0].Text, "no expiration with quotes within the days")
	assert.Contains(t, absent(t, a, "options.iv30"), "both sides of 30 days")
	assert.InDelta(t, 0.4, value(t, a, "options.atm_iv.1"), 0.002)
}

func TestACashSettledOptionCoversNothing(t *testing.T) {
	source := rising()
	for i := range source.chain {
		source.chain[i].Style = market.European
	}
	a := analyze(t, source, analysts.Request{})
	assert.NotEmpty(t, candidates(a, analysts.CashSecuredPut))
	assert.Empty(t, candidates(a, analysts.CoveredCall))
}

func TestAdjustedContractsAreNoCandidates(t *testing.T) {
	source := rising()
	for i := range source.chain {
		source.chain[i].Multiplier = 150
	}
	assert.Empty(t, analyze(t, source, analysts.Request{}).Candidates)
}

func TestOptionEvidenceOfAFlatSurface(t *testing.T) {
	a := analyze(t, rising(), analysts.Request{})
	spot := value(t, a, "options.spot")
	assert.InDelta(t, 0.4, value(t, a, "options.iv30"), 0.002)
	assert.InDelta(t, 0, value(t, a, "options.skew25"), 0.003)
	assert.InDelta(t, 0, value(t, a, "options.term_slope"), 0.01)
	assert.InDelta(t, 0.02, value(t, a, "options.spread"), 1e-6)
	// One standard deviation to the expiration in 2 days and 4 hours.
	assert.InEpsilon(t, spot*0.4*math.Sqrt((2+4.0/24)/365), value(t, a, "options.expected_move.1"), 0.01)
	assert.InDelta(t, value(t, a, "options.iv30")/value(t, a, "volatility.hv20"), value(t, a, "options.iv_hv"), 1e-12)
	assert.InDelta(t, 1, value(t, a, "data.chain_age"), 1e-9)
}

func TestThePortfolioIsPartOfTheEvidence(t *testing.T) {
	call := market.Symbol("TEST  251121C00160000")
	balances := func(cash, netLiq string) *broker.Balances {
		return &broker.Balances{Time: noon, Currency: "USD", Cash: dec(cash), NetLiquidatingValue: dec(netLiq), DerivativeBuyingPower: dec(cash)}
	}
	share := func(n int64) broker.Position {
		return broker.Position{Symbol: "TEST", Underlying: "TEST", Kind: market.KindEquity, Quantity: decimal.NewFromInt(n), Multiplier: decimal.NewFromInt(1), Mark: dec("140")}
	}
	w := &wallet{
		accounts: []broker.Account{{ID: "A"}, {ID: "B"}, {ID: "C", Closed: true}},
		balances: map[broker.AccountID]*broker.Balances{"A": balances("1000.10", "50000"), "B": balances("90000.05", "150000")},
		positions: map[broker.AccountID][]broker.Position{
			"A": {share(250), {Symbol: call, Underlying: "TEST", Kind: market.KindOption, Quantity: decimal.NewFromInt(-2), Multiplier: decimal.NewFromInt(100), Mark: dec("1.5")}},
			"B": {share(60), {Symbol: "SPY", Underlying: "SPY", Kind: market.KindEquity, Quantity: decimal.NewFromInt(10), Multiplier: decimal.NewFromInt(1)}},
			"C": {share(1000)},
		},
	}
	run := func(account broker.AccountID) *analysts.Analysis {
		a, err := analyst(t, rising(), func(d *analysts.Deps) { d.Broker = w }).Analyze(t.Context(), analysts.Request{Symbol: "TEST", Account: account})
		require.NoError(t, err)
		consistent(t, a)
		return a
	}

	a := run("")
	assert.Equal(t, 310.0, value(t, a, "portfolio.shares"))
	assert.Equal(t, -2.0, value(t, a, "portfolio.options"))
	assert.Equal(t, 60.0, value(t, a, "portfolio.coverable"), "A's other 200 are taken; accounts do not cover each other")
	exposure, _ := a.Find("portfolio.exposure")
	assert.Equal(t, "43100", exposure.Amount.String()) // 310 × 140 − 2 × 100 × 1.50
	assert.InDelta(t, 43100.0/200000, value(t, a, "portfolio.share"), 1e-12)
	cash, _ := a.Find("portfolio.cash")
	assert.Equal(t, "90000.05", cash.Amount.String())
	netLiq, _ := a.Find("portfolio.net_liq")
	assert.Equal(t, "200000", netLiq.Amount.String())
	for _, c := range a.Candidates {
		require.NotNil(t, c.Held)
		assert.Equal(t, c.Strategy == analysts.CashSecuredPut, *c.Held)
	}

	a = run("A")
	assert.Equal(t, 250.0, value(t, a, "portfolio.shares"))
	put := candidates(a, analysts.CashSecuredPut)[0]
	assert.False(t, *put.Held)
	assert.Contains(t, put.Warnings[0].Text, "1000.10")

	// A sum over some accounts would be wrong: it is absent instead.
	delete(w.balances, "B")
	a = run("")
	assert.Equal(t, broker.ErrUnavailable.Error(), absent(t, a, "portfolio.net_liq"))
	assert.Contains(t, absent(t, a, "portfolio.share"), "net_liq")
	assert.Equal(t, 310.0, value(t, a, "portfolio.shares"))

	w.err = broker.ErrUnauthorized
	a = run("")
	assert.Equal(t, broker.ErrUnauthorized.Error(), absent(t, a, "portfolio.shares"))
}

func TestAFundHasNoEarningsToWaitFor(t *testing.T) {
	source := rising()
	source.events = []market.Event{}
	source.instrument.ETF = true
	a := analyze(t, source, analysts.Request{})
	consistent(t, a)
	assert.Equal(t, "a fund or index reports none", absent(t, a, "events.earnings"))
	assert.NotEqual(t, analysts.NoStance, view(a, analysts.ViewResearch).Stance)
	for _, c := range a.Candidates {
		assert.Empty(t, c.Warnings)
	}
}

func TestACalendarThatFailedIsNotACalendarWithoutEarnings(t *testing.T) {
	source := rising()
	source.fail = map[string]error{"Events": market.ErrUnsupported}
	a := analyze(t, source, analysts.Request{})
	assert.Equal(t, "not supported by this source", absent(t, a, "events.earnings"))
	assert.Contains(t, a.Candidates[0].Warnings[0].Text, "next earnings date is not known")

	source.metrics.NextEarnings = &market.Event{Kind: market.Earnings, Date: market.DateOf(noon).AddDays(30)}
	a = analyze(t, source, analysts.Request{})
	assert.Equal(t, 30.0, value(t, a, "events.earnings"), "the metrics know it")
}

func TestATradingHaltForbidsEverything(t *testing.T) {
	source := rising()
	source.quote.Halted = true
	a := analyze(t, source, analysts.Request{})
	consistent(t, a)
	assert.Equal(t, analysts.DecisionReject, a.Verdict.Decision)
	for _, c := range a.Candidates {
		assert.NotEmpty(t, c.Vetoes)
	}
}
