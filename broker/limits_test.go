package broker_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// roomy allows everything that has a cap, so that a test narrows one thing.
func roomy() broker.Limits {
	none := broker.NoCap()
	return broker.Limits{
		Mode: broker.ModeTrade, Accounts: []broker.AccountID{desk}, Symbols: []market.Symbol{"*"},
		Kinds:        []market.InstrumentKind{market.KindEquity, market.KindOption, market.KindFuture, market.KindCrypto},
		MaxOrderLoss: none, MaxOrderNotional: none, MaxContracts: none, MaxShares: none, MaxDailyOrders: none, MaxDailyLoss: none,
		MaxOpenNotional: none, MaxSymbolRisk: none, MaxPortfolioRisk: none, MinBuyingPower: none, PriceBand: none,
		NakedShort: true, ZeroDTE: true, FreeCancels: true,
	}
}

const (
	put490   = market.Symbol("SPY   261218P00490000")
	put500   = market.Symbol("SPY   261218P00500000")
	today500 = market.Symbol("SPY   261119C00500000")
	todayPut = market.Symbol("SPY   261119P00500000")
	past500  = market.Symbol("SPY   261118C00500000")
	later500 = market.Symbol("SPY   270115C00500000")
)

func longFor1(legs ...broker.Leg) broker.Order {
	return broker.Order{Legs: legs, Type: broker.Limit, Limit: dec("-1")}
}

func single(o broker.Order) broker.Ticket { return broker.NewTicket(o) }

func marketOrder(l broker.Leg) broker.Ticket {
	return single(broker.Order{Legs: []broker.Leg{l}, Type: broker.Market})
}

func credit(limit string, legs ...broker.Leg) broker.Ticket {
	return single(broker.Order{Legs: legs, Type: broker.Limit, Limit: dec(limit)})
}

// A limitCase has an order that is just within a limit and one just beyond it.
type limitCase struct {
	name    string
	limit   string
	set     func(l *broker.Limits)
	office  func(o *office)
	within  broker.Ticket
	beyond  broker.Ticket
	nothing bool // nothing is within
}

func limitCases() []limitCase {
	spread := func(quantity string) broker.Ticket {
		return credit("4", leg(call500, broker.SellToOpen, quantity), leg(call510, broker.BuyToOpen, quantity))
	}
	closing := leg("SPY", broker.SellToClose, "100")
	owns := func(o *office) { o.broker.positions[desk] = []broker.Position{holds("SPY", "100", "500")} }
	return []limitCase{
		{
			name: "an account that is not on the list", limit: "accounts", nothing: true,
			set:    func(l *broker.Limits) { l.Accounts = []broker.AccountID{"5WX00002"} },
			beyond: buy("SPY", "1", "-500"),
		},
		{
			name: "another underlying", limit: "symbols", set: func(l *broker.Limits) { l.Symbols = []market.Symbol{"SPY"} },
			within: single(longFor1(leg(call500, broker.BuyToOpen, "1"))), beyond: buy("QQQ", "1", "-400"),
		},
		{
			name: "another kind of instrument", limit: "kinds", set: func(l *broker.Limits) { l.Kinds = nil },
			within: buy("SPY", "1", "-500"), beyond: buy("BTC/USD", "1", "-500"),
		},
		{
			name: "loss of shares", limit: "max_order_loss", set: func(l *broker.Limits) { l.MaxOrderLoss = broker.CapInt(5000) },
			within: buy("SPY", "10", "-500"), beyond: buy("SPY", "10", "-500.01"),
		},
		{
			name: "loss of a spread: width less credit", limit: "max_order_loss", set: func(l *broker.Limits) { l.MaxOrderLoss = broker.CapInt(1200) },
			within: spread("2"), beyond: spread("3"),
		},
		{
			name: "unbounded loss of a naked call", limit: "max_order_loss", set: func(l *broker.Limits) { l.MaxOrderLoss = broker.CapInt(1_000_000_000) },
			within: spread("1"), beyond: credit("10", leg(call500, broker.SellToOpen, "1")),
		},
		{
			name: "loss of a market order by the far side", limit: "max_order_loss", set: func(l *broker.Limits) { l.MaxOrderLoss = broker.CapOf(*dec("500.1")) },
			within: marketOrder(leg("SPY", broker.BuyToOpen, "1")), beyond: buy("SPY", "1", "-500.2"),
		},
		{
			name: "unknown loss of a market order without a quote", limit: "max_order_loss", set: func(l *broker.Limits) { l.MaxOrderLoss = broker.CapInt(1_000_000_000) },
			within: buy("IWM", "1", "-200"), beyond: marketOrder(leg("IWM", broker.BuyToOpen, "1")),
		},
		{
			name: "notional of shares", limit: "max_order_notional", set: func(l *broker.Limits) { l.MaxOrderNotional = broker.CapInt(5000) },
			within: buy("SPY", "10", "-500"), beyond: buy("SPY", "10", "-500.01"),
		},
		{
			name: "notional of options: strikes, bought and sold once", limit: "max_order_notional", set: func(l *broker.Limits) { l.MaxOrderNotional = broker.CapInt(51_000) },
			within: spread("1"), beyond: credit("-3", leg(call520, broker.BuyToOpen, "1")),
		},
		{
			name: "contracts of one leg", limit: "max_contracts", set: func(l *broker.Limits) { l.MaxContracts = broker.CapInt(2) },
			within: spread("2"), beyond: spread("3"),
		},
		{
			name: "shares of one leg", limit: "max_shares", set: func(l *broker.Limits) { l.MaxShares = broker.CapInt(10) },
			within: buy("SPY", "10", "-1"), beyond: buy("SPY", "10.5", "-1"),
		},
		{
			name: "shares for an amount of money", limit: "max_shares", set: func(l *broker.Limits) { l.MaxShares = broker.CapInt(2) },
			within: single(broker.Order{Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen}}, Type: broker.Market, Notional: dec("1000.2")}),
			beyond: single(broker.Order{Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen}}, Type: broker.Market, Notional: dec("1000.3")}),
		},
		{
			name: "open orders' notional", limit: "max_open_notional", set: func(l *broker.Limits) { l.MaxOpenNotional = broker.CapInt(1000) },
			office: func(o *office) { o.broker.add(desk, buy("SPY", "1", "-500").Orders[0], "") },
			within: buy("SPY", "1", "-500"), beyond: buy("SPY", "1", "-500.01"),
		},
		{
			name: "what was lost today by the positions", limit: "max_daily_loss", set: func(l *broker.Limits) { l.MaxDailyLoss = broker.CapInt(1500) },
			office: func(o *office) {
				p := holds("QQQ", "100", "390")
				p.PrevClose = dec("400")
				o.broker.positions[desk] = []broker.Position{p}
			},
			within: buy("SPY", "1", "-500"), beyond: buy("SPY", "1", "-500.01"),
		},
		{
			name: "what was realised today", limit: "max_daily_loss", set: func(l *broker.Limits) { l.MaxDailyLoss = broker.CapInt(1500) },
			office: func(o *office) {
				p := holds("QQQ", "0", "390")
				p.RealizedDay = dec("-1000")
				o.broker.positions[desk] = []broker.Position{p}
			},
			within: buy("SPY", "1", "-500"), beyond: buy("SPY", "1", "-500.01"),
		},
		{
			name: "what a position opened today lost since", limit: "max_daily_loss", set: func(l *broker.Limits) { l.MaxDailyLoss = broker.CapInt(1500) },
			office: func(o *office) {
				p := holds("QQQ", "100", "390")
				p.AverageOpenPrice, p.PrevClose, p.OpenedAt = dec("400"), dec("380"), deskTime.Add(-30*time.Minute)
				o.broker.positions[desk] = []broker.Position{p}
			},
			within: buy("SPY", "1", "-500"), beyond: buy("SPY", "1", "-500.01"),
		},
		{
			name: "the worst case of other orders today", limit: "max_daily_loss", set: func(l *broker.Limits) { l.MaxDailyLoss = broker.CapInt(1000) },
			office: func(o *office) { o.broker.add(desk, buy("QQQ", "1", "-400").Orders[0], "") },
			within: buy("SPY", "1", "-600"), beyond: buy("SPY", "1", "-600.01"),
		},
		{
			name: "a day's loss that is not known", limit: "max_daily_loss", nothing: true, set: func(l *broker.Limits) { l.MaxDailyLoss = broker.CapInt(1_000_000) },
			office: func(o *office) {
				p := holds("QQQ", "100", "390")
				p.Mark = nil
				o.broker.positions[desk] = []broker.Position{p}
				o.broker.balances[desk].NetLiquidatingValue = nil
			},
			beyond: buy("SPY", "1", "-500"),
		},
		{
			name: "one underlying's share of the account", limit: "max_symbol_risk", set: func(l *broker.Limits) { l.MaxSymbolRisk = broker.CapOf(*dec("0.51")) },
			office: owns, within: buy("SPY", "1", "-1000"), beyond: buy("SPY", "1", "-1000.01"),
		},
		{
			name: "one underlying's share with its options and orders", limit: "max_symbol_risk", set: func(l *broker.Limits) { l.MaxSymbolRisk = broker.CapOf(*dec("0.52")) },
			office: func(o *office) {
				owns(o)
				o.broker.add(desk, single(longFor1(leg(call500, broker.BuyToOpen, "10"))).Orders[0], "") // 1000
			},
			within: single(longFor1(leg(call510, broker.BuyToOpen, "10"))), beyond: single(longFor1(leg(call510, broker.BuyToOpen, "11"))),
		},
		{
			name: "all underlyings' share of the account", limit: "max_portfolio_risk", set: func(l *broker.Limits) { l.MaxPortfolioRisk = broker.CapOf(*dec("0.51")) },
			office: owns, within: buy("QQQ", "2", "-500"), beyond: buy("QQQ", "2", "-500.01"),
		},
		{
			name: "an account of unknown value", limit: "max_symbol_risk", nothing: true, set: func(l *broker.Limits) { l.MaxSymbolRisk = broker.CapInt(1) },
			office: func(o *office) { o.broker.balances[desk].NetLiquidatingValue = nil }, beyond: buy("SPY", "1", "-1"),
		},
		{
			name: "an account that is worth nothing", limit: "max_symbol_risk", nothing: true, set: func(l *broker.Limits) { l.MaxPortfolioRisk = broker.CapInt(1) },
			office: func(o *office) { o.broker.balances[desk].NetLiquidatingValue = dec("0") }, beyond: buy("SPY", "1", "-1"),
		},
		{
			name: "a short position without an end beside it", limit: "max_portfolio_risk", nothing: true, set: func(l *broker.Limits) { l.MaxPortfolioRisk = broker.CapInt(100) },
			office: func(o *office) { o.broker.positions[desk] = []broker.Position{holds(call500, "-1", "10")} }, beyond: buy("QQQ", "1", "-1"),
		},
		{
			name: "buying power that is left", limit: "min_buying_power", nothing: true, set: func(l *broker.Limits) { l.MinBuyingPower = broker.CapInt(40_001) },
			beyond: buy("SPY", "1", "-1"),
		},
		{
			name: "buying power by the change and the balance", limit: "min_buying_power", nothing: true, set: func(l *broker.Limits) { l.MinBuyingPower = broker.CapInt(49_900) },
			office: func(o *office) {
				o.broker.preview = func(t broker.Ticket) *broker.Preview { return &broker.Preview{Ticket: t, BuyingPower: dec("-100.01")} }
			},
			beyond: buy("SPY", "1", "-1"),
		},
		{
			name: "buying power that nobody knows", limit: "min_buying_power", nothing: true, set: func(l *broker.Limits) { l.MinBuyingPower = broker.CapInt(0) },
			office: func(o *office) {
				o.broker.preview = func(t broker.Ticket) *broker.Preview { return &broker.Preview{Ticket: t} }
			},
			beyond: buy("SPY", "1", "-1"),
		},
		{
			name: "a naked call", limit: "naked_short", set: func(l *broker.Limits) { l.NakedShort = false },
			office: owns, within: credit("10", leg(call500, broker.SellToOpen, "1")), beyond: credit("10", leg(call500, broker.SellToOpen, "2")),
		},
		{
			name: "a call whose cover is sold already", limit: "naked_short", nothing: true, set: func(l *broker.Limits) { l.NakedShort = false },
			office: func(o *office) {
				owns(o)
				o.broker.add(desk, credit("10", leg(call510, broker.SellToOpen, "1")).Orders[0], "")
			},
			beyond: credit("10", leg(call500, broker.SellToOpen, "1")),
		},
		{
			name: "a naked put", limit: "naked_short", set: func(l *broker.Limits) { l.NakedShort = false },
			within: credit("2", leg(put500, broker.SellToOpen, "1"), leg(put490, broker.BuyToOpen, "1")),
			beyond: credit("2", leg(put500, broker.SellToOpen, "2"), leg(put490, broker.BuyToOpen, "1")),
		},
		{
			name: "shares that are not held", limit: "naked_short", set: func(l *broker.Limits) { l.NakedShort = false },
			office: owns, within: credit("500", leg("SPY", broker.SellToOpen, "100")), beyond: credit("500", leg("SPY", broker.SellToOpen, "101")),
		},
		{
			name: "closing more than is held", limit: "naked_short", set: func(l *broker.Limits) { l.NakedShort = false },
			office: owns, within: credit("500", closing), beyond: credit("500", leg("SPY", broker.SellToClose, "100.5")),
		},
		{
			name: "closing what covers", limit: "naked_short", set: func(l *broker.Limits) { l.NakedShort = false },
			office: func(o *office) {
				o.broker.positions[desk] = []broker.Position{holds(call500, "-1", "10"), holds(call510, "2", "6")}
			},
			within: credit("6", leg(call510, broker.SellToClose, "1")), beyond: credit("6", leg(call510, broker.SellToClose, "2")),
		},
		{
			name: "a call covered by one that expires before it", limit: "naked_short", set: func(l *broker.Limits) { l.NakedShort = false },
			within: credit("-1", leg(call500, broker.SellToOpen, "1"), leg(later500, broker.BuyToOpen, "1")),
			beyond: credit("1", leg(later500, broker.SellToOpen, "1"), leg(call500, broker.BuyToOpen, "1")),
		},
		{
			name: "an option on its last day", limit: "zero_dte", set: func(l *broker.Limits) { l.ZeroDTE = false },
			within: single(longFor1(leg(call500, broker.BuyToOpen, "1"))), beyond: single(longFor1(leg(today500, broker.BuyToOpen, "1"))),
		},
		{
			name: "an option after its last day", limit: "zero_dte", nothing: true, set: func(l *broker.Limits) { l.ZeroDTE = false },
			beyond: single(longFor1(leg(past500, broker.BuyToOpen, "1"))),
		},
		{
			name: "before the session", limit: "hours", nothing: true, office: func(o *office) { o.clock.Set(deskTime.Add(-time.Hour - time.Nanosecond)) },
			beyond: buy("SPY", "1", "-500"),
		},
		{
			name: "extended hours are shares' only", limit: "hours", set: func(l *broker.Limits) { l.Hours = broker.HoursExtended },
			office: func(o *office) { o.clock.Set(deskTime.Add(-2 * time.Hour)) },
			within: buy("SPY", "1", "-500"), beyond: single(longFor1(leg(call500, broker.BuyToOpen, "1"))),
		},
		{
			name: "after hours", limit: "hours", nothing: true, set: func(l *broker.Limits) { l.Hours = broker.HoursExtended },
			office: func(o *office) { o.clock.Set(deskTime.Add(10 * time.Hour)) }, beyond: buy("SPY", "1", "-500"),
		},
		{
			name: "a price worse than the band", limit: "price_band", set: func(l *broker.Limits) { l.PriceBand = broker.CapOf(*dec("0.01")) },
			within: buy("SPY", "1", "-505"), beyond: buy("SPY", "1", "-505.01"),
		},
		{
			name: "a sale worse than the band", limit: "price_band", set: func(l *broker.Limits) { l.PriceBand = broker.CapOf(*dec("0.01")) },
			office: owns, within: credit("495", closing), beyond: credit("494.99", closing),
		},
		{
			name: "a spread by an amount", limit: "price_band", set: func(l *broker.Limits) { l.PriceBand, l.PriceBandAmount = broker.CapInt(0), *dec("0.1") },
			within: credit("3.9", leg(call500, broker.SellToOpen, "2"), leg(call510, broker.BuyToOpen, "2")), // middle: 10.1 - 6.1
			beyond: credit("3.89", leg(call500, broker.SellToOpen, "2"), leg(call510, broker.BuyToOpen, "2")),
		},
		{
			name: "a ratio by the unit", limit: "price_band", set: func(l *broker.Limits) { l.PriceBand, l.PriceBandAmount = broker.CapInt(0), *dec("0.1") },
			within: credit("-2.2", leg(call500, broker.SellToOpen, "2"), leg(call510, broker.BuyToOpen, "4")), // middle: 10.1 - 2 × 6.1
			beyond: credit("-2.21", leg(call500, broker.SellToOpen, "2"), leg(call510, broker.BuyToOpen, "4")),
		},
		{
			name: "a market order across a wide quote", limit: "price_band", set: func(l *broker.Limits) { l.PriceBand = broker.CapOf(*dec("0.01")) },
			office: func(o *office) { o.quotes.set("QQQ", 390, 410) },
			within: marketOrder(leg("SPY", broker.BuyToOpen, "1")), beyond: marketOrder(leg("QQQ", broker.BuyToOpen, "1")),
		},
		{
			name: "a limit order without a quote", limit: "price_band", nothing: true, set: func(l *broker.Limits) { l.PriceBand = broker.CapInt(1) },
			beyond: buy("IWM", "1", "-1"),
		},
		{
			name: "a market order without a quote", limit: "price_band", nothing: true, set: func(l *broker.Limits) { l.PriceBand = broker.CapInt(1) },
			beyond: marketOrder(leg("IWM", broker.BuyToOpen, "1")),
		},
		{
			name: "a stop's limit by its stop", limit: "price_band", set: func(l *broker.Limits) { l.PriceBand = broker.CapOf(*dec("0.01")) },
			within: single(broker.Order{Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "1")}, Type: broker.StopLimit, Stop: dec("600"), Limit: dec("-606")}),
			beyond: single(broker.Order{Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "1")}, Type: broker.StopLimit, Stop: dec("600"), Limit: dec("-606.01")}),
		},
		{
			name: "a stop that is a market order at once", limit: "price_band", set: func(l *broker.Limits) { l.PriceBand = broker.CapOf(*dec("0.001")) },
			office: func(o *office) { o.quotes.set("QQQ", 390, 410) },
			within: single(broker.Order{Legs: []broker.Leg{leg("QQQ", broker.BuyToOpen, "1")}, Type: broker.Stop, Stop: dec("410.01")}),
			beyond: single(broker.Order{Legs: []broker.Leg{leg("QQQ", broker.BuyToOpen, "1")}, Type: broker.Stop, Stop: dec("410")}),
		},
		{
			name: "a selling stop that is a market order at once", limit: "price_band", set: func(l *broker.Limits) { l.PriceBand = broker.CapOf(*dec("0.001")) },
			office: func(o *office) { o.quotes.set("QQQ", 390, 410) },
			within: single(broker.Order{Legs: []broker.Leg{leg("QQQ", broker.SellToOpen, "1")}, Type: broker.Stop, Stop: dec("389.99")}),
			beyond: single(broker.Order{Legs: []broker.Leg{leg("QQQ", broker.SellToOpen, "1")}, Type: broker.Stop, Stop: dec("390")}),
		},
	}
}

func TestEachLimitAllowsWhatIsWithinAndRefusesWhatIsBeyond(t *testing.T) {
	for _, c := range limitCases() {
		t.Run(c.name, func(t *testing.T) {
			check := func(ticket broker.Ticket) (*office, error) {
				o := newOffice(t)
				o.limits = roomy()
				if c.set != nil {
					c.set(&o.limits)
				}
				if c.office != nil {
					c.office(o)
				}
				_, err := o.guard(t).Place(t.Context(), desk, ticket)
				return o, err
			}
			o, err := check(c.beyond)
			violated(t, err, c.limit)
			assert.Empty(t, o.broker.writes())
			assert.Contains(t, o.entries(t), broker.EntryRefused)
			if !c.nothing {
				o, err = check(c.within)
				require.NoError(t, err)
				assert.Len(t, o.broker.writes(), 1)
			}
		})
	}
}

func TestOneCanAlwaysGetOutOfWhatIsHeld(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	nothing := broker.CapInt(0)
	l := &o.limits
	l.Symbols, l.Kinds = []market.Symbol{"IWM"}, []market.InstrumentKind{market.KindCrypto}
	l.MaxOrderLoss, l.MaxOrderNotional, l.MaxDailyLoss, l.MaxOpenNotional = nothing, nothing, nothing, nothing
	l.MaxSymbolRisk, l.MaxPortfolioRisk, l.MinBuyingPower = nothing, nothing, broker.CapInt(1_000_000_000)
	l.NakedShort, l.ZeroDTE = false, false
	o.broker.positions[desk] = []broker.Position{holds("SPY", "100", "500"), holds(todayPut, "-2", "3")}
	o.broker.balances[desk].NetLiquidatingValue = dec("-1")
	g := o.guard(t)
	for _, symbol := range []market.Symbol{"SPY", todayPut} {
		p, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentClose, Close: broker.ClosePositions{Symbols: []string{string(symbol)}, Limit: closePrice(symbol)}})
		require.NoError(t, err)
		assert.False(t, p.RiskIncreasing)
		_, err = g.Submit(t.Context(), p.ID)
		require.NoError(t, err)
	}
	assert.Len(t, o.broker.writes(), 2)
	assert.Equal(t, broker.SellToClose, o.broker.orders[0].Order.Legs[0].Action)
	assert.Equal(t, broker.BuyToClose, o.broker.orders[1].Order.Legs[0].Action)
	assert.Equal(t, "2", o.broker.orders[1].Order.Legs[0].Quantity.String())
}

func closePrice(s market.Symbol) *decimal.Decimal {
	if s == "SPY" {
		return dec("500")
	}
	return dec("-3")
}

func TestClosingWhatIsNotHeldNamesIt(t *testing.T) {
	g := newOffice(t).guard(t)
	for _, symbols := range [][]string{nil, {"SPY"}, {"1", "2", "3", "4", "5"}} {
		_, err := g.Prepare(t.Context(), desk, broker.Intent{Kind: broker.IntentClose, Close: broker.ClosePositions{Symbols: symbols}})
		_, ok := errors.AsType[*broker.FieldError](err)
		assert.True(t, ok, "%v", err)
	}
}

func TestTheDaysOrdersAreCountedAndTheNextDayBeginsAnew(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxDailyOrders = broker.CapInt(3)
	g := o.guard(t)
	two := broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{buy("SPY", "1", "-500").Orders[0], buy("SPY", "1", "-490").Orders[0]}}
	_, err := g.Place(t.Context(), desk, two)
	require.NoError(t, err)
	_, err = g.Place(t.Context(), desk, two)
	violated(t, err, "max_daily_orders")
	o.broker.fault = func(string) fault { return unavailable }
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.ErrorIs(t, err, broker.ErrUnavailable)
	o.broker.fault = func(string) fault { return rejects }
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.ErrorIs(t, err, broker.ErrRejected, "the one that was not sent does not count")
	o.broker.fault = nil
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	violated(t, err, "max_daily_orders")
	o.clock.Set(deskTime.Add(24 * time.Hour))
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err, "the rejected one was of yesterday")
}

func TestTheDayIsNewYorks(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxDailyOrders, o.limits.Hours = broker.CapInt(1), broker.HoursAny
	g := o.guard(t)
	_, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	o.clock.Set(time.Date(2026, 11, 20, 4, 59, 59, 0, time.UTC)) // 23:59:59 of the 19th in New York
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	violated(t, err, "max_daily_orders")
	o.clock.Advance(time.Second)
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
}

func TestTheSameLegsTwiceAreADuplicateForAWhile(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.DuplicateWindow = broker.Window(5 * time.Minute)
	g := o.guard(t)
	_, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-499"))
	violated(t, err, "duplicate_window")
	_, err = g.Place(t.Context(), desk, buy("SPY", "2", "-500"))
	require.NoError(t, err, "another quantity")
	o.clock.Advance(5 * time.Minute)
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	violated(t, err, "duplicate_window")
	o.clock.Advance(time.Nanosecond)
	_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
	require.NoError(t, err)
	_, err = g.Replace(t.Context(), desk, o.broker.orders[0].ID, buy("SPY", "1", "-498").Orders[0])
	require.NoError(t, err, "a replacement is no duplicate")
}

func TestAnOrderThatTheBrokerRefusedIsNoDuplicate(t *testing.T) {
	for _, how := range []fault{rejects, unavailable} {
		o := newOffice(t)
		o.limits.DuplicateWindow = broker.Window(time.Hour)
		g := o.guard(t)
		o.broker.fault = func(string) fault { return how }
		_, err := g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		require.Error(t, err)
		o.broker.fault = nil
		_, err = g.Place(t.Context(), desk, buy("SPY", "1", "-500"))
		require.NoError(t, err)
	}
}

func TestStaleAndHaltedQuotesAreNotKnown(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.PriceBand, o.limits.MaxQuoteAge = broker.CapInt(1), broker.Window(time.Minute)
	g := o.guard(t)
	quote := o.quotes.quotes["SPY"]
	quote.Time = deskTime.Add(-time.Minute)
	o.quotes.quotes["SPY"] = quote
	_, err := g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	quote.Time = quote.Time.Add(-time.Nanosecond)
	o.quotes.quotes["SPY"] = quote
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	violated(t, err, "price_band")
	quote.Time, quote.Halted = deskTime, true
	o.quotes.quotes["SPY"] = quote
	_, err = g.Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	violated(t, err, "price_band")
}

func TestTheDaysLossCountsFromTheFirstLookOfTheDay(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.MaxDailyLoss = broker.CapInt(1500)
	_, err := o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err)
	o.broker.balances[desk].NetLiquidatingValue = dec("99000")
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500")))
	require.NoError(t, err, "1000 lost and 500 at risk")
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "1", "-500.01")))
	violated(t, err, "max_daily_loss")
	o.broker.balances[desk].NetLiquidatingValue = dec("200000")
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "3", "-500.01")))
	violated(t, err, "max_daily_loss") // a gain widens nothing
	o.broker.balances[desk].NetLiquidatingValue = dec("99000")
	o.clock.Set(deskTime.Add(24 * time.Hour))
	_, err = o.guard(t).Prepare(t.Context(), desk, place(buy("SPY", "3", "-500")))
	require.NoError(t, err, "a new day")
}

func TestABracketsChildrenCloseWhatItsParentOpens(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	o.limits.NakedShort, o.limits.MaxOrderLoss = false, broker.CapInt(5000)
	o.limits.PriceBand = broker.CapOf(*dec("0.01"))
	exit := leg("SPY", broker.SellToClose, "10")
	bracket := broker.Ticket{Kind: broker.Bracket, Orders: []broker.Order{
		buy("SPY", "10", "-500").Orders[0],
		{Legs: []broker.Leg{exit}, Type: broker.Limit, Limit: dec("550"), TimeInForce: broker.GTC},
		{Legs: []broker.Leg{exit}, Type: broker.Stop, Stop: dec("450"), TimeInForce: broker.GTC},
	}}
	g := o.guard(t)
	p, err := g.Prepare(t.Context(), desk, place(bracket))
	require.NoError(t, err)
	assert.Equal(t, "5000", p.MaxLoss.Amount.String())
	_, err = g.Submit(t.Context(), p.ID)
	require.NoError(t, err)
	assert.Len(t, o.broker.orders, 3)

	bracket.Orders[2].Legs = []broker.Leg{leg("SPY", broker.SellToClose, "11")}
	_, err = g.Prepare(t.Context(), desk, place(bracket))
	violated(t, err, "naked_short")
	oto := broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{bracket.Orders[0], bracket.Orders[1], bracket.Orders[1]}}
	_, err = g.Prepare(t.Context(), desk, place(oto))
	violated(t, err, "naked_short") // both may fill, and together they sell 20 of 10
}

func TestOfOrdersOfWhichOneFillsTheWorstCounts(t *testing.T) {
	o := newOffice(t)
	o.limits = roomy()
	g := o.guard(t)
	oco := broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{buy("SPY", "1", "-500").Orders[0], buy("QQQ", "2", "-400").Orders[0]}}
	p, err := g.Prepare(t.Context(), desk, place(oco))
	require.NoError(t, err)
	assert.Equal(t, "800", p.MaxLoss.Amount.String())
	oco.Kind = broker.OTO
	p, err = g.Prepare(t.Context(), desk, place(oco))
	require.NoError(t, err)
	assert.Equal(t, "1300", p.MaxLoss.Amount.String())
}

func TestLimitsAreReadStrictly(t *testing.T) {
	good := `{"mode":"trade","accounts":["5WX00001"],"symbols":["SPY"],"max_order_loss":"500","max_order_notional":25000,
		"max_contracts":5,"max_shares":100,"max_daily_orders":10,"max_daily_loss":1000,"max_open_notional":"none","max_symbol_risk":0.2,
		"max_portfolio_risk":"1","min_buying_power":"none","naked_short":false,"zero_dte":false,"price_band":0.1,"price_band_amount":"0.05",
		"duplicate_window":"90s","free_cancels":true,"approval":{"above":[{"amount":"1000","grade":"passkey"}],"valid":"1m"}}`
	l, err := broker.ParseLimits([]byte(good))
	require.NoError(t, err)
	assert.Equal(t, "500", l.MaxOrderLoss.String())
	assert.Equal(t, "none", l.MaxOpenNotional.String())
	assert.Equal(t, broker.Window(90*time.Second), l.DuplicateWindow)
	assert.Equal(t, broker.GradePasskey, l.Approval.Above[0].Grade)
	data, err := json.Marshal(l)
	require.NoError(t, err)
	again, err := broker.ParseLimits(data)
	require.NoError(t, err)
	assert.Equal(t, l, again)

	for name, bad := range map[string]string{
		"nothing":           ``,
		"not JSON":          `mode: trade`,
		"unknown field":     `{"mode":"trade","max_order_los":1}`,
		"two objects":       `{} {}`,
		"a name twice":      `{"mode":"trade","mode":""}`,
		"in another case":   `{"mode":"","MODE":"trade"}`,
		"deeper twice":      `{"approval":{"valid":"1m","valid":"2m"}}`,
		"twice in an array": `{"approval":{"above":[{"amount":1,"grade":"chat","amount":2}]}}`,
		"a negative cap":    `{"max_order_loss":-1}`,
		"a cap of words":    `{"max_order_loss":"a lot"}`,
		"a huge cap":        `{"max_order_loss":1e99}`,
		"a null cap":        `{"max_order_loss":null}`,
		"unknown mode":      `{"mode":"on"}`,
		"caps left out":     `{"mode":"trade","accounts":["*"],"symbols":["*"]}`,
		"unknown grade":     `{"approval":{"grade":"friend"}}`,
		"negative window":   `{"duplicate_window":"-1s"}`,
	} {
		l, err := broker.ParseLimits([]byte(bad))
		require.Error(t, err, name)
		assert.Equal(t, broker.Limits{}, l, name)
	}
}

func TestEveryCapMustBeWritten(t *testing.T) {
	err := (&broker.Limits{Mode: broker.ModeTrade}).Validate()
	var fields []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		field, ok := errors.AsType[*broker.FieldError](e)
		require.True(t, ok)
		fields = append(fields, field.Field)
	}
	assert.Equal(t, []string{
		"accounts", "symbols", "max_order_loss", "max_order_notional", "max_contracts", "max_shares", "max_daily_orders", "max_daily_loss",
		"max_open_notional", "max_symbol_risk", "max_portfolio_risk", "min_buying_power", "price_band",
	}, fields)
}

func TestWrongLimitsAreNamed(t *testing.T) {
	for field, change := range map[string]func(l *broker.Limits){
		"mode":                     func(l *broker.Limits) { l.Mode = "on" },
		"symbols[0]":               func(l *broker.Limits) { l.Symbols = []market.Symbol{"spy"} },
		"symbols[1]":               func(l *broker.Limits) { l.Symbols = []market.Symbol{"SPY", call500} },
		"kinds[0]":                 func(l *broker.Limits) { l.Kinds = []market.InstrumentKind{"bond"} },
		"max_shares":               func(l *broker.Limits) { l.MaxShares = broker.CapInt(-1) },
		"hours":                    func(l *broker.Limits) { l.Hours = "night" },
		"price_band_amount":        func(l *broker.Limits) { l.PriceBandAmount = *dec("-0.01") },
		"max_quote_age":            func(l *broker.Limits) { l.MaxQuoteAge = -1 },
		"duplicate_window":         func(l *broker.Limits) { l.DuplicateWindow = broker.Window(24*time.Hour + 1) },
		"approval.grade":           func(l *broker.Limits) { l.Approval.Grade = 7 },
		"approval.lowered":         func(l *broker.Limits) { l.Approval.Lowered = "yes" },
		"approval.above[0].amount": func(l *broker.Limits) { l.Approval.Above = []broker.Tier{{*dec("-1"), broker.GradeChat}} },
		"approval.above[0].grade":  func(l *broker.Limits) { l.Approval.Above = []broker.Tier{{*dec("1"), broker.GradeNone}} },
		"approval.valid":           func(l *broker.Limits) { l.Approval.Valid = broker.Window(time.Hour + 1) },
	} {
		l := roomy()
		require.NoError(t, l.Validate())
		change(&l)
		field0, ok := errors.AsType[*broker.FieldError](l.Validate())
		require.True(t, ok, field)
		assert.Equal(t, field, field0.Field)
		_, err := broker.NewGuard(newDeskBroker(broker.Sandbox), broker.GuardOptions{Limits: l})
		require.Error(t, err, field)
	}
	l := roomy()
	l.DuplicateWindow, l.Approval.Valid = broker.Window(24*time.Hour), broker.Window(time.Hour)
	l.Approval.Above = []broker.Tier{{*dec("0"), broker.GradeAnotherAccount}}
	require.NoError(t, l.Validate(), "the bounds themselves are allowed")
}
