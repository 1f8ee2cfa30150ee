package candle

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// chunk is how many bars are judged at once.
const chunk = 1024

// columns are what a scanner for one pattern knows of many bars at once. Bars
// are made of them only where a gate lets them through.
type columns struct {
	open, high, low, close []float64
	// The averages before each bar, and one for the bar to come.
	body10, span10, shadow10, span5 [chunk + 1]float64
	values, unknown                 [chunk]float64
	made                            [8]int // the bar's place in the chunk that the ring has there
	b10, p10, s10, p5               []float64
	// Of the averages of five ranges, those from lazyFrom on and before lazyTo
	// are made where they are asked for.
	lazyFrom, lazyTo int
	phase            int                  // of the first bar in its block of five
	gapRows          [chunk / word]uint64 // the bars after what may be a gap
	apart            bool                 // gapRows are those of this chunk
	tape             kernel.Tape
	board            *board // for all patterns, made at the first use
}

// most is the most bars that a pattern has, and longestLookback the most bars
// that have to be before one is judged.
const (
	most            = 5
	longestLookback = 14
)

// Bulk is UpdateSingle of many bars, to out, which is as long. The values must
// be finite; out is none of them.
func (s *Scanner) Bulk(out, open, high, low, close []float64) {
	for len(out) > 0 {
		k := min(len(out), chunk)
		s.bulk(out[:k], open[:k], high[:k], low[:k], close[:k])
		out, open, high, low, close = out[k:], open[k:], high[k:], low[k:], close[k:]
	}
}

func (s *Scanner) bulk(out, open, high, low, close []float64) {
	c := s.take(open, high, low, close)
	n, first := len(out), s.count
	s.rekey()
	before := most // bars that the loops look back at
	if patterns[s.only].bars == 1 {
		before = 0
	}
	if from := max(before, patterns[s.only].lookback-first); direct(s.only) && n > from {
		c.judge(s, out, 0, from)
		c.direct(s, out, from)
	} else {
		c.judge(s, out, 0, n)
	}
	s.give(n, first)
}

// Try is Bulk of columns that may have values that are not finite. It returns
// false, and leaves the scanner as it was, where one is not.
func (s *Scanner) Try(out, open, high, low, close []float64) bool {
	n := len(out)
	open, high, low, close = open[:n], high[:n], low[:n], close[:n]
	// Some patterns find out on the way.
	if c := s.columns; c != nil && n >= 6*longPeriod && n <= chunk && s.count >= longestLookback {
		switch s.only {
		case Doji:
			return s.tryDoji(out, open, high, low, close)
		case TasukiGap, GapSideSideWhite, GapThreeMethods:
			c.open, c.high, c.low, c.close = open, high, low, close
			sum := c.findGaps(out, most)
			if !kernel.Finite(sum) || !allFinite(open[:most], high[:most], low[:most], close[:most]) {
				return false
			}
			c.apart = true
			s.bulk(out, open, high, low, close)
			c.apart = false
			return true
		}
	}
	if !allFinite(open, high, low, close) {
		return false
	}
	s.Bulk(out, open, high, low, close)
	return true
}

func allFinite(open, high, low, close []float64) bool {
	return kernel.AllFinite(open) && kernel.AllFinite(high) && kernel.AllFinite(low) && kernel.AllFinite(close)
}

func (s *Scanner) tryDoji(out, open, high, low, close []float64) bool {
	c, before := s.columns, s.next
	c.tape.Save()
	s.span.Visit(&c.tape)
	c = s.take(open, high, low, close)
	// Every range is in an average.
	if sum := small(out, open, close, c.p10); !kernel.Finite(sum + s.next[1]) {
		c.tape.Load()
		s.span.Visit(&c.tape)
		s.next = before
		return false
	}
	s.rekey()
	s.give(len(out), s.count)
	return true
}

// give leaves the last bars in the ring, for whoever comes next.
func (s *Scanner) give(n, first int) {
	for i := max(n-len(s.ring), 0); i < n; i++ {
		s.columns.make(&s.ring[(first+i)&(len(s.ring)-1)], i)
	}
	s.count = first + n
}

// take makes the columns of at most chunk bars, with their averages.
func (s *Scanner) take(open, high, low, close []float64) *columns {
	c := s.columns
	if c == nil {
		c = &columns{}
		for i := range c.unknown {
			c.unknown[i] = math.NaN()
		}
		s.columns = c
	}
	n := len(open)
	high, low, close = high[:n], low[:n], close[:n]
	c.open, c.high, c.low, c.close = open, high, low, close
	c.b10, c.p10, c.s10, c.p5 = c.unknown[:n], c.unknown[:n], c.unknown[:n], c.unknown[:n]
	values := c.values[:n]
	if s.needs&needBody != 0 {
		for i, o := range open {
			values[i] = math.Abs(close[i] - o)
		}
		c.b10 = s.shifted(&s.body, 0, &c.body10, longPeriod)
	}
	lazy := s.lazy && n >= 6*shortPeriod
	if c.lazyFrom, c.lazyTo = 0, 0; lazy {
		s.lazySpans()
	}
	quick := n >= 5*longPeriod && s.needs&needSpan != 0
	if quick {
		s.quickSpans()
	}
	if s.needs&needSpan != 0 && !quick || s.needs&needSpan5 != 0 && !lazy {
		for i, h := range high {
			values[i] = h - low[i]
		}
		if s.needs&needSpan != 0 && !quick {
			c.p10 = s.shifted(&s.span, 1, &c.span10, longPeriod)
		}
		if s.needs&needSpan5 != 0 && !lazy {
			c.p5 = s.shifted(&s.span5, 3, &c.span5, shortPeriod)
		}
	}
	if s.needs&needShadow != 0 {
		for i, o := range open {
			top, bottom := ends(o, close[i])
			values[i] = (high[i] - top) + (bottom - low[i])
		}
		c.s10 = s.shifted(&s.shadow, 2, &c.shadow10, longPeriod)
	}
	for i := range c.made {
		c.made[i] = -1
	}
	return c
}

// shifted writes, for each bar, the average over the bars before it of the
// column in values.
func (s *Scanner) shifted(sum *kernel.Sum, which int, to *[chunk + 1]float64, period float64) []float64 {
	c := s.columns
	n := len(c.open)
	to[0] = s.next[which]
	sum.Run(to[1:n+1], c.values[:n], period)
	s.next[which] = to[n]
	return to[:n]
}

// ends are the top and the bottom of a body.
func ends(open, close float64) (top, bottom float64) {
	black := uint64(int64(math.Float64bits(close-open)) >> 63)
	o, c := math.Float64bits(open), math.Float64bits(close)
	return math.Float64frombits(c&^black | o&black), math.Float64frombits(o&^black | c&black)
}

func (c *columns) make(b *bar, i int) {
	b.open, b.high, b.low, b.close = c.open[i], c.high[i], c.low[i], c.close[i]
	b.body10, b.span10, b.shadow10, b.span5 = c.b10[i], c.p10[i], c.s10[i], c.span5Before(i)
	b.derive()
}

// judge asks the gates of the pattern bar by bar, and the pattern where one opens.
func (c *columns) judge(s *Scanner, out []float64, from, to int) {
	p, first := &patterns[s.only], s.count
	key, n := s.key, len(out)
	wanted, other := s.gates[0].flags, s.gates[len(s.gates)-1].flags
	watch := &s.hikkake
	if s.only == HikkakeModified {
		watch = &s.modified
	}
	var top1, bottom1, high1, low1 float64
	if from > 0 {
		top1, bottom1 = ends(c.open[from-1], c.close[from-1])
		high1, low1 = c.high[from-1], c.low[from-1]
	} else if first > 0 {
		b := &s.ring[(first-1)&(len(s.ring)-1)]
		top1, bottom1, high1, low1 = b.top, b.bottom, b.high, b.low
	}
	open, high, low, close, body10, span10 := c.open[:n], c.high[:n], c.low[:n], c.close[:n], c.b10[:n], c.p10[:n]
	used := s.used()
	bodies, shadows := used&(long|short|noLonger|doji) != 0, used&(noUpper|noLower) != 0
	gaps, ranges, ends1 := used&(gapUp|gapDown) != 0, used&within != 0, used&around != 0
	for i := from; i < to; i++ {
		f := white << flag(math.Float64bits(close[i]-open[i])>>63)
		top, bottom := ends(open[i], close[i])
		if bodies {
			body, average := top-bottom, body10[i]
			f |= one(body > average, long) | one(body < average, short) | one(body <= average, noLonger) |
				one(body <= dojiFactor*span10[i], doji)
		}
		if shadows {
			none := noneFactor * span10[i]
			f |= one(high[i]-top < none, noUpper) | one(bottom-low[i] < none, noLower)
		}
		if gaps {
			f |= one(bottom > top1, gapUp) | one(top < bottom1, gapDown)
		}
		if ranges {
			f |= one(high[i] < high1, within) & one(low[i] > low1, within)
			high1, low1 = high[i], low[i]
		}
		if ends1 {
			f |= one(top >= top1, around) & one(bottom <= bottom1, around)
		}
		top1, bottom1 = top, bottom
		key = (key<<flagBits | f) & fiveCandles
		out[i] = 0
		if key&wanted != wanted && key&other != other && watch.age < 0 {
			continue
		}
		s.count = first + i + 1
		c.gather(s, i, p.bars)
		if v := p.match(s); v != 0 && s.count > p.lookback {
			out[i] = float64(v)
		}
	}
	s.key, s.count = key, first
}

// used are the flags that the pattern's gates ask for, of whichever candle.
func (s *Scanner) used() (f flag) {
	for _, g := range s.gates {
		for flags := g.flags; flags != 0; flags >>= flagBits {
			f |= flags & (1<<flagBits - 1)
		}
	}
	return f
}

// gather makes the last bars of the ring, as many as the pattern looks at.
func (c *columns) gather(s *Scanner, i, bars int) {
	for k := max(i-bars+1, 0); k <= i; k++ {
		slot := (s.count - 1 - i + k) & (len(s.ring) - 1)
		if c.made[slot] != k {
			c.make(&s.ring[slot], k)
			c.made[slot] = k
		}
	}
}
