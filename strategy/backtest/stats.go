package backtest

import "math"

// mean is the arithmetic mean; NaN for no values.
func mean(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// variance is the mean squared deviation with n-ddof below the line; NaN when
// that is not positive.
func variance(x []float64, ddof int) float64 {
	if len(x) <= ddof {
		return math.NaN()
	}
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(x)-ddof)
}

func deviation(x []float64, ddof int) float64 { return math.Sqrt(variance(x, ddof)) }

// covariance has n-1 below the line.
func covariance(x, y []float64) float64 {
	if len(x) < 2 || len(x) != len(y) {
		return math.NaN()
	}
	mx, my, sum := mean(x), mean(y), 0.0
	for i := range x {
		sum += (x[i] - mx) * (y[i] - my)
	}
	return sum / float64(len(x)-1)
}

// centralMoment is the mean of (x-mean)^k.
func centralMoment(x []float64, k int) float64 {
	m, sum := mean(x), 0.0
	for _, v := range x {
		p := v - m
		d := p
		for range k - 1 {
			p *= d
		}
		sum += p
	}
	return sum / float64(len(x))
}

// varies tells whether values with a mean and a deviation differ by more than the
// rounding of their sum: equal ones such as 0.1 seem to differ by 1e-17.
func varies(mean, deviation float64) bool { return deviation > 1e-10*math.Abs(mean) }

// Skewness is the third standardised moment of a population, m3/m2^1.5: 0 for
// what is symmetric. NaN when the values do not vary.
func Skewness(x []float64) float64 {
	m2 := centralMoment(x, 2)
	if !varies(mean(x), math.Sqrt(m2)) {
		return math.NaN()
	}
	return centralMoment(x, 3) / math.Pow(m2, 1.5)
}

// Kurtosis is the fourth standardised moment of a population, m4/m2²: 3 for the
// normal distribution. NaN when the values do not vary.
func Kurtosis(x []float64) float64 {
	m2 := centralMoment(x, 2)
	if !varies(mean(x), math.Sqrt(m2)) {
		return math.NaN()
	}
	return centralMoment(x, 4) / (m2 * m2)
}

// sampleSkewness and sampleKurtosis are the estimators G1 and G2 without bias for
// normal samples; the kurtosis is the excess over 3.
func sampleSkewness(x []float64) float64 {
	n := float64(len(x))
	if n < 3 {
		return math.NaN()
	}
	return Skewness(x) * math.Sqrt(n*(n-1)) / (n - 2)
}

func sampleKurtosis(x []float64) float64 {
	n := float64(len(x))
	if n < 4 {
		return math.NaN()
	}
	return (n - 1) / ((n - 2) * (n - 3)) * ((n+1)*(Kurtosis(x)-3) + 6)
}

// normalCDF is the distribution function of the standard normal.
func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// normalQuantile is its inverse: -Inf at 0, +Inf at 1, NaN outside.
func normalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }

// returnsIn are the relative changes of a curve, in room that is long enough; NaN
// where the value before is not positive.
func returnsIn(room, equity []float64) []float64 {
	if len(equity) < 2 {
		return nil
	}
	out := room[:len(equity)-1]
	for i := range out {
		if !(equity[i] > 0) {
			out[i] = math.NaN()
			continue
		}
		out[i] = equity[i+1]/equity[i] - 1
	}
	return out
}

// Sharpe is the mean of returns in excess of rate over their deviation (n-1 below
// the line), per period: not annualised. NaN with fewer than two returns or when
// they do not vary.
func Sharpe(returns []float64, rate float64) float64 {
	m, d := mean(returns), deviation(returns, 1)
	if !varies(m, d) {
		return math.NaN()
	}
	return (m - rate) / d
}
