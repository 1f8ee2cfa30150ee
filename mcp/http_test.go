package mcp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/mcp"
)

const bearer = "a-bearer-of-many-characters"

func TestOneURLServesOldAndNewClients(t *testing.T) {
	url := serve(t, newServer(t, nil))
	for _, revision := range []string{"2024-11-05", "2025-03-26", oldRevision, "2025-11-25", newRevision} {
		t.Run(revision, func(t *testing.T) {
			session, err := dial(t, url, "", revision)
			require.NoError(t, err)
			assert.Equal(t, revision, session.InitializeResult().ProtocolVersion)
			assert.Equal(t, revision < newRevision, session.ID() != "", "only old clients have sessions")
			assert.Contains(t, session.InitializeResult().Instructions, "Environment: simulator")

			list, err := session.ListTools(t.Context(), nil)
			require.NoError(t, err)
			assert.Len(t, list.Tools, 9)
			text, failed := callTool(t, session, "quote", map[string]any{"symbols": []string{"SPY"}})
			assert.False(t, failed, text)
			assert.Contains(t, text, `"mid":100`)
		})
	}
}

// post sends one raw request.
func post(t *testing.T, url, body string, change func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if change != nil {
		change(r)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, string(answer)
}

const (
	initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	meta       = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	listModern = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + meta + `}}`
)

func TestANewClientIsKnownByHeaderOrBody(t *testing.T) {
	url := serve(t, newServer(t, nil))
	status, _, body := post(t, url, listModern, func(r *http.Request) {
		r.Header.Set("Mcp-Protocol-Version", newRevision)
		r.Header.Set("Mcp-Method", "tools/list")
	})
	assert.Equal(t, http.StatusOK, status, body)
	assert.Contains(t, body, `"price_option"`)

	// By the body alone it reaches the newer handler, which then insists on the header.
	_, header, body := post(t, url, listModern, nil)
	assert.Empty(t, header.Get("Mcp-Session-Id"))
	assert.NotContains(t, body, "is invalid during session initialization")

	_, header, _ = post(t, url, initialize, nil)
	assert.NotEmpty(t, header.Get("Mcp-Session-Id"))
}

func TestWithoutAValidTokenNothingIsServed(t *testing.T) {
	url := serve(t, newServer(t, &mcp.Options{Bearer: bearer, ResourceMetadata: "https://x.example/.well-known/oauth-protected-resource"}))
	for _, test := range []struct{ name, authorization, challenge string }{
		{"none", "", `Bearer realm="ttai", resource_metadata="https://x.example/.well-known/oauth-protected-resource"`},
		{"wrong", "Bearer wrong-bearer-of-many-chars", `error="invalid_token"`},
		{"a prefix", "Bearer " + bearer[:10], `error="invalid_token"`},
		{"another scheme", "Basic " + bearer, "Bearer realm"},
		{"empty", "Bearer ", "Bearer realm"},
		{"two tokens", "Bearer " + bearer + " x", "Bearer realm"},
	} {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
			t.Run(test.name+" "+method, func(t *testing.T) {
				status, header, body := post(t, url, initialize, func(r *http.Request) {
					r.Method = method
					r.Header.Set("Mcp-Session-Id", "guessed")
					if test.authorization != "" {
						r.Header.Set("Authorization", test.authorization)
					}
				})
				assert.Equal(t, http.StatusUnauthorized, status)
				assert.Contains(t, header.Get("WWW-Authenticate"), test.challenge)
				assert.NotContains(t, body, bearer)
			})
		}
	}
	session, err := dial(t, url, bearer, oldRevision)
	require.NoError(t, err)
	assert.NoError(t, session.Ping(t.Context(), nil))
	_, err = dial(t, url, bearer, newRevision)
	require.NoError(t, err)
}

// verify knows alice and bob.
func verify(_ context.Context, token string) (mcp.Principal, error) {
	switch token {
	case "alice", "bob", "broken":
		return mcp.Principal{Subject: token, Tenant: "tenant-of-" + "x", Scopes: []string{"read"}}, nil
	case "carol":
		return mcp.Principal{Subject: "carol", Tenant: "tenant-of-carol"}, nil
	case "nobody":
		return mcp.Principal{Subject: "nobody"}, nil
	}
	return mcp.Principal{}, errors.New("signature of secret-key-7 does not match")
}

func TestEveryCallerSeesOnlyItsOwnData(t *testing.T) {
	url := serve(t, newServer(t, &mcp.Options{Verify: verify}))
	for _, revision := range []string{oldRevision, newRevision} {
		alice, err := dial(t, url, "alice", revision)
		require.NoError(t, err)
		carol, err := dial(t, url, "carol", revision)
		require.NoError(t, err)
		text, _ := callTool(t, alice, "portfolio", nil)
		assert.Contains(t, text, "ACCOUNT-tenant-of-x")
		text, _ = callTool(t, carol, "portfolio", nil)
		assert.Contains(t, text, "ACCOUNT-tenant-of-carol")
	}
}

func TestASessionIsOfNoUseToAnotherUser(t *testing.T) {
	url := serve(t, newServer(t, &mcp.Options{Verify: verify}))
	alice, err := dial(t, url, "alice", oldRevision)
	require.NoError(t, err)
	for _, other := range []string{"bob", "carol"} {
		status, _, _ := post(t, url, `{"jsonrpc":"2.0","id":9,"method":"tools/list"}`, func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+other)
			r.Header.Set("Mcp-Session-Id", alice.ID())
		})
		assert.Equal(t, http.StatusForbidden, status)
	}
}

func TestRefusalsSayNothingOfTheInside(t *testing.T) {
	url := serve(t, newServer(t, &mcp.Options{Verify: verify}))
	as := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	status, _, body := post(t, url, initialize, as("forged"))
	assert.Equal(t, http.StatusUnauthorized, status)
	assert.NotContains(t, body, "secret-key-7")
	status, header, body := post(t, url, initialize, as("broken"))
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "not ready: try again, or ask whoever runs this server\n", body, "why is the server's own business")
	assert.NotEmpty(t, header.Get("Retry-After"))
	status, _, _ = post(t, url, initialize, as("nobody"))
	assert.Equal(t, http.StatusServiceUnavailable, status, "a principal without a tenant has no data")
}

func TestForeignHostsAndOriginsAreRefused(t *testing.T) {
	open := serve(t, newServer(t, nil))
	port := open[strings.LastIndexByte(open, ':'):]
	withToken := serve(t, newServer(t, &mcp.Options{Bearer: bearer}))
	listed := serve(t, newServer(t, &mcp.Options{AllowedHosts: []string{"mcp.example.com"}, AllowedOrigins: []string{"https://app.example.com"}}))
	for _, test := range []struct {
		name, url, host, origin, site string
		status                        int
	}{
		{"loopback", open, "", "", "", http.StatusOK},
		{"localhost", open, "localhost" + port, "", "", http.StatusOK},
		{"IPv6 loopback", open, "[::1]" + port, "", "", http.StatusOK},
		{"a rebound name", open, "evil.example.com", "", "", http.StatusForbidden},
		{"a rebound name that begins like loopback", open, "127.0.0.1.evil.example.com", "", "", http.StatusForbidden},
		{"a rebound name, with a token", withToken, "evil.example.com", "", "", http.StatusForbidden},
		{"the same origin", open, "localhost" + port, "http://localhost" + port, "", http.StatusOK},
		{"another port", open, "localhost" + port, "http://localhost:1", "", http.StatusForbidden},
		{"a website", open, "", "https://evil.example.com", "", http.StatusForbidden},
		{"a sandboxed page", open, "", "null", "", http.StatusForbidden},
		{"a website by fetch metadata", open, "", "", "cross-site", http.StatusForbidden},
		{"a listed host", listed, "MCP.example.com:443", "", "", http.StatusOK},
		{"loopback when hosts are listed", listed, "", "", "", http.StatusForbidden},
		{"a listed origin", listed, "mcp.example.com", "https://app.example.com", "cross-site", http.StatusOK},
		{"an origin that begins like a listed one", listed, "mcp.example.com", "https://app.example.com.evil.org", "", http.StatusForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, header, body := post(t, test.url, initialize, func(r *http.Request) {
				if test.host != "" {
					r.Host = test.host
				}
				if test.origin != "" {
					r.Header.Set("Origin", test.origin)
				}
				if test.site != "" {
					r.Header.Set("Sec-Fetch-Site", test.site)
				}
				if test.url == withToken {
					r.Header.Set("Authorization", "Bearer "+bearer)
				}
			})
			assert.Equal(t, test.status, status, body)
			if test.origin == "https://app.example.com" {
				assert.Equal(t, test.origin, header.Get("Access-Control-Allow-Origin"))
			} else {
				assert.Empty(t, header.Get("Access-Control-Allow-Origin"))
			}
		})
	}
	// Streams of foreign pages are refused as well, although GET changes nothing.
	status, _, _ := post(t, open, "", func(r *http.Request) {
		r.Method = http.MethodGet
		r.Header.Set("Origin", "https://evil.example.com")
	})
	assert.Equal(t, http.StatusForbidden, status)
}

func TestAPreflightOfAListedOriginIsAnswered(t *testing.T) {
	url := serve(t, newServer(t, &mcp.Options{AllowedOrigins: []string{"https://app.example.com"}, Bearer: bearer}))
	status, header, _ := post(t, url, "", func(r *http.Request) {
		r.Method = http.MethodOptions
		r.Header.Set("Origin", "https://app.example.com")
		r.Header.Set("Access-Control-Request-Method", "POST")
	})
	assert.Equal(t, http.StatusNoContent, status)
	assert.Contains(t, header.Get("Access-Control-Allow-Headers"), "Authorization")
}

func TestABodyThatIsTooLargeIsRefused(t *testing.T) {
	url := serve(t, newServer(t, &mcp.Options{Limits: mcp.Limits{MaxBody: 1000}}))
	large := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"quote","arguments":{"symbols":["%s"]}}}`, strings.Repeat("x", 2000))
	for _, revision := range []string{"", newRevision} {
		status, _, _ := post(t, url, large, func(r *http.Request) {
			if revision != "" {
				r.Header.Set("Mcp-Protocol-Version", revision)
				r.ContentLength = -1
			}
		})
		assert.Equal(t, http.StatusRequestEntityTooLarge, status, revision)
	}
	status, _, _ := post(t, url, initialize, nil)
	assert.Equal(t, http.StatusOK, status)
}

func TestOpenSessionsAreLimited(t *testing.T) {
	url := serve(t, newServer(t, &mcp.Options{Limits: mcp.Limits{MaxSessions: 2}}))
	first, err := dial(t, url, "", oldRevision)
	require.NoError(t, err)
	_, err = dial(t, url, "", oldRevision)
	require.NoError(t, err)
	status, header, body := post(t, url, initialize, nil)
	assert.Equal(t, http.StatusTooManyRequests, status, body)
	assert.NotEmpty(t, header.Get("Retry-After"))
	_, err = dial(t, url, "", newRevision)
	require.NoError(t, err, "new clients need no session")
	require.NoError(t, first.Close())
	_, err = dial(t, url, "", oldRevision)
	require.NoError(t, err, "a closed session makes room")
}

func TestCallersAreLimitedAndForgottenWhenIdle(t *testing.T) {
	clock := market.NewManualClock(now)
	opened := map[string]int{}
	s, err := mcp.New(func(ctx context.Context, p mcp.Principal) (tools.Deps, error) {
		opened[p.Subject]++
		return deps(ctx, p)
	}, &mcp.Options{Verify: verify, Now: clock.Now, Limits: mcp.Limits{MaxPrincipals: 2, SessionTimeout: time.Minute}})
	require.NoError(t, err)
	url := serve(t, s)
	as := func(token string) int {
		status, _, _ := post(t, url, listModern, func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Mcp-Protocol-Version", newRevision)
			r.Header.Set("Mcp-Method", "tools/list")
		})
		return status
	}
	assert.Equal(t, http.StatusOK, as("alice"))
	assert.Equal(t, http.StatusOK, as("bob"))
	assert.Equal(t, http.StatusOK, as("alice"))
	assert.Equal(t, http.StatusServiceUnavailable, as("carol"))
	clock.Advance(50 * time.Second)
	assert.Equal(t, http.StatusOK, as("alice"))
	clock.Advance(50 * time.Second)
	assert.Equal(t, http.StatusOK, as("carol"), "bob has been idle for longer than a session lives")
	assert.Equal(t, map[string]int{"alice": 1, "bob": 1, "carol": 1}, opened, "dependencies are opened once per caller")
}

func TestTheHandlerWorksUnderOnesOwnMux(t *testing.T) {
	s := newServer(t, nil)
	mux := http.NewServeMux()
	mux.Handle("/assistant/mcp", s.Handler())
	ts := httptest.NewServer(mux)
	t.Cleanup(func() { s.Close(); ts.Close() })
	session, err := dial(t, ts.URL+"/assistant/mcp", "", newRevision)
	require.NoError(t, err)
	_, failed := callTool(t, session, "market_status", nil)
	assert.False(t, failed)
}

func TestGarbageIsAnsweredAndHarmsNobody(t *testing.T) {
	url := serve(t, newServer(t, nil))
	for _, body := range []string{"", "{", "[]", "null", `{"jsonrpc":"1.0"}`, `{"jsonrpc":"2.0","id":1,"method":"no/such"}`, "\xff\xfe", string(bytes.Repeat([]byte("["), 20000))} {
		for _, revision := range []string{"", oldRevision, newRevision, "2099-01-01", "x"} {
			status, _, _ := post(t, url, body, func(r *http.Request) {
				if revision != "" {
					r.Header.Set("Mcp-Protocol-Version", revision)
				}
			})
			assert.Less(t, status, 500, "%.20q %s", body, revision)
		}
	}
	session, err := dial(t, url, "", oldRevision)
	require.NoError(t, err)
	_, err = session.ListTools(t.Context(), &sdk.ListToolsParams{})
	assert.NoError(t, err)
}

func TestAClosedServerRefuses(t *testing.T) {
	s := newServer(t, nil)
	url := serve(t, s)
	require.NoError(t, s.Close())
	status, _, _ := post(t, url, initialize, nil)
	assert.Equal(t, http.StatusServiceUnavailable, status)
}
