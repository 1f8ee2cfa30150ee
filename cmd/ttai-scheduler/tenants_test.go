package main

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/synthetic"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/monitor"
	"github.com/ttai-go/ttai/workflow/notify"
)

// A neighbourhood is a broker with two customers, and a home that serves both.
type neighbourhood struct {
	*home
	sim *simulator.Server
}

const tenantJobs = `{"defaults": false, "schedules": [{"name": "sync", "trigger": "every 15m", "workflow": "portfolio-sync"}, {"name": "%s", "trigger": "open", "workflow": "portfolio-sync"}],
	"alerts": [{"name": "alarm of %s", "kind": "price", "symbol": "SPY", "op": "above", "value": 1}],
	"channels": [{"id": "hook", "kind": "webhook"}]}`

func newNeighbourhood(t *testing.T) *neighbourhood {
	customer := func(name, account, symbol string) simulator.Customer {
		return simulator.Customer{ID: name, Credentials: simulator.Credentials{ClientID: name, ClientSecret: name + "-secret", RefreshToken: name + "-refresh"},
			Accounts: []simulator.AccountState{{Number: account, Cash: decimal.NewFromInt(50_000), Positions: []simulator.PositionState{{Symbol: market.Symbol(symbol), Quantity: decimal.NewFromInt(10)}}}}}
	}
	sim, err := simulator.New(&simulator.Options{Seed: 1, Start: synthetic.DefaultStart(), Customers: []simulator.Customer{customer("ann", "5WA00001", "AAPL"), customer("bob", "5WB00001", "KO")}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, sim.Close()) })
	server, err := sim.Start("127.0.0.1:0")
	require.NoError(t, err)
	plain := func(name string) string {
		return strings.Replace(fmt.Sprintf(tenantJobs, "only-"+name, name), `{"id": "hook", "kind": "webhook"}`, "", 1)
	}
	n := &neighbourhood{newHome(t, `{"url": "`+server.URL()+`", "tenants": [
		{"id": "ann", "jobs": `+plain("ann")+`},
		{"id": "bob", "jobs": `+plain("bob")+`},
		{"id": "nobody", "env": "production"}]}`), server}
	sources, err := n.io(nil, nil).Environment.Sources()
	require.NoError(t, err)
	store, err := app.StoreFlags{}.OpenStore("", sources, n.io(nil, nil))
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	for _, name := range []string{"ann", "bob"} {
		require.NoError(t, store.SaveGrant(t.Context(), storage.TenantID(name), app.Tastytrade, app.Grant{ID: name, Secret: name + "-secret", Refresh: name + "-refresh"}))
	}
	return n
}

// of opens what the store has of a tenant.
func (n *neighbourhood) of(name string) storage.Tenant {
	n.t.Helper()
	sources, err := n.io(nil, nil).Environment.Sources()
	require.NoError(n.t, err)
	store, err := app.StoreFlags{}.OpenStore("", sources, n.io(nil, nil))
	require.NoError(n.t, err)
	n.t.Cleanup(func() { require.NoError(n.t, store.Close()) })
	tenant, err := store.For(storage.TenantID(name))
	require.NoError(n.t, err)
	return tenant
}

func TestTenantsAreServedSideBySideAndNeverMeet(t *testing.T) {
	t.Parallel()
	n := newNeighbourhood(t)
	stop := n.start("--health", "127.0.0.1:0")
	address := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/readyz`)
	n.until("it says where it serves", func() bool { return address.MatchString(n.err.String()) })
	addr := address.FindStringSubmatch(n.err.String())[1]
	n.until("all are ready", func() bool {
		code, _, _ := n.run("--check", addr)
		return code == app.ExitOK
	})
	assert.Contains(t, n.err.String(), "tenant ann, simulator")
	assert.Contains(t, n.err.String(), "tenant bob, simulator")
	assert.Contains(t, n.err.String(), "ttai login --tenant nobody", "who cannot be served is named, with what to do")

	// Another process asks for each one's sync; each finds the own account alone.
	for _, name := range []string{"ann", "bob"} {
		code, out, errs := n.run("--once", "sync", "--tenant", name)
		require.Zero(t, code, errs)
		assert.Contains(t, out, "1 open positions in 1 accounts")
	}
	held := func(name string) (symbols []string) {
		r, err := storage.Open(n.of(name))
		require.NoError(t, err)
		for p, err := range r.Positions.All(t.Context(), storage.RecordQuery{}) {
			require.NoError(t, err)
			symbols = append(symbols, p.Value.Account+" "+p.Value.Symbol)
		}
		return symbols
	}
	assert.Equal(t, []string{"5WA00001 AAPL"}, held("ann"))
	assert.Equal(t, []string{"5WB00001 KO"}, held("bob"))
	assert.Empty(t, held("local"))

	// Jobs, alerts and their firings are each one's own.
	for name, other := range map[string]string{"ann": "bob", "bob": "ann"} {
		code, out, errs := n.run("--list", "--tenant", name)
		require.Zero(t, code, errs)
		assert.Contains(t, out, "only-"+name)
		assert.NotContains(t, out, "only-"+other)
		rules, err := monitor.OpenRules(n.of(name))
		require.NoError(t, err)
		n.until("the alarm of "+name+" fires", func() bool {
			list, err := rules.List(t.Context(), "")
			return err == nil && len(list) == 1 && list[0].Rule.Name == "alarm of "+name && !list[0].State.Fired.IsZero()
		})
	}
	assert.NotContains(t, n.out.String(), "alarm of", "the terminal is the owner's")

	get := func(path string) (int, string) {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
		resp, err := client.Get("http://" + addr + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(text)
	}
	_, text := get("/metrics")
	assert.Contains(t, text, `ttai_tenant_served{tenant="ann"} 1`)
	assert.Contains(t, text, `ttai_tenant_served{tenant="nobody"} 0`)
	_, text = get("/metrics/ann")
	assert.Contains(t, text, `ttai_job_next_seconds{job="only-ann"}`)
	assert.NotContains(t, text, "only-bob")
	status, _ := get("/metrics/carl")
	assert.Equal(t, http.StatusNotFound, status)
	assert.Zero(t, stop(), n.err.String())
	for _, secret := range []string{"ann-refresh", "bob-refresh", "ann-secret", "bob-secret"} {
		assert.NotContains(t, n.err.String()+n.out.String(), secret)
	}
}

// A tenant's channel and its secret are in the tenant's store and vault.
func TestTenantsAreToldByTheirOwnChannels(t *testing.T) {
	t.Parallel()
	n := newNeighbourhood(t)
	sources, err := n.io(nil, nil).Environment.Sources()
	require.NoError(t, err)
	members, err := sources.Tenants()
	require.NoError(t, err)
	houses := map[string]*house{}
	for i := range members[:2] {
		h, err := openFor(t.Context(), &members[i], flags{Takeover: time.Second, Config: app.Config{Seed: 1, Clock: "day", URL: n.sim.URL()}}, sources, n.io(&n.out, &n.err), time.Now())
		require.NoError(t, err)
		defer h.close()
		require.NoError(t, h.configure(t.Context()))
		houses[string(members[i].ID)] = h
	}
	require.NoError(t, houses["ann"].notify.Add(t.Context(), notify.Channel{ID: "mine", User: user, Kind: notify.Terminal}, nil))
	for name, want := range map[string]int{"ann": 1, "bob": 0} {
		list, err := houses[name].notify.Channels(t.Context(), user)
		require.NoError(t, err)
		assert.Len(t, list, want, name)
	}
	assert.NotEqual(t, houses["ann"].opened.Client, houses["bob"].opened.Client, "each has a connection and a credential of its own")
}

func TestTenantSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for config, says := range map[string]string{
		`7`:                                        "tenants",
		`[{"id": ""}]`:                             "tenants[0].id",
		`[{"id": "ann"}, {"id": "ann"}]`:           "each id once",
		`[{"id": "ann", "env": "moon"}]`:           "tenants[0].env",
		`[{"id": "ann", "token": "a"}]`:            "token",
		`[{"id": "local", "env": "sandbox"}]`:      "the owner's settings",
		`[{"id": "ann", "jobs": {"scedules":[]}}]`: "tenant ann, jobs",
	} {
		h := newHome(t, `{"tenants": `+config+`}`)
		code, _, errs := h.run("--list")
		assert.Equal(t, app.ExitUsage, code, config)
		assert.Contains(t, errs, says, config)
	}
	// The owner's credentials are nobody else's: a tenant without a grant is not served.
	h := newHome(t, `{"tenants": [{"id": "ann", "env": "sandbox"}]}`)
	h.env["TTAI_ENV"], h.env["TTAI_CLIENT_SECRET"], h.env["TTAI_REFRESH_TOKEN"] = "sandbox", "the-owners-secret", "the-owners-refresh"
	code, _, errs := h.run("--list", "--tenant", "ann")
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, errs, "no grant for sandbox in its vault")
	code, _, errs = h.run("--health", "off")
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, errs, "none of 1 tenants")
	assert.NotContains(t, errs, "the-owners")
	code, _, errs = h.run("--list", "--tenant", "carl")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, errs, "[local ann]")
}
