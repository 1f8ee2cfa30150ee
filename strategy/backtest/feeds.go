package backtest

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// chunk is how many bars are read at once, and kept at least.
const chunk = 4096

// A feed is the bars of one symbol on their way through a run.
type feed struct {
	number   int
	symbol   *instrument
	interval market.Interval
	name     string

	// bars are those that are there: bars[:done] have ended, bars[done] is next.
	bars   []market.Bar
	done   int
	within int       // of bars, those that begin before the end of the run
	reader BarReader // nil: all bars are there
	room   []market.Bar
	keep   int // how many ended bars must stay
	over   bool

	start, end int64 // of the next bar; end is the greatest integer when there is none
	count      int64 // bars that have ended
	pushed     int64 // of those, how many the exchange knows or need not know
	spans      spans
	digest     digest
	from, to   int64 // where the run begins and ends
	warm       int   // bars before from
	readers    []*desk
	last       int64 // start of the latest bar that has ended
	lastEnd    int64 // and its end
}

// spans tell when bars trade, as paper.Exchange.Bars has it.
type spans struct {
	continuous bool
	intraday   bool
	length     int64
	unit       market.Unit
	n          int
	interval   market.Interval
	// The session that the latest intraday bar was in; all time when there are none.
	open, close int64
	location    *time.Location
}

func newSpans(interval market.Interval, continuous bool) (spans, error) {
	s := spans{continuous: continuous, interval: interval, location: market.NYSE().Location()}
	s.n, s.unit = interval.Parts()
	if s.n == 0 {
		return s, invalid.Field("Interval", string(interval), "an interval such as 5m or 1d")
	}
	s.intraday = interval.Intraday()
	s.length = int64(interval.Duration())
	if s.intraday && continuous {
		s.open, s.close = math.MinInt64, math.MaxInt64
	}
	return s, nil
}

// within tells whether a bar begins in the session of the bar before it, and after
// when it ends if so: the two decide most bars of a day.
func (s *spans) within(start int64) bool { return start >= s.open && start < s.close }
func (s *spans) after(start int64) int64 { return min(start+s.length, s.close) }

func (s *spans) of(bar *market.Bar) (start, end int64, err error) {
	if s.intraday {
		start = bar.Time.UnixNano()
		if s.within(start) {
			return start, s.after(start), nil
		}
		cal := market.NYSE()
		end = start + s.length
		if e := cal.BarEnd(bar.Time, s.interval); e.After(bar.Time) {
			end = e.UnixNano()
		}
		if session, ok := cal.Session(market.DateOf(bar.Time.In(s.location))); ok && !bar.Time.Before(session.Open) && bar.Time.Before(session.Close) {
			s.open, s.close = session.Open.UnixNano(), session.Close.UnixNano()
		}
		return start, end, nil
	}
	return s.calendar(bar)
}

// calendar is the span of a daily or longer bar.
func (s *spans) calendar(bar *market.Bar) (start, end int64, err error) {
	date := market.DateOf(bar.Time.In(s.location))
	long := s.n > 1 || s.unit != market.UnitDay
	if s.continuous {
		first, last := date.In(s.location), date.AddDays(1)
		switch {
		case s.unit == market.UnitWeek:
			last = date.AddDays(7 * s.n)
		case s.unit == market.UnitMonth:
			last = market.DateOf(first.AddDate(0, s.n, 0))
		case long:
			last = date.AddDays(s.n)
		}
		return first.UnixNano(), last.In(s.location).UnixNano(), nil
	}
	cal := market.NYSE()
	session, ok := cal.Session(date)
	if !ok {
		if !long {
			return 0, 0, invalid.Field("Time", bar.Time, "a day with a session, unless the rules are continuous")
		}
		session = cal.Next(date.In(s.location))
	}
	last := session.Close
	if long {
		if e := cal.BarEnd(bar.Time, s.interval); e.After(session.Open) {
			last = e
		}
	}
	return session.Open.UnixNano(), last.UnixNano(), nil
}

// open makes a feed stand at its first bar.
func (f *feed) open(b *BarFeed, keep int) error {
	f.keep = max(keep, 1)
	f.end = math.MaxInt64
	f.digest = newDigest()
	f.digest.text(string(b.Symbol))
	f.digest.text(string(f.interval))
	f.last = math.MinInt64
	if b.Source == nil {
		f.bars = b.Bars
		f.bound()
		return f.look()
	}
	reader, err := b.Source.Open()
	if err != nil {
		return fmt.Errorf("backtest: opening the bars of %s: %w", b.Symbol, err)
	}
	f.reader = reader
	f.room = make([]market.Bar, 0, f.keep+2*chunk)
	f.bars = f.room
	return f.look()
}

// look finds the span of the next bar, reading on when there is none.
func (f *feed) look() error {
	if f.done < len(f.bars) {
		b := &f.bars[f.done]
		if start := b.Time.UnixNano(); f.spans.within(start) && start > f.last && start < f.to && priced(b) {
			f.start, f.end = start, f.spans.after(start)
			return nil
		}
	}
	return f.search()
}

func priced(b *market.Bar) bool {
	return b.Open > 0 && b.High > 0 && b.Low > 0 && b.Close > 0 && b.High <= math.MaxFloat64 && b.Low <= b.High
}

// search is look when the next bar is not one like the last.
func (f *feed) search() error {
	if f.done == len(f.bars) {
		if f.reader == nil {
			f.end, f.over = math.MaxInt64, true
			return nil
		}
		if err := f.read(); err != nil {
			return err
		}
		if f.done == len(f.bars) {
			f.end, f.over = math.MaxInt64, true
			return nil
		}
	}
	b := &f.bars[f.done]
	var err error
	if f.start, f.end, err = f.spans.of(b); err != nil {
		return f.wrong(err)
	}
	if f.start <= f.last {
		return f.wrong(invalid.Field("Time", b.Time, "a time after that of the bar before"))
	}
	if !priced(b) {
		return f.wrong(invalid.Field("Open, High, Low, Close", fmt.Sprintf("%v, %v, %v, %v", b.Open, b.High, b.Low, b.Close), "positive prices, the high not below the low"))
	}
	if f.start >= f.to {
		f.end, f.over, f.reader = math.MaxInt64, true, nil
		f.bars = f.bars[:f.done:f.done]
	}
	return nil
}

func (f *feed) wrong(err error) error {
	return fmt.Errorf("backtest: bar %d of %s: %w", f.count, f.symbol.name, err)
}

// read makes room and fills it.
func (f *feed) read() error {
	if drop := f.done - f.keep; drop > 0 {
		n := copy(f.room[:cap(f.room)], f.bars[drop:])
		f.bars, f.done = f.room[:n], f.done-drop
	}
	at := len(f.bars)
	n, err := f.reader.Next(f.room[at:min(at+chunk, cap(f.room))])
	if err != nil {
		return fmt.Errorf("backtest: reading the bars of %s: %w", f.symbol.name, err)
	}
	f.bars = f.room[:at+n]
	f.bound()
	return nil
}

// bound finds which of the bars belong to the run.
func (f *feed) bound() {
	if f.within = len(f.bars); f.to < math.MaxInt64 {
		f.within = sort.Search(len(f.bars), func(i int) bool { return f.bars[i].Time.UnixNano() >= f.to })
	}
}

// take ends the next bar and returns it.
func (f *feed) take() *market.Bar {
	b := &f.bars[f.done]
	f.digest.bar(f.start, b)
	f.last, f.lastEnd = f.start, f.end
	f.done++
	f.count++
	return b
}

// ended are the last n bars that have ended.
func (f *feed) ended(n int) []market.Bar {
	n = max(min(n, f.done), 0)
	return f.bars[f.done-n : f.done : f.done]
}

// SliceSource is a BarSource over bars in memory, for histories that are put
// together from parts.
type SliceSource []market.Bar

// Open returns a reader.
func (s SliceSource) Open() (BarReader, error) { return &sliceReader{s}, nil }

type sliceReader struct{ left []market.Bar }

func (r *sliceReader) Next(dst []market.Bar) (int, error) {
	n := copy(dst, r.left)
	r.left = r.left[n:]
	return n, nil
}
