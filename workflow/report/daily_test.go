package report_test

import (
	"math"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/workflow/report"
)

func TestTheFirstReportSaysThatItHasNothingToCompareWith(t *testing.T) {
	d := newDesk(t, "2026-03-03 10:00")
	r := d.daily()
	assert.Nil(t, r.Change)
	assert.Equal(t, "250000", r.NetLiquidating.String())
	assert.Contains(t, r.Notes[0], "no earlier snapshot")
	assert.Contains(t, r.Summary(), "not known")
}

// Two strategies and a person in one account, over a dividend, an assignment, an
// expiry, a transfer and a restart.
func TestADaysProfitIsWhatCashAndMarksSay(t *testing.T) {
	call := market.Symbol("SPY   260306C00505000")
	put := market.Symbol("SPY   260306P00490000")
	d := newDesk(t, "2026-03-03 16:05")
	require.NoError(t, d.Announce(paper.CorporateAction{Symbol: "SPY", Ex: market.Date{Year: 2026, Month: 3, Day: 5}, Amount: *dec("1.75")}))
	d.quote("SPY", 500)
	d.daily() // the close of Tuesday

	d.to("2026-03-04 10:00")
	d.quote("SPY", 500)
	d.quote("QQQ", 420)
	d.quote(call, 2)
	d.quote(put, 1)
	d.trade("cover", "SPY", broker.BuyToOpen, "200")
	d.trade("cover", call, broker.SellToOpen, "2")
	d.trade("puts", put, broker.SellToOpen, "3")
	d.trade("", "QQQ", broker.BuyToOpen, "10")
	d.quote("SPY", 502)
	d.quote("QQQ", 418)
	d.quote(call, 2.5)
	d.quote(put, 0.6)
	d.trade("puts", put, broker.BuyToClose, "1")
	d.to("2026-03-04 16:10")
	wednesday := d.daily()
	c := wednesday.Change
	assert.Empty(t, c.Unpriced)
	assert.True(t, c.Unbooked.IsZero())
	// 200·2 − 2·100·0.5 on the covered call, 3·100·0.4 on the puts, −20 on QQQ.
	assert.Equal(t, "400", c.Total.Sub(c.Fees).String())
	assert.Equal(t, "40", c.Realized.Round(6).String(), "one put sold at 1 and bought at 0.6")
	assert.Equal(t, "360", c.Unrealized.Round(6).String())
	assert.Equal(t, 5, c.Trades)
	assert.Equal(t, "300", line(t, c.ByStrategy, "cover").Total.Sub(line(t, c.ByStrategy, "cover").Fees).String())
	puts := line(t, c.ByStrategy, "puts")
	assert.Equal(t, "120", puts.Total.Sub(puts.Fees).String())
	assert.Equal(t, "40", puts.Realized.Round(6).String())
	assert.Equal(t, 2, puts.Trades)
	assert.Equal(t, "-20", line(t, c.ByStrategy, "").Unrealized.String())
	assert.Equal(t, "-20", line(t, c.ByUnderlying, "QQQ").Unrealized.String())
	assert.Negative(t, c.Fees.Sign())
	assert.Equal(t, c.Total.Sub(c.Fees).String(), c.Explained.Trading.String(), "all of it was traded that day")
	assert.True(t, wednesday.Greeks.Theta.Known())
	assert.Positive(t, float64(wednesday.Greeks.Theta), "options were sold")
	for _, part := range [][]report.Exposure{wednesday.Exposures, wednesday.Strategies} {
		theta, value := 0.0, decimal.Zero
		for _, e := range part {
			theta, value = theta+float64(e.Greeks.Theta), value.Add(*e.Value)
		}
		assert.InDelta(t, float64(wednesday.Greeks.Theta), theta, 1e-9)
		assert.True(t, wednesday.NetLiquidating.Sub(*wednesday.Cash).Sub(value).Abs().LessThan(decimal.New(1, -6)))
	}
	assert.Equal(t, []string{"", "cover", "puts"}, []string{wednesday.Strategies[0].Name, wednesday.Strategies[1].Name, wednesday.Strategies[2].Name})

	d.again() // another process
	d.to("2026-03-05 10:00")
	d.quote("SPY", 503)
	d.quote("QQQ", 418)
	d.quote(call, 3)
	d.quote(put, 0.3)
	require.NoError(t, d.Transfer(account, *dec("5000"), "wire"))
	d.to("2026-03-05 16:10")
	thursday := d.daily().Change
	assert.Equal(t, "5000", thursday.Transfers.String())
	assert.Equal(t, "350", thursday.Income.String(), "200 shares · 1.75")
	assert.Equal(t, "350", line(t, thursday.ByStrategy, "cover").Income.String())
	assert.Zero(t, thursday.Trades)
	assert.Equal(t, "200", line(t, thursday.ByUnderlying, "SPY").Explained.Delta.Sub(optionDelta(t, wednesday, 1)).Round(0).String(), "200 shares · 1")
	assert.True(t, thursday.Fees.IsZero())

	d.to("2026-03-06 10:00")
	d.quote("SPY", 508)
	d.quote("QQQ", 417)
	d.to("2026-03-06 16:00")
	d.to("2026-03-06 18:30")
	friday := d.daily()
	f := friday.Change
	// The calls were assigned and took the shares, the puts expired.
	require.Len(t, friday.Positions, 1)
	assert.Equal(t, market.Symbol("QQQ"), friday.Positions[0].Symbol)
	cover := line(t, f.ByStrategy, "cover")
	// The shares go at 505, from a mark of 503, and the calls from 3 to nothing.
	assert.Equal(t, "1000", cover.Total.Sub(cover.Fees).String())
	puts = line(t, f.ByStrategy, "puts")
	assert.Equal(t, "60", puts.Total.Sub(puts.Fees).String(), "two puts from 0.3 to nothing")
	assert.Equal(t, "200", puts.Realized.Round(6).String(), "two puts sold at 1")
	assert.Equal(t, "-140", puts.Unrealized.Round(6).String(), "of which 0.7 each were open profit the day before")
	assert.Equal(t, "1400", cover.Realized.Round(6).String(), "200 shares from 500 to 505 and two calls sold at 2")
}

// optionDelta is what options explained by delta for a move.
func optionDelta(t *testing.T, before *report.Daily, ds float64) decimal.Decimal {
	t.Helper()
	sum := decimal.Zero
	for _, h := range before.Positions {
		if _, ok := h.Symbol.Contract(); ok {
			sum = sum.Add(decimal.NewFromFloat(float64(h.Delta) * ds).Round(2))
		}
	}
	return sum
}

// Greeks and the explanation against the model itself: European options, whose
// prices, volatilities and Greeks are those of options.BSM.
func TestTheExplanationIsTheTaylorSeriesAndTheRestIsExact(t *testing.T) {
	type leg struct {
		symbol   market.Symbol
		kind     options.Kind
		strike   float64
		quantity string
		vol      float64
	}
	legs := []leg{
		{"SPXW  260417C05000000", options.Call, 5000, "3", 0.18}, {"SPXW  260417P04900000", options.Put, 4900, "-5", 0.21},
		{"SPXW  260515C05200000", options.Call, 5200, "-4", 0.16}, {"SPXW  260515P04700000", options.Put, 4700, "7", 0.24},
	}
	for name, move := range map[string]struct{ ds, dvol, allowed float64 }{
		"nothing": {0, 0, 0.02}, "price": {12, 0, 0.05}, "down": {-12, 0, 0.05}, "volatility": {0, 0.006, 0.03}, "both": {9, -0.005, 0.05},
	} {
		t.Run(name, func(t *testing.T) {
			const before = "2026-03-03 16:15"
			d := newDesk(t, before, func(o *paper.Options) { o.Unchecked, o.Fees = true, nil })
			expiry := func(s market.Symbol) float64 {
				c, _ := s.Contract()
				return options.YearsToExpiry(d.clock.Now(), options.ExpiryTime(c.Expiration, market.SettledPM, nil))
			}
			model := func(l leg, spot, vol float64) options.BSM {
				return options.BSM{Spot: spot, Strike: l.strike, Years: expiry(l.symbol), Vol: vol}
			}
			spot := 4980.0
			fake := &book{}
			r, err := report.New(d.tenant, fake, d.source, &report.Options{Clock: d.clock})
			require.NoError(t, err)
			set := func(vol float64) (value float64) {
				fake.positions = nil
				d.source.quotes["SPX"] = quoteAt("SPX", spot, math.NaN())
				for _, l := range legs {
					price := model(l, spot, l.vol+vol).Price(l.kind)
					mark, average := decimal.NewFromFloat(price), decimal.NewFromInt(10)
					fake.positions = append(fake.positions, broker.Position{
						Account: account, Symbol: l.symbol, Underlying: "SPX", Kind: market.KindOption, Quantity: *dec(l.quantity),
						Multiplier: decimal.NewFromInt(100), Mark: &mark, AverageOpenPrice: &average,
					})
					value += price * 100 * dec(l.quantity).InexactFloat64()
				}
				return value
			}
			v0 := set(0)
			first, err := r.Daily(t.Context(), account)
			require.NoError(t, err)
			var delta, gamma, theta, vega float64
			for i, l := range legs {
				size := 100 * dec(l.quantity).InexactFloat64()
				g := model(l, spot, l.vol).Greeks(l.kind)
				h := first.Positions[i]
				assert.InEpsilon(t, l.vol, float64(h.Vol), 1e-9)
				assert.InEpsilon(t, size*g.Delta, float64(h.Delta), 1e-7)
				assert.InEpsilon(t, size*g.Gamma, float64(h.Gamma), 1e-7)
				assert.InEpsilon(t, size*g.Theta/365, float64(h.Theta), 1e-7)
				assert.InEpsilon(t, size*g.Vega/100, float64(h.Vega), 1e-7)
				delta += cent(size * g.Delta * move.ds)
				gamma += cent(size * 0.5 * g.Gamma * move.ds * move.ds)
				theta += cent(size * g.Theta / 365)
				vega += cent(size * g.Vega * move.dvol)
			}
			d.clock.Set(newYork(t, "2026-03-04 16:15"))
			spot += move.ds
			v1 := set(move.dvol)
			second, err := r.Daily(t.Context(), account)
			require.NoError(t, err)
			c := second.Change
			adds(t, c)
			e := c.Explained
			assert.InDelta(t, v1-v0, c.Total.InexactFloat64(), 1e-6)
			assert.InDelta(t, delta, e.Delta.InexactFloat64(), 1e-9)
			assert.InDelta(t, gamma, e.Gamma.InexactFloat64(), 1e-9)
			assert.InDelta(t, theta, e.Theta.InexactFloat64(), 1e-9)
			assert.InDelta(t, vega, e.Vega.InexactFloat64(), 1e-9)
			assert.InDelta(t, v1-v0-delta-gamma-theta-vega, e.Unexplained.InexactFloat64(), 1e-6)
			gross := math.Abs(delta) + math.Abs(gamma) + math.Abs(theta) + math.Abs(vega)
			assert.Less(t, math.Abs(e.Unexplained.InexactFloat64()), move.allowed*gross, "of %.2f", gross)
			assert.Empty(t, c.Unmeasured)
		})
	}
}

func cent(x float64) float64 { return decimal.NewFromFloat(x).Round(2).InexactFloat64() }

// American options against the American model's own prices.
func TestAmericanOptionsAreMeasuredByTheAmericanModel(t *testing.T) {
	const rate = 0.045
	symbol := market.Symbol("SPY   260618P00520000") // in the money: early exercise is worth something
	expiry := options.ExpiryTime(market.Date{Year: 2026, Month: 6, Day: 18}, market.SettledPM, nil)
	b := &book{}
	clock := market.NewManualClock(newYork(t, "2026-03-03 16:15"))
	s := &source{quotes: map[market.Symbol]market.Quote{}}
	r, err := report.New(newTenant(t), b, s, &report.Options{Clock: clock, Rate: rate})
	require.NoError(t, err)
	set := func(spot, vol float64) (options.BSM, float64) {
		m := options.BSM{Spot: spot, Strike: 520, Years: options.YearsToExpiry(clock.Now(), expiry), Rate: rate, Vol: vol}
		price := m.American(options.Put, options.Accuracy1e8)
		mark, average := decimal.NewFromFloat(price), decimal.NewFromInt(20)
		b.positions = []broker.Position{{
			Account: account, Symbol: symbol, Underlying: "SPY", Kind: market.KindOption, Quantity: *dec("-4"), Multiplier: decimal.NewFromInt(100),
			Mark: &mark, AverageOpenPrice: &average,
		}}
		s.quotes["SPY"] = quoteAt("SPY", spot, math.NaN())
		return m, price
	}
	m, p0 := set(500, 0.2)
	first, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	h, g := first.Positions[0], m.AmericanGreeks(options.Put, options.Accuracy1e8)
	assert.InEpsilon(t, 0.2, float64(h.Vol), 1e-4)
	assert.InEpsilon(t, -400*g.Delta, float64(h.Delta), 1e-4)
	assert.InEpsilon(t, -4*g.Vega, float64(h.Vega), 1e-3)
	european := m.Greeks(options.Put)
	assert.Greater(t, math.Abs(-400*european.Delta-float64(h.Delta)), 10.0, "which is not the European one")
	clock.Set(newYork(t, "2026-03-04 16:15"))
	_, p1 := set(503, 0.204)
	second, err := r.Daily(t.Context(), account)
	require.NoError(t, err)
	adds(t, second.Change)
	e := second.Change.Explained
	assert.InDelta(t, -400*(p1-p0), second.Change.Total.InexactFloat64(), 1e-6)
	gross := e.Delta.Abs().Add(e.Gamma.Abs()).Add(e.Theta.Abs()).Add(e.Vega.Abs()).InexactFloat64()
	assert.Less(t, math.Abs(e.Unexplained.InexactFloat64()), 0.02*gross, "of %.2f", gross)
}
