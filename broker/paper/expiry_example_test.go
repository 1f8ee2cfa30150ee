package paper_test

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// A short put that ends in the money takes the shares at its strike.
func ExampleLifecycle() {
	friday := market.Date{Year: 2026, Month: time.March, Day: 6}
	put := market.Symbol("XYZ   260306P00100000")
	x, err := paper.New(&paper.Options{
		Start: friday.At(10, 0, market.NYSE().Location()),
		Fees:  broker.TastytradeFees(),
		Accounts: []paper.Account{{
			Account: broker.Account{ID: "A1", Margin: true}, Cash: decimal.NewFromInt(20_000),
			Positions: []paper.Position{{Symbol: put, Quantity: decimal.NewFromInt(-1), AverageOpenPrice: decimal.NewFromInt(2)}},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := x.Trade(paper.Trade{Symbol: "XYZ", Price: 97, Size: 100}); err != nil {
		fmt.Println(err)
		return
	}
	notices, err := x.Notices("A1")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range notices {
		fmt.Println(n.Code)
	}
	if err := x.Advance(friday.At(16, 0, market.NYSE().Location())); err != nil {
		fmt.Println(err)
		return
	}
	history, err := x.Broker().Transactions(context.Background(), "A1", time.Time{}, x.Now().Add(time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range history {
		fmt.Println(t.Kind, t.Symbol, t.Quantity, t.Amount)
	}
	// Output:
	// expires_today
	// assignment XYZ   260306P00100000 1 -5
	// assignment XYZ 100 -10000
}
