package levels_test

import (
	"fmt"
	"time"

	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

// closes makes daily bars, half a dollar high, of the sessions from 2 January 2024 on.
func closes(prices ...float64) market.Series {
	calendar := market.NYSE()
	sessions := calendar.Sessions(market.Date{Year: 2024, Month: time.January, Day: 2}, market.Date{Year: 2024, Month: time.December, Day: 31})
	bars := make([]market.Bar, len(prices))
	for i, p := range prices {
		bars[i] = market.Bar{Time: sessions[i].Date.In(calendar.Location()), Open: p, High: p + 0.25, Low: p - 0.25, Close: p, Volume: 1000}
	}
	return market.NewSeries("SPY", market.Day, bars)
}

func ExampleFind() {
	s := closes(100, 102, 104, 103, 101, 99, 101, 103, 104, 102, 100, 101, 102)
	found, err := levels.Find(s, &levels.Options{
		Kinds: []levels.Kind{levels.KindSwingHigh, levels.KindSwingLow, levels.KindZone, levels.KindPriorLow},
		Swing: levels.SwingOptions{Left: 2, Right: 2},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	below, above := levels.Around(found, 102, 0)
	for _, l := range above {
		fmt.Printf("above  %.2f  %s, touches: %d\n", l.Price, l.Source, l.Touches)
	}
	for _, l := range below {
		fmt.Printf("below  %.2f  %s, touches: %d\n", l.Price, l.Source, l.Touches)
	}
	// Output:
	// above  104.25  swing high of 2024-01-04, touches: 2
	// above  104.25  swing high of 2024-01-12, touches: 1
	// above  104.25  2 swing highs and 0 swing lows from 2024-01-04 to 2024-01-12, touches: 2
	// below  101.75  low of the day 2024-01-19, touches: 0
	// below  99.75  low of the week of 2024-01-15, touches: 0
	// below  99.75  swing low of 2024-01-17, touches: 1
	// below  98.75  swing low of 2024-01-09, touches: 1
}

// An engine is put down with its state, and taken up again elsewhere.
func ExampleEngine_Snapshot() {
	s := closes(100, 102, 104, 103, 101, 99, 101, 103, 104, 102, 100, 101, 102)
	opts := &levels.Options{Interval: market.Day, Kinds: []levels.Kind{levels.KindSwingHigh}, Swing: levels.SwingOptions{Left: 2, Right: 2}}
	engine, err := levels.NewEngine(opts)
	for i := 0; i < 8 && err == nil; i++ {
		err = engine.Update(s.Bar(i))
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	engine, err = levels.RestoreEngine(opts, engine.Snapshot())
	for i := 8; i < s.Len() && err == nil; i++ {
		err = engine.Update(s.Bar(i))
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range engine.Levels(nil) {
		fmt.Printf("%.2f  %s, touches: %d\n", l.Price, l.Source, l.Touches)
	}
	// Output:
	// 104.25  swing high of 2024-01-04, touches: 2
	// 104.25  swing high of 2024-01-12, touches: 1
}

func ExamplePivots() {
	p, err := levels.Pivots(market.Bar{Open: 101, High: 110, Low: 100, Close: 108}, levels.PivotStandard, 108)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.S1, p.P, p.R1)
	// Output: 102 106 112
}

func ExampleProfile() {
	p, err := levels.Profile(closes(100.5, 101.5, 101.5, 101.5, 102.5), &levels.ProfileOptions{Tick: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.ValueAreaLow, p.POC, p.ValueAreaHigh)
	// Output: 101 101.5 103
}
