package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// book is what all processes of a home share about orders under way. It is one
// value, so that a check and what it allows are one step: whoever read an older
// book loses the compare-and-set and looks again.
type book struct {
	// Day is the day of New York that Sent counts; Sent is over all accounts.
	Day     string        `json:"day"`
	Sent    int           `json:"sent"`
	Entries []entry       `json:"entries,omitempty"`
	Recent  []recent      `json:"recent,omitempty"`
	Opened  []baseline    `json:"opened,omitempty"`
	Budgets []budgetTally `json:"budgets,omitempty"`
	version uint64
}

// entry is an order under way: reserved before it is sent, until it can no longer
// fill.
type entry struct {
	Preview     string           `json:"preview"`
	Kind        IntentKind       `json:"kind"`
	Account     AccountID        `json:"account"`
	Tags        []string         `json:"tags,omitempty"`
	Order       OrderID          `json:"order,omitempty"`  // that is cancelled or replaced
	Placed      []OrderID        `json:"placed,omitempty"` // once the broker answered
	Underlyings []market.Symbol  `json:"underlyings,omitempty"`
	Opens       bool             `json:"opens,omitempty"`
	Loss        *decimal.Decimal `json:"loss,omitempty"`     // nil: unbounded or not known
	Notional    *decimal.Decimal `json:"notional,omitempty"` // nil: not known
	BuyingPower *decimal.Decimal `json:"buying_power,omitempty"`
	Count       int              `json:"count,omitempty"` // of orders
	Group       GroupKind        `json:"group,omitempty"`
	Stage       entryStage       `json:"stage"`
	Time        time.Time        `json:"time"`
	Answered    time.Time        `json:"answered,omitzero"` // when the broker had answered
	Counted     string           `json:"counted,omitempty"` // the day in which it counts as sent
	Method      string           `json:"method,omitempty"`  // whose budget it took from
}

type entryStage string

const (
	entrySending   entryStage = "sending"
	entryWorking   entryStage = "working"
	entryUncertain entryStage = "uncertain"
)

// recent is an order that was sent not long ago.
type recent struct {
	Preview string    `json:"preview"`
	Print   string    `json:"print"`
	Time    time.Time `json:"time"`
}

// baseline is what an account was worth when the day's first order looked at it.
type baseline struct {
	Account AccountID       `json:"account"`
	Day     string          `json:"day"`
	Value   decimal.Decimal `json:"value"`
}

// budgetTally is what was sent on one day by an approver with a [Budget].
type budgetTally struct {
	Method   string          `json:"method"`
	Day      string          `json:"day"`
	Orders   int             `json:"orders"`
	Notional decimal.Decimal `json:"notional"`
	Loss     decimal.Decimal `json:"loss"`
}

func (g *Guard) key(parts ...string) string {
	key := g.home
	for _, p := range parts {
		key += "/" + p
	}
	return key
}

func (g *Guard) today() string {
	return market.DateOf(g.clock.Now().In(market.NYSE().Location())).String()
}

func (g *Guard) readBook(ctx context.Context) (*book, error) {
	data, version, err := g.state.Get(ctx, g.key("book"))
	if errors.Is(err, ErrNoState) {
		return &book{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the book of orders: %w", err)
	}
	b := &book{version: version}
	if err := json.Unmarshal(data, b); err != nil {
		return nil, fmt.Errorf("the book of orders is damaged: %w", err)
	}
	return b, nil
}

// roll begins a new day and drops what is too old to matter.
func (b *book) roll(day string, now time.Time, window time.Duration) {
	if day < b.Day && b.Day <= market.DateOf(now.Add(24*time.Hour).In(market.NYSE().Location())).String() {
		day = b.Day // a clock that was set back over midnight begins no new day
	}
	if b.Day != day {
		b.Day, b.Sent = day, 0
	}
	b.Recent = slices.DeleteFunc(b.Recent, func(r recent) bool { return now.Sub(r.Time) > window })
	b.Opened = slices.DeleteFunc(b.Opened, func(o baseline) bool { return o.Day != day })
	b.Budgets = slices.DeleteFunc(b.Budgets, func(t budgetTally) bool { return t.Day != day })
}

// find returns the entry of a preview; nil when there is none.
func (b *book) find(preview string) *entry {
	for i := range b.Entries {
		if b.Entries[i].Preview == preview {
			return &b.Entries[i]
		}
	}
	return nil
}

func (b *book) drop(preview string) {
	b.Entries = slices.DeleteFunc(b.Entries, func(e entry) bool { return e.Preview == preview })
}

// forget undoes what a reservation counted, for an order that was certainly not
// sent.
func (b *book) forget(e entry) {
	if e.Counted == b.Day {
		b.Sent -= e.Count
		if tally := b.tally(e.Method); tally != nil {
			tally.Orders -= e.Count
			tally.Notional = tally.Notional.Sub(amountOr(e.Notional))
			tally.Loss = tally.Loss.Sub(amountOr(e.Loss))
		}
	}
	b.unlike(e.Preview)
}

// unlike lets an order like this one be sent again.
func (b *book) unlike(preview string) {
	b.Recent = slices.DeleteFunc(b.Recent, func(r recent) bool { return r.Preview == preview })
}

func amountOr(d *decimal.Decimal) decimal.Decimal {
	if d == nil {
		return decimal.Zero
	}
	return *d
}

func (b *book) tally(method string) *budgetTally {
	for i := range b.Budgets {
		if b.Budgets[i].Method == method && b.Budgets[i].Day == b.Day {
			return &b.Budgets[i]
		}
	}
	return nil
}

// opened returns what the account was worth when the day began here, and takes
// now's value for it when nobody looked before.
func (b *book) opened(account AccountID, now *decimal.Decimal) *decimal.Decimal {
	for _, o := range b.Opened {
		if o.Account == account && o.Day == b.Day {
			return &o.Value
		}
	}
	if now != nil {
		b.Opened = append(b.Opened, baseline{account, b.Day, *now})
	}
	return now
}

// conflicts is how often a change of the book is tried against others.
const conflicts = 200

// change applies f to the book until nobody else changed it meanwhile. F may be
// called several times, each time with the book as it then is; with false nothing
// is stored.
func (g *Guard) change(ctx context.Context, f func(*book) (bool, error)) error {
	for range conflicts {
		b, err := g.readBook(ctx)
		if err != nil {
			return err
		}
		b.roll(g.today(), g.clock.Now(), time.Duration(g.limits.DuplicateWindow))
		store, err := f(b)
		if err != nil || !store {
			return err
		}
		data, err := json.Marshal(b)
		if err != nil {
			return fmt.Errorf("writing the book of orders: %w", err)
		}
		if _, err = g.state.CompareAndSet(ctx, g.key("book"), b.version, data, 0); err == nil {
			return nil
		}
		if !errors.Is(err, ErrStateChanged) {
			return fmt.Errorf("writing the book of orders: %w", err)
		}
	}
	return fmt.Errorf("broker: the book of orders is changed by others all the time: %w", ErrStateChanged)
}

// settle drops the account's orders that can no longer fill, by what the broker
// lists as working, and returns those that may fill and are not listed: what is
// being sent, what has no answer, and what the broker's list does not have yet. An
// order that is not listed is asked for by its own name first: only its own word
// ends it.
func (g *Guard) settle(ctx context.Context, b *book, account AccountID, working []OrderState) ([]OrderState, error) {
	var unlisted []OrderState
	for _, e := range slices.Clone(b.Entries) {
		if e.Account != account {
			continue
		}
		works, others, err := g.works(ctx, e, working)
		switch {
		case err != nil:
			return nil, err
		case e.Stage == entryWorking && !works:
			b.drop(e.Preview)
		default:
			unlisted = append(unlisted, others...)
		}
	}
	return unlisted, nil
}

// works tells whether any order of an entry may still fill, and which of them the
// broker does not list as working.
func (g *Guard) works(ctx context.Context, e entry, working []OrderState) (works bool, unlisted []OrderState, err error) {
	if e.Stage != entryWorking {
		stored, err := g.storedOrders(ctx, e)
		for _, o := range stored {
			if !slices.ContainsFunc(working, func(w OrderState) bool { return w.Order.Tag == o.Order.Tag }) {
				unlisted = append(unlisted, o)
			}
		}
		return true, unlisted, err
	}
	for i, id := range e.Placed {
		if slices.ContainsFunc(working, func(o OrderState) bool { return o.ID == id }) {
			works = true
			continue
		}
		o, err := g.broker.Order(ctx, e.Account, id)
		switch {
		case err == nil && o.Status.CanFill():
			unlisted = append(unlisted, *o)
		case errors.Is(err, ErrUnknownOrder) && g.clock.Now().Sub(e.Time) <= findWindow:
			// What it answered a moment ago it may not be able to read yet.
			stored, err := g.storedOrders(ctx, e)
			if err != nil {
				return false, nil, err
			}
			if works = true; i < len(stored) {
				stored[i].ID = id
				unlisted = append(unlisted, stored[i])
			}
		case err != nil && !errors.Is(err, ErrUnknownOrder):
			return false, nil, fmt.Errorf("reading order %s: %w", id, err)
		}
	}
	return works || len(unlisted) > 0, unlisted, nil
}

// storedOrders are an entry's orders as they were to be sent.
func (g *Guard) storedOrders(ctx context.Context, e entry) ([]OrderState, error) {
	r, err := g.load(ctx, e.Preview)
	if errors.Is(err, ErrUnknownPreview) {
		return nil, nil // older than a month
	}
	if err != nil {
		return nil, err
	}
	m, err := r.message()
	if err != nil {
		return nil, err
	}
	var out []OrderState
	for _, w := range m.Orders {
		o := OrderState{Account: e.Account, Order: w.order(), Status: Received}
		if m.Group == OCO || m.Group == Bracket {
			o.Group = e.Preview
		}
		out = append(out, o)
	}
	return out, nil
}
