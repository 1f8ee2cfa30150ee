package options

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Values computed with 60 digits.
func TestMillsKeepsItsDigitsEverywhere(t *testing.T) {
	for _, row := range [][3]float64{
		{0, 1.2533141373155002512, 1.0},
		{0.1, 1.1592623996187363238, 0.88407376003812636118},
		{0.5, 0.87636445645369234673, 0.56181777177315382664},
		{1, 0.65567954241879847154, 0.34432045758120152846},
		{1.4142135623730951, 0.53589654087999173555, 0.24212784385868787525},
		{2, 0.42136922928805447322, 0.15726154142389105355},
		{3.3, 0.28064139055552327834, 0.073883411166773231333},
		{5, 0.19280810471531576488, 0.035959476423421175613},
		{8, 0.12313196325793229628, 0.014944293936541629743},
		{12.5, 0.079497529161117212313, 0.0062808854860348460854},
		{20, 0.049875925981836783658, 0.0024814803632643268352},
		{37, 0.027007327965128336063, 0.00072886529025156565508},
		{100, 0.0099990002998501049056, 0.000099970014989509439618},
		{12345.678, 0.000081000006110559425134, 6.5610009468639313507e-9},
		{1e9, 9.99999999999999999e-10, 9.99999999999999997e-19},
		{1e20, 1.0e-20, 1.0e-40},
	} {
		assert.InEpsilon(t, row[1], mills(row[0]), 5e-16, "M(%v)", row[0])
		// -M' is the second integral: the slope over a tiny step.
		if row[0] < 60 {
			d, _, _ := millsDifference(row[0], 1e-9)
			assert.InEpsilon(t, row[2], d/1e-9, 1e-15, "M'(%v)", row[0])
		}
	}
	require.True(t, math.IsNaN(mills(math.NaN())))
	require.Zero(t, mills(math.Inf(1)))
}

// Where cells of the table meet, both sides give the same.
func TestMillsHasNoSteps(t *testing.T) {
	for cell := 1; cell < len(millsTable)-2; cell++ { // small differences are asked for h < 61
		z := math.Ldexp(1+float64(cell%64)/64, cell/64) - 2
		assert.InEpsilon(t, mills(math.Nextafter(z, -1)), mills(z), 1e-15, "M near %v", z)
		d0, _, _ := millsDifference(math.Nextafter(z, -1), 1e-5)
		d1, _, _ := millsDifference(z, 1e-5)
		assert.InEpsilon(t, d0, d1, 4e-15, "slope near %v", z)
	}
}

// The tail of the normal distribution to its last representable value
// (60 digits), and the standard library's in the middle.
func TestNormalDistribution(t *testing.T) {
	assert.InEpsilon(t, 4.6053530095819548e-308, cdf(-37.5), 1e-14)
	assert.InEpsilon(t, 7.619853024160526e-24, cdf(-10), 1e-15)
	for z := -5.0; z <= 5; z += 0.37 {
		assert.InEpsilon(t, 0.5*math.Erfc(-z/math.Sqrt2), cdf(z), 1e-14, "Φ(%v)", z)
	}
	assert.Equal(t, []float64{0, 1}, []float64{cdf(math.Inf(-1)), cdf(math.Inf(1))})
	assert.InDelta(t, 0.5, cdf(0), 2e-16)
}

// The ways to evaluate the difference of Mills' ratios agree where either may
// be taken: at half a cell's width, and well past the inflection.
func TestBlackHasNoStepWhereItsMethodsMeet(t *testing.T) {
	for h := 0.01; h < 38; h += 0.13 {
		_, exponent := math.Frexp(h + 2)
		s := math.Ldexp(1, exponent-1) / 128
		d0, _, _ := millsDifference(h, s*(1-1e-15))
		d1, _, _ := millsDifference(h, s*(1+1e-15))
		assert.InEpsilon(t, d0, d1, 4e-15, "h=%v", h)
	}
	for s := 2.1; s < 8; s += 0.1 {
		x := s * (0.5*s - 1)
		_, value0, rest0, _, _, _ := black(x*(1-1e-14), s)
		_, value1, rest1, _, _, _ := black(x*(1+1e-14), s)
		assert.InEpsilon(t, value0, value1, 2e-13, "s=%v", s)
		assert.InEpsilon(t, rest0, rest1, 2e-13, "s=%v", s)
	}
}
