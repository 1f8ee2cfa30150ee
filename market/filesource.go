package market

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// FileSourceOptions says what a [FileSource] shows and when.
type FileSourceOptions struct {
	Bars   []*BarFile   // each with a symbol; a symbol may have one file per interval
	Chains []*ChainFile // each with underlyings

	// Clock tells what was known. Nil stands at the end of the files: at the
	// latest end of a bar or time of a quote.
	Clock Clock

	// Calendar tells when bars are complete; nil means [NYSE].
	Calendar *Calendar
}

// A FileSource is a [Source] over bars and option chains from files, as they
// were known at the time its clock shows:
//
//   - bars are shown when they are complete; one in progress is made of finer
//     bars if there are any, and left out otherwise;
//   - a quote is the close of the last complete bar as Last, with the open,
//     high, low and volume of its session and the close before as PrevClose;
//     bid and ask are not known;
//   - a chain is each contract's newest quote at or before the time, of the
//     newest date that has any.
//
// Metrics and Events are [ErrUnsupported]. A FileSource is safe for concurrent
// use; it does not copy the files, which must not change.
type FileSource struct {
	clock     Clock
	cal       *Calendar
	series    map[Symbol][]fileSeries // by interval, finest first
	chains    map[Symbol][]OptionQuote
	contracts map[Symbol]contractRows
}

var _ Source = (*FileSource)(nil)

// A contractRows says where the quotes of one contract are: indices into the
// chain of its underlying, ascending in time.
type contractRows struct {
	underlying Symbol
	rows       []int32
}

// A fileSeries is the bars of one symbol and interval.
type fileSeries struct {
	interval Interval
	bars     []Bar
}

// NewFileSource checks the files and returns a source over them.
func NewFileSource(opts FileSourceOptions) (*FileSource, error) {
	s := &FileSource{clock: opts.Clock, cal: opts.Calendar, series: map[Symbol][]fileSeries{}, chains: map[Symbol][]OptionQuote{}, contracts: map[Symbol]contractRows{}}
	if s.cal == nil {
		s.cal = NYSE()
	}
	if len(opts.Bars)+len(opts.Chains) == 0 {
		return nil, invalid.Missing("Bars", "at least one file of bars or option chains")
	}
	var end time.Time
	for i, f := range opts.Bars {
		field := fmt.Sprintf("Bars[%d]", i)
		last, err := s.addBars(field, f)
		if err != nil {
			return nil, err
		}
		end = later(end, last)
	}
	for i, f := range opts.Chains {
		field := fmt.Sprintf("Chains[%d]", i)
		last, err := s.addChain(field, f)
		if err != nil {
			return nil, err
		}
		end = later(end, last)
	}
	for symbol := range s.series {
		slices.SortFunc(s.series[symbol], func(a, b fileSeries) int { return cmp.Compare(intervalRank(a.interval), intervalRank(b.interval)) })
	}
	s.indexChains()
	if s.clock == nil {
		s.clock = NewManualClock(end)
	}
	return s, nil
}

// addBars adds a file and returns the end of its last bar.
func (s *FileSource) addBars(field string, f *BarFile) (end time.Time, err error) {
	if f == nil {
		return end, invalid.Missing(field, "a file of bars")
	}
	symbol, err := ParseSymbol(string(f.Symbol))
	if err != nil {
		return end, invalid.Field(field+".Symbol", string(f.Symbol), "the symbol of the bars (CSVOptions.Symbol when the file has none)")
	}
	interval, err := ParseInterval(string(f.Interval))
	if err != nil {
		return end, invalid.Field(field+".Interval", string(f.Interval), allowedIntervals)
	}
	if len(f.Bars) == 0 {
		return end, invalid.Missing(field+".Bars", "at least one bar")
	}
	for i := 1; i < len(f.Bars); i++ {
		if !f.Bars[i-1].Time.Before(f.Bars[i].Time) {
			return end, invalid.Field(field+".Bars", f.Bars[i].Time.Format(time.RFC3339), "times in ascending order")
		}
	}
	for _, other := range s.series[symbol] {
		if other.interval == interval {
			return end, invalid.Fieldf(field, string(symbol), "one file of %s bars per symbol", interval)
		}
	}
	s.series[symbol] = append(s.series[symbol], fileSeries{interval, f.Bars})
	return s.cal.BarEnd(f.Bars[len(f.Bars)-1].Time, interval), nil
}

// intervalRank orders intervals by length, months counted as 30 days.
func intervalRank(i Interval) time.Duration {
	const day = 24 * time.Hour
	switch n, unit := i.Parts(); unit {
	case UnitDay:
		return time.Duration(n) * day
	case UnitWeek:
		return time.Duration(n) * 7 * day
	case UnitMonth:
		return time.Duration(n) * 30 * day
	}
	return i.Duration()
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Bars implements [Source]. An interval without a file of its own is made from
// the finest one that fits; when all are longer the error is [ErrNoData].
func (s *FileSource) Bars(ctx context.Context, req BarsRequest) ([]Bar, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	symbol, err := ParseSymbol(string(req.Symbol))
	if err != nil {
		return nil, err
	}
	interval, err := ParseInterval(string(req.Interval))
	if err != nil {
		return nil, err
	}
	if req.Limit < 0 {
		return nil, invalid.Field("limit", req.Limit, "a whole number of at least 0")
	}
	if len(s.series[symbol]) == 0 {
		if s.knows(symbol) {
			return nil, fmt.Errorf("bars of %s: %w", symbol, ErrNoData)
		}
		return nil, fmt.Errorf("%s: %w", symbol, ErrUnknownSymbol)
	}
	bars, err := s.barsAt(symbol, interval, s.clock.Now())
	if err != nil {
		return nil, err
	}
	if !req.From.IsZero() {
		bars = bars[sort.Search(len(bars), func(i int) bool { return !bars[i].Time.Before(req.From) }):]
	}
	if !req.To.IsZero() {
		bars = bars[:sort.Search(len(bars), func(i int) bool { return !bars[i].Time.Before(req.To) })]
	}
	out := make([]Bar, 0, len(bars))
	for _, b := range bars {
		if req.Extended || !interval.Intraday() || s.regular(b, interval) {
			out = append(out, b)
		}
	}
	if req.Limit > 0 && len(out) > req.Limit {
		out = out[len(out)-req.Limit:]
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s bars of %s in that time: %w", interval, symbol, ErrNoData)
	}
	return out, nil
}

// barsAt returns the bars of an interval as known at now. They may share
// memory with the files.
func (s *FileSource) barsAt(symbol Symbol, interval Interval, now time.Time) ([]Bar, error) {
	var exact, longest, finest *fileSeries
	for i := range s.series[symbol] {
		f := &s.series[symbol][i]
		switch {
		case f.interval == interval:
			exact = f
		case nests(f.interval, interval):
			if finest == nil {
				finest = f
			}
			if longest == nil || f.bars[0].Time.Before(longest.bars[0].Time) {
				longest = f
			}
		}
	}
	switch {
	case exact == nil && longest == nil:
		return nil, fmt.Errorf("%s bars of %s cannot be made from what is loaded: %w", interval, symbol, ErrNoData)
	case exact == nil:
		base, err := s.barsAt(symbol, longest.interval, now)
		if err != nil {
			return nil, err
		}
		return Resample(base, longest.interval, interval, s.cal)
	}
	bars := s.cal.Complete(exact.bars, interval, now)
	if finest == nil {
		return bars, nil
	}
	parts := s.cal.Complete(finest.bars, finest.interval, now)
	if len(bars) > 0 { // only what follows the last complete bar
		end := s.cal.BarEnd(bars[len(bars)-1].Time, interval)
		parts = parts[sort.Search(len(parts), func(i int) bool { return !parts[i].Time.Before(end) }):]
	}
	var tail []Bar
	if interval.Intraday() {
		tail = resampleIntraday(parts, finest.interval.Duration(), interval.Duration(), s.grid(exact), s.cal)
	} else {
		tail = resampleDays(parts, finest.interval, interval, s.cal)
	}
	return append(bars[:len(bars):len(bars)], tail...), nil
}

// grid returns from where a file's bars of a session are counted, as the time
// before its opening: half an hour for hours counted from 09:00.
func (s *FileSource) grid(f *fileSeries) time.Duration {
	length := f.interval.Duration()
	for i := len(f.bars) - 1; i >= 0; i-- {
		start := f.bars[i].Time
		session, open := s.cal.Session(DateOf(start.In(s.cal.loc)))
		if open && start.Before(session.Close) && start.Add(length).After(session.Open) {
			return modulo(session.Open.Sub(start), length)
		}
	}
	return 0
}

// regular reports whether an intraday bar has any part of a regular session.
func (s *FileSource) regular(b Bar, interval Interval) bool {
	session, open := s.cal.Session(DateOf(b.Time.In(s.cal.loc)))
	return open && b.Time.Before(session.Close) && b.Time.Add(interval.Duration()).After(session.Open)
}

// Quotes implements [Source].
func (s *FileSource) Quotes(ctx context.Context, symbols []Symbol) ([]Quote, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := s.clock.Now()
	var quotes []Quote
	var missing missingSymbols
	for _, asked := range symbols {
		symbol, err := ParseSymbol(string(asked))
		if err != nil {
			return nil, err
		}
		q, ok := s.quoteAt(symbol, now)
		switch {
		case ok:
			quotes = append(quotes, q)
		case s.knows(symbol):
			missing.add(asked, ErrNoData)
		default:
			missing.add(asked, ErrUnknownSymbol)
		}
	}
	return quotes, missing.err()
}

// missingSymbols collects what an answer lacks.
type missingSymbols struct {
	symbols []Symbol
	reasons []error
}

func (m *missingSymbols) add(s Symbol, reason error) {
	m.symbols = append(m.symbols, s)
	if !slices.Contains(m.reasons, reason) {
		m.reasons = append(m.reasons, reason)
	}
}

func (m *missingSymbols) err() error {
	if m.symbols == nil {
		return nil
	}
	reason := m.reasons[0]
	if len(m.reasons) > 1 {
		reason = errors.Join(m.reasons...)
	}
	return &MissingError{Symbols: m.symbols, Err: reason}
}

// knows reports whether the files have anything of a symbol, at whatever time.
func (s *FileSource) knows(symbol Symbol) bool {
	return len(s.series[symbol]) > 0 || len(s.chains[symbol]) > 0 || len(s.contracts[symbol].rows) > 0
}

// quoteAt returns the quote of a symbol as known at now.
func (s *FileSource) quoteAt(symbol Symbol, now time.Time) (Quote, bool) {
	q := NewQuote(symbol)
	if contract, ok := s.contracts[symbol]; ok {
		chain, rows := s.chains[contract.underlying], contract.rows
		i := sort.Search(len(rows), func(i int) bool { return chain[rows[i]].Time.After(now) })
		if i == 0 {
			return q, false
		}
		o := &chain[rows[i-1]]
		q.Time, q.Bid, q.Ask, q.BidSize, q.AskSize, q.Last, q.Volume = o.Time, o.Bid, o.Ask, o.BidSize, o.AskSize, o.Last, o.Volume
		return q, true
	}
	var last *fileSeries
	var bars []Bar
	for i := range s.series[symbol] { // finest first, so that it wins a tie
		f := &s.series[symbol][i]
		complete := s.cal.Complete(f.bars, f.interval, now)
		if len(complete) == 0 {
			continue
		}
		if end := s.cal.BarEnd(complete[len(complete)-1].Time, f.interval); end.After(q.Time) {
			q.Time, last, bars = end, f, complete
		}
	}
	// The chain may tell the underlying's price as of later than the bars do.
	for chain := s.known(symbol, now); len(chain) > 0; chain = chain[:len(chain)-1] {
		o := chain[len(chain)-1]
		if !o.Time.After(q.Time) {
			break
		}
		if !math.IsNaN(o.Spot) {
			q.Time, q.Last = o.Time, o.Spot
			return q, true
		}
	}
	if last == nil {
		return q, false
	}
	s.fillSession(&q, symbol, last.interval, bars)
	return q, true
}

// fillSession sets the prices of a quote from the last of the complete bars.
func (s *FileSource) fillSession(q *Quote, symbol Symbol, interval Interval, bars []Bar) {
	b := bars[len(bars)-1]
	q.Last = b.Close
	if !interval.Intraday() {
		if n, unit := interval.Parts(); n == 1 && unit == UnitDay {
			q.Open, q.High, q.Low, q.Volume = b.Open, b.High, b.Low, b.Volume
			if len(bars) > 1 {
				q.PrevClose = bars[len(bars)-2].Close
			}
		}
		return
	}
	today := DateOf(b.Time.In(s.cal.loc))
	official := false // the daily file's close goes before the last trade of finer bars
	for _, f := range s.series[symbol] {
		if f.interval == Day {
			if before := s.cal.Complete(f.bars, Day, today.In(s.cal.loc)); len(before) > 0 {
				previous := before[len(before)-1]
				q.PrevClose = previous.Close
				official = DateOf(previous.Time) == s.cal.Previous(today.In(s.cal.loc)).Date
			}
		}
	}
	// Two weeks back are enough for the session before, and cheap.
	since := today.AddDays(-14).In(s.cal.loc)
	bars = bars[sort.Search(len(bars), func(i int) bool { return !bars[i].Time.Before(since) }):]
	days, err := Resample(bars, interval, Day, s.cal)
	if err != nil {
		return
	}
	for _, day := range days {
		switch d := DateOf(day.Time); {
		case d == today:
			q.Open, q.High, q.Low, q.Volume = day.Open, day.High, day.Low, day.Volume
		case !official:
			q.PrevClose = day.Close
		}
	}
}

// Metrics is not supported.
func (s *FileSource) Metrics(context.Context, []Symbol) ([]Metrics, error) {
	return nil, fmt.Errorf("metrics: %w", ErrUnsupported)
}

// Events is not supported.
func (s *FileSource) Events(context.Context, Symbol, Date, Date) ([]Event, error) {
	return nil, fmt.Errorf("events: %w", ErrUnsupported)
}

// Instruments implements [Source] with what the symbols alone say.
func (s *FileSource) Instruments(ctx context.Context, symbols []Symbol) ([]Instrument, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var all []Instrument
	var missing missingSymbols
	for _, asked := range symbols {
		symbol, err := ParseSymbol(string(asked))
		if err != nil {
			return nil, err
		}
		if !s.knows(symbol) {
			missing.add(asked, ErrUnknownSymbol)
			continue
		}
		all = append(all, s.instrument(symbol))
	}
	return all, missing.err()
}

func (s *FileSource) instrument(symbol Symbol) Instrument {
	in := Instrument{Symbol: symbol, Kind: symbol.Kind(), Active: true, Multiplier: 1, Optionable: len(s.chains[symbol]) > 0}
	if index, ok := indexRoots[string(symbol)]; ok && index.underlying == symbol {
		in.Index = true
	}
	if contract, ok := s.contracts[symbol]; ok {
		in.Multiplier, in.Underlying = s.chains[contract.underlying][contract.rows[0]].Multiplier, contract.underlying
	}
	return in
}

// Search implements [Source] over the symbols of the files, options left out.
func (s *FileSource) Search(ctx context.Context, text string, limit int) ([]Instrument, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	prefix := strings.ToUpper(strings.TrimSpace(text))
	if prefix == "" {
		return nil, invalid.Missing("text", "the start of a symbol")
	}
	if limit < 0 {
		return nil, invalid.Field("limit", limit, "a whole number of at least 0")
	}
	var found []Symbol
	for symbol := range s.series {
		found = append(found, symbol)
	}
	for symbol := range s.chains {
		found = append(found, symbol)
	}
	slices.Sort(found)
	found = slices.DeleteFunc(slices.Compact(found), func(symbol Symbol) bool { return !strings.HasPrefix(string(symbol), prefix) })
	if limit == 0 {
		limit = 20
	}
	var all []Instrument
	for _, symbol := range found[:min(limit, len(found))] {
		all = append(all, s.instrument(symbol))
	}
	return all, nil
}
