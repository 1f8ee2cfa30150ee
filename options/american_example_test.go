package options_test

import (
	"fmt"

	"github.com/ttai-go/ttai/options"
)

func ExampleBSM_AmericanGreeks() {
	put := options.BSM{Spot: 100, Strike: 105, Years: 0.5, Rate: 0.05, Vol: 0.3}
	g := put.AmericanGreeks(options.Put, options.Accuracy1e8)
	fmt.Printf("worth %.6f, %.6f more than the European\n", g.Price, g.Price-put.Price(options.Put))
	fmt.Printf("delta %.4f, gamma %.4f, vega %.3f a point; exercise below %.2f\n", g.Delta, g.Gamma, g.Vega/100, g.Boundary)
	vol, err := put.AmericanImpliedVol(options.Put, 11, options.Accuracy1e6)
	fmt.Printf("at 11.00 the volatility is %.4f %v\n", vol, err)
	// Output:
	// worth 10.157187, 0.351233 more than the European
	// delta -0.5290, gamma 0.0207, vega 0.277 a point; exercise below 77.79
	// at 11.00 the volatility is 0.3304 <nil>
}

func ExampleBSM_AmericanDividends() {
	call := options.BSM{Spot: 110, Strike: 100, Years: 0.25, Rate: 0.03, Vol: 0.2}
	ex := []options.Dividend{{Years: 0.2, Cash: 4}}
	european, _ := call.PriceDividends(options.Call, ex, options.SpotModel)
	american, err := call.AmericanDividends(options.Call, ex, options.SpotModel)
	fmt.Printf("%.2f held to expiry, %.2f when it may be exercised before the ex-date %v\n", european, american, err)
	// Output:
	// 8.44 held to expiry, 11.22 when it may be exercised before the ex-date <nil>
}

func ExampleAmericanImpliedVolBatch() {
	contract := options.BSM{Spot: 100, Years: 30.0 / 365, Rate: 0.04, Yield: 0.01}
	var p []options.BSM
	var kinds []options.Kind
	for _, strike := range []float64{95, 100, 105} {
		contract.Strike = strike
		p, kinds = append(p, contract), append(kinds, options.Put)
	}
	vols := make([]float64, len(p))
	if err := options.AmericanImpliedVolBatch(vols, p, kinds, []float64{0.85, 2.40, 5.90}); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%.4f\n", vols)
	// Output:
	// [0.2418 0.2195 0.2467]
}
