// Package exact finds the nearest of many vectors by multiplying them all, in
// memory and on all processors.
package exact

import (
	"math"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// A Matrix holds vectors by key, scaled to length 1. Any number of calls of Best
// may run at once, but none while the matrix is changed.
type Matrix[K comparable] struct {
	dims int
	keys []K
	rows map[K]int
	data []float32
}

// New returns a matrix for vectors of dims numbers with room for n of them.
func New[K comparable](dims, n int) *Matrix[K] {
	return &Matrix[K]{dims: dims, keys: make([]K, 0, n), rows: make(map[K]int, n), data: make([]float32, 0, n*dims)}
}

// Set adds a vector, or replaces the one of that key. It must have the matrix's
// dimensions and not be zero.
func (m *Matrix[K]) Set(key K, vector []float32) {
	row, ok := m.rows[key]
	if !ok {
		row = len(m.keys)
		m.rows[key] = row
		m.keys = append(m.keys, key)
		m.data = append(m.data, make([]float32, m.dims)...)
	}
	unit(m.data[row*m.dims:(row+1)*m.dims], vector)
}

// Len is how many vectors there are.
func (m *Matrix[K]) Len() int { return len(m.keys) }

// Bytes is how much memory the numbers take.
func (m *Matrix[K]) Bytes() int64 { return int64(4 * cap(m.data)) }

// Best returns the keys of the limit vectors whose angle to asked is least, in no
// order, among those that selects names, nil meaning all; and those besides that
// single precision cannot tell from them. The caller scores them again.
func (m *Matrix[K]) Best(asked []float32, limit int, selects func(K) bool) []K {
	n := len(m.keys)
	if n == 0 || limit < 1 {
		return nil
	}
	x := make([]float32, m.dims)
	unit(x, asked)
	scores := make([]float32, n)
	workers := min(runtime.GOMAXPROCS(0), 1+n/2048)
	var group sync.WaitGroup
	for w := range workers {
		from, to := n*w/workers, n*(w+1)/workers
		group.Go(func() {
			a := blas32.General{Rows: to - from, Cols: m.dims, Stride: m.dims, Data: m.data[from*m.dims : to*m.dims]}
			blas32.Gemv(blas.NoTrans, 1, a, blas32.Vector{N: m.dims, Inc: 1, Data: x}, 0, blas32.Vector{N: to - from, Inc: 1, Data: scores[from:to]})
		})
	}
	group.Wait()
	least, ok := m.threshold(scores, limit, selects)
	if !ok {
		return nil
	}
	const unsure = 4e-6 // more than the rounding of a product of 4096 numbers of length 1
	var out []K
	for row, score := range scores {
		if score >= least-unsure && (selects == nil || selects(m.keys[row])) {
			out = append(out, m.keys[row])
		}
	}
	return out
}

// threshold returns the least of the limit greatest scores.
func (m *Matrix[K]) threshold(scores []float32, limit int, selects func(K) bool) (float32, bool) {
	var top []float32 // a heap, the smallest on top
	for row, score := range scores {
		if len(top) == limit && score <= top[0] || selects != nil && !selects(m.keys[row]) {
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
		sink(top)
	}
	if len(top) == 0 {
		return 0, false
	}
	return top[0], true
}

// sink brings the top of a heap to its place.
func sink(heap []float32) {
	for i := 0; ; {
		least := i
		for _, child := range []int{2*i + 1, 2*i + 2} {
			if child < len(heap) && heap[child] < heap[least] {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
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

// Cosine is the cosine of the angle between two vectors of equal length, neither
// of them zero, in double precision.
func Cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i, x := range a {
		y := float64(b[i])
		dot += float64(x) * y
		aa += float64(x) * float64(x)
		bb += y * y
	}
	return dot / math.Sqrt(aa*bb)
}
