package alpaca_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
	"github.com/ttai-go/ttai/market"
)

// exampleAdapter is an adapter on a fake with one share. With Live or not, and
// without the URLs, it would be Alpaca.
func exampleAdapter() (*alpacatest.Server, *alpaca.Adapter) {
	fake, err := alpacatest.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	fake.AddStock("ACME")
	fake.Quote("ACME", alpacatest.Quote{Bid: 99.95, Ask: 100.05, BidSize: 500, AskSize: 500})
	adapter, err := alpaca.New(&alpaca.Options{Client: alpaca.ClientOptions{
		Credentials: alpaca.Static(alpaca.Credentials{KeyID: alpacatest.KeyID, Secret: alpacatest.Secret}),
		TradingURL:  fake.URL(), DataURL: fake.URL(), StreamURL: fake.StreamURL(),
	}})
	if err != nil {
		log.Fatal(err)
	}
	return fake, adapter
}

// An order is previewed, placed and followed.
func Example() {
	fake, adapter := exampleAdapter()
	defer fake.Close()
	defer adapter.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	b := adapter.Broker()
	accounts, err := b.Accounts(ctx)
	if err != nil {
		log.Fatal(err)
	}
	events, err := b.Events(ctx, accounts[0].ID)
	if err != nil {
		log.Fatal(err)
	}
	defer events.Close()

	price := decimal.RequireFromString("-100.05") // a debit
	ticket := broker.NewTicket(broker.Order{
		Tag: "first-order-1", Type: broker.Limit, Limit: &price,
		Legs: []broker.Leg{{Symbol: "ACME", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(10)}},
	})
	preview, err := b.Preview(ctx, accounts[0].ID, ticket)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.Environment(), "order costs", preview.Cash.Neg(), "and", len(preview.Refusals), "things speak against it")
	if _, err := b.Place(ctx, accounts[0].ID, ticket); err != nil {
		log.Fatal(err)
	}
	for {
		event, err := events.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if f := event.Fill; f != nil {
			fmt.Println("filled", f.Quantity, f.Symbol, "at", f.Price)
		}
		if o := event.Order; o != nil && o.Status.Terminal() {
			fmt.Println("the order is", o.Status)
			break
		}
	}
	// Output:
	// paper order costs 1000.5 and 0 things speak against it
	// filled 10 ACME at 100.05
	// the order is filled
}

func ExampleAdapter_Quotes() {
	fake, adapter := exampleAdapter()
	defer fake.Close()
	defer adapter.Close()
	quotes, err := adapter.Quotes(context.Background(), []market.Symbol{"ACME"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(quotes[0].Symbol, quotes[0].Bid, quotes[0].Ask)
	// Output: ACME 99.95 100.05
}

func ExampleValidate() {
	price := decimal.RequireFromString("-10.005")
	fmt.Println(alpaca.Validate(broker.NewTicket(broker.Order{
		Tag: "a-1", Type: broker.Limit, Limit: &price,
		Legs: []broker.Leg{{Symbol: "ACME", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(10)}},
	})))
	// Output: Orders[0].Limit: "-10.005" is not allowed; want at most 2 decimals
}

func ExampleClient_MarketData() {
	fake, adapter := exampleAdapter()
	defer fake.Close()
	defer adapter.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	stream, err := adapter.Client().MarketData(ctx, alpaca.StockStream, alpaca.StreamOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	if err := stream.Subscribe(ctx, map[alpaca.Channel][]string{alpaca.ChannelQuotes: {"ACME"}}); err != nil {
		log.Fatal(err)
	}
	fake.Quote("ACME", alpacatest.Quote{Bid: 101, Ask: 101.5, BidSize: 2, AskSize: 3})
	update, err := stream.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(update.Symbol, update.Quote.BidPrice, update.Quote.AskPrice)
	// Output: ACME 101 101.5
}
