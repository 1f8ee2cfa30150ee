package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// strategyRequest describes a structure: by name, strikes and days, or by legs.
type strategyRequest struct {
	Name     string    `arg:"" optional:"" help:"Name of the structure, such as 'iron condor'; see --list." json:"name"`
	Strikes  []float64 `help:"Its strikes, ascending." placeholder:"K,…" json:"strikes"`
	Days     []float64 `help:"Days to its expiries, ascending." placeholder:"N,…" json:"days"`
	Quantity float64   `help:"How many units; negative: the reverse." default:"1" json:"quantity"`
	Legs     []string  `name:"leg" sep:"none" help:"A leg: quantity, call, put or shares, strike, days as 30d, price paid as @2.10, volatility as 25%." placeholder:"'-1 put 95 30d @2.10'" json:"-"`
	Spot     float64   `help:"Price of the underlying." json:"spot"`
	Vol      float64   `help:"Volatility per year for legs without one, decimal." json:"vol"`
	Rate     float64   `help:"Interest rate, continuous, decimal." json:"rate"`
	Yield    float64   `help:"Dividend yield, continuous, decimal." json:"yield"`
	Trades   []string  `name:"trade" sep:"none" help:"An adjustment to compare with: legs to trade on top, such as closing one and opening another." placeholder:"'1 put 95 30d @3'" json:"-"`
	Capital  float64   `help:"Capital it ties up, for the return." json:"capital"`
	Prices   []float64 `help:"Scenarios: prices of the underlying." placeholder:"S,…" json:"prices"`
	After    []float64 `help:"Scenarios: days from now." placeholder:"N,…" json:"after"`
	Shifts   []float64 `help:"Scenarios: changes of volatility, decimal." placeholder:"V,…" json:"vol_shifts"`

	JSONLegs   []legJSON `kong:"-" json:"legs"`
	JSONTrades []legJSON `kong:"-" json:"trades"`
}

// legJSON is a leg of a --jsonl request.
type legJSON struct {
	Kind       string        `json:"kind"` // call, put or shares
	Quantity   float64       `json:"quantity"`
	Strike     float64       `json:"strike"`
	Days       float64       `json:"days"`
	Price      *market.Float `json:"price"` // absent: the model's
	Vol        float64       `json:"vol"`
	Multiplier float64       `json:"multiplier"`
	Style      string        `json:"style"`
}

type strategyCommand struct {
	strategyRequest
	Chain   string   `type:"existingfile" help:"Take the contracts and their prices from this CSV file of option quotes." placeholder:"FILE"`
	Symbol  string   `help:"Underlying, when the chain file does not name it."`
	At      string   `help:"Use what was quoted at this time; default the newest quotes." placeholder:"TIME"`
	Expiry  []string `help:"Expirations of the chain, ascending." placeholder:"DATE,…"`
	Density bool     `help:"Judge by the distribution that the chain's volatility surface implies, instead of the lognormal."`
	List    bool     `help:"List the structures that have a name."`
	SVG     string   `name:"svg" help:"Write the payoff diagram to this file." placeholder:"FILE"`
	JSON    bool     `name:"json" help:"Print JSON."`
	JSONL   bool     `name:"jsonl" help:"Read one request object a line from standard input; print one answer a line. What it leaves out is as by the flags."`
	app.FileFlags
	drawingFlags
}

// Help is shown below the flags.
func (strategyCommand) Help() string {
	return `Examples:
  ttai strategy --list
  ttai strategy 'iron condor' --spot 100 --strikes 85,90,110,115 --days 45 --vol 0.25 --svg condor.svg
  ttai strategy --spot 100 --vol 0.25 --leg='-1 put 95 30d @1.80' --leg='100 shares @99.5'
  ttai strategy 'bull put spread' --chain spx.csv.gz --rate 0.008 --expiry 2017-02-17 --strikes 2150,2200
  ttai strategy --spot 92 --vol 0.25 --leg='-1 put 95 20d @1.80' --trade='1 put 95 20d' --trade='-1 put 90 50d'
  echo '{"name":"long straddle","spot":100,"strikes":[100],"days":[30],"vol":0.3}' | ttai strategy --jsonl

A leg without a price costs what the model says. Amounts are for the whole structure, 100 shares a contract. Margin and fees are not part of it. Not advice.`
}

// Run analyses one structure, or a stream of them.
func (c strategyCommand) Run(s *session) error {
	switch {
	case c.List:
		return listShapes(s.std.Out, c.JSON)
	case c.JSONL:
		return answerLines(s.std.In, s.std.Out, c.defaults(), func(r strategyRequest) (strategyAnswer, error) {
			r = c.completed(r)
			built, conditions, err := r.build()
			if err != nil {
				return strategyAnswer{}, err
			}
			return r.answer(built, conditions, nil)
		})
	}
	built, conditions, density, err := c.build(s)
	if err != nil {
		return err
	}
	answer, err := c.answer(built, conditions, density)
	if err != nil {
		return err
	}
	diagram := payoffChart(built, conditions, answer)
	if c.SVG != "" {
		if err := writeFile(c.SVG, diagram.SVG); err != nil {
			return err
		}
		fmt.Fprintf(s.std.Err, "wrote %s\n", c.SVG)
	}
	if c.JSON {
		encoder := json.NewEncoder(s.std.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(answer)
	}
	if err := c.draw(s, diagram); err != nil {
		return err
	}
	return answer.print(s.std.Out)
}

// defaults are what a line that does not say otherwise has from the flags: lists are
// in completed, since decoding would write to them.
func (c strategyCommand) defaults() strategyRequest {
	return strategyRequest{Quantity: c.Quantity, Spot: c.Spot, Vol: c.Vol, Rate: c.Rate, Yield: c.Yield, Capital: c.Capital}
}

func (c strategyCommand) completed(r strategyRequest) strategyRequest {
	if r.Name == "" && len(r.JSONLegs) == 0 {
		r.Name, r.Legs = c.Name, c.Legs
	}
	for _, list := range []struct {
		own  *[]float64
		flag []float64
	}{{&r.Strikes, c.Strikes}, {&r.Days, c.Days}, {&r.Prices, c.Prices}, {&r.After, c.After}, {&r.Shifts, c.Shifts}} {
		if *list.own == nil {
			*list.own = list.flag
		}
	}
	if len(r.JSONTrades) == 0 {
		r.Trades = c.Trades
	}
	return r
}

// build makes the structure from the chain file, or from the flags alone. The
// distribution is nil unless asked for.
func (c strategyCommand) build(s *session) (options.Structure, options.Conditions, options.Distribution, error) {
	if c.Chain == "" {
		if c.Density {
			return options.Structure{}, options.Conditions{}, nil, invalid.Missing("chain", "a file of option quotes, for --density")
		}
		built, conditions, err := c.strategyRequest.build()
		return built, conditions, nil, err
	}
	load := chainCommand{File: c.Chain, Symbol: c.Symbol, At: c.At, Rate: c.Rate, Spot: c.Spot, FileFlags: c.FileFlags}
	chain, err := load.load(s)
	if err != nil {
		return options.Structure{}, options.Conditions{}, nil, err
	}
	conditions := chain.Conditions()
	conditions.Vol = c.Vol
	dates, err := parseDates("expiry", c.Expiry)
	if err != nil {
		return options.Structure{}, conditions, nil, err
	}
	built, err := chain.Build(c.Name, c.Quantity, dates, c.Strikes)
	if err != nil || !c.Density {
		return built, conditions, nil, err
	}
	surface, err := options.NewSurface(chain, nil)
	if err != nil {
		return built, conditions, nil, err
	}
	years := built.Legs[0].Years
	for _, leg := range built.Legs {
		if !leg.Shares() && (years == 0 || leg.Years < years) {
			years = leg.Years
		}
	}
	return built, conditions, surface.Density(years), nil
}

// build makes the structure that a request describes; legs without a price cost
// what the model says.
func (r strategyRequest) build() (options.Structure, options.Conditions, error) {
	conditions := options.Conditions{Spot: r.Spot, Rate: r.Rate, Yield: r.Yield, Vol: r.Vol}
	legs, err := readLegs(r.Legs, r.JSONLegs)
	if err != nil {
		return options.Structure{}, conditions, err
	}
	var built options.Structure
	switch {
	case len(legs) > 0 && r.Name != "":
		err = invalid.Field("name", r.Name, "either a name or legs, not both")
	case len(legs) > 0:
		built, err = options.NewStructure(legs...)
	case r.Name == "":
		err = invalid.Missing("name", "the name of a structure, or legs")
	default:
		years := make([]float64, len(r.Days))
		for i, days := range r.Days {
			years[i] = days / 365
		}
		built, err = options.Build(r.Name, r.Quantity, r.Strikes, years)
	}
	if err != nil {
		return options.Structure{}, conditions, err
	}
	built, err = built.Priced(conditions)
	return built, conditions, err
}

// readLegs reads legs from flags or JSON.
func readLegs(texts []string, objects []legJSON) ([]options.Leg, error) {
	var legs []options.Leg
	for _, text := range texts {
		leg, err := parseLeg(text)
		if err != nil {
			return nil, err
		}
		legs = append(legs, leg)
	}
	for _, l := range objects {
		leg, err := l.leg()
		if err != nil {
			return nil, err
		}
		legs = append(legs, leg)
	}
	return legs, nil
}

func (l legJSON) leg() (options.Leg, error) {
	leg := options.Leg{Quantity: l.Quantity, Strike: l.Strike, Years: l.Days / 365, Price: math.NaN(), Vol: l.Vol, Multiplier: l.Multiplier}
	if l.Price != nil {
		leg.Price = float64(*l.Price)
	}
	switch style := market.ExerciseStyle(l.Style); style {
	case "", market.American, market.European:
		leg.Style = style
	default:
		return leg, invalid.Field("style", l.Style, "american or european")
	}
	return leg, legKind(&leg.Kind, l.Kind)
}

func legKind(kind *options.Kind, text string) error {
	switch strings.ToLower(text) {
	case "shares", "share", "stock":
		*kind = 0
		return nil
	}
	if kind.UnmarshalText([]byte(text)) != nil {
		return invalid.Field("kind", text, "call, put or shares")
	}
	return nil
}

// parseLeg reads "-1 put 95 30d @2.10 25%".
func parseLeg(text string) (options.Leg, error) {
	leg := options.Leg{Price: math.NaN()}
	bad := func(word string) error {
		return invalid.Field("leg", word, "such as '-1 put 95 30d @2.10 25%' or '100 shares @99.50'")
	}
	words := strings.Fields(text)
	if len(words) < 2 {
		return leg, bad(text)
	}
	var err error
	if leg.Quantity, err = strconv.ParseFloat(words[0], 64); err != nil {
		return leg, bad(words[0])
	}
	if err := legKind(&leg.Kind, words[1]); err != nil {
		return leg, err
	}
	for _, word := range words[2:] {
		into, number, scale := &leg.Strike, word, 1.0
		switch {
		case strings.HasPrefix(word, "@"):
			into, number = &leg.Price, word[1:]
		case strings.HasSuffix(word, "d"):
			into, number, scale = &leg.Years, word[:len(word)-1], 1.0/365
		case strings.HasSuffix(word, "%"):
			into, number, scale = &leg.Vol, word[:len(word)-1], 0.01
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return leg, bad(word)
		}
		*into = value * scale
	}
	return leg, nil
}

// listShapes prints every structure with a name.
func listShapes(out io.Writer, asJSON bool) error {
	type shapeAnswer struct {
		Name     string `json:"name"`
		View     string `json:"view"`
		Strikes  int    `json:"strikes"`
		Expiries int    `json:"expiries"`
		Legs     string `json:"legs"`
	}
	var rows []shapeAnswer
	for _, shape := range options.Shapes() {
		var legs []string
		for _, l := range shape.Legs {
			switch {
			case l.Kind == 0:
				legs = append(legs, fmt.Sprintf("%+g shares", 100*l.Quantity))
			case shape.Expiries > 1:
				legs = append(legs, fmt.Sprintf("%+g %s K%d T%d", l.Quantity, l.Kind, l.Strike+1, l.Expiry+1))
			default:
				legs = append(legs, fmt.Sprintf("%+g %s K%d", l.Quantity, l.Kind, l.Strike+1))
			}
		}
		rows = append(rows, shapeAnswer{shape.Name, shape.View, shape.Strikes, shape.Expiries, strings.Join(legs, ", ")})
	}
	if asJSON {
		return json.NewEncoder(out).Encode(rows)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tVIEW\tSTRIKES\tEXPIRIES\tLEGS")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", r.Name, r.View, r.Strikes, r.Expiries, r.Legs)
	}
	return w.Flush()
}
