package chart

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ttai-go/ttai/market"
)

// A frame is a chart reduced to the number of slots that fit side by side.
type frame struct {
	n     int         // slots
	per   int         // values in a slot
	cut   int         // oldest values left out
	times []time.Time // start of each slot; nil when the axis is numeric or bare
	x     []float64   // of each slot on a numeric axis; nil otherwise
	panes []pane
}

// A pane's values per slot, and the range they are drawn in.
type pane struct {
	Pane
	low, high float64 // NaN when there is nothing to draw
	hidden    int     // levels too far away to be drawn
}

// prepare reduces a chart to at most most slots. On a numeric axis every value
// keeps a slot of its own.
func (c Chart) prepare(most int) frame {
	f := frame{per: 1, x: c.X}
	n := len(c.X)
	var times []time.Time
	for _, p := range c.Panes {
		if times == nil && len(p.Candles) > 0 {
			times = make([]time.Time, len(p.Candles))
			for i, b := range p.Candles {
				times[i] = b.Time
			}
		}
		n = max(n, len(p.Candles), len(p.Histogram))
		for _, l := range p.Lines {
			n = max(n, len(l.Values))
		}
	}
	if times == nil {
		times = c.Times
	}
	if f.x != nil {
		times = nil
		f.n = n
	} else {
		// Leaving out a few of the oldest beats halving the resolution.
		most = max(1, most)
		if f.per = max(1, n/most); float64(n) > 1.25*float64(f.per*most) {
			f.per++
		}
		f.n = min(most, (n+f.per-1)/f.per)
		f.cut = max(0, n-f.n*f.per)
	}
	if times != nil {
		f.times = make([]time.Time, 0, f.n)
		for slot := range f.n {
			if from, _ := f.slot(slot, n); from < len(times) {
				t := times[from]
				if c.Location != nil {
					t = t.In(c.Location)
				}
				f.times = append(f.times, t)
			}
		}
	}
	for _, p := range c.Panes {
		f.panes = append(f.panes, f.reduce(p, n))
	}
	return f
}

// slot returns the values [from, to) of a slot. The newest slot is full, the
// oldest takes what is left over.
func (f frame) slot(i, n int) (from, to int) {
	to = n - (f.n-1-i)*f.per
	return max(0, to-f.per), to
}

func (f frame) reduce(p Pane, n int) pane {
	out := pane{Pane: p}
	if len(p.Candles) > 0 {
		out.Candles = make([]market.Bar, f.n)
		for i := range out.Candles {
			from, to := f.slot(i, n)
			out.Candles[i] = join(p.Candles[min(from, len(p.Candles)):min(to, len(p.Candles))])
		}
	}
	out.Lines = make([]Line, len(p.Lines))
	for k, l := range p.Lines {
		out.Lines[k] = Line{Name: l.Name, Values: f.pick(l.Values, n, false)}
	}
	if len(p.Histogram) > 0 {
		out.Histogram = f.pick(p.Histogram, n, true)
	}
	out.findRange()
	return out
}

// pick takes one value per slot: the latest known one, or the largest in size.
func (f frame) pick(values []float64, n int, largest bool) []float64 {
	out := make([]float64, f.n)
	for i := range out {
		out[i] = math.NaN()
		from, to := f.slot(i, n)
		for _, v := range values[min(from, len(values)):min(to, len(values))] {
			if finite(v) && (!largest || !finite(out[i]) || math.Abs(v) > math.Abs(out[i])) {
				out[i] = v
			}
		}
	}
	return out
}

// join makes one bar of several, leaving out those that are not known.
func join(bars []market.Bar) market.Bar {
	n := math.NaN()
	out := market.Bar{Open: n, High: n, Low: n, Close: n, Volume: n}
	for _, b := range bars {
		if !drawable(b) {
			continue
		}
		if !drawable(out) {
			out = b
			continue
		}
		out.High, out.Low, out.Close = max(out.High, b.High), min(out.Low, b.Low), b.Close
	}
	return out
}

// finite reports whether x is known. Numbers beyond any price count as unknown:
// their differences would overflow.
func finite(x float64) bool { return math.Abs(x) < 1e100 }

func drawable(b market.Bar) bool {
	return finite(b.Open) && finite(b.High) && finite(b.Low) && finite(b.Close)
}

// findRange sets the vertical range: all values and guides, and those levels
// that lie within a quarter of the values' range around it.
func (p *pane) findRange() {
	low, high := math.Inf(1), math.Inf(-1)
	see := func(values ...float64) {
		for _, v := range values {
			if finite(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	for _, b := range p.Candles {
		if drawable(b) {
			see(b.High, b.Low, b.Open, b.Close)
		}
	}
	for _, l := range p.Lines {
		see(l.Values...)
	}
	if see(p.Histogram...); len(p.Histogram) > 0 && low <= high {
		see(0)
	}
	if low > high {
		p.low, p.high, p.hidden = math.NaN(), math.NaN(), len(p.Levels)
		p.Levels, p.Guides = nil, nil
		return
	}
	see(p.Guides...)
	reach := (high - low) / 4
	if reach == 0 {
		reach = math.Max(math.Abs(high)/100, 1e-9)
	}
	bottom, top := low-reach, high+reach
	var near []Mark
	for _, m := range p.Levels {
		if finite(m.Price) && m.Price >= bottom && m.Price <= top {
			near = append(near, m)
			see(m.Price)
		}
	}
	p.hidden, p.Levels = len(p.Levels)-len(near), near
	pad := (high - low) * 0.04
	if pad == 0 {
		pad = reach
	}
	p.low, p.high = low-pad, high+pad
	if len(p.Candles) == 0 && len(p.Histogram) > 0 && low == 0 {
		p.low = 0 // bars stand on the floor
	}
}

func (p pane) empty() bool { return math.IsNaN(p.low) }

// A tick is a place on an axis with its label.
type tick struct {
	at    float64 // a value, or a slot
	label string
	rank  int // larger is kept first when labels collide
}

// step returns the smallest of 1, 2, 2.5 and 5 times a power of ten that is at
// least least.
func step(least float64) float64 {
	if !(least > 0) || math.IsInf(least, 1) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if m*power >= least*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// valueTicks returns round values in [low, high], about count of them.
func valueTicks(low, high float64, count int) (ticks []tick, width float64) {
	width = step((high - low) / float64(max(1, count)))
	first := math.Ceil(low/width - 1e-9)
	for i := 0; i <= 4*max(1, count); i++ {
		v := (first + float64(i)) * width
		if v > high+width*1e-9 {
			break
		}
		ticks = append(ticks, tick{at: v, label: number(v, decimals(width))})
	}
	return ticks, width
}

// decimals is how many digits after the point show multiples of width.
func decimals(width float64) int {
	width = math.Abs(width)
	for d := range 12 {
		scaled := width * math.Pow(10, float64(d))
		if math.Abs(scaled-math.Round(scaled)) <= 1e-6*scaled {
			return d
		}
	}
	return 12
}

// priceDecimals is how many digits a price of the pane is shown with.
func (p pane) priceDecimals(width float64) int {
	d := decimals(width)
	if len(p.Candles) == 0 {
		return d
	}
	return min(max(2, d+1), 8)
}

// number writes v with d digits after the point, and large numbers short: 12.5M.
func number(v float64, d int) string {
	if !finite(v) {
		return "–"
	}
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "B"}, {1e6, "M"}} {
		if math.Abs(v) >= unit.size {
			return strconv.FormatFloat(math.Round(v/unit.size*1000)/1000, 'f', -1, 64) + unit.name
		}
	}
	s := strconv.FormatFloat(v, 'f', d, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-") // no minus zero
	}
	return s
}

// timeTicks returns where the calendar turns, in the finest unit that gives at
// most most labels.
func timeTicks(times []time.Time, most int) []tick {
	if len(times) == 0 {
		return nil
	}
	units := []struct {
		key  func(t time.Time) int64
		rank int
	}{
		{func(t time.Time) int64 { return t.Unix() / 60 }, 0},
		{func(t time.Time) int64 { return t.Unix() / 300 }, 0},
		{func(t time.Time) int64 { return t.Unix() / 900 }, 0},
		{func(t time.Time) int64 { return t.Unix() / 1800 }, 0},
		{func(t time.Time) int64 { return days(t)*24 + int64(t.Hour()) }, 1},
		{func(t time.Time) int64 { return days(t)*12 + int64(t.Hour()/2) }, 1},
		{days, 2},
		{func(t time.Time) int64 { y, w := t.ISOWeek(); return int64(y*100 + w) }, 2},
		{func(t time.Time) int64 { return int64(t.Year()*12 + int(t.Month())) }, 3},
		{func(t time.Time) int64 { return int64(t.Year()*4 + int(t.Month()-1)/3) }, 3},
		{func(t time.Time) int64 { return int64(t.Year()) }, 4},
		{func(t time.Time) int64 { return int64(t.Year() / 5) }, 4},
		{func(t time.Time) int64 { return int64(t.Year() / 20) }, 4},
	}
	for i, unit := range units {
		var ticks []tick
		for slot := 1; slot < len(times) && len(ticks) <= most; slot++ {
			if unit.key(times[slot]) != unit.key(times[slot-1]) {
				ticks = append(ticks, timeTick(times, slot))
			}
		}
		// The finest unit with few enough labels; the coarsest has what it has.
		if len(ticks) <= most || i == len(units)-1 {
			if len(ticks) < 2 {
				return append([]tick{{at: 0, label: fullLabel(times), rank: -1}}, ticks...)
			}
			// Without a turn of the year the first label says which it is.
			if first := &ticks[0]; first.rank < 4 && !slices.ContainsFunc(ticks, func(t tick) bool { return t.rank == 4 }) {
				first.label, first.rank = yearLabel(times[int(first.at)], first.rank), 4
			}
			return ticks
		}
	}
	return nil
}

func days(t time.Time) int64 {
	return int64(t.Year())*400 + int64(t.YearDay())
}

// timeTick names the largest unit that turns between a slot and the one before.
func timeTick(times []time.Time, slot int) tick {
	t, before := times[slot], times[slot-1]
	switch {
	case t.Year() != before.Year():
		return tick{float64(slot), t.Format("2006"), 4}
	case t.Month() != before.Month():
		return tick{float64(slot), t.Format("Jan"), 3}
	case t.Day() != before.Day():
		return tick{float64(slot), t.Format("2 Jan"), 2}
	case t.Hour() != before.Hour():
		return tick{float64(slot), t.Format("15:04"), 1}
	}
	return tick{float64(slot), t.Format("15:04"), 0}
}

// yearLabel names a turn of a month, day or time together with the year.
func yearLabel(t time.Time, rank int) string {
	return t.Format([]string{"2 Jan 2006 15:04", "2 Jan 2006 15:04", "2 Jan 2006", "Jan 2006"}[max(0, rank)])
}

// fullLabel is the first slot's label where no other says the date.
func fullLabel(times []time.Time) string {
	if intraday(times) {
		return times[0].Format("2 Jan 2006 15:04")
	}
	return times[0].Format("2 Jan 2006")
}

// intraday reports whether some day has more than one time, or any has a time of day.
func intraday(times []time.Time) bool {
	for i, t := range times {
		if h, m, s := t.Clock(); h+m+s != 0 && (i == 0 || days(t) == days(times[i-1])) && len(times) > 1 && times[1].Sub(times[0]) < 20*time.Hour {
			return true
		}
	}
	return false
}

// spaced drops labels that would overlap, keeping those of higher rank.
// Extent returns where a label begins and ends.
func spaced(ticks []tick, extent func(t tick) (from, to float64)) []tick {
	var kept []tick
	for rank := 4; rank >= -1; rank-- {
		for _, t := range ticks {
			if t.rank != rank {
				continue
			}
			from, to := extent(t)
			free := true
			for _, k := range kept {
				a, b := extent(k)
				free = free && (to <= a || from >= b)
			}
			if free {
				kept = append(kept, t)
			}
		}
	}
	return kept
}

// describe is the sentence for those who cannot see the chart.
func (c Chart) describe(f frame) string {
	if c.Description != "" {
		return clean(c.Description)
	}
	var parts []string
	for _, p := range f.panes {
		if p.empty() {
			continue
		}
		low, high, last, n := math.Inf(1), math.Inf(-1), market.Bar{}, 0
		for _, b := range p.Candles {
			if drawable(b) {
				low, high, last = min(low, b.Low), max(high, b.High), b
				n++
			}
		}
		d := p.priceDecimals(step((p.high - p.low) / 5))
		if n > 0 {
			parts = append(parts, fmt.Sprintf("Prices from %s to %s: low %s, high %s, last close %s.",
				f.times[0].Format(time.DateOnly), f.times[len(f.times)-1].Format(time.DateOnly), number(low, d), number(high, d), number(last.Close, d)))
		}
		for _, l := range p.Lines {
			if v, ok := latest(l.Values); ok {
				parts = append(parts, fmt.Sprintf("%s ends at %s.", clean(l.Name), number(v, p.legendDecimals())))
			}
		}
		var names []string
		for _, m := range p.Levels {
			names = append(names, clean(m.Name)+" "+number(m.Price, d))
		}
		if len(names) > 0 {
			parts = append(parts, "Levels: "+strings.Join(names, ", ")+".")
		}
	}
	if len(parts) == 0 {
		return nothing + "."
	}
	return strings.Join(parts, " ")
}

// nothing is what a chart or pane without values says.
const nothing = "No data to show"

// note says how the drawing differs from the data, or nothing.
func (f frame) note() string {
	var parts []string
	if f.per > 1 {
		parts = append(parts, fmt.Sprintf("each step is %d bars", f.per))
	}
	if f.cut > 0 {
		parts = append(parts, fmt.Sprintf("the oldest %d bars are not shown", f.cut))
	}
	hidden := 0
	for _, p := range f.panes {
		if !p.empty() {
			hidden += p.hidden
		}
	}
	switch {
	case hidden == 1:
		parts = append(parts, "1 level outside the range")
	case hidden > 1:
		parts = append(parts, fmt.Sprintf("%d levels outside the range", hidden))
	}
	return strings.Join(parts, "; ")
}

// legendDecimals is how exactly the last value of a line is shown.
func (p pane) legendDecimals() int {
	return min(8, max(2, decimals(step((p.high-p.low)/5))+1))
}

func latest(values []float64) (float64, bool) {
	for i := len(values) - 1; i >= 0; i-- {
		if finite(values[i]) {
			return values[i], true
		}
	}
	return math.NaN(), false
}

// clean makes one line of text without control characters, which could steer a terminal.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "�")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s))
}

// cut shortens text to at most n characters.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	if n <= 1 {
		return string(r[:max(0, n)])
	}
	return string(r[:n-1]) + "…"
}
