package tools

import (
	"cmp"
	"context"
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
	Structures []string `json:"structures,omitempty" schema:"enum=short put|covered call|bull put spread|bear call spread|iron condor|bull call spread|bear put spread,maxItems=7"`
	MinDays    int      `json:"min_days,omitempty" schema:"min=0,max=1000,default=20"`
	MaxDays    int      `json:"max_days,omitempty" schema:"min=0,max=1000,default=50"`
	MinDelta   float64  `json:"min_delta,omitempty" jsonschema:"of the leg nearest the money, unsigned" schema:"min=0,max=1,default=0.1"`
	MaxDelta   float64  `json:"max_delta,omitempty" schema:"min=0,max=1,default=0.4"`
	MaxWidth   float64  `json:"max_width,omitempty" jsonschema:"points between strikes" schema:"min=0"`
	MinCredit  float64  `json:"min_credit_width,omitempty" jsonschema:"credit over width" schema:"min=0,max=1"`
	MinPOP     float64  `json:"min_pop,omitempty" jsonschema:"probability of profit" schema:"min=0,max=1"`
	MinReturn  float64  `json:"min_return,omitempty" jsonschema:"largest gain over capital" schema:"min=0"`
	MaxCapital float64  `json:"max_capital,omitempty" jsonschema:"dollars a unit ties up" schema:"min=0"`
	Sort       string   `json:"sort,omitempty" schema:"enum=score|pop|return|annual|expected,default=score"`
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
	Days       int            `json:"days"`
	Legs       []foundLeg     `json:"legs"`
	Premium    market.Float   `json:"premium"` // credit positive, of one unit at mid
	Natural    market.Float   `json:"natural"` // the same at bid and ask
	Width      *market.Float  `json:"width,omitempty"`
	Delta      market.Float   `json:"short_delta"`
	POP        market.Float   `json:"pop"`
	MaxGain    market.Float   `json:"max_gain"`
	MaxLoss    market.Float   `json:"max_loss"`
	Capital    market.Float   `json:"capital"`
	Return     market.Float   `json:"return"`
	Annual     market.Float   `json:"annual_return"`
	Expected   market.Float   `json:"expected"` // mean profit
	Breakevens []market.Float `json:"breakevens"`

	score      float64
	contracts  []options.Contract
	quantities []float64
	shares     int
}

type foundLeg struct {
	Quantity int           `json:"quantity"`
	Symbol   market.Symbol `json:"symbol"`
	Bid      market.Float  `json:"bid"`
	Ask      market.Float  `json:"ask"`
	Delta    market.Float  `json:"delta"`
}

const foundUnits = "money in dollars of one unit with its multiplier; return and annual_return are decimals of capital, which is what it can lose (for a short put the strike, for a covered call the shares, less the credit); pop and expected are at expiration, by the lognormal distribution with the volatility of the leg nearest the money"

func (k *kit) findTrades() agents.Tool {
	return tool(k, agents.Spec{
		Name: "find_trades", Title: "Find option trades", Annotations: reads,
		Description: "Scan an option chain for structures of defined risk that meet criteria, ranked.",
	}, func(ctx context.Context, in findArgs) (findResult, error) {
		symbol, err := parseSymbol("symbol", in.Symbol)
		if err != nil {
			return findResult{}, err
		}
		switch {
		case in.MaxDays < in.MinDays:
			return findResult{}, invalid.Fieldf("max_days", in.MaxDays, "at least min_days, %d", in.MinDays)
		case in.MaxDelta < in.MinDelta:
			return findResult{}, invalid.Fieldf("max_delta", in.MaxDelta, "at least min_delta, %v", in.MinDelta)
		}
		all, err := k.Market.Expirations(ctx, symbol)
		if err != nil {
			return findResult{}, err
		}
		out := findResult{stamp: k.stamp(), Underlying: symbol, Trades: []foundTrade{}, Units: foundUnits}
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
			return findResult{}, fmt.Errorf("options of %s that expire in %d to %d days: %w", symbol, in.MinDays, in.MaxDays, market.ErrNoData)
		}
		if more > 0 {
			out.omit("%d later expirations in that range", more)
		}
		quotes, err := k.Market.Chain(ctx, market.ChainRequest{Underlying: symbol, Expirations: dates, Strikes: 120})
		if err != nil && len(quotes) == 0 {
			return findResult{}, err
		}
		if err != nil {
			out.omit("part of the chain: %s", reasonOf(err))
		}
		o := &options.ChainOptions{At: k.Clock.Now(), Rate: k.Rate, Calendar: k.Calendar}
		if spot := k.spot(ctx, symbol); spot > 0 {
			o.Spot = spot
		}
		chain, err := options.NewChain(quotes, o)
		if err != nil {
			return findResult{}, fmt.Errorf("the chain of %s cannot be used: %w", symbol, err)
		}
		out.Spot = price(chain.Spot)
		f := finder{args: in, chain: chain, today: k.today()}
		for i := range chain.Expiries {
			if err := ctx.Err(); err != nil {
				return findResult{}, err
			}
			f.scan(&chain.Expiries[i])
		}
		out.Scanned, out.Met = f.scanned, len(f.found)
		slices.SortStableFunc(f.found, func(a, b foundTrade) int { return cmp.Compare(b.score, a.score) })
		for _, t := range f.found[:min(len(f.found), in.Limit)] {
			t.list(symbol, chain.Spot)
			out.Trades = append(out.Trades, t)
		}
		if n := fit(out.Trades, rowBudget); n < len(out.Trades) {
			out.omit("%d trades that did not fit", len(out.Trades)-n)
			out.Trades = out.Trades[:n]
		}
		return out, nil
	})
}

// mostScanned is how many expirations one call scans.
const mostScanned = 8

// A finder builds structures of a chain and keeps those that meet the criteria.
type finder struct {
	args    findArgs
	chain   *options.Chain
	today   market.Date
	scanned int
	found   []foundTrade
}

func (f *finder) wants(name string) bool {
	return len(f.args.Structures) == 0 || slices.Contains(f.args.Structures, name)
}

// near tells whether a contract's delta is in the range, and it can be traded.
func (f *finder) near(c *options.Contract) bool {
	d := math.Abs(c.Delta)
	return d >= f.args.MinDelta && d <= f.args.MaxDelta && c.Bid > 0 && c.Ask > c.Bid
}

// scan builds the structures of one expiration.
func (f *finder) scan(e *options.Expiry) {
	var puts, calls []options.Contract
	for _, c := range e.Contracts {
		if !(c.Mid > 0) || !(c.IV > 0) {
			continue
		}
		if c.Kind == options.Put {
			puts = append(puts, c)
		} else {
			calls = append(calls, c)
		}
	}
	var bullPuts, bearCalls [][2]options.Contract
	for i := range puts {
		if !f.near(&puts[i]) {
			continue
		}
		short := puts[i]
		if f.wants("short put") {
			f.consider("short put", e, []options.Contract{short}, []float64{-1}, false)
		}
		for j := i - 1; j >= 0 && f.fits(short.Strike-puts[j].Strike); j-- {
			if !(puts[j].Ask > 0) {
				continue
			}
			if f.wants("bull put spread") {
				f.consider("bull put spread", e, []options.Contract{short, puts[j]}, []float64{-1, 1}, false)
			}
			if f.wants("bear put spread") {
				f.consider("bear put spread", e, []options.Contract{short, puts[j]}, []float64{1, -1}, false)
			}
			bullPuts = append(bullPuts, [2]options.Contract{short, puts[j]})
		}
	}
	for i := range calls {
		if !f.near(&calls[i]) {
			continue
		}
		short := calls[i]
		if f.wants("covered call") {
			f.consider("covered call", e, []options.Contract{short}, []float64{-1}, true)
		}
		for j := i + 1; j < len(calls) && f.fits(calls[j].Strike-short.Strike); j++ {
			if !(calls[j].Ask > 0) {
				continue
			}
			if f.wants("bear call spread") {
				f.consider("bear call spread", e, []options.Contract{short, calls[j]}, []float64{-1, 1}, false)
			}
			if f.wants("bull call spread") {
				f.consider("bull call spread", e, []options.Contract{short, calls[j]}, []float64{1, -1}, false)
			}
			bearCalls = append(bearCalls, [2]options.Contract{short, calls[j]})
		}
	}
	if !f.wants("iron condor") {
		return
	}
	byWidth := map[float64][][2]options.Contract{}
	for _, c := range bearCalls {
		w := math.Round((c[1].Strike-c[0].Strike)*1000) / 1000
		byWidth[w] = append(byWidth[w], c)
	}
	for _, p := range bullPuts {
		for _, c := range byWidth[math.Round((p[0].Strike-p[1].Strike)*1000)/1000] {
			// Equal wings, and shorts about as far out: other condors are two trades.
			if math.Abs(math.Abs(p[0].Delta)-c[0].Delta) <= 0.05 && p[0].Strike < c[0].Strike {
				f.consider("iron condor", e, []options.Contract{p[0], p[1], c[0], c[1]}, []float64{-1, 1, -1, 1}, false)
			}
		}
	}
}

// fits tells whether a spread is narrow enough: by default a tenth of the spot.
func (f *finder) fits(width float64) bool {
	most := f.args.MaxWidth
	if most == 0 {
		most = f.chain.Spot / 10
	}
	return width <= most+1e-9
}

// consider judges one structure at its expiration, by the lognormal distribution
// with the forward of its expiration and the volatility of its first leg.
func (f *finder) consider(name string, e *options.Expiry, contracts []options.Contract, quantities []float64, shares bool) {
	f.scanned++
	multiplier := 100.0
	if m := contracts[0].Multiplier; m > 0 {
		multiplier = m
	}
	var premium, natural, delta, width float64 // per share, credit positive
	for i := range contracts {
		c := &contracts[i]
		premium -= quantities[i] * c.Mid
		if quantities[i] > 0 {
			natural -= c.Ask
		} else {
			natural += c.Bid
			delta = max(delta, math.Abs(c.Delta))
		}
	}
	if len(contracts) > 1 {
		width = math.Abs(contracts[0].Strike - contracts[1].Strike)
	}
	spot, strike := f.chain.Spot, contracts[0].Strike
	var gain, loss float64
	var breakevens []float64
	switch name {
	case "short put":
		gain, loss, breakevens = premium, strike-premium, []float64{strike - premium}
	case "covered call":
		gain, loss, breakevens = strike-spot+premium, spot-premium, []float64{spot - premium}
	case "bull put spread":
		gain, loss, breakevens = premium, width-premium, []float64{strike - premium}
	case "bear call spread":
		gain, loss, breakevens = premium, width-premium, []float64{strike + premium}
	case "bear put spread":
		gain, loss, breakevens = width+premium, -premium, []float64{strike + premium}
	case "bull call spread":
		gain, loss, breakevens = width+premium, -premium, []float64{strike - premium}
	case "iron condor":
		gain, loss, breakevens = premium, width-premium, []float64{strike - premium, contracts[2].Strike + premium}
	}
	if !(gain > 0) || !(loss > 0) {
		return
	}
	capital := loss * multiplier
	if width > 0 && f.args.MinCredit > 0 && !(premium >= f.args.MinCredit*width) || !(gain/loss >= f.args.MinReturn) || f.args.MaxCapital > 0 && !(capital <= f.args.MaxCapital) {
		return
	}
	vol := contracts[0].IV
	above := func(k float64) float64 { return probabilityAbove(e.Forward, k, vol, e.Years) }
	pop := above(breakevens[0])
	switch name {
	case "bear call spread", "bear put spread":
		pop = 1 - pop
	case "iron condor":
		pop -= above(breakevens[1])
	}
	if !(pop >= f.args.MinPOP) {
		return
	}
	// The mean payoff is the sum of the legs' undiscounted values.
	expected := premium
	for i := range contracts {
		c := &contracts[i]
		expected += quantities[i] * options.BSM{Spot: e.Forward, Strike: c.Strike, Years: e.Years, Vol: vol}.Price(c.Kind)
	}
	if shares {
		expected += e.Forward - spot
	}
	days := f.today.DaysUntil(e.Date)
	years := float64(max(days, 1)) / 365
	t := foundTrade{
		Structure: name, Expiration: e.Date, Days: days, Premium: num(premium*multiplier, 2), Natural: num(natural*multiplier, 2), Delta: num(delta, 4), POP: num(pop, 4),
		MaxGain: num(gain*multiplier, 2), MaxLoss: num(-capital, 2), Capital: num(capital, 2), Return: num(gain/loss, 4), Annual: num(gain/loss/years, 4), Expected: num(expected*multiplier, 2),
		contracts: contracts, quantities: quantities,
	}
	if shares {
		t.shares = int(multiplier)
	}
	if width > 0 {
		w := price(width)
		t.Width = &w
	}
	for _, b := range breakevens {
		t.Breakevens = append(t.Breakevens, price(b))
	}
	switch f.args.Sort {
	case "pop":
		t.score = pop
	case "return":
		t.score = gain / loss
	case "annual":
		t.score = gain / loss / years
	case "expected":
		t.score = expected / loss
	default:
		// What is likely to be earned a year, less what crossing the spreads costs.
		t.score = (pop*gain - (premium - natural)) / loss / years
	}
	f.found = append(f.found, t)
}

// probabilityAbove is that of a lognormal price with a forward, at a time in years.
func probabilityAbove(forward, strike, vol, years float64) float64 {
	if strike <= 0 {
		return 1
	}
	deviation := vol * math.Sqrt(years)
	if !(deviation > 0) {
		return math.NaN()
	}
	return math.Erfc((math.Log(strike/forward)/deviation+deviation/2)/math.Sqrt2) / 2
}

// list writes the legs of a trade that is shown.
func (t *foundTrade) list(underlying market.Symbol, spot float64) {
	for i, c := range t.contracts {
		t.Legs = append(t.Legs, foundLeg{int(t.quantities[i]), c.Symbol, known(c.Bid), known(c.Ask), num(c.Delta, 4)})
	}
	if t.shares > 0 {
		t.Legs = append(t.Legs, foundLeg{t.shares, underlying, known(spot), known(spot), 1})
	}
}
