package options

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Terms are what a listed option promises.
type Terms struct {
	Symbol     market.Symbol // OCC, padded
	Underlying market.Symbol
	market.Contract
	Style      market.ExerciseStyle
	Settlement market.Settlement
	Multiplier float64 // shares, or currency per index point, per contract
	// Cash reports that exercise pays the difference in cash; otherwise the
	// deliverables change hands against strike · multiplier.
	Cash         bool
	Deliverables []Deliverable // of one contract; empty when settled in cash or not known
}

// A Deliverable is a part of what one contract delivers.
type Deliverable struct {
	Symbol market.Symbol // empty for cash
	Amount float64       // shares, or currency
}

// TermsOf returns the standard terms of an OCC symbol (any form that
// [market.ParseSymbol] reads) from what its root tells: index options are
// European or, for OEX, American, and settle in cash; everything else is
// American and delivers 100 shares. An adjusted contract, whose root ends in a
// digit, delivers what the clearing corporation's memo says: its Deliverables
// are left empty. The error is a *[FieldError].
func TermsOf(symbol market.Symbol) (Terms, error) {
	normal, err := market.ParseSymbol(string(symbol))
	if err != nil {
		return Terms{}, err
	}
	contract, ok := normal.Contract()
	if !ok {
		return Terms{}, invalid.Field("symbol", string(symbol), "an OCC option symbol such as SPY 261218C00500000")
	}
	t := Terms{Symbol: normal, Underlying: contract.Underlying(), Contract: contract, Multiplier: 100}
	t.Style, t.Settlement, t.Cash = contract.Terms()
	if last := contract.Root[len(contract.Root)-1]; !t.Cash && (last < '1' || last > '9' || len(contract.Root) == 1) {
		t.Deliverables = []Deliverable{{Symbol: t.Underlying, Amount: 100}}
	}
	return t, nil
}

// ExpiryTime returns when the option stops having time value, see [ExpiryTime].
func (t Terms) ExpiryTime(cal *market.Calendar) time.Time {
	return ExpiryTime(t.Expiration, t.Settlement, cal)
}

// Intrinsic returns what exercise is worth per share at spot.
func (t Terms) Intrinsic(spot float64) float64 {
	return max(float64(t.Kind)*(spot-t.Strike), 0)
}

// tradingYear is how much regular trading a year is taken to have: 252
// sessions of six and a half hours.
const tradingYear = 252 * (6*time.Hour + 30*time.Minute)

// TradingYears returns the regular trading time from now to expiry in years of
// 252 sessions of 390 minutes, to the minute, by the calendar's holidays and
// half days: what is left of the variance, when the market only moves while it
// is open. Five minutes before the close of the last day it is still positive,
// and over a weekend it stands still. It is 0 when expiry is not after now and
// NaN when either is the zero time. A nil calendar means [market.CboeOptions].
func TradingYears(now, expiry time.Time, cal *market.Calendar) float64 {
	if now.IsZero() || expiry.IsZero() {
		return math.NaN()
	}
	if cal == nil {
		cal = market.CboeOptions()
	}
	open := cal.TradingTime(now.Truncate(time.Minute), expiry.Truncate(time.Minute))
	return float64(max(open, 0)) / float64(tradingYear)
}

// TradingVol converts an implied volatility of the expiry from calendar to
// trading time: the total variance is the same. It is NaN when no trading time
// is left.
func (e Expiry) TradingVol(vol float64, at time.Time, cal *market.Calendar) float64 {
	years := TradingYears(at, e.Time, cal)
	if !(years > 0) {
		return math.NaN()
	}
	return vol * math.Sqrt(e.Years/years)
}
