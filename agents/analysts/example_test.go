package analysts_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/market"
)

// An analysis of bars that a program has itself, here a share that gains a
// thousandth a day. What the bars cannot tell is absent, with the reason.
func ExampleAnalyst_Analyze() {
	cal := market.NYSE()
	var bars []market.Bar
	last := 100.0
	for _, s := range cal.Sessions(market.Date{Year: 2024, Month: 1, Day: 2}, market.Date{Year: 2025, Month: 6, Day: 30}) {
		open := last
		last *= 1.001
		bars = append(bars, market.Bar{Time: s.Date.In(cal.Location()), Open: open, High: last * 1.002, Low: open * 0.998, Close: last, Volume: 1e6})
	}
	clock := market.NewManualClock(time.Date(2025, 6, 30, 17, 0, 0, 0, cal.Location()))
	source, err := market.NewFileSource(market.FileSourceOptions{
		Bars: []*market.BarFile{{Symbol: "XYZ", Interval: market.Day, Bars: bars}}, Clock: clock,
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	analyst, err := analysts.New(analysts.Deps{Market: source, Clock: clock, Rate: 0.04})
	if err != nil {
		fmt.Println(err)
		return
	}
	analysis, err := analyst.Analyze(context.Background(), analysts.Request{Symbol: "XYZ"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(analysis.Views[0].Name, analysis.Views[0].Stance)
	for _, id := range []string{"trend.sma200_distance", "levels.position52", "options.iv_rank"} {
		e, _ := analysis.Find(id)
		fmt.Printf("%s: %s%s\n", e.ID, e.Text, e.Absent)
	}
	fmt.Println("model:", analysis.Model)
	// Output:
	// chart bullish
	// trend.sma200_distance: 10.3% above its 200-day average
	// levels.position52: 99.1% of the way from low to high
	// options.iv_rank: not supported by this source
	// model: none (rule-based)
}
