package vault

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// A KeyInfo describes a data key, and shows none of it.
type KeyInfo struct {
	ID      string    // as in the header of values: version and a random id
	Master  string    // the master key that wraps it
	Created time.Time // when it was made
	// Superseded is when another key took its place, and zero for the current
	// key.
	Superseded time.Time
}

// Keys returns the tenant's data keys, the current one last; none when the
// tenant never stored a secret.
func (v *Vault) Keys(ctx context.Context) ([]KeyInfo, error) {
	if err := v.usable(); err != nil {
		return nil, err
	}
	set, err := v.readKeyset(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	infos := make([]KeyInfo, len(set.entries))
	for i, e := range set.entries {
		infos[i] = KeyInfo{ID: e.id.String(), Master: e.master, Created: time.UnixMilli(e.created)}
		if e.superseded != 0 {
			infos[i].Superseded = time.UnixMilli(e.superseded)
		}
	}
	return infos, nil
}

// Rotate replaces the tenant's data key: AddKey, Reencrypt, Prune. Readers and
// writers go on meanwhile, in this process and in others. It may be cut off at
// any point and called again. It returns how many secrets moved to the new key.
func (v *Vault) Rotate(ctx context.Context) (int, error) {
	if err := v.AddKey(ctx); err != nil {
		return 0, err
	}
	moved, err := v.Reencrypt(ctx)
	if err != nil {
		return moved, err
	}
	_, err = v.Prune(ctx)
	return moved, err
}

// AddKey makes a new data key, under which everything is sealed from now on.
// What was sealed before stays readable.
func (v *Vault) AddKey(ctx context.Context) error {
	return v.changeKeys(ctx, true, func(set *keyset) ([]entry, error) {
		last := set.current()
		if last.id.version == math.MaxUint32 || len(set.entries) == maxKeys {
			return nil, fmt.Errorf("vault: the tenant has %d data keys; prune them first", len(set.entries))
		}
		e, err := v.newEntry(ctx, last.id.version+1)
		if err != nil {
			return nil, err
		}
		entries := append([]entry(nil), set.entries...)
		entries[len(entries)-1].superseded = max(e.created, 1) // 0 says that it is not
		return append(entries, e), nil
	})
}

// Rewrap wraps all data keys again by the wrapper's current master key, after
// which the previous master key is needed no more, for this tenant. No secret
// changes. The master keys must have been rotated first, where all processes
// find both: see [KeyFile.Rotate] and [LocalKeys].
func (v *Vault) Rewrap(ctx context.Context) error {
	return v.changeKeys(ctx, false, func(set *keyset) ([]entry, error) {
		entries := append([]entry(nil), set.entries...)
		for i := range entries {
			e := &entries[i]
			key, err := v.dataKey(ctx, *e)
			if err != nil {
				return nil, err
			}
			e.master, e.wrapped, err = v.wrap(ctx, e.id, key)
			clear(key)
			if err != nil {
				return nil, err
			}
		}
		return entries, nil
	})
}

// Reencrypt moves every secret that lies under a superseded data key to the
// current one, and returns how many it moved; expired secrets it deletes. A
// secret that does not decrypt does not stop it; such secrets are named in the
// error.
func (v *Vault) Reencrypt(ctx context.Context) (int, error) {
	_, moved, err := v.reencrypt(ctx)
	return moved, err
}

// reencrypt also returns the keyset whose current key all secrets now have.
func (v *Vault) reencrypt(ctx context.Context) (*keyset, int, error) {
	if err := v.usable(); err != nil {
		return nil, 0, err
	}
	set, err := v.readKeyset(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	moved := 0
	var damaged []error
	for record, err := range v.scan(ctx, storage.RecordQuery{Limit: 1000}) {
		if err != nil {
			return nil, moved, err
		}
		did, err := v.move(ctx, record, set)
		switch {
		case errors.Is(err, storage.ErrCorrupt), errors.Is(err, storage.ErrNewer), errors.Is(err, ErrNoKey):
			damaged = append(damaged, fmt.Errorf("secret %s: %w", record.ID, err))
		case err != nil:
			return nil, moved, err
		case did:
			moved++
		}
	}
	return set, moved, errors.Join(damaged...)
}

// move seals the secret of a record again when its key is not the set's current.
func (v *Vault) move(ctx context.Context, record storage.Record, set *keyset) (bool, error) {
	for {
		d, err := parseDocument(record.ID, record.Data)
		if err != nil {
			return false, err
		}
		h, _, err := parseEnvelope(d.Sealed)
		if err != nil {
			return false, err
		}
		// A key newer than the set's is newer than this rotation.
		if h.key.version >= set.current().id.version {
			return false, nil
		}
		plain, h, err := v.open(ctx, d.Ref, d.Sealed, set)
		if err != nil {
			return false, err
		}
		if h.expired(v.now()) {
			clear(plain)
			_, err = v.records.Write(ctx, storage.RecordWrite{Op: storage.OpDelete, Collection: secretsCollection, ID: record.ID, Version: record.Version})
		} else {
			_, err = v.store(ctx, d.Ref, plain, h.expires, set, storage.OpUpdate, record.Version)
			clear(plain)
		}
		switch {
		case err == nil:
			return !h.expired(v.now()), nil
		case conflictOf(err, keysCollection):
			if set, err = v.readKeyset(ctx); err != nil {
				return false, err
			}
		case !errors.Is(err, storage.ErrConflict):
			return false, err
		}
		if record, err = v.records.Get(ctx, secretsCollection, record.ID); errors.Is(err, storage.ErrNotFound) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("vault: reading a secret: %w", err)
		}
	}
}

// Prune drops all data keys but the current one, and returns how many. Secrets
// still under an old key are moved first; when one does not decrypt, nothing is
// dropped, and the error names it.
func (v *Vault) Prune(ctx context.Context) (int, error) {
	for {
		set, _, err := v.reencrypt(ctx)
		if err != nil || set == nil || len(set.entries) == 1 {
			return 0, err
		}
		// That the keys are still this set proves that no secret was stored under
		// another key meanwhile.
		_, err = v.writeKeyset(ctx, storage.OpUpdate, set.version, []entry{set.current()})
		if err == nil {
			return len(set.entries) - 1, nil
		}
		if !errors.Is(err, storage.ErrConflict) {
			return 0, err
		}
	}
}

// changeKeys replaces the keyset by what change makes of it, again whenever
// someone else was faster. Without keys it does nothing, unless create says to
// make them.
func (v *Vault) changeKeys(ctx context.Context, create bool, change func(*keyset) ([]entry, error)) error {
	if err := v.usable(); err != nil {
		return err
	}
	for {
		set, err := v.keyset(ctx, create)
		if !create && errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		entries, err := change(set)
		if err != nil {
			return err
		}
		_, err = v.writeKeyset(ctx, storage.OpUpdate, set.version, entries)
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
}
