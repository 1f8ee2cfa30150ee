package options

import "math"

// value returns the put's price at a spot above the boundary, by the integral
// of what exercising earns (Kim, Review of Financial Studies 3, 1990):
//
//	P = p + ∫ [r·K·e^(-rt)·Φ(-d-) - q·S·e^(-qt)·Φ(-d+)] dt,  d± of t and S/B(T-t)
func (b *boundary) value(spot float64) float64 {
	p := b.put
	p.Spot = spot
	n := b.grid.nodes
	dev := p.Vol * math.Sqrt(p.Years)
	own := math.Log(spot / b.limit)
	f := b.last(own, dev)
	floor := b.floor() * p.Years
	sum := 0.0
	for j := range f.points {
		h := 0.0
		for k, v := range f.matrix[j*n:][:n] {
			h += v * b.h[k]
		}
		other := -math.Sqrt(max(h, floor*f.share[j]))
		t := p.Years * (1 - f.share[j])
		v := dev * f.root[j]
		dp := (own-other+(p.Rate-p.Yield)*t)/v + 0.5*v
		sum += f.weight[j] * (p.Rate*p.Strike*expSum(-p.Rate*t, 0)*cdf(v-dp) - p.Yield*spot*expSum(-p.Yield*t, 0)*cdf(-dp))
	}
	return p.price(Put) + p.Years*sum
}

// nearBoundary is how many deviations from the boundary the integrand changes too fast
// next to the present for a few points.
const nearBoundary = 0.2

// last returns the rule of the last integral for a spot, given ln(spot/limit).
func (b *boundary) last(own, dev float64) *americanRule {
	if g := b.grid; g.near.points > 0 && own+math.Sqrt(b.h[0]) < nearBoundary*dev {
		return &g.near
	}
	return &b.grid.final
}

// slopes returns the put's delta and gamma at a spot above the boundary: the
// derivatives of the integral in value.
func (b *boundary) slopes(spot float64) (delta, gamma float64) {
	p := b.put
	p.Spot = spot
	f := &b.grid.final
	n := b.grid.nodes
	dev := p.Vol * math.Sqrt(p.Years)
	own := math.Log(spot / b.limit)
	floor := b.floor() * p.Years
	for j := range f.points {
		h := 0.0
		for k, v := range f.matrix[j*n:][:n] {
			h += v * b.h[k]
		}
		other := -math.Sqrt(max(h, floor*f.share[j]))
		t := p.Years * (1 - f.share[j])
		v := dev * f.root[j]
		dp := (own-other+(p.Rate-p.Yield)*t)/v + 0.5*v
		dm := dp - v
		cash := p.Rate * p.Strike * expSum(-p.Rate*t, 0) * density(dm) / (spot * v)
		tail, pdf := cdfDensity(-dp)
		yield := p.Yield * expSum(-p.Yield*t, 0)
		pdf /= v
		delta += f.weight[j] * (yield*(pdf-tail) - cash)
		gamma += f.weight[j] * (cash*(dm/v+1) + yield*pdf*(1-dp/v)) / spot
	}
	e := p.Greeks(Put)
	return e.Delta + p.Years*delta, e.Gamma + p.Years*gamma
}
