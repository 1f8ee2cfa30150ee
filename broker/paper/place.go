package paper

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
)

// newOrder makes an order of a valid spec. The error is a *FieldError about a
// symbol.
func (x *Exchange) newOrder(a *account, spec broker.Order) (*order, error) {
	if err := checkSizes(spec); err != nil {
		return nil, err
	}
	o := x.orderRoom.One()
	o.acct, o.spec, o.received, o.updated, o.extreme = a, spec, x.now, x.now, math.NaN()
	o.spec.Legs = append(o.roomSpec[:0], spec.Legs...)
	copyAmounts(&o.spec)
	units := spec.Units()
	o.total, o.allowed = units, units
	o.legs, o.fills = o.roomLegs[:0], o.roomFills[:0]
	for i, l := range spec.Legs {
		b, err := x.bookOf(l.Symbol)
		if err != nil {
			if fe, ok := errors.AsType[*invalid.FieldError](err); ok {
				return nil, invalid.Field(fmt.Sprintf("Legs[%d].Symbol", i), l.Symbol, fe.Allowed)
			}
			return nil, err
		}
		ratio := one
		if len(spec.Legs) > 1 {
			ratio = l.Quantity.Div(units)
		}
		o.legs = append(o.legs, leg{book: b, sign: int64(l.Action.Sign()), ratio: ratio})
	}
	if o.single() {
		o.legs[0].weight = one
	} else {
		scale := o.scale()
		for i := range o.legs {
			l := &o.legs[i]
			l.weight = l.ratio.Mul(l.book.terms.multiplier).Div(scale)
		}
	}
	if spec.Limit != nil {
		o.limit = spec.Limit.InexactFloat64()
		if o.single() {
			o.limit = spec.Limit.Abs().InexactFloat64()
		}
	}
	if spec.Stop != nil {
		o.stop = spec.Stop.InexactFloat64()
	}
	return o, nil
}

// checkSizes refuses numbers that could only be meant to fill the memory: a
// decimal can have an exponent of a billion.
func checkSizes(o broker.Order) error {
	if o.Limit == nil && o.Stop == nil && o.Notional == nil && o.Trail == nil && len(o.Legs) == 1 && fits(&o.Legs[0].Quantity) {
		return nil
	}
	check := func(field string, d *decimal.Decimal) error {
		if d != nil && !fits(d) {
			return invalid.Field(field, "a number of too many digits", "at most 30 decimals, below 10^15")
		}
		return nil
	}
	errs := []error{check("Limit", o.Limit), check("Stop", o.Stop), check("Notional", o.Notional)}
	if o.Trail != nil {
		errs = append(errs, check("Trail", o.Trail.Amount), check("Trail", o.Trail.Percent))
	}
	for i := range o.Legs {
		errs = append(errs, check(fmt.Sprintf("Legs[%d].Quantity", i), &o.Legs[i].Quantity))
	}
	return errors.Join(errs...)
}

func fits(d *decimal.Decimal) bool {
	return d.Exponent() >= -30 && d.Exponent() <= 15 && d.NumDigits() <= 60
}

// numbered is the order of a number; nil when it was forgotten.
func (x *Exchange) numbered(seq uint64) *order {
	if seq <= x.forgotten {
		return nil
	}
	return x.orders[seq-1-x.forgotten]
}

// forget drops orders of an account that have ended, when there are many more than
// are to be remembered.
func (x *Exchange) forget(a *account) {
	most := x.opts.Remember
	if most <= 0 || len(a.orders) < 2*most+64 {
		return
	}
	kept := a.orders[:0]
	for i, o := range a.orders {
		if i < len(a.orders)-most && o.status.Terminal() {
			a.tags.Delete(o.spec.Tag)
			x.orders[o.seq-1-x.forgotten] = nil
			continue
		}
		kept = append(kept, o)
	}
	clear(a.orders[len(kept):])
	a.orders = kept
	n := 0
	for n < len(x.orders) && x.orders[n] == nil {
		n++
	}
	left := append(x.orders[:0], x.orders[n:]...)
	clear(x.orders[len(left):])
	x.orders, x.forgotten = left, x.forgotten+uint64(n)
}

// register gives an order its number and a place in the account's list.
func (x *Exchange) register(o *order) {
	x.forget(o.acct)
	x.orders = append(x.orders, o)
	o.seq = x.forgotten + uint64(len(x.orders))
	o.name = broker.OrderID(x.orderNames.Of(o.seq))
	o.acct.orders = append(o.acct.orders, o)
	o.acct.forget()
	o.acct.working = append(o.acct.working, o)
	o.acct.tags.Add(o.spec.Tag)
}

// limitTime sets when an order's time in force is over, counted from now.
func (x *Exchange) limitTime(o *order) {
	v := o.legs[0].book.venue
	var end time.Time
	switch o.spec.Duration() {
	case broker.GTC:
		return
	case broker.GTD:
		end = v.dateEnd(o.spec.GoodTill, o.spec.ExtendedHours)
	default:
		if x.opts.Lasting {
			return
		}
		end = v.dayEndFrom(x.now, x.time(), o.spec.ExtendedHours)
	}
	if !end.IsZero() {
		o.end = end.UnixNano()
		if o.seq != 0 {
			x.scheduleEnd(o)
		}
	}
}

// faultless tells that an order at the market for shares has nothing for refusals
// to find.
func (x *Exchange) faultless(o *order) bool {
	return o.single() && o.spec.Type == broker.Market && o.spec.Duration() == broker.Day && o.legs[0].book.terms.kind == market.KindEquity &&
		x.opts.Shortable == nil && !o.acct.info.Closed && !o.acct.tags.Has(o.spec.Tag)
}

// refusals are why an order would not be taken, without those of money.
func (x *Exchange) refusals(o *order, at string, without *order) []broker.Notice {
	if x.faultless(o) {
		return nil
	}
	var out []broker.Notice
	refuse := func(code, field, format string, args ...any) {
		out = append(out, broker.Notice{Code: code, Message: fmt.Sprintf(format, args...), Field: at + field})
	}
	if o.acct.info.Closed {
		refuse("account_closed", "", "the account is closed")
	}
	if o.acct.tags.Has(o.spec.Tag) && (without == nil || without.spec.Tag != o.spec.Tag) {
		refuse("duplicate_tag", "Tag", "the account has an order with the tag %s already", o.spec.Tag)
	}
	x.refusePrices(o, refuse)
	if o.spec.Duration() == broker.GTD {
		if end := o.legs[0].book.venue.dateEnd(o.spec.GoodTill, o.spec.ExtendedHours); end.UnixNano() <= x.now {
			refuse("good_till_past", "GoodTill", "trading on %s is over", o.spec.GoodTill)
		}
	}
	if o.spec.Duration() == broker.IOC && !o.open() {
		refuse("session_closed", "TimeInForce", "an ioc order needs a market that is open")
	}
	for i := range o.legs {
		l := &o.legs[i]
		t := &l.book.terms
		field := ""
		if t.kind != market.KindEquity || x.opts.Shortable != nil {
			field = fmt.Sprintf("Legs[%d].", i)
		}
		if t.option && !x.time().Before(x.expiry(t)) {
			refuse("expired", field+"Symbol", "%s has expired", l.book.symbol)
		}
		if t.futures() && !o.acct.info.Futures {
			refuse("futures_not_approved", field+"Symbol", "the account is not approved for futures")
		}
		if o.spec.Legs[i].Action == broker.SellToOpen && t.kind == market.KindEquity && x.opts.Shortable != nil && !x.opts.Shortable(l.book.symbol) {
			refuse("not_shortable", field+"Symbol", "%s cannot be borrowed", l.book.symbol)
		}
	}
	return out
}

// refusePrices checks that limits and stops are on the instrument's ticks.
func (x *Exchange) refusePrices(o *order, refuse func(code, field, format string, args ...any)) {
	if x.opts.FreePrices {
		return
	}
	t := &o.legs[0].book.terms
	check := func(field string, price decimal.Decimal, t *terms) {
		if !t.onTick(price) {
			refuse("price_increment", field, "%s is not a multiple of %v", price, t.tick(price.InexactFloat64()))
		}
	}
	if o.spec.Limit != nil {
		if o.single() {
			check("Limit", o.spec.Limit.Abs(), t)
		} else if !o.spec.Limit.Mul(decimal.NewFromInt(100)).IsInteger() {
			refuse("price_increment", "Limit", "%s is not a multiple of 0.01", o.spec.Limit)
		}
	}
	if o.spec.Stop != nil {
		check("Stop", *o.spec.Stop, t)
	}
}

// refuseHoldings checks what closes and opens against what the account has.
func (x *Exchange) refuseHoldings(o *order, at string, without *order, beside []*order) []broker.Notice {
	var out []broker.Notice
	for i := range o.legs {
		l := &o.legs[i]
		t := &l.book.terms
		if t.futures() {
			continue
		}
		held := o.acct.held(l.book)
		free := held.Signed(-int(l.sign))
		for _, p := range o.acct.working {
			if p != without && !p.status.Terminal() && p.status != broker.Contingent && !contains(beside, p) {
				free = free.Minus(sums.Of(p.closes(l)))
			}
		}
		if o.spec.Legs[i].Action.Opens() {
			if free.Sign() > 0 { // and no order is going to close them
				out = append(out, broker.Notice{Code: "opens_against_position", Field: legField(at, i) + "Action",
					Message: fmt.Sprintf("the account has %s %s: close them first", held.Decimal(), l.book.symbol)})
			}
			continue
		}
		if want := o.spec.Legs[i].Quantity; o.spec.Notional == nil && free.Cmp(sums.Of(want)) < 0 {
			out = append(out, broker.Notice{Code: "closes_more_than_held", Field: legField(at, i) + "Quantity",
				Message: fmt.Sprintf("%s to close of %s, and %s is free to be closed", want, l.book.symbol, decimal.Max(free.Decimal(), decimal.Zero))})
		} else if o.spec.Notional != nil && free.Sign() <= 0 {
			out = append(out, broker.Notice{Code: "closes_more_than_held", Field: legField(at, i) + "Symbol",
				Message: fmt.Sprintf("there is no %s to close", l.book.symbol)})
		}
	}
	return out
}

func legField(at string, i int) string { return fmt.Sprintf("%sLegs[%d].", at, i) }

// closes is how much of what a leg closes an order is still going to close. Of
// orders of which only one may fill, the first stands for all.
func (o *order) closes(l *leg) decimal.Decimal {
	if o.group != nil {
		if rivals := o.group.rivals(); contains(rivals, o) {
			for _, p := range rivals {
				if !p.status.Terminal() {
					if p != o {
						return decimal.Zero
					}
					break
				}
			}
		}
	}
	sum := decimal.Zero
	for i := range o.legs {
		m := &o.legs[i]
		if m.book == l.book && m.sign == l.sign && !o.spec.Legs[i].Action.Opens() {
			sum = sums.Plus(sum, o.of(i, o.left()))
		}
	}
	return sum
}

func contains(list []*order, o *order) bool {
	for _, p := range list {
		if p == o {
			return true
		}
	}
	return false
}

func orderField(i int) string {
	if i == 0 {
		return "Orders[0]."
	}
	return fmt.Sprintf("Orders[%d].", i)
}

// money says how a plan looks at money.
type money int8

const (
	skipMoney  money = iota
	placeMoney       // as far as it decides whether the ticket is taken
	countMoney       // all of it
)

// plan is a ticket that was looked at.
type plan struct {
	orders   []*order
	refusals []broker.Notice
	funds    funds // of the order of the ticket that needs most

	room [1]*order
}

// plan checks a ticket and counts what it needs, if money matters. The error is ErrUnsupported or a
// *FieldError.
func (x *Exchange) plan(a *account, ticket broker.Ticket, money money) (*plan, error) {
	if !x.plain(&ticket) {
		if err := ticket.Validate(); err != nil {
			return nil, err
		}
		if err := capabilities().Check(ticket); err != nil {
			return nil, err
		}
	}
	p := &x.planRoom
	*p = plan{}
	p.orders = p.room[:0]
	for i := range ticket.Orders {
		o, err := x.newOrder(a, ticket.Orders[i])
		if err != nil {
			if fe, ok := errors.AsType[*invalid.FieldError](err); ok {
				return nil, invalid.Field(fmt.Sprintf("Orders[%d].%s", i, fe.Field), fe.Value, fe.Allowed)
			}
			return nil, err
		}
		p.orders = append(p.orders, o)
	}
	sends := ticket.Kind == broker.OTO || ticket.Kind == broker.Bracket
	for i, o := range p.orders {
		at := orderField(i)
		p.refusals = append(p.refusals, x.refusals(o, at, nil)...)
		if i > 0 && sends {
			continue // what it closes is still to be opened
		}
		p.refusals = append(p.refusals, x.refuseHoldings(o, at, nil, nil)...)
		if money == skipMoney {
			continue
		}
		if money == placeMoney {
			if !o.spec.Opens() { // it is taken whatever it would cost
				x.sweep(a)
				o.recheck = !x.priced(o)
				continue
			}
			if i == 0 && len(p.orders) == 1 && x.easily(o) {
				x.sweep(a)
				continue
			}
		}
		f := x.funds(o, nil)
		if f.refusal != nil && !x.opts.Unchecked && o.spec.Opens() {
			p.refusals = append(p.refusals, *f.refusal)
		}
		if i == 0 || f.need.GreaterThan(p.funds.need) {
			p.funds = f
		}
		o.recheck = !f.known
		if o.spec.Opens() && f.need.Sign() > 0 && i == 0 {
			o.reserve = f.need
		}
	}
	return p, nil
}

func (v *view) Preview(ctx context.Context, id broker.AccountID, ticket broker.Ticket) (*broker.Preview, error) {
	x := v.exchange
	a, err := v.enter(ctx, id)
	if err != nil {
		return nil, err
	}
	defer x.unlock()
	p, err := x.plan(a, ticket, countMoney)
	if err != nil {
		return nil, err
	}
	out := &broker.Preview{Ticket: broker.Ticket{Kind: ticket.Kind}, Refusals: p.refusals}
	for i := range ticket.Orders {
		o := copyOrder(ticket.Orders[i])
		o.TimeInForce = o.Duration()
		out.Ticket.Orders = append(out.Ticket.Orders, o)
	}
	f := p.funds
	if f.known {
		used, after, margin := f.need.Neg(), f.free.Sub(f.need), f.margin
		out.BuyingPower, out.BuyingPowerAfter, out.Margin = &used, &after, &margin
		cash, fees := f.cash, f.fees
		out.Cash, out.Fees = &cash, &fees
	}
	for i, o := range p.orders {
		at := fmt.Sprintf("Orders[%d].", i)
		if !o.open() {
			out.Warnings = append(out.Warnings, broker.Notice{Code: "session_closed", Field: at + "TimeInForce", Message: "the market is closed: the order waits until it opens"})
		}
		if i == 0 && !f.known {
			out.Warnings = append(out.Warnings, broker.Notice{Code: "no_price", Field: at + "Legs", Message: "there is no price yet: buying power is checked when the order fills"})
		}
	}
	return out, nil
}

func (v *view) Place(ctx context.Context, id broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
	x := v.exchange
	a, err := v.enter(ctx, id)
	if err != nil {
		return nil, err
	}
	defer x.unlock()
	counts := placeMoney
	if x.opts.Unchecked || x.opts.CheckAtFill {
		counts = skipMoney
	}
	p, err := x.plan(a, ticket, counts)
	if err != nil {
		return nil, err
	}
	if len(p.refusals) > 0 {
		return nil, &broker.RejectedError{Notices: p.refusals}
	}
	x.release()
	var g *group
	if ticket.Kind != broker.Single {
		x.groupSeq++
		g = &group{seq: x.groupSeq, kind: ticket.Kind, orders: slices.Clone(p.orders)}
		if x.opts.Remember == 0 {
			x.groups = append(x.groups, g)
		}
	}
	for i, o := range p.orders {
		o.group = g
		x.register(o)
		o.status = broker.Received
		if i > 0 && g.sends() {
			o.status = broker.Contingent
		} else {
			x.limitTime(o)
		}
		x.tellOrder(o)
	}
	for _, o := range p.orders {
		if o.status == broker.Received {
			x.activate(o)
			x.drain()
		}
	}
	states := x.stateRoom.Take(len(p.orders))
	for i, o := range p.orders {
		x.describe(o, &states[i])
	}
	return states, nil
}

func (v *view) Cancel(ctx context.Context, id broker.AccountID, number broker.OrderID) (*broker.OrderState, error) {
	x := v.exchange
	a, err := v.enter(ctx, id)
	if err != nil {
		return nil, err
	}
	defer x.unlock()
	o := a.find(number)
	switch {
	case o == nil:
		return nil, broker.ErrUnknownOrder
	case o.status.Terminal():
		return nil, fmt.Errorf("order %s is %s: %w", number, o.status, broker.ErrTooLate)
	}
	x.release()
	delay := x.delay(x.opts.Latency.Cancel)
	if delay == 0 || o.status == broker.Contingent || o.waiting {
		x.finish(o, broker.Cancelled, "cancelled on request")
		x.drain()
	} else if o.status != broker.CancelRequested {
		x.set(o, broker.CancelRequested, "")
		x.schedule(event{At: x.now + int64(delay), Rank: rankStage, Kind: eventCancel, Order: o.seq})
	}
	s := x.state(o)
	return &s, nil
}

func (x *Exchange) cancelNow(o *order) {
	if o.status == broker.CancelRequested {
		x.finish(o, broker.Cancelled, "cancelled on request")
	}
}

func (v *view) Replace(ctx context.Context, id broker.AccountID, number broker.OrderID, with broker.Order) (*broker.OrderState, error) {
	x := v.exchange
	a, err := v.enter(ctx, id)
	if err != nil {
		return nil, err
	}
	defer x.unlock()
	if err := with.Validate(); err != nil {
		return nil, err
	}
	if err := capabilities().Check(broker.NewTicket(with)); err != nil {
		return nil, err
	}
	old := a.find(number)
	switch {
	case old == nil:
		return nil, broker.ErrUnknownOrder
	case !old.status.CanBecome(broker.ReplaceRequested) || old.status == broker.ReplaceRequested:
		return nil, fmt.Errorf("order %s is %s: %w", number, old.status, broker.ErrTooLate)
	}
	if err := sameLegs(old.spec, with); err != nil {
		return nil, err
	}
	o, err := x.newOrder(a, with)
	if err != nil {
		return nil, err
	}
	refusals := x.refusals(o, "", old)
	beside := []*order(nil)
	if old.group != nil {
		beside = old.group.rivals()
	}
	if old.status != broker.Contingent {
		refusals = append(refusals, x.refuseHoldings(o, "", old, beside)...)
		if !x.opts.Unchecked && !x.opts.CheckAtFill {
			f := x.funds(o, old)
			if f.refusal != nil && with.Opens() {
				refusals = append(refusals, *f.refusal)
			}
			o.reserve, o.recheck = f.need, !f.known
		}
	}
	if len(refusals) > 0 {
		return nil, &broker.RejectedError{Notices: refusals}
	}
	x.release()
	o.replaces, o.atReplace, o.group = old, old.done, old.group
	x.register(o)
	o.status = broker.Received
	if old.status == broker.Contingent {
		o.status = broker.Contingent
	} else {
		x.limitTime(o)
	}
	x.tellOrder(o)
	if delay := x.delay(x.opts.Latency.Replace); delay > 0 && old.live {
		x.set(old, broker.ReplaceRequested, "")
		x.schedule(event{At: x.now + int64(delay), Rank: rankStage, Kind: eventReplace, Order: o.seq})
	} else {
		x.replaceNow(o)
		x.drain()
	}
	s := x.state(o)
	return &s, nil
}

// sameLegs: a replacement may change anything but what is traded.
func sameLegs(old, with broker.Order) error {
	if len(old.Legs) != len(with.Legs) {
		return invalid.Field("Legs", len(with.Legs), "the legs of the order that is replaced")
	}
	for i := range old.Legs {
		if old.Legs[i].Symbol != with.Legs[i].Symbol {
			return invalid.Field(fmt.Sprintf("Legs[%d].Symbol", i), with.Legs[i].Symbol, "the symbol of the order that is replaced")
		}
		if old.Legs[i].Action != with.Legs[i].Action {
			return invalid.Field(fmt.Sprintf("Legs[%d].Action", i), string(with.Legs[i].Action), "the action of the order that is replaced")
		}
	}
	return nil
}

// replaceNow lets a replacement take effect. What the old order filled since it
// was asked for counts as filled by the new one's quantity.
func (x *Exchange) replaceNow(o *order) {
	old := o.replaces
	if o.status.Terminal() { // cancelled before it took effect
		if old.status == broker.ReplaceRequested {
			x.set(old, broker.Live, "")
		}
		return
	}
	if old.status.Terminal() {
		o.group = nil
		x.finish(o, broker.Rejected, fmt.Sprintf("order %s, which it was to replace, is %s", old.id(), old.status))
		return
	}
	was := old.status
	late := old.done.Sub(o.atReplace)
	o.allowed = o.total.Sub(late)
	if g := o.group; g != nil {
		for i, p := range g.orders {
			if p == old {
				g.orders[i] = o
			}
		}
	}
	x.pull(old)
	old.replacedBy = o
	old.waiting, old.held, old.gated = false, false, false
	x.set(old, broker.Replaced, fmt.Sprintf("replaced by order %s", o.id()))
	switch {
	case o.allowed.Sign() <= 0:
		x.finish(o, broker.Cancelled, "the order it replaces filled as much already")
	case was == broker.Contingent:
	case !o.open() && o.spec.Duration() != broker.OnClose:
		x.activate(o)
	default:
		x.set(o, broker.Routed, "")
		x.set(o, broker.Live, "")
		x.enliven(o)
	}
}
