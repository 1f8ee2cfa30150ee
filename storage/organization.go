package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/ttai-go/ttai/internal/invalid"
)

// ErrForbidden: the user's role, or state, does not allow it.
var ErrForbidden = errors.New("not allowed")

// A Staff manages the users of one tenant's organisation, with every rule of who
// may do what. Each change names the user who makes it. It is safe for concurrent
// use: two changes that together would break a rule conflict, and one is done.
//
// E-mail addresses are claimed in the directory before a user is stored, so that
// none can belong to two tenants; after a crash between the two, the same call
// finishes the work.
type Staff struct {
	tenant       TenantID
	handle       Tenant
	repositories *Repositories
	directory    Directory
}

// NewStaff returns the staff of a tenant.
func NewStaff(tenant Tenant, directory Directory) (*Staff, error) {
	r, err := Open(tenant)
	if err != nil {
		return nil, err
	}
	return &Staff{tenant: tenant.ID(), handle: tenant, repositories: r, directory: directory}, nil
}

// Found makes the organisation with its first owner. ErrConflict: there is one, or
// the address belongs to another tenant.
func (s *Staff) Found(ctx context.Context, o Organization, owner User) error {
	owner.Role, owner.State, owner.InvitedBy = Owner, Active, ""
	org, err := s.repositories.Organization.Write(OpCreate, &o, NoVersion)
	if err != nil {
		return err
	}
	return s.add(ctx, owner, org)
}

// add claims the address and stores the user with what else belongs to it.
func (s *Staff) add(ctx context.Context, u User, others ...RecordWrite) error {
	w, err := s.repositories.Users.Write(OpCreate, &u, NoVersion)
	if err != nil {
		return err
	}
	if err := s.directory.Claim(ctx, DirectoryEntry{Login: u.Email, Tenant: s.tenant, User: u.ID}); err != nil {
		return err
	}
	_, err = s.repositories.Records.Write(ctx, append(others, w)...)
	return err
}

// actor returns an active user of an organisation that is not suspended, when the
// user may do it, with checks that make a batch fail should that change meanwhile.
func (s *Staff) actor(ctx context.Context, id string, a Action) (User, []RecordWrite, error) {
	org, err := s.repositories.Organization.Get(ctx, OrganizationID)
	if err != nil {
		return User{}, nil, err
	}
	u, err := s.repositories.Users.Get(ctx, id)
	if err != nil {
		return User{}, nil, err
	}
	if !u.Value.May(a) || org.Value.Suspended {
		return u.Value, nil, fmt.Errorf("%s by %s %q: %w", a, u.Value.Role, id, ErrForbidden)
	}
	return u.Value, []RecordWrite{
		{Op: OpCheck, Collection: "organization", ID: OrganizationID, Version: org.Version},
		{Op: OpCheck, Collection: "users", ID: id, Version: u.Version},
	}, nil
}

// Invite adds a user who becomes active with [Staff.Accept]. Admins invite members
// only.
func (s *Staff) Invite(ctx context.Context, by string, u User) error {
	actor, checks, err := s.actor(ctx, by, MayInvite)
	if err != nil {
		return err
	}
	if u.Role != Member && !actor.May(MayChangeRoles) {
		return fmt.Errorf("inviting an %s: %w", u.Role, ErrForbidden)
	}
	u.State, u.InvitedBy = Invited, by
	return s.add(ctx, u, checks...)
}

// Accept makes an invited user active. ErrForbidden: the user was not invited.
func (s *Staff) Accept(ctx context.Context, id string) error {
	_, err := s.repositories.Users.Update(ctx, id, func(u *User) error {
		if u.State != Invited {
			return fmt.Errorf("accepting as %s: %w", u.State, ErrForbidden)
		}
		u.State = Active
		return nil
	})
	return err
}

// change changes another user, when the actor may and ranks above, and keeps at
// least one active owner.
func (s *Staff) change(ctx context.Context, by, id string, a Action, change func(actor User, u *User) error) error {
	actor, checks, err := s.actor(ctx, by, a)
	if err != nil {
		return err
	}
	got, err := s.repositories.Users.Get(ctx, id)
	if err != nil {
		return err
	}
	u := got.Value
	if by != id && actor.Role != Owner && u.Role.rank() >= actor.Role.rank() {
		return fmt.Errorf("%s of an %s: %w", a, u.Role, ErrForbidden)
	}
	if err := change(actor, &u); err != nil {
		return err
	}
	if got.Value.Role == Owner && (u.Role != Owner || u.State != Active) {
		other, err := s.otherOwner(ctx, id)
		if err != nil {
			return err
		}
		checks = append(checks, other)
	}
	w, err := s.repositories.Users.Write(OpUpdate, &u, got.Version)
	if err != nil {
		return err
	}
	_, err = s.repositories.Records.Write(ctx, append(checks, w)...)
	return err
}

// otherOwner returns a check that an active owner besides id stays one.
func (s *Staff) otherOwner(ctx context.Context, id string) (RecordWrite, error) {
	owners := RecordQuery{Where: []Field{Text("role", string(Owner)), Text("state", string(Active))}}
	for u, err := range s.repositories.Users.All(ctx, owners) {
		if err != nil {
			return RecordWrite{}, err
		}
		if u.Value.ID != id {
			return RecordWrite{Op: OpCheck, Collection: "users", ID: u.Value.ID, Version: u.Version}, nil
		}
	}
	return RecordWrite{}, fmt.Errorf("the last active owner stays: %w", ErrForbidden)
}

// SetRole changes a user's role; only owners may.
func (s *Staff) SetRole(ctx context.Context, by, id string, role Role) error {
	return s.change(ctx, by, id, MayChangeRoles, func(_ User, u *User) error {
		u.Role = role
		return nil
	})
}

// Suspend keeps a user from doing anything; Reinstate allows it again. Nobody
// suspends somebody of their own or a higher role, but owners do.
func (s *Staff) Suspend(ctx context.Context, by, id string) error {
	return s.change(ctx, by, id, MaySuspend, func(_ User, u *User) error {
		u.State = Suspended
		return nil
	})
}

// Reinstate makes a suspended user active again.
func (s *Staff) Reinstate(ctx context.Context, by, id string) error {
	return s.change(ctx, by, id, MaySuspend, func(_ User, u *User) error {
		if u.State != Suspended {
			return invalid.Field("state", string(u.State), "a suspended user")
		}
		u.State = Active
		return nil
	})
}

// Remove deletes a user and frees the address. Nobody removes the last owner.
func (s *Staff) Remove(ctx context.Context, by, id string) error {
	var email string
	err := s.change(ctx, by, id, MaySuspend, func(_ User, u *User) error {
		u.State, email = Suspended, u.Email // from now on the user may do nothing
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.repositories.Users.Delete(ctx, id); err != nil {
		return err
	}
	return s.directory.Release(ctx, s.tenant, email)
}

// An ExportedRecord is one line of an export.
type ExportedRecord struct {
	Collection string          `json:"collection"`
	ID         string          `json:"id"`
	Data       json.RawMessage `json:"data"`
}

// Export writes all of the organisation's records as JSON lines, in the order of
// [Collections] and ids. Tokens and credentials stay out: they are ciphertext that
// is worth nothing elsewhere.
func (s *Staff) Export(ctx context.Context, by string, w io.Writer) error {
	if _, _, err := s.actor(ctx, by, MayExport); err != nil {
		return err
	}
	out := json.NewEncoder(w)
	for _, collection := range Collections() {
		if secret(collection) {
			continue
		}
		for r, err := range allRecords(ctx, s.repositories.Records, collection) {
			if err != nil {
				return err
			}
			if err := out.Encode(ExportedRecord{collection, r.ID, r.Data}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ExportAll writes everything as a tar file: see [Archive].
func (s *Staff) ExportAll(ctx context.Context, by string, w io.Writer) error {
	if _, _, err := s.actor(ctx, by, MayExport); err != nil {
		return err
	}
	return Archive(ctx, s.handle, w)
}

// allRecords yields a collection's records by id.
func allRecords(ctx context.Context, records Records, collection string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		q := RecordQuery{Limit: 500}
		for {
			page, err := records.List(ctx, collection, q)
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, r := range page.Records {
				if !yield(r, nil) {
					return
				}
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return
			}
		}
	}
}

// Delete removes the organisation and frees its addresses; only owners may. When
// the tenant is a [Custodian] everything goes: records, key-value spaces, objects,
// documents and queues. With another engine the records of [Collections] go, and
// the rest is for the caller to remove. Journals stay: they are append-only.
// Users go last, so that an owner can call it again when it was interrupted.
func (s *Staff) Delete(ctx context.Context, by string) error {
	if _, _, err := s.actor(ctx, by, MayDeleteTenant); err != nil {
		return err
	}
	for u, err := range s.repositories.Users.All(ctx, RecordQuery{}) {
		if err != nil {
			return err
		}
		if err := s.directory.Release(ctx, s.tenant, u.Value.Email); err != nil {
			return err
		}
	}
	if c, ok := s.handle.(Custodian); ok {
		if err := c.Erase(ctx); !errors.Is(err, ErrUnsupported) {
			return err
		}
	}
	for _, collection := range Collections() {
		if collection == "organization" || collection == "users" {
			continue
		}
		if err := s.clear(ctx, collection, ""); err != nil {
			return err
		}
	}
	if err := s.clear(ctx, "users", by); err != nil {
		return err
	}
	_, err := s.repositories.Records.Write(ctx,
		RecordWrite{Op: OpDelete, Collection: "users", ID: by},
		RecordWrite{Op: OpDelete, Collection: "organization", ID: OrganizationID})
	return err
}

// clear removes the records of a collection but for one.
func (s *Staff) clear(ctx context.Context, collection, except string) error {
	var batch []RecordWrite
	flush := func() error {
		_, err := s.repositories.Records.Write(ctx, batch...)
		batch = batch[:0]
		return err
	}
	for r, err := range allRecords(ctx, s.repositories.Records, collection) {
		if err != nil {
			return err
		}
		if r.ID == except {
			continue
		}
		if batch = append(batch, RecordWrite{Op: OpDelete, Collection: collection, ID: r.ID}); len(batch) == 500 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
