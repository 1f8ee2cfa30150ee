package dxlink

import (
	"encoding/binary"
	"math/bits"
)

// A shortcut finds symbols of up to sixteen bytes, which are nearly all, by two
// words of the message, at a fraction of what a map costs. It remembers what the
// map has found and must be emptied when the map loses anything.
type shortcut[T Event] struct {
	places []known[T] // a power of two
	shift  uint
}

type known[T Event] struct {
	low, high uint64
	name      *name[T] // nil: nothing is known here
}

// mostPlaces bounds a shortcut: symbols that share a place push each other out.
const mostPlaces = 1 << 15

// grow makes room for n symbols.
func (s *shortcut[T]) grow(n int) {
	size := min(mostPlaces, 1<<bits.Len(uint(max(n, 4)*2)))
	if size > len(s.places) {
		s.places = make([]known[T], size)
		s.shift = uint(64 - bits.TrailingZeros(uint(size)))
	}
}

// forget empties the shortcut.
func (s *shortcut[T]) forget() { clear(s.places) }

// place returns where the symbol in b[from:to], which has no NUL, would stand,
// and its bytes as two numbers; nil for symbols that are too long.
func (s *shortcut[T]) place(b []byte, from, to int) (p *known[T], low, high uint64) {
	n := uint(to - from)
	if n-1 >= 16 || from+16 > len(b) {
		return nil, 0, 0
	}
	low, high = binary.LittleEndian.Uint64(b[from:]), binary.LittleEndian.Uint64(b[from+8:])
	if n <= 8 {
		low, high = low&(^uint64(0)>>(64-8*n)), 0
	} else {
		high &= ^uint64(0) >> (128 - 8*n)
	}
	// The odd constants spread the bits (D. E. Knuth, The Art of Computer
	// Programming, volume 3, section 6.4, multiplicative hashing).
	return &s.places[(low*0x9e3779b97f4a7c15^high*0xc2b2ae3d27d4eb4f)>>s.shift], low, high
}
