package main

import (
	"fmt"
	"strings"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/internal/chart"
	"github.com/ttai-go/ttai/market"
)

// chartBars is how many of the newest bars a chart shows: half a year of days.
const chartBars = 126

// analysisChart is the price with its averages and levels, and the RSI below.
func analysisChart(a *analysts.Analysis) chart.Chart {
	c := chart.Chart{Title: fmt.Sprintf("%s daily to %s", a.Symbol, a.At.Format("2006-01-02"))}
	if a.Chart == nil {
		return c
	}
	series := a.Chart.Series
	from := max(0, series.Len()-chartBars)
	price := chart.Pane{Title: string(a.Symbol)}
	for i := from; i < series.Len(); i++ {
		price.Candles = append(price.Candles, series.Bar(i))
	}
	for _, line := range a.Chart.Lines {
		price.Lines = append(price.Lines, chart.Line{Name: line.Name, Values: line.Values[from:]})
	}
	for _, level := range a.Chart.Levels {
		price.Levels = append(price.Levels, chart.Mark{Name: level.Name, Price: level.Price})
	}
	c.Panes = []chart.Pane{price}
	if len(a.Chart.RSI) == series.Len() {
		c.Panes = append(c.Panes, chart.Pane{Title: "RSI 14", Lines: []chart.Line{{Name: "RSI", Values: a.Chart.RSI[from:]}}, Guides: []float64{30, 70}})
	}
	return c
}

// analysisPage is the report: verdict, chart, views, candidates, evidence.
func analysisPage(a *analysts.Analysis) chart.Page {
	page := chart.Page{
		Title:    fmt.Sprintf("%s: %s", a.Symbol, a.Verdict.Decision),
		Subtitle: fmt.Sprintf("%s, as of %s (%s)", a.Description, a.At.Format("Monday 2 January 2006 15:04 MST"), a.Environment),
		Notice:   a.Notice,
		Footer:   fmt.Sprintf("Model: %s. %s Not affiliated with tastytrade.", a.Model, a.Disclaimer),
	}
	if a.Description == "" {
		page.Subtitle = strings.TrimPrefix(page.Subtitle, ", ")
	}
	verdict := chart.Section{
		Heading: "Verdict", Paragraphs: []string{a.Summary}, Charts: []chart.Chart{analysisChart(a)},
		Facts: []chart.Fact{{Name: "decision", Value: string(a.Verdict.Decision)}, {Name: "score", Value: fmt.Sprintf("%.0f of 100", a.Verdict.Score)}},
		Items: reasons(a.Verdict.Reasons, a.Verdict.Vetoes, a.Verdict.Dissent),
	}
	page.Sections = append(page.Sections, verdict)
	for _, view := range a.Views {
		section := chart.Section{Heading: strings.ToUpper(view.Name[:1]) + view.Name[1:] + ": " + string(view.Stance), Items: reasons(view.Reasons)}
		if view.Absent != "" {
			section.Paragraphs = []string{view.Absent}
		}
		page.Sections = append(page.Sections, section)
	}
	if len(a.Candidates) > 0 {
		page.Sections = append(page.Sections, chart.Section{Heading: "Candidates", Paragraphs: []string{a.CandidateMethod}, Tables: []chart.Table{candidateTable(a.Candidates)}})
	}
	page.Sections = append(page.Sections, chart.Section{Heading: "Evidence", Tables: []chart.Table{evidenceTable(a.Evidence)}})
	return page
}

func reasons(lists ...[]analysts.Reason) []string {
	var lines []string
	for _, list := range lists {
		for _, reason := range list {
			lines = append(lines, fmt.Sprintf("%s [%s]", reason.Text, strings.Join(reason.Evidence, ", ")))
		}
	}
	return lines
}

func candidateTable(candidates []analysts.Candidate) chart.Table {
	table := chart.Table{Head: []string{"Strategy", "Contract", "Days", "Delta", "Bid", "Mid", "Credit (mid)", "Return", "per year", "P(profit)", "Breakeven", "Needs", "Warnings"}}
	for _, c := range candidates {
		var warnings []string
		for _, w := range append(append([]analysts.Reason{}, c.Vetoes...), c.Warnings...) {
			warnings = append(warnings, w.Text)
		}
		table.Rows = append(table.Rows, []string{
			strings.ReplaceAll(string(c.Strategy), "_", " "), string(c.Symbol), fmt.Sprint(c.Days), number(c.Delta, 2), number(c.Bid, 2), number(c.Mid, 2),
			c.CreditMid.StringFixed(2), percent(c.Return), percent(c.Annualized), percent(c.ProbabilityOfProfit), number(c.Breakeven, 2), c.Needs, strings.Join(warnings, "; "),
		})
	}
	return table
}

func evidenceTable(evidence []analysts.Evidence) chart.Table {
	table := chart.Table{Head: []string{"Id", "What", "Value", "How"}}
	for _, e := range evidence {
		value, how := e.Text, e.Method
		if value == "" && e.Known() {
			value = strings.TrimSpace(number(e.Value, 4) + " " + e.Unit)
		}
		if !e.Known() {
			value, how = "absent", e.Absent
		}
		table.Rows = append(table.Rows, []string{e.ID, e.Name, value, how})
	}
	return table
}

func number(x market.Float, digits int) string {
	if !x.Known() {
		return "–"
	}
	return fmt.Sprintf("%.*f", digits, float64(x))
}

func percent(x market.Float) string {
	if !x.Known() {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(x))
}
