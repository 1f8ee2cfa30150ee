package broker_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/sqlite"
)

// storedState is a key-value space as a broker.State: the whole of what a program
// needs to plug one in.
type storedState struct{ kv storage.KV }

func (s storedState) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	v, err := s.kv.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		err = broker.ErrNoState
	}
	return v.Data, uint64(v.Version), err
}

func (s storedState) CompareAndSet(ctx context.Context, key string, expected uint64, data []byte, ttl time.Duration) (uint64, error) {
	v, err := s.kv.CompareAndSet(ctx, key, storage.Version(expected), data, ttl)
	if errors.Is(err, storage.ErrConflict) {
		err = broker.ErrStateChanged
	}
	return uint64(v), err
}

// storedJournal is a journal of package storage as a broker.Journal.
type storedJournal struct{ j storage.Journal }

func (s storedJournal) Append(ctx context.Context, kind string, data []byte) error {
	_, err := s.j.Append(ctx, storage.NewEntry{Kind: kind, Data: data})
	return err
}

func (s storedJournal) Read(ctx context.Context, from uint64) iter.Seq2[broker.JournalEntry, error] {
	return func(yield func(broker.JournalEntry, error) bool) {
		for e, err := range s.j.Read(ctx, from) {
			if !yield(broker.JournalEntry{Seq: e.Seq, Time: e.Time, Kind: e.Kind, Data: e.Data}, err) {
				return
			}
		}
	}
}

func stored(t testing.TB, store storage.Store) (broker.State, broker.Journal, storage.Journal) {
	t.Helper()
	tenant, err := store.For(storage.Local)
	require.NoError(t, err)
	kv, err := tenant.KV("guard")
	require.NoError(t, err)
	journal, err := tenant.Journal("orders")
	require.NoError(t, err)
	return storedState{kv}, storedJournal{journal}, journal
}

func openFile(t testing.TB, path string) storage.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// TestEveryStateKeepsTheContract runs the contract of State against the default and
// against storage.
func TestEveryStateKeepsTheContract(t *testing.T) {
	inMemory, err := memory.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, inMemory.Close()) })
	kept, _, _ := stored(t, inMemory)
	onDisk, _, _ := stored(t, openFile(t, filepath.Join(t.TempDir(), "a.db")))
	for name, s := range map[string]broker.State{"default": &broker.MemoryState{}, "memory": kept, "sqlite": onDisk} {
		t.Run(name, func(t *testing.T) {
			_, _, err := s.Get(t.Context(), "a/b")
			require.ErrorIs(t, err, broker.ErrNoState)
			_, err = s.CompareAndSet(t.Context(), "a/b", 7, []byte("x"), 0)
			require.ErrorIs(t, err, broker.ErrStateChanged)
			v1, err := s.CompareAndSet(t.Context(), "a/b", 0, []byte("x"), time.Hour)
			require.NoError(t, err)
			_, err = s.CompareAndSet(t.Context(), "a/b", 0, []byte("y"), 0)
			require.ErrorIs(t, err, broker.ErrStateChanged)
			v2, err := s.CompareAndSet(t.Context(), "a/b", v1, []byte("y"), 0)
			require.NoError(t, err)
			assert.NotEqual(t, v1, v2)
			_, err = s.CompareAndSet(t.Context(), "a/b", v1, []byte("z"), 0)
			require.ErrorIs(t, err, broker.ErrStateChanged)
			data, version, err := s.Get(t.Context(), "a/b")
			require.NoError(t, err)
			assert.Equal(t, "y", string(data))
			assert.Equal(t, v2, version)
			data[0] = 'Z'
			data, _, err = s.Get(t.Context(), "a/b")
			require.NoError(t, err)
			assert.Equal(t, "y", string(data), "values are copies")
			gone, stop := context.WithCancel(t.Context())
			stop()
			_, _, err = s.Get(gone, "a/b")
			require.ErrorIs(t, err, context.Canceled)
			_, err = s.CompareAndSet(gone, "a/b", v2, nil, 0)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}

func TestAGuardOverAFileKeepsAChainedJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home.db")
	o := newOffice(t)
	o.state, o.journal, _ = stored(t, openFile(t, path))
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	require.NoError(t, g.Engage(t.Context(), "model", "stop"))

	// A new process: nothing is left in memory.
	state, journal, chained := stored(t, openFile(t, path))
	o.state, o.journal = state, journal
	g = o.guard(t)
	_, err = g.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrKilled)
	lift, err := g.PrepareLift(t.Context())
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), lift.ID, yes)
	require.NoError(t, err)
	_, err = g.Submit(t.Context(), p.ID)
	require.NoError(t, err)
	head, err := storage.VerifyJournal(t.Context(), storage.JournalID{Tenant: storage.Local, Name: "orders"}, chained)
	require.NoError(t, err)
	assert.Equal(t, uint64(len(o.entries(t))), head.Seq)
}

// The environment of a second process of the test.
const (
	workerFile = "GUARD_TEST_FILE"
	workerTask = "GUARD_TEST_TASK"
)

// TestGuardWorker is the second process; by itself it does nothing.
func TestGuardWorker(t *testing.T) {
	path, task := os.Getenv(workerFile), os.Getenv(workerTask)
	if path == "" {
		return
	}
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxDailyOrders = broker.CapInt(5)
	o.state, o.journal, _ = stored(t, openFile(t, path))
	g := o.guard(t)
	sent := 0
	if id, ok := strings.CutPrefix(task, "submit "); ok {
		// The first to come waits for nobody: each process tries until it is spent.
		if _, err := g.Submit(t.Context(), id); err == nil {
			sent++
		}
	} else if task == "kill" {
		require.NoError(t, g.Engage(t.Context(), "the other process", "stop"))
	} else {
		for range 6 {
			if _, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500")); err == nil {
				sent++
			}
		}
	}
	require.Equal(t, sent, len(o.broker.writes()))
	fmt.Printf("sent=%d\n", sent)
}

// workers runs tasks in processes of their own at once, and returns how many orders
// they sent.
func workers(t *testing.T, path string, tasks ...string) int {
	t.Helper()
	var group sync.WaitGroup
	outs := make([]string, len(tasks))
	for i, task := range tasks {
		group.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGuardWorker$", "-test.v")
			cmd.Env = append(os.Environ(), workerFile+"="+path, workerTask+"="+task)
			out, err := cmd.CombinedOutput()
			outs[i] = string(out)
			assert.NoError(t, err, string(out))
		})
	}
	group.Wait()
	total := 0
	for _, out := range outs {
		at := strings.Index(out, "sent=")
		require.GreaterOrEqual(t, at, 0, out)
		var n int
		_, err := fmt.Sscanf(out[at:], "sent=%d", &n)
		require.NoError(t, err)
		total += n
	}
	return total
}

func TestTwoProcessesShareOneLimitOneSwitchAndEachPreview(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home.db")
	o := newOffice(t)
	o.limits = roomy()
	o.state, o.journal, _ = stored(t, openFile(t, path))
	assert.Equal(t, 5, workers(t, path, "place", "place"), "the day's five, over both")

	other := filepath.Join(t.TempDir(), "other.db")
	o.state, o.journal, _ = stored(t, openFile(t, other))
	// The workers' clocks stand at the same time as ours.
	p, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	assert.Equal(t, 1, workers(t, other, "submit "+p.ID, "submit "+p.ID), "a preview is spent once")

	assert.Equal(t, 0, workers(t, other, "kill"))
	assert.Equal(t, 0, workers(t, other, "place"))
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.ErrorIs(t, err, broker.ErrKilled)
}
