package levels

import (
	"slices"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Options says what [Find] and an [Engine] look for. The zero value is what most charts show.
type Options struct {
	// Symbol and Interval are those of the bars. An Engine needs the interval;
	// Find takes both from its series.
	Symbol   market.Symbol
	Interval market.Interval

	// Kinds are the kinds wanted; nil means all.
	Kinds []Kind

	// Lookback leaves out levels of the past that no one of the last so many bars
	// made or touched, and bounds the rolling volume profile to these bars. It is for
	// swings, zones, gaps, structure and the like; pivots, prior highs and others
	// that succeed each other are always those of the last period, and naked
	// points of control stay until they are traded at. 0 means 250;
	// negative means all bars.
	Lookback int

	// Limit is how many levels of the past are followed at a time; beyond it the
	// oldest are dropped. 0 means 4,096, and 262,144 when Lookback is negative.
	Limit int

	// Unbroken leaves out broken levels.
	Unbroken bool

	Swing     SwingOptions
	Zone      ZoneOptions
	Fibonacci FibonacciOptions
	Profile   ProfileOptions
	TPO       TPOOptions
	VWAP      VWAPOptions
	Opening   OpeningOptions
	Gap       GapOptions
	Imbalance FairValueGapOptions
	Structure StructureOptions
	Liquidity LiquidityOptions
	Round     RoundOptions
	Trend     TrendOptions
	Touch     TouchOptions

	// PivotMethod is the formula of the pivot points; empty means PivotStandard.
	PivotMethod PivotMethod
	// PivotPeriods are the periods that pivot points are made from. Nil means
	// day and week for intraday bars, week and month for longer ones.
	PivotPeriods []Period
	// PriorPeriods are the periods whose high, low and close are reported. Nil
	// means day, week, month, quarter and year, without those shorter than a bar.
	PriorPeriods []Period

	// Calendar says when days, weeks and months end and which bars are in
	// regular hours; nil means market.NYSE(). It is not used for what trades
	// around the clock.
	Calendar *market.Calendar
	// AllHours counts every bar and lets days end at midnight in New York, for
	// what trades around the clock. Crypto symbols imply it.
	AllHours bool
}

// Bounds of memory when the lookback has none.
const (
	mostHistory = 1_000_000
	mostLevels  = 262_144
)

func (o Options) wants(kinds ...Kind) bool {
	return o.Kinds == nil || slices.ContainsFunc(kinds, func(k Kind) bool { return slices.Contains(o.Kinds, k) })
}

func (o Options) onlyProfile() bool {
	return o.Kinds != nil && !slices.ContainsFunc(o.Kinds, func(k Kind) bool { return !slices.Contains(profileKinds(), k) })
}

func (o Options) resolve() (Options, error) {
	for _, k := range o.Kinds {
		if !slices.Contains(Kinds(), k) {
			return o, invalid.Field("kinds", string(k), "one of levels.Kinds")
		}
	}
	o.Kinds = slices.Clone(o.Kinds)
	if o.Lookback == 0 {
		o.Lookback = 250
	}
	if o.Lookback > 10*mostHistory {
		return o, invalid.Fieldf("lookback", o.Lookback, "a number of bars up to %d, 0 for 250, or a negative one for all", 10*mostHistory)
	}
	most := 4096
	if o.Lookback < 0 {
		most = mostLevels
	}
	for _, swing := range []*SwingOptions{&o.Zone.Swing, &o.Fibonacci.Swing, &o.Structure.Swing, &o.Liquidity.Swing, &o.Trend.Swing} {
		if *swing == (SwingOptions{}) {
			*swing = o.Swing
		}
	}
	// Everything is checked, wanted or not: a bad option is a mistake either way.
	if _, err := Pivots(market.Bar{}, o.PivotMethod, 0); err != nil {
		return o, err
	}
	var errs [15]error
	o.Limit, errs[0] = count("limit", o.Limit, most, 1<<24)
	o.Swing, errs[1] = o.Swing.resolve()
	o.Zone, errs[2] = o.Zone.resolve()
	o.Fibonacci, errs[3] = o.Fibonacci.resolve()
	o.Profile, errs[4] = o.Profile.resolve()
	o.Touch, errs[5] = o.Touch.resolve()
	o.TPO, errs[6] = o.TPO.resolve()
	o.VWAP, errs[7] = o.VWAP.resolve()
	o.Opening, errs[8] = o.Opening.resolve()
	o.Gap, errs[9] = o.Gap.resolve()
	o.Imbalance, errs[10] = o.Imbalance.resolve()
	o.Structure, errs[11] = o.Structure.resolve()
	o.Liquidity, errs[12] = o.Liquidity.resolve()
	o.Round, errs[13] = o.Round.resolve()
	o.Trend, errs[14] = o.Trend.resolve()
	for _, err := range errs {
		if err != nil {
			return o, err
		}
	}
	if n, _ := o.Interval.Parts(); n == 0 {
		return o, invalid.Field("series.Interval", string(o.Interval), "the length of the bars, such as 5m, 1h or 1d")
	}
	if o.Calendar == nil {
		o.Calendar = market.NYSE()
	}
	if o.Symbol.Kind() == market.KindCrypto {
		o.AllHours = true
	}
	return o, nil
}
