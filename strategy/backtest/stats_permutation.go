package backtest

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// PermutationOptions set a permutation test. The zero value works.
type PermutationOptions struct {
	Permutations int // default 1,000
	Seed         uint64
	Workers      int // 0: one for each processor. They do not change the result.
}

func (o *PermutationOptions) complete() error {
	if o.Permutations == 0 {
		o.Permutations = 1000
	}
	if o.Permutations < 1 || o.Permutations > 1_000_000 {
		return invalid.Field("Permutations", o.Permutations, "1 to 1,000,000")
	}
	return nil
}

// A PermutationResult says how often chance does as well.
type PermutationResult struct {
	Statistic float64 `json:"statistic"` // of what was tested
	// PValue is (1 + permutations that are no worse) / (1 + permutations): never 0,
	// since what was tested is one of the ways in which it could have come (Phipson and Smyth 2010).
	PValue float64 `json:"p_value"`
	// Mean and Deviation are those of the statistic when there is nothing to find.
	Mean         float64 `json:"mean"`
	Deviation    float64 `json:"deviation"`
	Permutations int     `json:"permutations"`
}

func permutationResult(statistic float64, null []float64) PermutationResult {
	noWorse := 0
	// Sums in another order differ by rounding, which goes by what is summed: where
	// it cancels out the statistic itself is small.
	scale := math.Abs(statistic)
	for _, v := range null {
		if size := math.Abs(v); size > scale && !math.IsInf(v, 0) {
			scale = size
		}
	}
	tested := statistic - 1e-12*scale
	for _, v := range null {
		// A permutation that cannot be measured is no evidence for the strategy.
		if !(v < tested) {
			noWorse++
		}
	}
	return PermutationResult{
		Statistic: statistic, PValue: float64(1+noWorse) / float64(1+len(null)), Permutations: len(null),
		Mean: mean(null), Deviation: deviation(null, 1),
	}
}

// SignTest tests whether the mean of returns is above zero: under the null each
// return could as well have had the other sign. It assumes that returns are
// independent and symmetric when there is nothing to find.
func SignTest(ctx context.Context, returns []float64, opts *PermutationOptions) (PermutationResult, error) {
	o, err := permutationOptions(opts)
	if err != nil {
		return PermutationResult{}, err
	}
	if len(returns) == 0 {
		return PermutationResult{}, invalid.Field("returns", 0, "at least one return")
	}
	null := make([]float64, o.Permutations)
	err = spread(ctx, o.Workers, o.Permutations, func() func(int) {
		return func(i int) {
			r := rand.New(rand.NewPCG(o.Seed, uint64(i)))
			var sum float64
			var bits uint64
			for k, v := range returns {
				if k%64 == 0 {
					bits = r.Uint64()
				}
				if bits&1 == 1 {
					v = -v
				}
				bits >>= 1
				sum += v
			}
			null[i] = sum / float64(len(returns))
		}
	})
	if err != nil {
		return PermutationResult{}, err
	}
	return permutationResult(mean(returns), null), nil
}

// TimingTest tests whether positions were held at the right times: under the null
// the same positions in another order would have earned as much. Positions[t] is
// what was held, in shares of the account and signed, over the market's return
// returns[t]. Runs of equal positions stay together, so that a strategy that trades
// seldom is compared with others that trade seldom.
func TimingTest(ctx context.Context, positions, returns []float64, opts *PermutationOptions) (PermutationResult, error) {
	o, err := permutationOptions(opts)
	if err != nil {
		return PermutationResult{}, err
	}
	if len(positions) != len(returns) || len(returns) < 2 {
		return PermutationResult{}, invalid.Fieldf("positions", len(positions), "as many as returns, %d, and at least two", len(returns))
	}
	type run struct {
		position float64
		length   int
	}
	var runs []run
	var statistic float64
	for t, p := range positions {
		statistic += p * returns[t]
		if len(runs) > 0 && runs[len(runs)-1].position == p {
			runs[len(runs)-1].length++
		} else {
			runs = append(runs, run{p, 1})
		}
	}
	null := make([]float64, o.Permutations)
	err = spread(ctx, o.Workers, o.Permutations, func() func(int) {
		order := make([]run, len(runs))
		return func(i int) {
			r := rand.New(rand.NewPCG(o.Seed, uint64(i)))
			copy(order, runs)
			r.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
			// The whole is turned as well, so that few long runs have many orders.
			t := r.IntN(len(returns))
			var sum float64
			for _, x := range order {
				for range x.length {
					sum += x.position * returns[t]
					if t++; t == len(returns) {
						t = 0
					}
				}
			}
			null[i] = sum
		}
	})
	if err != nil {
		return PermutationResult{}, err
	}
	return permutationResult(statistic, null), nil
}

// MarketTest runs a whole strategy, or the whole search for the best one, on the
// bars and on permuted ones, whose returns are the same in another order, so that
// there is nothing to find in them (Masters 2018, "Permutation and Randomization
// Tests for Trading System Development"). Run must be safe for concurrent use;
// its number is NaN when it could not be had.
//
// The error is a *[FieldError], or that of ctx or of run on the bars themselves.
func MarketTest(ctx context.Context, bars []market.Bar, run func(ctx context.Context, bars []market.Bar) (float64, error), opts *PermutationOptions) (PermutationResult, error) {
	o, err := permutationOptions(opts)
	if err != nil {
		return PermutationResult{}, err
	}
	if len(bars) < 3 {
		return PermutationResult{}, invalid.Field("bars", len(bars), "at least three")
	}
	statistic, err := run(ctx, bars)
	if err != nil {
		return PermutationResult{}, err
	}
	null := make([]float64, o.Permutations)
	err = spread(ctx, o.Workers, o.Permutations, func() func(int) {
		return func(i int) {
			v, err := run(ctx, PermuteBars(bars, o.Seed, uint64(i)))
			if err != nil {
				v = math.NaN()
			}
			null[i] = v
		}
	})
	if err != nil {
		return PermutationResult{}, err
	}
	return permutationResult(statistic, null), nil
}

func permutationOptions(opts *PermutationOptions) (PermutationOptions, error) {
	var o PermutationOptions
	if opts != nil {
		o = *opts
	}
	return o, o.complete()
}

// PermuteBars returns bars of another history that could as well have been: the
// jumps from close to open in one random order, what happens between open and
// close in another. The first bar, the times, and the last close stay. Prices must
// be positive; a bar that has none ends what is permuted.
func PermuteBars(bars []market.Bar, seed, number uint64) []market.Bar {
	out := append([]market.Bar(nil), bars...)
	n := 1
	for n < len(bars) && bars[n].Open > 0 && bars[n].High > 0 && bars[n].Low > 0 && bars[n].Close > 0 {
		n++
	}
	if n < 3 || !(bars[0].Close > 0) {
		return out
	}
	r := rand.New(rand.NewPCG(seed, number))
	gaps, within := r.Perm(n-1), r.Perm(n-1)
	level := math.Log(bars[0].Close)
	for i := 1; i < n; i++ {
		from, inside := bars[gaps[i-1]+1], bars[within[i-1]+1]
		open := level + math.Log(from.Open/bars[gaps[i-1]].Close)
		base := open - math.Log(inside.Open)
		level = base + math.Log(inside.Close)
		out[i].Open, out[i].High = math.Exp(open), math.Exp(base+math.Log(inside.High))
		out[i].Low, out[i].Close = math.Exp(base+math.Log(inside.Low)), math.Exp(level)
		out[i].Volume = inside.Volume
	}
	return out
}
