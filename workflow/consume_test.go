package workflow_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/workflow"
)

func queue(t *testing.T, opts *storage.QueueOptions) storage.Queue {
	store, err := memory.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	tenant, err := store.For(storage.Local)
	require.NoError(t, err)
	q, err := tenant.Queue("tasks", opts)
	require.NoError(t, err)
	return q
}

func send(t *testing.T, q storage.Queue, n int) []string {
	messages := make([]storage.NewMessage, n)
	for i := range messages {
		messages[i].Body = []byte{byte(i)}
	}
	ids, err := q.Send(t.Context(), messages...)
	require.NoError(t, err)
	return ids
}

// consume runs Consume until the test ends or stop is called, which waits for it.
func consume(t *testing.T, q storage.Receiver, b workflow.Batches, handle func(context.Context, *workflow.Batch) error) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- workflow.Consume(ctx, q, b, handle) }()
	return func() {
		cancel()
		require.NoError(t, <-done)
	}
}

func TestConsumeTakesABatchWhenItIsFullOrItsTimeIsOver(t *testing.T) {
	for name, row := range map[string]struct {
		batches workflow.Batches
		most    int
		wait    time.Duration
	}{"tasks": {workflow.Tasks(), 10, 30 * time.Second}, "notifications": {workflow.Notifications(), 20, 5 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := queue(t, nil)
				begun := time.Now()
				type taken struct {
					n  int
					at time.Duration
				}
				var got []taken
				stop := consume(t, q, row.batches, func(_ context.Context, b *workflow.Batch) error {
					got = append(got, taken{len(b.Messages), time.Since(begun)})
					return nil
				})
				send(t, q, row.most+3)
				time.Sleep(2 * row.wait)
				synctest.Wait()
				stop()
				assert.Equal(t, []taken{{row.most, 0}, {3, row.wait}}, got)
				left, err := q.Receive(t.Context(), 10, 0)
				require.NoError(t, err)
				assert.Empty(t, left)
			})
		})
	}
}

func TestConsumeTakesNoMoreThanItHasRoomFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, nil)
		send(t, q, 100)
		var now, most atomic.Int32
		stop := consume(t, q, workflow.Batches{Most: 5, AtOnce: 2, Wait: time.Second}, func(ctx context.Context, _ *workflow.Batch) error {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(10 * time.Second)
			return nil
		})
		time.Sleep(5 * time.Second)
		others, err := q.Receive(t.Context(), 100, 0)
		require.NoError(t, err)
		assert.Len(t, others, 90, "the messages that wait in the queue")
		stop()
		assert.EqualValues(t, 2, most.Load())
	})
}

func TestConsumeGivesBackWhatFailedUntilItIsADeadLetterThatCanBeReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, &storage.QueueOptions{Attempts: 3, MinBackoff: time.Second, MaxBackoff: time.Second})
		ids := send(t, q, 4)
		var mu sync.Mutex
		handled, mended := map[string]int{}, false
		stop := consume(t, q, workflow.Batches{Most: 4, Wait: 100 * time.Millisecond}, func(_ context.Context, b *workflow.Batch) error {
			mu.Lock()
			defer mu.Unlock()
			for _, m := range b.Messages {
				handled[m.ID]++
				if m.ID == ids[1] && !mended {
					b.Fail(m.ID, errors.New("poison"))
				}
			}
			return nil
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, map[string]int{ids[0]: 1, ids[1]: 3, ids[2]: 1, ids[3]: 1}, handled)
		for letter, err := range q.DeadLetters().List(t.Context()) {
			require.NoError(t, err)
			assert.Equal(t, ids[1], letter.ID)
			assert.Equal(t, "poison", letter.Cause)
		}
		mu.Lock()
		mended = true
		mu.Unlock()
		none, err := workflow.Replay(t.Context(), q.DeadLetters(), func(d storage.DeadLetter) bool { return d.Cause != "poison" })
		require.NoError(t, err)
		assert.Zero(t, none)
		one, err := workflow.Replay(t.Context(), q.DeadLetters(), nil)
		require.NoError(t, err)
		assert.Equal(t, 1, one)
		time.Sleep(time.Minute)
		stop()
		assert.Equal(t, 4, handled[ids[1]])
	})
}

func TestConsumeGivesBackTheBatchOfAHandlerThatFails(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("down") },
		"panic": func() error { panic("down") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := queue(t, &storage.QueueOptions{MinBackoff: time.Second})
				send(t, q, 2)
				var attempts []int
				stop := consume(t, q, workflow.Batches{Most: 2, Wait: time.Second}, func(_ context.Context, b *workflow.Batch) error {
					attempts = append(attempts, b.Messages[0].Attempt, b.Messages[1].Attempt)
					if len(attempts) == 2 {
						return fail()
					}
					return nil
				})
				time.Sleep(time.Minute)
				synctest.Wait()
				stop()
				assert.Equal(t, []int{1, 1, 2, 2}, attempts)
			})
		})
	}
}

func TestConsumeKeepsTheLeasesOfABatchThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lease := 3 * time.Second
		q := queue(t, &storage.QueueOptions{Lease: lease})
		send(t, q, 2)
		stop := consume(t, q, workflow.Batches{Most: 2, Lease: lease}, func(context.Context, *workflow.Batch) error {
			time.Sleep(time.Minute)
			return nil
		})
		time.Sleep(30 * time.Second)
		others, err := q.Receive(t.Context(), 2, 0)
		require.NoError(t, err)
		assert.Empty(t, others)
		time.Sleep(31 * time.Second)
		stop()
		others, err = q.Receive(t.Context(), 2, 10*time.Second)
		require.NoError(t, err)
		assert.Empty(t, others, "the batch was acknowledged")
	})
}

// flaky is a queue that cannot be reached at first.
type flaky struct {
	storage.Receiver
	errs []error
}

func (f *flaky) Receive(ctx context.Context, most int, wait time.Duration) ([]storage.Message, error) {
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, err
	}
	return f.Receiver.Receive(ctx, most, wait)
}

func TestConsumeOutlivesAQueueThatCannotBeReachedButNotAClosedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, nil)
		send(t, q, 1)
		var got atomic.Int32
		begun := time.Now()
		stop := consume(t, &flaky{q, []error{storage.ErrUnavailable, storage.ErrBusy}}, workflow.Batches{Most: 1}, func(context.Context, *workflow.Batch) error {
			got.Add(1)
			assert.Equal(t, 3*time.Second, time.Since(begun), "pauses of 1 and 2 s")
			return nil
		})
		time.Sleep(time.Minute)
		stop()
		assert.EqualValues(t, 1, got.Load())
		err := workflow.Consume(t.Context(), &flaky{q, []error{storage.ErrClosed}}, workflow.Batches{}, func(context.Context, *workflow.Batch) error { return nil })
		assert.ErrorIs(t, err, storage.ErrClosed)
	})
}

func TestConsumeRefusesBadSettings(t *testing.T) {
	handle := func(context.Context, *workflow.Batch) error { return nil }
	for field, b := range map[string]workflow.Batches{
		"Most": {Most: 1001}, "AtOnce": {AtOnce: -1}, "Wait": {Wait: -1}, "Lease": {Lease: time.Microsecond},
	} {
		err := workflow.Consume(t.Context(), nil, b, handle)
		refused, ok := errors.AsType[*workflow.FieldError](err)
		require.True(t, ok, err)
		assert.Equal(t, field, refused.Field)
	}
	assert.Error(t, workflow.Consume(t.Context(), nil, workflow.Batches{}, nil))
}
