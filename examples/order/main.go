// Command order places an order and follows it until it has filled, through the
// interface that every broker of the library has. It trades on the embedded
// simulator, whose clock stands and is moved by hand.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/tastytrade"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	sim, err := simulator.New(&simulator.Options{Stopped: true})
	if err != nil {
		return err
	}
	defer sim.Close()
	server, err := sim.Listen()
	if err != nil {
		return err
	}
	credentials := sim.Credentials()
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{
		BaseURL: server.URL(), Dial: server.DialContext, ClientSecret: credentials.ClientSecret, RefreshToken: credentials.RefreshToken,
	})
	if err != nil {
		return err
	}
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: server.URL(), Dial: server.DialContext})
	if err != nil {
		return err
	}
	adapter, err := tasty.New(client, &tasty.Options{
		Environment: broker.Simulator, Clock: sim.Clock(), AccountStreamer: server.AccountStreamerURL(),
	})
	if err != nil {
		return err
	}
	defer adapter.Close()

	q := market.NewQuote("SPY")
	q.Bid, q.Ask = 499.40, 499.44
	if err := sim.SetQuote(q); err != nil {
		return err
	}
	return follow(ctx, out, adapter.Broker(), func() error { return sim.Step(time.Second) })
}

// follow buys ten shares, waits, and returns when the order has ended.
func follow(ctx context.Context, out io.Writer, b broker.Broker, wait func() error) error {
	const account = simulator.DemoMargin
	events, err := b.Events(ctx, account) // before the order, so that nothing is missed
	if err != nil {
		return err
	}
	defer events.Close()

	limit := decimal.RequireFromString("-499.50") // a debit
	ticket := broker.NewTicket(broker.Order{
		Tag: "ten-shares", Type: broker.Limit, Limit: &limit,
		Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(10)}},
	})
	preview, err := b.Preview(ctx, account, ticket)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, preview: fees %s, buying power %s\n", b.Environment(), preview.Fees.Total(), preview.BuyingPower.StringFixed(2))
	if _, err := b.Place(ctx, account, ticket); err != nil {
		return err
	}
	if err := wait(); err != nil {
		return err
	}
	for {
		event, err := events.Next(ctx)
		if err != nil {
			return err
		}
		switch {
		case event.Fill != nil:
			fmt.Fprintf(out, "%s %s %s at %s\n", event.Fill.Action, event.Fill.Quantity, event.Fill.Symbol, event.Fill.Price)
		case event.Order != nil:
			fmt.Fprintln(out, event.Order.Status)
			if event.Order.Status.Terminal() {
				return nil
			}
		}
	}
}
