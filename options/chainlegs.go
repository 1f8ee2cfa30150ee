package options

import (
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Conditions returns the chain's spot and, without any expiry, no rate.
func (c *Chain) Conditions() Conditions {
	at := Conditions{Spot: c.Spot}
	if len(c.Expiries) > 0 {
		at.Rate = c.Expiries[0].Rate
	}
	return at
}

// ImpliedYield returns the continuous yield of dividends and borrow that the
// forward implies, Rate - ln(Forward/Spot)/Years; NaN at expiry. Within weeks of
// it a single dividend, or a spot a little out of step with the quotes, makes it
// large.
func (e Expiry) ImpliedYield() float64 {
	if !(e.Years > 0 && e.Forward > 0 && e.Spot > 0) {
		return math.NaN()
	}
	return e.Rate - math.Log(e.Forward/e.Spot)/e.Years
}

// ImpliedDividend returns the present value of what the underlying pays, net of
// borrow, before expiry: Spot - Forward·e^(-Rate·Years). It is negative when
// borrowing the shares costs more than they pay.
func (e Expiry) ImpliedDividend() float64 {
	return e.Spot - e.Forward/growth(e.Rate, e.Years)
}

// Leg returns a position of quantity contracts in c at its mid price, with the
// volatility we computed and the carry that this expiry's forward implies.
func (e Expiry) Leg(c Contract, quantity float64) Leg {
	carry := e.ImpliedYield()
	if math.IsNaN(carry) {
		carry = 0
	}
	leg := Leg{Symbol: c.Symbol, Kind: c.Kind, Quantity: quantity, Strike: c.Strike, Expiration: e.Date, Years: e.Years,
		Price: c.Mid, Vol: c.IV, Yield: carry, Style: c.Style}
	if c.Multiplier > 0 {
		leg.Multiplier = c.Multiplier
	}
	return leg
}

// Find returns the contract of a kind and strike.
func (e Expiry) Find(k Kind, strike float64) (Contract, bool) {
	for _, c := range e.Contracts {
		if c.Kind == k && c.Strike == strike {
			return c, true
		}
	}
	return Contract{}, false
}

// NearestDelta returns the contract of a kind whose delta is nearest to delta,
// which is negative for puts. Contracts without a volatility do not count.
func (e Expiry) NearestDelta(k Kind, delta float64) (Contract, bool) {
	best, found := Contract{}, false
	for _, c := range e.Contracts {
		if c.Kind == k && !math.IsNaN(c.Delta) && (!found || math.Abs(c.Delta-delta) < math.Abs(best.Delta-delta)) {
			best, found = c, true
		}
	}
	return best, found
}

// Expiry returns the expiry of a date; of several roots, the first with
// contracts that settle PM, else the first.
func (c *Chain) Expiry(date market.Date) (Expiry, bool) {
	var found *Expiry
	for i := range c.Expiries {
		e := &c.Expiries[i]
		if e.Date == date && (found == nil || found.Settlement == market.SettledAM && e.Settlement != market.SettledAM) {
			found = e
		}
	}
	if found == nil {
		return Expiry{}, false
	}
	return *found, true
}

// Build makes quantity units of a named shape from the chain's contracts at
// their mid prices; shares trade at the chain's spot. Dates and strikes are
// ascending and as many as the shape has. The error is a *[FieldError].
func (c *Chain) Build(name string, quantity float64, dates []market.Date, strikes []float64) (Structure, error) {
	shape, err := findShape(name)
	if err != nil {
		return Structure{}, err
	}
	if len(dates) != shape.Expiries {
		return Structure{}, invalid.Fieldf("dates", len(dates), "%d expiration dates for the %s", shape.Expiries, shape.Name)
	}
	expiries := make([]Expiry, len(dates))
	years := make([]float64, len(dates))
	for i, date := range dates {
		e, ok := c.Expiry(date)
		if !ok {
			return Structure{}, invalid.Field("dates", date.String(), "an expiration date of the chain")
		}
		expiries[i], years[i] = e, e.Years
	}
	s, err := Build(name, quantity, strikes, years)
	if err != nil {
		return Structure{}, err
	}
	for i := range s.Legs {
		leg := &s.Legs[i]
		if leg.Shares() {
			leg.Symbol, leg.Price = c.Underlying, c.Spot
			continue
		}
		e := expiries[shape.Legs[i].Expiry]
		contract, ok := e.Find(leg.Kind, leg.Strike)
		switch {
		case !ok:
			return Structure{}, invalid.Fieldf("strikes", leg.Strike, "a %s strike listed on %s", leg.Kind, e.Date)
		case math.IsNaN(contract.Mid):
			return Structure{}, invalid.Fieldf("strikes", leg.Strike, "a %s with a bid and an offer on %s", leg.Kind, e.Date)
		}
		*leg = e.Leg(contract, leg.Quantity)
	}
	return s, nil
}
