package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
)

// scan takes the runs that nobody executes and whose code this engine has.
func (e *Engine) scan() {
	dead := map[string]*storage.Lease{} // by owner; nil is one that lives
	defer func() {
		for _, lease := range dead {
			if lease != nil {
				_ = e.locks.Release(context.WithoutCancel(e.ctx), *lease) // it ends by itself otherwise
			}
		}
	}()
	err := e.orphans(dead)
	if err == nil {
		err = e.adoptAll(storage.Text("state", string(workflow.Blocked)), dead)
	}
	if err != nil {
		if e.ctx.Err() == nil {
			e.opts.Logger.Warn("workflow runs cannot be listed", "error", err)
		}
		return
	}
	if err := e.cancelLost(); err != nil && e.ctx.Err() == nil {
		e.opts.Logger.Warn("workflow cancellations cannot be listed", "error", err)
	}
}

// orphans takes the runs of owners that are dead. It goes from owner to owner: the
// runs of those that live, which are nearly all, are not read.
func (e *Engine) orphans(dead map[string]*storage.Lease) error {
	q := storage.RecordQuery{Order: "owner", Limit: 1}
	for {
		page, _, err := e.kind().List(e.ctx, q)
		if err != nil || len(page) == 0 {
			return err
		}
		owner := page[0].Value.Owner
		q.From = &storage.Field{Text: owner + " "} // names have no space: whatever follows on this one
		if owner == e.owner().Name {
			// Its runs are executed here, except after a failure of the store.
			if !e.unsure.Swap(false) {
				continue
			}
		} else if !e.isDead(owner, dead) {
			continue
		}
		if err := e.adoptAll(storage.Text("owner", owner), dead); err != nil {
			e.unsure.Store(true)
			return err
		}
	}
}

// adoptAll takes what it can of the runs that have a field.
func (e *Engine) adoptAll(with storage.Field, dead map[string]*storage.Lease) error {
	for s, err := range e.kind().All(e.ctx, storage.RecordQuery{Where: []storage.Field{with}, Limit: 1000}) {
		if err != nil {
			return err
		}
		e.adopt(s, dead)
	}
	return nil
}

// cancelLost makes good cancellations whose event did not come.
func (e *Engine) cancelLost() error {
	q := storage.RecordQuery{Limit: 1000}
	for {
		page, err := e.records.List(e.ctx, cancelsOf, q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			e.cancelActive(r.ID)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

func (e *Engine) adopt(s storage.Stored[run], dead map[string]*storage.Lease) {
	r := s.Value
	e.mu.Lock()
	here := e.active[r.ID] != nil || r.State == workflow.Blocked && e.blocked[r.ID]
	lease := e.lease
	e.mu.Unlock()
	w, known := e.catalog.Version(r.Name, r.Version)
	if here || !known || r.Owner != lease.Name && r.Owner != "" && !e.isDead(r.Owner, dead) {
		return
	}
	a, err := e.reserve(r.ID)
	if err != nil || a == nil {
		return
	}
	if r.Owner != lease.Name {
		r.Epoch++
	}
	r.Owner, r.Token, r.State, r.Error = lease.Name, lease.Token, workflow.Running, ""
	version, err := e.kind().Replace(e.ctx, r, s.Version)
	if err != nil {
		e.leave(r.ID, a) // somebody else was faster, or the next scan tries again
		e.unsure.Store(true)
		return
	}
	e.opts.Logger.Info("workflow run taken over", "run", r.ID, "workflow", r.Name, "epoch", r.Epoch)
	go e.execute(a, r, version, w)
}

// isDead tells whether an owner's lease has ended. It is ours then, so that the
// owner cannot renew it any more.
func (e *Engine) isDead(owner string, dead map[string]*storage.Lease) bool {
	lease, known := dead[owner]
	if !known {
		got, err := e.locks.Acquire(e.ctx, owner, e.opts.Lease)
		if err == nil {
			lease = &got
		}
		dead[owner] = lease
	}
	return lease != nil
}

// execute runs a run to its end, or until this engine must give it up.
func (e *Engine) execute(a *active, r run, version storage.Version, w workflow.Workflow) {
	var err error
	defer func() {
		e.leave(r.ID, a)
		if err != nil {
			e.unsure.Store(true) // after leaving, so that the scan which clears it finds the run
		}
	}()
	e.wake(r.ID) // who started it at the same time may look now
	_, cancelled, err := e.cancelReason(a.ctx, r.ID)
	if cancelled {
		a.cancel()
	}
	log := &runLog{engine: e, run: r, version: version}
	var out workflow.Outcome
	if err == nil {
		out, err = workflow.Execute(a.ctx, workflow.Execution{
			Workflow: w, Input: r.Input, Log: log, Clock: e.opts.Clock, Cancelled: a.cancelled,
			Info: workflow.Info{ID: r.ID, Name: r.Name, Version: r.Version, Parent: r.Parent},
		})
	}
	if err == nil {
		err = log.finish(context.WithoutCancel(a.ctx), out)
	}
	if err != nil && e.ctx.Err() == nil {
		e.opts.Logger.Warn("workflow run interrupted", "run", r.ID, "error", err)
	}
}

// runLog is the workflow.Log of one run under one ownership.
type runLog struct {
	engine *Engine

	mu      sync.Mutex // one write at a time: each needs the version that the last left
	run     run
	version storage.Version
}

func (l *runLog) Entries(ctx context.Context) ([]workflow.Entry, error) {
	return l.engine.entries(ctx, l.run.ID)
}

func (e *Engine) entries(ctx context.Context, id string) ([]workflow.Entry, error) {
	steps := storage.NewCollection(e.records, storage.Kind[workflow.Entry]{Collection: stepsOf})
	q := storage.RecordQuery{Where: []storage.Field{storage.Text("run", id)}, Order: "seq", Kind: storage.NumberField, Limit: 1000}
	var out []workflow.Entry
	for s, err := range steps.All(ctx, q) {
		if err != nil {
			return nil, err
		}
		out = append(out, s.Value)
	}
	return out, nil
}

func (l *runLog) Record(ctx context.Context, entry workflow.Entry, progress *workflow.Progress) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, err := l.entryWrite(entry)
	if err != nil {
		return err
	}
	return l.write(ctx, progress, w)
}

func (l *runLog) entryWrite(entry workflow.Entry) (storage.RecordWrite, error) {
	data, err := json.Marshal(entry)
	if err != nil {
		return storage.RecordWrite{}, fmt.Errorf("%s: %w", entry.Name, err)
	}
	return storage.RecordWrite{
		Op: storage.OpPut, Collection: stepsOf, ID: stepID(l.run.ID, entry.Path), Data: data,
		Fields: []storage.Field{storage.Text("run", l.run.ID), storage.Number("seq", float64(entry.Seq))},
	}, nil
}

// stepID is the id of a run's entry: a hash when branches in branches made the
// path longer than an id may be.
func stepID(id, path string) string {
	s := id + "/" + path
	if len(s) > 256 {
		sum := sha256.Sum256([]byte(s))
		return id + "/" + hex.EncodeToString(sum[:])
	}
	return s
}

// write does writes together with the check that the run is still ours, and with
// its progress. The lock is held.
func (l *runLog) write(ctx context.Context, progress *workflow.Progress, writes ...storage.RecordWrite) error {
	fence := storage.RecordWrite{Op: storage.OpCheck, Collection: runsOf, ID: l.run.ID, Version: l.version}
	if progress != nil {
		l.run.Progress = *progress
		var err error
		if fence, err = l.engine.kind().Write(storage.OpUpdate, &l.run, l.version); err != nil {
			return err
		}
	}
	versions, err := l.engine.records.Write(ctx, append([]storage.RecordWrite{fence}, writes...)...)
	if err != nil {
		if conflict, ok := errors.AsType[*storage.ConflictError](err); ok && conflict.Collection == runsOf {
			return fmt.Errorf("%w: %w", workflow.ErrStopped, err)
		}
		return err
	}
	if progress != nil {
		l.version = versions[0]
		l.engine.tell(ctx, changedTopic, l.run.ID)
	}
	return nil
}

func (l *runLog) Take(ctx context.Context, entry workflow.Entry, progress *workflow.Progress) (workflow.Entry, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := storage.RecordQuery{Where: signalOf(l.run.ID, entry.Name), Limit: 1}
	page, err := l.engine.records.List(ctx, signalsOf, q)
	if err != nil || len(page.Records) == 0 {
		return entry, false, err
	}
	signal := page.Records[0]
	entry.Result = signal.Data
	w, err := l.entryWrite(entry)
	if err != nil {
		return entry, false, err
	}
	err = l.write(ctx, progress, w, storage.RecordWrite{Op: storage.OpDelete, Collection: signalsOf, ID: signal.ID, Version: signal.Version})
	return entry, err == nil, err
}

func (l *runLog) Changed(id string) <-chan struct{} { return l.engine.changed(id) }

func (l *runLog) Start(ctx context.Context, id, name string, input json.RawMessage) error {
	_, err := l.engine.start(ctx, id, name, l.run.ID, input)
	return err
}

func (l *runLog) Status(ctx context.Context, id string) (workflow.Status, error) {
	return l.engine.Status(ctx, id)
}

func (l *runLog) Cancel(ctx context.Context, id, reason string) error {
	return l.engine.Cancel(ctx, id, reason)
}

// finish records how the run's function ended.
func (l *runLog) finish(ctx context.Context, out workflow.Outcome) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, r := l.engine, l.run
	r.State, r.Result, r.Error, r.Owner, r.Token = out.State, out.Result, out.Error, "", 0
	if out.Progress != nil {
		r.Progress = *out.Progress
	}
	var writes []storage.RecordWrite
	switch out.State {
	case workflow.Blocked:
		e.mu.Lock()
		e.blocked[r.ID] = true
		e.mu.Unlock()
		e.opts.Logger.Error("workflow run refused", "run", r.ID, "error", out.Error)
	case workflow.Cancelled:
		reason, _, err := e.cancelReason(ctx, r.ID)
		if err != nil {
			return err
		}
		if reason != "" {
			r.Error = reason
		}
		fallthrough
	default:
		r.Ended = e.opts.Clock.Now()
		writes = append(writes, storage.RecordWrite{Op: storage.OpDelete, Collection: cancelsOf, ID: r.ID})
	}
	w, err := e.kind().Write(storage.OpUpdate, &r, l.version)
	if err != nil {
		return err
	}
	if _, err := e.records.Write(ctx, append(writes, w)...); err != nil {
		return err
	}
	e.tell(ctx, changedTopic, r.ID)
	return nil
}
