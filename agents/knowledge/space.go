package knowledge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// The records of a tenant's knowledge.
const (
	entryCollection = "knowledge.documents"
	textCollection  = "knowledge.texts"
	stateCollection = "knowledge.state"
	lockName        = "knowledge"
)

// lockTime is how long a writer that died keeps the others waiting.
const lockTime = 30 * time.Second

// kept is a document's record. The text is a record of its own, so that lists are
// short. A chunk counts only when the record of its document names it: what a
// writer that died left behind is never found.
type kept struct {
	Document
	Hash    string    `json:"hash"`
	Chunks  []string  `json:"chunks"` // ids, in order
	Bytes   int       `json:"bytes"`
	Added   time.Time `json:"added"`
	Updated time.Time `json:"updated"`
}

func (k *kept) entry(shared bool) Entry {
	return Entry{Document: k.Document, Shared: shared, Bytes: k.Bytes, Chunks: len(k.Chunks), Added: k.Added, Updated: k.Updated}
}

type textRecord struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// An index says with what the chunks were embedded.
type index struct {
	ID       string   `json:"id"` // "index"
	Model    string   `json:"model"`
	Dims     int      `json:"dims"`
	Chunking Chunking `json:"chunking"`
	Starter  string   `json:"starter,omitempty"` // what the starter library was when it was last put in
}

const indexID = "index"

// collection names the vectors of a model, so that a new index is made beside the
// old one.
func (i index) collection() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", i.Model, i.Dims))
	return "knowledge." + hex.EncodeToString(sum[:8])
}

func (i index) exists() bool { return i.Model != "" }

func (i index) madeBy(e Embedder) bool { return i.Model == e.Model() && i.Dims == e.Dims() }

// A space is the knowledge of one tenant.
type space struct {
	tenant  storage.Tenant
	shared  bool
	records storage.Records
	entries *storage.Collection[kept]
	texts   *storage.Collection[textRecord]
	state   *storage.Collection[index]
	locks   storage.Locks
}

func newSpace(store storage.Store, id storage.TenantID) (*space, error) {
	tenant, err := store.For(id)
	if err != nil {
		return nil, err
	}
	s := &space{tenant: tenant, shared: id == Shared}
	if s.records, err = tenant.Records(); err != nil {
		return nil, fmt.Errorf("knowledge: %w", err)
	}
	if s.locks, err = tenant.Locks(); err != nil {
		return nil, fmt.Errorf("knowledge: %w", err)
	}
	s.entries = storage.NewCollection(s.records, storage.Kind[kept]{
		Collection: entryCollection, ID: func(k *kept) string { return k.ID },
		Fields: func(k *kept) []storage.Field {
			f := []storage.Field{storage.Text("collection", k.Collection)}
			if !k.Date.IsZero() {
				f = append(f, storage.Text("date", k.Date.String()))
			}
			return f
		},
	})
	s.texts = storage.NewCollection(s.records, storage.Kind[textRecord]{Collection: textCollection, ID: func(t *textRecord) string { return t.ID }})
	s.state = storage.NewCollection(s.records, storage.Kind[index]{Collection: stateCollection, ID: func(i *index) string { return i.ID }})
	return s, nil
}

// index returns what the chunks are embedded with; the zero index when there are
// none yet.
func (s *space) index(ctx context.Context) (index, error) {
	stored, err := s.state.Get(ctx, indexID)
	if errors.Is(err, storage.ErrNotFound) {
		return index{}, nil
	}
	return stored.Value, err
}

func (s *space) vectors(i index) (storage.Vectors, error) {
	return s.tenant.Vectors(i.collection(), i.Dims)
}

func (s *space) document(ctx context.Context, id string) (Document, error) {
	for {
		entry, err := s.entries.Get(ctx, id)
		if err != nil {
			return Document{}, err
		}
		text, err := s.texts.Get(ctx, id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return Document{}, err
		}
		// Between the two reads somebody may have written.
		again, failed := s.entries.Get(ctx, id)
		if failed != nil {
			return Document{}, failed
		}
		if again.Version == entry.Version {
			d := entry.Value.Document
			d.Text = text.Value.Text
			return d, err
		}
	}
}

// all yields the records of documents by id, those of one collection when it is
// named.
func (s *space) all(ctx context.Context, collection string) iter.Seq2[storage.Stored[kept], error] {
	var q storage.RecordQuery
	if collection != "" {
		q.Where = []storage.Field{storage.Text("collection", collection)}
	}
	return s.entries.All(ctx, q)
}

// locked runs f while no other writer of the tenant's knowledge does.
func (s *space) locked(ctx context.Context, f func(context.Context) error) error {
	return storage.Hold(ctx, s.locks, lockName, lockTime, func(ctx context.Context, _ storage.Lease) error { return f(ctx) })
}

// header is what stands above each chunk's text in the index: where it is from.
// Aliases are above the first one only.
func header(d Document, c Chunk, first bool) string {
	var b strings.Builder
	b.WriteString(d.Title)
	for _, h := range c.Path {
		b.WriteString(" › " + h)
	}
	if first && len(d.Aliases) > 0 {
		b.WriteString("\n" + strings.Join(d.Aliases, "\n"))
	}
	return b.String()
}
