// Command guarded puts limits and a written budget before a broker. A program that
// trades gets the guarded broker and uses it as any other: what the budget allows
// goes through without a question, what a limit forbids does not reach the broker,
// and the kill switch stops it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

const account = "PAPER1"

// limits hold for every order, whoever approves it. None may be left out.
const limits = `{
	"mode": "trade", "accounts": ["PAPER1"], "symbols": ["SPY", "QQQ"], "max_contracts": 0, "max_shares": 10,
	"max_order_loss": 6000, "max_order_notional": 6000, "max_daily_orders": 3, "max_daily_loss": 12000, "max_open_notional": 12000,
	"max_symbol_risk": 0.6, "max_portfolio_risk": 0.6, "min_buying_power": 2000,
	"price_band": "none", "free_cancels": true, "approval": {}
}`

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	now := time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC) // ten in New York
	exchange, err := paper.New(&paper.Options{
		Start: now, IgnoreSizes: true,
		Accounts: []paper.Account{{Account: broker.Account{ID: account}, Cash: decimal.NewFromInt(25_000)}},
	})
	if err != nil {
		return err
	}
	if err := exchange.Quotes([]paper.Quote{{Symbol: "SPY", Bid: 499.98, Ask: 500}, {Symbol: "QQQ", Bid: 399.98, Ask: 400}}); err != nil {
		return err
	}

	clock := market.NewManualClock(now) // leave it out where time is real
	written, err := broker.ParseLimits([]byte(limits))
	if err != nil {
		return err
	}
	budget, err := broker.NewPolicyApprover(broker.Budget{
		Words: "try the momentum strategy on paper", Until: now.AddDate(0, 1, 0),
		Accounts: []broker.AccountID{account}, Symbols: []market.Symbol{"SPY"}, // QQQ needs somebody's approval
		OrderLoss: broker.CapInt(6000), OrderNotional: broker.CapInt(6000),
		DailyOrders: broker.CapInt(10), DailyLoss: broker.CapInt(20_000), DailyNotional: broker.CapInt(20_000),
	}, clock)
	if err != nil {
		return err
	}
	guard, err := broker.NewGuard(exchange.Broker(), broker.GuardOptions{Limits: written, Approvers: []broker.Approver{budget}, Clock: clock})
	if err != nil {
		return err
	}

	trade(ctx, out, guard, "first", "SPY", 10)
	trade(ctx, out, guard, "too-many", "SPY", 11)
	trade(ctx, out, guard, "another", "QQQ", 5)
	if err := guard.Engage(ctx, "the operator", "enough for today"); err != nil {
		return err
	}
	trade(ctx, out, guard, "stopped", "SPY", 1)

	orders, err := exchange.Broker().Orders(ctx, account, broker.OrdersQuery{Since: now})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "the exchange saw orders:", len(orders))
	return nil
}

// trade is a strategy's side: it knows a broker, and no guard.
func trade(ctx context.Context, out io.Writer, b broker.Broker, tag string, symbol market.Symbol, quantity int64) {
	limit := decimal.RequireFromString("-500")
	placed, err := b.Place(ctx, account, broker.NewTicket(broker.Order{
		Tag: tag, Type: broker.Limit, Limit: &limit,
		Legs: []broker.Leg{{Symbol: symbol, Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(quantity)}},
	}))
	switch {
	case errors.Is(err, broker.ErrApprovalRequired):
		fmt.Fprintf(out, "%s: a person would have to approve it\n", tag)
	case err != nil:
		fmt.Fprintf(out, "%s: %v\n", tag, err)
	default:
		fmt.Fprintf(out, "%s: %s\n", tag, placed[0].Status)
	}
}
