package levels

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/ttai-go/ttai/market"
)

// A Family is kinds of levels that are made of the same facts: two levels of
// one family at a price are one reason, not two. The high of last week is
// often a swing high, the end of a zone and a pool of liquidity.
type Family string

// The families.
const (
	FamilyExtremes  Family = "extremes"  // highs, lows and closes of bars and periods, and what is made of them
	FamilyLines     Family = "lines"     // trend lines and channels
	FamilyFibonacci Family = "fibonacci" // ratios of swings
	FamilyPivots    Family = "pivots"
	FamilyProfile   Family = "profile" // volume and time at price
	FamilyVWAP      Family = "VWAP"
	FamilyGaps      Family = "gaps" // gaps and fair value gaps
	FamilyRound     Family = "round"
	FamilyOptions   Family = "options" // those of OptionLevels
)

// Family returns the family of the kind. Kinds that are not of this package
// are families of their own.
func (k Kind) Family() Family {
	switch k {
	case KindSwingHigh, KindSwingLow, KindZone, KindPriorHigh, KindPriorLow, KindPriorClose,
		KindOvernightHigh, KindOvernightLow, KindOpeningRangeHigh, KindOpeningRangeLow, KindInitialBalanceHigh, KindInitialBalanceLow,
		KindPoorHigh, KindPoorLow, KindBreakOfStructure, KindChangeOfCharacter, KindOrderBlock, KindLiquidity:
		return FamilyExtremes
	case KindTrendLine, KindChannelHigh, KindChannelLow:
		return FamilyLines
	case KindFibonacci, KindFibonacciCluster:
		return FamilyFibonacci
	case KindPivot, KindPivotResistance, KindPivotSupport:
		return FamilyPivots
	case KindPOC, KindValueAreaHigh, KindValueAreaLow, KindHighVolumeNode, KindLowVolumeNode, KindNakedPOC,
		KindTPOPOC, KindTPOValueAreaHigh, KindTPOValueAreaLow, KindSinglePrint:
		return FamilyProfile
	case KindVWAP, KindVWAPBand:
		return FamilyVWAP
	case KindGap, KindFairValueGap:
		return FamilyGaps
	case KindRound:
		return FamilyRound
	case KindCallWall, KindPutWall, KindZeroGamma, KindMaxPain, KindExpectedMoveHigh, KindExpectedMoveLow:
		return FamilyOptions
	}
	return Family(k)
}

// An Area is where levels lie together.
type Area struct {
	Low, High float64
	Price     float64  // middle of the members' prices, each family counting once
	Members   []Level  // ascending by price
	Families  []Family // without repeats, sorted

	// Probability of a reaction once price gets here, see Level.Strength. It
	// is that of one band as wide as the area, with what its members' kinds and the
	// number of families are known to add. Members never multiply it.
	Probability float64
}

// ConfluenceOptions says which levels make an area.
type ConfluenceOptions struct {
	// Width is how far apart two levels may lie in one area, in average true
	// ranges; 0 means 0.25.
	Width float64
	// Most is how wide an area may grow, in average true ranges; 0 means 1. A level
	// with a wider band is an area of its own.
	Most float64
	// Families is how many families an area needs; 0 means 1.
	Families int
}

const confluenceWidth = 0.25

func (o ConfluenceOptions) resolve() (ConfluenceOptions, error) {
	var err error
	if o.Width, err = positive("confluence.width", o.Width, confluenceWidth); err != nil {
		return o, err
	}
	if o.Most, err = positive("confluence.most", o.Most, 1); err != nil {
		return o, err
	}
	o.Families, err = count("confluence.families", o.Families, 1, 100)
	return o, err
}

// Confluence merges levels into areas, ascending by price. The bars say how wide
// an average true range is (of 14 bars) and how long a bar: those that the levels
// were found in. Without a known bar there are no areas.
func Confluence(s market.Series, found []Level, opts *ConfluenceOptions) ([]Area, error) {
	o, err := options(opts).resolve()
	if err != nil {
		return nil, err
	}
	if err := check(s); err != nil {
		return nil, err
	}
	atr := newTrueRange(14)
	for i := range s.Time {
		if known(s, i) {
			atr.update(s.High[i], s.Low[i], s.Close[i])
		}
	}
	if atr.seen == 0 {
		return nil, nil
	}
	return confluence(nil, found, conditions{span: spanOf(s.Interval), atr: atr.mean}, o), nil
}

// Confluence merges the levels as they stand after the last bar.
func (e *Engine) Confluence(opts *ConfluenceOptions) ([]Area, error) {
	o, err := options(opts).resolve()
	if err != nil {
		return nil, err
	}
	return confluence(nil, e.Levels(nil), e.conditions(), o), nil
}

func confluence(dst []Area, found []Level, c conditions, o ConfluenceOptions) []Area {
	sorted := slices.Clone(found)
	slices.SortStableFunc(sorted, func(a, b Level) int {
		return cmp.Or(cmp.Compare(a.Low, b.Low), cmp.Compare(a.High, b.High), cmp.Compare(a.Kind, b.Kind), a.Born.Compare(b.Born), cmp.Compare(a.Source, b.Source))
	})
	gap, most := o.Width*c.atr, o.Most*c.atr
	var wide []Level
	var area Area
	flush := func() {
		if len(area.Members) > 0 {
			if area.finish(c); len(area.Families) >= o.Families {
				dst = append(dst, area)
			}
		}
		area = Area{}
	}
	for _, l := range sorted {
		if math.IsNaN(l.Low) || math.IsNaN(l.High) {
			continue
		}
		if l.High-l.Low > most {
			wide = append(wide, l)
			continue
		}
		if len(area.Members) > 0 && (l.Low > area.High+gap || max(area.High, l.High)-area.Low > most) {
			flush()
		}
		if len(area.Members) == 0 {
			area.Low, area.High = l.Low, l.High
		}
		area.High = max(area.High, l.High)
		area.Members = append(area.Members, l)
	}
	flush()
	for _, l := range wide {
		area = Area{Low: l.Low, High: l.High, Members: []Level{l}}
		flush()
	}
	slices.SortStableFunc(dst, func(a, b Area) int { return cmp.Or(cmp.Compare(a.Low, b.Low), cmp.Compare(a.High, b.High)) })
	return dst
}

// finish fills in what follows from the members.
func (a *Area) finish(c conditions) {
	sortByPrice(a.Members)
	type sum struct{ total, n float64 }
	prices := map[Family]*sum{}
	for i := range a.Members {
		f := a.Members[i].Kind.Family()
		if prices[f] == nil {
			prices[f] = &sum{}
			a.Families = append(a.Families, f)
		}
		prices[f].total += a.Members[i].Price
		prices[f].n++
	}
	slices.Sort(a.Families)
	for _, f := range a.Families {
		a.Price += prices[f].total / prices[f].n / float64(len(a.Families))
	}
	a.Price = min(max(a.Price, a.Low), a.High)
	a.Probability = areaStrength(a, c)
}

// level is the area as one level.
func (a *Area) level() Level {
	l := Level{Price: a.Price, Low: a.Low, High: a.High, Kind: familiesKind(len(a.Families)), Strength: a.Probability}
	for _, m := range a.Members {
		if l.Born.IsZero() || m.Born.Before(l.Born) {
			l.Born = m.Born
		}
		if m.Confirmed.After(l.Confirmed) {
			l.Confirmed = m.Confirmed
		}
	}
	return l
}

// Distance is how far price must move to reach the area, as [Level.Distance].
func (a Area) Distance(price float64) float64 {
	return Level{Low: a.Low, High: a.High}.Distance(price)
}

// Rank orders areas by the probability of a reaction, highest first, then by
// nearness to price.
func Rank(areas []Area, price float64) {
	slices.SortStableFunc(areas, func(a, b Area) int {
		return cmp.Or(cmp.Compare(b.Probability, a.Probability), cmp.Compare(math.Abs(a.Distance(price)), math.Abs(b.Distance(price))), cmp.Compare(a.Low, b.Low))
	})
}

// familiesKind names areas by the number of their families, for [Evaluate].
func familiesKind(n int) Kind {
	switch {
	case n == 1:
		return "1 family"
	case n >= 5:
		return "5 families or more"
	}
	return Kind(fmt.Sprintf("%d families", n))
}

// familiesAt counts the families with a level within gap of the band. The levels
// ascend by price.
func familiesAt(found []Level, low, high, gap float64) int {
	var families [16]Family
	n := 0
	for i := range found {
		l := &found[i]
		if l.Low > high+gap || l.High < low-gap {
			continue
		}
		f := l.Kind.Family()
		if !slices.Contains(families[:n], f) && n < len(families) {
			families[n] = f
			n++
		}
	}
	return n
}
