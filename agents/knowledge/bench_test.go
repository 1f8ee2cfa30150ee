package knowledge_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/knowledge"
	"github.com/ttai-go/ttai/storage/sqlite"
)

// BenchmarkSearch asks a base in a file that holds the starter library, alone and
// beside many other documents.
func BenchmarkSearch(b *testing.B) {
	for _, others := range []int{0, 5000} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ttai.db"), nil)
			require.NoError(b, err)
			defer s.Close()
			base, err := knowledge.Open(s, "ann", &knowledge.Options{Starter: true})
			require.NoError(b, err)
			library, err := knowledge.Starter()
			require.NoError(b, err)
			var documents []knowledge.Document
			for i := range others {
				d := library[i%len(library)]
				d.ID, d.Collection = fmt.Sprintf("other/%d", i), "other"
				d.Text = fmt.Sprintf("Note %d. %s", i, library[(i*7+3)%len(library)].Text[:200])
				documents = append(documents, d)
			}
			_, err = base.Add(b.Context(), documents...)
			require.NoError(b, err)
			n := 0
			for b.Loop() {
				_, err := base.Search(b.Context(), knowledge.Query{Text: questions[n%len(questions)].text})
				require.NoError(b, err)
				n++
			}
		})
	}
}

func BenchmarkHashing(b *testing.B) {
	h, err := knowledge.NewHashing(0)
	require.NoError(b, err)
	library, err := knowledge.Starter()
	require.NoError(b, err)
	texts := []string{library[0].Text[:900]}
	for b.Loop() {
		_, err := h.Embed(b.Context(), texts)
		require.NoError(b, err)
	}
}
