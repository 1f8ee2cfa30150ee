package scaletest

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// open is when the market's hour begins.
var open = time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)

var expiration = market.Date{Year: 2026, Month: time.October, Day: 16}

// A walk is a market whose prices are a function of time: waves of minutes to an
// hour, which move a price by about a per cent within one, and noise at each step.
// Every share steps once in a period, each at a moment of its own. The first
// optioned shares have contracts. It keeps nothing, so that it costs little beside
// what is measured.
type walk struct {
	clock  market.Clock
	shares int
	period time.Duration // of the market's time
	from   map[market.Symbol]int
}

const (
	optioned  = 20 // shares with options
	contracts = 10 // of each
)

func newWalk(clock market.Clock, shares int, period time.Duration) *walk {
	w := &walk{clock: clock, shares: shares, period: period, from: map[market.Symbol]int{}}
	for i := range shares {
		w.from[share(i)] = i
	}
	return w
}

// share is the name of the nth share.
func share(n int) market.Symbol {
	return market.Symbol([]byte{'A' + byte(n/17576%26), 'A' + byte(n/676%26), 'A' + byte(n/26%26), 'A' + byte(n%26)})
}

// contract is the kth contract of the nth share: calls and puts around its price.
func contract(n, k int) (symbol market.Symbol, kind options.Kind, strike float64) {
	kind, letter := options.Call, "C"
	if k%2 == 1 {
		kind, letter = options.Put, "P"
	}
	strike = math.Round(base(n)*(0.96+0.02*float64(k/2))/5) * 5
	strike += float64(k / 2) // so that none is there twice
	return market.Symbol(fmt.Sprintf("%-6s%02d%02d%02d%s%08d", share(n), expiration.Year%100, expiration.Month, expiration.Day, letter, int(strike*1000))), kind, strike
}

// hash spreads two numbers over [0, 1).
func hash(a, b int64) float64 {
	x := uint64(a)*0x9e3779b97f4a7c15 + uint64(b)*0xbf58476d1ce4e5b9
	x ^= x >> 31
	x *= 0x94d049bb133111eb
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 32
	return float64(x>>11) / (1 << 53)
}

func base(n int) float64 { return 100 + math.Floor(300*hash(int64(n), 1)) }

// at is a share's price at a time, and when it became that. It stands still before
// the hour begins.
func (w *walk) at(n int, now time.Time) (price float64, since time.Time) {
	if now.Before(open) {
		now = open
	}
	offset := int64(hash(int64(n), 2) * float64(w.period))
	step := (now.Sub(open).Nanoseconds() + offset) / w.period.Nanoseconds()
	since = open.Add(time.Duration(step*w.period.Nanoseconds() - offset))
	t := since.Sub(open).Minutes()
	x := 4e-4 * (hash(int64(n), 1000+step) - 0.5)
	for k, wave := range [...]struct{ minutes, size float64 }{{7, 0.0012}, {23, 0.0022}, {61, 0.0045}} {
		phase := 2 * math.Pi * hash(int64(n), int64(10+k))
		x += wave.size * (math.Sin(2*math.Pi*t/wave.minutes+phase) - math.Sin(phase))
	}
	return math.Round(base(n)*(1+x)*100) / 100, since
}

// quote is the quote of a share.
func (w *walk) quote(n int, now time.Time) market.Quote {
	p, since := w.at(n, now)
	q := market.NewQuote(share(n))
	q.Time, q.Bid, q.Ask, q.Last, q.BidSize, q.AskSize = since, p-0.01, p+0.01, p, 3, 4
	q.Open, q.PrevClose, q.Volume = base(n), base(n), 1e6
	return q
}

// option is the quote of a contract of a share.
func (w *walk) option(n, k int, now time.Time) market.OptionQuote {
	symbol, kind, strike := contract(n, k)
	spot, since := w.at(n, now)
	p := options.BSM{Spot: spot, Strike: strike, Years: 30.0 / 365, Rate: 0.04, Vol: 0.3}.Price(kind)
	bid := math.Floor(p*100) / 100
	nan := math.NaN()
	o := market.OptionQuote{
		Symbol: symbol, Underlying: share(n), Root: string(share(n)), Kind: market.Call, Strike: strike, Expiration: expiration, Multiplier: 100,
		Time: since, Bid: bid, Ask: bid + 0.02, BidSize: 5, AskSize: 6, Last: bid + 0.01, Volume: 10, OpenInterest: 100,
		IV: 0.3, Delta: nan, Gamma: nan, Theta: nan, Vega: nan, Rho: nan, Spot: spot,
	}
	if kind == options.Put {
		o.Kind = market.Put
	}
	return o
}

// Quotes implements market.Source for shares.
func (w *walk) Quotes(_ context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	now := w.clock.Now()
	var out []market.Quote
	var missing []market.Symbol
	for _, s := range symbols {
		n, ok := w.from[s]
		if !ok {
			missing = append(missing, s)
			continue
		}
		out = append(out, w.quote(n, now))
	}
	if missing != nil {
		return out, &market.MissingError{Symbols: missing, Err: market.ErrUnknownSymbol}
	}
	return out, nil
}

// Chain implements market.Source.
func (w *walk) Chain(_ context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	n, ok := w.from[req.Underlying]
	if !ok || n >= optioned {
		return nil, market.ErrNoData
	}
	now := w.clock.Now()
	var out []market.OptionQuote
	for k := range contracts {
		out = append(out, w.option(n, k, now))
	}
	return out, nil
}

func (w *walk) Bars(context.Context, market.BarsRequest) ([]market.Bar, error) {
	return nil, market.ErrUnsupported
}
func (w *walk) Expirations(context.Context, market.Symbol) ([]market.Expiration, error) {
	return nil, market.ErrUnsupported
}
func (w *walk) Metrics(context.Context, []market.Symbol) ([]market.Metrics, error) {
	return nil, market.ErrUnsupported
}
func (w *walk) Events(context.Context, market.Symbol, market.Date, market.Date) ([]market.Event, error) {
	return nil, market.ErrUnsupported
}
func (w *walk) Instruments(context.Context, []market.Symbol) ([]market.Instrument, error) {
	return nil, market.ErrUnsupported
}
func (w *walk) Search(context.Context, string, int) ([]market.Instrument, error) {
	return nil, market.ErrUnsupported
}
