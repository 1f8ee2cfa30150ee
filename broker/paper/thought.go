package paper

import (
	"math"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
)

// Most orders are for shares that the account can pay for many times over. Their
// requirement is not needed to take them, only the certainty that it would be
// met, for which floats with a margin of error do; what they bind is counted when
// somebody asks for it, from what was known when they were taken.

// A debt is what an order for shares binds, not counted yet.
type debt struct {
	model MarginModel
	book  *book
	date  market.Date
	mark  float64

	cash, held sums.Number // before
	signed     sums.Number // the units that it adds
	price      float64     // of one
	charge     sums.Number // fees
}

// owe makes room for what an order binds.
func (x *Exchange) owe() *debt {
	if n := len(x.debts); n > 0 {
		d := x.debts[n-1]
		x.debts = x.debts[:n-1]
		return d
	}
	return &debt{}
}

// forgive takes back what an order binds.
func (x *Exchange) forgive(o *order) {
	if o.debt != nil {
		x.debts = append(x.debts, o.debt)
		o.debt = nil
	}
}

// bound is the buying power that the order binds.
func (o *order) bound() decimal.Decimal {
	if o.debt != nil {
		need := o.debt.count()
		o.reserve, o.debt = decimal.Zero, nil
		if need.Sign() > 0 {
			o.reserve = need
		}
	}
	return o.reserve
}

func (d *debt) count() decimal.Decimal {
	t := &d.book.terms
	p := broker.MarginPosition{Symbol: d.book.symbol, Quantity: d.held.Decimal(), Price: exact(d.mark), Multiplier: t.multiplier}
	in := broker.MarginInput{Underlyings: map[market.Symbol]decimal.Decimal{t.underlying: p.Price}, Date: d.date}
	if !d.held.IsZero() {
		in.Positions = append(in.Positions, p)
	}
	before, err := d.model.Requirement(in)
	if err != nil {
		return decimal.Zero
	}
	p.Quantity = d.signed.Decimal()
	in.Positions = append(in.Positions, p)
	after, err := d.model.Requirement(in)
	if err != nil {
		return decimal.Zero
	}
	cash := d.cash.Decimal()
	return before.BuyingPower(cash).Sub(after.BuyingPower(cash.Sub(p.Quantity.Mul(exact(d.price))).Add(d.charge.Decimal())))
}

// easily tells that an opening order for shares can be paid for without doubt, and
// keeps what is needed to count what it binds. It says no whenever it is not sure.
func (x *Exchange) easily(o *order) bool {
	l, a := &o.legs[0], o.acct
	b := l.book
	model := x.modelOf(a)
	regT, retirement := model == MarginModel(&x.marginRules), model == MarginModel(&x.retirementRules)
	if !o.single() || o.spec.Notional != nil || b.terms.kind != market.KindEquity || b.terms.mult != 1 || b.terms.underlying != b.symbol ||
		!regT && !retirement && model != MarginModel(&x.cashRules) || !(b.mark >= 0.01 && b.mark < 1e12) {
		return false
	}
	var held sums.Number
	if p := a.position(b); p != nil && len(a.positions) == 1 {
		held = p.quantity
	} else {
		for _, p := range a.positions {
			switch {
			case p.quantity.IsZero():
			case p.book != b:
				return false
			default:
				held = p.quantity
			}
		}
	}
	for _, p := range a.working {
		if !p.status.Terminal() && p.binds() {
			return false
		}
	}
	price := b.touch(l.sign > 0)
	switch {
	case o.limited():
		price = o.limit
	case o.stopped():
		price = o.stop
	case math.IsNaN(price):
		price = b.mark
	}
	if !(price >= 0.01 && price < 1e12) {
		return false
	}
	units, charge := o.left(), sums.Number{}
	if x.opts.Fees != nil {
		fees, err := x.feesOf(o, units, []decimal.Decimal{exact(price)}, nil)
		if err != nil {
			return false
		}
		charge = totalOf(&fees[0])
	}
	signed := sums.Of(units).Signed(int(l.sign))
	cash, have, by := a.cash.Float(), held.Float(), signed.Float()
	left := cash - by*price + charge.Float()
	if !regT && have+by < 0 {
		return false // which it may not be
	}
	free := cash + have*b.mark - roughly(have, b.mark, regT)
	equity := left + (have+by)*b.mark
	then := equity - roughly(have+by, b.mark, regT)
	doubt := 1e-6 * (1 + math.Abs(cash) + (math.Abs(have)+math.Abs(by))*(b.mark+price))
	if !(then > doubt) || !(free > doubt) || regT && !(equity > 2000+doubt) {
		return false
	}
	o.debt = x.owe()
	*o.debt = debt{
		model: model, book: b, date: x.today(), mark: b.mark, cash: a.cash, held: held, signed: signed,
		price: price, charge: charge,
	}
	return true
}

// binds tells whether the order may bind buying power.
func (o *order) binds() bool { return o.debt != nil || o.reserve.Sign() > 0 }

// roughly is the initial requirement of shares by the rules that an account has
// when nobody sets others.
func roughly(units, price float64, regT bool) float64 {
	switch {
	case units >= 0 && regT:
		return units * price / 2
	case units >= 0:
		return units * price
	case price < 5:
		return -units * math.Max(2.5, price)
	}
	return -units * math.Max(5, price/2)
}

// sweep forgets the positions that were closed before today.
func (x *Exchange) sweep(a *account) {
	today := x.today()
	if a.swept == today {
		return // what was closed since was closed today
	}
	a.swept = today
	for symbol, p := range a.positions {
		if p.quantity.IsZero() && p.day != today {
			a.drop(symbol)
		}
	}
}

// plain tells that a ticket is one order at the market for one instrument that is
// known here, and that nothing is wrong with it.
func (x *Exchange) plain(t *broker.Ticket) bool {
	if t.Kind != broker.Single || len(t.Orders) != 1 {
		return false
	}
	o := &t.Orders[0]
	if o.Type != broker.Market || len(o.Legs) != 1 || o.Limit != nil || o.Stop != nil || o.Trail != nil || o.Notional != nil ||
		o.Duration() != broker.Day || !o.GoodTill.IsZero() || o.ExtendedHours || !plainTag(o.Tag) {
		return false
	}
	l := &o.Legs[0]
	b := x.book(l.Symbol)
	return b != nil && b.terms.kind == market.KindEquity && l.Action.Sign() != 0 && l.Quantity.Sign() > 0
}

func plainTag(tag string) bool {
	for _, c := range []byte(tag) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return tag != "" && len(tag) <= 48
}
