package schedule

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
)

// The test binary is run again as a scheduler of its own on one SQLite file, and
// killed at points where a claim is half done.
const (
	folderVariable = "SCHEDULE_TEST_FOLDER"
	pointVariable  = "SCHEDULE_TEST_POINT" // where to die; empty: nowhere
)

// processJobs are due every minute of a day that the children's clocks replay.
func processJobs() []Job {
	var jobs []Job
	for i := range 3 {
		jobs = append(jobs, Job{Name: fmt.Sprint("job-", i), Workflow: "work", Trigger: Trigger{Every: 15 * time.Minute}, Missed: CatchUp, Most: 100})
	}
	return jobs
}

// The session of Friday 6 March 2026 has 26 quarters of an hour.
const quarters = 26

func child(folder string) {
	if err := schedule(folder, os.Getenv(pointVariable)); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	os.Exit(0)
}

// schedule replays a session beside other processes until every run has ended.
func schedule(folder, point string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	store, err := sqlite.Open(ctx, filepath.Join(folder, "data.db"), nil)
	if err != nil {
		return err
	}
	defer store.Close()
	tenant, err := store.For("trader")
	if err != nil {
		return err
	}
	work := Workflow("work", 1, func(c *workflow.Ctx, in Input) (int, error) {
		return workflow.Step(c, "effect", workflow.Policy{}, func(_ context.Context, call workflow.Call) (int, error) {
			// What a broker or a queue does with a key: the first one counts.
			name := strings.NewReplacer("/", "_", ":", "_").Replace(call.Key)
			f, err := os.OpenFile(filepath.Join(folder, "effect-"+name), os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				return 0, err
			}
			defer f.Close()
			_, err = fmt.Fprintf(f, "%s %s\n", in.Job, in.Session)
			return 0, err
		})
	})
	engine, err := journal.New(ctx, tenant, []workflow.Workflow{work}, &journal.Options{Lease: time.Second, Poll: 50 * time.Millisecond})
	if err != nil {
		return err
	}
	defer engine.Close()
	loc := market.NYSE().Location()
	clock := market.NewManualClock(time.Date(2026, 3, 6, 9, 0, 0, 0, loc))
	s, err := New(ctx, tenant, engine, processJobs(), &Options{Clock: clock, Name: fmt.Sprint("process-", os.Getpid()), Lease: time.Second})
	if err != nil {
		return err
	}
	seen := 0
	s.at = func(at string) {
		if seen++; point == "" || !strings.HasPrefix(point, at+" ") || fmt.Sprint(at, " ", seen) < point {
			return
		}
		self, _ := os.FindProcess(os.Getpid())
		_ = self.Kill()
		select {} // until the signal has come
	}
	if _, err := s.Tick(ctx); err != nil {
		return err
	}
	for now := time.Date(2026, 3, 6, 9, 30, 0, 0, loc); ; now = now.Add(5 * time.Minute) {
		clock.Set(now)
		if _, err := s.Tick(ctx); err != nil {
			return err
		}
		jobs, err := s.Jobs(ctx)
		if err != nil {
			return err
		}
		ended := now.Hour() >= 16
		for _, j := range jobs {
			ended = ended && j.Running == 0 && j.Started == quarters
		}
		if ended {
			return nil
		}
		if err := (workflow.RealClock{}).Sleep(ctx, 5*time.Millisecond); err != nil {
			data, _ := json.Marshal(jobs)
			return fmt.Errorf("%w: %s", err, data)
		}
	}
}

func TestProcessesOnOneFileShareTheWorkAndSurviveADeath(t *testing.T) {
	folder := t.TempDir()
	binary, err := os.Executable()
	require.NoError(t, err)
	// The layout is made before they race for it.
	store, err := sqlite.Open(t.Context(), filepath.Join(folder, "data.db"), nil)
	require.NoError(t, err)
	defer store.Close()

	type process struct {
		cmd *exec.Cmd
		out *strings.Builder
	}
	start := func(point string) process {
		cmd := exec.CommandContext(t.Context(), binary, "-test.run=^$")
		cmd.Env = append(os.Environ(), folderVariable+"="+folder, pointVariable+"="+point)
		out := &strings.Builder{}
		cmd.Stdout, cmd.Stderr = out, out
		require.NoError(t, cmd.Start())
		return process{cmd, out}
	}
	first, second := start("claimed 3"), start("started 4")
	third := start("")
	died := 0
	for _, p := range []process{first, second} {
		if err := p.cmd.Wait(); err != nil {
			assert.NotEqual(t, 3, p.cmd.ProcessState.ExitCode(), p.out.String())
			died++
		}
	}
	assert.NotZero(t, died, "none of the processes that should have died did")
	require.NoError(t, third.cmd.Wait(), third.out.String())

	effects, err := filepath.Glob(filepath.Join(folder, "effect-*"))
	require.NoError(t, err)
	assert.Len(t, effects, 3*quarters, "each (job, session) once")
	tenant, err := store.For("trader")
	require.NoError(t, err)
	board, err := OpenBoard(tenant, nil)
	require.NoError(t, err)
	by := map[string]int{}
	for _, j := range processJobs() {
		runs, err := board.History(t.Context(), j.Name, 100)
		require.NoError(t, err)
		assert.Len(t, runs, quarters)
		for _, r := range runs {
			assert.Equal(t, workflow.Completed, r.State, r.Session)
			by[r.By]++
		}
	}
	assert.GreaterOrEqual(t, len(by), 2, "they shared the work: %v", by)
}
