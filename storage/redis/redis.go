// Package redis keeps short-lived state on a Redis or Valkey server, version 6.2
// or newer: key-value spaces, rate limits, locks and events. What must be kept
// for good belongs elsewhere; storage.Combine puts the two together.
//
// Everything is atomic on one server: conditions, limits and leases are decided
// by scripts, by the server's clock. A server that fails over to a replica may
// lose the last writes, leases among them, which is why locks have fencing
// tokens; tokens and versions begin at the server's time in microseconds, so that
// they grow even when the server forgot everything. Do not let the server evict
// keys that have no time to live (maxmemory-policy allkeys-…): it would forget
// what this package counts on.
package redis

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

var (
	_ storage.Store   = (*Store)(nil)
	_ storage.Tenant  = (*tenant)(nil)
	_ storage.KV      = (*space)(nil)
	_ storage.Limiter = (*limiter)(nil)
	_ storage.Locks   = (*locks)(nil)
	_ storage.PubSub  = (*pubsub)(nil)
)

// Options are the settings of a [Store]. The zero value works.
type Options struct {
	// Prefix begins every key and channel, so that a server can be shared; "ttai"
	// when empty, otherwise 1 to 64 of a-z, 0-9, '.', '_' and '-'.
	Prefix string
	// Timeout bounds dialling, and each wait for the server; 3 seconds when 0. A
	// cancelled context ends a call at the latest then.
	Timeout time.Duration
	// Connections is the most that are open at once, beside one for each
	// subscription; 10 for each processor when 0.
	Connections int
}

// A Store is a storage.Store on a server. It is safe for concurrent use.
type Store struct {
	client *redis.Client
	prefix string

	mu     sync.Mutex
	closed bool
	subs   map[*subscription]bool
}

// Open connects to the server at a URL such as redis://user:password@host:6379/0,
// or rediss:// for TLS. Opts may be nil. A server that does not answer is a
// storage.ErrUnavailable.
func Open(ctx context.Context, url string, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	settings, err := redis.ParseURL(url)
	if err != nil {
		return nil, invalid.Secret("url", "redis://user:password@host:port/number, or rediss:// for TLS")
	}
	if o.Prefix == "" {
		o.Prefix = "ttai"
	}
	if err := storage.CheckName("Prefix", o.Prefix); err != nil {
		return nil, err
	}
	if o.Timeout < 0 {
		return nil, invalid.Field("Timeout", o.Timeout, "0 for 3 seconds, or a positive duration")
	}
	if o.Connections < 0 {
		return nil, invalid.Field("Connections", o.Connections, "0 for the default, or a positive number")
	}
	if o.Timeout == 0 {
		o.Timeout = 3 * time.Second
	}
	settings.DialTimeout, settings.ReadTimeout, settings.WriteTimeout = o.Timeout, o.Timeout, o.Timeout
	settings.PoolSize = o.Connections
	settings.ContextTimeoutEnabled = true
	// A command whose answer was lost may have been done: to send it again would
	// count twice, or conflict with itself.
	settings.MaxRetries = -1
	settings.DisableIdentity = true
	s := &Store{client: redis.NewClient(settings), prefix: o.Prefix, subs: map[*subscription]bool{}}
	if err := s.translated(ctx, "connecting", s.client.Ping(ctx).Err()); err != nil {
		_ = s.client.Close()
		return nil, err
	}
	return s, nil
}

// For returns the handle of a tenant.
func (s *Store) For(id storage.TenantID) (storage.Tenant, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	if err := s.usable(); err != nil {
		return nil, err
	}
	// Base 64 leaves no delimiter in the id. The braces have all of a tenant's
	// keys on one node of a cluster, which scripts require.
	root := s.prefix + ":{" + base64.RawURLEncoding.EncodeToString([]byte(id)) + "}:"
	return &tenant{Unsupported: storage.Unsupported{Tenant: id, Engine: "redis"}, store: s, root: root}, nil
}

// Directory returns an ErrUnsupported.
func (s *Store) Directory() (storage.Directory, error) {
	return storage.Unsupported{Engine: "redis"}.Directory()
}

// Close ends all subscriptions and connections.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	var open []*subscription
	for sub := range s.subs {
		open = append(open, sub)
	}
	s.mu.Unlock()
	var failed error
	for _, sub := range open {
		failed = errors.Join(failed, sub.Close())
	}
	return errors.Join(failed, s.client.Close())
}

func (s *Store) usable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("redis: %w", storage.ErrClosed)
	}
	return nil
}

// translated returns err as what the interfaces promise.
func (s *Store) translated(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("redis: %s: %w", doing, storage.ErrClosed)
	}
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("redis: %s: %w", doing, ended)
	}
	kind := kindOf(err)
	if kind == nil {
		return fmt.Errorf("redis: %s: %w", doing, err)
	}
	return fmt.Errorf("redis: %s: %w: %w", doing, kind, err)
}

// kindOf tells what a caller can do about err.
func kindOf(err error) error {
	if errors.Is(err, redis.Nil) {
		return storage.ErrNotFound
	}
	answer := err.Error()
	_, answered := errors.AsType[redis.Error](err)
	switch {
	case answered && strings.HasPrefix(answer, "OOM "):
		return storage.ErrFull
	case answered && (strings.HasPrefix(answer, "READONLY ") || strings.HasPrefix(answer, "MISCONF ")):
		return storage.ErrReadOnly
	case answered && strings.HasPrefix(answer, "BUSY "):
		return storage.ErrBusy
	case answered && (strings.HasPrefix(answer, "LOADING ") || strings.HasPrefix(answer, "CLUSTERDOWN ") ||
		strings.HasPrefix(answer, "MASTERDOWN ") || strings.HasPrefix(answer, "TRYAGAIN ") || strings.HasPrefix(answer, "NOREPLICAS ")):
		return storage.ErrUnavailable
	case answered:
		return nil // a wrong password, for example
	}
	return storage.ErrUnavailable // whatever it was, it was no answer
}

// eval runs a script. Its keys are full names.
func (s *Store) eval(ctx context.Context, doing string, script *redis.Script, keys []string, args ...any) (any, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	out, err := script.Run(ctx, s.client, keys, args...).Result()
	return out, s.translated(ctx, doing, err)
}

// unexpected is for an answer that no script of ours gives.
func unexpected(doing string, answer any) error {
	return fmt.Errorf("redis: %s: %w: an answer of type %T", doing, storage.ErrCorrupt, answer)
}

type tenant struct {
	storage.Unsupported
	store *Store
	root  string // begins all of the tenant's keys and channels
}

func (t *tenant) KV(name string) (storage.KV, error) {
	if err := storage.CheckName("space", name); err != nil {
		return nil, err
	}
	if err := t.store.usable(); err != nil {
		return nil, err
	}
	root := t.root + "kv:" + name + ":"
	return &space{store: t.store, values: root + "v:", index: root + "i", expiries: root + "x", versions: root + "n"}, nil
}

func (t *tenant) Limiter() (storage.Limiter, error) {
	return &limiter{store: t.store, root: t.root + "limit:"}, t.store.usable()
}

func (t *tenant) Locks() (storage.Locks, error) {
	return &locks{store: t.store, root: t.root + "lock:", tokens: t.root + "tokens"}, t.store.usable()
}

func (t *tenant) PubSub() (storage.PubSub, error) {
	return &pubsub{store: t.store, root: t.root + "event:"}, t.store.usable()
}
