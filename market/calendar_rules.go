package market

import "time"

// This file has the exchange's holidays and early closes since 1990: NYSE Rule
// 7.2 and the exchange's announcements, compared with published calendars for
// 1990 to 2030 in the tests.

// specialClosures are the weekdays since 1990 on which the exchange stayed
// closed without a rule.
var specialClosures = map[Date]string{
	date(1994, time.April, 27):     "mourning for Richard Nixon",
	date(2001, time.September, 11): "attacks of September 11",
	date(2001, time.September, 12): "attacks of September 11",
	date(2001, time.September, 13): "attacks of September 11",
	date(2001, time.September, 14): "attacks of September 11",
	date(2004, time.June, 11):      "mourning for Ronald Reagan",
	date(2007, time.January, 2):    "mourning for Gerald Ford",
	date(2012, time.October, 29):   "hurricane Sandy",
	date(2012, time.October, 30):   "hurricane Sandy",
	date(2018, time.December, 5):   "mourning for George H. W. Bush",
	date(2025, time.January, 9):    "mourning for Jimmy Carter",
}

// specialEarlyCloses are the early closes since 1990 that no rule gives.
var specialEarlyCloses = map[Date]earlyClose{
	date(1997, time.December, 26): {hour: 13, reason: "day after Christmas"},
	date(1999, time.December, 31): {hour: 13, reason: "New Year's Eve 1999"},
	date(2003, time.December, 26): {hour: 13, reason: "day after Christmas"},
}

// An earlyClose is the hour of the day at which a session ends early.
type earlyClose struct {
	hour   int
	reason string
}

// The reasons that the hours of other markets depend on.
const (
	reasonNewYear    = "New Year's Day"
	reasonGoodFriday = "Good Friday"
	reasonChristmas  = "Christmas Day"
)

// holidays returns the dates of a year without a session, by rule and table.
// Some may fall on weekends.
func holidays(y int) map[Date]string {
	if y < 1990 {
		return earlierHolidays(y)
	}
	days := map[Date]string{
		nthWeekday(y, time.February, time.Monday, 3):   "Washington's Birthday",
		easter(y).AddDays(-2):                          reasonGoodFriday,
		lastWeekday(y, time.May, time.Monday):          "Memorial Day",
		observed(date(y, time.July, 4)):                "Independence Day",
		nthWeekday(y, time.September, time.Monday, 1):  "Labor Day",
		nthWeekday(y, time.November, time.Thursday, 4): "Thanksgiving Day",
		observed(date(y, time.December, 25)):           reasonChristmas,
	}
	// A New Year's Day on a Saturday is not made up for on the Friday before,
	// which ends the accounting year.
	if newYear := date(y, time.January, 1); newYear.Weekday() != time.Saturday {
		days[observed(newYear)] = reasonNewYear
	}
	if y >= 1998 {
		days[nthWeekday(y, time.January, time.Monday, 3)] = "Martin Luther King Jr. Day"
	}
	if y >= 2022 {
		days[observed(date(y, time.June, 19))] = "Juneteenth"
	}
	for d, reason := range specialClosures {
		if d.Year == y {
			days[d] = reason
		}
	}
	return days
}

// earlyCloses returns the sessions of a year that end early.
func earlyCloses(y int) map[Date]earlyClose {
	days := map[Date]earlyClose{}
	if y < 1990 {
		return days
	}
	hour := 13
	if y < 1993 {
		hour = 14
	}
	if y >= 1992 {
		days[nthWeekday(y, time.November, time.Thursday, 4).AddDays(1)] = earlyClose{hour, "day after Thanksgiving"}
	}
	// On a Friday Christmas Eve is the observed holiday itself.
	if eve := date(y, time.December, 24); eve.Weekday() >= time.Monday && eve.Weekday() <= time.Thursday {
		days[eve] = earlyClose{hour, "Christmas Eve"}
	}
	if y >= 1995 {
		switch fourth := date(y, time.July, 4); {
		case fourth.Weekday() == time.Thursday && y < 2013:
			days[fourth.AddDays(1)] = earlyClose{hour, "day after Independence Day"}
		case fourth.Weekday() >= time.Tuesday && fourth.Weekday() <= time.Friday:
			days[fourth.AddDays(-1)] = earlyClose{hour, "day before Independence Day"}
		}
	}
	for d, e := range specialEarlyCloses {
		if d.Year == y {
			days[d] = e
		}
	}
	return days
}

// observed moves a holiday on a Saturday to the Friday before and one on a
// Sunday to the Monday after.
func observed(d Date) Date {
	switch d.Weekday() {
	case time.Saturday:
		return d.AddDays(-1)
	case time.Sunday:
		return d.AddDays(1)
	}
	return d
}

// nthWeekday returns the n-th given weekday of a month, from 1.
func nthWeekday(y int, m time.Month, w time.Weekday, n int) Date {
	first := date(y, m, 1)
	return first.AddDays((int(w)-int(first.Weekday())+7)%7 + 7*(n-1))
}

// lastWeekday returns the last given weekday of a month.
func lastWeekday(y int, m time.Month, w time.Weekday) Date {
	last := date(y, m+1, 1).AddDays(-1)
	return last.AddDays(-((int(last.Weekday()) - int(w) + 7) % 7))
}

// easter returns Easter Sunday of the Gregorian calendar by the anonymous
// algorithm of 1876 (Meeus, Astronomical Algorithms, chapter 8).
func easter(y int) Date {
	golden, century, inCentury := y%19, y/100, y%100
	epact := (19*golden + century - century/4 - (century-(century+8)/25+1)/3 + 15) % 30
	weekday := (32 + 2*(century%4) + 2*(inCentury/4) - epact - inCentury%4) % 7
	correction := (golden + 11*epact + 22*weekday) / 451
	n := epact + weekday - 7*correction + 114
	return date(y, time.Month(n/31), n%31+1)
}

func date(y int, m time.Month, d int) Date { return Date{Year: y, Month: m, Day: d} }
