package postgres

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/storage"
)

type kv struct {
	scope
	space string
}

func (k *kv) Get(ctx context.Context, key string) (storage.Value, error) {
	if err := storage.CheckKV(ctx, key, 0); err != nil {
		return storage.Value{}, err
	}
	var v storage.Value
	var version int64
	err := k.read(ctx, func(q querier) error {
		err := q.QueryRow(ctx, `SELECT data, version FROM kv WHERE tenant = $2 AND space = $3 AND key = $4 AND (expires = 0 OR expires > `+at+`)`,
			k.clock(), k.tenant, k.space, []byte(key)).Scan(&v.Data, &version)
		if errors.Is(err, pgx.ErrNoRows) {
			return storage.ErrNotFound
		}
		return err
	})
	if err != nil {
		return storage.Value{}, err
	}
	v.Version = storage.Version(version)
	return v, nil
}

// expires is when a value ends: its sixth argument is the time to live, 0 for ever.
const expires = `CASE WHEN $6::bigint = 0 THEN 0 ELSE ` + at + ` + $6 END`

func (k *kv) args(key string, data []byte, ttl time.Duration) []any {
	micros := ttl.Microseconds()
	if ttl > 0 {
		micros = max(1, micros)
	}
	if data == nil {
		data = []byte{}
	}
	return []any{k.clock(), k.tenant, k.space, []byte(key), data, micros}
}

func (k *kv) Put(ctx context.Context, key string, data []byte, ttl time.Duration) error {
	if err := storage.CheckKV(ctx, key, ttl); err != nil {
		return err
	}
	var version int64
	err := k.relaxed(ctx, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO kv (tenant, space, key, version, expires, data) VALUES ($2, $3, $4, nextval('number'), `+expires+`, $5)
			ON CONFLICT (tenant, space, key) DO UPDATE SET version = excluded.version, expires = excluded.expires, data = excluded.data
			RETURNING version`, k.args(key, data, ttl)...).
			QueryRow(func(row pgx.Row) error { return row.Scan(&version) })
	})
	if err == nil && version%64 == 0 {
		k.sweep(ctx)
	}
	return err
}

// sweep removes some of the tenant's values that have expired, now and then. What
// it fails at, a later one does.
func (k *kv) sweep(ctx context.Context) {
	_ = k.relaxed(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM kv WHERE ctid = ANY (ARRAY(SELECT ctid FROM kv
			WHERE tenant = $2 AND expires > 0 AND expires <= `+at+` ORDER BY expires LIMIT 512 FOR UPDATE SKIP LOCKED))`, k.clock(), k.tenant)
	})
}

func (k *kv) CompareAndSet(ctx context.Context, key string, expected storage.Version, data []byte, ttl time.Duration) (storage.Version, error) {
	if err := storage.CheckKV(ctx, key, ttl); err != nil {
		return 0, err
	}
	statement, args := `INSERT INTO kv (tenant, space, key, version, expires, data) VALUES ($2, $3, $4, nextval('number'), `+expires+`, $5)
		ON CONFLICT (tenant, space, key) DO UPDATE SET version = excluded.version, expires = excluded.expires, data = excluded.data
		WHERE kv.expires > 0 AND kv.expires <= `+at+` RETURNING version`, k.args(key, data, ttl)
	if expected != storage.NoVersion {
		statement = `UPDATE kv SET version = nextval('number'), expires = ` + expires + `, data = $5
			WHERE tenant = $2 AND space = $3 AND key = $4 AND version = $7 AND (expires = 0 OR expires > ` + at + `) RETURNING version`
		args = append(args, int64(expected))
	}
	var version int64
	err := k.write(ctx, func(q querier) error {
		err := q.QueryRow(ctx, statement, args...).Scan(&version)
		if errors.Is(err, pgx.ErrNoRows) {
			return storage.ErrConflict
		}
		return err
	})
	return storage.Version(version), err
}

func (k *kv) Delete(ctx context.Context, key string) error {
	if err := storage.CheckKV(ctx, key, 0); err != nil {
		return err
	}
	return k.relaxed(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM kv WHERE tenant = $1 AND space = $2 AND key = $3`, k.tenant, k.space, []byte(key))
	})
}

// page is how many rows a listing reads at a time, so that no connection is held
// while the caller works.
const page = 512

func (k *kv) Keys(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		from, to := []byte(prefix), beyond(prefix)
		for {
			var keys [][]byte
			err := k.read(ctx, func(q querier) error {
				var err error
				keys, err = column[[]byte](ctx, q, `SELECT key FROM kv WHERE tenant = $2 AND space = $3 AND key >= $4 AND key < $5
					AND (expires = 0 OR expires > `+at+`) ORDER BY key LIMIT $6`, k.clock(), k.tenant, k.space, from, to, page)
				return err
			})
			if err != nil {
				yield("", err)
				return
			}
			for _, key := range keys {
				if err := ctx.Err(); err != nil {
					yield("", err)
					return
				}
				if !yield(string(key), nil) {
					return
				}
			}
			if len(keys) < page {
				return
			}
			from = append(keys[len(keys)-1], 0) // the least key that comes after
		}
	}
}

// beyond returns the least key that comes after all that begin with prefix.
func beyond(prefix string) []byte {
	out := []byte(prefix)
	for len(out) > 0 && out[len(out)-1] == 0xff {
		out = out[:len(out)-1]
	}
	if len(out) == 0 {
		return bytes.Repeat([]byte{0xff}, 1025) // longer than any key
	}
	out[len(out)-1]++
	return out
}
