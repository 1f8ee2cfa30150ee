package backtest

import (
	"github.com/ttai-go/ttai/market"
)

// A Market is what is replayed: bars, quotes and option chains of any number of
// symbols, and what is known beside them. It is only read, and any number of runs
// may share one.
type Market struct {
	// Bars are those of the symbols; the first is the one that results are compared
	// with. Each symbol and interval once.
	Bars []BarFeed
	// Quotes are quotes of single symbols, options too, ascending by time.
	Quotes []QuoteFeed
	// Chains are the option chains of underlyings, each once.
	Chains []*ChainStore
	// Events are dividends and splits, which the exchange carries out unless the
	// bars are adjusted for them (see Rules.Adjusted), and earnings.
	Events []market.Event
	// Announced is the day on which an event was announced. Nil: fourteen days
	// before its day.
	Announced func(e market.Event) market.Date
	// Rate is the continuous risk-free rate for a time to expiry in years on a day.
	// Nil: 0.
	Rate func(day market.Date, years float64) float64
	// Instruments describe what has no usual terms: see paper.Options.Instrument.
	Instruments map[market.Symbol]market.Instrument
}

// A BarFeed is the bars of one symbol.
type BarFeed struct {
	Symbol   market.Symbol
	Interval market.Interval // empty: a day
	// Name says where the bars are from, for the result; empty: the symbol.
	Name string
	// Bars, or a Source that makes readers of them: one of the two.
	Bars   []market.Bar
	Source BarSource
	// Columns are named numbers that come with Bars, one for each bar: scores that
	// strategies such as "sentiment" ask for. They are known when their bar has ended.
	Columns map[string][]float64
}

// A BarSource makes readers of bars, for histories that do not fit into memory or
// are made while they are read.
type BarSource interface {
	// Open returns a reader at the first bar. Every reader gives the same bars.
	Open() (BarReader, error)
}

// A BarReader reads bars in ascending order.
type BarReader interface {
	// Next fills dst with the next bars and returns how many; 0 at the end.
	Next(dst []market.Bar) (int, error)
}

// A QuoteFeed is quotes of one symbol.
type QuoteFeed struct {
	Symbol market.Symbol
	Name   string
	Quotes []market.Quote
}
