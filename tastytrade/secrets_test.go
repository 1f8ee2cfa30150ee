package tastytrade_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// A broker that repeats everything it was told, in every shape of a refusal,
// must not bring a secret into an error.
func TestNoSecretReachesAnError(t *testing.T) {
	planted := "access-secret refresh-secret client-secret"
	for _, body := range []string{
		`{"error":{"code":"%s","message":"%s"}}`, `{"error":{"code":"x","message":"%s","errors":[{"code":"%s","message":"%s","preflight-id":"%s"}]}}`,
		`{"error":{"code":"x","errors":[{"domain":"%s","reason":"%s"},"%s"]}}`, `{"error":"%s","error_description":"%s"}`, `{"message":"%s"}`,
		`<html>%s</html>`, `plain text %s`, `{"data":{"items":"%s"}}`, `{"data":"%s"}`, `%s`,
	} {
		text := strings.ReplaceAll(body, "%s", planted)
		for _, status := range []int{200, 201, 302, 400, 401, 403, 404, 406, 422, 429, 500, 502} {
			server := answering(status, text)
			answer := server.answer
			server.answer = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Request-Id", planted)
				answer(w, r)
			}
			c := client(t, server, nil)
			tokens := source(t, server, func(cfg *tastytrade.OAuthConfig) {
				cfg.ClientSecret, cfg.RefreshToken = "client-secret", "refresh-secret"
			})
			var errs []error
			// The client knows its access token, the token source the other two.
			_, err := c.Accounts.List(t.Context())
			errs = append(errs, hiding(err, "access-secret"))
			_, err = c.Watchlists.Create(t.Context(), tastytrade.Watchlist{Name: "x"})
			errs = append(errs, hiding(err, "access-secret"))
			_, err = first(c.OptionChains.All(t.Context(), "SPY"))
			errs = append(errs, hiding(err, "access-secret"))
			_, err = tokens.Token(t.Context())
			errs = append(errs, hiding(err, "refresh-secret"), hiding(err, "client-secret"))
			assert.NoError(t, errors.Join(errs...), "%d %s", status, text)
		}
	}
}

func hiding(err error, secret string) error {
	for _, format := range []string{"%v", "%+v", "%#v"} {
		if err != nil && strings.Contains(fmt.Sprintf(format, err), secret) {
			return fmt.Errorf("%s shows %s", format, secret)
		}
	}
	return nil
}

func TestAWriteSaysWhetherItMayHaveHappened(t *testing.T) {
	create := func(server http.Handler, change func(*tastytrade.ClientOptions)) error {
		_, err := client(t, server, change).Watchlists.Create(t.Context(), tastytrade.Watchlist{Name: "x"})
		return err
	}
	for status, may := range map[int]bool{400: false, 401: false, 404: false, 422: false, 429: false, 500: true, 502: true, 504: true} {
		var got *tastytrade.APIError
		require.ErrorAs(t, create(answering(status, `{"error":{"code":"x"}}`), nil), &got)
		assert.Equal(t, may, got.MayHaveHappened, status)
	}
	var got *tastytrade.APIError
	require.ErrorAs(t, create(answering(201, `{"data":`), nil), &got)
	assert.True(t, got.MayHaveHappened, "an answer that cannot be read is no refusal")
	assert.Equal(t, 201, got.Status)

	var lost *tastytrade.TransportError
	cut := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	require.ErrorAs(t, create(cut, nil), &lost)
	assert.True(t, lost.MayHaveHappened, "the connection broke off")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client(t, cut, nil).Watchlists.Create(ctx, tastytrade.Watchlist{Name: "x"})
	require.ErrorIs(t, err, context.Canceled)
	assert.NotContains(t, err.Error(), "may have happened", "it was never sent")
}

func TestWritesAreSentOnce(t *testing.T) {
	for _, status := range []int{401, 429, 500, 502, 503, 504} {
		server := answering(status, `{"error":{"code":"x"}}`)
		c := client(t, server, func(o *tastytrade.ClientOptions) { o.Retries = 5 })
		_, err := c.Watchlists.Create(t.Context(), tastytrade.Watchlist{Name: "x"})
		require.Error(t, err)
		_, err = c.Watchlists.Replace(t.Context(), "x", tastytrade.Watchlist{Name: "x"})
		require.Error(t, err)
		_, err = c.Watchlists.Delete(t.Context(), "x")
		require.Error(t, err)
		assert.Equal(t, 3, server.count(), status)
	}
}

func TestPinnedVersionsAreLeftOutForOrdersOfTheSandbox(t *testing.T) {
	for base, want := range map[string]string{tastytrade.Sandbox: "", tastytrade.Production: "20251101"} {
		server := answering(200, anything)
		c := client(t, server, func(o *tastytrade.ClientOptions) {
			o.BaseURL, o.AcceptVersion, o.Dial, o.HTTPClient = base, "20251101", nil, &http.Client{Transport: direct{server}}
		})
		_, err := c.Orders.Get(t.Context(), "5WX1", "1")
		require.NoError(t, err)
		assert.Equal(t, want, server.last().Header.Get("Accept-Version"), base)
		_, err = c.Accounts.Get(t.Context(), "5WX1")
		require.NoError(t, err)
		assert.Equal(t, "20251101", server.last().Header.Get("Accept-Version"), base)
	}
}

// direct hands requests to a handler without a connection, so that a test can
// have the address of the broker itself.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r = r.Clone(r.Context())
	r.RequestURI = r.URL.RequestURI()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestTheBrokersOwnHostsAreReachedOverTLSOnly(t *testing.T) {
	var field *tastytrade.FieldError
	dial := clientOptions(t, answering(200, anything)).Dial // which alone allows any address
	for _, base := range []string{"http://api.tastyworks.com", "http://api.cert.tastyworks.com", "http://api.tastytrade.com"} {
		_, err := tastytrade.NewClient(tastytrade.StaticTokenSource("x"), &tastytrade.ClientOptions{BaseURL: base, Dial: dial})
		require.ErrorAs(t, err, &field, base)
		assert.Equal(t, "BaseURL", field.Field)
		_, err = tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{BaseURL: base, Dial: dial, ClientSecret: "s", RefreshToken: "r"})
		require.ErrorAs(t, err, &field, base)
	}
	// A quote token goes where the broker says, but never in the clear.
	for url, allowed := range map[string]bool{"ws://streams.example.com/realtime": false, "wss://tasty-openapi-ws.dxfeed.com/realtime": true} {
		server := answering(200, `{"data":{"token":"quote-secret","dxlink-url":"`+url+`"}}`)
		dialled := false
		c, err := tastytrade.NewClient(tastytrade.StaticTokenSource("x"), &tastytrade.ClientOptions{HTTPClient: &http.Client{Transport: direct{server}}})
		require.NoError(t, err)
		_, err = c.DialMarketData(t.Context(), &dxlink.Options{Handshake: time.Second, Dial: func(context.Context, string, string) (net.Conn, error) {
			dialled = true
			return nil, errors.New("no network here")
		}})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "quote-secret")
		assert.Equal(t, allowed, dialled, url)
		assert.Equal(t, !allowed, errors.As(err, &field), url)
	}
	// Nor does the access token that an account stream sends.
	c, err := tastytrade.NewClient(tastytrade.StaticTokenSource("x"), &tastytrade.ClientOptions{BaseURL: tastytrade.Sandbox})
	require.NoError(t, err)
	_, err = c.DialAccounts(t.Context(), &tastytrade.AccountStreamerOptions{Accounts: []tastytrade.AccountNumber{"5WX1"}, URL: "ws://streamer.cert.tastyworks.com"})
	require.ErrorAs(t, err, &field)
}

func TestBacktestsNeedAHostThatTheCallerNamed(t *testing.T) {
	for _, base := range []string{tastytrade.Sandbox, "https://broker.example.com"} {
		c, err := tastytrade.NewClient(tastytrade.StaticTokenSource("access-secret"), &tastytrade.ClientOptions{BaseURL: base})
		require.NoError(t, err)
		var field *tastytrade.FieldError
		_, err = c.Backtests.List(t.Context())
		require.ErrorAs(t, err, &field)
		assert.Equal(t, "BacktestURL", field.Field)
	}
	c := client(t, answering(200, `["b1","b2",3]`), func(o *tastytrade.ClientOptions) { o.BacktestURL = "http://backtests" })
	ids, err := c.Backtests.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []tastytrade.ID{"b1", "b2", "3"}, ids)
	c = client(t, answering(400, "Symbol not supported"), func(o *tastytrade.ClientOptions) { o.BacktestURL = "http://backtests" })
	_, err = c.Backtests.Get(t.Context(), "b1")
	require.ErrorIs(t, err, tastytrade.ErrInvalid)
	assert.ErrorContains(t, err, "Symbol not supported")
}
