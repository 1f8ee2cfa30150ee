package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/ttai-go/ttai/storage"
)

type queue struct {
	scope
	name string
	opts storage.QueueOptions
}

func (q *queue) Send(ctx context.Context, messages ...storage.NewMessage) ([]string, error) {
	for _, m := range messages {
		if err := m.Validate(); err != nil {
			return nil, err
		}
	}
	ids := make([]string, len(messages))
	err := q.write(ctx, true, func(tx *session) error {
		now := q.now()
		for i, m := range messages {
			var id int64
			if m.Key != "" {
				err := tx.row(ctx, `SELECT id FROM message_key WHERE tenant = ? AND queue = ? AND key = ? AND ends > ?`,
					q.tenant, q.name, m.Key, now).Scan(&id)
				if err == nil {
					ids[i] = strconv.FormatInt(id, 10)
					continue
				}
				if !errors.Is(err, sql.ErrNoRows) {
					return err
				}
			}
			body := m.Body
			if body == nil {
				body = []byte{}
			}
			if err := tx.row(ctx, `INSERT INTO message (tenant, queue, key, attempts, sent, ready, receipt, failed, cause, body)
				VALUES (?, ?, ?, 0, ?, ?, 0, 0, '', ?) RETURNING id`, q.tenant, q.name, m.Key, now, now+m.Delay.Microseconds(), body).Scan(&id); err != nil {
				return err
			}
			ids[i] = strconv.FormatInt(id, 10)
			if m.Key != "" {
				if err := q.remember(ctx, tx, m.Key, id, now); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// remember keeps a key for its window, and forgets some whose window is over.
func (q *queue) remember(ctx context.Context, tx *session, key string, id, now int64) error {
	if _, err := tx.exec(ctx, `DELETE FROM message_key WHERE (tenant, queue, key) IN
		(SELECT tenant, queue, key FROM message_key WHERE ends <= ? LIMIT 4)`, now); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `INSERT INTO message_key VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET id = excluded.id, ends = excluded.ends`,
		q.tenant, q.name, key, id, now+q.opts.Window.Microseconds())
	return err
}

func (q *queue) Receive(ctx context.Context, most int, wait time.Duration) ([]storage.Message, error) {
	if err := storage.CheckReceive(most, wait); err != nil {
		return nil, err
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	over := wait == 0
	for {
		// What happens from here on wakes the wait below.
		changed, done := q.watch.wait()
		ready, next, err := q.ready(ctx, most)
		if err != nil || ready > 0 && (over || ready >= most) || over {
			done()
			if err != nil || ready == 0 {
				return nil, err
			}
			out, err := q.lease(ctx, most)
			if err != nil || len(out) > 0 || over {
				return out, err
			}
			continue // another receiver was faster
		}
		soon := time.NewTimer(next)
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-deadline.C:
			over = true
		case <-changed:
		case <-soon.C:
		}
		soon.Stop()
		done()
		if err != nil {
			return nil, err
		}
	}
}

// ready returns how many messages, at most most, could be leased or given up now,
// and after how long to look again.
func (q *queue) ready(ctx context.Context, most int) (n int, next time.Duration, err error) {
	next = time.Hour
	err = q.read(ctx, func(tx *session) error {
		now := q.now()
		if err := tx.row(ctx, `SELECT count(*) FROM (SELECT 1 FROM message WHERE tenant = ? AND queue = ? AND failed = 0 AND ready <= ? LIMIT ?)`,
			q.tenant, q.name, now, most).Scan(&n); err != nil {
			return err
		}
		var at sql.NullInt64
		err := tx.row(ctx, `SELECT min(ready) FROM message WHERE tenant = ? AND queue = ? AND failed = 0 AND ready > ?`,
			q.tenant, q.name, now).Scan(&at)
		if at.Valid {
			next = min(next, time.Duration(at.Int64-now)*time.Microsecond)
		}
		return err
	})
	return n, next, err
}

// bury makes dead letters of messages whose last lease ended.
func (q *queue) bury(ctx context.Context, tx *session, now int64) error {
	_, err := tx.exec(ctx, `UPDATE message SET failed = ready, cause = ?, receipt = 0
		WHERE tenant = ? AND queue = ? AND failed = 0 AND ready <= ? AND attempts >= ?`, storage.LeaseEnded, q.tenant, q.name, now, q.opts.Attempts)
	return err
}

// lease takes messages. A lease need not survive the loss of power: without it the
// message comes again sooner.
func (q *queue) lease(ctx context.Context, most int) ([]storage.Message, error) {
	var out []storage.Message
	err := q.write(ctx, false, func(tx *session) error {
		now := q.now()
		// Only what would be leased is looked at, so that a long queue costs nothing.
		for {
			got, err := tx.exec(ctx, `UPDATE message SET failed = ready, cause = ?, receipt = 0 WHERE attempts >= ? AND id IN
				(SELECT id FROM message WHERE tenant = ? AND queue = ? AND failed = 0 AND ready <= ? ORDER BY ready, id LIMIT ?)`,
				storage.LeaseEnded, q.opts.Attempts, q.tenant, q.name, now, most)
			if err := changed(got, err, errNone); errors.Is(err, errNone) {
				break
			} else if err != nil {
				return err
			}
		}
		receipt, err := next(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := tx.query(ctx, `SELECT id, key, attempts + 1, sent, body FROM message
			WHERE tenant = ? AND queue = ? AND failed = 0 AND ready <= ? ORDER BY ready, id LIMIT ?`, q.tenant, q.name, now, most)
		if err != nil {
			return err
		}
		defer rows.Close()
		expires := now + q.opts.Lease.Microseconds()
		var ids []int64
		for rows.Next() {
			var id, sent int64
			m := storage.Message{Expires: timeOf(expires), Receipt: strconv.FormatInt(receipt, 10)}
			if err := rows.Scan(&id, &m.Key, &m.Attempt, &sent, &m.Body); err != nil {
				return err
			}
			m.ID, m.Sent = strconv.FormatInt(id, 10), timeOf(sent)
			ids, out = append(ids, id), append(out, m)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		rows.Close() // before the same connection writes
		for _, id := range ids {
			if _, err := tx.exec(ctx, `UPDATE message SET attempts = attempts + 1, ready = ?, receipt = ? WHERE id = ?`, expires, receipt, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

var errNone = errors.New("nothing changed")

// held is the condition that a message is under the given lease. One that ended
// but was given to nobody else still counts.
const held = ` WHERE tenant = ? AND queue = ? AND id = ? AND receipt = ? AND receipt > 0`

func (q *queue) holder(m storage.Message) []any {
	id, err := strconv.ParseInt(m.ID, 10, 64)
	receipt, err2 := strconv.ParseInt(m.Receipt, 10, 64)
	if err != nil || err2 != nil {
		id = -1 // no such message
	}
	return []any{q.tenant, q.name, id, receipt}
}

func lost(m storage.Message, err error) error {
	if errors.Is(err, storage.ErrLeaseLost) {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	return err
}

func (q *queue) Ack(ctx context.Context, messages ...storage.Message) error {
	var gone error
	err := q.write(ctx, true, func(tx *session) error {
		gone = nil
		for _, m := range messages {
			got, err := tx.exec(ctx, `DELETE FROM message`+held, q.holder(m)...)
			switch err := lost(m, changed(got, err, storage.ErrLeaseLost)); {
			case errors.Is(err, storage.ErrLeaseLost):
				gone = err // the others are done all the same
			case err != nil:
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return gone
}

func (q *queue) Retry(ctx context.Context, m storage.Message, cause string) error {
	return q.write(ctx, true, func(tx *session) error {
		var attempts int
		err := tx.row(ctx, `SELECT attempts FROM message`+held, q.holder(m)...).Scan(&attempts)
		if errors.Is(err, sql.ErrNoRows) {
			return lost(m, storage.ErrLeaseLost)
		}
		if err != nil {
			return err
		}
		now := q.now()
		if attempts >= q.opts.Attempts {
			_, err = tx.exec(ctx, `UPDATE message SET receipt = 0, failed = ?, cause = ?`+held, append([]any{now, cause}, q.holder(m)...)...)
			return err
		}
		_, err = tx.exec(ctx, `UPDATE message SET receipt = 0, ready = ?`+held,
			append([]any{now + q.opts.Backoff(attempts).Microseconds()}, q.holder(m)...)...)
		return err
	})
}

func (q *queue) Extend(ctx context.Context, m storage.Message) (storage.Message, error) {
	err := q.write(ctx, false, func(tx *session) error {
		expires := q.now() + q.opts.Lease.Microseconds()
		got, err := tx.exec(ctx, `UPDATE message SET ready = ?`+held, append([]any{expires}, q.holder(m)...)...)
		if err := lost(m, changed(got, err, storage.ErrLeaseLost)); err != nil {
			return err
		}
		m.Expires = timeOf(expires)
		return nil
	})
	return m, err
}

func (q *queue) DeadLetters() storage.DeadLetters { return deadLetters{q} }

type deadLetters struct{ q *queue }

func (d deadLetters) List(ctx context.Context) iter.Seq2[storage.DeadLetter, error] {
	return func(yield func(storage.DeadLetter, error) bool) {
		// What failed by now is dead, also when nobody received since.
		if err := d.bury(ctx); err != nil {
			yield(storage.DeadLetter{}, err)
			return
		}
		failed, after := int64(0), int64(0)
		for {
			letters, err := d.page(ctx, failed, after)
			if err != nil {
				yield(storage.DeadLetter{}, err)
				return
			}
			for _, l := range letters {
				if err := ctx.Err(); err != nil {
					yield(storage.DeadLetter{}, err)
					return
				}
				if !yield(l.DeadLetter, nil) {
					return
				}
				failed, after = l.failed, l.number
			}
			if len(letters) == 0 {
				return
			}
		}
	}
}

func (d deadLetters) bury(ctx context.Context) error {
	var some bool
	err := d.q.read(ctx, func(tx *session) error {
		return tx.row(ctx, `SELECT EXISTS (SELECT 1 FROM message WHERE tenant = ? AND queue = ? AND failed = 0 AND ready <= ? AND attempts >= ?)`,
			d.q.tenant, d.q.name, d.q.now(), d.q.opts.Attempts).Scan(&some)
	})
	if err != nil || !some {
		return err
	}
	return d.q.write(ctx, true, func(tx *session) error { return d.q.bury(ctx, tx, d.q.now()) })
}

type letter struct {
	storage.DeadLetter
	number, failed int64
}

func (d deadLetters) page(ctx context.Context, failed, after int64) ([]letter, error) {
	var out []letter
	err := d.q.read(ctx, func(tx *session) error {
		rows, err := tx.query(ctx, `SELECT id, key, attempts, sent, failed, cause, body FROM message
			WHERE tenant = ? AND queue = ? AND failed > 0 AND (failed, id) > (?, ?) ORDER BY failed, id LIMIT 64`, d.q.tenant, d.q.name, failed, after)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var l letter
			var sent int64
			if err := rows.Scan(&l.number, &l.Key, &l.Attempts, &sent, &l.failed, &l.Cause, &l.Body); err != nil {
				return err
			}
			l.ID, l.Sent, l.Failed = strconv.FormatInt(l.number, 10), timeOf(sent), timeOf(l.failed)
			out = append(out, l)
		}
		return rows.Err()
	})
	return out, err
}

func (d deadLetters) Replay(ctx context.Context, ids ...string) error {
	if err := d.bury(ctx); err != nil {
		return err
	}
	var missing error
	err := d.q.write(ctx, true, func(tx *session) error {
		missing = nil
		for _, id := range ids {
			number, err := strconv.ParseInt(id, 10, 64)
			if err != nil {
				number = -1
			}
			got, err := tx.exec(ctx, `UPDATE message SET attempts = 0, failed = 0, cause = '', receipt = 0, ready = ?
				WHERE tenant = ? AND queue = ? AND id = ? AND failed > 0`, d.q.now(), d.q.tenant, d.q.name, number)
			switch err := changed(got, err, storage.ErrNotFound); {
			case errors.Is(err, storage.ErrNotFound):
				missing = fmt.Errorf("dead letter %s: %w", id, err)
			case err != nil:
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return missing
}

func (d deadLetters) Drop(ctx context.Context, ids ...string) error {
	return d.q.write(ctx, true, func(tx *session) error {
		for _, id := range ids {
			number, err := strconv.ParseInt(id, 10, 64)
			if err != nil {
				continue // no id of ours
			}
			if _, err := tx.exec(ctx, `DELETE FROM message WHERE tenant = ? AND queue = ? AND id = ? AND failed > 0`, d.q.tenant, d.q.name, number); err != nil {
				return err
			}
		}
		return nil
	})
}
