package indicators

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// pairs sums those of the last n pairs that count, block by block as sum does:
// how many they are, and their deviations from a pair among them, squared and
// multiplied. The pairs of the block before are taken from the last of them
// that counts, those of the block in progress from the first: both are in the
// window for as long as anything of theirs is, so that no deviation exceeds the
// window's own range.
type pairs struct {
	cells  []float64 // of each pair whether it counts, x and y; later the sums over those after it
	head   []float64 // sums over the block in progress
	origin []float64 // x and y of the block before, and of the one in progress
	pos    []int     // next cell, and whether a block has been full
}

// Places in a cell: how many, deviations, their squares and products.
const (
	pairCount = iota
	pairX
	pairY
	pairXX
	pairYY
	pairXY
	pairSize
)

// A spread tells of some pairs how many they are, their sums of squared
// deviations from the means, and that of the products.
type spread struct{ count, xx, yy, xy float64 }

func (b *bank) pairs(n int) pairs {
	return pairs{b.take(pairSize * n), b.take(pairSize), b.take(4), b.counters(2)}
}

// push is all NaN before there are n pairs.
func (q pairs) push(x, y float64, counts bool) spread {
	if !kernel.Finite(x + y) {
		return spread{nan(), nan(), nan(), nan()}
	}
	next, origin := q.pos[0], q.origin[:4:4]
	head, cell := (*[pairSize]float64)(q.head), (*[pairSize]float64)(q.cells[next:])
	tail := *cell
	cell[pairCount], cell[pairX], cell[pairY] = 0, x, y
	if counts {
		cell[pairCount] = 1
		if head[pairCount] == 0 {
			origin[2], origin[3] = x, y
		}
		addPair(head, x-origin[2], y-origin[3])
	}
	full := q.pos[1] == 1
	result := joined(&tail, head, origin)
	if q.pos[0] += pairSize; q.pos[0] == len(q.cells) {
		q.turn()
		full = true
	}
	if !full {
		return spread{nan(), nan(), nan(), nan()}
	}
	return result
}

func addPair(c *[pairSize]float64, dx, dy float64) {
	c[pairCount]++
	c[pairX] += dx
	c[pairY] += dy
	c[pairXX] += float64(dx * dx)
	c[pairYY] += float64(dy * dy)
	c[pairXY] += float64(dx * dy)
}

// joined is of both blocks: the head's sums, moved to the origin of the tail.
func joined(tail, head *[pairSize]float64, origin []float64) spread {
	a, b := 0.0, 0.0
	if tail[pairCount] > 0 && head[pairCount] > 0 {
		a, b = origin[2]-origin[0], origin[3]-origin[1]
	}
	n := head[pairCount]
	count := tail[pairCount] + n
	x, y := tail[pairX]+(head[pairX]+float64(n*a)), tail[pairY]+(head[pairY]+float64(n*b))
	xx := tail[pairXX] + (head[pairXX] + float64(a*(2*head[pairX]+float64(n*a))))
	yy := tail[pairYY] + (head[pairYY] + float64(b*(2*head[pairY]+float64(n*b))))
	xy := tail[pairXY] + (head[pairXY] + float64(a*head[pairY]) + float64(b*(head[pairX]+float64(n*a))))
	if count == 0 {
		return spread{}
	}
	return spread{count, max(xx-float64(x*x)/count, 0), max(yy-float64(y*y)/count, 0), xy - float64(x*y)/count}
}

// turn makes the full block's cells sums.
func (q pairs) turn() {
	var tail [pairSize]float64
	for from := len(q.cells) - pairSize; from >= 0; from -= pairSize {
		c := (*[pairSize]float64)(q.cells[from:])
		counts, x, y := c[pairCount] == 1, c[pairX], c[pairY]
		*c = tail
		if counts {
			if tail[pairCount] == 0 {
				q.origin[0], q.origin[1] = x, y
			}
			addPair(&tail, x-q.origin[0], y-q.origin[1])
		}
	}
	clear(q.head)
	q.pos[0], q.pos[1] = 0, 1
}
