package levels

import (
	"errors"
	"slices"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Options says what [Find] looks for. The zero value is what most charts show.
type Options struct {
	// Kinds are the kinds wanted; nil means all.
	Kinds []Kind

	// Lookback leaves out swings and zones that no one of the last so many bars
	// made or touched, and bounds the volume profile to these bars. 0 means 250; negative
	// means all bars.
	Lookback int

	// Unbroken leaves out broken levels.
	Unbroken bool

	Swing     SwingOptions
	Zone      ZoneOptions
	Fibonacci FibonacciOptions
	Profile   ProfileOptions
	Touch     TouchOptions

	// PivotMethod is the formula of the pivot points; empty means PivotStandard.
	PivotMethod PivotMethod
	// PivotPeriods are the periods that pivot points are made from. Nil means
	// day and week for intraday bars, week and month for longer ones.
	PivotPeriods []Period
	// PriorPeriods are the periods whose high, low and close are reported. Nil
	// means day, week and month, without those shorter than a bar.
	PriorPeriods []Period

	// Calendar says when days, weeks and months end and which bars are in
	// regular hours; nil means market.NYSE(). It is not used for what trades
	// around the clock.
	Calendar *market.Calendar
	// AllHours counts every bar and lets days end at midnight in New York, for
	// what trades around the clock. Crypto symbols imply it.
	AllHours bool
}

// Find returns the levels of s of every kind wanted, ascending by price. Bars
// without volume have no profile: its kinds are then absent, and [ErrNoVolume]
// is returned only when nothing else was asked for. An empty series has no levels.
func Find(s market.Series, opts *Options) ([]Level, error) {
	o, err := options(opts).resolve()
	if err != nil {
		return nil, err
	}
	if err := check(s); err != nil {
		return nil, err
	}
	n := s.Len()
	if n == 0 {
		return nil, nil
	}
	oldest := 0 // the first bar of the lookback
	if o.Lookback > 0 {
		oldest = max(0, n-o.Lookback)
	}

	var found []candidate
	if o.wants(KindSwingHigh, KindSwingLow) {
		found = append(found, swings(s, o.Swing)...)
	}
	if o.wants(KindZone) {
		found = append(found, zones(s, o.Zone)...)
	}
	made := len(found) // those that the lookback applies to
	if o.wants(KindFibonacci) {
		found = append(found, fibonacci(s, o.Fibonacci)...)
	}
	days := newGrouper(s, o.Calendar, o.AllHours)
	if o.wants(KindPriorHigh, KindPriorLow, KindPriorClose) {
		more, err := prior(s, o.PriorPeriods, days)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	if o.wants(KindPivot, KindPivotResistance, KindPivotSupport) {
		more, err := pivotLevels(s, o.PivotMethod, o.PivotPeriods, days)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	// Broken swings and zones from before the lookback are left out, so their end is not of interest.
	if err := follow(s, found[:made], o.Touch, oldest); err != nil {
		return nil, err
	}
	if err := follow(s, found[made:], o.Touch, 0); err != nil {
		return nil, err
	}
	var levels []Level
	for i, c := range found {
		recent := i >= made || c.born >= oldest || !c.Broken && c.touched >= oldest
		if recent && o.wants(c.Kind) && !(o.Unbroken && c.Broken) {
			levels = append(levels, c.Level)
		}
	}

	if o.wants(profileKinds()...) {
		volume, err := profile(s.Slice(oldest, n), o.Profile)
		switch {
		case err == nil:
			for _, l := range volume.Levels() {
				if o.wants(l.Kind) {
					levels = append(levels, l)
				}
			}
		case !errors.Is(err, ErrNoVolume) || o.onlyProfile():
			return nil, err
		}
	}
	sortByPrice(levels)
	return levels, nil
}

func profileKinds() []Kind {
	return []Kind{KindPOC, KindValueAreaHigh, KindValueAreaLow, KindHighVolumeNode, KindLowVolumeNode}
}

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
	if o.Lookback == 0 {
		o.Lookback = 250
	}
	if o.Zone.Swing == (SwingOptions{}) {
		o.Zone.Swing = o.Swing
	}
	if o.Fibonacci.Swing == (SwingOptions{}) {
		o.Fibonacci.Swing = o.Swing
	}
	// Everything is checked, wanted or not: a bad option is a mistake either way.
	if _, err := Pivots(market.Bar{}, o.PivotMethod, 0); err != nil {
		return o, err
	}
	var errs [5]error
	o.Swing, errs[0] = o.Swing.resolve()
	o.Zone, errs[1] = o.Zone.resolve()
	o.Fibonacci, errs[2] = o.Fibonacci.resolve()
	o.Profile, errs[3] = o.Profile.resolve()
	_, errs[4] = o.Touch.resolve()
	for _, err := range errs {
		if err != nil {
			return o, err
		}
	}
	return o, nil
}
