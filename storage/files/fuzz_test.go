package files_test

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/files"
)

// A file in the folder may be anything: it is served as what it says or it is
// corrupt.
func FuzzHeader(f *testing.F) {
	folder, err := os.MkdirTemp("", "ttai-")
	require.NoError(f, err)
	f.Cleanup(func() { assert.NoError(f, os.RemoveAll(folder)) })
	s, err := files.Open(folder, nil)
	require.NoError(f, err)
	f.Cleanup(func() { assert.NoError(f, s.Close()) })
	h, err := s.For(storage.Local)
	require.NoError(f, err)
	o, err := h.Objects("reports")
	require.NoError(f, err)
	_, err = o.Put(f.Context(), "a", strings.NewReader("content"), &storage.PutOptions{Metadata: map[string]string{"k": "v"}})
	require.NoError(f, err)
	name := only(f, folder)
	good, err := os.ReadFile(name)
	require.NoError(f, err)
	n := 4 + int(binary.BigEndian.Uint32(good))
	for _, b := range [][]byte{nil, good, good[:3], good[:n], good[:n/2], []byte("\xff\xff\xff\xff"), []byte("\x00\x00\x00\x02{}"), []byte("\x00\x00\x00\x04null")} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NoError(t, os.WriteFile(name, data, 0o600))
		got, r, err := o.Get(t.Context(), "a", nil)
		if err != nil {
			require.ErrorIs(t, err, storage.ErrCorrupt)
			return
		}
		defer r.Close()
		require.Equal(t, "a", got.Key)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Len(t, content, int(got.Size), "as much as it says")
		_, err = o.Stat(t.Context(), "a")
		require.NoError(t, err)
		for listed, err := range o.List(t.Context(), "", "") {
			require.NoError(t, err)
			require.Equal(t, got.Key, listed.Key)
		}
		_, _, err = o.Get(t.Context(), "b", nil)
		require.True(t, errors.Is(err, storage.ErrNotFound))
	})
}
