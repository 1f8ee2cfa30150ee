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
	"strings"
	"sync"
	"time"
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
	access map[[sha256.Size]byte]time.Time // to expiry
	quote  map[[sha256.Size]byte]time.Time
}

// newSecret returns n random bytes in hex.
func newSecret(random io.Reader, n int) (string, error) {
	raw := make([]byte, n)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", err
	}
	return hex.EncodeToString(raw), nil
}

func (b *tokenBook) add(kind *map[[sha256.Size]byte]time.Time, token string, now time.Time, life time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if *kind == nil {
		*kind = map[[sha256.Size]byte]time.Time{}
	}
	for key, expiry := range *kind {
		if expiry.Before(now.Add(-time.Hour)) { // an hour longer, to tell "expired" from "never heard of"
			delete(*kind, key)
		}
	}
	(*kind)[sha256.Sum256([]byte(token))] = now.Add(life)
}

// check reports whether token was handed out, and whether it has expired.
func (b *tokenBook) check(kind *map[[sha256.Size]byte]time.Time, token string, now time.Time) (known, expired bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	expiry, known := (*kind)[sha256.Sum256([]byte(token))]
	return known, known && !now.Before(expiry)
}

type oauthAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
}

type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// oauthToken serves POST /oauth/token with the refresh_token grant. Its answers
// are flat, in snake case and without the envelope.
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
	switch grant := form("grant_type"); {
	case grant == "":
		refuse(http.StatusBadRequest, "invalid_request", "Missing required parameter: grant_type")
		return
	case grant != "refresh_token":
		refuse(http.StatusBadRequest, "unsupported_grant_type", "The simulator knows the grant refresh_token")
		return
	case form("refresh_token") == "":
		refuse(http.StatusBadRequest, "invalid_request", "Missing required parameter: refresh_token")
		return
	}
	c := s.credentials
	id := form("client_id")
	if !same(form("client_secret"), c.ClientSecret) || id != "" && !same(id, c.ClientID) {
		refuse(http.StatusUnauthorized, "invalid_client", "Client authentication failed")
		return
	}
	if !same(form("refresh_token"), c.RefreshToken) {
		refuse(http.StatusBadRequest, "invalid_grant", "Grant revoked")
		return
	}
	token, err := newSecret(s.random, 32)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	s.tokens.add(&s.tokens.access, token, s.wall.Now(), accessLife)
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, oauthAnswer{AccessToken: token, TokenType: "Bearer", ExpiresIn: int(accessLife / time.Second)})
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

// authorize reports whether the request carries a live access token, and
// answers it otherwise.
func (s *Simulator) authorize(w http.ResponseWriter, r *http.Request) (token string, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token == "" || !strings.EqualFold(scheme, "Bearer") {
		s.refuse(w, http.StatusUnauthorized, "unauthorized", "Unauthorized")
		return "", false
	}
	known, expired := s.tokens.check(&s.tokens.access, token, s.wall.Now())
	if !known || expired {
		s.refuse(w, http.StatusUnauthorized, "token_invalid", "This token is invalid or has expired")
		return "", false
	}
	return token, true
}
