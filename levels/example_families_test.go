package levels_test

import (
	"fmt"
	"time"

	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

func ExampleEngine() {
	engine, err := levels.NewEngine(&levels.Options{
		Interval: market.Day, Kinds: []levels.Kind{levels.KindSwingHigh}, Swing: levels.SwingOptions{Left: 1, Right: 1},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := closes(100, 102, 101, 100, 101.9, 100, 103, 105)
	var found []levels.Level
	for i := range s.Time {
		if err := engine.Update(s.Bar(i)); err != nil {
			fmt.Println(err)
			return
		}
		found = engine.Levels(found)
		for _, l := range found {
			if l.Price == 102.25 {
				fmt.Println(s.Time[i].Format(time.DateOnly), l.Source, l.State, l.Touches)
			}
		}
	}
	// Output:
	// 2024-01-04 swing high of 2024-01-03 fresh 1
	// 2024-01-05 swing high of 2024-01-03 fresh 1
	// 2024-01-08 swing high of 2024-01-03 tested 2
	// 2024-01-09 swing high of 2024-01-03 tested 2
	// 2024-01-10 swing high of 2024-01-03 flipped 2
	// 2024-01-11 swing high of 2024-01-03 flipped 2
}

func ExampleSwings() {
	// A turn counts once price has come back by 4 per cent.
	found, err := levels.Swings(closes(100, 104, 110, 106, 103, 108, 112), &levels.SwingOptions{Method: levels.SwingPercent, Reversal: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range found {
		fmt.Println(l.Kind, l.Price, "born", l.Born.Format(time.DateOnly), "known", l.Confirmed.Format(time.DateOnly))
	}
	// Output:
	// swing low 99.75 born 2024-01-02 known 2024-01-03
	// swing high 110.25 born 2024-01-04 known 2024-01-05
	// swing low 102.75 born 2024-01-08 known 2024-01-09
}

func ExampleGaps() {
	gaps, err := levels.Gaps(closes(100, 102, 101.5), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, g := range gaps {
		fmt.Printf("%.2f to %.2f, filled %.0f %%\n", g.Low, g.High, 100*g.Filled)
	}
	// Output: 100.25 to 101.75, filled 33 %
}

func ExampleFairValueGaps() {
	s := closes(100, 101, 103)
	s.Open[1] = 100.8 // the middle bar rises
	gaps, err := levels.FairValueGaps(s, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, g := range gaps {
		fmt.Println(g.Low, "to", g.High, g.State)
	}
	// Output: 100.25 to 102.75 fresh
}

func ExampleStructure() {
	found, err := levels.Structure(closes(100, 102, 101, 100, 101, 103, 102, 99), &levels.StructureOptions{Swing: levels.SwingOptions{Left: 1, Right: 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range found {
		fmt.Println(l.Price, l.Source)
	}
	// Output:
	// 99.75 change of character downward between 2024-01-05 and 2024-01-11
	// 100 order block of 2024-01-05
	// 102.25 break of structure upward between 2024-01-03 and 2024-01-09
	// 103 order block of 2024-01-09
}

func ExampleLiquidity() {
	found, err := levels.Liquidity(closes(100, 102, 100, 102.05, 100, 103), &levels.LiquidityOptions{Swing: levels.SwingOptions{Left: 1, Right: 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range found {
		fmt.Printf("%s, %.3f, swept: %v\n", l.Source, l.Price, l.Filled == 1)
	}
	// Output:
	// 2 swing lows between 2024-01-04 and 2024-01-08, 99.750, swept: false
	// 2 swing highs between 2024-01-03 and 2024-01-05, 102.275, swept: true
}

func ExampleMarketProfile() {
	open := time.Date(2024, 3, 4, 9, 30, 0, 0, market.NYSE().Location())
	var bars []market.Bar
	for i, price := range []float64{100, 101, 101, 102, 104, 105} {
		bars = append(bars, market.Bar{Time: open.Add(time.Duration(i) * 30 * time.Minute), Open: price, High: price + 1, Low: price, Close: price, Volume: 1})
	}
	p, err := levels.MarketProfile(market.NewSeries("SPY", market.Minute30, bars), &levels.TPOOptions{Tick: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("POC", p.POC, "initial balance", p.InitialLow, p.InitialHigh, "poor high", p.PoorHigh)
	// Output: POC 101.5 initial balance 100 102 poor high false
}

func ExampleOptionLevels() {
	chain := levels.OptionLevels{Name: "all expiries", CallWall: 105, PutWall: 95, MaxPain: 100}
	for _, l := range chain.Levels() {
		fmt.Println(l.Price, l.Source)
	}
	// Output:
	// 95 put wall of all expiries
	// 100 max pain of all expiries
	// 105 call wall of all expiries
}

func ExampleTrendLines() {
	found, err := levels.TrendLines(closes(100, 103, 101, 104, 102, 105, 103, 106, 104), &levels.TrendOptions{Swing: levels.SwingOptions{Left: 1, Right: 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range found {
		fmt.Printf("%.2f  %s, %+.2f a bar\n", l.Price, l.Kind, l.Slope)
	}
	// Output:
	// 103.75  channel low, +0.50 a bar
	// 103.75  trend line, +0.50 a bar
	// 106.75  channel high, +0.50 a bar
	// 106.75  trend line, +0.50 a bar
}
