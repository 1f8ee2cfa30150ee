package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// The parts below keep their state in a bank. Each push takes the next value
// and returns its result; an unknown value gives an unknown result and changes
// nothing, so that parts can be chained while the first of them warm up.

// lag returns the value of n bars ago, NaN before.
type lag struct {
	x   []float64
	pos []int
}

func (b *bank) lag(n int) lag { return lag{b.cells(max(n, 1)), b.counters(1)} }

func (l lag) push(x float64) float64 {
	if !kernel.Finite(x) {
		return nan()
	}
	p := l.pos[0]
	old := l.x[p]
	l.x[p] = x
	if p++; p == len(l.x) {
		p = 0
	}
	l.pos[0] = p
	return old
}

// sum is the sum of the last n values, by the method of [kernel.Sum].
type sum struct {
	x    []float64
	head []float64
	pos  []int // next cell, and whether a block has been full
}

func (b *bank) sum(n int) sum { return sum{b.take(n), b.take(1), b.counters(2)} }

func (s sum) push(x float64) float64 {
	if !kernel.Finite(x) {
		return nan()
	}
	p := s.pos[0]
	s.head[0] += x
	s.x[p] = x
	p++
	if p < len(s.x) {
		s.pos[0] = p
		if s.pos[1] == 0 {
			return nan()
		}
		return s.head[0] + s.x[p]
	}
	total := s.head[0]
	for i := len(s.x) - 2; i >= 0; i-- {
		s.x[i] += s.x[i+1]
	}
	s.pos[0], s.pos[1], s.head[0] = 0, 1, 0
	return total
}

// mean is the average of the last n values.
type mean struct{ sum }

func (b *bank) mean(n int) mean { return mean{b.sum(n)} }

func (m mean) push(x float64) float64 { return m.sum.push(x) / float64(len(m.x)) }

// ema is an exponential moving average that starts from the plain average of
// its first n values.
type ema struct {
	k     float64
	n     int
	v     []float64
	count []int
}

func (b *bank) ema(n int) ema    { return b.emaFrom(2/float64(n+1), n) }
func (b *bank) wilder(n int) ema { return b.emaFrom(1/float64(n), n) }

// emaFrom starts from the average of the first n values, 1 for the first alone.
func (b *bank) emaFrom(k float64, n int) ema { return ema{k, n, b.take(1), b.counters(1)} }

func (e ema) push(x float64) float64 {
	if !kernel.Finite(x) {
		return nan()
	}
	if e.count[0] == e.n {
		e.v[0] += float64(e.k * (x - e.v[0]))
		return e.v[0]
	}
	e.count[0]++
	e.v[0] += x
	if e.count[0] < e.n {
		return nan()
	}
	e.v[0] /= float64(e.n)
	return e.v[0]
}

// wma is the linearly weighted average of the last n values, the last one n
// times as heavy as the first. It sums block by block, as sum does.
type wma struct {
	sums, weighted []float64 // to the end of the last block, weights from 1
	raw            []float64
	head           []float64 // sum and weighted sum of the block in progress
	pos            []int
}

func (b *bank) wma(n int) wma {
	return wma{b.take(n + 1), b.take(n + 1), b.take(n), b.take(2), b.counters(2)}
}

// both returns the sum of the window and its sum weighted 1 to n.
func (w wma) both(x float64) (plain, weighted float64) {
	if !kernel.Finite(x) {
		return nan(), nan()
	}
	n, p := len(w.raw), w.pos[0]
	w.raw[p] = x
	p++
	w.head[0] += x
	w.head[1] += float64(float64(p) * x)
	if p < n {
		w.pos[0] = p
		if w.pos[1] == 0 {
			return nan(), nan()
		}
		return w.head[0] + w.sums[p], w.weighted[p] + float64(float64(n-p)*w.head[0]) + w.head[1]
	}
	plain, weighted = w.head[0], w.head[1]
	for i := n - 1; i >= 0; i-- {
		w.sums[i] = w.sums[i+1] + w.raw[i]
		w.weighted[i] = w.weighted[i+1] + w.sums[i]
	}
	w.pos[0], w.pos[1], w.head[0], w.head[1] = 0, 1, 0, 0
	return plain, weighted
}

func (w wma) push(x float64) float64 {
	_, weighted := w.both(x)
	n := float64(len(w.raw))
	return weighted / (n * (n + 1) / 2)
}

// ramp is the linearly weighted average of the last n values, by the method
// of [kernel.Weighted] and bit for bit the same.
type ramp struct {
	x      []float64
	head   []float64 // sums of the block in progress: plain, and with the weights 0, 1, …
	pos    []int
	factor float64 // 1 by the sum of the weights
}

func (b *bank) ramp(n int) ramp {
	w := ramp{b.cells(n), b.take(2), b.counters(1), 2 / (float64(n) * float64(n+1))}
	w.x[n-1] = 0
	return w
}

func (w ramp) push(x float64) float64 {
	if !kernel.Finite(x) {
		return nan()
	}
	n, p, head := len(w.x), w.pos[0], w.head[:2:2]
	head[0] += x
	head[1] += float64(float64(p) * x)
	average := (head[1] + w.x[p] + float64(float64(n-p)*head[0])) * w.factor
	w.x[p] = x
	if p++; p == n {
		var plain, tail float64
		for i := n - 1; i >= 0; i-- {
			v := w.x[i]
			w.x[i] = tail
			plain += v
			tail += plain
		}
		p, head[0], head[1] = 0, 0, 0
	}
	w.pos[0] = p
	return average
}

// line fits a line to the last n values by least squares: its value at the
// last of them and its rise per bar. It sums as wma does, but differences from
// the last value of the block before, as moments does: a slope keeps its digits
// at high prices.
type line struct {
	sums, weighted, raw []float64
	head                []float64 // sum and weighted sum of the block in progress, the origin
	pos                 []int
}

func (b *bank) line(n int) line {
	return line{b.take(n + 1), b.take(n + 1), b.take(n), b.take(3), b.counters(2)}
}

func (l line) push(x float64) (end, slope float64) {
	if !kernel.Finite(x) {
		return nan(), nan()
	}
	n, p, filled := len(l.raw), l.pos[0], l.pos[1] == 1
	if !filled && p == 0 {
		l.head[2] = x
	}
	d := x - l.head[2]
	l.raw[p] = x
	p++
	l.head[0] += d
	l.head[1] += float64(float64(p) * d)
	var plain, weighted float64
	if p < n {
		l.pos[0] = p
		if !filled {
			return nan(), nan()
		}
		plain, weighted = l.head[0]+l.sums[p], l.weighted[p]+float64(float64(n-p)*l.head[0])+l.head[1]
	} else {
		for i := n - 1; i >= 0; i-- {
			l.sums[i] = l.sums[i+1] + (l.raw[i] - x)
			l.weighted[i] = l.weighted[i+1] + l.sums[i]
		}
		plain, weighted = l.sums[0], l.weighted[0]
		l.pos[0], l.pos[1], l.head[0], l.head[1], l.head[2] = 0, 1, 0, 0, x
	}
	m := float64(n)
	if n > 1 {
		slope = (weighted - float64(plain*(m+1)/2)) * 12 / (m * (m*m - 1))
	}
	return l.head[2] + plain/m + float64(slope*(m-1)/2), slope
}

// extreme is the highest of the last n values, or the lowest, by the method of
// [kernel.Extreme]: values are compared as whole numbers of the same order.
type extreme struct {
	flip int64 // -1 for the lowest
	x    []int // values before the next cell; from it on, the best of those after the cell in the block before
	at   []int // their bars
	pos  []int // the best of the block in progress, its bar, the next cell, values seen
}

const worst = math.MinInt

func (b *bank) highest(n int) extreme { return b.extreme(n, 0) }
func (b *bank) lowest(n int) extreme  { return b.extreme(n, -1) }

func (b *bank) extreme(n int, flip int64) extreme {
	e := extreme{flip, b.counters(n), b.counters(n), b.counters(4)}
	for i := range e.x {
		e.x[i] = worst
	}
	e.pos[0] = worst
	return e
}

// age returns the extreme and how many bars ago it was, NaN before there are n
// values. The earliest of equals counts.
func (e extreme) age(x float64) (value float64, bars int) {
	v, bars := e.partial(x)
	if e.pos[3] < len(e.x) {
		return nan(), 0
	}
	return v, bars
}

// partial is age over fewer than n values at first.
func (e extreme) partial(x float64) (value float64, bars int) {
	if !kernel.Finite(x) {
		return nan(), 0
	}
	pos := e.pos[:4:4]
	rank := int(e.flip ^ kernel.Rank(x+0)) // -0 equals 0
	head, headBar, next, now := pos[0], pos[1], pos[2], pos[3]
	if rank > head {
		headBar = now
	}
	head = max(head, rank)
	best, bar := e.x[next], e.at[next]
	if head > best {
		bar = headBar
	}
	best = max(best, head)
	e.x[next], e.at[next] = rank, now
	next++
	pos[0], pos[1], pos[2], pos[3] = head, headBar, next, now+1
	if next == len(e.x) {
		e.turn()
	}
	return kernel.Ranked(e.flip ^ int64(best)), now - bar
}

func (e extreme) turn() {
	best, bar := worst, 0
	at := e.at[:len(e.x)]
	for i := len(e.x) - 1; i >= 0; i-- {
		rank, now := e.x[i], at[i]
		e.x[i], at[i] = best, bar
		if rank >= best {
			bar = now
		}
		best = max(best, rank)
	}
	e.pos[0], e.pos[2] = worst, 0
}

func (e extreme) push(x float64) float64 {
	v, _ := e.age(x)
	return v
}

// window returns the last n values, oldest first, nil before there are n.
type window struct {
	x   []float64
	pos []int
}

func (b *bank) window(n int) window { return window{b.take(2 * n), b.counters(2)} }

func (w window) push(x float64) []float64 {
	if !kernel.Finite(x) {
		return nil
	}
	n, p := len(w.x)/2, w.pos[0]
	w.x[p], w.x[p+n] = x, x
	p++
	w.pos[0] = p
	if p == n {
		w.pos[0], w.pos[1] = 0, 1
	}
	if w.pos[1] == 0 {
		return nil
	}
	return w.x[p : p+n]
}

// filter is a weighted average of the last len(weights) values, oldest first.
type filter struct {
	w       window
	weights []float64
	total   float64
}

func (b *bank) filter(weights []float64) filter {
	f := filter{w: b.window(len(weights)), weights: weights}
	for _, w := range weights {
		f.total += w
	}
	return f
}

func (f filter) push(x float64) float64 {
	values := f.w.push(x)
	if values == nil {
		return nan()
	}
	s := 0.0
	for i, v := range values {
		s += float64(v * f.weights[i])
	}
	return s / f.total
}

// moments is the mean and the sum of squared deviations of the last n values,
// by the method of [kernel.Moments].
type moments struct {
	sums, devs, squares []float64
	head                []float64 // sum, deviations and squares of the block in progress; where deviations are taken from
	pos                 []int
}

func (b *bank) moments(n int) moments {
	return moments{b.take(n), b.take(n), b.take(n), b.take(4), b.counters(2)}
}

func (m moments) push(x float64) (mean, squares float64) {
	sum, _, squares := m.sumsTo(x)
	return sum / float64(len(m.sums)), squares
}

// sumsTo adds x and returns the window's sum, how far x is from its mean, and the
// sum of squared deviations. The distance is found from the deviations, which
// keeps the digits that a mean at a high price has no room for.
func (m moments) sumsTo(x float64) (sum, distance, squares float64) {
	if !kernel.Finite(x) {
		return nan(), nan(), nan()
	}
	n, p, head := len(m.sums), m.pos[0], m.head[:4:4]
	d := x - head[3]
	head[0] += x
	head[1] += d
	head[2] += float64(d * d)
	devs, sq := m.devs[:n], m.squares[:n]
	m.sums[p] = x
	p++
	if p < n {
		m.pos[0] = p
		if m.pos[1] == 0 {
			return nan(), nan(), nan()
		}
		return m.result(head[0]+m.sums[p], head[1]+devs[p], head[2]+sq[p], d)
	}
	var s, dev, square float64
	total := head[0]
	for i := n - 1; i >= 0; i-- {
		d := m.sums[i] - x
		s += m.sums[i]
		dev += d
		square += float64(d * d)
		m.sums[i], devs[i], sq[i] = s, dev, square
	}
	head[0], head[1], head[2], head[3] = 0, 0, 0, x
	m.pos[0], m.pos[1] = 0, 1
	return m.result(total, dev, square, 0)
}

func (m moments) result(sum, dev, squares, d float64) (float64, float64, float64) {
	mean := dev / float64(len(m.sums))
	return sum, d - mean, max(squares-float64(dev*mean), 0)
}

// deviation is the population's standard deviation of the last n values.
func (m moments) deviation(x float64) (mean, deviation float64) {
	mean, squares := m.push(x)
	return mean, math.Sqrt(squares / float64(len(m.sums)))
}

// away is [kernel.Away]: the distance of the last value from the mean of the
// last n, and their mean distance.
type away struct{ *kernel.Away }

func (b *bank) away(n int) away { return away{kernel.NewAway(n, b.take, b.counters)} }

func (a away) push(x float64) (distance, mean float64) {
	if !kernel.Finite(x) {
		return nan(), nan()
	}
	return a.Push(x)
}

// ranks keeps the last n values in order: long windows as [kernel.Ordered] does.
type ranks struct {
	w       window
	sorted  []float64
	count   []int
	ordered *kernel.Ordered
}

// fewSorted is the longest window that is kept as one sorted piece: moving its
// values along is faster than a tree.
const fewSorted = 1024

func (b *bank) ranks(n int) ranks {
	if n > fewSorted {
		return ranks{ordered: kernel.NewOrdered(n, b.take, b.counters)}
	}
	return ranks{w: b.window(n), sorted: b.take(n), count: b.counters(1)}
}

// quantile adds x and returns the q-quantile of the last n values, NaN before
// there are n.
func (r ranks) quantile(x, q float64) float64 {
	if r.ordered == nil {
		return quantile(r.push(x), q)
	}
	if !kernel.Finite(x) || !r.ordered.Push(x) {
		return nan()
	}
	i, rest := place(r.ordered.Len(), q)
	low := r.ordered.At(i)
	return low + float64(rest*(r.ordered.At(i+1)-low))
}

// rank adds x and returns how many of the last n values are at most x, itself
// among them, -1 before there are n.
func (r ranks) rank(x float64) int {
	if r.ordered == nil {
		sorted := r.push(x)
		if sorted == nil {
			return -1
		}
		return search(sorted, math.Nextafter(x, math.Inf(1)))
	}
	if !kernel.Finite(x) || !r.ordered.Push(x) {
		return -1
	}
	return r.ordered.Rank(x)
}

// push returns the last n values in ascending order, nil before there are n.
func (r ranks) push(x float64) []float64 {
	if !kernel.Finite(x) {
		return nil
	}
	n, count := len(r.sorted), r.count[0]
	old := r.w.x[r.w.pos[0]]
	r.w.push(x)
	if count < n {
		i := search(r.sorted[:count], x)
		copy(r.sorted[i+1:count+1], r.sorted[i:count])
		r.sorted[i] = x
		r.count[0] = count + 1
		if count+1 < n {
			return nil
		}
		return r.sorted
	}
	from, to := search(r.sorted, old), search(r.sorted, x)
	if to > from {
		to--
		copy(r.sorted[from:to], r.sorted[from+1:])
	} else {
		copy(r.sorted[to+1:from+1], r.sorted[to:])
	}
	r.sorted[to] = x
	return r.sorted
}

// search returns the first index of sorted that is not below x. A difference's
// sign is taken for a comparison's outcome: no branch is guessed wrong.
func search(sorted []float64, x float64) int {
	i := 0
	if len(sorted) <= 64 {
		for _, v := range sorted {
			i += kernel.Negative(v - x)
		}
		return i
	}
	for n := len(sorted); n > 0; {
		half := (n + 1) / 2
		i += half & -kernel.Negative(sorted[i+half-1]-x)
		n -= half
	}
	return i
}

// ranges is the true range, NaN for the first bar.
type ranges struct{ previous []float64 }

func (b *bank) ranges() ranges { return ranges{b.cells(1)} }

func (r ranges) push(high, low, close float64) float64 {
	previous := r.previous[0]
	r.previous[0] = close
	if previous != previous {
		return nan()
	}
	return trueRange(high, low, previous)
}

// atr is Wilder's average true range over n, as [ATR].
type atr struct {
	ranges
	average ema
}

func (b *bank) atr(n int) atr { return atr{b.ranges(), b.wilder(n)} }

func (a atr) push(high, low, close float64) float64 {
	return a.average.push(a.ranges.push(high, low, close))
}

// rsi is [RSI] as a part.
type rsi struct {
	up, down ema
	previous lag
}

func (b *bank) rsi(n int) rsi { return rsi{b.wilder(n), b.wilder(n), b.lag(1)} }

func (r rsi) push(x float64) float64 {
	change := x - r.previous.push(x)
	rise := max(change, 0)
	up, down := r.up.push(rise), r.down.push(rise-change)
	if down == 0 {
		return 100
	}
	return 100 * up / (up + down)
}

// over is a/b, and otherwise when b is 0.
func over(a, b, otherwise float64) float64 {
	if b == 0 {
		return otherwise
	}
	return a / b
}
