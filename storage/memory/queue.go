package memory

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// A queue holds messages by id. Ids are numbers, so that those ready at one time
// come in the order they were sent.
type queue struct {
	guard
	now      func() time.Time
	messages map[uint64]*message
	keys     map[string]sentKey
	last     uint64
	receipts uint64
	changed  chan struct{} // closed and replaced whenever something may have become ready
}

type message struct {
	id       uint64
	body     []byte
	key      string
	attempts int
	sent     time.Time
	ready    time.Time // when it can be received: after its delay, backoff or lease
	receipt  uint64    // of the present lease; 0 when there is none
	failed   time.Time // when it became a dead letter; zero otherwise
	cause    string
}

type sentKey struct {
	id   uint64
	ends time.Time
}

func newQueue(now func() time.Time) *queue {
	return &queue{now: now, messages: map[uint64]*message{}, keys: map[string]sentKey{}, changed: make(chan struct{})}
}

// wake tells waiting receivers to look again. The lock is held.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *queue) close() {
	q.guard.close()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wake()
}

type queueHandle struct {
	*queue
	opts storage.QueueOptions
}

func (q *queueHandle) Send(ctx context.Context, messages ...storage.NewMessage) ([]string, error) {
	for _, m := range messages {
		if err := m.Validate(); err != nil {
			return nil, err
		}
	}
	if err := q.enter(ctx); err != nil {
		return nil, err
	}
	defer q.leave()
	now := q.now()
	ids := make([]string, len(messages))
	for i, m := range messages {
		if k, ok := q.keys[m.Key]; m.Key != "" && ok && now.Before(k.ends) {
			ids[i] = strconv.FormatUint(k.id, 10)
			continue
		}
		q.last++
		ids[i] = strconv.FormatUint(q.last, 10)
		q.messages[q.last] = &message{id: q.last, body: slices.Clone(m.Body), key: m.Key, sent: now, ready: now.Add(m.Delay)}
		if m.Key != "" {
			q.sweep(now)
			q.keys[m.Key] = sentKey{q.last, now.Add(q.opts.Window)}
		}
	}
	q.wake()
	return ids, nil
}

// sweep forgets keys whose window is over, every time their number has doubled.
func (q *queueHandle) sweep(now time.Time) {
	if n := len(q.keys); n < 1024 || n&(n-1) != 0 {
		return
	}
	for key, k := range q.keys {
		if !now.Before(k.ends) {
			delete(q.keys, key)
		}
	}
}

func (q *queueHandle) Receive(ctx context.Context, most int, wait time.Duration) ([]storage.Message, error) {
	if err := storage.CheckReceive(most, wait); err != nil {
		return nil, err
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	over := wait == 0
	for {
		if err := q.enter(ctx); err != nil {
			return nil, err
		}
		ready, next := q.ready(most)
		if over || len(ready) == most {
			out := q.lease(ready)
			q.leave()
			return out, nil
		}
		changed := q.changed
		q.leave()
		soon := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-deadline.C:
			over = true
		case <-changed:
		case <-soon.C:
		}
		soon.Stop()
	}
}

// ready returns the messages to lease, and after how long to look again. Those
// whose last lease ended become dead letters.
func (q *queueHandle) ready(most int) ([]*message, time.Duration) {
	now := q.now()
	next := time.Hour
	var ready []*message
	for _, m := range q.messages {
		switch {
		case !m.failed.IsZero():
		case now.Before(m.ready):
			next = min(next, m.ready.Sub(now))
		case m.attempts >= q.opts.Attempts:
			m.failed, m.cause, m.receipt = m.ready, storage.LeaseEnded, 0
		default:
			ready = append(ready, m)
		}
	}
	slices.SortFunc(ready, func(a, b *message) int {
		return cmp.Or(a.ready.Compare(b.ready), cmp.Compare(a.id, b.id))
	})
	return ready[:min(len(ready), most)], next
}

func (q *queueHandle) lease(ready []*message) []storage.Message {
	now := q.now()
	var out []storage.Message
	for _, m := range ready {
		q.receipts++
		m.receipt = q.receipts
		m.attempts++
		m.ready = now.Add(q.opts.Lease)
		out = append(out, storage.Message{
			ID: strconv.FormatUint(m.id, 10), Body: slices.Clone(m.body), Key: m.key, Attempt: m.attempts,
			Sent: m.sent, Expires: m.ready, Receipt: strconv.FormatUint(m.receipt, 10),
		})
	}
	return out
}

// held returns the message if this is its present lease. A lease that ended but
// was given to nobody else still counts.
func (q *queueHandle) held(m storage.Message) (*message, error) {
	id, _ := strconv.ParseUint(m.ID, 10, 64)
	got, ok := q.messages[id]
	if !ok || got.receipt == 0 || strconv.FormatUint(got.receipt, 10) != m.Receipt {
		return nil, fmt.Errorf("message %s: %w", m.ID, storage.ErrLeaseLost)
	}
	return got, nil
}

func (q *queueHandle) Ack(ctx context.Context, messages ...storage.Message) error {
	if err := q.enter(ctx); err != nil {
		return err
	}
	defer q.leave()
	var lost error
	for _, m := range messages {
		got, err := q.held(m)
		if err != nil {
			lost = err
			continue
		}
		delete(q.messages, got.id)
	}
	return lost
}

func (q *queueHandle) Retry(ctx context.Context, m storage.Message, cause string) error {
	if err := q.enter(ctx); err != nil {
		return err
	}
	defer q.leave()
	got, err := q.held(m)
	if err != nil {
		return err
	}
	got.receipt = 0
	if got.attempts >= q.opts.Attempts {
		got.failed, got.cause = q.now(), cause
		return nil
	}
	got.ready = q.now().Add(q.opts.Backoff(got.attempts))
	q.wake()
	return nil
}

func (q *queueHandle) Extend(ctx context.Context, m storage.Message) (storage.Message, error) {
	if err := q.enter(ctx); err != nil {
		return m, err
	}
	defer q.leave()
	got, err := q.held(m)
	if err != nil {
		return m, err
	}
	got.ready = q.now().Add(q.opts.Lease)
	m.Expires = got.ready
	return m, nil
}

func (q *queueHandle) DeadLetters() storage.DeadLetters { return deadLetters{q} }

type deadLetters struct{ q *queueHandle }

// List yields a snapshot taken when the loop begins.
func (d deadLetters) List(ctx context.Context) iter.Seq2[storage.DeadLetter, error] {
	return func(yield func(storage.DeadLetter, error) bool) {
		if err := d.q.enter(ctx); err != nil {
			yield(storage.DeadLetter{}, err)
			return
		}
		d.q.ready(0) // what failed by now is dead
		var dead []message
		for _, m := range d.q.messages {
			if !m.failed.IsZero() {
				dead = append(dead, *m)
			}
		}
		d.q.leave()
		slices.SortFunc(dead, func(a, b message) int {
			return cmp.Or(a.failed.Compare(b.failed), cmp.Compare(a.id, b.id))
		})
		for _, m := range dead {
			if err := ctx.Err(); err != nil {
				yield(storage.DeadLetter{}, err)
				return
			}
			letter := storage.DeadLetter{
				ID: strconv.FormatUint(m.id, 10), Body: slices.Clone(m.body), Key: m.key,
				Attempts: m.attempts, Sent: m.sent, Failed: m.failed, Cause: m.cause,
			}
			if !yield(letter, nil) {
				return
			}
		}
	}
}

// find returns the dead letter of that id, or nil.
func (d deadLetters) find(id string) *message {
	n, _ := strconv.ParseUint(id, 10, 64)
	if m, ok := d.q.messages[n]; ok && !m.failed.IsZero() {
		return m
	}
	return nil
}

func (d deadLetters) Replay(ctx context.Context, ids ...string) error {
	if err := d.q.enter(ctx); err != nil {
		return err
	}
	defer d.q.leave()
	d.q.ready(0)
	var missing error
	for _, id := range ids {
		m := d.find(id)
		if m == nil {
			missing = fmt.Errorf("dead letter %s: %w", id, storage.ErrNotFound)
			continue
		}
		m.attempts, m.failed, m.cause, m.ready = 0, time.Time{}, "", d.q.now()
	}
	d.q.wake()
	return missing
}

func (d deadLetters) Drop(ctx context.Context, ids ...string) error {
	if err := d.q.enter(ctx); err != nil {
		return err
	}
	defer d.q.leave()
	for _, id := range ids {
		if m := d.find(id); m != nil {
			delete(d.q.messages, m.id)
		}
	}
	return nil
}
