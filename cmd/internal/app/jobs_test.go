package app

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// jobsOf reads a config.json with that section.
func jobsOf(t *testing.T, section string) (Jobs, error) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"seed": 7, "jobs": `+section+`}`), 0o600))
	sources, err := Environment{Getenv: func(string) string { return "" }, ConfigDir: dir}.Sources()
	require.NoError(t, err)
	assert.Equal(t, "7", sources.Lookup("seed"), "the other settings are read as ever")
	return sources.Jobs()
}

func TestWithoutASectionTheDefaultJobsRun(t *testing.T) {
	sources, err := Environment{Getenv: func(string) string { return "" }}.Sources()
	require.NoError(t, err)
	j, err := sources.Jobs()
	require.NoError(t, err)
	jobs, err := j.Scheduled()
	require.NoError(t, err)
	assert.Equal(t, schedule.DefaultJobs(), jobs)
}

func TestTheSectionChangesDefaultJobsAndAddsOthers(t *testing.T) {
	j, err := jobsOf(t, `{
		"schedules": [
			{"name": "morning-briefing", "trigger": "1h before open"},
			{"name": "token-refresh", "off": true},
			{"name": "portfolio-sync", "paused": true, "missed": "skip"},
			{"name": "friday", "trigger": "30m before close on the last session of the week", "workflow": "daily-pnl", "grace": "20m", "data": {"note": "x"}}
		],
		"screeners": [
			{"name": "movers", "watchlist": "mine"},
			{"name": "early", "trigger": "30m after open", "symbols": ["SPY", "QQQ"]}
		],
		"reports": [{"kind": "daily-pnl", "symbols": ["SPY"], "quiet": true}],
		"alerts": [{"kind": "price"}],
		"channels": [{"id": "me"}]
	}`)
	require.NoError(t, err)
	jobs, err := j.Scheduled()
	require.NoError(t, err)
	by := map[string]schedule.Job{}
	for _, job := range jobs {
		by[job.Name] = job
	}
	defaults := map[string]schedule.Job{}
	for _, job := range schedule.DefaultJobs() {
		defaults[job.Name] = job
	}
	briefing := defaults[schedule.MorningBriefing]
	briefing.Trigger = schedule.AtOpen(-time.Hour)
	assert.Equal(t, briefing, by[schedule.MorningBriefing], "what is not named stays")
	sync := defaults[schedule.PortfolioSync]
	sync.Paused, sync.Missed = true, schedule.Skip
	assert.Equal(t, sync, by[schedule.PortfolioSync])
	assert.Equal(t, defaults[schedule.CloseSummary], by[schedule.CloseSummary])
	assert.NotContains(t, by, schedule.TokenRefresh)
	friday := by["friday"]
	assert.Equal(t, "daily-pnl", friday.WorkflowName())
	assert.Equal(t, 20*time.Minute, friday.Grace)
	assert.JSONEq(t, `{"note":"x"}`, string(friday.Data))
	early := by[ScreenerJob("early")]
	assert.Equal(t, schedule.HourlyScreeners, early.WorkflowName())
	assert.JSONEq(t, `{"screener":"early"}`, string(early.Data))
	assert.NotContains(t, by, ScreenerJob("movers"), "without a trigger it runs with the hourly ones")
	assert.True(t, j.Report(schedule.DailyPnL).Quiet)
	assert.Equal(t, ReportSetting{Kind: schedule.WeeklySummary}, j.Report(schedule.WeeklySummary))
	assert.Len(t, j.Alerts, 1)
	assert.Len(t, j.Channels, 1)

	j, err = jobsOf(t, `{"defaults": false, "schedules": [{"name": "one", "trigger": "open", "workflow": "analyze"}]}`)
	require.NoError(t, err)
	jobs, err = j.Scheduled()
	require.NoError(t, err)
	assert.Equal(t, []schedule.Job{{Name: "one", Workflow: AnalyzeJob, Trigger: schedule.AtOpen(0)}}, jobs)
}

func TestASectionThatIsNotUnderstoodStopsTheProgram(t *testing.T) {
	for section, says := range map[string]string{
		`[]`:                             "jobs",
		`{"schedule": []}`:               "schedule",
		`{"schedules": [{"name": "a"}]}`: "trigger",
		`{"schedules": [{"name": "a", "trigger": "soon"}]}`:                                 "soon",
		`{"schedules": [{"name": "a", "trigger": "open", "grce": "1m"}]}`:                   "grce",
		`{"schedules": [{"name": "a", "trigger": "open", "grace": "soon"}]}`:                "grace",
		`{"schedules": [{"name": "a", "trigger": "open", "missed": "never"}]}`:              "missed",
		`{"schedules": [{"name": "a b", "trigger": "open"}]}`:                               "name",
		`{"schedules": [{"name": "daily-pnl"}, {"name": "daily-pnl", "trigger": "close"}]}`: "each name once",
		`{"schedules": [{"name": "a", "trigger": "open"}]}`:                                 "schedules[0].workflow",
		`{"schedules": [{"name": "a", "trigger": "open", "workflow": "nope"}]}`:             "schedules[0].workflow",
		`{"schedules": [{"name": "a", "off": true}]}`:                                       "default job",
		`{"screeners": [{"name": "a", "trigger": "soon"}]}`:                                 "soon",
		`{"screeners": [{"name": "a", "symbols": ["SPY"], "watchlist": "mine"}]}`:           "not both",
		`{"screeners": [{"name": "a"}, {"name": "a"}]}`:                                     "each name once",
		`{"screeners": [{"name": ""}]}`:                                                     "name",
		`{"reports": [{"kind": "yearly"}]}`:                                                 "kind",
	} {
		_, err := jobsOf(t, section)
		require.Error(t, err, section)
		assert.ErrorContains(t, err, says, section)
		assert.True(t, IsUsage(err), section)
	}
	_, err := jobsOf(t, `{"schedules": [{"name": "a", "trigger": "soon"}]}`)
	_, field := errors.AsType[*invalid.FieldError](err)
	assert.True(t, field)
}

func TestMetricsAreServedInPrometheusTextFormat(t *testing.T) {
	m := NewMetrics(time.Unix(1_772_800_000, 500_000_000))
	m.Counter("runs_total", "Runs.", "job", "state")
	m.Gauge("depth", "Depth.")
	m.Add("runs_total", 1, "a", "completed")
	m.Add("runs_total", 2, "a", "completed")
	m.Add("runs_total", 1, "q\"uo\\te\n", "failed")
	m.Set("depth", 2.5)
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	assert.Equal(t, "text/plain; version=0.0.4; charset=utf-8", w.Header().Get("Content-Type"))
	assert.Contains(t, text, "# HELP runs_total Runs.\n# TYPE runs_total counter\nruns_total{job=\"a\",state=\"completed\"} 3\nruns_total{job=\"q\\\"uo\\\\te\\n\",state=\"failed\"} 1\n")
	assert.Contains(t, text, "# HELP depth Depth.\n# TYPE depth gauge\ndepth 2.5\n")
	assert.Contains(t, text, "process_start_time_seconds 1.7728000005e+09\n")
	assert.Regexp(t, `go_goroutines [1-9]`, text)
	assert.Panics(t, func() { m.Add("runs_total", 1, "a") })
}
