package talib

import "github.com/ttai-go/ttai/indicators/internal/spec"

// call computes the function of that name, NaN throughout where its arguments
// are impossible.
func call(name string, dst, in [][]float64, params ...float64) [][]float64 {
	d := byName()[name]
	if settings := len(d.Params) - len(params); settings > 0 {
		params = append(params, make([]float64, settings)...)
	}
	out, err := d.Batch(dst, in, params)
	if err != nil {
		for i := range dst {
			dst[i] = spec.Resize(dst[i], len(in[0]))
			fillNaN(dst[i])
		}
		return dst
	}
	return out
}

func call1(name string, dst []float64, in [][]float64, params ...float64) []float64 {
	return call(name, [][]float64{dst}, in, params...)[0]
}
