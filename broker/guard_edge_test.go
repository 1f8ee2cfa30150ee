package broker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func TestWhatCannotBeMarkedAsSendingIsNotSent(t *testing.T) {
	for _, why := range []error{errors.New("disk full"), broker.ErrStateChanged} {
		o := newOffice(t)
		p, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		healthy := o.state
		o.state = refusingState{healthy, `"stage":"sending"`, "preview/" + p.ID, why}
		out, err := o.guard(t).Submit(t.Context(), p.ID)
		require.ErrorIs(t, err, why)
		assert.Equal(t, broker.OutcomeNotSent, out.State)
		assert.Equal(t, "Ann", out.Approval.By)
		assert.Empty(t, o.broker.writes())
		o.state = healthy
		out, err = o.guard(t).Submit(t.Context(), p.ID)
		require.ErrorIs(t, err, broker.ErrSpent)
		assert.Equal(t, broker.OutcomeNotSent, out.State)
		assert.Equal(t, "Ann", out.Approval.By)
		assert.Empty(t, o.broker.writes())
	}
}

// refusingState refuses what holds a text, under keys with a part.
type refusingState struct {
	broker.State
	text, part string
	err        error
}

func (s refusingState) CompareAndSet(ctx context.Context, key string, expected uint64, data []byte, ttl time.Duration) (uint64, error) {
	if strings.Contains(key, s.part) && strings.Contains(string(data), s.text) {
		return 0, s.err
	}
	return s.State.CompareAndSet(ctx, key, expected, data, ttl)
}

func TestWhatCannotBeClaimedIsNotSent(t *testing.T) {
	o := newOffice(t)
	p, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	healthy := o.state
	o.state = refusingState{healthy, `"stage":"claimed"`, "preview/" + p.ID, errors.New("disk full")}
	_, err = o.guard(t).Submit(t.Context(), p.ID)
	require.ErrorContains(t, err, "disk full")
	o.state = refusingState{healthy, `"stage":"claimed"`, "preview/" + p.ID, broker.ErrStateChanged}
	_, err = o.guard(t).Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrStateChanged)
	assert.NotErrorIs(t, err, broker.ErrSpent, "it stands, and may be submitted again")
	o.state = healthy
	_, err = o.guard(t).Submit(t.Context(), p.ID)
	require.NoError(t, err)
	assert.Len(t, o.broker.writes(), 1)
}

func TestAnApprovalThatCannotBeStoredIsNone(t *testing.T) {
	o := newOffice(t)
	o.person.always = false
	p, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	healthy := o.state
	o.state = refusingState{healthy, `"evidence"`, "preview/", errors.New("disk full")}
	_, err = o.guard(t).Approve(t.Context(), p.ID, yes)
	require.ErrorContains(t, err, "disk full")
	o.state = healthy
	_, err = o.guard(t).Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
	o.state = refusingState{healthy, `"stage":"ready"`, "preview/", errors.New("disk full")}
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorContains(t, err, "disk full")
}

func TestStoppingJournalsEachCancelBeforeItIsSent(t *testing.T) {
	o := newOffice(t)
	o.broker.add(desk, buy("SPY", "1", "-500").Orders[0], "")
	journal := o.journal
	o.journal = &brokenJournal{Journal: journal, fails: 2} // the engagement is written, the cancel is not
	stopped, err := o.guard(t).Stop(t.Context(), "Ann", "enough", desk)
	require.ErrorIs(t, err, broker.ErrJournal)
	assert.Len(t, stopped.Failed, 1)
	assert.Empty(t, o.broker.writes())
	o.journal = journal
	for how, kind := range map[fault]string{unavailable: broker.EntryNotSent, rejects: broker.EntryNotSent, lostNotPlaced: broker.EntryUncertain} {
		o.broker.fault = func(string) fault { return how }
		_, err = o.guard(t).Stop(t.Context(), "Ann", "enough", desk)
		require.Error(t, err)
		var last broker.AuditEntry
		for e, err := range o.guard(t).Audit(t.Context(), 0) {
			require.NoError(t, err)
			last = e
		}
		assert.Equal(t, kind, last.What)
		assert.NotEmpty(t, last.Reason)
		assert.Equal(t, "kill switch", last.By)
	}
	o.broker.fault = nil
	o.broker.orders[0].Status = broker.CancelRequested
	sent := len(o.broker.writes())
	_, err = o.guard(t).Stop(t.Context(), "Ann", "enough", desk)
	require.NoError(t, err)
	assert.Len(t, o.broker.writes(), sent, "what is being cancelled is left")
	// A switch whose engagement cannot be journaled blocks and stops all the same.
	o = newOffice(t)
	o.journal = &onceBroken{Journal: o.journal}
	o.broker.add(desk, buy("SPY", "1", "-500").Orders[0], "")
	stopped, err = o.guard(t).Stop(t.Context(), "Ann", "enough", desk)
	require.NoError(t, err)
	assert.Len(t, stopped.Cancelled, 1)
	o = newOffice(t)
	o.state = keyState{o.state, "kill"}
	_, err = o.guard(t).Stop(t.Context(), "Ann", "enough", desk)
	require.Error(t, err)
	_, err = o.guard(t).PrepareLift(t.Context())
	require.ErrorContains(t, err, "unreadable")
}

// onceBroken fails at its first entry.
type onceBroken struct {
	broker.Journal
	n int
}

func (j *onceBroken) Append(ctx context.Context, kind string, data []byte) error {
	if j.n++; j.n == 1 {
		return errors.New("disk full")
	}
	return j.Journal.Append(ctx, kind, data)
}

func TestOrdersThatOnlyCloseCostTheOthersNothing(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxOpenNotional, o.limits.MaxDailyLoss = broker.CapInt(500), broker.CapInt(500)
	o.broker.positions[desk] = []broker.Position{holds("QQQ", "10", "400")}
	o.broker.add(desk, credit("400", leg("QQQ", broker.SellToClose, "5")).Orders[0], "") // placed elsewhere
	g := o.guard(t)
	_, err := g.Place(t.Context(), desk, credit("400", leg("QQQ", broker.SellToClose, "5")))
	require.NoError(t, err)
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
}

func TestAnOrderInTheBookIsNotCountedAsPlacedElsewhereToo(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxOpenNotional = broker.CapInt(1000)
	g := o.guard(t)
	for range 2 {
		_, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		require.NoError(t, err)
	}
	_, err := g.Place(t.Context(), desk, buy("SPY", "1", "-1"))
	violated(t, err, "max_open_notional")
}

func TestNothingIsReadWhereNothingIsCapped(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.broker.balances[desk] = &broker.Balances{Account: desk}
	o.broker.preview = func(t broker.Ticket) *broker.Preview { return &broker.Preview{Ticket: t} }
	o.broker.positions[desk] = []broker.Position{{Symbol: "QQQ", Quantity: *dec("5")}}
	_, err := o.guard(t).Place(t.Context(), desk, buy("NIL", "1", "-500"))
	require.NoError(t, err)
}

func TestTwoPositionsInOneUnderlyingCountTogether(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxSymbolRisk = broker.CapOf(*dec("0.5"))
	closed := holds("IWM", "0", "1")
	closed.Mark = nil
	o.broker.positions[desk] = []broker.Position{holds("SPY", "50", "500"), holds(call500, "10", "10"), holds(call510, "10", "10"), closed}
	g := o.guard(t)
	_, err := g.Prepare(t.Context(), desk, place(buy("SPY", "10", "-500")))
	require.NoError(t, err, "25000 + 10000 + 10000 + 5000")
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "10", "-500.01")))
	violated(t, err, "max_symbol_risk")
}

func TestReconcileGoesOnAfterAnError(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	g := o.guard(t)
	o.broker.fault = func(string) fault { return lostButPlaced }
	o.broker.hidden = true
	var ids []string
	for range 2 {
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		_, err = g.Submit(t.Context(), p.ID)
		require.ErrorIs(t, err, broker.ErrUncertain)
		ids = append(ids, p.ID)
	}
	o.broker.hidden = false
	healthy := o.state
	o.state = keyState{healthy, "preview/" + ids[0]}
	out, err := o.guard(t).Reconcile(t.Context())
	require.ErrorContains(t, err, "unreadable")
	require.Len(t, out, 1)
	assert.Equal(t, ids[1], out[0].PreviewID)
	o.state = keyState{healthy, "book"}
	_, err = o.guard(t).Reconcile(t.Context())
	require.ErrorContains(t, err, "unreadable")
	o.state = refusingState{healthy, `"outcome":"done"`, "preview/" + ids[0], errors.New("disk full")}
	_, err = o.guard(t).Reconcile(t.Context())
	require.ErrorContains(t, err, "disk full")
	o.state = healthy
	out, err = o.guard(t).Reconcile(t.Context())
	require.NoError(t, err)
	require.Len(t, out, 1)
}

func TestWhatWasForgottenIsDroppedFromTheBook(t *testing.T) {
	o := newOffice(t)
	o.broker.fault = func(string) fault { return lostNotPlaced }
	_, err := o.guard(t).Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.ErrorIs(t, err, broker.ErrUncertain)
	o.clock.Advance(31 * 24 * time.Hour)
	out, err := o.guard(t).Reconcile(t.Context())
	require.NoError(t, err)
	assert.Empty(t, out)
	assert.NotContains(t, o.bookText(t), "uncertain")
}

func TestATagThatAnotherOrderHasFindsNothing(t *testing.T) {
	o := newOffice(t)
	liar := anyTag{o.broker}
	g, err := broker.NewGuard(liar, o.options())
	require.NoError(t, err)
	o.broker.add(desk, buy("SPY", "1", "-500").Orders[0], "")
	o.broker.fault = func(string) fault { return lostNotPlaced }
	_, err = g.Place(t.Context(), desk, buy("SPY", "2", "-500"))
	require.ErrorIs(t, err, broker.ErrUncertain)
}

// anyTag lists all orders whatever tag is asked for.
type anyTag struct{ *deskBroker }

func (b anyTag) Orders(ctx context.Context, a broker.AccountID, q broker.OrdersQuery) ([]broker.OrderState, error) {
	q.Tag = ""
	return b.deskBroker.Orders(ctx, a, q)
}

func TestAGuardsDefaultsAreTheRealOnes(t *testing.T) {
	b := newDeskBroker(broker.Sandbox)
	l := roomy()
	l.Hours = broker.HoursAny
	g, err := broker.NewGuard(b, broker.GuardOptions{Limits: l, Approvers: []broker.Approver{&person{grade: broker.GradePolicy, always: true}}})
	require.NoError(t, err)
	before := time.Now()
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	assert.WithinDuration(t, before, p.Created, time.Minute)
	_, err = g.Submit(t.Context(), p.ID)
	require.NoError(t, err)
	// A home and a calendar of one's own.
	o := newOffice(t)
	opts := o.options()
	opts.Home = "mine"
	opts.Hours = func(market.Symbol, time.Time) market.Phase { return market.PhaseClosed }
	g, err = broker.NewGuard(o.broker, opts)
	require.NoError(t, err)
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	violated(t, err, "hours")
	require.NoError(t, g.Engage(t.Context(), "a", "b"))
	_, _, err = o.state.Get(t.Context(), "mine/kill")
	require.NoError(t, err)
	k, err := o.guard(t).Killed(t.Context())
	require.NoError(t, err)
	assert.False(t, k.Engaged, "another home")
}

func TestAnOrdersEdgesAreWhereTheySayTheyAre(t *testing.T) {
	for tag, good := range map[string]bool{
		"azAZ09-_": true, "a`": false, "a{": false, "a@": false, "a[": false, "a/": false, "a:": false,
		strings.Repeat("x", 48): true, strings.Repeat("x", 49): false, "": false, "é": false,
	} {
		o := buyTen()
		o.Tag = tag
		assert.Equal(t, good, o.Validate() == nil, "%q", tag)
	}
	four := longFor1(leg(call500, broker.BuyToOpen, "1"), leg(call510, broker.BuyToOpen, "1"), leg(call520, broker.BuyToOpen, "1"), leg(put490, broker.BuyToOpen, "1"))
	four.Tag = "four"
	require.NoError(t, four.Validate())
	four.Legs = append(four.Legs, leg(put500, broker.BuyToOpen, "1"))
	require.Error(t, four.Validate())
	for amount, good := range map[string]bool{"0": false, "-1": false, "0.01": true} {
		o := broker.Order{Tag: "n", Type: broker.Market, Notional: dec(amount), Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen}}}
		assert.Equal(t, good, o.Validate() == nil, amount)
	}
	for percent, good := range map[string]bool{"0": false, "0.01": true, "99.99": true, "100": false} {
		o := broker.Order{Tag: "n", Type: broker.TrailingStop, Trail: &broker.Trail{Percent: dec(percent)}, Legs: []broker.Leg{leg("SPY", broker.SellToClose, "1")}}
		assert.Equal(t, good, o.Validate() == nil, percent)
	}
	for _, amount := range []string{"0", "-1"} {
		o := broker.Order{Tag: "n", Type: broker.TrailingStop, Trail: &broker.Trail{Amount: dec(amount)}, Legs: []broker.Leg{leg("SPY", broker.SellToClose, "1")}}
		require.Error(t, o.Validate())
	}
	for _, kind := range []broker.OrderType{broker.Stop, broker.StopLimit, broker.TrailingStop} {
		o := broker.Order{Tag: "n", Type: kind, Legs: []broker.Leg{leg("SPY", broker.SellToClose, "1"), leg("QQQ", broker.SellToClose, "1")}}
		require.ErrorContains(t, o.Validate(), "market or limit for an order of several legs", kind)
	}
	units := func(quantities ...string) string {
		var o broker.Order
		for i, q := range quantities {
			o.Legs = append(o.Legs, leg(market.Symbol(fmt.Sprint("S", i)), broker.BuyToOpen, q))
		}
		return o.Units().String()
	}
	assert.Equal(t, "2", units("4", "6"))
	assert.Equal(t, "0", units("4", "0"))
	assert.Equal(t, "0", units("0", "4"))
	assert.Equal(t, "0", units("4", "-2"))
	assert.Equal(t, "0", units("4", "2.5"))
	assert.Equal(t, "0.5", units("0.5"))
	var trail *broker.Trail
	assert.Equal(t, "none", trail.String())
	assert.Equal(t, "empty", (&broker.Trail{}).String())
	assert.Equal(t, "5", (&broker.Trail{Amount: dec("5")}).String())
	assert.Equal(t, "2%", (&broker.Trail{Percent: dec("2")}).String())
	filled := broker.OrderState{ID: "1", Status: broker.Live, Legs: []broker.LegState{{Symbol: "SPY", Filled: *dec("1")}}}
	_, err := filled.Become(filled)
	require.NoError(t, err, "the same again")
	bare := broker.OrderState{ID: "1", Status: broker.Live}
	_, err = bare.Become(filled)
	require.NoError(t, err, "legs may come later")
	_, err = filled.Become(bare)
	require.Error(t, err)
}
