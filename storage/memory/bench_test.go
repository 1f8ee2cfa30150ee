package memory_test

import (
	"testing"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
)

func BenchmarkGet(b *testing.B) {
	s, err := memory.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	tenant, _ := s.For(storage.Local)
	kv, _ := tenant.KV("cache")
	if err := kv.Put(b.Context(), "SPY", make([]byte, 100), 0); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := kv.Get(b.Context(), "SPY"); err != nil {
			b.Fatal(err)
		}
	}
}

// One batch of ten messages, sent, received and acknowledged.
func BenchmarkQueueTen(b *testing.B) {
	s, err := memory.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	tenant, _ := s.For(storage.Local)
	q, err := tenant.Queue("tasks", nil)
	if err != nil {
		b.Fatal(err)
	}
	batch := make([]storage.NewMessage, 10)
	for i := range batch {
		batch[i].Body = make([]byte, 100)
	}
	for b.Loop() {
		if _, err := q.Send(b.Context(), batch...); err != nil {
			b.Fatal(err)
		}
		got, err := q.Receive(b.Context(), 10, 0)
		if err != nil || len(got) != 10 {
			b.Fatal(len(got), err)
		}
		if err := q.Ack(b.Context(), got...); err != nil {
			b.Fatal(err)
		}
	}
}
