package strategy

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rooms"
	"github.com/ttai-go/ttai/market"
)

// SessionOptions make a session. Drivers make sessions; strategies are given one.
type SessionOptions struct {
	// Broker is where orders go. Live it is a *broker.Guard or what stands before
	// one; in replay the paper exchange.
	Broker  broker.Broker
	Account broker.AccountID
	Data    Data
	// Budget limits what the strategy may do, on top of all other limits.
	Budget Budget
	// Name begins the tags of its orders: 1 to 16 of A-Z, a-z, 0-9, '-'. Orders and
	// snapshots of a name belong together.
	Name string
	// Run stands in the tags behind the name, 1 to 16 of the same, so that no tag
	// is used twice in an account; empty: "1", which is for replays.
	Run string
	// Calendar is that of its market; nil: market.NYSE.
	Calendar *market.Calendar
	// Multiplier tells the dollars per point of what is not a share, a coin or a
	// standard option. Nil, or 0 for a symbol: the usual terms.
	Multiplier func(market.Symbol) float64
	// Apart sends the order that opens the other side only when the one that closes
	// has filled: orders on their way to a real exchange may overtake each other.
	// A replay, whose exchange fills orders in their order, sends both at once, so
	// that both can fill at the same price.
	Apart bool
	// Notes gets what the strategy says. Nil: nobody.
	Notes func(Note)
}

// A Budget is what a strategy may use. The zero value of a field is no limit.
type Budget struct {
	Loss      decimal.Decimal // stop opening when it has lost so much, fees included
	Capital   decimal.Decimal // buying power that it may use at once
	Notional  decimal.Decimal // of one order: see [Session.Place]
	Contracts int             // open in any one option
	Orders    int             // a day
}

// A Note is something that a strategy says about itself. Results keep them.
type Note struct {
	Time   time.Time
	Text   string
	Values []Value // numbers that may be drawn over time, such as a delta
}

// A Value is a named number; NaN when it is not known.
type Value struct {
	Name  string
	Value float64
}

// A BrokerReader is what a strategy sees of its broker beside the methods of
// [Session] that trade.
type BrokerReader interface {
	broker.Reader
	broker.Previewer
	broker.OrderReader
	broker.HistoryReader
	Capabilities() broker.Capabilities
}

// A Session is what a strategy acts on. It is not safe for concurrent use: the
// driver and the strategy take turns.
//
// It keeps a book of the strategy's positions and orders, which fills and what
// else happens to the account keep current: no method asks the broker unless it
// says so. The book holds everything in the account that is in the symbols of
// [Needs], or in options on them: two strategies that trade the same symbols
// need two accounts.
type Session struct {
	opts     SessionOptions
	strategy Strategy
	needs    Needs
	ctx      context.Context
	now      time.Time

	book   book
	orders orderBook
	timers timers
	tags   rooms.Names

	ticketRoom rooms.Shelf[broker.Order]
	legRoom    rooms.Shelf[broker.Leg]
	halted     string // why, empty while it may open

	unlimited bool // nothing of the budget is a limit

	day       market.Date // of dayOrders
	dayOrders int

	date                market.Date // that of the seconds from dateFrom to dateUntil
	dateFrom, dateUntil int64
}

// NewSession returns a session for a strategy. The error is a *FieldError.
func NewSession(strategy Strategy, opts SessionOptions) (*Session, error) {
	switch {
	case strategy == nil:
		return nil, invalid.Missing("strategy", "a strategy")
	case opts.Broker == nil:
		return nil, invalid.Missing("Broker", "a broker")
	case opts.Data == nil:
		return nil, invalid.Missing("Data", "market data")
	case !tagPart(opts.Name):
		return nil, invalid.Field("Name", opts.Name, "1 to 16 of A-Z, a-z, 0-9 and '-'")
	}
	if opts.Run == "" {
		opts.Run = "1"
	}
	if !tagPart(opts.Run) {
		return nil, invalid.Field("Run", opts.Run, "1 to 16 of A-Z, a-z, 0-9 and '-'")
	}
	if err := opts.Budget.Validate(); err != nil {
		return nil, err
	}
	if opts.Calendar == nil {
		opts.Calendar = market.NYSE()
	}
	s := &Session{opts: opts, strategy: strategy, needs: strategy.Needs(), ctx: context.Background()}
	s.tags.Prefix = s.tagBegin() + opts.Run + "_"
	b := &opts.Budget
	s.unlimited = b.Loss.IsZero() && b.Capital.IsZero() && b.Notional.IsZero() && b.Contracts == 0 && b.Orders == 0
	s.book.init()
	s.timers.init()
	return s, nil
}

func tagPart(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 16
}

// Now is the present: the time of the event that is handled.
func (s *Session) Now() time.Time { return s.now }

// Context ends when the run does.
func (s *Session) Context() context.Context { return s.ctx }

// Name is that of [SessionOptions].
func (s *Session) Name() string { return s.opts.Name }

// Account is the account that it trades in.
func (s *Session) Account() broker.AccountID { return s.opts.Account }

// Broker reads the account and previews orders. Each call may go over a network.
func (s *Session) Broker() BrokerReader { return s.opts.Broker }

// Calendar is that of its market.
func (s *Session) Calendar() *market.Calendar { return s.opts.Calendar }

// Open tells whether its market's regular session is open now.
func (s *Session) Open() bool { return s.opts.Calendar.IsOpen(s.now) }

// UntilClose is how long the present regular session goes on; 0 when it is closed.
func (s *Session) UntilClose() time.Duration {
	session, ok := s.opts.Calendar.Session(s.Date())
	if !ok || s.now.Before(session.Open) || !s.now.Before(session.Close) {
		return 0
	}
	return session.Close.Sub(s.now)
}

// Date is today's date of its market.
func (s *Session) Date() market.Date {
	if now := s.now.Unix(); now < s.dateFrom || now >= s.dateUntil {
		location := s.opts.Calendar.Location()
		s.date = market.DateOf(s.now.In(location))
		s.dateFrom, s.dateUntil = s.date.In(location).Unix(), s.date.AddDays(1).In(location).Unix()
	}
	return s.date
}

// Data is what is known now.
func (s *Session) Data() Data { return s.opts.Data }

// Quote is that of [Data].
func (s *Session) Quote(symbol market.Symbol) (market.Quote, bool) { return s.opts.Data.Quote(symbol) }

// Chain is that of [Data].
func (s *Session) Chain(underlying market.Symbol) ([]market.OptionQuote, time.Time) {
	return s.opts.Data.Chain(underlying)
}

// Bars is that of [Data].
func (s *Session) Bars(symbol market.Symbol, n int) []market.Bar { return s.opts.Data.Bars(symbol, n) }

// Events is that of [Data].
func (s *Session) Events(symbol market.Symbol, from, to market.Date) []market.Event {
	return s.opts.Data.Events(symbol, from, to)
}

// Rate is that of [Data].
func (s *Session) Rate(years float64) float64 { return s.opts.Data.Rate(years) }

// Column is that of [Columns]; NaN when the data has none.
func (s *Session) Column(symbol market.Symbol, name string) float64 {
	if c, ok := s.opts.Data.(Columns); ok {
		return c.Column(symbol, name)
	}
	return math.NaN()
}

// Price is the middle of the latest quote, otherwise the latest trade, otherwise
// the close of the latest bar; NaN when nothing is known.
func (s *Session) Price(symbol market.Symbol) float64 {
	if q, ok := s.opts.Data.Quote(symbol); ok {
		if mid := q.Mid(); mid >= 0 {
			return mid
		}
	}
	if bars := s.opts.Data.Bars(symbol, 1); len(bars) > 0 {
		return bars[len(bars)-1].Close
	}
	return math.NaN()
}

// Note keeps something for the results.
func (s *Session) Note(text string, values ...Value) {
	if s.opts.Notes != nil {
		s.opts.Notes(Note{Time: s.now, Text: text, Values: values})
	}
}

// Log is Note with a formatted text. Nothing is formatted when nobody listens.
func (s *Session) Log(format string, args ...any) {
	if s.opts.Notes != nil {
		s.opts.Notes(Note{Time: s.now, Text: fmt.Sprintf(format, args...)})
	}
}

// Halt stops opening: from now on orders that open are refused with ErrHalted,
// also after a restart. What is open stays open; see [Session.Flatten].
func (s *Session) Halt(reason string) {
	if s.halted == "" {
		s.halted = reason
		s.Log("halted: %s", reason)
	}
}

// Halted returns why it may not open; empty while it may.
func (s *Session) Halted() string { return s.halted }

// Start begins the run at a time: it reads the account, restores state (of
// [Session.Snapshot]; nil begins anew) and calls the strategy's Begin. It is for
// drivers.
func (s *Session) Start(ctx context.Context, now time.Time, state json.RawMessage) error {
	s.ctx, s.now = ctx, now
	if state != nil {
		if err := s.restore(state); err != nil {
			return err
		}
	}
	if err := s.Sync(ctx); err != nil {
		return err
	}
	return s.strategy.Begin(s)
}

// Deliver moves the time on to the event's, brings the book up to date and hands
// the event to the strategy. Orders and fills that are none of the strategy's
// business are not handed on. It is for drivers, and events must come in the
// order of their time. The error is the strategy's, and ends the run.
func (s *Session) Deliver(e *Event) error {
	s.now = e.Time
	if e.Kind > ChainEvent && !s.note(e) {
		return nil
	}
	return s.strategy.Handle(s, e)
}

// Fire delivers the timers that are due at or before a time, each at its own. It
// is for drivers, before each event of that time.
func (s *Session) Fire(to time.Time) error {
	if !s.timers.due(to) {
		return nil
	}
	return s.fire(to)
}
