package talib

import "math"

// What follows computes powers of e, sines and cosines from a table and a short
// Taylor series for what the table's step leaves, to about one unit in the last
// place, in half the time of package math. Numbers too large for the steps'
// parts to be exact go to package math.

// The step π/32 in three parts, the first two short enough that their products
// with a number of steps are exact; and the same of ln(2)/32.
const (
	turn1, turn2, turn3 = 0.09817477042088285, 3.798187816439979e-12, 1.2639164054974691e-22
	fold1, fold2        = 0.021660849390173098, 2.325192846878874e-12
	mostTurned          = 1e5
	mostRaised          = 700
	// whole added to a small number leaves it rounded, in the lowest bits.
	whole = 0x1.8p52
)

// turned splits an angle into steps of π/32, modulo 64, and the rest, of which
// it returns the sine and the cosine less 1.
func turned(x float64) (step int, sine, cosine float64) {
	shifted := float64(x*(32/math.Pi)) + whole
	n := shifted - whole
	r := x - float64(n*turn1) - float64(n*turn2) - float64(n*turn3)
	q := r * r
	sine = r + float64(float64(r*q)*(-1.0/6+float64(q*(1.0/120+float64(q*(-1.0/5040))))))
	cosine = q * (-1.0/2 + float64(q*(1.0/24+float64(q*(-1.0/720+float64(q*(1.0/40320)))))))
	return int(math.Float64bits(shifted) & 63), sine, cosine
}

func sineOf(x float64) float64 {
	if !(math.Abs(x) < mostTurned) {
		return math.Sin(x)
	}
	k, s, c := turned(x)
	a, b := sines[k], sines[k+16]
	return a + (float64(a*c) + float64(b*s))
}

func cosineOf(x float64) float64 {
	if !(math.Abs(x) < mostTurned) {
		return math.Cos(x)
	}
	k, s, c := turned(x)
	a, b := sines[k], sines[k+16]
	return b + (float64(b*c) - float64(a*s))
}

func tangentOf(x float64) float64 {
	if !(math.Abs(x) < mostTurned) {
		return math.Tan(x)
	}
	k, s, c := turned(x)
	a, b := sines[k], sines[k+16]
	return (a + (float64(a*c) + float64(b*s))) / (b + (float64(b*c) - float64(a*s)))
}

func powerOf(x float64) float64 {
	if !(math.Abs(x) < mostRaised) {
		return math.Exp(x)
	}
	shifted := float64(x*(32/math.Ln2)) + whole
	n := shifted - whole
	r := x - float64(n*fold1) - float64(n*fold2)
	q := r * r
	p := r + float64(q*((1.0/2+float64(r*(1.0/6)))+float64(q*((1.0/24+float64(r*(1.0/120)))+float64(q*(1.0/720))))))
	bits := math.Float64bits(shifted)
	t := powers[bits&31]
	return math.Float64frombits(math.Float64bits(t+float64(t*p)) + bits>>5<<52)
}

func eachSin(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = sineOf(v)
	}
}

// eachCos is cosineOf, and eachExp powerOf, written out: calls take long.
func eachCos(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		if !(math.Abs(v) < mostTurned) {
			out[i] = math.Cos(v)
			continue
		}
		shifted := float64(v*(32/math.Pi)) + whole
		n := shifted - whole
		r := v - float64(n*turn1) - float64(n*turn2) - float64(n*turn3)
		q := r * r
		s := r + float64(float64(r*q)*(-1.0/6+float64(q*(1.0/120+float64(q*(-1.0/5040))))))
		c := q * (-1.0/2 + float64(q*(1.0/24+float64(q*(-1.0/720+float64(q*(1.0/40320)))))))
		k := math.Float64bits(shifted) & 63
		b := sines[k+16]
		out[i] = b + (float64(b*c) - float64(sines[k]*s))
	}
}

func eachTan(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = tangentOf(v)
	}
}

func eachExp(out, x []float64) {
	out = out[:len(x)]
	for i, v := range x {
		if !(math.Abs(v) < mostRaised) {
			out[i] = math.Exp(v)
			continue
		}
		shifted := float64(v*(32/math.Ln2)) + whole
		n := shifted - whole
		r := v - float64(n*fold1) - float64(n*fold2)
		q := r * r
		p := r + float64(q*((1.0/2+float64(r*(1.0/6)))+float64(q*((1.0/24+float64(r*(1.0/120)))+float64(q*(1.0/720))))))
		bits := math.Float64bits(shifted)
		t := powers[bits&31]
		out[i] = math.Float64frombits(math.Float64bits(t+float64(t*p)) + bits>>5<<52)
	}
}

// sines are those of every step of a turn, and of the quarter after it.
var sines = [80]float64{
	0.0, 0.0980171403295606, 0.19509032201612828, 0.2902846772544624,
	0.3826834323650898, 0.47139673682599764, 0.5555702330196022, 0.6343932841636455,
	0.7071067811865476, 0.773010453362737, 0.8314696123025452, 0.881921264348355,
	0.9238795325112867, 0.9569403357322088, 0.9807852804032304, 0.9951847266721969,
	1.0, 0.9951847266721969, 0.9807852804032304, 0.9569403357322088,
	0.9238795325112867, 0.881921264348355, 0.8314696123025452, 0.773010453362737,
	0.7071067811865476, 0.6343932841636455, 0.5555702330196022, 0.47139673682599764,
	0.3826834323650898, 0.2902846772544624, 0.19509032201612828, 0.0980171403295606,
	0.0, -0.0980171403295606, -0.19509032201612828, -0.2902846772544624,
	-0.3826834323650898, -0.47139673682599764, -0.5555702330196022, -0.6343932841636455,
	-0.7071067811865476, -0.773010453362737, -0.8314696123025452, -0.881921264348355,
	-0.9238795325112867, -0.9569403357322088, -0.9807852804032304, -0.9951847266721969,
	-1.0, -0.9951847266721969, -0.9807852804032304, -0.9569403357322088,
	-0.9238795325112867, -0.881921264348355, -0.8314696123025452, -0.773010453362737,
	-0.7071067811865476, -0.6343932841636455, -0.5555702330196022, -0.47139673682599764,
	-0.3826834323650898, -0.2902846772544624, -0.19509032201612828, -0.0980171403295606,
	0.0, 0.0980171403295606, 0.19509032201612828, 0.2902846772544624,
	0.3826834323650898, 0.47139673682599764, 0.5555702330196022, 0.6343932841636455,
	0.7071067811865476, 0.773010453362737, 0.8314696123025452, 0.881921264348355,
	0.9238795325112867, 0.9569403357322088, 0.9807852804032304, 0.9951847266721969,
}

// powers are 2 to 0/32, 1/32, … 31/32.
var powers = [32]float64{
	1.0, 1.0218971486541166, 1.0442737824274138, 1.0671404006768237,
	1.0905077326652577, 1.1143867425958924, 1.1387886347566916, 1.1637248587775775,
	1.189207115002721, 1.215247359980469, 1.241857812073484, 1.2690509571917332,
	1.2968395546510096, 1.3252366431597413, 1.3542555469368927, 1.383909881963832,
	1.4142135623730951, 1.4451808069770467, 1.4768261459394993, 1.5091644275934228,
	1.5422108254079407, 1.5759808451078865, 1.6104903319492543, 1.645755478153965,
	1.681792830507429, 1.718619298122478, 1.7562521603732995, 1.7947090750031072,
	1.8340080864093424, 1.8741676341103, 1.9152065613971474, 1.9571441241754002,
}
