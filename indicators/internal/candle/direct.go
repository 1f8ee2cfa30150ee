package candle

import "math"

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
		BeltHold, ClosingMarubozu, LongLine, ShortLine, Hammer, HangingMan, HomingPigeon, ThreeInside,
		DarkCloudCover, OnNeck, InNeck, Thrusting, Piercing, SeparatingLines, Counterattack, HaramiCross, DojiStar,
		ThreeLineStrike, LadderBottom, ThreeStarsInSouth, HikkakeModified, Tristar:
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
	case Hammer, HangingMan:
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
	case Doji, LongLeggedDoji, DragonflyDoji, GravestoneDoji, Takuri, RickshawMan:
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
		black2, equal := less(close[i-2], open[i-2]), equalFactor*span5[i-2]
		out[i] = mask(black&(black1^1)&black2&less(close[i-2], low[i-1])&
			atMost(close[i], close[i-2]+equal)&atMost(close[i-2]-equal, close[i]), 100, 0)
	}
}

// gaps judges a bar in full where there is a gap between the two bodies before it.
func (c *columns) gaps(s *Scanner, out []float64, from int) {
	n, first, p := len(out), s.count, &patterns[s.only]
	open, close := c.open[:n], c.close[:n]
	top2, bottom2 := ends(open[from-2], close[from-2])
	top1, bottom1 := ends(open[from-1], close[from-1])
	for i := from; i < n; i++ {
		out[i] = 0
		if less(top2, bottom1)|less(top1, bottom2) != 0 {
			s.count = first + i + 1
			c.gather(s, i, p.bars)
			out[i] = float64(p.match(s))
		}
		top2, bottom2 = top1, bottom1
		top1, bottom1 = ends(open[i], close[i])
	}
	s.count = first
}

func (c *columns) traps(s *Scanner, out []float64, from int) {
	n, h := len(out), &s.hikkake
	high, low, close := c.high[:n], c.low[:n], c.close[:n]
	within := less(high[from-1], high[from-2]) & less(low[from-2], low[from-1])
	for i := from; i < n; i++ {
		lower, higher := less(high[i], high[i-1]), less(low[i-1], low[i])
		down := lower & less(low[i], low[i-1])
		up := less(high[i-1], high[i]) & higher
		found := within & (down | up)
		within = lower & higher
		out[i] = 0
		if found|uint64(h.age+1) == 0 {
			continue
		}
		b0, b1 := bar{high: high[i], close: close[i]}, bar{high: high[i-1], low: low[i-1]}
		out[i] = float64(h.update(found == 1, &b0, &b1))
	}
}
