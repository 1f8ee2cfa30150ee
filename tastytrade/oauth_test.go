package tastytrade_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/ttai-go/ttai/internal/rest/resttest"
	"github.com/ttai-go/ttai/tastytrade"
)

// tokenServer answers with a new token each time.
func tokenServer() *recorder {
	var n atomic.Int64
	return &recorder{answer: func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"access_token":"access-%d","token_type":"Bearer","expires_in":900}`, n.Add(1))
	}}
}

func source(t testing.TB, server http.Handler, change func(*tastytrade.OAuthConfig)) tastytrade.TokenSource {
	t.Helper()
	cfg := tastytrade.OAuthConfig{BaseURL: "http://memory", ClientID: "id", ClientSecret: "client-secret", RefreshToken: "refresh-secret", Dial: resttest.Serve(t, server)}
	if change != nil {
		change(&cfg)
	}
	s, err := tastytrade.RefreshTokenSource(cfg)
	require.NoError(t, err)
	return s
}

func TestARefreshIsAFormWithoutAuthorization(t *testing.T) {
	server := tokenServer()
	token, err := source(t, server, nil).Token(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "access-1", token.AccessToken)
	r := server.last()
	assert.Equal(t, "POST /oauth/token", r.Method+" "+r.RequestURI)
	assert.Empty(t, r.Header.Get("Authorization"), "the broker refuses refreshes with one")
	assert.NotEmpty(t, r.Header.Get("User-Agent"))
	assert.Equal(t, "application/x-www-form-urlencoded", r.Header.Get("Content-Type"))
	form := server.forms[0]
	assert.Equal(t, "client_id=id&client_secret=client-secret&grant_type=refresh_token&refresh_token=refresh-secret", form.Encode())
}

func TestATokenIsReplacedAMinuteEarly(t *testing.T) {
	now := time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)
	server := tokenServer()
	s := source(t, server, func(c *tastytrade.OAuthConfig) { c.Now = func() time.Time { return now } })
	get := func() string {
		token, err := s.Token(t.Context())
		require.NoError(t, err)
		return token.AccessToken
	}
	assert.Equal(t, "access-1", get())
	now = now.Add(840*time.Second - time.Nanosecond)
	assert.Equal(t, "access-1", get())
	now = now.Add(time.Nanosecond)
	assert.Equal(t, "access-2", get())
}

func TestOneRefreshIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tokenServer()
		answer := server.answer
		server.answer = func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			answer(w, r)
		}
		s := source(t, server, nil)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				token, err := s.Token(t.Context())
				assert.NoError(t, err)
				assert.Equal(t, "access-1", token.AccessToken)
			})
		}
		synctest.Wait() // one is asking, the others wait for it
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := s.Token(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded, "waiting ends with the context")
		wg.Wait()
		assert.Equal(t, 1, server.count())
	})
}

func TestACallerThatGivesUpLeavesTheRefreshToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tokenServer()
		answer := server.answer
		server.answer = func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			answer(w, r)
		}
		s := source(t, server, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		go func() { _, _ = s.Token(ctx) }()
		synctest.Wait()
		token, err := s.Token(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "access-2", token.AccessToken)
	})
}

func TestARefusedRefreshIsUnauthorizedAndShowsNoSecret(t *testing.T) {
	for _, body := range []string{
		`{"error":"invalid_grant","error_description":"Grant refresh-secret revoked for client-secret"}`,
		`{"error":{"code":"invalid_credentials","message":"bad refresh-secret"}}`,
	} {
		server := answering(400, body)
		_, err := source(t, server, nil).Token(t.Context())
		require.ErrorIs(t, err, tastytrade.ErrUnauthorized)
		assert.NotContains(t, err.Error(), "-secret")
		assert.Equal(t, 1, server.count(), "a refresh is not repeated by itself")
	}
}

func TestARotatedRefreshTokenIsUsedAndReported(t *testing.T) {
	server := &recorder{answer: func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"a","expires_in":30,"refresh_token":"next-secret"}`)
	}}
	var stored []string
	s := source(t, server, func(c *tastytrade.OAuthConfig) { c.Rotated = func(r string) { stored = append(stored, r) } })
	for range 2 { // 30 s is less than a minute: each call refreshes
		_, err := s.Token(t.Context())
		require.NoError(t, err)
	}
	assert.Equal(t, "refresh-secret", server.forms[0].Get("refresh_token"))
	assert.Equal(t, "next-secret", server.forms[1].Get("refresh_token"))
	assert.Equal(t, []string{"next-secret"}, stored)
}

func TestCredentialsStayWithTheirHost(t *testing.T) {
	var hosts []string
	server := &recorder{answer: func(w http.ResponseWriter, r *http.Request) {
		hosts = append(hosts, r.Host)
		http.Redirect(w, r, "http://evil.example/oauth/token", http.StatusTemporaryRedirect)
	}}
	_, err := source(t, server, nil).Token(t.Context())
	require.Error(t, err)
	assert.Equal(t, []string{"memory"}, hosts)

	for _, url := range []string{"http://api.example.com", "https://user:pw@api.example.com", "nonsense"} {
		var field *tastytrade.FieldError
		_, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{BaseURL: url, ClientSecret: "s", RefreshToken: "r"})
		require.ErrorAs(t, err, &field, url)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	cfg := tastytrade.OAuthConfig{ClientSecret: "client-secret", RefreshToken: "refresh-secret"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(format, cfg), "-secret")
	}
	q := tastytrade.QuoteToken{Token: "quote-secret"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(format, q), "-secret")
	}
	for _, cfg := range []tastytrade.OAuthConfig{{RefreshToken: "refresh-secret"}, {ClientSecret: "client-secret"}} {
		_, err := tastytrade.RefreshTokenSource(cfg)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "-secret")
	}
}

func TestABrokenTokenAnswerIsAnError(t *testing.T) {
	for _, body := range []string{"", "<html>", "{}", `{"access_token":""}`, `[]`} {
		_, err := source(t, answering(200, body), nil).Token(t.Context())
		require.ErrorIs(t, err, tastytrade.ErrUnavailable, "%q", body)
	}
	s := source(t, answering(200, ""), func(c *tastytrade.OAuthConfig) {
		c.Dial = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: net.ErrClosed}
		}
	})
	_, err := s.Token(t.Context())
	require.ErrorIs(t, err, tastytrade.ErrUnavailable)
}

func TestAdaptersOfOAuth2(t *testing.T) {
	theirs := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "a"})
	token, err := tastytrade.FromOAuth2(theirs).Token(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "a", token.AccessToken)
	back, err := tastytrade.ToOAuth2(t.Context(), tastytrade.StaticTokenSource("b")).Token()
	require.NoError(t, err)
	assert.Equal(t, "b", back.AccessToken)
	assert.Equal(t, "Bearer", strings.TrimSpace(back.Type()))
}
