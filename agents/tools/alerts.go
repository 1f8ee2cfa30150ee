package tools

import (
	"context"
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/internal/invalid"
)

// Alerts are one user's alerts, as they are kept for whoever watches them. Rules
// are JSON as docs/monitors.md says; a rule that is not allowed is a *FieldError.
// Implementations are safe for concurrent use and reach no other user's.
type Alerts interface {
	// Add keeps a rule and returns it with its id.
	Add(ctx context.Context, rule json.RawMessage) (json.RawMessage, error)
	// List returns all rules with their ids and what became of them.
	List(ctx context.Context) ([]json.RawMessage, error)
	// Remove ends a rule.
	Remove(ctx context.Context, id string) error
}

type alertsArgs struct {
	Do   string          `json:"do" schema:"enum=list|add|remove"`
	Rule json.RawMessage `json:"rule,omitempty" jsonschema:"to add, an object: kind price (symbol, op above|below|cross|cross_up|cross_down, value), move (percent), trailing (percent or amount), level, indicator, volatility, position, dte, expiry, short_strike, assignment, ex_dividend, buying_power or news (symbols, keywords); if wanted mode repeat, hysteresis, expires, name"`
	ID   string          `json:"id,omitempty" jsonschema:"to remove" schema:"maxLength=64"`
}

// An alertsResult states a short schema of its own: it is read, not computed with.
type alertsResult struct {
	stamp
	Alerts  []json.RawMessage `json:"alerts"`
	Removed string            `json:"removed,omitempty"`
}

// JSONSchema says that it is an object.
func (alertsResult) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "object"} }

// alerts lets a model keep alerts for its user. They trade nothing: who is told
// decides.
func (k *kit) alerts() agents.Tool {
	return tool(k, agents.Spec{
		Name: "alerts", Title: "Alerts", Annotations: agents.Annotations{Destructive: true},
		Description: "List, add or remove the user's alerts on prices, moves, levels, indicators, positions and news, which a scheduler watches.",
	}, func(ctx context.Context, in alertsArgs) (alertsResult, error) {
		out := alertsResult{stamp: k.stamp(), Alerts: []json.RawMessage{}}
		switch in.Do {
		case "add":
			if len(in.Rule) == 0 {
				return out, invalid.Missing("rule", "the rule to add, an object")
			}
			added, err := k.Alerts.Add(ctx, in.Rule)
			if err != nil {
				return out, err
			}
			out.Alerts = append(out.Alerts, added)
			return out, nil
		case "remove":
			if in.ID == "" {
				return out, invalid.Missing("id", "the alert to remove, as list shows it")
			}
			if err := k.Alerts.Remove(ctx, in.ID); err != nil {
				return out, err
			}
			out.Removed = in.ID
			return out, nil
		}
		all, err := k.Alerts.List(ctx)
		if err != nil {
			return out, err
		}
		n := fit(all, rowBudget)
		if out.Alerts = append(out.Alerts, all[:n]...); n < len(all) {
			out.omit("%d of %d alerts: they did not fit", len(all)-n, len(all))
		}
		return out, nil
	})
}
