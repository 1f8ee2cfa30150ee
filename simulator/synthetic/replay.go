package synthetic

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// replay gives symbols the history of files.
func (m *Market) replay(files map[market.Symbol]*market.BarFile) error {
	symbols := make([]market.Symbol, 0, len(files))
	for s := range files {
		symbols = append(symbols, s)
	}
	slices.Sort(symbols)
	for _, s := range symbols {
		normal, err := market.ParseSymbol(string(s))
		if err != nil || normal != s || s.Kind() != market.KindEquity {
			return invalid.Field("replay", string(s), "shares, funds and indices by their symbol in capital letters, such as SPY")
		}
		k, err := m.replayTrack(s, files[s])
		if err != nil {
			return err
		}
		c := m.cells[s]
		if c == nil {
			c = &cell{}
			m.cells[s] = c
		}
		k.profile, c.track, c.replayed = c.profile, k, true
		if !slices.Contains(m.symbols, s) {
			m.symbols = append(m.symbols, s)
		}
	}
	return nil
}

// replayTrack makes the history of one file.
func (m *Market) replayTrack(symbol market.Symbol, file *market.BarFile) (*track, error) {
	field := fmt.Sprintf("replay[%s]", symbol)
	if file == nil || len(file.Bars) == 0 {
		return nil, invalid.Missing(field, "a file with at least one bar")
	}
	interval, err := market.ParseInterval(string(file.Interval))
	if err != nil || interval != market.Day && (!interval.Intraday() || interval.Duration()%time.Minute != 0 || interval.Duration() > 24*time.Hour) {
		return nil, invalid.Field(field+".interval", string(file.Interval), "daily bars (1d), or intraday bars of whole minutes")
	}
	for i, b := range file.Bars {
		where := fmt.Sprintf("%s.bars[%d]", field, i)
		switch {
		case !(b.Low > 0) || !(b.Low <= min(b.Open, b.Close)) || !(b.High >= max(b.Open, b.Close)) || math.IsInf(b.High, 0) || b.Volume < 0:
			return nil, invalid.Field(where, fmt.Sprint(b.Open, b.High, b.Low, b.Close, b.Volume), "prices above 0 with low ≤ open, close ≤ high, and a volume that is not negative")
		case i > 0 && !file.Bars[i-1].Time.Before(b.Time):
			return nil, invalid.Field(where, b.Time.Format(time.RFC3339), "times in ascending order")
		}
	}
	k := &track{market: m, symbol: symbol, key: m.key.name(string(symbol)), replayed: true, leverage: 0.6}
	if interval == market.Day {
		k.bars = file.Bars
	} else {
		k.interval = interval.Duration()
		if k.bars, err = market.Resample(file.Bars, interval, market.Day, m.calendar); err != nil {
			return nil, err
		}
	}
	next := 0 // of file.Bars
	for i, b := range k.bars {
		date := m.dateOf(b.Time)
		if i > 0 && date == k.sessions[i-1].Date {
			return nil, invalid.Field(fmt.Sprintf("%s.bars[%d]", field, i), date.String(), "one daily bar per date")
		}
		k.sessions = append(k.sessions, m.sessionOf(date))
		if k.interval == 0 {
			continue
		}
		for next < len(file.Bars) && m.dateOf(file.Bars[next].Time).Before(date) {
			next++ // a day without regular trading
		}
		from := next
		for next < len(file.Bars) && m.dateOf(file.Bars[next].Time) == date {
			next++
		}
		k.intraday = append(k.intraday, file.Bars[from:next:next])
	}
	k.buildVariances(0.2*0.2, true, nil)
	return k, nil
}

func (m *Market) dateOf(t time.Time) market.Date { return market.DateOf(t.In(m.calendar.Location())) }

// sessionOf returns the calendar's session of a date; for a date on which the
// file has trading and the calendar has none, ordinary hours.
func (m *Market) sessionOf(d market.Date) market.Session {
	if s, ok := m.calendar.Session(d); ok {
		return s
	}
	loc := m.calendar.Location()
	return market.Session{Date: d, PreOpen: d.At(4, 0, loc), Open: d.At(9, 30, loc), Close: d.At(16, 0, loc), PostClose: d.At(20, 0, loc)}
}
