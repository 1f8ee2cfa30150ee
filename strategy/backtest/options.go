package backtest

import (
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// Options say what is run. Market and one account with a strategy are required.
type Options struct {
	// Market is what is replayed.
	Market *Market
	// Accounts are traded by one strategy each, side by side in one market.
	Accounts []Account
	// Rules say how orders fill and what they cost. The zero value is this
	// project's own: see [Rules].
	Rules Rules
	// From and To cut the replay: bars that start in [From, To), quotes in [From,
	// To). Zero: all there is. Bars before From are the history that strategies ask
	// for by Needs.History.
	From, To time.Time
	// Seed makes what is random in the exchange.
	Seed uint64
	// Curve says how much of the equity curve is kept.
	Curve CurveOptions
	// Greeks asks for the Greeks of the positions at each point of the curve at
	// which options are held.
	Greeks bool
	// Observer is told what happens while it happens. Nil: nobody.
	Observer Observer
	// Progress is told how far the run is, at most every ProgressEvery of real time
	// (zero: a second). Nil: nobody.
	Progress      func(Progress)
	ProgressEvery time.Duration
	// Clock measures the real time that the run takes. Nil: the system's.
	Clock market.Clock
	// Version names the code that ran, for the result; empty: that of the build.
	Version string

	workspace *workspace // of a search; nil: the run makes its own
}

// An Account is money and the strategy that trades it.
type Account struct {
	// ID names the account; empty: "BACKTEST" and its number from the second on.
	ID broker.AccountID
	// Strategy decides. It must be new, or restored.
	Strategy strategy.Strategy
	// Name is that of the strategy, and begins the tags of its orders; empty:
	// "strategy". What a tag cannot hold is left out there.
	Name string
	// Params are those that the strategy was made with, for the result.
	Params json.RawMessage
	// Cash that the account begins with. Required, positive.
	Cash decimal.Decimal
	// CashAccount makes it one that pays for everything in full. Otherwise it has
	// margin and may trade futures.
	CashAccount bool
	// Type is the account's type as brokers name it, such as "Roth IRA".
	Type string
	// Positions that it begins with.
	Positions []paper.Position
	Budget    strategy.Budget
}

// CurveOptions say how much of the equity curve is kept.
type CurveOptions struct {
	// Every keeps one point for each span of this length: the last one in it. Zero
	// keeps a point for each instant at which bars or quotes came. The last point of
	// a run is always kept.
	Every time.Duration
	// Most keeps at most so many points: when there are more, the span doubles until
	// they fit, so that memory does not grow with the length of the history. Zero:
	// no limit. Otherwise at least 16.
	Most int
	// Records bounds what else is kept in memory: fills, trades, orders,
	// transactions, notes and Greeks, each the last so many of them. An observer is
	// told all of them. Zero: no limit.
	Records int
}

// A Progress tells how far a run is.
type Progress struct {
	Done    float64       // 0 to 1; NaN when the length is not known
	Now     time.Time     // in the replay
	Elapsed time.Duration // real
	Left    time.Duration // real, estimated; 0 when not known
	Bars    int64
	Quotes  int64 // of options and others
	Value   float64
}

// An Observer is told what happens in a run, in order and by the goroutine of
// Run. An error ends the run, and Run returns it with the record of what was done.
type Observer interface {
	// Observe takes an item, which is valid until it returns.
	Observe(item *Item) error
}

// An Item is one thing that happened. Exactly one of the parts behind Account is
// set.
type Item struct {
	Time    time.Time
	Account int // index in Options.Accounts; -1 for the whole run
	// Begin comes first.
	Begin *Settings
	// Point is one of the curve, at its resolution.
	Point       *Point
	Order       *OrderEvent
	Fill        *Fill
	Trade       *Trade // a round trip that has ended
	Transaction *broker.Transaction
	Note        *strategy.Note
	Greeks      *GreeksPoint
}
