package broker_test

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

func TestMain(m *testing.M) {
	sharedtest.FixSeeds()
	os.Exit(m.Run())
}

const (
	propertyOrders   = 6
	propertyNotional = 3000
	propertyLoss     = 4000
)

// world is a home with several processes, a broker that fails, and what a person
// approved: the model that every order is held against.
type world struct {
	t       *rapid.T
	office  *office
	guards  []*broker.Guard
	steps   *crasher
	person  *person
	made    []string                    // preview ids
	tickets map[string]*broker.Prepared // by preview id
	yeses   map[string]bool             // previews that the person approved
	days    map[string]int              // orders that reached the broker, by day
	byTag   map[string]*broker.Prepared // of previews
	checked int                         // writes that were held against the model
	killed  bool
	refused map[string]int
	how     fault
}

func newWorld(t *rapid.T) *world {
	o := newOffice(&testing.T{})
	o.limits = roomy()
	o.limits.MaxDailyOrders, o.limits.MaxOpenNotional = broker.CapInt(propertyOrders), broker.CapInt(propertyNotional)
	o.limits.MaxDailyLoss, o.limits.MaxOrderNotional = broker.CapInt(propertyLoss), broker.CapInt(2000)
	o.limits.Hours = broker.HoursAny
	w := &world{
		t: t, office: o, steps: &crasher{}, person: o.person, tickets: map[string]*broker.Prepared{}, yeses: map[string]bool{},
		days: map[string]int{}, byTag: map[string]*broker.Prepared{}, refused: map[string]int{},
	}
	o.person.always = false
	o.state, o.journal = crashingState{o.state, w.steps}, crashingJournal{o.journal, w.steps}
	o.broker.fault = func(string) fault {
		how := w.how
		w.how = works
		return how
	}
	for range 3 {
		w.guards = append(w.guards, w.start())
	}
	return w
}

func (w *world) start() *broker.Guard {
	g, err := broker.NewGuard(w.office.broker, w.office.options())
	require.NoError(w.t, err)
	return g
}

// run has one process do something, which may kill it at some step.
func (w *world) run(f func(g *broker.Guard)) {
	i := rapid.IntRange(0, len(w.guards)-1).Draw(w.t, "process")
	w.steps.n, w.steps.at = 0, rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}).Draw(w.t, "dies at")
	if w.steps.dies(func() { f(w.guards[i]) }) {
		w.guards[i] = w.start()
	}
	w.steps.at = 0
	w.how = works
}

func (w *world) pick() string {
	if len(w.made) == 0 {
		w.t.Skip("no preview yet")
	}
	return rapid.SampledFrom(w.made).Draw(w.t, "preview")
}

func (w *world) prepare(*rapid.T) {
	quantity := rapid.IntRange(1, 5).Draw(w.t, "quantity")
	symbol := rapid.SampledFrom([]market.Symbol{"SPY", "QQQ"}).Draw(w.t, "symbol")
	w.run(func(g *broker.Guard) {
		p, err := g.Prepare(w.t.Context(), desk, place(buy(symbol, fmt.Sprint(quantity), "-400")))
		if err == nil {
			w.made = append(w.made, p.ID)
			w.tickets[p.ID] = p
			w.byTag[p.Ticket.Orders[0].Tag] = p
		}
	})
}

func (w *world) replace(*rapid.T) {
	var working []broker.OrderState
	for _, o := range w.office.broker.orders {
		if o.Status.CanFill() {
			working = append(working, o)
		}
	}
	if len(working) == 0 {
		w.t.Skip("nothing works")
	}
	old := rapid.SampledFrom(working).Draw(w.t, "order")
	limit := rapid.SampledFrom([]string{"-300", "-390", "-450"}).Draw(w.t, "limit")
	w.run(func(g *broker.Guard) {
		with := buy(old.Order.Legs[0].Symbol, old.Order.Legs[0].Quantity.String(), limit).Orders[0]
		p, err := g.Prepare(w.t.Context(), desk, broker.Intent{Kind: broker.IntentReplace, Order: old.ID, With: with})
		if err == nil {
			w.made = append(w.made, p.ID)
			w.tickets[p.ID] = p
			w.byTag[p.Ticket.Orders[0].Tag] = p
		}
	})
}

func (w *world) approve(*rapid.T) {
	id := w.pick()
	w.yeses[id] = true // the person meant it, whatever becomes of the process
	w.run(func(g *broker.Guard) { _, _ = g.Approve(w.t.Context(), id, yes) })
}

func (w *world) submit(*rapid.T) {
	id := w.pick()
	w.how = rapid.SampledFrom([]fault{works, works, works, rejects, unavailable, lostButPlaced, lostNotPlaced, strange, crashBefore, crashAfter}).Draw(w.t, "broker")
	w.office.broker.hidden = rapid.Bool().Draw(w.t, "hidden")
	defer func() { w.office.broker.hidden = false }()
	killedBefore := w.killed
	before := len(w.office.broker.writes())
	w.run(func(g *broker.Guard) {
		if w.office.broker.hidden {
			// The listing is empty only while the outcome is looked for: limits are
			// counted by what the broker lists.
			w.office.broker.hidden = false
			w.office.broker.fault = func(string) fault {
				w.office.broker.hidden = true
				how := w.how
				w.how = works
				return how
			}
		}
		_, _ = g.Submit(w.t.Context(), id)
	})
	w.office.broker.fault = func(string) fault {
		how := w.how
		w.how = works
		return how
	}
	if killedBefore {
		require.Len(w.t, w.office.broker.writes(), before, "the kill switch is engaged")
	}
}

func (w *world) decline(*rapid.T) {
	id := w.pick()
	w.run(func(g *broker.Guard) { _ = g.Decline(w.t.Context(), id, "somebody") })
}

func (w *world) reconcile(*rapid.T) {
	w.run(func(g *broker.Guard) { _, _ = g.Reconcile(w.t.Context()) })
}

func (w *world) fill(*rapid.T) {
	for _, o := range w.office.broker.orders {
		if o.Status.CanFill() && rapid.Bool().Draw(w.t, "fills") {
			w.office.broker.fill(o.ID)
			return
		}
	}
}

func (w *world) engage(*rapid.T) {
	w.run(func(g *broker.Guard) { _ = g.Engage(w.t.Context(), "model", "stop") })
	w.look()
}

func (w *world) lift(*rapid.T) {
	w.run(func(g *broker.Guard) {
		p, err := g.PrepareLift(w.t.Context())
		if err == nil {
			_, _ = g.Submit(w.t.Context(), p.ID, yes)
		}
	})
	w.look()
}

// look reads the kill switch: a process that died while engaging it may have.
func (w *world) look() {
	k, err := w.guards[0].Killed(w.t.Context())
	require.NoError(w.t, err)
	w.killed = k.Engaged
}

func (w *world) wait(*rapid.T) {
	w.office.clock.Advance(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 11 * time.Minute, 9 * time.Hour}).Draw(w.t, "time"))
}

// check holds everything that reached the broker against the model.
func (w *world) check(*rapid.T) {
	b := w.office.broker
	writes := b.writes()
	seen := map[string]int{}
	for i, s := range writes {
		for _, tag := range s.tags {
			seen[tag]++
			require.Equal(w.t, 1, seen[tag], "order %s was sent twice", tag)
			p := w.byTag[tag]
			require.NotNil(w.t, p, "order %s was never previewed", tag)
			require.True(w.t, w.yeses[p.ID], "order %s was not approved", tag)
		}
		if i >= w.checked {
			w.days[market.DateOf(w.office.clock.Now().In(market.NYSE().Location())).String()]++
		}
	}
	w.checked = len(writes)
	for day, n := range w.days {
		require.LessOrEqual(w.t, n, propertyOrders, "on %s", day)
	}
	open := decimal.Zero
	for _, o := range b.orders {
		p := w.byTag[o.Order.Tag]
		require.Equal(w.t, p.Ticket.Orders[0].Legs, o.Order.Legs, "what was sent is what was previewed")
		require.True(w.t, p.Ticket.Orders[0].Limit.Equal(*o.Order.Limit))
		if o.Status.CanFill() {
			open = open.Add(o.Order.Limit.Abs().Mul(o.Order.Legs[0].Quantity))
		}
	}
	require.LessOrEqual(w.t, open.InexactFloat64(), float64(propertyNotional), "open orders' notional")
	require.LessOrEqual(w.t, open.InexactFloat64(), float64(propertyLoss), "worst case of the day")
}

// No sequence of calls, faults and crashes over several processes sends an order
// that was not approved, sends one twice, or exceeds a limit.
func TestNoSequenceOfCallsAndCrashesGetsAnOrderThroughThatShouldNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"prepare": w.prepare, "prepare too": w.prepare, "replace": w.replace,
			"approve": w.approve, "approve too": w.approve, "submit": w.submit, "submit too": w.submit, "submit again": w.submit,
			"decline": w.decline, "reconcile": w.reconcile, "fill": w.fill, "engage": w.engage, "lift": w.lift, "lift too": w.lift,
			"wait": w.wait, "": w.check,
		})
	})
}

// The sequences above reach the ends that they are meant to reach.
func TestTheSequencesReachTheBroker(t *testing.T) {
	sent, uncertain, rejected := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		for range 6 {
			w.prepare(rt)
		}
		for _, id := range w.made {
			w.yeses[id] = true
			w.run(func(g *broker.Guard) { _, _ = g.Approve(rt.Context(), id, yes) })
			w.how = rapid.SampledFrom([]fault{works, rejects, lostNotPlaced}).Draw(rt, "broker")
			w.run(func(g *broker.Guard) {
				out, err := g.Submit(rt.Context(), id)
				if err == nil && out.State == broker.OutcomeDone {
					sent++
				} else if out != nil && out.State == broker.OutcomeUncertain {
					uncertain++
				} else if out != nil && out.State == broker.OutcomeRejected {
					rejected++
				}
			})
			w.check(rt)
		}
	})
	assert.Positive(t, sent)
	assert.Positive(t, uncertain)
	assert.Positive(t, rejected)
}

func TestManyAtOnceStayWithinEveryLimit(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxDailyOrders, o.limits.MaxOpenNotional = broker.CapInt(7), broker.CapInt(2500)
	o.limits.MaxDailyLoss = broker.CapInt(2000)
	guards := []*broker.Guard{o.guard(t), o.guard(t), o.guard(t)}
	var group sync.WaitGroup
	for i := range 24 {
		group.Go(func() {
			g := guards[i%len(guards)]
			_, _ = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		})
	}
	group.Wait()
	assert.Len(t, o.broker.writes(), 4, "4 × 500 of worst case are the day's 2000")
}

func TestManySubmittersOfOnePreviewSendItOnce(t *testing.T) {
	o := newOffice(t)
	guards := []*broker.Guard{o.guard(t), o.guard(t)}
	p, err := guards[0].Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	var group sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		group.Go(func() { _, errs[i] = guards[i%2].Submit(t.Context(), p.ID) })
	}
	group.Wait()
	assert.Equal(t, 1, len(slices.DeleteFunc(errs, func(err error) bool { return err != nil })))
	assert.Len(t, o.broker.writes(), 1)
}

func TestAKillWhileManySubmitIsObeyedFromThenOn(t *testing.T) {
	o := newOffice(t)
	g := o.guard(t)
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			if i == 5 {
				assert.NoError(t, g.Engage(t.Context(), "model", "stop"))
				return
			}
			_, _ = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		})
	}
	group.Wait()
	before := len(o.broker.writes())
	_, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.ErrorIs(t, err, broker.ErrKilled)
	assert.Len(t, o.broker.writes(), before)
}
