package paper

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// funds are what an order would do to an account's money.
type funds struct {
	known   bool // prices were there to count with
	need    decimal.Decimal
	free    decimal.Decimal // before
	margin  decimal.Decimal // change of the initial requirement
	cash    decimal.Decimal // without fees
	priced  bool            // cash is known
	fees    broker.Fees
	refusal *broker.Notice
}

// modelOf returns what an account's positions are judged by.
func (x *Exchange) modelOf(a *account) MarginModel {
	switch {
	case !a.info.Margin:
		return &x.cashRules
	case x.opts.Margin != nil:
		return x.opts.Margin
	case strings.Contains(a.info.Type, "IRA"):
		return &x.retirementRules
	}
	return &x.marginRules
}

// change is a trade that is only thought of.
type change struct {
	book     *book
	quantity decimal.Decimal // signed
	price    decimal.Decimal
}

// requirement counts the margin of an account's positions after some changes.
func (x *Exchange) requirement(a *account, changes []change) (*broker.Margin, error) {
	in := broker.MarginInput{Underlyings: map[market.Symbol]decimal.Decimal{}, Date: x.today()}
	add := func(b *book, quantity decimal.Decimal, price float64) {
		p := broker.MarginPosition{Symbol: b.symbol, Quantity: quantity, Underlying: b.terms.underlying, Multiplier: b.terms.multiplier}
		if b.terms.kind != market.KindOption {
			p.Underlying = ""
		}
		p.Price = exact(price)
		in.Positions = append(in.Positions, p)
		if u := x.books[b.terms.underlying]; u != nil && u.mark > 0 {
			in.Underlyings[b.terms.underlying] = exact(u.mark)
		}
	}
	for _, p := range x.listed(a) {
		price := p.book.mark
		if math.IsNaN(price) {
			price = p.average().InexactFloat64()
		}
		add(p.book, p.quantity.Decimal(), price)
	}
	for _, c := range changes {
		price := c.book.mark
		if math.IsNaN(price) {
			price = c.price.InexactFloat64()
		}
		add(c.book, c.quantity, price)
	}
	return x.modelOf(a).Requirement(in)
}

// equity is the net liquidating value; false when a price is not known.
func (x *Exchange) equity(a *account) (decimal.Decimal, bool) {
	sum := a.cash.Decimal()
	for _, p := range x.listed(a) {
		worth, ok := p.worth()
		if !ok {
			return decimal.Zero, false
		}
		sum = sum.Add(worth)
	}
	return sum, true
}

// openProfit is the open profit of futures, which is no value of theirs.
func (x *Exchange) openProfit(a *account) decimal.Decimal {
	sum := decimal.Zero
	for _, p := range x.listed(a) {
		if p.book.terms.futures() {
			if worth, ok := p.worth(); ok {
				sum = sum.Add(worth)
			}
		}
	}
	return sum
}

// forget takes orders that have ended off the list of those that work, whenever
// it has grown to twice what it was.
func (a *account) forget() {
	if len(a.working) < 2*a.kept+16 {
		return
	}
	a.tidy()
	a.kept = len(a.working)
}

// reserved is the buying power that working orders bind, without one of them.
func (a *account) reserved(without *order) decimal.Decimal {
	a.tidy()
	sum := decimal.Zero
	for _, o := range a.working {
		if o != without && o.binds() && o.total.Sign() > 0 {
			if bound := o.bound(); bound.Sign() > 0 {
				sum = sum.Add(bound.Mul(o.left()).Div(o.total))
			}
		}
	}
	return sum
}

// tidy takes the orders that have ended off the list of those that work.
func (a *account) tidy() {
	kept := a.working[:0]
	for _, o := range a.working {
		if !o.status.Terminal() {
			kept = append(kept, o)
		}
	}
	clear(a.working[len(kept):])
	a.working = kept
}

// funds counts what an order would do, beside the account's working orders
// without one of them: that which it replaces.
func (x *Exchange) funds(o *order, without *order) funds {
	prices, ok := x.expect(o)
	if !ok {
		return funds{free: x.free(o.acct, without)}
	}
	units := o.left()
	if o.spec.Notional != nil {
		units = o.spec.Notional.DivRound(prices[0].Mul(o.legs[0].book.terms.multiplier), 9)
	}
	return x.count(o, units, prices, without)
}

// free is the buying power that is left; zero when it cannot be counted.
func (x *Exchange) free(a *account, without *order) decimal.Decimal {
	m, err := x.requirement(a, nil)
	if err != nil {
		return decimal.Zero
	}
	return m.BuyingPower(a.cash.Decimal()).Add(x.openProfit(a)).Sub(a.reserved(without))
}

// expect is the price of each leg that an order is counted with: the limit or
// stop of a single leg, otherwise the quote, otherwise the last known price.
func (x *Exchange) expect(o *order) ([]decimal.Decimal, bool) {
	prices := make([]decimal.Decimal, len(o.legs))
	for i := range o.legs {
		b := o.legs[i].book
		var price float64
		switch {
		case o.single() && o.limited():
			price = o.limit
		case o.single() && o.stopped():
			price = o.stop
		default:
			if price = b.touch(o.legs[i].sign > 0); math.IsNaN(price) {
				price = b.mark
			}
		}
		if math.IsNaN(price) {
			return nil, false
		}
		prices[i] = exact(price)
	}
	return prices, true
}

// priced tells whether all prices are there that expect asks for.
func (x *Exchange) priced(o *order) bool {
	if o.single() && (o.limited() || o.stopped()) {
		return true
	}
	for i := range o.legs {
		if b := o.legs[i].book; math.IsNaN(b.touch(o.legs[i].sign > 0)) && math.IsNaN(b.mark) {
			return false
		}
	}
	return true
}

// count counts the funds of units of an order at its legs' prices.
func (x *Exchange) count(o *order, units decimal.Decimal, prices []decimal.Decimal, without *order) funds {
	a := o.acct
	f := funds{known: true, priced: true}
	changes := make([]change, len(o.legs))
	paid := decimal.Zero // what counts against buying power: not a future's price
	for i := range o.legs {
		l := &o.legs[i]
		signed := units.Mul(l.ratio).Mul(decimal.NewFromInt(l.sign))
		changes[i] = change{l.book, signed, prices[i]}
		if l.book.terms.futures() {
			continue
		}
		paid = paid.Sub(signed.Mul(prices[i]).Mul(l.book.terms.multiplier))
	}
	if o.limited() && !o.single() {
		paid = o.spec.Limit.Mul(units).Mul(o.scale())
	}
	f.cash = paid
	if fees, err := x.feesOf(o, units, prices, nil); err == nil {
		for _, fee := range fees {
			f.fees = f.fees.Plus(fee)
		}
	}
	before, err := x.requirement(a, nil)
	if err != nil {
		return f.refuse("unknown_requirement", "the account's requirement cannot be counted: "+err.Error())
	}
	had := a.cash.Decimal()
	f.free = before.BuyingPower(had).Add(x.openProfit(a)).Sub(a.reserved(without))
	after, err := x.requirement(a, changes)
	if err != nil {
		return f.refuse("unknown_requirement", "the requirement cannot be counted: "+err.Error())
	}
	cash := had.Add(paid).Add(f.fees.Total())
	f.margin = after.Initial.Sub(before.Initial)
	f.need = before.BuyingPower(had).Sub(after.BuyingPower(cash))
	if len(after.Violations) > len(before.Violations) {
		n := after.Violations[len(after.Violations)-1]
		return f.refuse(n.Code, n.Message)
	}
	if f.need.Sign() > 0 && f.need.GreaterThan(f.free) {
		return f.refuse("insufficient_buying_power", fmt.Sprintf("the order needs %s of buying power and %s is left",
			f.need.StringFixed(2), f.free.StringFixed(2)))
	}
	if call := after.Call(cash); f.need.Sign() > 0 && call != nil && call.Kind == broker.MinimumEquityCall && before.Call(had) == nil {
		return f.refuse("minimum_equity", "a margin account needs "+call.Amount.StringFixed(2)+" more before anything is lent to it")
	}
	return f
}

func (f funds) refuse(code, message string) funds {
	f.refusal = &broker.Notice{Code: code, Message: message}
	return f
}

// affordable checks an opening order again at the prices that it is about to fill
// at.
func (x *Exchange) affordable(o *order, units decimal.Decimal, prices []decimal.Decimal) error {
	f := x.count(o, units, prices, o)
	if f.refusal != nil {
		return errors.New(f.refusal.Message)
	}
	return nil
}
