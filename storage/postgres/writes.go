package postgres

import (
	"context"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/storage"
)

// Write locks what the writes are about, reads what is there, judges the writes in
// memory one after the other, and stores what they come to.
func (r *records) Write(ctx context.Context, writes ...storage.RecordWrite) ([]storage.Version, error) {
	if err := storage.CheckWrites(writes); err != nil {
		return nil, err
	}
	if len(writes) == 0 {
		return nil, r.enter(ctx)
	}
	var versions []storage.Version
	err := r.transact(ctx, func(q querier) error {
		b, err := r.begin(ctx, q, writes)
		if err != nil {
			return err
		}
		if versions, err = b.judge(writes); err != nil {
			return err
		}
		return r.store(ctx, q, b)
	})
	if err != nil {
		return nil, err
	}
	r.Store.records.by(ctx, r.pool, len(writes), `ANALYZE record, field`)
	return versions, nil
}

// A name is a record's collection and id.
type name struct{ collection, id string }

// A value is what only one record may have in a unique field.
type value struct {
	collection, field string
	kind              storage.FieldKind
	text              string
	number            float64
}

// valueOf leaves out what the field's kind says nothing of.
func valueOf(collection string, f storage.Field) value {
	v := value{collection: collection, field: f.Name, kind: f.Kind}
	if f.Kind == storage.NumberField {
		v.number = f.Number + 0 // -0 becomes 0
	} else {
		v.text = f.Text
	}
	return v
}

// A batch is the state that writes are judged against, as far as they are about it.
type batch struct {
	now      int64
	numbers  []int64 // new versions
	versions map[name]storage.Version
	there    map[name]bool    // before the first of the writes
	owners   map[value]string // the id of the record that has it

	order   []name // what was written, each once
	kept    map[name]*storage.RecordWrite
	deleted map[name]bool // also of what was made again
}

// locks returns the keys of the advisory locks that keep others from records and
// unique values, also from those that are not there yet. Sorted, so that no two
// writers wait for each other.
func (r *records) locks(writes []storage.RecordWrite) []int64 {
	var keys []int64
	tenant := string(r.tenant)
	for _, w := range writes {
		keys = append(keys, number(r.opts.Schema, "record", tenant, w.Collection, w.ID))
		for _, f := range w.Fields {
			if v := valueOf(w.Collection, f); f.Unique {
				keys = append(keys, number(r.opts.Schema, "value", tenant, v.collection, v.field, strconv.Itoa(int(v.kind)), v.text, strconv.FormatFloat(v.number, 'g', -1, 64)))
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// manyLocks is how many locks a batch takes at most: more would fill the server's
// table, and lock all of the tenant's records instead.
const manyLocks = 64

// begin locks what the writes are about and reads its state, in one round trip:
// each statement sees what was committed before it began.
func (r *records) begin(ctx context.Context, q querier, writes []storage.RecordWrite) (*batch, error) {
	out := &batch{
		versions: map[name]storage.Version{}, there: map[name]bool{}, owners: map[value]string{},
		kept: map[name]*storage.RecordWrite{}, deleted: map[name]bool{},
	}
	var b pgx.Batch
	tenant, keys := number(r.opts.Schema, "records", string(r.tenant)), r.locks(writes)
	if len(keys) > manyLocks {
		b.Queue(`SELECT pg_advisory_xact_lock($1)`, tenant)
	} else {
		b.Queue(`SELECT pg_advisory_xact_lock_shared($1)`, tenant)
		b.Queue(`SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) k`, keys)
	}
	b.Queue(`SELECT coalesce($1::bigint, micros())`, r.clock()).QueryRow(func(row pgx.Row) error { return row.Scan(&out.now) })
	b.Queue(`SELECT nextval('number') FROM generate_series(1, $1::int)`, len(writes)).Query(func(rows pgx.Rows) error {
		var err error
		out.numbers, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	r.queueState(&b, out, writes)
	r.queueOwners(&b, out, writes)
	return out, q.SendBatch(ctx, &b).Close()
}

func (r *records) queueState(b *pgx.Batch, out *batch, writes []storage.RecordWrite) {
	var collections, ids []string
	for _, w := range writes {
		collections, ids = append(collections, w.Collection), append(ids, w.ID)
	}
	b.Queue(`SELECT w.collection, w.id, r.version FROM unnest($2::text[], $3::text[]) w (collection, id), LATERAL (
		SELECT version FROM record r WHERE r.tenant = $1 AND r.collection = w.collection AND r.id = w.id OFFSET 0) r`, r.tenant, collections, ids).Query(func(rows pgx.Rows) error {
		var n name
		var version int64
		_, err := pgx.ForEachRow(rows, []any{&n.collection, &n.id, &version}, func() error {
			out.versions[n], out.there[n] = storage.Version(version), true
			return nil
		})
		return err
	})
}

func (r *records) queueOwners(b *pgx.Batch, out *batch, writes []storage.RecordWrite) {
	var collections, names, texts []string
	var kinds []int16
	var numbers []float64
	for _, w := range writes {
		for _, f := range w.Fields {
			if v := valueOf(w.Collection, f); f.Unique {
				collections, names, kinds = append(collections, v.collection), append(names, v.field), append(kinds, int16(v.kind))
				texts, numbers = append(texts, v.text), append(numbers, v.number)
			}
		}
	}
	if len(names) == 0 {
		return
	}
	b.Queue(`SELECT w.collection, w.name, w.kind, w.text, w.num, f.id
		FROM unnest($2::text[], $3::text[], $4::smallint[], $5::text[], $6::float8[]) w (collection, name, kind, text, num), LATERAL (SELECT id FROM field f
		WHERE f.tenant = $1 AND f.collection = w.collection AND f.name = w.name AND f.kind = w.kind AND f.text = w.text AND f.num = w.num AND f.uniq OFFSET 0) f`,
		r.tenant, collections, names, kinds, texts, numbers).Query(func(rows pgx.Rows) error {
		var v value
		var kind int16
		var id string
		_, err := pgx.ForEachRow(rows, []any{&v.collection, &v.field, &kind, &v.text, &v.number, &id}, func() error {
			v.kind = storage.FieldKind(kind)
			out.owners[v] = id
			return nil
		})
		return err
	})
}

// judge does the writes in order against the state and returns their versions.
func (b *batch) judge(writes []storage.RecordWrite) ([]storage.Version, error) {
	out := make([]storage.Version, len(writes))
	for i := range writes {
		w := &writes[i]
		n := name{w.Collection, w.ID}
		current := b.versions[n] // NoVersion: there is none
		bad := false
		switch w.Op {
		case storage.OpCreate:
			bad = current != storage.NoVersion
		case storage.OpUpdate:
			bad = current == storage.NoVersion || current != w.Version
		case storage.OpDelete:
			bad = w.Version != storage.NoVersion && current != w.Version
		case storage.OpCheck:
			bad = current != w.Version
		}
		if bad {
			return nil, &storage.ConflictError{Collection: w.Collection, ID: w.ID}
		}
		if w.Op == storage.OpCheck {
			out[i] = current
			continue
		}
		b.release(n)
		if w.Op == storage.OpDelete {
			b.versions[n], b.kept[n], b.deleted[n] = storage.NoVersion, nil, true
			continue
		}
		for _, f := range w.Fields {
			if v := valueOf(w.Collection, f); f.Unique {
				if _, taken := b.owners[v]; taken {
					return nil, &storage.ConflictError{Collection: w.Collection, ID: w.ID, Field: f.Name}
				}
				b.owners[v] = w.ID
			}
		}
		out[i] = storage.Version(b.numbers[i])
		b.versions[n], b.kept[n] = out[i], w
	}
	return out, nil
}

// release frees the unique values of a record that is about to change.
func (b *batch) release(n name) {
	for v, owner := range b.owners {
		if v.collection == n.collection && owner == n.id {
			delete(b.owners, v)
		}
	}
	if _, seen := b.kept[n]; !seen {
		b.order = append(b.order, n)
	}
}

// manyBytes is how much of documents goes into one statement.
const manyBytes = 16 << 20

// store writes what the batch came to.
func (r *records) store(ctx context.Context, q querier, b *batch) error {
	var out pgx.Batch
	for _, n := range b.order {
		if b.there[n] {
			out.Queue(`DELETE FROM field WHERE tenant = $1 AND collection = $2 AND id = $3`, r.tenant, n.collection, n.id)
		}
		if b.there[n] && b.deleted[n] {
			out.Queue(`DELETE FROM record WHERE tenant = $1 AND collection = $2 AND id = $3`, r.tenant, n.collection, n.id)
		}
	}
	r.queueRecords(&out, b)
	r.queueFields(&out, b)
	if out.Len() == 0 {
		return nil // all were checks, or deletes of nothing
	}
	return q.SendBatch(ctx, &out).Close()
}

func (r *records) queueRecords(out *pgx.Batch, b *batch) {
	var collections, ids, data []string
	var versions []int64
	size := 0
	flush := func() {
		if len(ids) > 0 {
			out.Queue(`INSERT INTO record (tenant, collection, id, version, created, updated, data)
				SELECT $1, w.collection, w.id, w.version, $2, $2, w.data FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[]) w (collection, id, version, data)
				ON CONFLICT (tenant, collection, id) DO UPDATE SET version = excluded.version, updated = excluded.updated, data = excluded.data`,
				r.tenant, b.now, collections, ids, versions, data)
		}
		collections, ids, versions, data, size = nil, nil, nil, nil, 0
	}
	for _, n := range b.order {
		if w := b.kept[n]; w != nil {
			collections, ids, data = append(collections, n.collection), append(ids, n.id), append(data, string(w.Data))
			versions = append(versions, int64(b.versions[n]))
			if size += len(w.Data); size > manyBytes {
				flush()
			}
		}
	}
	flush()
}

func (r *records) queueFields(out *pgx.Batch, b *batch) {
	var collections, ids, names, texts []string
	var kinds []int16
	var numbers []float64
	var unique []bool
	for _, n := range b.order {
		w := b.kept[n]
		if w == nil {
			continue
		}
		for _, f := range w.Fields {
			v := valueOf(n.collection, f)
			collections, ids, names, kinds = append(collections, n.collection), append(ids, n.id), append(names, f.Name), append(kinds, int16(f.Kind))
			texts, numbers, unique = append(texts, v.text), append(numbers, v.number), append(unique, f.Unique)
		}
	}
	if len(names) == 0 {
		return
	}
	out.Queue(`INSERT INTO field (tenant, collection, id, name, kind, text, num, uniq)
		SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::float8[], $8::boolean[])`,
		r.tenant, collections, ids, names, kinds, texts, numbers, unique)
}
