package knowledge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// batch is how many texts an embedder gets at once, and how many chunks a store.
const batch = 64

// A Change says what a write did.
type Change struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Status   Status `json:"status"`
	Chunks   int    `json:"chunks"`   // that the document has now
	Embedded int    `json:"embedded"` // of them that had to be embedded
}

// A Status is what became of a document.
type Status string

// What becomes of documents.
const (
	Added     Status = "added"
	Updated   Status = "updated"
	Unchanged Status = "unchanged"
	Removed   Status = "removed"
)

// Add puts documents among the tenant's own, each in place of the one of the same
// id. A document that did not change costs nothing; of one that did only the chunks
// that are new are embedded. Each document is seen whole or not at all: an error
// tells which one failed, and what the changes list is done.
func (b *Base) Add(ctx context.Context, documents ...Document) ([]Change, error) {
	changes := []Change{}
	ready := make([]Document, len(documents))
	for i, d := range documents {
		var err error
		if ready[i], err = d.normalized(); err != nil {
			return changes, fmt.Errorf("knowledge: document %d: %w", i+1, err)
		}
	}
	if len(documents) == 0 {
		return changes, nil
	}
	err := b.own.locked(ctx, func(ctx context.Context) error {
		i, err := b.writable(ctx, b.own)
		if err != nil {
			return err
		}
		for _, d := range ready {
			change, err := b.put(ctx, b.own, i, d)
			if err != nil {
				return fmt.Errorf("knowledge: %s: %w", d.ID, err)
			}
			changes = append(changes, change)
		}
		return nil
	})
	return changes, err
}

// writable returns the index of a space, made when there is none. It is called
// with the lock held.
func (b *Base) writable(ctx context.Context, s *space) (index, error) {
	i, err := s.index(ctx)
	if err != nil {
		return i, err
	}
	if i.exists() && !i.madeBy(b.embedder) {
		return i, &ModelError{Stored: i.Model, Given: b.embedder.Model(), Shared: s.shared}
	}
	if !i.exists() {
		i = index{ID: indexID, Model: b.embedder.Model(), Dims: b.embedder.Dims(), Chunking: b.chunking, Starter: i.Starter}
		_, err = s.state.Put(ctx, i)
	}
	return i, err
}

// put stores a document. First come the new chunks, which nobody sees yet; then the
// record that names them; then the old ones go.
func (b *Base) put(ctx context.Context, s *space, i index, d Document) (Change, error) {
	change := Change{ID: d.ID, Title: d.Title, Status: Added}
	hash := d.hash()
	old, err := s.entries.Get(ctx, d.ID)
	known := err == nil
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return change, err
	}
	if known && old.Value.Hash == hash {
		change.Status, change.Chunks = Unchanged, len(old.Value.Chunks)
		return change, nil
	}
	vectors, err := s.vectors(i)
	if err != nil {
		return change, err
	}
	chunks := cut(d, i.Chunking)
	if change.Embedded, err = b.index(ctx, vectors, d, chunks, old.Value.Chunks); err != nil {
		return change, err
	}
	now := b.now().UTC()
	record := kept{Document: d, Hash: hash, Bytes: len(d.Text), Added: now, Updated: now}
	record.Text = ""
	for _, c := range chunks {
		record.Chunks = append(record.Chunks, c.ID)
	}
	op := storage.OpCreate
	if known {
		op, record.Added, change.Status = storage.OpUpdate, old.Value.Added, Updated
	}
	entry, err := s.entries.Write(op, &record, old.Version)
	if err != nil {
		return change, err
	}
	text, err := s.texts.Write(storage.OpPut, &textRecord{d.ID, d.Text}, 0)
	if err != nil {
		return change, err
	}
	if _, err := s.records.Write(ctx, entry, text); err != nil {
		return change, err
	}
	change.Chunks = len(chunks)
	return change, remove(ctx, vectors, without(old.Value.Chunks, record.Chunks))
}

// without returns those of a that are not in b.
func without(a, b []string) []string {
	in := map[string]bool{}
	for _, id := range b {
		in[id] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(id string) bool { return in[id] })
}

func remove(ctx context.Context, vectors storage.Vectors, ids []string) error {
	for part := range slices.Chunk(ids, batch) {
		if err := vectors.Delete(ctx, part...); err != nil {
			return err
		}
	}
	return nil
}

// The metadata of a chunk.
const (
	metaDocument   = "document"
	metaCollection = "collection"
	metaHead       = "head" // bytes of the header
	metaTag        = "tag." // before each tag
)

// index stores chunks, and returns how many of them had to be embedded: those whose
// text is not among the old ones. Old ones whose metadata changed are written again
// with the vector that they have.
func (b *Base) index(ctx context.Context, vectors storage.Vectors, d Document, chunks []Chunk, old []string) (embedded int, err error) {
	have := map[string]storage.Document{}
	if len(old) > 0 {
		for known, err := range vectors.Documents(ctx, &storage.Where{metaDocument: {d.ID}}) {
			if err != nil {
				return 0, err
			}
			have[known.ID] = known
		}
	}
	var ready, fresh []storage.Document
	for n, c := range chunks {
		head := header(d, c, n == 0)
		made := storage.Document{ID: c.ID, Text: head + "\n\n" + c.Text, Metadata: map[string]string{
			metaDocument: d.ID, metaCollection: d.Collection, metaHead: strconv.Itoa(len(head)),
		}}
		for _, t := range d.Tags {
			made.Metadata[metaTag+t] = "1"
		}
		known, ok := have[c.ID]
		switch {
		case ok && known.Text == made.Text && maps.Equal(known.Metadata, made.Metadata):
		case ok && known.Text == made.Text:
			made.Vector = known.Vector
			ready = append(ready, made)
		default:
			fresh = append(fresh, made)
		}
	}
	for part := range slices.Chunk(fresh, batch) {
		texts := make([]string, len(part))
		for i := range part {
			texts[i] = part[i].Text
		}
		made, err := vectorsOf(ctx, b.embedder, texts)
		if err != nil {
			return embedded, err
		}
		for i := range part {
			part[i].Vector = made[i]
		}
		embedded += len(part)
		ready = append(ready, part...)
	}
	for part := range slices.Chunk(ready, batch) {
		if err := vectors.Put(ctx, part...); err != nil {
			return embedded, err
		}
	}
	return embedded, nil
}

// Remove takes documents away, with their texts and chunks. ErrNotFound: one of
// them is not among the tenant's own; the others are removed all the same.
func (b *Base) Remove(ctx context.Context, ids ...string) ([]Change, error) {
	changes := []Change{}
	for _, id := range ids {
		if err := checkID(id); err != nil {
			return changes, err
		}
	}
	err := b.own.locked(ctx, func(ctx context.Context) error {
		i, err := b.own.index(ctx)
		if err != nil {
			return err
		}
		var missing []error
		for _, id := range ids {
			change, err := b.drop(ctx, b.own, i, id)
			switch {
			case errors.Is(err, ErrNotFound):
				missing = append(missing, fmt.Errorf("knowledge: document %q: %w", id, ErrNotFound))
			case err != nil:
				return fmt.Errorf("knowledge: %s: %w", id, err)
			default:
				changes = append(changes, change)
			}
		}
		return errors.Join(missing...)
	})
	return changes, err
}

// drop removes one document: the record first, so that nobody finds its chunks.
func (b *Base) drop(ctx context.Context, s *space, i index, id string) (Change, error) {
	old, err := s.entries.Get(ctx, id)
	if err != nil {
		return Change{}, err
	}
	change := Change{ID: id, Title: old.Value.Title, Status: Removed}
	if _, err := s.records.Write(ctx,
		storage.RecordWrite{Op: storage.OpDelete, Collection: entryCollection, ID: id},
		storage.RecordWrite{Op: storage.OpDelete, Collection: textCollection, ID: id}); err != nil || !i.exists() {
		return change, err
	}
	vectors, err := s.vectors(i)
	if err != nil {
		return change, err
	}
	return change, remove(ctx, vectors, old.Value.Chunks)
}

// RemoveCollection removes all of the tenant's own documents of a collection.
func (b *Base) RemoveCollection(ctx context.Context, collection string) ([]Change, error) {
	if err := storage.CheckName("collection", collection); err != nil {
		return nil, err
	}
	var ids []string
	for k, err := range b.own.all(ctx, collection) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, k.Value.ID)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("knowledge: collection %q: %w", collection, ErrNotFound)
	}
	return b.Remove(ctx, ids...)
}

// List returns the documents: the tenant's own, then the shared ones, by id; those
// of one collection when it is not empty.
func (b *Base) List(ctx context.Context, collection string) ([]Entry, error) {
	if collection != "" {
		if err := storage.CheckName("collection", collection); err != nil {
			return nil, err
		}
	}
	if err := b.ready(ctx); err != nil {
		return nil, err
	}
	out := []Entry{}
	for _, s := range b.spaces() {
		for k, err := range s.all(ctx, collection) {
			if err != nil {
				return nil, err
			}
			out = append(out, k.Value.entry(s.shared))
		}
	}
	return out, nil
}

// A Reindexing says what [Base.Reindex] did.
type Reindexing struct {
	Model     string `json:"model"`
	Documents int    `json:"documents"`
	Chunks    int    `json:"chunks"`
	Embedded  int    `json:"embedded"`
	Swept     int    `json:"swept"` // chunks removed that no document has
}

// ReindexOptions are the optional parts of a reindex.
type ReindexOptions struct {
	// Force embeds everything again.
	Force bool
	// Progress is called after each document. Nil: nobody is told.
	Progress func(done, all int)
}

// Reindex brings the index of the tenant's own documents up to date with the
// base's embedder and chunking, and removes what no document needs. With the
// embedder that the index has, only what is missing is embedded. With another one
// the new index is made beside the old one, which searches use until it is done;
// a reindex that ends early leaves the old one in place. Opts may be nil.
func (b *Base) Reindex(ctx context.Context, opts *ReindexOptions) (Reindexing, error) {
	var o ReindexOptions
	if opts != nil {
		o = *opts
	}
	next := index{ID: indexID, Model: b.embedder.Model(), Dims: b.embedder.Dims(), Chunking: b.chunking}
	done := Reindexing{Model: next.Model}
	err := b.own.locked(ctx, func(ctx context.Context) error {
		s := b.own
		was, err := s.index(ctx)
		if err != nil {
			return err
		}
		next.Starter = was.Starter
		vectors, err := s.vectors(next)
		if err != nil {
			return err
		}
		var ids []string
		for k, err := range s.all(ctx, "") {
			if err != nil {
				return err
			}
			ids = append(ids, k.Value.ID)
		}
		wanted := map[string]bool{}
		var changed []storage.RecordWrite
		for n, id := range ids {
			write, chunks, embedded, err := b.reindex(ctx, s, vectors, next, id, o.Force)
			if err != nil {
				return fmt.Errorf("knowledge: %s: %w", id, err)
			}
			done.Documents++
			done.Chunks += len(chunks)
			done.Embedded += embedded
			for _, c := range chunks {
				wanted[c.ID] = true
			}
			if write != nil {
				changed = append(changed, *write)
			}
			if o.Progress != nil {
				o.Progress(n+1, len(ids))
			}
		}
		// The new index counts from here on: at once, up to 499 documents whose
		// chunks are others than before. Of more, some are not found for a moment.
		turn, err := s.state.Write(storage.OpPut, &next, 0)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(append(changed, turn), 500) {
			if _, err := s.records.Write(ctx, part...); err != nil {
				return err
			}
		}
		if done.Swept, err = sweep(ctx, vectors, wanted); err != nil {
			return err
		}
		if was.exists() && was.collection() != next.collection() {
			old, err := s.vectors(was)
			if err != nil {
				return err
			}
			_, err = sweep(ctx, old, nil)
			return err
		}
		return nil
	})
	return done, err
}

// reindex puts the chunks of one document into the index, and returns the write
// that names them, if they are others than before.
func (b *Base) reindex(ctx context.Context, s *space, vectors storage.Vectors, next index, id string, force bool) (*storage.RecordWrite, []Chunk, int, error) {
	old, err := s.entries.Get(ctx, id)
	if err != nil {
		return nil, nil, 0, err
	}
	text, err := s.texts.Get(ctx, id)
	if err != nil {
		return nil, nil, 0, err
	}
	d := old.Value.Document
	d.Text = text.Value.Text
	chunks := cut(d, next.Chunking)
	have := []string{id} // not empty: what is there is looked at
	if force {
		have = nil
	}
	embedded, err := b.index(ctx, vectors, d, chunks, have)
	if err != nil {
		return nil, nil, embedded, err
	}
	ids := make([]string, len(chunks))
	for i, c := range chunks {
		ids[i] = c.ID
	}
	if slices.Equal(ids, old.Value.Chunks) {
		return nil, chunks, embedded, nil
	}
	old.Value.Chunks = ids
	write, err := s.entries.Write(storage.OpUpdate, &old.Value, old.Version)
	return &write, chunks, embedded, err
}

// sweep removes all chunks but those that are wanted.
func sweep(ctx context.Context, vectors storage.Vectors, wanted map[string]bool) (int, error) {
	var stale []string
	for d, err := range vectors.Documents(ctx, nil) {
		if err != nil {
			return 0, err
		}
		if !wanted[d.ID] {
			stale = append(stale, d.ID)
		}
	}
	return len(stale), remove(ctx, vectors, stale)
}

// AddStarter puts the starter library among the shared documents, or brings it up
// to date; documents of it that this program no longer has are removed. When it is
// there already it reads one record.
func (b *Base) AddStarter(ctx context.Context) ([]Change, error) {
	s := b.own
	if b.shared != nil {
		s = b.shared
	}
	if !s.shared {
		return nil, invalid.Field("WithoutShared", true, "a base with shared documents, where the starter library lies")
	}
	library, version, err := starterLibrary()
	if err != nil {
		return nil, err
	}
	i, err := s.index(ctx)
	if err != nil || i.Starter == version {
		return nil, err
	}
	var changes []Change
	err = s.locked(ctx, func(ctx context.Context) error {
		i, err := b.writable(ctx, s)
		if err != nil || i.Starter == version {
			return err // another process was faster
		}
		current := map[string]bool{}
		for _, d := range library {
			change, err := b.put(ctx, s, i, d)
			if err != nil {
				return fmt.Errorf("knowledge: %s: %w", d.ID, err)
			}
			current[d.ID] = true
			changes = append(changes, change)
		}
		var gone []string
		for k, err := range s.all(ctx, StarterCollection) {
			if err != nil {
				return err
			}
			if !current[k.Value.ID] {
				gone = append(gone, k.Value.ID)
			}
		}
		for _, id := range gone {
			change, err := b.drop(ctx, s, i, id)
			if err != nil {
				return err
			}
			changes = append(changes, change)
		}
		i.Starter = version
		_, err = s.state.Put(ctx, i)
		return err
	})
	return changes, err
}

// ready puts the starter library in place before a first read, when it is wanted
// and costs nothing. An index of another embedder is left as it is.
func (b *Base) ready(ctx context.Context) error {
	if !b.starter || b.shared == nil || !b.free() {
		return nil
	}
	_, err := b.AddStarter(ctx)
	if errors.Is(err, ErrModel) || errors.Is(err, storage.ErrReadOnly) {
		return nil
	}
	return err
}

// free tells that embedding costs nothing, and sees no meaning.
func (b *Base) free() bool {
	e, ok := b.embedder.(interface{ Free() bool })
	return ok && e.Free()
}
