package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// A session is one connection with the statements that were prepared on it, so
// that each is parsed once. Whoever took it from its place uses it alone.
type session struct {
	db       *sql.DB
	busy     time.Duration // how long a writer waits for those of other processes
	conn     *sql.Conn     // nil until it is needed, and after it broke
	prepared map[string]*sql.Stmt
}

// kept is how many prepared statements a session keeps; there are fewer but for
// the names of full-text indexes.
const kept = 256

// statement returns a prepared statement of this connection.
func (s *session) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := s.prepared[query]; ok {
		return st, nil
	}
	if s.conn == nil {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		s.conn, s.prepared = conn, map[string]*sql.Stmt{}
	}
	st, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(s.prepared) >= kept {
		for q, old := range s.prepared { // any will do
			delete(s.prepared, q)
			if err := old.Close(); err != nil {
				return nil, errors.Join(err, st.Close())
			}
			break
		}
	}
	s.prepared[query] = st
	return st, nil
}

// exec runs a statement that touches few rows. It is not interrupted: a context
// that can be would cost more than the statement.
func (s *session) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	st, err := s.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(context.WithoutCancel(ctx), args...)
}

// row runs a query for one row that an index finds. It is not interrupted, like
// exec.
func (s *session) row(ctx context.Context, query string, args ...any) row {
	if err := ctx.Err(); err != nil {
		return row{err: err}
	}
	st, err := s.statement(ctx, query)
	if err != nil {
		return row{err: err}
	}
	return row{found: st.QueryRowContext(context.WithoutCancel(ctx), args...)}
}

// A row is the answer of a query for one row, or why there is none.
type row struct {
	found *sql.Row
	err   error
}

func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	return r.found.Scan(dest...)
}

// query runs a query that may read much; the context interrupts it.
func (s *session) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := s.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// writing runs f in a transaction and commits it. Begin waits for other processes,
// and ends with the context; the commit does not, so that it is known what it did.
func (s *session) writing(ctx context.Context, f func(*session) error) error {
	if err := s.begin(ctx); err != nil {
		return s.checked(err)
	}
	done := false
	defer func() {
		if !done {
			s.rollback(ctx)
		}
	}()
	if err := f(s); err != nil {
		return s.checked(err)
	}
	if _, err := s.exec(ctx, "COMMIT"); err != nil {
		return s.checked(err)
	}
	done = true
	return nil
}

// glance is how long SQLite itself waits for a writer's turn. By itself it would soon
// look ten times a second only, and find a busy file locked each time.
const glance = 4 * time.Millisecond

func (s *session) begin(ctx context.Context) error {
	for begun := time.Now(); ; {
		begin, err := s.statement(ctx, "BEGIN IMMEDIATE")
		if err == nil {
			_, err = begin.ExecContext(context.WithoutCancel(ctx))
		}
		if err == nil || !errors.Is(fault(err), storage.ErrBusy) || time.Since(begun) >= s.busy {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// viewing runs f over one consistent view of the data.
func (s *session) viewing(ctx context.Context, f func(*session) error) error {
	if _, err := s.exec(ctx, "BEGIN"); err != nil { // it takes no lock before something is read
		return s.checked(err)
	}
	defer s.rollback(ctx)
	return s.checked(f(s))
}

// rollback ends a transaction. When that fails the connection is given up, which
// ends it too: SQLite may have ended it by itself, and nobody can tell.
func (s *session) rollback(ctx context.Context) {
	if s.conn == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	st, err := s.statement(ctx, "ROLLBACK")
	if err == nil {
		_, err = st.ExecContext(ctx)
	}
	if err != nil {
		_ = s.close() // it is broken, and the next use makes another one
	}
}

// checked gives a connection up that is of no more use.
func (s *session) checked(err error) error {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		_ = s.close() // as in rollback
	}
	return err
}

// close closes the connection. The session can be used again.
func (s *session) close() error {
	if s.conn == nil {
		return nil
	}
	var failed []error
	for _, st := range s.prepared {
		failed = append(failed, st.Close())
	}
	// The error makes database/sql close the connection rather than keep it.
	err := s.conn.Raw(func(any) error { return driver.ErrBadConn })
	if !errors.Is(err, driver.ErrBadConn) {
		failed = append(failed, err)
	}
	s.conn, s.prepared = nil, nil
	return errors.Join(failed...)
}

// synced says whether a write is on disk before it returns.
type synced bool

// write runs f in a transaction of its own and commits it, after its turn.
func (s *Store) write(ctx context.Context, how synced, f func(*session) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	writer := s.relaxed
	if how {
		writer = s.durable
	}
	err := func() error {
		defer func() { <-s.turn }()
		return writer.writing(ctx, f)
	}()
	if err == nil {
		s.watch.wake()
		return nil
	}
	return s.fault(ctx, err)
}

// takeTurn makes the caller this process's only writer, until it takes the token
// out of turn again.
func (s *Store) takeTurn(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.quit:
		return storage.ErrClosed
	}
}

// read runs f over one consistent view of the data.
func (s *Store) read(ctx context.Context, f func(*session) error) error {
	return s.reading(ctx, func(r *session) error { return r.viewing(ctx, f) })
}

// look runs f, which makes one query: it needs no transaction.
func (s *Store) look(ctx context.Context, f func(*session) error) error {
	return s.reading(ctx, func(r *session) error { return r.checked(f(r)) })
}

func (s *Store) reading(ctx context.Context, f func(*session) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	var r *session
	select {
	case r = <-s.readers:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.quit:
		return storage.ErrClosed
	}
	defer func() { s.readers <- r }()
	return s.fault(ctx, f(r))
}
