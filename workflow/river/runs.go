package river

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	queue "github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
)

const columns = `id, name, version, state, input, result, error, done, total, text, parent, started, ended, epoch`

type scanner interface{ Scan(dest ...any) error }

func scanStatus(row scanner) (s workflow.Status, err error) {
	var state string
	var failure, text []byte
	var ended *time.Time
	err = row.Scan(&s.ID, &s.Name, &s.Version, &state, &s.Input, &s.Result, &failure, &s.Progress.Done, &s.Progress.Total, &text, &s.Parent, &s.Started, &ended, &s.Epoch)
	s.State, s.Error, s.Progress.Text = workflow.State(state), string(failure), string(text)
	s.Started = s.Started.UTC()
	if ended != nil {
		s.Ended = ended.UTC()
	}
	if errors.Is(err, pgx.ErrNoRows) {
		err = workflow.ErrNoRun
	}
	return s, err
}

// Start makes a run and has it executed.
func (e *Engine) Start(ctx context.Context, id, name string, input any) (workflow.Status, error) {
	data, err := workflow.Encode("input", input)
	if err != nil {
		return workflow.Status{}, err
	}
	return e.start(ctx, id, name, "", data)
}

func (e *Engine) start(ctx context.Context, id, name, parent string, input json.RawMessage) (workflow.Status, error) {
	if err := e.open(); err != nil {
		return workflow.Status{}, err
	}
	if err := workflow.CheckID(id); err != nil {
		return workflow.Status{}, err
	}
	w, err := e.catalog.Newest(name)
	if err != nil {
		return workflow.Status{}, err
	}
	err = pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		made, err := tx.Exec(ctx, `INSERT INTO run (tenant, id, name, version, state, input, parent, started)
			VALUES ($1, $2, $3, $4, 'running', $5, $6, $7) ON CONFLICT DO NOTHING`, e.tenant, id, name, w.Version, []byte(input), parent, e.opts.Clock.Now())
		if err != nil || made.RowsAffected() == 0 {
			return err
		}
		return e.enqueue(ctx, tx, id, 0, false)
	})
	if err != nil {
		return workflow.Status{}, failed(ctx, err)
	}
	s, err := e.Status(ctx, id)
	if err == nil && s.Name != name {
		return s, fmt.Errorf("%w: %q is a run of %s", workflow.ErrOtherRun, id, s.Name)
	}
	return s, err
}

// enqueue gives River a job for a run that was last taken in that epoch; again says
// that there may be such a job already, which is then enough.
func (e *Engine) enqueue(ctx context.Context, tx pgx.Tx, id string, epoch int, again bool) error {
	opts := &queue.InsertOpts{Queue: e.queue}
	if again {
		opts.UniqueOpts = queue.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
		}}
	}
	_, err := e.client.InsertTx(ctx, tx, job{Tenant: string(e.tenant), Run: id, Epoch: epoch}, opts)
	return err
}

// Status returns where a run stands.
func (e *Engine) Status(ctx context.Context, id string) (workflow.Status, error) {
	if err := e.open(); err != nil {
		return workflow.Status{}, err
	}
	s, err := scanStatus(e.pool.QueryRow(ctx, `SELECT `+columns+` FROM run WHERE tenant = $1 AND id = $2`, e.tenant, id))
	return s, failed(ctx, err)
}

// Wait returns the status of a run once it is final.
func (e *Engine) Wait(ctx context.Context, id string) (workflow.Status, error) {
	for {
		changed := e.changed(id)
		s, err := e.Status(ctx, id)
		if err != nil || s.State.Final() {
			return s, err
		}
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-changed:
		}
	}
}

// History returns what a run recorded.
func (e *Engine) History(ctx context.Context, id string) ([]workflow.Entry, error) {
	if _, err := e.Status(ctx, id); err != nil {
		return nil, err
	}
	entries, err := e.entries(ctx, id)
	return entries, failed(ctx, err)
}

func (e *Engine) entries(ctx context.Context, id string) ([]workflow.Entry, error) {
	rows, err := e.pool.Query(ctx, `SELECT data FROM entry WHERE tenant = $1 AND run = $2 ORDER BY seq`, e.tenant, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (entry workflow.Entry, err error) {
		var data []byte
		if err := row.Scan(&data); err != nil {
			return entry, err
		}
		if json.Unmarshal(data, &entry) != nil {
			return entry, fmt.Errorf("history of %q: %w", id, storage.ErrCorrupt)
		}
		return entry, nil
	})
}

// List returns the runs in a state.
func (e *Engine) List(ctx context.Context, state workflow.State, after string, limit int) ([]workflow.Status, error) {
	if err := e.open(); err != nil {
		return nil, err
	}
	if limit < 1 || limit > 1000 {
		return nil, invalid.Field("limit", limit, "1 to 1000")
	}
	rows, err := e.pool.Query(ctx, `SELECT `+columns+` FROM run WHERE tenant = $1 AND ($2 = '' OR state = $2) AND id > $3 ORDER BY id LIMIT $4`,
		e.tenant, string(state), after, limit)
	if err != nil {
		return nil, failed(ctx, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (workflow.Status, error) { return scanStatus(row) })
	return list, failed(ctx, err)
}

// Signal sends a payload to a run.
func (e *Engine) Signal(ctx context.Context, id, name string, payload any) error {
	if err := e.open(); err != nil {
		return err
	}
	if err := storage.CheckName("name", name); err != nil {
		return err
	}
	data, err := workflow.Encode("payload", payload)
	if err != nil {
		return err
	}
	var final error
	err = pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		// The row's lock puts signals in order, and keeps the run from ending meanwhile.
		s, err := scanStatus(tx.QueryRow(ctx, `SELECT `+columns+` FROM run WHERE tenant = $1 AND id = $2 FOR UPDATE`, e.tenant, id))
		if err != nil {
			return err
		}
		if s.State.Final() {
			final = fmt.Errorf("%w: %q is %s", workflow.ErrFinal, id, s.State)
			return nil
		}
		if _, err := tx.Exec(ctx, `INSERT INTO signal (tenant, run, name, data) VALUES ($1, $2, $3, $4)`, e.tenant, id, name, []byte(data)); err != nil {
			return err
		}
		return e.tell(ctx, tx, changedNotice, id)
	})
	return failed(ctx, errors.Join(err, final))
}

// Cancel ends the context of a run, here or wherever it is executed.
func (e *Engine) Cancel(ctx context.Context, id, reason string) error {
	if err := e.open(); err != nil {
		return err
	}
	if _, err := workflow.Encode("reason", reason); err != nil {
		return err
	}
	err := pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		s, err := scanStatus(tx.QueryRow(ctx, `SELECT `+columns+` FROM run WHERE tenant = $1 AND id = $2 FOR UPDATE`, e.tenant, id))
		if err != nil || s.State.Final() {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE run SET cancel = $3 WHERE tenant = $1 AND id = $2`, e.tenant, id, []byte(reason)); err != nil {
			return err
		}
		return e.tell(ctx, tx, cancelNotice, id)
	})
	if err == nil {
		e.cancelActive(id)
	}
	return failed(ctx, err)
}

// Forget removes a run that has ended, with all that it recorded. ErrNoRun; one that
// has not ended is a *FieldError. Its children are runs of their own.
func (e *Engine) Forget(ctx context.Context, id string) error {
	s, err := e.Status(ctx, id)
	if err != nil {
		return err
	}
	if !s.State.Final() {
		return invalid.Field("id", id, "a run that has ended")
	}
	err = pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		for _, statement := range []string{
			`DELETE FROM signal WHERE tenant = $1 AND run = $2`, `DELETE FROM entry WHERE tenant = $1 AND run = $2`, `DELETE FROM run WHERE tenant = $1 AND id = $2`,
		} {
			if _, err := tx.Exec(ctx, statement, e.tenant, id); err != nil {
				return err
			}
		}
		return nil
	})
	return failed(ctx, err)
}
