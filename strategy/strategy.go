// Package strategy runs trading strategies: the same code in replay, on paper
// and live.
//
// A [Strategy] gets events in the order of their time (bars, quotes, chains,
// orders and fills, timers) and acts on its [Session], whose orders go through a
// broker.Broker and nothing else. It has no clock and no market data of its own:
// what it may know is what the session tells it, so that it cannot look ahead.
//
// Two drivers feed a session: [Run] with live data, and the replay engine of
// package strategy/backtest. The built-in strategies are found by [Lookup].
package strategy

import (
	"encoding/json"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// A Strategy decides. It is driven by one goroutine and needs no locks.
type Strategy interface {
	// Needs says what must be fed to it. It is asked once, before Begin.
	Needs() Needs
	// Begin is called once before the first event, after a Restore if there is one.
	// Positions and working orders of the account can be asked from the session, so
	// that a strategy takes up what it left.
	Begin(s *Session) error
	// Handle takes the next event, which is valid until it returns. An error ends
	// the run; what went wrong with one order is no such error.
	Handle(s *Session, e *Event) error
	// Snapshot returns the state as JSON: given to Restore of a new strategy with
	// the same parameters, it goes on as if it had never stopped.
	Snapshot() (json.RawMessage, error)
	// Restore takes up a snapshot. The error is a *FieldError.
	Restore(state json.RawMessage) error
}

// A Skimmer is a strategy that takes most of its bars in passing, which is quicker
// than an event for each: a replay looks for it, other drivers need not. What
// happens is the same either way.
type Skimmer interface {
	Strategy
	// Skim takes a bar of the one symbol of Needs that has just ended, ahead of
	// Handle, and tells whether that was all. When it was not, Handle is called with
	// the same bar next, acts on it and does not take it again. Skim knows nothing but
	// the bar, which is valid until it returns: the session still stands at the event
	// before.
	Skim(b *market.Bar) bool
}

// Pass moves the time on to the end of a bar that the strategy took in passing: see
// [Skimmer]. It is for drivers, before the next event.
func (s *Session) Pass(to time.Time) { s.now = to }

// Needs say what a strategy is to be fed with.
type Needs struct {
	// Symbols are those whose bars or quotes it gets.
	Symbols []market.Symbol
	// Interval is that of its bars; empty: no bars.
	Interval market.Interval
	// Quotes asks for each change of the quotes of Symbols, and of what it holds.
	Quotes bool
	// Chains are the underlyings whose option chains it gets: each snapshot that
	// there is in replay, and every ChainEvery live.
	Chains     []market.Symbol
	ChainEvery time.Duration
	// ChainDays leaves out options that expire in more days than this from a live
	// chain, ChainFrom those that expire in fewer, ChainRange strikes that are
	// further from the underlying's price than this part of it. Zero asks for all,
	// which can be thousands of contracts. Contracts that are held are quoted one by
	// one besides. A replay gives what it has.
	ChainDays  int
	ChainFrom  int
	ChainRange float64
	// History is how many bars of each symbol before the first event it wants to
	// be able to ask for.
	History int
}

// A Kind says what an event is.
type Kind int8

// The kinds.
const (
	BarEvent   Kind = iota + 1 // a bar has ended
	QuoteEvent                 // a quote has changed
	ChainEvent                 // a snapshot of an option chain
	OrderEvent                 // an order has changed its state
	FillEvent                  // an order was filled, wholly or in part
	// AccountEvent is what happened to the account without an order: assignment,
	// exercise, expiry, a dividend.
	AccountEvent
	TimerEvent // a timer set by Session.Timer is due
	// GapEvent: something may have been missed before it. Orders and positions were
	// read anew; quotes were not seen.
	GapEvent
	EndEvent // the last event of a replay, or of a run that is stopped
)

// An Event is what a strategy is told. Kind says which part is set.
type Event struct {
	Kind        Kind
	Time        time.Time
	Symbol      market.Symbol // of the bar, quote or fill; the underlying of a chain
	Bar         market.Bar
	Quote       market.Quote
	Chain       []market.OptionQuote // ordered as market.Source.Chain orders it; read-only
	Order       *broker.OrderState
	Fill        *broker.Fill
	Transaction *broker.Transaction
	Timer       string
}

// Data is what is known at the present of a session: nothing of it is later than
// Session.Now. Slices are read-only and valid until the next event.
type Data interface {
	// Quote returns the latest quote, options included; false when there was none.
	Quote(symbol market.Symbol) (market.Quote, bool)
	// Chain returns the latest snapshot of an underlying's options and its time;
	// nil when there was none.
	Chain(underlying market.Symbol) ([]market.OptionQuote, time.Time)
	// Bars returns the last n bars that have ended, ascending; fewer when there are
	// fewer.
	Bars(symbol market.Symbol, n int) []market.Bar
	// Events returns announced earnings, dividends and splits in [from, to]: in a
	// replay only those whose announcement can have been known.
	Events(symbol market.Symbol, from, to market.Date) []market.Event
	// Rate returns the continuous risk-free rate for a time to expiry.
	Rate(years float64) float64
}

// Columns is what [Data] may know besides: named numbers that come with the bars
// of a symbol, such as a score of the day's news.
type Columns interface {
	// Column returns the number of the latest bar that has ended, NaN when there is
	// none.
	Column(symbol market.Symbol, name string) float64
}
