package backtest

import (
	"time"

	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// Rules say how orders fill, what they cost and what happens when data is
// missing. The zero value is the project's own: bars are walked from the open to
// the nearer extreme, orders meet the next bar or quote, margin is that of
// Regulation T, nothing costs anything, and missing quotes hold the last one.
//
// Other engines' rules are made by [BacktestingPy], [Backtrader], [Fastquant],
// [Zipline], [LEAN] and [OptionOracle].
type Rules struct {
	// Name is that of the configuration, for the result; empty: "ttai".
	Name string
	// Settings describes what Name was set up with, for the result. Empty: what
	// differs from the zero value is described.
	Settings string

	// These are those of paper.Options.
	Fees          paper.FeeSchedule
	Margin        paper.MarginModel
	Slippage      paper.Slippage
	Latency       paper.Latency
	Path          paper.Path
	Trigger       paper.Trigger
	CheatOnClose  bool
	IgnoreSizes   bool
	NoImprovement bool
	FreePrices    bool
	Continuous    bool
	RecheckAtFill bool
	CheckAtFill   bool
	Unchecked     bool
	Shortable     func(market.Symbol) bool
	BorrowRate    func(market.Symbol, time.Time) float64
	Lifecycle     paper.Lifecycle

	// Lasting keeps day orders until they fill, and SplitOrders adjusts working orders
	// for splits: see paper.Options.
	Lasting     bool
	SplitOrders bool

	// Size decides how many units an order for a share of the account is for, at the
	// moment and price of its fill: 0 cancels it. Such an order is a market order
	// with a Notional, which stands for its share of the account's equity at the time
	// it is given, or one that uses all the account has: for as many units as Size
	// gives for a share of 1 at the last price, or more. Nil: a Notional is an amount
	// of money, and every other quantity stands.
	Size func(SizeInput) float64
	// Exclusive lets each order that opens cancel what works and close what is held
	// before.
	Exclusive bool
	// Ruin ends the run of an account whose value is not above zero: everything is
	// closed at the last prices and nothing is left.
	Ruin bool
	// Adjusted says that bars are adjusted for dividends and splits: those of
	// Market.Events are then known to strategies and not carried out.
	Adjusted bool
	// PointFirst takes the point of the equity curve before the strategies decide:
	// what they do at a close then counts as of the next bar.
	PointFirst bool
	// Finish says what happens to positions when the data ends.
	Finish Finish
	// Missing says what options are worth while they have no quote.
	Missing MissingQuotes
}

// A Finish says what happens to open positions when the data ends.
type Finish int8

// The ways.
const (
	// KeepOpen values them at their marks.
	KeepOpen Finish = iota
	// CloseAtLastClose sells and buys them back at the last closes.
	CloseAtLastClose
	// CloseAtLastOpen does so at the opens of the last bars: backtesting.py runs the
	// last bar a second time.
	CloseAtLastOpen
	// CloseAtPreviousClose does so at the closes before the last ones, which
	// backtesting.py takes when it trades on the close.
	CloseAtPreviousClose
)

// A SizeInput is what the size of an order is decided from.
type SizeInput struct {
	Share  float64 // of the equity, above 0
	Price  float64 // that it fills at, without slippage
	Buy    bool
	Cash   float64
	Equity float64 // at the prices of the fill; NaN when a price is not known
	Used   float64 // the absolute value of what is held
}

// MissingQuotes say what an option is worth when its chain came without it, or
// with a quote that says nothing.
type MissingQuotes struct {
	// Policy is what is done.
	Policy MissingPolicy
	// Limit is how long HoldLast keeps a price; zero: without limit. Afterwards the
	// value is not known.
	Limit time.Duration
}

// A MissingPolicy says what is done.
type MissingPolicy int8

// The policies.
const (
	// HoldLast keeps the last mark, up to the limit.
	HoldLast MissingPolicy = iota
	// FromSurface prices the option with the implied volatilities of the quotes of
	// its chain that are there, interpolated in strike and expiry; where they do not
	// reach, the last mark is held up to the limit.
	FromSurface
	// LeaveAbsent leaves the value unknown: points of the curve are NaN.
	LeaveAbsent
)

var pathNames = map[paper.Path]string{
	paper.NearerFirst: "nearer first", paper.HighFirst: "high first", paper.LowFirst: "low first", paper.Pessimistic: "pessimistic",
	paper.OpenOnly: "open only", paper.CloseOnly: "close only",
}
