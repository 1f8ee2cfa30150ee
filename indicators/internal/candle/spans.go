package candle

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// Averages of ranges: every other pattern asks for them, some of them seldom.

// runSpans feeds the ranges of some bars to their sum.
func (c *columns) runSpans(sum *kernel.Sum, to *[chunk + 1]float64, from, end int, period float64) {
	values := c.values[from:end]
	for i := range values {
		values[i] = c.high[from+i] - c.low[from+i]
	}
	sum.Run(to[from+1:end+1], values, period)
}

// quickSpans is shifted of the ranges, at least five blocks of ten: all but the
// first and the last are added up as the sum does it, but on the way from the
// prices to the averages without a column in between.
func (s *Scanner) quickSpans() {
	c, sum := s.columns, &s.span
	n, phase := len(c.open), s.count%longPeriod
	c.span10[0] = s.next[1]
	from := (longPeriod-phase)%longPeriod + longPeriod
	end := from + (n-from)/longPeriod*longPeriod
	c.runSpans(sum, &c.span10, 0, from, longPeriod)
	// A block of ten is all that a sum remembers. What it gives for the first
	// after it has forgotten all is written over.
	sum.Reset()
	c.runSpans(sum, &c.span10, end-longPeriod, n, longPeriod)
	tenSpans(c.span10[from+1:end+1], c.high[from-longPeriod:end], c.low[from-longPeriod:end], c.open, c.close)
	s.next[1] = c.span10[n]
	c.p10 = c.span10[:n]
}

// lazySpans is shifted of the ranges for a pattern that seldom asks for their
// averages: it makes those of the first bars and of the last, and leaves the sum
// as if it had made all.
func (s *Scanner) lazySpans() {
	c, sum := s.columns, &s.span5
	n := len(c.open)
	run := func(from, to int) { c.runSpans(sum, &c.span5, from, to, shortPeriod) }
	c.phase = s.count % shortPeriod
	c.span5[0] = s.next[3]
	run(0, shortPeriod)
	c.lazyFrom = shortPeriod + 1
	// A block of five is all that a sum remembers.
	block := n - len(s.ring) - 2*shortPeriod
	block -= (c.phase + block) % shortPeriod
	sum.Reset()
	run(block, n)
	c.lazyTo = block + shortPeriod + 1
	s.next[3] = c.span5[n]
	c.p5 = c.span5[:n]
}

// span5Before is the average of the five ranges before a bar, added up as the
// sum does it: a block's values in their order, and those left of the block
// before from its end.
func (c *columns) span5Before(i int) float64 {
	if i < c.lazyFrom || i >= c.lazyTo {
		return c.p5[i]
	}
	high, low := c.high[i-shortPeriod:i], c.low[i-shortPeriod:i]
	old := shortPeriod - 1 - (c.phase+i-1)%shortPeriod // of the block before
	head, tail := 0.0, 0.0
	for k := old; k < len(high); k++ {
		head += high[k] - low[k]
	}
	for k := old - 1; k >= 0; k-- {
		tail += high[k] - low[k]
	}
	return (head + tail) / shortPeriod
}

// tenSpansGo writes the averages of ten ranges, a block of ten at a time, of bars
// after the first ten of high and low. Written out, a block need not wait for
// the one before.
func tenSpansGo(out, high, low []float64) {
	var tails [longPeriod]float64
	tail := 0.0
	for i := longPeriod - 1; i >= 0; i-- {
		tails[i] = tail
		tail += high[i] - low[i]
	}
	high, low = high[longPeriod:], low[longPeriod:]
	for len(out) >= longPeriod && len(high) >= longPeriod && len(low) >= longPeriod {
		h, l, o := (*[longPeriod]float64)(high), (*[longPeriod]float64)(low), (*[longPeriod]float64)(out)
		v0, v1, v2, v3, v4 := h[0]-l[0], h[1]-l[1], h[2]-l[2], h[3]-l[3], h[4]-l[4]
		v5, v6, v7, v8, v9 := h[5]-l[5], h[6]-l[6], h[7]-l[7], h[8]-l[8], h[9]-l[9]
		head := v0
		o[0] = (head + tails[0]) / longPeriod
		head += v1
		o[1] = (head + tails[1]) / longPeriod
		head += v2
		o[2] = (head + tails[2]) / longPeriod
		head += v3
		o[3] = (head + tails[3]) / longPeriod
		head += v4
		o[4] = (head + tails[4]) / longPeriod
		head += v5
		o[5] = (head + tails[5]) / longPeriod
		head += v6
		o[6] = (head + tails[6]) / longPeriod
		head += v7
		o[7] = (head + tails[7]) / longPeriod
		head += v8
		o[8] = (head + tails[8]) / longPeriod
		o[9] = (head + v9 + 0) / longPeriod
		t := v9 + 0
		tails[8] = t
		t += v8
		tails[7] = t
		t += v7
		tails[6] = t
		t += v6
		tails[5] = t
		t += v5
		tails[4] = t
		t += v4
		tails[3] = t
		t += v3
		tails[2] = t
		t += v2
		tails[1] = t
		tails[0] = t + v1
		out, high, low = out[longPeriod:], high[longPeriod:], low[longPeriod:]
	}
}
