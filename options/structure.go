package options

import (
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Leg is a position in one option contract, or in shares of the underlying.
type Leg struct {
	Symbol     market.Symbol // OCC symbol or the underlying's; for reference only
	Kind       Kind          // Call or Put; the zero value means shares
	Quantity   float64       // contracts or shares, negative when short
	Strike     float64       // of an option
	Expiration market.Date   // of an option; optional, Years is what counts
	Years      float64       // from now to expiry, of an option
	// Price is what was paid or received per share, unsigned: NaN when it is
	// not known. The profit and all that follows from it are then unknown too.
	Price float64
	// Vol is the implied volatility; 0 or NaN means that of Conditions.
	Vol float64
	// Yield is added to that of Conditions: what the forward of this expiry
	// implies beyond it.
	Yield float64
	// Multiplier is the shares per contract; 0 means 100, and 1 for shares.
	Multiplier float64
	// Style is the exercise style; empty means European.
	Style market.ExerciseStyle
}

// Shares reports whether the leg is shares of the underlying.
func (l Leg) Shares() bool { return l.Kind == 0 }

// Size returns the shares that the leg stands for, negative when short.
func (l Leg) Size() float64 {
	switch {
	case l.Multiplier != 0:
		return l.Quantity * l.Multiplier
	case l.Shares():
		return l.Quantity
	}
	return 100 * l.Quantity
}

// Intrinsic returns what one share of the leg is worth at expiry when the
// underlying is at spot.
func (l Leg) Intrinsic(spot float64) float64 {
	if l.Shares() {
		return spot
	}
	return max(float64(l.Kind)*(spot-l.Strike), 0)
}

// A Structure is a position of one or more legs on one underlying.
type Structure struct {
	Name string // of the shape, such as "iron condor"; "" when it has none
	Legs []Leg

	realized float64 // cash of trades that are closed; counts in Premium
}

// NewStructure checks legs and names them when they make up a known shape. The
// error is a *[FieldError].
func NewStructure(legs ...Leg) (Structure, error) {
	s := Structure{Legs: legs}
	if err := s.check(); err != nil {
		return Structure{}, err
	}
	s.Name, _ = Recognize(legs)
	return s, nil
}

func (s Structure) check() error {
	if len(s.Legs) == 0 {
		return invalid.Missing("legs", "at least one leg")
	}
	for _, l := range s.Legs {
		switch {
		case l.Kind != 0 && !validKind(l.Kind):
			return invalid.Field("kind", int8(l.Kind), "call (+1), put (-1) or shares (0)")
		case l.Quantity == 0 || !finite(l.Quantity):
			return invalid.Field("quantity", l.Quantity, "a number other than 0, negative when short")
		case l.Multiplier < 0 || !finite(l.Multiplier):
			return invalid.Field("multiplier", l.Multiplier, "shares per contract, such as 100")
		case l.Price < 0 || math.IsInf(l.Price, 0):
			return invalid.Field("price", l.Price, "what was paid or received per share, at least 0, or NaN when unknown")
		case l.Shares():
		case !(l.Strike > 0) || !finite(l.Strike):
			return invalid.Field("strike", l.Strike, "a price above 0")
		case !(l.Years >= 0) || !finite(l.Years):
			return invalid.Field("years", l.Years, "time to expiry, at least 0")
		case l.Vol < 0 || math.IsInf(l.Vol, 0):
			return invalid.Field("vol", l.Vol, "a volatility such as 0.2 for 20 %, or 0 when unknown")
		case !finite(l.Yield):
			return invalid.Field("yield", l.Yield, "a yield such as 0.02 for 2 % a year")
		}
	}
	return nil
}

func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }

// Premium returns the cash that opening the structure moves: positive when it
// is received (a credit), negative when it is paid (a debit). It is NaN when
// the price of a leg is not known.
func (s Structure) Premium() float64 {
	cash := s.realized
	for _, l := range s.Legs {
		cash -= l.Size() * l.Price
	}
	return cash
}

// horizon returns the time to the first expiry, the time to the last, and
// whether there is an option at all.
func (s Structure) horizon() (first, last float64, options bool) {
	for _, l := range s.Legs {
		if l.Shares() {
			continue
		}
		if !options || l.Years < first {
			first = l.Years
		}
		last = max(last, l.Years)
		options = true
	}
	return first, last, options
}

// Conditions are the market that a structure is valued in.
type Conditions struct {
	Spot  float64
	Rate  float64 // continuous, per year
	Yield float64 // continuous, per year
	Vol   float64 // for legs without a volatility of their own; NaN or 0 when unknown
}

func (c Conditions) check() error {
	switch {
	case !(c.Spot > 0) || !finite(c.Spot):
		return invalid.Field("spot", c.Spot, "the underlying's price above 0")
	case !(math.Abs(c.Rate) <= 1):
		return invalid.Field("rate", c.Rate, "a rate from -1 to 1 such as 0.05 for 5 % a year")
	case !(math.Abs(c.Yield) <= 1):
		return invalid.Field("yield", c.Yield, "a yield from -1 to 1 such as 0.02 for 2 % a year")
	case c.Vol < 0 || math.IsInf(c.Vol, 0):
		return invalid.Field("vol", c.Vol, "a volatility such as 0.2 for 20 %, or 0 when the legs have their own")
	}
	return nil
}

// model returns the leg as an option under c after elapsed years, with its
// volatility moved by shift.
func (l Leg) model(c Conditions, elapsed, shift float64) BSM {
	vol := l.Vol
	if !(vol > 0) {
		vol = c.Vol
	}
	if !(vol > 0) {
		vol = math.NaN()
	}
	return BSM{Spot: c.Spot, Strike: l.Strike, Years: max(l.Years-elapsed, 0), Rate: c.Rate, Yield: c.Yield + l.Yield, Vol: max(vol+shift, 0)}
}

// worth returns the value of one share of the leg.
func (l Leg) worth(c Conditions, elapsed, shift float64) float64 {
	if l.Shares() {
		return c.Spot
	}
	m := l.model(c, elapsed, shift)
	if m.Years == 0 {
		return l.Intrinsic(c.Spot)
	}
	return m.priceByStyle(l.Kind, l.Style)
}

// Value returns what the structure would be sold for after elapsed years (0:
// now) with every volatility moved by shift: negative when closing it costs
// money. A leg that has expired by then counts with its intrinsic value at
// c.Spot. It is NaN when a leg that is alive has no volatility.
func (s Structure) Value(c Conditions, elapsed, shift float64) float64 {
	sum := 0.0
	for _, l := range s.Legs {
		sum += l.Size() * l.worth(c, elapsed, shift)
	}
	return sum
}

// Profit returns Premium + Value: what the structure has earned, interest on
// the premium aside.
func (s Structure) Profit(c Conditions, elapsed, shift float64) float64 {
	return s.Premium() + s.Value(c, elapsed, shift)
}

// Greeks returns the sum of the legs' values and Greeks, each times its shares,
// at c. ProbITM, ProbTouch and the derivatives in the strike have no meaning for
// a sum and are NaN. Of legs of American style, the value, Gamma and the
// derivatives of first order are the American option's, the others those of the
// European option.
func (s Structure) Greeks(c Conditions) Greeks {
	var sum Greeks
	for _, l := range s.Legs {
		g := Greeks{Price: c.Spot, Delta: 1}
		if !l.Shares() {
			g = l.model(c, 0, 0).greeksByStyle(l.Kind, l.Style)
		}
		n := l.Size()
		sum.Price += n * g.Price
		sum.Delta += n * g.Delta
		sum.Gamma += n * g.Gamma
		sum.Theta += n * g.Theta
		sum.Vega += n * g.Vega
		sum.Rho += n * g.Rho
		sum.RhoYield += n * g.RhoYield
		sum.Vanna += n * g.Vanna
		sum.Charm += n * g.Charm
		sum.Vomma += n * g.Vomma
		sum.Veta += n * g.Veta
		sum.Speed += n * g.Speed
		sum.Zomma += n * g.Zomma
		sum.Color += n * g.Color
		sum.Ultima += n * g.Ultima
	}
	nan := math.NaN()
	sum.DualDelta, sum.DualGamma, sum.ProbITM, sum.ProbTouch = nan, nan, nan, nan
	return sum
}
