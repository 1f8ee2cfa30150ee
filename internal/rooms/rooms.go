// Package rooms keeps many small values in few pieces of memory: what is made for
// each order of a long replay would otherwise be most of the garbage collector's
// work. Nothing in it is safe for concurrent use.
package rooms

import "strconv"

// A Shelf hands out room for values, cut from pieces of Piece values (0: 16). What
// was handed out is never handed out again. A piece is freed when nothing of it is
// in use any more.
type Shelf[T any] struct {
	Piece int
	left  []T
}

// Take returns n zero values. Appending to them copies them.
func (s *Shelf[T]) Take(n int) []T {
	if len(s.left) < n {
		piece := s.Piece
		if piece == 0 {
			piece = 16
		}
		s.left = make([]T, max(n, piece))
	}
	out := s.left[:n:n]
	s.left = s.left[n:]
	return out
}

// One returns a zero value.
func (s *Shelf[T]) One() *T { return &s.Take(1)[0] }

// listPiece is how many values a piece of a long List has.
const listPiece = 512

// A List is a list that only grows at its end, and is not copied while it does.
type List[T any] struct {
	full [][]T
	last []T
}

// Add appends a value and returns where it lies, until All is called.
func (l *List[T]) Add(x T) *T {
	if len(l.last) == cap(l.last) {
		if len(l.last) > 0 {
			l.full = append(l.full, l.last)
		}
		l.last = make([]T, 0, min(max(2*len(l.last), 8), listPiece))
	}
	l.last = append(l.last, x)
	return &l.last[len(l.last)-1]
}

// Len is how many values there are.
func (l *List[T]) Len() int {
	n := len(l.last)
	for _, piece := range l.full {
		n += len(piece)
	}
	return n
}

// Keep drops values at the beginning so that at most so many are left.
func (l *List[T]) Keep(most int) {
	all := l.All()
	if drop := len(all) - most; drop > 0 {
		kept := append(all[:0], all[drop:]...)
		clear(all[len(kept):])
		l.full, l.last = nil, kept
	}
}

// All returns the values in one piece, nil when there are none. The list goes on
// behind them.
func (l *List[T]) All() []T {
	if len(l.full) > 0 {
		all := make([]T, 0, l.Len())
		for _, piece := range l.full {
			all = append(all, piece...)
		}
		l.full, l.last = nil, append(all, l.last...)
	}
	return l.last
}

// namesPiece is how many names are made at once.
const namesPiece = 64

// Names are texts that end with a number, made many at a time: "F1", "F2" and so
// on. The zero value has no prefix.
type Names struct {
	Prefix string
	from   uint64 // the number of the first of text
	ends   [namesPiece + 1]int32
	text   string
	room   []byte
}

// Of is the prefix and a number. Numbers that are asked for in their order cost
// the least.
func (n *Names) Of(number uint64) string {
	if n.text == "" || number-n.from >= namesPiece {
		n.from, n.room = number, n.room[:0]
		for i := range uint64(namesPiece) {
			n.room = strconv.AppendUint(append(n.room, n.Prefix...), number+i, 10)
			n.ends[i+1] = int32(len(n.room))
		}
		n.text = string(n.room)
	}
	i := number - n.from
	return n.text[n.ends[i]:n.ends[i+1]]
}

// fewest is how many entries an Index looks through one by one.
const fewest = 12

// An Index is a map that is a list while it is short: one of the few orders that
// work at a time is found sooner by looking at each.
type Index[K comparable, V any] struct {
	keys   []K
	values []V
	many   map[K]V // all of them, when there are more than fewest
}

// Get returns the value of a key.
func (x *Index[K, V]) Get(key K) (V, bool) {
	if x.many != nil {
		v, ok := x.many[key]
		return v, ok
	}
	for i := len(x.keys) - 1; i >= 0; i-- {
		if x.keys[i] == key {
			return x.values[i], true
		}
	}
	var none V
	return none, false
}

// Set puts a value in the place of a key's.
func (x *Index[K, V]) Set(key K, value V) {
	if x.many != nil {
		x.many[key] = value
		return
	}
	for i := range x.keys {
		if x.keys[i] == key {
			x.values[i] = value
			return
		}
	}
	x.keys, x.values = append(x.keys, key), append(x.values, value)
	if len(x.keys) > fewest {
		x.many = make(map[K]V, 2*len(x.keys))
		for i := range x.keys {
			x.many[x.keys[i]] = x.values[i]
		}
		clear(x.keys)
		clear(x.values)
		x.keys, x.values = x.keys[:0], x.values[:0]
	}
}

// Delete takes a key out.
func (x *Index[K, V]) Delete(key K) {
	if x.many != nil {
		if delete(x.many, key); len(x.many) == 0 {
			x.many = nil
		}
		return
	}
	for i := range x.keys {
		if x.keys[i] == key {
			last := len(x.keys) - 1
			copy(x.keys[i:], x.keys[i+1:])
			copy(x.values[i:], x.values[i+1:])
			clear(x.keys[last:])
			clear(x.values[last:])
			x.keys, x.values = x.keys[:last], x.values[:last]
			return
		}
	}
}

// Len is how many keys there are.
func (x *Index[K, V]) Len() int { return len(x.keys) + len(x.many) }
