package alpacatest

import (
	"strings"

	"github.com/shopspring/decimal"
)

// A Quote is the market of a symbol: prices, sizes in shares or contracts that are
// to be had once, and the last trade. Zeros are absent.
type Quote struct {
	Bid, Ask, BidSize, AskSize, Last float64
}

// Quote sets the market of a symbol in Alpaca's form, tells the streams, and fills
// what that fills.
func (s *Server) Quote(symbol string, q Quote) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quotes[symbol] = &q
	s.tellQuote(symbol, q)
	if q.Last > 0 {
		s.tellTrade(symbol, q)
	}
	for _, o := range append([]*order(nil), s.list...) {
		s.try(o)
		if o.class != "mleg" {
			for _, leg := range o.legs {
				s.try(leg)
			}
		}
	}
}

// EndDay ends the session: closing orders trade at the last price, day orders
// expire, and the time is that of the close.
func (s *Server) EndDay() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if closing := s.session().Close; s.now.Before(closing) {
		s.now = closing
	}
	expire := func(o *order) {
		if !o.working() {
			return
		}
		price := s.price(o.symbol)
		better := o.limit == nil || o.side == "buy" && o.limit.GreaterThanOrEqual(price) || o.side == "sell" && o.limit.LessThanOrEqual(price)
		switch {
		case o.tif == "cls" && price.IsPositive() && better:
			s.fill(o, o.left(), price)
		case o.tif == "gtc":
		default:
			s.end(o, "expired")
		}
	}
	for _, o := range append([]*order(nil), s.list...) {
		expire(o)
		if o.class != "mleg" {
			for _, leg := range o.legs {
				expire(leg)
			}
		}
	}
}

// try fills what the quotes fill of a working order.
func (s *Server) try(o *order) {
	if !o.working() || o.tif == "cls" || o.tif == "opg" {
		return
	}
	if o.class == "mleg" {
		s.tryLegs(o)
		return
	}
	if o.parent != nil && o.parent.class != "oco" && o.parent.status != "filled" {
		return // its time has not come
	}
	q := s.quotes[o.symbol]
	if q == nil || !s.trigger(o, q) {
		return
	}
	price, size := decimal.NewFromFloat(q.Bid), &q.BidSize
	if o.side == "buy" {
		price, size = decimal.NewFromFloat(q.Ask), &q.AskSize
	}
	if !price.IsPositive() || *size <= 0 {
		return
	}
	if o.limit != nil && price.Mul(o.sign()).GreaterThan(o.limit.Mul(o.sign())) {
		return
	}
	if o.notional != nil && o.qty == nil {
		qty := o.notional.DivRound(price, 9)
		o.qty = &qty
	}
	qty := decimal.Min(o.left(), decimal.NewFromFloat(*size))
	*size -= qty.InexactFloat64()
	s.fill(o, qty, price)
}

// trigger tells whether a stop is through, and moves a trailing one.
func (s *Server) trigger(o *order, q *Quote) bool {
	if o.triggered || o.kind == "market" || o.kind == "limit" {
		return true
	}
	if o.kind == "trailing_stop" {
		price := decimal.NewFromFloat(q.Bid)
		if o.side == "buy" {
			price = decimal.NewFromFloat(q.Ask)
		}
		if o.mark == nil || price.Mul(o.sign()).LessThan(o.mark.Mul(o.sign())) {
			o.mark = &price
		}
		distance := zero
		if o.trail != nil {
			distance = *o.trail
		} else if o.percent != nil {
			distance = o.mark.Mul(*o.percent).Div(hundred)
		}
		stop := o.mark.Add(distance.Mul(o.sign()))
		o.stop = &stop
	}
	last := q.Last
	if last == 0 {
		last = q.Bid
		if o.side == "buy" {
			last = q.Ask
		}
	}
	o.triggered = last > 0 && o.stop != nil && decimal.NewFromFloat(last).Mul(o.sign()).GreaterThanOrEqual(o.stop.Mul(o.sign()))
	return o.triggered
}

// tryLegs fills units of a multi-leg order at the legs' quotes.
func (s *Server) tryLegs(o *order) {
	net, units := zero, o.left()
	for _, leg := range o.legs {
		q := s.quotes[leg.symbol]
		if q == nil {
			return
		}
		price, size := q.Bid, q.BidSize
		if leg.side == "buy" {
			price, size = q.Ask, q.AskSize
		}
		if price <= 0 || size <= 0 {
			return
		}
		net = net.Add(decimal.NewFromFloat(price).Mul(leg.ratio).Mul(leg.sign()))
		units = decimal.Min(units, decimal.NewFromFloat(size).Div(leg.ratio).Floor())
	}
	if !units.IsPositive() || o.limit != nil && net.GreaterThan(*o.limit) {
		return
	}
	execution := s.id()
	o.average = o.average.Mul(o.filled).Add(net.Mul(units)).DivRound(o.filled.Add(units), 10)
	o.filled = o.filled.Add(units)
	done := o.left().IsZero()
	for _, leg := range o.legs {
		q := s.quotes[leg.symbol]
		price, size := q.Bid, &q.BidSize
		if leg.side == "buy" {
			price, size = q.Ask, &q.AskSize
		}
		qty := units.Mul(leg.ratio)
		*size -= qty.InexactFloat64()
		s.book(o, leg, qty, decimal.NewFromFloat(price), execution)
		leg.updated, leg.status = s.now, "partially_filled"
		if done {
			leg.status, leg.filledAt = "filled", s.now
		}
	}
	s.filled(o, done, execution, units, net)
}

// fill fills part of an order for one instrument.
func (s *Server) fill(o *order, qty, price decimal.Decimal) {
	execution := s.id()
	s.book(o, o, qty, price, execution)
	s.filled(o, o.left().IsZero(), execution, qty, price)
}

func (s *Server) filled(o *order, done bool, execution string, qty, price decimal.Decimal) {
	o.updated, o.status = s.now, "partially_filled"
	event := "partial_fill"
	if done {
		o.status, o.filledAt, event = "filled", s.now, "fill"
	}
	s.tellFill(o, event, execution, qty, price)
	for _, other := range s.rivals(o) {
		s.end(other, "canceled") // the first exit that trades takes the other with it
	}
	if done && (o.class == "bracket" || o.class == "oto") && o.parent == nil {
		for _, exit := range o.legs {
			if exit.status != "held" {
				continue
			}
			if exit.kind == "limit" || o.class == "oto" {
				exit.status, exit.updated = "new", s.now
				s.tellOrder(exit, "new")
			}
			s.try(exit)
		}
	}
}

// rivals are the orders that one order's end takes with it.
func (s *Server) rivals(o *order) []*order {
	var out []*order
	group := o.parent
	if group == nil {
		if o.class != "oco" {
			return nil
		}
		group = o
	}
	if group.class == "oco" && group != o {
		out = append(out, group)
	}
	for _, leg := range group.legs {
		if leg != o {
			out = append(out, leg)
		}
	}
	return out
}

// end ends a working order.
func (s *Server) end(o *order, status string) {
	if !o.working() {
		return
	}
	o.status, o.updated = status, s.now
	switch status {
	case "canceled":
		o.canceledAt = s.now
	case "expired":
		o.expiredAt = s.now
	case "replaced":
		o.swapped = s.now
	}
	if o.class == "mleg" {
		for _, leg := range o.legs {
			if leg.working() {
				leg.status, leg.updated, leg.canceledAt = status, s.now, o.canceledAt
			}
		}
	}
	s.tellOrder(o, status)
	if o.class != "mleg" && status != "replaced" && o.status != "filled" {
		for _, leg := range o.legs {
			s.end(leg, status)
		}
		for _, other := range s.rivals(o) {
			s.end(other, strings.Replace(status, "expired", "canceled", 1))
		}
	}
}
