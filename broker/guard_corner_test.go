package broker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func TestAnUnknownNameInGoodLimitsIsRefused(t *testing.T) {
	data, err := json.Marshal(roomy())
	require.NoError(t, err)
	_, err = broker.ParseLimits(data)
	require.NoError(t, err)
	_, err = broker.ParseLimits([]byte(strings.Replace(string(data), `"mode"`, `"max_order_los":1,"mode"`, 1)))
	require.ErrorContains(t, err, "max_order_los")
	for text, good := range map[string]bool{
		`"max_order_loss":1e18`: true, `"max_order_loss":1e19`: false, `"max_order_loss":"0"`: true, `"max_order_loss":"1e-18"`: true,
		`"max_order_loss":"1e-19"`: false, `"max_order_loss":null`: false, `"max_order_loss":"null"`: false,
		`"max_order_loss":"1234567890123456789012345678901234567890"`: true, `"max_order_loss":"12345678901234567890123456789012345678901"`: false,
	} {
		_, err = broker.ParseLimits([]byte(strings.Replace(string(data), `"max_order_loss":"none"`, text, 1)))
		assert.Equal(t, good, err == nil, text)
	}
	var w broker.Window
	require.NoError(t, w.UnmarshalText([]byte("0s")))
}

func TestLimitsAreCopiedInAndOut(t *testing.T) {
	l := roomy()
	l.Symbols = []market.Symbol{"SPY"}
	l.Approval.Above = []broker.Tier{{*dec("1"), broker.GradeChat}}
	g, err := broker.NewGuard(newDeskBroker(broker.Sandbox), broker.GuardOptions{Limits: l})
	require.NoError(t, err)
	l.Symbols[0], l.Accounts[0], l.Kinds[0], l.Approval.Above[0].Grade = "QQQ", "x", "bond", broker.GradePolicy
	out := g.Limits()
	assert.Equal(t, market.Symbol("SPY"), out.Symbols[0])
	assert.Equal(t, desk, out.Accounts[0])
	assert.Equal(t, broker.GradeChat, out.Approval.Above[0].Grade)
	assert.Equal(t, market.KindEquity, out.Kinds[0])
	out.Symbols[0] = "IWM"
	assert.Equal(t, market.Symbol("SPY"), g.Limits().Symbols[0])
	b := broker.Budget{Words: "x", Until: deskTime, Accounts: []broker.AccountID{"a"}, Symbols: []market.Symbol{"SPY"}}
	p, err := broker.NewPolicyApprover(b, nil)
	require.NoError(t, err)
	b.Accounts[0] = "b"
	assert.Equal(t, broker.AccountID("a"), p.Budget().Accounts[0])
	_, err = p.Approve(t.Context(), broker.ApprovalRequest{Kind: broker.IntentPlace, Account: "a"}, nil)
	require.ErrorContains(t, err, "ended", "by the real clock")
	_, err = p.Approve(t.Context(), broker.ApprovalRequest{Kind: broker.IntentSettings, Account: "a"}, nil)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
}

func TestTheKillSwitchIsLookedAtOnceMoreRightBeforeTheSend(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxDailyOrders = broker.CapInt(1)
	plain := o.guard(t)
	p, err := plain.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	journal := o.journal
	o.journal = hookJournal{journal, func(kind string) {
		if kind == broker.EntrySending {
			require.NoError(t, plain.Engage(context.Background(), "model", "now"))
		}
	}}
	out, err := o.guard(t).Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrKilled)
	assert.Equal(t, broker.OutcomeNotSent, out.State)
	assert.Contains(t, out.Reason, "kill switch")
	assert.Empty(t, o.broker.writes())
	assert.Contains(t, o.entries(t), broker.EntryNotSent)
	o.journal = journal
	lift, err := plain.PrepareLift(t.Context())
	require.NoError(t, err)
	_, err = plain.Submit(t.Context(), lift.ID)
	require.NoError(t, err)
	_, err = plain.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err, "what was not sent does not count")
}

// hookJournal calls a function after an entry.
type hookJournal struct {
	broker.Journal
	after func(kind string)
}

func (j hookJournal) Append(ctx context.Context, kind string, data []byte) error {
	err := j.Journal.Append(ctx, kind, data)
	j.after(kind)
	return err
}

func TestASendThatWasHeldUpIsGivenUp(t *testing.T) {
	for held, sent := range map[time.Duration]int{30 * time.Second: 1, 30*time.Second + 1: 0} {
		o := newOffice(t)
		g := o.guard(t)
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		o.state = hookState{o.state, func(data string) {
			if strings.Contains(data, `"stage":"sending"`) && strings.Contains(data, `"id":"`+p.ID) && !strings.Contains(data, `"outcome"`) {
				o.clock.Advance(held)
			}
		}}
		_, err = o.guard(t).Submit(t.Context(), p.ID)
		assert.Len(t, o.broker.writes(), sent)
		assert.Equal(t, sent == 1, err == nil)
	}
}

type hookState struct {
	broker.State
	after func(data string)
}

func (s hookState) CompareAndSet(ctx context.Context, key string, expected uint64, data []byte, ttl time.Duration) (uint64, error) {
	version, err := s.State.CompareAndSet(ctx, key, expected, data, ttl)
	s.after(string(data))
	return version, err
}

func TestWhatOneProcessReservedCountsInTheOther(t *testing.T) {
	// The first order stays in the book as uncertain; the broker lists nothing.
	for limit, set := range map[string]func(l *broker.Limits){
		"max_daily_loss":     func(l *broker.Limits) { l.MaxDailyLoss = broker.CapInt(999) },
		"max_open_notional":  func(l *broker.Limits) { l.MaxOpenNotional = broker.CapInt(999) },
		"max_symbol_risk":    func(l *broker.Limits) { l.MaxSymbolRisk = broker.CapOf(*dec("0.00999")) },
		"max_portfolio_risk": func(l *broker.Limits) { l.MaxPortfolioRisk = broker.CapOf(*dec("0.00999")) },
		"min_buying_power":   func(l *broker.Limits) { l.MinBuyingPower = broker.CapInt(39_901) },
		"max_daily_orders":   func(l *broker.Limits) { l.MaxDailyOrders = broker.CapInt(1) },
		"duplicate_window":   func(l *broker.Limits) { l.DuplicateWindow = broker.Window(time.Minute) },
	} {
		o := newOffice(t)
		o.limits = roomy()
		set(&o.limits)
		o.broker.fault = func(string) fault { return lostNotPlaced }
		_, err := o.guard(t).Place(t.Context(), desk, buy("SPY", "1", "-500"))
		require.ErrorIs(t, err, broker.ErrUncertain, limit)
		o.broker.fault = nil
		_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		violated(t, err, limit)
		if limit == "max_symbol_risk" {
			_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("QQQ", "1", "-500")))
			require.NoError(t, err, "another underlying")
		}
	}
}

func TestAnotherAccountsOrdersCountOnlyForTheDaysOrders(t *testing.T) {
	const second = broker.AccountID("5WX00002")
	o := newOffice(t)
	o.limits = roomy()
	o.limits.Accounts = append(o.limits.Accounts, second)
	o.limits.MaxOpenNotional, o.limits.MinBuyingPower = broker.CapInt(600), broker.CapInt(40_000)
	o.limits.MaxDailyOrders, o.limits.MaxDailyLoss, o.limits.DuplicateWindow = broker.CapInt(2), broker.CapInt(600), broker.Window(time.Minute)
	o.broker.balances[second] = &broker.Balances{Account: second, NetLiquidatingValue: dec("5000"), DerivativeBuyingPower: dec("5000")}
	g := o.guard(t)
	o.broker.fault = func(string) fault { return lostNotPlaced }
	_, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.ErrorIs(t, err, broker.ErrUncertain)
	o.broker.fault = nil
	_, err = g.Place(t.Context(), second, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	_, err = g.Place(t.Context(), second, buy("QQQ", "1", "-1"))
	violated(t, err, "max_daily_orders")
	_, err = g.Place(t.Context(), "5WX00003", buy("QQQ", "1", "-1"))
	violated(t, err, "accounts")
}

func TestTheBrokersNumbersHoldWhatItAnswered(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MinBuyingPower = broker.CapInt(40_000)
	g := o.guard(t)
	for range 3 { // each leaves 40000 by the broker's own count
		_, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		require.NoError(t, err)
	}
	o.broker.preview = func(t broker.Ticket) *broker.Preview { return &broker.Preview{Ticket: t, BuyingPower: dec("-10000")} }
	_, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err, "50000 - 10000")
	o.broker.balances[desk].DerivativeBuyingPower, o.broker.balances[desk].EquityBuyingPower = nil, dec("49999")
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	violated(t, err, "min_buying_power")
}

func TestWaitingOrdersOfAGroupAreNotHeldToTodaysMarket(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.PriceBand = broker.CapOf(*dec("0.001"))
	exit := broker.Order{Legs: []broker.Leg{leg("QQQ", broker.SellToClose, "1")}, Type: broker.Market}
	o.quotes.set("QQQ", 390, 410)
	g := o.guard(t)
	entry := buy("SPY", "1", "-500").Orders[0]
	_, err := g.Prepare(t.Context(), desk, place(broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{entry, exit}}))
	require.NoError(t, err)
	_, err = g.Prepare(t.Context(), desk, place(broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{entry, exit}}))
	violated(t, err, "price_band")
	o.quotes.set("IWM", 0, 10) // a bid of nothing, an ask: the middle is known
	_, err = g.Prepare(t.Context(), desk, place(buy("IWM", "1", "-5")))
	require.NoError(t, err)
	trailing := broker.NewTicket(broker.Order{Legs: []broker.Leg{leg("NIL", broker.SellToClose, "1")}, Type: broker.TrailingStop, Trail: &broker.Trail{Amount: dec("1")}})
	_, err = g.Prepare(t.Context(), desk, place(trailing))
	require.NoError(t, err)
	_, err = g.Prepare(t.Context(), desk, place(broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{entry, buy("NIL", "1", "-1").Orders[0]}}))
	violated(t, err, "price_band")
	assert.ErrorContains(t, err, "the price of order 2")
}

func TestMoneyOrdersAreDuplicatesByTheirMoney(t *testing.T) {
	o := newOffice(t)
	o.limits.DuplicateWindow = broker.Window(time.Minute)
	g := o.guard(t)
	money := func(amount string) broker.Ticket {
		return single(broker.Order{Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen}}, Type: broker.Market, Notional: dec(amount)})
	}
	for _, amount := range []string{"50", "51"} {
		_, err := g.Place(t.Context(), desk, money(amount))
		require.NoError(t, err)
	}
	_, err := g.Place(t.Context(), desk, money("50"))
	violated(t, err, "duplicate_window")
	a := leg(call500, broker.SellToOpen, "1")
	b := leg(call510, broker.BuyToOpen, "1")
	_, err = g.Place(t.Context(), desk, credit("4", a, b))
	require.NoError(t, err)
	_, err = g.Place(t.Context(), desk, credit("4", b, a))
	violated(t, err, "duplicate_window") // in whatever order the legs stand
}

func TestMoneyWithoutAQuoteIsAnUnknownQuantity(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxShares = broker.CapInt(1_000_000)
	_, err := o.guard(t).Prepare(t.Context(), desk, place(single(broker.Order{
		Legs: []broker.Leg{{Symbol: "IWM", Action: broker.BuyToOpen}}, Type: broker.Market, Notional: dec("50")})))
	violated(t, err, "max_shares")
	assert.ErrorContains(t, err, "an unknown amount of IWM")
}

func TestAPositionWithoutAMarkIsCountedByItsCost(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxSymbolRisk = broker.CapOf(*dec("0.1"))
	p := holds("SPY", "10", "1")
	p.Mark, p.AverageOpenPrice = nil, dec("900")
	o.broker.positions[desk] = []broker.Position{p}
	g := o.guard(t)
	_, err := g.Prepare(t.Context(), desk, place(buy("SPY", "2", "-500")))
	require.NoError(t, err, "9000 + 1000 of 100000")
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "2", "-500.01")))
	violated(t, err, "max_symbol_risk")
	p.AverageOpenPrice = nil
	o.broker.positions[desk] = []broker.Position{p}
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-1")))
	violated(t, err, "max_symbol_risk")
	p.Mark, p.AverageOpenPrice = dec("400"), dec("900")
	o.broker.positions[desk] = []broker.Position{p}
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "12", "-500")))
	require.NoError(t, err, "the mark goes before the cost: 4000 + 6000")
}

func TestAShortPutCountsByItsStrikeLessItsValue(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxSymbolRisk = broker.CapOf(*dec("0.5"))
	o.broker.positions[desk] = []broker.Position{holds(put500, "-1", "10")} // 50000 - 1000
	g := o.guard(t)
	_, err := g.Prepare(t.Context(), desk, place(buy("SPY", "2", "-500")))
	require.NoError(t, err)
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "2", "-500.01")))
	violated(t, err, "max_symbol_risk")
}

func TestALossThatIsUnboundedNowAndWasNotIsAnotherOrder(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.broker.positions[desk] = []broker.Position{holds("SPY", "100", "500")}
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(credit("10", leg(call500, broker.SellToOpen, "1"))))
	require.NoError(t, err)
	assert.Equal(t, "0", p.MaxLoss.Amount.String())
	exit, err := g.Prepare(t.Context(), desk, place(credit("500", leg("SPY", broker.SellToClose, "100"))))
	require.NoError(t, err)
	o.broker.positions[desk] = nil
	_, err = g.Submit(t.Context(), p.ID)
	violated(t, err, "drift")
	assert.ErrorContains(t, err, "its worst-case loss was 0 when it was previewed and is unbounded now")
	_, err = g.Submit(t.Context(), exit.ID)
	violated(t, err, "drift")
	assert.ErrorContains(t, err, "opens now")
}

func TestAnAnswerWithoutAnOrderIsUncertain(t *testing.T) {
	o := newOffice(t)
	g, err := broker.NewGuard(silentBroker{o.broker}, o.options())
	require.NoError(t, err)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	out, err := g.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrUncertain)
	assert.ErrorContains(t, err, "the broker answered without an order")
	assert.Equal(t, broker.OutcomeUncertain, out.State)
	var last broker.AuditEntry
	for e, err := range g.Audit(t.Context(), 0) {
		require.NoError(t, err)
		last = e
	}
	assert.Equal(t, broker.EntryUncertain, last.What)
	assert.Equal(t, broker.OutcomeUncertain, last.State)
	assert.Equal(t, out.Reason, last.Reason)
	assert.Contains(t, o.bookText(t), `"stage":"uncertain"`)
}

type silentBroker struct{ *deskBroker }

func (silentBroker) Place(context.Context, broker.AccountID, broker.Ticket) ([]broker.OrderState, error) {
	return nil, nil
}

func TestACancelLeavesNothingInTheBook(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	state := o.broker.add(desk, buy("SPY", "1", "-500").Orders[0], "")
	_, err := g.Cancel(t.Context(), desk, state.ID)
	require.NoError(t, err)
	assert.NotContains(t, o.bookText(t), "cancel")
}

func TestAPartlyStoredSubmissionIsFinishedByTheNext(t *testing.T) {
	// The process dies after the claim: the preview is spent, and says so at once;
	// half a minute later it is certain that nothing was sent.
	o := newOffice(t)
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	steps := &crasher{at: 2}
	state := o.state
	o.state = crashingState{state, steps}
	dying := o.guard(t)
	require.True(t, steps.dies(func() { _, _ = dying.Submit(t.Context(), p.ID) }))
	o.state = state
	g = o.guard(t)
	out, err := g.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrSpent)
	assert.Equal(t, broker.OutcomeSending, out.State)
	o.clock.Advance(30 * time.Second)
	out, err = g.Outcome(t.Context(), p.ID)
	require.NoError(t, err)
	assert.Equal(t, broker.OutcomeSending, out.State)
	o.clock.Advance(time.Nanosecond)
	out, err = g.Outcome(t.Context(), p.ID)
	require.NoError(t, err)
	assert.Equal(t, broker.OutcomeNotSent, out.State)
	assert.Equal(t, "the program ended before it was sent", out.Reason)
}

func TestReconcileLeavesAloneWhatSomebodyMayBeSending(t *testing.T) {
	for at, wait := range map[int]time.Duration{5: 30 * time.Second, 7: 45 * time.Second} {
		o := newOffice(t)
		g := o.guard(t)
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		steps := &crasher{at: at + 1} // after the write: 1 claim, 2 tag, 3 book, 4 sending
		state := o.state
		o.state = crashingState{state, steps}
		dying := o.guard(t)
		require.True(t, steps.dies(func() { _, _ = dying.Submit(t.Context(), p.ID) }))
		o.state = state
		g = o.guard(t)
		o.clock.Advance(wait)
		out, err := g.Reconcile(t.Context())
		require.NoError(t, err)
		assert.Empty(t, out)
		o.clock.Advance(time.Nanosecond)
		out, err = g.Reconcile(t.Context())
		require.NoError(t, err)
		if at == 5 {
			require.Len(t, out, 1)
			assert.Equal(t, broker.OutcomeNotSent, out[0].State)
			continue
		}
		assert.Empty(t, out, "it may have been sent: it is looked for for ten minutes")
		o.clock.Advance(10 * time.Minute)
		out, err = g.Reconcile(t.Context())
		require.NoError(t, err)
		require.Len(t, out, 1)
		assert.Equal(t, broker.OutcomeNotFound, out[0].State)
		assert.Equal(t, "no order with its tag was found", out[0].Reason)
	}
}

func TestReadingErrorsReachTheCaller(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	placed, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	p, err := g.Prepare(t.Context(), desk, place(buy("QQQ", "1", "-400")))
	require.NoError(t, err)
	c, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentCancel, Order: placed[0].ID})
	require.NoError(t, err)
	o.broker.reads = broker.ErrUnavailable
	for name, call := range map[string]func() error{
		"close": func() error {
			_, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentClose, Close: broker.ClosePositions{Symbols: []string{"SPY"}}})
			return err
		},
		"place": func() error { _, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500")); return err },
		"replace": func() error {
			_, err := g.Replace(t.Context(), desk, placed[0].ID, buy("SPY", "1", "-400").Orders[0])
			return err
		},
		"cancel":        func() error { _, err := g.Cancel(t.Context(), desk, placed[0].ID); return err },
		"submit":        func() error { _, err := g.Submit(t.Context(), p.ID); return err },
		"submit cancel": func() error { _, err := g.Submit(t.Context(), c.ID); return err },
		"reconcile":     func() error { _, err := g.Reconcile(t.Context()); return err },
		"stop":          func() error { _, err := g.Stop(t.Context(), "a", "b", desk); return err },
	} {
		if name == "stop" {
			continue // last: it engages the switch
		}
		require.ErrorIs(t, call(), broker.ErrUnavailable, name)
	}
	stopped, err := g.Stop(t.Context(), "a", "b", desk)
	require.ErrorIs(t, err, broker.ErrUnavailable)
	assert.Empty(t, stopped.Cancelled)
	assert.Len(t, o.broker.writes(), 1)
}

func TestEveryStateErrorStopsAndIsNamed(t *testing.T) {
	for _, key := range []string{"book", "preview", "kill", "tag"} {
		o := newOffice(t)
		g := o.guard(t)
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		healthy := o.state
		o.state = keyState{healthy, key}
		_, err = o.guard(t).Submit(t.Context(), p.ID)
		require.Error(t, err, key)
		assert.Empty(t, o.broker.writes(), key)
		_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		assert.Equal(t, key != "tag", err != nil, key)
		for _, damage := range []string{"{", `{"id":"other"}`} {
			o.state = healthy
			_, version, _ := healthy.Get(t.Context(), "guard/preview/"+p.ID)
			if key == "preview" {
				_, err = healthy.CompareAndSet(t.Context(), "guard/preview/"+p.ID, version, []byte(damage), 0)
				require.NoError(t, err)
				_, err = o.guard(t).Submit(t.Context(), p.ID)
				require.ErrorContains(t, err, "damaged")
			}
		}
	}
	o := newOffice(t)
	_, err := o.state.CompareAndSet(t.Context(), "guard/book", 0, []byte("{"), 0)
	require.NoError(t, err)
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorContains(t, err, "the book of orders is damaged")
}

// keyState fails for keys with a part.
type keyState struct {
	broker.State
	part string
}

func (s keyState) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	if strings.Contains(key, "/"+s.part) {
		return nil, 0, errors.New("unreadable")
	}
	return s.State.Get(ctx, key)
}

func (s keyState) CompareAndSet(ctx context.Context, key string, expected uint64, data []byte, ttl time.Duration) (uint64, error) {
	if strings.Contains(key, "/"+s.part) {
		return 0, errors.New("unwritable")
	}
	return s.State.CompareAndSet(ctx, key, expected, data, ttl)
}

func TestAStoredPreviewThatWasExchangedIsRefused(t *testing.T) {
	for _, edit := range [][2]string{{`"account":"5WX00001"`, `"account":"5WX00002"`}, {`"kind":"place"`, `"kind":"cancel"`}} {
		o := newOffice(t)
		g := o.guard(t)
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		data, version, err := o.state.Get(t.Context(), "guard/preview/"+p.ID)
		require.NoError(t, err)
		changed := strings.Replace(string(data), edit[0], edit[1], 1)
		require.NotEqual(t, string(data), changed)
		_, err = o.state.CompareAndSet(t.Context(), "guard/preview/"+p.ID, version, []byte(changed), 0)
		require.NoError(t, err)
		_, err = g.Submit(t.Context(), p.ID)
		require.ErrorContains(t, err, "damaged")
		assert.Empty(t, o.broker.writes())
	}
	o := newOffice(t)
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	o.broker.env = broker.Paper
	_, err = o.guard(t).Submit(t.Context(), p.ID)
	require.ErrorContains(t, err, "damaged", "it was made for another environment")
}

func TestAGradeThatWasLoweredInTheStoreIsCountedAnew(t *testing.T) {
	o := newOffice(t)
	o.broker.env, o.person.grade = broker.Production, broker.GradeChat
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	data, version, err := o.state.Get(t.Context(), "guard/preview/"+p.ID)
	require.NoError(t, err)
	changed := strings.Replace(string(data), `"grade":"passkey"`, `"grade":"policy"`, 1)
	require.NotEqual(t, string(data), changed)
	_, err = o.state.CompareAndSet(t.Context(), "guard/preview/"+p.ID, version, []byte(changed), 0)
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), p.ID, yes)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
	assert.Empty(t, o.broker.writes())
}

func TestSettingsThatCannotBeReadOrStoredHoldEverythingBack(t *testing.T) {
	o := newOffice(t)
	o.broker.env = broker.Production
	healthy := o.state
	o.state = keyState{healthy, "settings"}
	_, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorIs(t, err, broker.ErrSettingsChanged)
	_, err = o.guard(t).PrepareSettings(t.Context())
	require.ErrorContains(t, err, "unreadable")
	o.state = healthy
	journal := o.journal
	o.journal = &brokenJournal{Journal: journal, fails: 1}
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorIs(t, err, broker.ErrSettingsChanged)
	_, _, err = healthy.Get(t.Context(), "guard/settings")
	require.ErrorIs(t, err, broker.ErrNoState, "what is not journaled does not hold")
	o.journal = journal
	_, err = healthy.CompareAndSet(t.Context(), "guard/settings", 0, []byte("{"), 0)
	require.NoError(t, err)
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorContains(t, err, "damaged")

	// Two start at once: the one that comes second reads what the first stored.
	o = newOffice(t)
	o.broker.env = broker.Production
	other := o.guard(t)
	once := false
	o.journal = hookJournal{o.journal, func(kind string) {
		if kind == broker.EntryPinned && !once {
			once = true
			_, err := other.Prepare(context.Background(), desk, place(buy("SPY", "1", "-500")))
			require.NoError(t, err)
		}
	}}
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	// The order of the approvers is not part of the settings.
	o.others = []broker.Approver{&person{grade: broker.GradeChat, method: "a"}, &person{grade: broker.GradeChat, method: "z"}}
	o.state = &broker.MemoryState{Now: o.clock.Now}
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	o.others[0], o.others[1] = o.others[1], o.others[0]
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
}

func TestTheJournalSaysWhoWhatAndWhy(t *testing.T) {
	o := newOffice(t)
	var log strings.Builder
	opts := o.options()
	opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	g, err := broker.NewGuard(o.broker, opts)
	require.NoError(t, err)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	require.NoError(t, g.Decline(t.Context(), p.ID, "Bob"))
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	_, err = g.Place(t.Context(), desk, buy("SPY", "100000", "-500"))
	require.ErrorIs(t, err, broker.ErrRefused)
	found := map[string]broker.AuditEntry{}
	for e, err := range g.Audit(t.Context(), 0) {
		require.NoError(t, err)
		found[e.What] = e
		assert.Equal(t, broker.Sandbox, e.Environment)
		assert.Equal(t, desk, e.Account)
	}
	assert.Equal(t, "Bob", found[broker.EntryDeclined].By)
	assert.Equal(t, "person", found[broker.EntryApproved].Approval.Method)
	assert.Equal(t, "person", found[broker.EntryClaimed].Approval.Method)
	answered := found[broker.EntryAnswered].Orders
	require.Len(t, answered, 1)
	assert.Equal(t, broker.OrderID("1000"), answered[0].ID)
	assert.Equal(t, broker.Live, answered[0].Status)
	assert.NotEmpty(t, answered[0].Tag)
	assert.Equal(t, "max_shares", found[broker.EntryRefused].Limits[0].Limit)
	assert.Equal(t, deskTime, found[broker.EntryRefused].Time)
	assert.Contains(t, log.String(), "msg=order.sending")
	assert.NotContains(t, log.String(), "SPY", "the log has no contents of orders")
	require.NoError(t, o.journal.Append(t.Context(), "other", []byte("not JSON")))
	n := 0
	for e, err := range g.Audit(t.Context(), 0) {
		require.NoError(t, err)
		if n++; e.What == "other" {
			assert.Equal(t, broker.Entry{}, e.Entry)
		}
	}
	for range g.Audit(t.Context(), 0) {
		break
	}
	assert.Greater(t, n, 6)
}

func TestWhatIsJournaledBeforeAnythingElseStopsEverythingElse(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	o.journal = &brokenJournal{Journal: o.journal, fails: 1}
	g = o.guard(t)
	_, err = g.Approve(t.Context(), p.ID, yes)
	require.ErrorIs(t, err, broker.ErrJournal)
	require.ErrorIs(t, g.Decline(t.Context(), p.ID, "x"), broker.ErrJournal)
	_, err = g.Place(t.Context(), desk, buy("SPY", "100000", "-500"))
	require.ErrorIs(t, err, broker.ErrJournal)
	require.ErrorIs(t, err, broker.ErrRefused)
	_, err = o.guard(t).Prepared(t.Context(), p.ID)
	require.NoError(t, err, "it stands as it was")
}

func TestErrorsReadWell(t *testing.T) {
	e := &broker.RefusedError{Violations: []broker.Violation{{"a", "too much"}, {"b", "too late"}}}
	assert.EqualError(t, e, "refused by the guard: too much; too late")
	require.ErrorIs(t, e, broker.ErrRefused)
	assert.NotErrorIs(t, e, broker.ErrKilled)
	assert.False(t, e.Has("c"))
	assert.Len(t, e.Unwrap(), 1)
	assert.EqualError(t, &broker.ApprovalRequiredError{Grade: broker.GradeChat, Methods: []string{"code"}}, `approval required of grade "chat": [code]`)
	assert.Equal(t, "unbounded", broker.Loss{Unbounded: true}.String())
	assert.Equal(t, "not known", broker.Loss{}.String())
	assert.Equal(t, "5", fmt.Sprint(broker.Loss{Amount: dec("5")}))
}

func TestClosingTakesTheTypeOneAsksFor(t *testing.T) {
	o := newOffice(t)
	o.broker.positions[desk] = []broker.Position{holds("SPY", "2", "500"), holds(call500, "-1", "10"), holds(call510, "1", "6"), holds("QQQ", "0", "1")}
	g := o.guard(t)
	type closing = broker.ClosePositions
	for name, c := range map[string]struct {
		close closing
		want  broker.OrderType
		legs  int
	}{
		"market":        {closing{Symbols: []string{"SPY"}}, broker.Market, 1},
		"limit":         {closing{Symbols: []string{"SPY"}, Limit: dec("500")}, broker.Limit, 1},
		"limit by type": {closing{Symbols: []string{string(call500), string(call510)}, Type: broker.Limit, Limit: dec("-4")}, broker.Limit, 2},
	} {
		p, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentClose, Close: c.close})
		require.NoError(t, err, name)
		assert.Equal(t, c.want, p.Ticket.Orders[0].Type, name)
		assert.Len(t, p.Ticket.Orders[0].Legs, c.legs, name)
		assert.Contains(t, p.Words, "Worst-case loss", name)
	}
	_, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentClose, Close: closing{Symbols: []string{"QQQ"}}})
	field, ok := errors.AsType[*broker.FieldError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, "Close.Symbols[0]", field.Field)
	_, err = g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentClose})
	field, ok = errors.AsType[*broker.FieldError](err)
	require.True(t, ok)
	assert.Equal(t, "Close.Symbols", field.Field)
}

func TestABrokerWithoutAPreviewIsUnavailable(t *testing.T) {
	o := newOffice(t)
	o.broker.preview = func(broker.Ticket) *broker.Preview { return nil }
	_, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorIs(t, err, broker.ErrUnavailable)
}

func TestTheBooksBudgetsBeginAnewEachDay(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.Hours = broker.HoursAny
	o.person.always = false
	o.others = []broker.Approver{policy(t, o, func(b *broker.Budget) { b.DailyOrders, b.Until = broker.CapInt(1), deskTime.Add(48*time.Hour) })}
	g := o.guard(t)
	for range 2 {
		_, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		require.NoError(t, err)
		_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		violated(t, err, "budget")
		o.clock.Advance(24 * time.Hour)
	}
	assert.NotContains(t, o.bookText(t), `"day":"2026-11-19"`)
}

func TestANotSentOfYesterdayDoesNotCountBackToday(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxDailyOrders, o.limits.Hours = broker.CapInt(1), broker.HoursAny
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	steps := &crasher{at: 6} // reserved, and no further
	state := o.state
	o.state = crashingState{state, steps}
	dying := o.guard(t)
	require.True(t, steps.dies(func() { _, _ = dying.Submit(t.Context(), p.ID) }))
	o.state = state
	o.clock.Advance(24 * time.Hour)
	g = o.guard(t)
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	_, err = g.Reconcile(t.Context())
	require.NoError(t, err)
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	violated(t, err, "max_daily_orders")
}
