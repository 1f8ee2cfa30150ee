// Package postgres keeps everything but objects in one schema of a PostgreSQL
// database, version 14 or newer in UTF-8, for any number of processes. Objects go
// to another engine: see storage.Combine.
//
// Every table has the tenant as the first column of its key and of every index,
// but the one of logins, which is asked before the tenant is known. Time is the
// server's, so that processes whose clocks differ agree on leases, limits and
// expiry.
//
// How much survives: a write that returned survives the death of the process,
// always. Records, journals, queues (but not their leases), locks, logins and
// conditional writes of key-value spaces also survive that of the server, since
// each is synced to disk before the call returns, as far as the server's own
// settings do. Plain puts and deletes of key-value spaces, limits, events and
// documents are not waited for: the death of the server may take the last
// moments of them, whole and in order.
//
// Subscriptions and waiting receivers share one connection of their own that
// listens to notifications. When it breaks it is made anew, and subscriptions are
// told of a gap. Notifications are heard by whoever may connect to the database:
// it should have no users but this program's.
//
// Vectors are searched exactly: by pgvector when the database has it or lets it be
// made, and otherwise by this process, in memory. Text search cuts words and
// English stems as PostgreSQL does and ranks by BM25, within the collection alone,
// so that nothing of one tenant weighs on another's ranking.
package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/internal/events"
)

var (
	_ storage.Store     = (*Store)(nil)
	_ storage.Tenant    = (*tenant)(nil)
	_ storage.KV        = (*kv)(nil)
	_ storage.Vectors   = (*vectors)(nil)
	_ storage.Queue     = (*queue)(nil)
	_ storage.PubSub    = (*pubsub)(nil)
	_ storage.Locks     = (*locks)(nil)
	_ storage.Limiter   = (*limiter)(nil)
	_ storage.Records   = (*records)(nil)
	_ storage.Journal   = (*journal)(nil)
	_ storage.Directory = (*directory)(nil)
)

// Options are the settings of a [Store]. The zero value works.
type Options struct {
	// Schema is where the tables are; empty means the URL's search_path, or "ttai"
	// when it has none. 1 to 48 of a-z, 0-9 and '_', the first one a letter. It is
	// made when it is not there.
	Schema string
	// Connections is the most that are open at once, beside the one that listens;
	// 0 means the URL's pool_max_conns, or 4, or one for each processor when there
	// are more.
	Connections int
	// Busy is how long a statement waits for locks that others hold; 0 means 10
	// seconds. After it the write is an ErrBusy.
	Busy time.Duration
	// Poll is how often a waiting receiver looks for messages without having been
	// notified; 0 means a second.
	Poll time.Duration
	// VectorMemory bounds the vectors held in memory for searching without
	// pgvector, in bytes; 0 means 1 GB. The collection searched last stays whatever
	// its size.
	VectorMemory int64
	// WithoutPgvector searches vectors in this process although the database could.
	WithoutPgvector bool
	// Now is the clock; nil means the server's, which is right unless all who use
	// the schema share another one, as tests do.
	Now func() time.Time
}

func (o Options) validated() (Options, error) {
	if o.Connections < 0 || o.Connections > 10_000 {
		return o, invalid.Field("Connections", o.Connections, "1 to 10,000, or 0 for the default")
	}
	if o.Busy < 0 {
		return o, invalid.Field("Busy", o.Busy, "0 for 10 seconds, or a positive duration")
	}
	if o.Poll < 0 {
		return o, invalid.Field("Poll", o.Poll, "0 for a second, or a positive duration")
	}
	if o.VectorMemory < 0 {
		return o, invalid.Field("VectorMemory", o.VectorMemory, "0 for 1 GB, or a positive number of bytes")
	}
	if o.Busy == 0 {
		o.Busy = 10 * time.Second
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	if o.VectorMemory == 0 {
		o.VectorMemory = 1 << 30
	}
	return o, nil
}

// configure takes a URL apart. Settings that it leaves out come from where libpq
// looks for them.
func configure(url string, opts *Options) (*pgxpool.Config, Options, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o, err := o.validated()
	if err != nil {
		return nil, o, err
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil || !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		// What it says may repeat the password.
		return nil, o, invalid.Secret("url", "postgres://user:password@host:port/database?sslmode=verify-full")
	}
	if path := config.ConnConfig.RuntimeParams["search_path"]; o.Schema == "" {
		o.Schema = path
	}
	delete(config.ConnConfig.RuntimeParams, "search_path")
	if o.Schema == "" {
		o.Schema = "ttai"
	}
	if !isSchema(o.Schema) {
		return nil, o, invalid.Field("Schema", o.Schema, "1 to 48 of a-z, 0-9 and '_', the first one a letter")
	}
	if o.Connections > 0 {
		config.MaxConns = int32(o.Connections)
	}
	if _, set := config.ConnConfig.RuntimeParams["application_name"]; !set {
		config.ConnConfig.RuntimeParams["application_name"] = "ttai"
	}
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error { return settle(ctx, c, o) }
	return config, o, nil
}

func isSchema(name string) bool {
	ok := name != "" && len(name) <= 48 && name[0] >= 'a' && name[0] <= 'z' && !strings.HasPrefix(name, "pg_")
	for i := range len(name) {
		c := name[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_')
	}
	return ok
}

// settle gives a new connection the settings that all share. Transactions lock first
// and then read what others committed, which takes that isolation; one that its
// process forgot holds its locks for a minute.
func settle(ctx context.Context, c *pgx.Conn, o Options) error {
	_, err := c.Exec(ctx, `SELECT set_config('search_path', $1, false), set_config('lock_timeout', $2, false),
		set_config('default_transaction_isolation', 'read committed', false),
		set_config('idle_in_transaction_session_timeout', '60s', false), set_config('jit', 'off', false)`,
		searchPath(o.Schema), fmt.Sprint(o.Busy.Milliseconds()))
	return err
}

// searchPath has the schema for tables, and public for what extensions made there.
func searchPath(schema string) string { return pgx.Identifier{schema}.Sanitize() + ", public" }

// A Store is a storage.Store in a PostgreSQL schema. It is safe for concurrent use.
type Store struct {
	opts     Options
	config   *pgxpool.Config
	pool     *pgxpool.Pool
	pgvector bool

	listener listener
	hub      events.Hub
	bells    bells
	shelf    shelf

	records, documents growth
	mu                 sync.RWMutex
	closed             bool
}

// Open connects to the database at a URL such as
// postgres://user:password@host:5432/database?sslmode=verify-full and brings the
// schema up to date. Opts may be nil. An error wraps storage.ErrNewer when a newer
// program made the tables, which are left as they are then, or
// storage.ErrUnavailable when the server does not answer or refuses the login.
func Open(ctx context.Context, url string, opts *Options) (*Store, error) {
	config, o, err := configure(url, opts)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, config.ConnConfig, o); err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fault(err)
	}
	s := &Store{opts: o, config: config, pool: pool, bells: bells{}, shelf: shelf{}}
	s.listener.store = s
	if !o.WithoutPgvector {
		if err := s.read(ctx, func(q querier) error {
			return q.QueryRow(ctx, `SELECT to_regtype('vector') IS NOT NULL`).Scan(&s.pgvector)
		}); err != nil {
			pool.Close()
			return nil, err
		}
	}
	return s, nil
}

// For returns the handle of a tenant.
func (s *Store) For(id storage.TenantID) (storage.Tenant, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	if s.isClosed() {
		return nil, storage.ErrClosed
	}
	return &tenant{Unsupported: storage.Unsupported{Tenant: id, Engine: "postgres"}, scope: scope{s, []byte(id)}}, nil
}

// Directory returns whose logins are whose.
func (s *Store) Directory() (storage.Directory, error) {
	if s.isClosed() {
		return nil, storage.ErrClosed
	}
	return &directory{s}, nil
}

// Close waits for calls that are under way and closes all connections.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.listener.close()
	s.hub.Close()
	s.bells.ring("")
	s.pool.Close()
	return nil
}

func (s *Store) isClosed() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.closed
}

// A scope is a store and the tenant that every statement below it names.
type scope struct {
	*Store
	tenant []byte
}

type tenant struct {
	storage.Unsupported
	scope
}

func named[T any](t *tenant, field, name string, thing T) (T, error) {
	var none T
	if err := storage.CheckName(field, name); err != nil {
		return none, err
	}
	return opened(t, thing)
}

func opened[T any](t *tenant, thing T) (T, error) {
	if t.isClosed() {
		var none T
		return none, storage.ErrClosed
	}
	return thing, nil
}

func (t *tenant) KV(name string) (storage.KV, error) {
	return named[storage.KV](t, "space", name, &kv{t.scope, name})
}

func (t *tenant) Queue(name string, opts *storage.QueueOptions) (storage.Queue, error) {
	o, err := opts.Validated()
	if err != nil {
		return nil, err
	}
	return named[storage.Queue](t, "queue", name, &queue{t.scope, name, o})
}

func (t *tenant) Vectors(name string, dims int) (storage.Vectors, error) {
	if err := storage.CheckDims(dims); err != nil {
		return nil, err
	}
	return named[storage.Vectors](t, "collection", name, &vectors{t.scope, name, dims})
}

func (t *tenant) Journal(name string) (storage.Journal, error) {
	id := storage.JournalID{Tenant: t.Tenant, Name: name}
	return named[storage.Journal](t, "journal", name, &journal{t.scope, id})
}

func (t *tenant) PubSub() (storage.PubSub, error) { return opened[storage.PubSub](t, &pubsub{t.scope}) }
func (t *tenant) Locks() (storage.Locks, error)   { return opened[storage.Locks](t, &locks{t.scope}) }
func (t *tenant) Limiter() (storage.Limiter, error) {
	return opened[storage.Limiter](t, &limiter{t.scope})
}
func (t *tenant) Records() (storage.Records, error) {
	return opened[storage.Records](t, &records{t.scope})
}
