package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/chart"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

type analyzeCommand struct {
	Symbol string `arg:"" help:"Symbol, such as SPY."`
	app.Config
	app.FileFlags
	app.ModelFlags
	Strategies []string `help:"What candidates are looked for: cash_secured_put, covered_call, wheel, bull_put, bear_call, iron_condor, calendar, gamma_scalp. Default: the first two." placeholder:"NAME,…"`
	Bars       string   `help:"CSV file of daily bars to analyse instead of the broker's." placeholder:"FILE" type:"existingfile"`
	Chain      string   `help:"CSV file of an option chain." placeholder:"FILE" type:"existingfile"`
	At         string   `help:"Look from this time: a date (its close), a time, or RFC 3339. Default: now, or the end of the files." placeholder:"TIME"`
	HTML       string   `name:"html" help:"Write a self-contained page with charts to this file." placeholder:"FILE"`
	JSON       bool     `name:"json" help:"Print the whole analysis as JSON."`
	drawingFlags
}

// drawingFlags say how charts appear in the terminal.
type drawingFlags struct {
	Width   int  `help:"Columns of the chart; 0: the terminal's width." placeholder:"N"`
	NoColor bool `help:"Draw without colours."`
	NoChart bool `help:"Print no chart."`
}

// Help is shown below the flags.
func (analyzeCommand) Help() string {
	return `Examples:
  ttai analyze SPY                                     on the embedded simulator
  ttai analyze SPY --bars spy.csv.gz --at 2020-03-02   on your own bars, as of a day's close
  ttai analyze AAPL --bars aapl.csv --chain chain.csv --html report.html

  ttai analyze SPY --model anthropic/claude-sonnet-4-6 --model-budget 0.20

Without a model rules alone decide, and every number is listed as evidence. A model
may judge that evidence in words; what it says without support is thrown away, and
the rules stand there. Not advice.`
}

// Run analyses one symbol and shows the result.
func (c analyzeCommand) Run(s *session) error {
	symbol, err := market.ParseSymbol(c.Symbol)
	if err != nil {
		return err
	}
	deps, at, end, err := c.open(s, symbol)
	if err != nil {
		return err
	}
	defer end()
	if deps.Mind, err = c.Mind(s.sources); err != nil {
		return err
	}
	if deps.Mind == nil {
		deps.Knowledge = nil // rules read no passages
	}
	analyst, err := analysts.New(deps)
	if err != nil {
		return err
	}
	analysis, err := analyst.Analyze(s.ctx, analysts.Request{Symbol: symbol, At: at, Strategies: strategiesOf(c.Strategies)})
	if err != nil {
		return err
	}
	if c.HTML != "" {
		if err := writeFile(c.HTML, func(w io.Writer) error { return chart.HTML(w, analysisPage(analysis)) }); err != nil {
			return err
		}
		fmt.Fprintf(s.std.Err, "wrote %s\n", c.HTML)
	}
	if c.JSON {
		encoder := json.NewEncoder(s.std.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(analysis)
	}
	if err := c.draw(s, analysisChart(analysis)); err != nil {
		return err
	}
	if err := analysis.WriteText(s.std.Out); err != nil {
		return err
	}
	if deps.Environment == broker.Simulator {
		c.Orient(s.std.Err, "ttai analyze", s.sources, "Next: --html FILE for a page with charts, --bars FILE for bars of your own, 'ttai init' for an account or an MCP client.")
	}
	return nil
}

func strategiesOf(names []string) []analysts.Strategy {
	var out []analysts.Strategy
	for _, n := range names {
		out = append(out, analysts.Strategy(n))
	}
	return out
}

// open returns what to analyse with and the instant to look from.
func (c analyzeCommand) open(s *session, symbol market.Symbol) (deps analysts.Deps, at time.Time, end func(), err error) {
	if c.Bars != "" || c.Chain != "" {
		deps, at, err = c.openFiles(s, symbol)
		return deps, at, func() {}, err
	}
	config, err := c.Complete(s.sources)
	if err != nil {
		return deps, at, nil, err
	}
	store, err := app.StoreFlags{}.OpenStore(config.Env, s.sources, s.std)
	if err != nil && !errors.Is(err, app.ErrNoStore) {
		return deps, at, nil, err
	}
	opened, err := app.Open(config, &app.OpenOptions{Store: store})
	if err != nil {
		return deps, at, nil, errors.Join(err, store.Close())
	}
	end = func() { _ = errors.Join(opened.Close(), store.Close()) }
	if c.At != "" {
		if at, err = opened.Calendar.ParseInstant("at", c.At, nil); err != nil {
			end()
			return deps, at, nil, err
		}
	}
	deps = analysts.Deps{
		Market: opened.Market, Broker: opened.Broker, Clock: opened.Clock, Calendar: opened.Calendar,
		Rate: opened.Rate, Environment: opened.Environment, Notice: opened.Notice, News: opened.NewsSource(),
	}
	if store == nil {
		return deps, at, end, nil
	}
	library, err := app.OpenKnowledge(store, storage.Local, s.sources)
	if err == nil {
		var tenant storage.Tenant
		if tenant, err = store.For(storage.Local); err == nil {
			deps.Knowledge, deps.Record = tools.Passages(library), app.RecordOf(tenant)
		}
	}
	if err != nil {
		end()
	}
	return deps, at, end, err
}

// openFiles makes a source of the files that shows what was known at the
// instant to look from, and returns that instant.
func (c analyzeCommand) openFiles(s *session, symbol market.Symbol) (analysts.Deps, time.Time, error) {
	none := analysts.Deps{}
	calendar := market.NYSE()
	files := market.FileSourceOptions{Calendar: calendar}
	var at, last time.Time // the end of the files, and of the bars
	if c.Bars != "" {
		bars, err := c.OpenBars(c.Bars, symbol, s.std.Err)
		if err != nil {
			return none, time.Time{}, err
		}
		files.Bars = []*market.BarFile{bars}
		last = calendar.BarEnd(bars.Bars[len(bars.Bars)-1].Time, bars.Interval)
		at = last
	}
	if c.Chain != "" {
		chain, err := c.OpenChain(c.Chain, symbol, s.std.Err)
		if err != nil {
			return none, time.Time{}, err
		}
		files.Chains = []*market.ChainFile{chain}
		for _, q := range chain.Quotes {
			if q.Time.After(at) {
				at = q.Time
			}
		}
	}
	var err error
	if c.At != "" {
		if at, err = calendar.ParseInstant("at", c.At, nil); err != nil {
			return none, time.Time{}, err
		}
	}
	if old := at.Sub(last); !last.IsZero() && old > 7*24*time.Hour {
		fmt.Fprintf(s.std.Err, "the bars end %.0f days before %s: the chart is that much out of date\n", old.Hours()/24, at.Format(time.DateOnly))
	}
	files.Clock = market.NewManualClock(at)
	source, err := market.NewFileSource(files)
	return analysts.Deps{
		Market: source, Clock: files.Clock, Calendar: calendar, Rate: app.DefaultRate,
		Environment: broker.Files, Notice: "read from files; nothing is live",
	}, at, err
}

// draw shows a chart in the terminal.
func (f drawingFlags) draw(s *session, c chart.Chart) error {
	if f.NoChart {
		return nil
	}
	options := chart.TerminalOptions{Width: f.Width}
	if out, ok := s.std.Out.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
		options.Color = !f.NoColor && s.std.Environment.Getenv("NO_COLOR") == ""
		if columns, rows, err := term.GetSize(int(out.Fd())); err == nil {
			if options.Width == 0 {
				options.Width = columns
			}
			options.Height = min(rows-4, 32)
		}
	}
	if err := c.Terminal(s.std.Out, options); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.std.Out)
	return err
}

// writeFile writes a file whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	temporary := path + ".part"
	file, err := os.Create(temporary)
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Close())
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
	}
	return err
}
