package storagetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ttai-go/ttai/storage"
)

func testQueueMany(r *rig) {
	r.manyThrough(r.queue(), r.queue())
}

// manyThrough sends and receives through several handles at once.
func (r *rig) manyThrough(queues ...storage.Queue) {
	t := r.t
	const each = 150
	var senders, receivers sync.WaitGroup
	var mu sync.Mutex
	times := map[string]int{}
	total := len(queues) * each
	stop := make(chan struct{})
	for i, q := range queues {
		senders.Go(func() {
			for j := range each {
				if _, err := q.Send(t.Context(), storage.NewMessage{Body: fmt.Append(nil, i, "/", j)}); err != nil {
					t.Error(err)
				}
			}
		})
		for range 2 {
			receivers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					got, err := q.Receive(t.Context(), 10, 5*time.Millisecond)
					if err == nil {
						err = q.Ack(t.Context(), got...)
					}
					// A lease that ended while the machine was slow is no fault.
					if err != nil && !(r.Unit > 0 && errors.Is(err, storage.ErrLeaseLost)) {
						t.Error(err)
						return
					}
					mu.Lock()
					for _, m := range got {
						times[string(m.Body)]++
					}
					mu.Unlock()
				}
			})
		}
	}
	senders.Wait()
	for start := time.Now(); time.Since(start) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		mu.Lock()
		n := len(times)
		mu.Unlock()
		if n == total {
			break
		}
	}
	close(stop)
	receivers.Wait()
	want(t, "messages received", len(times), total)
	if r.Unit == 0 {
		for body, n := range times {
			if n != 1 {
				t.Errorf("message %s was received %d times under standing leases", body, n)
			}
		}
	}
}

func testQueueManyDead(r *rig) {
	t := r.t
	q, err := r.tenant("alice").Queue("bulk", &storage.QueueOptions{Attempts: 1, Lease: r.units(2)})
	check(t, err)
	const n = 10_000
	for i := 0; i < n; i += 500 {
		batch := make([]string, 500)
		for j := range batch {
			batch[j] = fmt.Sprint(i + j)
		}
		send(t, q, batch...)
	}
	seen := map[string]bool{}
	for start := time.Now(); len(seen) < n && time.Since(start) < time.Minute; {
		for _, m := range r.receive(q, 1000) {
			seen[string(m.Body)] = true
		}
	}
	r.pass(2.5) // nobody says anything of them
	want(t, "messages that failed", len(seen), n)
	for d, err := range q.DeadLetters().List(t.Context()) {
		check(t, err)
		if !seen[string(d.Body)] {
			t.Fatalf("dead letter %q came twice, or was never sent", d.Body)
		}
		delete(seen, string(d.Body))
	}
	want(t, "dead letters not listed", len(seen), 0)
}

func testQueueTenants(r *rig) {
	t := r.t
	for i, id := range hostile {
		q := r.queueOf(r.store, id, "tasks")
		send(t, q, fmt.Sprint(i))
	}
	for i, id := range hostile {
		r.wantBodies(r.queueOf(r.store, id, "other"))
		got := r.wantBodies(r.queueOf(r.store, id, "tasks"), fmt.Sprint(i))
		if i > 0 && !r.LaxReceipts {
			wantIs(t, r.queueOf(r.store, hostile[i-1], "tasks").Ack(t.Context(), got...), storage.ErrLeaseLost)
		}
		check(t, r.queueOf(r.store, id, "tasks").Ack(t.Context(), got...))
	}
}

func testQueueSecond(r *rig) {
	t, q := r.t, r.queue()
	other := r.queueOf(r.second(), "alice", "tasks")
	send(t, q, "1", "2")
	got, err := other.Receive(t.Context(), 1, 10*time.Second)
	check(t, err)
	wantAll(t, "bodies", bodies(got), []string{"1"})
	check(t, q.Ack(t.Context(), append(r.wantBodies(q, "2"), got...)...))
	done := make(chan error, 1)
	go func() {
		got, err := other.Receive(t.Context(), 1, 20*time.Second)
		if err == nil && len(got) != 1 {
			err = errors.New("a message sent by another process did not wake the receiver")
		}
		if err == nil {
			err = other.Ack(t.Context(), got...)
		}
		done <- err
	}()
	send(t, q, "3")
	check(t, <-done)
	r.manyThrough(q, other)
}

func testQueueReopen(r *rig) {
	t, q := r.t, r.queue()
	_, err := q.Send(t.Context(), storage.NewMessage{Key: "k", Body: []byte("1")}, storage.NewMessage{Body: []byte("2")})
	check(t, err)
	held := r.receive(q, 1)
	wantAll(t, "bodies", bodies(held), []string{"1"})
	r.crash()
	q = r.queue()
	_, err = q.Send(t.Context(), storage.NewMessage{Key: "k", Body: []byte("again")})
	check(t, err)
	check(t, q.Ack(t.Context(), r.wantBodies(q, "2")...))
	r.pass(2.5)
	got := r.wantBodies(q, "1")
	want(t, "attempt", got[0].Attempt, 2)
	check(t, q.Ack(t.Context(), got...))
}

func testQueueClosed(r *rig) {
	t, q := r.t, r.queue()
	send(t, q, "1")
	got := r.wantBodies(q, "1")
	check(t, r.store.Close())
	_, err := q.Send(t.Context(), storage.NewMessage{})
	wantIs(t, err, storage.ErrClosed)
	_, err = q.Receive(t.Context(), 1, 0)
	wantIs(t, err, storage.ErrClosed)
	wantIs(t, q.Ack(t.Context(), got...), storage.ErrClosed)
	wantIs(t, q.Retry(t.Context(), got[0], ""), storage.ErrClosed)
}
