package main

import (
	"encoding/json"
	"fmt"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// ivRequest is a contract with its price.
type ivRequest struct {
	contractFlags
	Price float64 `help:"Price of the option." json:"price"`
}

type ivCommand struct {
	ivRequest
	JSON  bool `name:"json" help:"Print JSON."`
	JSONL bool `name:"jsonl" help:"Read one request object a line from standard input; print one answer a line. What it leaves out is as by the flags."`
}

// Help is shown below the flags.
func (ivCommand) Help() string {
	return `Example:
  ttai iv --kind put --spot 450 --strike 440 --days 30 --rate 0.04 --price 5.35
  ttai iv --style american --spot 101 --strike 95 --days 60 --rate 0.04 --price 6.95 --at 2026-10-20 --dividend 2026-11-06=0.76
  echo '{"kind":"put","spot":450,"strike":440,"days":30,"rate":0.04,"price":5.35}' | ttai iv --jsonl

Cash dividends are escrowed: the volatility is that of the spot without their present value.`
}

type ivAnswer struct {
	IV market.Float `json:"iv"`
}

func (r ivRequest) answer() (ivAnswer, error) {
	model, kind, err := r.model()
	if err != nil {
		return ivAnswer{}, err
	}
	if !(r.Price > 0) {
		return ivAnswer{}, invalid.Field("price", r.Price, "a number above 0")
	}
	cash, err := r.cash()
	if err != nil {
		return ivAnswer{}, err
	}
	if len(cash) > 0 {
		if _, err := model.PriceDividends(kind, cash, options.Escrowed); err != nil {
			return ivAnswer{}, err
		}
	}
	european := model
	european.Spot = options.SpotWithoutDividends(model, cash)
	solve := european.ImpliedVol
	switch american := r.Style == string(market.American); {
	case american && len(cash) > 0:
		solve = func(kind options.Kind, price float64) (float64, error) {
			return model.AmericanImpliedVolDividends(kind, price, cash, options.Escrowed)
		}
	case american:
		solve = func(kind options.Kind, price float64) (float64, error) {
			return model.AmericanImpliedVol(kind, price, options.Accuracy1e8)
		}
	}
	vol, err := solve(kind, r.Price)
	return ivAnswer{IV: market.Float(vol)}, err
}

// Run prints the implied volatility of one price, or of a stream of them.
func (c ivCommand) Run(s *session) error {
	if c.JSONL {
		return answerLines(s.std.In, s.std.Out, c.ivRequest, ivRequest.answer)
	}
	answer, err := c.answer()
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.std.Out).Encode(answer)
	}
	_, err = fmt.Fprintf(s.std.Out, "%.4f %%\n", 100*float64(answer.IV))
	return err
}
