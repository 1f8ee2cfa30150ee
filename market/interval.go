package market

import (
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// An Interval is the length of a bar: a count and a unit, "5m", "1h", "1d",
// "1w", "1mo". Make one from text with [ParseInterval].
type Interval string

// The usual intervals.
const (
	Minute   Interval = "1m"
	Minute5  Interval = "5m"
	Minute15 Interval = "15m"
	Minute30 Interval = "30m"
	Hour     Interval = "1h"
	Day      Interval = "1d"
	Week     Interval = "1w"
	Month    Interval = "1mo"
)

// A Unit is the unit of an [Interval].
type Unit string

// The units. Seconds, minutes and hours are elapsed time from the session's
// open; days, weeks and months follow the exchange calendar.
const (
	UnitSecond Unit = "s"
	UnitMinute Unit = "m"
	UnitHour   Unit = "h"
	UnitDay    Unit = "d"
	UnitWeek   Unit = "w"
	UnitMonth  Unit = "mo"
)

const allowedIntervals = "a count and a unit s, m, h, d, w or mo, such as 1m, 5m, 1h, 1d, 1w, 1mo"

// ParseInterval reads "5m", "1h", "d" (a count of one may be left out).
func ParseInterval(s string) (Interval, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	digits := 0
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		digits++
	}
	n := 1
	if digits > 0 {
		var err error
		if n, err = strconv.Atoi(text[:digits]); err != nil || n < 1 || n > 1_000_000 {
			return "", invalid.Field("interval", s, allowedIntervals)
		}
	}
	switch unit := Unit(text[digits:]); unit {
	case UnitSecond, UnitMinute, UnitHour, UnitDay, UnitWeek, UnitMonth:
		return Interval(strconv.Itoa(n) + string(unit)), nil
	}
	return "", invalid.Field("interval", s, allowedIntervals)
}

// Parts returns the count and the unit; 0 and "" when i is not valid.
func (i Interval) Parts() (n int, unit Unit) {
	parsed, err := ParseInterval(string(i))
	if err != nil {
		return 0, ""
	}
	digits := strings.IndexFunc(string(parsed), func(r rune) bool { return r < '0' || r > '9' })
	n, _ = strconv.Atoi(string(parsed[:digits]))
	return n, Unit(parsed[digits:])
}

// Intraday reports whether bars of i lie within a session.
func (i Interval) Intraday() bool { return i.Duration() > 0 }

// Duration returns the elapsed time of an intraday interval, and 0 for days,
// weeks and months, which follow the calendar.
func (i Interval) Duration() time.Duration {
	n, unit := i.Parts()
	switch unit {
	case UnitSecond:
		return time.Duration(n) * time.Second
	case UnitMinute:
		return time.Duration(n) * time.Minute
	case UnitHour:
		return time.Duration(n) * time.Hour
	}
	return 0
}
