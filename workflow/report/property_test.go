package report_test

import (
	"fmt"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// Whatever is traded, by whomever, over dividends, splits, assignments and
// expirations: the parts add up to the account's cash and marks.
func TestWhateverHappensThePartsAddUp(t *testing.T) {
	instrument := func(s market.Symbol) (market.Instrument, bool) {
		if s != "/ESM6" {
			return market.Instrument{}, false
		}
		return market.Instrument{Symbol: s, Kind: market.KindFuture, Multiplier: 50, Ticks: []market.Tick{{Increment: 0.25}}, Underlying: s, Active: true}, true
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := newDesk(t, "2026-03-02 10:00", func(o *paper.Options) {
			o.Unchecked, o.Instrument = true, instrument
			o.Lifecycle.Interest = paper.TastytradeInterest()
		})
		require.NoError(t, d.Announce(
			paper.CorporateAction{Symbol: "SPY", Ex: market.Date{Year: 2026, Month: 3, Day: 4}, Amount: *dec("1.33")},
			paper.CorporateAction{Symbol: "QQQ", Ex: market.Date{Year: 2026, Month: 3, Day: 5}, New: 2, Old: 1},
		))
		prices := map[market.Symbol]float64{
			"SPY": 500, "QQQ": 420, "/ESM6": 5000, "SPY   260304C00500000": 3, "SPY   260306P00495000": 2, "QQQ   260306C00420000": 4,
		}
		symbols := []market.Symbol{"SPY", "QQQ", "/ESM6", "SPY   260304C00500000", "SPY   260306P00495000", "QQQ   260306C00420000"}
		quote := func() {
			for _, s := range symbols {
				if c, ok := s.Contract(); ok && d.clock.Now().After(c.Expiration.At(16, 0, market.NYSE().Location())) {
					continue
				}
				if s == "QQQ   260306C00420000" && d.clock.Now().After(newYork(t, "2026-03-05 00:00")) {
					continue // it has another name since the split
				}
				prices[s] *= rapid.Float64Range(0.97, 1.03).Draw(rt, "move")
				tick := 100.0
				if s == "/ESM6" {
					tick = 4
				}
				d.quote(s, float64(int(prices[s]*tick))/tick)
			}
		}
		quote()
		first := d.daily()
		require.Nil(t, first.Change)
		for day := 2; day <= 6; day++ {
			d.to(fmt.Sprintf("2026-03-%02d 11:00", day))
			quote()
			for range rapid.IntRange(0, 6).Draw(rt, "trades") {
				symbol := rapid.SampledFrom(symbols).Draw(rt, "symbol")
				strategy := rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "strategy")
				n := rapid.IntRange(1, 7).Draw(rt, "n")
				action := rapid.SampledFrom([]broker.Action{broker.BuyToOpen, broker.SellToOpen, broker.BuyToClose, broker.SellToClose}).Draw(rt, "action")
				// What the exchange refuses is no trade.
				_ = d.try(strategy, symbol, action, fmt.Sprint(n))
			}
			if rapid.Bool().Draw(rt, "transfer") {
				require.NoError(t, d.Transfer(account, *dec("1234.56"), "wire"))
			}
			if rapid.Bool().Draw(rt, "snapshot between") {
				_, err := d.Reporter.Snapshot(t.Context(), account)
				require.NoError(t, err)
			}
			d.to(fmt.Sprintf("2026-03-%02d 14:00", day))
			quote()
			d.to(fmt.Sprintf("2026-03-%02d 18:30", day))
			r := d.daily()
			require.NotNil(t, r.Change)
			assert.True(t, r.Change.Unbooked.IsZero())
			// The broker counts the same value.
			require.NotNil(t, r.BrokerValue)
			require.True(t, r.NetLiquidating.Sub(*r.BrokerValue).Abs().LessThan(decimal.New(1, -6)), "%s %s", r.NetLiquidating, r.BrokerValue)
			for _, h := range r.Positions {
				shares := decimal.Zero
				for _, s := range h.Shares {
					shares = shares.Add(s.Quantity)
				}
				require.True(t, shares.Equal(h.Quantity), "%s of %v", h.Quantity, h.Shares)
			}
			if t.Failed() {
				rt.Fatalf("day %d: %+v", day, r.Change)
			}
		}
		w, err := d.Weekly(t.Context(), account)
		require.NoError(t, err)
		adds(t, w.Change)
		sum := decimal.Zero
		for _, p := range w.Days {
			sum = sum.Add(*p.Profit)
		}
		assert.True(t, sum.Sub(*w.Change.Total).Abs().LessThan(decimal.New(1, -6)), "days %s, week %s", sum, w.Change.Total)
		if t.Failed() {
			rt.FailNow()
		}
	})
}
