package strategy

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Amount returns a price or quantity as a decimal with at most eight places,
// without the noise of binary fractions. What is not a number is zero, which every
// order refuses.
func Amount(x float64) decimal.Decimal {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return decimal.Zero
	}
	if whole := int64(x); float64(whole) == x && whole > -1<<53 && whole < 1<<53 {
		return decimal.NewFromInt(whole) // the same number, with fewer digits to count with
	}
	return decimal.NewFromFloat(x).Round(8)
}

// MarketOrder returns a market order for one instrument. Quantity is positive.
func MarketOrder(action broker.Action, symbol market.Symbol, quantity float64) broker.Order {
	return broker.Order{Type: broker.Market, Legs: []broker.Leg{NewLeg(action, symbol, quantity)}}
}

// LimitOrder returns a limit order of the day for one instrument. Price is per
// unit and positive, whether it buys or sells.
func LimitOrder(action broker.Action, symbol market.Symbol, quantity, price float64) broker.Order {
	limit := Amount(price).Mul(decimal.NewFromInt(int64(-action.Sign())))
	return broker.Order{Type: broker.Limit, Limit: &limit, Legs: []broker.Leg{NewLeg(action, symbol, quantity)}}
}

// StopOrder returns an order that works until it is cancelled, and is a market
// order once the price touches stop.
func StopOrder(action broker.Action, symbol market.Symbol, quantity, stop float64) broker.Order {
	at := Amount(stop)
	return broker.Order{Type: broker.Stop, Stop: &at, TimeInForce: broker.GTC, Legs: []broker.Leg{NewLeg(action, symbol, quantity)}}
}

// NewLeg returns a leg of an order. Quantity is positive.
func NewLeg(action broker.Action, symbol market.Symbol, quantity float64) broker.Leg {
	return broker.Leg{Symbol: symbol, Action: action, Quantity: Amount(quantity)}
}

// NetOrder returns an order of several legs: at the market when limit is nil,
// otherwise at a net price per unit, credit positive and debit negative.
func NetOrder(limit *float64, legs ...broker.Leg) broker.Order {
	o := broker.Order{Type: broker.Market, Legs: legs}
	if limit != nil {
		net := Amount(*limit)
		o.Type, o.Limit = broker.Limit, &net
	}
	return o
}

// Bracket returns a ticket that enters, and once it has entered leaves at target
// or at stop, whichever comes first. Both are prices of the single leg, positive.
func Bracket(entry broker.Order, target, stop float64) (broker.Ticket, error) {
	if len(entry.Legs) != 1 {
		return broker.Ticket{}, invalid.Field("entry.Legs", len(entry.Legs), "one leg")
	}
	leg := entry.Legs[0]
	quantity := leg.Quantity.InexactFloat64()
	profit := LimitOrder(leg.Action.Opposite(), leg.Symbol, quantity, target)
	profit.TimeInForce = broker.GTC
	return broker.Ticket{Kind: broker.Bracket, Orders: []broker.Order{
		entry, profit, StopOrder(leg.Action.Opposite(), leg.Symbol, quantity, stop),
	}}, nil
}

// Submit places one order: see [Session.Place].
func (s *Session) Submit(o broker.Order) (*broker.OrderState, error) {
	states, err := s.submit(o)
	if err != nil {
		return nil, err
	}
	return &states[0], nil
}

// submit is Submit, and returns the one state in a list.
func (s *Session) submit(o broker.Order) ([]broker.OrderState, error) {
	orders := s.ticketRoom.Take(1)
	orders[0] = o
	states, err := s.place(broker.Ticket{Orders: orders})
	if err != nil {
		return nil, err
	}
	if len(states) == 0 {
		return nil, broker.ErrUncertain
	}
	return states[:1:1], nil
}

// Trade buys a positive quantity of a symbol and sells a negative one, at the
// market: first what is held on the other side is closed, as far as no working
// order closes it already, and the rest opens, each by an order of its own; the
// second may be sent later (see [SessionOptions].Apart), and is pending until
// then. It stops at the first order that is refused. What stops or targets are
// going to close is not traded: ErrHeld.
func (s *Session) Trade(symbol market.Symbol, quantity float64) ([]broker.OrderState, error) {
	return s.trade(symbol, quantity, func(a broker.Action, q float64) broker.Order {
		return broker.Order{Type: broker.Market, Legs: s.leg(a, symbol, q)}
	})
}

// TradeLimit is Trade with limit orders of the day at a price per unit.
func (s *Session) TradeLimit(symbol market.Symbol, quantity, price float64) ([]broker.OrderState, error) {
	return s.trade(symbol, quantity, func(a broker.Action, q float64) broker.Order { return LimitOrder(a, symbol, q, price) })
}

// leg is the one leg of an order.
func (s *Session) leg(action broker.Action, symbol market.Symbol, quantity float64) []broker.Leg {
	legs := s.legRoom.Take(1)
	legs[0] = NewLeg(action, symbol, quantity)
	return legs
}

func (s *Session) trade(symbol market.Symbol, quantity float64, order func(broker.Action, float64) broker.Order) ([]broker.OrderState, error) {
	if quantity == 0 {
		return nil, nil
	}
	if math.IsNaN(quantity) || math.IsInf(quantity, 0) {
		return nil, invalid.Field("quantity", quantity, "a signed number of units")
	}
	opens, closes := broker.BuyToOpen, broker.BuyToClose
	if quantity < 0 {
		opens, closes = broker.SellToOpen, broker.SellToClose
	}
	left, closable := math.Abs(quantity), 0.0
	if held := s.held(symbol); held*quantity < 0 {
		netting, exits := s.closing(symbol, closes)
		closable = math.Max(0, math.Abs(held)-netting)
		if math.Min(left, closable) > closable-exits+1e-9 {
			return nil, fmt.Errorf("%w: %v of %s", ErrHeld, exits, symbol)
		}
	}
	var out []broker.OrderState
	if q := math.Min(left, closable); q > 0 {
		states, err := s.submit(order(closes, q))
		if err != nil {
			return out, err
		}
		out = states
		left -= q
		if state := &states[0]; s.opts.Apart && left > 1e-9 && state.Status != broker.Filled {
			s.orders.later = append(s.orders.later, followUp{state.Order.Tag, order(opens, left)})
			return out, nil
		}
	}
	if left > 1e-9 {
		states, err := s.submit(order(opens, left))
		if err != nil {
			return out, err
		}
		if out == nil {
			return states, nil
		}
		out = append(out, states...)
	}
	return out, nil
}

// closing is how much of a symbol working orders are going to close: those that
// net, and stops and targets, of which only one fills, so that they count once.
func (s *Session) closing(symbol market.Symbol, action broker.Action) (netting, exits float64) {
	for _, o := range s.orders.working {
		if o.state.Status == broker.Contingent || o.state.Status.Terminal() {
			continue
		}
		for i, l := range o.state.Order.Legs {
			if l.Symbol != symbol || l.Action != action {
				continue
			}
			if left := o.left(i).Float(); o.nets() {
				netting += left
			} else {
				exits = math.Max(exits, left)
			}
		}
	}
	return netting, exits
}

// Target trades so that the position and what is pending make up a quantity:
// positive long, negative short, 0 closed. When they do, it does nothing. Working
// orders that go the other way, and stops and targets of what is to be closed, are
// cancelled first; where their end takes time, the session goes on by itself when
// it is told.
func (s *Session) Target(symbol market.Symbol, quantity float64) ([]broker.OrderState, error) {
	if math.IsNaN(quantity) || math.IsInf(quantity, 0) {
		return nil, invalid.Field("quantity", quantity, "a signed number of units")
	}
	delete(s.orders.goals, symbol)
	// What has filled and was not told yet is held, and cannot be taken back.
	total := func() float64 { return s.Position(symbol).Quantity + s.Pending(symbol) }
	working := func() float64 { return total() - s.held(symbol) }
	by := quantity - total()
	if math.Abs(by) < 1e-9 {
		return nil, nil
	}
	if working()*by < 0 || s.blocked(symbol, by) {
		if err := s.withdraw(symbol, by); err != nil {
			return nil, err
		}
		if working()*by < 0 || s.blocked(symbol, by) {
			if s.orders.goals == nil {
				s.orders.goals = map[market.Symbol]float64{}
			}
			s.orders.goals[symbol] = quantity
			return nil, nil
		}
		if by = quantity - total(); math.Abs(by) < 1e-9 {
			return nil, nil
		}
	}
	return s.Trade(symbol, by)
}

// blocked tells whether stops or targets hold what a trade would close.
func (s *Session) blocked(symbol market.Symbol, by float64) bool {
	action := broker.SellToClose
	if by > 0 {
		action = broker.BuyToClose
	}
	_, exits := s.closing(symbol, action)
	return exits > 0
}

// withdraw cancels the working orders for a symbol alone that stand against a
// trade: those that net the other way, and the exits on its own side.
func (s *Session) withdraw(symbol market.Symbol, by float64) error {
	s.orders.later = slices.DeleteFunc(s.orders.later, func(f followUp) bool {
		return f.Order.Legs[0].Symbol == symbol && float64(f.Order.Legs[0].Action.Sign())*by < 0
	})
	for _, o := range slices.Clone(s.orders.working) {
		legs, status := o.state.Order.Legs, o.state.Status
		if o.uncertain || status.Terminal() || status == broker.CancelRequested || len(legs) != 1 || legs[0].Symbol != symbol {
			continue
		}
		side := float64(legs[0].Action.Sign()) * by
		if o.nets() && side > 0 || !o.nets() && (side < 0 || legs[0].Action.Opens()) {
			continue
		}
		if err := s.Cancel(o.state.ID); err != nil && !errors.Is(err, broker.ErrTooLate) {
			return err
		}
	}
	return nil
}

// Close closes positions at the market: shares and other single instruments by
// an order each, options of one underlying together in orders of at most four
// legs. What working orders close already is left to them.
func (s *Session) Close(symbols ...market.Symbol) ([]broker.OrderState, error) {
	var out []broker.OrderState
	groups := map[market.Symbol][]broker.Leg{}
	var underlyings []market.Symbol
	for _, symbol := range symbols {
		held := s.held(symbol)
		action := broker.SellToClose
		if held < 0 {
			action = broker.BuyToClose
		}
		netting, exits := s.closing(symbol, action)
		quantity := math.Abs(held) - netting - exits
		if quantity < 1e-9 {
			continue
		}
		leg := NewLeg(action, symbol, quantity)
		if symbol.Kind() != market.KindOption {
			state, err := s.Submit(broker.Order{Type: broker.Market, Legs: []broker.Leg{leg}})
			if err != nil {
				return out, err
			}
			out = append(out, *state)
			continue
		}
		u := underlyingOf(symbol)
		if groups[u] == nil {
			underlyings = append(underlyings, u)
		}
		groups[u] = append(groups[u], leg)
	}
	most := max(1, min(broker.MaxLegs, s.opts.Broker.Capabilities().MaxLegs))
	for _, u := range underlyings {
		for legs := range slices.Chunk(groups[u], most) {
			state, err := s.Submit(broker.Order{Type: broker.Market, Legs: legs})
			if err != nil {
				return out, err
			}
			out = append(out, *state)
		}
	}
	return out, nil
}

// CancelAll asks for the strategy's working orders to end, those in a symbol or in
// options on it when one is named. The first error is returned, after all were
// asked.
func (s *Session) CancelAll(symbols ...market.Symbol) error {
	var first error
	maps.DeleteFunc(s.orders.goals, func(symbol market.Symbol, _ float64) bool {
		return len(symbols) == 0 || slices.Contains(symbols, symbol)
	})
	s.orders.later = slices.DeleteFunc(s.orders.later, func(f followUp) bool {
		return len(symbols) == 0 || slices.Contains(symbols, f.Order.Legs[0].Symbol)
	})
	for _, o := range s.Working() {
		if len(symbols) > 0 && !slices.ContainsFunc(o.Order.Legs, func(l broker.Leg) bool {
			return slices.Contains(symbols, l.Symbol) || slices.Contains(symbols, underlyingOf(l.Symbol))
		}) {
			continue
		}
		if err := s.Cancel(o.ID); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Flatten cancels the strategy's working orders and closes all it holds at the
// market. Shares whose orders take time to end are closed when they have; options
// are closed as far as their working orders leave them.
func (s *Session) Flatten() error {
	first := s.CancelAll()
	for _, p := range s.Positions() {
		if p.Symbol.Kind() == market.KindOption {
			continue
		}
		if _, err := s.Target(p.Symbol, 0); err != nil && first == nil {
			first = err
		}
	}
	groups := map[market.Symbol][]market.Symbol{}
	var underlyings []market.Symbol
	for _, p := range s.Positions() {
		if p.Symbol.Kind() != market.KindOption {
			continue
		}
		u := underlyingOf(p.Symbol)
		if groups[u] == nil {
			underlyings = append(underlyings, u)
		}
		groups[u] = append(groups[u], p.Symbol)
	}
	for _, u := range underlyings {
		if _, err := s.Close(groups[u]...); err != nil && first == nil {
			first = err
		}
	}
	return first
}
