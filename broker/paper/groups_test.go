package paper_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// bracket is 10 SPY bought at the market with a target of 520 and a stop of 490.
func (d *desk) bracket() []broker.OrderState {
	target := d.order(broker.Limit, "520", leg("SPY", sellClose, "10"))
	stop := d.order(broker.Stop, "490", leg("SPY", sellClose, "10"))
	target.TimeInForce, stop.TimeInForce = broker.GTC, broker.GTC
	return d.group(broker.Bracket, d.order(broker.Limit, "500", leg("SPY", buyOpen, "10")), target, stop)
}

func (d *desk) statuses(orders []broker.OrderState) []broker.Status {
	out := make([]broker.Status, len(orders))
	for i, o := range orders {
		out[i] = d.now(o).Status
	}
	return out
}

func TestABracketSendsItsExitsAndOneCancelsTheOther(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 505, 505.1)
	g := d.bracket()
	assert.Equal(t, []broker.Status{broker.Live, broker.Contingent, broker.Contingent}, d.statuses(g))
	assert.NotEmpty(t, g[0].Group)
	assert.Equal(t, g[0].Group, g[2].Group)
	d.quote("SPY", 499, 499.5)
	assert.Equal(t, []broker.Status{broker.Filled, broker.Live, broker.Live}, d.statuses(g))
	d.quote("SPY", 521, 521.1)
	assert.Equal(t, []broker.Status{broker.Filled, broker.Filled, broker.Cancelled}, d.statuses(g))
	assert.Equal(t, []string{"10@521"}, d.fills(g[1]))
	assert.Equal(t, "100215", d.cash(), "100000 + 10·(521 − 499.5)")
}

func TestAPartFilledByOneIsTakenFromTheOther(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 499, 499.5)
	g := d.bracket()
	d.quote("SPY", 520, 520.1, 4, 4)
	assert.Equal(t, []broker.Status{broker.Filled, broker.Live, broker.Live}, d.statuses(g))
	d.quote("SPY", 489, 489.1)
	assert.Equal(t, []string{"4@520"}, d.fills(g[1]))
	assert.Equal(t, []string{"6@489"}, d.fills(g[2]))
	assert.Equal(t, []broker.Status{broker.Filled, broker.Cancelled, broker.Cancelled}, d.statuses(g))
}

func TestExitsAreSentForThePartThatFilled(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 499, 499.5, 3, 3)
	g := d.bracket()
	_, err := d.Cancel(t.Context(), account, g[0].ID)
	require.NoError(t, err)
	assert.Equal(t, []broker.Status{broker.Cancelled, broker.Live, broker.Live}, d.statuses(g))
	d.quote("SPY", 489, 489.1)
	assert.Equal(t, []string{"3@489"}, d.fills(g[2]))
	p, err := d.Positions(t.Context(), account)
	require.NoError(t, err)
	assert.Empty(t, p)
}

func TestWithoutAFillNothingIsSent(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 505, 505.1)
	g := d.bracket()
	d.to("2026-03-03 16:00")
	assert.Equal(t, []broker.Status{broker.Expired, broker.Cancelled, broker.Cancelled}, d.statuses(g))
}

func TestTheFirstOfAnOCOCancelsTheRest(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1)
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
	g := d.group(broker.OCO,
		d.order(broker.Limit, "510", leg("SPY", sellClose, "10")),
		d.order(broker.Stop, "490", leg("SPY", sellClose, "10")),
		d.order(broker.Limit, "350", leg("QQQ", buyOpen, "10")))
	d.quote("SPY", 489, 489.1)
	assert.Equal(t, []broker.Status{broker.Cancelled, broker.Filled, broker.Cancelled}, d.statuses(g))
	assert.Contains(t, d.now(g[0]).Reason, "of its group filled")
}

func TestAnOTOSendsEachOfTheOthers(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1)
	d.quote("QQQ", 400, 400.1)
	g := d.group(broker.OTO,
		d.order(broker.Limit, "499", leg("SPY", buyOpen, "10")),
		d.order(broker.Market, "", leg("QQQ", sellOpen, "10")),
		d.order(broker.Limit, "505", leg("SPY", sellClose, "10")))
	d.quote("SPY", 498, 498.5)
	assert.Equal(t, []broker.Status{broker.Filled, broker.Filled, broker.Live}, d.statuses(g))
}

func TestAReplacedExitStaysInItsGroup(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 499, 499.5)
	g := d.bracket()
	stop := d.order(broker.Stop, "495", leg("SPY", sellClose, "10"))
	r, err := d.Replace(t.Context(), account, g[2].ID, stop)
	require.NoError(t, err)
	assert.Equal(t, g[0].Group, r.Group)
	d.quote("SPY", 520, 520.1)
	assert.Equal(t, broker.Filled, d.now(g[1]).Status)
	assert.Equal(t, broker.Cancelled, d.now(*r).Status)
}

func TestACombinationFillsWholeUnitsAtItsLegsQuotes(t *testing.T) {
	const put480, put470 = market.Symbol("SPY   260320P00480000"), market.Symbol("SPY   260320P00470000")
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1)
	d.quote(put480, 3.00, 3.20, 10, 10)
	d.quote(put470, 1.90, 2.00, 10, 3)
	s := d.place(d.order(broker.Limit, "1.05", leg(put480, sellOpen, "5"), leg(put470, buyOpen, "5")))
	assert.Empty(t, d.fills(s), "3.00 − 2.00 is less than 1.05")
	d.quote(put480, 3.10, 3.20, 10, 10)
	assert.Equal(t, []string{"3@3.1", "3@2"}, d.fills(s), "three units, by the size of the one leg")
	d.quote(put470, 1.90, 2.04, 10, 10)
	assert.Equal(t, []string{"3@3.1", "3@2", "2@3.1", "2@2.04"}, d.fills(s), "1.06 a unit is better than asked for")
	assert.Equal(t, "100542", d.cash(), "100000 + 300·1.10 + 200·1.06")
	ratio := d.place(d.order(broker.Limit, "4.20", leg(put480, sellOpen, "2"), leg(put470, buyOpen, "1")))
	assert.Empty(t, d.fills(ratio), "2·3.10 − 2.04 is 4.16")
	d.quote(put480, 3.12, 3.20, 3, 10)
	assert.Equal(t, []string{"2@3.12", "1@2.04"}, d.fills(ratio), "2·3.12 − 2.04 is 4.20")
}

func TestSharesAndOptionsInOneOrderHaveAPricePerShare(t *testing.T) {
	const call = market.Symbol("SPY   260320C00510000")
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.10)
	d.quote(call, 4.00, 4.10)
	s := d.place(d.order(broker.Limit, "-496.09", leg("SPY", buyOpen, "200"), leg(call, sellOpen, "2")))
	assert.Empty(t, d.fills(s))
	d.quote(call, 4.01, 4.10)
	assert.Equal(t, []string{"200@500.1", "2@4.01"}, d.fills(s))
	assert.Equal(t, "782", d.cash(), "100000 − 200·500.10 + 200·4.01")
}

func TestACombinationAtTheMarket(t *testing.T) {
	const put480, put470 = market.Symbol("SPY   260320P00480000"), market.Symbol("SPY   260320P00470000")
	d := newDesk(t, tuesday)
	d.quote(put480, 3.00, 3.20)
	d.quote("SPY", 500, 500.1)
	s := d.place(d.order(broker.Market, "", leg(put480, sellOpen, "1"), leg(put470, buyOpen, "1")))
	assert.Empty(t, d.fills(s), "a leg without a quote")
	d.quote(put470, 1.90, 2.00)
	assert.Equal(t, []string{"1@3", "1@2"}, d.fills(s))
}

func TestAReplacedFirstOrderStillSendsTheOthers(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 505, 505.1, 3, 3)
	partly := d.order(broker.Limit, "505.1", leg("SPY", buyOpen, "10"))
	g := d.group(broker.OTO, partly, d.order(broker.Limit, "520", leg("SPY", sellClose, "10")))
	require.Equal(t, []string{"3@505.1"}, d.fills(g[0]))
	r, err := d.Replace(t.Context(), account, g[0].ID, d.order(broker.Limit, "504", leg("SPY", buyOpen, "7")))
	require.NoError(t, err)
	assert.Equal(t, broker.Contingent, d.now(g[1]).Status, "a replaced order has not ended without a successor")
	d.quote("SPY", 503, 503.5)
	assert.Equal(t, broker.Filled, d.now(*r).Status)
	assert.Equal(t, broker.Live, d.now(g[1]).Status)
}
