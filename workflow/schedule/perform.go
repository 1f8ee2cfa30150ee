package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
)

// perform does what there is to do for a job, under its lease: it claims what is
// due, starts what was claimed, and records what has ended. It is done in this
// order so that a process which dies in between leaves a claim that the next one
// makes good, under the same id.
func (s *Scheduler) perform(ctx context.Context, lease storage.Lease, r *row) (next time.Time, err error) {
	for {
		fresh, err := s.row(ctx, r.Name)
		if err != nil {
			return time.Time{}, err
		}
		*r = *fresh
		if r.Fence > lease.Token {
			return time.Time{}, storage.ErrLeaseLost
		}
		r.Fence = lease.Token
		// Trouble with the trigger does not keep runs from being started and settled.
		at, trouble, err := s.claim(ctx, r)
		if err == nil {
			next = at
			err = s.settle(ctx, r)
		}
		if errors.Is(err, storage.ErrConflict) && ctx.Err() == nil {
			continue // somebody paused it or asked for a run meanwhile
		}
		if err == nil {
			err = trouble
		}
		if err != nil && errors.Is(context.Cause(ctx), storage.ErrLeaseLost) {
			err = fmt.Errorf("%w: %w", storage.ErrLeaseLost, err)
		}
		return next, err
	}
}

// claim writes into the store what is going to be run, and what was missed.
func (s *Scheduler) claim(ctx context.Context, r *row) (next time.Time, trouble, err error) {
	job, ok := s.definition(r)
	if !ok {
		return time.Time{}, nil, nil
	}
	now := s.now()
	dirty := false
	if r.Fresh || r.Through.IsZero() {
		r.Through, r.Fresh, dirty = now, false, true
	}
	if r.Through.Sub(now) > setBack {
		// What has run is known by its record, so that this repeats nothing.
		r.Through, dirty = now, true
	}
	var p plan
	if !r.Paused {
		p, trouble = s.plan(ctx, job, r.Through, now)
		if !p.through.Equal(r.Through) {
			r.Through, dirty = p.through, true
		}
	}
	for _, a := range r.Asked {
		o := Occurrence{At: now, Session: askedSession(a.Key), Date: dateOf(now.In(s.opts.Calendar.Location()))}
		p.run = append(p.run, Input{Job: job.Name, Occurrence: o, Manual: true, Data: job.Data})
	}
	if len(r.Asked) > 0 {
		r.Asked, dirty = nil, true
	}
	before := r.Started
	writes, err := s.claims(ctx, job, r, p, now)
	if err != nil {
		return time.Time{}, trouble, err
	}
	if !dirty && len(writes) == 0 {
		return p.next, trouble, nil
	}
	r.Missed += p.missed.count
	if err := s.save(ctx, r, writes...); err != nil {
		return time.Time{}, trouble, err
	}
	s.at("claimed")
	s.tellMissed(job, p, now)
	if r.Started/pruneEvery != before/pruneEvery {
		s.prune(ctx, job.Name)
	}
	return p.next, trouble, nil
}

// claims returns the runs of a plan that nobody claimed yet, with their records,
// and enters them into the row.
func (s *Scheduler) claims(ctx context.Context, job Job, r *row, p plan, now time.Time) ([]storage.RecordWrite, error) {
	var writes []storage.RecordWrite
	for _, in := range p.run {
		in, ok, err := s.unclaimed(ctx, job.Name, in)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		run := Run{
			Job: job.Name, Session: in.Session, Due: in.At, Outcome: Started, ID: runID(job.Name, in.Session), Workflow: job.WorkflowName(),
			Claimed: now, By: s.opts.Name, Fence: r.Fence, Count: in.MergedCount, Manual: in.Manual, Input: &in,
		}
		if len(in.Merged) > 0 {
			run.First = in.Merged[0].At
		}
		w, err := run.record(storage.OpCreate, storage.NoVersion)
		if err != nil {
			return nil, err
		}
		writes = append(writes, w)
		last := run
		last.Input = nil // it stands in the history
		r.Pending, r.Last = append(r.Pending, run.Session), &last
		r.Started++
	}
	if p.skipped.count > 0 {
		run := Run{
			Job: job.Name, Session: "missed-" + p.skipped.last.Session, Due: p.skipped.last.At, Outcome: Skipped, Claimed: now, By: s.opts.Name, Fence: r.Fence,
			Count: p.skipped.count, First: p.skipped.first.At,
		}
		w, err := run.record(storage.OpPut, storage.NoVersion)
		if err != nil {
			return nil, err
		}
		writes = append(writes, w)
	}
	return writes, nil
}

// unclaimed returns the input unless its session has a run; one that stands for
// several is then the run of the newest that has none.
func (s *Scheduler) unclaimed(ctx context.Context, job string, in Input) (Input, bool, error) {
	for {
		_, _, err := s.run(ctx, job, in.Session)
		if errors.Is(err, storage.ErrNotFound) {
			return in, true, nil
		}
		if err != nil || len(in.Merged) == 0 {
			return in, false, err
		}
		last := len(in.Merged) - 1
		in.Occurrence, in.Merged, in.Missed = in.Merged[last], in.Merged[:last], true
		in.MergedCount--
	}
}

// tellMissed says what was missed and what becomes of it.
func (s *Scheduler) tellMissed(job Job, p plan, now time.Time) {
	if p.missed.count == 0 {
		return
	}
	what := map[Missed]string{Merge: "one run stands for them", CatchUp: "they are made up for", Skip: "they are skipped"}[job.missed()]
	s.opts.Logger.Warn("missed runs: "+what, "job", job.Name, "count", p.missed.count, "skipped", p.skipped.count,
		"first", p.missed.first.At, "last", p.missed.last.At)
	s.observe(Event{Kind: RunMissed, Time: now, Job: job.Name, Occurrence: p.missed.last, Count: p.missed.count, First: p.missed.first.At, Missed: job.missed()})
}

// settle looks at the runs that were claimed: it starts those that a scheduler
// which died did not, and records those that have ended.
func (s *Scheduler) settle(ctx context.Context, r *row) error {
	var writes []storage.RecordWrite
	var ended []Run
	var failed []error
	for _, session := range slices.Clone(r.Pending) {
		run, version, err := s.run(ctx, r.Name, session)
		if errors.Is(err, storage.ErrNotFound) {
			r.Pending = without(r.Pending, session)
			continue
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		done, err := s.ended(ctx, &run)
		if err != nil {
			failed = append(failed, err)
		}
		if !done {
			continue
		}
		w, err := run.record(storage.OpUpdate, version)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		writes, ended = append(writes, w), append(ended, run)
		r.settled(run)
	}
	if len(ended) > 0 {
		if err := s.save(ctx, r, writes...); err != nil {
			return err
		}
	}
	for _, run := range ended {
		s.opts.Logger.Info("job ended", "job", run.Job, "session", run.Session, "state", string(run.State), "error", run.Error)
		s.observe(Event{Kind: RunEnded, Time: s.now(), Job: run.Job, Occurrence: run.occurrence(), ID: run.ID, State: run.State, Error: run.Error})
	}
	return errors.Join(failed...)
}

// ended asks the engine about a run, starting it when it does not know it, and
// tells whether it has ended.
func (s *Scheduler) ended(ctx context.Context, run *Run) (bool, error) {
	status, err := s.engine.Status(ctx, run.ID)
	if errors.Is(err, workflow.ErrNoRun) {
		status, err = s.start(ctx, run)
		if _, refused := errors.AsType[*workflow.FieldError](err); refused || errors.Is(err, workflow.ErrOtherRun) {
			// It would be refused for ever.
			run.State, run.Error, run.Ended = workflow.Failed, err.Error(), s.now()
			return true, nil
		}
	}
	if err != nil || !status.State.Final() {
		return false, err
	}
	run.State, run.Error, run.Ended = status.State, status.Error, status.Ended
	return true, nil
}

// start starts a run that was claimed.
func (s *Scheduler) start(ctx context.Context, run *Run) (workflow.Status, error) {
	status, err := s.engine.Start(ctx, run.ID, run.Workflow, run.Input)
	if err != nil {
		return status, err
	}
	s.at("started")
	lag := run.Claimed.Sub(run.Due)
	s.opts.Logger.Info("job started", "job", run.Job, "session", run.Session, "run", run.ID, "lag", lag.Round(time.Millisecond), "merged", run.Count)
	s.observe(Event{Kind: RunStarted, Time: run.Claimed, Job: run.Job, Occurrence: run.occurrence(), ID: run.ID, Lag: lag, Count: run.Count, State: status.State})
	return status, nil
}

// occurrence is what the run is of.
func (r *Run) occurrence() Occurrence {
	if r.Input == nil {
		return Occurrence{At: r.Due, Session: r.Session}
	}
	return r.Input.Occurrence
}

// settled enters a run that has ended into the row.
func (r *row) settled(run Run) {
	r.Pending = without(r.Pending, run.Session)
	if r.Last != nil && r.Last.Session == run.Session {
		last := run
		last.Input = nil
		r.Last = &last
	}
	switch run.State {
	case workflow.Completed:
		if run.Ended.After(r.LastSuccess) {
			r.LastSuccess = run.Ended
		}
	default:
		r.Failed++
		if !run.Ended.Before(r.LastErrorAt) {
			r.LastError, r.LastErrorAt = run.Error, run.Ended
		}
	}
}

// pruneEvery is after how many runs of a job old ones are looked for.
const pruneEvery = 50

// prune removes the oldest runs of a job beyond those that are kept, from the
// history and from the engine. Those that have not ended stay.
func (s *Scheduler) prune(ctx context.Context, job string) {
	q := storage.RecordQuery{Where: []storage.Field{storage.Text("job", job)}, Order: "due", Kind: storage.NumberField, Desc: true, Limit: 1000}
	forget, _ := s.engine.(interface {
		Forget(ctx context.Context, id string) error
	})
	seen := 0
	for {
		page, err := s.records.List(ctx, runsCollection, q)
		if err != nil {
			s.opts.Logger.Debug("schedule history not pruned", "job", job, "error", err)
			return
		}
		var writes []storage.RecordWrite
		for _, record := range page.Records {
			var run Run
			if seen++; seen <= s.opts.Keep || json.Unmarshal(record.Data, &run) != nil || run.Outcome == Started && !run.State.Final() {
				continue
			}
			if forget != nil && run.Outcome == Started {
				if err := forget.Forget(ctx, run.ID); err != nil && !errors.Is(err, workflow.ErrNoRun) {
					continue
				}
			}
			writes = append(writes, storage.RecordWrite{Op: storage.OpDelete, Collection: runsCollection, ID: record.ID, Version: record.Version})
		}
		if len(writes) > 0 {
			if _, err := s.records.Write(ctx, writes...); err != nil {
				s.opts.Logger.Debug("schedule history not pruned", "job", job, "error", err)
				return
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return
		}
	}
}
