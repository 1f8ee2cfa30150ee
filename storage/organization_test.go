package storage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
)

// Every cell of the table: what each role may do.
func TestPermissions(t *testing.T) {
	for _, row := range []struct {
		action                storage.Action
		member, admin, owner_ bool
	}{
		{storage.MayRead, true, true, true},
		{storage.MayPropose, true, true, true},
		{storage.MayConfigure, true, true, true},
		{storage.MayApprove, false, true, true},
		{storage.MayConnect, false, true, true},
		{storage.MayInvite, false, true, true},
		{storage.MaySuspend, false, true, true},
		{storage.MaySetLimits, false, true, true},
		{storage.MayExport, false, true, true},
		{storage.MayChangeRoles, false, false, true},
		{storage.MayChangePlan, false, false, true},
		{storage.MayDeleteTenant, false, false, true},
		{"unknown", false, false, false},
		{"", false, false, false},
	} {
		for role, want := range map[storage.Role]bool{storage.Member: row.member, storage.Admin: row.admin, storage.Owner: row.owner_, "root": false, "": false} {
			assert.Equal(t, want, role.May(row.action), "%s may %s", role, row.action)
			for _, state := range []storage.State{storage.Active, storage.Invited, storage.Suspended, ""} {
				u := storage.User{Role: role, State: state}
				assert.Equal(t, want && state == storage.Active, u.May(row.action), "%s %s may %s", state, role, row.action)
			}
		}
	}
}

func TestWhoMayApprove(t *testing.T) {
	for i, row := range []struct {
		org  storage.Organization
		u    storage.User
		want bool
	}{
		{storage.Organization{}, storage.User{ID: "u", Role: storage.Admin, State: storage.Active}, true},
		{storage.Organization{}, storage.User{ID: "u", Role: storage.Member, State: storage.Active}, false},
		{storage.Organization{Approvers: storage.Approvers{Users: []string{"u"}}}, storage.User{ID: "u", Role: storage.Member, State: storage.Active}, true},
		{storage.Organization{Approvers: storage.Approvers{Users: []string{"u"}}}, storage.User{ID: "u", Role: storage.Member, State: storage.Suspended}, false},
		{storage.Organization{Approvers: storage.Approvers{Other: true}}, storage.User{ID: "proposer", Role: storage.Owner, State: storage.Active}, false},
		{storage.Organization{Approvers: storage.Approvers{Other: true}}, storage.User{ID: "u", Role: storage.Owner, State: storage.Active}, true},
		{storage.Organization{Suspended: true}, storage.User{ID: "u", Role: storage.Owner, State: storage.Active}, false},
	} {
		assert.Equal(t, row.want, row.org.MayApprove(&row.u, "proposer"), "row %d", i)
	}
}

type company struct {
	*storage.Staff
	store  storage.Store
	tenant storage.Tenant
	repos  *storage.Repositories
}

func user(id string, role storage.Role) storage.User {
	return storage.User{ID: id, Email: id + "@example.com", Role: role}
}

func found(t *testing.T) company {
	t.Helper()
	s := openMemory(t, nil)
	c := company{store: s, tenant: tenantOf(t, s, "acme")}
	d, err := s.Directory()
	require.NoError(t, err)
	c.Staff, err = storage.NewStaff(c.tenant, d)
	require.NoError(t, err)
	c.repos, err = storage.Open(c.tenant)
	require.NoError(t, err)
	require.NoError(t, c.Found(t.Context(), storage.Organization{Name: "Acme", Plan: storage.Team}, user("olga", "")))
	for _, u := range []storage.User{user("adam", storage.Admin), user("anna", storage.Admin), user("mia", storage.Member)} {
		require.NoError(t, c.Invite(t.Context(), "olga", u))
		require.NoError(t, c.Accept(t.Context(), u.ID))
	}
	return c
}

func TestStaffFollowsTheRules(t *testing.T) {
	for name, test := range map[string]struct {
		f    func(c company) error
		want error
	}{
		"a member invites nobody":    {func(c company) error { return c.Invite(t.Context(), "mia", user("new", storage.Member)) }, storage.ErrForbidden},
		"an admin invites members":   {func(c company) error { return c.Invite(t.Context(), "adam", user("new", storage.Member)) }, nil},
		"an admin invites no admins": {func(c company) error { return c.Invite(t.Context(), "adam", user("new", storage.Admin)) }, storage.ErrForbidden},
		"an address is somebody's once": {func(c company) error {
			u := user("new", storage.Member)
			u.Email = "mia@example.com"
			return c.Invite(t.Context(), "olga", u)
		}, storage.ErrConflict},
		"only who was invited accepts":    {func(c company) error { return c.Accept(t.Context(), "mia") }, storage.ErrForbidden},
		"an admin suspends a member":      {func(c company) error { return c.Suspend(t.Context(), "adam", "mia") }, nil},
		"an admin suspends no admin":      {func(c company) error { return c.Suspend(t.Context(), "adam", "anna") }, storage.ErrForbidden},
		"an admin suspends no owner":      {func(c company) error { return c.Suspend(t.Context(), "adam", "olga") }, storage.ErrForbidden},
		"a member suspends nobody":        {func(c company) error { return c.Suspend(t.Context(), "mia", "mia") }, storage.ErrForbidden},
		"an owner suspends an admin":      {func(c company) error { return c.Suspend(t.Context(), "olga", "adam") }, nil},
		"the last owner is not suspended": {func(c company) error { return c.Suspend(t.Context(), "olga", "olga") }, storage.ErrForbidden},
		"the last owner stays owner":      {func(c company) error { return c.SetRole(t.Context(), "olga", "olga", storage.Member) }, storage.ErrForbidden},
		"the last owner is not removed":   {func(c company) error { return c.Remove(t.Context(), "olga", "olga") }, storage.ErrForbidden},
		"an admin changes no roles":       {func(c company) error { return c.SetRole(t.Context(), "adam", "mia", storage.Admin) }, storage.ErrForbidden},
		"an owner changes roles":          {func(c company) error { return c.SetRole(t.Context(), "olga", "mia", storage.Owner) }, nil},
		"an admin does not delete":        {func(c company) error { return c.Delete(t.Context(), "adam") }, storage.ErrForbidden},
		"a member does not export":        {func(c company) error { return c.Export(t.Context(), "mia", &bytes.Buffer{}) }, storage.ErrForbidden},
		"a stranger does nothing":         {func(c company) error { return c.Suspend(t.Context(), "nobody", "mia") }, storage.ErrNotFound},
		"there is one organisation":       {func(c company) error { return c.Found(t.Context(), storage.Organization{Name: "B"}, user("b", "")) }, storage.ErrConflict},
		"who is active is not reinstated": {func(c company) error { return c.Reinstate(t.Context(), "olga", "mia") }, &storage.FieldError{}},
		"a role must be known":            {func(c company) error { return c.SetRole(t.Context(), "olga", "mia", "root") }, &storage.FieldError{}},
		"a suspended organisation does nothing": {func(c company) error {
			_, err := c.repos.Organization.Update(t.Context(), storage.OrganizationID, func(o *storage.Organization) error { o.Suspended = true; return nil })
			require.NoError(t, err)
			return c.Invite(t.Context(), "olga", user("new", storage.Member))
		}, storage.ErrForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.f(found(t))
			switch test.want.(type) {
			case nil:
				assert.NoError(t, err)
			case *storage.FieldError:
				var field *storage.FieldError
				assert.ErrorAs(t, err, &field)
			default:
				assert.ErrorIs(t, err, test.want)
			}
		})
	}
}

func TestASuspendedUserDoesNothingUntilReinstated(t *testing.T) {
	c := found(t)
	require.NoError(t, c.Suspend(t.Context(), "olga", "adam"))
	require.ErrorIs(t, c.Invite(t.Context(), "adam", user("new", storage.Member)), storage.ErrForbidden)
	require.NoError(t, c.Reinstate(t.Context(), "olga", "adam"))
	require.NoError(t, c.Invite(t.Context(), "adam", user("new", storage.Member)))
}

func TestTwoOwnersWhoDemoteEachOtherLeaveOne(t *testing.T) {
	for range 20 {
		c := found(t)
		require.NoError(t, c.SetRole(t.Context(), "olga", "adam", storage.Owner))
		var done atomic.Int32
		var group sync.WaitGroup
		for by, other := range map[string]string{"olga": "adam", "adam": "olga"} {
			group.Go(func() {
				if c.SetRole(t.Context(), by, other, storage.Member) == nil {
					done.Add(1)
				}
			})
		}
		group.Wait()
		require.Equal(t, int32(1), done.Load())
	}
}

func TestExportHasEverythingButSecretsAndDeleteLeavesNothing(t *testing.T) {
	c := found(t)
	_, err := c.repos.Credentials.Put(t.Context(), storage.Secret{User: "mia", Provider: "tastytrade", Ciphertext: []byte("opaque")})
	require.NoError(t, err)
	for i := range 1200 {
		_, err := c.repos.Trades.Put(t.Context(), storage.Trade{ID: fmt.Sprint(i), User: "mia", Symbol: "SPY", Price: decimal.RequireFromString("1.10")})
		require.NoError(t, err)
	}
	var out bytes.Buffer
	require.NoError(t, c.Export(t.Context(), "adam", &out))
	assert.Equal(t, 1+4+1200, strings.Count(out.String(), "\n"))
	assert.NotContains(t, out.String(), "credentials")
	var first storage.ExportedRecord
	require.NoError(t, json.NewDecoder(&out).Decode(&first))
	assert.Equal(t, "organization", first.Collection)

	require.NoError(t, c.Delete(t.Context(), "olga"))
	for _, name := range storage.Collections() {
		page, err := c.repos.Records.List(t.Context(), name, storage.RecordQuery{})
		require.NoError(t, err)
		assert.Empty(t, page.Records, name)
	}
	d, err := c.store.Directory()
	require.NoError(t, err)
	for id := range d.Tenants(t.Context()) {
		t.Errorf("tenant %s is still there", id)
	}
	require.NoError(t, c.Found(t.Context(), storage.Organization{Name: "Again"}, user("olga", "")))
}

func TestRemovedUsersFreeTheirAddress(t *testing.T) {
	c := found(t)
	require.NoError(t, c.Remove(t.Context(), "adam", "mia"))
	require.NoError(t, c.Invite(t.Context(), "adam", user("mia", storage.Member)))
}

func TestEveryTypeIsKeptAndListed(t *testing.T) {
	c := found(t)
	r, at := c.repos, time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)
	trip(t, r.Sessions, storage.Session{ID: "s", User: "mia", Expires: at}, storage.RecordQuery{Order: "expires", Kind: storage.NumberField})
	trip(t, r.Tokens, storage.Secret{User: "mia", Provider: "tastytrade", Ciphertext: []byte{1}, Expires: at}, storage.RecordQuery{Order: "expires", Kind: storage.NumberField})
	trip(t, r.Credentials, storage.Secret{User: "mia", Provider: "alpaca", Ciphertext: []byte{1}}, storage.RecordQuery{Where: []storage.Field{storage.Text("provider", "alpaca")}})
	trip(t, r.Preferences, storage.Preferences{User: "mia", TimeZone: "Europe/Berlin"}, storage.RecordQuery{})
	trip(t, r.Positions, storage.Position{ID: "p", User: "mia", Symbol: "SPY", Quantity: decimal.NewFromInt(-2), Opened: at}, storage.RecordQuery{Where: []storage.Field{storage.Text("status", "open")}})
	trip(t, r.Analyses, storage.Analysis{ID: "a", Symbol: "SPY", Time: at, Document: json.RawMessage(`{"x":1}`)}, storage.RecordQuery{Where: []storage.Field{storage.Text("symbol", "SPY")}})
	trip(t, r.Screeners, storage.Screener{ID: "s", User: "mia", Criteria: json.RawMessage(`{}`)}, storage.RecordQuery{Where: []storage.Field{storage.Text("user", "mia")}})
	trip(t, r.ScreenerResults, storage.ScreenerResult{ID: "r", Screener: "s", Time: at, Symbols: []string{"SPY"}}, storage.RecordQuery{Where: []storage.Field{storage.Text("screener", "s")}})
	trip(t, r.Alerts, storage.Alert{ID: "a", Active: true, Rule: json.RawMessage(`{}`)}, storage.RecordQuery{Where: []storage.Field{storage.Text("status", "active")}})
	trip(t, r.Watchlists, storage.Watchlist{ID: "w", User: "mia", Symbols: []string{"SPY"}}, storage.RecordQuery{Where: []storage.Field{storage.Text("user", "mia")}})
	trip(t, r.Strategies, storage.Strategy{ID: "s", Kind: "gamma-scalping"}, storage.RecordQuery{Where: []storage.Field{storage.Text("status", "idle")}})
	trip(t, r.Trades, storage.Trade{ID: "t", Symbol: "SPY", Amount: decimal.RequireFromString("-110.00"), Time: at}, storage.RecordQuery{Order: "time", Kind: storage.NumberField})

	for _, bad := range []storage.Secret{{User: "mia", Provider: "x"}, {User: "mia", Provider: "a/b", Ciphertext: []byte{1}}, {Provider: "x", Ciphertext: []byte{1}}} {
		_, err := r.Tokens.Put(t.Context(), bad)
		var field *storage.FieldError
		assert.ErrorAs(t, err, &field)
	}
}

// trip stores a value, and finds it by its id and as the only one of the query.
func trip[T any](t *testing.T, c *storage.Collection[T], v T, q storage.RecordQuery) {
	t.Helper()
	w, err := c.Write(storage.OpPut, &v, storage.NoVersion)
	require.NoError(t, err)
	_, err = c.Create(t.Context(), v)
	require.NoError(t, err)
	_, err = c.Create(t.Context(), v)
	require.ErrorIs(t, err, storage.ErrConflict)
	want, err := json.Marshal(v)
	require.NoError(t, err)
	got, err := c.Get(t.Context(), w.ID)
	require.NoError(t, err)
	data, err := json.Marshal(got.Value)
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(data))
	n := 0
	for s, err := range c.All(t.Context(), q) {
		require.NoError(t, err)
		assert.Equal(t, got.Version, s.Version)
		n++
	}
	assert.Equal(t, 1, n)
	_, err = c.Replace(t.Context(), v, got.Version)
	require.NoError(t, err)
	_, err = c.Replace(t.Context(), v, got.Version)
	require.ErrorIs(t, err, storage.ErrConflict)
}

func ExampleOpen() {
	store, err := memory.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	tenant, _ := store.For(storage.Local)
	repositories, err := storage.Open(tenant)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	for _, symbol := range []string{"SPY", "QQQ"} {
		if _, err := repositories.Alerts.Create(ctx, storage.Alert{ID: symbol, Symbol: symbol, Active: symbol == "SPY"}); err != nil {
			fmt.Println(err)
		}
	}
	active := storage.RecordQuery{Where: []storage.Field{storage.Text("status", "active")}}
	for alert, err := range repositories.Alerts.All(ctx, active) {
		fmt.Println(alert.Value.Symbol, err)
	}
	// Output: SPY <nil>
}
