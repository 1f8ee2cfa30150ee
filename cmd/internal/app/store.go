package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/files"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/nats"
	"github.com/ttai-go/ttai/storage/postgres"
	"github.com/ttai-go/ttai/storage/redis"
	"github.com/ttai-go/ttai/storage/s3"
	"github.com/ttai-go/ttai/storage/sqlite"
)

// StoreFlags say where data are kept.
type StoreFlags struct {
	Store string `help:"Where data are kept: a URL, or several as docs/storage.md says. Default: a file in your data folder." placeholder:"URL"`
}

// ErrNoStore: no setting names a store, and there is no folder for one. Programs
// that can do without go on.
var ErrNoStore = errors.New("there is no store")

// openTime bounds how long an engine may take to be opened at its first use.
const openTime = 20 * time.Second

// A Store is where the settings say that data are kept. Nothing is opened before
// it is used: a program that keeps nothing pays nothing. It is a storage.Store,
// safe for concurrent use.
type Store struct {
	storage.Store
	environment Environment
	sources     *Sources
	base        *engine
	engines     []*engine
	parts       map[string]*engine // all of storeParts
	env         string
	named       bool // a setting names the engine of kv
}

// OpenStore reads the settings. Env is the environment whose data they are, and
// stands where the setting says {env}; empty means what the settings name, or
// the simulator. The store that no setting names is a file of that environment
// in the user's data folder, so that made-up trades never lie beside real ones.
func (f StoreFlags) OpenStore(env string, sources *Sources, std IO) (*Store, error) {
	setting := strings.TrimSpace(f.Store)
	if setting == "" {
		setting = sources.Lookup("store")
	}
	if setting != sources.Lookup("store") && hasPassword(setting) {
		return nil, Usage(errors.New("a password on the command line can be read by every user of this machine: put the store's URL into TTAI_STORE, or store in config.json"))
	}
	if env == "" {
		env = sources.Lookup("env")
	}
	if env == "" {
		env = string(broker.Simulator)
	}
	switch broker.Environment(env) {
	case broker.Simulator, broker.Sandbox, broker.Production:
	default:
		return nil, invalid.Field("env", env, "simulator, sandbox or production")
	}
	plan, err := parseStore(strings.ReplaceAll(setting, "{env}", env))
	if err != nil {
		return nil, err
	}
	if plan.parts[""] == nil {
		dir := std.Environment.DataDir
		if dir == "" {
			return nil, fmt.Errorf("%w: %w", ErrNoStore, invalid.Missing("store", "--store or TTAI_STORE: this system names no folder for a user's data (is HOME set?)"))
		}
		u, err := parseStoreURL(fileURL("sqlite", filepath.Join(dir, env, "ttai.db")))
		if err != nil {
			return nil, err
		}
		plan.urls = append(plan.urls, u)
		plan.parts[""] = u
	}
	s := &Store{environment: std.Environment, sources: sources, parts: map[string]*engine{}, env: env, named: plan.parts["kv"] != nil}
	return s, s.arrange(plan)
}

// arrange gives each part its engine.
func (s *Store) arrange(plan *storePlan) error {
	made := map[*storeURL]*engine{}
	for _, u := range plan.urls {
		open, err := opener(u, s.environment)
		if err != nil {
			return err
		}
		made[u] = &engine{url: u, open: open}
		s.engines = append(s.engines, made[u])
	}
	s.base = made[plan.parts[""]]
	for _, part := range storeParts {
		s.parts[part] = s.base
		if u := plan.parts[part]; u != nil {
			s.parts[part] = made[u]
		}
	}
	if s.base.url.kind == "sqlite" && plan.parts["objects"] == nil {
		path, err := s.base.url.path()
		if err != nil {
			return err
		}
		u, err := parseStoreURL(fileURL("file", absolute(strings.TrimSuffix(path, filepath.Ext(path))+".objects")))
		if err != nil {
			return err
		}
		open, err := opener(u, s.environment)
		if err != nil {
			return err
		}
		beside := &engine{url: u, open: open}
		s.engines = append(s.engines, beside)
		s.parts["objects"] = beside
	}
	p := s.parts
	s.Store = storage.Combine(s.base, storage.Parts{
		KV: p["kv"], Objects: p["objects"], Vectors: p["vectors"], Queue: p["queue"], PubSub: p["pubsub"],
		Locks: p["locks"], Limiter: p["limiter"], Records: p["records"], Journal: p["journal"], Directory: p["directory"],
	})
	return nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// cacheSpace is the key-value space in which tools remember answers.
const cacheSpace = "tools.cache"

// Serving is the store for a server whose tools remember answers for a moment.
// They are remembered in cache, which is the process's own: opening a file for
// that would only cost time. When a setting names an engine for kv they are
// shared there, with answers of each environment apart; those of a simulator,
// whose clock is its own, are never shared.
func (s *Store) Serving(cache storage.Store) storage.Store {
	return &serving{Store: s, cache: cache, shared: s.named && s.env != string(broker.Simulator), env: s.env}
}

type serving struct {
	storage.Store
	cache  storage.Store
	shared bool
	env    string
}

// For returns a handle that opens nothing yet.
func (s *serving) For(id storage.TenantID) (storage.Tenant, error) {
	h, err := s.Store.For(id)
	if err != nil {
		return nil, err
	}
	cache, err := s.cache.For(id)
	return servingTenant{h, cache, s}, err
}

type servingTenant struct {
	storage.Tenant
	cache storage.Tenant
	store *serving
}

func (t servingTenant) KV(space string) (storage.KV, error) {
	switch {
	case space != cacheSpace:
		return t.Tenant.KV(space)
	case t.store.shared:
		return t.Tenant.KV(space + "." + t.store.env)
	}
	return t.cache.KV(space)
}

// Close closes every engine that was opened. Closing no store does nothing.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	failed := []error{s.Store.Close()}
	for _, e := range s.engines {
		failed = append(failed, e.Close())
	}
	return errors.Join(failed...)
}

// opener checks a URL and returns what opens its engine.
func opener(u *storeURL, env Environment) (func(context.Context) (storage.Store, error), error) {
	switch u.kind {
	case "mem":
		return func(context.Context) (storage.Store, error) { return memory.New(nil) }, u.only()
	case "file":
		path, err := u.path()
		return func(context.Context) (storage.Store, error) { return files.Open(path, nil) }, errors.Join(err, u.only())
	case "sqlite":
		return openSQLite(u)
	case "postgres":
		return func(ctx context.Context) (storage.Store, error) { return postgres.Open(ctx, u.raw, nil) }, nil
	case "redis":
		o := &redis.Options{Prefix: u.take("prefix")}
		return func(ctx context.Context) (storage.Store, error) { return redis.Open(ctx, u.rest(), o) }, nil
	case "nats":
		if err := u.only("prefix", "replicas"); err != nil {
			return nil, err
		}
		replicas, err := u.number("replicas")
		o := &nats.Options{Prefix: u.take("prefix"), Replicas: replicas}
		return func(ctx context.Context) (storage.Store, error) { return nats.Open(ctx, u.before, o) }, err
	}
	return openS3(u, env)
}

func openSQLite(u *storeURL) (func(context.Context) (storage.Store, error), error) {
	if err := u.only("busy", "readers"); err != nil {
		return nil, err
	}
	path, err := u.path()
	if err != nil {
		return nil, err
	}
	busy, err := u.duration("busy")
	if err != nil {
		return nil, err
	}
	readers, err := u.number("readers")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (storage.Store, error) {
		return sqlite.Open(ctx, path, &sqlite.Options{Busy: busy, Readers: readers})
	}, nil
}

// openS3 reads s3://KEY:SECRET@bucket/prefix. Without credentials in it they come
// from AWS's variables. AWS's own search for profiles and roles is left out: it
// would make every start of every program a third longer.
func openS3(u *storeURL, env Environment) (func(context.Context) (storage.Store, error), error) {
	if err := u.only("endpoint", "region", "path_style"); err != nil {
		return nil, err
	}
	rest := strings.TrimPrefix(u.before, "s3://")
	o := s3.Options{Endpoint: u.query.Get("endpoint"), Region: u.query.Get("region")}
	if credentials, after, ok := strings.Cut(rest, "@"); ok {
		access, secret, _ := strings.Cut(credentials, ":")
		o.AccessKey, o.SecretKey = unescaped(access), unescaped(secret)
		rest = after
	}
	o.Bucket, o.Prefix, _ = strings.Cut(rest, "/")
	if o.Prefix != "" && !strings.HasSuffix(o.Prefix, "/") {
		o.Prefix += "/"
	}
	switch u.query.Get("path_style") {
	case "true":
		o.PathStyle = true
	case "": // services other than Amazon's usually have no host for each bucket
		o.PathStyle = o.Endpoint != ""
	case "false":
	default:
		return nil, invalid.Field("store, path_style", u.query.Get("path_style"), "true or false")
	}
	if o.Region == "" {
		o.Region = env.Getenv("AWS_REGION")
	}
	if o.AccessKey == "" {
		o.AccessKey, o.SecretKey, o.SessionToken = env.Getenv("AWS_ACCESS_KEY_ID"), env.Getenv("AWS_SECRET_ACCESS_KEY"), env.Getenv("AWS_SESSION_TOKEN")
	}
	if o.AccessKey == "" || o.SecretKey == "" {
		return nil, invalid.Secret("store", "s3://KEY:SECRET@bucket, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY set")
	}
	_, err := s3.Open(o) // sends nothing
	return func(context.Context) (storage.Store, error) { return s3.Open(o) }, err
}

// unescaped is text with its %XX resolved, or as it is when it has none.
func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// An engine is one store that is opened when something of it is used. One that
// could not be opened is tried again at the next use.
type engine struct {
	url  *storeURL
	open func(context.Context) (storage.Store, error)

	mu     sync.Mutex
	store  storage.Store
	closed bool
}

// opened returns the store, opening it when nobody has.
func (e *engine) opened(ctx context.Context) (storage.Store, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, storage.ErrClosed
	}
	if e.store == nil {
		ctx, cancel := context.WithTimeout(ctx, openTime)
		defer cancel()
		s, err := e.open(ctx)
		if err != nil {
			return nil, fmt.Errorf("store %s: %w%s", e.url, err, remedyOf(e.url, err))
		}
		e.store = s
	}
	return e.store, nil
}

// remedyOf says what a person can do about a store that does not open.
func remedyOf(u *storeURL, err error) string {
	switch {
	case errors.Is(err, storage.ErrNewer):
		return "; update this program, or name another store with TTAI_STORE"
	case errors.Is(err, storage.ErrCorrupt):
		return "; restore a backup with 'ttai restore', or name another file with TTAI_STORE"
	case errors.Is(err, storage.ErrReadOnly):
		return "; see that this user may write the file and its folder"
	case errors.Is(err, storage.ErrBusy):
		return "; another program keeps it locked: end it, or try again"
	case errors.Is(err, storage.ErrUnavailable) && u.kind != "sqlite" && u.kind != "file":
		return "; see that the server runs and that the address and password in TTAI_STORE are right"
	case errors.Is(err, storage.ErrUnavailable), errors.Is(err, os.ErrPermission), errors.Is(err, os.ErrNotExist):
		return "; see that the folder exists and that this user may write it"
	}
	return ""
}

// For returns a handle without opening the store.
func (e *engine) For(id storage.TenantID) (storage.Tenant, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, storage.ErrClosed
	}
	return &lazyTenant{id, e}, nil
}

// Directory returns the store's.
func (e *engine) Directory() (storage.Directory, error) {
	s, err := e.opened(context.Background())
	if err != nil {
		return nil, err
	}
	return s.Directory()
}

// Close closes the store when it was opened.
func (e *engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	if e.store == nil {
		return nil
	}
	return e.store.Close()
}

// A lazyTenant opens the store when it is asked for something of it.
type lazyTenant struct {
	id     storage.TenantID
	engine *engine
}

func of[T any](t *lazyTenant, get func(storage.Tenant) (T, error)) (T, error) {
	var none T
	s, err := t.engine.opened(context.Background())
	if err != nil {
		return none, err
	}
	h, err := s.For(t.id)
	if err != nil {
		return none, err
	}
	return get(h)
}

func (t *lazyTenant) ID() storage.TenantID { return t.id }

func (t *lazyTenant) KV(space string) (storage.KV, error) {
	return of(t, func(h storage.Tenant) (storage.KV, error) { return h.KV(space) })
}

func (t *lazyTenant) Objects(bucket string) (storage.Objects, error) {
	return of(t, func(h storage.Tenant) (storage.Objects, error) { return h.Objects(bucket) })
}

func (t *lazyTenant) Vectors(name string, dims int) (storage.Vectors, error) {
	return of(t, func(h storage.Tenant) (storage.Vectors, error) { return h.Vectors(name, dims) })
}

func (t *lazyTenant) Queue(name string, opts *storage.QueueOptions) (storage.Queue, error) {
	return of(t, func(h storage.Tenant) (storage.Queue, error) { return h.Queue(name, opts) })
}

func (t *lazyTenant) PubSub() (storage.PubSub, error) { return of(t, storage.Tenant.PubSub) }

func (t *lazyTenant) Locks() (storage.Locks, error) { return of(t, storage.Tenant.Locks) }

func (t *lazyTenant) Limiter() (storage.Limiter, error) { return of(t, storage.Tenant.Limiter) }

func (t *lazyTenant) Records() (storage.Records, error) { return of(t, storage.Tenant.Records) }

func (t *lazyTenant) Journal(name string) (storage.Journal, error) {
	return of(t, func(h storage.Tenant) (storage.Journal, error) { return h.Journal(name) })
}
