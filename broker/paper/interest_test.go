package paper_test

import (
	"errors"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

func TestBorrowedCashCostsTheRateOfItsTier(t *testing.T) {
	for _, c := range []struct{ cash, want string }{
		{"-10000", "-10091.67"}, // 11 % of 10,000 for 30 days
		{"-30000", "-30262.5"},  // 10.5 %
		{"-90000", "-90750"},    // 10 %
		{"5000", "5000"},        // idle cash earns nothing in this table
	} {
		d := newDesk(t, "2026-03-31 17:00", func(o *paper.Options) {
			o.Accounts[0].Cash = *dec(c.cash)
			o.Lifecycle.Interest = paper.TastytradeInterest()
		})
		d.to("2026-04-30 15:59") // from the close of April 1
		assert.Equal(t, c.cash, d.cash())
		d.to("2026-04-30 16:00")
		assert.Equal(t, c.want, d.cash(), "30 days, from April 1 to May 1, over 360")
	}
}

func TestRatesChangeOnTheirDay(t *testing.T) {
	tier := func(rate string) []paper.InterestTier { return []paper.InterestTier{{Rate: *dec(rate)}} }
	table := paper.InterestTable{{Debit: tier("0.36"), Credit: tier("0.036")}, {From: march(16), Debit: tier("0.72"), Credit: tier("0")}}
	d := newDesk(t, "2026-03-13 10:00", func(o *paper.Options) {
		o.Accounts[0].Cash = *dec("10000")
		o.Lifecycle.Interest = table
	})
	d.to("2026-03-31 16:00")
	assert.Equal(t, "10003", d.cash(), "Friday to Monday at 3.6 %, nothing after it")

	for field, table := range map[string]paper.InterestTable{
		"Lifecycle.Interest[1].From":           {{From: march(3)}, {From: march(3)}},
		"Lifecycle.Interest[0].Debit[1].From":  {{Debit: []paper.InterestTier{{From: *dec("5")}, {From: *dec("5")}}}},
		"Lifecycle.Interest[0].Credit[0].From": {{Credit: []paper.InterestTier{{From: *dec("-5")}}}},
	} {
		_, err := paper.New(&paper.Options{Start: clockAt(t, tuesday), Lifecycle: paper.Lifecycle{Interest: table}})
		fe, ok := errors.AsType[*broker.FieldError](err)
		require.True(t, ok, field)
		assert.Equal(t, field, fe.Field)
	}
	for field, life := range map[string]paper.Lifecycle{
		"Lifecycle.Early":      {Early: 9},
		"Lifecycle.EarlyShare": {EarlyShare: 1.5},
		"Lifecycle.Grace":      {Grace: -1},
	} {
		_, err := paper.New(&paper.Options{Start: clockAt(t, tuesday), Lifecycle: life})
		fe, ok := errors.AsType[*broker.FieldError](err)
		require.True(t, ok, field)
		assert.Equal(t, field, fe.Field)
	}
}

func TestShortSharesCostTheirBorrowFee(t *testing.T) {
	d := newDesk(t, "2026-03-06 10:00", func(o *paper.Options) {
		o.Accounts[0].Cash = *dec("200000")
		o.Accounts[0].Positions = []paper.Position{{Symbol: "XYZ", Quantity: *dec("-100"), AverageOpenPrice: *dec("100")}}
		o.BorrowRate = func(symbol market.Symbol, _ time.Time) float64 { return 0.36 }
		o.Lifecycle.Interest = paper.InterestTable{{Credit: []paper.InterestTier{{Rate: *dec("0.36")}}}}
	})
	d.quote("XYZ", 99.9, 100.1)
	d.to("2026-03-06 16:00")
	assert.Equal(t, "199970", d.cash(), "10,000 × 36 % × 3 / 360 over the weekend")
	d.to("2026-03-09 16:00")
	assert.Equal(t, "199960", d.cash())
}

func TestMarginCallsStandUntilTheyAreMet(t *testing.T) {
	d := newDesk(t, tuesday, func(o *paper.Options) {
		o.Accounts[0].Cash = *dec("-60000")
		o.Accounts[0].Positions = []paper.Position{{Symbol: "XYZ", Quantity: *dec("1000"), AverageOpenPrice: *dec("100")}}
	})
	d.quote("XYZ", 99.9, 100.1)
	d.to("2026-03-03 16:00")
	calls, err := d.MarginCalls(account)
	require.NoError(t, err)
	assert.Empty(t, calls, "40,000 of equity and 25,000 asked for")
	d.to("2026-03-04 10:00")
	d.quote("XYZ", 69.9, 70.1)
	d.to("2026-03-05 16:00")
	calls, err = d.MarginCalls(account)
	require.NoError(t, err)
	require.Len(t, calls, 1)
	assert.Equal(t, broker.MaintenanceCall, calls[0].Kind)
	assert.Equal(t, "7500", calls[0].Amount.String(), "10,000 of equity and 17,500 asked for")
	assert.Equal(t, march(4), calls[0].Since)
	assert.Equal(t, 2, calls[0].Closes)
	notices, err := d.Notices(account)
	require.NoError(t, err)
	require.Len(t, notices, 1)
	assert.Equal(t, "margin_call", notices[0].Code)
	assert.Equal(t, "1000 XYZ", d.holdings(), "nobody sells by himself")
	require.NoError(t, d.Transfer(account, decimal.NewFromInt(7500), "deposit"))
	d.to("2026-03-06 16:00")
	calls, err = d.MarginCalls(account)
	require.NoError(t, err)
	assert.Empty(t, calls)
	_, err = d.MarginCalls("other")
	assert.ErrorIs(t, err, broker.ErrUnknownAccount)
}

func TestLiquidationSellsWhatIsNeeded(t *testing.T) {
	d := newDesk(t, tuesday, func(o *paper.Options) {
		o.Accounts[0].Cash = *dec("-60000")
		o.Accounts[0].Positions = []paper.Position{{Symbol: "XYZ", Quantity: *dec("1000"), AverageOpenPrice: *dec("100")}}
		o.Lifecycle.Liquidate = true
		o.Lifecycle.Grace = 1
	})
	d.quote("XYZ", 70, 70)
	gtc := d.order(broker.Limit, "200", leg("XYZ", sellClose, "1"))
	gtc.TimeInForce = broker.GTC
	resting := d.place(gtc)
	d.to("2026-03-04 15:59")
	assert.Equal(t, "1000 XYZ", d.holdings(), "the call has stood at one close")
	d.to("2026-03-04 16:00")
	assert.Equal(t, broker.Cancelled, d.now(resting).Status)
	require.NoError(t, d.Quote(paper.Quote{Symbol: "XYZ", Time: clockAt(t, "2026-03-05 09:30:01"), Bid: 70, Ask: 70, BidSize: 1e6, AskSize: 1e6}))
	assert.Equal(t, "571 XYZ", d.holdings(), "7,500 are missing and each share of 70 frees 17.50: 429 are sold")
	d.to("2026-03-05 16:00")
	calls, err := d.MarginCalls(account)
	require.NoError(t, err)
	assert.Empty(t, calls)
}

func TestLiquidationClosesWholeStrategies(t *testing.T) {
	short, long := market.Symbol("XYZ   260619P00100000"), market.Symbol("XYZ   260619P00090000")
	d := newDesk(t, tuesday, func(o *paper.Options) {
		o.Accounts[0].Cash = *dec("3000")
		o.Accounts[0].Positions = []paper.Position{
			{Symbol: short, Quantity: *dec("-4"), AverageOpenPrice: *dec("3")},
			{Symbol: long, Quantity: *dec("4"), AverageOpenPrice: *dec("1")},
		}
		o.Lifecycle.Liquidate = true
	})
	d.quote("XYZ", 99, 101)
	d.quote(short, 3, 3)
	d.quote(long, 1, 1)
	d.to("2026-03-03 16:00")
	require.NoError(t, d.Quote(paper.Quote{Symbol: short, Time: clockAt(t, "2026-03-04 09:30:01"), Bid: 3, Ask: 3, BidSize: 100, AskSize: 100}))
	require.NoError(t, d.Quote(paper.Quote{Symbol: long, Time: clockAt(t, "2026-03-04 09:30:02"), Bid: 1, Ask: 1, BidSize: 100, AskSize: 100}))
	assert.Empty(t, d.holdings())
	assert.Equal(t, "2200", d.cash())
}

func TestTheLifecycleSurvivesASnapshot(t *testing.T) {
	opts := &paper.Options{Start: clockAt(t, tuesday), Accounts: []paper.Account{{
		Account: broker.Account{ID: account, Margin: true}, Cash: *dec("-20000"),
		Positions: []paper.Position{
			{Symbol: "XYZ", Quantity: *dec("300"), AverageOpenPrice: *dec("100")},
			{Symbol: "XYZ   260306C00090000", Quantity: *dec("1"), AverageOpenPrice: *dec("9")},
		},
	}}, Lifecycle: paper.Lifecycle{Interest: paper.TastytradeInterest()}}
	x, err := paper.New(opts)
	require.NoError(t, err)
	require.NoError(t, x.Announce(
		paper.CorporateAction{Symbol: "XYZ", Ex: march(4), Pay: march(20), Amount: *dec("1")},
		paper.CorporateAction{Symbol: "XYZ", Ex: march(18), New: 3, Old: 2},
	))
	require.NoError(t, x.DoNotExercise(account, "XYZ   260306C00090000", true))
	require.NoError(t, x.Trade(paper.Trade{Symbol: "XYZ", Price: 100, Size: 1}))
	require.NoError(t, x.Advance(clockAt(t, "2026-03-05 12:00")))
	data, err := x.Snapshot()
	require.NoError(t, err)
	y, err := paper.Restore(data, opts)
	require.NoError(t, err)
	for _, e := range []*paper.Exchange{x, y} {
		require.NoError(t, e.Advance(clockAt(t, "2026-04-01 09:30")))
	}
	one, err := x.Snapshot()
	require.NoError(t, err)
	two, err := y.Snapshot()
	require.NoError(t, err)
	assert.Equal(t, string(one), string(two))
	positions, err := y.Broker().Positions(t.Context(), account)
	require.NoError(t, err)
	require.Len(t, positions, 1)
	assert.Equal(t, "450", positions[0].Quantity.String())
}
