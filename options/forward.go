package options

import (
	"cmp"
	"math"
	"slices"
)

// nearPairs is how many strikes around the money decide on the forward: enough
// to outvote a few bad quotes, few enough to stay where spreads are narrow and
// early exercise is worth little.
const nearPairs = 12

// A pair is a call and a put of one strike, and the forward they imply.
type pair struct {
	strike, forward float64
	width           float64 // half the distance between the forwards of the worst prices
}

// parityForward returns the forward that put-call parity gives,
//
//	F = K + e^(rT)·(C - P)
//
// as the weighted median over the pairs nearest the money, and false without a
// pair that has two-sided quotes on both sides. Contracts are by strike, call
// before put.
func parityForward(contracts []Contract, grow float64) (float64, bool) {
	pairs := parityPairs(contracts, grow)
	if len(pairs) == 0 {
		return 0, false
	}
	// All of them find the money, then those around it decide.
	center := weightedMedian(pairs, math.NaN())
	for range 2 {
		slices.SortFunc(pairs, func(a, b pair) int {
			return cmp.Or(cmp.Compare(math.Abs(a.strike-center), math.Abs(b.strike-center)), cmp.Compare(a.strike, b.strike))
		})
		center = weightedMedian(slices.Clone(pairs[:min(nearPairs, len(pairs))]), center)
	}
	return center, center > 0
}

func parityPairs(contracts []Contract, grow float64) []pair {
	var pairs []pair
	for i := 0; i+1 < len(contracts); i++ {
		call, put := &contracts[i], &contracts[i+1]
		if call.Kind != Call || put.Kind != Put || call.Strike != put.Strike || !twoSided(call) || !twoSided(put) {
			continue
		}
		pairs = append(pairs, pair{
			strike:  call.Strike,
			forward: call.Strike + grow*((call.Mid-call.EarlyExercise)-(put.Mid-put.EarlyExercise)),
			width:   0.5 * grow * (call.Ask - call.Bid + put.Ask - put.Bid),
		})
	}
	return pairs
}

// twoSided reports whether somebody bids and offers.
func twoSided(c *Contract) bool { return c.Bid > 0 && !math.IsNaN(c.Mid) && !math.IsInf(c.Mid, 0) }

// weightedMedian returns the forward that half of the weight lies below. A
// pair weighs the inverse square of its width; a floor keeps one locked quote
// from deciding alone, and strikes away from center count less. It sorts pairs.
func weightedMedian(pairs []pair, center float64) float64 {
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.forward, b.forward) })
	weight := func(p pair) float64 {
		w := p.width + 2e-4*p.strike
		if !math.IsNaN(center) {
			w += 0.02 * math.Abs(p.strike-center)
		}
		return 1 / (w * w)
	}
	total := 0.0
	for _, p := range pairs {
		total += weight(p)
	}
	below := 0.0
	for i, p := range pairs {
		below += weight(p)
		switch {
		case below > 0.5*total:
			return p.forward
		case below == 0.5*total && i+1 < len(pairs):
			return 0.5 * (p.forward + pairs[i+1].forward)
		}
	}
	return pairs[len(pairs)-1].forward
}
