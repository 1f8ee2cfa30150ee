package market_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/ttai-go/ttai/market"
)

func ExampleParseSymbol() {
	symbol, err := market.ParseSymbol("spy 261218c00500000")
	if err != nil {
		log.Fatal(err)
	}
	contract, _ := symbol.Contract()
	fmt.Printf("%q\n", symbol)
	fmt.Println(contract.Root, contract.Expiration, contract.Kind, contract.Strike)
	// Output:
	// "SPY   261218C00500000"
	// SPY 2026-12-18 call 500
}

func ExampleCalendar_Next() {
	nyse := market.NYSE()
	thanksgiving := time.Date(2026, time.November, 26, 12, 0, 0, 0, nyse.Location())
	reason, _ := nyse.Holiday(market.DateOf(thanksgiving))
	next := nyse.Next(thanksgiving)
	fmt.Println("closed:", reason)
	fmt.Println("opens:", next.Open.Format("Mon 15:04"), "closes:", next.Close.Format("15:04"), "early:", next.Reason)
	// Output:
	// closed: Thanksgiving Day
	// opens: Fri 09:30 closes: 13:00 early: day after Thanksgiving
}

const friday = `Date,Open,High,Low,Close,Volume
2026-09-14,10,12,9,11,100
2026-09-15,11,9,10,12,200
2026-09-17,12,14,11,13,300
2026-09-21,13,15,12,14,400
`

func ExampleReadBars() {
	_, err := market.ReadBars(strings.NewReader(friday), nil)
	fmt.Println(err)

	file, err := market.ReadBars(strings.NewReader(friday), &market.CSVOptions{BadRows: market.SkipBadRows})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(file.Bars), "bars of", file.Interval)
	for _, p := range file.Problems {
		fmt.Println(p)
	}
	// Output:
	// line 3, High: "9" is not allowed; want a price of at least the low 10
	// 3 bars of 1d
	// line 3, High "9": want a price of at least the low 10
	// line 4, time "2026-09-15": gap: 2 sessions missing before this line: 2026-09-15 to 2026-09-16
	// line 5, time "2026-09-18": gap: 1 session missing before this line: 2026-09-18
}

func ExampleResample() {
	file, err := market.ReadBars(strings.NewReader(friday), &market.CSVOptions{BadRows: market.SkipBadRows})
	if err != nil {
		log.Fatal(err)
	}
	weeks, err := market.Resample(file.Bars, file.Interval, market.Week, market.NYSE())
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range weeks {
		fmt.Println(market.DateOf(b.Time), b.Open, b.High, b.Low, b.Close, b.Volume)
	}
	// Output:
	// 2026-09-14 10 14 9 13 400
	// 2026-09-21 13 15 12 14 400
}

func ExampleReadChain() {
	const text = `quote_date,contractSymbol,bid,ask,impliedVolatility,spot_price
2026-09-16,SPY261218C00500000,31.5,31.9,0.182,512.3
`
	file, err := market.ReadChain(strings.NewReader(text), nil)
	if err != nil {
		log.Fatal(err)
	}
	q := file.Quotes[0]
	fmt.Println(q.Underlying, q.Expiration, q.Strike, q.Kind, q.Mid(), q.IV, q.Spot)
	// Output: SPY 2026-12-18 500 call 31.7 0.182 512.3
}

func ExampleFileSource() {
	file, err := market.ReadBars(strings.NewReader(friday), &market.CSVOptions{Symbol: "SPY", BadRows: market.SkipBadRows})
	if err != nil {
		log.Fatal(err)
	}
	noon := time.Date(2026, time.September, 21, 12, 0, 0, 0, market.NYSE().Location())
	source, err := market.NewFileSource(market.FileSourceOptions{Bars: []*market.BarFile{file}, Clock: market.NewManualClock(noon)})
	if err != nil {
		log.Fatal(err)
	}
	quotes, err := source.Quotes(context.Background(), []market.Symbol{"SPY"})
	if err != nil {
		log.Fatal(err)
	}
	// At noon of the 21st that day's bar is not complete.
	fmt.Println(quotes[0].Last, quotes[0].PrevClose, quotes[0].Time.Format("2006-01-02 15:04"))
	// Output: 13 11 2026-09-17 16:00
}
