package backtest

import (
	"math"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sums"
)

// A ledger keeps what an account has, from what the exchange tells: exact in
// money, and in floats for the points of the curve.
type ledger struct {
	number int // of the account
	cash   sums.Number
	money  float64    // cash
	spare  []*holding // not in use
	open   []*holding // with a quantity, in the order of their opening
	// options counts the open holdings that are options.
	options int
	orphan  []lot // of an option that a split renamed

	fees, realized sums.Number
}

// A holding is a position and the lots that it was opened by.
type holding struct {
	in       *instrument
	quantity sums.Number
	units    float64 // quantity × multiplier
	basis    float64 // of a future: Σ units × entry price
	lots     []lot
}

// A lot is a quantity that was opened at once.
type lot struct {
	quantity sums.Number // signed
	price    decimal.Decimal
	fees     sums.Number // those that belong to the quantity
	time     time.Time
	bar      int64
	tag      string
}

func newLedger(cash decimal.Decimal) ledger {
	return ledger{cash: sums.Of(cash), money: cash.InexactFloat64()}
}

// unit is the multiplier of shares.
var unit = decimal.NewFromInt(1)

// A change is a movement of a position.
type change struct {
	in       *instrument
	quantity sums.Number // signed
	price    decimal.Decimal
	fees     sums.Number
	time     time.Time
	bar      int64
	tag      string
	how      broker.TransactionKind
}

// pay changes the cash.
func (l *ledger) pay(amount decimal.Decimal) {
	if !amount.IsZero() {
		l.cash = l.cash.Plus(sums.Of(amount))
		l.money = l.cash.Float()
	}
}

// move changes a position and returns the round trips that it ended.
func (l *ledger) move(c *change, ended []Trade) []Trade {
	h := l.of(c.in)
	if h == nil {
		h = l.start(c.in)
	}
	was := h.quantity.Sign()
	if c.how == broker.Split {
		l.split(h, c)
	} else {
		ended = l.match(h, c, ended)
	}
	h.quantity = h.quantity.Plus(c.quantity)
	h.units = h.quantity.Float() * h.in.multi
	h.basis = 0
	if h.in.future {
		for i := range h.lots {
			h.basis += h.lots[i].quantity.Float() * h.lots[i].price.InexactFloat64() * h.in.multi
		}
	}
	l.list(h, was)
	if math.IsNaN(h.in.mark) && c.price.Sign() > 0 {
		h.in.mark, h.in.markAt = c.price.InexactFloat64(), c.time.UnixNano()
	}
	return ended
}

// of is what is held of an instrument; nil when nothing is.
func (l *ledger) of(in *instrument) *holding {
	if l.number < len(in.held) {
		return in.held[l.number]
	}
	return nil
}

// start makes a holding of an instrument.
func (l *ledger) start(in *instrument) *holding {
	for len(in.held) <= l.number {
		in.held = append(in.held, nil)
	}
	var h *holding
	if n := len(l.spare); n > 0 {
		h, l.spare = l.spare[n-1], l.spare[:n-1]
		clear(h.lots[:cap(h.lots)])
		*h = holding{lots: h.lots[:0]}
	} else {
		h = &holding{}
	}
	h.in, in.held[l.number] = in, h
	return h
}

// list keeps the list of what is open.
func (l *ledger) list(h *holding, was int) {
	now := h.quantity.Sign()
	switch {
	case was == 0 && now != 0:
		l.open = append(l.open, h)
		if h.in.option {
			l.options++
		}
	case was != 0 && now == 0:
		for i := range l.open {
			if l.open[i] == h {
				l.open = append(l.open[:i], l.open[i+1:]...)
				break
			}
		}
		h.in.held[l.number] = nil
		l.spare = append(l.spare, h)
		if h.in.option {
			l.options--
		}
	}
}

// match closes lots, the first opened first, and opens one with the rest.
func (l *ledger) match(h *holding, c *change, ended []Trade) []Trade {
	left, fees := c.quantity, c.fees
	for len(h.lots) > 0 && left.Sign()*h.lots[0].quantity.Sign() < 0 {
		o := &h.lots[0]
		part, entryFees := o.quantity, o.fees
		whole := left.Abs().Cmp(o.quantity.Abs()) >= 0
		if !whole {
			part = left.Neg()
			entryFees = share(o.fees, part, o.quantity)
		}
		exitFees := fees
		rest := left.Plus(part)
		if !rest.IsZero() {
			exitFees = share(fees, part.Neg(), left)
		}
		gain := part.Times(sums.Of(c.price).Minus(sums.Of(o.price)))
		if h.in.multi != 1 {
			gain = gain.Times(sums.Of(h.in.unit))
		}
		l.realized = l.realized.Plus(gain)
		both := entryFees.Plus(exitFees)
		ended = append(ended, Trade{
			Symbol: h.in.name, Quantity: part.Decimal(), Multiplier: h.in.unit, EntryTime: o.time, ExitTime: c.time, EntryBar: o.bar, ExitBar: c.bar,
			EntryPrice: o.price, ExitPrice: c.price, Fees: both.Decimal(), Profit: gain.Plus(both).Decimal(), Ended: c.how, Tag: o.tag,
		})
		left, fees = rest, fees.Minus(exitFees)
		if whole {
			h.lots = append(h.lots[:0], h.lots[1:]...)
		} else {
			o.quantity, o.fees = o.quantity.Minus(part), o.fees.Minus(entryFees)
		}
	}
	if !left.IsZero() {
		h.lots = append(h.lots, lot{left, c.price, fees, c.time, c.bar, c.tag})
	}
	return ended
}

// share is the part of fees that belongs to a part of a whole.
func share(fees, part, whole sums.Number) sums.Number {
	if fees.IsZero() {
		return fees
	}
	return sums.Of(fees.Times(part).Decimal().DivRound(whole.Decimal(), 12))
}

// split rescales the lots; those of a contract that is renamed go over to its
// successor, of which the exchange tells next.
func (l *ledger) split(h *holding, c *change) {
	after := h.quantity.Plus(c.quantity)
	switch {
	case after.IsZero():
		l.orphan, h.lots = h.lots, nil
		return
	case h.quantity.IsZero():
		h.lots, l.orphan = l.orphan, nil
	}
	var sum sums.Number
	for i := range h.lots {
		sum = sum.Plus(h.lots[i].quantity)
	}
	if sum.IsZero() {
		h.lots = []lot{{after, c.price, sums.Number{}, c.time, c.bar, c.tag}}
		return
	}
	for i := range h.lots {
		o := &h.lots[i]
		scaled := o.quantity.Times(after).Decimal().DivRound(sum.Decimal(), 12)
		o.price = o.price.Mul(o.quantity.Decimal()).DivRound(scaled, 12)
		o.quantity = sums.Of(scaled)
	}
}

// value and exposure of everything at the present marks.
func (l *ledger) value() (value, exposure float64) {
	value = l.money
	for _, h := range l.open {
		worth := float64(h.units * h.in.mark) // rounded, as curve.follow has it
		exposure += math.Abs(worth)
		value += worth - h.basis
	}
	return value, exposure
}
