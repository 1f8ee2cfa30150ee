package report

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A Profit is what was gained or lost between two snapshots, in the account's
// currency. Amounts are signed, and nil when something that they need is unknown.
//
//	Total = Realized + Unrealized + Income + Fees
//	Total = Explained.Delta + Gamma + Theta + Vega + Unexplained + Trading + Income + Fees
type Profit struct {
	// Total is the change of cash and of the value of positions at their marks,
	// transfers left out.
	Total *decimal.Decimal `json:"total"`
	// Realized is the profit of what was closed, at average cost, before fees.
	Realized *decimal.Decimal `json:"realized"`
	// Unrealized is the change of the open profit of what is held.
	Unrealized *decimal.Decimal `json:"unrealized"`
	// Income is money that no trade brought: dividends, interest, negative when paid.
	Income decimal.Decimal `json:"income"`
	Fees   decimal.Decimal `json:"fees"` // negative when paid
	Trades int             `json:"trades"`
}

// Explained says where the profit came from, by a Taylor series around the earlier
// snapshot's Greeks. For each position, as far as it is held in both:
//
//	Delta = Δ · dS          Δ in shares, dS the underlying's change in dollars
//	Gamma = ½ · Γ · dS²     Γ in shares per dollar
//	Theta = Θ · dt          Θ in dollars per calendar day, dt in days
//	Vega  = ν · dσ          ν in dollars per point, dσ in points of the mark's own
//	                        implied volatility: 0.20 → 0.21 is one
//
// Terms are rounded to the cent; Unexplained is the rest to the value at the marks,
// exactly. It holds the higher orders (vanna, volga, charm, speed), changes of
// rates and dividends, and all of what had no Greeks.
type Explained struct {
	Delta       *decimal.Decimal `json:"delta"`
	Gamma       *decimal.Decimal `json:"gamma"`
	Theta       *decimal.Decimal `json:"theta"`
	Vega        *decimal.Decimal `json:"vega"`
	Unexplained *decimal.Decimal `json:"unexplained"`
	// Trading is the profit of what was traded, exercised, assigned or expired
	// between the snapshots, from its price then to the mark now, before fees.
	Trading *decimal.Decimal `json:"trading"`
}

// A Line is the profit of one underlying or strategy.
type Line struct {
	Name string `json:"name"` // empty: of no underlying, or of no strategy
	Profit
	Explained Explained `json:"explained"`
	// Greeks are of what is held now; a strategy's delta and gamma are null, because
	// those of different underlyings are not added.
	Greeks Greeks `json:"greeks"`
}

// A Change is what happened in an account between two snapshots.
type Change struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Before and After are cash and positions at their marks; nil when unknown.
	Before *decimal.Decimal `json:"before"`
	After  *decimal.Decimal `json:"after"`
	// Transfers is money that came in or went out; it is no profit.
	Transfers decimal.Decimal `json:"transfers"`
	// Unbooked is what the change of cash and the transactions differ by: zero unless
	// the broker has not listed everything yet. It is in Total, under no underlying.
	Unbooked decimal.Decimal `json:"unbooked"`
	Profit
	Explained    Explained `json:"explained"`
	ByUnderlying []Line    `json:"by_underlying"`
	// ByStrategy counts each strategy by its own average cost: where two hold the same
	// symbol, their realized and unrealized profits differ from the account's, and
	// their totals do not.
	ByStrategy []Line `json:"by_strategy"`
	// Unpriced are symbols without a mark in one of the snapshots: what they are part
	// of is nil. Unmeasured are those without Greeks: their profit is in Unexplained.
	Unpriced   []market.Symbol `json:"unpriced,omitempty"`
	Unmeasured []market.Symbol `json:"unmeasured,omitempty"`
}

// sum adds amounts of which each may be unknown.
func sum(parts ...*decimal.Decimal) *decimal.Decimal {
	out := decimal.Zero
	for _, p := range parts {
		if p == nil {
			return nil
		}
		out = out.Add(*p)
	}
	return &out
}

func minus(a, b *decimal.Decimal) *decimal.Decimal {
	if a == nil || b == nil {
		return nil
	}
	d := a.Sub(*b)
	return &d
}

func of(d decimal.Decimal) *decimal.Decimal { return &d }

// zero is a Line of nothing.
func zero(name string) Line {
	z := func() *decimal.Decimal { return &decimal.Decimal{} }
	return Line{Name: name, Profit: Profit{Total: z(), Realized: z(), Unrealized: z()}, Explained: Explained{z(), z(), z(), z(), z(), z()}}
}

func (l *Line) add(o Line) {
	l.Total, l.Realized, l.Unrealized = sum(l.Total, o.Total), sum(l.Realized, o.Realized), sum(l.Unrealized, o.Unrealized)
	l.Income, l.Fees, l.Trades = l.Income.Add(o.Income), l.Fees.Add(o.Fees), l.Trades+o.Trades
	a, b := &l.Explained, o.Explained
	a.Delta, a.Gamma, a.Theta, a.Vega = sum(a.Delta, b.Delta), sum(a.Gamma, b.Gamma), sum(a.Theta, b.Theta), sum(a.Vega, b.Vega)
	a.Unexplained, a.Trading = sum(a.Unexplained, b.Unexplained), sum(a.Trading, b.Trading)
}

// Compare tells what happened between two snapshots of one account, given the
// transactions between them and the strategies of their orders, which may be nil.
func Compare(before, now *Snapshot, since []broker.Transaction, strategies map[broker.OrderID]string) *Change {
	c := &Change{From: before.Time, To: now.Time}
	c.Before, _ = before.Value()
	c.After, _ = now.Value()
	money := map[market.Symbol][]broker.Transaction{}
	symbols := map[market.Symbol]bool{}
	booked := decimal.Zero
	for _, t := range since {
		booked = booked.Add(t.Amount)
		if t.Kind == broker.Transfer {
			c.Transfers = c.Transfers.Add(t.Amount)
			continue
		}
		money[t.Symbol] = append(money[t.Symbol], t)
		symbols[t.Symbol] = true
	}
	for _, s := range [2]*Snapshot{before, now} {
		for _, h := range s.Held {
			symbols[h.Symbol] = true
		}
	}
	lines := map[string]*Line{}
	bySymbol := map[market.Symbol]Line{}
	for _, symbol := range sorted(symbols) {
		one := c.symbol(before.find(symbol), now.find(symbol), symbol, money[symbol])
		bySymbol[symbol] = one
		if lines[one.Name] == nil {
			l := zero(one.Name)
			lines[one.Name] = &l
		}
		lines[one.Name].add(one)
	}
	if before.Cash != nil && now.Cash != nil {
		c.Unbooked = now.Cash.Sub(*before.Cash).Sub(booked)
	}
	if !c.Unbooked.IsZero() {
		if lines[""] == nil {
			l := zero("")
			lines[""] = &l
		}
		l := lines[""]
		l.Total, l.Realized, l.Explained.Trading = sum(l.Total, &c.Unbooked), sum(l.Realized, &c.Unbooked), sum(l.Explained.Trading, &c.Unbooked)
	}
	all := zero("")
	for _, name := range sorted(lines) {
		l := lines[name]
		for i := range now.Held {
			if string(now.Held[i].Underlying) == name {
				l.Greeks.add(&now.Held[i], 1)
			}
		}
		all.add(*l)
		c.ByUnderlying = append(c.ByUnderlying, *l)
	}
	c.Profit, c.Explained = all.Profit, all.Explained
	if before.Cash == nil || now.Cash == nil {
		// What cash did is then known from the transactions alone, and that they are all
		// there cannot be checked.
		c.Total = nil
	}
	c.strategies(before, now, since, strategies, bySymbol)
	byTotal(c.ByUnderlying)
	byTotal(c.ByStrategy)
	return c
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// byTotal puts the greatest gain first, what is unknown last.
func byTotal(lines []Line) {
	slices.SortStableFunc(lines, func(a, b Line) int {
		switch {
		case a.Total == nil && b.Total == nil:
			return cmp.Compare(a.Name, b.Name)
		case a.Total == nil:
			return 1
		case b.Total == nil:
			return -1
		}
		return b.Total.Cmp(*a.Total)
	})
}

// symbol is the profit of one symbol; a and b are its holdings, nil when there is
// none.
func (c *Change) symbol(a, b *Holding, symbol market.Symbol, money []broker.Transaction) Line {
	l := zero(string(underlying(symbol)))
	empty := Holding{Symbol: symbol}
	switch {
	case b != nil:
		l.Name = string(b.Underlying)
	case a != nil:
		l.Name = string(a.Underlying)
	}
	if a == nil {
		a = &empty
	}
	if b == nil {
		b = &empty
	}
	flow := decimal.Zero
	for _, t := range money {
		flow = flow.Add(t.Amount)
		fee := decimal.Zero
		if t.Fees != nil {
			fee = t.Fees.Total()
		}
		switch {
		case t.Kind == broker.FeeCharge:
			fee = t.Amount
		case income(t):
			l.Income = l.Income.Add(t.Amount.Sub(fee))
		case t.Kind == broker.Trade:
			l.Trades++
		}
		l.Fees = l.Fees.Add(fee)
	}
	l.Total = sum(minus(b.worth(), a.worth()), &flow)
	gross := minus(l.Total, of(l.Income.Add(l.Fees)))
	l.Unrealized = minus(b.open(), a.open())
	l.Realized = minus(gross, l.Unrealized)
	if l.Total == nil {
		c.Unpriced = append(c.Unpriced, symbol)
	}
	c.explain(&l, a, b, gross)
	return l
}

// explain fills in where the gross profit of a symbol came from.
func (c *Change) explain(l *Line, a, b *Holding, gross *decimal.Decimal) {
	held := decimal.Zero // as far as it is in both
	if a.Quantity.Sign()*b.Quantity.Sign() > 0 && a.Multiplier.Equal(b.Multiplier) {
		held = decimal.Min(a.Quantity.Abs(), b.Quantity.Abs()).Mul(decimal.NewFromInt(int64(a.Quantity.Sign())))
	}
	e := &l.Explained
	if held.IsZero() {
		e.Trading = gross
		return
	}
	var gain *decimal.Decimal
	if a.Mark != nil && b.Mark != nil {
		gain = of(b.Mark.Sub(*a.Mark).Mul(held).Mul(a.Multiplier))
	}
	e.Trading = minus(gross, gain)
	part := held.Div(a.Quantity).InexactFloat64()
	ds := float64(b.Spot - a.Spot)
	delta := cents(part * float64(a.Delta) * ds)
	gamma := cents(part * 0.5 * float64(a.Gamma) * ds * ds)
	theta := cents(part * float64(a.Theta) * c.To.Sub(c.From).Hours() / 24)
	vega := of(decimal.Zero)
	if a.Vega != 0 {
		vega = cents(part * float64(a.Vega) * float64(b.Vol-a.Vol) * 100)
	}
	if delta == nil || gamma == nil || theta == nil {
		// Without Greeks nothing is explained, which is not the same as no effect; the
		// sums still add up.
		e.Unexplained = gain
		c.Unmeasured = append(c.Unmeasured, a.Symbol)
		return
	}
	if vega == nil { // the mark has no volatility any more: its effect is in the rest
		vega = of(decimal.Zero)
		c.Unmeasured = append(c.Unmeasured, a.Symbol)
	}
	if gain == nil {
		delta, gamma, theta, vega = nil, nil, nil, nil
	}
	e.Delta, e.Gamma, e.Theta, e.Vega = delta, gamma, theta, vega
	e.Unexplained = minus(gain, sum(delta, gamma, theta, vega))
}

// cents is a float as money; nil when it is not known.
func cents(f float64) *decimal.Decimal {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return of(decimal.NewFromFloat(f).Round(2))
}

// strategies divides the change among strategies. What rounding leaves over, and
// what no transaction explains, belongs to none.
func (c *Change) strategies(before, now *Snapshot, since []broker.Transaction, orders map[broker.OrderID]string, bySymbol map[market.Symbol]Line) {
	l := newLedger(before)
	for i := range now.Held {
		l.know(&now.Held[i])
	}
	for _, t := range since {
		l.apply(t, orders)
	}
	lines := map[string]*Line{}
	get := func(name string) *Line {
		if lines[name] == nil {
			z := zero(name)
			lines[name] = &z
		}
		return lines[name]
	}
	for name, f := range l.flows {
		line := get(name)
		line.Total = of(f.amount)
		line.Fees, line.Income, line.Trades = f.fees, f.income, f.trades
	}
	for side, s := range [2]*Snapshot{before, now} {
		sign := decimal.NewFromInt(int64(2*side - 1))
		for i := range s.Held {
			h := &s.Held[i]
			for _, share := range h.shares() {
				line := get(share.Strategy)
				var value, open *decimal.Decimal
				if h.Mark != nil {
					value = of(share.Quantity.Mul(h.Multiplier).Mul(*h.Mark).Mul(sign))
					if share.Cost != nil {
						open = minus(value, of(share.Cost.Mul(sign)))
					}
				}
				line.Total, line.Unrealized = sum(line.Total, value), sum(line.Unrealized, open)
				if side == 1 && !h.Quantity.IsZero() {
					line.Greeks.add(h, share.Quantity.Div(h.Quantity).InexactFloat64())
				}
			}
		}
	}
	for name, line := range lines {
		line.Realized = minus(line.Total, sum(line.Unrealized, of(line.Income), of(line.Fees)))
		c.explainStrategy(name, line, before, now, bySymbol)
	}
	rest := c.Total
	for _, line := range lines {
		rest = minus(rest, line.Total)
	}
	if none := get(""); rest != nil && !rest.IsZero() {
		none.Total, none.Realized, none.Explained.Trading = sum(none.Total, rest), sum(none.Realized, rest), sum(none.Explained.Trading, rest)
	}
	for _, name := range sorted(lines) {
		if line := lines[name]; name != "" || !line.empty() || len(lines) == 1 {
			one := *line
			one.Greeks.Delta, one.Greeks.Gamma = unknown(), unknown() // of different underlyings
			c.ByStrategy = append(c.ByStrategy, one)
		}
	}
}

func (l *Line) empty() bool {
	return l.Trades == 0 && l.Total != nil && l.Total.IsZero() && l.Fees.IsZero() && l.Income.IsZero() && l.Greeks == Greeks{}
}

// explainStrategy gives a strategy its part of what each symbol's held position
// explains, by what it held before, and calls the rest of its profit trading.
func (c *Change) explainStrategy(name string, line *Line, before, now *Snapshot, bySymbol map[market.Symbol]Line) {
	e := &line.Explained
	for i := range before.Held {
		h := &before.Held[i]
		for _, share := range h.shares() {
			b := now.find(h.Symbol)
			if share.Strategy != name || b == nil || h.Quantity.IsZero() || b.Quantity.Sign() != h.Quantity.Sign() {
				continue
			}
			symbol, part := bySymbol[h.Symbol].Explained, share.Quantity.Div(h.Quantity)
			for _, x := range []struct{ to, from **decimal.Decimal }{
				{&e.Delta, &symbol.Delta}, {&e.Gamma, &symbol.Gamma}, {&e.Theta, &symbol.Theta}, {&e.Vega, &symbol.Vega}, {&e.Unexplained, &symbol.Unexplained},
			} {
				if *x.from == nil {
					*x.to = nil
				} else {
					*x.to = sum(*x.to, of((*x.from).Mul(part).Round(2)))
				}
			}
		}
	}
	e.Trading = minus(line.Total, sum(e.Delta, e.Gamma, e.Theta, e.Vega, e.Unexplained, of(line.Income), of(line.Fees)))
}
