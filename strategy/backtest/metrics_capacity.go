package backtest

import (
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// capacityWeek is how far apart the snapshots of the capacity are.
const capacityWeek = 7 * 24 * time.Hour

// A tradedVolume is what the market of one symbol could have taken beside the orders
// of an account.
type tradedVolume struct {
	feed     *BarFeed
	multi    float64
	quantity float64 // held
	last     int64   // of the order before; 0: none
	scale    float64 // of the orders' frequency
	volume   float64 // dollars in the bars after the orders since the last snapshot with some
	trades   int
	sold     float64 // dollars traded since the last snapshot
	over     bool    // a snapshot was taken: the next order begins anew
}

// estimateCapacity is LEAN's estimate of how much money a strategy could trade. Each
// week the symbol with the least volume left for it counts:
//
//	volume / trades / max(sold / all sold, held / worth of the account)
//
// where volume is a part of the dollars traded in the bars that follow its orders
// (2 % of the day's bar, 5 % of the hour's, 20 % of minutes: so many that 6 million
// dollars are traded in them, 1 to 120; 50 % of seconds), times min(1, max(0.2,
// 2m/390)) for an order m minutes after the one before. Without orders the volume of
// the last ones stands. The estimate is that of the first week, then 0.66 of itself
// and 0.33 of the week's. NaN when there were no orders, and when the volume of the
// bars of a symbol that was traded is not known: options have none.
//
// https://www.quantconnect.com/docs/v2/lean-engine/statistics/capacity
func estimateCapacity(m *Market, a *AccountRecord) float64 {
	if len(a.Fills) == 0 || a.Curve.Len() == 0 {
		return math.NaN()
	}
	symbols := map[market.Symbol]*tradedVolume{}
	var order []*tradedVolume // by first order, so that sums do not depend on a map
	capacity := math.NaN()
	next := a.Curve.Time[0] + int64(capacityWeek)
	end := max(a.Curve.Time[a.Curve.Len()-1], a.Fills[len(a.Fills)-1].Time.UnixNano())
	for i := 0; ; {
		for ; i < len(a.Fills) && a.Fills[i].Time.UnixNano() < next; i++ {
			f := &a.Fills[i]
			v := symbols[f.Symbol]
			if v == nil {
				v = &tradedVolume{feed: feedOf(m, f.Symbol), multi: f.Multiplier.InexactFloat64()}
				if v.feed == nil {
					return math.NaN()
				}
				symbols[f.Symbol], order = v, append(order, v)
			}
			if v.fill(f); math.IsNaN(v.volume) {
				return math.NaN()
			}
		}
		last := next >= end
		capacity = smoothedCapacity(capacity, order, worthAt(&a.Curve, min(next, end)), min(next, end))
		if last {
			return capacity
		}
		next += int64(capacityWeek)
	}
}

// feedOf is the feed of a symbol's shortest bars; nil when there is none to look into.
func feedOf(m *Market, symbol market.Symbol) *BarFeed {
	var out *BarFeed
	for i := range m.Bars {
		f := &m.Bars[i]
		if f.Symbol == symbol && len(f.Bars) > 0 && (out == nil || lengthOf(f) < lengthOf(out)) {
			out = f
		}
	}
	return out
}

func lengthOf(f *BarFeed) time.Duration {
	if d := f.Interval.Duration(); d > 0 {
		return d
	}
	return 24 * time.Hour
}

// fill adds what the bars after a fill had.
func (v *tradedVolume) fill(f *Fill) {
	at := f.Time.UnixNano()
	v.quantity += f.Quantity.InexactFloat64() * float64(f.Action.Sign())
	v.sold += f.money()
	if v.over {
		v.volume, v.trades, v.over = 0, 0, false
	}
	v.trades++
	v.scale = 1
	if v.last != 0 {
		v.scale = min(1, max(0.2, 2*time.Duration(at-v.last).Minutes()/390))
	}
	v.last = at
	v.volume += v.scale * v.after(f.Time)
}

// after is the part of the dollars traded in the bars that follow a time which is
// left for an account.
func (v *tradedVolume) after(t time.Time) float64 {
	bars, length := v.feed.Bars, lengthOf(v.feed)
	if length >= 24*time.Hour { // the bar that ends on the day, or next
		day := market.DateOf(t)
		i, _ := slices.BinarySearchFunc(bars, t.Add(-length), func(b market.Bar, t time.Time) int { return b.Time.Compare(t) })
		for i < len(bars) && market.DateOf(bars[i].Time.Add(length-time.Nanosecond)).Before(day) {
			i++
		}
		return 0.02 * v.dollars(min(i, len(bars)-1))
	}
	i, _ := slices.BinarySearchFunc(bars, t.Add(-length), func(b market.Bar, t time.Time) int {
		if b.Time.After(t) {
			return 1
		}
		return -1
	}) // the first that ends after t
	if i == len(bars) {
		i--
	}
	if length >= time.Hour {
		return 0.05 * v.dollars(i)
	}
	part, enough, least := 0.2, 6_000_000.0, 1.0
	if length < time.Minute {
		part, enough, least = 0.5, 100_000, 5
	}
	minutes := 10.0
	from := max(0, i-1)
	if average := (v.dollars(i) + v.dollars(from)) / 2 / length.Minutes(); average > 0 {
		minutes = math.Floor(min(120, max(least, enough/average)))
	}
	until, sum := t.Add(time.Duration(minutes)*time.Minute), 0.0
	for ; i < len(bars) && !bars[i].Time.Add(length).After(until); i++ {
		sum += v.dollars(i)
	}
	return part * sum
}

func (v *tradedVolume) dollars(i int) float64 {
	return v.feed.Bars[i].Close * v.feed.Bars[i].Volume * v.multi
}

// closeAt is the last close before a time.
func (v *tradedVolume) closeAt(at int64) float64 {
	i, _ := slices.BinarySearchFunc(v.feed.Bars, at, func(b market.Bar, at int64) int {
		if b.Time.UnixNano() < at {
			return -1
		}
		return 1
	})
	return v.feed.Bars[max(0, i-1)].Close
}

// smoothedCapacity takes the snapshot of a week.
func smoothedCapacity(before float64, all []*tradedVolume, worth float64, at int64) float64 {
	if len(all) == 0 || !(worth > 0) {
		return before
	}
	sold := 0.0
	least := all[0]
	for _, v := range all {
		sold += v.sold
		if v.volume < least.volume {
			least = v
		}
	}
	share := math.Abs(least.quantity) * least.closeAt(at) * least.multi / worth
	if sold > 0 {
		share = max(share, least.sold/sold)
	}
	now := before
	if share > 0 {
		now = least.volume / float64(least.trades) / share
	}
	for _, v := range all {
		v.sold, v.over = 0, true
	}
	if math.IsNaN(before) || before == 0 {
		return now
	}
	return 0.66*before + 0.33*now
}

// worthAt is the account's worth at the last point up to a time.
func worthAt(c *Curve, at int64) float64 {
	i, found := slices.BinarySearch(c.Time, at)
	if !found {
		i--
	}
	for ; i >= 0; i-- {
		if x := c.Value[i]; !math.IsNaN(x) {
			return x
		}
	}
	return math.NaN()
}
