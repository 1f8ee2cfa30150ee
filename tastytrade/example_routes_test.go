package tastytrade_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ttai-go/ttai/tastytrade"
)

// A grant from the user of this machine. The address is registered with the
// OAuth application.
func ExampleLogin() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond) // minutes, in a program
	defer cancel()
	token, err := tastytrade.Login(ctx, tastytrade.OAuthConfig{
		BaseURL: tastytrade.Sandbox, ClientID: "the id of the application", ClientSecret: "its secret",
	}, tastytrade.LoginOptions{
		RedirectURL: "http://127.0.0.1:0/callback",
		Scopes:      []tastytrade.Scope{tastytrade.ScopeRead},
		Open:        func(page string) error { return nil }, // print it, or start a browser
	})
	if err != nil {
		fmt.Println("nobody granted access in time")
		return
	}
	fmt.Println("keep this in a safe place:", token.RefreshToken)
	// Output: nobody granted access in time
}

func ExampleTransactionsService_All() {
	client, stop := exampleServer(`{"data":{"items":[
		{"id":2,"transaction-type":"Money Movement","transaction-sub-type":"Dividend","symbol":"SPY","net-value":"27.74","net-value-effect":"Credit"},
		{"id":1,"transaction-type":"Trade","transaction-sub-type":"Buy to Open","symbol":"SPY","net-value":"512.25","net-value-effect":"Debit"}]},
		"pagination":{"page-offset":0,"total-pages":1}}`)
	defer stop()

	for tx, err := range client.Transactions.All(context.Background(), "5WX00001", nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(tx.SubType, tx.Symbol, tx.NetValue)
	}
	// Output:
	// Dividend SPY 27.74
	// Buy to Open SPY -512.25
}

// A chain of any size, one option at a time as the answer arrives.
func ExampleOptionChainsService_AllFutureOptions() {
	client, stop := exampleServer(`{"data":{"items":[
		{"symbol":"./ESZ6 ESZ6  261218P6300","option-type":"P","strike-price":"6300.0","expiration-date":"2026-12-18"},
		{"symbol":"./ESZ6 EW3U6 260918C9100","option-type":"C","strike-price":"9100.0","expiration-date":"2026-09-18"}]}}`)
	defer stop()

	for option, err := range client.OptionChains.AllFutureOptions(context.Background(), "ES") {
		if err != nil {
			log.Fatal(err) // the answer broke off; the options before it are good
		}
		fmt.Println(option.ExpirationDate, option.OptionType, option.StrikePrice)
	}
	// Output:
	// 2026-12-18 P 6300
	// 2026-09-18 C 9100
}
