package backtest

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/ttai-go/ttai/internal/sums"
)

// medianStep is the middle of the distances between the last hundred times; 0 for
// fewer than two.
func medianStep(times []time.Time) time.Duration {
	if len(times) > 100 {
		times = times[len(times)-100:]
	}
	if len(times) < 2 {
		return 0
	}
	steps := make([]time.Duration, len(times)-1)
	for i := range steps {
		steps[i] = times[i+1].Sub(times[i])
	}
	slices.Sort(steps)
	if n := len(steps); n%2 == 0 {
		return (steps[n/2-1] + steps[n/2]) / 2
	}
	return steps[len(steps)/2]
}

// resample takes the equity at the end of each day (week, month, year when the bars
// are that long) and says how many of them are in a year: 52, 12, 1; for days 252,
// or 365 when there is trading on weekends.
func (s *sample) resample() {
	key := func(t time.Time) int64 { return t.Unix() / 86400 }
	switch days := int64(s.period / (24 * time.Hour)); days {
	case 7:
		s.perYear = 52
		// Weeks end on Sunday; day 0 of Unix time was a Thursday.
		key = func(t time.Time) int64 { return (t.Unix()/86400 + 3) / 7 }
	case 28, 29, 30, 31:
		s.perYear = 12
		key = func(t time.Time) int64 { return int64(t.Year()*12 + int(t.Month())) }
	case 365, 366:
		s.perYear = 1
		key = func(t time.Time) int64 { return int64(t.Year()) }
	default:
		weekends := 0
		for _, t := range s.clock {
			if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
				weekends++
			}
		}
		s.perYear = 252
		if float64(weekends)/float64(len(s.clock)) > 2.0/7*0.6 {
			s.perYear = 365
		}
	}
	var prices []float64
	if s.period >= 24*time.Hour { // about as many as bars
		s.resampled, prices = s.where.floats(len(s.clock)), s.where.floats(len(s.clock))
	}
	for i, t := range s.clock {
		if i+1 < len(s.clock) && key(s.clock[i+1]) == key(t) {
			continue
		}
		s.resampled = append(s.resampled, s.Equity[i])
		if s.Benchmark != nil {
			prices = append(prices, s.Benchmark[i])
		}
	}
	s.returns = returnsIn(s.where.floats(len(s.resampled)), s.resampled)
	if s.Benchmark != nil {
		s.market = returnsIn(s.where.floats(len(prices)), prices)
	}
}

// years are the returns of calendar years, the first from the start.
func (s *sample) years() {
	before := s.start
	for i, t := range s.clock {
		if i+1 < len(s.clock) && s.clock[i+1].Year() == t.Year() {
			continue
		}
		s.annual = append(s.annual, annualReturn{strconv.Itoa(t.Year()), s.Equity[i]/before - 1})
		before = s.Equity[i]
	}
}

// A drawdown is a span in which equity was below an earlier peak.
type drawdown struct {
	from, to int     // the bars of the peak and of the recovery, or the last one
	depth    float64 // the largest loss from the peak, a decimal above 0
	open     bool    // not recovered
}

type drawdowns struct {
	list      []drawdown
	depth     []float64 // at each bar, a decimal, 0 at a peak
	max       float64
	maxMoney  float64
	maxBars   int // the longest run of bars below a peak
	worst     int // the bar of the deepest loss
	worstPeak int // the bar of the peak before it
}

func drawdownsOf(equity []float64) drawdowns {
	return drawdownsIn(make([]float64, 0, len(equity)), equity)
}

// drawdownsIn keeps the depths in room that is long enough.
func drawdownsIn(depth, equity []float64) drawdowns {
	d := drawdowns{depth: depth[:len(equity)]}
	peak, peakAt, run, lastZero := math.Inf(-1), 0, 0, 0
	for i, v := range equity {
		if v > peak {
			peak, peakAt = v, i
		}
		below := 1 - v/peak
		d.depth[i] = below
		d.maxMoney = max(d.maxMoney, peak-v)
		if below > d.max {
			d.max, d.worst, d.worstPeak = below, i, peakAt
		}
		if below == 0 {
			d.add(lastZero, i, false)
			lastZero, run = i, 0
			continue
		}
		run++
		d.maxBars = max(d.maxBars, run)
	}
	if n := len(equity) - 1; n >= 0 && d.depth[n] != 0 {
		d.add(lastZero, n, true)
	}
	return d
}

// add keeps what lies between two bars without loss, when anything does.
func (d *drawdowns) add(from, to int, open bool) {
	if to <= from+1 {
		return
	}
	deepest := 0.0
	for _, x := range d.depth[from : to+1] {
		deepest = max(deepest, x)
	}
	d.list = append(d.list, drawdown{from, to, deepest, open})
}

// geometricMean is the constant return that compounds to the same; 0 when a return
// loses everything, as there is none then. What is NaN counts as 0.
func geometricMean(returns []float64, n int) float64 {
	var sum float64
	for _, r := range returns {
		if math.IsNaN(r) {
			continue
		}
		if r <= -1 {
			return 0
		}
		sum += math.Log(r + 1)
	}
	if n == 0 {
		return math.NaN()
	}
	return math.Exp(sum/float64(n)) - 1
}

// without drops what is NaN.
func without(x []float64) []float64 {
	if !slices.ContainsFunc(x, math.IsNaN) {
		return x
	}
	return slices.DeleteFunc(slices.Clone(x), math.IsNaN)
}

// take translates trades. Open ones are kept apart: they have earned nothing yet.
func (s *sample) take(trades []Trade) {
	for i := range trades {
		t := &trades[i]
		x := trip{
			size: sums.Float(t.Quantity), entry: t.EntryTime, exit: t.ExitTime,
			profit: sums.Float(t.Profit), fees: -sums.Float(t.Fees), open: t.Open,
		}
		x.gain = x.profit / orNaN(math.Abs(x.size)*sums.Float(t.Multiplier)*sums.Float(t.EntryPrice))
		x.from, x.to = s.points(t)
		if t.Open {
			s.onTop = append(s.onTop, x)
		} else {
			s.trades = append(s.trades, x)
		}
	}
}

// points are the first and the last point at which a trade was open: by the
// numbers of its bars where they are those of the points, otherwise by its times.
func (s *sample) points(t *Trade) (from, to int) {
	n := len(s.Times)
	from, ok := s.pointOf(t.EntryBar, t.EntryTime)
	if !ok {
		from, _ = slices.BinarySearchFunc(s.Times, t.EntryTime, time.Time.Compare)
	}
	to, ok = s.pointOf(t.ExitBar, t.ExitTime)
	if !ok {
		to, _ = slices.BinarySearchFunc(s.Times, t.ExitTime, time.Time.Compare)
	}
	return from, min(to, n-1)
}

// pointOf is the point of a bar, and false when the time was not in that bar:
// then it is the bar of another symbol.
func (s *sample) pointOf(bar int64, at time.Time) (int, bool) {
	if bar < 0 {
		return 0, false
	}
	i := int(bar)
	if s.Bars != nil {
		i, _ = slices.BinarySearch(s.Bars, bar)
	}
	if i >= len(s.Times) || i > 0 && s.Times[i-1].After(at) || s.Times[i].Before(at.Add(-time.Nanosecond)) && !s.wall(s.Times[i]).Equal(s.wall(at)) {
		return 0, false
	}
	return i, true
}
