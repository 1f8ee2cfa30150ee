// Package synthetic is a market made from a seed: bars, quotes, option chains,
// metrics and corporate events of more than fifty symbols, and futures on indices,
// oil, metals, bonds and the euro with their options, none of it real. It needs
// no network and no data.
//
// The same seed gives the same market, whatever is asked first, in whatever
// order and from however many goroutines: every random number is a hash of the
// seed and of what it stands for (symbol, day, minute), never the next of a
// sequence. A [Market] is a [market.Source] as of its clock: it shows nothing
// that happens later.
//
// # The model
//
// Daily returns are a market factor, a sector factor and the symbol's own
// noise, each with a volatility of its own that clusters (a log-variance of a
// fast and a slow mean-reverting part, raised by falls more than by rises) and
// with Student-t shocks. A quarter of a day's variance comes overnight.
// Earnings move the price in the night they are reported; a dividend lowers it
// on its ex-date. Within a day the price is a Brownian bridge through the
// day's open, high, low and close, so minute bars add up to the daily bar
// exactly. Prices are on the cent.
//
// Implied volatilities are an SSVI surface inside the parameter bounds that
// exclude static arbitrage (J. Gatheral and A. Jacquier, "Arbitrage-free SVI
// volatility surfaces", Quantitative Finance 14, 2014). Its at-the-money total
// variance grows with time from the current variance of returns towards the
// long-run one, and by a jump at each earnings date. All options are priced as
// European, those that are American too: the premium of early exercise is left
// out, and only the ask is kept from falling below the exercise value.
//
// The returns have the stylised facts of real ones: fat tails, volatility that
// clusters and rises with falls, volume that goes with movement and is high at
// the open and the close, sectors that move together, earnings that gap and
// take the implied volatility with them. What they lack: the negative skewness
// of a real index's days, the bulk of the closing auction, seasons.
//
// # Futures
//
// "/ESZ6" is the December contract of 2026, "/ES" the one that most trade now;
// [Market.Futures] lists them with their ends and rolls. A contract's price is
// its underlying's at a constant cost of carry, on the contract's tick. The
// underlying of /ES is SPX minute by minute; that of /NQ, /RTY and /YM draws the
// noise of QQQ, IWM and DIA, that of /GC, /SI, /ZB and /ZN that of GLD, SLV and
// TLT; oil, gas, copper and the euro have their own. Trading runs from 18:00 of
// the evening before to 17:00, on the hours of CME's index futures for all of
// them: a contract's daily bar is complete an hour after the stock exchange's.
// Options on futures go by tastytrade's symbols, "./ESZ6 EW3U6 260918P6600", and
// are priced by Black's formula (F. Black, "The pricing of commodity contracts",
// Journal of Financial Economics 3, 1976).
//
// # Extraordinary days
//
// The default market has none. Options.Scenarios puts a crash, a squeeze or a
// halt on a day, and Options.Halts stops shares by chance, as often as asked.
//
// # Adjustments
//
// [Market.QuoteAt] gives prices as traded at that time. Bars are adjusted for
// the splits that have happened by the clock's time, as brokers' charts are,
// and never for dividends. So a past bar changes only on the morning of a
// split, by its exact ratio.
package synthetic

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// DefaultSeed is the seed of the default market.
const DefaultSeed = 1

// DefaultStart returns the time at which the default day begins: 10:30 in New
// York on Wednesday, September 16, 2026, an hour into the session.
func DefaultStart() time.Time {
	return time.Date(2026, time.September, 16, 14, 30, 0, 0, time.UTC)
}

// The made history's first and last dates.
func span() (from, to market.Date) {
	return market.Date{Year: 2010, Month: time.January, Day: 4}, market.Date{Year: 2030, Month: time.December, Day: 31}
}

// rate is the risk-free rate of the market.
const rate = 0.04

// Options are the optional settings of [New]. The zero value is the default
// market on a clock that starts at [DefaultStart] and runs as fast as real time.
type Options struct {
	// Clock is the market's time. Made history reaches from 2010 to the end of
	// 2030; at other times there is only [market.ErrNoData].
	Clock market.Clock
	// Symbols limits what the market lists; nil lists everything. Futures are
	// named by product: /ES. Replayed symbols are listed always.
	Symbols []market.Symbol
	// Replay gives symbols a history from a file instead of a made one: daily
	// bars, or intraday bars of whole minutes. The bars are the file's, no
	// others; what a file does not say (the way within a bar, option chains,
	// volatility metrics) is made around them. The files must not change afterwards.
	Replay map[market.Symbol]*market.BarFile
	// Scenarios puts extraordinary days into the market: a crash, a squeeze, a
	// halt. Replayed symbols keep the history of their files.
	Scenarios []Scenario
	// Halts is how often a share is halted by chance, on average a year: for
	// five minutes mostly, for up to an hour now and then. Zero: never.
	Halts float64
}

// A Market is a made market. It is safe for concurrent use, starts no
// goroutine and needs no closing. Histories are made when first asked for and kept.
type Market struct {
	seed      uint64
	halts     float64 // a year and share
	scenarios []*staged
	key       key
	clock     market.Clock
	calendar  *market.Calendar
	sessions  func() []market.Session

	symbols    []market.Symbol            // listed, in order
	listed     map[market.Symbol]bool     // the same
	cells      map[market.Symbol]*cell    // listed or not
	futures    map[string]*future         // by product, listed or not
	codes      []string                   // of the products, in order
	futureDays func() []market.TradingDay // trade dates of futures
	roots      map[string]market.Symbol   // option root → underlying

	marketOnce   sync.Once
	marketFactor *process
	sectors      map[sector]*sectorCell
	full, half   []float64 // session shapes
}

type cell struct {
	once     sync.Once
	profile  *profile // nil for a replayed symbol outside the universe
	replayed bool     // set before the market is used; track is there from the start
	track    *track
	// reference marks the underlying of a future that is no symbol of its own.
	reference bool
	// unhalted marks what a halt of the stock exchange does not stop: oil, gold, bonds.
	unhalted bool
}

type sectorCell struct {
	once    sync.Once
	process *process
}

var _ market.Source = (*Market)(nil)

// New returns the market of seed. A bad option is a *[FieldError].
func New(seed uint64, opts *Options) (*Market, error) {
	if opts == nil {
		opts = &Options{}
	}
	m := &Market{
		seed: seed, key: key(mix(seed)), clock: opts.Clock, calendar: market.NYSE(),
		listed: map[market.Symbol]bool{}, cells: map[market.Symbol]*cell{}, futures: map[string]*future{}, roots: map[string]market.Symbol{},
		sectors: map[sector]*sectorCell{}, full: sessionShape(390), half: sessionShape(210),
	}
	if m.clock == nil {
		clock, err := market.NewScaledClock(nil, DefaultStart(), 1)
		if err != nil {
			return nil, err
		}
		m.clock = clock
	}
	m.sessions = sync.OnceValue(func() []market.Session { return m.calendar.Sessions(span()) })
	for s := range sectorVol {
		m.sectors[s] = &sectorCell{}
	}
	profiles := universe()
	for i := range profiles {
		p := &profiles[i]
		m.cells[p.symbol] = &cell{profile: p}
		m.symbols = append(m.symbols, p.symbol)
	}
	m.addFutures()
	if err := m.limit(opts.Symbols, opts.Replay); err != nil {
		return nil, err
	}
	if err := m.replay(opts.Replay); err != nil {
		return nil, err
	}
	if !(opts.Halts >= 0 && opts.Halts <= 252) {
		return nil, invalid.Field("halts", opts.Halts, "0 for none, up to 252 a year")
	}
	m.halts = opts.Halts
	if err := m.stage(opts.Scenarios); err != nil {
		return nil, err
	}
	for _, s := range m.symbols {
		m.listed[s] = true
		if p := m.cells[s].profile; p != nil && p.class == index {
			m.roots[optionRoot(s)+"W"] = s
		}
		m.roots[optionRoot(s)] = s
	}
	return m, nil
}

// limit keeps the symbols that the caller wants, in the caller's order.
func (m *Market) limit(wanted []market.Symbol, replayed map[market.Symbol]*market.BarFile) error {
	if wanted == nil {
		for _, code := range m.codes {
			m.listed["/"+market.Symbol(code)] = true
		}
		return nil
	}
	m.symbols = nil
	for _, s := range wanted {
		if s.Kind() == market.KindFuture && m.futures[string(s[1:])] != nil {
			m.listed[s] = true
			continue
		}
		if _, ok := replayed[s]; ok || slices.Contains(m.symbols, s) {
			continue
		}
		if m.cells[s] == nil {
			return invalid.Fieldf("symbols", string(s), "symbols of the synthetic market: %s", m.known())
		}
		m.symbols = append(m.symbols, s)
	}
	return nil
}

// known lists the universe for an error message.
func (m *Market) known() string {
	names := make([]string, 0, len(m.cells))
	for s := range m.cells {
		names = append(names, string(s))
	}
	for _, code := range m.codes {
		names = append(names, "/"+code)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// track returns the history of a listed symbol, making it when it is not there yet.
func (m *Market) track(s market.Symbol) (*track, error) {
	if !m.listed[s] {
		return nil, fmt.Errorf("synthetic: %q: %w", string(s), market.ErrUnknownSymbol)
	}
	return m.cells[s].get(m), nil
}

func (c *cell) get(m *Market) *track {
	c.once.Do(func() {
		if c.track == nil {
			c.track = m.makeTrack(c)
		}
	})
	return c.track
}

// shape returns the course of activity over a session of n minutes.
func (m *Market) shape(n int) []float64 {
	switch n {
	case len(m.full):
		return m.full
	case len(m.half):
		return m.half
	}
	return sessionShape(n)
}

// Seed returns the seed that the market was made from.
func (m *Market) Seed() uint64 { return m.seed }

// Clock returns the market's clock.
func (m *Market) Clock() market.Clock { return m.clock }

// Rate returns the risk-free rate that options are priced at, continuous per
// year. It never changes.
func (m *Market) Rate() float64 { return rate }
