package options_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

func ExampleBSM_Greeks() {
	put := options.BSM{Spot: 100, Strike: 95, Years: 30.0 / 365, Rate: 0.04, Yield: 0.01, Vol: 0.25}
	g := put.Greeks(options.Put)
	fmt.Printf("worth %.2f, delta %.3f, theta %.3f a day, vega %.3f a point\n", g.Price, g.Delta, g.ThetaPerDay(), g.VegaPerPoint())
	fmt.Printf("expires in the money with probability %.2f, touches the strike with %.2f\n", g.ProbITM, g.ProbTouch)
	// Output:
	// worth 0.91, delta -0.216, theta -0.033 a day, vega 0.084 a point
	// expires in the money with probability 0.24, touches the strike with 0.47
}

func ExampleBSM_ImpliedVol() {
	call := options.BSM{Spot: 100, Strike: 105, Years: 0.25, Rate: 0.04}
	vol, err := call.ImpliedVol(options.Call, 3)
	fmt.Printf("%.4f %v\n", vol, err)

	_, err = call.ImpliedVol(options.Call, 100)
	fmt.Println(errors.Is(err, options.ErrAboveMaximum))

	_, err = call.ImpliedVol(options.Call, -1)
	fmt.Println(err)
	// Output:
	// 0.2320 <nil>
	// true
	// price: -1 is not allowed; want a finite number, at least 0
}

func ExampleNewChain() {
	// Quotes come from a market.Source or market.OpenChain; here, two.
	friday := market.Date{Year: 2026, Month: time.October, Day: 16}
	quote := func(kind market.OptionKind, bid, ask float64) market.OptionQuote {
		return market.OptionQuote{Underlying: "XYZ", Root: "XYZ", Kind: kind, Strike: 100, Expiration: friday,
			Time: time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC), Bid: bid, Ask: ask, Spot: 100.4}
	}
	chain, err := options.NewChain([]market.OptionQuote{quote(options.Call, 3.2, 3.3), quote(options.Put, 2.5, 2.6)},
		&options.ChainOptions{Rate: 0.04})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range chain.Expiries {
		fmt.Printf("%s: forward %.2f, at-the-money volatility %.3f, expected move %.2f\n", e.Date, e.Forward, e.ATMVol(), e.ExpectedMove())
		for _, c := range e.Contracts {
			fmt.Printf("%s %v: mid %.2f, iv %.3f, delta %.2f\n", c.Kind, c.Strike, c.Mid, c.IV, c.Delta)
		}
	}
	// Output:
	// 2026-10-16: forward 100.70, at-the-money volatility 0.251, expected move 7.26
	// call 100: mid 3.25, iv 0.251, delta 0.55
	// put 100: mid 2.55, iv 0.251, delta -0.45
}

func ExampleBuild() {
	condor, err := options.Build("iron condor", 1, []float64{90, 95, 105, 110}, []float64{45.0 / 365})
	if err != nil {
		fmt.Println(err)
		return
	}
	market := options.Conditions{Spot: 100, Rate: 0.04, Vol: 0.22}
	condor, err = condor.Priced(market) // at the model's prices; Chain.Build takes the market's
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := condor.Analyze(market, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: credit %.2f, gain at most %.2f, loss at most %.2f\n", a.Name, a.Premium, a.MaxGain, -a.MaxLoss)
	fmt.Printf("breaks even at %.2f and %.2f, profit with probability %.2f\n", a.Breakevens[0], a.Breakevens[1], a.ProbProfit)
	// Output:
	// iron condor: credit 169.17, gain at most 169.17, loss at most 330.83
	// breaks even at 93.31 and 106.69, profit with probability 0.61
}

func ExampleNewStructure() {
	s, err := options.NewStructure(
		options.Leg{Quantity: 100, Price: 50},
		options.Leg{Kind: options.Call, Quantity: -1, Strike: 55, Years: 0.1, Price: 1.2},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	payoff, err := s.Payoff()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %.0f to %.0f, breaks even at %.2f\n", s.Name, payoff.Min(), payoff.Max(), payoff.Breakevens())
	// Output: covered call: -4880 to 620, breaks even at [48.80]
}
