package tasty_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/tastytrade"
)

func TestAccountsAreThoseOfTheCustomer(t *testing.T) {
	r := build(t, change{})
	accounts, err := r.Accounts(t.Context())
	require.NoError(t, err)
	require.Len(t, accounts, 2)
	assert.Equal(t, broker.AccountID(simulator.DemoMargin), accounts[0].ID)
	assert.Equal(t, []bool{true, false}, []bool{accounts[0].Margin, accounts[1].Margin})
	assert.Equal(t, "Roth IRA", accounts[1].Type)
	assert.Equal(t, broker.Simulator, r.Environment())
}

func TestPositionsAreSignedAndAddUp(t *testing.T) {
	r := build(t, change{})
	for _, account := range []broker.AccountID{simulator.DemoMargin, simulator.DemoIRA} {
		positions, err := r.Positions(t.Context(), account)
		require.NoError(t, err)
		balances, err := r.Balances(t.Context(), account)
		require.NoError(t, err)
		total := *balances.Cash
		for i, p := range positions {
			require.NotNil(t, p.Mark, p.Symbol)
			total = total.Add(*p.Value())
			_, option := p.Symbol.Contract()
			assert.Equal(t, option, p.Quantity.IsNegative(), "the demo accounts are long shares and short options")
			assert.True(t, p.AverageOpenPrice.IsPositive(), "for short positions too")
			assert.False(t, p.OpenedAt.IsZero())
			assert.Equal(t, option, !p.ExpiresAt.IsZero())
			q, err := r.market.QuoteAt(p.Symbol, r.clock.Now())
			require.NoError(t, err)
			middle := decimal.NewFromFloat(q.Bid).Add(decimal.NewFromFloat(q.Ask)).Div(decimal.NewFromInt(2))
			assert.True(t, middle.Equal(*p.Mark), "%s: %s, not %s", p.Symbol, p.Mark, middle)
			assert.True(t, decimal.NewFromFloat(q.PrevClose).Equal(*p.PrevClose))
			assert.True(t, p.RealizedDay.IsZero())
			if i > 0 {
				before := positions[i-1]
				assert.LessOrEqual(t, string(before.Underlying)+string(before.Symbol), string(p.Underlying)+string(p.Symbol))
			}
		}
		assert.True(t, total.Equal(*balances.NetLiquidatingValue), "%s, not %s", total, balances.NetLiquidatingValue)
		assert.Equal(t, "USD", balances.Currency)
		assert.True(t, balances.Time.Equal(r.clock.Now()))
	}
}

func TestUnknownAccounts(t *testing.T) {
	r := build(t, change{})
	_, err := r.Balances(t.Context(), "5WX99999")
	assert.ErrorIs(t, err, broker.ErrUnknownAccount)
	_, err = r.Positions(t.Context(), "5WX99999")
	assert.ErrorIs(t, err, broker.ErrUnknownAccount)
	_, err = r.Positions(t.Context(), "../me")
	assert.Error(t, err)
}

func TestOptionsAreChecked(t *testing.T) {
	client, err := tastytrade.NewClient(tastytrade.StaticTokenSource("x"), nil)
	require.NoError(t, err)
	tests := map[string]struct {
		client  *tastytrade.Client
		options *tasty.Options
	}{
		"client":             {nil, &tasty.Options{Environment: broker.Simulator}},
		"Environment":        {client, nil},
		"Timeout":            {client, &tasty.Options{Environment: broker.Sandbox, Timeout: -1}},
		"Settle":             {client, &tasty.Options{Environment: broker.Sandbox, Settle: -time.Second}},
		"Reconcile.Attempts": {client, &tasty.Options{Environment: broker.Sandbox, Reconcile: tastytrade.ReconcileOptions{Attempts: -1}}},
		"Reconcile.Wait":     {client, &tasty.Options{Environment: broker.Sandbox, Reconcile: tastytrade.ReconcileOptions{Wait: -1}}},
	}
	for field, tt := range tests {
		_, err := tasty.New(tt.client, tt.options)
		var wrong *tasty.FieldError
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, field, wrong.Field)
	}
}
