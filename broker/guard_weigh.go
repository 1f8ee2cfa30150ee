package broker

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// view is what an account holds and has ordered, read in an order that forgets
// nothing: what fills between the first reading and the second is in both.
type view struct {
	working   []OrderState
	positions []Position
	balances  *Balances
	quotes    map[market.Symbol]market.Quote
	multiples map[market.Symbol]decimal.Decimal // of what is neither shares nor a standard option
	together  map[string]bool                   // tags of orders in a group whose orders all fill
}

// look reads an account, and the quotes of what the ticket and the working orders
// trade. Orders that ended are dropped from the book before positions are read:
// what filled is in the one or the other, never in neither.
func (g *Guard) look(ctx context.Context, account AccountID, t Ticket, b *book) (*view, error) {
	v := &view{quotes: map[market.Symbol]market.Quote{}, multiples: map[market.Symbol]decimal.Decimal{}, together: map[string]bool{}}
	listed, err := g.broker.Orders(ctx, account, OrdersQuery{Working: true})
	if err != nil {
		return nil, fmt.Errorf("reading working orders: %w", err)
	}
	for _, o := range listed {
		if o.Status.CanFill() {
			v.working = append(v.working, o)
		}
	}
	unlisted, err := g.settle(ctx, b, account, v.working)
	if err != nil {
		return nil, err
	}
	v.working = append(v.working, unlisted...)
	for _, e := range b.Entries {
		if e.Account == account && e.Group == OTO {
			for _, tag := range e.Tags {
				v.together[tag] = true
			}
		}
	}
	if v.positions, err = g.broker.Positions(ctx, account); err != nil {
		return nil, fmt.Errorf("reading positions: %w", err)
	}
	if v.balances, err = g.broker.Balances(ctx, account); err != nil {
		return nil, fmt.Errorf("reading balances: %w", err)
	}
	var symbols []market.Symbol
	for _, o := range t.Orders {
		symbols = appendSymbols(symbols, o.Legs)
	}
	for _, o := range v.working {
		symbols = appendSymbols(symbols, o.Order.Legs)
	}
	for _, p := range v.positions {
		if p.Multiplier.Sign() > 0 {
			v.multiples[p.Symbol] = p.Multiplier
		}
	}
	return v, g.price(ctx, v, symbols)
}

func appendSymbols(symbols []market.Symbol, legs []Leg) []market.Symbol {
	for _, l := range legs {
		if !slices.Contains(symbols, l.Symbol) {
			symbols = append(symbols, l.Symbol)
		}
	}
	return symbols
}

// price fetches quotes, and the multipliers of unusual contracts. What does not
// come is not known; only a cancelled context is an error.
func (g *Guard) price(ctx context.Context, v *view, symbols []market.Symbol) error {
	if g.quotes == nil || len(symbols) == 0 {
		return ctx.Err()
	}
	quotes, err := g.quotes.Quotes(ctx, symbols)
	if err != nil {
		g.log.DebugContext(ctx, "quotes are incomplete", "error", err)
	}
	now := g.clock.Now()
	for _, q := range quotes {
		age := time.Duration(g.limits.MaxQuoteAge)
		stale := age > 0 && (q.Time.IsZero() || now.Sub(q.Time).Abs() > age)
		if !q.Halted && !stale {
			v.quotes[q.Symbol] = q
		}
	}
	var unusual []market.Symbol
	for _, s := range symbols {
		if _, known := v.multiple(s); !known {
			unusual = append(unusual, s)
		}
	}
	describer, ok := g.quotes.(interface {
		Instruments(ctx context.Context, symbols []market.Symbol) ([]market.Instrument, error)
	})
	if ok && len(unusual) > 0 {
		instruments, _ := describer.Instruments(ctx, unusual) // what is missing stays unknown
		for _, i := range instruments {
			if i.Multiplier > 0 && !math.IsInf(i.Multiplier, 1) {
				v.multiples[i.Symbol] = decimal.NewFromFloat(i.Multiplier)
			}
		}
	}
	return ctx.Err()
}

// multiple is how many shares, or dollars a point, one unit of an instrument is.
func (v *view) multiple(s market.Symbol) (decimal.Decimal, bool) {
	if m, ok := v.multiples[s]; ok {
		return m, true
	}
	switch s.Kind() {
	case market.KindEquity, market.KindCrypto:
		return decimal.NewFromInt(1), true
	case market.KindOption:
		c, _ := s.Contract()
		last := c.Root[len(c.Root)-1]
		return decimal.NewFromInt(100), last < '0' || last > '9' // a digit marks an adjusted contract
	}
	return decimal.Decimal{}, false
}

// side returns the price at which a quote is bought or sold at once.
func (v *view) side(s market.Symbol, sign int) (decimal.Decimal, bool) {
	q, ok := v.quotes[s]
	price := q.Bid
	if sign > 0 {
		price = q.Ask
	}
	if !ok || !(price >= 0) || math.IsInf(price, 0) || sign > 0 && price == 0 {
		return decimal.Decimal{}, false
	}
	return decimal.NewFromFloat(price), true
}

// middle returns the middle of a quote.
func (v *view) middle(s market.Symbol) (decimal.Decimal, bool) {
	q, ok := v.quotes[s]
	if !ok || !(q.Bid >= 0) || !(q.Ask > 0) || q.Bid > q.Ask || math.IsInf(q.Ask, 1) {
		return decimal.Decimal{}, false
	}
	return decimal.NewFromFloat(q.Bid).Add(decimal.NewFromFloat(q.Ask)).Div(decimal.NewFromInt(2)), true
}

// held is the positions as holdings.
func (v *view) held() []holding {
	var out []holding
	for _, p := range v.positions {
		m := p.Multiplier
		if m.Sign() <= 0 {
			m, _ = v.multiple(p.Symbol)
		}
		out = append(out, holding{p.Symbol, p.Quantity.Mul(m)})
	}
	return out
}

// promised is what working orders that sell would add to what is held: what they
// sell covers nothing else any more. Of a group in which one order cancels the
// others, and closes the same, one counts.
func (v *view) promised(except OrderID) []holding { return v.ordered(except, false) }

// ordered is what working orders would add to what is held, all of them or those
// that sell: what one buys back is no longer there for another to buy back.
func (v *view) ordered(except OrderID, all bool) []holding {
	var out []holding
	grouped := map[string]bool{}
	for _, o := range v.working {
		legs, known := v.holdings(o.Order)
		sells := slices.ContainsFunc(o.Order.Legs, func(l Leg) bool { return l.Action.Sign() < 0 })
		if except != "" && o.ID == except || !sells && !all || !known {
			continue
		}
		if o.Group != "" && !o.Order.Opens() && !v.together[o.Order.Tag] {
			key := o.Group + "\x00" + string(o.Order.Legs[0].Symbol)
			if grouped[key] {
				continue
			}
			grouped[key] = true
		}
		out = append(out, legs...)
	}
	return out
}

// holdings is what an order adds to what is held when it fills whole.
func (v *view) holdings(o Order) (legs []holding, known bool) {
	for _, l := range o.Legs {
		m, ok := v.multiple(l.Symbol)
		if !ok {
			return nil, false
		}
		quantity := l.Quantity
		if o.Notional != nil {
			price, ok := v.side(l.Symbol, l.Action.Sign())
			if !ok || price.Sign() <= 0 {
				return nil, false
			}
			quantity = o.Notional.DivRound(price.Mul(m), 9)
		}
		legs = append(legs, holding{l.Symbol, quantity.Mul(m).Mul(decimal.NewFromInt(int64(l.Action.Sign())))})
	}
	return legs, true
}

// unit is by what a combination's net price is multiplied to be money.
func (v *view) unit(o Order) (decimal.Decimal, bool) {
	most := decimal.Zero
	for _, l := range o.Legs {
		m, ok := v.multiple(l.Symbol)
		if !ok {
			return decimal.Decimal{}, false
		}
		most = decimal.Max(most, m)
	}
	return most.Mul(o.Units()), true
}

// cash is the money that changes hands when an order fills at its limit, at its
// stop, or across the present quote: credit positive. False when it is not known.
func (v *view) cash(o Order) (decimal.Decimal, bool) {
	if o.Notional != nil {
		return o.Notional.Mul(decimal.NewFromInt(int64(-o.Legs[0].Action.Sign()))), true
	}
	if o.Limit != nil {
		unit, ok := v.unit(o)
		return o.Limit.Mul(unit), ok
	}
	total := decimal.Zero
	for _, l := range o.Legs {
		sign := l.Action.Sign()
		m, known := v.multiple(l.Symbol)
		price, quoted := v.side(l.Symbol, sign)
		if o.Stop != nil && (!quoted || sign > 0 && o.Stop.GreaterThan(price) || sign < 0 && o.Stop.LessThan(price)) {
			price, quoted = *o.Stop, true
		}
		price = trailed(o.Trail, price, sign)
		if !known || !quoted {
			return decimal.Decimal{}, false
		}
		total = total.Sub(price.Mul(l.Quantity).Mul(m).Mul(decimal.NewFromInt(int64(sign))))
	}
	return total, true
}

// trailed is the price at which a trailing stop is touched when the market turns
// from now on.
func trailed(t *Trail, price decimal.Decimal, sign int) decimal.Decimal {
	var distance decimal.Decimal
	switch {
	case t == nil:
		return price
	case t.Amount != nil:
		distance = *t.Amount
	case t.Percent != nil:
		distance = price.Mul(*t.Percent).Shift(-2)
	}
	return decimal.Max(price.Add(distance.Mul(decimal.NewFromInt(int64(sign)))), decimal.Zero)
}

// weight is what an order or a ticket puts at risk.
type weight struct {
	loss     Loss
	notional *decimal.Decimal
	opens    bool      // opens or enlarges a position, or uncovers one
	naked    bool      // sells what nothing covers
	legs     []holding // of all orders that may fill together
	openLegs []Leg     // that open
}

// weigh counts what a ticket puts at risk beside what is held and ordered. Except
// is an order that this one replaces.
func (v *view) weigh(t Ticket, except OrderID) weight {
	held := v.held()
	views := [][]holding{held, append(slices.Clone(held), v.promised(except)...), append(slices.Clone(held), v.ordered(except, true)...)}
	total := weight{loss: Loss{Amount: &decimal.Decimal{}}, notional: &decimal.Decimal{}}
	seen := map[int]bool{}
	for _, sequence := range sequences(t) {
		var w weight
		w.loss, w.notional = Loss{Amount: &decimal.Decimal{}}, &decimal.Decimal{}
		before := views
		for n, i := range sequence {
			step := v.weighOrder(t.Orders[i], before)
			if n > 0 && !step.opens {
				step.loss = Loss{Amount: &decimal.Decimal{}}
				step.notional = &decimal.Decimal{}
			}
			w.loss, w.notional = addLoss(w.loss, step.loss), addAmount(w.notional, step.notional)
			w.opens, w.naked = w.opens || step.opens, w.naked || step.naked
			if !seen[i] {
				total.openLegs = append(total.openLegs, step.openLegs...)
				seen[i] = true
			}
			after := make([][]holding, len(before))
			for k := range before {
				after[k] = append(slices.Clone(before[k]), step.legs...)
			}
			before = after
			w.legs = append(w.legs, step.legs...)
		}
		total.loss, total.notional = worseLoss(total.loss, w.loss), largerAmount(total.notional, w.notional)
		total.opens, total.naked = total.opens || w.opens, total.naked || w.naked
		total.legs = append(total.legs, w.legs...)
	}
	return total
}

// sequences are the ways in which the orders of a ticket can fill.
func sequences(t Ticket) [][]int {
	n := len(t.Orders)
	switch t.Kind {
	case OCO:
		var out [][]int
		for i := range n {
			out = append(out, []int{i})
		}
		return out
	case Bracket:
		return [][]int{{0, 1}, {0, 2}}
	case OTO:
		all := []int{0}
		var out [][]int
		for i := 1; i < n; i++ {
			out = append(out, []int{0, i})
			all = append(all, i)
		}
		return append(out, all)
	}
	return [][]int{{0}}
}

// weighOrder counts one order against each view of what is held before it.
func (v *view) weighOrder(o Order, views [][]holding) weight {
	var w weight
	legs, known := v.holdings(o)
	if !known {
		return weight{opens: true, naked: sellsAny(o), openLegs: o.Legs}
	}
	w.legs = legs
	closes := false
	for i, l := range o.Legs {
		opened := legs[i].size.Abs()
		if !l.Action.Opens() {
			closable := opened
			for _, held := range views {
				closable = decimal.Min(closable, closableOf(held, legs[i]))
			}
			opened = opened.Sub(closable)
			closes = closes || closable.Sign() > 0
		}
		if opened.Sign() > 0 {
			w.opens = true
			w.openLegs = append(w.openLegs, l)
		}
	}
	for _, held := range views {
		groups, parts := byUnderlying(held), byUnderlying(legs)
		for u, part := range parts {
			if uncovered(append(slices.Clone(groups[u]), part...)).exceeds(uncovered(groups[u])) {
				w.opens, w.naked = true, true
			}
		}
	}
	if cash, ok := v.cash(o); ok {
		w.loss = orderLoss(cash, legs, closes, views)
	} else if loss := orderLoss(decimal.Zero, legs, closes, views); loss.Unbounded {
		w.loss = loss
	}
	w.notional = v.notional(o, legs)
	return w
}

func sellsAny(o Order) bool {
	return slices.ContainsFunc(o.Legs, func(l Leg) bool { return l.Action.Sign() < 0 })
}

// closableOf is how much of what is held a leg of the other sign can close.
func closableOf(held []holding, leg holding) decimal.Decimal {
	net := decimal.Zero
	for _, h := range held {
		if h.symbol == leg.symbol {
			net = net.Add(h.size)
		}
	}
	if net.Sign()*leg.size.Sign() >= 0 {
		return decimal.Zero
	}
	return net.Abs()
}

// notional is the money that an order moves or controls: see
// [Limits].MaxOrderNotional. Nil when it is not known.
func (v *view) notional(o Order, legs []holding) *decimal.Decimal {
	if o.Notional != nil {
		return o.Notional
	}
	total := decimal.Zero
	bought, sold := map[market.Symbol]decimal.Decimal{}, map[market.Symbol]decimal.Decimal{}
	for i, l := range o.Legs {
		u := contractUnderlying(l.Symbol)
		if c, ok := l.Symbol.Contract(); ok {
			value := decimal.NewFromFloat(c.Strike).Mul(legs[i].size.Abs())
			if l.Action.Sign() > 0 {
				bought[u] = bought[u].Add(value)
			} else {
				sold[u] = sold[u].Add(value)
			}
			continue
		}
		price, ok := v.side(l.Symbol, l.Action.Sign())
		if o.Limit != nil && len(o.Legs) == 1 {
			price, ok = o.Limit.Abs(), true
		} else if o.Stop != nil && (!ok || o.Stop.GreaterThan(price)) {
			price, ok = *o.Stop, true
		}
		if !ok {
			return nil
		}
		if l.Action.Sign() > 0 {
			price = trailed(o.Trail, price, 1)
		}
		total = total.Add(price.Mul(legs[i].size.Abs()))
	}
	for _, u := range underlyingsOf(legs) {
		total = total.Add(decimal.Max(bought[u], sold[u]))
	}
	return &total
}

func addLoss(a, b Loss) Loss {
	return Loss{Amount: addAmount(a.Amount, b.Amount), Unbounded: a.Unbounded || b.Unbounded}
}

func worseLoss(a, b Loss) Loss {
	return Loss{Amount: largerAmount(a.Amount, b.Amount), Unbounded: a.Unbounded || b.Unbounded}
}

// addAmount adds; what is not known makes the sum unknown.
func addAmount(a, b *decimal.Decimal) *decimal.Decimal {
	if a == nil || b == nil {
		return nil
	}
	sum := a.Add(*b)
	return &sum
}

func largerAmount(a, b *decimal.Decimal) *decimal.Decimal {
	if a == nil || b == nil {
		return nil
	}
	larger := decimal.Max(*a, *b)
	return &larger
}

// netPrice is the middle price of an order's combination per unit, credit
// positive, or the price at which it trades at once.
func (v *view) netPrice(o Order, atOnce bool) (decimal.Decimal, bool) {
	if len(o.Legs) == 1 {
		return v.legPrice(o.Legs[0], atOnce)
	}
	unit, ok := v.unit(o)
	total := decimal.Zero
	for _, l := range o.Legs {
		price, quoted := v.legPrice(l, atOnce)
		m, known := v.multiple(l.Symbol)
		if !quoted || !known {
			return decimal.Decimal{}, false
		}
		total = total.Add(price.Mul(l.Quantity).Mul(m))
	}
	if !ok || unit.Sign() <= 0 {
		return decimal.Decimal{}, false
	}
	return total.DivRound(unit, 9), true
}

func (v *view) legPrice(l Leg, atOnce bool) (decimal.Decimal, bool) {
	sign := l.Action.Sign()
	price, ok := v.middle(l.Symbol)
	if atOnce && ok {
		price, ok = v.side(l.Symbol, sign)
	}
	return price.Mul(decimal.NewFromInt(int64(-sign))), ok
}
