package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/storage"
)

// A mark is a subscription that waits to begin.
type mark struct {
	scope  string
	topics []string
	done   chan struct{} // closed when it began
	sub    storage.Subscription
	err    error
}

// A listener carries notices to this process's subscriptions and receivers, over a
// connection of its own, from the first one that needs it to the store's end.
type listener struct {
	store *Store

	mu      sync.Mutex
	marks   map[string]*mark
	stop    context.CancelFunc
	over    chan struct{} // closed when the store is
	closed  bool
	running sync.WaitGroup
}

// start begins listening. It does not wait until that works.
func (l *listener) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil || l.closed {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	l.running.Go(func() { l.run(ctx) })
}

func (l *listener) close() {
	l.mu.Lock()
	l.closed = true
	if l.over == nil {
		l.over = make(chan struct{})
	}
	close(l.over)
	if l.stop != nil {
		l.stop()
	}
	l.mu.Unlock()
	l.running.Wait()
}

// ended returns a channel that is closed when the store is.
func (l *listener) ended() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over == nil {
		l.over = make(chan struct{})
	}
	return l.over
}

func (l *listener) set(secret string, m *mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.marks == nil {
		l.marks = map[string]*mark{}
	}
	l.marks[secret] = m
}

func (l *listener) unset(secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.marks, secret)
}

// begin lets the subscriptions of one mark begin, or of all for "".
func (l *listener) begin(secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s, m := range l.marks {
		if secret == "" || s == secret {
			m.sub, m.err = l.store.hub.Subscribe(m.scope, m.topics)
			close(m.done)
			delete(l.marks, s)
		}
	}
}

// run listens until the store is closed. What goes wrong is told to subscribers as
// a gap once it is over.
func (l *listener) run(ctx context.Context) {
	pause, gap := time.Duration(0), false
	for ctx.Err() == nil {
		begun := time.Now()
		worked := l.listen(ctx, gap)
		gap = gap || worked
		if worked && time.Since(begun) > 10*time.Second {
			pause = 0
		}
		timer := time.NewTimer(pause/2 + rand.N(pause/2+time.Millisecond))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		pause = min(5*time.Second, max(50*time.Millisecond, 2*pause))
	}
}

// alive is how often a silent connection is asked whether it still works.
const alive = 20 * time.Second

// listen carries notices until the connection breaks, and tells whether it had one.
func (l *listener) listen(ctx context.Context, gap bool) (worked bool) {
	conn, err := pgx.ConnectConfig(ctx, l.store.config.ConnConfig.Copy())
	if err != nil {
		return false
	}
	defer goodbye(conn)
	if settle(ctx, conn, l.store.opts) != nil {
		return false
	}
	if _, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{l.store.opts.Schema}.Sanitize()); err != nil {
		return false
	}
	if gap {
		l.store.hub.Missed(1)
	}
	l.begin("") // nothing told before can arrive any more
	l.store.bells.ring("")
	for {
		waiting, cancel := context.WithTimeout(ctx, alive)
		n, err := conn.WaitForNotification(waiting)
		quiet := waiting.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			return true
		case err == nil:
			l.hear(ctx, n.Payload)
		case !quiet || !l.answers(ctx, conn):
			return true
		}
	}
}

func (l *listener) answers(ctx context.Context, conn *pgx.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, alive/2)
	defer cancel()
	return conn.Ping(ctx) == nil
}

// hear does what a notice says. Others may write to the channel what they like.
func (l *listener) hear(ctx context.Context, payload string) {
	var n notice
	if json.Unmarshal([]byte(payload), &n) != nil {
		return
	}
	s := l.store
	switch n.Kind {
	case markSet:
		if n.Name != "" {
			l.begin(n.Name)
		}
	case messageSent:
		s.bells.ring(string(n.Tenant) + "/" + n.Name)
	case published:
		if n.Event != 0 && s.hub.Listening() {
			data, err := l.fetch(ctx, n)
			if err != nil {
				s.hub.Missed(1)
				return
			}
			n.Data = data
		}
		s.hub.Publish(string(n.Tenant), n.Name, n.Data)
	}
}

// fetch reads an event that was too long for its notice.
func (l *listener) fetch(ctx context.Context, n notice) (data []byte, err error) {
	err = l.store.read(ctx, func(q querier) error {
		err := q.QueryRow(ctx, `SELECT data FROM event WHERE tenant = $1 AND id = $2`, n.Tenant, n.Event).Scan(&data)
		if errors.Is(err, pgx.ErrNoRows) {
			return storage.ErrNotFound
		}
		return err
	})
	return data, err
}

// Bells wake receivers that wait, by queue.
type bells struct {
	mu      sync.Mutex
	waiting map[string]*bell
}

type bell struct {
	rung    chan struct{} // closed at the next ring
	waiting int
}

// wait returns a channel that is closed when the bell rings. The caller calls done
// when it waits no longer.
func (b *bells) wait(name string) (rung <-chan struct{}, done func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = map[string]*bell{}
	}
	one := b.waiting[name]
	if one == nil {
		one = &bell{rung: make(chan struct{})}
		b.waiting[name] = one
	}
	one.waiting++
	return one.rung, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if one.waiting--; one.waiting == 0 && b.waiting[name] == one {
			delete(b.waiting, name)
		}
	}
}

// ring wakes who waits for a queue, or for any when the name is "".
func (b *bells) ring(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, one := range b.waiting {
		if name == "" || n == name {
			close(one.rung)
			delete(b.waiting, n)
		}
	}
}
