package backtest

import (
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
)

// eulerMascheroni is the limit of the harmonic numbers less their logarithm.
const eulerMascheroni = 0.57721566490153286060651209008240243

// SharpeSample is what is known of the Sharpe ratio of a series of returns: the
// ratio per period (not annualised), how many returns it was taken of, and the
// shape of their distribution.
type SharpeSample struct {
	Sharpe   float64
	N        int
	Skewness float64 // 0 for the normal distribution
	Kurtosis float64 // 3 for the normal distribution
}

// SampleSharpe takes the sample of returns.
func SampleSharpe(returns []float64) SharpeSample {
	return SharpeSample{Sharpe: Sharpe(returns, 0), N: len(returns), Skewness: Skewness(returns), Kurtosis: Kurtosis(returns)}
}

// StandardError is the deviation of the estimate of the ratio for returns of any
// shape (Mertens 2002; Bailey and López de Prado 2012, eq. 5):
//
//	√((1 - γ3·SR + (γ4-1)/4·SR²) / (n-1))
//
// NaN when there are fewer than two returns or the shape is impossible.
func (s SharpeSample) StandardError() float64 {
	if s.N < 2 {
		return math.NaN()
	}
	return math.Sqrt((1 - s.Skewness*s.Sharpe + (s.Kurtosis-1)/4*s.Sharpe*s.Sharpe) / float64(s.N-1))
}

// Probabilistic is the probability that the true ratio is above benchmark, a ratio
// per period (Bailey and López de Prado 2012, "The Sharpe Ratio Efficient
// Frontier"): Φ((SR - SR*) / standard error).
func (s SharpeSample) Probabilistic(benchmark float64) float64 {
	return normalCDF((s.Sharpe - benchmark) / s.StandardError())
}

// MinTrackRecord is how many returns of this shape are needed to say with
// confidence (0.95) that the ratio is above benchmark (same paper, eq. 11). +Inf
// when the ratio is not above it.
func (s SharpeSample) MinTrackRecord(benchmark, confidence float64) float64 {
	if !(s.Sharpe > benchmark) {
		return math.Inf(1)
	}
	z := normalQuantile(confidence) / (s.Sharpe - benchmark)
	return 1 + (1-s.Skewness*s.Sharpe+(s.Kurtosis-1)/4*s.Sharpe*s.Sharpe)*z*z
}

// ExpectedMaxSharpe is about what the best of so many independent trials without
// any skill shows, when the ratios of trials vary by deviation around 0 (Bailey and
// López de Prado 2014, "The Deflated Sharpe Ratio", eq. 1):
//
//	σ·((1-γ)·Φ⁻¹(1-1/N) + γ·Φ⁻¹(1-1/(N·e)))
//
// It is 0 for a single trial, no less for a little more than one, for which the
// formula, made for many, is negative, and NaN for fewer than one.
func ExpectedMaxSharpe(trials, deviation float64) float64 {
	switch {
	case !(trials >= 1) || !(deviation >= 0):
		return math.NaN()
	case trials == 1:
		return 0
	}
	return deviation * max(0, (1-eulerMascheroni)*normalQuantile(1-1/trials)+eulerMascheroni*normalQuantile(1-1/(trials*math.E)))
}

// Deflated is the probability that the true ratio is above zero when the sample is
// the best of so many independent trials whose ratios per period vary by deviation:
// the probabilistic ratio against [ExpectedMaxSharpe] (Bailey and López de Prado
// 2014).
func (s SharpeSample) Deflated(trials, deviation float64) float64 {
	return s.Probabilistic(ExpectedMaxSharpe(trials, deviation))
}

// MinBacktestYears is how many years of data are needed so that the best of so many
// independent trials without any skill is not expected to show an annual Sharpe
// ratio above target (Bailey, Borwein, López de Prado and Zhu 2014,
// "Pseudo-Mathematics and Financial Charlatanism", theorem 1).
func MinBacktestYears(trials, target float64) float64 {
	x := ExpectedMaxSharpe(trials, 1) / target
	return x * x
}

// EffectiveTrials is the number of independent trials that so many correlated ones
// amount to: ρ + (1-ρ)·N for a mean correlation ρ between their returns (Bailey and
// López de Prado 2014, appendix A.3), with ρ no less than 0. Each row of returns is
// a trial; rows without variation count as one trial together.
func EffectiveTrials(returns [][]float64) (float64, error) {
	if len(returns) == 0 {
		return 0, nil
	}
	n := len(returns[0])
	// The mean of all correlations needs no loop over pairs: the square of the sum of
	// standardised series has each of them in it.
	sum, varying := make([]float64, n), 0
	for i, row := range returns {
		if len(row) != n {
			return 0, invalid.Fieldf("returns", len(row), "as many returns in trial %d as in the first, %d", i, n)
		}
		m, d := mean(row), math.Sqrt(variance(row, 0))
		if !varies(m, d) {
			continue
		}
		varying++
		for t, r := range row {
			sum[t] += (r - m) / d
		}
	}
	trials := float64(varying)
	if varying < len(returns) {
		trials++
	}
	if varying < 2 {
		return trials, nil
	}
	var square float64
	for _, s := range sum {
		square += s * s
	}
	v := float64(varying)
	rho := (square/float64(n) - v) / (v * (v - 1))
	rho = min(max(rho, 0), 1)
	return rho + (1-rho)*trials, nil
}
