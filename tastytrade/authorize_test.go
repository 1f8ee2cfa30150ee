package tastytrade_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/ttai-go/ttai/internal/rest/resttest"
	"github.com/ttai-go/ttai/tastytrade"
)

// grantServer gives a grant for the code "code-secret".
func grantServer() *recorder {
	return &recorder{answer: func(w http.ResponseWriter, r *http.Request) {
		if r.PostForm.Get("code") != "code-secret" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":"invalid_grant","error_description":"bad code %s for client-secret"}`, r.PostForm.Get("code"))
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"access-1","refresh_token":"refresh-1","token_type":"Bearer","expires_in":900,"id_token":"id-1"}`)
	}}
}

func application(t testing.TB, server http.Handler) tastytrade.OAuthConfig {
	return tastytrade.OAuthConfig{
		BaseURL: "http://memory", AuthorizePage: "http://memory/auth.html", ClientID: "id", ClientSecret: "client-secret", Dial: resttest.Serve(t, server),
	}
}

// visit plays the browser: the user agrees, and the page sends it back with
// changes to what it should say.
func visit(t testing.TB, page string, changes ...url.Values) {
	t.Helper()
	u, err := url.Parse(page)
	require.NoError(t, err)
	sent := u.Query()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, change := range changes {
		q := url.Values{"code": {"code-secret"}, "state": {sent.Get("state")}}
		for key, values := range change {
			q[key] = values
		}
		resp, err := client.Get(sent.Get("redirect_uri") + "?" + q.Encode())
		require.NoError(t, err)
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		assert.NotContains(t, string(body), "code-secret")
		assert.NotContains(t, string(body), "<script")
	}
}

func TestALoginTradesTheRedirectForAGrant(t *testing.T) {
	server := grantServer()
	var page string
	token, err := tastytrade.Login(t.Context(), application(t, server), tastytrade.LoginOptions{
		RedirectURL: "http://127.0.0.1:0/callback", Scopes: []tastytrade.Scope{tastytrade.ScopeRead, tastytrade.ScopeTrade},
		Open: func(p string) error {
			page = p
			go visit(t, p,
				url.Values{"state": {"another"}}, url.Values{"state": nil}, // not ours: ignored
				nil)
			return nil
		},
	})
	require.NoError(t, err)
	assert.Equal(t, "access-1", token.AccessToken)
	assert.Equal(t, "refresh-1", token.RefreshToken)
	assert.Equal(t, "id-1", token.Extra("id_token"))

	u, err := url.Parse(page)
	require.NoError(t, err)
	q := u.Query()
	assert.Equal(t, "/auth.html", u.Path)
	assert.Equal(t, "code", q.Get("response_type"))
	assert.Equal(t, "read trade", q.Get("scope"))
	assert.GreaterOrEqual(t, len(q.Get("state")), 26, "128 random bits")
	assert.Equal(t, "", q.Get("client_secret"), "the secret stays here")
	require.Equal(t, 1, server.count())
	assert.Empty(t, server.last().Header.Get("Authorization"))
	assert.Equal(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {"code-secret"}, "client_id": {"id"}, "client_secret": {"client-secret"}, "redirect_uri": {q.Get("redirect_uri")},
	}, server.forms[0])
}

func TestALoginThatIsRefusedSaysSo(t *testing.T) {
	for _, tt := range []struct {
		change url.Values
		want   string
	}{
		{url.Values{"code": nil, "error": {"access_denied"}, "error_description": {"the user said <script>no"}}, "access_denied"},
		{url.Values{"code": nil}, "without a code"},
		{url.Values{"code": {"wrong-secret-code"}}, "invalid_grant"},
	} {
		_, err := tastytrade.Login(t.Context(), application(t, grantServer()), tastytrade.LoginOptions{
			RedirectURL: "http://127.0.0.1:0", Open: func(p string) error { go visit(t, p, tt.change); return nil },
		})
		require.ErrorContains(t, err, tt.want)
		assert.NotContains(t, err.Error(), "client-secret")
		assert.NotContains(t, err.Error(), "wrong-secret-code")
	}
}

func TestALoginWaitsNoLongerThanItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := tastytrade.Login(ctx, application(t, grantServer()), tastytrade.LoginOptions{
		RedirectURL: "http://127.0.0.1:0", Open: func(string) error { cancel(); return nil },
	})
	require.ErrorIs(t, err, context.Canceled)
	_, err = tastytrade.Login(t.Context(), application(t, grantServer()), tastytrade.LoginOptions{
		RedirectURL: "http://127.0.0.1:0", Open: func(string) error { return io.ErrClosedPipe },
	})
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestALoginThatCannotWorkIsRefusedAtOnce(t *testing.T) {
	open := func(string) error { t.Error("a page was opened"); return nil }
	for _, redirect := range []string{"", "http://example.com:80/", "https://127.0.0.1:80/", "http://127.0.0.1/", "http://127.0.0.1:80/?x=1", "http://user@127.0.0.1:80/"} {
		var field *tastytrade.FieldError
		_, err := tastytrade.Login(t.Context(), application(t, grantServer()), tastytrade.LoginOptions{RedirectURL: redirect, Open: open})
		require.ErrorAs(t, err, &field, "%q", redirect)
		assert.Equal(t, "RedirectURL", field.Field)
	}
	for _, change := range []func(*tastytrade.OAuthConfig){
		func(c *tastytrade.OAuthConfig) { c.ClientID = "" }, func(c *tastytrade.OAuthConfig) { c.ClientSecret = "" }, func(c *tastytrade.OAuthConfig) { c.AuthorizePage = "" },
	} {
		cfg := application(t, grantServer())
		change(&cfg)
		_, err := tastytrade.Login(t.Context(), cfg, tastytrade.LoginOptions{RedirectURL: "http://127.0.0.1:0", Open: open})
		require.Error(t, err)
	}
}

func TestThePageIsThatOfTheEnvironment(t *testing.T) {
	for base, want := range map[string]string{
		"": tastytrade.ProductionAuthorizePage, tastytrade.Production: tastytrade.ProductionAuthorizePage, "https://api.tastytrade.com": tastytrade.ProductionAuthorizePage,
		tastytrade.Sandbox: tastytrade.SandboxAuthorizePage,
	} {
		page, err := tastytrade.OAuthConfig{BaseURL: base, ClientID: "id"}.AuthorizeURL("http://127.0.0.1:1/", "state")
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(page, want+"?"), page)
	}
}

func TestAGrantOfTheOtherEnvironmentIsExplained(t *testing.T) {
	for base, want := range map[string]string{tastytrade.Production: "sandbox are unknown to it", tastytrade.Sandbox: "production are unknown to it"} {
		cfg := tastytrade.OAuthConfig{
			BaseURL: base, ClientSecret: "client-secret", RefreshToken: "refresh-secret",
			HTTPClient: &http.Client{Transport: direct{answering(400, `{"error":"invalid_grant"}`)}},
		}
		tokens, err := tastytrade.RefreshTokenSource(cfg)
		require.NoError(t, err)
		_, err = tokens.Token(t.Context())
		require.ErrorIs(t, err, tastytrade.ErrUnauthorized)
		assert.ErrorContains(t, err, want)
	}
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{BaseURL: tastytrade.Sandbox, ClientSecret: "s", RefreshToken: "r"})
	require.NoError(t, err)
	var field *tastytrade.FieldError
	_, err = tastytrade.NewClient(tokens, nil)
	require.ErrorAs(t, err, &field, "tokens of the sandbox, and production's address")
	assert.Equal(t, "BaseURL", field.Field)
}

func TestATokenAtHandIsUsedUntilItEnds(t *testing.T) {
	now := time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)
	server := tokenServer()
	var kept []*oauth2.Token
	s := source(t, server, func(c *tastytrade.OAuthConfig) {
		c.Now = func() time.Time { return now }
		c.Token = &oauth2.Token{AccessToken: "stored", Expiry: now.Add(10 * time.Minute)}
		c.Refreshed = func(t *oauth2.Token) { kept = append(kept, t) }
	})
	token, err := s.Token(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "stored", token.AccessToken)
	assert.Empty(t, kept)
	now = now.Add(9 * time.Minute)
	token, err = s.Token(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "access-1", token.AccessToken)
	require.Len(t, kept, 1)
	assert.Equal(t, "access-1", kept[0].AccessToken)
	assert.Equal(t, now.Add(15*time.Minute), kept[0].Expiry)
}
