package river

import (
	"context"
	"embed"
	"fmt"
	"hash/fnv"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/ttai-go/ttai/storage"
)

//go:embed migrations/*.sql
var steps embed.FS

// migrate makes the schema and brings River's tables and ours up to date, one process
// at a time.
func migrate(ctx context.Context, config *pgx.ConnConfig, o Options) error {
	guard, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return err
	}
	defer goodbye(guard)
	// The lock is the session's: the server frees it when the process dies.
	if _, err := guard.Exec(ctx, `SELECT pg_advisory_lock($1)`, lockOf(o.Schema)); err != nil {
		return err
	}
	if _, err := guard.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+pgx.Identifier{o.Schema}.Sanitize()); err != nil {
		return err
	}
	if err := ours(ctx, config); err != nil {
		return err
	}
	return rivers(ctx, config, o)
}

func lockOf(schema string) int64 {
	h := fnv.New64a()
	fmt.Fprint(h, "ttai workflow migration of ", schema) // a hash takes everything
	return int64(h.Sum64())
}

// goodbye closes a connection without waiting long for a server that is gone.
func goodbye(c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.Close(ctx) // the server frees what it held in any case
}

func ours(ctx context.Context, config *pgx.ConnConfig) error {
	db := stdlib.OpenDB(*config.Copy())
	defer db.Close()
	sub, err := fs.Sub(steps, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, sub, goose.WithDisableGlobalRegistry(true), goose.WithTableName("migration"))
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return &storage.NewerError{Stored: current, Known: target}
	}
	_, err = p.Up(ctx)
	return err
}

func rivers(ctx context.Context, config *pgx.ConnConfig, o Options) error {
	poolConfig, err := pgxpool.ParseConfig(config.ConnString())
	if err != nil {
		return err
	}
	poolConfig.ConnConfig = config.Copy()
	poolConfig.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(ctx, poolConfig)
	if err != nil {
		return err
	}
	defer pool.Close()
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: o.Schema, Logger: o.Logger})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}
