package synthetic

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A ScenarioKind is something out of the ordinary that a market can be asked for.
type ScenarioKind string

const (
	// Crash is a day on which the whole market falls: SPX by Size, everything
	// else by its beta, bonds and gold hardly or the other way. Trading in
	// shares, funds and index futures stops for fifteen minutes when SPX is 7 %
	// and again when it is 13 % below the close before, as the market-wide
	// circuit breakers have it. A part of the fall comes back the next day, and
	// volatility stays high for weeks.
	Crash ScenarioKind = "crash"
	// Squeeze is a day on which one share rises by Size, with three pauses of
	// five minutes on the way, many times its volume, and a borrow rate to match.
	// Nearly half of it is lost again within a week.
	Squeeze ScenarioKind = "squeeze"
	// Halt stops trading in one share or fund.
	Halt ScenarioKind = "halt"
)

// A Scenario puts an extraordinary day into a market; see [Options]. Nothing up
// to the close of the session before changes; the evening after it already goes
// a part of the way. Like everything else it is the same for the same seed.
//
// Option chains follow: implied volatility rises with the share of the day's
// move that has happened, and falls back as the market calms down.
type Scenario struct {
	Kind ScenarioKind
	// Symbol is the share that is squeezed, or the share or fund that is
	// halted; empty for a crash.
	Symbol market.Symbol
	// Date is the session on which it happens. Zero: the date of [DefaultStart].
	Date market.Date
	// Size is how far SPX falls or the share rises from close to close, as a
	// fraction: for a crash above 0 and at most 0.19 (at 0.20 the exchange would
	// close for the day), 0.12 when zero; for a squeeze above 0 and at most 4,
	// 0.8 when zero. A halt has none.
	Size float64
	// After is how long after the open a halt begins, one hour when zero, and
	// Length how long it lasts, ten minutes when zero: whole minutes, and over a
	// minute before the close. Others have none.
	After, Length time.Duration
}

// A staged scenario has its settings complete.
type staged struct {
	Scenario
	breakers func() []pause // of a crash
}

// stage checks scenarios and completes them.
func (m *Market) stage(scenarios []Scenario) error {
	for i, s := range scenarios {
		field := func(name string) string { return fmt.Sprintf("scenarios[%d].%s", i, name) }
		if s.Date.IsZero() {
			s.Date = m.dateOf(DefaultStart())
		}
		from, to := span()
		session, ok := m.calendar.Session(s.Date)
		if !ok || !s.Date.After(from) || s.Date.After(to) {
			return invalid.Fieldf(field("date"), s.Date.String(), "a session of the stock exchange after %s and up to %s", from, to)
		}
		usual, most, allowed := 0.0, 0.0, "0: a halt has no size"
		switch s.Kind {
		case Crash:
			usual, most, allowed = 0.12, 0.19, "a fall above 0 and up to 0.19, or 0 for 0.12"
		case Squeeze:
			usual, most, allowed = 0.8, 4, "a rise above 0 and up to 4 (400 %), or 0 for 0.8"
		case Halt:
		default:
			return invalid.Field(field("kind"), string(s.Kind), "crash, squeeze or halt")
		}
		if !(s.Size >= 0 && s.Size <= most) {
			return invalid.Field(field("size"), s.Size, allowed)
		}
		if s.Size == 0 {
			s.Size = usual
		}
		if err := m.stageSymbol(s, field("symbol")); err != nil {
			return err
		}
		if s.Kind == Halt {
			if s.After == 0 {
				s.After = time.Hour
			}
			if s.Length == 0 {
				s.Length = 10 * time.Minute
			}
			switch open := session.Close.Sub(session.Open); {
			case s.After < time.Minute || s.After%time.Minute != 0:
				return invalid.Field(field("after"), s.After.String(), "whole minutes, at least one")
			case s.Length < time.Minute || s.Length%time.Minute != 0 || s.After+s.Length >= open-time.Minute:
				return invalid.Field(field("length"), s.Length.String(), "whole minutes that end before the last one of the session")
			}
		} else if s.After != 0 || s.Length != 0 {
			return invalid.Field(field("after"), s.After.String(), "0: only a halt has a time")
		}
		st := &staged{Scenario: s}
		st.breakers = sync.OnceValue(func() []pause { return m.breakers(st) })
		m.scenarios = append(m.scenarios, st)
	}
	return nil
}

func (m *Market) stageSymbol(s Scenario, field string) error {
	if s.Kind == Crash {
		if s.Symbol != "" {
			return invalid.Field(field, string(s.Symbol), "empty: a crash is the whole market's")
		}
		return nil
	}
	c := m.cells[s.Symbol]
	what := "a share of the synthetic market that is not replayed, such as AMD"
	if s.Kind == Halt {
		what = "a share or fund of the synthetic market that is not replayed, such as AMD"
	}
	if c == nil || c.profile == nil || c.replayed || c.profile.class == index || s.Kind == Squeeze && c.profile.etf() {
		return invalid.Field(field, string(s.Symbol), what)
	}
	return nil
}

// A jolt is what a scenario does to one symbol on its day.
type jolt struct {
	session    int
	night, day float64 // log returns beside the symbol's own
	variance   float64 // factor of the implied variance
}

// jolted applies the scenarios to a made walk, given as log prices at open and
// close, and remembers them for what depends on them later.
func (k *track) jolted(open, shut, intraVol []float64) {
	for _, s := range k.market.scenarios {
		i := k.onDate(s.Date)
		if i < 1 || i >= len(k.sessions) || k.sessions[i].Date != s.Date {
			continue
		}
		var j jolt
		var after func(n int) (boost, drift float64) // n sessions later
		var crowd func(n int) float64                // factor of the volume
		switch p := k.profile; {
		case s.Kind == Crash:
			move := p.beta * math.Log1p(-s.Size)
			all := k.market.marketProcess() // whose own return of the day the crash replaces
			j = jolt{i, 0.2*move - p.beta*all.overnight[i], 0.8*move - p.beta*all.intraday[i],
				square(1 + 10*s.Size*max(0.15, min(1.3, math.Abs(p.beta))))}
			after = func(n int) (float64, float64) {
				drift := 0.0
				if n == 1 {
					drift = -0.25 * move
				}
				return 1 + 10*s.Size*math.Exp(-float64(n)/8), drift
			}
			crowd = func(n int) float64 { return 1 + 10*s.Size*math.Exp(-float64(n)/6) }
		case s.Kind == Squeeze && s.Symbol == p.symbol && !k.reference:
			move := math.Log1p(s.Size)
			j = jolt{i, 0.3 * move, 0.7 * move, square(1 + 1.5*s.Size)}
			after = func(n int) (float64, float64) {
				drift := 0.0
				if n <= 5 {
					drift = -0.12 * move
				}
				return 1 + 2*math.Exp(-float64(n)/5), drift
			}
			crowd = func(n int) float64 { return 1 + 9*math.Exp(-float64(n)/3) }
			k.squeezed = append(k.squeezed, i)
		default:
			continue
		}
		k.jolts = append(k.jolts, j)
		k.crowds = append(k.crowds, func(at int) float64 {
			if at < i {
				return 1
			}
			return crowd(at - i)
		})
		before, now := shut[i-1], shut[i-1]
		for n := i; n < len(shut); n++ {
			night, day := open[n]-before, shut[n]-open[n]
			before = shut[n]
			if n == i {
				night, day = night+j.night, day+j.day
				intraVol[n] = max(intraVol[n], 0.3*math.Abs(day))
			} else {
				boost, drift := after(n - i)
				night, day = night*boost, day*boost+drift
				intraVol[n] *= boost
			}
			open[n] = now + night
			shut[n] = open[n] + day
			now = shut[n]
		}
	}
}

// crowd is the factor that scenarios put on the volume of session i.
func (k *track) crowd(i int) float64 {
	f := 1.0
	for _, crowd := range k.crowds {
		f *= crowd(i)
	}
	return f
}

// joltBy raises the variance after the part of the jolt of session i that the
// move so far, a log return since the close before, is of the whole day's.
func (k *track) joltBy(fast float64, i int, move float64) float64 {
	for _, j := range k.jolts {
		if j.session == i {
			whole := math.Log(k.bars[i].Close / k.previousClose(i))
			fast = clampVariance(fast * math.Pow(j.variance, max(0, min(1, move/whole))))
		}
	}
	return fast
}
