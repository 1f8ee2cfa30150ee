package market

import "time"

// This file has the days without trading before 1990, compared in the tests
// with a published list that begins in 1928, and the trading hours of the time.
// Until May 1952 the exchange traded on Saturdays from ten to noon.

// lastSaturday is the last Saturday on which the exchange traded.
var lastSaturday = date(1952, time.May, 24)

// saturdaySession reports whether d is a Saturday of the time when the
// exchange traded on Saturdays.
func saturdaySession(d Date) bool {
	return d.Weekday() == time.Saturday && !d.After(lastSaturday)
}

// earlierHours returns the usual hours of a date before 30 September 1985, in
// minutes of the day; ok is false from then on.
func earlierHours(d Date) (open, close int, ok bool) {
	switch {
	case !d.Before(date(1985, time.September, 30)):
		return 0, 0, false
	case !d.Before(date(1974, time.October, 1)):
		return 10 * 60, 16 * 60, true
	case !d.Before(date(1952, time.September, 29)):
		return 10 * 60, 15*60 + 30, true
	case d.Weekday() == time.Saturday:
		return 10 * 60, 12 * 60, true
	}
	return 10 * 60, 15 * 60, true
}

// earlierHolidays returns the days without trading of a year before 1990.
// Those on Saturdays after 1952 and on Sundays are nobody's trading days.
func earlierHolidays(y int) map[Date]string {
	days := map[Date]string{
		sundayToMonday(date(y, time.January, 1)):      reasonNewYear,
		easter(y).AddDays(-2):                         reasonGoodFriday,
		nthWeekday(y, time.September, time.Monday, 1): "Labor Day",
		earlierThanksgiving(y):                        "Thanksgiving Day",
	}
	if y < 1954 {
		days[sundayToMonday(date(y, time.February, 12))] = "Lincoln's Birthday"
		days[sundayToMonday(date(y, time.October, 12))] = "Columbus Day"
	}
	if y >= 1934 && y < 1954 {
		days[sundayToMonday(date(y, time.November, 11))] = "Armistice Day"
	}
	if y < 1971 {
		days[sundayToMonday(date(y, time.May, 30))] = "Memorial Day"
		// A holiday on a Saturday became a Friday off one by one, once
		// Saturdays were no trading days.
		move := sundayToMonday
		if y > 1958 {
			move = observed
		}
		days[move(date(y, time.February, 22))] = "Washington's Birthday"
	} else {
		days[lastWeekday(y, time.May, time.Monday)] = "Memorial Day"
		days[nthWeekday(y, time.February, time.Monday, 3)] = "Washington's Birthday"
	}
	move := observed
	if y < 1954 {
		move = sundayToMonday
	}
	days[move(date(y, time.July, 4))] = "Independence Day"
	days[move(date(y, time.December, 25))] = reasonChristmas
	if y <= 1968 || y <= 1980 && y%4 == 0 {
		days[nthWeekday(y, time.November, time.Monday, 1).AddDays(1)] = "Election Day"
	}
	for d, reason := range summerSaturdays(y) {
		days[d] = reason
	}
	for _, c := range earlierClosures {
		if c.from.Year == y {
			for d := c.from; !d.After(c.to); d = d.AddDays(c.step) {
				if _, known := days[d]; !known {
					days[d] = c.reason
				}
			}
		}
	}
	return days
}

// sundayToMonday moves a holiday on a Sunday to the Monday after.
func sundayToMonday(d Date) Date {
	if d.Weekday() == time.Sunday {
		return d.AddDays(1)
	}
	return d
}

// earlierThanksgiving is the last Thursday of November until 1938, the one
// before it from 1939 to 1941, then the fourth.
func earlierThanksgiving(y int) Date {
	last := lastWeekday(y, time.November, time.Thursday)
	switch {
	case y < 1939:
		return last
	case y < 1942:
		return last.AddDays(-7)
	}
	return nthWeekday(y, time.November, time.Thursday, 4)
}

// summerSaturdays returns the Saturdays of June to September 1946 to 1952, on
// which the exchange did not trade.
func summerSaturdays(y int) map[Date]string {
	days := map[Date]string{}
	if y < 1946 || y > 1952 {
		return days
	}
	for d := nthWeekday(y, time.June, time.Saturday, 1); d.Month <= time.September; d = d.AddDays(7) {
		days[d] = reasonSummer
	}
	return days
}

// A closure is a run of days without trading that no rule gives: every step
// days from the first to the last.
type closure struct {
	from, to Date
	step     int
	reason   string
}

func oneDay(y int, m time.Month, d int, reason string) closure {
	day := date(y, m, d)
	return closure{day, day, 1, reason}
}

func weekly(y int, m time.Month, d int, m2 time.Month, d2 int, reason string) closure {
	return closure{date(y, m, d), date(y, m2, d2), 7, reason}
}

const (
	reasonSummer    = "summer Saturday"
	reasonBacklog   = "backlog of paperwork"
	reasonVolume    = "heavy volume"
	reasonPaperwork = "paperwork crisis"
)

// earlierClosures are the closures from 1928 to 1989 without a rule. Days that
// are holidays anyway keep the holiday's name.
var earlierClosures = []closure{
	oneDay(1928, time.April, 7, "day after Good Friday"),
	oneDay(1928, time.April, 21, reasonBacklog),
	weekly(1928, time.May, 5, time.May, 26, reasonBacklog),
	oneDay(1928, time.November, 24, reasonBacklog),
	oneDay(1929, time.February, 9, reasonBacklog),
	oneDay(1929, time.February, 23, "day after Washington's Birthday"),
	oneDay(1929, time.March, 30, "day after Good Friday"),
	oneDay(1929, time.August, 31, "Saturday before Labor Day"),
	oneDay(1929, time.November, 1, reasonBacklog),
	weekly(1929, time.November, 2, time.November, 23, reasonBacklog),
	{date(1929, time.November, 29), date(1929, time.November, 30), 1, reasonBacklog},
	oneDay(1930, time.April, 19, "day after Good Friday"),
	oneDay(1930, time.May, 31, "day after Memorial Day"),
	oneDay(1930, time.July, 5, "day after Independence Day"),
	oneDay(1930, time.August, 30, "Saturday before Labor Day"),
	oneDay(1931, time.September, 5, "Saturday before Labor Day"),
	oneDay(1931, time.December, 26, "day after Christmas"),
	oneDay(1932, time.July, 2, "Saturday before Independence Day"),
	oneDay(1933, time.January, 7, "mourning for Calvin Coolidge"),
	{date(1933, time.March, 4), date(1933, time.March, 14), 1, "bank holiday"},
	weekly(1933, time.July, 29, time.August, 26, reasonVolume),
	oneDay(1933, time.September, 2, "Saturday before Labor Day"),
	oneDay(1936, time.December, 26, "day after Christmas"),
	oneDay(1937, time.May, 29, "Saturday before Memorial Day"),
	oneDay(1937, time.July, 3, "Saturday before Independence Day"),
	weekly(1944, time.August, 19, time.September, 2, reasonSummer),
	oneDay(1945, time.April, 14, "mourning for Franklin D. Roosevelt"),
	weekly(1945, time.July, 7, time.September, 1, reasonSummer),
	{date(1945, time.August, 15), date(1945, time.August, 16), 1, "victory over Japan"},
	oneDay(1945, time.October, 13, "day after Columbus Day"),
	oneDay(1945, time.October, 27, "Navy Day"),
	oneDay(1945, time.December, 24, "Christmas Eve"),
	oneDay(1946, time.February, 23, "day after Washington's Birthday"),
	oneDay(1946, time.May, 25, "railroad strike"),
	oneDay(1947, time.May, 31, reasonSummer),
	oneDay(1948, time.January, 3, "snow"),
	oneDay(1948, time.May, 29, reasonSummer),
	oneDay(1949, time.May, 28, reasonSummer),
	oneDay(1949, time.December, 24, "Christmas Eve"),
	oneDay(1950, time.December, 23, "Saturday before Christmas"),
	oneDay(1956, time.December, 24, "Christmas Eve"),
	oneDay(1958, time.December, 26, "day after Christmas"),
	oneDay(1961, time.May, 29, "day before Memorial Day"),
	oneDay(1963, time.November, 25, "mourning for John F. Kennedy"),
	oneDay(1964, time.May, 29, "Memorial Day"),
	oneDay(1968, time.February, 12, "Lincoln's Birthday"),
	oneDay(1968, time.April, 9, "mourning for Martin Luther King Jr."),
	weekly(1968, time.June, 12, time.June, 26, reasonPaperwork),
	oneDay(1968, time.July, 5, "day after Independence Day"),
	weekly(1968, time.July, 10, time.August, 28, reasonPaperwork),
	weekly(1968, time.September, 11, time.October, 30, reasonPaperwork),
	oneDay(1968, time.November, 11, "Veterans Day"),
	oneDay(1968, time.November, 20, reasonPaperwork),
	weekly(1968, time.December, 4, time.December, 25, reasonPaperwork),
	oneDay(1969, time.February, 10, "snow"),
	oneDay(1969, time.March, 31, "mourning for Dwight D. Eisenhower"),
	oneDay(1969, time.July, 21, "first landing on the moon"),
	oneDay(1972, time.December, 28, "mourning for Harry S. Truman"),
	oneDay(1973, time.January, 25, "mourning for Lyndon B. Johnson"),
	oneDay(1977, time.July, 14, "power failure in New York"),
	oneDay(1985, time.September, 27, "hurricane Gloria"),
}
