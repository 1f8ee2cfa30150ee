package broker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func TestTheKillSwitchBlocksEveryGuardOfTheHomeUntilAPersonLiftsIt(t *testing.T) {
	o := newOffice(t)
	o.person.always = false
	model := o.guard(t).Desk("")
	other := o.guard(t)
	p, err := other.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	_, err = model.Stop(t.Context(), "model", "the market is mad", desk)
	require.NoError(t, err)

	_, err = other.Submit(t.Context(), p.ID, yes)
	violated(t, err, "kill_switch")
	require.ErrorIs(t, err, broker.ErrKilled)
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorIs(t, err, broker.ErrKilled, "a new process too")
	assert.ErrorContains(t, err, "the market is mad")
	k, err := model.Killed(t.Context())
	require.NoError(t, err)
	assert.True(t, k.Engaged)
	assert.Equal(t, "model", k.By)
	require.NoError(t, other.Engage(t.Context(), "another", "again"))
	k, err = model.Killed(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "model", k.By, "the first stands")

	lift, err := other.PrepareLift(t.Context())
	require.NoError(t, err)
	assert.Equal(t, broker.GradeElicitation, lift.Grade)
	assert.Contains(t, lift.Words, `Lift the kill switch: engaged by "model" at 2026-11-19T15:30:00Z because of "the market is mad"`)
	_, err = other.Submit(t.Context(), lift.ID)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
	out, err := other.Submit(t.Context(), lift.ID, yes)
	require.NoError(t, err)
	assert.Equal(t, broker.OutcomeDone, out.State)
	_, err = other.Submit(t.Context(), p.ID, yes)
	require.NoError(t, err)
	assert.Len(t, o.broker.writes(), 1)
	assert.Contains(t, o.entries(t), broker.EntryEngaged)
	assert.Contains(t, o.entries(t), broker.EntryLifted)
	_, err = other.PrepareLift(t.Context())
	require.ErrorIs(t, err, broker.ErrTooLate)
	_, err = other.Submit(t.Context(), lift.ID, yes)
	require.ErrorIs(t, err, broker.ErrSpent)
}

func TestALiftIsOfOneEngagementOnly(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	require.NoError(t, g.Engage(t.Context(), "a", "first"))
	early, err := g.PrepareLift(t.Context())
	require.NoError(t, err)
	late, err := g.PrepareLift(t.Context())
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), early.ID)
	require.NoError(t, err)
	require.NoError(t, g.Engage(t.Context(), "b", "second"))
	out, err := g.Submit(t.Context(), late.ID)
	require.ErrorIs(t, err, broker.ErrStateChanged)
	assert.Equal(t, broker.OutcomeNotSent, out.State)
	k, err := g.Killed(t.Context())
	require.NoError(t, err)
	assert.True(t, k.Engaged)
}

func TestNoBudgetLiftsTheKillSwitch(t *testing.T) {
	o := newOffice(t)
	o.person.grade = broker.GradePolicy
	o.others = []broker.Approver{policy(t, o, func(*broker.Budget) {})}
	g := o.guard(t)
	require.NoError(t, g.Engage(t.Context(), "a", "b"))
	p, err := g.PrepareLift(t.Context())
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), p.ID)
	required, ok := errors.AsType[*broker.ApprovalRequiredError](err)
	require.True(t, ok)
	assert.Empty(t, required.Methods)
	assert.ErrorContains(t, err, "no approver is configured that reaches it")
}

func TestStoppingCancelsWhatOpensAndLeavesWhatProtects(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	exit := leg("SPY", broker.SellToClose, "100")
	opening := o.broker.add(desk, buy("SPY", "1", "-500").Orders[0], "").ID
	stop := o.broker.add(desk, broker.Order{Legs: []broker.Leg{exit}, Type: broker.Stop, Stop: dec("450")}, "").ID
	ended := o.broker.add(desk, buy("QQQ", "1", "-400").Orders[0], "").ID
	o.broker.fill(ended)
	failing := o.broker.add(desk, buy("QQQ", "2", "-400").Orders[0], "").ID
	n := 0
	o.broker.fault = func(op string) fault {
		if n++; n == 2 {
			return unavailable
		}
		return works
	}
	stopped, err := g.Stop(t.Context(), "Ann", "enough", desk)
	require.ErrorIs(t, err, broker.ErrUnavailable)
	require.Len(t, stopped.Cancelled, 1)
	assert.Equal(t, opening, stopped.Cancelled[0].ID)
	require.Len(t, stopped.Left, 1)
	assert.Equal(t, stop, stopped.Left[0].ID)
	assert.Equal(t, []broker.OrderID{failing}, stopped.Failed)
	o.broker.fault = nil
	stopped, err = g.Stop(t.Context(), "Ann", "enough", desk, "5WX09999")
	require.NoError(t, err)
	assert.Len(t, stopped.Cancelled, 1)
}

func TestStoppingWhereTradingIsOffEngagesAndSendsNothing(t *testing.T) {
	for name, limits := range map[string]broker.Limits{
		"off":     {},
		"account": func() broker.Limits { l := roomy(); l.Accounts = []broker.AccountID{"5WX00002"}; return l }(),
		"preview": func() broker.Limits { l := roomy(); l.Mode = broker.ModePreview; return l }(),
	} {
		o := newOffice(t)
		o.limits = limits
		g := o.guard(t)
		o.broker.add(desk, buy("SPY", "1", "-500").Orders[0], "")
		_, err := g.Stop(t.Context(), "Ann", "enough", desk)
		require.ErrorIs(t, err, broker.ErrTradingOff, name)
		k, err := g.Killed(t.Context())
		require.NoError(t, err)
		assert.True(t, k.Engaged)
		assert.Empty(t, o.broker.writes(), name)
	}
}

func TestEngagingDoesNotWaitForTheJournal(t *testing.T) {
	o := newOffice(t)
	o.journal = &brokenJournal{Journal: o.journal, fails: 1}
	g := o.guard(t)
	require.ErrorIs(t, g.Engage(t.Context(), "a", "b"), broker.ErrJournal)
	k, err := g.Killed(t.Context())
	require.NoError(t, err)
	assert.True(t, k.Engaged)
}

func TestAnUnreadableOrDamagedSwitchIsAnEngagedOne(t *testing.T) {
	o := newOffice(t)
	_, err := o.state.CompareAndSet(t.Context(), "guard/kill", 0, []byte("{"), 0)
	require.NoError(t, err)
	g := o.guard(t)
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorIs(t, err, broker.ErrKilled)
	k, err := g.Killed(t.Context())
	require.Error(t, err)
	assert.True(t, k.Engaged)
	require.NoError(t, g.Engage(t.Context(), "Ann", "repair"))
	k, err = g.Killed(t.Context())
	require.NoError(t, err)
	assert.True(t, k.Engaged)

	o = newOffice(t)
	o.state = blindState{o.state}
	g = o.guard(t)
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorIs(t, err, broker.ErrKilled)
	require.Error(t, g.Engage(t.Context(), "a", "b"))
}

type blindState struct{ broker.State }

func (blindState) Get(context.Context, string) ([]byte, uint64, error) {
	return nil, 0, errors.New("locked")
}

func TestTradingIsOffUntilItIsConfigured(t *testing.T) {
	for name, opts := range map[string]broker.GuardOptions{
		"nothing configured":  {},
		"unreadable settings": {Limits: roomy(), Unreadable: errors.New("limits.json: unknown field"), Approvers: []broker.Approver{&person{grade: broker.GradePasskey, always: true}}},
	} {
		b := newDeskBroker(broker.Production)
		g, err := broker.NewGuard(b, opts)
		require.NoError(t, err, name)
		_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		require.ErrorIs(t, err, broker.ErrTradingOff, name)
		violated(t, err, "mode")
		_, err = g.Cancel(t.Context(), desk, "1")
		require.ErrorIs(t, err, broker.ErrTradingOff, name)
		_, err = g.PrepareSettings(t.Context())
		require.ErrorIs(t, err, broker.ErrTradingOff, name)
		_, err = g.Balances(t.Context(), desk)
		require.NoError(t, err, "reading goes on")
		if opts.Unreadable != nil {
			_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
			assert.ErrorContains(t, err, "unknown field")
			assert.Equal(t, broker.Limits{}, g.Limits())
		}
	}
}

func TestAPreviewModePreviewsOnly(t *testing.T) {
	o := newOffice(t)
	o.limits.Mode = broker.ModePreview
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), p.ID, yes)
	require.ErrorIs(t, err, broker.ErrTradingOff)
	_, err = g.Approve(t.Context(), p.ID, yes)
	require.ErrorIs(t, err, broker.ErrTradingOff)
	_, err = g.PrepareLift(t.Context())
	require.ErrorIs(t, err, broker.ErrTradingOff)
}

func TestAGuardRefusesWhatMakesNoSense(t *testing.T) {
	good := newDeskBroker(broker.Sandbox)
	guarded, err := broker.NewGuard(good, broker.GuardOptions{})
	require.NoError(t, err)
	ann := &person{grade: broker.GradePasskey}
	for name, c := range map[string]struct {
		broker broker.Broker
		opts   broker.GuardOptions
	}{
		"no broker":         {nil, broker.GuardOptions{}},
		"a guarded broker":  {guarded, broker.GuardOptions{}},
		"a nil approver":    {good, broker.GuardOptions{Approvers: []broker.Approver{nil}}},
		"a method twice":    {good, broker.GuardOptions{Approvers: []broker.Approver{ann, ann}}},
		"a method's form":   {good, broker.GuardOptions{Approvers: []broker.Approver{&person{grade: broker.GradeChat, method: "A"}}}},
		"no grade":          {good, broker.GuardOptions{Approvers: []broker.Approver{&person{}}}},
		"a grade too high":  {good, broker.GuardOptions{Approvers: []broker.Approver{&person{grade: 7}}}},
		"a home's form":     {good, broker.GuardOptions{Home: "my home"}},
		"a home's length":   {good, broker.GuardOptions{Home: "123456789012345678901234567890123"}},
		"limits":            {good, broker.GuardOptions{Limits: broker.Limits{Mode: "on"}}},
		"a lowered grade":   {newDeskBroker(broker.Production), broker.GuardOptions{Limits: lowered("")}},
		"a wrong sentence":  {newDeskBroker(broker.Production), broker.GuardOptions{Limits: lowered("I accept.")}},
		"unknown is real":   {newDeskBroker("elsewhere"), broker.GuardOptions{Limits: lowered("")}},
		"another's lowered": {newDeskBroker(broker.Production), broker.GuardOptions{Limits: lowered(broker.LoweringSentence(broker.GradePolicy))}},
	} {
		_, err := broker.NewGuard(c.broker, c.opts)
		_, ok := errors.AsType[*broker.FieldError](err)
		assert.True(t, ok, "%s: %v", name, err)
	}
	_, err = broker.NewGuard(newDeskBroker(broker.Production), broker.GuardOptions{Limits: lowered(broker.LoweringSentence(broker.GradeElicitation))})
	require.NoError(t, err)
	_, err = broker.NewGuard(good, broker.GuardOptions{Limits: lowered(""), Home: "12345678901234567890123456789012"})
	require.NoError(t, err, "without real money nothing is lowered")
}

func lowered(sentence string) broker.Limits {
	l := roomy()
	l.Approval.Grade, l.Approval.Lowered = broker.GradeElicitation, sentence
	return l
}

func TestLiveMoneyNeedsAGradeThatAShellCannotForge(t *testing.T) {
	for grade := broker.GradePolicy; grade <= broker.GradeAnotherAccount; grade++ {
		o := newOffice(t)
		o.broker.env = broker.Production
		o.person.grade = grade
		g := o.guard(t)
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		assert.Equal(t, broker.GradePasskey, p.Grade)
		assert.Contains(t, p.Words, "REAL MONEY (production)")
		_, err = g.Submit(t.Context(), p.ID, yes)
		if grade < broker.GradePasskey {
			require.ErrorIs(t, err, broker.ErrApprovalRequired, grade)
			_, err = g.Approve(t.Context(), p.ID, yes)
			require.ErrorIs(t, err, broker.ErrApprovalRequired, grade)
			assert.Empty(t, o.broker.writes())
			continue
		}
		require.NoError(t, err, grade)
	}
	o := newOffice(t)
	o.broker.env, o.person.grade = broker.Production, broker.GradeElicitation
	o.limits.Approval.Grade, o.limits.Approval.Lowered = broker.GradeElicitation, broker.LoweringSentence(broker.GradeElicitation)
	_, err := o.guard(t).Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err, "lowered in writing")
}

func TestLargerOrdersNeedHigherGrades(t *testing.T) {
	o := newOffice(t)
	o.limits.Approval.Above = []broker.Tier{{*dec("1000"), broker.GradeLoopback}, {*dec("5000"), broker.GradeChat}, {*dec("0"), broker.GradeElicitation}}
	g := o.guard(t)
	for limit, want := range map[string]broker.Grade{
		"-1000": broker.GradeElicitation, "-1000.01": broker.GradeLoopback, "-5000": broker.GradeLoopback, "-5000.01": broker.GradeChat,
	} {
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", limit)))
		require.NoError(t, err)
		assert.Equal(t, want, p.Grade, limit)
	}
	p, err := g.Prepare(t.Context(), desk, place(credit("1", leg(call500, broker.SellToOpen, "1"), leg(call510, broker.BuyToOpen, "1"))))
	require.NoError(t, err)
	assert.Equal(t, broker.GradeChat, p.Grade, "a loss of 900 and a notional of 51000: the larger counts")
}

func TestEditedSettingsDoNotHoldForRealMoneyUntilTheyAreApproved(t *testing.T) {
	o := newOffice(t)
	o.broker.env = broker.Production
	g := o.guard(t)
	_, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	assert.Equal(t, broker.EntryPinned, o.entries(t)[0])

	for name, edit := range map[string]func(o *office){
		"a limit":         func(o *office) { o.limits.MaxOrderLoss = broker.CapInt(1_000_000) },
		"a lowered grade": func(o *office) { o.limits = loweredTo(o.limits) },
		"another key": func(o *office) {
			o.others = []broker.Approver{&other{person{grade: broker.GradePasskey, method: "mine", always: true}}}
		},
		"a raised approver": func(o *office) {
			o.person = &person{grade: broker.GradeAnotherAccount, always: true}
		},
	} {
		edited := *o
		edit(&edited)
		g := edited.guard(t)
		_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		require.ErrorIs(t, err, broker.ErrSettingsChanged, name)
		_, err = g.Cancel(t.Context(), desk, o.broker.orders[0].ID)
		require.ErrorIs(t, err, broker.ErrSettingsChanged, name)
		assert.Len(t, o.broker.writes(), 1)
	}

	// Only who approved before approves the change: the new key does not.
	edited := *o
	fresh := &other{person{grade: broker.GradeAnotherAccount, method: "mine", always: true}}
	edited.others = []broker.Approver{fresh}
	edited.person = &person{grade: broker.GradePasskey}
	g = edited.guard(t)
	p, err := g.PrepareSettings(t.Context())
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), p.ID)
	required, ok := errors.AsType[*broker.ApprovalRequiredError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, []string{"person"}, required.Methods)
	_, err = g.Submit(t.Context(), p.ID, broker.Evidence{Method: "mine", Data: []byte("yes")})
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
	_, err = g.Submit(t.Context(), p.ID, yes)
	require.NoError(t, err)
	assert.Contains(t, o.entries(t), broker.EntrySettingsSet)
	_, err = g.Place(t.Context(), desk, buy("SPY", "2", "-500"))
	require.NoError(t, err)
	_, err = o.guard(t).Place(t.Context(), desk, buy("SPY", "3", "-500"))
	require.ErrorIs(t, err, broker.ErrSettingsChanged, "the old settings hold no more")
	_, err = g.PrepareSettings(t.Context())
	require.ErrorIs(t, err, broker.ErrTooLate)
}

func loweredTo(l broker.Limits) broker.Limits {
	l.Approval.Grade, l.Approval.Lowered = broker.GradePolicy, broker.LoweringSentence(broker.GradePolicy)
	return l
}

type other struct{ person }

func (*other) Fingerprint() string { return "another person" }

func TestAChangeOfSettingsIsOfOneChangeOnly(t *testing.T) {
	o := newOffice(t)
	o.broker.env = broker.Production
	_, err := o.guard(t).Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	a, b := *o, *o
	a.limits.MaxShares, b.limits.MaxShares = broker.CapInt(1), broker.CapInt(2)
	pa, err := a.guard(t).PrepareSettings(t.Context())
	require.NoError(t, err)
	pb, err := b.guard(t).PrepareSettings(t.Context())
	require.NoError(t, err)
	_, err = b.guard(t).Submit(t.Context(), pa.ID)
	require.ErrorIs(t, err, broker.ErrStateChanged, "approved were a's settings")
	_, err = b.guard(t).Submit(t.Context(), pb.ID)
	require.NoError(t, err)
	pa, err = a.guard(t).PrepareSettings(t.Context())
	require.NoError(t, err)
	_, err = a.guard(t).Submit(t.Context(), pa.ID)
	require.NoError(t, err)
}

func TestWithoutRealMoneySettingsAreFree(t *testing.T) {
	o := newOffice(t)
	_, err := o.guard(t).Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	o.limits.MaxShares = broker.CapInt(1)
	_, err = o.guard(t).Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	assert.NotContains(t, o.entries(t), broker.EntryPinned)
}

func TestInstrumentsHaveTheirOwnHours(t *testing.T) {
	for _, c := range []struct {
		symbol market.Symbol
		hour   int // after midnight UTC of Thursday 19 November 2026; New York is 5 hours behind
		want   market.Phase
	}{
		{"SPY", 15, market.PhaseRegular},
		{"SPY", 10, market.PhasePre},
		{"SPY", 23, market.PhasePost},
		{call500, 10, market.PhaseClosed},
		{call500, 15, market.PhaseRegular},
		{"BTC/USD", 5, market.PhaseRegular},
		{"/ESZ6", 8, market.PhaseRegular},
		{"/CLF7", 15, market.PhaseClosed},
	} {
		got := broker.PhaseOf(c.symbol, time.Date(2026, 11, 19, c.hour, 0, 0, 0, time.UTC))
		if c.symbol == "/ESZ6" {
			assert.NotEqual(t, market.PhaseClosed, got, "futures trade at night")
			continue
		}
		assert.Equal(t, c.want, got, "%s at %d", c.symbol, c.hour)
	}
}
