package market_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/ttai-go/ttai/market"
)

func expirations(t testing.TB, underlying Symbol, from, to string) []ExpirationDay {
	t.Helper()
	days, err := ExpirationDays(underlying, date(t, from), date(t, to), nil)
	require.NoError(t, err)
	return days
}

// expirySet reads the distinct values of a column as dates, of one root where
// the file has a column for it.
func expirySet(t testing.TB, layout, column, root, file string) map[Date]bool {
	t.Helper()
	rows := records(t, "options", file)
	at, rootAt := slices.Index(rows[0], column), slices.Index(rows[0], "root")
	set := map[Date]bool{}
	seen := map[string]bool{"": true} // rows of the underlying
	for _, row := range rows[1:] {
		text := row[at]
		if seen[text] || rootAt >= 0 && row[rootAt] != root {
			continue
		}
		seen[text] = true
		v, err := time.Parse(layout, strings.TrimSuffix(text, ".0"))
		require.NoError(t, err)
		set[DateOf(v)] = true
	}
	return set
}

// Every expiration of recorded chains is one of ours, by the date in its
// symbol; and where the exchange lists all of them, the near weeks, ours are
// theirs exactly.
func TestExpirationsEqualRecordedChains(t *testing.T) {
	for _, row := range []struct {
		file, layout, column string
		underlying           Symbol
		root                 string
		count                int
		from, to             string // of the exact comparison; "" for none
	}{
		{"spx_fullchain_20170103.csv.gz", "2006/1/2", "expiry", "SPX", "SPXW", 15, "2017-01-03", "2017-02-03"},
		{"spx_fullchain_20170103.csv.gz", "2006/1/2", "expiry", "SPX", "SPX", 11, "2017-01-20", "2017-04-21"},
		{"lean_universe_spx.csv.gz", "20060102", "expiry", "SPX", "SPX", 12, "2016-01-15", "2016-04-15"},
		{"lean_universe_spxw.csv.gz", "20060102", "expiry", "SPX", "SPXW", 5, "2021-01-04", "2021-01-08"},
		{"lean_universe_spy.csv.gz", "20060102", "expiry", "SPY", "SPY", 18, "2023-12-29", "2024-01-12"},
		{"spy_sparse_2021h1.csv.gz", "2006-01-02", "expiration", "SPY", "SPY", 53, "", ""},
		{"lean_universe_aapl.csv.gz", "20060102", "expiry", "AAPL", "AAPL", 13, "2014-06-06", "2014-07-25"},
		{"yahoo_chain_nvda_20251124_20251205.csv.gz", "2006-01-02", "expiration", "NVDA", "NVDA", 22, "2025-11-28", "2026-01-16"},
		{"yahoo_chain_aapl_20251124_20251205.csv.gz", "2006-01-02", "expiration", "AAPL", "AAPL", 21, "2025-11-28", "2026-01-16"},
		{"yahoo_chain_tsm_20251124_20251205.csv.gz", "2006-01-02", "expiration", "TSM", "TSM", 0, "2025-11-28", "2026-01-09"},
		{"yahoo_chain_jpm_20251124_20251205.csv.gz", "2006-01-02", "expiration", "JPM", "JPM", 0, "2025-11-28", "2026-01-09"},
	} {
		listed := expirySet(t, row.layout, row.column, row.root, row.file)
		if row.count > 0 {
			require.Len(t, listed, row.count, row.file)
		}
		ours := map[Date]bool{}
		for _, e := range expirations(t, row.underlying, "2014-01-01", "2029-12-31") {
			if e.Root != row.root {
				continue
			}
			ours[e.Formal] = true
			if row.from != "" && !e.Date.Before(date(t, row.from)) && !e.Date.After(date(t, row.to)) {
				assert.True(t, listed[e.Formal], "%s: we have %s %s (%s), the file does not", row.file, e.Date, e.Cycle, e.Moved)
			}
		}
		for d := range listed {
			assert.True(t, ours[d], "%s lists %s", row.file, d)
		}
	}
}

func TestExpirationsOfASPXMonthByCycle(t *testing.T) {
	var got []string
	for _, e := range expirations(t, "SPX", "2026-06-15", "2026-07-02") {
		got = append(got, strings.Join([]string{e.Date.String(), e.Root, string(e.Cycle), string(e.Settlement), e.LastTrading.String(), e.Moved}, " "))
	}
	assert.Equal(t, []string{
		"2026-06-15 SPXW daily PM 2026-06-15 ",
		"2026-06-16 SPXW daily PM 2026-06-16 ",
		"2026-06-17 SPXW daily PM 2026-06-17 ",
		"2026-06-18 SPX monthly AM 2026-06-17 Juneteenth", // the third Friday is a holiday
		"2026-06-18 SPXW weekly PM 2026-06-18 Juneteenth",
		"2026-06-22 SPXW daily PM 2026-06-22 ",
		"2026-06-23 SPXW daily PM 2026-06-23 ",
		"2026-06-24 SPXW daily PM 2026-06-24 ",
		"2026-06-25 SPXW daily PM 2026-06-25 ",
		"2026-06-26 SPXW weekly PM 2026-06-26 ",
		"2026-06-29 SPXW daily PM 2026-06-29 ",
		"2026-06-30 SPXW quarterly PM 2026-06-30 ",
		"2026-07-01 SPXW daily PM 2026-07-01 ",
		"2026-07-02 SPXW weekly PM 2026-07-02 Independence Day",
	}, got)
}

func TestExpirationsMoveWithHolidays(t *testing.T) {
	for _, row := range []struct {
		underlying Symbol
		root, date string
		cycle      Cycle
		moved      string
	}{
		{"AAPL", "AAPL", "2025-04-17", CycleMonthly, "Good Friday"},
		{"AAPL", "AAPL", "2027-06-17", CycleMonthly, "Juneteenth"},
		{"AAPL", "AAPL", "2014-07-03", CycleWeekly, "Independence Day"},
		{"SPX", "SPXW", "2016-09-06", CycleDaily, "Labor Day"},                      // a Monday one, on the Tuesday: Cboe, 17 August 2016
		{"SPX", "SPXW", "2018-12-04", CycleDaily, "mourning for George H. W. Bush"}, // Cboe, 3 December 2018
		{"SPX", "SPXW", "2024-03-28", CycleQuarterly, "Good Friday"},
		{"SPX", "SPXW", "2026-01-20", CycleDaily, ""}, // Monday's and Tuesday's
		{"SPX", "SPX", "2022-04-14", CycleMonthly, "Good Friday"},
		{"/ES", "ES", "2026-06-18", CycleQuarterly, "Juneteenth"},
	} {
		found := false
		for _, e := range expirations(t, row.underlying, row.date, row.date) {
			if e.Root == row.root {
				found = true
				assert.Equal(t, row.cycle, e.Cycle, row.date)
				assert.Equal(t, row.moved, e.Moved, row.date)
			}
		}
		assert.True(t, found, "%s %s", row.root, row.date)
	}
	for _, closed := range []string{"2025-04-18", "2026-06-19", "2026-09-19", "2025-01-09"} {
		assert.Empty(t, expirations(t, "SPX", closed, closed), closed)
	}
}

// The Wednesday rule and its exceptions: Tuesdays when the Friday 30 days later
// is Good Friday (2014, 2019, 2022, 2025) or Juneteenth (2026), or when the
// Wednesday itself is a holiday (2024).
func TestVIXExpiresThirtyDaysBeforeSPX(t *testing.T) {
	for _, row := range []struct {
		year  int
		month time.Month
		want  string
	}{
		{2014, time.March, "2014-03-18"}, {2019, time.March, "2019-03-19"}, {2020, time.March, "2020-03-18"}, {2022, time.March, "2022-03-15"},
		{2024, time.June, "2024-06-18"}, {2025, time.March, "2025-03-18"}, {2025, time.December, "2025-12-17"}, {2026, time.January, "2026-01-21"},
		{2026, time.May, "2026-05-19"}, {2026, time.September, "2026-09-16"}, {2026, time.December, "2026-12-16"},
	} {
		assert.Equal(t, row.want, VIXExpiration(row.year, row.month, nil).String())
	}
	days := expirations(t, "VIX", "2016-01-01", "2030-12-31")
	monthly := map[Date]bool{}
	for _, e := range days {
		assert.Equal(t, SettledAM, e.Settlement)
		assert.True(t, e.LastTrading.Before(e.Date))
		friday := e.Date.AddDays(30)
		if e.Moved != "" {
			friday = e.Date.AddDays(31)
			assert.Equal(t, time.Tuesday, e.Date.Weekday(), e.Date.String())
		} else {
			assert.Equal(t, time.Wednesday, e.Date.Weekday(), e.Date.String())
		}
		assert.Equal(t, time.Friday, friday.Weekday())
		third := friday.Day >= 15 && friday.Day <= 21
		assert.Equal(t, third, e.Root == "VIX", e.Date.String())
		assert.Equal(t, third, e.Cycle == CycleMonthly)
		assert.False(t, monthly[e.Date], "one expiration a week")
		monthly[e.Date] = true
	}
	assert.InDelta(t, 15*52, len(days), 3)
	vx := expirations(t, "/VXZ6", "2026-01-01", "2026-12-31")
	require.Len(t, vx, 12)
	assert.Equal(t, vx[0].Date, vx[0].LastTrading, "futures trade until the morning they settle")
}

// Since May 2022 SPX options expire on every session.
func TestSPXExpiresOnEverySession(t *testing.T) {
	days := map[Date]bool{}
	for _, e := range expirations(t, "SPXW", "2022-05-16", "2030-12-31") {
		if e.Root == "SPXW" {
			days[e.Date] = true
		}
	}
	sessions := NYSE().Sessions(date(t, "2022-05-16"), date(t, "2030-12-31"))
	for _, s := range sessions {
		assert.True(t, days[s.Date], s.Date.String())
	}
	assert.Len(t, days, len(sessions))
}

func TestMonthlyOptionsCarriedSaturdaysUntil2015(t *testing.T) {
	for day, formal := range map[string]string{"2014-06-20": "2014-06-21", "2014-04-17": "2014-04-19", "2015-01-16": "2015-01-17", "2015-02-20": "2015-02-20", "2014-06-27": "2014-06-27"} {
		e := expirations(t, "AAPL", day, day)
		require.Len(t, e, 1, day)
		assert.Equal(t, formal, e[0].Formal.String())
		assert.Equal(t, day, e[0].LastTrading.String())
	}
	assert.Equal(t, "2014-04-17", MonthlyExpiration(2014, time.April, nil).String())
}

// The cycles and roots of one ordinary week with a third Friday.
func TestUnderlyingsHaveTheirOwnCycles(t *testing.T) {
	for underlying, want := range map[Symbol]string{
		"NDX":   "14 NDXP PM, 15 NDXP PM, 16 NDXP PM, 17 NDXP PM, 18 NDX AM, 18 NDXP PM",
		"RUT":   "14 RUTW PM, 15 RUTW PM, 16 RUTW PM, 17 RUTW PM, 18 RUT AM, 18 RUTW PM",
		"XSP":   "14 XSP PM, 15 XSP PM, 16 XSP PM, 17 XSP PM, 18 XSP PM",
		"QQQ":   "14 QQQ PM, 15 QQQ PM, 16 QQQ PM, 17 QQQ PM, 18 QQQ PM",
		"SPY":   "14 SPY PM, 15 SPY PM, 16 SPY PM, 17 SPY PM, 18 SPY PM",
		"DJX":   "18 DJX AM",
		"^VIX":  "16 VIX AM",
		"AAPL":  "18 AAPL PM",
		"BRK/B": "18 BRKB PM",
		"/MNQ":  "18 MNQ AM",
		"/VX":   "16 VX AM",
	} {
		var got []string
		for _, e := range expirations(t, underlying, "2026-09-14", "2026-09-18") {
			got = append(got, e.Date.String()[8:]+" "+e.Root+" "+string(e.Settlement))
		}
		assert.Equal(t, want, strings.Join(got, ", "), underlying)
	}
}

func TestExpirationDaysRefuseWhatTheyCannotKnow(t *testing.T) {
	from, to := date(t, "2026-01-01"), date(t, "2026-12-31")
	for field, call := range map[string]func() ([]ExpirationDay, error){
		"underlying": func() ([]ExpirationDay, error) { return ExpirationDays("", from, to, nil) },
		"from":       func() ([]ExpirationDay, error) { return ExpirationDays("SPX", Date{}, to, nil) },
		"to":         func() ([]ExpirationDay, error) { return ExpirationDays("SPX", to, from, nil) },
	} {
		_, err := call()
		assert.Equal(t, field, fieldError(t, err).Field)
	}
	_, err := ExpirationDays("SPX", date(t, "1950-01-01"), date(t, "2150-01-01"), nil)
	assert.Equal(t, "to", fieldError(t, err).Field)
	_, err = ExpirationDays("SPY   261218C00500000", from, to, nil)
	assert.Equal(t, "underlying", fieldError(t, err).Field)
	for _, other := range []Symbol{"/CLZ6", "BTC/USD", "./ESZ6 E2AZ6 261218C5000"} {
		_, err := ExpirationDays(other, from, to, nil)
		assert.ErrorIs(t, err, ErrUnsupported, other)
	}
}

func BenchmarkExpirationDaysOfAYear(b *testing.B) {
	from, to := Date{Year: 2026, Month: 1, Day: 1}, Date{Year: 2026, Month: 12, Day: 31}
	for b.Loop() {
		if _, err := ExpirationDays("SPX", from, to, nil); err != nil {
			b.Fatal(err)
		}
	}
}
