package analysts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for field, deps := range map[string]analysts.Deps{
		"Market":  {},
		"Rate":    {Market: &fake{}, Rate: math.NaN()},
		"Timeout": {Market: &fake{}, Timeout: -1},
	} {
		_, err := analysts.New(deps)
		var bad *analysts.FieldError
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, field, bad.Field)
	}
	_, err := analysts.New(analysts.Deps{Market: &fake{}})
	require.NoError(t, err)
}

func TestALaterTimeOfTheSameDayMeansNow(t *testing.T) {
	analysis, err := analyst(t, rising(), nil).Analyze(t.Context(), analysts.Request{Symbol: "TEST", At: noon.Add(4 * time.Hour)})
	require.NoError(t, err)
	require.True(t, analysis.At.Equal(noon), "%s", analysis.At)
}

func TestARequestThatMakesNoSenseNamesItsField(t *testing.T) {
	for _, row := range []struct {
		field   string
		request analysts.Request
	}{
		{"symbol", analysts.Request{}},
		{"symbol", analysts.Request{Symbol: "what is this?"}},
		{"symbol", analysts.Request{Symbol: "SPY   261218C00500000"}},
		{"at", analysts.Request{Symbol: "TEST", At: noon.Add(24 * time.Hour)}},
		{"at", analysts.Request{Symbol: "TEST", At: time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)}},
		{"lookback_years", analysts.Request{Symbol: "TEST", LookbackYears: -1}},
		{"lookback_years", analysts.Request{Symbol: "TEST", LookbackYears: 21}},
		{"benchmark", analysts.Request{Symbol: "TEST", Benchmark: "?"}},
		{"account", analysts.Request{Symbol: "TEST", Account: "5WX00001"}},
		{"rules.delta", analysts.Request{Symbol: "TEST", Rules: &analysts.Rules{MinDelta: 0.5, MaxDelta: 0.2}}},
		{"rules.delta", analysts.Request{Symbol: "TEST", Rules: &analysts.Rules{MinDelta: math.NaN(), MaxDelta: 0.2}}},
		{"rules.days", analysts.Request{Symbol: "TEST", Rules: &analysts.Rules{MinDays: 50, MaxDays: 20}}},
		{"rules.max_spread", analysts.Request{Symbol: "TEST", Rules: &analysts.Rules{MaxSpread: -1}}},
		{"rules.per_strategy", analysts.Request{Symbol: "TEST", Rules: &analysts.Rules{PerStrategy: 11}}},
	} {
		_, err := analyst(t, rising(), nil).Analyze(t.Context(), row.request)
		var bad *analysts.FieldError
		require.ErrorAs(t, err, &bad, "%+v", row.request)
		assert.Equal(t, row.field, bad.Field)
		assert.NotEmpty(t, bad.Allowed)
	}
}

func TestWithoutBarsThereIsNoAnalysis(t *testing.T) {
	for _, row := range []struct {
		source *fake
		want   error
	}{
		{&fake{}, market.ErrUnknownSymbol},
		{&fake{bars: map[market.Symbol][]market.Bar{"TEST": {}}}, market.ErrNoData},
		{&fake{bars: map[market.Symbol][]market.Bar{"TEST": {{Time: noon, Close: math.NaN()}}}}, market.ErrNoData},
		{&fake{fail: map[string]error{"Bars": broker.ErrUnavailable}}, broker.ErrUnavailable},
	} {
		_, err := analyst(t, row.source, nil).Analyze(t.Context(), analysts.Request{Symbol: "TEST"})
		require.ErrorIs(t, err, row.want)
		assert.Contains(t, err.Error(), "TEST")
	}
}

func TestAPartThatFailsLeavesTheRest(t *testing.T) {
	boom := errors.New("unexpected\nanswer " + strings.Repeat("x", 500))
	for method, id := range map[string]string{
		"Quotes": "quote.price", "Expirations": "options.atm_iv.1", "Chain": "options.atm_iv.1",
		"Metrics": "options.iv_rank", "Events": "", "Instruments": "",
	} {
		source := rising()
		source.fail = map[string]error{method: boom}
		a := analyze(t, source, analysts.Request{})
		consistent(t, a)
		assert.NotZero(t, value(t, a, "trend.close"))
		if id != "" {
			reason := absent(t, a, id)
			assert.Contains(t, reason, "the source failed: unexpected answer")
			assert.LessOrEqual(t, utf8.RuneCountInString(reason), 150)
		}
	}
}

func TestASourceWithBarsAloneIsAnswerEnough(t *testing.T) {
	source := &fake{bars: map[market.Symbol][]market.Bar{"TEST": trend(700, 0.0005, 0.03)}}
	a := analyze(t, source, analysts.Request{})
	consistent(t, a)
	assert.Equal(t, "not supported by this source", absent(t, a, "options.iv_rank"))
	assert.Equal(t, "no broker is connected", absent(t, a, "portfolio.cash"))
	assert.Equal(t, analysts.NoStance, view(a, analysts.ViewOptions).Stance)
	assert.Empty(t, a.Candidates)
	assert.Equal(t, analysts.Bullish, view(a, analysts.ViewChart).Stance)
	// A rising chart is no reason to sell options that nobody has quoted.
	assert.Equal(t, analysts.DecisionNeutral, a.Verdict.Decision)
	require.Len(t, a.Verdict.Vetoes, 1)
	assert.Contains(t, a.Verdict.Vetoes[0].Text, "no option quotes")
}

// A source that hangs on some questions costs their evidence and no more time
// than the caller gave.
func TestASourceThatHangsCostsItsEvidenceOnly(t *testing.T) {
	for _, method := range []string{"Quotes", "Expirations", "Chain", "Metrics", "Events", "Instruments"} {
		synctest.Test(t, func(t *testing.T) {
			source := rising()
			source.hang = map[string]bool{method: true}
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			start := time.Now()
			a, err := analyst(t, source, nil).Analyze(ctx, analysts.Request{Symbol: "TEST"})
			require.NoError(t, err, method)
			assert.Less(t, time.Since(start), 4*time.Second, method)
			assert.NoError(t, ctx.Err())
			consistent(t, a)
			switch method {
			case "Quotes":
				assert.Equal(t, "no answer within the deadline", absent(t, a, "quote.price"))
				assert.NotZero(t, value(t, a, "options.atm_iv.1"), "the chain still had time")
			case "Metrics":
				assert.Equal(t, "no answer within the deadline", absent(t, a, "options.iv_rank"))
			case "Chain", "Expirations":
				assert.Equal(t, "no answer within the deadline", absent(t, a, "options.atm_iv.1"))
			}
		})
	}
}

func TestWithoutADeadlineEveryQuestionHasOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := rising()
		source.hang = map[string]bool{"Quotes": true, "Chain": true, "Metrics": true}
		start := time.Now()
		_, err := analyst(t, source, func(d *analysts.Deps) { d.Timeout = 3 * time.Second }).Analyze(t.Context(), analysts.Request{Symbol: "TEST"})
		require.NoError(t, err)
		assert.Equal(t, 6*time.Second, time.Since(start), "the quote's time and then the chain's")
	})
}

func TestBarsThatHangAreAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := rising()
		source.hang = map[string]bool{"Bars": true}
		source.fail = map[string]error{"Chain": market.ErrNoData}
		_, err := analyst(t, source, nil).Analyze(t.Context(), analysts.Request{Symbol: "TEST"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestBarsThatHangLeaveTheOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := rising()
		source.hang = map[string]bool{"Bars": true}
		a := analyze(t, source, analysts.Request{})
		consistent(t, a)
		assert.Equal(t, "no answer within the deadline", absent(t, a, "trend.close"))
		assert.NotZero(t, value(t, a, "options.atm_iv.1"))
		assert.Equal(t, analysts.NoStance, view(a, analysts.ViewChart).Stance)
		assert.Equal(t, analysts.DecisionReject, a.Verdict.Decision, "nothing is known about the price")
	})
}

func TestCancellingEndsTheAnalysis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := rising()
		source.hang = map[string]bool{"Metrics": true}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, err := analyst(t, source, nil).Analyze(ctx, analysts.Request{Symbol: "TEST"})
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestAnUnknownAccountIsTheCallersMistake(t *testing.T) {
	w := &wallet{accounts: []broker.Account{{ID: "A"}}}
	_, err := analyst(t, rising(), func(d *analysts.Deps) { d.Broker = w }).Analyze(t.Context(), analysts.Request{Symbol: "TEST", Account: "B"})
	require.ErrorIs(t, err, broker.ErrUnknownAccount)
	var bad *analysts.FieldError
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, "account", bad.Field)
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, fmt.Errorf("disk full") }

func TestTheReportIsPlainTextInColumns(t *testing.T) {
	a := analyze(t, rising(), analysts.Request{})
	var out bytes.Buffer
	require.NoError(t, a.WriteText(&out))
	text := out.String()
	for _, want := range []string{"TEST, Test Corporation", "VERDICT  SELECT", "CANDIDATES", "cash secured put", "[trend.sma200_distance]", "ABSENT", "no broker is connected", analysts.NotAdvice} {
		assert.True(t, strings.Contains(text, want), "no %q", want)
	}
	for line := range strings.Lines(text) {
		assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 100, line)
		assert.NotContains(t, line, "NaN")
		assert.NotContains(t, line, "\x1b")
	}
	require.ErrorContains(t, a.WriteText(fullDisk{}), "disk full")
}
