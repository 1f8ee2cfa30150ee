package analysts

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

func describeStrategies(list []Strategy) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// laterBy is how many days after a calendar's first expiration its second one is, at
// the least.
const laterBy = 20

// spreads returns candidates of a strategy of several legs: of the expirations within
// the rules, those nearest to the middle of their days.
func (f *findings) spreads(strategy Strategy) []Candidate {
	if f.chain == nil {
		return nil
	}
	var near []*options.Expiry
	for i := range f.chain.Expiries {
		e := &f.chain.Expiries[i]
		if days := f.days(e); days >= f.rules.MinDays && days <= f.rules.MaxDays && e.Years > 0 && !math.IsNaN(e.ATMVol()) {
			near = append(near, e)
		}
	}
	middle := float64(f.rules.MinDays+f.rules.MaxDays) / 2
	slices.SortStableFunc(near, func(a, b *options.Expiry) int {
		return cmp.Compare(math.Abs(float64(f.days(a))-middle), math.Abs(float64(f.days(b))-middle))
	})
	var out []Candidate
	for _, e := range near {
		if len(out) == f.rules.PerStrategy {
			break
		}
		if legs := f.legs(strategy, e); legs != nil {
			if c, ok := f.spread(strategy, e, legs); ok {
				out = append(out, c)
			}
		}
	}
	return out
}

// A chosenLeg is a contract and how many of it.
type chosenLeg struct {
	options.Contract
	expiry   *options.Expiry
	quantity int
}

// legs chooses the contracts, the one sold first in front; nil when the chain does not
// have them.
func (f *findings) legs(strategy Strategy, e *options.Expiry) []chosenLeg {
	target := (f.rules.MinDelta + f.rules.MaxDelta) / 2
	wing := func(kind options.Kind) []chosenLeg {
		short, ok := e.NearestDelta(kind, float64(kind)*target)
		long, found := e.NearestDelta(kind, float64(kind)*target/2)
		if !ok || !found || !f.trades(short) || !f.trades(long) || float64(kind)*(long.Strike-short.Strike) <= 0 ||
			!(math.Abs(short.Delta) >= f.rules.MinDelta && math.Abs(short.Delta) <= f.rules.MaxDelta) {
			return nil
		}
		return []chosenLeg{{short, e, -1}, {long, e, 1}}
	}
	atMoney := func(e *options.Expiry, kind options.Kind, strike float64) (options.Contract, bool) {
		c, ok := e.Find(kind, strike)
		return c, ok && f.trades(c)
	}
	nearest := math.NaN()
	for _, c := range e.Contracts {
		if f.trades(c) && !(math.Abs(c.Strike-e.Spot) >= math.Abs(nearest-e.Spot)) {
			nearest = c.Strike
		}
	}
	switch strategy {
	case BullPut:
		return wing(market.Put)
	case BearCall:
		return wing(market.Call)
	case IronCondor:
		if puts, calls := wing(market.Put), wing(market.Call); puts != nil && calls != nil {
			return append(puts, calls...)
		}
	case GammaScalp:
		call, ok := atMoney(e, market.Call, nearest)
		put, found := atMoney(e, market.Put, nearest)
		if ok && found {
			return []chosenLeg{{call, e, 1}, {put, e, 1}}
		}
	case Calendar:
		front, ok := atMoney(e, market.Call, nearest)
		for i := range f.chain.Expiries {
			later := &f.chain.Expiries[i]
			if back, found := atMoney(later, market.Call, nearest); ok && found && f.days(later) >= f.days(e)+laterBy {
				return []chosenLeg{{front, e, -1}, {back, later, 1}}
			}
		}
	}
	return nil
}

// trades says whether a contract can be had at a price near its mid.
func (f *findings) trades(c options.Contract) bool {
	return c.Bid > 0 && !math.IsNaN(c.Mid) && !math.IsNaN(c.IV) && multiplier(c) == 100 && spreadOf(c) <= f.rules.MaxSpread && !(c.OpenInterest < f.rules.MinOpenInterest)
}

func (f *findings) spread(strategy Strategy, e *options.Expiry, chosen []chosenLeg) (Candidate, bool) {
	var legs []options.Leg
	first := chosen[0]
	nan := market.Float(math.NaN())
	c := Candidate{
		Strategy: strategy, Symbol: first.Symbol, Strike: market.Float(first.Strike), Expiration: e.Date, Days: f.days(e),
		Bid: micro(first.Bid), Mid: micro(first.Mid), Ask: micro(first.Ask), Spread: micro(spreadOf(first.Contract)), IV: micro(first.IV), Delta: micro(first.Delta),
		Volume: market.Float(first.Volume), OpenInterest: market.Float(first.OpenInterest),
		Return: nan, Annualized: nan, Breakeven: nan, ProbabilityITM: micro(first.ProbITM), SupportDistanceATR: nan, SupportDistance: nan, ResistanceDistanceATR: nan,
		Evidence: f.present([]string{"options.spot", "market.rate", "volatility.atr"}),
	}
	hundred := decimal.NewFromInt(100)
	worst := 0.0 // what taking every quote's far side brings
	for _, l := range chosen {
		legs = append(legs, l.expiry.Leg(l.Contract, float64(l.quantity)))
		c.Legs = append(c.Legs, CandidateLeg{Symbol: l.Symbol, Quantity: l.quantity, Strike: market.Float(l.Strike), Expiration: l.Expiration, Mid: micro(l.Mid)})
		side := l.Ask
		if l.quantity < 0 {
			side = l.Bid
		}
		worst -= float64(l.quantity) * side
	}
	s, err := options.NewStructure(legs...)
	if err != nil {
		return c, false
	}
	conditions := f.chain.Conditions()
	conditions.Rate = e.Rate
	a, err := s.Analyze(conditions, nil)
	if err != nil || math.IsNaN(a.Premium) {
		return c, false
	}
	c.CreditMid = decimal.NewFromFloat(a.Premium).Round(2)
	c.CreditBid = decimal.NewFromFloat(worst).Mul(hundred).Round(2)
	c.ProbabilityOfProfit = micro(a.ProbProfit)
	if len(a.Breakevens) > 0 {
		c.Breakeven = micro(a.Breakevens[0])
	}
	bound := func(x float64) *market.Float {
		v := market.Float(math.NaN())
		if !math.IsInf(x, 0) && a.Exact {
			v = micro(x)
		}
		return &v
	}
	c.MaxGain, c.MaxLoss = bound(a.MaxGain), bound(a.MaxLoss)
	capital := -a.Premium // what is paid is what can be lost
	if a.Premium > 0 {
		capital = -a.MaxLoss
	}
	if !(capital > 0) || math.IsInf(capital, 0) {
		return c, false // a credit without risk is a wrong quote
	}
	c.CapitalRequired = decimal.NewFromFloat(capital).Round(2)
	if a.Premium > 0 {
		c.Return = micro(a.Premium / capital)
		c.Annualized = micro(a.Premium / capital * 365 / float64(max(c.Days, 1)))
	}
	c.Needs = "buying power of " + c.CapitalRequired.StringFixed(2)
	if power := f.value("portfolio.buying_power"); f.known("portfolio.buying_power") {
		enough := power >= capital
		c.Held = &enough
		c.Evidence = append(c.Evidence, "portfolio.buying_power")
	}
	f.addSpreadVetoes(&c)
	f.addWarnings(&c, pricedContract{first.Contract, e})
	return c, true
}

func (f *findings) addSpreadVetoes(c *Candidate) {
	long := c.Strategy == GammaScalp || c.Strategy == Calendar
	if long {
		if e := f.earnings; e != nil && f.known("events.earnings") && !e.Date.After(c.Expiration) {
			c.Warnings = append(c.Warnings, Reason{Text: "implied volatility falls after earnings: " + f.text("events.earnings"), Evidence: []string{"events.earnings"}})
		}
		if ratio := f.value("options.iv_hv"); c.Strategy == GammaScalp && ratio > 1.1 {
			c.Vetoes = append(c.Vetoes, Reason{Text: "gamma is dear: implied over historical volatility is " + f.text("options.iv_hv"), Evidence: []string{"options.iv_hv"}})
		}
		if f.value("quote.halted") > 0 {
			c.Vetoes = append(c.Vetoes, Reason{Text: "trading is halted", Evidence: []string{"quote.halted"}})
		}
		return
	}
	f.addVetoes(c)
	if c.Strategy == BullPut && f.downtrend() {
		c.Vetoes = append(c.Vetoes, Reason{Text: "a downtrend: no short puts", Evidence: f.present([]string{"trend.sma200_distance", "trend.sma50_slope", "trend.structure"})})
	}
}

// describeLegs is a candidate of several legs in one sentence.
func (c Candidate) describeLegs() string {
	var b strings.Builder
	for i, l := range c.Legs {
		if i > 0 {
			b.WriteString(", ")
		}
		verb, kind := "buy", "put"
		if l.Quantity < 0 {
			verb = "sell"
		}
		if contract, ok := l.Symbol.Contract(); ok && contract.Kind == market.Call {
			kind = "call"
		}
		fmt.Fprintf(&b, "%s the %s %s %s", verb, l.Expiration, trimmedPrice(float64(l.Strike)), kind)
	}
	if c.CreditMid.IsPositive() {
		fmt.Fprintf(&b, " for %s at mid, %s on %s at risk", c.CreditMid.StringFixed(2), share(float64(c.Return)), c.CapitalRequired.StringFixed(2))
	} else {
		fmt.Fprintf(&b, " for %s paid at mid", c.CreditMid.Neg().StringFixed(2))
	}
	fmt.Fprintf(&b, ", %s probability of profit", share(float64(c.ProbabilityOfProfit)))
	return b.String()
}
