package report

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A ledger follows which strategy holds what, transaction by transaction, at
// average cost.
type ledger struct {
	held       map[market.Symbol]map[string]*part
	multiplier map[market.Symbol]decimal.Decimal
	futures    map[market.Symbol]bool
	flows      map[string]*flow
	// delivering are the strategies' parts of the exercise or assignment before, to
	// which the shares that follow belong.
	delivering     map[string]decimal.Decimal
	deliveringKind broker.TransactionKind
	// carried are the costs of what a split took out of one symbol.
	carried map[string]*decimal.Decimal
}

// part is what a strategy holds of a symbol.
type part struct {
	quantity decimal.Decimal
	cost     *decimal.Decimal // nil: unknown
}

// flow is a strategy's money.
type flow struct {
	amount, fees, income decimal.Decimal
	trades               int
}

func newLedger(s *Snapshot) *ledger {
	l := &ledger{
		held: map[market.Symbol]map[string]*part{}, multiplier: map[market.Symbol]decimal.Decimal{}, futures: map[market.Symbol]bool{}, flows: map[string]*flow{},
		carried: map[string]*decimal.Decimal{},
	}
	if s == nil {
		return l
	}
	for i := range s.Held {
		h := &s.Held[i]
		l.know(h)
		for _, share := range h.shares() {
			l.part(h.Symbol, share.Strategy).quantity = share.Quantity
			l.part(h.Symbol, share.Strategy).cost = share.Cost
		}
	}
	return l
}

// shares are the holding's parts, and all of it of no strategy when there are none.
func (h *Holding) shares() []Share {
	if len(h.Shares) > 0 {
		return h.Shares
	}
	s := Share{Quantity: h.Quantity}
	if h.Average != nil {
		cost := h.Average.Mul(h.Quantity).Mul(h.Multiplier)
		s.Cost = &cost
	}
	return []Share{s}
}

func (l *ledger) know(h *Holding) {
	l.multiplier[h.Symbol] = h.Multiplier
	l.futures[h.Symbol] = h.future()
}

func (l *ledger) part(symbol market.Symbol, strategy string) *part {
	if l.held[symbol] == nil {
		l.held[symbol] = map[string]*part{}
	}
	p := l.held[symbol][strategy]
	if p == nil {
		p = &part{cost: &decimal.Decimal{}}
		l.held[symbol][strategy] = p
	}
	return p
}

func (l *ledger) flow(strategy string) *flow {
	f := l.flows[strategy]
	if f == nil {
		f = &flow{}
		l.flows[strategy] = f
	}
	return f
}

func (l *ledger) total(symbol market.Symbol) decimal.Decimal {
	sum := decimal.Zero
	for _, p := range l.held[symbol] {
		sum = sum.Add(p.quantity)
	}
	return sum
}

// names are the strategies of a symbol in a stable order.
func (l *ledger) names(symbol market.Symbol) []string {
	var out []string
	for name := range l.held[symbol] {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// apply books one transaction.
func (l *ledger) apply(t broker.Transaction, strategies map[broker.OrderID]string) {
	if t.Kind == broker.Transfer {
		return
	}
	parts := l.parts(t, strategies)
	switch t.Kind {
	case broker.Exercise, broker.Assignment:
		if _, isOption := t.Symbol.Contract(); isOption {
			l.delivering, l.deliveringKind = parts, t.Kind
		}
	case broker.Split:
		if !l.total(t.Symbol).IsZero() {
			l.delivering, l.deliveringKind = parts, t.Kind
		}
	default:
		l.delivering = nil
	}
	names := make([]string, 0, len(parts))
	for name := range parts {
		names = append(names, name)
	}
	slices.Sort(names)
	fees := decimal.Zero
	if t.Fees != nil {
		fees = t.Fees.Total()
	}
	leftQuantity, leftAmount, leftFees := t.Quantity, t.Amount, fees
	for i, name := range names {
		quantity, amount, fee := t.Quantity.Mul(parts[name]).Round(8), t.Amount.Mul(parts[name]).Round(8), fees.Mul(parts[name]).Round(8)
		if i == len(names)-1 {
			quantity, amount, fee = leftQuantity, leftAmount, leftFees
		}
		leftQuantity, leftAmount, leftFees = leftQuantity.Sub(quantity), leftAmount.Sub(amount), leftFees.Sub(fee)
		l.book(t, name, quantity, amount, fee)
	}
}

// book moves one strategy's part.
func (l *ledger) book(t broker.Transaction, name string, quantity, amount, fee decimal.Decimal) {
	f := l.flow(name)
	f.amount = f.amount.Add(amount)
	f.fees = f.fees.Add(fee)
	switch {
	case t.Kind == broker.FeeCharge:
		f.fees = f.fees.Add(amount.Sub(fee))
	case income(t):
		f.income = f.income.Add(amount.Sub(fee))
	}
	if t.Kind == broker.Trade {
		f.trades++
	}
	if quantity.IsZero() || t.Symbol == "" {
		return
	}
	p := l.part(t.Symbol, name)
	if t.Kind == broker.Split {
		// The cost stays, and goes along when the symbol changes.
		fresh := p.quantity.IsZero()
		p.quantity = p.quantity.Add(quantity)
		switch {
		case p.quantity.IsZero():
			l.carried[name], p.cost = p.cost, &decimal.Decimal{}
		case fresh:
			p.cost = l.carried[name]
		}
		return
	}
	price := decimal.Zero // an option that expires or is exercised ends at nothing
	if t.Price != nil {
		price = *t.Price
	}
	multiplier, known := l.multiplier[t.Symbol]
	if !known {
		multiplier = usualMultiplier(t.Symbol)
	}
	if l.futures[t.Symbol] {
		// Cash has the realised profit alone; the strategy's flow has all of it, as if
		// the contract's value had been paid.
		f.amount = f.amount.Sub(amount.Sub(fee)).Sub(quantity.Mul(price).Mul(multiplier))
	}
	p.move(quantity, price.Mul(multiplier))
}

// move changes a part at a price per unit, at average cost.
func (p *part) move(quantity, each decimal.Decimal) {
	closing := p.quantity.Sign()*quantity.Sign() < 0
	if closing {
		part := quantity
		if quantity.Abs().GreaterThan(p.quantity.Abs()) {
			part = p.quantity.Neg()
		}
		if p.cost != nil {
			left := p.cost.Sub(p.cost.Mul(part.Neg()).Div(p.quantity))
			if part.Neg().Equal(p.quantity) {
				left = decimal.Zero
			}
			p.cost = &left
		}
		p.quantity, quantity = p.quantity.Add(part), quantity.Sub(part)
		if p.quantity.IsZero() {
			p.cost = &decimal.Decimal{}
		}
	}
	p.quantity = p.quantity.Add(quantity)
	if p.cost != nil {
		cost := p.cost.Add(quantity.Mul(each))
		p.cost = &cost
	}
}

func usualMultiplier(s market.Symbol) decimal.Decimal {
	if _, ok := s.Contract(); ok {
		return decimal.NewFromInt(100)
	}
	return decimal.NewFromInt(1)
}

// income tells whether a transaction is money that no trade brought.
func income(t broker.Transaction) bool {
	switch t.Kind {
	case broker.Trade, broker.Exercise, broker.Assignment, broker.Expiration, broker.FeeCharge, broker.Transfer, broker.Split:
		return false
	}
	return t.Quantity.IsZero()
}

// parts say how a transaction is divided among strategies; they add up to one.
func (l *ledger) parts(t broker.Transaction, strategies map[broker.OrderID]string) map[string]decimal.Decimal {
	one := decimal.NewFromInt(1)
	if name := strategies[t.Order]; t.Order != "" && name != "" {
		return map[string]decimal.Decimal{name: one}
	}
	if t.Symbol == "" {
		return map[string]decimal.Decimal{"": one}
	}
	total := l.total(t.Symbol)
	if t.Order == "" {
		_, isOption := t.Symbol.Contract()
		if l.delivering != nil && t.Kind == l.deliveringKind && (total.IsZero() || !isOption && t.Kind != broker.Split) {
			return l.delivering
		}
		return l.rata(t.Symbol, total)
	}
	// An order of no strategy opens for none; it closes first what belongs to none.
	if t.Quantity.IsZero() || total.Sign()*t.Quantity.Sign() >= 0 {
		return map[string]decimal.Decimal{"": one}
	}
	free := l.part(t.Symbol, "").quantity
	if free.Sign() != total.Sign() {
		free = decimal.Zero
	}
	rest := t.Quantity.Abs().Sub(free.Abs())
	if rest.Sign() <= 0 {
		return map[string]decimal.Decimal{"": one}
	}
	others := total.Sub(free)
	out := map[string]decimal.Decimal{}
	used := decimal.Zero
	for _, name := range l.names(t.Symbol) {
		q := l.held[t.Symbol][name].quantity
		if name == "" || q.Sign() != total.Sign() {
			continue
		}
		n := decimal.Min(rest, others.Abs()).Mul(q).Div(others).Abs()
		out[name] = n.Div(t.Quantity.Abs())
		used = used.Add(out[name])
	}
	out[""] = one.Sub(used)
	return out
}

// rata divides by what each strategy holds.
func (l *ledger) rata(symbol market.Symbol, total decimal.Decimal) map[string]decimal.Decimal {
	out := map[string]decimal.Decimal{}
	if !total.IsZero() {
		for _, name := range l.names(symbol) {
			if q := l.held[symbol][name].quantity; !q.IsZero() {
				out[name] = q.Div(total)
			}
		}
	}
	if len(out) == 0 {
		out[""] = decimal.NewFromInt(1)
	}
	return out
}

// settle writes into a new snapshot what the strategies hold of each position.
func settle(before, now *Snapshot, since []broker.Transaction, strategies map[broker.OrderID]string) *ledger {
	l := newLedger(before)
	for i := range now.Held {
		l.know(&now.Held[i])
	}
	for _, t := range since {
		l.apply(t, strategies)
	}
	for i := range now.Held {
		h := &now.Held[i]
		h.Shares = nil
		if before == nil {
			h.Shares = h.shares()
			continue
		}
		// What no transaction explains belongs to no strategy.
		if left := h.Quantity.Sub(l.total(h.Symbol)); !left.IsZero() {
			p := l.part(h.Symbol, "")
			p.quantity = p.quantity.Add(left)
			p.cost = nil
			if h.Average != nil {
				others := decimal.Zero
				for name, o := range l.held[h.Symbol] {
					if name != "" && o.cost != nil {
						others = others.Add(*o.cost)
					}
				}
				cost := h.Average.Mul(h.Quantity).Mul(h.Multiplier).Sub(others)
				p.cost = &cost
			}
		}
		for _, name := range l.names(h.Symbol) {
			if p := l.held[h.Symbol][name]; !p.quantity.IsZero() {
				h.Shares = append(h.Shares, Share{Strategy: name, Quantity: p.quantity, Cost: p.cost})
			}
		}
		slices.SortFunc(h.Shares, func(a, b Share) int { return strings.Compare(a.Strategy, b.Strategy) })
	}
	return l
}
