package analysts_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// A fake is a scripted source. What is not set is not supported.
type fake struct {
	bars       map[market.Symbol][]market.Bar
	quote      *market.Quote
	metrics    *market.Metrics
	events     []market.Event
	chain      []market.OptionQuote
	instrument *market.Instrument

	hang map[string]bool  // methods that answer only when the context ends
	fail map[string]error // methods that fail
}

var _ market.Source = (*fake)(nil)

func (f *fake) begin(ctx context.Context, method string) error {
	if f.hang[method] {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return f.fail[method]
}

func single[T any](v *T) ([]T, error) {
	if v == nil {
		return nil, market.ErrUnsupported
	}
	return []T{*v}, nil
}

func (f *fake) Quotes(ctx context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	if err := f.begin(ctx, "Quotes"); err != nil {
		return nil, err
	}
	return single(f.quote)
}

// Bars gives everything it has, whatever window was asked for: keeping to the
// window is the analyst's business.
func (f *fake) Bars(ctx context.Context, req market.BarsRequest) ([]market.Bar, error) {
	if err := f.begin(ctx, "Bars"); err != nil {
		return nil, err
	}
	bars, ok := f.bars[req.Symbol]
	if !ok {
		return nil, market.ErrUnknownSymbol
	}
	return slices.Clone(bars), nil
}

func (f *fake) Expirations(ctx context.Context, underlying market.Symbol) ([]market.Expiration, error) {
	if err := f.begin(ctx, "Expirations"); err != nil {
		return nil, err
	}
	var list []market.Expiration
	for _, q := range f.chain {
		i := slices.IndexFunc(list, func(e market.Expiration) bool { return e.Date == q.Expiration })
		if i < 0 {
			i, list = len(list), append(list, market.Expiration{Underlying: underlying, Root: q.Root, Date: q.Expiration, Settlement: market.SettledPM, Style: market.American})
		}
		if !slices.Contains(list[i].Strikes, q.Strike) {
			list[i].Strikes = append(list[i].Strikes, q.Strike)
		}
	}
	if list == nil {
		return nil, market.ErrUnsupported
	}
	return list, nil
}

func (f *fake) Chain(ctx context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	if err := f.begin(ctx, "Chain"); err != nil {
		return nil, err
	}
	var out []market.OptionQuote
	for _, q := range f.chain {
		near := req.Strikes == 0 || math.Abs(q.Strike/q.Spot-1) < 0.03
		if slices.Contains(req.Expirations, q.Expiration) && q.Strike >= req.MinStrike && (req.MaxStrike == 0 || q.Strike <= req.MaxStrike) && near {
			out = append(out, q)
		}
	}
	return out, nil
}

func (f *fake) Metrics(ctx context.Context, symbols []market.Symbol) ([]market.Metrics, error) {
	if err := f.begin(ctx, "Metrics"); err != nil {
		return nil, err
	}
	return single(f.metrics)
}

func (f *fake) Events(ctx context.Context, symbol market.Symbol, from, to market.Date) ([]market.Event, error) {
	if err := f.begin(ctx, "Events"); err != nil {
		return nil, err
	}
	if f.events == nil {
		return nil, market.ErrUnsupported
	}
	return f.events, nil
}

func (f *fake) Instruments(ctx context.Context, symbols []market.Symbol) ([]market.Instrument, error) {
	if err := f.begin(ctx, "Instruments"); err != nil {
		return nil, err
	}
	return single(f.instrument)
}

func (f *fake) Search(context.Context, string, int) ([]market.Instrument, error) {
	return nil, market.ErrUnsupported
}

var (
	newYork = market.NYSE().Location()
	// noon is the instant most tests look from: a Wednesday in a session.
	noon = time.Date(2025, 10, 15, 12, 0, 0, 0, newYork)
)

// trend makes n daily bars that end on the session before noon: closes grow by
// drift a day around a wave of amplitude wave, all as fractions of the price.
func trend(n int, drift, wave float64) []market.Bar {
	today := market.DateOf(noon)
	sessions := market.NYSE().Sessions(today.AddDays(-2*n-30), today.AddDays(-1))
	sessions = sessions[len(sessions)-n:]
	bars := make([]market.Bar, n)
	at := func(i int) float64 { return 100 * math.Exp(drift*float64(i)+wave*math.Sin(float64(i)*0.35)) }
	for i, s := range sessions {
		open, last := at(i-1), at(i)
		bars[i] = market.Bar{
			Time: s.Date.In(newYork), Open: open, High: max(open, last) * 1.004, Low: min(open, last) * 0.996, Close: last,
			Volume: 1e6 * (1.5 + math.Sin(float64(i))),
		}
	}
	return bars
}

// chainAround prices options on spot at a flat volatility with quotes a given
// share of the price wide.
func chainAround(spot, vol, rate, spread float64, days ...int) []market.OptionQuote {
	var chain []market.OptionQuote
	for _, n := range days {
		date := market.DateOf(noon).AddDays(n)
		years := options.YearsToExpiry(noon, options.ExpiryTime(date, market.SettledPM, nil))
		step := math.Max(1, math.Round(spot/100))
		for k := math.Round(spot*0.6/step) * step; k <= spot*1.5; k += step {
			for _, kind := range []market.OptionKind{market.Call, market.Put} {
				symbol, err := market.NewOptionSymbol(market.Contract{Root: "TEST", Expiration: date, Kind: kind, Strike: k})
				if err != nil {
					panic(err)
				}
				mid := options.BSM{Spot: spot, Strike: k, Years: years, Rate: rate, Vol: vol}.Price(kind)
				q := market.OptionQuote{
					Symbol: symbol, Underlying: "TEST", Root: "TEST", Kind: kind, Strike: k, Expiration: date, Style: market.American, Settlement: market.SettledPM,
					Multiplier: 100, Time: noon.Add(-time.Minute), Bid: mid * (1 - spread/2), Ask: mid * (1 + spread/2), BidSize: 10, AskSize: 10,
					Last: math.NaN(), Volume: 50, OpenInterest: 900, Spot: spot,
					IV: math.NaN(), Delta: math.NaN(), Gamma: math.NaN(), Theta: math.NaN(), Vega: math.NaN(), Rho: math.NaN(),
				}
				chain = append(chain, q)
			}
		}
	}
	return chain
}

const testRate = 0.04

// rising is a share in an uptrend with everything known and no earnings near.
func rising() *fake {
	bars := trend(700, 0.0005, 0.03)
	spot := bars[len(bars)-1].Close
	quote := market.NewQuote("TEST")
	quote.Time, quote.Bid, quote.Ask, quote.Last = noon, spot-0.01, spot+0.01, spot
	metrics := market.NewMetrics("TEST")
	metrics.Time, metrics.IVIndex, metrics.IVIndex5Day, metrics.IVRank, metrics.IVPercentile = noon, 0.4, 0.01, 0.62, 0.7
	metrics.Beta, metrics.MarketCap, metrics.PriceEarnings, metrics.DividendYield, metrics.LiquidityRating = 1.1, 2.5e11, 22, 0.012, 4
	today := market.DateOf(noon)
	return &fake{
		bars: map[market.Symbol][]market.Bar{"TEST": bars, "SPY": trend(700, 0.0003, 0.02)}, quote: &quote, metrics: &metrics,
		events: []market.Event{
			{Symbol: "TEST", Kind: market.Dividend, Date: today.AddDays(20), Value: 0.26},
			{Symbol: "TEST", Kind: market.Earnings, Date: today.AddDays(80), Timing: "after close", Value: math.NaN(), Estimated: true},
		},
		chain:      chainAround(spot, 0.4, testRate, 0.02, 2, 9, 23, 37, 51, 93),
		instrument: &market.Instrument{Symbol: "TEST", Kind: market.KindEquity, Description: "Test Corporation", Active: true, Multiplier: 1, Optionable: true},
	}
}

// A wallet is a scripted broker.
type wallet struct {
	accounts  []broker.Account
	balances  map[broker.AccountID]*broker.Balances
	positions map[broker.AccountID][]broker.Position
	err       error
}

var _ broker.Reader = (*wallet)(nil)

func (w *wallet) Environment() broker.Environment { return broker.Sandbox }
func (w *wallet) Accounts(context.Context) ([]broker.Account, error) {
	return w.accounts, w.err
}
func (w *wallet) Balances(_ context.Context, a broker.AccountID) (*broker.Balances, error) {
	if b := w.balances[a]; b != nil {
		return b, nil
	}
	return nil, broker.ErrUnavailable
}
func (w *wallet) Positions(_ context.Context, a broker.AccountID) ([]broker.Position, error) {
	return w.positions[a], nil
}

func dec(s string) *decimal.Decimal {
	d := decimal.RequireFromString(s)
	return &d
}

func analyst(t testing.TB, source market.Source, change func(*analysts.Deps)) *analysts.Analyst {
	t.Helper()
	deps := analysts.Deps{Market: source, Clock: market.NewManualClock(noon), Rate: testRate, Environment: broker.Simulator, Notice: "made for a test"}
	if change != nil {
		change(&deps)
	}
	a, err := analysts.New(deps)
	require.NoError(t, err)
	return a
}

func analyze(t testing.TB, source market.Source, req analysts.Request) *analysts.Analysis {
	t.Helper()
	if req.Symbol == "" {
		req.Symbol = "TEST"
	}
	result, err := analyst(t, source, nil).Analyze(t.Context(), req)
	require.NoError(t, err)
	return result
}

func value(t testing.TB, a *analysts.Analysis, id string) float64 {
	t.Helper()
	e, ok := a.Find(id)
	require.True(t, ok, "no evidence %s", id)
	require.Empty(t, e.Absent, id)
	return float64(e.Value)
}

func absent(t testing.TB, a *analysts.Analysis, id string) string {
	t.Helper()
	e, ok := a.Find(id)
	require.True(t, ok, "no evidence %s", id)
	require.False(t, e.Known(), id)
	require.False(t, e.Value.Known(), id)
	return e.Absent
}

func view(a *analysts.Analysis, name string) analysts.View {
	i := slices.IndexFunc(a.Views, func(v analysts.View) bool { return v.Name == name })
	return a.Views[i]
}
