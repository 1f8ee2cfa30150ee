// Command strategy is a strategy in forty lines (strategy.go) and the two ways to
// run it: over the bars of a day that is past, and with -live on a simulated
// tastytrade, through the same client, adapter and orders as with a real account.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/synthetic"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
	"github.com/ttai-go/ttai/tastytrade"
)

func main() {
	live := flag.Bool("live", false, "run on a simulator instead of past bars")
	speed := flag.Float64("speed", 600, "times as fast as the computer's clock, with -live")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *live, *speed); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer, live bool, speed float64) error {
	average, err := indicators.NewSMA(8)
	if err != nil {
		return err
	}
	st := &follower{symbol: "SPY", average: average}
	if live {
		return onSimulator(ctx, out, st, speed)
	}
	return onPastBars(ctx, out, st)
}

// onPastBars replays a day of the made market.
func onPastBars(ctx context.Context, out io.Writer, st strategy.Strategy) error {
	session, _ := market.NYSE().Session(market.DateOf(synthetic.DefaultStart()))
	world, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: market.NewManualClock(session.Close)})
	if err != nil {
		return err
	}
	bars, err := world.Bars(ctx, market.BarsRequest{Symbol: "SPY", Interval: "5m", From: session.Open, To: session.Close})
	if err != nil {
		return err
	}
	result, err := backtest.Run(ctx, backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: "5m", Bars: bars}}},
		Accounts: []backtest.Account{{Strategy: st, Cash: decimal.NewFromInt(25_000)}},
	})
	if err != nil {
		return err
	}
	a := result.Record.Accounts[0]
	fmt.Fprintf(out, "%d bars, %d fills, value %s\n", result.Record.Bars, len(a.Fills), a.Value.StringFixed(2))
	return nil
}

// onSimulator runs the first two hours of the same day on a tastytrade of its own.
func onSimulator(ctx context.Context, out io.Writer, st strategy.Strategy, speed float64) (err error) {
	session, _ := market.NYSE().Session(market.DateOf(synthetic.DefaultStart()))
	clock, err := market.NewScaledClock(nil, session.Open.Add(time.Hour), speed)
	if err != nil {
		return err
	}
	world, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: clock})
	if err != nil {
		return err
	}
	sim, err := simulator.New(&simulator.Options{Market: world, Clock: clock, Accounts: []simulator.AccountState{
		{Number: "5WX10001", Margin: true, Cash: decimal.NewFromInt(25_000)},
	}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sim.Close()) }()
	server, err := sim.Listen()
	if err != nil {
		return err
	}
	k := sim.Credentials()
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{BaseURL: server.URL(), ClientID: k.ClientID, ClientSecret: k.ClientSecret, RefreshToken: k.RefreshToken, Dial: server.DialContext})
	if err != nil {
		return err
	}
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: server.URL(), Dial: server.DialContext, Limiter: tastytrade.NoLimit()})
	if err != nil {
		return err
	}
	defer client.Close()
	adapter, err := tasty.New(client, &tasty.Options{Environment: broker.Simulator, Clock: clock, AccountStreamer: server.AccountStreamerURL()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, adapter.Close()) }()
	return strategy.Run(ctx, strategy.RunOptions{
		Strategy: st, Broker: adapter.Broker(), Account: "5WX10001", Source: adapter, Clock: clock, Name: "follower",
		PollQuotes: 10 * time.Minute, // the market runs fast; without Clock: leave it out
		Until:      session.Open.Add(3 * time.Hour), Stop: strategy.FlattenAll, StopWait: time.Hour,
		Observer: func(e *strategy.Event) {
			if f := e.Fill; f != nil {
				fmt.Fprintf(out, "%s %s %s %s at %s\n", f.Time.In(market.NYSE().Location()).Format("15:04"), f.Action, f.Quantity, f.Symbol, f.Price)
			}
		},
	})
}
