package kernel

import "math"

// Total returns the sum of s, by four sums of every fourth value.
func Total(s []float64) float64 {
	var a, b, c, d float64
	for len(s) >= 4 {
		v := s[:4:4]
		a += v[0]
		b += v[1]
		c += v[2]
		d += v[3]
		s = s[4:]
	}
	for _, x := range s {
		a += x
	}
	return (a + b) + (c + d)
}

// Distance returns the sum of the distances of the values of s from x, by four
// sums of every fourth one.
func Distance(s []float64, x float64) float64 {
	var a, b, c, d float64
	for len(s) >= 4 {
		v := s[:4:4]
		a += math.Abs(v[0] - x)
		b += math.Abs(v[1] - x)
		c += math.Abs(v[2] - x)
		d += math.Abs(v[3] - x)
		s = s[4:]
	}
	for _, v := range s {
		a += math.Abs(v - x)
	}
	return (a + b) + (c + d)
}
