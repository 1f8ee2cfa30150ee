package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"time"

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
	err := k.look(ctx, func(r *session) error {
		err := r.row(ctx, `SELECT data, version FROM kv WHERE tenant = ? AND space = ? AND key = ? AND (expires = 0 OR expires > ?)`,
			k.tenant, k.space, []byte(key), k.now()).Scan(&v.Data, &version)
		if errors.Is(err, sql.ErrNoRows) {
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

func (k *kv) Put(ctx context.Context, key string, data []byte, ttl time.Duration) error {
	if err := storage.CheckKV(ctx, key, ttl); err != nil {
		return err
	}
	return k.write(ctx, false, func(tx *session) error {
		_, err := k.put(ctx, tx, key, data, ttl)
		return err
	})
}

func (k *kv) put(ctx context.Context, tx *session, key string, data []byte, ttl time.Duration) (storage.Version, error) {
	version, err := next(ctx, tx)
	if err != nil {
		return 0, err
	}
	now, expires := k.now(), int64(0)
	if ttl > 0 {
		expires = now + max(1, ttl.Microseconds())
	}
	if data == nil {
		data = []byte{}
	}
	_, err = tx.exec(ctx, `INSERT INTO kv (tenant, space, key, version, expires, data) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET version = excluded.version, expires = excluded.expires, data = excluded.data`,
		k.tenant, k.space, []byte(key), version, expires, data)
	if err == nil && version%64 == 0 { // now and then, so that what has expired does not pile up
		_, err = tx.exec(ctx, `DELETE FROM kv WHERE rowid IN (SELECT rowid FROM kv WHERE expires > 0 AND expires <= ? LIMIT 256)`, now)
	}
	return storage.Version(version), err
}

func (k *kv) CompareAndSet(ctx context.Context, key string, expected storage.Version, data []byte, ttl time.Duration) (storage.Version, error) {
	if err := storage.CheckKV(ctx, key, ttl); err != nil {
		return 0, err
	}
	var version storage.Version
	err := k.write(ctx, true, func(tx *session) error {
		var current storage.Version
		err := tx.row(ctx, `SELECT version FROM kv WHERE tenant = ? AND space = ? AND key = ? AND (expires = 0 OR expires > ?)`,
			k.tenant, k.space, []byte(key), k.now()).Scan(&current)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if current != expected {
			return storage.ErrConflict
		}
		version, err = k.put(ctx, tx, key, data, ttl)
		return err
	})
	if err != nil {
		return 0, err
	}
	return version, nil
}

func (k *kv) Delete(ctx context.Context, key string) error {
	if err := storage.CheckKV(ctx, key, 0); err != nil {
		return err
	}
	return k.write(ctx, false, func(tx *session) error {
		_, err := tx.exec(ctx, `DELETE FROM kv WHERE tenant = ? AND space = ? AND key = ?`, k.tenant, k.space, []byte(key))
		return err
	})
}

// page is how many rows a listing reads at a time, so that no reader is held while
// the caller works.
const page = 512

func (k *kv) Keys(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		after, first := []byte(prefix), true
		for {
			var keys [][]byte
			err := k.read(ctx, func(tx *session) error {
				var err error
				keys, err = column[[]byte](ctx, tx, `SELECT key FROM kv WHERE tenant = ? AND space = ? AND (key > ? OR ? AND key = ?)
					AND substr(key, 1, ?) = ? AND (expires = 0 OR expires > ?) ORDER BY key LIMIT ?`,
					k.tenant, k.space, after, first, after, len(prefix), []byte(prefix), k.now(), page)
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
			after, first = keys[len(keys)-1], false
		}
	}
}

// column returns the only column of a query's rows.
func column[T any](ctx context.Context, tx *session, query string, args ...any) ([]T, error) {
	rows, err := tx.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
