package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
)

func TestTasksOfOtherProcessesAreDoneOnce(t *testing.T) {
	t.Parallel()
	h := newHome(t, only)
	stop := h.start("--health", "off")
	h.until("it runs", func() bool { return strings.Contains(h.err.String(), "Jobs:") })
	queue, err := workflow.OpenTasks(h.tenant(t))
	require.NoError(t, err)
	// Ten are a batch, which is done at once.
	send := func(kind, key string, data any) {
		_, err := workflow.SendTask(t.Context(), queue, kind, key, data)
		require.NoError(t, err)
	}
	send(taskAnalysis, "a", analysts.AnalysisJob{Symbol: "SPY", Quiet: true})
	send(taskScreener, "b", analysts.ScreenerJob{Name: "asked for", Symbols: []market.Symbol{"KO"}})
	for i := range 8 {
		send(taskJob, fmt.Sprint("c", i), jobTask{Job: "sync"})
	}
	r := h.records(t)
	h.until("the analysis is kept", func() bool {
		found, _, err := r.Analyses.List(t.Context(), storage.RecordQuery{Where: []storage.Field{storage.Text("symbol", "SPY")}})
		return err == nil && len(found) == 1
	})
	h.until("the screener is kept", func() bool {
		found, _, err := r.ScreenerResults.List(t.Context(), storage.RecordQuery{})
		return err == nil && len(found) == 1 && found[0].Value.Screener == "asked for"
	})
	b, end := h.board()
	defer end()
	h.until("the job ran eight times", func() bool {
		e, err := b.Job(t.Context(), "sync")
		return err == nil && e.Started == 8 && e.Running == 0
	})
	assert.Zero(t, stop(), h.err.String())
}

func TestNewsOfASimulatorElsewhereReachThePerson(t *testing.T) {
	t.Parallel()
	sim, err := simulator.New(&simulator.Options{Seed: 1, Speed: 120, Credentials: app.DemoCredentials})
	require.NoError(t, err)
	defer func() { assert.NoError(t, sim.Close()) }()
	server, err := sim.Start("127.0.0.1:0")
	require.NoError(t, err)
	h := newHome(t, strings.Replace(only, `{"defaults"`, `{"alerts": [{"kind": "news", "keywords": ["platypus"]}], "defaults"`, 1))
	stop := h.start("--health", "off", "--url", server.URL())
	h.until("it runs", func() bool { return strings.Contains(h.err.String(), "Jobs:") })
	var published time.Time
	h.until("the story is told", func() bool {
		if time.Since(published) > 5*time.Second { // the rule may not have been read yet
			published = time.Now()
			_, err := sim.PublishNews(market.Story{Headline: "A platypus buys the exchange"})
			require.NoError(t, err)
		}
		return strings.Contains(h.out.String(), "platypus buys")
	})
	assert.Zero(t, stop(), h.err.String())
}

func TestAFeedThatIsNoAddressStopsIt(t *testing.T) {
	t.Parallel()
	h := newHome(t, `{"jobs": {"news": [{"url": "ftp://example.com/feed"}]}}`)
	code, _, errs := h.run("--list")
	assert.Equal(t, app.ExitUsage, code, errs)
	assert.Contains(t, errs, "news[0]")
}
