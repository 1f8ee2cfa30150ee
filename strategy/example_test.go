package strategy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// A strategy of one's own gets parameters with names and ranges.
func ExampleDefine() {
	type params struct {
		Symbol market.Symbol `json:"symbol" doc:"what is traded"`
		Units  int           `json:"units" min:"1" max:"100" doc:"how many"`
	}
	d := strategy.Define("mine", "My strategy", "Buys now and then.", params{Units: 10},
		func(p params) (strategy.Strategy, error) { return scripted(p.Symbol), nil })
	for _, p := range d.Params {
		fmt.Println(p.Name, p.Type, p.Default, p.Meaning)
	}
	_, err := d.New(json.RawMessage(`{"symbol": "spy", "units": 1000}`))
	fmt.Println(err)
	_, err = d.New(json.RawMessage(`{"symbol": "spy", "unit": 5}`))
	fmt.Println(err)
	// Output:
	// symbol string  what is traded
	// units integer 10 how many
	// units: 1000 is not allowed; want a whole number from 1 to 100
	// unit: "5" is not allowed; want units, if that was meant, or one of symbol, units
}

// A built-in strategy is made by its name, and looked at before it starts.
func ExampleValidate() {
	d, err := strategy.Lookup("ma-cross")
	if err != nil {
		fmt.Println(err)
	}
	st, err := d.New(json.RawMessage(`{"symbol": "SPY", "direction": "both"}`))
	if err != nil {
		fmt.Println(err)
	}
	now := time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC) // a Saturday
	exchange, err := paper.New(&paper.Options{Start: now, Accounts: []paper.Account{{
		Account: broker.Account{ID: "CASH1"}, Cash: decimal.NewFromInt(5000),
	}}})
	if err != nil {
		fmt.Println(err)
	}
	for _, p := range strategy.Validate(context.Background(), strategy.ValidateOptions{
		Strategy: st, Broker: exchange.Broker(), Account: "CASH1", Clock: market.NewManualClock(now),
	}) {
		fmt.Println(p)
	}
	// Output:
	// error: it borrows or sells short, and the account is a cash account
	// warning: the market is closed until 2026-03-09 09:30 EDT
	// warning: selling SPY short: the market is closed: the order waits until it opens
	// warning: selling SPY short: there is no price yet: buying power is checked when the order fills
}
