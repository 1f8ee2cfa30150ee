package market_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	. "github.com/ttai-go/ttai/market"
)

// leanHours is one entry of LEAN's market-hours database.
type leanHours struct {
	Holidays    []string          `json:"holidays"`
	EarlyCloses map[string]string `json:"earlyCloses"`
	LateOpens   map[string]string `json:"lateOpens"`
	Sunday      []leanSegment     `json:"sunday"`
	Monday      []leanSegment     `json:"monday"`
	Friday      []leanSegment     `json:"friday"`
}

type leanSegment struct{ Start, End, State string }

func leanMarket(t testing.TB, name string) leanHours {
	t.Helper()
	data, err := os.ReadFile(sharedtest.Path(t, "data", "calendar", "lean_market_hours_us.json"))
	require.NoError(t, err)
	var all map[string]leanHours
	require.NoError(t, json.Unmarshal(data, &all))
	require.Contains(t, all, name)
	return all[name]
}

func leanDate(t testing.TB, s string) Date {
	t.Helper()
	v, err := time.Parse("1/2/2006", s)
	require.NoError(t, err)
	return DateOf(v)
}

// periods prints a trading day as "overnight Sun 18:00 - Mon 09:30, …".
func periods(d TradingDay) string {
	var parts []string
	for _, p := range d.Periods {
		parts = append(parts, string(p.Phase)+" "+p.Open.Format("Mon 15:04")+" - "+p.Close.Format("Mon 15:04"))
	}
	return strings.Join(parts, ", ")
}

func TestCMEDaysFollowTheExchangesSchedule(t *testing.T) {
	for _, row := range []struct{ date, want, early string }{
		{"2026-09-14", "overnight Sun 18:00 - Mon 09:30, regular Mon 09:30 - Mon 16:00, post Mon 16:00 - Mon 17:00", ""},
		{"2026-09-16", "overnight Tue 18:00 - Wed 09:30, regular Wed 09:30 - Wed 16:00, post Wed 16:00 - Wed 17:00", ""},
		// Martin Luther King Jr. Day trades until 13:00 for Tuesday.
		{"2025-01-21", "overnight Sun 18:00 - Mon 13:00, overnight Mon 18:00 - Tue 09:30, regular Tue 09:30 - Tue 16:00, post Tue 16:00 - Tue 17:00", ""},
		// Before May 2014 the halt was at 11:30, and trading ended at 17:15 with a pause.
		{"2014-01-21", "overnight Sun 18:00 - Mon 11:30, overnight Mon 18:00 - Tue 09:30, regular Tue 09:30 - Tue 16:00, post Tue 16:00 - Tue 16:15, post Tue 16:30 - Tue 17:15", ""},
		{"2018-09-19", "overnight Tue 18:00 - Wed 09:30, regular Wed 09:30 - Wed 16:00, post Wed 16:00 - Wed 16:15, post Wed 16:30 - Wed 17:00", ""},
		// Thanksgiving and the day after.
		{"2025-11-28", "overnight Wed 18:00 - Thu 13:00, overnight Thu 18:00 - Fri 09:30, regular Fri 09:30 - Fri 13:15", "day after Thanksgiving"},
		// Independence Day observed on a Friday trades for Monday.
		{"2026-07-06", "overnight Thu 18:00 - Fri 13:00, overnight Sun 18:00 - Mon 09:30, regular Mon 09:30 - Mon 16:00, post Mon 16:00 - Mon 17:00", ""},
		// Christmas opens in the evening, on a Thursday for Friday.
		{"2024-12-24", "overnight Mon 18:00 - Tue 09:30, regular Tue 09:30 - Tue 13:15", "Christmas Eve"},
		{"2025-12-26", "overnight Thu 18:00 - Fri 09:30, regular Fri 09:30 - Fri 16:00, post Fri 16:00 - Fri 17:00", ""},
		// Christmas 2026 is a Friday: nothing before Sunday evening.
		{"2026-12-28", "overnight Sun 18:00 - Mon 09:30, regular Mon 09:30 - Mon 16:00, post Mon 16:00 - Mon 17:00", ""},
		// Good Friday on the day of the employment report.
		{"2026-04-03", "overnight Thu 18:00 - Fri 09:15", "Good Friday"},
		// Days of mourning: CME's announcements of 2 December 2018 and 30 December 2024.
		{"2018-12-05", "overnight Tue 18:00 - Wed 09:30", "mourning for George H. W. Bush"},
		{"2025-01-09", "overnight Wed 18:00 - Thu 09:30", "mourning for Jimmy Carter"},
		{"2025-01-10", "overnight Thu 18:00 - Fri 09:30, regular Fri 09:30 - Fri 16:00, post Fri 16:00 - Fri 17:00", ""},
	} {
		day, ok := CMEEquityIndex().Day(date(t, row.date))
		require.True(t, ok, row.date)
		assert.Equal(t, row.want, periods(day), row.date)
		assert.Equal(t, row.early, day.Reason, row.date)
		assert.Equal(t, row.early != "", day.Early, row.date)
		for _, p := range day.Periods {
			assert.Equal(t, day.Date, p.Date)
		}
	}
	for day, want := range map[string]string{"2025-01-20": "Martin Luther King Jr. Day", "2025-04-18": "Good Friday", "2025-12-25": "Christmas Day", "2026-01-01": "New Year's Day"} {
		_, ok := CMEEquityIndex().Day(date(t, day))
		assert.False(t, ok, day)
		reason, closed := CMEEquityIndex().Holiday(date(t, day))
		assert.True(t, closed, day)
		assert.Equal(t, want, reason)
	}
	for _, day := range []string{"2026-09-19", "2026-09-16", "2025-01-09"} {
		_, closed := CMEEquityIndex().Holiday(date(t, day))
		assert.False(t, closed, day)
	}
	wednesday, _ := CMEEquityIndex().Day(date(t, "2026-09-16"))
	regular, ok := wednesday.Regular()
	assert.True(t, ok)
	assert.Equal(t, at(t, "2026-09-16 09:30"), regular.Open)
	mourning, _ := CMEEquityIndex().Day(date(t, "2025-01-09"))
	_, ok = mourning.Regular()
	assert.False(t, ok)
}

// LEAN's entry for ES lists the early ends of trading and the evenings that
// open on holidays. Ours has each of them, and LEAN lacks five of ours.
func TestCMEHolidaysEqualLEAN(t *testing.T) {
	hours, lean := CMEEquityIndex(), leanMarket(t, "Future-cme-ES")
	from, _ := hours.Range()
	to := date(t, "2026-12-31") // where the list ends
	evening := func(d Date) time.Time { return d.At(18, 0, hours.Location()) }
	endsAt := func(d Date, clock string) bool {
		end := at(t, d.String()+" "+clock)
		p := hours.Previous(end)
		return p.Close.Equal(end) && !hours.IsOpen(end)
	}
	early := map[Date]bool{}
	compared := 0
	for text, clock := range lean.EarlyCloses {
		d := leanDate(t, text)
		if d.Before(from) || text == "12/25/2025" { // closed all day, and late opens say so
			continue
		}
		compared++
		early[d] = true
		assert.True(t, endsAt(d, clock[:5]), "%s %s", text, clock)
		if clock == "17:00:00" {
			assert.False(t, hours.IsOpen(evening(d)), text) // no evening before a closed day
		}
	}
	assert.Equal(t, 129, compared)
	for text, clock := range lean.LateOpens {
		if d := leanDate(t, text); !d.Before(from) {
			assert.Equal(t, "18:00:00", clock)
			p, open := hours.At(evening(d))
			assert.True(t, open && p.Open.Equal(evening(d)), text)
		}
	}
	for _, text := range lean.Holidays {
		_, ok := hours.Day(leanDate(t, text))
		assert.False(t, ok, text)
	}
	var ours []string
	for d := from; !d.After(to); d = d.AddDays(1) {
		clock := d.At(13, 20, hours.Location())
		if w := d.Weekday(); w == time.Saturday || w == time.Sunday || hours.IsOpen(clock) || early[d] {
			continue
		}
		if hours.Previous(clock).Close.Before(d.In(hours.Location())) {
			continue // closed all day
		}
		ours = append(ours, d.String())
	}
	assert.Equal(t, []string{"2018-12-05", "2023-07-03", "2024-07-03", "2024-11-29", "2025-01-09"}, ours, "half days and days of mourning that LEAN lacks")
}

func TestCMEWeekEqualsLEAN(t *testing.T) {
	lean := leanMarket(t, "Future-cme-ES")
	hours := CMEEquityIndex()
	for day, segments := range map[string][]leanSegment{"2026-09-13": lean.Sunday, "2026-09-14": lean.Monday, "2026-09-18": lean.Friday} {
		for minute := range 24 * 60 {
			clock := date(t, day).At(0, minute, hours.Location())
			want := false
			for _, s := range segments {
				text := clock.Format("15:04:05")
				want = want || s.Start <= text && (text < s.End || strings.HasPrefix(s.End, "1."))
			}
			require.Equal(t, want, hours.IsOpen(clock), "%s", clock)
		}
	}
}

func TestCboeIndexOptionDays(t *testing.T) {
	for _, row := range []struct{ date, want string }{
		{"2026-09-14", "overnight Sun 20:15 - Mon 09:25, regular Mon 09:30 - Mon 16:15, curb Mon 16:15 - Mon 17:00"},
		{"2023-09-13", "overnight Tue 20:15 - Wed 09:15, regular Wed 09:30 - Wed 16:15, curb Wed 16:15 - Wed 17:00"},
		{"2026-01-20", "overnight Sun 20:15 - Mon 11:30, overnight Mon 20:15 - Tue 09:25, regular Tue 09:30 - Tue 16:15, curb Tue 16:15 - Tue 17:00"},
		{"2025-11-28", "overnight Wed 20:15 - Thu 11:30, overnight Thu 20:15 - Fri 09:25, regular Fri 09:30 - Fri 13:15"},
		{"2025-12-26", "overnight Thu 20:15 - Fri 09:25, regular Fri 09:30 - Fri 16:15, curb Fri 16:15 - Fri 17:00"},
		{"2025-01-10", "overnight Wed 20:15 - Thu 09:25, overnight Thu 20:15 - Fri 09:25, regular Fri 09:30 - Fri 16:15, curb Fri 16:15 - Fri 17:00"},
	} {
		day, ok := CboeIndexOptions().Day(date(t, row.date))
		require.True(t, ok, row.date)
		assert.Equal(t, row.want, periods(day), row.date)
	}
	for _, day := range []string{"2025-01-09", "2026-01-19", "2026-04-03", "2026-09-19"} {
		_, ok := CboeIndexOptions().Day(date(t, day))
		assert.False(t, ok, day)
	}
}

// LEAN's entry for SPX is of the time when the night ended ten minutes earlier;
// its hours are Chicago's.
func TestCboeWeekEqualsLEAN(t *testing.T) {
	hours := CboeIndexOptions()
	for _, name := range []string{"IndexOption-usa-SPX", "IndexOption-usa-SPXW", "IndexOption-usa-VIX"} {
		lean := leanMarket(t, name)
		for day, segments := range map[string][]leanSegment{"2023-09-10": lean.Sunday, "2023-09-11": lean.Monday, "2023-09-15": lean.Friday} {
			for minute := range 24*60 - 60 {
				clock := date(t, day).At(0, minute, hours.Location()) // Chicago's minute, an hour later here
				text := clock.Format("15:04:05")
				want := false
				for _, s := range segments {
					want = want || s.Start <= text && (text < s.End || strings.HasPrefix(s.End, "1:"))
				}
				require.Equal(t, want, hours.IsOpen(clock.Add(time.Hour)), "%s %s", name, clock)
			}
		}
	}
}

// LEAN's holidays and early closes of US shares and indices, on weekdays.
func TestNYSEEqualsLEANFrom2000To2027(t *testing.T) {
	lean := leanMarket(t, "Equity-usa-[*]")
	closed, early := map[Date]bool{}, map[Date]bool{}
	for _, text := range lean.Holidays {
		closed[leanDate(t, text)] = true
	}
	for text, clock := range lean.EarlyCloses {
		assert.Equal(t, "13:00:00", clock)
		early[leanDate(t, text)] = true
	}
	for d := date(t, "2000-01-01"); !d.After(date(t, "2027-09-30")); d = d.AddDays(1) {
		if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
			continue
		}
		s, open := NYSE().Session(d)
		assert.Equal(t, closed[d], !open, d.String())
		assert.Equal(t, early[d], s.Early, d.String())
	}
}

func TestPhasesOfMarketsAroundTheClock(t *testing.T) {
	for _, row := range []struct {
		time      string
		cme, cboe Phase
		trade     string // CME
	}{
		{"2026-09-13 17:59", PhaseClosed, PhaseClosed, "2026-09-14"}, // Sunday
		{"2026-09-13 18:00", PhaseOvernight, PhaseClosed, "2026-09-14"},
		{"2026-09-13 20:15", PhaseOvernight, PhaseOvernight, "2026-09-14"},
		{"2026-09-14 09:24", PhaseOvernight, PhaseOvernight, "2026-09-14"},
		{"2026-09-14 09:25", PhaseOvernight, PhaseHalt, "2026-09-14"},
		{"2026-09-14 09:30", PhaseRegular, PhaseRegular, "2026-09-14"},
		{"2026-09-14 16:14", PhasePost, PhaseRegular, "2026-09-14"},
		{"2026-09-14 16:15", PhasePost, PhaseCurb, "2026-09-14"},
		{"2026-09-14 17:00", PhaseHalt, PhaseHalt, "2026-09-15"},
		{"2026-09-14 18:00", PhaseOvernight, PhaseHalt, "2026-09-15"},
		{"2026-09-18 17:00", PhaseClosed, PhaseClosed, "2026-09-21"}, // Friday
		{"2026-11-26 12:00", PhaseOvernight, PhaseClosed, "2026-11-27"},
		{"2026-11-26 13:00", PhaseHalt, PhaseClosed, "2026-11-27"}, // Thanksgiving
		{"2026-12-25 19:00", PhaseClosed, PhaseClosed, "2026-12-28"},
	} {
		v := at(t, row.time)
		assert.Equal(t, row.cme, CMEEquityIndex().Phase(v), row.time)
		assert.Equal(t, row.cboe, CboeIndexOptions().Phase(v.UTC()), row.time)
		assert.Equal(t, row.trade, CMEEquityIndex().TradeDate(v).String(), row.time)
		assert.Equal(t, row.cme != PhaseHalt && row.cme != PhaseClosed, CMEEquityIndex().IsOpen(v), row.time)
	}
}

// Every period of decades follows the one before it, and Next and Previous
// walk them one by one.
func TestPeriodsFollowEachOther(t *testing.T) {
	for _, hours := range []*TradingHours{CMEEquityIndex(), CboeIndexOptions()} {
		from, to := hours.Range()
		var all []Period
		var sum time.Duration
		for _, d := range hours.Days(from, to) {
			all = append(all, d.Periods...)
			assert.Equal(t, d.Periods[0].Open, d.Open())
			assert.Equal(t, d.Periods[len(d.Periods)-1].Close, d.Close())
		}
		for i, p := range all {
			require.True(t, p.Open.Before(p.Close), p.Open)
			sum += p.Close.Sub(p.Open)
			if i == 0 {
				continue
			}
			before := all[i-1]
			require.False(t, p.Open.Before(before.Close), "%s %s", hours.Name(), p.Open)
			require.False(t, p.Date.Before(before.Date))
			if i%7 == 0 {
				require.Equal(t, p, hours.Next(before.Open), before.Open)
				require.Equal(t, before, hours.Previous(p.Close.Add(-1)))
				require.Equal(t, p, hours.Previous(p.Close))
				got, open := hours.At(p.Open)
				require.True(t, open)
				require.Equal(t, p, got)
			}
		}
		assert.Equal(t, sum, hours.TradingTime(all[0].Open, all[len(all)-1].Close))
	}
}

func TestTradingTimeCountsDayAndNight(t *testing.T) {
	cme := CMEEquityIndex()
	week := cme.TradingTime(at(t, "2026-09-13 00:00"), at(t, "2026-09-20 00:00"))
	assert.Equal(t, 5*23*time.Hour, week)
	assert.Equal(t, -week, cme.TradingTime(at(t, "2026-09-20 00:00"), at(t, "2026-09-13 00:00")))
	assert.Equal(t, 2*time.Hour, cme.TradingTime(at(t, "2026-09-14 16:00"), at(t, "2026-09-14 19:00")))
	assert.Equal(t, time.Hour, cme.TradingTime(at(t, "2025-01-20 12:00"), at(t, "2025-01-20 17:00")))
	// 13 h 10 min by night, 6 h 45 min by day, 45 min after.
	assert.Equal(t, 5*(20*time.Hour+40*time.Minute), CboeIndexOptions().TradingTime(at(t, "2026-09-13 00:00"), at(t, "2026-09-20 00:00")))
}

func TestTradingHoursEndWithoutHanging(t *testing.T) {
	far := time.Date(200_000_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, hours := range []*TradingHours{CMEEquityIndex(), CboeIndexOptions()} {
		assert.Zero(t, hours.Next(far))
		assert.Zero(t, hours.Previous(time.Time{}))
		assert.Equal(t, 1900, hours.Next(time.Time{}).Date.Year)
		assert.Equal(t, 2199, hours.Previous(far).Date.Year)
		assert.Equal(t, PhaseClosed, hours.Phase(far))
		assert.Equal(t, PhaseClosed, hours.Phase(time.Time{}))
		assert.True(t, hours.TradeDate(far).IsZero())
		for _, d := range []Date{{}, {Year: 2026, Month: 13, Day: 45}, DateOf(far)} {
			_, ok := hours.Day(d)
			assert.False(t, ok, d.String())
		}
		assert.Empty(t, hours.Days(DateOf(far), Date{}))
	}
}

func TestTradingHoursOfAnInstrument(t *testing.T) {
	for symbol, want := range map[Symbol]string{
		"/ESZ6": "CME equity index", "/MNQH27": "CME equity index", "/M2KU6": "CME equity index", "./ESZ6 E2AZ6 261218C5000": "CME equity index", "/ES": "CME equity index",
		"SPXW  261218C05000000": "Cboe index options", "VIX   261216C00020000": "Cboe index options",
		"SPY   261218C00500000": "", "SPY": "", "/CLZ6": "", "BTC/USD": "", "/": "", "/6EZ6": "",
	} {
		hours, ok := TradingHoursOf(symbol)
		assert.Equal(t, want != "", ok, symbol)
		if ok {
			assert.Equal(t, want, hours.Name(), symbol)
		}
	}
	for symbol, want := range map[Symbol]string{"/ESZ6": "ES", "/M2KZ26": "M2K", "/M2K": "M2K", "/6EZ6": "6E", "/": "", "SPY": "", "./ESZ6 E2AZ6 261218C5000": "ES", "/7": "7"} {
		assert.Equal(t, want, FutureRoot(symbol), symbol)
	}
}

func BenchmarkTradingHoursPhase(b *testing.B) {
	hours, noon := CMEEquityIndex(), time.Date(2026, 9, 16, 16, 0, 0, 0, time.UTC)
	for b.Loop() {
		hours.Phase(noon)
	}
}

func BenchmarkTradingHoursTradingTimeOfAYear(b *testing.B) {
	from, to := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		CMEEquityIndex().TradingTime(from, to)
	}
}
