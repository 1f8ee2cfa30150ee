package vault

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/ttai-go/ttai/internal/invalid"
)

// MasterKeys are one or more keys of 256 bits, the current one last. Like a
// [Secret] they print nothing of themselves. They are not changed once made.
type MasterKeys struct {
	keys []masterKey
}

type masterKey struct {
	id  string // derived from the key; tells nothing about it
	key Secret
}

// linePrefix begins each line of the text form.
const linePrefix = "ttai-key-1"

// allowedKeys is what ParseMasterKeys accepts.
const allowedKeys = `one key of 32 bytes a line, as 64 hexadecimal digits, as base64, or as written by this package ("ttai-key-1 id key")`

// NewMasterKeys makes one random key.
func NewMasterKeys() MasterKeys { return MasterKeys{}.WithNew() }

// WithNew returns the keys with one more, random and now the current one.
func (m MasterKeys) WithNew() MasterKeys {
	raw := make([]byte, keySize)
	_, _ = rand.Read(raw) // it never fails
	return m.with(raw)
}

// with takes raw over.
func (m MasterKeys) with(raw []byte) MasterKeys {
	keys := append([]masterKey(nil), m.keys...)
	id := masterID(raw)
	return MasterKeys{append(keys, masterKey{id: id, key: own(raw)})}
}

// masterID names a key by a digest of it that is used for nothing else.
func masterID(raw []byte) string {
	id, err := hkdf.Key(sha256.New, raw, nil, "ttai vault master key id", 8)
	if err != nil {
		return "" // impossible for eight bytes
	}
	return hex.EncodeToString(id)
}

// ParseMasterKeys reads keys from text, the current one last: one a line, each
// as 64 hexadecimal digits (openssl rand -hex 32), as base64 (openssl rand
// -base64 32), or as Text writes it. Empty lines and what follows a # are
// skipped. It returns a *FieldError that shows no line when one is something
// else. It clears nothing: text stays the caller's.
func ParseMasterKeys(text []byte) (MasterKeys, error) {
	var m MasterKeys
	for i, line := range bytes.Split(text, []byte("\n")) {
		line, _, _ = bytes.Cut(line, []byte("#"))
		fields := bytes.Fields(line)
		var id, encoded []byte
		switch {
		case len(fields) == 0:
			continue
		case len(fields) == 1:
			encoded = fields[0]
		case len(fields) == 3 && string(fields[0]) == linePrefix:
			id, encoded = fields[1], fields[2]
		}
		raw := decodeKey(encoded)
		if raw == nil || id != nil && masterID(raw) != string(id) {
			clear(raw)
			return MasterKeys{}, invalid.Secret(fmt.Sprintf("keys, line %d", i+1), allowedKeys)
		}
		if _, ok := m.find(masterID(raw)); ok {
			clear(raw)
			return MasterKeys{}, invalid.Secret(fmt.Sprintf("keys, line %d", i+1), "each key once")
		}
		m = m.with(raw)
	}
	if m.empty() {
		return MasterKeys{}, invalid.Secret("keys", allowedKeys)
	}
	return m, nil
}

// decodeKey returns nil for anything but a key. All zeros are no key: they are
// what an unset variable or an empty device looks like.
func decodeKey(encoded []byte) []byte {
	raw := make([]byte, keySize+3) // base64 decodes in steps of three bytes
	var n int
	var err error
	if len(encoded) == hex.EncodedLen(keySize) {
		n, err = hex.Decode(raw, encoded)
	} else if len(encoded) <= base64.StdEncoding.EncodedLen(keySize) {
		n, err = base64.RawStdEncoding.Strict().Decode(raw, bytes.TrimRight(encoded, "="))
	}
	if err != nil || n != keySize || bytes.Count(raw[:n], []byte{0}) == n {
		clear(raw)
		return nil
	}
	return raw[:n:n]
}

// Text is the keys as ParseMasterKeys reads them, for writing them where they
// are kept.
func (m MasterKeys) Text() (Secret, error) {
	var text []byte
	for _, k := range m.keys {
		err := k.key.Use(func(raw []byte) error {
			line := make([]byte, 0, 128)
			line = append(line, linePrefix+" "+k.id+" "...)
			line = base64.StdEncoding.AppendEncode(line, raw)
			line = append(line, '\n')
			grown := append(append(make([]byte, 0, len(text)+len(line)), text...), line...)
			clear(line)
			clear(text)
			text = grown
			return nil
		})
		if err != nil {
			clear(text)
			return Secret{}, err
		}
	}
	return own(text), nil
}

// IDs returns the names of the keys, the current one last. They are not
// secret.
func (m MasterKeys) IDs() []string {
	ids := make([]string, len(m.keys))
	for i, k := range m.keys {
		ids[i] = k.id
	}
	return ids
}

// Without returns the keys but one. The current key, and one that is not
// there, is a *FieldError.
func (m MasterKeys) Without(id string) (MasterKeys, error) {
	var kept []masterKey
	for i, k := range m.keys {
		if k.id != id || i == len(m.keys)-1 {
			kept = append(kept, k)
		}
	}
	if len(kept) == len(m.keys) {
		return m, invalid.Field("id", id, "the id of a key that is no longer the current one")
	}
	return MasterKeys{kept}, nil
}

// Destroy clears all keys.
func (m MasterKeys) Destroy() {
	for _, k := range m.keys {
		k.key.Destroy()
	}
}

func (m MasterKeys) empty() bool { return len(m.keys) == 0 }

func (m MasterKeys) current() (string, Secret) {
	k := m.keys[len(m.keys)-1]
	return k.id, k.key
}

func (m MasterKeys) find(id string) (Secret, bool) {
	for _, k := range m.keys {
		if k.id == id {
			return k.key, true
		}
	}
	return Secret{}, false
}
