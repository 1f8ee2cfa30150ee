package strategy

import (
	"math"
	"sort"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// A view is what an option strategy sees of its market at one moment: the latest
// chain of its underlying, and newer quotes of single contracts where there are.
type view struct {
	s     *Session
	p     *OptionParams
	now   time.Time
	today market.Date
	spot  float64 // NaN when it is not known
	chain []market.OptionQuote
	at    time.Time // of the chain
	vols  map[market.Symbol]market.Float

	// The expiry that was asked about last.
	date    market.Date
	settled market.Settlement
	left    float64 // years
	free    float64 // rate
}

// look returns the present view. Vols has the volatilities that were known
// before, and takes up those that are found out.
func look(s *Session, p *OptionParams, vols map[market.Symbol]market.Float) *view {
	v := &view{s: s, p: p, now: s.Now(), today: s.Date(), vols: vols}
	v.chain, v.at = s.Chain(p.Symbol)
	v.spot = v.price()
	return v
}

// price is the underlying's: by its quote, unless the chain was made later and
// says it, too.
func (v *view) price() float64 {
	if q, ok := v.s.Quote(v.p.Symbol); ok && (q.Time.IsZero() || !q.Time.Before(v.at)) && q.Mid() > 0 {
		return q.Mid()
	}
	if len(v.chain) > 0 && v.chain[0].Spot > 0 {
		return v.chain[0].Spot
	}
	if price := v.s.Price(v.p.Symbol); price > 0 {
		return price
	}
	return math.NaN()
}

// fresh tells whether a quote of that time may be traded on.
func (v *view) fresh(at time.Time) bool {
	if at.IsZero() {
		at = v.at
	}
	return v.p.MaxAge == 0 || v.now.Sub(at) <= v.p.MaxAge
}

// expiry returns the chain's contracts that expire on a date.
func (v *view) expiry(date market.Date) []market.OptionQuote {
	from := sort.Search(len(v.chain), func(i int) bool { return !v.chain[i].Expiration.Before(date) })
	to := from
	for to < len(v.chain) && v.chain[to].Expiration == date {
		to++
	}
	return v.chain[from:to]
}

// quote returns what is known of a contract: false when the latest chain has no
// such contract and nothing was quoted since, or within MaxAge. Bid and ask of what is crossed,
// stale or without a price are NaN.
func (v *view) quote(symbol market.Symbol) (market.OptionQuote, bool) {
	c, ok := symbol.Contract()
	if !ok {
		return market.OptionQuote{}, false
	}
	var q market.OptionQuote
	found := false
	for _, o := range v.expiry(c.Expiration) {
		if o.Symbol == symbol {
			q, found = o, true
			break
		}
	}
	single, ok := v.s.Quote(symbol)
	newer := ok && single.Time.After(v.at) && single.Time.After(q.Time)
	if newer || ok && !found && v.p.MaxAge > 0 && !single.Time.IsZero() && v.fresh(single.Time) {
		if !found {
			nan := math.NaN()
			q = market.OptionQuote{Symbol: symbol, Underlying: v.p.Symbol, Root: c.Root, Kind: c.Kind, Strike: c.Strike, Expiration: c.Expiration,
				Multiplier: 100, IV: nan, Delta: nan, Gamma: nan, Theta: nan, Vega: nan, Rho: nan, OpenInterest: nan}
		}
		q.Bid, q.Ask, q.Time, found = single.Bid, single.Ask, single.Time, true
		q.IV, q.Delta = math.NaN(), math.NaN() // of the older prices
	}
	if !found {
		return market.OptionQuote{}, false
	}
	if !(q.Multiplier > 0) {
		q.Multiplier = 100
	}
	if !v.sound(q) {
		q.Bid, q.Ask = math.NaN(), math.NaN()
	}
	return q, true
}

// sound tells whether a quote has two sides, is not crossed and not stale.
func (v *view) sound(q market.OptionQuote) bool {
	return q.Bid >= 0 && q.Ask > 0 && q.Bid <= q.Ask && v.fresh(q.Time)
}

// days is how many calendar days there are to a date.
func (v *view) days(date market.Date) int { return v.today.DaysUntil(date) }

// years is the time to the end of a contract's life by [OptionParams.Years].
func (v *view) years(date market.Date, settled market.Settlement) float64 {
	if v.p.Years == YearsToDate {
		return float64(max(v.days(date), 0)) / 365
	}
	return options.YearsToExpiry(v.now, options.ExpiryTime(date, settled, nil))
}

func (v *view) rate(years float64) float64 {
	if v.p.RateFrom == RateFixed {
		return v.p.Rate
	}
	if r := v.s.Rate(years); !unknownNumber(r) {
		return r
	}
	return v.p.Rate
}

// model is a contract's Black-Scholes-Merton model without a volatility.
func (v *view) model(q market.OptionQuote) options.BSM {
	if v.date != q.Expiration || v.settled != q.Settlement {
		v.date, v.settled = q.Expiration, q.Settlement
		v.left = v.years(v.date, v.settled)
		v.free = v.rate(v.left)
	}
	return options.BSM{Spot: v.spot, Strike: q.Strike, Years: v.left, Rate: v.free}
}

// vol returns a contract's volatility, NaN when there is none. It is the one that
// VolFrom names, else the other of the two, else that of the nearest strike of
// the same expiry, else the last that was known: prices under the intrinsic
// value and quotes without a middle have none of their own.
func (v *view) vol(q market.OptionQuote) float64 {
	vol := v.ownVol(q)
	if !(vol > 0) {
		vol = v.neighbourVol(q)
	}
	if vol > 0 {
		if _, held := v.vols[q.Symbol]; held {
			v.vols[q.Symbol] = market.Float(vol)
		}
		return vol
	}
	if last, ok := v.vols[q.Symbol]; ok && last > 0 {
		return float64(last)
	}
	return math.NaN()
}

func (v *view) ownVol(q market.OptionQuote) float64 {
	quoted := q.IV > 0 && v.sound(q)
	if v.p.VolFrom == VolQuoted && quoted {
		return q.IV
	}
	if v.sound(q) {
		if vol, err := v.model(q).ImpliedVol(q.Kind, q.Mid()); err == nil && vol > 0 {
			return vol
		}
	}
	if quoted {
		return q.IV
	}
	return math.NaN()
}

// neighbourVol is that of the contract with the nearest strike that has one, among
// the next six strikes on either side.
func (v *view) neighbourVol(q market.OptionQuote) float64 {
	expiry := v.expiry(q.Expiration)
	high := sort.Search(len(expiry), func(i int) bool {
		return expiry[i].Root > q.Root || expiry[i].Root == q.Root && expiry[i].Strike >= q.Strike
	})
	low := high - 1
	for range 24 {
		var next market.OptionQuote
		switch above, below := high < len(expiry) && expiry[high].Root == q.Root, low >= 0 && expiry[low].Root == q.Root; {
		case above && (!below || expiry[high].Strike-q.Strike <= q.Strike-expiry[low].Strike):
			next = expiry[high]
			high++
		case below:
			next = expiry[low]
			low--
		default:
			return math.NaN()
		}
		if next.Symbol == q.Symbol {
			continue
		}
		if vol := v.ownVol(next); vol > 0 {
			return vol
		}
	}
	return math.NaN()
}

// greeks returns a contract's Greeks per share by the model, and false when it
// has no volatility.
func (v *view) greeks(q market.OptionQuote) (options.Greeks, bool) {
	m := v.model(q)
	if m.Years == 0 { // worth its intrinsic value; no volatility is needed
		m.Vol = 0.01
		return m.Greeks(q.Kind), !unknownNumber(v.spot)
	}
	if m.Vol = v.vol(q); !(m.Vol > 0) {
		return options.Greeks{}, false
	}
	g := m.Greeks(q.Kind)
	return g, !math.IsNaN(g.Delta)
}

// ownDelta is that by the contract's own volatility, by which strikes are chosen;
// NaN when it has none.
func (v *view) ownDelta(q market.OptionQuote) float64 {
	m := v.model(q)
	if m.Years == 0 {
		return v.delta(q)
	}
	if m.Vol = v.ownVol(q); !(m.Vol > 0) {
		return math.NaN()
	}
	return m.Greeks(q.Kind).Delta
}

// delta is that of greeks; NaN when it is not known.
func (v *view) delta(q market.OptionQuote) float64 {
	if g, ok := v.greeks(q); ok {
		return g.Delta
	}
	return math.NaN()
}
