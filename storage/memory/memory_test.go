package memory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/storagetest"
)

func TestStore(t *testing.T) {
	storagetest.TestStore(t, storagetest.Harness{Parallel: true, Open: func(t *testing.T, now func() time.Time) storage.Store {
		s, err := memory.New(&memory.Options{Now: now})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, s.Close()) })
		return s
	}})
}

func open(t *testing.T, opts *memory.Options) storage.KV {
	t.Helper()
	s, err := memory.New(opts)
	require.NoError(t, err)
	h, err := s.For(storage.Local)
	require.NoError(t, err)
	kv, err := h.KV("cache")
	require.NoError(t, err)
	return kv
}

func keys(t *testing.T, kv storage.KV) []string {
	t.Helper()
	var out []string
	for k, err := range kv.Keys(t.Context(), "") {
		require.NoError(t, err)
		out = append(out, k)
	}
	return out
}

func TestAFullSpaceDropsWhatWasStoredLongestAgo(t *testing.T) {
	kv := open(t, &memory.Options{MaxValues: 3})
	for _, k := range []string{"a", "b", "c"} {
		require.NoError(t, kv.Put(t.Context(), k, nil, 0))
	}
	require.NoError(t, kv.Put(t.Context(), "a", nil, 0), "storing again makes it new")
	require.NoError(t, kv.Put(t.Context(), "d", nil, 0))
	assert.Equal(t, []string{"a", "c", "d"}, keys(t, kv))
}

func TestANegativeBoundIsRefused(t *testing.T) {
	_, err := memory.New(&memory.Options{MaxValues: -1})
	var field *storage.FieldError
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "MaxValues", field.Field)
}

func TestHandlesOfAClosedStoreSayClosed(t *testing.T) {
	s, err := memory.New(nil)
	require.NoError(t, err)
	h, err := s.For(storage.Local)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = s.For(storage.Local)
	assert.ErrorIs(t, err, storage.ErrClosed)
	_, err = h.KV("cache")
	assert.ErrorIs(t, err, storage.ErrClosed)
}

func BenchmarkPutExpiring(b *testing.B) {
	now := time.Unix(0, 0)
	s, _ := memory.New(&memory.Options{Now: func() time.Time { now = now.Add(time.Millisecond); return now }})
	h, _ := s.For(storage.Local)
	kv, _ := h.KV("cache")
	for i := 0; b.Loop(); i++ {
		if err := kv.Put(context.Background(), fmt.Sprint(i), nil, time.Second); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleNew() {
	ctx := context.Background()
	store, err := memory.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	tenant, _ := store.For(storage.Local)
	notes, _ := tenant.KV("notes")
	if err := notes.Put(ctx, "SPY", []byte("sold the 450 put"), 24*time.Hour); err != nil {
		fmt.Println(err)
		return
	}
	v, err := notes.Get(ctx, "SPY")
	fmt.Println(string(v.Data), err)
	// Output: sold the 450 put <nil>
}
