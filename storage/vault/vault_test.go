package vault_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/vault"
)

var (
	ann = vault.Ref{User: "ann", Provider: "tastytrade", Name: "refresh-token"}
	bob = vault.Ref{User: "bob", Provider: "tastytrade", Name: "refresh-token"}
)

func newWrapper(t testing.TB) *vault.LocalKeys {
	t.Helper()
	w, err := vault.NewLocalKeys(vault.NewMasterKeys())
	require.NoError(t, err)
	return w
}

func open(t testing.TB, tenant vault.Tenant, w vault.KeyWrapper, opts *vault.Options) *vault.Vault {
	t.Helper()
	v, err := vault.Open(tenant, w, opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	return v
}

func put(t testing.TB, v *vault.Vault, ref vault.Ref, text string) {
	t.Helper()
	require.NoError(t, v.Put(t.Context(), ref, vault.SecretString(text), 0))
}

func get(t testing.TB, v *vault.Vault, ref vault.Ref) string {
	t.Helper()
	s, err := v.Get(t.Context(), ref)
	require.NoError(t, err)
	defer s.Destroy()
	return bytesOf(t, s)
}

func refs(t testing.TB, v *vault.Vault, user string) []vault.Ref {
	t.Helper()
	var out []vault.Ref
	for ref, err := range v.All(t.Context(), user) {
		require.NoError(t, err)
		out = append(out, ref)
	}
	return out
}

func TestASecretComesBackAsItWasStored(t *testing.T) {
	v := open(t, newShelf("t"), newWrapper(t), nil)
	for name, text := range map[string]string{
		"text": hidden, "empty": "", "binary": "\x00\xff\x00", "long": strings.Repeat("x", vault.MaxSecret),
	} {
		ref := vault.Ref{User: "ann", Provider: "p", Name: name}
		put(t, v, ref, text)
		assert.True(t, text == get(t, v, ref), name)
	}
	put(t, v, vault.Ref{User: "ann", Provider: "p", Name: "text"}, "another")
	assert.Equal(t, "another", get(t, v, vault.Ref{User: "ann", Provider: "p", Name: "text"}))
}

func TestOneSecretSealedTwiceLooksDifferent(t *testing.T) {
	s := newShelf("t")
	v := open(t, s, newWrapper(t), nil)
	put(t, v, ann, hidden)
	first := s.binary(t, s.secrets()[0], "sealed")
	put(t, v, ann, hidden)
	second := s.binary(t, s.secrets()[0], "sealed")
	require.Len(t, second, len(first))
	const header = 24
	assert.Equal(t, first[:header], second[:header])
	assert.NotEqual(t, first[header:header+12], second[header:header+12], "the nonce is another")
	assert.NotEqual(t, first[header+12:], second[header+12:])
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	v := open(t, newShelf("t"), newWrapper(t), nil)
	_, err := v.Get(t.Context(), ann)
	assert.ErrorIs(t, err, storage.ErrNotFound)
	require.NoError(t, v.Delete(t.Context(), ann))
	put(t, v, ann, hidden)
	_, err = v.Get(t.Context(), bob)
	assert.ErrorIs(t, err, storage.ErrNotFound)
	require.NoError(t, v.Delete(t.Context(), ann))
	_, err = v.Get(t.Context(), ann)
	assert.ErrorIs(t, err, storage.ErrNotFound)
}

func TestRefsThatACarelessEncodingConfusesAreDifferentSecrets(t *testing.T) {
	v := open(t, newShelf("t"), newWrapper(t), nil)
	all := []vault.Ref{
		{User: "a", Provider: "b", Name: "c"}, {User: "a", Provider: "bc"}, {User: "ab", Provider: "c"}, {User: "ab", Provider: "c", Name: "c"},
		{User: "a/b", Provider: "c"}, {User: "a", Provider: "b/c"}, {User: "a%2Fb", Provider: "c"}, {User: "A", Provider: "b", Name: "c"},
		{User: strings.Repeat("u", vault.MaxUser), Provider: strings.Repeat("p", vault.MaxProvider), Name: strings.Repeat("n", vault.MaxName)},
	}
	for i, ref := range all {
		put(t, v, ref, fmt.Sprint(i))
	}
	for i, ref := range all {
		assert.Equal(t, fmt.Sprint(i), get(t, v, ref), "%+v", ref)
	}
	assert.ElementsMatch(t, all, refs(t, v, ""))
}

func TestSecretsAreListedByUserProviderAndName(t *testing.T) {
	s := newShelf("t")
	v := open(t, s, newWrapper(t), nil)
	want := []vault.Ref{
		{User: "a", Provider: "x"}, {User: "a", Provider: "x", Name: "1"}, {User: "a", Provider: "y"}, {User: "a b", Provider: "x"}, {User: "b", Provider: "x"},
	}
	for _, i := range []int{3, 0, 4, 2, 1} {
		put(t, v, want[i], hidden)
	}
	assert.Equal(t, want, refs(t, v, ""))
	assert.Equal(t, want[:3], refs(t, v, "a"))
	assert.Empty(t, refs(t, v, "nobody"))
	for range v.All(t.Context(), "") {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	for _, err := range v.All(ctx, "") {
		assert.ErrorIs(t, err, context.Canceled)
		n++
	}
	assert.Equal(t, 1, n)
}

func TestASecretExpires(t *testing.T) {
	now := time.Date(2026, 3, 2, 14, 30, 0, 0, time.UTC)
	v := open(t, newShelf("t"), newWrapper(t), &vault.Options{Now: func() time.Time { return now }})
	require.NoError(t, v.Put(t.Context(), ann, vault.SecretString(hidden), 15*time.Minute))
	put(t, v, bob, hidden)
	now = now.Add(15*time.Minute - time.Millisecond)
	assert.Equal(t, hidden, get(t, v, ann))
	now = now.Add(time.Millisecond)
	_, err := v.Get(t.Context(), ann)
	assert.ErrorIs(t, err, storage.ErrNotFound)
	assert.Equal(t, []vault.Ref{bob}, refs(t, v, ""))
	assert.Equal(t, hidden, get(t, v, bob))
}

func TestBadArgumentsAreNamed(t *testing.T) {
	s := newShelf("t")
	w := newWrapper(t)
	v := open(t, s, w, nil)
	long := strings.Repeat("x", 200)
	secret := vault.SecretString(hidden)
	for field, call := range map[string]func() error{
		"user":     func() error { return v.Put(t.Context(), vault.Ref{Provider: "p"}, secret, 0) },
		"provider": func() error { _, err := v.Get(t.Context(), vault.Ref{User: "u", Provider: long}); return err },
		"name":     func() error { return v.Delete(t.Context(), vault.Ref{User: "u", Provider: "p", Name: "\x1f"}) },
		"ttl":      func() error { return v.Put(t.Context(), ann, secret, -1) },
		"secret": func() error {
			return v.Put(t.Context(), ann, vault.NewSecret(make([]byte, vault.MaxSecret+1)), 0)
		},
		"tenant":  func() error { _, err := vault.Open(nil, w, nil); return err },
		"wrapper": func() error { _, err := vault.Open(s, nil, nil); return err },
		"keys":    func() error { _, err := vault.NewLocalKeys(vault.MasterKeys{}); return err },
	} {
		err := call()
		var invalid *vault.FieldError
		require.ErrorAs(t, err, &invalid, field)
		assert.Equal(t, field, invalid.Field)
	}
	assert.ErrorIs(t, v.Put(t.Context(), ann, vault.Secret{}, 0), vault.ErrDestroyed)
	assert.Empty(t, s.secrets(), "nothing was stored")
}

func TestAClosedVaultForgetsItsKeys(t *testing.T) {
	v := open(t, newShelf("t"), newWrapper(t), nil)
	put(t, v, ann, hidden)
	held := v.KeysInMemory()
	require.Len(t, held, 1)
	require.NoError(t, v.Close())
	require.NoError(t, v.Close())
	assert.ErrorIs(t, held[0].Use(func([]byte) error { return nil }), vault.ErrDestroyed)
	_, err := v.Get(t.Context(), ann)
	assert.ErrorIs(t, err, storage.ErrClosed)
	assert.ErrorIs(t, v.Put(t.Context(), ann, vault.SecretString(hidden), 0), storage.ErrClosed)
	assert.ErrorIs(t, v.Delete(t.Context(), ann), storage.ErrClosed)
	_, err = v.Rotate(t.Context())
	assert.ErrorIs(t, err, storage.ErrClosed)
	for _, err := range v.All(t.Context(), "") {
		assert.ErrorIs(t, err, storage.ErrClosed)
	}
}

func TestKeysStayInMemoryForAsLongAsTheOptionsSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := newShelf("t"), &countingWrapper{KeyWrapper: newWrapper(t)}
		v := open(t, s, w, &vault.Options{KeepKeys: time.Minute})
		put(t, v, ann, hidden)
		held := v.KeysInMemory()
		require.Len(t, held, 1)
		for range 10 {
			get(t, v, ann)
		}
		assert.Zero(t, w.unwraps, "the key that was just made is in memory")
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		assert.Zero(t, v.Held())
		assert.ErrorIs(t, held[0].Use(func([]byte) error { return nil }), vault.ErrDestroyed)
		get(t, v, ann)
		assert.Equal(t, 1, w.unwraps)

		none := open(t, s, w, &vault.Options{KeepKeys: -1})
		get(t, none, ann)
		assert.Zero(t, none.Held())
	})
}

type countingWrapper struct {
	vault.KeyWrapper
	unwraps int
}

func (w *countingWrapper) Unwrap(ctx context.Context, master string, wrapped, binding []byte) ([]byte, error) {
	w.unwraps++
	return w.KeyWrapper.Unwrap(ctx, master, wrapped, binding)
}

func TestAStolenDatabaseShowsNothing(t *testing.T) {
	s := newShelf("t")
	v := open(t, s, newWrapper(t), nil)
	put(t, v, ann, hidden)
	stolen := s.everything()
	assert.NotContains(t, stolen, hidden)
	assert.NotContains(t, stolen, base64.StdEncoding.EncodeToString([]byte(hidden))[:16])
	for _, key := range v.KeysInMemory() {
		raw := bytesOf(t, key)
		assert.NotContains(t, stolen, raw)
		assert.NotContains(t, stolen, base64.StdEncoding.EncodeToString([]byte(raw))[:40])
		assert.NotContains(t, string(s.binary(t, keys, "keyset")), raw)
	}
	thief := open(t, s.copied("t"), newWrapper(t), nil)
	_, err := thief.Get(t.Context(), ann)
	assert.ErrorIs(t, err, vault.ErrNoKey)
	assert.NotContains(t, err.Error(), hidden)
	assert.ErrorIs(t, thief.Put(t.Context(), ann, vault.SecretString("x"), 0), vault.ErrNoKey)
	assert.ErrorIs(t, thief.Rewrap(t.Context()), vault.ErrNoKey)
}

func TestASwappedRowDoesNotDecrypt(t *testing.T) {
	s := newShelf("t")
	v := open(t, s, newWrapper(t), nil)
	put(t, v, ann, "ann's")
	put(t, v, bob, "bob's")
	at := s.secrets()
	anns, bobs := s.binary(t, at[0], "sealed"), s.binary(t, at[1], "sealed")
	require.Len(t, anns, len(bobs))

	// The envelope alone in the other's row.
	s.overwrite(t, at[0], "sealed", bobs)
	_, err := v.Get(t.Context(), ann)
	assert.ErrorIs(t, err, storage.ErrCorrupt)

	// The whole record in the other's row.
	s.rows[at[0]] = row{Record: s.rows[at[1]].Record}
	_, err = v.Get(t.Context(), ann)
	assert.ErrorIs(t, err, storage.ErrCorrupt)
	assert.Equal(t, "bob's", get(t, v, bob))

	// The same user, another provider or name.
	other := vault.Ref{User: "bob", Provider: "alpaca"}
	put(t, v, other, "other")
	for _, p := range s.secrets() {
		s.overwrite(t, p, "sealed", bobs)
	}
	_, err = v.Get(t.Context(), other)
	assert.ErrorIs(t, err, storage.ErrCorrupt)
	assert.Equal(t, "bob's", get(t, v, bob))
}

func TestAnotherTenantsRowsDoNotDecrypt(t *testing.T) {
	w := newWrapper(t)
	s := newShelf("one")
	put(t, open(t, s, w, nil), ann, hidden)
	// The same rows, and the same master key, opened for another tenant.
	_, err := open(t, s.copied("two"), w, nil).Get(t.Context(), ann)
	assert.ErrorIs(t, err, storage.ErrCorrupt)

	// One secret moved to a tenant that has keys of its own.
	own := newShelf("two")
	v := open(t, own, w, nil)
	put(t, v, ann, "two's")
	own.overwrite(t, own.secrets()[0], "sealed", s.binary(t, s.secrets()[0], "sealed"))
	_, err = v.Get(t.Context(), ann)
	assert.ErrorIs(t, err, vault.ErrNoKey, "its key is the other tenant's")

	// And the keys with it.
	own.overwrite(t, keys, "keyset", s.binary(t, keys, "keyset"))
	_, err = open(t, own, w, nil).Get(t.Context(), ann)
	assert.ErrorIs(t, err, storage.ErrCorrupt)
}

func TestNoChangedBitAndNoShorterValueDecrypts(t *testing.T) {
	w := newWrapper(t)
	s := newShelf("t")
	now := func() time.Time { return time.Unix(1000, 0) }
	v := open(t, s, w, &vault.Options{Now: now})
	require.NoError(t, v.Put(t.Context(), ann, vault.SecretString(hidden), time.Hour))
	for at, field := range map[place]string{s.secrets()[0]: "sealed", keys: "keyset"} {
		whole := s.binary(t, at, field)
		refused := func(b []byte, what string) {
			t.Helper()
			s.overwrite(t, at, field, b)
			// A vault that remembers nothing, and one that knows the keys.
			for _, v := range []*vault.Vault{open(t, s, w, &vault.Options{Now: now, KeepKeys: -1}), v} {
				if field == "keyset" {
					_, err := v.Keys(t.Context())
					require.Error(t, err, what)
					continue
				}
				_, err := v.Get(t.Context(), ann)
				require.Error(t, err, what)
				assert.True(t, errors.Is(err, storage.ErrCorrupt) || errors.Is(err, vault.ErrNoKey) || errors.Is(err, storage.ErrNewer), "%s: %v", what, err)
				assert.NotContains(t, err.Error(), hidden)
			}
		}
		for i := range whole {
			for bit := range 8 {
				b := bytes.Clone(whole)
				b[i] ^= 1 << bit
				refused(b, fmt.Sprintf("%s: bit %d of byte %d", field, bit, i))
			}
		}
		for n := range len(whole) {
			refused(whole[:n], fmt.Sprintf("%s: the first %d bytes", field, n))
		}
		refused(append(bytes.Clone(whole), 0), field+": a byte more")
		refused(nil, field+": nothing")
		s.overwrite(t, at, field, whole)
		assert.Equal(t, hidden, get(t, v, ann), "the original still decrypts")
	}
	for name, data := range map[string]string{"no JSON": `{`, "no record of ours": `{"user":1}`, "empty": `{}`} {
		changed := s.copied("t")
		at := changed.secrets()[0]
		changed.rows[at] = row{Record: storage.Record{ID: at[1], Version: 99, Data: []byte(data)}}
		_, err := open(t, changed, w, nil).Get(t.Context(), ann)
		assert.ErrorIs(t, err, storage.ErrCorrupt, name)
	}
}

func TestALaterFormatIsToldApartFromDamage(t *testing.T) {
	w := newWrapper(t)
	s := newShelf("t")
	v := open(t, s, w, nil)
	put(t, v, ann, hidden)
	later := s.binary(t, s.secrets()[0], "sealed")
	later[3] = 2
	s.overwrite(t, s.secrets()[0], "sealed", later)
	_, err := v.Get(t.Context(), ann)
	assert.ErrorIs(t, err, storage.ErrNewer)

	later = s.binary(t, keys, "keyset")
	later[3] = 2
	s.overwrite(t, keys, "keyset", later)
	_, err = v.Keys(t.Context())
	assert.ErrorIs(t, err, storage.ErrNewer)
}

func TestKeysThatWereLostAreNotMadeAnewInSilence(t *testing.T) {
	s := newShelf("t")
	w := newWrapper(t)
	put(t, open(t, s, w, nil), ann, hidden)
	delete(s.rows, keys)
	v := open(t, s, w, nil)
	_, err := v.Get(t.Context(), ann)
	assert.ErrorIs(t, err, vault.ErrNoKey)
	err = v.Put(t.Context(), bob, vault.SecretString(hidden), 0)
	assert.ErrorIs(t, err, vault.ErrNoKey)
	assert.ErrorContains(t, err, "backup")
	require.NoError(t, v.Delete(t.Context(), ann), "but they can be deleted")
	put(t, v, bob, hidden)
	assert.Equal(t, hidden, get(t, v, bob))
}

func TestAFailingStoreIsReportedAndHarmsNothing(t *testing.T) {
	s := newShelf("t")
	v := open(t, s, newWrapper(t), nil)
	put(t, v, ann, "old")
	for _, op := range []string{"get vault-keys", "write vault-secrets"} {
		s.before = func(now string) error {
			if now == op {
				return storage.ErrUnavailable
			}
			return nil
		}
		err := v.Put(t.Context(), ann, vault.SecretString(hidden), 0)
		assert.ErrorIs(t, err, storage.ErrUnavailable, op)
		assert.NotContains(t, err.Error(), hidden)
		s.before = nil
		assert.Equal(t, "old", get(t, v, ann))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := v.Get(ctx, ann)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestUpdateSeesWhatSomeoneElseStoredMeanwhile(t *testing.T) {
	s := newShelf("t")
	w := newWrapper(t)
	mine, theirs := open(t, s, w, nil), open(t, s, w, nil)
	put(t, mine, ann, "1")
	var seen []string
	require.NoError(t, mine.Update(t.Context(), ann, 0, func(old vault.Secret) (vault.Secret, error) {
		seen = append(seen, bytesOf(t, old))
		if len(seen) == 1 {
			put(t, theirs, ann, "2")
		}
		return vault.SecretString(bytesOf(t, old) + "+"), nil
	}))
	assert.Equal(t, []string{"1", "2"}, seen)
	assert.Equal(t, "2+", get(t, theirs, ann))

	refusal := errors.New("refused")
	var kept vault.Secret
	assert.Equal(t, refusal, mine.Update(t.Context(), ann, 0, func(old vault.Secret) (vault.Secret, error) { kept = old; return vault.Secret{}, refusal }))
	assert.Equal(t, "2+", get(t, mine, ann))
	assert.ErrorIs(t, kept.Use(func([]byte) error { return nil }), vault.ErrDestroyed)
	assert.ErrorIs(t, mine.Update(t.Context(), bob, 0, nil), storage.ErrNotFound)
}

func TestAVaultPrintsNothingOfWhatItHolds(t *testing.T) {
	v := open(t, newShelf("alice"), newWrapper(t), nil)
	put(t, v, ann, hidden)
	for _, format := range []string{"%v", "%+v", "%s", "%#v", "%x"} {
		assertHidden(t, fmt.Sprintf(format, v), format)
		assertHidden(t, fmt.Sprintf(format, []any{v, *v.Inside()}), format)
	}
	assert.Equal(t, `vault of tenant "alice"`, fmt.Sprint(v))
}
