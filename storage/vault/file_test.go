package vault_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/storage/vault"
)

func TestAStolenDatabaseFileShowsNothing(t *testing.T) {
	dir := t.TempDir()
	openFile := func(path string) storage.Tenant {
		s, err := sqlite.Open(t.Context(), path, nil)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, s.Close()) })
		tenant, err := s.For("alice")
		require.NoError(t, err)
		return tenant
	}
	path := filepath.Join(dir, "ttai.db")
	w := newWrapper(t)
	tenant := openFile(path)
	v := open(t, tenant, w, nil)
	put(t, v, ann, hidden)
	put(t, v, bob, hidden)
	_, err := v.Rotate(t.Context())
	require.NoError(t, err)
	require.NoError(t, v.Delete(t.Context(), bob))
	assert.Equal(t, hidden, get(t, v, ann))
	held := v.KeysInMemory()
	require.NotEmpty(t, held)

	// The file with its log, taken while the program runs.
	files, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	stolen := filepath.Join(dir, "stolen.db")
	for _, from := range files {
		data, err := os.ReadFile(from)
		require.NoError(t, err)
		for _, secret := range append([]vault.Secret{vault.SecretString(hidden)}, held...) {
			raw := []byte(bytesOf(t, secret))
			assert.False(t, bytes.Contains(data, raw), from)
			for cut := range 3 { // base64 of it, wherever in a text it begins
				text := base64.StdEncoding.EncodeToString(raw[cut:])
				assert.False(t, bytes.Contains(data, []byte(text[:12])), from)
			}
		}
		require.NoError(t, os.WriteFile(stolen+from[len(path):], data, 0o600))
	}
	thief := open(t, openFile(stolen), newWrapper(t), nil)
	_, err = thief.Get(t.Context(), ann)
	assert.ErrorIs(t, err, vault.ErrNoKey)
	assert.Equal(t, []vault.Ref{ann}, refs(t, thief, ""), "only whose secrets there are can be read")
	assert.Equal(t, hidden, get(t, open(t, openFile(stolen), w, nil), ann), "with the master key the copy is a backup")
}
