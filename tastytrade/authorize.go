package tastytrade

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
)

// A Scope is something that a grant allows.
type Scope string

// The scopes of a grant.
const (
	ScopeRead   Scope = "read"
	ScopeTrade  Scope = "trade"
	ScopeOpenID Scope = "openid" // the token answer has an id_token
)

// The pages on which a user grants an application access.
const (
	ProductionAuthorizePage = "https://my.tastytrade.com/auth.html"
	SandboxAuthorizePage    = "https://cert-my.staging-tasty.works/auth.html"
)

// AuthorizeURL returns the page to which a user goes to grant the application
// access. The page sends the user on to redirectURL, which must be one of the
// application's, with a code for [OAuthConfig.Exchange] and with state, which
// must be random and compared. [Login] does all of it for a program on the
// user's machine.
func (c OAuthConfig) AuthorizeURL(redirectURL, state string, scopes ...Scope) (string, error) {
	page := c.AuthorizePage
	if page == "" {
		switch environmentOf(c.BaseURL) {
		case Sandbox:
			page = SandboxAuthorizePage
		case Production:
			page = ProductionAuthorizePage
		default:
			if c.BaseURL != "" {
				return "", invalid.Missing("AuthorizePage", "the page of this server on which users grant access")
			}
			page = ProductionAuthorizePage
		}
	}
	u, err := rest.ParseBase(page, c.Dial != nil)
	if err != nil {
		return "", invalid.Field("AuthorizePage", page, "an https URL, or http to a loopback address")
	}
	if c.ClientID == "" {
		return "", invalid.Missing("ClientID", "the client id of the OAuth application")
	}
	if state == "" {
		return "", invalid.Missing("state", "a random text")
	}
	q := url.Values{"client_id": {c.ClientID}, "redirect_uri": {redirectURL}, "response_type": {"code"}, "state": {state}}
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	set(q, "scope", strings.Join(names, " "))
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Exchange trades the code of a redirect for tokens: the refresh token of the
// grant, and a first access token. redirectURL is the one that AuthorizeURL had.
//
// POST /oauth/token
func (c OAuthConfig) Exchange(ctx context.Context, code, redirectURL string) (*oauth2.Token, error) {
	if code == "" {
		return nil, invalid.Missing("code", "the code that came with the redirect")
	}
	if c.ClientID == "" {
		return nil, invalid.Missing("ClientID", "the client id of the OAuth application")
	}
	c, client, err := c.complete()
	if err != nil {
		return nil, err
	}
	return c.askForToken(ctx, client, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURL},
		"client_id": {c.ClientID}, "client_secret": {c.ClientSecret},
	})
}

// LoginOptions say how [Login] meets the user. RedirectURL and Open are required.
type LoginOptions struct {
	// RedirectURL is one that the application has registered, http to a loopback
	// address with a port: "http://127.0.0.1:8717/callback". Port 0 takes a free
	// one, for servers that do not compare it.
	RedirectURL string
	// Open shows the user the page to go to: it prints the address, or starts a
	// browser. It must return soon.
	Open   func(page string) error
	Scopes []Scope // none: what the application has
}

// Login gets a grant from the user of this machine: it listens at a loopback
// address, has the user visit the broker's page, and trades the code that comes
// back for tokens. It waits until then or until ctx ends. A redirect with
// another state than its own, which is none that the broker sent, is answered
// with an error page and otherwise ignored.
func Login(ctx context.Context, cfg OAuthConfig, opts LoginOptions) (*oauth2.Token, error) {
	redirect, err := url.Parse(opts.RedirectURL)
	if err != nil || redirect.Scheme != "http" || !rest.Loopback(redirect.Hostname()) || redirect.Port() == "" || redirect.RawQuery != "" || redirect.User != nil {
		return nil, invalid.Field("RedirectURL", opts.RedirectURL, "http://127.0.0.1:PORT/PATH, as the application has registered it")
	}
	if opts.Open == nil {
		return nil, invalid.Missing("Open", "a function that shows the page to the user")
	}
	if _, _, err := cfg.complete(); err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", redirect.Host)
	if err != nil {
		return nil, fmt.Errorf("tastytrade: listening for the redirect: %w", err)
	}
	if redirect.Port() == "0" {
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		redirect.Host = net.JoinHostPort(redirect.Hostname(), port)
	}
	if redirect.Path == "" {
		redirect.Path = "/"
	}
	state := rand.Text()
	page, err := cfg.AuthorizeURL(redirect.String(), state, opts.Scopes...)
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	wait := &redirectHandler{path: redirect.Path, state: state, came: make(chan redirected, 1)}
	server := &http.Server{Handler: wait, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	defer func() {
		// The browser still gets its last page.
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(end) != nil {
			_ = server.Close()
		}
		<-done
	}()
	if err := opts.Open(page); err != nil {
		return nil, fmt.Errorf("tastytrade: showing the page: %w", err)
	}
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("tastytrade: no redirect came: %w", ctx.Err())
	case r := <-wait.came:
		if r.err != nil {
			return nil, r.err
		}
		return cfg.Exchange(ctx, r.code, redirect.String())
	}
}

type redirected struct {
	code string
	err  error
}

// A redirectHandler waits for the browser to come back.
type redirectHandler struct {
	path, state string
	came        chan redirected
}

func (h *redirectHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address holds the code
	w.Header().Set("Cache-Control", "no-store")
	say := func(status int, text string) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<!doctype html><title>ttai</title><p>%s</p>", html.EscapeString(text))
	}
	q := r.URL.Query()
	switch {
	case r.URL.Path != h.path || r.Method != http.MethodGet:
		say(http.StatusNotFound, "There is nothing here.")
		return
	case subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(h.state)) != 1:
		say(http.StatusBadRequest, "This redirect does not belong to the login that is waiting.")
		return
	}
	result := redirected{code: q.Get("code")}
	switch {
	case q.Get("error") != "":
		e := &APIError{Operation: "GET authorize page", Status: http.StatusForbidden, Code: clean(q.Get("error")), Message: clean(q.Get("error_description"))}
		result = redirected{err: e}
		say(http.StatusOK, "Access was not granted. You can close this page.")
	case result.code == "":
		result.err = errors.New("tastytrade: the redirect came without a code")
		say(http.StatusBadRequest, "The redirect came without a code.")
	default:
		say(http.StatusOK, "Done. You can close this page and go back to the program.")
	}
	select {
	case h.came <- result:
	default: // a second redirect; the first one counts
	}
}
