package strategy

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// An Attribution says where a profit came from, in dollars. The parts add up to
// the profit.
type Attribution struct {
	Delta   float64 // of the options: delta × change of the price
	Gamma   float64 // ½ gamma × the change squared
	Theta   float64 // theta × time
	Vega    float64 // vega × change of each option's volatility
	Hedging float64 // of the shares: quantity × change of the price
	// Trading is what is left over the spans in which something was traded: spreads
	// and fees paid, and the price's way before and after the trade.
	Trading float64
	// Rest is what the others do not explain: Greeks of higher order, rates,
	// dividends, quotes that were missing.
	Rest float64
}

// Total is the sum of the parts.
func (a Attribution) Total() float64 {
	return a.Delta + a.Gamma + a.Theta + a.Vega + a.Hedging + a.Trading + a.Rest
}

// An Exposure is what is held at one moment, and what it has gained so far.
type Exposure struct {
	Time   time.Time     `json:"time"`
	Spot   float64       `json:"spot"`
	Profit float64       `json:"profit"` // since any moment, always the same, fees included
	Shares float64       `json:"shares"`
	Legs   []LegExposure `json:"legs,omitempty"`
}

// A LegExposure is an option's part of an Exposure. Greeks are those of package
// options, unscaled and per share; NaN is not known and explains nothing.
type LegExposure struct {
	Symbol market.Symbol `json:"symbol"`
	Size   float64       `json:"size"` // contracts × multiplier, negative when short
	Vol    market.Float  `json:"vol"`
	Delta  market.Float  `json:"delta"`
	Gamma  market.Float  `json:"gamma"`
	Theta  market.Float  `json:"theta"`
	Vega   market.Float  `json:"vega"`
}

// An Attributor attributes the profit between each two observations by the
// Greeks at the first:
//
//	profit ≈ Δ·dS + ½Γ·dS² + Θ·dt + vega·dσ + shares·dS
//
// Its zero value has seen nothing. It can be written as JSON and read back.
type Attributor struct {
	Sum   Attribution `json:"sum"`   // Rest is made by Parts
	Gain  float64     `json:"gain"`  // of all spans together
	Last  *Exposure   `json:"last"`  // nil before the first
	Spans int         `json:"spans"` // that were attributed
}

// Observe takes what is held now, after what was traded. A moment without a price
// or a profit is left out: the next one covers its span.
func (a *Attributor) Observe(e Exposure) {
	if unknownNumber(e.Spot) || unknownNumber(e.Profit) {
		return
	}
	last := a.Last
	a.Last = &e
	if last == nil {
		return
	}
	a.Spans++
	ds, dt := e.Spot-last.Spot, e.Time.Sub(last.Time).Hours()/(24*365)
	gain := e.Profit - last.Profit
	var part Attribution
	part.Hedging = last.Shares * ds
	traded := e.Shares != last.Shares || len(e.Legs) != len(last.Legs)
	for _, l := range last.Legs {
		part.Delta += l.Size * known(l.Delta) * ds
		part.Gamma += l.Size * known(l.Gamma) * ds * ds / 2
		part.Theta += l.Size * known(l.Theta) * dt
		now, ok := e.leg(l.Symbol)
		traded = traded || !ok || now.Size != l.Size
		if ok {
			part.Vega += l.Size * known(l.Vega) * known(now.Vol-l.Vol)
		}
	}
	a.Gain += gain
	a.Sum.Delta += part.Delta
	a.Sum.Gamma += part.Gamma
	a.Sum.Theta += part.Theta
	a.Sum.Vega += part.Vega
	a.Sum.Hedging += part.Hedging
	if traded {
		a.Sum.Trading += gain - part.Total()
	}
}

// Parts returns the attribution so far. Its total is the profit of all spans.
func (a *Attributor) Parts() Attribution {
	parts := a.Sum
	parts.Rest = 0
	parts.Rest = a.Gain - parts.Total()
	return parts
}

func (e *Exposure) leg(symbol market.Symbol) (LegExposure, bool) {
	for _, l := range e.Legs {
		if l.Symbol == symbol {
			return l, true
		}
	}
	return LegExposure{}, false
}

// known is a number, or 0 when it is not known.
func known(x market.Float) float64 {
	if unknownNumber(float64(x)) {
		return 0
	}
	return float64(x)
}

// expose returns what a holding is exposed to. Volatilities are those that the
// middle prices imply, so that vega times their change is what the prices say.
func (v *view) expose(h *holding, profit float64) Exposure {
	e := Exposure{Time: v.now, Spot: v.spot, Profit: profit, Shares: h.shares}
	nan := market.Float(math.NaN())
	for _, l := range h.legs {
		leg := LegExposure{Symbol: l.symbol, Size: l.quantity * l.size, Vol: nan, Delta: nan, Gamma: nan, Theta: nan, Vega: nan}
		if l.quoted {
			m := v.model(l.quote)
			vol, err := m.ImpliedVol(l.quote.Kind, l.quote.Mid())
			if err != nil || !(vol > 0) {
				vol = v.vol(l.quote)
			}
			if m.Vol = vol; vol > 0 && m.Years > 0 {
				g := m.Greeks(l.quote.Kind)
				leg.Vol, leg.Delta, leg.Gamma = market.Float(vol), market.Float(g.Delta), market.Float(g.Gamma)
				leg.Theta, leg.Vega = market.Float(g.Theta), market.Float(g.Vega)
			}
		}
		e.Legs = append(e.Legs, leg)
	}
	return e
}

// report attributes what was gained and, once a day and after each trade, tells
// what is held.
func (o *optionStrategy) report(v *view, h *holding, fresh bool) {
	st := &o.state
	if !fresh && st.Told != "" {
		return
	}
	e := v.expose(h, o.profit(v.s))
	st.Parts.Observe(e)
	if st.Told == v.today.String() || v.s.opts.Notes == nil || !st.Open && h.shares == 0 {
		return
	}
	st.Told = v.today.String()
	var delta, gamma, theta, vega float64
	for _, l := range e.Legs {
		delta += l.Size * float64(l.Delta)
		gamma += l.Size * float64(l.Gamma)
		theta += l.Size * float64(l.Theta) / 365
		vega += l.Size * float64(l.Vega) / 100
	}
	p := st.Parts.Parts()
	v.s.Note("position",
		Value{"price", v.spot}, Value{"delta", delta + h.shares}, Value{"gamma", gamma}, Value{"theta", theta}, Value{"vega", vega}, Value{"profit", e.Profit},
		Value{"from_delta", p.Delta}, Value{"from_gamma", p.Gamma}, Value{"from_theta", p.Theta}, Value{"from_vega", p.Vega},
		Value{"from_hedging", p.Hedging}, Value{"from_trading", p.Trading}, Value{"from_rest", p.Rest})
}
