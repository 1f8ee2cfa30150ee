package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ttai-go/ttai/storage"
)

type records struct {
	guard
	now         func() time.Time
	collections map[string]map[string]*record
	owners      map[owner]string // which record has a unique value
	last        storage.Version
}

type record struct {
	storage.Record
	fields map[string]storage.Field
}

type owner struct {
	collection string
	value      storage.Field
}

func ownerOf(collection string, f storage.Field) owner {
	f.Number += 0 // -0 and 0 are one value
	return owner{collection, f}
}

func (r *records) Get(ctx context.Context, collection, id string) (storage.Record, error) {
	if err := storage.CheckRecord(collection, id); err != nil {
		return storage.Record{}, err
	}
	if err := r.enter(ctx); err != nil {
		return storage.Record{}, err
	}
	defer r.leave()
	got, ok := r.collections[collection][id]
	if !ok {
		return storage.Record{}, fmt.Errorf("%s %q: %w", collection, id, storage.ErrNotFound)
	}
	return got.copy(), nil
}

func (r *record) copy() storage.Record {
	out := r.Record
	out.Data = slices.Clone(out.Data)
	return out
}

func (r *records) Write(ctx context.Context, writes ...storage.RecordWrite) ([]storage.Version, error) {
	if err := storage.CheckWrites(writes); err != nil {
		return nil, err
	}
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	defer r.leave()
	now := r.now().UTC().Truncate(time.Microsecond)
	versions := make([]storage.Version, len(writes))
	var undo []func()
	for i, w := range writes {
		v, err := r.write(w, now, &undo)
		if err != nil {
			for _, f := range slices.Backward(undo) {
				f()
			}
			return nil, err
		}
		versions[i] = v
	}
	return versions, nil
}

// write does one write and notes how to take it back.
func (r *records) write(w storage.RecordWrite, now time.Time, undo *[]func()) (storage.Version, error) {
	old := r.collections[w.Collection][w.ID]
	current := storage.NoVersion
	if old != nil {
		current = old.Version
	}
	bad := false
	switch w.Op {
	case storage.OpCreate:
		bad = old != nil
	case storage.OpUpdate:
		bad = old == nil || current != w.Version
	case storage.OpDelete:
		bad = w.Version != storage.NoVersion && current != w.Version
	case storage.OpCheck:
		bad = current != w.Version
	}
	if bad {
		return 0, &storage.ConflictError{Collection: w.Collection, ID: w.ID}
	}
	switch w.Op {
	case storage.OpCheck:
		return current, nil
	case storage.OpDelete:
		r.set(w.Collection, w.ID, nil, undo)
		return storage.NoVersion, nil
	}
	next := &record{fields: map[string]storage.Field{}}
	for _, f := range w.Fields {
		if f.Unique {
			if id, ok := r.owners[ownerOf(w.Collection, f)]; ok && id != w.ID {
				return 0, &storage.ConflictError{Collection: w.Collection, ID: w.ID, Field: f.Name}
			}
		}
		next.fields[f.Name] = f
	}
	r.last++
	next.Record = storage.Record{ID: w.ID, Version: r.last, Data: slices.Clone(w.Data), Created: now, Updated: now}
	if old != nil {
		next.Created = old.Created
	}
	r.set(w.Collection, w.ID, next, undo)
	return r.last, nil
}

// set replaces a record, nil being none, with its unique values.
func (r *records) set(collection, id string, next *record, undo *[]func()) {
	old := r.collections[collection][id]
	r.place(collection, id, old, next)
	*undo = append(*undo, func() { r.place(collection, id, next, old) })
}

func (r *records) place(collection, id string, old, next *record) {
	if r.collections == nil {
		r.collections, r.owners = map[string]map[string]*record{}, map[owner]string{}
	}
	if r.collections[collection] == nil {
		r.collections[collection] = map[string]*record{}
	}
	if old != nil {
		for _, f := range old.fields {
			if f.Unique {
				delete(r.owners, ownerOf(collection, f))
			}
		}
	}
	if next == nil {
		delete(r.collections[collection], id)
		return
	}
	for _, f := range next.fields {
		if f.Unique {
			r.owners[ownerOf(collection, f)] = id
		}
	}
	r.collections[collection][id] = next
}

func (r *records) List(ctx context.Context, collection string, q storage.RecordQuery) (storage.RecordPage, error) {
	if err := storage.CheckName("collection", collection); err != nil {
		return storage.RecordPage{}, err
	}
	q, cursor, err := q.Validated()
	if err != nil {
		return storage.RecordPage{}, err
	}
	if err := r.enter(ctx); err != nil {
		return storage.RecordPage{}, err
	}
	defer r.leave()
	var found []placed
	for id, rec := range r.collections[collection] {
		if p, ok := rec.listed(id, q); ok && (cursor == nil || p.after(*cursor, q.Desc)) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b placed) int {
		if q.Desc {
			return b.compare(a)
		}
		return a.compare(b)
	})
	var page storage.RecordPage
	if len(found) > q.Limit {
		found = found[:q.Limit]
		last := found[q.Limit-1]
		page.Next = storage.RecordCursor{Text: last.key.Text, Number: last.key.Number, ID: last.id}.String()
	}
	for _, p := range found {
		page.Records = append(page.Records, p.rec.copy())
	}
	return page, nil
}

// A placed record is one with its place in a list.
type placed struct {
	key storage.Field // of the Order field; empty when the order is by id
	id  string
	rec *record
}

func (p placed) compare(o placed) int {
	return cmp.Or(cmp.Compare(p.key.Number, o.key.Number), cmp.Compare(p.key.Text, o.key.Text), cmp.Compare(p.id, o.id))
}

func (p placed) after(c storage.RecordCursor, desc bool) bool {
	d := p.compare(placed{key: storage.Field{Text: c.Text, Number: c.Number}, id: c.ID})
	if desc {
		d = -d
	}
	return d > 0
}

// listed tells whether the query lists the record, and where.
func (r *record) listed(id string, q storage.RecordQuery) (placed, bool) {
	for _, w := range q.Where {
		f, ok := r.fields[w.Name]
		if !ok || f.Kind != w.Kind || f.Text != w.Text || f.Number != w.Number {
			return placed{}, false
		}
	}
	p := placed{id: id, rec: r}
	bounded := storage.Field{Text: id}
	if q.Order != "" {
		f, ok := r.fields[q.Order]
		if !ok || f.Kind != q.Kind {
			return placed{}, false
		}
		p.key = storage.Field{Text: f.Text, Number: f.Number}
		bounded = f
	}
	if q.From != nil && compareField(bounded, *q.From, q.Kind) < 0 || q.To != nil && compareField(bounded, *q.To, q.Kind) >= 0 {
		return placed{}, false
	}
	return p, true
}

func compareField(a, b storage.Field, kind storage.FieldKind) int {
	if kind == storage.NumberField {
		return cmp.Compare(a.Number, b.Number)
	}
	return cmp.Compare(a.Text, b.Text)
}
