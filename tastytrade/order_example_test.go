package tastytrade_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/tastytrade"
)

func price(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// An order is validated while it is made: legs, then the kind of order, then
// how long it works.
func ExampleLegs() {
	order, err := tastytrade.Legs(
		tastytrade.SellToOpen.Of("SPY   261218P00450000", 1),
		tastytrade.BuyToOpen.Of("SPY   261218P00445000", 1),
	).Limit(tastytrade.Receive(price("1.25"))).GTC(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(order.Type, order.TimeInForce, order.Price)

	_, err = tastytrade.Legs(tastytrade.BuyToOpen.Of("AAPL", 100)).Limit(tastytrade.Receive(price("187.50"))).Day(nil)
	fmt.Println(err)
	// Output:
	// Limit GTC 1.25
	// price: "187.5" is not allowed; want a negative amount: what is bought is paid for
}

// With the facts of the instrument a price between two ticks is moved to the
// one that is better for the account.
func ExampleOrderFacts() {
	cents := price("0.01")
	order, err := tastytrade.Legs(tastytrade.BuyToOpen.Of("AAPL", 1)).
		Limit(tastytrade.Pay(price("187.506"))).
		Day(&tastytrade.OrderDetails{
			Rounding: tastytrade.RoundPassive,
			Facts: &tastytrade.OrderFacts{Instruments: map[string]tastytrade.InstrumentRules{
				"AAPL": {Ticks: tastytrade.TickTable{{Value: &cents}}},
			}},
		})
	fmt.Println(order.Price, err)
	// Output: -187.5 <nil>
}

// What a program does with the three outcomes of a write. Here the broker's
// gateway fails after the order was taken: it is found, not sent again.
func ExampleOrdersService_Place() {
	client, stop := exampleBroker()
	defer stop()
	ctx := context.Background()

	order, err := tastytrade.Legs(tastytrade.BuyToOpen.Of("AAPL", 100)).
		Limit(tastytrade.Pay(price("187.50"))).
		Day(&tastytrade.OrderDetails{ExternalIdentifier: "morning-1"})
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.Orders.Place(ctx, "5WX00001", order)
	switch tastytrade.OutcomeOf(err) {
	case tastytrade.Placed:
		fmt.Println("placed", result.Order.ID)
	case tastytrade.Rejected, tastytrade.NotSent:
		fmt.Println("nothing happened:", err)
	case tastytrade.Unknown:
		var unknown *tastytrade.UnknownOutcomeError
		errors.As(err, &unknown)
		found, err := client.Orders.Reconcile(ctx, unknown.Account, unknown.ExternalIdentifier, nil)
		if err != nil {
			log.Fatal(err) // ErrNotFound: the broker does not have it
		}
		fmt.Println("unknown, and found as", found.ID, found.Status)
	}
	// Output: unknown, and found as 17 Live
}

// exampleBroker takes orders and loses its answers.
func exampleBroker() (*tastytrade.Client, func()) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, `{"data":{"items":[{"id":17,"status":"Live","external-identifier":"morning-1"}]}}`)
	}))
	client, err := tastytrade.NewClient(tastytrade.StaticTokenSource("token"), &tastytrade.ClientOptions{BaseURL: server.URL, Limiter: tastytrade.NoLimit()})
	if err != nil {
		log.Fatal(err)
	}
	return client, func() { client.Close(); server.Close() }
}

// A bracket: an order that opens, and once it is filled a target and a stop of
// which one cancels the other.
func ExampleBracket() {
	open, err := tastytrade.Legs(tastytrade.BuyToOpen.Of("AAPL", 100)).Limit(tastytrade.Pay(price("187.50"))).Day(nil)
	if err != nil {
		log.Fatal(err)
	}
	close := tastytrade.Legs(tastytrade.SellToClose.Of("AAPL", 100))
	target, err := close.Limit(tastytrade.Receive(price("200"))).GTC(nil)
	if err != nil {
		log.Fatal(err)
	}
	stop, err := close.Stop(price("180")).GTC(nil)
	if err != nil {
		log.Fatal(err)
	}
	bracket, err := tastytrade.Bracket(open, target, stop)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bracket.Type, bracket.TriggerOrder.Price, len(bracket.Orders))
	// Output: OTOCO -187.5 2
}

// An index translates symbols; a future's option is found from a pair that it
// was given.
func ExampleSymbolIndex() {
	index := tastytrade.NewSymbolIndex(tastytrade.Date{Year: 2026, Month: 9, Day: 16})
	index.Add("./ESU6 E1AN6 260706C6260", "./E1AN26C6260:XCME")
	fmt.Println(index.Broker("./E1AN26C6260:XCME"))
	fmt.Println(index.Streamer("/ESZ6")) // the exchange of ES is known by now
	fmt.Println(index.Streamer("SPY   261218C00502500"))
	// Output:
	// ./ESU6 E1AN6 260706C6260 true
	// /ESZ26:XCME true
	// .SPY261218C502.5 true
}

// Notifications come typed. After a reconnection the program reads the state
// anew before anything new is given out.
func ExampleClient_DialAccounts() {
	server := &streamer{connected: func(c *streamerConn) {
		c.send(`{"type":"Order","data":{"id":17,"account-number":"5WX00001","status":"Filled","updated-at":1789000000000},"timestamp":1789000000001}`)
	}}
	listener := httptest.NewServer(server)
	defer listener.Close()
	client, err := tastytrade.NewClient(tastytrade.StaticTokenSource("token"), &tastytrade.ClientOptions{BaseURL: listener.URL})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx := context.Background()
	stream, err := client.DialAccounts(ctx, &tastytrade.AccountStreamerOptions{
		Accounts: []tastytrade.AccountNumber{"5WX00001"},
		URL:      "ws" + listener.URL[len("http"):], // of the simulator or a test; the broker's is known
		Rehydrate: func(ctx context.Context, gap *tastytrade.AccountGap) (*tastytrade.AccountSnapshot, error) {
			fmt.Println("reading the state, after a gap:", gap != nil)
			return nil, nil // or client.AccountSnapshot(ctx, "5WX00001")
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for n, err := range stream.Notifications() {
		if err != nil {
			log.Fatal(err) // why the stream ended
		}
		if order, ok := n.Value.(*tastytrade.Order); ok {
			fmt.Println("order", order.ID, "is", order.Status)
			break
		}
	}
	// Output:
	// reading the state, after a gap: false
	// order 17 is Filled
}
