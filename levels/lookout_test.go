package levels

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestALookoutEqualsASortedList(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	w := newLookout()
	var plain []float64
	most := 0
	for step := range 30_000 {
		grows := step/5000%2 == 0
		switch k := r.IntN(10); {
		case len(plain) == 0 || grows && k < 7 || k < 3:
			key := float64(r.IntN(400)) / 4
			w.add(watched{key: key, id: int32(step)})
			at, _ := slices.BinarySearchFunc(plain, key, func(x, y float64) int { return cmp.Or(cmp.Compare(x, y), -1) })
			plain = slices.Insert(plain, at, key)
		case k == 9 && step%50 == 0:
			bar := float64(r.IntN(100))
			w.sweep(func(x watched) bool { return x.key != bar })
			plain = slices.DeleteFunc(plain, func(x float64) bool { return x == bar })
		default:
			w.drop()
			plain = plain[:len(plain)-1]
		}
		require.Equal(t, len(plain), w.n)
		if len(plain) > 0 {
			require.Equal(t, plain[len(plain)-1], w.next().key)
			require.Equal(t, w.next().key, w.key)
		} else {
			require.Equal(t, math.Inf(-1), w.key)
		}
		most = max(most, len(w.blocks))
		if step%1000 == 0 {
			var all []float64
			for _, block := range w.blocks {
				require.NotEmpty(t, block)
				for _, x := range block {
					all = append(all, x.key)
				}
			}
			require.Equal(t, plain, all)
		}
	}
	assert.Greater(t, most, 2, "several blocks were in use")
}
