package exact_test

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/ttai-go/ttai/storage/internal/exact"
)

// The best ten of 100,000 vectors of 768 dimensions, beside one plain product of
// gonum on one processor.
func BenchmarkBest(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const dims, n = 768, 100_000
	m := exact.New[int](dims, n)
	data, v := make([]float32, 0, n*dims), make([]float32, dims)
	for i := range n {
		for k := range v {
			v[k] = r.Float32() - 0.5
		}
		m.Set(i, v)
		data = append(data, v...)
	}
	b.Run("best", func(b *testing.B) {
		for b.Loop() {
			m.Best(v, 10, nil)
		}
	})
	b.Run("gonum", func(b *testing.B) {
		out := make([]float32, n)
		for b.Loop() {
			blas32.Gemv(blas.NoTrans, 1, blas32.General{Rows: n, Cols: dims, Stride: dims, Data: data}, blas32.Vector{N: dims, Inc: 1, Data: v}, 0, blas32.Vector{N: n, Inc: 1, Data: out})
		}
	})
}
