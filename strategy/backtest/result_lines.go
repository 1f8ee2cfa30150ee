package backtest

import (
	"math"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// A Line is one line of a streamed result, as JSON. Lines with a number come in
// its order, without a gap, and are the same each time a run is repeated; lines
// without one (progress) are only for who is watching.
type Line struct {
	// N counts the lines from 1: who lost the stream goes on after the last N seen.
	N int64 `json:"n,omitempty"`
	// Kind is begin, point, order, fill, trade, transaction, note, greeks, trial,
	// progress, gap or end, and names the part that is set.
	Kind    string           `json:"kind"`
	Time    time.Time        `json:"time,omitzero"`
	Account broker.AccountID `json:"account,omitempty"`

	Begin       *Settings        `json:"begin,omitempty"`
	Point       *PointLine       `json:"point,omitempty"`
	Order       *OrderLine       `json:"order,omitempty"`
	Fill        *FillLine        `json:"fill,omitempty"`
	Trade       *TradeLine       `json:"trade,omitempty"`
	Transaction *TransactionLine `json:"transaction,omitempty"`
	Note        *NoteLine        `json:"note,omitempty"`
	Greeks      *GreeksLine      `json:"greeks,omitempty"`
	Trial       *Trial           `json:"trial,omitempty"`
	Progress    *ProgressLine    `json:"progress,omitempty"`
	Gap         *GapLine         `json:"gap,omitempty"`
	End         *EndLine         `json:"end,omitempty"`
}

// A PointLine is a point of the equity curve.
type PointLine struct {
	Time     time.Time    `json:"time"`
	Cash     market.Float `json:"cash"`
	Value    market.Float `json:"value"`
	Exposure market.Float `json:"exposure"`
	Price    market.Float `json:"price"`
}

func newPointLine(p Point) PointLine {
	return PointLine{p.Time, market.Float(p.Cash), market.Float(p.Value), market.Float(p.Exposure), market.Float(p.Price)}
}

// An OrderLine is a change of an order's state.
type OrderLine struct {
	Time   time.Time      `json:"time"`
	ID     broker.OrderID `json:"id"`
	Tag    string         `json:"tag,omitempty"`
	Status broker.Status  `json:"status"`
	Reason string         `json:"reason,omitempty"`
	// What was asked for, with the first line of an order.
	Type  broker.OrderType `json:"type,omitempty"`
	Limit *decimal.Decimal `json:"limit,omitempty"` // credit positive, debit negative
	Stop  *decimal.Decimal `json:"stop,omitempty"`
	Legs  []LegLine        `json:"legs,omitempty"`
}

// A LegLine is a leg of an order.
type LegLine struct {
	Symbol   market.Symbol   `json:"symbol"`
	Action   broker.Action   `json:"action"`
	Quantity decimal.Decimal `json:"quantity"`
}

func newOrderLine(e OrderEvent) OrderLine {
	out := OrderLine{Time: e.Time, ID: e.ID, Tag: e.Tag, Status: e.Status, Reason: e.Reason}
	if o := e.Order; o != nil {
		out.Type, out.Limit, out.Stop = o.Type, o.Limit, o.Stop
		for _, l := range o.Legs {
			out.Legs = append(out.Legs, LegLine{l.Symbol, l.Action, l.Quantity})
		}
	}
	return out
}

// A FillLine is an execution.
type FillLine struct {
	Time     time.Time        `json:"time"`
	ID       string           `json:"id"`
	Order    broker.OrderID   `json:"order,omitempty"`
	Tag      string           `json:"tag,omitempty"`
	Symbol   market.Symbol    `json:"symbol"`
	Action   broker.Action    `json:"action"`
	Quantity decimal.Decimal  `json:"quantity"`
	Price    decimal.Decimal  `json:"price"`
	Fees     *decimal.Decimal `json:"fees,omitempty"` // negative when paid
	Bar      int64            `json:"bar"`            // -1: the symbol has no bars
}

func newFillLine(f Fill) FillLine {
	out := FillLine{Time: f.Time, ID: f.ID, Order: f.Order, Tag: f.Tag, Symbol: f.Symbol, Action: f.Action, Quantity: f.Quantity, Price: f.Price, Bar: f.Bar}
	if f.Fees != nil {
		fees := f.Fees.Total()
		out.Fees = &fees
	}
	return out
}

// A TradeLine is a round trip.
type TradeLine struct {
	Symbol     market.Symbol          `json:"symbol"`
	Quantity   decimal.Decimal        `json:"quantity"` // negative when it was sold first
	EntryTime  time.Time              `json:"entry_time"`
	ExitTime   time.Time              `json:"exit_time"`
	EntryBar   int64                  `json:"entry_bar"`
	ExitBar    int64                  `json:"exit_bar"`
	EntryPrice decimal.Decimal        `json:"entry_price"`
	ExitPrice  decimal.Decimal        `json:"exit_price"`
	Fees       decimal.Decimal        `json:"fees"`   // negative when paid
	Profit     decimal.Decimal        `json:"profit"` // after fees
	Return     market.Float           `json:"return"` // of what the position stood for when it was opened
	Ended      broker.TransactionKind `json:"ended,omitempty"`
	Open       bool                   `json:"open,omitempty"`
	Tag        string                 `json:"tag,omitempty"`
}

func newTradeLine(t Trade) TradeLine {
	return TradeLine{
		Symbol: t.Symbol, Quantity: t.Quantity, EntryTime: t.EntryTime, ExitTime: t.ExitTime, EntryBar: t.EntryBar, ExitBar: t.ExitBar,
		EntryPrice: t.EntryPrice, ExitPrice: t.ExitPrice, Fees: t.Fees, Profit: t.Profit, Return: finite(t.Return()), Ended: t.Ended, Open: t.Open, Tag: t.Tag,
	}
}

// TradeLines are the trades of all accounts as JSON has them, in the order of
// [Result.Trades].
func (r *Result) TradeLines() []TradeLine {
	out := []TradeLine{}
	for _, t := range r.Trades() {
		out = append(out, newTradeLine(t))
	}
	return out
}

// Return is the profit relative to the money that the position stood for when it
// was opened, as a decimal; NaN when that is nothing.
func (t *Trade) Return() float64 {
	basis := math.Abs(t.Quantity.InexactFloat64()) * t.Multiplier.InexactFloat64() * t.EntryPrice.InexactFloat64()
	return t.Profit.InexactFloat64() / orNaN(basis)
}

// A TransactionLine is what happened to an account, with or without an order.
type TransactionLine struct {
	Time     time.Time              `json:"time"`
	ID       string                 `json:"id"`
	Kind     broker.TransactionKind `json:"kind"`
	Symbol   market.Symbol          `json:"symbol,omitempty"`
	Quantity decimal.Decimal        `json:"quantity"`
	Price    *decimal.Decimal       `json:"price,omitempty"`
	Amount   decimal.Decimal        `json:"amount"` // of cash, fees included
	Text     string                 `json:"text,omitempty"`
}

func newTransactionLine(t broker.Transaction) TransactionLine {
	return TransactionLine{t.Time, t.ID, t.Kind, t.Symbol, t.Quantity, t.Price, t.Amount, t.Text}
}

// A NoteLine is what a strategy said.
type NoteLine struct {
	Time   time.Time   `json:"time"`
	Text   string      `json:"text"`
	Values []ValueLine `json:"values,omitempty"`
}

// A ValueLine is a named number of a note.
type ValueLine struct {
	Name  string       `json:"name"`
	Value market.Float `json:"value"`
}

func newNoteLine(n strategy.Note) NoteLine {
	out := NoteLine{Time: n.Time, Text: n.Text}
	for _, v := range n.Values {
		out.Values = append(out.Values, ValueLine{v.Name, market.Float(v.Value)})
	}
	return out
}

// A GreeksLine are the Greeks of an account: see [GreeksPoint].
type GreeksLine struct {
	Time       time.Time     `json:"time"`
	Underlying market.Symbol `json:"underlying"`
	Delta      market.Float  `json:"delta"`
	Gamma      market.Float  `json:"gamma"`
	Theta      market.Float  `json:"theta"`
	Vega       market.Float  `json:"vega"`
	Rho        market.Float  `json:"rho"`
	Price      market.Float  `json:"price"`
	Options    int           `json:"options"`
	VegaGain   market.Float  `json:"vega_gain"`
	// Gains are those of [GreeksPoint].
	Gains *GainsLine `json:"gains,omitempty"`
}

// A GainsLine are [GreekGains].
type GainsLine struct {
	Delta  market.Float `json:"delta"`
	Gamma  market.Float `json:"gamma"`
	Theta  market.Float `json:"theta"`
	Vega   market.Float `json:"vega"`
	Higher market.Float `json:"higher"`
}

func newGreeksLine(g GreeksPoint) GreeksLine {
	var gains *GainsLine
	if x := g.Gains; x != nil {
		gains = &GainsLine{market.Float(x.Delta), market.Float(x.Gamma), market.Float(x.Theta), market.Float(x.Vega), market.Float(x.Higher)}
	}
	return GreeksLine{
		g.Time, g.Underlying, market.Float(g.Delta), market.Float(g.Gamma), market.Float(g.Theta), market.Float(g.Vega), market.Float(g.Rho), market.Float(g.Price), g.Options,
		market.Float(g.VegaGain), gains,
	}
}

// A ProgressLine tells how far a run or a search is.
type ProgressLine struct {
	Done    market.Float `json:"done"` // 0 to 1
	Now     time.Time    `json:"now,omitzero"`
	Elapsed float64      `json:"elapsed_seconds"`
	Left    market.Float `json:"left_seconds"` // null when it is not known
	Bars    int64        `json:"bars,omitempty"`
	Quotes  int64        `json:"quotes,omitempty"`
	Value   market.Float `json:"value"`
}

func newProgressLine(p Progress) ProgressLine {
	left := math.NaN()
	if p.Left > 0 || p.Done >= 1 {
		left = p.Left.Seconds()
	}
	return ProgressLine{market.Float(p.Done), p.Now, p.Elapsed.Seconds(), market.Float(left), p.Bars, p.Quotes, market.Float(p.Value)}
}

// A GapLine stands for lines that are no longer kept.
type GapLine struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// An EndLine is the last line.
type EndLine struct {
	// Status is done, cancelled or failed.
	Status Status   `json:"status"`
	Error  string   `json:"error,omitempty"`
	Result *Summary `json:"result,omitempty"`
	// Search is the result of a search.
	Search *SearchSummary `json:"search,omitempty"`
}

func lines[T, L any](items []T, line func(T) L) []L {
	out := make([]L, len(items))
	for i, x := range items {
		out[i] = line(x)
	}
	return out
}
