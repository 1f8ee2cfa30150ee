package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
)

func benchTenant(b *testing.B) storage.Tenant {
	b.Helper()
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ttai.db"), nil)
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Close() })
	h, err := s.For("alice")
	require.NoError(b, err)
	return h
}

func BenchmarkKVGet(b *testing.B) {
	kv, err := benchTenant(b).KV("x")
	require.NoError(b, err)
	require.NoError(b, kv.Put(b.Context(), "k", make([]byte, 200), 0))
	for b.Loop() {
		_, err = kv.Get(b.Context(), "k")
	}
	require.NoError(b, err)
}

func BenchmarkKVPut(b *testing.B) {
	kv, err := benchTenant(b).KV("x")
	require.NoError(b, err)
	for b.Loop() {
		err = kv.Put(b.Context(), "k", make([]byte, 200), 0)
	}
	require.NoError(b, err)
}

func BenchmarkRecordWrite(b *testing.B) {
	r, err := benchTenant(b).Records()
	require.NoError(b, err)
	n := 0
	for b.Loop() {
		n++
		_, err = r.Write(b.Context(), storage.RecordWrite{Collection: "x", ID: fmt.Sprint(n), Data: []byte(`{"a":1}`), Fields: []storage.Field{storage.Text("s", "x")}})
	}
	require.NoError(b, err)
}

// One operation is a batch of ten: sent, received and acknowledged.
func BenchmarkQueueBatchOfTen(b *testing.B) {
	q, err := benchTenant(b).Queue("x", nil)
	require.NoError(b, err)
	batch := make([]storage.NewMessage, 10)
	for i := range batch {
		batch[i].Body = make([]byte, 200)
	}
	for b.Loop() {
		_, err := q.Send(b.Context(), batch...)
		require.NoError(b, err)
		got, err := q.Receive(b.Context(), 10, 0)
		require.NoError(b, err)
		require.NoError(b, q.Ack(b.Context(), got...))
	}
}

func BenchmarkNearest100000x768(b *testing.B) {
	v, err := benchTenant(b).Vectors("x", 768)
	require.NoError(b, err)
	random := rand.New(rand.NewPCG(1, 2))
	vector := func() []float32 {
		out := make([]float32, 768)
		for i := range out {
			out[i] = random.Float32() - 0.5
		}
		return out
	}
	for i := range 100 {
		docs := make([]storage.Document, 1000)
		for j := range docs {
			docs[j] = storage.Document{ID: fmt.Sprintf("%06d", 1000*i+j), Vector: vector()}
		}
		require.NoError(b, v.Put(b.Context(), docs...))
	}
	q := vector()
	_, err = v.Nearest(b.Context(), q, nil) // reads the vectors into memory
	require.NoError(b, err)
	for b.Loop() {
		_, err = v.Nearest(b.Context(), q, nil)
	}
	require.NoError(b, err)
}
