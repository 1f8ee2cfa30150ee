package monitor

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// Topic is the storage.PubSub topic on which a change of a tenant's rules is told.
const Topic = "alerts"

// Rules are a tenant's rules as they are kept in its store. Whoever adds one there,
// in whatever process, has it watched by the [Engine] of that tenant. Safe for
// concurrent use.
type Rules struct {
	alerts  *storage.Collection[storage.Alert]
	states  *storage.Collection[savedState]
	firings *storage.Collection[record]
	records storage.Records
	kv      storage.KV
	pubsub  storage.PubSub // nil: the engine looks by itself
}

// A Stored rule is one with what became of it.
type Stored struct {
	ID      string    `json:"id"`
	User    string    `json:"user"`
	Rule    Rule      `json:"rule"`
	Active  bool      `json:"active"`
	Created time.Time `json:"created"`
	State   State     `json:"state"`
}

// savedState is a rule's state in the store.
type savedState struct {
	ID    string `json:"id"`
	State State  `json:"state"`
}

// A record is a firing in the store: first "pending", and "sent" once the
// notification was handed over. Its id names the firing, so that only one of
// several engines can write it.
type record struct {
	ID     string    `json:"id"`
	Rule   string    `json:"rule"`
	Status string    `json:"status"`
	Time   time.Time `json:"time"`
	Notice Notice    `json:"notice"`
}

// The states of a record.
const (
	pending = "pending"
	sent    = "sent"
)

// OpenRules returns the rules of a tenant.
func OpenRules(tenant storage.Tenant) (*Rules, error) {
	repositories, err := storage.Open(tenant)
	if err != nil {
		return nil, err
	}
	kv, err := tenant.KV("monitor")
	if err != nil {
		return nil, err
	}
	r := &Rules{alerts: repositories.Alerts, records: repositories.Records, kv: kv}
	r.pubsub, err = tenant.PubSub()
	if err != nil && !errors.Is(err, storage.ErrUnsupported) {
		return nil, err
	}
	r.states = storage.NewCollection(r.records, storage.Kind[savedState]{Collection: "alert-states", ID: func(s *savedState) string { return s.ID }})
	r.firings = storage.NewCollection(r.records, storage.Kind[record]{
		Collection: "alert-firings", ID: func(f *record) string { return f.ID },
		Fields: func(f *record) []storage.Field {
			return []storage.Field{storage.Text("rule", f.Rule), storage.Text("status", f.Status), storage.Time("time", f.Time)}
		},
	})
	return r, nil
}

// Add keeps a new rule of a user and returns it with its id.
func (r *Rules) Add(ctx context.Context, user string, rule Rule) (Stored, error) {
	return r.AddAs(ctx, strings.ToLower(rand.Text()[:10]), user, rule)
}

// AddAs is Add under an id of the caller's, so that what is done again after a crash
// adds nothing twice: storage.ErrConflict when there is a rule of that id.
func (r *Rules) AddAs(ctx context.Context, id, user string, rule Rule) (Stored, error) {
	if err := storage.CheckText("user", user, 128); err != nil {
		return Stored{}, err
	}
	rule, err := rule.Validated()
	if err != nil {
		return Stored{}, err
	}
	data, err := json.Marshal(rule)
	if err != nil {
		return Stored{}, fmt.Errorf("monitor: %w", err)
	}
	symbol := rule.Symbol
	if symbol == "" && len(rule.Symbols) > 0 {
		symbol = rule.Symbols[0]
	}
	a := storage.Alert{ID: id, User: user, Symbol: string(symbol), Rule: data, Active: true}
	if _, err := r.alerts.Create(ctx, a); err != nil {
		return Stored{}, fmt.Errorf("monitor: keeping a rule: %w", err)
	}
	if err := r.changed(ctx); err != nil {
		return Stored{}, err
	}
	return r.Get(ctx, a.ID)
}

// Get returns a rule, or storage.ErrNotFound.
func (r *Rules) Get(ctx context.Context, id string) (Stored, error) {
	a, err := r.alerts.Get(ctx, id)
	if err != nil {
		return Stored{}, fmt.Errorf("monitor: rule %q: %w", id, err)
	}
	return r.read(ctx, a)
}

func (r *Rules) read(ctx context.Context, a storage.Stored[storage.Alert]) (Stored, error) {
	s := Stored{ID: a.Value.ID, User: a.Value.User, Active: a.Value.Active, Created: a.Created}
	rule, err := ParseRule(a.Value.Rule)
	if err != nil {
		return s, fmt.Errorf("monitor: rule %q: %w", s.ID, err)
	}
	s.Rule = rule
	switch state, err := r.states.Get(ctx, s.ID); {
	case err == nil:
		s.State = state.Value.State
	case !errors.Is(err, storage.ErrNotFound):
		return s, err
	}
	s.State.latest(a.Value)
	return s, nil
}

// latest fills in when the rule fired: what is saved of a rule between firings does
// not have it.
func (s *State) latest(a storage.Alert) {
	if s.Fired.IsZero() && a.Triggered != nil {
		s.Fired = *a.Triggered
	}
}

// List returns the rules of a user, or of all users when user is empty, by id. A
// rule that cannot be read is in the error, which joins all of them, and the
// others are returned.
func (r *Rules) List(ctx context.Context, user string) ([]Stored, error) {
	q := storage.RecordQuery{Limit: 1000}
	if user != "" {
		q.Where = []storage.Field{storage.Text("user", user)}
	}
	return r.list(ctx, q)
}

func (r *Rules) list(ctx context.Context, q storage.RecordQuery) ([]Stored, error) {
	states := map[string]State{}
	for s, err := range r.states.All(ctx, storage.RecordQuery{Limit: 1000}) {
		if err != nil {
			return nil, err
		}
		states[s.Value.ID] = s.Value.State
	}
	var out []Stored
	var unread []error
	for a, err := range r.alerts.All(ctx, q) {
		if err != nil {
			return nil, err
		}
		rule, err := ParseRule(a.Value.Rule)
		if err != nil {
			unread = append(unread, fmt.Errorf("monitor: rule %q: %w", a.Value.ID, err))
			continue
		}
		state := states[a.Value.ID]
		state.latest(a.Value)
		out = append(out, Stored{ID: a.Value.ID, User: a.Value.User, Rule: rule, Active: a.Value.Active, Created: a.Created, State: state})
	}
	return out, errors.Join(unread...)
}

// Remove ends a rule. Storage.ErrNotFound: there is none.
func (r *Rules) Remove(ctx context.Context, id string) error {
	a, err := r.alerts.Get(ctx, id)
	if err != nil {
		return fmt.Errorf("monitor: rule %q: %w", id, err)
	}
	if err := errors.Join(r.alerts.Delete(ctx, a.Value.ID), r.states.Delete(ctx, a.Value.ID)); err != nil {
		return fmt.Errorf("monitor: removing rule %q: %w", id, err)
	}
	return r.changed(ctx)
}

// changed tells engines that the rules are others now.
func (r *Rules) changed(ctx context.Context) error {
	if err := r.kv.Put(ctx, "revision", []byte(rand.Text()), 0); err != nil {
		return fmt.Errorf("monitor: telling of a change: %w", err)
	}
	if r.pubsub != nil {
		_ = r.pubsub.Publish(ctx, Topic, nil) // engines look at the revision too
	}
	return nil
}

// revision changes whenever the rules do.
func (r *Rules) revision(ctx context.Context) (string, error) {
	v, err := r.kv.Get(ctx, "revision")
	if errors.Is(err, storage.ErrNotFound) {
		return "", nil
	}
	return string(v.Data), err
}

// A Fired is one firing as it is kept.
type Fired struct {
	Rule   string    `json:"rule"`
	Time   time.Time `json:"time"`
	Sent   bool      `json:"sent"` // the notification was handed over
	Notice Notice    `json:"notice"`
}

// Fired returns the newest firings, at most n (1 to 1000), the newest first. They
// are kept for 30 days.
func (r *Rules) Fired(ctx context.Context, n int) ([]Fired, error) {
	page, _, err := r.firings.List(ctx, storage.RecordQuery{Order: "time", Kind: storage.NumberField, Desc: true, Limit: n})
	if err != nil {
		return nil, err
	}
	out := make([]Fired, len(page))
	for i, p := range page {
		out[i] = Fired{p.Value.Rule, p.Value.Time, p.Value.Status == sent, p.Value.Notice}
	}
	return out, nil
}

// savedMarks reads the marks; the zero value when there are none.
func (r *Rules) savedMarks(ctx context.Context) (Marks, error) {
	var m Marks
	v, err := r.kv.Get(ctx, "marks")
	if errors.Is(err, storage.ErrNotFound) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(v.Data, &m); err != nil {
		return m, fmt.Errorf("monitor: marks: %w (%w)", storage.ErrCorrupt, err)
	}
	switch v, err := r.kv.Get(ctx, "stories"); {
	case err == nil:
		for b := v.Data; len(b) >= 8; b = b[8:] {
			m.Stories = append(m.Stories, binary.LittleEndian.Uint64(b))
		}
	case !errors.Is(err, storage.ErrNotFound):
		return m, err
	}
	return m, nil
}

func (r *Rules) saveMarks(ctx context.Context, m Marks) error {
	if len(m.Stories) > 0 { // they change seldom, and are many
		stories := make([]byte, 0, 8*len(m.Stories))
		for _, h := range m.Stories {
			stories = binary.LittleEndian.AppendUint64(stories, h)
		}
		if err := r.kv.Put(ctx, "stories", stories, 0); err != nil {
			return err
		}
		m.Stories = nil
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return r.kv.Put(ctx, "marks", data, 0)
}
