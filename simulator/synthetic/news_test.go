package synthetic_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

func newsMarket(t *testing.T, seed uint64, now time.Time) (*synthetic.Market, *market.ManualClock) {
	t.Helper()
	clock := market.NewManualClock(now)
	m, err := synthetic.New(seed, &synthetic.Options{Clock: clock})
	require.NoError(t, err)
	return m, clock
}

func TestNewsAreMadeFromTheSeed(t *testing.T) {
	now := synthetic.DefaultStart()
	m, clock := newsMarket(t, 1, now)
	ask := func(m *synthetic.Market, req market.NewsRequest) []market.Story {
		stories, err := m.News(t.Context(), req)
		require.NoError(t, err)
		return stories
	}
	all := ask(m, market.NewsRequest{})
	require.Greater(t, len(all), 50)
	ids := map[string]bool{}
	for i, s := range all {
		require.False(t, ids[s.ID], "ids are unique")
		ids[s.ID] = true
		require.False(t, s.Time.After(now), "nothing of the future is told")
		require.NotEmpty(t, s.Headline)
		require.NotEmpty(t, s.Symbols)
		require.Contains(t, s.Summary, "Made up")
		require.True(t, i == 0 || !s.Time.Before(all[i-1].Time))
	}
	again, _ := newsMarket(t, 1, now)
	require.Equal(t, all, ask(again, market.NewsRequest{}))
	other, _ := newsMarket(t, 2, now)
	require.NotEqual(t, all, ask(other, market.NewsRequest{}))

	var aapl []market.Story
	for _, s := range all {
		if s.Symbols[0] == "AAPL" {
			aapl = append(aapl, s)
		}
	}
	require.NotEmpty(t, aapl)
	require.Equal(t, aapl, ask(m, market.NewsRequest{Symbols: []market.Symbol{"AAPL"}}))
	require.Equal(t, aapl[len(aapl)-1:], ask(m, market.NewsRequest{Symbols: []market.Symbol{"AAPL"}, Limit: 1}))

	clock.Advance(3 * time.Hour)
	later := ask(m, market.NewsRequest{From: now.Add(time.Nanosecond)})
	require.NotEmpty(t, later)
	assert.True(t, later[0].Time.After(now))
	_, err := m.News(t.Context(), market.NewsRequest{Limit: -1})
	var fe *synthetic.FieldError
	require.ErrorAs(t, err, &fe)
}

func TestEarningsAreReportedWhenTheyAreMade(t *testing.T) {
	m, clock := newsMarket(t, 1, synthetic.DefaultStart())
	events, err := m.Events(t.Context(), "AAPL", market.Date{}, market.DateOf(clock.Now()))
	require.NoError(t, err)
	var latest market.Event
	for _, e := range events {
		if e.Kind == market.Earnings && e.Value == e.Value {
			latest = e
		}
	}
	require.NotZero(t, latest.Date)
	clock.Set(latest.Date.At(20, 0, market.NYSE().Location()))
	stories, err := m.News(t.Context(), market.NewsRequest{Symbols: []market.Symbol{"AAPL"}, From: latest.Date.At(0, 0, market.NYSE().Location())})
	require.NoError(t, err)
	var found []string
	for _, s := range stories {
		if s.ID == "earnings-AAPL-"+latest.Date.String() {
			found = append(found, s.Headline)
		}
	}
	require.Len(t, found, 1)
	assert.Contains(t, found[0], "reports quarterly earnings of $")
}

func TestStoriesAreStreamedByTheMarketsClock(t *testing.T) {
	m, clock := newsMarket(t, 1, synthetic.DefaultStart())
	start := clock.Now()
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := m.StreamNews(ctx, "AAPL", "SPY")
	require.NoError(t, err)
	defer stream.Close()
	waited, end := context.WithTimeout(t.Context(), time.Millisecond)
	_, err = stream.Next(waited)
	end()
	require.ErrorIs(t, err, context.DeadlineExceeded, "it is not time yet")
	clock.Advance(4 * time.Hour)
	want, err := m.News(t.Context(), market.NewsRequest{Symbols: []market.Symbol{"AAPL", "SPY"}, From: start})
	require.NoError(t, err)
	require.NotEmpty(t, want)
	for _, w := range want {
		u, err := stream.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, w, *u.Story)
	}
	cancel()
	_, err = stream.Next(t.Context())
	require.ErrorIs(t, err, context.Canceled)
}
