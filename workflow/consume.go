package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// Batches says how [Consume] takes messages. The zero value works.
type Batches struct {
	// Most is the most messages of a batch, 1 to 1000; 0 means 10.
	Most int
	// Wait is how long a batch that is not full waits for more, in real time; 0
	// means 30 seconds.
	Wait time.Duration
	// AtOnce is how many batches are handled at the same time, 1 to 1000; 0 means
	// 1. No message is taken before there is room to handle it, so that others wait
	// in the queue, where other consumers find them.
	AtOnce int
	// Lease is the queue's; 0 means 30 seconds. Leases are renewed every third of it
	// while a batch is handled.
	Lease time.Duration
	// Clock tells the pauses after errors of the queue; nil means RealClock.
	Clock Clock
	// Logger hears of errors of the queue; nil means nobody.
	Logger *slog.Logger
}

// Tasks returns the settings of the tasks queue: up to 10 messages or 30 seconds.
func Tasks() Batches { return Batches{Most: 10, Wait: 30 * time.Second} }

// Notifications returns the settings of the notifications queue: up to 20 messages
// or 5 seconds.
func Notifications() Batches { return Batches{Most: 20, Wait: 5 * time.Second} }

// Validated returns the settings with their defaults, or a *FieldError.
func (b Batches) Validated() (Batches, error) {
	for _, n := range []struct {
		name  string
		value *int
		zero  int
	}{{"Most", &b.Most, 10}, {"AtOnce", &b.AtOnce, 1}} {
		if *n.value < 0 || *n.value > 1000 {
			return b, invalid.Fieldf(n.name, *n.value, "1 to 1000, or 0 for %d", n.zero)
		}
		if *n.value == 0 {
			*n.value = n.zero
		}
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
	}{{"Wait", &b.Wait}, {"Lease", &b.Lease}} {
		if *d.value < 0 {
			return b, invalid.Field(d.name, *d.value, "0 for 30 s, or a positive duration")
		}
		if *d.value == 0 {
			*d.value = 30 * time.Second
		}
	}
	if b.Lease < 3*time.Millisecond {
		return b, invalid.Field("Lease", b.Lease, "at least 3 ms")
	}
	if b.Clock == nil {
		b.Clock = RealClock{}
	}
	if b.Logger == nil {
		b.Logger = slog.New(slog.DiscardHandler)
	}
	return b, nil
}

// A Batch is what a handler of [Consume] is given. Its methods are safe for
// concurrent use.
type Batch struct {
	Messages []storage.Message

	mu     sync.Mutex
	failed map[string]string // causes by message id
}

// Fail says that one message failed and why; it is retried after the queue's
// backoff, or becomes a dead letter. The cause must not hold secrets.
func (b *Batch) Fail(id string, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed[id] = text(cause)
}

// Consume takes batches from a queue and has them handled until ctx ends, which is
// no error; then it waits for the batches under way, whose contexts end too. A
// message is acknowledged once handle has returned without failing it. When handle
// returns an error or panics, all of its batch failed.
//
// A message may come again after it was handled, when the process died before it
// was acknowledged: its effect must happen once by its Key or ID. When the queue
// cannot be reached Consume tries again, after 1 second at first and up to 30; a
// closed store ends it with storage.ErrClosed.
func Consume(ctx context.Context, queue storage.Receiver, batches Batches, handle func(ctx context.Context, batch *Batch) error) error {
	o, err := batches.Validated()
	if err != nil {
		return err
	}
	if handle == nil {
		return invalid.Missing("handle", "a function")
	}
	c := &consumer{Batches: o, queue: queue, handle: handle}
	var all sync.WaitGroup
	defer all.Wait()
	room := make(chan struct{}, o.AtOnce)
	pause := time.Second
	for {
		select {
		case <-ctx.Done():
			return nil
		case room <- struct{}{}:
		}
		messages, err := queue.Receive(ctx, o.Most, o.Wait)
		if err != nil || len(messages) == 0 {
			<-room
			switch {
			case ctx.Err() != nil:
				return nil
			case errors.Is(err, storage.ErrClosed):
				return err
			case err != nil:
				if _, refused := errors.AsType[*FieldError](err); refused {
					return err
				}
				o.Logger.Warn("queue cannot be read", "error", err, "pause", pause)
				_ = o.Clock.Sleep(ctx, pause) // the context is looked at above
				pause = min(2*pause, 30*time.Second)
			}
			continue
		}
		pause = time.Second
		all.Go(func() {
			defer func() { <-room }()
			c.work(ctx, messages)
		})
	}
}

type consumer struct {
	Batches
	queue  storage.Receiver
	handle func(context.Context, *Batch) error
}

// work handles one batch and tells the queue what became of each message.
func (c *consumer) work(ctx context.Context, messages []storage.Message) {
	batch := &Batch{Messages: messages, failed: map[string]string{}}
	handling, stop := context.WithCancel(ctx)
	kept := make(chan []storage.Message, 1)
	go func() { kept <- c.keep(handling, messages) }()
	err := c.call(handling, batch)
	stop()
	messages = <-kept
	batch.mu.Lock()
	defer batch.mu.Unlock()
	telling := context.WithoutCancel(ctx)
	var done []storage.Message
	for _, m := range messages {
		cause, failed := batch.failed[m.ID]
		if err != nil && !failed {
			cause, failed = text(err), true
		}
		if !failed {
			done = append(done, m)
		} else if err := c.queue.Retry(telling, m, cause); err != nil {
			c.Logger.Warn("message not given back", "message", m.ID, "error", err)
		}
	}
	if len(done) > 0 {
		if err := c.queue.Ack(telling, done...); err != nil {
			c.Logger.Warn("messages not acknowledged", "messages", len(done), "error", err)
		}
	}
}

func (c *consumer) call(ctx context.Context, batch *Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return c.handle(ctx, batch)
}

// keep renews the leases of messages until ctx ends, and returns those that are to
// be told to the queue.
func (c *consumer) keep(ctx context.Context, messages []storage.Message) []storage.Message {
	out := append([]storage.Message(nil), messages...)
	tick := time.NewTicker(c.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return out
		case <-tick.C:
		}
		for i, m := range out {
			// A renewal that has begun ends, so that its receipt is not lost.
			renewed, err := c.queue.Extend(context.WithoutCancel(ctx), m)
			if err == nil {
				out[i] = renewed
			} else if ctx.Err() == nil {
				c.Logger.Warn("lease of a message not renewed", "message", m.ID, "error", err)
			}
		}
	}
}

// Replay makes the dead letters that pick chooses ready again and returns how many
// they were; nil chooses all. Those that somebody else replayed or dropped
// meanwhile do not count.
func Replay(ctx context.Context, dead storage.DeadLetters, pick func(storage.DeadLetter) bool) (int, error) {
	var ids []string
	for letter, err := range dead.List(ctx) {
		if err != nil {
			return 0, err
		}
		if pick == nil || pick(letter) {
			ids = append(ids, letter.ID)
		}
	}
	n := 0
	for _, id := range ids {
		switch err := dead.Replay(ctx, id); {
		case err == nil:
			n++
		case !errors.Is(err, storage.ErrNotFound):
			return n, err
		}
	}
	return n, nil
}
