package alpaca_test

import (
	"errors"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/market"
)

const (
	stockACME = market.Symbol("ACME")
	call100   = market.Symbol("ACME  260821C00100000")
	call105   = market.Symbol("ACME  260821C00105000")
	other50   = market.Symbol("OTHR  260821C00050000")
)

func legs(quantity string, pairs ...any) []broker.Leg {
	var out []broker.Leg
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, broker.Leg{Symbol: pairs[i].(market.Symbol), Action: pairs[i+1].(broker.Action), Quantity: decimal.RequireFromString(quantity)})
	}
	return out
}

// fields are the fields that an error names, in its order.
func fields(err error) []string {
	var out []string
	var walk func(error)
	walk = func(err error) {
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, each := range many.Unwrap() {
				walk(each)
			}
			return
		}
		if field, ok := errors.AsType[*broker.FieldError](err); ok {
			out = append(out, field.Field)
		} else if lacks, ok := errors.AsType[*broker.UnsupportedError](err); ok {
			out = append(out, lacks.Field)
		}
	}
	if err != nil {
		walk(err)
	}
	return out
}

// The rules are those of Alpaca's documentation of orders and of options, and of
// SEC rule 612 for prices.
func TestOrdersAreCheckedBeforeTheyAreSent(t *testing.T) {
	const stock, coin = market.Symbol("ACME"), market.Symbol("BTC/USD")
	buy, sell := broker.BuyToOpen, broker.SellToClose
	for name, row := range map[string]struct {
		order broker.Order
		want  []string
	}{
		"cents":                           {broker.Order{Type: broker.Limit, Limit: dec("-10.25"), Legs: legs("1", stock, buy)}, nil},
		"cents with zeros behind":         {broker.Order{Type: broker.Limit, Limit: dec("-10.2500"), Legs: legs("1", stock, buy)}, nil},
		"a tenth of a cent":               {broker.Order{Type: broker.Limit, Limit: dec("-10.255"), Legs: legs("1", stock, buy)}, []string{"Orders[0].Limit"}},
		"below a dollar":                  {broker.Order{Type: broker.Limit, Limit: dec("-0.9999"), Legs: legs("1", stock, buy)}, nil},
		"a dollar has cents":              {broker.Order{Type: broker.Limit, Limit: dec("-1.0001"), Legs: legs("1", stock, buy)}, []string{"Orders[0].Limit"}},
		"five decimals":                   {broker.Order{Type: broker.Limit, Limit: dec("-0.99999"), Legs: legs("1", stock, buy)}, []string{"Orders[0].Limit"}},
		"a stop":                          {broker.Order{Type: broker.Stop, Stop: dec("10.255"), Legs: legs("1", stock, sell)}, []string{"Orders[0].Stop"}},
		"a trail":                         {broker.Order{Type: broker.TrailingStop, Trail: &broker.Trail{Amount: dec("1.005")}, Legs: legs("1", stock, sell)}, []string{"Orders[0].Trail"}},
		"coins have nine decimals":        {broker.Order{Type: broker.Limit, Limit: dec("-0.123456789"), TimeInForce: broker.GTC, Legs: legs("0.5", coin, buy)}, nil},
		"an amount":                       {broker.Order{Type: broker.Market, Notional: dec("10.50"), Legs: legs("0", stock, buy)}, nil},
		"an amount of less than a dollar": {broker.Order{Type: broker.Market, Notional: dec("0.50"), Legs: legs("0", stock, buy)}, []string{"Orders[0].Notional"}},
		"an amount in tenths of a cent":   {broker.Order{Type: broker.Market, Notional: dec("10.505"), Legs: legs("0", stock, buy)}, []string{"Orders[0].Notional"}},
		"an amount and a quantity":        {broker.Order{Type: broker.Market, Notional: dec("10"), Legs: legs("1", stock, buy)}, []string{"Orders[0].Legs[0].Quantity"}},
		"an amount, immediate":            {broker.Order{Type: broker.Market, Notional: dec("10"), TimeInForce: broker.IOC, Legs: legs("0", stock, buy)}, []string{"Orders[0].TimeInForce"}},
		"an amount sold short":            {broker.Order{Type: broker.Market, Notional: dec("10"), Legs: legs("0", stock, broker.SellToOpen)}, []string{"Orders[0].Notional"}},
		"an amount of options":            {broker.Order{Type: broker.Market, Notional: dec("10"), Legs: legs("0", call100, buy)}, []string{"Orders[0].Notional"}},
		"a fraction":                      {broker.Order{Type: broker.Limit, Limit: dec("-10"), Legs: legs("0.5", stock, buy)}, nil},
		"a fraction until cancelled":      {broker.Order{Type: broker.Limit, Limit: dec("-10"), TimeInForce: broker.GTC, Legs: legs("0.5", stock, buy)}, []string{"Orders[0].TimeInForce"}},
		"a fraction sold short":           {broker.Order{Type: broker.Market, Legs: legs("0.5", stock, broker.SellToOpen)}, []string{"Orders[0].Legs[0].Quantity"}},
		"too small a fraction":            {broker.Order{Type: broker.Market, Legs: legs("0.0000000001", stock, buy)}, []string{"Orders[0].Legs[0].Quantity"}},
		"a fraction that trails":          {broker.Order{Type: broker.TrailingStop, Trail: &broker.Trail{Percent: dec("5")}, Legs: legs("0.5", stock, sell)}, []string{"Orders[0].Type"}},
		"the closing auction":             {broker.Order{Type: broker.Market, TimeInForce: broker.OnClose, Legs: legs("1", stock, buy)}, nil},
		"a fraction at the auction":       {broker.Order{Type: broker.Market, TimeInForce: broker.OnClose, Legs: legs("0.5", stock, buy)}, []string{"Orders[0].TimeInForce"}},
		"an immediate stop":               {broker.Order{Type: broker.Stop, Stop: dec("9"), TimeInForce: broker.IOC, Legs: legs("1", stock, sell)}, []string{"Orders[0].TimeInForce"}},
		"good till a date":                {broker.Order{Type: broker.Limit, Limit: dec("-10"), TimeInForce: broker.GTD, GoodTill: market.Date{Year: 2026, Month: 8, Day: 3}, Legs: legs("1", stock, buy)}, []string{"Orders[0].TimeInForce"}},
		"after hours":                     {broker.Order{Type: broker.Limit, Limit: dec("-10"), ExtendedHours: true, Legs: legs("1", stock, buy)}, nil},
		"after hours, immediate":          {broker.Order{Type: broker.Limit, Limit: dec("-10"), ExtendedHours: true, TimeInForce: broker.IOC, Legs: legs("1", stock, buy)}, []string{"Orders[0].TimeInForce"}},
		"options after hours":             {broker.Order{Type: broker.Limit, Limit: dec("-10"), ExtendedHours: true, Legs: legs("1", call100, buy)}, []string{"Orders[0].ExtendedHours"}},
		"options, immediate":              {broker.Order{Type: broker.Limit, Limit: dec("-10"), TimeInForce: broker.IOC, Legs: legs("1", call100, buy)}, []string{"Orders[0].TimeInForce"}},
		"options that trail":              {broker.Order{Type: broker.TrailingStop, Trail: &broker.Trail{Percent: dec("5")}, Legs: legs("1", call100, sell)}, []string{"Orders[0].Type"}},
		"a stop on an option":             {broker.Order{Type: broker.Stop, Stop: dec("2.50"), Legs: legs("1", call100, sell)}, nil},
		"a spread":                        {broker.Order{Type: broker.Limit, Limit: dec("1.25"), Legs: legs("1", call100, broker.SellToOpen, call105, buy)}, nil},
		"a spread below a dollar":         {broker.Order{Type: broker.Limit, Limit: dec("0.255"), Legs: legs("1", call100, broker.SellToOpen, call105, buy)}, []string{"Orders[0].Limit"}},
		"a spread of two underlyings":     {broker.Order{Type: broker.Limit, Limit: dec("1.25"), Legs: legs("1", call100, broker.SellToOpen, other50, buy)}, []string{"Orders[0].Legs[1].Symbol"}},
		"shares beside an option":         {broker.Order{Type: broker.Limit, Limit: dec("1.25"), Legs: legs("1", stock, buy, call100, broker.SellToOpen)}, []string{"Orders[0].Legs"}},
		"two shares":                      {broker.Order{Type: broker.Limit, Limit: dec("1.25"), Legs: legs("1", stock, buy, market.Symbol("OTHR"), broker.SellToOpen)}, []string{"Orders[0].Legs"}},
		"a future":                        {broker.Order{Type: broker.Market, Legs: legs("1", market.Symbol("/ESZ6"), buy)}, []string{"Orders[0].Legs[0].Symbol"}},
		"coins by day":                    {broker.Order{Type: broker.Limit, Limit: dec("-10"), Legs: legs("1", coin, buy)}, []string{"Orders[0].TimeInForce"}},
		"a stop on coins":                 {broker.Order{Type: broker.Stop, Stop: dec("9"), TimeInForce: broker.GTC, Legs: legs("1", coin, sell)}, []string{"Orders[0].Type"}},
		"coins sold short":                {broker.Order{Type: broker.Market, TimeInForce: broker.IOC, Legs: legs("1", coin, broker.SellToOpen)}, []string{"Orders[0].Legs[0].Action"}},
		"coins after hours":               {broker.Order{Type: broker.Limit, Limit: dec("-10"), TimeInForce: broker.GTC, ExtendedHours: true, Legs: legs("1", coin, buy)}, []string{"Orders[0].ExtendedHours"}},
	} {
		t.Run(name, func(t *testing.T) {
			row.order.Tag = "t-1"
			assert.Equal(t, row.want, fields(alpaca.Validate(broker.NewTicket(row.order))))
		})
	}
}

func bracket(change func(*broker.Ticket)) broker.Ticket {
	entry, target := limit("b-0", "ACME", 10, "100"), limit("b-1", "ACME", -10, "110")
	stop := broker.Order{Tag: "b-2", Type: broker.Stop, Stop: dec("90"), Legs: target.Legs}
	ticket := broker.Ticket{Kind: broker.Bracket, Orders: []broker.Order{entry, target, stop}}
	if change != nil {
		change(&ticket)
	}
	return ticket
}

func TestGroupsAreCheckedBeforeTheyAreSent(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*broker.Ticket)
		want   []string
	}{
		"as it should be":       {nil, nil},
		"stop first":            {func(b *broker.Ticket) { b.Orders[1], b.Orders[2] = b.Orders[2], b.Orders[1] }, nil},
		"a market entry":        {func(b *broker.Ticket) { b.Orders[0].Type, b.Orders[0].Limit = broker.Market, nil }, nil},
		"exits until cancelled": {func(b *broker.Ticket) { b.Orders[1].TimeInForce, b.Orders[2].TimeInForce = broker.GTC, broker.GTC }, []string{"Orders[1].TimeInForce", "Orders[2].TimeInForce"}},
		"a market entry with exits until cancelled": {func(b *broker.Ticket) {
			b.Orders[0].Type, b.Orders[0].Limit = broker.Market, nil
			b.Orders[1].TimeInForce, b.Orders[2].TimeInForce = broker.GTC, broker.GTC
		}, nil},
		"two targets":        {func(b *broker.Ticket) { b.Orders[2] = b.Orders[1]; b.Orders[2].Tag = "b-3" }, []string{"Orders"}},
		"another symbol":     {func(b *broker.Ticket) { b.Orders[1].Legs = legs("10", market.Symbol("OTHR"), broker.SellToClose) }, []string{"Orders[1].Legs[0].Symbol"}},
		"another quantity":   {func(b *broker.Ticket) { b.Orders[1].Legs = legs("9", market.Symbol("ACME"), broker.SellToClose) }, []string{"Orders[1].Legs[0].Quantity"}},
		"an exit that opens": {func(b *broker.Ticket) { b.Orders[1].Legs = legs("10", market.Symbol("ACME"), broker.SellToOpen) }, []string{"Orders[1].Legs[0].Action", "Orders[1].Legs[0].Action"}},
		"target below stop":  {func(b *broker.Ticket) { b.Orders[1].Limit = dec("80") }, []string{"Orders"}},
		"after hours":        {func(b *broker.Ticket) { b.Orders[0].ExtendedHours = true }, []string{"Orders[0].ExtendedHours"}},
		"an entry by stop": {func(b *broker.Ticket) {
			b.Orders[0].Type, b.Orders[0].Limit, b.Orders[0].Stop = broker.Stop, nil, dec("101")
		}, []string{"Orders[0].Type"}},
		"three in an OTO": {func(b *broker.Ticket) { b.Kind = broker.OTO }, []string{"Orders"}},
		"OTO":             {func(b *broker.Ticket) { b.Kind, b.Orders = broker.OTO, b.Orders[:2] }, nil},
		"OCO":             {func(b *broker.Ticket) { b.Kind, b.Orders = broker.OCO, b.Orders[1:] }, nil},
		"OCO of both sides": {func(b *broker.Ticket) {
			b.Kind, b.Orders = broker.OCO, b.Orders[1:]
			b.Orders[1].Legs = legs("10", market.Symbol("ACME"), broker.BuyToClose)
		}, []string{"Orders[1].Legs[0].Action"}},
		"an entry that closes": {func(b *broker.Ticket) {
			b.Orders[0].Legs = legs("10", market.Symbol("ACME"), broker.BuyToClose)
		}, []string{"Orders[0].Legs[0].Action", "Orders[1].Legs[0].Action", "Orders[2].Legs[0].Action"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, row.want, fields(alpaca.Validate(bracket(row.change))))
		})
	}
}

func TestWhatIsRefusedHereIsNotSent(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	a := newAdapter(t, fake, nil)
	_, err := a.Place(t.Context(), account, broker.NewTicket(limit("a-1", "ACME", 1, "10.005")))
	require.Equal(t, []string{"Orders[0].Limit"}, fields(err))
	_, err = a.Place(t.Context(), account, broker.NewTicket(broker.Order{Tag: "a-2", Type: broker.Market, Legs: legs("1", market.Symbol("/ESZ6"), broker.BuyToOpen)}))
	require.ErrorIs(t, err, broker.ErrUnsupported)
	_, err = a.Preview(t.Context(), account, broker.NewTicket(limit("a-1", "ACME", 1, "10.005")))
	require.Error(t, err)
	assert.Empty(t, fake.Writes())
}
