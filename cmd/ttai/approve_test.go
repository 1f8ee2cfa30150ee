package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/simulator"
)

// A home is a user's folders, in which several programs find the same store.
type home struct {
	t   *testing.T
	env app.Environment
	sim *simulator.Simulator
	url string
}

// newHome is a home with a simulator whose clock stands, and with settings that
// ask for a page's or a terminal's approval.
func newHome(t *testing.T) *home {
	t.Helper()
	sim, err := simulator.New(&simulator.Options{Stopped: true, Credentials: app.DemoCredentials})
	require.NoError(t, err)
	t.Cleanup(func() { sim.Close() })
	server, err := sim.Start("127.0.0.1:0")
	require.NoError(t, err)
	h := &home{t: t, sim: sim, url: server.URL()}
	h.env = app.Environment{ConfigDir: t.TempDir(), DataDir: t.TempDir()}
	h.set(map[string]string{"TTAI_URL": h.url})
	h.write(`{"limits": ` + loopbackLimits + `}`)
	return h
}

const loopbackLimits = `{
	"mode": "trade", "accounts": ["*"], "symbols": ["SPY"],
	"max_order_loss": 20000, "max_order_notional": 20000, "max_contracts": 1, "max_shares": 10,
	"max_daily_orders": 10, "max_daily_loss": 20000, "max_open_notional": 20000,
	"max_symbol_risk": "none", "max_portfolio_risk": "none", "min_buying_power": "none",
	"price_band": "none", "free_cancels": true, "approval": {"grade": "loopback"}
}`

func (h *home) set(variables map[string]string) {
	h.env.Getenv = func(name string) string { return variables[name] }
}

func (h *home) write(settings string) {
	h.t.Helper()
	require.NoError(h.t, os.WriteFile(filepath.Join(h.env.ConfigDir, app.TradingFile), []byte(settings), 0o600))
}

// ttai runs one command line in the home.
func (h *home) ttai(in io.Reader, args ...string) (out, problems string, code int) {
	h.t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(h.t.Context(), args, app.IO{In: in, Out: &stdout, Err: &stderr, Environment: h.env})
	return stdout.String(), stderr.String(), code
}

// atTerminal is ttai with somebody typing.
func (h *home) atTerminal(typed string, args ...string) (out, problems string, code int) {
	h.t.Helper()
	return h.ttai(terminal(h.t, typed), args...)
}

// program opens the guarded broker as ttai-mcp does, in a process of its own as
// far as the guard can tell.
func (h *home) program() *app.Desk {
	h.t.Helper()
	sources, err := h.env.Sources()
	require.NoError(h.t, err)
	config, err := app.Config{Env: sources.Lookup("env"), URL: sources.Lookup("url")}.Complete(sources)
	require.NoError(h.t, err)
	std := app.IO{Environment: h.env}
	store, err := app.StoreFlags{}.OpenStore(config.Env, sources, std)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { assert.NoError(h.t, store.Close()) })
	opened, err := app.Open(config, &app.OpenOptions{Store: store})
	require.NoError(h.t, err)
	h.t.Cleanup(func() { assert.NoError(h.t, opened.Close()) })
	desk, err := opened.Desk(std, store, slog.New(slog.DiscardHandler))
	require.NoError(h.t, err)
	return desk
}

// preview prepares the purchase of a share.
func (h *home) preview(program *app.Desk) *broker.Prepared {
	h.t.Helper()
	limit := decimal.NewFromInt(-500)
	p, err := program.Guard.Prepare(h.t.Context(), simulator.DemoMargin, broker.Intent{Kind: broker.IntentPlace, Ticket: broker.NewTicket(broker.Order{
		Type: broker.Limit, Limit: &limit, Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(1)}},
	})})
	require.NoError(h.t, err)
	return p
}

func TestAPersonAtTheTerminalApprovesWhatAnotherProgramPrepared(t *testing.T) {
	h := newHome(t)
	program := h.program()
	p := h.preview(program)
	_, err := program.Guard.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)

	out, problems, code := h.atTerminal("yes\n", "approve")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, p.ID+" (simulator)\nNo real money (simulator), account 5WS00001. buy to open 1 SPY for a debit of 500 or better")
	assert.Contains(t, out, "grade loopback until ")
	assert.Contains(t, out, "Approved: it is sent when it is submitted.")
	orders, err := program.Guard.Orders(t.Context(), simulator.DemoMargin, broker.OrdersQuery{Working: true})
	require.NoError(t, err)
	assert.Empty(t, orders, "approving does not send")

	outcome, err := program.Guard.Submit(t.Context(), p.ID)
	require.NoError(t, err)
	assert.Equal(t, broker.OutcomeDone, outcome.State)
	out, _, code = h.atTerminal("yes\n", "approve")
	assert.Equal(t, app.ExitOK, code)
	assert.Equal(t, "Nothing waits for an approval.\n", out)
	_, problems, code = h.atTerminal("yes\n", "approve", p.ID)
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, problems, broker.ErrSpent.Error())
}

func TestWhatIsAnsweredDecidesAboutThatPreviewAlone(t *testing.T) {
	h := newHome(t)
	program := h.program()
	first, second := h.preview(program), h.preview(program)

	out, problems, code := h.atTerminal("no\n", "approve", second.ID)
	require.Equal(t, app.ExitOK, code, problems)
	assert.NotContains(t, out, first.ID)
	assert.Contains(t, out, "Declined: it will not be sent.")
	_, err := program.Guard.Submit(t.Context(), second.ID)
	require.ErrorIs(t, err, broker.ErrSpent, "no voids it")

	for _, typed := range []string{"\n", "y\n", "yes please\n", ""} {
		out, problems, code = h.atTerminal(typed, "approve")
		require.Equal(t, app.ExitOK, code, problems)
		assert.NotContains(t, out, "Approved", "%q", typed)
		assert.NotContains(t, out, "Declined", "%q", typed)
	}
	_, err = program.Guard.Submit(t.Context(), first.ID)
	require.ErrorIs(t, err, broker.ErrApprovalRequired, "it waits as it did")
	_, err = program.Guard.Prepared(t.Context(), first.ID)
	assert.NoError(t, err)
}

func TestOnlyATerminalApprovesAndEverybodyMayLook(t *testing.T) {
	h := newHome(t)
	program := h.program()
	p := h.preview(program)
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer file.Close()
	for name, in := range map[string]io.Reader{"a pipe": strings.NewReader("yes\n"), "a file": file} {
		_, problems, code := h.ttai(in, "approve", p.ID)
		assert.Equal(t, app.ExitUsage, code, name)
		assert.Contains(t, problems, "no terminal", name)
	}
	_, err = program.Guard.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)

	out, problems, code := h.ttai(strings.NewReader("yes\n"), "approve", "--list")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, p.ID)
	assert.NotContains(t, out, "Type yes")
	_, err = program.Guard.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrApprovalRequired, "looking approves nothing")
}

func TestAPreviewThatIsUnknownOrExpiredCannotBeApproved(t *testing.T) {
	h := newHome(t)
	program := h.program()
	p := h.preview(program)
	_, problems, code := h.atTerminal("yes\n", "approve", "not-"+p.ID)
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, problems, broker.ErrUnknownPreview.Error())

	require.NoError(t, h.sim.Step(p.Expires.Sub(h.sim.Clock().Now())))
	_, problems, code = h.atTerminal("yes\n", "approve", p.ID)
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, problems, broker.ErrUnknownPreview.Error())
	out, problems, code := h.ttai(strings.NewReader(""), "approve", "--list")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Equal(t, "Nothing waits for an approval.\n", out)
}

func TestATerminalDoesNotReachTheGradeOfAPasskey(t *testing.T) {
	h := newHome(t)
	h.write(`{"limits": ` + strings.Replace(loopbackLimits, `"loopback"`, `"passkey"`, 1) + `}`)
	program := h.program()
	p := h.preview(program)
	out, problems, code := h.atTerminal("yes\n", "approve")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "An answer at a terminal does not reach that.")
	_, err := program.Guard.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
}

// Settings are held for real money alone, and what they need stays at home: no
// request is made.
func TestChangedSettingsForRealMoneyHoldOnceAPersonSaysSo(t *testing.T) {
	h := newHome(t)
	h.set(map[string]string{"TTAI_ENV": "production", "TTAI_CLIENT_SECRET": "s", "TTAI_REFRESH_TOKEN": "r"})
	real := strings.Replace(loopbackLimits, `{"grade": "loopback"}`, `{"grade": "loopback", "lowered": "`+broker.LoweringSentence(broker.GradeLoopback)+`"}`, 1)
	h.write(`{"limits": ` + real + `}`)
	_, problems, code := h.atTerminal("yes\n", "approve", "--settings")
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, problems, "hold already")

	first := h.program()
	_, err := first.Guard.PrepareLift(t.Context())
	require.ErrorIs(t, err, broker.ErrTooLate, "the settings are those that hold, and nothing is engaged")
	h.write(`{"limits": ` + strings.Replace(real, `"max_shares": 10`, `"max_shares": 11`, 1) + `}`)
	second := h.program()
	_, err = second.Guard.PrepareLift(t.Context())
	require.ErrorIs(t, err, broker.ErrSettingsChanged)

	out, problems, code := h.atTerminal("\n", "approve", "--settings")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "REAL MONEY (production)")
	assert.Contains(t, out, `"max_shares":"11"`)
	_, err = second.Guard.PrepareLift(t.Context())
	require.ErrorIs(t, err, broker.ErrSettingsChanged, "nothing was said")

	out, problems, code = h.atTerminal("yes\n", "approve", "--settings")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "these settings hold now")
	_, err = second.Guard.PrepareLift(t.Context())
	require.ErrorIs(t, err, broker.ErrTooLate)
	_, err = first.Guard.PrepareLift(t.Context())
	require.ErrorIs(t, err, broker.ErrSettingsChanged, "and the old ones no more")
}

func TestTheKillSwitchStopsEveryProgramUntilAPersonLiftsIt(t *testing.T) {
	h := newHome(t)
	program := h.program()
	p := h.preview(program)
	status := func(args ...string) string {
		out, problems, code := h.ttai(strings.NewReader(""), append([]string{"kill-switch"}, args...)...)
		require.Equal(t, app.ExitOK, code, problems)
		return out
	}
	assert.Equal(t, "not engaged\n", status())
	assert.Contains(t, status("engage", "--reason", "lunch"), "engaged; ")
	assert.Regexp(t, `^engaged by operator at \S+: lunch\n$`, status("status"))

	_, err := program.Guard.Submit(t.Context(), p.ID)
	require.ErrorIs(t, err, broker.ErrKilled)
	_, problems, code := h.atTerminal("yes\n", "approve", p.ID)
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, problems, "the kill switch was engaged by operator: lunch")

	_, problems, code = h.ttai(strings.NewReader("yes\n"), "kill-switch", "lift")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "no terminal")
	for _, typed := range []string{"no\n", "\n", ""} {
		out, problems, code := h.atTerminal(typed, "kill-switch", "lift")
		require.Equal(t, app.ExitOK, code, problems)
		assert.Contains(t, out, "It stays engaged.")
	}
	assert.Contains(t, status(), "lunch")

	out, problems, code := h.atTerminal("YES \n", "kill-switch", "lift")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "Lifted")
	assert.Equal(t, "not engaged\n", status())
	h.preview(program)

	_, problems, code = h.atTerminal("yes\n", "kill-switch", "lift")
	assert.Equal(t, app.ExitError, code)
	assert.Contains(t, problems, "not engaged")

	status("engage")
	_, err = program.Guard.PrepareLift(t.Context())
	require.NoError(t, err)
	out, problems, code = h.atTerminal("yes\n", "approve")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "Lift the kill switch")
	assert.Equal(t, "not engaged\n", status(), "what another program prepared is lifted at once")
	_, _, code = h.ttai(strings.NewReader(""), "kill-switch", "toggle")
	assert.Equal(t, app.ExitUsage, code)
}

func TestTheKillSwitchCancelsWhatOpens(t *testing.T) {
	h := newHome(t)
	h.write(`{"limits": ` + strings.Replace(loopbackLimits, `{"grade": "loopback"}`, `{"grade": "none"}`, 1) + `, "policy": {
		"words": "a test", "until": "2100-01-01T00:00:00Z", "accounts": ["*"], "symbols": ["SPY"], "order_loss": 20000, "order_notional": 20000,
		"daily_orders": 10, "daily_loss": 20000, "daily_notional": 20000}}`)
	program := h.program()
	limit := decimal.NewFromInt(-1)
	placed, err := program.Guard.Place(t.Context(), simulator.DemoMargin, broker.NewTicket(broker.Order{
		Type: broker.Limit, Limit: &limit, Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(1)}},
	}))
	require.NoError(t, err)
	require.NoError(t, h.sim.Step(time.Second))

	out, problems, code := h.ttai(strings.NewReader(""), "kill-switch", "engage")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Contains(t, out, "1 orders were asked to end, 0 that only close are left")
	require.NoError(t, h.sim.Step(time.Second))
	state, err := program.Guard.Order(t.Context(), simulator.DemoMargin, placed[0].ID)
	require.NoError(t, err)
	assert.Equal(t, broker.Cancelled, state.Status)
}

// Whoever engages the switch gives a reason, models included.
func TestWhatAModelWroteCannotMoveTheCursorOrMakeLines(t *testing.T) {
	h := newHome(t)
	program := h.program()
	p := h.preview(program)
	evil := "\x1b[2J\x1b[1A\rnot engaged\nLift it? \u202eno\u2028\u009b31m \u200b\x07 é"
	require.NoError(t, program.Guard.Engage(t.Context(), "a\nmodel", evil))
	unharmed := func(out string) {
		t.Helper()
		for i, r := range out {
			if r != '\n' && !strings.ContainsRune("é", r) {
				assert.True(t, r >= ' ' && r < 0x7f, "%U at %d of %q", r, i, out)
			}
		}
		assert.Contains(t, out, "1b")
	}
	out, _, code := h.ttai(strings.NewReader(""), "kill-switch")
	assert.Equal(t, app.ExitOK, code)
	assert.Equal(t, 1, strings.Count(out, "\n"), out)
	assert.Contains(t, out, `engaged by a\u{a}model at `)
	unharmed(out)

	out, _, _ = h.atTerminal("\n", "kill-switch", "lift")
	assert.Equal(t, 2, strings.Count(out, "\n"), out)
	unharmed(out)
	_, problems, code := h.atTerminal("yes\n", "approve", p.ID)
	assert.Equal(t, app.ExitError, code)
	assert.Equal(t, 1, strings.Count(problems, "\n"), problems)
	unharmed(problems)

	_, err := program.Guard.PrepareLift(t.Context())
	require.NoError(t, err)
	out, _, code = h.ttai(strings.NewReader(""), "approve", "--list")
	assert.Equal(t, app.ExitOK, code)
	unharmed(out)
}

func TestPlainShowsWhatATerminalWouldObey(t *testing.T) {
	for text, want := range map[string]string{
		"buy 1 SPY – für 5 €": "buy 1 SPY – für 5 €",
		"\x1b[31m\x00\a\r\n":  `\u{1b}[31m\u{0}\u{7}\u{d}\u{a}`,
		"\u009b2J":            `\u{9b}2J`,
		"\u202e\u2066\u200f":  `\u{202e}\u{2066}\u{200f}`,
		"a\u00a0b\u2028":      `a\u{a0}b\u{2028}`,
		"\xff 'x' \U000e0041": "\ufffd 'x' \\u{e0041}",
	} {
		assert.Equal(t, want, plain(text))
	}
}
