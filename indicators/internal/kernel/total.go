package kernel

import "math"

// Total returns the sum of s, by four sums of every fourth value.
func Total(s []float64) float64 {
	var a, b, c, d float64
	n, i := len(s), 0
	for ; i < n-3; i += 4 {
		a += s[i]
		b += s[i+1]
		c += s[i+2]
		d += s[i+3]
	}
	for ; i < n; i++ {
		a += s[i]
	}
	return (a + b) + (c + d)
}

// Distance returns the sum of the distances of the values of s from x, by
// sixteen sums of every sixteenth while there are so many, and then by four.
func Distance(s []float64, x float64) float64 {
	whole := len(s) &^ 3
	sum := 0.0
	if whole > 0 {
		sum = distance4(s[:whole], x)
	}
	for _, v := range s[whole:] {
		sum += math.Abs(v - x)
	}
	return sum
}

// distance4Go is distance4 without instructions of its own: the first eight of
// the sixteen sums, and then the others.
func distance4Go(s []float64, x float64) float64 {
	whole := len(s) &^ 15
	a, b, c, d, e, f, g, h := distance8(s[:whole], x)
	for rest := s[whole:]; len(rest) >= 4; rest = rest[4:] {
		a += math.Abs(rest[0] - x)
		b += math.Abs(rest[1] - x)
		c += math.Abs(rest[2] - x)
		d += math.Abs(rest[3] - x)
	}
	a, b, c, d = a+e, b+f, c+g, d+h
	if whole > 0 {
		i, j, k, l, m, n, o, p := distance8(s[8:whole], x)
		a, b, c, d = a+(i+m), b+(j+n), c+(k+o), d+(l+p)
	}
	return (a + c) + (b + d)
}

// distance8 makes the sums of the first eight of every sixteen.
func distance8(s []float64, x float64) (a, b, c, d, e, f, g, h float64) {
	n := len(s)
	for i := 0; i < n-7; i += 16 {
		a += math.Abs(s[i] - x)
		b += math.Abs(s[i+1] - x)
		c += math.Abs(s[i+2] - x)
		d += math.Abs(s[i+3] - x)
		e += math.Abs(s[i+4] - x)
		f += math.Abs(s[i+5] - x)
		g += math.Abs(s[i+6] - x)
		h += math.Abs(s[i+7] - x)
	}
	return a, b, c, d, e, f, g, h
}
