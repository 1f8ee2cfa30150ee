package simulator_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/workflow/monitor/rss"
)

func TestNewsAreServedAsJSONAndAsAFeed(t *testing.T) {
	c := start(t, func(o *simulator.Options) { o.Market, o.Clock, o.Stopped = nil, nil, true }).login()
	items := c.items("/simulator/news?symbols=AAPL,SPY&limit=20")
	require.Len(t, items, 20)
	now := time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)
	for _, item := range items {
		assert.NotEmpty(t, item["headline"])
		at, err := time.Parse(time.RFC3339, item["time"].(string))
		require.NoError(t, err)
		assert.False(t, at.After(now))
	}
	status, answer := c.send("POST", "/simulator/news", `{"headline":"Apple recalls <b>nothing</b> & more","symbols":["aapl","BRK/B"]}`)
	require.Equal(t, 201, status)
	assert.Equal(t, []any{"AAPL", "BRK/B"}, answer["data"].(map[string]any)["symbols"])
	for _, bad := range []string{`{}`, `{"headline":" "}`, `{"headline":"x","symbols":[""]}`} {
		status, _ = c.send("POST", "/simulator/news", bad)
		assert.Equal(t, 400, status, bad)
	}
	for _, bad := range []string{"from=yesterday", "limit=0"} {
		status, _ := c.get("/simulator/news?" + bad)
		assert.Equal(t, 400, status, bad)
	}
	c.token = ""
	status, _ = c.send("POST", "/simulator/news", `{"headline":"x"}`)
	assert.Equal(t, 401, status, "strangers publish nothing")

	// the feed is one that a feed reader reads, without a token
	server := httptest.NewServer(c.sim.Handler())
	defer server.Close()
	source, err := rss.New(server.URL+"/simulator/news.rss", &rss.Options{Categories: true})
	require.NoError(t, err)
	stories, err := source.News(t.Context(), market.NewsRequest{From: now})
	require.NoError(t, err)
	require.NotEmpty(t, stories)
	last := stories[len(stories)-1]
	assert.Equal(t, "Apple recalls nothing & more", last.Headline, "a reader shows no markup")
	assert.Equal(t, []market.Symbol{"AAPL", "BRK/B"}, last.Symbols)
	assert.Equal(t, "simulated news", last.Source)
}
