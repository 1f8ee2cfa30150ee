package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
)

func openAt(t *testing.T, path string, opts *sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func notes(t *testing.T, s storage.Store) storage.Records {
	t.Helper()
	h, err := s.For("alice")
	require.NoError(t, err)
	r, err := h.Records()
	require.NoError(t, err)
	return r
}

func note(id, text string) storage.RecordWrite {
	return storage.RecordWrite{Collection: "notes", ID: id, Data: fmt.Appendf(nil, "%q", text)}
}

// raw opens the file behind the store's back.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}

func TestManyWhoOpenANewFileAtOnceMigrateItOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "ttai.db")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			s, err := sqlite.Open(t.Context(), path, nil)
			if assert.NoError(t, err) {
				assert.NoError(t, s.Close())
			}
		})
	}
	group.Wait()
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "for the owner alone")
	}
}

func TestMigrationsGoUpAndDown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttai.db")
	m, err := sqlite.NewMigrator(path)
	require.NoError(t, err)
	applied := func() (n int) {
		list, err := m.Status(t.Context())
		require.NoError(t, err)
		for _, s := range list {
			if s.Applied {
				n++
			}
		}
		require.Len(t, list, 2)
		return n
	}
	assert.Equal(t, 0, applied())
	require.NoError(t, m.Up(t.Context()))
	require.NoError(t, m.Up(t.Context()))
	assert.Equal(t, 2, applied())
	require.NoError(t, m.Down(t.Context()))
	assert.Equal(t, 1, applied())
	require.NoError(t, m.Down(t.Context()))
	require.ErrorIs(t, m.Down(t.Context()), storage.ErrNotFound)
	_, err = notes(t, openAt(t, path, nil)).Write(t.Context(), note("a", "x"))
	require.NoError(t, err, "opening migrates")
}

func TestAFileOfANewerProgramIsRefusedAndLeftAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttai.db")
	s := openAt(t, path, nil)
	_, err := raw(t, path).Exec(`INSERT INTO migration (version_id, is_applied) VALUES (999, 1)`)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = sqlite.Open(t.Context(), path, nil)
	newer, ok := errors.AsType[*storage.NewerError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, storage.NewerError{Stored: 999, Known: 2}, *newer)
	require.ErrorIs(t, err, storage.ErrNewer)
	assert.ErrorContains(t, err, "use a newer program")
	m, err := sqlite.NewMigrator(path)
	require.NoError(t, err)
	require.ErrorIs(t, m.Up(t.Context()), storage.ErrNewer)
	require.ErrorIs(t, m.Down(t.Context()), storage.ErrNewer)
}

func TestAFileThatIsNoDatabaseIsCorrupt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttai.db")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600))
	_, err := sqlite.Open(t.Context(), path, nil)
	require.ErrorIs(t, err, storage.ErrCorrupt)
	_, err = sqlite.Open(t.Context(), t.TempDir(), nil)
	require.ErrorIs(t, err, storage.ErrUnavailable)
	_, err = sqlite.Open(t.Context(), "", nil)
	var field *storage.FieldError
	require.ErrorAs(t, err, &field)
}

func TestALockedFileIsBusyUntilItIsFree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttai.db")
	r := notes(t, openAt(t, path, &sqlite.Options{Busy: 20 * time.Millisecond}))
	conn, err := raw(t, path).Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	_, err = r.Write(t.Context(), note("a", "x"))
	require.ErrorIs(t, err, storage.ErrBusy)
	_, err = r.Get(t.Context(), "notes", "a")
	require.ErrorIs(t, err, storage.ErrNotFound, "reads go on")
	_, err = conn.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	_, err = r.Write(t.Context(), note("a", "x"))
	require.NoError(t, err)
}

func TestTheJournalCannotBeChangedThroughSQLUnseen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttai.db")
	e, err := openAll(t.Context(), path)
	require.NoError(t, err)
	defer e.store.Close()
	for n := range 3 {
		require.NoError(t, e.step(t.Context(), n))
	}
	db := raw(t, path)
	for _, change := range []string{"UPDATE journal SET kind = 'x'", "DELETE FROM journal WHERE seq = 2"} {
		_, err := db.Exec(change)
		require.ErrorContains(t, err, "append-only", change)
	}
	_, err = db.Exec("DROP TRIGGER journal_no_update; UPDATE journal SET kind = 'x' WHERE seq = 4")
	require.NoError(t, err)
	_, err = storage.VerifyJournal(t.Context(), killed, e.journal)
	broken, ok := errors.AsType[*storage.BrokenChainError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, uint64(4), broken.Seq)
}

func TestBackupAndRestoreWhileOthersWork(t *testing.T) {
	folder := t.TempDir()
	path, copied := filepath.Join(folder, "ttai.db"), filepath.Join(folder, "backup.db")
	s, other := openAt(t, path, nil), openAt(t, path, nil)
	r, theirs := notes(t, s), notes(t, other)
	h, err := s.For("alice")
	require.NoError(t, err)
	l, err := h.Locks()
	require.NoError(t, err)
	v, err := h.Vectors("k", 2)
	require.NoError(t, err)
	require.NoError(t, v.Put(t.Context(), storage.Document{ID: "old", Text: "alpha", Vector: []float32{1, 0}}))
	_, err = r.Write(t.Context(), note("a", "old"))
	require.NoError(t, err)

	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_, err := theirs.Write(t.Context(), note(fmt.Sprint("x", i), "x"), note(fmt.Sprint("y", i), "y"))
			assert.NoError(t, err)
		}
	})
	require.NoError(t, s.Backup(t.Context(), copied))
	require.NoError(t, s.Backup(t.Context(), copied), "over an older one")
	close(stop)
	group.Wait()

	_, err = r.Write(t.Context(), note("a", "new"), note("b", "later"))
	require.NoError(t, err)
	require.NoError(t, v.Put(t.Context(), storage.Document{ID: "new", Text: "beta", Vector: []float32{1, 0.1}}))
	m, err := v.Nearest(t.Context(), []float32{1, 0}, nil)
	require.NoError(t, err)
	require.Len(t, m, 2)
	before, err := l.Acquire(t.Context(), "leader", time.Minute)
	require.NoError(t, err)
	last, err := r.Get(t.Context(), "notes", "a")
	require.NoError(t, err)

	require.NoError(t, s.Restore(t.Context(), copied))
	for _, r := range []storage.Records{r, theirs} {
		got, err := r.Get(t.Context(), "notes", "a")
		require.NoError(t, err)
		assert.Equal(t, `"old"`, string(got.Data))
		_, err = r.Get(t.Context(), "notes", "b")
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
	m, err = v.Nearest(t.Context(), []float32{1, 0}, nil)
	require.NoError(t, err)
	require.Len(t, m, 1)
	after, err := l.Acquire(t.Context(), "leader", time.Minute)
	require.NoError(t, err)
	assert.Greater(t, after.Token, before.Token)
	versions, err := theirs.Write(t.Context(), note("a", "again"))
	require.NoError(t, err)
	assert.Greater(t, versions[0], last.Version)

	require.ErrorIs(t, s.Restore(t.Context(), filepath.Join(folder, "none")), storage.ErrNotFound)
	bad := filepath.Join(folder, "bad.db")
	require.NoError(t, os.WriteFile(bad, []byte(strings.Repeat("x", 5000)), 0o600))
	require.ErrorIs(t, s.Restore(t.Context(), bad), storage.ErrCorrupt)
	require.NoError(t, os.WriteFile(bad, nil, 0o600))
	require.ErrorIs(t, s.Restore(t.Context(), bad), storage.ErrCorrupt)
	db := raw(t, copied)
	_, err = db.Exec(`INSERT INTO migration (version_id, is_applied) VALUES (999, 1)`)
	require.NoError(t, err)
	require.ErrorIs(t, s.Restore(t.Context(), copied), storage.ErrNewer)
	got, err := r.Get(t.Context(), "notes", "a")
	require.NoError(t, err)
	assert.Equal(t, `"again"`, string(got.Data), "nothing was changed")
	left, err := filepath.Glob(filepath.Join(folder, ".*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestACollectionKeepsItsDimensions(t *testing.T) {
	h, err := openAt(t, filepath.Join(t.TempDir(), "ttai.db"), nil).For("alice")
	require.NoError(t, err)
	two, err := h.Vectors("k", 2)
	require.NoError(t, err)
	require.NoError(t, two.Put(t.Context(), storage.Document{ID: "a", Vector: []float32{1, 0}}))
	three, err := h.Vectors("k", 3)
	require.NoError(t, err)
	var field *storage.FieldError
	require.ErrorAs(t, three.Put(t.Context(), storage.Document{ID: "a"}), &field)
	assert.Equal(t, "dims", field.Field)
}
