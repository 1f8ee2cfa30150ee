package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

type vectors struct {
	scope
	name string
	dims int
}

// A collection is what is known of one beside its documents.
type collection struct {
	change, gone int64
}

// find returns the collection, or ErrNotFound when nothing was put into it yet. One
// with other dimensions is a *FieldError.
func (v *vectors) find(ctx context.Context, q querier) (collection, error) {
	var c collection
	var dims int
	err := q.QueryRow(ctx, `SELECT dims, change, gone FROM collection WHERE tenant = $1 AND name = $2`, v.tenant, v.name).Scan(&dims, &c.change, &c.gone)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, storage.ErrNotFound
	}
	if err == nil {
		err = v.fits(dims)
	}
	return c, err
}

func (v *vectors) fits(dims int) error {
	if dims != v.dims {
		return invalid.Fieldf("dims", v.dims, "%d, as the collection was made", dims)
	}
	return nil
}

// look runs f over one view of the collection, or not at all when it is empty.
func (v *vectors) look(ctx context.Context, f func(querier, collection) error) error {
	err := v.view(ctx, func(q querier) error {
		c, err := v.find(ctx, q)
		if err != nil {
			return err
		}
		return f(q, c)
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

func (v *vectors) Put(ctx context.Context, documents ...storage.Document) error {
	last := map[string]int{}
	for i, d := range documents {
		if err := d.Validate(v.dims); err != nil {
			return err
		}
		last[d.ID] = i // of documents of one id the last one stands
	}
	if len(documents) == 0 {
		return v.enter(ctx)
	}
	var stay []storage.Document
	for i, d := range documents {
		if last[d.ID] == i {
			stay = append(stay, d)
		}
	}
	err := v.transact(ctx, func(q querier) error {
		left := stay
		if err := loosen(ctx, q); err != nil {
			return err
		}
		// Whoever writes holds the collection's row, so that changes are numbered in
		// the order in which others see them.
		var dims int
		var change int64
		if err := q.QueryRow(ctx, `INSERT INTO collection (tenant, name, dims, change, gone, documents, words) VALUES ($1, $2, $3, 1, 0, 0, 0)
			ON CONFLICT (tenant, name) DO UPDATE SET change = collection.change + 1 RETURNING dims, change`, v.tenant, v.name, v.dims).Scan(&dims, &change); err != nil {
			return err
		}
		if err := v.fits(dims); err != nil {
			return err
		}
		for len(left) > 0 {
			n, size := 0, 0
			for n < len(left) && size <= manyBytes {
				size += len(left[n].Text) + 4*v.dims
				n++
			}
			if err := v.put(ctx, q, change, left[:n]); err != nil {
				return err
			}
			left = left[n:]
		}
		return nil
	})
	if err == nil {
		v.documents.by(ctx, v.pool, len(stay), `ANALYZE document, embedding, word`)
	}
	return err
}

// put stores some documents, the collection's row held.
func (v *vectors) put(ctx context.Context, q querier, change int64, documents []storage.Document) error {
	var ids, without, texts, metadata []string
	var counts []int64
	var worded, total int64
	for _, d := range documents {
		if d.Metadata == nil {
			d.Metadata = map[string]string{}
		}
		m, err := json.Marshal(d.Metadata)
		if err != nil {
			return err
		}
		n := int64(len(split(d.Text)))
		ids, texts, metadata, counts = append(ids, d.ID), append(texts, d.Text), append(metadata, string(m)), append(counts, n)
		if total += n; n > 0 {
			worded++
		}
		if d.Vector == nil {
			without = append(without, d.ID)
		}
	}
	var b pgx.Batch
	v.queueRemoval(&b, ids, without)
	b.Queue(`UPDATE collection SET documents = documents + $3, words = words + $4 WHERE tenant = $1 AND name = $2`, v.tenant, v.name, worded, total)
	b.Queue(`INSERT INTO document (tenant, collection, id, change, metadata, text, words)
		SELECT $1, $2, w.id, $3, w.metadata::jsonb, w.text, w.words FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[]) w (id, metadata, text, words)`,
		v.tenant, v.name, change, ids, metadata, texts, counts)
	for _, d := range documents {
		if d.Vector != nil {
			b.Queue(`INSERT INTO embedding (tenant, collection, id, change, vector) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (tenant, collection, id) DO UPDATE SET change = excluded.change, vector = excluded.vector`, v.tenant, v.name, d.ID, change, d.Vector)
		}
	}
	v.queueWords(&b, documents)
	return q.SendBatch(ctx, &b).Close()
}

// queueRemoval takes documents away, but not their vectors, of which only those
// named are.
func (v *vectors) queueRemoval(b *pgx.Batch, ids, vectors []string) {
	if vectors == nil {
		vectors = []string{}
	}
	b.Queue(`UPDATE collection c SET documents = c.documents - o.n, words = c.words - o.words,
		gone = CASE WHEN EXISTS (SELECT FROM embedding WHERE tenant = $1 AND collection = $2 AND id = ANY($4)) THEN c.change ELSE c.gone END
		FROM (SELECT count(*) FILTER (WHERE words > 0) AS n, coalesce(sum(words), 0)::bigint AS words FROM document WHERE tenant = $1 AND collection = $2 AND id = ANY($3)) o
		WHERE c.tenant = $1 AND c.name = $2`, v.tenant, v.name, ids, vectors)
	b.Queue(`DELETE FROM word WHERE tenant = $1 AND collection = $2 AND id = ANY($3)`, v.tenant, v.name, ids)
	b.Queue(`DELETE FROM document WHERE tenant = $1 AND collection = $2 AND id = ANY($3)`, v.tenant, v.name, ids)
	b.Queue(`DELETE FROM embedding WHERE tenant = $1 AND collection = $2 AND id = ANY($3)`, v.tenant, v.name, vectors)
}

func (v *vectors) Delete(ctx context.Context, ids ...string) error {
	var valid []string
	for _, id := range ids {
		if storage.CheckText("id", id, 256) == nil { // no other is there
			valid = append(valid, id)
		}
	}
	return v.transact(ctx, func(q querier) error {
		if err := loosen(ctx, q); err != nil || len(valid) == 0 {
			return err
		}
		tag, err := q.Exec(ctx, `UPDATE collection SET change = change + 1 WHERE tenant = $1 AND name = $2`, v.tenant, v.name)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		var b pgx.Batch
		v.queueRemoval(&b, valid, valid)
		return q.SendBatch(ctx, &b).Close()
	})
}

func (v *vectors) Documents(ctx context.Context, where *storage.Where) iter.Seq2[storage.Document, error] {
	return func(yield func(storage.Document, error) bool) {
		var selecting storage.Where
		if where != nil {
			selecting = *where
		}
		after := ""
		for {
			documents, err := v.page(ctx, after, selecting)
			if err != nil {
				yield(storage.Document{}, err)
				return
			}
			for _, d := range documents {
				if err := ctx.Err(); err != nil {
					yield(storage.Document{}, err)
					return
				}
				if !yield(d, nil) {
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

func (v *vectors) page(ctx context.Context, after string, where storage.Where) (out []storage.Document, err error) {
	err = v.look(ctx, func(q querier, _ collection) error {
		rows, err := q.Query(ctx, `SELECT d.id, d.metadata::text, d.text, array_send(e.vector) FROM document d
			LEFT JOIN LATERAL (SELECT vector FROM embedding e WHERE e.tenant = d.tenant AND e.collection = d.collection AND e.id = d.id OFFSET 0) e ON true
			WHERE d.tenant = $1 AND d.collection = $2 AND d.id > $4 AND `+selected+` ORDER BY d.id LIMIT 128`, v.tenant, v.name, selection(where), after)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (storage.Document, error) {
			var vector []byte
			d, err := scanDocument(row, &vector)
			if err == nil && vector != nil {
				d.Vector, err = floats(vector, v.dims)
			}
			return d, err
		})
		return err
	})
	return out, err
}

// scanDocument reads a document's id, metadata and text, and what comes after.
func scanDocument(row pgx.CollectableRow, more ...any) (storage.Document, error) {
	var d storage.Document
	var metadata string
	if err := row.Scan(append([]any{&d.ID, &metadata, &d.Text}, more...)...); err != nil {
		return d, err
	}
	if err := json.Unmarshal([]byte(metadata), &d.Metadata); err != nil {
		return d, fmt.Errorf("document %q: %w", d.ID, errors.Join(storage.ErrCorrupt, err))
	}
	if len(d.Metadata) == 0 {
		d.Metadata = nil
	}
	return d, nil
}

// selected is the condition that a document d has the metadata of a selection, the
// third argument.
const selected = `($3::jsonb IS NULL OR NOT EXISTS (SELECT FROM jsonb_each($3::jsonb) w WHERE (w.value ? (d.metadata ->> w.key)) IS NOT TRUE))`

// selection is a Where as the database reads it; nil selects all.
func selection(where storage.Where) any {
	if len(where) == 0 {
		return nil
	}
	clean := map[string][]string{}
	for key, values := range where {
		clean[text(key)] = []string{}
		for _, value := range values {
			if !strings.ContainsRune(value, 0) { // no document has it
				clean[text(key)] = append(clean[text(key)], value)
			}
		}
	}
	out, err := json.Marshal(clean)
	if err != nil {
		return "{}" // texts always encode
	}
	return string(out)
}

// longestWord is the longest word that is found, in bytes.
const longestWord = 128

// split returns the words of a text in lower case.
func split(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(strings.ToValidUTF8(text, " ")), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	return slices.DeleteFunc(words, func(w string) bool { return len(w) > longestWord })
}

// piece is how many words the database takes apart at a time: what comes of them
// has a limit there.
const piece = 4000

// queueWords stores which words stand in documents. The texts hold words and spaces
// only, so that the database's parser finds no addresses, paths or signs in them.
func (v *vectors) queueWords(b *pgx.Batch, documents []storage.Document) {
	var ids, texts []string
	for _, d := range documents {
		for words := range slices.Chunk(split(d.Text), piece) {
			ids, texts = append(ids, d.ID), append(texts, strings.Join(words, " "))
		}
	}
	if len(ids) > 0 {
		b.Queue(`INSERT INTO word (tenant, collection, word, id, times)
			SELECT $1, $2, l.lexeme, w.id, sum(cardinality(l.positions)) FROM unnest($3::text[], $4::text[]) w (id, text), unnest(to_tsvector('words', w.text)) l
			GROUP BY w.id, l.lexeme`, v.tenant, v.name, ids, texts)
	}
}

// Matching ranks by BM25 over the words of the text, the first 128 of them, with
// the usual k₁ = 1.2 and b = 0.75.
//
// Source: Robertson, Zaragoza, "The Probabilistic Relevance Framework: BM25 and
// Beyond", 2009.
func (v *vectors) Matching(ctx context.Context, text string, opts *storage.SearchOptions) ([]storage.Match, error) {
	o, err := opts.Validated()
	if err != nil {
		return nil, err
	}
	var asked []string
	seen := map[string]bool{}
	for _, w := range split(text) {
		if !seen[w] && len(asked) < 128 { // a question, not a document
			seen[w] = true
			asked = append(asked, w)
		}
	}
	var out []storage.Match
	err = v.look(ctx, func(q querier, _ collection) error {
		if len(asked) == 0 {
			return nil
		}
		rows, err := q.Query(ctx, `WITH asked AS MATERIALIZED (SELECT DISTINCT lexeme FROM unnest(to_tsvector('words', $4)) l),
			hit AS MATERIALIZED (SELECT a.lexeme AS word, w.id, w.times FROM asked a,
				LATERAL (SELECT id, times FROM word w WHERE w.tenant = $1 AND w.collection = $2 AND w.word = a.lexeme OFFSET 0) w),
			stock AS MATERIALIZED (SELECT documents::float8 AS n, greatest(words, 1)::float8 / greatest(documents, 1) AS average FROM collection WHERE tenant = $1 AND name = $2),
			weight AS (SELECT word, ln(1 + greatest(0, s.n - count(*) + 0.5) / (count(*) + 0.5)) AS idf FROM hit, stock s GROUP BY word, s.n),
			best AS (SELECT h.id, round(sum(g.idf * h.times * 2.2 / (h.times + 1.2 * (0.25 + 0.75 * d.words / s.average)))::numeric, 9)::float8 AS score
				FROM hit h JOIN weight g ON g.word = h.word, stock s,
				LATERAL (SELECT words, metadata FROM document d WHERE d.tenant = $1 AND d.collection = $2 AND d.id = h.id OFFSET 0) d
				WHERE `+selected+` GROUP BY h.id ORDER BY score DESC, h.id LIMIT $5)
			SELECT d.id, d.metadata::text, d.text, b.score FROM best b,
				LATERAL (SELECT id, metadata, text FROM document d WHERE d.tenant = $1 AND d.collection = $2 AND d.id = b.id OFFSET 0) d ORDER BY b.score DESC, d.id`,
			v.tenant, v.name, selection(o.Where), strings.Join(asked, " "), o.Limit)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (storage.Match, error) {
			var m storage.Match
			var err error
			m.Document, err = scanDocument(row, &m.Score)
			return m, err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
