package market

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// A stamp is a time as a file writes it.
type stamp struct {
	t     time.Time
	date  Date // the day as written: a daily bar is of this day, wherever t is
	clock bool // a time of day was given
}

const allowedTimes = "a time such as 2026-09-16, 2026-09-16 09:30, 9/16/2026 9:30, 20260916, RFC 3339, or Unix seconds or milliseconds"

// parseStamp reads a date with an optional time of day and zone, or a Unix
// time in seconds, milliseconds, microseconds or nanoseconds. What lacks a zone
// is in loc; a date alone is midnight in loc.
func parseStamp(s string, loc *time.Location) (stamp, bool) {
	s = strings.Trim(s, " \"")
	if isNumber(s) {
		return parseNumericStamp(s, loc)
	}
	d, rest, ok := scanDate(s)
	if !ok {
		return stamp{}, false
	}
	if rest == "" {
		return stamp{t: d.In(loc), date: d}, true
	}
	if rest[0] != ' ' && rest[0] != 'T' && rest[0] != 't' {
		return stamp{}, false
	}
	hour, minute, sec, nano, zone, ok := scanClock(strings.TrimLeft(rest[1:], " "))
	if !ok {
		return stamp{}, false
	}
	if zone != "" {
		if loc, ok = scanZone(zone); !ok {
			return stamp{}, false
		}
	}
	return stamp{t: time.Date(d.Year, d.Month, d.Day, hour, minute, sec, nano, loc), date: d, clock: true}, true
}

// parseNumericStamp reads YYYYMMDD (also as a float, "20260916.0"),
// YYYYMMDDhhmmss, and Unix times, whose unit follows from their size.
func parseNumericStamp(s string, loc *time.Location) (stamp, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	if strings.Trim(fraction, "0") == "" {
		switch len(whole) {
		case 8:
			if d, ok := compactDate(whole); ok {
				return stamp{t: d.In(loc), date: d}, true
			}
		case 14:
			d, ok := compactDate(whole[:8])
			h, m, sec := atoi(whole[8:10]), atoi(whole[10:12]), atoi(whole[12:])
			if ok && h < 24 && m < 60 && sec < 60 {
				return stamp{t: time.Date(d.Year, d.Month, d.Day, h, m, sec, 0, loc), date: d, clock: true}, true
			}
		}
	}
	// Seconds are 1973 to 5138, so the ranges of the units do not touch.
	perSecond := int64(1)
	switch n := len(whole); {
	case n >= 18 && n <= 19:
		perSecond = 1e9
	case n >= 15 && n <= 16:
		perSecond = 1e6
	case n >= 12 && n <= 13:
		perSecond = 1e3
	case n < 9 || n > 11:
		return stamp{}, false
	}
	units, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return stamp{}, false
	}
	nanos := units % perSecond * (1e9 / perSecond)
	if perSecond == 1 && fraction != "" {
		part, _ := strconv.ParseFloat("0."+fraction, 64)
		nanos = int64(math.Round(part*1e6)) * 1e3
	}
	t := time.Unix(units/perSecond, nanos)
	// A Unix time for a day is midnight UTC of it or some time of its session.
	utc := t.UTC()
	date := DateOf(utc)
	midnight := utc.Hour() == 0 && utc.Minute() == 0 && utc.Second() == 0
	if !midnight {
		date = DateOf(t.In(newYork()))
	}
	return stamp{t: t.In(loc), date: date, clock: !midnight}, true
}

func isNumber(s string) bool {
	point := false
	for i := range len(s) {
		switch {
		case s[i] == '.' && !point && i > 0:
			point = true
		case s[i] < '0' || s[i] > '9':
			return false
		}
	}
	return s != ""
}

func compactDate(s string) (Date, bool) {
	return checkedDate(atoi(s[:4]), atoi(s[4:6]), atoi(s[6:8]))
}

// scanDate reads Y-M-D, Y/M/D, M/D/Y or YYYYMMDD from the start of s.
func scanDate(s string) (d Date, rest string, ok bool) {
	a, n, rest := scanInt(s)
	if n == 8 {
		d, ok = compactDate(s[:8])
		return d, rest, ok
	}
	if rest == "" || rest[0] != '-' && rest[0] != '/' {
		return d, rest, false
	}
	separator := rest[0]
	b, m, rest := scanInt(rest[1:])
	if m == 0 || m > 2 || rest == "" || rest[0] != separator {
		return d, rest, false
	}
	c, k, rest := scanInt(rest[1:])
	switch {
	case n == 4 && k >= 1 && k <= 2:
		d, ok = checkedDate(a, b, c)
	case n <= 2 && n >= 1 && k == 4:
		d, ok = checkedDate(c, a, b)
	}
	return d, rest, ok
}

// scanClock reads h:mm[:ss[.frac]] with an optional AM or PM; zone is what follows.
func scanClock(s string) (hour, minute, sec, nano int, zone string, ok bool) {
	hour, n, rest := scanInt(s)
	if n == 0 || n > 2 || rest == "" || rest[0] != ':' {
		return
	}
	minute, n, rest = scanInt(rest[1:])
	if n != 2 {
		return
	}
	if rest != "" && rest[0] == ':' {
		if sec, n, rest = scanInt(rest[1:]); n != 2 {
			return
		}
		if rest != "" && (rest[0] == '.' || rest[0] == ',') {
			digits := rest[1:]
			if nano, n, rest = scanInt(digits); n == 0 || n > 9 {
				return
			}
			for ; n < 9; n++ {
				nano *= 10
			}
		}
	}
	rest = strings.TrimSpace(rest)
	if len(rest) >= 2 && (rest[1] == 'M' || rest[1] == 'm') && hour >= 1 && hour <= 12 {
		switch rest[0] {
		case 'A', 'a':
			hour, rest = hour%12, strings.TrimSpace(rest[2:])
		case 'P', 'p':
			hour, rest = hour%12+12, strings.TrimSpace(rest[2:])
		}
	}
	return hour, minute, sec, nano, rest, hour < 24 && minute < 60 && sec < 60
}

// scanZone reads Z, UTC, GMT or an offset such as -05:00, -0500 or -05.
func scanZone(s string) (*time.Location, bool) {
	switch s {
	case "Z", "z", "UTC", "GMT":
		return time.UTC, true
	}
	if s[0] != '+' && s[0] != '-' {
		return nil, false
	}
	digits := strings.Replace(s[1:], ":", "", 1)
	if !isNumber(digits) || len(digits) != 2 && len(digits) != 4 {
		return nil, false
	}
	seconds := atoi(digits[:2]) * 3600
	if len(digits) == 4 {
		seconds += atoi(digits[2:]) * 60
	}
	if seconds > 15*3600 {
		return nil, false
	}
	if s[0] == '-' {
		seconds = -seconds
	}
	if seconds == 0 {
		return time.UTC, true
	}
	return time.FixedZone("", seconds), true
}

// scanInt reads up to nine leading digits and returns how many there were.
func scanInt(s string) (v, n int, rest string) {
	for n < len(s) && n < 9 && s[n] >= '0' && s[n] <= '9' {
		v = v*10 + int(s[n]-'0')
		n++
	}
	return v, n, s[n:]
}

// atoi reads digits that are known to be digits.
func atoi(s string) int {
	v, _, _ := scanInt(s)
	return v
}

// checkedDate returns a date that exists, from 1800 to 2199.
func checkedDate(y, m, d int) (Date, bool) {
	if y < 1800 || y > lastYear || m < 1 || m > 12 || d < 1 || d > 31 {
		return Date{}, false
	}
	v := date(y, time.Month(m), d)
	if d > 28 && DateOf(v.In(time.UTC)) != v {
		return Date{}, false
	}
	return v, true
}

// parseDay reads a date; a time of day, which some files write behind an
// expiration, is left out.
func parseDay(s string) (Date, bool) {
	v, ok := parseStamp(s, time.UTC)
	return v.date, ok
}

// parseNumber reads a finite number as files write it, "$1,234.50" included.
// Empty cells, "null", "NaN", "n/a" and "-" are NaN.
func parseNumber(s string) (x float64, ok bool) {
	if s != "" && s[0] >= '0' && s[0] <= '9' { // the rule
		if x, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(x, 0) {
			return x, true
		}
	}
	switch strings.ToLower(s) {
	case "", "null", "nan", "na", "n/a", "none", "-", "--":
		return math.NaN(), true
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		x, err = strconv.ParseFloat(strings.ReplaceAll(strings.TrimPrefix(s, "$"), ",", ""), 64)
	}
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return math.NaN(), false
	}
	return x, true
}
