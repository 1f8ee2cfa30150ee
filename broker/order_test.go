package broker_test

import (
	"errors"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func dec(s string) *decimal.Decimal {
	d := decimal.RequireFromString(s)
	return &d
}

const (
	call500 = market.Symbol("SPY   261218C00500000")
	call510 = market.Symbol("SPY   261218C00510000")
	call520 = market.Symbol("SPY   261218C00520000")
)

func leg(symbol market.Symbol, action broker.Action, quantity string) broker.Leg {
	return broker.Leg{Symbol: symbol, Action: action, Quantity: *dec(quantity)}
}

// buyTen is a valid order that tests change in one place.
func buyTen() broker.Order {
	return broker.Order{Tag: "a-1", Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "10")}, Type: broker.Limit, Limit: dec("-500.25")}
}

func TestAValidOrderIsTaken(t *testing.T) {
	spread := broker.Order{Tag: "s", Type: broker.Limit, Limit: dec("1.05"), TimeInForce: broker.GTC,
		Legs: []broker.Leg{leg(call500, broker.SellToOpen, "2"), leg(call510, broker.BuyToOpen, "2")}}
	trailing := broker.Order{Tag: "t", Type: broker.TrailingStop, Trail: &broker.Trail{Percent: dec("2.5")}, TimeInForce: broker.GTC,
		Legs: []broker.Leg{leg("SPY", broker.SellToClose, "0.5")}}
	money := broker.Order{Tag: "n", Type: broker.Market, Notional: dec("50"), Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen}}}
	dated := buyTen()
	dated.TimeInForce, dated.GoodTill = broker.GTD, market.Date{Year: 2026, Month: 12, Day: 18}
	closing := broker.Order{Tag: "c", Type: broker.Market, TimeInForce: broker.OnClose, Legs: []broker.Leg{leg("SPY", broker.SellToClose, "3")}}
	simple := buyTen()
	for _, o := range []broker.Order{simple, spread, trailing, money, dated, closing} {
		assert.NoError(t, o.Validate(), o.Tag)
	}
}

func TestARefusedOrderNamesTheField(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*broker.Order)
	}{
		{"Tag", func(o *broker.Order) { o.Tag = "" }},
		{"Tag", func(o *broker.Order) { o.Tag = "a b" }},
		{"Tag", func(o *broker.Order) { o.Tag = "1234567890123456789012345678901234567890123456789" }},
		{"Legs", func(o *broker.Order) { o.Legs = nil }},
		{"Legs", func(o *broker.Order) { o.Legs = make([]broker.Leg, 5) }},
		{"Legs[0].Symbol", func(o *broker.Order) { o.Legs[0].Symbol = "spy" }},
		{"Legs[0].Symbol", func(o *broker.Order) { o.Legs[0].Symbol = "SPY261218C00500000" }},
		{"Legs[1].Symbol", func(o *broker.Order) { o.Legs = append(o.Legs, o.Legs[0]) }},
		{"Legs[0].Action", func(o *broker.Order) { o.Legs[0].Action = "buy" }},
		{"Legs[0].Quantity", func(o *broker.Order) { o.Legs[0].Quantity = *dec("0") }},
		{"Legs[0].Quantity", func(o *broker.Order) { o.Legs[0].Quantity = *dec("-1") }},
		{"Legs[0].Quantity", func(o *broker.Order) { o.Legs[0] = leg(call500, broker.BuyToOpen, "1.5") }},
		{"Legs[0].Quantity", func(o *broker.Order) { o.Type, o.Limit, o.Notional = broker.Market, nil, dec("50") }},
		{"Type", func(o *broker.Order) { o.Type = "" }},
		{"Limit", func(o *broker.Order) { o.Limit = nil }},
		{"Limit", func(o *broker.Order) { o.Limit = dec("500") }},
		{"Limit", func(o *broker.Order) { o.Limit = dec("0") }},
		{"Limit", func(o *broker.Order) { o.Legs[0].Action = broker.SellToOpen }},
		{"Limit", func(o *broker.Order) { o.Type = broker.Market }},
		{"Stop", func(o *broker.Order) { o.Stop = dec("1") }},
		{"Stop", func(o *broker.Order) { o.Type = broker.StopLimit }},
		{"Stop", func(o *broker.Order) { o.Type, o.Stop = broker.StopLimit, dec("-1") }},
		{"Trail", func(o *broker.Order) { o.Trail = &broker.Trail{Amount: dec("1")} }},
		{"Trail", func(o *broker.Order) { o.Type, o.Limit = broker.TrailingStop, nil }},
		{"Trail", func(o *broker.Order) {
			o.Type, o.Limit, o.Trail = broker.TrailingStop, nil, &broker.Trail{Percent: dec("100")}
		}},
		{"Trail", func(o *broker.Order) {
			o.Type, o.Limit, o.Trail = broker.TrailingStop, nil, &broker.Trail{Percent: dec("1"), Amount: dec("1")}
		}},
		{"Type", func(o *broker.Order) {
			o.Legs = []broker.Leg{leg(call500, broker.BuyToOpen, "1"), leg(call510, broker.SellToOpen, "1")}
			o.Type, o.Limit, o.Stop = broker.Stop, nil, dec("1")
		}},
		{"Notional", func(o *broker.Order) { o.Notional, o.Legs[0].Quantity = dec("50"), *dec("0") }},
		{"TimeInForce", func(o *broker.Order) { o.TimeInForce = "tomorrow" }},
		{"TimeInForce", func(o *broker.Order) { o.Type, o.Limit, o.TimeInForce = broker.Market, nil, broker.GTC }},
		{"TimeInForce", func(o *broker.Order) {
			o.Type, o.Limit, o.Stop, o.TimeInForce = broker.Stop, nil, dec("1"), broker.OnClose
		}},
		{"GoodTill", func(o *broker.Order) { o.TimeInForce = broker.GTD }},
		{"GoodTill", func(o *broker.Order) { o.GoodTill = market.Date{Year: 2026, Month: 12, Day: 18} }},
		{"ExtendedHours", func(o *broker.Order) { o.Type, o.Limit, o.ExtendedHours = broker.Market, nil, true }},
	} {
		o := buyTen()
		c.change(&o)
		err := o.Validate()
		require.Error(t, err, c.field)
		fe, ok := errors.AsType[*broker.FieldError](err)
		require.True(t, ok)
		assert.Equal(t, c.field, fe.Field, err.Error())
	}
}

func TestUnitsAreTheGreatestCommonDivisor(t *testing.T) {
	ratio := broker.Order{Legs: []broker.Leg{leg(call500, broker.BuyToOpen, "10"), leg(call510, broker.SellToOpen, "20"), leg(call520, broker.BuyToOpen, "15")}}
	assert.Equal(t, "5", ratio.Units().String())
	single := buyTen()
	assert.Equal(t, "10", single.Units().String())
	broken := broker.Order{Legs: []broker.Leg{leg(call500, broker.BuyToOpen, "1.5"), leg(call510, broker.SellToOpen, "1")}}
	assert.True(t, broken.Units().IsZero())
}

func TestATicketNamesTheOrderAndField(t *testing.T) {
	target, stop := buyTen(), buyTen()
	target.Tag, stop.Tag = "a-2", "a-3"
	target.Legs = []broker.Leg{leg("SPY", broker.SellToClose, "10")}
	target.Limit = dec("510")
	stop.Legs = target.Legs
	stop.Type, stop.Limit, stop.Stop = broker.Stop, nil, dec("490")
	bracket := broker.Ticket{Kind: broker.Bracket, Orders: []broker.Order{buyTen(), target, stop}}
	require.NoError(t, bracket.Validate())

	for field, change := range map[string]func(*broker.Ticket){
		"Orders":         func(k *broker.Ticket) { k.Orders = k.Orders[:2] },
		"Kind":           func(k *broker.Ticket) { k.Kind = "pairs" },
		"Orders[2].Stop": func(k *broker.Ticket) { k.Orders[2].Stop = nil },
		"Orders[1].Tag":  func(k *broker.Ticket) { k.Orders[1].Tag = "a-1" },
	} {
		k := broker.Ticket{Kind: bracket.Kind, Orders: append([]broker.Order(nil), bracket.Orders...)}
		change(&k)
		fe, ok := errors.AsType[*broker.FieldError](k.Validate())
		require.True(t, ok, field)
		assert.Equal(t, field, fe.Field)
	}
	assert.Error(t, (&broker.Ticket{}).Validate())
}

func TestCapabilitiesNameWhatABrokerLacks(t *testing.T) {
	able := broker.Capabilities{
		Instruments: []market.InstrumentKind{market.KindEquity, market.KindOption}, Types: []broker.OrderType{broker.Market, broker.Limit},
		TimesInForce: []broker.TimeInForce{broker.Day}, Groups: []broker.GroupKind{broker.Single}, MaxLegs: 2,
	}
	assert.NoError(t, able.Check(broker.NewTicket(buyTen())))
	assert.ErrorIs(t, broker.Capabilities{}.Check(broker.NewTicket(buyTen())), broker.ErrUnsupported)

	for field, change := range map[string]func(*broker.Order){
		"Orders[0].TimeInForce":      func(o *broker.Order) { o.TimeInForce = broker.GTC },
		"Orders[0].Type":             func(o *broker.Order) { o.Type, o.Limit, o.Stop = broker.Stop, nil, dec("1") },
		"Orders[0].ExtendedHours":    func(o *broker.Order) { o.ExtendedHours = true },
		"Orders[0].Legs[0].Quantity": func(o *broker.Order) { o.Legs[0].Quantity = *dec("0.5") },
		"Orders[0].Legs[0].Symbol":   func(o *broker.Order) { o.Legs[0].Symbol = "BTC/USD" },
		"Orders[0].Legs":             func(o *broker.Order) { o.Legs = append(o.Legs, leg(call500, broker.SellToOpen, "1")) },
		"Orders[0].Notional":         func(o *broker.Order) { o.Notional = dec("5") },
	} {
		o := buyTen()
		change(&o)
		lacking, ok := errors.AsType[*broker.UnsupportedError](able.Check(broker.NewTicket(o)))
		require.True(t, ok, field)
		assert.Equal(t, field, lacking.Field)
	}
	group := broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{buyTen(), buyTen()}}
	lacking, ok := errors.AsType[*broker.UnsupportedError](able.Check(group))
	require.True(t, ok)
	assert.Equal(t, "Kind", lacking.Field)
}

func TestActionsHaveOpposites(t *testing.T) {
	for _, a := range []broker.Action{broker.BuyToOpen, broker.SellToOpen, broker.BuyToClose, broker.SellToClose} {
		assert.Equal(t, a, a.Opposite().Opposite())
		assert.Equal(t, -a.Sign(), a.Opposite().Sign())
		assert.NotEqual(t, a.Opens(), a.Opposite().Opens())
	}
	assert.Zero(t, broker.Action("sideways").Sign())
}
