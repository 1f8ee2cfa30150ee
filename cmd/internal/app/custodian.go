package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/ttai-go/ttai/storage"
)

var (
	_ storage.Custodian = (*lazyTenant)(nil)
	_ storage.Custodian = wholeTenant{}
	_ storage.Custodian = servingTenant{}
)

// custodian opens the engine and returns its tenant's, or an ErrUnsupported.
func (t *lazyTenant) custodian() (storage.Custodian, error) {
	return of(t, func(h storage.Tenant) (storage.Custodian, error) {
		c, ok := h.(storage.Custodian)
		if !ok {
			return nil, fmt.Errorf("an inventory of %s: %w", t.engine.url, storage.ErrUnsupported)
		}
		return c, nil
	})
}

// Inventory names what the engine keeps for the tenant.
func (t *lazyTenant) Inventory(ctx context.Context) (storage.Inventory, error) {
	c, err := t.custodian()
	if err != nil {
		return storage.Inventory{}, err
	}
	return c.Inventory(ctx)
}

// Erase removes it.
func (t *lazyTenant) Erase(ctx context.Context) error {
	c, err := t.custodian()
	if err != nil {
		return err
	}
	return c.Erase(ctx)
}

// For returns the handle of a tenant. It opens nothing.
func (s *Store) For(id storage.TenantID) (storage.Tenant, error) {
	h, err := s.Store.For(id)
	if err != nil {
		return nil, err
	}
	return wholeTenant{h}, nil
}

// A wholeTenant is one of several engines. Only when all of them are opened is it
// known whether each can be emptied.
type wholeTenant struct{ storage.Tenant }

func (t wholeTenant) custodian() (storage.Custodian, error) {
	c, ok := t.Tenant.(storage.Custodian)
	if !ok {
		return nil, fmt.Errorf("an inventory: %w", storage.ErrUnsupported)
	}
	return c, nil
}

// Inventory names what all engines keep for the tenant.
func (t wholeTenant) Inventory(ctx context.Context) (storage.Inventory, error) {
	c, err := t.custodian()
	if err != nil {
		return storage.Inventory{}, err
	}
	return c.Inventory(ctx)
}

// Erase removes it from all engines, or from none when one of them cannot.
func (t wholeTenant) Erase(ctx context.Context) error {
	c, err := t.custodian()
	if err != nil {
		return err
	}
	if _, err := c.Inventory(ctx); err != nil {
		return err
	}
	return c.Erase(ctx)
}

// Inventory leaves out what is only remembered for a moment.
func (t servingTenant) Inventory(ctx context.Context) (storage.Inventory, error) {
	return wholeTenant{t.Tenant}.Inventory(ctx)
}

// Erase forgets also what is remembered for a moment.
func (t servingTenant) Erase(ctx context.Context) error {
	err := wholeTenant{t.Tenant}.Erase(ctx)
	if c, ok := t.cache.(storage.Custodian); ok && err == nil {
		err = errors.Join(err, c.Erase(ctx))
	}
	return err
}
