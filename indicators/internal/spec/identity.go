package spec

import (
	"hash/fnv"
	"math"
)

// Identity tells the streams of different indicators, or of different
// parameters, apart: a snapshot carries it.
func Identity(name string, params []float64) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	var word [8]byte
	for _, v := range params {
		b := math.Float64bits(v + 0) // -0 and 0 are one parameter
		for i := range word {
			word[i] = byte(b >> (8 * i))
		}
		h.Write(word[:])
	}
	return h.Sum64()
}
