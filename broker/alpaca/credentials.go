package alpaca

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
)

// Credentials are a key pair, or an OAuth token alone. They never print.
type Credentials struct {
	KeyID  string
	Secret string
	Token  string // of OAuth; when set, the pair is not used
}

// CredentialsFunc gives the credentials for one request or one connection. It is
// called for each, so that a vault can rotate them; it should keep what is slow
// to fetch. It must be safe for concurrent use.
type CredentialsFunc func(ctx context.Context) (Credentials, error)

// Static returns a CredentialsFunc that always gives c.
func Static(c Credentials) CredentialsFunc {
	return func(context.Context) (Credentials, error) { return c, nil }
}

// String never shows a secret.
func (c Credentials) String() string { return "alpaca.Credentials(redacted)" }

// GoString never shows a secret.
func (c Credentials) GoString() string { return c.String() }

// Format never shows a secret, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.String())) }

// LogValue never shows a secret.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText never shows a secret.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c Credentials) usable() bool {
	for _, s := range []string{c.KeyID, c.Secret, c.Token} {
		if strings.ContainsAny(s, "\r\n\x00") {
			return false
		}
	}
	return c.Token != "" || c.KeyID != "" && c.Secret != ""
}

func (c Credentials) header() http.Header {
	h := http.Header{}
	if c.Token != "" {
		h.Set("Authorization", "Bearer "+c.Token)
	} else {
		h.Set("Apca-Api-Key-Id", c.KeyID)
		h.Set("Apca-Api-Secret-Key", c.Secret)
	}
	return h
}

// redact takes the credentials out of a text that came from elsewhere.
func (c Credentials) redact(text []byte) []byte {
	out := string(text)
	for _, secret := range []string{c.Secret, c.Token, c.KeyID} {
		if secret != "" {
			out = strings.ReplaceAll(out, secret, "[redacted]")
		}
	}
	return []byte(out)
}
