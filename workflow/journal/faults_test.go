package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
)

// faulty is a tenant whose leases cannot be renewed while cut, and whose writes
// fail before or after they happened, at random.
type faulty struct {
	storage.Tenant
	cut atomic.Bool

	mu     sync.Mutex
	random *rand.Rand // nil: writes do not fail
	failed int
}

func (f *faulty) Locks() (storage.Locks, error) {
	l, err := f.Tenant.Locks()
	return cutLocks{l, f}, err
}

type cutLocks struct {
	storage.Locks
	f *faulty
}

func (c cutLocks) Renew(ctx context.Context, l storage.Lease, ttl time.Duration) (storage.Lease, error) {
	if c.f.cut.Load() {
		return l, storage.ErrUnavailable
	}
	return c.Locks.Renew(ctx, l, ttl)
}

func (f *faulty) Records() (storage.Records, error) {
	r, err := f.Tenant.Records()
	return faultyRecords{r, f}, err
}

type faultyRecords struct {
	storage.Records
	f *faulty
}

func (r faultyRecords) Write(ctx context.Context, writes ...storage.RecordWrite) ([]storage.Version, error) {
	fate := 10
	r.f.mu.Lock()
	if r.f.random != nil {
		fate = r.f.random.IntN(10)
	}
	if fate < 2 {
		r.f.failed++
	}
	r.f.mu.Unlock()
	if fate == 0 {
		return nil, storage.ErrUnavailable
	}
	versions, err := r.Records.Write(ctx, writes...)
	if err == nil && fate == 1 {
		return nil, storage.ErrUnavailable
	}
	return versions, err
}

func local(t *testing.T) storage.Tenant {
	store := inMemory(t)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	tenant, err := store.For(storage.Local)
	require.NoError(t, err)
	return tenant
}

func engine(t *testing.T, tenant storage.Tenant, workflows ...workflow.Workflow) *journal.Engine {
	e, err := journal.New(t.Context(), tenant, workflows, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func TestAnOwnerWhoseLeaseEndedCannotWriteForItsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := local(t)
		who := func(name string, takes time.Duration) workflow.Workflow {
			return workflow.Of(workflow.Definition[int, string]{Name: "w", Version: 1, Run: func(ctx *workflow.Ctx, _ int) (string, error) {
				return workflow.Step(ctx, "who", workflow.Policy{}, func(context.Context, workflow.Call) (string, error) {
					time.Sleep(takes) // it does not look at its context, as a process that hangs
					return name, nil
				})
			}})
		}
		slow := &faulty{Tenant: tenant}
		a := engine(t, slow, who("a", 2*time.Minute))
		_, err := a.Start(t.Context(), "r", "w", 0)
		require.NoError(t, err)
		synctest.Wait()
		slow.cut.Store(true)
		b := engine(t, tenant, who("b", time.Second))
		got, err := workflow.Result[string](t.Context(), b, "r")
		require.NoError(t, err)
		assert.Equal(t, "b", got)
		slow.cut.Store(false)
		time.Sleep(5 * time.Minute) // a's step has ended meanwhile
		history, err := b.History(t.Context(), "r")
		require.NoError(t, err)
		require.Len(t, history, 1)
		assert.JSONEq(t, `"b"`, string(history[0].Result))
		s, err := a.Wait(t.Context(), "r")
		require.NoError(t, err)
		assert.JSONEq(t, `"b"`, string(s.Result))
		assert.Equal(t, 2, s.Epoch)
		// The engine that lost its lease has a new one and goes on working.
		_, err = a.Start(t.Context(), "r2", "w", 0)
		require.NoError(t, err)
		got, err = workflow.Result[string](t.Context(), a, "r2")
		require.NoError(t, err)
		assert.Equal(t, "a", got)
	})
}

func TestRunsGoOnThoughWritesFailBeforeOrAfterTheyHappened(t *testing.T) {
	failed := 0
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			f := &faulty{Tenant: local(t)}
			var ended sync.Map // what each step returned last, by its key
			step := func(ctx *workflow.Ctx, name string) (int64, error) {
				return workflow.Step(ctx, name, workflow.Policy{}, func(_ context.Context, call workflow.Call) (int64, error) {
					n := time.Now().UnixNano()
					ended.Store(call.Key, n)
					return n, nil
				})
			}
			small := workflow.Of(workflow.Definition[int, int64]{Name: "small", Version: 1, Run: func(ctx *workflow.Ctx, _ int) (int64, error) {
				return step(ctx, "small")
			}})
			w := workflow.Of(workflow.Definition[int, int]{Name: "w", Version: 1, Run: func(ctx *workflow.Ctx, _ int) (int, error) {
				for i := range 5 {
					ctx.Progress(i, 5, "")
					if _, err := step(ctx, fmt.Sprint(i)); err != nil {
						return 0, err
					}
				}
				if _, err := workflow.Map(ctx, "fan", []string{"a", "b"}, 0, step); err != nil {
					return 0, err
				}
				if _, err := workflow.Child[int64](ctx, "child", "small", 0); err != nil {
					return 0, err
				}
				return 5, workflow.Sleep(ctx, "nap", time.Second)
			}})
			e := engine(t, f, w, small)
			f.mu.Lock()
			f.random = rand.New(rand.NewPCG(seed, 1))
			f.mu.Unlock()
			for {
				_, err := e.Start(t.Context(), "r", "w", 0)
				if err == nil {
					break
				}
				require.ErrorIs(t, err, storage.ErrUnavailable)
			}
			got, err := workflow.Result[int](t.Context(), e, "r")
			require.NoError(t, err)
			assert.Equal(t, 5, got)
			history, err := e.History(t.Context(), "r")
			require.NoError(t, err)
			for _, h := range history {
				assert.Equal(t, workflow.Ended, h.Phase, h.Name)
				if h.Kind == workflow.KindStep {
					n, _ := ended.Load(workflow.Key("r", h.Path, h.Name))
					assert.JSONEq(t, fmt.Sprint(n), string(h.Result), "the record has what the last call returned")
				}
			}
			assert.Len(t, history, 10)
			f.mu.Lock()
			defer f.mu.Unlock()
			failed += f.failed
			f.random = nil
		})
	}
	assert.Greater(t, failed, 40, "writes that failed")
}

func TestForgetRemovesAllOfARunThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := local(t)
		e := engine(t, tenant, workflow.Of(workflow.Definition[int, int]{Name: "w", Version: 1, Run: func(ctx *workflow.Ctx, n int) (int, error) {
			for range n {
				if err := workflow.Sleep(ctx, "nap", 0); err != nil {
					return 0, err
				}
			}
			return workflow.Await[int](ctx, "go", 0)
		}}))
		for _, id := range []string{"gone", "kept"} {
			_, err := e.Start(t.Context(), id, "w", 600)
			require.NoError(t, err)
		}
		_, refused := errors.AsType[*workflow.FieldError](e.Forget(t.Context(), "gone"))
		assert.True(t, refused, "a run that has not ended")
		for _, id := range []string{"gone", "kept"} {
			require.NoError(t, e.Signal(t.Context(), id, "unheard", 1))
			require.NoError(t, e.Signal(t.Context(), id, "go", 1))
		}
		for _, id := range []string{"gone", "kept"} {
			_, err := e.Wait(t.Context(), id)
			require.NoError(t, err)
		}
		require.NoError(t, e.Forget(t.Context(), "gone"))
		assert.ErrorIs(t, e.Forget(t.Context(), "gone"), workflow.ErrNoRun)
		records, err := tenant.Records()
		require.NoError(t, err)
		left := map[string]int{}
		for _, collection := range []string{"workflow.runs", "workflow.steps", "workflow.signals", "workflow.cancels"} {
			page, err := records.List(t.Context(), collection, storage.RecordQuery{Limit: 1000})
			require.NoError(t, err)
			left[collection] = len(page.Records)
		}
		assert.Equal(t, map[string]int{"workflow.runs": 1, "workflow.steps": 601, "workflow.signals": 1, "workflow.cancels": 0}, left)
	})
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for field, o := range map[string]journal.Options{"Lease": {Lease: time.Millisecond}, "Poll": {Poll: time.Millisecond}} {
		_, err := journal.New(t.Context(), nil, nil, &o)
		refused, ok := errors.AsType[*workflow.FieldError](err)
		require.True(t, ok)
		assert.Equal(t, field, refused.Field)
	}
}

// counted counts the runs that are read when records are listed.
type counted struct {
	storage.Tenant
	read atomic.Int64
}

func (c *counted) Records() (storage.Records, error) {
	r, err := c.Tenant.Records()
	return countedRecords{r, c}, err
}

type countedRecords struct {
	storage.Records
	c *counted
}

func (r countedRecords) List(ctx context.Context, collection string, q storage.RecordQuery) (storage.RecordPage, error) {
	page, err := r.Records.List(ctx, collection, q)
	if collection == "workflow.runs" {
		r.c.read.Add(int64(len(page.Records)))
	}
	return page, err
}

func TestAPollDoesNotReadTheRunsOfEnginesThatLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := &counted{Tenant: local(t)}
		w := workflow.Of(workflow.Definition[int, int]{Name: "w", Version: 1, Run: func(ctx *workflow.Ctx, _ int) (int, error) {
			return 1, workflow.Sleep(ctx, "nap", 10*time.Minute)
		}})
		a, b := engine(t, tenant, w), engine(t, tenant, w)
		for i := range 200 {
			_, err := []*journal.Engine{a, b}[i%2].Start(t.Context(), fmt.Sprint(i), "w", 0)
			require.NoError(t, err)
		}
		synctest.Wait()
		before := tenant.read.Load()
		time.Sleep(5 * time.Minute)
		polls := 2 * int64(5*time.Minute/options.Poll)
		assert.LessOrEqual(t, tenant.read.Load()-before, 2*polls+4, "one run of each owner in each poll, however many there are")
		require.NoError(t, a.Close())
		time.Sleep(10 * time.Minute)
		for i := range 200 {
			s, err := b.Status(t.Context(), fmt.Sprint(i))
			require.NoError(t, err)
			assert.Equal(t, workflow.Completed, s.State, "runs of the one that ended were taken over")
		}
	})
}
