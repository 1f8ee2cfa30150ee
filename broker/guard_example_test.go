package broker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A strategy gets a guarded broker and uses it as any other. What the written
// budget allows goes through; what a limit forbids does not reach the broker.
func ExampleNewGuard() {
	ctx := context.Background()
	adapter := newDeskBroker(broker.Sandbox) // broker/paper, broker/tasty, broker/alpaca …
	clock := market.NewManualClock(deskTime) // leave it out for the real time

	limits, err := broker.ParseLimits([]byte(`{
		"mode": "trade", "accounts": ["5WX00001"], "symbols": ["SPY"],
		"max_order_loss": 2000, "max_order_notional": 10000, "max_contracts": 2, "max_shares": 10,
		"max_daily_orders": 20, "max_daily_loss": 4000, "max_open_notional": 20000,
		"max_symbol_risk": 0.1, "max_portfolio_risk": 0.5, "min_buying_power": 5000,
		"naked_short": false, "zero_dte": false, "price_band": "none", "duplicate_window": "1m",
		"free_cancels": true, "approval": {}
	}`))
	if err != nil {
		fmt.Println(err)
	}
	budget, err := broker.NewPolicyApprover(broker.Budget{
		Words: "try the momentum strategy in the sandbox", Until: deskTime.Add(30 * 24 * time.Hour),
		Accounts: []broker.AccountID{"5WX00001"}, Symbols: []market.Symbol{"SPY"},
		OrderLoss: broker.CapInt(2000), OrderNotional: broker.CapInt(10_000),
		DailyOrders: broker.CapInt(10), DailyLoss: broker.CapInt(4000), DailyNotional: broker.CapInt(20_000),
	}, clock)
	if err != nil {
		fmt.Println(err)
	}
	guard, err := broker.NewGuard(adapter, broker.GuardOptions{Limits: limits, Approvers: []broker.Approver{budget}, Clock: clock})
	if err != nil {
		fmt.Println(err)
	}

	limit := decimal.RequireFromString("-500")
	order := broker.Order{
		Tag: "momentum-1", Type: broker.Limit, Limit: &limit,
		Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(3)}},
	}
	placed, err := guard.Place(ctx, "5WX00001", broker.NewTicket(order))
	fmt.Println(placed[0].Status, err)

	order.Tag, order.Legs[0].Quantity = "momentum-2", decimal.NewFromInt(5)
	_, err = guard.Place(ctx, "5WX00001", broker.NewTicket(order))
	fmt.Println(errors.Is(err, broker.ErrRefused), err)
	// Output:
	// live <nil>
	// true refused by the guard: its worst-case loss is 2500; 2000 is allowed
}

// A model prepares and submits at a desk. A person approves elsewhere, and what
// they approve are the stored bytes.
func ExampleGuard_Desk() {
	ctx := context.Background()
	office := newOffice(&testing.T{})
	office.person.always = false
	guard, _ := broker.NewGuard(office.broker, office.options())

	model := guard.Desk("")
	limit := decimal.RequireFromString("-10.2")
	p, _ := model.Prepare(ctx, desk, broker.Intent{Kind: broker.IntentPlace, Ticket: broker.NewTicket(broker.Order{
		Type: broker.Limit, Limit: &limit,
		Legs: []broker.Leg{{Symbol: "SPY   261218C00500000", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(2)}},
	})})
	fmt.Println(p.Words)
	_, err := model.Submit(ctx, p.ID)
	fmt.Println(err)

	// The page, the chat or the other device of the person:
	_, err = guard.Approve(ctx, p.ID, broker.Evidence{Method: "person", Data: []byte("yes")})
	fmt.Println(err)
	out, err := model.Submit(ctx, p.ID)
	fmt.Println(out.State, err)
	// Output:
	// No real money (sandbox), account 5WX00001. buy to open 2 SPY 2026-12-18 500 call for a debit of 10.2 or better, today only. Worst-case loss: 2040. Notional: 100000.00. Change of buying power: -100.00.
	// approval required of grade "policy": [person]
	// <nil>
	// done <nil>
}
