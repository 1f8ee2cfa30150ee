package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ttai-go/ttai/storage"
)

// Mine are the rules of one user, as JSON: what a chat may list, add and remove.
// It is safe for concurrent use.
type Mine struct {
	rules *Rules
	user  string
}

// mostRules is how many rules a chat may keep for a user.
const mostRules = 1000

// Of returns the rules of one user.
func (r *Rules) Of(user string) (*Mine, error) {
	if err := storage.CheckText("user", user, 128); err != nil {
		return nil, err
	}
	return &Mine{rules: r, user: user}, nil
}

// Add keeps a rule and returns it with its id.
func (m *Mine) Add(ctx context.Context, rule json.RawMessage) (json.RawMessage, error) {
	r, err := ParseRule(rule)
	if err != nil {
		return nil, err
	}
	have, err := m.rules.List(ctx, m.user)
	if err != nil && have == nil {
		return nil, err
	}
	active := 0
	for _, s := range have {
		if s.Active {
			active++
		}
	}
	if active >= mostRules {
		return nil, fmt.Errorf("monitor: there are %d active rules: remove some first", active)
	}
	s, err := m.rules.Add(ctx, m.user, r)
	if err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

// List returns the user's rules with their ids and what became of them.
func (m *Mine) List(ctx context.Context) ([]json.RawMessage, error) {
	have, err := m.rules.List(ctx, m.user)
	if err != nil && have == nil {
		return nil, err
	}
	out := make([]json.RawMessage, len(have))
	for i, s := range have {
		if out[i], err = json.Marshal(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Remove ends one of the user's rules; another user's is not found.
func (m *Mine) Remove(ctx context.Context, id string) error {
	a, err := m.rules.alerts.Get(ctx, id)
	if err == nil && a.Value.User != m.user {
		err = storage.ErrNotFound
	}
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("monitor: there is no alert %q: %w", clip(id), storage.ErrNotFound)
	}
	if err != nil {
		return err
	}
	return m.rules.Remove(ctx, id)
}
