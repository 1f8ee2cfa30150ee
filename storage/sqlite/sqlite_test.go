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
	goleak.VerifyTestMain(m)
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
		Open: func(t *testing.T, now func() time.Time) storage.Store {
			return f.open(t, place{filepath.Join(t.TempDir(), "ttai.db"), now})
		},
		Second: func(t *testing.T, s storage.Store) storage.Store { return f.open(t, f.of(s)) },
		Reopen: func(t *testing.T, s storage.Store) storage.Store {
			// The first one stays open, as a process that hangs would leave it.
			return f.open(t, f.of(s))
		},
	}
}

func TestStore(t *testing.T) { storagetest.TestStore(t, harness()) }
