package options

import "math"

// expiries sorts the options of a batch into those that share time, rate and
// yield, and so the tables of what early exercise adds: call and put.
type expiries struct {
	groups []expiryGroup
	of     []int32 // the group of each option
}

type expiryGroup struct {
	terms     BSM
	count     int
	low, high float64 // volatilities
	tables    [2]*premiumTable
}

// fewContracts is up to how many the exact solver is faster than a table.
const fewContracts = 6

func newExpiries(p []BSM) *expiries {
	x := &expiries{of: make([]int32, len(p))}
	known := map[[3]float64]int32{}
	last := int32(-1)
	for i := range p {
		q := &p[i]
		if last >= 0 {
			if t := &x.groups[last].terms; t.Years != q.Years || t.Rate != q.Rate || t.Yield != q.Yield {
				last = -1
			}
		}
		if last < 0 {
			key := [3]float64{q.Years, q.Rate, q.Yield}
			found, ok := known[key]
			if !ok {
				found = int32(len(x.groups))
				known[key] = found
				x.groups = append(x.groups, expiryGroup{terms: *q, low: math.Inf(1)})
			}
			last = found
		}
		x.of[i] = last
		x.groups[last].count++
	}
	return x
}

// saw widens the range of volatilities that the tables of option i's expiry are
// made for.
func (x *expiries) saw(i int, vol float64) {
	if g := &x.groups[x.of[i]]; vol > 0 && vol < premiumMost {
		g.low, g.high = min(g.low, vol), max(g.high, vol)
	}
}

// table returns the table of option i, nil where there is none to be had or it
// would not pay.
func (x *expiries) table(i int, k Kind) *premiumTable {
	g := &x.groups[x.of[i]]
	if g.count <= fewContracts || !validKind(k) {
		return nil
	}
	t := &g.tables[(k+1)/2]
	if *t == nil {
		*t = newPremiumTable(g.terms, k, g.low, g.high)
	}
	if (*t).exact {
		return nil
	}
	return *t
}

// AmericanPriceBatch writes the American price of p[i] as kinds[i] into dst[i].
// Options that share time, rate and yield, as those of one expiry do, share the
// work of the exercise boundary; the error is about 1e-7 of the strike. The
// slices have equal lengths.
func AmericanPriceBatch(dst []float64, p []BSM, kinds []Kind) error {
	if err := sameLength(len(dst), len(p), len(kinds), len(p)); err != nil {
		return err
	}
	shared := newExpiries(p)
	for i := range p {
		shared.saw(i, p[i].Vol)
	}
	for i := range p {
		t := shared.table(i, kinds[i])
		if t == nil || !t.usable(&p[i]) || !t.none && !t.has(p[i].Vol) {
			dst[i] = p[i].American(kinds[i], Accuracy1e6)
			continue
		}
		dst[i] = t.price(p[i])
	}
	return nil
}

// usable reports whether spot and strike are such that a table can be read.
func (t *premiumTable) usable(p *BSM) bool {
	return p.Spot > 0 && p.Strike > 0 && p.Spot <= math.MaxFloat64 && p.Strike <= math.MaxFloat64
}

// AmericanImpliedVolBatch writes the volatility at which the American option
// p[i], of kinds[i], is worth prices[i] into dst[i], and NaN where there is none:
// see [BSM.AmericanImpliedVol] for the reason. Options that share time, rate and
// yield share the work of the exercise boundary. The slices have equal lengths.
func AmericanImpliedVolBatch(dst []float64, p []BSM, kinds []Kind, prices []float64) error {
	if err := sameLength(len(dst), len(p), len(kinds), len(prices)); err != nil {
		return err
	}
	newExpiries(p).impliedVols(dst, p, kinds, prices)
	return nil
}

func (x *expiries) impliedVols(dst []float64, p []BSM, kinds []Kind, prices []float64) {
	// The European volatilities come first: they say what tables are needed. In
	// the money they may be far above the American ones.
	for i := range p {
		dst[i], _ = p[i].impliedVol(kinds[i], prices[i])
		if float64(kinds[i])*(p[i].Spot-p[i].Strike) <= 0 {
			x.saw(i, dst[i])
		}
	}
	for i := range p {
		t := x.table(i, kinds[i])
		switch {
		case t == nil || !t.usable(&p[i]) || math.IsNaN(dst[i]):
			dst[i], _ = p[i].AmericanImpliedVol(kinds[i], prices[i], Accuracy1e6)
		case !t.none:
			dst[i], _ = t.impliedVolFrom(p[i], prices[i], dst[i], nil)
		}
	}
}

// AmericanImpliedBatch does both of a chain: it writes the volatility at which
// the American option p[i], of kinds[i], is worth prices[i] into vols[i], as
// [AmericanImpliedVolBatch] does, and value and Greeks at that volatility into
// dst[i], as [AmericanGreeksBatch] does, all NaN where there is none. p is not
// changed and its volatilities are not used. The slices have equal lengths.
func AmericanImpliedBatch(vols []float64, dst []AmericanGreeks, p []BSM, kinds []Kind, prices []float64) error {
	if err := sameLength(len(vols), len(p), len(kinds), len(prices)); err != nil {
		return err
	}
	if err := sameLength(len(dst), len(p), len(kinds), len(prices)); err != nil {
		return err
	}
	shared := newExpiries(p)
	shared.impliedVols(vols, p, kinds, prices)
	for i := range p {
		q := p[i]
		q.Vol = vols[i]
		shared.greeks(i, &dst[i], &q, kinds[i])
	}
	return nil
}

// AmericanGreeksBatch writes value, Greeks and boundary of p[i] as kinds[i] into
// dst[i]. Options that share time, rate and yield share the work of the exercise
// boundary, and of how it moves with the rates. The slices have equal lengths.
func AmericanGreeksBatch(dst []AmericanGreeks, p []BSM, kinds []Kind) error {
	if err := sameLength(len(dst), len(p), len(kinds), len(p)); err != nil {
		return err
	}
	shared := newExpiries(p)
	for i := range p {
		shared.saw(i, p[i].Vol)
	}
	for i := range p {
		shared.greeks(i, &dst[i], &p[i], kinds[i])
	}
	return nil
}

func (x *expiries) greeks(i int, dst *AmericanGreeks, p *BSM, k Kind) {
	t := x.table(i, k)
	if t == nil || !t.usable(p) || !t.none && !t.has(p.Vol) {
		*dst = p.AmericanGreeks(k, Accuracy1e6)
		return
	}
	var g Greeks
	_, boundary, exercised := t.greeks(p, &g, true)
	*dst = AmericanGreeks{g.Price, g.Delta, g.Gamma, g.Theta, g.Vega, g.Rho, g.RhoYield, boundary, exercised}
}
