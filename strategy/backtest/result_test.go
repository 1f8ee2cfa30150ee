package backtest_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// waves are daily bars on sessions that a moving average can follow.
func waves(n int) []market.Bar {
	bars := wave(n)
	calendar := market.NYSE()
	sessions := calendar.Sessions(market.Date{Year: 2018, Month: 1, Day: 2}, market.Date{Year: 2024, Month: 1, Day: 1})
	for i := range bars {
		bars[i].Time = sessions[i].Date.In(calendar.Location())
	}
	return bars
}

// crossRun are options of a run over waves.
func crossRun(t testing.TB, bars []market.Bar, params string) backtest.Options {
	t.Helper()
	r := backtest.Request{Strategy: "ma-cross", Params: json.RawMessage(params), Rules: "backtesting.py+exclusive", Commission: 0.001, Seed: 3}
	_, err := r.Prepare("WAVE")
	require.NoError(t, err)
	o, err := r.Options(&backtest.Market{Bars: []backtest.BarFeed{{Symbol: "WAVE", Bars: bars, Name: "waves"}}})
	require.NoError(t, err)
	o.Version = "test"
	return o
}

func ran(t testing.TB, o backtest.Options) *backtest.Result {
	t.Helper()
	result, err := backtest.Run(t.Context(), o)
	require.NoError(t, err)
	return result
}

func TestAResultNamesWhatItTakesAndRepeatsBitForBit(t *testing.T) {
	bars := waves(600)
	write := func(o backtest.Options) (string, *backtest.Summary) {
		result := ran(t, o)
		var b bytes.Buffer
		require.NoError(t, result.WriteJSON(&b))
		require.NoError(t, result.WriteHTML(&b, nil))
		require.NoError(t, result.WriteTrades(&b))
		require.NoError(t, result.WriteCurve(&b))
		require.NoError(t, result.WriteFills(&b))
		require.NoError(t, result.WriteGreeks(&b))
		require.NoError(t, result.WriteMetrics(&b))
		s, err := result.Summary()
		require.NoError(t, err)
		return b.String(), s
	}
	first, s := write(crossRun(t, bars, `{"fast":5,"slow":20}`))
	again, _ := write(crossRun(t, bars, `{"fast":5,"slow":20}`))
	require.Equal(t, first, again)
	assert.Equal(t, "test", s.Settings.Version, "the code")
	assert.Equal(t, uint64(3), s.Settings.Seed)
	assert.Contains(t, s.Settings.Rules, "backtesting.py")
	assert.JSONEq(t, `{"fast":5,"slow":20,"symbol":"WAVE"}`, string(s.Settings.Strategies[0].Params))
	assert.Contains(t, s.Settings.Data[0], "waves")
	assert.NotEmpty(t, s.Data)
	assert.Len(t, s.Fingerprint, 64)
	assert.Greater(t, s.Metrics.Value("trades"), 5.0)

	changed := append([]market.Bar(nil), bars...)
	changed[300].Close *= 1.0001
	_, other := write(crossRun(t, changed, `{"fast":5,"slow":20}`))
	assert.NotEqual(t, s.Data, other.Data, "other data has another digest")
	assert.NotEqual(t, s.Fingerprint, other.Fingerprint)
}

func TestTheStreamTellsEverythingAndCanBeTakenUpAfterAnyLine(t *testing.T) {
	jobs := backtest.NewJobs(nil)
	defer jobs.Close()
	job, err := jobs.Run(t.Context(), crossRun(t, waves(400), `{"fast":5,"slow":20}`))
	require.NoError(t, err)
	var whole bytes.Buffer
	require.NoError(t, job.Log().CopyTo(t.Context(), &whole, 0))
	result, _, err := job.Wait(t.Context())
	require.NoError(t, err)
	kinds := map[string]int{}
	var numbered []string
	for i, text := range strings.SplitAfter(strings.TrimSuffix(whole.String(), "\n"), "\n") {
		var line backtest.Line
		require.NoError(t, json.Unmarshal([]byte(text), &line), "line %d", i)
		kinds[line.Kind]++
		if line.N > 0 {
			numbered = append(numbered, strings.TrimSuffix(text, "\n"))
			require.Equal(t, int64(len(numbered)), line.N, "no number is missing")
		}
	}
	a := result.Record.Accounts[0]
	assert.Equal(t, 1, kinds["begin"])
	assert.Equal(t, 400, kinds["point"])
	assert.Equal(t, len(a.Fills), kinds["fill"])
	assert.Equal(t, len(a.Orders), kinds["order"])
	assert.Equal(t, 1, kinds["end"])
	closed := 0
	for _, x := range a.Trades {
		if !x.Open {
			closed++
		}
	}
	assert.Equal(t, closed, kinds["trade"])
	var end backtest.Line
	require.NoError(t, json.Unmarshal([]byte(numbered[len(numbered)-1]), &end))
	require.NotNil(t, end.End)
	assert.Equal(t, backtest.StatusDone, end.End.Status)
	print, err := result.Fingerprint()
	require.NoError(t, err)
	assert.Equal(t, print, end.End.Result.Fingerprint)

	for _, after := range []int64{0, 1, 7, 399, int64(len(numbered)) - 1, int64(len(numbered))} {
		var rest bytes.Buffer
		require.NoError(t, job.Log().CopyTo(t.Context(), &rest, after))
		assert.Equal(t, strings.Join(numbered[after:], "\n"), strings.TrimSuffix(rest.String(), "\n"), "after line %d", after)
	}
	got, ended := job.Log().Lines(3, 10)
	assert.Len(t, got, 10)
	assert.False(t, ended)
	second, err := jobs.Run(t.Context(), crossRun(t, waves(400), `{"fast":5,"slow":20}`))
	require.NoError(t, err)
	_, _, err = second.Wait(t.Context())
	require.NoError(t, err)
	again, ended := second.Log().Lines(0, 1<<20)
	assert.True(t, ended)
	assert.Equal(t, strings.Join(numbered, "\n")+"\n", string(bytes.Join(again, nil)), "the lines of the same run are the same")
}

func TestAReaderSeesLinesWhileTheRunGoesOn(t *testing.T) {
	log := backtest.NewLog(0)
	read := make(chan string)
	go func() {
		defer close(read)
		for line, err := range log.All(t.Context(), 0) {
			if err != nil {
				return
			}
			read <- string(line)
		}
	}()
	for i := range 3 {
		require.NoError(t, log.Add(backtest.Line{Kind: "note", Note: &backtest.NoteLine{Text: fmt.Sprint(i)}}))
		assert.Contains(t, <-read, fmt.Sprintf(`"text":"%d"`, i), "line %d comes before the next is written", i)
	}
	log.Progress(backtest.Progress{Done: 0.5, Elapsed: time.Second, Left: time.Second, Value: math.NaN()})
	assert.JSONEq(t, `{"kind":"progress","progress":{"done":0.5,"elapsed_seconds":1,"left_seconds":1,"value":null}}`, <-read)
	require.NoError(t, log.Add(backtest.Line{Kind: "end", End: &backtest.EndLine{Status: backtest.StatusDone}}))
	assert.Contains(t, <-read, `"n":4`)
	_, open := <-read
	assert.False(t, open)
}

func TestAReaderThatComesTooLateIsToldOfTheGap(t *testing.T) {
	log := backtest.NewLog(400)
	for i := range 50 {
		require.NoError(t, log.Add(backtest.Line{Kind: "note", Note: &backtest.NoteLine{Text: fmt.Sprint(i)}}))
	}
	lines, ended := log.Lines(0, 100)
	assert.False(t, ended)
	var gap backtest.Line
	require.NoError(t, json.Unmarshal(lines[0], &gap))
	require.NotNil(t, gap.Gap)
	assert.Equal(t, int64(1), gap.Gap.From)
	var next backtest.Line
	require.NoError(t, json.Unmarshal(lines[1], &next))
	assert.Equal(t, gap.Gap.To+1, next.N)
	assert.Equal(t, int64(50), log.Len())
}

func TestACancelledRunKeepsWhatItHasDone(t *testing.T) {
	jobs := backtest.NewJobs(nil)
	defer jobs.Close()
	o := crossRun(t, waves(800), `{"fast":5,"slow":20}`)
	var job *backtest.Job
	ready := make(chan struct{})
	seen := 0
	o.Observer = observer(func(i *backtest.Item) error {
		if i.Point != nil {
			if seen++; seen == 300 {
				<-ready
				job.Cancel()
			}
		}
		return nil
	})
	job, err := jobs.Run(t.Context(), o)
	require.NoError(t, err)
	close(ready)
	result, _, err := job.Wait(t.Context())
	require.NoError(t, err, "to be cancelled is no failure")
	assert.Equal(t, backtest.StatusCancelled, job.State().Status)
	require.NotNil(t, result)
	points := result.Record.Accounts[0].Curve.Len()
	assert.GreaterOrEqual(t, points, 300)
	assert.Less(t, points, 800)
	assert.NotEmpty(t, result.Record.Stopped)
	metrics, err := result.Metrics(nil)
	require.NoError(t, err)
	assert.False(t, math.IsNaN(metrics.Value("return_pct")))
	whole := ran(t, crossRun(t, waves(800), `{"fast":5,"slow":20}`))
	assert.Equal(t, whole.Record.Accounts[0].Curve.Value[:300], result.Record.Accounts[0].Curve.Value[:300], "up to there it is the whole run")
	lines, ended := job.Log().Lines(0, 1<<20)
	assert.True(t, ended)
	assert.Contains(t, string(lines[len(lines)-1]), `"status":"cancelled"`)
}

func TestJobsAreLimitedKeptAndForgotten(t *testing.T) {
	clock := market.NewManualClock(time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC))
	jobs := backtest.NewJobs(&backtest.JobsOptions{Running: 1, Kept: 2, Keep: time.Hour, Clock: clock})
	defer jobs.Close()
	hold := make(chan struct{})
	slow := crossRun(t, waves(100), `{"fast":5,"slow":20}`)
	slow.Observer = observer(func(i *backtest.Item) error {
		<-hold
		return nil
	})
	first, err := jobs.Run(t.Context(), slow)
	require.NoError(t, err)
	_, err = jobs.Run(t.Context(), crossRun(t, waves(100), `{"fast":5,"slow":20}`))
	require.ErrorIs(t, err, backtest.ErrBusy)
	close(hold)
	_, _, err = first.Wait(t.Context())
	require.NoError(t, err)
	found, err := jobs.Get(first.ID())
	require.NoError(t, err)
	assert.Same(t, first, found)
	_, err = jobs.Get("nonsense")
	var field *backtest.FieldError
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "handle", field.Field)
	clock.Advance(2 * time.Hour)
	second, err := jobs.Run(t.Context(), crossRun(t, waves(100), `{"fast":5,"slow":20}`))
	require.NoError(t, err)
	_, err = jobs.Get(first.ID())
	assert.Error(t, err, "after two hours it is forgotten")
	_, _, err = second.Wait(t.Context())
	require.NoError(t, err)
	assert.Len(t, jobs.List(), 1)
	require.NoError(t, jobs.Close())
	_, err = jobs.Run(t.Context(), crossRun(t, waves(100), `{"fast":5,"slow":20}`))
	assert.Error(t, err)
}

func TestAnObserverThatFailsEndsItsJob(t *testing.T) {
	jobs := backtest.NewJobs(nil)
	defer jobs.Close()
	o := crossRun(t, waves(50), `{"fast":5,"slow":20}`)
	o.Observer = observer(func(i *backtest.Item) error { return errors.New("no more room") })
	job, err := jobs.Run(t.Context(), o)
	require.NoError(t, err)
	_, _, err = job.Wait(t.Context())
	require.ErrorContains(t, err, "no more room")
	assert.Equal(t, backtest.StatusFailed, job.State().Status)
}

func TestAnHTMLReportLoadsNothingAndEscapesEverything(t *testing.T) {
	o := crossRun(t, waves(300), `{"fast":5,"slow":20}`)
	o.Accounts[0].Name = `<script>alert("x")</script>`
	o.Market.Bars[0].Name = `"><img src=http://example.com/x>`
	result := ran(t, o)
	var b bytes.Buffer
	require.NoError(t, result.WriteHTML(&b, &backtest.ReportOptions{Title: `A & <b>B</b>`, Notice: "simulated"}))
	page := b.String()
	assert.NotContains(t, page, "<script")
	assert.NotContains(t, page, "<img")
	assert.NotContains(t, page, "<b>B</b>")
	assert.NotRegexp(t, `(?i)<[^>]*\s(src|href|action|data)\s*=`, page)
	assert.NotContains(t, page, "@import")
	assert.Contains(t, page, "<svg")
	for _, heading := range []string{"Equity and drawdowns", "Months", "Where it came from", "Trades", "All metrics", "To repeat it", "simulated"} {
		assert.Contains(t, page, heading)
	}
	assert.Contains(t, page, "not a promise")
}

func TestCSVHasARowForEachTradeAndPoint(t *testing.T) {
	result := ran(t, crossRun(t, waves(300), `{"fast":5,"slow":20}`))
	var b bytes.Buffer
	require.NoError(t, result.WriteTrades(&b))
	rows, err := csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+len(result.Trades()))
	sum := decimal.Zero
	for _, row := range rows[1:] {
		sum = sum.Add(decimal.RequireFromString(row[10]))
	}
	last := result.Record.Accounts[0].Curve.Value
	assert.InDelta(t, last[len(last)-1]-100_000, sum.InexactFloat64(), 1e-6, "the profits of all trades are what the account earned")
	b.Reset()
	require.NoError(t, result.WriteCurve(&b))
	rows, err = csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 301)
}

func TestAttributionOfEachKindAddsUp(t *testing.T) {
	result := ran(t, crossRun(t, waves(400), `{"fast":5,"slow":20}`))
	sums := map[string]float64{}
	for _, p := range result.Attribution() {
		sums[p.By] += float64(p.Profit)
	}
	final := result.Record.Accounts[0].Curve.Value
	earned := final[len(final)-1] - 100_000
	for _, by := range []string{"symbol", "kind", "side", "ended", "month", "cost"} {
		assert.InDelta(t, earned, sums[by], 1e-6, by)
	}
}

func TestAttributionByGreeksAddsUpToWhatWasEarned(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2024, 3, 4, hour, 0, 0, 0, time.UTC) }
	record := &backtest.Record{
		Settings: backtest.Settings{Strategies: []backtest.StrategySettings{{Cash: decimal.NewFromInt(1000)}}},
		Accounts: []backtest.AccountRecord{{
			Fees: decimal.NewFromInt(-2),
			Curve: backtest.Curve{
				Time: []int64{at(10).UnixNano(), at(22).UnixNano()}, Cash: []float64{1000, 1000}, Value: []float64{1000, 1040}, Exposure: []float64{0, 0}, Price: []float64{100, 102}, Bars: []int64{0, 1},
			},
			Greeks: []backtest.GreeksPoint{
				{Time: at(10), Underlying: "SPY", Price: 100, Delta: 10, Gamma: 4, Theta: -6, Vega: 50, Options: 1},
				{Time: at(22), Underlying: "SPY", Price: 102, Options: 1, VegaGain: 5},
			},
		}},
	}
	parts := map[string]float64{}
	for _, p := range (&backtest.Result{Record: record}).Attribution() {
		if p.By == "greek" {
			parts[p.Name] = float64(p.Profit)
		}
	}
	// 10·2, ½·4·2², -6·½ day, 50·0.1; the account earned 40 and 2 of fees.
	assert.Equal(t, map[string]float64{"delta": 20, "gamma": 8, "theta": -3, "vega": 5, "rest": 12}, parts)
}

func TestMetricsOfAllAccountsTogetherAreThoseOfTheirSum(t *testing.T) {
	o := crossRun(t, waves(300), `{"fast":5,"slow":20}`)
	other := crossRun(t, waves(300), `{"fast":3,"slow":9}`)
	other.Accounts[0].ID = "OTHER"
	o.Accounts = append(o.Accounts, other.Accounts[0])
	result := ran(t, o)
	s := result.Series()
	require.Len(t, s.Times, 300)
	for i := range s.Equity {
		require.InDelta(t, result.Record.Accounts[0].Curve.Value[i]+result.Record.Accounts[1].Curve.Value[i], s.Equity[i], 1e-9)
	}
	summary, err := result.Summary()
	require.NoError(t, err)
	require.Len(t, summary.Accounts, 2)
	assert.Equal(t, 200_000.0, summary.Metrics.Value("lean.start_equity"))
	assert.Equal(t, summary.Accounts[0].Metrics.Value("trades")+summary.Accounts[1].Metrics.Value("trades"), summary.Metrics.Value("trades"))
}

func TestMetricsInJSONKeepTheirOrderAndWhatIsUnknown(t *testing.T) {
	in := backtest.Metrics{{Name: "b", Value: 1.5}, {Name: "a", Value: market.Float(math.NaN())}}
	data, err := json.Marshal(in)
	require.NoError(t, err)
	assert.Equal(t, `{"b":1.5,"a":null}`, string(data))
	var out backtest.Metrics
	require.NoError(t, json.Unmarshal(data, &out))
	require.Len(t, out, 2)
	assert.Equal(t, "b", out[0].Name)
	assert.True(t, math.IsNaN(out.Value("a")))
	assert.Error(t, json.Unmarshal([]byte(`[1]`), &out))
}

func TestARunWithoutTradesHasNoMetricsThatWouldBeInvented(t *testing.T) {
	metrics, err := backtest.Measure(backtest.Series{Times: days(3), Equity: []float64{100, 100, 100}}, nil, nil)
	require.NoError(t, err)
	assert.Zero(t, metrics.Value("return_pct"))
	assert.Zero(t, metrics.Value("trades"))
	for _, name := range []string{"win_rate_pct", "sharpe_ratio", "profit_factor", "beta", "buy_hold_return_pct", "sqn", "kelly_criterion", "lean.estimated_capacity", "backtrader.transactions"} {
		assert.True(t, math.IsNaN(metrics.Value(name)), name)
	}
}

func TestMeasureRefusesWhatDoesNotFit(t *testing.T) {
	for field, s := range map[string]backtest.Series{
		"Times":     {},
		"Equity":    {Times: days(2), Equity: []float64{1}},
		"Benchmark": {Times: days(2), Equity: []float64{1, 1}, Benchmark: []float64{1}},
		"Warmup":    {Times: days(2), Equity: []float64{1, 1}, Warmup: 2},
	} {
		_, err := backtest.Measure(s, nil, nil)
		var refused *backtest.FieldError
		require.ErrorAs(t, err, &refused, field)
		assert.Equal(t, field, refused.Field)
	}
	_, err := backtest.MetricDefinitionOf("sharp_ratio")
	assert.ErrorContains(t, err, "did you mean sharpe_ratio")
}

func TestEveryMetricIsDefinedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range backtest.MetricDefinitions() {
		assert.False(t, seen[d.Name], d.Name)
		seen[d.Name] = true
		assert.NotEmpty(t, d.Title)
		assert.NotEmpty(t, d.Unit)
		assert.GreaterOrEqual(t, len(d.Meaning), 8, d.Name)
	}
	for _, name := range []string{"backtrader.vwr", "lean.probabilistic_sharpe_ratio", "deflated_sharpe"} {
		assert.True(t, seen[name], name)
	}
}

func TestMetricsOfPlainNumbers(t *testing.T) {
	// Four days: +10 %, -50 %, +20 %; the worth is 100, 110, 55, 66.
	s := backtest.Series{Times: days(4)[:4], Equity: []float64{100, 110, 55, 66}, Benchmark: []float64{10, 11, 12, 13}, Exposure: []float64{0, 55, 55, 0}}
	trade := func(profit, entry int64, from, to int64) backtest.Trade {
		return backtest.Trade{Quantity: decimal.NewFromInt(1), Multiplier: decimal.NewFromInt(1), EntryPrice: decimal.NewFromInt(entry), Profit: decimal.NewFromInt(profit), EntryBar: from, ExitBar: to, EntryTime: s.Times[from], ExitTime: s.Times[to]}
	}
	metrics, err := backtest.Measure(s, []backtest.Trade{trade(10, 100, 0, 1), trade(-55, 110, 1, 2), trade(11, 55, 2, 3)}, nil)
	require.NoError(t, err)
	for name, want := range map[string]float64{
		"return_pct": -34, "buy_hold_return_pct": 30, "max_drawdown_pct": -50, "trades": 3, "win_rate_pct": 200.0 / 3, "best_trade_pct": 20, "worst_trade_pct": -50,
		"profit_factor": 0.6, "payoff_ratio": 10.5 / 55, "omega": 0.6, "recovery_factor": -34.0 / 55, "exposure_mean_pct": (0 + 50 + 100 + 0) / 4.0,
		"backtrader.rtot": math.Log(0.66), "backtrader.max_moneydown": 55, "backtrader.max_drawdown_len": 2, "backtrader.drawdown_len": 2, "backtrader.moneydown": 44,
		"backtrader.trade.won": 2, "backtrader.trade.streak.lost.longest": 1, "backtrader.trade.pnl.net.total": -34, "backtrader.trade.won.pnl.average": 10.5,
		"backtrader.trade.long.total": 3, "backtrader.gross_leverage_max": 1,
		"lean.net_profit": -0.34, "lean.win_rate": 2.0 / 3, "lean.drawdown": 0.5, "lean.average_win": (10.0/100 + 11.0/55) / 2, "lean.average_loss": -0.5,
		"lean.profit_loss_ratio": 0.3, "lean.expectancy": 2.0/3*0.3 - 1.0/3,
	} {
		assert.InDelta(t, want, metrics.Value(name), 1e-12, name)
	}
	assert.True(t, math.IsNaN(metrics.Value("lean.drawdown_recovery")), "it has not recovered")
}
