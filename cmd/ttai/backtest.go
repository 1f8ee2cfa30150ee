package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

type backtestCommand struct {
	Strategy string            `arg:"" optional:"" help:"Name of a strategy; 'list' or nothing lists them." placeholder:"NAME"`
	Preset   string            `help:"A run of another engine's examples: strategy, parameters, rules and cash, each of which flags replace. 'list' lists them." placeholder:"NAME"`
	List     bool              `help:"List the strategies with their parameters; with a name, that one's with what they mean."`
	Param    map[string]string `help:"A parameter of the strategy. Repeatable." short:"p" placeholder:"NAME=VALUE" mapsep:"none"`
	Symbol   []string          `help:"Symbols, the first for the strategy. Default: those of the files, or SPY." placeholder:"SYMBOL"`
	Bars     []string          `help:"CSV file of bars to replay: FILE, or SYMBOL=FILE. Repeatable. Default: the broker's, or the simulator's." placeholder:"FILE" sep:"none"`
	Chain    []string          `help:"CSV file of option chains to replay. Repeatable; files of one underlying are put together." placeholder:"FILE" type:"existingfile" sep:"none"`
	Interval string            `help:"Interval of bars that do not come from a file." default:""`
	From     string            `help:"Replay from this date on." placeholder:"DATE"`
	To       string            `help:"Replay before this date." placeholder:"DATE"`
	Cold     bool              `help:"Leave out what the files have before --from, rather than let averages begin with it."`

	Rules      string  `help:"How orders fill: default, tastytrade (its fees), backtesting.py, backtrader, fastquant, zipline, lean, oracle; with options as in backtesting.py+trade_on_close or backtrader+slip=0.0005: --list names them. Default: default." placeholder:"RULES"`
	Cash       float64 `help:"Cash to begin with. Default 100000." placeholder:"DOLLARS"`
	Commission float64 `help:"Commission as a part of the value traded: 0.001 is 0.1 %. For zipline: dollars a share. Strategies that keep it back when they count sizes are told."`
	Repriced   bool    `help:"Bars are adjusted for dividends and splits already." name:"adjusted"`

	Search      string   `help:"Try settings: grid, random or tpe." placeholder:"METHOD" enum:",grid,random,tpe" default:""`
	Range       []string `help:"What a search tries: fast=5..50:5, stop=0.01..0.1, lots=1..8:x2 or kind=put,call. Repeatable." placeholder:"RANGE" sep:"none"`
	Trials      int      `help:"Settings that a search tries. Default 100; a grid tries all."`
	Metric      string   `help:"What a search looks for." default:"sharpe_ratio"`
	Prune       string   `help:"End trials early that look worse than others: median or halving." enum:",median,halving" default:"" placeholder:"HOW"`
	Workers     int      `help:"Trials at a time; 0: one for each processor. The result does not depend on it."`
	WalkForward string   `help:"Search in so many bars and test the best on the next: TRAIN:TEST, or TRAIN:TEST:anchored." placeholder:"TRAIN:TEST"`
	Folds       int      `help:"Cross-validate the search in so many folds, purged and with an embargo of 1 %."`

	Plot   bool   `help:"Draw the equity curve."`
	HTML   string `name:"html" help:"Write a self-contained page with charts to this file." placeholder:"FILE"`
	JSON   bool   `name:"json" help:"Print the result as JSON: every metric and the trades; with a search, its best trials."`
	Full   string `name:"json-file" help:"Write the whole result as JSON to this file; - prints it, as for the files below." placeholder:"FILE"`
	NDJSON bool   `name:"ndjson" help:"Print what happens as lines of JSON while it happens."`
	Trades string `help:"Write the trades as CSV to this file." placeholder:"FILE"`
	Curve  string `help:"Write the equity curve as CSV to this file." placeholder:"FILE"`
	Table  string `name:"metrics" help:"Write all metrics as CSV with their meanings to this file." placeholder:"FILE"`
	worldFlags
	app.Config
	app.FileFlags
	drawingFlags
}

// Help is shown below the flags.
func (backtestCommand) Help() string {
	return `Examples:
  ttai backtest list                                       the strategies and their parameters
  ttai backtest ma-cross --plot                            on the simulator's SPY
  ttai backtest sma-crossing --bars goog.csv -p fast=10 -p slow=20 --rules backtesting.py+exclusive --cash 10000 --commission 0.002
  ttai backtest smac --bars jfc.csv --rules fastquant --search grid --range fast_period=15..27:3 --range slow_period=40..52:3 --metric equity_final
  ttai backtest ma-cross --bars spy.csv.gz --search tpe --range fast=5..50 --range slow=20..200 --trials 200 --walk-forward 750:250
  ttai backtest sentiment --bars scores.csv -p column=sentiment_score --rules fastquant
  ttai backtest --preset zipline-buyapple --bars AAPL=aapl.csv.gz --from 2014-01-02 --to 2014-11-01 --cold --split 2014-06-09=7
  ttai backtest --preset oracle-iron-condor --chain aapl_chains.csv.gz -p entry=2025-11-25 -p expiry=2025-12-05 --json
  ttai backtest --preset lean-option-expiry --symbol SPX --bars SPX=spx_1min.csv.gz --bars-tz America/Chicago --chain spx_quotes.csv --chain-interval 1m -p 'legs=+1 call 3200 2021-01-15' --settle 2021-01-15
  ttai backtest cash-secured-put --bars spy.csv --chain spy_chains.csv.gz --rules tastytrade --html report.html

Ctrl-C ends a run and shows what was done until then. Results name the data, the code, the seed and the settings, and
repeat bit for bit. The past is no promise, and nothing here is advice.`
}

// Run lists strategies, or runs one.
func (c backtestCommand) Run(s *session) error {
	switch {
	case c.Preset == "list":
		return c.listPresets(s)
	case c.Preset == presetVIX:
		return c.index(s)
	case c.List || c.Strategy == "" && c.Preset == "" || c.Strategy == "list":
		return c.list(s)
	}
	request, err := c.request()
	if err != nil {
		return err
	}
	m, note, err := c.market(s, request)
	if err != nil {
		return err
	}
	switch {
	case c.WalkForward != "":
		return c.walk(s, request, m)
	case request.IsSearch():
		return c.search(s, request, m, note)
	}
	return c.run(s, request, m, note)
}

// request translates the flags.
func (c backtestCommand) request() (*backtest.Request, error) {
	r := &backtest.Request{
		Strategy: c.Strategy, Rules: c.Rules, Cash: c.Cash, Commission: c.Commission, Seed: c.Seed, Ranges: c.Range, Method: backtest.Method(c.Search), Trials: c.Trials,
		Metric: c.Metric, Pruner: c.Prune, Workers: c.Workers, Walk: c.WalkForward,
	}
	if (c.Search != "") != (len(c.Range) > 0) {
		if c.Search == "" {
			r.Method = backtest.Grid
		} else {
			return nil, invalid.Missing("range", "what to try, such as --range fast=5..50:5")
		}
	}
	preset := backtest.Preset{Cash: 100_000, Rules: "default"}
	if c.Preset != "" {
		var err error
		if preset, err = backtest.PresetNamed(c.Preset); err != nil {
			return nil, err
		}
		if r.Strategy == "" {
			r.Strategy = preset.Strategy
		}
	}
	d, err := r.Definition()
	if err != nil {
		return nil, err
	}
	if r.Params, err = paramsOf(d, c.Param); err != nil {
		return nil, err
	}
	if err := preset.Apply(r); err != nil {
		return nil, err
	}
	for _, bound := range []struct {
		name, text string
		t          *time.Time
	}{{"from", c.From, &r.From}, {"to", c.To, &r.To}} {
		if bound.text == "" {
			continue
		}
		date, err := market.ParseDate(bound.text)
		if err != nil {
			return nil, invalid.Field(bound.name, bound.text, "a date such as 2020-12-31")
		}
		*bound.t = date.In(market.NYSE().Location())
	}
	return r, nil
}

// paramsOf makes JSON of parameters as they are written on a command line.
func paramsOf(d strategy.Definition, given map[string]string) (json.RawMessage, error) {
	values := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		text := given[name]
		i := slices.IndexFunc(d.Params, func(p strategy.Param) bool { return p.Name == name })
		if i < 0 {
			var names []string
			for _, p := range d.Params {
				names = append(names, p.Name)
			}
			return nil, invalid.Fieldf("param", name, "a parameter of %s: %s", d.Name, strings.Join(names, ", "))
		}
		switch d.Params[i].Type {
		case "integer", "number":
			x, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, invalid.Field("param "+name, text, "a number")
			}
			values[name] = x
		case "boolean":
			on, err := strconv.ParseBool(text)
			if err != nil {
				return nil, invalid.Field("param "+name, text, "true or false")
			}
			values[name] = on
		default:
			values[name] = text
		}
	}
	return json.Marshal(values)
}

// market reads what is replayed. The note says that data is simulated.
func (c backtestCommand) market(s *session, r *backtest.Request) (*backtest.Market, string, error) {
	m := &backtest.Market{}
	for _, text := range c.Bars {
		name, path, named := strings.Cut(text, "=")
		if !named {
			name, path = "", text
		}
		symbol := market.Symbol(strings.ToUpper(name))
		if !named && len(c.Symbol) > len(m.Bars) {
			symbol = market.Symbol(strings.ToUpper(c.Symbol[len(m.Bars)]))
		}
		feed, err := c.openBars(path, symbol, c.columnOf(r), s.std.Err)
		if err != nil {
			return nil, "", err
		}
		if c.Cold {
			feed = since(feed, r.From)
		}
		m.Bars = append(m.Bars, feed)
	}
	if len(c.Chain) > 0 {
		about := market.Symbol("") // what files that do not say so themselves are about
		if len(c.Symbol) > 0 {
			about = market.Symbol(strings.ToUpper(c.Symbol[0]))
		}
		options, err := c.Options(about)
		if err != nil {
			return nil, "", err
		}
		options.BadRows, options.Interval = market.SkipBadRows, market.Interval(c.ChainInterval)
		if m.Chains, err = backtest.OpenChains(options, c.Chain...); err != nil {
			return nil, "", err
		}
	}
	var symbol market.Symbol
	switch {
	case len(c.Symbol) > 0:
		symbol = market.Symbol(strings.ToUpper(c.Symbol[0]))
	case len(m.Bars) > 0:
		symbol = m.Bars[0].Symbol
	case len(m.Chains) > 0:
		symbol = m.Chains[0].Underlying()
	default:
		symbol = "SPY"
	}
	c.takeInterval(r, m)
	needs, err := r.Prepare(symbol)
	if err != nil {
		return nil, "", err
	}
	if len(m.Bars)+len(m.Chains) > 0 {
		return m, "", c.apply(m)
	}
	made, note, err := c.fromBroker(s, r, needs)
	return made, note, err
}

// takeInterval gives the strategy the interval of the first file, or that of the
// flag, when its parameters have one and say nothing.
func (c backtestCommand) takeInterval(r *backtest.Request, m *backtest.Market) {
	interval := c.Interval
	if interval == "" && len(m.Bars) > 0 {
		interval = string(m.Bars[0].Interval)
	}
	d, err := r.Definition()
	if err != nil || interval == "" || c.Param["interval"] != "" || !slices.ContainsFunc(d.Params, func(p strategy.Param) bool { return p.Name == "interval" }) {
		return
	}
	if params, err := (backtest.Params{"interval": interval}).JSON(r.Params); err == nil {
		r.Params = params
	}
}

// fromBroker asks the broker, or the embedded simulator.
func (c backtestCommand) fromBroker(s *session, r *backtest.Request, needs strategy.Needs) (*backtest.Market, string, error) {
	config, err := c.Complete(s.sources)
	if err != nil {
		return nil, "", err
	}
	store, err := app.StoreFlags{}.OpenStore(config.Env, s.sources, s.std)
	if err != nil && !errors.Is(err, app.ErrNoStore) {
		return nil, "", err
	}
	opened, err := app.Open(config, &app.OpenOptions{Store: store})
	if err != nil {
		return nil, "", errors.Join(err, store.Close())
	}
	defer func() { _ = errors.Join(opened.Close(), store.Close()) }()
	now := opened.Clock.Now()
	if r.From.IsZero() {
		r.From = market.DateOf(now).AddDays(-730).In(market.NYSE().Location())
		if len(needs.Chains) > 0 {
			r.From = market.DateOf(now).AddDays(-90).In(market.NYSE().Location())
		}
	}
	m, err := opened.History(s.ctx, needs, r.From, r.To)
	if err != nil {
		return nil, "", err
	}
	rate := opened.Rate
	m.Rate = func(market.Date, float64) float64 { return rate }
	return m, opened.Notice, nil
}

// run replays once.
func (c backtestCommand) run(s *session, r *backtest.Request, m *backtest.Market, note string) error {
	options, err := r.Options(m)
	if err != nil {
		return err
	}
	c.complete(&options)
	shown := c.progress(s)
	options.Progress = shown.tell
	var log *backtest.Log
	written := make(chan error, 1)
	if c.NDJSON {
		log = backtest.NewLog(0)
		options.Observer = log
		told := options.Progress
		options.Progress = func(p backtest.Progress) { told(p); log.Progress(p) }
		go func() { written <- log.CopyTo(context.WithoutCancel(s.ctx), s.std.Out, 0) }()
	}
	result, err := backtest.Run(s.ctx, options)
	shown.end()
	cancelled := err != nil && s.ctx.Err() != nil && result != nil
	if log != nil {
		end := &backtest.EndLine{Status: backtest.StatusDone}
		switch {
		case cancelled:
			end.Status = backtest.StatusCancelled
		case err != nil:
			end.Status, end.Error = backtest.StatusFailed, err.Error()
		}
		if result != nil {
			if end.Result, _ = result.Summary(); end.Result == nil && err == nil {
				err = errors.New("the result could not be counted")
			}
		}
		err = errors.Join(err, log.Add(backtest.Line{Kind: "end", End: end}), <-written)
	}
	if err != nil && !cancelled {
		return err
	}
	return c.show(s, result, &backtest.ReportOptions{Notice: note})
}

func (c backtestCommand) complete(o *backtest.Options) {
	o.Version = "ttai " + app.Version()
	if c.Repriced {
		o.Rules.Adjusted = true
	}
}

// show prints and writes a result.
func (c backtestCommand) show(s *session, result *backtest.Result, o *backtest.ReportOptions) error {
	printed := false
	for _, file := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{c.HTML, func(w io.Writer) error { return result.WriteHTML(w, o) }},
		{c.Full, result.WriteJSON}, {c.Trades, result.WriteTrades}, {c.Curve, result.WriteCurve}, {c.Table, result.WriteMetrics},
	} {
		if file.path == "" {
			continue
		}
		if file.path == "-" {
			if err := file.write(s.std.Out); err != nil {
				return err
			}
			printed = true
			continue
		}
		if err := writeFile(file.path, file.write); err != nil {
			return err
		}
		fmt.Fprintf(s.std.Err, "wrote %s\n", file.path)
	}
	switch {
	case c.NDJSON, printed:
		return nil
	case c.JSON:
		if o.Search != nil {
			return printJSON(s.std.Out, o.Search.Summary())
		}
		summary, err := result.Summary()
		if err != nil {
			return err
		}
		return printJSON(s.std.Out, struct {
			*backtest.Summary
			Trades []backtest.TradeLine `json:"trades"`
		}{summary, result.TradeLines()})
	}
	if c.Plot {
		if err := c.draw(s, result.Chart()); err != nil {
			return err
		}
	}
	if o.Notice != "" {
		fmt.Fprintf(s.std.Err, "%s\n", o.Notice)
	}
	return result.WriteText(s.std.Out)
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// search tries settings and shows the best one's run.
func (c backtestCommand) search(s *session, r *backtest.Request, m *backtest.Market, note string) error {
	space, of, options, err := r.Search(m)
	if err != nil {
		return err
	}
	c.complete(&of.Options)
	objective, err := of.Objective(time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	shown := c.progress(s)
	options.Progress = shown.tell
	if c.NDJSON {
		e := json.NewEncoder(s.std.Out)
		options.Observe = func(t backtest.Trial) { _ = e.Encode(backtest.Line{N: int64(t.Number) + 1, Kind: "trial", Trial: &t}) }
	}
	found, err := backtest.Search(s.ctx, space, objective, options)
	shown.end()
	if err != nil {
		return err
	}
	if c.NDJSON {
		summary := found.Summary()
		status := backtest.StatusDone
		if found.Stopped != "" {
			status = backtest.StatusCancelled
		}
		return json.NewEncoder(s.std.Out).Encode(backtest.Line{N: int64(len(found.Trials)) + 1, Kind: "end", End: &backtest.EndLine{Status: status, Search: &summary}})
	}
	if !c.JSON {
		if err := found.WriteText(s.std.Out); err != nil {
			return err
		}
		fmt.Fprintln(s.std.Out)
	}
	if c.Folds > 0 {
		if err := c.validate(s, found); err != nil {
			return err
		}
	}
	best := found.Best()
	if best == nil {
		if c.JSON {
			return printJSON(s.std.Out, found.Summary())
		}
		for _, t := range found.Trials {
			if t.Error != "" {
				return fmt.Errorf("no trial was finished; the first failed with: %s", t.Error)
			}
		}
		return errors.New("no trial was finished")
	}
	if c.JSON && c.HTML+c.Full+c.Trades+c.Curve+c.Table == "" {
		return printJSON(s.std.Out, found.Summary())
	}
	again := *r
	if again.Params, err = best.Params.JSON(r.Params); err != nil {
		return err
	}
	run, err := again.Options(m)
	if err != nil {
		return err
	}
	c.complete(&run)
	result, err := backtest.Run(context.WithoutCancel(s.ctx), run)
	if err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(s.std.Out, "the best, %s:\n", best.Params)
	}
	return c.show(s, result, &backtest.ReportOptions{Notice: note, Search: found})
}

// validate prints a cross-validation of a search.
func (c backtestCommand) validate(s *session, found *backtest.SearchResult) error {
	embargo := 0
	if best := found.Best(); best != nil {
		embargo = len(best.Returns) / 100
	}
	v, err := found.CrossValidate(&backtest.ValidationOptions{Folds: c.Folds, Embargo: embargo})
	if err != nil {
		return err
	}
	if c.JSON {
		return nil
	}
	_, err = fmt.Fprintf(s.std.Out, "cross-validation, %d splits: mean Sharpe ratio learnt %.2f, tested %.2f; %.0f %% of tests with a gain\n\n",
		len(v.Splits), float64(v.InSample), float64(v.OutOfSample), 100*float64(v.Positive))
	return err
}

// walk searches and tests window by window.
func (c backtestCommand) walk(s *session, r *backtest.Request, m *backtest.Market) error {
	shown := c.progress(s)
	walk, err := r.WalkForward(s.ctx, m, shown.tell)
	shown.end()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.std.Out, walk)
	}
	return walk.WriteText(s.std.Out)
}

// list prints the strategies, or one of them with what its parameters mean.
func (c backtestCommand) list(s *session) error {
	all := backtest.Definitions()
	if c.Strategy != "" && c.Strategy != "list" {
		d, err := (&backtest.Request{Strategy: c.Strategy}).Definition()
		if err != nil {
			return err
		}
		all = []strategy.Definition{d}
	}
	if c.JSON {
		rows := []map[string]any{}
		for _, d := range all {
			params := []map[string]any{}
			for _, p := range d.Params {
				params = append(params, map[string]any{
					"name": p.Name, "type": p.Type, "default": p.Default, "min": market.Float(p.Min), "max": market.Float(p.Max), "choices": p.Choices, "meaning": p.Meaning,
				})
			}
			rows = append(rows, map[string]any{"name": d.Name, "title": d.Title, "meaning": d.Meaning, "params": params})
		}
		return printJSON(s.std.Out, rows)
	}
	for _, d := range all {
		fmt.Fprintf(s.std.Out, "%s: %s\n", d.Name, d.Meaning)
		out := tabwriter.NewWriter(s.std.Out, 0, 0, 2, ' ', 0)
		if len(all) == 1 {
			for _, p := range d.Params {
				fmt.Fprintf(out, "  %s\t%s\t%v\t%s\t%s\n", p.Name, p.Type, orNothing(p.Default), bounds(p), p.Meaning)
			}
		} else {
			var parts []string
			for _, p := range d.Params {
				parts = append(parts, fmt.Sprintf("%s=%v", p.Name, orNothing(p.Default)))
			}
			fmt.Fprintf(out, "  %s\n", strings.Join(parts, " "))
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	if len(all) > 1 {
		fmt.Fprintf(s.std.Out, "\nttai backtest NAME --list says what the parameters mean. Rules: %s.\n", strings.Join(backtest.RuleNames(), ", "))
	}
	return nil
}

func orNothing(v any) any {
	if v == nil || v == "" {
		return "-"
	}
	return v
}

func bounds(p strategy.Param) string {
	switch {
	case len(p.Choices) > 0:
		return strings.Join(p.Choices, "|")
	case math.IsNaN(p.Min) && math.IsNaN(p.Max):
		return ""
	case math.IsNaN(p.Max):
		return fmt.Sprintf("from %v", p.Min)
	case math.IsNaN(p.Min):
		return fmt.Sprintf("to %v", p.Max)
	}
	return fmt.Sprintf("%v..%v", p.Min, p.Max)
}
