package vault_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/vault"
)

func stored(f *testing.F) (sealed, keyset []byte) {
	s := newShelf("t")
	v, err := vault.Open(s, newWrapper(f), nil)
	if err != nil {
		f.Fatal(err)
	}
	put(f, v, ann, hidden)
	if err := v.AddKey(f.Context()); err != nil {
		f.Fatal(err)
	}
	return s.binary(f, s.secrets()[0], "sealed"), s.binary(f, keys, "keyset")
}

func seed(f *testing.F, whole []byte) {
	for n := 0; n < len(whole); n += 7 {
		f.Add(whole[:n])
	}
	f.Add(whole)
	f.Add(append([]byte{}, "TTV\x02rest"...))
	f.Add(append([]byte{}, "TTK\x01\xff\xff"...))
}

func FuzzEnvelope(f *testing.F) {
	whole, _ := stored(f)
	seed(f, whole)
	f.Fuzz(func(t *testing.T, b []byte) {
		rest, err := vault.FuzzedEnvelope(b)
		if err != nil {
			assert.True(t, errors.Is(err, storage.ErrCorrupt) || errors.Is(err, storage.ErrNewer), err)
			return
		}
		// A header of 24 bytes is all that is ever cut off, and what is left has
		// room for a nonce and a tag.
		assert.Equal(t, len(b)-24, rest)
		assert.GreaterOrEqual(t, rest, 28)
	})
}

func FuzzKeyset(f *testing.F) {
	_, whole := stored(f)
	seed(f, whole)
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := vault.FuzzedKeyset(b)
		if err != nil {
			assert.True(t, errors.Is(err, storage.ErrCorrupt) || errors.Is(err, storage.ErrNewer), err)
			return
		}
		assert.Equal(t, b, again, "one keyset has one form")
	})
}

func FuzzParseMasterKeys(f *testing.F) {
	f.Add([]byte("ttai-key-1 0011223344556677 AAAA"))
	f.Add([]byte("abababababababababababababababababababababababababababababababab # x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := vault.ParseMasterKeys(b)
		if err != nil {
			var invalid *vault.FieldError
			assert.ErrorAs(t, err, &invalid)
			return
		}
		text, err := keys.Text()
		assert.NoError(t, err)
		assert.NoError(t, text.Use(func(text []byte) error {
			again, err := vault.ParseMasterKeys(text)
			assert.Equal(t, keys.IDs(), again.IDs())
			return err
		}))
	})
}
