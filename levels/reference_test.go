package levels

import (
	"cmp"
	"math"
	"slices"

	"github.com/ttai-go/ttai/market"
)

// The rules as the comments say them, looking at every bar for every level.

// plainTrueRanges is Wilder's average true range from the first bar on.
func plainTrueRanges(s market.Series, n int) []float64 {
	out := make([]float64, s.Len())
	mean, seen, before := 0.0, 0, math.NaN()
	for i := range out {
		if known(s, i) {
			high, low := s.High[i], s.Low[i]
			if !math.IsNaN(before) {
				high, low = math.Max(high, before), math.Min(low, before)
			}
			seen++
			if seen < n {
				mean += (high - low - mean) / float64(seen)
			} else {
				mean += (high - low - mean) * (1 / float64(n))
			}
			before = s.Close[i]
		}
		out[i] = mean
	}
	return out
}

// plainExtremes compares every bar with all in its window.
func plainExtremes(v []float64, o SwingOptions) []int {
	var found []int
	for i := o.Left; i+o.Right < len(v); i++ {
		swing := true
		for j := i - o.Left; j <= i+o.Right; j++ {
			tie := v[j] == v[i] && (o.Ties == TiesNone || o.Ties == TiesFirst && j < i)
			if j != i && (math.IsNaN(v[j]) || v[j] > v[i] || tie) {
				swing = false
			}
		}
		if swing && !math.IsNaN(v[i]) {
			found = append(found, i)
		}
	}
	return found
}

// plainLevel is a level with the bars it depends on and the side it begins on.
type plainLevel struct {
	Level
	born, confirmed, home int
}

func plainSwings(s market.Series, o SwingOptions) []plainLevel {
	up, down := slices.Clone(s.High), slices.Clone(s.Low)
	for i := range down {
		down[i] = -down[i]
		if !known(s, i) {
			up[i], down[i] = math.NaN(), math.NaN()
		}
	}
	var found []plainLevel
	add := func(i int, price float64, kind Kind, home int) {
		found = append(found, plainLevel{Level{
			Price: price, Low: price, High: price, Kind: kind, Source: string(kind) + " of " + stamp(s.Time[i], !s.Interval.Intraday()),
			Born: s.Time[i], Confirmed: s.Time[i+o.Right], LastTouch: s.Time[i], Touches: 1,
		}, i, i + o.Right, home})
	}
	for _, i := range plainExtremes(up, o) {
		add(i, s.High[i], KindSwingHigh, -1)
	}
	for _, i := range plainExtremes(down, o) {
		add(i, s.Low[i], KindSwingLow, +1)
	}
	slices.SortStableFunc(found, func(a, b plainLevel) int { return cmp.Compare(a.born, b.born) })
	return found
}

// plainZones looks, for every swing, at all groups of free swings that hold it.
func plainZones(s market.Series, o ZoneOptions) []plainLevel {
	atr := plainTrueRanges(s, o.ATR)
	type active struct {
		low, high float64
		joined    int
	}
	var zones []active
	var free, found []plainLevel
	for _, w := range plainSwings(s, o.Swing) {
		now := w.confirmed
		zones = slices.DeleteFunc(zones, func(z active) bool { return now-z.joined > o.Window })
		free = slices.DeleteFunc(free, func(c plainLevel) bool { return now-c.born > o.Window })
		if i := slices.IndexFunc(zones, func(z active) bool { return w.Price >= z.low && w.Price <= z.high }); i >= 0 {
			zones[i].joined = now
			continue
		}
		free = append(free, w)
		var best []plainLevel
		for _, from := range free {
			var group []plainLevel
			holds := false
			for _, c := range free {
				if c.Price >= from.Price && c.Price-from.Price <= o.Width*atr[now] {
					group = append(group, c)
					holds = holds || c.born == w.born && c.Kind == w.Kind
				}
			}
			slices.SortStableFunc(group, func(a, b plainLevel) int { return cmp.Compare(a.Price, b.Price) })
			if !holds || slices.ContainsFunc(zones, func(z active) bool { return z.low > group[0].Price && z.high < group[len(group)-1].Price }) {
				// A zone in between parts the group: take the part around the newest.
				if !holds {
					continue
				}
				group = slices.DeleteFunc(group, func(c plainLevel) bool {
					return slices.ContainsFunc(zones, func(z active) bool {
						return c.Price < z.low && z.high < w.Price || c.Price > z.high && z.low > w.Price
					})
				})
			}
			if plainDenser(group, best) {
				best = group
			}
		}
		if len(best) < o.MinSwings {
			continue
		}
		z := plainLevel{Level: Level{Kind: KindZone, Low: best[0].Price, High: best[len(best)-1].Price, Touches: len(best), Confirmed: s.Time[now]}, confirmed: now, born: best[0].born}
		last, sum, highs := best[0].born, 0.0, 0
		for _, m := range best {
			z.born, last = min(z.born, m.born), max(last, m.born)
			sum += m.Price
			if m.Kind == KindSwingHigh {
				highs++
			}
		}
		z.Price = min(max(sum/float64(len(best)), z.Low), z.High)
		z.Born, z.LastTouch = s.Time[z.born], s.Time[last]
		daily := !s.Interval.Intraday()
		z.Source = plural(highs, "swing high") + " and " + plural(len(best)-highs, "swing low") + " from " + stamp(z.Born, daily) + " to " + stamp(s.Time[last], daily)
		found = append(found, z)
		zones = append(zones, active{z.Low, z.High, now})
		free = slices.DeleteFunc(free, func(c plainLevel) bool { return c.Price >= z.Low && c.Price <= z.High })
	}
	return found
}

func plainDenser(a, b []plainLevel) bool {
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	if len(a) == 0 {
		return false
	}
	if x, y := a[len(a)-1].Price-a[0].Price, b[len(b)-1].Price-b[0].Price; x != y {
		return x < y
	}
	age := func(group []plainLevel) (sum int) {
		for _, c := range group {
			sum -= c.born
		}
		return sum
	}
	return age(a) < age(b)
}

// plainHistory tells what happens to a level after its confirmation.
func plainHistory(s market.Series, l plainLevel, tolerance float64) Level {
	type visit struct{ from, to int }
	place := func(i int) int {
		switch {
		case min(s.Low[i], s.Close[i]) > l.High+tolerance:
			return 1
		case max(s.High[i], s.Close[i]) < l.Low-tolerance:
			return -1
		}
		return 0
	}
	out := l.Level
	home, before := l.home, 0
	out.State = StateFresh
	var visits []visit
	inside, counted := false, false
	for i := l.confirmed; i < s.Len(); i++ {
		if !known(s, i) {
			continue
		}
		at := place(i)
		switch {
		case at == 0 && !inside:
			inside, counted = true, i > l.confirmed
			if counted {
				out.Touches++
				visits = append(visits, visit{before, 0})
				switch out.State {
				case StateFresh:
					out.State = StateTested
				case StateFlipped:
					out.State = StateRetested
				}
			}
		case at != 0:
			if inside && counted {
				visits[len(visits)-1].to = at
			}
			inside, before = false, at
		}
		if at == 0 && i > l.confirmed {
			out.LastTouch = s.Time[i]
		}
		side := 0
		if s.Close[i] > l.High {
			side = 1
		} else if s.Close[i] < l.Low {
			side = -1
		}
		if side != 0 && side != home {
			if home != 0 {
				if !out.Broken {
					out.Broken, out.BrokenAt = true, s.Time[i]
				}
				out.State = StateBroken
			}
			home = side
		}
		if out.State == StateBroken && at == home && at != 0 {
			out.State = StateFlipped
		}
	}
	out.Side = home
	held, done := 0, 0
	for _, v := range visits {
		if v.to != 0 {
			done++
			if v.to == v.from {
				held++
			}
		}
	}
	out.Visits, out.Held = done, held
	return out
}

// plainFind is what an engine without a lookback must say of swings and zones.
func plainFind(s market.Series, swing SwingOptions, zone ZoneOptions, tolerance float64) []Level {
	atr := plainTrueRanges(s, 14)
	var found []Level
	for _, l := range append(plainSwings(s, swing), plainZones(s, zone)...) {
		found = append(found, plainHistory(s, l, tolerance*atr[l.confirmed]))
	}
	sortByPrice(found)
	return found
}
