package knowledge_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/knowledge"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
)

func TestWhatADeadWriterLeftIsNeverFound(t *testing.T) {
	s := engines(t)["sqlite"]
	b := open(t, s, "ann", nil)
	_, err := b.Add(t.Context(), knowledge.Document{ID: "notes/a", Text: "Gamma notes."})
	require.NoError(t, err)
	h, err := s.For("ann")
	require.NoError(t, err)
	records, err := h.Records()
	require.NoError(t, err)
	v, err := h.Vectors(indexName(t, records), 256)
	require.NoError(t, err)
	hashing, err := knowledge.NewHashing(0)
	require.NoError(t, err)
	vectors, err := hashing.Embed(t.Context(), []string{"gamma gamma gamma"})
	require.NoError(t, err)
	for _, owner := range []string{"notes/a", "notes/dead"} {
		require.NoError(t, v.Put(t.Context(), storage.Document{ID: owner + "#feed", Text: "gamma gamma gamma", Vector: vectors[0], Metadata: map[string]string{"document": owner, "collection": "notes", "head": "0"}}))
	}
	assert.Equal(t, []string{"notes/a"}, ids(search(t, b, knowledge.Query{Text: "gamma"})))
	assert.Len(t, chunksOf(t, s, "ann", indexName(t, records)), 3)
	done, err := b.Reindex(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, 2, done.Swept)
	assert.Len(t, chunksOf(t, s, "ann", indexName(t, records)), 1)
}

func TestSearchesGoOnWhileDocumentsChange(t *testing.T) {
	for engine, s := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			b := open(t, s, "ann", nil)
			_, err := b.Add(t.Context(), sections(0))
			require.NoError(t, err)
			var all sync.WaitGroup
			for w := range 3 {
				all.Go(func() {
					for i := range 6 {
						_, err := b.Add(t.Context(), sections((i+w)%12), knowledge.Document{ID: fmt.Sprintf("w/%d-%d", w, i), Text: "A note on strikes."})
						assert.NoError(t, err)
					}
				})
			}
			for range 3 {
				all.Go(func() {
					for range 10 {
						found, err := b.Search(t.Context(), knowledge.Query{Text: "subject5 strikes"})
						assert.NoError(t, err)
						assert.NotEmpty(t, found.Passages, "some version of the document is there at any time")
					}
				})
			}
			all.Wait()
			list, err := b.List(t.Context(), "")
			require.NoError(t, err)
			assert.Len(t, list, 19)
		})
	}
}

// writer is another program with the same file.
func writer(file, name string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, file, nil)
	if err != nil {
		return err
	}
	b, err := knowledge.Open(s, "ann", &knowledge.Options{Starter: true})
	if err != nil {
		return err
	}
	for i := range 5 {
		if _, err := b.Add(ctx, knowledge.Document{ID: fmt.Sprintf("%s/%d", name, i), Text: "Condors of " + name}, sections(i)); err != nil {
			return err
		}
		if _, err := b.Search(ctx, knowledge.Query{Text: "condors"}); err != nil {
			return err
		}
	}
	return s.Close()
}

func TestSeveralProcessesShareOneFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ttai.db")
	var all sync.WaitGroup
	for _, name := range []string{"one", "two", "three"} {
		all.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
			cmd.Env = append(os.Environ(), writerFile+"="+file, "KNOWLEDGE_TEST_NAME="+name)
			out, err := cmd.CombinedOutput()
			assert.NoError(t, err, "%s", out)
		})
	}
	all.Wait()
	s, err := sqlite.Open(t.Context(), file, nil)
	require.NoError(t, err)
	defer s.Close()
	b := open(t, s, "ann", nil)
	list, err := b.List(t.Context(), "")
	require.NoError(t, err)
	starter, err := knowledge.Starter()
	require.NoError(t, err)
	assert.Len(t, list, 16+len(starter), "five each, the one that all wrote, and the library once")
	done, err := b.Reindex(t.Context(), nil)
	require.NoError(t, err)
	assert.Zero(t, done.Embedded, "nothing is missing")
	assert.Zero(t, done.Swept, "nothing is left over")
}
