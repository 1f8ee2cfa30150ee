package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
)

// SQLite itself plays the full and the read-only disk: it refuses in the same
// places, with the same codes.
func TestWritesGoOnOnceThereIsRoomAgain(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "ttai.db"), nil)
	require.NoError(t, err)
	defer s.Close()
	h, err := s.For("alice")
	require.NoError(t, err)
	r, err := h.Records()
	require.NoError(t, err)
	large := func(id string) storage.RecordWrite {
		return storage.RecordWrite{Op: storage.OpCreate, Collection: "notes", ID: id, Data: fmt.Appendf(nil, "%q", strings.Repeat("x", 50_000))}
	}
	var pages int
	require.NoError(t, s.durable.row(t.Context(), "PRAGMA page_count").Scan(&pages))
	for cause, want := range map[string]error{
		fmt.Sprintf("PRAGMA max_page_count = %d", pages+20): storage.ErrFull,
		"PRAGMA query_only = 1":                             storage.ErrReadOnly,
	} {
		_, err = s.durable.exec(t.Context(), cause)
		require.NoError(t, err)
		_, err = r.Write(t.Context(), large("a"), large("b"), large("c"))
		require.ErrorIs(t, err, want)
		for _, id := range []string{"a", "b", "c"} {
			_, err = r.Get(t.Context(), "notes", id)
			require.ErrorIs(t, err, storage.ErrNotFound, "nothing of it was kept")
		}
		_, err = s.durable.exec(t.Context(), "PRAGMA max_page_count = 1000000; PRAGMA query_only = 0")
		require.NoError(t, err)
		_, err = r.Write(t.Context(), large("a"), large("b"), large("c"))
		require.NoError(t, err)
		_, err = r.Write(t.Context(),
			storage.RecordWrite{Op: storage.OpDelete, Collection: "notes", ID: "a"},
			storage.RecordWrite{Op: storage.OpDelete, Collection: "notes", ID: "b"},
			storage.RecordWrite{Op: storage.OpDelete, Collection: "notes", ID: "c"})
		require.NoError(t, err)
		_, err = s.durable.exec(t.Context(), "VACUUM")
		require.NoError(t, err)
	}
}
