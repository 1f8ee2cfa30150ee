package options

import (
	"cmp"
	"math"
	"slices"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Payoff is the profit of a structure at the expiry of all its options: a
// function of the underlying's price that is linear between Points and, beyond
// the last of them, rises by Slope per unit of price. It is exact.
type Payoff struct {
	Points []PayoffPoint // ascending by Price, from 0 on
	Slope  float64
}

// A PayoffPoint is a kink of a payoff.
type PayoffPoint struct{ Price, Profit float64 }

// An Interval is the open range of prices from Low to High, which may be +Inf.
type Interval struct{ Low, High float64 }

// Payoff returns the profit at expiry, premium included. It is a *[FieldError]
// when the options expire at different times (use [Structure.Profit] for a
// moment), and when the price of a leg is unknown.
func (s Structure) Payoff() (Payoff, error) {
	if err := s.check(); err != nil {
		return Payoff{}, err
	}
	if first, last, _ := s.horizon(); first != last {
		return Payoff{}, invalid.Field("years", last, "one expiry for all options of a payoff")
	}
	premium := s.Premium()
	if math.IsNaN(premium) {
		return Payoff{}, invalid.Missing("price", "the price of every leg")
	}
	knots := []float64{0}
	var slope, size float64
	for _, l := range s.Legs {
		if !l.Shares() {
			knots = append(knots, l.Strike)
		}
		if l.Kind != Put {
			slope += l.Size()
		}
		size += math.Abs(l.Size())
	}
	if math.Abs(slope) < 1e-12*size { // fractions that do not quite cancel
		slope = 0
	}
	slices.Sort(knots)
	knots = slices.Compact(knots)
	p := Payoff{Slope: slope}
	for _, price := range knots {
		profit, scale := premium, math.Abs(s.realized)
		for _, l := range s.Legs {
			v := l.Size() * l.Intrinsic(price)
			profit += v
			scale += math.Abs(v) + math.Abs(l.Size()*l.Price)
		}
		if math.Abs(profit) < 1e-13*scale {
			profit = 0
		}
		p.Points = append(p.Points, PayoffPoint{price, profit})
	}
	return p, nil
}

// At returns the profit at a price, NaN for a negative one.
func (p Payoff) At(price float64) float64 {
	if !(price >= 0) || len(p.Points) == 0 {
		return math.NaN()
	}
	i, found := slices.BinarySearchFunc(p.Points, price, func(q PayoffPoint, x float64) int { return cmp.Compare(q.Price, x) })
	switch {
	case found:
		return p.Points[i].Profit
	case i == len(p.Points):
		last := p.Points[i-1]
		if p.Slope == 0 {
			return last.Profit
		}
		return last.Profit + p.Slope*(price-last.Price)
	}
	a, b := p.Points[i-1], p.Points[i]
	return a.Profit + (b.Profit-a.Profit)*((price-a.Price)/(b.Price-a.Price))
}

// Max returns the largest profit, +Inf when it is unbounded.
func (p Payoff) Max() float64 {
	if p.Slope > 0 {
		return math.Inf(1)
	}
	return slices.MaxFunc(p.Points, func(a, b PayoffPoint) int { return cmp.Compare(a.Profit, b.Profit) }).Profit
}

// Min returns the least profit, which is the largest loss when negative, and
// -Inf when it is unbounded.
func (p Payoff) Min() float64 {
	if p.Slope < 0 {
		return math.Inf(-1)
	}
	return slices.MinFunc(p.Points, func(a, b PayoffPoint) int { return cmp.Compare(a.Profit, b.Profit) }).Profit
}

// Breakevens returns the prices above 0 at which the profit is zero, ascending.
// Where it is zero over a whole range, the ends of the range count.
func (p Payoff) Breakevens() []float64 {
	var zeros []float64
	for i, a := range p.Points {
		next, rise := math.Inf(1), p.Slope
		if i+1 < len(p.Points) {
			next, rise = p.Points[i+1].Price, p.Points[i+1].Profit-a.Profit
		}
		if a.Profit == 0 && a.Price > 0 {
			before := i > 0 && p.Points[i-1].Profit == 0
			after := rise == 0
			if !before || !after {
				zeros = append(zeros, a.Price)
			}
		}
		if a.Profit == 0 || rise == 0 || (a.Profit > 0) == (rise > 0) {
			continue
		}
		if math.IsInf(next, 1) {
			zeros = append(zeros, a.Price-a.Profit/rise)
			continue
		}
		if end := p.Points[i+1].Profit; end != 0 && (end > 0) != (a.Profit > 0) {
			zeros = append(zeros, a.Price-a.Profit*((next-a.Price)/rise))
		}
	}
	return zeros
}

// Profitable returns the ranges of prices with a profit above zero, ascending.
func (p Payoff) Profitable() []Interval {
	edges := append([]float64{0}, p.Breakevens()...)
	var ranges []Interval
	for i, low := range edges {
		high := math.Inf(1)
		if i+1 < len(edges) {
			high = edges[i+1]
		}
		inside := 0.5 * (low + high)
		if math.IsInf(high, 1) {
			inside = 2*max(low, p.Points[len(p.Points)-1].Price) + 1
		}
		if !(p.At(inside) > 0) {
			continue
		}
		if n := len(ranges); n > 0 && ranges[n-1].High == low && p.At(low) > 0 {
			ranges[n-1].High = high
		} else {
			ranges = append(ranges, Interval{low, high})
		}
	}
	return ranges
}

// ProbProfit returns the probability under d that the profit is above zero.
func (p Payoff) ProbProfit(d Distribution) float64 {
	sum := 0.0
	for _, r := range p.Profitable() {
		high := 1.0
		if !math.IsInf(r.High, 1) {
			high = d.CDF(r.High)
		}
		low := 0.0
		if r.Low > 0 {
			low = d.CDF(r.Low)
		}
		sum += high - low
	}
	return min(max(sum, 0), 1)
}

// Expected returns the mean profit under d, exact for a payoff: the sum over
// its pieces of a·P + b·E[S] within each.
func (p Payoff) Expected(d Distribution) float64 {
	sum, cdf, below := 0.0, 0.0, 0.0
	for i, a := range p.Points {
		slope, nextCDF, nextBelow := p.Slope, 1.0, d.Mean()
		if i+1 < len(p.Points) {
			b := p.Points[i+1]
			slope = (b.Profit - a.Profit) / (b.Price - a.Price)
			nextCDF, nextBelow = d.CDF(b.Price), d.Below(b.Price)
		}
		sum += (a.Profit-slope*a.Price)*(nextCDF-cdf) + slope*(nextBelow-below)
		cdf, below = nextCDF, nextBelow
	}
	return sum
}
