package storagetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// TestQueue checks the contract of storage.Queue.
func TestQueue(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"messages are received as they were sent, in order", testQueueOrder},
		{"an acknowledged message never comes again", testQueueAck},
		{"a message whose lease ends comes again", testQueueLease},
		{"a receipt of an ended lease is worth nothing", testQueueStale},
		{"an extended lease lasts from now", testQueueExtend},
		{"a failed message comes again after its backoff", testQueueBackoff},
		{"a message that fails too often is a dead letter", testQueueDead},
		{"a message whose leases end too often is a dead letter", testQueueAbandoned},
		{"dead letters are replayed and dropped", testQueueReplay},
		{"a delayed message waits", testQueueDelay},
		{"of two messages with one key the first is kept", testQueueKey},
		{"receive returns when the batch is full", testQueueFull},
		{"receive returns what there is when the wait is over", testQueueWait},
		{"receive wakes for a message sent meanwhile", testQueueWake},
		{"a cancelled context ends every method and loses nothing", testQueueCancelled},
		{"bad arguments are refused by name", testQueueRefusals},
		{"bodies are any bytes", testQueueBodies},
		{"many senders and receivers lose and double nothing", testQueueMany},
		{"ten thousand dead letters are listed once each", testQueueManyDead},
		{"queues and tenants share nothing", testQueueTenants},
		{"two processes share a queue", testQueueSecond},
		{"messages survive, and so do their leases and attempts", testQueueReopen},
		{"a closed store says so", testQueueClosed},
	})
}

// options of the suite: a lease of two units, three attempts, a backoff of one
// unit and then two.
func (r *rig) queueOptions() *storage.QueueOptions {
	return &storage.QueueOptions{
		Lease: r.units(2), Attempts: 3, MinBackoff: r.units(1), MaxBackoff: r.units(2), Window: r.units(4),
	}
}

func (r *rig) queue() storage.Queue { r.t.Helper(); return r.queueOf(r.store, "alice", "tasks") }

func (r *rig) queueOf(s storage.Store, tenant storage.TenantID, name string) storage.Queue {
	r.t.Helper()
	q, err := tenantOf(r.t, s, tenant).Queue(name, r.queueOptions())
	check(r.t, err)
	return q
}

func send(t *testing.T, q storage.Queue, bodies ...string) []string {
	t.Helper()
	var messages []storage.NewMessage
	for _, b := range bodies {
		messages = append(messages, storage.NewMessage{Body: []byte(b)})
	}
	ids, err := q.Send(t.Context(), messages...)
	check(t, err)
	want(t, "ids returned by Send", len(ids), len(bodies))
	return ids
}

// receive takes what is ready, waiting shortly for engines that are slow to hand
// it out.
func (r *rig) receive(q storage.Queue, most int) []storage.Message {
	r.t.Helper()
	wait := time.Duration(0)
	if r.Unit > 0 {
		wait = r.Unit / 4
	}
	got, err := q.Receive(r.t.Context(), most, wait)
	check(r.t, err)
	return got
}

func (r *rig) wantBodies(q storage.Queue, want ...string) []storage.Message {
	r.t.Helper()
	got := r.receive(q, 100)
	wantAll(r.t, "bodies received", bodies(got), want)
	return got
}

func bodies(messages []storage.Message) []string {
	var out []string
	for _, m := range messages {
		out = append(out, string(m.Body))
	}
	return out
}

func dead(t *testing.T, q storage.Queue) []storage.DeadLetter {
	t.Helper()
	var out []storage.DeadLetter
	for d, err := range q.DeadLetters().List(t.Context()) {
		check(t, err)
		out = append(out, d)
	}
	return out
}

func testQueueOrder(r *rig) {
	t, q := r.t, r.queue()
	r.wantBodies(q)
	before := r.now().Add(-time.Second)
	ids := send(t, q, "1", "2", "3")
	ids = append(ids, send(t, q, "4")...)
	got := r.wantBodies(q, "1", "2", "3", "4")
	for i, m := range got {
		want(t, "id", m.ID, ids[i])
		want(t, "attempt", m.Attempt, 1)
		if m.Sent.Before(before) || m.Sent.After(r.now().Add(time.Second)) {
			t.Errorf("message was sent at %v, want about %v", m.Sent, r.now())
		}
		if m.Receipt == "" || !m.Expires.After(r.now()) {
			t.Errorf("receipt %q ends at %v", m.Receipt, m.Expires)
		}
	}
	slices.Sort(ids)
	want(t, "different ids", len(slices.Compact(ids)), 4)
	r.wantBodies(q)
}

func testQueueAck(r *rig) {
	t, q := r.t, r.queue()
	send(t, q, "1", "2", "3")
	got := r.wantBodies(q, "1", "2", "3")
	check(t, q.Ack(t.Context(), got[0], got[2]))
	check(t, q.Ack(t.Context()))
	r.pass(2.5)
	r.wantBodies(q, "2")
}

func testQueueLease(r *rig) {
	t, q := r.t, r.queue()
	send(t, q, "1")
	first := r.wantBodies(q, "1")
	r.pass(1)
	r.wantBodies(q)
	r.pass(1.5)
	second := r.wantBodies(q, "1")
	want(t, "attempt", second[0].Attempt, 2)
	want(t, "id", second[0].ID, first[0].ID)
	check(t, q.Ack(t.Context(), second...))
	r.pass(2.5)
	r.wantBodies(q)
}

func testQueueStale(r *rig) {
	t, q := r.t, r.queue()
	send(t, q, "1")
	first := r.wantBodies(q, "1")
	r.pass(2.5)
	second := r.wantBodies(q, "1")
	if r.LaxReceipts {
		check(t, q.Ack(t.Context(), second...))
		return
	}
	wantIs(t, q.Ack(t.Context(), first...), storage.ErrLeaseLost)
	wantIs(t, q.Retry(t.Context(), first[0], "late"), storage.ErrLeaseLost)
	_, err := q.Extend(t.Context(), first[0])
	wantIs(t, err, storage.ErrLeaseLost)
	check(t, q.Ack(t.Context(), second...))
	wantIs(t, q.Ack(t.Context(), second...), storage.ErrLeaseLost)

	// Among good ones, a lost one is reported and the others are done.
	send(t, q, "2", "3")
	got := r.wantBodies(q, "2", "3")
	wantIs(t, q.Ack(t.Context(), got[0], first[0], got[1]), storage.ErrLeaseLost)
	r.pass(2.5)
	r.wantBodies(q)
}

func testQueueExtend(r *rig) {
	t, q := r.t, r.queue()
	send(t, q, "1")
	got := r.wantBodies(q, "1")
	r.pass(1.25)
	m, err := q.Extend(t.Context(), got[0])
	check(t, err)
	if !m.Expires.After(got[0].Expires) {
		t.Errorf("the lease ends at %v, as before", m.Expires)
	}
	r.pass(1.25)
	r.wantBodies(q)
	check(t, q.Ack(t.Context(), m))
	r.pass(2.5)
	r.wantBodies(q)
}

func testQueueBackoff(r *rig) {
	t, q := r.t, r.queue()
	send(t, q, "1")
	check(t, q.Retry(t.Context(), r.wantBodies(q, "1")[0], "no"))
	r.pass(0.5)
	r.wantBodies(q)
	r.pass(0.75)
	check(t, q.Retry(t.Context(), r.wantBodies(q, "1")[0], "no"))
	r.pass(1.5)
	r.wantBodies(q)
	r.pass(1)
	want(t, "attempt", r.wantBodies(q, "1")[0].Attempt, 3)
}

// fail lets a message fail for good.
func (r *rig) fail(q storage.Queue, body, cause string) {
	r.t.Helper()
	for range 3 {
		check(r.t, q.Retry(r.t.Context(), r.wantBodies(q, body)[0], cause))
		r.pass(2.25)
	}
}

func testQueueDead(r *rig) {
	t, q := r.t, r.queue()
	ids := send(t, q, "bad")
	r.fail(q, "bad", "cannot: é")
	r.wantBodies(q)
	got := dead(t, q)
	want(t, "dead letters", len(got), 1)
	want(t, "id", got[0].ID, ids[0])
	want(t, "cause", got[0].Cause, "cannot: é")
	want(t, "attempts", got[0].Attempts, 3)
	want(t, "body", string(got[0].Body), "bad")
	if !got[0].Failed.After(got[0].Sent) {
		t.Errorf("it failed at %v and was sent at %v", got[0].Failed, got[0].Sent)
	}
}

func testQueueAbandoned(r *rig) {
	t, q := r.t, r.queue()
	send(t, q, "left")
	for range 3 {
		r.wantBodies(q, "left")
		r.pass(2.5)
	}
	r.wantBodies(q)
	got := dead(t, q)
	want(t, "dead letters", len(got), 1)
	want(t, "cause", got[0].Cause, storage.LeaseEnded)
}

func testQueueReplay(r *rig) {
	t, q := r.t, r.queue()
	id := send(t, q, "1")[0]
	r.fail(q, "1", "first")
	other := send(t, q, "2")[0]
	r.fail(q, "2", "second")
	got := dead(t, q)
	want(t, "dead letters", len(got), 2)
	want(t, "the one that failed first", got[0].ID, id)

	wantIs(t, q.DeadLetters().Replay(t.Context(), "never", id), storage.ErrNotFound)
	want(t, "dead letters", len(dead(t, q)), 1)
	again := r.wantBodies(q, "1")
	want(t, "attempt", again[0].Attempt, 1)
	check(t, q.Ack(t.Context(), again...))

	check(t, q.DeadLetters().Drop(t.Context(), "never", other))
	want(t, "dead letters", len(dead(t, q)), 0)
	wantIs(t, q.DeadLetters().Replay(t.Context(), other), storage.ErrNotFound)
	r.wantBodies(q)
}

func testQueueDelay(r *rig) {
	t, q := r.t, r.queue()
	_, err := q.Send(t.Context(),
		storage.NewMessage{Body: []byte("later"), Delay: r.units(3)},
		storage.NewMessage{Body: []byte("soon"), Delay: r.units(1)},
		storage.NewMessage{Body: []byte("now")})
	check(t, err)
	check(t, q.Ack(t.Context(), r.wantBodies(q, "now")...))
	r.pass(1.5)
	check(t, q.Ack(t.Context(), r.wantBodies(q, "soon")...))
	r.pass(2)
	check(t, q.Ack(t.Context(), r.wantBodies(q, "later")...))
}

func testQueueKey(r *rig) {
	t, q := r.t, r.queue()
	key := func(key, body string) storage.NewMessage { return storage.NewMessage{Key: key, Body: []byte(body)} }
	ids, err := q.Send(t.Context(), key("k", "1"), key("k", "2"), key("other", "3"))
	check(t, err)
	want(t, "the second id", ids[1], ids[0])
	got := r.wantBodies(q, "1", "3")
	want(t, "key", got[0].Key, "k")
	check(t, q.Ack(t.Context(), got...))
	again, err := q.Send(t.Context(), key("k", "4")) // also after it is done
	check(t, err)
	want(t, "the id sent again", again[0], ids[0])
	r.wantBodies(q)
	r.pass(4.5) // the window is over
	_, err = q.Send(t.Context(), key("k", "5"))
	check(t, err)
	check(t, q.Ack(t.Context(), r.wantBodies(q, "5")...))

	// Of senders that race, one stores.
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if _, err := q.Send(t.Context(), key("raced", fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	want(t, "messages of one key", len(r.receive(q, 10)), 1)
}

func testQueueFull(r *rig) {
	t, q := r.t, r.queue()
	send(t, q, "1", "2", "3")
	start := time.Now()
	got, err := q.Receive(t.Context(), 2, time.Minute)
	check(t, err)
	wantAll(t, "bodies", bodies(got), []string{"1", "2"})
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("a full batch took %v", took)
	}
	r.wantBodies(q, "3")
}

func testQueueWait(r *rig) {
	t, q := r.t, r.queue()
	send(t, q, "1", "2")
	const wait = 60 * time.Millisecond
	start := time.Now()
	got, err := q.Receive(t.Context(), 10, wait)
	check(t, err)
	wantAll(t, "bodies", bodies(got), []string{"1", "2"})
	if took := time.Since(start); took < wait-5*time.Millisecond {
		t.Errorf("it waited %v for a full batch, want %v", took, wait)
	}
	got, err = q.Receive(t.Context(), 10, wait)
	check(t, err)
	want(t, "messages", len(got), 0)
}

func testQueueWake(r *rig) {
	t, q := r.t, r.queue()
	done := make(chan error, 1)
	go func() {
		got, err := q.Receive(t.Context(), 1, time.Minute)
		if err == nil && (len(got) != 1 || string(got[0].Body) != "1") {
			err = fmt.Errorf("received %q", bodies(got))
		}
		done <- err
	}()
	send(t, q, "1")
	select {
	case err := <-done:
		check(t, err)
	case <-time.After(20 * time.Second):
		t.Fatal("the receiver did not wake")
	}
}

func testQueueCancelled(r *rig) {
	t, q := r.t, r.queue()
	ctx := cancelled(t)
	_, err := q.Send(ctx, storage.NewMessage{Body: []byte("x")})
	wantIs(t, err, context.Canceled)
	send(t, q, "1")
	_, err = q.Receive(ctx, 1, 0)
	wantIs(t, err, context.Canceled)
	got := r.wantBodies(q, "1")
	wantIs(t, q.Ack(ctx, got...), context.Canceled)
	wantIs(t, q.Retry(ctx, got[0], ""), context.Canceled)
	_, err = q.Extend(ctx, got[0])
	wantIs(t, err, context.Canceled)
	for _, err := range q.DeadLetters().List(ctx) {
		wantIs(t, err, context.Canceled)
	}
	wantIs(t, q.DeadLetters().Replay(ctx, "x"), context.Canceled)
	wantIs(t, q.DeadLetters().Drop(ctx, "x"), context.Canceled)
	check(t, q.Ack(t.Context(), got...))

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := q.Receive(ctx, 1, time.Minute); done <- err }()
	cancel()
	select {
	case err := <-done:
		wantIs(t, err, context.Canceled)
	case <-time.After(20 * time.Second):
		t.Fatal("a waiting receiver did not end")
	}
}

func testQueueRefusals(r *rig) {
	t, q := r.t, r.queue()
	for field, m := range map[string]storage.NewMessage{
		"Body":  {Body: make([]byte, storage.MaxMessage+1)},
		"Key":   {Key: strings.Repeat("k", 257)},
		"Delay": {Delay: -1},
	} {
		_, err := q.Send(t.Context(), storage.NewMessage{}, m)
		wantField(t, err, field)
	}
	for _, n := range []int{0, -1, 1001} {
		_, err := q.Receive(t.Context(), n, 0)
		wantField(t, err, "max")
	}
	_, err := q.Receive(t.Context(), 1, -1)
	wantField(t, err, "wait")
	r.wantBodies(q) // nothing of a refused batch was sent
}

func testQueueBodies(r *rig) {
	t, q := r.t, r.queue()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, body := range [][]byte{nil, {}, every, bytes.Repeat([]byte{7}, storage.MaxMessage), []byte("日本語")} {
		_, err := q.Send(t.Context(), storage.NewMessage{Body: body})
		check(t, err)
		got := r.receive(q, 1)
		want(t, "messages", len(got), 1)
		if !bytes.Equal(got[0].Body, body) {
			t.Fatalf("a body of %d bytes came back as %d bytes", len(body), len(got[0].Body))
		}
		check(t, q.Ack(t.Context(), got...))
	}
}
