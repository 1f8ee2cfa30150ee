package vault

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// keySize is the length of master and data keys: AES-256.
const keySize = 32

// keysID is the record that has a tenant's data keys, wrapped.
const keysID = "keys"

// A keyset is all data keys of a tenant, the current one last, in one record,
// which every write of a secret checks:
//
//	"TTK"      3 bytes
//	format     1 byte, 1
//	count      2 bytes, then for each key
//	  key      4 bytes version, 8 bytes random id
//	  created, superseded   8 bytes each, Unix milliseconds
//	  master   2 bytes length, the id of the master key
//	  wrapped  2 bytes length, the wrapped key
//	mac        32 bytes, HMAC-SHA256 under a key derived from the current key
//
// The MAC keeps anyone who cannot unwrap a key from reordering or dropping
// keys. A keyset is not changed after it was read.
type keyset struct {
	version storage.Version // of the record
	entries []entry
}

// An entry is one wrapped data key.
type entry struct {
	id         keyID
	created    int64 // Unix milliseconds
	superseded int64 // Unix milliseconds; 0: it is the current key
	master     string
	wrapped    []byte
}

const (
	keysetMagic  = "TTK"
	keysetFormat = 1
	maxKeys      = 1000
	maxMasterID  = 512
	maxWrapped   = 8 << 10
)

func (s *keyset) current() entry { return s.entries[len(s.entries)-1] }

// check is the step that makes other writes depend on the keyset.
func (s *keyset) check() storage.RecordWrite {
	return storage.RecordWrite{Op: storage.OpCheck, Collection: keysCollection, ID: keysID, Version: s.version}
}

// keysDocument is the record of a keyset.
type keysDocument struct {
	Keyset []byte `json:"keyset"`
}

func (s *keyset) find(id keyID) (entry, bool) {
	for _, e := range s.entries {
		if e.id == id {
			return e, true
		}
	}
	return entry{}, false
}

// encode returns the keyset without its MAC.
func (s *keyset) encode() []byte {
	b := append([]byte(keysetMagic), keysetFormat)
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.entries)))
	for _, e := range s.entries {
		b = e.id.append(b)
		b = binary.BigEndian.AppendUint64(b, uint64(e.created))
		b = binary.BigEndian.AppendUint64(b, uint64(e.superseded))
		b = binary.BigEndian.AppendUint16(b, uint16(len(e.master)))
		b = append(b, e.master...)
		b = binary.BigEndian.AppendUint16(b, uint16(len(e.wrapped)))
		b = append(b, e.wrapped...)
	}
	return b
}

var errKeyset = fmt.Errorf("vault: %w: the tenant's keys", storage.ErrCorrupt)

// parseKeyset splits a stored keyset into its entries, the bytes that the MAC
// covers, and the MAC.
func parseKeyset(b []byte) (entries []entry, body, mac []byte, err error) {
	if len(b) < 6+sha256.Size || string(b[:3]) != keysetMagic {
		return nil, nil, nil, errKeyset
	}
	if b[3] > keysetFormat {
		return nil, nil, nil, fmt.Errorf("vault: %w: keyset format %d", storage.ErrNewer, b[3])
	}
	body, mac = b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	count := int(binary.BigEndian.Uint16(b[4:]))
	if b[3] != keysetFormat || count == 0 || count > maxKeys {
		return nil, nil, nil, errKeyset
	}
	rest := body[6:]
	field := func(limit int) ([]byte, bool) {
		if len(rest) < 2 {
			return nil, false
		}
		n := int(binary.BigEndian.Uint16(rest))
		if n > limit || len(rest) < 2+n {
			return nil, false
		}
		value := rest[2 : 2+n]
		rest = rest[2+n:]
		return value, true
	}
	last := uint32(0)
	for i := range count {
		if len(rest) < 28 {
			return nil, nil, nil, errKeyset
		}
		e := entry{
			id:         keyID{version: binary.BigEndian.Uint32(rest)},
			created:    int64(binary.BigEndian.Uint64(rest[12:])),
			superseded: int64(binary.BigEndian.Uint64(rest[20:])),
		}
		copy(e.id.random[:], rest[4:])
		rest = rest[28:]
		master, ok := field(maxMasterID)
		if !ok {
			return nil, nil, nil, errKeyset
		}
		wrapped, ok := field(maxWrapped)
		if !ok || e.id.version <= last || (e.superseded == 0) != (i == count-1) {
			return nil, nil, nil, errKeyset
		}
		last = e.id.version
		e.master, e.wrapped = string(master), append([]byte(nil), wrapped...)
		entries = append(entries, e)
	}
	if len(rest) != 0 {
		return nil, nil, nil, errKeyset
	}
	return entries, body, mac, nil
}

// mac authenticates an encoded keyset under its current key.
func (v *Vault) mac(dataKey, body []byte) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, dataKey, nil, "ttai vault keyset", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	defer clear(key)
	h := hmac.New(sha256.New, key)
	h.Write(appendField(nil, string(v.tenant)))
	h.Write(body)
	return h.Sum(nil), nil
}

// binding is what a wrapped data key is bound to.
func (v *Vault) binding(id keyID) []byte {
	b := appendField(nil, "ttai vault data key")
	return id.append(appendField(b, string(v.tenant)))
}

// newEntry makes a data key.
func (v *Vault) newEntry(ctx context.Context, version uint32) (entry, error) {
	e := entry{id: keyID{version: version}, created: v.now().UnixMilli()}
	key := make([]byte, keySize)
	defer clear(key)
	_, _ = rand.Read(key) // it never fails
	_, _ = rand.Read(e.id.random[:])
	var err error
	e.master, e.wrapped, err = v.wrap(ctx, e.id, key)
	if err != nil {
		return entry{}, err
	}
	v.remember(e.id, key)
	return e, nil
}

func (v *Vault) wrap(ctx context.Context, id keyID, key []byte) (master string, wrapped []byte, err error) {
	master, wrapped, err = v.wrapper.Wrap(ctx, key, v.binding(id))
	if err != nil {
		return "", nil, fmt.Errorf("vault: wrapping a data key: %w", err)
	}
	if len(master) > maxMasterID || len(wrapped) > maxWrapped {
		return "", nil, fmt.Errorf("vault: the key wrapper's answer is too long: %d and %d bytes", len(master), len(wrapped))
	}
	return master, wrapped, nil
}

// keyset returns the tenant's keys as they are stored now, made when there are
// none and create says so.
func (v *Vault) keyset(ctx context.Context, create bool) (*keyset, error) {
	set, err := v.readKeyset(ctx)
	if !create || !errors.Is(err, storage.ErrNotFound) {
		return set, err
	}
	// Secrets without keys mean that the keys were lost. New ones would hide it.
	for _, err := range v.scan(ctx, storage.RecordQuery{Limit: 1}) {
		if err != nil {
			return nil, err
		}
		// Or that somebody else has made both since they were looked for.
		if set, err := v.readKeyset(ctx); !errors.Is(err, storage.ErrNotFound) {
			return set, err
		}
		return nil, fmt.Errorf("%w: the tenant has secrets but its data keys are gone; restore them from a backup, or delete the secrets", ErrNoKey)
	}
	first, err := v.newEntry(ctx, 1)
	if err != nil {
		return nil, err
	}
	set, err = v.writeKeyset(ctx, storage.OpCreate, storage.NoVersion, []entry{first})
	if errors.Is(err, storage.ErrConflict) {
		return v.readKeyset(ctx) // someone else was first
	}
	return set, err
}

// readKeyset returns the tenant's keys as they are stored now, authenticated.
func (v *Vault) readKeyset(ctx context.Context) (*keyset, error) {
	record, err := v.records.Get(ctx, keysCollection, keysID)
	if err != nil {
		return nil, fmt.Errorf("vault: reading the tenant's keys: %w", err)
	}
	v.mu.Lock()
	known := v.set
	v.mu.Unlock()
	if known != nil && known.version == record.Version {
		return known, nil
	}
	var d keysDocument
	if err := json.Unmarshal(record.Data, &d); err != nil {
		return nil, errKeyset
	}
	entries, body, mac, err := parseKeyset(d.Keyset)
	if err != nil {
		return nil, err
	}
	set := &keyset{version: record.Version, entries: entries}
	key, err := v.dataKey(ctx, set.current())
	if err != nil {
		return nil, err
	}
	defer clear(key)
	want, err := v.mac(key, body)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(mac, want) {
		return nil, errKeyset
	}
	v.mu.Lock()
	v.set = set
	v.mu.Unlock()
	return set, nil
}

// writeKeyset stores entries, as op and version allow.
func (v *Vault) writeKeyset(ctx context.Context, op storage.Op, version storage.Version, entries []entry) (*keyset, error) {
	set := &keyset{entries: entries}
	key, err := v.dataKey(ctx, set.current())
	if err != nil {
		return nil, err
	}
	defer clear(key)
	body := set.encode()
	mac, err := v.mac(key, body)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(keysDocument{append(body, mac...)})
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	versions, err := v.records.Write(ctx, storage.RecordWrite{Op: op, Collection: keysCollection, ID: keysID, Version: version, Data: data})
	if err != nil {
		return nil, fmt.Errorf("vault: storing the tenant's keys: %w", err)
	}
	set.version = versions[0]
	v.mu.Lock()
	v.set = set
	v.mu.Unlock()
	return set, nil
}

// keyOf returns a copy of the data key that an envelope names, which the
// caller clears.
func (v *Vault) keyOf(ctx context.Context, id keyID, set *keyset) ([]byte, error) {
	if key, ok := v.recall(id); ok {
		return key, nil
	}
	if set == nil {
		var err error
		if set, err = v.readKeyset(ctx); errors.Is(err, storage.ErrNotFound) {
			return nil, fmt.Errorf("%w: the tenant has no data keys", ErrNoKey)
		} else if err != nil {
			return nil, err
		}
	}
	e, ok := set.find(id)
	if !ok {
		return nil, fmt.Errorf("%w: the tenant has no data key %v", ErrNoKey, id)
	}
	return v.dataKey(ctx, e)
}

// dataKey returns a copy of a data key, which the caller clears. When its master
// key is not at hand, the keys may have been wrapped by another one since e was
// read, and that one is tried.
func (v *Vault) dataKey(ctx context.Context, e entry) ([]byte, error) {
	for {
		if key, ok := v.recall(e.id); ok {
			return key, nil
		}
		key, err := v.wrapper.Unwrap(ctx, e.master, e.wrapped, v.binding(e.id))
		if errors.Is(err, ErrNoKey) {
			if again, ok := v.rewrapped(ctx, e); ok {
				e = again
				continue
			}
		}
		if err != nil {
			return nil, fmt.Errorf("vault: unwrapping data key %v: %w", e.id, err)
		}
		if len(key) != keySize {
			clear(key)
			return nil, fmt.Errorf("vault: %w: data key %v", storage.ErrCorrupt, e.id)
		}
		v.remember(e.id, key)
		return key, nil
	}
}

// rewrapped returns the stored entry of the same key when it is not e. It needs
// no MAC: a wrapped key authenticates itself.
func (v *Vault) rewrapped(ctx context.Context, e entry) (entry, bool) {
	record, err := v.records.Get(ctx, keysCollection, keysID)
	if err != nil {
		return entry{}, false
	}
	var d keysDocument
	if err := json.Unmarshal(record.Data, &d); err != nil {
		return entry{}, false
	}
	entries, _, _, err := parseKeyset(d.Keyset)
	if err != nil {
		return entry{}, false
	}
	again, ok := (&keyset{entries: entries}).find(e.id)
	return again, ok && (again.master != e.master || !bytes.Equal(again.wrapped, e.wrapped))
}

// recall returns a copy of a data key in memory.
func (v *Vault) recall(id keyID) ([]byte, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.plain[id]
	if !ok {
		return nil, false
	}
	return s.hold(copyOut)
}

// remember keeps a copy of a data key for the time that the options allow.
func (v *Vault) remember(id keyID, key []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.plain[id]; ok || v.closed || v.keep < 0 {
		return
	}
	v.plain[id] = own(append([]byte(nil), key...))
	if v.forget == nil {
		v.forget = time.AfterFunc(v.keep, func() {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.clear()
		})
	}
}

// clear forgets all keys. The lock is held.
func (v *Vault) clear() {
	for id, key := range v.plain {
		key.Destroy()
		delete(v.plain, id)
	}
	if v.forget != nil {
		v.forget.Stop()
		v.forget = nil
	}
}
