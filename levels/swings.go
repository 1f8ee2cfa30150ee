package levels

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Ties says whether equal highs (or lows) within a swing's window spoil it.
type Ties string

const (
	// TiesFirst lets the first of equal extremes be the swing: it is beyond every bar
	// before it and no bar after it is beyond it. It is the default.
	TiesFirst Ties = "first"
	// TiesNone asks for a bar strictly beyond all others, as Williams' fractal does.
	TiesNone Ties = "none"
	// TiesAll lets every one of equal extremes be a swing.
	TiesAll Ties = "all"
)

// A SwingMethod says what makes a bar a swing.
type SwingMethod string

const (
	// SwingFractal compares a bar with those before and after it. It is the default.
	SwingFractal SwingMethod = "fractal"
	// SwingPercent is a zigzag: an extreme is a swing once price has come back
	// from it by Reversal per cent of it.
	SwingPercent SwingMethod = "percent"
	// SwingATR is a zigzag whose reversal is measured in average true ranges.
	SwingATR SwingMethod = "atr"
	// SwingSigma is a zigzag whose reversal is measured in standard deviations
	// of the change from close to close, over the last Window bars.
	SwingSigma SwingMethod = "sigma"
)

// SwingOptions says what makes a swing.
type SwingOptions struct {
	Left  int  // bars before that must lie within; 0 means 5
	Right int  // bars after that must lie within, and so the delay of confirmation; 0 means 5
	Ties  Ties // empty means TiesFirst

	Method SwingMethod // empty means SwingFractal; Left, Right and Ties are for it alone
	// Reversal ends a leg of a zigzag: per cent, average true ranges or
	// standard deviations; 0 means 5, 3 and 3.
	Reversal float64
	// Window is how many bars the average true range (0: 14) or the standard
	// deviation (0: 20) of a zigzag looks back.
	Window int
}

func (o SwingOptions) resolve() (SwingOptions, error) {
	var err error
	if o.Left, err = count("left", o.Left, 5, 100_000); err != nil {
		return o, err
	}
	if o.Right, err = count("right", o.Right, 5, 100_000); err != nil {
		return o, err
	}
	switch o.Ties {
	case "":
		o.Ties = TiesFirst
	case TiesFirst, TiesNone, TiesAll:
	default:
		return o, invalid.Field("ties", string(o.Ties), "first, none or all")
	}
	reversal, window := 3.0, 14
	switch o.Method {
	case "":
		o.Method = SwingFractal
	case SwingFractal, SwingATR:
	case SwingPercent:
		reversal = 5
	case SwingSigma:
		window = 20
	default:
		return o, invalid.Field("method", string(o.Method), "fractal, percent, atr or sigma")
	}
	if o.Reversal, err = positive("reversal", o.Reversal, reversal); err != nil {
		return o, err
	}
	if o.Method == SwingPercent && o.Reversal >= 100 {
		return o, invalid.Field("reversal", o.Reversal, "a percentage below 100")
	}
	if o.Window, err = count("window", o.Window, window, 100_000); err != nil {
		return o, err
	}
	if o.Method == SwingSigma && o.Window < 2 {
		return o, invalid.Field("window", o.Window, "at least 2 bars for a standard deviation")
	}
	return o, nil
}

// Swings returns the swing highs and lows of s in the order they were born; of
// one bar that is both, the high comes first.
//
// By [SwingFractal] a bar is a swing high when the
// highs of Left bars before it and Right bars after it stay below its own, with
// equal ones judged by Ties; swing lows mirror that. It is confirmed by the bar
// Right bars later, and none is reported before. Bars without Left bars before
// them are no swings.
//
// By the other methods swing highs and lows alternate. The highest bar since
// the last swing low is a swing high, confirmed by the first bar whose low is
// Reversal below its high (and that makes no higher high itself). The first
// swing is the extreme that price has left by Reversal first.
//
// Touches are counted with the default TouchOptions; [Find] takes others.
func Swings(s market.Series, opts *SwingOptions) ([]Level, error) {
	found, err := everyOne(s, Options{Kinds: []Kind{KindSwingHigh, KindSwingLow}, Swing: options(opts)})
	slices.SortStableFunc(found, func(a, b Level) int {
		if c := a.Born.Compare(b.Born); c != 0 {
			return c
		}
		return strings.Compare(string(a.Kind), string(b.Kind)) // "swing high" before "swing low"
	})
	return found, err
}

// A swing is a turn of price.
type swing struct {
	price           float64
	high            bool
	born, confirmed int
	bornAt          time.Time
}

// set writes a swing where it stays: a copy of one just made would have to wait
// for it.
func (w *swing) set(price float64, high bool, born, confirmed int, bornAt time.Time) {
	w.price, w.high, w.born, w.confirmed, w.bornAt = price, high, born, confirmed, bornAt
}

func (w *swing) kind() Kind {
	if w.high {
		return KindSwingHigh
	}
	return KindSwingLow
}

// A swinger finds swings one bar at a time; fresh holds those confirmed by the
// last bar, the high first.
type swinger struct {
	o       SwingOptions
	fresh   []swing
	unknown int // the last bar that was not known; -1 when there was none
	turns   bool
	wide    bool
	highs   window
	lows    window
	near    surroundings
	zigzag  zigzag
}

// Windows up to so wide are compared as a whole with every bar.
const narrow = 64

func newSwinger(o SwingOptions) *swinger {
	w := &swinger{o: o, unknown: -1, turns: o.Method != SwingFractal, wide: o.Left+o.Right >= narrow}
	switch {
	case w.turns:
		w.zigzag = newZigzag(o)
	case w.wide:
		w.highs, w.lows = newWindow(o), newWindow(o)
	default:
		w.near = newSurroundings(o.Left + o.Right + 1)
	}
	return w
}

func (w *swinger) update(e *Engine) {
	w.fresh = w.fresh[:0]
	if w.turns {
		w.zigzag.update(e, &w.fresh)
		return
	}
	up, down := e.bar.High, -e.bar.Low
	if !e.known {
		w.unknown = e.i // spoils every window it lies in
		up, down = math.Inf(-1), math.Inf(-1)
	}
	i := e.i - w.o.Right
	high, low := false, false
	var near extremes
	if w.wide {
		high, low = w.highs.update(e.i, up), w.lows.update(e.i, down)
	} else {
		near = w.near.update(order(up), order(down))
	}
	if i < w.o.Left || w.unknown >= i-w.o.Left {
		return
	}
	s := &e.bars.s
	at := e.bars.at(i)
	if !w.wide {
		high = order(s.High[at]) == near.top && w.o.extreme(s.High, at)
		low = order(-s.Low[at]) == near.bottom && w.o.extreme(s.Low, at)
	}
	if high {
		w.fresh = append(w.fresh, swing{})
		w.fresh[len(w.fresh)-1].set(s.High[at], true, i, e.i, s.Time[at])
	}
	if low {
		w.fresh = append(w.fresh, swing{})
		w.fresh[len(w.fresh)-1].set(s.Low[at], false, i, e.i, s.Time[at])
	}
}

// extremes are the largest of some highs and of some lows with their signs
// turned, as whole numbers in the order of the prices.
type extremes struct{ top, bottom int64 }

// with is the larger of each. Prices cannot be foretold, so no jump hangs on one.
func (x extremes) with(y extremes) extremes {
	return extremes{max(x.top, y.top), max(x.bottom, y.bottom)}
}

// surroundings are the extremes of the last n bars, n at most narrow. Bars come
// in blocks of n: the last n are the end of one block and the beginning of the
// next, and the extremes of all ends are made once a block.
type surroundings struct {
	n, at int
	block extremes             // of the block under way
	parts [narrow + 1]extremes // its bars, and from the place at on the ends of the block before
}

func newSurroundings(n int) surroundings {
	m := surroundings{n: n, block: extremes{math.MinInt64, math.MinInt64}}
	for k := range m.parts {
		m.parts[k] = m.block
	}
	return m
}

// update takes the next bar.
func (m *surroundings) update(up, down int64) extremes {
	x := extremes{up, down}
	at := uint(m.at) % narrow
	m.block = m.block.with(x)
	m.parts[at] = x
	x = m.block.with(m.parts[at+1])
	if m.at++; m.at == m.n {
		m.turn()
	}
	return x
}

// turn begins a block.
func (m *surroundings) turn() {
	x := m.parts[m.n]
	m.at, m.block = 0, x
	for k := m.n - 1; k >= 0; k-- {
		x = x.with(m.parts[k])
		m.parts[k] = x
	}
}

// order is a whole number that is larger for larger prices.
func order(x float64) int64 {
	v := int64(math.Float64bits(x + 0)) // -0 is 0
	return v ^ int64(uint64(v>>63)>>1)
}

// extreme reports whether v[at], which no value on either side of it passes, is
// one as the options judge equal ones.
func (o *SwingOptions) extreme(v []float64, at int) bool {
	switch o.Ties {
	case TiesAll:
		return true
	case TiesNone:
		if slices.Contains(v[at+1:at+1+o.Right], v[at]) {
			return false
		}
	}
	return !slices.Contains(v[at-o.Left:at], v[at])
}

// A window holds, of the values that a candidate is compared with, those that
// no later one has beaten, in descending order. Its first is the largest.
type window struct {
	right, span int
	ties        Ties
	ring        []peak
	head, size  int
}

type peak struct {
	value float64
	i     int
}

func newWindow(o SwingOptions) window {
	return window{right: o.Right, span: o.Left + o.Right, ties: o.Ties, ring: make([]peak, 16)}
}

// update takes the value of bar i and reports whether that of the bar right
// bars before it is beyond all others in the window.
func (w *window) update(i int, value float64) bool {
	mask := len(w.ring) - 1
	for w.size > 0 && w.ring[(w.head+w.size-1)&mask].value < value {
		w.size--
	}
	for w.size > 0 && w.ring[w.head&mask].i < i-w.span {
		w.head++
		w.size--
	}
	if w.size == len(w.ring) {
		w.grow()
		mask = len(w.ring) - 1
	}
	w.ring[(w.head+w.size)&mask] = peak{value, i}
	w.size++

	candidate := i - w.right
	first := w.ring[w.head&mask]
	switch w.ties {
	case TiesFirst:
		return first.i == candidate
	case TiesNone:
		return first.i == candidate && (w.size == 1 || w.ring[(w.head+1)&mask].value != first.value)
	}
	for k := 0; k < w.size; k++ {
		switch next := w.ring[(w.head+k)&mask]; {
		case next.value != first.value || next.i > candidate:
			return false
		case next.i == candidate:
			return true
		}
	}
	return false
}

func (w *window) grow() {
	ring := make([]peak, 2*len(w.ring))
	for k := range w.size {
		ring[k] = w.ring[(w.head+k)&(len(w.ring)-1)]
	}
	w.ring, w.head = ring, 0
}

// A zigzag finds swings by reversal.
type zigzag struct {
	o         SwingOptions
	direction int // of the leg under way; 0 before the first swing
	high, low swing
	started   bool
	atr       trueRange
	sigma     deviation
}

func newZigzag(o SwingOptions) zigzag {
	return zigzag{o: o, atr: newTrueRange(o.Window), sigma: deviation{ring: make([]float64, o.Window)}}
}

func (z *zigzag) update(e *Engine, fresh *[]swing) {
	if !e.known {
		return
	}
	high, low, closed := e.bar.High, e.bar.Low, e.bar.Close
	z.atr.update(high, low, closed)
	z.sigma.update(closed)
	up := swing{price: high, high: true, born: e.i, bornAt: e.bar.Time}
	down := swing{price: low, born: e.i, bornAt: e.bar.Time}
	if !z.started {
		z.started, z.high, z.low = true, up, down
		return
	}
	higher, lower := high > z.high.price, low < z.low.price
	if higher && z.direction >= 0 {
		z.high = up
	}
	if lower && z.direction <= 0 {
		z.low = down
	}
	turnedDown := z.direction >= 0 && !higher && z.back(z.high.price, z.high.price-low)
	turnedUp := z.direction <= 0 && !lower && z.back(z.low.price, high-z.low.price)
	if z.direction == 0 && turnedDown && turnedUp {
		// Price has left both extremes: the earlier one comes first.
		turnedDown = z.high.born < z.low.born
		turnedUp = !turnedDown && z.low.born < z.high.born
	}
	switch {
	case turnedDown:
		z.high.confirmed = e.i
		*fresh = append(*fresh, z.high)
		z.direction, z.low = -1, down
	case turnedUp:
		z.low.confirmed = e.i
		*fresh = append(*fresh, z.low)
		z.direction, z.high = +1, up
	}
}

// back reports whether a move away from an extreme is a reversal.
func (z *zigzag) back(from, move float64) bool {
	switch z.o.Method {
	case SwingPercent:
		return move > 0 && move >= z.o.Reversal/100*math.Abs(from)
	case SwingSigma:
		x := z.o.Reversal * z.sigma.value()
		return x > 0 && move >= x
	}
	return move > 0 && move >= z.o.Reversal*z.atr.mean
}

// A deviation is the sample standard deviation of the last changes of a value,
// computed anew each time: it is asked for a window at a time and must not drift.
type deviation struct {
	ring   []float64
	seen   int
	before float64
	cached int
	result float64
}

func (d *deviation) update(x float64) {
	if d.seen > 0 {
		d.ring[(d.seen-1)%len(d.ring)] = x - d.before
	}
	d.seen++
	d.before = x
}

// value is 0 before two changes are known.
func (d *deviation) value() float64 {
	n := min(d.seen-1, len(d.ring))
	if n < 2 {
		return 0
	}
	if d.cached == d.seen {
		return d.result
	}
	mean := 0.0
	for _, x := range d.ring[:n] {
		mean += x
	}
	mean /= float64(n)
	sum := 0.0
	for _, x := range d.ring[:n] {
		sum += (x - mean) * (x - mean)
	}
	d.cached, d.result = d.seen, math.Sqrt(sum/float64(n-1))
	return d.result
}

// Alternate reduces swings, in order of birth, to turning points that alternate
// between highs and lows: of several highs in a row the highest stays, of
// several lows the lowest, the earliest of equal ones. A bar that is both a high and a low
// counts first as the opposite of the turning point before it.
//
// The last turning point can still be replaced by a later, more extreme swing
// of its side: unlike the swings themselves, the result is not final.
func Alternate(swings []Level) []Level {
	var turns []Level
	var a alternator[Level]
	a.side = func(l Level) bool { return l.Kind == KindSwingHigh }
	a.price = func(l Level) float64 { return l.Price }
	for i := 0; i < len(swings); i++ {
		if i+1 < len(swings) && swings[i+1].Born.Equal(swings[i].Born) {
			turns = a.both(turns, swings[i], swings[i+1])
			i++
			continue
		}
		turns = a.add(turns, swings[i])
	}
	return turns
}

// An alternator adds swings to turning points.
type alternator[T any] struct {
	side  func(T) bool // whether it is a high
	price func(T) float64
}

func (a alternator[T]) add(turns []T, x T) []T {
	n := len(turns)
	if n == 0 || a.side(turns[n-1]) != a.side(x) {
		return append(turns, x)
	}
	further := a.price(x) > a.price(turns[n-1])
	if !a.side(x) {
		further = a.price(x) < a.price(turns[n-1])
	}
	if further {
		turns[n-1] = x
	}
	return turns
}

// both adds the high and the low of one bar.
func (a alternator[T]) both(turns []T, x, y T) []T {
	if n := len(turns); n > 0 && a.side(turns[n-1]) == a.side(x) {
		return a.add(a.add(turns, y), x)
	}
	return a.add(a.add(turns, x), y)
}

func swingAlternator() alternator[swing] {
	return alternator[swing]{side: func(w swing) bool { return w.high }, price: func(w swing) float64 { return w.price }}
}

// swingFamily keeps swings as levels.
type swingFamily struct {
	source      *swinger
	highs, lows bool // wanted
}

func (f *swingFamily) update(e *Engine) {
	for k := range f.source.fresh {
		w := &f.source.fresh[k]
		home, wanted := int8(-1), f.highs
		if !w.high {
			home, wanted = +1, f.lows
		}
		if !wanted {
			continue
		}
		// Many levels are swings: they are written where they stay.
		m := e.moment()
		id, x := e.book.place()
		age := x.age
		*x = record{}
		x.age, x.kind, x.home = age, w.kind(), home
		x.price, x.low, x.high = w.price, w.price, w.price
		x.born, x.bornAt = w.born, w.bornAt
		x.touches, x.touched, x.touchedAt = 1, w.born, w.bornAt
		e.book.enter(id, &m, true)
	}
}

func (f *swingFamily) lines(_ *Engine, dst []Level) []Level { return dst }
