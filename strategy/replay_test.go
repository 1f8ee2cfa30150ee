package strategy_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

const account = broker.AccountID("PAPER1")

// past is data that grows while a replay goes on.
type past struct {
	bars    map[market.Symbol][]market.Bar
	quotes  map[market.Symbol]market.Quote
	columns map[string]float64
}

func newPast() *past {
	return &past{bars: map[market.Symbol][]market.Bar{}, quotes: map[market.Symbol]market.Quote{}, columns: map[string]float64{}}
}

func (p *past) Quote(s market.Symbol) (market.Quote, bool) { q, ok := p.quotes[s]; return q, ok }
func (p *past) Chain(market.Symbol) ([]market.OptionQuote, time.Time) {
	return nil, time.Time{}
}
func (p *past) Bars(s market.Symbol, n int) []market.Bar {
	bars := p.bars[s]
	return bars[max(0, len(bars)-n):]
}
func (p *past) Events(market.Symbol, market.Date, market.Date) []market.Event { return nil }
func (p *past) Rate(float64) float64                                          { return 0 }
func (p *past) Column(_ market.Symbol, name string) float64 {
	if x, ok := p.columns[name]; ok {
		return x
	}
	return math.NaN()
}

// A sent is an order as it can be compared between brokers.
type sent struct {
	Time     string
	Symbol   market.Symbol
	Action   broker.Action
	Quantity string
	Type     broker.OrderType
	Price    string
}

func sentOf(at time.Time, o broker.Order) []sent {
	var out []sent
	for _, l := range o.Legs {
		price := ""
		if o.Limit != nil {
			price = o.Limit.String()
		}
		if o.Stop != nil {
			price = o.Stop.String()
		}
		out = append(out, sent{at.In(market.NYSE().Location()).Format("2006-01-02 15:04"), l.Symbol, l.Action, l.Quantity.String(), o.Type, price})
	}
	return out
}

// A replay feeds bars to the paper exchange and to a strategy.
type replay struct {
	t        testing.TB
	x        *paper.Exchange
	data     *past
	session  *strategy.Session
	interval market.Interval
	opts     strategy.SessionOptions
	queue    []broker.Event
	orders   []sent
	fills    []broker.Fill
	notes    []strategy.Note
	quiet    bool // no orders are let through
	columns  func(i int) map[string]float64
}

type spy struct {
	broker.Broker
	r *replay
}

func (s spy) Place(ctx ctx, a broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
	if s.r.quiet {
		return nil, &broker.RejectedError{Notices: []broker.Notice{{Code: "quiet", Message: "no orders now"}}}
	}
	states, err := s.Broker.Place(ctx, a, ticket)
	if err == nil {
		for _, o := range ticket.Orders {
			s.r.orders = append(s.r.orders, sentOf(s.r.session.Now(), o)...)
		}
	}
	return states, err
}

func newReplay(t testing.TB, st strategy.Strategy, start time.Time, change ...func(*paper.Options, *strategy.SessionOptions)) *replay {
	t.Helper()
	r := &replay{t: t, data: newPast(), interval: "1d"}
	o := &paper.Options{
		Start: start, Continuous: true, FreePrices: true, IgnoreSizes: true,
		Accounts: []paper.Account{{Account: broker.Account{ID: account, Margin: true}, Cash: decimal.NewFromInt(100_000)}},
	}
	r.opts = strategy.SessionOptions{Account: account, Data: r.data, Name: "test", Notes: func(n strategy.Note) { r.notes = append(r.notes, n) }}
	for _, f := range change {
		f(o, &r.opts)
	}
	o.Observer = func(e broker.Event) { r.queue = append(r.queue, e) }
	x, err := paper.New(o)
	require.NoError(t, err)
	r.x = x
	r.opts.Broker = spy{x.Broker(), r}
	r.session, err = strategy.NewSession(st, r.opts)
	require.NoError(t, err)
	require.NoError(t, r.session.Start(t.Context(), start, nil))
	return r
}

// swap puts a new strategy in the place of the one that runs, from a snapshot.
func (r *replay) swap(st strategy.Strategy) {
	r.t.Helper()
	state, err := r.session.Snapshot()
	require.NoError(r.t, err)
	next, err := strategy.NewSession(st, r.opts)
	require.NoError(r.t, err)
	now := r.session.Now()
	r.session = next
	require.NoError(r.t, next.Start(r.t.Context(), now, state))
	again, err := next.Snapshot()
	require.NoError(r.t, err)
	var before, after struct {
		Strategy json.RawMessage
		Working  json.RawMessage
		Timers   json.RawMessage
	}
	require.NoError(r.t, json.Unmarshal(state, &before))
	require.NoError(r.t, json.Unmarshal(again, &after))
	require.Equal(r.t, before, after, "a snapshot of what was restored is the same")
}

func (r *replay) drain() {
	for len(r.queue) > 0 {
		e := r.queue[0]
		r.queue = r.queue[1:]
		at := r.session.Now()
		if e.Time.After(at) {
			at = e.Time
		}
		var next *strategy.Event
		switch {
		case e.Order != nil:
			next = &strategy.Event{Kind: strategy.OrderEvent, Time: at, Order: e.Order}
		case e.Fill != nil:
			r.fills = append(r.fills, *e.Fill)
			next = &strategy.Event{Kind: strategy.FillEvent, Time: at, Fill: e.Fill}
		case e.Transaction != nil:
			next = &strategy.Event{Kind: strategy.AccountEvent, Time: at, Transaction: e.Transaction}
		default:
			continue
		}
		require.NoError(r.t, r.session.Deliver(next))
	}
}

// bar replays the bars of one interval, one of each symbol.
func (r *replay) bar(symbols []market.Symbol, bars []market.Bar) {
	r.t.Helper()
	var in []paper.Bar
	for i, s := range symbols {
		in = append(in, paper.Bar{Bar: bars[i], Symbol: s, Interval: r.interval})
	}
	require.NoError(r.t, r.x.Bars(in))
	end := r.x.Now()
	for i, s := range symbols {
		r.data.bars[s] = append(r.data.bars[s], bars[i])
	}
	r.drain()
	require.NoError(r.t, r.session.Fire(end))
	for i, s := range symbols {
		require.NoError(r.t, r.session.Deliver(&strategy.Event{Kind: strategy.BarEvent, Time: end, Symbol: s, Bar: bars[i]}))
		r.drain()
	}
}

func (r *replay) all(symbols []market.Symbol, series [][]market.Bar) {
	r.t.Helper()
	for i := range series[0] {
		if r.columns != nil {
			r.data.columns = r.columns(i)
		}
		row := make([]market.Bar, len(symbols))
		for j := range symbols {
			row[j] = series[j][i]
		}
		r.bar(symbols, row)
	}
}

func (r *replay) value() float64 {
	b, err := r.x.Broker().Balances(r.t.Context(), account)
	require.NoError(r.t, err)
	return b.NetLiquidatingValue.InexactFloat64()
}

// make makes a built-in strategy.
func built(t testing.TB, name, params string) strategy.Strategy {
	t.Helper()
	d, err := strategy.Lookup(name)
	require.NoError(t, err)
	st, err := d.New(json.RawMessage(params))
	require.NoError(t, err)
	return st
}

// walk is a random walk of daily bars, the same for the same seed.
func walk(seed uint64, n int) []market.Bar {
	r := rand.New(rand.NewPCG(seed, 7))
	bars := make([]market.Bar, 0, n)
	price := 100.0
	day := time.Date(2020, 1, 2, 0, 0, 0, 0, market.NYSE().Location())
	for range n {
		open := price * (1 + 0.004*r.NormFloat64())
		price = open * (1 + 0.02*r.NormFloat64())
		price = math.Max(price, 5)
		high, low := math.Max(open, price)*(1+0.005*r.Float64()), math.Min(open, price)*(1-0.005*r.Float64())
		bars = append(bars, market.Bar{Time: day, Open: cents(open), High: cents(high) + 0.01, Low: cents(low) - 0.01, Close: cents(price), Volume: 1e6})
		day = market.NYSE().Next(market.NYSE().Next(day).Close).Open
		day = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, day.Location())
	}
	return bars
}

func cents(x float64) float64 { return math.Round(x*100) / 100 }

// sample are parameters with which each price strategy trades on a random walk.
var sample = map[string]string{
	"smac":           `{"symbol":"ACME","fast_period":5,"slow_period":20}`,
	"emac":           `{"symbol":"ACME","fast_period":5,"slow_period":20,"stop_loss":0.04,"stop_trail":0.05}`,
	"rsi":            `{"symbol":"ACME","rsi_period":7,"rsi_upper":65,"rsi_lower":35,"take_profit":0.05}`,
	"macd":           `{"symbol":"ACME","fast_period":4,"slow_period":10,"signal_period":4,"sma_period":12,"dir_period":3}`,
	"bbands":         `{"symbol":"ACME","period":15,"devfactor":1.5,"allow_short":true,"short_max":0.5}`,
	"buynhold":       `{"symbol":"ACME","buy_prop":0.9}`,
	"sentiment":      `{"symbol":"ACME","senti":0.3}`,
	"custom":         `{"symbol":"ACME","upper_limit":80,"lower_limit":20}`,
	"ternary":        `{"symbol":"ACME","single_position":true}`,
	"ma-cross":       `{"symbol":"ACME","average":"hma","fast":5,"slow":20,"direction":"both"}`,
	"breakout":       `{"symbol":"ACME","entry":15,"exit":7,"direction":"both"}`,
	"mean-reversion": `{"symbol":"ACME","lookback":15,"entry":1.5,"exit":0.3,"stop":2.8,"hold":12,"direction":"both"}`,
	"pairs":          `{"symbol":"ACME","against":"BOLT","lookback":20,"entry":1.5,"stop":3}`,
}

var sampleSymbols = []market.Symbol{"ACME", "BOLT"}

func sampleSeries(n int) [][]market.Bar {
	a, b := walk(1, n), walk(2, n)
	for i := range b { // one goes with the other
		k := math.Sqrt(a[i].Close / 100)
		b[i].Open, b[i].High, b[i].Low, b[i].Close = cents(80*k), cents(81*k)+0.5, cents(79*k)-0.5, cents(80*k*(1+0.01*math.Sin(float64(i)/6)))
	}
	return [][]market.Bar{a, b}
}

func sampleColumns(i int) map[string]float64 {
	r := rand.New(rand.NewPCG(uint64(i), 3))
	return map[string]float64{"sentiment_score": 2*r.Float64() - 1, "custom": []float64{1, -1, 0, 3, 97, 50, 12, 88}[r.IntN(8)]}
}

func replaySample(t testing.TB, name string, series [][]market.Bar, swaps map[int]bool) *replay {
	t.Helper()
	r := newReplay(t, built(t, name, sample[name]), series[0][0].Time)
	for i := range series[0] {
		r.data.columns = sampleColumns(i)
		r.bar(sampleSymbols, []market.Bar{series[0][i], series[1][i]})
		if swaps[i] {
			r.swap(built(t, name, sample[name]))
		}
	}
	return r
}

func (s sent) String() string {
	return fmt.Sprintf("%s %s %s %s %s %s", s.Time, s.Action, s.Quantity, s.Symbol, s.Type, s.Price)
}
