// Package nats keeps queues, events and key-value spaces on a NATS server with
// JetStream, version 2.12 or newer: queues whose messages can be delayed, and
// values that expire, need what it has learned since.
//
// Each queue is a stream of its own, named after a digest of tenant and queue;
// all key-value spaces share one stream. JetStream writes to files, and by
// default has the operating system put them on disk within two minutes: set
// sync_interval to always where a power failure must lose nothing, or use
// several replicas.
package nats

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

var (
	_ storage.Store       = (*Store)(nil)
	_ storage.Tenant      = (*tenant)(nil)
	_ storage.KV          = (*space)(nil)
	_ storage.Queue       = (*queue)(nil)
	_ storage.DeadLetters = (*deadLetters)(nil)
	_ storage.PubSub      = (*pubsub)(nil)
)

// Options are the settings of a [Store]. The zero value works.
type Options struct {
	// Prefix begins every stream and subject, so that a server can be shared;
	// "ttai" when empty, otherwise 1 to 32 of a-z, 0-9, '_' and '-'.
	Prefix string
	// Replicas is how many servers of a cluster keep each stream, 1 to 5; 0 means
	// 1.
	Replicas int
	// Timeout bounds connecting, and each request whose context has no deadline;
	// 5 seconds when 0.
	Timeout time.Duration
	// Now is the clock by which values expire, leases are judged and delays
	// begin; nil means time.Now. The server has its own for redelivery, so this
	// one must agree with it.
	Now func() time.Time
}

// A Store is a storage.Store on a server. It is safe for concurrent use.
type Store struct {
	conn     *nats.Conn
	js       jetstream.JetStream
	prefix   string
	replicas int
	timeout  time.Duration
	now      func() time.Time
	values   jetstream.Stream
	limit    int64 // of a message's bytes

	mu     sync.Mutex
	closed bool
	queues map[string]*opened
	subs   map[*subscription]bool
}

// Open connects to the server at a URL such as nats://user:password@host:4222,
// or several with commas between, and makes the stream of the key-value spaces
// when there is none. Opts may be nil. A server that does not answer is a
// storage.ErrUnavailable.
func Open(ctx context.Context, url string, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Prefix == "" {
		o.Prefix = "ttai"
	}
	switch {
	case !strings.HasPrefix(url, "nats://") && !strings.HasPrefix(url, "tls://"):
		return nil, invalid.Secret("url", "nats://user:password@host:port, or tls:// for TLS")
	case len(o.Prefix) > 32 || strings.Trim(o.Prefix, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "":
		return nil, invalid.Field("Prefix", o.Prefix, "1 to 32 of a-z, 0-9, '_' and '-'")
	case o.Replicas < 0 || o.Replicas > 5:
		return nil, invalid.Field("Replicas", o.Replicas, "1 to 5, or 0 for 1")
	case o.Timeout < 0:
		return nil, invalid.Field("Timeout", o.Timeout, "0 for 5 seconds, or a positive duration")
	}
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &Store{prefix: o.Prefix, replicas: o.Replicas, timeout: o.Timeout, now: o.Now, queues: map[string]*opened{}, subs: map[*subscription]bool{}}
	var err error
	s.conn, err = nats.Connect(url,
		nats.Name("ttai"), nats.Timeout(o.Timeout),
		nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond), nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		// What cannot be sent now is an error now, not sent some time later.
		nats.ReconnectBufSize(-1),
		// Nobody knows how many events came while there was no connection.
		nats.ReconnectHandler(func(*nats.Conn) { s.missed() }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if errors.Is(err, nats.ErrSlowConsumer) {
				s.missed()
			}
		}),
	)
	if err != nil {
		return nil, s.translated(ctx, "connecting", err)
	}
	s.js, err = jetstream.New(s.conn, jetstream.WithDefaultTimeout(o.Timeout))
	if err == nil {
		s.values, err = s.stream(ctx, jetstream.StreamConfig{
			Name: s.prefix + "-values", Subjects: []string{s.prefix + ".kv.>"},
			MaxMsgsPerSubject: 1, AllowMsgTTL: true, // reads go to the leader, which has every write: no AllowDirect
		})
	}
	if err != nil {
		err = s.translated(ctx, "opening", err)
		s.conn.Close()
		return nil, err
	}
	s.limit = s.conn.MaxPayload()
	return s, nil
}

// stream makes a stream, or brings it to this configuration.
func (s *Store) stream(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	config.Storage = jetstream.FileStorage
	config.Replicas = s.replicas
	return s.js.CreateOrUpdateStream(ctx, config)
}

// For returns the handle of a tenant.
func (s *Store) For(id storage.TenantID) (storage.Tenant, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	if err := s.usable(); err != nil {
		return nil, err
	}
	return &tenant{Unsupported: storage.Unsupported{Tenant: id, Engine: "nats"}, store: s}, nil
}

// Directory returns an ErrUnsupported.
func (s *Store) Directory() (storage.Directory, error) {
	return storage.Unsupported{Engine: "nats"}.Directory()
}

// Close ends all subscriptions and the connection.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	for sub := range s.subs {
		sub.hub.Close()
	}
	s.conn.Close()
	return nil
}

// missed tells all subscriptions that something may have been lost.
func (s *Store) missed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.subs {
		sub.hub.Missed(1)
	}
}

func (s *Store) usable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("nats: %w", storage.ErrClosed)
	}
	return nil
}

// within returns a context that ends at the latest when a request has had its
// time.
func (s *Store) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.timeout)
}

// codeFull are the server's codes for streams that may not grow.
var codeFull = map[jetstream.ErrorCode]bool{10023: true, 10028: true, 10047: true, 10077: true}

// codeConflict is the server's code for another last sequence than expected.
const codeConflict = 10071

// translated returns err as what the interfaces promise.
func (s *Store) translated(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if closed := s.usable(); closed != nil {
		return closed
	}
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("nats: %s: %w", doing, ended)
	}
	for _, known := range []error{storage.ErrUnavailable, storage.ErrLeaseLost, storage.ErrNotFound, storage.ErrConflict, storage.ErrFull, storage.ErrCorrupt} {
		if errors.Is(err, known) {
			return err // translated already
		}
	}
	kind := storage.ErrUnavailable
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
			kind = storage.ErrNotFound
		case api.ErrorCode == codeConflict:
			kind = storage.ErrConflict
		case codeFull[api.ErrorCode]:
			kind = storage.ErrFull
		case api.Code < 500:
			return fmt.Errorf("nats: %s: %w", doing, err)
		}
	}
	// The cause is told in words only: a request that had no answer in time is no
	// deadline of the caller's.
	return fmt.Errorf("nats: %s: %w: %v", doing, kind, err)
}

type tenant struct {
	storage.Unsupported
	store *Store
}

// token puts any bytes into one part of a subject.
func token(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func (t *tenant) KV(name string) (storage.KV, error) {
	if err := storage.CheckName("space", name); err != nil {
		return nil, err
	}
	if err := t.store.usable(); err != nil {
		return nil, err
	}
	return &space{store: t.store, root: t.store.prefix + ".kv." + token(string(t.ID())) + "." + token(name) + "."}, nil
}

func (t *tenant) PubSub() (storage.PubSub, error) {
	if err := t.store.usable(); err != nil {
		return nil, err
	}
	return &pubsub{store: t.store, root: t.store.prefix + ".event." + token(string(t.ID())) + "."}, nil
}

func (t *tenant) Queue(name string, opts *storage.QueueOptions) (storage.Queue, error) {
	if err := storage.CheckName("queue", name); err != nil {
		return nil, err
	}
	o, err := opts.Validated()
	if err != nil {
		return nil, err
	}
	if err := t.store.usable(); err != nil {
		return nil, err
	}
	return newQueue(t.store, t.ID(), name, o), nil
}
