package tastytrade

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Of returns a leg: so many shares or contracts of the broker's symbol. The
// instrument type is that of [InstrumentTypeOf].
//
//	tastytrade.SellToOpen.Of("SPY   261218P00450000", 1)
func (a OrderAction) Of(symbol string, quantity int64) OrderLeg {
	return a.OfPart(symbol, decimal.NewFromInt(quantity))
}

// OfPart is Of for a quantity that need not be whole: parts of shares, and
// cryptocurrencies.
func (a OrderAction) OfPart(symbol string, quantity decimal.Decimal) OrderLeg {
	return OrderLeg{InstrumentType: InstrumentTypeOf(symbol), Symbol: symbol, Action: a, Quantity: &quantity}
}

// An Amount is money with its direction, so that no sign is forgotten. Make one
// with Pay or Receive.
type Amount struct {
	value decimal.Decimal
	err   error
}

// Pay is an amount that the account pays, given as a positive number.
func Pay(amount decimal.Decimal) Amount { return newAmount(amount, true) }

// Receive is an amount that the account receives, given as a positive number.
func Receive(amount decimal.Decimal) Amount { return newAmount(amount, false) }

func newAmount(amount decimal.Decimal, pay bool) Amount {
	if !amount.IsPositive() {
		return Amount{err: invalid.Field("price", amount, "a positive amount; Pay and Receive say which way it goes")}
	}
	if pay {
		amount = amount.Neg()
	}
	return Amount{value: amount}
}

// Signed returns the amount, credit positive and debit negative.
func (a Amount) Signed() decimal.Decimal { return a.value }

// OrderDetails are the parts of an order that most do without. Nil is the zero
// value.
type OrderDetails struct {
	ExternalIdentifier string // empty: Place makes one
	Source             string
	PartitionKey       string
	PreflightID        string
	AutomatedSource    bool
	// StrictPositionEffect rejects a closing leg without a position in place of
	// opening one.
	StrictPositionEffect bool
	RouteAfter, CancelAt time.Time
	Conditions           []OrderCondition
	// Facts are what the order is validated by beside itself; see [OrderFacts].
	Facts *OrderFacts
	// Rounding moves the price and the trigger to ticks that Facts know.
	Rounding Rounding
}

// A Draft is an order that has legs and needs a price. Its methods say which
// kind of order it becomes; what those return has the times in force that this
// kind may have, and each of these gives the order, validated.
type Draft struct{ legs []OrderLeg }

// Legs begins an order of one to four legs.
//
//	order, err := tastytrade.Legs(tastytrade.BuyToOpen.Of("AAPL", 100)).
//		Limit(tastytrade.Pay(decimal.RequireFromString("187.50"))).
//		Day(nil)
func Legs(legs ...OrderLeg) Draft { return Draft{legs: legs} }

// Limit gives the order a limit, for one unit.
func (d Draft) Limit(price Amount) PricedDraft { return d.priced(Limit, price) }

// MarketableLimit makes a marketable limit order with a limit for one unit.
func (d Draft) MarketableLimit(price Amount) PricedDraft { return d.priced(MarketableLimit, price) }

// StopLimit makes an order that works at a limit once the trigger is reached.
func (d Draft) StopLimit(trigger decimal.Decimal, price Amount) PricedDraft {
	p := d.priced(StopLimit, price)
	p.order.StopTrigger = &trigger
	return p
}

func (d Draft) priced(kind OrderType, price Amount) PricedDraft {
	return PricedDraft{StopDraft{MarketDraft{order: NewOrder{Type: kind, Legs: d.legs, Price: &price.value}, err: price.err}}}
}

// Stop makes a market order that works once the trigger is reached.
func (d Draft) Stop(trigger decimal.Decimal) StopDraft {
	return StopDraft{MarketDraft{order: NewOrder{Type: Stop, Legs: d.legs, StopTrigger: &trigger}}}
}

// Market makes a market order, which has one leg.
func (d Draft) Market() MarketDraft {
	return MarketDraft{order: NewOrder{Type: Market, Legs: d.legs}}
}

// Notional begins an order for an amount of money in place of a quantity: of an
// equity of which parts are traded, or a cryptocurrency. Pay buys to open,
// Receive sells to close. It is a market order.
func Notional(symbol string, value Amount) MarketDraft {
	action := BuyToOpen
	if value.value.IsPositive() {
		action = SellToClose
	}
	leg := OrderLeg{InstrumentType: InstrumentTypeOf(symbol), Symbol: symbol, Action: action}
	return MarketDraft{order: NewOrder{Type: NotionalMarket, Legs: []OrderLeg{leg}, Value: &value.value}, err: value.err}
}

// A MarketDraft is an order without a limit. It works for the day or not at all.
type MarketDraft struct {
	order NewOrder
	err   error
}

// Day ends the order with the regular session.
func (d MarketDraft) Day(details *OrderDetails) (*NewOrder, error) { return d.finish(Day, details) }

// IOC ends at once what does not trade at once.
func (d MarketDraft) IOC(details *OrderDetails) (*NewOrder, error) { return d.finish(IOC, details) }

// A StopDraft is an order with a trigger and no limit.
type StopDraft struct{ MarketDraft }

// GTC lets the order work until it is cancelled. A stop order that opens a
// position cannot.
func (d StopDraft) GTC(details *OrderDetails) (*NewOrder, error) { return d.finish(GTC, details) }

// GTD lets the order work until the end of a day.
func (d StopDraft) GTD(last Date, details *OrderDetails) (*NewOrder, error) {
	d.order.GTCDate = last
	return d.finish(GTD, details)
}

// A PricedDraft is an order with a limit.
type PricedDraft struct{ StopDraft }

// Ext is Day with the extended sessions; with overnight, the night too. For one
// leg of an equity.
func (d PricedDraft) Ext(overnight bool, details *OrderDetails) (*NewOrder, error) {
	if overnight {
		return d.finish(ExtOvernight, details)
	}
	return d.finish(Ext, details)
}

// GTCExt is GTC with the extended sessions; with overnight, the nights too. For
// one leg of an equity.
func (d PricedDraft) GTCExt(overnight bool, details *OrderDetails) (*NewOrder, error) {
	if overnight {
		return d.finish(GTCExtOvernight, details)
	}
	return d.finish(GTCExt, details)
}

func (d MarketDraft) finish(tif TimeInForce, details *OrderDetails) (*NewOrder, error) {
	if d.err != nil {
		return nil, d.err
	}
	o := d.order
	o.TimeInForce = tif
	o.Legs = append([]OrderLeg(nil), o.Legs...)
	if details != nil {
		if err := details.apply(&o); err != nil {
			return nil, err
		}
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &o, nil
}

func (t *OrderDetails) apply(o *NewOrder) error {
	if t.Rounding < NoRounding || t.Rounding > RoundAggressive {
		return invalid.Field("Rounding", fmt.Sprint(t.Rounding), "NoRounding, RoundNearest, RoundPassive or RoundAggressive")
	}
	o.ExternalIdentifier, o.Source, o.PartitionKey, o.PreflightID = t.ExternalIdentifier, t.Source, t.PartitionKey, t.PreflightID
	if t.AutomatedSource {
		yes := true
		o.AutomatedSource = &yes
	}
	if t.StrictPositionEffect {
		o.AdvancedInstructions = &AdvancedInstructions{StrictPositionEffectValidation: true}
	}
	if !t.RouteAfter.IsZero() || !t.CancelAt.IsZero() || len(t.Conditions) > 0 {
		o.Rules = &OrderRule{RouteAfter: t.RouteAfter, CancelAt: t.CancelAt, Conditions: t.Conditions}
	}
	o.Facts = t.Facts
	o.RoundToTick(t.Rounding)
	return nil
}

// RoundToTick moves the price and the trigger of an order to ticks of the
// instruments that o.Facts know. A trigger goes to the nearest tick whatever
// the rounding of the price.
func (o *NewOrder) RoundToTick(r Rounding) {
	if r == NoRounding {
		return
	}
	ticks := o.Facts.ticks(o.Legs)
	if o.Price != nil {
		price := ticks.Round(*o.Price, r)
		o.Price = &price
	}
	if o.StopTrigger != nil {
		trigger := ticks.Round(*o.StopTrigger, RoundNearest)
		o.StopTrigger = &trigger
	}
}
