package analysts_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
)

func money(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// earlier is an analysis of TEST with one candidate that expired on the Friday before.
func earlier(c analysts.Candidate, decision analysts.Decision) *analysts.Analysis {
	c.Expiration = market.Date{Year: 2025, Month: 9, Day: 19}
	for i := range c.Legs {
		c.Legs[i].Expiration = c.Expiration
	}
	return &analysts.Analysis{Symbol: "TEST", At: noon.AddDate(0, -2, 0), Verdict: analysts.Verdict{Decision: decision}, Candidates: []analysts.Candidate{c}}
}

func TestAScorecardIsWhatTheCandidatesBroughtAtExpiration(t *testing.T) {
	day := time.Date(2025, 9, 19, 9, 30, 0, 0, market.NYSE().Location())
	source := &fake{bars: map[market.Symbol][]market.Bar{"TEST": {{Time: day, Open: 95, High: 97, Low: 94, Close: 96, Volume: 1}}}}
	a, err := analysts.New(analysts.Deps{Market: source, Clock: market.NewManualClock(noon)})
	require.NoError(t, err)
	put := analysts.Candidate{Strategy: analysts.CashSecuredPut, Symbol: "TEST  250919P00100000", Strike: 100, CreditMid: money("150"), CapitalRequired: money("10000"), Return: 0.015, ProbabilityOfProfit: 0.8}
	call := analysts.Candidate{Strategy: analysts.CoveredCall, Symbol: "TEST  250919C00100000", Strike: 100, CreditMid: money("150"), CapitalRequired: money("9500"), Return: 150.0 / 9500, ProbabilityOfProfit: 0.6}
	spread := analysts.Candidate{Strategy: analysts.BullPut, Symbol: "TEST  250919P00098000", Strike: 98, CreditMid: money("60"), CapitalRequired: money("440"), Return: 60.0 / 440, ProbabilityOfProfit: 0.7,
		Legs: []analysts.CandidateLeg{{Symbol: "TEST  250919P00098000", Quantity: -1, Strike: 98}, {Symbol: "TEST  250919P00093000", Quantity: 1, Strike: 93}}}
	low := put
	low.Strike, low.Symbol = 90, "TEST  250919P00090000"
	straddle := put
	straddle.Strategy = analysts.GammaScalp
	split := put
	split.Strike = 400
	past := []*analysts.Analysis{
		earlier(put, analysts.DecisionSelect), earlier(call, analysts.DecisionNeutral), earlier(spread, analysts.DecisionSelect), earlier(low, analysts.DecisionSelect),
		earlier(straddle, analysts.DecisionSelect), earlier(split, analysts.DecisionSelect), nil, {Symbol: "NONE"},
	}
	outcomes, card, err := a.Score(t.Context(), past)
	require.NoError(t, err)
	require.Len(t, outcomes, 4)
	// By hand, at a close of 96: 150 − 400; 150 + 9600 − 9500; 60 − 200; 150.
	for i, want := range []string{"-250", "250", "-140", "150"} {
		assert.Equal(t, want, outcomes[i].Profit.String(), i)
	}
	assert.Equal(t, 4, card.Analyses)
	assert.InDelta(t, 1.0/3, card.HitRate, 1e-12, "one of the three selected")
	assert.InDelta(t, (0.8+(0.6-1)+0.7+(0.8-1))/4, card.Calibration, 1e-12)
	assert.InDelta(t, ((-0.025-0.015)+(250.0-150)/9500+(-140.0-60)/440+0)/4, card.Realised, 1e-12)

	_, none, err := a.Score(t.Context(), nil)
	require.NoError(t, err)
	assert.Zero(t, none.Analyses)
	assert.True(t, math.IsNaN(none.HitRate))
}

func TestTheScorecardIsAWorkflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		day := time.Date(2025, 9, 19, 9, 30, 0, 0, market.NYSE().Location())
		source := &fake{bars: map[market.Symbol][]market.Bar{"TEST": {{Time: day, Open: 95, High: 97, Low: 94, Close: 96, Volume: 1}}}}
		a, err := analysts.New(analysts.Deps{Market: source, Clock: market.NewManualClock(noon)})
		require.NoError(t, err)
		var saved *analysts.ScorecardDone
		definitions, err := analysts.Workflows{Analyst: a,
			Past: func(context.Context, market.Symbol) ([]*analysts.Analysis, error) {
				return []*analysts.Analysis{earlier(analysts.Candidate{Strategy: analysts.CashSecuredPut, Strike: 90, CreditMid: money("50"), CapitalRequired: money("9000"), Return: 0.01, ProbabilityOfProfit: market.Float(math.NaN())}, analysts.DecisionNeutral)}, nil
			},
			Save: func(_ context.Context, _ string, r analysts.Result) (string, error) {
				saved = r.Scorecard
				return "1", nil
			},
		}.Definitions()
		require.NoError(t, err)
		store, err := memory.New(nil)
		require.NoError(t, err)
		defer store.Close()
		tenant, err := store.For(storage.Local)
		require.NoError(t, err)
		e, err := journal.New(t.Context(), tenant, definitions, nil)
		require.NoError(t, err)
		defer e.Close()
		_, err = e.Start(t.Context(), "s", analysts.ScorecardWorkflow, analysts.ScorecardJob{})
		require.NoError(t, err)
		got, err := workflow.Result[analysts.ScorecardDone](t.Context(), e, "s")
		require.NoError(t, err)
		require.NotNil(t, saved)
		assert.Equal(t, 1, got.Analyses)
		assert.False(t, got.HitRate.Known(), "nothing was selected: null, not 0")
		assert.False(t, got.Calibration.Known())
		assert.Equal(t, "50", got.Outcomes[0].Profit.String())
		assert.Equal(t, 1, got.Scorecard().Analyses)
	})
}
