package postgres

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/storage"
)

func (q *queue) DeadLetters() storage.DeadLetters { return deadLetters{q} }

type deadLetters struct{ *queue }

// text is a string as the database takes it: UTF-8 without NUL.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// bury makes dead letters of messages whose last lease ended, also when nobody
// received since.
func (d deadLetters) bury(ctx context.Context) error {
	return d.write(ctx, func(q querier) error {
		_, err := q.Exec(ctx, `UPDATE message SET failed = ready, cause = $5, receipt = 0 WHERE ctid = ANY (ARRAY(
			SELECT ctid FROM message WHERE tenant = $2 AND queue = $3 AND failed = 0 AND ready <= `+at+` AND attempts >= $4 FOR UPDATE SKIP LOCKED))`,
			d.clock(), d.tenant, d.name, d.opts.Attempts, storage.LeaseEnded)
		return err
	})
}

func (d deadLetters) List(ctx context.Context) iter.Seq2[storage.DeadLetter, error] {
	return func(yield func(storage.DeadLetter, error) bool) {
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

type letter struct {
	storage.DeadLetter
	number, failed int64
}

func (d deadLetters) page(ctx context.Context, failed, after int64) ([]letter, error) {
	var out []letter
	err := d.read(ctx, func(q querier) error {
		rows, err := q.Query(ctx, `SELECT id, key, attempts, sent, failed, cause, body FROM message
			WHERE tenant = $1 AND queue = $2 AND failed > 0 AND (failed, id) > ($3, $4) ORDER BY failed, id LIMIT 64`, d.tenant, d.name, failed, after)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (letter, error) {
			var l letter
			var sent int64
			err := row.Scan(&l.number, &l.Key, &l.Attempts, &sent, &l.failed, &l.Cause, &l.Body)
			l.ID, l.Sent, l.Failed = strconv.FormatInt(l.number, 10), timeOf(sent), timeOf(l.failed)
			return l, err
		})
		return err
	})
	return out, err
}

// numbers are the ids that can be ours.
func numbers(ids []string) []int64 {
	out := []int64{}
	for _, id := range ids {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			out = append(out, n)
		}
	}
	return out
}

func (d deadLetters) Replay(ctx context.Context, ids ...string) error {
	if err := d.bury(ctx); err != nil {
		return err
	}
	var done []int64
	err := d.write(ctx, func(q querier) error {
		var err error
		done, err = column[int64](ctx, q, `UPDATE message SET attempts = 0, failed = 0, cause = '', receipt = 0, ready = `+at+`
			WHERE tenant = $2 AND queue = $3 AND id = ANY($4) AND failed > 0 RETURNING id`, d.clock(), d.tenant, d.name, numbers(ids))
		return err
	})
	if err != nil {
		return err
	}
	if len(done) > 0 {
		d.announce(ctx)
	}
	for _, id := range ids {
		if n, err := strconv.ParseInt(id, 10, 64); err != nil || !slices.Contains(done, n) {
			return fmt.Errorf("dead letter %q: %w", id, storage.ErrNotFound)
		}
	}
	return nil
}

func (d deadLetters) Drop(ctx context.Context, ids ...string) error {
	return d.write(ctx, func(q querier) error {
		_, err := q.Exec(ctx, `DELETE FROM message WHERE tenant = $1 AND queue = $2 AND id = ANY($3) AND failed > 0`, d.tenant, d.name, numbers(ids))
		return err
	})
}
