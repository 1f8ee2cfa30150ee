package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ttai-go/ttai/storage"
)

// at is the time of a statement in microseconds since 1970. Every statement that
// uses it has [Store.clock] as its first argument.
const at = `(SELECT coalesce($1::bigint, micros()))`

// clock is the time that a statement shall use: NULL means the server's.
func (s *Store) clock() any {
	if s.opts.Now == nil {
		return nil
	}
	return s.opts.Now().UnixMicro()
}

func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// A querier runs statements: a pool, or a transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// enter returns why there is nothing to do.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.isClosed() {
		return storage.ErrClosed
	}
	return nil
}

// attempts is how often what had no effect is tried.
const attempts = 5

// run calls f, again as long as again says so of its error, and makes what the
// driver says into what callers branch on.
func (s *Store) run(ctx context.Context, again func(error) bool, f func() error) error {
	for n := 1; ; n++ {
		if err := s.enter(ctx); err != nil {
			return err
		}
		err := f()
		if err == nil {
			return nil
		}
		translated := fault(err)
		if errors.Is(translated, storage.ErrUnavailable) && ctx.Err() == nil {
			s.pool.Reset() // the other connections are probably as dead
		}
		if n < attempts && ctx.Err() == nil && again(translated) {
			continue
		}
		switch {
		case known(err):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case s.isClosed():
			return storage.ErrClosed
		}
		return translated
	}
}

// aborted tells whether a transaction was taken back by the server, for being in
// the way of others, so that it can be tried again.
func aborted(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01") // serialization failure, deadlock
}

// read runs a statement that changes nothing; it is tried once more when the
// connection broke.
func (s *Store) read(ctx context.Context, f func(querier) error) error {
	retried := false
	return s.run(ctx, func(err error) bool {
		again := !retried && errors.Is(err, storage.ErrUnavailable) || aborted(err)
		retried = true
		return again
	}, func() error { return f(s.pool) })
}

// view runs several statements over one consistent view of the data.
func (s *Store) view(ctx context.Context, f func(querier) error) error {
	return s.read(ctx, func(querier) error {
		return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
			func(tx pgx.Tx) error { return f(tx) })
	})
}

// write runs one statement, which is on disk when it returns.
func (s *Store) write(ctx context.Context, f func(querier) error) error {
	return s.run(ctx, aborted, func() error { return f(s.pool) })
}

// transact runs f in a transaction, which is on disk when it returns.
func (s *Store) transact(ctx context.Context, f func(querier) error) error {
	return s.run(ctx, aborted, func() error {
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return f(tx) })
	})
}

// relaxed runs the statements of a batch in one transaction and one round trip,
// and does not wait for the disk.
func (s *Store) relaxed(ctx context.Context, fill func(*pgx.Batch)) error {
	return s.run(ctx, aborted, func() error {
		var b pgx.Batch
		b.Queue(`SELECT set_config('synchronous_commit', 'off', true)`)
		fill(&b)
		return s.pool.SendBatch(ctx, &b).Close()
	})
}

// loosen makes a transaction one that does not wait for the disk.
func loosen(ctx context.Context, q querier) error {
	_, err := q.Exec(ctx, `SELECT set_config('synchronous_commit', 'off', true)`)
	return err
}

// A growth counts the rows that this process wrote to some tables.
type growth struct{ rows atomic.Int64 }

// by counts n rows more. Whenever there are twice as many as before, from 500 on,
// the server is asked to look at the tables at once: by itself it would within a
// minute, and until then it guesses how to read them.
func (g *growth) by(ctx context.Context, q querier, n int, analyze string) {
	after := g.rows.Add(int64(n))
	if bits.Len64(uint64(after/500)) > bits.Len64(uint64((after-int64(n))/500)) {
		_, _ = q.Exec(ctx, analyze) // the write is done; this is for speed alone
	}
}

// changed returns none unless a statement changed something.
func changed(tag pgconn.CommandTag, err, none error) error {
	if err == nil && tag.RowsAffected() == 0 {
		return none
	}
	return err
}

// column returns the only column of a query's rows.
func column[T any](ctx context.Context, q querier, query string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[T])
}

// known tells whether an error says something of the data rather than of the
// engine.
func known(err error) bool {
	for _, e := range []error{
		storage.ErrNotFound, storage.ErrConflict, storage.ErrHeld, storage.ErrLeaseLost, storage.ErrCorrupt, storage.ErrNewer, storage.ErrClosed,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	_, field := errors.AsType[*storage.FieldError](err)
	return field
}

func fault(err error) error {
	if err == nil || known(err) {
		return err
	}
	kind := kindOf(err)
	if kind == nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return fmt.Errorf("postgres: %w (%w)", kind, err)
}

// kindOf returns what an error of the driver means to callers, or nil.
//
// Source: PostgreSQL's documentation, appendix "PostgreSQL Error Codes".
func kindOf(err error) error {
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting {
		return storage.ErrUnavailable
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "53100": // disk full
			return storage.ErrFull
		case "25006": // read-only transaction
			return storage.ErrReadOnly
		case "55P03", "55006", "57014", "40001", "40P01", "53200": // lock timeout, in use, statement timeout, aborted, no memory
			return storage.ErrBusy
		case "57P01", "57P02", "57P03", "57P05", "25P03", "53300": // shutting down, starting up, timed out, too many connections
			return storage.ErrUnavailable
		case "XX001", "XX002": // damaged data, damaged index
			return storage.ErrCorrupt
		}
		if strings.HasPrefix(e.Code, "08") { // connection
			return storage.ErrUnavailable
		}
		return nil
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) {
		return storage.ErrUnavailable
	}
	return nil
}
