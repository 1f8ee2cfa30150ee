package mcp_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/mcp"
)

// servePage puts a server's page on loopback and returns its address.
func servePage(t *testing.T, s *mcp.Server, opts *mcp.PageOptions) string {
	t.Helper()
	ts := httptest.NewServer(s.Page(opts))
	t.Cleanup(ts.Close)
	return ts.URL
}

// visit sends one request and follows no redirect.
func visit(t *testing.T, method, address string, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	require.NoError(t, err)
	if change != nil {
		change(r)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

// enter exchanges a token for the page's cookie.
func enter(t *testing.T, address, token string) *http.Cookie {
	t.Helper()
	answer, _ := visit(t, http.MethodGet, address+"/?token="+url.QueryEscape(token), nil)
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	require.Len(t, answer.Cookies(), 1)
	return answer.Cookies()[0]
}

func with(cookie *http.Cookie) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(cookie) }
}

func TestThePageShowsWhatTheToolsAnswer(t *testing.T) {
	address := servePage(t, newServer(t, nil), nil)
	answer, body := visit(t, http.MethodGet, address+"/", nil)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	for _, want := range []string{
		"<title>SPY · simulator · ttai</title>", "simulator: no real money", "Simulated data.",
		"Wed 16 Sep 2026, 10:30:00 New\u00a0York", // the time of the data, from market_status
		"99.00 – 101.00", "ACCOUNT-local", "1,234.50", "No open positions",
		"<code>price_option</code>", "claude mcp add ttai -- ttai-mcp",
		"claude mcp add --transport http ttai " + address + "/mcp",
		`alt="Candles of SPY, 120 bars of 1 day from 2026-03-25 to 2026-09-15`,
		`<a class="skip" href="#main">`, `<html lang="en">`,
	} {
		assert.Contains(t, body, want)
	}
	assert.Contains(t, body, "&#43;2.00 (&#43;2.04\u00a0%)", "100 after a close of 98")
	assert.NotRegexp(t, `(?i)<script>|\son\w+=|style=|javascript:`, body, "nothing inline: the policy forbids it")
	wellFormed(t, body)
}

// wellFormed checks that every element that opens also closes.
func wellFormed(t *testing.T, body string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(body))
	decoder.Strict = false
	decoder.AutoClose, decoder.Entity = xml.HTMLAutoClose, xml.HTMLEntity
	depth := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	assert.Zero(t, depth)
}

func TestTheChartIsDrawnAndWhatHasNoneSaysSo(t *testing.T) {
	address := servePage(t, newServer(t, nil), nil)
	for _, size := range []string{"", "&size=small"} {
		answer, body := visit(t, http.MethodGet, address+"/chart.svg?symbol=SPY&interval=1d"+size, nil)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Equal(t, "image/svg+xml", answer.Header.Get("Content-Type"))
		assert.Contains(t, answer.Header.Get("Content-Security-Policy"), "sandbox")
		assert.Contains(t, body, "SMA(50)")
		wellFormed(t, body)
	}
	answer, _ := visit(t, http.MethodGet, address+"/chart.svg?symbol=%20%3Cb%3E", nil)
	assert.Equal(t, http.StatusNotFound, answer.StatusCode)

	_, body := visit(t, http.MethodGet, address+"/?symbol=%3Cscript%3Ealert(1)%3C/script%3E", nil)
	assert.NotContains(t, body, "<script>alert")
	assert.NotContains(t, body, "<SCRIPT>")
	assert.Contains(t, body, "No quote:")
	assert.Contains(t, body, `aria-invalid="true"`)
	assert.Contains(t, body, "ACCOUNT-local", "the rest of the page is there")

	_, body = visit(t, http.MethodGet, address+"/?symbol=panic", nil)
	assert.Contains(t, body, "a defect in it")
	assert.NotContains(t, body, "the secret inside")
}

func TestTheTokenOfTheLinkBecomesACookieThatOpensThePageAlone(t *testing.T) {
	s := newServer(t, &mcp.Options{Bearer: bearer})
	address := servePage(t, s, nil)
	protocol := serve(t, s)

	answer, body := visit(t, http.MethodGet, address+"/?symbol=QQQ&token="+bearer, nil)
	assert.Equal(t, http.StatusSeeOther, answer.StatusCode)
	assert.Equal(t, "./?symbol=QQQ", answer.Header.Get("Location"), "without the token, and relative to wherever the page is mounted")
	assert.NotContains(t, body, bearer)
	cookie := enter(t, address, bearer)
	assert.True(t, cookie.HttpOnly)
	assert.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
	assert.Contains(t, cookie.Name, address[strings.LastIndexByte(address, ':')+1:], "servers on other ports have other cookies")
	assert.NotContains(t, cookie.Value, bearer)
	assert.NotEqual(t, cookie.Value, enter(t, address, bearer).Value, "no two are equal")

	answer, body = visit(t, http.MethodGet, address+"/", with(cookie))
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.NotContains(t, body, bearer, "the token is not on the page")
	assert.Contains(t, body, "PASTE-THE-TOKEN")
	assert.Contains(t, body, "Sign out")
	answer, _ = visit(t, http.MethodGet, address+"/chart.svg", with(cookie))
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	answer, _ = visit(t, http.MethodGet, address+"/", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+bearer) })
	assert.Equal(t, http.StatusOK, answer.StatusCode, "a program may send the token")

	status, _, _ := post(t, protocol, initialize, with(cookie))
	assert.Equal(t, http.StatusUnauthorized, status, "the cookie is no token")
	status, _, _ = post(t, protocol, initialize, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+cookie.Value) })
	assert.Equal(t, http.StatusUnauthorized, status)
	answer, _ = visit(t, http.MethodGet, servePage(t, s, nil)+"/", func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "ttai_page_" + r.URL.Port(), Value: cookie.Value})
	})
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode, "another handler has another key")

	answer, _ = visit(t, http.MethodPost, address+"/signout", with(cookie))
	require.Len(t, answer.Cookies(), 1)
	assert.Negative(t, answer.Cookies()[0].MaxAge)
}

func TestWithoutAValidTokenThePageShowsNothing(t *testing.T) {
	address := servePage(t, newServer(t, &mcp.Options{Bearer: bearer}), nil)
	good := enter(t, address, bearer)
	forged := *good
	first := "A"
	if strings.HasPrefix(good.Value, first) {
		first = "B"
	}
	forged.Value = first + good.Value[1:]
	for name, change := range map[string]func(*http.Request){
		"nothing":         nil,
		"a wrong token":   func(r *http.Request) { r.URL.RawQuery = "token=not-the-bearer-at-all" },
		"an empty token":  func(r *http.Request) { r.URL.RawQuery = "token=" },
		"a wrong header":  func(r *http.Request) { r.Header.Set("Authorization", "Bearer not-the-bearer-at-all") },
		"a forged cookie": with(&forged),
		"an empty cookie": with(&http.Cookie{Name: good.Name}),
		"a bare token":    with(&http.Cookie{Name: good.Name, Value: bearer}),
	} {
		for _, path := range []string{"/", "/chart.svg"} {
			answer, body := visit(t, http.MethodGet, address+path, change)
			assert.Equal(t, http.StatusUnauthorized, answer.StatusCode, "%s %s", name, path)
			assert.Contains(t, answer.Header.Get("WWW-Authenticate"), "Bearer", name)
			assert.NotContains(t, body, "ACCOUNT", name)
			assert.NotContains(t, body, bearer, name)
			assert.Empty(t, answer.Cookies(), name)
		}
	}
	for path, kind := range map[string]string{"/page.css": "text/css", "/page.js": "text/javascript", "/icon.svg": "image/svg+xml"} {
		answer, _ := visit(t, http.MethodGet, address+path, nil)
		assert.Equal(t, http.StatusOK, answer.StatusCode, path)
		assert.Equal(t, kind+"; charset=utf-8", answer.Header.Get("Content-Type"), "on every system, whatever its registry says")
		again, _ := visit(t, http.MethodGet, address+path, func(r *http.Request) { r.Header.Set("If-None-Match", answer.Header.Get("ETag")) })
		assert.Equal(t, http.StatusNotModified, again.StatusCode, path)
	}
	answer, _ := visit(t, http.MethodGet, address+"/page.html", nil)
	assert.Equal(t, http.StatusNotFound, answer.StatusCode)
}

func TestTheFormTakesTheTokenToo(t *testing.T) {
	address := servePage(t, newServer(t, &mcp.Options{Bearer: bearer}), nil)
	send := func(token, origin string) (*http.Response, string) {
		return visit(t, http.MethodPost, address+"/", func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(url.Values{"token": {token}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
		})
	}
	answer, _ := send(" "+bearer+"\n", address)
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	answer, _ = visit(t, http.MethodGet, address+"/", with(answer.Cookies()[0]))
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	answer, body := send("not-the-bearer-at-all", address)
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	assert.Contains(t, body, "not valid")
	answer, _ = send(bearer, "https://evil.example.com")
	assert.Equal(t, http.StatusForbidden, answer.StatusCode)
	answer, _ = send(strings.Repeat("x", 100_000), "")
	assert.Equal(t, http.StatusBadRequest, answer.StatusCode)
}

func TestACookieEndsWithItsTimeAndWithItsToken(t *testing.T) {
	clock := market.NewManualClock(now)
	address := servePage(t, newServer(t, &mcp.Options{Bearer: bearer, Now: clock.Now}), nil)
	cookie := enter(t, address, bearer)
	clock.Advance(12*time.Hour - time.Second)
	answer, _ := visit(t, http.MethodGet, address+"/", with(cookie))
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	clock.Advance(time.Second)
	answer, _ = visit(t, http.MethodGet, address+"/", with(cookie))
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)

	// With tokens of an issuer the token inside is verified each time.
	revoked := false
	address = servePage(t, newServer(t, &mcp.Options{Verify: func(ctx context.Context, token string) (mcp.Principal, error) {
		if revoked {
			return mcp.Principal{}, errors.New("revoked")
		}
		return verify(ctx, token)
	}}), nil)
	alice, carol := enter(t, address, "alice"), enter(t, address, "carol")
	_, body := visit(t, http.MethodGet, address+"/", with(alice))
	assert.Contains(t, body, "ACCOUNT-tenant-of-x")
	_, body = visit(t, http.MethodGet, address+"/", with(carol))
	assert.Contains(t, body, "ACCOUNT-tenant-of-carol")
	assert.NotContains(t, body, "ACCOUNT-tenant-of-x")
	answer, body = visit(t, http.MethodGet, address+"/", with(enter(t, address, "broken")))
	assert.Equal(t, http.StatusServiceUnavailable, answer.StatusCode, body)
	revoked = true
	answer, _ = visit(t, http.MethodGet, address+"/", with(alice))
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
}

func TestAWebsiteCannotLoadEmbedOrReadThePage(t *testing.T) {
	address := servePage(t, newServer(t, &mcp.Options{Bearer: bearer, AllowedOrigins: []string{"https://app.example.com"}}), nil)
	cookie := enter(t, address, bearer)
	for _, test := range []struct {
		name, path string
		headers    map[string]string
		status     int
	}{
		{"the page itself", "/", map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, http.StatusOK},
		{"a person", "/", map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, http.StatusOK},
		{"a link on another port", "/", map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, http.StatusOK},
		{"a frame on another port", "/", map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, http.StatusForbidden},
		{"an image on another port", "/chart.svg", map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, http.StatusForbidden},
		{"a script of a website", "/page.js", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, http.StatusForbidden},
		{"a website's token", "/?token=" + bearer, map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, http.StatusForbidden},
		{"a website", "/", map[string]string{"Origin": "https://evil.example.com"}, http.StatusForbidden},
		{"an origin that may call the protocol", "/", map[string]string{"Origin": "https://app.example.com"}, http.StatusForbidden},
		{"a sandboxed page", "/", map[string]string{"Origin": "null"}, http.StatusForbidden},
		{"a rebound name", "/", map[string]string{"Host": "evil.example.com"}, http.StatusForbidden},
		{"a rebound name without a token", "/page.css", map[string]string{"Host": "evil.example.com"}, http.StatusForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer, body := visit(t, http.MethodGet, address+test.path, func(r *http.Request) {
				r.AddCookie(cookie)
				for name, value := range test.headers {
					r.Header.Set(name, value)
				}
				if host := test.headers["Host"]; host != "" {
					r.Host = host
				}
			})
			assert.Equal(t, test.status, answer.StatusCode, body)
			assert.Empty(t, answer.Header.Get("Access-Control-Allow-Origin"))
			policy := answer.Header.Get("Content-Security-Policy")
			assert.Contains(t, policy, "default-src 'none'")
			assert.Contains(t, policy, "frame-ancestors 'none'")
			assert.NotContains(t, policy, "unsafe")
			assert.Equal(t, "same-origin", answer.Header.Get("Cross-Origin-Resource-Policy"))
			if test.status == http.StatusForbidden {
				assert.NotContains(t, body, "ACCOUNT")
				assert.Empty(t, answer.Cookies())
			}
		})
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions} {
		answer, _ := visit(t, method, address+"/", with(cookie))
		assert.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode, method)
	}
}

func TestThePageHasOnlyWhatIsExposed(t *testing.T) {
	address := servePage(t, newServer(t, &mcp.Options{Toolsets: []string{"analytics"}}), nil)
	_, body := visit(t, http.MethodGet, address+"/", nil)
	assert.Contains(t, body, "price_option")
	assert.NotContains(t, body, `id="portfolio"`)
	assert.NotContains(t, body, `id="market"`)
	assert.NotContains(t, body, "ACCOUNT")
	answer, _ := visit(t, http.MethodGet, address+"/chart.svg?symbol=SPY", nil)
	assert.Equal(t, http.StatusNotFound, answer.StatusCode)
}

func TestThePageCountsAgainstTheLimits(t *testing.T) {
	address := servePage(t, newServer(t, &mcp.Options{Limits: mcp.Limits{CallsPerMinute: 16}, Now: func() time.Time { return now }}), nil)
	_, body := visit(t, http.MethodGet, address+"/", nil) // four calls, a quarter of the minute's
	assert.NotContains(t, body, "too many calls")
	_, body = visit(t, http.MethodGet, address+"/", nil)
	assert.Contains(t, body, "too many calls")
}

func TestTheConfigurationToPasteFitsTheServer(t *testing.T) {
	s := newServer(t, &mcp.Options{Name: "my broker", Environment: "production", Bearer: bearer})
	mux := http.NewServeMux()
	mux.Handle("/assistant/", http.StripPrefix("/assistant", s.Page(&mcp.PageOptions{
		Endpoint: "/assistant/mcp", Command: []string{"ttai-mcp", "--accounts", "it's mine"}, Env: map[string]string{"TTAI_ENV": "production"}, Symbol: "QQQ",
	})))
	ts := httptest.NewServer(mux)
	t.Cleanup(ts.Close)
	answer, _ := visit(t, http.MethodGet, ts.URL+"/assistant/?token="+bearer, nil)
	assert.Equal(t, "./", answer.Header.Get("Location"))
	_, body := visit(t, http.MethodGet, ts.URL+"/assistant/", with(answer.Cookies()[0]))
	assert.Contains(t, body, "production: real money")
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, "")
	text = strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&amp;", "&").Replace(text)
	for _, want := range []string{
		`claude mcp add 'my broker' --env TTAI_ENV=production -- ttai-mcp --accounts 'it'\''s mine'`,
		`"args": [
        "--accounts",
        "it's mine"
      ]`,
		`"TTAI_ENV": "production"`, `"url": "` + ts.URL + `/assistant/mcp"`, `"Authorization": "Bearer PASTE-THE-TOKEN"`, "QQQ",
	} {
		assert.Contains(t, text, want)
	}
}

func TestATokenThatDoesNotFitACookieIsSaidSo(t *testing.T) {
	address := servePage(t, newServer(t, &mcp.Options{Verify: func(context.Context, string) (mcp.Principal, error) { return mcp.Local(), nil }}), nil)
	answer, body := visit(t, http.MethodGet, address+"/?token="+strings.Repeat("x", 3000), nil)
	assert.Equal(t, http.StatusBadRequest, answer.StatusCode)
	assert.Contains(t, body, "too long for a cookie")
}
