package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Moment is a moment of the trading day.
type Moment string

// The moments. Half days have their own.
const (
	PreOpen  Moment = "pre-open"   // when pre-market trading begins
	Open     Moment = "open"       // of the regular session
	Close    Moment = "close"      // of the regular session
	EndOfDay Moment = "end of day" // when post-market trading ends
)

// Days says on which sessions a trigger fires.
type Days string

// The days. A week begins on Monday, quarters in January, April, July and October.
const (
	EverySession   Days = ""
	FirstOfWeek    Days = "first session of the week"
	LastOfWeek     Days = "last session of the week"
	FirstOfMonth   Days = "first session of the month"
	LastOfMonth    Days = "last session of the month"
	LastOfQuarter  Days = "last session of the quarter"
	Expirations    Days = "expirations"     // of Symbols[0], in the Cycle or all
	BeforeEarnings Days = "before earnings" // of Symbols, Sessions before
)

// A Trigger says when a job is due. It has a text form, which [ParseTrigger]
// reads and JSON uses. The zero value is refused; each trigger has exactly one of
// Cron, At, Clock and Every.
type Trigger struct {
	// Cron is a cron expression of five fields (minute, hour, day of the month,
	// month, day of the week) or @hourly, @daily, @weekly, @monthly, in Zone, a
	// name of the zone database. Where both kinds of days are restricted, either
	// is enough, as POSIX has it.
	//
	// A time that the clock skips in spring is due when the clock has gone forward,
	// by as much later. A fixed hour that comes twice in autumn is due the first time
	// only; with every hour ("*") both are.
	Cron string
	Zone string

	// At is a moment of the session, from which Offset is counted: negative is
	// before. At most 72 hours.
	At     Moment
	Offset time.Duration
	// Clock is a time of the session's day in New York: "08:30".
	Clock string
	// Every fires at the open and each so often in the session, the close excluded,
	// plus Offset. With Full it fires at the full hours, or other multiples of Every
	// on the clock, that lie in the session. A whole number of minutes.
	Every time.Duration
	Full  bool

	// On are the sessions; it goes with all but Cron.
	On      Days
	Symbols []market.Symbol
	Cycle   market.Cycle // of expirations; empty means all
	// Sessions counts back from a company's report; 0 means 1: the last session that
	// has closed when it comes. A report at an unknown time of the day counts as one
	// before the open.
	Sessions int
}

// longestOffset bounds how far from its session a trigger fires.
const longestOffset = 72 * time.Hour

// AtOpen fires d after each open; negative is before.
func AtOpen(d time.Duration) Trigger { return Trigger{At: Open, Offset: d} }

// AtClose fires d after each close; negative is before.
func AtClose(d time.Duration) Trigger { return Trigger{At: Close, Offset: d} }

// AtEndOfDay fires d after post-market trading ends; negative is before.
func AtEndOfDay(d time.Duration) Trigger { return Trigger{At: EndOfDay, Offset: d} }

// Hourly fires d after the beginning of each hour of the session, counted from
// the open: at 09:30, 10:30, … 15:30, and until 12:30 on a half day.
func Hourly(d time.Duration) Trigger { return Trigger{Every: time.Hour, Offset: d} }

// CronIn fires by a cron expression in a zone: see [Trigger].
func CronIn(zone, expression string) Trigger { return Trigger{Cron: expression, Zone: zone} }

// Only returns the trigger on some sessions only.
func (t Trigger) Only(days Days) Trigger {
	t.On = days
	return t
}

// OnExpirations returns the trigger on the days on which options of an
// underlying expire; an empty cycle means all.
func (t Trigger) OnExpirations(underlying market.Symbol, cycle market.Cycle) Trigger {
	t.On, t.Symbols, t.Cycle = Expirations, []market.Symbol{underlying}, cycle
	return t
}

// BeforeEarnings returns the trigger on the session that lies so many before
// each report of the companies: 1 is the last that has closed when it comes.
func (t Trigger) BeforeEarnings(sessions int, symbols ...market.Symbol) Trigger {
	t.On, t.Symbols, t.Sessions = BeforeEarnings, slices.Clone(symbols), sessions
	return t
}

// cycles are those that a trigger can name.
var cycles = []market.Cycle{market.CycleMonthly, market.CycleQuarterly, market.CycleEndOfMonth, market.CycleWeekly, market.CycleDaily}

// Validate returns a *FieldError unless the trigger can fire.
func (t Trigger) Validate() error {
	kinds := 0
	for _, is := range []bool{t.Cron != "", t.At != "", t.Clock != "", t.Every != 0} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return invalid.Missing("trigger", "exactly one of a cron expression, a moment, a time of the day and an interval: "+examples)
	}
	if t.Cron != "" {
		if t.On != "" || t.Offset != 0 || t.Full || len(t.Symbols) > 0 || t.Cycle != "" || t.Sessions != 0 {
			return invalid.Field("trigger", t.Cron, "a cron expression without sessions, offset or symbols")
		}
		_, err := parseCron(t.Cron, t.Zone)
		return err
	}
	switch {
	case t.Zone != "":
		return invalid.Field("trigger, zone", t.Zone, "no zone, which only cron expressions have: sessions are in New York")
	case t.At != "" && !slices.Contains([]Moment{PreOpen, Open, Close, EndOfDay}, t.At):
		return invalid.Field("trigger, at", string(t.At), "pre-open, open, close or end of day")
	case t.Offset.Abs() > longestOffset:
		return invalid.Field("trigger, offset", t.Offset.String(), "at most 72h before or after")
	case t.Clock != "" && t.Offset != 0:
		return invalid.Field("trigger, offset", t.Offset.String(), "no offset from a time of the day")
	case t.Full && t.Every == 0:
		return invalid.Field("trigger, full", t.Full, "only with an interval")
	}
	if t.Clock != "" {
		if _, _, err := clockTime(t.Clock); err != nil {
			return err
		}
	}
	if t.Every != 0 {
		switch {
		case t.Every < time.Minute || t.Every > 24*time.Hour || t.Every%time.Minute != 0:
			return invalid.Field("trigger, every", t.Every.String(), "whole minutes, from 1m to 24h")
		case t.Full && (24*time.Hour)%t.Every != 0:
			return invalid.Field("trigger, every", t.Every.String(), "a part of a day, such as 15m, 30m or 1h")
		case t.Offset < 0 || t.Offset >= t.Every:
			return invalid.Field("trigger, offset", t.Offset.String(), "from 0 to less than the interval")
		}
	}
	return t.validateDays()
}

func (t Trigger) validateDays() error {
	if t.On != Expirations && t.Cycle != "" {
		return invalid.Field("trigger, cycle", string(t.Cycle), "a cycle only on expirations")
	}
	if t.On != BeforeEarnings && t.Sessions != 0 {
		return invalid.Field("trigger, sessions", t.Sessions, "a number only before earnings")
	}
	for _, s := range t.Symbols {
		if s == "" || strings.ContainsAny(string(s), ", \t\n") {
			return invalid.Field("trigger, symbols", string(s), "symbols such as AAPL")
		}
	}
	switch t.On {
	case EverySession, FirstOfWeek, LastOfWeek, FirstOfMonth, LastOfMonth, LastOfQuarter:
		if len(t.Symbols) > 0 {
			return invalid.Field("trigger, symbols", fmt.Sprint(t.Symbols), "symbols only for expirations and earnings")
		}
		return nil
	case Expirations:
		if len(t.Symbols) != 1 {
			return invalid.Field("trigger, symbols", fmt.Sprint(t.Symbols), "one underlying whose options expire")
		}
		if t.Cycle != "" && !slices.Contains(cycles, t.Cycle) {
			return invalid.Field("trigger, cycle", string(t.Cycle), "monthly, quarterly, end of month, weekly or daily")
		}
		day := market.Date{Year: 2026, Month: time.January, Day: 2}
		if _, err := market.ExpirationDays(t.Symbols[0], day, day, nil); err != nil {
			return invalid.Field("trigger, symbols", string(t.Symbols[0]), "an underlying whose expirations follow rules, such as SPX, SPY or /ES")
		}
		return nil
	case BeforeEarnings:
		if len(t.Symbols) == 0 || len(t.Symbols) > 500 {
			return invalid.Field("trigger, symbols", len(t.Symbols), "1 to 500 companies that report")
		}
		if t.Sessions < 0 || t.Sessions > 20 {
			return invalid.Field("trigger, sessions", t.Sessions, "1 to 20 sessions before")
		}
		return nil
	}
	return invalid.Field("trigger, on", string(t.On), "the first or last session of the week or month, expirations, or before earnings")
}

// clockTime reads "08:30".
func clockTime(text string) (hour, minute int, err error) {
	at, err := time.Parse("15:04", text)
	if err != nil || len(text) != 5 {
		return 0, 0, invalid.Field("trigger, clock", text, "a time of the day such as 08:30")
	}
	return at.Hour(), at.Minute(), nil
}
