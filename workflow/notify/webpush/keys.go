package webpush

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/vault"
	"github.com/ttai-go/ttai/workflow/notify"
)

// keysRef is where a tenant's VAPID keys lie in its vault. They belong to no user.
var keysRef = vault.Ref{User: "ttai", Provider: "notify", Name: "webpush/vapid"}

type storedKeys struct {
	Public  string `json:"public"`
	Private string `json:"private"`
}

// ErrNoKeys: the vault has no VAPID keys; [VaultKeys] makes them.
var ErrNoKeys = errors.New("webpush: there are no VAPID keys yet")

// VaultKeys returns the public key of the tenant's VAPID keys, which browsers
// subscribe with, and makes them when there are none. Keys that are lost end all
// subscriptions.
func VaultKeys(ctx context.Context, v notify.Vault) (public string, err error) {
	keys, err := readKeys(ctx, v)
	if err == nil {
		keys.Private.Destroy()
		return keys.Public, nil
	}
	if !errors.Is(err, ErrNoKeys) {
		return "", err
	}
	made, err := NewKeys()
	if err != nil {
		return "", err
	}
	defer made.Private.Destroy()
	var data []byte
	if err := made.Private.Use(func(private []byte) (err error) {
		data, err = json.Marshal(storedKeys{made.Public, string(private)})
		return err
	}); err != nil {
		return "", err
	}
	sealed := vault.NewSecret(data)
	defer sealed.Destroy()
	return made.Public, v.Put(ctx, keysRef, sealed, 0)
}

func readKeys(ctx context.Context, v notify.Vault) (Keys, error) {
	sealed, err := v.Get(ctx, keysRef)
	if errors.Is(err, storage.ErrNotFound) {
		return Keys{}, ErrNoKeys
	}
	if err != nil {
		return Keys{}, err
	}
	defer sealed.Destroy()
	var k storedKeys
	err = sealed.Use(func(b []byte) error { return json.Unmarshal(b, &k) })
	if err != nil {
		return Keys{}, storage.ErrCorrupt
	}
	return Keys{Public: k.Public, Private: vault.SecretString(k.Private)}, nil
}

// A Lazy is a [Sender] whose keys lie in the vault of a tenant and are read at the
// first message: making one needs no keys and no store. It is safe for concurrent
// use.
type Lazy struct {
	vault notify.Vault
	o     Options

	mu     sync.Mutex
	sender *Sender
}

var _ notify.Sender = (*Lazy)(nil)

// FromVault returns a sender with the keys that [VaultKeys] made. Keys of the
// options must be zero; Subject is required.
func FromVault(v notify.Vault, o Options) (*Lazy, error) {
	if v == nil {
		return nil, invalid.Missing("vault", "the tenant's vault")
	}
	if o.Keys.Public != "" {
		return nil, invalid.Field("Keys", o.Keys.Public, "none: they come from the vault")
	}
	probe, err := NewKeys()
	if err != nil {
		return nil, err
	}
	defer probe.Private.Destroy()
	checked := o
	checked.Keys = probe
	if _, err := New(checked); err != nil { // what is wrong is told now, not at the first message
		return nil, err
	}
	return &Lazy{vault: v, o: o}, nil
}

// Check implements notify.Sender.
func (l *Lazy) Check(c notify.Channel, secret []byte) error {
	return (*Sender)(nil).Check(c, secret)
}

// Send implements notify.Sender.
func (l *Lazy) Send(ctx context.Context, d notify.Delivery) error {
	s, err := l.open(ctx)
	if err != nil {
		return &notify.SendError{Text: err.Error(), Permanent: errors.Is(err, ErrNoKeys)}
	}
	return s.Send(ctx, d)
}

func (l *Lazy) open(ctx context.Context) (*Sender, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sender != nil {
		return l.sender, nil
	}
	keys, err := readKeys(ctx, l.vault)
	if err != nil {
		return nil, err
	}
	o := l.o
	o.Keys = keys
	s, err := New(o)
	if err == nil {
		l.sender = s
	}
	return s, err
}
