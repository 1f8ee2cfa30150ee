package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/workflow"
)

// log counts what handlers did, by key.
type log struct {
	mu   sync.Mutex
	done map[string]int
}

func (l *log) add(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil {
		l.done = map[string]int{}
	}
	l.done[key]++
}

func (l *log) all() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.done)
}

func tasks(t *testing.T) (storage.Queue, storage.Tenant) {
	t.Helper()
	store, err := memory.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	tenant, err := store.For(storage.Local)
	require.NoError(t, err)
	q, err := workflow.OpenTasks(tenant)
	require.NoError(t, err)
	return q, tenant
}

func TestTasksAreDoneByTheHandlerOfTheirKindAndOneThatFailsHoldsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := tasks(t)
		var l log
		var mended atomic.Bool
		handlers := map[string]workflow.TaskHandler{
			"double": func(_ context.Context, x workflow.Task) error {
				var n int
				if err := json.Unmarshal(x.Data, &n); err != nil {
					return err
				}
				l.add(fmt.Sprint(x.Key, "=", 2*n))
				return nil
			},
			"fail": func(_ context.Context, x workflow.Task) error {
				l.add("fail")
				if mended.Load() {
					return nil
				}
				return errors.New("down")
			},
			"panic": func(context.Context, workflow.Task) error { panic("oh") },
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- workflow.ConsumeTasks(ctx, q, workflow.Tasks(), handlers) }()
		for i := range 3 {
			_, err := workflow.SendTask(t.Context(), q, "double", fmt.Sprint("k", i), i)
			require.NoError(t, err)
		}
		again, err := workflow.SendTask(t.Context(), q, "double", "k1", 1)
		require.NoError(t, err)
		assert.NotEmpty(t, again, "the id of the first")
		for _, kind := range []string{"fail", "panic", "unknown"} {
			_, err := workflow.SendTask(t.Context(), q, kind, "", nil)
			require.NoError(t, err)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		assert.Equal(t, map[string]int{"k0=0": 1, "k1=2": 1, "k2=4": 1, "fail": 1}, l.all())
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		causes := map[string]string{}
		for d, err := range workflow.Dead(t.Context(), q.DeadLetters()) {
			require.NoError(t, err)
			causes[d.Task.Kind] = d.Cause
			assert.Equal(t, 5, d.Task.Attempt)
		}
		assert.Equal(t, map[string]string{"fail": "down", "panic": "panic: oh", "unknown": `there is no handler for tasks of kind "unknown" here`}, causes)
		mended.Store(true)
		n, err := workflow.Replay(t.Context(), q.DeadLetters(), func(d storage.DeadLetter) bool { return d.Cause == "down" })
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		time.Sleep(time.Minute)
		cancel()
		require.NoError(t, <-done)
		left := 0
		for _, err := range workflow.Dead(t.Context(), q.DeadLetters()) {
			require.NoError(t, err)
			left++
		}
		assert.Equal(t, 2, left)
	})
}

func TestTasksThatCannotBeAreRefused(t *testing.T) {
	q, _ := tasks(t)
	for name, call := range map[string]func() error{
		"kind": func() error {
			_, err := workflow.SendTask(t.Context(), q, "A kind", "", nil)
			return err
		},
		"data": func() error {
			_, err := workflow.SendTask(t.Context(), q, "a", "", make(chan int))
			return err
		},
		"handlers": func() error {
			return workflow.ConsumeTasks(t.Context(), q, workflow.Tasks(), map[string]workflow.TaskHandler{"a": nil})
		},
	} {
		refused, ok := errors.AsType[*workflow.FieldError](call())
		require.True(t, ok, name)
		assert.Equal(t, name, refused.Field)
	}
}

// Two programs on one file: one takes a batch and is never heard of again.
func TestTasksOfAConsumerThatDiedAreDoneByAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tasks.db")
	open := func() storage.Queue {
		store, err := sqlite.Open(t.Context(), path, nil)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		tenant, err := store.For(storage.Local)
		require.NoError(t, err)
		q, err := tenant.Queue("tasks", &storage.QueueOptions{Lease: 200 * time.Millisecond, MinBackoff: time.Millisecond})
		require.NoError(t, err)
		return q
	}
	first, second := open(), open()
	want := map[string]int{}
	for i := range 25 {
		key := fmt.Sprint("k", i)
		want[key] = 1
		_, err := workflow.SendTask(t.Context(), first, "work", key, i)
		require.NoError(t, err)
	}
	taken, err := first.Receive(t.Context(), 10, time.Second) // and dies
	require.NoError(t, err)
	require.Len(t, taken, 10)
	var l log
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	all := make(chan struct{})
	require.NoError(t, workflow.ConsumeTasks(ctx, second, workflow.Batches{Most: 10, Wait: 20 * time.Millisecond, AtOnce: 2, Lease: 200 * time.Millisecond}, map[string]workflow.TaskHandler{
		"work": func(_ context.Context, x workflow.Task) error {
			l.add(x.Key)
			l.mu.Lock()
			defer l.mu.Unlock()
			if len(l.done) == len(want) {
				select {
				case <-all:
				default:
					close(all)
					cancel()
				}
			}
			return nil
		},
	}))
	assert.Equal(t, want, l.all())
}

func ExampleConsumeTasks() {
	store, err := memory.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	tenant, err := store.For(storage.Local)
	if err != nil {
		fmt.Println(err)
		return
	}
	queue, err := workflow.OpenTasks(tenant)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if _, err := workflow.SendTask(ctx, queue, "sync", "sync/2026-03-03", "5WX00000"); err != nil {
		fmt.Println(err)
		return
	}
	batches := workflow.Tasks() // up to 10 tasks or 30 seconds
	batches.Wait = time.Millisecond
	err = workflow.ConsumeTasks(ctx, queue, batches, map[string]workflow.TaskHandler{
		"sync": func(_ context.Context, t workflow.Task) error {
			fmt.Println(t.Kind, string(t.Data), t.Key, t.Attempt)
			cancel()
			return nil
		},
	})
	fmt.Println(err)
	// Output:
	// sync "5WX00000" sync/2026-03-03 1
	// <nil>
}
