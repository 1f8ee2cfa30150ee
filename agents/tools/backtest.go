package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

type backtestArgs struct {
	Strategy   string   `json:"strategy,omitempty" jsonschema:"without it and without handle, strategies are listed; 'NAME?' lists its parameters" schema:"maxLength=60"`
	Params     string   `json:"params,omitempty" jsonschema:"a JSON object" schema:"maxLength=4000"`
	Symbol     string   `json:"symbol,omitempty" schema:"maxLength=40,default=SPY"`
	From       string   `json:"from,omitempty" jsonschema:"YYYY-MM-DD; default two years back" schema:"maxLength=40"`
	To         string   `json:"to,omitempty" schema:"maxLength=40"`
	Rules      string   `json:"rules,omitempty" schema:"maxLength=80,default=default"`
	Cash       float64  `json:"cash,omitempty" schema:"min=0,default=100000"`
	Commission float64  `json:"commission,omitempty" schema:"min=0,max=0.99"`
	Ranges     []string `json:"ranges,omitempty" jsonschema:"search these, such as fast=5..50:5" schema:"maxItems=6,maxLength=200"`
	Method     string   `json:"method,omitempty" schema:"enum=grid|random|tpe"`
	Trials     int      `json:"trials,omitempty" schema:"min=1,max=2000"`
	Metric     string   `json:"metric,omitempty" schema:"maxLength=60"`
	Handle     string   `json:"handle,omitempty" jsonschema:"of a run: poll it" schema:"maxLength=60"`
	Cancel     bool     `json:"cancel,omitempty"`
}

type backtestResult struct {
	stamp
	Handle  string       `json:"handle,omitempty"`
	Status  string       `json:"status"`
	Done    market.Float `json:"done"`         // 0 to 1
	Left    market.Float `json:"left_seconds"` // null when it is not known
	Next    string       `json:"next,omitempty"`
	Error   string       `json:"error,omitempty"`
	Result  *ranResult   `json:"result,omitempty"`
	Search  *ranSearch   `json:"search,omitempty"`
	Choices []choiceRow  `json:"strategies,omitempty"`
}

// ranResult is a run in short.
type ranResult struct {
	Strategy    string                     `json:"strategy"`
	Params      json.RawMessage            `json:"params,omitempty"`
	Rules       string                     `json:"rules"`
	Begin       time.Time                  `json:"begin,omitzero"`
	End         time.Time                  `json:"end,omitzero"`
	Stopped     string                     `json:"stopped,omitempty"`
	Metrics     map[string]market.Float    `json:"metrics"`
	Drawdowns   []backtest.Drawdown        `json:"drawdowns"`
	Attribution []backtest.AttributionPart `json:"attribution"`
	Data        string                     `json:"data_digest"`
	Code        string                     `json:"code"`
	Seed        uint64                     `json:"seed"`
	Fingerprint string                     `json:"fingerprint"`
}

// ranSearch is a search in short.
type ranSearch struct {
	Trials   int              `json:"trials"`
	Failed   int              `json:"failed"`
	Best     []backtest.Trial `json:"best"`
	Warnings []string         `json:"warnings"`
	Deflated market.Float     `json:"deflated_sharpe"`
	Chance   market.Float     `json:"expected_max_sharpe"`
	Overfit  market.Float     `json:"probability_of_overfitting"`
}

type choiceRow struct {
	Name    string   `json:"name"`
	Meaning string   `json:"meaning"`
	Params  []string `json:"params,omitempty"`
}

// waitFor is how long a call waits for a run to end before it returns the handle.
const waitFor = 8 * time.Second

// toolPoints bounds the curve of a run that a tool started.
const toolPoints = 4096

func (k *kit) backtest() agents.Tool {
	return tool(k, agents.Spec{
		Name: "backtest", Title: "Backtest",
		Annotations: agents.Annotations{ReadOnly: true, OpenWorld: true},
		Description: "Run a strategy over past bars, or search its parameters; long runs give a handle to poll. The past is no promise: quote the warnings.",
	}, func(ctx context.Context, in backtestArgs) (backtestResult, error) {
		switch {
		case in.Handle != "":
			job, err := k.Backtests.Get(in.Handle)
			if err != nil {
				return backtestResult{}, err
			}
			if in.Cancel {
				job.Cancel()
			}
			return k.ran(ctx, job), nil
		case in.Strategy == "":
			return k.strategies(), nil
		case strings.HasSuffix(in.Strategy, "?"):
			return k.describeStrategy(strings.TrimSuffix(in.Strategy, "?"))
		}
		job, err := k.startBacktest(ctx, in)
		if err != nil {
			return backtestResult{}, err
		}
		return k.ran(ctx, job), nil
	})
}

// startBacktest begins a run or a search.
func (k *kit) startBacktest(ctx context.Context, in backtestArgs) (*backtest.Job, error) {
	r := backtest.Request{
		Strategy: in.Strategy, Rules: in.Rules, Cash: in.Cash, Commission: in.Commission, Seed: 1, Ranges: in.Ranges, Method: backtest.Method(in.Method),
		Trials: in.Trials, Metric: in.Metric, Points: toolPoints,
	}
	if in.Params != "" {
		var object map[string]any
		if err := json.Unmarshal([]byte(in.Params), &object); err != nil {
			return nil, invalid.Field("params", in.Params, `a JSON object, such as {"fast":10}`)
		}
		r.Params = json.RawMessage(in.Params)
	}
	var err error
	if r.From, err = k.parseTime("from", in.From); err != nil {
		return nil, err
	}
	if r.To, err = k.parseTime("to", in.To); err != nil {
		return nil, err
	}
	symbol, err := parseSymbol("symbol", in.Symbol)
	if err != nil {
		return nil, err
	}
	needs, err := r.Prepare(symbol)
	if err != nil {
		return nil, err
	}
	if r.From.IsZero() {
		years := 730
		if len(needs.Chains) > 0 {
			years = 90
		}
		r.From = k.today().AddDays(-years).In(k.Calendar.Location())
	}
	m, err := k.history(ctx, needs, r.From, r.To)
	if errors.Is(err, backtest.ErrNoChains) {
		return nil, invalid.Fieldf("strategy", in.Strategy, "one that trades shares: %v", err)
	}
	if err != nil {
		return nil, err
	}
	rate := k.Rate
	if m.Rate == nil {
		m.Rate = func(market.Date, float64) float64 { return rate }
	}
	if !r.IsSearch() {
		options, err := r.Options(m)
		if err != nil {
			return nil, err
		}
		options.Curve.Records = 20_000
		return k.busy(k.Backtests.Run(ctx, options))
	}
	space, search, options, err := r.Search(m)
	if err != nil {
		return nil, err
	}
	objective, err := search.Objective(time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	return k.busy(k.Backtests.Search(ctx, space, objective, options))
}

func (k *kit) busy(job *backtest.Job, err error) (*backtest.Job, error) {
	if errors.Is(err, backtest.ErrBusy) {
		return nil, advice{fmt.Errorf("%w; wait for one by its handle, or cancel it", err)}
	}
	return job, err
}

func (k *kit) history(ctx context.Context, needs strategy.Needs, from, to time.Time) (*backtest.Market, error) {
	if k.History != nil {
		return k.History(ctx, needs, from, to)
	}
	return backtest.FromSource(ctx, k.Market, needs, backtest.SourceOptions{From: from, To: to, Calendar: k.Calendar})
}

// ran tells how far a job is, after a while of waiting for its end.
func (k *kit) ran(ctx context.Context, job *backtest.Job) backtestResult {
	waiting, stop := context.WithTimeout(ctx, min(waitFor, k.Timeout/2))
	defer stop()
	result, search, _ := job.Wait(waiting)
	state := job.State()
	out := backtestResult{stamp: k.stamp(), Handle: job.ID(), Status: string(state.Status), Done: num(state.Progress.Done, 3), Left: market.Float(math.NaN())}
	if state.Status == backtest.StatusRunning {
		if state.Progress.Left > 0 {
			out.Left = num(state.Progress.Left.Seconds(), 0)
		}
		out.Next = "call backtest again with the handle"
		return out
	}
	out.Done, out.Left = 1, 0
	if state.Status == backtest.StatusCancelled {
		out.Done = num(state.Progress.Done, 3)
	}
	if state.Err != nil {
		out.Error = state.Err.Error()
	}
	if result != nil {
		if summary, err := result.Summary(); err == nil {
			out.Result = shortResult(summary)
		} else {
			out.omit("the metrics: %v", err)
		}
	}
	if search != nil {
		summary := search.Summary()
		out.Search = &ranSearch{
			Trials: summary.Trials, Failed: summary.Failed, Best: summary.Ranked[:min(len(summary.Ranked), 8)], Warnings: summary.Assessment.Warnings,
			Deflated: num(float64(summary.Assessment.Deflated), 4), Chance: num(float64(summary.Assessment.ExpectedMax), 4), Overfit: num(float64(summary.Assessment.Overfitting), 4),
		}
		if out.Search.Warnings == nil {
			out.Search.Warnings = []string{}
		}
	}
	return out
}

// toolMetrics are those that a model is shown.
func toolMetrics() []string {
	return []string{
		"return_pct", "buy_hold_return_pct", "cagr_pct", "volatility_ann_pct", "sharpe_ratio", "sortino_ratio", "calmar_ratio", "max_drawdown_pct", "max_drawdown_days", "trades",
		"win_rate_pct", "profit_factor", "expectancy_pct", "sqn", "kelly_criterion", "exposure_time_pct", "equity_final", "commissions", "beta", "probabilistic_sharpe", "lean.total_fees",
	}
}

func shortResult(s *backtest.Summary) *ranResult {
	out := &ranResult{
		Rules: s.Settings.Rules, Begin: s.Begin, End: s.End, Stopped: s.Stopped, Metrics: map[string]market.Float{}, Drawdowns: s.Drawdowns[:min(len(s.Drawdowns), 3)],
		Attribution: []backtest.AttributionPart{}, Data: s.Data, Code: s.Settings.Version, Seed: s.Settings.Seed, Fingerprint: s.Fingerprint,
	}
	if len(s.Settings.Strategies) > 0 {
		out.Strategy, out.Params = s.Settings.Strategies[0].Name, s.Settings.Strategies[0].Params
	}
	for _, name := range toolMetrics() {
		out.Metrics[name] = num(s.Metrics.Value(name), 4)
	}
	for _, p := range s.Attribution {
		if p.By != "month" && len(out.Attribution) < 30 {
			p.Profit = num(float64(p.Profit), 2)
			out.Attribution = append(out.Attribution, p)
		}
	}
	return out
}

// strategies lists what can be run.
func (k *kit) strategies() backtestResult {
	out := backtestResult{stamp: k.stamp(), Status: "listed", Done: 1, Next: "call backtest with one of them; NAME? lists its parameters; rules: " + strings.Join(backtest.RuleNames(), ", ")}
	for _, d := range backtest.Definitions() {
		out.Choices = append(out.Choices, choiceRow{Name: d.Name, Meaning: d.Meaning})
	}
	return out
}

func (k *kit) describeStrategy(name string) (backtestResult, error) {
	d, err := (&backtest.Request{Strategy: name}).Definition()
	if err != nil {
		return backtestResult{}, err
	}
	row := choiceRow{Name: d.Name, Meaning: d.Meaning}
	for _, p := range d.Params {
		row.Params = append(row.Params, fmt.Sprintf("%s %s, default %v: %s", p.Name, p.Type, p.Default, p.Meaning))
	}
	return backtestResult{stamp: k.stamp(), Status: "listed", Done: 1, Choices: []choiceRow{row}}, nil
}
