package monitor

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// exNear is how many days before its ex-date a dividend counts as a reason to
// exercise a call: the last exercise that earns it is on the eve, and a weekend or
// holiday may lie between.
const exNear = 3

// notSoon is the number of days to an ex-date that there is none of.
const notSoon = 1e6

// revalueAll makes the valuations of a book anew from its positions.
func (c *Core) revalueAll(b *book) {
	groups := map[market.Symbol][]*holding{}
	var order []market.Symbol
	b.each(func(h *holding) {
		u := h.pos.Underlying
		if _, ok := groups[u]; !ok {
			order = append(order, u)
		}
		groups[u] = append(groups[u], h)
	})
	for u, n := range b.values {
		c.release(n)
		if groups[u] == nil {
			delete(b.values, u)
			c.freeValues = append(c.freeValues, n)
		}
	}
	for _, u := range order {
		n, ok := b.values[u]
		if !ok {
			if k := len(c.freeValues); k > 0 {
				n, c.freeValues = c.freeValues[k-1], c.freeValues[:k-1]
			} else {
				n = uint32(len(c.values))
				c.values = append(c.values, nil)
			}
			b.values[u] = n
		}
		v := &valuation{book: b, underlying: u, holdings: groups[u], used: true, spot: math.NaN()}
		c.values[n] = v
		i := c.instrument(u)
		i.watched++
		v.spot = i.last
		v.price = c.newWatch(watch{rule: n, series: c.field(i, fieldPrice), mode: watchValue})
		c.band(v.price, v.spot)
		v.heartbeat = c.newWatch(watch{rule: n, series: timeSeries, mode: watchValue})
		for _, h := range v.holdings {
			if h.option {
				o := c.instrument(h.pos.Symbol)
				o.watched++
				h.trigger = c.newWatch(watch{rule: n, series: c.field(o, fieldPrice), mode: watchValue})
				c.band(h.trigger, h.mark)
			}
		}
		c.value(v)
		c.beat(v)
	}
	c.publish(b)
}

// release takes a valuation's watches out of use.
func (c *Core) release(n uint32) {
	v := c.values[n]
	if v == nil || !v.used {
		return
	}
	v.used = false
	c.instrument(v.underlying).watched--
	c.spare(v.price)
	c.spare(v.heartbeat)
	for _, h := range v.holdings {
		if h.trigger != 0 {
			c.instrument(h.pos.Symbol).watched--
			c.spare(h.trigger)
			h.trigger = 0
		}
	}
	c.values[n] = nil
}

// band lets a watch wait until a price has left the grain around x.
func (c *Core) band(n uint32, x float64) {
	w := &c.watches[n]
	if math.IsNaN(x) {
		w.lo, w.hi = math.NaN(), math.Inf(-1) // any price
	} else {
		g := math.Abs(x) * c.opts.Grain
		w.lo, w.hi = math.Min(x-g, before(x)), math.Max(x+g, after(x))
	}
	c.place(n)
}

// beat sets the time of the next valuation without a move.
func (c *Core) beat(v *valuation) {
	w := &c.watches[v.heartbeat]
	w.lo, w.hi = math.NaN(), float64(c.now+int64(c.opts.Refresh))/1e9
	c.place(v.heartbeat)
}

// revalue values again because watch n saw x.
func (c *Core) revalue(n uint32, x float64) {
	v := c.values[c.watches[n].rule]
	switch n {
	case v.price:
		v.spot = x
		for _, h := range v.holdings {
			if !h.option {
				h.mark = x
			}
		}
		c.band(n, x)
	case v.heartbeat:
		c.fresh(v)
		c.beat(v)
	default:
		for _, h := range v.holdings {
			if h.trigger == n {
				h.mark, h.vol = x, math.NaN()
			}
		}
		c.band(n, x)
	}
	c.value(v)
	c.publishIn(v)
}

// fresh takes the prices as they are now, moves smaller than the grain included.
func (c *Core) fresh(v *valuation) {
	if i := c.symbols[v.underlying]; !math.IsNaN(i.last) {
		v.spot = i.last
	}
	for _, h := range v.holdings {
		i, ok := c.symbols[h.pos.Symbol]
		if !ok || math.IsNaN(i.last) {
			continue
		}
		if h.option && i.last != h.mark {
			h.vol = math.NaN()
		}
		h.mark = i.last
	}
}

func (c *Core) value(v *valuation) {
	for _, h := range v.holdings {
		c.appraise(v, h)
	}
}

// valueOf values one holding, for series that were just made.
func (c *Core) valueOf(h *holding) {
	for _, v := range c.values {
		if v == nil {
			continue
		}
		for _, other := range v.holdings {
			if other == h {
				c.appraise(v, h)
				return
			}
		}
	}
}

// appraise computes everything about one position at the valuation's spot. The
// volatility is implied when the option's price comes and kept while only the
// underlying moves: a price of one moment with a spot of another implies nonsense.
func (c *Core) appraise(v *valuation, h *holding) {
	now := time.Unix(0, c.now)
	switch {
	case h.option:
		h.greeks = c.optionGreeks(v, h, now)
	case h.pos.Symbol.Kind() == market.KindFutureOption:
		h.greeks = broker.UnknownGreeks()
	default:
		h.greeks = broker.Greeks{Delta: h.quantity, Spot: v.spot}
		if h.pos.Symbol != v.underlying {
			h.greeks.Spot = h.mark
		}
	}
	h.pnl = (h.mark - h.open) * h.quantity
	h.pnlDay = (h.mark-h.prev)*h.quantity + h.realized
	h.cost = math.Abs(h.open * h.quantity)
	if !h.option || h.quantity >= 0 {
		return
	}
	inTheMoney := float64(h.contract.Kind) * (v.spot - h.contract.Strike)
	days, dividend := c.nextDividend(v.underlying, h, now)
	if h.assignment != 0 {
		c.update(h.assignment, h.mark-inTheMoney-c.incentive(h, inTheMoney, days, dividend, now))
	}
	if h.exDays != 0 && !math.IsNaN(inTheMoney) {
		if inTheMoney <= 0 {
			days = notSoon
		}
		c.update(h.exDays, days)
	}
}

func (c *Core) optionGreeks(v *valuation, h *holding, now time.Time) broker.Greeks {
	m := options.BSM{Spot: v.spot, Strike: h.contract.Strike, Years: options.YearsToExpiry(now, h.expiry), Rate: c.opts.Rate}
	if !(v.spot > 0) || !(m.Years > 0) {
		return broker.UnknownGreeks()
	}
	if math.IsNaN(h.vol) {
		vol, err := m.ImpliedVol(h.contract.Kind, h.mark)
		if err != nil || !(vol > 0) {
			return broker.UnknownGreeks()
		}
		h.vol = vol
	}
	m.Vol = h.vol
	g := m.Greeks(h.contract.Kind)
	return broker.Greeks{
		Delta: h.quantity * g.Delta, Gamma: h.quantity * g.Gamma, Theta: h.quantity * g.ThetaPerDay(), Vega: h.quantity * g.VegaPerPoint(), Spot: v.spot,
	}
}

// nextDividend returns the days to the next ex-date before the option expires and
// its amount; notSoon when none is known.
func (c *Core) nextDividend(underlying market.Symbol, h *holding, now time.Time) (days, amount float64) {
	i, ok := c.symbols[underlying]
	if !ok {
		return notSoon, 0
	}
	today := market.DateOf(now.In(c.cal.Location()))
	for _, e := range i.dividend {
		if e.Date.Compare(today) > 0 && e.Date.Compare(h.contract.Expiration) <= 0 {
			return float64(today.DaysUntil(e.Date)), e.Value
		}
	}
	return notSoon, 0
}

// incentive is what whoever holds the option earns by exercising it now: the
// dividend with a call on the eve of the ex-date, interest on the strike with a
// put. Out of the money it is nothing.
func (c *Core) incentive(h *holding, inTheMoney, days, dividend float64, now time.Time) float64 {
	switch {
	case !(inTheMoney > 0):
		return 0
	case h.contract.Kind == market.Call:
		if days <= exNear && dividend > 0 {
			return dividend
		}
		return 0
	}
	return h.contract.Strike * -math.Expm1(-c.opts.Rate*options.YearsToExpiry(now, h.expiry))
}

// publish tells the figures of all scopes.
func (c *Core) publish(b *book) {
	for _, s := range b.scopes {
		c.tell(b, s)
	}
}

// publishIn tells the figures of the scopes that a valuation is part of.
func (c *Core) publishIn(v *valuation) {
	for _, s := range v.book.scopes {
		for _, h := range v.holdings {
			if s.key.holds(h) {
				c.tell(v.book, s)
				break
			}
		}
	}
}

func (c *Core) tell(b *book, s *scope) {
	for m, n := range s.metrics {
		c.update(n, s.figure(b, m))
	}
}

// figure computes a figure over the positions of a scope; NaN when there are none,
// or one is unknown.
func (s *scope) figure(b *book, m Metric) float64 {
	sum, cost, any := 0.0, 0.0, false
	for _, h := range b.all {
		if s.key.holds(h) {
			any = true
			sum += h.figure(m, s.key.symbol == "")
			cost += h.cost
		}
	}
	switch {
	case !any:
		return math.NaN()
	case m == MetricPnLPercent:
		return 100 * sum / cost
	}
	return sum
}

// figure is a position's part of a figure. In dollars, delta and gamma of several
// underlyings can be added.
func (h *holding) figure(m Metric, dollars bool) float64 {
	g := h.greeks
	switch m {
	case MetricDelta:
		if dollars {
			return g.Delta * g.Spot
		}
		return g.Delta
	case MetricGamma:
		if dollars {
			return g.Gamma * g.Spot * g.Spot / 100
		}
		return g.Gamma
	case MetricTheta:
		return g.Theta
	case MetricVega:
		return g.Vega
	case MetricPnLDay:
		return h.pnlDay
	}
	return h.pnl
}
