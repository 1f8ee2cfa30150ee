package paper

import (
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rooms"
	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// An account is what one account holds and did.
type account struct {
	info      broker.Account
	cash      sums.Number
	realized  sums.Number // by all fills, without fees
	fees      sums.Number // by all fills, negative
	positions map[market.Symbol]*position
	recent    *position   // of positions, the one that was asked for last
	swept     market.Date // when positions that are closed were last forgotten
	history   rooms.List[entry]
	orders    []*order
	working   []*order // not ended when last looked at
	kept      int      // how many worked when last counted
	tags      rooms.Set
}

// A position is a holding. Its cost is exact: what is taken from it when a part
// is closed is what the rest no longer has.
type position struct {
	book     *book
	quantity sums.Number // signed
	cost     sums.Number // Σ quantity × price × multiplier, negative for short ones
	realized sums.Number // of the day
	day      market.Date // the day of realized
	opened   int64
}

// average is the opening price per unit, positive.
func (p *position) average() decimal.Decimal {
	return p.cost.Decimal().Div(p.quantity.Decimal().Mul(p.book.terms.multiplier)).Abs()
}

// position is what an account has of an instrument, or had today; nil otherwise.
func (a *account) position(b *book) *position {
	if p := a.recent; p != nil && p.book == b {
		return p
	}
	p := a.positions[b.symbol]
	if p != nil {
		a.recent = p
	}
	return p
}

// hold puts a position in the place of the instrument's.
func (a *account) hold(p *position) { a.positions[p.book.symbol], a.recent = p, p }

// drop forgets the position of an instrument.
func (a *account) drop(symbol market.Symbol) {
	delete(a.positions, symbol)
	a.recent = nil
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
		info: a.Account, cash: sums.Of(a.Cash), positions: map[market.Symbol]*position{},
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
		acct.hold(&position{
			book: b, quantity: sums.Of(p.Quantity), cost: sums.Of(p.Quantity.Mul(p.AverageOpenPrice).Mul(b.terms.multiplier)), opened: opened,
		})
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
func (a *account) held(b *book) sums.Number {
	if p := a.position(b); p != nil {
		return p.quantity
	}
	return sums.Number{}
}

// move changes a position by a signed quantity at a price. Money is not its
// business.
func (x *Exchange) move(a *account, b *book, quantity, price decimal.Decimal) {
	x.shift(a, b, sums.Of(quantity), sums.Of(price))
}

// shift is move, and returns the profit that this realises.
func (x *Exchange) shift(a *account, b *book, quantity, price sums.Number) (realized sums.Number) {
	p := a.position(b)
	if p == nil {
		p = &position{book: b, opened: x.now}
		a.hold(p)
	}
	today := x.today()
	if p.day != today {
		p.day, p.realized = today, sums.Number{}
	}
	each := b.terms.worthOf(price)
	if p.quantity.Sign()*quantity.Sign() < 0 {
		part := quantity
		if rest := p.quantity.Plus(quantity); rest.Sign()*quantity.Sign() > 0 {
			part = p.quantity.Neg()
		}
		cost := p.cost
		if left := p.quantity.Plus(part); left.IsZero() {
			p.quantity, p.cost = sums.Number{}, sums.Number{}
		} else {
			cost = sums.Of(p.cost.Times(part.Neg()).Decimal().Div(p.quantity.Decimal()))
			p.quantity = left
			p.cost = p.cost.Minus(cost)
		}
		realized = part.Times(each).Neg().Minus(cost)
		p.realized = p.realized.Plus(realized)
		a.realized = a.realized.Plus(realized)
		quantity = quantity.Minus(part)
	}
	if !quantity.IsZero() {
		if p.quantity.IsZero() {
			p.opened = x.now
		}
		p.quantity = p.quantity.Plus(quantity)
		p.cost = p.cost.Plus(quantity.Times(each))
	}
	if b.mark != b.mark {
		b.mark = price.Float()
	}
	return realized
}

// trade fills units of an order at its legs' prices, as far as there is something
// to close and money to open. It reports that something happened.
func (x *Exchange) trade(o *order, units decimal.Decimal, prices []decimal.Decimal) bool {
	a := o.acct
	cover, covered := x.cover(o)
	if covered = covered && cover.Cmp(sums.Of(units)) < 0; covered {
		if units = cover.Decimal(); units.Sign() <= 0 {
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
	var room [broker.MaxLegs]broker.Fees
	fees, err := x.feesOf(o, units, prices, room[:0])
	if err != nil {
		x.finish(o, broker.Cancelled, "its fees cannot be counted: "+err.Error())
		return true
	}
	if o.spec.Notional != nil {
		o.total, o.allowed = units, units
	}
	for i := range o.legs {
		x.tradeLeg(o, i, o.of(i, units), prices[i], o.keep(fees, i))
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
func (x *Exchange) cover(o *order) (most sums.Number, limited bool) {
	for i := range o.legs {
		l := &o.legs[i]
		if o.spec.Legs[i].Action.Opens() || l.book.terms.futures() {
			continue
		}
		held := o.acct.held(l.book).Signed(-int(l.sign))
		if o.single() {
			return held, true
		}
		n := sums.Of(held.Decimal().Div(l.ratio).Floor())
		if !limited || n.Cmp(most) < 0 {
			most, limited = n, true
		}
	}
	return most, limited
}

// feesOf appends what a fill of some units costs, leg by leg; nothing when there
// are no fees.
func (x *Exchange) feesOf(o *order, units decimal.Decimal, prices []decimal.Decimal, fees []broker.Fees) ([]broker.Fees, error) {
	if x.opts.Fees == nil {
		return nil, nil
	}
	for i := range o.legs {
		l := &o.legs[i]
		quantity := units.Mul(l.ratio)
		of, err := x.opts.Fees.Fees(x.today(), broker.FeeEvent{
			Symbol: l.book.symbol, Action: o.spec.Legs[i].Action, Quantity: quantity, Before: l.filled,
			Leg: decimal.Max(o.spec.Legs[i].Quantity, l.filled.Add(quantity)), Price: prices[i], Multiplier: l.book.terms.multiplier,
		})
		if err != nil {
			return nil, err
		}
		fees = append(fees, of)
	}
	return fees, nil
}

// keep is where the fees of a leg's fill stay: nowhere when there are none.
func (o *order) keep(fees []broker.Fees, leg int) *broker.Fees {
	switch {
	case fees == nil:
		return nil
	case len(o.fills) == 0:
		o.roomFees = fees[leg]
		return &o.roomFees
	}
	kept := fees[leg]
	return &kept
}

// tradeLeg fills a leg. Fees is nil when there are none.
func (x *Exchange) tradeLeg(o *order, i int, quantity, price decimal.Decimal, fees *broker.Fees) {
	a, l := o.acct, &o.legs[i]
	x.fillSeq++
	var charge sums.Number
	if fees == nil {
		fees = &x.noFees
	} else {
		charge = totalOf(fees)
	}
	o.fills = append(o.fills, broker.Fill{
		ID: x.fillNames.Of(x.fillSeq), Order: o.id(), Account: a.info.ID, Symbol: l.book.symbol,
		Action: o.spec.Legs[i].Action, Quantity: quantity, Price: price, Fees: fees, Time: x.time(),
	})
	o.states = nil
	units, each := sums.Of(quantity), sums.Of(price)
	t := &l.book.terms
	l.filled = sums.Plus(l.filled, quantity)
	value := units.Times(each)
	l.value = l.value.Plus(value)
	if l.size != nil {
		if *l.size == *l.size {
			*l.size = max(*l.size-units.Float(), 0)
		}
		l.size = nil
	}
	amount := x.shift(a, l.book, units.Signed(int(l.sign)), each) // of a future, profit alone changes hands
	if !t.futures() {
		amount = t.worthOf(value).Signed(-int(l.sign))
	}
	a.fees = a.fees.Plus(charge)
	x.tellFill(o, len(o.fills)-1)
	x.postFill(o, len(o.fills)-1, amount.Plus(charge))
}

// listed are the open positions by underlying and symbol. Those closed before
// today are forgotten.
func (x *Exchange) listed(a *account) []*position {
	var list []*position
	today := x.today()
	for symbol, p := range a.positions {
		switch {
		case !p.quantity.IsZero():
			list = append(list, p)
		case p.day != today:
			a.drop(symbol)
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
		Account: a.info.ID, Symbol: p.book.symbol, Underlying: t.underlying, Kind: t.kind, Quantity: p.quantity.Decimal(),
		Multiplier: t.multiplier, Mark: known(p.book.mark), PrevClose: known(p.book.prevClose), OpenedAt: x.at(p.opened),
	}
	if !p.quantity.IsZero() {
		average := p.average()
		v.AverageOpenPrice = &average
	}
	realized := decimal.Zero
	if p.day == x.today() {
		realized = p.realized.Decimal()
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
	value := p.quantity.Decimal().Mul(exact(p.book.mark)).Mul(p.book.terms.multiplier)
	if p.book.terms.futures() {
		value = value.Sub(p.cost.Decimal())
	}
	return value, true
}

// expiry is when an option stops trading and is settled.
func (x *Exchange) expiry(t *terms) time.Time {
	_, settlement, _ := t.contract.Terms()
	return options.ExpiryTime(t.contract.Expiration, settlement, nil)
}
