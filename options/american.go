package options

import (
	"math"
	"sync"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Accuracy is how exact an American price is to be, relative to the price. The
// zero value is Accuracy1e6. The price of exactness is in the package's table
// of measured costs.
type Accuracy int8

// The accuracies of American prices.
const (
	Accuracy1e4  Accuracy = 4
	Accuracy1e6  Accuracy = 6
	Accuracy1e8  Accuracy = 8
	Accuracy1e10 Accuracy = 10
)

// The grids are tables: built once, on first use, and never changed.
var (
	grid1e4  = sync.OnceValue(func() *americanGrid { return newAmericanGrid(3, 6, 8, 16, 1, 0) })
	grid1e6  = sync.OnceValue(func() *americanGrid { return newAmericanGrid(3, 8, 9, 20, 4, 3e-3) })
	grid1e8  = sync.OnceValue(func() *americanGrid { return newAmericanGrid(3, 15, 17, 32, 4, 3e-3).withNear(128) })
	grid1e8b = sync.OnceValue(func() *americanGrid { return newAmericanGrid(3, 22, 28, 44, 2, 2e-2).withNear(128) })
	grid1e8c = sync.OnceValue(func() *americanGrid { return newAmericanGrid(3, 28, 36, 80, 2, 2e-2).withNear(192) })
	grid1e6b = sync.OnceValue(func() *americanGrid { return newAmericanGrid(3, 12, 14, 32, 5, 3e-3) })
	grid1e10 = sync.OnceValue(func() *americanGrid { return newAmericanGrid(4, 32, 48, 128, 10, 1e-6).withNear(256) })
)

// grid returns the grid of an accuracy, nil for none.
func (a Accuracy) grid() *americanGrid {
	switch a {
	case Accuracy1e4:
		return grid1e4()
	case 0, Accuracy1e6:
		return grid1e6()
	case Accuracy1e8:
		return grid1e8()
	case Accuracy1e10:
		return grid1e10()
	}
	return nil
}

// asPut returns the put that is worth the same: C(S, K, r, q) = P(K, S, q, r).
func (p BSM) asPut(k Kind) BSM {
	if k == Call {
		p.Spot, p.Strike = p.Strike, p.Spot
		p.Rate, p.Yield = p.Yield, p.Rate
	}
	return p
}

// exerciseKind tells how an American put is treated.
type exerciseKind int8

const (
	exerciseSingle     exerciseKind = iota // below one boundary
	exerciseNever                          // worth as much as the European
	exerciseBetween                        // between two boundaries
	exerciseCertain                        // nothing is random
	exerciseImpossible                     // an argument is NaN or impossible
)

// exercise classifies a put. Exercising earns r·K - q·S a year: for r ≤ 0 that
// is a gain only when q < 0, and for r < 0 only above K·r/q, which has to lie
// below the strike.
func (p *BSM) exercise() exerciseKind {
	asset, cash, ok := p.present()
	switch {
	case !ok || !(p.Vol >= 0):
		return exerciseImpossible
	case math.IsInf(p.Vol, 1):
		return exerciseNever
	case p.Vol*math.Sqrt(p.Years) < 1e-9 || asset == 0 || cash == 0:
		return exerciseCertain
	case p.Rate > 0 || p.Rate == 0 && p.Yield < 0:
		return exerciseSingle
	case p.Rate < 0 && p.Yield < p.Rate:
		return exerciseBetween
	}
	return exerciseNever
}

// American returns the value of the option when it can be exercised at any time
// until expiry, at the accuracy asked for (of the value relative to itself). The
// early-exercise boundary is found by collocation of its integral equation
// (Andersen, Lake and Offengenden 2016) and the value by the integral of the
// premium. Calls are puts with spot and strike, rate and yield exchanged
// (McDonald and Schroder 1998). With a negative rate and a yield below it there
// are two boundaries, which may meet at some time before expiry; each has an
// integral equation of its own (Andersen and Lake 2021). It is never below the
// European value nor what exercising now gives, which it equals at and beyond
// the boundary. It is NaN for an argument that is NaN or impossible.
func (p BSM) American(k Kind, a Accuracy) float64 {
	g := a.grid()
	if g == nil || !validKind(k) {
		return math.NaN()
	}
	put := p.asPut(k)
	switch put.exercise() {
	case exerciseImpossible:
		return math.NaN()
	case exerciseNever:
		return p.price(k)
	case exerciseCertain:
		return max(put.certainAmerican(), p.price(k))
	case exerciseBetween:
		pair := newBoundaryPairFor(put, a)
		return pair.price(put.Spot)
	}
	floor := max(put.Strike-put.Spot, put.price(Put))
	b := newBoundaryFor(put, a, g)
	if put.Spot <= b.now() {
		return floor
	}
	if v := b.value(put.Spot); v > floor && v < math.Inf(1) {
		return min(v, put.Strike)
	}
	return floor
}

// certainAmerican is the put without randomness: the best present value of
// exercising at any time, K·e^(-rt) - S·e^(-qt), whose only turning point lies
// where r·K·e^(-rt) = q·S·e^(-qt).
func (p *BSM) certainAmerican() float64 {
	at := func(t float64) float64 { return p.Strike*math.Exp(-p.Rate*t) - p.Spot*math.Exp(-p.Yield*t) }
	best := max(at(0), at(p.Years), 0)
	if ratio := p.Rate * p.Strike / (p.Yield * p.Spot); ratio > 0 && p.Rate != p.Yield {
		if t := math.Log(ratio) / (p.Rate - p.Yield); t > 0 && t < p.Years {
			best = max(best, at(t))
		}
	}
	return best
}

// AmericanGreeks is the value of an American option and what it depends on, in
// the units of [Greeks].
type AmericanGreeks struct {
	Price, Delta, Gamma, Theta float64
	Vega, Rho, RhoYield        float64
	// Boundary is the spot at which exercising now is right, below for a put,
	// above for a call; 0 for a put and +Inf for a call that is never exercised
	// early, NaN where there are two boundaries.
	Boundary float64
	// Exercise reports that exercising now is right.
	Exercise bool
}

// AmericanGreeks returns the value of the American option, its derivatives and
// the exercise boundary. Delta and gamma come from the derivatives of the same
// integral as the value and theta from the equation all three obey; vega and the
// rhos are central differences over one per cent of the volatility and over one
// basis point, less where the rate itself is a few.
func (p BSM) AmericanGreeks(k Kind, a Accuracy) AmericanGreeks {
	nan := math.NaN()
	g := AmericanGreeks{nan, nan, nan, nan, nan, nan, nan, nan, false}
	grid := a.grid()
	if grid == nil || !validKind(k) {
		return g
	}
	put := p.asPut(k)
	kind := put.exercise()
	switch kind {
	case exerciseImpossible:
		return g
	case exerciseNever:
		e := p.Greeks(k)
		g = AmericanGreeks{e.Price, e.Delta, e.Gamma, e.Theta, e.Vega, e.Rho, e.RhoYield, 0, false}
		if k == Call {
			g.Boundary = math.Inf(1)
		}
		return g
	}
	intrinsic := float64(k) * (p.Spot - p.Strike)
	g.Price = p.American(k, a)
	g.Exercise = intrinsic > 0 && g.Price <= intrinsic
	if kind == exerciseSingle {
		b := newBoundaryFor(put, a, grid)
		ratio := b.now() / put.Strike
		g.Boundary = p.Strike * ratio
		if k == Call {
			g.Boundary = p.Strike / ratio
		}
		if !g.Exercise {
			// The put's derivatives by its spot are the call's by its strike:
			// the value is homogeneous in both.
			delta, gamma := b.slopes(put.Spot)
			if k == Call {
				delta, gamma = (g.Price-put.Spot*delta)/p.Spot, gamma*(put.Spot/p.Spot)*(put.Spot/p.Spot)
			}
			g.Delta, g.Gamma = delta, gamma
		}
	} else {
		h, value := 1e-6*put.Spot, func(spot float64) float64 {
			q := put
			q.Spot = spot
			return q.American(Put, a)
		}
		if kind == exerciseBetween {
			h, value = 1e-3*put.Spot, newBoundaryPairFor(put, a).price
		}
		high, low := value(put.Spot+h), value(put.Spot-h)
		g.Delta, g.Gamma = (high-low)/(2*h), (high-2*g.Price+low)/(h*h)
		if k == Call {
			g.Delta, g.Gamma = (g.Price-put.Spot*g.Delta)/p.Spot, g.Gamma*(put.Spot/p.Spot)*(put.Spot/p.Spot)
		}
	}
	if g.Exercise {
		g.Delta, g.Gamma, g.Theta, g.Vega, g.Rho, g.RhoYield = float64(k), 0, 0, 0, 0, 0
		return g
	}
	g.Theta = p.Rate*g.Price - (p.Rate-p.Yield)*p.Spot*g.Delta - 0.5*p.Vol*p.Vol*p.Spot*p.Spot*g.Gamma
	difference := func(change func(*BSM, float64), h float64) float64 {
		up, down := p, p
		change(&up, h)
		change(&down, -h)
		return (up.American(k, a) - down.American(k, a)) / (2 * h)
	}
	g.Vega = difference(func(q *BSM, h float64) { q.Vol += h }, 0.01*p.Vol)
	// The put's rate stays above 0, where exercise ends.
	rate, yield := 1e-4, 1e-4
	if earning := 0.25 * put.Rate; earning > 0 && k == Put {
		rate = min(rate, earning)
	} else if earning > 0 {
		yield = min(yield, earning)
	}
	g.Rho = difference(func(q *BSM, h float64) { q.Rate += h }, rate)
	g.RhoYield = difference(func(q *BSM, h float64) { q.Yield += h }, yield)
	return g
}

// AmericanImpliedVol returns the volatility at which the American option is
// worth price; p.Vol is ignored. At what exercising now gives there is no
// answer, since every volatility that is low enough gives it: the error is then
// [ErrNoTimeValue]. The others are those of [BSM.ImpliedVol].
func (p BSM) AmericanImpliedVol(k Kind, price float64, a Accuracy) (float64, error) {
	if a.grid() == nil {
		return math.NaN(), invalid.Field("accuracy", int8(a), "one of the Accuracy constants")
	}
	p.Vol = 0
	put := p.asPut(k)
	if _, _, ok := p.present(); !ok || !validKind(k) || !(price >= 0) || math.IsInf(price, 0) || p.Years == 0 {
		return math.NaN(), p.whyImpossible(k, price)
	}
	if put.exercise() == exerciseNever || put.Rate <= 0 && put.Yield >= put.Rate {
		return p.ImpliedVol(k, price)
	}
	least := put.certainAmerican()
	switch {
	case price < least*(1-1e-15):
		return math.NaN(), ErrBelowIntrinsic
	case price <= least*(1+1e-14):
		return math.NaN(), ErrNoTimeValue
	case price >= put.Strike*math.Exp(max(-put.Rate*put.Years, 0)):
		return math.NaN(), ErrAboveMaximum
	}
	value := func(vol float64) float64 {
		p.Vol = vol
		return p.American(k, a)
	}
	return solveAmericanVol(value, p, k, price, least)
}

// solveAmericanVol finds vol with value(vol) = price by regula falsi with the
// secant (Ridders' order without its square roots: Illinois), from the European
// volatility of the price, which is at or above the American one.
func solveAmericanVol(value func(float64) float64, p BSM, k Kind, price, least float64) (float64, error) {
	high, err := p.ImpliedVol(k, price)
	if err != nil || !(high > 0) { // below the European intrinsic value, or above its maximum
		high = 0.2
	}
	fh := value(high) - price
	for i := 0; fh < 0; i++ {
		if i > 60 {
			return math.NaN(), ErrAboveMaximum
		}
		high *= 1.5
		fh = value(high) - price
	}
	if fh == 0 {
		return high, nil
	}
	low, fl := 0.9*high, 0.0
	for i := 0; ; i++ {
		fl = value(low) - price
		if fl <= 0 {
			break
		}
		if i > 60 {
			return math.NaN(), ErrNoTimeValue
		}
		high, fh = low, fl
		low *= 0.7
	}
	if fl == least-price { // flat: exercised at once at low
		fl = -math.Abs(fh)
	}
	side := 0
	for range 100 {
		vol := (low*fh - high*fl) / (fh - fl)
		if !(vol > low && vol < high) {
			vol = 0.5 * (low + high)
		}
		f := value(vol) - price
		if math.Abs(f) <= 1e-15*price || high-low <= 1e-13*high {
			return vol, nil
		}
		if f > 0 {
			if math.Abs(vol-high) <= 1e-14*high {
				return vol, nil
			}
			high, fh = vol, f
			if side == 1 {
				fl *= 0.5
			}
			side = 1
		} else {
			if math.Abs(vol-low) <= 1e-14*high {
				return vol, nil
			}
			low, fl = vol, f
			if side == -1 {
				fh *= 0.5
			}
			side = -1
		}
	}
	return 0.5 * (low + high), nil
}
