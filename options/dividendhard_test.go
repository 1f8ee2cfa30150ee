//go:build !race

package options

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
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
		{"an ex-date tomorrow", 0.5, 0.045, 0.28, []Dividend{{1.0 / 365, 0.7}, {0.25, 0.7}}, []float64{70, 90, 110, 140}},
		{"an ex-date on the last day", 0.35, 0.05, 0.25, []Dividend{{0.1, 0.6}, {0.35, 0.6}}, []float64{70, 90, 113, 142}},
		{"two on one day", 0.35, 0.05, 0.25, []Dividend{{0.2, 0.6}, {0.2, 1.4}}, []float64{70, 90, 113, 142}},
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

// What the comment of NewChain says of volatilities above 100 %.
func TestTablesOfCashDividendsAtHighVolatilities(t *testing.T) {
	quarterly := []Dividend{{0.1, 0.6}, {0.35, 0.6}, {0.6, 0.7}}
	for _, row := range []struct{ years, vol, most float64 }{
		{0.7, 1, 1e-4}, {1.9, 1, 1e-4}, {0.15, 2, 1e-4}, {0.99, 2, 1e-4}, {1.9, 2, 3e-4}, {0.99, 3, 5e-4}, {1.9, 3, 1e-3}, {0.7, 5, 1e-2},
	} {
		p := BSM{Years: row.years, Rate: 0.05, Yield: -0.002, Vol: row.vol}
		dividends := p.relevant(quarterly)
		p.Spot = 100 - presentValue(dividends, p.Rate)
		dev := row.vol * math.Sqrt(row.years)
		for _, k := range []Kind{Call, Put} {
			table := newDividendPremium(k, p, dividends, 0.8*row.vol, 1.3*row.vol, 100*math.Exp(-2.5*dev), 100*math.Exp(2.5*dev), false)
			for _, away := range []float64{0.05, 0.7} {
				p.Strike = p.Forward() * math.Exp(float64(k)*away*dev)
				whole := p
				whole.Spot = 100
				price, err := whole.AmericanDividends(k, dividends, Escrowed)
				require.NoError(t, err)
				got, err := table.impliedVol(p, price)
				require.NoError(t, err, "%v over %v years", row.vol, row.years)
				assert.InDelta(t, row.vol, got, row.most, "%v over %v years: %v %v", row.vol, row.years, k, p.Strike)
			}
		}
	}
}

// The volatility given is ignored, whatever it is, also for a price above all that the
// European option can be worth.
func TestTheVolatilityOfAPriceNeedsNone(t *testing.T) {
	p := BSM{Spot: 100, Strike: 100, Years: 2, Rate: 0.3, Vol: 2}
	dividends := []Dividend{{0.5, 1}}
	price, err := p.AmericanDividends(Put, dividends, Escrowed)
	require.NoError(t, err)
	require.Greater(t, price, 100*math.Exp(-0.6))
	p.Vol = math.NaN()
	vol, err := p.AmericanImpliedVolDividends(Put, price, dividends, Escrowed)
	require.NoError(t, err)
	assert.InDelta(t, 2, vol, 1e-6)
}

// Which volatilities tables are made for is told by calls and puts alike, however many
// contracts there are: of the smile below calls show the lower half, puts the upper.
func TestTablesSpanTheVolatilitiesOfCallsAndPuts(t *testing.T) {
	for n := 20; n < 700; n += 40 {
		dividends := []Dividend{{0.12, 0.5}}
		quotes := quotesWithDividends(n, 0.35, dividends)
		c, err := NewChain(quotes, &ChainOptions{Rate: 0.045, Dividends: dividends})
		require.NoError(t, err)
		e := &c.Expiries[0]
		low, high := e.volRange(BSM{Spot: 100 - 0.5, Years: e.Years, Rate: 0.045}, 0, len(e.Contracts))
		assert.InDelta(t, 0.25-0.2*math.Log(1.4), low, 0.01, "%d contracts", len(quotes))
		assert.InDelta(t, 0.25-0.2*math.Log(0.6), high, 0.01, "%d contracts", len(quotes))
	}
}

// Calls that wait for an ex-date are all but exact on a sheet's own grid: with one
// dividend against the integral over the spot just before it.
func TestCallsOnASheetAreTheIntegral(t *testing.T) {
	for _, row := range []struct {
		p BSM
		d Dividend
	}{
		{BSM{Spot: 98, Strike: 95, Years: 0.5, Rate: 0.05, Vol: 0.25}, Dividend{0.3, 2}},
		{BSM{Spot: 98, Strike: 80, Years: 0.5, Rate: 0.02, Yield: -0.004, Vol: 0.25}, Dividend{0.45, 2}},
		{BSM{Spot: 98, Strike: 120, Years: 1, Rate: 0.01, Vol: 0.4}, Dividend{0.6, 9}},
		{BSM{Spot: 98, Strike: 95, Years: 0.5, Rate: 0.05, Vol: 0.25}, Dividend{1.0 / 365, 3}}, // within a step of the grid
		{BSM{Spot: 98, Strike: 95, Years: 0.5, Rate: 0.05, Vol: 0.25}, Dividend{0.5 - 1.0/365, 3}},
		{BSM{Spot: 98, Strike: 95, Years: 0.5, Rate: 0.05, Vol: 0.25}, Dividend{0.5, 3}},
	} {
		sum, points := 0.0, 40_000
		for i := range points {
			z := -9 + 18*(float64(i)+0.5)/float64(points)
			then := row.p
			then.Spot *= math.Exp((then.Rate-then.Yield-0.5*then.Vol*then.Vol)*row.d.Years + then.Vol*math.Sqrt(row.d.Years)*z)
			then.Years -= row.d.Years
			sum += max(then.Price(Call), then.Spot+row.d.Cash-then.Strike) * math.Exp(-0.5*z*z)
		}
		want := math.Exp(-row.p.Rate*row.d.Years) * sum * 18 / float64(points) / math.Sqrt(2*math.Pi)
		d := newDividendPremium(Call, row.p, []Dividend{row.d}, row.p.Vol, row.p.Vol, row.p.Strike*0.99, row.p.Strike/0.99, false)
		own := newStrikeBand(math.Log(row.p.Strike)-1e-3, math.Log(row.p.Strike)+1e-3, d.payments)
		sheet := newDividendSheet(d, &own, row.p, sheetSpace, 0)
		j, u, inside := sheet.place(math.Log(row.p.Spot / row.p.Strike))
		require.True(t, inside)
		got := 1.0
		for m, w := range cubicWeights(u) {
			got += w * sheet.v[j-1+m][1+sheetStrikes/2]
		}
		assert.InDelta(t, want, got*row.p.Price(Call), 1e-5*row.p.Strike, "%+v", row)
	}
}

// quotesWithDividends is one expiry of American contracts at what they are worth on a
// share with cash dividends, the mean of bid and ask.
func quotesWithDividends(strikes int, years float64, dividends []Dividend) []market.OptionQuote {
	at := market.Date{Year: 2026, Month: 9, Day: 16}.At(10, 30, market.NYSE().Location())
	day := market.DateOf(at.AddDate(0, 0, int(365*years)))
	p := BSM{Years: YearsToExpiry(at, ExpiryTime(day, market.SettledPM, nil)), Rate: 0.045}
	p.Spot = 100 - presentValue(dividends, p.Rate)
	tables := map[Kind]*dividendPremium{}
	for _, k := range []Kind{Call, Put} {
		tables[k] = newDividendPremium(k, p, dividends, 0.15, 0.4, 60, 140, false)
	}
	var quotes []market.OptionQuote
	for i := range strikes {
		p.Strike = 60 + 80*float64(i)/float64(strikes-1)
		p.Vol = 0.25 - 0.2*math.Log(p.Strike/100)
		for _, k := range []Kind{Call, Put} {
			v := max(p.price(k)+tables[k].premium(p), float64(k)*(100-p.Strike))
			quotes = append(quotes, market.OptionQuote{Underlying: "XYZ", Root: "XYZ", Kind: k, Strike: p.Strike, Expiration: day, Settlement: market.SettledPM,
				Style: market.American, Time: at, Bid: v * 0.998, Ask: v * 1.002, Spot: 100})
		}
	}
	return quotes
}

// BenchmarkChainCashDividends values one expiry of American contracts on a share with
// cash dividends: what a contract costs falls with the number of strikes.
func BenchmarkChainCashDividends(b *testing.B) {
	for _, row := range []struct {
		years     float64
		dividends []Dividend
	}{
		{0.35, []Dividend{{0.12, 0.5}}},
		{0.6, []Dividend{{0.12, 0.5}, {0.37, 0.5}}},
		{0.6, []Dividend{{0.12, 1.5}, {0.37, 1.5}}},
		{1, []Dividend{{0.12, 0.5}, {0.37, 0.5}, {0.62, 0.5}, {0.87, 0.5}}},
	} {
		for _, n := range []int{25, 100, 250, 1000} {
			quotes := quotesWithDividends(n, row.years, row.dividends)
			opts := &ChainOptions{Rate: 0.045, Dividends: row.dividends}
			b.Run(fmt.Sprintf("dividends=%dx%v/contracts=%d", len(row.dividends), row.dividends[0].Cash, len(quotes)), func(b *testing.B) {
				for b.Loop() {
					if _, err := NewChain(quotes, opts); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(quotes)), "ns/contract")
			})
		}
	}
}
