package sqlite_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/storage/storagetest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("TTAI_TEST_WRITER"); path != "" {
		writeUntilKilled(path)
		return
	}
	if role := os.Getenv("TTAI_TEST_PROCESS"); role != "" {
		work(role, os.Getenv("TTAI_TEST_FILE"))
		return
	}
	goleak.VerifyTestMain(m)
}

// scratch is a folder in memory where the system has one: what a test shows of
// processes that die needs no disk, and syncing one takes most of the time.
func scratch(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "ttai-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// files remembers where each store is and what clock it has.
type files struct{ sync.Map }

type place struct {
	path string
	now  func() time.Time
}

func (f *files) open(t *testing.T, p place) storage.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), p.path, &sqlite.Options{Now: p.now, Poll: 5 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	f.Store(storage.Store(s), p)
	return s
}

func (f *files) of(s storage.Store) place {
	p, _ := f.Load(s)
	return p.(place)
}

func harness() storagetest.Harness {
	var f files
	return storagetest.Harness{
		Parallel: true,
		Open: func(t *testing.T, now func() time.Time) storage.Store {
			return f.open(t, place{filepath.Join(scratch(t), "ttai.db"), now})
		},
		Second: func(t *testing.T, s storage.Store) storage.Store { return f.open(t, f.of(s)) },
		Reopen: func(t *testing.T, s storage.Store) storage.Store {
			// The first one stays open, as a process that hangs would leave it.
			return f.open(t, f.of(s))
		},
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storagetest.TestStore(t, harness())
}
