package kernel

// A Place is the greatest of the last n values, or the least, with the number
// of its bar. It works as [Extreme] does.
type Place struct {
	cells  []placed // values before pos; from pos on, the best of those after the cell in the block before
	pos    int
	head   placed // the best of the block in progress
	flip   int64  // -1 for the least
	latest int64  // 1 when the latest of equals counts, 0 for the earliest
}

type placed struct {
	rank int64
	bar  int
}

// NewGreatestPlace returns the place of the greatest of n ≥ 1 values. Of equals
// the latest counts, or the earliest.
func NewGreatestPlace(n int, latest bool) Place { return newPlace(n, 0, latest) }

// NewLeastPlace returns the place of the least of n ≥ 1 values.
func NewLeastPlace(n int, latest bool) Place { return newPlace(n, -1, latest) }

func newPlace(n int, flip int64, latest bool) Place {
	p := Place{cells: make([]placed, n), flip: flip}
	if latest {
		p.latest = 1
	}
	p.Reset()
	return p
}

// Push adds x, the value of a bar, and returns the extreme of the last n values
// and its bar; of all values while there are fewer.
func (p *Place) Push(x float64, bar int) (value float64, at int) {
	r, latest := p.flip^Rank(x+0), p.latest // -0 equals 0
	if r+latest > p.head.rank {
		p.head.rank, p.head.bar = r, bar
	}
	cell := &p.cells[p.pos]
	best, at := cell.rank, cell.bar
	if p.head.rank+latest > best {
		best, at = p.head.rank, p.head.bar
	}
	cell.rank, cell.bar = r, bar
	if p.pos++; p.pos == len(p.cells) {
		p.turn()
	}
	return Ranked(best ^ p.flip), at
}

// Run is Push of bars numbered from first on, to bars, which is as long.
func (p *Place) Run(bars []int, in []float64, first int) {
	n, flip, latest := len(p.cells), p.flip, p.latest
	for len(in) > 0 {
		k := min(n-p.pos, len(in))
		cells, results := p.cells[p.pos:p.pos+k], bars[:k]
		rank, headBar := p.head.rank, p.head.bar
		for i, x := range in[:k] {
			r, cell := flip^Rank(x+0), &cells[i]
			better := r+latest > rank
			if better {
				headBar = first + i
			}
			if better {
				rank = r
			}
			at := cell.bar
			if rank+latest > cell.rank {
				at = headBar
			}
			results[i] = at
			cell.rank, cell.bar = r, first+i
		}
		p.head.rank, p.head.bar = rank, headBar
		if p.pos += k; p.pos == n {
			p.turn()
		}
		in, bars, first = in[k:], bars[k:], first+k
	}
}

func (p *Place) turn() {
	rank, bar, earliest := int64(nothing), 0, 1-p.latest
	for i := len(p.cells) - 1; i >= 0; i-- {
		c := &p.cells[i]
		r, b := c.rank, c.bar
		c.rank, c.bar = rank, bar
		better := r+earliest > rank
		if better {
			bar = b
		}
		if better {
			rank = r
		}
	}
	p.pos, p.head = 0, placed{rank: nothing}
}

// Reset forgets every value.
func (p *Place) Reset() {
	for i := range p.cells {
		p.cells[i] = placed{rank: nothing}
	}
	p.pos, p.head = 0, placed{rank: nothing}
}

// Visit visits the state of the place.
func (p *Place) Visit(t *Tape) {
	for i := range p.cells {
		t.Bits(&p.cells[i].rank)
		t.Int(&p.cells[i].bar)
	}
	t.Int(&p.pos)
	t.Bits(&p.head.rank)
	t.Int(&p.head.bar)
}
