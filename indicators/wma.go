package indicators

import (
	"sync"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// WMA writes the linearly weighted moving average of x into dst and returns
// it: the last of n values weighs n times as much as the first,
//
//	WMA(t) = (1·x(t-n+1) + … + n·x(t)) / (n(n+1)/2)
//
// The first n-1 values are NaN.
func WMA(dst, x []float64, n int) []float64 {
	return single(wmaIndicator(), dst, [][]float64{x}, float64(n))
}

// WMAStream is [WMA] one value at a time. It is not safe for concurrent use; make
// it with [NewWMA].
type WMAStream struct{ machine }

// NewWMA returns a stream of [WMA], or a *[FieldError] for a parameter that is
// out of range.
func NewWMA(n int) (*WMAStream, error) {
	m, err := open(wmaIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &WMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *WMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *WMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var wmaIndicator = once(func() Indicator {
	d := describe(Indicator{Name: "WMA", Summary: "Linearly weighted moving average.",
		Inputs: closes(), Params: periods(20, 1), Outputs: overlay("WMA")},
		first(-1), func(b *bank, p []float64) step {
			w := b.ramp(int(p[0]))
			return func(in, out []float64) { out[0] = w.push(in[0]) }
		})
	var idle sync.Pool // of *ramps
	d.Run = func(dst, in [][]float64, p []float64) {
		r, _ := idle.Get().(*ramps)
		if r == nil || r.Len() != int(p[0]) {
			r = &ramps{Weighted: kernel.NewWeighted(int(p[0]))}
		}
		r.over(dst[0], in[0])
		r.Reset()
		idle.Put(r)
	}
	return d
})

// ramps computes whole columns.
type ramps struct {
	kernel.Weighted
	copied [onStack]float64 // of the input, where it is the output too
}

func (r *ramps) over(out, in []float64) {
	if len(in) == 0 || &out[0] != &in[0] {
		r.Each(out, in)
		return
	}
	for len(in) > 0 {
		k := copy(r.copied[:], in)
		r.Each(out[:k], r.copied[:k])
		in, out = in[k:], out[k:]
	}
}
