package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// TestPubSub checks the contract of storage.PubSub.
func TestPubSub(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"every subscriber gets every event in order", testPubSubAll},
		{"an event goes to its topic's subscribers only", testPubSubTopics},
		{"nobody gets what was told before", testPubSubBefore},
		{"a subscriber that does not keep up is told what it missed", testPubSubMissed},
		{"events are any bytes, and copies", testPubSubBytes},
		{"a closed subscription says so and gets nothing more", testPubSubClose},
		{"a waiting receiver ends with its context, its subscription and its store", testPubSubEnds},
		{"bad arguments are refused by name", testPubSubRefusals},
		{"a cancelled context ends every method", testPubSubCancelled},
		{"tenants hear nothing of each other", testPubSubTenants},
		{"two processes hear each other", testPubSubSecond},
		{"a closed store says so", testPubSubClosed},
	})
}

func (r *rig) pubsub() storage.PubSub { r.t.Helper(); return pubsubOf(r.t, r.store, "alice") }

func pubsubOf(t *testing.T, s storage.Store, id storage.TenantID) storage.PubSub {
	t.Helper()
	p, err := tenantOf(t, s, id).PubSub()
	check(t, err)
	return p
}

func subscribe(t *testing.T, p storage.PubSub, topics ...string) storage.Subscription {
	t.Helper()
	s, err := p.Subscribe(t.Context(), topics...)
	check(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func hear(t *testing.T, s storage.Subscription) storage.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	e, err := s.Receive(ctx)
	check(t, err)
	return e
}

// quiet checks that no event comes.
func quiet(t *testing.T, s storage.Subscription) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Millisecond)
	defer cancel()
	e, err := s.Receive(ctx)
	if err == nil {
		t.Fatalf("heard %q on %s", e.Data, e.Topic)
	}
	wantIs(t, err, context.DeadlineExceeded)
}

func testPubSubAll(r *rig) {
	t, p := r.t, r.pubsub()
	check(t, p.Publish(t.Context(), "nobody", []byte("x")))
	one, two := subscribe(t, p, "fills"), subscribe(t, r.pubsub(), "fills")
	const n = 200
	for i := range n {
		check(t, p.Publish(t.Context(), "fills", fmt.Append(nil, i)))
	}
	for _, s := range []storage.Subscription{one, two} {
		for i := range n {
			e := hear(t, s)
			want(t, "event", string(e.Data), fmt.Sprint(i))
			want(t, "topic", e.Topic, "fills")
			want(t, "missed", e.Missed, 0)
		}
		quiet(t, s)
	}
}

func testPubSubTopics(r *rig) {
	t, p := r.t, r.pubsub()
	one, both := subscribe(t, p, "a"), subscribe(t, p, "a", "a.b")
	check(t, p.Publish(t.Context(), "a.b", []byte("1")))
	check(t, p.Publish(t.Context(), "a", []byte("2")))
	check(t, p.Publish(t.Context(), "b", []byte("3")))
	want(t, "event", string(hear(t, one).Data), "2")
	quiet(t, one)
	want(t, "topic", hear(t, both).Topic, "a.b")
	want(t, "topic", hear(t, both).Topic, "a")
	quiet(t, both)
}

func testPubSubBefore(r *rig) {
	t, p := r.t, r.pubsub()
	check(t, p.Publish(t.Context(), "a", []byte("old")))
	s := subscribe(t, p, "a")
	check(t, p.Publish(t.Context(), "a", []byte("new")))
	want(t, "event", string(hear(t, s).Data), "new")
}

func testPubSubMissed(r *rig) {
	t, p := r.t, r.pubsub()
	slow := subscribe(t, p, "a")
	const n = 3 * storage.EventBuffer
	for i := range n {
		check(t, p.Publish(t.Context(), "a", fmt.Append(nil, i)))
	}
	check(t, p.Publish(t.Context(), "a", []byte("last")))
	missed, heard := uint64(0), uint64(0)
	for {
		e := hear(t, slow)
		missed += e.Missed
		if heard++; string(e.Data) == "last" {
			break
		}
	}
	// Everything was heard, or its loss was told.
	if heard < n+1 && missed == 0 {
		t.Fatalf("%d of %d events were heard and nothing was said of the others", heard, n+1)
	}
	if missed > 1 {
		want(t, "heard and missed", heard+missed, n+1)
	}
}

func testPubSubBytes(r *rig) {
	t, p := r.t, r.pubsub()
	s := subscribe(t, p, "a")
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, data := range [][]byte{{}, every, bytes.Repeat([]byte{9}, storage.MaxMessage)} {
		sent := bytes.Clone(data)
		check(t, p.Publish(t.Context(), "a", sent))
		clear(sent)
		if got := hear(t, s).Data; !bytes.Equal(got, data) {
			t.Fatalf("%d bytes came as %d bytes, or changed", len(data), len(got))
		}
	}
}

func testPubSubClose(r *rig) {
	t, p := r.t, r.pubsub()
	s := subscribe(t, p, "a")
	check(t, s.Close())
	check(t, p.Publish(t.Context(), "a", nil))
	_, err := s.Receive(t.Context())
	wantIs(t, err, storage.ErrClosed)
	check(t, s.Close())
}

func testPubSubEnds(r *rig) {
	t, p := r.t, r.pubsub()
	s := subscribe(t, p, "a")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	wait := func(ctx context.Context, s storage.Subscription) {
		_, err := s.Receive(ctx)
		ended <- err
	}
	expect := func(want error) {
		t.Helper()
		select {
		case err := <-ended:
			wantIs(t, err, want)
		case <-time.After(20 * time.Second):
			t.Fatal("it did not end")
		}
	}
	go wait(ctx, s)
	cancel()
	expect(context.Canceled)
	go wait(t.Context(), s)
	check(t, s.Close())
	expect(storage.ErrClosed)
	other := subscribe(t, p, "a")
	go wait(t.Context(), other)
	check(t, r.store.Close())
	expect(storage.ErrClosed)
}

func testPubSubRefusals(r *rig) {
	t, p := r.t, r.pubsub()
	for _, topic := range []string{"", "A", "a b", "a*", ">", "é", strings.Repeat("t", 65)} {
		wantField(t, p.Publish(t.Context(), topic, nil), "topic")
		_, err := p.Subscribe(t.Context(), topic)
		wantField(t, err, "topic")
	}
	wantField(t, p.Publish(t.Context(), "a", make([]byte, storage.MaxMessage+1)), "data")
	_, err := p.Subscribe(t.Context())
	wantField(t, err, "topics")
}

func testPubSubCancelled(r *rig) {
	t, p := r.t, r.pubsub()
	s := subscribe(t, p, "a")
	wantIs(t, p.Publish(cancelled(t), "a", nil), context.Canceled)
	_, err := p.Subscribe(cancelled(t), "a")
	wantIs(t, err, context.Canceled)
	_, err = s.Receive(cancelled(t))
	wantIs(t, err, context.Canceled)
	quiet(t, s)
}

func testPubSubTenants(r *rig) {
	t := r.t
	subs := make([]storage.Subscription, len(hostile))
	for i, id := range hostile {
		subs[i] = subscribe(t, pubsubOf(t, r.store, id), "a")
	}
	for i, id := range hostile {
		check(t, pubsubOf(t, r.store, id).Publish(t.Context(), "a", fmt.Append(nil, i)))
	}
	for i := range hostile {
		want(t, "event", string(hear(t, subs[i]).Data), fmt.Sprint(i))
	}
	quiet(t, subs[0])
	quiet(t, subs[1])
}

func testPubSubSecond(r *rig) {
	t, p := r.t, r.pubsub()
	other := pubsubOf(t, r.second(), "alice")
	here, there := subscribe(t, p, "a"), subscribe(t, other, "a")
	for i := range 20 {
		check(t, p.Publish(t.Context(), "a", fmt.Append(nil, "here ", i)))
	}
	for _, s := range []storage.Subscription{here, there} {
		for i := range 20 {
			want(t, "event", string(hear(t, s).Data), fmt.Sprint("here ", i))
		}
	}
	check(t, other.Publish(t.Context(), "a", []byte("there")))
	want(t, "event", string(hear(t, here).Data), "there")
	want(t, "event", string(hear(t, there).Data), "there")
	quiet(t, here)
	quiet(t, there)
}

func testPubSubClosed(r *rig) {
	t, p := r.t, r.pubsub()
	s := subscribe(t, p, "a")
	check(t, r.store.Close())
	wantIs(t, p.Publish(t.Context(), "a", nil), storage.ErrClosed)
	_, err := p.Subscribe(t.Context(), "a")
	wantIs(t, err, storage.ErrClosed)
	if _, err = s.Receive(t.Context()); !errors.Is(err, storage.ErrClosed) {
		t.Fatalf("got %v, want ErrClosed", err)
	}
}
