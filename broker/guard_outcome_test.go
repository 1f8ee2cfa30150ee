package broker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
)

func TestWhatTheBrokerSaysBecomesTheOutcome(t *testing.T) {
	for _, c := range []struct {
		how     fault
		state   broker.OutcomeState
		err     error
		entry   string
		writes  int
		forgets bool // it does not count for the day
	}{
		{works, broker.OutcomeDone, nil, broker.EntryAnswered, 1, false},
		{rejects, broker.OutcomeRejected, broker.ErrRejected, broker.EntryRejected, 1, false},
		{unavailable, broker.OutcomeNotSent, broker.ErrUnavailable, broker.EntryNotSent, 0, true},
		{lostButPlaced, broker.OutcomeDone, nil, broker.EntryReconciled, 1, false},
		{strange, broker.OutcomeDone, nil, broker.EntryReconciled, 1, false},
		{lostNotPlaced, broker.OutcomeUncertain, broker.ErrUncertain, broker.EntryUncertain, 0, false},
	} {
		o := newOffice(t)
		o.limits = roomy()
		o.limits.MaxDailyOrders = broker.CapInt(1)
		o.broker.fault = func(string) fault { return c.how }
		g := o.guard(t)
		p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
		require.NoError(t, err)
		out, err := g.Submit(t.Context(), p.ID)
		if c.err == nil {
			require.NoError(t, err)
			assert.Len(t, out.Orders, 1)
		} else {
			require.ErrorIs(t, err, c.err)
			assert.Empty(t, out.Orders)
			assert.NotEmpty(t, out.Reason)
		}
		assert.Equal(t, c.state, out.State)
		kinds := o.entries(t)
		assert.Equal(t, c.entry, kinds[len(kinds)-1])
		assert.Len(t, o.broker.writes(), c.writes)
		again, err := g.Submit(t.Context(), p.ID)
		require.ErrorIs(t, err, broker.ErrSpent)
		assert.Equal(t, c.state, again.State)
		assert.Len(t, o.broker.writes(), c.writes, "never a second time")
		o.broker.fault = nil
		_, err = g.Place(t.Context(), desk, buy("SPY", "2", "-500"))
		if c.forgets {
			require.NoError(t, err)
		} else {
			violated(t, err, "max_daily_orders")
		}
	}
}

func TestAnUncertainOrderIsFoundLaterOrGivenUpAndNeverSentAgain(t *testing.T) {
	for name, placed := range map[string]bool{"placed": true, "not placed": false} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.limits = roomy()
			o.limits.MaxOpenNotional = broker.CapInt(500)
			how := lostNotPlaced
			if placed {
				how = lostButPlaced
			}
			o.broker.fault = func(string) fault { return how }
			o.broker.hidden = true
			g := o.guard(t)
			p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
			require.NoError(t, err)
			out, err := g.Submit(t.Context(), p.ID)
			uncertain, ok := errors.AsType[*broker.UncertainError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, []string{p.Ticket.Orders[0].Tag}, uncertain.Tags)
			assert.Equal(t, broker.OutcomeUncertain, out.State)
			o.broker.fault = nil

			_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-1")))
			violated(t, err, "max_open_notional") // what may exist counts
			found, err := o.guard(t).Reconcile(t.Context())
			require.NoError(t, err)
			assert.Empty(t, found, "nothing is known yet")
			known, err := g.Outcome(t.Context(), p.ID)
			require.NoError(t, err)
			assert.Equal(t, broker.OutcomeUncertain, known.State)

			o.clock.Advance(10 * time.Minute)
			found, err = o.guard(t).Reconcile(t.Context())
			require.NoError(t, err)
			assert.Empty(t, found, "it is looked for for ten minutes")
			o.broker.hidden = !placed
			o.clock.Advance(time.Nanosecond)
			found, err = o.guard(t).Reconcile(t.Context())
			require.NoError(t, err)
			require.Len(t, found, 1)
			_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-1")))
			if placed {
				assert.Equal(t, broker.OutcomeDone, found[0].State)
				assert.Len(t, found[0].Orders, 1)
				violated(t, err, "max_open_notional")
			} else {
				assert.Equal(t, broker.OutcomeNotFound, found[0].State)
				require.NoError(t, err)
			}
			found, err = g.Reconcile(t.Context())
			require.NoError(t, err)
			assert.Empty(t, found)
		})
	}
}

func TestAnOrderThatEndedNoLongerCountsAsOpen(t *testing.T) {
	for name, end := range map[string]func(o *office, id broker.OrderID){
		"filled":    func(o *office, id broker.OrderID) { o.broker.fill(id) },
		"cancelled": func(o *office, id broker.OrderID) { _, _ = o.broker.Cancel(context.Background(), desk, id) },
	} {
		o := newOffice(t)
		o.limits = roomy()
		o.limits.MaxOpenNotional = broker.CapInt(500)
		g := o.guard(t)
		placed, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		require.NoError(t, err, name)
		_, err = g.Place(t.Context(), desk, buy("QQQ", "1", "-400"))
		violated(t, err, "max_open_notional")
		end(o, placed[0].ID)
		_, err = g.Place(t.Context(), desk, buy("QQQ", "1", "-400"))
		require.NoError(t, err, name)
	}
}

func TestReconcileDropsWhatEnded(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	placed, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	out, err := g.Reconcile(t.Context())
	require.NoError(t, err)
	assert.Empty(t, out)
	assert.Contains(t, o.bookText(t), placed[0].Order.Tag)
	o.broker.fill(placed[0].ID)
	_, err = g.Reconcile(t.Context())
	require.NoError(t, err)
	assert.NotContains(t, o.bookText(t), placed[0].Order.Tag)
}

func (o *office) bookText(t *testing.T) string {
	t.Helper()
	data, _, err := o.state.Get(t.Context(), "guard/book")
	require.NoError(t, err)
	return string(data)
}

func TestReplacingCountsBothAndKeepsTheLegs(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxOpenNotional = broker.CapInt(1000)
	g := o.guard(t)
	placed, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	id := placed[0].ID
	_, err = g.Replace(t.Context(), desk, id, buy("SPY", "1", "-501").Orders[0])
	violated(t, err, "max_open_notional")
	for _, wrong := range []broker.Order{
		buy("QQQ", "1", "-400").Orders[0],
		credit("500", leg("SPY", broker.SellToOpen, "1")).Orders[0],
		credit("-1", leg("SPY", broker.BuyToOpen, "1"), leg("QQQ", broker.BuyToOpen, "1")).Orders[0],
	} {
		_, err = g.Replace(t.Context(), desk, id, wrong)
		field, ok := errors.AsType[*broker.FieldError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, "With.Legs", field.Field)
	}
	state, err := g.Replace(t.Context(), desk, id, buy("SPY", "1", "-499").Orders[0])
	require.NoError(t, err)
	assert.Equal(t, "-499", state.Order.Limit.String())
	_, err = g.Replace(t.Context(), desk, id, buy("SPY", "1", "-498").Orders[0])
	require.ErrorIs(t, err, broker.ErrTooLate)
	_, err = g.Replace(t.Context(), desk, "none", buy("SPY", "1", "-498").Orders[0])
	require.ErrorIs(t, err, broker.ErrUnknownOrder)
}

func TestAReplacementsDryRunOnlyWarns(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	placed, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	o.broker.preview = func(t broker.Ticket) *broker.Preview {
		return &broker.Preview{Ticket: t, BuyingPowerAfter: dec("10"), Refusals: []broker.Notice{{Message: "too much with the other"}}}
	}
	p, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentReplace, Order: placed[0].ID, With: buy("SPY", "1", "-499").Orders[0]})
	require.NoError(t, err)
	assert.Equal(t, "too much with the other", p.Warnings[0].Message)
	assert.Contains(t, p.Words, "Replace order 1000 (buy to open 1 SPY for a debit of 500 or better, today only) with: buy to open 1 SPY for a debit of 499")
}

func TestARepricedExitIsStillAnExit(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.NakedShort = false
	o.broker.positions[desk] = []broker.Position{holds("SPY", "100", "500")}
	g := o.guard(t)
	exit := leg("SPY", broker.SellToClose, "100")
	placed, err := g.Place(t.Context(), desk, credit("520", exit))
	require.NoError(t, err)
	_, err = g.Place(t.Context(), desk, credit("521", exit))
	violated(t, err, "naked_short") // both together would sell 200
	p, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentReplace, Order: placed[0].ID, With: credit("519", exit).Orders[0]})
	require.NoError(t, err)
	assert.False(t, p.RiskIncreasing)
}

func TestCancelsPassFreelyWhereAllowedButNotOfWhatProtects(t *testing.T) {
	exit := leg("SPY", broker.SellToClose, "100")
	for _, c := range []struct {
		name     string
		order    broker.Order
		group    string
		protects bool
	}{
		{"an opening order", buy("SPY", "1", "-500").Orders[0], "", false},
		{"a profit target", credit("520", exit).Orders[0], "", false},
		{"a stop", broker.Order{Legs: []broker.Leg{exit}, Type: broker.Stop, Stop: dec("450")}, "", true},
		{"a stop limit", broker.Order{Legs: []broker.Leg{exit}, Type: broker.StopLimit, Stop: dec("450"), Limit: dec("449")}, "", true},
		{"a trailing stop", broker.Order{Legs: []broker.Leg{exit}, Type: broker.TrailingStop, Trail: &broker.Trail{Amount: dec("5")}}, "", true},
		{"a target whose sibling is a stop", credit("520", exit).Orders[0], "oco", true},
		{"an opening stop", broker.Order{Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "1")}, Type: broker.Stop, Stop: dec("550")}, "", false},
		{"an opening order of a group", buy("SPY", "1", "-500").Orders[0], "oto", false},
	} {
		for _, free := range []bool{true, false} {
			o := newOffice(t)
			o.person.always, o.limits.FreeCancels = false, free
			o.broker.positions[desk] = []broker.Position{holds("SPY", "100", "500")}
			g := o.guard(t)
			state := o.broker.add(desk, c.order, c.group)
			require.NoError(t, g.Engage(t.Context(), "model", "panic"), "the kill switch blocks no cancel")
			_, err := g.Cancel(t.Context(), desk, state.ID)
			if free && !c.protects {
				require.NoError(t, err, c.name)
				continue
			}
			required, ok := errors.AsType[*broker.ApprovalRequiredError](err)
			require.True(t, ok, "%s: %v", c.name, err)
			assert.Empty(t, o.broker.writes())
			p, err := g.Prepared(t.Context(), required.PreviewID)
			require.NoError(t, err)
			assert.Equal(t, c.protects, p.RiskIncreasing, c.name)
			out, err := g.Submit(t.Context(), required.PreviewID, yes)
			require.NoError(t, err)
			assert.Equal(t, broker.Cancelled, out.Orders[0].Status)
		}
	}
}

func TestACancelOfWhatEndedIsTooLate(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	placed, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	p, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentCancel, Order: placed[0].ID})
	require.NoError(t, err)
	assert.Equal(t, broker.GradeNone, p.Grade)
	o.broker.fill(placed[0].ID)
	_, err = g.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrTooLate)
	_, err = g.Cancel(t.Context(), desk, placed[0].ID)
	require.ErrorIs(t, err, broker.ErrTooLate)
	_, err = g.Cancel(t.Context(), desk, "none")
	require.ErrorIs(t, err, broker.ErrUnknownOrder)
}

func TestAnUncertainCancelIsReconciledByTheOrdersState(t *testing.T) {
	for name, how := range map[string]fault{"done": lostButPlaced, "lost": lostNotPlaced} {
		o := newOffice(t)
		g := o.guard(t)
		placed, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		require.NoError(t, err)
		o.broker.fault = func(string) fault { return how }
		p, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentCancel, Order: placed[0].ID})
		require.NoError(t, err)
		out, err := g.Submit(t.Context(), p.ID)
		if name == "done" {
			require.NoError(t, err)
			assert.Equal(t, broker.Cancelled, out.Orders[0].Status)
			continue
		}
		require.ErrorIs(t, err, broker.ErrUncertain)
		o.clock.Advance(10*time.Minute + time.Nanosecond)
		found, err := g.Reconcile(t.Context())
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, broker.OutcomeNotFound, found[0].State)
	}
}

func TestACrashAtAnyMomentSendsNothingTwice(t *testing.T) {
	for _, op := range []string{"state", "journal", "before", "after"} {
		for n := 1; n <= 14; n++ {
			o := newOffice(t)
			g := o.guard(t)
			p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
			require.NoError(t, err)
			steps := &crasher{at: n}
			switch op {
			case "state":
				o.state = crashingState{o.state, steps}
			case "journal":
				o.journal = crashingJournal{o.journal, steps}
			case "before":
				o.broker.fault = func(string) fault { return crashBefore }
			case "after":
				o.broker.fault = func(string) fault { return crashAfter }
			}
			dying := o.guard(t)
			died := steps.dies(func() { _, _ = dying.Submit(t.Context(), p.ID) })
			steps.at, o.broker.fault = 0, nil
			writes := len(o.broker.writes())
			require.LessOrEqual(t, writes, 1)

			next := o.guard(t)
			_, submitErr := next.Submit(t.Context(), p.ID)
			if submitErr == nil {
				require.Zero(t, writes, "%s %d: a preview that was sent before is spent", op, n)
				continue
			}
			require.ErrorIs(t, submitErr, broker.ErrSpent)
			o.clock.Advance(11 * time.Minute)
			_, err = next.Reconcile(t.Context())
			require.NoError(t, err)
			out, err := next.Outcome(t.Context(), p.ID)
			require.NoError(t, err)
			require.Len(t, o.broker.writes(), writes, "reconciling sends nothing")
			if writes == 1 {
				assert.Equal(t, broker.OutcomeDone, out.State, "%s %d", op, n)
			} else {
				assert.Contains(t, []broker.OutcomeState{broker.OutcomeNotSent, broker.OutcomeNotFound}, out.State, "%s %d (died: %v)", op, n, died)
			}
			_, err = next.Submit(t.Context(), p.ID)
			require.ErrorIs(t, err, broker.ErrSpent)
			require.Len(t, o.broker.writes(), writes)
		}
	}
}

// crasher panics at the n-th step.
type crasher struct{ n, at int }

func (c *crasher) step() {
	if c == nil || c.at == 0 {
		return
	}
	if c.n++; c.n == c.at {
		panic(errCrash)
	}
}

// dies runs f and tells whether the process would have died in it.
func (c *crasher) dies(f func()) (died bool) {
	defer func() {
		if r := recover(); r != nil {
			if r != any(errCrash) {
				panic(r)
			}
			died = true
		}
	}()
	f()
	return false
}

// crashingState dies before a write, or after it.
type crashingState struct {
	broker.State
	steps *crasher
}

func (s crashingState) CompareAndSet(ctx context.Context, key string, expected uint64, data []byte, ttl time.Duration) (uint64, error) {
	s.steps.step()
	version, err := s.State.CompareAndSet(ctx, key, expected, data, ttl)
	s.steps.step()
	return version, err
}

type crashingJournal struct {
	broker.Journal
	steps *crasher
}

func (j crashingJournal) Append(ctx context.Context, kind string, data []byte) error {
	j.steps.step()
	err := j.Journal.Append(ctx, kind, data)
	j.steps.step()
	return err
}

func TestAStateThatFailsSendsNothingOrSaysSo(t *testing.T) {
	for n := 1; n <= 12; n++ {
		for _, stored := range []bool{false, true} {
			o := newOffice(t)
			p, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
			require.NoError(t, err)
			healthy := o.state
			o.state = &failingState{State: healthy, fails: n, stores: stored}
			_, err = o.guard(t).Submit(t.Context(), p.ID)
			writes := len(o.broker.writes())
			require.LessOrEqual(t, writes, 1)
			if err == nil {
				require.Equal(t, 1, writes)
			}
			o.state = healthy
			o.clock.Advance(time.Minute)
			g := o.guard(t)
			_, err = g.Reconcile(t.Context())
			require.NoError(t, err)
			_, err = g.Submit(t.Context(), p.ID)
			if writes == 1 {
				require.ErrorIs(t, err, broker.ErrSpent)
			}
			require.LessOrEqual(t, len(o.broker.writes()), 1, "write %d fails, stored: %v", n, stored)
		}
	}
}

// failingState fails at its n-th write, which may have been stored nonetheless.
type failingState struct {
	broker.State
	n, fails int
	stores   bool
}

func (s *failingState) CompareAndSet(ctx context.Context, key string, expected uint64, data []byte, ttl time.Duration) (uint64, error) {
	if s.n++; s.n != s.fails {
		return s.State.CompareAndSet(ctx, key, expected, data, ttl)
	}
	if s.stores {
		_, _ = s.State.CompareAndSet(ctx, key, expected, data, ttl)
	}
	return 0, errors.New("connection reset")
}
