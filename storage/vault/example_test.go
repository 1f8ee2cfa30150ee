package vault_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/vault"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "master.key")
	if err := vault.CreateKeyFile(path); err != nil { // once, when setting up
		fmt.Println(err)
		return
	}

	store, err := memory.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	tenant, err := store.For(storage.Local)
	if err != nil {
		fmt.Println(err)
		return
	}
	keys, err := vault.OpenKeyFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := vault.Open(tenant, keys, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()

	ref := vault.Ref{User: "ann", Provider: "tastytrade", Name: "sandbox/refresh-token"}
	token := vault.SecretString("very secret")
	if err := v.Put(ctx, ref, token, 0); err != nil {
		fmt.Println(err)
		return
	}
	token.Destroy()

	back, err := v.Get(ctx, ref)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer back.Destroy()
	fmt.Println(back)
	_ = back.Use(func(b []byte) error {
		fmt.Println(len(b), "bytes to put into a header")
		return nil
	})
	// Output:
	// [redacted]
	// 11 bytes to put into a header
}

// A service has the master key and encrypts under it; the program never sees it.
type service struct{ keys *vault.LocalKeys }

// Wrap would be the service's encrypt call, binding its encryption context.
func (s service) Wrap(ctx context.Context, key, binding []byte) (string, []byte, error) {
	_, wrapped, err := s.keys.Wrap(ctx, key, binding)
	return "arn:aws:kms:us-east-1:111122223333:key/1234", wrapped, err
}

// Unwrap would be its decrypt call.
func (s service) Unwrap(ctx context.Context, master string, wrapped, binding []byte) ([]byte, error) {
	if master != "arn:aws:kms:us-east-1:111122223333:key/1234" {
		return nil, fmt.Errorf("%w: %s", vault.ErrNoKey, master)
	}
	return s.keys.Unwrap(ctx, s.keys.IDs()[0], wrapped, binding)
}

func ExampleKeyWrapper() {
	local, err := vault.NewLocalKeys(vault.NewMasterKeys())
	if err != nil {
		fmt.Println(err)
		return
	}
	var keys vault.KeyWrapper = service{local}
	master, wrapped, err := keys.Wrap(context.Background(), make([]byte, 32), []byte("tenant one"))
	fmt.Println(master, err)
	_, err = keys.Unwrap(context.Background(), master, wrapped, []byte("tenant two"))
	fmt.Println(err)
	// Output:
	// arn:aws:kms:us-east-1:111122223333:key/1234 <nil>
	// vault: stored data is damaged: a wrapped key
}
