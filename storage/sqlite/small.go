package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/ttai-go/ttai/storage"
)

type locks struct{ scope }

// Acquire takes the token from the counter that all numbers of the file come
// from: it grows for every name, also after a backup was restored.
func (l *locks) Acquire(ctx context.Context, name string, ttl time.Duration) (storage.Lease, error) {
	if err := storage.CheckLock(name, ttl); err != nil {
		return storage.Lease{}, err
	}
	lease := storage.Lease{Name: name}
	err := l.write(ctx, true, func(tx *session) error {
		now := l.now()
		token, err := next(ctx, tx)
		if err != nil {
			return err
		}
		expires := now + ttl.Microseconds()
		got, err := tx.exec(ctx, `INSERT INTO lock VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
			SET token = excluded.token, expires = excluded.expires WHERE lock.expires <= ?`, l.tenant, []byte(name), token, expires, now)
		if err := changed(got, err, storage.ErrHeld); err != nil {
			return fmt.Errorf("lock %s: %w", name, err)
		}
		lease.Token, lease.Expires = uint64(token), timeOf(expires)
		return nil
	})
	if err != nil {
		return storage.Lease{}, err
	}
	return lease, nil
}

// changed returns none unless a statement changed something.
func changed(got sql.Result, err, none error) error {
	if err != nil {
		return err
	}
	n, err := got.RowsAffected()
	if err == nil && n == 0 {
		return none
	}
	return err
}

func (l *locks) Renew(ctx context.Context, lease storage.Lease, ttl time.Duration) (storage.Lease, error) {
	if err := storage.CheckLock(lease.Name, ttl); err != nil {
		return lease, err
	}
	err := l.write(ctx, true, func(tx *session) error {
		now := l.now()
		expires := now + ttl.Microseconds()
		got, err := tx.exec(ctx, `UPDATE lock SET expires = ? WHERE tenant = ? AND name = ? AND token = ? AND expires > ?`,
			expires, l.tenant, []byte(lease.Name), int64(lease.Token), now)
		if err := changed(got, err, storage.ErrLeaseLost); err != nil {
			return fmt.Errorf("lock %s: %w", lease.Name, err)
		}
		lease.Expires = timeOf(expires)
		return nil
	})
	return lease, err
}

func (l *locks) Release(ctx context.Context, lease storage.Lease) error {
	return l.write(ctx, true, func(tx *session) error {
		_, err := tx.exec(ctx, `DELETE FROM lock WHERE tenant = ? AND name = ? AND token = ?`,
			l.tenant, []byte(lease.Name), int64(lease.Token))
		return err
	})
}

type limiter struct{ scope }

func (l *limiter) Take(ctx context.Context, name string, limit storage.Limit, n int) (storage.Decision, error) {
	if err := storage.CheckTake(name, limit, n); err != nil {
		return storage.Decision{}, err
	}
	var d storage.Decision
	err := l.write(ctx, false, func(tx *session) error {
		var tat int64
		err := tx.row(ctx, `SELECT tat FROM rate WHERE tenant = ? AND name = ?`, l.tenant, []byte(name)).Scan(&tat)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if tat, d = storage.GCRA(tat, l.opts.Now().UnixNano(), limit, n); !d.Allowed {
			return nil
		}
		_, err = tx.exec(ctx, `INSERT INTO rate VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET tat = excluded.tat`, l.tenant, []byte(name), tat)
		return err
	})
	return d, err
}

type journal struct {
	scope
	id storage.JournalID
}

func (j *journal) head(ctx context.Context, tx *session) (storage.JournalHead, error) {
	head := storage.JournalGenesis(j.id)
	var hash []byte
	err := tx.row(ctx, `SELECT seq, hash FROM journal WHERE tenant = ? AND name = ? ORDER BY seq DESC LIMIT 1`, j.tenant, j.id.Name).
		Scan(&head.Seq, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return head, nil
	}
	if err == nil && len(hash) != len(head.Hash) {
		err = &storage.BrokenChainError{Journal: j.id, Seq: head.Seq, Reason: "its hash is no hash"}
	}
	copy(head.Hash[:], hash)
	return head, err
}

func (j *journal) Append(ctx context.Context, entries ...storage.NewEntry) ([]storage.Entry, error) {
	if err := storage.CheckEntries(entries); err != nil {
		return nil, err
	}
	var out []storage.Entry
	err := j.write(ctx, true, func(tx *session) error {
		head, err := j.head(ctx, tx)
		if err != nil {
			return err
		}
		out = storage.Chain(head, j.opts.Now(), entries)
		for _, e := range out {
			if _, err := tx.exec(ctx, `INSERT INTO journal (tenant, name, seq, time, kind, data, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, j.tenant, j.id.Name, int64(e.Seq), e.Time.UnixMicro(), e.Kind, e.Data, e.Prev[:], e.Hash[:]); err != nil {
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
	err := j.read(ctx, func(tx *session) error {
		rows, err := tx.query(ctx, `SELECT seq, time, kind, data, prev, hash FROM journal WHERE tenant = ? AND name = ? AND seq >= ? ORDER BY seq LIMIT 64`,
			j.tenant, j.id.Name, from)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e storage.Entry
			var seq, at int64
			var prev, hash []byte
			if err := rows.Scan(&seq, &at, &e.Kind, &e.Data, &prev, &hash); err != nil {
				return err
			}
			e.Seq, e.Time = uint64(seq), timeOf(at)
			copy(e.Prev[:], prev)
			copy(e.Hash[:], hash)
			out = append(out, e)
		}
		return rows.Err()
	})
	return out, err
}

func (j *journal) Head(ctx context.Context) (storage.JournalHead, error) {
	var head storage.JournalHead
	err := j.read(ctx, func(tx *session) error {
		var err error
		head, err = j.head(ctx, tx)
		return err
	})
	return head, err
}

type directory struct{ *Store }

func (d *directory) Claim(ctx context.Context, e storage.DirectoryEntry) error {
	if err := e.Validate(); err != nil {
		return err
	}
	return d.write(ctx, true, func(tx *session) error {
		got, err := tx.exec(ctx, `INSERT INTO login VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET user = excluded.user
			WHERE login.tenant = excluded.tenant AND login.user = excluded.user`, e.Login, []byte(e.Tenant), e.User)
		if err := changed(got, err, storage.ErrConflict); err != nil {
			return fmt.Errorf("login: %w", err)
		}
		return nil
	})
}

func (d *directory) Find(ctx context.Context, login string) (storage.DirectoryEntry, error) {
	e := storage.DirectoryEntry{Login: login}
	err := d.read(ctx, func(tx *session) error {
		var tenant []byte
		err := tx.row(ctx, `SELECT tenant, user FROM login WHERE login = ?`, login).Scan(&tenant, &e.User)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("login: %w", storage.ErrNotFound)
		}
		e.Tenant = storage.TenantID(tenant)
		return err
	})
	if err != nil {
		return storage.DirectoryEntry{}, err
	}
	return e, nil
}

func (d *directory) Release(ctx context.Context, tenant storage.TenantID, login string) error {
	return d.write(ctx, true, func(tx *session) error {
		_, err := tx.exec(ctx, `DELETE FROM login WHERE login = ? AND tenant = ?`, login, []byte(tenant))
		return err
	})
}

func (d *directory) Tenants(ctx context.Context) iter.Seq2[storage.TenantID, error] {
	return func(yield func(storage.TenantID, error) bool) {
		after := []byte{}
		for {
			var ids [][]byte
			err := d.read(ctx, func(tx *session) error {
				var err error
				ids, err = column[[]byte](ctx, tx, `SELECT DISTINCT tenant FROM login WHERE tenant > ? ORDER BY tenant LIMIT ?`, after, page)
				return err
			})
			if err != nil {
				yield("", err)
				return
			}
			for _, id := range ids {
				if !yield(storage.TenantID(id), nil) {
					return
				}
				after = id
			}
			if len(ids) < page {
				return
			}
		}
	}
}
