package backtest_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// normals are n draws with a mean.
func normals(seed uint64, n int, mean float64) []float64 {
	r := rand.New(rand.NewPCG(seed, 99))
	out := make([]float64, n)
	for i := range out {
		out[i] = mean + r.NormFloat64()
	}
	return out
}

// Bailey and López de Prado 2012, "The Sharpe Ratio Efficient Frontier": a fund with
// 24 monthly returns, mean 3.6 %, deviation 7.9 %, skewness -2.448, kurtosis 10.164.
func TestProbabilisticSharpeOfThePapersHedgeFund(t *testing.T) {
	sharpe := 0.458
	normal := backtest.SharpeSample{Sharpe: sharpe, N: 24, Kurtosis: 3}
	assert.InDelta(t, 0.982, normal.Probabilistic(0), 5e-4, "if its returns were normal")
	real := backtest.SharpeSample{Sharpe: sharpe, N: 24, Skewness: -2.448, Kurtosis: 10.164}
	assert.InDelta(t, 0.913, real.Probabilistic(0), 5e-4)
}

// The same paper: a track record of 2.73 years of daily normal returns is needed to
// say with 95 % that an annual ratio of 2 is above 1.
func TestMinTrackRecordOfThePaper(t *testing.T) {
	daily := backtest.SharpeSample{Sharpe: 2 / math.Sqrt(252), N: 1000, Kurtosis: 3}
	assert.InDelta(t, 2.73, daily.MinTrackRecord(1/math.Sqrt(252), 0.95)/252, 5e-3)
	weekly := backtest.SharpeSample{Sharpe: 2 / math.Sqrt(52), N: 1000, Kurtosis: 3}
	assert.InDelta(t, 2.83, weekly.MinTrackRecord(1/math.Sqrt(52), 0.95)/52, 5e-3)
	monthly := backtest.SharpeSample{Sharpe: 2 / math.Sqrt(12), N: 1000, Kurtosis: 3}
	assert.InDelta(t, 3.24, monthly.MinTrackRecord(1/math.Sqrt(12), 0.95)/12, 5e-3)
	assert.True(t, math.IsInf(daily.MinTrackRecord(3, 0.95), 1), "no record proves what is not so")
}

// Bailey and López de Prado 2014, "The Deflated Sharpe Ratio", numerical example:
// 1,250 daily returns, annual ratio 2.5, the best of 100 trials whose annual ratios
// have variance 1/2, skewness -3, kurtosis 10: the best by chance is 0.1132 a day
// and the deflated ratio 0.9004; with 46 trials it would be 0.9505.
func TestDeflatedSharpeOfThePaper(t *testing.T) {
	s := backtest.SharpeSample{Sharpe: 2.5 / math.Sqrt(250), N: 1250, Skewness: -3, Kurtosis: 10}
	deviation := math.Sqrt(0.5 / 250)
	assert.InDelta(t, 0.1132, backtest.ExpectedMaxSharpe(100, deviation), 5e-5)
	assert.InDelta(t, 0.9004, s.Deflated(100, deviation), 5e-5)
	assert.InDelta(t, 0.9505, s.Deflated(46, deviation), 5e-5)
	assert.Equal(t, s.Probabilistic(0), s.Deflated(1, deviation), "a single trial needs no deflating")
}

// Bailey, Borwein, López de Prado and Zhu 2014: with five years of data, no more
// than 45 independent settings.
func TestMinBacktestYearsOfThePaper(t *testing.T) {
	assert.LessOrEqual(t, backtest.MinBacktestYears(45, 1), 5.0)
	assert.Greater(t, backtest.MinBacktestYears(46, 1), 5.0)
}

func TestExpectedMaxSharpeIsThatOfDraws(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, trials := range []int{10, 100, 1000} {
		var sum float64
		const repeats = 2000
		for range repeats {
			highest := math.Inf(-1)
			for range trials {
				highest = max(highest, r.NormFloat64())
			}
			sum += highest
		}
		assert.InEpsilon(t, sum/repeats, backtest.ExpectedMaxSharpe(float64(trials), 1), 0.03, "%d trials", trials)
	}
	assert.Zero(t, backtest.ExpectedMaxSharpe(1, 1))
	assert.True(t, math.IsNaN(backtest.ExpectedMaxSharpe(0, 1)))
}

func TestEffectiveTrialsCountWhatDiffers(t *testing.T) {
	base := normals(1, 2000, 0)
	same := [][]float64{base, base, base, base}
	n, err := backtest.EffectiveTrials(same)
	require.NoError(t, err)
	assert.InDelta(t, 1, n, 1e-9, "four times the same trial is one")
	var apart [][]float64
	for i := range 20 {
		apart = append(apart, normals(uint64(i+2), 2000, 0))
	}
	n, err = backtest.EffectiveTrials(apart)
	require.NoError(t, err)
	assert.InDelta(t, 20, n, 0.5)
	_, err = backtest.EffectiveTrials([][]float64{{1, 2}, {1}})
	assert.ErrorContains(t, err, "returns")
}

func TestMomentsOfKnownSamples(t *testing.T) {
	assert.InDelta(t, 0, backtest.Skewness([]float64{-2, -1, 0, 1, 2}), 1e-15)
	assert.InDelta(t, 1.7, backtest.Kurtosis([]float64{-2, -1, 0, 1, 2}), 1e-12, "m4/m2² = 6.8/4")
	// 0,0,0,1: m2 = 3/16, m3 = 3/32, so 2/√3.
	assert.InDelta(t, 2/math.Sqrt(3), backtest.Skewness([]float64{0, 0, 0, 1}), 1e-12)
	assert.True(t, math.IsNaN(backtest.Skewness([]float64{1, 1})))
}

func TestBootstrapIntervalsCoverTheTruthAsOftenAsTheySay(t *testing.T) {
	for _, test := range []struct {
		name   string
		memory float64
		method backtest.Resampling
		low    float64
	}{
		{"independent returns", 0, backtest.Independent, 0.90},
		{"independent returns, blocks", 0, backtest.Stationary, 0.89},
		{"returns with memory, stationary", 0.5, backtest.Stationary, 0.86},
		{"returns with memory, circular", 0.5, backtest.Circular, 0.86},
		{"returns with memory, moving", 0.5, backtest.Moving, 0.86},
	} {
		t.Run(test.name, func(t *testing.T) {
			covered := 0
			const repeats = 300
			for k := range repeats {
				x := normals(uint64(1000+k), 400, 0)
				for i := 1; i < len(x); i++ {
					x[i] += test.memory * x[i-1]
				}
				interval, err := backtest.Bootstrap(t.Context(), x, average, &backtest.BootstrapOptions{Method: test.method, Samples: 300, Seed: uint64(k)})
				require.NoError(t, err)
				require.LessOrEqual(t, interval.Low, interval.High)
				if interval.Low <= 0 && interval.High >= 0 {
					covered++
				}
			}
			share := float64(covered) / repeats
			assert.GreaterOrEqual(t, share, test.low, "of intervals of 95 %%")
			assert.LessOrEqual(t, share, 0.99)
		})
	}
}

func TestWithoutBlocksMemoryIsForgottenAndIntervalsAreTooNarrow(t *testing.T) {
	x := normals(5, 3000, 0)
	for i := 1; i < len(x); i++ {
		x[i] += 0.8 * x[i-1]
	}
	alone, err := backtest.Bootstrap(t.Context(), x, average, &backtest.BootstrapOptions{Method: backtest.Independent, Samples: 500})
	require.NoError(t, err)
	blocks, err := backtest.Bootstrap(t.Context(), x, average, &backtest.BootstrapOptions{Samples: 500})
	require.NoError(t, err)
	// For such a series the deviation of the mean is √((1+φ)/(1-φ)) = 3 times that of
	// independent values.
	assert.InDelta(t, 3, blocks.StandardError/alone.StandardError, 0.6)
}

func TestBlockLengthGrowsWithMemory(t *testing.T) {
	none := normals(7, 2000, 0)
	assert.LessOrEqual(t, backtest.BlockLength(none, backtest.Stationary), 6.0)
	long := normals(7, 2000, 0)
	for i := 1; i < len(long); i++ {
		long[i] += 0.7 * long[i-1]
	}
	// For an AR(1) series the best mean length is (2G²/D)^(1/3)·n^(1/3) with
	// G = 2φ/((1-φ)²(1+φ)²)·..., about 24 here (Politis and White 2004, table of φ = 0.7).
	length := backtest.BlockLength(long, backtest.Stationary)
	phi, n := 0.7, 2000.0
	g := 2 * phi / math.Pow(1-phi, 2) / (1 - phi*phi) * 1 // Σ|k|R(k) for R(k) = φ^k/(1-φ²)
	spectrum := 1 / math.Pow(1-phi, 2)                    // ΣR(k)
	best := math.Cbrt(2*g*g/(2*spectrum*spectrum)) * math.Cbrt(n)
	assert.InEpsilon(t, best, length, 0.4)
	assert.Greater(t, backtest.BlockLength(long, backtest.Circular), length, "blocks of one length are longer")
	assert.Equal(t, 1.0, backtest.BlockLength([]float64{3, 3, 3, 3, 3, 3, 3, 3, 3}, backtest.Stationary))
}

func TestBootstrapIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	x := normals(3, 200, 0.1)
	var first backtest.Interval
	for i, workers := range []int{1, 2, 7} {
		got, err := backtest.Bootstrap(t.Context(), x, average, &backtest.BootstrapOptions{Samples: 501, Seed: 4, Workers: workers})
		require.NoError(t, err)
		if i == 0 {
			first = got
		}
		assert.Equal(t, first, got)
	}
	other, err := backtest.Bootstrap(t.Context(), x, average, &backtest.BootstrapOptions{Samples: 501, Seed: 5})
	require.NoError(t, err)
	assert.NotEqual(t, first.Low, other.Low)
}

func TestBootstrapRefusesWhatItCannotDo(t *testing.T) {
	for _, test := range []struct {
		field string
		x     []float64
		opts  backtest.BootstrapOptions
	}{
		{"series", []float64{1}, backtest.BootstrapOptions{}},
		{"series", []float64{1, math.NaN()}, backtest.BootstrapOptions{}},
		{"Method", []float64{1, 2}, backtest.BootstrapOptions{Method: "jackknife"}},
		{"Samples", []float64{1, 2}, backtest.BootstrapOptions{Samples: 1}},
		{"Confidence", []float64{1, 2}, backtest.BootstrapOptions{Confidence: 95}},
		{"Block", []float64{1, 2}, backtest.BootstrapOptions{Block: 3}},
	} {
		_, err := backtest.Bootstrap(t.Context(), test.x, average, &test.opts)
		var field *backtest.FieldError
		require.ErrorAs(t, err, &field)
		assert.Equal(t, test.field, field.Field)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := backtest.Bootstrap(ctx, []float64{1, 2, 3}, average, nil)
	assert.ErrorIs(t, err, context.Canceled)
}

func average(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func TestPValuesOfNothingAreEvenlySpread(t *testing.T) {
	low := 0
	const repeats = 400
	for k := range repeats {
		p, err := backtest.SignTest(t.Context(), normals(uint64(k), 60, 0), &backtest.PermutationOptions{Permutations: 200, Seed: uint64(k)})
		require.NoError(t, err)
		if p.PValue <= 0.1 {
			low++
		}
	}
	assert.InDelta(t, 0.1, float64(low)/repeats, 0.04)
}

func TestSignTestOfAllPossibleSigns(t *testing.T) {
	// Of the eight ways to sign 1, 2, 3 only one has a mean of 2: exactly 1/8.
	p, err := backtest.SignTest(t.Context(), []float64{1, 2, 3}, &backtest.PermutationOptions{Permutations: 40_000, Seed: 1})
	require.NoError(t, err)
	assert.InDelta(t, 1.0/8, p.PValue, 0.005)
	assert.Equal(t, 2.0, p.Statistic)
	assert.InDelta(t, 0, p.Mean, 0.02)
}

func TestTimingTestTellsForesightFromNone(t *testing.T) {
	returns := normals(11, 500, 0.05)
	foresight, blind := make([]float64, 500), make([]float64, 500)
	r := rand.New(rand.NewPCG(5, 5))
	for i := range returns {
		if returns[i] > 0 {
			foresight[i] = 1
		}
		blind[i] = float64(r.IntN(2))
	}
	p, err := backtest.TimingTest(t.Context(), foresight, returns, nil)
	require.NoError(t, err)
	assert.InDelta(t, 1.0/1001, p.PValue, 1e-12)
	p, err = backtest.TimingTest(t.Context(), blind, returns, nil)
	require.NoError(t, err)
	assert.Greater(t, p.PValue, 0.02)
	always := make([]float64, 500)
	for i := range always {
		always[i] = 1
	}
	p, err = backtest.TimingTest(t.Context(), always, returns, nil)
	require.NoError(t, err)
	assert.Equal(t, 1.0, p.PValue, "who is always invested times nothing")
}

func wave(n int) []market.Bar {
	bars := make([]market.Bar, n)
	r := rand.New(rand.NewPCG(8, 8))
	price := 100.0
	for i := range bars {
		open := price * math.Exp(0.002*r.NormFloat64())
		price = open * math.Exp(0.01*math.Sin(float64(i)/8)+0.002*r.NormFloat64())
		bars[i] = market.Bar{
			Time: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i), Open: open, Close: price,
			High: max(open, price) * 1.001, Low: min(open, price) * 0.999, Volume: float64(1000 + i),
		}
	}
	return bars
}

func TestPermutedBarsKeepWhatIsNotOrder(t *testing.T) {
	bars := wave(300)
	permuted := backtest.PermuteBars(bars, 1, 2)
	require.Len(t, permuted, len(bars))
	assert.Equal(t, bars[0], permuted[0])
	assert.InEpsilon(t, bars[299].Close, permuted[299].Close, 1e-9, "the sum of all moves is the same")
	var volume, was float64
	same := 0
	for i, b := range permuted {
		assert.Equal(t, bars[i].Time, b.Time)
		assert.GreaterOrEqual(t, b.High, max(b.Open, b.Close)*0.9999)
		assert.LessOrEqual(t, b.Low, min(b.Open, b.Close)*1.0001)
		volume, was = volume+b.Volume, was+bars[i].Volume
		if b.Close == bars[i].Close {
			same++
		}
	}
	assert.Equal(t, was, volume)
	assert.Less(t, same, 20)
	assert.Equal(t, permuted, backtest.PermuteBars(bars, 1, 2))
	assert.NotEqual(t, permuted, backtest.PermuteBars(bars, 1, 3))
}

func TestMarketTestFindsThePatternThatIsThere(t *testing.T) {
	bars := wave(400)
	momentum := func(_ context.Context, bars []market.Bar) (float64, error) {
		var sum float64
		for i := 2; i < len(bars); i++ {
			if bars[i-1].Close > bars[i-2].Close {
				sum += math.Log(bars[i].Close / bars[i-1].Close)
			}
		}
		return sum, nil
	}
	p, err := backtest.MarketTest(t.Context(), bars, momentum, &backtest.PermutationOptions{Permutations: 199})
	require.NoError(t, err)
	assert.InDelta(t, 1.0/200, p.PValue, 1e-12)
	p, err = backtest.MarketTest(t.Context(), backtest.PermuteBars(bars, 9, 9), momentum, &backtest.PermutationOptions{Permutations: 199})
	require.NoError(t, err)
	assert.Greater(t, p.PValue, 0.02, "the same returns in another order hold nothing")
}

func days(n int) []time.Time {
	out := make([]time.Time, n)
	for i := range out {
		out[i] = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i)
	}
	return out
}

func TestPurgedSplitsLearnNothingOfWhatTheyTest(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for k := range 40 {
		n := 20 + r.IntN(60)
		begin := days(n)
		end := make([]time.Time, n)
		for i := range end {
			end[i] = begin[i].AddDate(0, 0, r.IntN(6))
		}
		embargo := time.Duration(r.IntN(5)) * 24 * time.Hour
		tested := 1 + k%2
		cv := backtest.CrossValidation{Begin: begin, End: end, Folds: 5, Embargo: embargo}
		splits, err := cv.Combinatorial(tested)
		require.NoError(t, err)
		require.Len(t, splits, []int{5, 10}[tested-1], "5 over %d", tested)
		seen := make([]int, n)
		for _, s := range splits {
			inTest := map[int]bool{}
			for _, i := range s.Test {
				inTest[i] = true
				seen[i]++
			}
			learnt := map[int]bool{}
			for _, i := range s.Train {
				learnt[i] = true
				require.False(t, inTest[i])
			}
			// By brute force: i is learnt from unless it overlaps a tested block or its embargo.
			for i := range n {
				if inTest[i] {
					continue
				}
				allowed := true
				for from := 0; from < n; from++ {
					if !inTest[from] || from > 0 && inTest[from-1] && sameFold(n, 5, from, from-1) {
						continue
					}
					last := end[from]
					for j := from; j < n && inTest[j] && sameFold(n, 5, from, j); j++ {
						if end[j].After(last) {
							last = end[j]
						}
					}
					if !begin[i].After(last.Add(embargo)) && !end[i].Before(begin[from]) {
						allowed = false
					}
				}
				require.Equal(t, allowed, learnt[i], "observation %d of %d", i, n)
			}
		}
		for i, times := range seen {
			require.Equal(t, []int{1, 4}[tested-1], times, "observation %d is tested as often as each other", i)
		}
	}
}

// sameFold tells whether two observations of n lie in the same of so many folds.
func sameFold(n, folds, a, b int) bool {
	fold := func(i int) int {
		for k := range folds {
			size := n / folds
			if k < n%folds {
				size++
			}
			if i -= size; i < 0 {
				return k
			}
		}
		return folds
	}
	return fold(a) == fold(b)
}

func TestSplitsOfOneDayObservations(t *testing.T) {
	begin := days(10)
	cv := backtest.CrossValidation{Begin: begin, End: begin, Folds: 5, Embargo: 24 * time.Hour}
	splits, err := cv.Purged()
	require.NoError(t, err)
	require.Len(t, splits, 5)
	assert.Equal(t, []int{2, 3}, splits[1].Test)
	assert.Equal(t, []int{0, 1, 5, 6, 7, 8, 9}, splits[1].Train, "the day after the test is in the embargo")
}

func TestCrossValidationRefusesWhatCannotBeSplit(t *testing.T) {
	begin := days(4)
	backwards := []time.Time{begin[1], begin[0], begin[2], begin[3]}
	for field, cv := range map[string]backtest.CrossValidation{
		"Begin":   {Begin: backwards, End: begin, Folds: 2},
		"End":     {Begin: begin, End: begin[:3], Folds: 2},
		"Folds":   {Begin: begin, End: begin, Folds: 5},
		"Embargo": {Begin: begin, End: begin, Folds: 2, Embargo: -1},
	} {
		_, err := cv.Purged()
		var refused *backtest.FieldError
		require.ErrorAs(t, err, &refused, field)
		assert.Equal(t, field, refused.Field)
	}
	_, err := backtest.CrossValidation{Begin: begin, End: begin, Folds: 2}.Combinatorial(2)
	assert.ErrorContains(t, err, "tested")
}

func TestOverfittingIsAHalfForLuckAndNoneForSkill(t *testing.T) {
	var luck [][]float64
	for i := range 40 {
		luck = append(luck, normals(uint64(50+i), 640, 0))
	}
	var sum float64
	for k := range 10 {
		var trials [][]float64
		for i := range 40 {
			trials = append(trials, normals(uint64(1000*k+i), 640, 0))
		}
		o, err := backtest.ProbabilityOfOverfitting(t.Context(), trials, 10)
		require.NoError(t, err)
		assert.Equal(t, 252, o.Splits, "10 over 5")
		sum += o.Probability
	}
	assert.InDelta(t, 0.5, sum/10, 0.15)
	skill := append(luck[:39:39], normals(7, 640, 0.5))
	o, err := backtest.ProbabilityOfOverfitting(t.Context(), skill, 16)
	require.NoError(t, err)
	assert.Equal(t, 12870, o.Splits, "16 over 8")
	assert.Zero(t, o.Probability)
	assert.Zero(t, o.Loss)
	_, err = backtest.ProbabilityOfOverfitting(t.Context(), luck, 7)
	assert.ErrorContains(t, err, "parts")
}
