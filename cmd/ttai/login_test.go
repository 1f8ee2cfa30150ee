package main

import (
	"encoding/json"
	"io"
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
	env := app.Environment{Getenv: func(name string) string { return variables[name] }, ConfigDir: dir}
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

func TestALoginWritesTheGrantAndPrintsNoSecret(t *testing.T) {
	s, out, errs, path := loginSession(t, nil, `{"env":"production","accounts":["5WX1"],"url":"http://127.0.0.1:1","toolsets":["market"]}`)
	oauth, agree := grantingBroker(t, `{"access_token":"access-secret","refresh_token":"refresh-secret","expires_in":900}`)
	require.NoError(t, quickLogin.login(s, oauth, agree))

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(text, &got))
	assert.Equal(t, map[string]any{"env": "sandbox", "client_id": "app", "client_secret": "client-secret", "refresh_token": "refresh-secret", "toolsets": []any{"market"}}, got)
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
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
