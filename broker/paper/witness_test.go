package paper_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// A witness is the rules of the package comment in their plainest form: one list
// of orders, looked through from the start, with decimals alone. It knows quotes
// with sizes and day orders on futures, which open and close alike.
type witness struct {
	orders []*wOrder
	quotes map[market.Symbol]*wQuote
	rank   int
	fills  []string
}

type wQuote struct {
	bid, ask         *decimal.Decimal // nil: none
	bidSize, askSize *decimal.Decimal // nil: enough
}

type wOrder struct {
	id        int
	spec      broker.Order
	rank      int
	left      decimal.Decimal
	triggered bool
	done      bool
	extreme   *decimal.Decimal
	stop      decimal.Decimal
}

func (o *wOrder) sign() int         { return o.spec.Legs[0].Action.Sign() }
func (o *wOrder) on() market.Symbol { return o.spec.Legs[0].Symbol }

func (o *wOrder) watches() bool {
	return !o.triggered && (o.spec.Type == broker.Stop || o.spec.Type == broker.StopLimit || o.spec.Type == broker.TrailingStop)
}

func (o *wOrder) takesAny() bool {
	return o.spec.Type == broker.Market || o.triggered && o.spec.Type != broker.StopLimit
}

// side is what an order can trade against.
func (w *witness) side(o *wOrder, leg int) (price *decimal.Decimal, size **decimal.Decimal) {
	q := w.quotes[o.spec.Legs[leg].Symbol]
	if q == nil {
		return nil, nil
	}
	if o.spec.Legs[leg].Action.Sign() > 0 {
		return q.ask, &q.askSize
	}
	return q.bid, &q.bidSize
}

func (w *witness) place(id int, spec broker.Order) {
	o := &wOrder{id: id, spec: spec, left: spec.Units()}
	w.rank++
	o.rank = w.rank
	if spec.Stop != nil {
		o.stop = *spec.Stop
	}
	w.orders = append(w.orders, o)
	w.run(spec.Legs[0].Symbol)
	if spec.Duration() == broker.IOC {
		o.done = true
	}
}

func (w *witness) quote(q paper.Quote) {
	made := &wQuote{}
	number := func(x float64) *decimal.Decimal {
		if math.IsNaN(x) {
			return nil
		}
		d := decimal.NewFromFloat(x)
		return &d
	}
	made.bid, made.ask, made.bidSize, made.askSize = number(q.Bid), number(q.Ask), number(q.BidSize), number(q.AskSize)
	if made.bid != nil && made.ask != nil && made.bid.GreaterThan(*made.ask) {
		made.bid, made.ask = nil, nil
	}
	w.quotes[q.Symbol] = made
	w.run(q.Symbol)
}

// run does the first thing that can be done in a symbol until there is none.
func (w *witness) run(s market.Symbol) {
	for w.trails(s) || w.stops(s) || w.markets(s) || w.limits(s, 1) || w.limits(s, -1) || w.spreads() {
	}
}

func (w *witness) of(s market.Symbol, want func(*wOrder) bool) []*wOrder {
	var out []*wOrder
	for rank := 1; rank <= w.rank; rank++ {
		for _, o := range w.orders {
			if o.rank == rank && !o.done && len(o.spec.Legs) == 1 && o.on() == s && want(o) {
				out = append(out, o)
			}
		}
	}
	return out
}

func (w *witness) touch(o *wOrder) {
	w.rank++
	o.rank, o.triggered = w.rank, true
}

func (w *witness) trails(s market.Symbol) bool {
	var touched []*wOrder
	for _, o := range w.of(s, func(o *wOrder) bool { return o.watches() && o.spec.Type == broker.TrailingStop }) {
		p, _ := w.side(o, 0)
		if p == nil {
			continue
		}
		up := decimal.NewFromInt(int64(o.sign()))
		if o.extreme == nil || p.Sub(*o.extreme).Mul(up).Sign() < 0 {
			o.extreme = p
			var distance decimal.Decimal
			if o.spec.Trail.Amount != nil {
				distance = *o.spec.Trail.Amount
			} else {
				distance = p.Mul(*o.spec.Trail.Percent).Div(decimal.NewFromInt(100))
			}
			o.stop = p.Add(distance.Mul(up)).Round(6)
		}
		if p.Sub(o.stop).Mul(up).Sign() >= 0 {
			touched = append(touched, o)
		}
	}
	for _, o := range touched {
		w.touch(o)
	}
	return len(touched) > 0
}

func (w *witness) stops(s market.Symbol) bool {
	any := false
	for _, sign := range []int{1, -1} {
		for {
			var first *wOrder
			up := decimal.NewFromInt(int64(sign))
			for _, o := range w.of(s, func(o *wOrder) bool { return o.watches() && o.spec.Type != broker.TrailingStop && o.sign() == sign }) {
				p, _ := w.side(o, 0)
				if p == nil || p.Sub(o.stop).Mul(up).Sign() < 0 {
					continue
				}
				if first == nil || o.stop.Sub(first.stop).Mul(up).Sign() < 0 {
					first = o
				}
			}
			if first == nil {
				break
			}
			w.touch(first)
			any = true
		}
	}
	return any
}

func (w *witness) markets(s market.Symbol) bool {
	for _, o := range w.of(s, func(o *wOrder) bool { return !o.watches() && o.takesAny() }) {
		if w.fill(o) {
			return true
		}
	}
	return false
}

func (w *witness) limits(s market.Symbol, sign int) bool {
	var best *wOrder
	for _, o := range w.of(s, func(o *wOrder) bool { return !o.watches() && !o.takesAny() && o.sign() == sign }) {
		if best == nil || o.spec.Limit.LessThan(*best.spec.Limit) { // signed: the one that gives most
			best = o
		}
	}
	if best == nil {
		return false
	}
	p, _ := w.side(best, 0)
	if p == nil || p.Mul(decimal.NewFromInt(int64(-sign))).LessThan(*best.spec.Limit) {
		return false
	}
	return w.fill(best)
}

func (w *witness) spreads() bool {
	for _, market := range []bool{true, false} {
		var best *wOrder
		for rank := 1; rank <= w.rank; rank++ {
			for _, o := range w.orders {
				if o.rank != rank || o.done || len(o.spec.Legs) == 1 || (o.spec.Type == broker.Market) != market {
					continue
				}
				if market && w.fill(o) {
					return true
				}
				if !market && (best == nil || o.spec.Limit.LessThan(*best.spec.Limit)) {
					best = o
				}
			}
		}
		if best != nil && w.fill(best) {
			return true
		}
	}
	return false
}

// fill fills what the sizes allow, for a combination when its net suffices.
func (w *witness) fill(o *wOrder) bool {
	units, net := o.left, decimal.Zero
	for i, l := range o.spec.Legs {
		p, size := w.side(o, i)
		if p == nil {
			return false
		}
		ratio := l.Quantity.Div(o.spec.Units())
		if len(o.spec.Legs) == 1 {
			ratio = decimal.NewFromInt(1)
		}
		if *size != nil {
			units = decimal.Min(units, (*size).Div(ratio).Floor())
		}
		net = net.Sub(p.Mul(ratio).Mul(decimal.NewFromInt(int64(l.Action.Sign()))))
	}
	if units.Sign() <= 0 || len(o.spec.Legs) > 1 && o.spec.Limit != nil && net.LessThan(*o.spec.Limit) {
		return false
	}
	for i, l := range o.spec.Legs {
		p, size := w.side(o, i)
		quantity := units
		if len(o.spec.Legs) > 1 {
			quantity = units.Mul(l.Quantity).Div(o.spec.Units())
		}
		if *size != nil {
			left := (*size).Sub(quantity)
			*size = &left
		}
		w.fills = append(w.fills, fmt.Sprintf("%d: %s %s@%s", o.id, l.Symbol, quantity, p))
	}
	o.left = o.left.Sub(units)
	o.done = o.left.IsZero()
	return true
}

const futureA, futureB = market.Symbol("/ESM6"), market.Symbol("/NQM6")

func drawFutureOrder(t *rapid.T, tag string) broker.Order {
	sign := rapid.SampledFrom([]broker.Action{buyOpen, sellOpen}).Draw(t, "action")
	symbol := rapid.SampledFrom([]market.Symbol{futureA, futureB}).Draw(t, "symbol")
	o := drawOrder(t, tag)
	o.TimeInForce = rapid.SampledFrom([]broker.TimeInForce{broker.Day, broker.Day, broker.Day, broker.IOC}).Draw(t, "time")
	quantity := o.Legs[0].Quantity
	o.Legs = []broker.Leg{{Symbol: symbol, Action: sign, Quantity: quantity}}
	if o.Limit != nil {
		limit := decimal.New(int64(rapid.IntRange(950, 1060).Draw(t, "at")), -2).Mul(decimal.NewFromInt(int64(-sign.Sign())))
		o.Limit = &limit
	}
	if o.Stop == nil && o.Trail == nil && rapid.IntRange(0, 3).Draw(t, "spread") == 0 {
		// One kind of spread: two of A bought for each of B sold.
		o.Legs = []broker.Leg{{Symbol: futureA, Action: buyOpen, Quantity: quantity.Mul(decimal.NewFromInt(2))}, {Symbol: futureB, Action: sellOpen, Quantity: quantity}}
		if o.Limit != nil {
			limit := decimal.New(int64(rapid.IntRange(-1200, -800).Draw(t, "net")), -2)
			o.Limit = &limit
		}
	}
	if o.TimeInForce == broker.IOC && o.Type != broker.Limit && o.Type != broker.Market {
		o.TimeInForce = broker.Day
	}
	return o
}

// The indexed engine does what the witness does, fill by fill.
func TestTheEngineAgreesWithAWitness(t *testing.T) {
	total := 0
	rapid.Check(t, func(r *rapid.T) {
		d := newDesk(t, tuesday, func(o *paper.Options) {
			o.Unchecked = true
			o.Trigger = paper.TriggerQuote
			o.Instrument = func(s market.Symbol) (market.Instrument, bool) {
				return market.Instrument{Symbol: s, Kind: market.KindFuture, Multiplier: 50}, true
			}
			o.Observer = nil
		})
		events, err := d.Events(contextOf(), account)
		require.NoError(r, err)
		defer events.Close()
		w := &witness{quotes: map[market.Symbol]*wQuote{}}
		for _, s := range []market.Symbol{futureA, futureB} { // IOC orders find a market
			q := paper.Quote{Symbol: s, Bid: 10, Ask: 10.01, BidSize: 5, AskSize: 5}
			require.NoError(r, d.Quote(q))
			w.quote(q)
		}
		steps := rapid.IntRange(5, 60).Draw(r, "steps")
		placed := 0
		for range steps {
			if rapid.IntRange(0, 2).Draw(r, "what") > 0 {
				q := drawQuote(r)
				q.Symbol = rapid.SampledFrom([]market.Symbol{futureA, futureB}).Draw(r, "on")
				if math.IsNaN(q.Bid) {
					q.Bid = 0.01 // an IOC order has met this market
				}
				require.NoError(r, d.Quote(q))
				w.quote(q)
				continue
			}
			placed++
			o := drawFutureOrder(r, fmt.Sprintf("o%d", placed))
			_, err := d.Place(contextOf(), account, broker.NewTicket(o))
			require.NoError(r, err)
			w.place(placed, o)
		}
		require.Equal(r, w.fills, heard(r, events))
		total += len(w.fills)
	})
	require.Greater(t, total, 500, "the programs were about something")
}

// heard are the fills of a stream so far.
func heard(t require.TestingT, events broker.EventStream) []string {
	var out []string
	for {
		e, ok := paper.TryNext(events)
		if !ok {
			return out
		}
		require.Nil(t, e.Gap)
		if f := e.Fill; f != nil {
			out = append(out, fmt.Sprintf("%s: %s %s@%s", f.Order, f.Symbol, f.Quantity, f.Price))
		}
	}
}
