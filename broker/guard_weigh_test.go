package broker

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

func pdec(s string) *decimal.Decimal {
	d := decimal.RequireFromString(s)
	return &d
}

const (
	xyzCall = market.Symbol("XYZ   261218C00100000")
	xyzPut  = market.Symbol("XYZ   261218P00090000")
	adapted = market.Symbol("XYZ1  261218C00100000")
)

func quoted(s market.Symbol, bid, ask float64) market.Quote {
	q := market.NewQuote(s)
	q.Bid, q.Ask = bid, ask
	return q
}

func viewOf(quotes ...market.Quote) *view {
	v := &view{quotes: map[market.Symbol]market.Quote{}, multiples: map[market.Symbol]decimal.Decimal{}, balances: &Balances{}}
	for _, q := range quotes {
		v.quotes[q.Symbol] = q
	}
	return v
}

func legOf(s market.Symbol, a Action, quantity string) Leg { return Leg{s, a, *pdec(quantity)} }

func text(d decimal.Decimal, ok bool) string {
	if !ok {
		return "unknown"
	}
	return d.String()
}

func TestASideOfAQuoteIsKnownOnlyIfSomebodyStandsThere(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		bid, ask            float64
		buys, sells, middle string
	}{
		{1, 2, "2", "1", "1.5"},
		{0, 2, "2", "0", "1"},
		{0, 0, "unknown", "0", "unknown"},
		{nan, 2, "2", "unknown", "unknown"},
		{1, nan, "unknown", "1", "unknown"},
		{-1, 2, "2", "unknown", "unknown"},
		{1, inf, "unknown", "1", "unknown"},
		{inf, 1, "1", "unknown", "unknown"},
		{2, 2, "2", "2", "2"},
		{3, 2, "2", "3", "unknown"},
	} {
		v := viewOf(quoted("XYZ", c.bid, c.ask))
		assert.Equal(t, c.buys, text(v.side("XYZ", 1)), "buying at %v %v", c.bid, c.ask)
		assert.Equal(t, c.sells, text(v.side("XYZ", -1)), "selling at %v %v", c.bid, c.ask)
		assert.Equal(t, c.middle, text(v.middle("XYZ")), "middle of %v %v", c.bid, c.ask)
	}
	assert.Equal(t, "unknown", text(viewOf().side("XYZ", 1)))
	assert.Equal(t, "unknown", text(viewOf().middle("XYZ")))
}

func TestMultipliersOfUnusualContractsAreNotGuessed(t *testing.T) {
	v := viewOf()
	for symbol, want := range map[market.Symbol]string{"XYZ": "1", "BTC/USD": "1", xyzCall: "100", adapted: "unknown", "/ESZ6": "unknown"} {
		assert.Equal(t, want, text(v.multiple(symbol)), symbol)
	}
	v.multiples[adapted] = *pdec("150")
	assert.Equal(t, "150", text(v.multiple(adapted)))
}

func TestCashIsThatOfTheLimitTheStopOrTheFarSide(t *testing.T) {
	v := viewOf(quoted("XYZ", 99, 101), quoted(xyzCall, 4, 5), quoted(xyzPut, 2, 3))
	for name, c := range map[string]struct {
		order Order
		want  string
	}{
		"a limit on shares":     {Order{Type: Limit, Limit: pdec("-100"), Legs: []Leg{legOf("XYZ", BuyToOpen, "10")}}, "-1000"},
		"a limit on a spread":   {Order{Type: Limit, Limit: pdec("1.5"), Legs: []Leg{legOf(xyzCall, SellToOpen, "4"), legOf(xyzPut, BuyToOpen, "2")}}, "300"},
		"buying at the market":  {Order{Type: Market, Legs: []Leg{legOf("XYZ", BuyToOpen, "10")}}, "-1010"},
		"selling at the market": {Order{Type: Market, Legs: []Leg{legOf("XYZ", SellToClose, "10")}}, "990"},
		"two legs":              {Order{Type: Market, Legs: []Leg{legOf(xyzCall, SellToOpen, "1"), legOf(xyzPut, BuyToOpen, "1")}}, "100"},
		"a buying stop above":   {Order{Type: Stop, Stop: pdec("110"), Legs: []Leg{legOf("XYZ", BuyToOpen, "1")}}, "-110"},
		"a buying stop below":   {Order{Type: Stop, Stop: pdec("90"), Legs: []Leg{legOf("XYZ", BuyToOpen, "1")}}, "-101"},
		"a selling stop below":  {Order{Type: Stop, Stop: pdec("90"), Legs: []Leg{legOf("XYZ", SellToClose, "1")}}, "90"},
		"a selling stop above":  {Order{Type: Stop, Stop: pdec("110"), Legs: []Leg{legOf("XYZ", SellToClose, "1")}}, "99"},
		"a stop without quote":  {Order{Type: Stop, Stop: pdec("10"), Legs: []Leg{legOf("ABC", BuyToOpen, "1")}}, "-10"},
		"money to buy":          {Order{Type: Market, Notional: pdec("50"), Legs: []Leg{legOf("XYZ", BuyToOpen, "0")}}, "-50"},
		"money to sell":         {Order{Type: Market, Notional: pdec("50"), Legs: []Leg{legOf("XYZ", SellToClose, "0")}}, "50"},
		"without a quote":       {Order{Type: Market, Legs: []Leg{legOf("ABC", BuyToOpen, "1")}}, "unknown"},
		"unknown multiplier":    {Order{Type: Limit, Limit: pdec("-1"), Legs: []Leg{legOf(adapted, BuyToOpen, "1")}}, "unknown"},
		"unknown at the market": {Order{Type: Stop, Stop: pdec("1"), Legs: []Leg{legOf(adapted, BuyToOpen, "1")}}, "unknown"},
	} {
		assert.Equal(t, c.want, text(v.cash(c.order)), name)
	}
}

func TestNotionalIsThePriceOfSharesAndTheStrikeOfOptions(t *testing.T) {
	v := viewOf(quoted("XYZ", 99, 101), quoted("ABC", 49, 51))
	v.multiples["/ESZ6"] = *pdec("50")
	v.quotes["/ESZ6"] = quoted("/ESZ6", 6000, 6001)
	for name, c := range map[string]struct {
		order Order
		want  string
	}{
		"a limit on shares":    {Order{Limit: pdec("-90"), Legs: []Leg{legOf("XYZ", BuyToOpen, "10")}}, "900"},
		"shares at the market": {Order{Legs: []Leg{legOf("XYZ", BuyToOpen, "10")}}, "1010"},
		"shares sold":          {Order{Legs: []Leg{legOf("XYZ", SellToClose, "10")}}, "990"},
		"a stop above":         {Order{Stop: pdec("120"), Legs: []Leg{legOf("XYZ", BuyToOpen, "10")}}, "1200"},
		"a stop below":         {Order{Stop: pdec("80"), Legs: []Leg{legOf("XYZ", BuyToOpen, "10")}}, "1010"},
		"a stop without quote": {Order{Stop: pdec("80"), Legs: []Leg{legOf("NIL", BuyToOpen, "10")}}, "800"},
		"an option":            {Order{Limit: pdec("-1"), Legs: []Leg{legOf(xyzCall, BuyToOpen, "2")}}, "20000"},
		"a spread":             {Order{Limit: pdec("1"), Legs: []Leg{legOf(xyzCall, SellToOpen, "1"), legOf(xyzPut, BuyToOpen, "1")}}, "10000"},
		"the other way":        {Order{Limit: pdec("1"), Legs: []Leg{legOf(xyzCall, BuyToOpen, "1"), legOf(xyzPut, SellToOpen, "1")}}, "10000"},
		"both sold":            {Order{Limit: pdec("1"), Legs: []Leg{legOf(xyzCall, SellToOpen, "1"), legOf(xyzPut, SellToOpen, "1")}}, "19000"},
		"shares and a call":    {Order{Limit: pdec("-95"), Legs: []Leg{legOf("XYZ", BuyToOpen, "100"), legOf(xyzCall, SellToOpen, "1")}}, "20100"},
		"a future":             {Order{Legs: []Leg{legOf("/ESZ6", BuyToOpen, "1")}}, "300050"},
		"money":                {Order{Notional: pdec("77"), Legs: []Leg{legOf("XYZ", BuyToOpen, "0")}}, "77"},
		"without a quote":      {Order{Legs: []Leg{legOf("NIL", BuyToOpen, "1")}}, "an unknown amount"},
	} {
		legs, ok := v.holdings(c.order)
		require.True(t, ok, name)
		assert.Equal(t, c.want, known(v.notional(c.order, legs)), name)
	}
}

func TestTheNetPriceIsPerUnitOfTheCombination(t *testing.T) {
	v := viewOf(quoted("XYZ", 99, 101), quoted(xyzCall, 4, 5), quoted(xyzPut, 2, 3))
	for name, c := range map[string]struct {
		legs       []Leg
		middle, at string
	}{
		"shares":       {[]Leg{legOf("XYZ", BuyToOpen, "7")}, "-100", "-101"},
		"shares sold":  {[]Leg{legOf("XYZ", SellToClose, "7")}, "100", "99"},
		"a spread":     {[]Leg{legOf(xyzCall, SellToOpen, "3"), legOf(xyzPut, BuyToOpen, "3")}, "2", "1"},
		"a ratio":      {[]Leg{legOf(xyzCall, SellToOpen, "3"), legOf(xyzPut, BuyToOpen, "6")}, "-0.5", "-2"},
		"covered call": {[]Leg{legOf("XYZ", BuyToOpen, "100"), legOf(xyzCall, SellToOpen, "1")}, "-95.5", "-97"},
		"half known":   {[]Leg{legOf(xyzCall, SellToOpen, "1"), legOf("XYZ   261218C00110000", BuyToOpen, "1")}, "unknown", "unknown"},
		"an adapted":   {[]Leg{legOf(xyzCall, SellToOpen, "1"), legOf(adapted, BuyToOpen, "1")}, "unknown", "unknown"},
	} {
		o := Order{Type: Limit, Legs: c.legs}
		assert.Equal(t, c.middle, text(v.netPrice(o, false)), name)
		assert.Equal(t, c.at, text(v.netPrice(o, true)), name)
	}
}

func TestWhatWorkingOrdersSellCoversNothingElse(t *testing.T) {
	sells := Order{Legs: []Leg{legOf("XYZ", SellToClose, "100")}}
	v := viewOf()
	v.working = []OrderState{
		{ID: "1", Order: Order{Legs: []Leg{legOf("XYZ", BuyToOpen, "5")}}},
		{ID: "2", Order: sells},
		{ID: "3", Group: "g", Order: sells},
		{ID: "4", Group: "g", Order: sells},
		{ID: "5", Group: "h", Order: sells},
		{ID: "6", Group: "h", Order: Order{Legs: []Leg{legOf(xyzCall, SellToClose, "1")}}},
		{ID: "7", Group: "i", Order: Order{Legs: []Leg{legOf(xyzCall, SellToOpen, "1")}}},
		{ID: "8", Group: "i", Order: Order{Legs: []Leg{legOf(xyzCall, SellToOpen, "1")}}},
		{ID: "9", Order: Order{Legs: []Leg{legOf(adapted, SellToOpen, "1")}}},
	}
	sum := func(except OrderID) map[market.Symbol]string {
		out := map[market.Symbol]decimal.Decimal{}
		for _, h := range v.promised(except) {
			out[h.symbol] = out[h.symbol].Add(h.size)
		}
		texts := map[market.Symbol]string{}
		for s, d := range out {
			texts[s] = d.String()
		}
		return texts
	}
	// 2, one of g, one of h; of h also another instrument; both of i, which open.
	assert.Equal(t, map[market.Symbol]string{"XYZ": "-300", xyzCall: "-300"}, sum(""))
	assert.Equal(t, map[market.Symbol]string{"XYZ": "-200", xyzCall: "-300"}, sum("2"))
}

func TestAnOrderOfUnknownSizeOpensAndMayBeNaked(t *testing.T) {
	v := viewOf()
	w := v.weigh(NewTicket(Order{Type: Limit, Limit: pdec("1"), Legs: []Leg{legOf(adapted, SellToClose, "1")}}), "")
	assert.True(t, w.opens)
	assert.True(t, w.naked)
	assert.Nil(t, w.loss.Amount)
	assert.Nil(t, w.notional)
	assert.Len(t, w.openLegs, 1)
	w = v.weigh(NewTicket(Order{Type: Limit, Limit: pdec("-1"), Legs: []Leg{legOf(adapted, BuyToOpen, "1")}}), "")
	assert.False(t, w.naked)
}

func TestAMarketOrderWithoutAQuoteCanStillBeUnbounded(t *testing.T) {
	v := viewOf()
	w := v.weigh(NewTicket(Order{Type: Market, Legs: []Leg{legOf(xyzCall, SellToOpen, "1")}}), "")
	assert.True(t, w.loss.Unbounded)
	w = v.weigh(NewTicket(Order{Type: Market, Legs: []Leg{legOf(xyzCall, BuyToOpen, "1")}}), "")
	assert.False(t, w.loss.Unbounded)
	assert.Nil(t, w.loss.Amount)
}

func TestALegThatClosesPartlyOpensTheRest(t *testing.T) {
	v := viewOf(quoted("XYZ", 99, 101))
	v.positions = []Position{{Symbol: "XYZ", Quantity: *pdec("-10"), Multiplier: *pdec("1")}}
	cover := func(quantity string) weight {
		return v.weigh(NewTicket(Order{Type: Limit, Limit: pdec("-100"), Legs: []Leg{legOf("XYZ", BuyToClose, quantity)}}), "")
	}
	assert.False(t, cover("10").opens)
	assert.True(t, cover("10.5").opens)
	w := v.weigh(NewTicket(Order{Type: Limit, Limit: pdec("-100"), Legs: []Leg{legOf("XYZ", BuyToOpen, "1")}}), "")
	assert.True(t, w.opens, "one that says it opens does")
	v.positions = nil
	assert.True(t, cover("1").opens)
}

// stubReader fails at one reading.
type stubReader struct {
	Broker
	orders, positions, balances error
}

func (s stubReader) Orders(context.Context, AccountID, OrdersQuery) ([]OrderState, error) {
	return []OrderState{{ID: "1", Status: Live, Order: Order{Tag: "x", Type: Market, Legs: []Leg{legOf("ABC", BuyToOpen, "1")}}}, {ID: "2", Status: Filled}}, s.orders
}

func (s stubReader) Positions(context.Context, AccountID) ([]Position, error) {
	return []Position{{Symbol: "/ESZ6", Multiplier: *pdec("50"), Quantity: *pdec("1")}}, s.positions
}

func (s stubReader) Balances(context.Context, AccountID) (*Balances, error) {
	return &Balances{}, s.balances
}

func (s stubReader) Environment() Environment { return Sandbox }

type stubQuotes struct {
	asked     []market.Symbol
	described []market.Symbol
	times     []float64
}

func (s *stubQuotes) Quotes(_ context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	s.asked = append(s.asked, symbols...)
	var out []market.Quote
	for _, symbol := range symbols {
		out = append(out, quoted(symbol, 1, 2))
	}
	return out, nil
}

func (s *stubQuotes) Instruments(_ context.Context, symbols []market.Symbol) ([]market.Instrument, error) {
	s.described = append(s.described, symbols...)
	var out []market.Instrument
	for i, symbol := range symbols {
		out = append(out, market.Instrument{Symbol: symbol, Multiplier: s.times[i%len(s.times)]})
	}
	return out, nil
}

func TestALookReadsAllOrFails(t *testing.T) {
	broken := errors.New("broken")
	ticket := NewTicket(Order{Legs: []Leg{legOf(adapted, BuyToOpen, "1"), legOf("/NQZ6", BuyToOpen, "1"), legOf(xyzCall, BuyToOpen, "1")}})
	for name, b := range map[string]stubReader{"orders": {orders: broken}, "positions": {positions: broken}, "balances": {balances: broken}} {
		g, err := NewGuard(b, GuardOptions{})
		require.NoError(t, err)
		_, err = g.look(t.Context(), "1", ticket, &book{})
		require.ErrorIs(t, err, broken, name)
	}
	quotes := &stubQuotes{times: []float64{150, math.Inf(1)}}
	g, err := NewGuard(stubReader{}, GuardOptions{Quotes: quotes})
	require.NoError(t, err)
	v, err := g.look(t.Context(), "1", ticket, &book{})
	require.NoError(t, err)
	assert.Equal(t, []market.Symbol{adapted, "/NQZ6", xyzCall, "ABC"}, quotes.asked, "the order's and the working orders', once each")
	assert.Equal(t, []market.Symbol{adapted, "/NQZ6"}, quotes.described, "only what has no multiplier of its own")
	assert.Equal(t, "150", text(v.multiple(adapted)))
	assert.Equal(t, "unknown", text(v.multiple("/NQZ6")))
	assert.Equal(t, "50", text(v.multiple("/ESZ6")), "as the position says")
	assert.Len(t, v.working, 1)
	assert.Equal(t, "1.5", text(v.middle("ABC")))
	gone, stop := context.WithCancel(t.Context())
	stop()
	_, err = g.look(gone, "1", ticket, &book{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestTheWaysInWhichAGroupCanFill(t *testing.T) {
	three := make([]Order, 3)
	assert.Equal(t, [][]int{{0}}, sequences(NewTicket(Order{})))
	assert.Equal(t, [][]int{{0}, {1}, {2}}, sequences(Ticket{Kind: OCO, Orders: three}))
	assert.Equal(t, [][]int{{0, 1}, {0, 2}}, sequences(Ticket{Kind: Bracket, Orders: three}))
	assert.Equal(t, [][]int{{0, 1}, {0, 2}, {0, 1, 2}}, sequences(Ticket{Kind: OTO, Orders: three}))
}

func TestWordsSayEveryPartOfAnOrder(t *testing.T) {
	shares := []Leg{legOf("XYZ", BuyToOpen, "10")}
	for want, o := range map[string]Order{
		"buy to open 10 XYZ at the market, today only":                                                                                {Type: Market, Legs: shares},
		"buy to open 10 XYZ for a debit of 9.5 or better, until cancelled":                                                            {Type: Limit, Limit: pdec("-9.5"), TimeInForce: GTC, Legs: shares},
		"sell to open 1 XYZ 2026-12-18 100 call and buy to open 1 XYZ 2026-12-18 90 put for nothing or better, at once or not at all": {Type: Limit, Limit: pdec("0"), TimeInForce: IOC, Legs: []Leg{legOf(xyzCall, SellToOpen, "1"), legOf(xyzPut, BuyToOpen, "1")}},
		"buy to open 10 XYZ at the market once 12 is touched, until 2026-12-18":                                                       {Type: Stop, Stop: pdec("12"), TimeInForce: GTD, GoodTill: market.Date{Year: 2026, Month: 12, Day: 18}, Legs: shares},
		"sell to close 1 XYZ for a credit of 11 or better once 12 is touched, in the closing auction":                                 {Type: StopLimit, Stop: pdec("12"), Limit: pdec("11"), TimeInForce: OnClose, Legs: []Leg{legOf("XYZ", SellToClose, "1")}},
		"sell to close 1 XYZ at the market once the price turns by 5%, in the opening auction":                                        {Type: TrailingStop, Trail: &Trail{Percent: pdec("5")}, TimeInForce: OnOpen, Legs: []Leg{legOf("XYZ", SellToClose, "1")}},
		"buy to open 50.00 worth of XYZ at the market, today only":                                                                    {Type: Market, Notional: pdec("50"), Legs: []Leg{{Symbol: "XYZ", Action: BuyToOpen}}},
		"buy to open 10 XYZ for a debit of 1 or better, today only, also outside the regular session":                                 {Type: Limit, Limit: pdec("-1"), ExtendedHours: true, Legs: shares},
	} {
		assert.Equal(t, want, orderWords(&o))
		back := newWireOrder(o).order()
		o.TimeInForce = o.Duration()
		assert.Equal(t, o, back, "and the stored form keeps it")
	}
	m := message{Kind: IntentPlace, Environment: Production, Account: "1"}
	m.setTicket(Ticket{Kind: OTO, Orders: []Order{{Type: Market, Legs: shares}, {Type: Market, Legs: shares}}})
	assert.Equal(t, "REAL MONEY (production), account 1. In this sequence, the first, once filled, sending the others: buy to open 10 XYZ at the market, today only; "+
		"buy to open 10 XYZ at the market, today only. Worst-case loss: unbounded. Notional: 5.00. Change of buying power: -7.00. Fees: 1.50.",
		m.words(&shown{Unbounded: true, Notional: pdec("5"), BuyingPower: pdec("-7"), Fees: &Fees{Commission: *pdec("-1.5")}}))
	m = message{Kind: IntentCancel, Environment: Paper, Account: "1", Order: "7", Subject: "sell it"}
	assert.Equal(t, "No real money (paper), account 1. Cancel order 7: sell it.", m.words(&shown{}))
	assert.Contains(t, m.words(&shown{RiskIncreasing: true}), "cancelling it raises the risk")
	m = message{Kind: IntentSettings, Environment: Production, Subject: "{}"}
	assert.Equal(t, "REAL MONEY (production). Let the present settings hold for real money: {}.", m.words(&shown{}))
}
