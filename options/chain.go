package options

import (
	"time"

	"github.com/ttai-go/ttai/market"
)

// ChainOptions are the choices of [NewChain]; nil means the zero value.
type ChainOptions struct {
	// At is the time of valuation. Zero: the time of the newest quote.
	At time.Time
	// Rate is the risk-free rate, continuous, per year, for all expiries.
	Rate float64
	// Spot is the price of the underlying. Zero: the median of the quotes'
	// own Spot, and without one what put-call parity of the nearest expiry says.
	Spot float64
	// Dividends are the cash dividends to come, per share, in years from At. They
	// are escrowed; see NewChain. Nil leaves all dividends to the implied yield.
	Dividends []Dividend
	// European values every contract as if it could not be exercised early.
	European bool
	// Workers is how many goroutines value expiries side by side; 0 means one.
	// The result is the same.
	Workers int
	// Calendar says when options stop trading. Nil: market.CboeOptions.
	Calendar *market.Calendar
}

// A Chain is one underlying's options at one time, with our implied
// volatilities and Greeks. It is plain data.
type Chain struct {
	Underlying market.Symbol
	Spot       float64
	At         time.Time
	Expiries   []Expiry // ascending by date, then AM before PM, then root
	Skipped    []Skip   // quotes left out, and contracts kept without a volatility, with the reason
}

// A Skip says why a quote was left out or has no implied volatility.
type Skip struct {
	Symbol   market.Symbol
	Reason   string
	Excluded bool // the contract is not in the chain at all
}

// An Expiry is the contracts of a chain that expire at one instant under one root.
type Expiry struct {
	Date       market.Date
	Root       string
	Settlement market.Settlement
	Time       time.Time // when trading ends
	Years      float64   // from Chain.At, Actual/365
	Spot       float64   // of the chain
	Rate       float64
	Yield      float64 // continuous, that the Greeks were computed with; see NewChain
	Forward    float64
	// ForwardFrom is "parity" when put-call parity near the money gave the
	// forward, and "spot" when no pair was good enough and Spot was grown at Rate.
	ForwardFrom string
	Contracts   []Contract // by strike, call before put
}

// A Contract is an option quote with what we compute from its mid price. Its
// own fields hide the source's of the same name, which remain in OptionQuote.
// All are NaN when the quote gives no implied volatility.
type Contract struct {
	market.OptionQuote
	Mid   float64 // NaN when one side is unknown or the quote is crossed
	IV    float64
	Delta float64 // per share
	Gamma float64 // per share
	Theta float64 // per share and calendar day
	Vega  float64 // per share and 1.00 of volatility
	Rho   float64 // per share and 1.00 of rate
	// EarlyExercise is how much of the price of an American option is due to its
	// right to be exercised before expiry; 0 for others, and when unknown.
	EarlyExercise float64
	// ProbITM and ProbTouch are risk-neutral.
	ProbITM, ProbTouch float64
	Greeks             Greeks // all of them, unscaled
}

// Contract returns the contract of that OCC symbol.
func (c *Chain) Contract(symbol market.Symbol) (Contract, bool) {
	for _, e := range c.Expiries {
		for _, contract := range e.Contracts {
			if contract.Symbol == symbol {
				return contract, true
			}
		}
	}
	return Contract{}, false
}
