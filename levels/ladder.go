package levels

// A ladder keeps the edges of levels in ascending order, with a cursor that
// parts those on one side of the market from those on the other. The cursor
// moves by one rung as price crosses an edge, so that a bar costs as much as
// the edges it crosses; insertion costs a binary search and a move within one
// block. Rungs of levels that are no more stay until many are dropped at once.
type ladder struct {
	blocks [][]rung
	b, o   int // the cursor stands before blocks[b][o]; b is len(blocks) at the end
	n      int
}

type rung struct {
	key float64
	id  int32
}

const blockSize = 256

// place returns the block and the place in it where key is or would be, after
// equal ones when after is set.
func (l *ladder) place(key float64, after bool) (b, o int) {
	if len(l.blocks) == 0 {
		l.blocks = append(l.blocks, make([]rung, 0, blockSize))
		l.b, l.o = 0, 0
	}
	low, high := 0, len(l.blocks)-1
	for low < high {
		middle := int(uint(low+high) / 2)
		x := l.blocks[middle][len(l.blocks[middle])-1].key
		if x < key || after && x == key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	b = low
	block := l.blocks[b]
	low, high = 0, len(block)
	if after {
		for low < high {
			middle := int(uint(low+high) / 2)
			if block[middle].key > key {
				high = middle
			} else {
				low = middle + 1
			}
		}
		return b, low
	}
	for low < high {
		middle := int(uint(low+high) / 2)
		if block[middle].key < key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return b, low
}

// insert adds a rung; before says whether it belongs before the cursor.
func (l *ladder) insert(key float64, id int32, before bool) {
	b, o := l.place(key, true)
	atEnd := l.b >= len(l.blocks) || l.b == len(l.blocks)-1 && l.o == len(l.blocks[l.b])
	block := append(l.blocks[b], rung{})
	copy(block[o+1:], block[o:])
	block[o] = rung{key, id}
	l.blocks[b] = block
	l.n++
	switch {
	case before && atEnd:
		l.b, l.o = len(l.blocks)-1, len(l.blocks[len(l.blocks)-1])
	case before && b == l.b:
		l.o++
	case !before && atEnd:
		l.b, l.o = b, o
	}
	if len(block) >= blockSize {
		half := len(block) / 2
		l.blocks = append(l.blocks, nil)
		copy(l.blocks[b+2:], l.blocks[b+1:])
		l.blocks[b+1] = append(make([]rung, 0, blockSize), block[half:]...)
		l.blocks[b] = block[:half]
		switch {
		case l.b == b && l.o >= half:
			l.b, l.o = b+1, l.o-half
		case l.b > b:
			l.b++
		}
	}
	l.settle()
}

// drop takes out the rungs of which gone reports that their level is no more,
// all in one pass.
func (l *ladder) drop(gone func(id int32) bool) {
	kept, n, before := l.blocks[:0], 0, 0
	for i, block := range l.blocks {
		part := block[:0]
		for j, x := range block {
			if gone(x.id) {
				continue
			}
			part = append(part, x)
			n++
			if i < l.b || i == l.b && j < l.o {
				before++
			}
		}
		if len(part) > 0 {
			kept = append(kept, part)
		}
	}
	clear(l.blocks[len(kept):])
	l.blocks, l.n, l.b, l.o = kept, n, 0, before
	for l.b < len(kept)-1 && l.o >= len(kept[l.b]) {
		l.o -= len(kept[l.b])
		l.b++
	}
}

// settle moves a cursor at the end of a block to the beginning of the next.
func (l *ladder) settle() {
	for l.b < len(l.blocks)-1 && l.o >= len(l.blocks[l.b]) {
		l.b, l.o = l.b+1, 0
	}
}

// below returns the rung before the cursor; id is -1 when there is none.
func (l *ladder) below() rung {
	if l.o > 0 {
		return l.blocks[l.b][l.o-1]
	}
	if l.b > 0 {
		block := l.blocks[l.b-1]
		return block[len(block)-1]
	}
	return rung{id: -1}
}

// above returns the rung after the cursor; id is -1 when there is none.
func (l *ladder) above() rung {
	if l.b < len(l.blocks) && l.o < len(l.blocks[l.b]) {
		return l.blocks[l.b][l.o]
	}
	return rung{id: -1}
}

func (l *ladder) down() {
	if l.o == 0 {
		l.b--
		l.o = len(l.blocks[l.b])
	}
	l.o--
}

func (l *ladder) up() {
	l.o++
	l.settle()
}
