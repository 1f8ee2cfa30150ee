// Command quote asks for an account's positions and a live quote with the
// client library. It talks to the embedded simulator; with the three commented
// lines changed it talks to tastytrade.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/tastytrade"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	sim, err := simulator.New(nil)
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
		BaseURL:      server.URL(),                                                     // tastytrade.Sandbox
		Dial:         server.DialContext,                                               // leave out
		ClientSecret: credentials.ClientSecret, RefreshToken: credentials.RefreshToken, // yours
	})
	if err != nil {
		return err
	}
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: server.URL(), Dial: server.DialContext})
	if err != nil {
		return err
	}

	accounts, err := client.Accounts.List(ctx)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		positions, err := client.Positions.List(ctx, account.Account.Number, nil)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s (%s): %d positions\n", account.Account.Number, account.Account.Nickname, len(positions))
	}

	stream, err := client.DialMarketData(ctx, nil)
	if err != nil {
		return err
	}
	defer stream.Close()
	quotes, err := dxlink.Subscribe[dxlink.Quote](ctx, stream, "SPY")
	if err != nil {
		return err
	}
	defer quotes.Close()
	for quote, err := range quotes.Events() {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s %.2f x %.2f\n", quote.Symbol, quote.Bid, quote.Ask)
		break
	}
	return nil
}
