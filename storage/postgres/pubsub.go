package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/storage"
)

// A notice is what processes tell each other through the schema's channel.
type notice struct {
	Kind   string `json:"k"`
	Tenant []byte `json:"t,omitempty"`
	Name   string `json:"n,omitempty"` // a topic or queue, or a mark's secret
	Data   []byte `json:"d,omitempty"`
	Event  int64  `json:"e,omitempty"` // where longer data are, 0 when they are here
}

// The kinds of notices.
const (
	published   = "event"
	messageSent = "message"
	markSet     = "mark"
)

// longest is how much a notification carries: PostgreSQL takes less than 8000 bytes.
const longest = 7900

// queueNotice adds a notification to a batch, to be told when it is committed.
func (s *Store) queueNotice(b *pgx.Batch, n notice) error {
	payload, err := json.Marshal(n)
	if err == nil {
		b.Queue(`SELECT pg_notify($1, $2)`, s.opts.Schema, string(payload))
	}
	return err
}

func (s *Store) notify(ctx context.Context, n notice) error {
	var encoding error
	return errors.Join(s.relaxed(ctx, func(b *pgx.Batch) { encoding = s.queueNotice(b, n) }), encoding)
}

type pubsub struct{ scope }

// Publish tells short events in the notification itself, and for longer ones where
// they are kept for a minute.
func (p *pubsub) Publish(ctx context.Context, topic string, data []byte) error {
	if err := storage.CheckEvent(topic, data); err != nil {
		return err
	}
	n := notice{Kind: published, Tenant: p.tenant, Name: topic, Data: data}
	if short, err := json.Marshal(n); err != nil || len(short) <= longest {
		return errors.Join(err, p.notify(ctx, n))
	}
	n.Data = nil
	if err := p.read(ctx, func(q querier) error { return q.QueryRow(ctx, `SELECT nextval('number')`).Scan(&n.Event) }); err != nil {
		return err
	}
	var encoding error
	return errors.Join(p.relaxed(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM event WHERE ctid = ANY (ARRAY(SELECT ctid FROM event WHERE tenant = $1 AND at < (SELECT micros() - 60000000)
			ORDER BY at LIMIT 16 FOR UPDATE SKIP LOCKED))`, p.tenant)
		b.Queue(`INSERT INTO event (tenant, id, at, data) VALUES ($1, $2, micros(), $3)`, p.tenant, n.Event, data)
		encoding = p.queueNotice(b, n)
	}), encoding)
}

// Subscribe sends a mark through the channel and begins where it arrives: what was
// told before is not for the new subscription, and nothing after is missed.
func (p *pubsub) Subscribe(ctx context.Context, topics ...string) (storage.Subscription, error) {
	if err := storage.CheckTopics(topics); err != nil {
		return nil, err
	}
	if err := p.enter(ctx); err != nil {
		return nil, err
	}
	p.listener.start()
	m := &mark{scope: string(p.tenant), topics: topics, done: make(chan struct{})}
	secret := rand.Text()
	p.listener.set(secret, m)
	defer p.listener.unset(secret)
	err := p.notify(ctx, notice{Kind: markSet, Name: secret})
	if err == nil {
		select {
		case <-m.done:
			return m.sub, m.err
		case <-ctx.Done():
			err = ctx.Err()
		case <-p.listener.ended():
			err = storage.ErrClosed
		}
	}
	p.listener.unset(secret)
	select {
	case <-m.done: // it arrived all the same
		if m.sub != nil {
			m.sub.Close() // it always succeeds
		}
	default:
	}
	return nil, err
}
