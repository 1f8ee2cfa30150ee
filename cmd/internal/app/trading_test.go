package app

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/mcp"

	"context"
	"github.com/ttai-go/ttai/agents/tools"
)

// house is a home with a broker of one account, in an environment of choice.
type house struct {
	home
	t        *testing.T
	exchange *paper.Exchange
	opened   *Opened
}

func newHouse(t *testing.T, env broker.Environment) *house {
	t.Helper()
	at := time.Date(2026, 9, 16, 15, 0, 0, 0, time.UTC) // a Wednesday, 11:00 in New York
	exchange, err := paper.New(&paper.Options{Environment: env, Start: at, Accounts: []paper.Account{{Account: broker.Account{ID: "A1", Margin: true}, Cash: decimal.NewFromInt(100_000)}}})
	require.NoError(t, err)
	require.NoError(t, exchange.Quote(paper.Quote{Symbol: "SPY", Time: at, Bid: 99.99, Ask: 100.01}))
	p := newHome(t, nil)
	require.NoError(t, os.MkdirAll(p.std.Environment.ConfigDir, 0o700))
	return &house{p, t, exchange, &Opened{Broker: exchange.Broker(), Environment: env, Clock: market.NewManualClock(at)}}
}

// desk is that of another process of the home.
func (h *house) desk() *Desk {
	h.t.Helper()
	d, err := h.opened.Desk(h.std, h.open(h.t, ""), slog.New(slog.DiscardHandler))
	require.NoError(h.t, err)
	return d
}

func (h *house) write(trading string) {
	h.t.Helper()
	require.NoError(h.t, os.WriteFile(filepath.Join(h.std.Environment.ConfigDir, TradingFile), []byte(trading), 0o600))
}

func (h *house) sent() int {
	h.t.Helper()
	orders, err := h.exchange.Broker().Orders(h.t.Context(), "A1", broker.OrdersQuery{Since: time.Unix(0, 0)})
	require.NoError(h.t, err)
	return len(orders)
}

func buyIntent() broker.Intent {
	limit := decimal.RequireFromString("-100.01")
	return broker.Intent{Kind: broker.IntentPlace, Ticket: broker.NewTicket(broker.Order{
		Type: broker.Limit, Limit: &limit, Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(1)}},
	})}
}

// liveLimits allow little, and leave the grade to the environment's own.
const liveLimits = `"mode":"trade","accounts":["A1"],"symbols":["SPY"],"max_order_loss":1000,"max_order_notional":1000,"max_contracts":1,"max_shares":10,
	"max_daily_orders":5,"max_daily_loss":"none","max_open_notional":"none","max_symbol_risk":"none","max_portfolio_risk":"none","min_buying_power":0,"price_band":"none"`

func TestTradingIsOffUntilItIsAllowedInWriting(t *testing.T) {
	assert.Equal(t, broker.ModeTrade, newHouse(t, broker.Simulator).desk().Guard.Limits().Mode, "made-up money may be tried with")
	for _, env := range []broker.Environment{broker.Sandbox, broker.Production} {
		d := newHouse(t, env).desk()
		_, err := d.Guard.Prepare(t.Context(), "A1", buyIntent())
		require.ErrorIs(t, err, broker.ErrTradingOff, env)
	}
}

func TestSettingsThatCannotBeReadTurnTradingOff(t *testing.T) {
	for want, text := range map[string]string{
		"understood":    `{"limits":{` + liveLimits + `}`,
		"max_oder_loss": `{"limits":{"mode":"trade","max_oder_loss":1}}`,
		"limit":         `{"limit":{}}`,
		"more than one": `{"limits":{` + liveLimits + `}} {}`,
		"policy":        `{"limits":{` + liveLimits + `},"policy":{}}`,
		"passkeys":      `{"limits":{` + liveLimits + `},"passkeys":[{"name":"x","id":"AAAA","public_key":"AAAA"}]}`,
		"Approval":      `{"limits":{` + liveLimits + `,"approval":{"grade":"elicitation","lowered":"I accept"}}}`,
	} {
		h := newHouse(t, broker.Production)
		h.write(text)
		d := h.desk()
		_, err := d.Guard.Prepare(t.Context(), "A1", buyIntent())
		require.ErrorIs(t, err, broker.ErrTradingOff, text)
		if want != "Approval" {
			assert.ErrorContains(t, err, want)
		}
		assert.Zero(t, h.sent())
	}
}

func TestProcessesOfAHomeShareTheDesk(t *testing.T) {
	h := newHouse(t, broker.Simulator)
	server, person, other := h.desk(), h.desk(), h.desk()
	p, err := server.Guard.Prepare(t.Context(), "A1", buyIntent())
	require.NoError(t, err)

	waiting, err := person.Guard.Pending(t.Context())
	require.NoError(t, err)
	require.Len(t, waiting, 1)
	require.Equal(t, p.ID, waiting[0].ID)
	evidence, err := person.Terminal.Evidence(t.Context(), &waiting[0], "a person at the terminal")
	require.NoError(t, err)
	_, err = person.Guard.Approve(t.Context(), p.ID, evidence)
	require.NoError(t, err)

	out, err := server.Guard.Submit(t.Context(), p.ID)
	require.NoError(t, err)
	assert.Equal(t, "terminal", out.Approval.Method)
	_, err = other.Guard.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrSpent)
	assert.Equal(t, 1, h.sent())

	require.NoError(t, other.Guard.Engage(t.Context(), "model", "a test"))
	_, err = server.Guard.Prepare(t.Context(), "A1", buyIntent())
	require.ErrorIs(t, err, broker.ErrKilled)
	lift, err := person.Guard.PrepareLift(t.Context())
	require.NoError(t, err)
	_, err = person.Guard.Submit(t.Context(), lift.ID)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
	evidence, err = person.Terminal.Evidence(t.Context(), lift, "a person at the terminal")
	require.NoError(t, err)
	_, err = person.Guard.Submit(t.Context(), lift.ID, evidence)
	require.NoError(t, err)
	_, err = server.Guard.Prepare(t.Context(), "A1", buyIntent())
	require.NoError(t, err)
}

// A model's helper with a shell of the same user: it reads every file, knows the
// key of the page, speaks MCP with elicitation and edits the configuration.
func TestAShellOfTheSameUserGetsNoOrderThroughAtTheLiveGrade(t *testing.T) {
	h := newHouse(t, broker.Production)
	h.write(`{"limits":{` + liveLimits + `}}`)
	operator := h.desk()
	_, err := operator.Guard.Prepare(t.Context(), "A1", buyIntent()) // the operator's settings are in use
	require.NoError(t, err)

	attack := func(name string, how func(d *Desk, id string) error) {
		t.Helper()
		d := h.desk() // the shell can start every program of ours
		p, err := d.Guard.Prepare(t.Context(), "A1", buyIntent())
		if err == nil {
			err = how(d, p.ID)
			_, submitted := d.Guard.Submit(t.Context(), p.ID)
			err = errors.Join(err, submitted)
		}
		require.Error(t, err, name)
		require.Zero(t, h.sent(), name)
	}
	attack("it just submits", func(*Desk, string) error { return nil })
	attack("it reads the shared key and says that a person was at the terminal", func(d *Desk, id string) error {
		p, err := d.Guard.Prepared(t.Context(), id)
		require.NoError(t, err)
		evidence, err := d.Terminal.Evidence(t.Context(), p, "a person at the terminal")
		require.NoError(t, err)
		_, err = d.Guard.Submit(t.Context(), id, evidence)
		return err
	})
	attack("its client answers the question itself", func(d *Desk, id string) error {
		p, err := d.Guard.Prepared(t.Context(), id)
		require.NoError(t, err)
		evidence, err := d.Elicitation.Evidence(t.Context(), p, "the user of a client")
		require.NoError(t, err)
		_, err = d.Guard.Submit(t.Context(), id, evidence)
		return err
	})
	attack("it presses the page's button with the key from the screen", func(d *Desk, id string) error {
		server, err := mcp.New(func(context.Context, mcp.Principal) (tools.Deps, error) { return tools.Deps{Broker: d.Guard}, nil }, nil)
		require.NoError(t, err)
		defer server.Close()
		page, err := server.Approvals(mcp.ApprovalsOptions{Guard: d.Guard, Key: "the-key-on-the-screen", Button: d.Page})
		require.NoError(t, err)
		ts := httptest.NewServer(page)
		defer ts.Close()
		jar := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		in, err := jar.Get(ts.URL + "/?key=the-key-on-the-screen")
		require.NoError(t, err)
		in.Body.Close()
		require.Len(t, in.Cookies(), 1)
		r, err := http.NewRequest(http.MethodPost, ts.URL+"/", strings.NewReader(url.Values{"preview": {id}, "decision": {"approve"}}.Encode()))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(in.Cookies()[0])
		answer, err := jar.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		if answer.StatusCode == http.StatusOK {
			return nil
		}
		return errors.New(answer.Status)
	})
	for name, text := range map[string]string{
		"it asks for a lower grade":                  `,"approval":{"grade":"elicitation"}`,
		"it writes the operator's sentence itself":   `,"approval":{"grade":"elicitation","lowered":` + asJSON(broker.LoweringSentence(broker.GradeElicitation)) + `}`,
		"it writes a policy and the sentence for it": `,"approval":{"grade":"policy","lowered":` + asJSON(broker.LoweringSentence(broker.GradePolicy)) + `}`,
	} {
		h.write(`{"limits":{` + liveLimits + text + `},"policy":{"words":"all of it","until":"2030-01-01T00:00:00Z","accounts":["*"],"symbols":["*"],"order_loss":"none","order_notional":"none","daily_orders":"none","daily_loss":"none","daily_notional":"none"}}`)
		attack(name, func(d *Desk, id string) error {
			p, err := d.Guard.Prepared(t.Context(), id)
			if err != nil {
				return err
			}
			evidence, err := d.Elicitation.Evidence(t.Context(), p, "the user of a client")
			require.NoError(t, err)
			_, err = d.Guard.Submit(t.Context(), id, evidence)
			return err
		})
		settings, err := h.desk().Guard.PrepareSettings(t.Context())
		if err == nil {
			d := h.desk()
			evidence, evidenceErr := d.Terminal.Evidence(t.Context(), settings, "a person at the terminal")
			require.NoError(t, evidenceErr)
			_, err = d.Guard.Submit(t.Context(), settings.ID, evidence)
		}
		require.Error(t, err, "%s: and approves the change itself", name)
	}
	require.Zero(t, h.sent())
}

func asJSON(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestTheDocumentsExampleIsReadAndAllowsWhatItSays(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "trading-safety.md"))
	require.NoError(t, err)
	_, example, ok := strings.Cut(string(page), "```json\n")
	require.True(t, ok)
	example, _, _ = strings.Cut(example, "```")
	h := newHouse(t, broker.Production)
	h.write(strings.Replace(example, "5WX00000", "A1", 1))
	_, err = h.desk().Guard.Prepare(t.Context(), "A1", buyIntent())
	require.NotErrorIs(t, err, broker.ErrTradingOff)
	refused, ok := errors.AsType[*broker.RefusedError](err)
	require.True(t, ok, "%v", err)
	assert.True(t, refused.Has("price_band"), "there are no quotes here, and the example asks for them: %v", err)
	assert.False(t, refused.Has("max_order_loss"), "%v", err)
}
