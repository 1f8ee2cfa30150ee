package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/tastytrade"
)

// loginSession is a session whose settings are variables and a folder.
func loginSession(t *testing.T, variables map[string]string, config string) (s *session, out, errs *strings.Builder, path string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "config.json")
	if config != "" {
		require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	}
	env := app.Environment{Getenv: func(name string) string { return variables[name] }, ConfigDir: dir, DataDir: filepath.Join(dir, "data")}
	sources, err := env.Sources()
	require.NoError(t, err)
	out, errs = &strings.Builder{}, &strings.Builder{}
	return &session{ctx: t.Context(), sources: sources, std: app.IO{In: strings.NewReader(""), Out: out, Err: errs, Environment: env}}, out, errs, path
}

// broker answers the token call; agree sends the browser back as the page does.
func grantingBroker(t *testing.T, answer string) (oauth tastytrade.OAuthConfig, agree func(page string) error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "authorization_code", r.FormValue("grant_type"))
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	oauth = tastytrade.OAuthConfig{BaseURL: server.URL, AuthorizePage: server.URL + "/auth.html", ClientID: "app", ClientSecret: "client-secret"}
	return oauth, func(page string) error {
		u, err := url.Parse(page)
		if err != nil {
			return err
		}
		go func() {
			back := url.Values{"code": {"code-secret"}, "state": {u.Query().Get("state")}}
			resp, err := http.Get(u.Query().Get("redirect_uri") + "?" + back.Encode())
			if err == nil {
				_ = resp.Body.Close()
			}
		}()
		return nil
	}
}

var quickLogin = loginCommand{Env: "sandbox", Redirect: "http://127.0.0.1:0/callback", Scopes: []string{"read"}, Timeout: time.Minute}

const granted = `{"access_token":"access-secret","refresh_token":"refresh-secret","expires_in":900}`

// configOf reads config.json, which others must not be able to read.
func configOf(t *testing.T, path string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(text, &got))
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	return got
}

// completed is what a program finds that starts with these settings now.
func completed(t *testing.T, s *session, env string) (app.Config, error) {
	t.Helper()
	sources, err := s.std.Environment.Sources()
	require.NoError(t, err)
	return app.Config{Env: env}.Complete(sources)
}

func TestALoginKeepsTheGrantInTheVaultAndProgramsFindItThere(t *testing.T) {
	s, out, errs, path := loginSession(t, nil, `{"env":"sandbox","client_secret":"old-secret","refresh_token":"older-secret","url":"http://127.0.0.1:1","toolsets":["market"]}`)
	require.NoError(t, os.Chmod(path, 0o644))
	oauth, agree := grantingBroker(t, granted)
	require.NoError(t, quickLogin.login(s, oauth, agree))
	assert.Equal(t, map[string]any{"env": "sandbox", "toolsets": []any{"market"}}, configOf(t, path))

	got, err := completed(t, s, "sandbox")
	require.NoError(t, err)
	assert.Equal(t, app.Config{Env: "sandbox", ClientID: "app", ClientSecret: "client-secret", RefreshToken: "refresh-secret", FromVault: true}, got)
	_, err = completed(t, s, "production")
	require.ErrorContains(t, err, "ttai login", "the grant of one environment is none of another")

	// Nothing readable of it lies on the disk, and the next login needs no variables.
	require.NoError(t, filepath.WalkDir(filepath.Dir(path), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		for _, secret := range []string{"client-secret", "refresh-secret", "older-secret"} {
			assert.NotContains(t, string(data), secret, p)
		}
		if info, err := d.Info(); err == nil && info.Size() > 0 && runtime.GOOS != "windows" {
			assert.Zero(t, info.Mode().Perm()&0o077, "%s: %s", p, info.Mode())
		}
		return err
	}))
	kept, err := quickLogin.kept(s)
	require.NoError(t, err)
	assert.Equal(t, "client-secret", kept.Secret)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", kept, kept, kept), "secret")
	for _, printed := range []string{out.String(), errs.String()} {
		assert.NotContains(t, printed, "-secret")
	}
}

func TestVariablesAndTheFileComeBeforeTheVault(t *testing.T) {
	s, _, _, path := loginSession(t, nil, "")
	oauth, agree := grantingBroker(t, granted)
	require.NoError(t, quickLogin.login(s, oauth, agree))
	require.NoError(t, os.WriteFile(path, []byte(`{"env":"sandbox","client_secret":"of the file","refresh_token":"of the file"}`), 0o600))
	got, err := completed(t, s, "sandbox")
	require.NoError(t, err)
	assert.Equal(t, "of the file", got.RefreshToken)
	assert.False(t, got.FromVault)
	require.NoError(t, os.WriteFile(path, []byte(`{"env":"sandbox","client_secret":"of the file"}`), 0o600))
	_, err = completed(t, s, "sandbox")
	require.ErrorContains(t, err, "TTAI_REFRESH_TOKEN", "halves of two grants are no grant")
}

func TestMovingAGrantTakesItOutOfTheFile(t *testing.T) {
	s, out, _, path := loginSession(t, nil, `{"env":"production","client_id":"app","client_secret":"client-secret","refresh_token":"refresh-secret","accounts":["5WX1"]}`)
	require.NoError(t, loginCommand{Move: true}.Run(s))
	assert.Equal(t, map[string]any{"env": "production", "accounts": []any{"5WX1"}}, configOf(t, path))
	got, err := completed(t, s, "production")
	require.NoError(t, err)
	assert.Equal(t, "refresh-secret", got.RefreshToken)
	assert.True(t, got.FromVault)
	assert.NotContains(t, out.String(), "-secret")

	require.ErrorContains(t, loginCommand{Move: true}.Run(s), "no grant")
	for config, says := range map[string]string{
		`{"client_secret":"a","refresh_token":"b"}`:                   "environment is",
		`{"env":"simulator","client_secret":"a","refresh_token":"b"}`: "environment is",
	} {
		s, _, _, path := loginSession(t, nil, config)
		require.ErrorContains(t, loginCommand{Move: true}.Run(s), says)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, config, string(text), "what could not be moved stays")
	}
}

func TestALoginElsewhereMovesTheGrantThatWasInTheFile(t *testing.T) {
	s, out, _, _ := loginSession(t, nil, `{"env":"production","client_secret":"live","refresh_token":"live"}`)
	oauth, agree := grantingBroker(t, granted)
	require.NoError(t, quickLogin.login(s, oauth, agree))
	for env, token := range map[string]string{"sandbox": "refresh-secret", "production": "live"} {
		got, err := completed(t, s, env)
		require.NoError(t, err)
		assert.Equal(t, token, got.RefreshToken)
	}
	assert.Contains(t, out.String(), "moved the grant for production")
}

func TestALoginWithoutAVaultWritesAndAsksNothing(t *testing.T) {
	s, _, _, path := loginSession(t, nil, "")
	s.std.Environment.DataDir = ""
	asked := false
	oauth, _ := grantingBroker(t, granted)
	err := quickLogin.login(s, oauth, func(string) error { asked = true; return nil })
	require.ErrorContains(t, err, "--into config")
	assert.False(t, asked)
	assert.NoFileExists(t, path)
}

func TestAlpacasKeysLieInTheVault(t *testing.T) {
	s, out, _, path := loginSession(t, map[string]string{"TTAI_ALPACA_KEY_ID": "AKID", "TTAI_ALPACA_SECRET": "alpaca-secret"}, `{"alpaca_secret":"plain"}`)
	require.NoError(t, loginCommand{Alpaca: true, Env: "sandbox"}.Run(s))
	assert.Empty(t, configOf(t, path))
	assert.NotContains(t, out.String(), "alpaca-secret")
	later, _, _, _ := loginSession(t, nil, "")
	later.std.Environment.DataDir, later.std.Environment.ConfigDir = s.std.Environment.DataDir, s.std.Environment.ConfigDir
	sources, err := later.std.Environment.Sources()
	require.NoError(t, err)
	g, found, err := sources.AlpacaGrant(app.StoreFlags{}, "sandbox", storage.Local)
	require.NoError(t, err)
	require.True(t, found)
	assert.Equal(t, "alpaca-secret", g.Secret)
	_, found, err = sources.AlpacaGrant(app.StoreFlags{}, "sandbox", "another")
	require.NoError(t, err)
	assert.False(t, found, "a tenant's keys are its own")
	require.Error(t, loginCommand{Alpaca: true, Env: "sandbox"}.Run(later), "there is nothing to put there")
	require.Error(t, loginCommand{Alpaca: true, Move: true}.Run(s))
}

func TestALoginIntoTheFileWritesTheGrantAndPrintsNoSecret(t *testing.T) {
	s, out, errs, path := loginSession(t, nil, `{"env":"production","accounts":["5WX1"],"url":"http://127.0.0.1:1","toolsets":["market"]}`)
	oauth, agree := grantingBroker(t, granted)
	plain := quickLogin
	plain.Into = "config"
	require.NoError(t, plain.login(s, oauth, agree))
	assert.Equal(t, map[string]any{"env": "sandbox", "client_id": "app", "client_secret": "client-secret", "refresh_token": "refresh-secret", "toolsets": []any{"market"}}, configOf(t, path))
	for _, printed := range []string{out.String(), errs.String()} {
		assert.NotContains(t, printed, "-secret")
	}
	assert.Contains(t, out.String(), "removed accounts")
	assert.Contains(t, out.String(), "removed url")
	assert.Contains(t, errs.String(), "/auth.html?")
}

func TestALoginWithoutARefreshTokenWritesNothing(t *testing.T) {
	s, _, _, path := loginSession(t, nil, "")
	oauth, agree := grantingBroker(t, `{"access_token":"access-secret","expires_in":900}`)
	require.ErrorContains(t, quickLogin.login(s, oauth, agree), "refresh token")
	assert.NoFileExists(t, path)
}

func TestLoginSettingsAreChecked(t *testing.T) {
	full := map[string]string{"TTAI_CLIENT_ID": "app", "TTAI_CLIENT_SECRET": "client-secret"}
	for want, tt := range map[string]struct {
		command   loginCommand
		variables map[string]string
	}{
		"env":                {loginCommand{}, full},
		"TTAI_CLIENT_SECRET": {quickLogin, map[string]string{"TTAI_CLIENT_ID": "app"}},
		"TTAI_CLIENT_ID":     {quickLogin, map[string]string{"TTAI_CLIENT_SECRET": "client-secret"}},
		"scopes":             {loginCommand{Env: "sandbox", Scopes: []string{"everything"}}, full},
		"RedirectURL":        {loginCommand{Env: "sandbox", Redirect: "https://example.com", NoBrowser: true, Timeout: time.Second}, full},
	} {
		s, _, _, _ := loginSession(t, tt.variables, "")
		var field *invalid.FieldError
		err := tt.command.Run(s)
		require.ErrorAs(t, err, &field, want)
		assert.Equal(t, want, field.Field)
		assert.NotContains(t, err.Error(), "client-secret")
	}
	for _, env := range []string{"simulator", "moon"} {
		s, _, _, _ := loginSession(t, full, "")
		require.Error(t, loginCommand{Env: env}.Run(s))
	}
}
