package synthetic

import (
	"math"
	"sort"
	"time"

	"github.com/ttai-go/ttai/market"
)

// ticksPerMinute is how often a price can change: every 250 ms.
const (
	ticksPerMinute = 240
	tickLength     = time.Minute / ticksPerMinute
)

// A minuteDay is one session's minutes of regular trading, as traded.
type minuteDay struct {
	session             int
	bars                []market.Bar
	highSoFar, lowSoFar []float64 // of the minutes before
	volumeSoFar         []float64
}

// newBridge returns a bridge for the minutes of session i. The noise is partly
// the whole market's, so that prices move together within the day too.
func (k *track) newBridge(i int) *bridge {
	s := k.sessions[i]
	day := dayNumber(s.Date)
	b := &bridge{
		own: k.key.with(streamPath).with(day), shared: k.market.key.with(streamShared).with(day),
		weight: 0.5, shape: k.market.shape(int(s.Close.Sub(s.Open) / time.Minute)), tick: cent,
	}
	if p := k.profile; p != nil {
		total := math.Sqrt(square(p.beta*marketVol) + square(p.load*sectorVol[p.sector]) + square(p.idio))
		b.weight = max(-0.9, min(0.98, p.beta*marketVol/total))
	}
	if k.bars[i].Close < 1 {
		b.tick = 0.0001
	}
	return b
}

// appendMinutes appends the minutes of regular trading of session i.
func (k *track) appendMinutes(dst []market.Bar, i int) []market.Bar {
	s, b := k.sessions[i], k.newBridge(i)
	if k.intraday == nil {
		bar := k.bars[i]
		bar.Time = s.Open
		pauses, n := k.pauses(i), k.length(i)
		for _, p := range pauses {
			n -= p.length
		}
		from := len(dst)
		dst = k.split(dst, b, bar, n)
		delay(dst[from:], pauses)
		return dst
	}
	for _, bar := range k.intraday[i] {
		if bar.Time.Before(s.Close) && bar.Time.Add(k.interval).After(s.Open) {
			end := bar.Time.Add(k.interval)
			if end.After(s.Close) && bar.Time.Before(s.Close) {
				end = s.Close
			}
			b.first = max(0, int(bar.Time.Sub(s.Open)/time.Minute))
			dst = k.split(dst, b, bar, int((end.Sub(bar.Time)+time.Minute-1)/time.Minute))
		}
	}
	return dst
}

// split appends the n minutes of a longer bar: together they have its open,
// high, low, close and volume.
func (k *track) split(dst []market.Bar, b *bridge, bar market.Bar, n int) []market.Bar {
	if n <= 1 {
		return append(dst, bar)
	}
	points := make([]float64, n+1)
	b.draw(points, bar.Open, bar.High, bar.Low, bar.Close)
	weights := make([]float64, n+1) // volume so far
	detail := b.own.with(streamMinute)
	unit := 0.5 * (bar.High - bar.Low) / math.Sqrt(float64(n))
	from := len(dst)
	for j := range n {
		h := detail.at(b.first + j)
		up, down := float64(h&0xffff)/0x1p16, float64(h>>16&0xffff)/0x1p16
		a := b.amplitude(b.first + j)
		open, shut := points[j], points[j+1]
		perTick := 1 / b.tick
		high := max(open, shut) + math.Floor(unit*a*up*up*perTick)/perTick
		low := min(open, shut) - math.Floor(unit*a*down*down*perTick)/perTick
		dst = append(dst, market.Bar{
			Time: bar.Time.Add(time.Duration(j) * time.Minute),
			Open: open, Close: shut,
			High: min(bar.High, math.Round(high*perTick)/perTick), Low: max(bar.Low, math.Round(low*perTick)/perTick),
		})
		last := &dst[len(dst)-1]
		last.High, last.Low = max(last.High, open, shut), min(last.Low, open, shut)
		weights[j+1] = weights[j] + a*(0.3+float64(h>>32)/0x1p32)
	}
	minutes := dst[from:]
	spread(minutes, weights, bar.Volume)
	touch(minutes, bar)
	return dst
}

// spread divides volume in whole shares, and leaves NaN unknown.
func spread(minutes []market.Bar, weights []float64, volume float64) {
	total := weights[len(weights)-1]
	before := 0.0
	for j := range minutes {
		upTo := math.Floor(volume * weights[j+1] / total)
		if j == len(minutes)-1 {
			upTo = volume
		}
		minutes[j].Volume = upTo - before
		before = upTo
	}
}

// touch makes the minutes reach the bar's high and low where a short path has
// not: the highest minute gets the high, the lowest the low.
func touch(minutes []market.Bar, bar market.Bar) {
	top, bottom := 0, 0
	for j := range minutes {
		if minutes[j].High > minutes[top].High {
			top = j
		}
		if minutes[j].Low < minutes[bottom].Low {
			bottom = j
		}
	}
	minutes[top].High, minutes[bottom].Low = bar.High, bar.Low
}

// day returns the minutes of session i, from memory when it was the last one asked.
func (k *track) day(i int) *minuteDay {
	if d := k.minutes.Load(); d != nil && d.session == i {
		return d
	}
	d := newMinuteDay(i, k.appendMinutes(nil, i))
	k.minutes.Store(d)
	return d
}

func newMinuteDay(i int, bars []market.Bar) *minuteDay {
	d := &minuteDay{session: i, bars: bars}
	n := len(d.bars)
	columns := make([]float64, 3*n)
	d.highSoFar, d.lowSoFar, d.volumeSoFar = columns[:n], columns[n:2*n], columns[2*n:]
	high, low, volume := math.Inf(-1), math.Inf(1), 0.0
	for j, b := range d.bars {
		d.highSoFar[j], d.lowSoFar[j], d.volumeSoFar[j] = high, low, volume
		high, low, volume = max(high, b.High), min(low, b.Low), volume+b.Volume
	}
	return d
}

// at returns the last minute that has begun at t, -1 before the first.
func (d *minuteDay) at(t time.Time) int { return begun(d.bars, t) }

// begun returns the last of bars that starts at or before t, -1 before the first.
func begun(bars []market.Bar, t time.Time) int {
	return sort.Search(len(bars), func(i int) bool { return bars[i].Time.After(t) }) - 1
}

// A tickMinute is the prices within one minute.
type tickMinute struct {
	start  time.Time
	points []float64
}

// soFar returns a minute as it stands at t: the whole bar once it is over.
func (k *track) soFar(bar market.Bar, t time.Time) market.Bar {
	step := int(t.Sub(bar.Time) / tickLength)
	if step >= ticksPerMinute {
		return bar
	}
	ticks := k.ticks.Load()
	if ticks == nil || !ticks.start.Equal(bar.Time) {
		src := k.key.with(streamTick).with(uint64(bar.Time.Unix()))
		b := bridge{own: src, tick: cent}
		if bar.Close < 1 {
			b.tick = 0.0001
		}
		ticks = &tickMinute{start: bar.Time, points: make([]float64, ticksPerMinute+1)}
		b.draw(ticks.points, bar.Open, bar.High, bar.Low, bar.Close)
		k.ticks.Store(ticks)
	}
	out := market.Bar{Time: bar.Time, Open: bar.Open, High: bar.Open, Low: bar.Open}
	for _, x := range ticks.points[:step+1] {
		out.High, out.Low = max(out.High, x), min(out.Low, x)
	}
	out.Close = ticks.points[step]
	out.Volume = math.Floor(bar.Volume * float64(step) / ticksPerMinute)
	return out
}

// dayAt is the bar of session i as it stands at t, and false before its first trade.
func (k *track) dayAt(i int, t time.Time) (market.Bar, bool) {
	whole := k.bars[i]
	if !t.Before(k.sessions[i].Close) {
		return whole, true
	}
	d := k.day(i)
	j := d.at(t)
	if j < 0 {
		return market.Bar{}, false
	}
	now := k.soFar(d.bars[j], t)
	return market.Bar{
		Time: whole.Time, Open: d.bars[0].Open, Close: now.Close,
		High: max(d.highSoFar[j], now.High), Low: min(d.lowSoFar[j], now.Low),
		Volume: d.volumeSoFar[j] + now.Volume,
	}, true
}
