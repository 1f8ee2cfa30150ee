package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Kind says how values of a type become records: it is declared once per type.
type Kind[T any] struct {
	Collection string // of CheckName's form
	// ID returns the id under which a value is stored.
	ID func(*T) string
	// Fields returns the values by which it is listed; nil means none.
	Fields func(*T) []Field
	// Check returns a *FieldError for a value that must not be stored; nil means
	// that all may be.
	Check func(*T) error
}

// A Collection keeps values of one type as records. It is as safe for concurrent
// use, as consistent and as durable as its Records.
type Collection[T any] struct {
	records Records
	kind    Kind[T]
}

// NewCollection returns the collection of a kind.
func NewCollection[T any](records Records, kind Kind[T]) *Collection[T] {
	return &Collection[T]{records: records, kind: kind}
}

// A Stored value is one with what the store knows of it.
type Stored[T any] struct {
	Value   T
	Version Version
	Created time.Time
	Updated time.Time
}

func (c *Collection[T]) decode(r Record) (Stored[T], error) {
	s := Stored[T]{Version: r.Version, Created: r.Created, Updated: r.Updated}
	if err := json.Unmarshal(r.Data, &s.Value); err != nil {
		return s, fmt.Errorf("%s %q: %w (%w)", c.kind.Collection, r.ID, ErrCorrupt, err)
	}
	return s, nil
}

// Get returns a value, or ErrNotFound.
func (c *Collection[T]) Get(ctx context.Context, id string) (Stored[T], error) {
	r, err := c.records.Get(ctx, c.kind.Collection, id)
	if err != nil {
		return Stored[T]{}, err
	}
	return c.decode(r)
}

// Write returns the write that stores v, for batches over several collections with
// [Records.Write]: OpPut, OpCreate, or OpUpdate of that version.
func (c *Collection[T]) Write(op Op, v *T, version Version) (RecordWrite, error) {
	if c.kind.Check != nil {
		if err := c.kind.Check(v); err != nil {
			return RecordWrite{}, err
		}
	}
	data, err := json.Marshal(v)
	if err != nil {
		return RecordWrite{}, fmt.Errorf("%s: %w", c.kind.Collection, err)
	}
	w := RecordWrite{Op: op, Collection: c.kind.Collection, ID: c.kind.ID(v), Version: version, Data: data}
	if c.kind.Fields != nil {
		w.Fields = c.kind.Fields(v)
	}
	return w, nil
}

func (c *Collection[T]) do(ctx context.Context, op Op, v *T, version Version) (Version, error) {
	w, err := c.Write(op, v, version)
	if err != nil {
		return NoVersion, err
	}
	versions, err := c.records.Write(ctx, w)
	if err != nil {
		return NoVersion, err
	}
	return versions[0], nil
}

// Put stores a value, whether or not there is one.
func (c *Collection[T]) Put(ctx context.Context, v T) (Version, error) {
	return c.do(ctx, OpPut, &v, NoVersion)
}

// Create stores a value that is not there yet; otherwise it is a *ConflictError.
func (c *Collection[T]) Create(ctx context.Context, v T) (Version, error) {
	return c.do(ctx, OpCreate, &v, NoVersion)
}

// Replace stores a value over the one of that version; a *ConflictError when it
// changed since.
func (c *Collection[T]) Replace(ctx context.Context, v T, version Version) (Version, error) {
	return c.do(ctx, OpUpdate, &v, version)
}

// Update reads a value, lets change change it, and stores it, again from the
// beginning when somebody else was faster: change may be called several times. An
// error of change ends it and nothing is stored. The id must stay.
func (c *Collection[T]) Update(ctx context.Context, id string, change func(*T) error) (Stored[T], error) {
	for {
		s, err := c.Get(ctx, id)
		if err != nil {
			return s, err
		}
		if err := change(&s.Value); err != nil {
			return s, err
		}
		if got := c.kind.ID(&s.Value); got != id {
			return s, invalid.Field("id", got, "the id that it has")
		}
		version, err := c.Replace(ctx, s.Value, s.Version)
		if conflict, ok := errors.AsType[*ConflictError](err); ok && conflict.Field == "" {
			continue
		}
		s.Version = version
		return s, err
	}
}

// Delete removes a value. One that is not there is no error.
func (c *Collection[T]) Delete(ctx context.Context, id string) error {
	_, err := c.records.Write(ctx, RecordWrite{Op: OpDelete, Collection: c.kind.Collection, ID: id})
	return err
}

// List returns one page of values and the cursor of the next; empty at the end.
func (c *Collection[T]) List(ctx context.Context, q RecordQuery) ([]Stored[T], string, error) {
	page, err := c.records.List(ctx, c.kind.Collection, q)
	if err != nil {
		return nil, "", err
	}
	out := make([]Stored[T], len(page.Records))
	for i, r := range page.Records {
		if out[i], err = c.decode(r); err != nil {
			return nil, "", err
		}
	}
	return out, page.Next, nil
}

// All yields the values of a query, fetching pages of q.Limit as the loop needs
// them. It ends at the first error; the loop may use the store.
func (c *Collection[T]) All(ctx context.Context, q RecordQuery) iter.Seq2[Stored[T], error] {
	return func(yield func(Stored[T], error) bool) {
		for {
			page, next, err := c.List(ctx, q)
			if err != nil {
				yield(Stored[T]{}, err)
				return
			}
			for _, s := range page {
				if !yield(s, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			q.Cursor = next
		}
	}
}
