package paper_test

import (
	"math"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// What an order is for can be decided when it fills, and its exits follow.
func TestUnitsAreDecidedAtTheFill(t *testing.T) {
	var seen paper.UnitsInput
	d := newDesk(t, "2026-03-02 20:00", withPath(paper.Pessimistic), func(o *paper.Options) {
		o.Units = func(in paper.UnitsInput) (decimal.Decimal, bool) {
			seen = in
			return in.Equity.Div(decimal.NewFromFloat(in.Price)).Floor(), true
		}
	})
	d.bars(d.daily("SPY", "2026-03-03", 100, 101, 99, 100))
	entry := d.order(broker.Market, "", leg("SPY", buyOpen, "1"))
	entry.Notional, entry.Legs[0].Quantity = dec("100000"), decimal.Zero
	target := d.order(broker.Limit, "120", leg("SPY", sellClose, "1"))
	stop := d.order(broker.Stop, "90", leg("SPY", sellClose, "1"))
	target.TimeInForce, stop.TimeInForce = broker.GTC, broker.GTC
	g := d.group(broker.Bracket, entry, target, stop)
	d.bars(d.daily("SPY", "2026-03-04", 110, 111, 109, 110))
	assert.Equal(t, []string{"909@110"}, d.fills(g[0]))
	assert.Equal(t, 110.0, seen.Price)
	assert.Equal(t, "100000", seen.Cash.String())
	assert.True(t, seen.Used.IsZero())
	d.bars(d.daily("SPY", "2026-03-05", 115, 125, 114, 124))
	assert.Equal(t, []string{"909@120"}, d.fills(g[1]), "the exits are for as many")
	assert.Equal(t, broker.Cancelled, d.now(g[2]).Status)
}

func TestLastingOrdersOutliveTheirDay(t *testing.T) {
	for _, lasting := range []bool{false, true} {
		d := newDesk(t, "2026-03-03 10:00", func(o *paper.Options) { o.Lasting = lasting })
		d.quote("SPY", 500, 500.02)
		s := d.place(d.order(broker.Limit, "490", leg("SPY", buyOpen, "1")))
		d.to("2026-03-04 10:00")
		want := broker.Expired
		if lasting {
			want = broker.Live
		}
		assert.Equal(t, want, d.now(s).Status)
	}
}

// Selling and then buying more than the cash allowed before needs the check to wait.
func TestTheCheckAtTheFillKnowsWhatWasSoldBefore(t *testing.T) {
	for _, late := range []bool{false, true} {
		d := newDesk(t, "2026-03-02 20:00", withPath(paper.NearerFirst), func(o *paper.Options) {
			o.CheckAtFill = late
			o.Accounts[0].Margin = false
		})
		d.bars(d.daily("SPY", "2026-03-03", 100, 101, 99, 100))
		d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "900")))
		d.bars(d.daily("SPY", "2026-03-04", 100, 101, 99, 100))
		d.place(d.order(broker.Market, "", leg("SPY", sellClose, "900")))
		o := d.order(broker.Market, "", leg("QQQ", buyOpen, "900"))
		_, err := d.Place(t.Context(), account, broker.NewTicket(o))
		if !late {
			// Without a price the exchange cannot count; it asks when it fills.
			require.NoError(t, err)
			continue
		}
		require.NoError(t, err)
		big := d.place(d.order(broker.Market, "", leg("IWM", buyOpen, "900")))
		d.bars(d.daily("SPY", "2026-03-05", 100, 101, 99, 100), d.daily("QQQ", "2026-03-05", 100, 101, 99, 100), d.daily("IWM", "2026-03-05", 100, 101, 99, 100))
		assert.Equal(t, broker.Cancelled, d.now(big).Status, "the money is gone")
		positions, err := d.Positions(t.Context(), account)
		require.NoError(t, err)
		require.Len(t, positions, 1)
		assert.Equal(t, market.Symbol("QQQ"), positions[0].Symbol)
	}
}

func TestOrdersAreSplitWithTheirShares(t *testing.T) {
	for _, splits := range []bool{false, true} {
		d := newDesk(t, "2026-03-03 10:00", func(o *paper.Options) { o.SplitOrders, o.Lasting = splits, true })
		require.NoError(t, d.Announce(paper.CorporateAction{Symbol: "SPY", Ex: market.Date{Year: 2026, Month: 3, Day: 4}, New: 4, Old: 1}))
		d.quote("SPY", 500, 500.02)
		s := d.place(d.order(broker.Limit, "480", leg("SPY", buyOpen, "10")))
		d.to("2026-03-04 10:00")
		if !splits {
			assert.Equal(t, broker.Cancelled, d.now(s).Status)
			continue
		}
		d.quote("SPY", 121, 121.02)
		assert.Empty(t, d.fills(s))
		d.quote("SPY", 119, 119.5)
		assert.Equal(t, []string{"40@119.5"}, d.fills(s))
	}
}

// Closing bars leave the last moment of the session to what is known with them.
func TestClosingBarsLeaveTimeToTrade(t *testing.T) {
	d := newDesk(t, "2026-03-03 08:00", withPath(paper.NearerFirst))
	require.NoError(t, d.ClosingBars([]paper.Bar{d.daily("SPY", "2026-03-03", 100, 101, 99, 100)}))
	assert.Equal(t, clockAt(t, "2026-03-03 16:00").UnixNano()-1, d.Now().UnixNano())
	d.quote("SPY", 100, 100)
	s := d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "1")))
	assert.Equal(t, []string{"1@100"}, d.fills(s))
	d.to("2026-03-03 16:00")
	require.NoError(t, d.Bars([]paper.Bar{d.daily("SPY", "2026-03-04", 100, 101, 99, 100)}))
	assert.Equal(t, clockAt(t, "2026-03-04 16:00"), d.Now())
}

// An exchange that forgets keeps what works and the latest of the rest.
func TestAnExchangeCanForget(t *testing.T) {
	events := 0
	d := newDesk(t, "2026-03-03 10:00", func(o *paper.Options) {
		o.Remember, o.Unchecked, o.Brief = 10, true, true
		o.Observer = func(e broker.Event) {
			events++
			assert.Nil(t, e.Balances)
			assert.Nil(t, e.Position)
		}
	})
	d.quote("SPY", 500, 500.02)
	resting := d.place(d.order(broker.Limit, "400", leg("SPY", buyOpen, "1")))
	var latest broker.OrderState
	for i := range 500 {
		action := buyOpen
		if i%2 == 1 {
			action = sellClose
		}
		latest = d.place(d.order(broker.Market, "", leg("SPY", action, "10")))
	}
	assert.Equal(t, "501", string(latest.ID))
	assert.Equal(t, broker.Live, d.now(resting).Status)
	assert.Equal(t, broker.Filled, d.now(latest).Status)
	_, err := d.Order(t.Context(), account, "2")
	require.ErrorIs(t, err, broker.ErrUnknownOrder)
	all, err := d.Orders(t.Context(), account, broker.OrdersQuery{Since: clockAt(t, "2026-03-03 09:00")})
	require.NoError(t, err)
	assert.Less(t, len(all), 100)
	assert.GreaterOrEqual(t, len(all), 11)
	history, err := d.Transactions(t.Context(), account, clockAt(t, "2026-03-03 09:00"), clockAt(t, "2026-03-04 09:00"))
	require.NoError(t, err)
	assert.Less(t, len(history), 100)
	d.quote("SPY", 399, 399.5)
	assert.Equal(t, []string{"1@399.5"}, d.fills(resting))
	d.to("2026-03-05 16:00") // the ends of forgotten day orders come up
	_, err = d.Snapshot()
	var refused *broker.FieldError
	require.ErrorAs(t, err, &refused)
	assert.Greater(t, events, 2000)
}

// A slippage can know whether an order opens.
func TestSlippageKnowsWhatOpens(t *testing.T) {
	d := newDesk(t, "2026-03-03 10:00", func(o *paper.Options) { o.Slippage, o.FreePrices = opening{}, true })
	d.quote("SPY", 500, 500)
	assert.Equal(t, []string{"1@501"}, d.fills(d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "1")))))
	assert.Equal(t, []string{"1@500"}, d.fills(d.place(d.order(broker.Market, "", leg("SPY", sellClose, "1")))))
}

type opening struct{}

func (opening) Slip(s paper.SlipInput) float64 {
	if s.Opens {
		return 1
	}
	return 0
}

// Many orders without a check of the buying power do not make each next one slower.
func TestUncheckedAccountsForgetTheirWorkingOrders(t *testing.T) {
	d := newDesk(t, "2026-03-03 10:00", func(o *paper.Options) { o.Unchecked = true })
	d.quote("SPY", 500, 500.02)
	for i := range 3000 {
		action := buyOpen
		if i%2 == 1 {
			action = sellClose
		}
		d.place(d.order(broker.Market, "", leg("SPY", action, "1")))
	}
	assert.Less(t, d.WorkingLength(account), 64)
	assert.False(t, math.IsNaN(d.Mark("SPY")))
}
