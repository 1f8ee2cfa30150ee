package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/ttai-go/ttai/storage"
)

type records struct{ scope }

func (r *records) Get(ctx context.Context, collection, id string) (storage.Record, error) {
	if err := storage.CheckRecord(collection, id); err != nil {
		return storage.Record{}, err
	}
	out := storage.Record{ID: id}
	var created, updated int64
	var version int64
	err := r.look(ctx, func(s *session) error {
		err := s.row(ctx, `SELECT version, created, updated, data FROM record WHERE tenant = ? AND collection = ? AND id = ?`,
			r.tenant, collection, id).Scan(&version, &created, &updated, &out.Data)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("%s %q: %w", collection, id, storage.ErrNotFound)
		}
		return err
	})
	if err != nil {
		return storage.Record{}, err
	}
	out.Version = storage.Version(version)
	out.Created, out.Updated = timeOf(created), timeOf(updated)
	return out, nil
}

func (r *records) Write(ctx context.Context, writes ...storage.RecordWrite) ([]storage.Version, error) {
	if err := storage.CheckWrites(writes); err != nil {
		return nil, err
	}
	versions := make([]storage.Version, len(writes))
	err := r.scope.write(ctx, true, func(tx *session) error {
		for i, w := range writes {
			v, err := r.one(ctx, tx, w)
			if err != nil {
				return err
			}
			versions[i] = v
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return versions, nil
}

func (r *records) one(ctx context.Context, tx *session, w storage.RecordWrite) (storage.Version, error) {
	var number int64 // 0: there is none
	var current storage.Version
	err := tx.row(ctx, `SELECT number, version FROM record WHERE tenant = ? AND collection = ? AND id = ?`, r.tenant, w.Collection, w.ID).
		Scan(&number, &current)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	bad := false
	switch w.Op {
	case storage.OpCreate:
		bad = number != 0
	case storage.OpUpdate:
		bad = number == 0 || current != w.Version
	case storage.OpDelete:
		bad = w.Version != storage.NoVersion && current != w.Version
	case storage.OpCheck:
		bad = current != w.Version
	}
	if bad {
		return 0, &storage.ConflictError{Collection: w.Collection, ID: w.ID}
	}
	if w.Op == storage.OpCheck {
		return current, nil
	}
	if number != 0 {
		if _, err := tx.exec(ctx, `DELETE FROM field WHERE record = ?`, number); err != nil {
			return 0, err
		}
	}
	if w.Op == storage.OpDelete {
		_, err := tx.exec(ctx, `DELETE FROM record WHERE number = ?`, number)
		return storage.NoVersion, err
	}
	version, err := next(ctx, tx)
	if err != nil {
		return 0, err
	}
	now := r.now()
	err = tx.row(ctx, `INSERT INTO record (tenant, collection, id, version, created, updated, data) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET version = excluded.version, updated = excluded.updated, data = excluded.data RETURNING number`,
		r.tenant, w.Collection, w.ID, version, now, now, w.Data).Scan(&number)
	if err != nil {
		return 0, err
	}
	for _, f := range w.Fields {
		if err := r.index(ctx, tx, number, w, f); err != nil {
			return 0, err
		}
	}
	return storage.Version(version), nil
}

func (r *records) index(ctx context.Context, tx *session, number int64, w storage.RecordWrite, f storage.Field) error {
	f.Number += 0 // -0 becomes 0
	if f.Unique {
		var taken bool
		err := tx.row(ctx, `SELECT EXISTS (SELECT 1 FROM field WHERE tenant = ? AND collection = ? AND name = ? AND kind = ? AND text = ? AND num = ? AND uniq = 1)`,
			r.tenant, w.Collection, f.Name, f.Kind, f.Text, f.Number).Scan(&taken)
		if err != nil {
			return err
		}
		if taken {
			return &storage.ConflictError{Collection: w.Collection, ID: w.ID, Field: f.Name}
		}
	}
	_, err := tx.exec(ctx, `INSERT INTO field (record, name, tenant, collection, kind, text, num, id, uniq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		number, f.Name, r.tenant, w.Collection, f.Kind, f.Text, f.Number, w.ID, f.Unique)
	return err
}

func (r *records) List(ctx context.Context, collection string, q storage.RecordQuery) (storage.RecordPage, error) {
	if err := storage.CheckName("collection", collection); err != nil {
		return storage.RecordPage{}, err
	}
	q, cursor, err := q.Validated()
	if err != nil {
		return storage.RecordPage{}, err
	}
	query, args := r.query(collection, q, cursor)
	var found storage.RecordPage
	err = r.read(ctx, func(tx *session) error {
		rows, err := tx.query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		var last storage.RecordCursor
		for rows.Next() {
			if len(found.Records) == q.Limit {
				found.Next = last.String()
				break
			}
			var rec storage.Record
			var created, updated int64
			if err := rows.Scan(&rec.ID, &rec.Version, &created, &updated, &rec.Data, &last.Text, &last.Number); err != nil {
				return err
			}
			rec.Created, rec.Updated, last.ID = timeOf(created), timeOf(updated), rec.ID
			found.Records = append(found.Records, rec)
		}
		return rows.Err()
	})
	if err != nil {
		return storage.RecordPage{}, err
	}
	return found, nil
}

// query writes the SELECT of a list. Only its own words and question marks are in
// it; every value is an argument.
func (r *records) query(collection string, q storage.RecordQuery, cursor *storage.RecordCursor) (string, []any) {
	var b strings.Builder
	var args []any
	add := func(text string, values ...any) {
		b.WriteString(text)
		args = append(args, values...)
	}
	value, order := "r.id", "r.id"
	if q.Order == "" {
		add(`SELECT r.id, r.version, r.created, r.updated, r.data, '', 0.0 FROM record r WHERE r.tenant = ? AND r.collection = ?`, r.tenant, collection)
	} else {
		value, order = "o.text", "o.text, o.id"
		if q.Kind == storage.NumberField {
			// Texts of number fields are empty, so that the index gives this order.
			value, order = "o.num", "o.num, o.id"
		}
		add(`SELECT r.id, r.version, r.created, r.updated, r.data, o.text, o.num FROM field o CROSS JOIN record r ON r.number = o.record
			WHERE o.tenant = ? AND o.collection = ? AND o.name = ? AND o.kind = ?`, r.tenant, collection, q.Order, q.Kind)
		if q.Kind == storage.NumberField {
			add(` AND o.text = ''`)
		}
	}
	bound := func(f *storage.Field) any {
		if q.Kind == storage.NumberField {
			return f.Number
		}
		return f.Text
	}
	if q.From != nil {
		add(" AND "+value+" >= ?", bound(q.From))
	}
	if q.To != nil {
		add(" AND "+value+" < ?", bound(q.To))
	}
	after, direction := ">", ""
	if q.Desc {
		after, direction = "<", " DESC"
	}
	if cursor != nil {
		if q.Order == "" {
			add(" AND r.id "+after+" ?", cursor.ID)
		} else {
			add(" AND ("+value+", o.id) "+after+" (?, ?)", bound(&storage.Field{Text: cursor.Text, Number: cursor.Number}), cursor.ID)
		}
	}
	for _, w := range q.Where {
		w.Number += 0
		add(` AND EXISTS (SELECT 1 FROM field w WHERE w.record = r.number AND w.name = ? AND w.kind = ? AND w.text = ? AND w.num = ?)`,
			w.Name, w.Kind, w.Text, w.Number)
	}
	add(" ORDER BY "+strings.ReplaceAll(order, ",", direction+",")+direction+" LIMIT ?", q.Limit+1)
	return b.String(), args
}
