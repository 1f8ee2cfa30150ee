package synthetic

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// An extendedDay is the trading before and after one session, minutes without
// a trade left out.
type extendedDay struct {
	session   int
	pre, post []market.Bar
}

// beyond returns the trading before and after session i. Made history has it
// for all but indices; replayed history has what lies in the file.
func (k *track) beyond(i int) *extendedDay {
	if e := k.extended.Load(); e != nil && e.session == i {
		return e
	}
	e := &extendedDay{session: i}
	switch {
	case k.intraday != nil:
		s, n := k.sessions[i], int(k.interval/time.Minute)
		for _, b := range k.intraday[i] {
			thin := &bridge{own: k.key.with(streamExtended).with(uint64(b.Time.Unix())), tick: cent}
			if !b.Time.Add(k.interval).After(s.Open) {
				e.pre = k.split(e.pre, thin, b, n)
			} else if !b.Time.Before(s.Close) {
				e.post = k.split(e.post, thin, b, n)
			}
		}
	case !k.replayed && k.profile.class != index:
		e.pre, e.post = k.preMarket(i), k.postMarket(i)
	}
	k.extended.Store(e)
	return e
}

// evening is the last price after session i, in its shares: a part of the way
// to the next open, and most of a report's effect when one came after the close.
func (k *track) evening(i int) float64 {
	shut := k.bars[i].Close
	if i+1 >= len(k.bars) {
		return shut
	}
	next := (k.bars[i+1].Open + k.paid(i+1)) * k.ratio(i, i+1)
	way, part := math.Log(next/shut), 0.2
	if r, ok := k.reported(i + 1); ok {
		if r.morning {
			way -= r.jump
		} else {
			part = 0.85
		}
	}
	return max(cent, round2(shut*math.Exp(part*way)))
}

// paid is the dividend whose ex-date is session i, 0 when there is none.
func (k *track) paid(i int) float64 {
	for _, d := range k.dividends {
		if d.session == i {
			return d.amount
		}
	}
	return 0
}

// reported is the report whose effect lies in the night before session i.
func (k *track) reported(i int) (report, bool) {
	for _, r := range k.earnings {
		if r.night() == i {
			return r, true
		}
	}
	return report{}, false
}

func (k *track) postMarket(i int) []market.Bar {
	s := k.sessions[i]
	jumpAt, share := -1, 0.012
	if r, ok := k.reported(i + 1); ok && !r.morning {
		jumpAt, share = 5, 0.08
	}
	return k.thin(i, s.Close, s.PostClose, k.bars[i].Close, k.evening(i), jumpAt, share)
}

func (k *track) preMarket(i int) []market.Bar {
	if i == 0 {
		return nil
	}
	s := k.sessions[i]
	from := max(cent, round2(k.evening(i-1)/k.ratio(i-1, i)-k.paid(i)))
	jumpAt, share := -1, 0.018
	if r, ok := k.reported(i); ok && r.morning {
		jumpAt, share = int(r.at.Sub(s.PreOpen)/time.Minute), 0.08
	}
	return k.thin(i, s.PreOpen, s.Open, from, k.bars[i].Open, jumpAt, share)
}

// thin draws minutes of little trading from one price to another; at minute
// jumpAt most of the way is gone at once. share is the part of the day's
// volume that is traded in them.
func (k *track) thin(i int, start, end time.Time, from, to float64, jumpAt int, share float64) []market.Bar {
	n := int(end.Sub(start) / time.Minute)
	if n < 1 {
		return nil
	}
	src := k.key.with(streamExtended).with(uint64(start.Unix()))
	b := &bridge{own: src, tick: cent}
	deviation := 0.3 * math.Sqrt(k.fast[max(0, i-1)]/252)
	var bars []market.Bar
	stretch := func(first, n int, from, to float64) {
		if n < 1 {
			return
		}
		b.first = first
		scale := deviation * math.Sqrt(float64(n)/240)
		bars = k.split(bars, b, market.Bar{
			Time: start.Add(time.Duration(first) * time.Minute), Open: from, Close: to,
			High:   max(from, to, round2(max(from, to)*(1+scale*src.with(uint64(first)).uniform()))),
			Low:    min(from, to, max(cent, round2(min(from, to)*(1-scale*src.with(uint64(first)).with(1).uniform())))),
			Volume: math.NaN(),
		}, n)
	}
	if jumpAt > 0 && jumpAt < n-1 {
		after := round2(from + 0.8*(to-from))
		stretch(0, jumpAt, from, from)
		bars = append(bars, market.Bar{Time: start.Add(time.Duration(jumpAt) * time.Minute), Open: from, Close: after, High: max(from, after), Low: min(from, after)})
		stretch(jumpAt+1, n-jumpAt-1, after, to)
	} else {
		stretch(0, n, from, to)
	}
	traded := bars[:0]
	for j, bar := range bars {
		u := src.with(streamVolume).at(j).uniform()
		bar.Volume = math.Floor(k.bars[i].Volume * share / float64(n) * 4 * u * u * u)
		if bar.Volume >= 25 {
			traded = append(traded, bar)
		}
	}
	return traded
}
