package monitor

import (
	"context"
	"errors"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// serve loads a tenant's rules, keeps them as they are in the store, and reads its
// accounts.
func (e *Engine) serve(ctx context.Context, m *member) {
	pause := time.Second
	for {
		err := e.load(ctx, m)
		if err == nil {
			break
		}
		e.log.Warn("alerts cannot be read", "tenant", m.ID, "error", err, "pause", pause)
		if !e.sleep(ctx, pause, nil) {
			return
		}
		pause = min(2*pause, time.Minute)
	}
	kick := newSignal()
	done := make(chan struct{}, 2)
	go func() { e.listen(ctx, m, kick); done <- struct{}{} }()
	go func() { e.accounts(ctx, m); done <- struct{}{} }()
	pruned := e.now()
	for e.sleep(ctx, e.opts.Resync, kick) {
		if err := e.sync(ctx, m, false); err != nil && ctx.Err() == nil {
			e.log.Warn("alerts cannot be read", "tenant", m.ID, "error", err)
		}
		if now := e.now(); now.Sub(pruned) >= time.Hour {
			pruned = now
			if err := m.prune(ctx, now); err != nil && ctx.Err() == nil {
				e.log.Warn("old alerts cannot be removed", "tenant", m.ID, "error", err)
			}
		}
	}
	<-done
	<-done
}

// load takes the rules as they were left: first the marks, then the rules as of
// the marks, then what is to be told still, then what happened since.
func (e *Engine) load(ctx context.Context, m *member) error {
	marks, err := m.rules.savedMarks(ctx)
	if err != nil {
		return err
	}
	m.marks = marks
	now := e.now()
	if !marks.Time.IsZero() && marks.Time.Before(now) {
		e.decide(func(c *Core) []Firing { c.Restore(marks); return nil })
	}
	if err := e.sync(ctx, m, true); err != nil {
		return err
	}
	q := storage.RecordQuery{Where: []storage.Field{storage.Text("status", pending)}, Limit: 1000}
	var waiting []record
	for f, err := range m.rules.firings.All(ctx, q) {
		if err != nil {
			return err
		}
		waiting = append(waiting, f.Value)
	}
	e.courier.add(m, waiting)
	e.mu.Lock()
	m.loaded = true
	if !marks.Time.IsZero() && marks.Time.Before(now) {
		e.addGap(e.core.symbolsOf(m.ID), market.StreamGap{From: marks.Time, To: now})
	}
	e.mu.Unlock()
	e.kicks.send()
	return nil
}

// listen hears of changes as they are made.
func (e *Engine) listen(ctx context.Context, m *member, kick signal) {
	if m.rules.pubsub == nil {
		return
	}
	for {
		sub, err := m.rules.pubsub.Subscribe(ctx, Topic)
		if err == nil {
			kick.send() // for what changed before it was heard
			for err == nil {
				if _, err = sub.Receive(ctx); err == nil {
					kick.send()
				}
			}
			_ = sub.Close() // nothing of it is needed any more
		}
		if ctx.Err() != nil || errors.Is(err, storage.ErrClosed) || errors.Is(err, storage.ErrUnsupported) || !e.sleep(ctx, e.opts.Resync, nil) {
			return
		}
	}
}

// sync brings the core's rules in line with the store's, when they changed.
func (e *Engine) sync(ctx context.Context, m *member, first bool) error {
	m.synced.Lock()
	defer m.synced.Unlock()
	revision, err := m.rules.revision(ctx)
	if err != nil || !first && revision == m.revision {
		return err
	}
	stored, err := m.rules.list(ctx, storage.RecordQuery{Where: []storage.Field{storage.Text("status", "active")}, Limit: 1000})
	if err != nil {
		if stored == nil {
			return err
		}
		e.log.Error("some alerts cannot be read", "tenant", m.ID, "error", err) // the others are watched
	}
	at := e.now()
	if first && !m.marks.Time.IsZero() && m.marks.Time.Before(at) {
		at = m.marks.Time
	}
	there := map[string]bool{}
	for _, s := range stored {
		there[s.ID] = true
		if made, ok := m.known[s.ID]; ok && made.Equal(s.Created) {
			continue
		}
		e.decide(func(c *Core) []Firing {
			var state *State
			if s.State.Fires > 0 || len(s.State.Watches) > 0 {
				state = &s.State
			}
			fired, err := c.Add(m.ID, s.ID, s.Rule, e.made(s), state, at)
			if err != nil {
				e.log.Error("rule cannot be watched", "tenant", m.ID, "rule", s.ID, "error", err)
			}
			return fired
		})
		m.known[s.ID] = s.Created
	}
	for id := range m.known {
		if !there[id] {
			delete(m.known, id)
			e.decide(func(c *Core) []Firing { c.Remove(m.ID, id); return nil })
		}
	}
	m.revision = revision
	e.kicks.send()
	return nil
}

// accounts reads a tenant's positions and balances, and hears of changes.
func (e *Engine) accounts(ctx context.Context, m *member) {
	if m.Broker == nil {
		return
	}
	kick := e.kicks.listen()
	refresh := newSignal()
	var events chan struct{}
	for {
		e.mu.Lock()
		needed := e.core.NeedsBook(m.ID)
		e.mu.Unlock()
		if needed {
			if source, ok := m.Broker.(broker.EventSource); ok && events == nil {
				events = make(chan struct{})
				go func() { e.events(ctx, m, source, refresh); close(events) }()
			}
			if err := e.refresh(ctx, m); err != nil && ctx.Err() == nil {
				e.log.Warn("positions cannot be read", "tenant", m.ID, "error", err)
			}
		}
		timer := e.opts.Clock.NewTimer(e.opts.Positions)
	wait:
		for {
			select {
			case <-ctx.Done():
				timer.Stop()
				if events != nil {
					<-events
				}
				return
			case <-timer.C():
				break wait
			case <-refresh:
				break wait
			case <-kick:
				e.mu.Lock()
				now := e.core.NeedsBook(m.ID)
				e.mu.Unlock()
				if now != needed {
					break wait
				}
			}
		}
		timer.Stop()
	}
}

func (e *Engine) refresh(ctx context.Context, m *member) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	accounts, err := m.Broker.Accounts(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, a := range accounts {
		if a.Closed {
			continue
		}
		positions, err := m.Broker.Positions(ctx, a.ID)
		if err != nil {
			failed = append(failed, err)
		} else {
			e.decide(func(c *Core) []Firing { return c.Positions(m.ID, a.ID, positions, e.now()) })
		}
		balances, err := m.Broker.Balances(ctx, a.ID)
		if err != nil {
			failed = append(failed, err)
		} else if balances != nil {
			e.decide(func(c *Core) []Firing {
				b := *balances
				b.Account = a.ID
				return c.Balances(m.ID, b, e.now())
			})
		}
	}
	e.kicks.send() // options that are held now need quotes
	return errors.Join(failed...)
}

// events takes what the account's stream tells. Whatever changes positions without
// telling them has them read anew.
func (e *Engine) events(ctx context.Context, m *member, source broker.EventSource, refresh signal) {
	pause := time.Second
	for ctx.Err() == nil {
		err := e.hear(ctx, m, source, refresh)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, market.ErrUnsupported) || errors.Is(err, broker.ErrUnsupported) {
			return // it has no stream: positions are polled
		}
		e.log.Warn("the account's stream ended", "tenant", m.ID, "error", err, "pause", pause)
		if !e.sleep(ctx, pause, nil) {
			return
		}
		pause = min(2*pause, time.Minute)
		refresh.send()
	}
}

func (e *Engine) hear(ctx context.Context, m *member, source broker.EventSource, refresh signal) error {
	stream, err := source.Events(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }() // why it ended is known
	for {
		event, err := stream.Next(ctx)
		if err != nil {
			return err
		}
		switch {
		case event.Position != nil:
			p := *event.Position
			e.decide(func(c *Core) []Firing { return c.Position(m.ID, p, e.now()) })
			e.kicks.send()
		case event.Balances != nil:
			b := *event.Balances
			e.decide(func(c *Core) []Firing { return c.Balances(m.ID, b, e.now()) })
		case event.Fill != nil, event.Gap != nil, event.Transaction != nil:
			refresh.send()
		}
	}
}

// made is when a rule was made by the engine's clock. The store tells it by its own,
// which is ahead of that of a simulated day.
func (e *Engine) made(s Stored) time.Time {
	if now := e.now(); s.Created.After(now) {
		return now
	}
	return s.Created
}
