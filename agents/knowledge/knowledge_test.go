package knowledge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/agents/knowledge"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/sqlite"
)

// writerFile is set in a process that this test started, to the store it writes.
const writerFile = "KNOWLEDGE_TEST_WRITER"

func TestMain(m *testing.M) {
	if file := os.Getenv(writerFile); file != "" {
		if err := writer(file, os.Getenv("KNOWLEDGE_TEST_NAME")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// counting counts what is embedded, and can fail.
type counting struct {
	*knowledge.Hashing
	name string
	mu   sync.Mutex
	n    int
	fail error
}

func (c *counting) Model() string { return c.name + c.Hashing.Model() }

func (c *counting) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return nil, c.fail
	}
	c.n += len(texts)
	return c.Hashing.Embed(ctx, texts)
}

func (c *counting) taken() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.n
	c.n = 0
	return n
}

func newCounting(t *testing.T, name string, dims int) *counting {
	t.Helper()
	h, err := knowledge.NewHashing(dims)
	require.NoError(t, err)
	return &counting{Hashing: h, name: name}
}

// engines are the embedded stores.
func engines(t *testing.T) map[string]storage.Store {
	t.Helper()
	inMemory, err := memory.New(nil)
	require.NoError(t, err)
	inFile, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ttai.db"), nil)
	require.NoError(t, err)
	out := map[string]storage.Store{"memory": inMemory, "sqlite": inFile}
	t.Cleanup(func() {
		for _, s := range out {
			assert.NoError(t, s.Close())
		}
	})
	return out
}

// inMemory is the engine without a file.
func inMemory(t *testing.T) storage.Store {
	t.Helper()
	s, err := memory.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func open(t *testing.T, s storage.Store, tenant storage.TenantID, e knowledge.Embedder) *knowledge.Base {
	t.Helper()
	b, err := knowledge.Open(s, tenant, &knowledge.Options{Embedder: e, Now: func() time.Time { return time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC) }})
	require.NoError(t, err)
	return b
}

func search(t *testing.T, b *knowledge.Base, q knowledge.Query) []knowledge.Passage {
	t.Helper()
	found, err := b.Search(t.Context(), q)
	require.NoError(t, err)
	return found.Passages
}

// ids are the documents of passages, in order.
func ids(found []knowledge.Passage) []string {
	out := []string{}
	for _, p := range found {
		out = append(out, p.Document)
	}
	return out
}

const journalText = `# Trading journal

Rules I made for myself.

## Entries

I sell puts only on stocks that I would hold for a year.

## Exits

I close credit spreads at half of the credit, or when the short strike is touched.

| rule | value |
| --- | --- |
| profit | 50 % |
| loss | 2 × credit |
`

func TestDocumentsAreAddedFoundListedAndRemoved(t *testing.T) {
	for engine, s := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			b := open(t, s, "ann", nil)
			changes, err := b.Add(t.Context(),
				knowledge.Document{Source: "journal.md", Tags: []string{"Own Rules"}, Text: journalText, Date: knowledge.Date{Year: 2026, Month: 3, Day: 1}},
				knowledge.Document{Title: "Fees", Collection: "broker", Source: "https://example.com/fees", Text: "Options cost one dollar to open and nothing to close."})
			require.NoError(t, err)
			assert.Equal(t, []knowledge.Change{
				{ID: "notes/journal", Title: "Trading journal", Status: knowledge.Added, Chunks: 1, Embedded: 1},
				{ID: "broker/example.com/fees-" + changes[1].ID[len(changes[1].ID)-8:], Title: "Fees", Status: knowledge.Added, Chunks: 1, Embedded: 1},
			}, changes)

			found := search(t, b, knowledge.Query{Text: "when do I close a spread?"})
			require.NotEmpty(t, found)
			p := found[0]
			assert.Equal(t, "notes/journal", p.Document)
			assert.Equal(t, "journal.md", p.Source)
			assert.Equal(t, []string{"own-rules"}, p.Tags)
			assert.Contains(t, p.Text, "half of the credit")
			assert.Positive(t, p.Score)
			assert.Equal(t, 1, p.WordRank)

			d, err := b.Document(t.Context(), "notes/journal")
			require.NoError(t, err)
			assert.Equal(t, strings.TrimSpace(journalText), d.Text)
			list, err := b.List(t.Context(), "broker")
			require.NoError(t, err)
			require.Len(t, list, 1)
			assert.Equal(t, "Fees", list[0].Title)
			assert.Empty(t, list[0].Text)

			_, err = b.Remove(t.Context(), "notes/journal", "notes/none")
			assert.ErrorIs(t, err, knowledge.ErrNotFound)
			_, err = b.Document(t.Context(), "notes/journal")
			assert.ErrorIs(t, err, knowledge.ErrNotFound)
			assert.NotContains(t, ids(search(t, b, knowledge.Query{Text: "when do I close a spread?"})), "notes/journal")
			removed, err := b.RemoveCollection(t.Context(), "broker")
			require.NoError(t, err)
			assert.Len(t, removed, 1)
			assertNothingKept(t, s, "ann")
			_, err = b.RemoveCollection(t.Context(), "broker")
			assert.ErrorIs(t, err, knowledge.ErrNotFound)
		})
	}
}

// assertNothingKept looks below the base: no record, no chunk.
func assertNothingKept(t *testing.T, s storage.Store, tenant storage.TenantID) {
	t.Helper()
	h, err := s.For(tenant)
	require.NoError(t, err)
	records, err := h.Records()
	require.NoError(t, err)
	for _, c := range []string{"knowledge.documents", "knowledge.texts"} {
		page, err := records.List(t.Context(), c, storage.RecordQuery{})
		require.NoError(t, err)
		assert.Empty(t, page.Records, c)
	}
	assert.Empty(t, chunksOf(t, s, tenant, indexName(t, records)))
}

// indexName is the name of the collection with the chunks, by what the docs of
// indexes say: that of model and dimensions.
func indexName(t *testing.T, records storage.Records) string {
	t.Helper()
	return knowledge.CollectionOf(t.Context(), records)
}

func chunksOf(t *testing.T, s storage.Store, tenant storage.TenantID, collection string) []string {
	t.Helper()
	h, err := s.For(tenant)
	require.NoError(t, err)
	v, err := h.Vectors(collection, 256)
	require.NoError(t, err)
	var out []string
	for d, err := range v.Documents(t.Context(), nil) {
		require.NoError(t, err)
		out = append(out, d.ID)
	}
	return out
}

func TestATenantSeesItsOwnAndTheSharedAndNoOthers(t *testing.T) {
	for engine, s := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			shared, err := knowledge.OpenShared(s, nil)
			require.NoError(t, err)
			_, err = shared.Add(t.Context(), knowledge.Document{ID: "house/rules", Collection: "house", Text: "House rules: condors are closed on Thursday."})
			require.NoError(t, err)
			ann, bob := open(t, s, "ann", nil), open(t, s, "bob", nil)
			_, err = ann.Add(t.Context(), knowledge.Document{ID: "notes/ann", Text: "Ann closes condors on Monday."})
			require.NoError(t, err)
			_, err = bob.Add(t.Context(), knowledge.Document{ID: "notes/bob", Text: "Bob closes condors never."})
			require.NoError(t, err)
			for _, mode := range []knowledge.Mode{knowledge.Hybrid, knowledge.Words, knowledge.Vectors} {
				q := knowledge.Query{Text: "when are condors closed", Mode: mode}
				assert.ElementsMatch(t, []string{"notes/ann", "house/rules"}, ids(search(t, ann, q)))
				assert.ElementsMatch(t, []string{"notes/bob", "house/rules"}, ids(search(t, bob, q)))
				assert.Equal(t, []string{"house/rules"}, ids(search(t, shared, q)))
			}
			_, err = bob.Document(t.Context(), "notes/ann")
			assert.ErrorIs(t, err, knowledge.ErrNotFound)
			_, err = bob.Remove(t.Context(), "notes/ann")
			assert.ErrorIs(t, err, knowledge.ErrNotFound)
			_, err = bob.Remove(t.Context(), "house/rules")
			assert.ErrorIs(t, err, knowledge.ErrNotFound, "tenants can't write what is shared")
			list, err := bob.List(t.Context(), "")
			require.NoError(t, err)
			require.Len(t, list, 2)
			assert.Equal(t, []bool{false, true}, []bool{list[0].Shared, list[1].Shared})
			_, err = knowledge.Open(s, knowledge.Shared, nil)
			assert.Error(t, err, "no customer is called so")

			// One's own document hides nothing and is hidden by nothing of the same id.
			_, err = ann.Add(t.Context(), knowledge.Document{ID: "house/rules", Text: "Mine: condors stay."})
			require.NoError(t, err)
			d, err := ann.Document(t.Context(), "house/rules")
			require.NoError(t, err)
			assert.Equal(t, "Mine: condors stay.", d.Text)
			d, err = bob.Document(t.Context(), "house/rules")
			require.NoError(t, err)
			assert.Contains(t, d.Text, "Thursday")
		})
	}
}

// sections makes a document of many sections, each of its own chunk.
func sections(changed int) knowledge.Document {
	var b strings.Builder
	b.WriteString("# Long\n\n")
	for i := range 12 {
		fmt.Fprintf(&b, "## Part %d\n\n%s\n\n", i, strings.Repeat(fmt.Sprintf("Sentence about subject%d and strikes. ", i), 20))
		if i == changed {
			b.WriteString("A new sentence.\n\n")
		}
	}
	return knowledge.Document{ID: "notes/long", Text: b.String()}
}

func TestOnlyWhatChangedIsEmbedded(t *testing.T) {
	for engine, s := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			e := newCounting(t, "", 0)
			b := open(t, s, "ann", e)
			add := func(d knowledge.Document) knowledge.Change {
				t.Helper()
				changes, err := b.Add(t.Context(), d)
				require.NoError(t, err)
				return changes[0]
			}
			assert.Equal(t, 12, add(sections(-1)).Chunks)
			assert.Equal(t, 12, e.taken())
			assert.Equal(t, knowledge.Unchanged, add(sections(-1)).Status)
			assert.Equal(t, 0, e.taken(), "nothing changed")
			change := add(sections(5))
			assert.Equal(t, knowledge.Updated, change.Status)
			assert.Equal(t, 1, change.Embedded)
			assert.Equal(t, 1, e.taken(), "one section changed")
			tagged := sections(5)
			tagged.Tags = []string{"new"}
			add(tagged)
			assert.Equal(t, 0, e.taken(), "a tag is no text")
			assert.Len(t, search(t, b, knowledge.Query{Text: "strikes", Mode: knowledge.Words, Tags: []string{"new"}, Limit: 20}), 12)
			renamed := sections(5)
			renamed.Title = "Another name"
			assert.Equal(t, 12, add(renamed).Embedded, "the title is part of what is found")
			e.taken()

			done, err := b.Reindex(t.Context(), nil)
			require.NoError(t, err)
			assert.Equal(t, knowledge.Reindexing{Model: e.Model(), Documents: 1, Chunks: 12}, done)
			assert.Equal(t, 0, e.taken())
			seen := 0
			done, err = b.Reindex(t.Context(), &knowledge.ReindexOptions{Force: true, Progress: func(n, all int) { seen = 10*n + all }})
			require.NoError(t, err)
			assert.Equal(t, 12, done.Embedded)
			assert.Equal(t, 11, seen)
		})
	}
}

func TestAnotherEmbedderIsRefusedUntilTheIndexIsMadeAnew(t *testing.T) {
	for engine, s := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			old := open(t, s, "ann", newCounting(t, "old", 256))
			_, err := old.Add(t.Context(), sections(-1), knowledge.Document{ID: "notes/short", Text: "Short notes on gamma."})
			require.NoError(t, err)
			e := newCounting(t, "new", 64)
			b := open(t, s, "ann", e)
			_, err = b.Search(t.Context(), knowledge.Query{Text: "gamma"})
			var wrong *knowledge.ModelError
			require.ErrorAs(t, err, &wrong)
			require.ErrorIs(t, err, knowledge.ErrModel)
			assert.Equal(t, knowledge.ModelError{Stored: "oldhashing/1-256", Given: "newhashing/1-64"}, *wrong)
			assert.ErrorContains(t, err, "reindex")
			_, err = b.Add(t.Context(), knowledge.Document{Text: "More."})
			require.ErrorIs(t, err, knowledge.ErrModel)
			assert.Equal(t, []string{"notes/short"}, ids(search(t, b, knowledge.Query{Text: "gamma", Mode: knowledge.Words})), "words need no model")

			e.fail = errors.New("the server is down")
			_, err = b.Reindex(t.Context(), nil)
			require.ErrorContains(t, err, "the server is down")
			assert.Contains(t, ids(search(t, old, knowledge.Query{Text: "gamma"})), "notes/short", "the old index stands until the new one is whole")

			e.fail = nil
			done, err := b.Reindex(t.Context(), nil)
			require.NoError(t, err)
			assert.Equal(t, 13, done.Embedded)
			assert.Contains(t, ids(search(t, b, knowledge.Query{Text: "gamma"})), "notes/short")
			_, err = old.Search(t.Context(), knowledge.Query{Text: "gamma"})
			assert.ErrorIs(t, err, knowledge.ErrModel)
			h, err := s.For("ann")
			require.NoError(t, err)
			v, err := h.Vectors(knowledge.CollectionNamed("oldhashing/1-256", 256), 256)
			require.NoError(t, err)
			for d := range v.Documents(t.Context(), nil) {
				t.Errorf("%s is left of the old index", d.ID)
			}
		})
	}
}

func TestSharedDocumentsOfAnotherEmbedderAreFoundByTheirWords(t *testing.T) {
	s := engines(t)["sqlite"]
	shared, err := knowledge.OpenShared(s, &knowledge.Options{Embedder: newCounting(t, "old", 32)})
	require.NoError(t, err)
	_, err = shared.Add(t.Context(), knowledge.Document{ID: "house/rules", Text: "House rules on condors."})
	require.NoError(t, err)
	b := open(t, s, "ann", newCounting(t, "new", 64))
	_, err = b.Add(t.Context(), knowledge.Document{ID: "notes/own", Text: "Own rules on condors."})
	require.NoError(t, err)
	found, err := b.Search(t.Context(), knowledge.Query{Text: "rules on condors"})
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"house/rules", "notes/own"}, ids(found.Passages))
	require.Len(t, found.Notes, 1)
	assert.Contains(t, found.Notes[0], "the shared knowledge base was indexed with the embedder oldhashing/1-32")
	_, err = b.Search(t.Context(), knowledge.Query{Text: "rules on condors", Mode: knowledge.Vectors})
	assert.ErrorIs(t, err, knowledge.ErrModel)
}

func TestAChangedChunkingIsAppliedByAReindex(t *testing.T) {
	s := engines(t)["sqlite"]
	b := open(t, s, "ann", nil)
	_, err := b.Add(t.Context(), sections(-1))
	require.NoError(t, err)
	small, err := knowledge.Open(s, "ann", &knowledge.Options{Chunking: knowledge.Chunking{Target: 300, Overlap: -1}})
	require.NoError(t, err)
	done, err := small.Reindex(t.Context(), nil)
	require.NoError(t, err)
	assert.Greater(t, done.Chunks, 24)
	assert.Equal(t, 12, done.Swept, "the old chunks are gone")
	for _, p := range search(t, small, knowledge.Query{Text: "subject7", Limit: 10}) {
		assert.LessOrEqual(t, len(p.Text), 300)
	}
}

func TestAnEmbedderThatFailsLeavesTheWords(t *testing.T) {
	s := inMemory(t)
	e := newCounting(t, "", 0)
	b := open(t, s, "ann", e)
	_, err := b.Add(t.Context(), knowledge.Document{ID: "notes/a", Text: "Gamma is greatest at the money."})
	require.NoError(t, err)
	e.fail = errors.New("no connection")
	found, err := b.Search(t.Context(), knowledge.Query{Text: "gamma"})
	require.NoError(t, err)
	assert.Equal(t, []string{"notes/a"}, ids(found.Passages))
	require.Len(t, found.Notes, 1)
	assert.Contains(t, found.Notes[0], "no connection")
	_, err = b.Search(t.Context(), knowledge.Query{Text: "gamma", Mode: knowledge.Vectors})
	assert.ErrorContains(t, err, "no connection")
	_, err = b.Add(t.Context(), knowledge.Document{ID: "notes/b", Text: "Vega."})
	require.ErrorContains(t, err, "no connection")
	_, err = b.Document(t.Context(), "notes/b")
	assert.ErrorIs(t, err, knowledge.ErrNotFound, "a document that failed is not there in part")
}

func TestFilters(t *testing.T) {
	for engine, s := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			b := open(t, s, "ann", nil)
			day := func(d int) knowledge.Date { return knowledge.Date{Year: 2026, Month: 5, Day: d} }
			_, err := b.Add(t.Context(),
				knowledge.Document{ID: "n/1", Collection: "news", Tags: []string{"fed", "rates"}, Date: day(1), Source: "https://a.example/1", Text: "Rates unchanged, says the bank."},
				knowledge.Document{ID: "n/2", Collection: "news", Tags: []string{"fed"}, Date: day(10), Source: "https://a.example/2", Text: "Rates raised, says the bank."},
				knowledge.Document{ID: "n/3", Collection: "letters", Tags: []string{"rates"}, Source: "https://b.example/3", Text: "Rates and what they mean."})
			require.NoError(t, err)
			for name, c := range map[string]struct {
				q    knowledge.Query
				want []string
			}{
				"none":             {knowledge.Query{}, []string{"n/1", "n/2", "n/3"}},
				"collection":       {knowledge.Query{Collections: []string{"news"}}, []string{"n/1", "n/2"}},
				"two":              {knowledge.Query{Collections: []string{"news", "letters"}}, []string{"n/1", "n/2", "n/3"}},
				"tag":              {knowledge.Query{Tags: []string{"Rates"}}, []string{"n/1", "n/3"}},
				"all tags":         {knowledge.Query{Tags: []string{"rates", "fed"}}, []string{"n/1"}},
				"from":             {knowledge.Query{From: day(2)}, []string{"n/2"}},
				"to is included":   {knowledge.Query{To: day(10)}, []string{"n/1", "n/2"}},
				"from is included": {knowledge.Query{From: day(1), To: day(9)}, []string{"n/1"}},
				"source":           {knowledge.Query{Source: "https://b.example/3"}, []string{"n/3"}},
				"source begins":    {knowledge.Query{Source: "https://a.*"}, []string{"n/1", "n/2"}},
				"together":         {knowledge.Query{Source: "https://a.*", Tags: []string{"fed"}, From: day(5)}, []string{"n/2"}},
				"nothing":          {knowledge.Query{Source: "elsewhere"}, []string{}},
				"no such tag":      {knowledge.Query{Tags: []string{"gold"}}, []string{}},
			} {
				for _, mode := range []knowledge.Mode{knowledge.Hybrid, knowledge.Words, knowledge.Vectors} {
					c.q.Text, c.q.Mode = "rates", mode
					assert.ElementsMatch(t, c.want, ids(search(t, b, c.q)), "%s, %s", name, mode)
				}
			}
		})
	}
}

func TestBadArgumentsAreRefused(t *testing.T) {
	b := open(t, inMemory(t), "ann", nil)
	day := knowledge.Date{Year: 2026, Month: 5, Day: 2}
	for name, q := range map[string]knowledge.Query{
		"query": {Text: " \u200b"}, "limit": {Text: "x", Limit: 51}, "mode": {Text: "x", Mode: "magic"}, "collections": {Text: "x", Collections: []string{"A B"}},
		"to": {Text: "x", From: day, To: day.AddDays(-1)}, "source": {Text: "x", Source: strings.Repeat("x", 501)},
	} {
		_, err := b.Search(t.Context(), q)
		var field *knowledge.FieldError
		require.ErrorAs(t, err, &field, name)
		assert.Equal(t, name, field.Field)
	}
	for name, d := range map[string]knowledge.Document{
		"text": {Title: "x"}, "collection": {Text: "x", Collection: "A/B"}, "id": {Text: "x", ID: "../../etc"}, "format": {Text: "x", Format: "docx"},
		"source": {Text: "x", Source: strings.Repeat("s", 501)}, "tags": {Text: "x", Tags: []string{strings.Repeat("t", 49)}},
		"aliases": {Text: "x", Aliases: []string{strings.Repeat("a", 301)}}, "attributes": {Text: "x", Attributes: map[string]string{"": "v"}},
	} {
		_, err := b.Add(t.Context(), d)
		var field *knowledge.FieldError
		require.ErrorAs(t, err, &field, name)
		assert.Equal(t, name, field.Field)
	}
	_, err := b.Document(t.Context(), "a b")
	assert.Error(t, err)
	_, err = knowledge.Open(nil, "x", nil)
	assert.Error(t, err)
	_, err = knowledge.NewHashing(3)
	assert.Error(t, err)
	_, err = b.Add(t.Context(), knowledge.Document{Text: strings.Repeat("x", knowledge.MaxText+1)})
	assert.Error(t, err)
}

func TestAnExportComesBackAsItWas(t *testing.T) {
	stores := engines(t)
	from, to := open(t, stores["sqlite"], "ann", nil), open(t, stores["memory"], "bob", nil)
	given := []knowledge.Document{
		{ID: "notes/a", Title: "A: with \"quotes\"", Source: "a b.md", Tags: []string{"x", "y"}, Aliases: []string{"what is a?", "- a"}, Date: knowledge.Date{Year: 2025, Month: 12, Day: 31}, Attributes: map[string]string{"author": "me: #1", "lang": "en"}, Text: journalText},
		{ID: "pages/b.html", Collection: "pages", Format: knowledge.HTML, Text: "Text of a page.\n\n---\n\nAfter a rule."},
		{ID: "t/c", Collection: "t", Format: knowledge.Text, Text: "# no heading\nline"},
	}
	_, err := from.Add(t.Context(), given...)
	require.NoError(t, err)
	var file bytes.Buffer
	n, err := from.Export(t.Context(), &file, "")
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	var back []knowledge.Document
	for d, err := range knowledge.ReadExport(bytes.NewReader(file.Bytes())) {
		require.NoError(t, err)
		back = append(back, d)
	}
	_, err = to.Add(t.Context(), back...)
	require.NoError(t, err)
	var again bytes.Buffer
	_, err = to.Export(t.Context(), &again, "")
	require.NoError(t, err)
	assert.Equal(t, file.String(), again.String())

	// And as Markdown files.
	for d, err := range from.Documents(t.Context(), "") {
		require.NoError(t, err)
		parsed, err := knowledge.Parse(t.Context(), "file.md", d.WriteMarkdown())
		require.NoError(t, err)
		if d.Source == "" {
			parsed.Source = ""
		}
		assert.Equal(t, d, parsed)
	}
	for _, err := range knowledge.ReadExport(strings.NewReader("{\"id\":1}\n")) {
		assert.Error(t, err)
	}
}

func TestTheStarterLibraryIsPutInOnceAndKeptUpToDate(t *testing.T) {
	s := engines(t)["sqlite"]
	e := newCounting(t, "", 0)
	b := open(t, s, "ann", e)
	changes, err := b.AddStarter(t.Context())
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(changes), 40)
	assert.Positive(t, e.taken())
	changes, err = open(t, s, "bob", e).AddStarter(t.Context())
	require.NoError(t, err)
	assert.Empty(t, changes, "it is there for everybody")
	assert.Zero(t, e.taken())
	assert.Equal(t, "starter/rsi", search(t, b, knowledge.Query{Text: "relative strength index", Collections: []string{knowledge.StarterCollection}})[0].Document)
	alone, err := knowledge.Open(s, "ann", &knowledge.Options{WithoutShared: true, Embedder: e, Starter: true})
	require.NoError(t, err)
	assert.Empty(t, search(t, alone, knowledge.Query{Text: "relative strength index"}))
	_, err = alone.AddStarter(t.Context())
	assert.Error(t, err)
}

func TestHashingNamesWhatItsVectorsDependOn(t *testing.T) {
	h, err := knowledge.NewHashing(0)
	require.NoError(t, err)
	v, err := h.Embed(t.Context(), []string{"Selling puts earns implied volatility, not realised volatility.\n" + knowledge.Thesaurus, "...", "the and of"})
	require.NoError(t, err)
	assert.Nil(t, v[1])
	assert.Nil(t, v[2], "nothing but silent words")
	sum, length := 0.0, 0.0
	for i, x := range v[0] {
		sum += float64(x) * float64(i%17)
		length += float64(x) * float64(x)
	}
	assert.InDelta(t, 1, length, 1e-6)
	// Whoever changes words, features, weights or thesaurus changes what stored
	// vectors mean: the name has to change with this number.
	assert.Equal(t, "hashing/1-256", h.Model())
	assert.InDelta(t, goldenHashing, sum, 1e-6, "new vectors need a new name in Hashing.Model")
}

const goldenHashing = -19.54978303151438
