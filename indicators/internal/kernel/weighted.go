package kernel

import "math"

// Weighted is the average of the last n values with the weights 1 … n. It works
// in blocks like [Sum] and subtracts nothing.
type Weighted struct {
	// Raw values before pos. From pos on, the sum of the values after the cell in
	// the block before with the weights 1, 2, …, and NaN while there is no such block.
	cells  []float64
	pos    int
	sum    float64 // of the block in progress
	placed float64 // the same with the weights 0, 1, …
	factor float64 // 1 by the sum of the weights
	places []float64
}

// NewWeighted returns the weighted average of n ≥ 1 values.
func NewWeighted(n int) Weighted {
	w := Weighted{cells: make([]float64, n), factor: 2 / (float64(n) * float64(n+1)), places: make([]float64, n+1)}
	for i := range w.places {
		w.places[i] = float64(i)
	}
	w.Reset()
	return w
}

// Reset forgets every value.
func (w *Weighted) Reset() {
	last := len(w.cells) - 1
	for i := range last {
		w.cells[i] = math.NaN()
	}
	w.cells[last], w.pos, w.sum, w.placed = 0, 0, 0, 0
}

// Len returns n.
func (w *Weighted) Len() int { return len(w.cells) }

// Push adds x and returns the average, NaN before there are n values.
func (w *Weighted) Push(x float64) float64 {
	n, p := len(w.cells), w.pos
	w.sum += x
	w.placed += float64(float64(p) * x)
	average := (w.placed + w.cells[p] + float64(float64(n-p)*w.sum)) * w.factor
	w.cells[p] = x
	if w.pos++; w.pos == n {
		weightedTails(w.cells, w.cells)
		w.pos, w.sum, w.placed = 0, 0, 0
	}
	return average
}

// weightedTails writes, for every value of a block, the sum of those after it
// with the weights 1, 2, …; the two may be one.
func weightedTails(sums, block []float64) {
	var plain, tail float64
	sums = sums[:len(block)]
	for i := len(block) - 1; i >= 0; i-- {
		x := block[i]
		sums[i] = tail
		plain += x
		tail += plain
	}
}

// Each is Push of every finite value of in, to out, which is as long and is not
// in; what is not finite gives NaN and changes nothing.
func (w *Weighted) Each(out, in []float64) {
	for len(in) > 0 {
		k := w.run(out, in)
		in, out = in[k:], out[k:]
		k = min(len(w.cells)-w.pos, len(in)) // something in this block is not finite
		for i, x := range in[:k] {
			if Finite(x) {
				out[i] = w.Push(x)
			} else {
				out[i] = math.NaN()
			}
		}
		in, out = in[k:], out[k:]
	}
}

// run is Push of values up to a block in which something is not finite, and
// returns how many it took.
func (w *Weighted) run(out, in []float64) (taken int) {
	n := len(w.cells)
	if w.pos > 0 {
		if taken = w.part(out, in); w.pos > 0 {
			return taken
		}
		in, out = in[taken:], out[taken:]
	}
	if len(in) >= n {
		copy(out, w.cells)
	}
	k := 0
	for len(in)-k >= n {
		block, next, last := in[k:k+n], w.cells, len(in)-k < 2*n
		if !last {
			next = out[k+n : k+2*n]
		} else if !AllFinite(block) {
			break
		}
		if !weightedBlock(next, out[k:k+n], block, w.places, w.factor) && !last {
			break
		}
		k += n
	}
	if len(in)-k >= n { // left early: the sums of the block before lie nowhere
		if k > 0 {
			weightedTails(w.cells, in[k-n:k])
		}
		return taken + k
	}
	in, out, taken = in[k:], out[k:], taken+k
	return taken + w.part(out, in)
}

// part is Push of values of one block, none where something is not finite.
func (w *Weighted) part(out, in []float64) (taken int) {
	k := min(len(w.cells)-w.pos, len(in))
	if !AllFinite(in[:k]) {
		return 0
	}
	for i, x := range in[:k] {
		out[i] = w.Push(x)
	}
	return k
}

// weightedBlock is for a block what meanBlock is; places are 0, 1, ….
func weightedBlock(next, out, block, places []float64, factor float64) bool {
	n := len(block)
	out, next, places = out[:n], next[:n], places[:n+1]
	var sum, placed, plain, tail float64
	i, j := 0, n-1
	for ; i < n-1 && j >= 1; i, j = i+2, j-2 {
		x := block[i]
		sum += x
		placed += float64(places[i] * x)
		out[i] = (placed + out[i] + float64(places[j+1]*sum)) * factor
		next[j] = tail
		plain += block[j]
		tail += plain
		x = block[i+1]
		sum += x
		placed += float64(places[i+1] * x)
		out[i+1] = (placed + out[i+1] + float64(places[j]*sum)) * factor
		next[j-1] = tail
		plain += block[j-1]
		tail += plain
	}
	if i < n {
		x := block[i]
		sum += x
		placed += float64(places[i] * x)
		out[i] = (placed + out[i] + float64(places[j+1]*sum)) * factor
		next[0] = tail
		plain += block[0]
		tail += plain
	}
	return Finite(tail)
}

// Visit visits the state of the average.
func (w *Weighted) Visit(t *Tape) {
	t.Floats(w.cells)
	t.Int(&w.pos)
	t.Float(&w.sum)
	t.Float(&w.placed)
}
