package paper

import (
	"fmt"
	"math"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Quote takes the top of a book and fills what it fills. Without a Clock the time
// moves to the quote's, after all that is due by then; a quote of an earlier time
// counts now. The error is a *FieldError: a symbol that cannot be traded, or a
// number that cannot be.
func (x *Exchange) Quote(q Quote) error {
	x.lock()
	err := x.quote(&q)
	x.unlock()
	return err
}

// Quotes takes quotes one after the other, up to the first that is refused.
func (x *Exchange) Quotes(quotes []Quote) error {
	x.lock()
	defer x.unlock()
	for i := range quotes {
		if err := x.quote(&quotes[i]); err != nil {
			return err
		}
	}
	return nil
}

func (x *Exchange) quote(q *Quote) error {
	b := x.book(q.Symbol)
	if b == nil {
		var err error
		if b, err = x.bookOf(q.Symbol); err != nil {
			return err
		}
	}
	if math.IsInf(q.Bid, 0) || math.IsInf(q.Ask, 0) || q.BidSize < 0 || q.AskSize < 0 || math.IsInf(q.BidSize, 0) || math.IsInf(q.AskSize, 0) {
		return refuseQuote(q)
	}
	x.reach(q.Time.UnixNano(), !q.Time.IsZero())
	if len(x.held) > 0 {
		x.release()
	}
	bid, ask := q.Bid, q.Ask
	switch {
	case bid > ask && ask > 0:
		bid, ask = math.NaN(), math.NaN() // crossed
	case ask > 0 && bid >= 0:
		b.mark = (bid + ask) / 2
		if bid == 0 {
			bid = math.NaN()
		}
	default:
		if !(bid > 0) {
			bid = math.NaN()
		}
		if !(ask > 0) {
			ask = math.NaN()
		}
	}
	b.bid, b.ask, b.bidSize, b.askSize = bid, ask, q.BidSize, q.AskSize
	b.epoch, b.quoted, b.dataAt = b.venue.epoch, true, x.now
	if b.touched() {
		x.match(b)
		x.drain()
	}
	return nil
}

func refuseQuote(q *Quote) error {
	if q.BidSize < 0 || math.IsInf(q.BidSize, 0) {
		return invalid.Field("BidSize", q.BidSize, "a size of 0 or more, or NaN")
	}
	if q.AskSize < 0 || math.IsInf(q.AskSize, 0) {
		return invalid.Field("AskSize", q.AskSize, "a size of 0 or more, or NaN")
	}
	return invalid.Field("Bid, Ask", fmt.Sprintf("%v, %v", q.Bid, q.Ask), "finite prices, or NaN")
}

// reach moves the time to that of an input. A live exchange has its clock's time.
func (x *Exchange) reach(t int64, stamped bool) {
	if !stamped || t <= x.now || x.opts.Clock != nil {
		return
	}
	if t >= x.due {
		x.advance(t, true)
		return
	}
	x.now = t
}

// Trade takes a print. It touches stops and trails, and fills limit orders that it
// traded through, at their limit. For a symbol that has no quote it stands for a
// quote of both sides, for its moment.
func (x *Exchange) Trade(t Trade) error {
	x.lock()
	defer x.unlock()
	b, err := x.bookOf(t.Symbol)
	if err != nil {
		return err
	}
	if !(t.Price > 0) || math.IsInf(t.Price, 0) {
		return invalid.Field("Price", t.Price, "a positive price")
	}
	if t.Size < 0 || math.IsInf(t.Size, 0) {
		return invalid.Field("Size", t.Size, "a size of 0 or more, or NaN")
	}
	if t.Closing && !t.Time.IsZero() && x.opts.Clock == nil {
		x.advance(max(t.Time.UnixNano(), x.now), false)
	} else {
		x.reach(t.Time.UnixNano(), !t.Time.IsZero())
	}
	x.release()
	b.last, b.lastAt, b.dataAt = t.Price, x.now, x.now
	if !b.quoted {
		b.mark = t.Price
		b.epoch = b.venue.epoch
		b.pose(t.Price, t.Size)
		x.match(b)
		x.drain()
		b.leave()
		return nil
	}
	if x.opts.Trigger != TriggerQuote {
		x.trail(b, t.Price, t.Price)
		x.stops(b, t.Price, t.Price)
	}
	x.through(b, t)
	x.match(b)
	x.drain()
	return nil
}

// through fills the limit orders that a print traded through.
func (x *Exchange) through(b *book, t Trade) {
	left := t.Size
	for _, l := range []*ladder{&b.buyLimits, &b.sellLimits} {
		for len(l.orders) > 0 {
			o := l.orders[0]
			if o.buys() && t.Price >= o.limit || !o.buys() && t.Price <= o.limit || !x.fillAt(o, o.limit, &left) {
				break
			}
		}
	}
}

// pose makes the book a market of one price for a moment, and leave ends that.
func (b *book) pose(price, size float64) {
	b.bid, b.ask = price, price
	b.inBar, b.pool = true, size
	b.high, b.low, b.volume = price, price, math.NaN()
}

func (b *book) leave() {
	b.bid, b.ask = math.NaN(), math.NaN()
	b.inBar, b.atOpen = false, false
}

// closing fills what was meant for the close of a venue, and notes the closes.
func (x *Exchange) closing(v *venue) {
	for _, o := range append([]*order(nil), x.working...) {
		if o.status.Terminal() || o.spec.Duration() != broker.OnClose || o.legs[0].book.venue != v {
			continue
		}
		x.atLast(o, func(b *book) bool { // the session's last trade
			return b.epoch == b.venue.epoch && market.DateOf(x.at(b.lastAt)) == x.today()
		})
		x.drain()
	}
	for _, b := range x.books {
		if b.venue == v {
			b.prevClose = b.mark
		}
	}
}

// atLast fills an order with each leg at its last trade, or at its quote where
// that trade does not count.
func (x *Exchange) atLast(o *order, counts func(*book) bool) {
	type posed struct {
		bid, ask float64
		inBar    bool
		epoch    uint64
	}
	before := make([]posed, len(o.legs))
	for i := range o.legs {
		b := o.legs[i].book
		before[i] = posed{b.bid, b.ask, b.inBar, b.epoch}
		if b.last > 0 && counts(b) {
			b.bid, b.ask, b.inBar, b.epoch = b.last, b.last, true, b.venue.epoch
		}
	}
	if o.single() {
		price, left := o.legs[0].book.side(o.buys())
		if !o.limited() || o.buys() && price <= o.limit || !o.buys() && price >= o.limit {
			x.fillAt(o, price, left)
		}
	} else {
		x.fillCombo(o, x.comboOf(o))
	}
	for i := range o.legs {
		b, m := o.legs[i].book, before[i]
		b.bid, b.ask, b.inBar, b.epoch = m.bid, m.ask, m.inBar, m.epoch
	}
}

// release puts held orders into their books.
func (x *Exchange) release() {
	if len(x.held) == 0 {
		return
	}
	held := x.held
	x.held = nil
	for _, o := range held {
		if o.held {
			o.held = false
			x.admit(o)
		}
	}
	// They meet the market with the next input, not before.
}
