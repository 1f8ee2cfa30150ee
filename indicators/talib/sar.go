package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// sar is Wilder's parabolic stop. It begins at the second bar, long unless
// that bar moved down; SAREXT can set side, start and the factors of each side,
// and gives the stop of a short position a minus sign.
type sar struct {
	p        sarParams
	bars     int
	short    bool
	stop     float64
	extreme  float64
	factor   float64
	high     float64 // of the bar before
	low      float64
	extended bool
}

type sarParams struct {
	start, offset      float64
	initLong, stepLong float64
	mostLong           float64
	initShort          float64
	stepShort          float64
	mostShort          float64
}

func newSAR(step, most float64) *sar {
	step = min(step, most)
	return &sar{p: sarParams{initLong: step, stepLong: step, mostLong: most, initShort: step, stepShort: step, mostShort: most}}
}

func newSARExt(v []float64) *sar {
	p := sarParams{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]}
	p.initLong, p.stepLong = min(p.initLong, p.mostLong), min(p.stepLong, p.mostLong)
	p.initShort, p.stepShort = min(p.initShort, p.mostShort), min(p.stepShort, p.mostShort)
	return &sar{p: p, extended: true}
}

func (s *sar) next2(high, low float64) float64 {
	before, beforeLow := s.high, s.low
	s.high, s.low = high, low
	switch s.bars++; s.bars {
	case 1:
		return math.NaN()
	case 2:
		s.begin(high, low, before, beforeLow)
		// The first bar of the stop counts as its own predecessor.
		before, beforeLow = high, low
	}
	if s.short {
		return s.shortBar(high, low, before, beforeLow)
	}
	return s.longBar(high, low, before, beforeLow)
}

func (s *sar) begin(high, low, before, beforeLow float64) {
	up, down := high-before, beforeLow-low
	switch {
	case s.p.start > 0:
		s.short = false
	case s.p.start < 0:
		s.short = true
	default:
		s.short = down > 0 && down > up
	}
	if s.short {
		s.extreme, s.stop, s.factor = low, before, s.p.initShort
	} else {
		s.extreme, s.stop, s.factor = high, beforeLow, s.p.initLong
	}
	if s.p.start != 0 {
		s.stop = math.Abs(s.p.start)
	}
}

func (s *sar) longBar(high, low, before, beforeLow float64) float64 {
	if low <= s.stop {
		s.short = true
		s.stop = greatest(s.extreme, before, high)
		s.stop += float64(s.stop * s.p.offset)
		out := s.stop
		if s.extended {
			out = -out
		}
		s.factor, s.extreme = s.p.initShort, low
		s.stop += float64(s.factor * (s.extreme - s.stop))
		s.stop = greatest(s.stop, before, high)
		return out
	}
	out := s.stop
	s.factor = faster(s.factor, s.p.stepLong, s.p.mostLong, s.extreme-high)
	s.extreme = either(s.extreme-high, high, s.extreme)
	s.stop += float64(s.factor * (s.extreme - s.stop))
	s.stop = least(s.stop, beforeLow, low)
	return out
}

func (s *sar) shortBar(high, low, before, beforeLow float64) float64 {
	if high >= s.stop {
		s.short = false
		s.stop = least(s.extreme, beforeLow, low)
		s.stop -= float64(s.stop * s.p.offset)
		out := s.stop
		s.factor, s.extreme = s.p.initLong, high
		s.stop += float64(s.factor * (s.extreme - s.stop))
		s.stop = least(s.stop, beforeLow, low)
		return out
	}
	out := s.stop
	if s.extended {
		out = -out
	}
	s.factor = faster(s.factor, s.p.stepShort, s.p.mostShort, low-s.extreme)
	s.extreme = either(low-s.extreme, low, s.extreme)
	s.stop += float64(s.factor * (s.extreme - s.stop))
	s.stop = greatest(s.stop, before, high)
	return out
}

// bulk carries a stop through the columns; it compares with if, not with max
// and min, which take their time over NaN and the signs of zeros.
func (s *sar) bulk(dst, in [][]float64) {
	out, highs, lows := dst[0], in[0], in[1]
	for s.bars < 2 {
		if len(out) == 0 {
			return
		}
		out[0] = s.next2(highs[0], lows[0])
		out, highs, lows = out[1:], highs[1:], lows[1:]
	}
	s.bars += len(out)
	highs, lows = highs[:len(out)], lows[:len(out)]
	before, beforeLow := s.high, s.low
	stop, extreme, factor, short := s.stop, s.extreme, s.factor, s.short
	sign := 1.0
	if s.extended {
		sign = -1
	}
	p := &s.p
	for i := range out {
		high, low := highs[i], lows[i]
		result := stop
		switch {
		case !short && low <= stop:
			short = true
			stop = greatest(extreme, before, high)
			stop += float64(stop * p.offset)
			result = sign * stop
			factor, extreme = p.initShort, low
			stop += float64(factor * (extreme - stop))
			stop = greatest(stop, before, high)
		case !short:
			factor = faster(factor, p.stepLong, p.mostLong, extreme-high)
			extreme = either(extreme-high, high, extreme)
			stop += float64(factor * (extreme - stop))
			stop = least(stop, beforeLow, low)
		case high >= stop:
			short = false
			stop = least(extreme, beforeLow, low)
			stop -= float64(stop * p.offset)
			result = stop
			factor, extreme = p.initLong, high
			stop += float64(factor * (extreme - stop))
			stop = least(stop, beforeLow, low)
		default:
			result = sign * stop
			factor = faster(factor, p.stepShort, p.mostShort, low-extreme)
			extreme = either(low-extreme, low, extreme)
			stop += float64(factor * (extreme - stop))
			stop = greatest(stop, before, high)
		}
		out[i] = result
		before, beforeLow = high, low
	}
	s.high, s.low, s.stop, s.extreme, s.factor, s.short = before, beforeLow, stop, extreme, factor, short
}

// either returns a where x is negative and else b. New extremes are as good as
// random: this takes no branch.
func either(x, a, b float64) float64 {
	which := uint64(int64(math.Float64bits(x)) >> 63)
	return math.Float64frombits(math.Float64bits(a)&which | math.Float64bits(b)&^which)
}

// faster returns the factor, one step larger, but at most most, where x is negative.
func faster(factor, step, most, x float64) float64 {
	if factor += either(x, step, 0); factor > most {
		return most
	}
	return factor
}

func greatest(a, b, c float64) float64 {
	if b > a {
		a = b
	}
	if c > a {
		a = c
	}
	return a
}

func least(a, b, c float64) float64 {
	if b < a {
		a = b
	}
	if c < a {
		a = c
	}
	return a
}

func (s *sar) visit(t *kernel.Tape) {
	t.Int(&s.bars)
	t.Bool(&s.short)
	for _, p := range []*float64{&s.stop, &s.extreme, &s.factor, &s.high, &s.low} {
		t.Float(p)
	}
}
