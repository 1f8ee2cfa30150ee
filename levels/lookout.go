package levels

import (
	"math"
	"sort"
)

// A lookout keeps prices in ascending order, the one that the market will reach
// first at the end. Whoever watches for prices above the market negates them.
// Looking at the next one costs nothing, taking it off no search, and a new one
// a binary search and a move within one block.
type lookout struct {
	blocks [][]watched // none is empty
	spare  []watched
	n      int
	key    float64 // of the price that comes first; -Inf when there is none
}

func newLookout() lookout { return lookout{key: math.Inf(-1)} }

// A watched price is that of the record id while the record is of that age.
type watched struct {
	key float64
	id  int32
	age int32
}

const blockSize = 256

// first finds the key of the price that comes first.
func (w *lookout) first() {
	w.key = math.Inf(-1)
	if w.n > 0 {
		w.key = w.next().key
	}
}

// next returns the price that comes first; there must be one.
func (w *lookout) next() watched {
	block := w.blocks[len(w.blocks)-1]
	return block[len(block)-1]
}

// drop takes the price off that comes first.
func (w *lookout) drop() {
	last := len(w.blocks) - 1
	block := w.blocks[last]
	w.n--
	if block = block[:len(block)-1]; len(block) > 0 {
		w.blocks[last], w.key = block, block[len(block)-1].key
		return
	}
	w.spare, w.blocks[last] = block, nil
	w.blocks = w.blocks[:last]
	w.first()
}

func (w *lookout) add(x watched) {
	w.n++
	w.key = max(w.key, x.key)
	at := len(w.blocks) - 1
	if at < 0 {
		if w.spare == nil {
			w.spare = make([]watched, 0, blockSize)
		}
		w.blocks, w.spare = append(w.blocks, append(w.spare, x)), nil
		return
	}
	if at > 0 && w.blocks[at][0].key > x.key {
		at = max(0, sort.Search(at, func(k int) bool { return w.blocks[k][0].key > x.key })-1)
	}
	block := append(w.blocks[at], x)
	k := len(block) - 1
	for ; k > 0 && block[k-1].key > x.key; k-- {
		block[k] = block[k-1]
	}
	block[k] = x
	w.blocks[at] = block
	if len(block) < blockSize {
		return
	}
	const half = blockSize / 2
	w.blocks = append(w.blocks, nil)
	copy(w.blocks[at+2:], w.blocks[at+1:])
	w.blocks[at+1] = append(make([]watched, 0, blockSize), block[half:]...)
	w.blocks[at] = block[:half]
}

// sweep leaves only those that stays reports.
func (w *lookout) sweep(stays func(watched) bool) {
	old := w.blocks
	w.blocks, w.n, w.key = nil, 0, math.Inf(-1)
	for _, block := range old {
		for _, x := range block {
			if stays(x) {
				w.add(x)
			}
		}
	}
}
