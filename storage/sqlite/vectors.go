package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

type vectors struct {
	scope
	name string
	dims int
}

// find returns the collection's number, 0 when nothing was put into it yet, and
// its counts of changes. One with other dimensions is a *FieldError.
func (v *vectors) find(ctx context.Context, tx *session) (c collection, err error) {
	err = tx.row(ctx, `SELECT number, dims, change, gone FROM collection WHERE tenant = ? AND name = ?`, v.tenant, v.name).
		Scan(&c.number, &c.dims, &c.change, &c.gone)
	if errors.Is(err, sql.ErrNoRows) {
		return collection{dims: v.dims}, nil
	}
	if err == nil && c.dims != v.dims {
		err = invalid.Fieldf("dims", v.dims, "%d, as the collection was made", c.dims)
	}
	return c, err
}

type collection struct {
	number       int64
	dims         int
	change, gone int64
}

// texts is the name of a collection's full-text index.
func (c collection) texts() string { return fmt.Sprintf("text_%d", c.number) }

// begin returns the collection with a new change number, made when it is new.
func (v *vectors) begin(ctx context.Context, tx *session) (collection, error) {
	c, err := v.find(ctx, tx)
	if err != nil {
		return c, err
	}
	if c.number == 0 {
		if err := tx.row(ctx, `INSERT INTO collection (tenant, name, dims) VALUES (?, ?, ?) RETURNING number`, v.tenant, v.name, v.dims).
			Scan(&c.number); err != nil {
			return c, err
		}
		if _, err := tx.exec(ctx, `CREATE VIRTUAL TABLE `+c.texts()+
			` USING fts5(text, content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 0')`); err != nil {
			return c, err
		}
	}
	return c, tx.row(ctx, `UPDATE collection SET change = change + 1 WHERE number = ? RETURNING change`, c.number).Scan(&c.change)
}

func (v *vectors) Put(ctx context.Context, documents ...storage.Document) error {
	for _, d := range documents {
		if err := d.Validate(v.dims); err != nil {
			return err
		}
	}
	return v.write(ctx, false, func(tx *session) error {
		if len(documents) == 0 {
			return nil
		}
		c, err := v.begin(ctx, tx)
		if err != nil {
			return err
		}
		for _, d := range documents {
			if err := v.put(ctx, tx, c, d); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *vectors) put(ctx context.Context, tx *session, c collection, d storage.Document) error {
	old, err := v.remove(ctx, tx, c, d.ID, d.Vector == nil)
	if err != nil {
		return err
	}
	if d.Metadata == nil {
		d.Metadata = map[string]string{}
	}
	metadata, err := json.Marshal(d.Metadata)
	if err != nil {
		return err
	}
	var vector any
	if d.Vector != nil {
		vector = bytesOf(d.Vector)
	}
	// A document keeps its number, by which matrices in memory know it.
	var number int64
	if err := tx.row(ctx, `INSERT INTO document (number, collection, id, change, metadata, text, vector) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING number`,
		old, c.number, d.ID, c.change, string(metadata), d.Text, vector).Scan(&number); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `INSERT INTO `+c.texts()+` (rowid, text) VALUES (?, ?)`, number, d.Text); err != nil {
		return err
	}
	for key, value := range d.Metadata {
		if _, err := tx.exec(ctx, `INSERT INTO metadata (document, key, collection, value) VALUES (?, ?, ?, ?)`, number, key, c.number, value); err != nil {
			return err
		}
	}
	return nil
}

// remove takes a document away, notes that a vector is gone when told so, and
// returns the document's number, if it was there.
func (v *vectors) remove(ctx context.Context, tx *session, c collection, id string, gone bool) (number sql.NullInt64, err error) {
	err = tx.row(ctx, `DELETE FROM document WHERE collection = ? AND id = ? RETURNING number`, c.number, id).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return number, nil
	}
	if err != nil {
		return number, err
	}
	if _, err := tx.exec(ctx, `DELETE FROM metadata WHERE document = ?`, number); err != nil {
		return number, err
	}
	if _, err := tx.exec(ctx, `DELETE FROM `+c.texts()+` WHERE rowid = ?`, number); err != nil {
		return number, err
	}
	if gone {
		_, err = tx.exec(ctx, `UPDATE collection SET gone = change WHERE number = ?`, c.number)
	}
	return number, err
}

func (v *vectors) Delete(ctx context.Context, ids ...string) error {
	return v.write(ctx, false, func(tx *session) error {
		if c, err := v.find(ctx, tx); err != nil || c.number == 0 || len(ids) == 0 {
			return err
		}
		c, err := v.begin(ctx, tx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := v.remove(ctx, tx, c, id, true); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *vectors) Documents(ctx context.Context, where *storage.Where) iter.Seq2[storage.Document, error] {
	return func(yield func(storage.Document, error) bool) {
		after := ""
		for {
			documents, err := v.page(ctx, after)
			if err != nil {
				yield(storage.Document{}, err)
				return
			}
			for _, d := range documents {
				if err := ctx.Err(); err != nil {
					yield(storage.Document{}, err)
					return
				}
				if (where == nil || where.Selects(d.Metadata)) && !yield(d, nil) {
					return
				}
				after = d.ID
			}
			if len(documents) == 0 {
				return
			}
		}
	}
}

func (v *vectors) page(ctx context.Context, after string) ([]storage.Document, error) {
	var out []storage.Document
	err := v.read(ctx, func(tx *session) error {
		c, err := v.find(ctx, tx)
		if err != nil || c.number == 0 {
			return err
		}
		rows, err := tx.query(ctx, `SELECT number, id, metadata, text, vector FROM document WHERE collection = ? AND id > ? ORDER BY id LIMIT 128`, c.number, after)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var number int64
			d, err := scanDocument(rows, &number)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return rows.Err()
	})
	return out, err
}

func scanDocument(rows *sql.Rows, number *int64) (storage.Document, error) {
	var d storage.Document
	var metadata string
	var vector []byte
	if err := rows.Scan(number, &d.ID, &metadata, &d.Text, &vector); err != nil {
		return d, err
	}
	if err := json.Unmarshal([]byte(metadata), &d.Metadata); err != nil {
		return d, fmt.Errorf("document %q: %w", d.ID, errors.Join(storage.ErrCorrupt, err))
	}
	if len(d.Metadata) == 0 {
		d.Metadata = nil
	}
	if vector != nil {
		d.Vector = floatsOf(vector)
	}
	return d, nil
}

// selected returns the documents that where selects; nil means all.
func selected(ctx context.Context, tx *session, c collection, where storage.Where) (map[int64]bool, error) {
	var out map[int64]bool
	for key, values := range where {
		args := []any{c.number, key}
		for _, value := range values {
			args = append(args, value)
		}
		numbers, err := column[int64](ctx, tx, `SELECT document FROM metadata WHERE collection = ? AND key = ? AND value IN (`+marks(len(values))+`)`, args...)
		if err != nil {
			return nil, err
		}
		both := map[int64]bool{}
		for _, n := range numbers {
			if out == nil || out[n] {
				both[n] = true
			}
		}
		out = both
	}
	return out, nil
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

// A candidate is a document that may be among the best.
type candidate struct {
	number int64
	score  float64
}

// matches fetches the documents of candidates and returns the best of them.
func (v *vectors) matches(ctx context.Context, tx *session, candidates []candidate, limit int, rescore func([]float32) float64) ([]storage.Match, error) {
	out := make([]storage.Match, 0, len(candidates))
	for chunk := range slices.Chunk(candidates, 256) {
		scores := map[int64]float64{}
		args := make([]any, len(chunk))
		for i, c := range chunk {
			scores[c.number], args[i] = c.score, c.number
		}
		rows, err := tx.query(ctx, `SELECT number, id, metadata, text, vector FROM document WHERE number IN (`+marks(len(chunk))+`)`, args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var number int64
			d, err := scanDocument(rows, &number)
			if err != nil {
				rows.Close()
				return nil, err
			}
			m := storage.Match{Document: d, Score: scores[number]}
			if rescore != nil {
				m.Score = rescore(d.Vector)
			}
			m.Vector = nil
			out = append(out, m)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b storage.Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), limit)], nil
}

// words returns the query that finds any of the words of text, each once.
func words(text string) string {
	seen := map[string]bool{}
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}) {
		if !seen[w] && len(out) < 128 { // a question, not a document
			seen[w] = true
			out = append(out, `"`+w+`"`)
		}
	}
	return strings.Join(out, " OR ")
}

// Matching ranks by FTS5's BM25 over the words of the text, the first 128 of them.
func (v *vectors) Matching(ctx context.Context, text string, opts *storage.SearchOptions) ([]storage.Match, error) {
	o, err := opts.Validated()
	if err != nil {
		return nil, err
	}
	query := words(strings.ToValidUTF8(text, " "))
	var out []storage.Match
	err = v.read(ctx, func(tx *session) error {
		c, err := v.find(ctx, tx)
		if err != nil || c.number == 0 || query == "" {
			return err
		}
		only, err := selected(ctx, tx, c, o.Where)
		if err != nil {
			return err
		}
		rows, err := tx.query(ctx, `SELECT f.rowid, bm25(`+c.texts()+`) AS score FROM `+c.texts()+` f JOIN document d ON d.number = f.rowid
			WHERE `+c.texts()+` MATCH ? ORDER BY score, d.id`, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		var found []candidate
		for len(found) < o.Limit && rows.Next() {
			var c candidate
			if err := rows.Scan(&c.number, &c.score); err != nil {
				return err
			}
			c.score = -c.score // FTS5's is the smaller the better
			if only == nil || only[c.number] {
				found = append(found, c)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		out, err = v.matches(ctx, tx, found, o.Limit, nil)
		return err
	})
	return out, err
}
