// Package candle recognises candlestick patterns, bar by bar, for packages
// candles and talib.
//
// What is long, short, near or equal is measured against averages over the bars
// before the one that is judged, with TA-Lib's settings. All patterns share one
// set of averages.
package candle

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// A bar is a candle with what patterns ask of it. The averages that its
// thresholds come from are of the bars before it; while there are too few,
// every comparison with them is false.
type bar struct {
	open, high, low, close float64

	body10, span10, shadow10, span5 float64 // averages

	body, upper, lower float64 // heights of the body and of the shadows
	top, bottom        float64 // of the body
	sign               float64 // 1 for white (close ≥ open), -1 for black
	white              bool
}

// The settings, as TA-Lib documents its defaults: factors of averages over ten
// bars, and over five for near, far and equal.
const (
	dojiFactor  = 0.1
	noneFactor  = 0.1
	nearFactor  = 0.2
	farFactor   = 0.6
	equalFactor = 0.05
	longPeriod  = 10
	shortPeriod = 5
)

func (b *bar) derive() {
	// Colours are as good as random: this takes no branch.
	change := math.Float64bits(b.close - b.open)
	black := uint64(int64(change) >> 63)
	open, close := math.Float64bits(b.open), math.Float64bits(b.close)
	b.white = black == 0
	b.sign = math.Float64frombits(math.Float64bits(1) | change&(1<<63))
	b.top, b.bottom = math.Float64frombits(close&^black|open&black), math.Float64frombits(open&^black|close&black)
	b.body = b.top - b.bottom
	b.upper, b.lower = b.high-b.top, b.bottom-b.low
}

// The thresholds, in price units.
func (b *bar) near() float64  { return nearFactor * b.span5 }
func (b *bar) far() float64   { return farFactor * b.span5 }
func (b *bar) equal() float64 { return equalFactor * b.span5 }
func (b *bar) doji() float64  { return dojiFactor * b.span10 }
func (b *bar) none() float64  { return noneFactor * b.span10 }
func (b *bar) brief() float64 { return b.shadow10 / 2 }

// The body against its average, and a tenth of the average range.
func (b *bar) isLong() bool   { return b.body > b.body10 }
func (b *bar) isShort() bool  { return b.body < b.body10 }
func (b *bar) noLonger() bool { return b.body <= b.body10 }
func (b *bar) isDoji() bool   { return b.body <= b.doji() }

// The shadows: none, one, one below its average, one above it, one longer than the body.
func (b *bar) upperNone() bool      { return b.upper < b.none() }
func (b *bar) lowerNone() bool      { return b.lower < b.none() }
func (b *bar) upperSome() bool      { return b.upper > b.none() }
func (b *bar) lowerSome() bool      { return b.lower > b.none() }
func (b *bar) upperBrief() bool     { return b.upper < b.brief() }
func (b *bar) upperOverBrief() bool { return b.upper > b.brief() }
func (b *bar) upperLong() bool      { return b.upper > b.body }
func (b *bar) lowerLong() bool      { return b.lower > b.body }

// bodyAbove and bodyBelow report a gap between the bodies of b and a.
func (b *bar) bodyAbove(a *bar) bool { return b.bottom > a.top }
func (b *bar) bodyBelow(a *bar) bool { return b.top < a.bottom }

// above and below report a gap between the whole candles.
func (b *bar) above(a *bar) bool { return b.low > a.high }
func (b *bar) below(a *bar) bool { return b.high < a.low }

func (b *bar) visit(t *kernel.Tape) {
	for _, p := range []*float64{&b.open, &b.high, &b.low, &b.close, &b.body10, &b.span10, &b.shadow10, &b.span5} {
		t.Float(p)
	}
	b.derive()
}

// A Scanner recognises patterns in bars that come one at a time. It takes
// finite values only.
type Scanner struct {
	ring               [8]bar
	count              int
	key                flag // of the last five candles
	body, span, shadow kernel.Sum
	span5              kernel.Sum
	next               [4]float64 // the averages for the bar to come
	penetration        float64    // below 0: each pattern's own
	hikkake, modified  trap
	hits               []Hit
	passes             *[5]passage // what passes returns
	only               ID
	needs              need
	lazy               bool     // the only pattern seldom asks for the averages of five
	gates              []gate   // of the only pattern
	columns            *columns // for many bars at once, made at the first use
}

// A Hit is a pattern found in the newest bar.
type Hit struct {
	Pattern ID
	Bars    int // that make it, this one the last
	Value   int // TA-Lib's: ±80, ±100 or ±200
}

// trap is what the Hikkake patterns remember: they can be confirmed within
// three bars.
type trap struct {
	age       int // bars since, -1 for none
	value     float64
	high, low float64
	wait      int // bars from the one that set the trap just confirmed
}

// NewScanner returns a scanner for all patterns, each with its own penetration.
func NewScanner() *Scanner {
	s := &Scanner{hits: make([]Hit, 0, Count), penetration: -1, needs: needBody | needSpan | needShadow | needSpan5, passes: passes(),
		body: kernel.NewSum(nil, longPeriod), span: kernel.NewSum(nil, longPeriod),
		shadow: kernel.NewSum(nil, longPeriod), span5: kernel.NewSum(nil, shortPeriod)}
	s.Reset()
	return s
}

// NewSingle returns a scanner for one pattern.
func NewSingle(id ID, penetration float64) *Scanner {
	s := NewScanner()
	s.only, s.needs, s.penetration = id, patterns[id].needs, penetration
	s.lazy = s.needs&needSpan5 != 0 && !eager(id)
	for _, g := range gates {
		if g.id == id {
			s.gates = append(s.gates, g)
		}
	}
	return s
}

// Reset forgets every bar.
func (s *Scanner) Reset() {
	s.count, s.key, s.hits, s.ring = 0, 0, s.hits[:0], [8]bar{}
	s.hikkake, s.modified = trap{}, trap{}
	for _, sum := range []*kernel.Sum{&s.body, &s.span, &s.shadow, &s.span5} {
		sum.Reset()
	}
	nan := math.NaN()
	s.next = [4]float64{nan, nan, nan, nan}
	s.hikkake.age, s.modified.age = -1, -1
}

// back is the bar so many before the newest.
func (s *Scanner) back(bars int) *bar { return &s.ring[(s.count-1-bars)&(len(s.ring)-1)] }

// Update takes the next bar and returns what it completes. The slice is the
// scanner's own until the next Update.
func (s *Scanner) Update(open, high, low, close float64) []Hit {
	s.push(open, high, low, close)
	s.key = (s.key<<flagBits | s.flags()) & fiveCandles
	s.hits = s.hits[:0]
	s.scan()
	return s.hits
}

// UpdateSingle is Update of a scanner for one pattern: its value, 0 for none.
func (s *Scanner) UpdateSingle(open, high, low, close float64) int {
	s.push(open, high, low, close)
	if v := patterns[s.only].match(s); v != 0 && s.count > patterns[s.only].lookback {
		return v
	}
	return 0
}

func (s *Scanner) push(open, high, low, close float64) {
	s.count++
	b := s.back(0)
	b.open, b.high, b.low, b.close = open, high, low, close
	b.body10, b.span10, b.shadow10, b.span5 = s.next[0], s.next[1], s.next[2], s.next[3]
	b.derive()
	span := high - low
	if s.needs&needBody != 0 {
		s.next[0] = s.body.Push(b.body) / longPeriod
	}
	if s.needs&needSpan != 0 {
		s.next[1] = s.span.Push(span) / longPeriod
	}
	if s.needs&needShadow != 0 {
		s.next[2] = s.shadow.Push(b.upper+b.lower) / longPeriod
	}
	if s.needs&needSpan5 != 0 {
		s.next[3] = s.span5.Push(span) / shortPeriod
	}
}

func (s *Scanner) hit(id ID, value int) {
	if value != 0 && s.count > patterns[id].lookback {
		bars := patterns[id].bars
		if value == 200 || value == -200 {
			bars += s.trap(id).wait
		}
		s.hits = append(s.hits, Hit{id, bars, value})
	}
}

// trap is that of one of the Hikkake patterns.
func (s *Scanner) trap(id ID) *trap {
	if id == Hikkake {
		return &s.hikkake
	}
	return &s.modified
}

// Visit visits the state of the scanner.
func (s *Scanner) Visit(t *kernel.Tape) {
	t.Int(&s.count)
	for i := range s.ring {
		s.ring[i].visit(t)
	}
	key := int64(s.key)
	t.Bits(&key)
	s.key = flag(key)
	s.body.Visit(t)
	s.span.Visit(t)
	s.shadow.Visit(t)
	s.span5.Visit(t)
	t.Floats(s.next[:])
	for _, h := range []*trap{&s.hikkake, &s.modified} {
		t.Int(&h.age)
		t.Float(&h.value)
		t.Float(&h.high)
		t.Float(&h.low)
	}
}

// share returns how deep a third candle must reach into the first's body.
func (s *Scanner) share(usual float64) float64 {
	if s.penetration >= 0 {
		return s.penetration
	}
	return usual
}

// SetPenetration makes it the same for every pattern that has one; below 0 it is
// each pattern's own.
func (s *Scanner) SetPenetration(share float64) { s.penetration = share }
