package knowledge_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/knowledge"
	"github.com/ttai-go/ttai/agents/openai"
	"github.com/ttai-go/ttai/internal/documents"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
)

var _ knowledge.Embedder = (*openai.Embedder)(nil)

var update = flag.Bool("update", false, "write what was measured to docs/knowledge.md")

// A quality is how well questions are answered.
type quality struct {
	recall float64 // part of the questions with an answer among the first five passages
	mrr    float64 // mean of 1/rank of the first answer among ten passages, 0 without one
	n      int
}

func measure(t *testing.T, b *knowledge.Base, mode knowledge.Mode, use func(question) bool) quality {
	t.Helper()
	var q quality
	for _, asked := range questions {
		if !use(asked) {
			continue
		}
		found, err := b.Search(t.Context(), knowledge.Query{Text: asked.text, Mode: mode, Limit: 10})
		require.NoError(t, err)
		require.Empty(t, found.Notes)
		q.n++
		at := slices.IndexFunc(found.Passages, func(p knowledge.Passage) bool {
			return slices.Contains(asked.answers, strings.TrimPrefix(p.Document, "starter/"))
		})
		if at >= 0 {
			q.mrr += 1 / float64(at+1)
		}
		if at >= 0 && at < 5 {
			q.recall++
		} else if os.Getenv("MISSES") != "" && !asked.heldOut() {
			var got []string
			for _, p := range found.Passages[:min(5, len(found.Passages))] {
				got = append(got, strings.TrimPrefix(p.Document, "starter/"))
			}
			t.Logf("%s: %q wants %v, got %v (at %d)", mode, asked.text, asked.answers, got, at+1)
		}
	}
	q.recall /= float64(q.n)
	q.mrr /= float64(q.n)
	return q
}

// A fakeModel stands for an embedding model that knows what texts are about: texts
// of one document, and questions that it answers, lie around one direction, with so
// much noise that it errs. What it shows is how rankings of such a model are fused,
// not how good any real one is.
type fakeModel struct {
	about map[string]string // what a text is about, by its first line or whole
	dims  int
}

func (f fakeModel) vector(text string) []float32 {
	first, _, _ := strings.Cut(text, "\n")
	title, _, _ := strings.Cut(first, " › ")
	subject, ok := f.about[title]
	if !ok {
		subject = title
	}
	direction, noise := random(subject, f.dims), random("noise of "+text, f.dims)
	out := make([]float32, f.dims)
	for i := range out {
		out[i] = float32(direction[i] + 2.0*noise[i])
	}
	return out
}

// random is a direction that depends on a text alone.
func random(text string, dims int) []float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	out := make([]float64, dims)
	sum := 0.0
	for i := range out {
		out[i] = r.NormFloat64()
		sum += out[i] * out[i]
	}
	for i := range out {
		out[i] /= math.Sqrt(sum)
	}
	return out
}

func (f fakeModel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Input []string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || r.URL.Path != "/embeddings" {
		http.Error(w, "what?", http.StatusBadRequest)
		return
	}
	type one struct {
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	}
	var out struct {
		Data []one `json:"data"`
	}
	for i, text := range asked.Input {
		out.Data = append(out.Data, one{i, f.vector(text)})
	}
	_ = json.NewEncoder(w).Encode(out)
}

// fakeEmbedder is the fake behind the interface that real servers have.
func fakeEmbedder(t *testing.T) knowledge.Embedder {
	t.Helper()
	library, err := knowledge.Starter()
	require.NoError(t, err)
	titles := map[string]string{}
	for _, d := range library {
		titles[strings.TrimPrefix(d.ID, "starter/")] = d.Title
	}
	f := fakeModel{about: map[string]string{}, dims: 128}
	for _, q := range questions {
		require.Contains(t, titles, q.answers[0])
		f.about[q.text] = titles[q.answers[0]]
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	e, err := openai.NewEmbedder("fake/meaning", f.dims, nil, &openai.EmbedderOptions{BaseURL: server.URL, HTTPClient: server.Client()})
	require.NoError(t, err)
	return e
}

func starterDocuments(t *testing.T) []knowledge.Document {
	t.Helper()
	library, err := knowledge.Starter()
	require.NoError(t, err)
	return library
}

func starterBase(t *testing.T, store storage.Store, e knowledge.Embedder) *knowledge.Base {
	t.Helper()
	b, err := knowledge.Open(store, "someone", &knowledge.Options{Embedder: e})
	require.NoError(t, err)
	_, err = b.AddStarter(t.Context())
	require.NoError(t, err)
	return b
}

func TestTheLabelledQuestionsAreFair(t *testing.T) {
	library, err := knowledge.Starter()
	require.NoError(t, err)
	names := map[string]bool{}
	for _, d := range library {
		names[strings.TrimPrefix(d.ID, "starter/")] = true
	}
	require.GreaterOrEqual(t, len(questions), 80)
	seen, held := map[string]bool{}, 0
	for _, q := range questions {
		assert.False(t, seen[q.text], q.text)
		seen[q.text] = true
		if q.heldOut() {
			held++
		}
		for _, a := range q.answers {
			assert.True(t, names[a], "%s: %s", q.text, a)
			delete(names, a)
			names[a] = true
		}
	}
	assert.InDelta(t, len(questions)/2, held, float64(len(questions))/8)
}

// The floors are a little below what was measured; the table is in
// docs/knowledge.md.
func TestQuestionsFindTheirDocuments(t *testing.T) {
	if racing {
		t.Skip("the figures are the same under the race detector, and take a minute")
	}
	forMemory := inMemory(t)
	inFile, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ttai.db"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, inFile.Close()) })
	offline, err := knowledge.NewHashing(0)
	require.NoError(t, err)
	embedded := starterBase(t, inFile, offline)
	fake := starterBase(t, inMemory(t), fakeEmbedder(t))
	rows := []struct {
		name        string
		base        *knowledge.Base
		mode        knowledge.Mode
		recall, mrr float64 // floors, of both halves
	}{
		{"words (BM25)", embedded, knowledge.Words, 0.78, 0.62},
		{"vectors (hashing)", embedded, knowledge.Vectors, 0.68, 0.58},
		{"both, the offline default", embedded, knowledge.Hybrid, 0.78, 0.60},
		{"both, on the memory engine", starterBase(t, forMemory, offline), knowledge.Hybrid, 0.78, 0.60},
		{"vectors (faked model)", fake, knowledge.Vectors, 0.80, 0.60},
		{"both, with the faked model", fake, knowledge.Hybrid, 0.87, 0.72},
	}
	var table strings.Builder
	held := 0
	for _, q := range questions {
		if q.heldOut() {
			held++
		}
	}
	fmt.Fprintf(&table, "%d questions, %d of them in the tuning half and %d held out; %d documents.\n\n", len(questions), len(questions)-held, held, len(starterDocuments(t)))
	table.WriteString("| found by | tuning half: recall@5 | MRR | held-out half: recall@5 | MRR |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		tuned := measure(t, r.base, r.mode, func(q question) bool { return !q.heldOut() })
		held := measure(t, r.base, r.mode, question.heldOut)
		fmt.Fprintf(&table, "| %s | %.2f | %.2f | %.2f | %.2f |\n", r.name, tuned.recall, tuned.mrr, held.recall, held.mrr)
		for _, q := range []quality{tuned, held} {
			assert.GreaterOrEqual(t, q.recall, r.recall, r.name)
			assert.GreaterOrEqual(t, q.mrr, r.mrr, r.name)
		}
	}
	t.Logf("\n%s", table.String())
	documents.Section(t, filepath.Join("..", "..", "docs", "knowledge.md"), "quality", table.String(), *update)
}

// misspelled leaves a letter out of the middle of each longer word.
func misspelled(text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		if n := len(w); n >= 5 {
			words[i] = w[:n/2] + w[n/2+1:]
		}
	}
	return strings.Join(words, " ")
}

func TestMisspelledTitlesAreFoundByHalf(t *testing.T) {
	if racing {
		t.Skip("the figures are the same under the race detector")
	}
	b := starterBase(t, inMemory(t), nil)
	found := map[knowledge.Mode]float64{}
	library := starterDocuments(t)
	for _, d := range library {
		for _, mode := range []knowledge.Mode{knowledge.Words, knowledge.Vectors, knowledge.Hybrid} {
			if slices.Contains(ids(search(t, b, knowledge.Query{Text: misspelled(d.Title), Mode: mode})), d.ID) {
				found[mode] += 1 / float64(len(library))
			}
		}
	}
	t.Logf("recall at 5 of misspelled titles: words %.2f, vectors %.2f, both %.2f", found[knowledge.Words], found[knowledge.Vectors], found[knowledge.Hybrid])
	assert.Greater(t, found[knowledge.Hybrid], found[knowledge.Words], "fusing helps a little")
	assert.Greater(t, found[knowledge.Hybrid], 0.5)
}
