package tastytrade_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/tastytrade"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// A client for the sandbox: the secrets come from wherever the program keeps them.
func ExampleNewClient() {
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{
		BaseURL:      tastytrade.Sandbox,
		ClientSecret: "the secret of the OAuth application",
		RefreshToken: "the refresh token of the grant",
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{
		BaseURL:   tastytrade.Sandbox,
		UserAgent: "my-bot/1.0",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(client.Positions != nil)
	// Output: true
}

// exampleServer stands in for the broker in the examples.
func exampleServer(body string) (*tastytrade.Client, func()) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/accounts/closed/positions" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"code":"record_not_found","message":"Couldn't find account"}}`)
			return
		}
		_, _ = io.WriteString(w, body)
	}))
	client, err := tastytrade.NewClient(tastytrade.StaticTokenSource("token"), &tastytrade.ClientOptions{BaseURL: server.URL, Limiter: tastytrade.NoLimit()})
	if err != nil {
		log.Fatal(err)
	}
	return client, func() { client.Close(); server.Close() }
}

func ExamplePositionsService_List() {
	client, stop := exampleServer(`{"data":{"items":[
		{"account-number":"5WX00001","symbol":"SPY","instrument-type":"Equity","quantity":"100","quantity-direction":"Long","average-open-price":"512.25"},
		{"account-number":"5WX00001","symbol":"SPY   261218C00560000","instrument-type":"Equity Option","quantity":1,"quantity-direction":"Short","average-open-price":"8.4"}]}}`)
	defer stop()

	positions, err := client.Positions.List(context.Background(), "5WX00001", nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range positions {
		fmt.Println(p.SignedQuantity(), p.Symbol, "at", p.AverageOpenPrice)
	}
	// Output:
	// 100 SPY at 512.25
	// -1 SPY   261218C00560000 at 8.4
}

func ExampleAPIError() {
	client, stop := exampleServer("")
	defer stop()

	_, err := client.Positions.List(context.Background(), "closed", nil)
	if apiErr, ok := errors.AsType[*tastytrade.APIError](err); ok && errors.Is(err, tastytrade.ErrNotFound) {
		fmt.Println(apiErr.Code)
	}
	fmt.Println(err)
	// Output:
	// record_not_found
	// tastytrade: GET /accounts/{account}/positions: 404 record_not_found: Couldn't find account
}

func ExampleParseEquityOption() {
	option, err := tastytrade.ParseEquityOption("SPY   261218C00502500")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(option.Root, option.Expiration, option.Strike, option.Streamer())
	// Output: SPY 2026-12-18 502.5 .SPY261218C502.5
}

// Streaming, here from the simulator. The client fetches a quote token for every
// connection it makes.
func ExampleClient_DialMarketData() {
	sim, err := simulator.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer sim.Close()
	server, err := sim.Listen()
	if err != nil {
		log.Fatal(err)
	}
	credentials := sim.Credentials()
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{
		BaseURL: server.URL(), Dial: server.DialContext,
		ClientSecret: credentials.ClientSecret, RefreshToken: credentials.RefreshToken,
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: server.URL(), Dial: server.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx := context.Background()
	conn, err := client.DialMarketData(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	quotes, err := dxlink.Subscribe[dxlink.Quote](ctx, conn, "SPY")
	if err != nil {
		log.Fatal(err)
	}
	defer quotes.Close()
	for q, err := range quotes.Events() {
		if err != nil {
			log.Fatal(err) // why the stream ended
		}
		fmt.Println(q.Symbol, q.Bid < q.Ask)
		break
	}
	// Output: SPY true
}
