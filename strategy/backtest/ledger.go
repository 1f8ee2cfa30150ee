package backtest

import (
	"math"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
)

// A ledger keeps what an account has, from what the exchange tells: exact in
// money, and in floats for the points of the curve.
type ledger struct {
	cash  decimal.Decimal
	money float64 // cash
	held  map[market.Symbol]*holding
	open  []*holding // with a quantity, in the order of their opening
	// options counts the open holdings that are options.
	options int
	orphan  []lot // of an option that a split renamed

	fees, realized decimal.Decimal
}

// A holding is a position and the lots that it was opened by.
type holding struct {
	in       *instrument
	quantity decimal.Decimal
	units    float64 // quantity × multiplier
	basis    float64 // of a future: Σ units × entry price
	lots     []lot
}

// A lot is a quantity that was opened at once.
type lot struct {
	quantity decimal.Decimal // signed
	price    decimal.Decimal
	fees     decimal.Decimal // those that belong to the quantity
	time     time.Time
	bar      int64
	tag      string
}

func newLedger(cash decimal.Decimal) ledger {
	return ledger{cash: cash, money: cash.InexactFloat64(), held: map[market.Symbol]*holding{}}
}

// unit is the multiplier of shares.
var unit = decimal.NewFromInt(1)

func multiplierOf(in *instrument) decimal.Decimal {
	if in.multi == 1 {
		return unit
	}
	return decimal.NewFromFloat(in.multi)
}

// A change is a movement of a position.
type change struct {
	in       *instrument
	quantity decimal.Decimal // signed
	price    decimal.Decimal
	fees     decimal.Decimal
	time     time.Time
	bar      int64
	tag      string
	how      broker.TransactionKind
}

// pay changes the cash.
func (l *ledger) pay(amount decimal.Decimal) {
	if !amount.IsZero() {
		l.cash = sums.Plus(l.cash, amount)
		l.money = sums.Float(l.cash)
	}
}

// move changes a position and returns the round trips that it ended.
func (l *ledger) move(c change, ended []Trade) []Trade {
	h := l.held[c.in.name]
	if h == nil {
		h = &holding{in: c.in}
		l.held[c.in.name] = h
	}
	was := h.quantity.Sign()
	if c.how == broker.Split {
		l.split(h, c)
	} else {
		ended = l.match(h, c, ended)
	}
	h.quantity = sums.Plus(h.quantity, c.quantity)
	h.units = sums.Float(h.quantity) * h.in.multi
	h.basis = 0
	if h.in.future {
		for i := range h.lots {
			h.basis += h.lots[i].quantity.InexactFloat64() * h.lots[i].price.InexactFloat64() * h.in.multi
		}
	}
	l.list(h, was)
	if math.IsNaN(h.in.mark) && c.price.Sign() > 0 {
		h.in.mark, h.in.markAt = c.price.InexactFloat64(), c.time.UnixNano()
	}
	return ended
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
		delete(l.held, h.in.name)
		if h.in.option {
			l.options--
		}
	}
}

// match closes lots, the first opened first, and opens one with the rest.
func (l *ledger) match(h *holding, c change, ended []Trade) []Trade {
	left, fees := c.quantity, c.fees
	multiplier := multiplierOf(h.in)
	for len(h.lots) > 0 && left.Sign()*h.lots[0].quantity.Sign() < 0 {
		o := &h.lots[0]
		part, entryFees := o.quantity, o.fees
		whole := left.Abs().GreaterThanOrEqual(o.quantity.Abs())
		if !whole {
			part = left.Neg()
			entryFees = o.fees.Mul(part).DivRound(o.quantity, 12)
		}
		exitFees := fees
		rest := sums.Plus(left, part)
		if !rest.IsZero() {
			exitFees = fees.Mul(part.Neg()).DivRound(left, 12)
		}
		gain := sums.Times(part, sums.Minus(c.price, o.price))
		if h.in.multi != 1 {
			gain = sums.Times(gain, multiplier)
		}
		l.realized = sums.Plus(l.realized, gain)
		t := Trade{
			Symbol: h.in.name, Quantity: part, Multiplier: multiplier, EntryTime: o.time, ExitTime: c.time, EntryBar: o.bar, ExitBar: c.bar,
			EntryPrice: o.price, ExitPrice: c.price, Fees: sums.Plus(entryFees, exitFees), Ended: c.how, Tag: o.tag,
		}
		t.Profit = sums.Plus(gain, t.Fees)
		ended = append(ended, t)
		left, fees = rest, sums.Minus(fees, exitFees)
		if whole {
			h.lots = append(h.lots[:0], h.lots[1:]...)
		} else {
			o.quantity, o.fees = o.quantity.Sub(part), o.fees.Sub(entryFees)
		}
	}
	if !left.IsZero() {
		h.lots = append(h.lots, lot{left, c.price, fees, c.time, c.bar, c.tag})
	}
	return ended
}

// split rescales the lots; those of a contract that is renamed go over to its
// successor, of which the exchange tells next.
func (l *ledger) split(h *holding, c change) {
	after := h.quantity.Add(c.quantity)
	switch {
	case after.IsZero():
		l.orphan, h.lots = h.lots, nil
		return
	case h.quantity.IsZero():
		h.lots, l.orphan = l.orphan, nil
	}
	sum := decimal.Zero
	for i := range h.lots {
		sum = sum.Add(h.lots[i].quantity)
	}
	if sum.IsZero() {
		h.lots = []lot{{after, c.price, decimal.Zero, c.time, c.bar, c.tag}}
		return
	}
	for i := range h.lots {
		o := &h.lots[i]
		scaled := o.quantity.Mul(after).DivRound(sum, 12)
		o.price = o.price.Mul(o.quantity).DivRound(scaled, 12)
		o.quantity = scaled
	}
}

// value and exposure of everything at the present marks.
func (l *ledger) value() (value, exposure float64) {
	value = l.money
	for _, h := range l.open {
		worth := h.units * h.in.mark
		exposure += math.Abs(worth)
		value += worth - h.basis
	}
	return value, exposure
}
