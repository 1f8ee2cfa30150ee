package sqlite_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
)

func BenchmarkKVCompareAndSet(b *testing.B) {
	kv, err := benchTenant(b).KV("x")
	require.NoError(b, err)
	n := 0
	for b.Loop() {
		n++
		_, err = kv.CompareAndSet(b.Context(), fmt.Sprint(n), storage.NoVersion, make([]byte, 200), 0)
	}
	require.NoError(b, err)
}

func BenchmarkRecordGet(b *testing.B) {
	r, err := benchTenant(b).Records()
	require.NoError(b, err)
	_, err = r.Write(b.Context(), storage.RecordWrite{Collection: "x", ID: "1", Data: []byte(`{"a":1}`)})
	require.NoError(b, err)
	for b.Loop() {
		_, err = r.Get(b.Context(), "x", "1")
	}
	require.NoError(b, err)
}

func BenchmarkJournalAppend(b *testing.B) {
	j, err := benchTenant(b).Journal("x")
	require.NoError(b, err)
	for b.Loop() {
		_, err = j.Append(b.Context(), storage.NewEntry{Kind: "order.placed", Data: make([]byte, 200)})
	}
	require.NoError(b, err)
}
