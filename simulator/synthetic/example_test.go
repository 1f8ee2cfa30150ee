package synthetic_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

func Example() {
	m, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{
		Clock: market.NewManualClock(synthetic.DefaultStart()),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	quotes, err := m.Quotes(ctx, []market.Symbol{"SPY"})
	if err != nil {
		fmt.Println(err)
		return
	}
	days, err := m.Bars(ctx, market.BarsRequest{Symbol: "SPY", Interval: market.Day, Limit: 250})
	if err != nil {
		fmt.Println(err)
		return
	}
	chain, err := m.Chain(ctx, market.ChainRequest{Underlying: "SPY", Strikes: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("previous close:", quotes[0].PrevClose)
	fmt.Println("days:", len(days), "from", market.DateOf(days[0].Time))
	fmt.Println("first option:", chain[0].Expiration, chain[0].Kind, chain[0].Bid < chain[0].Ask)
	// Output:
	// previous close: 658
	// days: 250 from 2025-09-18
	// first option: 2026-09-16 call true
}

// The same moment is always the same quote, whenever it is asked for.
func ExampleMarket_QuoteAt() {
	m, err := synthetic.New(42, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	noon := synthetic.DefaultStart().Add(90 * 60 * 1e9)
	first, _ := m.QuoteAt("KO", noon)
	_, _ = m.QuoteAt("TSLA", noon)
	second, _ := m.QuoteAt("KO", noon)
	fmt.Println(first == second)
	// Output: true
}

// Futures have months, and an active one.
func ExampleMarket_Futures() {
	m, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{
		Clock: market.NewManualClock(synthetic.DefaultStart()),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	contracts, err := m.Futures("ES")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range contracts[:3] {
		fmt.Println(c.Symbol, "ends", c.LastTrade, "rolls", c.Roll, "active:", c.Active)
	}
	// Output:
	// /ESU6 ends 2026-09-18 rolls 2026-09-11 active: false
	// /ESZ6 ends 2026-12-18 rolls 2026-12-11 active: true
	// /ESH7 ends 2027-03-19 rolls 2027-03-12 active: false
}

// A crash on a day of one's choice, for testing what a strategy does about it.
func ExampleScenario() {
	day := market.Date{Year: 2026, Month: time.September, Day: 16}
	clock := market.NewManualClock(day.At(20, 0, market.NYSE().Location()))
	m, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{
		Clock:     clock,
		Scenarios: []synthetic.Scenario{{Kind: synthetic.Crash, Date: day, Size: 0.15}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	q, err := m.Quotes(context.Background(), []market.Symbol{"SPX"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("SPX %.0f %%\n", 100*(q[0].Last/q[0].PrevClose-1))
	// Output:
	// SPX -15 %
}
