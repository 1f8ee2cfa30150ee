package options

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// clockSkew is how far after the valuation a quote may be stamped: sources and
// callers do not share a clock.
const clockSkew = time.Minute

// NewChain makes a chain of one underlying's option quotes: it drops what
// cannot be a live contract, groups the rest by expiry, finds each expiry's
// forward by put-call parity, and computes implied volatility and Greeks from
// the mid price of every contract. What it drops or cannot value is listed in
// Chain.Skipped; dirty quotes are no error. Errors are *[FieldError]: no quotes,
// several underlyings, an impossible rate or spot, no spot to be found. When
// every quote is dropped the chain has no expiries.
//
// # Cash dividends
//
// Dividends given in the options are escrowed: the spot without their present
// value is what is lognormal, and the Greeks are by it, Theta with that present
// value kept as it is. The forward then tells the yield that is left besides them,
// the cost of borrowing. American contracts of the expiries after an ex-date share
// grids by strike and volatility: about half a millisecond for an expiry,
// whatever the number of its strikes. The volatility is within a hundredth of a point
// of [BSM.AmericanImpliedVolDividends] out of the money, within three hundredths up to
// a deviation in the money and within a fifth of a point beyond, where the price hardly
// tells it. A time value below 2e-5 of the strike there, a fraction of a tick, counts
// as none. The hundredth of a point holds for volatilities up to 100 %. Above, the grids
// grow with vol·√T and their steps with them: at 200 % it holds for expiries up to a
// year and becomes three hundredths over two, at 300 % the volatility is off by five
// hundredths over a year and a tenth over two, and at 500 % by a point.
//
// # Forward, yield and Greeks
//
// The forward is the weighted median of strike + e^(rT)·(call - put) over the
// pairs nearest the money that have two-sided quotes; narrow spreads weigh
// more, so that no single stale or wide quote moves it. A contract that nobody
// bids for is valued at half its ask, but has no say in the forward or in
// [Expiry.ATMVol].
//
// Contracts whose Style is American are valued as such: their volatility is the
// one at which the American option is worth its mid price, and what early
// exercise adds (Contract.EarlyExercise) is taken off before parity is asked for
// the forward. Boundaries are shared by all strikes of an expiry; the volatility
// is within a hundredth of a point of [BSM.AmericanImpliedVol]. An option that is
// quoted at what exercising now gives has none.
//
// Beyond a quarter year the Greeks use the spot and the continuous yield that
// the forward implies. Within a quarter dividends are single events, and a spot
// that is a little out of step with the quotes would imply an absurd yield: the
// Greeks then use the spot without its dividends, forward·e^(-rT), and no yield:
// calls are then not exercised early. Of American contracts, Price, Delta, Gamma,
// Theta and Vega are the American option's and so, without cash dividends, are Rho and
// RhoYield; the other Greeks are those of the European option of the same volatility.
func NewChain(quotes []market.OptionQuote, opts *ChainOptions) (*Chain, error) {
	if opts == nil {
		opts = &ChainOptions{}
	}
	switch {
	case len(quotes) == 0:
		return nil, invalid.Missing("quotes", "at least one option quote")
	case !(math.Abs(opts.Rate) <= 1):
		return nil, invalid.Field("rate", opts.Rate, "a rate from -1 to 1 such as 0.05 for 5 % a year")
	case opts.badDividend() != nil:
		return nil, opts.badDividend()
	case !(opts.Spot >= 0 && opts.Spot <= math.MaxFloat64):
		return nil, invalid.Field("spot", opts.Spot, "the underlying's price above 0, or 0 to take it from the quotes")
	}
	c := &Chain{At: opts.At}
	for _, q := range quotes {
		if c.Underlying == "" {
			c.Underlying = q.Underlying
		} else if q.Underlying != "" && q.Underlying != c.Underlying {
			return nil, invalid.Fieldf("quotes", string(q.Underlying), "options of one underlying; the first is %s", c.Underlying)
		}
		if opts.At.IsZero() && q.Time.After(c.At) {
			c.At = q.Time
		}
	}
	if c.At.IsZero() {
		return nil, invalid.Missing("at", "the time of valuation: the quotes carry none")
	}
	groups := c.group(quotes, opts.Calendar)
	if c.Spot = opts.Spot; c.Spot == 0 {
		c.Spot = medianSpot(groups)
	}
	if math.IsNaN(c.Spot) && len(groups) > 0 {
		if forward, ok := parityForward(groups[0].Contracts, growth(opts.Rate, groups[0].Years)); ok {
			c.Spot = forward / growth(opts.Rate, groups[0].Years)
		}
	}
	if math.IsNaN(c.Spot) && len(groups) > 0 {
		return nil, invalid.Missing("spot", "the underlying's price: the quotes carry none, and none follows from a pair of call and put")
	}
	if n := len(groups); n > 0 {
		if pv := presentValue(opts.dividendsUntil(groups[n-1].Years), opts.Rate); !(pv < c.Spot) {
			return nil, invalid.Fieldf("dividends", pv, "a present value below the spot, %v", c.Spot)
		}
	}
	skipped := make([][]Skip, len(groups))
	value := func(i int) {
		groups[i].Spot, groups[i].Rate = c.Spot, opts.Rate
		skipped[i] = c.value(&groups[i], opts.European, opts.dividendsUntil(groups[i].Years))
	}
	eachOf(len(groups), opts.Workers, value)
	for _, skips := range skipped {
		c.Skipped = append(c.Skipped, skips...)
	}
	c.Expiries = groups
	return c, nil
}

// group drops what is no live contract and sorts the rest into expiries.
func (c *Chain) group(quotes []market.OptionQuote, cal *market.Calendar) []Expiry {
	type key struct {
		root       string
		date       market.Date
		settlement market.Settlement
	}
	exclude := func(symbol market.Symbol, reason string) {
		c.Skipped = append(c.Skipped, Skip{Symbol: symbol, Reason: reason, Excluded: true})
	}
	type member struct {
		expiry, quote int32
		kind          Kind
		strike        float64
	}
	var groups []Expiry
	var sizes []int
	members := make([]member, 0, len(quotes))
	known := map[key]int32{}
	var last key
	place := int32(-1)
	for i := range quotes {
		q := &quotes[i]
		k := key{q.Root, q.Expiration, q.Settlement}
		if k.root == "" {
			if contract, ok := q.Symbol.Contract(); ok {
				k.root = contract.Root
			}
		}
		switch {
		case !validKind(q.Kind):
			exclude(q.Symbol, "neither call nor put")
			continue
		case !(q.Strike > 0) || math.IsInf(q.Strike, 0):
			exclude(q.Symbol, "no positive strike")
			continue
		case q.Expiration.IsZero():
			exclude(q.Symbol, "no expiration date")
			continue
		case q.Time.After(c.At.Add(clockSkew)):
			exclude(q.Symbol, "quoted after the time of valuation")
			continue
		}
		if place < 0 || k != last {
			found, ok := known[k]
			if !ok {
				found = int32(len(groups))
				known[k] = found
				end := ExpiryTime(q.Expiration, q.Settlement, cal)
				groups = append(groups, Expiry{Date: q.Expiration, Root: k.root, Settlement: q.Settlement, Time: end, Years: YearsToExpiry(c.At, end)})
				sizes = append(sizes, 0)
			}
			place, last = found, k
		}
		if !(groups[place].Years > 0) {
			exclude(q.Symbol, "expired")
			continue
		}
		members = append(members, member{place, int32(i), q.Kind, q.Strike})
		sizes[place]++
	}
	// Contracts are large: their places are sorted instead. Of two quotes of a
	// contract the newest comes first, of equally new ones the one given first.
	slices.SortFunc(members, func(a, b member) int {
		switch {
		case a.expiry != b.expiry:
			return int(a.expiry - b.expiry)
		case a.strike != b.strike:
			return cmp.Compare(a.strike, b.strike)
		case a.kind != b.kind:
			return int(b.kind) - int(a.kind)
		}
		return cmp.Or(quotes[b.quote].Time.Compare(quotes[a.quote].Time), int(a.quote-b.quote))
	})
	for i, m := range members {
		q := &quotes[m.quote]
		e := &groups[m.expiry]
		if i > 0 {
			if before := members[i-1]; before.expiry == m.expiry && before.kind == m.kind && before.strike == m.strike {
				exclude(q.Symbol, "another quote of the same contract is newer")
				continue
			}
		}
		if e.Contracts == nil {
			e.Contracts = make([]Contract, 0, sizes[m.expiry])
		}
		e.Contracts = append(e.Contracts, Contract{OptionQuote: *q, Mid: q.Mid()})
		e.Contracts[len(e.Contracts)-1].Root = e.Root
	}
	groups = slices.DeleteFunc(groups, func(e Expiry) bool { return len(e.Contracts) == 0 })
	slices.SortFunc(groups, func(a, b Expiry) int {
		return cmp.Or(a.Date.Compare(b.Date), a.Time.Compare(b.Time), strings.Compare(a.Root, b.Root), strings.Compare(string(a.Settlement), string(b.Settlement)))
	})
	return groups
}

// dividendsUntil returns the cash dividends of the next years, by time.
func (o *ChainOptions) dividendsUntil(years float64) []Dividend {
	var out []Dividend
	for _, d := range o.Dividends {
		if d.Years > 0 && d.Years <= years && d.Cash > 0 {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Dividend) int { return cmp.Compare(a.Years, b.Years) })
	return out
}

func (o *ChainOptions) badDividend() error {
	for _, d := range o.Dividends {
		if !(math.Abs(d.Years) <= math.MaxFloat64) {
			return invalid.Field("dividend years", d.Years, "a finite number")
		}
		if !(d.Cash >= 0 && d.Cash <= math.MaxFloat64) {
			return invalid.Field("dividend cash", d.Cash, "a finite amount, at least 0")
		}
	}
	return nil
}

// medianSpot returns the middle of the spots that quotes carry, NaN without any.
func medianSpot(groups []Expiry) float64 {
	var spots []float64
	for _, e := range groups {
		for _, q := range e.Contracts {
			if s := q.OptionQuote.Spot; s > 0 && s <= math.MaxFloat64 {
				spots = append(spots, s)
			}
		}
	}
	if len(spots) == 0 {
		return math.NaN()
	}
	slices.Sort(spots)
	return spots[len(spots)/2]
}

func growth(rate, years float64) float64 { return math.Exp(rate * years) }

// quarter is the time up to which dividends are treated as single events.
const quarter = 0.25

// eachOf calls do for 0 to n-1, on several goroutines at most, and waits.
func eachOf(n, workers int, do func(i int)) {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}

// value finds the expiry's forward and values its contracts. It returns those
// that have no volatility. It only reads c.
func (c *Chain) value(e *Expiry, european bool, dividends []Dividend) (skipped []Skip) {
	spot := c.Spot - presentValue(dividends, e.Rate)
	model := findForward(e, e.Contracts, spot)
	var early *earlyExercise
	if !european {
		early = findEarly(e, &model, dividends, spot)
	}
	e.Yield = model.Yield
	last := math.NaN() // the volatility of the contract before
	for i := range e.Contracts {
		q := &e.Contracts[i]
		model.Strike, model.Vol = q.Strike, math.NaN()
		table := early.table(q)
		reason := whyNoMid(q.OptionQuote)
		if reason == "" {
			var err error
			if table != nil {
				model.Vol = last
				model.Vol, err = table.impliedVol(model, q.Mid)
			} else {
				model.Vol, err = model.ImpliedVol(q.Kind, q.Mid)
			}
			if err != nil {
				reason = plainReason(err)
			} else {
				last = model.Vol
			}
		}
		if reason != "" {
			skipped = append(skipped, Skip{Symbol: q.Symbol, Reason: reason})
		}
		var g Greeks
		if q.EarlyExercise = 0; table != nil && !math.IsNaN(model.Vol) {
			q.EarlyExercise, _, _ = table.greeks(&model, &g, true)
		} else {
			g = model.Greeks(q.Kind)
		}
		q.IV, q.Greeks = model.Vol, g
		q.Delta, q.Gamma, q.Theta, q.Vega, q.Rho = g.Delta, g.Gamma, g.ThetaPerDay(), g.Vega, g.Rho
		q.ProbITM, q.ProbTouch = g.ProbITM, g.ProbTouch
	}
	return skipped
}

// findForward sets the expiry's forward, from some of its contracts, and returns
// the model that goes with it, without strike and volatility. Spot is the chain's
// without the cash dividends until expiry.
func findForward(e *Expiry, contracts []Contract, spot float64) BSM {
	grow := growth(e.Rate, e.Years)
	e.Forward, e.ForwardFrom = spot*grow, "spot"
	if forward, ok := parityForward(contracts, grow); ok && math.Abs(forward/e.Forward-1) < 0.5 {
		e.Forward, e.ForwardFrom = forward, "parity"
	}
	model := BSM{Spot: e.Forward / grow, Years: e.Years, Rate: e.Rate}
	if yield := e.Rate - math.Log(e.Forward/spot)/e.Years; e.ForwardFrom == "parity" && e.Years > quarter && math.Abs(yield) < quarter {
		model.Spot, model.Yield = spot, yield
	}
	return model
}

// whyNoMid says why a quote has no mid price, "" when it has one.
func whyNoMid(q market.OptionQuote) string {
	switch {
	case math.IsNaN(q.Bid) || math.IsNaN(q.Ask):
		return "bid or ask is unknown"
	case q.Bid > q.Ask && q.Ask > 0:
		return "crossed: the bid is above the ask"
	case !(q.Ask > 0) || !(q.Bid >= 0) || math.IsInf(q.Ask, 1):
		return "no offer"
	}
	return ""
}

func plainReason(err error) string {
	if field, ok := errors.AsType[*FieldError](err); ok {
		return field.Error()
	}
	return strings.TrimPrefix(err.Error(), "options: ")
}
