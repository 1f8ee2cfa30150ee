package app

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
)

func TestANameThatStandsTwiceAnywhereTurnsTradingOff(t *testing.T) {
	const budget = `"words":"small","until":"2030-01-01T00:00:00Z","accounts":["A1"],"symbols":["SPY"],"order_notional":1,"daily_orders":1,"daily_loss":1,"daily_notional":1`
	for twice, text := range map[string]string{
		"limits":     `{"limits":{"mode":""},"limits":{` + liveLimits + `}}`,
		"Limits":     `{"limits":{"mode":""},"Limits":{` + liveLimits + `}}`,
		"order_loss": `{"limits":{` + liveLimits + `},"policy":{` + budget + `,"order_loss":1,"order_loss":"none"}}`,
		"name":       `{"limits":{` + liveLimits + `},"passkeys":[{"name":"x","name":"y","id":"AAAA","public_key":"AAAA"}]}`,
		"mode":       `{"limits":{` + liveLimits + `,"mode":"trade"}}`,
	} {
		h := newHouse(t, broker.Production)
		h.write(text)
		_, err := h.desk().Guard.Prepare(t.Context(), "A1", buyIntent())
		require.ErrorIs(t, err, broker.ErrTradingOff, text)
		assert.ErrorContains(t, err, twice)
		assert.Zero(t, h.sent())
	}
}

func TestAStoreThatCannotBeReadStopsEverything(t *testing.T) {
	h := newHouse(t, broker.Simulator)
	d := h.desk()
	p, err := d.Guard.Prepare(t.Context(), "A1", buyIntent())
	require.NoError(t, err)
	evidence, err := d.Elicitation.Evidence(t.Context(), p, "a person")
	require.NoError(t, err)
	closed := h.open(t, "")
	other, err := h.opened.Desk(h.std, closed, nil)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	_, err = other.Guard.Submit(t.Context(), p.ID, evidence)
	require.Error(t, err)
	k, err := other.Guard.Killed(t.Context())
	require.Error(t, err)
	assert.True(t, k.Engaged, "a switch that cannot be read is engaged")
	assert.Zero(t, h.sent())
}

func TestAnAccountThatIsNotAllowedIsOutOfReachOfEveryCall(t *testing.T) {
	h := newHouse(t, broker.Simulator)
	b := onlyAccounts{h.opened.Broker, []string{"B2"}}
	ctx := t.Context()
	ticket := buyIntent().Ticket
	for name, call := range map[string]func() error{
		"balances":  func() error { _, err := b.Balances(ctx, "A1"); return err },
		"positions": func() error { _, err := b.Positions(ctx, "A1"); return err },
		"preview":   func() error { _, err := b.Preview(ctx, "A1", ticket); return err },
		"place":     func() error { _, err := b.Place(ctx, "A1", ticket); return err },
		"replace":   func() error { _, err := b.Replace(ctx, "A1", "1", ticket.Orders[0]); return err },
		"cancel":    func() error { _, err := b.Cancel(ctx, "A1", "1"); return err },
		"order":     func() error { _, err := b.Order(ctx, "A1", "1"); return err },
		"orders":    func() error { _, err := b.Orders(ctx, "A1", broker.OrdersQuery{}); return err },
		"transactions": func() error {
			_, err := b.Transactions(ctx, "A1", h.opened.Clock.Now(), h.opened.Clock.Now())
			return err
		},
		"events": func() error { _, err := b.Events(ctx, "A1"); return err },
	} {
		require.ErrorIs(t, call(), broker.ErrUnknownAccount, name)
	}
	accounts, err := b.Accounts(ctx)
	require.NoError(t, err)
	assert.Empty(t, accounts)
}
