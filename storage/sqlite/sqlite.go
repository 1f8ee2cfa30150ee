// Package sqlite keeps everything but objects in one SQLite file, for one process
// or for several at once. Objects go to a folder: see package files and
// storage.Combine.
//
// The file is in write-ahead mode, so that readers never wait. Beside it SQLite
// keeps FILE-wal and FILE-shm while it is open, and FILE.lock guards migrations.
// A process has one writer at a time and a pool of readers; writers of several
// processes take turns.
//
// How much survives: a write that returned survives the death of the process,
// always. Records, journals, queues (but not their leases), locks, logins and
// conditional writes of key-value spaces also survive the loss of power, since
// each is synced to disk before the call returns. Plain puts and deletes of
// key-value spaces, limits, events and documents are not synced, which is many
// times faster: the loss of power may take the last of them, whole and in order.
//
// Text search uses FTS5 with English stemming, one index per collection, so that
// nothing of one tenant weighs on another's ranking. Vectors are searched exactly,
// in memory.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"modernc.org/sqlite" // the driver registers itself

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
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Busy is how long a write waits for other processes; 0 means 10 seconds.
	// After it the write is an ErrBusy.
	Busy time.Duration
	// Readers is how many reads go on at once, at least 2; 0 means 4.
	Readers int
	// Poll is how often a process that waits for messages or events looks whether
	// another one wrote; 0 means 20 ms.
	Poll time.Duration
	// VectorMemory bounds the vectors held in memory for searching, in bytes; 0
	// means 1 GB. The collection searched last stays whatever its size.
	VectorMemory int64
}

// A Store is a storage.Store in an SQLite file. It is safe for concurrent use.
type Store struct {
	opts Options
	path string

	// Writers are used by whoever has put a token into turn, a reader by whoever
	// has taken it out of readers. Close takes all and keeps them.
	durable, relaxed *session
	turn             chan struct{}
	readers          chan *session
	quit             chan struct{} // closed by Close

	watch  watcher
	hub    events.Hub
	stream stream
	shelf  shelf

	mu     sync.RWMutex
	closed bool
}

// Open opens the file, made with its folder when it is not there, and brings its
// layout up to date. Opts may be nil. An error wraps storage.ErrNewer when a newer
// program wrote the file, which is left as it is then, storage.ErrCorrupt when it
// is no such file, storage.ErrReadOnly, storage.ErrBusy or storage.ErrUnavailable.
func Open(ctx context.Context, path string, opts *Options) (*Store, error) {
	s, err := open(path, opts)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, s.path, s.opts.Busy); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func open(path string, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if path == "" || strings.ContainsRune(path, 0) {
		return nil, invalid.Field("path", path, "the name of a file")
	}
	if o.Busy < 0 || o.Readers < 0 || o.Poll < 0 || o.VectorMemory < 0 {
		return nil, invalid.Missing("Options", "positive numbers, or 0 for the defaults")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Busy == 0 {
		o.Busy = 10 * time.Second
	}
	if o.Readers < 2 {
		o.Readers = 4
	}
	if o.Poll == 0 {
		o.Poll = 20 * time.Millisecond
	}
	if o.VectorMemory == 0 {
		o.VectorMemory = 1 << 30
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	s := &Store{opts: o, path: path, turn: make(chan struct{}, 1), readers: make(chan *session, o.Readers), quit: make(chan struct{})}
	// No connection is made yet.
	durable, err := connect(path, min(glance, o.Busy), 1, "synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	relaxed, err := connect(path, min(glance, o.Busy), 1, "synchronous(NORMAL)")
	if err != nil {
		return nil, errors.Join(err, durable.Close())
	}
	pool, err := connect(path, o.Busy, o.Readers, "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, durable.Close(), relaxed.Close())
	}
	s.durable, s.relaxed = &session{db: durable, busy: o.Busy}, &session{db: relaxed, busy: o.Busy}
	for range o.Readers {
		s.readers <- &session{db: pool}
	}
	s.watch.store, s.stream.store, s.shelf.store = s, s, s
	return s, nil
}

// create makes the file, which holds a person's affairs, for its owner alone.
func create(path string) error {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	var f *os.File
	if err == nil {
		f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	}
	if errors.Is(err, os.ErrPermission) {
		f, err = os.Open(path) // to read is something
	}
	kind := storage.ErrUnavailable
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, syscall.EROFS):
		kind = storage.ErrReadOnly
	case errors.Is(err, syscall.ENOSPC):
		kind = storage.ErrFull
	}
	return fmt.Errorf("sqlite: %w", errors.Join(kind, err))
}

// connect opens a pool of connections with the settings that all share.
func connect(path string, busy time.Duration, size int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_pragma": append([]string{
		fmt.Sprintf("busy_timeout(%d)", busy.Milliseconds()), "trusted_schema(0)", "cell_size_check(1)",
		"journal_size_limit(67108864)", "temp_store(MEMORY)",
	}, pragmas...)}
	if size == 1 {
		q.Set("_txlock", "immediate") // a writer takes the lock when it begins, so that it never has to start again
	}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	if !strings.HasPrefix(name.Path, "/") {
		name.Path = "/" + name.Path // a Windows drive
	}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fault(err)
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// For returns the handle of a tenant.
func (s *Store) For(id storage.TenantID) (storage.Tenant, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	if s.isClosed() {
		return nil, storage.ErrClosed
	}
	return &tenant{Unsupported: storage.Unsupported{Tenant: id, Engine: "sqlite"}, scope: scope{s, []byte(id)}}, nil
}

// Directory returns whose logins are whose.
func (s *Store) Directory() (storage.Directory, error) {
	if s.isClosed() {
		return nil, storage.ErrClosed
	}
	return &directory{s}, nil
}

// Close waits for calls that are under way and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	close(s.quit)
	s.hub.Close()
	s.watch.close()
	var failed []error
	var pool *sql.DB
	for range cap(s.readers) {
		r := <-s.readers
		pool = r.db
		failed = append(failed, r.close())
	}
	failed = append(failed, pool.Close())
	s.turn <- struct{}{}
	for _, w := range []*session{s.relaxed, s.durable} {
		failed = append(failed, w.close(), w.db.Close())
	}
	return errors.Join(failed...)
}

func (s *Store) isClosed() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.closed
}

// enter keeps the store from being closed until leave, or returns why there is
// nothing to do.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.isClosed() {
		return storage.ErrClosed
	}
	return nil
}

// fault makes what the driver says into what callers branch on.
func (s *Store) fault(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && !known(err):
		return ctx.Err()
	case s.isClosed() && !known(err):
		return storage.ErrClosed
	}
	return fault(err)
}

// known tells whether an error says something of the data rather than of the
// engine.
func known(err error) bool {
	for _, e := range []error{storage.ErrNotFound, storage.ErrConflict, storage.ErrHeld, storage.ErrLeaseLost, storage.ErrCorrupt, storage.ErrNewer} {
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
	var kind error
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff { // the rest is detail
		case 5, 6: // BUSY, LOCKED
			kind = storage.ErrBusy
		case 8: // READONLY
			kind = storage.ErrReadOnly
		case 13: // FULL
			kind = storage.ErrFull
		case 11, 26: // CORRUPT, NOTADB
			kind = storage.ErrCorrupt
		case 10, 14: // IOERR, CANTOPEN
			kind = storage.ErrUnavailable
		}
	}
	if kind == nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return fmt.Errorf("sqlite: %w (%w)", kind, err)
}

// now is the time in microseconds since 1970.
func (s *Store) now() int64 { return s.opts.Now().UnixMicro() }

func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// next returns a number that was never given out before.
func next(ctx context.Context, tx *session) (int64, error) {
	var n int64
	err := tx.row(ctx, `UPDATE counter SET value = value + 1 WHERE name = 'version' RETURNING value`).Scan(&n)
	return n, err
}

// A scope is a store and the tenant that every query below it names.
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
