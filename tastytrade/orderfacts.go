package tastytrade

import "github.com/shopspring/decimal"

// OrderFacts are what is known beside an order, for the rules that an order
// alone cannot be judged by. What is zero is not known, and the rules that need
// it are left to the broker.
type OrderFacts struct {
	// Instruments by the broker's symbol.
	Instruments map[string]InstrumentRules
	// SpreadTicks are the increments of the price of an order of several legs.
	// Empty: such a price is held to the finest increment of any leg.
	SpreadTicks TickTable
	// Positions of the account; nil: not known, empty: none. They tell an order
	// that would make the account long and short in one symbol.
	Positions []Position
	// Session is the state of the market that the order goes to.
	Session SessionState
	Today   Date // in New York: the day before which a GTD order cannot end
	// CryptocurrencyTrading says that the broker takes orders for
	// cryptocurrencies through the API again. It switched them off on
	// 2026-06-29 until further notice, so that they are refused here otherwise.
	CryptocurrencyTrading bool
}

// InstrumentRules are what an instrument asks of orders.
type InstrumentRules struct {
	Ticks TickTable // of its price; empty: not known
	// FractionalEligible says whether parts of a share can be traded; nil: not known.
	FractionalEligible *bool
	// QuantityPrecision is how many decimals a quantity may have; nil: not known.
	QuantityPrecision *int
	// Price is a recent price, which the value of a fractional market order is
	// judged by; nil: not known.
	Price *decimal.Decimal
}

// Rules returns what an equity asks of orders for itself.
func (e *Equity) Rules() InstrumentRules {
	fractional := e.IsFractionalQuantityEligible
	return InstrumentRules{Ticks: e.TickSizes, FractionalEligible: &fractional}
}

// OptionRules returns what the options on an equity ask of orders.
func (e *Equity) OptionRules() InstrumentRules { return InstrumentRules{Ticks: e.OptionTickSizes} }

// Rules returns what a future asks of orders for itself.
func (f *Future) Rules() InstrumentRules {
	if len(f.TickSizes) == 0 && f.TickSize != nil {
		return InstrumentRules{Ticks: TickTable{{Value: f.TickSize}}}
	}
	return InstrumentRules{Ticks: f.TickSizes}
}

// OptionRules returns what the options on a future ask of orders.
func (f *Future) OptionRules() InstrumentRules { return InstrumentRules{Ticks: f.OptionTickSizes} }

// Rules returns what a cryptocurrency asks of orders. precisions are those of
// the broker and say how finely its quantity can be given; nil when they are
// not known.
func (c *Cryptocurrency) Rules(precisions []QuantityDecimalPrecision) InstrumentRules {
	var out InstrumentRules
	if c.TickSize != nil {
		out.Ticks = TickTable{{Value: c.TickSize}}
	}
	for i := range precisions {
		if p := &precisions[i]; p.InstrumentType == TypeCryptocurrency && p.Symbol == c.Symbol {
			out.QuantityPrecision = p.Value
		}
	}
	return out
}

func (f *OrderFacts) rules(symbol string) InstrumentRules {
	if f == nil {
		return InstrumentRules{}
	}
	return f.Instruments[symbol]
}

// ticks returns the increments of the price of an order with these legs.
func (f *OrderFacts) ticks(legs []OrderLeg) TickTable {
	if f == nil || len(legs) == 0 {
		return nil
	}
	if len(legs) == 1 {
		return f.rules(legs[0].Symbol).Ticks
	}
	if len(f.SpreadTicks) > 0 {
		return f.SpreadTicks
	}
	var finest *decimal.Decimal
	for _, l := range legs {
		table := f.rules(l.Symbol).Ticks
		if len(table) == 0 {
			return nil // a leg that is not known may have a finer one
		}
		for _, s := range table {
			if s.Value != nil && s.Value.IsPositive() && (finest == nil || s.Value.LessThan(*finest)) {
				finest = s.Value
			}
		}
	}
	return TickTable{{Value: finest}}
}

// held returns the signed quantity held of a symbol and whether that is known.
func (f *OrderFacts) held(symbol string) (decimal.Decimal, bool) {
	if f == nil || f.Positions == nil {
		return decimal.Zero, false
	}
	sum := decimal.Zero
	for i := range f.Positions {
		if f.Positions[i].Symbol == symbol {
			sum = sum.Add(f.Positions[i].SignedQuantity())
		}
	}
	return sum, true
}
