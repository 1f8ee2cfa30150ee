package postgres

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/internal/exact"
)

// floats reads an array of reals in the form in which the server sends one:
// dimensions, flags, element type, length and lower bound, and then each number
// with its length.
//
// Source: PostgreSQL's array_send.
func floats(b []byte, dims int) ([]float32, error) {
	const head = 20
	if len(b) != head+8*dims || binary.BigEndian.Uint32(b) != 1 {
		return nil, fmt.Errorf("a vector of %d bytes: %w", len(b), storage.ErrCorrupt)
	}
	v := make([]float32, dims)
	for i := range v {
		v[i] = math.Float32frombits(binary.BigEndian.Uint32(b[head+8*i+4:]))
	}
	return v, nil
}

// Nearest finds candidates in single precision, with pgvector or in memory, and
// scores them again in double precision.
func (v *vectors) Nearest(ctx context.Context, vector []float32, opts *storage.SearchOptions) ([]storage.Match, error) {
	o, err := opts.Validated()
	if err != nil {
		return nil, err
	}
	if err := storage.CheckVector("vector", vector, v.dims); err != nil {
		return nil, err
	}
	var out []storage.Match
	err = v.look(ctx, func(q querier, c collection) error {
		var ids []string
		var err error
		if v.pgvector {
			ids, err = v.nearby(ctx, q, vector, o)
		} else {
			ids, err = v.inMemory(ctx, q, c, vector, o)
		}
		if err == nil {
			out, err = v.matches(ctx, q, ids, vector, o.Limit)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// spare is how many more candidates pgvector is asked for, since it computes in
// single precision.
const spare = 32

func (v *vectors) nearby(ctx context.Context, q querier, vector []float32, o storage.SearchOptions) ([]string, error) {
	return column[string](ctx, q, `SELECT e.id FROM embedding e WHERE e.tenant = $1 AND e.collection = $2
		AND ($3::jsonb IS NULL OR EXISTS (SELECT FROM document d WHERE d.tenant = $1 AND d.collection = $2 AND d.id = e.id AND `+selected+` OFFSET 0))
		ORDER BY e.vector::vector <=> $4::real[]::vector, e.id LIMIT $5`, v.tenant, v.name, selection(o.Where), vector, o.Limit+spare)
}

// matches fetches the documents of candidates and returns the best of them.
func (v *vectors) matches(ctx context.Context, q querier, ids []string, vector []float32, limit int) ([]storage.Match, error) {
	out := make([]storage.Match, 0, len(ids))
	for chunk := range slices.Chunk(ids, page) {
		rows, err := q.Query(ctx, `SELECT d.id, d.metadata::text, d.text, array_send(e.vector) FROM unnest($3::text[]) w (id),
			LATERAL (SELECT id, metadata, text FROM document d WHERE d.tenant = $1 AND d.collection = $2 AND d.id = w.id OFFSET 0) d,
			LATERAL (SELECT vector FROM embedding e WHERE e.tenant = $1 AND e.collection = $2 AND e.id = w.id OFFSET 0) e`, v.tenant, v.name, chunk)
		if err != nil {
			return nil, err
		}
		some, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (storage.Match, error) {
			var m storage.Match
			var raw []byte
			var err error
			if m.Document, err = scanDocument(row, &raw); err != nil {
				return m, err
			}
			stored, err := floats(raw, v.dims)
			if err == nil {
				m.Score = exact.Cosine(stored, vector)
			}
			return m, err
		})
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	slices.SortFunc(out, func(a, b storage.Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), limit)], nil
}

// A shelf holds the vectors of collections in memory, those searched last.
type shelf struct {
	mu    sync.Mutex
	at    map[string]*copied
	clock int64
}

// A copied collection is its vectors as they were at a change.
type copied struct {
	mu     sync.RWMutex
	change int64
	matrix *exact.Matrix[string]
	size   int64 // in bytes; guarded by the shelf
	used   int64 // when it was last searched; guarded by the shelf
}

// get returns a collection's copy, which may be empty or old.
func (s *shelf) get(name string) *copied {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[string]*copied{}
	}
	c, ok := s.at[name]
	if !ok {
		c = &copied{change: -1}
		s.at[name] = c
	}
	s.clock++
	c.used = s.clock
	return c
}

// settle notes how large a copy is now, and drops others that do not fit.
func (s *shelf) settle(name string, size, most int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.at[name]; c != nil {
		c.size = size
	}
	for {
		total, oldest := int64(0), ""
		for n, c := range s.at {
			if total += c.size; n != name && (oldest == "" || c.used < s.at[oldest].used) {
				oldest = n
			}
		}
		if total <= most || oldest == "" {
			return
		}
		delete(s.at, oldest)
	}
}

// inMemory brings the copy of the collection up to date with the view and searches
// it. The copy may be newer than the view, which does no harm: what is found is
// fetched from the view.
func (v *vectors) inMemory(ctx context.Context, q querier, now collection, vector []float32, o storage.SearchOptions) ([]string, error) {
	var selects func(string) bool
	if len(o.Where) > 0 {
		ids, err := column[string](ctx, q, `SELECT d.id FROM document d WHERE d.tenant = $1 AND d.collection = $2 AND `+selected, v.tenant, v.name, selection(o.Where))
		if err != nil {
			return nil, err
		}
		chosen := make(map[string]bool, len(ids))
		for _, id := range ids {
			chosen[id] = true
		}
		selects = func(id string) bool { return chosen[id] }
	}
	name := string(v.tenant) + "/" + v.name // a collection's name has no slash
	c := v.shelf.get(name)
	for {
		c.mu.RLock()
		if c.change >= now.change {
			ids := c.matrix.Best(vector, o.Limit, selects)
			c.mu.RUnlock()
			return ids, nil
		}
		c.mu.RUnlock()
		c.mu.Lock()
		err := error(nil)
		if c.change < now.change {
			if err = v.load(ctx, q, c, now); err != nil {
				c.change, c.matrix = -1, nil
			}
		}
		size := int64(0)
		if c.matrix != nil {
			size = c.matrix.Bytes()
		}
		c.mu.Unlock()
		v.shelf.settle(name, size, v.opts.VectorMemory)
		if err != nil {
			return nil, err
		}
	}
}

// load reads what changed since the copy was made, or all when vectors are gone.
func (v *vectors) load(ctx context.Context, q querier, c *copied, now collection) error {
	since := c.change
	if c.matrix == nil || now.gone > since {
		var n int
		if err := q.QueryRow(ctx, `SELECT count(*) FROM embedding WHERE tenant = $1 AND collection = $2`, v.tenant, v.name).Scan(&n); err != nil {
			return err
		}
		since, c.matrix = -1, exact.New[string](v.dims, n)
	}
	rows, err := q.Query(ctx, `SELECT id, array_send(vector) FROM embedding WHERE tenant = $1 AND collection = $2 AND change > $3`, v.tenant, v.name, since)
	if err != nil {
		return err
	}
	var id string
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &raw}, func() error {
		stored, err := floats(raw, v.dims)
		if err == nil {
			c.matrix.Set(id, stored)
		}
		return err
	})
	c.change = now.change
	return err
}
