package broker

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// A marginShape is a combination that the rules know: one unit of it uses so many
// units of items and asks for a charge.
type marginShape struct {
	items    []int // ascending
	uses     []int64
	charge   charge
	strategy string // empty: told from the legs
	saving   saving // against each item alone
}

// shapes lists the combinations that ask for less than their parts.
func (b *marginBook) shapes() []marginShape {
	var all []marginShape
	add := b.keeper(func(s marginShape) { all = append(all, s) })
	b.withShares(add)
	if b.rules.Account != CashAccount {
		b.fours(b.pairs(add), add)
	}
	if b.rules.Account == RegTAccount {
		b.strangles(add)
	}
	return all
}

// keeper turns what the rules list into shapes and keeps those that ask for less
// than their parts. A shape with a name of its own is kept when it saves nothing,
// for the name.
func (b *marginBook) keeper(keep func(marginShape)) addShape {
	return func(strategy string, c charge, items []int, uses []int64) {
		s := marginShape{items: items, uses: uses, charge: c, strategy: strategy}
		parts := charge{}
		for k, i := range items {
			alone := b.alone(&b.items[i]).times(decimal.NewFromInt(uses[k]))
			parts.initial, parts.maintenance = parts.initial.Add(alone.initial), parts.maintenance.Add(alone.maintenance)
		}
		s.saving = saving{micros(parts.initial.Sub(c.initial)), micros(parts.maintenance.Sub(c.maintenance)), int64(len(items) - 1)}
		if s.saving.initial > 0 || s.saving.initial == 0 && (s.saving.maintenance > 0 || s.saving.maintenance == 0 && strategy != "") {
			keep(s)
		}
	}
}

type addShape func(strategy string, c charge, items []int, uses []int64)

// withShares adds covered options, protected shares, collars and conversions.
func (b *marginBook) withShares(add addShape) {
	s := slices.IndexFunc(b.items, func(it marginItem) bool { return it.kind == market.KindEquity && it.units > 0 })
	if s < 0 {
		return
	}
	sh := &b.items[s]
	if !sh.long() && b.rules.Account != RegTAccount {
		return
	}
	for i := range b.items {
		o := &b.items[i]
		if !o.option() || o.class != "" || !o.multiplier.IsInteger() {
			continue
		}
		lots := []int64{o.multiplier.IntPart() / b.lot, 1}
		items := []int{s, i}
		switch {
		case sh.long() && !o.long() && o.right == market.Call:
			add("covered call", b.coveredCall(sh, o), items, lots)
		case sh.long() && o.long() && o.right == market.Put:
			add("protective put", b.protectivePut(sh, o), items, lots)
		case !sh.long() && !o.long() && o.right == market.Put:
			add("covered put", b.coveredPut(sh, o), items, lots)
		case !sh.long() && o.long() && o.right == market.Call:
			add("protective call", b.protectiveCall(sh, o), items, lots)
		}
		if o.right != market.Call {
			continue
		}
		for j := range b.items {
			p := &b.items[j]
			if p.right != market.Put || p.class != "" || p.long() == o.long() || !p.multiplier.Equal(o.multiplier) || p.expiration != o.expiration {
				continue
			}
			// Items are sorted puts first, shares between puts and calls.
			trio, uses := []int{j, s, i}, []int64{1, lots[0], 1}
			switch {
			case sh.long() && p.long() && p.strike.Equal(o.strike):
				add("conversion", b.conversion(sh, o), trio, uses)
			case sh.long() && p.long() && p.strike.LessThan(o.strike):
				add("collar", b.collar(sh, p, o), trio, uses)
			case !sh.long() && o.long() && p.strike.Equal(o.strike):
				add("reversal", b.reversal(sh, p), trio, uses)
			}
		}
	}
}

// coveredCall: the shares count no more than the strike, and what the call is in
// the money is asked for in full. With a house charge for the call, the shares are
// kept at their own rate and the charge stands for what is in the money.
func (b *marginBook) coveredCall(sh, call *marginItem) charge {
	basis, in := decimal.Min(sh.price, call.strike), positive(sh.price.Sub(call.strike))
	c := charge{
		b.rates.LongInitial.Mul(basis).Add(in), b.rates.LongMaintenance.Mul(basis).Add(in),
		func() string {
			return fmt.Sprintf("%s × %s, kept %s, + %s in the money", b.rates.LongInitial, basis, b.rates.LongMaintenance, in)
		},
	}
	if house := b.rules.CoveredCallCharge; !house.IsZero() {
		extra := house.Mul(call.price)
		c.initial, c.maintenance = c.initial.Add(extra), b.rates.LongMaintenance.Mul(sh.price).Add(extra)
		c.formula = func() string {
			return fmt.Sprintf("%s × %s + %s in the money, kept %s × %s, + %s for the call", b.rates.LongInitial, basis, in, b.rates.LongMaintenance, sh.price, extra)
		}
	}
	return c.times(call.multiplier)
}

// protectivePut is kept with the least of 10 % of the strike + what the put is out
// of the money, and the shares' own requirement.
func (b *marginBook) protectivePut(sh, put *marginItem) charge {
	own := b.shares(sh)
	if b.rules.Account != RegTAccount {
		return own.times(put.multiplier)
	}
	protected := tenth.Mul(put.strike).Add(positive(sh.price.Sub(put.strike)))
	keep := decimal.Min(protected, own.maintenance)
	return charge{own.initial, keep, func() string {
		return fmt.Sprintf("%s × %s, kept the lesser of 0.1 × %s + %s and %s", b.rates.LongInitial, sh.price, put.strike, positive(sh.price.Sub(put.strike)), own.maintenance)
	}}.times(put.multiplier)
}

var tenth = decimal.New(1, -1)

func (b *marginBook) coveredPut(sh, put *marginItem) charge {
	own, in := b.shares(sh), positive(put.strike.Sub(sh.price))
	return charge{own.initial.Add(in), own.maintenance.Add(in), func() string {
		return own.formula() + fmt.Sprintf(", + %s in the money", in)
	}}.times(put.multiplier)
}

func (b *marginBook) protectiveCall(sh, call *marginItem) charge {
	own, out := b.shares(sh), positive(call.strike.Sub(sh.price))
	keep := decimal.Min(tenth.Mul(call.strike).Add(out), own.maintenance)
	return charge{own.initial, keep, func() string {
		return fmt.Sprintf("%s × %s beyond the proceeds, kept the lesser of 0.1 × %s + %s and %s", b.rates.ShortInitial, sh.price, call.strike, out, own.maintenance)
	}}.times(call.multiplier)
}

func (b *marginBook) collar(sh, put, call *marginItem) charge {
	covered := b.coveredCall(sh, call)
	if b.rules.Account != RegTAccount {
		return covered
	}
	in, out := positive(sh.price.Sub(call.strike)), positive(sh.price.Sub(put.strike))
	keep := decimal.Min(tenth.Mul(put.strike).Add(positive(decimal.Min(sh.price, call.strike).Sub(put.strike))), amount("0.25").Mul(call.strike)).Add(in)
	return charge{covered.initial, keep.Mul(call.multiplier), func() string {
		return fmt.Sprintf("%s; kept the lesser of 0.1 × %s + %s and 0.25 × %s, + %s in the money", covered.formula(), put.strike, out, call.strike, in)
	}}
}

func (b *marginBook) conversion(sh, call *marginItem) charge {
	covered := b.coveredCall(sh, call)
	if b.rules.Account != RegTAccount {
		return covered
	}
	in := positive(sh.price.Sub(call.strike))
	return charge{covered.initial, tenth.Mul(call.strike).Add(in).Mul(call.multiplier), func() string {
		return fmt.Sprintf("%s; kept 0.1 × %s + %s in the money", covered.formula(), call.strike, in)
	}}
}

func (b *marginBook) reversal(sh, put *marginItem) charge {
	covered := b.coveredPut(sh, put)
	in := positive(put.strike.Sub(sh.price))
	return charge{covered.initial, tenth.Mul(put.strike).Add(in).Mul(put.multiplier), func() string {
		return fmt.Sprintf("%s; kept 0.1 × %s + %s in the money", covered.formula(), put.strike, in)
	}}
}

// pairs adds a short option with a long one that lives at least as long, and
// returns those of one expiry, the short one first. Each asks for its greatest loss
// at expiry, the premium aside.
func (b *marginBook) pairs(add addShape) [][2]int {
	var pairs [][2]int
	for i := range b.items {
		s := &b.items[i]
		if !s.option() || s.long() {
			continue
		}
		for j := range b.items {
			l := &b.items[j]
			if !l.option() || !l.long() || l.right != s.right || !b.alike(s, l) || l.expiration.Before(s.expiration) || b.sameExpiry && l.expiration != s.expiration {
				continue
			}
			add("", b.greatestLoss([]int{i, j}, []int64{1, 1}), sortedPair(i, j), []int64{1, 1})
			if l.expiration == s.expiration {
				pairs = append(pairs, [2]int{i, j})
			}
		}
	}
	return pairs
}

// alike: contracts of the same kind, which can stand in one spread.
func (b *marginBook) alike(x, y *marginItem) bool {
	return x.class == y.class && x.multiplier.Equal(y.multiplier) && x.style == y.style
}

func sortedPair(i, j int) []int { return []int{min(i, j), max(i, j)} }

// fours adds condors, butterflies, iron condors, iron butterflies and boxes: two
// verticals of one expiry.
func (b *marginBook) fours(pairs [][2]int, add addShape) {
	for x, p := range pairs {
		for y := x; y < len(pairs); y++ {
			q := pairs[y]
			s, t := &b.items[p[0]], &b.items[q[0]]
			if s.expiration != t.expiration || !b.alike(s, t) || x == y {
				continue
			}
			legs := []int{p[0], p[1], q[0], q[1]}
			if len(b.items) > nameable && !b.betterTogether(legs) {
				continue
			}
			slices.Sort(legs)
			items, uses := []int{}, []int64{}
			for _, leg := range legs {
				if n := len(items); n > 0 && items[n-1] == leg {
					uses[n-1]++
					continue
				}
				items, uses = append(items, leg), append(uses, 1)
			}
			add("", b.greatestLoss(items, uses), items, uses)
		}
	}
}

// nameable is up to how many contracts combinations are kept for their names
// alone, when they ask for no less than their verticals.
const nameable = 8

// betterTogether tells whether two verticals lose less together than each for
// itself.
func (b *marginBook) betterTogether(legs []int) bool {
	return b.lossOf(legs).LessThan(b.lossOf(legs[:2]).Add(b.lossOf(legs[2:])))
}

// lossOf is the greatest loss at expiry of one of each leg, per unit.
func (b *marginBook) lossOf(legs []int) decimal.Decimal {
	worst := int64(0)
	for n, at := range legs {
		spot, value := b.items[at].mils, int64(0)
		for _, i := range legs {
			it := &b.items[i]
			value += int64(it.quantity.Sign()) * max(0, int64(it.right)*(spot-it.mils))
		}
		if n == 0 || value < worst {
			worst = value
		}
	}
	return decimal.New(max(-worst, 0), -3)
}

// greatestLoss is what a combination of limited risk can lose at expiry, found at
// its strikes. A short box of European options asks at least for 1.02 times what
// it costs to close.
func (b *marginBook) greatestLoss(items []int, uses []int64) charge {
	worst, best := decimal.Zero, decimal.Zero
	closing := decimal.Zero
	multiplier := b.items[items[0]].multiplier
	for n, at := range items {
		spot := b.items[at].strike
		value := decimal.Zero
		for k, i := range items {
			it := &b.items[i]
			intrinsic := spot.Sub(it.strike)
			if it.right == market.Put {
				intrinsic = intrinsic.Neg()
			}
			value = value.Add(positive(intrinsic).Mul(it.sign()).Mul(decimal.NewFromInt(uses[k])))
		}
		if n == 0 || value.LessThan(worst) {
			worst = value
		}
		if n == 0 || value.GreaterThan(best) {
			best = value
		}
		closing = closing.Sub(b.items[at].price.Mul(b.items[at].sign()).Mul(decimal.NewFromInt(uses[n])))
	}
	loss := positive(worst.Neg())
	box := len(items) == 4 && worst.Equal(best)
	if box && loss.Sign() > 0 && b.items[items[0]].style == market.European {
		if toClose := amount("1.02").Mul(closing); toClose.GreaterThan(loss) {
			return evenly(toClose.Mul(multiplier), func() string { return fmt.Sprintf("1.02 × %s to close", closing) })
		}
	}
	return evenly(loss.Mul(multiplier), func() string {
		if loss.IsZero() {
			return "no loss beyond the premium"
		}
		return fmt.Sprintf("greatest loss %s, the premium aside", loss)
	})
}

// strangles adds a short call with a short put: the greater of both requirements,
// and the price of the other.
func (b *marginBook) strangles(add addShape) {
	for i := range b.items {
		put := &b.items[i]
		if put.right != market.Put || put.long() {
			continue
		}
		for j := range b.items {
			call := &b.items[j]
			if call.right != market.Call || call.long() || !b.alike(put, call) {
				continue
			}
			p, c := b.naked(put), b.naked(call)
			greater, other := c, put
			if p.initial.GreaterThan(c.initial) {
				greater, other = p, call
			}
			add(strangleName(put, call), evenly(greater.initial.Add(other.price.Mul(other.multiplier)), func() string {
				return fmt.Sprintf("%s, + %s for the other side", greater.formula(), other.price)
			}), sortedPair(i, j), []int64{1, 1})
		}
	}
}

func strangleName(put, call *marginItem) string {
	switch {
	case put.expiration != call.expiration:
		return "short call and put"
	case put.strike.Equal(call.strike):
		return "short straddle"
	case put.strike.GreaterThan(call.strike):
		return "short guts"
	}
	return "short strangle"
}
