// Package options prices European and American options, gives their Greeks and
// implied volatilities, and makes sense of whole option chains.
//
// # Units
//
// Everything is float64. Years are Actual/365 (see [YearsToExpiry]); rates,
// yields and volatilities are decimals per year, continuously compounded:
// 0.05 is 5 %. Greeks are raw derivatives, per 1.00 of volatility or rate and
// per year; the methods of [Greeks] convert them to a trader's units.
//
// # Unknown and impossible
//
// A function that returns only numbers returns NaN when an argument is NaN or
// impossible (a negative spot, strike, time or volatility). Zero volatility,
// zero time, zero spot and zero strike are not impossible: they give the limit.
// A function that returns an error names the argument in a [*FieldError], or
// returns one of the package's sentinels.
//
// # Chains, surfaces, structures
//
// [NewChain] makes sense of a chain of quotes: forwards by put-call parity with
// early exercise taken off, implied volatilities and Greeks of every contract,
// gamma exposure and walls ([Chain.Positioning]), the model-free volatility of the
// VIX ([Chain.VolatilityIndex]). [NewSurface] calibrates SVI and SSVI to it without
// arbitrage and answers for any strike, delta and time: volatility, density, local
// volatility; what it reaches on recorded chains is in surfaces.md. A [Structure]
// is a position of several legs: [Recognize] and [Build] know some seventy by
// name, and [Structure.Analyze] gives payoff, breakevens, probabilities and Greeks.
//
// Every function and method is safe for concurrent use.
//
// # Accuracy and cost
//
// The file accuracy.md lists method, source, measured error and cost of the
// pricing functions; a test writes it and holds them to it.
package options

import (
	"errors"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Kind is call or put; it stands as a sign in formulas.
type Kind = market.OptionKind

// The kinds of options.
const (
	Call = market.Call // +1
	Put  = market.Put  // -1
)

// A FieldError names a refused argument and what is allowed.
type FieldError = invalid.FieldError

// Why a price has no implied volatility.
var (
	// ErrBelowIntrinsic: the price is less than exercising at expiry is worth
	// at any volatility, so it is stale, crossed or belongs to another forward.
	ErrBelowIntrinsic = errors.New("options: price is below intrinsic value")
	// ErrAboveMaximum: the price is not below what infinite volatility gives,
	// the discounted spot for a call and the discounted strike for a put.
	ErrAboveMaximum = errors.New("options: price is at or above the maximum")
	// ErrNoTimeValue: the price is exactly the intrinsic value or zero, or its
	// time value is below the smallest number of full precision: any volatility
	// that is small enough gives it.
	ErrNoTimeValue = errors.New("options: price has no time value")
)

// validKind reports whether k is a call or a put.
func validKind(k Kind) bool { return k == Call || k == Put }
