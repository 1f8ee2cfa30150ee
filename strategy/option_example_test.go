package strategy_test

import (
	"fmt"
	"time"

	"github.com/ttai-go/ttai/strategy"
)

// Two observations of a long straddle, a day and a rise of two dollars apart: what
// movement brought, what time cost, and what its hedge lost.
func ExampleAttributor() {
	at := time.Date(2026, 1, 6, 15, 0, 0, 0, time.UTC)
	straddle := strategy.LegExposure{Symbol: "straddle", Size: 100, Vol: 0.25, Delta: 0.10, Gamma: 0.11, Theta: -36.5, Vega: 23}
	var a strategy.Attributor
	a.Observe(strategy.Exposure{Time: at, Spot: 100, Profit: 0, Shares: -10, Legs: []strategy.LegExposure{straddle}})
	straddle.Vol = 0.26
	a.Observe(strategy.Exposure{Time: at.AddDate(0, 0, 1), Spot: 102, Profit: 34, Shares: -10, Legs: []strategy.LegExposure{straddle}})
	p := a.Parts()
	fmt.Printf("delta %.2f, gamma %.2f, theta %.2f, vega %.2f, hedging %.2f, rest %.2f\n", p.Delta, p.Gamma, p.Theta, p.Vega, p.Hedging, p.Rest)
	fmt.Printf("in all %.2f\n", p.Total())
	// Output:
	// delta 20.00, gamma 22.00, theta -10.00, vega 23.00, hedging -20.00, rest -1.00
	// in all 34.00
}

// A strategy of the catalogue with a few parameters of its own.
func ExampleLookup_options() {
	d, err := strategy.Lookup("iron-condor")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = d.New([]byte(`{"symbol": "SPY", "put_moneyness": 1.05, "call_moneyness": 1.05}`))
	fmt.Println(err)
	condor, err := d.New([]byte(`{"symbol": "SPY", "delta": 0.16, "contracts": 1, "roll_dte": 7, "close_dte": -1}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(condor.Needs().Chains)
	// Output:
	// put_moneyness: 1.05 is not allowed; want below call_moneyness, 1.05
	// [SPY]
}
