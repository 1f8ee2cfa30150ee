package main

import (
	"encoding/json"
	"fmt"
	"math"
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
	Find     levelsFindCommand     `cmd:"" default:"withargs" help:"Find the levels of a file of bars. The word 'find' may be left out."`
	Evaluate levelsEvaluateCommand `cmd:"" help:"Ask how levels did in files of bars, against random ones."`
}

// Help is shown below the commands.
func (levelsCommand) Help() string {
	return `Examples:
  ttai levels bars.csv.gz
  ttai levels --kinds zone,pivot --near 5 --json bars.csv
  ttai levels evaluate bars.csv.gz

A level describes where price has turned or traded. It is no prediction.`
}

type levelsFindCommand struct {
	File     string   `arg:"" type:"existingfile" help:"CSV file of bars."`
	Kinds    []string `help:"Only these kinds, such as zone, 'swing high', pivot; 'all' for every kind. Default: what most charts show." placeholder:"KIND,…"`
	At       string   `help:"Use the bars that were complete at this time; default all." placeholder:"TIME"`
	Price    float64  `help:"Show the levels around this price instead of the last close." placeholder:"PRICE"`
	Near     int      `help:"Only this many levels on each side of the price; 0: all." default:"12"`
	Unbroken bool     `help:"Leave out levels that a bar has closed beyond."`
	Areas    bool     `help:"Merge levels that lie together, and rank the areas by probability."`
	JSON     bool     `name:"json" help:"Print JSON."`
	SVG      string   `name:"svg" help:"Write a picture to this file." placeholder:"FILE"`
	HTML     string   `name:"html" help:"Write a page with the picture and the table to this file." placeholder:"FILE"`
	Symbol   string   `help:"Symbol to take from a file with several."`
	app.FileFlags
	drawingFlags
}

// Help is shown below the flags.
func (levelsFindCommand) Help() string {
	return `Examples:
  ttai levels bars.csv.gz
  ttai levels --kinds zone,pivot --near 5 --json bars.csv
  ttai levels --kinds all --areas --svg levels.svg bars.csv
  ttai levels --at '2020-03-16 12:00' --unbroken minutes.csv.gz

PROBABILITY is that of a reaction once price is there: one average true range
back before a close half of one beyond, within ten bars. It is calibrated, and
for most kinds no better than chance: see docs/levels.md.`
}

// shownKinds are those that most charts show.
func shownKinds() []levels.Kind {
	return []levels.Kind{
		levels.KindZone, levels.KindSwingHigh, levels.KindSwingLow, levels.KindPivot, levels.KindPivotResistance, levels.KindPivotSupport,
		levels.KindPOC, levels.KindValueAreaHigh, levels.KindValueAreaLow, levels.KindNakedPOC, levels.KindVWAP,
		levels.KindPriorHigh, levels.KindPriorLow, levels.KindPriorClose, levels.KindOvernightHigh, levels.KindOvernightLow,
		levels.KindOpeningRangeHigh, levels.KindOpeningRangeLow, levels.KindGap, levels.KindRound,
	}
}

// kindsOf checks names of kinds; none means fallback, and "all" means nil.
func kindsOf(names []string, fallback []levels.Kind) ([]levels.Kind, error) {
	if len(names) == 0 {
		return fallback, nil
	}
	var kinds []levels.Kind
	for _, name := range names {
		switch {
		case name == "all":
			return nil, nil
		case !slices.Contains(levels.Kinds(), levels.Kind(name)):
			known := make([]string, len(levels.Kinds()))
			for i, k := range levels.Kinds() {
				known[i] = string(k)
			}
			return nil, invalid.Fieldf("kinds", name, "all, or one of %s", strings.Join(known, ", "))
		}
		kinds = append(kinds, levels.Kind(name))
	}
	return kinds, nil
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
	Visits    int          `json:"visits"` // finished, after confirmation
	Held      int          `json:"held"`   // those after which price left where it came from
	State     levels.State `json:"state,omitempty"`
	Broken    bool         `json:"broken"`
	BrokenAt  time.Time    `json:"broken_at,omitzero"`
	Side      int          `json:"side"`     // 1 support, -1 resistance, 0 not known
	Strength  market.Float `json:"strength"` // probability of a reaction
	Distance  market.Float `json:"distance"` // from the price, as a fraction of it
}

// areaRow is an area in JSON.
type areaRow struct {
	Price       market.Float    `json:"price"`
	Low         market.Float    `json:"low"`
	High        market.Float    `json:"high"`
	Probability market.Float    `json:"probability"`
	Distance    market.Float    `json:"distance"`
	Families    []levels.Family `json:"families"`
	Members     []levelRow      `json:"members"`
}

// Run prints the levels of a file.
func (c levelsFindCommand) Run(s *session) error {
	kinds, err := kindsOf(c.Kinds, shownKinds())
	if err != nil {
		return err
	}
	if math.IsNaN(c.Price) || c.Price < 0 || math.IsInf(c.Price, 1) {
		return invalid.Field("price", c.Price, "a price above 0, or 0 for the last close")
	}
	series, err := c.read(s)
	if err != nil {
		return err
	}
	found, err := levels.Find(series, &levels.Options{Kinds: kinds, Unbroken: c.Unbroken})
	if err != nil {
		return err
	}
	price := c.Price
	if price == 0 {
		price = series.Close[series.Len()-1]
	}
	if c.Areas {
		return c.areas(s, series, found, price)
	}
	if c.Near > 0 {
		below, above := levels.Around(found, price, c.Near)
		found = slices.DeleteFunc(found, func(l levels.Level) bool {
			return !slices.Contains(below, l) && !slices.Contains(above, l) && !l.Contains(price)
		})
	}
	head, table := levelsTable(found, price)
	if err := c.files(s, levelsChart(series, found, price), head, table); err != nil {
		return err
	}
	if c.JSON {
		rows := make([]levelRow, len(found))
		for i, l := range found {
			rows[i] = newLevelRow(l, price)
		}
		return json.NewEncoder(s.std.Out).Encode(rows)
	}
	if err := c.draw(s, levelsChart(series, found, price)); err != nil {
		return err
	}
	return writeTable(s, head, table)
}

// read returns the bars that were complete at the wanted time.
func (c levelsFindCommand) read(s *session) (market.Series, error) {
	file, err := c.OpenBars(c.File, market.Symbol(strings.ToUpper(c.Symbol)), s.std.Err)
	if err != nil {
		return market.Series{}, err
	}
	calendar := market.NYSE()
	bars := file.Bars
	if c.At != "" {
		at, err := calendar.ParseInstant("at", c.At, nil)
		if err != nil {
			return market.Series{}, err
		}
		if bars = calendar.Complete(bars, file.Interval, at); len(bars) == 0 {
			return market.Series{}, fmt.Errorf("no bar of %s is complete at %s: %w", c.File, c.At, market.ErrNoData)
		}
	}
	return market.NewSeries(file.Symbol, file.Interval, bars), nil
}

// areas prints where levels lie together, the likeliest first.
func (c levelsFindCommand) areas(s *session, series market.Series, found []levels.Level, price float64) error {
	areas, err := levels.Confluence(series, found, nil)
	if err != nil {
		return err
	}
	if c.Near > 0 {
		slices.SortStableFunc(areas, func(a, b levels.Area) int {
			return compare(math.Abs(a.Distance(price)), math.Abs(b.Distance(price)))
		})
		areas = areas[:min(2*c.Near, len(areas))]
	}
	levels.Rank(areas, price)
	rows := make([]areaRow, len(areas))
	var marks []levels.Level
	head := []string{"PROBABILITY", "PRICE", "BAND", "DISTANCE", "FAMILIES", "LEVELS"}
	var table [][]string
	for i, a := range areas {
		rows[i] = areaRow{Price: market.Float(a.Price), Low: market.Float(a.Low), High: market.Float(a.High), Probability: market.Float(a.Probability), Distance: market.Float(a.Distance(price) / price), Families: a.Families}
		var families, members []string
		for _, f := range a.Families {
			families = append(families, string(f))
		}
		for _, l := range a.Members {
			rows[i].Members = append(rows[i].Members, newLevelRow(l, price))
			if !slices.Contains(members, string(l.Kind)) {
				members = append(members, string(l.Kind))
			}
		}
		marks = append(marks, levels.Level{Price: a.Price, Low: a.Low, High: a.High, Kind: levels.Kind(strings.Join(families, ", "))})
		table = append(table, []string{
			fmt.Sprintf("%.0f %%", 100*a.Probability), fmt.Sprintf("%.2f", a.Price), band(a.Low, a.High), fmt.Sprintf("%+.2f %%", 100*a.Distance(price)/price),
			strings.Join(families, ", "), fmt.Sprintf("%d: %s", len(a.Members), strings.Join(members, ", ")),
		})
	}
	if err := c.files(s, levelsChart(series, marks, price), head, table); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.std.Out).Encode(rows)
	}
	if err := c.draw(s, levelsChart(series, marks, price)); err != nil {
		return err
	}
	return writeTable(s, head, table)
}

// files writes the picture and the page that were asked for.
func (c levelsFindCommand) files(s *session, picture chart.Chart, head []string, table [][]string) error {
	if c.SVG != "" {
		if err := writeFile(c.SVG, picture.SVG); err != nil {
			return err
		}
		fmt.Fprintln(s.std.Err, "wrote", c.SVG)
	}
	if c.HTML == "" {
		return nil
	}
	return writePage(s, c.HTML, chart.Page{
		Title: picture.Title, Subtitle: c.File,
		Sections: []chart.Section{{Heading: "Levels", Charts: []chart.Chart{picture}, Tables: []chart.Table{{Head: head, Rows: table}}}},
		Footer:   "A level describes where price has turned or traded. It is no prediction, and nothing here is advice.",
	})
}

func newLevelRow(l levels.Level, price float64) levelRow {
	return levelRow{
		Price: market.Float(l.Price), Low: market.Float(l.Low), High: market.Float(l.High), Kind: l.Kind, Source: l.Source,
		Born: l.Born, Confirmed: l.Confirmed, LastTouch: l.LastTouch, Touches: l.Touches, Visits: l.Visits, Held: l.Held,
		State: l.State, Broken: l.Broken, BrokenAt: l.BrokenAt, Side: l.Side,
		Strength: market.Float(l.Strength), Distance: market.Float(l.Distance(price) / price),
	}
}

func band(low, high float64) string {
	if low == high {
		return ""
	}
	return fmt.Sprintf("%.2f-%.2f", low, high)
}

// levelsTable is the levels for eyes, the highest first.
func levelsTable(found []levels.Level, price float64) (head []string, rows [][]string) {
	head = []string{"PRICE", "BAND", "DISTANCE", "KIND", "SIDE", "STATE", "TOUCHES", "HELD", "LAST TOUCH", "PROBABILITY", "SOURCE"}
	for _, l := range slices.Backward(found) {
		touched, held := "", ""
		if !l.LastTouch.IsZero() {
			touched = l.LastTouch.Format(time.DateOnly)
		}
		if l.Visits > 0 {
			held = fmt.Sprintf("%d of %d", l.Held, l.Visits)
		}
		rows = append(rows, []string{
			fmt.Sprintf("%.2f", l.Price), band(l.Low, l.High), fmt.Sprintf("%+.2f %%", 100*l.Distance(price)/price), string(l.Kind),
			map[int]string{1: "support", -1: "resistance"}[l.Side], string(l.State), fmt.Sprint(l.Touches), held, touched,
			fmt.Sprintf("%.0f %%", 100*l.Strength), l.Source,
		})
	}
	return head, rows
}

// writeTable prints rows in columns.
func writeTable(s *session, head []string, rows [][]string) error {
	table := tabwriter.NewWriter(s.std.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(head, "\t"))
	for _, r := range rows {
		fmt.Fprintln(table, strings.Join(r, "\t"))
	}
	return table.Flush()
}

// levelsChart shows the newest bars with the nearest levels.
func levelsChart(series market.Series, found []levels.Level, price float64) chart.Chart {
	const nearest = 4
	pane := chart.Pane{Title: string(series.Symbol)}
	for i := max(0, series.Len()-chartBars); i < series.Len(); i++ {
		pane.Candles = append(pane.Candles, series.Bar(i))
	}
	below, above := levels.Around(found, price, nearest)
	for _, l := range append(below, above...) {
		pane.Levels = append(pane.Levels, chart.Mark{Name: string(l.Kind), Price: l.Price, Low: l.Low, High: l.High})
	}
	return chart.Chart{Title: "Levels", Panes: []chart.Pane{pane}}
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return +1
	}
	return 0
}
