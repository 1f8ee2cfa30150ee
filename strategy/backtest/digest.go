package backtest

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/ttai-go/ttai/market"
)

// A digest names data in 64 bits: the words are mixed in pairs by the high and the
// low half of a product, as in wyhash. It tells data apart that differ by
// accident, and is no protection against forgery.
type digest struct{ a, b uint64 }

func newDigest() digest { return digest{0x9e3779b97f4a7c15, 0xd1b54a32d192ed03} }

func (d *digest) add(x uint64) {
	high, low := bits.Mul64(d.a^x, 0xa0761d6478bd642f)
	d.a, d.b = d.b^low, high^low+0xe7037ed1a0b428db
}

func (d *digest) text(s string) {
	for ; len(s) >= 8; s = s[8:] {
		d.add(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56)
	}
	last := uint64(len(s)) << 56
	for i := range len(s) {
		last |= uint64(s[i]) << (8 * i)
	}
	d.add(last)
}

// bar takes a bar's numbers, two to a product.
func (d *digest) bar(at int64, b *market.Bar) {
	high, low := bits.Mul64(math.Float64bits(b.Open)^d.a, math.Float64bits(b.High)^0xa0761d6478bd642f)
	high2, low2 := bits.Mul64(math.Float64bits(b.Low)^d.b, math.Float64bits(b.Close)^0xe7037ed1a0b428db)
	high3, low3 := bits.Mul64(uint64(at)^0x8ebc6af09c88c6e3, math.Float64bits(b.Volume)^0x589965cc75374cc3)
	d.a = bits.RotateLeft64(d.a, 23) ^ high ^ low2 ^ low3
	d.b = bits.RotateLeft64(d.b, 41) + (high2 ^ low ^ high3)
}

func (d *digest) sum() uint64 {
	high, low := bits.Mul64(d.a^0x1d8e4e27c47d124f, d.b^0xeb44accab455d165)
	return high ^ low
}

func (d *digest) String() string { return fmt.Sprintf("%016x", d.sum()) }
