package options

import "math"

// Greeks returns the value of the option and its derivatives to third order,
// from shared terms. The formulas are the derivatives of the one at
// [BSM.Price]; Haug, The Complete Guide to Option Pricing Formulas (2007),
// chapter 2, prints most of them. ProbTouch is the first-passage probability
// of a geometric Brownian motion with drift Rate-Yield.
//
// Without randomness (zero volatility, time, spot or strike) the fields are the
// limits, and NaN where there is none: that is the case of some exactly at the
// money forward, where Gamma and DualGamma are +Inf. With infinite volatility
// only Price, Delta, DualDelta, the rhos and probabilities are known. All are
// NaN for an argument that is NaN or impossible.
func (p BSM) Greeks(k Kind) Greeks {
	var g Greeks
	p.greeks(k, &g)
	return g
}

func (p *BSM) greeks(k Kind, g *Greeks) {
	asset, cash, ok := p.present()
	if !ok || !(p.Vol >= 0) || !validKind(k) {
		*g = unknownGreeks()
		return
	}
	root := math.Sqrt(p.Years)
	s := p.Vol * root
	if !(s > 0) || asset == 0 || cash == 0 {
		*g = p.certain(k, asset, cash)
		return
	}
	sign := float64(k)
	logSpot := logRatio(p.Spot, p.Strike)
	drift := (p.Rate - p.Yield) * p.Years
	x := logSpot + drift
	f, value, _, tail, body, mb := black(math.Abs(x), s)
	lo, hi := min(asset, cash), max(asset, cash)
	// lo·φ(a) = hi·φ(b): the two densities in money are one number.
	density := lo * f
	far := density * mb / hi // Φ(-b)
	// Φ(±d1) and Φ(±d2), by the sign of x and of the argument.
	sides := [4][2]float64{{tail, far}, {body, 1 - far}, {1 - far, body}, {far, tail}}
	side := 0
	if x > 0 {
		side = 2
	}
	put := 0
	if k == Put {
		put = 1
	}
	n := &sides[side+put]
	n1, n2 := n[0], n[1]

	intrinsic := sign * (asset - cash)
	g.Price = lo*value + (0.5*intrinsic + 0.5*math.Abs(intrinsic))
	inverseSpot, inverseStrike := 1/p.Spot, 1/p.Strike
	yield := asset * inverseSpot // e^(-qT)
	g.Delta = sign * yield * n1
	g.DualDelta = -sign * cash * inverseStrike * n2
	g.ProbITM = n2
	g.Rho = sign * p.Years * cash * n2
	g.RhoYield = -sign * p.Years * asset * n1
	below := 0 // the spot from the strike
	if logSpot > 0 {
		below = 1
	}
	if math.IsInf(s, 1) {
		g.onlyFirst()
		g.ProbTouch = min(math.Exp(logSpot), 1)
		return
	}
	inverse := 1 / s
	h := x * inverse
	d1, d2 := h+0.5*s, h-0.5*s
	vega := density * root
	gamma := density * inverseSpot * inverseSpot * inverse
	inverseVol, year := root*inverse, 0.5/p.Years
	// move is dd1/dT·2T, the part of the time derivatives that d1 brings.
	move := 2*drift*inverse - d2
	d12 := d1 * d2
	pdf1 := density * inverseSpot // e^(-qT)·φ(d1)
	g.Gamma = gamma
	g.Vega = vega
	g.Theta = -vega*p.Vol*year - sign*p.Rate*cash*n2 + sign*p.Yield*asset*n1
	g.Vanna = -pdf1 * d2 * inverseVol
	g.Charm = sign*p.Yield*yield*n1 - pdf1*move*year
	g.Vomma = vega * d12 * inverseVol
	g.Veta = vega * (p.Yield + (d1*move-1)*year)
	g.Speed = -gamma * inverseSpot * (d1*inverse + 1)
	g.Zomma = gamma * (d12 - 1) * inverseVol
	g.Color = gamma * (p.Yield + (d1*move+1)*year)
	g.Ultima = -vega * (inverseVol * inverseVol) * (d12*(1-d12) + d1*d1 + d2*d2)
	g.DualGamma = density * inverseStrike * inverseStrike * inverse
	g.ProbTouch = p.touch(s, logSpot, drift, sides[side+below][1], density/cash)
}

// touch returns the probability that the spot meets the strike within the
// option's life: with b the distance |ln(K/S)| and m the drift of the
// logarithm, both counted towards the strike, over deviation s,
//
//	Φ((m-b)/s) + exp(2bm/s²)·Φ(-(m+b)/s)
//
// The first term is the probability to end beyond the strike, which is given
// with its density φ((m-b)/s) = exp(2bm/s²)·φ((m+b)/s).
func (p *BSM) touch(s, logSpot, drift, beyond, density float64) float64 {
	if logSpot == 0 {
		return 1
	}
	b, m := math.Abs(logSpot), math.Copysign(1, -logSpot)*(drift-0.5*s*s)
	w := (b + m) / s
	if w >= -1 {
		return min(beyond+density*mills(w), 1)
	}
	return min(beyond+math.Exp(2*b*m/(s*s))*cdf(-w), 1)
}

// certain returns the limit of the Greeks where nothing is random.
func (p BSM) certain(k Kind, asset, cash float64) Greeks {
	sign := float64(k)
	g := Greeks{Price: max(sign*(asset-cash), 0)}
	in := 0.0 // the share of the payoff that is exercised
	switch {
	case sign*(asset-cash) > 0 || cash == 0 && k == Call:
		in = 1
	case asset == cash && cash > 0:
		in = 0.5
	}
	yield, discount := math.Exp(-p.Yield*p.Years), math.Exp(-p.Rate*p.Years)
	g.Delta = sign * yield * in
	g.DualDelta = -sign * discount * in
	g.ProbITM = in
	g.Rho = sign * p.Years * cash * in
	g.RhoYield = -sign * p.Years * asset * in
	// The spot walks straight from where it is to the forward.
	if forward := p.Forward(); (p.Strike-p.Spot)*(forward-p.Strike) >= 0 && (p.Strike == p.Spot || forward != p.Spot) {
		g.ProbTouch = 1
	}
	if in == 0.5 {
		nan := math.NaN()
		g.Gamma, g.DualGamma = math.Inf(1), math.Inf(1)
		g.Vega = asset * invSqrt2Pi * math.Sqrt(p.Years)
		g.Theta, g.Vanna, g.Charm, g.Vomma, g.Veta = nan, nan, nan, nan, nan
		g.Speed, g.Zomma, g.Color, g.Ultima = nan, nan, nan, nan
		return g
	}
	g.Theta = sign * in * (p.Yield*asset - p.Rate*cash)
	g.Charm = sign * in * p.Yield * yield
	return g
}

// onlyFirst blanks what has no limit as volatility grows without bound.
func (g *Greeks) onlyFirst() {
	all := unknownGreeks()
	all.Price, all.Delta, all.DualDelta = g.Price, g.Delta, g.DualDelta
	all.Rho, all.RhoYield, all.ProbITM = g.Rho, g.RhoYield, g.ProbITM
	*g = all
}

func unknownGreeks() Greeks {
	n := math.NaN()
	return Greeks{n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n}
}
