package vault_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/vault"
)

func TestMasterKeysAreReadInEveryCommonForm(t *testing.T) {
	raw := []byte("0123456789abcdef0123456789abcdef")
	want, err := vault.ParseMasterKeys([]byte(hex.EncodeToString(raw)))
	require.NoError(t, err)
	text, err := want.Text()
	require.NoError(t, err)
	for name, form := range map[string]string{
		"upper hex":        strings.ToUpper(hex.EncodeToString(raw)),
		"base64":           base64.StdEncoding.EncodeToString(raw),
		"unpadded base64":  base64.RawStdEncoding.EncodeToString(raw),
		"a line's end":     hex.EncodeToString(raw) + "\r\n",
		"comment":          "# made in March\n\n  " + hex.EncodeToString(raw) + " # current\n",
		"as Text wrote it": bytesOf(t, text),
	} {
		keys, err := vault.ParseMasterKeys([]byte(form))
		require.NoError(t, err, name)
		assert.Equal(t, want.IDs(), keys.IDs(), name)
	}
}

func TestWhatIsNoMasterKeyIsRefusedUnshown(t *testing.T) {
	good := strings.Repeat("ab", 32)
	keys, err := vault.ParseMasterKeys([]byte(good))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"nothing": "", "blank": " \n#\n", "short": good[2:], "long": good + "00", "no digits": strings.Repeat("zz", 32),
		"zeros": strings.Repeat("00", 32), "a password": "correct horse battery staple", "twice": good + "\n" + good,
		"another id":  "ttai-key-1 0011223344556677 " + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\xab", 32))),
		"later form":  "ttai-key-2 " + keys.IDs()[0] + " " + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\xab", 32))),
		"second line": good + "\nhunter2",
	} {
		_, err := vault.ParseMasterKeys([]byte(text))
		var invalid *vault.FieldError
		require.ErrorAs(t, err, &invalid, name)
		for _, word := range strings.Fields(text) {
			if len(word) > 10 && word != "ttai-key-1" {
				assert.NotContains(t, err.Error(), word, name)
			}
		}
	}
}

func TestKeysAreAddedAndTakenAwayAndClearedTogether(t *testing.T) {
	one := vault.NewMasterKeys()
	two := one.WithNew()
	require.Len(t, two.IDs(), 2)
	assert.Equal(t, one.IDs()[0], two.IDs()[0])
	assert.Len(t, one.IDs(), 1, "the keys themselves do not change")
	for _, id := range []string{two.IDs()[1], "unknown"} {
		_, err := two.Without(id)
		var invalid *vault.FieldError
		require.ErrorAs(t, err, &invalid, "neither the current key nor one that is not there")
	}
	left, err := two.Without(two.IDs()[0])
	require.NoError(t, err)
	assert.Equal(t, two.IDs()[1:], left.IDs())

	w, err := vault.NewLocalKeys(left)
	require.NoError(t, err)
	left.Destroy()
	_, _, err = w.Wrap(t.Context(), make([]byte, 32), nil)
	assert.ErrorIs(t, err, vault.ErrNoKey)
	_, err = left.Text()
	assert.ErrorIs(t, err, vault.ErrDestroyed)
}

func TestAWrappedKeyIsBoundToItsPlaceAndMasterKey(t *testing.T) {
	keys := vault.NewMasterKeys().WithNew()
	w, err := vault.NewLocalKeys(keys)
	require.NoError(t, err)
	key := []byte("0123456789abcdef0123456789abcdef")
	id, wrapped, err := w.Wrap(t.Context(), key, []byte("here"))
	require.NoError(t, err)
	assert.Equal(t, keys.IDs()[1], id, "the last key is the current one")
	assert.NotContains(t, string(wrapped), string(key))
	back, err := w.Unwrap(t.Context(), id, wrapped, []byte("here"))
	require.NoError(t, err)
	assert.Equal(t, key, back)

	_, err = w.Unwrap(t.Context(), id, wrapped, []byte("there"))
	assert.ErrorIs(t, err, storage.ErrCorrupt)
	_, err = w.Unwrap(t.Context(), keys.IDs()[0], wrapped, []byte("here"))
	assert.ErrorIs(t, err, storage.ErrCorrupt)
	_, err = w.Unwrap(t.Context(), id, wrapped[:20], []byte("here"))
	assert.ErrorIs(t, err, storage.ErrCorrupt)
	_, err = w.Unwrap(t.Context(), "unknown", wrapped, []byte("here"))
	assert.ErrorIs(t, err, vault.ErrNoKey)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.Unwrap(ctx, id, wrapped, []byte("here"))
	assert.ErrorIs(t, err, context.Canceled)
	_, _, err = w.Wrap(ctx, key, nil)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAKeyFileIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	_, err := vault.OpenKeyFile(path)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, vault.CreateKeyFile(path))
	first, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.ErrorIs(t, vault.CreateKeyFile(path), fs.ErrExist)
	second, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, first, second, "creating it again changed nothing")
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, left, 1, "nothing else was left in the folder")
	f, err := vault.OpenKeyFile(path)
	require.NoError(t, err)

	if runtime.GOOS == "windows" {
		return // access is a matter of the folder there
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode())
	for _, mode := range []fs.FileMode{0o604, 0o640, 0o620, 0o601, 0o666} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := vault.OpenKeyFile(path)
		assert.ErrorIs(t, err, vault.ErrExposed, mode)
		assert.ErrorContains(t, err, "chmod 600")
		_, _, err = f.Wrap(t.Context(), make([]byte, 32), nil)
		assert.ErrorIs(t, err, vault.ErrExposed, "also while it is open")
	}
	for _, mode := range []fs.FileMode{0o600, 0o400} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := vault.OpenKeyFile(path)
		assert.NoError(t, err, mode)
	}
}

func TestAKeyFileThatIsNoneIsRefused(t *testing.T) {
	dir := t.TempDir()
	var invalid *vault.FieldError
	_, err := vault.OpenKeyFile(dir)
	require.ErrorAs(t, err, &invalid, "a folder")
	for name, text := range map[string]string{"empty": "", "text": "hunter2\n", "huge": strings.Repeat("#", 1<<20)} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := vault.OpenKeyFile(path)
		require.ErrorAs(t, err, &invalid, name)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	assert.Error(t, vault.CreateKeyFile(""))
	assert.Error(t, vault.CreateKeyFile(filepath.Join(dir, "no", "such", "folder")))
}

func TestAnOpenKeyFileNoticesWhatAnotherProcessChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	require.NoError(t, vault.CreateKeyFile(path))
	one, err := vault.OpenKeyFile(path)
	require.NoError(t, err)
	two, err := vault.OpenKeyFile(path)
	require.NoError(t, err)
	old, wrapped, err := one.Wrap(t.Context(), make([]byte, 32), nil)
	require.NoError(t, err)

	require.NoError(t, two.Rotate())
	ids := two.IDs()
	require.Len(t, ids, 2)
	id, wrapped2, err := one.Wrap(t.Context(), make([]byte, 32), nil)
	require.NoError(t, err)
	assert.Equal(t, ids[1], id, "wrapping uses the new key at once")
	_, err = two.Unwrap(t.Context(), id, wrapped2, nil)
	assert.NoError(t, err)
	_, err = two.Unwrap(t.Context(), old, wrapped, nil)
	assert.NoError(t, err)

	var invalid *vault.FieldError
	require.ErrorAs(t, two.Remove(ids[1]), &invalid, "the current key stays")
	require.NoError(t, two.Remove(old))
	_, err = two.Unwrap(t.Context(), old, wrapped, nil)
	assert.ErrorIs(t, err, vault.ErrNoKey)
}

func TestKeyFilesRotatedAtOnceLoseNoKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	require.NoError(t, vault.CreateKeyFile(path))
	var group sync.WaitGroup
	var mu sync.Mutex
	added := 0
	for range 8 {
		f, err := vault.OpenKeyFile(path)
		require.NoError(t, err)
		group.Go(func() {
			switch err := f.Rotate(); {
			case err == nil:
				mu.Lock()
				added++
				mu.Unlock()
			case !errors.Is(err, vault.ErrBusy):
				t.Error(err)
			}
		})
	}
	group.Wait()
	f, err := vault.OpenKeyFile(path)
	require.NoError(t, err)
	assert.Len(t, f.IDs(), 1+added)
	assert.Positive(t, added)

	require.NoError(t, os.WriteFile(path+".lock", nil, 0o600))
	err = f.Rotate()
	assert.ErrorIs(t, err, vault.ErrBusy)
	assert.ErrorContains(t, err, "delete "+path+".lock")
}
