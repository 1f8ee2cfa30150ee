package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// tenantsKey is the section of config.json that says whom the scheduler serves.
const tenantsKey = "tenants"

// A TenantSetting is somebody whom ttai-scheduler serves, with accounts, a grant, data,
// jobs and alerts of their own.
type TenantSetting struct {
	// ID names the tenant in the store; "local" is the owner of the settings, whose
	// credentials and jobs are those of config.json itself.
	ID storage.TenantID `json:"id"`
	// Env is simulator (when empty), sandbox or production.
	Env string `json:"env,omitempty"`
	// Accounts are those that exist for the tenant; none: all that the grant reaches.
	Accounts []string `json:"accounts,omitempty"`
	// Jobs is as the section "jobs" of config.json.
	Jobs json.RawMessage `json:"jobs,omitempty"`
}

// Tenants reads the section; none means the owner alone.
func (s *Sources) Tenants() ([]TenantSetting, error) {
	if len(s.tenants) == 0 {
		return nil, nil
	}
	var all []TenantSetting
	strict := json.NewDecoder(bytes.NewReader(s.tenants))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&all); err != nil {
		return nil, Usage(fmt.Errorf("config.json, tenants: %w", err))
	}
	var wrong []error
	for i, t := range all {
		field := fmt.Sprintf("tenants[%d]", i)
		if err := storage.CheckName(field+".id", string(t.ID)); err != nil {
			wrong = append(wrong, err)
			continue
		}
		if slices.ContainsFunc(all[:i], func(o TenantSetting) bool { return o.ID == t.ID }) {
			wrong = append(wrong, invalid.Field(field+".id", string(t.ID), "each id once"))
		}
		switch broker.Environment(t.Env) {
		case "", broker.Simulator, broker.Sandbox, broker.Production:
		default:
			wrong = append(wrong, invalid.Field(field+".env", t.Env, "simulator, sandbox or production"))
		}
		if t.ID == storage.Local && (t.Env != "" || len(t.Accounts) > 0 || len(t.Jobs) > 0) {
			wrong = append(wrong, invalid.Field(field, string(t.ID), "nothing beside the id: the owner's settings are those of config.json itself"))
		}
		_, err := t.ReadJobs()
		wrong = append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, Usage(err)
	}
	return all, nil
}

// ReadJobs reads the tenant's section of jobs.
func (t TenantSetting) ReadJobs() (Jobs, error) {
	return readJobs(t.Jobs, "config.json, tenant "+string(t.ID))
}

// Complete returns the settings of the tenant's broker. Credentials come from the
// tenant's vault alone: variables and config.json hold the owner's, which are nobody
// else's. On the simulator they may be absent.
func (t TenantSetting) Complete(base Config, where StoreFlags, s *Sources) (Config, error) {
	c := Config{Env: t.Env, Accounts: slices.Clone(t.Accounts), Seed: base.Seed, Clock: base.Clock}
	if c.Env == "" {
		c.Env = string(broker.Simulator)
	}
	simulated := broker.Environment(c.Env) == broker.Simulator
	if simulated {
		c.URL = base.URL
	}
	kept, found, err := s.keptGrant(where, c.Env, Tastytrade, t.ID)
	switch {
	case err != nil:
		return c, fmt.Errorf("tenant %s: %w", t.ID, err)
	case !found && !simulated:
		return c, fmt.Errorf("tenant %s: there is no grant for %s in its vault: 'ttai login --tenant %s --env %s' puts one there", t.ID, c.Env, t.ID, c.Env)
	case found && (!simulated || c.URL != ""): // the embedded simulator makes its own
		c.ClientID, c.ClientSecret, c.RefreshToken, c.FromVault = kept.ID, kept.Secret, kept.Refresh, true
	}
	return c, nil
}
