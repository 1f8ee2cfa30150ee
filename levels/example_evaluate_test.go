package levels_test

import (
	"fmt"
	"math"

	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

// wave makes bars that swing between about 100 and 110.
func wave(n int) market.Series {
	prices := make([]float64, n)
	for i := range prices {
		prices[i] = math.Round(100*(105+5*math.Sin(float64(i)/6)+math.Sin(float64(i)*0.9))) / 100
	}
	return closes(prices...)
}

func ExampleEvaluate() {
	e, err := levels.Evaluate([]market.Series{wave(250)}, &levels.EvaluateOptions{
		Find:     levels.Options{Kinds: []levels.Kind{levels.KindRound}, Round: levels.RoundOptions{Step: 10}},
		Visits:   -1, // every visit, not the first alone
		Progress: func(done, total int) bool { return true },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, k := range e.Kinds {
		fmt.Printf("%s: %d touches, %d reactions, %d breaks, %d timeouts\n", k.Kind, k.Touches, k.Reactions, k.Breaks, k.Timeouts)
	}
	// Output:
	// round number: 26 touches, 6 reactions, 20 breaks, 0 timeouts
}

func ExampleConfluence() {
	s := wave(120)
	found, err := levels.Find(s, &levels.Options{Kinds: []levels.Kind{levels.KindRound, levels.KindPriorHigh, levels.KindPriorLow, levels.KindPivot}})
	if err != nil {
		fmt.Println(err)
		return
	}
	areas, err := levels.Confluence(s, found, &levels.ConfluenceOptions{Width: 0.5, Families: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	levels.Rank(areas, s.Close[s.Len()-1])
	for _, a := range areas {
		fmt.Printf("%.2f to %.2f, %.0f %%:", a.Low, a.High, 100*a.Probability)
		for _, l := range a.Members {
			fmt.Printf(" %s %.2f;", l.Kind, l.Price)
		}
		fmt.Println()
	}
	// Output:
	// 109.19 to 110.00, 60 %: prior low 109.19; prior high 109.69; round number 110.00;
}
