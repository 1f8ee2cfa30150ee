package broker

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// pinned are the settings that hold for real money: those of the first program
// that used them, until a person approved others with an approver that was already
// among them. Editing a configuration file changes nothing by itself.
type pinned struct {
	Limits    Limits           `json:"limits"`
	Approvers []pinnedApprover `json:"approvers"`
	version   uint64
}

type pinnedApprover struct {
	Method      string `json:"method"`
	Grade       Grade  `json:"grade"`
	Fingerprint string `json:"fingerprint"`
}

func (g *Guard) settings() pinned {
	p := pinned{Limits: g.limits}
	for _, a := range g.approvers {
		p.Approvers = append(p.Approvers, pinnedApprover{a.Method(), a.Grade(), a.Fingerprint()})
	}
	slices.SortFunc(p.Approvers, func(a, b pinnedApprover) int { return compareStrings(a.Method, b.Method) })
	return p
}

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (p pinned) digest() (Digest, []byte, error) {
	data, err := json.Marshal(p)
	return sha256.Sum256(data), data, err
}

// pins reads the settings that hold; false when there are none yet.
func (g *Guard) pins(ctx context.Context) (pinned, bool, error) {
	data, version, err := g.state.Get(ctx, g.key("settings"))
	if errors.Is(err, ErrNoState) {
		return pinned{}, false, nil
	}
	if err != nil {
		return pinned{}, false, fmt.Errorf("reading the settings that hold: %w", err)
	}
	p := pinned{version: version}
	if err := json.Unmarshal(data, &p); err != nil {
		return pinned{}, false, fmt.Errorf("the settings that hold are damaged: %w", err)
	}
	return p, true, nil
}

// unpinned returns a refusal when the settings are not those that hold. Without
// real money there are no such.
func (g *Guard) unpinned(ctx context.Context) *RefusedError {
	if !g.Environment().Real() {
		return nil
	}
	held, ok, err := g.pins(ctx)
	if err == nil && !ok {
		if err = g.pinFirst(ctx); errors.Is(err, ErrStateChanged) {
			held, ok, err = g.pins(ctx)
		} else if err == nil {
			return nil
		}
	}
	if err != nil {
		return refuse("settings", err.Error(), ErrSettingsChanged)
	}
	mine, _, err := g.settings().digest()
	theirs, _, heldErr := held.digest()
	if err != nil || heldErr != nil || mine != theirs || !ok {
		return refuse("settings", "the settings are not those that hold for real money: restore them, or have the change approved", ErrSettingsChanged)
	}
	return nil
}

func (g *Guard) pinFirst(ctx context.Context) error {
	_, data, err := g.settings().digest()
	if err != nil {
		return err
	}
	if err := g.write(ctx, EntryPinned, Entry{Kind: IntentSettings, Bytes: data}); err != nil {
		return err
	}
	_, err = g.state.CompareAndSet(ctx, g.key("settings"), 0, data, 0)
	return err
}

// PrepareSettings prepares that the guard's present settings hold for real money in
// place of those that held. It is submitted like an order and needs an approval
// of the grade that both ask for, by an approver that was among the settings that
// held and has not changed: a new key is approved with the old one. It is for the
// operator's programs; a [Desk] has no such method.
func (g *Guard) PrepareSettings(ctx context.Context) (*Prepared, error) {
	if refusal := g.closed(ctx, IntentSettings, ModeTrade); refusal != nil {
		return nil, g.refused(ctx, Entry{Kind: IntentSettings}, refusal)
	}
	held, ok, err := g.pins(ctx)
	if err != nil {
		return nil, err
	}
	if !ok || g.unpinned(ctx) == nil {
		return nil, fmt.Errorf("broker: the settings hold already: %w", ErrTooLate)
	}
	_, data, err := g.settings().digest()
	if err != nil {
		return nil, err
	}
	m := &message{Version: 1, Kind: IntentSettings, Environment: g.Environment(), Order: OrderID(fmt.Sprint(held.version)), Subject: string(data)}
	grade, err := held.Limits.Approval.required(g.Environment(), Loss{}, nil)
	if err != nil {
		return nil, err
	}
	return g.store(ctx, m, shown{RiskIncreasing: true, Grade: grade})
}

// pin takes the settings that were approved, if they are this guard's and those
// that held are still the same.
func (g *Guard) pin(ctx context.Context, m *message) error {
	held, _, err := g.pins(ctx)
	if err != nil {
		return err
	}
	_, data, err := g.settings().digest()
	if err != nil {
		return err
	}
	if fmt.Sprint(held.version) != string(m.Order) || string(data) != m.Subject {
		return fmt.Errorf("changing the settings: %w", ErrStateChanged)
	}
	if _, err := g.state.CompareAndSet(ctx, g.key("settings"), held.version, data, 0); err != nil {
		return fmt.Errorf("changing the settings: %w", err)
	}
	return nil
}

// believed are the approvers that may decide about a message: those that reach the
// grade, and about settings only those that were among the settings that held,
// with the grade that those ask for.
func (g *Guard) believed(ctx context.Context, m *message, needed Grade) []Approver {
	if m.Kind != IntentSettings {
		return g.reaching(needed)
	}
	held, ok, err := g.pins(ctx)
	if err != nil || !ok {
		return nil
	}
	asked, err := held.Limits.Approval.required(m.Environment, Loss{}, nil)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(g.reaching(max(needed, asked)), func(a Approver) bool {
		return !slices.Contains(held.Approvers, pinnedApprover{a.Method(), a.Grade(), a.Fingerprint()})
	})
}
