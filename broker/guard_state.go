package broker

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"
)

// What a [State] and a [Journal] say. Adapters translate their engine's errors.
var (
	// ErrNoState: there is no value under the key.
	ErrNoState = errors.New("no such value")
	// ErrStateChanged: the value is not what the conditional write expected.
	ErrStateChanged = errors.New("value changed by someone else")
)

// A State is what every [Guard] of a home shares: previews, claims, the book of
// orders under way, the kill switch. Implementations are safe for concurrent use
// by all processes of the home. A key-value space with compare-and-set is all it
// takes.
//
// Keys are at most 200 bytes of printable ASCII. Versions are compared for
// equality only, never return once their value was replaced, and 0 is the
// version of what is not there.
type State interface {
	// Get returns a value and its version. ErrNoState when there is none, or when
	// it has expired. It sees every write that completed before, whoever wrote.
	Get(ctx context.Context, key string) (data []byte, version uint64, err error)
	// CompareAndSet stores data when the key's version is expected, 0 meaning that
	// there must be none, and returns the new version; ErrStateChanged otherwise. It
	// is atomic across all processes, and durable once it has returned. A ttl of 0
	// keeps the value for ever. After any other error the value may or may not
	// have been stored.
	CompareAndSet(ctx context.Context, key string, expected uint64, data []byte, ttl time.Duration) (version uint64, err error)
}

// A Journal is what happened, in order and for good. Implementations are safe for
// concurrent use by all processes of the home; those that last chain the entries
// by hashes, so that a change behind the program's back is found.
type Journal interface {
	// Append adds one entry at the end. It is durable once Append has returned.
	// After an error it may or may not be there.
	Append(ctx context.Context, kind string, data []byte) error
	// Read yields the entries from number from on, in order, the first being 1.
	Read(ctx context.Context, from uint64) iter.Seq2[JournalEntry, error]
}

// A JournalEntry is one line of a [Journal].
type JournalEntry struct {
	Seq  uint64 // 1 for the first
	Time time.Time
	Kind string // "order.sending": see the Entry constants
	Data []byte // a JSON object: see [Entry]
}

// MemoryState is a [State] that ends with the process. The zero value is empty
// and ready, and safe for concurrent use.
type MemoryState struct {
	// Now is the clock for times to live; nil means time.Now. It must not be
	// changed once the state is in use.
	Now func() time.Time

	mu      sync.Mutex
	version uint64
	values  map[string]memoryValue
}

type memoryValue struct {
	data    []byte
	version uint64
	expires time.Time // zero: never
}

var _ State = (*MemoryState)(nil)

// Get returns a copy of a value.
func (s *MemoryState) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.live(key)
	if !ok {
		return nil, 0, ErrNoState
	}
	return append([]byte{}, v.data...), v.version, nil
}

// CompareAndSet stores a copy of data.
func (s *MemoryState) CompareAndSet(ctx context.Context, key string, expected uint64, data []byte, ttl time.Duration) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, _ := s.live(key); v.version != expected {
		return 0, ErrStateChanged
	}
	if s.values == nil {
		s.values = map[string]memoryValue{}
	}
	s.version++
	v := memoryValue{data: append([]byte{}, data...), version: s.version}
	if ttl > 0 {
		v.expires = s.now().Add(ttl)
	}
	s.values[key] = v
	return v.version, nil
}

func (s *MemoryState) live(key string) (memoryValue, bool) {
	v, ok := s.values[key]
	if ok && !v.expires.IsZero() && !s.now().Before(v.expires) {
		delete(s.values, key)
		return memoryValue{}, false
	}
	return v, ok
}

func (s *MemoryState) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// MemoryJournal is a [Journal] that ends with the process and is not chained.
// The zero value is empty and ready, and safe for concurrent use.
type MemoryJournal struct {
	// Now is the clock; nil means time.Now. It must not be changed once the
	// journal is in use.
	Now func() time.Time

	mu      sync.Mutex
	entries []JournalEntry
}

var _ Journal = (*MemoryJournal)(nil)

// Append adds an entry.
func (j *MemoryJournal) Append(ctx context.Context, kind string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now
	if j.Now != nil {
		now = j.Now
	}
	j.entries = append(j.entries, JournalEntry{
		Seq: uint64(len(j.entries)) + 1, Time: now(), Kind: kind, Data: append([]byte{}, data...),
	})
	return nil
}

// Read yields the entries that were there when the loop began.
func (j *MemoryJournal) Read(ctx context.Context, from uint64) iter.Seq2[JournalEntry, error] {
	return func(yield func(JournalEntry, error) bool) {
		j.mu.Lock()
		entries := j.entries[:len(j.entries):len(j.entries)]
		j.mu.Unlock()
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				yield(JournalEntry{}, err)
				return
			}
			if e.Seq >= from && !yield(e, nil) {
				return
			}
		}
	}
}
