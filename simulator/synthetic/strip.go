package synthetic

import (
	"math"
	"sort"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A strip is what a product's contracts are prices of, over the hours of
// futures: the night before each session of the stock exchange, the session
// itself, which is the underlying's own minute by minute, and the evening.
type strip struct {
	track *track
	days  []stripDay // by session of the track
}

// A stripDay is one trade date. Prices are the underlying's.
type stripDay struct {
	open, shut     time.Time
	night, evening market.Bar
	before, after  []market.Period // trading before and after the session
	volume         float64         // contracts of the product
}

// makeStrip draws the nights and evenings of all sessions.
func (f *future) makeStrip() *strip {
	if f.reference != "" {
		return f.from().strip()
	}
	k := f.cell.get(f.market)
	s := &strip{track: k, days: make([]stripDay, len(k.sessions))}
	hours := f.market.futureDays()
	for i, session := range k.sessions {
		d := &s.days[i]
		for len(hours) > 0 && hours[0].Date.Before(session.Date) {
			hours = hours[1:]
		}
		if len(hours) > 0 && hours[0].Date == session.Date {
			d.before, d.after = around(session, hours[0].Periods)
		}
		d.open, d.shut = session.Open, session.Close
		key := f.key.with(dayNumber(session.Date))
		way := 0.0 // to the next open
		if i+1 < len(k.bars) {
			way = math.Log(k.bars[i+1].Open / k.bars[i].Close)
		}
		deviation := math.Sqrt(k.fast[max(0, i-1)] / 252)
		if len(d.before) > 0 {
			d.open = d.before[0].Open
			from := k.bars[i].Open
			if i > 0 {
				before := k.bars[i-1].Close
				from = max(cent, round2(before*math.Exp(0.2*math.Log(k.bars[i].Open/before))))
			}
			d.night = stretch(key.with(1), from, k.bars[i].Open, deviation*math.Sqrt(overnightShare))
		}
		if n := len(d.after); n > 0 {
			d.shut = d.after[n-1].Close
			d.evening = stretch(key.with(2), k.bars[i].Close, max(cent, round2(k.bars[i].Close*math.Exp(0.1*way))), 0.1*deviation)
		}
		z := math.Abs(math.Log(k.bars[i].Close/k.bars[max(0, i-1)].Close)) / deviation
		d.volume = 1000 * f.volume * math.Exp(0.2*key.with(3).normal()-0.02) * (0.8 + 0.25*min(6, z))
		if session.Early {
			d.volume *= 0.4
		}
		d.volume = math.Floor(d.volume)
	}
	return s
}

// around returns the trading of a trade date before and after a session of the
// stock exchange.
func around(session market.Session, periods []market.Period) (before, after []market.Period) {
	for i, p := range periods {
		switch {
		case p.Open.Before(session.Open):
			before = periods[:i+1] // the last of them ends at the open
		case !p.Open.Before(session.Close):
			return before, periods[i:]
		case p.Close.After(session.Close):
			p.Open = session.Close
			return before, append([]market.Period{p}, periods[i+1:]...)
		}
	}
	return before, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// stretch draws the high and low between two prices, as [track.dayBar] does.
func stretch(k key, open, shut, vol float64) market.Bar {
	x := math.Log(shut / open)
	extreme := func(n uint64) float64 { return math.Sqrt(x*x - 2*vol*vol*math.Log(k.with(n).uniform())) }
	b := market.Bar{
		Open: open, Close: shut,
		High: round2(open * math.Exp((x+extreme(1))/2)),
		Low:  max(cent, round2(open*math.Exp((x-extreme(2))/2))),
	}
	b.High, b.Low = max(b.High, open, shut), min(b.Low, open, shut)
	return b
}

// begun returns the last trade date that has begun at t, -1 before the first.
func (s *strip) begun(t time.Time) int {
	return sort.Search(len(s.days), func(i int) bool { return s.days[i].open.After(t) }) - 1
}

// bar is a whole trade date in the underlying's prices.
func (s *strip) bar(i int) market.Bar {
	d, b := &s.days[i], s.track.bars[i]
	b.Volume = d.volume
	if d.night.Open > 0 {
		b.Open, b.High, b.Low = d.night.Open, max(b.High, d.night.High), min(b.Low, d.night.Low)
	}
	if d.evening.Open > 0 {
		b.Close, b.High, b.Low = d.evening.Close, max(b.High, d.evening.High), min(b.Low, d.evening.Low)
	}
	return b
}

// day returns the minutes of a trade date in the underlying's prices, from
// memory when it was the last one asked.
func (f *future) day(i int) *minuteDay {
	f = f.from()
	if d := f.made.Load(); d != nil && d.session == i {
		return d
	}
	s := f.strip()
	day, session := &s.days[i], s.track.sessions[i]
	base := s.track.newBridge(i)
	key := f.key.with(streamPath).with(dayNumber(session.Date))
	outer := func(dst []market.Bar, n uint64, bar market.Bar, periods []market.Period, volume float64) []market.Bar {
		minutes := 0
		for _, p := range periods {
			minutes += int(p.Close.Sub(p.Open) / time.Minute)
		}
		if minutes == 0 {
			return dst
		}
		b := &bridge{own: key.with(n), shared: f.market.key.with(streamShared).with(dayNumber(session.Date)).with(n), weight: base.weight, tick: cent}
		if n == 1 {
			b.shape = nightShape(minutes)
		}
		from := len(dst)
		bar.Volume = math.Floor(volume)
		bar.Time = periods[0].Open
		dst = s.track.split(dst, b, bar, minutes)
		j := from
		for _, p := range periods {
			for t := p.Open; t.Before(p.Close) && j < len(dst); t = t.Add(time.Minute) {
				dst[j].Time = t
				j++
			}
		}
		return dst
	}
	// Some volumes are what is left, so that the sum is the day's.
	night, evening := 0.0, 0.0
	if day.night.Open > 0 {
		night = math.Floor(0.2 * day.volume)
	}
	if day.evening.Open > 0 {
		evening = math.Floor(0.07 * day.volume)
	}
	bars := outer(nil, 1, day.night, day.before, night)
	from := len(bars)
	bars = append(bars, s.track.day(i).bars...)
	weights := make([]float64, len(bars)-from+1)
	for j := range len(bars) - from {
		at := int(bars[from+j].Time.Sub(session.Open) / time.Minute)
		weights[j+1] = weights[j] + base.amplitude(at)*key.with(streamVolume).at(j).between(0.3, 1.3)
	}
	spread(bars[from:], weights, day.volume-night-evening)
	bars = outer(bars, 2, day.evening, day.after, evening)
	d := newMinuteDay(i, bars)
	f.made.Store(d)
	return d
}

// nightShape is the course of activity from the evening to the opening of the
// stock exchange: little at first, more when Europe opens, most at the end.
func nightShape(n int) []float64 {
	shape := make([]float64, n)
	for j := range shape {
		left := float64(n - j) // minutes to 09:30
		europe := (left - 390) / 60
		shape[j] = 0.5 + 0.6*math.Exp(-0.5*europe*europe) + 0.9*math.Exp(-left/45)
	}
	return shape
}
