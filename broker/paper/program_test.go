package paper_test

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// An op is one step of a random program: what is drawn can be run again on
// another exchange.
type op struct {
	kind   string // quote, trade, place, cancel, replace, advance
	quote  paper.Quote
	ticket broker.Ticket
	order  int // which of the orders placed before
	with   broker.Order
	wait   time.Duration
}

var shares = []market.Symbol{"AAA", "BBB"}

const option market.Symbol = "AAA   260320C00010000"

func cents(t *rapid.T, name string, low, high int) float64 {
	return float64(rapid.IntRange(low, high).Draw(t, name)) / 100
}

func drawQuote(t *rapid.T) paper.Quote {
	q := paper.Quote{Symbol: rapid.SampledFrom([]market.Symbol{"AAA", "BBB", option}).Draw(t, "symbol")}
	q.Bid = cents(t, "bid", 950, 1050)
	q.Ask = q.Bid + cents(t, "spread", -2, 10)
	q.Ask = math.Round(q.Ask*100) / 100
	size := func(name string) float64 {
		n := rapid.IntRange(-1, 12).Draw(t, name)
		if n < 0 {
			return math.NaN()
		}
		return float64(n)
	}
	q.BidSize, q.AskSize = size("bid size"), size("ask size")
	if rapid.IntRange(0, 15).Draw(t, "one side") == 0 {
		q.Bid = math.NaN()
	}
	return q
}

func drawOrder(t *rapid.T, tag string) broker.Order {
	action := rapid.SampledFrom([]broker.Action{buyOpen, buyOpen, sellOpen, buyClose, sellClose, sellClose}).Draw(t, "action")
	symbol := rapid.SampledFrom([]market.Symbol{"AAA", "BBB", option}).Draw(t, "of")
	quantity := strconv.Itoa(rapid.IntRange(1, 20).Draw(t, "quantity"))
	o := broker.Order{Tag: tag, Legs: []broker.Leg{leg(symbol, action, quantity)}}
	o.Type = rapid.SampledFrom([]broker.OrderType{broker.Market, broker.Limit, broker.Limit, broker.Stop, broker.StopLimit, broker.TrailingStop}).Draw(t, "type")
	price := func(name string) decimal.Decimal {
		return decimal.New(int64(rapid.IntRange(950, 1060).Draw(t, name)), -2)
	}
	if o.Type == broker.Limit || o.Type == broker.StopLimit {
		limit := price("limit").Mul(decimal.NewFromInt(int64(-action.Sign())))
		o.Limit = &limit
	}
	if o.Type == broker.Stop || o.Type == broker.StopLimit {
		stop := price("stop")
		o.Stop = &stop
	}
	if o.Type == broker.TrailingStop {
		if rapid.Bool().Draw(t, "percent") {
			p := decimal.New(int64(rapid.IntRange(1, 50).Draw(t, "distance")), -1)
			o.Trail = &broker.Trail{Percent: &p}
		} else {
			p := decimal.New(int64(rapid.IntRange(1, 60).Draw(t, "distance")), -2)
			o.Trail = &broker.Trail{Amount: &p}
		}
	}
	if o.Type == broker.Limit && rapid.IntRange(0, 5).Draw(t, "combination") == 0 {
		other := market.Symbol("BBB")
		if symbol == other {
			other = "AAA"
		}
		o.Legs = append(o.Legs, leg(other, rapid.SampledFrom([]broker.Action{buyOpen, sellOpen}).Draw(t, "other"), quantity))
		net := decimal.New(int64(rapid.IntRange(-2200, 2200).Draw(t, "net")), -2)
		o.Limit = &net
	}
	tifs := []broker.TimeInForce{broker.Day, broker.Day, broker.IOC}
	if o.Type != broker.Market {
		tifs = append(tifs, broker.GTC, broker.GTC)
	}
	if o.Type == broker.Market || o.Type == broker.Limit {
		tifs = append(tifs, broker.OnClose)
	}
	o.TimeInForce = rapid.SampledFrom(tifs).Draw(t, "tif")
	return o
}

func drawTicket(t *rapid.T, n int) broker.Ticket {
	kind := rapid.SampledFrom([]broker.GroupKind{broker.Single, broker.Single, broker.Single, broker.OCO, broker.OTO, broker.Bracket}).Draw(t, "kind")
	count := map[broker.GroupKind]int{broker.Single: 1, broker.OCO: 2, broker.OTO: 2, broker.Bracket: 3}[kind]
	ticket := broker.Ticket{Kind: kind}
	for i := range count {
		ticket.Orders = append(ticket.Orders, drawOrder(t, fmt.Sprintf("o%d-%d", n, i)))
	}
	return ticket
}

func drawProgram(t *rapid.T, least, most int) []op {
	ops := make([]op, rapid.IntRange(least, most).Draw(t, "length"))
	placed := 0
	for i := range ops {
		o := op{kind: rapid.SampledFrom([]string{"quote", "quote", "quote", "quote", "place", "place", "place", "trade", "cancel", "replace", "advance"}).Draw(t, "op")}
		switch o.kind {
		case "quote", "trade":
			o.quote = drawQuote(t)
		case "place":
			o.ticket = drawTicket(t, i)
			placed += len(o.ticket.Orders)
		case "cancel", "replace":
			o.order = rapid.IntRange(1, max(placed, 1)).Draw(t, "order")
			if o.kind == "replace" {
				o.with = drawOrder(t, fmt.Sprintf("r%d", i))
				placed++
			}
		case "advance":
			o.wait = rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, time.Minute, 3 * time.Hour, 20 * time.Hour, 120 * time.Hour}).Draw(t, "wait")
		}
		ops[i] = o
	}
	return ops
}

// run does one step. Refusals are part of a program; other errors are not.
func (o *op) run(t require.TestingT, x *paper.Exchange) {
	b := x.Broker()
	ctx := contextOf()
	var err error
	switch o.kind {
	case "quote":
		err = x.Quote(o.quote)
	case "trade":
		if o.quote.Bid > 0 {
			err = x.Trade(paper.Trade{Symbol: o.quote.Symbol, Price: o.quote.Bid, Size: o.quote.BidSize})
		}
	case "place":
		_, err = b.Place(ctx, account, o.ticket)
	case "cancel":
		_, err = b.Cancel(ctx, account, broker.OrderID(strconv.Itoa(o.order)))
	case "replace":
		with := o.with
		if old, e := b.Order(ctx, account, broker.OrderID(strconv.Itoa(o.order))); e == nil {
			legs := append([]broker.Leg(nil), old.Order.Legs...)
			tag, tif := with.Tag, old.Order.TimeInForce
			with = old.Order
			with.Tag, with.TimeInForce, with.Legs = tag, tif, legs
			for i := range with.Legs {
				with.Legs[i].Quantity = o.with.Legs[0].Quantity
			}
		}
		_, err = b.Replace(ctx, account, broker.OrderID(strconv.Itoa(o.order)), with)
	case "advance":
		err = x.Advance(x.Now().Add(o.wait))
	}
	var fe *broker.FieldError
	if err != nil && !errors.Is(err, broker.ErrRejected) && !errors.Is(err, broker.ErrTooLate) && !errors.Is(err, broker.ErrUnknownOrder) && !errors.As(err, &fe) {
		require.NoError(t, err)
	}
}

// programOptions are drawn settings of an exchange for a program.
func programOptions(t *rapid.T, start time.Time) *paper.Options {
	o := &paper.Options{
		Start: start, Seed: 7,
		Accounts: []paper.Account{{Account: broker.Account{ID: account, Margin: true}, Cash: decimal.NewFromInt(100_000)}},
		Fees:     broker.TastytradeFees(),
	}
	o.NoImprovement = rapid.Bool().Draw(t, "no improvement")
	o.Trigger = rapid.SampledFrom([]paper.Trigger{paper.TriggerAny, paper.TriggerQuote, paper.TriggerTrade}).Draw(t, "trigger")
	o.Unchecked = rapid.Bool().Draw(t, "unchecked")
	o.RecheckAtFill = rapid.Bool().Draw(t, "recheck")
	if rapid.Bool().Draw(t, "latency") {
		o.Latency = paper.Latency{Route: time.Millisecond, Live: time.Millisecond, Cancel: time.Second, Replace: time.Second, Jitter: 5 * time.Millisecond}
	}
	if rapid.Bool().Draw(t, "slippage") {
		o.Slippage = paper.BasisPoints{Points: 7}
	}
	return o
}

func newProgram(t *rapid.T, tb testing.TB) *paper.Exchange {
	x, err := paper.New(programOptions(t, clockAt(tb, "2026-03-03 12:00")))
	require.NoError(t, err)
	return x
}
