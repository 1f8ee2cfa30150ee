package synthetic

import (
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A pause is a stretch of a session without trading, in minutes after the
// open. The price waits and goes on from where it was: a session with pauses
// has fewer minutes, and its daily bar is none the less their sum.
type pause struct{ from, length int }

// The market-wide circuit breakers (rule 80B of the New York Stock Exchange
// and its like): how far below the close before they stop trading, for how
// long, and the minute after the open from which on they no longer do.
var breakerLevels = [...]float64{0.93, 0.87}

const (
	breakerLength = 15
	breakerEnd    = 355 // 15:25
)

// breakers finds the minutes of a crash at which trading stops: those in which
// SPX goes through a level.
func (m *Market) breakers(s *staged) []pause {
	spx := m.cells["SPX"].get(m)
	i := spx.onDate(s.Date)
	if spx.replayed || i < 1 || i >= len(spx.sessions) {
		return nil
	}
	before := spx.previousClose(i)
	n := spx.length(i)
	// Every stop makes the rest of the path shorter, so the number is tried
	// from the highest down until the path has it.
	for stops := len(breakerLevels); stops > 0; stops-- {
		bar := spx.bars[i]
		bar.Time = spx.sessions[i].Open
		minutes := spx.split(nil, spx.newBridge(i), bar, n-stops*breakerLength)
		var out []pause
		for j, b := range minutes {
			at := j + 1 + len(out)*breakerLength // the stop comes with the next minute
			if len(out) < stops && at < breakerEnd && at+breakerLength < n && b.Low <= breakerLevels[len(out)]*before {
				out = append(out, pause{at, breakerLength})
			}
		}
		if len(out) == stops {
			return out
		}
	}
	return nil
}

// length is the minutes of session i.
func (k *track) length(i int) int {
	return int(k.sessions[i].Close.Sub(k.sessions[i].Open) / time.Minute)
}

// pauses returns the stretches of session i without trading, in order, apart
// from each other and from the open and the close by a minute at least.
func (k *track) pauses(i int) []pause {
	m := k.market
	if k.replayed || len(m.scenarios) == 0 && m.halts == 0 {
		return nil
	}
	var all []pause
	date := k.sessions[i].Date
	src := k.key.with(streamHalt).with(dayNumber(date))
	for _, s := range m.scenarios {
		switch {
		case s.Date != date:
		case s.Kind == Crash && !k.unhalted:
			all = append(all, s.breakers()...)
		case k.reference || s.Symbol != k.symbol:
		case s.Kind == Halt:
			all = append(all, pause{int(s.After / time.Minute), int(s.Length / time.Minute)})
		case s.Kind == Squeeze:
			for n := range 3 {
				all = append(all, pause{5 + 40*n + src.at(n).below(30), 5})
			}
		}
	}
	if c := k.profile.class; (c == share || c == smallShare) && src.uniform() < m.halts/252 {
		lengths := [...]int{5, 5, 5, 10, 20, 60} // volatility pauses, and news
		all = append(all, pause{5 + src.with(1).below(k.length(i)-80), lengths[src.with(2).below(len(lengths))]})
	}
	slices.SortFunc(all, func(a, b pause) int { return a.from - b.from })
	free, out := 1, all[:0]
	for _, p := range all {
		p.from = max(p.from, free)
		if p.from+p.length < k.length(i) {
			out = append(out, p)
			free = p.from + p.length + 1
		}
	}
	return out
}

// pauseAt returns the start of the pause that t, in session i, lies in.
func (k *track) pauseAt(i int, t time.Time) (time.Time, bool) {
	s := k.sessions[i]
	if t.Before(s.Open) || !t.Before(s.Close) {
		return time.Time{}, false
	}
	minute := int(t.Sub(s.Open) / time.Minute)
	for _, p := range k.pauses(i) {
		if minute >= p.from && minute < p.from+p.length {
			return s.Open.Add(time.Duration(p.from) * time.Minute), true
		}
	}
	return time.Time{}, false
}

func (k *track) halted(i int, t time.Time) bool {
	_, halted := k.pauseAt(i, t)
	return halted
}

// delay moves the minutes of a session past its pauses.
func delay(minutes []market.Bar, pauses []pause) {
	for j := range minutes {
		at := j
		for _, p := range pauses {
			if at >= p.from {
				at += p.length
			}
		}
		minutes[j].Time = minutes[j].Time.Add(time.Duration(at-j) * time.Minute)
	}
}
