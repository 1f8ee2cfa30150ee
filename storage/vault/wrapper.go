package vault

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// A KeyWrapper encrypts data keys by a master key. A key management service
// fits: Wrap is its encrypt call, Unwrap its decrypt call, binding its
// encryption context or additional data. Implementations are safe for
// concurrent use.
type KeyWrapper interface {
	// Wrap encrypts key, which it must not keep, by the current master key. It
	// returns the master key's id, at most 512 bytes and not secret, and the
	// wrapped key, at most 8 KiB, which Unwrap must refuse under any other
	// binding.
	Wrap(ctx context.Context, key, binding []byte) (master string, wrapped []byte, err error)
	// Unwrap returns the key, which the caller clears. The error is ErrNoKey
	// when the master key is not at hand, and storage.ErrCorrupt when
	// wrapped or binding is not what Wrap was given.
	Unwrap(ctx context.Context, master string, wrapped, binding []byte) ([]byte, error)
}

var _ KeyWrapper = (*LocalKeys)(nil)

// LocalKeys wraps by master keys in the process's memory. It is safe for
// concurrent use.
//
// To rotate keys that are handed in, for example from the environment, without
// downtime: start all processes with the old key and the new one, the old one
// last (the last is current); then with the new one last; call [Vault.Rewrap]
// for each tenant; then start them with the new one alone.
type LocalKeys struct {
	load func(context.Context) (MasterKeys, error)
	turn chan struct{} // to load: what was read earlier must not replace what was read later

	mu   sync.Mutex
	keys MasterKeys
}

// NewLocalKeys wraps by the last of keys, and unwraps by any.
func NewLocalKeys(keys MasterKeys) (*LocalKeys, error) {
	if keys.empty() {
		return nil, invalid.Secret("keys", "at least one master key")
	}
	return &LocalKeys{keys: keys}, nil
}

// LoadLocalKeys is NewLocalKeys of keys that lie somewhere else and may be
// added to: load is called now, before each data key is wrapped, and when an
// unknown master key is asked for, so that all processes notice a rotation by
// themselves.
func LoadLocalKeys(ctx context.Context, load func(context.Context) (MasterKeys, error)) (*LocalKeys, error) {
	k := &LocalKeys{load: load, turn: make(chan struct{}, 1)}
	if err := k.Reload(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

// Reload reads the keys again from where they lie. Keys that were handed in stay.
func (k *LocalKeys) Reload(ctx context.Context) error {
	if k.load == nil {
		return nil
	}
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	keys, err := k.load(ctx)
	if err != nil {
		return err
	}
	if keys.empty() {
		return fmt.Errorf("%w: there are no master keys", ErrNoKey)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
	return nil
}

func (k *LocalKeys) held() MasterKeys {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys
}

// Wrap seals key by the current master key.
func (k *LocalKeys) Wrap(ctx context.Context, key, binding []byte) (string, []byte, error) {
	if err := ctx.Err(); err != nil {
		return "", nil, err
	}
	if err := k.Reload(ctx); err != nil {
		return "", nil, err
	}
	id, master := k.held().current()
	var wrapped []byte
	err := wrapping(master, func(wrapKey []byte) error {
		aead, err := gcm(wrapKey)
		if err == nil {
			wrapped = aead.Seal(nil, nil, key, appendField(binding, id))
		}
		return err
	})
	return id, wrapped, err
}

// Unwrap opens wrapped by the master key named.
func (k *LocalKeys) Unwrap(ctx context.Context, id string, wrapped, binding []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	master, ok := k.held().find(id)
	if !ok {
		if err := k.Reload(ctx); err != nil {
			return nil, err
		}
		master, ok = k.held().find(id)
	}
	if !ok {
		return nil, fmt.Errorf("%w: master key %q", ErrNoKey, id)
	}
	var key []byte
	err := wrapping(master, func(wrapKey []byte) error {
		aead, err := gcm(wrapKey)
		if err != nil {
			return err
		}
		if len(wrapped) < aead.Overhead() {
			return fmt.Errorf("vault: %w: a wrapped key", storage.ErrCorrupt)
		}
		if key, err = aead.Open(nil, nil, wrapped, appendField(binding, id)); err != nil {
			return fmt.Errorf("vault: %w: a wrapped key", storage.ErrCorrupt)
		}
		return nil
	})
	return key, err
}

// wrapping calls fn with the key derived for wrapping, so that a master key
// encrypts nothing itself.
func wrapping(master Secret, fn func([]byte) error) error {
	err := master.Use(func(raw []byte) error {
		key, err := hkdf.Key(sha256.New, raw, nil, "ttai vault wrap", keySize)
		if err != nil {
			return fmt.Errorf("vault: %w", err)
		}
		defer clear(key)
		return fn(key)
	})
	if errors.Is(err, ErrDestroyed) {
		return fmt.Errorf("%w: the master key was cleared", ErrNoKey)
	}
	return err
}

// IDs returns the names of the master keys as last loaded, the current one last.
func (k *LocalKeys) IDs() []string { return k.held().IDs() }
