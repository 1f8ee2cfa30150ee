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
	asset, cash, ok := p.present()
	if !ok || !(p.Vol >= 0) || !validKind(k) {
		return unknownGreeks()
	}
	root := math.Sqrt(p.Years)
	s := p.Vol * root
	if !(s > 0) || asset == 0 || cash == 0 {
		return p.certain(k, asset, cash)
	}
	sign := float64(k)
	x := p.moneyness()
	h := x / s
	d1, d2 := h+0.5*s, h-0.5*s
	pdf1, pdf2 := density(d1), density(d2)
	n1, n2 := signedTail(sign*d1, pdf1), signedTail(sign*d2, pdf2)

	var g Greeks
	g.Price = min(asset, cash) * newBlack(math.Abs(x), s).value
	if (x > 0) == (k == Call) {
		g.Price += math.Abs(asset - cash)
	}
	yield := asset / p.Spot // e^(-qT)
	discount := cash / p.Strike
	g.Delta = sign * yield * n1
	g.DualDelta = -sign * discount * n2
	g.ProbITM = n2
	g.ProbTouch = p.touch(s)
	g.Rho = sign * p.Years * cash * n2
	g.RhoYield = -sign * p.Years * asset * n1
	if math.IsInf(s, 1) {
		return g.onlyFirst()
	}
	gamma := yield * pdf1 / (p.Spot * s)
	vega := asset * pdf1 * root
	// drift is dd1/dT·2T, the part of the time derivatives that d1 brings.
	drift := (2*(p.Rate-p.Yield)*p.Years - d2*s) / s
	year := 1 / (2 * p.Years)
	g.Gamma = gamma
	g.Vega = vega
	g.Theta = -vega*p.Vol*year - sign*p.Rate*cash*n2 + sign*p.Yield*asset*n1
	g.Vanna = -yield * pdf1 * d2 / p.Vol
	g.Charm = sign*p.Yield*yield*n1 - yield*pdf1*drift*year
	g.Vomma = vega * d1 * d2 / p.Vol
	g.Veta = vega * (p.Yield + (d1*drift-1)*year)
	g.Speed = -gamma / p.Spot * (d1/s + 1)
	g.Zomma = gamma * (d1*d2 - 1) / p.Vol
	g.Color = gamma * (p.Yield + (d1*drift+1)*year)
	g.Ultima = -vega / (p.Vol * p.Vol) * (d1*d2*(1-d1*d2) + d1*d1 + d2*d2)
	g.DualGamma = discount * pdf2 / (p.Strike * s)
	return g
}

// signedTail returns Φ(z), given φ(z).
func signedTail(z, pdf float64) float64 {
	m, _ := mills(math.Abs(z))
	if z < 0 {
		return pdf * m
	}
	return 1 - pdf*m
}

// touch returns the probability that the spot meets the strike within the
// option's life: with b the distance ln(K/S) and m the drift of the logarithm,
// both counted towards the strike, over deviation s,
//
//	Φ((m-b)/s) + exp(2bm/s²)·Φ(-(m+b)/s)
func (p BSM) touch(s float64) float64 {
	b := -logMoneyness(p.Spot, p.Strike)
	if math.IsInf(s, 1) {
		return min(math.Exp(-b), 1)
	}
	m := (p.Rate-p.Yield)*p.Years - 0.5*s*s
	if b < 0 {
		b, m = -b, -m
	}
	if b == 0 {
		return 1
	}
	u, w := (b-m)/s, (b+m)/s
	second := 0.0
	if w >= 0 { // exp(2bm/s²)·φ(w) = φ(u), which cannot overflow
		ratio, _ := mills(w)
		second = density(u) * ratio
	} else {
		second = math.Exp(2*b*m/(s*s)) * cdf(-w)
	}
	return min(cdf(-u)+second, 1)
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
func (g Greeks) onlyFirst() Greeks {
	all := unknownGreeks()
	all.Price, all.Delta, all.DualDelta = g.Price, g.Delta, g.DualDelta
	all.Rho, all.RhoYield, all.ProbITM, all.ProbTouch = g.Rho, g.RhoYield, g.ProbITM, g.ProbTouch
	return all
}

func unknownGreeks() Greeks {
	n := math.NaN()
	return Greeks{n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n}
}
