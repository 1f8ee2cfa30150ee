package options_test

import (
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/options"
)

// Every shape, at any strikes, multiple and multiplier, with its legs in any order,
// shares among them, is recognized as what it was built as.
func TestBuildAndRecognizeAreInverse(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for _, shape := range options.Shapes() {
		for range 40 {
			strikes := make([]float64, shape.Strikes)
			for i := range strikes {
				strikes[i] = math.Round(20*(50+20*float64(i)+15*r.Float64())) / 20
			}
			quantity := []float64{1, 2, 3, 7, 10, 25, 0.5, 13, 150}[r.Intn(9)]
			s, err := options.Build(shape.Name, quantity, strikes, []float64{0.1, 0.5}[:shape.Expiries])
			require.NoError(t, err)
			require.NotEmpty(t, s.Name, shape.Name)
			lot := []float64{0, 100, 10, 1}[r.Intn(4)]
			for i := range s.Legs {
				if !s.Legs[i].Shares() {
					s.Legs[i].Multiplier = lot
				} else if lot > 0 {
					s.Legs[i].Quantity *= lot / 100
				}
			}
			r.Shuffle(len(s.Legs), func(i, j int) { s.Legs[i], s.Legs[j] = s.Legs[j], s.Legs[i] })
			name, ok := options.Recognize(s.Legs)
			require.True(t, ok, "%s at %v", shape.Name, strikes)
			require.Equal(t, s.Name, name, "%s at %v", shape.Name, strikes)
		}
	}
}

// Probabilities of profit and of touch, and the mean profit, against 40,000 paths of
// the same model; between two times of a path a Brownian bridge says whether it
// touched.
func TestProbabilitiesAgreeWithSimulatedPaths(t *testing.T) {
	skipUnderRace(t)
	r := rand.New(rand.NewSource(9))
	c := options.Conditions{Spot: 100, Rate: 0.05, Yield: 0.02, Vol: 0.35}
	const years, paths, steps = 0.3, 40_000, 24
	s, err := options.Build("iron condor", 1, []float64{80, 90, 112, 120}, []float64{years})
	require.NoError(t, err)
	s, err = s.Priced(c)
	require.NoError(t, err)
	a, err := s.Analyze(c, nil)
	require.NoError(t, err)
	p, err := s.Payoff()
	require.NoError(t, err)
	require.Len(t, a.Touches, 4)
	const dt = years / steps
	touched, either, won, mean := make([]float64, 4), 0.0, 0.0, 0.0
	for range paths {
		x, hit := math.Log(c.Spot), [4]bool{}
		for range steps {
			next := x + (c.Rate-c.Yield-0.5*c.Vol*c.Vol)*dt + c.Vol*math.Sqrt(dt)*r.NormFloat64()
			luck := r.Float64()
			for i, touch := range a.Touches {
				from, to := x-math.Log(touch.Price), next-math.Log(touch.Price)
				hit[i] = hit[i] || from*to <= 0 || luck < math.Exp(-2*from*to/(c.Vol*c.Vol*dt))
			}
			x = next
		}
		for i := range hit {
			if hit[i] {
				touched[i]++
			}
		}
		if hit[0] || hit[3] {
			either++
		}
		profit := p.At(math.Exp(x))
		mean += profit
		if profit > 0 {
			won++
		}
	}
	const noise = 4 * 0.5 / 200 // four deviations of a share of 40,000
	for i, touch := range a.Touches {
		assert.InDelta(t, touched[i]/paths, touch.Prob, noise, "touch of %.2f", touch.Price)
	}
	assert.InDelta(t, won/paths, a.ProbProfit, noise)
	assert.InDelta(t, mean/paths, a.Expected, 4*600/200)
	model := options.BSM{Spot: c.Spot, Years: years, Rate: c.Rate, Yield: c.Yield, Vol: c.Vol}
	assert.InDelta(t, either/paths, model.ProbTouchEither(a.Touches[0].Price, a.Touches[3].Price), noise)
}
