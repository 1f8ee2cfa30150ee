package nats_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/nats"
)

func queueOf(t testing.TB, s storage.Store, opts *storage.QueueOptions) storage.Queue {
	t.Helper()
	q, err := tenantOf(t, s).Queue("tasks", opts)
	require.NoError(t, err)
	return q
}

func receive(t testing.TB, q storage.Queue, most int, wait time.Duration) []storage.Message {
	t.Helper()
	got, err := q.Receive(t.Context(), most, wait)
	require.NoError(t, err)
	return got
}

func TestADelayBeyondTheServersScheduleIsExact(t *testing.T) {
	q := queueOf(t, open(t, address(t), namespace(t)), nil)
	const delay = 3500 * time.Millisecond
	start := time.Now()
	ids, err := q.Send(t.Context(), storage.NewMessage{Body: []byte("x"), Delay: delay, Key: "k"})
	require.NoError(t, err)
	again, err := q.Send(t.Context(), storage.NewMessage{Body: []byte("y"), Key: "k"})
	require.NoError(t, err)
	assert.Equal(t, ids, again, "the key is known while the message waits")
	got := receive(t, q, 1, 20*time.Second)
	require.Len(t, got, 1)
	assert.GreaterOrEqual(t, time.Since(start), delay)
	assert.Equal(t, "x", string(got[0].Body))
	assert.Equal(t, ids[0], got[0].ID)
	assert.Equal(t, "k", got[0].Key)
	assert.Equal(t, 1, got[0].Attempt, "that the server handed it out too early does not count")
	require.NoError(t, q.Ack(t.Context(), got...))
}

func TestDeliveriesThatNobodyAskedForAreNotAttempts(t *testing.T) {
	q := queueOf(t, open(t, address(t), namespace(t)), &storage.QueueOptions{Attempts: 2, MinBackoff: time.Millisecond})
	_, err := q.Send(t.Context(), storage.NewMessage{Body: []byte("x")})
	require.NoError(t, err)
	for range 3 { // looking for dead letters takes what is ready and puts it back
		for d, err := range q.DeadLetters().List(t.Context()) {
			require.NoError(t, err)
			t.Errorf("a dead letter: %+v", d)
		}
	}
	for attempt := 1; attempt <= 2; attempt++ {
		got := receive(t, q, 1, 10*time.Second)
		require.Len(t, got, 1)
		assert.Equal(t, attempt, got[0].Attempt)
		require.NoError(t, q.Retry(t.Context(), got[0], "no"))
	}
	n := 0
	for d, err := range q.DeadLetters().List(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, 2, d.Attempts)
		n++
	}
	assert.Equal(t, 1, n)
}

func TestAReceiptOfAnotherQueueIsWorthNothing(t *testing.T) {
	s := open(t, address(t), namespace(t))
	q := queueOf(t, s, nil)
	_, err := q.Send(t.Context(), storage.NewMessage{Body: []byte("x")})
	require.NoError(t, err)
	got := receive(t, q, 1, 10*time.Second)
	require.Len(t, got, 1)
	other, err := s.For("mallory")
	require.NoError(t, err)
	theirs, err := other.Queue("tasks", nil)
	require.NoError(t, err)
	assert.ErrorIs(t, theirs.Ack(t.Context(), got...), storage.ErrLeaseLost)
	assert.ErrorIs(t, theirs.Retry(t.Context(), got[0], ""), storage.ErrLeaseLost)
	_, err = theirs.Extend(t.Context(), got[0])
	assert.ErrorIs(t, err, storage.ErrLeaseLost)
	last := got[0]
	last.Attempt = 5
	assert.ErrorIs(t, theirs.Retry(t.Context(), last, ""), storage.ErrLeaseLost)
	for d, err := range theirs.DeadLetters().List(t.Context()) {
		require.NoError(t, err)
		t.Errorf("another's message became a dead letter: %+v", d)
	}
	for _, receipt := range []string{"", "x", "$JS.ACK.x.y", "ttai.kv.x"} {
		forged := got[0]
		forged.Receipt = receipt
		assert.ErrorIs(t, q.Ack(t.Context(), forged), storage.ErrLeaseLost, receipt)
		forged.Attempt = 5
		assert.ErrorIs(t, q.Retry(t.Context(), forged, ""), storage.ErrLeaseLost, receipt)
	}
	require.NoError(t, q.Ack(t.Context(), got...))
}

// A wire stands between the store and the server and can be cut.
type wire struct {
	listener net.Listener
	target   string
	group    sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	cut   bool
}

func newWire(t testing.TB, target string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &wire{listener: l, target: target, conns: map[net.Conn]bool{}}
	w.group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.join(c)
		}
	})
	t.Cleanup(func() { l.Close(); w.sever(); w.group.Wait() })
	return w
}

func (w *wire) join(c net.Conn) {
	d, err := net.Dial("tcp", w.target)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || w.cut {
		c.Close()
		if err == nil {
			d.Close()
		}
		return
	}
	w.conns[c], w.conns[d] = true, true
	for _, pair := range [][2]net.Conn{{c, d}, {d, c}} {
		w.group.Go(func() {
			_, _ = io.Copy(pair[0], pair[1])
			pair[0].Close()
			pair[1].Close()
		})
	}
}

// sever cuts all connections and lets none through.
func (w *wire) sever() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for c := range w.conns {
		c.Close()
	}
	clear(w.conns)
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = false
}

func TestALostConnectionIsUnavailableUntilItIsBack(t *testing.T) {
	u, err := url.Parse(address(t))
	require.NoError(t, err)
	w := newWire(t, u.Host)
	s, err := nats.Open(t.Context(), "nats://"+w.listener.Addr().String(), &nats.Options{Prefix: namespace(t), Timeout: 300 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	tenant := tenantOf(t, s)
	kv, err := tenant.KV("space")
	require.NoError(t, err)
	q := queueOf(t, s, nil)
	pubsub, err := tenant.PubSub()
	require.NoError(t, err)
	sub, err := pubsub.Subscribe(t.Context(), "a")
	require.NoError(t, err)
	require.NoError(t, kv.Put(t.Context(), "k", []byte("kept"), 0))
	_, err = q.Send(t.Context(), storage.NewMessage{Body: []byte("1")}, storage.NewMessage{Body: []byte("2")})
	require.NoError(t, err)
	held := receive(t, q, 1, 10*time.Second)
	require.Len(t, held, 1)

	w.sever()
	for name, call := range map[string]func() error{
		"get":     func() error { _, err := kv.Get(t.Context(), "k"); return err },
		"put":     func() error { return kv.Put(t.Context(), "k2", nil, 0) },
		"delete":  func() error { return kv.Delete(t.Context(), "k2") },
		"send":    func() error { _, err := q.Send(t.Context(), storage.NewMessage{}); return err },
		"receive": func() error { _, err := q.Receive(t.Context(), 1, 50*time.Millisecond); return err },
		"ack":     func() error { return q.Ack(t.Context(), held...) },
		"publish": func() error { return pubsub.Publish(t.Context(), "a", nil) },
		"keys": func() error {
			for _, err := range kv.Keys(t.Context(), "") {
				return err
			}
			return nil
		},
	} {
		err := call()
		assert.ErrorIs(t, err, storage.ErrUnavailable, name)
		assert.NotErrorIs(t, err, context.DeadlineExceeded, name)
	}

	w.mend()
	require.Eventually(t, func() bool {
		v, err := kv.Get(t.Context(), "k")
		return err == nil && string(v.Data) == "kept"
	}, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, q.Ack(t.Context(), held...), "the lease has outlived the connection")
	var missed uint64
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i := 0; missed == 0; i++ {
		require.NoError(t, pubsub.Publish(ctx, "a", fmt.Append(nil, i)))
		e, err := sub.Receive(ctx)
		require.NoError(t, err)
		missed += e.Missed
	}
	assert.Equal(t, uint64(1), missed, "there was one gap")
}
