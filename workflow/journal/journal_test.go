package journal_test

import (
	"context"
	"errors"
	"flag"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
	"github.com/ttai-go/ttai/workflow/workflowtest"
)

var options = &journal.Options{Lease: 10 * time.Second, Poll: 5 * time.Second}

func harness(open func(t *testing.T) storage.Store) workflowtest.Harness {
	return func(t *testing.T) workflowtest.Open {
		store := open(t)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		tenant, err := store.For(storage.Local)
		require.NoError(t, err)
		return func(workflows ...workflow.Workflow) workflow.Engine {
			e, err := journal.New(t.Context(), tenant, workflows, options)
			require.NoError(t, err)
			return e
		}
	}
}

func inMemory(t *testing.T) storage.Store {
	store, err := memory.New(nil)
	require.NoError(t, err)
	return store
}

// Polls of the file take real time each, and synctest makes hours of them.
func inFile(t *testing.T) storage.Store {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "runs.db"), &sqlite.Options{Poll: 5 * time.Second})
	require.NoError(t, err)
	return store
}

func TestCoreInMemory(t *testing.T) { workflowtest.TestCore(t, harness(inMemory)) }
func TestCoreInSQLite(t *testing.T) { workflowtest.TestCore(t, harness(inFile)) }

func TestDurabilityInMemory(t *testing.T) { workflowtest.TestDurability(t, harness(inMemory)) }
func TestDurabilityInSQLite(t *testing.T) { workflowtest.TestDurability(t, harness(inFile)) }

var kills = flag.Int("kills", 20, "how often TestKilledProcesses kills the process")

func TestKilledProcesses(t *testing.T) { workflowtest.TestKills(t, *kills) }

func TestMain(m *testing.M) {
	workflowtest.KillMain(func(ctx context.Context, folder string, workflows ...workflow.Workflow) (workflow.Engine, func() error, error) {
		store, err := sqlite.Open(ctx, filepath.Join(folder, "runs.db"), nil)
		if err != nil {
			return nil, nil, err
		}
		tenant, err := store.For(storage.Local)
		if err != nil {
			return nil, nil, err
		}
		e, err := journal.New(ctx, tenant, workflows, &journal.Options{Lease: 150 * time.Millisecond, Poll: 20 * time.Millisecond})
		return e, func() error { return errors.Join(e.Close(), store.Close()) }, err
	})
	goleak.VerifyTestMain(m)
}
