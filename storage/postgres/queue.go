package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ttai-go/ttai/storage"
)

type queue struct {
	scope
	name string
	opts storage.QueueOptions
}

// A parcel is the messages of one Send that are stored, as columns.
type parcel struct {
	ids    []int64
	keys   []string
	delays []int64
	bodies [][]byte
}

func (q *queue) Send(ctx context.Context, messages ...storage.NewMessage) ([]string, error) {
	keys := map[string]bool{}
	for _, m := range messages {
		if err := m.Validate(); err != nil {
			return nil, err
		}
		if m.Key != "" {
			keys[m.Key] = true
		}
	}
	if len(messages) == 0 {
		return nil, q.enter(ctx)
	}
	ids := make([]string, len(messages))
	err := q.transact(ctx, func(tx querier) error {
		numbers, err := column[int64](ctx, tx, `SELECT nextval('number') FROM generate_series(1, $1::int)`, len(messages))
		if err != nil {
			return err
		}
		known := map[string]int64{}
		if len(keys) > 0 {
			if known, err = q.claim(ctx, tx, messages, numbers); err != nil {
				return err
			}
		}
		var p parcel
		for i, m := range messages {
			id := numbers[i]
			if m.Key != "" {
				id = known[m.Key]
			}
			ids[i] = strconv.FormatInt(id, 10)
			if id != numbers[i] {
				continue // sent before
			}
			body := m.Body
			if body == nil {
				body = []byte{}
			}
			p.ids, p.keys = append(p.ids, id), append(p.keys, m.Key)
			p.delays, p.bodies = append(p.delays, m.Delay.Microseconds()), append(p.bodies, body)
		}
		return q.insert(ctx, tx, p)
	})
	if err != nil {
		return nil, err
	}
	q.announce(ctx)
	return ids, nil
}

// claim binds the keys of messages to their numbers, the first of each key, unless
// they are bound already, and returns whose each is. Others who send one of the
// keys wait until this transaction ends.
func (q *queue) claim(ctx context.Context, tx querier, messages []storage.NewMessage, numbers []int64) (map[string]int64, error) {
	first := map[string]int64{}
	var keys []string
	for i, m := range messages {
		if _, seen := first[m.Key]; m.Key != "" && !seen {
			first[m.Key] = numbers[i]
			keys = append(keys, m.Key)
		}
	}
	slices.Sort(keys) // so that no two senders wait for each other
	ids := make([]int64, len(keys))
	for i, key := range keys {
		ids[i] = first[key]
	}
	var b pgx.Batch
	b.Queue(`INSERT INTO message_key (tenant, queue, key, id, ends) SELECT $2, $3, w.key, w.id, `+at+` + $6
		FROM unnest($4::text[], $5::bigint[]) WITH ORDINALITY w (key, id, n) ORDER BY w.n
		ON CONFLICT (tenant, queue, key) DO UPDATE SET id = excluded.id, ends = excluded.ends WHERE message_key.ends <= `+at,
		q.clock(), q.tenant, q.name, keys, ids, q.opts.Window.Microseconds())
	bound := map[string]int64{}
	b.Queue(`SELECT key, id FROM message_key WHERE tenant = $1 AND queue = $2 AND key = ANY($3)`, q.tenant, q.name, keys).Query(func(rows pgx.Rows) error {
		var key string
		var id int64
		_, err := pgx.ForEachRow(rows, []any{&key, &id}, func() error { bound[key] = id; return nil })
		return err
	})
	// Some whose window is over are forgotten on the way.
	b.Queue(`DELETE FROM message_key WHERE ctid = ANY (ARRAY(SELECT ctid FROM message_key
		WHERE tenant = $2 AND ends <= `+at+` ORDER BY ends LIMIT 16 FOR UPDATE SKIP LOCKED))`, q.clock(), q.tenant)
	return bound, tx.SendBatch(ctx, &b).Close()
}

// insert stores a parcel, in pieces that a statement takes.
func (q *queue) insert(ctx context.Context, tx querier, p parcel) error {
	var b pgx.Batch
	for from := 0; from < len(p.ids); {
		to, size := from, 0
		for ; to < len(p.ids) && size <= manyBytes; to++ {
			size += len(p.bodies[to])
		}
		b.Queue(`INSERT INTO message (tenant, queue, id, key, attempts, sent, ready, receipt, failed, cause, body)
			SELECT $2, $3, w.id, w.key, 0, n.now, n.now + w.delay, 0, 0, '', w.body
			FROM unnest($4::bigint[], $5::text[], $6::bigint[], $7::bytea[]) w (id, key, delay, body), (SELECT coalesce($1::bigint, micros()) AS now) n`,
			q.clock(), q.tenant, q.name, p.ids[from:to], p.keys[from:to], p.delays[from:to], p.bodies[from:to])
		from = to
	}
	return tx.SendBatch(ctx, &b).Close()
}

// announce wakes receivers. It is a transaction of its own, since the server commits
// notifications one at a time, and what it does not reach looks by itself.
func (q *queue) announce(ctx context.Context) {
	q.bells.ring(q.bell())
	_ = q.notify(context.WithoutCancel(ctx), notice{Kind: messageSent, Tenant: q.tenant, Name: q.name})
}

func (q *queue) bell() string { return string(q.tenant) + "/" + q.name } // a queue's name has no slash

func (q *queue) Receive(ctx context.Context, most int, wait time.Duration) ([]storage.Message, error) {
	if err := storage.CheckReceive(most, wait); err != nil {
		return nil, err
	}
	if wait > 0 {
		q.listener.start()
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	over := wait == 0
	for {
		// What happens from here on wakes the wait below.
		rung, done := q.bells.wait(q.bell())
		ready, next, err := most, time.Duration(0), error(nil)
		if !over {
			ready, next, err = q.ready(ctx, most)
		}
		if err != nil || ready >= most || over {
			done()
			if err != nil {
				return nil, err
			}
			out, buried, err := q.lease(ctx, most)
			if err != nil || len(out) > 0 && (over || len(out) >= most) || over && !buried {
				return out, err
			}
			if len(out) > 0 {
				// Another receiver was faster, and these are leased already.
				return out, nil
			}
			continue
		}
		soon := time.NewTimer(min(next, q.Store.opts.Poll))
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-deadline.C:
			over = true
		case <-rung:
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
	var micros *int64
	err = q.read(ctx, func(from querier) error {
		return from.QueryRow(ctx, `SELECT (SELECT count(*) FROM (SELECT FROM message WHERE tenant = $2 AND queue = $3 AND failed = 0 AND ready <= n.now LIMIT $4) m),
			(SELECT min(ready) - n.now FROM message WHERE tenant = $2 AND queue = $3 AND failed = 0 AND ready > n.now)
			FROM (SELECT coalesce($1::bigint, micros()) AS now OFFSET 0) n`, q.clock(), q.tenant, q.name, most).Scan(&n, &micros)
	})
	next = time.Hour
	if micros != nil {
		next = min(next, time.Duration(*micros)*time.Microsecond)
	}
	return n, next, err
}

// lease takes messages that nobody else is taking, and makes dead letters of those
// whose last lease ended; it tells whether there were any. A lease need not survive
// the server: without it the message comes again sooner.
func (q *queue) lease(ctx context.Context, most int) (out []storage.Message, buried bool, err error) {
	type taken struct {
		storage.Message
		number, ready int64
	}
	var got []taken
	err = q.relaxed(ctx, func(b *pgx.Batch) {
		got, buried = nil, false
		b.Queue(`WITH picked AS MATERIALIZED (
				SELECT ctid, ready, attempts >= $5 AS spent FROM message WHERE tenant = $2 AND queue = $3 AND failed = 0 AND ready <= `+at+`
				ORDER BY ready, id LIMIT $4 FOR UPDATE SKIP LOCKED),
			lease AS MATERIALIZED (SELECT nextval('number') AS receipt, `+at+` + $6 AS ends)
			UPDATE message m SET
				attempts = CASE WHEN p.spent THEN m.attempts ELSE m.attempts + 1 END,
				ready = CASE WHEN p.spent THEN m.ready ELSE l.ends END,
				receipt = CASE WHEN p.spent THEN 0 ELSE l.receipt END,
				failed = CASE WHEN p.spent THEN m.ready ELSE 0 END,
				cause = CASE WHEN p.spent THEN $7 ELSE '' END
			FROM picked p, lease l WHERE m.ctid = p.ctid
			RETURNING m.id, p.ready, p.spent, m.key, m.attempts, m.sent, m.ready, m.receipt, CASE WHEN p.spent THEN '' ELSE m.body END`,
			q.clock(), q.tenant, q.name, most, q.opts.Attempts, q.opts.Lease.Microseconds(), storage.LeaseEnded).Query(func(rows pgx.Rows) error {
			var t taken
			var spent bool
			var sent, ends, receipt int64
			var body []byte
			_, err := pgx.ForEachRow(rows, []any{&t.number, &t.ready, &spent, &t.Key, &t.Attempt, &sent, &ends, &receipt, &body}, func() error {
				if spent {
					buried = true
					return nil
				}
				t.ID, t.Receipt = strconv.FormatInt(t.number, 10), strconv.FormatInt(receipt, 10)
				t.Sent, t.Expires, t.Body = timeOf(sent), timeOf(ends), body
				got = append(got, t)
				return nil
			})
			return err
		})
	})
	if err != nil {
		return nil, false, err
	}
	slices.SortFunc(got, func(a, b taken) int { return cmp.Or(cmp.Compare(a.ready, b.ready), cmp.Compare(a.number, b.number)) })
	for _, t := range got {
		out = append(out, t.Message)
	}
	return out, buried, nil
}

// holder returns the number of a message and that of its lease; of strings that are
// not ours there is no message.
func (q *queue) holder(m storage.Message) (id, receipt int64) {
	id, err := strconv.ParseInt(m.ID, 10, 64)
	receipt, err2 := strconv.ParseInt(m.Receipt, 10, 64)
	if err != nil || err2 != nil {
		return -1, -1
	}
	return id, receipt
}

func lost(m storage.Message) error {
	return fmt.Errorf("message %q: %w", m.ID, storage.ErrLeaseLost)
}

// Ack takes messages away that are under the lease they were received with. One
// that ended but was given to nobody else still counts.
func (q *queue) Ack(ctx context.Context, messages ...storage.Message) error {
	if len(messages) == 0 {
		return q.enter(ctx)
	}
	var gone error
	err := q.write(ctx, func(to querier) error {
		gone = nil
		var b pgx.Batch
		for _, m := range messages {
			id, receipt := q.holder(m)
			b.Queue(`DELETE FROM message WHERE tenant = $1 AND queue = $2 AND id = $3 AND receipt = $4 AND receipt > 0`, q.tenant, q.name, id, receipt).
				Exec(func(tag pgconn.CommandTag) error {
					if tag.RowsAffected() == 0 {
						gone = lost(m) // the others are done all the same
					}
					return nil
				})
		}
		return to.SendBatch(ctx, &b).Close()
	})
	if err != nil {
		return err
	}
	return gone
}

// held is the condition that a message is under the given lease.
const held = ` WHERE tenant = $2 AND queue = $3 AND id = $4 AND receipt = $5 AND receipt > 0`

func (q *queue) Retry(ctx context.Context, m storage.Message, cause string) error {
	id, receipt := q.holder(m)
	return q.transact(ctx, func(tx querier) error {
		var attempts int
		var now int64
		err := tx.QueryRow(ctx, `SELECT attempts, coalesce($1::bigint, micros()) FROM message`+held+` FOR UPDATE`, q.clock(), q.tenant, q.name, id, receipt).
			Scan(&attempts, &now)
		if errors.Is(err, pgx.ErrNoRows) {
			return lost(m)
		}
		if err != nil {
			return err
		}
		if attempts >= q.opts.Attempts {
			_, err = tx.Exec(ctx, `UPDATE message SET receipt = 0, failed = $1, cause = $6`+held, now, q.tenant, q.name, id, receipt, text(cause))
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE message SET receipt = 0, ready = $1`+held, now+q.opts.Backoff(attempts).Microseconds(), q.tenant, q.name, id, receipt)
		return err
	})
}

func (q *queue) Extend(ctx context.Context, m storage.Message) (storage.Message, error) {
	id, receipt := q.holder(m)
	var ends int64
	missing := false
	err := q.relaxed(ctx, func(b *pgx.Batch) {
		b.Queue(`UPDATE message SET ready = `+at+` + $6`+held+` RETURNING ready`, q.clock(), q.tenant, q.name, id, receipt, q.opts.Lease.Microseconds()).
			QueryRow(func(row pgx.Row) error {
				err := row.Scan(&ends)
				if missing = errors.Is(err, pgx.ErrNoRows); missing {
					return nil
				}
				return err
			})
	})
	if err == nil && missing {
		err = lost(m)
	}
	if err == nil {
		m.Expires = timeOf(ends)
	}
	return m, err
}
