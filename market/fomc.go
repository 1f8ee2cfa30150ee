package market

import (
	"fmt"
	"sync"
	"time"
)

// fomcDays are the days on which the Federal Open Market Committee announced
// its decisions, by year (federalreserve.gov, calendars of meetings): the last
// day of each meeting, at 14:00 in New York. The two of March 2020 outside the
// schedule stand in fomcUnscheduled.
var fomcDays = []struct {
	year int
	days string // month and day
}{
	{2015, "01-28 03-18 04-29 06-17 07-29 09-17 10-28 12-16"},
	{2016, "01-27 03-16 04-27 06-15 07-27 09-21 11-02 12-14"},
	{2017, "02-01 03-15 05-03 06-14 07-26 09-20 11-01 12-13"},
	{2018, "01-31 03-21 05-02 06-13 08-01 09-26 11-08 12-19"},
	{2019, "01-30 03-20 05-01 06-19 07-31 09-18 10-30 12-11"},
	{2020, "01-29 04-29 06-10 07-29 09-16 11-05 12-16"},
	{2021, "01-27 03-17 04-28 06-16 07-28 09-22 11-03 12-15"},
	{2022, "01-26 03-16 05-04 06-15 07-27 09-21 11-02 12-14"},
	{2023, "02-01 03-22 05-03 06-14 07-26 09-20 11-01 12-13"},
	{2024, "01-31 03-20 05-01 06-12 07-31 09-18 11-07 12-18"},
	{2025, "01-29 03-19 05-07 06-18 07-30 09-17 10-29 12-10"},
	{2026, "01-28 03-18 04-29 06-17 07-29 09-16 10-28 12-09"},
}

var fomcUnscheduled = []struct {
	date         Date
	hour, minute int
	note         string
}{
	{date(2020, time.March, 3), 10, 0, "emergency cut"},
	{date(2020, time.March, 15), 17, 0, "emergency cut on a Sunday, in place of the meeting of 17 and 18 March"},
}

// FOMC returns the decisions of the Federal Open Market Committee from 2015 to
// 2026, the default [EconomicSource]. Meetings of later years, and any other
// announcement, come from a table or a source of one's own; [TablesEnding]
// tells when this one runs out.
func FOMC() *EconomicTable { return fomc() }

var fomc = sync.OnceValue(func() *EconomicTable {
	var events []EconomicEvent
	for _, y := range fomcDays {
		for i := 0; i < len(y.days); i += len("01-28 ") {
			d, err := ParseDate(fmt.Sprintf("%d-%s", y.year, y.days[i:i+5]))
			if err != nil { // cannot happen: the table is a constant that the tests read
				continue
			}
			events = append(events, EconomicEvent{Kind: EconomicFOMC, Name: "FOMC decision", Date: d, Time: d.At(14, 0, newYork())})
		}
	}
	for _, u := range fomcUnscheduled {
		events = append(events, EconomicEvent{Kind: EconomicFOMC, Name: "FOMC decision", Date: u.date,
			Time: u.date.At(u.hour, u.minute, newYork()), Unscheduled: true, Note: u.note})
	}
	first, last := fomcDays[0].year, fomcDays[len(fomcDays)-1].year
	table, err := NewEconomicTable(date(first, time.January, 1), date(last, time.December, 31), events)
	if err != nil { // cannot happen either
		return &EconomicTable{}
	}
	return table
})
