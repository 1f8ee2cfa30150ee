package paper

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// Options set an exchange up. The zero value of each field is a sensible
// choice, except that Start or Clock is required. The functions and interfaces
// are called with the exchange locked: they must not call it.
type Options struct {
	// Environment is what results about accounts say; empty: broker.Paper.
	Environment broker.Environment
	// Start is the time before the first input. Required without a Clock.
	Start time.Time
	// Clock gives the time of a live exchange. Without it time stands still but
	// for what Advance and the times of quotes, trades and bars say.
	Clock market.Clock
	// Seed makes the random parts, which are those of Latency.
	Seed uint64
	// Accounts are open from the start. More can be opened later.
	Accounts []Account
	// Instrument describes what the usual terms do not: futures' multipliers,
	// other ticks. Nil, or false for a symbol: the usual terms, see [Terms].
	Instrument func(market.Symbol) (market.Instrument, bool)
	// Fees are charged on fills. Nil: none.
	Fees FeeSchedule
	// Margin says what the positions of margin accounts require. Nil: the zero
	// broker.MarginRules, which are Regulation T; for accounts whose Type names an
	// IRA, those of a retirement account. Cash accounts pay in full whatever this is.
	Margin MarginModel
	// Slippage worsens market orders and triggered stops. Nil: none.
	Slippage Slippage
	// Latency delays orders. The zero value is none: an order is live, and may be
	// filled, before Place returns.
	Latency Latency
	// Path is what is assumed about the way of prices inside a bar.
	Path Path
	// CheatOnClose fills market orders that are placed between bars at the close
	// of the bar before. It knows a price that nobody could still trade at; some
	// backtesters do it by default. Without it they fill at the next bar's open.
	CheatOnClose bool
	// Trigger says which prices touch stops.
	Trigger Trigger
	// IgnoreSizes fills orders whole, whatever sizes quotes and trades have.
	IgnoreSizes bool
	// NoImprovement fills a limit order that was waiting in the book at its limit
	// when the quote comes to it, as if another had traded against it. Without it,
	// it fills at the quote, which can be better.
	NoImprovement bool
	// FreePrices takes orders at any price and rounds no fill: for adjusted bars.
	// Without it a limit or stop off the instrument's tick is refused.
	FreePrices bool
	// Continuous ignores trading hours: everything trades always, and a day ends
	// at midnight in New York.
	Continuous bool
	// RecheckAtFill checks the buying power of opening orders again when they
	// fill, and cancels them when it no longer suffices.
	RecheckAtFill bool
	// CheckAtFill asks for the buying power of opening orders when they fill, and not
	// when they are given: orders that are given before it, and close something, may
	// have brought it by then.
	CheckAtFill bool
	// Unchecked leaves out the checks of buying power and cover. Quantities to
	// close are checked all the same.
	Unchecked bool
	// Shortable tells which shares can be borrowed. Nil: all.
	Shortable func(market.Symbol) bool
	// BorrowRate is the yearly rate, as a decimal, that short shares cost. Nil: 0.
	BorrowRate func(market.Symbol, time.Time) float64
	// Units decides how many units an order with a Notional is for, when it fills.
	// Nil, or false: as many as the notional amount buys, to a millionth. Of a group,
	// the orders that it sends are then for as many. The buying power of an order
	// whose units were so decided is not checked again when it fills.
	Units func(UnitsInput) (decimal.Decimal, bool)
	// Lasting keeps day orders until they fill or are cancelled.
	Lasting bool
	// SplitOrders adjusts working orders in shares that are split, as long as
	// nothing of them has filled and whole shares result, instead of cancelling them.
	SplitOrders bool
	// Lifecycle says what happens at expiry, before dividends and in margin calls.
	Lifecycle Lifecycle
	// Observer is told every event of every account, in order and after the input
	// that caused it, without a lock held: it may call the exchange.
	Observer func(broker.Event)
	// Remember bounds what is kept of the past: at least so many of the orders that
	// have ended and of the transactions of each account can be asked for, and about
	// twice as many are kept. Tags of forgotten orders may be used again. Zero:
	// everything is kept, which Snapshot needs.
	Remember int
	// Brief tells the observer and the streams nothing of balances and positions,
	// which cost more to count than a fill: fills and transactions say what changed.
	// What is told of one order then shares its legs, fills and fees: it is read-only.
	// The order and the transaction that an event points to are the observer's only
	// until it returns: what it keeps, it copies.
	Brief bool
}

// A UnitsInput is what the units of an order are decided from.
type UnitsInput struct {
	Account AccountID
	Order   broker.Order // read-only
	Price   float64      // that it would fill at, without slippage
	// Cash is that of the account; Equity is its net liquidating value, positions
	// at the prices of the same moment. Used is the sum of the absolute values of its
	// positions. Equity is nil when a price is not known.
	Cash, Used decimal.Decimal
	Equity     *decimal.Decimal
}

// An Account is one to be opened. Margin decides whether it is a margin account.
type Account struct {
	broker.Account
	Cash      decimal.Decimal
	Positions []Position
}

// A Position is a holding of an account that is opened.
type Position struct {
	Symbol   market.Symbol
	Quantity decimal.Decimal // signed, not zero
	// AverageOpenPrice is per unit and positive.
	AverageOpenPrice decimal.Decimal
	OpenedAt         time.Time // zero: when the account is opened
}

// Latency is how long the stages of an order take. Each delay is the given time
// plus a random part of up to Jitter, made from the exchange's seed.
type Latency struct {
	Route   time.Duration // from received to routed
	Live    time.Duration // from routed to live
	Cancel  time.Duration // from the request to the end
	Replace time.Duration // from the request until the new order is live
	Jitter  time.Duration
}

// A Trigger says which prices touch a stop.
type Trigger int8

// The triggers.
const (
	// TriggerAny: a trade, or the side of the quote that the order would trade at:
	// the ask at or above a stop to buy, the bid at or below a stop to sell.
	TriggerAny Trigger = iota
	// TriggerQuote is the quote alone.
	TriggerQuote
	// TriggerTrade is trades alone.
	TriggerTrade
)

// A Path is what is assumed about the order of prices inside a bar.
//
// On a path, the price moves without gaps from one point to the next; only the
// open can be a gap from the bar before. Limits fill at their limit and stops at
// their stop where the path crosses them, and at the open when that is beyond
// them: better for limits, worse for stops. An order that a fill sends (the exits
// of a bracket) is live from that point of the path on.
type Path int8

// The paths.
const (
	// NearerFirst: open, the extreme nearer to the open, the other, close. When
	// both are as near, the low is first.
	NearerFirst Path = iota
	// HighFirst: open, high, low, close.
	HighFirst
	// LowFirst: open, low, high, close.
	LowFirst
	// Pessimistic: at the open as on a path; then every stop that the range holds
	// fills at its stop, then every limit that is left and in the range at its
	// limit. What an order sends that filled inside the range waits for the next
	// bar, as does a stop-limit whose limit lies behind its stop.
	Pessimistic
	// OpenOnly: the open alone.
	OpenOnly
	// CloseOnly: the close alone. Orders wait for the next bar's close.
	CloseOnly
)

// A Quote is the top of a book. A price that is NaN or not positive is not
// there: nothing trades against it. A size of NaN is not known and counts as
// enough. When the bid is above the ask the quote is crossed and fills nothing.
type Quote struct {
	Symbol           market.Symbol
	Time             time.Time // zero: now
	Bid, Ask         float64
	BidSize, AskSize float64 // shares or contracts
}

// A Trade is a print. It touches stops, and fills limit orders that it traded
// through at their limit, up to its size.
type Trade struct {
	Symbol market.Symbol
	Time   time.Time // zero: now
	Price  float64   // positive
	Size   float64   // NaN: not known, counts as enough
	// Closing marks the print of the closing auction, at which on-close orders
	// fill. Pushed with the time of the close, it comes before the close.
	Closing bool
}

// A Bar is the trading of one interval, pushed when it is over.
type Bar struct {
	market.Bar
	Symbol   market.Symbol
	Interval market.Interval // empty: a day
}

// A FeeSchedule says what fills cost; *[broker.FeeSchedule] is one. An error
// cancels the order instead of filling it.
type FeeSchedule interface {
	Fees(date market.Date, e broker.FeeEvent) (broker.Fees, error)
}

// A MarginModel says what positions require; *[broker.MarginRules] is one. An
// error, or a violation, refuses the order that leads to them.
type MarginModel interface {
	Requirement(in broker.MarginInput) (*broker.Margin, error)
}

// AccountID is broker.AccountID.
type AccountID = broker.AccountID
