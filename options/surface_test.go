package options_test

import (
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

func skipUnderRace(t *testing.T) {
	t.Helper()
	if underRace {
		t.Skip("numerics without goroutines: run without the race detector")
	}
}

// recorded holds the recorded chains, which several tests read and none changes.
var recorded struct {
	sync.Mutex
	chains map[string]*options.Chain
}

func recordedChain(t testing.TB, name, day string, rate float64) *options.Chain {
	t.Helper()
	path := sharedtest.Path(t, "data", "options", name)
	recorded.Lock()
	defer recorded.Unlock()
	if c, ok := recorded.chains[name+day]; ok {
		return c
	}
	file, err := market.OpenChain(path, nil)
	require.NoError(t, err)
	var quotes []market.OptionQuote
	for _, q := range file.Quotes {
		if day == "" || q.Time.Format(time.DateOnly) == day {
			quotes = append(quotes, q)
		}
	}
	c, err := options.NewChain(quotes, &options.ChainOptions{Rate: rate})
	require.NoError(t, err)
	if recorded.chains == nil {
		recorded.chains = map[string]*options.Chain{}
	}
	recorded.chains[name+day] = c
	return c
}

func spxChain(t testing.TB) *options.Chain {
	t.Helper()
	return recordedChain(t, "spx_fullchain_20170103.csv.gz", "", 0.008)
}

func yahooChain(t testing.TB, ticker, day string) *options.Chain {
	t.Helper()
	return recordedChain(t, "yahoo_chain_"+ticker+"_20251124_20251205.csv.gz", day, 0.039)
}

// The goal stands on a real chain as it was recorded: 26 expiries from one day
// to three years, bids of zero, wings of a nickel.
func TestARealIndexChainGetsASurfaceWithoutArbitrage(t *testing.T) {
	c := spxChain(t)
	s, err := options.NewSurface(c, nil)
	require.NoError(t, err)
	require.Len(t, s.Slices, 24)
	var medians []float64
	for i, slice := range s.Slices {
		f := slice.Fit
		label := slice.Date.String() + " " + slice.Root
		assert.GreaterOrEqual(t, f.Butterfly, 0.0, label)
		assert.LessOrEqual(t, slice.SVI.SteepestWing(), 2.0, label)
		assert.Zero(t, f.Calendar, label)
		medians = append(medians, f.Median)
		if i > 1 { // the first two expire within three days
			assert.Less(t, f.Median, 0.006, label)
			assert.Less(t, f.RMS, 0.02, label)
		}
		t.Logf("%s: %d quotes, median error %.2f points, rms %.2f, inside bid-ask %.0f %%", label, f.Quotes, 100*f.Median, 100*f.RMS, 100*f.Inside)
	}
	slices.Sort(medians)
	assert.Less(t, medians[len(medians)/2], 0.0035)
	assert.True(t, s.SSVI.Free())
	checkSurface(t, s)
}

func TestRealEquityChainsGetSurfacesWithoutArbitrage(t *testing.T) {
	skipUnderRace(t)
	for ticker, most := range map[string]float64{"aapl": 0.01, "tsm": 0.015} {
		c := yahooChain(t, ticker, "2025-12-04")
		for _, joint := range []bool{false, true} {
			s, err := options.NewSurface(c, &options.SurfaceOptions{Joint: joint})
			require.NoError(t, err)
			require.Greater(t, len(s.Slices), 10)
			medians := []float64{}
			for _, slice := range s.Slices {
				assert.GreaterOrEqual(t, slice.Fit.Butterfly, 0.0, "%s %s", ticker, slice.Date)
				assert.Zero(t, slice.Fit.Calendar, "%s %s", ticker, slice.Date)
				medians = append(medians, slice.Fit.Median)
			}
			slices.Sort(medians)
			if !joint {
				assert.Less(t, medians[len(medians)/2], most, ticker)
			}
			t.Logf("%s, joint %v: %d smiles, median error %.2f points, worst %.2f", ticker, joint, len(s.Slices), 100*medians[len(medians)/2], 100*medians[len(medians)-1])
			checkSurface(t, s)
		}
	}
}

// checkSurface asserts what holds on every surface without arbitrage.
func checkSurface(t *testing.T, s *options.Surface) {
	t.Helper()
	for _, days := range []float64{5, 30, 91, 200} {
		years := days / 365
		forward, d := s.Forward(years), s.Density(years)
		// The density is positive, has mass one and the forward as its mean.
		mass, mean := 0.0, 0.0
		const cells = 1500
		reach := 8 * s.ATMVol(years) * math.Sqrt(years)
		for i := range cells {
			low, high := forward*math.Exp(reach*(2*float64(i)/cells-1)), forward*math.Exp(reach*(2*float64(i+1)/cells-1))
			x := 0.5 * (low + high)
			p := d.PDF(x) * (high - low)
			mass, mean = mass+p, mean+p*x
		}
		assert.InDelta(t, 1, mass, 0.01, "%v days", days)
		assert.InEpsilon(t, forward, mean, 0.01, "%v days", days)
		assert.InEpsilon(t, forward, d.Mean(), 1e-12)
		for _, p := range []float64{0.01, 0.25, 0.5, 0.9} {
			assert.InDelta(t, p, d.CDF(d.Quantile(p)), 1e-9)
		}
		assert.InEpsilon(t, s.ATMVol(years)*math.Sqrt(years)*forward, d.ExpectedMove(), 0.35, "%v days", days)
		assert.InEpsilon(t, s.ATMVol(years), s.Vol(forward, years), 1e-9)
		put, call := s.StrikeAtDelta(options.Put, -0.25, years), s.StrikeAtDelta(options.Call, 0.25, years)
		assert.True(t, put < forward && forward < call)
		g := s.Model(call, years)
		assert.InDelta(t, 0.25, g.Greeks(options.Call).Delta*s.Spot/forward*math.Exp(s.Rate(years)*years), 1e-6)
		assert.InDelta(t, s.VolAtDelta(options.Put, -0.25, years)-s.VolAtDelta(options.Call, 0.25, years), s.Skew25(years), 1e-12)
		for _, m := range []float64{0.9, 1, 1.1} {
			local := s.LocalVol(forward*m, years)
			assert.True(t, local > 0 && local < 3, "%v days at %v: %v", days, m, local)
		}
	}
	assert.Len(t, s.Term(), len(s.Slices))
	for _, bad := range []float64{0, -1, nan, inf} {
		assert.True(t, math.IsNaN(s.Vol(100, bad)) && math.IsNaN(s.LocalVol(100, bad)) && math.IsNaN(s.Density(bad).CDF(100)), "%v", bad)
		assert.True(t, math.IsNaN(s.StrikeAtDelta(options.Call, 0.25, bad)))
	}
}

func TestASurfaceFindsTheSmileBehindItsQuotes(t *testing.T) {
	truth := options.SSVI{Rho: -0.6, Eta: 1.1, Gamma: 0.45}
	require.True(t, truth.Free())
	at := date(t, "2026-09-16").At(10, 30, market.NYSE().Location())
	var quotes []market.OptionQuote
	thetas := map[market.Date]float64{}
	for _, expiry := range []string{"2026-10-16", "2026-12-18", "2027-06-18"} {
		d := date(t, expiry)
		years := options.YearsToExpiry(at, options.ExpiryTime(d, market.SettledPM, nil))
		thetas[d] = 0.2 * 0.2 * years
		for strike := 60.0; strike <= 150; strike += 2.5 {
			vol := math.Sqrt(truth.Slice(thetas[d]).Variance(math.Log(strike/100)) / years)
			for _, k := range []options.Kind{options.Call, options.Put} {
				v := options.BSM{Spot: 100, Strike: strike, Years: years, Vol: vol}.Price(k)
				quotes = append(quotes, market.OptionQuote{Underlying: "XYZ", Root: "XYZ", Kind: k, Strike: strike, Expiration: d, Settlement: market.SettledPM,
					Style: market.European, Time: at, Bid: 0.99 * v, Ask: 1.01 * v, Spot: 100})
			}
		}
	}
	c, err := options.NewChain(quotes, nil)
	require.NoError(t, err)
	for _, joint := range []bool{false, true} {
		s, err := options.NewSurface(c, &options.SurfaceOptions{Joint: joint})
		require.NoError(t, err)
		for _, slice := range s.Slices {
			assert.Less(t, slice.Fit.Worst, 2e-4, "%s joint %v", slice.Date, joint)
			assert.InDelta(t, 0.2, s.ATMVol(slice.Years), 1e-4)
		}
		assert.InDelta(t, truth.Rho, s.SSVI.Rho, 0.02)
		// Local volatility gives the surface back: integrate Dupire's equation
		// forward for calls on a grid, and compare one implied volatility.
		if !joint {
			assert.InDelta(t, s.Vol(95, 0.5), localVolPrice(t, s, 95, 0.5), 2e-3)
		}
	}
}

// localVolPrice prices a call by Dupire's forward equation under the surface's
// local volatility (no rates) and returns its implied volatility.
func localVolPrice(t *testing.T, s *options.Surface, strike, years float64) float64 {
	t.Helper()
	const n, steps = 240, 200
	low, high := math.Log(30.0), math.Log(330.0)
	dx, dt := (high-low)/n, years/steps
	price := make([]float64, n+1)
	for i := range price {
		price[i] = max(100-math.Exp(low+dx*float64(i)), 0)
	}
	lower, diag, upper := make([]float64, n+1), make([]float64, n+1), make([]float64, n+1)
	for step := range steps {
		for i := 1; i < n; i++ {
			v := s.LocalVol(math.Exp(low+dx*float64(i)), (float64(step)+0.5)*dt)
			require.False(t, math.IsNaN(v))
			a := 0.5 * v * v * dt
			lower[i], diag[i], upper[i] = -a/(dx*dx)-a/(2*dx), 1+2*a/(dx*dx), -a/(dx*dx)+a/(2*dx)
		}
		diag[0], diag[n] = 1, 1
		for i := 1; i <= n; i++ { // the ends keep their values
			f := lower[i] / diag[i-1]
			diag[i] -= f * upper[i-1]
			price[i] -= f * price[i-1]
		}
		price[n] /= diag[n]
		for i := n - 1; i >= 0; i-- {
			price[i] = (price[i] - upper[i]*price[i+1]) / diag[i]
		}
	}
	x := (math.Log(strike) - low) / dx
	i := int(x)
	return options.ImpliedVolBlack(options.Call, price[i]+(x-float64(i))*(price[i+1]-price[i]), 100, strike, years)
}

func TestTheWhitePapersIndexIsReproduced(t *testing.T) {
	f, err := os.Open(sharedtest.Path(t, "data", "reference", "vix_whitepaper_options_20090101.csv"))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	expiries := map[string]*options.Expiry{}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		return v
	}
	for _, r := range rows[1:] {
		e := expiries[r[1]]
		if e == nil {
			e = &options.Expiry{Years: number(r[1]) / 365, Rate: 0.0038}
			expiries[r[1]] = e
		}
		for i, k := range []options.Kind{options.Call, options.Put} {
			q := market.OptionQuote{Kind: k, Strike: number(r[2]), Bid: number(r[3+2*i]), Ask: number(r[4+2*i])}
			e.Contracts = append(e.Contracts, options.Contract{OptionQuote: q, Mid: q.Mid()})
		}
	}
	c := options.Chain{Expiries: []options.Expiry{*expiries["9"], *expiries["37"]}}
	vix, err := c.VolatilityIndex(30)
	require.NoError(t, err)
	assert.InDelta(t, 61.22, 100*vix, 0.005, "the white paper's example")
	near, err := c.Expiries[0].VarianceStrip()
	require.NoError(t, err)
	t.Logf("near: forward %.2f, cutoff %v, %d strikes, variance %.7f; index %.4f", near.Forward, near.Cutoff, near.Strikes, near.Variance, 100*vix)
	_, err = c.VolatilityIndex(60)
	var refused *options.FieldError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "days", refused.Field)
	_, err = options.Expiry{}.VarianceStrip()
	assert.Error(t, err)
}

func TestTheStripOfAFlatSmileIsItsVolatility(t *testing.T) {
	e := options.Expiry{Years: 0.25, Rate: 0.03}
	for strike := 20.0; strike <= 400; strike++ {
		for _, k := range []options.Kind{options.Call, options.Put} {
			v := options.BSM{Spot: 100, Strike: strike, Years: 0.25, Rate: 0.03, Vol: 0.3}.Price(k)
			e.Contracts = append(e.Contracts, options.Contract{OptionQuote: market.OptionQuote{Kind: k, Strike: strike, Bid: v, Ask: v}, Mid: v})
		}
	}
	v, err := e.VarianceStrip()
	require.NoError(t, err)
	assert.InDelta(t, 0.3, v.Vol(), 5e-4)
}

// Whatever the quotes hold, a surface is refused or free of arbitrage.
func TestASurfaceSurvivesAnyQuotes(t *testing.T) {
	skipUnderRace(t)
	m, near, far := newModel(t)
	var good []market.OptionQuote
	for _, q := range m.quotes(t, near, far) {
		if math.Mod(q.Strike, 5) == 0 {
			good = append(good, q)
		}
	}
	odd := []float64{nan, inf, 0, -1, 1e-300, 1e308, 0.01, 42}
	rapid.Check(t, func(t *rapid.T) {
		quotes := slices.Clone(good)
		for range rapid.IntRange(0, 30).Draw(t, "spoilt") {
			q := &quotes[rapid.IntRange(0, len(quotes)-1).Draw(t, "which")]
			switch rapid.IntRange(0, 2).Draw(t, "field") {
			case 0:
				q.Bid = rapid.SampledFrom(odd).Draw(t, "bid")
			case 1:
				q.Ask = rapid.SampledFrom(odd).Draw(t, "ask")
			case 2:
				shift := rapid.Float64Range(0.3, 3).Draw(t, "shift")
				q.Bid, q.Ask = q.Bid*shift, q.Ask*shift
			}
			q.OpenInterest = rapid.SampledFrom(odd).Draw(t, "interest")
		}
		c, err := options.NewChain(quotes, &options.ChainOptions{At: m.at, Rate: m.rate})
		require.NoError(t, err)
		if _, err = c.Positioning(0); err != nil {
			require.Empty(t, c.Expiries)
		}
		c.Unusual(nil)
		s, err := options.NewSurface(c, nil)
		if err != nil {
			var refused *options.FieldError
			require.ErrorAs(t, err, &refused)
			return
		}
		for _, slice := range s.Slices {
			require.GreaterOrEqual(t, slice.Fit.Butterfly, 0.0, "%+v", slice)
			require.Zero(t, slice.Fit.Calendar)
		}
		require.True(t, s.SSVI.Free(), "%+v", s.SSVI)
		vol := s.Vol(s.Spot, 0.2)
		require.True(t, vol > 0 && vol < 20, "%v", vol)
		for _, slice := range s.Slices { // where there are quotes
			d, last := s.Density(slice.Years), 0.0
			for k := slice.Fit.LowK; k <= slice.Fit.HighK; k += 0.02 {
				cdf := d.CDF(slice.Forward * math.Exp(k))
				require.GreaterOrEqual(t, cdf, last-1e-6)
				last = cdf
			}
		}
	})
}

func BenchmarkNewSurface(b *testing.B) {
	c := spxChain(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := options.NewSurface(c, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// Call and put of one strike have one volatility. Early exercise taken into
// account, those of real quotes are nearer to that.
func TestDeAmericanisingBringsCallsAndPutsTogether(t *testing.T) {
	file, err := market.OpenChain(sharedtest.Path(t, "data", "options", "yahoo_chain_jpm_20251124_20251205.csv.gz"), nil)
	require.NoError(t, err)
	var quotes []market.OptionQuote
	for _, q := range file.Quotes {
		if q.Time.Format(time.DateOnly) == "2025-12-04" {
			quotes = append(quotes, q)
		}
	}
	apart := map[bool]float64{}
	for _, european := range []bool{false, true} {
		c, err := options.NewChain(quotes, &options.ChainOptions{Rate: 0.039, European: european})
		require.NoError(t, err)
		var gaps []float64
		for _, e := range c.Expiries {
			for i := 0; i+1 < len(e.Contracts) && e.Years > 0.25; i++ {
				call, put := e.Contracts[i], e.Contracts[i+1]
				if call.Strike == put.Strike && call.Bid > 0 && put.Bid > 0 && math.Abs(call.Strike/e.Forward-1) < 0.25 && !math.IsNaN(call.IV+put.IV) {
					gaps = append(gaps, math.Abs(call.IV-put.IV))
				}
			}
		}
		slices.Sort(gaps)
		apart[european] = gaps[len(gaps)/2]
		t.Logf("as European %v: %d pairs, median gap %.2f points, 90th percentile %.2f", european, len(gaps), 100*gaps[len(gaps)/2], 100*gaps[len(gaps)*9/10])
	}
	assert.Less(t, apart[false], apart[true])
}
