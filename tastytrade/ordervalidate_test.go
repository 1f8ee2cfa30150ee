package tastytrade_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
)

const (
	shortPut = "SPY   261218P00450000"
	longPut  = "SPY   261218P00445000"
	esPut    = "./ESZ6 ESZ6  261218P5000"
)

func leg(a tastytrade.OrderAction, symbol, quantity string) tastytrade.OrderLeg {
	l := a.OfPart(symbol, d("1"))
	l.Quantity = dec(quantity)
	return l
}

// Every local rule, broken once. The base is an order that breaks none.
func TestEachRuleNamesItsField(t *testing.T) {
	type order = tastytrade.NewOrder
	no, yes, two := false, true, 2
	facts := func(o *order) *tastytrade.OrderFacts {
		if o.Facts == nil {
			o.Facts = &tastytrade.OrderFacts{}
		}
		return o.Facts
	}
	rules := func(o *order, r tastytrade.InstrumentRules) {
		facts(o).Instruments = map[string]tastytrade.InstrumentRules{o.Legs[0].Symbol: r}
	}
	spread := func(o *order) {
		o.Legs = []tastytrade.OrderLeg{leg(tastytrade.SellToOpen, shortPut, "1"), leg(tastytrade.BuyToOpen, longPut, "1")}
		o.Price = dec("1.25")
	}
	market := func(o *order) { o.Type, o.Price = tastytrade.Market, nil }
	stop := func(o *order) { o.Type, o.Price, o.StopTrigger = tastytrade.Stop, nil, dec("150") }
	notional := func(o *order) {
		o.Type, o.Price, o.Value = tastytrade.NotionalMarket, nil, dec("-100")
		o.Legs[0].Quantity = nil
	}
	crypto := func(o *order) {
		o.Legs[0] = leg(tastytrade.BuyToOpen, "BTC/USD", "0.5")
		facts(o).CryptocurrencyTrading = true
	}
	condition := func(o *order) *tastytrade.OrderCondition {
		o.Rules = &tastytrade.OrderRule{Conditions: []tastytrade.OrderCondition{{Action: tastytrade.RouteOrder, Symbol: "SPY", InstrumentType: tastytrade.TypeEquity, Indicator: tastytrade.LastPrice, Comparator: tastytrade.AtLeast, Threshold: dec("500")}}}
		return &o.Rules.Conditions[0]
	}
	both := func(fs ...func(*order)) func(*order) {
		return func(o *order) {
			for _, f := range fs {
				f(o)
			}
		}
	}
	for _, tt := range []struct {
		name, field string // no field: the order is valid
		change      func(o *order)
	}{
		{"a limit order", "", func(*order) {}},
		{"a spread", "", spread},
		{"a market order", "", market},
		{"a stop", "", stop},
		{"a notional order", "", notional},
		{"a cryptocurrency that may be traded", "", crypto},
		{"a condition", "", func(o *order) { condition(o) }},
		{"a covered call", "", func(o *order) {
			o.Legs = append(o.Legs, leg(tastytrade.SellToOpen, "AAPL  261218C00200000", "1"))
		}},

		{"order type", "order-type", func(o *order) { o.Type = "Best" }},
		{"time in force", "time-in-force", func(o *order) { o.TimeInForce = "Forever" }},
		{"no leg", "legs", func(o *order) { o.Legs = nil }},
		{"five legs", "legs", func(o *order) {
			spread(o)
			for _, s := range []string{"SPY   261218P00440000", "SPY   261218P00435000", "SPY   261218P00430000"} {
				o.Legs = append(o.Legs, leg(tastytrade.BuyToOpen, s, "1"))
			}
		}},
		{"one symbol twice", "legs[1].symbol", both(spread, func(o *order) { o.Legs[1].Symbol = shortPut })},
		{"no symbol", "legs[0].symbol", func(o *order) { o.Legs[0].Symbol = "" }},
		{"an option's symbol without padding", "legs[0].symbol", both(spread, func(o *order) { o.Legs[0].Symbol = "SPY261218P00450000" })},
		{"an instrument that cannot be ordered", "legs[0].instrument-type", func(o *order) { o.Legs[0].InstrumentType = tastytrade.TypeIndex }},
		{"an action that is none", "legs[0].action", func(o *order) { o.Legs[0].Action = "Short" }},
		{"Buy for what is no future", "legs[0].action", func(o *order) { o.Legs[0].Action = tastytrade.Buy }},
		{"no quantity", "legs[0].quantity", func(o *order) { o.Legs[0].Quantity = nil }},
		{"a negative quantity", "legs[1].quantity", both(spread, func(o *order) { o.Legs[1].Quantity = dec("-1") })},
		{"half an option", "legs[0].quantity", both(spread, func(o *order) { o.Legs[0].Quantity = dec("0.5") })},

		{"two equities", "legs[1].instrument-type", func(o *order) { o.Legs = append(o.Legs, leg(tastytrade.BuyToOpen, "SPY", "1")) }},
		{"a future beside another", "legs[0].instrument-type", func(o *order) {
			o.Legs = []tastytrade.OrderLeg{leg(tastytrade.Buy, "/ESZ6", "1"), leg(tastytrade.SellToOpen, esPut, "1")}
		}},
		{"a market order of two legs", "legs", both(spread, market)},
		{"a market order with a price", "price", func(o *order) { o.Type = tastytrade.Market }},
		{"a market order that waits", "time-in-force", both(market, func(o *order) { o.TimeInForce = tastytrade.GTC })},
		{"a market order until a day", "time-in-force", both(market, func(o *order) { o.TimeInForce, o.GTCDate = tastytrade.GTD, september16 })},
		{"a market order that opens while the market is closed", "order-type", both(market, func(o *order) { facts(o).Session = tastytrade.SessionClosed })},
		{"a market order that closes then", "", both(market, func(o *order) {
			o.Legs[0].Action, facts(o).Session = tastytrade.SellToClose, tastytrade.SessionClosed
		})},
		{"a stop with a price", "price", both(stop, func(o *order) { o.Price = dec("-1") })},
		{"a stop without a trigger", "stop-trigger", both(stop, func(o *order) { o.StopTrigger = nil })},
		{"a trigger below zero", "stop-trigger", both(stop, func(o *order) { o.StopTrigger = dec("-1") })},
		{"a trigger without a stop", "stop-trigger", func(o *order) { o.StopTrigger = dec("1") }},
		{"an opening stop that waits", "time-in-force", both(stop, func(o *order) { o.TimeInForce = tastytrade.GTC })},
		{"a closing stop that waits", "", both(stop, func(o *order) { o.TimeInForce, o.Legs[0].Action = tastytrade.GTC, tastytrade.SellToClose })},
		{"a limit without a price", "price", func(o *order) { o.Price = nil }},
		{"a stop limit without a price", "price", func(o *order) { o.Type, o.Price, o.StopTrigger = tastytrade.StopLimit, nil, dec("1") }},
		{"a price of zero", "price", func(o *order) { o.Price = dec("0") }},
		{"a value without a notional order", "value", func(o *order) { o.Value = dec("-1") }},

		{"a buy for a credit", "price", func(o *order) { o.Price = dec("187.5") }},
		{"a sale for a debit", "price", func(o *order) { o.Legs[0].Action = tastytrade.SellToClose }},
		{"two buys for a credit", "price", both(spread, func(o *order) { o.Legs[0].Action = tastytrade.BuyToOpen })},
		{"a notional buy for a credit", "value", both(notional, func(o *order) { o.Value = dec("100") })},

		{"a price between ticks", "price", func(o *order) {
			o.Price = dec("-187.503")
			rules(o, tastytrade.InstrumentRules{Ticks: tastytrade.TickTable{{Value: dec("0.0001"), Threshold: dec("1")}, {Value: dec("0.01")}}})
		}},
		{"a small price between ticks is on a finer one", "", func(o *order) {
			o.Price = dec("-0.5003")
			rules(o, tastytrade.InstrumentRules{Ticks: tastytrade.TickTable{{Value: dec("0.0001"), Threshold: dec("1")}, {Value: dec("0.01")}}})
		}},
		{"a trigger between ticks", "stop-trigger", both(stop, func(o *order) {
			o.StopTrigger = dec("150.005")
			rules(o, tastytrade.InstrumentRules{Ticks: tastytrade.TickTable{{Value: dec("0.01")}}})
		})},
		{"a spread's price between its ticks", "price", both(spread, func(o *order) {
			o.Price, facts(o).SpreadTicks = dec("1.23"), tastytrade.TickTable{{Value: dec("0.05")}}
		})},

		{"parts of a share that has none", "legs[0].quantity", func(o *order) {
			o.Legs[0].Quantity = dec("0.5")
			rules(o, tastytrade.InstrumentRules{FractionalEligible: &no})
		}},
		{"parts of a share", "", func(o *order) {
			o.Legs[0].Quantity = dec("0.5")
			rules(o, tastytrade.InstrumentRules{FractionalEligible: &yes})
		}},
		{"parts worth less than five dollars", "legs[0].quantity", func(o *order) { o.Legs[0].Quantity = dec("0.02") }},
		{"the same at the market", "legs[0].quantity", both(market, func(o *order) {
			o.Legs[0].Quantity = dec("0.02")
			rules(o, tastytrade.InstrumentRules{Price: dec("187.5")})
		})},
		{"a notional order of four dollars", "value", both(notional, func(o *order) { o.Value = dec("-4.99") })},
		{"a notional order without a value", "value", both(notional, func(o *order) { o.Value = nil })},
		{"a notional order with a quantity", "legs[0].quantity", both(notional, func(o *order) { o.Legs[0].Quantity = dec("1") })},
		{"a notional order of what has no parts", "legs[0].symbol", both(notional, func(o *order) { rules(o, tastytrade.InstrumentRules{FractionalEligible: &no}) })},
		{"a notional order of an option", "legs[0].instrument-type", both(notional, func(o *order) {
			o.Legs[0] = tastytrade.OrderLeg{InstrumentType: tastytrade.TypeEquityOption, Symbol: shortPut, Action: tastytrade.BuyToOpen}
		})},
		{"a cryptocurrency", "legs[0].instrument-type", both(crypto, func(o *order) { o.Facts = nil })},
		{"a cryptocurrency too finely", "legs[0].quantity", both(crypto, func(o *order) {
			o.Legs[0].Quantity = dec("0.125")
			rules(o, tastytrade.InstrumentRules{QuantityPrecision: &two})
		})},
		{"a cryptocurrency at the market for the day", "time-in-force", both(crypto, market)},
		{"a cryptocurrency at the market at once", "", both(crypto, market, func(o *order) { o.TimeInForce = tastytrade.IOC })},

		{"an option in the extended session", "time-in-force", both(spread, func(o *order) { o.TimeInForce = tastytrade.Ext })},
		{"a share in the night", "", func(o *order) { o.TimeInForce = tastytrade.GTCExtOvernight }},
		{"GTD without a date", "gtc-date", func(o *order) { o.TimeInForce = tastytrade.GTD }},
		{"a date without GTD", "gtc-date", func(o *order) { o.GTCDate = september16 }},
		{"a date that is past", "gtc-date", func(o *order) {
			o.TimeInForce, o.GTCDate, facts(o).Today = tastytrade.GTD, september16, september16.AddDays(1)
		}},
		{"long beside short", "legs[0].action", func(o *order) {
			facts(o).Positions = []tastytrade.Position{{Symbol: "AAPL", Quantity: d("5"), QuantityDirection: tastytrade.Short}}
		}},
		{"more of what is held", "", func(o *order) {
			facts(o).Positions = []tastytrade.Position{{Symbol: "AAPL", Quantity: d("5"), QuantityDirection: tastytrade.Long}}
		}},
		{"strictly closing nothing", "legs[0].action", func(o *order) {
			o.Legs[0].Action, o.Price = tastytrade.SellToClose, dec("187.5")
			o.AdvancedInstructions = &tastytrade.AdvancedInstructions{StrictPositionEffectValidation: true}
			facts(o).Positions = []tastytrade.Position{}
		}},

		{"cancelled before it is routed", "rules.cancel-at", func(o *order) {
			o.Rules = &tastytrade.OrderRule{RouteAfter: time.Unix(2000, 0), CancelAt: time.Unix(1000, 0)}
		}},
		{"a condition's action", "rules.conditions[0].action", func(o *order) { condition(o).Action = "buy" }},
		{"a condition's indicator", "rules.conditions[0].indicator", func(o *order) { condition(o).Indicator = "bid" }},
		{"a condition's comparator", "rules.conditions[0].comparator", func(o *order) { condition(o).Comparator = ">" }},
		{"a condition's threshold", "rules.conditions[0].threshold", func(o *order) { condition(o).Threshold = nil }},
		{"a condition on nothing", "rules.conditions[0].symbol", func(o *order) { condition(o).Symbol = "" }},
		{"a condition's component", "rules.conditions[0].price-components[0].quantity-direction", func(o *order) {
			condition(o).PriceComponents = []tastytrade.PriceComponent{{Symbol: "A", InstrumentType: tastytrade.TypeEquity, Quantity: dec("1")}}
		}},
		{"an identifier that breaks the line", "external-identifier", func(o *order) { o.ExternalIdentifier = "a\nb" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := &order{Type: tastytrade.Limit, TimeInForce: tastytrade.Day, Price: dec("-187.50"), Legs: []tastytrade.OrderLeg{leg(tastytrade.BuyToOpen, "AAPL", "100")}}
			tt.change(o)
			err := o.Validate()
			if tt.field == "" {
				require.NoError(t, err)
				return
			}
			var fields []string
			for _, p := range tastytrade.Problems(err) {
				fields = append(fields, p.Field)
			}
			assert.Contains(t, fields, tt.field, "%v", err)
		})
	}
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	o := &tastytrade.NewOrder{Type: tastytrade.Limit, TimeInForce: tastytrade.GTD, Legs: []tastytrade.OrderLeg{{Symbol: "A"}}}
	err := o.Validate()
	assert.Len(t, tastytrade.Problems(err), 5, "%v", err)
	server := answering(201, anything)
	_, err = client(t, server, nil).Orders.Place(t.Context(), "5WX1", o)
	assert.Len(t, tastytrade.Problems(err), 5)
	_, err = client(t, server, nil).Orders.DryRun(t.Context(), "5WX1", nil)
	require.ErrorContains(t, err, "order")
	assert.Zero(t, server.count())
}

func TestPlacingDoesNotChangeTheOrder(t *testing.T) {
	o := limitOrder()
	o.ExternalIdentifier = ""
	server := answering(201, anything)
	c := client(t, server, nil)
	for range 2 {
		_, err := c.Orders.Place(t.Context(), "5WX1", o)
		require.NoError(t, err)
	}
	assert.Empty(t, o.ExternalIdentifier)
	assert.Contains(t, server.bodies[0], `"external-identifier":"ttai-`)
	assert.NotEqual(t, server.bodies[0], server.bodies[1], "each placing has an identifier of its own")
}

func TestTheSizeIsTheGreatestCommonDivisor(t *testing.T) {
	o := &tastytrade.NewOrder{Legs: []tastytrade.OrderLeg{leg(tastytrade.SellToOpen, shortPut, "4"), leg(tastytrade.BuyToOpen, longPut, "6")}}
	assert.Equal(t, "2", o.Size().String())
	o.Legs = append(o.Legs, leg(tastytrade.BuyToOpen, "SPY   261218P00440000", "0.5"))
	assert.Equal(t, "0", o.Size().String())
	assert.Equal(t, "0.5", (&tastytrade.NewOrder{Legs: o.Legs[2:]}).Size().String())
}

func TestTheRulesOfComplexOrders(t *testing.T) {
	type complexOrder = tastytrade.NewComplexOrder
	open, a, b := limitOrder(), closing("200"), closing("210")
	stop, err := tastytrade.Legs(tastytrade.SellToClose.Of("AAPL", 100)).Stop(d("150")).GTC(nil)
	require.NoError(t, err)
	orders := func(list ...*tastytrade.NewOrder) (out []tastytrade.NewOrder) {
		for _, o := range list {
			out = append(out, *o)
		}
		return out
	}
	bad := *closing("200")
	bad.Legs = []tastytrade.OrderLeg{leg(tastytrade.SellToClose, "AAPL", "-1")}
	for _, tt := range []struct {
		field string
		order complexOrder
	}{
		{"", complexOrder{Type: tastytrade.OTO, TriggerOrder: open, Orders: orders(a)}},
		{"", complexOrder{Type: tastytrade.OTOCO, TriggerOrder: open, Orders: orders(a, stop)}},
		{"", complexOrder{Type: tastytrade.OCO, Orders: orders(a, b, stop)}},
		{"", complexOrder{Type: tastytrade.PAIRS, Orders: orders(open, a), RatioPriceComparator: tastytrade.AtMost, RatioPriceThreshold: dec("1.5")}},
		{"type", complexOrder{Type: tastytrade.BLAST, Orders: orders(a, b)}},
		{"type", complexOrder{Type: "OTOTO", Orders: orders(a, b)}},
		{"trigger-order", complexOrder{Type: tastytrade.OTO, Orders: orders(a)}},
		{"trigger-order", complexOrder{Type: tastytrade.OTOCO, Orders: orders(a, b)}},
		{"trigger-order", complexOrder{Type: tastytrade.OCO, TriggerOrder: open, Orders: orders(a, b)}},
		{"orders", complexOrder{Type: tastytrade.OTO, TriggerOrder: open, Orders: orders(a, b, stop, a)}},
		{"orders", complexOrder{Type: tastytrade.OTO, TriggerOrder: open}},
		{"orders", complexOrder{Type: tastytrade.OTOCO, TriggerOrder: open, Orders: orders(a)}},
		{"orders", complexOrder{Type: tastytrade.OCO, Orders: orders(a)}},
		{"orders[1].legs[0].action", complexOrder{Type: tastytrade.OCO, Orders: orders(a, open)}},
		{"orders[1].legs[0].quantity", complexOrder{Type: tastytrade.OCO, Orders: append(orders(a), bad)}},
		{"trigger-order.legs[0].quantity", complexOrder{Type: tastytrade.OTO, TriggerOrder: &bad, Orders: orders(a)}},
		{"ratio-price-comparator", complexOrder{Type: tastytrade.PAIRS, Orders: orders(open, a), RatioPriceThreshold: dec("1.5")}},
		{"ratio-price-threshold", complexOrder{Type: tastytrade.PAIRS, Orders: orders(open, a), RatioPriceComparator: tastytrade.AtMost}},
		{"ratio-price", complexOrder{Type: tastytrade.OCO, Orders: orders(a, b), RatioPriceThreshold: dec("1")}},
	} {
		var fields []string
		for _, p := range tastytrade.Problems(tt.order.Validate()) {
			fields = append(fields, p.Field)
		}
		if tt.field == "" {
			assert.Empty(t, fields, tt.order.Type)
			continue
		}
		assert.Contains(t, fields, tt.field, tt.order.Type)
	}
	bracket, err := tastytrade.Bracket(open, a, stop)
	require.NoError(t, err)
	text := encode(t, bracket)
	assert.Contains(t, text, `"trigger-order":{`)
	assert.Equal(t, 3, strings.Count(text, `"order-type"`))
	_, err = tastytrade.Bracket(open, a, nil)
	require.ErrorContains(t, err, "orders[1]")
	_, err = tastytrade.Pair(open, a, "", d("0"), true)
	require.Error(t, err)
	_, err = tastytrade.OneTriggersOther(nil, a)
	require.Error(t, err)
}

// Tables of a share below and above a dollar, of an option at 3.00, and of one
// whose ticks do not meet at the threshold.
func TestPricesAreRoundedToTheTicksOfTheirBand(t *testing.T) {
	option := tastytrade.TickTable{{Value: dec("0.05")}, {Value: dec("0.01"), Threshold: dec("3.0")}} // in any order
	odd := tastytrade.TickTable{{Value: dec("0.3"), Threshold: dec("1")}, {Value: dec("0.4")}}
	for _, tt := range []struct {
		table                       tastytrade.TickTable
		price                       string
		nearest, passive, agressive string
	}{
		{option, "2.994", "2.99", "3", "2.99"},
		{option, "2.996", "3", "3", "2.99"},
		{option, "3.02", "3", "3.05", "3"},
		{option, "-3.02", "-3", "-3", "-3.05"},
		{option, "-2.996", "-3", "-2.99", "-3"},
		{option, "3.025", "3.05", "3.05", "3"},
		{option, "-3.025", "-3", "-3", "-3.05"},
		{option, "0.004", "0.01", "0.01", "0.01"},
		{option, "2.99", "2.99", "2.99", "2.99"},
		{odd, "0.95", "0.9", "1.2", "0.9"},
		{odd, "1.1", "1.2", "1.2", "0.9"},
		{odd, "-1.1", "-1.2", "-0.9", "-1.2"},
		{nil, "1.23456", "1.23456", "1.23456", "1.23456"},
	} {
		for r, want := range map[tastytrade.Rounding]string{tastytrade.RoundNearest: tt.nearest, tastytrade.RoundPassive: tt.passive, tastytrade.RoundAggressive: tt.agressive} {
			got := tt.table.Round(d(tt.price), r)
			assert.Equal(t, want, got.String(), "%s %d", tt.price, r)
			assert.True(t, tt.table.Fits(got))
		}
		assert.Equal(t, tt.price, tt.table.Round(d(tt.price), tastytrade.NoRounding).String())
	}
	tick, ok := option.Tick(d("-3"))
	assert.True(t, ok)
	assert.Equal(t, "0.05", tick.String())
}

func TestTheBuilderRoundsAndRefuses(t *testing.T) {
	facts := &tastytrade.OrderFacts{Instruments: map[string]tastytrade.InstrumentRules{"AAPL": {Ticks: tastytrade.TickTable{{Value: dec("0.01")}}}}}
	o, err := tastytrade.Legs(tastytrade.BuyToOpen.Of("AAPL", 1)).StopLimit(d("150.004"), tastytrade.Pay(d("151.239"))).
		GTD(september16, &tastytrade.OrderDetails{Facts: facts, Rounding: tastytrade.RoundPassive, StrictPositionEffect: true, AutomatedSource: true, Source: "me"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"order-type":"Stop Limit","time-in-force":"GTD","gtc-date":"2026-09-16","price":"151.23","price-effect":"Debit","stop-trigger":"150","source":"me","automated-source":true,
		"advanced-instructions":{"strict-position-effect-validation":true},"legs":[{"instrument-type":"Equity","symbol":"AAPL","action":"Buy to Open","quantity":"1"}]}`, encode(t, o))
	buy := tastytrade.Legs(tastytrade.BuyToOpen.Of("AAPL", 1))
	for name, make := range map[string]func() (*tastytrade.NewOrder, error){
		"a negative amount": func() (*tastytrade.NewOrder, error) { return buy.Limit(tastytrade.Pay(d("-1"))).Day(nil) },
		"a buy for credit":  func() (*tastytrade.NewOrder, error) { return buy.Limit(tastytrade.Receive(d("1"))).Day(nil) },
		"an opening stop":   func() (*tastytrade.NewOrder, error) { return buy.Stop(d("1")).GTC(nil) },
		"no legs":           func() (*tastytrade.NewOrder, error) { return tastytrade.Legs().Market().Day(nil) },
		"a rounding": func() (*tastytrade.NewOrder, error) {
			return buy.Market().Day(&tastytrade.OrderDetails{Rounding: 9})
		},
		"between ticks": func() (*tastytrade.NewOrder, error) {
			return buy.Limit(tastytrade.Pay(d("1.001"))).Day(&tastytrade.OrderDetails{Facts: facts})
		},
	} {
		_, err := make()
		require.NotEmpty(t, tastytrade.Problems(err), name)
	}
	o, err = tastytrade.Notional("AAPL", tastytrade.Receive(d("50"))).Day(nil)
	require.NoError(t, err)
	assert.JSONEq(t, `{"order-type":"Notional Market","time-in-force":"Day","value":"50","value-effect":"Credit","legs":[{"instrument-type":"Equity","symbol":"AAPL","action":"Sell to Close"}]}`, encode(t, o))
}
