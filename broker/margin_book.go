package broker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A marginItem is a position in one instrument.
type marginItem struct {
	symbol     market.Symbol
	kind       market.InstrumentKind
	right      market.OptionKind // 0 for what is no option
	quantity   decimal.Decimal   // signed
	price      decimal.Decimal
	multiplier decimal.Decimal
	strike     decimal.Decimal
	expiration market.Date
	style      market.ExerciseStyle
	// class keeps apart what cannot cover each other: contracts changed by a
	// corporate action deliver something else.
	class string
	units int64 // contracts, or lots of shares, without sign
	mils  int64 // the strike in thousandths
}

func (it *marginItem) long() bool   { return it.quantity.Sign() > 0 }
func (it *marginItem) option() bool { return it.right != 0 }
func (it *marginItem) sign() decimal.Decimal {
	return decimal.NewFromInt(int64(it.quantity.Sign()))
}

func newMarginItem(p MarginPosition) (marginItem, market.Symbol, error) {
	it := marginItem{
		symbol: p.Symbol, kind: p.Symbol.Kind(), quantity: p.Quantity, price: p.Price,
		multiplier: orElse(p.Multiplier, unity),
	}
	underlying := p.Underlying
	switch it.kind {
	case market.KindOption:
		c, _ := p.Symbol.Contract()
		if !p.Quantity.IsInteger() {
			return it, "", invalid.Field("Quantity", p.Quantity, "a whole number of contracts of "+string(p.Symbol))
		}
		if underlying == "" {
			underlying = c.Underlying()
		}
		it.right, it.strike, it.expiration = c.Kind, decimal.NewFromFloat(c.Strike), c.Expiration
		it.style, _, _ = c.Terms()
		it.mils = it.strike.Shift(3).IntPart()
		it.multiplier = orElse(p.Multiplier, hundred)
		if last := c.Root[len(c.Root)-1]; len(c.Root) > 1 && last >= '1' && last <= '9' {
			it.class = c.Root
		}
		it.units = p.Quantity.Abs().IntPart()
	case market.KindFuture:
		underlying = market.Symbol("/" + market.FutureRoot(p.Symbol))
	case market.KindFutureOption:
		return it, "", invalid.Field("Symbol", string(p.Symbol), "shares, options on shares and indices, futures or crypto: options on futures are margined by their exchange")
	default:
		underlying = p.Symbol
	}
	return it, underlying, nil
}

// A marginBook is all positions on one underlying.
type marginBook struct {
	rules      *MarginRules
	underlying market.Symbol
	date       market.Date
	items      []marginItem
	rates      SymbolMargin
	spot       decimal.Decimal
	sameExpiry bool // options of different expiries do not cover each other
	lot        int64
}

// broadIndices are the underlyings whose options have the lower rate of broad
// indices (Cboe rule 10.3).
var broadIndices = []market.Symbol{"SPX", "XSP", "NDX", "XND", "RUT", "MRUT", "DJX", "OEX", "XEO", "MXEA", "MXEF", "SPEQX"}

// prepare finds rates and the underlying's price.
func (b *marginBook) prepare(spots map[market.Symbol]decimal.Decimal) error {
	rates, ok := b.rules.Symbols[b.underlying]
	if !ok {
		rates = b.rules.Default
	}
	standard := amount("0.2")
	if slices.Contains(broadIndices, b.underlying) {
		standard = amount("0.15")
	}
	leverage := orElse(rates.Leverage, unity)
	longKeep := decimal.Min(unity, orElse(rates.LongMaintenance, amount("0.25")).Mul(leverage))
	shortKeep := orElse(rates.ShortMaintenance, amount("0.3")).Mul(leverage)
	b.rates = SymbolMargin{
		LongInitial:      decimal.Max(orElse(rates.LongInitial, amount("0.5")), longKeep),
		LongMaintenance:  longKeep,
		ShortInitial:     decimal.Max(orElse(rates.ShortInitial, amount("0.5")), shortKeep),
		ShortMaintenance: shortKeep,
		NakedStandard:    orElse(rates.NakedStandard, standard).Mul(leverage),
		NakedMinimum:     orElse(rates.NakedMinimum, amount("0.1")).Mul(leverage),
		NakedFloor:       rates.NakedFloor,
		Leverage:         leverage,
	}
	if b.rules.Account != RegTAccount {
		b.rates.LongInitial, b.rates.LongMaintenance = unity, unity
	}
	// Each expiry of a volatility index has a forward of its own.
	b.sameExpiry = b.underlying == "VIX"

	slices.SortFunc(b.items, func(x, y marginItem) int {
		return cmp.Or(cmp.Compare(x.right, y.right), x.expiration.Compare(y.expiration), x.strike.Cmp(y.strike), cmp.Compare(x.symbol, y.symbol))
	})
	spot, known := spots[b.underlying]
	options := false
	b.lot = 0
	for i := range b.items {
		it := &b.items[i]
		if it.kind == market.KindEquity && !known {
			spot, known = it.price, true
		}
		if it.option() {
			options = true
			if it.class == "" && it.multiplier.IsInteger() {
				b.lot = gcd(b.lot, it.multiplier.IntPart())
			}
		}
	}
	if options && (!known || spot.Sign() < 0) {
		return invalid.Missing(fmt.Sprintf("Underlyings[%s]", b.underlying), "the price of the options' underlying")
	}
	b.spot = spot
	for i := range b.items {
		it := &b.items[i]
		if it.kind == market.KindEquity && b.lot > 0 {
			it.units = it.quantity.Abs().IntPart() / b.lot
		}
		if it.kind == market.KindFuture {
			if _, ok := b.rules.Futures[market.FutureRoot(it.symbol)]; !ok {
				return invalid.Missing("Futures["+market.FutureRoot(it.symbol)+"]", "the margin per contract of "+string(it.symbol))
			}
		}
	}
	return nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// A charge is a requirement and the words for it.
type charge struct {
	initial, maintenance decimal.Decimal
	formula              func() string
}

func evenly(x decimal.Decimal, formula func() string) charge {
	return charge{initial: x, maintenance: x, formula: formula}
}

func (c charge) times(x decimal.Decimal) charge {
	c.initial, c.maintenance = c.initial.Mul(x), c.maintenance.Mul(x)
	return c
}

func positive(x decimal.Decimal) decimal.Decimal { return decimal.Max(x, decimal.Zero) }

// outOfTheMoney is how far, in price units.
func (b *marginBook) outOfTheMoney(it *marginItem) decimal.Decimal {
	return positive(b.inTheMoneySigned(it).Neg())
}

func (b *marginBook) inTheMoneySigned(it *marginItem) decimal.Decimal {
	if it.right == market.Call {
		return b.spot.Sub(it.strike)
	}
	return it.strike.Sub(b.spot)
}

// naked is the requirement of one short option alone, for all its units of the
// underlying:
//
//	price + max(standard · S - out of the money, minimum · (S for calls, K for puts), floor)
func (b *marginBook) naked(it *marginItem) charge {
	if b.rules.Account != RegTAccount && it.right == market.Put {
		return evenly(it.strike.Mul(it.multiplier), func() string {
			return fmt.Sprintf("the strike %s in cash", it.strike)
		})
	}
	basis := b.spot
	if it.right == market.Put {
		basis = it.strike
	}
	standard := b.rates.NakedStandard.Mul(b.spot).Sub(b.outOfTheMoney(it)).Mul(it.multiplier)
	least := b.rates.NakedMinimum.Mul(basis).Mul(it.multiplier)
	over := decimal.Max(standard, least, b.rates.NakedFloor)
	return evenly(it.price.Mul(it.multiplier).Add(over), func() string {
		return fmt.Sprintf("%s + the greatest of %s × %s - %s, %s × %s and %s a contract",
			it.price, b.rates.NakedStandard, b.spot, b.outOfTheMoney(it), b.rates.NakedMinimum, basis, b.rates.NakedFloor)
	})
}

// shares is the requirement of one share, or coin, alone.
func (b *marginBook) shares(it *marginItem) charge {
	switch {
	case it.kind == market.KindFuture:
		f := b.rules.Futures[market.FutureRoot(it.symbol)]
		return charge{f.Initial, decimal.Min(f.Initial, f.Maintenance), func() string { return fmt.Sprintf("%s a contract", f.Initial) }}
	case it.kind != market.KindEquity:
		return evenly(it.price.Mul(it.multiplier), func() string { return "the whole value" })
	case it.long():
		return charge{b.rates.LongInitial.Mul(it.price), b.rates.LongMaintenance.Mul(it.price), func() string {
			return fmt.Sprintf("%s × %s, kept %s", b.rates.LongInitial, it.price, b.rates.LongMaintenance)
		}}
	}
	keep := b.shortKeep(it.price)
	return charge{decimal.Max(b.rates.ShortInitial.Mul(it.price), keep), keep, func() string {
		return fmt.Sprintf("%s × %s beyond the proceeds, kept %s", b.rates.ShortInitial, it.price, keep)
	}}
}

// shortKeep is the maintenance requirement of a short share, beyond its proceeds
// (FINRA rule 4210(c)): a share below 5 needs the greater of 2.50 and its price,
// others the greater of 5 and 30 %.
func (b *marginBook) shortKeep(price decimal.Decimal) decimal.Decimal {
	five := decimal.NewFromInt(5)
	if price.LessThan(five) {
		return decimal.Max(amount("2.5"), price)
	}
	return decimal.Max(five, b.rates.ShortMaintenance.Mul(price))
}

// alone is the requirement of one unit of an item by itself: a contract, or a lot.
func (b *marginBook) alone(it *marginItem) charge {
	switch {
	case it.option() && it.long():
		return evenly(decimal.Zero, func() string { return "paid in full" })
	case it.option():
		return b.naked(it)
	}
	return b.shares(it).times(decimal.NewFromInt(max(b.lot, 1)))
}
