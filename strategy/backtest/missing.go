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

// greeks sums up the Greeks of an account's positions by underlying.
func (e *engine) greeks(d *desk) {
	byUnderlying := map[market.Symbol]*GreeksPoint{}
	var order []market.Symbol
	at := func(u *instrument) *GreeksPoint {
		g := byUnderlying[u.name]
		if g == nil {
			g = &GreeksPoint{Time: e.present(), Underlying: u.name, Price: u.mark}
			byUnderlying[u.name] = g
			order = append(order, u.name)
		}
		return g
	}
	for _, h := range d.ledger.open {
		if !h.in.option {
			at(h.in).Delta += h.units
			continue
		}
		u := e.instrumentOf(h.in.contract.Underlying())
		g := at(u)
		g.Options += int(h.quantity.IntPart())
		each, vol := e.greeksOf(h.in, u)
		g.VegaGain += h.in.vegaGain(d, d.greeksBefore(u.name), e.now, h.units*each.Vega, vol)
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

// greeksOf are the Greeks of an option at its mark, and its implied volatility; NaN
// without one.
func (e *engine) greeksOf(in, u *instrument) (options.Greeks, float64) {
	years := float64(in.expires-e.now) / (365 * 24 * float64(time.Hour))
	model := options.BSM{Spot: u.mark, Strike: in.contract.Strike, Years: years, Rate: e.rate(years)}
	kind := options.Kind(in.contract.Kind)
	nothing := options.Greeks{Delta: unknown, Gamma: unknown, Theta: unknown, Vega: unknown, Rho: unknown}
	if !(u.mark > 0) || !(years > 0) || math.IsNaN(in.mark) {
		return nothing, unknown
	}
	vol, err := model.ImpliedVol(kind, in.mark)
	if err != nil || math.IsNaN(vol) {
		return nothing, unknown
	}
	model.Vol = vol
	return model.Greeks(kind), vol
}
