package sqlite

import (
	"context"
	"sync"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// A watcher wakes whoever waits for a change of the file: at once for changes of
// this process, by looking at SQLite's data_version for those of others. It looks
// only while somebody waits.
type watcher struct {
	store *Store

	mu      sync.Mutex
	changed chan struct{} // closed at the next change
	waiting int
	stop    context.CancelFunc
	ended   sync.WaitGroup
	closed  bool
}

// wait returns a channel that is closed at the next change. The caller calls done
// when it waits no longer.
func (w *watcher) wait() (changed <-chan struct{}, done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	if w.waiting++; w.waiting == 1 && w.stop == nil && !w.closed {
		ctx, cancel := context.WithCancel(context.Background())
		w.stop = cancel
		w.ended.Go(func() { w.poll(ctx) })
	}
	return w.changed, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.waiting--
	}
}

// idle ends the polling when nobody waits any more.
func (w *watcher) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting > 0 && !w.closed {
		return false
	}
	w.stop()
	w.stop = nil
	return true
}

func (w *watcher) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// poll uses a connection of its own: data_version compares within one. What goes
// wrong here is found and told by the reads of those who wait.
func (w *watcher) poll(ctx context.Context) {
	s := w.store
	db, err := connect(s.path, s.opts.Busy, 2, "query_only(1)")
	if err == nil {
		db.SetMaxOpenConns(1)
		defer db.Close()
	}
	tick := time.NewTicker(s.opts.Poll)
	defer tick.Stop()
	last, quiet := int64(-1), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var version int64
		if err == nil && db.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version) == nil && version == last {
			// Waiters come and go: stop only after a second without any.
			if quiet++; time.Duration(quiet)*s.opts.Poll > time.Second {
				if quiet = 0; w.idle() {
					return
				}
			}
			continue
		}
		last = version
		w.wake()
	}
}

func (w *watcher) close() {
	w.mu.Lock()
	w.closed = true
	if w.stop != nil {
		w.stop()
	}
	w.mu.Unlock()
	w.wake()
	w.ended.Wait()
}

// keepEvents is how long an event stays in the file for other processes to read.
const keepEvents = time.Minute

// A stream carries events from the file to this process's subscriptions. It runs
// while there are any.
type stream struct {
	store *Store

	mu      sync.Mutex
	last    int64 // the newest event that was delivered
	running bool
}

// drain delivers the events that were published since the last time. The lock is
// held.
func (st *stream) drain(ctx context.Context) error {
	for {
		n := 0
		err := st.store.read(ctx, func(tx *session) error {
			rows, err := tx.query(ctx, `SELECT id, tenant, topic, data FROM event WHERE id > ? ORDER BY id LIMIT ?`, st.last, page)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id int64
				var tenant, data []byte
				var topic string
				if err := rows.Scan(&id, &tenant, &topic, &data); err != nil {
					return err
				}
				if id > st.last+1 {
					st.store.hub.Missed(1) // somebody's were cleared away before they were read
				}
				st.last = id
				st.store.hub.Publish(string(tenant), topic, data)
				n++
			}
			return rows.Err()
		})
		if err != nil || n < page {
			return err
		}
	}
}

// start brings the stream to the present, so that a new subscription gets only
// what comes after.
func (st *stream) start(ctx context.Context) error {
	err := st.store.read(ctx, func(tx *session) error {
		return tx.row(ctx, `SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'`).Scan(&st.last)
	})
	if err != nil {
		return err
	}
	st.running = true
	st.store.watch.ended.Go(st.run)
	return nil
}

func (st *stream) run() {
	for {
		changed, done := st.store.watch.wait()
		st.mu.Lock()
		if st.store.isClosed() || !st.store.hub.Listening() {
			st.running = false
			st.mu.Unlock()
			done()
			return
		}
		err := st.drain(context.Background())
		st.mu.Unlock()
		retry := time.Hour
		if err != nil {
			retry = time.Second // what is wrong may pass; nothing is skipped
		}
		timer := time.NewTimer(retry)
		select {
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
		done()
	}
}

type pubsub struct{ scope }

func (p *pubsub) Publish(ctx context.Context, topic string, data []byte) error {
	if err := storage.CheckEvent(topic, data); err != nil {
		return err
	}
	if data == nil {
		data = []byte{}
	}
	return p.write(ctx, false, func(tx *session) error {
		now := time.Now().UnixMicro() // how long others need to read it is real time
		var id int64
		err := tx.row(ctx, `INSERT INTO event (tenant, topic, at, data) VALUES (?, ?, ?, ?) RETURNING id`, p.tenant, topic, now, data).Scan(&id)
		if err == nil && id%64 == 0 {
			_, err = tx.exec(ctx, `DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at < ? ORDER BY id LIMIT 1000)`,
				now-keepEvents.Microseconds())
		}
		return err
	})
}

func (p *pubsub) Subscribe(ctx context.Context, topics ...string) (storage.Subscription, error) {
	if err := storage.CheckTopics(topics); err != nil {
		return nil, err
	}
	if err := p.enter(ctx); err != nil {
		return nil, err
	}
	p.stream.mu.Lock()
	defer p.stream.mu.Unlock()
	// What is drained before the subscription exists is not for it.
	if p.stream.running {
		if err := p.stream.drain(ctx); err != nil {
			return nil, err
		}
		return p.hub.Subscribe(string(p.tenant), topics)
	}
	sub, err := p.hub.Subscribe(string(p.tenant), topics)
	if err != nil {
		return nil, err
	}
	if err := p.stream.start(ctx); err != nil {
		sub.Close() // it always succeeds
		return nil, err
	}
	return sub, nil
}
