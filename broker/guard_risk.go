package broker

import (
	"cmp"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// holding is a quantity of one instrument, in shares of its underlying.
type holding struct {
	symbol market.Symbol
	size   decimal.Decimal // signed: quantity × multiplier
}

// contractUnderlying is what a symbol's risk is counted under.
func contractUnderlying(s market.Symbol) market.Symbol {
	switch s.Kind() {
	case market.KindOption:
		c, _ := s.Contract()
		return c.Underlying()
	case market.KindFuture, market.KindFutureOption:
		return market.Symbol("/" + market.FutureRoot(s))
	}
	return s
}

// unbounded is the least value of what has none.
var unbounded = math.Inf(-1)

// leastValue returns the least that the holdings in one underlying can be worth
// when their options have expired, -Inf when there is no least: zero for what is
// long alone, minus the strike for a short put, minus the width for a spread.
//
// Where the short options have one expiry the payoff of options.Structure is
// exact; long options that expire before it are worth nothing in it, and later
// ones count by what exercising them brings, so only American ones do. Where the
// short options expire at several times each expiry is counted by itself, with
// the shares and later long calls that bound it; the sum is then too low rather
// than too high.
func leastValue(holdings []holding) float64 {
	shares, shorts, longs, other := split(holdings)
	if other < 0 {
		return unbounded
	}
	expiries := expiriesOf(shorts)
	switch len(expiries) {
	case 0:
		last := expiriesOf(longs)
		if len(last) > 0 {
			longs = slices.DeleteFunc(longs, func(o optionHolding) bool { return o.Expiration != last[len(last)-1] })
		}
		return leastIntrinsic(shares, longs)
	case 1:
		var counted []optionHolding
		for _, o := range longs {
			if o.covers(expiries[0]) {
				counted = append(counted, o)
			}
		}
		return leastIntrinsic(shares, append(counted, shorts...))
	}
	total := 0.0
	for i := len(expiries) - 1; i >= 0; i-- {
		at := expiries[i]
		var group []optionHolding
		slope := 0.0
		for _, o := range append(slices.Clone(shorts), longs...) {
			if o.Expiration == at {
				group = append(group, o)
				if o.Kind == market.Call {
					slope += o.size
				}
			}
		}
		lent := 0.0
		if slope < 0 && shares > 0 {
			lent = min(shares, -slope)
			shares -= lent
			slope += lent
		}
		for j := range longs {
			o := &longs[j]
			if slope < 0 && o.Kind == market.Call && o.Expiration != at && o.size > 0 && o.covers(at) {
				part := *o
				part.size = min(o.size, -slope)
				o.size -= part.size
				slope += part.size
				group = append(group, part)
			}
		}
		total += leastIntrinsic(lent, group)
	}
	return total + leastIntrinsic(shares, nil)
}

type optionHolding struct {
	market.Contract
	style market.ExerciseStyle
	size  float64
}

// covers tells whether a long option is worth its exercise value when a short one
// of that expiry ends.
func (o optionHolding) covers(expiry market.Date) bool {
	return o.Expiration == expiry || o.Expiration.After(expiry) && o.style == market.American
}

// split nets holdings. Other is the least value of what is neither shares nor
// options: 0 when it is all long.
func split(holdings []holding) (shares float64, shorts, longs []optionHolding, other float64) {
	net := map[market.Symbol]decimal.Decimal{}
	var order []market.Symbol
	for _, h := range holdings {
		if _, ok := net[h.symbol]; !ok {
			order = append(order, h.symbol)
		}
		net[h.symbol] = net[h.symbol].Add(h.size)
	}
	for _, symbol := range order {
		size := net[symbol].InexactFloat64()
		switch c, ok := symbol.Contract(); {
		case ok && size < 0:
			style, _, _ := c.Terms()
			shorts = append(shorts, optionHolding{c, style, size})
		case ok && size > 0:
			style, _, _ := c.Terms()
			longs = append(longs, optionHolding{c, style, size})
		case ok:
		case symbol.Kind() == market.KindEquity:
			shares += size
		case size < 0:
			other = unbounded
		}
	}
	return shares, shorts, longs, other
}

func expiriesOf(held []optionHolding) []market.Date {
	var out []market.Date
	for _, o := range held {
		out = append(out, o.Expiration)
	}
	slices.SortFunc(out, market.Date.Compare)
	return slices.Compact(out)
}

// leastIntrinsic is the least value at one moment at which all options expire.
func leastIntrinsic(shares float64, held []optionHolding) float64 {
	var legs []options.Leg
	if shares != 0 {
		legs = append(legs, options.Leg{Quantity: shares})
	}
	for _, o := range held {
		if o.size != 0 {
			legs = append(legs, options.Leg{Kind: options.Kind(o.Kind), Quantity: o.size, Multiplier: 1, Strike: o.Strike})
		}
	}
	if len(legs) == 0 {
		return 0
	}
	payoff, err := options.Structure{Legs: legs}.Payoff()
	if err != nil {
		return unbounded
	}
	return payoff.Min()
}

// shortfall is what is sold and not covered, in shares of one underlying.
type shortfall struct{ calls, puts, shares float64 }

// uncovered counts what nothing covers: short calls beyond long calls that expire
// no earlier and long shares, short puts beyond long puts and short shares, and
// short shares, futures and coins themselves.
func uncovered(holdings []holding) shortfall {
	shares, shorts, longs, _ := split(holdings)
	s := shortfall{shares: max(-shares, 0)}
	for _, h := range netOthers(holdings) {
		s.shares += max(-h, 0)
	}
	for _, at := range expiriesOf(shorts) {
		calls, puts := -max(shares, 0), -max(-shares, 0)
		for _, o := range shorts {
			if o.Expiration.Before(at) {
				continue
			}
			if o.Kind == market.Call {
				calls -= o.size
			} else {
				puts -= o.size
			}
		}
		for _, o := range longs {
			if !o.covers(at) {
				continue
			}
			if o.Kind == market.Call {
				calls -= o.size
			} else {
				puts -= o.size
			}
		}
		s.calls, s.puts = max(s.calls, calls), max(s.puts, puts)
	}
	return s
}

func netOthers(holdings []holding) map[market.Symbol]float64 {
	net := map[market.Symbol]float64{}
	for _, h := range holdings {
		if kind := h.symbol.Kind(); kind != market.KindOption && kind != market.KindEquity {
			net[h.symbol] += h.size.InexactFloat64()
		}
	}
	return net
}

// exceeds tells whether any part of s is more than that of t.
func (s shortfall) exceeds(t shortfall) bool {
	const rounding = 1e-9
	return s.calls > t.calls+rounding || s.puts > t.puts+rounding || s.shares > t.shares+rounding
}

// byUnderlying sorts holdings by what they are on, in a stable order.
func byUnderlying(holdings []holding) map[market.Symbol][]holding {
	out := map[market.Symbol][]holding{}
	for _, h := range holdings {
		u := contractUnderlying(h.symbol)
		out[u] = append(out[u], h)
	}
	return out
}

func underlyingsOf(holdings ...[]holding) []market.Symbol {
	var out []market.Symbol
	for _, hs := range holdings {
		for _, h := range hs {
			out = append(out, contractUnderlying(h.symbol))
		}
	}
	slices.SortFunc(out, func(a, b market.Symbol) int { return cmp.Compare(a, b) })
	return slices.Compact(out)
}

// orderLoss returns the most that an order can lose: its payoff by itself or, where
// it sells what holdings cover or closes, what it takes from the least value of
// the holdings. Held has one or more views of what is held, of which the worst
// counts. Cash is what changes hands.
func orderLoss(cash decimal.Decimal, legs []holding, closes bool, held [][]holding) Loss {
	alone, sells := 0.0, false
	parts := byUnderlying(legs)
	for _, part := range parts {
		alone -= leastValue(part)
		for _, h := range part {
			sells = sells || h.size.Sign() < 0
		}
	}
	loss := alone
	if sells || closes {
		within := 0.0
		for _, view := range held {
			within = max(within, takenFrom(view, parts))
		}
		if closes {
			loss = within
		} else {
			loss = min(loss, within)
		}
	}
	if math.IsInf(loss, 1) || math.IsNaN(loss) {
		return Loss{Unbounded: true}
	}
	amount := decimal.NewFromFloat(loss).Round(4).Sub(cash)
	if amount.Sign() < 0 {
		amount = decimal.Zero
	}
	return Loss{Amount: &amount}
}

// takenFrom is by how much the legs lower the least value of what is held. Where
// that has no end already, the legs count by themselves.
func takenFrom(held []holding, parts map[market.Symbol][]holding) float64 {
	groups := byUnderlying(held)
	total := 0.0
	for u, part := range parts {
		before := groups[u]
		after := append(slices.Clone(before), part...)
		was, is := leastValue(before), leastValue(after)
		if math.IsInf(was, -1) {
			was, is = 0, leastValue(part)
		}
		total += was - is
	}
	return total
}
