package tastytrade

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// A notificationQueue holds what the reader has not taken yet, in order, in a
// bounded number of entries. A gap that is closed to the reader holds back what
// lies behind it.
type notificationQueue struct {
	most int
	now  func() time.Time
	seed maphash.Seed

	mu      sync.Mutex
	entries []*queued
	events  int                // entries that hold a notification and are not superseded
	newest  map[string]*queued // by the object that they are about, since the last gap
	closed  *queued            // the gap that is not resolved yet
	seen    map[string]version
	order   []string // the keys of seen, oldest first
	dropped int
	ended   error
	wake    chan struct{} // closed and renewed when something changes
}

// A queued entry is a notification or a gap.
type queued struct {
	n          Notification
	key        string
	gap        *AccountGap
	silent     bool // a gap that is not told: the one before the first connection
	superseded bool
}

// A version is what was last given out of an object.
type version struct {
	at       time.Time
	sum      uint64
	snapshot bool
}

// mostVersions is how many objects the queue remembers the version of.
const mostVersions = 1 << 14

func newNotificationQueue(most int, now func() time.Time) *notificationQueue {
	return &notificationQueue{
		most: most, now: now, seed: maphash.MakeSeed(),
		newest: map[string]*queued{}, seen: map[string]version{}, wake: make(chan struct{}),
	}
}

// changed wakes the reader; the caller holds mu.
func (q *notificationQueue) changed() {
	close(q.wake)
	q.wake = make(chan struct{})
}

// hold puts a gap behind what has come so far, which nothing passes until
// resume, and returns a copy of what the gap is by now. Two gaps with nothing
// between them are one. A nil gap is one that is not told.
func (q *notificationQueue) hold(gap *AccountGap) *AccountGap {
	q.mu.Lock()
	defer q.mu.Unlock()
	silent := gap == nil
	if silent {
		gap = &AccountGap{Since: q.now()}
	}
	clear(q.newest)
	last := q.closed
	if n := len(q.entries); last == nil && n > 0 && q.entries[n-1].gap != nil {
		last = q.entries[n-1]
	}
	if last != nil {
		last.gap.merge(gap)
		last.silent = last.silent && silent
	} else {
		last = &queued{gap: gap, silent: silent}
		q.entries = append(q.entries, last)
	}
	q.closed = last
	out := *last.gap
	return &out
}

func (g *AccountGap) merge(later *AccountGap) {
	g.Lost += later.Lost
	g.Dropped += later.Dropped
	if later.Since.Before(g.Since) || g.Since.IsZero() {
		g.Since = later.Since
	}
	if later.Until.After(g.Until) {
		g.Until = later.Until
	}
	if later.Err != nil {
		g.Err = later.Err
	}
}

// resume opens the gap. What the caller has read is remembered, so that nothing
// older is given out.
func (q *notificationQueue) resume(snapshot *AccountSnapshot) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if snapshot != nil {
		for i := range snapshot.Orders {
			q.read(&Notification{Value: &snapshot.Orders[i]})
		}
		for i := range snapshot.Positions {
			q.read(&Notification{Value: &snapshot.Positions[i]})
		}
		for i := range snapshot.Balances {
			q.read(&Notification{Value: &snapshot.Balances[i]})
		}
	}
	if q.closed != nil {
		q.closed.gap.Until = q.now()
		q.closed = nil
	}
	q.changed()
}

func (q *notificationQueue) read(n *Notification) {
	if key, at, ok := n.key(); ok && !at.IsZero() && !at.Before(q.seen[key].at) {
		q.remember(key, version{at: at, snapshot: true})
	}
}

// push adds a notification and makes room for it.
func (q *notificationQueue) push(n Notification) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended != nil {
		return
	}
	e := &queued{n: n}
	key, at, ok := n.key()
	if ok {
		e.key = key
		if old := q.newest[key]; q.events >= q.most && old != nil {
			if _, was, _ := old.n.key(); !at.IsZero() && at.Before(was) {
				return // it came late: the one that waits is newer
			}
			old.superseded = true
			old.n = Notification{}
			q.events--
		}
		q.newest[key] = e
	}
	if q.events >= q.most {
		q.dropOldest()
	}
	q.entries = append(q.entries, e)
	q.events++
	if len(q.entries) > 2*q.most+16 {
		q.compact()
	}
	q.changed()
}

// compact takes out the entries that have been superseded.
func (q *notificationQueue) compact() {
	kept := make([]*queued, 0, q.events+16)
	for _, e := range q.entries {
		if !e.superseded {
			kept = append(kept, e)
		}
	}
	q.entries = kept
	for i := range kept {
		q.join(i)
	}
}

// dropOldest turns the oldest notification into a gap.
func (q *notificationQueue) dropOldest() {
	for i, e := range q.entries {
		if e.gap != nil || e.superseded {
			continue
		}
		if q.newest[e.key] == e {
			delete(q.newest, e.key)
		}
		now := q.now()
		q.dropped++
		q.events--
		loss := &AccountGap{Since: now, Until: now, Dropped: 1}
		if i > 0 && q.entries[i-1].gap != nil {
			q.entries[i-1].gap.merge(loss)
			q.entries[i-1].silent = false
			q.entries = slices.Delete(q.entries, i, i+1)
		} else {
			q.entries[i] = &queued{gap: loss}
		}
		q.join(i)
		return
	}
}

// join makes one gap of those next to each other around an index.
func (q *notificationQueue) join(i int) {
	for j := max(i-1, 0); j <= i && j+1 < len(q.entries); {
		a, b := q.entries[j], q.entries[j+1]
		if a.gap == nil || b.gap == nil {
			j++
			continue
		}
		whole := *a.gap
		whole.merge(b.gap)
		*b.gap = whole
		b.silent = a.silent && b.silent
		if q.closed == a {
			q.closed = b
		}
		q.entries = slices.Delete(q.entries, j, j+1)
	}
}

// next waits for what the reader gets next.
func (q *notificationQueue) next() (Notification, error) {
	for {
		q.mu.Lock()
		n, ok, err := q.pop()
		wake := q.wake
		q.mu.Unlock()
		if ok || err != nil {
			return n, err
		}
		<-wake
	}
}

// pop takes the first entry that is to be given out; the caller holds mu.
func (q *notificationQueue) pop() (n Notification, ok bool, err error) {
	if q.ended == ErrStreamClosed { //nolint:errorlint // never wrapped
		return n, false, q.ended
	}
	for len(q.entries) > 0 {
		e := q.entries[0]
		if e == q.closed && q.ended == nil {
			return n, false, nil
		}
		q.entries[0] = nil
		q.entries = q.entries[1:]
		switch {
		case e.superseded:
		case e.gap != nil:
			if e.silent {
				continue
			}
			gap := *e.gap
			return Notification{Type: GapNotification, Timestamp: gap.Until, Value: &gap}, true, nil
		default:
			q.events--
			if q.newest[e.key] == e {
				delete(q.newest, e.key)
			}
			if q.fresh(&e.n) {
				return e.n, true, nil
			}
		}
	}
	return n, false, q.ended
}

// fresh reports whether a notification is newer than what was given out of its
// object, and remembers it.
func (q *notificationQueue) fresh(n *Notification) bool {
	key, at, ok := n.key()
	if !ok {
		return true
	}
	sum := maphash.Bytes(q.seed, n.Data)
	was, known := q.seen[key]
	switch {
	case !known:
	case at.IsZero(): // it does not say when it was changed
		if was.sum == sum && !was.snapshot {
			return false
		}
		at = was.at
	case at.Before(was.at), at.Equal(was.at) && (was.snapshot || was.sum == sum):
		return false
	}
	q.remember(key, version{at: at, sum: sum})
	return true
}

func (q *notificationQueue) remember(key string, v version) {
	if _, known := q.seen[key]; !known {
		if len(q.order) >= mostVersions {
			delete(q.seen, q.order[0])
			q.order = q.order[1:]
		}
		q.order = append(q.order, key)
	}
	q.seen[key] = v
}

// end lets the reader know that nothing more comes.
func (q *notificationQueue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = err
	q.changed()
}

func (q *notificationQueue) lost() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
