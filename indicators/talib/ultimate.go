package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// ultimate is Williams' ultimate oscillator over three periods.
type ultimate struct {
	buying, ranges [3]kernel.Sum
	prev           float64
	begun          bool
	columns        [8]scratch
}

func newUltimate(a, b, c int) *ultimate {
	a, b, c = sort3(a, b, c)
	u := &ultimate{}
	for i, n := range []int{a, b, c} {
		u.buying[i], u.ranges[i] = kernel.NewSum(nil, n), kernel.NewSum(nil, n)
	}
	return u
}

func sort3(a, b, c int) (least, middle, most int) {
	least, most = min(a, b, c), max(a, b, c)
	return least, a + b + c - least - most, most
}

func (u *ultimate) next3(high, low, close float64) float64 {
	prev := u.prev
	u.prev = close
	if !u.begun {
		u.begun = true
		return math.NaN()
	}
	buying, span := pressure(high, low, close, prev)
	var b, r [3]float64
	for i := range u.buying {
		b[i], r[i] = u.buying[i].Push(buying), u.ranges[i].Push(span)
	}
	return shares(b[0], r[0], b[1], r[1], b[2], r[2])
}

// pressure returns how far the close is above the true low, and the true range.
// Few bars leave a gap to the close before, which makes the branches cheap.
func pressure(high, low, close, prev float64) (buying, span float64) {
	if prev < low {
		low = prev
	}
	if prev > high {
		high = prev
	}
	return close - low, high - low
}

// pressures is pressure of every bar, and returns the last close.
func pressures(buying, spans, high, low, close []float64, prev float64) float64 {
	n := len(close)
	buying, spans, high, low = buying[:n], spans[:n], high[:n], low[:n]
	for i, x := range close {
		buying[i], spans[i] = pressure(high[i], low[i], x, prev)
		prev = x
	}
	return prev
}

// shares weights the three ratios of buying to range with 4, 2 and 1. One
// division does for all, but where a range is next to nothing or the product of
// the ranges is out of bounds. The first range is the least.
func shares(a, ra, b, rb, c, rc float64) float64 {
	if v := joined(a, ra, b, rb, c, rc); ra >= epsilon && v-v == 0 {
		return v
	}
	return apart(a, ra, b, rb, c, rc)
}

func joined(a, ra, b, rb, c, rc float64) float64 {
	return (float64(float64(4*a)*float64(rb*rc)) + float64(ra*(float64(2*b*rc)+float64(c*rb)))) / (float64(ra*rb) * rc) * (100.0 / 7)
}

// apart is shares with a division for each.
func apart(a, ra, b, rb, c, rc float64) float64 {
	return (share(a, ra, 4) + share(b, rb, 2) + share(c, rc, 1)) * (100.0 / 7)
}

// share is a ratio times its weight, 0 where there was no range.
func share(buying, span, weight float64) float64 {
	if isZero(span) {
		return 0
	}
	return float64(weight * (buying / span))
}

func (u *ultimate) bulk(dst, in [][]float64) {
	out, high, low, close := dst[0], in[0], in[1], in[2]
	if !u.begun {
		out[0] = u.next3(high[0], low[0], close[0])
		out, high, low, close = out[1:], high[1:], low[1:], close[1:]
	}
	for len(out) > 0 { // in halves: all columns stay close to the processor
		k := min(chunk/2, len(out))
		u.part(out[:k], high[:k], low[:k], close[:k])
		out, high, low, close = out[k:], high[k:], low[k:], close[k:]
	}
}

func (u *ultimate) part(out, high, low, close []float64) {
	n := len(out)
	buying, ranges := u.columns[6].of(n), u.columns[7].of(n)
	u.prev = pressures(buying, ranges, high, low, close, u.prev)
	for k := range u.buying {
		kernel.RunPair(&u.buying[k], &u.ranges[k], u.columns[2*k].of(n), u.columns[2*k+1].of(n), buying, ranges)
	}
	var s [6][]float64
	for k := range s {
		s[k] = u.columns[k].of(n)
	}
	allShares(out, s[0], s[1], s[2], s[3], s[4], s[5])
}

func allShares(out, a, ra, b, rb, c, rc []float64) {
	n := len(out)
	a, ra, b, rb, c, rc = a[:n], ra[:n], b[:n], rb[:n], c[:n], rc[:n]
	for i := range out {
		v := joined(a[i], ra[i], b[i], rb[i], c[i], rc[i])
		if !(ra[i] >= epsilon && v-v == 0) {
			v = apart(a[i], ra[i], b[i], rb[i], c[i], rc[i])
		}
		out[i] = v
	}
}

func (u *ultimate) visit(t *kernel.Tape) {
	for i := range u.buying {
		u.buying[i].Visit(t)
		u.ranges[i].Visit(t)
	}
	t.Float(&u.prev)
	t.Bool(&u.begun)
}
