package monitor

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// An item is what must be written, in the order in which it came to be: a firing,
// or, after all firings up to then, the marks of a tenant.
type item struct {
	firing Firing
	marks  *savedMarks
}

type savedMarks struct {
	member *member
	marks  Marks
	states map[string]State
}

// batchSize is how many firings are written at once.
const batchSize = 200

// retention is how long sent firings are kept.
const retention = 30 * 24 * time.Hour

// save writes the queue until ctx ends and the queue is empty or cannot be written.
func (e *Engine) save(ctx context.Context) {
	pause := 100 * time.Millisecond
	for {
		e.mu.Lock()
		n := min(len(e.queue), batchSize)
		work := e.queue[:n:n]
		e.mu.Unlock()
		if n == 0 {
			select {
			case <-e.saver:
				continue
			case <-ctx.Done():
			}
			e.mu.Lock()
			empty := len(e.queue) == 0
			e.mu.Unlock()
			if empty {
				return
			}
			continue
		}
		done, err := e.write(context.WithoutCancel(ctx), work)
		e.mu.Lock()
		e.queue = e.queue[done:]
		if len(e.queue) == 0 {
			e.queue = nil
		}
		e.mu.Unlock()
		if err == nil {
			pause = 100 * time.Millisecond
			continue
		}
		if ctx.Err() != nil {
			e.log.Error("alerts could not be written; they are found again from bars at the next start", "error", err)
			return
		}
		e.log.Warn("alerts cannot be written", "error", err, "pause", pause)
		e.sleep(ctx, pause, nil)
		pause = min(2*pause, 30*time.Second)
	}
}

// write writes leading items that belong together and returns how many are done.
func (e *Engine) write(ctx context.Context, work []item) (done int, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if m := work[0].marks; m != nil {
		return 1, e.writeMarks(ctx, m)
	}
	e.mu.Lock()
	m := e.members[work[0].firing.Tenant]
	e.mu.Unlock()
	if m == nil {
		return 1, nil
	}
	var batch []Firing
	rules := map[string]bool{}
	for _, it := range work {
		if it.marks != nil || it.firing.Tenant != m.ID || rules[it.firing.Rule] {
			break
		}
		rules[it.firing.Rule] = true
		batch = append(batch, it.firing)
	}
	records, err := e.writeFirings(ctx, m, batch)
	if _, conflict := errors.AsType[*storage.ConflictError](err); conflict || errors.Is(err, storage.ErrConflict) {
		records = nil
		for i, f := range batch { // somebody else was faster with at least one
			one, err := e.writeOne(ctx, m, f)
			if err != nil {
				e.courier.add(m, records)
				return i, err
			}
			records = append(records, one...)
		}
		err = nil
	}
	if err != nil {
		return 0, err
	}
	e.courier.add(m, records)
	return len(batch), nil
}

// writeOne writes a firing that met a conflict. When another engine told it
// already, the rule is taken from the store as it stands there.
func (e *Engine) writeOne(ctx context.Context, m *member, f Firing) ([]record, error) {
	for range 5 {
		records, err := e.writeFirings(ctx, m, []Firing{f})
		if !errors.Is(err, storage.ErrConflict) {
			return records, err
		}
		if _, err := m.rules.firings.Get(ctx, recordID(f)); err == nil {
			return nil, e.reload(ctx, m, f.Rule)
		} else if !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
	}
	return nil, storage.ErrConflict
}

func recordID(f Firing) string { return f.Key()[len("alert/"):] }

// writeFirings writes firings of different rules in one step: that they happened,
// the state after them, and the alert as people see it. Rules that were taken away
// meanwhile do not fire.
func (e *Engine) writeFirings(ctx context.Context, m *member, firings []Firing) ([]record, error) {
	var writes []storage.RecordWrite
	var out []record
	for _, f := range firings {
		a, err := m.rules.alerts.Get(ctx, f.Rule)
		if errors.Is(err, storage.ErrNotFound) || err == nil && !a.Value.Active {
			continue
		}
		if err != nil {
			return nil, err
		}
		stored := Stored{ID: f.Rule, User: a.Value.User, Active: true, Created: a.Created}
		if stored.Rule, err = ParseRule(a.Value.Rule); err != nil {
			continue
		}
		rec := record{ID: recordID(f), Rule: f.Rule, Status: pending, Time: f.Time, Notice: NoticeOf(stored, f)}
		alert := a.Value
		at := f.Time
		alert.Triggered, alert.Active = &at, !f.State.Done
		create, err1 := m.rules.firings.Write(storage.OpCreate, &rec, storage.NoVersion)
		state, err2 := m.rules.states.Write(storage.OpPut, &savedState{f.Rule, f.State}, storage.NoVersion)
		update, err3 := m.rules.alerts.Write(storage.OpUpdate, &alert, a.Version)
		if err := errors.Join(err1, err2, err3); err != nil {
			return nil, err
		}
		writes = append(writes, create, state, update)
		out = append(out, rec)
	}
	if len(writes) == 0 {
		return nil, nil
	}
	_, err := m.rules.records.Write(ctx, writes...)
	return out, err
}

// reload takes one rule from the store as it stands there.
func (e *Engine) reload(ctx context.Context, m *member, id string) error {
	s, err := m.rules.Get(ctx, id)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		e.decide(func(c *Core) []Firing { c.Remove(m.ID, id); return nil })
		return nil
	case err != nil:
		return err
	}
	e.decide(func(c *Core) []Firing {
		if !s.Active {
			c.Remove(m.ID, id)
			return nil
		}
		fired, err := c.Add(m.ID, id, s.Rule, e.made(s), &s.State, e.now())
		if err != nil {
			e.log.Error("rule cannot be watched", "tenant", m.ID, "rule", id, "error", err)
		}
		return fired
	})
	return nil
}

// checkpoints saves the marks now and then.
func (e *Engine) checkpoints(ctx context.Context) {
	for e.sleep(ctx, e.opts.Checkpoint, nil) {
		e.checkpoint()
	}
}

// checkpoint queues the marks of all tenants behind the firings there are.
func (e *Engine) checkpoint() {
	e.mu.Lock()
	for _, m := range e.members {
		if !m.loaded {
			continue // what it has stands in the store
		}
		s := &savedMarks{member: m, marks: e.core.marks(e.core.symbolsOf(m.ID)), states: e.core.Changed(m.ID)}
		if seen := e.core.stories.seen; seen.adds != m.stories {
			s.marks.Stories, m.stories = seen.export(), seen.adds
		}
		if n := e.now(); n.After(s.marks.Time) {
			s.marks.Time = n
		}
		for _, g := range e.gaps { // what is not yet judged is judged by the next engine
			if g.gap.From.Before(s.marks.Time) {
				s.marks.Time = g.gap.From
			}
		}
		e.queue = append(e.queue, item{marks: s})
	}
	e.mu.Unlock()
	e.saver.send()
}

func (e *Engine) writeMarks(ctx context.Context, s *savedMarks) error {
	var writes []storage.RecordWrite
	for id, state := range s.states {
		w, err := s.member.rules.states.Write(storage.OpPut, &savedState{id, state}, storage.NoVersion)
		if err != nil {
			return err
		}
		writes = append(writes, w)
		if len(writes) == 1000 {
			if _, err := s.member.rules.records.Write(ctx, writes...); err != nil {
				return err
			}
			writes = writes[:0]
		}
	}
	if len(writes) > 0 {
		if _, err := s.member.rules.records.Write(ctx, writes...); err != nil {
			return err
		}
	}
	return s.member.rules.saveMarks(ctx, s.marks)
}

// A courier hands notices over, and tries again what could not be.
type courier struct {
	engine *Engine
	mu     sync.Mutex
	parcel []parcel
	wake   signal
}

type parcel struct {
	member *member
	record record
	due    time.Time
	pause  time.Duration
}

func newCourier(e *Engine) *courier { return &courier{engine: e, wake: newSignal()} }

func (c *courier) add(m *member, records []record) {
	if len(records) == 0 {
		return
	}
	c.mu.Lock()
	for _, r := range records {
		c.parcel = append(c.parcel, parcel{member: m, record: r})
	}
	c.mu.Unlock()
	c.wake.send()
}

func (c *courier) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.parcel)
}

// take returns a parcel that is due, or how long until one is.
func (c *courier) take() (p parcel, ok bool, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.engine.now()
	wait = time.Minute
	for i, p := range c.parcel {
		if !p.due.After(now) {
			c.parcel = append(c.parcel[:i:i], c.parcel[i+1:]...)
			return p, true, 0
		}
		wait = min(wait, p.due.Sub(now))
	}
	return parcel{}, false, wait
}

func (c *courier) run(ctx context.Context) {
	for {
		p, ok, wait := c.take()
		if !ok {
			if !c.engine.sleep(ctx, wait, c.wake) {
				return
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		if err := c.hand(ctx, p); err != nil {
			c.engine.log.Warn("an alert could not be handed over", "tenant", p.member.ID, "alert", p.record.ID, "error", err)
			p.pause = min(max(2*p.pause, time.Second), time.Minute)
			p.due = c.engine.now().Add(p.pause)
			c.mu.Lock()
			c.parcel = append(c.parcel, p)
			c.mu.Unlock()
		}
	}
}

func (c *courier) hand(ctx context.Context, p parcel) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := p.member.notify(ctx, p.member.ID, p.record.Notice); err != nil {
		return err
	}
	c.engine.mu.Lock()
	c.engine.status.Delivered++
	c.engine.mu.Unlock()
	p.record.Status = sent
	_, err := p.member.rules.firings.Put(ctx, p.record)
	return err
}

// prune forgets firings that were sent long ago.
func (m *member) prune(ctx context.Context, now time.Time) error {
	limit := storage.Time("time", now.Add(-retention))
	q := storage.RecordQuery{Where: []storage.Field{storage.Text("status", sent)}, Order: "time", Kind: storage.NumberField, To: &limit, Limit: 500}
	page, _, err := m.rules.firings.List(ctx, q)
	if err != nil {
		return err
	}
	for _, f := range page {
		if err := m.rules.firings.Delete(ctx, f.Value.ID); err != nil {
			return err
		}
	}
	return nil
}
