package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// chosen is the tenant that a flag names; nil is the owner, whom no name means.
func chosen(members []app.TenantSetting, name string) (*app.TenantSetting, error) {
	if name == "" || name == string(storage.Local) {
		return nil, nil
	}
	ids := []string{string(storage.Local)}
	for i := range members {
		if string(members[i].ID) == name {
			return &members[i], nil
		}
		ids = append(ids, string(members[i].ID))
	}
	return nil, app.Usage(invalid.Fieldf("tenant", name, "one of %v", ids))
}

// A tenantHouse is the scheduler of one tenant. It shares nothing with the others but
// the process: each has a connection to the broker of its own, its own part of the
// store, its own workflow engine, rules and channels.
type tenantHouse struct {
	id    storage.TenantID
	house *house
	err   error // why it does not serve
}

// serveTenants serves several tenants until ctx ends. One that cannot be opened, or
// that fails later, does not hold the others; when none can be opened that is an error.
// Settings that are wrong stop all.
func serveTenants(ctx context.Context, members []app.TenantSetting, cli flags, sources *app.Sources, std app.IO, started time.Time) error {
	logger := newLogger(cli, std.Err)
	all := make([]*tenantHouse, len(members))
	defer func() {
		for _, t := range slices.Backward(all) {
			if t != nil && t.house != nil {
				t.house.close()
			}
		}
	}()
	serving := 0
	for i := range members {
		t := &tenantHouse{id: members[i].ID}
		all[i] = t
		member := &members[i]
		if t.id == storage.Local {
			member = nil
		}
		if t.house, t.err = openFor(ctx, member, cli, sources, std, started); t.err == nil {
			t.err = t.house.configure(ctx)
		}
		if app.IsUsage(t.err) || ctx.Err() != nil {
			return errors.Join(t.err, ctx.Err())
		}
		if t.err != nil {
			logger.Error("a tenant is not served", "tenant", string(t.id), "error", t.err)
			continue
		}
		serving++
	}
	if serving == 0 {
		return fmt.Errorf("none of %d tenants can be served: %w", len(all), all[0].err)
	}
	addr, endHealth, err := serveHealth(ctx, cli, logger, readyOf(all), metricsOf(all), metricsOf(all))
	if err != nil {
		return err
	}
	defer endHealth()
	var working sync.WaitGroup
	failed := make([]error, len(all))
	for i, t := range all {
		if t.err != nil {
			continue
		}
		t.house.greet(ctx, addr)
		working.Go(func() {
			if err := t.house.work(ctx); err != nil {
				failed[i] = fmt.Errorf("tenant %s: %w", t.id, err)
				logger.Error("a tenant is served no more", "tenant", string(t.id), "error", err)
			}
		})
	}
	working.Wait()
	return errors.Join(failed...)
}

// readyOf tells whether every tenant that could be opened is served.
func readyOf(all []*tenantHouse) func(context.Context) error {
	return func(ctx context.Context) error {
		var failed []error
		for _, t := range all {
			if t.err != nil {
				continue // said at the start; a restart would not help the others
			}
			if err := t.house.ready(ctx); err != nil {
				failed = append(failed, fmt.Errorf("tenant %s: %w", t.id, err))
			}
		}
		return errors.Join(failed...)
	}
}

// metricsOf serves each tenant's metrics at /metrics/ID, and at /metrics which there
// are.
func metricsOf(all []*tenantHouse) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("tenant")
		if name == "" {
			fmt.Fprintln(w, "# HELP ttai_tenant_served 1 when a tenant is served; its own metrics are at /metrics/ID.\n# TYPE ttai_tenant_served gauge")
		}
		for _, t := range all {
			switch served := t.err == nil; {
			case name == "":
				fmt.Fprintf(w, "ttai_tenant_served{tenant=%q} %d\n", t.id, map[bool]int{true: 1}[served])
			case name == string(t.id) && served:
				t.house.metrics.ServeHTTP(w, r)
				return
			}
		}
		if name != "" {
			http.NotFound(w, r)
		}
	})
}
