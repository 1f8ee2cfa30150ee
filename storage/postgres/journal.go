package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/storage"
)

type journal struct {
	scope
	id storage.JournalID
}

// Append holds the journal's row in journal_head from reading its end to writing
// the new one, so that there is one chain and no gap.
func (j *journal) Append(ctx context.Context, entries ...storage.NewEntry) ([]storage.Entry, error) {
	if err := storage.CheckEntries(entries); err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, j.enter(ctx)
	}
	var out []storage.Entry
	err := j.transact(ctx, func(q querier) error {
		head, now, err := j.hold(ctx, q)
		if err != nil {
			return err
		}
		out = storage.Chain(head, timeOf(now), entries)
		return j.insert(ctx, q, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// hold locks the journal's row, which it makes for a new journal, and returns the
// journal's end and the time.
func (j *journal) hold(ctx context.Context, q querier) (head storage.JournalHead, now int64, err error) {
	genesis := storage.JournalGenesis(j.id)
	var seq int64
	var hash []byte
	for range 2 {
		err = q.QueryRow(ctx, `SELECT seq, hash, coalesce($1::bigint, micros()) FROM journal_head WHERE tenant = $2 AND name = $3 FOR UPDATE`,
			j.clock(), j.tenant, j.id.Name).Scan(&seq, &hash, &now)
		if !errors.Is(err, pgx.ErrNoRows) {
			break
		}
		if _, err := q.Exec(ctx, `INSERT INTO journal_head (tenant, name, seq, hash) VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING`,
			j.tenant, j.id.Name, genesis.Hash[:]); err != nil {
			return head, 0, err
		}
	}
	if err == nil {
		head, err = j.headOf(seq, hash)
	}
	return head, now, err
}

func (j *journal) headOf(seq int64, hash []byte) (storage.JournalHead, error) {
	head := storage.JournalHead{Seq: uint64(seq)}
	if len(hash) != len(head.Hash) {
		return head, &storage.BrokenChainError{Journal: j.id, Seq: head.Seq, Reason: "its hash is no hash"}
	}
	copy(head.Hash[:], hash)
	return head, nil
}

func (j *journal) insert(ctx context.Context, q querier, entries []storage.Entry) error {
	var b pgx.Batch
	for _, e := range entries {
		b.Queue(`INSERT INTO journal (tenant, name, seq, time, kind, data, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			j.tenant, j.id.Name, int64(e.Seq), e.Time.UnixMicro(), e.Kind, e.Data, e.Prev[:], e.Hash[:])
	}
	last := entries[len(entries)-1]
	b.Queue(`UPDATE journal_head SET seq = $3, hash = $4 WHERE tenant = $1 AND name = $2`, j.tenant, j.id.Name, int64(last.Seq), last.Hash[:])
	return q.SendBatch(ctx, &b).Close()
}

func (j *journal) Read(ctx context.Context, from uint64) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		// What somebody put in front of the first entry is read too.
		at := int64(min(from, 1<<62))
		if from <= 1 {
			at = -1 << 62
		}
		for {
			entries, err := j.page(ctx, at)
			if err != nil {
				yield(storage.Entry{}, err)
				return
			}
			for _, e := range entries {
				if err := ctx.Err(); err != nil {
					yield(storage.Entry{}, err)
					return
				}
				if !yield(e, nil) {
					return
				}
				at = int64(e.Seq) + 1
			}
			if len(entries) == 0 {
				return
			}
		}
	}
}

func (j *journal) page(ctx context.Context, from int64) ([]storage.Entry, error) {
	var out []storage.Entry
	err := j.read(ctx, func(q querier) error {
		rows, err := q.Query(ctx, `SELECT seq, time, kind, data, prev, hash FROM journal WHERE tenant = $1 AND name = $2 AND seq >= $3 ORDER BY seq LIMIT 64`,
			j.tenant, j.id.Name, from)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (storage.Entry, error) {
			var e storage.Entry
			var seq, at int64
			var prev, hash []byte
			err := row.Scan(&seq, &at, &e.Kind, &e.Data, &prev, &hash)
			e.Seq, e.Time = uint64(seq), timeOf(at)
			copy(e.Prev[:], prev)
			copy(e.Hash[:], hash)
			return e, err
		})
		return err
	})
	return out, err
}

func (j *journal) Head(ctx context.Context) (storage.JournalHead, error) {
	head := storage.JournalGenesis(j.id)
	err := j.read(ctx, func(q querier) error {
		var seq int64
		var hash []byte
		err := q.QueryRow(ctx, `SELECT seq, hash FROM journal_head WHERE tenant = $1 AND name = $2`, j.tenant, j.id.Name).Scan(&seq, &hash)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil {
			head, err = j.headOf(seq, hash)
		}
		return err
	})
	return head, err
}
