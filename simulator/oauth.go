package simulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// How long tokens live.
const (
	accessLife = 15 * time.Minute
	quoteLife  = 24 * time.Hour
)

// A tokenBook holds the tokens that were handed out, by their SHA-256, so that
// looking one up takes no time that depends on its text.
type tokenBook struct {
	mu     sync.Mutex
	access map[[sha256.Size]byte]issued
	quote  map[[sha256.Size]byte]issued
	codes  map[[sha256.Size]byte]issued // of the authorization page
}

// An issued token is one that was handed out.
type issued struct {
	to      *customer
	expires time.Time
}

// newSecret returns n random bytes in hex.
func newSecret(random io.Reader, n int) (string, error) {
	raw := make([]byte, n)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", err
	}
	return hex.EncodeToString(raw), nil
}

func (b *tokenBook) add(kind *map[[sha256.Size]byte]issued, token string, now time.Time, life time.Duration, to *customer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if *kind == nil {
		*kind = map[[sha256.Size]byte]issued{}
	}
	for key, old := range *kind {
		if old.expires.Before(now.Add(-time.Hour)) { // an hour longer, to tell "expired" from "never heard of"
			delete(*kind, key)
		}
	}
	(*kind)[sha256.Sum256([]byte(token))] = issued{to, now.Add(life)}
}

// check returns whose token it is, nil when it was not handed out, and whether it
// has expired.
func (b *tokenBook) check(kind *map[[sha256.Size]byte]issued, token string, now time.Time) (to *customer, expired bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := (*kind)[sha256.Sum256([]byte(token))]
	return found.to, found.to != nil && !now.Before(found.expires)
}

// take is check for what can be used once.
func (b *tokenBook) take(kind *map[[sha256.Size]byte]issued, token string, now time.Time) (to *customer, expired bool) {
	to, expired = b.check(kind, token, now)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(*kind, sha256.Sum256([]byte(token)))
	return to, expired
}

// expire ends all tokens of a kind now.
func (b *tokenBook) expire(kind *map[[sha256.Size]byte]issued, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, t := range *kind {
		if now.Before(t.expires) {
			(*kind)[key] = issued{t.to, now}
		}
	}
}

// ExpireTokens ends every access token and every quote token now, as if their
// time had come. Refresh tokens stay good.
func (s *Simulator) ExpireTokens() {
	now := s.wall.Now()
	s.tokens.expire(&s.tokens.access, now)
	s.tokens.expire(&s.tokens.quote, now)
}

// A grant is what a customer's refresh token stands for.
type grant struct {
	mu      sync.Mutex
	revoked bool
}

// RevokeGrant makes a customer's refresh token worthless, as deleting the grant
// does at the broker; with revoked false it is good again. Access tokens live on to
// their end.
func (s *Simulator) RevokeGrant(customerID string, revoked bool) error {
	for _, c := range s.customers {
		if c.id == customerID {
			c.grant.mu.Lock()
			c.grant.revoked = revoked
			c.grant.mu.Unlock()
			return nil
		}
	}
	return invalid.Field("customerID", customerID, "the number of a customer")
}

func (c *customer) revoked() bool {
	c.grant.mu.Lock()
	defer c.grant.mu.Unlock()
	return c.grant.revoked
}

type oauthAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// oauthToken serves POST /oauth/token with the grants refresh_token and
// authorization_code. Its answers are flat, in snake case and without the
// envelope.
func (s *Simulator) oauthToken(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, code, description string) {
		writeJSON(w, status, oauthError{Error: code, Description: description})
	}
	if r.Header.Get("Authorization") != "" {
		// The real endpoint fails when a stale token is sent along.
		refuse(http.StatusUnauthorized, "invalid_client", "Do not send an Authorization header with a token request")
		return
	}
	form, ok := tokenForm(r)
	if !ok {
		refuse(http.StatusBadRequest, "invalid_request", "The body is neither JSON nor a form")
		return
	}
	secret, kind := "", form("grant_type")
	switch kind {
	case "":
		refuse(http.StatusBadRequest, "invalid_request", "Missing required parameter: grant_type")
		return
	case "refresh_token":
		secret = form("refresh_token")
	case "authorization_code":
		secret, kind = form("code"), "code"
	default:
		refuse(http.StatusBadRequest, "unsupported_grant_type", "The simulator knows the grants refresh_token and authorization_code")
		return
	}
	if secret == "" {
		refuse(http.StatusBadRequest, "invalid_request", "Missing required parameter: "+kind)
		return
	}
	id := form("client_id")
	clients := slices.DeleteFunc(slices.Clone(s.customers), func(c *customer) bool {
		k := c.credentials
		return !same(form("client_secret"), k.ClientSecret) || id != "" && !same(id, k.ClientID)
	})
	if len(clients) == 0 {
		refuse(http.StatusUnauthorized, "invalid_client", "Client authentication failed")
		return
	}
	var to *customer
	if kind == "code" {
		found, expired := s.tokens.take(&s.tokens.codes, secret, s.wall.Now())
		if found != nil && !expired && slices.Contains(clients, found) {
			to = found
		}
	}
	for _, c := range clients {
		if kind == "refresh_token" && same(secret, c.credentials.RefreshToken) && !c.revoked() {
			to = c
		}
	}
	if to == nil {
		refuse(http.StatusBadRequest, "invalid_grant", "Grant revoked")
		return
	}
	token, err := newSecret(s.random, 32)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	s.tokens.add(&s.tokens.access, token, s.wall.Now(), s.accessLife, to)
	w.Header().Set("Cache-Control", "no-store")
	answer := oauthAnswer{AccessToken: token, TokenType: "Bearer", ExpiresIn: int(s.accessLife / time.Second)}
	if kind == "code" {
		answer.RefreshToken = to.credentials.RefreshToken
	}
	writeJSON(w, http.StatusOK, answer)
}

// codeLife is how long the code of the authorization page is good.
const codeLife = 10 * time.Minute

// authorizePage serves GET /auth.html: the page where a user would grant access
// to an application. The simulated user always does, and is the one whose
// application it is.
func (s *Simulator) authorizePage(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	back, err := url.Parse(query.Get("redirect_uri"))
	at := slices.IndexFunc(s.customers, func(c *customer) bool { return same(query.Get("client_id"), c.credentials.ClientID) })
	if err != nil || back.Host == "" || query.Get("response_type") != "code" || at < 0 {
		http.Error(w, "The link is wrong: client_id, redirect_uri and response_type=code are needed.", http.StatusBadRequest)
		return
	}
	code, err := newSecret(s.random, 16)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	s.tokens.add(&s.tokens.codes, code, s.wall.Now(), codeLife, s.customers[at])
	values := back.Query()
	values.Set("code", code)
	if state := query.Get("state"); state != "" {
		values.Set("state", state)
	}
	back.RawQuery = values.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// tokenForm reads the parameters of a token request, sent as JSON or as a form.
func tokenForm(r *http.Request) (func(string) string, bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return nil, false
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if strings.HasSuffix(kind, "json") {
		var fields map[string]any
		if json.Unmarshal(body, &fields) != nil {
			return nil, false
		}
		return func(name string) string {
			text, _ := fields[name].(string)
			return text
		}, true
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, false
	}
	return values.Get, true
}

// same compares secrets in a time that does not depend on their content.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// authorize returns whose live access token the request carries, and answers it
// otherwise.
func (s *Simulator) authorize(w http.ResponseWriter, r *http.Request) (from *customer, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token == "" || !strings.EqualFold(scheme, "Bearer") {
		s.refuse(w, http.StatusUnauthorized, "unauthorized", "Unauthorized")
		return nil, false
	}
	from, expired := s.tokens.check(&s.tokens.access, token, s.wall.Now())
	if from == nil || expired {
		s.refuse(w, http.StatusUnauthorized, "token_invalid", "This token is invalid or has expired")
		return nil, false
	}
	return from, true
}
