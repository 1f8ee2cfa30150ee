package tools

import (
	"cmp"
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

type chainArgs struct {
	Symbol      string   `json:"symbol" jsonschema:"the underlying" schema:"maxLength=40"`
	Expirations []string `json:"expirations,omitempty" jsonschema:"up to 6 dates as YYYY-MM-DD; without them and without days, the expirations are listed" schema:"maxItems=6,format=date"`
	MinDays     *int     `json:"min_days,omitempty" jsonschema:"instead of dates: calendar days to expiration, from" schema:"min=0,max=4000"`
	MaxDays     *int     `json:"max_days,omitempty" jsonschema:"and to" schema:"min=0,max=4000"`
	Strikes     int      `json:"strikes,omitempty" jsonschema:"per expiration, those nearest to the money" schema:"min=1,max=100,default=12"`
	Kind        string   `json:"kind,omitempty" schema:"enum=call|put"`
}

type chainResult struct {
	stamp
	Underlying  market.Symbol `json:"underlying"`
	Spot        market.Float  `json:"spot"`
	Expirations []expiryRow   `json:"expirations"`
	// Columns name the values of each contract's row; empty when only
	// expirations are listed.
	Columns []string `json:"columns,omitempty"`
	Units   string   `json:"units,omitempty"`
}

type expiryRow struct {
	Date       market.Date       `json:"date"`
	Days       int               `json:"days"`
	Root       string            `json:"root,omitempty"`
	Settlement market.Settlement `json:"settlement,omitempty"`
	Strikes    int               `json:"strikes"`
	ATMVol     market.Float      `json:"atm_vol"`
	Forward    *market.Float     `json:"forward,omitempty"`
	Move       *market.Float     `json:"expected_move,omitempty"`
	Symbol     market.Symbol     `json:"first_symbol,omitempty"`
	Contracts  [][]any           `json:"contracts,omitempty"`
}

// mostExpirations is how many expirations one call shows with contracts.
const mostExpirations = 6

func (k *kit) optionChain() agents.Tool {
	return tool(k, agents.Spec{
		Name: "option_chain", Title: "Option chain", Annotations: reads,
		Description: "Options of an underlying: first the list of expirations, then the strikes near the money of chosen ones with bid, ask, implied volatility and Greeks.",
	}, func(ctx context.Context, in chainArgs) (chainResult, error) {
		symbol, err := parseSymbol("symbol", in.Symbol)
		if err != nil {
			return chainResult{}, err
		}
		if c, isOption := symbol.Contract(); isOption {
			return chainResult{}, invalid.Field("symbol", in.Symbol, "an underlying, such as "+c.Root+"; quote answers for a single option")
		}
		all, err := k.Market.Expirations(ctx, symbol)
		if err != nil {
			return chainResult{}, err
		}
		today := k.today()
		all = slices.DeleteFunc(slices.Clone(all), func(e market.Expiration) bool { return e.Date.Before(today) })
		if len(all) == 0 {
			return chainResult{}, fmt.Errorf("options of %s: %w", symbol, market.ErrNoData)
		}
		if len(in.Expirations) == 0 && in.MinDays == nil && in.MaxDays == nil {
			return k.expirations(ctx, symbol, all)
		}
		dates, more, err := chosen(in, all, today)
		if err != nil {
			return chainResult{}, err
		}
		out, err := k.contracts(ctx, symbol, dates, in)
		if err == nil && more > 0 {
			out.omit("%d later expirations in that range: at most %d are shown at once", more, mostExpirations)
		}
		return out, err
	})
}

// expirations lists them, with the volatility at the money where the source's
// metrics have it: a chain for each would be thousands of quotes.
func (k *kit) expirations(ctx context.Context, symbol market.Symbol, all []market.Expiration) (chainResult, error) {
	vols := map[market.Date]float64{}
	metrics, err := k.Market.Metrics(ctx, []market.Symbol{symbol})
	if err != nil {
		k.Logger.DebugContext(ctx, "no volatilities for the expirations", "error", err)
	}
	for _, m := range metrics {
		for _, t := range m.Term {
			vols[t.Expiration] = t.IV
		}
	}
	out := chainResult{stamp: k.stamp(), Underlying: symbol, Spot: known(k.spot(ctx, symbol)), Expirations: []expiryRow{}}
	for _, e := range all {
		vol, ok := vols[e.Date]
		if !ok {
			vol = math.NaN()
		}
		out.Expirations = append(out.Expirations, expiryRow{
			Date: e.Date, Days: k.today().DaysUntil(e.Date), Root: e.Root, Settlement: e.Settlement, Strikes: len(e.Strikes), ATMVol: num(vol, 4),
		})
	}
	if n := fit(out.Expirations, rowBudget); n < len(out.Expirations) {
		out.omit("%d later expirations", len(out.Expirations)-n)
		out.Expirations = out.Expirations[:n]
	}
	return out, nil
}

// spot is the price of an underlying; NaN when it cannot be had.
func (k *kit) spot(ctx context.Context, symbol market.Symbol) float64 {
	rows, err := cached(ctx, k, "quote", quoteTTL, []market.Symbol{symbol}, k.fetchQuotes)
	if err != nil {
		k.Logger.DebugContext(ctx, "no quote for an underlying", "error", err)
	}
	if row, ok := rows[symbol]; ok {
		if row.Mid.Known() {
			return float64(row.Mid)
		}
		return float64(row.Last)
	}
	return math.NaN()
}

// chosen returns the dates that the arguments ask for, and how many more there
// are than can be shown.
func chosen(in chainArgs, all []market.Expiration, today market.Date) (dates []market.Date, more int, err error) {
	var listed []market.Date
	for _, e := range all {
		if !slices.Contains(listed, e.Date) {
			listed = append(listed, e.Date)
		}
	}
	for i, text := range in.Expirations {
		field := fmt.Sprintf("expirations[%d]", i)
		d, err := parseDate(field, text)
		if err != nil {
			return nil, 0, err
		}
		if !slices.Contains(listed, d) {
			return nil, 0, invalid.Fieldf(field, text, "a listed expiration; the nearest is %s", closest(listed, d))
		}
		dates = append(dates, d)
	}
	if len(dates) == 0 {
		low, high := 0, math.MaxInt
		if in.MinDays != nil {
			low = *in.MinDays
		}
		if in.MaxDays != nil {
			high = *in.MaxDays
		}
		if low > high {
			return nil, 0, invalid.Field("min_days", low, "at most max_days")
		}
		for _, d := range listed {
			if days := today.DaysUntil(d); days >= low && days <= high {
				dates = append(dates, d)
			}
		}
		if len(dates) == 0 {
			return nil, 0, invalid.Fieldf("min_days", low, "a range with a listed expiration; the nearest is %s", closest(listed, today.AddDays(low)))
		}
	}
	if n := len(dates); n > mostExpirations {
		return dates[:mostExpirations], n - mostExpirations, nil
	}
	return dates, 0, nil
}

func closest(dates []market.Date, to market.Date) market.Date {
	return slices.MinFunc(dates, func(a, b market.Date) int {
		return abs(to.DaysUntil(a)) - abs(to.DaysUntil(b))
	})
}

func abs(n int) int { return max(n, -n) }

// contracts reads the chain and computes volatilities and Greeks from mid prices.
func (k *kit) contracts(ctx context.Context, symbol market.Symbol, dates []market.Date, in chainArgs) (chainResult, error) {
	spot := k.spot(ctx, symbol)
	quotes, err := k.Market.Chain(ctx, market.ChainRequest{Underlying: symbol, Expirations: dates, Strikes: in.Strikes})
	out := chainResult{
		stamp: k.stamp(), Underlying: symbol, Expirations: []expiryRow{},
		Columns: []string{"strike", "kind", "bid", "ask", "iv", "delta", "gamma", "theta", "vega", "volume", "open_interest"},
		Units:   "per share; iv per year as a decimal; theta per calendar day; vega per volatility point; computed from mid prices at the expiration's forward, early exercise included where the option allows it",
	}
	if _, some := errors.AsType[*market.MissingError](err); some && len(quotes) > 0 {
		out.omit("contracts that did not answer: %v", reasonOf(err))
	} else if err != nil {
		return chainResult{}, err
	}
	opts := &options.ChainOptions{At: k.Clock.Now(), Rate: k.Rate}
	if spot > 0 {
		opts.Spot = spot
	}
	chain, err := options.NewChain(quotes, opts)
	if err != nil {
		return chainResult{}, fmt.Errorf("the chain of %s cannot be used: %w", symbol, err)
	}
	out.Spot = price(chain.Spot)
	for _, e := range chain.Expiries {
		row := expiryRow{
			Date: e.Date, Days: k.today().DaysUntil(e.Date), Root: e.Root, Settlement: e.Settlement,
			ATMVol: num(e.ATMVol(), 4), Forward: ptr(price(e.Forward)), Move: ptr(num(e.ExpectedMove(), 2)),
		}
		strikes := map[float64]bool{}
		for _, c := range e.Contracts {
			strikes[c.Strike] = true
			if in.Kind != "" && c.Kind.String() != in.Kind {
				continue
			}
			if row.Symbol == "" {
				row.Symbol = c.Symbol
			}
			row.Contracts = append(row.Contracts, contractRow(c))
		}
		row.Strikes = len(strikes)
		out.Expirations = append(out.Expirations, row)
	}
	for i := range out.Expirations {
		trim(&out.Expirations[i], rowBudget/len(out.Expirations), float64(out.Spot), &out.stamp)
	}
	return out, nil
}

func contractRow(c options.Contract) []any {
	iv, delta, gamma, theta, vega := c.IV, c.Delta, c.Gamma, c.Theta, c.Vega
	if math.IsNaN(iv) { // no two-sided quote: what the source says, if anything
		q := c.OptionQuote
		iv, delta, gamma, theta, vega = q.IV, q.Delta, q.Gamma, q.Theta, q.Vega
	}
	return []any{
		known(c.Strike), c.Kind.String()[:1], known(c.Bid), known(c.Ask), num(iv, 4), num(delta, 3), num(gamma, 5), num(theta, 4), num(vega/100, 4),
		known(c.Volume), known(c.OpenInterest),
	}
}

// trim drops the contracts that are farthest from the money until the rest fits.
func trim(row *expiryRow, budget int, spot float64, s *stamp) {
	if fit(row.Contracts, budget) == len(row.Contracts) {
		return
	}
	distance := func(c []any) float64 { return math.Abs(float64(c[0].(market.Float)) - spot) }
	byDistance := slices.Clone(row.Contracts)
	slices.SortStableFunc(byDistance, func(a, b []any) int { return cmp.Compare(distance(a), distance(b)) })
	n := fit(byDistance, budget)
	farthest := distance(byDistance[max(0, n-1)])
	kept := row.Contracts[:0:0]
	for _, c := range row.Contracts {
		if distance(c) < farthest { // both kinds of a strike, or none
			kept = append(kept, c)
		}
	}
	s.omit("%d contracts of %s far from the money: ask for fewer expirations or one kind", len(row.Contracts)-len(kept), row.Date)
	row.Contracts = kept
}

func ptr[T any](v T) *T { return &v }
