package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// childVariable makes the test binary a scheduler: see process_test.go.
const childVariable = "SCHEDULER_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "scheduler":
		app.Main(run)
		return
	case "chat":
		chat()
		return
	}
	goleak.VerifyTestMain(m)
}

// A home is a user's computer.
type home struct {
	t        *testing.T
	dir      string
	env      map[string]string
	out, err safeBuffer
}

// safeBuffer is a buffer that a program writes to while a test reads it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newHome(t *testing.T, config string) *home {
	h := &home{t: t, dir: t.TempDir(), env: map[string]string{}}
	if config != "" {
		require.NoError(t, os.MkdirAll(filepath.Join(h.dir, "config"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(h.dir, "config", "config.json"), []byte(config), 0o600))
	}
	return h
}

func (h *home) io(out, err io.Writer) app.IO {
	return app.IO{In: strings.NewReader(""), Out: out, Err: err, Environment: app.Environment{
		Getenv: func(name string) string { return h.env[name] }, ConfigDir: filepath.Join(h.dir, "config"), DataDir: filepath.Join(h.dir, "data"),
	}}
}

// run runs the program to its end.
func (h *home) run(args ...string) (code int, out, errs string) {
	h.t.Helper()
	var o, e bytes.Buffer
	ctx, cancel := context.WithTimeout(h.t.Context(), 60*time.Second)
	defer cancel()
	code = run(ctx, args, h.io(&o, &e))
	return code, o.String(), e.String()
}

// start runs the program until the result is called, which returns its exit code.
func (h *home) start(args ...string) (stop func() int) {
	ctx, cancel := context.WithCancel(h.t.Context())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, args, h.io(&h.out, &h.err)) }()
	var once sync.Once
	code := -1
	stop = func() int {
		once.Do(func() { cancel(); code = <-ended })
		return code
	}
	h.t.Cleanup(func() { stop() })
	return stop
}

func (h *home) until(what string, ok func() bool) {
	h.t.Helper()
	require.Eventually(h.t, ok, 30*time.Second, 5*time.Millisecond, "%s\n%s\n%s", what, h.err.String(), h.out.String())
}

// only has one job, whose work every broker can do.
const only = `{"jobs": {"defaults": false, "schedules": [{"name": "sync", "trigger": "every 15m", "workflow": "portfolio-sync"}]}}`

func TestListShowsTheDefaultJobsAndStartsNothing(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	code, out, errs := h.run("--list")
	require.Zero(t, code, errs)
	for _, j := range schedule.DefaultJobs() {
		assert.Regexp(t, `(?m)^  `+regexp.QuoteMeta(j.Name)+` +(Mon|Tue|Wed|Thu|Fri) 20\d\d-.* E[SD]T  +`+regexp.QuoteMeta(j.Trigger.String())+` .*never$`, out)
	}
	code, out, errs = h.run("--list", "--json")
	require.Zero(t, code, errs)
	var jobs []schedule.Entry
	require.NoError(t, json.Unmarshal([]byte(out), &jobs))
	assert.Len(t, jobs, len(schedule.DefaultJobs()))
}

func TestADryLookShowsWhatWouldRunAndKeepsNothing(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	code, out, errs := h.run("--now", "2026-11-27T12:59:00-05:00", "--json") // a half day
	require.Zero(t, code, errs)
	var due []dueLine
	require.NoError(t, json.Unmarshal([]byte(out), &due))
	at := map[string]string{}
	for _, d := range due {
		at[d.Job] = d.At.Format("15:04")
	}
	assert.Equal(t, "13:15", at[schedule.CloseSummary][:5], "within the minute of its jitter: %v", at)
	assert.Contains(t, at, schedule.WeeklySummary)
	assert.NotContains(t, at, schedule.MorningBriefing)
	assert.NoDirExists(t, filepath.Join(h.dir, "data"), "nothing is kept")

	_, out, _ = h.run("--now", "2026-11-27T12:59:00-05:00")
	assert.Contains(t, out, "these would be started; nothing was")
	code, _, errs = h.run("--now", "soon")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, errs, "now:")
}

func TestADryLookSeesJobsThatWereAdded(t *testing.T) {
	t.Parallel()
	h := newHome(t, only)
	code, _, errs := h.run("--list")
	require.Zero(t, code, errs)
	b, end := h.board()
	require.NoError(t, b.Add(t.Context(), schedule.Job{Name: "mine", Workflow: "portfolio-sync", Trigger: schedule.AtOpen(0)}))
	end()
	code, out, errs := h.run("--now", "2026-11-30T09:00:00-05:00")
	require.Zero(t, code, errs)
	assert.Contains(t, out, "mine")
}

// board opens the jobs of the home's store.
func (h *home) board() (*schedule.Board, func()) {
	h.t.Helper()
	sources, err := h.io(nil, nil).Environment.Sources()
	require.NoError(h.t, err)
	store, err := app.StoreFlags{}.OpenStore("", sources, h.io(nil, nil))
	require.NoError(h.t, err)
	tenant, err := store.For("local")
	require.NoError(h.t, err)
	b, err := schedule.OpenBoard(tenant, nil)
	require.NoError(h.t, err)
	return b, func() { require.NoError(h.t, store.Close()) }
}

func TestOnceRunsAJobAndPrintsWhatItMade(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	code, out, errs := h.run("--once", schedule.PortfolioSync)
	require.Zero(t, code, errs)
	assert.Regexp(t, `^\d+ open positions in 2 accounts; 0 were closed since\.`, out)
	assert.Contains(t, out, "no number is real")
	code, out, errs = h.run("--once", schedule.TokenRefresh, "--json")
	require.Zero(t, code, errs)
	assert.Contains(t, out, "good for 15m0s")
	assert.NotContains(t, out, "token\":", "what a job returns holds no token")
	b, end := h.board()
	defer end()
	e, err := b.Job(t.Context(), schedule.PortfolioSync)
	require.NoError(t, err)
	assert.Equal(t, 1, e.Started)
	assert.Equal(t, "completed", string(e.Last.State))

	code, _, errs = h.run("--once", "nothing")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, errs, "one of")
}

func TestItServesUntilItIsToldToStop(t *testing.T) {
	t.Parallel()
	h := newHome(t, only)
	stop := h.start("--health", "127.0.0.1:0")
	address := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/readyz`)
	h.until("it says where it serves", func() bool { return address.MatchString(h.err.String()) })
	addr := address.FindStringSubmatch(h.err.String())[1]
	h.until("it is ready", func() bool {
		code, _, _ := h.run("--check", addr)
		return code == app.ExitOK
	})
	assert.Contains(t, h.err.String(), "no number is real")
	assert.Regexp(t, `(?m)^  sync +`, h.err.String())

	// Another process asks for a run; what it did shows in the metrics.
	b, end := h.board()
	defer end()
	_, err := b.RunNow(t.Context(), "sync", "")
	require.NoError(t, err)
	get := func(path string) string {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Get("http://" + addr + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return fmt.Sprint(resp.StatusCode, " ", string(text))
	}
	h.until("the run is counted", func() bool {
		return strings.Contains(get("/metrics"), `ttai_job_runs_ended_total{job="sync",state="completed"} 1`)
	})
	metrics := get("/metrics")
	assert.Contains(t, metrics, `ttai_job_runs_started_total{job="sync"} 1`)
	assert.Contains(t, metrics, `ttai_job_next_seconds{job="sync"}`)
	assert.Equal(t, "200 ok\n", get("/healthz"))
	assert.Equal(t, "200 ready\n", get("/readyz"))

	assert.Equal(t, app.ExitOK, stop(), h.err.String())
	assert.Contains(t, h.err.String(), "stopping")
	code, _, errs := h.run("--check", addr)
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, errs, "no scheduler answers")
}

func TestSettingsThatAreWrongStopIt(t *testing.T) {
	t.Parallel()
	for config, says := range map[string]string{
		`{"jobs": {"schedules": [{"name": "a", "trigger": "soon"}]}}`: "soon",
		`{"jobs": {"channels": [{"idd": "a"}]}}`:                      "channels[0]",
		`{"jobs": {"channels": [{"id": "a", "kind": "pigeon"}]}}`:     "pigeon",
		`{"jobs": 7}`: "jobs",
	} {
		h := newHome(t, config)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		var out, errs bytes.Buffer
		code := run(ctx, []string{"--health", "off"}, h.io(&out, &errs))
		cancel()
		assert.NotZero(t, code, config)
		assert.Contains(t, errs.String(), says, config)
	}
	h := newHome(t, only)
	code, _, errs := h.run("--health", ":8767")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, errs, "health")
}

func TestHelpVersionAndManual(t *testing.T) {
	h := newHome(t, "")
	code, out, _ := h.run("--help")
	require.Zero(t, code)
	for _, flag := range []string{"--once", "--now", "--list", "--health", "--takeover", "--store", "--env"} {
		assert.Contains(t, out, flag)
	}
	_, out, _ = h.run("--version")
	assert.Contains(t, out, "ttai-scheduler")
	_, out, _ = h.run("--man")
	assert.Contains(t, out, ".TH")
	_, out, _ = h.run("--completion", "bash")
	assert.Contains(t, out, "ttai-scheduler")
}

func TestUnitsNameTheProgramAndAreWellFormed(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	require.NoError(t, err)
	h := newHome(t, "")
	h.env["HOME"] = "/home/a & b"
	for _, system := range []string{"systemd", "launchd", "windows"} {
		code, out, errs := h.run("--unit", system)
		require.Zero(t, code, errs)
		assert.Contains(t, out, filepath.Base(program), system)
		if system == "systemd" {
			assert.Regexp(t, `(?m)^ExecStart="/?.*"$`, out)
			continue
		}
		decoder := xml.NewDecoder(strings.NewReader(out))
		elements := 0
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, "%s is no XML", system)
			if _, ok := token.(xml.StartElement); ok {
				elements++
			}
		}
		assert.Greater(t, elements, 10, system)
	}
	_, out, _ := h.run("--unit", "launchd")
	assert.Contains(t, out, "a &amp; b")
	assert.Equal(t, `"/opt/a b/100%%/\\x\"$$"`, systemdQuoted(`/opt/a b/100%/\x"$`))
	code, _, _ := h.run("--unit", "cron")
	assert.Equal(t, app.ExitUsage, code)
}

func TestReadinessFollowsTheSchedulerAndTheStore(t *testing.T) {
	t.Parallel()
	h := newHome(t, only)
	std := h.io(&h.out, &h.err)
	sources, err := std.Environment.Sources()
	require.NoError(t, err)
	house, err := open(t.Context(), flags{Takeover: time.Second, Config: app.Config{Seed: 1, Clock: "day"}}, sources, std, time.Now())
	require.NoError(t, err)
	defer house.close()
	assert.ErrorContains(t, house.ready(t.Context()), "not looked")
	_, err = house.scheduler.Tick(t.Context())
	require.NoError(t, err)
	assert.NoError(t, house.ready(t.Context()))
	require.NoError(t, house.engine.Close())
	require.NoError(t, house.store.Close())
	assert.ErrorContains(t, house.ready(t.Context()), "store")
}
