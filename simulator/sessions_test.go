package simulator_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

func TestSessionStatesFollowTheDay(t *testing.T) {
	c := start(t, nil).login()
	loc := market.NYSE().Location()
	data := func(path string) map[string]any { return c.object(path)["data"].(map[string]any) }
	for at, want := range map[string][2]string{ // New York time: state, next session
		"2026-09-16T08:14:59": {"Closed", "2026-09-16"},
		"2026-09-16T08:15:00": {"Pre-market", "2026-09-17"},
		"2026-09-16T09:30:00": {"Open", "2026-09-17"},
		"2026-09-16T16:00:00": {"Extended", "2026-09-17"},
		"2026-09-16T20:00:00": {"Closed", "2026-09-17"},
		"2026-09-19T12:00:00": {"Closed", "2026-09-21"},   // Saturday
		"2026-11-27T13:00:00": {"Extended", "2026-11-30"}, // closes early after Thanksgiving
		"2026-11-26T12:00:00": {"Closed", "2026-11-27"},
	} {
		when, err := time.ParseInLocation("2006-01-02T15:04:05", at, loc)
		assert.NoError(t, err)
		c.clock.Set(when)
		got := data("/market-time/equities/sessions/current")
		assert.Equal(t, want[0], got["state"], at)
		assert.Equal(t, want[1], got["next-session"].(map[string]any)["session-date"], at)
		asked := data("/market-time/equities/sessions/current?current-time=" + when.UTC().Format(time.RFC3339))
		assert.Equal(t, got, asked, at)
	}
}

func TestSessionsNextPreviousAndBetween(t *testing.T) {
	c := start(t, nil).login()
	date := func(path string) any { return c.object(path)["data"].(map[string]any)["session-date"] }
	assert.Equal(t, "2026-09-17", date("/market-time/equities/sessions/next"), "today's has begun")
	assert.Equal(t, "2026-09-16", date("/market-time/equities/sessions/next?date=2026-09-16"), "on or after")
	assert.Equal(t, "2026-09-21", date("/market-time/equities/sessions/next?date=2026-09-19"))
	assert.Equal(t, "2026-09-15", date("/market-time/equities/sessions/previous"))
	assert.Equal(t, "2026-09-18", date("/market-time/equities/sessions/previous?date=2026-09-21"), "before")
	assert.Len(t, c.items("/market-time/sessions?from-date=2026-09-14&to-date=2026-09-20&instrument-collection=Equity"), 5)
	assert.Empty(t, c.items("/market-time/sessions?to-date=2026-09-20&instrument-collection=MARS"))
	current := c.items("/market-time/sessions/current?instrument-collections[]=Equity&instrument-collections[]=CME")
	assert.Len(t, current, 2)
	calendar := c.object("/market-time/equities/holidays")["data"].(map[string]any)
	assert.Contains(t, calendar["market-holidays"], "2026-11-26")
	assert.Contains(t, calendar["market-half-days"], "2026-11-27")
}

func TestQuotesHaveACloseAfterTheSession(t *testing.T) {
	c := start(t, nil).login()
	quote := func() map[string]any { return c.items("/market-data/by-type?equity=AAPL")[0] }
	assert.NotContains(t, quote(), "close")
	c.clock.Set(time.Date(2026, 9, 16, 20, 30, 0, 0, time.UTC))
	after := quote()
	bars, err := c.market.Bars(t.Context(), market.BarsRequest{Symbol: "AAPL", Interval: market.Day, Limit: 1})
	require.NoError(t, err)
	closing := decimal.NewFromFloat(bars[0].Close)
	assert.True(t, closing.Equal(amount(t, after, "close")), "the session's close, whatever has traded since")
	assert.True(t, closing.Equal(amount(t, after, "last-mkt")))
	assert.Equal(t, "Final", after["close-price-type"])
	assert.Equal(t, "2026-09-16", after["summary-date"])
	c.clock.Set(time.Date(2026, 9, 17, 6, 0, 0, 0, time.UTC))
	assert.Equal(t, "2026-09-16", quote()["summary-date"], "at night the last session is meant")
	c.clock.Set(time.Date(2026, 9, 17, 10, 0, 0, 0, time.UTC))
	morning := quote()
	assert.Equal(t, "2026-09-17", morning["summary-date"], "from the pre-market on the new one")
	assert.Equal(t, "2026-09-16", morning["prev-close-date"])
	assert.True(t, closing.Equal(amount(t, morning, "prev-close")))
}
