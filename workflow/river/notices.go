package river

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// What a notice is about: its first byte, before the run's id.
const (
	changedNotice = "r"
	cancelNotice  = "c"
)

// tell notifies all engines of the tenant when the transaction commits.
func (e *Engine) tell(ctx context.Context, tx pgx.Tx, kind, id string) error {
	_, err := tx.Exec(ctx, `SELECT pg_notify($1, $2)`, e.channel, kind+id)
	return err
}

// changed returns a channel that is closed when a run may have changed.
func (e *Engine) changed(id string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.waiting[id]
	if c == nil {
		c = make(chan struct{})
		if e.closed {
			close(c)
			return c
		}
		e.waiting[id] = c
	}
	return c
}

func (e *Engine) wake(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.waiting[id]; c != nil {
		close(c)
		delete(e.waiting, id)
	}
}

func (e *Engine) wakeAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, c := range e.waiting {
		close(c)
		delete(e.waiting, id)
	}
}

// listen carries notices until the engine is closed. Whatever may have been missed is
// looked at again.
func (e *Engine) listen() {
	for e.ctx.Err() == nil {
		if err := e.hear(); err != nil {
			e.warn("notices of workflow runs are interrupted", err)
		}
		timer := time.NewTimer(min(e.opts.Poll, time.Second))
		select {
		case <-e.ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		e.wakeAll()
	}
}

func (e *Engine) hear() error {
	conn, err := pgx.ConnectConfig(e.ctx, e.config.ConnConfig.Copy())
	if err != nil {
		return err
	}
	defer goodbye(conn)
	if _, err := conn.Exec(e.ctx, `LISTEN `+pgx.Identifier{e.channel}.Sanitize()); err != nil {
		return err
	}
	e.wakeAll()
	for {
		waiting, stop := context.WithTimeout(e.ctx, 4*e.opts.Poll)
		n, err := conn.WaitForNotification(waiting)
		quiet := waiting.Err() != nil
		stop()
		switch {
		case e.ctx.Err() != nil:
			return nil
		case err == nil && n.Payload != "":
			if n.Payload[:1] == cancelNotice {
				e.cancelActive(n.Payload[1:])
			}
			e.wake(n.Payload[1:])
		case err == nil:
		case quiet:
			if err := conn.Ping(e.ctx); err != nil {
				return err
			}
			e.wakeAll() // an engine without workflows has no other poll
		default:
			return err
		}
	}
}
