package indicators

import (
	"slices"
	"sync"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/indicators/internal/spec"
)

// A step takes one bar, one finite value for each input, and writes one value
// for each output. It keeps its state in the bank it was built with, nowhere
// else.
type step func(in, out []float64)

// A bank holds the whole state of an indicator, so that it can be saved,
// restored and tried out (Peek) without knowing what it means.
type bank struct {
	floats [][]float64
	ints   [][]int
}

// take returns n zeros of the bank.
func (b *bank) take(n int) []float64 {
	c := make([]float64, n)
	b.floats = append(b.floats, c)
	return c
}

// counters returns n zeros of the bank.
func (b *bank) counters(n int) []int {
	c := make([]int, n)
	b.ints = append(b.ints, c)
	return c
}

// cells returns n values of the bank that start unknown.
func (b *bank) cells(n int) []float64 { return fillNaN(b.take(n)) }

// copyTo copies the state to a bank of the same shape.
func (b *bank) copyTo(to *bank) {
	for i := range b.floats {
		copy(to.floats[i], b.floats[i])
	}
	for i := range b.ints {
		copy(to.ints[i], b.ints[i])
	}
}

func (b *bank) clone() *bank {
	c := &bank{}
	for _, f := range b.floats {
		c.floats = append(c.floats, slices.Clone(f))
	}
	for _, n := range b.ints {
		c.ints = append(c.ints, slices.Clone(n))
	}
	return c
}

// A machine runs a step over a bank: the stream of every indicator that is
// described by [describe].
type machine struct {
	build  func(*bank, []float64) step
	params []float64
	of     uint64 // whose stream it is
	state  *bank
	spare  *bank // for Peek, made at its first use
	step   step
	warmup int
	in     []float64 // for the typed streams: a bar
	out    []float64 // and its values
}

func newMachine(name string, build func(*bank, []float64) step, params []float64, warmup int) machine {
	m := machine{build: build, params: slices.Clone(params), of: spec.Identity(name, params), warmup: warmup}
	m.Reset()
	return m
}

// Update takes the next bar, one value for each input, and writes one value
// for each output.
func (m *machine) Update(in, out []float64) {
	for _, v := range in {
		if !kernel.Finite(v) {
			fillNaN(out)
			return
		}
	}
	m.step(in, out)
}

// Peek writes what Update would, and leaves the stream as it is.
func (m *machine) Peek(in, out []float64) {
	if m.spare == nil {
		m.spare = m.state.clone()
	} else {
		m.state.copyTo(m.spare)
	}
	m.Update(in, out)
	m.spare.copyTo(m.state)
}

// Reset forgets every bar.
func (m *machine) Reset() {
	m.state, m.spare = &bank{}, nil
	m.step = m.build(m.state, m.params)
}

// Warmup returns how many leading bars leave some output NaN.
func (m *machine) Warmup() int { return m.warmup }

// describe completes an entry of the registry whose values come from the step
// that build makes; warmup says how many leading bars leave an output NaN.
func describe(d Indicator, warmup func(p []float64) int, build func(b *bank, p []float64) step) Indicator {
	d.Open = func(p []float64) Stream {
		m := newMachine(d.Name, build, p, warmup(p))
		return &m
	}
	var idle sync.Pool // of *prepared
	d.Run = func(dst, in [][]float64, p []float64) {
		r, _ := idle.Get().(*prepared)
		if r == nil || !slices.Equal(r.params, p) {
			r = &prepared{params: slices.Clone(p), state: &bank{}, row: make([]float64, len(in)), out: make([]float64, len(dst))}
			r.step = build(r.state, r.params)
			r.fresh = r.state.clone()
		}
		r.over(dst, in)
		r.fresh.copyTo(r.state)
		idle.Put(r)
	}
	return d
}

// prepared is what a run needs besides its columns. An entry of the registry
// pools them, so that repeating a run allocates nothing.
type prepared struct {
	params       []float64
	state, fresh *bank
	step         step
	row, out     []float64
}

func (r *prepared) over(dst, in [][]float64) {
	row, out := r.row, r.out
	switch {
	case len(in) == 1 && len(dst) == 1:
		result := dst[0]
		for i, x := range in[0][:len(result)] {
			if kernel.Finite(x) {
				row[0] = x
				r.step(row, out)
				result[i] = out[0]
			} else {
				result[i] = nan()
			}
		}
		return
	case len(in) == 3 && len(dst) == 1:
		result := dst[0]
		x, y, z := in[0][:len(result)], in[1][:len(result)], in[2][:len(result)]
		for i := range result {
			if kernel.Finite3(x[i], y[i], z[i]) {
				row[0], row[1], row[2] = x[i], y[i], z[i]
				r.step(row, out)
				result[i] = out[0]
			} else {
				result[i] = nan()
			}
		}
		return
	}
	for i := range in[0] {
		sum := 0.0
		for k := range in {
			row[k] = in[k][i]
			sum += row[k] - row[k]
		}
		if sum == 0 {
			r.step(row, out)
		} else {
			fillNaN(out)
		}
		for k := range dst {
			dst[k][i] = out[k]
		}
	}
}

// single is batch for one output.
func single(d Indicator, dst []float64, in [][]float64, p ...float64) []float64 {
	c := [1][]float64{dst}
	batch(d, c[:], in, p...)
	return c[0]
}

// maxColumns is the most inputs, outputs or parameters that an entry has here.
const maxColumns = 16

// arguments are those of a call, out of the caller's hands: what the caller
// made for it need not outlive it.
type arguments struct {
	dst, in [maxColumns][]float64
	params  [maxColumns]float64
}

// spare pools arguments, so that a call allocates nothing. It holds no result
// and no column: both are cleared before arguments go back.
var spare = sync.Pool{New: func() any { return new(arguments) }}

// batch computes d over columns; what the entry refuses is NaN throughout.
func batch(d Indicator, dst, in [][]float64, p ...float64) {
	a := spare.Get().(*arguments)
	n, same := len(in[0]), true
	for k := range in {
		a.in[k] = in[k]
		same = same && len(in[k]) == n
	}
	for k := range dst {
		a.dst[k] = resize(dst[k], n)
	}
	copy(a.params[:], p)
	full, err := d.Parameters(a.params[:len(p)])
	if err == nil && same && n > 0 {
		d.Run(a.dst[:len(dst)], a.in[:len(in)], full)
	} else {
		for _, column := range a.dst[:len(dst)] {
			fillNaN(column)
		}
	}
	copy(dst, a.dst[:])
	clear(a.dst[:])
	clear(a.in[:])
	spare.Put(a)
}

// open returns the machine of d, or what the entry refuses.
func open(d Indicator, p ...float64) (machine, error) {
	full, err := d.Parameters(p)
	if err != nil {
		return machine{}, err
	}
	m := *d.Open(full).(*machine)
	m.in, m.out = make([]float64, len(d.Inputs)), make([]float64, len(d.Outputs))
	return m, nil
}
