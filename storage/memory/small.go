package memory

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/internal/events"
)

type pubsub struct {
	hub    *events.Hub
	tenant *tenant
}

func (p *pubsub) Publish(ctx context.Context, topic string, data []byte) error {
	if err := storage.CheckEvent(topic, data); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.tenant.isClosed() {
		return storage.ErrClosed
	}
	p.hub.Publish(string(p.tenant.id), topic, data)
	return nil
}

func (p *pubsub) Subscribe(ctx context.Context, topics ...string) (storage.Subscription, error) {
	if err := storage.CheckTopics(topics); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return p.hub.Subscribe(string(p.tenant.id), topics)
}

type locks struct {
	guard
	now  func() time.Time
	held map[string]storage.Lease // the last lease of each name; expired when it was released
}

func (l *locks) Acquire(ctx context.Context, name string, ttl time.Duration) (storage.Lease, error) {
	if err := storage.CheckLock(name, ttl); err != nil {
		return storage.Lease{}, err
	}
	if err := l.enter(ctx); err != nil {
		return storage.Lease{}, err
	}
	defer l.leave()
	now := l.now()
	last := l.held[name]
	if now.Before(last.Expires) {
		return storage.Lease{}, fmt.Errorf("lock %s: %w", name, storage.ErrHeld)
	}
	lease := storage.Lease{Name: name, Token: last.Token + 1, Expires: now.Add(ttl)}
	if l.held == nil {
		l.held = map[string]storage.Lease{}
	}
	l.held[name] = lease
	return lease, nil
}

func (l *locks) Renew(ctx context.Context, lease storage.Lease, ttl time.Duration) (storage.Lease, error) {
	if err := storage.CheckLock(lease.Name, ttl); err != nil {
		return lease, err
	}
	if err := l.enter(ctx); err != nil {
		return lease, err
	}
	defer l.leave()
	now := l.now()
	if last := l.held[lease.Name]; last.Token != lease.Token || !now.Before(last.Expires) {
		return lease, fmt.Errorf("lock %s: %w", lease.Name, storage.ErrLeaseLost)
	}
	lease.Expires = now.Add(ttl)
	l.held[lease.Name] = lease
	return lease, nil
}

func (l *locks) Release(ctx context.Context, lease storage.Lease) error {
	if err := l.enter(ctx); err != nil {
		return err
	}
	defer l.leave()
	if last, ok := l.held[lease.Name]; ok && last.Token == lease.Token {
		last.Expires = time.Time{}
		l.held[lease.Name] = last
	}
	return nil
}

type limiter struct {
	guard
	now   func() time.Time
	tats  map[string]int64
	takes int
}

func (l *limiter) Take(ctx context.Context, name string, limit storage.Limit, n int) (storage.Decision, error) {
	if err := storage.CheckTake(name, limit, n); err != nil {
		return storage.Decision{}, err
	}
	if err := l.enter(ctx); err != nil {
		return storage.Decision{}, err
	}
	defer l.leave()
	now := l.now().UnixNano()
	if l.tats == nil {
		l.tats = map[string]int64{}
	}
	if l.takes++; l.takes > len(l.tats)+64 { // names that are at rest need no memory
		l.takes = 0
		for name, tat := range l.tats {
			if tat <= now {
				delete(l.tats, name)
			}
		}
	}
	tat, d := storage.GCRA(l.tats[name], now, limit, n)
	if d.Allowed {
		l.tats[name] = tat
	}
	return d, nil
}

type journal struct {
	guard
	now     func() time.Time
	head    storage.JournalHead
	entries []storage.Entry
}

func (j *journal) Append(ctx context.Context, entries ...storage.NewEntry) ([]storage.Entry, error) {
	if err := storage.CheckEntries(entries); err != nil {
		return nil, err
	}
	if err := j.enter(ctx); err != nil {
		return nil, err
	}
	defer j.leave()
	chained := storage.Chain(j.head, j.now(), entries)
	out := make([]storage.Entry, len(chained))
	for i, e := range chained {
		j.entries = append(j.entries, e)
		j.head = storage.JournalHead{Seq: e.Seq, Hash: e.Hash}
		e.Data = slices.Clone(e.Data)
		out[i] = e
	}
	return out, nil
}

func (j *journal) Read(ctx context.Context, from uint64) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		for at := max(from, 1); ; at++ {
			if err := j.enter(ctx); err != nil {
				yield(storage.Entry{}, err)
				return
			}
			if at > uint64(len(j.entries)) {
				j.leave()
				return
			}
			e := j.entries[at-1]
			j.leave()
			e.Data = slices.Clone(e.Data)
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (j *journal) Head(ctx context.Context) (storage.JournalHead, error) {
	if err := j.enter(ctx); err != nil {
		return storage.JournalHead{}, err
	}
	defer j.leave()
	return j.head, nil
}

type directory struct {
	guard
	entries map[string]storage.DirectoryEntry
}

func (d *directory) Claim(ctx context.Context, e storage.DirectoryEntry) error {
	if err := e.Validate(); err != nil {
		return err
	}
	if err := d.enter(ctx); err != nil {
		return err
	}
	defer d.leave()
	if got, ok := d.entries[e.Login]; ok && got != e {
		return fmt.Errorf("login: %w", storage.ErrConflict)
	}
	if d.entries == nil {
		d.entries = map[string]storage.DirectoryEntry{}
	}
	d.entries[e.Login] = e
	return nil
}

func (d *directory) Find(ctx context.Context, login string) (storage.DirectoryEntry, error) {
	if err := d.enter(ctx); err != nil {
		return storage.DirectoryEntry{}, err
	}
	defer d.leave()
	e, ok := d.entries[login]
	if !ok {
		return storage.DirectoryEntry{}, fmt.Errorf("login: %w", storage.ErrNotFound)
	}
	return e, nil
}

func (d *directory) Release(ctx context.Context, tenant storage.TenantID, login string) error {
	if err := d.enter(ctx); err != nil {
		return err
	}
	defer d.leave()
	if d.entries[login].Tenant == tenant {
		delete(d.entries, login)
	}
	return nil
}

// Tenants yields a snapshot taken when the loop begins.
func (d *directory) Tenants(ctx context.Context) iter.Seq2[storage.TenantID, error] {
	return func(yield func(storage.TenantID, error) bool) {
		if err := d.enter(ctx); err != nil {
			yield("", err)
			return
		}
		var ids []storage.TenantID
		for _, e := range d.entries {
			ids = append(ids, e.Tenant)
		}
		d.leave()
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(id, nil) {
				return
			}
		}
	}
}
