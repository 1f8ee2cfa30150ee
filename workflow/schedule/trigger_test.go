package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/market"
)

func at(t testing.TB, text string) time.Time {
	t.Helper()
	loc := market.NYSE().Location()
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if when, err := time.ParseInLocation(layout, text, loc); err == nil {
			return when
		}
	}
	when, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return when
}

func parse(t testing.TB, text string) Trigger {
	t.Helper()
	trigger, err := ParseTrigger(text)
	require.NoError(t, err)
	return trigger
}

// times are the next n of a trigger, in New York.
func times(t testing.TB, trigger Trigger, w World, after string, n int) []string {
	t.Helper()
	var all []string
	for o, err := range trigger.All(context.Background(), w, at(t, after)) {
		require.NoError(t, err)
		all = append(all, o.At.In(market.NYSE().Location()).Format("Mon 2006-01-02 15:04"))
		if len(all) == n {
			break
		}
	}
	return all
}

// The dates are those of the exchange's published holidays and early closes of
// 2025 and 2026: Thanksgiving on 27 November 2025, half days on 28 November and 24
// December 2025, Good Friday on 3 April 2026, Independence Day observed on Friday 3
// July 2026; clocks went forward on 8 March 2026.
func TestTriggersFireWhenTheirWordsSay(t *testing.T) {
	for _, c := range []struct {
		trigger, after string
		want           []string
	}{
		{"open", "2025-11-26 09:30", []string{"Fri 2025-11-28 09:30", "Mon 2025-12-01 09:30"}},
		{"close", "2025-11-26 15:59", []string{"Wed 2025-11-26 16:00", "Fri 2025-11-28 13:00", "Mon 2025-12-01 16:00"}},
		{"45m before open", "2026-03-06 08:44", []string{"Fri 2026-03-06 08:45", "Mon 2026-03-09 08:45"}},
		{"15m after close", "2025-12-23 17:00", []string{"Wed 2025-12-24 13:15", "Fri 2025-12-26 16:15"}},
		{"5m before close", "2025-11-28 00:00", []string{"Fri 2025-11-28 12:55", "Mon 2025-12-01 15:55"}},
		{"18h before open", "2026-04-01 16:00", []string{"Sun 2026-04-05 15:30", "Mon 2026-04-06 15:30"}},
		{"72h after close", "2026-04-02 18:00", []string{"Fri 2026-04-03 16:00", "Sat 2026-04-04 16:00", "Sun 2026-04-05 16:00", "Thu 2026-04-09 16:00"}},
		{"pre-open", "2026-03-06 12:00", []string{"Mon 2026-03-09 04:00"}},
		{"end of day", "2025-11-26 12:00", []string{"Wed 2025-11-26 20:00", "Fri 2025-11-28 17:00"}},
		{"1h before end of day", "2025-11-27 12:00", []string{"Fri 2025-11-28 16:00"}},
		{"every hour of the session", "2025-11-28 09:29", []string{"Fri 2025-11-28 09:30", "Fri 2025-11-28 10:30", "Fri 2025-11-28 11:30", "Fri 2025-11-28 12:30", "Mon 2025-12-01 09:30"}},
		{"every 1h, 5m late", "2025-12-01 13:00", []string{"Mon 2025-12-01 13:35", "Mon 2025-12-01 14:35", "Mon 2025-12-01 15:35", "Tue 2025-12-02 09:35"}},
		{"every full hour of the session", "2025-11-28 09:00", []string{"Fri 2025-11-28 10:00", "Fri 2025-11-28 11:00", "Fri 2025-11-28 12:00", "Mon 2025-12-01 10:00"}},
		{"every full 30m", "2025-12-01 09:00", []string{"Mon 2025-12-01 09:30", "Mon 2025-12-01 10:00"}},
		{"at 08:30", "2026-03-06 08:30", []string{"Mon 2026-03-09 08:30"}},
		{"close on the last session of the week", "2026-03-30 00:00", []string{"Thu 2026-04-02 16:00", "Fri 2026-04-10 16:00"}},
		{"open on the first session of the week", "2026-05-20 00:00", []string{"Tue 2026-05-26 09:30", "Mon 2026-06-01 09:30"}},
		{"close on the last session of the month", "2026-01-15 00:00", []string{"Fri 2026-01-30 16:00", "Fri 2026-02-27 16:00"}},
		{"open on the first session of the month", "2025-12-15 00:00", []string{"Fri 2026-01-02 09:30", "Mon 2026-02-02 09:30"}},
		{"close on the last session of the quarter", "2026-01-15 00:00", []string{"Tue 2026-03-31 16:00", "Tue 2026-06-30 16:00"}},
		// Third Fridays; Friday 19 June 2026 is Juneteenth.
		{"1h before close on monthly expirations of SPY", "2026-05-01 00:00", []string{"Fri 2026-05-15 15:00", "Thu 2026-06-18 15:00"}},
		{"open on monthly expirations of VIX", "2026-03-01 00:00", []string{"Wed 2026-03-18 09:30", "Wed 2026-04-15 09:30"}},
		{"open on expirations of AAPL", "2026-03-28 00:00", []string{"Thu 2026-04-02 09:30", "Fri 2026-04-10 09:30"}},
		{"cron 30 8 * * 1-5 in America/New_York", "2026-04-02 09:00", []string{"Fri 2026-04-03 08:30"}},
		{"cron CRON_TZ=UTC 0 14 * * *", "2026-04-02 09:00", []string{"Thu 2026-04-02 10:00"}},
	} {
		t.Run(c.trigger, func(t *testing.T) {
			assert.Equal(t, c.want, times(t, parse(t, c.trigger), World{}, c.after, len(c.want)))
		})
	}
}

func TestSessionsOfOccurrencesAreWhatAJobRunsOnceFor(t *testing.T) {
	first := func(text, after string) Occurrence {
		o, ok, err := parse(t, text).Next(context.Background(), World{}, at(t, after))
		require.NoError(t, err)
		require.True(t, ok)
		return o
	}
	assert.Equal(t, "2026-03-09", first("open", "2026-03-08 12:00").Session)
	assert.Equal(t, "2026-03-09", first("18h before open", "2026-03-08 12:00").Session, "the session it belongs to, not the day before")
	assert.Equal(t, first("open", "2026-03-08 12:00").Session, first("45m before open", "2026-03-08 12:00").Session, "moving it keeps the session")
	assert.Equal(t, "2026-03-09T10:30", first("every 1h", "2026-03-09 10:00").Session)
	assert.Equal(t, "2026-03-09T10:30", first("every 1h, 5m late", "2026-03-09 10:00").Session)
	assert.Equal(t, "2026-03-09T08:30-04:00", first("cron 30 8 * * * in America/New_York", "2026-03-09 00:00").Session)
	assert.Equal(t, market.Date{Year: 2026, Month: 3, Day: 9}, first("18h before open", "2026-03-08 12:00").Date)
}

func TestTriggersReadWhatTheyWrite(t *testing.T) {
	for _, text := range []string{
		"open", "45m before open", "1h30m after close", "end of day", "pre-open", "every 1h", "every 30m, 5m late", "every full 1h", "at 08:30",
		"close on the last session of the week", "open on the first session of the month", "open on expirations of SPX",
		"1h before close on end of month expirations of SPX", "close on the session before earnings of AAPL,MSFT", "open on 3 sessions before earnings of AAPL",
		"cron 30 8 * * 1-5 in America/New_York", "cron @daily in UTC",
	} {
		trigger := parse(t, text)
		assert.Equal(t, text, trigger.String())
		data, err := json.Marshal(trigger)
		require.NoError(t, err)
		var back Trigger
		require.NoError(t, json.Unmarshal(data, &back))
		assert.Equal(t, trigger, back)
	}
	for text, same := range map[string]string{
		"  OPEN ":                                  "open",
		"at the open":                              "open",
		"every hour of the session, 5m late":       "every 1h, 5m late",
		"30m after the close":                      "30m after close",
		"open on every session":                    "open",
		"Open on Monthly Expirations of spx":       "open on monthly expirations of SPX",
		"close on 1 session before earnings of ko": "close on the session before earnings of KO",
		"cron TZ=Europe/Berlin 0 9 * * *":          "cron 0 9 * * * in Europe/Berlin",
	} {
		assert.Equal(t, same, parse(t, text).String(), text)
	}
}

func TestTriggersThatCannotFireAreRefused(t *testing.T) {
	for _, text := range []string{
		"", "noon", "opens", "before open", "-5m before open", "5m before", "100h before open", "every", "every 90s", "every 30s", "every full 7m", "every 25h",
		"every 1h, 1h late", "at 25:00", "at 8:30", "open on", "open on tuesday", "open on expirations of", "open on expirations of SPX,SPY",
		"open on lunar expirations of SPX", "open on expirations of /CL", "open on earnings of AAPL", "open on 0 sessions before earnings of AAPL",
		"open on 30 sessions before earnings of AAPL", "cron", "cron 30 8 * * 1-5", "cron 30 8 * * in UTC", "cron 61 8 * * * in UTC", "cron 0 0 30 2 * in UTC",
		"cron @every 5m in UTC", "cron @reboot in UTC", "cron 0 9 * * * in Mars/Olympus", "cron 0 9 * * * in Local", "cron TZ=UTC 0 9 * * * in UTC",
	} {
		_, err := ParseTrigger(text)
		_, field := errors.AsType[*FieldError](err)
		assert.True(t, field, "%q: %v", text, err)
	}
	for name, trigger := range map[string]Trigger{
		"nothing":             {},
		"two times":           {At: Open, Clock: "08:30"},
		"a zone with moments": {At: Open, Zone: "UTC"},
		"sessions with cron":  {Cron: "0 9 * * *", Zone: "UTC", On: LastOfWeek},
		"a cycle alone":       {At: Open, Cycle: market.CycleMonthly},
		"symbols alone":       {At: Open, Symbols: []market.Symbol{"AAPL"}},
		"a number alone":      {At: Open, Sessions: 2},
		"full alone":          {At: Open, Full: true},
		"an offset of a time": {Clock: "08:30", Offset: time.Minute},
		"a symbol with space": AtOpen(0).BeforeEarnings(1, "AA PL"),
		"an unknown moment":   {At: "noon"},
		"unknown days":        {At: Open, On: "tuesdays"},
	} {
		_, field := errors.AsType[*FieldError](trigger.Validate())
		assert.True(t, field, name)
		_, _, err := trigger.Next(context.Background(), World{}, time.Now())
		assert.Error(t, err, name)
		_, err = json.Marshal(trigger)
		assert.Error(t, err, name)
	}
}

// A triggers' occurrence is found by walking the sessions one by one.
func TestOccurrencesAreExactlyTheSessions(t *testing.T) {
	cal := market.NYSE()
	from, to := market.Date{Year: 2021, Month: 11, Day: 20}, market.Date{Year: 2022, Month: 12, Day: 31}
	sessions := cal.Sessions(from, to)
	count := func(text string) int {
		n := 0
		for o, err := range parse(t, text).All(context.Background(), World{}, from.In(cal.Location())) {
			require.NoError(t, err)
			if o.Date.After(to) {
				return n
			}
			n++
		}
		return n
	}
	hours, weeks, months := 0, map[[2]int]bool{}, map[time.Month]bool{}
	for _, s := range sessions {
		hours += int((s.Close.Sub(s.Open) + time.Hour - 1) / time.Hour)
		y, w := s.Open.ISOWeek()
		weeks[[2]int{y, w}] = true
		months[time.Month(s.Date.Year*12)+s.Date.Month] = true
	}
	assert.Equal(t, len(sessions), count("open"))
	assert.Equal(t, hours, count("every 1h"))
	assert.Equal(t, len(weeks), count("close on the last session of the week"))
	assert.Equal(t, len(weeks), count("open on the first session of the week"))
	assert.Equal(t, len(months), count("close on the last session of the month"))
}

func TestNextNeverSkipsOrRepeatsAnOccurrence(t *testing.T) {
	triggers := []string{"open", "72h after close", "70h before open", "every 15m", "every full 1h", "at 00:15", "close on the last session of the month",
		"open on expirations of SPY", "cron */7 1-3 * * * in America/New_York", "cron 30 2 * * * in Europe/Berlin", "end of day on the last session of the week"}
	rapid.Check(t, func(rt *rapid.T) {
		trigger := parse(t, rapid.SampledFrom(triggers).Draw(rt, "trigger"))
		start := time.Unix(rapid.Int64Range(1577836800, 1893456000).Draw(rt, "start"), 0)
		var list []Occurrence
		for o, err := range trigger.All(context.Background(), World{}, start) {
			if err != nil {
				rt.Fatal(err)
			}
			if list = append(list, o); len(list) == 12 {
				break
			}
		}
		seen := map[string]bool{}
		for i, o := range list {
			if seen[o.Session] || i > 0 && !o.At.After(list[i-1].At) {
				rt.Fatalf("%v after %v", o, list[i-1])
			}
			seen[o.Session] = true
		}
		// From any instant between two occurrences the second is next.
		i := rapid.IntRange(1, len(list)-1).Draw(rt, "i")
		gap := list[i].At.Sub(list[i-1].At)
		between := list[i-1].At.Add(time.Duration(rapid.Int64Range(0, int64(gap)-1).Draw(rt, "between")))
		o, ok, err := trigger.Next(context.Background(), World{}, between)
		if err != nil || !ok || !o.At.Equal(list[i].At) || o.Session != list[i].Session {
			rt.Fatalf("after %v came %v, want %v (%v)", between, o, list[i], err)
		}
	})
}

type fakeEvents map[market.Symbol][]market.Event

func (f fakeEvents) Events(_ context.Context, s market.Symbol, from, to market.Date) ([]market.Event, error) {
	events, ok := f[s]
	if !ok {
		return nil, errors.New("no such company")
	}
	var all []market.Event
	for _, e := range events {
		if !e.Date.Before(from) && !e.Date.After(to) {
			all = append(all, e)
		}
	}
	return all, nil
}

func report(date string, timing string) market.Event {
	d, err := market.ParseDate(date)
	if err != nil {
		panic(err)
	}
	return market.Event{Kind: market.Earnings, Date: d, Timing: timing}
}

func TestBeforeEarningsIsTheLastSessionThatHasClosed(t *testing.T) {
	w := World{Events: fakeEvents{
		"AMC":  {report("2026-04-30", "after close"), {Kind: market.Dividend, Date: market.Date{Year: 2026, Month: 4, Day: 20}}},
		"BMO":  {report("2026-04-30", "before open")},
		"NONE": {report("2026-04-30", "")},
		"MON":  {report("2026-04-06", "before open")}, // the Monday after Good Friday
		"WKND": {report("2026-05-03", "after close")}, // a Sunday
	}}
	for text, want := range map[string]string{
		"30m before close on the session before earnings of AMC": "Thu 2026-04-30 15:30",
		"close on the session before earnings of BMO":            "Wed 2026-04-29 16:00",
		"close on the session before earnings of NONE":           "Wed 2026-04-29 16:00",
		"close on 2 sessions before earnings of BMO":             "Tue 2026-04-28 16:00",
		"close on the session before earnings of MON":            "Thu 2026-04-02 16:00",
		"close on the session before earnings of WKND":           "Fri 2026-05-01 16:00",
	} {
		assert.Equal(t, []string{want}, times(t, parse(t, text), w, "2026-04-01 00:00", 5), text)
	}
	all := parse(t, "close on the session before earnings of BMO,AMC,NONE")
	o, ok, err := all.Next(context.Background(), w, at(t, "2026-04-01 00:00"))
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, []market.Symbol{"BMO", "NONE"}, o.Symbols, "companies of one session are one occurrence")

	_, _, err = all.Next(context.Background(), World{}, at(t, "2026-04-01 00:00"))
	assert.ErrorContains(t, err, "Events")
	var got []Occurrence
	for o, err = range parse(t, "close on the session before earnings of AMC,WHO").All(context.Background(), w, at(t, "2026-04-01 00:00")) {
		if err == nil {
			got = append(got, o)
		}
	}
	assert.ErrorContains(t, err, "earnings of WHO: no such company")
	assert.Len(t, got, 1, "the company that is known is not lost by the one that is not")
}

func TestRememberedReportsAreAskedForOnceAnHour(t *testing.T) {
	asked := 0
	clock := market.NewManualClock(at(t, "2026-04-01 09:00"))
	source := countedEvents{fakeEvents{"AMC": {report("2026-04-30", "after close")}}, &asked}
	w := World{Events: newRemembered(source, clock)}
	trigger := AtClose(0).BeforeEarnings(1, "AMC")
	for range 50 {
		clock.Advance(time.Minute)
		_, ok, err := trigger.Next(context.Background(), w, clock.Now())
		require.NoError(t, err)
		require.True(t, ok)
	}
	assert.Equal(t, 1, asked)
	clock.Advance(time.Hour)
	_, _, err := trigger.Next(context.Background(), w, clock.Now())
	require.NoError(t, err)
	assert.Equal(t, 2, asked)

	bad := AtClose(0).BeforeEarnings(1, "WHO")
	for range 10 {
		_, _, err := bad.Next(context.Background(), w, clock.Now())
		require.Error(t, err)
	}
	assert.Equal(t, 3, asked, "an error is remembered for a minute")
	clock.Advance(time.Minute)
	_, _, err = bad.Next(context.Background(), w, clock.Now())
	require.Error(t, err)
	assert.Equal(t, 4, asked)
}

type countedEvents struct {
	fakeEvents
	n *int
}

func (c countedEvents) Events(ctx context.Context, s market.Symbol, from, to market.Date) ([]market.Event, error) {
	*c.n++
	return c.fakeEvents.Events(ctx, s, from, to)
}

func FuzzParseTrigger(f *testing.F) {
	for _, seed := range []string{"open", "45m before open on the last session of the week", "every full 30m, 5m late", "cron 0 9 * * 1-5 in UTC",
		"close on 2 sessions before earnings of AAPL,MSFT", "at 08:30 on monthly expirations of SPX"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		trigger, err := ParseTrigger(text)
		if err != nil {
			return
		}
		again, err := ParseTrigger(trigger.String())
		require.NoError(t, err, "%q became %q", text, trigger)
		require.Equal(t, trigger.String(), again.String())
		if trigger.On == BeforeEarnings {
			return
		}
		after := time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)
		o, ok, err := trigger.Next(context.Background(), World{}, after)
		require.NoError(t, err)
		require.True(t, !ok || o.At.After(after))
	})
}
