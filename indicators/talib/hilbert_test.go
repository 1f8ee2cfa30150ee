package talib

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

func TestThePeriodOfACotangentIsTheArctangents(t *testing.T) {
	table := periods()
	for u := 0.5; u < 8; u += 0.0007 {
		want := 2 * math.Pi / math.Atan(1/u)
		require.InEpsilon(t, want, table.of(u), 1e-12, "cotangent %v", u)
	}
	// Beyond the table a period is only known to be outside of 6 to 50 bars.
	for _, u := range []float64{0.4999, 0, math.Copysign(0, -1), -1, -50, math.Inf(-1)} {
		require.Less(t, table.of(u), 6.0, "cotangent %v", u)
	}
	for _, u := range []float64{8, 9, 1e300, math.Inf(1)} {
		require.Greater(t, table.of(u), 50.0, "cotangent %v", u)
	}
}

func TestClampKeepsNumbersBetweenBounds(t *testing.T) {
	for _, x := range []float64{-60, math.Copysign(0, -1), 0, 5.9, 6, 7, 33, 50, 51, math.Inf(1), math.Inf(-1)} {
		require.Equal(t, min(max(x, 6), 50), clamp(x, 6, 50), "%v", x)
	}
}

func TestSinesOfSmallAngles(t *testing.T) {
	for x := 0.0; x <= 1.1; x += 0.0003 {
		sine, cosine := sincos(x)
		s, c := math.Sincos(x)
		require.InDelta(t, s, sine, 3e-16, "angle %v", x)
		require.InDelta(t, c, cosine, 3e-16, "angle %v", x)
	}
}

// TestSinesNeedNoAngle holds the sines that come from a phasor against those of
// its angle, in all four quadrants.
func TestSinesNeedNoAngle(t *testing.T) {
	c := newCycle(0)
	for turn := 0.01; turn < 2*math.Pi; turn += 0.07 {
		for period := 6.0; period <= 50; period += 1.7 {
			real, imag := 12*math.Sin(turn), 12*math.Cos(turn)
			sine, lead, ok := sinesOf(real, imag, period)
			require.True(t, ok)
			c.turn(real, imag, period)
			slowSine, slowLead := c.slowSines()
			require.InDelta(t, slowSine, sine, 1e-14)
			require.InDelta(t, slowLead, lead, 1e-14)
		}
	}
	for _, phasor := range [][3]float64{{1, 0, 20}, {0, 0, 20}, {1, 1, 3}, {1e200, 1e200, 20}, {1e-200, 1e-200, 20}} {
		_, _, ok := sinesOf(phasor[0], phasor[1], phasor[2])
		require.False(t, ok, "%v", phasor)
	}
}

// TestACyclePassesPricesBeyondAllMeasure: what overflows must not stay.
func TestACyclePassesPricesBeyondAllMeasure(t *testing.T) {
	for _, name := range []string{"HT_DCPERIOD", "HT_PHASOR", "HT_DCPHASE", "HT_SINE", "HT_TRENDLINE", "HT_TRENDMODE", "MAMA"} {
		d, ok := Lookup(name)
		require.True(t, ok)
		in := make([]float64, 400)
		for i := range in {
			in[i] = 100 + 5*math.Sin(float64(i)/4) + 3*math.Sin(float64(i)/9)
		}
		for i := 100; i < 104; i++ {
			in[i] = math.Copysign(1e308, float64(i%2)-0.5)
		}
		out, err := d.Batch(nil, [][]float64{in}, nil)
		require.NoError(t, err)
		for _, column := range out {
			require.True(t, kernel.AllFinite(column[380:]), name)
		}
		if name == "HT_DCPERIOD" {
			require.Greater(t, out[0][399], 6.0)
			require.Less(t, out[0][399], 50.0)
			require.NotEqual(t, out[0][398], out[0][399], "the period goes on")
		}
	}
}
