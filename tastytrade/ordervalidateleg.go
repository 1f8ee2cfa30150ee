package tastytrade

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// orderable are the instrument types that a leg may have.
var orderable = []InstrumentType{
	TypeCryptocurrency, TypeEquity, TypeEquityOption, TypeEventContract, TypeFixedIncome, TypeFuture, TypeFutureOption, TypeLiquidityPool,
}

func (v *orderCheck) checkLeg(i int, l *OrderLeg) {
	at := func(field string) string { return fmt.Sprintf("legs[%d].%s", i, field) }
	if !slices.Contains(orderable, l.InstrumentType) {
		v.bad(at("instrument-type"), string(l.InstrumentType), "Cryptocurrency, Equity, Equity Option, Event Contract, Fixed Income Security, Future, Future Option or Liquidity Pool")
	}
	switch allowed, ok := symbolFits(l.InstrumentType, l.Symbol); {
	case l.Symbol == "":
		v.missing(at("symbol"), "the broker's symbol of the instrument")
	case !ok:
		v.bad(at("symbol"), l.Symbol, allowed)
	}
	switch l.Action {
	case BuyToOpen, BuyToClose, SellToOpen, SellToClose, Allocate:
	case Buy, Sell:
		if l.InstrumentType != TypeFuture {
			v.bad(at("action"), string(l.Action), "Buy to Open, Buy to Close, Sell to Open or Sell to Close: Buy and Sell are for futures")
		}
	default:
		v.bad(at("action"), string(l.Action), "Buy to Open, Buy to Close, Sell to Open or Sell to Close; Buy or Sell for futures")
	}
	if l.InstrumentType == TypeCryptocurrency && (v.facts == nil || !v.facts.CryptocurrencyTrading) {
		v.bad(at("instrument-type"), string(l.InstrumentType), "anything else: the broker takes no orders for cryptocurrencies through the API since 2026-06-29 (Facts.CryptocurrencyTrading says otherwise)")
	}
	v.checkQuantity(at("quantity"), l)
	v.checkHolding(at("action"), l)
}

// symbolFits reports whether a symbol has the form of its instrument type.
func symbolFits(t InstrumentType, symbol string) (allowed string, ok bool) {
	switch t {
	case TypeEquityOption:
		_, err := ParseEquityOption(symbol)
		return "an option as \"SPY   261218C00500000\", 21 characters", err == nil && len(symbol) == 21
	case TypeFuture:
		_, err := ParseFuture(symbol, Date{})
		return "a future such as /ESZ6", err == nil && !strings.Contains(symbol, ":")
	case TypeFutureOption:
		_, err := ParseFutureOption(symbol)
		return "a future's option such as \"./ESZ6 ESZ6  261218C100\"", err == nil
	case TypeCryptocurrency:
		base, quoted, found := strings.Cut(symbol, "/")
		return "a pair such as BTC/USD", found && base != "" && quoted != "" && !strings.Contains(symbol, ":")
	case TypeEquity:
		return "a share, an ETF or an index such as AAPL or BRK/B", symbol != "" && !strings.ContainsAny(symbol[:1], "./") && !strings.ContainsAny(symbol, " :")
	}
	return "printable text", !strings.ContainsFunc(symbol, isControl)
}

func (v *orderCheck) checkQuantity(field string, l *OrderLeg) {
	rules := v.facts.rules(l.Symbol)
	eligible := rules.FractionalEligible
	if v.kind == NotionalMarket {
		if l.Quantity != nil {
			v.bad(field, *l.Quantity, "no quantity: a notional order has a value")
		}
		switch {
		case l.InstrumentType != TypeEquity && l.InstrumentType != TypeCryptocurrency:
			v.bad(strings.TrimSuffix(field, "quantity")+"instrument-type", string(l.InstrumentType), "Equity or Cryptocurrency for a notional order")
		case l.InstrumentType == TypeEquity && eligible != nil && !*eligible:
			v.bad(strings.TrimSuffix(field, "quantity")+"symbol", l.Symbol, "an instrument of which parts can be traded")
		}
		return
	}
	switch {
	case l.Quantity == nil && v.change:
		return // legs of a change may come from anywhere and are not sent
	case l.Quantity == nil:
		v.missing(field, "how many, a positive number")
		return
	case !l.Quantity.IsPositive():
		v.bad(field, *l.Quantity, "a positive number; the action says which way")
		return
	}
	if p := rules.QuantityPrecision; p != nil && !l.Quantity.Equal(l.Quantity.Truncate(int32(min(max(*p, 0), 18)))) {
		v.bad(field, *l.Quantity, fmt.Sprintf("at most %d decimals", *p))
	}
	if l.Quantity.IsInteger() || l.InstrumentType == TypeCryptocurrency {
		return
	}
	if l.InstrumentType != TypeEquity {
		v.bad(field, *l.Quantity, "a whole number; parts are for equities and cryptocurrencies")
		return
	}
	if eligible != nil && !*eligible {
		v.bad(field, *l.Quantity, "a whole number: parts of "+l.Symbol+" are not traded")
	}
	price := rules.Price
	if v.price != nil {
		price = v.price
	}
	if price != nil && l.Quantity.Mul(price.Abs()).LessThan(leastFractional) {
		v.bad(field, *l.Quantity, "a quantity that is worth at least 5 dollars: parts of shares have that minimum")
	}
}

// checkHolding refuses what would make the account long and short in one symbol
// and, under strict validation, what closes more than there is.
func (v *orderCheck) checkHolding(field string, l *OrderLeg) {
	held, known := v.facts.held(l.Symbol)
	if !known {
		return
	}
	switch {
	case l.Action == BuyToOpen && held.IsNegative():
		v.bad(field, string(l.Action), "Buy to Close: the account is short "+held.Abs().String()+", and cannot be long at the same time")
	case l.Action == SellToOpen && held.IsPositive():
		v.bad(field, string(l.Action), "Sell to Close: the account is long "+held.String()+", and cannot be short at the same time")
	case v.strict && l.Quantity != nil && l.Action == SellToClose && held.LessThan(*l.Quantity),
		v.strict && l.Quantity != nil && l.Action == BuyToClose && held.Neg().LessThan(*l.Quantity):
		available := held
		if l.Action == BuyToClose {
			available = held.Neg()
		}
		v.bad(field, string(l.Action), "an opening action: there are "+decimal.Max(available, decimal.Zero).String()+" to close")
	}
}

func (v *orderCheck) checkRules() {
	r := v.rules
	if r == nil {
		return
	}
	if !r.RouteAfter.IsZero() && !r.CancelAt.IsZero() && !r.CancelAt.After(r.RouteAfter) {
		v.bad("rules.cancel-at", r.CancelAt, "a time after route-after")
	}
	if len(r.OrderConditions) > 0 {
		v.bad("rules.order-conditions", len(r.OrderConditions), "none: an order to be placed has Conditions")
	}
	for i := range r.Conditions {
		c := &r.Conditions[i]
		at := func(field string) string { return fmt.Sprintf("rules.conditions[%d].%s", i, field) }
		if c.Action != RouteOrder && c.Action != CancelOrder {
			v.bad(at("action"), string(c.Action), "route or cancel")
		}
		if c.Indicator != LastPrice && c.Indicator != NaturalPrice {
			v.bad(at("indicator"), string(c.Indicator), "last or nat")
		}
		if c.Comparator != AtLeast && c.Comparator != AtMost {
			v.bad(at("comparator"), string(c.Comparator), "gte or lte")
		}
		if c.Threshold == nil {
			v.missing(at("threshold"), "the price at which the condition is met")
		}
		if c.Symbol == "" && len(c.PriceComponents) == 0 {
			v.missing(at("symbol"), "a symbol, or price components")
		}
		if c.Symbol != "" && c.InstrumentType == "" {
			v.missing(at("instrument-type"), "the instrument type of "+c.Symbol)
		}
		for j := range c.PriceComponents {
			p := &c.PriceComponents[j]
			part := func(field string) string { return at(fmt.Sprintf("price-components[%d].%s", j, field)) }
			if p.Symbol == "" {
				v.missing(part("symbol"), "a symbol")
			}
			if p.InstrumentType == "" {
				v.missing(part("instrument-type"), "an instrument type")
			}
			if p.Quantity == nil || !p.Quantity.IsPositive() {
				v.missing(part("quantity"), "a positive number")
			}
			if p.QuantityDirection != Long && p.QuantityDirection != Short {
				v.bad(part("quantity-direction"), string(p.QuantityDirection), "Long or Short")
			}
		}
	}
}
