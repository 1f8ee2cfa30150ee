package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/chart"
	"github.com/ttai-go/ttai/market"
)

// A Document is a *Daily, a *Weekly or a *Briefing.
type Document interface {
	// Title is one line that names the report.
	Title() string
	// Summary is the report in a few lines, for notifications.
	Summary() string
	// kept tells under what key it is kept, without its ending.
	kept() string
	page() chart.Page
}

// A Format is a form of a document.
type Format string

// The formats.
const (
	Markdown Format = "md"
	HTML     Format = "html" // one file that loads nothing, with SVG charts
	JSON     Format = "json" // the document itself
)

// ContentType is the format's media type.
func (f Format) ContentType() string {
	switch f {
	case Markdown:
		return "text/markdown"
	case HTML:
		return "text/html"
	}
	return "application/json"
}

// Render shows a document. All texts are escaped. The same document gives the same
// bytes.
func Render(d Document, f Format) ([]byte, error) {
	var b bytes.Buffer
	switch f {
	case JSON:
		enc := json.NewEncoder(&b)
		enc.SetIndent("", "  ")
		err := enc.Encode(d)
		return b.Bytes(), err
	case HTML:
		err := chart.HTML(&b, d.page())
		return b.Bytes(), err
	case Markdown:
		err := markdown(&b, d.page())
		return b.Bytes(), err
	}
	return nil, &FieldError{Field: "format", Value: string(f), Allowed: "md, html or json"}
}

// A Chart is a document's picture, to be attached to a notification.
type Chart struct {
	Title string
	SVG   []byte
	Text  string // the same in letters of equal width, sixty columns
}

// Charts draws a document's pictures; none when there is too little to draw.
func Charts(d Document) ([]Chart, error) {
	var out []Chart
	for _, s := range d.page().Sections {
		for _, c := range s.Charts {
			var svg, text bytes.Buffer
			if err := c.SVG(&svg); err != nil {
				return nil, err
			}
			if err := c.Terminal(&text, chart.TerminalOptions{Width: 60, Height: 14}); err != nil {
				return nil, err
			}
			out = append(out, Chart{c.Title, svg.Bytes(), text.String()})
		}
	}
	return out, nil
}

const footer = "Computed from the account's cash, marks and transactions. No advice. Not affiliated with tastytrade or Alpaca."

// none stands for what is not known.
const none = "–"

func money(d *decimal.Decimal) string {
	if d == nil {
		return none
	}
	text := d.Abs().StringFixed(2)
	whole, rest, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if d.Round(2).Sign() < 0 {
		return "-" + whole + "." + rest
	}
	return whole + "." + rest
}

func signed(d *decimal.Decimal) string {
	if d != nil && d.Round(2).Sign() > 0 {
		return "+" + money(d)
	}
	return money(d)
}

func number(f market.Float, digits int) string {
	if !f.Known() {
		return none
	}
	text := fmt.Sprintf("%.*f", digits, float64(f))
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return text
}

func plus(f market.Float, digits int) string {
	text := number(f, digits)
	if f > 0 && strings.Trim(text, "0.") != "" {
		return "+" + text
	}
	return text
}

// masked shows an account by its last four characters: reports go to places where
// others read along.
func masked(a broker.AccountID) string {
	r := []rune(string(a))
	if len(r) <= 4 {
		return string(r)
	}
	return "…" + string(r[len(r)-4:])
}

// name is a symbol as a person says it.
func name(s market.Symbol) string {
	c, ok := s.Contract()
	if !ok {
		return string(s)
	}
	return fmt.Sprintf("%s %s %g %s", c.Root, c.Expiration, c.Strike, c.Kind)
}

func lineName(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func notice(e broker.Environment) string {
	if e == "" || e.Real() {
		return ""
	}
	return "No real money: the account is in the environment " + string(e) + "."
}

func at(t time.Time) string {
	return t.In(market.NYSE().Location()).Format("Mon 2006-01-02 15:04 MST")
}

// Title names the report.
func (d *Daily) Title() string { return "Profit and loss of " + d.Date.String() }

// Summary is the result in a few lines.
func (d *Daily) Summary() string {
	if d.Change == nil {
		return "Net liquidating value " + money(d.NetLiquidating) + ". The change is not known: there is no earlier snapshot."
	}
	return changeSummary(d.Change, d.NetLiquidating, d.Notes)
}

func changeSummary(c *Change, value *decimal.Decimal, notes []string) string {
	e := c.Explained
	text := fmt.Sprintf("%s (realized %s, unrealized %s, income %s, fees %s). Net liquidating value %s.\nDelta %s, gamma %s, theta %s, vega %s, unexplained %s, trading %s.",
		signed(c.Total), signed(c.Realized), signed(c.Unrealized), signed(&c.Income), signed(&c.Fees), money(value),
		signed(e.Delta), signed(e.Gamma), signed(e.Theta), signed(e.Vega), signed(e.Unexplained), signed(e.Trading))
	if len(notes) > 0 {
		text += "\n" + strings.Join(notes, "\n")
	}
	return text
}

func (d *Daily) kept() string { return dated(d.Date, "daily-"+plainID(d.Account)) }

func (d *Daily) page() chart.Page {
	p := chart.Page{
		Title: d.Title(), Subtitle: fmt.Sprintf("Account %s, %s", masked(d.Account), at(d.Time)), Notice: notice(d.Environment), Footer: footer,
	}
	top := chart.Section{Heading: "Result", Items: d.Notes, Facts: []chart.Fact{
		{Name: "Net liquidating value", Value: money(d.NetLiquidating)}, {Name: "Cash", Value: money(d.Cash)},
	}}
	if d.Change != nil {
		top.Facts = append(changeFacts(d.Change), top.Facts...)
	}
	p.Sections = append(p.Sections, top)
	p.Sections = append(p.Sections, changeSections(d.Change)...)
	p.Sections = append(p.Sections, greekSection(d))
	if c, ok := valueChart("Account value", d.History); ok {
		p.Sections = append(p.Sections, chart.Section{Heading: "Last days", Charts: []chart.Chart{c}})
	}
	return p
}

func changeFacts(c *Change) []chart.Fact {
	return []chart.Fact{
		{Name: "Profit", Value: signed(c.Total)}, {Name: "Realized", Value: signed(c.Realized)}, {Name: "Unrealized", Value: signed(c.Unrealized)},
		{Name: "Income", Value: signed(&c.Income)}, {Name: "Fees", Value: signed(&c.Fees)}, {Name: "Trades", Value: fmt.Sprint(c.Trades)},
		{Name: "Transfers", Value: signed(&c.Transfers)},
	}
}

func changeSections(c *Change) []chart.Section {
	if c == nil {
		return nil
	}
	e := c.Explained
	parts := []struct {
		name   string
		amount *decimal.Decimal
		how    string
	}{
		{"Delta", e.Delta, "Δ · dS"}, {"Gamma", e.Gamma, "½ · Γ · dS²"}, {"Theta", e.Theta, "Θ · days"}, {"Vega", e.Vega, "ν · points of volatility"},
		{"Unexplained", e.Unexplained, "the rest of what was held"}, {"Trading", e.Trading, "from the prices of trades to the marks"},
		{"Income", &c.Income, "dividends, interest"}, {"Fees", &c.Fees, ""}, {"Total", c.Total, ""},
	}
	why := chart.Section{Heading: "Why", Paragraphs: []string{fmt.Sprintf("Since %s, by the Greeks of then.", at(c.From))}}
	t := chart.Table{Head: []string{"Part", "Amount", "How"}}
	for _, x := range parts {
		t.Rows = append(t.Rows, []string{x.name, signed(x.amount), x.how})
	}
	why.Tables = []chart.Table{t}
	return []chart.Section{
		why,
		{Heading: "By underlying", Tables: []chart.Table{lineTable(c.ByUnderlying, "account")}},
		{Heading: "By strategy", Tables: []chart.Table{lineTable(c.ByStrategy, "no strategy")}},
	}
}

func lineTable(lines []Line, otherwise string) chart.Table {
	t := chart.Table{Head: []string{
		"Name", "Profit", "Realized", "Unrealized", "Income", "Fees", "Trades", "By delta", "By gamma", "By theta", "By vega", "Unexplained", "Trading",
	}}
	for _, l := range lines {
		e := l.Explained
		t.Rows = append(t.Rows, []string{
			lineName(l.Name, otherwise), signed(l.Total), signed(l.Realized), signed(l.Unrealized), signed(&l.Income), signed(&l.Fees), fmt.Sprint(l.Trades),
			signed(e.Delta), signed(e.Gamma), signed(e.Theta), signed(e.Vega), signed(e.Unexplained), signed(e.Trading),
		})
	}
	return t
}

func greekSection(d *Daily) chart.Section {
	s := chart.Section{Heading: "Positions and Greeks", Facts: []chart.Fact{
		{Name: "Delta, dollars", Value: number(d.Greeks.DeltaDollars, 0)}, {Name: "Theta, dollars a day", Value: number(d.Greeks.Theta, 2)},
		{Name: "Vega, dollars a point", Value: number(d.Greeks.Vega, 2)},
	}}
	t := chart.Table{Head: []string{"Position", "Quantity", "Mark", "Average", "Open profit", "IV %", "Delta", "Gamma", "Theta", "Vega", "Strategy"}}
	for i := range d.Positions {
		h := &d.Positions[i]
		var of []string
		for _, share := range h.Shares {
			of = append(of, lineName(share.Strategy, "none"))
		}
		t.Rows = append(t.Rows, []string{
			name(h.Symbol), h.Quantity.String(), price(h.Mark), price(h.Average), signed(h.open()), number(h.Vol*100, 1), number(h.Delta, 1), number(h.Gamma, 2),
			number(h.Theta, 2), number(h.Vega, 2), strings.Join(of, ", "),
		})
	}
	if len(t.Rows) == 0 {
		s.Paragraphs = []string{"Nothing is held."}
		return s
	}
	s.Tables = []chart.Table{exposureTable("By underlying", d.Exposures, ""), exposureTable("By strategy", d.Strategies, "no strategy"), t}
	return s
}

func exposureTable(caption string, all []Exposure, otherwise string) chart.Table {
	t := chart.Table{Caption: caption, Head: []string{"Name", "Value", "Delta", "Delta, dollars", "Gamma", "Theta", "Vega"}}
	for _, e := range all {
		g := e.Greeks
		t.Rows = append(t.Rows, []string{
			lineName(e.Name, otherwise), money(e.Value), number(g.Delta, 1), number(g.DeltaDollars, 0), number(g.Gamma, 2), number(g.Theta, 2), number(g.Vega, 2),
		})
	}
	return t
}

func price(d *decimal.Decimal) string {
	if d == nil {
		return none
	}
	return d.Round(4).String()
}

// valueChart draws values over profits, with gaps for what is unknown; false with
// fewer than two points.
func valueChart(title string, points []Point) (chart.Chart, bool) {
	if len(points) < 2 {
		return chart.Chart{}, false
	}
	c := chart.Chart{Title: title, Location: market.NYSE().Location()}
	values, profits := make([]float64, len(points)), make([]float64, len(points))
	for i, p := range points {
		c.Times = append(c.Times, p.Time)
		values[i], profits[i] = inexact(p.Value), inexact(p.Profit)
	}
	c.Panes = []chart.Pane{
		{Title: "Value", Lines: []chart.Line{{Name: "Value", Values: values}}, Weight: 2}, {Title: "Profit", Histogram: profits, Weight: 1},
	}
	return c, true
}

func inexact(d *decimal.Decimal) float64 {
	if d == nil {
		return math.NaN()
	}
	return d.InexactFloat64()
}

// Title names the report.
func (w *Weekly) Title() string { return fmt.Sprintf("Week of %s to %s", w.From, w.To) }

// Summary is the result in a few lines.
func (w *Weekly) Summary() string {
	if w.Change == nil {
		return "Net liquidating value " + money(w.NetLiquidating) + ". The change is not known: there is no earlier snapshot."
	}
	return changeSummary(w.Change, w.NetLiquidating, w.Notes)
}

func (w *Weekly) kept() string { return dated(w.To, "weekly-"+plainID(w.Account)) }

func (w *Weekly) page() chart.Page {
	p := chart.Page{
		Title: w.Title(), Subtitle: fmt.Sprintf("Account %s, %s", masked(w.Account), at(w.Time)), Notice: notice(w.Environment), Footer: footer,
	}
	top := chart.Section{Heading: "Result", Items: w.Notes}
	if w.Change != nil {
		top.Facts = append(changeFacts(w.Change),
			chart.Fact{Name: "Underlyings up", Value: fmt.Sprint(w.Winners)}, chart.Fact{Name: "Underlyings down", Value: fmt.Sprint(w.Losers)})
	}
	top.Facts = append(top.Facts, chart.Fact{Name: "Net liquidating value", Value: money(w.NetLiquidating)})
	p.Sections = append(p.Sections, top)
	if len(w.Days) > 0 {
		s := chart.Section{Heading: "Days"}
		t := chart.Table{Head: []string{"Day", "Profit", "Value"}}
		for _, d := range w.Days {
			t.Rows = append(t.Rows, []string{at(d.Time), signed(d.Profit), money(d.Value)})
		}
		s.Tables = []chart.Table{t}
		if c, ok := valueChart("The week", w.Days); ok {
			s.Charts = []chart.Chart{c}
		}
		p.Sections = append(p.Sections, s)
	}
	p.Sections = append(p.Sections, changeSections(w.Change)...)
	p.Sections = append(p.Sections, upcomingSection("Next", w.Ahead))
	return p
}

func upcomingSection(heading string, all []Upcoming) chart.Section {
	s := chart.Section{Heading: heading}
	if len(all) == 0 {
		s.Paragraphs = []string{"Nothing is known to be due."}
		return s
	}
	t := chart.Table{Head: []string{"Date", "Days", "What", "Symbol", "", "Held"}}
	for _, u := range all {
		held := ""
		if u.Held {
			held = "yes"
		}
		t.Rows = append(t.Rows, []string{u.Date.String(), fmt.Sprint(u.Days), string(u.Kind), name(u.Symbol), u.Text, held})
	}
	s.Tables = []chart.Table{t}
	return s
}

// Title names the report.
func (b *Briefing) Title() string { return "Morning briefing for " + b.Date.String() }

// Summary is the briefing in a few lines.
func (b *Briefing) Summary() string {
	var lines []string
	var moves []string
	for i, m := range b.Moves {
		if i == 5 {
			break
		}
		moves = append(moves, fmt.Sprintf("%s %s %%", m.Symbol, plus(m.Percent, 2)))
	}
	if len(moves) > 0 {
		lines = append(lines, strings.Join(moves, ", "))
	}
	for i, u := range b.Upcoming {
		if i == 5 {
			lines = append(lines, fmt.Sprintf("… and %d more due", len(b.Upcoming)-i))
			break
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", u.Date, name(u.Symbol), u.Text)))
	}
	for i, n := range b.Near {
		if i == 3 {
			break
		}
		lines = append(lines, fmt.Sprintf("%s %s is %s from %s %s", n.Symbol, number(n.Price, 2), plus(n.Distance, 2), n.Kind, number(n.Level, 2)))
	}
	if len(b.Vols) > 0 && b.Vols[0].Change.Known() {
		v := b.Vols[0]
		lines = append(lines, fmt.Sprintf("%s IV %s %%, %s points since %s", v.Symbol, number(v.IV*100, 1), plus(v.Change, 1), v.Since))
	}
	lines = append(lines, b.Notes...)
	if len(lines) == 0 {
		return "Nothing to tell."
	}
	return strings.Join(lines, "\n")
}

func (b *Briefing) kept() string { return dated(b.Date, "briefing") }

func (b *Briefing) page() chart.Page {
	p := chart.Page{Title: b.Title(), Subtitle: at(b.Time), Notice: notice(b.Environment), Footer: footer}
	moves := chart.Section{Heading: "Overnight moves", Items: b.Notes}
	t := chart.Table{Head: []string{"Symbol", "Close", "Now", "Change", "Percent", "Effect on what is held"}}
	for _, m := range b.Moves {
		t.Rows = append(t.Rows, []string{string(m.Symbol), number(m.PrevClose, 2), number(m.Price, 2), plus(m.Change, 2), plus(m.Percent, 2), signed(m.Effect)})
	}
	if len(t.Rows) > 0 {
		moves.Tables = []chart.Table{t}
	}
	if c, ok := moveChart(b.Moves); ok {
		moves.Charts = []chart.Chart{c}
	}
	near := chart.Section{Heading: "Levels near"}
	if len(b.Near) == 0 {
		near.Paragraphs = []string{"No level is within reach."}
	} else {
		t := chart.Table{Head: []string{"Symbol", "Price", "Level", "At", "Distance", "In average ranges", "Touches"}}
		for _, n := range b.Near {
			t.Rows = append(t.Rows, []string{
				string(n.Symbol), number(n.Price, 2), string(n.Kind), number(n.Level, 2), plus(n.Distance, 2), number(n.ATRs, 2), fmt.Sprint(n.Touches),
			})
		}
		near.Tables = []chart.Table{t}
	}
	vol := chart.Section{Heading: "Implied volatility"}
	if len(b.Vols) == 0 {
		vol.Paragraphs = []string{"Not known."}
	} else {
		t := chart.Table{Head: []string{"Symbol", "IV %", "Before %", "Since", "Change, points", "Five days, points", "Rank %", "Percentile %"}}
		for _, v := range b.Vols {
			t.Rows = append(t.Rows, []string{
				string(v.Symbol), number(v.IV*100, 1), number(v.Before*100, 1), lineName(v.Since.String(), none), plus(v.Change, 1), plus(v.FiveDay, 1),
				number(v.Rank*100, 0), number(v.Percentile*100, 0),
			})
		}
		vol.Tables = []chart.Table{t}
	}
	p.Sections = []chart.Section{moves, upcomingSection("Due", b.Upcoming), near, vol}
	return p
}

// moveChart draws the moves as bars, the greatest first; their numbers are in the
// table below. False with fewer than two.
func moveChart(moves []Move) (chart.Chart, bool) {
	n := min(len(moves), 40)
	if n < 2 {
		return chart.Chart{}, false
	}
	c := chart.Chart{Title: "Moves in percent, in the order of the table", XLabel: "row of the table"}
	bars := make([]float64, n)
	for i := range bars {
		bars[i] = float64(moves[i].Percent)
		c.X = append(c.X, float64(i+1))
	}
	c.Panes = []chart.Pane{{Title: "Percent", Histogram: bars, Weight: 1}}
	return c, true
}
