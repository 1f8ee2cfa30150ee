package candle

import "math"

// The loops below either write a pattern's value at once or, where little
// passes what they ask, leave the rest to the pattern itself.

// rest asks the pattern itself about a bar; first is the bars before the columns.
func (c *columns) rest(s *Scanner, i, first int) float64 {
	s.count = first + i + 1
	c.gather(s, i, patterns[s.only].bars)
	v := float64(patterns[s.only].match(s))
	s.count = first
	return v
}

// blackness is 1 for a black candle and else 0.
func blackness(open, close float64) uint64 { return math.Float64bits(close-open) >> 63 }

// sign has in bit 63 whether a number is negative: the comparisons below are
// made of such signs, and the lesser of two is below where one of them is.
func sign(x float64) uint64 { return math.Float64bits(x) }

// hundred is 100 where bit 63 is set and else 0.
func hundred(yes uint64) float64 {
	return math.Float64frombits(uint64(int64(yes)>>63) & math.Float64bits(100))
}

func (c *columns) dojis(id ID, out []float64, from int) {
	open, out := c.open[from:], out[from:]
	n := len(open)
	high, low, close, span10 := c.high[from:][:n], c.low[from:][:n], c.close[from:][:n], c.p10[from:][:n]
	out = out[:n]
	switch id {
	case Doji:
		small(out, open, close, span10)
	case LongLeggedDoji:
		shadowed(out, open, high, low, close, span10, math.MaxUint64)
	case DragonflyDoji:
		for i, o := range open {
			h, l, x, none := high[i], low[i], close[i], noneFactor*span10[i]
			upper, lower := sign(h-o-none)|sign(h-x-none), sign(none-(o-l))&sign(none-(x-l))
			out[i] = hundred(upper & lower &^ sign(dojiFactor*span10[i]-math.Abs(x-o)))
		}
	case GravestoneDoji:
		for i, o := range open {
			h, l, x, none := high[i], low[i], close[i], noneFactor*span10[i]
			upper, lower := sign(none-(h-o))&sign(none-(h-x)), sign(o-l-none)|sign(x-l-none)
			out[i] = hundred(upper & lower &^ sign(dojiFactor*span10[i]-math.Abs(x-o)))
		}
	case Takuri:
		for i, o := range open {
			h, l, x, none := high[i], low[i], close[i], noneFactor*span10[i]
			body := math.Abs(x - o)
			upper, lower := sign(h-o-none)|sign(h-x-none), sign(2*body-(o-l))&sign(2*body-(x-l))
			out[i] = hundred(upper & lower &^ sign(dojiFactor*span10[i]-body))
		}
	}
}

// rickshaws are dojis with two long shadows; few are left to ask whether the body
// is in the middle.
func (c *columns) rickshaws(out []float64, from int) {
	open, out := c.open[from:], out[from:]
	n := len(open)
	high, low, close, span10 := c.high[from:][:n], c.low[from:][:n], c.close[from:][:n], c.p10[from:][:n]
	out = out[:n]
	shadowed(out, open, high, low, close, span10, 0)
	for i, v := range out {
		if v > 0 {
			near, middle := nearFactor*c.span5Before(from+i), low[i]+(high[i]-low[i])/2
			if top, bottom := ends(open[i], close[i]); !(bottom <= middle+near && top >= middle-near) {
				out[i] = 0
			}
		}
	}
}

// smallGo is small where there are no wide instructions.
func smallGo(out, open, close, span []float64) (sum float64) {
	open, close, span = open[:len(out)], close[:len(out)], span[:len(out)]
	for i, o := range open {
		d := float64(dojiFactor*span[i]) - math.Abs(close[i]-o)
		sum += d
		out[i] = hundred(^sign(d))
	}
	return sum
}

// shadowedGo is shadowed where there are no wide instructions.
func shadowedGo(out, open, high, low, close, span []float64, either uint64) {
	n := len(out)
	open, high, low, close, span = open[:n], high[:n], low[:n], close[:n], span[:n]
	for i, o := range open {
		h, l, x := high[i], low[i], close[i]
		body := math.Abs(x - o)
		lower, upper := sign(body-(o-l))&sign(body-(x-l)), sign(body-(h-o))&sign(body-(h-x))
		out[i] = hundred((lower | upper) & (lower&upper | either) &^ sign(float64(dojiFactor*span[i])-body))
	}
}

func (c *columns) lines(id ID, out []float64, from int) {
	n := len(out)
	open, high, low, close, body10 := c.open[from:n], c.high[from:n], c.low[from:n], c.close[from:n], c.b10[from:n]
	span10, shadow10 := c.p10[from:n], c.s10[from:n]
	out = out[from:n]
	switch id {
	case LongLine, ShortLine:
		wanted := uint64(0)
		if id == ShortLine {
			wanted = math.MaxUint64
		}
		for i, o := range open {
			top, bottom := ends(o, close[i])
			body, average, brief := top-bottom, body10[i], shadow10[i]/2
			size := less(average, body)&^wanted | less(body, average)&wanted
			out[i] = mask(size&less(high[i]-top, brief)&less(bottom-low[i], brief), 100, math.Float64bits(close[i]-o))
		}
	default:
		// The closing marubozu has no shadow where it closes, the belt-hold
		// none where it opens.
		flip := uint64(0)
		if id == BeltHold {
			flip = 1
		}
		for i, o := range open {
			top, bottom := ends(o, close[i])
			change, none := math.Float64bits(close[i]-o), noneFactor*span10[i]
			below := change>>63 ^ flip
			bare := less(high[i]-top, none)&^below | less(bottom-low[i], none)&below
			out[i] = mask(bare&less(body10[i], top-bottom), 100, change)
		}
	}
}

func (c *columns) hammers(id ID, out []float64, from int) {
	n := len(out)
	high1, low1, near1 := c.high[from-1:n-1], c.low[from-1:n-1], c.p5[from-1:n-1]
	open, high, low, close, body10, span10 := c.open[from:n], c.high[from:n], c.low[from:n], c.close[from:n], c.b10[from:n], c.p10[from:n]
	out = out[from:n]
	top1, bottom1 := ends(c.open[from-1], c.close[from-1])
	for i, o := range open {
		top, bottom := ends(o, close[i])
		body, near := top-bottom, nearFactor*near1[i]
		upper, lower, none := high[i]-top, bottom-low[i], noneFactor*span10[i]
		short := less(body, body10[i])
		switch id {
		case Hammer:
			out[i] = mask(short&less(body, lower)&less(upper, none)&atMost(bottom, low1[i]+near), 100, 0)
		case HangingMan:
			out[i] = mask(short&less(body, lower)&less(upper, none)&atMost(high1[i]-near, bottom), -100, 0)
		default: // InvertedHammer, ShootingStar
			yes, value := short&less(body, upper)&less(lower, none), -100.0
			if id == ShootingStar {
				yes &= less(top1, bottom)
			} else {
				yes, value = yes&less(top, bottom1), 100
			}
			out[i] = mask(yes, value, 0)
		}
		top1, bottom1 = top, bottom
	}
}

// insides are patterns of a body within the one before.
func (c *columns) insides(id ID, out []float64, from int) {
	n := len(out)
	top2, bottom2 := ends(c.open[from-2], c.close[from-2])
	top1, bottom1 := ends(c.open[from-1], c.close[from-1])
	black1 := blackness(c.open[from-1], c.close[from-1])
	black2 := blackness(c.open[from-2], c.close[from-2])
	long1 := less(c.b10[from-1], top1-bottom1)
	within := less(c.b10[from-2], top2-bottom2) & atMost(top1-bottom1, c.b10[from-1]) & less(top1, top2) & less(bottom2, bottom1)
	open, close, body10 := c.open[from:n], c.close[from:n], c.b10[from:n]
	out = out[from:n]
	for i, o := range open {
		x, average := close[i], body10[i]
		top, bottom := ends(o, x)
		body, black := top-bottom, blackness(o, x)
		strictly := long1 & atMost(body, average) & less(top, top1) & less(bottom1, bottom)
		if id == HomingPigeon {
			out[i] = mask(strictly&black&black1, 100, 0)
		} else {
			beyond := black2&(black^1)&less(top2, x) | (black2^1)&black&less(x, bottom2)
			out[i] = mask(within&beyond, 100, (black2^1)<<63)
			top2, bottom2, black2, within = top1, bottom1, black1, strictly
		}
		top1, bottom1, black1, long1 = top, bottom, black, less(average, body)
	}
}

// openings are patterns of a candle that opens beyond a long one before it and
// turns back.
func (c *columns) openings(s *Scanner, out []float64, from int) {
	n, first, want1 := len(out), s.count, uint64(1)
	beyond := c.low
	if s.only == DarkCloudCover {
		beyond, want1 = c.high, 0
	}
	open1, close1, beyond, body10 := c.open[from-1:n-1], c.close[from-1:n-1], beyond[from-1:n-1], c.b10[from-1:n-1]
	open, close := c.open[from:n], c.close[from:n]
	for i, o := range open {
		change1, gap := close1[i]-open1[i], math.Float64bits(o-beyond[i])
		if want1 == 0 {
			gap = math.Float64bits(beyond[i] - o)
		}
		black1 := math.Float64bits(change1) >> 63
		v := 0.0
		if gap>>63&less(body10[i], math.Abs(change1))&(black1^want1^1)&(blackness(o, close[i])^want1) != 0 {
			v = c.rest(s, from+i, first)
		}
		out[from+i] = v
	}
}

// meetings are patterns of opposite candles that open or close at one price.
func (c *columns) meetings(s *Scanner, out []float64, from int) {
	n, first := len(out), s.count
	a, b := c.close, c.close
	if s.only == SeparatingLines {
		a, b = c.open, c.open
	}
	open1, close1, price1, span5 := c.open[from-1:n-1], c.close[from-1:n-1], a[from-1:n-1], c.p5[from-1:n-1]
	open, close, price := c.open[from:n], c.close[from:n], b[from:n]
	for i, o := range open {
		opposite := blackness(open1[i], close1[i]) ^ blackness(o, close[i])
		equal := equalFactor * span5[i]
		v := 0.0
		if opposite&atMost(price[i], price1[i]+equal)&atMost(price1[i]-equal, price[i]) != 0 {
			v = c.rest(s, from+i, first)
		}
		out[from+i] = v
	}
}

// crosses are patterns of a doji within, or off, the long body before.
func (c *columns) crosses(s *Scanner, out []float64, from int) {
	n, first, id := len(out), s.count, s.only
	top1, bottom1 := ends(c.open[from-1], c.close[from-1])
	body1 := c.b10[from-1 : n-1]
	open, close, span10 := c.open[from:n], c.close[from:n], c.p10[from:n]
	for i, o := range open {
		top, bottom := ends(o, close[i])
		yes := less(body1[i], top1-bottom1) & atMost(top-bottom, dojiFactor*span10[i])
		if id == HaramiCross {
			yes &= atMost(top, top1) & atMost(bottom1, bottom)
		} else {
			yes &= less(top1, bottom) | less(top, bottom1)
		}
		top1, bottom1 = top, bottom
		v := 0.0
		if yes != 0 {
			v = c.rest(s, from+i, first)
		}
		out[from+i] = v
	}
}

// rows are patterns after three or four candles of one colour.
func (c *columns) rows(s *Scanner, out []float64, from int) {
	n, first, id := len(out), s.count, s.only
	open, high, low, close := c.open[:n], c.high[:n], c.low[:n], c.close[:n]
	blacks := uint64(0) // of the candles before, the newest lowest
	for i := from - 4; i < from; i++ {
		blacks = blacks<<1 | blackness(open[i], close[i])
	}
	for i := from; i < n; i++ {
		o, x := open[i], close[i]
		blacks = blacks<<1 | blackness(o, x)
		maybe := false
		switch id {
		case ThreeLineStrike:
			maybe = blacks&15 == 0b0001 && o > close[i-1] || blacks&15 == 0b1110 && o < close[i-1]
		case LadderBottom:
			maybe = blacks&31 == 0b11110 && x > high[i-1]
		default:
			maybe = blacks&7 == 0b111 && open[i-1] > close[i-2] && low[i-1] < close[i-2]
		}
		v := 0.0
		if maybe {
			v = c.rest(s, i, first)
		}
		out[i] = v
	}
}

func (c *columns) threeDojis(s *Scanner, out []float64, from int) {
	n, first := len(out), s.count
	body2, body1 := math.Abs(c.close[from-2]-c.open[from-2]), math.Abs(c.close[from-1]-c.open[from-1])
	open, close, span10 := c.open[from:n], c.close[from:n], c.p10[from-2:n-2]
	out = out[from:]
	for i, o := range open {
		body, doji := math.Abs(close[i]-o), dojiFactor*span10[i]
		out[i] = 0
		if int64(sign(doji-body2)|sign(doji-body1)|sign(doji-body)) >= 0 {
			out[i] = c.rest(s, from+i, first)
		}
		body2, body1 = body1, body
	}
}

// doubleTraps judges a bar where two inside bars came before it, or a trap is set.
func (c *columns) doubleTraps(s *Scanner, out []float64, from int) {
	n, first, h := len(out), s.count, &s.modified
	high, low := c.high[:n], c.low[:n]
	before := less(high[from-2], high[from-3]) & less(low[from-3], low[from-2])
	within := less(high[from-1], high[from-2]) & less(low[from-2], low[from-1])
	for i := from; i < n; i++ {
		v := 0.0
		if before&within|uint64(h.age+1) != 0 {
			v = c.rest(s, i, first)
		}
		out[i] = v
		before, within = within, less(high[i], high[i-1])&less(low[i-1], low[i])
	}
}
