package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/chart"
	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

type levelsEvaluateCommand struct {
	Files    []string `arg:"" name:"file" type:"existingfile" help:"CSV files of bars; they count together."`
	Kinds    []string `help:"Only these kinds; default all." placeholder:"KIND,…"`
	Reaction float64  `help:"A reaction is a move back of so many average true ranges …" default:"1"`
	Break    float64  `help:"… before a close so many beyond the level …" default:"0.5"`
	Horizon  int      `help:"… within so many bars." default:"10"`
	Visits   int      `help:"Try this many visits of each level; -1: all." default:"1"`
	From     string   `help:"Count only touches from this time on." placeholder:"TIME"`
	To       string   `help:"Count only touches before this time." placeholder:"TIME"`
	Areas    bool     `help:"Try areas where levels lie together, by the number of families."`
	Draws    int      `help:"Random levels beside each one." default:"20"`
	Seed     uint64   `help:"Seed of the random levels." default:"0"`
	JSON     bool     `name:"json" help:"Print JSON."`
	SVG      string   `name:"svg" help:"Write the reliability diagram to this file." placeholder:"FILE"`
	HTML     string   `name:"html" help:"Write a page with the diagram and the table to this file." placeholder:"FILE"`
	Symbol   string   `help:"Symbol to take from files with several."`
	app.FileFlags
	drawingFlags
}

// Help is shown below the flags.
func (levelsEvaluateCommand) Help() string {
	return `Examples:
  ttai levels evaluate spy.csv.gz
  ttai levels evaluate --kinds 'zone,swing high,swing low' --from 2010-01-01 a.csv b.csv
  ttai levels evaluate --reaction 2 --break 1 --horizon 20 --json bars.csv
  ttai levels evaluate --areas bars.csv

LEVELS reacted so often once price came to them, RANDOM levels at like distances so
often. An interval of DIFFERENCE that holds 0 says: no better than chance, as far as
these bars tell. SKILL is how much better the given probabilities were than the random
rate. Ctrl-C stops and shows what is done so far.`
}

// evaluationRow is the record of a kind in JSON.
type evaluationRow struct {
	Kind          levels.Kind      `json:"kind"`
	Watched       int              `json:"watched"`
	Touches       int              `json:"touches"`
	Reactions     int              `json:"reactions"`
	Breaks        int              `json:"breaks"`
	Timeouts      int              `json:"timeouts"`
	Unfinished    int              `json:"unfinished"`
	Rate          market.Float     `json:"rate"`
	RateInterval  [2]market.Float  `json:"rate_interval"`
	RandomTouches int              `json:"random_touches"`
	RandomRate    market.Float     `json:"random_rate"`
	Difference    market.Float     `json:"difference"`
	DifferenceCI  [2]market.Float  `json:"difference_interval"`
	Blocks        int              `json:"blocks"`
	Brier         market.Float     `json:"brier"`
	BaseBrier     market.Float     `json:"base_brier"`
	Skill         market.Float     `json:"skill"`
	SkillInterval [2]market.Float  `json:"skill_interval"`
	Reliability   []reliabilityRow `json:"reliability"`
}

type reliabilityRow struct {
	Low      market.Float `json:"low"`
	High     market.Float `json:"high"`
	Forecast market.Float `json:"forecast"`
	Rate     market.Float `json:"rate"`
	Touches  int          `json:"touches"`
}

type evaluationAnswer struct {
	Series  int             `json:"series"`
	Bars    int             `json:"bars"`
	From    time.Time       `json:"from"`
	To      time.Time       `json:"to"`
	Stopped bool            `json:"stopped"` // before the last bar
	Kinds   []evaluationRow `json:"kinds"`
	All     evaluationRow   `json:"all"`
}

// Run tries the levels of the files and prints their record.
func (c levelsEvaluateCommand) Run(s *session) error {
	kinds, err := kindsOf(c.Kinds, nil)
	if err != nil {
		return err
	}
	opts := levels.EvaluateOptions{
		Find: levels.Options{Kinds: kinds}, Reaction: c.Reaction, Break: c.Break, Horizon: c.Horizon, Visits: c.Visits, Draws: c.Draws, Seed: c.Seed,
	}
	if c.Areas {
		opts.Confluence = &levels.ConfluenceOptions{}
	}
	for _, bound := range []struct {
		name, text string
		to         *time.Time
	}{{"from", c.From, &opts.From}, {"to", c.To, &opts.To}} {
		if bound.text != "" {
			if *bound.to, err = market.NYSE().ParseInstant(bound.name, bound.text, nil); err != nil {
				return err
			}
		}
	}
	var series []market.Series
	for _, name := range c.Files {
		file, err := c.OpenBars(name, market.Symbol(strings.ToUpper(c.Symbol)), s.std.Err)
		if err != nil {
			return err
		}
		series = append(series, market.NewSeries(file.Symbol, file.Interval, file.Bars))
	}
	progress := newProgress(s.std.Err)
	opts.Progress = func(done, total int) bool {
		progress.show(done, total)
		return s.ctx.Err() == nil
	}
	e, err := levels.Evaluate(series, &opts)
	progress.clear()
	if err != nil {
		return err
	}
	if e.Stopped {
		fmt.Fprintf(s.std.Err, "stopped after %d bars: this is the record of those\n", e.Bars)
	}
	diagram := reliabilityChart(e.All)
	if c.SVG != "" {
		if err := writeFile(c.SVG, diagram.SVG); err != nil {
			return err
		}
		fmt.Fprintln(s.std.Err, "wrote", c.SVG)
	}
	head, rows := evaluationTable(e)
	if c.HTML != "" {
		err := writePage(s, c.HTML, chart.Page{
			Title: "How levels did", Subtitle: fmt.Sprintf("%d bars of %d series, %s to %s", e.Bars, e.Series, e.From.Format(time.DateOnly), e.To.Format(time.DateOnly)),
			Sections: []chart.Section{{Heading: "Record", Paragraphs: []string{c.about()}, Charts: []chart.Chart{diagram}, Tables: []chart.Table{{Head: head, Rows: rows}}}},
			Footer:   "What happened, not what will. Nothing here is advice.",
		})
		if err != nil {
			return err
		}
	}
	if c.JSON {
		answer := evaluationAnswer{Series: e.Series, Bars: e.Bars, From: e.From, To: e.To, Stopped: e.Stopped, Kinds: []evaluationRow{}, All: newEvaluationRow(e.All)}
		for _, k := range e.Kinds {
			answer.Kinds = append(answer.Kinds, newEvaluationRow(k))
		}
		return json.NewEncoder(s.std.Out).Encode(answer)
	}
	if len(e.All.Bins) > 1 {
		if err := c.draw(s, diagram); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.std.Out, "%d bars of %d series, %s to %s. %s\n\n", e.Bars, e.Series, e.From.Format(time.DateOnly), e.To.Format(time.DateOnly), c.about())
	return writeTable(s, head, rows)
}

// about says what was asked.
func (c levelsEvaluateCommand) about() string {
	return fmt.Sprintf("A reaction is %g average true ranges back before a close %g beyond, within %d bars.", c.Reaction, c.Break, c.Horizon)
}

func newEvaluationRow(k levels.KindEvaluation) evaluationRow {
	pair := func(a, b float64) [2]market.Float { return [2]market.Float{market.Float(a), market.Float(b)} }
	r := evaluationRow{
		Kind: k.Kind, Watched: k.Watched, Touches: k.Touches, Reactions: k.Reactions, Breaks: k.Breaks, Timeouts: k.Timeouts, Unfinished: k.Unfinished,
		Rate: market.Float(k.Rate), RateInterval: pair(k.RateLow, k.RateHigh), RandomTouches: k.RandomTouches, RandomRate: market.Float(k.RandomRate),
		Difference: market.Float(k.Difference), DifferenceCI: pair(k.DifferenceLow, k.DifferenceHigh), Blocks: k.Blocks,
		Brier: market.Float(k.Brier), BaseBrier: market.Float(k.BaseBrier), Skill: market.Float(k.Skill), SkillInterval: pair(k.SkillLow, k.SkillHigh),
		Reliability: []reliabilityRow{},
	}
	for _, b := range k.Bins {
		r.Reliability = append(r.Reliability, reliabilityRow{market.Float(b.Low), market.Float(b.High), market.Float(b.Forecast), market.Float(b.Rate), b.Touches})
	}
	return r
}

// evaluationTable is the record for eyes.
func evaluationTable(e *levels.Evaluation) (head []string, rows [][]string) {
	head = []string{"KIND", "TOUCHES", "TIMEOUTS", "LEVELS", "RANDOM", "DIFFERENCE", "BRIER", "SKILL"}
	for _, k := range append(e.Kinds[:len(e.Kinds):len(e.Kinds)], e.All) {
		rows = append(rows, []string{
			string(k.Kind), fmt.Sprint(k.Touches), fmt.Sprint(k.Timeouts), points(k.Rate, "%.1f %%"), points(k.RandomRate, "%.1f %%"),
			points(k.Difference, "%+.1f") + interval(k.DifferenceLow, k.DifferenceHigh, 1), orDash(k.Brier, "%.3f"),
			points(k.Skill, "%+.2f %%") + interval(k.SkillLow, k.SkillHigh, 2),
		})
	}
	return head, rows
}

func orDash(x float64, format string) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	return fmt.Sprintf(format, x)
}

func points(x float64, format string) string { return orDash(100*x, format) }

func interval(low, high float64, digits int) string {
	if math.IsNaN(low) || math.IsNaN(high) {
		return ""
	}
	return fmt.Sprintf(" (%+.*f to %+.*f)", digits, 100*low, digits, 100*high)
}

// reliabilityChart sets what was forecast against what happened. Honest
// forecasts lie on the diagonal.
func reliabilityChart(k levels.KindEvaluation) chart.Chart {
	c := chart.Chart{Title: "Reliability of the probabilities", XLabel: "probability given, %"}
	happened, ideal := chart.Line{Name: "reacted, %"}, chart.Line{Name: "as given"}
	counted := chart.Pane{Title: "touches", Weight: 0.4}
	for _, b := range k.Bins {
		c.X = append(c.X, 100*b.Forecast)
		happened.Values = append(happened.Values, 100*b.Rate)
		ideal.Values = append(ideal.Values, 100*b.Forecast)
		counted.Histogram = append(counted.Histogram, float64(b.Touches))
	}
	c.Panes = []chart.Pane{{Lines: []chart.Line{happened, ideal}}, counted}
	return c
}

// writePage writes an HTML page to a file.
func writePage(s *session, path string, page chart.Page) error {
	if err := writeFile(path, func(w io.Writer) error { return chart.HTML(w, page) }); err != nil {
		return err
	}
	fmt.Fprintln(s.std.Err, "wrote", path)
	return nil
}

// A progress is a line on a terminal that says how far a long task is; without
// a terminal it says nothing.
type progress struct {
	out   io.Writer // nil when nothing is shown
	shown int
}

func newProgress(out io.Writer) *progress {
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return &progress{out: out, shown: -1}
	}
	return &progress{}
}

func (p *progress) show(done, total int) {
	if p.out == nil || total == 0 {
		return
	}
	if share := 100 * done / total; share != p.shown {
		p.shown = share
		fmt.Fprintf(p.out, "\r%3d %% of %d bars", share, total)
	}
}

func (p *progress) clear() {
	if p.out != nil && p.shown >= 0 {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
