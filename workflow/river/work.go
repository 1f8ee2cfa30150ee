package river

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	queue "github.com/riverqueue/river"

	"github.com/ttai-go/ttai/workflow"
)

// A job asks for a run to be executed that was last taken in that epoch.
type job struct {
	Tenant string `json:"tenant"`
	Run    string `json:"run"`
	Epoch  int    `json:"epoch"`
}

// Kind names the job to River.
func (job) Kind() string { return "ttai-run" }

type worker struct {
	queue.WorkerDefaults[job]
	engine *Engine
}

// Work executes a run to its end. A job whose run somebody else has, or has ended, is
// done; one that this program cannot execute waits for another.
func (w *worker) Work(ctx context.Context, j *queue.Job[job]) error {
	e := w.engine
	later := queue.JobSnooze(e.opts.Poll)
	if j.Args.Tenant != string(e.tenant) {
		return later
	}
	s, err := scanStatus(e.pool.QueryRow(ctx, `SELECT `+columns+` FROM run WHERE tenant = $1 AND id = $2`, e.tenant, j.Args.Run))
	switch {
	case errors.Is(err, workflow.ErrNoRun):
		return nil // forgotten
	case err != nil:
		return e.interrupted(s.ID, err)
	case s.State.Final():
		return nil
	}
	code, known := e.catalog.Version(s.Name, s.Version)
	e.mu.Lock()
	known = known && !(s.State == workflow.Blocked && e.blocked[s.ID])
	e.mu.Unlock()
	if !known {
		return later
	}
	s, taken, err := e.take(ctx, s.ID)
	if err != nil {
		return e.interrupted(j.Args.Run, err)
	}
	if !taken {
		return nil
	}
	if s.Epoch > 1 {
		e.opts.Logger.Info("workflow run taken over", "run", s.ID, "workflow", s.Name, "epoch", s.Epoch)
	}
	if err := e.execute(s, code); err != nil {
		return e.interrupted(s.ID, err)
	}
	return nil
}

// interrupted has River bring a job again that failed by no fault of its run.
func (e *Engine) interrupted(id string, err error) error {
	if e.ctx.Err() != nil {
		return queue.JobSnooze(0)
	}
	e.opts.Logger.Warn("workflow run interrupted", "run", id, "error", err)
	return queue.JobSnooze(e.opts.Poll)
}

// take makes this engine the owner of a run that no living engine has.
func (e *Engine) take(ctx context.Context, id string) (workflow.Status, bool, error) {
	s, err := scanStatus(e.pool.QueryRow(ctx, `UPDATE run SET epoch = epoch + 1, owner = $3, state = 'running', error = ''
		WHERE tenant = $1 AND id = $2 AND state IN ('running', 'blocked')
		AND (owner IS NULL OR NOT EXISTS (SELECT FROM owner o WHERE o.id = run.owner AND o.until > now()))
		AND EXISTS (SELECT FROM owner o WHERE o.id = $3 AND o.until > now())
		RETURNING `+columns, e.tenant, id, e.id))
	if errors.Is(err, workflow.ErrNoRun) {
		return s, false, nil
	}
	return s, err == nil, err
}

func (e *Engine) execute(s workflow.Status, code workflow.Workflow) error {
	a := &active{}
	a.cancelled, a.cancel = context.WithCancel(e.ctx)
	defer a.cancel()
	e.mu.Lock()
	e.active[s.ID] = a
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		delete(e.active, s.ID)
		e.mu.Unlock()
	}()
	log := &runLog{engine: e, run: s.ID, epoch: s.Epoch}
	_, cancelled, err := log.cancelReason(e.ctx)
	if err != nil {
		return err
	}
	if cancelled {
		a.cancel()
	}
	out, err := workflow.Execute(e.ctx, workflow.Execution{
		Workflow: code, Input: s.Input, Log: log, Clock: e.opts.Clock, Cancelled: a.cancelled,
		Info: workflow.Info{ID: s.ID, Name: s.Name, Version: s.Version, Parent: s.Parent},
	})
	last, stop := context.WithTimeout(context.WithoutCancel(e.ctx), time.Minute)
	defer stop()
	if err == nil {
		err = log.finish(last, out)
	}
	if err != nil {
		log.release(last)
	}
	return err
}

func (e *Engine) cancelActive(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a := e.active[id]; a != nil {
		a.cancel()
	}
}

// alive says that this engine lives, and forgets those that ended long ago.
func (e *Engine) alive(ctx context.Context) error {
	_, err := e.pool.Exec(ctx, `INSERT INTO owner (id, until) VALUES ($1, now() + $2) ON CONFLICT (id) DO UPDATE SET until = excluded.until`, e.id, e.opts.Lease)
	if err == nil {
		_, err = e.pool.Exec(ctx, `DELETE FROM owner WHERE until < now() - interval '1 day'`)
	}
	return err
}

// keep says that this engine lives until it is closed, and looks for what is lost.
func (e *Engine) keep() {
	renewed, looked := time.Now(), time.Time{}
	for {
		wait := min(e.opts.Lease/3, e.opts.Poll)
		timer := time.NewTimer(wait)
		select {
		case <-e.ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if time.Since(renewed) >= e.opts.Lease/3 {
			if err := e.alive(e.ctx); err != nil {
				e.warn("a workflow engine cannot say that it lives", err)
			} else {
				renewed = time.Now()
			}
		}
		if time.Since(looked) >= e.opts.Poll {
			looked = time.Now()
			if err := e.recover(e.ctx); err != nil {
				e.warn("workflow runs without an owner cannot be looked for", err)
			}
			if err := e.cancelLost(e.ctx); err != nil {
				e.warn("workflow cancellations cannot be looked for", err)
			}
			e.wakeAll()
		}
	}
}

func (e *Engine) warn(text string, err error) {
	if e.ctx.Err() == nil {
		e.opts.Logger.Warn(text, "error", err)
	}
}

// recover gives River new jobs for runs whose owner's lease has ended, and for those
// that nobody took though they were to be: their job may be lost.
func (e *Engine) recover(ctx context.Context) error {
	return e.requeue(ctx, `UPDATE run SET owner = NULL, queued = now() WHERE tenant = $1 AND id IN (
		SELECT id FROM run r WHERE tenant = $1 AND state = 'running'
		AND (owner IS NULL AND queued < now() - 2 * $2::interval
			OR owner IS NOT NULL AND NOT EXISTS (SELECT FROM owner o WHERE o.id = r.owner AND o.until > now()))
		LIMIT 1000 FOR UPDATE SKIP LOCKED) RETURNING id, epoch`, e.tenant, e.opts.Lease)
}

// queueBlocked gives River jobs for runs that earlier code could not go on with.
func (e *Engine) queueBlocked(ctx context.Context) error {
	return e.requeue(ctx, `UPDATE run SET queued = now() WHERE tenant = $1 AND state = 'blocked' RETURNING id, epoch`, e.tenant)
}

func (e *Engine) requeue(ctx context.Context, statement string, args ...any) error {
	return pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, statement, args...)
		if err != nil {
			return err
		}
		type lost struct {
			ID    string
			Epoch int
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[lost])
		if err != nil {
			return err
		}
		for _, l := range found {
			if err := e.enqueue(ctx, tx, l.ID, l.Epoch, true); err != nil {
				return err
			}
		}
		return nil
	})
}

// cancelLost makes good cancellations whose notice did not come.
func (e *Engine) cancelLost(ctx context.Context) error {
	rows, err := e.pool.Query(ctx, `SELECT id FROM run WHERE tenant = $1 AND state = 'running' AND owner = $2 AND cancel IS NOT NULL`, e.tenant, e.id)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, id := range ids {
		e.cancelActive(id)
	}
	return err
}
