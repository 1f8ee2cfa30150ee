package strategy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/strategy"
)

// optionBench drives one strategy over chains that a test makes, on the paper exchange.
type optionBench struct {
	t      testing.TB
	x      *paper.Exchange
	s      *strategy.Session
	run    strategy.Strategy
	opts   strategy.SessionOptions
	data   *benchData
	queue  []broker.Event
	notes  []string
	traded map[market.Symbol]bool
	parts  strategy.Note // the last note with values
	sent   []string      // every order placed, as text, in order
}

// benchOptions change a bench.
type benchOptions struct {
	Cash      int64
	Positions []paper.Position
	Paper     func(*paper.Options)
	Broker    func(broker.Broker) broker.Broker
	Budget    strategy.Budget
}

var nan = math.NaN()

const benchAccount = broker.AccountID("A1")

func newOptionBench(t testing.TB, run strategy.Strategy, start time.Time, o benchOptions) *optionBench {
	t.Helper()
	if o.Cash == 0 {
		o.Cash = 100_000
	}
	b := &optionBench{t: t, run: run, traded: map[market.Symbol]bool{}, data: &benchData{quotes: map[market.Symbol]market.Quote{}, rate: 0.04}}
	opts := &paper.Options{
		Start: start, Seed: 1, FreePrices: true,
		Accounts: []paper.Account{{Account: broker.Account{ID: benchAccount, Margin: true}, Cash: decimal.NewFromInt(o.Cash), Positions: o.Positions}},
		Observer: func(e broker.Event) { b.queue = append(b.queue, e) },
	}
	if o.Paper != nil {
		o.Paper(opts)
	}
	x, err := paper.New(opts)
	require.NoError(t, err)
	b.x = x
	for _, p := range o.Positions {
		b.traded[p.Symbol] = true
	}
	var door broker.Broker = &recorder{Broker: x.Broker(), b: b}
	if o.Broker != nil {
		door = o.Broker(door)
	}
	b.opts = strategy.SessionOptions{Broker: door, Account: benchAccount, Data: b.data, Name: "bench", Budget: o.Budget, Notes: b.note}
	b.s, err = strategy.NewSession(run, b.opts)
	require.NoError(t, err)
	return b
}

func (b *optionBench) note(n strategy.Note) {
	if len(n.Values) > 0 {
		b.parts = n
		return
	}
	b.notes = append(b.notes, n.Text)
}

func (b *optionBench) start() *optionBench {
	b.t.Helper()
	require.NoError(b.t, b.s.Start(context.Background(), b.x.Now(), nil))
	return b
}

// again stops the strategy and goes on with a new one of the same parameters
// from its snapshot, or from the account alone.
func (b *optionBench) again(made strategy.Strategy, snapshot bool) {
	b.t.Helper()
	var state json.RawMessage
	if snapshot {
		var err error
		state, err = b.s.Snapshot()
		require.NoError(b.t, err)
	}
	opts := b.opts
	if !snapshot {
		opts.Run = "again" // tags are never used twice
	}
	s, err := strategy.NewSession(made, opts)
	require.NoError(b.t, err)
	require.NoError(b.t, s.Start(context.Background(), b.x.Now(), state))
	b.s, b.run = s, made
}

// chain moves the time on, feeds a chain and the underlying, and tells the
// strategy.
func (b *optionBench) chain(at time.Time, spot float64, quotes []market.OptionQuote) {
	b.t.Helper()
	b.until(at)
	b.data.now, b.data.chain, b.data.chainAt = at, quotes, at
	b.data.set(market.Quote{Symbol: benchSymbol(quotes), Time: at, Bid: spot, Ask: spot, Last: spot})
	require.NoError(b.t, b.x.Quote(paper.Quote{Symbol: benchSymbol(quotes), Time: at, Bid: spot, Ask: spot, BidSize: 1e6, AskSize: 1e6}))
	for _, q := range quotes {
		b.data.set(market.Quote{Symbol: q.Symbol, Time: at, Bid: q.Bid, Ask: q.Ask, Last: math.NaN()})
		if b.traded[q.Symbol] {
			b.quote(q.Symbol)
		}
	}
	b.drain()
	b.deliver(&strategy.Event{Kind: strategy.ChainEvent, Time: at, Symbol: benchSymbol(quotes), Chain: quotes})
	b.drain()
}

// quote tells the exchange what a contract is quoted at. It is told of those that
// were ever traded, which makes thousands of quotes cheap.
func (b *optionBench) quote(symbol market.Symbol) {
	b.t.Helper()
	b.traded[symbol] = true
	if q, ok := b.data.quotes[symbol]; ok && symbol.Kind() == market.KindOption && (q.Bid >= 0 || q.Ask > 0) {
		require.NoError(b.t, b.x.Quote(paper.Quote{Symbol: symbol, Bid: q.Bid, Ask: q.Ask, BidSize: 1000, AskSize: 1000}))
	}
}

func benchSymbol(quotes []market.OptionQuote) market.Symbol {
	if len(quotes) == 0 {
		return "XYZ"
	}
	return quotes[0].Underlying
}

// until lets the time pass: timers fire, orders end, options expire.
func (b *optionBench) until(to time.Time) {
	b.t.Helper()
	for range 10_000 {
		at := to
		if timer, ok := b.s.NextTimer(); ok && timer.Before(at) {
			at = timer
		}
		if next, ok := b.x.Next(); ok && next.Before(at) {
			at = next
		}
		if at.After(b.x.Now()) {
			require.NoError(b.t, b.x.Advance(at))
			b.data.now = at
		}
		b.drain()
		require.NoError(b.t, b.s.Fire(at))
		b.drain()
		if !at.Before(to) {
			return
		}
	}
	b.t.Fatal("time does not move on")
}

func (b *optionBench) deliver(e *strategy.Event) {
	b.t.Helper()
	require.NoError(b.t, b.s.Deliver(e))
}

func (b *optionBench) drain() {
	b.t.Helper()
	for len(b.queue) > 0 {
		e := b.queue[0]
		b.queue = b.queue[1:]
		at := b.x.Now()
		switch {
		case e.Order != nil:
			b.deliver(&strategy.Event{Kind: strategy.OrderEvent, Time: at, Order: e.Order})
		case e.Fill != nil:
			b.deliver(&strategy.Event{Kind: strategy.FillEvent, Time: at, Fill: e.Fill})
		case e.Transaction != nil:
			b.deliver(&strategy.Event{Kind: strategy.AccountEvent, Time: at, Transaction: e.Transaction})
		}
	}
}

// held is what the account holds, as text.
func (b *optionBench) held() []string {
	b.t.Helper()
	positions, err := b.x.Broker().Positions(context.Background(), benchAccount)
	require.NoError(b.t, err)
	var out []string
	for _, p := range positions {
		out = append(out, fmt.Sprintf("%s %s", p.Quantity, short(p.Symbol)))
	}
	slices.Sort(out)
	return out
}

// worth is the account's net liquidating value.
func (b *optionBench) worth() float64 {
	b.t.Helper()
	balances, err := b.x.Broker().Balances(context.Background(), benchAccount)
	require.NoError(b.t, err)
	return balances.NetLiquidatingValue.InexactFloat64()
}

func (b *optionBench) said(part string) bool {
	return slices.ContainsFunc(b.notes, func(n string) bool { return strings.Contains(n, part) })
}

// short writes an option as "0116 100C".
func short(s market.Symbol) string {
	c, ok := s.Contract()
	if !ok {
		return string(s)
	}
	return fmt.Sprintf("%02d%02d %g%s", c.Expiration.Month, c.Expiration.Day, c.Strike, strings.ToUpper(c.Kind.String()[:1]))
}

// recorder writes down what is placed.
type recorder struct {
	broker.Broker
	b *optionBench
}

func (r *recorder) Place(ctx context.Context, account broker.AccountID, t broker.Ticket) ([]broker.OrderState, error) {
	for _, o := range t.Orders {
		for _, l := range o.Legs {
			if !r.b.traded[l.Symbol] {
				r.b.quote(l.Symbol)
			}
		}
		r.b.sent = append(r.b.sent, orderText(o))
	}
	return r.Broker.Place(ctx, account, t)
}

func orderText(o broker.Order) string {
	var legs []string
	for _, l := range o.Legs {
		verb := map[broker.Action]string{broker.BuyToOpen: "BTO", broker.SellToOpen: "STO", broker.BuyToClose: "BTC", broker.SellToClose: "STC"}[l.Action]
		legs = append(legs, fmt.Sprintf("%s %s %s", verb, l.Quantity, short(l.Symbol)))
	}
	price := "market"
	if o.Limit != nil {
		price = o.Limit.StringFixed(2)
	}
	return strings.Join(legs, ", ") + " @ " + price
}

// benchData is what has been fed.
type benchData struct {
	now     time.Time
	quotes  map[market.Symbol]market.Quote
	chain   []market.OptionQuote
	chainAt time.Time
	bars    []market.Bar
	events  []market.Event
	rate    float64
}

func (d *benchData) set(q market.Quote) { d.quotes[q.Symbol] = q }

func (d *benchData) Quote(s market.Symbol) (market.Quote, bool) { q, ok := d.quotes[s]; return q, ok }

func (d *benchData) Chain(market.Symbol) ([]market.OptionQuote, time.Time) { return d.chain, d.chainAt }

func (d *benchData) Bars(_ market.Symbol, n int) []market.Bar {
	return d.bars[max(0, len(d.bars)-n):]
}

func (d *benchData) Events(_ market.Symbol, from, to market.Date) []market.Event {
	var out []market.Event
	for _, e := range d.events {
		if !e.Date.Before(from) && !e.Date.After(to) {
			out = append(out, e)
		}
	}
	return out
}

func (d *benchData) Rate(float64) float64 { return d.rate }

// A smile makes chains: options by Black-Scholes-Merton on one volatility, on
// strikes of a step, with a spread of 2 ticks around the middle.
type smile struct {
	Symbol   market.Symbol
	Vol      float64
	Step     float64
	Strikes  int // on either side of the price
	Expiries []market.Date
	Interest float64 // open interest; 1000 when 0
	Half     float64 // half the spread; 0.02 when 0
}

func day(text string) market.Date {
	d, err := market.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

// ny is a time of a day in New York.
func ny(date string, hour, minute int) time.Time {
	return day(date).At(hour, minute, market.NYSE().Location())
}

func (m smile) at(now time.Time, spot float64) []market.OptionQuote {
	if m.Symbol == "" {
		m.Symbol = "XYZ"
	}
	if m.Half == 0 {
		m.Half = 0.02
	}
	if m.Interest == 0 {
		m.Interest = 1000
	}
	var out []market.OptionQuote
	middle := math.Round(100/m.Step) * m.Step // strikes do not move with the price
	for _, date := range m.Expiries {
		years := options.YearsToExpiry(now, options.ExpiryTime(date, "", nil))
		for i := -m.Strikes; i <= m.Strikes; i++ {
			strike := middle + float64(i)*m.Step
			for _, kind := range []options.Kind{options.Call, options.Put} {
				symbol, err := market.NewOptionSymbol(market.Contract{Root: string(m.Symbol), Expiration: date, Kind: kind, Strike: strike})
				if err != nil {
					panic(err)
				}
				value := options.BSM{Spot: spot, Strike: strike, Years: years, Rate: 0.04, Vol: m.Vol}.Price(kind)
				mid := math.Round(value*100) / 100
				bid, ask := math.Max(0, math.Round((mid-m.Half)*100)/100), math.Round((mid+m.Half)*100)/100
				out = append(out, market.OptionQuote{
					Symbol: symbol, Underlying: m.Symbol, Root: string(m.Symbol), Kind: kind, Strike: strike, Expiration: date, Style: market.American,
					Multiplier: 100, Time: now, Bid: bid, Ask: ask, BidSize: 1000, AskSize: 1000, Last: nan, Volume: nan, OpenInterest: m.Interest,
					IV: nan, Delta: nan, Gamma: nan, Theta: nan, Vega: nan, Rho: nan, Spot: spot,
				})
			}
		}
	}
	return out
}

// build makes a built-in strategy from its defaults and changes to them.
func build(t testing.TB, name string, changes map[string]any) strategy.Strategy {
	t.Helper()
	d, err := strategy.Lookup(name)
	require.NoError(t, err)
	params, err := json.Marshal(changes)
	require.NoError(t, err)
	made, err := d.New(params)
	require.NoError(t, err)
	return made
}
