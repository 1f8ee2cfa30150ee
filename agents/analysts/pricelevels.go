package analysts

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

// A namedLevel is a support or resistance that became evidence.
type namedLevel struct {
	id, name string
	price    float64
}

const (
	shownLevels = 3
	mergeWithin = 0.5 // ATR: nearer levels are one
)

// addLevels records the range of the year, the volume profile and the nearest
// supports and resistances.
func (f *findings) addLevels(cal *market.Calendar) {
	s := f.series
	if s.Len() == 0 {
		f.lackAll(GroupLevels, f.in.noBars)
		return
	}
	recent := s.Slice(max(0, s.Len()-year), s.Len())
	last, atr := f.value("trend.close"), f.value("volatility.atr")

	high, low := extremes(s.High, s.Low, year)
	f.put("levels.high52", high, f.end, price(high), fewBars)
	f.put("levels.low52", low, f.end, price(low), fewBars)
	position := (last - low) / (high - low)
	f.put("levels.position52", position, f.end, share(position)+" of the way from low to high", fewBars)
	f.addProfile(recent)

	if math.IsNaN(atr) || atr == 0 {
		f.lackAll(GroupLevels, "needs volatility.atr above 0")
		return
	}
	found, err := levels.Find(s, &levels.Options{
		// Yesterday's range is too near to be support or resistance of days to come.
		Calendar: cal, Lookback: year, PriorPeriods: []levels.Period{levels.PeriodWeek, levels.PeriodMonth},
		Kinds: []levels.Kind{
			levels.KindZone, levels.KindSwingHigh, levels.KindSwingLow, levels.KindPOC, levels.KindValueAreaHigh, levels.KindValueAreaLow,
			levels.KindHighVolumeNode, levels.KindPriorHigh, levels.KindPriorLow, levels.KindPivot, levels.KindPivotResistance, levels.KindPivotSupport,
		},
	})
	if err != nil && len(found) == 0 && !errors.Is(err, levels.ErrNoVolume) {
		f.lackAll(GroupLevels, err.Error())
		return
	}
	known := s.Time[s.Len()-1]
	found = slices.DeleteFunc(found, func(l levels.Level) bool { return l.Confirmed.After(known) || !(l.Price > 0) })
	if f.known("levels.high52") {
		found = append(found, extreme(recent.High, recent.Time, high, "52-week high"), extreme(recent.Low, recent.Time, low, "52-week low"))
	}
	below, above := levels.Around(found, last, 0)
	f.supports = f.putLevels("support", merge(below, mergeWithin*atr), last, atr)
	f.resists = f.putLevels("resistance", merge(above, mergeWithin*atr), last, atr)
	f.lack("levels.support.1", "no level below the close in the lookback window")
	f.lack("levels.resistance.1", "no level above the close in the lookback window")
}

// kindYearExtreme stands for the high or low of the 52 weeks.
const kindYearExtreme levels.Kind = "52-week extreme"

func extreme(column []float64, times []time.Time, value float64, source string) levels.Level {
	i := slices.Index(column, value)
	return levels.Level{Price: value, Low: value, High: value, Kind: kindYearExtreme, Source: source, Born: times[i], Confirmed: times[i], LastTouch: times[i], Touches: 1}
}

func (f *findings) addProfile(recent market.Series) {
	profile, err := levels.Profile(recent, nil)
	switch {
	case errors.Is(err, levels.ErrNoVolume):
		err = errors.New("the bars have no volume")
	case err == nil && profile == nil:
		err = errors.New(noData)
	}
	if err != nil {
		for _, id := range []string{"levels.poc", "levels.value_low", "levels.value_high"} {
			f.lack(id, err.Error())
		}
		return
	}
	last, atr := f.value("trend.close"), f.value("volatility.atr")
	for id, value := range map[string]float64{"levels.poc": profile.POC, "levels.value_low": profile.ValueAreaLow, "levels.value_high": profile.ValueAreaHigh} {
		f.put(id, value, f.end, price(value), noData)
		f.setDistance(id, last, atr)
	}
}

func (f *findings) setDistance(id string, last, atr float64) {
	if distance := market.Float((f.value(id) - last) / atr); distance.Known() {
		f.edit(id, func(e *Evidence) { e.DistanceATR = &distance })
	}
}

// A cluster is levels so near each other that they are one.
type cluster struct {
	levels.Level               // the one that stands for it
	others       []levels.Kind // kinds of the rest, without repeats
}

// merge joins levels, nearest first, that lie within width of the first of
// their group.
func merge(list []levels.Level, width float64) []cluster {
	var clusters []cluster
	var edge float64
	for _, l := range list {
		if n := len(clusters) - 1; n >= 0 && math.Abs(l.Price-edge) <= width {
			c := &clusters[n]
			if outranks(l, c.Level) {
				c.Level, l = l, c.Level
			}
			c.others = append(c.others, l.Kind)
			continue
		}
		clusters, edge = append(clusters, cluster{Level: l}), l.Price
	}
	for i := range clusters {
		c := &clusters[i]
		c.others = slices.DeleteFunc(c.others, func(k levels.Kind) bool { return k == c.Kind })
		slices.Sort(c.others)
		c.others = slices.Compact(c.others)
	}
	slices.SortStableFunc(clusters, func(a, b cluster) int { return cmp.Compare(a.Price, b.Price) })
	return clusters
}

// outranks says which of two near levels gives the price: what the market has
// made by turning comes before what was calculated.
func outranks(a, b levels.Level) bool {
	rank := []levels.Kind{
		levels.KindZone, levels.KindSwingHigh, levels.KindSwingLow, kindYearExtreme, levels.KindPOC, levels.KindValueAreaHigh, levels.KindValueAreaLow,
		levels.KindHighVolumeNode, levels.KindPriorHigh, levels.KindPriorLow, levels.KindPivot, levels.KindPivotResistance, levels.KindPivotSupport,
	}
	order := cmp.Or(cmp.Compare(slices.Index(rank, a.Kind), slices.Index(rank, b.Kind)), cmp.Compare(b.Touches, a.Touches))
	return order < 0
}

// putLevels records the nearest levels of one side and returns all of them,
// nearest first.
func (f *findings) putLevels(side string, clusters []cluster, last, atr float64) []namedLevel {
	slices.SortStableFunc(clusters, func(a, b cluster) int {
		return cmp.Compare(math.Abs(a.Price-last), math.Abs(b.Price-last))
	})
	var named []namedLevel
	for i, c := range clusters[:min(len(clusters), shownLevels)] {
		id := fmt.Sprintf("levels.%s.%d", side, i+1)
		name := c.Source
		if name == "" || len(name) > 48 {
			name = string(c.Kind)
		}
		distance := c.Price/last - 1
		text := fmt.Sprintf("%s, %s, %.1f ATR (%s)", price(c.Price), name, math.Abs(c.Price-last)/atr, away(distance, "below", "above"))
		if c.Touches > 1 {
			text += ", " + plural(c.Touches, "touch", "touches")
		}
		if len(c.others) > 0 {
			text += ", with " + join(c.others)
		}
		f.put(id, c.Price, f.end, text, "")
		f.setDistance(id, last, atr)
		named = append(named, namedLevel{id: id, name: name, price: c.Price})
	}
	return named
}

// join lists at most three kinds.
func join(kinds []levels.Kind) string {
	var words []string
	for _, k := range kinds[:min(3, len(kinds))] {
		words = append(words, string(k))
	}
	return strings.Join(words, ", ")
}
