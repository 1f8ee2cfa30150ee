package options_test

import (
	"fmt"
	"math"
	"math/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/interp"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

const accuracyHead = `# Accuracy and cost

Measured against the reference values named in each row: European values and Greeks computed with 60 and 70 digits, American prices from two grids of
another implementation that agree to 3e-10. Cost is in units of one call of the standard library's math.Exp
in the same run (about 7 ns where this was written), on one processor: the rows are cut into short parts, math.Exp is timed before and after each, and the
median of the ratios counts, so that other load of the machine does not.

The price's error is in units of its last place over the larger of 1 and its condition number |dln price/dln vol|; the implied volatility's likewise over
|dln vol/dln price|; a Greek's is its relative error divided by 2^-52 times the larger of 1 and the sum of |dln greek/dln input| over spot, strike, time,
rate, yield and volatility, by central differences of 1e-5.

The test TestAccuracyDocIsCurrent writes this file when UPDATE_DOCS is set, and holds every error below twice what stands here.

| function | method and source | reference | error: median | p99 | max | cost in math.Exp |
|---|---|---|---|---|---|---|
`

const throughputHead = `
# A chain of 20,000 contracts

40 expiries of 250 strikes, calls and puts, implied volatilities and all Greeks of each. On two processors the least time counts. NewChain sorts quotes and finds spot and forwards besides; the
dividends are 50 cents a quarter. The cost is for one contract in units of math.Exp, on one
processor and on two; the gain is how many times faster two are, and the last column how many times faster the batch on one processor is than a plain
loop over the contracts that calls the solver for each, at Accuracy1e6 for American options.

| batch | one processor | two processors | gain of the second | against the plain loop |
|---|---|---|---|---|
`

const oneExpiryHead = `
# One expiry with cash dividends

NewChain on strikes from 60 to 140 % of the spot, calls and puts, at what they are worth with the dividends: one a quarter from the 44th day on, in per cent of
the spot. The cost is for one contract in units of math.Exp, on one processor: the tables are made once, so that it falls with the number of contracts.

| dividends | each | years | 50 contracts | 200 | 500 | 2000 |
|---|---|---|---|---|---|---|
`

// throughput measures the batches, and writes a line for each.
func throughput(t *testing.T) []string {
	const expiries = 40
	p, kinds := chainOf(expiries, 250)
	european, american := make([]float64, len(p)), make([]float64, len(p))
	require.NoError(t, options.PriceBatch(european, p, kinds))
	require.NoError(t, options.AmericanPriceBatch(american, p, kinds))
	vols, greeks, early := make([]float64, len(p)), make([]options.Greeks, len(p)), make([]options.AmericanGreeks, len(p))
	both := func(from, to int) {
		_ = options.ImpliedVolBatch(vols[from:to], p[from:to], kinds[from:to], european[from:to])
		_ = options.GreeksBatch(greeks[from:to], p[from:to], kinds[from:to])
	}
	bothEarly := func(from, to int) {
		_ = options.AmericanImpliedBatch(vols[from:to], early[from:to], p[from:to], kinds[from:to], american[from:to])
	}
	parallel := func(f func(from, to int)) func() {
		return func() { options.InParallel(len(p), 2, f) }
	}
	loop := func(from, to int) {
		for i := from; i < to; i++ {
			q := p[i]
			q.Vol, _ = q.ImpliedVol(kinds[i], european[i])
			sink += q.Greeks(kinds[i]).Delta
		}
	}
	const sampled = 97 // of the American loop, which is slow
	loopEarly := func(from, to int) {
		for i := from * sampled; i < min(to*sampled, len(p)); i += sampled {
			q := p[i]
			if vol, err := q.AmericanImpliedVol(kinds[i], american[i], options.Accuracy1e6); err == nil {
				q.Vol = vol
			}
			sink += q.AmericanGreeks(kinds[i], options.Accuracy1e6).Delta
		}
	}
	line := func(name string, one, two, loop float64) string {
		gain := "-"
		if !math.IsNaN(loop) {
			gain = fmt.Sprintf("%.1f", loop/one)
		}
		return fmt.Sprintf("| %s | %.*f | %.*f | %.1f | %s |\n", name, digits(one), one, digits(two), two, one/two, gain)
	}
	n := len(p)
	var due []options.Dividend
	for i := range 18 {
		due = append(due, options.Dividend{Years: 0.08 + 0.25*float64(i), Cash: 0.5})
	}
	// On one processor each expiry is a chain of its own, so that parts are short.
	chain := func(dividends []options.Dividend) (one, two float64) {
		quotes := manyQuotes(t, dividends)
		value := func(workers, from, to int) {
			c, err := options.NewChain(quotes[from:to], &options.ChainOptions{Rate: 0.04, Workers: workers, Dividends: dividends})
			require.NoError(t, err)
			require.NotEmpty(t, c.Expiries)
		}
		return measureParts(n, expiries, func(from, to int) { value(1, from, to) }), least(n, func() { value(2, 0, n) })
	}
	loopCost := measureParts((n+sampled-1)/sampled, 40, loopEarly)
	one, two := chain(nil)
	oneDue, twoDue := chain(due)
	return []string{
		line("ImpliedVolBatch and GreeksBatch", measureParts(n, expiries, both), least(n, parallel(both)), measureParts(n, expiries, loop)),
		line("AmericanImpliedBatch", measureParts(n, expiries, bothEarly), least(n, parallel(bothEarly)), loopCost),
		line("NewChain, American", one, two, loopCost),
		line("NewChain, American, with cash dividends", oneDue, twoDue, math.NaN()),
	}
}

// manyQuotes is the chain of chainOf as quotes, at what the contracts are worth with the
// dividends.
func manyQuotes(t *testing.T, dividends []options.Dividend) []market.OptionQuote {
	at := market.Date{Year: 2026, Month: 9, Day: 16}.At(16, 0, market.NYSE().Location())
	p, kinds := chainOf(40, 250)
	days := make([]market.Date, len(p))
	for i := range p {
		days[i] = market.DateOf(at.AddDate(0, 0, int(365*p[i].Years+0.5)))
		p[i].Years = options.YearsToExpiry(at, options.ExpiryTime(days[i], market.SettledPM, nil))
		if dividends != nil {
			p[i].Yield = 0
		}
	}
	prices := make([]float64, len(p))
	if dividends == nil {
		require.NoError(t, options.AmericanPriceBatch(prices, p, kinds))
	} else {
		for from, to := 0, 0; from < len(p); from = to {
			for to = from; to < len(p) && days[to] == days[from]; to++ {
			}
			priceWithDividends(t, prices[from:to], p[from:to], kinds[from:to], dividends)
		}
	}
	return quotesAt(p, kinds, prices, days, at)
}

func quotesAt(p []options.BSM, kinds []options.Kind, prices []float64, days []market.Date, at time.Time) []market.OptionQuote {
	var quotes []market.OptionQuote
	for i, v := range prices {
		quotes = append(quotes, market.OptionQuote{Underlying: "XYZ", Root: "XYZ", Kind: kinds[i], Strike: p[i].Strike, Expiration: days[i], Settlement: market.SettledPM,
			Style: market.American, Time: at, Bid: 0.995 * v, Ask: 1.005 * v, Spot: 100})
	}
	return quotes
}

// priceWithDividends prices the contracts of an expiry: early exercise is worth what the
// exact solver says at some strikes, and between them what a curve through those says.
func priceWithDividends(t *testing.T, prices []float64, p []options.BSM, kinds []options.Kind, dividends []options.Dividend) {
	const knots = 16
	for _, k := range []options.Kind{options.Call, options.Put} {
		var mine []int
		for i := range p {
			if kinds[i] == k {
				mine = append(mine, i)
			}
		}
		var strikes, early []float64
		european := func(i int) float64 {
			v, err := p[i].PriceDividends(k, dividends, options.Escrowed)
			require.NoError(t, err)
			return v
		}
		for j := range knots + 1 {
			i := mine[j*(len(mine)-1)/knots]
			v, err := p[i].AmericanDividends(k, dividends, options.Escrowed)
			require.NoError(t, err)
			strikes, early = append(strikes, p[i].Strike), append(early, v-european(i))
		}
		var curve interp.FritschButland
		require.NoError(t, curve.Fit(strikes, early))
		for _, i := range mine {
			prices[i] = max(european(i)+curve.Predict(p[i].Strike), float64(k)*(p[i].Spot-p[i].Strike))
		}
	}
}

// oneExpiry measures chains of one expiry with cash dividends, and writes a line for each.
func oneExpiry(t *testing.T) []string {
	at := market.Date{Year: 2026, Month: 9, Day: 16}.At(16, 0, market.NYSE().Location())
	quarterly := func(n int, cash float64) (due []options.Dividend) {
		for i := range n {
			due = append(due, options.Dividend{Years: 0.12 + 0.25*float64(i), Cash: cash})
		}
		return due
	}
	var lines []string
	for _, row := range []struct {
		years     float64
		dividends []options.Dividend
	}{{0.35, nil}, {0.2, quarterly(1, 0.5)}, {0.35, quarterly(1, 0.5)}, {0.6, quarterly(2, 0.5)}, {0.6, quarterly(2, 1.5)}, {1, quarterly(4, 0.5)}} {
		day := market.DateOf(at.AddDate(0, 0, int(365*row.years)))
		line := fmt.Sprintf("| %d | ", len(row.dividends))
		if row.dividends != nil {
			line += fmt.Sprintf("%.1f %%", row.dividends[0].Cash)
		} else {
			line += "-"
		}
		line += fmt.Sprintf(" | %v |", row.years)
		for _, n := range []int{50, 200, 500, 2000} {
			var p []options.BSM
			var kinds []options.Kind
			for i := range n / 2 {
				q := options.BSM{Spot: 100, Strike: 60 + 80*float64(i)/float64(n/2-1), Rate: 0.045, Years: options.YearsToExpiry(at, options.ExpiryTime(day, market.SettledPM, nil))}
				q.Vol = 0.25 - 0.2*math.Log(q.Strike/100)
				p, kinds = append(p, q, q), append(kinds, options.Call, options.Put)
			}
			prices, days := make([]float64, n), make([]market.Date, n)
			for i := range days {
				days[i] = day
			}
			if row.dividends != nil {
				priceWithDividends(t, prices, p, kinds, row.dividends)
			} else {
				require.NoError(t, options.AmericanPriceBatch(prices, p, kinds))
			}
			quotes := quotesAt(p, kinds, prices, days, at)
			cost := measureParts(n, 1, func(int, int) {
				c, err := options.NewChain(quotes, &options.ChainOptions{Rate: 0.045, Dividends: row.dividends})
				require.NoError(t, err)
				require.NotEmpty(t, c.Expiries)
			})
			line += fmt.Sprintf(" %.0f |", cost)
		}
		lines = append(lines, line+"\n")
	}
	return lines
}

type accuracyRow struct {
	function, method, reference string
	errs                        spread
	cost                        float64
}

// The figures of accuracy.md are those of the code.
func TestAccuracyDocIsCurrent(t *testing.T) {
	update := os.Getenv("UPDATE_DOCS") != ""
	rows := append(europeanAccuracy(t, update), americanAccuracy(t, update)...)
	if update {
		var b strings.Builder
		b.WriteString(accuracyHead)
		for _, r := range rows {
			fmt.Fprintf(&b, "| %s | %s | %s | %.2g | %.2g | %.2g | %.*f |\n", r.function, r.method, r.reference,
				r.errs.at(0.5), r.errs.at(0.99), r.errs.at(1), digits(r.cost), r.cost)
		}
		b.WriteString(throughputHead)
		for _, line := range throughput(t) {
			b.WriteString(line)
		}
		b.WriteString(oneExpiryHead)
		for _, line := range oneExpiry(t) {
			b.WriteString(line)
		}
		require.NoError(t, os.WriteFile("accuracy.md", []byte(b.String()), 0o644))
		return
	}
	have, err := os.ReadFile("accuracy.md")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(have), accuracyHead), "run the test with UPDATE_DOCS=1")
	table, _, found := strings.Cut(strings.TrimPrefix(string(have), accuracyHead), throughputHead)
	require.True(t, found, "run the test with UPDATE_DOCS=1")
	lines := strings.Split(strings.TrimSpace(table), "\n")
	require.Len(t, lines, len(rows), "run the test with UPDATE_DOCS=1")
	for i, r := range rows {
		cells := strings.Split(lines[i], " | ")
		require.Len(t, cells, 7)
		require.Equal(t, []string{"| " + r.function, r.method, r.reference}, cells[:3])
		var most float64
		_, err := fmt.Sscan(cells[5], &most)
		require.NoError(t, err)
		assert.LessOrEqual(t, r.errs.at(1), 2*most+1e-15, r.function)
	}
}

func digits(v float64) int {
	if v < 100 {
		return 1
	}
	return 0
}

func europeanAccuracy(t *testing.T, timed bool) []accuracyRow {
	var p []options.BSM
	var kinds []options.Kind
	var prices []float64
	price := accuracyRow{function: "BSM.Price", method: "φ·(difference of Mills' ratios), piecewise polynomials; Black-Scholes-Merton 1973", reference: "iv_black_ref"}
	vol := accuracyRow{function: "BSM.ImpliedVol", method: "fitted guess through Bachelier's inverse, one Householder step of fifth order", reference: "iv_black_ref"}
	for _, row := range readTable(t, "iv_black_ref.csv") {
		q := options.BSM{Spot: number(t, row, "F"), Strike: number(t, row, "K"), Years: number(t, row, "T"), Vol: number(t, row, "iv")}
		k, want, cond := sign(t, row), number(t, row, "price"), number(t, row, "cond")
		p, kinds, prices = append(p, q), append(kinds, k), append(prices, want)
		price.errs = append(price.errs, math.Abs(q.Price(k)/want-1)/ulp/max(1, 1/cond))
		got, err := q.ImpliedVol(k, want)
		require.NoError(t, err)
		vol.errs = append(vol.errs, math.Abs(got/q.Vol-1)/ulp/max(1, cond))
	}
	greeks := accuracyRow{function: "BSM.Greeks", method: "derivatives in closed form, one pass", reference: "bsm_greeks_ref, all 19 columns"}
	var gp []options.BSM
	var gk []options.Kind
	for _, row := range readTable(t, "bsm_greeks_ref.csv") {
		q := options.BSM{Spot: number(t, row, "S"), Strike: number(t, row, "K"), Years: number(t, row, "T"),
			Rate: number(t, row, "r"), Yield: number(t, row, "div"), Vol: number(t, row, "sigma")}
		k := sign(t, row)
		gp, gk = append(gp, q), append(gk, k)
		g, cond := q.Greeks(k), greekConditions(q, k)
		for name, get := range greekColumns {
			if want := number(t, row, name); math.Abs(want) > 1e-75 {
				greeks.errs = append(greeks.errs, math.Abs(get(g)/want-1)/ulp/max(1, cond[name]))
			}
		}
	}
	if timed {
		dst, all := make([]float64, len(p)), make([]options.Greeks, len(gp))
		price.cost = measureParts(len(p), 8, func(from, to int) { _ = options.PriceBatch(dst[from:to], p[from:to], kinds[from:to]) })
		vol.cost = measureParts(len(p), 16, func(from, to int) {
			_ = options.ImpliedVolBatch(dst[from:to], p[from:to], kinds[from:to], prices[from:to])
		})
		greeks.cost = measureParts(len(gp), 4, func(from, to int) { _ = options.GreeksBatch(all[from:to], gp[from:to], gk[from:to]) })
	}
	// The goals, whatever the document says.
	require.LessOrEqual(t, price.errs.at(1), 4.0)
	require.LessOrEqual(t, vol.errs.at(0.99), 2.0)
	require.LessOrEqual(t, vol.errs.at(1), 4.0)
	return []accuracyRow{price, greeks, vol}
}

// greekConditions returns Σ |dln greek/dln input| by central differences.
func greekConditions(p options.BSM, k options.Kind) map[string]float64 {
	const h = 1e-5
	cond := map[string]float64{}
	here := p.Greeks(k)
	for _, change := range []func(*options.BSM, float64){
		func(q *options.BSM, f float64) { q.Spot *= f }, func(q *options.BSM, f float64) { q.Strike *= f }, func(q *options.BSM, f float64) { q.Years *= f },
		func(q *options.BSM, f float64) { q.Rate *= f }, func(q *options.BSM, f float64) { q.Yield *= f }, func(q *options.BSM, f float64) { q.Vol *= f },
	} {
		up, down := p, p
		change(&up, 1+h)
		change(&down, 1-h)
		high, low := up.Greeks(k), down.Greeks(k)
		for name, get := range greekColumns {
			if c := math.Abs((get(high) - get(low)) / (2 * h * get(here))); !math.IsNaN(c) {
				cond[name] += c
			}
		}
	}
	return cond
}

func americanAccuracy(t *testing.T, timed bool) []accuracyRow {
	rows := americanRows(t)
	var out []accuracyRow
	add := func(function, method string, stride int, f func(options.BSM, options.Kind) float64) {
		row := accuracyRow{function: function, method: method, reference: "american_ref, relative"}
		n := 0
		for i := 0; i < len(rows); i += stride {
			r := rows[i]
			row.errs = append(row.errs, math.Abs(f(r.p, r.kind)/r.price-1))
			n++
		}
		if timed {
			row.cost = measureParts(n, 50, func(from, to int) {
				for i := from; i < to; i++ {
					sink += f(rows[i*stride].p, rows[i*stride].kind)
				}
			})
		}
		out = append(out, row)
	}
	at := func(a options.Accuracy) func(options.BSM, options.Kind) float64 {
		return func(p options.BSM, k options.Kind) float64 { return p.American(k, a) }
	}
	const method = "boundary by collocation and Newton's method; Andersen, Lake, Offengenden 2016"
	add("BSM.American, Accuracy1e4", method, 1, at(options.Accuracy1e4))
	add("BSM.American, Accuracy1e6", method, 1, at(options.Accuracy1e6))
	add("BSM.American, Accuracy1e8", method+", two to four grids", 1, at(options.Accuracy1e8))
	add("BSM.American, Accuracy1e10", method, 20, at(options.Accuracy1e10))
	add("BSM.AmericanBaroneAdesiWhaley", "quadratic; Barone-Adesi, Whaley 1987", 1, options.BSM.AmericanBaroneAdesiWhaley)
	add("BSM.AmericanJuZhong", "corrected quadratic; Ju, Zhong 1999", 1, options.BSM.AmericanJuZhong)
	add("BSM.AmericanBjerksundStensland", "two flat boundaries; Bjerksund, Stensland 2002", 1, options.BSM.AmericanBjerksundStensland)
	add("BSM.AmericanBjerksundStensland1993", "one flat boundary; Bjerksund, Stensland 1993", 1, options.BSM.AmericanBjerksundStensland1993)
	out = append(out, twoBoundariesAccuracy(timed)...)
	return append(out, chainAccuracy(t, timed)...)
}

// twoBoundariesAccuracy measures puts with a yield below a rate below 0.
func twoBoundariesAccuracy(timed bool) []accuracyRow {
	r := rand.New(rand.NewSource(11))
	p, best := make([]options.BSM, 60), make([]float64, 60)
	for i := range p {
		q := options.BSM{Strike: 100, Years: 0.05 + 4*r.Float64()*r.Float64(), Rate: -0.002 - 0.03*r.Float64(), Vol: 0.05 + 0.3*r.Float64()}
		q.Yield = q.Rate * (1.1 + 3*r.Float64())
		q.Spot = 100 * math.Exp(q.Vol*math.Sqrt(q.Years)*(3*r.Float64()-1.5))
		p[i], best[i] = q, q.American(options.Put, options.Accuracy1e10)
	}
	var out []accuracyRow
	for _, a := range []options.Accuracy{options.Accuracy1e4, options.Accuracy1e6, options.Accuracy1e8} {
		row := accuracyRow{function: fmt.Sprintf("BSM.American, Accuracy1e%d, two boundaries", a), method: "both by collocation, each of its own equation; Andersen, Lake 2021",
			reference: "Accuracy1e10, relative; finite differences to 3e-5"}
		for i := range p {
			row.errs = append(row.errs, math.Abs(p[i].American(options.Put, a)/best[i]-1))
		}
		if timed {
			row.cost = measureParts(len(p), 20, func(from, to int) {
				for i := from; i < to; i++ {
					sink += p[i].American(options.Put, a)
				}
			})
		}
		out = append(out, row)
	}
	return out
}

// chainAccuracy measures the shared boundaries on made-up expiries, against the
// solver at 1e-8.
func chainAccuracy(t *testing.T, timed bool) []accuracyRow {
	p, kinds := chainOf(12, 25)
	vol := accuracyRow{function: "AmericanImpliedVolBatch", method: "boundaries shared by expiry, the logarithm of what they add as a Chebyshev series in volatility and distance; Newton's method", reference: "Accuracy1e8, volatility points, vega above 0.01"}
	prices, vols := make([]float64, len(p)), make([]float64, len(p))
	for i := range p {
		prices[i] = p[i].American(kinds[i], options.Accuracy1e8)
	}
	require.NoError(t, options.AmericanImpliedVolBatch(vols, p, kinds, prices))
	for i := range p {
		if g := p[i].Greeks(kinds[i]); prices[i] > float64(kinds[i])*(p[i].Spot-p[i].Strike)*(1+1e-4) && g.Vega > 0.01 {
			vol.errs = append(vol.errs, 100*math.Abs(vols[i]-p[i].Vol))
		}
	}
	require.LessOrEqual(t, vol.errs.at(1), 0.01, "the goal: a hundredth of a point")
	if timed {
		p, kinds := chainOf(40, 250)
		prices := make([]float64, len(p))
		require.NoError(t, options.AmericanPriceBatch(prices, p, kinds))
		dst := make([]float64, len(p))
		vol.cost = measureParts(len(p), 40, func(from, to int) {
			_ = options.AmericanImpliedVolBatch(dst[from:to], p[from:to], kinds[from:to], prices[from:to])
		})
	}
	return []accuracyRow{vol}
}
