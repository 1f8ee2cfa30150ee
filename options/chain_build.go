package options

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
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
// # Forward, yield and Greeks
//
// The forward is the weighted median of strike + e^(rT)·(call - put) over the
// pairs nearest the money that have two-sided quotes; narrow spreads weigh
// more, so that no single stale or wide quote moves it. Implied volatilities
// are those of European options on that forward. For American ones that
// ignores early exercise, which matters deep in the money and around
// dividends; deep puts may come out as below intrinsic value. A contract that
// nobody bids for is valued at half its ask, but has no say in the forward or
// in [Expiry.ATMVol].
//
// Beyond a quarter year the Greeks use the spot and the continuous yield that
// the forward implies. Within a quarter dividends are single events, and a spot
// that is a little out of step with the quotes would imply an absurd yield: the
// Greeks then use the spot without its dividends, forward·e^(-rT), and no yield.
func NewChain(quotes []market.OptionQuote, opts *ChainOptions) (*Chain, error) {
	if opts == nil {
		opts = &ChainOptions{}
	}
	switch {
	case len(quotes) == 0:
		return nil, invalid.Missing("quotes", "at least one option quote")
	case !(math.Abs(opts.Rate) <= 1):
		return nil, invalid.Field("rate", opts.Rate, "a rate from -1 to 1 such as 0.05 for 5 % a year")
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
	for i := range groups {
		groups[i].Spot, groups[i].Rate = c.Spot, opts.Rate
		c.value(&groups[i])
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
	type contractKey struct {
		key
		kind   Kind
		strike float64
	}
	exclude := func(q market.OptionQuote, reason string) {
		c.Skipped = append(c.Skipped, Skip{Symbol: q.Symbol, Reason: reason, Excluded: true})
	}
	expiries := map[key]*Expiry{}
	seen := map[contractKey]int{} // index in the expiry's contracts
	for _, q := range quotes {
		if q.Root == "" {
			if contract, ok := q.Symbol.Contract(); ok {
				q.Root = contract.Root
			}
		}
		k := key{q.Root, q.Expiration, q.Settlement}
		switch {
		case !validKind(q.Kind):
			exclude(q, "neither call nor put")
			continue
		case !(q.Strike > 0) || math.IsInf(q.Strike, 0):
			exclude(q, "no positive strike")
			continue
		case q.Expiration.IsZero():
			exclude(q, "no expiration date")
			continue
		case q.Time.After(c.At.Add(clockSkew)):
			exclude(q, "quoted after the time of valuation")
			continue
		}
		e := expiries[k]
		if e == nil {
			end := ExpiryTime(q.Expiration, q.Settlement, cal)
			e = &Expiry{Date: q.Expiration, Root: q.Root, Settlement: q.Settlement, Time: end, Years: YearsToExpiry(c.At, end)}
			expiries[k] = e
		}
		if !(e.Years > 0) {
			exclude(q, "expired")
			continue
		}
		contract := Contract{OptionQuote: q, Mid: q.Mid()}
		ck := contractKey{k, q.Kind, q.Strike}
		if i, ok := seen[ck]; ok {
			if other := e.Contracts[i].OptionQuote; q.Time.After(other.Time) {
				e.Contracts[i] = contract
				q = other
			}
			exclude(q, "another quote of the same contract is newer")
			continue
		}
		seen[ck] = len(e.Contracts)
		e.Contracts = append(e.Contracts, contract)
	}
	groups := make([]Expiry, 0, len(expiries))
	for _, e := range expiries {
		if len(e.Contracts) > 0 {
			slices.SortFunc(e.Contracts, func(a, b Contract) int {
				return cmp.Or(cmp.Compare(a.Strike, b.Strike), cmp.Compare(b.Kind, a.Kind))
			})
			groups = append(groups, *e)
		}
	}
	slices.SortFunc(groups, func(a, b Expiry) int {
		return cmp.Or(a.Date.Compare(b.Date), a.Time.Compare(b.Time), strings.Compare(a.Root, b.Root), strings.Compare(string(a.Settlement), string(b.Settlement)))
	})
	return groups
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

// value finds the expiry's forward and values its contracts.
func (c *Chain) value(e *Expiry) {
	grow := growth(e.Rate, e.Years)
	e.Forward, e.ForwardFrom = c.Spot*grow, "spot"
	if forward, ok := parityForward(e.Contracts, grow); ok && math.Abs(forward/e.Forward-1) < 0.5 {
		e.Forward, e.ForwardFrom = forward, "parity"
	}
	model := BSM{Spot: e.Forward / grow, Years: e.Years, Rate: e.Rate}
	if yield := e.Rate - math.Log(e.Forward/c.Spot)/e.Years; e.ForwardFrom == "parity" && e.Years > quarter && math.Abs(yield) < quarter {
		model.Spot, model.Yield = c.Spot, yield
	}
	e.Yield = model.Yield
	for i := range e.Contracts {
		q := &e.Contracts[i]
		model.Strike = q.Strike
		vol, reason := math.NaN(), whyNoMid(q.OptionQuote)
		if reason == "" {
			var err error
			if vol, err = model.ImpliedVol(q.Kind, q.Mid); err != nil {
				reason = plainReason(err)
			}
		}
		if reason != "" {
			c.Skipped = append(c.Skipped, Skip{Symbol: q.Symbol, Reason: reason})
		}
		model.Vol = vol
		g := model.Greeks(q.Kind)
		q.IV, q.Greeks = vol, g
		q.Delta, q.Gamma, q.Theta, q.Vega, q.Rho = g.Delta, g.Gamma, g.ThetaPerDay(), g.Vega, g.Rho
		q.ProbITM, q.ProbTouch = g.ProbITM, g.ProbTouch
	}
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
