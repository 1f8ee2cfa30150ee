package broker_test

import (
	"testing"
	"time"

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
