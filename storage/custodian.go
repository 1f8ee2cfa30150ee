package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// A Custodian is a Tenant that knows everything that is kept for it. Those of the
// embedded engines are; one of [Combine] is when all of its parts' are, and
// returns an ErrUnsupported before anything is done when they are not.
type Custodian interface {
	Tenant
	// Inventory names what is kept for the tenant. What is stored or removed
	// meanwhile may or may not be in it.
	Inventory(ctx context.Context) (Inventory, error)
	// Erase removes everything of the tenant but its journals, which nothing
	// removes, and frees its locks. Messages that are leased go too, and their
	// receivers get an ErrLeaseLost. Versions and lock tokens go on, so that none
	// returns. Each engine does all or nothing where it can; after an error, erase
	// again. Logins are the [Directory]'s.
	//
	// Erased means that nobody can read it through this interface: backups made
	// before still have it, and an engine may overwrite the place on disk later.
	Erase(ctx context.Context) error
}

// An Inventory names what a tenant has, in order. What is empty is left out.
type Inventory struct {
	Spaces   []string // of KV
	Buckets  []string // of Objects
	Queues   []string // with messages, dead letters or keys
	Journals []string
	Records  []string // collections of Records
	// Collections are those of Vectors, with their numbers of dimensions.
	Collections map[string]int
}

// custodians returns the tenant's handle of each part once, that of the records
// last: an erasure that was interrupted can be asked for again by those who may.
func (t *combinedTenant) custodians() ([]Custodian, error) {
	var stores []Store
	for _, s := range append(t.parts.all(), &t.parts.Records) {
		stores = slices.DeleteFunc(stores, func(other Store) bool { return other == *s })
		stores = append(stores, *s)
	}
	out := make([]Custodian, len(stores))
	for i, s := range stores {
		h, err := s.For(t.id)
		if err != nil {
			return nil, err
		}
		c, ok := h.(Custodian)
		if !ok {
			return nil, fmt.Errorf("an inventory of part %d: %w", i, ErrUnsupported)
		}
		out[i] = c
	}
	return out, nil
}

func (t *combinedTenant) Inventory(ctx context.Context) (Inventory, error) {
	all := Inventory{Collections: map[string]int{}}
	parts, err := t.custodians()
	if err != nil {
		return Inventory{}, err
	}
	for _, p := range parts {
		i, err := p.Inventory(ctx)
		if err != nil {
			return Inventory{}, err
		}
		for _, list := range []struct {
			all  *[]string
			some []string
		}{
			{&all.Spaces, i.Spaces}, {&all.Buckets, i.Buckets}, {&all.Queues, i.Queues}, {&all.Journals, i.Journals}, {&all.Records, i.Records},
		} {
			*list.all = append(*list.all, list.some...)
			slices.Sort(*list.all)
			*list.all = slices.Compact(*list.all)
		}
		maps.Copy(all.Collections, i.Collections)
	}
	return all, nil
}

func (t *combinedTenant) Erase(ctx context.Context) error {
	parts, err := t.custodians()
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := p.Erase(ctx); err != nil {
			return err
		}
	}
	return nil
}
