package tastytrade

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// leastFractional is the smallest value, in dollars, of fractional and notional
// orders.
var leastFractional = decimal.NewFromInt(5)

// mostLegs is how many legs an order may have.
const mostLegs = 4

// Validate checks an order by the rules that can be judged without asking the
// broker, and by those that o.Facts allow. Every rule that is broken is a
// *[FieldError] named like "legs[1].quantity"; several are joined, see
// [Problems]. Place, DryRun and the complex orders validate by themselves.
func (o *NewOrder) Validate() error {
	v := &orderCheck{facts: o.Facts, kind: o.Type, tif: o.TimeInForce, gtc: o.GTCDate, price: o.Price, trigger: o.StopTrigger, value: o.Value, legs: o.Legs, rules: o.Rules}
	if len(o.Legs) < 1 || len(o.Legs) > mostLegs {
		v.bad("legs", len(o.Legs), "1 to 4 legs")
	}
	v.strict = o.AdvancedInstructions != nil && o.AdvancedInstructions.StrictPositionEffectValidation
	v.text("external-identifier", o.ExternalIdentifier)
	v.text("source", o.Source)
	v.run()
	return errors.Join(v.errs...)
}

// Validate checks a change by the same rules as an order, as far as c.Legs are
// given.
func (c *OrderChange) Validate() error {
	v := &orderCheck{facts: c.Facts, kind: c.Type, tif: c.TimeInForce, gtc: c.GTCDate, price: c.Price, trigger: c.StopTrigger, value: c.Value, legs: c.Legs, rules: c.Rules, change: true}
	v.text("external-identifier", c.ExternalIdentifier)
	v.text("source", c.Source)
	v.run()
	return errors.Join(v.errs...)
}

// Problems returns the field errors that an error of Validate, Place and the
// like is made of.
func Problems(err error) []*FieldError {
	var out []*FieldError
	switch e := err.(type) { //nolint:errorlint // the tree is walked by hand
	case nil:
	case *FieldError:
		out = append(out, e)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			out = append(out, Problems(inner)...)
		}
	case interface{ Unwrap() error }:
		out = Problems(e.Unwrap())
	}
	return out
}

// An orderCheck gathers what is wrong with an order.
type orderCheck struct {
	facts                 *OrderFacts
	kind                  OrderType
	tif                   TimeInForce
	gtc                   Date
	price, trigger, value *decimal.Decimal
	legs                  []OrderLeg
	rules                 *OrderRule
	strict, change        bool
	errs                  []error
}

func (v *orderCheck) bad(field string, value any, allowed string) {
	v.errs = append(v.errs, invalid.Field(field, value, allowed))
}

func (v *orderCheck) missing(field, allowed string) {
	v.errs = append(v.errs, invalid.Missing(field, allowed))
}

func (v *orderCheck) text(field, value string) {
	if strings.ContainsFunc(value, isControl) {
		v.bad(field, value, "printable text")
	}
}

func (v *orderCheck) run() {
	if !slices.Contains([]OrderType{Limit, Market, MarketableLimit, NotionalMarket, Stop, StopLimit}, v.kind) {
		v.bad("order-type", string(v.kind), "Limit, Market, Marketable Limit, Notional Market, Stop or Stop Limit")
	}
	v.checkTimeInForce()
	v.checkPrices()
	seen := map[string]int{}
	for i := range v.legs {
		v.checkLeg(i, &v.legs[i])
		if first, again := seen[v.legs[i].Symbol]; again && v.legs[i].Symbol != "" {
			v.bad(fmt.Sprintf("legs[%d].symbol", i), v.legs[i].Symbol, fmt.Sprintf("a symbol other than that of legs[%d]", first))
		}
		seen[v.legs[i].Symbol] = i
	}
	if len(v.legs) > 0 {
		v.checkLegCount()
		v.checkEffects()
	}
	v.checkRules()
}

// goodTillCancelled reports whether the order works for more than a day.
func (t TimeInForce) goodTillCancelled() bool {
	return t == GTC || t == GTCExt || t == GTCExtOvernight
}

// extended reports whether the order works outside the regular session.
func (t TimeInForce) extended() bool {
	return t == Ext || t == ExtOvernight || t == GTCExt || t == GTCExtOvernight
}

func (v *orderCheck) checkTimeInForce() {
	const field = "time-in-force"
	switch v.tif {
	case Day, Ext, ExtOvernight, GTC, GTCExt, GTCExtOvernight, GTD, IOC:
	default:
		v.bad(field, string(v.tif), "Day, Ext, Ext Overnight, GTC, GTC Ext, GTC Ext Overnight, GTD or IOC")
	}
	switch {
	case v.tif == GTD && v.gtc.IsZero():
		v.missing("gtc-date", "the last day of a GTD order")
	case v.tif != GTD && !v.gtc.IsZero():
		v.bad("gtc-date", v.gtc, "no date unless the time in force is GTD")
	case v.tif == GTD && v.facts != nil && !v.facts.Today.IsZero() && v.gtc.Before(v.facts.Today):
		v.bad("gtc-date", v.gtc, v.facts.Today.String()+" or a later day")
	}
	if market := v.kind == Market || v.kind == NotionalMarket; market && (v.tif.goodTillCancelled() || v.tif == GTD) {
		v.bad(field, string(v.tif), "Day or IOC for a market order")
	}
	if v.tif.extended() && len(v.legs) > 0 && (len(v.legs) != 1 || v.legs[0].InstrumentType != TypeEquity) {
		v.bad(field, string(v.tif), "Day, GTC, GTD or IOC: extended sessions take orders of one equity leg only")
	}
	if v.kind == Stop && v.tif.goodTillCancelled() && v.opens() {
		v.bad(field, string(v.tif), "Day, GTD or IOC for a stop order that opens a position")
	}
	if v.kind == Market && v.tif != IOC && len(v.legs) == 1 && v.legs[0].InstrumentType == TypeCryptocurrency {
		v.bad(field, string(v.tif), "IOC for a market order of a cryptocurrency")
	}
	if market := v.kind == Market || v.kind == NotionalMarket; market && v.opens() && v.facts != nil && v.facts.Session == SessionClosed {
		v.bad("order-type", string(v.kind), "an order with a price: market orders that open are not taken while the market is closed")
	}
}

// opens reports whether a leg says that it opens a position.
func (v *orderCheck) opens() bool {
	return slices.ContainsFunc(v.legs, func(l OrderLeg) bool { return l.Action.IsOpening() })
}

// checkPrices checks which amounts the order type asks for, and their ticks.
func (v *orderCheck) checkPrices() {
	ticks := v.facts.ticks(v.legs)
	onTick := func(field string, price *decimal.Decimal) {
		if price == nil || price.IsZero() || ticks.Fits(*price) {
			return
		}
		tick, _ := ticks.Tick(*price)
		v.bad(field, *price, fmt.Sprintf("a multiple of %s, such as %s or %s", tick, ticks.Round(*price, RoundPassive), ticks.Round(*price, RoundAggressive)))
	}
	switch v.kind {
	case Limit, StopLimit:
		if v.price == nil {
			v.missing("price", "a price: negative to pay, positive to receive")
		}
	case Market, NotionalMarket, Stop:
		if v.price != nil {
			v.bad("price", *v.price, "no price for a "+string(v.kind)+" order")
		}
	}
	if v.price != nil && v.price.IsZero() {
		v.bad("price", *v.price, "an amount other than zero: negative to pay, positive to receive")
	}
	onTick("price", v.price)

	switch stop := v.kind == Stop || v.kind == StopLimit; {
	case stop && v.trigger == nil:
		v.missing("stop-trigger", "the price at which the order begins to work")
	case stop && !v.trigger.IsPositive():
		v.bad("stop-trigger", *v.trigger, "a positive price")
	case stop:
		onTick("stop-trigger", v.trigger)
	case v.trigger != nil:
		v.bad("stop-trigger", *v.trigger, "no trigger unless the order is a Stop or a Stop Limit")
	}

	switch notional := v.kind == NotionalMarket; {
	case notional && v.value == nil:
		v.missing("value", "the amount of a notional order: negative to buy, positive to sell")
	case notional && v.value.Abs().LessThan(leastFractional):
		v.bad("value", *v.value, "at least 5 dollars")
	case !notional && v.value != nil:
		v.bad("value", *v.value, "no value unless the order is a Notional Market")
	}
}

// checkEffects checks that who buys pays and who sells receives.
func (v *orderCheck) checkEffects() {
	buys := !slices.ContainsFunc(v.legs, func(l OrderLeg) bool { return !l.Action.IsBuy() })
	sells := len(v.legs) == 1 && v.legs[0].Action.IsSell()
	for _, a := range []struct {
		field  string
		amount *decimal.Decimal
	}{{"price", v.price}, {"value", v.value}} {
		switch {
		case a.amount == nil:
		case buys && a.amount.IsPositive():
			v.bad(a.field, *a.amount, "a negative amount: what is bought is paid for")
		case sells && a.amount.IsNegative():
			v.bad(a.field, *a.amount, "a positive amount: what is sold is received")
		}
	}
}

// checkLegCount checks how many legs the kind of order and of instrument allow.
func (v *orderCheck) checkLegCount() {
	if len(v.legs) == 1 {
		return
	}
	if v.kind == Market || v.kind == NotionalMarket {
		v.bad("legs", len(v.legs), "1 leg for a market order")
	}
	var options int
	var equities []int
	for i, l := range v.legs {
		switch l.InstrumentType {
		case TypeFuture, TypeCryptocurrency:
			v.bad(fmt.Sprintf("legs[%d].instrument-type", i), string(l.InstrumentType), "an equity or an option: futures and cryptocurrencies are traded alone")
		case TypeEquityOption, TypeFutureOption:
			options++
		case TypeEquity:
			equities = append(equities, i)
		}
	}
	if n := len(equities); n > 1 || n == 1 && options == 0 {
		v.bad(fmt.Sprintf("legs[%d].instrument-type", equities[n-1]), string(TypeEquity), "an option: shares are traded alone or beside options")
	}
}
