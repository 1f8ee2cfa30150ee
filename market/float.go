package market

import (
	"bytes"
	"math"
	"strconv"
)

// A Float is a float64 in results that become JSON: NaN and the infinities,
// which JSON lacks, are written as null; null is read back as NaN. Its JSON
// schema is "number or null".
type Float float64

// MarshalJSON writes the shortest number that reads back equal, or null.
func (f Float) MarshalJSON() ([]byte, error) {
	x := float64(f)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return []byte("null"), nil
	}
	format := byte('f')
	if a := math.Abs(x); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(nil, x, format, -1, 64), nil
}

// UnmarshalJSON reads a number, a number in a string, or null as NaN.
func (f *Float) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*f = Float(math.NaN())
		return nil
	}
	x, err := strconv.ParseFloat(string(bytes.Trim(data, `"`)), 64)
	if err != nil {
		return &FieldError{Field: "number", Value: string(data), Allowed: "a number or null"}
	}
	*f = Float(x)
	return nil
}

// Known reports whether f is a finite number.
func (f Float) Known() bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }
