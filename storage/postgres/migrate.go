package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/ttai-go/ttai/storage"
)

//go:embed migrations/*.sql
var steps embed.FS

// A Migrator changes the layout of a schema. It implements storage.Migrator.
type Migrator struct {
	config *pgx.ConnConfig
	opts   Options
}

var _ storage.Migrator = (*Migrator)(nil)

// NewMigrator returns the migrator of the schema that [Open] would use. It does not
// connect yet.
func NewMigrator(url string, opts *Options) (*Migrator, error) {
	config, o, err := configure(url, opts)
	if err != nil {
		return nil, err
	}
	return &Migrator{config: config.ConnConfig, opts: o}, nil
}

// with runs f while no other process migrates the schema. The lock is a session's:
// the server frees it when the process dies.
func (m *Migrator) with(ctx context.Context, f func(*goose.Provider) error) error {
	guard, err := pgx.ConnectConfig(ctx, m.config.Copy())
	if err != nil {
		return failed(ctx, err)
	}
	defer goodbye(guard)
	if _, err := guard.Exec(ctx, `SELECT pg_advisory_lock($1)`, number(m.opts.Schema, "migration")); err != nil {
		return failed(ctx, err)
	}
	if err := m.prepare(ctx, guard); err != nil {
		return failed(ctx, err)
	}
	err = m.unguarded(ctx, f)
	_, unlock := guard.Exec(ctx, `SELECT pg_advisory_unlock($1)`, number(m.opts.Schema, "migration"))
	return failed(ctx, errors.Join(err, unlock))
}

// goodbye closes a connection without waiting long for a server that is gone.
func goodbye(c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.Close(ctx) // the server frees what it held in any case
}

// failed is fault for calls whose context may have ended.
func failed(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !known(err) {
		return ctx.Err()
	}
	return fault(err)
}

// prepare makes the schema, and pgvector if that can be done.
func (m *Migrator) prepare(ctx context.Context, c *pgx.Conn) error {
	var encoding string
	var exists, vector bool
	err := c.QueryRow(ctx, `SELECT current_setting('server_encoding'), to_regnamespace($1) IS NOT NULL,
		EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') OR NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')`, m.opts.Schema).
		Scan(&encoding, &exists, &vector)
	if err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database has encoding %s and must have UTF8: %w", encoding, storage.ErrUnsupported)
	}
	if !exists {
		if _, err := c.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+pgx.Identifier{m.opts.Schema}.Sanitize()); err != nil {
			return err
		}
	}
	if vector || m.opts.WithoutPgvector {
		return nil
	}
	// Only a privileged user may, and without it vectors are searched elsewhere.
	_, err = c.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public`)
	if _, refused := errors.AsType[*pgconn.PgError](err); refused {
		return nil
	}
	return err
}

func (m *Migrator) unguarded(ctx context.Context, f func(*goose.Provider) error) error {
	db := stdlib.OpenDB(*m.config.Copy(), stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		return settle(ctx, c, m.opts)
	}))
	defer db.Close()
	sub, err := fs.Sub(steps, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, sub, goose.WithDisableGlobalRegistry(true), goose.WithTableName("migration"))
	if err != nil {
		return err
	}
	return f(p)
}

// newest refuses tables that a newer program made.
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
			name := strings.TrimSuffix(path.Base(s.Source.Path), ".sql")
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

// migrate brings a schema up to date. The usual case, that it is, takes no lock.
func migrate(ctx context.Context, config *pgx.ConnConfig, o Options) error {
	m := &Migrator{config: config, opts: o}
	stored, err := m.stored(ctx)
	if err != nil {
		return failed(ctx, err)
	}
	known, err := fs.Glob(steps, "migrations/*.sql")
	if err != nil {
		return err
	}
	switch target := int64(len(known)); {
	case stored == target:
		return nil
	case stored > target:
		return &storage.NewerError{Stored: stored, Known: target}
	}
	return m.Up(ctx)
}

// stored returns the newest migration of the schema, 0 when there is none.
func (m *Migrator) stored(ctx context.Context) (int64, error) {
	c, err := pgx.ConnectConfig(ctx, m.config.Copy())
	if err != nil {
		return 0, err
	}
	defer goodbye(c)
	if err := settle(ctx, c, m.opts); err != nil {
		return 0, err
	}
	var exists bool
	err = c.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'migration')`, m.opts.Schema).Scan(&exists)
	if err != nil || !exists {
		return 0, err
	}
	var stored sql.NullInt64
	err = c.QueryRow(ctx, `SELECT max(version_id) FROM migration WHERE is_applied`).Scan(&stored)
	return stored.Int64, err
}

// number is the key of an advisory lock: the same in every process. Two things that
// share one wait for each other without need.
func number(parts ...string) int64 {
	h := fnv.New64a()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p) // a hash takes everything
	}
	return int64(h.Sum64())
}
