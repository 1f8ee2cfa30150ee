package main

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// intoConfig keeps a grant as plain text.
const intoConfig = "config"

// tenant is whose grant it is.
func (c loginCommand) tenant() storage.TenantID {
	return storage.TenantID(cmp.Or(c.Tenant, string(storage.Local)))
}

// store opens the store of an environment and makes sure that a vault can be kept in
// it, before anything is asked of the user.
func (c loginCommand) store(s *session, env string) (*app.Store, error) {
	store, err := app.StoreFlags{}.OpenStore(env, s.sources, s.std)
	if err != nil {
		return nil, fmt.Errorf("there is no place for a vault; --into config keeps the grant in config.json: %w", err)
	}
	_, err = store.Vault(c.tenant())
	if err == nil {
		err = store.Ready(s.ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the vault cannot be opened; --into config keeps the grant in config.json: %w", err), store.Close())
	}
	return store, nil
}

// kept is the grant of a login before, from the vault.
func (c loginCommand) kept(s *session) (app.Grant, error) {
	store, err := app.StoreFlags{}.OpenStore(c.Env, s.sources, s.std)
	if err != nil {
		return app.Grant{}, err
	}
	g, err := store.Grant(s.ctx, storage.Local, app.Tastytrade)
	return g, errors.Join(err, store.Close())
}

// empty takes the grant out of config.json. One of another environment than that for
// which there will be a new one (none: "") is moved into that environment's vault: it is still
// good.
func (c loginCommand) empty(s *session, config *configFile, renewed string) (notes []string, err error) {
	was, g := config.text("env"), app.Grant{ID: config.text("client_id"), Secret: config.text("client_secret"), Refresh: config.text("refresh_token")}
	if g.Secret != "" && g.Refresh != "" && (renewed == "" || was != renewed) {
		switch broker.Environment(was) {
		case broker.Sandbox, broker.Production:
		default:
			return nil, fmt.Errorf("config.json holds a grant and its environment is %q: name sandbox or production there, or remove the grant", was)
		}
		store, err := c.store(s, was)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(store.SaveGrant(s.ctx, storage.Local, app.Tastytrade, g), store.Close()); err != nil {
			return nil, err
		}
		notes = append(notes, fmt.Sprintf("moved the grant for %s from config.json into its vault.", was))
	}
	for _, key := range []string{"client_id", "client_secret", "refresh_token"} {
		config.values.remove(key)
	}
	return notes, nil
}

// move puts the grant of config.json into the vault.
func (c loginCommand) move(s *session) error {
	if c.Into == intoConfig {
		return invalid.Field("into", c.Into, "vault with --move")
	}
	config, err := readConfigFile(s.std.Environment)
	if err != nil {
		return err
	}
	if config.text("client_secret") == "" || config.text("refresh_token") == "" {
		return errors.New("config.json holds no grant: nothing is to be moved")
	}
	notes, err := c.empty(s, config, "")
	if err != nil {
		return err
	}
	return c.finish(s, config, notes)
}

// alpaca puts a key pair of Alpaca's into the vault of the environment's store.
func (c loginCommand) alpaca(s *session) error {
	g := app.Grant{ID: s.sources.Lookup("alpaca-key-id"), Secret: s.sources.Lookup("alpaca-secret")}
	if g.ID == "" || g.Secret == "" {
		return invalid.Missing("TTAI_ALPACA_KEY_ID", "the id of a key of Alpaca's, with TTAI_ALPACA_SECRET beside it")
	}
	config, err := readConfigFile(s.std.Environment)
	if err != nil {
		return err
	}
	store, err := c.store(s, c.Env)
	if err != nil {
		return err
	}
	if err := errors.Join(store.SaveGrant(s.ctx, c.tenant(), app.Alpaca, g), store.Close()); err != nil {
		return err
	}
	if c.tenant() != storage.Local {
		_, err := fmt.Fprintf(s.std.Out, "the key pair for Alpaca lies in the vault of tenant %s, encrypted.\n", c.tenant())
		return err
	}
	config.values.remove("alpaca_key_id")
	config.values.remove("alpaca_secret")
	return c.finish(s, config, []string{"the key pair for Alpaca lies in the vault, encrypted."})
}
