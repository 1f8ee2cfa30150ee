package main

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/monitor"
)

// alertsUser is whose alerts a chat makes: that of 'ttai alerts' and of
// ttai-scheduler.
const alertsUser = "local"

// alertsOf returns the alerts of a tenant's user; nil without a store, because
// nobody would watch them.
func alertsOf(store *app.Store, tenant storage.TenantID) tools.Alerts {
	if store == nil {
		return nil
	}
	return &lazyAlerts{open: sync.OnceValues(func() (*monitor.Mine, error) {
		t, err := store.For(tenant)
		if err != nil {
			return nil, err
		}
		rules, err := monitor.OpenRules(t)
		if err != nil {
			return nil, err
		}
		return rules.Of(alertsUser)
	})}
}

// lazyAlerts opens the store at the first call: most conversations make none.
type lazyAlerts struct {
	open func() (*monitor.Mine, error)
}

// Add keeps a rule.
func (l *lazyAlerts) Add(ctx context.Context, rule json.RawMessage) (json.RawMessage, error) {
	mine, err := l.open()
	if err != nil {
		return nil, err
	}
	return mine.Add(ctx, rule)
}

// List returns all rules.
func (l *lazyAlerts) List(ctx context.Context) ([]json.RawMessage, error) {
	mine, err := l.open()
	if err != nil {
		return nil, err
	}
	return mine.List(ctx)
}

// Remove ends a rule.
func (l *lazyAlerts) Remove(ctx context.Context, id string) error {
	mine, err := l.open()
	if err != nil {
		return err
	}
	return mine.Remove(ctx, id)
}
