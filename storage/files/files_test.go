package files_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/deptest"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/files"
	"github.com/ttai-go/ttai/storage/storagetest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{Own: []string{"storage", "internal/invalid"}})
}

// scratch is a folder in memory where the system has one: syncing ten thousand
// files to a disk takes long, and nothing here loses power.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "ttai-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func TestStore(t *testing.T) {
	type place struct {
		folder string
		now    func() time.Time
	}
	var places sync.Map
	open := func(t *testing.T, p place) storage.Store {
		s, err := files.Open(p.folder, &files.Options{Now: p.now})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, s.Close()) })
		places.Store(storage.Store(s), p)
		return s
	}
	again := func(t *testing.T, s storage.Store) storage.Store {
		p, _ := places.Load(s)
		return open(t, p.(place))
	}
	storagetest.TestStore(t, storagetest.Harness{
		Open:   func(t *testing.T, now func() time.Time) storage.Store { return open(t, place{scratch(t), now}) },
		Second: again, Reopen: again, Parallel: true,
	})
}

func reports(t *testing.T, folder string) storage.Objects {
	t.Helper()
	s, err := files.Open(folder, nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	h, err := s.For(storage.Local)
	require.NoError(t, err)
	o, err := h.Objects("reports")
	require.NoError(t, err)
	return o
}

// only returns the one file below folder.
func only(t testing.TB, folder string) string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.WalkDir(folder, func(name string, d os.DirEntry, err error) error {
		if !d.IsDir() {
			names = append(names, name)
		}
		return err
	}))
	require.Len(t, names, 1)
	return names[0]
}

func TestADamagedFileIsCorruptAndNotServed(t *testing.T) {
	folder := t.TempDir()
	o := reports(t, folder)
	_, err := o.Put(t.Context(), "a", strings.NewReader("x"), nil)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(only(t, folder), []byte("\xff\xff\xff\xff"), 0o600))
	_, _, err = o.Get(t.Context(), "a", nil)
	assert.ErrorIs(t, err, storage.ErrCorrupt)
}

func TestALinkOutOfTheFolderIsNotFollowed(t *testing.T) {
	folder, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	o := reports(t, folder)
	_, err := o.Put(t.Context(), "a", strings.NewReader("x"), nil)
	require.NoError(t, err)
	require.NoError(t, os.Rename(only(t, folder), outside))
	name := filepath.Join(folder, "link")
	require.NoError(t, os.Symlink(outside, name))
	_, _, err = o.Get(t.Context(), "a", nil)
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, err = o.Put(t.Context(), "a", strings.NewReader("y"), nil)
	require.NoError(t, err)
	require.NoError(t, os.Remove(name))
	place := only(t, folder)
	require.NoError(t, os.Remove(place))
	require.NoError(t, os.Symlink(outside, place))
	_, _, err = o.Get(t.Context(), "a", nil)
	assert.Error(t, err, "the file outside is a good object, but outside")
}

func TestALockWhoseOwnerDiedIsTakenOver(t *testing.T) {
	folder := t.TempDir()
	o := reports(t, folder)
	_, err := o.Put(t.Context(), "a", strings.NewReader("x"), nil)
	require.NoError(t, err)
	lock := only(t, folder) + ".lock"
	require.NoError(t, os.WriteFile(lock, nil, 0o600))
	old := time.Now().Add(-2 * time.Minute)
	require.NoError(t, os.Chtimes(lock, old, old))
	_, err = o.Put(t.Context(), "a", strings.NewReader("y"), nil)
	require.NoError(t, err)
	only(t, folder)
}
