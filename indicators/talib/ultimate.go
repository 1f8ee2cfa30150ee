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

	// Where each period is twice the one before, as the usual ones are, the
	// longer sums are made of the shortest: past holds those of the last 3n bars.
	past    []pressureSums
	pos     int
	history [2][]float64 // the same in order, and room for those to come
}

type pressureSums struct{ buying, span float64 }

// doublingMost is how long the shortest period may be for its sums to be kept.
const doublingMost = 64

func newUltimate(a, b, c int) *ultimate {
	a, b, c = sort3(a, b, c)
	u := &ultimate{}
	periods := []int{a, b, c}
	if b == 2*a && c == 4*a && a <= doublingMost {
		periods = periods[:1]
		u.past = make([]pressureSums, 3*a)
		for i := range u.past {
			u.past[i] = pressureSums{math.NaN(), math.NaN()}
		}
	}
	for i, n := range periods {
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
	if u.past != nil {
		return u.doubled(pressureSums{u.buying[0].Push(buying), u.ranges[0].Push(span)})
	}
	var b, r [3]float64
	for i := range u.buying {
		b[i], r[i] = u.buying[i].Push(buying), u.ranges[i].Push(span)
	}
	return shares(b[0], r[0], b[1], r[1], b[2], r[2])
}

// doubled is the oscillator of the shortest period's sums.
func (u *ultimate) doubled(now pressureSums) float64 {
	n := len(u.past) / 3
	i, j := u.pos+n, u.pos+2*n
	if i >= len(u.past) {
		i -= len(u.past)
	}
	if j >= len(u.past) {
		j -= len(u.past)
	}
	d, c, b := u.past[u.pos], u.past[i], u.past[j]
	u.past[u.pos] = now
	if u.pos++; u.pos == len(u.past) {
		u.pos = 0
	}
	two := pressureSums{now.buying + b.buying, now.span + b.span}
	return shares(now.buying, now.span, two.buying, two.span, two.buying+(c.buying+d.buying), two.span+(c.span+d.span))
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
	if u.past != nil {
		u.doubledPart(out, buying, ranges)
		return
	}
	for k := range u.buying {
		kernel.RunPair(&u.buying[k], &u.ranges[k], u.columns[2*k].of(n), u.columns[2*k+1].of(n), buying, ranges)
	}
	var s [6][]float64
	for k := range s {
		s[k] = u.columns[k].of(n)
	}
	allShares(out, s[0], s[1], s[2], s[3], s[4], s[5])
}

// doubledPart is doubled of the bars of a part.
func (u *ultimate) doubledPart(out, buying, ranges []float64) {
	n, m := len(out), len(u.past)
	if u.history[0] == nil {
		u.history[0], u.history[1] = make([]float64, m+chunk/2), make([]float64, m+chunk/2)
	}
	a, ra := u.history[0][:m+n], u.history[1][:m+n]
	for i := range m {
		p := &u.past[(u.pos+i)%m]
		a[i], ra[i] = p.buying, p.span
	}
	kernel.RunPair(&u.buying[0], &u.ranges[0], a[m:], ra[m:], buying, ranges)
	allDoubled(out, a, ra, m/3)
	for i := range m {
		u.past[i] = pressureSums{a[n+i], ra[n+i]}
	}
	u.pos = 0
}

func allDoubled(out, a, ra []float64, n int) {
	a3, a2, a1, a0 := a[:len(out)], a[n:][:len(out)], a[2*n:][:len(out)], a[3*n:][:len(out)]
	r3, r2, r1, r0 := ra[:len(out)], ra[n:][:len(out)], ra[2*n:][:len(out)], ra[3*n:][:len(out)]
	for i := range out {
		a, ra := a0[i], r0[i]
		b, rb := a+a1[i], ra+r1[i]
		c, rc := b+(a2[i]+a3[i]), rb+(r2[i]+r3[i])
		v := joined(a, ra, b, rb, c, rc)
		if !(ra >= epsilon && v-v == 0) {
			v = apart(a, ra, b, rb, c, rc)
		}
		out[i] = v
	}
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
	for i := range u.past {
		t.Float(&u.past[i].buying)
		t.Float(&u.past[i].span)
	}
	t.Int(&u.pos)
	t.Float(&u.prev)
	t.Bool(&u.begun)
}
