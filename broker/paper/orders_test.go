package paper_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

func TestAMarketOrderTakesTheQuoteAndWaitsForTheRest(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.10, 40, 30)
	s := d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "100")))
	assert.Equal(t, broker.Live, s.Status)
	assert.Equal(t, []string{"30@500.1"}, d.fills(s))
	d.quote("SPY", 500, 500.20, 40, 50)
	d.quote("SPY", 500, 500.30, 40, 0)
	assert.Equal(t, []string{"30@500.1", "50@500.2"}, d.fills(s))
	d.quote("SPY", 500, 500.30)
	s = d.now(s)
	assert.Equal(t, broker.Filled, s.Status)
	assert.Equal(t, "100", s.Legs[0].Filled.String())
	assert.Equal(t, "500.19", s.Legs[0].Average.String(), "(30·500.1 + 50·500.2 + 20·500.3) / 100")
	assert.Equal(t, "49981", d.cash())
}

func TestOrdersShareTheSizeOfAQuoteInTheOrderOfTheirTime(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 501)
	first := d.place(d.order(broker.Limit, "500.5", leg("SPY", buyOpen, "60")))
	better := d.place(d.order(broker.Limit, "500.6", leg("SPY", buyOpen, "50")))
	last := d.place(d.order(broker.Limit, "500.5", leg("SPY", buyOpen, "10")))
	d.quote("SPY", 500, 500.4, 100, 100)
	assert.Equal(t, []string{"50@500.4"}, d.fills(better), "the better limit goes first, at the quote")
	assert.Equal(t, []string{"50@500.4"}, d.fills(first))
	assert.Empty(t, d.fills(last))
}

func TestWholeOrdersTakeWholeSizes(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1, 10.7, 10.7)
	assert.Equal(t, []string{"10@500.1"}, d.fills(d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "25")))))
	d.quote("QQQ", 400, 400.1, 0.7, 0.7)
	assert.Equal(t, []string{"0.7@400.1"}, d.fills(d.place(d.order(broker.Market, "", leg("QQQ", buyOpen, "1.5")))), "a fraction was asked for")
}

func TestALimitFillsAtItsLimitWithoutImprovement(t *testing.T) {
	d := newDesk(t, tuesday, func(o *paper.Options) { o.NoImprovement = true })
	d.quote("SPY", 500, 501)
	s := d.place(d.order(broker.Limit, "500.5", leg("SPY", buyOpen, "10")))
	d.quote("SPY", 500, 500.4)
	assert.Equal(t, []string{"10@500.5"}, d.fills(s), "it was waiting in the book")
	taker := d.place(d.order(broker.Limit, "500.5", leg("SPY", buyOpen, "10")))
	assert.Equal(t, []string{"10@500.4"}, d.fills(taker), "it came to a better quote")
}

func TestAStopFillsAtTheWorsePriceAfterAGap(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1)
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "20")))
	stop := d.place(d.order(broker.Stop, "495", leg("SPY", sellClose, "10")))
	limited := d.order(broker.StopLimit, "494.5", leg("SPY", sellClose, "10"))
	limited.Stop = dec("495")
	stopLimit := d.place(limited)
	d.quote("SPY", 495.01, 495.1)
	assert.Empty(t, d.fills(stop))
	d.quote("SPY", 490, 490.1)
	assert.Equal(t, []string{"10@490"}, d.fills(stop))
	assert.Empty(t, d.fills(stopLimit), "triggered, and the bid is below its limit")
	d.quote("SPY", 494.7, 494.8)
	assert.Equal(t, []string{"10@494.7"}, d.fills(stopLimit))
}

func TestTriggersWatchWhatTheyAreToldTo(t *testing.T) {
	for _, c := range []struct {
		trigger       paper.Trigger
		quote, traded bool // what triggers
	}{{paper.TriggerAny, true, true}, {paper.TriggerQuote, true, false}, {paper.TriggerTrade, false, true}} {
		for _, trade := range []bool{false, true} {
			d := newDesk(t, tuesday, func(o *paper.Options) { o.Trigger = c.trigger })
			d.quote("SPY", 500, 500.1)
			d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
			stop := d.place(d.order(broker.Stop, "495", leg("SPY", sellClose, "10")))
			if trade {
				require.NoError(t, d.Trade(paper.Trade{Symbol: "SPY", Price: 494, Size: 1}))
				assert.Equal(t, c.traded, len(d.fills(stop)) > 0, c.trigger)
			} else {
				d.quote("SPY", 494, 494.1)
				assert.Equal(t, c.quote, len(d.fills(stop)) > 0, c.trigger)
			}
		}
	}
}

func TestATrailingStopFollowsTheBestPrice(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1)
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "20")))
	amount := d.order(broker.TrailingStop, "", leg("SPY", sellClose, "10"))
	amount.Trail = &broker.Trail{Amount: dec("5")}
	percent := d.order(broker.TrailingStop, "", leg("SPY", sellClose, "10"))
	percent.Trail = &broker.Trail{Percent: dec("2.5")}
	a, p := d.place(amount), d.place(percent)
	d.quote("SPY", 510, 510.1) // stops at 505 and 497.25
	d.quote("SPY", 506, 506.1)
	d.quote("SPY", 509, 509.1)
	assert.Empty(t, d.fills(a))
	d.quote("SPY", 504.5, 504.6)
	assert.Equal(t, []string{"10@504.5"}, d.fills(a))
	d.quote("SPY", 497.26, 497.3)
	assert.Empty(t, d.fills(p))
	d.quote("SPY", 497.25, 497.3)
	assert.Equal(t, []string{"10@497.25"}, d.fills(p))
	short := d.place(d.order(broker.Market, "", leg("QQQ", sellOpen, "10")))
	d.quote("QQQ", 400, 400.1)
	require.Len(t, d.fills(short), 1)
	cover := d.order(broker.TrailingStop, "", leg("QQQ", buyClose, "10"))
	cover.Trail = &broker.Trail{Amount: dec("3")}
	c := d.place(cover)
	d.quote("QQQ", 389.9, 390) // stop at 393
	d.quote("QQQ", 392.8, 392.9)
	assert.Empty(t, d.fills(c))
	d.quote("QQQ", 392.9, 393)
	assert.Equal(t, []string{"10@393"}, d.fills(c))
}

func TestAPrintFillsWhatItTradedThrough(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 501)
	s := d.place(d.order(broker.Limit, "500.5", leg("SPY", buyOpen, "100")))
	require.NoError(t, d.Trade(paper.Trade{Symbol: "SPY", Price: 500.5, Size: 1000}))
	assert.Empty(t, d.fills(s), "at the limit others may have been first")
	require.NoError(t, d.Trade(paper.Trade{Symbol: "SPY", Price: 500.4, Size: 30}))
	assert.Equal(t, []string{"30@500.5"}, d.fills(s))
}

func TestPrintsAreTheMarketOfASymbolWithoutQuotes(t *testing.T) {
	d := newDesk(t, tuesday)
	buy := d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "100")))
	require.NoError(t, d.Trade(paper.Trade{Symbol: "SPY", Price: 500, Size: 60}))
	require.NoError(t, d.Trade(paper.Trade{Symbol: "SPY", Price: 501, Size: 60}))
	assert.Equal(t, []string{"60@500", "40@501"}, d.fills(buy))
	limit := d.place(d.order(broker.Limit, "499", leg("SPY", buyOpen, "5")))
	require.NoError(t, d.Trade(paper.Trade{Symbol: "SPY", Price: 498, Size: 60}))
	assert.Equal(t, []string{"5@498"}, d.fills(limit))
}

func TestACrossedQuoteOrAMissingSideFillsNothing(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1)
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
	stop := d.place(d.order(broker.Stop, "400", leg("SPY", sellClose, "10")))
	limit := d.place(d.order(broker.Limit, "499", leg("SPY", buyOpen, "10")))
	d.quote("SPY", 499, 300)
	assert.Equal(t, 500.05, d.Mark("SPY"))
	d.quote("SPY", 0, 499.5)
	assert.Empty(t, d.fills(stop), "no bid is no price")
	assert.Empty(t, d.fills(limit))
}

func TestAnImmediateOrderEndsWithWhatFilledAtOnce(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1, 10, 10)
	o := d.order(broker.Limit, "500.1", leg("SPY", buyOpen, "25"))
	o.TimeInForce = broker.IOC
	s := d.place(o)
	assert.Equal(t, broker.Cancelled, s.Status)
	assert.Equal(t, []string{"10@500.1"}, d.fills(s))
	d.to("2026-03-03 17:00")
	o.Tag = "late"
	_, err := d.Place(t.Context(), account, broker.NewTicket(o))
	rejected, ok := errors.AsType[*broker.RejectedError](err)
	require.True(t, ok)
	assert.Equal(t, "session_closed", rejected.Notices[0].Code)
}

func TestTimesInForceEndWhenTheySay(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1)
	with := func(tif broker.TimeInForce, ext bool, till market.Date) broker.OrderState {
		o := d.order(broker.Limit, "100", leg("SPY", buyOpen, "1"))
		o.TimeInForce, o.ExtendedHours, o.GoodTill = tif, ext, till
		return d.place(o)
	}
	day, late := with(broker.Day, false, market.Date{}), with(broker.Day, true, market.Date{})
	gtd := with(broker.GTD, false, market.Date{Year: 2026, Month: 3, Day: 8}) // a Sunday: to Friday's close
	gtc := with(broker.GTC, false, market.Date{})
	ended := func(s broker.OrderState) string {
		n := d.now(s)
		if !n.Status.Terminal() {
			return string(n.Status)
		}
		return string(n.Status) + n.Ended.Format(" 01-02 15:04")
	}
	d.to("2026-03-03 16:00")
	after := with(broker.Day, false, market.Date{})
	assert.Equal(t, broker.Received, after.Status, "it waits for the next session")
	d.to("2026-03-20 12:00")
	assert.Equal(t, "expired 03-03 16:00", ended(day))
	assert.Equal(t, "expired 03-03 20:00", ended(late))
	assert.Equal(t, "expired 03-06 16:00", ended(gtd))
	assert.Equal(t, "expired 03-04 16:00", ended(after))
	assert.Equal(t, "live", ended(gtc))
}

func TestOrdersWorkInTheirHoursOnFreshQuotes(t *testing.T) {
	d := newDesk(t, "2026-03-03 15:59")
	d.quote("SPY", 500, 500.1)
	d.to("2026-03-03 18:00")
	night := d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
	ext := d.order(broker.Limit, "500.2", leg("SPY", buyOpen, "10"))
	ext.ExtendedHours = true
	e := d.place(ext)
	assert.Equal(t, []string{"10@500.1"}, d.fills(e), "the after-hours session goes on with its quote")
	d.quote("SPY", 501, 501.1)
	assert.Empty(t, d.fills(night))
	d.to("2026-03-04 09:30")
	assert.Equal(t, broker.Live, d.now(night).Status)
	assert.Empty(t, d.fills(night), "yesterday's quote is no market")
	d.quote("SPY", 503, 503.1)
	assert.Equal(t, []string{"10@503.1"}, d.fills(night))
}

func TestOrdersForTheOpenAndTheClose(t *testing.T) {
	d := newDesk(t, "2026-03-03 08:00")
	opening := d.order(broker.Market, "", leg("SPY", buyOpen, "10"))
	opening.TimeInForce = broker.OnOpen
	missed := d.order(broker.Limit, "490", leg("SPY", buyOpen, "10"))
	missed.TimeInForce = broker.OnOpen
	o, m := d.place(opening), d.place(missed)
	d.to("2026-03-03 09:30")
	d.quote("SPY", 500, 500.1)
	assert.Equal(t, []string{"10@500.1"}, d.fills(o))
	assert.Equal(t, broker.Cancelled, d.now(m).Status)

	closing := d.order(broker.Market, "", leg("SPY", sellClose, "10"))
	closing.TimeInForce = broker.OnClose
	far := d.order(broker.Limit, "520", leg("QQQ", sellOpen, "10"))
	far.TimeInForce = broker.OnClose
	c, f := d.place(closing), d.place(far)
	d.quote("SPY", 505, 505.1)
	d.quote("QQQ", 505, 505.1)
	assert.Empty(t, d.fills(c))
	require.NoError(t, d.Trade(paper.Trade{Symbol: "SPY", Time: clockAt(t, "2026-03-03 16:00"), Price: 504.25, Size: 1e6, Closing: true}))
	d.to("2026-03-03 16:00")
	assert.Equal(t, []string{"10@504.25"}, d.fills(c))
	assert.Equal(t, clockAt(t, "2026-03-03 16:00"), d.now(c).Ended)
	assert.Equal(t, broker.Expired, d.now(f).Status)
}

func TestLatencyTakesAnOrderThroughItsStages(t *testing.T) {
	d := newDesk(t, tuesday, func(o *paper.Options) {
		o.Latency = paper.Latency{Route: 10 * time.Millisecond, Live: 20 * time.Millisecond, Cancel: 30 * time.Millisecond}
	})
	d.quote("SPY", 500, 500.1)
	s := d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
	var seen []broker.Status
	for range 4 {
		seen = append(seen, d.now(s).Status)
		require.NoError(t, d.Advance(d.Now().Add(10*time.Millisecond)))
	}
	assert.Equal(t, []broker.Status{broker.Received, broker.Routed, broker.Routed, broker.Filled}, seen)
	limit := d.place(d.order(broker.Limit, "400", leg("SPY", buyOpen, "10")))
	require.NoError(t, d.Advance(d.Now().Add(time.Second)))
	c, err := d.Cancel(t.Context(), account, limit.ID)
	require.NoError(t, err)
	assert.Equal(t, broker.CancelRequested, c.Status)
	d.quote("SPY", 399, 399.5)
	assert.Equal(t, broker.Filled, d.now(limit).Status, "a fill may come first")
}

func TestAReplacementTakesTheOrdersPlace(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 501, 10, 10)
	s := d.place(d.order(broker.Limit, "501", leg("SPY", buyOpen, "25")))
	require.Equal(t, []string{"10@501"}, d.fills(s))
	r, err := d.Replace(t.Context(), account, s.ID, d.order(broker.Limit, "499", leg("SPY", buyOpen, "5")))
	require.NoError(t, err)
	assert.Equal(t, s.ID, r.Replaces)
	old := d.now(s)
	assert.Equal(t, broker.Replaced, old.Status)
	assert.Equal(t, r.ID, old.ReplacedBy)
	d.quote("SPY", 498, 498.5)
	assert.Equal(t, []string{"5@498.5"}, d.fills(*r))
	_, err = d.Replace(t.Context(), account, s.ID, d.order(broker.Limit, "499", leg("SPY", buyOpen, "5")))
	require.ErrorIs(t, err, broker.ErrTooLate)
	_, err = d.Cancel(t.Context(), account, r.ID)
	require.ErrorIs(t, err, broker.ErrTooLate)
	_, err = d.Cancel(t.Context(), account, "77")
	require.ErrorIs(t, err, broker.ErrUnknownOrder)
}

func TestWhatFillsBeforeAReplacementCountsAgainstIt(t *testing.T) {
	d := newDesk(t, tuesday, func(o *paper.Options) { o.Latency.Replace = time.Second })
	d.quote("SPY", 500, 501)
	s := d.place(d.order(broker.Limit, "500.5", leg("SPY", buyOpen, "25")))
	r, err := d.Replace(t.Context(), account, s.ID, d.order(broker.Limit, "500.4", leg("SPY", buyOpen, "20")))
	require.NoError(t, err)
	assert.Equal(t, broker.ReplaceRequested, d.now(s).Status)
	d.quote("SPY", 500, 500.5, 10, 8)
	require.NoError(t, d.Advance(d.Now().Add(time.Second)))
	d.quote("SPY", 500, 500.4)
	assert.Equal(t, []string{"8@500.5"}, d.fills(s))
	assert.Equal(t, []string{"12@500.4"}, d.fills(*r))
	whole := d.place(d.order(broker.Limit, "490", leg("SPY", buyOpen, "5")))
	late, err := d.Replace(t.Context(), account, whole.ID, d.order(broker.Limit, "489", leg("SPY", buyOpen, "5")))
	require.NoError(t, err)
	d.quote("SPY", 489, 489.5)
	require.NoError(t, d.Advance(d.Now().Add(time.Second)))
	assert.Equal(t, broker.Filled, d.now(whole).Status)
	assert.Equal(t, broker.Rejected, d.now(*late).Status)
}

func TestATagIsTakenOnce(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 501)
	o := d.order(broker.Limit, "400", leg("SPY", buyOpen, "1"))
	s := d.place(o)
	_, err := d.Place(t.Context(), account, broker.NewTicket(o))
	require.ErrorIs(t, err, broker.ErrRejected)
	_, err = d.Cancel(t.Context(), account, s.ID)
	require.NoError(t, err)
	_, err = d.Place(t.Context(), account, broker.NewTicket(o))
	require.ErrorIs(t, err, broker.ErrRejected, "for ever")
	found, err := d.Orders(t.Context(), account, broker.OrdersQuery{Tag: o.Tag})
	require.NoError(t, err)
	assert.Len(t, found, 1)
}

func TestMoneyBuysWhatItBuys(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 501)
	o := d.order(broker.Market, "", broker.Leg{Symbol: "SPY", Action: buyOpen})
	o.Notional = dec("1000")
	s := d.place(o)
	assert.Equal(t, []string{"1.996007@501"}, d.fills(s), "1000 / 501, cut to a millionth")
	assert.Equal(t, broker.Filled, s.Status)
}
