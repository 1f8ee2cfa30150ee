package broker

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// A PortfolioInput is what portfolio margin is estimated from, beside the
// positions.
type PortfolioInput struct {
	MarginInput
	// At is the present, for the time to expiry.
	At time.Time
	// Rate is continuous, per year.
	Rate float64
	// Vols are implied volatilities by option, 0.2 for 20 %. For options that are
	// missing they are implied from the price; an option without time value has
	// none and is counted at what exercise is worth.
	Vols map[market.Symbol]float64
}

// A PortfolioMargin is an estimate of what a portfolio margin account must hold,
// against its net liquidating value: not against [Margin.Equity].
type PortfolioMargin struct {
	Requirement decimal.Decimal // positive
	Classes     []PortfolioClass
}

// A PortfolioClass is the part of one underlying.
type PortfolioClass struct {
	Underlying market.Symbol
	// Requirement is the greater of the worst loss and the minimum of 37.50 a
	// contract of 100.
	Requirement, Minimum decimal.Decimal
	Points               []PortfolioPoint // from the lowest price to the highest
}

// A PortfolioPoint is the profit after a move of the underlying at unchanged
// volatility.
type PortfolioPoint struct {
	Move   float64 // -0.15 is 15 % down
	Profit decimal.Decimal
}

// EstimatePortfolioMargin values each underlying's positions at ten equally spaced
// moves: from -8 % to +6 % for broad indices, from -15 % to +15 % for all else
// (FINRA rule 4210(g)), with Black-Scholes-Merton and without dividends. Brokers
// add house scenarios, wider moves and concentration, offset related indices and
// ask for a minimum equity of 100,000 and more: this is where their counts start.
// Futures are refused. The error is a *FieldError.
func EstimatePortfolioMargin(in PortfolioInput) (*PortfolioMargin, error) {
	if in.At.IsZero() {
		return nil, invalid.Missing("At", "the present")
	}
	if !(math.Abs(in.Rate) <= 1) {
		return nil, invalid.Field("Rate", in.Rate, "a rate from -1 to 1")
	}
	for _, p := range in.Positions {
		if kind := p.Symbol.Kind(); kind == market.KindFuture || kind == market.KindFutureOption {
			return nil, invalid.Field("Symbol", p.Symbol, "shares, coins, and options on shares and indices")
		}
	}
	books, err := (&MarginRules{}).books(in.MarginInput)
	if err != nil {
		return nil, err
	}
	m := &PortfolioMargin{}
	for _, b := range books {
		class, err := b.portfolio(&in)
		if err != nil {
			return nil, err
		}
		m.Requirement = m.Requirement.Add(class.Requirement)
		m.Classes = append(m.Classes, class)
	}
	return m, nil
}

// perContract is the minimum for each contract of a multiplier of 100, long or
// short.
var perContract = decimal.RequireFromString("37.5")

func (b *marginBook) portfolio(in *PortfolioInput) (PortfolioClass, error) {
	class := PortfolioClass{Underlying: b.underlying}
	down, up := -0.15, 0.15
	if slices.Contains(broadIndices, b.underlying) {
		down, up = -0.08, 0.06
	}
	models := make([]options.BSM, len(b.items))
	for i := range b.items {
		it := &b.items[i]
		if !it.option() {
			continue
		}
		class.Minimum = class.Minimum.Add(perContract.Mul(it.quantity.Abs()).Mul(it.multiplier).Div(hundred))
		model, err := b.model(in, it)
		if err != nil {
			return class, err
		}
		models[i] = model
	}
	for _, edge := range []float64{down, up} {
		for step := 1; step <= 5; step++ {
			class.Points = append(class.Points, b.point(models, edge*float64(step)/5))
		}
	}
	slices.SortFunc(class.Points, func(p, q PortfolioPoint) int { return cmp.Compare(p.Move, q.Move) })
	class.Requirement = class.Minimum
	for _, p := range class.Points {
		class.Requirement = decimal.Max(class.Requirement, p.Profit.Neg())
	}
	return class, nil
}

// model is an option with its volatility; no volatility when it is worth no more
// than exercise.
func (b *marginBook) model(in *PortfolioInput, it *marginItem) (options.BSM, error) {
	terms, err := options.TermsOf(it.symbol)
	if err != nil {
		return options.BSM{}, err
	}
	spot := b.spot.InexactFloat64()
	if !(spot > 0) {
		return options.BSM{}, invalid.Field(fmt.Sprintf("Underlyings[%s]", b.underlying), b.spot, "a price above 0")
	}
	model := options.BSM{Spot: spot, Strike: it.strike.InexactFloat64(), Years: options.YearsToExpiry(in.At, terms.ExpiryTime(nil)), Rate: in.Rate}
	if vol, ok := in.Vols[it.symbol]; ok {
		if !(vol >= 0) || vol > 100 {
			return model, invalid.Field(fmt.Sprintf("Vols[%s]", it.symbol), vol, "a volatility such as 0.2")
		}
		model.Vol = vol
	} else if vol, err := model.ImpliedVol(options.Kind(it.right), it.price.InexactFloat64()); err == nil && vol > 0 {
		model.Vol = vol
	}
	return model, nil
}

// point values the book after a move. An option keeps the difference between its
// price and its model's.
func (b *marginBook) point(models []options.BSM, move float64) PortfolioPoint {
	p := PortfolioPoint{Move: move}
	for i := range b.items {
		it := &b.items[i]
		change := it.price.Mul(decimal.NewFromFloat(move))
		if it.option() {
			kind, now := options.Kind(it.right), models[i]
			then := now
			then.Spot *= 1 + move
			change = decimal.NewFromFloat(modelValue(then, kind) - modelValue(now, kind)).Round(6)
		}
		p.Profit = p.Profit.Add(it.quantity.Mul(it.multiplier).Mul(change))
	}
	p.Profit = p.Profit.Round(2)
	return p
}

func modelValue(m options.BSM, kind options.Kind) float64 {
	if m.Vol == 0 || m.Years == 0 {
		return math.Max(0, float64(kind)*(m.Spot-m.Strike))
	}
	return m.Price(kind)
}
