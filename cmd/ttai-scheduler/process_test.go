package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// A crew is schedulers in processes of their own, on one store and one simulator
// whose session passes in nine seconds, two seconds after it was started, so that
// both schedulers are up in time on a busy machine.
type crew struct {
	t     *testing.T
	dir   string
	store string
	sim   string
	names []string
}

// crewJobs are due 13 times in a session of six and a half hours, on a day of
// monthly expirations, so that nothing more is due for four weeks.
const crewJobs = 4

// dueTimes are the sessions of each job: half past nine, and each half hour to
// half past three.
func dueTimes() []string {
	var all []string
	for at := time.Date(2026, 9, 18, 9, 30, 0, 0, time.UTC); at.Hour() < 16; at = at.Add(30 * time.Minute) {
		all = append(all, at.Format("2006-01-02T15:04"))
	}
	return all
}

func newCrew(t *testing.T, store string) *crew {
	sim, err := simulator.New(&simulator.Options{
		Seed: 1, Start: time.Date(2026, 9, 18, 8, 0, 0, 0, market.NYSE().Location()), Speed: 2700,
		Credentials: app.DemoCredentials,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	server, err := sim.Start("127.0.0.1:0")
	require.NoError(t, err)
	c := &crew{t: t, dir: t.TempDir(), store: store, sim: server.URL()}
	config := map[string]any{"store": store, "url": c.sim}
	var jobs []map[string]any
	for i := range crewJobs {
		c.names = append(c.names, fmt.Sprint("job-", i))
		jobs = append(jobs, map[string]any{"name": c.names[i], "trigger": "every 30m on monthly expirations of SPY", "workflow": "portfolio-sync", "missed": "catch-up", "most": 100})
	}
	config["jobs"] = map[string]any{"defaults": false, "schedules": jobs}
	text, err := json.Marshal(config)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(c.dir, "ttai"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(c.dir, "ttai", "config.json"), text, 0o600))
	return c
}

func (c *crew) environ() []string {
	var all []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TTAI_") || strings.HasPrefix(v, "TTAI_TEST_") {
			all = append(all, v)
		}
	}
	// Each system looks for the configuration folder in its own variable.
	return append(all, childVariable+"=scheduler", "XDG_CONFIG_HOME="+c.dir, "XDG_DATA_HOME="+c.dir, "AppData="+c.dir, "LocalAppData="+c.dir)
}

// start starts one scheduler.
func (c *crew) start() (*exec.Cmd, *safeBuffer) {
	binary, err := os.Executable()
	require.NoError(c.t, err)
	cmd := exec.Command(binary, "--health", "off", "--takeover", "1s")
	out := &safeBuffer{}
	cmd.Env, cmd.Stdout, cmd.Stderr = c.environ(), out, out
	require.NoError(c.t, cmd.Start())
	c.t.Cleanup(func() {
		_ = cmd.Process.Kill() // when the test failed
		_ = cmd.Wait()
	})
	return cmd, out
}

// board opens the jobs as the store has them.
func (c *crew) board() *schedule.Board {
	sources, err := app.Environment{Getenv: func(string) string { return "" }, ConfigDir: filepath.Join(c.dir, "ttai")}.Sources()
	require.NoError(c.t, err)
	store, err := app.StoreFlags{}.OpenStore("", sources, app.IO{})
	require.NoError(c.t, err)
	c.t.Cleanup(func() { require.NoError(c.t, store.Close()) })
	tenant, err := store.For("local")
	require.NoError(c.t, err)
	b, err := schedule.OpenBoard(tenant, nil)
	require.NoError(c.t, err)
	return b
}

// shareTheWork lets two schedulers run a session, kills one in the middle of it,
// and sees that every run happened once.
func (c *crew) shareTheWork() {
	t := c.t
	board := c.board()
	jobs, err := board.Jobs(t.Context()) // makes the layout, so that they do not race for it
	require.NoError(t, err)
	require.Empty(t, jobs)
	first, firstOut := c.start()
	second, secondOut := c.start()
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(firstOut.String() + "\n----\n" + secondOut.String())
		}
	})

	by := func() map[string]int {
		all := map[string]int{}
		for _, name := range c.names {
			runs, err := board.History(t.Context(), name, 1000)
			require.NoError(t, err)
			for _, r := range runs {
				all[r.By]++
			}
		}
		return all
	}
	require.Eventually(t, func() bool { return len(by()) == 2 }, 40*time.Second, 20*time.Millisecond, "both take work")
	require.NoError(t, first.Process.Kill())
	_ = first.Wait()
	require.Eventually(t, func() bool {
		jobs, err := board.Jobs(t.Context())
		require.NoError(t, err)
		done := 0
		for _, j := range jobs {
			if j.Running == 0 && j.Last != nil && j.Last.Session == "2026-09-18T15:30" {
				done++
			}
		}
		return done == crewJobs
	}, 60*time.Second, 50*time.Millisecond, "the other goes on")

	for _, name := range c.names {
		runs, err := board.History(t.Context(), name, 1000)
		require.NoError(t, err)
		var sessions []string
		for _, r := range runs {
			sessions = append(sessions, r.Session)
			assert.Equal(t, workflow.Completed, r.State, "%s %s: %s", name, r.Session, r.Error)
		}
		slices.Sort(sessions)
		// Each once, and none left out. What came before the first was up is not missed.
		require.NotEmpty(t, sessions, name)
		due := dueTimes()
		from := slices.Index(due, sessions[0])
		require.GreaterOrEqual(t, from, 0, sessions[0])
		assert.Equal(t, due[from:], sessions, name)
		assert.NotContains(t, fmt.Sprint(runs), "skipped")
	}
	require.NoError(t, second.Process.Signal(os.Interrupt))
	assert.NoError(t, second.Wait(), "it stops in order")
	assert.NotContains(t, secondOut.String(), "panic")
}

func TestTwoSchedulersOnOneFileShareTheWorkAndSurviveADeath(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes a simulated session")
	}
	newCrew(t, "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "ttai.db"))).shareTheWork()
}

// postgresStore is a schema of its own in the PostgreSQL under test, dropped when
// the test ends, with a folder for objects.
func postgresStore(t *testing.T) string {
	raw := os.Getenv("TTAI_TEST_POSTGRES")
	if raw == "" {
		t.Skip("TTAI_TEST_POSTGRES is not set: it is the URL of a database that the tests may use")
	}
	u, err := url.Parse(raw)
	require.NoError(t, err)
	schema := fmt.Sprintf("sched_%x", time.Now().UnixNano())
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, raw)
		require.NoError(t, err)
		defer conn.Close(ctx)
		for _, name := range []string{schema, schema + "_workflow"} {
			_, err = conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{name}.Sanitize()+" CASCADE")
			assert.NoError(t, err)
		}
	})
	return u.String() + " objects=file://" + filepath.ToSlash(t.TempDir())
}

func TestTwoSchedulersOnPostgreSQLShareTheWorkAndSurviveADeath(t *testing.T) {
	newCrew(t, postgresStore(t)).shareTheWork()
}

func TestTwoSchedulersOnPostgreSQLAndNATSShareTheWorkAndSurviveADeath(t *testing.T) {
	store := postgresStore(t)
	nats := os.Getenv("TTAI_TEST_NATS")
	if nats == "" {
		t.Skip("TTAI_TEST_NATS is not set: it is the URL of a server that the tests may use")
	}
	prefix := fmt.Sprintf("sched%x", time.Now().UnixNano())
	newCrew(t, store+" queue,pubsub="+nats+"?prefix="+prefix).shareTheWork()
}
