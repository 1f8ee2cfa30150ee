package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/tastytrade"
)

type loginCommand struct {
	Env       string        `help:"Environment: sandbox or production." placeholder:"NAME"`
	Redirect  string        `help:"Redirect URL on this machine, as the OAuth application has registered it." default:"http://127.0.0.1:8717/callback" placeholder:"URL"`
	Scopes    []string      `help:"What to ask for: read, trade, openid." default:"read" placeholder:"NAME,…"`
	NoBrowser bool          `help:"Only print the page's address; open no browser."`
	Timeout   time.Duration `help:"How long to wait for you at the page." default:"5m"`
	Into      string        `help:"Where the grant is kept: vault, encrypted, or config, as plain text in config.json." enum:"vault,config" default:"vault"`
	Move      bool          `help:"Ask for no grant: move the one that config.json holds into the vault."`
	Tenant    string        `help:"Whose grant it is: one of the tenants that ttai-scheduler serves; config.json is left as it is." default:"local" placeholder:"ID"`
	Alpaca    bool          `help:"Ask for no grant: put the key pair of TTAI_ALPACA_KEY_ID and TTAI_ALPACA_SECRET into the vault."`
}

// Help is shown below the flags.
func (loginCommand) Help() string {
	return `Examples:
  TTAI_CLIENT_ID=… TTAI_CLIENT_SECRET=… ttai login --env sandbox
  ttai login --env production --scopes read,trade --no-browser

  ttai login --move
  TTAI_ALPACA_KEY_ID=… TTAI_ALPACA_SECRET=… ttai login --alpaca --env production

It opens tastytrade's page, where you grant your OAuth application access, waits for the page to come back to this
machine, and puts the grant into the vault of the environment's store, encrypted with the key that docs/storage.md
speaks of; config.json then names the environment only. The client id and secret come from the two variables, from
config.json, or from the vault. What variables or config.json hold is used before the vault. A grant that config.json
holds is moved into the vault as well; --move does only that. --into config keeps it as plain text, mode 0600.
Nothing secret is printed. A grant that "Create Grant" gave you needs no login: run 'ttai init', then 'ttai login --move'.
Exit code: 0 written, 1 the login failed, 2 the settings are wrong.`
}

// Run gets a grant and writes it.
func (c loginCommand) Run(s *session) error {
	switch {
	case c.tenant() != storage.Local && (c.Move || c.Into == intoConfig):
		return invalid.Field("tenant", c.Tenant, "no --move and no --into config: a tenant's grant lies in the tenant's vault")
	case c.Move && c.Alpaca:
		return invalid.Field("move", true, "--move or --alpaca, not both")
	case c.Move:
		return c.move(s)
	case c.Alpaca:
		return c.alpaca(s)
	}
	oauth := tastytrade.OAuthConfig{
		UserAgent: "ttai/" + app.Version(),
		ClientID:  s.sources.Lookup("client-id"), ClientSecret: s.sources.Lookup("client-secret"),
	}
	switch broker.Environment(c.Env) {
	case broker.Sandbox:
		oauth.BaseURL = tastytrade.Sandbox
	case broker.Production:
		oauth.BaseURL = tastytrade.Production
	case broker.Simulator:
		return invalid.Field("env", c.Env, "sandbox or production: the simulator needs no login")
	case "":
		return invalid.Missing("env", "--env or TTAI_ENV with sandbox or production (your account)")
	default:
		return invalid.Field("env", c.Env, "sandbox or production")
	}
	if oauth.ClientID == "" || oauth.ClientSecret == "" {
		// A login before has put them there; when the vault cannot be asked, what is missing is said.
		if kept, err := c.kept(s); err == nil {
			oauth.ClientID, oauth.ClientSecret = kept.ID, kept.Secret
		}
	}
	open := openBrowser
	if c.NoBrowser {
		open = func(string) error { return errNoBrowser }
	}
	return c.login(s, oauth, open)
}

var errNoBrowser = errors.New("no browser is opened")

// login runs the grant with a way to open pages.
func (c loginCommand) login(s *session, oauth tastytrade.OAuthConfig, open func(page string) error) error {
	for flag, value := range map[string]string{"client-id": oauth.ClientID, "client-secret": oauth.ClientSecret} {
		if value == "" {
			setting, _ := app.SettingOf(flag)
			return invalid.Missing(setting.Variable, "a variable, or "+setting.Key+" in config.json, with the OAuth application's value")
		}
	}
	config, err := readConfigFile(s.std.Environment) // before anything is asked of the user
	if err != nil {
		return err
	}
	var store *app.Store
	if c.Into != intoConfig {
		if store, err = c.store(s, c.Env); err != nil {
			return err
		}
		defer store.Close()
	}
	scopes := make([]tastytrade.Scope, len(c.Scopes))
	for i, scope := range c.Scopes {
		switch scopes[i] = tastytrade.Scope(scope); scopes[i] {
		case tastytrade.ScopeRead, tastytrade.ScopeTrade, tastytrade.ScopeOpenID:
		default:
			return invalid.Field("scopes", scope, "read, trade or openid")
		}
	}
	ctx, cancel := context.WithTimeout(s.ctx, c.Timeout)
	defer cancel()
	token, err := tastytrade.Login(ctx, oauth, tastytrade.LoginOptions{
		RedirectURL: c.Redirect, Scopes: scopes,
		Open: func(page string) error {
			fmt.Fprintf(s.std.Err, "Grant access on this page, within %s:\n\n  %s\n\n", c.Timeout, page)
			if err := open(page); err != nil && !errors.Is(err, errNoBrowser) {
				fmt.Fprintf(s.std.Err, "No browser could be opened (%v): visit the page by hand, on this machine.\n", err)
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	if token.RefreshToken == "" {
		return errors.New("the grant came without a refresh token, so nothing was written: make one with \"Create Grant\" and run 'ttai init'")
	}
	grant := app.Grant{ID: oauth.ClientID, Secret: oauth.ClientSecret, Refresh: token.RefreshToken}
	var notes []string
	if store != nil {
		if c.tenant() != storage.Local {
			err := store.SaveGrant(s.ctx, c.tenant(), app.Tastytrade, grant)
			if err == nil {
				fmt.Fprintf(s.std.Out, "the grant lies in the vault of tenant %s, encrypted.\n", c.tenant())
			}
			return err
		}
		moved, err := c.empty(s, config, c.Env)
		if err != nil {
			return err
		}
		if err := store.SaveGrant(s.ctx, storage.Local, app.Tastytrade, grant); err != nil {
			return err
		}
		notes = append(moved, "the grant lies in the vault, encrypted.")
	}
	notes = append(notes, config.applyEnvironment(c.Env)...)
	if store == nil {
		config.values.set("client_id", grant.ID)
		config.values.set("client_secret", grant.Secret)
		config.values.set("refresh_token", grant.Refresh)
	}
	return c.finish(s, config, notes)
}

// finish writes config.json, for its owner's eyes only, and says what was done.
func (c loginCommand) finish(s *session, config *configFile, notes []string) error {
	plan := config.planned()
	changed, err := plan.write()
	if err != nil {
		return err
	}
	if changed {
		fmt.Fprintf(s.std.Out, "wrote %s (%s)\n", plan.path, plan.mode)
	} else {
		fmt.Fprintf(s.std.Out, "%s needs no change\n", plan.path)
	}
	for _, note := range notes {
		fmt.Fprintln(s.std.Out, note)
	}
	fmt.Fprintln(s.std.Out, "\nNext:\n  ttai doctor            checks it step by step")
	return nil
}

// applyEnvironment names the environment and returns what the user should know about
// it.
func (c *configFile) applyEnvironment(env string) (notes []string) {
	if was := c.text("env"); was != env && c.values.get("accounts") != nil {
		c.values.remove("accounts")
		notes = append(notes, "removed accounts from config.json: they were those of another environment.")
	}
	if c.values.get("url") != nil {
		c.values.remove("url")
		notes = append(notes, "removed url from config.json: credentials go to tastytrade's own hosts only.")
	}
	c.values.set("env", env)
	return notes
}

// openBrowser shows a page in the user's browser.
func openBrowser(page string) error {
	var cmd *exec.Cmd
	switch runtime.GOOS {
	case "darwin":
		cmd = exec.Command("open", page)
	case "windows":
		cmd = exec.Command("rundll32", "url.dll,FileProtocolHandler", page)
	default:
		cmd = exec.Command("xdg-open", page)
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release() // the opener ends by itself; this process does not wait for it
}
