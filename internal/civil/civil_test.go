package civil_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/civil"
)

func TestDateIsTheDayItsLocationShows(t *testing.T) {
	tokyo := time.FixedZone("", 9*3600)
	instant := time.Date(2026, 9, 16, 23, 0, 0, 0, time.UTC)
	assert.Equal(t, "2026-09-16", civil.DateOf(instant).String())
	assert.Equal(t, "2026-09-17", civil.DateOf(instant.In(tokyo)).String())
	d := civil.Date{Year: 2026, Month: 9, Day: 16}
	assert.Equal(t, time.Date(2026, 9, 16, 0, 0, 0, 0, tokyo), d.In(tokyo))
	assert.Equal(t, time.Date(2026, 9, 16, 9, 30, 0, 0, tokyo), d.At(9, 30, tokyo))
}

func TestDateArithmeticCrossesMonthsYearsAndLeapDays(t *testing.T) {
	for _, row := range []struct {
		from string
		days int
		to   string
	}{
		{"2024-02-28", 1, "2024-02-29"},
		{"2023-02-28", 1, "2023-03-01"},
		{"2026-12-31", 1, "2027-01-01"},
		{"2026-01-01", -1, "2025-12-31"},
		{"2026-03-07", 2, "2026-03-09"}, // clocks change
		{"1990-01-01", 14975, "2031-01-01"},
	} {
		from, err := civil.ParseDate(row.from)
		require.NoError(t, err)
		to, err := civil.ParseDate(row.to)
		require.NoError(t, err)
		assert.Equal(t, to, from.AddDays(row.days))
		assert.Equal(t, row.days, from.DaysUntil(to))
		assert.Equal(t, row.days > 0, from.Before(to))
		assert.Equal(t, row.days < 0, from.After(to))
	}
	assert.Equal(t, time.Wednesday, civil.Date{Year: 2026, Month: 9, Day: 16}.Weekday())
}

func TestDateReadsAndWritesJSON(t *testing.T) {
	var got struct{ A, B civil.Date }
	require.NoError(t, json.Unmarshal([]byte(`{"A":"2026-09-16","B":""}`), &got))
	assert.Equal(t, civil.Date{Year: 2026, Month: 9, Day: 16}, got.A)
	assert.True(t, got.B.IsZero())
	text, err := json.Marshal(got)
	require.NoError(t, err)
	assert.JSONEq(t, `{"A":"2026-09-16","B":""}`, string(text))
	for _, bad := range []string{`{"A":"2026-02-30"}`, `{"A":"16.9.2026"}`, `{"A":"2026-9-16"}`} {
		assert.Error(t, json.Unmarshal([]byte(bad), &got), bad)
	}
	assert.Equal(t, civil.Date{Year: 2026, Month: 9, Day: 16}, got.A, "a bad date changes nothing")
}
