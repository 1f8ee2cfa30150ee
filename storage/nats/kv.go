package nats

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// A space keeps each value as the last message of a subject. The version is the
// message's number in the stream, which never returns.
//
// The server drops what has expired within a second or two; until then the
// header says that it has.
type space struct {
	store *Store
	root  string // begins the subjects of all keys
}

const (
	// expiresHeader has when a value expires, in Unix milliseconds.
	expiresHeader = "Ttai-Expires"
	ttlHeader     = "Nats-TTL"
	// overhead is what the headers and the subject of a value may take.
	overhead = 4 << 10
)

func expired(h nats.Header, now time.Time) bool {
	at, err := strconv.ParseInt(h.Get(expiresHeader), 10, 64)
	return err == nil && now.UnixMilli() >= at
}

func (s *space) check(ctx context.Context, key string, ttl time.Duration) error {
	if err := storage.CheckKV(ctx, key, ttl); err != nil {
		return err
	}
	return s.store.usable()
}

func (s *space) Get(ctx context.Context, key string) (storage.Value, error) {
	if err := s.check(ctx, key, 0); err != nil {
		return storage.Value{}, err
	}
	m, err := s.last(ctx, key)
	if err != nil {
		return storage.Value{}, err
	}
	if expired(m.Header, s.store.now()) {
		return storage.Value{}, fmt.Errorf("nats: reading a value: %w", storage.ErrNotFound)
	}
	return storage.Value{Data: m.Data, Version: storage.Version(m.Sequence)}, nil
}

// last returns what is stored, expired or not.
func (s *space) last(ctx context.Context, key string) (*jetstream.RawStreamMsg, error) {
	m, err := s.store.values.GetLastMsgForSubject(ctx, s.root+token(key))
	if err != nil {
		return nil, s.store.translated(ctx, "reading a value", err)
	}
	return m, nil
}

func (s *space) Put(ctx context.Context, key string, data []byte, ttl time.Duration) error {
	if err := s.check(ctx, key, ttl); err != nil {
		return err
	}
	_, err := s.put(ctx, key, data, ttl)
	return err
}

func (s *space) CompareAndSet(ctx context.Context, key string, expected storage.Version, data []byte, ttl time.Duration) (storage.Version, error) {
	if err := s.check(ctx, key, ttl); err != nil {
		return storage.NoVersion, err
	}
	conflict := fmt.Errorf("nats: storing a value: %w", storage.ErrConflict)
	if expected != storage.NoVersion {
		// The server may not have dropped an expired value yet.
		current, err := s.Get(ctx, key)
		if errors.Is(err, storage.ErrNotFound) || err == nil && current.Version != expected {
			return storage.NoVersion, conflict
		}
		if err != nil {
			return storage.NoVersion, err
		}
		return s.put(ctx, key, data, ttl, jetstream.WithExpectLastSequencePerSubject(uint64(expected)))
	}
	version, err := s.put(ctx, key, data, ttl, jetstream.WithExpectLastSequencePerSubject(0))
	if !errors.Is(err, storage.ErrConflict) {
		return version, err
	}
	m, err := s.last(ctx, key)
	switch {
	case errors.Is(err, storage.ErrNotFound): // dropped just now
		return s.put(ctx, key, data, ttl, jetstream.WithExpectLastSequencePerSubject(0))
	case err != nil:
		return storage.NoVersion, err
	case expired(m.Header, s.store.now()):
		return s.put(ctx, key, data, ttl, jetstream.WithExpectLastSequencePerSubject(m.Sequence))
	}
	return storage.NoVersion, conflict
}

func (s *space) put(ctx context.Context, key string, data []byte, ttl time.Duration, opts ...jetstream.PublishOpt) (storage.Version, error) {
	if most := s.store.limit - overhead; int64(len(data)) > most {
		return storage.NoVersion, invalid.Fieldf("data", len(data), "at most %d bytes, which the server's max_payload allows", most)
	}
	m := &nats.Msg{Subject: s.root + token(key), Data: data, Header: nats.Header{}}
	if ttl > 0 {
		m.Header.Set(expiresHeader, strconv.FormatInt(s.store.now().Add(ttl+time.Millisecond-1).UnixMilli(), 10))
		// The server counts whole seconds. One more, for its clock is another.
		seconds := int64((ttl+time.Second-1)/time.Second) + 1
		m.Header.Set(ttlHeader, strconv.FormatInt(seconds, 10)+"s")
	}
	ack, err := s.store.js.PublishMsg(ctx, m, opts...)
	if err != nil {
		return storage.NoVersion, s.store.translated(ctx, "storing a value", err)
	}
	return storage.Version(ack.Sequence), nil
}

func (s *space) Delete(ctx context.Context, key string) error {
	if err := s.check(ctx, key, 0); err != nil {
		return err
	}
	err := s.store.values.Purge(ctx, jetstream.WithPurgeSubject(s.root+token(key)))
	return s.store.translated(ctx, "deleting a value", err)
}

// Keys reads the headers of all the space's values and yields in order what was
// there.
func (s *space) Keys(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		keys, err := s.keys(ctx, prefix)
		if err != nil {
			yield("", err)
			return
		}
		for _, key := range keys {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

func (s *space) keys(ctx context.Context, prefix string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.store.usable(); err != nil {
		return nil, err
	}
	var keys []string
	now := s.store.now()
	for m, err := range s.store.scan(ctx, s.store.values, "listing keys", s.root+"*", true) {
		if err != nil {
			return nil, err
		}
		key, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(m.Subject(), s.root))
		if err != nil {
			return nil, fmt.Errorf("nats: listing keys: %w: %w", storage.ErrCorrupt, err)
		}
		if strings.HasPrefix(string(key), prefix) && !expired(m.Headers(), now) {
			keys = append(keys, string(key))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil // one that was replaced meanwhile came twice
}

// scan yields the messages of a stream with that subject, in order, through a
// consumer of its own, until there are no more.
func (s *Store) scan(ctx context.Context, stream jetstream.Stream, doing, subject string, headersOnly bool) iter.Seq2[jetstream.Msg, error] {
	return func(yield func(jetstream.Msg, error) bool) {
		consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
			FilterSubject: subject, AckPolicy: jetstream.AckNonePolicy, DeliverPolicy: jetstream.DeliverAllPolicy, HeadersOnly: headersOnly,
			MemoryStorage: true, Replicas: 1, InactiveThreshold: 5 * time.Minute,
		})
		if err != nil {
			yield(nil, s.translated(ctx, doing, err))
			return
		}
		info := consumer.CachedInfo()
		defer func() {
			// It would go by itself; a loop that was left early frees it too.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
			defer cancel()
			_ = stream.DeleteConsumer(ctx, info.Name)
		}()
		for left := info.NumPending; left > 0; {
			batch, err := consumer.FetchNoWait(500)
			if err != nil {
				yield(nil, s.translated(ctx, doing, err))
				return
			}
			n := uint64(0)
			for m := range batch.Messages() {
				n++
				if !yield(m, nil) {
					return
				}
			}
			if err := errors.Join(batch.Error(), ctx.Err()); err != nil {
				yield(nil, s.translated(ctx, doing, err))
				return
			}
			if n == 0 || n >= left { // what is newer may go unseen
				return
			}
			left -= n
		}
	}
}
