//go:build !amd64

package kernel

// distance4 adds up the distances of four, eight, … values from x as Distance
// tells.
func distance4(s []float64, x float64) float64 { return distance4Go(s, x) }

// finite16 is AllFinite of sixteen, 32, … values.
func finite16(s []float64) bool { return finiteGo(s) }
