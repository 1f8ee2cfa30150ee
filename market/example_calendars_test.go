package market_test

import (
	"fmt"
	"log"
	"time"

	"github.com/ttai-go/ttai/market"
)

func ExampleCMEEquityIndex() {
	globex := market.CMEEquityIndex()
	// Thanksgiving, a quarter past one in the afternoon.
	now := time.Date(2026, time.November, 26, 13, 15, 0, 0, globex.Location())
	next := globex.Next(now)
	fmt.Println(globex.Phase(now), "until", next.Open.Format("Mon 15:04"), "for", next.Date)

	friday, _ := globex.Day(next.Date)
	fmt.Println("closes", friday.Close().Format("15:04"), "early:", friday.Reason)
	// Output:
	// halt until Thu 18:00 for 2026-11-27
	// closes 13:15 early: day after Thanksgiving
}

func ExampleTradingHoursOf() {
	hours, ok := market.TradingHoursOf("SPXW  260918C06500000")
	night := time.Date(2026, time.September, 16, 22, 0, 0, 0, market.NYSE().Location())
	fmt.Println(ok, hours.Name(), hours.Phase(night), hours.TradeDate(night))
	// Output: true Cboe index options overnight 2026-09-17
}

func ExampleExpirationDays() {
	from, to := market.Date{Year: 2026, Month: 6, Day: 17}, market.Date{Year: 2026, Month: 6, Day: 22}
	days, err := market.ExpirationDays("SPX", from, to, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range days {
		fmt.Printf("%s %s %s %s, last trading %s, moved by %q\n", d.Date, d.Root, d.Cycle, d.Settlement, d.LastTrading, d.Moved)
	}
	// Output:
	// 2026-06-17 SPXW daily PM, last trading 2026-06-17, moved by ""
	// 2026-06-18 SPX monthly AM, last trading 2026-06-17, moved by "Juneteenth"
	// 2026-06-18 SPXW weekly PM, last trading 2026-06-18, moved by "Juneteenth"
	// 2026-06-22 SPXW daily PM, last trading 2026-06-22, moved by ""
}

func ExampleFOMC() {
	next, _ := market.FOMC().Next(market.Date{Year: 2026, Month: 9, Day: 17})
	fmt.Println(next.Name, next.Time.Format("Mon 2006-01-02 15:04"))
	// Output: FOMC decision Wed 2026-10-28 14:00
}

func ExampleTablesEnding() {
	today := market.Date{Year: 2026, Month: 9, Day: 16}
	for _, t := range market.TablesEnding(today.AddDays(365)) {
		fmt.Printf("%s end on %s; after that: %s\n", t.Name, t.To, t.After)
	}
	// Output: FOMC decisions end on 2026-12-31; after that: nothing
}

func ExampleAdjustBars() {
	newYork := market.NYSE().Location()
	bars := []market.Bar{
		{Time: time.Date(2026, time.September, 14, 0, 0, 0, 0, newYork), Close: 100, Volume: 1000},
		{Time: time.Date(2026, time.September, 15, 0, 0, 0, 0, newYork), Close: 50, Volume: 2200},
		{Time: time.Date(2026, time.September, 16, 0, 0, 0, 0, newYork), Close: 49, Volume: 2100},
	}
	events := []market.Event{
		{Kind: market.Split, Date: market.Date{Year: 2026, Month: 9, Day: 15}, Value: 2},
		{Kind: market.Dividend, Date: market.Date{Year: 2026, Month: 9, Day: 16}, Value: 1},
	}
	adjusted, err := market.AdjustBars(bars, events, market.ForSplitsAndDividends)
	if err != nil {
		log.Fatal(err)
	}
	for i, b := range adjusted {
		fmt.Println(market.DateOf(b.Time), bars[i].Close, b.Close, b.Volume)
	}
	// Output:
	// 2026-09-14 100 49 2000
	// 2026-09-15 50 49 2200
	// 2026-09-16 49 49 2100
}
