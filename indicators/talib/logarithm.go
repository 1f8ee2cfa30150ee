package talib

import "math"

// Logarithms and arctangents by the method of Tang (ACM Transactions on
// Mathematical Software 16, 1990): a table for the number's leading bits and a
// short series for what is left, to less than one unit in the last place. What
// the tables do not cover goes to package math.

const (
	logBegin = 0x3fe6000000000000 // the bits of 0.6875
	logHalf  = 1 << 44            // half a step of the table
	exponent = 0xfff << 52
	// trailing are the last bits of a number: products of the others, and of
	// these, with twelve more are exact.
	trailing = 1<<30 - 1
	// ln(2) in two parts, the first a multiple of 2⁻⁴².
	ln2High, ln2Low = 0.6931471805598903, 5.497923018708371e-14
	leastNormal     = 0x0010000000000000
	infinite        = 0x7ff0000000000000
	log10e          = 0.43429448190325182765
	// log10(2), likewise.
	two10High, two10Low = 0.3010299956640665, -8.532344317057107e-14
)

// logOf is the natural logarithm.
func logOf(x float64) float64 {
	bits := math.Float64bits(x)
	if bits-leastNormal >= infinite-leastNormal {
		return math.Log(x)
	}
	return logOfBits(bits)
}

// logOfBits is logOf of a positive number that is neither tiny nor infinite.
func logOfBits(bits uint64) float64 {
	step := bits - logBegin + logHalf
	t := &logarithms[step>>45&127]
	z := bits - step&exponent
	k := float64(int64(step) >> 52)
	start := math.Float64frombits(z &^ trailing)
	r := (float64(start*t.inverse) - 1) + float64((math.Float64frombits(z)-start)*t.inverse)
	q := r * r
	p := (-1.0/2 + float64(r*(1.0/3))) + float64(q*((-1.0/4+float64(r*(1.0/5)))+float64(q*(-1.0/6+float64(r*(1.0/7))))))
	return (float64(k*ln2High) + t.high) + (r + (float64(q*p) + (t.low + float64(k*ln2Low))))
}

// log10Of is the decimal logarithm.
func log10Of(x float64) float64 {
	bits := math.Float64bits(x)
	if bits-leastNormal >= infinite-leastNormal {
		return math.Log10(x)
	}
	step := bits - logBegin + logHalf
	t := &logarithms[step>>45&127]
	z := bits - step&exponent
	k := float64(int64(step) >> 52)
	start := math.Float64frombits(z &^ trailing)
	r := (float64(start*t.inverse) - 1) + float64((math.Float64frombits(z)-start)*t.inverse)
	q := r * r
	p := (-1.0/2 + float64(r*(1.0/3))) + float64(q*((-1.0/4+float64(r*(1.0/5)))+float64(q*(-1.0/6+float64(r*(1.0/7))))))
	return (float64(k*two10High) + t.high10) + (float64(r*log10e) + (float64(float64(q*p)*log10e) + (t.low10 + float64(k*two10Low))))
}

// eachLog is logOf of every value, and eachAtan arctangentOf: they are written
// out, because the compiler does not inline them and a call for each value would cost too much.
func eachLog(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		bits := math.Float64bits(v)
		if bits-leastNormal >= infinite-leastNormal {
			out[i] = math.Log(v)
			continue
		}
		step := bits - logBegin + logHalf
		t := &logarithms[step>>45&127]
		z := bits - step&exponent
		k := float64(int64(step) >> 52)
		start := math.Float64frombits(z &^ trailing)
		r := (float64(start*t.inverse) - 1) + float64((math.Float64frombits(z)-start)*t.inverse)
		q := r * r
		p := (-1.0/2 + float64(r*(1.0/3))) + float64(q*((-1.0/4+float64(r*(1.0/5)))+float64(q*(-1.0/6+float64(r*(1.0/7))))))
		out[i] = (float64(k*ln2High) + t.high) + (r + (float64(q*p) + (t.low + float64(k*ln2Low))))
	}
}

func eachLog10(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = log10Of(v)
	}
}

const (
	arcBegin             = 0x3fa0000000000000 // the bits of 1/32
	arcEnd               = 0x4040000000000000 // of 32
	quarterHigh, quarter = 1.5707963267948966, 6.123233995736766e-17
	sign                 = 1 << 63
)

// arctangentOf is the angle in radians with that tangent. The table's angle
// nearest to it is subtracted: atan x = atan c + atan (x-c)/(1+x·c).
func arctangentOf(x float64) float64 {
	bits := math.Float64bits(x)
	size := bits &^ sign
	v := math.Float64frombits(size)
	var high, low float64
	switch {
	case size-arcBegin < arcEnd-arcBegin:
		t := &arcs[(size-arcBegin)>>49%80]
		v = (v - t.tangent) / (1 + float64(v*t.tangent))
		high, low = t.high, t.low
	case size >= arcEnd: // a right angle less the one of 1/x
		v = -1 / v
		high, low = quarterHigh, quarter
	}
	q := v * v
	s := q * q
	p := (-1.0/3 + float64(q*(1.0/5))) + float64(s*((-1.0/7+float64(q*(1.0/9)))+float64(s*(-1.0/11+float64(q*(1.0/13))))))
	return math.Float64frombits(math.Float64bits(high+(v+(float64(float64(v*q)*p)+low))) | bits&sign)
}

// arcsineOf and arccosineOf are NaN outside -1 to 1.
func arcsineOf(x float64) float64 { return arctangentOf(x / math.Sqrt((1-x)*(1+x))) }

func arccosineOf(x float64) float64 { return 2 * arctangentOf(math.Sqrt((1-x)/(1+x))) }

func eachAtan(out, x []float64) {
	out = out[:len(x)]
	for i, a := range x {
		bits := math.Float64bits(a)
		size := bits &^ sign
		v := math.Float64frombits(size)
		var high, low float64
		switch {
		case size-arcBegin < arcEnd-arcBegin:
			t := &arcs[(size-arcBegin)>>49%80]
			v = (v - t.tangent) / (1 + float64(v*t.tangent))
			high, low = t.high, t.low
		case size >= arcEnd: // a right angle less the one of 1/x
			v = -1 / v
			high, low = quarterHigh, quarter
		}
		q := v * v
		s := q * q
		p := (-1.0/3 + float64(q*(1.0/5))) + float64(s*((-1.0/7+float64(q*(1.0/9)))+float64(s*(-1.0/11+float64(q*(1.0/13))))))
		out[i] = math.Float64frombits(math.Float64bits(high+(v+(float64(float64(v*q)*p)+low))) | bits&sign)
	}
}

func eachAsin(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = v / math.Sqrt((1-v)*(1+v))
	}
	eachAtan(out, out)
}

func eachAcos(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = math.Sqrt((1 - v) / (1 + v))
	}
	eachAtan(out, out)
	for i, v := range out {
		out[i] = 2 * v
	}
}
