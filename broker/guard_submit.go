package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

const (
	// sendWindow is how long after its claim an order may still be sent, and how
	// long the sending may take.
	sendWindow = 30 * time.Second
	// findWindow is how long after it an order without an answer is looked for. It
	// is much longer, so that nobody gives up on what somebody else still sends.
	findWindow = 10 * time.Minute
)

// Submit sends a preview, once. It needs only the id: what is sent was stored when
// the preview was made. Evidence may come with it or before it, by
// [Guard.Approve]; without any, approvers that decide by themselves are asked.
//
// While the error is an ErrApprovalRequired or an ErrRefused the preview stands.
// ErrSpent comes with the outcome of the first submission, ErrUncertain with one
// that [Guard.Reconcile] will complete, ErrRejected with the broker's reasons. After
// ErrJournal beside an outcome that is done, the order was sent and its answer is
// not in the journal yet.
func (g *Guard) Submit(ctx context.Context, previewID string, evidence ...Evidence) (*Outcome, error) {
	r, m, err := g.ready(ctx, previewID)
	if err != nil {
		if errors.Is(err, ErrSpent) {
			return g.unstick(ctx, r), err
		}
		return nil, err
	}
	if refusal := g.closed(ctx, r.Kind, ModeTrade); refusal != nil {
		return nil, g.refused(ctx, r.entry(), refusal)
	}
	p, needed, err := g.again(ctx, r, m)
	if err != nil {
		return nil, err
	}
	approval, approver, err := g.approved(ctx, r, m, needed, evidence)
	if err != nil {
		return nil, err
	}
	if !g.clock.Now().Before(r.Expires) {
		return nil, ErrUnknownPreview // the person took too long
	}
	if err := g.claim(ctx, r, approval); err != nil {
		if errors.Is(err, ErrSpent) {
			return r.outcome(), err
		}
		return nil, err
	}
	switch m.Kind {
	case IntentLift, IntentSettings:
		return g.finish(ctx, r, m)
	}
	if err := g.reserve(ctx, r, m, p, approver); err != nil {
		return g.notSent(ctx, r, m, err)
	}
	return g.sendOnce(ctx, r, m)
}

// again looks at quotes, account and limits again, and counts what approval the
// order needs now.
func (g *Guard) again(ctx context.Context, r *record, m *message) (*proposal, Grade, error) {
	if m.Kind == IntentLift || m.Kind == IntentSettings {
		grade, err := g.needed(m, &r.Shown)
		return nil, max(grade, r.Shown.Grade), err
	}
	if m.Kind == IntentCancel {
		old, err := g.broker.Order(ctx, m.Account, m.Order)
		if err != nil {
			return nil, 0, fmt.Errorf("reading order %s: %w", m.Order, err)
		}
		if !old.Status.CanFill() {
			return nil, 0, fmt.Errorf("order %s is %s: %w", old.ID, old.Status, ErrTooLate)
		}
		grade, err := g.needed(m, &shown{RiskIncreasing: protects(old)})
		return nil, max(grade, r.Shown.Grade), err
	}
	ticket := m.ticket()
	if err := ticket.Validate(); err != nil {
		return nil, 0, err
	}
	asked := g.clock.Now()
	preview, err := g.dryRun(ctx, m, ticket)
	if err != nil {
		return nil, 0, err
	}
	b, err := g.readBook(ctx)
	if err != nil {
		return nil, 0, err
	}
	b.roll(g.today(), g.clock.Now(), time.Duration(g.limits.DuplicateWindow))
	p, err := g.propose(ctx, m, preview, b, r.ID)
	if err != nil {
		return nil, 0, err
	}
	p.asked = asked
	found := append(g.limits.violations(p), drift(&r.Shown, p)...)
	if len(found) > 0 {
		return nil, 0, g.refused(ctx, r.entry(), &RefusedError{Violations: found})
	}
	now := p.shown()
	grade, err := g.needed(m, &now)
	return p, max(grade, r.Shown.Grade), err
}

// drift compares what the order puts at risk now with what was shown: a tenth more
// is another order.
func drift(s *shown, p *proposal) []Violation {
	var found []Violation
	grown := func(then, now *decimal.Decimal) bool {
		if then == nil || now == nil {
			return then != nil
		}
		return now.GreaterThan(then.Mul(decimal.RequireFromString("1.1")))
	}
	if p.weight.loss.Unbounded && !s.Unbounded || grown(s.Loss, p.weight.loss.Amount) {
		found = append(found, Violation{"drift", fmt.Sprintf("its worst-case loss was %s when it was previewed and is %s now", Loss{s.Loss, s.Unbounded}, p.weight.loss)})
	}
	if grown(s.Notional, p.weight.notional) {
		found = append(found, Violation{"drift", fmt.Sprintf("its notional was %s when it was previewed and is %s now", known(s.Notional), known(p.weight.notional))})
	}
	if p.weight.opens && !s.RiskIncreasing {
		found = append(found, Violation{"drift", "it would only have closed when it was previewed, and opens now"})
	}
	return found
}

// claim spends the preview and its tags: durably, and for one of all who try.
func (g *Guard) claim(ctx context.Context, r *record, approval *Approval) error {
	r.Approval = approval
	e := r.entry()
	e.Approval = approval
	if err := g.write(ctx, EntryClaimed, e); err != nil {
		return err
	}
	r.Stage, r.Moved = stageClaimed, g.clock.Now()
	err := g.save(ctx, r)
	if errors.Is(err, ErrStateChanged) {
		spent, err := g.load(ctx, r.ID)
		if err != nil {
			return err
		}
		if spent.Stage == stageReady { // an approval came meanwhile
			return fmt.Errorf("broker: preview %s was changed meanwhile, submit it again: %w", r.ID, ErrStateChanged)
		}
		*r = *spent
		return ErrSpent
	}
	if err != nil {
		return fmt.Errorf("claiming preview %s: %w", r.ID, err)
	}
	return nil
}

// claimTags spends the orders' tags, so that none is ever sent twice whatever
// preview it is in.
func (g *Guard) claimTags(ctx context.Context, r *record, m *message) error {
	for _, tag := range m.tags() {
		_, err := g.state.CompareAndSet(ctx, g.key("tag", string(m.Account), tag), 0, []byte(r.ID), 0)
		if errors.Is(err, ErrStateChanged) {
			return refuse("tag", fmt.Sprintf("an order with the tag %s was sent before, or was about to be", tag), nil)
		}
		if err != nil {
			return fmt.Errorf("claiming tag %s: %w", tag, err)
		}
	}
	return nil
}

// reserve enters the order in the book if the limits still hold beside all that
// others entered meanwhile.
func (g *Guard) reserve(ctx context.Context, r *record, m *message, p *proposal, approver Approver) error {
	if err := g.claimTags(ctx, r, m); err != nil {
		return err
	}
	err := g.change(ctx, func(b *book) (bool, error) {
		e := entry{
			Preview: r.ID, Kind: m.Kind, Account: m.Account, Tags: m.tags(), Order: m.Order, Stage: entrySending, Time: g.clock.Now(),
		}
		if b.find(r.ID) != nil {
			return false, ErrSpent
		}
		if p != nil {
			now, err := g.propose(ctx, m, p.preview, b, r.ID)
			if err != nil {
				return false, err
			}
			now.asked = p.asked
			if budgeted, ok := approver.(Budgeted); ok {
				now.budget = &namedBudget{budgeted.Method(), budgeted.Budget()}
			}
			if found := append(g.limits.violations(now), drift(&r.Shown, now)...); len(found) > 0 {
				return false, &RefusedError{Violations: found}
			}
			e.fill(now, b.Day)
			if now.budget != nil {
				e.Method = now.budget.method
			}
			b.count(&e, now, time.Duration(g.limits.DuplicateWindow))
		}
		b.Entries = append(b.Entries, e)
		return true, nil
	})
	if refusal, ok := errors.AsType[*RefusedError](err); ok {
		return g.refused(ctx, r.entry(), refusal)
	}
	return err
}

func (e *entry) fill(p *proposal, day string) {
	e.Opens, e.Loss, e.Notional, e.Counted = p.weight.opens, p.weight.loss.Amount, p.weight.notional, day
	e.Group, e.Count = p.ticket.Kind, len(p.ticket.Orders)
	if p.preview != nil {
		e.BuyingPower = p.preview.BuyingPower
	}
	for _, o := range p.ticket.Orders {
		for _, l := range o.Legs {
			e.Underlyings = append(e.Underlyings, contractUnderlying(l.Symbol))
		}
	}
	e.Underlyings = unique(e.Underlyings)
}

func unique(symbols []market.Symbol) []market.Symbol {
	var out []market.Symbol
	seen := map[market.Symbol]bool{}
	for _, s := range symbols {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// count adds an entry to what the day counts.
func (b *book) count(e *entry, p *proposal, window time.Duration) {
	b.Sent += e.Count
	if window > 0 && p.kind == IntentPlace {
		b.Recent = append(b.Recent, recent{e.Preview, fingerprint(p.account, p.ticket), p.now})
	}
	if e.Method == "" {
		return
	}
	tally := b.tally(e.Method)
	if tally == nil {
		b.Budgets = append(b.Budgets, budgetTally{Method: e.Method, Day: b.Day})
		tally = &b.Budgets[len(b.Budgets)-1]
	}
	tally.Orders += e.Count
	tally.Notional = tally.Notional.Add(amountOr(e.Notional))
	tally.Loss = tally.Loss.Add(amountOr(e.Loss))
}

// sendOnce sends what was claimed and reserved.
func (g *Guard) sendOnce(ctx context.Context, r *record, m *message) (*Outcome, error) {
	e := r.entry()
	e.Bytes = r.Bytes
	if err := g.write(ctx, EntrySending, e); err != nil {
		return g.notSent(ctx, r, m, err)
	}
	// From the next step on the order may have been sent. Whoever finds the record
	// before it knows that it was not, and ends it: then this step fails.
	r.Stage, r.Moved = stageSending, g.clock.Now()
	if err := g.save(ctx, r); err != nil {
		return g.notSent(ctx, r, m, fmt.Errorf("claiming preview %s: %w", r.ID, err))
	}
	if refusal := g.closed(ctx, m.Kind, ModeTrade); refusal != nil {
		return g.notSent(ctx, r, m, refusal)
	}
	if late := g.clock.Now().Sub(r.Moved); late > sendWindow {
		return g.notSent(ctx, r, m, fmt.Errorf("broker: sending was held up for %s", late))
	}
	// The caller may go away; what is sent must not be cut off in the middle.
	sending, stop := context.WithTimeout(context.WithoutCancel(ctx), sendWindow)
	defer stop()
	orders, err := g.send(sending, m)
	return g.answered(context.WithoutCancel(ctx), r, m, orders, err)
}

func (g *Guard) send(ctx context.Context, m *message) ([]OrderState, error) {
	switch m.Kind {
	case IntentCancel:
		return single(g.broker.Cancel(ctx, m.Account, m.Order))
	case IntentReplace:
		return single(g.broker.Replace(ctx, m.Account, m.Order, m.ticket().Orders[0]))
	}
	return g.broker.Place(ctx, m.Account, m.ticket())
}

func single(o *OrderState, err error) ([]OrderState, error) {
	if o == nil {
		return nil, err
	}
	return []OrderState{*o}, err
}

// answered takes down what the broker said.
func (g *Guard) answered(ctx context.Context, r *record, m *message, orders []OrderState, err error) (*Outcome, error) {
	ctx, stop := context.WithTimeout(ctx, bookkeeping)
	defer stop()
	switch {
	case err == nil && len(orders) > 0:
		return g.done(ctx, r, EntryAnswered, orders)
	case errors.Is(err, ErrUncertain):
	case errors.Is(err, ErrRejected):
		return g.end(ctx, r, OutcomeRejected, EntryRejected, err)
	case certainlyNot(err):
		return g.end(ctx, r, OutcomeNotSent, EntryNotSent, err)
	}
	if err == nil {
		err = errors.New("the broker answered without an order")
	}
	if !errors.Is(err, ErrUncertain) {
		err = &UncertainError{Tags: m.tags(), Order: m.Order, Cause: err}
	}
	return g.uncertain(ctx, r, m, err)
}

// certainlyNot tells whether a broker's error means that it did not act.
func certainlyNot(err error) bool {
	if _, ok := errors.AsType[*FieldError](err); ok {
		return true
	}
	for _, not := range []error{ErrUnsupported, ErrUnauthorized, ErrUnavailable, ErrUnknownAccount, ErrUnknownOrder, ErrTooLate} {
		if errors.Is(err, not) {
			return true
		}
	}
	return false
}

// done ends a preview whose orders exist.
func (g *Guard) done(ctx context.Context, r *record, kind string, orders []OrderState) (*Outcome, error) {
	r.Stage, r.Moved, r.Outcome, r.Orders, r.Reason = stageEnded, g.clock.Now(), OutcomeDone, newWireStates(orders), ""
	e := r.entry()
	e.State, e.Orders = OutcomeDone, entryOrders(orders)
	err := g.conclude(ctx, r, kind, e, func(b *book, held *entry) {
		if r.Kind == IntentCancel {
			b.drop(r.ID)
			return
		}
		held.Stage, held.Answered, held.Placed = entryWorking, g.clock.Now(), nil
		for _, o := range orders {
			held.Placed = append(held.Placed, o.ID)
		}
	})
	return r.outcome(), err
}

// end ends a preview of which nothing exists. What was certainly not sent does not
// count; what the broker rejected was sent.
func (g *Guard) end(ctx context.Context, r *record, state OutcomeState, kind string, cause error) (*Outcome, error) {
	r.Stage, r.Moved, r.Outcome, r.Reason = stageEnded, g.clock.Now(), state, cause.Error()
	e := r.entry()
	e.State, e.Reason = state, r.Reason
	err := g.conclude(ctx, r, kind, e, func(b *book, held *entry) {
		switch state {
		case OutcomeNotSent:
			b.forget(*held)
		case OutcomeRejected:
			b.unlike(held.Preview)
		}
		b.drop(r.ID)
	})
	return r.outcome(), errors.Join(cause, err)
}

// notSent ends a preview that was claimed, by a context of its own: the caller's
// may be what stopped it.
func (g *Guard) notSent(ctx context.Context, r *record, _ *message, cause error) (*Outcome, error) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), bookkeeping)
	defer stop()
	if now, err := g.load(ctx, r.ID); err == nil && now.Stage != stageEnded {
		now.Approval = r.Approval
		*r = *now
	}
	return g.end(ctx, r, OutcomeNotSent, EntryNotSent, cause)
}

// uncertain looks for the order at once, and leaves it to [Guard.Reconcile] when it
// is not there.
func (g *Guard) uncertain(ctx context.Context, r *record, m *message, cause error) (*Outcome, error) {
	r.Stage, r.Moved, r.Outcome, r.Reason = stageSending, g.clock.Now(), OutcomeUncertain, cause.Error()
	e := r.entry()
	e.State, e.Reason = OutcomeUncertain, r.Reason
	err := g.conclude(ctx, r, EntryUncertain, e, func(_ *book, held *entry) { held.Stage = entryUncertain })
	orders, findErr := g.find(ctx, m)
	if findErr == nil && len(orders) > 0 {
		out, doneErr := g.done(ctx, r, EntryReconciled, orders)
		return out, errors.Join(err, doneErr)
	}
	out := r.outcome()
	out.State = OutcomeUncertain
	return out, errors.Join(cause, err)
}

// conclude stores what became of a preview: in the record, in the journal, in the
// book. The book comes last, so that what it forgets is kept elsewhere. What fails
// is left for Reconcile, which finds the entry in the book.
func (g *Guard) conclude(ctx context.Context, r *record, kind string, e Entry, f func(*book, *entry)) error {
	journaled := g.write(ctx, kind, e)
	err := g.save(ctx, r)
	if errors.Is(err, ErrStateChanged) {
		if now, loadErr := g.load(ctx, r.ID); loadErr == nil && now.Stage == stageEnded {
			*r, err = *now, nil // somebody else found out the same
		}
	}
	if err != nil {
		return errors.Join(journaled, fmt.Errorf("storing the outcome of preview %s: %w", r.ID, err))
	}
	if journaled != nil {
		return journaled
	}
	return g.change(ctx, func(b *book) (bool, error) {
		held := b.find(r.ID)
		if held == nil {
			return false, nil
		}
		f(b, held)
		return true, nil
	})
}

// finish ends a lift of the kill switch or a change of settings.
func (g *Guard) finish(ctx context.Context, r *record, m *message) (*Outcome, error) {
	kind, err := EntryLifted, error(nil)
	e := r.entry()
	e.Approval, e.Reason = r.Approval, m.Subject
	if m.Kind == IntentSettings {
		kind = EntrySettingsSet
	}
	if err = g.write(ctx, kind, e); err == nil {
		if m.Kind == IntentLift {
			err = g.lift(ctx, m)
		} else {
			err = g.pin(ctx, m)
		}
	}
	r.Stage, r.Moved, r.Outcome = stageEnded, g.clock.Now(), OutcomeDone
	if err != nil {
		r.Outcome, r.Reason = OutcomeNotSent, err.Error()
	}
	return r.outcome(), errors.Join(err, g.save(ctx, r))
}

// Approve takes down what a person gave for a preview, after the approver found it
// good, to be used when it is submitted. It is not for models: see [Desk].
func (g *Guard) Approve(ctx context.Context, previewID string, evidence Evidence) (*Approval, error) {
	r, m, err := g.ready(ctx, previewID)
	if err != nil {
		return nil, err
	}
	if refusal := g.closed(ctx, r.Kind, ModeTrade); refusal != nil {
		return nil, g.refused(ctx, r.entry(), refusal)
	}
	request := g.request(r, m)
	able := g.believed(ctx, m, request.Required)
	at := slices.IndexFunc(able, func(a Approver) bool { return a.Method() == evidence.Method })
	if at < 0 {
		return nil, &ApprovalRequiredError{PreviewID: r.ID, Grade: request.Required, Methods: methodsOf(able)}
	}
	approval, err := g.decide(ctx, r, able[at], request, &evidence)
	if err != nil {
		return nil, err
	}
	r.Evidence = &evidence
	if err := g.save(ctx, r); err != nil {
		return nil, fmt.Errorf("storing the approval of preview %s: %w", r.ID, err)
	}
	return approval, nil
}

// Decline voids a preview. Anybody may.
func (g *Guard) Decline(ctx context.Context, previewID, by string) error {
	r, _, err := g.ready(ctx, previewID)
	if err != nil {
		return err
	}
	return g.void(ctx, r, Entry{By: by})
}

// void ends a preview that nobody submitted.
func (g *Guard) void(ctx context.Context, r *record, said Entry) error {
	e := r.entry()
	e.By, e.Method, e.Reason = said.By, said.Method, said.Reason
	if err := g.write(ctx, EntryDeclined, e); err != nil {
		return err
	}
	r.Stage, r.Moved, r.Outcome, r.Reason = stageEnded, g.clock.Now(), OutcomeNotSent, "declined"
	return g.save(ctx, r)
}

// Ask has an [Asker] show a preview to a person.
func (g *Guard) Ask(ctx context.Context, previewID, method string) error {
	r, m, err := g.ready(ctx, previewID)
	if err != nil {
		return err
	}
	for _, a := range g.approvers {
		asker, ok := a.(Asker)
		if !ok || a.Method() != method {
			continue
		}
		e := r.entry()
		e.Method = method
		if err := g.write(ctx, EntryAsked, e); err != nil {
			return err
		}
		return asker.Ask(ctx, g.request(r, m))
	}
	return invalid.Field("method", method, "the method of an approver that asks")
}

// approved has approvers decide, those with evidence first.
func (g *Guard) approved(ctx context.Context, r *record, m *message, needed Grade, evidence []Evidence) (*Approval, Approver, error) {
	if needed == GradeNone {
		return nil, nil, nil
	}
	request := g.request(r, m)
	request.Required = max(needed, request.Required)
	if r.Evidence != nil {
		evidence = append(evidence[:len(evidence):len(evidence)], *r.Evidence)
	}
	able := g.believed(ctx, m, needed)
	for _, said := range evidence {
		for _, a := range able {
			if a.Method() == said.Method {
				approval, err := g.decide(ctx, r, a, request, &said)
				return approval, a, err
			}
		}
	}
	for _, a := range able {
		approval, err := g.decide(ctx, r, a, request, nil)
		if !errors.Is(err, ErrApprovalRequired) {
			return approval, a, err
		}
	}
	return nil, nil, &ApprovalRequiredError{PreviewID: r.ID, Grade: needed, Methods: methodsOf(able)}
}

// decide asks one approver and takes its answer down.
func (g *Guard) decide(ctx context.Context, r *record, a Approver, request ApprovalRequest, said *Evidence) (*Approval, error) {
	decision, err := a.Approve(ctx, request, said)
	if errors.Is(err, ErrDeclined) {
		return nil, errors.Join(err, g.void(context.WithoutCancel(ctx), r, Entry{Method: a.Method(), Reason: err.Error()}))
	}
	if err != nil {
		return nil, err
	}
	approval := &Approval{
		PreviewID: r.ID, Digest: request.Digest, Method: a.Method(), Grade: a.Grade(),
		By: decision.By, Note: decision.Note, Time: g.clock.Now(),
	}
	e := r.entry()
	e.Approval = approval
	if err := g.write(ctx, EntryApproved, e); err != nil {
		return nil, err
	}
	return approval, nil
}
