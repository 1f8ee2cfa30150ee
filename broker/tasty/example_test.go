package tasty_test

import (
	"context"
	"fmt"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/tastytrade"
)

// An adapter over a simulator in this process. For a real account leave out
// Dial, take the base URL of an environment, and name that environment.
func Example() {
	sim, err := simulator.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sim.Close()
	server, err := sim.Listen()
	if err != nil {
		fmt.Println(err)
		return
	}
	secrets := sim.Credentials()
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{
		BaseURL: server.URL(), Dial: server.DialContext, ClientSecret: secrets.ClientSecret, RefreshToken: secrets.RefreshToken,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: server.URL(), Dial: server.DialContext, Limiter: tastytrade.NoLimit()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	adapter, err := tasty.New(client, &tasty.Options{Environment: broker.Simulator, Clock: sim.Clock()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer adapter.Close()

	ctx := context.Background()
	accounts, err := adapter.Accounts(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range accounts {
		positions, err := adapter.Positions(ctx, a.ID)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s (%s, %s): %d positions\n", a.Nickname, a.Type, adapter.Environment(), len(positions))
	}
	bars, err := adapter.Bars(ctx, market.BarsRequest{Symbol: "SPY", Interval: market.Day, Limit: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range bars {
		fmt.Println(market.DateOf(b.Time))
	}
	// Output:
	// Demo margin (Individual, simulator): 3 positions
	// Demo IRA (Roth IRA, simulator): 3 positions
	// 2026-09-14
	// 2026-09-15
	// 2026-09-16
}
