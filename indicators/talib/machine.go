package talib

import (
	"encoding/binary"
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/internal/invalid"
)

// A core is the state of one function. It has exactly one of the methods next
// below, by the number of its inputs and outputs, and takes finite values only.
type core interface{ visit(t *kernel.Tape) }

type (
	core1 interface {
		core
		next(x float64) float64
	}
	core2 interface {
		core
		next2(a, b float64) float64
	}
	core3 interface {
		core
		next3(a, b, c float64) float64
	}
	core4 interface {
		core
		next4(a, b, c, d float64) float64
	}
	coreN interface {
		core
		nextN(in, out []float64)
	}
	// Some that have nextN have this too, which is faster over columns.
	core13 interface {
		coreN
		next13(x float64) (a, b, c float64)
	}
	core32 interface {
		coreN
		next32(x, y, z float64) (a, b float64)
	}
	// wholesaler is a core1 that takes many finite values at once.
	wholesaler interface{ nexts(out, in []float64) }
	// skipper is a core that counts the bars it does not see.
	skipper interface{ skip() }
)

// maxColumns is the most inputs or outputs that a function has.
const maxColumns = 5

// run feeds whole columns to a fresh core. A bar is read before it is written:
// dst may be in.
func run(c core, dst, in [][]float64) {
	n := len(dst[0])
	skips, _ := c.(skipper)
	switch c := c.(type) {
	case core1:
		run1(c, skips, dst[0], in[0])
	case core2:
		x, y, out := in[0][:n], in[1][:n], dst[0]
		for i := range out {
			if a, b := x[i], y[i]; (a-a)+(b-b) == 0 {
				out[i] = c.next2(a, b)
			} else {
				out[i] = unknown(skips)
			}
		}
	case core3:
		x, y, z, out := in[0][:n], in[1][:n], in[2][:n], dst[0]
		for i := range out {
			if kernel.Finite3(x[i], y[i], z[i]) {
				out[i] = c.next3(x[i], y[i], z[i])
			} else {
				out[i] = unknown(skips)
			}
		}
	case core4:
		x, y, z, w, out := in[0][:n], in[1][:n], in[2][:n], in[3][:n], dst[0]
		for i := range out {
			if kernel.Finite3(x[i], y[i], z[i]) && kernel.Finite(w[i]) {
				out[i] = c.next4(x[i], y[i], z[i], w[i])
			} else {
				out[i] = unknown(skips)
			}
		}
	case core13:
		x, a, b, d := in[0][:n], dst[0][:n], dst[1][:n], dst[2][:n]
		for i := range a {
			if v := x[i]; v-v == 0 {
				a[i], b[i], d[i] = c.next13(v)
			} else {
				a[i], b[i], d[i] = math.NaN(), math.NaN(), math.NaN()
			}
		}
	case core32:
		x, y, z, a, b := in[0][:n], in[1][:n], in[2][:n], dst[0][:n], dst[1][:n]
		for i := range a {
			if kernel.Finite3(x[i], y[i], z[i]) {
				a[i], b[i] = c.next32(x[i], y[i], z[i])
			} else {
				a[i], b[i] = math.NaN(), math.NaN()
			}
		}
	case coreN:
		runN(c, skips, dst, in)
	}
}

func runN(c coreN, skips skipper, dst, in [][]float64) {
	var bar, row [maxColumns]float64
	values, results := bar[:len(in)], row[:len(dst)]
bars:
	for i := range dst[0] {
		for k := range values {
			values[k] = in[k][i]
		}
		for _, x := range values {
			if x-x != 0 {
				unknown(skips)
				for k := range dst {
					dst[k][i] = math.NaN()
				}
				continue bars
			}
		}
		c.nextN(values, results)
		for k := range dst {
			dst[k][i] = results[k]
		}
	}
}

func run1(c core1, skips skipper, out, in []float64) {
	if w, ok := c.(wholesaler); ok && allFinite(in) {
		w.nexts(out, in)
		return
	}
	for i, x := range in[:len(out)] {
		if x-x == 0 {
			out[i] = c.next(x)
		} else {
			out[i] = unknown(skips)
		}
	}
}

func allFinite(in []float64) bool {
	sum := 0.0
	for _, x := range in {
		sum += x - x
	}
	return sum == 0
}

func unknown(s skipper) float64 {
	if s != nil {
		s.skip()
	}
	return math.NaN()
}

// A stream is a function one bar at a time.
type stream struct {
	core  core
	skips skipper
	// The core again, as the one of these that it is.
	one    core1
	two    core2
	three  core3
	four   core4
	many   coreN
	warmup int
	tape   kernel.Tape
	fresh  kernel.Tape // the state before the first bar
}

func newStream(c core, warmup int) *stream {
	s := &stream{core: c, warmup: warmup}
	s.skips, _ = c.(skipper)
	switch c := c.(type) {
	case core1:
		s.one = c
	case core2:
		s.two = c
	case core3:
		s.three = c
	case core4:
		s.four = c
	case coreN:
		s.many = c
	}
	s.fresh.Save()
	c.visit(&s.fresh)
	return s
}

// Update takes the next bar.
func (s *stream) Update(in, out []float64) {
	for _, x := range in {
		if x-x != 0 {
			unknown(s.skips)
			fillNaN(out)
			return
		}
	}
	switch {
	case s.one != nil:
		out[0] = s.one.next(in[0])
	case s.two != nil:
		out[0] = s.two.next2(in[0], in[1])
	case s.three != nil:
		out[0] = s.three.next3(in[0], in[1], in[2])
	case s.four != nil:
		out[0] = s.four.next4(in[0], in[1], in[2], in[3])
	default:
		s.many.nextN(in, out)
	}
}

// Peek writes what Update would, and leaves the stream as it is. It takes time
// in proportion to the function's periods.
func (s *stream) Peek(in, out []float64) {
	s.tape.Save()
	s.core.visit(&s.tape)
	s.Update(in, out)
	s.tape.Load()
	s.core.visit(&s.tape)
}

// Reset forgets every bar.
func (s *stream) Reset() {
	s.fresh.Load()
	s.core.visit(&s.fresh)
}

// Warmup returns how many leading bars leave the outputs NaN.
func (s *stream) Warmup() int { return s.warmup }

// Snapshot returns the state, for Restore of a stream of the same function and
// parameters.
func (s *stream) Snapshot() []byte {
	s.tape.Save()
	s.core.visit(&s.tape)
	values := s.tape.Values()
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return data
}

// Restore sets the state to what Snapshot returned. It refuses, and changes
// nothing, when data is of another length than this stream's state.
func (s *stream) Restore(data []byte) error {
	if want := 8 * len(s.fresh.Values()); len(data) != want {
		return invalid.Fieldf("data", len(data), "%d bytes, a snapshot of the same function with the same parameters", want)
	}
	values := make([]float64, len(data)/8)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	s.tape.SetValues(values)
	s.tape.Load()
	s.core.visit(&s.tape)
	return nil
}

// stateless is the visit of a core that remembers nothing.
type stateless struct{}

func (stateless) visit(*kernel.Tape) {}

// late keeps the first bars from a core.
type late struct {
	core1
	wait int
}

func (l *late) next(x float64) float64 {
	if l.wait > 0 {
		l.wait--
		return math.NaN()
	}
	return l.core1.next(x)
}

func (l *late) visit(t *kernel.Tape) {
	t.Int(&l.wait)
	l.core1.visit(t)
}

func delayed(c core1, bars int) core1 {
	if bars <= 0 {
		return c
	}
	return &late{c, bars}
}

// chain feeds a's values to b once there are any.
type chain struct{ a, b core1 }

func (c *chain) next(x float64) float64 {
	if v := c.a.next(x); v == v {
		return c.b.next(v)
	}
	return math.NaN()
}

func (c *chain) nexts(out, in []float64) {
	run1(c.a, nil, out, in)
	first := 0
	for first < len(out) && math.IsNaN(out[first]) {
		first++
	}
	if rest := out[first:]; allFinite(rest) {
		run1(c.b, nil, rest, rest)
		return
	}
	for i, v := range out[first:] {
		if v == v {
			out[first+i] = c.b.next(v)
		}
	}
}

func (c *chain) visit(t *kernel.Tape) {
	c.a.visit(t)
	c.b.visit(t)
}
