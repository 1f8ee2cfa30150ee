package options

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheTableOfTheNormalDistributionIsExactToItsPromise(t *testing.T) {
	table := normalValues()
	var value, pdf float64
	for i := range 200_001 {
		z := -10 + 20*float64(i)/200_000
		wantValue, wantPDF := cdfDensity(z)
		gotValue, gotPDF := table.at(z)
		value, pdf = max(value, math.Abs(gotValue-wantValue)), max(pdf, math.Abs(gotPDF-wantPDF))
	}
	t.Logf("largest errors: %.1e of the value, %.1e of the density", value, pdf)
	assert.Less(t, value, 5e-14)
	assert.Less(t, pdf, 1e-6)
	least := 0.0
	for i := range 13_001 {
		z := float64(i) / 1000
		least = max(least, math.Abs(table.tail(z)/cdf(-z)-1))
	}
	assert.Less(t, least, 1e-7, "relative, of the tail")
	assert.Zero(t, table.tail(15))
	for z, want := range map[float64]float64{math.Inf(1): 1, math.Inf(-1): 0} {
		got, _ := table.at(z)
		assert.Equal(t, want, got)
	}
}

func BenchmarkNormal(b *testing.B) {
	table := normalValues()
	b.Run("table", func(b *testing.B) {
		s := 0.0
		for i := 0; b.Loop(); i++ {
			v, f := table.at(float64(i&1023)*(1.0/256) - 2)
			s += v + f
		}
		_ = s
	})
	b.Run("exact", func(b *testing.B) {
		s := 0.0
		for i := 0; b.Loop(); i++ {
			v, f := cdfDensity(float64(i&1023)*(1.0/256) - 2)
			s += v + f
		}
		_ = s
	})
}
