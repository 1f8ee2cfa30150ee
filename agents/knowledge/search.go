package knowledge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// A Mode says by what passages are found.
type Mode string

// The modes.
const (
	// Hybrid finds by words and by vectors and fuses the two rankings. It is what
	// the empty Mode means.
	Hybrid Mode = "hybrid"
	// Words finds by words alone, ranked by BM25.
	Words Mode = "words"
	// Vectors finds by vectors alone.
	Vectors Mode = "vectors"
)

// A Query says what to search, and where.
type Query struct {
	Text  string // at most 4,000 bytes; required
	Limit int    // passages, 1 to 50; 0: 5
	Mode  Mode   // empty: Hybrid
	// Collections are those to search; empty: all.
	Collections []string
	// Tags are what a document must have, all of them.
	Tags []string
	// Source is where a document must be from; with * at the end, where its source
	// must begin. Empty: anywhere.
	Source string
	// From and To bound the date of documents, both days included; zero: no bound.
	// With a bound, documents without a date are not found.
	From, To Date
}

// A Passage is a part of a document that a search found.
type Passage struct {
	Document   string   `json:"document"` // its id
	Chunk      string   `json:"chunk"`
	Collection string   `json:"collection"`
	Shared     bool     `json:"shared,omitempty"`
	Title      string   `json:"title"`
	Source     string   `json:"source,omitempty"`
	Path       []string `json:"path,omitempty"` // headings above it
	Tags       []string `json:"tags,omitempty"`
	Date       Date     `json:"date,omitzero"`
	Text       string   `json:"text"` // Markdown, as the document has it: see Data
	// Score is the sum over the two rankings of weight/(60 + rank), greater is
	// better. The weight is 1, and 0.6 for vectors of [Hashing] beside words. It
	// says how the passages compare, not how good they are.
	Score float64 `json:"score"`
	// WordRank and VectorRank are the ranks by words and by vectors, from 1; 0:
	// not found that way.
	WordRank   int `json:"word_rank,omitempty"`
	VectorRank int `json:"vector_rank,omitempty"`
	// Similarity is the cosine between the vectors of question and passage, 0 when
	// it was not found that way.
	Similarity float64 `json:"similarity,omitempty"`
}

// Data is the passage's text for a model: see agents.Data.
func (p Passage) Data() string { return agents.Data(p.Text) }

// Results are what a search found, best first.
type Results struct {
	Passages []Passage `json:"passages"`
	// Notes say what the search did without: an embedder that failed, for one.
	Notes []string `json:"notes,omitempty"`
}

const (
	maxQuery = 4000
	deep     = 80 // how far each ranking of each space is looked at
	perText  = 2  // passages of one document, as long as others are found
)

func (q Query) validated() (Query, error) {
	q.Text = strings.TrimSpace(agents.Clean(q.Text))
	switch {
	case q.Text == "":
		return q, invalid.Missing("query", "what to search for, in words")
	case len(q.Text) > maxQuery:
		return q, invalid.Fieldf("query", len(q.Text), "at most %d bytes", maxQuery)
	case q.Limit < 0 || q.Limit > 50:
		return q, invalid.Field("limit", q.Limit, "1 to 50, or 0 for 5")
	case !q.From.IsZero() && !q.To.IsZero() && q.To.Before(q.From):
		return q, invalid.Fieldf("to", q.To.String(), "a date from %s on", q.From)
	case len(q.Source) > MaxSource:
		return q, invalid.Fieldf("source", q.Source, "at most %d bytes", MaxSource)
	}
	switch q.Mode {
	case "":
		q.Mode = Hybrid
	case Hybrid, Words, Vectors:
	default:
		return q, invalid.Field("mode", string(q.Mode), "hybrid, words or vectors")
	}
	if q.Limit == 0 {
		q.Limit = 5
	}
	for _, c := range q.Collections {
		if err := storage.CheckName("collections", c); err != nil {
			return q, err
		}
	}
	var err error
	q.Tags, err = normalTags(q.Tags)
	return q, err
}

// Search finds the passages that answer a question best, in the tenant's own and
// the shared documents. An embedder that fails is noted, and what the words find is
// returned; so are shared documents that another embedder indexed. When the tenant's
// own are indexed so it is a [ModelError], unless the words alone are asked for.
func (b *Base) Search(ctx context.Context, q Query) (Results, error) {
	results := Results{Passages: []Passage{}}
	q, err := q.validated()
	if err != nil {
		return results, err
	}
	if err := b.ready(ctx); err != nil {
		return results, err
	}
	// A writer may replace what was found before it is read: then once more.
	for range 3 {
		passages, notes, again, err := b.search(ctx, q)
		if err != nil {
			return results, err
		}
		results.Passages, results.Notes = passages, notes
		if !again {
			break
		}
	}
	return results, nil
}

// A hit is a chunk that was found.
type hit struct {
	storage.Match
	space      *space
	similarity float64
}

// key tells apart chunks of equal id in two spaces.
func (h *hit) key() string {
	if h.space.shared {
		return "s" + h.ID
	}
	return "o" + h.ID
}

func (b *Base) search(ctx context.Context, q Query) (out []Passage, notes []string, again bool, err error) {
	var vector []float32
	asked := false
	var byWords, byVector []hit
	for _, s := range b.spaces() {
		i, err := s.index(ctx)
		if err != nil {
			return nil, nil, false, err
		}
		if !i.exists() {
			continue
		}
		comparable := q.Mode != Words
		if comparable && !i.madeBy(b.embedder) {
			wrong := &ModelError{Stored: i.Model, Given: b.embedder.Model(), Shared: s.shared}
			if s == b.own || q.Mode == Vectors {
				return nil, nil, false, wrong
			}
			// A tenant cannot help it.
			notes, comparable = append(notes, "found by words alone: "+wrong.Error()), false
		}
		where, none, err := s.where(ctx, q)
		if err != nil {
			return nil, nil, false, err
		}
		if none {
			continue
		}
		vectors, err := s.vectors(i)
		if err != nil {
			return nil, nil, false, err
		}
		opts := &storage.SearchOptions{Limit: deep, Where: where}
		if q.Mode != Vectors {
			found, err := vectors.Matching(ctx, expanded(q.Text), opts)
			if err != nil {
				return nil, nil, false, err
			}
			for _, m := range found {
				byWords = append(byWords, hit{Match: m, space: s})
			}
		}
		if !comparable {
			continue
		}
		if !asked {
			asked = true
			made, err := vectorsOf(ctx, b.embedder, []string{q.Text})
			switch {
			case ctx.Err() != nil:
				return nil, nil, false, ctx.Err()
			case err != nil && q.Mode == Vectors:
				return nil, nil, false, err
			case err != nil:
				notes = append(notes, "found by words alone: "+err.Error())
			default:
				vector = made[0]
			}
		}
		if vector != nil {
			found, err := vectors.Nearest(ctx, vector, opts)
			if err != nil {
				return nil, nil, false, err
			}
			for _, m := range found {
				if m.Score > 0 {
					byVector = append(byVector, hit{Match: m, space: s, similarity: m.Score})
				}
			}
		}
	}
	b.rank(q.Text, byWords)
	slices.SortStableFunc(byVector, better)
	weight := 1.0
	if b.free() && q.Mode == Hybrid {
		weight = hashingWeight
	}
	out, again, err = collect(ctx, q, fuse(byWords, byVector, weight))
	return out, notes, again, err
}

func better(a, b hit) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
}

// expanded is the text with the other words for its subjects, for the engine to
// find candidates by.
func expanded(text string) string {
	said := silent()
	var out []string
	for _, w := range wordsOf(text) {
		if !said[w] {
			out = append(out, w)
		}
	}
	if len(out) == 0 { // nothing but silent words: better those than none
		out = wordsOf(text)
	}
	out = out[:min(len(out), 60)]
	known := subjects()
	for _, s := range analyse(text).subjects {
		out = append(out, known.words[s]...)
	}
	return strings.Join(out[:min(len(out), 120)], " ")
}

// BM25's parameters, and how much words count that stand in the header, and
// subjects beside words.
const (
	bm25K1       = 1.2
	bm25B        = 0.75
	headerWeight = 2.0
	subjectShare = 0.5
	liftShare    = 0.3 // of the best other chunk of a document
)

// rank orders what the words found, by BM25 with the counts of the header's words
// weighted: the engines' scores cannot be compared between two of them, or between
// two tenants. Rarity is that among the candidates.
//
//	score = Σ ln(1 + (N − n + ½)/(n + ½)) · f(k₁+1) / (f + k₁(1 − b + b·length/mean))
//
// Source: Robertson, Zaragoza, "The Probabilistic Relevance Framework: BM25 and
// Beyond", 2009, sections 3.4 and 3.6.
func (b *Base) rank(text string, found []hit) {
	if len(found) == 0 {
		return
	}
	asked := map[string]float64{}
	question := analyse(text)
	for _, s := range question.stems {
		asked[s] = 1
	}
	for _, s := range question.subjects {
		asked["~"+s] = subjectShare
	}
	counted := make([]*counts, len(found))
	total := 0.0
	in := map[string]float64{}
	for i := range found {
		counted[i] = b.tokens.get(found[i])
		total += counted[i].length
		for term := range asked {
			if counted[i].terms[term] > 0 {
				in[term]++
			}
		}
	}
	n, mean := float64(len(found)), max(1, total/float64(len(found)))
	terms := make([]string, 0, len(asked)) // in order: sums are the same each time
	for term := range asked {
		terms = append(terms, term)
	}
	slices.Sort(terms)
	for i, c := range counted {
		score := 0.0
		for _, term := range terms {
			f := float64(c.terms[term])
			if f == 0 {
				continue
			}
			rarity := math.Log(1 + (n-in[term]+0.5)/(in[term]+0.5))
			score += asked[term] * rarity * f * (bm25K1 + 1) / (f + bm25K1*(1-bm25B+bm25B*c.length/mean))
		}
		found[i].Score = score
	}
	lift(found)
	slices.SortStableFunc(found, better)
}

// lift adds to each chunk's score a part of what the best other chunk of its
// document has: a document that speaks of the subject throughout is the likelier
// answer.
func lift(found []hit) {
	type place struct {
		shared   bool
		document string
	}
	of := func(h hit) place { return place{h.space.shared, h.Metadata[metaDocument]} }
	best := map[place][2]float64{}
	for _, h := range found {
		b := best[of(h)]
		switch {
		case h.Score > b[0]:
			b = [2]float64{h.Score, b[0]}
		case h.Score > b[1]:
			b[1] = h.Score
		}
		best[of(h)] = b
	}
	for i, h := range found {
		b := best[of(h)]
		other := b[0]
		if h.Score == b[0] {
			other = b[1]
		}
		found[i].Score += liftShare * other
	}
}

// counts are a chunk's words as the ranking sees them.
type counts struct {
	terms  map[string]float32
	length float64
}

func count(m storage.Match) *counts {
	head := headOf(m)
	c := &counts{terms: map[string]float32{}}
	for i, part := range []string{m.Text[:head], m.Text[head:]} {
		weight := float32(1)
		if i == 0 {
			weight = headerWeight
		}
		a := analyse(part)
		for _, s := range a.stems {
			c.terms[s] += weight
		}
		for _, s := range a.subjects {
			c.terms["~"+s] += weight
		}
		c.length += float64(len(a.stems))
	}
	return c
}

// headOf is where the header of a chunk ends.
func headOf(m storage.Match) int {
	n, err := strconv.Atoi(m.Metadata[metaHead])
	if err != nil || n < 0 || n > len(m.Text) {
		return 0
	}
	return n
}

// A tokenCache keeps the counts of chunks that were found lately.
type tokenCache struct {
	mu   sync.Mutex
	kept map[string]*counts
}

// maxCounted bounds the cache: about 10 MB.
const maxCounted = 2000

func (t *tokenCache) get(h hit) *counts {
	// The id has a hash of the text, but not of title and aliases.
	key := h.key() + "\x00" + h.Text[:headOf(h.Match)]
	t.mu.Lock()
	c := t.kept[key]
	t.mu.Unlock()
	if c != nil {
		return c
	}
	c = count(h.Match)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil || len(t.kept) >= maxCounted {
		t.kept = map[string]*counts{}
	}
	t.kept[key] = c
	return c
}

// A fused hit is a passage that lacks what its document's record says.
type fused struct {
	hit     hit
	passage Passage
}

// hashingWeight is what a rank by vectors counts for beside one by words when the
// vectors see letters and no meaning.
const hashingWeight = 0.6

// fuse fuses the two rankings by reciprocal rank, as storage.Hybrid does, ranks by
// vectors counting weight times.
func fuse(byWords, byVector []hit, weight float64) []fused {
	const k = 60
	at := map[string]int{}
	var all []fused
	find := func(h hit) *fused {
		i, ok := at[h.key()]
		if !ok {
			i = len(all)
			at[h.key()] = i
			all = append(all, fused{hit: h})
		}
		return &all[i]
	}
	for rank, h := range byWords {
		p := &find(h).passage
		p.Score += 1 / float64(k+rank+1)
		p.WordRank = rank + 1
	}
	for rank, h := range byVector {
		p := &find(h).passage
		p.Score += weight / float64(k+rank+1)
		p.VectorRank, p.Similarity = rank+1, h.similarity
	}
	slices.SortStableFunc(all, func(a, b fused) int {
		return cmp.Or(cmp.Compare(b.passage.Score, a.passage.Score), cmp.Compare(a.hit.ID, b.hit.ID))
	})
	return all
}

// collect completes the best passages with what the records of their documents
// say. A chunk that its record does not name, because a writer is at work or died,
// is left out; again tells that the limit was missed for that reason.
func collect(ctx context.Context, q Query, all []fused) (out []Passage, again bool, err error) {
	type place struct {
		space *space
		id    string
	}
	records := map[place]*kept{}
	out = []Passage{}
	var later []Passage
	stale := false
	times := map[place]int{}
	for _, f := range all {
		if len(out) == q.Limit {
			return out, false, nil
		}
		at := place{f.hit.space, f.hit.Metadata[metaDocument]}
		record, seen := records[at]
		if !seen {
			stored, err := at.space.entries.Get(ctx, at.id)
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return nil, false, fmt.Errorf("knowledge: %w", err)
			}
			if err == nil {
				record = &stored.Value
			}
			records[at] = record
		}
		if record == nil || !slices.Contains(record.Chunks, f.hit.ID) {
			stale = true
			continue
		}
		p := f.passage.of(f.hit, record)
		if times[at]++; times[at] > perText {
			later = append(later, p)
			continue
		}
		out = append(out, p)
	}
	out = append(out, later[:min(len(later), q.Limit-len(out))]...)
	return out, stale && len(out) < q.Limit, nil
}

// of completes a passage.
func (p Passage) of(h hit, k *kept) Passage {
	head := headOf(h.Match)
	p.Document, p.Chunk, p.Collection, p.Shared = k.ID, h.ID, k.Collection, h.space.shared
	p.Title, p.Source, p.Tags, p.Date = k.Title, k.Source, k.Tags, k.Date
	first, _, _ := strings.Cut(h.Text[:head], "\n")
	if path, ok := strings.CutPrefix(first, k.Title+" › "); ok {
		p.Path = strings.Split(path, " › ")
	}
	p.Text = strings.TrimPrefix(h.Text[head:], "\n\n")
	return p
}

// where returns what selects the chunks of documents that a query allows. None
// tells that there are none.
func (s *space) where(ctx context.Context, q Query) (where storage.Where, none bool, err error) {
	where = storage.Where{}
	if len(q.Collections) > 0 {
		where[metaCollection] = q.Collections
	}
	for _, t := range q.Tags {
		where[metaTag+t] = []string{"1"}
	}
	if q.Source == "" && q.From.IsZero() && q.To.IsZero() {
		return where, false, nil
	}
	list := storage.RecordQuery{Limit: 1000}
	if !q.From.IsZero() || !q.To.IsZero() {
		list.Order = "date"
		if !q.From.IsZero() {
			list.From = &storage.Field{Text: q.From.String()}
		}
		if !q.To.IsZero() {
			list.To = &storage.Field{Text: q.To.AddDays(1).String()}
		}
	}
	prefix, begins := strings.CutSuffix(q.Source, "*")
	var ids []string
	for k, err := range s.entries.All(ctx, list) {
		if err != nil {
			return nil, false, err
		}
		if source := k.Value.Source; q.Source == "" || source == q.Source || begins && strings.HasPrefix(source, prefix) {
			ids = append(ids, k.Value.ID)
		}
	}
	where[metaDocument] = ids
	return where, len(ids) == 0, nil
}
