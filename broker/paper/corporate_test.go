package paper_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

func march(day int) market.Date { return market.Date{Year: 2026, Month: time.March, Day: day} }

// owning opens a desk on Tuesday 2026-03-03 with positions at an average of 100.
func owning(t testing.TB, holdings map[market.Symbol]string) *desk {
	t.Helper()
	return newDesk(t, tuesday, func(o *paper.Options) {
		for symbol, n := range holdings {
			o.Accounts[0].Positions = append(o.Accounts[0].Positions, paper.Position{Symbol: symbol, Quantity: *dec(n), AverageOpenPrice: *dec("100")})
		}
	})
}

func TestDividendsGoToWhoHeldTheDayBefore(t *testing.T) {
	d := owning(t, map[market.Symbol]string{"XYZ": "150", "ABC": "-100"})
	require.NoError(t, d.Announce(
		paper.CorporateAction{Symbol: "XYZ", Ex: march(4), Pay: march(13), Amount: *dec("0.333")},
		paper.CorporateAction{Symbol: "ABC", Ex: march(5), Amount: *dec("0.25")},
	))
	d.to("2026-03-04 09:30")
	assert.Equal(t, "100000", d.cash())
	d.quote("XYZ", 99, 99.2)
	d.place(d.order(broker.Market, "", leg("XYZ", sellClose, "150"))) // after the ex-date began
	d.to("2026-03-05 09:30")
	assert.Equal(t, "114825", d.cash(), "14,850 of the sale; 25 owed on the short shares on their ex-date")
	d.to("2026-03-12 16:00")
	assert.Equal(t, "114825", d.cash())
	d.to("2026-03-13 09:30")
	assert.Equal(t, "114874.95", d.cash(), "150 × 0.333 on the day of payment")
}

func TestSplitsOfShares(t *testing.T) {
	d := owning(t, map[market.Symbol]string{"XYZ": "10", "ABC": "-25", "DEF": "1.5"})
	d.quote("XYZ", 99, 101)
	d.quote("ABC", 9.9, 10.1)
	s := d.place(d.order(broker.Limit, "50", leg("XYZ", buyOpen, "1")))
	require.NoError(t, d.Announce(
		paper.CorporateAction{Symbol: "XYZ", Ex: march(4), New: 4, Old: 1},
		paper.CorporateAction{Symbol: "ABC", Ex: march(4), New: 1, Old: 10},
		paper.CorporateAction{Symbol: "DEF", Ex: march(4), New: 3, Old: 1},
	))
	before, err := d.Balances(t.Context(), account)
	require.NoError(t, err)
	_ = before
	gtc := d.order(broker.Limit, "40", leg("XYZ", buyOpen, "1"))
	gtc.TimeInForce = broker.GTC
	resting := d.place(gtc)
	d.to("2026-03-04 00:00")
	assert.Equal(t, "-2 ABC, 4.5 DEF, 40 XYZ", d.holdings())
	assert.Equal(t, "99950", d.cash(), "half a share of 100 is bought back")
	assert.Equal(t, broker.Cancelled, d.now(resting).Status)
	assert.Equal(t, broker.Expired, d.now(s).Status)
	all, err := d.Positions(t.Context(), account)
	require.NoError(t, err)
	for _, p := range all {
		switch p.Symbol {
		case "XYZ":
			assert.Equal(t, "25", p.AverageOpenPrice.String())
			assert.Equal(t, "25", p.Mark.String())
		case "ABC":
			assert.Equal(t, "100", p.Mark.String())
		}
	}
}

func TestSplitsOfOptions(t *testing.T) {
	// Two strikes of which one becomes the other.
	d := owning(t, map[market.Symbol]string{"XYZ   260320C00100000": "2", "XYZ   260320C00025000": "-1"})
	d.quote("XYZ", 119, 121)
	d.quote("XYZ   260320C00100000", 21, 23)
	d.quote("XYZ   260320C00025000", 95, 97)
	require.NoError(t, d.Announce(paper.CorporateAction{Symbol: "XYZ", Ex: march(4), New: 4, Old: 1}))
	d.to("2026-03-04 09:30")
	assert.Equal(t, "-4 XYZ   260320C00006250, 8 XYZ   260320C00025000", d.holdings())
	assert.Equal(t, 5.5, d.Mark("XYZ   260320C00025000"))
	assert.Equal(t, 24.0, d.Mark("XYZ   260320C00006250"))

	// One for ten: the contract stays as it is and delivers ten shares.
	d = owning(t, map[market.Symbol]string{"XYZ   260320C00010000": "3"})
	d.quote("XYZ", 11.9, 12.1)
	require.NoError(t, d.Announce(paper.CorporateAction{Symbol: "XYZ", Ex: march(4), New: 1, Old: 10}))
	d.to("2026-03-04 09:30")
	assert.Equal(t, "3 XYZ1  260320C00010000", d.holdings())
	require.NoError(t, d.Trade(paper.Trade{Symbol: "XYZ", Time: clockAt(t, "2026-03-20 15:59"), Price: 130, Size: 1}))
	d.to("2026-03-20 16:00")
	assert.Equal(t, "30 XYZ", d.holdings(), "ten shares are worth 1300 against 1000 of the strike")
	assert.Equal(t, "97000", d.cash())

	// Three for two, out of the money: 150 shares at 60 are less than 10,000.
	d = owning(t, map[market.Symbol]string{"XYZ   260320C00100000": "1"})
	d.quote("XYZ", 89, 91)
	require.NoError(t, d.Announce(paper.CorporateAction{Symbol: "XYZ", Ex: march(4), New: 3, Old: 2}))
	require.NoError(t, d.Trade(paper.Trade{Symbol: "XYZ", Time: clockAt(t, "2026-03-20 15:59"), Price: 60, Size: 1}))
	d.to("2026-03-20 16:00")
	assert.Empty(t, d.holdings())
	assert.Equal(t, "100000", d.cash())
}

func TestEventsOfASourceBecomeActions(t *testing.T) {
	d := owning(t, map[market.Symbol]string{"XYZ": "300"})
	require.NoError(t, d.AnnounceEvents([]market.Event{
		{Symbol: "XYZ", Kind: market.Dividend, Date: march(4), Value: 1},
		{Symbol: "XYZ", Kind: market.Split, Date: march(5), Value: 1.5},
		{Symbol: "XYZ", Kind: market.Split, Date: march(6), Value: 1.0 / 3},
		{Symbol: "XYZ", Kind: market.Split, Date: march(9), Value: math.NaN()},
		{Symbol: "XYZ", Kind: market.Dividend, Date: march(3), Value: 5}, // has begun
		{Symbol: "XYZ", Kind: market.Earnings, Date: march(9), Value: 5},
	}))
	d.to("2026-03-05 09:30")
	assert.Equal(t, "450 XYZ", d.holdings())
	assert.Equal(t, "100300", d.cash())
	d.to("2026-03-06 09:30")
	assert.Equal(t, "150 XYZ", d.holdings())
}

func TestActionsThatMakeNoSenseAreRefused(t *testing.T) {
	d := owning(t, nil)
	for field, c := range map[string]paper.CorporateAction{
		"Symbol":   {Symbol: "/ESZ6", Ex: march(4), Amount: *dec("1")},
		"Ex":       {Symbol: "XYZ", Ex: march(3), Amount: *dec("1")},
		"Pay":      {Symbol: "XYZ", Ex: march(5), Pay: march(4), Amount: *dec("1")},
		"Amount":   {Symbol: "XYZ", Ex: march(5)},
		"New, Old": {Symbol: "XYZ", Ex: march(5), New: 2},
	} {
		fe, ok := errors.AsType[*broker.FieldError](d.Announce(c))
		require.True(t, ok, field)
		assert.Equal(t, field, fe.Field)
	}
}
