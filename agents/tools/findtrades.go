package tools

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

type findArgs struct {
	Symbol     string   `json:"symbol" schema:"maxLength=40"`
	Structures []string `json:"structures,omitempty" schema:"enum=short put|covered call|bull put spread|bear call spread|iron condor|bull call spread|bear put spread|long straddle|long strangle|call calendar|put calendar|call diagonal|put diagonal|naked put|naked call|short straddle|short strangle|call ratio spread|put ratio spread|jade lizard,maxItems=20"`
	Undefined  bool     `json:"undefined_risk,omitempty" jsonschema:"allow the last seven"`
	MinDays    int      `json:"min_days,omitempty" schema:"min=0,max=1000,default=20"`
	MaxDays    int      `json:"max_days,omitempty" schema:"min=0,max=1000,default=50"`
	MinDelta   float64  `json:"min_delta,omitempty" jsonschema:"of the leg nearest the money, unsigned" schema:"min=0,max=1,default=0.1"`
	MaxDelta   float64  `json:"max_delta,omitempty" schema:"min=0,max=1,default=0.4"`
	MaxWidth   float64  `json:"max_width,omitempty" jsonschema:"points between strikes" schema:"min=0"`
	MinCredit  float64  `json:"min_credit_width,omitempty" jsonschema:"credit over width" schema:"min=0,max=1"`
	MinPOP     float64  `json:"min_pop,omitempty" jsonschema:"probability of profit" schema:"min=0,max=1"`
	MinReturn  float64  `json:"min_return,omitempty" jsonschema:"largest gain over capital" schema:"min=0"`
	MaxCapital float64  `json:"max_capital,omitempty" jsonschema:"dollars a unit ties up" schema:"min=0"`
	Sort       string   `json:"sort,omitempty" schema:"enum=score|pop|return|annual|expected|liquidity,default=score"`
	Limit      int      `json:"limit,omitempty" schema:"min=1,max=50,default=10"`
}

type findResult struct {
	stamp
	Underlying market.Symbol `json:"underlying"`
	Spot       market.Float  `json:"spot"`
	Scanned    int           `json:"scanned"` // structures looked at
	Met        int           `json:"met"`     // those that meet the criteria
	Trades     []foundTrade  `json:"trades"`
	Units      string        `json:"units"`
}

type foundTrade struct {
	Structure  string         `json:"structure"`
	Expiration market.Date    `json:"expiration"`
	Far        *market.Date   `json:"far_expiration,omitempty"`
	Days       int            `json:"days"`
	Legs       []foundLeg     `json:"legs"`
	Premium    market.Float   `json:"premium"` // credit positive, of one unit at mid
	Natural    market.Float   `json:"natural"` // the same at bid and ask
	Costs      market.Float   `json:"costs"`   // to open: from mid to natural, and fees
	Width      *market.Float  `json:"width,omitempty"`
	Delta      market.Float   `json:"short_delta"`
	POP        market.Float   `json:"pop"`
	MaxGain    market.Float   `json:"max_gain"`
	MaxLoss    market.Float   `json:"max_loss"`
	Capital    market.Float   `json:"capital"`
	Return     market.Float   `json:"return"`
	Annual     market.Float   `json:"annual_return"`
	Expected   market.Float   `json:"expected"` // mean profit less costs
	Liquidity  market.Float   `json:"liquidity"`
	Interest   market.Float   `json:"open_interest"` // of the leg with the least
	Score      market.Float   `json:"score"`
	Breakevens []market.Float `json:"breakevens"`
	Risk       string         `json:"risk"`
	Why        string         `json:"why"`
}

type foundLeg struct {
	Quantity int           `json:"quantity"`
	Symbol   market.Symbol `json:"symbol"`
	Bid      market.Float  `json:"bid"`
	Ask      market.Float  `json:"ask"`
	Delta    market.Float  `json:"delta"`
}

const foundUnits = "money in dollars of one unit with its multiplier, prices at mid. max_gain, max_loss and breakevens are at the (first) expiration, null where risk or why says unbounded; those of calendars and diagonals value the later leg by its volatility now. " +
	"capital is what can be lost (for a short put the strike, for a covered call the shares, less the credit); with undefined risk it is Regulation T margin less the credit, and more can be lost. return and annual_return: max_gain over capital, unbounded ones sorted last. " +
	"pop and expected are at that expiration, by lognormal distributions with the volatility of the leg nearest the money on each side; expected is less costs. liquidity: 1 less what crossing the spreads costs over the mean gain. " +
	"score, 0 to 1: the mean of pop, y/(1+y) for the mean gain over capital a year y, (1 + expected over the mean absolute profit)/2, and liquidity"

func (k *kit) findTrades() agents.Tool {
	return tool(k, agents.Spec{
		Name: "find_trades", Title: "Find option trades", Annotations: reads,
		Description: "Scan an option chain for structures that meet criteria, ranked. Risk is defined unless undefined_risk is set.",
	}, k.find)
}

// check says which arguments contradict each other.
func (in *findArgs) check() error {
	switch {
	case in.MaxDays < in.MinDays:
		return invalid.Fieldf("max_days", in.MaxDays, "at least min_days, %d", in.MinDays)
	case in.MaxDelta < in.MinDelta:
		return invalid.Fieldf("max_delta", in.MaxDelta, "at least min_delta, %v", in.MinDelta)
	}
	for _, name := range in.Structures {
		if !in.Undefined && slices.Contains(undefinedRisk(), name) {
			return invalid.Fieldf("structures", name, "structures of defined risk, unless undefined_risk is true: a %s can lose far more than its capital", name)
		}
	}
	return nil
}

func (k *kit) find(ctx context.Context, in findArgs) (findResult, error) {
	symbol, err := parseSymbol("symbol", in.Symbol)
	if err != nil {
		return findResult{}, err
	}
	if err := in.check(); err != nil {
		return findResult{}, err
	}
	out := findResult{stamp: k.stamp(), Underlying: symbol, Trades: []foundTrade{}, Units: foundUnits}
	quotes, err := k.quotesToScan(ctx, symbol, in, &out.stamp)
	if err != nil {
		return findResult{}, err
	}
	o := &options.ChainOptions{At: k.Clock.Now(), Rate: k.Rate, Calendar: k.Calendar}
	if spot := k.spot(ctx, symbol); spot > 0 && !math.IsInf(spot, 1) {
		o.Spot = spot
	}
	chain, err := options.NewChain(quotes, o)
	if err != nil {
		return findResult{}, fmt.Errorf("the chain of %s cannot be used: %w", symbol, err)
	}
	out.Spot = price(chain.Spot)
	f := newFinder(in, chain, k.today())
	if err := f.scan(ctx); err != nil {
		return findResult{}, err
	}
	for _, text := range f.notes() {
		out.omit("%s", text)
	}
	out.Scanned, out.Met = f.scanned, f.met
	for _, t := range f.best() {
		out.Trades = append(out.Trades, f.write(t, symbol))
	}
	if n := fit(out.Trades, rowBudget); n < len(out.Trades) {
		out.omit("%d trades that did not fit", len(out.Trades)-n)
		out.Trades = out.Trades[:n]
	}
	return out, nil
}

// quotesToScan asks for the chain of the expirations in range.
func (k *kit) quotesToScan(ctx context.Context, symbol market.Symbol, in findArgs, out *stamp) ([]market.OptionQuote, error) {
	all, err := k.Market.Expirations(ctx, symbol)
	if err != nil {
		return nil, err
	}
	var dates []market.Date
	more := 0
	for _, e := range all {
		days := k.today().DaysUntil(e.Date)
		if days < in.MinDays || days > in.MaxDays || slices.Contains(dates, e.Date) {
			continue
		}
		if len(dates) == mostScanned {
			more++
			continue
		}
		dates = append(dates, e.Date)
	}
	if len(dates) == 0 {
		return nil, fmt.Errorf("options of %s that expire in %d to %d days: %w", symbol, in.MinDays, in.MaxDays, market.ErrNoData)
	}
	if more > 0 {
		out.omit("%d later expirations in that range", more)
	}
	quotes, err := k.Market.Chain(ctx, market.ChainRequest{Underlying: symbol, Expirations: dates, Strikes: 120})
	switch {
	case err != nil && (len(quotes) == 0 || errors.Is(err, context.Canceled)):
		return nil, err
	case err != nil:
		out.omit("part of the chain: %s", reasonOf(err))
	}
	return quotes, nil
}

// mostScanned is how many expirations one call scans.
const mostScanned = 8
