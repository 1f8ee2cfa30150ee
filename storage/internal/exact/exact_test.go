package exact_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ttai-go/ttai/storage/internal/exact"
)

func vector(r *rand.Rand, dims int) []float32 {
	v := make([]float32, dims)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

func TestTheBestAreThoseOfTheDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const dims, n = 96, 5000
	m := exact.New[int](dims, 0)
	vectors := make([][]float32, n)
	for i := range vectors {
		m.Set(i, vector(r, dims)) // replaced below
		vectors[i] = vector(r, dims)
		m.Set(i, vectors[i])
	}
	assert.Equal(t, n, m.Len())
	assert.GreaterOrEqual(t, m.Bytes(), int64(4*dims*n))
	asked := vector(r, dims)
	even := func(i int) bool { return i%2 == 0 }
	for _, selects := range []func(int) bool{nil, even} {
		var want []int
		for i := range vectors {
			if selects == nil || selects(i) {
				want = append(want, i)
			}
		}
		slices.SortFunc(want, func(a, b int) int {
			return cmp.Compare(exact.Cosine(vectors[b], asked), exact.Cosine(vectors[a], asked))
		})
		got := m.Best(asked, 20, selects)
		assert.Subset(t, got, want[:20])
		assert.Less(t, len(got), 25)
	}
}

func TestWhatCannotBeToldApartIsReturnedToo(t *testing.T) {
	m := exact.New[string](2, 3)
	for _, key := range []string{"a", "b", "c"} {
		m.Set(key, []float32{3, 4})
	}
	m.Set("far", []float32{-3, -4})
	assert.ElementsMatch(t, []string{"a", "b", "c"}, m.Best([]float32{6, 8}, 1, nil))
	assert.Empty(t, m.Best([]float32{6, 8}, 0, nil))
	assert.Empty(t, m.Best([]float32{6, 8}, 5, func(string) bool { return false }))
	assert.Empty(t, exact.New[string](2, 0).Best([]float32{1, 0}, 5, nil))
}

func TestCosineIsThatOfTheAngle(t *testing.T) {
	assert.InDelta(t, math.Sqrt2/2, exact.Cosine([]float32{2, 0}, []float32{3, 3}), 1e-15)
	assert.InDelta(t, -1, exact.Cosine([]float32{1, 2}, []float32{-2, -4}), 1e-15)
}
