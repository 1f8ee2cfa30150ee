package paper_test

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

const account = broker.AccountID("PAPER1")

func dec(s string) *decimal.Decimal {
	d := decimal.RequireFromString(s)
	return &d
}

// clockAt is an instant in New York: "2026-03-03 10:00".
func clockAt(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text, market.NYSE().Location())
	if err != nil {
		at, err = time.ParseInLocation("2006-01-02 15:04", text, market.NYSE().Location())
	}
	require.NoError(t, err)
	return at
}

// A desk is an exchange with one margin account, and a short way to use it.
type desk struct {
	t testing.TB
	*paper.Exchange
	broker.Broker
	tags int
}

const tuesday = "2026-03-03 10:00" // an ordinary session

func newDesk(t testing.TB, start string, change ...func(*paper.Options)) *desk {
	t.Helper()
	opts := &paper.Options{Start: clockAt(t, start), Accounts: []paper.Account{{
		Account: broker.Account{ID: account, Margin: true, Futures: true}, Cash: *dec("100000"),
	}}}
	for _, f := range change {
		f(opts)
	}
	x, err := paper.New(opts)
	require.NoError(t, err)
	return &desk{t: t, Exchange: x, Broker: x.Broker()}
}

// bid pushes a quote with known sizes, or without sizes when they are NaN.
func (d *desk) quote(symbol market.Symbol, bid, ask float64, sizes ...float64) {
	d.t.Helper()
	q := paper.Quote{Symbol: symbol, Bid: bid, Ask: ask, BidSize: math.NaN(), AskSize: math.NaN()}
	if len(sizes) == 2 {
		q.BidSize, q.AskSize = sizes[0], sizes[1]
	}
	require.NoError(d.t, d.Quote(q))
}

func (d *desk) to(text string) {
	d.t.Helper()
	require.NoError(d.t, d.Advance(clockAt(d.t, text)))
}

func leg(symbol market.Symbol, action broker.Action, quantity string) broker.Leg {
	return broker.Leg{Symbol: symbol, Action: action, Quantity: *dec(quantity)}
}

// order is a day order; price is empty for market orders and otherwise unsigned
// for one leg.
func (d *desk) order(kind broker.OrderType, price string, legs ...broker.Leg) broker.Order {
	d.tags++
	o := broker.Order{Tag: "t" + strconv.Itoa(d.tags), Type: kind, Legs: legs}
	if price == "" {
		return o
	}
	switch {
	case kind == broker.Stop:
		o.Stop = dec(price)
	case len(legs) == 1 && legs[0].Action.Sign() > 0:
		p := dec(price).Neg()
		o.Limit = &p
	default:
		o.Limit = dec(price)
	}
	return o
}

func (d *desk) place(o broker.Order) broker.OrderState {
	d.t.Helper()
	s, err := d.Place(d.t.Context(), account, broker.NewTicket(o))
	require.NoError(d.t, err)
	return s[0]
}

func (d *desk) group(kind broker.GroupKind, orders ...broker.Order) []broker.OrderState {
	d.t.Helper()
	s, err := d.Place(d.t.Context(), account, broker.Ticket{Kind: kind, Orders: orders})
	require.NoError(d.t, err)
	return s
}

// now is an order's present state.
func (d *desk) now(s broker.OrderState) broker.OrderState {
	d.t.Helper()
	o, err := d.Order(d.t.Context(), account, s.ID)
	require.NoError(d.t, err)
	return *o
}

// fills are an order's fills as "quantity@price", leg by leg in time.
func (d *desk) fills(s broker.OrderState) []string {
	d.t.Helper()
	out := []string{}
	for _, f := range d.now(s).Fills {
		out = append(out, f.Quantity.String()+"@"+f.Price.String())
	}
	return out
}

func (d *desk) cash() string {
	d.t.Helper()
	b, err := d.Balances(d.t.Context(), account)
	require.NoError(d.t, err)
	return b.Cash.String()
}

func (d *desk) bars(bars ...paper.Bar) {
	d.t.Helper()
	require.NoError(d.t, d.Bars(bars))
}

// daily is a day's bar.
func (d *desk) daily(symbol market.Symbol, date string, open, high, low, close float64) paper.Bar {
	return paper.Bar{Symbol: symbol, Interval: market.Day, Bar: market.Bar{
		Time: clockAt(d.t, date+" 00:00"), Open: open, High: high, Low: low, Close: close, Volume: math.NaN(),
	}}
}

const (
	buyOpen, sellOpen   = broker.BuyToOpen, broker.SellToOpen
	buyClose, sellClose = broker.BuyToClose, broker.SellToClose
)
