//go:build !race

package options

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Out of the money the volatility of a chain with cash dividends is within a hundredth
// of a point of the exact solver's where it is hardest, too: dividends of a tenth of
// the share, an expiry days after an ex-date, one dividend a month, volatilities from
// 7 to 100 %, strikes that are worth half a cent. Tables span what the strikes of a
// chain show.
func TestHardCashDividendsAgreeWithTheExactSolver(t *testing.T) {
	monthly := []Dividend{}
	for at := 0.01; at < 1.5; at += 1.0 / 12 {
		monthly = append(monthly, Dividend{at, 0.3})
	}
	quarterly := []Dividend{{0.1, 0.6}, {0.35, 0.6}, {0.6, 0.7}}
	for _, row := range []struct {
		name             string
		years, rate, vol float64
		dividends        []Dividend
		strikes          []float64 // calls above the forward, puts below
	}{
		{"a special dividend", 0.8855, 0.020, 0.28, []Dividend{{0.6976, 17.79}}, []float64{60, 75, 96, 136, 175}},
		{"another", 0.4964, 0.066, 0.42, []Dividend{{0.3904, 16.16}}, []float64{50, 80, 90, 130, 230}},
		{"days after an ex-date", 0.024, 0.016, 0.185, []Dividend{{0.0198, 1.67}}, []float64{92, 97, 99.6, 102.6, 105.4}},
		{"one a month", 1.5, 0.04, 0.3, monthly, []float64{50, 80, 110, 200}},
		{"low volatility", 0.7, 0.05, 0.07, quarterly, []float64{92, 99, 106, 112}},
		{"high volatility", 0.7, 0.05, 1, quarterly, []float64{20, 60, 130, 400}},
		{"a rate below zero", 0.7, -0.01, 0.25, quarterly, []float64{60, 90, 110, 150}},
	} {
		present := presentValue(row.dividends, row.rate)
		p := BSM{Spot: 100 - present, Years: row.years, Rate: row.rate, Yield: -0.002}
		dev := row.vol * math.Sqrt(row.years)
		least, most := 100*math.Exp(-4*dev), 100*math.Exp(3.5*dev)
		tables := map[Kind]*dividendPremium{}
		for _, k := range []Kind{Call, Put} {
			tables[k] = newDividendPremium(k, p, row.dividends, 0.8*row.vol, 1.7*row.vol, least, most, false)
		}
		for _, strike := range row.strikes {
			p.Strike = strike
			z := math.Log(strike/100) / dev
			p.Vol = row.vol * (1 - 0.08*z + 0.03*z*z)
			k := Call
			if strike < p.Forward() {
				k = Put
			}
			whole := p
			whole.Spot += present
			price, err := whole.AmericanDividends(k, row.dividends, Escrowed)
			require.NoError(t, err)
			require.Greater(t, price, 0.003, "%s: %v", row.name, strike)
			got, err := tables[k].impliedVol(p, price)
			require.NoError(t, err, "%s: %v %v", row.name, k, strike)
			assert.InDelta(t, p.Vol, got, 1e-4, "%s: %v %v", row.name, k, strike)
		}
	}
}

// BenchmarkChainCashDividends values one expiry of American contracts on a share with
// cash dividends: what a contract costs falls with the number of strikes.
func BenchmarkChainCashDividends(b *testing.B) {
	for _, n := range []int{50, 250} {
		quotes := chainOfAmericans(b, n, 0.6)
		opts := &ChainOptions{Rate: 0.045, Dividends: []Dividend{{0.1, 0.5}, {0.35, 0.5}, {0.59, 0.5}}}
		b.Run(fmt.Sprintf("contracts=%d", len(quotes)), func(b *testing.B) {
			for b.Loop() {
				if _, err := NewChain(quotes, opts); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(quotes)), "ns/contract")
		})
	}
}
