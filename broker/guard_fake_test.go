package broker_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// deskBroker is a broker that keeps every write it was asked for, and fails as it
// is told.
type deskBroker struct {
	mu        sync.Mutex
	env       broker.Environment
	positions map[broker.AccountID][]broker.Position
	balances  map[broker.AccountID]*broker.Balances
	orders    []broker.OrderState
	sent      []sentOrder // every write that reached the broker, in order
	preview   func(broker.Ticket) *broker.Preview
	// fault is asked before a write; see the faults.
	fault func(op string) fault
	// filled tells whether an order fills at once.
	filled bool
	// hidden keeps orders from being listed, as while the broker is slow.
	hidden bool
	reads  error
}

type sentOrder struct {
	op      string
	account broker.AccountID
	tags    []string
	order   broker.OrderID
}

type fault int

const (
	works fault = iota
	rejects
	unavailable
	lostButPlaced
	lostNotPlaced
	strange // an error that no contract knows
	crashBefore
	crashAfter
)

const desk = broker.AccountID("5WX00001")

func newDeskBroker(env broker.Environment) *deskBroker {
	return &deskBroker{
		env: env, positions: map[broker.AccountID][]broker.Position{},
		balances: map[broker.AccountID]*broker.Balances{
			desk: {Account: desk, NetLiquidatingValue: dec("100000"), DerivativeBuyingPower: dec("50000")},
		},
	}
}

func (b *deskBroker) Environment() broker.Environment { return b.env }

func (b *deskBroker) Accounts(context.Context) ([]broker.Account, error) {
	return []broker.Account{{ID: desk}}, nil
}

func (b *deskBroker) Balances(_ context.Context, a broker.AccountID) (*broker.Balances, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if got, ok := b.balances[a]; ok {
		out := *got
		return &out, b.reads
	}
	return nil, broker.ErrUnknownAccount
}

func (b *deskBroker) Positions(_ context.Context, a broker.AccountID) ([]broker.Position, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.positions[a]), b.reads
}

func (b *deskBroker) Capabilities() broker.Capabilities {
	return broker.Capabilities{
		Instruments:  []market.InstrumentKind{market.KindEquity, market.KindOption, market.KindFuture, market.KindCrypto},
		Types:        []broker.OrderType{broker.Market, broker.Limit, broker.Stop, broker.StopLimit, broker.TrailingStop},
		TimesInForce: []broker.TimeInForce{broker.Day, broker.GTC, broker.GTD, broker.IOC},
		Groups:       []broker.GroupKind{broker.Single, broker.OCO, broker.OTO, broker.Bracket},
		MaxLegs:      4, Mixed: true, Fractional: true, Notional: true, ExtendedHours: true, DryRun: true, Replace: true,
	}
}

func (b *deskBroker) Preview(_ context.Context, _ broker.AccountID, t broker.Ticket) (*broker.Preview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.preview != nil {
		return b.preview(t), nil
	}
	return &broker.Preview{Ticket: t, BuyingPower: dec("-100"), BuyingPowerAfter: dec("40000")}, nil
}

// attempt plays a fault around a write.
func (b *deskBroker) attempt(op string, s sentOrder, act func()) error {
	how := works
	if b.fault != nil {
		how = b.fault(op)
	}
	switch how {
	case crashBefore:
		panic(errCrash)
	case rejects:
		b.sent = append(b.sent, s)
		return &broker.RejectedError{Notices: []broker.Notice{{Message: "no buying power"}}}
	case unavailable:
		return fmt.Errorf("dialling: %w", broker.ErrUnavailable)
	case lostNotPlaced:
		return &broker.UncertainError{Tags: s.tags, Cause: context.DeadlineExceeded}
	}
	b.sent = append(b.sent, s)
	act()
	switch how {
	case crashAfter:
		panic(errCrash)
	case lostButPlaced:
		return &broker.UncertainError{Tags: s.tags, Cause: context.DeadlineExceeded}
	case strange:
		return errors.New("unexpected end of JSON input")
	}
	return nil
}

var errCrash = errors.New("the process died here")

func (b *deskBroker) Place(_ context.Context, a broker.AccountID, t broker.Ticket) ([]broker.OrderState, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var tags []string
	for _, o := range t.Orders {
		tags = append(tags, o.Tag)
	}
	var out []broker.OrderState
	err := b.attempt("place", sentOrder{"place", a, tags, ""}, func() {
		group := ""
		if t.Kind != broker.Single {
			group = "g" + t.Orders[0].Tag
		}
		for _, o := range t.Orders {
			out = append(out, *b.add(a, o, group))
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (b *deskBroker) add(a broker.AccountID, o broker.Order, group string) *broker.OrderState {
	s := broker.OrderState{ID: broker.OrderID(fmt.Sprintf("%d", 1000+len(b.orders))), Account: a, Order: o, Status: broker.Live, Group: group}
	b.orders = append(b.orders, s)
	if b.filled {
		b.fillLocked(s.ID)
	}
	return &b.orders[len(b.orders)-1]
}

func (b *deskBroker) Replace(_ context.Context, a broker.AccountID, id broker.OrderID, with broker.Order) (*broker.OrderState, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.index(id)
	if i < 0 {
		return nil, broker.ErrUnknownOrder
	}
	if b.orders[i].Status.Terminal() {
		return nil, broker.ErrTooLate
	}
	var out *broker.OrderState
	err := b.attempt("replace", sentOrder{"replace", a, []string{with.Tag}, id}, func() {
		b.orders[i].Status = broker.Replaced
		out = b.add(a, with, "")
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (b *deskBroker) Cancel(_ context.Context, a broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.index(id)
	if i < 0 {
		return nil, broker.ErrUnknownOrder
	}
	if b.orders[i].Status.Terminal() {
		return nil, broker.ErrTooLate
	}
	err := b.attempt("cancel", sentOrder{"cancel", a, nil, id}, func() { b.orders[i].Status = broker.Cancelled })
	if err != nil {
		return nil, err
	}
	out := b.orders[i]
	return &out, nil
}

func (b *deskBroker) index(id broker.OrderID) int {
	return slices.IndexFunc(b.orders, func(o broker.OrderState) bool { return o.ID == id })
}

func (b *deskBroker) Order(_ context.Context, _ broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.index(id)
	if i < 0 {
		return nil, broker.ErrUnknownOrder
	}
	out := b.orders[i]
	return &out, b.reads
}

func (b *deskBroker) Orders(_ context.Context, a broker.AccountID, q broker.OrdersQuery) ([]broker.OrderState, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reads != nil || b.hidden {
		return nil, b.reads
	}
	var out []broker.OrderState
	for _, o := range b.orders {
		if o.Account == a && (q.Tag == "" || o.Order.Tag == q.Tag) && (!q.Working || o.Status.CanFill()) {
			out = append(out, o)
		}
	}
	return out, nil
}

func (b *deskBroker) Transactions(context.Context, broker.AccountID, time.Time, time.Time) ([]broker.Transaction, error) {
	return nil, broker.ErrUnsupported
}

func (b *deskBroker) Events(context.Context, ...broker.AccountID) (broker.EventStream, error) {
	return nil, broker.ErrUnsupported
}

// fill ends an order as filled and puts its legs into the positions.
func (b *deskBroker) fill(id broker.OrderID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fillLocked(id)
}

func (b *deskBroker) fillLocked(id broker.OrderID) {
	o := &b.orders[b.index(id)]
	if o.Status.Terminal() {
		return
	}
	o.Status = broker.Filled
	for _, l := range o.Order.Legs {
		multiple := decimal.NewFromInt(1)
		if l.Symbol.Kind() == market.KindOption {
			multiple = decimal.NewFromInt(100)
		}
		quantity := l.Quantity.Mul(decimal.NewFromInt(int64(l.Action.Sign())))
		held := b.positions[o.Account]
		at := slices.IndexFunc(held, func(p broker.Position) bool { return p.Symbol == l.Symbol })
		if at < 0 {
			price := dec("1")
			if o.Order.Limit != nil && len(o.Order.Legs) == 1 {
				abs := o.Order.Limit.Abs()
				price = &abs
			}
			held = append(held, broker.Position{Account: o.Account, Symbol: l.Symbol, Multiplier: multiple, Mark: price, PrevClose: price})
			at = len(held) - 1
		}
		held[at].Quantity = held[at].Quantity.Add(quantity)
		b.positions[o.Account] = held
	}
}

func (b *deskBroker) writes() []sentOrder {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent)
}

// deskQuotes quotes what it was told, and nothing else.
type deskQuotes struct {
	mu     sync.Mutex
	quotes map[market.Symbol]market.Quote
}

func (q *deskQuotes) set(s market.Symbol, bid, ask float64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.quotes == nil {
		q.quotes = map[market.Symbol]market.Quote{}
	}
	quote := market.NewQuote(s)
	quote.Bid, quote.Ask, quote.Last = bid, ask, math.NaN()
	q.quotes[s] = quote
}

func (q *deskQuotes) Quotes(_ context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []market.Quote
	var missing []market.Symbol
	for _, s := range symbols {
		if quote, ok := q.quotes[s]; ok {
			out = append(out, quote)
		} else {
			missing = append(missing, s)
		}
	}
	if missing != nil {
		return out, &market.MissingError{Symbols: missing, Err: market.ErrNoData}
	}
	return out, nil
}

// person approves what they were told to, and keeps what they approved. The
// evidence is "yes" or "no"; without evidence they do not answer unless they say
// yes to everything.
type person struct {
	mu       sync.Mutex
	grade    broker.Grade
	method   string
	always   bool
	approved map[string]broker.Digest
}

func (p *person) Method() string {
	if p.method == "" {
		return "person"
	}
	return p.method
}

func (p *person) Grade() broker.Grade { return p.grade }

func (p *person) Fingerprint() string { return "a person" }

func (p *person) Approve(_ context.Context, r broker.ApprovalRequest, said *broker.Evidence) (broker.Decision, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case said == nil && !p.always:
		return broker.Decision{}, broker.ErrApprovalRequired
	case said != nil && string(said.Data) != "yes":
		return broker.Decision{}, broker.ErrDeclined
	}
	if p.approved == nil {
		p.approved = map[string]broker.Digest{}
	}
	p.approved[r.PreviewID] = r.Digest
	return broker.Decision{By: "Ann"}, nil
}

var yes = broker.Evidence{Method: "person", Data: []byte("yes")}

// office is a guard with all it needs, at half past ten of a trading day.
type office struct {
	broker  *deskBroker
	quotes  *deskQuotes
	clock   *market.ManualClock
	state   broker.State
	journal broker.Journal
	person  *person
	limits  broker.Limits
	others  []broker.Approver
}

// deskTime is Thursday 19 November 2026, 10:30 in New York.
var deskTime = time.Date(2026, 11, 19, 15, 30, 0, 0, time.UTC)

func newOffice(t testing.TB) *office {
	t.Helper()
	clock := market.NewManualClock(deskTime)
	o := &office{
		broker: newDeskBroker(broker.Sandbox), quotes: &deskQuotes{}, clock: clock,
		state: &broker.MemoryState{Now: clock.Now}, journal: &broker.MemoryJournal{Now: clock.Now},
		person: &person{grade: broker.GradePasskey, always: true}, limits: broker.PaperLimits(),
	}
	o.quotes.set("SPY", 499.9, 500.1)
	o.quotes.set("QQQ", 399.9, 400.1)
	o.quotes.set(call500, 10, 10.2)
	o.quotes.set(call510, 6, 6.2)
	o.quotes.set(call520, 3, 3.2)
	return o
}

func (o *office) options() broker.GuardOptions {
	return broker.GuardOptions{
		Limits: o.limits, Approvers: append([]broker.Approver{o.person}, o.others...),
		State: o.state, Journal: o.journal, Quotes: o.quotes, Clock: o.clock,
	}
}

func (o *office) guard(t testing.TB) *broker.Guard {
	t.Helper()
	g, err := broker.NewGuard(o.broker, o.options())
	require.NoError(t, err)
	return g
}

// entries returns the kinds of the journal's entries.
func (o *office) entries(t testing.TB) []string {
	t.Helper()
	var kinds []string
	for e, err := range o.journal.Read(t.Context(), 0) {
		require.NoError(t, err)
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func buy(symbol market.Symbol, quantity, limit string) broker.Ticket {
	return broker.NewTicket(broker.Order{Legs: []broker.Leg{leg(symbol, broker.BuyToOpen, quantity)}, Type: broker.Limit, Limit: dec(limit)})
}

func place(t broker.Ticket) broker.Intent {
	return broker.Intent{Kind: broker.IntentPlace, Ticket: t}
}

func violated(t testing.TB, err error, limit string) {
	t.Helper()
	refusal, ok := errors.AsType[*broker.RefusedError](err)
	require.True(t, ok, "%v", err)
	require.True(t, refusal.Has(limit), "%v is not for %s", err, limit)
	require.ErrorIs(t, err, broker.ErrRefused)
}

func holds(symbol market.Symbol, quantity, mark string) broker.Position {
	multiple := decimal.NewFromInt(1)
	if symbol.Kind() == market.KindOption {
		multiple = decimal.NewFromInt(100)
	}
	return broker.Position{Account: desk, Symbol: symbol, Quantity: *dec(quantity), Multiplier: multiple, Mark: dec(mark), PrevClose: dec(mark)}
}
