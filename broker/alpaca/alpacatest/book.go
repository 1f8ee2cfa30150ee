package alpacatest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/occ"
	"github.com/ttai-go/ttai/market"
)

var (
	zero    = decimal.Zero
	hundred = decimal.NewFromInt(100)
	two     = decimal.NewFromInt(2)
)

type account struct {
	cash, start decimal.Decimal
}

type asset struct {
	id, symbol, name, class string
	tradable, shortable     bool
	underlying              string // of options
}

type position struct {
	qty, average decimal.Decimal // signed, positive
}

// An order is one of the fake's. A multi-leg order has its instruments in legs; a
// group has its exits there.
type order struct {
	id, client, class, symbol, side, kind, tif, intent, status string
	qty, notional, limit, stop, trail, percent, mark           *decimal.Decimal
	ratio                                                      decimal.Decimal
	extended                                                   bool
	filled, average                                            decimal.Decimal
	legs                                                       []*order
	parent                                                     *order
	replaces, replacedBy                                       string
	created, updated, filledAt, canceledAt, expiredAt, swapped time.Time
	serial                                                     int
	triggered                                                  bool
}

func (o *order) working() bool {
	return slices.Contains([]string{"new", "accepted", "partially_filled", "held", "pending_new"}, o.status)
}

func (o *order) left() decimal.Decimal {
	if o.qty == nil {
		return zero
	}
	return o.qty.Sub(o.filled)
}

func (o *order) sign() decimal.Decimal {
	if o.side == "buy" {
		return decimal.NewFromInt(1)
	}
	return decimal.NewFromInt(-1)
}

func (s *Server) multiplier(symbol string) decimal.Decimal {
	if a := s.assets[symbol]; a != nil && a.class == "us_option" {
		return hundred
	}
	return decimal.NewFromInt(1)
}

// render is the order as Alpaca writes it.
func (s *Server) render(o *order) map[string]any {
	var legs any
	if len(o.legs) > 0 {
		list := make([]any, len(o.legs))
		for i, leg := range o.legs {
			list[i] = s.render(leg)
		}
		legs = list
	}
	var average any
	if !o.filled.IsZero() {
		average = o.average.String()
	}
	class, id := "us_equity", ""
	if a := s.assets[o.symbol]; a != nil {
		class, id = a.class, a.id
	}
	out := map[string]any{
		"id": o.id, "client_order_id": o.client, "created_at": stamp(o.created), "updated_at": stamp(o.updated), "submitted_at": stamp(o.created),
		"filled_at": stamp(o.filledAt), "expired_at": stamp(o.expiredAt), "canceled_at": stamp(o.canceledAt), "failed_at": nil,
		"replaced_at": stamp(o.swapped), "replaced_by": text(o.replacedBy), "replaces": text(o.replaces), "asset_id": id, "symbol": o.symbol,
		"asset_class": class, "notional": amount(o.notional), "qty": amount(o.qty), "filled_qty": o.filled.String(), "filled_avg_price": average,
		"order_class": o.class, "order_type": o.kind, "type": o.kind, "side": o.side, "time_in_force": o.tif, "limit_price": amount(o.limit),
		"stop_price": amount(o.stop), "status": o.status, "extended_hours": o.extended, "legs": legs, "trail_percent": amount(o.percent),
		"trail_price": amount(o.trail), "hwm": amount(o.mark), "position_intent": o.intent, "subtag": nil, "source": nil,
	}
	if !o.ratio.IsZero() {
		out["ratio_qty"] = o.ratio.String()
	}
	return out
}

// A BookOrder is an order of the fake's book, for a test to look at.
type BookOrder struct {
	ID, ClientOrderID, Class, Symbol, Side, Type, Status string
	Qty, Filled                                          decimal.Decimal
}

// Orders are all orders that the fake ever took, oldest first, exits of groups
// after their parent, without the legs of multi-leg orders.
func (s *Server) Orders() []BookOrder {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []BookOrder
	add := func(o *order) {
		b := BookOrder{ID: o.id, ClientOrderID: o.client, Class: o.class, Symbol: o.symbol, Side: o.side, Type: o.kind, Status: o.status, Filled: o.filled}
		if o.qty != nil {
			b.Qty = *o.qty
		}
		out = append(out, b)
	}
	for _, o := range s.list {
		add(o)
		if o.class != "mleg" {
			for _, leg := range o.legs {
				add(leg)
			}
		}
	}
	return out
}

// AddStock lists a share.
func (s *Server) AddStock(symbol string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assets[symbol] = &asset{id: s.id(), symbol: symbol, name: symbol + " Common Stock", class: "us_equity", tradable: true, shortable: true}
}

// AddCrypto lists a pair, "BTC/USD".
func (s *Server) AddCrypto(symbol string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assets[symbol] = &asset{id: s.id(), symbol: symbol, name: symbol, class: "crypto", tradable: true}
}

// AddOption lists a contract by its OCC symbol, compact or padded.
func (s *Server) AddOption(symbol string) error {
	contract, err := occ.Parse(symbol)
	if err != nil {
		return fmt.Errorf("alpacatest: %w", err)
	}
	compact := strings.ReplaceAll(contract.String(), " ", "")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assets[compact] = &asset{id: s.id(), symbol: compact, name: compact, class: "us_option", tradable: true, underlying: contract.Root}
	return nil
}

// Halt lets a symbol take no more orders.
func (s *Server) Halt(symbol string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.assets[symbol]; a != nil {
		a.tradable = false
	}
}

// worth is the account's equity and what of it is not bound.
func (s *Server) worth() (equity, excess, long, short decimal.Decimal) {
	equity = s.money.cash
	bound := zero
	for symbol, p := range s.held {
		value := p.qty.Mul(s.price(symbol)).Mul(s.multiplier(symbol))
		equity = equity.Add(value)
		switch {
		case s.assets[symbol] != nil && s.assets[symbol].class == "us_option":
			if value.IsPositive() {
				bound = bound.Add(value)
			}
		default:
			bound = bound.Add(value.Abs().Div(two))
		}
		if value.IsNegative() {
			short = short.Add(value)
		} else {
			long = long.Add(value)
		}
	}
	for _, o := range s.list {
		if o.working() {
			bound = bound.Add(s.binds(o))
		}
	}
	return equity, equity.Sub(bound), long, short
}

// price is the middle of the quote, or what the position cost.
func (s *Server) price(symbol string) decimal.Decimal {
	if q := s.quotes[symbol]; q != nil && q.Bid > 0 && q.Ask > 0 {
		return decimal.NewFromFloat(q.Bid).Add(decimal.NewFromFloat(q.Ask)).Div(two)
	}
	if q := s.quotes[symbol]; q != nil && q.Last > 0 {
		return decimal.NewFromFloat(q.Last)
	}
	if p := s.held[symbol]; p != nil {
		return p.average
	}
	return zero
}

// binds is what a working order keeps of the excess.
func (s *Server) binds(o *order) decimal.Decimal {
	left := o.left()
	if o.class == "mleg" {
		if o.limit == nil || !o.limit.IsPositive() {
			return zero // a credit, whose margin the fake does not know
		}
		return o.limit.Mul(left).Mul(hundred)
	}
	if !strings.HasSuffix(o.intent, "to_open") && (o.side != "buy" || s.held[o.symbol] != nil && s.held[o.symbol].qty.IsNegative()) {
		return zero
	}
	if o.side == "sell" && s.held[o.symbol] != nil && s.held[o.symbol].qty.IsPositive() {
		return zero
	}
	price := s.price(o.symbol)
	switch {
	case o.limit != nil:
		price = *o.limit
	case o.stop != nil:
		price = *o.stop
	}
	value := price.Mul(left).Mul(s.multiplier(o.symbol))
	if o.notional != nil {
		value = *o.notional
	}
	if a := s.assets[o.symbol]; a != nil && a.class == "us_equity" {
		return value.Div(two)
	}
	return value
}

// book applies a fill of one instrument and keeps it as an activity.
func (s *Server) book(o, leg *order, qty, price decimal.Decimal, execution string) {
	signed := qty.Mul(leg.sign())
	p := s.held[leg.symbol]
	if p == nil {
		p = &position{}
		s.held[leg.symbol] = p
	}
	switch after := p.qty.Add(signed); {
	case p.qty.Sign()*signed.Sign() >= 0:
		p.average = p.average.Mul(p.qty.Abs()).Add(price.Mul(qty)).DivRound(after.Abs(), 10)
	case after.Sign() == signed.Sign():
		p.average = price // through zero
	}
	if p.qty = p.qty.Add(signed); p.qty.IsZero() {
		delete(s.held, leg.symbol)
	}
	s.money.cash = s.money.cash.Sub(signed.Mul(price).Mul(s.multiplier(leg.symbol)))
	leg.average = leg.average.Mul(leg.filled).Add(price.Mul(qty)).DivRound(leg.filled.Add(qty), 10)
	leg.filled = leg.filled.Add(qty)
	kind := "partial_fill"
	if leg.qty != nil && leg.filled.Equal(*leg.qty) {
		kind = "fill"
	}
	id := execution
	if leg != o {
		id = execution + ":" + leg.symbol
	}
	s.past = append(s.past, map[string]any{
		"id": s.now.UTC().Format("20060102150405000") + "::" + id, "account_id": accountUUID, "activity_type": "FILL", "transaction_time": stamp(s.now),
		"type": kind, "price": price.String(), "qty": qty.String(), "side": leg.side, "symbol": leg.symbol, "leaves_qty": leg.left().String(),
		"order_id": o.id, "cum_qty": leg.filled.String(), "order_status": o.status,
	})
}

const accountUUID = "e6fe16f3-64a4-4921-8928-cadf02f92f98"

// Cash is the account's cash.
func (s *Server) Cash() decimal.Decimal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.money.cash
}

// Position is the signed quantity held of a symbol in Alpaca's form.
func (s *Server) Position(symbol string) decimal.Decimal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.held[symbol]; p != nil {
		return p.qty
	}
	return zero
}

// session is the trading day of the fake's time, or the next one.
func (s *Server) session() market.Session {
	cal := market.NYSE()
	if day, open := cal.Session(market.DateOf(s.now.In(cal.Location()))); open && s.now.Before(day.PostClose) {
		return day
	}
	return cal.Next(s.now)
}
