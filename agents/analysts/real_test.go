package analysts_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// priceEvidence is what must not depend on who serves the bars.
func priceEvidence(t *testing.T, a *analysts.Analysis) string {
	t.Helper()
	var list []analysts.Evidence
	for _, e := range a.Evidence {
		switch e.Group() {
		case analysts.GroupTrend, analysts.GroupMomentum, analysts.GroupVolatility, analysts.GroupLevels:
			list = append(list, e)
		}
	}
	data, err := json.Marshal(list)
	require.NoError(t, err)
	return string(data)
}

func TestRealBarsGiveAFullPriceAnalysis(t *testing.T) {
	file, err := market.OpenBars(sharedtest.Path(t, "data", "daily", "yahoo_spy_2005_2021.csv.gz"), &market.CSVOptions{Symbol: "SPY"})
	require.NoError(t, err)
	for _, at := range []time.Time{
		time.Date(2008, 10, 10, 18, 0, 0, 0, newYork),
		time.Date(2017, 6, 1, 11, 0, 0, 0, newYork),
		time.Date(2020, 3, 23, 16, 0, 0, 0, newYork),
		time.Date(2021, 12, 30, 17, 0, 0, 0, newYork),
	} {
		source, err := market.NewFileSource(market.FileSourceOptions{Bars: []*market.BarFile{file}, Clock: market.NewManualClock(at)})
		require.NoError(t, err)
		read := func(m market.Source, clock market.Clock) *analysts.Analysis {
			a, err := analysts.New(analysts.Deps{Market: m, Clock: clock, Rate: 0.01})
			require.NoError(t, err)
			result, err := a.Analyze(t.Context(), analysts.Request{Symbol: "SPY", At: at})
			require.NoError(t, err)
			consistent(t, result)
			return result
		}
		direct := read(source, market.NewManualClock(at))
		for _, e := range direct.Evidence {
			switch e.Group() {
			case analysts.GroupTrend, analysts.GroupMomentum, analysts.GroupVolatility:
				assert.True(t, e.Known(), "%s at %s: %s", e.ID, at, e.Absent)
			}
		}
		// Another source, which holds the whole file and whose now is years later.
		later := read(&fake{bars: map[market.Symbol][]market.Bar{"SPY": file.Bars}}, market.NewManualClock(at.AddDate(4, 0, 0)))
		assert.Equal(t, priceEvidence(t, direct), priceEvidence(t, later), "at %s", at)
		t.Log(direct.Summary)
	}
}

// The closes and averages are of the file, computed once by hand.
func TestThePanicOf2020IsNotSelected(t *testing.T) {
	file, err := market.OpenBars(sharedtest.Path(t, "data", "daily", "yahoo_spy_2005_2021.csv.gz"), &market.CSVOptions{Symbol: "SPY"})
	require.NoError(t, err)
	at := time.Date(2020, 3, 23, 16, 0, 0, 0, newYork)
	a, err := analysts.New(analysts.Deps{Market: &fake{bars: map[market.Symbol][]market.Bar{"SPY": file.Bars}}, Clock: market.NewManualClock(at)})
	require.NoError(t, err)
	result, err := a.Analyze(t.Context(), analysts.Request{Symbol: "SPY"})
	require.NoError(t, err)
	assert.InDelta(t, 222.95, value(t, result, "trend.close"), 0.005)
	assert.Equal(t, analysts.Bearish, view(result, analysts.ViewChart).Stance)
	assert.Equal(t, analysts.DecisionReject, result.Verdict.Decision)
}

func TestARealChainWithoutBarsStillSaysWhatOptionsSay(t *testing.T) {
	chain, err := market.OpenChain(sharedtest.Path(t, "data", "options", "yahoo_chain_aapl_20251124_20251205.csv.gz"), &market.CSVOptions{Symbol: "AAPL", BadRows: market.SkipBadRows})
	require.NoError(t, err)
	at := time.Date(2025, 11, 25, 16, 0, 0, 0, newYork)
	source, err := market.NewFileSource(market.FileSourceOptions{Chains: []*market.ChainFile{chain}, Clock: market.NewManualClock(at)})
	require.NoError(t, err)
	a, err := analysts.New(analysts.Deps{Market: source, Clock: market.NewManualClock(at), Rate: 0.039})
	require.NoError(t, err)
	result, err := a.Analyze(t.Context(), analysts.Request{Symbol: "AAPL"})
	require.NoError(t, err)
	consistent(t, result)
	var out bytes.Buffer
	require.NoError(t, result.WriteText(&out))
	t.Log(out.String())
	assert.InDelta(t, 276.97, value(t, result, "options.spot"), 2)
	iv := value(t, result, "options.atm_iv.1")
	assert.True(t, iv > 0.1 && iv < 0.5, "%v", iv)
	assert.Equal(t, analysts.DecisionReject, result.Verdict.Decision, "nothing is known about the price")
}

func TestTheSyntheticMarketIsAnalysedWhole(t *testing.T) {
	clock := market.NewManualClock(synthetic.DefaultStart())
	m, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: clock})
	require.NoError(t, err)
	a, err := analysts.New(analysts.Deps{Market: m, Clock: clock, Rate: m.Rate(), Environment: broker.Simulator})
	require.NoError(t, err)
	decisions := map[analysts.Decision]int{}
	offered := 0
	for _, symbol := range []market.Symbol{"SPY", "AAPL", "XOM", "TLT", "SPX", "F"} {
		result, err := a.Analyze(t.Context(), analysts.Request{Symbol: symbol})
		require.NoError(t, err, symbol)
		consistent(t, result)
		decisions[result.Verdict.Decision]++
		offered += len(result.Candidates)
		data, err := json.Marshal(result)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(data), 26_000, symbol)
		t.Logf("%d bytes: %s", len(data), result.Summary)
		for _, id := range []string{"options.iv_rank", "options.atm_iv.1", "options.expected_move.1", "options.spread", "quote.price"} {
			assert.NotZero(t, value(t, result, id), "%s %s", symbol, id)
		}
	}
	for _, symbol := range []market.Symbol{"SPY", "AAPL", "F"} {
		result, err := a.Analyze(t.Context(), analysts.Request{Symbol: symbol, Strategies: analysts.Strategies()})
		require.NoError(t, err, symbol)
		consistent(t, result) // whose reasons hold no number that the evidence they cite does not have
	}
	assert.NotZero(t, offered)
	t.Log(decisions)
}
