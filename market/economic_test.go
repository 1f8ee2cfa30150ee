package market_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/ttai-go/ttai/market"
)

func TestFOMCEqualsTheListOfDecisions(t *testing.T) {
	rows := records(t, "calendar", "fomc_decisions_2015_2026.csv")[1:]
	from, to := FOMC().EconomicRange()
	events, err := FOMC().EconomicEvents(context.Background(), from, to)
	require.NoError(t, err)
	require.Len(t, events, len(rows))
	require.Len(t, rows, 97)
	for i, row := range rows {
		assert.Equal(t, row[0], events[i].Date.String())
		assert.Equal(t, row[1] == "0", events[i].Unscheduled, row[0])
		assert.Equal(t, EconomicFOMC, events[i].Kind)
		assert.Equal(t, events[i].Date, DateOf(events[i].Time))
		_, open := NYSE().Session(events[i].Date)
		assert.Equal(t, row[0] != "2020-03-15", open, row[0])
		if !events[i].Unscheduled {
			assert.Equal(t, "14:00", events[i].Time.Format("15:04"))
		}
	}
}

func TestEconomicTableFindsByDate(t *testing.T) {
	march := FOMC().Between(date(t, "2020-03-01"), date(t, "2020-03-31"))
	require.Len(t, march, 2)
	assert.True(t, march[0].Unscheduled && march[1].Unscheduled)
	next, ok := FOMC().Next(date(t, "2020-03-01"))
	assert.True(t, ok)
	assert.Equal(t, "2020-04-29", next.Date.String(), "nobody could know of March's")
	next, _ = FOMC().Next(date(t, "2026-12-09"))
	assert.Equal(t, "2026-12-09", next.Date.String())
	_, ok = FOMC().Next(date(t, "2026-12-10"))
	assert.False(t, ok)
	assert.Empty(t, FOMC().Between(date(t, "2027-01-01"), date(t, "2027-12-31")))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := FOMC().EconomicEvents(ctx, Date{}, date(t, "2030-01-01"))
	assert.ErrorIs(t, err, context.Canceled)
}

func TestEconomicTableTakesEventsInAnyOrder(t *testing.T) {
	from, to := date(t, "2026-01-01"), date(t, "2026-12-31")
	events := []EconomicEvent{{Kind: EconomicCPI, Date: date(t, "2026-09-11")}, {Kind: EconomicEmployment, Date: date(t, "2026-09-04")}}
	table, err := NewEconomicTable(from, to, events)
	require.NoError(t, err)
	assert.Equal(t, EconomicEmployment, table.Between(from, to)[0].Kind)
	assert.Equal(t, EconomicCPI, events[0].Kind, "the caller's slice stays")
	_, err = NewEconomicTable(to, from, nil)
	assert.Equal(t, "to", fieldError(t, err).Field)
	_, err = NewEconomicTable(from, to, []EconomicEvent{{Date: from}})
	assert.Equal(t, "kind", fieldError(t, err).Field)
	_, err = NewEconomicTable(from, to, []EconomicEvent{{Kind: EconomicCPI, Date: date(t, "2027-01-12")}})
	assert.Equal(t, "date", fieldError(t, err).Field)
}

func TestTablesSayWhenTheyEnd(t *testing.T) {
	tables := Tables()
	require.Len(t, tables, 5)
	for _, table := range tables {
		assert.NotEmpty(t, table.Name)
		assert.NotEmpty(t, table.After)
		assert.True(t, table.From.Before(table.To), table.Name)
	}
	names := func(before string) (names []string) {
		for _, table := range TablesEnding(date(t, before)) {
			names = append(names, table.Name)
		}
		return names
	}
	assert.Empty(t, names("2026-12-31"))
	assert.Equal(t, []string{"FOMC decisions"}, names("2027-01-01"))
	assert.Len(t, names("2031-01-01"), 5)
}
