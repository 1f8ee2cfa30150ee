package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/vault"
	"github.com/ttai-go/ttai/storage/vault/keyring"
)

// keyringService is the name under which keys lie in the system's keyring.
const keyringService = "ttai"

// Vault returns the vault of one tenant, with the master keys that the settings
// name. It opens nothing yet. A key file or keyring entry that is not there is
// made when the first secret is stored, and never when there are secrets already:
// those need the key that was lost.
func (s *Store) Vault(tenant storage.TenantID) (*vault.Vault, error) {
	keys, err := s.vaultKeys()
	if err != nil {
		return nil, err
	}
	h, err := s.For(tenant)
	if err != nil {
		return nil, err
	}
	return vault.Open(h, keys, nil)
}

const allowedVaultKey = "file:PATH, keyring, keyring:NAME, or keys of 32 bytes as 64 hexadecimal digits or base64, with commas between and the current one last"

// vaultKeys reads where the master keys are. Errors show nothing of the value,
// which may be a key.
func (s *Store) vaultKeys() (vault.KeyWrapper, error) {
	setting := s.sources.Lookup("vault-key")
	kind, rest, _ := strings.Cut(setting, ":")
	switch kind {
	case "":
		if s.environment.ConfigDir == "" {
			return nil, invalid.Missing("TTAI_VAULT_KEY", allowedVaultKey)
		}
		rest = filepath.Join(s.environment.ConfigDir, "vault.key")
	case "file":
		if rest == "" {
			return nil, invalid.Missing("TTAI_VAULT_KEY", allowedVaultKey)
		}
	case "keyring":
		if rest == "" {
			rest = "vault"
		}
		return &lateKeys{
			place:   "the entry " + rest + " of the system's keyring",
			missing: keyring.ErrNotFound,
			open:    func() (vault.KeyWrapper, error) { return keyring.Open(keyringService, rest) },
			create:  func() error { return ignore(keyring.Create(keyringService, rest), keyring.ErrExists) },
		}, nil
	default:
		text := bytes.ReplaceAll([]byte(setting), []byte(","), []byte("\n"))
		defer clear(text)
		keys, err := vault.ParseMasterKeys(text)
		if err != nil {
			return nil, invalid.Secret("TTAI_VAULT_KEY", allowedVaultKey)
		}
		return vault.NewLocalKeys(keys)
	}
	return &lateKeys{
		place:   rest,
		missing: fs.ErrNotExist,
		open:    func() (vault.KeyWrapper, error) { return vault.OpenKeyFile(rest) },
		create: func() error {
			if err := os.MkdirAll(filepath.Dir(rest), 0o700); err != nil {
				return err
			}
			return ignore(vault.CreateKeyFile(rest), fs.ErrExist)
		},
	}, nil
}

func ignore(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}

// lateKeys are master keys that are read when they are needed, and made when the
// first data key is to be wrapped.
type lateKeys struct {
	place   string
	missing error
	open    func() (vault.KeyWrapper, error)
	create  func() error

	mu   sync.Mutex
	keys vault.KeyWrapper
}

func (k *lateKeys) opened(create bool) (vault.KeyWrapper, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys != nil {
		return k.keys, nil
	}
	keys, err := k.open()
	if errors.Is(err, k.missing) && create {
		if err := k.create(); err != nil {
			return nil, err
		}
		keys, err = k.open()
	}
	if errors.Is(err, k.missing) {
		return nil, fmt.Errorf("%w: %s is not there: put the master keys back that the secrets were stored with, or name their place with TTAI_VAULT_KEY", vault.ErrNoKey, k.place)
	}
	if err != nil {
		return nil, err
	}
	k.keys = keys
	return keys, nil
}

// Wrap makes the keys when there are none: only a tenant without a data key, or
// one whose keys were just unwrapped, comes here.
func (k *lateKeys) Wrap(ctx context.Context, key, binding []byte) (string, []byte, error) {
	keys, err := k.opened(true)
	if err != nil {
		return "", nil, err
	}
	return keys.Wrap(ctx, key, binding)
}

// Unwrap needs keys that are there.
func (k *lateKeys) Unwrap(ctx context.Context, master string, wrapped, binding []byte) ([]byte, error) {
	keys, err := k.opened(false)
	if err != nil {
		return nil, err
	}
	return keys.Unwrap(ctx, master, wrapped, binding)
}
