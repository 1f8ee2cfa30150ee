package storage

import (
	"context"
	"iter"
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Vectors is a collection of documents found by meaning and by words.
// Implementations are safe for concurrent use and pass storagetest.TestVectors.
//
// A search after a completed write sees it. Results come best first, those of
// equal score by id. [Hybrid] searches both ways and fuses the answers.
type Vectors interface {
	// Put stores documents, each replacing the one of the same id, all or none.
	Put(ctx context.Context, documents ...Document) error
	// Delete removes documents. An id that is not there is no error.
	Delete(ctx context.Context, ids ...string) error
	// Documents yields the documents that where selects, by id, with their
	// vectors. Where may be nil: all of them. The loop may use the store.
	Documents(ctx context.Context, where *Where) iter.Seq2[Document, error]
	// Nearest returns the documents whose vectors point most nearly the same way
	// as vector: Score is the cosine of the angle, -1 to 1, exact to 1e-5.
	// Documents without a vector are not found. Opts may be nil.
	Nearest(ctx context.Context, vector []float32, opts *SearchOptions) ([]Match, error)
	// Matching returns the documents that have at least one word of text, those
	// with more and rarer words first. Score is the engine's own, greater is
	// better, and comparable within one answer only. Letter case does not matter;
	// an engine may also match other forms of a word. Text has no operators:
	// quotes, stars and signs only separate words. Text without a word finds
	// nothing. Opts may be nil.
	Matching(ctx context.Context, text string, opts *SearchOptions) ([]Match, error)
}

// A Document is a piece of text with its vector.
type Document struct {
	ID   string // 1 to 256 bytes of UTF-8 text without control characters
	Text string // at most 1 MB of UTF-8; empty means that no word finds it
	// Vector has the collection's number of dimensions and is neither zero nor
	// infinite; nil means that no vector finds it.
	Vector []float32
	// Metadata is returned and selected by; at most 64 keys of [CheckName]'s form,
	// values of at most 512 bytes of UTF-8 without NUL.
	Metadata map[string]string
}

// Where selects documents by metadata: for each key the document's value must be
// one of the listed. An empty or nil Where selects all.
type Where map[string][]string

// SearchOptions are the optional parts of a search.
type SearchOptions struct {
	// Limit is the most matches that are returned, 1 to 1000; 0 means 10.
	Limit int
	// Where leaves only some documents to be searched; nil means all.
	Where Where
}

// A Match is one found document. Its Vector is nil.
type Match struct {
	Document
	Score float64
}

// Selects tells whether a document with that metadata is selected.
func (w Where) Selects(metadata map[string]string) bool {
	for key, values := range w {
		got, ok := metadata[key]
		found := false
		for _, v := range values {
			found = found || ok && v == got
		}
		if !found {
			return false
		}
	}
	return true
}

// Validated returns the options with their defaults, or a *FieldError. Adapters
// call it; o may be nil.
func (o *SearchOptions) Validated() (SearchOptions, error) {
	var out SearchOptions
	if o != nil {
		out = *o
	}
	if out.Limit < 0 || out.Limit > 1000 {
		return out, invalid.Field("Limit", out.Limit, "1 to 1000, or 0 for 10")
	}
	if out.Limit == 0 {
		out.Limit = 10
	}
	return out, nil
}

// Validate returns a *FieldError unless the document fits a collection of that
// many dimensions. Adapters call it.
func (d *Document) Validate(dims int) error {
	if err := CheckText("ID", d.ID, 256); err != nil {
		return err
	}
	if err := checkUTF8("Text", d.Text, 1<<20); err != nil {
		return err
	}
	if len(d.Metadata) > 64 {
		return invalid.Field("Metadata", len(d.Metadata), "at most 64 keys")
	}
	for k, v := range d.Metadata {
		if err := CheckName("Metadata", k); err != nil {
			return err
		}
		if err := checkUTF8("Metadata", v, 512); err != nil {
			return err
		}
	}
	if d.Vector == nil {
		return nil
	}
	return CheckVector("Vector", d.Vector, dims)
}

// CheckVector returns a *FieldError of that field unless v has dims finite
// numbers that are not all zero.
func CheckVector(field string, v []float32, dims int) error {
	if len(v) != dims || dims == 0 {
		return invalid.Fieldf(field, len(v), "a vector of the collection's %d dimensions", dims)
	}
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 || math.IsNaN(sum) || math.IsInf(sum, 0) {
		return invalid.Field(field, sum, "finite numbers that are not all zero")
	}
	return nil
}

// CheckDims returns a *FieldError unless a collection can have that many
// dimensions.
func CheckDims(dims int) error {
	if dims < 0 || dims > 4096 {
		return invalid.Field("dims", dims, "0 to 4096")
	}
	return nil
}
