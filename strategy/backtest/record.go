package backtest

import (
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// A Record is what happened in a run. The same options give the same record, bit
// for bit.
type Record struct {
	Settings Settings
	Accounts []AccountRecord
	// Begin and End are the first and the last instant replayed; zero when there was
	// nothing.
	Begin, End time.Time
	// Bars and Quotes count what was replayed.
	Bars, Quotes int64
	// Digest names the data that was replayed: equal data have equal digests. It is
	// no protection against forgery.
	Digest string
	// Stopped says why the run ended before its data did; empty when it did not.
	Stopped string
}

// Settings are what a run was asked for, so that it can be repeated.
type Settings struct {
	Strategies []StrategySettings `json:"strategies"`
	Rules      string             `json:"rules"` // Rules.Name and its settings
	Data       []string           `json:"data"`  // what was replayed, by name
	From       time.Time          `json:"from,omitzero"`
	To         time.Time          `json:"to,omitzero"`
	Seed       uint64             `json:"seed"`
	Version    string             `json:"version"` // of the code
}

// StrategySettings are those of one account.
type StrategySettings struct {
	Account broker.AccountID `json:"account"`
	Name    string           `json:"name"`
	Params  json.RawMessage  `json:"params,omitempty"`
	Cash    decimal.Decimal  `json:"cash"`
}

// An AccountRecord is what happened in one account.
type AccountRecord struct {
	Account broker.AccountID
	Curve   Curve
	Fills   []Fill
	// Trades are the round trips that have ended, in the order of their end, and
	// then those still open, with Open set.
	Trades       []Trade
	Orders       []OrderEvent
	Transactions []broker.Transaction
	Notes        []strategy.Note
	Greeks       []GreeksPoint
	// Warmup is how many of the first bars of its first symbol the strategy wanted
	// before it decides: the greatest of Needs.History and 1, less what came before
	// the run.
	Warmup int
	// Fees, Realized are sums over the run: fees negative, realised profit before
	// fees.
	Fees, Realized decimal.Decimal
	// Cash and Value are those at the end, exact. Value is nil when a position has no
	// known price.
	Cash  decimal.Decimal
	Value *decimal.Decimal
	// Positions are those at the end.
	Positions []broker.Position
	// State is the strategy's snapshot at the end; nil when it could not be taken.
	State json.RawMessage
}

// A Point is the state of an account at an instant, in dollars.
type Point struct {
	Time time.Time
	Cash float64
	// Value is what everything in the account is worth; NaN when a price is not
	// known and the rules for missing quotes leave it so.
	Value float64
	// Exposure is the sum of the absolute values of the positions: quantity ×
	// multiplier × price; NaN when a price is not known.
	Exposure float64
	// Price is the close of the first symbol of the market, for comparison; NaN
	// before there was one.
	Price float64
}

// A Curve is points in columns of one length.
type Curve struct {
	Time                         []int64 // Unix nanoseconds
	Cash, Value, Exposure, Price []float64
	// Bars is the number of the latest bar of the first symbol at each point, from 0;
	// -1 before there was one.
	Bars []int64
}

// Len is the number of points.
func (c *Curve) Len() int { return len(c.Time) }

// At returns a point.
func (c *Curve) At(i int) Point {
	return Point{Time: time.Unix(0, c.Time[i]).In(market.NYSE().Location()), Cash: c.Cash[i], Value: c.Value[i], Exposure: c.Exposure[i], Price: c.Price[i]}
}

// A Fill is an execution.
type Fill struct {
	broker.Fill
	// Bar is the number of the bar of its symbol in which it happened, from 0; of a
	// fill at a close that is over, that bar; -1 when the symbol has no bars.
	Bar        int64
	Multiplier decimal.Decimal
	// Tag is that of the order.
	Tag string
}

// A Trade is a round trip: a quantity that was opened and closed again. What is
// closed is what was opened first.
type Trade struct {
	Symbol     market.Symbol
	Quantity   decimal.Decimal // signed: negative when it was sold first
	Multiplier decimal.Decimal
	EntryTime  time.Time
	ExitTime   time.Time // of an open trade: of its mark
	EntryBar   int64     // as in Fill
	ExitBar    int64
	EntryPrice decimal.Decimal
	ExitPrice  decimal.Decimal // of an open trade: its mark
	// Fees are those of both ends, negative; of orders of which only a part belongs
	// to the trade, that part.
	Fees decimal.Decimal
	// Profit is what it brought, after fees.
	Profit decimal.Decimal
	// Ended says how: "trade", "exercise", "assignment", "expiration", "split", as
	// broker.TransactionKind; empty while it is open.
	Ended broker.TransactionKind
	Open  bool
	Tag   string // of the order that opened it
}

// An OrderEvent is a change of an order's state.
type OrderEvent struct {
	Time   time.Time
	ID     broker.OrderID
	Tag    string
	Status broker.Status
	Reason string
	// Order is what was asked for, with the first event of an order; otherwise nil.
	Order *broker.Order
}

// A GreeksPoint are the Greeks of an account's positions at an instant, summed
// over quantity × multiplier: delta in shares of the underlying, theta per day,
// vega per 1.00 of volatility. NaN when an implied volatility is not known.
type GreeksPoint struct {
	Time                           time.Time
	Underlying                     market.Symbol
	Delta, Gamma, Theta, Vega, Rho float64
	Price                          float64 // of the underlying
	Options                        int     // contracts held: the long less the short ones
	// VegaGain is that of Gains.
	VegaGain float64
	// Gains are what the positions brought since the point before, or since their
	// Greeks were last known; nil when that was not counted.
	Gains *GreekGains
}

// GreekGains are dollars that positions brought between two points, by cause, with dS
// the change of the price and dt that of time. For what was held at both they add up to
// the change of the marks.
type GreekGains struct {
	Delta float64 // Δ·dS
	Gamma float64 // ½·Γ·dS²
	Theta float64 // Θ·dt
	// Vega is the mark at the second point less the value there by the volatility of
	// the first.
	Vega float64
	// Higher is what time and price brought beyond the first three: it is large when
	// the price moves far, or an option is near its end.
	Higher float64
}
