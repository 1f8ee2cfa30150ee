package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
)

func fuzzTenant(f *testing.F) storage.Tenant {
	f.Helper()
	s, err := sqlite.Open(f.Context(), filepath.Join(scratch(f), "ttai.db"), nil)
	require.NoError(f, err)
	f.Cleanup(func() { assert.NoError(f, s.Close()) })
	h, err := s.For("alice")
	require.NoError(f, err)
	return h
}

// Whatever is asked is words, and never the query language of the full-text index.
func FuzzMatching(f *testing.F) {
	for _, text := range []string{
		"", "alpha", "alpha beta", `"`, `alpha"`, "alpha*", "^alpha", "-alpha", "text:alpha", "NEAR(alpha beta, 2)", "alpha AND", "OR", "NOT alpha",
		"alpha\x00beta", "\xff\xfe", "日本語", "e\u0301", "a'b", "(", ")", "{}", "+", "\u202e", "ß", "½", "١٢", "\U0001f600",
	} {
		f.Add(text)
	}
	v, err := fuzzTenant(f).Vectors("k", 0)
	require.NoError(f, err)
	require.NoError(f, v.Put(f.Context(), storage.Document{ID: "d", Text: "alpha beta and or not near 日本語 ½"}))
	f.Fuzz(func(t *testing.T, text string) {
		found, err := v.Matching(t.Context(), text, nil)
		require.NoError(t, err)
		require.LessOrEqual(t, len(found), 1)
		both, err := v.Matching(t.Context(), text+" alpha", nil)
		require.NoError(t, err)
		if utf8.ValidString(text) && len(text) < 64 {
			require.Len(t, both, 1, "one more word finds no less")
		}
	})
}

// A key is any bytes, and comes back as it was.
func FuzzKeys(f *testing.F) {
	for _, key := range []string{"", "a", "a\x00", "\x00", "\xff", "a/b", "%", "_", "'", "日本", "\u202e"} {
		f.Add(key, "b")
	}
	kv, err := fuzzTenant(f).KV("k")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, key, other string) {
		err := kv.Put(t.Context(), key, []byte(key), 0)
		if _, refused := errors.AsType[*storage.FieldError](err); refused {
			require.True(t, key == "" || len(key) > 1024)
			return
		}
		require.NoError(t, err)
		v, err := kv.Get(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, key, string(v.Data))
		found := false
		for k, err := range kv.Keys(t.Context(), key[:len(key)/2]) {
			require.NoError(t, err)
			found = found || k == key
		}
		require.True(t, found, "its prefix lists it")
		if other != key && other != "" && len(other) <= 1024 {
			require.NoError(t, kv.Delete(t.Context(), other))
			_, err = kv.Get(t.Context(), key)
			require.NoError(t, err, "another key's deletion")
		}
		require.NoError(t, kv.Delete(t.Context(), key))
		_, err = kv.Get(t.Context(), key)
		require.ErrorIs(t, err, storage.ErrNotFound)
	})
}
