package backtest

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// value sets the marks of the options of a chain that are held, at its latest
// snapshot.
func (e *engine) value(c *chain, k int) error {
	for _, d := range e.desks {
		for _, h := range d.ledger.open {
			if in := h.in; in.chain == c && in.markAt != c.store.times[k] {
				e.mark(in, k)
			}
		}
	}
	return nil
}

// mark values an option: at the middle of its quote, and without one as
// Rules.Missing says. A bid of zero beside an ask is a quote.
func (e *engine) mark(in *instrument, k int) {
	c := in.chain
	at := c.store.times[k]
	if row, ok := c.store.find(k, in.inChain); ok {
		if bid, ask := c.store.Prices(row); bid >= 0 && ask > 0 && bid <= ask {
			in.mark, in.markAt = (bid+ask)/2, at
			return
		}
	}
	missing := e.rules.Missing
	switch missing.Policy {
	case LeaveAbsent:
		in.mark = unknown
		return
	case FromSurface:
		if price := e.modelled(in, k); price >= 0 {
			in.mark = price // markAt stays that of a real quote
			return
		}
	}
	if missing.Limit > 0 && at-in.markAt > int64(missing.Limit) {
		in.mark = unknown
	}
}

// modelled prices an option with the implied volatilities of its neighbours in the
// snapshot: of its kind, at the next strike below and above with a quote, or the
// nearest one alone; NaN when there is none, or no price of the underlying.
func (e *engine) modelled(in *instrument, k int) float64 {
	c := in.chain
	spot := c.under.mark
	years := float64(in.expires-c.store.times[k]) / (365 * 24 * float64(time.Hour))
	if !(spot > 0) || !(years > 0) {
		return unknown
	}
	model := options.BSM{Spot: spot, Strike: in.contract.Strike, Years: years, Rate: e.rate(years)}
	kind := options.Kind(in.contract.Kind)
	from, to := c.store.Strikes(k, in.contract.Expiration, in.contract.Root)
	below, above := unknown, unknown
	volBelow, volAbove := unknown, unknown
	for row := from; row < to; row++ {
		q := &c.store.contracts[c.store.contract[row]]
		if q.Kind != in.contract.Kind || q.Strike == in.contract.Strike {
			continue
		}
		bid, ask := c.store.Prices(row)
		if !(bid > 0 && ask >= bid) {
			continue
		}
		other := model
		other.Strike = q.Strike
		vol, err := other.ImpliedVol(kind, (bid+ask)/2)
		if err != nil || !(vol > 0) {
			continue
		}
		if q.Strike < in.contract.Strike {
			below, volBelow = q.Strike, vol
		} else {
			above, volAbove = q.Strike, vol
			break
		}
	}
	switch {
	case !math.IsNaN(below) && !math.IsNaN(above):
		model.Vol = volBelow + (volAbove-volBelow)*(in.contract.Strike-below)/(above-below)
	case !math.IsNaN(below):
		model.Vol = volBelow
	default:
		model.Vol = volAbove
	}
	return model.Price(kind)
}

// greeks sums up the Greeks of an account's positions by underlying, and what these
// brought since the point before.
func (e *engine) greeks(d *desk) {
	byUnderlying := map[market.Symbol]*GreeksPoint{}
	var order []market.Symbol
	at := func(u *instrument) *GreeksPoint {
		g := byUnderlying[u.name]
		if g == nil {
			g = &GreeksPoint{Time: e.present(), Underlying: u.name, Price: u.mark, Gains: &GreekGains{}}
			byUnderlying[u.name] = g
			order = append(order, u.name)
		}
		return g
	}
	for _, h := range d.ledger.open {
		if !h.in.option {
			g := at(h.in)
			g.Delta += h.units
			h.in.gains(g.Gains, d, heldRisk{seen: e.now, at: e.now, units: h.units, spot: h.in.mark, mark: h.in.mark, delta: 1}, d.greeksBefore(h.in.name))
			continue
		}
		u := e.instrumentOf(h.in.contract.Underlying())
		g := at(u)
		g.Options += int(h.quantity.Decimal().IntPart())
		each, model := e.greeksOf(h.in, u)
		h.in.gains(g.Gains, d, heldRisk{
			seen: e.now, at: e.now, units: h.units, spot: u.mark, mark: h.in.mark, delta: each.Delta, gamma: each.Gamma, theta: each.Theta, model: model,
		}, d.greeksBefore(u.name))
		g.Delta += h.units * each.Delta
		g.Gamma += h.units * each.Gamma
		g.Theta += h.units * each.Theta / 365
		g.Vega += h.units * each.Vega
		g.Rho += h.units * each.Rho
	}
	for _, name := range order {
		g := byUnderlying[name]
		if g.Options == 0 && g.Gamma == 0 && len(order) > 1 && !e.hasOptions(d, name) {
			continue
		}
		g.VegaGain = g.Gains.Vega
		d.greeks = kept(d.greeks, *g, e.opts.Curve.Records)
		e.tell(&Item{Time: g.Time, Account: d.number, Greeks: g})
	}
}

func (e *engine) hasOptions(d *desk, underlying market.Symbol) bool {
	for _, h := range d.ledger.open {
		if h.in.option && h.in.contract.Underlying() == underlying {
			return true
		}
	}
	return false
}

// greeksBefore is when the latest point of the Greeks of an underlying was.
func (d *desk) greeksBefore(underlying market.Symbol) int64 {
	for i := len(d.greeks) - 1; i >= 0; i-- {
		if d.greeks[i].Underlying == underlying {
			return d.greeks[i].Time.UnixNano()
		}
	}
	return math.MinInt64
}

// lastMinute is how near to its end the Greeks of an option are not counted any more:
// whatever time value a quote then shows would be millions of volatility.
const lastMinute = int64(time.Minute)

// greeksOf are the Greeks of an option at its mark, and what it is valued by; both
// are NaN where there is no implied volatility.
func (e *engine) greeksOf(in, u *instrument) (options.Greeks, options.BSM) {
	years := float64(in.expires-e.now) / (365 * 24 * float64(time.Hour))
	model := options.BSM{Spot: u.mark, Strike: in.contract.Strike, Years: years, Rate: e.rate(years), Vol: unknown}
	kind := options.Kind(in.contract.Kind)
	nothing := options.Greeks{Delta: unknown, Gamma: unknown, Theta: unknown, Vega: unknown, Rho: unknown}
	if !(u.mark > 0) || in.expires-e.now < lastMinute || math.IsNaN(in.mark) {
		return nothing, model
	}
	vol, err := model.ImpliedVol(kind, in.mark)
	if err != nil || math.IsNaN(vol) {
		return nothing, model
	}
	model.Vol = vol
	return model.Greeks(kind), model
}

// A heldRisk is what an account held of an instrument at a point of its Greeks at
// which these were known, per unit where nothing else is said.
type heldRisk struct {
	seen                int64 // the latest point at which it was held
	at                  int64 // the latest at which its Greeks were known
	units               float64
	spot, mark          float64
	delta, gamma, theta float64 // theta a year
	model               options.BSM
}

// gains adds what an instrument brought since its Greeks were last known, and keeps
// the present ones. Before is when the point before was: what was not held then
// begins now.
//
// The change of the mark has no rest. From the state before, the time and the price
// are moved and the volatility stays: that value less the old mark is delta, gamma,
// theta and what these miss, and the new mark less it is what the change of the
// volatility brought. No new volatility is needed, so a point may lack one.
func (in *instrument) gains(sum *GreekGains, d *desk, now heldRisk, before int64) {
	last, held := in.risks[d]
	switch {
	case in.risks == nil:
		in.risks = map[*desk]heldRisk{}
	case !held || last.seen != before:
	case last.seen == now.seen:
		return // two points at one instant
	case math.IsNaN(now.mark) || math.IsNaN(now.spot) || math.IsNaN(now.delta) && in.expires-now.at >= lastMinute:
		last.seen = now.seen // the next point with Greeks goes on from the last that had some
		in.risks[d] = last
		return
	case math.IsNaN(last.delta): // it was not known yet when it was first held
	default:
		ds, years := now.spot-last.spot, float64(now.at-last.at)/(365*24*float64(time.Hour))
		moved := now.mark
		if in.option {
			model := last.model
			model.Spot, model.Years = now.spot, max(0, last.model.Years-years)
			moved = model.Price(options.Kind(in.contract.Kind))
		}
		delta, gamma, theta := last.delta*ds, last.gamma*ds*ds/2, last.theta*years
		sum.Delta += last.units * delta
		sum.Gamma += last.units * gamma
		sum.Theta += last.units * theta
		sum.Vega += last.units * (now.mark - moved)
		sum.Higher += last.units * (moved - last.mark - delta - gamma - theta)
	}
	in.risks[d] = now
}
