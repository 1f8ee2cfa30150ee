package strategy

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/rooms"
	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
)

// A Position is a holding of the strategy as its session counts it. The zero
// value is none.
type Position struct {
	Symbol market.Symbol
	// Quantity is signed: long positive, short negative.
	Quantity float64
	// Average is the price per unit at which what is open was opened; NaN when it
	// is not known.
	Average float64
	// Multiplier is the dollars per point of one unit.
	Multiplier float64
	// Realized is the profit of what was closed since the start of the run, signed,
	// before fees.
	Realized float64

	exact sums.Number
	mark  float64 // the latest price that was known
}

// Exact is Quantity without rounding.
func (p Position) Exact() decimal.Decimal { return p.exact.Decimal() }

// Cost is what was paid for what is open, negative when it was received.
func (p Position) Cost() float64 { return p.Quantity * p.Average * p.Multiplier }

// mostFills is how many fills and transactions are remembered, so that one that is
// told twice counts once.
const mostFills = 4096

type book struct {
	list  []*Position // in the order in which they came up
	index map[market.Symbol]*Position

	flow    sums.Number // cash that trading and holding brought since the start
	base    float64     // value of the positions that were there at the start
	cash    sums.Number
	hasCash bool
	equity  float64 // at the last Sync, with the profit then
	profit  float64

	// synced is when the positions were read last: what happened before is in them,
	// also when it is told later. The orders of the strategy know better which of
	// their fills are. Zero in a replay, where nothing is told late.
	synced time.Time

	seen  [2]rooms.Set // ids of fills and of transactions
	order []seenID     // of seen, oldest first, a ring
	next  int
}

// A seenID is the id of a fill ('f') or of a transaction ('t').
type seenID struct {
	kind byte
	id   string
}

// String is how it stands in snapshots.
func (s seenID) String() string { return string(rune(s.kind)) + s.id }

// of is the set that the ids of a kind are in.
func (b *book) of(kind byte) *rooms.Set {
	if kind == 'f' {
		return &b.seen[0]
	}
	return &b.seen[1]
}

func (b *book) init() {
	b.index = map[market.Symbol]*Position{}
	b.equity = math.NaN()
}

// first tells whether an id of a kind is told for the first time.
func (b *book) first(kind byte, id string) bool {
	if !b.of(kind).Add(id) {
		return false
	}
	if len(b.order) < mostFills {
		b.order = append(b.order, seenID{kind, id})
		return true
	}
	old := b.order[b.next]
	b.of(old.kind).Delete(old.id)
	b.order[b.next] = seenID{kind, id}
	b.next = (b.next + 1) % mostFills
	return true
}

// Position returns what is held of a symbol.
func (s *Session) Position(symbol market.Symbol) Position {
	if p := s.book.index[symbol]; p != nil {
		return *p
	}
	return Position{Symbol: symbol, Average: math.NaN(), Multiplier: s.multiplier(symbol)}
}

// Watch returns the position of a symbol as it is kept current: a strategy that
// looks at it on every bar asks for it once. It is read-only.
func (s *Session) Watch(symbol market.Symbol) *Position { return s.position(symbol) }

// Positions returns what is held, ordered by symbol.
func (s *Session) Positions() []Position {
	var out []Position
	for _, p := range s.book.list {
		if p.Quantity != 0 {
			out = append(out, *p)
		}
	}
	slices.SortFunc(out, func(a, b Position) int { return cmp.Compare(a.Symbol, b.Symbol) })
	return out
}

func (s *Session) position(symbol market.Symbol) *Position {
	if p := s.book.index[symbol]; p != nil {
		return p
	}
	p := &Position{Symbol: symbol, Average: math.NaN(), Multiplier: s.multiplier(symbol), mark: math.NaN()}
	s.book.index[symbol] = p
	s.book.list = append(s.book.list, p)
	return p
}

// multiplier is the dollars per point of one unit of a symbol.
func (s *Session) multiplier(symbol market.Symbol) float64 {
	if p := s.book.index[symbol]; p != nil {
		return p.Multiplier
	}
	if s.opts.Multiplier != nil {
		if m := s.opts.Multiplier(symbol); m > 0 {
			return m
		}
	}
	if symbol.Kind() == market.KindOption {
		return 100
	}
	return 1
}

// underlyingOf is what an option is on; other symbols stand for themselves.
func underlyingOf(symbol market.Symbol) market.Symbol {
	if c, ok := symbol.Contract(); ok {
		return c.Underlying()
	}
	return symbol
}

// ours tells whether a symbol is the strategy's business.
func (s *Session) ours(symbol market.Symbol) bool {
	if s.book.index[symbol] != nil {
		return true
	}
	u := underlyingOf(symbol)
	return slices.Contains(s.needs.Symbols, symbol) || slices.Contains(s.needs.Symbols, u) || slices.Contains(s.needs.Chains, u)
}

// move changes a position by a signed quantity at a price.
func (p *Position) move(quantity sums.Number, price float64) {
	before, by := p.Quantity, quantity.Float()
	p.exact = p.exact.Plus(quantity)
	p.Quantity = p.exact.Float()
	if !math.IsNaN(price) {
		p.mark = price
	}
	switch {
	case before == 0 || before*by > 0: // opens or adds
		if before == 0 {
			p.Average = price
		} else {
			p.Average = (before*p.Average + by*price) / (before + by)
		}
	default:
		closed := math.Min(math.Abs(by), math.Abs(before))
		if profit := closed * math.Copysign(1, before) * (price - p.Average) * p.Multiplier; !math.IsNaN(profit) {
			p.Realized += profit
		}
		if p.Quantity == 0 {
			p.Average = math.NaN()
		} else if p.Quantity*before < 0 {
			p.Average = price
		}
	}
}

// fill books an execution, and tells whether it is news.
func (s *Session) fill(f *broker.Fill) bool {
	if !s.orders.fills(f) && !s.ours(f.Symbol) {
		return false
	}
	if !s.book.first('f', f.ID) {
		return false
	}
	if s.included(f) {
		s.orders.book(f)
		return false
	}
	sign := f.Action.Sign()
	p := s.position(f.Symbol)
	quantity, price := sums.Of(f.Quantity), sums.Of(f.Price)
	p.move(quantity.Signed(sign), price.Float())
	amount := quantity.Times(price).Signed(-sign)
	if p.Multiplier != 1 {
		amount = amount.Times(sums.Of(decimal.NewFromFloat(p.Multiplier)))
	}
	if c := f.Fees; c != nil {
		amount = amount.Plus(sums.Total(c.Commission, c.Clearing, c.Regulatory, c.Exchange))
	}
	s.book.flow = s.book.flow.Plus(amount)
	s.book.cash = s.book.cash.Plus(amount)
	s.orders.book(f)
	return true
}

// included tells whether the positions had a fill when they were read, though it
// is told only now.
func (s *Session) included(f *broker.Fill) bool {
	o := s.orders.of(f.Order)
	if o == nil || o.late {
		return f.Time.Before(s.book.synced)
	}
	for i := range o.credit {
		quantity := sums.Of(f.Quantity)
		if i < len(o.state.Order.Legs) && o.state.Order.Legs[i].Symbol == f.Symbol && o.credit[i].Cmp(quantity) >= 0 {
			o.credit[i] = o.credit[i].Minus(quantity)
			o.booked[i] = o.booked[i].Minus(quantity) // it is counted again as told
			return true
		}
	}
	return false
}

// transact books what happened without an order, and tells whether it is news.
func (s *Session) transact(t *broker.Transaction) bool {
	if t.Kind == broker.Trade || !s.book.first('t', t.ID) || t.Time.Before(s.book.synced) {
		return false
	}
	s.book.cash = s.book.cash.Plus(sums.Of(t.Amount))
	if t.Kind == broker.Transfer {
		s.book.equity += t.Amount.InexactFloat64()
		return true
	}
	if t.Symbol != "" && !s.ours(t.Symbol) {
		return false
	}
	s.book.flow = s.book.flow.Plus(sums.Of(t.Amount))
	if t.Quantity.IsZero() {
		return true
	}
	price := math.NaN()
	p := s.position(t.Symbol)
	switch {
	case t.Price != nil:
		price = t.Price.InexactFloat64()
	case t.Kind != broker.Split:
		price = 0 // an option that is gone was worth nothing in itself
	}
	if t.Kind == broker.Split && p.Quantity != 0 {
		cost := p.Quantity * p.Average
		p.exact = p.exact.Plus(sums.Of(t.Quantity))
		p.Quantity = p.exact.Float()
		p.Average, p.mark = cost/p.Quantity, math.NaN()
		return true
	}
	p.move(sums.Of(t.Quantity), price)
	return true
}

// value is what the positions are worth, NaN when one has no price.
func (s *Session) value() float64 {
	sum := 0.0
	for _, p := range s.book.list {
		if p.Quantity == 0 {
			continue
		}
		if price := s.Price(p.Symbol); price >= 0 {
			p.mark = price
		}
		mark := p.mark
		if math.IsNaN(mark) {
			mark = p.Average
		}
		sum += p.Quantity * p.Multiplier * mark
	}
	return sum
}

// Profit is what the strategy has gained since the start of its run, restarts
// included: what it realised, what is open at present prices (a position without
// one counts at its last), dividends and fees. NaN when a position has never had
// a price.
func (s *Session) Profit() float64 {
	return s.book.flow.Float() + s.value() - s.book.base
}

// Cash is that of the account as the session counts it: the balance at the start
// and what fills and transactions changed. NaN when the broker does not tell.
func (s *Session) Cash() float64 {
	if !s.book.hasCash {
		return math.NaN()
	}
	return s.book.cash.Float()
}

// Equity is the net liquidating value of the account as the session counts it:
// that at the start, and the profit since. NaN when the broker does not tell.
func (s *Session) Equity() float64 {
	return s.book.equity + s.Profit() - s.book.profit
}

// BuyingPower asks the broker what is left for new orders: for options, otherwise
// for shares. NaN when it does not tell.
func (s *Session) BuyingPower() (float64, error) {
	b, err := s.opts.Broker.Balances(s.ctx, s.opts.Account)
	if err != nil {
		return math.NaN(), err
	}
	for _, amount := range []*decimal.Decimal{b.DerivativeBuyingPower, b.EquityBuyingPower, b.Cash} {
		if amount != nil {
			return amount.InexactFloat64(), nil
		}
	}
	return math.NaN(), nil
}

// Sync reads balances, positions and working orders from the broker, which are
// then what the book holds. It is for drivers: at the start, and after a gap.
func (s *Session) Sync(ctx context.Context) error {
	account := s.opts.Account
	balances, err := s.opts.Broker.Balances(ctx, account)
	if err != nil {
		return fmt.Errorf("strategy: reading balances: %w", err)
	}
	positions, err := s.opts.Broker.Positions(ctx, account)
	if err != nil {
		return fmt.Errorf("strategy: reading positions: %w", err)
	}
	working, err := s.opts.Broker.Orders(ctx, account, broker.OrdersQuery{Working: true})
	if err != nil {
		return fmt.Errorf("strategy: reading orders: %w", err)
	}
	if err := s.orders.adopt(ctx, s, working); err != nil {
		return err
	}
	s.adopt(positions)
	if s.book.hasCash = balances.Cash != nil; s.book.hasCash {
		s.book.cash = sums.Of(*balances.Cash)
	}
	s.book.equity = math.NaN()
	if balances.NetLiquidatingValue != nil {
		s.book.equity = balances.NetLiquidatingValue.InexactFloat64()
	}
	s.book.profit = s.Profit()
	return nil
}

// adopt takes the broker's word for the positions.
func (s *Session) adopt(positions []broker.Position) {
	fresh := len(s.book.list) == 0 && s.book.flow.IsZero()
	held := map[market.Symbol]bool{}
	for i := range positions {
		b := &positions[i]
		if !s.ours(b.Symbol) {
			continue
		}
		held[b.Symbol] = true
		p := s.position(b.Symbol)
		if b.Multiplier.Sign() > 0 {
			p.Multiplier = b.Multiplier.InexactFloat64()
		}
		if b.Mark != nil {
			p.mark = b.Mark.InexactFloat64()
		}
		held := sums.Of(b.Quantity)
		by := held.Minus(p.exact)
		if by.IsZero() {
			continue
		}
		p.exact, p.Quantity = held, held.Float()
		if b.AverageOpenPrice != nil {
			p.Average = b.AverageOpenPrice.InexactFloat64()
		} else if math.IsNaN(p.Average) {
			p.Average = p.mark
		}
		s.unseen(p, by)
	}
	for _, p := range s.book.list {
		if !held[p.Symbol] && !p.exact.IsZero() {
			by := p.exact.Neg()
			s.unseen(p, by)
			p.exact, p.Quantity, p.Average = sums.Number{}, 0, math.NaN()
		}
	}
	if fresh {
		s.book.flow, s.book.base = sums.Number{}, s.value()
	}
}

// unseen books a change that nobody told of, at the present price: it is no
// profit by itself.
func (s *Session) unseen(p *Position, by sums.Number) {
	price := s.Price(p.Symbol)
	if !(price >= 0) {
		price = p.mark
	}
	if math.IsNaN(price) {
		price = p.Average
	}
	if !math.IsNaN(price) {
		s.book.flow = s.book.flow.Minus(by.Times(sums.Of(decimal.NewFromFloat(price * p.Multiplier))))
	}
}

// fingerprint tells one state of positions and orders from another.
func (s *Session) fingerprint() string {
	var b strings.Builder
	for _, p := range s.Positions() {
		fmt.Fprintf(&b, "%s %s;", p.Symbol, p.Exact())
	}
	for _, o := range s.orders.working {
		fmt.Fprintf(&b, "%s %s %s;", o.state.ID, o.state.Status, decimals(o.booked))
	}
	return b.String()
}
