package levels

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A history is the newest bars as columns: at least keep of them, at most about
// twice as many, or what was asked for.
type history struct {
	s    market.Series // the columns have room for more than the n bars
	n    int
	base int // number of the first bar kept
	keep int
}

// full reports whether there is no room for another bar.
func (h *history) full() bool { return h.n == len(h.s.Time) }

// push adds a bar; there must be room.
func (h *history) push(bar *market.Bar) {
	n, s := h.n, &h.s
	s.Time[n], s.Open[n], s.High[n], s.Low[n], s.Close[n], s.Volume[n] = bar.Time, bar.Open, bar.High, bar.Low, bar.Close, bar.Volume
	h.n++
}

// trim forgets bars before the number need, when there are enough of them.
func (h *history) trim(need int) {
	if from := min(h.n-h.keep, need-h.base); from > 0 && 2*from >= h.n {
		h.room(need)
	}
}

// room moves the bars to the front when half of them can go, and to larger
// columns otherwise, so that a bar is moved about once. Bars from the number
// need on are kept beyond the usual.
func (h *history) room(need int) {
	from := max(0, min(h.n-h.keep, need-h.base))
	old := h.s.Slice(from, h.n)
	if 2*from < h.n || h.n == 0 {
		size := max(1024, 2*(h.n-from))
		columns := make([]float64, 5*size)
		h.s.Time = make([]time.Time, size)
		h.s.Open, h.s.High, h.s.Low = columns[0:size:size], columns[size:2*size:2*size], columns[2*size:3*size:3*size]
		h.s.Close, h.s.Volume = columns[3*size:4*size:4*size], columns[4*size:]
	}
	copy(h.s.Time, old.Time)
	copy(h.s.Open, old.Open)
	copy(h.s.High, old.High)
	copy(h.s.Low, old.Low)
	copy(h.s.Close, old.Close)
	copy(h.s.Volume, old.Volume)
	h.n -= from
	h.base += from
}

// at is the place of bar i in the columns; negative when it is gone.
func (h *history) at(i int) int { return i - h.base }

// slice returns the bars from the number from on; those that are gone are left out.
func (h *history) slice(from, to int) market.Series {
	return h.s.Slice(max(0, from-h.base), max(0, to-h.base))
}

// knownBar reports whether the range and the close of a bar are numbers, and
// the high is not below the low.
func knownBar(b *market.Bar) bool {
	sum := b.High + b.Low + b.Close
	return sum-sum == 0 && b.High >= b.Low
}

// known is knownBar of a bar in columns.
func known(s market.Series, i int) bool {
	sum := s.High[i] + s.Low[i] + s.Close[i]
	return !math.IsNaN(sum) && !math.IsInf(sum, 0) && s.High[i] >= s.Low[i]
}

// A trueRange is Wilder's average true range. Unlike indicators.ATR it has a
// value from the first bar on: the plain mean of the true ranges so far, until
// n are there. It is 0 before the first known bar.
type trueRange struct {
	n, seen int
	mean    float64
	before  float64
	share   float64 // 1/n
}

func newTrueRange(n int) trueRange { return trueRange{n: n, share: 1 / float64(n)} }

func (t *trueRange) update(high, low, closed float64) {
	if t.seen > 0 {
		if t.before > high {
			high = t.before
		}
		if t.before < low {
			low = t.before
		}
	}
	if t.seen++; t.seen < t.n {
		t.mean += (high - low - t.mean) / float64(t.seen)
	} else {
		t.mean += (high - low - t.mean) * t.share
	}
	t.before = closed
}
