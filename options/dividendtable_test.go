//go:build !race

package options

import (
	"math"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tables of a chain with cash dividends agree with grids made for each
// contract: to a hundredth of a volatility point out of the money, to three up to a
// deviation in it and to a fifth of a point beyond, where the price says little
// about it.
func TestTablesOfCashDividendsAgreeWithTheExactSolver(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	const models = 12
	var out, near, deep []float64
	var spent time.Duration
	for i := range models {
		years := 0.1 + 1.2*r.Float64()
		p := BSM{Years: years, Rate: 0.01 + 0.06*r.Float64(), Yield: 0.01 * float64(i%3-1) * r.Float64()}
		vol := 0.15 + 0.4*r.Float64()
		var dividends []Dividend
		for at := 0.02 + 0.2*r.Float64(); at < years || dividends == nil; at += 0.25 {
			dividends = append(dividends, Dividend{Years: min(at, 0.9*years), Cash: 0.2 + 1.8*r.Float64()})
		}
		present := presentValue(dividends, p.Rate)
		p.Spot = 100 - present
		dev := vol * math.Sqrt(years)
		least, most := 100*math.Exp(-2*dev), 100*math.Exp(1.7*dev)
		for _, k := range []Kind{Call, Put} {
			start := time.Now()
			table := newDividendPremium(k, p, dividends, 0.8*vol, 1.3*vol, least, most, false)
			spent += time.Since(start)
			for range 6 {
				p.Strike, p.Vol = least*math.Pow(most/least, r.Float64()), vol*(0.85+0.4*r.Float64())
				whole := p
				whole.Spot += present
				want, err := whole.AmericanDividends(k, dividends, Escrowed)
				require.NoError(t, err)
				g := p.Greeks(k)
				if want < float64(k)*(whole.Spot-p.Strike)+0.01*math.Sqrt(years) || g.Vega < 2*math.Sqrt(years) {
					continue
				}
				off := math.Abs(p.price(k)+table.premium(p)-want) / g.Vega
				switch in := float64(k) * math.Log(p.Spot/p.Strike); {
				case in > dev:
					deep = append(deep, off)
				case in > 0:
					near = append(near, off)
				default:
					out = append(out, off)
				}
			}
		}
	}
	t.Logf("%v a table", spent/time.Duration(2*models))
	for name, row := range map[string]struct {
		errs []float64
		most float64
	}{"out of the money": {out, 1e-4}, "up to a deviation in it": {near, 3e-4}, "beyond": {deep, 2e-3}} {
		slices.Sort(row.errs)
		n := len(row.errs)
		t.Logf("%s: %d cases, median %.1e, largest %.1e of volatility", name, n, row.errs[n/2], row.errs[n-1])
		assert.LessOrEqual(t, row.errs[n-1], row.most, name)
	}
}
