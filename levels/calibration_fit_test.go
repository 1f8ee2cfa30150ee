package levels

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Sets of touches.
const (
	setFit  = iota // symbols of group A before the split
	setPick        // A after it, and B before it: what is kept is chosen by these
	setTest        // B after it: other symbols in other years
	sets
)

// An observed is a touch, as the fit sees it.
type observed struct {
	kind                             Kind
	set                              int
	span                             barSpan
	block                            int64
	width                            float64 // of the band, in average true ranges
	hit                              float64
	side, touches, age, broken, more float64 // what might help
}

// A baseFit is the coefficients of a random band by the length of bars: constant,
// width, width squared, and side, which rises and falls with the drift of the market.
type baseFit [3][4]float64

// offset is the log odds of a random band, with or without what its side says.
func (x *observed) offset(base *baseFit, sided bool) float64 {
	b, w := &base[x.span], min(x.width, widest)
	sum := b[0] + b[1]*w + b[2]*w*w
	if sided {
		sum += b[3] * x.side
	}
	return sum
}

// A grouped is random levels of one side and about one width.
type grouped struct {
	n, hits, width float64
	side           int8
}

// fitRandom fits the log odds of a reaction as a quadratic of the width and the
// side, by Newton's method for the likelihood with a little ridge on the slopes.
func fitRandom(groups []grouped) (b [4]float64) {
	for range 50 {
		var m [4][5]float64 // the Hessian, and the gradient beside it
		for k := 1; k < 4; k++ {
			m[k][4] -= 10 * b[k]
			m[k][k] += 10
		}
		m[0][0] += 1e-9
		for _, x := range groups {
			w := min(x.width/x.n, widest)
			f := [4]float64{1, w, w * w, float64(x.side)}
			p := 0.0
			for i := range 4 {
				p += b[i] * f[i]
			}
			p = logistic(p)
			for i := range 4 {
				m[i][4] += (x.hits - x.n*p) * f[i]
				for j := range 4 {
					m[i][j] += x.n * p * (1 - p) * f[i] * f[j]
				}
			}
		}
		// Gauss and Jordan; the matrix is positive definite.
		for i := range 4 {
			for k := range 4 {
				if k == i {
					continue
				}
				r := m[k][i] / m[i][i]
				for j := range 5 {
					m[k][j] -= r * m[i][j]
				}
			}
		}
		for i := range 4 {
			b[i] += m[i][4] / m[i][i]
		}
	}
	return b
}

// fitSlope fits c in logit p = offset + c·x with a normal prior of the given
// standard deviation.
func fitSlope(offsets, x, hits []float64, deviation float64) float64 {
	c := 0.0
	for range 50 {
		g, h := -c/(deviation*deviation), 1/(deviation*deviation)
		for i := range x {
			p := logistic(offsets[i] + c*x[i])
			g += (hits[i] - p) * x[i]
			h += p * (1 - p) * x[i] * x[i]
		}
		c += g / h
	}
	return c
}

// gain is how much smaller the mean squared error of b is than that of a, as a
// share of a's, with the percentiles of resampled blocks at both tails.
func gain(blocks []int64, a, b []float64, tail float64) (value, low, high float64) {
	sums := map[int64]*[2]float64{}
	var keys []int64
	for i, k := range blocks {
		if sums[k] == nil {
			sums[k] = &[2]float64{}
			keys = append(keys, k)
		}
		sums[k][0] += a[i]
		sums[k][1] += b[i]
	}
	slices.Sort(keys)
	return resample(keys, func(k int64) []float64 { return sums[k][:] }, func(s []float64) float64 { return 1 - s[1]/s[0] }, tail)
}

// resample gives a figure of sums over blocks with its percentiles at both tails.
func resample(keys []int64, sums func(int64) []float64, figure func([]float64) float64, tail float64) (value, low, high float64) {
	if len(keys) < 5 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	width := len(sums(keys[0]))
	total := make([]float64, width)
	for _, k := range keys {
		for i, v := range sums(k) {
			total[i] += v
		}
	}
	value = figure(total)
	r := rand.New(rand.NewPCG(1, 2))
	var values []float64
	for range 4000 {
		clear(total)
		for range keys {
			for i, v := range sums(keys[r.IntN(len(keys))]) {
				total[i] += v
			}
		}
		if v := figure(total); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) < 400 {
		return value, math.NaN(), math.NaN()
	}
	slices.Sort(values)
	k := int(tail * float64(len(values)))
	return value, values[k], values[len(values)-1-k]
}
