package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"modernc.org/sqlite"

	"github.com/ttai-go/ttai/storage"
)

// Backup writes a copy of the whole file, as it was at one moment, to path, which
// is replaced when the copy is complete and on disk. The store and other processes
// go on meanwhile. The copy holds what the file holds: it must be guarded alike.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	folder := filepath.Dir(path)
	draft, err := os.MkdirTemp(folder, ".backup-") // for the owner alone
	if err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	defer os.RemoveAll(draft)
	copied := filepath.Join(draft, "copy")
	db, err := connect(s.path, s.opts.Busy, 2)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?`, copied); err != nil {
		return s.fault(ctx, err)
	}
	if err := settle(copied); err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	if err := os.Rename(copied, path); err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	return nil
}

// settle makes a file its owner's and brings it to disk.
func settle(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Sync(), f.Close())
}

// Restore replaces everything by what a backup holds, in one step, while the store
// and other processes go on: they see the old data or the new. What was written
// since the backup is lost. A backup that is damaged is an ErrCorrupt and one that
// a newer program made an ErrNewer; nothing is changed then.
//
// Versions, lock tokens and receipts go on from the greater of both, so that none
// returns.
func (s *Store) Restore(ctx context.Context, path string) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	if err := s.examine(ctx, path); err != nil {
		return err
	}
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	err := s.restore(ctx, path)
	<-s.turn
	s.shelf.forget()
	s.watch.wake()
	return s.fault(ctx, err)
}

// examine checks a backup and brings nothing but good ones further.
func (s *Store) examine(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("sqlite: backup: %w", errors.Join(storage.ErrNotFound, err))
	}
	db, err := connect(path, s.opts.Busy, 2, "query_only(1)")
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return fault(err)
	}
	if verdict != "ok" {
		return fmt.Errorf("sqlite: backup: %w (%s)", storage.ErrCorrupt, verdict)
	}
	m := &Migrator{path: path, busy: s.opts.Busy}
	stored, err := m.stored(ctx)
	if err != nil {
		return err
	}
	known, err := newestKnown()
	switch {
	case err != nil:
		return err
	case stored > known:
		return &storage.NewerError{Stored: stored, Known: known}
	case stored == 0:
		return fmt.Errorf("sqlite: backup: %w (it was not made by this program)", storage.ErrCorrupt)
	}
	return nil
}

func (s *Store) restore(ctx context.Context, path string) error {
	var before, events int64
	if err := s.durable.row(ctx, `SELECT value FROM counter WHERE name = 'version'`).Scan(&before); err != nil {
		return err
	}
	if err := s.durable.row(ctx, `SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'`).Scan(&events); err != nil {
		return err
	}
	// The backup is changed in a copy of its own first, so that what others see is
	// complete at once.
	draft, err := os.MkdirTemp(filepath.Dir(s.path), ".restore-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(draft)
	ready := filepath.Join(draft, "copy")
	if err := s.prepare(ctx, path, ready, before, events); err != nil {
		return err
	}
	// The copy has SQLite wait for others; afterwards the connection is made anew.
	var set int64
	if err := s.durable.row(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", s.opts.Busy.Milliseconds())).Scan(&set); err != nil {
		return err
	}
	defer s.durable.close()
	return s.durable.conn.Raw(func(driver any) error {
		target, ok := driver.(interface {
			NewRestore(string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.New("the driver cannot restore")
		}
		b, err := target.NewRestore(ready)
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if err = ctx.Err(); err == nil {
				more, err = b.Step(-1) // one transaction
			}
		}
		return errors.Join(err, b.Finish())
	})
}

// prepare copies a backup and moves its counters beyond the present ones.
func (s *Store) prepare(ctx context.Context, from, to string, before, events int64) error {
	source, err := connect(from, s.opts.Busy, 2)
	if err != nil {
		return err
	}
	defer source.Close()
	if _, err := source.ExecContext(ctx, `VACUUM INTO ?`, to); err != nil {
		return err
	}
	if err := migrate(ctx, to, s.opts.Busy); err != nil {
		return err
	}
	db, err := connect(to, s.opts.Busy, 1, "synchronous(FULL)")
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing to do once it is committed
	if err := forward(ctx, tx, before, events); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}

func forward(ctx context.Context, tx *sql.Tx, before, events int64) error {
	for _, step := range []struct {
		query string
		args  []any
	}{
		{`UPDATE counter SET value = max(value, ?) + 1 WHERE name = 'version'`, []any{before}},
		// Matrices in any process's memory are older than this.
		{`UPDATE collection SET change = change + (1 << 40), gone = change + (1 << 40)`, nil},
		{`DELETE FROM event`, nil},
		{`DELETE FROM sqlite_sequence WHERE name = 'event'`, nil},
		{`INSERT INTO sqlite_sequence (name, seq) VALUES ('event', ?)`, []any{events}},
	} {
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return err
		}
	}
	return nil
}
