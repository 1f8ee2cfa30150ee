package tasty_test

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/tastytrade"
)

// Place an order in a simulator and follow it to its end. For a real account wrap
// the broker in a guard, which keeps it within limits and behind an approval.
func ExampleAdapter_Broker() {
	adapter, done, err := open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer done()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	account := broker.AccountID(simulator.DemoMargin)

	quotes, err := adapter.Quotes(ctx, []market.Symbol{"SPY"})
	if err != nil {
		fmt.Println(err)
		return
	}
	limit := decimal.NewFromFloat(quotes[0].Ask).RoundCeil(2).Neg() // to buy is a debit
	ticket := broker.NewTicket(broker.Order{
		Tag: "my-first-order", Type: broker.Limit, Limit: &limit,
		Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(10)}},
	})
	b := adapter.Broker()
	preview, err := b.Preview(ctx, account, ticket)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("refusals:", len(preview.Refusals))

	events, err := b.Events(ctx, account) // before the order, so that nothing is missed
	if err != nil {
		fmt.Println(err)
		return
	}
	defer events.Close()
	placed, err := b.Place(ctx, account, ticket)
	if err != nil {
		fmt.Println(err) // broker.ErrUncertain: look for the tag, never send it again
		return
	}
	for {
		event, err := events.Next(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		if order := event.Order; order != nil && order.ID == placed[0].ID && order.Status.Terminal() {
			fmt.Println(order.Order.Tag, order.Status, order.Legs[0].Filled)
			return
		}
	}
	// Output:
	// refusals: 0
	// my-first-order filled 10
}

// open returns an adapter over a simulator in this process.
func open() (*tasty.Adapter, func(), error) {
	sim, err := simulator.New(nil)
	if err != nil {
		return nil, nil, err
	}
	server, err := sim.Listen()
	if err != nil {
		return nil, nil, err
	}
	secrets := sim.Credentials()
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{
		BaseURL: server.URL(), Dial: server.DialContext, ClientSecret: secrets.ClientSecret, RefreshToken: secrets.RefreshToken,
	})
	if err != nil {
		return nil, nil, err
	}
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: server.URL(), Dial: server.DialContext, Limiter: tastytrade.NoLimit()})
	if err != nil {
		return nil, nil, err
	}
	adapter, err := tasty.New(client, &tasty.Options{Environment: broker.Simulator, Clock: sim.Clock(), AccountStreamer: server.AccountStreamerURL()})
	if err != nil {
		return nil, nil, err
	}
	return adapter, func() {
		_ = adapter.Close()
		client.Close()
		_ = sim.Close()
	}, nil
}
