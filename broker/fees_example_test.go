package broker_test

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

func ExampleFeeSchedule_Itemize() {
	items, err := broker.TastytradeFees().Itemize(market.Date{Year: 2026, Month: 6, Day: 5}, broker.FeeEvent{
		Symbol: "SMCI  260618C00045000", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(1), Price: decimal.RequireFromString("0.75"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, item := range items {
		fmt.Println(item.Name, item.Amount)
	}
	// Output:
	// brokerage -1
	// clearing -0.1
	// orf -0.02
}

func ExampleMarginRules_Requirement() {
	position := func(quantity int64, symbol market.Symbol, price string) broker.MarginPosition {
		return broker.MarginPosition{Symbol: symbol, Quantity: decimal.NewFromInt(quantity), Price: decimal.RequireFromString(price)}
	}
	var rules broker.MarginRules // Regulation T
	margin, err := rules.Requirement(broker.MarginInput{
		Positions: []broker.MarginPosition{
			position(-1, "SPY   261218P00560000", "6.20"),
			position(1, "SPY   261218P00550000", "4.90"),
			position(-1, "SPY   261218C00640000", "5.10"),
			position(1, "SPY   261218C00655000", "2.40"),
			position(-1, "SPY   261218C00700000", "0.35"),
		},
		Underlyings: map[market.Symbol]decimal.Decimal{"SPY": decimal.NewFromInt(600)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, g := range margin.Groups {
		fmt.Printf("%s: %s (%s)\n", g.Strategy, g.Initial, g.Formula)
	}
	fmt.Println("in all:", margin.Initial)
	// Output:
	// iron condor: 1500 (greatest loss 15, the premium aside)
	// short call: 6035 (0.35 + the greatest of 0.2 × 600 - 100, 0.1 × 600 and 0 a contract)
	// in all: 7535
}

func ExampleMarginRules_OrderMargin() {
	credit := decimal.RequireFromString("1.30")
	ticket := broker.NewTicket(broker.Order{
		Tag: "spread-1", Type: broker.Limit, Limit: &credit,
		Legs: []broker.Leg{
			{Symbol: "SPY   261218P00560000", Action: broker.SellToOpen, Quantity: decimal.NewFromInt(2)},
			{Symbol: "SPY   261218P00550000", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(2)},
		},
	})
	var rules broker.MarginRules
	effect, err := rules.OrderMargin(
		broker.MarginInput{Underlyings: map[market.Symbol]decimal.Decimal{"SPY": decimal.NewFromInt(600)}}, ticket,
		map[market.Symbol]decimal.Decimal{
			"SPY   261218P00560000": decimal.RequireFromString("6.20"),
			"SPY   261218P00550000": decimal.RequireFromString("4.90"),
		})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("requirement:", effect.Change())
	fmt.Println("buying power:", effect.BuyingPower)
	fmt.Println("with the short puts filled alone:", effect.Worst)
	// Output:
	// requirement: 2000
	// buying power: -1740
	// with the short puts filled alone: 17240
}
