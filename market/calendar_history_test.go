package market_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/ttai-go/ttai/market"
)

// The published list holds every full-day closure from 1928 to 5 July 2021, on
// weekdays and, until 1952, on Saturdays. It also lists the Saturdays of summer
// 1952, when Saturday trading had ended already, and one Sunday.
func TestNYSEEqualsPublishedFullDayHolidaysSince1928(t *testing.T) {
	cal := NYSE()
	listed := map[Date]bool{}
	var last Date
	for _, row := range records(t, "calendar", "nyse_full_day_holidays_since_1928.csv") {
		var y, m, d int
		_, err := fmt.Sscanf(row[0], "%d/%d/%d", &m, &d, &y)
		require.NoError(t, err)
		last = Date{Year: y, Month: time.Month(m), Day: d}
		listed[last] = true
	}
	require.Len(t, listed, 1117)
	from, _ := cal.ClosureRange()
	lastSaturday := date(t, "1952-05-24")
	outside, saturdays := 0, 0
	for d := from; !d.After(last); d = d.AddDays(1) {
		_, open := cal.Session(d)
		reason, closed := cal.Holiday(d)
		switch w := d.Weekday(); {
		case w == time.Sunday || w == time.Saturday && d.After(lastSaturday):
			if listed[d] {
				outside++
			}
			assert.False(t, open || closed, d.String())
			continue
		case w == time.Saturday && open:
			saturdays++
		}
		assert.Equal(t, listed[d], closed, d.String())
		assert.Equal(t, listed[d], !open, d.String())
		assert.Equal(t, listed[d], reason != "", d.String())
	}
	assert.Equal(t, 19, outside, "18 Saturdays of summer 1952 and the Sunday of the bank holiday")
	assert.Equal(t, 1084, saturdays, "the Saturdays to 24 May 1952 that the list leaves open")
	s, open := cal.Session(lastSaturday)
	assert.True(t, open && s.Early)
	assert.Equal(t, 2*time.Hour, s.Close.Sub(s.Open))
}

func TestHoursAreThoseOfTheirTime(t *testing.T) {
	for _, row := range []struct{ date, open, close string }{
		{"1929-10-29", "10:00", "15:00"},
		{"1929-10-26", "10:00", "12:00"}, // a Saturday
		{"1952-09-26", "10:00", "15:00"},
		{"1952-09-29", "10:00", "15:30"},
		{"1974-09-30", "10:00", "15:30"},
		{"1974-10-01", "10:00", "16:00"},
		{"1985-09-26", "10:00", "16:00"},
		{"1985-09-30", "09:30", "16:00"},
		{"1987-10-19", "09:30", "16:00"},
	} {
		s, ok := NYSE().Session(date(t, row.date))
		require.True(t, ok, row.date)
		assert.Equal(t, row.open, s.Open.Format("15:04"), row.date)
		assert.Equal(t, row.close, s.Close.Format("15:04"), row.date)
		assert.Equal(t, s.Close, NYSE().BarEnd(at(t, row.date+" 00:00"), Day))
	}
	s, _ := CboeOptions().Session(date(t, "1974-09-30"))
	assert.Equal(t, "09:30", s.Open.Format("15:04"), "options keep today's hours")
	_, ok := CboeOptions().Session(date(t, "1929-10-26"))
	assert.False(t, ok)
}

func TestClosuresNameTheirReason(t *testing.T) {
	for day, want := range map[string]string{
		"1933-03-06": "bank holiday", "1963-11-25": "mourning for John F. Kennedy", "1968-06-12": "paperwork crisis",
		"1968-12-25": "Christmas Day", "1939-11-23": "Thanksgiving Day", "1941-11-20": "Thanksgiving Day", "1980-11-04": "Election Day",
		"1937-12-25": "Christmas Day", "1947-06-07": "summer Saturday", "1951-11-12": "Armistice Day", "1985-09-27": "hurricane Gloria",
	} {
		reason, closed := NYSE().Holiday(date(t, day))
		assert.True(t, closed, day)
		assert.Equal(t, want, reason, day)
	}
}

// The week of 4 to 14 March 1933 had no session at all.
func TestBarsOverTheBankHolidayOf1933End(t *testing.T) {
	cal := NYSE()
	assert.Equal(t, at(t, "1933-03-03 15:00"), cal.BarEnd(at(t, "1933-02-27 00:00"), Week))
	assert.Equal(t, at(t, "1933-03-18 12:00"), cal.BarEnd(at(t, "1933-03-15 00:00"), Week), "a Saturday ends the week")
	assert.Equal(t, "1933-03-15", cal.Next(at(t, "1933-03-03 16:00")).Date.String())
}
