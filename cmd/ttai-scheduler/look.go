package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// once runs one job and prints what it made.
func (h *house) once(ctx context.Context, name string) error {
	if err := h.configure(ctx); err != nil {
		return err
	}
	if _, err := h.find(ctx, name); err != nil {
		return err
	}
	id, err := h.scheduler.RunNow(ctx, name, "")
	if err != nil {
		return err
	}
	status, err := h.await(ctx, id)
	if err != nil {
		return err
	}
	if _, err := h.scheduler.Tick(ctx); err != nil { // its end goes into the history
		h.logger.Warn("the run's end was not recorded", "error", err)
	}
	if status.State != workflow.Completed {
		return fmt.Errorf("%s %s: %s", name, status.State, status.Error)
	}
	var result outcome
	if err := json.Unmarshal(status.Result, &result); err != nil {
		return err
	}
	if h.cli.JSON {
		return json.NewEncoder(h.std.Out).Encode(result)
	}
	_, err = fmt.Fprintln(h.std.Out, result.text(h.notice()))
	return err
}

// await waits for a run that this or another scheduler starts in a moment.
func (h *house) await(ctx context.Context, id string) (workflow.Status, error) {
	for {
		status, err := h.engine.Wait(ctx, id)
		if !errors.Is(err, workflow.ErrNoRun) {
			return status, err
		}
		if err := (workflow.RealClock{}).Sleep(ctx, 100*time.Millisecond); err != nil {
			return status, err
		}
		if _, err := h.scheduler.Tick(ctx); err != nil {
			return status, err
		}
	}
}

// dueSpan is how far a dry look at a time looks ahead.
const dueSpan = 24 * time.Hour

// A dueLine is one run of a dry look.
type dueLine struct {
	Job     string    `json:"job"`
	At      time.Time `json:"at"`
	Session string    `json:"session"`
	Trigger string    `json:"trigger"`
}

// list prints the jobs with their next times; for a time of --now without --list
// everything that would be started in the day that begins then.
func (h *house) list(ctx context.Context) error {
	// What would stop a start is not passed over here.
	if _, err := h.wantedAlerts(); err != nil {
		return err
	}
	if _, err := h.wantedChannels(); err != nil {
		return err
	}
	jobs, err := h.scheduler.Jobs(ctx)
	if err != nil {
		return err
	}
	if h.cli.List {
		if h.cli.JSON {
			return json.NewEncoder(h.std.Out).Encode(jobs)
		}
		writeJobs(h.std.Out, jobs)
		return nil
	}
	due, err := h.due(ctx, jobs)
	if err != nil {
		return err
	}
	if h.cli.JSON {
		return json.NewEncoder(h.std.Out).Encode(due)
	}
	from := h.clock.Now()
	fmt.Fprintf(h.std.Out, "From %s to %s these would be started; nothing was.\n\n", show(from), show(from.Add(dueSpan)))
	table := tabwriter.NewWriter(h.std.Out, 0, 0, 2, ' ', 0)
	for _, d := range due {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", show(d.At), d.Job, d.Session, d.Trigger)
	}
	return table.Flush()
}

// writeJobs writes jobs as a table.
func writeJobs(out io.Writer, jobs []schedule.Entry) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  JOB\tNEXT\tWHEN\tMISSED\tLAST")
	for _, j := range jobs {
		next, last := show(j.Next), "never"
		switch {
		case j.Paused:
			next = "paused"
		case j.Trouble != "":
			next = "unknown: " + j.Trouble
		case j.Next.IsZero():
			next = "none known"
		}
		if j.Last != nil {
			last = string(j.Last.State)
			if last == "" {
				last = "running"
			}
			last += " " + j.Last.Session
		}
		missed := j.Job.Missed
		if missed == "" {
			missed = schedule.Merge
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", j.Job.Name, next, j.Job.Trigger, missed, last)
	}
	_ = table.Flush() // what it writes to is checked by whoever reads it
}

// due returns what is started in the day that begins at the clock's time.
func (h *house) due(ctx context.Context, jobs []schedule.Entry) ([]dueLine, error) {
	from := h.clock.Now()
	var all []dueLine
	for _, j := range jobs {
		// A time of now itself counts.
		list, err := h.scheduler.Preview(ctx, j.Job, from.Add(-time.Nanosecond), 1000)
		if err != nil && len(list) == 0 {
			fmt.Fprintf(h.std.Err, "ttai-scheduler: %s: %v\n", j.Job.Name, err)
		}
		for _, o := range list {
			if o.At.Before(from.Add(dueSpan)) {
				all = append(all, dueLine{j.Job.Name, o.At, o.Session, j.Job.Trigger.String()})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b dueLine) int { return a.At.Compare(b.At) })
	return all, nil
}
