package brokertest

import (
	"context"
	"slices"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
)

// A listener keeps every event of an account.
type listener struct {
	stream broker.EventStream
	stop   context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	events []broker.Event
	err    error
}

// listen subscribes to the account and keeps what it is told until the test ends.
func (b *bench) listen() *listener {
	b.Helper()
	ctx, cancel := context.WithCancel(b.ctx)
	stream, err := b.Broker.Events(ctx, b.Account)
	require.NoError(b, err)
	l := &listener{stream: stream, stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for {
			event, err := stream.Next(ctx)
			l.mu.Lock()
			if err != nil {
				l.err = err
				l.mu.Unlock()
				return
			}
			l.events = append(l.events, event)
			l.mu.Unlock()
		}
	}()
	b.Cleanup(func() { l.close(b) })
	return l
}

// close ends the stream; it may have ended already.
func (l *listener) close(b *bench) {
	l.stop()
	require.NoError(b, l.stream.Close())
	<-l.done
}

func (l *listener) all() []broker.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events)
}

// order returns what was told last of an order, nil when nothing was.
func (l *listener) order(id broker.OrderID) *broker.OrderState {
	var last *broker.OrderState
	for _, e := range l.all() {
		if e.Order != nil && e.Order.ID == id {
			last = e.Order
		}
	}
	return last
}

func (l *listener) fills() []broker.Fill {
	var fills []broker.Fill
	for _, e := range l.all() {
		if e.Fill != nil {
			fills = append(fills, *e.Fill)
		}
	}
	return fills
}

func (l *listener) gaps() int {
	n := 0
	for _, e := range l.all() {
		if e.Gap != nil {
			n++
		}
	}
	return n
}
