package paper

import (
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
)

// drain matches the books in which something changed until nothing more happens.
func (x *Exchange) drain() {
	for x.matched < len(x.dirty) {
		b := x.dirty[x.matched]
		x.matched++
		x.match(b)
	}
	x.dirty, x.matched = x.dirty[:0], 0
}

// match fills what can be filled in a book: first stops are triggered, then
// orders that take any price fill in the order of their time, then limits by price
// and time, then combinations.
func (x *Exchange) match(b *book) {
	for x.matchTrails(b) || x.matchStops(b) || x.matchMarkets(b) ||
		x.matchLimits(b, &b.buyLimits) || x.matchLimits(b, &b.sellLimits) || x.matchCombos(b) {
	}
	x.settle(b)
}

func (x *Exchange) matchTrails(b *book) bool {
	if len(b.trails) == 0 || (x.opts.Trigger == TriggerTrade && !b.inBar) {
		return false
	}
	return x.trail(b, b.touch(true), b.touch(false))
}

// trail moves the trailing stops with the prices that orders to buy and to sell
// watch, and triggers those that are touched.
func (x *Exchange) trail(b *book, buy, sell float64) bool {
	var touched []*order
	moved := false
	for _, o := range b.trails {
		p := sell
		if o.buys() {
			p = buy
		}
		moved = o.follow(p) || moved
		if reached(o, p) {
			touched = append(touched, o)
		}
	}
	if moved {
		b.measure()
	}
	for _, o := range touched {
		x.touch(o)
	}
	return len(touched) > 0
}

// reached tells whether a price touches an order's stop.
func reached(o *order, price float64) bool {
	if o.buys() {
		return price >= o.stop
	}
	return price <= o.stop
}

func (x *Exchange) matchStops(b *book) bool {
	if x.opts.Trigger == TriggerTrade && !b.inBar {
		return false
	}
	return x.stops(b, b.touch(true), b.touch(false))
}

// stops triggers the stops that the prices touch, the first to be reached first.
func (x *Exchange) stops(b *book, buy, sell float64) bool {
	any := false
	for len(b.buyStops.orders) > 0 && buy >= b.buyStops.keys[0] {
		x.touch(b.buyStops.orders[0])
		any = true
	}
	for len(b.sellStops.orders) > 0 && -sell >= b.sellStops.keys[0] {
		x.touch(b.sellStops.orders[0])
		any = true
	}
	return any
}

// touch turns a stop into a market or limit order, last in line.
func (x *Exchange) touch(o *order) {
	b := o.legs[0].book
	x.pull(o)
	o.triggered = true
	o.rank = x.nextSeq()
	b.put(o)
}

func (x *Exchange) matchMarkets(b *book) bool {
	for _, o := range b.markets {
		if price, left := b.side(o.buys()); x.fillAt(o, price, left) {
			return true
		}
	}
	return false
}

// cheats tells whether the order may have the close that is over.
func (x *Exchange) cheats(o *order) bool {
	if !x.opts.CheatOnClose || o.spec.Type != broker.Market || o.spec.Duration() == broker.OnClose {
		return false
	}
	for i := range o.legs {
		if b := o.legs[i].book; b.quoted || b.inBar || !(b.last > 0) {
			return false
		}
	}
	return true
}

// cheat fills an order at the close that is over; what the bar's volume does not
// allow goes to the book.
func (x *Exchange) cheat(o *order) {
	x.set(o, broker.Routed, "")
	x.set(o, broker.Live, "")
	x.atLast(o, func(*book) bool { return true })
	if !o.status.Terminal() {
		x.enliven(o)
	}
}

func (x *Exchange) matchLimits(b *book, l *ladder) bool {
	if len(l.orders) == 0 {
		return false
	}
	o := l.orders[0]
	price, left := b.side(o.buys())
	if o.buys() && price <= o.limit || !o.buys() && price >= o.limit {
		return x.fillAt(o, price, left)
	}
	return false
}

// fillAt fills an order of one leg at a price, or at its slipped price, as far as
// the size goes. It reports whether anything happened.
func (x *Exchange) fillAt(o *order, price float64, left *float64) bool {
	if !(price > 0) || math.IsInf(price, 0) {
		return false
	}
	b := o.legs[0].book
	units := o.left()
	if o.spec.Notional != nil {
		units = x.unitsAt(o, price)
	}
	units = available(units, left, b.terms.whole || units.IsInteger(), x.opts.IgnoreSizes && !b.inBar)
	if units.Sign() <= 0 {
		if o.spec.Notional != nil && (left == nil || !(*left == 0)) {
			x.finish(o, broker.Cancelled, "the amount buys nothing")
			return true
		}
		return false
	}
	if o.limited() {
		if x.opts.NoImprovement && o.tried {
			price = o.limit
		}
	} else {
		price = x.slip(o, b, price, units)
	}
	o.legs[0].sizes(left)
	return x.trade(o, units, []decimal.Decimal{decimal.NewFromFloat(price)})
}

// unitsAt is how many units a notional order is for at a price.
func (x *Exchange) unitsAt(o *order, price float64) decimal.Decimal {
	if x.opts.Units != nil {
		in := UnitsInput{Account: o.acct.info.ID, Order: o.spec, Price: price, Cash: o.acct.cash.Decimal()}
		for _, p := range x.listed(o.acct) {
			if worth, ok := p.worth(); ok {
				in.Used = in.Used.Add(worth.Abs())
			}
		}
		if equity, ok := x.equity(o.acct); ok {
			in.Equity = &equity
		}
		if units, ok := x.opts.Units(in); ok {
			o.decided = true
			return units
		}
	}
	return o.spec.Notional.DivRound(decimal.NewFromFloat(price).Mul(o.legs[0].book.terms.multiplier), 9).Truncate(6)
}

// available is how much of a quantity a size allows.
func available(units decimal.Decimal, left *float64, whole, ignore bool) decimal.Decimal {
	if left == nil || math.IsNaN(*left) || ignore {
		return units
	}
	size := decimal.NewFromFloat(max(*left, 0))
	if whole {
		size = size.Floor()
	}
	return decimal.Min(units, size)
}

// slip is the price after slippage, rounded to a tick against the order.
func (x *Exchange) slip(o *order, b *book, price float64, units decimal.Decimal) float64 {
	if x.opts.Slippage == nil {
		return price
	}
	in := SlipInput{
		Price: price, Buy: o.buys(), Quantity: units.InexactFloat64(), Bid: b.bid, Ask: b.ask, Tick: b.terms.tick(price),
		Opens: o.spec.Legs[0].Action.Opens(),
		Bar:   b.inBar, AtOpen: b.atOpen, High: b.high, Low: b.low, Volume: b.volume,
	}
	return x.slipped(in, b)
}

func (x *Exchange) slipped(in SlipInput, b *book) float64 {
	slip := x.opts.Slippage.Slip(in)
	if math.IsNaN(slip) || math.IsInf(slip, 0) || slip == 0 {
		return in.Price
	}
	price := in.Price - slip
	if in.Buy {
		price = in.Price + slip
	}
	if !x.opts.FreePrices && in.Tick > 0 {
		steps := price / in.Tick
		if in.Buy {
			price = roundTo(math.Ceil(steps-1e-9), in.Tick)
		} else {
			price = roundTo(math.Floor(steps+1e-9), in.Tick)
		}
	}
	if !(price > 0) {
		return max(in.Tick, math.SmallestNonzeroFloat64)
	}
	return price
}

// roundTo is n ticks, without the noise of the multiplication.
func roundTo(n, tick float64) float64 {
	return decimal.NewFromFloat(n).Mul(decimal.NewFromFloat(tick)).InexactFloat64()
}

func (x *Exchange) matchCombos(b *book) bool {
	if x.inside {
		return false // the legs' prices are not of one moment
	}
	for _, c := range b.combos {
		for _, o := range c.markets {
			if x.fillCombo(o, c) {
				return true
			}
		}
		if len(c.limits.orders) == 0 {
			continue
		}
		if credit, units := c.credit(); credit >= c.limits.keys[0]-1e-9 && units > 0 && x.fillCombo(c.limits.orders[0], c) {
			return true
		}
	}
	return false
}

// fillCombo fills a combination at its legs' quotes, when they suffice for its
// limit.
func (x *Exchange) fillCombo(o *order, c *combo) bool {
	units := o.left()
	prices := make([]decimal.Decimal, len(o.legs))
	quotes := make([]float64, len(o.legs))
	net := decimal.Zero
	for i := range o.legs {
		l := &o.legs[i]
		price, left := l.book.side(l.sign > 0)
		if !(price > 0) {
			return false
		}
		if left != nil && !math.IsNaN(*left) && !(x.opts.IgnoreSizes && !l.book.inBar) {
			units = decimal.Min(units, decimal.NewFromFloat(max(*left, 0)).Div(l.ratio).Floor())
		}
		l.size = left
		quotes[i] = price
		prices[i] = decimal.NewFromFloat(price)
		net = net.Sub(prices[i].Mul(l.weight).Mul(decimal.NewFromInt(l.sign)))
	}
	if units.Sign() <= 0 || (o.limited() && net.LessThan(*o.spec.Limit)) {
		return false
	}
	if !o.limited() && x.opts.Slippage != nil {
		for i := range o.legs {
			l := &o.legs[i]
			b := l.book
			prices[i] = decimal.NewFromFloat(x.slipped(SlipInput{
				Price: quotes[i], Buy: l.sign > 0, Quantity: units.Mul(l.ratio).InexactFloat64(), Bid: b.bid, Ask: b.ask,
				Opens: o.spec.Legs[i].Action.Opens(),
				Tick:  b.terms.tick(quotes[i]), Bar: b.inBar, AtOpen: b.atOpen, High: b.high, Low: b.low, Volume: b.volume,
			}, b))
		}
	}
	return x.trade(o, units, prices)
}

// sizes remembers where a fill takes its quantity from.
func (l *leg) sizes(left *float64) { l.size = left }

// settle looks after orders that were new to the book: they have met the market
// now, if there was one, and those that had to fill at once are over.
func (x *Exchange) settle(b *book) {
	if len(b.fresh) > 0 && b.trades() {
		fresh := b.fresh
		b.fresh, x.freshRoom = x.freshRoom[:0], nil
		b.measure()
		x.met(fresh)
		clear(fresh)
		x.freshRoom = fresh
	}
	if x.inside {
		return
	}
	for _, c := range slices.Clone(b.combos) {
		if len(c.fresh) > 0 && c.priced() {
			fresh := c.fresh
			c.fresh = nil
			x.met(fresh)
		}
	}
}

func (x *Exchange) met(fresh []*order) {
	for _, o := range fresh {
		o.tried = true
		if o.immediate() && o.place != nowhere && (!o.stopped() && !o.trailing() || o.triggered) {
			x.finish(o, broker.Cancelled, "what did not fill at once is cancelled")
		}
	}
}

func (c *combo) priced() bool {
	for i := range c.legs {
		if !c.legs[i].book.trades() {
			return false
		}
	}
	return true
}

// comboOf returns the market of an order's combination.
func (x *Exchange) comboOf(o *order) *combo {
	if o.combo != nil && x.combos[o.combo.key] == o.combo {
		return o.combo
	}
	var key strings.Builder
	order := make([]int, len(o.legs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return strings.Compare(string(o.legs[i].book.symbol), string(o.legs[j].book.symbol))
	})
	for _, i := range order {
		l := &o.legs[i]
		if l.sign > 0 {
			key.WriteByte('+')
		} else {
			key.WriteByte('-')
		}
		key.WriteString(l.ratio.String())
		key.WriteByte('*')
		key.WriteString(string(l.book.symbol))
	}
	c := x.combos[key.String()]
	if c == nil {
		c = &combo{key: key.String()}
		for _, i := range order {
			l := &o.legs[i]
			c.legs = append(c.legs, comboLeg{l.book, l.sign > 0, l.ratio.InexactFloat64(), l.weight.InexactFloat64()})
			c.books = append(c.books, l.book)
		}
		x.combos[c.key] = c
	}
	o.combo = c
	return c
}
