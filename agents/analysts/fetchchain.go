package analysts

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"github.com/ttai-go/ttai/market"
)

// wideContracts is how many contracts the candidates' expirations may ask for:
// beyond it, further expirations are left out.
const wideContracts = 600

// narrowStrikes is how many strikes tell the at-the-money volatility.
const narrowStrikes = 8

// A chainPlan says which part of the chain is worth asking for: wide are
// expirations for candidates with strikes from low to high, narrow are those of
// which the at-the-money volatility is enough.
type chainPlan struct {
	wide, narrow []market.Date
	low, high    float64
}

// planChain chooses expirations. Annual is a guess of the volatility.
func planChain(expirations []market.Expiration, today market.Date, spot, annual float64, rules Rules) chainPlan {
	strikes := map[market.Date][]float64{}
	var dates []market.Date
	for _, e := range expirations {
		if e.Date.Before(today) {
			continue
		}
		if _, seen := strikes[e.Date]; !seen {
			dates = append(dates, e.Date)
		}
		strikes[e.Date] = append(strikes[e.Date], e.Strikes...)
	}
	slices.SortFunc(dates, market.Date.Compare)

	nearest := func(days int) market.Date {
		return slices.MinFunc(dates, func(a, b market.Date) int {
			return cmp.Compare(apart(today.DaysUntil(a), days), apart(today.DaysUntil(b), days))
		})
	}
	if len(dates) == 0 {
		return chainPlan{}
	}

	var wide []market.Date
	for _, d := range dates {
		if n := today.DaysUntil(d); n >= rules.MinDays && n <= rules.MaxDays {
			wide = append(wide, d)
		}
	}
	middle := (rules.MinDays + rules.MaxDays) / 2
	slices.SortStableFunc(wide, func(a, b market.Date) int {
		return cmp.Compare(apart(today.DaysUntil(a), middle), apart(today.DaysUntil(b), middle))
	})
	if len(wide) == 0 {
		wide = []market.Date{nearest(30)} // for skew and liquidity
	}

	// Twice the expected move covers deltas from 0.03 to 0.97.
	// Without a price there is no telling which strikes; an infinite range says all.
	years := float64(max(today.DaysUntil(slices.MaxFunc(wide, market.Date.Compare)), 1)) / 365
	width := min(max(2*annual*math.Sqrt(years), 0.06), 0.6)
	plan := chainPlan{high: math.Inf(1)}
	if spot > 0 {
		plan = chainPlan{low: spot * math.Exp(-width), high: spot * math.Exp(width)}
	}
	contracts := 0
	for i, d := range wide {
		for _, k := range strikes[d] {
			if k >= plan.low && k <= plan.high {
				contracts += 2
			}
		}
		if i > 0 && contracts > wideContracts {
			break
		}
		plan.wide = append(plan.wide, d)
	}

	for _, target := range []int{0, 7, 30, 60, 90, 180} {
		if d := nearest(target); !slices.Contains(plan.wide, d) && !slices.Contains(plan.narrow, d) {
			plan.narrow = append(plan.narrow, d)
		}
	}
	slices.SortFunc(plan.wide, market.Date.Compare)
	slices.SortFunc(plan.narrow, market.Date.Compare)
	return plan
}

func apart(a, b int) int { return max(a-b, b-a) }

// fetchChain asks for the parts of the chain that evidence and candidates need.
func (a *Analyst) fetchChain(ctx context.Context, req *Request, in *inputs, expirations []market.Expiration) (p part[[]market.OptionQuote]) {
	spot := in.spot()
	plan := planChain(expirations, market.DateOf(in.at), spot, 1.3*roughVol(in.bars), *req.Rules)
	var requests []market.ChainRequest
	if len(plan.wide) > 0 {
		wide := market.ChainRequest{Underlying: req.Symbol, Expirations: plan.wide}
		if !math.IsInf(plan.high, 1) {
			wide.MinStrike, wide.MaxStrike = plan.low, plan.high
		}
		requests = append(requests, wide)
	}
	if len(plan.narrow) > 0 {
		requests = append(requests, market.ChainRequest{Underlying: req.Symbol, Expirations: plan.narrow, Strikes: narrowStrikes})
	}
	if len(requests) == 0 {
		p.absent = "there is no expiration today or later"
		return p
	}

	var wg sync.WaitGroup
	answers := make([]part[[]market.OptionQuote], len(requests))
	for i, r := range requests {
		wg.Go(func() { answers[i] = some(a.deps.Market.Chain(ctx, r)) })
	}
	wg.Wait()
	seen := map[market.Symbol]bool{}
	for _, answer := range answers {
		for _, q := range answer.value {
			if !seen[q.Symbol] {
				seen[q.Symbol] = true
				p.value = append(p.value, q)
			}
		}
		if p.absent == "" {
			p.absent = answer.absent
		}
	}
	if len(p.value) > 0 {
		p.absent = ""
	}
	return p
}

// spot is the live price, or the last close when there is none, or NaN.
func (in *inputs) spot() float64 {
	if in.quote.absent == "" {
		if mid := in.quote.value.Mid(); mid > 0 {
			return mid
		}
	}
	if n := len(in.bars); n > 0 {
		return in.bars[n-1].Close
	}
	return math.NaN()
}

// roughVol is the deviation of the last 60 log returns per year, at least 15 %:
// wide enough to choose strikes by.
func roughVol(bars []market.Bar) float64 {
	var sum, n float64
	for i := max(1, len(bars)-60); i < len(bars); i++ {
		r := math.Log(bars[i].Close / bars[i-1].Close)
		sum, n = sum+r*r, n+1
	}
	if n == 0 {
		return 0.5
	}
	return max(math.Sqrt(252*sum/n), 0.15)
}
