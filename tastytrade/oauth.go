package tastytrade

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
)

// A TokenSource gives access tokens. Token returns one that is valid now; it is
// called before every request, so it remembers. Implementations are safe for
// concurrent use. One that also has the method
//
//	Invalidate(accessToken string)
//
// is told when the broker refused that token, and fetches another next time.
type TokenSource interface {
	Token(ctx context.Context) (*oauth2.Token, error)
}

type invalidator interface{ Invalidate(accessToken string) }

// OAuthConfig is what a refresh needs. A personal user finds the values at
// my.tastytrade.com under OAuth applications; "Create Grant" gives the refresh
// token. It does not expire, but dies with the grant or a new client secret.
type OAuthConfig struct {
	BaseURL      string // empty: Production. Tokens of one environment are unknown to the other.
	ClientID     string // optional
	ClientSecret string
	RefreshToken string
	// AuthorizePage is where users grant access, for AuthorizeURL and Login;
	// empty: the broker's page for the environment of BaseURL.
	AuthorizePage string
	UserAgent     string           // empty: the default of ClientOptions
	HTTPClient    *http.Client     // nil: one of its own
	Dial          DialFunc         // nil: the network
	Now           func() time.Time // nil: time.Now
	// Early is how long before its end a token is replaced; 0: 60 s.
	Early time.Duration
	// Rotated, when set, gets a refresh token that the broker gave in place of
	// the old one, to be stored. It is called during Token.
	Rotated func(refreshToken string)
	// Token, when set, is used until it ends, before the first refresh: the one
	// that [OAuthConfig.Exchange] gave, or one that Refreshed stored.
	Token *oauth2.Token
	// Refreshed, when set, gets every new access token, to be stored for the
	// program's next start. It is called during Token.
	Refreshed func(*oauth2.Token)
}

// String hides the secrets.
func (c OAuthConfig) String() string {
	return "OAuthConfig{BaseURL: " + c.BaseURL + ", secrets: [redacted]}"
}

// GoString hides the secrets.
func (c OAuthConfig) GoString() string { return c.String() }

// RefreshTokenSource returns a [TokenSource] that trades a refresh token for
// access tokens, which live about 15 minutes. However many goroutines ask, one
// request is in flight. The credentials are sent to the host of BaseURL only;
// the request is never repeated by itself.
func RefreshTokenSource(cfg OAuthConfig) (TokenSource, error) {
	cfg, client, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	if cfg.RefreshToken == "" {
		return nil, invalid.Secret("RefreshToken", "the refresh token of a grant")
	}
	s := &refreshSource{cfg: cfg, client: client, turn: make(chan struct{}, 1)}
	if cfg.Token != nil && cfg.Token.AccessToken != "" && !cfg.Token.Expiry.IsZero() {
		t := *cfg.Token
		s.current = &t
	}
	s.turn <- struct{}{}
	return s, nil
}

// complete fills in what was left out and makes the client of the token call.
func (c OAuthConfig) complete() (OAuthConfig, *rest.Client, error) {
	if c.BaseURL == "" {
		c.BaseURL = Production
	}
	if c.UserAgent == "" {
		c.UserAgent = defaultUserAgent
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Early <= 0 {
		c.Early = time.Minute
	}
	if c.ClientSecret == "" {
		return c, nil, invalid.Secret("ClientSecret", "the client secret of an OAuth application")
	}
	if err := encrypted(c.BaseURL); err != nil {
		return c, nil, err
	}
	client, err := rest.New(rest.Options{
		BaseURL: c.BaseURL, UserAgent: c.UserAgent, HTTPClient: c.HTTPClient, Dial: c.Dial,
		Now: c.Now, MaxBytes: 1 << 20,
	})
	return c, client, err
}

type refreshSource struct {
	cfg    OAuthConfig // RefreshToken changes under turn
	client *rest.Client
	turn   chan struct{} // holds one token: who has it may refresh

	mu      sync.Mutex
	current *oauth2.Token
}

func (s *refreshSource) Token(ctx context.Context) (*oauth2.Token, error) {
	if t := s.valid(); t != nil {
		return t, nil
	}
	// A caller that gives up leaves the turn to the next: no one waits on a
	// request that belongs to another's context.
	select {
	case <-s.turn:
	case <-ctx.Done():
		return nil, &TransportError{Operation: tokenOperation, Err: ctx.Err()}
	}
	defer func() { s.turn <- struct{}{} }()
	if t := s.valid(); t != nil {
		return t, nil
	}
	t, err := s.refresh(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.current = t
	s.mu.Unlock()
	return t, nil
}

// Invalidate forgets accessToken, if it is still the current one.
func (s *refreshSource) Invalidate(accessToken string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && s.current.AccessToken == accessToken {
		s.current = nil
	}
}

func (s *refreshSource) valid() *oauth2.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || !s.current.Expiry.After(s.cfg.Now().Add(s.cfg.Early)) {
		return nil
	}
	t := *s.current
	return &t
}

const tokenOperation = "POST /oauth/token"

// refresh asks for a token.
//
// POST /oauth/token
func (s *refreshSource) refresh(ctx context.Context) (*oauth2.Token, error) {
	form := url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {s.cfg.RefreshToken},
		"client_secret": {s.cfg.ClientSecret},
	}
	if s.cfg.ClientID != "" {
		form.Set("client_id", s.cfg.ClientID)
	}
	t, err := s.cfg.askForToken(ctx, s.client, form)
	if err != nil {
		return nil, err
	}
	if t.RefreshToken != "" && t.RefreshToken != s.cfg.RefreshToken {
		s.cfg.RefreshToken = t.RefreshToken
		if s.cfg.Rotated != nil {
			s.cfg.Rotated(t.RefreshToken)
		}
	}
	t.RefreshToken = "" // users of the access token have no business with it
	if s.cfg.Refreshed != nil {
		kept := *t
		s.cfg.Refreshed(&kept)
	}
	return t, nil
}

func (s *refreshSource) issuedBy() string { return s.cfg.BaseURL }

// askForToken makes the token call, without an Authorization header: the broker
// refuses it with one.
func (c OAuthConfig) askForToken(ctx context.Context, client *rest.Client, form url.Values) (*oauth2.Token, error) {
	if c.HTTPClient == nil {
		defer client.CloseIdle() // the next call is minutes away
	}
	resp, err := client.Do(ctx, &rest.Request{
		Method:    http.MethodPost,
		Operation: tokenOperation,
		Path:      []string{"oauth", "token"},
		Header:    http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:      []byte(form.Encode()),
	})
	if err != nil {
		return nil, transportError(err, http.MethodGet) // repeating it does no harm
	}
	if resp.Status < 200 || resp.Status > 299 {
		e := answerError(tokenOperation, http.MethodGet, resp, c.Now())
		e.redact(c.ClientSecret, form.Get("refresh_token"), form.Get("code"))
		if errors.Is(e, ErrUnauthorized) {
			e.Hint = grantHint(c.BaseURL)
		}
		return nil, e
	}
	var body struct {
		AccessToken  string  `json:"access_token"`
		RefreshToken string  `json:"refresh_token"`
		ExpiresIn    float64 `json:"expires_in"`
		IDToken      string  `json:"id_token"`
	}
	if err := json.Unmarshal(resp.Body, &body); err != nil || body.AccessToken == "" {
		return nil, &APIError{Operation: tokenOperation, Status: resp.Status, Code: "malformed", Message: "no access token in the answer"}
	}
	if body.ExpiresIn <= 0 || body.ExpiresIn > 366*24*3600 {
		body.ExpiresIn = 900 // what the documentation says
	}
	t := &oauth2.Token{
		AccessToken: body.AccessToken, RefreshToken: body.RefreshToken, TokenType: "Bearer",
		Expiry: c.Now().Add(time.Duration(body.ExpiresIn * float64(time.Second))),
	}
	if body.IDToken != "" {
		t = t.WithExtra(map[string]any{"id_token": body.IDToken})
	}
	return t, nil
}

// StaticTokenSource returns a [TokenSource] of one access token, for tests and
// for programs that get their tokens elsewhere.
func StaticTokenSource(accessToken string) TokenSource {
	return oauth2Source{oauth2.StaticTokenSource(&oauth2.Token{AccessToken: accessToken, TokenType: "Bearer"})}
}

// FromOAuth2 makes a [TokenSource] of one of golang.org/x/oauth2, which knows
// no context: a call in flight cannot be cancelled.
func FromOAuth2(src oauth2.TokenSource) TokenSource { return oauth2Source{src} }

type oauth2Source struct{ src oauth2.TokenSource }

func (s oauth2Source) Token(ctx context.Context) (*oauth2.Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.src.Token()
}

// ToOAuth2 makes a token source of golang.org/x/oauth2 of src. Its calls run
// under ctx.
func ToOAuth2(ctx context.Context, src TokenSource) oauth2.TokenSource {
	return contextSource{ctx, src}
}

type contextSource struct {
	ctx context.Context
	src TokenSource
}

func (s contextSource) Token() (*oauth2.Token, error) { return s.src.Token(s.ctx) }
