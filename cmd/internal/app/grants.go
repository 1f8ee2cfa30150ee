package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/vault"
)

// A Grant is what a broker gave a user: a client's id and secret, and a refresh token
// where there is one. It never prints.
type Grant struct {
	ID      string `json:"id,omitempty"`
	Secret  string `json:"secret"`
	Refresh string `json:"refresh,omitempty"`
}

// String never shows a secret.
func (g Grant) String() string { return "app.Grant(redacted)" }

// GoString never shows a secret.
func (g Grant) GoString() string { return g.String() }

// The brokers whose grants a vault keeps.
const (
	Tastytrade = "tastytrade" // one for each environment
	Alpaca     = "alpaca"
)

// grantRef is where the grant of a broker lies: in the vault of the store whose
// environment it is for.
func (s *Store) grantRef(provider string) vault.Ref {
	ref := vault.Ref{User: "local", Provider: provider, Name: "grant"}
	if provider == Tastytrade {
		ref.Name = s.env + "/grant" // stores of two environments may be one
	}
	return ref
}

// SaveGrant keeps a grant in a tenant's vault, encrypted, in the place of the one
// before it.
func (s *Store) SaveGrant(ctx context.Context, tenant storage.TenantID, provider string, g Grant) error {
	v, err := s.Vault(tenant)
	if err != nil {
		return err
	}
	data, err := json.Marshal(g)
	if err != nil {
		return err
	}
	defer clear(data)
	if err := v.Put(ctx, s.grantRef(provider), vault.NewSecret(data), 0); err != nil {
		return fmt.Errorf("keeping the grant in the vault: %w", err)
	}
	return nil
}

// Grant returns the grant of a broker from a tenant's vault; storage.ErrNotFound when
// there is none. It makes no file.
func (s *Store) Grant(ctx context.Context, tenant storage.TenantID, provider string) (Grant, error) {
	var g Grant
	if e := s.parts["records"]; e.url.kind == "sqlite" && isAbsent(e.url) {
		return g, fmt.Errorf("%w: there is no store yet", storage.ErrNotFound)
	}
	v, err := s.Vault(tenant)
	if err != nil {
		return g, err
	}
	secret, err := v.Get(ctx, s.grantRef(provider))
	if err != nil {
		return g, fmt.Errorf("the grant in the vault: %w", err)
	}
	defer secret.Destroy()
	err = secret.Use(func(data []byte) error {
		if json.Unmarshal(data, &g) != nil || g.Secret == "" {
			return fmt.Errorf("the grant in the vault: %w", storage.ErrCorrupt) // and none of its bytes
		}
		return nil
	})
	return g, err
}

// keptGrant looks into the vault of the store that flags or settings name for what
// neither variables nor config.json hold. Found is false when there is none.
func (s *Sources) keptGrant(where StoreFlags, env, provider string, tenant storage.TenantID) (g Grant, found bool, err error) {
	store, err := where.OpenStore(env, s, IO{Environment: s.environment})
	if errors.Is(err, ErrNoStore) {
		return g, false, nil
	}
	if err != nil {
		return g, false, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTime)
	defer cancel()
	g, err = store.Grant(ctx, tenant, provider)
	err = errors.Join(err, store.Close())
	if errors.Is(err, storage.ErrNotFound) {
		return Grant{}, false, nil
	}
	return g, err == nil, err
}

// AlpacaGrant returns the key pair for Alpaca: of the variables, of config.json, or of
// the tenant's vault. Found is false when there is none.
func (s *Sources) AlpacaGrant(where StoreFlags, env string, tenant storage.TenantID) (g Grant, found bool, err error) {
	if tenant == storage.Local { // variables and settings are the owner's
		g = Grant{ID: s.Lookup("alpaca-key-id"), Secret: s.Lookup("alpaca-secret")}
		if g.ID != "" && g.Secret != "" {
			return g, true, nil
		}
	}
	if env == "" {
		env = string(broker.Simulator)
	}
	return s.keptGrant(where, env, Alpaca, tenant)
}
