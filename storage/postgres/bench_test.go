package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/postgres"
)

func BenchmarkStore(b *testing.B) {
	url := server(b)
	s := open(b, url, postgres.Options{Schema: schema(b, url), Connections: 8})
	k, err := kitOf(s)
	require.NoError(b, err)
	ctx := b.Context()
	data := []byte(`{"symbol":"SPY","bid":512.31,"ask":512.33,"size":100,"note":"` + strings.Repeat("x", 190) + `"}`)
	var n atomic.Int64
	next := func() string { return fmt.Sprintf("%08d", n.Add(1)) }
	each := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/parallel", func(b *testing.B) {
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := f(); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
	require.NoError(b, k.kv.Put(ctx, "k", data, 0))
	each("kv/get", func() error { _, err := k.kv.Get(ctx, "k"); return err })
	each("kv/put", func() error { return k.kv.Put(ctx, next(), data, time.Hour) })
	each("kv/cas", func() error { _, err := k.kv.CompareAndSet(ctx, next(), 0, data, 0); return err })
	_, err = k.records.Write(ctx, storage.RecordWrite{Collection: "trades", ID: "a", Data: data})
	require.NoError(b, err)
	each("record/get", func() error { _, err := k.records.Get(ctx, "trades", "a"); return err })
	each("record/write", func() error {
		id := next()
		_, err := k.records.Write(ctx, storage.RecordWrite{Collection: "trades", ID: id, Data: data, Fields: []storage.Field{
			storage.Text("user", "u"), storage.Text("symbol", "SPY"), storage.Number("time", float64(n.Load())),
		}})
		return err
	})
	each("record/list", func() error {
		_, err := k.records.List(ctx, "trades", storage.RecordQuery{Order: "time", Kind: storage.NumberField, Desc: true, Limit: 100})
		return err
	})
	each("journal/append", func() error {
		_, err := k.journal.Append(ctx, storage.NewEntry{Kind: "order.placed", Data: data})
		return err
	})
	each("limiter/take", func() error {
		_, err := k.limiter.Take(ctx, "GET /orders", storage.Limit{Rate: 1e9, Per: time.Second}, 1)
		return err
	})
	each("lock/acquire+release", func() error {
		lease, err := k.locks.Acquire(ctx, next(), time.Minute)
		if err == nil {
			err = k.locks.Release(ctx, lease)
		}
		return err
	})
}

// An operation is ten messages sent, received and acknowledged.
func BenchmarkQueue(b *testing.B) {
	url := server(b)
	s := open(b, url, postgres.Options{Schema: schema(b, url), Connections: 8})
	k, err := kitOf(s)
	require.NoError(b, err)
	ctx := b.Context()
	ten := make([]storage.NewMessage, 10)
	for i := range ten {
		ten[i].Body = []byte(strings.Repeat("x", 256))
	}
	work := func() error {
		_, err := k.queue.Send(ctx, ten...)
		if err != nil {
			return err
		}
		got, err := k.queue.Receive(ctx, 10, 0)
		if err != nil {
			return err
		}
		return k.queue.Ack(ctx, got...)
	}
	rate := func(b *testing.B) { b.ReportMetric(10*float64(b.N)/b.Elapsed().Seconds(), "messages/s") }
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, work())
		}
		rate(b)
	})
	b.Run("parallel", func(b *testing.B) {
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := work(); err != nil {
					b.Error(err)
					return
				}
			}
		})
		rate(b)
	})
	drain := func(b *testing.B) {
		for {
			got, err := k.queue.Receive(ctx, 1000, 0)
			require.NoError(b, err)
			if len(got) == 0 {
				return
			}
			require.NoError(b, k.queue.Ack(ctx, got...))
		}
	}
	b.Run("send", func(b *testing.B) {
		for b.Loop() {
			_, err := k.queue.Send(ctx, ten...)
			require.NoError(b, err)
		}
		rate(b)
		drain(b)
	})
}

// The time from telling an event to hearing it.
func BenchmarkPubSub(b *testing.B) {
	url := server(b)
	s := open(b, url, postgres.Options{Schema: schema(b, url)})
	tenant, err := s.For("alice")
	require.NoError(b, err)
	p, err := tenant.PubSub()
	require.NoError(b, err)
	sub, err := p.Subscribe(b.Context(), "fills")
	require.NoError(b, err)
	defer sub.Close()
	for b.Loop() {
		require.NoError(b, p.Publish(b.Context(), "fills", []byte("x")))
		_, err := sub.Receive(b.Context())
		require.NoError(b, err)
	}
}

// Ten of 20,000 documents of 768 dimensions and 40 words, in memory and, where the
// server has it, by pgvector.
func BenchmarkVectors(b *testing.B) {
	for _, engine := range []struct{ name, variable, suffix string }{{"memory", "TTAI_TEST_POSTGRES", ""}, {"pgvector", "TTAI_TEST_PGVECTOR", "default_query_exec_mode=exec"}} {
		b.Run(engine.name, func(b *testing.B) {
			url := variable(b, engine.variable)
			if engine.suffix != "" {
				url += map[bool]string{true: "&", false: "?"}[strings.Contains(url, "?")] + engine.suffix
			}
			const dims = 768
			n := 20_000
			if engine.name == "pgvector" {
				n = 2000 // PGlite runs in WebAssembly
			}
			s := open(b, url, postgres.Options{Schema: schema(b, url), Connections: 2})
			tenant, err := s.For("alice")
			require.NoError(b, err)
			v, err := tenant.Vectors("knowledge", dims)
			require.NoError(b, err)
			random := rand.New(rand.NewPCG(1, 2))
			vector := func() []float32 {
				out := make([]float32, dims)
				for i := range out {
					out[i] = float32(random.NormFloat64())
				}
				return out
			}
			begun := time.Now()
			for i := 0; i < n; i += 500 {
				docs := make([]storage.Document, 500)
				for j := range docs {
					var words strings.Builder
					for range 40 {
						fmt.Fprintf(&words, "w%d ", int(random.ExpFloat64()*500))
					}
					docs[j] = storage.Document{ID: fmt.Sprintf("%06d", i+j), Text: words.String(), Vector: vector()}
				}
				require.NoError(b, v.Put(b.Context(), docs...))
			}
			put := float64(n) / time.Since(begun).Seconds()
			_, err = v.Nearest(b.Context(), vector(), nil) // what is read once
			require.NoError(b, err)
			b.Run("nearest", func(b *testing.B) {
				for b.Loop() {
					got, err := v.Nearest(b.Context(), vector(), nil)
					require.NoError(b, err)
					require.Len(b, got, 10)
				}
				b.ReportMetric(put, "put/s")
				b.ReportMetric(float64(n), "documents")
			})
			b.Run("matching", func(b *testing.B) {
				for b.Loop() {
					got, err := v.Matching(b.Context(), fmt.Sprintf("w%d w%d", random.IntN(2000), 50+random.IntN(100)), nil)
					require.NoError(b, err)
					require.NotEmpty(b, got)
				}
			})
		})
	}
}
