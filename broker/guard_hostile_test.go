package broker_test

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func sell(symbol market.Symbol, quantity, limit string) broker.Ticket {
	return broker.NewTicket(broker.Order{Legs: []broker.Leg{leg(symbol, broker.SellToClose, quantity)}, Type: broker.Limit, Limit: dec(limit)})
}

func TestAClosingOrderThatIsNotListedYetLeavesNothingElseToClose(t *testing.T) {
	o := newOffice(t)
	o.broker.positions[desk] = []broker.Position{holds("SPY", "10", "500")}
	o.broker.hidden = true
	_, err := o.guard(t).Place(t.Context(), desk, sell("SPY", "10", "500"))
	require.NoError(t, err)
	_, err = o.guard(t).Place(t.Context(), desk, sell("SPY", "9", "500"))
	violated(t, err, "naked_short")
	assert.Len(t, o.broker.writes(), 1)
}

func TestAClosingOrderWithoutAnAnswerLeavesNothingElseToClose(t *testing.T) {
	o := newOffice(t)
	o.broker.positions[desk] = []broker.Position{holds("SPY", "10", "500")}
	o.broker.fault = func(string) fault { return lostNotPlaced }
	_, err := o.guard(t).Place(t.Context(), desk, sell("SPY", "10", "500"))
	require.ErrorIs(t, err, broker.ErrUncertain)
	o.broker.fault = nil
	_, err = o.guard(t).Place(t.Context(), desk, sell("SPY", "9", "500"))
	violated(t, err, "naked_short")
}

func TestASequenceOfClosingOrdersCountsWhole(t *testing.T) {
	o := newOffice(t)
	o.broker.positions[desk] = []broker.Position{holds("SPY", "10", "500")}
	both := broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{sell("SPY", "5", "500").Orders[0], sell("SPY", "5", "500").Orders[0]}}
	_, err := o.guard(t).Place(t.Context(), desk, both)
	require.NoError(t, err)
	_, err = o.guard(t).Place(t.Context(), desk, sell("SPY", "4", "500"))
	violated(t, err, "naked_short")
}

func TestAnOrderThatBuysBackWhatAnotherBuysBackOpens(t *testing.T) {
	o := newOffice(t)
	o.broker.positions[desk] = []broker.Position{holds("SPY", "-10", "500")}
	o.limits.MaxOrderLoss, o.limits.NakedShort = broker.CapInt(100), true
	back := broker.NewTicket(broker.Order{Legs: []broker.Leg{leg("SPY", broker.BuyToClose, "10")}, Type: broker.Limit, Limit: dec("-500")})
	_, err := o.guard(t).Place(t.Context(), desk, back)
	require.NoError(t, err)
	back.Orders[0].Legs[0] = leg("SPY", broker.BuyToClose, "9")
	_, err = o.guard(t).Place(t.Context(), desk, back)
	violated(t, err, "max_order_loss")
}

func TestATrailingStopThatBuysCanCostTheTrailToo(t *testing.T) {
	o := newOffice(t)
	o.limits.MaxOrderLoss, o.limits.MaxOrderNotional = broker.CapInt(6000), broker.CapInt(6000)
	o.limits.PriceBand = broker.NoCap()
	_, err := o.guard(t).Prepare(t.Context(), desk, place(broker.NewTicket(broker.Order{
		Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "10")}, Type: broker.TrailingStop, Trail: &broker.Trail{Amount: dec("450")},
	})))
	violated(t, err, "max_order_loss")
	violated(t, err, "max_order_notional")
	_, err = o.guard(t).Prepare(t.Context(), desk, place(broker.NewTicket(broker.Order{
		Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "10")}, Type: broker.TrailingStop, Trail: &broker.Trail{Percent: dec("90")},
	})))
	violated(t, err, "max_order_loss")
}

func TestAnOrderThatGrewBeyondTheBudgetIsNotTheBudgets(t *testing.T) {
	o := newOffice(t)
	o.person.always = false
	policy, err := broker.NewPolicyApprover(broker.Budget{
		Words: "small orders", Until: deskTime.Add(time.Hour), Accounts: []broker.AccountID{"*"}, Symbols: []market.Symbol{"*"},
		OrderLoss: broker.CapInt(5002), OrderNotional: broker.CapInt(5002), DailyOrders: broker.NoCap(), DailyLoss: broker.NoCap(), DailyNotional: broker.NoCap(),
	}, o.clock)
	require.NoError(t, err)
	o.others = []broker.Approver{policy}
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(broker.NewTicket(broker.Order{Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "10")}, Type: broker.Market})))
	require.NoError(t, err)
	o.quotes.set("SPY", 539.9, 540.1)
	_, err = g.Submit(t.Context(), p.ID)
	require.Error(t, err)
	assert.Empty(t, o.broker.writes(), "5401 is more than the budget's 5002 for one order")
}

func TestABudgetThatCancelsNoStopReplacesNoneEither(t *testing.T) {
	o := newOffice(t)
	o.person.always = false
	o.broker.positions[desk] = []broker.Position{holds("SPY", "10", "500")}
	policy, err := broker.NewPolicyApprover(broker.Budget{
		Words: "small orders", Until: deskTime.Add(time.Hour), Accounts: []broker.AccountID{"*"}, Symbols: []market.Symbol{"*"},
		OrderLoss: broker.NoCap(), OrderNotional: broker.NoCap(), DailyOrders: broker.NoCap(), DailyLoss: broker.NoCap(), DailyNotional: broker.NoCap(),
	}, o.clock)
	require.NoError(t, err)
	o.others = []broker.Approver{policy}
	g := o.guard(t)
	stop := broker.NewTicket(broker.Order{Legs: []broker.Leg{leg("SPY", broker.SellToClose, "10")}, Type: broker.Stop, Stop: dec("480")})
	placed, err := g.Place(t.Context(), desk, stop)
	require.NoError(t, err)
	gone := stop.Orders[0]
	gone.Tag, gone.Stop = "", dec("1")
	_, err = g.Replace(t.Context(), desk, placed[0].ID, gone)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
	p, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentReplace, Order: placed[0].ID, With: gone})
	require.NoError(t, err)
	assert.Contains(t, p.Words, "protects a position")
}

func TestAQuoteOfUnknownOrFutureTimeIsNoQuoteWhereTheAgeCounts(t *testing.T) {
	o := newOffice(t)
	o.limits.MaxQuoteAge, o.limits.PriceBand = broker.Window(time.Minute), broker.CapOf(*dec("0.1"))
	for _, at := range []time.Time{{}, deskTime.Add(2 * time.Minute), deskTime.Add(-2 * time.Minute)} {
		quote := o.quotes.quotes["SPY"]
		quote.Time = at
		o.quotes.quotes["SPY"] = quote
		_, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		violated(t, err, "price_band")
	}
}

func TestAnOrderThatTheBrokerDoesNotKnowYetStillCounts(t *testing.T) {
	o := newOffice(t)
	o.limits.MaxOpenNotional = broker.CapInt(6000)
	_, err := o.guard(t).Place(t.Context(), desk, buy("SPY", "10", "-500"))
	require.NoError(t, err)
	late := o.broker.orders
	o.broker.orders = nil // the broker's reading side is behind
	_, err = o.guard(t).Place(t.Context(), desk, buy("SPY", "9", "-500"))
	violated(t, err, "max_open_notional")
	o.broker.orders = late
}

func TestWhatSomebodyWritesIntoTheKillSwitchIsNoText(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	require.NoError(t, g.Engage(t.Context(), "model", "\x1b[2Kdone\u202eoops\u009b1m"))
	p, err := g.PrepareLift(t.Context())
	require.NoError(t, err)
	for _, text := range []string{"\x1b", "\u202e", "\u009b"} {
		assert.NotContains(t, p.Words, text)
	}
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorIs(t, err, broker.ErrKilled)
	for _, text := range []string{"\x1b", "\u202e", "\u009b"} {
		assert.NotContains(t, err.Error(), text)
	}
}

func TestADeskSendsNeitherALiftNorSettings(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	require.NoError(t, g.Engage(t.Context(), "model", "enough"))
	p, err := g.PrepareLift(t.Context())
	require.NoError(t, err)
	_, err = g.Desk("").Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrUnsupported)
	_, err = g.Desk("person").SubmitCode(t.Context(), p.ID, "yes")
	require.ErrorIs(t, err, broker.ErrUnsupported)
	k, err := g.Killed(t.Context())
	require.NoError(t, err)
	assert.True(t, k.Engaged)
}

func TestWordsHoldNothingThatChangesHowTheyAreRead(t *testing.T) {
	o := newOffice(t)
	account := broker.AccountID("5W\u202eX\x1b[31m\u009b\u200b")
	o.broker.balances[account] = o.broker.balances[desk]
	p, err := o.guard(t).Prepare(t.Context(), account, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	for _, text := range []string{"\x1b", "\u202e", "\u009b", "\u200b"} {
		assert.NotContains(t, p.Words, text)
	}
}

// meanwhile runs something once while its approver decides.
type meanwhile struct {
	*person
	do func()
}

func (m *meanwhile) Approve(ctx context.Context, r broker.ApprovalRequest, said *broker.Evidence) (broker.Decision, error) {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return m.person.Approve(ctx, r, said)
}

func TestAnOrderThatAnotherProcessPlacedWhileThisOneWasApprovedTakesItsBuyingPower(t *testing.T) {
	o := newOffice(t)
	o.limits.MinBuyingPower = broker.CapInt(35_000)
	o.broker.preview = func(ticket broker.Ticket) *broker.Preview { // 50000, of which each order takes 10000
		after := decimal.NewFromInt(40_000 - 10_000*int64(len(o.broker.orders)))
		return &broker.Preview{Ticket: ticket, BuyingPower: dec("-10000"), BuyingPowerAfter: &after}
	}
	other := o.guard(t)
	slow := &meanwhile{person: &person{grade: broker.GradePasskey, always: true}}
	slow.do = func() {
		o.clock.Advance(time.Second)
		_, err := other.Place(t.Context(), desk, buy("QQQ", "1", "-400"))
		require.NoError(t, err)
	}
	options := o.options()
	options.Approvers = []broker.Approver{slow}
	g, err := broker.NewGuard(o.broker, options)
	require.NoError(t, err)
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	violated(t, err, "min_buying_power")
	assert.Len(t, o.broker.writes(), 1)
}

func TestEveryOrderThatOnePasskeyApprovedCanBeSentInAnyOrder(t *testing.T) {
	o := newOffice(t)
	a := newAuthenticator(t)
	o.person.always = false
	o.others = []broker.Approver{passkeys(t, o, a)}
	g := o.guard(t)
	var ids []string
	for _, symbol := range []market.Symbol{"SPY", "QQQ"} {
		p, err := g.Prepare(t.Context(), desk, place(buy(symbol, "1", "-300")))
		require.NoError(t, err)
		a.counter++
		_, err = g.Approve(t.Context(), p.ID, a.sign(t, p.Challenge))
		require.NoError(t, err)
		ids = append(ids, p.ID)
	}
	for _, id := range ids {
		_, err := g.Submit(t.Context(), id)
		require.NoError(t, err)
	}
	assert.Len(t, o.broker.writes(), 2)
}

func TestAClockSetBackOverMidnightBeginsNoNewDay(t *testing.T) {
	o := newOffice(t)
	o.limits.MaxDailyOrders, o.limits.Hours = broker.CapInt(1), broker.HoursAny
	midnight := time.Date(2026, 11, 20, 5, 0, 0, 0, time.UTC)
	o.clock = market.NewManualClock(midnight)
	_, err := o.guard(t).Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	o.clock = market.NewManualClock(midnight.Add(-time.Second))
	_, err = o.guard(t).Place(t.Context(), desk, buy("QQQ", "1", "-400"))
	violated(t, err, "max_daily_orders")
	o.clock = market.NewManualClock(midnight.Add(time.Second))
	_, err = o.guard(t).Place(t.Context(), desk, buy("QQQ", "1", "-400"))
	violated(t, err, "max_daily_orders")
}

func TestWhatIsSentIsWhatWasStoredWhateverBecomesOfTheTicket(t *testing.T) {
	// What is sent is the stored bytes: a caller that keeps the ticket's pointers and
	// changes them between the approval and the sending changes nothing.
	o := newOffice(t)
	g := o.guard(t)
	ticket := buy("SPY", "1", "-500")
	p, err := g.Prepare(t.Context(), desk, place(ticket))
	require.NoError(t, err)
	*ticket.Orders[0].Limit = *dec("-5000")
	ticket.Orders[0].Legs[0].Quantity = *dec("1000")
	*p.Ticket.Orders[0].Limit = *dec("-5000")
	p.Ticket.Orders[0].Legs[0].Quantity = *dec("1000")
	_, err = g.Submit(t.Context(), p.ID)
	require.NoError(t, err)
	require.Len(t, o.broker.orders, 1)
	assert.Equal(t, "-500", o.broker.orders[0].Order.Limit.String())
	assert.Equal(t, "1", o.broker.orders[0].Order.Legs[0].Quantity.String())
}

func TestQuotesThatMakeNoSensePriceNothing(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, q := range map[string][2]float64{
		"no ask": {500, 0}, "no bid or ask": {0, 0}, "nan ask": {500, nan}, "nan bid": {nan, 500}, "infinite": {500, inf}, "negative": {-1, -1}, "crossed": {501, 500},
	} {
		o := newOffice(t)
		o.limits.PriceBand = broker.CapOf(*dec("0.1"))
		o.quotes.set("SPY", q[0], q[1])
		_, err := o.guard(t).Prepare(t.Context(), desk, place(broker.NewTicket(broker.Order{Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "1")}, Type: broker.Market})))
		violated(t, err, "price_band")
		assert.Empty(t, o.broker.writes(), name)
	}
}

func TestAGroupWhoseChildSellsMoreThanItsParentBuysIsNaked(t *testing.T) {
	o := newOffice(t)
	for _, kind := range []broker.GroupKind{broker.Bracket, broker.OTO} {
		ticket := broker.Ticket{Kind: kind, Orders: []broker.Order{
			buy("SPY", "1", "-500").Orders[0], sell("SPY", "2", "520").Orders[0],
			{Legs: []broker.Leg{leg("SPY", broker.SellToClose, "1")}, Type: broker.Stop, Stop: dec("480")},
		}}
		_, err := o.guard(t).Prepare(t.Context(), desk, place(ticket))
		violated(t, err, "naked_short")
	}
	both := broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{
		buy("SPY", "1", "-500").Orders[0], sell("SPY", "1", "520").Orders[0], sell("SPY", "1", "530").Orders[0],
	}}
	_, err := o.guard(t).Prepare(t.Context(), desk, place(both))
	violated(t, err, "naked_short")
}

func TestAReplacementThatEnlargesCountsWhole(t *testing.T) {
	o := newOffice(t)
	o.limits.MaxOrderLoss = broker.CapInt(1000)
	g := o.guard(t)
	placed, err := g.Place(t.Context(), desk, buy("SPY", "2", "-500"))
	require.NoError(t, err)
	_, err = g.Replace(t.Context(), desk, placed[0].ID, buy("SPY", "3", "-500").Orders[0])
	violated(t, err, "max_order_loss")
	_, err = g.Replace(t.Context(), desk, placed[0].ID, buy("SPY", "2", "-501").Orders[0])
	violated(t, err, "max_order_loss")
	_, err = g.Replace(t.Context(), desk, placed[0].ID, buy("QQQ", "1", "-400").Orders[0])
	require.Error(t, err)
	assert.Len(t, o.broker.writes(), 1)
}

func TestACloseThatIsPreparedTwiceClosesOnce(t *testing.T) {
	o := newOffice(t)
	o.broker.positions[desk] = []broker.Position{holds("SPY", "10", "500")}
	g := o.guard(t)
	whole := broker.Intent{Kind: broker.IntentClose, Close: broker.ClosePositions{Symbols: []string{"SPY"}}}
	first, err := g.Prepare(t.Context(), desk, whole)
	require.NoError(t, err)
	second, err := g.Prepare(t.Context(), desk, whole)
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), first.ID)
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), second.ID)
	violated(t, err, "naked_short")
	violated(t, err, "drift")
	assert.Len(t, o.broker.writes(), 1)
}

func TestHugeQuantitiesPassNoLimit(t *testing.T) {
	o := newOffice(t)
	for _, quantity := range []string{"1e30", "99999999999999999999", "10000.000000001"} {
		_, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", quantity, "-500")))
		violated(t, err, "max_shares")
	}
}

func TestAClosingOrderWhosePositionIsGoneCountsLikeOneThatOpens(t *testing.T) {
	o := newOffice(t)
	o.limits.MaxDailyLoss = broker.CapInt(100_000)
	o.broker.positions[desk] = []broker.Position{holds("SPY", "10", "500")}
	_, err := o.guard(t).Place(t.Context(), desk, sell("SPY", "10", "510"))
	require.NoError(t, err)
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("QQQ", "1", "-400")))
	require.NoError(t, err)
	o.broker.positions[desk] = nil // sold by hand, in the broker's own app
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("QQQ", "1", "-400")))
	violated(t, err, "max_daily_loss")
}

func TestProcessesThatCloseAtTheSameTimeNeverSellMoreThanIsHeld(t *testing.T) {
	for _, listed := range []bool{true, false} {
		o := newOffice(t)
		o.broker.positions[desk] = []broker.Position{holds("SPY", "10", "500")}
		o.broker.hidden = !listed
		var wait sync.WaitGroup
		for i := range 8 {
			g, ticket := o.guard(t), sell("SPY", fmt.Sprint(3+i%3), "500")
			wait.Go(func() { _, _ = g.Place(t.Context(), desk, ticket) })
		}
		wait.Wait()
		sold := decimal.Zero
		for _, s := range o.broker.orders {
			sold = sold.Add(s.Order.Legs[0].Quantity)
		}
		assert.LessOrEqual(t, sold.IntPart(), int64(10))
		assert.GreaterOrEqual(t, sold.IntPart(), int64(3), "the first one is sent")
	}
}
