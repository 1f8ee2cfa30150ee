package options

import (
	"math"
	"slices"

	"github.com/ttai-go/ttai/internal/invalid"
)

// An Analysis is what there is to know about a structure before it is opened.
// Amounts are for the whole structure, in the currency of the price; margin and
// fees are not part of it.
type Analysis struct {
	Name       string  // of the shape; "" when it has none
	Horizon    float64 // years to the first expiry, at which the profit is judged
	Exact      bool    // one expiry: the payoff is piecewise linear and the figures below are exact
	Premium    float64 // positive: credit, negative: debit
	Value      float64 // what closing now brings at the model's prices, see [Structure.Value]
	MaxGain    float64 // +Inf when unbounded
	MaxLoss    float64 // as a profit: negative, -Inf when unbounded
	Breakevens []float64
	ProbProfit float64 // risk-neutral, of a profit at the horizon
	Expected   float64 // mean profit at the horizon, risk-neutral
	Touches    []Touch // breakevens and short strikes, ascending by price
	Greeks     Greeks  // of the sum, now
	Reward     float64 // MaxGain / -MaxLoss; NaN when the loss is zero or unbounded
}

// A Touch is the risk-neutral probability that the underlying trades at Price
// before the horizon.
type Touch struct {
	Price float64
	Prob  float64
}

// Analyze judges the structure at its first expiry. The distribution is d; nil
// means the lognormal one with the forward of c and its volatility (without
// one, that of the leg whose strike is nearest to the spot). With legs that
// expire later, the profit at the horizon is their model value on a fine grid
// of prices from the one-in-a-million quantile to its counterpart, so breakevens
// are to about 1e-9 and the extremes to the grid. The error is a *[FieldError].
func (s Structure) Analyze(c Conditions, d Distribution) (*Analysis, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	a := &Analysis{Name: s.Name, Premium: s.Premium(), Value: s.Value(c, 0, 0), Greeks: s.Greeks(c)}
	if a.Name == "" {
		a.Name, _ = Recognize(s.Legs)
	}
	if math.IsNaN(a.Premium) {
		return nil, invalid.Missing("price", "the price of every leg; Priced gives them the model's")
	}
	first, last, hasOptions := s.horizon()
	a.Horizon, a.Exact = first, first == last
	vol, extra := s.volatility(c)
	walk := BSM{Spot: c.Spot, Years: a.Horizon, Rate: c.Rate, Yield: c.Yield + extra, Vol: vol}
	if d == nil && hasOptions {
		if math.IsNaN(vol) {
			return nil, invalid.Missing("vol", "a volatility, of the conditions or of a leg")
		}
		d = Lognormal{Forward: walk.Forward(), Vol: vol, Years: a.Horizon}
	}
	if a.Exact {
		p, err := s.Payoff()
		if err != nil {
			return nil, err
		}
		a.MaxGain, a.MaxLoss, a.Breakevens = p.Max(), p.Min(), p.Breakevens()
		a.ProbProfit, a.Expected = math.NaN(), math.NaN()
		if d != nil {
			a.ProbProfit, a.Expected = p.ProbProfit(d), p.Expected(d)
		}
	} else {
		s.judge(a, c, d)
	}
	a.Reward = math.NaN()
	if a.MaxLoss < 0 && !math.IsInf(a.MaxLoss, -1) {
		a.Reward = a.MaxGain / -a.MaxLoss
	}
	prices := slices.Clone(a.Breakevens)
	for _, l := range s.Legs {
		if !l.Shares() && l.Quantity < 0 {
			prices = append(prices, l.Strike)
		}
	}
	slices.Sort(prices)
	for _, price := range slices.Compact(prices) {
		if hasOptions {
			a.Touches = append(a.Touches, Touch{price, walk.ProbTouch(price)})
		}
	}
	return a, nil
}

// ReturnOn returns MaxGain and Expected as shares of the capital that the
// structure ties up: margin for most short options, the debit for long ones.
func (a Analysis) ReturnOn(capital float64) (most, expected float64) {
	if !(capital > 0) {
		return math.NaN(), math.NaN()
	}
	return a.MaxGain / capital, a.Expected / capital
}

// volatility returns the volatility until the first expiry, and what the leg it
// was taken from adds to the yield.
func (s Structure) volatility(c Conditions) (vol, extra float64) {
	vol = math.NaN()
	if c.Vol > 0 {
		vol = c.Vol
	}
	first, _, _ := s.horizon()
	nearest := math.Inf(1)
	for _, l := range s.Legs {
		if d := math.Abs(l.Strike - c.Spot); !l.Shares() && l.Years == first && d < nearest {
			nearest, extra = d, l.Yield
			if !(c.Vol > 0) && l.Vol > 0 {
				vol = l.Vol
			}
		}
	}
	return vol, extra
}

// judgeCells is how fine the grid for structures with several expiries is.
const judgeCells = 1000

// judge fills in what a structure with several expiries earns at the first.
func (s Structure) judge(a *Analysis, c Conditions, d Distribution) {
	at := func(price float64) float64 {
		c := c
		c.Spot = price
		return s.Profit(c, a.Horizon, 0)
	}
	low, high := tails(d, c.Spot)
	for _, l := range s.Legs {
		if !l.Shares() {
			low, high = min(low, 0.8*l.Strike), max(high, 1.25*l.Strike)
		}
	}
	grid := make([]float64, 0, judgeCells+1+len(s.Legs))
	for i := range judgeCells + 1 {
		grid = append(grid, low*math.Pow(high/low, float64(i)/judgeCells))
	}
	for _, l := range s.Legs {
		if !l.Shares() {
			grid = append(grid, l.Strike)
		}
	}
	slices.Sort(grid)
	grid = slices.Compact(grid)
	profits := make([]float64, len(grid))
	for i, price := range grid {
		profits[i] = at(price)
	}
	a.MaxGain, a.MaxLoss = slices.Max(profits), slices.Min(profits)
	zero := at(1e-9 * low) // a worthless underlying counts as well
	a.MaxGain, a.MaxLoss = max(a.MaxGain, zero), min(a.MaxLoss, zero)
	slope := 0.0 // far above all strikes
	for _, l := range s.Legs {
		if l.Kind != Put {
			slope += l.Size()
		}
	}
	if slope > 0 {
		a.MaxGain = math.Inf(1)
	} else if slope < 0 {
		a.MaxLoss = math.Inf(-1)
	}
	cdf := 0.0
	a.ProbProfit, a.Expected = 0, 0
	for i, price := range grid {
		next := 1.0
		if i+1 < len(grid) {
			edge := 0.5 * (price + grid[i+1])
			if (profits[i] > 0) != (profits[i+1] > 0) {
				edge = bisect(at, price, grid[i+1])
				a.Breakevens = append(a.Breakevens, edge)
			}
			next = d.CDF(edge)
		}
		a.Expected += profits[i] * (next - cdf)
		if profits[i] > 0 {
			a.ProbProfit += next - cdf
		}
		cdf = next
	}
}

// tails returns prices that d goes below and above once in a million.
func tails(d Distribution, spot float64) (low, high float64) {
	edge := func(p, from, to float64) float64 {
		return math.Exp(bisect(func(x float64) float64 { return d.CDF(math.Exp(x)) - p }, math.Log(from), math.Log(to)))
	}
	return edge(1e-6, spot*1e-4, spot*1e4), edge(1-1e-6, spot*1e-4, spot*1e4)
}

// bisect returns where f, of different signs at low and high, changes sign.
func bisect(f func(float64) float64, low, high float64) float64 {
	positive := f(high) > 0
	for range 60 {
		mid := 0.5 * (low + high)
		if (f(mid) > 0) == positive {
			high = mid
		} else {
			low = mid
		}
	}
	return 0.5 * (low + high)
}
