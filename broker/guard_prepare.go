package broker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// keep is how long a preview can be asked about after it has ended.
const keep = 30 * 24 * time.Hour

// Prepare checks an intent against everything, asks the broker for a dry run,
// stores the exact bytes and returns the preview. Nothing is sent. A *RefusedError
// says which limits it breaks, a *RejectedError why the broker would refuse it, a
// *FieldError (joined) what is wrong with it.
func (g *Guard) Prepare(ctx context.Context, account AccountID, intent Intent) (*Prepared, error) {
	if refusal := g.closed(ctx, intent.Kind, ModePreview); refusal != nil {
		return nil, g.refused(ctx, Entry{Kind: intent.Kind, Account: account}, refusal)
	}
	if !g.limits.allowsAccount(account) {
		return nil, g.refused(ctx, Entry{Kind: intent.Kind, Account: account},
			refuse("accounts", fmt.Sprintf("account %s is not on the list of accounts that may trade", account), nil))
	}
	m := &message{Version: 1, Kind: intent.Kind, Environment: g.Environment(), Account: account}
	var err error
	switch intent.Kind {
	case IntentPlace:
		m.setTicket(tagged(intent.Ticket))
	case IntentClose:
		err = g.closing(ctx, m, intent.Close)
	case IntentReplace:
		err = g.replacing(ctx, m, intent)
	case IntentCancel:
		return g.prepareCancel(ctx, m, intent.Order)
	default:
		err = invalid.Field("Kind", string(intent.Kind), "place, replace, cancel or close")
	}
	if err != nil {
		return nil, err
	}
	return g.prepareOrder(ctx, m)
}

// tagged returns a copy of a ticket in which every order has a tag.
func tagged(t Ticket) Ticket {
	t.Orders = slices.Clone(t.Orders)
	for i := range t.Orders {
		if t.Orders[i].Tag == "" {
			t.Orders[i].Tag = newTag()
		}
	}
	return t
}

func newTag() string { return "ttai-" + strings.ToLower(rand.Text()) }

// closing makes the order that closes positions.
func (g *Guard) closing(ctx context.Context, m *message, c ClosePositions) error {
	if len(c.Symbols) == 0 || len(c.Symbols) > MaxLegs {
		return invalid.Field("Close.Symbols", len(c.Symbols), "1 to 4 symbols of open positions")
	}
	positions, err := g.broker.Positions(ctx, m.Account)
	if err != nil {
		return fmt.Errorf("reading positions: %w", err)
	}
	o := Order{Tag: newTag(), Type: c.Type, Limit: c.Limit, TimeInForce: c.TimeInForce}
	if o.Type == "" {
		o.Type = Market
		if c.Limit != nil {
			o.Type = Limit
		}
	}
	for i, symbol := range c.Symbols {
		at := slices.IndexFunc(positions, func(p Position) bool { return string(p.Symbol) == symbol && !p.Quantity.IsZero() })
		if at < 0 {
			return invalid.Field(fmt.Sprintf("Close.Symbols[%d]", i), symbol, "the symbol of an open position")
		}
		action := SellToClose
		if positions[at].Quantity.Sign() < 0 {
			action = BuyToClose
		}
		o.Legs = append(o.Legs, Leg{positions[at].Symbol, action, positions[at].Quantity.Abs()})
	}
	m.setTicket(NewTicket(o))
	return nil
}

// replacing makes the message of a replacement, after a look at what it replaces.
func (g *Guard) replacing(ctx context.Context, m *message, intent Intent) error {
	old, err := g.broker.Order(ctx, m.Account, intent.Order)
	if err != nil {
		return fmt.Errorf("reading order %s: %w", intent.Order, err)
	}
	if !old.Status.CanFill() {
		return fmt.Errorf("order %s is %s: %w", old.ID, old.Status, ErrTooLate)
	}
	with := intent.With
	same := len(with.Legs) == len(old.Order.Legs)
	for i := 0; same && i < len(with.Legs); i++ {
		same = with.Legs[i].Symbol == old.Order.Legs[i].Symbol && with.Legs[i].Action == old.Order.Legs[i].Action
	}
	if !same {
		return invalid.Missing("With.Legs", "the symbols and actions of the order that is replaced")
	}
	m.setTicket(tagged(NewTicket(with)))
	m.Order, m.Subject, m.Protects = old.ID, orderWords(&old.Order), protects(old)
	return nil
}

// prepareOrder previews a place or a replacement and stores it.
func (g *Guard) prepareOrder(ctx context.Context, m *message) (*Prepared, error) {
	ticket := m.ticket()
	if err := ticket.Validate(); err != nil {
		return nil, err
	}
	if err := g.broker.Capabilities().Check(ticket); err != nil {
		return nil, err
	}
	preview, err := g.dryRun(ctx, m, ticket)
	if err != nil {
		return nil, err
	}
	if normal, ok := normalised(ticket, preview); ok {
		m.setTicket(normal)
	}
	var s shown
	err = g.change(ctx, func(b *book) (bool, error) {
		days := len(b.Opened)
		p, err := g.propose(ctx, m, preview, b, "")
		if err != nil {
			return false, err
		}
		s = p.shown()
		if found := g.limits.violations(p); len(found) > 0 {
			return false, &RefusedError{Violations: found}
		}
		return len(b.Opened) > days, nil // the day's first look at the account is kept
	})
	if refusal, ok := errors.AsType[*RefusedError](err); ok {
		_, digest, _ := m.bytes()
		return nil, g.refused(ctx, Entry{Kind: m.Kind, Account: m.Account, Digest: &digest, Words: m.words(&s)}, refusal)
	}
	if err != nil {
		return nil, err
	}
	s.Warnings = preview.Warnings
	return g.store(ctx, m, s)
}

// dryRun asks the broker. A ticket that it would refuse is a *RejectedError; of a
// replacement its word is only a warning, since it counts the order that is
// replaced too.
func (g *Guard) dryRun(ctx context.Context, m *message, ticket Ticket) (*Preview, error) {
	preview, err := g.broker.Preview(ctx, m.Account, ticket)
	if err != nil {
		return nil, fmt.Errorf("previewing: %w", err)
	}
	if preview == nil {
		return nil, fmt.Errorf("previewing: %w", ErrUnavailable)
	}
	out := *preview
	if m.Kind == IntentReplace {
		out.Warnings, out.Refusals = append(slices.Clone(out.Warnings), out.Refusals...), nil
	}
	if len(out.Refusals) > 0 {
		return nil, &RejectedError{Notices: out.Refusals}
	}
	return &out, nil
}

// normalised is the ticket as the broker would have it: believed only where it is
// the same orders by tag and leg, since it is what will be shown and sent.
func normalised(t Ticket, p *Preview) (Ticket, bool) {
	n := p.Ticket
	if n.Kind != t.Kind || len(n.Orders) != len(t.Orders) || n.Validate() != nil {
		return t, false
	}
	for i := range n.Orders {
		if n.Orders[i].Tag != t.Orders[i].Tag || !slices.EqualFunc(n.Orders[i].Legs, t.Orders[i].Legs, func(a, b Leg) bool {
			return a.Symbol == b.Symbol && a.Action == b.Action && a.Quantity.Equal(b.Quantity)
		}) {
			return t, false
		}
	}
	return n, true
}

// propose looks at the account and weighs a message.
func (g *Guard) propose(ctx context.Context, m *message, preview *Preview, b *book, id string) (*proposal, error) {
	ticket := m.ticket()
	v, err := g.look(ctx, m.Account, ticket, b)
	if err != nil {
		return nil, err
	}
	kind := IntentPlace
	if m.Kind == IntentReplace {
		kind = IntentReplace
	}
	return &proposal{
		account: m.Account, kind: kind, ticket: ticket, weight: v.weigh(ticket, m.Order), view: v, preview: preview,
		book: b, id: id, now: g.clock.Now(), phase: g.phase,
	}, nil
}

func (p *proposal) shown() shown {
	s := shown{Loss: p.weight.loss.Amount, Unbounded: p.weight.loss.Unbounded, Notional: p.weight.notional, RiskIncreasing: p.weight.opens}
	if p.preview != nil {
		s.BuyingPower, s.After, s.Fees = p.preview.BuyingPower, p.preview.BuyingPowerAfter, p.preview.Fees
	}
	return s
}

// prepareCancel stores a cancel.
func (g *Guard) prepareCancel(ctx context.Context, m *message, id OrderID) (*Prepared, error) {
	old, err := g.broker.Order(ctx, m.Account, id)
	if err != nil {
		return nil, fmt.Errorf("reading order %s: %w", id, err)
	}
	if !old.Status.CanFill() {
		return nil, fmt.Errorf("order %s is %s: %w", id, old.Status, ErrTooLate)
	}
	m.Order, m.Subject = old.ID, orderWords(&old.Order)
	return g.store(ctx, m, shown{RiskIncreasing: protects(old)})
}

// protects tells whether an order limits the loss of a position: it closes, and
// waits for a price that is worse than the present one, or is one of a group
// that closes.
func protects(o *OrderState) bool {
	if o.Order.Opens() {
		return false
	}
	switch o.Order.Type {
	case Stop, StopLimit, TrailingStop:
		return true
	}
	return o.Group != ""
}

// needed returns the grade that a preview needs.
func (g *Guard) needed(m *message, s *shown) (Grade, error) {
	rules := &g.limits.Approval
	switch m.Kind {
	case IntentCancel:
		if g.limits.FreeCancels && !s.RiskIncreasing {
			return GradeNone, nil
		}
		return rules.required(m.Environment, Loss{Amount: &decimal.Decimal{}}, &decimal.Decimal{})
	case IntentLift, IntentSettings:
		grade, err := rules.required(m.Environment, Loss{Amount: &decimal.Decimal{}}, &decimal.Decimal{})
		return max(grade, GradeElicitation), err
	}
	return rules.required(m.Environment, Loss{s.Loss, s.Unbounded}, s.Notional)
}

// store keeps a preview under a random id.
func (g *Guard) store(ctx context.Context, m *message, s shown) (*Prepared, error) {
	grade, err := g.needed(m, &s)
	if err != nil {
		return nil, err
	}
	s.Grade = max(s.Grade, grade)
	data, _, err := m.bytes()
	if err != nil {
		return nil, fmt.Errorf("storing a preview: %w", err)
	}
	now := g.clock.Now()
	r := &record{
		ID: strings.ToLower(rand.Text()), Kind: m.Kind, Account: m.Account, Bytes: data,
		Created: now, Expires: now.Add(g.limits.Approval.valid()).Truncate(time.Second), Shown: s, Stage: stageReady, Moved: now,
	}
	e := r.entry()
	e.Bytes, e.Words = data, m.words(&s)
	if err := g.write(ctx, EntryPreviewed, e); err != nil {
		return nil, err
	}
	if err := g.save(ctx, r); err != nil {
		return nil, fmt.Errorf("storing a preview: %w", err)
	}
	return g.prepared(r, m), nil
}

// prepared is a record for people and programs.
func (g *Guard) prepared(r *record, m *message) *Prepared {
	request := g.request(r, m)
	challenge := request.Challenge()
	return &Prepared{
		ID: r.ID, Kind: r.Kind, Account: r.Account, Environment: m.Environment,
		Digest: request.Digest, Challenge: challenge[:], Words: request.Words, Ticket: request.Ticket, Order: m.Order,
		MaxLoss: Loss{r.Shown.Loss, r.Shown.Unbounded}, Notional: r.Shown.Notional,
		BuyingPower: r.Shown.BuyingPower, BuyingPowerAfter: r.Shown.After, Fees: r.Shown.Fees,
		Warnings: r.Shown.Warnings, RiskIncreasing: r.Shown.RiskIncreasing,
		Grade: request.Required, Methods: methodsOf(g.reaching(request.Required)), Created: r.Created, Expires: r.Expires,
	}
}

// request is what an approver is asked, made from the record's bytes.
func (g *Guard) request(r *record, m *message) ApprovalRequest {
	return ApprovalRequest{
		PreviewID: r.ID, Digest: r.digest(), Expires: r.Expires, Kind: r.Kind, Environment: m.Environment, Account: r.Account,
		Words: m.words(&r.Shown), Ticket: m.ticket(), Notional: r.Shown.Notional, MaxLoss: r.Shown.Loss, RiskIncreasing: r.Shown.RiskIncreasing, Protects: m.Protects, Required: r.Shown.Grade,
	}
}

func methodsOf(approvers []Approver) []string {
	var out []string
	for _, a := range approvers {
		out = append(out, a.Method())
	}
	return out
}

// reaching returns the approvers that reach a grade, best first.
func (g *Guard) reaching(grade Grade) []Approver {
	out := slices.DeleteFunc(slices.Clone(g.approvers), func(a Approver) bool { return a.Grade() < grade })
	slices.SortStableFunc(out, func(a, b Approver) int { return int(b.Grade()) - int(a.Grade()) })
	return out
}

// save stores a record by compare-and-set: ErrStateChanged when somebody else
// moved it since it was read.
func (g *Guard) save(ctx context.Context, r *record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	version, err := g.state.CompareAndSet(ctx, g.key("preview", r.ID), r.version, data, keep)
	if err != nil {
		return err
	}
	r.version = version
	return nil
}

// load reads a record; ErrUnknownPreview when there is none.
func (g *Guard) load(ctx context.Context, id string) (*record, error) {
	if id == "" || len(id) > 64 || !homeName(id[:min(len(id), 32)]) {
		return nil, ErrUnknownPreview
	}
	data, version, err := g.state.Get(ctx, g.key("preview", id))
	if errors.Is(err, ErrNoState) {
		return nil, ErrUnknownPreview
	}
	if err != nil {
		return nil, fmt.Errorf("reading preview %s: %w", id, err)
	}
	r := &record{version: version}
	if err := json.Unmarshal(data, r); err != nil || r.ID != id {
		return nil, fmt.Errorf("broker: stored preview %s is damaged", id)
	}
	return r, nil
}

// Prepared returns a preview that was stored before and can still be submitted;
// its words are made anew from the stored bytes. ErrSpent when it was submitted or
// voided, ErrUnknownPreview when it is unknown or has expired.
func (g *Guard) Prepared(ctx context.Context, id string) (*Prepared, error) {
	r, m, err := g.ready(ctx, id)
	if err != nil {
		return nil, err
	}
	return g.prepared(r, m), nil
}

// ready loads a preview that can still be submitted. What it needs is counted
// anew: what is stored may only ask for more.
func (g *Guard) ready(ctx context.Context, id string) (*record, *message, error) {
	r, err := g.load(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if r.Stage != stageReady {
		return r, nil, ErrSpent
	}
	if !g.clock.Now().Before(r.Expires) {
		return nil, nil, ErrUnknownPreview
	}
	m, err := r.message()
	if err != nil {
		return nil, nil, err
	}
	if m.Kind != r.Kind || m.Account != r.Account || m.Environment != g.Environment() {
		return nil, nil, fmt.Errorf("broker: stored preview %s is damaged", id)
	}
	return r, m, nil
}

// closed returns why a kind of intent cannot go on now; nil when it can.
func (g *Guard) closed(ctx context.Context, kind IntentKind, least Mode) *RefusedError {
	if g.off != nil {
		return refuse("mode", fmt.Sprintf("trading is off, because the settings could not be read: %v", g.off), ErrTradingOff)
	}
	if g.limits.Mode == ModeOff || least == ModeTrade && g.limits.Mode != ModeTrade {
		return refuse("mode", fmt.Sprintf("trading is off: the mode is %q", g.limits.Mode), ErrTradingOff)
	}
	if kind != IntentSettings {
		if refusal := g.unpinned(ctx); refusal != nil {
			return refusal
		}
	}
	if kind == IntentCancel || kind == IntentLift || kind == IntentSettings {
		return nil
	}
	kill, err := g.Killed(ctx)
	switch {
	case err != nil:
		return refuse("kill_switch", fmt.Sprintf("the kill switch cannot be read: %v", err), ErrKilled)
	case kill.Engaged:
		return refuse("kill_switch", plain(fmt.Sprintf("the kill switch was engaged by %s: %s", kill.By, kill.Reason)), ErrKilled)
	}
	return nil
}
