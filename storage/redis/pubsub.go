package redis

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/internal/events"
)

type pubsub struct {
	store *Store
	root  string
}

func (p *pubsub) Publish(ctx context.Context, topic string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := storage.CheckEvent(topic, data); err != nil {
		return err
	}
	if err := p.store.usable(); err != nil {
		return err
	}
	return p.store.translated(ctx, "publishing an event", p.store.client.Publish(ctx, p.root+topic, data).Err())
}

// A subscription has a connection of its own. When the connection is lost it is
// made again, and what came meanwhile counts as one missed event, because nobody
// knows how many they were.
type subscription struct {
	storage.Subscription // the buffer
	store                *Store
	hub                  *events.Hub
	conn                 *redis.PubSub
	stop                 context.CancelFunc
	done                 chan struct{}
	once                 sync.Once
	closed               error
}

func (p *pubsub) Subscribe(ctx context.Context, topics ...string) (storage.Subscription, error) {
	const doing = "subscribing to events"
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := storage.CheckTopics(topics); err != nil {
		return nil, err
	}
	if err := p.store.usable(); err != nil {
		return nil, err
	}
	channels := make([]string, len(topics))
	for i, topic := range topics {
		channels[i] = p.root + topic
	}
	conn := p.store.client.Subscribe(ctx, channels...)
	// The server confirms each channel; only then it delivers.
	for confirmed := 0; confirmed < len(channels); {
		m, err := conn.Receive(ctx)
		if err != nil {
			_ = conn.Close()
			return nil, p.store.translated(ctx, doing, err)
		}
		if _, ok := m.(*redis.Subscription); ok {
			confirmed++
		}
	}
	hub := &events.Hub{}
	buffer, err := hub.Subscribe("", topics)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	s := &subscription{Subscription: buffer, store: p.store, hub: hub, conn: conn, stop: stop, done: make(chan struct{})}
	p.store.mu.Lock()
	if p.store.closed {
		p.store.mu.Unlock()
		stop()
		close(s.done)
		_ = conn.Close()
		return nil, p.store.usable()
	}
	p.store.subs[s] = true
	p.store.mu.Unlock()
	go s.listen(running, p.root)
	return s, nil
}

// Between attempts to connect again there is a pause that grows up to a second.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = time.Second
)

func (s *subscription) listen(ctx context.Context, root string) {
	defer close(s.done)
	pause := firstPause
	for ctx.Err() == nil {
		m, err := s.conn.Receive(ctx)
		if err != nil {
			if pause == firstPause {
				s.hub.Missed(1)
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, lastPause)
			continue
		}
		if message, ok := m.(*redis.Message); ok {
			s.hub.Publish("", strings.TrimPrefix(message.Channel, root), []byte(message.Payload))
		}
		pause = firstPause
	}
}

// Close ends the subscription and waits until its connection is closed.
func (s *subscription) Close() error {
	s.once.Do(func() {
		s.stop()
		s.closed = s.conn.Close()
		<-s.done
		s.hub.Close()
		s.store.mu.Lock()
		delete(s.store.subs, s)
		s.store.mu.Unlock()
	})
	return s.closed
}
