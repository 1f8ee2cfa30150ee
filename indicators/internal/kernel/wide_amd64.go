package kernel

// wide tells whether the processor has AVX2, and the system keeps its registers.
var wide = hasAVX2()

// Wide reports whether there is AVX2.
func Wide() bool { return wide }

// hasAVX2 asks the processor.
func hasAVX2() bool

// distanceAVX2 is distance4Go, bit for bit.
//
//go:noescape
func distanceAVX2(s []float64, x float64) float64

// distance4 adds up the distances of four, eight, … values from x as Distance
// tells.
func distance4(s []float64, x float64) float64 {
	if wide {
		return distanceAVX2(s, x)
	}
	return distance4Go(s, x)
}

// finiteAVX2 is finiteGo.
//
//go:noescape
func finiteAVX2(s []float64) bool

// finite16 is AllFinite of sixteen, 32, … values.
func finite16(s []float64) bool {
	if wide {
		return finiteAVX2(s)
	}
	return finiteGo(s)
}
