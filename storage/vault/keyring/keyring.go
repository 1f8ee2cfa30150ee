// Package keyring keeps a vault's master keys in the operating system's keyring:
// Keychain on macOS, Credential Manager on Windows, the Secret Service (which
// needs D-Bus) on Linux and BSD. Where there is none, as in a container, use a
// key file: vault.OpenKeyFile.
package keyring

import (
	"context"
	"errors"
	"fmt"

	"github.com/zalando/go-keyring"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage/vault"
)

// What callers branch on.
var (
	// ErrNotFound: the keyring has no such entry.
	ErrNotFound = errors.New("vault keyring: no such entry")
	// ErrExists: the keyring has an entry of that name already.
	ErrExists = errors.New("vault keyring: the entry exists")
	// ErrUnavailable: there is no keyring, or it is locked.
	ErrUnavailable = errors.New("vault keyring: not available")
)

// Keys is a vault.KeyWrapper whose master keys are an entry of the keyring. It
// is safe for concurrent use, and notices by itself what other processes
// change. The keyring knows no deadline: a context is looked at before it is
// asked, and it may ask the user to unlock it.
type Keys struct {
	*vault.LocalKeys
	service, account string
}

var _ vault.KeyWrapper = (*Keys)(nil)

// Create stores one random key under a service, such as "ttai", and an account.
// The error is ErrExists when there is an entry already. Call it when setting up,
// not by several processes at once: keyrings cannot store only if absent.
func Create(service, account string) error {
	if err := check(service, account); err != nil {
		return err
	}
	_, err := read(service, account)
	switch {
	case err == nil:
		return ErrExists
	case !errors.Is(err, ErrNotFound):
		return err
	}
	keys := vault.NewMasterKeys()
	defer keys.Destroy()
	return write(service, account, keys)
}

// Open returns the keys of an entry. The error is ErrNotFound when there is
// none, and ErrUnavailable when there is no keyring to ask.
func Open(service, account string) (*Keys, error) {
	if err := check(service, account); err != nil {
		return nil, err
	}
	k := &Keys{service: service, account: account}
	var err error
	k.LocalKeys, err = vault.LoadLocalKeys(context.Background(), func(context.Context) (vault.MasterKeys, error) {
		return read(service, account)
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Rotate adds a random key, which is the current one from now on. Call
// vault.Vault.Rewrap for each tenant afterwards, and Remove when all are done.
// Rotate and Remove must not be called by two processes at once.
func (k *Keys) Rotate() error {
	return k.change(func(keys vault.MasterKeys) (vault.MasterKeys, error) { return keys.WithNew(), nil })
}

// Remove forgets a key. Data keys that it still wraps are lost with it. The
// current key is refused with a *vault.FieldError.
func (k *Keys) Remove(id string) error {
	return k.change(func(keys vault.MasterKeys) (vault.MasterKeys, error) { return keys.Without(id) })
}

func (k *Keys) change(change func(vault.MasterKeys) (vault.MasterKeys, error)) error {
	keys, err := read(k.service, k.account)
	if err != nil {
		return err
	}
	if keys, err = change(keys); err != nil {
		return err
	}
	if err := write(k.service, k.account, keys); err != nil {
		return err
	}
	return k.Reload(context.Background())
}

func check(service, account string) error {
	if service == "" {
		return invalid.Missing("service", "the name of the program")
	}
	if account == "" {
		return invalid.Missing("account", "the name of the entry")
	}
	return nil
}

func read(service, account string) (vault.MasterKeys, error) {
	text, err := keyring.Get(service, account)
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return vault.MasterKeys{}, fmt.Errorf("%w: %s of %s", ErrNotFound, account, service)
	case err != nil:
		return vault.MasterKeys{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	b := []byte(text)
	defer clear(b)
	return vault.ParseMasterKeys(b)
}

func write(service, account string, keys vault.MasterKeys) error {
	text, err := keys.Text()
	if err != nil {
		return err
	}
	defer text.Destroy()
	return text.Use(func(b []byte) error {
		if err := keyring.Set(service, account, string(b)); err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return nil
	})
}
