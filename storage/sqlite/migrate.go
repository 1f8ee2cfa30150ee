package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/ttai-go/ttai/storage"
)

//go:embed migrations/*.sql
var steps embed.FS

// A Migrator changes the layout of a file. It implements storage.Migrator.
type Migrator struct {
	path string
	busy time.Duration
}

var _ storage.Migrator = (*Migrator)(nil)

// NewMigrator returns the migrator of a file, which it does not open yet.
func NewMigrator(path string) (*Migrator, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return &Migrator{path: path, busy: 10 * time.Second}, nil
}

// with runs f while no other process migrates the file.
func (m *Migrator) with(ctx context.Context, f func(*goose.Provider) error) error {
	if err := create(m.path); err != nil {
		return err
	}
	// The lock is an exclusive transaction in a file of its own: the system frees
	// it when the process dies.
	guard, err := connect(m.path+".lock", max(m.busy, time.Minute), 1)
	if err != nil {
		return err
	}
	defer guard.Close()
	held, err := guard.BeginTx(ctx, nil) // immediate: one at a time
	if err != nil {
		return fault(err)
	}
	defer held.Rollback() // it only ever was a lock
	return m.unguarded(ctx, f)
}

func (m *Migrator) unguarded(ctx context.Context, f func(*goose.Provider) error) error {
	db, err := connect(m.path, m.busy, 1, "journal_mode(WAL)", "synchronous(FULL)")
	if err != nil {
		return err
	}
	defer db.Close()
	sub, err := fs.Sub(steps, "migrations")
	if err != nil {
		return err
	}
	if err := began(ctx, db); err != nil {
		return fault(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, sub, goose.WithDisableGlobalRegistry(true), goose.WithTableName("migration"))
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return fault(f(p))
}

// began makes the table of migrations where there is none. Goose would too, but
// tries for seconds when the disk refuses.
func began(ctx context.Context, db *sql.DB) error {
	var n int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'migration'`).Scan(&n); err != nil || n > 0 {
		return err
	}
	table, err := database.NewStore(goose.DialectSQLite3, "migration")
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing to do once it is committed
	if err := table.CreateVersionTable(ctx, tx); err != nil {
		return err
	}
	if err := table.Insert(ctx, tx, database.InsertRequest{Version: 0}); err != nil {
		return err
	}
	return tx.Commit()
}

// newest refuses a file that a newer program wrote.
func newest(ctx context.Context, p *goose.Provider) (current, target int64, err error) {
	current, target, err = p.GetVersions(ctx)
	if err == nil && current > target {
		err = &storage.NewerError{Stored: current, Known: target}
	}
	return current, target, err
}

// Status lists the migrations.
func (m *Migrator) Status(ctx context.Context) ([]storage.Migration, error) {
	var out []storage.Migration
	err := m.with(ctx, func(p *goose.Provider) error {
		if _, _, err := newest(ctx, p); err != nil {
			return err
		}
		list, err := p.Status(ctx)
		for _, s := range list {
			name := strings.TrimSuffix(filepath.Base(s.Source.Path), ".sql")
			out = append(out, storage.Migration{Version: s.Source.Version, Name: name, Applied: s.State == goose.StateApplied})
		}
		return err
	})
	return out, err
}

// Up applies the migrations that are missing.
func (m *Migrator) Up(ctx context.Context) error {
	return m.with(ctx, func(p *goose.Provider) error {
		if _, _, err := newest(ctx, p); err != nil {
			return err
		}
		_, err := p.Up(ctx)
		return err
	})
}

// Down takes back the newest migration.
func (m *Migrator) Down(ctx context.Context) error {
	return m.with(ctx, func(p *goose.Provider) error {
		current, _, err := newest(ctx, p)
		if err == nil && current == 0 {
			err = fmt.Errorf("migrations: %w", storage.ErrNotFound)
		}
		if err != nil {
			return err
		}
		_, err = p.Down(ctx)
		return err
	})
}

// migrate brings a file up to date. The usual case, that it is, takes no lock.
func migrate(ctx context.Context, path string, busy time.Duration) error {
	m := &Migrator{path: path, busy: busy}
	stored, err := m.stored(ctx)
	if err != nil {
		return err
	}
	target, err := newestKnown()
	if err != nil {
		return err
	}
	switch {
	case stored == target:
		return nil
	case stored > target:
		return &storage.NewerError{Stored: stored, Known: target}
	}
	return m.Up(ctx)
}

// newestKnown returns the version of the newest migration of this program.
func newestKnown() (int64, error) {
	known, err := fs.Glob(steps, "migrations/*.sql")
	return int64(len(known)), err
}

// stored returns the newest migration of the file, 0 when there is none.
func (m *Migrator) stored(ctx context.Context) (int64, error) {
	db, err := connect(m.path, m.busy, 1, "query_only(1)")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	var n int64
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'migration'`).Scan(&n)
	if err != nil || n == 0 {
		return 0, fault(err)
	}
	var stored sql.NullInt64
	err = db.QueryRowContext(ctx, `SELECT max(version_id) FROM migration WHERE is_applied`).Scan(&stored)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fault(err)
	}
	return stored.Int64, nil
}
