package backtest_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/ttai-go/ttai/strategy/backtest"
)

// A search for the largest value of a function: in practice the objective is that
// of a StrategySearch.
func ExampleSearch() {
	space := backtest.Space{{Name: "fast", Min: 5, Max: 20, Step: 5, Integer: true}, {Name: "slow", Min: 30, Max: 50, Step: 10, Integer: true}}
	found, err := backtest.Search(context.Background(), space, func(_ context.Context, a *backtest.Attempt) (backtest.Outcome, error) {
		fast, slow := a.Params["fast"].(int64), a.Params["slow"].(int64)
		return backtest.Outcome{Value: -math.Abs(float64(fast-10)) - math.Abs(float64(slow-40))}, nil
	}, backtest.SearchOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(found.Trials), "trials, the best is", found.Best().Params)
	// Output: 12 trials, the best is fast=10 slow=40
}

// The best of a hundred trials looks better than it is.
func ExampleSharpeSample_Deflated() {
	best := backtest.SharpeSample{Sharpe: 2.5 / math.Sqrt(250), N: 1250, Skewness: -3, Kurtosis: 10}
	fmt.Printf("alone %.4f, of 100 trials %.4f\n", best.Probabilistic(0), best.Deflated(100, math.Sqrt(0.5/250)))
	// Output: alone 1.0000, of 100 trials 0.9004
}

func FuzzParseDimension(f *testing.F) {
	for _, text := range []string{"fast=5..50:5", "lots=1..8:x2", "kind=put,call", "a=1..", "=", "a=NaN..1", "a=1..Inf", "a=0..1:1e-300"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := backtest.ParseDimension(text, nil)
		if err != nil {
			return
		}
		if err := (backtest.Space{d}).Validate(); err != nil {
			t.Fatalf("%q is read as %+v, which is refused: %v", text, d, err)
		}
		if size, ok := (backtest.Space{d}).Size(); ok && !(size >= 1) {
			t.Fatalf("%q has %v settings", text, size)
		}
	})
}
