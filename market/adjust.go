package market

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// An Adjustment says which corporate actions bars are adjusted for.
type Adjustment int

// The adjustments. Most sources of "adjusted" daily bars mean ForSplits for
// open, high, low, close and volume, and ForSplitsAndDividends for the adjusted
// close.
const (
	ForSplits             Adjustment = 1 << iota // prices and volumes
	ForDividends                                 // prices only, as if reinvested
	ForSplitsAndDividends = ForSplits | ForDividends
)

func (a Adjustment) check() error {
	if a < ForSplits || a > ForSplitsAndDividends {
		return invalid.Field("adjustment", int(a), "ForSplits, ForDividends or ForSplitsAndDividends")
	}
	return nil
}

// A Factor turns the prices of a share as they were traded into prices that
// compare with those after its last split and dividend:
//
//	adjusted price  = traded price · Split · Dividend
//	adjusted volume = traded volume / Split
//
// Split is the product of old shares per new share over the splits after Last,
// Dividend the product of 1 − D/C over the ex-dates after it, where D is the
// dividend of an old share and C the close before the ex-date (the method of
// CRSP, Yahoo and LEAN's factor files).
type Factor struct {
	Last     Date // the last day that the factor holds for
	Split    float64
	Dividend float64
}

// price returns what a traded price is multiplied by.
func (f Factor) price(a Adjustment) float64 {
	x := 1.0
	if a&ForSplits != 0 {
		x *= f.Split
	}
	if a&ForDividends != 0 {
		x *= f.Dividend
	}
	return x
}

// Factors are a share's factors, ascending by Last; days after the last one
// have factor 1. Make them with [AdjustmentFactors], or from a vendor's file.
// A Factors that nobody changes is safe for concurrent use.
type Factors []Factor

// On returns the factor of a day.
func (f Factors) On(d Date) Factor {
	i := sort.Search(len(f), func(i int) bool { return !f[i].Last.Before(d) })
	if i == len(f) {
		return Factor{Split: 1, Dividend: 1}
	}
	return f[i]
}

// Adjust returns traded bars as adjusted ones; bars of any interval within a
// day, dated in New York. The bars are copied. A longer bar is adjusted by the
// day it starts on: adjust days, then [Resample].
func (f Factors) Adjust(bars []Bar, a Adjustment) ([]Bar, error) { return f.apply(bars, a, false) }

// Unadjust returns adjusted bars as traded ones, the reverse of Adjust.
func (f Factors) Unadjust(bars []Bar, a Adjustment) ([]Bar, error) { return f.apply(bars, a, true) }

func (f Factors) apply(bars []Bar, a Adjustment, reverse bool) ([]Bar, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	for i, factor := range f {
		switch {
		case !positive(factor.Split):
			return nil, invalid.Fieldf("split factor", factor.Split, "a number above 0 (row of %s)", factor.Last)
		case !positive(factor.Dividend):
			return nil, invalid.Fieldf("dividend factor", factor.Dividend, "a number above 0 (row of %s)", factor.Last)
		case i > 0 && !f[i-1].Last.Before(factor.Last):
			return nil, invalid.Field("factors", factor.Last.String(), "dates in ascending order")
		}
	}
	out := slices.Clone(bars)
	for i := range out {
		factor := f.On(DateOf(out[i].Time.In(newYork())))
		price, volume := factor.price(a), 1.0
		if a&ForSplits != 0 {
			volume = factor.Split
		}
		if reverse {
			price, volume = 1/price, 1/volume
		}
		out[i].scale(price, volume)
	}
	return out, nil
}

// scale multiplies the prices and divides the volume.
func (b *Bar) scale(price, volume float64) {
	b.Open *= price
	b.High *= price
	b.Low *= price
	b.Close *= price
	b.Volume /= volume
}

// AdjustBars returns traded bars adjusted for the splits and dividends among
// events, so that the last bar keeps its prices and no corporate action shows
// as a move. See [AdjustmentFactors] for what events count.
//
// The bars are daily ones: the close before an ex-date is the last bar's before
// it. For intraday bars take [AdjustmentFactors] of daily bars and
// [Factors.Adjust].
func AdjustBars(bars []Bar, events []Event, a Adjustment) ([]Bar, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	factors, err := AdjustmentFactors(bars, events)
	if err != nil {
		return nil, err
	}
	return factors.Adjust(bars, a)
}

// UnadjustBars returns bars that were adjusted by a as they were traded, the
// reverse of [AdjustBars] with the same events: the bars must have been adjusted
// to the level of the last one.
func UnadjustBars(bars []Bar, events []Event, a Adjustment) ([]Bar, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	factors, err := factorsOf(bars, events, a)
	if err != nil {
		return nil, err
	}
	return factors.Unadjust(bars, a)
}

// AdjustmentFactors computes the factors of a share from its traded daily bars
// (ascending) and its events: splits (Value: new shares per old share) and
// dividends (Value: dollars per share, of the shares that trade on the
// ex-date). Other kinds of events, estimated ones, and those dated after the
// last bar or not after the first do not count. A date on which nothing traded
// counts for the next bar, and several before one bar count together, dividends
// per share as that bar trades. Errors are *[FieldError].
//
// Bars that are adjusted for splits already get their dividend factors with
// dividends that are adjusted so too, and without the splits.
func AdjustmentFactors(bars []Bar, events []Event) (Factors, error) {
	return factorsOf(bars, events, 0)
}

// factorsOf computes factors from bars that were adjusted by done, backwards,
// so that the traded close before each event is known when it is needed.
func factorsOf(bars []Bar, events []Event, done Adjustment) (Factors, error) {
	for i := 1; i < len(bars); i++ {
		if !bars[i-1].Time.Before(bars[i].Time) {
			return nil, invalid.Field("bars", bars[i].Time.Format(time.RFC3339), "times in ascending order")
		}
	}
	actions, err := corporateActions(bars, events)
	if err != nil {
		return nil, err
	}
	factor := Factor{Split: 1, Dividend: 1}
	factors := make(Factors, 0, len(actions))
	for i := len(actions) - 1; i >= 0; i-- {
		action := actions[i]
		before := bars[action.bar-1]
		paid := action.dividend * action.split // by a share of the day before
		// The traded close of the day before. The bar's own close is multiplied
		// by the factors after it and by those of the action itself.
		traded := before.Close / factor.price(done)
		if done&ForSplits != 0 {
			traded *= action.split
		}
		if done&ForDividends != 0 {
			traded += paid
		}
		if paid > 0 && !(traded > paid) {
			return nil, invalid.Fieldf("dividend", action.dividend, "an amount below the close before %s", action.date)
		}
		factor.Last = DateOf(before.Time.In(newYork()))
		factor.Split /= action.split
		if paid > 0 {
			factor.Dividend *= 1 - paid/traded
		}
		factors = append(factors, factor)
	}
	slices.Reverse(factors)
	return factors, nil
}

// A corporateAction is all that happens to a share before one bar.
type corporateAction struct {
	date            Date
	bar             int     // index of the first bar after it, at least 1
	split, dividend float64 // new shares per old one; dollars per new share
}

// corporateActions collects the events that count, one per bar, ascending.
func corporateActions(bars []Bar, events []Event) ([]corporateAction, error) {
	var actions []corporateAction
	var symbol Symbol
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b Event) int { return a.Date.Compare(b.Date) })
	for _, e := range events {
		if e.Estimated || e.Kind != Split && e.Kind != Dividend {
			continue
		}
		switch {
		case symbol == "":
			symbol = e.Symbol
		case e.Symbol != "" && e.Symbol != symbol:
			return nil, invalid.Fieldf("events", string(e.Symbol), "events of one symbol, such as %s", symbol)
		}
		if !positive(e.Value) {
			return nil, invalid.Fieldf(string(e.Kind), e.Value, "a number above 0 (event of %s)", e.Date)
		}
		bar := sort.Search(len(bars), func(i int) bool { return !DateOf(bars[i].Time.In(newYork())).Before(e.Date) })
		if bar == 0 || bar == len(bars) {
			continue
		}
		if n := len(actions); n == 0 || actions[n-1].bar != bar {
			actions = append(actions, corporateAction{date: e.Date, bar: bar, split: 1})
		}
		action := &actions[len(actions)-1]
		if e.Kind == Split {
			action.split *= e.Value
			continue
		}
		action.dividend += e.Value
	}
	return actions, nil
}

func positive(x float64) bool { return x > 0 && !math.IsInf(x, 1) }
