package paper

import (
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// An account is what one account holds and did.
type account struct {
	info         broker.Account
	cash         decimal.Decimal
	realized     decimal.Decimal // by all fills, without fees
	fees         decimal.Decimal // by all fills, negative
	positions    map[market.Symbol]*position
	transactions []broker.Transaction
	orders       []*order
	working      []*order // not ended when last looked at
	kept         int      // how many worked when last counted
	tags         map[string]bool
}

// A position is a holding. Its cost is exact: what is taken from it when a part
// is closed is what the rest no longer has.
type position struct {
	book     *book
	quantity decimal.Decimal // signed
	cost     decimal.Decimal // Σ quantity × price × multiplier, negative for short ones
	realized decimal.Decimal // of the day
	day      market.Date     // the day of realized
	opened   int64
}

// average is the opening price per unit, positive.
func (p *position) average() decimal.Decimal {
	return p.cost.Div(p.quantity.Mul(p.book.terms.multiplier)).Abs()
}

// OpenAccount opens another account. The error is a *FieldError.
func (x *Exchange) OpenAccount(a Account) error {
	x.lock()
	defer x.unlock()
	return x.openAccount(a)
}

func (x *Exchange) openAccount(a Account) error {
	if a.ID == "" {
		return invalid.Missing("ID", "an account number")
	}
	if x.accounts[a.ID] != nil {
		return invalid.Field("ID", a.ID, "a number that no account has yet")
	}
	acct := &account{
		info: a.Account, cash: a.Cash, positions: map[market.Symbol]*position{}, tags: map[string]bool{},
	}
	if acct.info.OpenedAt.IsZero() {
		acct.info.OpenedAt = x.time()
	}
	for _, p := range a.Positions {
		if p.Quantity.IsZero() {
			return invalid.Field("Positions.Quantity", p.Quantity, "a quantity other than 0")
		}
		if p.AverageOpenPrice.Sign() < 0 {
			return invalid.Field("Positions.AverageOpenPrice", p.AverageOpenPrice, "a price of 0 or more")
		}
		if acct.positions[p.Symbol] != nil {
			return invalid.Field("Positions.Symbol", p.Symbol, "each symbol once")
		}
		b, err := x.bookOf(p.Symbol)
		if err != nil {
			return err
		}
		opened := x.now
		if !p.OpenedAt.IsZero() {
			opened = p.OpenedAt.UnixNano()
		}
		acct.positions[p.Symbol] = &position{
			book: b, quantity: p.Quantity, cost: p.Quantity.Mul(p.AverageOpenPrice).Mul(b.terms.multiplier), opened: opened,
		}
	}
	x.accounts[a.ID] = acct
	x.accountList = append(x.accountList, acct)
	return nil
}

// Transfer moves money into an account, or out of it when the amount is negative.
// It is a transaction of kind broker.Transfer. The error is
// broker.ErrUnknownAccount.
func (x *Exchange) Transfer(account AccountID, amount decimal.Decimal, text string) error {
	x.lock()
	defer x.unlock()
	acct := x.accounts[account]
	if acct == nil {
		return broker.ErrUnknownAccount
	}
	x.post(acct, broker.Transaction{Kind: broker.Transfer, Amount: amount, Text: text})
	x.tellBalances(acct)
	return nil
}

// held is the signed quantity an account has of an instrument.
func (a *account) held(symbol market.Symbol) decimal.Decimal {
	if p := a.positions[symbol]; p != nil {
		return p.quantity
	}
	return decimal.Zero
}

// post writes a line of history and moves its money. Time and ID are set here.
func (x *Exchange) post(a *account, t broker.Transaction) {
	x.transactionSeq++
	t.ID = numberedID('T', x.transactionSeq)
	t.Account = a.info.ID
	t.Time = x.time()
	a.cash = sums.Plus(a.cash, t.Amount)
	if most := x.opts.Remember; most > 0 && len(a.transactions) >= 2*most+64 {
		left := append(a.transactions[:0], a.transactions[len(a.transactions)-most:]...)
		clear(a.transactions[len(left):])
		a.transactions = left
	}
	a.transactions = append(a.transactions, t)
	x.tell(broker.Event{Account: a.info.ID, Transaction: &t})
}

// move changes a position by a signed quantity at a price and returns the profit
// that this realises. Money is not its business.
func (x *Exchange) move(a *account, b *book, quantity, price decimal.Decimal) (realized decimal.Decimal) {
	p := a.positions[b.symbol]
	if p == nil {
		p = &position{book: b, opened: x.now}
		a.positions[b.symbol] = p
	}
	today := x.today()
	if p.day != today {
		p.day, p.realized = today, decimal.Zero
	}
	each := b.terms.worthOf(price)
	if p.quantity.Sign()*quantity.Sign() < 0 {
		part := quantity
		if rest := sums.Plus(p.quantity, quantity); rest.Sign()*quantity.Sign() > 0 {
			part = sums.Signed(p.quantity, -1)
		}
		cost := p.cost
		whole := sums.Plus(part, p.quantity).IsZero()
		if !whole {
			cost = p.cost.Mul(part.Neg()).Div(p.quantity)
		}
		if whole {
			p.quantity, p.cost = decimal.Zero, decimal.Zero
		} else {
			p.quantity = p.quantity.Add(part)
			p.cost = p.cost.Sub(cost)
		}
		realized = sums.Minus(sums.Signed(sums.Times(part, each), -1), cost)
		p.realized = sums.Plus(p.realized, realized)
		a.realized = sums.Plus(a.realized, realized)
		quantity = sums.Minus(quantity, part)
	}
	if !quantity.IsZero() {
		if p.quantity.IsZero() {
			p.opened = x.now
		}
		p.quantity = sums.Plus(p.quantity, quantity)
		p.cost = sums.Plus(p.cost, sums.Times(quantity, each))
	}
	if b.mark != b.mark {
		b.mark = price.InexactFloat64()
	}
	return realized
}

// trade fills units of an order at its legs' prices, as far as there is something
// to close and money to open. It reports that something happened.
func (x *Exchange) trade(o *order, units decimal.Decimal, prices []decimal.Decimal) bool {
	a := o.acct
	cover, covered := x.cover(o)
	if covered = covered && cover.LessThan(units); covered {
		if units = cover; units.Sign() <= 0 {
			x.finish(o, broker.Cancelled, "there is nothing left to close")
			return true
		}
	}
	if (x.opts.RecheckAtFill || x.opts.CheckAtFill || o.recheck) && o.spec.Opens() && !x.opts.Unchecked && !o.decided {
		if err := x.affordable(o, units, prices); err != nil {
			x.finish(o, broker.Cancelled, err.Error())
			return true
		}
	}
	fees, err := x.feesOf(o, units, prices)
	if err != nil {
		x.finish(o, broker.Cancelled, "its fees cannot be counted: "+err.Error())
		return true
	}
	if o.spec.Notional != nil {
		o.total, o.allowed = units, units
	}
	for i := range o.legs {
		x.tradeLeg(o, i, o.of(i, units), prices[i], fees[i])
	}
	o.done = sums.Plus(o.done, units)
	o.updated = x.now
	switch {
	case o.done.Equal(o.total):
		x.pull(o)
		x.set(o, broker.Filled, "")
	case o.done.Equal(o.allowed):
		x.pull(o)
		x.set(o, broker.Cancelled, "the rest was filled by another order of its group")
	case covered:
		x.pull(o)
		x.set(o, broker.Cancelled, "there is nothing left to close")
	default:
		x.tellOrder(o)
	}
	for i := range o.legs {
		x.tellPosition(a, o.legs[i].book)
	}
	x.tellBalances(a)
	x.filled(o, units)
	return true
}

// cover is how many units an order can trade without its closing legs turning
// into opening ones; false when nothing limits it.
func (x *Exchange) cover(o *order) (most decimal.Decimal, limited bool) {
	for i := range o.legs {
		l := &o.legs[i]
		if o.spec.Legs[i].Action.Opens() || l.book.terms.futures() {
			continue
		}
		held := sums.Signed(o.acct.held(l.book.symbol), -int(l.sign))
		if o.single() {
			return held, true
		}
		n := held.Div(l.ratio).Floor()
		if !limited || n.LessThan(most) {
			most, limited = n, true
		}
	}
	return most, limited
}

// feesOf returns what a fill of some units costs, leg by leg.
func (x *Exchange) feesOf(o *order, units decimal.Decimal, prices []decimal.Decimal) ([]broker.Fees, error) {
	fees := make([]broker.Fees, len(o.legs))
	if x.opts.Fees == nil {
		return fees, nil
	}
	for i := range o.legs {
		l := &o.legs[i]
		quantity := units.Mul(l.ratio)
		var err error
		if fees[i], err = x.opts.Fees.Fees(x.today(), broker.FeeEvent{
			Symbol: l.book.symbol, Action: o.spec.Legs[i].Action, Quantity: quantity, Before: l.filled,
			Leg: decimal.Max(o.spec.Legs[i].Quantity, l.filled.Add(quantity)), Price: prices[i], Multiplier: l.book.terms.multiplier,
		}); err != nil {
			return nil, err
		}
	}
	return fees, nil
}

func (x *Exchange) tradeLeg(o *order, i int, quantity, price decimal.Decimal, fees broker.Fees) {
	a, l := o.acct, &o.legs[i]
	x.fillSeq++
	fill := broker.Fill{
		ID: numberedID('F', x.fillSeq), Order: o.id(), Account: a.info.ID, Symbol: l.book.symbol,
		Action: o.spec.Legs[i].Action, Quantity: quantity, Price: price, Time: x.time(),
	}
	t := &l.book.terms
	fill.Fees = &fees
	l.filled = sums.Plus(l.filled, quantity)
	value := sums.Times(quantity, price)
	l.value = sums.Plus(l.value, value)
	if l.size != nil {
		if *l.size == *l.size {
			*l.size = max(*l.size-sums.Float(quantity), 0)
		}
		l.size = nil
	}
	o.fills = append(o.fills, fill)
	signed := sums.Signed(quantity, int(l.sign))
	realized := x.move(a, l.book, signed, price)
	amount := realized // of a future, profit alone changes hands
	if !t.futures() {
		amount = sums.Signed(t.worthOf(value), -int(l.sign))
	}
	charge := totalOf(&fees)
	a.fees = sums.Plus(a.fees, charge)
	told := fill
	if !x.opts.Brief {
		told = copyFill(fill)
	}
	x.tell(broker.Event{Account: a.info.ID, Fill: &told})
	x.post(a, broker.Transaction{
		Kind: broker.Trade, Symbol: l.book.symbol, Quantity: signed, Price: &fill.Price,
		Amount: sums.Plus(amount, charge), Fees: told.Fees, Order: o.id(), Text: string(fill.Action),
	})
}

// listed are the open positions by underlying and symbol. Those closed before
// today are forgotten.
func (x *Exchange) listed(a *account) []*position {
	list := make([]*position, 0, len(a.positions))
	today := x.today()
	for symbol, p := range a.positions {
		switch {
		case !p.quantity.IsZero():
			list = append(list, p)
		case p.day != today:
			delete(a.positions, symbol)
		}
	}
	slices.SortFunc(list, func(p, q *position) int {
		if c := strings.Compare(string(p.book.terms.underlying), string(q.book.terms.underlying)); c != 0 {
			return c
		}
		return strings.Compare(string(p.book.symbol), string(q.book.symbol))
	})
	return list
}

// today is the date in New York.
func (x *Exchange) today() market.Date {
	if x.now < x.dayFrom || x.now >= x.dayUntil {
		x.date = market.DateOf(x.time())
		x.dayFrom, x.dayUntil = x.date.In(x.location).UnixNano(), x.date.AddDays(1).In(x.location).UnixNano()
	}
	return x.date
}

// see is a position as others get to see it.
func (x *Exchange) see(a *account, p *position) broker.Position {
	t := &p.book.terms
	v := broker.Position{
		Account: a.info.ID, Symbol: p.book.symbol, Underlying: t.underlying, Kind: t.kind, Quantity: p.quantity,
		Multiplier: t.multiplier, Mark: known(p.book.mark), PrevClose: known(p.book.prevClose), OpenedAt: x.at(p.opened),
	}
	if !p.quantity.IsZero() {
		average := p.average()
		v.AverageOpenPrice = &average
	}
	realized := decimal.Zero
	if p.day == x.today() {
		realized = p.realized
	}
	v.RealizedDay = &realized
	if t.option {
		v.ExpiresAt = x.expiry(t)
	}
	return v
}

// known is a price as a decimal; nil when there is none.
func known(price float64) *decimal.Decimal {
	if price != price {
		return nil
	}
	d := exact(price)
	return &d
}

// exact is a price that positions are valued at, without the noise that the middle
// of two floats can have.
func exact(price float64) decimal.Decimal { return decimal.NewFromFloat(price).Round(9) }

// worth is what a position adds to the net liquidating value: its value, of a
// future its open profit; false when its price is not known.
func (p *position) worth() (decimal.Decimal, bool) {
	if p.book.mark != p.book.mark {
		return decimal.Zero, false
	}
	value := p.quantity.Mul(exact(p.book.mark)).Mul(p.book.terms.multiplier)
	if p.book.terms.futures() {
		value = value.Sub(p.cost)
	}
	return value, true
}

// expiry is when an option stops trading and is settled.
func (x *Exchange) expiry(t *terms) time.Time {
	_, settlement, _ := t.contract.Terms()
	return options.ExpiryTime(t.contract.Expiration, settlement, nil)
}
