package alpaca

import (
	"errors"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Capabilities tell what Alpaca can do at all; which of it goes together is for
// [Validate].
func (a *Adapter) Capabilities() broker.Capabilities { return capabilities() }

func capabilities() broker.Capabilities {
	return broker.Capabilities{
		Instruments:   []market.InstrumentKind{market.KindEquity, market.KindOption, market.KindCrypto},
		Types:         []broker.OrderType{broker.Market, broker.Limit, broker.Stop, broker.StopLimit, broker.TrailingStop},
		TimesInForce:  []broker.TimeInForce{broker.Day, broker.GTC, broker.IOC, broker.OnClose, broker.OnOpen},
		Groups:        []broker.GroupKind{broker.Single, broker.OTO, broker.OCO, broker.Bracket},
		MaxLegs:       broker.MaxLegs,
		Fractional:    true,
		Notional:      true,
		ExtendedHours: true,
		Replace:       true,
		Events:        true,
	}
}

// Validate checks a ticket by the rules of every broker and by those that Alpaca
// states for its own, before anything is sent. The error joins a *[FieldError] or
// *[broker.UnsupportedError] for each thing that is wrong.
//
// The rules are: prices from a dollar on have at most two decimals and those below
// at most four (sub-penny rule); money amounts have two; amounts and fractions are
// for day orders (crypto: gtc or ioc), and fractions are not sold short; orders
// outside the regular session are day or gtc limit orders for shares; options trade
// whole contracts by day or gtc orders in the regular session, several legs of them
// by market or limit; auctions take market and limit orders for whole shares; the
// exits of a group close what its first order opens, in the same quantity, with the
// same time in force.
func Validate(ticket broker.Ticket) error {
	if err := ticket.Validate(); err != nil {
		return err
	}
	if err := capabilities().Check(ticket); err != nil {
		return err
	}
	v := &validator{}
	for i := range ticket.Orders {
		v.at = fmt.Sprintf("Orders[%d].", i)
		v.order(&ticket.Orders[i])
	}
	if ticket.Kind != broker.Single {
		v.group(&ticket)
	}
	return errors.Join(v.errs...)
}

type validator struct {
	at   string
	errs []error
}

func (v *validator) refuse(field string, value any, allowed string) {
	v.errs = append(v.errs, invalid.Field(v.at+field, value, allowed))
}

func (v *validator) order(o *broker.Order) {
	kind := o.Legs[0].Symbol.Kind()
	if kind == market.KindEquity && len(o.Legs) > 1 {
		v.refuse("Legs", len(o.Legs), "one leg, except for options")
	}
	if o.Notional != nil {
		if places(*o.Notional) > 2 {
			v.refuse("Notional", o.Notional, "dollars and cents")
		}
		if o.Notional.LessThan(one) {
			v.refuse("Notional", o.Notional, "at least 1 dollar")
		}
		if o.Legs[0].Action == broker.SellToOpen {
			v.refuse("Notional", o.Notional, "a quantity to sell short")
		}
	}
	v.price("Limit", o.Limit, kind, len(o.Legs) > 1)
	v.price("Stop", o.Stop, kind, false)
	if o.Trail != nil && o.Trail.Amount != nil {
		v.price("Trail", o.Trail.Amount, kind, false)
	}
	switch kind {
	case market.KindOption:
		v.option(o)
	case market.KindCrypto:
		v.crypto(o)
	default:
		v.equity(o)
	}
}

// price holds a price to the sub-penny rule: SEC rule 612 for shares, cents for
// options. Crypto prices have up to nine decimals.
func (v *validator) price(field string, p *decimal.Decimal, kind market.InstrumentKind, net bool) {
	if p == nil {
		return
	}
	most := int32(2)
	switch {
	case kind == market.KindCrypto:
		most = 9
	case kind == market.KindEquity && !net && p.Abs().LessThan(one):
		most = 4
	}
	if places(*p) > most {
		v.refuse(field, p, fmt.Sprintf("at most %d decimals", most))
	}
}

// places is how many decimals a figure has, trailing zeros left out.
func places(d decimal.Decimal) int32 {
	for n := int32(0); n < 64; n++ {
		if d.Equal(d.Truncate(n)) {
			return n
		}
	}
	return 64
}

func (v *validator) equity(o *broker.Order) {
	quantity, tif := o.Legs[0].Quantity, o.Duration()
	fraction := o.Notional != nil || !quantity.IsInteger()
	switch {
	case fraction && tif != broker.Day:
		v.refuse("TimeInForce", string(tif), "day, for a fraction or an amount of money")
	case fraction && o.Type == broker.TrailingStop:
		v.refuse("Type", string(o.Type), "market, limit, stop or stop limit for a fraction")
	case tif == broker.IOC && o.Type != broker.Market && o.Type != broker.Limit:
		v.refuse("TimeInForce", string(tif), "day or gtc for a "+string(o.Type)+" order")
	}
	if !quantity.IsInteger() && o.Legs[0].Action == broker.SellToOpen {
		v.refuse("Legs[0].Quantity", quantity, "whole shares to sell short")
	}
	if places(quantity) > 9 {
		v.refuse("Legs[0].Quantity", quantity, "at most 9 decimals")
	}
	if o.ExtendedHours && tif != broker.Day && tif != broker.GTC {
		v.refuse("TimeInForce", string(tif), "day or gtc outside the regular session")
	}
}

func (v *validator) option(o *broker.Order) {
	tif := o.Duration()
	if tif != broker.Day && tif != broker.GTC {
		v.refuse("TimeInForce", string(tif), "day or gtc for options")
	}
	if o.ExtendedHours {
		v.refuse("ExtendedHours", true, "false for options")
	}
	if o.Notional != nil {
		v.refuse("Notional", o.Notional, "a number of contracts for options")
	}
	if o.Type == broker.TrailingStop {
		v.refuse("Type", string(o.Type), "market, limit, stop or stop limit for options")
	}
	first := underlyingOf(o.Legs[0].Symbol)
	for i, leg := range o.Legs {
		if underlyingOf(leg.Symbol) != first {
			v.refuse(fmt.Sprintf("Legs[%d].Symbol", i), string(leg.Symbol), "options on one underlying, "+string(first))
		}
	}
}

func (v *validator) crypto(o *broker.Order) {
	if tif := o.Duration(); tif != broker.GTC && tif != broker.IOC {
		v.refuse("TimeInForce", string(tif), "gtc or ioc for crypto")
	}
	if !slices.Contains([]broker.OrderType{broker.Market, broker.Limit, broker.StopLimit}, o.Type) {
		v.refuse("Type", string(o.Type), "market, limit or stop limit for crypto")
	}
	if o.ExtendedHours {
		v.refuse("ExtendedHours", true, "false: crypto trades around the clock")
	}
	if a := o.Legs[0].Action; a == broker.SellToOpen || a == broker.BuyToClose {
		v.refuse("Legs[0].Action", string(a), "buy to open or sell to close: crypto is not sold short")
	}
}

// group holds OTO, OCO and brackets to what one request of Alpaca can say.
func (v *validator) group(t *broker.Ticket) {
	v.at = ""
	if want := map[broker.GroupKind]int{broker.OTO: 2, broker.OCO: 2, broker.Bracket: 3}[t.Kind]; len(t.Orders) != want {
		v.refuse("Orders", len(t.Orders), fmt.Sprintf("%d orders in an %s group", want, t.Kind))
		return
	}
	lead, exits := leader(t)
	targets, stops := 0, 0
	for i := range t.Orders {
		o := &t.Orders[i]
		v.at = fmt.Sprintf("Orders[%d].", i)
		v.member(o, lead, t.Kind, groupDuration(lead, exits))
		if o == lead && t.Kind != broker.OCO {
			if o.Type != broker.Market && o.Type != broker.Limit {
				v.refuse("Type", string(o.Type), "market or limit for the order that opens")
			}
			if !o.Opens() {
				v.refuse("Legs[0].Action", string(o.Legs[0].Action), "an order that opens")
			}
			continue
		}
		switch o.Type {
		case broker.Limit:
			targets++
		case broker.Stop, broker.StopLimit:
			stops++
		default:
			v.refuse("Type", string(o.Type), "limit, stop or stop limit for an exit")
		}
		if o.Opens() {
			v.refuse("Legs[0].Action", string(o.Legs[0].Action), "an exit that closes")
		}
	}
	v.at = ""
	if t.Kind != broker.OTO && (targets != 1 || stops != 1) {
		v.refuse("Orders", len(t.Orders), "one limit order and one stop among the exits")
		return
	}
	v.sides(t.Kind, lead, exits)
}

// groupDuration is the one time in force that a group has at Alpaca. A market
// order that opens is day to us, and lasts as long as its exits to them.
func groupDuration(lead *broker.Order, exits []*broker.Order) broker.TimeInForce {
	if lead.Type == broker.Market && len(exits) > 0 {
		return exits[0].Duration()
	}
	return lead.Duration()
}

func (v *validator) member(o, lead *broker.Order, kind broker.GroupKind, group broker.TimeInForce) {
	leg, first := o.Legs[0], lead.Legs[0]
	switch {
	case len(o.Legs) > 1 || leg.Symbol.Kind() != market.KindEquity:
		v.refuse("Legs", len(o.Legs), "one share in a group")
	case leg.Symbol != first.Symbol:
		v.refuse("Legs[0].Symbol", string(leg.Symbol), "the group's symbol, "+string(first.Symbol))
	case o.Notional != nil || !leg.Quantity.IsInteger():
		v.refuse("Legs[0].Quantity", leg.Quantity, "whole shares in a group")
	case !leg.Quantity.Equal(first.Quantity):
		v.refuse("Legs[0].Quantity", leg.Quantity, "the group's quantity, "+first.Quantity.String())
	}
	if o.ExtendedHours {
		v.refuse("ExtendedHours", true, "false in a group")
	}
	if tif := o.Duration(); tif != broker.Day && tif != broker.GTC {
		v.refuse("TimeInForce", string(tif), "day or gtc in a group")
	} else if o != lead && tif != group {
		v.refuse("TimeInForce", string(tif), "the group's, "+string(group))
	}
	if o != lead {
		want := first.Action
		if kind != broker.OCO {
			want = first.Action.Opposite()
		}
		if leg.Action != want {
			v.refuse("Legs[0].Action", string(leg.Action), string(want))
		}
	}
}

// sides checks that a profit target lies on the profitable side of the stop.
func (v *validator) sides(kind broker.GroupKind, lead *broker.Order, exits []*broker.Order) {
	var target, stop *decimal.Decimal
	all := exits
	if kind == broker.OCO {
		all = append([]*broker.Order{lead}, exits...)
	}
	for _, o := range all {
		if o.Type == broker.Limit {
			target = magnitude(o.Limit)
		} else {
			stop = o.Stop
		}
	}
	if target == nil || stop == nil {
		return
	}
	long := all[0].Legs[0].Action.Sign() < 0 // the exits sell
	if long && !target.GreaterThan(*stop) || !long && !target.LessThan(*stop) {
		v.refuse("Orders", target.String(), "a profit target on the other side of the stop, "+stop.String())
	}
}
