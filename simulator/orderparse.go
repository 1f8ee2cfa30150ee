package simulator

import (
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A refusal is why a request is not carried out: 400 with the fields that are
// wrong, or 422 with the checks that failed.
type refusal struct {
	fields  []errorItem
	notices []wireNotice
}

func (f *refusal) field(domain, reason string) {
	f.fields = append(f.fields, errorItem{domain, reason})
}

func (f *refusal) check(code, message string) {
	f.notices = append(f.notices, wireNotice{Code: code, Message: message})
}

func (f *refusal) empty() bool { return len(f.fields) == 0 && len(f.notices) == 0 }

var orderTypes = map[string]broker.OrderType{
	"Limit": broker.Limit, "Market": broker.Market, "Marketable Limit": broker.Limit, "Notional Market": broker.Market,
	"Stop": broker.Stop, "Stop Limit": broker.StopLimit,
}

// A duration is a time in force, and whether the order works in extended hours.
type duration struct {
	force    broker.TimeInForce
	extended bool
}

var durations = map[string]duration{
	"Day": {broker.Day, false}, "Ext": {broker.Day, true}, "Ext Overnight": {broker.Day, true},
	"GTC": {broker.GTC, false}, "GTC Ext": {broker.GTC, true}, "GTC Ext Overnight": {broker.GTC, true},
	"GTD": {broker.GTD, false}, "IOC": {broker.IOC, false},
}

var actions = map[string]broker.Action{
	"Buy to Open": broker.BuyToOpen, "Sell to Open": broker.SellToOpen,
	"Buy to Close": broker.BuyToClose, "Sell to Close": broker.SellToClose,
}

// kindName is the API's word for what a symbol is; the instrument's, when it is
// known, says more.
func kindName(symbol market.Symbol) string {
	switch symbol.Kind() {
	case market.KindOption:
		return "Equity Option"
	case market.KindFuture:
		return "Future"
	case market.KindFutureOption:
		return "Future Option"
	case market.KindCrypto:
		return "Cryptocurrency"
	}
	return "Equity"
}

// A parsedOrder is a request that was understood.
type parsedOrder struct {
	sent       orderRequest // with symbols in their normal form
	order      broker.Order // without a tag
	underlying market.Symbol
	kind       string // of the underlying
	warnings   []wireNotice
}

// heldBy tells what an account holds of a symbol, signed.
type heldBy func(market.Symbol) decimal.Decimal

// parseOrder understands a request, or says what is wrong with it.
func (s *Simulator) parseOrder(ctx context.Context, sent orderRequest, held heldBy) (*parsedOrder, refusal) {
	var f refusal
	p := &parsedOrder{sent: sent}
	p.sent.Legs = slices.Clone(sent.Legs)
	kind, known := orderTypes[sent.OrderType]
	switch {
	case sent.OrderType == "":
		f.field("order-type", "is missing")
	case !known:
		f.field("order-type", "does not have a valid value")
	}
	force, known := durations[sent.TimeInForce]
	switch {
	case sent.TimeInForce == "":
		f.field("time-in-force", "is missing")
	case !known:
		f.field("time-in-force", "does not have a valid value")
	}
	p.order.Type, p.order.TimeInForce, p.order.ExtendedHours = kind, force.force, force.extended
	s.parseLegs(ctx, p, held, &f)
	parsePrices(p, &f)
	if force.force == broker.GTD {
		day, err := market.ParseDate(sent.GTCDate)
		if err != nil {
			f.field("gtc-date", "is missing or not a date")
		}
		p.order.GoodTill = day
	} else if sent.GTCDate != "" && force.force != broker.GTC {
		f.field("gtc-date", "is only for orders that are good till a date")
	}
	if len(f.fields) > 0 {
		return nil, refusal{fields: f.fields}
	}
	parseRules(p, &f)
	if kind == broker.Market && (force.force == broker.GTC || force.force == broker.GTD) {
		f.check("gtc_market_orders_not_supported", "Market orders cannot be good till cancelled")
	}
	if len(p.order.Legs) == 1 && p.order.Limit != nil {
		buys := p.order.Legs[0].Action.Sign() > 0
		switch {
		case buys && p.order.Limit.IsPositive():
			f.check("cant_buy_for_credit", "You cannot buy for a credit.")
		case !buys && p.order.Limit.IsNegative():
			f.check("cant_sell_for_debit", "You cannot sell for a debit.")
		}
	}
	if !f.empty() {
		return nil, f
	}
	return p, f
}

func (s *Simulator) parseLegs(ctx context.Context, p *parsedOrder, held heldBy, f *refusal) {
	if n := len(p.sent.Legs); n == 0 || n > broker.MaxLegs {
		f.field("legs", "are not 1 to 4")
		return
	}
	notional := p.sent.OrderType == "Notional Market"
	for i := range p.sent.Legs {
		sent := &p.sent.Legs[i]
		symbol, err := market.ParseSymbol(sent.Symbol)
		if err != nil {
			f.field("legs[symbol]", "is not a symbol")
			return
		}
		sent.Symbol = string(symbol)
		if sent.InstrumentType == "" {
			f.field("legs[instrument-type]", "is missing")
			return
		}
		instrument, known := s.instrument(ctx, symbol)
		switch {
		case sent.InstrumentType == "Cryptocurrency":
			f.check("cryptocurrency_trading_disabled", "Cryptocurrencies cannot be traded through the API")
			return
		case kindName(symbol) != sent.InstrumentType:
			f.field("legs[instrument-type]", "does not have a valid value")
			return
		case !known:
			f.check("instrument_not_found", "Couldn't find instrument "+sent.Symbol)
			return
		case instrument.Index:
			f.check("instrument_not_tradeable", sent.Symbol+" is an index and cannot be traded")
			return
		}
		if !notional && !sent.Quantity.IsPositive() {
			f.field("legs[quantity]", "is missing or not positive")
			return
		}
		action, ok := s.action(p, sent, symbol, held, f)
		if !ok {
			return
		}
		p.order.Legs = append(p.order.Legs, broker.Leg{Symbol: symbol, Action: action, Quantity: sent.Quantity})
		underlying := symbol
		if instrument.Underlying != "" {
			underlying = instrument.Underlying
		}
		if p.underlying == "" {
			p.underlying = underlying
		} else if p.underlying != underlying {
			f.check("multiple_underlyings", "The legs of an order have one underlying")
			return
		}
	}
	p.kind = kindName(p.underlying)
	if i, ok := s.instrument(ctx, p.underlying); ok {
		p.kind = instrumentType(i)
	}
}

// action understands what a leg does. Futures are bought and sold, which closes
// what there is before it opens; and what closes a position that is not there
// opens one, unless the order is strict about it.
func (s *Simulator) action(p *parsedOrder, sent *legRequest, symbol market.Symbol, held heldBy, f *refusal) (broker.Action, bool) {
	have := held(symbol)
	if kind := symbol.Kind(); kind == market.KindFuture {
		switch {
		case sent.Action == "Buy" && have.IsNegative() && sent.Quantity.LessThanOrEqual(have.Abs()):
			return broker.BuyToClose, true
		case sent.Action == "Buy":
			return broker.BuyToOpen, true
		case sent.Action == "Sell" && have.IsPositive() && sent.Quantity.LessThanOrEqual(have):
			return broker.SellToClose, true
		case sent.Action == "Sell":
			return broker.SellToOpen, true
		}
		if _, ok := actions[sent.Action]; ok {
			return actions[sent.Action], true
		}
	}
	action, ok := actions[sent.Action]
	if !ok {
		f.field("legs[action]", "does not have a valid value")
		return "", false
	}
	if action == broker.SellToClose && !have.IsPositive() || action == broker.BuyToClose && !have.IsNegative() {
		if p.sent.AdvancedInstructions.Strict {
			f.check("position_effect_mismatch", "There is no position in "+sent.Symbol+" to close")
			return "", false
		}
		p.warnings = append(p.warnings, wireNotice{Code: "closing_with_no_position",
			Message: "You are closing a position that you do not hold; the order will open one."})
		if action == broker.SellToClose {
			return broker.SellToOpen, true
		}
		return broker.BuyToOpen, true
	}
	return action, true
}

func parsePrices(p *parsedOrder, f *refusal) {
	o := &p.sent
	limited := p.order.Type == broker.Limit || p.order.Type == broker.StopLimit
	switch {
	case o.Price != nil && o.Price.IsNegative():
		f.field("price", "must be a positive number")
	case limited && o.Price == nil:
		f.field("price", "is missing")
	case !limited && o.Price != nil:
		f.field("price", "is not for orders of this type")
	case limited && o.PriceEffect != "Credit" && o.PriceEffect != "Debit" && !o.Price.IsZero():
		f.field("price-effect", "does not have a valid value")
	case limited:
		price := *o.Price
		if o.PriceEffect == "Debit" {
			price = price.Neg()
		}
		p.order.Limit = &price
	}
	stopped := p.order.Type == broker.Stop || p.order.Type == broker.StopLimit
	switch {
	case stopped && (o.StopTrigger == nil || !o.StopTrigger.IsPositive()):
		f.field("stop-trigger", "is missing or not positive")
	case stopped:
		p.order.Stop = o.StopTrigger
	case o.StopTrigger != nil && !o.StopTrigger.IsZero():
		f.field("stop-trigger", "is not for orders of this type")
	}
	switch notional := o.OrderType == "Notional Market"; {
	case notional && (o.Value == nil || !o.Value.IsPositive()):
		f.field("value", "is missing or not positive")
	case notional:
		p.order.Notional = o.Value
		for i := range p.order.Legs {
			p.order.Legs[i].Quantity = decimal.Zero
		}
	case o.Value != nil && !o.Value.IsZero():
		f.field("value", "is not for orders of this type")
	}
}

func parseRules(p *parsedOrder, f *refusal) {
	if p.sent.Rules == nil {
		return
	}
	rules := *p.sent.Rules
	rules.Conditions = slices.Clone(rules.Conditions)
	for i := range rules.Conditions {
		c := &rules.Conditions[i]
		at := fmt.Sprintf("rules[conditions][%d]", i)
		switch {
		case c.Action != "route" && c.Action != "cancel":
			f.field(at+"[action]", "does not have a valid value")
		case c.Indicator != "last" && c.Indicator != "nat":
			f.field(at+"[indicator]", "does not have a valid value")
		case c.Comparator != "gte" && c.Comparator != "lte":
			f.field(at+"[comparator]", "does not have a valid value")
		case c.Symbol == "" && len(c.PriceComponents) == 0:
			f.field(at+"[symbol]", "is missing")
		}
		if len(c.PriceComponents) == 0 {
			c.PriceComponents = []priceComponent{{Symbol: c.Symbol, InstrumentType: c.InstrumentType, Quantity: wireQuantity{decimal.NewFromInt(1)}, QuantityDirection: "Long"}}
		}
		for j := range c.PriceComponents {
			part := &c.PriceComponents[j]
			symbol, err := market.ParseSymbol(part.Symbol)
			if err != nil || !part.Quantity.IsPositive() || part.QuantityDirection != "Long" && part.QuantityDirection != "Short" {
				f.field(at+"[price-components]", "do not have valid values")
				continue
			}
			part.Symbol = string(symbol)
		}
	}
	p.sent.Rules = &rules
}
