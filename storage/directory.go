package storage

import (
	"context"
	"iter"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Directory is the one thing that spans tenants: who a login belongs to, asked
// before anything else is known of the caller, and which tenants there are, asked
// by schedulers. It holds nothing else. Implementations are safe for concurrent
// use and pass storagetest.TestDirectory.
type Directory interface {
	// Claim binds a login to a user of a tenant. Claiming again for the same user
	// is no error; ErrConflict when it is somebody else's. Of claims that race one
	// wins.
	Claim(ctx context.Context, entry DirectoryEntry) error
	// Find returns whose a login is, or ErrNotFound.
	Find(ctx context.Context, login string) (DirectoryEntry, error)
	// Release frees a login that is this tenant's. When it is not, nothing
	// happens, and that is no error.
	Release(ctx context.Context, tenant TenantID, login string) error
	// Tenants yields the tenants that have at least one login, in byte order. The
	// loop may use the store.
	Tenants(ctx context.Context) iter.Seq2[TenantID, error]
}

// A DirectoryEntry says whose a login is.
type DirectoryEntry struct {
	// Login is an e-mail address, or an issuer and subject; 1 to 512 bytes of
	// UTF-8 text without control characters. It is compared byte by byte: bring it
	// into one form first, e-mail addresses with [NormalEmail].
	Login  string
	Tenant TenantID
	User   string // the user's id within the tenant
}

// Validate returns a *FieldError unless the entry can be claimed. Adapters call it.
func (e DirectoryEntry) Validate() error {
	if err := CheckText("Login", e.Login, 512); err != nil {
		return err
	}
	if err := e.Tenant.Validate(); err != nil {
		return err
	}
	return CheckText("User", e.User, 256)
}

// NormalEmail returns an e-mail address in the form it is looked up by: without
// surrounding space and in lower case. A *FieldError: it is none.
func NormalEmail(address string) (string, error) {
	a := strings.ToLower(strings.TrimSpace(address))
	name, host, ok := strings.Cut(a, "@")
	if !ok || name == "" || host == "" || strings.ContainsAny(a, " \t,;<>\"") || strings.Contains(host, "@") || len(a) > 254 {
		return "", invalid.Field("email", address, "one e-mail address")
	}
	return a, CheckText("email", a, 254)
}
