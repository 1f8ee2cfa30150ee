// Package vault keeps credentials and tokens encrypted.
//
// A [Vault] belongs to one tenant and lies in the tenant's records. Secrets are
// sealed with AES-256-GCM under a data key of the tenant; data keys are random,
// and are themselves stored only wrapped by a master key that the store never
// sees: a [KeyWrapper], which is a key file ([OpenKeyFile]), keys handed in
// ([NewLocalKeys]), the operating system's keyring (package keyring), or a key
// management service.
//
// Tenant, user, provider, name, data key and expiry are bound to every secret as
// additional data. One that was copied to another row, user or tenant, shortened
// or changed, or read from a stolen database without the master key, does not
// decrypt.
//
// What this cannot do: whoever may write the database can delete secrets, or put
// back an older state of a row, which was genuine once. Keys and secrets in use
// are in the process's memory; they are cleared after use, but Go's runtime keeps
// copies of its own (the expanded AES key, for instance) until it uses the memory
// again, and a core dump or swap file may hold them.
package vault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// ErrNoKey: the key that a secret needs is not at hand: the master key is another
// one, or the tenant's data keys were lost.
//
// Beside it, callers branch on storage.ErrNotFound, storage.ErrCorrupt (a secret
// does not authenticate: it was changed, shortened, or moved here from another
// row, user or tenant), storage.ErrNewer (it has a format that this program does
// not know) and what else the store's records return.
var ErrNoKey = errors.New("vault: key is not at hand")

// Limits of the arguments, in bytes.
const (
	MaxUser     = 128
	MaxProvider = 64
	MaxName     = 64
	MaxSecret   = 64 << 10
)

// The collections of a tenant's records in which a vault lies.
const (
	secretsCollection = "vault-secrets"
	keysCollection    = "vault-keys"
)

// Tenant is what a vault needs of a storage.Tenant.
type Tenant interface {
	ID() storage.TenantID
	Records() (storage.Records, error)
}

// A Ref names a secret of the tenant. Its parts are UTF-8 text without control
// characters, and are stored readable.
type Ref struct {
	// User is whose secret it is: 1 to 128 bytes.
	User string `json:"user"`
	// Provider is whom it is for, such as "tastytrade": 1 to 64 bytes.
	Provider string `json:"provider"`
	// Name tells apart several secrets for one provider, such as
	// "sandbox/refresh-token": at most 64 bytes, and may be empty.
	Name string `json:"name,omitempty"`
}

// Validate returns a *FieldError unless r can name a secret.
func (r Ref) Validate() error {
	if err := storage.CheckText("user", r.User, MaxUser); err != nil {
		return err
	}
	if err := storage.CheckText("provider", r.Provider, MaxProvider); err != nil {
		return err
	}
	if r.Name == "" {
		return nil
	}
	return storage.CheckText("name", r.Name, MaxName)
}

// id is the record under which the secret lies.
func (r Ref) id() string {
	var b []byte
	for _, s := range []string{r.User, r.Provider, r.Name} {
		b = appendField(b, s)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// A document is the record of a secret.
type document struct {
	Ref
	Sealed []byte `json:"sealed"` // the envelope
}

// The separator sorts before any character that a part may have.
const separator = "\x1f"

// write is the step that stores an envelope.
func (r Ref) write(op storage.Op, version storage.Version, envelope []byte) (storage.RecordWrite, error) {
	data, err := json.Marshal(document{Ref: r, Sealed: envelope})
	if err != nil {
		return storage.RecordWrite{}, fmt.Errorf("vault: %w", err)
	}
	return storage.RecordWrite{
		Op: op, Collection: secretsCollection, ID: r.id(), Version: version, Data: data,
		Fields: []storage.Field{
			storage.Text("user", r.User),
			storage.Text("ref", r.User+separator+r.Provider+separator+r.Name),
		},
	}, nil
}

// parseDocument reads the record of a secret. That it says to be at the right
// place is no proof; decrypting it is.
func parseDocument(id string, data []byte) (document, error) {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return document{}, fmt.Errorf("vault: %w: not the record of a secret", storage.ErrCorrupt)
	}
	if d.Validate() != nil || d.id() != id {
		return document{}, fmt.Errorf("vault: %w: the record of another secret", storage.ErrCorrupt)
	}
	return d, nil
}

// Options are the settings of a [Vault]. The zero value works.
type Options struct {
	// KeepKeys is how long an unwrapped data key stays in memory after it was
	// unwrapped, so that not every call asks the key wrapper: 5 minutes when 0.
	// A negative value keeps none.
	KeepKeys time.Duration
	// Now is the clock by which secrets expire; nil means time.Now.
	Now func() time.Time
}

// A Vault keeps the secrets of one tenant. It is safe for concurrent use, also
// by several processes over one store, while keys are rotated.
type Vault struct {
	tenant  storage.TenantID
	records storage.Records
	wrapper KeyWrapper
	keep    time.Duration
	now     func() time.Time

	mu     sync.Mutex
	closed bool
	set    *keyset          // as last read
	plain  map[keyID]Secret // unwrapped data keys
	forget *time.Timer      // clears plain
}

// Open returns the tenant's vault. It reads nothing yet: the first secret that
// is stored creates the tenant's data key. Opts may be nil.
func Open(tenant Tenant, wrapper KeyWrapper, opts *Options) (*Vault, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if tenant == nil {
		return nil, invalid.Missing("tenant", "an opened tenant")
	}
	if wrapper == nil {
		return nil, invalid.Missing("wrapper", "a master key")
	}
	if o.KeepKeys == 0 {
		o.KeepKeys = 5 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	records, err := tenant.Records()
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return &Vault{
		tenant: tenant.ID(), records: records, wrapper: wrapper,
		keep: o.KeepKeys, now: o.Now, plain: map[keyID]Secret{},
	}, nil
}

// Close clears the keys in memory. The store stays open; it is the caller's.
func (v *Vault) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	v.clear()
	return nil
}

// Get returns a secret. Destroy it after use. The error is storage.ErrNotFound
// when there is none or it has expired, storage.ErrCorrupt when it does not
// authenticate, and ErrNoKey when its key is not at hand.
func (v *Vault) Get(ctx context.Context, ref Ref) (Secret, error) {
	s, _, err := v.get(ctx, ref)
	return s, err
}

func (v *Vault) get(ctx context.Context, ref Ref) (Secret, storage.Version, error) {
	if err := v.ready(ref); err != nil {
		return Secret{}, 0, err
	}
	var before storage.Version
	for {
		record, err := v.records.Get(ctx, secretsCollection, ref.id())
		if err != nil {
			return Secret{}, 0, fmt.Errorf("vault: reading a secret: %w", err)
		}
		d, err := parseDocument(record.ID, record.Data)
		if err != nil {
			return Secret{}, 0, err
		}
		plain, h, err := v.open(ctx, ref, d.Sealed, nil)
		// Between reading the secret and reading the keys it may have moved to
		// another key, and its own may have been dropped.
		if errors.Is(err, ErrNoKey) && record.Version != before {
			before = record.Version
			continue
		}
		if err != nil {
			return Secret{}, 0, err
		}
		if h.expired(v.now()) {
			clear(plain)
			return Secret{}, 0, fmt.Errorf("vault: reading a secret: %w", storage.ErrNotFound)
		}
		return own(plain), record.Version, nil
	}
}

// Put stores a secret in place of the one that was there. It expires after ttl,
// to the millisecond; 0 means never. The secret stays the caller's to destroy.
func (v *Vault) Put(ctx context.Context, ref Ref, secret Secret, ttl time.Duration) error {
	if err := v.ready(ref); err != nil {
		return err
	}
	return v.put(ctx, ref, secret, ttl, storage.OpPut, storage.NoVersion)
}

// Update replaces a secret by what change makes of it: for tokens that are
// exchanged for their successors. When someone else replaces the secret
// meanwhile, change is called again with theirs; an error of change ends the
// update and is returned. Change must not keep the secret that it is given,
// which is destroyed afterwards; what it returns is destroyed too. Ttl is as in
// Put.
//
// A token that may be exchanged only once needs a storage.Locks around the
// update, so that no two processes offer it.
func (v *Vault) Update(ctx context.Context, ref Ref, ttl time.Duration, change func(Secret) (Secret, error)) error {
	for {
		old, version, err := v.get(ctx, ref)
		if err != nil {
			return err
		}
		changed, err := change(old)
		if err != nil {
			old.Destroy()
			return err
		}
		err = v.put(ctx, ref, changed, ttl, storage.OpUpdate, version)
		old.Destroy()
		changed.Destroy()
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
}

func (v *Vault) put(ctx context.Context, ref Ref, secret Secret, ttl time.Duration, op storage.Op, version storage.Version) error {
	if ttl < 0 {
		return invalid.Field("ttl", ttl, "0 for no expiry, or a positive duration")
	}
	var expires int64
	if ttl > 0 {
		expires = v.now().Add(ttl).UnixMilli()
	}
	return secret.Use(func(plain []byte) error {
		if len(plain) > MaxSecret {
			return invalid.Fieldf("secret", nil, "at most %d bytes", MaxSecret)
		}
		for {
			set, err := v.keyset(ctx, true)
			if err != nil {
				return err
			}
			_, err = v.store(ctx, ref, plain, expires, set, op, version)
			if !conflictOf(err, keysCollection) {
				return err
			}
		}
	})
}

// store seals plain under the current key of set, and stores it only if the
// tenant's keys are still that set: so no secret is ever stored under a key that
// a rotation has dropped. A conflict of the keys is the caller's to resolve.
func (v *Vault) store(ctx context.Context, ref Ref, plain []byte, expires int64, set *keyset, op storage.Op, version storage.Version) (storage.Version, error) {
	envelope, err := v.seal(ctx, ref, set.current(), expires, plain)
	if err != nil {
		return 0, err
	}
	write, err := ref.write(op, version, envelope)
	if err != nil {
		return 0, err
	}
	versions, err := v.records.Write(ctx, set.check(), write)
	if err != nil {
		return 0, fmt.Errorf("vault: storing a secret: %w", err)
	}
	return versions[1], nil
}

// conflictOf tells whether err is a conflict in that collection.
func conflictOf(err error, collection string) bool {
	conflict, ok := errors.AsType[*storage.ConflictError](err)
	return ok && conflict.Collection == collection
}

// Delete removes a secret. Deleting what is not there is no error.
func (v *Vault) Delete(ctx context.Context, ref Ref) error {
	if err := v.ready(ref); err != nil {
		return err
	}
	_, err := v.records.Write(ctx, storage.RecordWrite{Op: storage.OpDelete, Collection: secretsCollection, ID: ref.id()})
	if err != nil {
		return fmt.Errorf("vault: deleting a secret: %w", err)
	}
	return nil
}

// All yields the refs of the tenant's secrets, those of one user only when user
// is not empty, ordered by user, provider and name. It decrypts nothing: that a
// secret is listed does not mean that it authenticates. It ends at the first
// error.
func (v *Vault) All(ctx context.Context, user string) iter.Seq2[Ref, error] {
	q := storage.RecordQuery{Order: "ref", Limit: 1000}
	if user != "" {
		q.Where = []storage.Field{storage.Text("user", user)}
	}
	return func(yield func(Ref, error) bool) {
		for record, err := range v.scan(ctx, q) {
			if err != nil {
				yield(Ref{}, err)
				return
			}
			d, err := parseDocument(record.ID, record.Data)
			if err != nil {
				yield(Ref{}, err)
				return
			}
			if h, _, err := parseEnvelope(d.Sealed); err == nil && h.expired(v.now()) {
				continue
			}
			if !yield(d.Ref, nil) {
				return
			}
		}
	}
}

// scan yields the records of secrets, page after page.
func (v *Vault) scan(ctx context.Context, q storage.RecordQuery) iter.Seq2[storage.Record, error] {
	return func(yield func(storage.Record, error) bool) {
		if err := v.usable(); err != nil {
			yield(storage.Record{}, err)
			return
		}
		for {
			page, err := v.records.List(ctx, secretsCollection, q)
			if err != nil {
				yield(storage.Record{}, fmt.Errorf("vault: listing secrets: %w", err))
				return
			}
			for _, record := range page.Records {
				if !yield(record, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			q.Cursor = page.Next
		}
	}
}

func (v *Vault) ready(ref Ref) error {
	if err := ref.Validate(); err != nil {
		return err
	}
	return v.usable()
}

func (v *Vault) usable() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return fmt.Errorf("vault: %w", storage.ErrClosed)
	}
	return nil
}

// String says whose vault it is, and nothing of what it holds.
func (v *Vault) String() string { return fmt.Sprintf("vault of tenant %q", string(v.tenant)) }
