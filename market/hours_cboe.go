package market

import (
	"sync"
	"time"
)

// CboeIndexOptions returns the hours of the options on SPX, XSP and VIX, in New
// York time:
//
//   - global trading hours from 20:15 of the evening before (Sunday for Monday)
//     to 09:25, to 09:15 before August 2024;
//   - the regular session from 09:30 to 16:15, to 13:15 when shares close at
//     13:00;
//   - the curb session from 16:15 to 17:00, none after an early close;
//   - on the days of holidays only global trading hours, to 11:30, which belong
//     to the next trade date; none before New Year's Day, Good Friday and
//     Christmas. On the day of mourning of 9 January 2025 they went to 09:25.
//
// Options that settle at the close stop at 16:00 of their last day, before the
// regular session ends. Known from 25 April 2022, when the curb session began.
func CboeIndexOptions() *TradingHours { return cboeIndexOptions() }

var cboeIndexOptions = sync.OnceValue(func() *TradingHours {
	_, to := NYSE().Range()
	return &TradingHours{name: "Cboe index options", from: date(2022, time.April, 25), to: to, day: cboeIndexDay}
})

const (
	cboeNightOpen    = 20*60 + 15
	cboeHolidayClose = 11*60 + 30
)

// cboeNightClose returns when the global trading hours that end on d do so.
// The exchange filed for the later end on 12 July 2024, to take effect a month
// later; the exact day may differ by weeks.
func cboeNightClose(d Date) int {
	if d.Before(date(2024, time.August, 12)) {
		return 9*60 + 15
	}
	return 9*60 + 25
}

func cboeIndexDay(d Date) *TradingDay {
	session, ok := NYSE().Session(d)
	if !ok || d.Weekday() == time.Saturday {
		return nil
	}
	day := &TradingDay{Date: d, Early: session.Early, Reason: session.Reason}
	first := d
	for {
		if _, open := NYSE().Session(first.AddDays(-1)); open || d.DaysUntil(first) < -reach {
			break
		}
		first = first.AddDays(-1)
	}
	for p := first; p != d; p = p.AddDays(1) {
		if end := cboeHolidayNight(p); end > 0 {
			day.Periods = append(day.Periods, stretch(d, PhaseOvernight, p.AddDays(-1), cboeNightOpen, p, end))
		}
	}
	const open, close = 9*60 + 30, 16*60 + 15
	day.Periods = append(day.Periods, stretch(d, PhaseOvernight, d.AddDays(-1), cboeNightOpen, d, cboeNightClose(d)))
	if session.Early {
		return dayWith(day, stretch(d, PhaseRegular, d, open, d, 13*60+15))
	}
	return dayWith(day, stretch(d, PhaseRegular, d, open, d, close), stretch(d, PhaseCurb, d, close, d, 17*60))
}

func dayWith(day *TradingDay, periods ...Period) *TradingDay {
	day.Periods = append(day.Periods, periods...)
	return day
}

// cboeHolidayNight returns when the global trading hours before a holiday end,
// in minutes of the day; 0 when there are none.
func cboeHolidayNight(d Date) int {
	reason, holiday := NYSE().modernHoliday(d)
	switch {
	case !holiday, reason == reasonNewYear, reason == reasonGoodFriday, reason == reasonChristmas:
		return 0
	case cmeMourning[d]:
		return cboeNightClose(d)
	case specialClosures[d] != "":
		return 0
	}
	return cboeHolidayClose
}
