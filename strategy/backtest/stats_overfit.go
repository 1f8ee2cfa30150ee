package backtest

import (
	"context"
	"math"
	"math/bits"
	"sort"

	"github.com/ttai-go/ttai/internal/invalid"
)

// OverfitResult is how likely the best trial of a search is no better than the
// median one on data that it was not chosen by.
type OverfitResult struct {
	// Probability of backtest overfitting: the share of divisions of time in which
	// the best trial of one half is at or below the median in the other. 0.5 and
	// more: choosing by the past was worth nothing.
	Probability float64 `json:"probability"`
	// Loss is the share of divisions in which it lost in the other half.
	Loss float64 `json:"loss"`
	// Slope of the other half's statistic on that of the half it was chosen by:
	// negative, the better it looked the worse it became.
	Slope    float64   `json:"slope"`
	Logits   []float64 `json:"-"` // of the relative rank in the other half, one for each division
	Splits   int       `json:"splits"`
	Trials   int       `json:"trials"`
	Observed int       `json:"observations"`
}

// ProbabilityOfOverfitting divides time into so many parts (even, 16 when 0),
// chooses the best trial by every half of them and looks where it stands in the
// other half: combinatorially symmetric cross-validation (Bailey, Borwein, López de
// Prado and Zhu 2017, "The Probability of Backtest Overfitting"). Returns has a row
// for each trial, with equally many returns over the same periods. The statistic is
// the Sharpe ratio.
//
// The error is a *[FieldError], or that of ctx.
func ProbabilityOfOverfitting(ctx context.Context, returns [][]float64, parts int) (OverfitResult, error) {
	if parts == 0 {
		parts = 16
	}
	if len(returns) < 2 {
		return OverfitResult{}, invalid.Field("returns", len(returns), "at least two trials")
	}
	n := len(returns[0])
	for i, row := range returns {
		if len(row) != n {
			return OverfitResult{}, invalid.Fieldf("returns", len(row), "as many returns in trial %d as in the first, %d", i, n)
		}
	}
	if parts < 2 || parts > 20 || parts%2 != 0 || n < 2*parts {
		return OverfitResult{}, invalid.Fieldf("parts", parts, "an even number from 2 to 20, with at least two returns in each part (%d returns)", n)
	}
	// Sums and squares of each part are enough for the ratio of any set of them.
	size := n / parts
	type sums struct{ x, xx float64 }
	part := make([][]sums, len(returns))
	for i, row := range returns {
		part[i] = make([]sums, parts)
		for p := range parts {
			for _, r := range row[p*size : (p+1)*size] {
				part[i][p].x += r
				part[i][p].xx += r * r
			}
		}
	}
	count := float64(size * parts / 2)
	ratio := func(trial int, mask uint) float64 {
		var s sums
		for p := range parts {
			if mask>>p&1 == 1 {
				s.x += part[trial][p].x
				s.xx += part[trial][p].xx
			}
		}
		m := s.x / count
		v := (s.xx - count*m*m) / (count - 1)
		if !(v > 1e-10*m*m) { // what is left of a difference of equal squares
			return 0
		}
		return m / math.Sqrt(v)
	}
	out := OverfitResult{Trials: len(returns), Observed: size * parts}
	var in, after []float64
	other := make([]float64, len(returns))
	all := uint(1)<<parts - 1
	for mask := uint(0); mask <= all; mask++ {
		if bits.OnesCount(mask) != parts/2 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return OverfitResult{}, err
		}
		best, highest := 0, math.Inf(-1)
		for i := range returns {
			if r := ratio(i, mask); r > highest {
				best, highest = i, r
			}
			other[i] = ratio(i, all&^mask)
		}
		mine := other[best]
		below, equal := 0, 0
		for _, r := range other {
			switch {
			case r < mine:
				below++
			case r == mine:
				equal++
			}
		}
		// The rank from 1 to the number of trials, shared among equals.
		rank := float64(below) + float64(equal+1)/2
		omega := rank / float64(len(returns)+1)
		logit := math.Log(omega / (1 - omega))
		out.Logits = append(out.Logits, logit)
		if logit <= 0 {
			out.Probability++
		}
		if mine < 0 {
			out.Loss++
		}
		in, after = append(in, highest), append(after, mine)
	}
	out.Splits = len(out.Logits)
	out.Probability /= float64(out.Splits)
	out.Loss /= float64(out.Splits)
	out.Slope = covariance(in, after) / variance(in, 1)
	sort.Float64s(out.Logits)
	return out, nil
}
