package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"math"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/ttai-go/ttai/storage"
)

func bytesOf(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func floatsOf(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

// A shelf holds the vectors of collections in memory, those searched last.
type shelf struct {
	store *Store
	mu    sync.Mutex
	at    map[int64]*matrix
	clock int64
}

// A matrix is the vectors of one collection, scaled to length 1, row by row.
type matrix struct {
	mu      sync.RWMutex
	change  int64 // of the collection when it was last read
	numbers []int64
	rows    map[int64]int // document → row
	data    []float32
	used    int64 // when it was last searched; guarded by the shelf
}

// get returns the matrix of a collection, and drops others that do not fit.
func (s *shelf) get(c collection) *matrix {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[int64]*matrix{}
	}
	m, ok := s.at[c.number]
	if !ok {
		m = &matrix{change: -1}
		s.at[c.number] = m
	}
	s.clock++
	m.used = s.clock
	for {
		var total int64
		var oldest int64
		for n, other := range s.at {
			other.mu.RLock()
			total += int64(4 * cap(other.data))
			other.mu.RUnlock()
			if n != c.number && (oldest == 0 || other.used < s.at[oldest].used) {
				oldest = n
			}
		}
		if total <= s.store.opts.VectorMemory || oldest == 0 {
			return m
		}
		delete(s.at, oldest)
	}
}

// forget drops everything, after the file was replaced.
func (s *shelf) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = nil
}

// update reads what changed since the matrix was read last, within the same view
// of the file that told the collection's changes. Without an error it returns with
// the matrix locked for reading. The matrix may be newer than the view then, which
// does no harm: what is found is fetched from the view.
func (m *matrix) update(ctx context.Context, tx *session, c collection) error {
	m.mu.RLock()
	if m.change >= c.change {
		return nil
	}
	m.mu.RUnlock()
	m.mu.Lock()
	if m.change < c.change {
		if err := m.load(ctx, tx, c); err != nil {
			m.change = -1
			m.mu.Unlock()
			return err
		}
	}
	m.mu.Unlock()
	m.mu.RLock()
	return nil
}

func (m *matrix) load(ctx context.Context, tx *session, c collection) error {
	since := m.change
	if since < 0 || c.gone > since || m.rows == nil {
		since, m.numbers, m.data, m.rows = -1, nil, nil, map[int64]int{}
		var n int
		if err := tx.row(ctx, `SELECT count(*) FROM document WHERE collection = ? AND vector IS NOT NULL`, c.number).Scan(&n); err != nil {
			return err
		}
		m.data, m.numbers = make([]float32, 0, n*c.dims), make([]int64, 0, n)
	}
	rows, err := tx.query(ctx, `SELECT number, vector FROM document WHERE collection = ? AND change > ? AND vector IS NOT NULL`, c.number, since)
	if err != nil {
		return err
	}
	defer rows.Close()
	var raw sql.RawBytes
	for rows.Next() {
		var number int64
		if err := rows.Scan(&number, &raw); err != nil {
			return err
		}
		if len(raw) != 4*c.dims {
			return storage.ErrCorrupt
		}
		row, ok := m.rows[number]
		if !ok {
			row = len(m.numbers)
			m.rows[number] = row
			m.numbers = append(m.numbers, number)
			m.data = append(m.data, make([]float32, c.dims)...)
		}
		unit(m.data[row*c.dims:(row+1)*c.dims], floatsOf(raw))
	}
	m.change = c.change
	return rows.Err()
}

// unit scales v to length 1 into dst.
func unit(dst, v []float32) {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	length := math.Sqrt(sum)
	for i, x := range v {
		dst[i] = float32(float64(x) / length)
	}
}

func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i, x := range a {
		y := float64(b[i])
		dot += float64(x) * y
		aa += float64(x) * float64(x)
		bb += y * y
	}
	return dot / math.Sqrt(aa*bb)
}

// Nearest multiplies all vectors of the collection with the asked one, on all
// processors, and computes the best again in double precision.
func (v *vectors) Nearest(ctx context.Context, vector []float32, opts *storage.SearchOptions) ([]storage.Match, error) {
	o, err := opts.Validated()
	if err != nil {
		return nil, err
	}
	if err := storage.CheckVector("vector", vector, v.dims); err != nil {
		return nil, err
	}
	asked := make([]float32, v.dims)
	unit(asked, vector)
	var out []storage.Match
	err = v.read(ctx, func(tx *session) error {
		c, err := v.find(ctx, tx)
		if err != nil || c.number == 0 {
			return err
		}
		only, err := selected(ctx, tx, c, o.Where)
		if err != nil {
			return err
		}
		m := v.shelf.get(c)
		if err := m.update(ctx, tx, c); err != nil {
			return err
		}
		found := m.search(asked, c.dims, only, o.Limit)
		m.mu.RUnlock()
		out, err = v.matches(ctx, tx, found, o.Limit, func(row []float32) float64 { return cosine(row, vector) })
		return err
	})
	return out, err
}

// search returns the best rows, the read lock held.
func (m *matrix) search(asked []float32, dims int, only map[int64]bool, limit int) []candidate {
	n := len(m.numbers)
	if n == 0 {
		return nil
	}
	scores := make([]float32, n)
	workers := min(runtime.GOMAXPROCS(0), 1+n/2048)
	var group sync.WaitGroup
	for w := range workers {
		from, to := n*w/workers, n*(w+1)/workers
		group.Go(func() {
			a := blas32.General{Rows: to - from, Cols: dims, Stride: dims, Data: m.data[from*dims : to*dims]}
			blas32.Gemv(blas.NoTrans, 1, a, blas32.Vector{N: dims, Inc: 1, Data: asked}, 0, blas32.Vector{N: to - from, Inc: 1, Data: scores[from:to]})
		})
	}
	group.Wait()
	return m.best(scores, only, limit)
}

// best returns the rows with the greatest scores, and those that single precision
// cannot tell from them.
func (m *matrix) best(scores []float32, only map[int64]bool, limit int) []candidate {
	// A heap of the greatest so far, the smallest of them on top.
	var top []float32
	for row, score := range scores {
		if len(top) == limit && score <= top[0] || only != nil && !only[m.numbers[row]] {
			continue
		}
		if len(top) < limit {
			top = append(top, score)
			for i := len(top) - 1; i > 0 && top[i] < top[(i-1)/2]; i = (i - 1) / 2 {
				top[i], top[(i-1)/2] = top[(i-1)/2], top[i]
			}
			continue
		}
		top[0] = score
		for i := 0; ; {
			least := i
			for _, child := range []int{2*i + 1, 2*i + 2} {
				if child < len(top) && top[child] < top[least] {
					least = child
				}
			}
			if least == i {
				break
			}
			top[i], top[least] = top[least], top[i]
			i = least
		}
	}
	if len(top) == 0 {
		return nil
	}
	const unsure = 4e-6 // more than the rounding of a product of 4096 numbers of length 1
	var out []candidate
	for row, score := range scores {
		if score >= top[0]-unsure && (only == nil || only[m.numbers[row]]) {
			out = append(out, candidate{m.numbers[row], float64(score)})
		}
	}
	return out
}
