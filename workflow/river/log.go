package river

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ttai-go/ttai/workflow"
)

// runLog is the workflow.Log of one run in one epoch.
type runLog struct {
	engine *Engine
	run    string
	epoch  int

	mu sync.Mutex // one signal is taken at a time
}

func (l *runLog) Entries(ctx context.Context) ([]workflow.Entry, error) {
	return l.engine.entries(ctx, l.run)
}

// executor is a pool, or a transaction.
type executor interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Record is one statement: the run's row is locked while its epoch is looked at, so
// that taking it over waits for what is written, or what is written comes too late.
func (l *runLog) Record(ctx context.Context, entry workflow.Entry, progress *workflow.Progress) error {
	err := l.put(ctx, l.engine.pool, entry, progress)
	if err == nil && progress != nil {
		l.engine.wake(l.run)
	}
	return err
}

func (l *runLog) put(ctx context.Context, to executor, entry workflow.Entry, progress *workflow.Progress) error {
	data, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("%s: %w", entry.Name, err)
	}
	e := l.engine
	mine := `SELECT FROM run WHERE tenant = $1 AND id = $2 AND epoch = $3 FOR SHARE`
	args := []any{e.tenant, l.run, l.epoch, entry.Path, entry.Seq, data}
	if progress != nil {
		mine = `UPDATE run SET done = $7, total = $8, text = $9 WHERE tenant = $1 AND id = $2 AND epoch = $3 RETURNING 1`
		args = append(args, progress.Done, progress.Total, []byte(progress.Text))
	}
	done, err := to.Exec(ctx, `WITH mine AS (`+mine+`) INSERT INTO entry (tenant, run, path, seq, data) SELECT $1, $2, $4, $5, $6 FROM mine
		ON CONFLICT (tenant, run, path) DO UPDATE SET seq = excluded.seq, data = excluded.data`, args...)
	if err == nil && done.RowsAffected() == 0 {
		err = l.lost()
	}
	return err
}

func (l *runLog) lost() error {
	return fmt.Errorf("%w: another engine took run %q", workflow.ErrStopped, l.run)
}

func (l *runLog) Take(ctx context.Context, entry workflow.Entry, progress *workflow.Progress) (workflow.Entry, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, taken := l.engine, false
	err := pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		var payload []byte
		err := tx.QueryRow(ctx, `DELETE FROM signal WHERE n = (SELECT min(n) FROM signal WHERE tenant = $1 AND run = $2 AND name = $3) RETURNING data`,
			e.tenant, l.run, entry.Name).Scan(&payload)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		entry.Result, taken = payload, true
		return l.put(ctx, tx, entry, progress)
	})
	return entry, taken && err == nil, err
}

func (l *runLog) Changed(id string) <-chan struct{} { return l.engine.changed(id) }

func (l *runLog) Start(ctx context.Context, id, name string, input json.RawMessage) error {
	_, err := l.engine.start(ctx, id, name, l.run, input)
	return err
}

func (l *runLog) Status(ctx context.Context, id string) (workflow.Status, error) {
	return l.engine.Status(ctx, id)
}

func (l *runLog) Cancel(ctx context.Context, id, reason string) error {
	return l.engine.Cancel(ctx, id, reason)
}

// cancelReason returns why the run was cancelled; false when it was not.
func (l *runLog) cancelReason(ctx context.Context) (string, bool, error) {
	var reason *[]byte
	err := l.engine.pool.QueryRow(ctx, `SELECT cancel FROM run WHERE tenant = $1 AND id = $2`, l.engine.tenant, l.run).Scan(&reason)
	if err != nil || reason == nil {
		return "", false, err
	}
	return string(*reason), true, nil
}

// finish records how the run's function ended.
func (l *runLog) finish(ctx context.Context, out workflow.Outcome) error {
	e := l.engine
	text, final := out.Error, out.State.Final()
	switch out.State {
	case workflow.Blocked:
		e.mu.Lock()
		e.blocked[l.run] = true
		e.mu.Unlock()
		e.opts.Logger.Error("workflow run refused", "run", l.run, "error", out.Error)
	case workflow.Cancelled:
		reason, _, err := l.cancelReason(ctx)
		if err != nil {
			return err
		}
		if reason != "" {
			text = reason
		}
	}
	err := pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		var result []byte // NULL unless there is one
		if out.State == workflow.Completed {
			result = out.Result
		}
		done, err := tx.Exec(ctx, `UPDATE run SET state = $4, result = $5, error = $6, owner = NULL, queued = now(), ended = CASE WHEN $7 THEN $8::timestamptz END,
			cancel = CASE WHEN $7 THEN NULL ELSE cancel END WHERE tenant = $1 AND id = $2 AND epoch = $3`,
			e.tenant, l.run, l.epoch, string(out.State), result, []byte(strings.ToValidUTF8(text, "")), final, e.opts.Clock.Now())
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return l.lost()
		}
		if p := out.Progress; p != nil {
			if _, err := tx.Exec(ctx, `UPDATE run SET done = $3, total = $4, text = $5 WHERE tenant = $1 AND id = $2`, e.tenant, l.run, p.Done, p.Total, []byte(p.Text)); err != nil {
				return err
			}
		}
		return e.tell(ctx, tx, changedNotice, l.run)
	})
	if err == nil {
		e.wake(l.run)
	}
	return err
}

// release lets others take the run. If it fails they do so when the lease has ended.
func (l *runLog) release(ctx context.Context) {
	e := l.engine
	if _, err := e.pool.Exec(ctx, `UPDATE run SET owner = NULL, queued = now() WHERE tenant = $1 AND id = $2 AND epoch = $3 AND owner = $4`, e.tenant, l.run, l.epoch, e.id); err != nil {
		e.opts.Logger.Warn("workflow run not released", "run", l.run, "error", err)
	}
}
