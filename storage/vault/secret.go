package vault

import (
	"crypto/subtle"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
)

// ErrDestroyed: the secret has been cleared, or was never there.
var ErrDestroyed = errors.New("vault: secret is destroyed")

// redacted is what a secret prints as, whatever is asked of it.
const redacted = "[redacted]"

// A Secret holds bytes that must not be printed. It shows none of them to fmt,
// encoding/json, log/slog or any other printer, and clears them when it is
// destroyed, or when nothing refers to it any more. Copies of a Secret are the
// same secret. The zero Secret is a destroyed one. It is safe for concurrent
// use.
type Secret struct {
	// The bytes are a variable of this function: printers that walk through
	// pointers and unexported fields, as test libraries do, stop at a function.
	hold func(operation) ([]byte, bool)
}

// An operation asks a secret's function for something.
type operation int8

const (
	copyOut operation = iota
	destroy
)

// NewSecret takes b over: it copies b and clears it.
func NewSecret(b []byte) Secret {
	s := own(append(make([]byte, 0, len(b)), b...))
	clear(b)
	return s
}

// SecretString is NewSecret of a string, which, being a string, stays in
// memory.
func SecretString(s string) Secret { return own([]byte(s)) }

type guarded struct {
	mu   sync.Mutex
	data []byte
	live bool
}

// own makes b the secret, without a copy.
func own(b []byte) Secret {
	g := &guarded{data: b, live: true}
	runtime.AddCleanup(g, func(b []byte) { clear(b) }, b)
	return Secret{hold: func(op operation) ([]byte, bool) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if op == destroy {
			clear(g.data)
			g.live = false
		}
		if !g.live {
			return nil, false
		}
		return append(make([]byte, 0, len(g.data)), g.data...), true
	}}
}

// Use calls fn with a copy of the bytes and clears the copy when fn returns: fn
// must not keep it. It returns fn's error, or ErrDestroyed. Destroy may be
// called meanwhile, also by fn.
func (s Secret) Use(fn func([]byte) error) error {
	if s.hold == nil {
		return ErrDestroyed
	}
	b, ok := s.hold(copyOut)
	if !ok {
		return ErrDestroyed
	}
	defer clear(b)
	return fn(b)
}

// Destroy clears the bytes. Destroying twice is harmless.
func (s Secret) Destroy() {
	if s.hold != nil {
		s.hold(destroy)
	}
}

// Equal reports whether both secrets are there and hold the same bytes. The
// time it takes tells nothing but their lengths.
func (s Secret) Equal(other Secret) bool {
	equal := false
	err := s.Use(func(a []byte) error {
		return other.Use(func(b []byte) error {
			equal = subtle.ConstantTimeCompare(a, b) == 1
			return nil
		})
	})
	return err == nil && equal
}

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (s Secret) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns "[redacted]" in quotes.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns "[redacted]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalXML writes "[redacted]".
func (s Secret) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement(redacted, start)
}

// MarshalBinary refuses, which keeps secrets out of gob.
func (s Secret) MarshalBinary() ([]byte, error) {
	return nil, errors.New("vault: a secret is not encoded")
}
