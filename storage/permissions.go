package storage

import (
	"slices"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Role is what a user is in an organisation.
type Role string

// The roles.
const (
	Owner  Role = "owner"
	Admin  Role = "admin"
	Member Role = "member"
)

func (r Role) validate() error {
	switch r {
	case Owner, Admin, Member:
		return nil
	}
	return invalid.Field("role", string(r), "owner, admin or member")
}

// An Action is something that not everybody may do.
type Action string

// The actions.
const (
	MayRead         Action = "read"          // see data and analyses
	MayPropose      Action = "propose"       // propose orders
	MayConfigure    Action = "configure"     // change strategies, alerts, own preferences
	MayApprove      Action = "approve"       // approve orders: see Approvers as well
	MayConnect      Action = "connect"       // add and remove broker credentials
	MayInvite       Action = "invite"        // invite members; admins invite no owners or admins
	MaySuspend      Action = "suspend"       // suspend and reinstate users of a lower role
	MaySetLimits    Action = "set-limits"    // change limits and who may approve
	MayExport       Action = "export"        // export everything of the organisation
	MayChangeRoles  Action = "change-roles"  // make admins and owners
	MayChangePlan   Action = "change-plan"   // change what is paid for
	MayDeleteTenant Action = "delete-tenant" // delete the organisation and all it has
)

// permission says from which role on an action is allowed.
func permission(a Action) (Role, bool) {
	switch a {
	case MayRead, MayPropose, MayConfigure:
		return Member, true
	case MayApprove, MayConnect, MayInvite, MaySuspend, MaySetLimits, MayExport:
		return Admin, true
	case MayChangeRoles, MayChangePlan, MayDeleteTenant:
		return Owner, true
	}
	return "", false
}

func (r Role) rank() int { return slices.Index([]Role{Member, Admin, Owner}, r) }

// May tells whether a role allows an action. Unknown roles and actions are not
// allowed.
func (r Role) May(a Action) bool {
	least, ok := permission(a)
	return ok && r.rank() >= least.rank()
}

// May tells whether a user may do something now: only active users may.
func (u *User) May(a Action) bool { return u.State == Active && u.Role.May(a) }

// Approvers says who may approve orders, beyond what roles allow. The zero value
// is the rule of the roles: owners and admins, also their own orders.
type Approvers struct {
	// Users are ids of further users who may approve, whatever their role.
	Users []string `json:"users,omitempty"`
	// Other demands that somebody else than the one who proposed the order
	// approves it.
	Other bool `json:"other,omitempty"`
}

func (a Approvers) validate() error {
	for _, id := range a.Users {
		if err := CheckText("approvers", id, 256); err != nil {
			return err
		}
	}
	return nil
}

// MayApprove tells whether a user may approve an order that proposer, a user's
// id, proposed. Nobody may while the organisation is suspended.
func (o *Organization) MayApprove(u *User, proposer string) bool {
	if o.Suspended || u.State != Active || o.Approvers.Other && u.ID == proposer {
		return false
	}
	return u.Role.May(MayApprove) || slices.Contains(o.Approvers.Users, u.ID)
}
