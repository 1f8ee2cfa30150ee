package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// The queues that every tenant has.
const (
	TasksQueue         = "tasks"         // work that need not be done at once: Task messages
	NotificationsQueue = "notifications" // what people are told, see package notify
)

// OpenTasks opens a tenant's queue of tasks. All who open it get the same settings.
func OpenTasks(tenant storage.Tenant) (storage.Queue, error) {
	return tenant.Queue(TasksQueue, nil)
}

// A Task is work for a queue of tasks.
type Task struct {
	// Kind names the work: of [storage.CheckName]'s form.
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data,omitempty"`
	// Key makes it happen once: of tasks with one key that are sent within the queue's
	// window the first is kept. A workflow step gives its [Call].Key. Handlers get it
	// back, or the message's id when it is empty, and must have their effect once by it.
	Key string `json:"-"`
	// Attempt counts how often it was given to a handler, from 1. Senders leave it 0.
	Attempt int `json:"-"`
}

// SendTask puts a task into a queue and returns its id. Data is anything that has a
// JSON form.
func SendTask(ctx context.Context, queue storage.Sender, kind, key string, data any) (string, error) {
	if err := storage.CheckName("kind", kind); err != nil {
		return "", err
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return "", invalid.Fieldf("data", fmt.Sprintf("%T", data), "a value that has a JSON form (%v)", err)
	}
	body, err := json.Marshal(Task{Kind: kind, Data: raw})
	if err != nil {
		return "", err
	}
	ids, err := queue.Send(ctx, storage.NewMessage{Body: body, Key: key})
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

// A TaskHandler does one task. An error has it tried again after the queue's
// backoff, and one that is [Permanent] too: the queue gives it up when it was tried
// often enough.
type TaskHandler func(ctx context.Context, t Task) error

// ConsumeTasks is [Consume] for a queue of tasks: the tasks of a batch are done at
// the same time, each by the handler of its kind, and each fails by itself. A task
// of a kind without a handler fails, for another process that has one.
func ConsumeTasks(ctx context.Context, queue storage.Receiver, batches Batches, handlers map[string]TaskHandler) error {
	for kind, h := range handlers {
		if err := storage.CheckName("handlers", kind); err != nil {
			return err
		}
		if h == nil {
			return invalid.Field("handlers", kind, "a function for each kind")
		}
	}
	return Consume(ctx, queue, batches, func(ctx context.Context, batch *Batch) error {
		var all sync.WaitGroup
		for _, m := range batch.Messages {
			all.Go(func() {
				if err := doTask(ctx, m, handlers); err != nil {
					batch.Fail(m.ID, err)
				}
			})
		}
		all.Wait()
		return nil
	})
}

var errNoTask = errors.New("this is no task")

func doTask(ctx context.Context, m storage.Message, handlers map[string]TaskHandler) (err error) {
	var t Task
	if json.Unmarshal(m.Body, &t) != nil || t.Kind == "" {
		return errNoTask
	}
	h := handlers[t.Kind]
	if h == nil {
		return fmt.Errorf("there is no handler for tasks of kind %q here", text(errors.New(t.Kind)))
	}
	t.Key, t.Attempt = m.Key, m.Attempt
	if t.Key == "" {
		t.Key = m.ID
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return h(ctx, t)
}

// Dead lists the dead letters of a queue that hold tasks, with why they failed, the
// one that failed longest ago first. [Replay] does them again.
func Dead(ctx context.Context, dead storage.DeadLetters) iter.Seq2[DeadTask, error] {
	return func(yield func(DeadTask, error) bool) {
		for letter, err := range dead.List(ctx) {
			if err != nil {
				yield(DeadTask{}, err)
				return
			}
			d := DeadTask{DeadLetter: letter}
			_ = json.Unmarshal(letter.Body, &d.Task) // what is no task has none
			d.Task.Key, d.Task.Attempt = letter.Key, letter.Attempts
			if !yield(d, nil) {
				return
			}
		}
	}
}

// A DeadTask is a task that failed for good. Task.Kind is empty for a message that
// is none.
type DeadTask struct {
	storage.DeadLetter
	Task Task
}
