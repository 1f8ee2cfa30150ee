package synthetic_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// The stylised facts of returns, with the numbers of R. Cont, "Empirical
// properties of asset returns: stylized facts and statistical issues",
// Quantitative Finance 1 (2001). The bounds are such that sixteen years of the
// real SPY keep them too, which a test of its own shows.

// facts are statistics of daily bars.
type facts struct {
	volatility float64 // per year
	kurtosis   float64 // of daily returns; a normal distribution has 3
	monthly    float64 // kurtosis of returns over 21 days
	clustering [3]float64
	leverage   float64 // correlation of returns with the size of later ones, up to the ninth
	memory     float64 // autocorrelation of returns
	activity   float64 // correlation of the size of returns with the logarithm of volume
}

func factsOf(bars []market.Bar) facts {
	r := returns(bars)
	f := facts{volatility: math.Sqrt(moment(r, 2) * 252), kurtosis: kurtosis(r), memory: autocorrelation(r, 1)}
	var months []float64
	for i := 21; i <= len(r); i += 21 {
		months = append(months, 21*mean(r[i-21:i]))
	}
	f.monthly = kurtosis(months)
	size, volume := make([]float64, len(r)), make([]float64, len(r))
	for i, x := range r {
		size[i], volume[i] = math.Abs(x), math.Log(bars[i+1].Volume)
	}
	for i, lag := range []int{1, 5, 20} {
		f.clustering[i] = autocorrelation(size, lag)
	}
	for lag := 1; lag <= 9; lag += 2 {
		f.leverage += correlation(r[:len(r)-lag], size[lag:]) / 5
	}
	f.activity = correlation(size, volume)
	return f
}

func kurtosis(x []float64) float64 {
	m, two, four := mean(x), 0.0, 0.0
	for _, v := range x {
		d := (v - m) * (v - m)
		two, four = two+d, four+d*d
	}
	return four * float64(len(x)) / (two * two)
}

func correlation(x, y []float64) float64 {
	mx, my, xx, yy, xy := mean(x), mean(y), 0.0, 0.0, 0.0
	for i := range x {
		dx, dy := x[i]-mx, y[i]-my
		xx, yy, xy = xx+dx*dx, yy+dy*dy, xy+dx*dy
	}
	return xy / math.Sqrt(xx*yy)
}

// realistic is what the facts of a broad fund must satisfy, made or real.
func realistic(t *testing.T, f facts, who string) {
	t.Helper()
	assert.True(t, f.volatility > 0.1 && f.volatility < 0.22, "%s: volatility %.3f", who, f.volatility)
	assert.Greater(t, f.kurtosis, 6.0, "%s: fat tails", who)
	assert.Greater(t, f.clustering[0], 0.15, "%s: volatility clusters from day to day", who)
	assert.Greater(t, f.clustering[1], 0.1, "%s: from week to week", who)
	assert.Greater(t, f.clustering[2], 0.05, "%s: from month to month", who)
	assert.Less(t, f.leverage, -0.06, "%s: falls raise volatility", who)
	assert.Less(t, math.Abs(f.memory), 0.13, "%s: returns themselves are not foretold", who)
	assert.Greater(t, f.activity, 0.2, "%s: large moves come with volume", who)
}

func TestTheMadeMarketHasTheStylisedFacts(t *testing.T) {
	sequential(t)
	for seed := range uint64(6) {
		m, err := synthetic.New(seed, &synthetic.Options{Clock: market.NewManualClock(newYork(date(2030, 12, 30), 17, 0))})
		require.NoError(t, err)
		realistic(t, factsOf(daily(t, m, "SPY")), fmt.Sprintf("SPY of seed %d", seed))
	}
}

func TestTheRealMarketHasThemToo(t *testing.T) {
	file, err := market.OpenBars(sharedtest.Path(t, "data", "daily", "yahoo_spy_2005_2021.csv.gz"), nil)
	require.NoError(t, err)
	realistic(t, factsOf(file.Bars), "SPY of 2005 to 2021")
}

func TestSharesHaveTheStylisedFactsToo(t *testing.T) {
	sequential(t)
	m := atTheEnd(t)
	var leverage, activity, daysLessMonths []float64
	for _, in := range m.Symbols() {
		if in.ETF || in.Index {
			continue
		}
		f := factsOf(daily(t, m, in.Symbol))
		assert.Greater(t, f.kurtosis, 4.0, "%s: fat tails", in.Symbol)
		assert.Greater(t, f.clustering[0], 0.03, "%s: volatility clusters", in.Symbol)
		leverage, activity = append(leverage, f.leverage), append(activity, f.activity)
		daysLessMonths = append(daysLessMonths, f.kurtosis-f.monthly)
	}
	assert.Less(t, mean(leverage), -0.02, "weaker than the index's")
	assert.Greater(t, slices.Min(activity), 0.1)
	slices.Sort(daysLessMonths)
	assert.Greater(t, daysLessMonths[len(daysLessMonths)/2], 1.0, "tails grow thinner over longer times: half of the shares or more")
}

func TestSharesOfOneSectorMoveTogetherMoreThanOthers(t *testing.T) {
	sequential(t)
	m := atTheEnd(t)
	groups := [][]market.Symbol{{"XOM", "CVX"}, {"KO", "PG", "PEP"}, {"AAPL", "MSFT", "NVDA"}, {"JPM", "BAC", "GS"}, {"JNJ", "PFE", "LLY"}}
	moves := map[market.Symbol][]float64{}
	for _, s := range append(slices.Concat(groups...), "TLT", "SPY") {
		moves[s] = returns(daily(t, m, s))
	}
	between := func(x, y []market.Symbol) float64 {
		sum, n := 0.0, 0.0
		for _, a := range x {
			for _, b := range y {
				if a != b {
					sum += correlation(moves[a], moves[b])
					n++
				}
			}
		}
		return sum / n
	}
	var within, across []float64
	for i, x := range groups {
		own := between(x, x)
		within = append(within, own)
		for _, y := range groups[i+1:] {
			other := between(x, y)
			across = append(across, other)
			assert.Greater(t, other, 0.1, "the market moves all: %v, %v", x, y)
			assert.True(t, own > other && between(y, y) > other, "%v and %v: %.2f across, %.2f and %.2f within", x, y, other, own, between(y, y))
		}
	}
	assert.Greater(t, mean(within), mean(across)+0.15)
	assert.Less(t, correlation(moves["TLT"], moves["SPY"]), 0.0, "bonds go the other way")
}

// course is the average volume and range of the thirteen half hours.
func course(bars []market.Bar) (volume, width [13]float64) {
	for _, b := range bars {
		at := b.Time.In(market.NYSE().Location())
		if i := (at.Hour()*60 + at.Minute() - 9*60 - 30); i >= 0 && i < 390 {
			volume[i/30] += b.Volume
			width[i/30] += b.High - b.Low
		}
	}
	return volume, width
}

func TestVolumeIsHighAtTheOpenAndTheClose(t *testing.T) {
	uShaped := func(x [13]float64, last float64, what any) {
		middle := mean(x[4:9])
		assert.Greater(t, x[0], 1.5*middle, "%v: the first half hour", what)
		assert.Greater(t, x[12], last*middle, "%v: the last half hour", what)
		assert.Less(t, middle, mean(x[:3]), "%v: the middle", what)
	}
	m := at(t, newYork(date(2026, 9, 15), 20, 0))
	for _, s := range []market.Symbol{"SPY", "KO", "NVDA", "WDFC", "/ESZ6"} {
		volume, width := course(bars(t, m, market.BarsRequest{Symbol: s, Interval: market.Minute30, From: newYork(date(2026, 6, 22), 18, 0)}))
		uShaped(volume, 1.15, s)
		uShaped(width, 1.05, s)
	}
	file, err := market.OpenBars(sharedtest.Path(t, "data", "intraday", "lean_spy_1min_20230803.csv.gz"), nil)
	require.NoError(t, err)
	volume, _ := course(file.Bars)
	uShaped(volume, 1.15, "the real SPY of 2023-08-03")
}

func TestEarningsMoveTheOpenAndTakeTheVolatilityWithThem(t *testing.T) {
	m, clock := clocked(t, newYork(date(2026, 9, 16), 12, 0))
	var crushed, gaps []float64
	for _, s := range []market.Symbol{"AAPL", "AMD", "META", "NFLX", "JPM", "TSLA", "PLTR"} {
		clock.Set(newYork(date(2026, 9, 16), 12, 0))
		var next market.Event
		for _, e := range events(t, m, s, market.Earnings) {
			if e.Date.After(date(2026, 9, 16)) {
				next = e
				break
			}
		}
		require.False(t, next.Date.IsZero())
		before := market.NYSE().Previous(newYork(next.Date, 9, 0)).Close
		if next.Timing == "after close" {
			before = newYork(next.Date, 16, 0)
		}
		after := market.NYSE().Next(before)
		clock.Set(after.Close)
		var expiration market.Date
		all, err := m.Expirations(t.Context(), s)
		require.NoError(t, err)
		for _, e := range all {
			if expiration.IsZero() && e.Date.After(after.Date) {
				expiration = e.Date
			}
		}
		vol := func(now market.Date, hour, minute int) float64 {
			quotes, err := m.ChainAt(market.ChainRequest{Underlying: s, Strikes: 1, Expirations: []market.Date{expiration}}, newYork(now, hour, minute))
			require.NoError(t, err)
			return quotes[0].IV
		}
		crushed = append(crushed, vol(after.Date, 9, 35)/vol(market.DateOf(before), 16, 0))
		bar, close := dayOf(t, m, s, after.Date)
		gaps = append(gaps, math.Abs(bar.Open/close-1))
	}
	assert.Less(t, slices.Max(crushed), 0.95, "implied volatility falls once the report is out: %v", crushed)
	assert.Less(t, mean(crushed), 0.8)
	assert.Greater(t, mean(gaps), 0.015, "against nights of half a per cent")
}
