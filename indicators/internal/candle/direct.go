package candle

import (
	"math"
	"math/bits"
)

// Some patterns are so simple, or so common, that they are judged from the
// columns directly. Colours and comparisons of neighbours are as good as
// random: the loops below take no branch for them.

// less is 1 where a < b and else 0.
func less(a, b float64) uint64 { return math.Float64bits(a-b) >> 63 }

// atMost is 1 where a ≤ b and else 0.
func atMost(a, b float64) uint64 { return less(b, a) ^ 1 }

// mask is the value where yes is 1 and 0 where it is 0, with the sign of the
// bit 63 of sign.
func mask(yes uint64, value float64, sign uint64) float64 {
	return math.Float64frombits((math.Float64bits(value) | sign&(1<<63)) & -yes)
}

// direct reports whether a pattern is one of them.
func direct(id ID) bool {
	switch id {
	case Doji, LongLeggedDoji, DragonflyDoji, GravestoneDoji, Takuri, RickshawMan, HighWave, SpinningTop,
		Engulfing, Harami, ThreeOutside, MatchingLow, StickSandwich, TasukiGap, GapSideSideWhite, GapThreeMethods, Hikkake,
		BeltHold, ClosingMarubozu, LongLine, ShortLine, Hammer, HangingMan, InvertedHammer, ShootingStar, HomingPigeon, ThreeInside,
		DarkCloudCover, OnNeck, InNeck, Thrusting, Piercing, SeparatingLines, Counterattack, HaramiCross, DojiStar,
		ThreeLineStrike, LadderBottom, ThreeStarsInSouth, HikkakeModified, Tristar:
		return true
	}
	return false
}

// eager reports whether its loop takes the averages of five from their column.
func eager(id ID) bool {
	switch id {
	case MatchingLow, Hammer, HangingMan, SeparatingLines, Counterattack:
		return true
	}
	return false
}

// direct judges the bars from one on, which has enough before it.
func (c *columns) direct(s *Scanner, out []float64, from int) {
	switch s.only {
	case Engulfing, Harami, ThreeOutside:
		c.bodies(s.only, out, from)
	case MatchingLow, StickSandwich:
		c.lows(s.only, out, from)
	case TasukiGap, GapSideSideWhite, GapThreeMethods:
		c.gaps(s, out, from)
	case Hikkake:
		c.traps(s, out, from)
	case HikkakeModified:
		c.doubleTraps(s, out, from)
	case Hammer, HangingMan, InvertedHammer, ShootingStar:
		c.hammers(s.only, out, from)
	case HomingPigeon, ThreeInside:
		c.insides(s.only, out, from)
	case DarkCloudCover, OnNeck, InNeck, Thrusting, Piercing:
		c.openings(s, out, from)
	case SeparatingLines, Counterattack:
		c.meetings(s, out, from)
	case HaramiCross, DojiStar:
		c.crosses(s, out, from)
	case ThreeLineStrike, LadderBottom, ThreeStarsInSouth:
		c.rows(s, out, from)
	case Tristar:
		c.threeDojis(s, out, from)
	case RickshawMan:
		c.rickshaws(out, from)
	case Doji, LongLeggedDoji, DragonflyDoji, GravestoneDoji, Takuri:
		c.dojis(s.only, out, from)
	case BeltHold, ClosingMarubozu, LongLine, ShortLine:
		c.lines(s.only, out, from)
	default:
		c.oneCandle(s.only, out, from)
	}
}

func (c *columns) oneCandle(id ID, out []float64, from int) {
	n := len(out)
	open, high, low, close, body10 := c.open[:n], c.high[:n], c.low[:n], c.close[:n], c.b10[:n]
	for i := from; i < n; i++ {
		o, h, l, x := open[i], high[i], low[i], close[i]
		top, bottom := ends(o, x)
		body, upper, lower := top-bottom, h-top, bottom-l
		var yes, sign uint64
		switch id {
		case HighWave:
			yes, sign = less(body, body10[i])&less(2*body, upper)&less(2*body, lower), math.Float64bits(x-o)
		case SpinningTop:
			yes, sign = less(body, body10[i])&less(body, upper)&less(body, lower), math.Float64bits(x-o)
		}
		out[i] = mask(yes, 100, sign)
	}
}

func (c *columns) bodies(id ID, out []float64, from int) {
	n := len(out)
	open, close, body10 := c.open[:n], c.close[:n], c.b10[:n]
	top1, bottom1 := ends(open[from-1], close[from-1])
	change1 := math.Float64bits(close[from-1] - open[from-1])
	top2, bottom2 := ends(open[from-2], close[from-2])
	around := less(top2, top1) & less(bottom1, bottom2) &
		((change1 ^ math.Float64bits(close[from-2]-open[from-2])) >> 63)
	for i := from; i < n; i++ {
		top, bottom := ends(open[i], close[i])
		change := math.Float64bits(close[i] - open[i])
		above, below := less(top1, top), less(bottom, bottom1)
		switch opposite := (change ^ change1) >> 63; id {
		case Engulfing:
			yes := opposite & atMost(top1, top) & atMost(bottom, bottom1) & (above | below)
			out[i] = mask(yes, touching(above&below), change)
		case Harami:
			within, strictly := atMost(top, top1)&atMost(bottom1, bottom), less(top, top1)&less(bottom1, bottom)
			yes := within & less(body10[i-1], top1-bottom1) & atMost(top-bottom, body10[i])
			out[i] = mask(yes, touching(strictly), ^change1)
		case ThreeOutside:
			black := change1 >> 63
			on := less(close[i-1], close[i])&(black^1) | less(close[i], close[i-1])&black
			out[i] = mask(around&on, 100, change1)
			around = above & below & opposite
		}
		top1, bottom1, change1 = top, bottom, change
	}
}

// touching is 100 for bodies that share no edge and 80 for those that do.
func touching(apart uint64) float64 { return float64(80 + 20*int(apart)) }

func (c *columns) lows(id ID, out []float64, from int) {
	n := len(out)
	open, low, close, span5 := c.open[:n], c.low[:n], c.close[:n], c.p5[:n]
	for i := from; i < n; i++ {
		black, black1 := less(close[i], open[i]), less(close[i-1], open[i-1])
		if id == MatchingLow {
			equal := equalFactor * span5[i-1]
			out[i] = mask(black&black1&atMost(close[i], close[i-1]+equal)&atMost(close[i-1]-equal, close[i]), 100, 0)
			continue
		}
		v := 0.0
		if black&(black1^1)&less(close[i-2], open[i-2])&less(close[i-2], low[i-1]) != 0 {
			equal := equalFactor * c.span5Before(i-2)
			v = mask(atMost(close[i], close[i-2]+equal)&atMost(close[i-2]-equal, close[i]), 100, 0)
		}
		out[i] = v
	}
}

// gaps judges a bar in full where there is a gap between the two bodies before it.
func (c *columns) gaps(s *Scanner, out []float64, from int) {
	if !c.apart {
		c.findGaps(out, from)
	}
	first := s.count
	for k, row := range c.gapRows[:(len(out)-from+word-1)/word] {
		for ; row != 0; row &= row - 1 {
			i := from + k*word + bits.TrailingZeros64(row)
			out[i] = c.rest(s, i, first)
		}
	}
}

// findGaps marks the bars from one on after what may be a gap, and writes their
// zeros. The sum that it returns is not finite where a value of them, or an open
// or a close of the two bars before the first, is not.
func (c *columns) findGaps(out []float64, from int) float64 {
	n := len(out)
	o1, c1, o2, c2 := c.open[from-1:n-1], c.close[from-1:n-1], c.open[from-2:n-2], c.close[from-2:n-2]
	high, low, out := c.high[from:n], c.low[from:n], out[from:n]
	n -= from
	full := n / word
	sum := (c.close[len(c.close)-1] - c.open[len(c.open)-1]) + apart(c.gapRows[:full], out, o1, c1, o2, c2, high, low)
	switch left := n % word; {
	case left == 0:
	case full > 0: // the last 64 once more
		sum += apart(c.gapRows[full:full+1], out[n-word:], o1[n-word:], c1[n-word:], o2[n-word:], c2[n-word:], high[n-word:], low[n-word:])
		c.gapRows[full] >>= word - left
	default:
		row := uint64(0)
		for i := range out {
			sum += (high[i] - low[i]) + (o1[i] - c2[i]) + (c1[i] - o2[i])
			if gapped(o1[i], c1[i], o2[i], c2[i]) {
				row |= 1 << i
			}
			out[i] = 0
		}
		c.gapRows[0] = row
	}
	return sum
}

// gapped reports whether there may be a gap between two bodies.
func gapped(open1, close1, open2, close2 float64) bool {
	// Where markets trade without a break most bars open at the last close.
	if math.Float64bits(open1) == math.Float64bits(close2) {
		return false
	}
	a, b := math.Float64bits(open1-close2), math.Float64bits(close1-close2)
	d, e := math.Float64bits(open1-open2), math.Float64bits(close1-open2)
	return int64(a&b&d&e|^(a|b|d|e)) < 0
}

// apartGo marks the bars that are gapped, 64 in a row, and writes zeros. The sum
// that it returns is not finite where a value is not.
func apartGo(rows []uint64, out, open1, close1, open2, close2, high, low []float64) (sum float64) {
	for k := range rows {
		o1, c1 := (*[word]float64)(open1[k*word:]), (*[word]float64)(close1[k*word:])
		o2, c2 := (*[word]float64)(open2[k*word:]), (*[word]float64)(close2[k*word:])
		h, l := (*[word]float64)(high[k*word:]), (*[word]float64)(low[k*word:])
		row := uint64(0)
		for i := range o1 {
			sum += (h[i] - l[i]) + (o1[i] - c2[i]) + (c1[i] - o2[i])
			if gapped(o1[i], c1[i], o2[i], c2[i]) {
				row |= 1 << i
			}
		}
		clear(out[k*word:][:word])
		rows[k] = row
	}
	return sum
}

// traps is for the Hikkake what the planes are for all patterns.
func (c *columns) traps(s *Scanner, out []float64, from int) {
	clear(out[from:])
	before := less(c.high[from-1], c.high[from-2]) & less(c.low[from-2], c.low[from-1])
	var wait [word]uint8
	for start := from; start < len(out); start += word {
		n := min(word, len(out)-start)
		highUp, highDown := moves(c.high[start-1 : start+n])
		lowUp, lowDown := moves(c.low[start-1 : start+n])
		within := highDown & lowUp
		sets := (within<<1 | before) & (highDown&lowDown | highUp&lowUp)
		before = within >> (word - 1)
		row, negative, strong := c.watch(&s.hikkake, start, sets, math.MaxUint64>>(word-n), &wait)
		for ; row != 0; row &= row - 1 {
			j := bits.TrailingZeros64(row)
			value := 100 + 100*float64(strong>>j&1)
			out[start+j] = mask(1, value, negative>>j<<63)
		}
	}
}
