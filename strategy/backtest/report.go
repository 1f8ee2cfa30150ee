package backtest

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ttai-go/ttai/internal/chart"
	"github.com/ttai-go/ttai/market"
)

// notice stands in every report.
const notice = "A replay of the past under stated rules, not a promise. Not investment advice; not affiliated with tastytrade, Alpaca or another broker."

// ReportOptions set a report. The zero value works.
type ReportOptions struct {
	Title  string
	Notice string // shown at the top, such as that the data is simulated
	// Trades is how many trades are listed; default 200, the last ones.
	Trades int
	// Search is added to the report of the best run, when it is one's.
	Search *SearchResult
	Walk   *WalkResult
}

// headline are the metrics that people look at first.
func headline() []string {
	return []string{
		"return_pct", "buy_hold_return_pct", "cagr_pct", "max_drawdown_pct", "sharpe_ratio", "sortino_ratio", "calmar_ratio", "trades", "win_rate_pct", "profit_factor",
		"exposure_time_pct", "equity_final", "commissions", "probabilistic_sharpe",
	}
}

// WriteHTML writes a report as one file that loads nothing: metrics, equity with
// its benchmark and drawdowns, Greeks, attribution, months and trades.
func (r *Result) WriteHTML(w io.Writer, opts *ReportOptions) error {
	var o ReportOptions
	if opts != nil {
		o = *opts
	}
	if o.Trades == 0 {
		o.Trades = 200
	}
	summary, err := r.Summary()
	if err != nil {
		return err
	}
	page := chart.Page{Title: o.Title, Notice: o.Notice, Footer: notice}
	if page.Title == "" {
		page.Title = "Backtest of " + strings.Join(r.names(), ", ")
	}
	page.Subtitle = fmt.Sprintf("%s to %s, %d bars, %d quotes, rules %s", lastDay(summary.Begin), lastDay(summary.End), summary.Bars, summary.Quotes, summary.Settings.Rules)
	if summary.Stopped != "" {
		page.Notice = strings.TrimSpace(page.Notice + " The run was ended early: " + summary.Stopped + ".")
	}
	first := chart.Section{Heading: "Result"}
	for _, name := range headline() {
		d, err := MetricDefinitionOf(name)
		if err != nil {
			return err
		}
		first.Facts = append(first.Facts, chart.Fact{Name: d.Title, Value: shown(summary.Metrics.Value(name), d.Unit)})
	}
	page.Sections = append(page.Sections, first, r.curveSection(summary))
	if s, ok := r.greeksSection(); ok {
		page.Sections = append(page.Sections, s)
	}
	if o.Search != nil {
		page.Sections = append(page.Sections, o.Search.section())
	}
	if o.Walk != nil {
		page.Sections = append(page.Sections, o.Walk.section())
	}
	page.Sections = append(page.Sections, r.monthsSection(), attributionSection(summary), r.tradesSection(o.Trades), metricsSection(summary.Metrics), r.runSection(summary))
	return chart.HTML(w, page)
}

func (r *Result) names() []string {
	var out []string
	for _, s := range r.Record.Settings.Strategies {
		if !slices.Contains(out, s.Name) {
			out = append(out, s.Name)
		}
	}
	if len(out) == 0 {
		out = []string{"nothing"}
	}
	return out
}

// Chart is the equity curve with its benchmark, and the drawdowns below it.
func (r *Result) Chart() chart.Chart {
	s := thinned(r.Series(), 2000)
	c := chart.Chart{Title: "Equity", Times: s.Times, Location: market.NYSE().Location()}
	equity := chart.Pane{Title: "Equity", Weight: 3, Lines: []chart.Line{{Name: "Account", Values: s.Equity}}}
	if held := s.heldFor(); held != nil {
		equity.Lines = append(equity.Lines, chart.Line{Name: "Buy & hold", Values: held})
	}
	depth := drawdownsOf(s.Equity).depth
	below := make([]float64, len(depth))
	for i, d := range depth {
		below[i] = -d * 100
	}
	c.Panes = []chart.Pane{equity, {Title: "Drawdown %", Histogram: below}}
	if n := len(s.Equity); n > 0 {
		c.Description = fmt.Sprintf("The account went from %s to %s; the largest loss from a peak was %.1f %%.", money(s.Equity[0]), money(s.Equity[n-1]), drawdownsOf(s.Equity).max*100)
	}
	return c
}

// heldFor is what the start's money in the benchmark would be worth; nil without one.
func (s Series) heldFor() []float64 {
	if s.Benchmark == nil || len(s.Equity) == 0 {
		return nil
	}
	at := s.bought()
	from := s.Benchmark[at]
	if !(from > 0) {
		return nil
	}
	out := make([]float64, len(s.Benchmark))
	for i, p := range s.Benchmark {
		out[i] = s.Equity[at] * p / from
		if i < at {
			out[i] = math.NaN()
		}
	}
	return out
}

// thinned keeps at most so many points: the lowest and the highest of each span, so
// that drawdowns stay in sight.
func thinned(s Series, most int) Series {
	n := len(s.Times)
	if n <= most {
		return s
	}
	keep := []int{0}
	span := (n + most/2 - 1) / (most / 2)
	for at := 0; at < n; at += span {
		low, high := at, at
		for i := at; i < min(at+span, n); i++ {
			if s.Equity[i] < s.Equity[low] {
				low = i
			}
			if s.Equity[i] > s.Equity[high] {
				high = i
			}
		}
		keep = append(keep, min(low, high), max(low, high))
	}
	keep = append(keep, n-1)
	keep = slices.Compact(keep)
	out := s
	out.Times, out.Equity, out.Exposure, out.Benchmark, out.Bars = nil, nil, nil, nil, nil
	out.Warmup = 0
	for _, i := range keep {
		if i < s.Warmup {
			out.Warmup = len(out.Times) + 1
		}
		out.Times, out.Equity = append(out.Times, s.Times[i]), append(out.Equity, s.Equity[i])
		if s.Exposure != nil {
			out.Exposure = append(out.Exposure, s.Exposure[i])
		}
		if s.Benchmark != nil {
			out.Benchmark = append(out.Benchmark, s.Benchmark[i])
		}
	}
	out.Warmup = min(out.Warmup, len(out.Times)-1)
	return out
}

func (r *Result) curveSection(summary *Summary) chart.Section {
	s := chart.Section{Heading: "Equity and drawdowns", Charts: []chart.Chart{r.Chart()}}
	t := chart.Table{Caption: "Deepest drawdowns", Head: []string{"Peak", "Lowest", "Recovered", "Depth", "Money", "Days"}}
	for _, d := range summary.Drawdowns {
		recovered := "not yet"
		if d.Recovery {
			recovered = day(d.To)
		}
		t.Rows = append(t.Rows, []string{day(d.From), day(d.Lowest), recovered, fmt.Sprintf("%.2f %%", float64(d.Depth)*100), money(float64(d.Money)), fmt.Sprintf("%.0f", d.Days)})
	}
	if len(t.Rows) > 0 {
		s.Tables = append(s.Tables, t)
	}
	return s
}

// greeksSection shows the Greeks over time, of the account that has most points.
func (r *Result) greeksSection() (chart.Section, bool) {
	var points []GreeksPoint
	for i := range r.Record.Accounts {
		if g := r.Record.Accounts[i].Greeks; len(g) > len(points) {
			points = g
		}
	}
	if len(points) == 0 {
		return chart.Section{}, false
	}
	by := map[market.Symbol][]GreeksPoint{}
	var order []market.Symbol
	for _, g := range points {
		if by[g.Underlying] == nil {
			order = append(order, g.Underlying)
		}
		by[g.Underlying] = append(by[g.Underlying], g)
	}
	out := chart.Section{Heading: "Greeks of the positions", Paragraphs: []string{"Delta in shares, gamma in shares per point, theta in money a day, vega in money per 1.00 of volatility."}}
	for _, symbol := range order[:min(len(order), 4)] {
		list := by[symbol]
		step := max(1, len(list)/1000)
		c := chart.Chart{Title: string(symbol), Location: market.NYSE().Location()}
		lines := [4][]float64{}
		for i := 0; i < len(list); i += step {
			g := list[i]
			c.Times = append(c.Times, g.Time)
			for k, v := range []float64{g.Delta, g.Gamma, g.Theta, g.Vega} {
				lines[k] = append(lines[k], v)
			}
		}
		for k, name := range []string{"Delta", "Gamma", "Theta", "Vega"} {
			c.Panes = append(c.Panes, chart.Pane{Title: name, Lines: []chart.Line{{Name: name, Values: lines[k]}}})
		}
		out.Charts = append(out.Charts, c)
	}
	return out, true
}

func (r *Result) monthsSection() chart.Section {
	years, returns := r.Series().byMonth()
	t := chart.Table{Caption: "Returns of months in percent", Head: []string{"Year", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year's"}}
	for _, y := range years {
		row, whole := []string{strconv.Itoa(y)}, 1.0
		for _, v := range returns[y] {
			cell := "–"
			if !math.IsNaN(v) {
				cell, whole = fmt.Sprintf("%+.2f", v*100), whole*(1+v)
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, append(row, fmt.Sprintf("%+.2f", (whole-1)*100)))
	}
	return chart.Section{Heading: "Months", Tables: []chart.Table{t}}
}

func attributionSection(summary *Summary) chart.Section {
	s := chart.Section{Heading: "Where it came from"}
	var t *chart.Table
	for _, p := range summary.Attribution {
		if t == nil || t.Caption != "By "+p.By {
			s.Tables = append(s.Tables, chart.Table{Caption: "By " + p.By, Head: []string{"Part", "Profit", "Trades"}})
			t = &s.Tables[len(s.Tables)-1]
		}
		trades := "–"
		if p.Trades > 0 {
			trades = strconv.Itoa(p.Trades)
		}
		t.Rows = append(t.Rows, []string{p.Name, money(float64(p.Profit)), trades})
	}
	if len(s.Tables) == 0 {
		s.Paragraphs = []string{"Nothing was traded."}
	}
	return s
}

func (r *Result) tradesSection(most int) chart.Section {
	trades := r.Trades()
	s := chart.Section{Heading: "Trades"}
	if n := len(trades) - most; n > 0 {
		s.Paragraphs = append(s.Paragraphs, fmt.Sprintf("The last %d of %d.", most, len(trades)))
		trades = trades[n:]
	}
	t := chart.Table{Head: []string{"Symbol", "Quantity", "Entered", "At", "Left", "At", "Profit", "Return", "By"}}
	for i := range trades {
		x := &trades[i]
		by := string(x.Ended)
		if x.Open {
			by = "open"
		}
		t.Rows = append(t.Rows, []string{
			string(x.Symbol), x.Quantity.String(), day(x.EntryTime), x.EntryPrice.String(), day(x.ExitTime), x.ExitPrice.String(), x.Profit.StringFixed(2), fmt.Sprintf("%+.2f %%", x.Return()*100), by,
		})
	}
	if len(t.Rows) == 0 {
		s.Paragraphs = append(s.Paragraphs, "None.")
		return s
	}
	s.Tables = append(s.Tables, t)
	return s
}

func metricsSection(metrics Metrics) chart.Section {
	t := chart.Table{Head: []string{"Name", "Value", "Unit", "Meaning"}}
	for _, d := range MetricDefinitions() {
		t.Rows = append(t.Rows, []string{d.Name, shown(metrics.Value(d.Name), ""), string(d.Unit), d.Meaning})
	}
	return chart.Section{Heading: "All metrics", Tables: []chart.Table{t}}
}

func (r *Result) runSection(summary *Summary) chart.Section {
	s := summary.Settings
	rows := [][]string{{"Code", s.Version}, {"Data", summary.Data}, {"Result", summary.Fingerprint}, {"Seed", strconv.FormatUint(s.Seed, 10)}, {"Rules", s.Rules}, {"Replayed", strings.Join(s.Data, ", ")}}
	for _, x := range s.Strategies {
		rows = append(rows, []string{"Strategy", fmt.Sprintf("%s with %s, cash %s", x.Name, orNone(string(x.Params)), x.Cash)})
	}
	return chart.Section{Heading: "To repeat it", Tables: []chart.Table{{Head: []string{"What", "Value"}, Rows: rows}}}
}

func orNone(s string) string {
	if s == "" {
		return "no parameters"
	}
	return s
}

// section shows a search in a report.
func (r *SearchResult) section() chart.Section {
	summary := r.Summary()
	s := chart.Section{Heading: "Search"}
	s.Paragraphs = append(s.Paragraphs, fmt.Sprintf("%s: %d trials, %d pruned, %d failed.", r, summary.Trials, summary.Pruned, summary.Failed))
	if a := summary.Assessment; a != nil {
		s.Items = a.Warnings
		for _, f := range []struct {
			name  string
			value market.Float
		}{
			{"Best Sharpe a year", a.Sharpe}, {"Best by chance", a.ExpectedMax}, {"Deflated Sharpe", a.Deflated}, {"Probability of overfitting", a.Overfitting},
			{"Independent trials", a.Effective}, {"Years of data", a.Years}, {"Years needed", a.MinYears},
		} {
			s.Facts = append(s.Facts, chart.Fact{Name: f.name, Value: shown(float64(f.value), UnitRatio)})
		}
	}
	t := chart.Table{Caption: "Best trials", Head: []string{"Trial"}}
	for _, d := range r.Space {
		t.Head = append(t.Head, d.Name)
	}
	t.Head = append(t.Head, "Value")
	for _, x := range summary.Ranked {
		row := []string{strconv.Itoa(x.Number)}
		for _, d := range r.Space {
			row = append(row, text(x.Params[d.Name]))
		}
		t.Rows = append(t.Rows, append(row, shown(float64(x.Value), "")))
	}
	s.Tables = []chart.Table{t}
	return s
}

// section shows a walk forward in a report.
func (w *WalkResult) section() chart.Section {
	s := chart.Section{Heading: "Walk forward", Facts: []chart.Fact{
		{Name: "Sharpe of all tests", Value: shown(float64(w.Sharpe), UnitRatio)}, {Name: "Return of all tests", Value: shown(float64(w.Return)*100, UnitPercent)},
		{Name: "Efficiency", Value: shown(float64(w.Efficiency), UnitRatio)}, {Name: "Tests with a gain", Value: shown(float64(w.Positive)*100, UnitPercent)},
	}}
	t := chart.Table{Head: []string{"Learnt from", "to", "Tested to", "Parameters", "Learnt", "Tested"}}
	for _, x := range w.Steps {
		t.Rows = append(t.Rows, []string{day(x.TrainFrom), day(x.TrainTo), day(x.TestTo), x.Params.String() + x.Error, shown(float64(x.InSample), ""), shown(float64(x.OutOfSample), "")})
	}
	s.Tables = []chart.Table{t}
	return s
}

// WriteText writes the result in short for a terminal.
func (r *Result) WriteText(w io.Writer) error {
	summary, err := r.Summary()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s, %s to %s\n", strings.Join(r.names(), ", "), lastDay(summary.Begin), lastDay(summary.End))
	if summary.Stopped != "" {
		fmt.Fprintf(w, "ended early: %s\n", summary.Stopped)
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, d := range pyDefinitions() {
		fmt.Fprintf(out, "  %s\t%s\t\n", d.Title, shown(summary.Metrics.Value(d.Name), ""))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "rules %s, seed %d, code %s\ndata %s\nresult %s\n%s\n", summary.Settings.Rules, summary.Settings.Seed, summary.Settings.Version, summary.Data, summary.Fingerprint, notice)
	return nil
}

// WriteText writes a search in short for a terminal.
func (r *SearchResult) WriteText(w io.Writer) error {
	summary := r.Summary()
	fmt.Fprintf(w, "%s: %d pruned, %d failed\n", r, summary.Pruned, summary.Failed)
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(out, "  trial\t")
	for _, d := range r.Space {
		fmt.Fprintf(out, "%s\t", d.Name)
	}
	fmt.Fprint(out, "value\n")
	for _, t := range summary.Ranked {
		fmt.Fprintf(out, "  %d\t", t.Number)
		for _, d := range r.Space {
			fmt.Fprintf(out, "%s\t", text(t.Params[d.Name]))
		}
		fmt.Fprintf(out, "%s\n", shown(float64(t.Value), ""))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if a := summary.Assessment; a != nil {
		if !math.IsNaN(float64(a.Sharpe)) {
			fmt.Fprintf(w, "best Sharpe %.2f a year (95 %%: %.2f to %.2f), by chance %.2f, deflated %.3f, probability of overfitting %s\n",
				float64(a.Sharpe), float64(a.SharpeLow), float64(a.SharpeHigh), float64(a.ExpectedMax), float64(a.Deflated), shown(float64(a.Overfitting), UnitRatio))
		}
		for _, warning := range a.Warnings {
			fmt.Fprintf(w, "warning: %s\n", warning)
		}
	}
	return nil
}

// WriteText writes a walk forward in short for a terminal.
func (w *WalkResult) WriteText(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  learnt from\tto\ttested to\tlearnt\ttested\tparameters\n")
	for _, s := range w.Steps {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s%s\n", day(s.TrainFrom), day(s.TrainTo), day(s.TestTo), shown(float64(s.InSample), ""), shown(float64(s.OutOfSample), ""), s.Params, s.Error)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "all tests: Sharpe %s a year, return %s, efficiency %s, %s of tests with a gain\n",
		shown(float64(w.Sharpe), UnitRatio), shown(float64(w.Return)*100, UnitPercent), shown(float64(w.Efficiency), UnitRatio), shown(float64(w.Positive)*100, UnitPercent))
	return err
}

// shown is a number for people.
func shown(x float64, unit Unit) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	switch unit {
	case UnitMoney:
		return money(x)
	case UnitPercent:
		return fmt.Sprintf("%.2f %%", x)
	case UnitCount, UnitBars:
		return fmt.Sprintf("%.0f", x)
	case UnitDays:
		return fmt.Sprintf("%.4g", x)
	}
	if a := math.Abs(x); a >= 1e5 || x == math.Trunc(x) && a < 1e15 {
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return strconv.FormatFloat(x, 'g', 8, 64)
}

func money(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }

func day(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Format(time.DateOnly)
}

// lastDay is the date of a bar that ends at t.
func lastDay(t time.Time) string {
	if t.IsZero() {
		return day(t)
	}
	return day(t.Add(-time.Nanosecond))
}
