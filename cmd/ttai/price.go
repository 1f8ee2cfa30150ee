package main

import (
	"encoding/json"
	"fmt"
	"math"
	"text/tabwriter"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// contractFlags describe an option; the JSON names are those of --jsonl requests.
type contractFlags struct {
	Kind   string  `help:"call or put." default:"call" json:"kind"`
	Style  string  `help:"Exercise: european or american." default:"european" json:"style"`
	Spot   float64 `help:"Price of the underlying." json:"spot"`
	Strike float64 `help:"Strike price." json:"strike"`
	Years  float64 `help:"Time to expiry in years of 365 days." json:"years"`
	Days   float64 `help:"Time to expiry in days, instead of --years." json:"days"`
	Rate   float64 `help:"Interest rate, continuous, decimal: 0.04 is 4 %." json:"rate"`
	Yield  float64 `help:"Dividend yield, continuous, decimal." json:"yield"`
	// Cash dividends are escrowed: the spot without their present value is lognormal.
	Dividend  []string       `help:"Cash dividends to come, by ex-date: 2026-11-06=0.26." placeholder:"DATE=CASH" json:"-"`
	At        string         `help:"Count the days to the ex-dates from this time: a date (its close), a time, or RFC 3339. Default: now." placeholder:"TIME" json:"at"`
	Dividends []cashDividend `kong:"-" json:"dividends"`
}

// cash returns the cash dividends in years from the time of valuation.
func (f contractFlags) cash() ([]options.Dividend, error) {
	paid, err := parseDividends(f.Dividend)
	if err != nil {
		return nil, err
	}
	paid = append(paid, f.Dividends...)
	if len(paid) == 0 {
		return nil, nil
	}
	at := time.Now()
	if f.At != "" {
		if at, err = market.NYSE().ParseInstant("at", f.At, nil); err != nil {
			return nil, err
		}
	}
	for _, d := range paid {
		if d.ExDate.IsZero() {
			return nil, invalid.Missing("dividends", "an ex_date for each")
		}
	}
	return dividendsAt(paid, at), nil
}

// model returns the contract for the pricing functions, without a volatility.
func (f contractFlags) model() (options.BSM, options.Kind, error) {
	var kind options.Kind
	if err := kind.UnmarshalText([]byte(f.Kind)); err != nil {
		return options.BSM{}, 0, err
	}
	if f.Style != string(market.European) && f.Style != string(market.American) {
		return options.BSM{}, 0, invalid.Field("style", f.Style, "european or american")
	}
	years := f.Years
	if f.Days != 0 {
		if f.Years != 0 {
			return options.BSM{}, 0, invalid.Field("days", f.Days, "either years or days, not both")
		}
		years = f.Days / 365
	}
	for _, positive := range []struct {
		name  string
		value float64
	}{{"spot", f.Spot}, {"strike", f.Strike}, {"years", years}} {
		if !(positive.value > 0) || math.IsInf(positive.value, 0) {
			return options.BSM{}, 0, invalid.Field(positive.name, positive.value, "a number above 0")
		}
	}
	for _, finite := range []struct {
		name  string
		value float64
	}{{"rate", f.Rate}, {"yield", f.Yield}} {
		if math.Abs(finite.value) > 10 || math.IsNaN(finite.value) {
			return options.BSM{}, 0, invalid.Field(finite.name, finite.value, "a decimal between -10 and 10, such as 0.04 for 4 %")
		}
	}
	return options.BSM{Spot: f.Spot, Strike: f.Strike, Years: years, Rate: f.Rate, Yield: f.Yield}, kind, nil
}

// priceRequest is a contract with its volatility.
type priceRequest struct {
	contractFlags
	Vol float64 `help:"Volatility per year, decimal: 0.2 is 20 %." json:"vol"`
}

type priceCommand struct {
	priceRequest
	JSON  bool `name:"json" help:"Print JSON."`
	JSONL bool `name:"jsonl" help:"Read one request object a line from standard input; print one answer a line. What it leaves out is as by the flags."`
}

// Help is shown below the flags.
func (priceCommand) Help() string {
	return `Example:
  ttai price --kind put --spot 450 --strike 440 --days 30 --rate 0.04 --vol 0.18
  ttai price --style american --spot 101 --strike 95 --days 60 --rate 0.04 --vol 0.2 --at 2026-10-20 --dividend 2026-11-06=0.76
  echo '{"kind":"put","spot":450,"strike":440,"days":30,"rate":0.04,"vol":0.18}' | ttai price --jsonl

Cash dividends are escrowed: the spot without their present value moves at random, and the Greeks are by it.
Greeks are per share: delta per 1.00 of price, vega and rho per 0.01 (one point), theta per calendar day.
The probabilities are risk-neutral: of being in the money at expiry, and of the spot touching the strike until
then. An American option may have been exercised before; its probabilities are those of holding on. Of one, the
JSON also has the spot beyond which exercising now is right, and whether it is.`
}

// priceAnswer holds value and Greeks in the units traders quote.
type priceAnswer struct {
	Kind  string       `json:"kind"`
	Style string       `json:"style"`
	Price market.Float `json:"price"`
	Delta market.Float `json:"delta"`
	Gamma market.Float `json:"gamma"`
	Theta market.Float `json:"theta_per_day"`
	Vega  market.Float `json:"vega_per_point"`
	Rho   market.Float `json:"rho_per_point"`
	// ProbITM and ProbTouch are risk-neutral, of holding on until expiry.
	ProbITM   market.Float `json:"probability_in_the_money"`
	ProbTouch market.Float `json:"probability_of_touch"`
	// Boundary and ExerciseNow are of American options only.
	Boundary    *market.Float `json:"exercise_boundary,omitempty"`
	ExerciseNow *bool         `json:"exercise_now,omitempty"`
}

func (r priceRequest) answer() (priceAnswer, error) {
	model, kind, err := r.model()
	if err != nil {
		return priceAnswer{}, err
	}
	if !(r.Vol > 0) || r.Vol > 100 {
		return priceAnswer{}, invalid.Field("vol", r.Vol, "a decimal above 0, such as 0.2 for 20 %")
	}
	model.Vol = r.Vol
	cash, err := r.cash()
	if err != nil {
		return priceAnswer{}, err
	}
	european := model
	if len(cash) > 0 {
		// Refuses what is impossible, and says what is left of the spot.
		if _, err := model.PriceDividends(kind, cash, options.Escrowed); err != nil {
			return priceAnswer{}, err
		}
		european.Spot = options.SpotWithoutDividends(model, cash)
	}
	g := european.Greeks(kind)
	var boundary *market.Float
	var exercise *bool
	if r.Style == string(market.American) {
		a := model.AmericanGreeks(kind, options.Accuracy1e8)
		if len(cash) > 0 {
			if a, err = model.AmericanGreeksDividends(kind, cash, options.Escrowed); err != nil {
				return priceAnswer{}, err
			}
		}
		g.Price, g.Delta, g.Gamma, g.Theta = a.Price, a.Delta, a.Gamma, a.Theta
		g.Vega, g.Rho = a.Vega, a.Rho
		edge := market.Float(a.Boundary)
		boundary, exercise = &edge, &a.Exercise
	}
	return priceAnswer{
		Kind: kind.String(), Style: r.Style, Price: market.Float(g.Price), Delta: market.Float(g.Delta), Gamma: market.Float(g.Gamma),
		Theta: market.Float(g.Theta / 365), Vega: market.Float(g.Vega / 100), Rho: market.Float(g.Rho / 100), ProbITM: market.Float(g.ProbITM), ProbTouch: market.Float(g.ProbTouch),
		Boundary: boundary, ExerciseNow: exercise,
	}, nil
}

// Run prints the value of one option, or of a stream of them.
func (c priceCommand) Run(s *session) error {
	if c.JSONL {
		return answerLines(s.std.In, s.std.Out, c.priceRequest, priceRequest.answer)
	}
	answer, err := c.answer()
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.std.Out).Encode(answer)
	}
	w := tabwriter.NewWriter(s.std.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "price\tdelta\tgamma\ttheta/day\tvega/point\trho/point\tP(in the money at expiry)\t")
	fmt.Fprintf(w, "%.4f\t%.4f\t%.5f\t%.4f\t%.4f\t%.4f\t%.1f %%\t\n",
		answer.Price, answer.Delta, answer.Gamma, answer.Theta, answer.Vega, answer.Rho, 100*answer.ProbITM)
	return w.Flush()
}
