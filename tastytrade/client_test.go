package tastytrade_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/rest/resttest"
	"github.com/ttai-go/ttai/tastytrade"
)

const accounts = `{"data":{"items":[{"account":{"account-number":"5WX1"},"authority-level":"owner"}]},"context":"/customers/me/accounts","pagination":null}`

func TestAnExpiredTokenIsReplacedOnce(t *testing.T) {
	for _, tt := range []struct {
		name     string
		accepted string
		want     error
		reads    int
	}{
		{"the new token works", "access-2", nil, 2},
		{"the new token is refused too", "none", tastytrade.ErrUnauthorized, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tokens := tokenServer()
			reads := 0
			server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/oauth/token" {
					tokens.ServeHTTP(w, r)
					return
				}
				if reads++; r.Header.Get("Authorization") != "Bearer "+tt.accepted {
					w.WriteHeader(http.StatusUnauthorized)
					_, _ = io.WriteString(w, `{"error":{"code":"token_invalid","message":"This token is invalid or has expired"}}`)
					return
				}
				_, _ = io.WriteString(w, accounts)
			})
			c, err := tastytrade.NewClient(source(t, tokens, nil), &tastytrade.ClientOptions{BaseURL: "http://memory", Dial: resttest.Serve(t, server), Limiter: tastytrade.NoLimit()})
			require.NoError(t, err)
			defer c.Close()
			_, err = c.Accounts.List(t.Context())
			require.ErrorIs(t, err, tt.want)
			assert.Equal(t, tt.reads, reads)
			assert.Equal(t, 2, tokens.count())
		})
	}
}

func TestEveryShapeOfRefusalIsRead(t *testing.T) {
	const html = "<html><head><title>502 Bad Gateway</title></head><body>nginx secret-internal-host</body></html>"
	for _, tt := range []struct {
		name   string
		status int
		body   string
		is     error
		want   tastytrade.APIError
	}{
		{"record", 404, `{"error":{"code":"record_not_found","message":"Couldn't find it"}}`, tastytrade.ErrNotFound, tastytrade.APIError{Code: "record_not_found", Message: "Couldn't find it"}},
		{"a code that is a number", 406, `{"error":{"code":406,"message":"Version not supported"}}`, tastytrade.ErrInvalid, tastytrade.APIError{Code: "406", Message: "Version not supported"}},
		{"preflight", 422, `{"error":{"code":"preflight_check_failure","message":"One or more checks failed","errors":[{"code":"margin_check_failed","message":"too small","preflight-id":1}]}}`,
			tastytrade.ErrInvalid, tastytrade.APIError{Code: "preflight_check_failure", Message: "One or more checks failed", Errors: []tastytrade.ErrorDetail{{Code: "margin_check_failed", Message: "too small", PreflightID: "1"}}}},
		{"validation", 400, `{"error":{"code":"validation_error","message":"Request validation failed","errors":[{"domain":"price","reason":"is negative"},"odd"]}}`,
			tastytrade.ErrInvalid, tastytrade.APIError{Code: "validation_error", Message: "Request validation failed", Errors: []tastytrade.ErrorDetail{{Field: "price", Message: "is negative"}, {Message: "odd"}}}},
		{"OAuth", 401, `{"error":"invalid_token","error_description":"expired"}`, tastytrade.ErrUnauthorized, tastytrade.APIError{Code: "invalid_token", Message: "expired"}},
		{"forbidden", 403, `{"error":{"code":"not_permitted","message":"User not permitted access"}}`, tastytrade.ErrForbidden, tastytrade.APIError{Code: "not_permitted", Message: "User not permitted access"}},
		{"support identifier", 500, `{"error":{"code":"internal","message":"Please contact support with identifier: 8d1f3ab2-77cc"}}`, tastytrade.ErrUnavailable,
			tastytrade.APIError{Code: "internal", Message: "Please contact support with identifier: 8d1f3ab2-77cc", SupportID: "8d1f3ab2-77cc"}},
		{"gateway page", 502, html, tastytrade.ErrUnavailable, tastytrade.APIError{Code: "html", Message: "a web page came instead of an answer"}},
		{"page at 200", 200, html, tastytrade.ErrUnavailable, tastytrade.APIError{Code: "html", Message: "a web page came instead of an answer"}},
		{"page for a bad User-Agent", 401, html, tastytrade.ErrUnauthorized, tastytrade.APIError{Code: "html", Message: "the gateway refused the request, not the API; check the User-Agent and the base URL"}},
		{"nothing", 504, "", tastytrade.ErrUnavailable, tastytrade.APIError{Code: "malformed"}},
		{"plain message", 500, `{"message":"oops"}`, tastytrade.ErrUnavailable, tastytrade.APIError{Code: "internal_server_error", Message: "oops"}},
		{"rate", 429, `{"error":{"code":"too_many_requests"}}`, tastytrade.ErrRateLimited, tastytrade.APIError{Code: "too_many_requests"}},
		{"odd JSON", 400, `{"error":[1,2]}`, tastytrade.ErrInvalid, tastytrade.APIError{Code: "bad_request"}},
		{"cut JSON", 200, `{"data":{"items":[`, tastytrade.ErrUnavailable, tastytrade.APIError{Code: "malformed", Message: "the answer is not the JSON that the route gives"}},
		{"no data", 200, `{"context":"/x"}`, tastytrade.ErrUnavailable, tastytrade.APIError{Code: "malformed", Message: "the answer is not the JSON that the route gives"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := client(t, answering(tt.status, tt.body), nil).Accounts.Get(t.Context(), "5WX00042")
			var got *tastytrade.APIError
			require.ErrorAs(t, err, &got)
			require.ErrorIs(t, err, tt.is)
			tt.want.Status, tt.want.Operation = tt.status, "GET /customers/me/accounts/{account}"
			assert.Equal(t, tt.want, *got)
			for _, hidden := range []string{"5WX00042", "access-secret", "memory", "nginx", "secret-internal-host"} {
				assert.NotContains(t, err.Error(), hidden)
			}
			for _, other := range []error{tastytrade.ErrUnauthorized, tastytrade.ErrForbidden, tastytrade.ErrNotFound, tastytrade.ErrInvalid, tastytrade.ErrRateLimited, tastytrade.ErrUnavailable} {
				if other != tt.is {
					assert.NotErrorIs(t, err, other)
				}
			}
		})
	}
}

func TestMessagesAreMadeSafe(t *testing.T) {
	long := strings.Repeat("x", 5000)
	body := fmt.Sprintf(`{"error":{"code":"c","message":"line\nbreak \u0007 Bearer abc.def-123 eyJhbGciOi.eyJzdWIi.c2ln %s"}}`, long)
	_, err := client(t, answering(400, body), nil).Accounts.List(t.Context())
	assert.Less(t, len(err.Error()), 700)
	for _, hidden := range []string{"\n", "\a", "abc.def", "eyJ"} {
		assert.NotContains(t, err.Error(), hidden)
	}
}

func TestReadsAreRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		server := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if n++; n < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			_, _ = io.WriteString(w, accounts)
		})
		got, err := client(t, server, func(o *tastytrade.ClientOptions) { o.Retries = 0 }).Accounts.List(t.Context())
		require.NoError(t, err)
		assert.Equal(t, tastytrade.AccountNumber("5WX1"), got[0].Account.Number)
		assert.Equal(t, 3, n)
	})
}

func TestASlowBrokerEndsWithTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), nil)
		for _, tt := range []struct{ given, want time.Duration }{{2 * time.Second, 2 * time.Second}, {0, 30 * time.Second}} {
			ctx, cancel := t.Context(), context.CancelFunc(func() {})
			if tt.given > 0 {
				ctx, cancel = context.WithTimeout(ctx, tt.given)
			}
			start := time.Now()
			_, err := c.Accounts.List(ctx)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, tastytrade.ErrUnavailable)
			assert.Equal(t, tt.want, time.Since(start))
		}
	})
}

func TestABrokerThatIsDownIsUnavailable(t *testing.T) {
	c := client(t, http.NotFoundHandler(), func(o *tastytrade.ClientOptions) {
		o.Dial = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("connection refused")}
		}
	})
	_, err := c.Accounts.List(t.Context())
	require.ErrorIs(t, err, tastytrade.ErrUnavailable)
	assert.NotContains(t, err.Error(), "memory")
}

func TestTheBrokersRatesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := tastytrade.NewLimiter()
		server := answering(200, anything)
		// Two clients of one credential share the limiter.
		a := client(t, server, func(o *tastytrade.ClientOptions) { o.Limiter = limiter })
		b := client(t, server, func(o *tastytrade.ClientOptions) { o.Limiter = limiter })
		start := time.Now()
		for range 2 {
			for _, c := range []*tastytrade.Client{a, b} {
				_, err := c.OptionChains.Nested(t.Context(), "SPY")
				require.NoError(t, err)
			}
		}
		assert.Equal(t, 1500*time.Millisecond, time.Since(start), "chains: two a second")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := a.OptionChains.Nested(ctx, "SPY")
		require.ErrorIs(t, err, tastytrade.ErrRateLimited)
		assert.NotErrorIs(t, err, tastytrade.ErrUnavailable)
	})
}

func TestPagesAreFetchedAsTheLoopNeedsThem(t *testing.T) {
	server := &recorder{answer: func(w http.ResponseWriter, r *http.Request) {
		page := r.FormValue("page-offset")
		if page == "" {
			page = "0"
		}
		fmt.Fprintf(w, `{"data":{"items":[{"symbol":"A%[1]s"},{"symbol":"B%[1]s"}]},"pagination":{"page-offset":%[1]s,"total-pages":3,"next-link":null}}`, page)
	}}
	c := client(t, server, nil)
	var got []string
	for e, err := range c.Instruments.AllEquities(t.Context(), nil) {
		require.NoError(t, err)
		got = append(got, e.Symbol)
	}
	assert.Equal(t, []string{"A0", "B0", "A1", "B1", "A2", "B2"}, got)
	assert.Equal(t, 3, server.count())
	for range c.Instruments.AllEquities(t.Context(), nil) {
		break
	}
	assert.Equal(t, 4, server.count(), "a loop that stops fetches no further page")
}

func TestTheFirstErrorEndsAList(t *testing.T) {
	n := 0
	for _, err := range client(t, answering(500, ""), nil).Instruments.AllEquities(t.Context(), nil) {
		require.ErrorIs(t, err, tastytrade.ErrUnavailable)
		n++
	}
	assert.Equal(t, 1, n)
}

func TestLargeAnswersAreRefused(t *testing.T) {
	_, err := client(t, answering(200, accounts), func(o *tastytrade.ClientOptions) { o.MaxResponseBytes = 20 }).Accounts.List(t.Context())
	require.ErrorIs(t, err, tastytrade.ErrTooLarge)
}

func TestAcceptVersionIsSentWhenSet(t *testing.T) {
	server := answering(200, accounts)
	_, err := client(t, server, func(o *tastytrade.ClientOptions) { o.AcceptVersion = "20251101" }).Accounts.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "20251101", server.last().Header.Get("Accept-Version"))
}

func TestBalancesPreferDollars(t *testing.T) {
	server := answering(200, `{"data":{"items":[{"account-number":"5WX1","currency":"EUR"},{"account-number":"5WX1","currency":"USD","cash-balance":"7"}]}}`)
	b, err := client(t, server, nil).Balances.Get(t.Context(), "5WX1")
	require.NoError(t, err)
	assert.Equal(t, "7", b.CashBalance.String())
}
