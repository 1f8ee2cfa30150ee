package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ttai-go/ttai/storage"
)

// TestDirectory checks the contract of storage.Directory.
func TestDirectory(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"a login is found by whom it was claimed for", testDirectoryFind},
		{"a claimed login is refused to others", testDirectoryClaimed},
		{"of racing claims one wins", testDirectoryRace},
		{"a login is released by its tenant only", testDirectoryRelease},
		{"tenants are listed once each in byte order", testDirectoryTenants},
		{"bad arguments are refused by name", testDirectoryRefusals},
		{"a cancelled context ends every method", testDirectoryCancelled},
		{"two processes see each other's claims", testDirectorySecond},
		{"what was claimed survives", testDirectoryReopen},
		{"a closed store says so", testDirectoryClosed},
	})
}

func (r *rig) directory() storage.Directory { r.t.Helper(); return directoryOf(r.t, r.store) }

func directoryOf(t *testing.T, s storage.Store) storage.Directory {
	t.Helper()
	d, err := s.Directory()
	check(t, err)
	return d
}

func entry(login string, tenant storage.TenantID) storage.DirectoryEntry {
	return storage.DirectoryEntry{Login: login, Tenant: tenant, User: "user of " + strings.ToValidUTF8(login[:min(9, len(login))], "")}
}

func wantLogin(t *testing.T, d storage.Directory, login string, tenant storage.TenantID) {
	t.Helper()
	got, err := d.Find(t.Context(), login)
	check(t, err)
	want(t, "owner", got, entry(login, tenant))
}

func tenantsOf(t *testing.T, d storage.Directory) []storage.TenantID {
	t.Helper()
	var out []storage.TenantID
	for id, err := range d.Tenants(t.Context()) {
		check(t, err)
		out = append(out, id)
	}
	return out
}

func testDirectoryFind(r *rig) {
	t, d := r.t, r.directory()
	_, err := d.Find(t.Context(), "never@example.com")
	wantIs(t, err, storage.ErrNotFound)
	logins := []string{"a@example.com", "A@example.com", "https://issuer/|sub", "é@x", "e\u0301@x", "'; --", strings.Repeat("l", 512)}
	for i, login := range logins {
		check(t, d.Claim(t.Context(), entry(login, hostile[i])))
	}
	for i, login := range logins {
		wantLogin(t, d, login, hostile[i])
	}
}

func testDirectoryClaimed(r *rig) {
	t, d := r.t, r.directory()
	mine := entry("a@x", "alice")
	check(t, d.Claim(t.Context(), mine))
	check(t, d.Claim(t.Context(), mine))
	wantIs(t, d.Claim(t.Context(), entry("a@x", "bob")), storage.ErrConflict)
	other := mine
	other.User = "another"
	wantIs(t, d.Claim(t.Context(), other), storage.ErrConflict)
	wantLogin(t, d, "a@x", "alice")
}

func testDirectoryRace(r *rig) {
	t, d := r.t, r.directory()
	var wins atomic.Int32
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			err := d.Claim(t.Context(), entry("a@x", storage.TenantID(fmt.Sprint(i))))
			if err == nil {
				wins.Add(1)
			} else if !errors.Is(err, storage.ErrConflict) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	want(t, "winners", wins.Load(), 1)
}

func testDirectoryRelease(r *rig) {
	t, d := r.t, r.directory()
	check(t, d.Claim(t.Context(), entry("a@x", "alice")))
	check(t, d.Release(t.Context(), "bob", "a@x"))
	wantLogin(t, d, "a@x", "alice")
	check(t, d.Release(t.Context(), "alice", "a@x"))
	check(t, d.Release(t.Context(), "alice", "a@x"))
	_, err := d.Find(t.Context(), "a@x")
	wantIs(t, err, storage.ErrNotFound)
	wantAll(t, "tenants", tenantsOf(t, d), nil)
	check(t, d.Claim(t.Context(), entry("a@x", "bob")))
}

func testDirectoryTenants(r *rig) {
	t, d := r.t, r.directory()
	wantAll(t, "tenants", tenantsOf(t, d), nil)
	for i, id := range hostile {
		check(t, d.Claim(t.Context(), entry(fmt.Sprint(i, "@x"), id)))
		check(t, d.Claim(t.Context(), entry(fmt.Sprint(i, "@y"), id)))
	}
	wantAll(t, "tenants", tenantsOf(t, d), slices.Sorted(slices.Values(hostile)))
	for id, err := range d.Tenants(t.Context()) {
		check(t, err)
		check(t, d.Claim(t.Context(), entry("more", id)))
		break
	}
}

func testDirectoryRefusals(r *rig) {
	t, d := r.t, r.directory()
	for field, e := range map[string]storage.DirectoryEntry{
		"Login": {Tenant: "a", User: "u"}, "tenant": {Login: "a", User: "u"}, "User": {Login: "a", Tenant: "a"},
	} {
		wantField(t, d.Claim(t.Context(), e), field)
	}
}

func testDirectoryCancelled(r *rig) {
	t, d, ctx := r.t, r.directory(), cancelled(r.t)
	wantIs(t, d.Claim(ctx, entry("a@x", "alice")), context.Canceled)
	_, err := d.Find(ctx, "a@x")
	wantIs(t, err, context.Canceled)
	wantIs(t, d.Release(ctx, "alice", "a@x"), context.Canceled)
	for _, err := range d.Tenants(ctx) {
		wantIs(t, err, context.Canceled)
	}
	wantAll(t, "tenants", tenantsOf(t, d), nil)
}

func testDirectorySecond(r *rig) {
	t, d := r.t, r.directory()
	other := directoryOf(t, r.second())
	check(t, d.Claim(t.Context(), entry("a@x", "alice")))
	wantLogin(t, other, "a@x", "alice")
	wantIs(t, other.Claim(t.Context(), entry("a@x", "bob")), storage.ErrConflict)
}

func testDirectoryReopen(r *rig) {
	check(r.t, r.directory().Claim(r.t.Context(), entry("a@x", "alice")))
	r.crash()
	wantLogin(r.t, r.directory(), "a@x", "alice")
}

func testDirectoryClosed(r *rig) {
	t, d := r.t, r.directory()
	check(t, r.store.Close())
	wantIs(t, d.Claim(t.Context(), entry("a@x", "alice")), storage.ErrClosed)
	_, err := d.Find(t.Context(), "a@x")
	wantIs(t, err, storage.ErrClosed)
	wantIs(t, d.Release(t.Context(), "alice", "a@x"), storage.ErrClosed)
}
