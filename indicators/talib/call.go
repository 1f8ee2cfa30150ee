package talib

import (
	"sync"

	"github.com/ttai-go/ttai/indicators/internal/spec"
)

// maxParams is the most parameters that a function has, with the settings.
const maxParams = 10

// An entry is a function of the table with a pool of arguments, so that a call
// allocates nothing but results.
type entry struct {
	spec.Indicator
	spare *sync.Pool
}

type arguments struct {
	dst, in [maxColumns][]float64
	params  [maxParams]float64
}

// call computes the function of that name in place of dst, NaN throughout where
// its arguments are impossible.
func call(name string, dst, in [][]float64, params ...float64) {
	d := byName()[name]
	a := d.spare.Get().(*arguments)
	a.params = [maxParams]float64{}
	copy(a.params[:], params)
	n := len(in[0])
	copy(a.in[:], in)
	for i := range dst {
		a.dst[i] = spec.Resize(dst[i], n)
	}
	if !d.possible(a, len(dst), len(in)) {
		for _, column := range a.dst[:len(dst)] {
			fillNaN(column)
		}
	}
	copy(dst, a.dst[:])
	a.dst, a.in = [maxColumns][]float64{}, [maxColumns][]float64{}
	d.spare.Put(a)
}

// possible computes the function, unless its arguments are impossible.
func (e entry) possible(a *arguments, outputs, inputs int) bool {
	_, err := e.Batch(a.dst[:outputs], a.in[:inputs], a.params[:len(e.Params)])
	return err == nil
}

func call1(name string, dst []float64, in [][]float64, params ...float64) []float64 {
	out := [1][]float64{dst}
	call(name, out[:], in, params...)
	return out[0]
}
