package memory

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/ttai-go/ttai/storage"
)

// A collection keeps documents with an inverted index of their words.
type collection struct {
	guard
	dims      int
	documents map[string]*document
	index     map[string]map[string]int // word → id → how often
	words     int                       // in all documents
}

type document struct {
	storage.Document
	length float64 // of the vector
	words  int
}

func (d *document) copy(vector bool) storage.Document {
	out := d.Document
	out.Metadata = maps.Clone(out.Metadata)
	out.Vector = slices.Clone(out.Vector)
	if !vector {
		out.Vector = nil
	}
	return out
}

func (c *collection) Put(ctx context.Context, documents ...storage.Document) error {
	for _, d := range documents {
		if err := d.Validate(c.dims); err != nil {
			return err
		}
	}
	if err := c.enter(ctx); err != nil {
		return err
	}
	defer c.leave()
	if c.documents == nil {
		c.documents, c.index = map[string]*document{}, map[string]map[string]int{}
	}
	for _, d := range documents {
		c.remove(d.ID)
		doc := &document{Document: d}
		doc.Document = doc.copy(true)
		for _, x := range d.Vector {
			doc.length += float64(x) * float64(x)
		}
		doc.length = math.Sqrt(doc.length)
		for _, w := range wordsOf(d.Text) {
			if c.index[w] == nil {
				c.index[w] = map[string]int{}
			}
			c.index[w][d.ID]++
			doc.words++
		}
		c.words += doc.words
		c.documents[d.ID] = doc
	}
	return nil
}

// wordsOf returns the runs of letters and digits of text, in lower case.
func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

func (c *collection) remove(id string) {
	d, ok := c.documents[id]
	if !ok {
		return
	}
	for _, w := range wordsOf(d.Text) {
		delete(c.index[w], id)
		if len(c.index[w]) == 0 {
			delete(c.index, w)
		}
	}
	c.words -= d.words
	delete(c.documents, id)
}

func (c *collection) Delete(ctx context.Context, ids ...string) error {
	if err := c.enter(ctx); err != nil {
		return err
	}
	defer c.leave()
	for _, id := range ids {
		c.remove(id)
	}
	return nil
}

// Documents yields a snapshot taken when the loop begins.
func (c *collection) Documents(ctx context.Context, where *storage.Where) iter.Seq2[storage.Document, error] {
	return func(yield func(storage.Document, error) bool) {
		if err := c.enter(ctx); err != nil {
			yield(storage.Document{}, err)
			return
		}
		var found []*document // they are never changed, only replaced
		for _, d := range c.documents {
			if where == nil || where.Selects(d.Metadata) {
				found = append(found, d)
			}
		}
		c.leave()
		slices.SortFunc(found, func(a, b *document) int { return strings.Compare(a.ID, b.ID) })
		for _, d := range found {
			if err := ctx.Err(); err != nil {
				yield(storage.Document{}, err)
				return
			}
			if !yield(d.copy(true), nil) {
				return
			}
		}
	}
}

func (c *collection) Nearest(ctx context.Context, vector []float32, opts *storage.SearchOptions) ([]storage.Match, error) {
	o, err := opts.Validated()
	if err != nil {
		return nil, err
	}
	if err := storage.CheckVector("vector", vector, c.dims); err != nil {
		return nil, err
	}
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	defer c.leave()
	length := 0.0
	for _, x := range vector {
		length += float64(x) * float64(x)
	}
	length = math.Sqrt(length)
	var found []scored
	for _, d := range c.documents {
		if d.Vector == nil || !o.Where.Selects(d.Metadata) {
			continue
		}
		dot := 0.0
		for i, x := range d.Vector {
			dot += float64(x) * float64(vector[i])
		}
		found = append(found, scored{d, dot / (length * d.length)})
	}
	return best(found, o.Limit), nil
}

type scored struct {
	d     *document
	score float64
}

func best(found []scored, limit int) []storage.Match {
	slices.SortFunc(found, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.d.ID, b.d.ID))
	})
	var out []storage.Match
	for _, s := range found[:min(limit, len(found))] {
		out = append(out, storage.Match{Document: s.d.copy(false), Score: s.score})
	}
	return out
}

// Matching ranks by BM25 with k₁ = 1.2 and b = 0.75:
//
//	score = Σ ln(1 + (N − n + ½)/(n + ½)) · f(k₁+1) / (f + k₁(1 − b + b·words/mean))
//
// for each word, in n of N documents and f times in this one.
// Source: Robertson, Zaragoza, "The Probabilistic Relevance Framework: BM25 and
// Beyond", 2009.
func (c *collection) Matching(ctx context.Context, text string, opts *storage.SearchOptions) ([]storage.Match, error) {
	o, err := opts.Validated()
	if err != nil {
		return nil, err
	}
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	defer c.leave()
	const k1, b = 1.2, 0.75
	asked := wordsOf(text)
	slices.Sort(asked)
	mean := float64(c.words) / float64(max(1, len(c.documents)))
	scores := map[string]float64{}
	for _, w := range slices.Compact(asked) {
		in := c.index[w]
		n := float64(len(in))
		rarity := math.Log(1 + (float64(len(c.documents))-n+0.5)/(n+0.5))
		for id, times := range in {
			f := float64(times)
			scores[id] += rarity * f * (k1 + 1) / (f + k1*(1-b+b*float64(c.documents[id].words)/mean))
		}
	}
	var found []scored
	for id, score := range scores {
		if d := c.documents[id]; o.Where.Selects(d.Metadata) {
			found = append(found, scored{d, score})
		}
	}
	return best(found, o.Limit), nil
}
