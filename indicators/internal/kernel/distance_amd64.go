package kernel

// wide tells whether the processor has AVX2, and the system keeps its registers.
var wide = hasAVX2()

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
