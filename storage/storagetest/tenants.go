package storagetest

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/ttai-go/ttai/storage"
)

// TestTenants checks the contract of storage.Store and storage.Tenant.
func TestTenants(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"ids that name nobody are refused", testBadTenants},
		{"names of things are refused by their rule", testBadNames},
		{"what is missing says so, and what is there opens", testCapabilities},
		{"handles of a closed store say closed", testClosedHandles},
		{"tenants are opened from many goroutines", testManyTenants},
	})
}

func testBadTenants(r *rig) {
	for _, id := range []storage.TenantID{"", storage.TenantID(strings.Repeat("t", 129)), "a\xff"} {
		_, err := r.store.For(id)
		wantField(r.t, err, "tenant")
	}
	for _, id := range hostile {
		r.tenant(id)
	}
}

// opened are the capabilities that take a name.
var named = []struct {
	field string
	open  func(storage.Tenant, string) error
}{
	{"space", func(t storage.Tenant, n string) error { _, err := t.KV(n); return err }},
	{"bucket", func(t storage.Tenant, n string) error { _, err := t.Objects(n); return err }},
	{"collection", func(t storage.Tenant, n string) error { _, err := t.Vectors(n, 3); return err }},
	{"queue", func(t storage.Tenant, n string) error { _, err := t.Queue(n, nil); return err }},
	{"journal", func(t storage.Tenant, n string) error { _, err := t.Journal(n); return err }},
}

func testBadNames(r *rig) {
	tenant := r.tenant("alice")
	for _, thing := range named {
		if err := thing.open(tenant, strings.Repeat("s", 64)); errors.Is(err, storage.ErrUnsupported) {
			continue
		} else if err != nil {
			r.t.Fatal(err)
		}
		for _, name := range []string{"", "Upper", "a/b", "a b", "é", strings.Repeat("s", 65)} {
			wantField(r.t, thing.open(tenant, name), thing.field)
		}
	}
	if _, err := tenant.Vectors("x", 3); err == nil {
		_, err = tenant.Vectors("x", -1)
		wantField(r.t, err, "dims")
		_, err = tenant.Vectors("x", 4097)
		wantField(r.t, err, "dims")
	}
	if _, err := tenant.Queue("x", nil); err == nil {
		_, err = tenant.Queue("x", &storage.QueueOptions{Lease: -1})
		wantField(r.t, err, "Lease")
	}
}

// all opens everything that a tenant has and returns the errors.
func all(t storage.Tenant) map[string]error {
	errs := map[string]error{}
	for _, thing := range named {
		errs[thing.field] = thing.open(t, "x")
	}
	_, errs["events"] = t.PubSub()
	_, errs["locks"] = t.Locks()
	_, errs["limits"] = t.Limiter()
	_, errs["records"] = t.Records()
	return errs
}

func testCapabilities(r *rig) {
	some := false
	for what, err := range all(r.tenant("alice")) {
		if err != nil && !errors.Is(err, storage.ErrUnsupported) {
			r.t.Errorf("%s: %v", what, err)
		}
		some = some || err == nil
	}
	if !some {
		r.t.Error("the store has nothing at all")
	}
}

func testClosedHandles(r *rig) {
	tenant := r.tenant("alice")
	before := all(tenant)
	check(r.t, r.store.Close())
	if _, err := r.store.For("alice"); !errors.Is(err, storage.ErrClosed) {
		r.t.Errorf("For: got %v, want ErrClosed", err)
	}
	for what, err := range all(tenant) {
		// A handle may be given out: then its use says closed, as the suites check.
		if before[what] == nil && err != nil && !errors.Is(err, storage.ErrClosed) {
			r.t.Errorf("%s: got %v, want ErrClosed", what, err)
		}
	}
	check(r.t, r.store.Close())
}

func testManyTenants(r *rig) {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, id := range hostile {
				h, err := r.store.For(id)
				if err != nil || h.ID() != id {
					r.t.Errorf("%q: %v", id, err)
				}
			}
		})
	}
	group.Wait()
}
