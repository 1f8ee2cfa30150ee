package storage_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/files"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/sqlite"
)

func embedded(t *testing.T) map[string]storage.Store {
	t.Helper()
	inMemory, err := memory.New(nil)
	require.NoError(t, err)
	database, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ttai.db"), nil)
	require.NoError(t, err)
	folder, err := files.Open(t.TempDir(), nil)
	require.NoError(t, err)
	stores := map[string]storage.Store{"memory": inMemory, "sqlite and files": storage.Combine(database, storage.Parts{Objects: folder})}
	for _, s := range stores {
		t.Cleanup(func() { assert.NoError(t, s.Close()) })
	}
	return stores
}

// founded returns an organisation's staff, and its tenant with something of each
// kind.
func founded(t *testing.T, s storage.Store, id storage.TenantID) (*storage.Staff, storage.Custodian) {
	t.Helper()
	ctx := t.Context()
	h, err := s.For(id)
	require.NoError(t, err)
	d, err := s.Directory()
	require.NoError(t, err)
	staff, err := storage.NewStaff(h, d)
	require.NoError(t, err)
	require.NoError(t, staff.Found(ctx, storage.Organization{Name: "Acme"}, storage.User{ID: "olga", Email: string(id) + "@x.test"}))
	r, err := storage.Open(h)
	require.NoError(t, err)
	_, err = r.Watchlists.Put(ctx, storage.Watchlist{ID: "w", User: "olga", Symbols: []string{"SPY"}})
	require.NoError(t, err)
	_, err = r.Tokens.Put(ctx, storage.Secret{User: "olga", Provider: "tastytrade", Ciphertext: []byte("sealed")})
	require.NoError(t, err)
	o, err := h.Objects("reports")
	require.NoError(t, err)
	_, err = o.Put(ctx, "2026/a b.txt", strings.NewReader("a report"), nil)
	require.NoError(t, err)
	j, err := h.Journal("orders")
	require.NoError(t, err)
	_, err = j.Append(ctx, storage.NewEntry{Kind: "order.placed", Data: []byte("{}")})
	require.NoError(t, err)
	v, err := h.Vectors("knowledge", 2)
	require.NoError(t, err)
	require.NoError(t, v.Put(ctx, storage.Document{ID: "d", Text: "alpha", Vector: []float32{1, 0}}))
	kv, err := h.KV("cache")
	require.NoError(t, err)
	require.NoError(t, kv.Put(ctx, "k", []byte("v"), 0))
	q, err := h.Queue("tasks", nil)
	require.NoError(t, err)
	_, err = q.Send(ctx, storage.NewMessage{Body: []byte("x")})
	require.NoError(t, err)
	return staff, h.(storage.Custodian)
}

func TestAnArchiveHasEverythingButSecretsAndCaches(t *testing.T) {
	for name, s := range embedded(t) {
		t.Run(name, func(t *testing.T) {
			staff, _ := founded(t, s, "acme")
			var b bytes.Buffer
			require.NoError(t, staff.ExportAll(t.Context(), "olga", &b))
			assert.NotContains(t, b.String(), "sealed")
			found := map[string]string{}
			for r := tar.NewReader(&b); ; {
				h, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				require.NoError(t, err)
				data, err := io.ReadAll(r)
				require.NoError(t, err)
				found[h.Name] = string(data)
			}
			assert.Len(t, found, 6)
			assert.Contains(t, found["records/watchlists/0001.jsonl"], `"SPY"`)
			assert.Contains(t, found["records/users/0001.jsonl"], `olga`)
			assert.Contains(t, found["records/organization/0001.jsonl"], `Acme`)
			assert.Contains(t, found["journals/orders/0001.jsonl"], `order.placed`)
			assert.Contains(t, found["documents/knowledge/0001.jsonl"], `alpha`)
			assert.Equal(t, "a report", found["objects/reports/2026%2Fa%20b.txt"])
		})
	}
}

func TestADeletedOrganisationLeavesItsJournalOnly(t *testing.T) {
	for name, s := range embedded(t) {
		t.Run(name, func(t *testing.T) {
			staff, h := founded(t, s, "acme")
			_, others := founded(t, s, "other")
			theirs, err := others.Inventory(t.Context())
			require.NoError(t, err)
			require.NoError(t, staff.Delete(t.Context(), "olga"))
			left, err := h.Inventory(t.Context())
			require.NoError(t, err)
			assert.Equal(t, storage.Inventory{Journals: []string{"orders"}, Collections: map[string]int{}}, left)
			still, err := others.Inventory(t.Context())
			require.NoError(t, err)
			assert.Equal(t, theirs, still)
			d, err := s.Directory()
			require.NoError(t, err)
			_, err = d.Find(t.Context(), "acme@x.test")
			require.ErrorIs(t, err, storage.ErrNotFound, "the address is free")
		})
	}
}
