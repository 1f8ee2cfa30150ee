package broker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
)

func TestBuyingPowerThatOthersReservedIsCountedToTheCent(t *testing.T) {
	for floor, fits := range map[int64]bool{39_900: true, 39_901: false} {
		o := newOffice(t)
		o.limits = roomy()
		o.limits.MinBuyingPower = broker.CapInt(floor)
		o.broker.fault = func(string) fault { return lostNotPlaced }
		_, err := o.guard(t).Place(t.Context(), desk, buy("SPY", "1", "-500")) // reserves 100
		require.ErrorIs(t, err, broker.ErrUncertain)
		o.broker.fault = nil
		_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		assert.Equal(t, fits, err == nil, "%v", err)
	}
}

func TestAnErrorThatMeansThatTheBrokerDidNotActIsNotSent(t *testing.T) {
	for _, cause := range []error{
		&broker.FieldError{Field: "Legs"}, broker.ErrUnsupported, broker.ErrUnauthorized, broker.ErrUnavailable, broker.ErrUnknownAccount,
		broker.ErrUnknownOrder, broker.ErrTooLate,
	} {
		o := newOffice(t)
		g, err := broker.NewGuard(failingBroker{o.broker, fmt.Errorf("placing: %w", cause)}, o.options())
		require.NoError(t, err)
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		out, err := g.Submit(t.Context(), p.ID)
		require.ErrorContains(t, err, "placing: ")
		assert.NotErrorIs(t, err, broker.ErrUncertain)
		assert.Equal(t, broker.OutcomeNotSent, out.State)
		assert.NotContains(t, o.bookText(t), p.ID)
	}
	for _, cause := range []error{errors.New("EOF"), context.DeadlineExceeded, &broker.UncertainError{Cause: broker.ErrUnavailable}} {
		o := newOffice(t)
		g, err := broker.NewGuard(failingBroker{o.broker, cause}, o.options())
		require.NoError(t, err)
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		out, err := g.Submit(t.Context(), p.ID)
		require.ErrorIs(t, err, broker.ErrUncertain)
		require.ErrorIs(t, err, cause)
		assert.Equal(t, broker.OutcomeUncertain, out.State)
		assert.NotContains(t, o.bookText(t), "budgets", "a person's approval takes from no budget")
	}
}

type failingBroker struct {
	*deskBroker
	err error
}

func (b failingBroker) Place(context.Context, broker.AccountID, broker.Ticket) ([]broker.OrderState, error) {
	return nil, b.err
}

func TestALiftOrSettingsThatCannotBeStoredDoNotHold(t *testing.T) {
	full := errors.New("disk full")
	o := newOffice(t)
	g := o.guard(t)
	require.NoError(t, g.Engage(t.Context(), "a", "b"))
	p, err := g.PrepareLift(t.Context())
	require.NoError(t, err)
	healthy := o.state
	o.state = refusingState{healthy, "", "/kill", full}
	out, err := o.guard(t).Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, full)
	assert.Equal(t, broker.OutcomeNotSent, out.State)
	o.state = healthy
	k, err := g.Killed(t.Context())
	require.NoError(t, err)
	assert.True(t, k.Engaged)

	p, err = g.PrepareLift(t.Context())
	require.NoError(t, err)
	journal := o.journal
	o.journal = &brokenJournal{Journal: journal, fails: 3} // approved, claimed, and then no more
	out, err = o.guard(t).Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrJournal)
	assert.Equal(t, broker.OutcomeNotSent, out.State)
	k, err = g.Killed(t.Context())
	require.NoError(t, err)
	assert.True(t, k.Engaged, "what is not journaled is not done")

	o = newOffice(t)
	o.broker.env = broker.Production
	_, err = o.guard(t).Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	o.limits.MaxShares = broker.CapInt(1)
	p, err = o.guard(t).PrepareSettings(t.Context())
	require.NoError(t, err)
	healthy = o.state
	o.state = refusingState{healthy, "", "/settings", full}
	_, err = o.guard(t).Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, full)
	o.state = healthy
	_, err = o.guard(t).Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.ErrorIs(t, err, broker.ErrSettingsChanged)
}

func TestWhatEndedIsTooLateBeforeAnythingIsSpent(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	placed, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	p, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentCancel, Order: placed[0].ID})
	require.NoError(t, err)
	o.broker.fill(placed[0].ID)
	_, err = g.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrTooLate)
	_, err = g.Prepared(t.Context(), p.ID)
	require.NoError(t, err)
	_, err = g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentReplace, Order: placed[0].ID, With: buy("SPY", "1", "-499").Orders[0]})
	require.ErrorIs(t, err, broker.ErrTooLate)
}

func TestClosingIsAtTheMarketOrALimitOnly(t *testing.T) {
	o := newOffice(t)
	o.broker.positions[desk] = []broker.Position{holds("SPY", "2", "500")}
	_, err := o.guard(t).Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentClose, Close: broker.ClosePositions{
		Symbols: []string{"SPY"}, Type: broker.StopLimit, Limit: dec("500")}})
	_, ok := errors.AsType[*broker.FieldError](err)
	assert.True(t, ok, "%v", err)
}

func TestAPasskeysCounterThatCannotBeKeptApprovesNothing(t *testing.T) {
	full := errors.New("disk full")
	r := broker.ApprovalRequest{PreviewID: "a", Expires: deskTime}
	challenge := r.Challenge()
	try := func(state broker.State, a *authenticator) error {
		o := newOffice(t)
		o.state = state
		approver := passkeys(t, o, a)
		evidence := a.sign(t, challenge[:])
		_, err := approver.Approve(t.Context(), r, &evidence)
		return err
	}
	a := newAuthenticator(t)
	require.NoError(t, try(nil, a), "without a state of its own it has one that ends with it")
	require.ErrorIs(t, try(refusingState{&broker.MemoryState{}, "", "/passkey/", full}, a), full)
	require.ErrorContains(t, try(keyState{&broker.MemoryState{}, "passkey"}, a), "unreadable")
	damaged := damagedState{&broker.MemoryState{}}
	require.ErrorContains(t, try(damaged, a), "damaged")
}

// damagedState has no JSON in it.
type damagedState struct{ broker.State }

func (damagedState) Get(context.Context, string) ([]byte, uint64, error) { return []byte("{"), 1, nil }

func TestAPositionWithoutAMultiplierHasTheUsualOne(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.NakedShort = false
	p := holds(call510, "1", "6")
	p.Multiplier = *dec("0")
	o.broker.positions[desk] = []broker.Position{p}
	_, err := o.guard(t).Prepare(t.Context(), desk, place(credit("10", leg(call520, broker.SellToOpen, "1"))))
	require.NoError(t, err)
}

func TestAStopAtNothingIsNoStop(t *testing.T) {
	for stop, good := range map[string]bool{"0": false, "-1": false, "0.01": true} {
		o := broker.Order{Tag: "s", Type: broker.Stop, Stop: dec(stop), Legs: []broker.Leg{leg("SPY", broker.SellToClose, "1")}}
		assert.Equal(t, good, o.Validate() == nil, stop)
	}
	ticket := broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{buyTen(), buyTen()}}
	require.ErrorContains(t, ticket.Validate(), "each tag once")
	ticket.Orders[1].Tag = "b"
	require.NoError(t, ticket.Validate())
}

func TestTheShownFeesAndTheNewestSettingsSurviveStoring(t *testing.T) {
	o := newOffice(t)
	o.broker.preview = func(t broker.Ticket) *broker.Preview {
		return &broker.Preview{Ticket: t, BuyingPowerAfter: dec("9"), Fees: &broker.Fees{Commission: *dec("-1.25")}, Warnings: []broker.Notice{{Message: "careful"}}}
	}
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	again, err := o.guard(t).Prepared(t.Context(), p.ID)
	require.NoError(t, err)
	first, err := json.Marshal(p)
	require.NoError(t, err)
	second, err := json.Marshal(again)
	require.NoError(t, err)
	assert.JSONEq(t, string(first), string(second))
	assert.Equal(t, "careful", again.Warnings[0].Message)
	assert.Equal(t, "-1.25", again.Fees.Total().String())
}
