package paper_test

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// Place an order and follow it to its fill.
func Example() {
	ctx := context.Background()
	exchange, err := paper.New(&paper.Options{
		Start: time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC), // ten in New York
		Fees:  broker.TastytradeFees(),
		Accounts: []paper.Account{{
			Account: broker.Account{ID: "PAPER1", Margin: true}, Cash: decimal.NewFromInt(25_000),
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := exchange.Broker()
	events, err := b.Events(ctx, "PAPER1")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer events.Close()

	_ = exchange.Quote(paper.Quote{Symbol: "SPY", Bid: 500.00, Ask: 500.05, BidSize: 100, AskSize: 100})
	limit := decimal.RequireFromString("-499.50") // a debit
	_, err = b.Place(ctx, "PAPER1", broker.NewTicket(broker.Order{
		Tag: "first", Type: broker.Limit, Limit: &limit,
		Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(10)}},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = exchange.Quote(paper.Quote{Symbol: "SPY", Bid: 499.40, Ask: 499.45, BidSize: 100, AskSize: 100})

	for {
		e, err := events.Next(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		if e.Fill != nil {
			fmt.Println("fill:", e.Fill.Quantity, "at", e.Fill.Price)
		}
		if e.Order != nil {
			fmt.Println(e.Order.Status)
			if e.Order.Status.Terminal() {
				break
			}
		}
	}
	// Output:
	// received
	// routed
	// live
	// fill: 10 at 499.45
	// filled
}

// A bot is somebody's program that trades through broker.Broker: it buys the first
// close above the last one's, with a target and a stop.
type bot struct {
	broker broker.Broker
	last   float64
	placed bool
}

func (b *bot) onBar(ctx context.Context, close float64) error {
	defer func() { b.last = close }()
	if b.placed || b.last == 0 || close <= b.last {
		return nil
	}
	b.placed = true
	ten := decimal.NewFromInt(10)
	target, stop := decimal.NewFromFloat(close+2), decimal.NewFromFloat(close-3)
	exit := []broker.Leg{{Symbol: "SPY", Action: broker.SellToClose, Quantity: ten}}
	_, err := b.broker.Place(ctx, "PAPER1", broker.Ticket{Kind: broker.Bracket, Orders: []broker.Order{
		{Tag: "enter", Type: broker.Market, Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: ten}}},
		{Tag: "target", Type: broker.Limit, Limit: &target, TimeInForce: broker.GTC, Legs: exit},
		{Tag: "stop", Type: broker.Stop, Stop: &stop, TimeInForce: broker.GTC, Legs: exit},
	}})
	return err
}

// Put the paper exchange under an existing bot: give it Broker, push its bars.
func Example_embedding() {
	ctx := context.Background()
	ny := market.NYSE().Location()
	exchange, err := paper.New(&paper.Options{
		Start:    time.Date(2026, 3, 1, 0, 0, 0, 0, ny),
		Path:     paper.Pessimistic,
		Accounts: []paper.Account{{Account: broker.Account{ID: "PAPER1"}, Cash: decimal.NewFromInt(10_000)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	trader := &bot{broker: exchange.Broker("PAPER1")}
	for i, bar := range []market.Bar{
		{Open: 500, High: 502, Low: 499, Close: 500},
		{Open: 500, High: 503, Low: 500, Close: 501},
		{Open: 501.5, High: 502.5, Low: 500, Close: 502}, // the entry, at the open
		{Open: 502, High: 505, Low: 501, Close: 504},     // the target
	} {
		bar.Time = time.Date(2026, 3, 2+i, 0, 0, 0, 0, ny)
		if err := exchange.Bars([]paper.Bar{{Bar: bar, Symbol: "SPY"}}); err != nil {
			fmt.Println(err)
			return
		}
		if err := trader.onBar(ctx, bar.Close); err != nil {
			fmt.Println(err)
			return
		}
	}
	orders, _ := trader.broker.Orders(ctx, "PAPER1", broker.OrdersQuery{Since: time.Date(2026, 3, 1, 0, 0, 0, 0, ny)})
	for i := range orders {
		o := orders[len(orders)-1-i]
		fmt.Println(o.Order.Tag, o.Status)
	}
	balances, _ := trader.broker.Balances(ctx, "PAPER1")
	fmt.Println("cash", balances.Cash)
	// Output:
	// enter filled
	// target filled
	// stop cancelled
	// cash 10015
}

// Stop an exchange and go on with it later.
func ExampleRestore() {
	opts := &paper.Options{
		Start:    time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC),
		Accounts: []paper.Account{{Account: broker.Account{ID: "PAPER1"}, Cash: decimal.NewFromInt(10_000)}},
	}
	exchange, _ := paper.New(opts)
	_ = exchange.Quote(paper.Quote{Symbol: "SPY", Bid: 500, Ask: 500.05})
	saved, err := exchange.Snapshot()
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := paper.Restore(saved, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.Now().Equal(exchange.Now()), again.Mark("SPY"))
	// Output: true 500.025
}
