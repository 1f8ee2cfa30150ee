// Package market has the words that every other package shares: symbols,
// bars, quotes, option quotes, metrics and events; the [Source] interface that
// brokers, simulators and files implement; clocks; the exchange calendars, hours
// and expirations; the dates of economic announcements; and the adjustment of
// bars for splits and dividends.
//
// # Conventions
//
// Prices, sizes, volatilities and Greeks are float64. NaN means "not known";
// zero means zero. Volatilities and yields are decimals per year (0.2 is 20 %).
// Times are instants; trading dates are [Date] values of the exchange in
// America/New_York. Nothing in the package reads the wall clock or the
// environment: time comes from a [Clock].
package market

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/civil"
	"github.com/ttai-go/ttai/internal/invalid"
)

// A Date is a calendar day; the zero Date means "no date".
type Date = civil.Date

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) { return civil.ParseDate(s) }

// DateOf returns the date that t shows in its own location.
func DateOf(t time.Time) Date { return civil.DateOf(t) }

// A FieldError says which argument or column was refused and what is allowed.
type FieldError = invalid.FieldError

// What callers of a [Source] branch on. Sources wrap them.
var (
	// ErrUnknownSymbol: the source has no such instrument.
	ErrUnknownSymbol = errors.New("unknown symbol")
	// ErrNoData: the instrument exists, but there is nothing for that time.
	ErrNoData = errors.New("no data")
	// ErrUnsupported: this source never has this kind of data.
	ErrUnsupported = errors.New("not supported by this source")
)

// A MissingError names the symbols that a partial answer lacks. The values
// that did arrive are returned beside it.
type MissingError struct {
	Symbols []Symbol
	Err     error // why: ErrUnknownSymbol, ErrNoData, context.DeadlineExceeded …
}

// Error names the symbols and the reason.
func (e *MissingError) Error() string {
	names := make([]string, 0, min(len(e.Symbols), 5))
	for _, s := range e.Symbols[:min(len(e.Symbols), 5)] {
		names = append(names, string(s))
	}
	if more := len(e.Symbols) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("no answer for %s: %v", strings.Join(names, ", "), e.Err)
}

// Unwrap returns the reason.
func (e *MissingError) Unwrap() error { return e.Err }

// A Source gives market data: a broker's API, a simulator, a synthetic market
// or files. Implementations are safe for concurrent use, respect the deadline
// of ctx, and never invent: what they do not know is NaN, absent, or one of the
// errors above.
//
// Methods that take several symbols return what they have, in the order asked,
// and a *[MissingError] for the rest. Every method may return [ErrUnsupported].
type Source interface {
	// Quotes returns the latest quote of each symbol, options included.
	Quotes(ctx context.Context, symbols []Symbol) ([]Quote, error)

	// Bars returns bars in ascending time. See [BarsRequest].
	Bars(ctx context.Context, req BarsRequest) ([]Bar, error)

	// Expirations lists the expirations of an underlying's options, ascending
	// by date, then root. One date can occur twice (AM and PM settlement).
	Expirations(ctx context.Context, underlying Symbol) ([]Expiration, error)

	// Chain returns quotes of an underlying's options, ordered by expiration,
	// root, strike, call before put. See [ChainRequest].
	Chain(ctx context.Context, req ChainRequest) ([]OptionQuote, error)

	// Metrics returns volatility and liquidity figures per underlying.
	Metrics(ctx context.Context, symbols []Symbol) ([]Metrics, error)

	// Events returns earnings, dividends and splits of symbol dated in
	// [from, to], ascending; announced future ones included.
	Events(ctx context.Context, symbol Symbol, from, to Date) ([]Event, error)

	// Instruments describes symbols.
	Instruments(ctx context.Context, symbols []Symbol) ([]Instrument, error)

	// Search finds instruments whose symbol starts with, or whose description
	// contains, text; best first, at most limit (0: the source's default).
	Search(ctx context.Context, text string, limit int) ([]Instrument, error)
}

// A BarsRequest asks for bars of one symbol that start in [From, To).
type BarsRequest struct {
	Symbol   Symbol
	Interval Interval
	From     time.Time // zero: as far back as the source goes
	To       time.Time // zero: now
	Limit    int       // the newest n of them; 0: all
	Extended bool      // include pre- and post-market trading in intraday bars
}

// A ChainRequest narrows an option chain. The zero value of each filter means
// "all", which can be tens of thousands of contracts: filter by expiration.
type ChainRequest struct {
	Underlying  Symbol
	Expirations []Date  // these dates only
	MinStrike   float64 // strikes below are left out; 0: no limit
	MaxStrike   float64 // strikes above are left out; 0: no limit
	Strikes     int     // at most this many strikes per expiration, the nearest to the underlying's price; 0: all
}

// A Bar is the trading of one interval.
type Bar struct {
	// Time is the start: the first instant of an intraday bar; midnight in New
	// York of the first session of a daily, weekly or monthly bar.
	Time                   time.Time
	Open, High, Low, Close float64
	Volume                 float64 // shares or contracts; NaN when unknown
}

// A Quote is the latest known state of an instrument. Unknown fields are NaN.
type Quote struct {
	Symbol           Symbol
	Time             time.Time // when the quote was made; zero when unknown
	Bid, Ask         float64
	BidSize, AskSize float64
	Last             float64 // last trade
	Open, High, Low  float64 // of the current session
	PrevClose        float64 // official close of the previous session
	Volume           float64 // of the current session
	Halted           bool
}

// Mid returns the middle of bid and ask, the last trade when one of them is
// unknown or the quote is crossed, and NaN when nothing is known.
func (q Quote) Mid() float64 {
	if q.Bid >= 0 && q.Ask > 0 && q.Bid <= q.Ask {
		return (q.Bid + q.Ask) / 2
	}
	return q.Last
}

// NewQuote returns a Quote of symbol with every number unknown.
func NewQuote(symbol Symbol) Quote {
	n := math.NaN()
	return Quote{Symbol: symbol, Bid: n, Ask: n, BidSize: n, AskSize: n, Last: n, Open: n, High: n, Low: n, PrevClose: n, Volume: n}
}

// An OptionKind is call or put. The zero value is neither.
type OptionKind int8

// Call and Put are +1 and -1, so that they can stand as a sign in formulas.
const (
	Call OptionKind = +1
	Put  OptionKind = -1
)

// String returns "call" or "put".
func (k OptionKind) String() string {
	switch k {
	case Call:
		return "call"
	case Put:
		return "put"
	}
	return fmt.Sprintf("OptionKind(%d)", int8(k))
}

// MarshalText writes "call" or "put".
func (k OptionKind) MarshalText() ([]byte, error) {
	if k != Call && k != Put {
		return nil, invalid.Field("kind", int8(k), "call or put")
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads call, put, C or P in any case.
func (k *OptionKind) UnmarshalText(text []byte) error {
	switch strings.ToLower(string(text)) {
	case "call", "c":
		*k = Call
	case "put", "p":
		*k = Put
	default:
		return invalid.Field("kind", string(text), "call or put")
	}
	return nil
}

// An ExerciseStyle says when an option may be exercised. Empty means unknown.
type ExerciseStyle string

// The exercise styles of listed options.
const (
	American ExerciseStyle = "american"
	European ExerciseStyle = "european"
)

// A Settlement says at which price of its last day an option settles. Empty means unknown.
type Settlement string

// AM settles at the opening price (standard SPX), PM at the close.
const (
	SettledAM Settlement = "AM"
	SettledPM Settlement = "PM"
)

// An Expiration is one expiry of an underlying's options.
type Expiration struct {
	Underlying Symbol
	Root       string // "SPX" or "SPXW"
	Date       Date
	Settlement Settlement
	Style      ExerciseStyle
	Strikes    []float64 // ascending
}

// An OptionQuote is an option contract with its latest quote. Unknown numbers are NaN.
type OptionQuote struct {
	Symbol     Symbol // OCC symbol
	Underlying Symbol
	Root       string
	Kind       OptionKind
	Strike     float64
	Expiration Date
	Style      ExerciseStyle
	Settlement Settlement
	Multiplier float64 // shares per contract, 100 when standard

	Time                           time.Time // of the quote; zero when unknown
	Bid, Ask                       float64
	BidSize, AskSize               float64
	Last, Volume, OpenInterest     float64
	IV                             float64 // the source's implied volatility, decimal
	Delta, Gamma, Theta, Vega, Rho float64 // the source's Greeks: per share; theta per day, vega and rho per 1.00 (100 %)
	Spot                           float64 // the underlying's price at Time
}

// Mid returns the middle of bid and ask, and NaN when one of them is unknown,
// the ask is not positive or the quote is crossed.
func (q OptionQuote) Mid() float64 {
	if q.Bid >= 0 && q.Ask > 0 && q.Bid <= q.Ask {
		return (q.Bid + q.Ask) / 2
	}
	return math.NaN()
}

// Metrics are an underlying's volatility and liquidity figures. Unknown numbers are NaN.
type Metrics struct {
	Symbol           Symbol
	Time             time.Time
	IVIndex          float64 // implied volatility index, decimal per year
	IVIndex5Day      float64 // its change over five days, decimal
	IVRank           float64 // 0..1: where IVIndex lies between the year's low and high
	IVPercentile     float64 // 0..1: share of the year's days below IVIndex
	HV30, HV60, HV90 float64 // historical volatility, decimal per year
	Beta             float64
	Correlation      float64   // with SPY, three months
	Liquidity        float64   // 0..1: the source's liquidity value or rank
	LiquidityRating  int       // 1 (poor) to 5; 0 when unknown
	BorrowRate       float64   // decimal per year
	DividendYield    float64   // decimal per year
	DividendPerShare float64   // dollars of the latest payment
	MarketCap        float64   // dollars
	PriceEarnings    float64   // price over trailing earnings per share
	EarningsPerShare float64   // dollars, trailing
	Term             []TermVol // implied volatility by expiration, ascending
	NextEarnings     *Event    // nil when none is known
	NextDividend     *Event    // the next ex-dividend date; nil when none is known
}

// NewMetrics returns Metrics of symbol with every number unknown.
func NewMetrics(symbol Symbol) Metrics {
	n := math.NaN()
	return Metrics{Symbol: symbol, IVIndex: n, IVIndex5Day: n, IVRank: n, IVPercentile: n, HV30: n, HV60: n, HV90: n,
		Beta: n, Correlation: n, Liquidity: n, BorrowRate: n, DividendYield: n, DividendPerShare: n, MarketCap: n, PriceEarnings: n, EarningsPerShare: n}
}

// TermVol is the implied volatility of one expiration.
type TermVol struct {
	Expiration Date
	IV         float64
}

// An EventKind says what happens to a company's shares.
type EventKind string

// The kinds of events.
const (
	Earnings EventKind = "earnings" // Value: earnings per share when reported
	Dividend EventKind = "dividend" // Value: dollars per share; Date is the ex-date
	Split    EventKind = "split"    // Value: new shares per old share; Date is the first day at the new price
)

// An Event is a dated corporate event.
type Event struct {
	Symbol    Symbol
	Kind      EventKind
	Date      Date
	Timing    string  // earnings: "before open", "after close" or "" when unknown
	Value     float64 // see EventKind; NaN when unknown
	Estimated bool    // the date is not confirmed
}

// An Instrument describes what can be traded or looked at.
type Instrument struct {
	Symbol      Symbol
	Kind        InstrumentKind
	Description string
	Exchange    string // listed market, such as "XNAS"; empty when unknown
	ETF, Index  bool
	Active      bool
	Multiplier  float64 // dollars per point and unit: 1 for shares, 100 for standard options
	Ticks       []Tick  // price increments, ascending by Below
	OptionTicks []Tick  // of its options
	Optionable  bool
	Underlying  Symbol // of a derivative; empty otherwise
}

// A Tick is a price increment that holds for prices under Below; Below is +Inf
// in the last one.
type Tick struct {
	Below     float64
	Increment float64
}

// Increment returns the tick of ticks that holds at price, and 0 when ticks is empty.
func Increment(ticks []Tick, price float64) float64 {
	for _, t := range ticks {
		if price < t.Below {
			return t.Increment
		}
	}
	if len(ticks) > 0 {
		return ticks[len(ticks)-1].Increment
	}
	return 0
}
