package market_test

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	. "github.com/ttai-go/ttai/market"
)

// records reads a CSV file of the reference data, header included.
func records(t testing.TB, elem ...string) [][]string {
	t.Helper()
	file, err := os.Open(sharedtest.Path(t, append([]string{"data"}, elem...)...))
	require.NoError(t, err)
	defer file.Close()
	var r io.Reader = bufio.NewReader(file)
	if filepath.Ext(file.Name()) == ".gz" {
		r, err = gzip.NewReader(file)
		require.NoError(t, err)
	}
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	require.NoError(t, err)
	return rows
}

func date(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	require.NoError(t, err)
	return d
}

// at reads "2006-01-02 15:04" in New York.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04", s, NYSE().Location())
	require.NoError(t, err)
	return v
}

// Every weekday of 41 years is a full session, an early close or closed
// exactly as the published exceptions say.
func TestNYSEEqualsPublishedExceptions1990To2030(t *testing.T) {
	cal := NYSE()
	closed, early := map[Date]bool{}, map[Date]string{}
	for _, row := range records(t, "calendar", "nyse_exceptions_1990_2030.csv")[1:] {
		switch d := date(t, row[0]); row[1] {
		case "closed":
			closed[d] = true
		case "special":
			require.Equal(t, "09:30", row[2])
			early[d] = row[3]
		default:
			t.Fatalf("unknown kind %q", row[1])
		}
	}
	require.Len(t, closed, 375)
	require.Len(t, early, 88)
	from, to := cal.Range()
	for d := from; !d.After(to); d = d.AddDays(1) {
		weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
		s, open := cal.Session(d)
		assert.Equal(t, !weekend && !closed[d], open, d.String())
		reason, holiday := cal.Holiday(d)
		assert.Equal(t, closed[d], holiday, d.String())
		assert.Equal(t, closed[d], reason != "", d.String())
		if !open {
			continue
		}
		want, isEarly := early[d]
		if !isEarly {
			want = "16:00"
		}
		assert.Equal(t, "09:30", s.Open.Format("15:04"), d.String())
		assert.Equal(t, want, s.Close.Format("15:04"), d.String())
		assert.Equal(t, isEarly, s.Early, d.String())
		assert.Equal(t, isEarly, s.Reason != "", d.String())
	}
}

func TestNYSEEqualsPublishedSessionsToTheInstant(t *testing.T) {
	rows := records(t, "calendar", "xnys_sessions.csv.gz")[1:]
	first, last := date(t, rows[0][0][:10]), date(t, rows[len(rows)-1][0][:10])
	sessions := NYSE().Sessions(first, last)
	require.Len(t, sessions, len(rows))
	for i, row := range rows {
		require.Equal(t, row[0][:10], sessions[i].Date.String())
		require.Equal(t, row[1], sessions[i].Open.UTC().Format(time.RFC3339))
		require.Equal(t, row[2], sessions[i].Close.UTC().Format(time.RFC3339))
	}
}

func TestFullDayHolidaysSince1990EqualAnotherPublishedList(t *testing.T) {
	cal := NYSE()
	from, _ := cal.Range()
	n := 0
	for _, row := range records(t, "calendar", "nyse_full_day_holidays_since_1928.csv") {
		part := strings.Split(row[0], "/")
		m, _ := strconv.Atoi(part[0])
		day, _ := strconv.Atoi(part[1])
		y, _ := strconv.Atoi(part[2])
		d := Date{Year: y, Month: time.Month(m), Day: day}
		if d.Before(from) || d.Weekday() == time.Saturday || d.Weekday() == time.Sunday {
			continue
		}
		n++
		_, open := cal.Session(d)
		assert.False(t, open, d.String())
	}
	assert.Greater(t, n, 250)
}

func TestPhaseOverADayAndOverAnEarlyClose(t *testing.T) {
	for _, row := range []struct {
		time         string
		shares, cboe Phase
	}{
		{"2026-09-16 03:59", PhaseClosed, PhaseClosed},
		{"2026-09-16 04:00", PhasePre, PhaseClosed},
		{"2026-09-16 09:29", PhasePre, PhaseClosed},
		{"2026-09-16 09:30", PhaseRegular, PhaseRegular},
		{"2026-09-16 15:59", PhaseRegular, PhaseRegular},
		{"2026-09-16 16:00", PhasePost, PhaseClosed},
		{"2026-09-16 20:00", PhaseClosed, PhaseClosed},
		{"2026-11-27 12:59", PhaseRegular, PhaseRegular}, // day after Thanksgiving
		{"2026-11-27 13:00", PhasePost, PhaseClosed},
		{"2026-11-27 16:59", PhasePost, PhaseClosed},
		{"2026-11-27 17:00", PhaseClosed, PhaseClosed},
		{"2026-09-19 12:00", PhaseClosed, PhaseClosed}, // Saturday
		{"2026-07-03 12:00", PhaseClosed, PhaseClosed}, // Independence Day observed
	} {
		assert.Equal(t, row.shares, NYSE().Phase(at(t, row.time)), row.time)
		assert.Equal(t, row.cboe, CboeOptions().Phase(at(t, row.time)), row.time)
		assert.Equal(t, row.shares == PhaseRegular, NYSE().IsOpen(at(t, row.time).UTC()), row.time)
	}
}

func TestSessionsFollowDaylightSavingTime(t *testing.T) {
	winter, _ := NYSE().Session(date(t, "2026-03-06"))
	summer, _ := NYSE().Session(date(t, "2026-03-09"))
	assert.Equal(t, "14:30", winter.Open.UTC().Format("15:04"))
	assert.Equal(t, "13:30", summer.Open.UTC().Format("15:04"))
}

func TestNextAndPreviousSkipWhatIsClosed(t *testing.T) {
	cal := NYSE()
	for _, row := range []struct{ time, previous, next string }{
		{"2001-09-10 16:00", "2001-09-10", "2001-09-17"},
		{"2001-09-10 15:59", "2001-09-07", "2001-09-17"},
		{"2026-12-31 16:00", "2026-12-31", "2027-01-04"},
		{"2026-09-16 09:30", "2026-09-15", "2026-09-17"}, // at the opening the next one is tomorrow's
		{"2026-09-16 09:29", "2026-09-15", "2026-09-16"},
		{"2012-10-28 12:00", "2012-10-26", "2012-10-31"},
	} {
		assert.Equal(t, row.previous, cal.Previous(at(t, row.time)).Date.String(), row.time)
		assert.Equal(t, row.next, cal.Next(at(t, row.time)).Date.String(), row.time)
	}
}

func TestCalendarEndsWithoutHanging(t *testing.T) {
	cal := NYSE()
	far := time.Date(200_000_000, 1, 1, 0, 0, 0, 0, time.UTC)
	assert.Zero(t, cal.Next(far))
	assert.Zero(t, cal.Previous(time.Time{}))
	assert.Equal(t, 1900, cal.Next(time.Time{}).Date.Year)
	assert.Equal(t, 2199, cal.Previous(far).Date.Year)
	assert.Equal(t, PhaseClosed, cal.Phase(far))
	assert.Empty(t, cal.Sessions(DateOf(far), Date{}))
	assert.Positive(t, cal.TradingTime(time.Time{}, far))
	_, ok := cal.Session(Date{Year: 2026, Month: 13, Day: 45})
	assert.False(t, ok)
	_, ok = cal.Session(Date{})
	assert.False(t, ok)
	assert.Equal(t, at(t, "2026-09-16 00:00"), cal.BarEnd(at(t, "2026-09-16 00:00"), "nonsense"))
	assert.False(t, cal.BarEnd(at(t, "2026-09-16 00:00"), "1000000mo").IsZero())
	assert.False(t, cal.BarEnd(at(t, "2026-09-16 00:00"), "1000000d").IsZero())
}

func TestTradingTimeCountsOnlyTheRegularSession(t *testing.T) {
	cal := NYSE()
	for _, row := range []struct {
		from, to string
		want     time.Duration
	}{
		{"2026-09-16 10:00", "2026-09-16 11:30", 90 * time.Minute},
		{"2026-09-16 15:00", "2026-09-17 10:30", 2 * time.Hour},
		{"2026-09-18 12:00", "2026-09-21 12:00", 4*time.Hour + 150*time.Minute}, // over a weekend
		{"2026-11-26 00:00", "2026-11-28 00:00", 3*time.Hour + 30*time.Minute},  // Thanksgiving and a half day
		{"2026-12-31 15:00", "2027-01-04 10:00", 90 * time.Minute},              // over the year's end
		{"2026-09-19 00:00", "2026-09-20 00:00", 0},
	} {
		assert.Equal(t, row.want, cal.TradingTime(at(t, row.from), at(t, row.to)), row.from)
		assert.Equal(t, -row.want, cal.TradingTime(at(t, row.to), at(t, row.from)), row.from)
	}
	// 2024 had 252 sessions, three of them of 3.5 hours.
	assert.Equal(t, 249*(6*time.Hour+30*time.Minute)+3*(3*time.Hour+30*time.Minute),
		cal.TradingTime(at(t, "2024-01-01 00:00"), at(t, "2025-01-01 00:00")))
}

func TestTradingTimeOfDecadesIsTheSumOfItsSessions(t *testing.T) {
	cal := NYSE()
	var sum time.Duration
	for _, s := range cal.Sessions(date(t, "1990-01-01"), date(t, "2030-12-31")) {
		sum += s.Close.Sub(s.Open)
	}
	assert.Equal(t, sum, cal.TradingTime(at(t, "1990-01-01 00:00"), at(t, "2031-01-01 00:00")))
}

func TestBarEndOfEveryUnit(t *testing.T) {
	cal := NYSE()
	for _, row := range []struct {
		start    string
		interval Interval
		end      string
	}{
		{"2026-09-16 00:00", Day, "2026-09-16 16:00"},
		{"2026-11-27 00:00", Day, "2026-11-27 13:00"},
		{"2026-09-18 00:00", "2d", "2026-09-21 16:00"},
		{"2026-09-14 00:00", Week, "2026-09-18 16:00"},
		{"2026-11-23 00:00", Week, "2026-11-27 13:00"},
		{"2018-03-26 00:00", Week, "2018-03-29 16:00"}, // Good Friday
		{"2026-09-14 00:00", "2w", "2026-09-25 16:00"},
		{"2026-02-02 00:00", Month, "2026-02-27 16:00"},
		{"2026-11-02 00:00", "2mo", "2026-12-31 16:00"},
		{"2026-09-16 10:00", Minute, "2026-09-16 10:01"},
		{"2026-09-16 15:30", Hour, "2026-09-16 16:00"},
		{"2026-11-27 12:30", Hour, "2026-11-27 13:00"},
		{"2026-09-16 09:00", Hour, "2026-09-16 10:00"}, // reaches into the session
		{"2026-09-16 19:30", Hour, "2026-09-16 20:00"},
		{"2026-09-19 00:00", Day, "2026-09-19 16:00"}, // no session that day
		{"2026-09-19 10:00", Hour, "2026-09-19 11:00"},
	} {
		assert.Equal(t, at(t, row.end), cal.BarEnd(at(t, row.start), row.interval), "%s %s", row.start, row.interval)
	}
}

func TestCompleteLeavesOutTheBarInProgress(t *testing.T) {
	cal := NYSE()
	var bars []Bar
	for _, s := range cal.Sessions(date(t, "2026-09-14"), date(t, "2026-09-18")) {
		bars = append(bars, Bar{Time: s.Date.In(cal.Location())})
	}
	assert.Len(t, cal.Complete(bars, Day, at(t, "2026-09-16 15:59")), 2)
	assert.Len(t, cal.Complete(bars, Day, at(t, "2026-09-16 16:00")), 3)
	assert.Empty(t, cal.Complete(bars, Day, at(t, "2026-09-01 16:00")))
	assert.Len(t, cal.Complete(bars, Day, at(t, "2027-09-01 16:00")), 5)
}

func TestCalendarServesManyAtOnce(t *testing.T) {
	cal := NYSE()
	done := make(chan Session)
	for range 8 {
		go func() { done <- cal.Next(time.Date(2150, 1, 1, 0, 0, 0, 0, time.UTC)) }()
	}
	first := <-done
	for range 7 {
		assert.Equal(t, first, <-done)
	}
}

func BenchmarkCalendarSession(b *testing.B) {
	cal, d := NYSE(), Date{Year: 2026, Month: 9, Day: 16}
	for b.Loop() {
		cal.Session(d)
	}
}

func BenchmarkCalendarTradingTimeDecades(b *testing.B) {
	cal := NYSE()
	from, to := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		cal.TradingTime(from, to)
	}
}
