package options

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Positioning is where the open interest of a chain stands. Gamma exposure is
// an estimate: nobody publishes which side dealers are on. The convention here
// is the usual one, that customers sell calls and buy puts, so dealers are long
// the calls' gamma and short the puts'.
type Positioning struct {
	Spot    float64
	Strikes []StrikePosition // ascending
	// Gamma exposure is in currency per move of the underlying by one percent:
	// gamma · open interest · multiplier · spot² · 0.01.
	CallGamma, PutGamma float64 // unsigned
	NetGamma            float64 // CallGamma - PutGamma
	// ZeroGamma is the price nearest to the spot at which NetGamma would change its
	// sign, every contract keeping its volatility and its gamma being that of the
	// European option; NaN when there is none within 30 % of the spot.
	ZeroGamma float64
	// CallWall and PutWall are the strikes with the largest gamma exposure of
	// calls and of puts, of several the lowest; NaN without open interest.
	CallWall, PutWall float64
	// PutCallVolume and PutCallInterest are puts per call; NaN without calls.
	PutCallVolume, PutCallInterest float64
}

// A StrikePosition is what is open and traded at one strike, all chosen
// expiries together. Unknown volume and interest count as none.
type StrikePosition struct {
	Strike                    float64
	CallInterest, PutInterest float64
	CallVolume, PutVolume     float64
	CallGamma, PutGamma       float64 // unsigned exposure, as in Positioning
}

// NetGamma returns CallGamma - PutGamma.
func (s StrikePosition) NetGamma() float64 { return s.CallGamma - s.PutGamma }

// exposure is a contract with open interest.
type exposure struct {
	model  BSM
	kind   Kind
	shares float64
}

// Positioning adds up open interest, volume and gamma exposure over the
// expiries that are at most within away from c.At (0: all). The error is a
// *[FieldError] when the chain has no contract there.
func (c *Chain) Positioning(within time.Duration) (*Positioning, error) {
	if within < 0 {
		return nil, invalid.Field("within", within, "a duration of at least 0")
	}
	nan := math.NaN()
	p := &Positioning{Spot: c.Spot, ZeroGamma: nan, CallWall: nan, PutWall: nan}
	rows := map[float64]*StrikePosition{}
	var open []exposure
	var volume, interest [2]float64 // calls, puts
	for _, e := range c.Expiries {
		if within > 0 && e.Time.After(c.At.Add(within)) {
			continue
		}
		model := e.model(c.Spot)
		for i := range e.Contracts {
			q := &e.Contracts[i]
			row := rows[q.Strike]
			if row == nil {
				row = &StrikePosition{Strike: q.Strike}
				rows[q.Strike] = row
			}
			count, traded := known(q.OpenInterest), known(q.Volume)
			lot := lotOf(q)
			gamma := known(q.Gamma*count*lot) * c.Spot * c.Spot * 0.01
			if q.Kind == Call {
				row.CallInterest, row.CallVolume, row.CallGamma = row.CallInterest+count, row.CallVolume+traded, row.CallGamma+gamma
				volume[0], interest[0], p.CallGamma = volume[0]+traded, interest[0]+count, p.CallGamma+gamma
			} else {
				row.PutInterest, row.PutVolume, row.PutGamma = row.PutInterest+count, row.PutVolume+traded, row.PutGamma+gamma
				volume[1], interest[1], p.PutGamma = volume[1]+traded, interest[1]+count, p.PutGamma+gamma
			}
			if count > 0 && q.IV > 0 {
				model.Strike, model.Vol = q.Strike, q.IV
				open = append(open, exposure{model, q.Kind, count * lot})
			}
		}
	}
	if len(rows) == 0 {
		return nil, invalid.Field("within", within, "a time in which options of the chain expire")
	}
	for _, row := range rows {
		p.Strikes = append(p.Strikes, *row)
	}
	slices.SortFunc(p.Strikes, func(a, b StrikePosition) int { return cmp.Compare(a.Strike, b.Strike) })
	p.NetGamma = p.CallGamma - p.PutGamma
	p.PutCallVolume, p.PutCallInterest = ratio(volume[1], volume[0]), ratio(interest[1], interest[0])
	mostCall, mostPut := 0.0, 0.0
	for _, row := range p.Strikes {
		if row.CallGamma > mostCall {
			mostCall, p.CallWall = row.CallGamma, row.Strike
		}
		if row.PutGamma > mostPut {
			mostPut, p.PutWall = row.PutGamma, row.Strike
		}
	}
	p.ZeroGamma = zeroGamma(open, c.Spot)
	return p, nil
}

// lotOf returns the shares of a contract.
func lotOf(q *Contract) float64 {
	if q.Multiplier > 0 && q.Multiplier <= math.MaxFloat64 {
		return q.Multiplier
	}
	return 100
}

// known turns an unknown number into none.
func known(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
		return 0
	}
	return x
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}

// model returns what the expiry's contracts are valued with, without strike and
// volatility: as its Greeks are, see [NewChain].
func (e Expiry) model(spot float64) BSM {
	m := BSM{Spot: spot, Years: e.Years, Rate: e.Rate, Yield: e.Yield}
	if e.Forward > 0 { // without cash dividends, and in step with the quotes
		m.Spot = e.Forward / growth(e.Rate-e.Yield, e.Years)
	}
	return m
}

// gammaCurve is the net gamma of all that is open by the price, in any unit.
type gammaCurve struct {
	spot   float64
	terms  []gammaTerm
	narrow float64 // the least deviation
}

// gammaTerm is one contract: of its gamma only φ(d1)/price depends on the price.
type gammaTerm struct {
	shift, inverse float64 // d1 = (ln(price/spot) + shift)·inverse
	weight         float64
}

func newGammaCurve(open []exposure, spot float64) *gammaCurve {
	c := &gammaCurve{spot: spot, narrow: math.Inf(1)}
	for _, x := range open {
		m := &x.model
		s := m.Vol * math.Sqrt(m.Years)
		if !(s > 0 && s <= math.MaxFloat64) {
			continue
		}
		c.narrow = min(c.narrow, s)
		c.terms = append(c.terms, gammaTerm{
			shift:   logRatio(m.Spot, m.Strike) + (m.Rate-m.Yield)*m.Years + 0.5*s*s,
			inverse: 1 / s,
			weight:  float64(x.kind) * x.shares * math.Exp(-m.Yield*m.Years) / (m.Spot * s),
		})
	}
	return c
}

func (c *gammaCurve) at(price float64) float64 {
	away, sum := logRatio(price, c.spot), 0.0
	for i := range c.terms {
		t := &c.terms[i]
		if d1 := (away + t.shift) * t.inverse; math.Abs(d1) < 38 { // there is nothing beyond
			sum += t.weight * bell(d1)
		}
	}
	return sum
}

// zeroGamma returns the price nearest to spot where the net exposure changes sign.
// Where nothing is left of any gamma it has none.
func zeroGamma(open []exposure, spot float64) float64 {
	curve := newGammaCurve(open, spot)
	if len(curve.terms) == 0 {
		return math.NaN()
	}
	// A zero lies between two strikes at the nearest, whose gammas are a deviation wide.
	const reach = 0.3
	steps := math.Ceil(reach / max(0.0005, min(0.005, 0.25*curve.narrow)))
	step := reach / steps
	type side struct{ price, net float64 } // the last where there is any
	here := side{spot, curve.at(spot)}
	up, down := here, here
	// next goes on to a price, and returns where the sign has changed since.
	next := func(last *side, price float64) float64 {
		now := side{price, curve.at(price)}
		before := *last
		if now.net != 0 {
			*last = now
		}
		if before.net != 0 && now.net != 0 && (before.net > 0) != (now.net > 0) {
			return bisect(curve.at, min(before.price, price), max(before.price, price))
		}
		return math.NaN()
	}
	for i := 1.0; i <= steps; i++ {
		above, below := next(&up, spot*(1+step*i)), next(&down, spot*(1-step*i))
		switch {
		case here.net == 0 && up.net != 0 && down.net != 0 && (up.net > 0) != (down.net > 0):
			return spot
		case !math.IsNaN(above) && !(spot-below < above-spot):
			return above
		case !math.IsNaN(below):
			return below
		}
	}
	return math.NaN()
}

// MaxPain returns the strike at which the expiry's open options would pay their
// owners the least in all; NaN without open interest. Of several, the lowest, also
// where they differ by rounding.
func (e Expiry) MaxPain() float64 {
	best, least := math.NaN(), math.Inf(1)
	open := false
	for i := range e.Contracts {
		strike := e.Contracts[i].Strike
		if i > 0 && e.Contracts[i-1].Strike == strike {
			continue
		}
		paid := 0.0
		for j := range e.Contracts {
			q := &e.Contracts[j]
			count := known(q.OpenInterest)
			open = open || count > 0
			paid += count * lotOf(q) * max(float64(q.Kind)*(strike-q.Strike), 0)
		}
		if paid < least*(1-1e-12) || math.IsNaN(best) {
			best, least = strike, paid
		}
	}
	if !open {
		return math.NaN()
	}
	return best
}

// UnusualOptions says what [Chain.Unusual] looks for; nil means the zero value.
type UnusualOptions struct {
	MinVolume float64 // contracts traded; 0 means 500
	MinRatio  float64 // volume over open interest; 0 means 2
	Limit     int     // how many at most; 0 means 20
}

// An Unusual is a contract that traded much more than is open in it.
type Unusual struct {
	Symbol     market.Symbol
	Expiration market.Date
	Kind       Kind
	Strike     float64
	Volume     float64
	Interest   float64 // open interest
	Ratio      float64 // Volume / Interest; +Inf when nothing was open
	Premium    float64 // Volume · Mid · multiplier; NaN when the mid is unknown
}

// Unusual lists contracts whose volume is high for their open interest, the
// largest premium first: positions that were mostly opened today. Contracts whose
// open interest is not known are left out.
func (c *Chain) Unusual(opts *UnusualOptions) []Unusual {
	o := UnusualOptions{MinVolume: 500, MinRatio: 2, Limit: 20}
	if opts != nil {
		o.MinVolume = cmp.Or(opts.MinVolume, o.MinVolume)
		o.MinRatio = cmp.Or(opts.MinRatio, o.MinRatio)
		o.Limit = cmp.Or(opts.Limit, o.Limit)
	}
	var found []Unusual
	for _, e := range c.Expiries {
		for i := range e.Contracts {
			q := &e.Contracts[i]
			volume, interest := known(q.Volume), known(q.OpenInterest)
			if math.IsNaN(q.OpenInterest) || !(volume >= o.MinVolume) || !(volume >= o.MinRatio*interest) {
				continue
			}
			found = append(found, Unusual{Symbol: q.Symbol, Expiration: e.Date, Kind: q.Kind, Strike: q.Strike,
				Volume: volume, Interest: interest, Ratio: volume / interest, Premium: volume * q.Mid * lotOf(q)})
		}
	}
	rank := func(u Unusual) float64 {
		if math.IsNaN(u.Premium) {
			return -1
		}
		return u.Premium
	}
	slices.SortStableFunc(found, func(a, b Unusual) int { return cmp.Compare(rank(b), rank(a)) })
	return found[:min(max(o.Limit, 0), len(found))]
}
