package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/storage"
)

type locks struct{ scope }

// Acquire takes the row of the lock, which stays when the lease is over. A token
// is at least the time in microseconds, so that it also grows when the row was
// forgotten or an older state of the database was restored.
func (l *locks) Acquire(ctx context.Context, name string, ttl time.Duration) (storage.Lease, error) {
	if err := storage.CheckLock(name, ttl); err != nil {
		return storage.Lease{}, err
	}
	lease, err := l.lease(ctx, storage.ErrHeld, name, `INSERT INTO lock (tenant, name, token, expires) VALUES ($2, $3, `+at+`, `+at+` + $4)
		ON CONFLICT (tenant, name) DO UPDATE SET token = greatest(lock.token + 1, `+at+`), expires = `+at+` + $4 WHERE lock.expires <= `+at+`
		RETURNING token, expires`, l.clock(), l.tenant, name, ttl.Microseconds())
	if err == nil && lease.Token%64 == 0 {
		l.sweep(ctx)
	}
	return lease, err
}

// sweep forgets some of the tenant's locks that nobody held for a month, now and
// then.
func (l *locks) sweep(ctx context.Context) {
	const month = 30 * 24 * time.Hour
	_ = l.relaxed(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM lock WHERE ctid = ANY (ARRAY(SELECT ctid FROM lock
			WHERE tenant = $2 AND expires < `+at+` - $3::bigint ORDER BY expires LIMIT 512 FOR UPDATE SKIP LOCKED))`, l.clock(), l.tenant, month.Microseconds())
	})
}

func (l *locks) Renew(ctx context.Context, lease storage.Lease, ttl time.Duration) (storage.Lease, error) {
	if err := storage.CheckLock(lease.Name, ttl); err != nil {
		return lease, err
	}
	return l.lease(ctx, storage.ErrLeaseLost, lease.Name, `UPDATE lock SET expires = `+at+` + $4
		WHERE tenant = $2 AND name = $3 AND token = $5 AND expires > `+at+` RETURNING token, expires`,
		l.clock(), l.tenant, lease.Name, ttl.Microseconds(), int64(lease.Token))
}

// lease runs a statement that gives a lease; refused is what no row means.
func (l *locks) lease(ctx context.Context, refused error, name, statement string, args ...any) (storage.Lease, error) {
	var token, expires int64
	err := l.write(ctx, func(q querier) error {
		err := q.QueryRow(ctx, statement, args...).Scan(&token, &expires)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("lock %s: %w", name, refused)
		}
		return err
	})
	if err != nil {
		return storage.Lease{}, err
	}
	return storage.Lease{Name: name, Token: uint64(token), Expires: timeOf(expires)}, nil
}

func (l *locks) Release(ctx context.Context, lease storage.Lease) error {
	if err := storage.CheckText("name", lease.Name, 256); err != nil {
		return err
	}
	return l.write(ctx, func(q querier) error {
		_, err := q.Exec(ctx, `UPDATE lock SET expires = least(expires, `+at+`) WHERE tenant = $2 AND name = $3 AND token = $4`,
			l.clock(), l.tenant, lease.Name, int64(lease.Token))
		return err
	})
}
