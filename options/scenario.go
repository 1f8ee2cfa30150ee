package options

import (
	"slices"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Grid says at which prices, times and volatilities to value a structure.
// Empty parts mean the present: the spot, now, unchanged.
type Grid struct {
	Prices    []float64 // of the underlying
	Elapsed   []float64 // years from now
	VolShifts []float64 // added to every volatility: 0.05 is five points up
}

// A Scenario is one cell of a scenario table.
type Scenario struct {
	Price, Elapsed, VolShift float64
	Value                    float64 // see [Structure.Value]
	Profit                   float64 // with the premium; NaN when a leg's price is unknown
	Delta, Theta, Vega       float64 // at that point, theta per year, vega per 1.00
}

// maxScenarios bounds a scenario table.
const maxScenarios = 1_000_000

// Scenarios values the structure at every combination of g: by elapsed time,
// then volatility, then price, each in the order given.
func (s Structure) Scenarios(c Conditions, g Grid) ([]Scenario, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if len(g.Prices) == 0 {
		g.Prices = []float64{c.Spot}
	}
	if len(g.Elapsed) == 0 {
		g.Elapsed = []float64{0}
	}
	if len(g.VolShifts) == 0 {
		g.VolShifts = []float64{0}
	}
	if n := float64(len(g.Prices)) * float64(len(g.Elapsed)) * float64(len(g.VolShifts)); n > maxScenarios {
		return nil, invalid.Fieldf("prices", len(g.Prices), "at most %d cells in all", maxScenarios)
	}
	for _, p := range g.Prices {
		if !(p > 0) || !finite(p) {
			return nil, invalid.Field("prices", p, "prices above 0")
		}
	}
	for _, t := range g.Elapsed {
		if !(t >= 0) || !finite(t) {
			return nil, invalid.Field("elapsed", t, "years from now, at least 0")
		}
	}
	for _, v := range g.VolShifts {
		if !finite(v) {
			return nil, invalid.Field("vol_shifts", v, "a change of volatility such as -0.05")
		}
	}
	premium := s.Premium()
	table := make([]Scenario, 0, len(g.Prices)*len(g.Elapsed)*len(g.VolShifts))
	for _, elapsed := range g.Elapsed {
		for _, shift := range g.VolShifts {
			for _, price := range g.Prices {
				at := c
				at.Spot = price
				greeks := s.later(c, elapsed, shift).Greeks(at)
				value := s.Value(at, elapsed, shift)
				table = append(table, Scenario{Price: price, Elapsed: elapsed, VolShift: shift,
					Value: value, Profit: premium + value, Delta: greeks.Delta, Theta: greeks.Theta, Vega: greeks.Vega})
			}
		}
	}
	return table, nil
}

// later returns the structure as it stands after elapsed years with its
// volatilities, those of c included, moved by shift.
func (s Structure) later(c Conditions, elapsed, shift float64) Structure {
	s.Legs = slices.Clone(s.Legs)
	for i := range s.Legs {
		l := &s.Legs[i]
		if !l.Shares() {
			m := l.model(c, elapsed, shift)
			l.Years = m.Years
			l.Vol = max(m.Vol, 1e-9) // zero would mean unknown
		}
	}
	return s
}

// A Change compares a structure with what an adjustment makes of it.
type Change struct {
	Before, After *Analysis
	Cash          float64 // that the adjustment moves: positive when it is received
	Trades        []Leg   // that turn one into the other, at the prices of Adjust
}

// Adjust compares holding s with trading the given legs on top of it: closing
// legs (the opposite quantity of the same contract) and opening others, as in a
// roll. Each trade has its price; the premium of s and of the closed legs goes
// on counting in the profit of what remains. d is as in [Structure.Analyze],
// and holds for both when their first expiries agree; otherwise it should be nil.
func (s Structure) Adjust(c Conditions, d Distribution, trades ...Leg) (*Change, error) {
	before, err := s.Analyze(c, d)
	if err != nil {
		return nil, err
	}
	if err := (Structure{Legs: trades}).check(); err != nil {
		return nil, err
	}
	after, realized := s.with(trades)
	change := &Change{Before: before, Cash: Structure{Legs: trades}.Premium(), Trades: trades}
	if len(after.Legs) == 0 { // all closed: the profit is fixed
		change.After = &Analysis{Exact: true, Premium: realized, MaxGain: realized, MaxLoss: realized, Expected: realized, ProbProfit: indicator(realized > 0)}
		return change, nil
	}
	after.realized = realized
	if change.After, err = after.Analyze(c, d); err != nil {
		return nil, err
	}
	return change, nil
}

func indicator(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// with returns the structure after trades, legs of one contract joined, and the
// cash that its own premium does not account for.
func (s Structure) with(trades []Leg) (after Structure, realized float64) {
	total := s.Premium() + Structure{Legs: trades}.Premium()
	for _, l := range append(slices.Clone(s.Legs), trades...) {
		i := slices.IndexFunc(after.Legs, func(o Leg) bool {
			return o.Kind == l.Kind && o.Strike == l.Strike && o.Years == l.Years && o.Size()*l.Quantity == l.Size()*o.Quantity
		})
		if i < 0 {
			after.Legs = append(after.Legs, l)
			continue
		}
		after.Legs[i].Quantity += l.Quantity
	}
	after.Legs = slices.DeleteFunc(after.Legs, func(l Leg) bool { return l.Quantity == 0 })
	after.Name, _ = Recognize(after.Legs)
	return after, total - after.Premium()
}
