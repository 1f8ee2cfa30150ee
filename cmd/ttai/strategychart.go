package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/ttai-go/ttai/internal/chart"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// strategyAnswer is an analysis in JSON. Amounts are for the whole structure.
type strategyAnswer struct {
	Name          string           `json:"name"` // "" when it has none
	Premium       market.Float     `json:"premium"`
	MaxGain       market.Float     `json:"max_gain"` // null when unlimited
	MaxLoss       market.Float     `json:"max_loss"` // negative; null when unlimited
	UnlimitedGain bool             `json:"unlimited_gain"`
	UnlimitedLoss bool             `json:"unlimited_loss"`
	Breakevens    []market.Float   `json:"breakevens"`
	ProbProfit    market.Float     `json:"probability_of_profit"`
	Expected      market.Float     `json:"expected_profit"`
	Touches       []touchAnswer    `json:"touches"`
	Days          market.Float     `json:"days"` // to the first expiry
	Exact         bool             `json:"exact"`
	Value         market.Float     `json:"value"`
	Delta         market.Float     `json:"delta"` // in shares
	Gamma         market.Float     `json:"gamma"`
	Theta         market.Float     `json:"theta_per_day"`
	Vega          market.Float     `json:"vega_per_point"`
	Rho           market.Float     `json:"rho_per_point"`
	Return        *returnAnswer    `json:"return,omitempty"`
	Scenarios     []scenarioAnswer `json:"scenarios,omitempty"`
	Adjusted      *adjustedAnswer  `json:"adjusted,omitempty"`
}

// adjustedAnswer is what the structure becomes when the trades are made.
type adjustedAnswer struct {
	Cash market.Float `json:"cash"` // that the trades move
	strategyAnswer
}

type touchAnswer struct {
	Price market.Float `json:"price"`
	Prob  market.Float `json:"probability"`
}

type returnAnswer struct {
	Most     market.Float `json:"most"`
	Expected market.Float `json:"expected"`
}

type scenarioAnswer struct {
	Price    market.Float `json:"price"`
	After    market.Float `json:"after"` // days
	VolShift market.Float `json:"vol_shift"`
	Value    market.Float `json:"value"`
	Profit   market.Float `json:"profit"`
	Delta    market.Float `json:"delta"`
}

// answer analyses a structure; a nil distribution is the lognormal one.
func (r strategyRequest) answer(built options.Structure, conditions options.Conditions, d options.Distribution) (strategyAnswer, error) {
	a, err := built.Analyze(conditions, d)
	if err != nil {
		return strategyAnswer{}, err
	}
	answer := answerAnalysis(a)
	trades, err := readLegs(r.Trades, r.JSONTrades)
	if err != nil {
		return strategyAnswer{}, err
	}
	if len(trades) > 0 {
		priced, err := options.Structure{Legs: trades}.Priced(conditions)
		if err != nil {
			return strategyAnswer{}, err
		}
		change, err := built.Adjust(conditions, nil, priced.Legs...)
		if err != nil {
			return strategyAnswer{}, err
		}
		answer.Adjusted = &adjustedAnswer{market.Float(change.Cash), answerAnalysis(change.After)}
	}
	if r.Capital != 0 {
		most, expected := a.ReturnOn(r.Capital)
		answer.Return = &returnAnswer{market.Float(most), market.Float(expected)}
	}
	if len(r.Prices)+len(r.After)+len(r.Shifts) == 0 {
		return answer, nil
	}
	grid := options.Grid{Prices: r.Prices, VolShifts: r.Shifts}
	for _, days := range r.After {
		grid.Elapsed = append(grid.Elapsed, days/365)
	}
	table, err := built.Scenarios(conditions, grid)
	for _, s := range table {
		answer.Scenarios = append(answer.Scenarios, scenarioAnswer{market.Float(s.Price), market.Float(365 * s.Elapsed), market.Float(s.VolShift),
			market.Float(s.Value), market.Float(s.Profit), market.Float(s.Delta)})
	}
	return answer, err
}

// answerAnalysis puts an analysis in the units traders quote.
func answerAnalysis(a *options.Analysis) strategyAnswer {
	g := a.Greeks
	if math.Abs(a.Expected) < 1e-9*math.Abs(a.Premium) { // nothing but rounding
		a.Expected = 0
	}
	answer := strategyAnswer{Name: a.Name, Premium: market.Float(a.Premium), MaxGain: market.Float(a.MaxGain), MaxLoss: market.Float(a.MaxLoss),
		UnlimitedGain: math.IsInf(a.MaxGain, 1), UnlimitedLoss: math.IsInf(a.MaxLoss, -1), Breakevens: []market.Float{}, Touches: []touchAnswer{},
		ProbProfit: market.Float(a.ProbProfit), Expected: market.Float(a.Expected), Days: market.Float(365 * a.Horizon), Exact: a.Exact, Value: market.Float(a.Value),
		Delta: market.Float(g.Delta), Gamma: market.Float(g.Gamma), Theta: market.Float(g.ThetaPerDay()), Vega: market.Float(g.VegaPerPoint()), Rho: market.Float(g.RhoPerPoint())}
	for _, b := range a.Breakevens {
		answer.Breakevens = append(answer.Breakevens, market.Float(b))
	}
	for _, t := range a.Touches {
		answer.Touches = append(answer.Touches, touchAnswer{market.Float(t.Price), market.Float(t.Prob)})
	}
	return answer
}

// print shows the answer as text.
func (a strategyAnswer) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	name := a.Name
	if name == "" {
		name = "(no name)"
	}
	flow := "credit"
	if a.Premium < 0 {
		flow = "debit"
	}
	limit := func(x market.Float, unlimited bool) string {
		if unlimited {
			return "unlimited"
		}
		return figure(x, 2)
	}
	fmt.Fprintf(w, "structure\t%s\n%s\t%.2f\n", name, flow, math.Abs(float64(a.Premium)))
	fmt.Fprintf(w, "largest gain\t%s\nlargest loss\t%s\n", limit(a.MaxGain, a.UnlimitedGain), limit(a.MaxLoss, a.UnlimitedLoss))
	breakevens := make([]string, len(a.Breakevens))
	for i, b := range a.Breakevens {
		breakevens[i] = figure(b, 2)
	}
	fmt.Fprintf(w, "breakevens\t%s\n", strings.Join(breakevens, ", "))
	fmt.Fprintf(w, "probability of profit\t%s in %s days\nexpected profit\t%s\n", inPercent(a.ProbProfit, 1), figure(a.Days, 0), figure(a.Expected, 2))
	for _, t := range a.Touches {
		fmt.Fprintf(w, "touches %s\t%s\n", figure(t.Price, 2), inPercent(t.Prob, 1))
	}
	fmt.Fprintf(w, "Greeks\tdelta %.2f  gamma %.3f  theta/day %.2f  vega/point %.2f  rho/point %.2f\n", a.Delta, a.Gamma, a.Theta, a.Vega, a.Rho)
	if a.Return != nil {
		fmt.Fprintf(w, "return on capital\tat most %s, expected %s\n", inPercent(a.Return.Most, 1), inPercent(a.Return.Expected, 1))
	}
	if a.Adjusted != nil {
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(out, "\nAfter the trades, which move %+.2f:\n\n", a.Adjusted.Cash)
		if err := a.Adjusted.print(out); err != nil {
			return err
		}
	}
	if len(a.Scenarios) > 0 {
		fmt.Fprintln(w, "\nAFTER\tVOL\tPRICE\tVALUE\tPROFIT\tDELTA")
	}
	for _, s := range a.Scenarios {
		fmt.Fprintf(w, "%s d\t%+.1f %%\t%s\t%s\t%s\t%s\n", figure(s.After, 0), 100*float64(s.VolShift), figure(s.Price, 2), figure(s.Value, 2), figure(s.Profit, 2), figure(s.Delta, 2))
	}
	return w.Flush()
}

// payoffChart draws the profit at the first expiry and now, over the prices
// that matter.
func payoffChart(s options.Structure, c options.Conditions, a strategyAnswer) chart.Chart {
	const points = 241
	low, high := c.Spot, c.Spot
	for _, l := range s.Legs {
		if !l.Shares() {
			low, high = min(low, l.Strike), max(high, l.Strike)
		}
	}
	for _, b := range a.Breakevens {
		if b.Known() && float64(b) < 4*c.Spot {
			low, high = min(low, float64(b)), max(high, float64(b))
		}
	}
	beyond := max(0.35*(high-low), 0.08*c.Spot)
	low, high = max(low-beyond, 0.01*c.Spot), high+beyond
	horizon := float64(a.Days) / 365
	later, now := make([]float64, points), make([]float64, points)
	x := make([]float64, points)
	for i := range x {
		x[i] = low + (high-low)*float64(i)/(points-1)
		at := c
		at.Spot = x[i]
		later[i], now[i] = s.Profit(at, horizon, 0), s.Profit(at, 0, 0)
	}
	when := "at expiration"
	if !a.Exact {
		when = "at the first expiration"
	}
	title := a.Name
	if title == "" {
		title = "structure"
	}
	pane := chart.Pane{Title: "profit", Lines: []chart.Line{{Name: when, Values: later}, {Name: "now", Values: now}}, Guides: []float64{0}}
	return chart.Chart{Title: title, X: x, XLabel: "price of the underlying", Panes: []chart.Pane{pane}}
}
