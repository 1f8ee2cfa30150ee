package analysts_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/internal/deptest"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

func TestMain(m *testing.M) {
	sharedtest.FixSeeds()
	goleak.VerifyTestMain(m)
}

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"agents", "workflow", "broker", "market", "options", "indicators", "levels", "internal/..."},
		Modules: []string{"github.com/shopspring/decimal"},
	})
}

// consistent checks what holds for every analysis.
func consistent(t *testing.T, a *analysts.Analysis) {
	t.Helper()
	groups := []analysts.Group{
		analysts.GroupData, analysts.GroupQuote, analysts.GroupTrend, analysts.GroupMomentum, analysts.GroupVolatility, analysts.GroupLevels,
		analysts.GroupOptions, analysts.GroupEvents, analysts.GroupFundamentals, analysts.GroupMarket, analysts.GroupRisk, analysts.GroupNews, analysts.GroupKnowledge, analysts.GroupRecord, analysts.GroupPortfolio,
	}
	ids := map[string]analysts.Evidence{}
	for _, e := range a.Evidence {
		assert.NotContains(t, ids, e.ID, "an id occurs twice")
		ids[e.ID] = e
		assert.Contains(t, groups, e.Group(), e.ID)
		assert.NotEmpty(t, e.Name, e.ID)
		assert.NotEmpty(t, e.Unit, e.ID)
		assert.NotEqual(t, "not computed", e.Absent, "nobody recorded %s", e.ID)
		if e.Known() {
			assert.True(t, e.Value.Known(), "%s has no value", e.ID)
			assert.NotEmpty(t, e.Method, e.ID)
			assert.NotEmpty(t, e.Text, e.ID)
			assert.False(t, e.At.IsZero(), e.ID)
			assert.False(t, e.At.After(a.At), "%s is of %s, after %s", e.ID, e.At, a.At)
		} else {
			assert.False(t, e.Value.Known(), "%s is absent and has a value", e.ID)
		}
	}

	cites := func(where string, reasons []analysts.Reason) {
		for _, r := range reasons {
			assert.NotEmpty(t, r.Text, where)
			assert.NotEmpty(t, r.Evidence, "%s: %q stands on nothing", where, r.Text)
			var cited []analysts.Evidence
			for _, id := range r.Evidence {
				assert.Contains(t, ids, id, "%s: %q", where, r.Text)
				cited = append(cited, ids[id])
			}
			assert.Empty(t, analysts.Unsupported(r.Text, cited), "%s: %q of %v", where, r.Text, r.Evidence)
			assert.Empty(t, analysts.Contradicted(r.Text, cited), "%s: %q of %v", where, r.Text, r.Evidence)
		}
	}
	cites("verdict", a.Verdict.Reasons)
	cites("vetoes", a.Verdict.Vetoes)
	cites("dissent", a.Verdict.Dissent)
	for _, v := range a.Views {
		cites(v.Name, v.Reasons)
		if v.Stance == analysts.NoStance {
			assert.NotEmpty(t, v.Absent)
			continue
		}
		sum := 0.0
		for _, r := range v.Reasons {
			sum += r.Weight
		}
		assert.InDelta(t, float64(v.Score), sum, 0.02, "weights of %s add up to its score", v.Name)
		assert.True(t, v.Score >= -1 && v.Score <= 1)
	}
	for _, c := range a.Candidates {
		cites(string(c.Symbol), c.Vetoes)
		cites(string(c.Symbol), c.Warnings)
		for _, id := range c.Evidence {
			assert.True(t, ids[id].Known(), "%s of %s", id, c.Symbol)
		}
	}
	before, _, _ := strings.Cut(a.Summary, " First candidate: ")
	assert.Empty(t, analysts.Contradicted(a.Summary, a.Evidence), a.Summary)
	assert.Empty(t, analysts.Unsupported(before, a.Evidence, fmt.Sprintf("%.1f of 100", a.Verdict.Score), a.At.Format(time.DateOnly)), before)
	assert.Equal(t, analysts.NoModel, a.Model)
	assert.NotEmpty(t, a.Disclaimer)
	switch a.Verdict.Decision {
	case analysts.DecisionSelect:
		assert.GreaterOrEqual(t, a.Verdict.Score, 60.0)
		assert.Empty(t, a.Verdict.Vetoes)
	case analysts.DecisionReject:
		assert.LessOrEqual(t, a.Verdict.Score, 40.0)
	case analysts.DecisionNeutral:
		assert.True(t, a.Verdict.Score > 40 && a.Verdict.Score < 60)
	default:
		t.Errorf("decision %q", a.Verdict.Decision)
	}
}

func TestAnUptrendWithRichOptionsIsSelected(t *testing.T) {
	a := analyze(t, rising(), analysts.Request{})
	consistent(t, a)
	assert.Equal(t, analysts.DecisionSelect, a.Verdict.Decision, a.Summary)
	assert.Equal(t, analysts.Bullish, view(a, analysts.ViewChart).Stance)
	assert.Equal(t, analysts.Favourable, view(a, analysts.ViewOptions).Stance)
	assert.Equal(t, "Test Corporation", a.Description)
	assert.Equal(t, "made for a test", a.Notice)
	assert.Contains(t, a.Summary, "Verdict: select")
	for _, e := range a.Evidence {
		if e.Absent != "no broker is connected" {
			assert.Empty(t, e.Absent, e.ID)
		}
	}
}

func TestADowntrendForbidsShortPuts(t *testing.T) {
	source := rising()
	source.bars["TEST"] = trend(700, -0.0012, 0.02)
	spot := source.bars["TEST"][699].Close
	source.quote.Bid, source.quote.Ask, source.quote.Last = spot-0.01, spot+0.01, spot
	source.chain = chainAround(spot, 0.4, testRate, 0.02, 9, 23, 37, 51, 93)

	a := analyze(t, source, analysts.Request{})
	consistent(t, a)
	assert.Equal(t, analysts.Bearish, view(a, analysts.ViewChart).Stance)
	assert.NotEqual(t, analysts.DecisionSelect, a.Verdict.Decision)
	require.NotEmpty(t, a.Verdict.Vetoes)
	assert.Contains(t, a.Verdict.Vetoes[0].Text, "downtrend")
	require.NotEmpty(t, a.Verdict.Dissent, "options and chart do not agree")
	puts, calls := 0, 0
	for _, c := range a.Candidates {
		if c.Strategy == analysts.CashSecuredPut {
			puts++
			require.NotEmpty(t, c.Vetoes)
		} else {
			calls++
			assert.Empty(t, c.Vetoes)
		}
	}
	assert.Equal(t, 1, puts, "the best put is shown with its veto")
	assert.Equal(t, 2, calls)
}

func TestAMarketThatGoesNowhereIsNeitherBullishNorBearish(t *testing.T) {
	source := &fake{bars: map[market.Symbol][]market.Bar{"TEST": trend(700, 0, 0.01)}}
	a := analyze(t, source, analysts.Request{})
	consistent(t, a)
	assert.Equal(t, analysts.Neutral, view(a, analysts.ViewChart).Stance, "score %v", view(a, analysts.ViewChart).Score)
	assert.Equal(t, analysts.DecisionNeutral, a.Verdict.Decision)
}

// A market that never moved at all divides by zero in many places.
func TestAMarketThatStandsStillHasNoInventedNumbers(t *testing.T) {
	bars := trend(300, 0, 0)
	for i := range bars {
		bars[i] = market.Bar{Time: bars[i].Time, Open: 50, High: 50, Low: 50, Close: 50, Volume: 0}
	}
	a := analyze(t, &fake{bars: map[market.Symbol][]market.Bar{"TEST": bars}}, analysts.Request{})
	consistent(t, a)
	assert.Zero(t, value(t, a, "volatility.atr"))
	assert.Contains(t, absent(t, a, "levels.support.1"), "volatility.atr")
	assert.Contains(t, absent(t, a, "levels.poc"), "no volume")
	assert.NotEqual(t, analysts.DecisionSelect, a.Verdict.Decision)
}

func TestTooFewBarsAreNoGroundForAVerdict(t *testing.T) {
	for _, row := range []struct {
		bars     int
		decision analysts.Decision
		missing  string
	}{
		{1, analysts.DecisionReject, "momentum.rsi"},
		{10, analysts.DecisionReject, "momentum.rsi"},
		{45, analysts.DecisionNeutral, "trend.sma50_distance"},
	} {
		a := analyze(t, &fake{bars: map[market.Symbol][]market.Bar{"TEST": trend(row.bars, 0.002, 0.01)}}, analysts.Request{})
		consistent(t, a)
		assert.Equal(t, row.decision, a.Verdict.Decision, "%d bars", row.bars)
		require.NotEmpty(t, a.Verdict.Vetoes)
		assert.Equal(t, []string{"data.bars"}, a.Verdict.Vetoes[0].Evidence)
		assert.Equal(t, "too few bars", absent(t, a, row.missing))
		assert.Equal(t, float64(row.bars), value(t, a, "data.bars"))
	}
}

func TestPriceEvidenceIsWhatItsMethodSays(t *testing.T) {
	source := rising()
	a := analyze(t, source, analysts.Request{})
	bars := source.bars["TEST"]
	n := len(bars)
	mean := func(from, to int) float64 {
		sum := 0.0
		for _, b := range bars[from:to] {
			sum += b.Close
		}
		return sum / float64(to-from)
	}
	last := bars[n-1].Close
	assert.Equal(t, last, value(t, a, "trend.close"))
	assert.InEpsilon(t, last/mean(n-200, n)-1, value(t, a, "trend.sma200_distance"), 1e-9)
	assert.InEpsilon(t, mean(n-50, n)/mean(n-70, n-20)-1, value(t, a, "trend.sma50_slope"), 1e-9)
	assert.InEpsilon(t, last/bars[n-64].Close-1, value(t, a, "momentum.roc63"), 1e-12)

	var r []float64
	sum, squares := 0.0, 0.0
	for i := n - 20; i < n; i++ {
		r = append(r, math.Log(bars[i].Close/bars[i-1].Close))
		sum += r[len(r)-1]
	}
	for _, x := range r {
		squares += (x - sum/20) * (x - sum/20)
	}
	assert.InEpsilon(t, math.Sqrt(squares/19*252), value(t, a, "volatility.hv20"), 1e-9)

	high, low := math.Inf(-1), math.Inf(1)
	for _, b := range bars[n-252:] {
		high, low = max(high, b.High), min(low, b.Low)
	}
	assert.Equal(t, high, value(t, a, "levels.high52"))
	assert.InEpsilon(t, (last-low)/(high-low), value(t, a, "levels.position52"), 1e-12)

	support, _ := a.Find("levels.support.1")
	require.NotNil(t, support.DistanceATR)
	assert.Less(t, float64(support.Value), last)
	assert.InEpsilon(t, (float64(support.Value)-last)/value(t, a, "volatility.atr"), float64(*support.DistanceATR), 1e-9)
	assert.InEpsilon(t, 0.62, value(t, a, "options.iv_rank"), 1e-12)
	assert.Equal(t, time.Date(2025, 10, 14, 16, 0, 0, 0, newYork), func() time.Time { e, _ := a.Find("trend.close"); return e.At }())
}

func TestLevelsAreOrderedAndApart(t *testing.T) {
	a := analyze(t, rising(), analysts.Request{})
	last, atr := value(t, a, "trend.close"), value(t, a, "volatility.atr")
	for _, side := range []struct {
		name string
		sign float64
	}{{"support", -1}, {"resistance", 1}} {
		previous := 0.0
		for i := range 3 {
			e, ok := a.Find("levels." + side.name + "." + string(rune('1'+i)))
			if !ok {
				require.NotZero(t, i)
				break
			}
			if !e.Known() {
				continue
			}
			distance := side.sign * (float64(e.Value) - last)
			assert.Greater(t, distance, previous, e.ID)
			previous = distance
			assert.NotZero(t, atr)
		}
	}
}

func TestNothingAfterTheInstantMatters(t *testing.T) {
	all := trend(700, 0.0003, 0.05)
	for _, cut := range []int{80, 299, 300, 420, 555, 699} {
		// In the middle of the session after the last bar that may count.
		at := all[cut].Time.Add(13 * time.Hour)
		whole := &fake{bars: map[market.Symbol][]market.Bar{"TEST": all, "SPY": all}}
		past := &fake{bars: map[market.Symbol][]market.Bar{"TEST": all[:cut], "SPY": all[:cut]}}
		want, err := json.Marshal(analyze(t, past, analysts.Request{At: at}))
		require.NoError(t, err)
		got, err := json.Marshal(analyze(t, whole, analysts.Request{At: at}))
		require.NoError(t, err)
		assert.JSONEq(t, string(want), string(got), "at bar %d", cut)
	}
}

func TestABarInProgressIsNotEvidence(t *testing.T) {
	source := rising()
	today := market.DateOf(noon)
	source.bars["TEST"] = append(source.bars["TEST"], market.Bar{Time: today.In(newYork), Open: 1, High: 1000, Low: 1, Close: 1000, Volume: 1})
	a := analyze(t, source, analysts.Request{})
	assert.Equal(t, source.bars["TEST"][699].Close, value(t, a, "trend.close"))
	assert.Zero(t, value(t, a, "data.last_bar"))
	assert.Zero(t, value(t, a, "data.missing_bars"))
}

func TestAPastInstantHasNoEvidenceOfNow(t *testing.T) {
	a := analyze(t, rising(), analysts.Request{At: noon.AddDate(0, -2, 0)})
	consistent(t, a)
	for _, e := range a.Evidence {
		switch e.Group() {
		case analysts.GroupQuote, analysts.GroupOptions, analysts.GroupEvents, analysts.GroupFundamentals, analysts.GroupPortfolio:
			assert.False(t, e.Known(), e.ID)
		}
	}
	assert.Equal(t, "only available for now, not for a past time", absent(t, a, "options.iv_rank"))
	assert.Empty(t, a.Candidates)
	assert.True(t, view(a, analysts.ViewChart).Score.Known())

	few := analyze(t, rising(), analysts.Request{At: noon.Add(-4 * time.Minute)})
	e, _ := few.Find("options.iv_rank")
	assert.True(t, e.Known(), "a few minutes ago is now")
}

func TestTheWindowIsTheAnalystsNotTheSources(t *testing.T) {
	long := trend(1500, 0.0002, 0.03)
	whole := analyze(t, &fake{bars: map[market.Symbol][]market.Bar{"TEST": long}}, analysts.Request{})
	cut := slices.DeleteFunc(slices.Clone(long), func(b market.Bar) bool { return b.Time.Before(noon.AddDate(-3, 0, -1)) })
	part := analyze(t, &fake{bars: map[market.Symbol][]market.Bar{"TEST": cut}}, analysts.Request{})
	assert.Equal(t, part.Evidence[0].Text, whole.Evidence[0].Text)
	assert.Equal(t, value(t, part, "momentum.rsi"), value(t, whole, "momentum.rsi"))
	shorter := analyze(t, &fake{bars: map[market.Symbol][]market.Bar{"TEST": long}}, analysts.Request{LookbackYears: 1})
	assert.Less(t, value(t, shorter, "data.bars"), value(t, whole, "data.bars"))
}

func TestUnusableBarsAreLeftOutAndCounted(t *testing.T) {
	bars := trend(300, 0.0005, 0.02)
	bars[100].High = bars[100].Low / 2
	bars[120].Close = math.NaN()
	bars[130].Low = 0
	bars[140].Time = bars[139].Time
	a := analyze(t, &fake{bars: map[market.Symbol][]market.Bar{"TEST": bars}}, analysts.Request{})
	consistent(t, a)
	assert.Equal(t, 296.0, value(t, a, "data.bars"))
	e, _ := a.Find("data.bars")
	assert.Contains(t, e.Text, "4 unusable left out")
	assert.Equal(t, 4.0, value(t, a, "data.missing_bars"))
}

func TestOldBarsForbidSelecting(t *testing.T) {
	bars := trend(700, 0.0006, 0.03)
	a := analyze(t, &fake{bars: map[market.Symbol][]market.Bar{"TEST": bars[:690]}}, analysts.Request{})
	consistent(t, a)
	assert.Equal(t, 10.0, value(t, a, "data.last_bar"))
	assert.NotEqual(t, analysts.DecisionSelect, a.Verdict.Decision)
	require.NotEmpty(t, a.Verdict.Vetoes)
	assert.Equal(t, []string{"data.last_bar"}, a.Verdict.Vetoes[0].Evidence)
}

func TestTheSameInputsGiveTheSameAnalysis(t *testing.T) {
	a := analyst(t, rising(), nil)
	var want []byte
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			result, err := a.Analyze(t.Context(), analysts.Request{Symbol: "test"})
			if !assert.NoError(t, err) {
				return
			}
			got, err := json.Marshal(result)
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			if want == nil {
				want = got
			}
			assert.True(t, bytes.Equal(want, got))
		})
	}
	wg.Wait()
}

func TestAnAnalysisReadsBackFromItsJSON(t *testing.T) {
	for name, a := range map[string]*analysts.Analysis{
		"full":      analyze(t, rising(), analysts.Request{}),
		"bars only": analyze(t, &fake{bars: map[market.Symbol][]market.Bar{"TEST": trend(30, 0, 0.01)}}, analysts.Request{}),
	} {
		data, err := json.Marshal(a)
		require.NoError(t, err)
		var back analysts.Analysis
		require.NoError(t, json.Unmarshal(data, &back))
		again, err := json.Marshal(&back)
		require.NoError(t, err)
		assert.Equal(t, string(data), string(again), name)
		assert.Nil(t, back.Chart)
		assert.LessOrEqual(t, len(data), 26_000, name)
		t.Logf("%s: %d bytes, %d pieces of evidence", name, len(data), len(a.Evidence))
	}
}

func TestTheChartHasWhatADrawingNeeds(t *testing.T) {
	a := analyze(t, rising(), analysts.Request{})
	require.NotNil(t, a.Chart)
	assert.Equal(t, 700, a.Chart.Series.Len())
	require.Len(t, a.Chart.Lines, 3)
	for _, line := range a.Chart.Lines {
		assert.Len(t, line.Values, 700, line.Name)
	}
	assert.Len(t, a.Chart.RSI, 700)
	require.NotEmpty(t, a.Chart.Levels)
	for _, l := range a.Chart.Levels {
		assert.Equal(t, value(t, a, l.EvidenceID), l.Price)
		assert.NotEmpty(t, l.Name)
	}
}
