package options

import (
	"math"
	"sort"

	"github.com/ttai-go/ttai/market"
)

// earlyExercise has the tables of an expiry's American contracts; nil when
// there are none, or no volatility to make them for.
type earlyExercise struct{ call, put earlyPremium }

// newEarlyExercise makes the tables for the range of volatilities that options
// out of the money show, and some more; with near, only of those that decide on
// the forward.
func newEarlyExercise(e *Expiry, model BSM, dividends []Dividend, near bool) *earlyExercise {
	low, high, american := math.Inf(1), 0.0, false
	from, to := 0, len(e.Contracts)
	if near {
		from, to = e.deciding()
	}
	stride := 1 + (to-from)/100 // odd and even strikes alike
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
	if !american || !(low < math.Inf(1)) || !(model.Years > 0) {
		return nil
	}
	if len(dividends) > 0 {
		present := presentValue(dividends, model.Rate)
		return &earlyExercise{call: &dividendPremium{Call, dividends, present}, put: &dividendPremium{Put, dividends, present}}
	}
	g := gridPremium()
	if near {
		g = gridRough()
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
	return max(center-3*nearPairs, 0), min(center+3*nearPairs, len(e.Contracts))
}
