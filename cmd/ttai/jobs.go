package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/schedule"
)

type jobsCommand struct {
	List    jobsList    `cmd:"" help:"The jobs: when they ran, when they run next."`
	Next    jobsNext    `cmd:"" help:"The next times of a job."`
	History jobsHistory `cmd:"" help:"What became of a job's runs."`
	Add     jobsAdd     `cmd:"" help:"Add a job, or change when one runs."`
	Test    jobsTest    `cmd:"" help:"Check a trigger and show when it would run; nothing is added."`
	Run     jobsRun     `cmd:"" help:"Ask the scheduler for a run now."`
	Pause   jobsPause   `cmd:"" help:"Stop a job from running at its times."`
	Resume  jobsResume  `cmd:"" help:"Let it run again, from now on."`
	Remove  jobsRemove  `cmd:"" help:"Take back what was added; a default job gets its own times again."`
}

// Help is shown below the commands.
func (jobsCommand) Help() string {
	return `Examples:
  ttai jobs list
  ttai jobs test "30m before close on the last session of the week"
  ttai jobs add friday-check "30m before close on the last session of the week" --workflow daily-pnl --missed skip
  ttai jobs add morning-briefing "1h before open"
  ttai jobs add look-at-apple "1h before close on the session before earnings of AAPL" --workflow analyze --data '{"symbols":["AAPL"]}'
  ttai jobs next morning-briefing
  ttai jobs run daily-pnl

What is said here lies in the store: every ttai-scheduler with the same store does it, at once when it runs and otherwise
when it is started. Triggers are moments of the exchange's session (open, 45m before open, 15m after close, end of day,
every 1h, at 08:30), on some sessions if you like, or cron expressions in a zone: see docs/scheduler.md.
Exit code: 0 done, 1 it failed, 2 what was asked is wrong.`
}

// board opens the jobs of this user.
func (c tenantCommand) board(s *session, f func(context.Context, *schedule.Board) error) error {
	return c.with(s, func(ctx context.Context, store *app.Store) error {
		tenant, err := store.For(storage.TenantID(c.Tenant))
		if err != nil {
			return err
		}
		seed, err := app.JitterSeed(ctx, tenant)
		if err != nil {
			return err
		}
		board, err := schedule.OpenBoard(tenant, &schedule.Options{Seed: seed})
		if err != nil {
			return err
		}
		err = f(ctx, board)
		if errors.Is(err, schedule.ErrNoJob) {
			err = app.Usage(fmt.Errorf("%w; 'ttai jobs list' shows those there are, once a scheduler has run", err))
		}
		if _, bad := errors.AsType[*invalid.FieldError](err); bad {
			err = app.Usage(err)
		}
		return err
	})
}

// marketNow is what the scheduler's clock shows, as far as this program can tell:
// the simulator's own day goes by what its scheduler did last.
func (c tenantCommand) marketNow(s *session, jobs []schedule.Entry) time.Time {
	env := c.Env
	if env == "" {
		env = s.sources.Lookup("env")
	}
	now := time.Now()
	if env != "" && env != string(broker.Simulator) || s.sources.Lookup("clock") == "real" {
		return now
	}
	var last time.Time
	for _, j := range jobs {
		if j.Last != nil && j.Last.Claimed.After(last) {
			last = j.Last.Claimed
		}
	}
	if last.IsZero() {
		return now
	}
	return last
}

func showTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(market.NYSE().Location()).Format("Mon 2006-01-02 15:04 MST")
}

type jobsList struct{ tenantCommand }

// Run lists the jobs.
func (c jobsList) Run(s *session) error {
	return c.board(s, func(ctx context.Context, board *schedule.Board) error {
		jobs, err := board.Jobs(ctx)
		if err != nil {
			return err
		}
		now := c.marketNow(s, jobs)
		for i, j := range jobs {
			if j.Paused {
				continue
			}
			jobs[i].Next = time.Time{}
			if next, err := board.Preview(ctx, j.Job, now, 1); err == nil && len(next) == 1 {
				jobs[i].Next = next[0].At
			}
		}
		if jobs == nil {
			jobs = []schedule.Entry{}
		}
		return c.print(s, jobs, func(out io.Writer) {
			if len(jobs) == 0 {
				fmt.Fprintln(out, "There are no jobs yet: 'ttai-scheduler' brings the default ones, 'ttai jobs add' makes others.")
				return
			}
			table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "JOB\tNEXT\tWHEN\tLAST\tRUNS\tFAILED\tMISSED")
			for _, j := range jobs {
				next, last := showTime(j.Next), "never"
				switch {
				case j.Paused:
					next = "paused"
				case j.Next.IsZero():
					next = "the scheduler knows"
				}
				if j.Last != nil {
					last = runState(*j.Last) + " " + j.Last.Session
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%d\n", j.Job.Name, next, j.Job.Trigger, plain(last), j.Started, j.Failed, j.Missed)
			}
			_ = table.Flush() // what it writes to is checked by whoever reads it
			for _, j := range jobs {
				if j.LastError != "" {
					fmt.Fprintf(out, "%s failed last at %s: %s\n", j.Job.Name, showTime(j.LastErrorAt), plain(j.LastError))
				}
			}
		})
	})
}

// runState is a run's state in a word.
func runState(r schedule.Run) string {
	switch {
	case r.Outcome == schedule.Skipped:
		return "skipped"
	case r.State == "":
		return "running"
	}
	return string(r.State)
}

type jobsNext struct {
	Name string `arg:"" help:"The job."`
	N    int    `short:"n" help:"How many times." default:"10"`
	tenantCommand
}

// Run shows the next times.
func (c jobsNext) Run(s *session) error {
	return c.board(s, func(ctx context.Context, board *schedule.Board) error {
		jobs, err := board.Jobs(ctx)
		if err != nil {
			return err
		}
		job, err := board.Job(ctx, c.Name)
		if err != nil {
			return err
		}
		return c.showTimes(ctx, s, board, job.Job, c.marketNow(s, jobs), c.N)
	})
}

func (c tenantCommand) showTimes(ctx context.Context, s *session, board *schedule.Board, job schedule.Job, after time.Time, n int) error {
	next, err := board.Preview(ctx, job, after, n)
	if err != nil {
		return err
	}
	if next == nil {
		next = []schedule.Occurrence{}
	}
	return c.print(s, next, func(out io.Writer) {
		for _, o := range next {
			fmt.Fprintf(out, "%s  %s\n", showTime(o.At), o.Session)
		}
		if len(next) == 0 {
			fmt.Fprintln(out, "no time is known")
		}
	})
}

type jobsHistory struct {
	Name string `arg:"" help:"The job."`
	N    int    `short:"n" help:"How many runs, the newest." default:"20"`
	tenantCommand
}

// Run shows the history.
func (c jobsHistory) Run(s *session) error {
	return c.board(s, func(ctx context.Context, board *schedule.Board) error {
		runs, err := board.History(ctx, c.Name, c.N)
		if err != nil {
			return err
		}
		return c.print(s, runs, func(out io.Writer) {
			if len(runs) == 0 {
				fmt.Fprintln(out, "it has not run yet")
			}
			table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			for _, r := range runs {
				more := ""
				switch {
				case r.Outcome == schedule.Skipped:
					more = fmt.Sprintf("%d missed since %s", r.Count, showTime(r.First))
				case r.Count > 0:
					more = fmt.Sprintf("stands for %d missed ones too", r.Count)
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s%s\n", showTime(r.Due), runState(r), r.Session, plain(r.By), more, plain(r.Error))
			}
			_ = table.Flush() // what it writes to is checked by whoever reads it
		})
	})
}

type jobsAdd struct {
	Name     string        `arg:"" help:"The job: 1 to 64 of a-z, 0-9, '.', '_' and '-'."`
	Trigger  string        `arg:"" help:"When it runs, in quotes: \"45m before open\"."`
	Workflow string        `help:"What it runs: the name of a default job, or analyze. Default: the job's own name." placeholder:"NAME"`
	Data     string        `help:"JSON for the workflow: {\"symbols\": [\"SPY\"]} for analyze." placeholder:"JSON"`
	Missed   string        `help:"What becomes of missed times: merge, catch-up or skip." enum:"merge,catch-up,skip" default:"merge"`
	Grace    time.Duration `help:"How late a run may begin and not count as missed." default:"5m"`
	Within   time.Duration `help:"How old a missed time may be to be made up for." default:"168h"`
	Jitter   time.Duration `help:"By up to how much runs are spread." default:"0s"`
	tenantCommand
}

// Run adds the job.
func (c jobsAdd) Run(s *session) error {
	trigger, err := schedule.ParseTrigger(c.Trigger)
	if err != nil {
		return app.Usage(err)
	}
	job := schedule.Job{
		Name: c.Name, Trigger: trigger, Workflow: c.Workflow, Missed: schedule.Missed(c.Missed), Grace: c.Grace, Within: c.Within, Jitter: c.Jitter,
	}
	if c.Data != "" {
		job.Data = json.RawMessage(c.Data)
	}
	if known := app.JobWorkflows(); !slices.Contains(known, job.WorkflowName()) {
		return app.Usage(invalid.Field("workflow", job.WorkflowName(), "one of "+strings.Join(known, ", ")))
	}
	return c.board(s, func(ctx context.Context, board *schedule.Board) error {
		if err := board.Add(ctx, job); err != nil {
			return err
		}
		jobs, err := board.Jobs(ctx)
		if err != nil {
			return err
		}
		if !c.JSON {
			fmt.Fprintf(s.std.Out, "%s runs %s: %s\n", c.Name, job.WorkflowName(), trigger)
		}
		return c.showTimes(ctx, s, board, job, c.marketNow(s, jobs), 3)
	})
}

type jobsTest struct {
	Trigger string `arg:"" help:"When it would run, in quotes."`
	N       int    `short:"n" help:"How many times." default:"10"`
	At      string `help:"As of this time." placeholder:"TIME"`
	tenantCommand
}

// Run shows when a trigger fires.
func (c jobsTest) Run(s *session) error {
	trigger, err := schedule.ParseTrigger(c.Trigger)
	if err != nil {
		return app.Usage(err)
	}
	var at time.Time
	if c.At != "" {
		if at, err = market.NYSE().ParseInstant("at", c.At, market.NYSE().Location()); err != nil {
			return app.Usage(err)
		}
	}
	return c.board(s, func(ctx context.Context, board *schedule.Board) error {
		if at.IsZero() {
			jobs, err := board.Jobs(ctx)
			if err != nil && jobs == nil {
				return err
			}
			at = c.marketNow(s, jobs)
		}
		return c.showTimes(ctx, s, board, schedule.Job{Name: "test", Trigger: trigger}, at, c.N)
	})
}

type jobsRun struct {
	Name string `arg:"" help:"The job."`
	Key  string `help:"Asking twice with one key is one run." placeholder:"KEY"`
	tenantCommand
}

// Run asks for a run.
func (c jobsRun) Run(s *session) error {
	return c.board(s, func(ctx context.Context, board *schedule.Board) error {
		id, err := board.RunNow(ctx, c.Name, c.Key)
		if err != nil {
			return err
		}
		return c.print(s, map[string]string{"job": c.Name, "run": id}, func(out io.Writer) {
			fmt.Fprintf(out, "asked for; a scheduler with this store starts it as %s\n", id)
		})
	})
}

// A jobName is a job and a store.
type jobName struct {
	Name string `arg:"" help:"The job."`
	tenantCommand
}

func (c jobName) do(s *session, done string, f func(*schedule.Board, context.Context, string) error) error {
	return c.board(s, func(ctx context.Context, board *schedule.Board) error {
		if err := f(board, ctx, c.Name); err != nil {
			return err
		}
		return c.print(s, map[string]string{"job": c.Name, "now": done}, func(out io.Writer) { fmt.Fprintf(out, "%s is %s\n", c.Name, done) })
	})
}

type jobsPause struct{ jobName }

// Run pauses.
func (c jobsPause) Run(s *session) error { return c.do(s, "paused", (*schedule.Board).Pause) }

type jobsResume struct{ jobName }

// Run resumes.
func (c jobsResume) Run(s *session) error { return c.do(s, "resumed", (*schedule.Board).Resume) }

type jobsRemove struct{ jobName }

// Run removes.
func (c jobsRemove) Run(s *session) error { return c.do(s, "removed", (*schedule.Board).Remove) }
