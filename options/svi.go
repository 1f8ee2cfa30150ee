package options

import "math"

// SVI is one expiry's smile as total variance over log-moneyness
// k = ln(strike/forward), in Gatheral's raw form (Gatheral and Jacquier 2014,
// "Arbitrage-free SVI volatility surfaces"):
//
//	w(k) = A + B·(Rho·(k-M) + √((k-M)² + Sigma²))
type SVI struct{ A, B, Rho, M, Sigma float64 }

// Variance returns the total variance vol²·years at k.
func (s SVI) Variance(k float64) float64 {
	d := k - s.M
	return s.A + s.B*(s.Rho*d+math.Sqrt(d*d+s.Sigma*s.Sigma))
}

// slopes returns the total variance and its first two derivatives.
func (s SVI) slopes(k float64) (w, w1, w2 float64) {
	d := k - s.M
	r := math.Sqrt(d*d + s.Sigma*s.Sigma)
	if r == 0 {
		return s.A, s.B * s.Rho, math.Inf(1)
	}
	return s.A + s.B*(s.Rho*d+r), s.B * (s.Rho + d/r), s.B * s.Sigma * s.Sigma / (r * r * r)
}

// Butterfly returns Durrleman's function
//
//	g(k) = (1 - k·w'/(2w))² - w'²/4·(1/w + 1/4) + w''/2
//
// The risk-neutral density is g times a positive number: where g is negative, a
// butterfly spread costs less than nothing.
func (s SVI) Butterfly(k float64) float64 { return durrleman(k, s.slopes) }

// repaired returns the smile without arbitrage on grid, for one that still has
// some: raised until it does not run below before (which may be nil), then a little
// further, and as long as that does not help, with flatter and flatter wings. In the end
// that is a constant, which has none.
func (s SVI) repaired(before *SVI, grid []float64) SVI {
	for range 200 {
		lift, least := 0.0, math.Inf(1)
		for _, k := range grid {
			w := s.Variance(k)
			least = min(least, w)
			if before != nil {
				lift = max(lift, before.Variance(k)-w)
			}
		}
		if lift > 0 { // a little more, for what is between the points
			s.A += lift + 1e-4*math.Abs(least)
		}
		for tries := 0; tries < 5 && !s.convex(grid); tries++ {
			s.A += 0.01 * (least + lift)
		}
		if s.convex(grid) {
			return s
		}
		center := s.Variance(s.M)
		s.B *= 0.9
		s.A += center - s.Variance(s.M)
	}
	return s
}

// convex reports whether the smile has no butterfly arbitrage on grid.
func (s SVI) convex(grid []float64) bool {
	for _, k := range grid {
		if !(s.Butterfly(k) >= 0) {
			return false
		}
	}
	return true
}

func durrleman(k float64, slopes func(float64) (w, w1, w2 float64)) float64 {
	w, w1, w2 := slopes(k)
	a := 1 - k*w1/(2*w)
	return a*a - 0.25*w1*w1*(1/w+0.25) + 0.5*w2
}

// SteepestWing returns the larger slope of total variance far from the money.
// Above 2 the distribution has no mean (Lee 2004).
func (s SVI) SteepestWing() float64 { return s.B * (1 + math.Abs(s.Rho)) }

// SSVI is a whole surface of smiles with three parameters (Gatheral and
// Jacquier 2014), given each expiry's total variance at the money, θ:
//
//	w(k, θ) = θ/2·(1 + ρφk + √((φk+ρ)² + 1-ρ²)),  φ(θ) = η/(θ^γ·(1+θ)^(1-γ))
//
// With 0 < γ ≤ ½ and η·(1+|ρ|) ≤ 2 and θ rising with time it is free of
// butterfly and calendar arbitrage.
type SSVI struct{ Rho, Eta, Gamma float64 }

// Slice returns the smile of an expiry as SVI, exactly.
func (s SSVI) Slice(theta float64) SVI {
	phi := s.Eta / (math.Pow(theta, s.Gamma) * math.Pow(1+theta, 1-s.Gamma))
	root := math.Sqrt(1 - s.Rho*s.Rho)
	return SVI{A: 0.5 * theta * root * root, B: 0.5 * theta * phi, Rho: s.Rho, M: -s.Rho / phi, Sigma: root / phi}
}

// Free reports whether the parameters rule out arbitrage.
func (s SSVI) Free() bool {
	return math.Abs(s.Rho) < 1 && s.Eta > 0 && s.Gamma > 0 && s.Gamma <= 0.5 && s.Eta*(1+math.Abs(s.Rho)) <= 2
}
