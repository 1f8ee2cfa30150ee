package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

type records struct{ scope }

func (r *records) Get(ctx context.Context, collection, id string) (storage.Record, error) {
	if err := storage.CheckRecord(collection, id); err != nil {
		return storage.Record{}, err
	}
	var out storage.Record
	err := r.read(ctx, func(q querier) error {
		var err error
		out, err = scanRecord(q.QueryRow(ctx, `SELECT id, version, created, updated, data FROM record WHERE tenant = $1 AND collection = $2 AND id = $3`,
			r.tenant, collection, id))
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("%s %q: %w", collection, id, storage.ErrNotFound)
		}
		return err
	})
	if err != nil {
		return storage.Record{}, err
	}
	return out, nil
}

func scanRecord(row pgx.Row, more ...any) (storage.Record, error) {
	var rec storage.Record
	var version, created, updated int64
	err := row.Scan(append([]any{&rec.ID, &version, &created, &updated, &rec.Data}, more...)...)
	rec.Version, rec.Created, rec.Updated = storage.Version(version), timeOf(created), timeOf(updated)
	return rec, err
}

func (r *records) List(ctx context.Context, collection string, q storage.RecordQuery) (storage.RecordPage, error) {
	if err := storage.CheckName("collection", collection); err != nil {
		return storage.RecordPage{}, err
	}
	q, cursor, err := q.Validated()
	if err != nil {
		return storage.RecordPage{}, err
	}
	if cursor != nil && (strings.ContainsRune(cursor.ID, 0) || strings.ContainsRune(cursor.Text, 0)) {
		return storage.RecordPage{}, invalid.Field("Cursor", q.Cursor, "the Next of an earlier page of the same query")
	}
	query := r.query(collection, q, cursor)
	var found storage.RecordPage
	err = r.read(ctx, func(from querier) error {
		found = storage.RecordPage{}
		rows, err := from.Query(ctx, query.text, query.args...)
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
			rec, err := scanRecord(rows, &last.Text, &last.Number)
			if err != nil {
				return err
			}
			last.ID = rec.ID
			found.Records = append(found.Records, rec)
		}
		rows.Close()
		return rows.Err()
	})
	if err != nil {
		return storage.RecordPage{}, err
	}
	return found, nil
}

// A statement is built from words of this package; every value is an argument.
type statement struct {
	text string
	args []any
}

// add appends words, and for each value the next argument's mark in place of '?'.
func (s *statement) add(words string, values ...any) {
	for i := range len(words) {
		if words[i] == '?' {
			s.args = append(s.args, values[0])
			values = values[1:]
			s.text += "$" + strconv.Itoa(len(s.args))
			continue
		}
		s.text += words[i : i+1]
	}
}

// query writes the SELECT of a list. It goes through an index in the order that is
// asked for, of ids or of a field, and looks up the rest row by row: "OFFSET 0"
// keeps the server from joining in another order, which without statistics it
// gets wrong.
func (r *records) query(collection string, q storage.RecordQuery, cursor *storage.RecordCursor) statement {
	var s statement
	where := q.Where
	value, order, id := "r.id", "r.id", "r.id"
	switch {
	case q.Order != "":
		value, id = "o.text", "o.id"
		if q.Kind == storage.NumberField {
			value = "o.num"
		}
		order = value + ", o.id"
		s.add(`SELECT r.id, r.version, r.created, r.updated, r.data, o.text, o.num FROM field o, `+ofField+`
			WHERE o.tenant = ? AND o.collection = ? AND o.name = ? AND o.kind = ?`, r.tenant, collection, q.Order, int16(q.Kind))
		if q.Kind == storage.NumberField {
			s.add(` AND o.text = ''`) // as all numbers have it, so that the index gives the order
		}
	case len(where) > 0:
		// Those of one value lie in the order of their ids.
		value, order, id = "o.id", "o.id", "o.id"
		first := valueOf(collection, where[0])
		where = where[1:]
		s.add(`SELECT r.id, r.version, r.created, r.updated, r.data, '', 0::float8 FROM field o, `+ofField+`
			WHERE o.tenant = ? AND o.collection = ? AND o.name = ? AND o.kind = ? AND o.text = ? AND o.num = ?`,
			r.tenant, collection, first.field, int16(first.kind), first.text, first.number)
	default:
		s.add(`SELECT r.id, r.version, r.created, r.updated, r.data, '', 0::float8 FROM record r WHERE r.tenant = ? AND r.collection = ?`, r.tenant, collection)
	}
	bound := func(f storage.Field) any {
		if q.Kind == storage.NumberField {
			return f.Number + 0
		}
		return f.Text
	}
	if q.From != nil {
		s.add(" AND "+value+" >= ?", bound(*q.From))
	}
	if q.To != nil {
		s.add(" AND "+value+" < ?", bound(*q.To))
	}
	after, direction := ">", ""
	if q.Desc {
		after, direction = "<", " DESC"
	}
	if cursor != nil && q.Order == "" {
		s.add(" AND "+id+" "+after+" ?", cursor.ID)
	} else if cursor != nil {
		s.add(" AND ("+value+", o.id) "+after+" (?, ?)", bound(storage.Field{Text: cursor.Text, Number: cursor.Number}), cursor.ID)
	}
	for _, f := range where {
		w := valueOf(collection, f)
		s.add(` AND EXISTS (SELECT FROM field w WHERE w.tenant = ? AND w.collection = ? AND w.id = `+id+`
			AND w.name = ? AND w.kind = ? AND w.text = ? AND w.num = ? OFFSET 0)`, r.tenant, collection, w.field, int16(w.kind), w.text, w.number)
	}
	s.add(" ORDER BY "+strings.ReplaceAll(order, ",", direction+",")+direction+" LIMIT ?", q.Limit+1)
	return s
}

// ofField is the record of a field o.
const ofField = `LATERAL (SELECT * FROM record r WHERE r.tenant = o.tenant AND r.collection = o.collection AND r.id = o.id OFFSET 0) r`
