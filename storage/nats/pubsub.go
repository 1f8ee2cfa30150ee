package nats

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/internal/events"
)

type pubsub struct {
	store *Store
	root  string // begins the tenant's subjects
}

func (p *pubsub) Publish(ctx context.Context, topic string, data []byte) error {
	const doing = "publishing an event"
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := storage.CheckEvent(topic, data); err != nil {
		return err
	}
	if err := p.store.conn.Publish(p.root+token(topic), data); err != nil {
		return p.store.translated(ctx, doing, err)
	}
	// Having sent it is only known once the server has answered.
	within, cancel := p.store.within(ctx)
	defer cancel()
	return p.store.translated(ctx, doing, p.store.conn.FlushWithContext(within))
}

// A subscription has a buffer of its own. The connection is the store's, which
// counts one missed event whenever it was lost for a while.
type subscription struct {
	storage.Subscription // the buffer
	store                *Store
	hub                  *events.Hub
	subs                 []*nats.Subscription
	once                 sync.Once
}

func (p *pubsub) Subscribe(ctx context.Context, topics ...string) (storage.Subscription, error) {
	const doing = "subscribing to events"
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := storage.CheckTopics(topics); err != nil {
		return nil, err
	}
	hub := &events.Hub{}
	buffer, err := hub.Subscribe("", topics)
	if err != nil {
		return nil, err
	}
	s := &subscription{Subscription: buffer, store: p.store, hub: hub}
	p.store.mu.Lock()
	if !p.store.closed {
		p.store.subs[s] = true
	}
	p.store.mu.Unlock()
	for _, topic := range slices.Compact(slices.Sorted(slices.Values(topics))) {
		sub, err := p.store.conn.Subscribe(p.root+token(topic), func(m *nats.Msg) { hub.Publish("", topic, m.Data) })
		if err != nil {
			return nil, errors.Join(p.store.translated(ctx, doing, err), s.Close())
		}
		s.subs = append(s.subs, sub)
	}
	// The server's answer says that it has the subscription.
	within, cancel := p.store.within(ctx)
	defer cancel()
	if err := p.store.conn.FlushWithContext(within); err != nil {
		return nil, errors.Join(p.store.translated(ctx, doing, err), s.Close())
	}
	return s, nil
}

// Close ends the subscription.
func (s *subscription) Close() error {
	s.once.Do(func() {
		s.store.mu.Lock()
		delete(s.store.subs, s)
		s.store.mu.Unlock()
		for _, sub := range s.subs {
			_ = sub.Unsubscribe() // fails only when the connection has been closed
		}
		s.hub.Close()
	})
	return nil
}
