package analysts

import (
	"cmp"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

const candidateMethod = "One contract, before fees. credit = bid or mid × 100. capital = strike × 100 (put) or options.spot × 100 (call: the shares). " +
	"return = mid credit / capital; annualised × 365 / days. breakeven = strike − mid (put) or options.spot − mid (call with shares bought now). " +
	"IV and delta from the mid, the parity forward and market.rate, early exercise included where the option allows it. probability_of_profit = risk-neutral N(d2) at the breakeven with the contract's IV; it is the market's odds, not a forecast. " +
	"Chosen by delta, days, spread and open interest; ranked by nearness to the middle of the delta and day ranges, spread, and a put's strike below support or a call's above resistance."

// A ranked candidate has the score it was chosen by.
type ranked struct {
	Candidate
	score float64
}

// chooseCandidates returns the best contracts of each strategy, at most one per
// expiration. When rules veto all of a strategy, its best one is shown with the veto.
func (f *findings) chooseCandidates() []Candidate {
	chosen := []Candidate{}
	for _, strategy := range f.strategies {
		if strategy == Wheel {
			strategy = CashSecuredPut
			if f.value("portfolio.coverable") >= 100 {
				strategy = CoveredCall
			}
		}
		if strategy != CashSecuredPut && strategy != CoveredCall {
			chosen = append(chosen, f.spreads(strategy)...)
			continue
		}
		var list []ranked
		for _, c := range f.contracts {
			if f.eligible(strategy, c) {
				list = append(list, f.candidate(strategy, c))
			}
		}
		slices.SortStableFunc(list, func(a, b ranked) int {
			return cmp.Or(cmp.Compare(min(len(a.Vetoes), 1), min(len(b.Vetoes), 1)), cmp.Compare(b.score, a.score), cmp.Compare(a.Symbol, b.Symbol))
		})
		var used []market.Date
		for _, c := range list {
			if len(used) == f.rules.PerStrategy || len(c.Vetoes) > 0 && len(used) > 0 {
				break
			}
			if !slices.Contains(used, c.Expiration) {
				used = append(used, c.Expiration)
				chosen = append(chosen, c.Candidate)
			}
		}
	}
	return chosen
}

// eligible says whether a contract is one that the strategy sells and that trades.
func (f *findings) eligible(strategy Strategy, c pricedContract) bool {
	spot, delta := f.value("options.spot"), math.Abs(c.Delta)
	switch {
	case strategy == CashSecuredPut && (c.Kind != market.Put || c.Strike >= spot),
		strategy == CoveredCall && (c.Kind != market.Call || c.Strike <= spot),
		strategy == CoveredCall && c.Style == market.European, // settles in cash: shares cannot cover it
		multiplier(c.Contract) != 100,                         // adjusted: other deliverables than 100 shares
		!(delta >= f.rules.MinDelta && delta <= f.rules.MaxDelta),
		!(c.Bid > 0) || math.IsNaN(c.Mid) || math.IsNaN(c.IV),
		!(spreadOf(c.Contract) <= f.rules.MaxSpread),
		c.OpenInterest < f.rules.MinOpenInterest:
		return false
	}
	return true
}

func multiplier(c options.Contract) float64 {
	if math.IsNaN(c.Multiplier) || c.Multiplier == 0 {
		return 100
	}
	return c.Multiplier
}

func (f *findings) candidate(strategy Strategy, c pricedContract) ranked {
	spot, atr := f.value("options.spot"), f.value("volatility.atr")
	hundred := decimal.NewFromInt(100)
	held := c.Strike // what stands behind each share
	breakeven := c.Strike - c.Mid
	if strategy == CoveredCall {
		held, breakeven = spot, spot-c.Mid
	}
	capital := decimal.NewFromFloat(held).Mul(hundred).Round(2)
	days := f.days(c.expiry)
	profit := options.BSM{Spot: c.expiry.Spot, Strike: breakeven, Years: c.expiry.Years, Rate: c.expiry.Rate, Yield: c.expiry.Yield, Vol: c.IV}.Greeks(options.Call).ProbITM
	nan := market.Float(math.NaN())
	out := Candidate{
		Strategy: strategy, Symbol: c.Symbol, Strike: market.Float(c.Strike), Expiration: c.expiry.Date, Days: days,
		Bid: micro(c.Bid), Mid: micro(c.Mid), Ask: micro(c.Ask), Spread: micro(spreadOf(c.Contract)),
		IV: micro(c.IV), Delta: micro(c.Delta), Volume: market.Float(c.Volume), OpenInterest: market.Float(c.OpenInterest),
		CreditBid: decimal.NewFromFloat(c.Bid).Mul(hundred).Round(2), CreditMid: decimal.NewFromFloat(c.Mid).Mul(hundred).Round(2), CapitalRequired: capital,
		Return: micro(c.Mid / held), Annualized: micro(c.Mid / held * 365 / float64(max(days, 1))), Breakeven: micro(breakeven),
		ProbabilityOfProfit: micro(profit), ProbabilityITM: micro(c.ProbITM),
		SupportDistanceATR: nan, SupportDistance: nan, ResistanceDistanceATR: nan,
		Evidence: f.present([]string{"options.spot", "market.rate", "volatility.atr"}),
	}
	if i := slices.IndexFunc(f.supports, func(l namedLevel) bool { return l.price < spot }); i >= 0 {
		l := f.supports[i]
		out.SupportID, out.SupportDistanceATR, out.SupportDistance = l.id, micro((c.Strike-l.price)/atr), micro(c.Strike/l.price-1)
		out.Evidence = append(out.Evidence, l.id)
	}
	if i := slices.IndexFunc(f.resists, func(l namedLevel) bool { return l.price > spot }); i >= 0 {
		l := f.resists[i]
		out.ResistanceID, out.ResistanceDistanceATR = l.id, micro((c.Strike-l.price)/atr)
		out.Evidence = append(out.Evidence, l.id)
	}
	f.addNeeds(&out)
	f.addVetoes(&out)
	f.addWarnings(&out, c)
	return ranked{out, f.rank(out)}
}

// micro rounds to a millionth: what lies below is noise of binary fractions.
func micro(x float64) market.Float { return market.Float(math.Round(x*1e6) / 1e6) }

// rank is higher for contracts nearer to what the rules ask for.
func (f *findings) rank(c Candidate) float64 {
	centre := func(x, low, high float64) float64 {
		return 1 - math.Abs(x-(low+high)/2)/max((high-low)/2, 1e-9)
	}
	behind := 0.0
	distance := float64(c.SupportDistanceATR)
	if c.Strategy == CoveredCall {
		distance = -float64(c.ResistanceDistanceATR)
	}
	if !math.IsNaN(distance) {
		behind = clamp(0.5 - distance) // 1 from half an ATR behind the level
	}
	return 0.35*centre(math.Abs(float64(c.Delta)), f.rules.MinDelta, f.rules.MaxDelta) +
		0.20*centre(float64(c.Days), float64(f.rules.MinDays), float64(f.rules.MaxDays)) +
		0.20*(1-float64(c.Spread)/f.rules.MaxSpread) + 0.25*behind
}

func (f *findings) addNeeds(c *Candidate) {
	id, need := "portfolio.cash", c.CapitalRequired.InexactFloat64()
	c.Needs = "cash of " + c.CapitalRequired.StringFixed(2)
	if c.Strategy == CoveredCall {
		id, need, c.Needs = "portfolio.coverable", 100, "100 shares"
	}
	if !f.known(id) {
		return
	}
	enough := f.value(id) >= need
	c.Held = &enough
	c.Evidence = append(c.Evidence, id)
	if !enough && c.Strategy == CashSecuredPut {
		c.Warnings = append(c.Warnings, Reason{Text: "the largest cash balance is " + f.text(id), Evidence: []string{id}})
	}
	if !enough && c.Strategy == CoveredCall {
		c.Warnings = append(c.Warnings, Reason{Text: "the shares free in one account do not cover it: " + f.text(id), Evidence: []string{id}})
	}
}

func (f *findings) addVetoes(c *Candidate) {
	if e := f.earnings; e != nil && f.known("events.earnings") && !e.Date.After(c.Expiration) && !(e.Date == c.Expiration && e.Timing == "after close") {
		c.Vetoes = append(c.Vetoes, Reason{Text: "earnings before it expires: " + f.text("events.earnings"), Evidence: []string{"events.earnings"}})
	}
	if c.Strategy == CashSecuredPut && f.downtrend() {
		c.Vetoes = append(c.Vetoes, Reason{Text: "a downtrend: no short puts", Evidence: f.present([]string{"trend.sma200_distance", "trend.sma50_slope", "trend.structure"})})
	}
	if f.illiquid() {
		c.Vetoes = append(c.Vetoes, Reason{Text: "the option chain is too illiquid", Evidence: f.present([]string{"options.spread", "options.open_interest"})})
	}
	if f.value("quote.halted") > 0 {
		c.Vetoes = append(c.Vetoes, Reason{Text: "trading is halted", Evidence: []string{"quote.halted"}})
	}
}

func (f *findings) addWarnings(c *Candidate, contract pricedContract) {
	warn := func(text string, ids ...string) {
		c.Warnings = append(c.Warnings, Reason{Text: text, Evidence: ids})
	}
	if f.earnings == nil && f.isCompany() {
		warn("the next earnings date is not known", "events.earnings")
	}
	if e := f.dividend; e != nil && !e.Date.After(c.Expiration) {
		text := "the shares go ex-dividend before it expires: " + f.text("events.dividend")
		if c.Strategy == CoveredCall && contract.Style != market.European {
			text = "may be assigned early for the dividend when in the money: " + f.text("events.dividend")
		}
		warn(text, f.present([]string{"events.dividend", "events.dividend_amount"})...)
	}
	if f.value("data.chain_age") > stale.Minutes() {
		warn("the option quotes are old: "+f.text("data.chain_age"), "data.chain_age")
	}
	if netLiq := f.value("portfolio.net_liq"); netLiq > 0 && c.Strategy == CashSecuredPut {
		if part := c.CapitalRequired.InexactFloat64() / netLiq; part > 0.25 {
			warn("one contract ties up much of the portfolio: its net liquidating value is "+f.text("portfolio.net_liq"), "portfolio.net_liq")
		}
	}
}
