package options

import (
	"math"
	"sort"

	"github.com/ttai-go/ttai/market"
)

// earlyExercise has the tables of an expiry's American contracts; nil when
// there are none, or no volatility to make them for.
type earlyExercise struct{ call, put earlyPremium }

// settledYield is how far a table's yield may be from the forward's: what it gives
// is then off by a thousandth of a volatility point at most.
const settledYield = 1e-5

// nearYield is how far it may be when two tables have told how the forward moves
// with it: the step that follows leaves less than a twentieth of that.
const nearYield = 2e-4

// findEarly returns the tables of an expiry, nil when there are none. The forward
// says what early exercise is worth, and the reverse: a rough table tells about
// where the forward is, and one made there the rest. It changes the expiry's
// forward and the model that goes with it.
func findEarly(e *Expiry, model *BSM, dividends []Dividend, spot float64) *earlyExercise {
	low, high := e.volRange(*model, 0, len(e.Contracts))
	if !(low < math.Inf(1)) || !(model.Years > 0) {
		return nil
	}
	if model.Years <= quarter { // there is no yield that the forward could change
		early := newEarlyExercise(e, gridPremium(), *model, dividends, low, high)
		for range 6 {
			last := model.Spot
			early.fill(e, *model)
			from, to := e.deciding()
			if *model = findForward(e, e.Contracts[from:to], spot); math.Abs(model.Spot/last-1) < 1e-6 {
				break
			}
		}
		return early
	}
	// How far a table's yield moves the forward's: about this much, then as seen.
	ratio := 0.12
	rounds := 6
	if len(dividends) > 0 {
		rounds = 2 // each costs milliseconds
	}
	early, made := newEarlyExercise(e, gridRough(), *model, dividends, low, high), *model
	var before, gave float64
	for i := range rounds {
		early.fill(e, *model)
		from, to := e.deciding()
		next := findForward(e, e.Contracts[from:to], spot)
		gap, step := next.Yield-made.Yield, math.Abs(next.Spot/model.Spot-1)
		*model = next
		if math.Abs(gap) <= settledYield {
			if step < 1e-6 {
				break
			}
			continue
		}
		if made.Yield != before && i > 0 {
			ratio = max(0, min((next.Yield-gave)/(made.Yield-before), 0.5))
		}
		before, gave = made.Yield, next.Yield
		if next.Yield != 0 {
			model.Yield = made.Yield + gap/(1-ratio)
			e.Forward = model.Spot * growth(e.Rate-model.Yield, e.Years)
		}
		if made.Yield != 0 && i > 0 && math.Abs(gap) <= nearYield {
			break // the ratio is known well enough for the rest
		}
		if i+1 < rounds {
			early, made = newEarlyExercise(e, gridRough(), *model, dividends, low, high), *model
		}
	}
	return newEarlyExercise(e, gridPremium(), *model, dividends, low, high)
}

// volRange returns the range of volatilities that options out of the money show, of
// the contracts from one to another, and an empty one when none is American.
func (e *Expiry) volRange(model BSM, from, to int) (low, high float64) {
	low, american := math.Inf(1), false
	stride := (to-from)/100 | 1 // odd, to see calls and puts alike
	for i := from; i < to; i++ {
		c := &e.Contracts[i]
		american = american || c.Style == market.American
		if i%stride != 0 || !twoSided(c) || (c.Strike > e.Forward) != (c.Kind == Call) {
			continue
		}
		model.Strike = c.Strike
		if vol, err := model.ImpliedVol(c.Kind, c.Mid); err == nil {
			low, high = min(low, vol), max(high, vol)
		}
	}
	if !american {
		return math.Inf(1), 0
	}
	return low, high
}

// newEarlyExercise makes the tables for a range of volatilities.
func newEarlyExercise(e *Expiry, g *americanGrid, model BSM, dividends []Dividend, low, high float64) *earlyExercise {
	if len(dividends) > 0 {
		from, to := 0, len(e.Contracts)
		if g == gridRough() {
			from, to = e.deciding()
			if l, h := e.volRange(model, from, to); l <= h {
				low, high = l, h
			}
		}
		least, most := e.Contracts[from].Strike, e.Contracts[to-1].Strike
		return &earlyExercise{
			call: newDividendPremium(Call, model, dividends, low, high, least, most, g == gridRough()),
			put:  newDividendPremium(Put, model, dividends, low, high, least, most, g == gridRough()),
		}
	}
	return &earlyExercise{call: newPremiumTableOn(g, model, Call, low, high), put: newPremiumTableOn(g, model, Put, low, high)}
}

// table returns the table for a contract, nil when it is not American.
func (x *earlyExercise) table(c *Contract) earlyPremium {
	switch {
	case x == nil || c.Style != market.American:
		return nil
	case c.Kind == Call:
		return x.call
	}
	return x.put
}

// fill sets what early exercise adds to the contracts nearest to the forward,
// which decide on it.
func (x *earlyExercise) fill(e *Expiry, model BSM) {

	from, to := e.deciding()
	for i := from; i < to; i++ {
		c := &e.Contracts[i]
		table := x.table(c)
		c.EarlyExercise = 0
		if table == nil || table.never() || !twoSided(c) {
			continue
		}
		model.Strike = c.Strike
		if vol, err := table.impliedVol(model, c.Mid); err == nil {
			model.Vol = vol
			c.EarlyExercise = table.premium(model)
		}
	}
}

// deciding returns the range of contracts that may decide on the forward.
func (e *Expiry) deciding() (from, to int) {
	center := sort.Search(len(e.Contracts), func(i int) bool { return e.Contracts[i].Strike >= e.Forward })
	return max(center-2*nearPairs, 0), min(center+2*nearPairs, len(e.Contracts))
}
