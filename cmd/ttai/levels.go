package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/chart"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

type levelsCommand struct {
	File   string   `arg:"" type:"existingfile" help:"CSV file of bars."`
	Kinds  []string `help:"Only these kinds, such as zone, 'swing high', pivot; default all." placeholder:"KIND,…"`
	At     string   `help:"Use the bars that were complete at this time; default all." placeholder:"TIME"`
	Near   int      `help:"Only this many levels on each side of the last close; 0: all." default:"0"`
	JSON   bool     `name:"json" help:"Print JSON."`
	Symbol string   `help:"Symbol to take from a file with several."`
	app.FileFlags
	drawingFlags
}

// Help is shown below the flags.
func (levelsCommand) Help() string {
	return `Examples:
  ttai levels bars.csv.gz
  ttai levels --kinds zone,pivot --near 5 --json bars.csv

A level describes where price has turned or traded. It is no prediction.`
}

// levelRow is a level in JSON.
type levelRow struct {
	Price     market.Float `json:"price"`
	Low       market.Float `json:"low"`
	High      market.Float `json:"high"`
	Kind      levels.Kind  `json:"kind"`
	Source    string       `json:"source"`
	Born      time.Time    `json:"born"`
	Confirmed time.Time    `json:"confirmed"`
	LastTouch time.Time    `json:"last_touch,omitzero"`
	Touches   int          `json:"touches"`
	Broken    bool         `json:"broken"`
	Strength  market.Float `json:"strength"`
	Distance  market.Float `json:"distance"` // from the last close, as a fraction of it
}

// Run prints the levels of a file.
func (c levelsCommand) Run(s *session) error {
	for _, kind := range c.Kinds {
		if !slices.Contains(levels.Kinds(), levels.Kind(kind)) {
			names := make([]string, len(levels.Kinds()))
			for i, known := range levels.Kinds() {
				names[i] = string(known)
			}
			return invalid.Fieldf("kinds", kind, "one of %s", strings.Join(names, ", "))
		}
	}
	file, err := c.OpenBars(c.File, market.Symbol(strings.ToUpper(c.Symbol)), s.std.Err)
	if err != nil {
		return err
	}
	calendar := market.NYSE()
	bars := file.Bars
	if c.At != "" {
		at, err := calendar.ParseInstant("at", c.At, nil)
		if err != nil {
			return err
		}
		if bars = calendar.Complete(bars, file.Interval, at); len(bars) == 0 {
			return fmt.Errorf("no bar of %s is complete at %s: %w", c.File, c.At, market.ErrNoData)
		}
	}
	series := market.NewSeries(file.Symbol, file.Interval, bars)
	found, err := levels.Find(series, nil)
	if err != nil {
		return err
	}
	last := series.Close[series.Len()-1]
	found = slices.DeleteFunc(found, func(l levels.Level) bool {
		return len(c.Kinds) > 0 && !slices.Contains(c.Kinds, string(l.Kind))
	})
	if c.Near > 0 {
		below, above := levels.Around(found, last, c.Near)
		found = append(below, above...)
		slices.SortFunc(found, func(a, b levels.Level) int { return cmp.Compare(a.Price, b.Price) })
	}
	rows := make([]levelRow, len(found))
	for i, l := range found {
		rows[i] = levelRow{
			Price: market.Float(l.Price), Low: market.Float(l.Low), High: market.Float(l.High), Kind: l.Kind, Source: l.Source,
			Born: l.Born, Confirmed: l.Confirmed, LastTouch: l.LastTouch, Touches: l.Touches, Broken: l.Broken,
			Strength: market.Float(l.Strength), Distance: market.Float(l.Distance(last) / last),
		}
	}
	if c.JSON {
		return json.NewEncoder(s.std.Out).Encode(rows)
	}
	if err := c.draw(s, levelsChart(series, found, last)); err != nil {
		return err
	}
	table := tabwriter.NewWriter(s.std.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PRICE\tBAND\tDISTANCE\tKIND\tTOUCHES\tBROKEN\tLAST TOUCH\tSOURCE")
	for _, r := range slices.Backward(rows) {
		broken, touched := "", ""
		if r.Broken {
			broken = "broken"
		}
		if !r.LastTouch.IsZero() {
			touched = r.LastTouch.Format(time.DateOnly)
		}
		fmt.Fprintf(table, "%.2f\t%.2f-%.2f\t%+.2f %%\t%s\t%d\t%s\t%s\t%s\n", r.Price, r.Low, r.High, 100*float64(r.Distance), r.Kind, r.Touches, broken, touched, r.Source)
	}
	return table.Flush()
}

// levelsChart shows the newest bars with the nearest levels.
func levelsChart(series market.Series, found []levels.Level, last float64) chart.Chart {
	const nearest = 4
	pane := chart.Pane{Title: string(series.Symbol)}
	for i := max(0, series.Len()-chartBars); i < series.Len(); i++ {
		pane.Candles = append(pane.Candles, series.Bar(i))
	}
	below, above := levels.Around(found, last, nearest)
	for _, l := range append(below, above...) {
		pane.Levels = append(pane.Levels, chart.Mark{Name: string(l.Kind), Price: l.Price})
	}
	return chart.Chart{Title: "Levels", Panes: []chart.Pane{pane}}
}
