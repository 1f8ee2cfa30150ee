// Command paper-bot is a bot that someone already has, with the library's paper
// exchange in place of its broker: its quotes go in, and fills come out, with fees,
// partial fills and the buying power of a real account. Its feed is its own; here it
// is a made-up walk of prices.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
)

const account = "PAPER1"

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	start := time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC) // ten in New York
	exchange, err := paper.New(&paper.Options{
		Start: start, Fees: broker.TastytradeFees(),
		Latency:  paper.Latency{Route: 50 * time.Millisecond},
		Accounts: []paper.Account{{Account: broker.Account{ID: account}, Cash: decimal.NewFromInt(25_000)}},
		Observer: func(e broker.Event) { // what the bot's own fill handler was told before
			if f := e.Fill; f != nil {
				fmt.Fprintf(out, "%s %s %s %s at %s, fees %s\n", f.Time.Format("15:04:05"), f.Action, f.Quantity, f.Symbol, f.Price, f.Fees.Total())
			}
		},
	})
	if err != nil {
		return err
	}
	b := &bot{broker: exchange.Broker()}
	for i, price := range feed(3600) {
		q := paper.Quote{
			Symbol: "KO", Time: start.Add(time.Duration(i) * time.Second),
			Bid: cents(price - 0.01), Ask: cents(price + 0.01), BidSize: 60, AskSize: 60, // 100 shares need two quotes
		}
		if err := exchange.Quote(q); err != nil {
			return err
		}
		if err := b.onQuote(ctx, price); err != nil {
			return err
		}
	}
	balances, err := b.broker.Balances(ctx, account)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "cash %s\n", balances.Cash.StringFixed(2))
	return nil
}

// A bot buys a fall of one percent from the highest price it saw, and sells a gain
// of one percent. It was here before: only the type of its broker is new.
type bot struct {
	broker          broker.Broker
	highest, bought float64
	holds           bool
	orders          int
}

func (b *bot) onQuote(ctx context.Context, price float64) error {
	b.highest = math.Max(b.highest, price)
	switch {
	case !b.holds && price < 0.99*b.highest:
		b.holds, b.bought = true, price
		return b.trade(ctx, broker.BuyToOpen)
	case b.holds && price > 1.01*b.bought:
		b.holds, b.highest = false, price
		return b.trade(ctx, broker.SellToClose)
	}
	return nil
}

func (b *bot) trade(ctx context.Context, action broker.Action) error {
	b.orders++
	_, err := b.broker.Place(ctx, account, broker.NewTicket(broker.Order{
		Tag: fmt.Sprintf("dip-%d", b.orders), Type: broker.Market,
		Legs: []broker.Leg{{Symbol: "KO", Action: action, Quantity: decimal.NewFromInt(100)}},
	}))
	return err
}

// feed makes n prices, the same ones each time.
func feed(n int) []float64 {
	random := rand.New(rand.NewPCG(1, 2))
	prices, price := make([]float64, n), 70.0
	for i := range prices {
		price *= math.Exp(0.0005 * random.NormFloat64())
		prices[i] = cents(price)
	}
	return prices
}

func cents(price float64) float64 { return math.Round(100*price) / 100 }
