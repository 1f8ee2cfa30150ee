//go:build !race

package options

import (
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// drawTwoBoundaries is a put with a yield below a rate below 0.
func drawTwoBoundaries(r *rand.Rand) BSM {
	p := BSM{Strike: 100, Years: 0.05 + 4*r.Float64()*r.Float64(), Vol: 0.05 + 0.3*r.Float64(), Rate: -0.002 - 0.03*r.Float64()}
	p.Yield = p.Rate * (1.1 + 3*r.Float64())
	p.Spot = 100 * math.Exp(p.Vol*math.Sqrt(p.Years)*(4*r.Float64()-2.5))
	return p
}

func TestTwoBoundariesReachTheirAccuracy(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	want := []struct {
		a            Accuracy
		median, most float64
	}{{Accuracy1e4, 1e-5, 1e-4}, {Accuracy1e6, 1e-6, 1e-5}, {Accuracy1e8, 1e-8, 1e-8}}
	errs := make([][]float64, len(want))
	exercised, met := 0, 0
	for range 40 {
		p := drawTwoBoundaries(r)
		pair := newBoundaryPairFor(p, Accuracy1e10)
		require.NotNil(t, pair.upper, "%+v", p)
		best := pair.price(p.Spot)
		if pair.exercised(p.Spot) {
			exercised++
			require.Equal(t, 100-p.Spot, best)
		}
		if pair.until < p.Years {
			met++
		}
		require.GreaterOrEqual(t, best, p.price(Put))
		for i, w := range want {
			errs[i] = append(errs[i], math.Abs(p.American(Put, w.a)/best-1))
		}
	}
	require.Positive(t, exercised)
	require.Positive(t, met)
	for i, w := range want {
		slices.Sort(errs[i])
		n := len(errs[i])
		t.Logf("accuracy %d: median %.1e, largest %.1e", w.a, errs[i][n/2], errs[i][n-1])
		assert.LessOrEqual(t, errs[i][n/2], w.median, "accuracy %d", w.a)
		assert.LessOrEqual(t, errs[i][n-1], w.most, "accuracy %d", w.a)
	}
}

// From a day to ten years, volatilities from 3 to 120 %, rates of a hundredth of a
// point to ten points below zero and yields up to seven times that.
func TestTwoBoundariesOfAnyTermsReachTheirAccuracy(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	between := func(low, high float64) float64 { return low * math.Pow(high/low, r.Float64()) }
	met := 0
	for range 150 {
		p := BSM{Strike: 100, Years: between(0.003, 10), Rate: -between(1e-4, 0.1), Vol: between(0.03, 1.2)}
		p.Yield = p.Rate * (1 + between(0.01, 6))
		p.Spot = 100 * math.Exp(p.Vol*math.Sqrt(p.Years)*(4*r.Float64()-2))
		pair := newBoundaryPairFor(p, Accuracy1e10)
		require.NotNil(t, pair.upper, "%+v", p)
		if pair.until < p.Years {
			met++
		}
		assert.InEpsilon(t, pair.price(p.Spot), p.American(Put, Accuracy1e8), 1e-8, "%+v", p)
	}
	assert.Greater(t, met, 30)
}

// Finite differences know nothing of boundaries.
func TestTwoBoundariesAgreeWithFiniteDifferences(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	for i := range 8 {
		p := drawTwoBoundaries(r)
		coarse := gridValueOn(p, Put, nil, SpotModel, true, 300, 150)
		fine := gridValueOn(p, Put, nil, SpotModel, true, 600, 300)
		want := fine + (fine-coarse)/6 // the errors left fall by six or seven
		require.InEpsilon(t, want, p.American(Put, Accuracy1e8), 3e-5, "%d: %+v", i, p)
	}
}

// The boundaries are those of the limits: the strike and rate/yield of it at expiry,
// and nothing is exercised after they have met.
func TestTwoBoundariesKnowTheirLimits(t *testing.T) {
	p := BSM{Spot: 100, Strike: 100, Years: 1e-6, Rate: -0.01, Yield: -0.02, Vol: 0.2}
	pair := newBoundaryPairFor(p, Accuracy1e8)
	upper, lower := pair.upper.now(), pair.lower.limit*math.Exp(math.Sqrt(pair.lower.h[0]))
	assert.InDelta(t, 100, upper, 0.2)
	assert.Less(t, upper, 100.0)
	assert.InDelta(t, 50, lower, 0.02)
	assert.Greater(t, lower, 50.0)

	p.Spot = 70
	assert.Equal(t, 30.0, p.American(Put, Accuracy1e8), "between them the put is exercised")
	assert.True(t, p.AmericanGreeks(Put, Accuracy1e8).Exercise)
	p.Years = 30
	pair = newBoundaryPairFor(p, Accuracy1e8)
	assert.Less(t, pair.until, 30.0, "they have met")
	assert.False(t, pair.exercised(70))
	for _, spot := range []float64{20, 50, 70, 100, 180} {
		p.Spot = spot
		v := p.American(Put, Accuracy1e8)
		assert.Greater(t, v, max(100-spot, p.price(Put)))
		fine := gridValueOn(p, Put, nil, SpotModel, true, 600, 300)
		assert.InEpsilon(t, fine, v, 1e-5)
	}
}

func TestGreeksWithTwoBoundariesAreTheDerivatives(t *testing.T) {
	p := BSM{Spot: 104, Strike: 100, Years: 1, Rate: -0.01, Yield: -0.03, Vol: 0.2}
	for _, k := range []Kind{Put, Call} {
		q := p
		if k == Call { // the same option seen from the other side
			q.Spot, q.Strike, q.Rate, q.Yield = p.Strike, p.Spot, p.Yield, p.Rate
		}
		g := q.AmericanGreeks(k, Accuracy1e8)
		at := func(change func(*BSM, float64), h float64) float64 {
			up, down := q, q
			change(&up, h)
			change(&down, -h)
			return (up.American(k, Accuracy1e10) - down.American(k, Accuracy1e10)) / (2 * h)
		}
		assert.InEpsilon(t, at(func(m *BSM, h float64) { m.Spot += h }, 0.05), g.Delta, 1e-5)
		assert.InEpsilon(t, at(func(m *BSM, h float64) { m.Vol += h }, 1e-3), g.Vega, 1e-4)
		assert.InEpsilon(t, -at(func(m *BSM, h float64) { m.Years += h }, 1e-2), g.Theta, 1e-2)
		assert.True(t, math.IsNaN(g.Boundary), "there are two")
		vol, err := q.AmericanImpliedVol(k, g.Price, Accuracy1e8)
		require.NoError(t, err)
		assert.InDelta(t, 0.2, vol, 1e-8)
	}
	assert.InEpsilon(t, p.American(Put, 0), BSM{Spot: 100, Strike: 104, Years: 1, Rate: -0.03, Yield: -0.01, Vol: 0.2}.American(Call, 0), 1e-14)
}
