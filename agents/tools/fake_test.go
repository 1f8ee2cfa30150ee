package tools_test

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
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// now is 10:30 in New York on a Wednesday with a session.
var now = time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)

const rate = 0.04

// A fakeMarket is a source with round numbers: every share costs 100 after
// 98 yesterday, all options have a volatility of 20 %.
type fakeMarket struct {
	clock   market.Clock
	fail    error                       // of every method
	hang    bool                        // until the context ends
	quotes  int                         // calls of Quotes
	metrics int                         // calls of Metrics
	strikes int                         // per expiration; 0: 41
	bars    func(int, *market.Bar)      // changes bar i
	unknown []market.Symbol             // symbols without an answer
	term    map[market.Date]float64     // of Metrics
	change  func(q *market.OptionQuote) // of Chain
}

var expirations = []market.Date{{Year: 2026, Month: 9, Day: 18}, {Year: 2026, Month: 10, Day: 16}, {Year: 2026, Month: 12, Day: 18}}

func (f *fakeMarket) enter(ctx context.Context) error {
	if f.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.fail
}

// known splits symbols into those that the market has and an error for the rest.
func (f *fakeMarket) known(symbols []market.Symbol) ([]market.Symbol, error) {
	var ok, lost []market.Symbol
	for _, s := range symbols {
		if slices.Contains(f.unknown, s) || s == "NOPE" {
			lost = append(lost, s)
		} else {
			ok = append(ok, s)
		}
	}
	if lost != nil {
		return ok, &market.MissingError{Symbols: lost, Err: market.ErrUnknownSymbol}
	}
	return ok, nil
}

func (f *fakeMarket) Quotes(ctx context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	f.quotes++
	if err := f.enter(ctx); err != nil {
		return nil, err
	}
	symbols, err := f.known(symbols)
	var out []market.Quote
	for _, s := range symbols {
		q := market.NewQuote(s)
		q.Time = f.clock.Now()
		if c, isOption := s.Contract(); isOption {
			mid := option(c.Kind, c.Strike, c.Expiration)
			q.Bid, q.Ask = mid-0.05, mid+0.05
		} else {
			q.Bid, q.Ask, q.Last, q.PrevClose, q.Volume = 99.99, 100.01, 100, 98, 1e6
		}
		out = append(out, q)
	}
	return out, err
}

// option is the value that all the fake's quotes are around.
func option(kind market.OptionKind, strike float64, expiration market.Date) float64 {
	years := options.YearsToExpiry(now, options.ExpiryTime(expiration, market.SettledPM, nil))
	return options.BSM{Spot: 100, Strike: strike, Years: years, Rate: rate, Vol: 0.2}.Price(kind)
}

// Bars are daily ones back to 2023, or 30 five-minute ones of today; close i is
// 50 + i/10 and a wave.
func (f *fakeMarket) Bars(ctx context.Context, r market.BarsRequest) ([]market.Bar, error) {
	if err := f.enter(ctx); err != nil {
		return nil, err
	}
	if _, err := f.known([]market.Symbol{r.Symbol}); err != nil {
		return nil, market.ErrUnknownSymbol
	}
	cal := market.NYSE()
	var times []time.Time
	if r.Interval.Intraday() {
		s, _ := cal.Session(market.DateOf(f.clock.Now().In(cal.Location())))
		for t := s.Open; !t.After(f.clock.Now()); t = t.Add(r.Interval.Duration()) {
			times = append(times, t)
		}
	} else {
		for _, s := range cal.Sessions(market.Date{Year: 2023, Month: 1, Day: 1}, market.DateOf(f.clock.Now().In(cal.Location()))) {
			times = append(times, s.Date.In(cal.Location()))
		}
	}
	var out []market.Bar
	for i, t := range times {
		c := 50 + float64(i)/20 + 3*math.Sin(float64(i)/9)
		b := market.Bar{Time: t, Open: c - 0.5, High: c + 1, Low: c - 1, Close: c, Volume: 1000}
		if f.bars != nil {
			f.bars(i, &b)
		}
		if !t.Before(r.From) && (r.To.IsZero() || t.Before(r.To)) {
			out = append(out, b)
		}
	}
	if r.Limit > 0 && len(out) > r.Limit {
		out = out[len(out)-r.Limit:]
	}
	if len(out) == 0 {
		return nil, market.ErrNoData
	}
	return out, nil
}

func (f *fakeMarket) strikeList() []float64 {
	n := f.strikes
	if n == 0 {
		n = 41
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = 100 + float64(i-n/2)
	}
	return out
}

func (f *fakeMarket) Expirations(ctx context.Context, s market.Symbol) ([]market.Expiration, error) {
	if err := f.enter(ctx); err != nil {
		return nil, err
	}
	if _, err := f.known([]market.Symbol{s}); err != nil {
		return nil, err
	}
	var out []market.Expiration
	for _, d := range append([]market.Date{{Year: 2026, Month: 9, Day: 11}}, expirations...) {
		out = append(out, market.Expiration{Underlying: s, Root: string(s), Date: d, Settlement: market.SettledPM, Strikes: f.strikeList()})
	}
	return out, nil
}

func (f *fakeMarket) Chain(ctx context.Context, r market.ChainRequest) ([]market.OptionQuote, error) {
	if err := f.enter(ctx); err != nil {
		return nil, err
	}
	strikes := f.strikeList()
	if r.Strikes > 0 && r.Strikes < len(strikes) {
		from := (len(strikes) - r.Strikes) / 2
		strikes = strikes[from : from+r.Strikes]
	}
	n := math.NaN()
	var out []market.OptionQuote
	for _, d := range r.Expirations {
		for _, k := range strikes {
			for _, kind := range []market.OptionKind{market.Call, market.Put} {
				symbol, err := market.NewOptionSymbol(market.Contract{Root: string(r.Underlying), Expiration: d, Kind: kind, Strike: k})
				if err != nil {
					return nil, err
				}
				mid := option(kind, k, d)
				q := market.OptionQuote{
					Symbol: symbol, Underlying: r.Underlying, Root: string(r.Underlying), Kind: kind, Strike: k, Expiration: d,
					Settlement: market.SettledPM, Multiplier: 100, Time: f.clock.Now(), Bid: math.Max(0, mid-0.001), Ask: mid + 0.001,
					BidSize: 10, AskSize: 10, Last: n, Volume: 7, OpenInterest: 70, IV: n, Delta: n, Gamma: n, Theta: n, Vega: n, Rho: n, Spot: 100,
				}
				if f.change != nil {
					f.change(&q)
				}
				out = append(out, q)
			}
		}
	}
	return out, nil
}

func (f *fakeMarket) Metrics(ctx context.Context, symbols []market.Symbol) ([]market.Metrics, error) {
	f.metrics++
	if err := f.enter(ctx); err != nil {
		return nil, err
	}
	symbols, err := f.known(symbols)
	var out []market.Metrics
	for _, s := range symbols {
		m := market.NewMetrics(s)
		m.Time, m.IVIndex, m.IVRank, m.LiquidityRating = f.clock.Now(), 0.2, 0.35, 4
		m.NextEarnings = &market.Event{Symbol: s, Kind: market.Earnings, Date: market.Date{Year: 2026, Month: 10, Day: 27}, Timing: "after close", Value: math.NaN(), Estimated: true}
		for d, iv := range f.term {
			m.Term = append(m.Term, market.TermVol{Expiration: d, IV: iv})
		}
		out = append(out, m)
	}
	return out, err
}

func (f *fakeMarket) Events(ctx context.Context, _ market.Symbol, _, _ market.Date) ([]market.Event, error) {
	return nil, f.enter(ctx)
}

func (f *fakeMarket) Instruments(ctx context.Context, symbols []market.Symbol) ([]market.Instrument, error) {
	if err := f.enter(ctx); err != nil {
		return nil, err
	}
	symbols, err := f.known(symbols)
	var out []market.Instrument
	for _, s := range symbols {
		out = append(out, market.Instrument{
			Symbol: s, Kind: s.Kind(), Description: "Name of " + string(s) + "\u202e", Active: true, Multiplier: 1, Optionable: true,
			Ticks: []market.Tick{{Below: 1, Increment: 0.0001}, {Below: math.Inf(1), Increment: 0.01}},
		})
	}
	return out, err
}

func (f *fakeMarket) Search(ctx context.Context, text string, limit int) ([]market.Instrument, error) {
	if err := f.enter(ctx); err != nil {
		return nil, err
	}
	var out []market.Instrument
	for _, s := range []market.Symbol{"SPY", "SPX", "QQQ"} {
		if strings.HasPrefix(string(s), strings.ToUpper(text)) && (limit == 0 || len(out) < limit) {
			out = append(out, market.Instrument{Symbol: s, Kind: market.KindEquity, Active: true, Multiplier: 1})
		}
	}
	return out, nil
}

// A fakeBroker has two open accounts and a closed one.
type fakeBroker struct {
	fail      error // of every method
	failFor   broker.AccountID
	positions []broker.Position
}

func (f *fakeBroker) Environment() broker.Environment { return broker.Sandbox }

func (f *fakeBroker) Accounts(context.Context) ([]broker.Account, error) {
	return []broker.Account{
		{ID: "5WT00001", Nickname: "Main", Type: "Individual", Margin: true, OptionsLevel: "No Restrictions"},
		{ID: "5WT00002", Type: "Roth IRA"},
		{ID: "5WT00003", Closed: true},
	}, f.fail
}

func dec(s string) *decimal.Decimal { d := decimal.RequireFromString(s); return &d }

func (f *fakeBroker) Balances(_ context.Context, id broker.AccountID) (*broker.Balances, error) {
	if f.fail != nil || id == f.failFor {
		return nil, fmt.Errorf("%s: %w", id, broker.ErrUnavailable)
	}
	return &broker.Balances{Account: id, Time: now, Currency: "USD", Cash: dec("-1500.25"), NetLiquidatingValue: dec("52345.67")}, nil
}

func (f *fakeBroker) Positions(_ context.Context, id broker.AccountID) ([]broker.Position, error) {
	if f.fail != nil || id == f.failFor {
		return nil, fmt.Errorf("%s: %w", id, broker.ErrUnavailable)
	}
	if id != "5WT00001" {
		return nil, nil
	}
	return f.positions, nil
}

func holdings() []broker.Position {
	return []broker.Position{
		{Symbol: "SPY", Underlying: "SPY", Kind: market.KindEquity, Quantity: *dec("100"), Multiplier: *dec("1"),
			AverageOpenPrice: dec("90"), Mark: dec("100"), PrevClose: dec("98")},
		{Symbol: "SPY   261016P00095000", Underlying: "SPY", Kind: market.KindOption, Quantity: *dec("-2"), Multiplier: *dec("100"),
			AverageOpenPrice: dec("1.20"), Mark: dec("0.55"), PrevClose: dec("0.80"), RealizedDay: dec("10")},
		{Symbol: "QQQ", Underlying: "QQQ", Kind: market.KindEquity, Quantity: *dec("-10"), Multiplier: *dec("1"),
			AverageOpenPrice: dec("101"), Mark: dec("100"), PrevClose: dec("98"), OpenedAt: now.Add(-time.Hour)},
	}
}

func deps(change func(*tools.Deps, *fakeMarket, *fakeBroker)) tools.Deps {
	clock := market.NewManualClock(now)
	m, b := &fakeMarket{clock: clock}, &fakeBroker{positions: holdings()}
	d := tools.Deps{Market: m, Broker: broker.ReadOnly(b), Clock: clock, Rate: rate, Environment: broker.Simulator, Notice: "Simulated data."}
	if change != nil {
		change(&d, m, b)
	}
	return d
}

func find(t testing.TB, d tools.Deps, name string) agents.Tool {
	t.Helper()
	for _, tool := range tools.New(d) {
		if tool.Name == name {
			return tool
		}
	}
	t.Fatalf("no tool %s", name)
	return agents.Tool{}
}

// call runs a tool, checks what holds for every result and returns it.
func call(t testing.TB, d tools.Deps, name, arguments string) map[string]any {
	t.Helper()
	tool := find(t, d, name)
	raw, err := tool.Call(t.Context(), json.RawMessage(arguments))
	require.NoError(t, err)
	assert.Less(t, len(raw), 32<<10, "a result is at most 32 KB")
	var out map[string]any
	require.NoError(t, json.Unmarshal(raw, &out))
	resolved, err := tool.Output.Resolve(nil)
	require.NoError(t, err)
	require.NoError(t, resolved.Validate(out), "the result fits its schema")
	assert.Equal(t, "2026-09-16T10:30:00-04:00", out["as_of"])
	assert.Equal(t, string(tools.EnvironmentOf(d)), out["environment"])
	if d.Notice != "" {
		assert.Equal(t, d.Notice, out["notice"])
	}
	return out
}

func callError(t testing.TB, d tools.Deps, name, arguments string) error {
	t.Helper()
	raw, err := find(t, d, name).Call(t.Context(), json.RawMessage(arguments))
	require.Error(t, err, "%s", raw)
	return err
}

// list and object reach into a result.
func list(t testing.TB, v any) []any {
	t.Helper()
	l, ok := v.([]any)
	require.True(t, ok, "%v is no list", v)
	return l
}

func object(t testing.TB, v any) map[string]any {
	t.Helper()
	o, ok := v.(map[string]any)
	require.True(t, ok, "%v is no object", v)
	return o
}
