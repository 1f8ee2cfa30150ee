// Package candles finds candlestick patterns: TA-Lib's 61, bar for bar where
// TA-Lib finds them, and three more.
//
// [Scan] looks through whole columns and a [Scanner] takes one bar at a time;
// both find the same. All patterns are judged in one pass that shares its
// averages. A pattern is reported at the bar that completes it and depends on
// bars up to that one alone.
//
// What is long or short is measured against the ten bars before the one that
// is judged, what is near, far or equal against five; the factors are those
// that TA-Lib documents as its defaults. [BigCandle] (a body over 1.4 times its
// average), [Star] (a short body with a gap beyond a long one) and
// [FourPriceDoji] (open, high, low and close are one) are in no TA-Lib.
//
// A bar with a NaN or an infinity in it is unknown and passed over, as if it
// had not been there.
package candles

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ttai-go/ttai/indicators/internal/candle"
	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/nearest"
)

// A FieldError names a refused argument and what is allowed.
type FieldError = invalid.FieldError

// A Pattern is one of the constants of this package.
type Pattern uint8

// All returns every pattern. The slice is the caller's own.
func All() []Pattern {
	all := make([]Pattern, candle.Count)
	for i := range all {
		all[i] = Pattern(i)
	}
	return all
}

// Parse returns the pattern of a name: its title ("Harami cross"), TA-Lib's
// name ("CDLHARAMICROSS") or that without CDL, in any case.
func Parse(name string) (Pattern, error) {
	var known []string
	for _, p := range All() {
		id := candle.ID(p)
		for _, n := range []string{id.Title(), "CDL" + id.Name(), id.Name()} {
			if strings.EqualFold(n, strings.TrimSpace(name)) {
				return p, nil
			}
		}
		known = append(known, id.Title())
	}
	if meant := nearest.Of(name, known); meant != "" {
		return 0, invalid.Fieldf("pattern", name, "the name of a pattern; did you mean %s?", meant)
	}
	return 0, invalid.Field("pattern", name, "the name of a pattern, such as Engulfing or CDLENGULFING")
}

func (p Pattern) valid() bool { return int(p) < int(candle.Count) }

// String returns the pattern's title, such as "Harami cross".
func (p Pattern) String() string {
	if !p.valid() {
		return "unknown pattern"
	}
	return candle.ID(p).Title()
}

// TALib returns TA-Lib's name, such as "CDLHARAMICROSS", or "" for a pattern
// that TA-Lib does not have.
func (p Pattern) TALib() string {
	if int(p) >= candle.TALib {
		return ""
	}
	return "CDL" + candle.ID(p).Name()
}

// Bars returns how many bars make the pattern, 1 to 5.
func (p Pattern) Bars() int {
	if !p.valid() {
		return 0
	}
	return candle.ID(p).Bars()
}

// MarshalText writes the title.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what [Parse] reads.
func (p *Pattern) UnmarshalText(text []byte) (err error) {
	*p, err = Parse(string(text))
	return err
}

// A Direction is where a pattern points.
type Direction int8

// Directions. Patterns of indecision, every single doji among them, point
// nowhere by themselves.
const (
	Down    Direction = -1
	Neutral Direction = 0
	Up      Direction = 1
)

// String returns "up", "down" or "neutral".
func (d Direction) String() string {
	switch {
	case d > 0:
		return "up"
	case d < 0:
		return "down"
	}
	return "neutral"
}

// MarshalText writes String.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what String writes.
func (d *Direction) UnmarshalText(text []byte) error {
	for _, v := range []Direction{Down, Neutral, Up} {
		if string(text) == v.String() {
			*d = v
			return nil
		}
	}
	return invalid.Field("direction", string(text), "up, down or neutral")
}

// An Event is a pattern at a bar.
type Event struct {
	Bar int `json:"bar"` // the one that completes it, 0 for the first
	// Bars is how many make the pattern, this one the last: more than the
	// pattern's own for a Hikkake that is confirmed some bars later.
	Bars      int       `json:"bars"`
	Pattern   Pattern   `json:"pattern"`
	Direction Direction `json:"direction"`
	// Strength is 100; 80 for an engulfing or a harami whose bodies share an
	// edge; 200 for a Hikkake that a later bar confirms.
	Strength int `json:"strength"`
	// Value is TA-Lib's: the strength, negative for a pattern that points down.
	// TA-Lib calls a doji 100 though it points nowhere.
	Value int `json:"value"`
}

// Options choose what is looked for. The zero value, or nil, looks for all.
type Options struct {
	// Patterns to report; nil for all.
	Patterns []Pattern
	// Penetration is how deep, as a share of the first body, the last bar of a
	// star, an abandoned baby, a dark cloud cover or a mat hold has to reach.
	// 0 means each pattern's usual: 0.3, for the last two 0.5.
	Penetration float64
}

// A Scanner finds patterns one bar at a time. It is not safe for concurrent
// use; make it with [NewScanner].
type Scanner struct {
	scanner *candle.Scanner
	wanted  [candle.Count]int // 1 for a pattern to report
	bars    int
	// The share that opts asked for, below 0 for each pattern's usual.
	penetration float64
	events      []Event
	found       []candle.Found // for Scan
	tape        kernel.Tape
}

// NewScanner returns a scanner. It returns a *[FieldError] for a pattern that
// does not exist or a penetration that is negative or no number.
func NewScanner(opts *Options) (*Scanner, error) {
	s := &Scanner{scanner: candle.NewScanner(), events: make([]Event, 0, candle.Count)}
	if err := s.configure(opts); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Scanner) configure(opts *Options) error {
	if opts == nil {
		opts = &Options{}
	}
	if !(opts.Penetration >= 0) || !kernel.Finite(opts.Penetration) {
		return invalid.Field("Penetration", opts.Penetration, "a number from 0 up; 0 means each pattern's usual")
	}
	usual := -1.0
	if opts.Penetration > 0 {
		usual = opts.Penetration
	}
	s.penetration = usual
	s.scanner.SetPenetration(usual)
	for i := range s.wanted {
		s.wanted[i] = 0
		if opts.Patterns == nil {
			s.wanted[i] = 1
		}
	}
	for _, p := range opts.Patterns {
		if !p.valid() {
			return invalid.Field("Patterns", int(p), "one of the package's patterns")
		}
		s.wanted[p] = 1
	}
	return nil
}

// Update takes the next bar and returns the patterns that it completes. The
// slice is the scanner's own until the next Update or Peek.
func (s *Scanner) Update(open, high, low, close float64) []Event {
	s.events = s.appendTo(s.events[:0], open, high, low, close)
	return s.events
}

// appendTo appends what Update would return.
func (s *Scanner) appendTo(events []Event, open, high, low, close float64) []Event {
	bar := s.bars
	s.bars++
	if !kernel.Finite3(open, high, low) || !kernel.Finite(close) {
		return events
	}
	for _, h := range s.scanner.Update(open, high, low, close) {
		if s.wanted[h.Pattern] == 1 {
			events = append(events, event(bar, h))
		}
	}
	return events
}

// appendAll appends what Update would return for each bar of some columns, at
// most [candle.Chunk] of them.
func (s *Scanner) appendAll(events []Event, open, high, low, close []float64) []Event {
	if !kernel.AllFinite(open) || !kernel.AllFinite(high) || !kernel.AllFinite(low) || !kernel.AllFinite(close) {
		for i := range open {
			events = s.appendTo(events, open[i], high[i], low[i], close[i])
		}
		return events
	}
	s.found = s.scanner.Columns(s.found[:0], open, high, low, close)
	events = slices.Grow(events, len(s.found))
	room, n := events[len(events):len(events)+len(s.found)], 0
	for _, f := range s.found {
		// What is wanted is kept by going on from it: this takes no branch.
		room[n] = event(s.bars+int(f.Bar), candle.Hit{Pattern: f.Pattern, Bars: int(f.Bars), Value: int(f.Value)})
		n += s.wanted[f.Pattern]
	}
	s.bars += len(open)
	return events[:len(events)+n]
}

// Peek returns what Update would, and leaves the scanner as it is.
func (s *Scanner) Peek(open, high, low, close float64) []Event {
	s.visit((*kernel.Tape).Save)
	events := s.Update(open, high, low, close)
	s.visit((*kernel.Tape).Load)
	return events
}

// Snapshot returns the scanner's state, for Restore of a scanner with the same
// penetration. What it looks for is no part of it. The format may change between
// versions of this module.
func (s *Scanner) Snapshot() []byte {
	s.visit((*kernel.Tape).Save)
	values := s.tape.Values()
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return data
}

// Restore puts the scanner where the one of the [Scanner.Snapshot] was. It
// returns a *[FieldError], and changes nothing, when data is of another length
// than a snapshot, or of another penetration.
func (s *Scanner) Restore(data []byte) error {
	s.visit((*kernel.Tape).Save)
	values := s.tape.Values()
	if want := 8 * len(values); len(data) != want {
		return invalid.Fieldf("data", len(data), "%d bytes, the snapshot of a scanner", want)
	}
	if share := math.Float64frombits(binary.LittleEndian.Uint64(data)); share != values[0] {
		return invalid.Field("data", share, "the snapshot of a scanner with the same penetration")
	}
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	s.visit((*kernel.Tape).Load)
	return nil
}

// visit saves the state to the tape, or loads it.
func (s *Scanner) visit(how func(*kernel.Tape)) {
	how(&s.tape)
	share := s.penetration
	s.tape.Float(&share)
	s.tape.Int(&s.bars)
	s.scanner.Visit(&s.tape)
}

// Reset forgets every bar.
func (s *Scanner) Reset() {
	s.scanner.Reset()
	s.bars = 0
}

// Warmup returns how many leading bars are too few to judge some pattern by.
func (s *Scanner) Warmup() int {
	most := 0
	for i, wanted := range s.wanted {
		if wanted == 1 {
			most = max(most, candle.ID(i).Lookback())
		}
	}
	return most
}

func event(bar int, h candle.Hit) Event {
	// Directions are as good as random: this takes no branch.
	sign := h.Value>>(strconv.IntSize-1) | 1
	pointing := int(^neutral >> h.Pattern & 1)
	return Event{Bar: bar, Bars: h.Bars, Pattern: Pattern(h.Pattern), Direction: Direction(sign * pointing),
		Strength: sign * h.Value, Value: h.Value}
}

// neutral has a bit for every pattern that points nowhere by itself: what a
// dragonfly, a gravestone or a takuri says depends on the trend before it.
const neutral = uint64(1<<Doji | 1<<DragonflyDoji | 1<<GravestoneDoji | 1<<LongLeggedDoji | 1<<RickshawMan | 1<<Takuri |
	1<<FourPriceDoji | 1<<HighWave | 1<<SpinningTop | 1<<ShortLine)

// Scan appends to dst the patterns in columns of equal length, in the order of
// their bars, and returns it. Errors are those of [NewScanner], and a
// *[FieldError] for columns of different lengths.
func Scan(dst []Event, open, high, low, close []float64, opts *Options) ([]Event, error) {
	for _, column := range []struct {
		name string
		n    int
	}{{"high", len(high)}, {"low", len(low)}, {"close", len(close)}} {
		if column.n != len(open) {
			return dst, invalid.Fieldf(column.name, column.n, "%d values, as many as open has", len(open))
		}
	}
	s := spare.Get().(*Scanner)
	err := s.configure(opts)
	if err == nil {
		s.Reset()
		for len(open) > 0 {
			n := min(len(open), candle.Chunk)
			dst = s.appendAll(dst, open[:n], high[:n], low[:n], close[:n])
			open, high, low, close = open[n:], high[n:], low[n:], close[n:]
		}
	}
	spare.Put(s)
	return dst, err
}

// spare pools scanners, which Scan resets before use, so that it allocates
// nothing but events.
var spare = sync.Pool{New: func() any {
	return &Scanner{scanner: candle.NewScanner(), events: make([]Event, 0, candle.Count)}
}}
