package options

import "math"

// The first guess of an implied volatility goes through Bachelier's model,
// where the option's value b (relative to √(lo·hi)) per moneyness x depends on
// h = x/s alone, b/x = φ(h)/h - Φ(-h). That has an inverse in one variable:
//
//   - for h below 0.8, h = v·P(v²) with v = φ(0)/(b/x + 1/2), an odd function;
//   - above, h/w is a polynomial in 1/w with w² = -2·ln(b/x).
//
// Black's deviation is then Bachelier's s times 1 + t²·Q(1/(1+h), t²) with
// t = s/2. The polynomials are least-squares fits to exact values where x < 2
// and b < 0.7, or x < 8 and the value is below half of its maximum; the median
// error of the guess is 5e-5 there, the largest 8e-4.
var (
	bachelierNear = [6]float64{0.9999926341449243, 0.5022777841899243, 0.38766006500497483, 1.234658499518149, -2.5230206300107203, 5.930295660947538}
	bachelierFar  = [8]float64{1.0015783902853033, -0.16586430235357857, -8.373451507888113, 24.363640928464278, -63.7810459250074, 179.2023589760495, -274.88217537229167, 157.175153324778}
)

const bachelierBorder = 0.15025904236845672 // b/x at h = 0.8

// bachelierInverse returns h and t of Bachelier's model for 0 < b and 0 ≤ x.
func bachelierInverse(x, b float64) (h, t float64) {
	if b >= bachelierBorder*x {
		c := &bachelierNear
		v := invSqrt2Pi * x / (b + 0.5*x)
		y := v * v
		y2 := y * y
		p := (c[0] + y*c[1]) + y2*((c[2]+y*c[3])+y2*(c[4]+y*c[5]))
		return v * p, (b + 0.5*x) * (0.5 * sqrt2Pi) / p
	}
	c := &bachelierFar
	w := math.Sqrt(2 * logRatio(x, b))
	r := 1 / w
	r2 := r * r
	p := ((c[0] + r*c[1]) + r2*(c[2]+r*c[3])) + r2*r2*((c[4]+r*c[5])+r2*(c[6]+r*c[7]))
	h = w * p
	return h, 0.5 * x / h
}

// blackOverBachelier has the coefficients of Q, by powers of t² within powers
// of 1/(1+h): for x below 2, and from there to 8.
var blackOverBachelier = [2][16]float64{
	{
		-0.023931487653300835, -0.28350639289014123, 0.12725160477354888, 0.005356925011076953,
		0.2319859071087761, 1.408189835879737, -0.8639419555657615, 0.02791057290093664,
		0.16590990741166087, -1.973918290839512, 1.5921536924310997, -0.01512317283795325,
		-0.21026101273441342, 0.9237294166524342, -0.8663510947644893, 0.027124003365579838,
	},
	{
		0.0039149958630023286, 0.010020565164833677, -0.005959710449091605, 0.0017604842368666247,
		-0.1041605123109564, -0.05118554778125112, -0.04894967954680495, 0.042121028537151405,
		1.3569941896669993, -0.2183709034433972, 0.7444282149773329, -0.44464741461554236,
		-1.6409600083483054, 1.3890786131033153, -1.847748316943521, 1.0241911148928535,
	},
}

// guessDeviation returns a first s, given the value relative to lo (target) and
// to √(lo·hi) (b), and reports whether it is a good one.
func guessDeviation(x, target, b float64) (float64, bool) {
	c := &blackOverBachelier[0]
	if x >= 2 {
		c = &blackOverBachelier[1]
		if x > 8 || target > 0.55 {
			return 0, false
		}
	} else if b > 0.7 {
		return 0, false
	}
	h, t := bachelierInverse(x, b)
	y := t * t
	y2 := y * y
	z := 1 / (1 + h)
	c0 := (c[0] + y*c[1]) + y2*(c[2]+y*c[3])
	c1 := (c[4] + y*c[5]) + y2*(c[6]+y*c[7])
	c2 := (c[8] + y*c[9]) + y2*(c[10]+y*c[11])
	c3 := (c[12] + y*c[13]) + y2*(c[14]+y*c[15])
	return 2 * t * (1 + y*((c0+z*c1)+z*z*(c2+z*c3))), true
}
