package strategy_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// A person approves when the test says so, and is asked each time.
type person struct {
	yes, no atomic.Bool
}

func (*person) Method() string      { return "person" }
func (*person) Grade() broker.Grade { return broker.GradePasskey }
func (*person) Fingerprint() string { return "a person" }
func (p *person) Approve(context.Context, broker.ApprovalRequest, *broker.Evidence) (broker.Decision, error) {
	switch {
	case p.no.Load():
		return broker.Decision{}, broker.ErrDeclined
	case p.yes.Load():
		return broker.Decision{By: "the owner"}, nil
	}
	return broker.Decision{}, broker.ErrApprovalRequired
}

// guarded puts a guard before a paper exchange; orders need a person.
func guarded(t *testing.T, approvers ...broker.Approver) (*broker.Guard, *paper.Exchange) {
	t.Helper()
	x, err := paper.New(&paper.Options{Clock: market.SystemClock(), IgnoreSizes: true, Accounts: []paper.Account{{
		Account: broker.Account{ID: account, Margin: true}, Cash: decimal.NewFromInt(100_000),
	}}})
	require.NoError(t, err)
	require.NoError(t, x.Quote(paper.Quote{Symbol: "ACME", Time: time.Now(), Bid: 99.99, Ask: 100.01}))
	grade := `{}`
	if len(approvers) > 0 && approvers[0].Method() == "person" {
		grade = `{"grade": "passkey"}`
	}
	limits, err := broker.ParseLimits([]byte(`{
		"mode": "trade", "accounts": ["PAPER1"], "symbols": ["ACME"],
		"max_order_loss": 20000, "max_order_notional": 20000, "max_contracts": 2, "max_shares": 100,
		"max_daily_orders": 50, "max_daily_loss": "none", "max_open_notional": "none",
		"max_symbol_risk": "none", "max_portfolio_risk": "none", "min_buying_power": 0,
		"naked_short": true, "zero_dte": false, "price_band": "none", "duplicate_window": "0s",
		"free_cancels": true, "approval": ` + grade + `
	}`))
	require.NoError(t, err)
	guard, err := broker.NewGuard(x.Broker(), broker.GuardOptions{Limits: limits, Approvers: approvers, Quotes: fixed{}})
	require.NoError(t, err)
	return guard, x
}

type fixed struct{}

func (fixed) Quotes(_ context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	var out []market.Quote
	for _, s := range symbols {
		q := market.NewQuote(s)
		q.Bid, q.Ask, q.Time = 99.99, 100.01, time.Now()
		out = append(out, q)
	}
	return out, nil
}

func tagged(tag string) broker.Ticket {
	o := strategy.MarketOrder(broker.BuyToOpen, "ACME", 3)
	o.Tag = tag
	return broker.NewTicket(o)
}

func TestAStrategysOrderWaitsForAPersonsApproval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(stageDay().Open.Add(time.Hour)))
		p := &person{}
		guard, x := guarded(t, p)
		asked := 0
		b, err := strategy.AwaitApproval(guard, &strategy.ApprovalOptions{Asked: func(broker.Prepared) { asked++ }})
		require.NoError(t, err)
		go func() {
			time.Sleep(33 * time.Second)
			p.yes.Store(true)
		}()
		began := time.Now()
		states, err := b.Place(t.Context(), account, tagged("first"))
		require.NoError(t, err)
		require.Len(t, states, 1)
		assert.Equal(t, broker.Filled, states[0].Status)
		assert.Equal(t, 35*time.Second, time.Since(began))
		assert.Equal(t, 1, asked)
		held, err := x.Broker().Positions(t.Context(), account)
		require.NoError(t, err)
		require.Len(t, held, 1)
	})
}

func TestWithoutAnApprovalInTimeNothingIsSentEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(stageDay().Open.Add(time.Hour)))
		p := &person{}
		guard, x := guarded(t, p)
		var id string
		b, err := strategy.AwaitApproval(guard, &strategy.ApprovalOptions{Wait: 20 * time.Second, Asked: func(p broker.Prepared) { id = p.ID }})
		require.NoError(t, err)
		began := time.Now()
		_, err = b.Place(t.Context(), account, tagged("first"))
		require.ErrorIs(t, err, broker.ErrApprovalRequired)
		assert.Equal(t, 20*time.Second, time.Since(began))
		p.yes.Store(true) // too late
		_, err = guard.Submit(t.Context(), id)
		require.Error(t, err)
		orders, err := x.Broker().Orders(t.Context(), account, broker.OrdersQuery{})
		require.NoError(t, err)
		assert.Empty(t, orders)
		p.no.Store(true)
		_, err = b.Place(t.Context(), account, tagged("second"))
		require.ErrorIs(t, err, broker.ErrDeclined)
		p.no.Store(false)
		p.yes.Store(false)
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		_, err = b.Place(ctx, account, tagged("third"))
		require.ErrorIs(t, err, broker.ErrApprovalRequired, "an end of the run is no approval")
	})
}

func TestARunTradesThroughAGuardWithinAWrittenBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		budget, err := broker.NewPolicyApprover(broker.Budget{
			Words: "try it on paper", Until: time.Now().Add(time.Hour), Accounts: []broker.AccountID{account}, Symbols: []market.Symbol{"ACME"},
			OrderLoss: broker.CapInt(1000), OrderNotional: broker.CapInt(1000), DailyOrders: broker.CapInt(10), DailyLoss: broker.NoCap(), DailyNotional: broker.NoCap(),
		}, nil)
		require.NoError(t, err)
		guard, x := guarded(t, budget)
		s.x, s.broker, s.opts.Broker = x, x.Broker(), guard
		var refused error
		s.start(liveScript(func(ss *strategy.Session, e *strategy.Event) {
			if e.Kind != strategy.BarEvent {
				return
			}
			if ss.Position("ACME").Quantity == 0 {
				_, err := ss.Trade("ACME", 5)
				assert.NoError(t, err)
				return
			}
			_, refused = ss.Trade("ACME", 20) // more than the budget has
		}))
		pass(11 * time.Minute)
		require.NoError(t, s.stop())
		assert.ErrorIs(t, refused, broker.ErrApprovalRequired)
		held, err := s.broker.Positions(t.Context(), account)
		require.NoError(t, err)
		require.Len(t, held, 1)
		assert.Equal(t, "5", held[0].Quantity.String())
	})
}

func TestApprovalsNeedAGuard(t *testing.T) {
	var field *invalid.FieldError
	_, err := strategy.AwaitApproval(nil, nil)
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "guard", field.Field)
	guard, _ := guarded(t)
	_, err = strategy.AwaitApproval(guard, &strategy.ApprovalOptions{Wait: -1})
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "Wait", field.Field)
}
