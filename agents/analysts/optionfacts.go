package analysts

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// A pricedContract is a contract of an expiration that was asked for in full.
type pricedContract struct {
	options.Contract
	expiry *options.Expiry
}

// addOptions records what the metrics and the chain say about volatility,
// expected moves and liquidity.
func (f *findings) addOptions(rate float64) {
	in := f.in
	m, metricsAt := in.metrics.value, f.metricsTime()
	if in.metrics.absent != "" {
		for _, id := range []string{"options.iv_index", "options.iv_rank", "options.iv_percentile"} {
			f.lack(id, in.metrics.absent)
		}
	} else {
		index := share(m.IVIndex) + " a year"
		if change := m.IVIndex5Day; !math.IsNaN(change) {
			index += ", " + signed(100*change, 1) + " points in 5 days"
		}
		f.put("options.iv_index", m.IVIndex, metricsAt, index, noData)
		f.put("options.iv_rank", m.IVRank, metricsAt, share(m.IVRank), noData)
		f.put("options.iv_percentile", m.IVPercentile, metricsAt, share(m.IVPercentile), noData)
	}

	chainAt := f.addChain(rate)

	iv, at := f.value("options.iv30"), chainAt
	if math.IsNaN(iv) {
		iv, at = f.value("options.iv_index"), metricsAt
	}
	ratio := iv / f.value("volatility.hv20")
	f.put("options.iv_hv", ratio, at, fmt.Sprintf("%.2f", ratio), "needs an implied volatility and volatility.hv20")
	f.lackAll(GroupOptions, cmp.Or(in.chain.absent, noData))
}

// addChain records what the chain says and returns the time it is of.
func (f *findings) addChain(rate float64) time.Time {
	in := f.in
	if in.chain.absent != "" {
		return in.at
	}
	spot := 0.0
	if !slices.ContainsFunc(in.chain.value, func(q market.OptionQuote) bool { return q.Spot > 0 }) {
		if spot = in.spot(); math.IsNaN(spot) { // the quotes do not say
			spot = 0
		}
	}
	chain, err := options.NewChain(in.chain.value, &options.ChainOptions{At: in.at, Rate: rate, Spot: spot})
	if err != nil {
		f.lackAll(GroupOptions, "the chain cannot be read: "+err.Error())
		return in.at
	}
	f.chain = chain
	at := f.newestQuote(chain)
	f.put("options.spot", chain.Spot, at, price(chain.Spot), noData)

	var live []*options.Expiry
	for i := range chain.Expiries {
		if e := &chain.Expiries[i]; e.Years > 0 && !math.IsNaN(e.ATMVol()) {
			live = append(live, e)
		}
	}
	if len(live) == 0 {
		f.lackAll(GroupOptions, "no expiration has quotes that give a volatility")
		return at
	}
	f.addExpiries(live, at)
	f.addTerm(live, at)
	f.addSkew(live, at)
	f.addLiquidity(live, at)
	return at
}

func (f *findings) newestQuote(chain *options.Chain) time.Time {
	var newest time.Time
	for _, e := range chain.Expiries {
		for _, c := range e.Contracts {
			if c.Time.After(newest) {
				newest = c.Time
			}
		}
	}
	if newest.IsZero() || newest.After(f.in.at) {
		return f.in.at
	}
	return f.local(newest)
}

func (f *findings) days(e *options.Expiry) int { return f.today.DaysUntil(e.Date) }

// addExpiries records the volatility and expected move of the first
// expirations after today: one that ends within hours says little.
func (f *findings) addExpiries(live []*options.Expiry, at time.Time) {
	n := 0
	for _, e := range live {
		if f.days(e) < 1 {
			continue
		}
		if n++; n > 3 {
			break
		}
		label := fmt.Sprintf("%s (%s)", e.Date, plural(f.days(e), "day", "days"))
		vol, move := e.ATMVol(), e.ExpectedMove()
		f.put(fmt.Sprintf("options.atm_iv.%d", n), vol, at, share(vol)+" to "+label, noData)
		f.put(fmt.Sprintf("options.expected_move.%d", n), move, at, fmt.Sprintf("±%s (%s) to %s", price(move), share(move/e.Spot), label), noData)
	}
	if n == 0 {
		f.lack("options.atm_iv.1", "no expiration after today")
		f.lack("options.expected_move.1", "no expiration after today")
	}
}

// addTerm records the 30-day volatility and the slope of the term structure.
func (f *findings) addTerm(live []*options.Expiry, at time.Time) {
	const month = 30.0 / 365
	var before, after *options.Expiry
	for _, e := range live {
		if f.days(e) < 1 {
			continue
		}
		if e.Years <= month {
			before = e
		} else if after == nil {
			after = e
		}
	}
	switch {
	case before != nil && after != nil:
		// Linear in total variance σ²T, the interpolation that keeps forward variance constant.
		v1, v2 := before.ATMVol()*before.ATMVol()*before.Years, after.ATMVol()*after.ATMVol()*after.Years
		v := v1 + (v2-v1)*(month-before.Years)/(after.Years-before.Years)
		iv30 := math.Sqrt(v / month)
		f.put("options.iv30", iv30, at, share(iv30)+" a year", "the term structure is not consistent")
	default:
		f.lack("options.iv30", "needs expirations on both sides of 30 days")
	}

	near, far := f.nearestExpiry(live, 30), f.nearestExpiry(live, 90)
	if near == far || apart(f.days(near), 30) > 25 || f.days(far) < 60 || f.days(far) > 150 {
		f.lack("options.term_slope", "needs expirations near 30 and 90 days")
		return
	}
	slope := far.ATMVol()/near.ATMVol() - 1
	shape := "rising with time"
	if slope < 0 {
		shape = "falling with time"
	}
	f.put("options.term_slope", slope, at, fmt.Sprintf("%s from %s to %s, %s", percent(slope), near.Date, far.Date, shape), noData)
}

func (f *findings) nearestExpiry(live []*options.Expiry, days int) *options.Expiry {
	return slices.MinFunc(live, func(a, b *options.Expiry) int { return cmp.Compare(apart(f.days(a), days), apart(f.days(b), days)) })
}

// addSkew records the skew of the expiration nearest 30 days that has both deltas.
func (f *findings) addSkew(live []*options.Expiry, at time.Time) {
	byDistance := slices.Clone(live)
	slices.SortStableFunc(byDistance, func(a, b *options.Expiry) int { return cmp.Compare(apart(f.days(a), 30), apart(f.days(b), 30)) })
	for _, e := range byDistance {
		skew := volAtDelta(e, market.Put, 0.25) - volAtDelta(e, market.Call, 0.25)
		if !math.IsNaN(skew) {
			f.put("options.skew25", skew, at, fmt.Sprintf("%s points, expiration %s", signed(100*skew, 1), e.Date), noData)
			return
		}
	}
	f.lack("options.skew25", "no expiration has contracts around 25 delta on both sides")
}

// volAtDelta interpolates the implied volatility where the size of the delta is
// target; NaN when the contracts do not surround it.
func volAtDelta(e *options.Expiry, kind market.OptionKind, target float64) float64 {
	lowDelta, highDelta := math.Inf(-1), math.Inf(1)
	var lowVol, highVol float64
	for _, c := range e.Contracts {
		delta := math.Abs(c.Delta)
		if c.Kind != kind || math.IsNaN(delta) || math.IsNaN(c.IV) {
			continue
		}
		if delta <= target && delta > lowDelta {
			lowDelta, lowVol = delta, c.IV
		}
		if delta >= target && delta < highDelta {
			highDelta, highVol = delta, c.IV
		}
	}
	switch {
	case math.IsInf(lowDelta, 0) || math.IsInf(highDelta, 0) || highDelta-lowDelta > 0.2:
		return math.NaN()
	case highDelta == lowDelta:
		return lowVol
	}
	return lowVol + (highVol-lowVol)*(target-lowDelta)/(highDelta-lowDelta)
}

// addLiquidity records how well the contracts trade that candidates come from,
// and keeps them.
func (f *findings) addLiquidity(live []*options.Expiry, at time.Time) {
	var window []*options.Expiry
	for _, e := range live {
		if n := f.days(e); n >= f.rules.MinDays && n <= f.rules.MaxDays {
			window = append(window, e)
		}
	}
	for _, e := range window {
		for _, c := range e.Contracts {
			f.contracts = append(f.contracts, pricedContract{c, e})
		}
	}
	if len(window) == 0 {
		window = []*options.Expiry{f.nearestExpiry(live, 30)}
	}

	var spreads []float64
	interest, volume := math.NaN(), math.NaN()
	for _, e := range window {
		for _, c := range e.Contracts {
			if delta := math.Abs(c.Delta); !(delta >= 0.15 && delta <= 0.5) {
				continue
			}
			if spread := spreadOf(c); !math.IsNaN(spread) {
				spreads = append(spreads, spread)
			}
			interest, volume = addKnown(interest, c.OpenInterest), addKnown(volume, c.Volume)
		}
	}
	spread := median(spreads)
	f.put("options.spread", spread, at, fmt.Sprintf("%s of the price, median of %d contracts", share(spread), len(spreads)), "no contract has a bid and an ask")
	f.put("options.open_interest", interest, at, thousands(interest), "the source does not give open interest")
	f.put("options.volume", volume, at, thousands(volume), "the source does not give volume")
}

// spreadOf returns (ask − bid) / mid; NaN without both.
func spreadOf(c options.Contract) float64 {
	if !(c.Mid > 0) {
		return math.NaN()
	}
	return (c.Ask - c.Bid) / c.Mid
}

func addKnown(sum, x float64) float64 {
	switch {
	case math.IsNaN(x):
		return sum
	case math.IsNaN(sum):
		return x
	}
	return sum + x
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Sorted(slices.Values(x))
	if n := len(x) / 2; len(x)%2 == 1 {
		return x[n]
	} else {
		return (x[n-1] + x[n]) / 2
	}
}
