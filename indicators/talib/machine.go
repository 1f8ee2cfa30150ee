package talib

import (
	"encoding/binary"
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/indicators/internal/spec"
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
	// bulker is a core that takes many bars at once, at most chunk, all finite.
	// The columns of dst are as long as those of in, and are none of them.
	bulker interface{ bulk(dst, in [][]float64) }
	// roomy is a trier that takes more bars than a chunk at once, as it needs no
	// columns in between.
	roomy interface {
		trier
		room() int
	}
	// skipper is a core that counts the bars it does not see.
	skipper interface{ skip() }
)

// maxColumns is the most inputs or outputs that a function has.
const maxColumns = 5

// chunk is how many bars are computed at once: few enough that the columns in
// between stay close to the processor.
const chunk = 1024

// A scratch is a column for values in between, made at its first use.
type scratch struct{ values []float64 }

func (s *scratch) of(n int) []float64 {
	if s.values == nil {
		s.values = make([]float64, chunk)
	}
	return s.values[:n]
}

// A work computes a function over whole columns.
type work struct {
	core    core
	bulk    bulker
	bulk1   bulker1
	try     trier
	skips   skipper
	step    int         // bars computed at once
	fresh   kernel.Tape // the state before the first bar
	params  []float64
	first   int                   // leading bars without value
	dst, in [maxColumns][]float64 // the chunk
	copies  [maxColumns]scratch   // of inputs that are outputs too
	bar     [maxColumns]float64
	row     [maxColumns]float64
}

func newWork(c core, params []float64, first int) *work {
	w := &work{core: c, params: params, first: first, step: chunk}
	w.bulk, _ = c.(bulker)
	w.bulk1, _ = c.(bulker1)
	w.try, _ = c.(trier)
	w.skips, _ = c.(skipper)
	if r, ok := c.(roomy); ok {
		w.step = r.room()
	}
	w.fresh.Save()
	c.visit(&w.fresh)
	return w
}

// run feeds whole columns to the core and leaves it fresh.
func (w *work) run(dst, in [][]float64) {
	n := len(dst[0])
	if w.first >= n {
		for _, column := range dst {
			fillNaN(column)
		}
		return
	}
	step := w.step
	if aliased(dst, in) {
		step = chunk
	}
	step = min(step, n)
	for start := 0; start < n; start += step {
		end := min(start+step, n)
		for k := range dst {
			w.dst[k] = dst[k][start:end]
		}
		for k := range in {
			w.in[k] = in[k][start:end]
		}
		if w.try != nil {
			w.separate(len(dst), len(in))
			if !w.try.try(w.dst[:len(dst)], w.in[:len(in)]) {
				w.slow(w.dst[:len(dst)], w.in[:len(in)])
			}
			continue
		}
		whole := w.bulk != nil || w.bulk1 != nil
		for _, column := range w.in[:len(in)] {
			whole = whole && kernel.AllFinite(column)
		}
		if !whole {
			w.slow(w.dst[:len(dst)], w.in[:len(in)])
			continue
		}
		w.separate(len(dst), len(in))
		if w.bulk1 != nil {
			w.bulk1.bulk1(w.dst[0], w.in[0])
			continue
		}
		w.bulk.bulk(w.dst[:len(dst)], w.in[:len(in)])
	}
	w.fresh.Load()
	w.core.visit(&w.fresh)
	w.dst, w.in = [maxColumns][]float64{}, [maxColumns][]float64{}
}

// aliased reports whether an input is an output too.
func aliased(dst, in [][]float64) bool {
	for _, column := range in {
		for _, out := range dst {
			if &column[0] == &out[0] {
				return true
			}
		}
	}
	return false
}

// separate copies the inputs that are outputs too.
func (w *work) separate(outputs, inputs int) {
	for k := range inputs {
		for _, out := range w.dst[:outputs] {
			if column := w.in[k]; &column[0] == &out[0] {
				own := w.copies[k].of(len(column))
				copy(own, column)
				w.in[k] = own
			}
		}
	}
}

// slow feeds columns to the core bar by bar. A bar is read before it is written:
// dst may be in.
func (w *work) slow(dst, in [][]float64) {
	n, skips := len(dst[0]), w.skips
	switch c := w.core.(type) {
	case core1:
		for i, x := range in[0][:n] {
			if x-x == 0 {
				dst[0][i] = c.next(x)
			} else {
				dst[0][i] = unknown(skips)
			}
		}
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
		x, y, z, v, out := in[0][:n], in[1][:n], in[2][:n], in[3][:n], dst[0]
		for i := range out {
			if kernel.Finite3(x[i], y[i], z[i]) && kernel.Finite(v[i]) {
				out[i] = c.next4(x[i], y[i], z[i], v[i])
			} else {
				out[i] = unknown(skips)
			}
		}
	case coreN:
		w.slowN(c, dst, in)
	}
}

func (w *work) slowN(c coreN, dst, in [][]float64) {
	values, results := w.bar[:len(in)], w.row[:len(dst)]
bars:
	for i := range dst[0] {
		for k := range values {
			values[k] = in[k][i]
		}
		for _, x := range values {
			if x-x != 0 {
				unknown(w.skips)
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

// bulk1 feeds finite values, at most chunk, to a core of one series; in is not out.
func bulk1(c core1, out, in []float64) {
	if b, ok := c.(bulker1); ok {
		b.bulk1(out, in)
		return
	}
	for i, x := range in[:len(out)] {
		out[i] = c.next(x)
	}
}

// bulker1 is bulker for one input and one output.
type bulker1 interface{ bulk1(out, in []float64) }

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
	of     uint64 // whose stream it is
	tape   kernel.Tape
	fresh  kernel.Tape // the state before the first bar
}

func newStream(name string, params []float64, c core, warmup int) *stream {
	s := &stream{core: c, warmup: warmup, of: spec.Identity(name, params)}
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
	switch {
	case s.one != nil:
		if x := in[0]; x-x == 0 {
			out[0] = s.one.next(x)
			return
		}
	case s.two != nil:
		if a, b := in[0], in[1]; (a-a)+(b-b) == 0 {
			out[0] = s.two.next2(a, b)
			return
		}
	case s.three != nil:
		if a, b, c := in[0], in[1], in[2]; kernel.Finite3(a, b, c) {
			out[0] = s.three.next3(a, b, c)
			return
		}
	case s.four != nil:
		if a, b, c, d := in[0], in[1], in[2], in[3]; kernel.Finite3(a, b, c) && kernel.Finite(d) {
			out[0] = s.four.next4(a, b, c, d)
			return
		}
	default:
		known := 0.0
		for _, x := range in {
			known += x - x
		}
		if known == 0 {
			s.many.nextN(in, out)
			return
		}
	}
	unknown(s.skips)
	fillNaN(out)
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
	data := binary.LittleEndian.AppendUint64(make([]byte, 0, 8+8*len(values)), s.of)
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return data
}

// Restore sets the state to what Snapshot returned. It refuses, and changes
// nothing, when data is of another function or of other parameters.
func (s *stream) Restore(data []byte) error {
	const allowed = "%d bytes, a snapshot of the same function with the same parameters"
	if want := 8 + 8*len(s.fresh.Values()); len(data) != want || binary.LittleEndian.Uint64(data) != s.of {
		return invalid.Fieldf("data", len(data), allowed, want)
	}
	data = data[8:]
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

func (l *late) bulk1(out, in []float64) {
	k := min(l.wait, len(in))
	fillNaN(out[:k])
	l.wait -= k
	if k < len(in) {
		bulk1(l.core1, out[k:], in[k:])
	}
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
type chain struct {
	a, b core1
	rest scratch
}

func (c *chain) next(x float64) float64 {
	if v := c.a.next(x); v == v {
		return c.b.next(v)
	}
	return math.NaN()
}

func (c *chain) bulk1(out, in []float64) {
	between := c.rest.of(len(out))
	bulk1(c.a, between, in)
	follow(c.b, out, between)
}

// follow feeds to c what another core gave, but for its NaNs: those at the
// start, and any that an overflow left.
func follow(c core1, out, in []float64) {
	first := known(in)
	fillNaN(out[:first])
	if rest := in[first:]; kernel.AllFinite(rest) {
		bulk1(c, out[first:], rest)
		return
	}
	for i, v := range in[first:] {
		if v == v {
			out[first+i] = c.next(v)
		} else {
			out[first+i] = math.NaN()
		}
	}
}

// known returns how many leading values are NaN.
func known(s []float64) int {
	for i, v := range s {
		if v == v {
			return i
		}
	}
	return len(s)
}

func (c *chain) visit(t *kernel.Tape) {
	c.a.visit(t)
	c.b.visit(t)
}
