package broker_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
)

func TestAnOrderWalksTheWholePathAndEveryStepIsInTheJournal(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "10", "-500")))
	require.NoError(t, err)
	assert.Equal(t, "5000", p.MaxLoss.Amount.String(), "10 shares at 500, worth nothing at worst")
	assert.Equal(t, "5000", p.Notional.String())
	assert.Equal(t, broker.GradePolicy, p.Grade)
	assert.Equal(t, []string{"person"}, p.Methods)
	assert.True(t, p.RiskIncreasing)
	assert.Equal(t, deskTime.Add(2*time.Minute), p.Expires)
	assert.Equal(t, "No real money (sandbox), account 5WX00001. buy to open 10 SPY for a debit of 500 or better, today only."+
		" Worst-case loss: 5000. Notional: 5000.00. Change of buying power: -100.00.", p.Words)
	assert.Empty(t, o.broker.writes(), "nothing is sent by a preview")

	out, err := g.Submit(t.Context(), p.ID)
	require.NoError(t, err)
	assert.Equal(t, broker.OutcomeDone, out.State)
	require.Len(t, out.Orders, 1)
	assert.Equal(t, p.Ticket.Orders[0].Tag, out.Orders[0].Order.Tag)
	assert.Equal(t, "person", out.Approval.Method)
	assert.Equal(t, "Ann", out.Approval.By)
	assert.Equal(t, p.Digest, out.Approval.Digest)
	require.Len(t, o.broker.writes(), 1)
	assert.Equal(t, []string{
		broker.EntryPreviewed, broker.EntryApproved, broker.EntryClaimed, broker.EntrySending, broker.EntryAnswered,
	}, o.entries(t))
}

func TestASpentPreviewIsNeverSentAgainAndTellsItsOutcome(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	first, err := g.Submit(t.Context(), p.ID)
	require.NoError(t, err)
	again, err := o.guard(t).Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrSpent)
	assert.Equal(t, first.Orders, again.Orders)
	assert.Equal(t, broker.OutcomeDone, again.State)
	assert.Len(t, o.broker.writes(), 1)
	_, err = g.Prepared(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrSpent)
	known, err := g.Outcome(t.Context(), p.ID)
	require.NoError(t, err)
	assert.Equal(t, broker.OutcomeDone, known.State)
}

func TestATagIsSentOnceWhateverPreviewItIsIn(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	ticket := buy("SPY", "1", "-500")
	ticket.Orders[0].Tag = "mine-1"
	_, err := g.Place(t.Context(), desk, ticket)
	require.NoError(t, err)
	_, err = g.Place(t.Context(), desk, ticket)
	violated(t, err, "tag")
	assert.Len(t, o.broker.writes(), 1)
}

func TestAPreviewExpires(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	o.clock.Advance(2*time.Minute - time.Nanosecond)
	_, err = g.Prepared(t.Context(), p.ID)
	require.NoError(t, err)
	o.clock.Advance(time.Nanosecond)
	for _, call := range []func() error{
		func() error { _, err := g.Submit(t.Context(), p.ID); return err },
		func() error { _, err := g.Prepared(t.Context(), p.ID); return err },
		func() error { _, err := g.Approve(t.Context(), p.ID, yes); return err },
		func() error { return g.Decline(t.Context(), p.ID, "Ann") },
	} {
		require.ErrorIs(t, call(), broker.ErrUnknownPreview)
	}
	assert.Empty(t, o.broker.writes())
}

func TestAPreviewExpiresWhileThePersonThinks(t *testing.T) {
	o := newOffice(t)
	o.others = []broker.Approver{&slowPerson{person{grade: broker.GradeAnotherAccount, method: "slow", always: true}, o}}
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrUnknownPreview)
	assert.Empty(t, o.broker.writes())
}

type slowPerson struct {
	person
	office *office
}

func (s *slowPerson) Approve(ctx context.Context, r broker.ApprovalRequest, said *broker.Evidence) (broker.Decision, error) {
	s.office.clock.Advance(2 * time.Minute)
	return s.person.Approve(ctx, r, said)
}

func TestUnknownPreviewsAreUnknown(t *testing.T) {
	g := newOffice(t).guard(t)
	for _, id := range []string{"", "nothere", strings.Repeat("a", 65), "../book", "A"} {
		_, err := g.Submit(t.Context(), id)
		require.ErrorIs(t, err, broker.ErrUnknownPreview, id)
		_, err = g.Outcome(t.Context(), id)
		require.ErrorIs(t, err, broker.ErrUnknownPreview, id)
	}
}

func TestNothingIsSentWithoutAnApproval(t *testing.T) {
	o := newOffice(t)
	o.person.always = false
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), p.ID)
	required, ok := errors.AsType[*broker.ApprovalRequiredError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, broker.ApprovalRequiredError{PreviewID: p.ID, Grade: broker.GradePolicy, Methods: []string{"person"}}, *required)
	_, err = g.Outcome(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
	assert.Empty(t, o.broker.writes())

	_, err = g.Submit(t.Context(), p.ID, yes)
	require.NoError(t, err)
	assert.Len(t, o.broker.writes(), 1)
}

func TestAnApprovalMayComeBeforeTheSubmissionAndInAnotherProcess(t *testing.T) {
	o := newOffice(t)
	o.person.always = false
	page, server := o.guard(t), o.guard(t)
	p, err := server.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	a, err := page.Approve(t.Context(), p.ID, yes)
	require.NoError(t, err)
	assert.Equal(t, broker.GradePasskey, a.Grade)
	_, err = server.Submit(t.Context(), p.ID)
	require.NoError(t, err)
	assert.Len(t, o.broker.writes(), 1)
}

func TestAnApprovalOfAnUnknownMethodIsNone(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	_, err = g.Approve(t.Context(), p.ID, broker.Evidence{Method: "other", Data: []byte("yes")})
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
}

func TestADeclinedPreviewIsVoid(t *testing.T) {
	for name, decline := range map[string]func(g *broker.Guard, id string) error{
		"while submitting": func(g *broker.Guard, id string) error {
			_, err := g.Submit(t.Context(), id, broker.Evidence{Method: "person", Data: []byte("no")})
			require.ErrorIs(t, err, broker.ErrDeclined)
			return nil
		},
		"before": func(g *broker.Guard, id string) error {
			_, err := g.Approve(t.Context(), id, broker.Evidence{Method: "person", Data: []byte("no")})
			require.ErrorIs(t, err, broker.ErrDeclined)
			return nil
		},
		"by anybody": func(g *broker.Guard, id string) error { return g.Desk("").Decline(t.Context(), id, "model") },
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			g := o.guard(t)
			p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
			require.NoError(t, err)
			require.NoError(t, decline(g, p.ID))
			out, err := g.Submit(t.Context(), p.ID, yes)
			require.ErrorIs(t, err, broker.ErrSpent)
			assert.Equal(t, broker.OutcomeNotSent, out.State)
			assert.Equal(t, "declined", out.Reason)
			assert.Contains(t, o.entries(t), broker.EntryDeclined)
			assert.Empty(t, o.broker.writes())
		})
	}
}

func TestAnOrderIsLookedAtAgainBeforeItIsSent(t *testing.T) {
	for limit, change := range map[string]func(o *office){
		"price_band":       func(o *office) { o.quotes.set("SPY", 399.9, 400.1) },
		"hours":            func(o *office) { o.clock.Set(deskTime.Add(6 * time.Hour)) },
		"min_buying_power": func(o *office) { o.broker.preview = poorer },
		"max_symbol_risk": func(o *office) {
			o.broker.positions[desk] = []broker.Position{holds("SPY", "100", "500")}
		},
		"max_daily_loss": func(o *office) { o.broker.balances[desk].NetLiquidatingValue = dec("99000") },
	} {
		t.Run(limit, func(t *testing.T) {
			o := newOffice(t)
			o.limits.PriceBand, o.limits.MinBuyingPower = broker.CapOf(*dec("0.05")), broker.CapInt(1000)
			o.limits.MaxSymbolRisk, o.limits.MaxDailyLoss = broker.CapOf(*dec("0.1")), broker.CapInt(6000)
			o.limits.Approval.Valid = broker.Window(time.Hour)
			g := o.guard(t)
			p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "10", "-501")))
			require.NoError(t, err)
			before := *o
			change(o)
			if limit == "hours" {
				_, err = g.Submit(t.Context(), p.ID)
				require.ErrorIs(t, err, broker.ErrUnknownPreview, "it has expired by then too")
				return
			}
			_, err = g.Submit(t.Context(), p.ID)
			violated(t, err, limit)
			assert.Empty(t, before.broker.writes())
			_, err = g.Prepared(t.Context(), p.ID)
			require.NoError(t, err, "the preview stands")
		})
	}
}

func poorer(t broker.Ticket) *broker.Preview {
	return &broker.Preview{Ticket: t, BuyingPowerAfter: dec("999.99")}
}

func TestAMarketOrderThatGrewDearerIsAnotherOrder(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	market := broker.NewTicket(broker.Order{Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "10")}, Type: broker.Market})
	p, err := g.Prepare(t.Context(), desk, place(market))
	require.NoError(t, err)
	assert.Equal(t, "5001", p.MaxLoss.Amount.String(), "10 × the ask of 500.1")
	o.quotes.set("SPY", 549.9, 550.11) // 10 % more than 500.1 is 550.11
	_, err = o.guard(t).Submit(t.Context(), p.ID)
	require.NoError(t, err)
	assert.Len(t, o.broker.writes(), 1)

	o = newOffice(t)
	g = o.guard(t)
	p, err = g.Prepare(t.Context(), desk, place(market))
	require.NoError(t, err)
	o.quotes.set("SPY", 549.9, 550.12)
	_, err = g.Submit(t.Context(), p.ID)
	violated(t, err, "drift")
	o.quotes.quotes = nil
	_, err = g.Submit(t.Context(), p.ID)
	violated(t, err, "drift")
	assert.Empty(t, o.broker.writes())
}

func TestWhatTheBrokerWouldRejectIsNotStored(t *testing.T) {
	o := newOffice(t)
	o.broker.preview = func(t broker.Ticket) *broker.Preview {
		return &broker.Preview{Ticket: t, Refusals: []broker.Notice{{Code: "no", Message: "account restricted"}}}
	}
	_, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorIs(t, err, broker.ErrRejected)
	assert.ErrorContains(t, err, "account restricted")
}

func TestTheBrokersNormalFormIsTakenOnlyForTheSameOrders(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *broker.Ticket)
		limit  string
	}{
		"another limit":    {func(t *broker.Ticket) { t.Orders[0].Limit = dec("-499.99") }, "-499.99"},
		"another quantity": {func(t *broker.Ticket) { t.Orders[0].Legs[0].Quantity = *dec("100") }, "-500"},
		"another symbol":   {func(t *broker.Ticket) { t.Orders[0].Legs[0].Symbol = "QQQ" }, "-500"},
		"another side":     {func(t *broker.Ticket) { t.Orders[0].Legs[0].Action = broker.BuyToClose }, "-500"},
		"another tag":      {func(t *broker.Ticket) { t.Orders[0].Tag = "theirs" }, "-500"},
		"more orders":      {func(t *broker.Ticket) { t.Kind = broker.OCO }, "-500"},
		"invalid":          {func(t *broker.Ticket) { t.Orders[0].Limit = dec("5") }, "-500"},
		"nothing":          {func(t *broker.Ticket) { *t = broker.Ticket{} }, "-500"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.broker.preview = func(ticket broker.Ticket) *broker.Preview {
				orders := []broker.Order{ticket.Orders[0]}
				orders[0].Legs = append([]broker.Leg{}, ticket.Orders[0].Legs...)
				ticket.Orders = orders
				c.change(&ticket)
				return &broker.Preview{Ticket: ticket, BuyingPowerAfter: dec("1")}
			}
			p, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
			require.NoError(t, err)
			assert.Equal(t, c.limit, p.Ticket.Orders[0].Limit.String())
			assert.Equal(t, "1", p.Ticket.Orders[0].Legs[0].Quantity.String())
			assert.Equal(t, "SPY", string(p.Ticket.Orders[0].Legs[0].Symbol))
			assert.Equal(t, broker.BuyToOpen, p.Ticket.Orders[0].Legs[0].Action)
			assert.Equal(t, broker.Single, p.Ticket.Kind)
		})
	}
}

func TestAnInvalidOrAnImpossibleOrderNamesTheField(t *testing.T) {
	g := newOffice(t).guard(t)
	_, err := g.Prepare(t.Context(), desk, place(buy("SPY", "-1", "-500")))
	field, ok := errors.AsType[*broker.FieldError](err)
	require.True(t, ok)
	assert.Equal(t, "Orders[0].Legs[0].Quantity", field.Field)

	atOpen := buy("SPY", "1", "-500")
	atOpen.Orders[0].TimeInForce = broker.OnOpen
	_, err = g.Prepare(t.Context(), desk, place(atOpen))
	require.ErrorIs(t, err, broker.ErrUnsupported)

	for _, kind := range []broker.IntentKind{"", "sell", broker.IntentLift, broker.IntentSettings} {
		_, err = g.Prepare(t.Context(), desk, broker.Intent{Kind: kind})
		field, ok = errors.AsType[*broker.FieldError](err)
		require.True(t, ok, "%q: %v", kind, err)
		assert.Equal(t, "Kind", field.Field)
	}
}

func TestTheBytesInTheJournalAreTheBytesThatWereApproved(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "3", "-500.5")))
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), p.ID)
	require.NoError(t, err)
	var previewed, sending *broker.AuditEntry
	for e, err := range g.Audit(t.Context(), 1) {
		require.NoError(t, err)
		switch e.What {
		case broker.EntryPreviewed:
			previewed = &e
		case broker.EntrySending:
			sending = &e
		}
	}
	require.NotNil(t, previewed)
	require.NotNil(t, sending)
	assert.JSONEq(t, string(previewed.Bytes), string(sending.Bytes))
	assert.Equal(t, p.Digest, *sending.Digest)
	assert.Equal(t, p.Words, previewed.Words)
	var said struct {
		Orders []struct {
			Limit string
			Legs  []struct{ Symbol, Quantity string }
		}
	}
	require.NoError(t, json.Unmarshal(sending.Bytes, &said))
	assert.Equal(t, "-500.5", said.Orders[0].Limit)
	assert.Equal(t, "3", said.Orders[0].Legs[0].Quantity)
}

func TestWithoutAJournalNothingIsSent(t *testing.T) {
	// A journal that fails at its n-th entry stops the order wherever that is.
	for n := 1; n <= 4; n++ {
		o := newOffice(t)
		broken := &brokenJournal{Journal: o.journal, fails: n}
		o.journal = broken
		g := o.guard(t)
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		if n == 1 {
			require.ErrorIs(t, err, broker.ErrJournal)
			continue
		}
		require.NoError(t, err)
		_, err = g.Submit(t.Context(), p.ID)
		require.ErrorIs(t, err, broker.ErrJournal, "entry %d", n)
		assert.Empty(t, o.broker.writes(), "entry %d", n)
	}
}

func TestAnAnswerThatCannotBeJournaledIsJournaledLater(t *testing.T) {
	o := newOffice(t)
	broken := &brokenJournal{Journal: o.journal, fails: 5}
	o.journal = broken
	g := o.guard(t)
	orders, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.ErrorIs(t, err, broker.ErrJournal)
	require.Len(t, orders, 1, "the order exists, and the caller is told")
	broken.fails = 0
	out, err := g.Reconcile(t.Context())
	require.NoError(t, err)
	require.Len(t, out, 1)
	assert.Equal(t, broker.OutcomeDone, out[0].State)
	assert.Equal(t, broker.EntryReconciled, o.entries(t)[4])
	out, err = g.Reconcile(t.Context())
	require.NoError(t, err)
	assert.Empty(t, out)
	assert.Len(t, o.broker.writes(), 1)
}

// brokenJournal fails from its n-th entry on, once for each; 0 never.
type brokenJournal struct {
	broker.Journal
	n, fails int
}

func (j *brokenJournal) Append(ctx context.Context, kind string, data []byte) error {
	j.n++
	if j.fails > 0 && j.n >= j.fails {
		return errors.New("disk full")
	}
	return j.Journal.Append(ctx, kind, data)
}
