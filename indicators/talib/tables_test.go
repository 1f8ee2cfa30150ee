package talib_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/talib"
)

// TestTablesAgreeWithPackageMath holds the functions that are computed from
// tables against package math's, whose error is below one unit in the last place.
func TestTablesAgreeWithPackageMath(t *testing.T) {
	var x []float64
	for i := range 40_000 {
		v := (float64(i) - 20_000) * 0.00137
		x = append(x, v, v*25, v*1700, v*1e-9)
	}
	for k := -40; k <= 40; k++ {
		v := float64(k) * math.Pi / 4
		x = append(x, v, math.Nextafter(v, 1e9), math.Nextafter(v, -1e9))
	}
	x = append(x, 0, math.Copysign(0, -1), 1e5, -1e5, 1e15, 5e-324, 699.9, 700, 709.7, 710, -699.9, -700, -745, -746)
	for name, f := range map[string]struct {
		got  []float64
		want func(float64) float64
	}{
		"SIN": {talib.SIN(nil, x), math.Sin}, "COS": {talib.COS(nil, x), math.Cos},
		"TAN": {talib.TAN(nil, x), math.Tan}, "EXP": {talib.EXP(nil, x), math.Exp},
	} {
		for i, v := range x {
			want, got := f.want(v), f.got[i]
			if got == want {
				continue
			}
			unit := math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want)
			units := 4.0
			if size := math.Abs(want); math.Abs(v) > 1 && (size < 1e-9 || size > 1e9) && name != "EXP" {
				units = 100 // package math loses some near the multiples of π/2
			}
			require.LessOrEqual(t, math.Abs(got-want), units*unit, "%s of %v: %v, by package math %v", name, v, got, want)
		}
	}
	// To the last digit where package math is not: glibc's values.
	require.InEpsilon(t, 1.2246467991473533e-15, -talib.SIN(nil, []float64{31.41592653589793})[0], 4e-16)
	for name, at0 := range map[string]float64{"SIN": 0, "COS": 1, "TAN": 0, "EXP": 1} {
		d, _ := talib.Lookup(name)
		out, err := d.Batch(nil, [][]float64{{0}}, nil)
		require.NoError(t, err)
		require.Equal(t, at0, out[0][0], name)
	}
}
