package broker

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// GuardOptions are the settings of a [Guard]. With the zero value accounts can be
// read and nothing is traded.
type GuardOptions struct {
	// Limits are what is allowed. The zero value allows nothing.
	Limits Limits
	// Unreadable is why the operator's settings could not be read. When it is set
	// trading is off, whatever Limits say, and refusals name it.
	Unreadable error
	// Approvers decide about orders, each with a method of its own.
	Approvers []Approver
	// State is shared by all processes of a home; nil is a [MemoryState], which is
	// not.
	State State
	// Journal is where every step goes; nil is a [MemoryJournal].
	Journal Journal
	// Quotes prices orders anew before they are sent. Nil knows no prices: then
	// price_band must be "none", and what depends on a price is not known, which
	// counts as too much.
	Quotes Quoter
	// Clock is the real one when nil.
	Clock market.Clock
	// Hours returns the phase of an instrument's trading day; nil is [PhaseOf], by
	// the exchanges' calendars.
	Hours func(s market.Symbol, at time.Time) market.Phase
	// Home tells this guard's keys in State from others'; "guard" when empty. All
	// processes of a home and broker use the same.
	Home string
	// Logger is told what the journal is told, without orders' contents. Nil is
	// silent.
	Logger *slog.Logger
}

// A Quoter returns the latest quotes. Every market.Source is one.
type Quoter interface {
	// Quotes returns what there is in the order asked, and a *market.MissingError for
	// the rest.
	Quotes(ctx context.Context, symbols []market.Symbol) ([]market.Quote, error)
}

// A Guard stands between everybody who trades and a broker. It is a Broker itself,
// and there is no other way through it to the broker's writing half:
//
//   - an order is validated, compared with the broker's capabilities, previewed by
//     the broker and checked against the [Limits];
//   - its exact bytes are stored under a random id: [Guard.Prepare];
//   - somebody other than the model approves it: [Approver];
//   - [Guard.Submit] takes the id alone, looks at quotes and limits again, claims
//     the preview durably and once, reserves what the order could cost in a book that
//     all processes share, and sends it once;
//   - an outcome that is not known is looked up by the order's tag, and never sent
//     again: [Guard.Reconcile];
//   - every step is in the journal before it is taken. What cannot be journaled is
//     not done.
//
// [Guard.Place], [Guard.Replace] and [Guard.Cancel] walk the same path in one call,
// for programs whose approver answers by itself. It is safe for concurrent use, by
// any number of processes that share State and Journal.
type Guard struct {
	broker    Broker
	limits    Limits
	off       error // why trading is off whatever the limits say; nil when it is not
	approvers []Approver
	state     State
	journal   Journal
	quotes    Quoter
	clock     market.Clock
	phase     func(market.Symbol, time.Time) market.Phase
	home      string
	log       *slog.Logger
}

var _ Broker = (*Guard)(nil)

// NewGuard puts a guard before a broker. The error joins a *FieldError for each
// setting that makes no sense. Settings that could not be read are no error: see
// [GuardOptions.Unreadable].
func NewGuard(b Broker, opts GuardOptions) (*Guard, error) {
	if b == nil {
		return nil, invalid.Missing("broker", "a broker")
	}
	if _, ok := b.(*Guard); ok {
		return nil, invalid.Missing("broker", "a broker that has no guard yet")
	}
	if err := checkApprovers(opts.Approvers); err != nil {
		return nil, err
	}
	if !homeName(opts.Home) {
		return nil, invalid.Field("Home", opts.Home, "at most 32 of a-z, 0-9, '-'")
	}
	g := &Guard{
		broker: b, limits: opts.Limits.clone(), off: opts.Unreadable, approvers: slices.Clone(opts.Approvers),
		state: opts.State, journal: opts.Journal, quotes: opts.Quotes, clock: opts.Clock, phase: opts.Hours,
		home: opts.Home, log: opts.Logger,
	}
	if g.off != nil {
		g.limits = Limits{}
	}
	if err := g.limits.Validate(); err != nil {
		return nil, err
	}
	if g.limits.Mode != ModeOff {
		if _, err := g.limits.Approval.required(b.Environment(), Loss{}, nil); err != nil {
			return nil, err
		}
	}
	g.defaults()
	return g, nil
}

func (g *Guard) defaults() {
	if g.clock == nil {
		g.clock = market.SystemClock()
	}
	if g.state == nil {
		g.state = &MemoryState{Now: g.clock.Now}
	}
	if g.journal == nil {
		g.journal = &MemoryJournal{Now: g.clock.Now}
	}
	if g.phase == nil {
		g.phase = PhaseOf
	}
	if g.home == "" {
		g.home = "guard"
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
}

func checkApprovers(approvers []Approver) error {
	seen := map[string]bool{}
	for _, a := range approvers {
		if a == nil {
			return invalid.Missing("Approvers", "approvers that are not nil")
		}
		if m := a.Method(); m == "" || !homeName(m) || seen[m] {
			return invalid.Field("Approvers", m, "a method of its own for each, 1 to 32 of a-z, 0-9, '-'")
		}
		if a.Grade() <= GradeNone || a.Grade() > GradeAnotherAccount {
			return invalid.Field("Approvers", a.Method(), "approvers with a known grade above none")
		}
		seen[a.Method()] = true
	}
	return nil
}

func homeName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return len(s) <= 32
}

func (l Limits) clone() Limits {
	l.Accounts, l.Symbols, l.Kinds = slices.Clone(l.Accounts), slices.Clone(l.Symbols), slices.Clone(l.Kinds)
	l.Approval.Above = slices.Clone(l.Approval.Above)
	return l
}

// Limits returns a copy of what is allowed.
func (g *Guard) Limits() Limits { return g.limits.clone() }

// Environment tells whether this is real money.
func (g *Guard) Environment() Environment { return g.broker.Environment() }

// Capabilities are the broker's.
func (g *Guard) Capabilities() Capabilities { return g.broker.Capabilities() }

// Accounts lists the accounts.
func (g *Guard) Accounts(ctx context.Context) ([]Account, error) { return g.broker.Accounts(ctx) }

// Balances returns an account's money.
func (g *Guard) Balances(ctx context.Context, account AccountID) (*Balances, error) {
	return g.broker.Balances(ctx, account)
}

// Positions returns an account's positions.
func (g *Guard) Positions(ctx context.Context, account AccountID) ([]Position, error) {
	return g.broker.Positions(ctx, account)
}

// Order returns one order.
func (g *Guard) Order(ctx context.Context, account AccountID, id OrderID) (*OrderState, error) {
	return g.broker.Order(ctx, account, id)
}

// Orders returns orders.
func (g *Guard) Orders(ctx context.Context, account AccountID, query OrdersQuery) ([]OrderState, error) {
	return g.broker.Orders(ctx, account, query)
}

// Transactions returns an account's history.
func (g *Guard) Transactions(ctx context.Context, account AccountID, from, to time.Time) ([]Transaction, error) {
	return g.broker.Transactions(ctx, account, from, to)
}

// Events subscribes to what happens in accounts.
func (g *Guard) Events(ctx context.Context, accounts ...AccountID) (EventStream, error) {
	return g.broker.Events(ctx, accounts...)
}

// Preview asks the broker what an order would do. It stores nothing and leads to
// no order: [Guard.Prepare] does.
func (g *Guard) Preview(ctx context.Context, account AccountID, ticket Ticket) (*Preview, error) {
	return g.broker.Preview(ctx, account, ticket)
}

// PhaseOf returns the phase of an instrument's trading day by the exchanges'
// calendars: [market.TradingHoursOf], otherwise [market.CboeOptions] for options
// and [market.NYSE] for shares. Coins trade always. Futures without known hours are
// always closed.
func PhaseOf(s market.Symbol, at time.Time) market.Phase {
	if hours, ok := market.TradingHoursOf(s); ok {
		return hours.Phase(at)
	}
	switch s.Kind() {
	case market.KindCrypto:
		return market.PhaseRegular
	case market.KindOption:
		return market.CboeOptions().Phase(at)
	case market.KindEquity:
		return market.NYSE().Phase(at)
	}
	return market.PhaseClosed
}
