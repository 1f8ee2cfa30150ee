package files

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/ttai-go/ttai/storage"
)

var _ storage.Custodian = (*tenant)(nil)

// Inventory names the tenant's buckets that hold something.
func (t *tenant) Inventory(ctx context.Context) (storage.Inventory, error) {
	out := storage.Inventory{Collections: map[string]int{}}
	if err := t.store.enter(ctx); err != nil {
		return out, err
	}
	folders, err := fs.ReadDir(t.store.root.FS(), hashed(string(t.Tenant))) // in order of names
	t.store.mu.RUnlock()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return out, fault(err)
	}
	for _, f := range folders {
		name, ok := strings.CutSuffix(f.Name(), ".bucket")
		if !ok {
			continue
		}
		b, err := t.Objects(name)
		if err != nil {
			return out, err
		}
		for _, err := range b.List(ctx, "", "") {
			if err != nil {
				return out, err
			}
			out.Buckets = append(out.Buckets, name)
			break
		}
	}
	return out, nil
}

// Erase removes the tenant's folder. A put that is under way may fail.
func (t *tenant) Erase(ctx context.Context) error {
	if err := t.store.enter(ctx); err != nil {
		return err
	}
	defer t.store.mu.RUnlock()
	if err := t.store.root.RemoveAll(hashed(string(t.Tenant))); err != nil {
		return fault(err)
	}
	return (&bucket{Store: t.store}).sync(".")
}
