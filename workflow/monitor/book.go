package monitor

import (
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/storage"
)

// A book is what a tenant holds, and the rules about it.
type book struct {
	owner    *tenant
	accounts map[broker.AccountID]map[market.Symbol]*holding
	values   map[market.Symbol]uint32 // valuations by underlying
	scopes   map[scopeKey]*scope
	rules    []uint32
	order    []broker.AccountID
	all      []*holding // in a stable order, so that sums are the same every time
}

// A holding is a position with what it is worth.
type holding struct {
	pos                  broker.Position
	subject              string
	contract             market.Contract
	option               bool
	american             bool
	expiry               time.Time
	quantity             float64 // × multiplier, signed
	open, prev, realized float64
	mark, vol            float64
	greeks               broker.Greeks
	trigger              uint32 // watch of the option's own price
	assignment, exDays   uint32 // series; 0: nobody asked
	pnl, pnlDay, cost    float64
}

// A scopeKey says which positions a figure is about: one account or all, one
// underlying or contract, or all.
type scopeKey struct {
	account broker.AccountID
	symbol  market.Symbol
}

func (k scopeKey) holds(h *holding) bool {
	return (k.account == "" || k.account == h.pos.Account) && (k.symbol == "" || k.symbol == h.pos.Symbol || k.symbol == h.pos.Underlying)
}

// A scope has the series of the figures of some positions.
type scope struct {
	key     scopeKey
	metrics map[Metric]uint32
}

// A valuation is all positions of a tenant in one underlying, valued together when
// its price, or that of one of the options, has moved by the grain, and every
// refresh.
type valuation struct {
	book             *book
	underlying       market.Symbol
	holdings         []*holding
	spot             float64
	price, heartbeat uint32 // watches
	used             bool
}

func (c *Core) bookOf(t *tenant) *book {
	if t.book == nil {
		t.book = &book{owner: t, accounts: map[broker.AccountID]map[market.Symbol]*holding{}, values: map[market.Symbol]uint32{}, scopes: map[scopeKey]*scope{}}
	}
	return t.book
}

// joinBook lets a rule watch a tenant's positions, now and as they change.
func (c *Core) joinBook(n uint32) {
	b := c.bookOf(c.owners[c.rules[n].tenant])
	b.rules = append(b.rules, n)
	if len(b.values) == 0 && c.valued(b) {
		c.revalueAll(b)
	}
	c.plan(b, n)
}

// leaveBook takes a rule off its book, and the scope that only it asked for.
func (c *Core) leaveBook(b *book, n uint32) {
	r := c.rules[n].spec
	b.rules = slices.DeleteFunc(b.rules, func(m uint32) bool { return m == n })
	key := scopeKey{r.Account, r.Symbol}
	if s, ok := b.scopes[key]; ok && !slices.ContainsFunc(b.rules, func(m uint32) bool {
		o := c.rules[m].spec
		return o.Kind == KindPosition && scopeKey{o.Account, o.Symbol} == key
	}) {
		for _, n := range s.metrics {
			c.freeSeries(n)
		}
		delete(b.scopes, key)
	}
	if !c.valued(b) {
		for u, v := range b.values {
			c.release(v)
			delete(b.values, u)
			c.freeValues = append(c.freeValues, v)
		}
	}
}

// valued tells whether a rule needs positions to be valued.
func (c *Core) valued(b *book) bool {
	return slices.ContainsFunc(b.rules, func(n uint32) bool {
		switch c.rules[n].spec.Kind {
		case KindPosition, KindAssignment, KindExDividend, KindShortStrike:
			return true
		}
		return false
	})
}

// Positions takes the whole of an account's positions.
func (c *Core) Positions(owner storage.TenantID, account broker.AccountID, positions []broker.Position, at time.Time) []Firing {
	c.begin(at)
	b := c.bookOf(c.tenant(owner))
	old := b.accounts[account]
	if old == nil {
		b.order = append(b.order, account)
	}
	now := map[market.Symbol]*holding{}
	for _, p := range positions {
		if p.Account == account && !p.Quantity.IsZero() {
			now[p.Symbol] = c.hold(p, old[p.Symbol])
		}
	}
	b.accounts[account] = now
	c.arrange(b)
	for s, h := range old {
		if now[s] == nil {
			c.forget(h)
		}
	}
	return c.fired
}

// Position takes the new state of one position; a quantity of 0 closes it.
func (c *Core) Position(owner storage.TenantID, p broker.Position, at time.Time) []Firing {
	c.begin(at)
	b := c.bookOf(c.tenant(owner))
	if b.accounts[p.Account] == nil {
		b.accounts[p.Account] = map[market.Symbol]*holding{}
		b.order = append(b.order, p.Account)
	}
	old := b.accounts[p.Account][p.Symbol]
	if p.Quantity.IsZero() {
		delete(b.accounts[p.Account], p.Symbol)
	} else {
		b.accounts[p.Account][p.Symbol] = c.hold(p, old)
	}
	c.arrange(b)
	if old != nil && p.Quantity.IsZero() {
		c.forget(old)
	}
	return c.fired
}

// forget gives back the series of a position that is closed.
func (c *Core) forget(h *holding) {
	c.freeSeries(h.assignment)
	c.freeSeries(h.exDays)
}

// hold returns a holding of a position, with what is known of the one before it.
func (c *Core) hold(p broker.Position, old *holding) *holding {
	number := func(d interface{ InexactFloat64() float64 }, ok bool) float64 {
		if !ok {
			return math.NaN()
		}
		return d.InexactFloat64()
	}
	h := &holding{
		pos: p, subject: string(p.Account) + " " + string(p.Symbol), quantity: p.Quantity.Mul(p.Multiplier).InexactFloat64(),
		mark: math.NaN(), vol: math.NaN(), open: math.NaN(), prev: math.NaN(), greeks: broker.UnknownGreeks(),
	}
	if h.pos.Underlying == "" {
		h.pos.Underlying = p.Symbol
	}
	if p.Mark != nil {
		h.mark = number(p.Mark, true)
	}
	if p.AverageOpenPrice != nil {
		h.open = number(p.AverageOpenPrice, true)
	}
	if p.PrevClose != nil {
		h.prev = number(p.PrevClose, true)
	}
	if p.RealizedDay != nil {
		h.realized = number(p.RealizedDay, true)
	}
	if h.contract, h.option = p.Symbol.Contract(); h.option {
		style, settlement, _ := h.contract.Terms()
		h.american = style != market.European
		h.expiry = options.ExpiryTime(h.contract.Expiration, settlement, market.CboeOptions())
	}
	if i, ok := c.symbols[p.Symbol]; ok && i.watched > 0 && !math.IsNaN(i.last) {
		h.mark = i.last // the stream's is younger than the broker's
	}
	if old != nil {
		h.assignment, h.exDays, h.vol = old.assignment, old.exDays, old.vol
	}
	return h
}

// Balances takes the money of an account.
func (c *Core) Balances(owner storage.TenantID, balances broker.Balances, at time.Time) []Firing {
	c.begin(at)
	t := c.tenant(owner)
	b := c.bookOf(t)
	if !slices.Contains(b.order, balances.Account) {
		b.order = append(b.order, balances.Account)
		b.accounts[balances.Account] = map[market.Symbol]*holding{}
		c.planAll(b)
	}
	if x := balances.DerivativeBuyingPower; x != nil {
		c.money(t, balances.Account, MetricBuyingPower, x.InexactFloat64())
	}
	if x := balances.EquityBuyingPower; x != nil {
		c.money(t, balances.Account, MetricEquityPower, x.InexactFloat64())
	}
	if x := balances.NetLiquidatingValue; x != nil {
		c.money(t, balances.Account, MetricNetLiq, x.InexactFloat64())
	}
	if x := balances.Cash; x != nil {
		c.money(t, balances.Account, MetricCash, x.InexactFloat64())
	}
	if x := balances.MaintenanceExcess; x != nil {
		c.money(t, balances.Account, MetricExcess, x.InexactFloat64())
	}
	return c.fired
}

func (c *Core) moneySeries(t *tenant, account broker.AccountID, m Metric) uint32 {
	return c.seriesOf(seriesKey{tenant: t.n, name: "money " + string(m) + " " + string(account)})
}

func (c *Core) money(t *tenant, account broker.AccountID, m Metric, v float64) {
	c.update(c.moneySeries(t, account, m), v)
}

// Metrics takes an underlying's volatility figures.
func (c *Core) Metrics(m market.Metrics, at time.Time) []Firing {
	c.begin(at)
	for name, v := range map[Metric]float64{
		MetricIVRank: m.IVRank, MetricIVPercentile: m.IVPercentile, MetricIVIndex: m.IVIndex, MetricIVChange: m.IVIndex5Day, MetricIVHV: m.IVIndex - m.HV30,
	} {
		if s, ok := c.names[seriesKey{symbol: m.Symbol, name: string(name)}]; ok {
			c.update(s, v)
		}
	}
	return c.fired
}

// Events takes the dividends to come of an underlying.
func (c *Core) Events(symbol market.Symbol, events []market.Event, at time.Time) []Firing {
	c.begin(at)
	i := c.instrument(symbol)
	i.dividend = nil
	for _, e := range events {
		if e.Kind == market.Dividend {
			i.dividend = append(i.dividend, e)
		}
	}
	slices.SortFunc(i.dividend, func(a, b market.Event) int { return a.Date.Compare(b.Date) })
	for _, v := range c.values {
		if v.used && v.underlying == symbol {
			c.value(v)
		}
	}
	return c.fired
}

// arrange brings valuations and watches in line with the positions.
func (c *Core) arrange(b *book) {
	b.all = b.all[:0:0]
	b.each(func(h *holding) { b.all = append(b.all, h) })
	if c.valued(b) {
		c.revalueAll(b)
	}
	c.planAll(b)
}

func (c *Core) planAll(b *book) {
	for _, n := range slices.Clone(b.rules) {
		if c.rules[n].used {
			c.plan(b, n)
		}
	}
}

// each yields the holdings of a book in a stable order.
func (b *book) each(f func(*holding)) {
	for _, a := range b.order {
		for _, s := range sortedKeysOf(b.accounts[a]) {
			f(b.accounts[a][s])
		}
	}
}

func sortedKeysOf(m map[market.Symbol]*holding) []market.Symbol {
	keys := make([]market.Symbol, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// plan brings the watches of a rule about positions in line with them.
func (c *Core) plan(b *book, n uint32) {
	r := c.rules[n].spec
	key := scopeKey{r.Account, r.Symbol}
	have := map[string]uint32{}
	for m := c.rules[n].first; m != 0; m = c.watches[m].next {
		if c.watches[m].mode != watchExpire {
			have[c.subjects[c.watches[m].subject]] = m
		}
	}
	wanted := map[string]bool{}
	want := func(w watch) {
		name := c.subjects[w.subject]
		wanted[name] = true
		if m, ok := have[name]; ok {
			if old := c.watches[m]; old.phase == done || old.series == w.series && old.lo == w.lo && old.hi == w.hi {
				return
			}
			w.phase = c.watches[m].phase
			c.unlink(n, m)
			c.attach(n, w)
			c.update(w.series, c.series[w.series].value)
			return
		}
		c.start(n, w)
	}
	switch r.Kind {
	case KindPosition:
		want(c.compare(r, c.metric(b, key, r.Metric), *r.Value, ""))
		return
	case KindBuyingPower:
		for _, a := range b.order {
			if r.Account == "" || r.Account == a {
				want(c.compare(r, c.moneySeries(b.owner, a, r.Metric), *r.Value, string(a)))
			}
		}
	default:
		b.each(func(h *holding) {
			if key.holds(h) && c.rules[n].used {
				if w, ok := c.positionWatch(r, h); ok {
					w.subject = c.intern(h.subject)
					want(w)
				}
			}
		})
	}
	for name, m := range have {
		if !wanted[name] {
			c.unlink(n, m)
		}
	}
}

// positionWatch returns what a rule waits for about one position.
func (c *Core) positionWatch(r *Rule, h *holding) (watch, bool) {
	short := h.option && h.quantity < 0
	switch r.Kind {
	case KindDTE:
		if !h.option {
			return watch{}, false
		}
		day := h.contract.Expiration.AddDays(-r.Days)
		at := time.Date(day.Year, day.Month, day.Day, 0, 0, 0, 0, c.cal.Location())
		return watch{series: timeSeries, lo: float64(at.UnixNano()) / 1e9, mode: watchAbove}, c.now < h.expiry.UnixNano()
	case KindExpiry:
		at := h.expiry.Add(-time.Duration(r.Within))
		return watch{series: timeSeries, lo: float64(at.UnixNano()) / 1e9, mode: watchAbove}, h.option && c.now < h.expiry.UnixNano()
	case KindShortStrike:
		if !short {
			return watch{}, false
		}
		i := c.instrument(h.pos.Underlying)
		distance := r.Amount + h.contract.Strike*r.Percent/100
		x := h.contract.Strike - float64(h.contract.Kind)*distance
		mode := watchAbove
		if h.contract.Kind == market.Put {
			mode = watchBelow
		}
		return watch{series: c.field(i, fieldPrice), lo: x, hi: x, mode: mode, back: r.back(x)}, true
	case KindAssignment:
		if !short || !h.american {
			return watch{}, false
		}
		if h.assignment == 0 {
			h.assignment = c.newSeries()
			c.valueOf(h)
		}
		return watch{series: h.assignment, lo: *r.Value, hi: *r.Value, mode: watchBelow, back: r.Hysteresis}, true
	case KindExDividend:
		if !short || h.contract.Kind != market.Call || !h.american {
			return watch{}, false
		}
		if h.exDays == 0 {
			h.exDays = c.newSeries()
			c.valueOf(h)
		}
		return watch{series: h.exDays, lo: float64(r.Days), hi: float64(r.Days), mode: watchBelow}, true
	}
	return watch{}, false
}

// metric returns the series of a figure of some positions.
func (c *Core) metric(b *book, k scopeKey, m Metric) uint32 {
	s, ok := b.scopes[k]
	if !ok {
		s = &scope{key: k, metrics: map[Metric]uint32{}}
		b.scopes[k] = s
	}
	n, ok := s.metrics[m]
	if !ok {
		n = c.newSeries()
		s.metrics[m] = n
		c.series[n].value = s.figure(b, m)
	}
	return n
}
