package broker

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// searchable is how many different contracts a book may have for all groupings to
// be tried.
const searchable = 24

// count adds a book's requirement and groups.
func (b *marginBook) count(m *Margin) {
	units := make([]int64, len(b.items))
	for i := range b.items {
		units[i] = b.items[i].units
		if b.items[i].kind == market.KindFuture {
			units[i] = 0
		}
	}
	var shapes []marginShape
	var found grouping
	ok := false
	if len(b.items) <= searchable {
		shapes = b.shapes()
		found, ok = allocate(shapes, units)
	}
	if !ok {
		shapes, found = b.large(units)
		shapes, found = b.improve(shapes, found, units)
	}
	m.Exact = m.Exact && found.exact

	rest := make([]decimal.Decimal, len(b.items))
	for i := range b.items {
		it := &b.items[i]
		rest[i] = it.quantity.Abs()
		b.value(m, it)
	}
	for k, n := range found.counts {
		if n == 0 {
			continue
		}
		shape := &shapes[k]
		times := decimal.NewFromInt(n)
		g := MarginGroup{Underlying: b.underlying, Initial: shape.charge.initial.Mul(times), Maintenance: shape.charge.maintenance.Mul(times), Formula: shape.charge.formula()}
		for j, i := range shape.items {
			it := &b.items[i]
			quantity := decimal.NewFromInt(shape.uses[j] * n)
			if it.kind == market.KindEquity {
				quantity = quantity.Mul(decimal.NewFromInt(b.lot))
			}
			rest[i] = rest[i].Sub(quantity)
			g.Legs = append(g.Legs, MarginLeg{Symbol: it.symbol, Quantity: quantity.Mul(it.sign())})
		}
		g.Strategy = shape.strategy
		if g.Strategy == "" {
			g.Strategy = b.name(shape)
		}
		m.add(g)
	}
	for i := range b.items {
		if rest[i].Sign() > 0 {
			b.countAlone(m, &b.items[i], rest[i])
		}
	}
}

func (m *Margin) add(g MarginGroup) {
	m.Groups = append(m.Groups, g)
	m.Initial, m.Maintenance = m.Initial.Add(g.Initial), m.Maintenance.Add(g.Maintenance)
}

// value adds what an item is worth to what equity and net liquidation count.
func (b *marginBook) value(m *Margin, it *marginItem) {
	value := it.quantity.Mul(it.price).Mul(it.multiplier)
	switch {
	case it.kind == market.KindFuture: // its profit has been paid in cash
		m.margined = true
	case it.option():
		m.OptionValue = m.OptionValue.Add(value)
		m.margined = m.margined || !it.long()
	default:
		m.ShareValue = m.ShareValue.Add(value)
		m.margined = m.margined || !it.long()
	}
}

// countAlone adds what is in no combination.
func (b *marginBook) countAlone(m *Margin, it *marginItem, quantity decimal.Decimal) {
	var c charge
	if it.option() {
		c = b.alone(it).times(quantity)
	} else {
		c = b.shares(it).times(quantity)
	}
	g := MarginGroup{
		Underlying: b.underlying, Strategy: b.aloneName(it), Initial: c.initial, Maintenance: c.maintenance, Formula: c.formula(),
		Legs: []MarginLeg{{Symbol: it.symbol, Quantity: quantity.Mul(it.sign())}},
	}
	m.add(g)
	if it.option() && it.long() && b.longDated(it) {
		m.LoanValue = m.LoanValue.Add(b.rules.LongDatedLoan.Mul(quantity).Mul(it.price).Mul(it.multiplier))
	}
	if b.rules.Account == RegTAccount {
		return
	}
	switch {
	case it.option() && !it.long() && it.right == market.Call:
		m.Violations = append(m.Violations, Notice{Code: "uncovered_call", Message: fmt.Sprintf("%s short calls %s are not covered, which this account may not hold", quantity, it.symbol)})
	case !it.option() && !it.long():
		m.Violations = append(m.Violations, Notice{Code: "short_shares", Message: fmt.Sprintf("%s is short, which this account may not be", it.symbol)})
	}
}

// longDated: more than nine months to live.
func (b *marginBook) longDated(it *marginItem) bool {
	if b.date.IsZero() || b.rules.LongDatedLoan.IsZero() {
		return false
	}
	limit := b.date
	limit.Month += 9
	if limit.Month > 12 {
		limit.Year, limit.Month = limit.Year+1, limit.Month-12
	}
	return it.expiration.After(limit)
}

func (b *marginBook) aloneName(it *marginItem) string {
	side := "short"
	if it.long() {
		side = "long"
	}
	switch {
	case it.right == market.Call:
		return side + " call"
	case it.right == market.Put && !it.long() && b.rules.Account != RegTAccount:
		return "cash-secured put"
	case it.right == market.Put:
		return side + " put"
	case it.kind == market.KindEquity:
		return side + " stock"
	}
	return side + " " + string(it.kind)
}

// name is what traders call a combination of options.
func (b *marginBook) name(shape *marginShape) string {
	first := slices.MinFunc(shape.items, func(x, y int) int { return b.items[x].expiration.Compare(b.items[y].expiration) })
	legs := make([]options.Leg, len(shape.items))
	for k, i := range shape.items {
		it := &b.items[i]
		quantity := float64(shape.uses[k])
		if !it.long() {
			quantity = -quantity
		}
		days := b.items[first].expiration.DaysUntil(it.expiration)
		legs[k] = options.Leg{Kind: options.Kind(it.right), Quantity: quantity, Strike: it.strike.InexactFloat64(), Years: float64(days+1) / 365, Multiplier: it.multiplier.InexactFloat64()}
	}
	if name, ok := options.Recognize(legs); ok {
		return name
	}
	return "spread"
}
