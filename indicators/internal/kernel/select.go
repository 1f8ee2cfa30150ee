package kernel

import "math"

// Where returns x where yes, and else 0, without a branch.
func Where(yes bool, x float64) float64 {
	var m uint64
	if yes {
		m = 1
	}
	return math.Float64frombits(math.Float64bits(x) & -m)
}

// Negative is 1 below 0 and else 0, without a branch.
func Negative(x float64) int { return int(math.Float64bits(x) >> 63) }

// Positive returns x above 0 and else 0, without a branch.
func Positive(x float64) float64 {
	b := int64(math.Float64bits(x))
	return math.Float64frombits(uint64(b &^ (b >> 63)))
}

// TrueRange is the greatest of the bar's range and the distances of high and
// low from the close before. None of them but the first can be negative, and
// numbers from 0 on are ordered as their bits are.
func TrueRange(high, low, previous float64) float64 {
	reach := int64(math.Float64bits(high - low))
	up := int64(math.Float64bits(math.Abs(high - previous)))
	down := int64(math.Float64bits(math.Abs(low - previous)))
	return math.Float64frombits(uint64(max(reach, up, down)))
}
