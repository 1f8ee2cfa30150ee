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
	JSONL bool `name:"jsonl" help:"Read one request object a line from standard input; print one answer a line."`
}

// Help is shown below the flags.
func (ivCommand) Help() string {
	return `Example:
  ttai iv --kind put --spot 450 --strike 440 --days 30 --rate 0.04 --price 5.35
  echo '{"kind":"put","spot":450,"strike":440,"days":30,"rate":0.04,"price":5.35}' | ttai iv --jsonl`
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
	solve := model.ImpliedVol
	if r.Style == string(market.American) {
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
		return answerLines(s.std.In, s.std.Out, ivRequest{contractFlags: usual}, ivRequest.answer)
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
