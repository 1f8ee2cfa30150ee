package postgres

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/storage"
)

type limiter struct{ scope }

// Take judges in the database, by the function "take", under the row's lock.
func (l *limiter) Take(ctx context.Context, name string, limit storage.Limit, n int) (storage.Decision, error) {
	if err := storage.CheckTake(name, limit, n); err != nil {
		return storage.Decision{}, err
	}
	var now any
	if l.opts.Now != nil {
		now = l.opts.Now().UnixNano()
	}
	burst := limit.Burst
	if burst == 0 {
		burst = limit.Rate
	}
	var before, judged int64
	var allowed bool
	err := l.relaxed(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT before, judged, allowed FROM take($1, $2, $3::bigint, $4, $5)`,
			l.tenant, name, now, limit.Interval()*float64(n), limit.Interval()*float64(burst)).
			QueryRow(func(row pgx.Row) error { return row.Scan(&before, &judged, &allowed) })
	})
	if err != nil {
		return storage.Decision{}, err
	}
	if rand.IntN(256) == 0 {
		l.sweep(ctx)
	}
	_, d := storage.GCRA(before, judged, limit, n)
	if d.Allowed != allowed { // a last digit that two processors round differently
		d.Allowed, d.Wait = allowed, 0
		if !allowed {
			d.Wait = time.Nanosecond
		}
	}
	return d, nil
}

// sweep forgets limits of the tenant that are whole again, now and then.
func (l *limiter) sweep(ctx context.Context) {
	_ = l.relaxed(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM rate WHERE ctid = ANY (ARRAY(SELECT ctid FROM rate WHERE tenant = $2 AND tat / 1000 < `+at+`
			LIMIT 512 FOR UPDATE SKIP LOCKED))`, l.clock(), l.tenant)
	})
}
