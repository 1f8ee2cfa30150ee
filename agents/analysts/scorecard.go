package analysts

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow"
)

// An Outcome is what became of an analysis: of its first candidate without a veto,
// held to expiration and settled by the close of that day.
type Outcome struct {
	Symbol     market.Symbol   `json:"symbol"`
	At         time.Time       `json:"at"`
	Decision   Decision        `json:"decision"`
	Strategy   Strategy        `json:"strategy"`
	Expiration market.Date     `json:"expiration"`
	Close      float64         `json:"close"`  // of the symbol on that day, as the source's bars have it
	Profit     decimal.Decimal `json:"profit"` // of one unit, entered at mid, before fees
	Return     float64         `json:"return"` // Profit / the capital that the candidate required
	// StatedReturn and StatedProbability are what the candidate said.
	StatedReturn      market.Float `json:"stated_return"`
	StatedProbability market.Float `json:"stated_probability"`
}

// Score computes what became of earlier analyses, oldest first, and their scorecard.
// Analyses without a candidate, whose expiration has not passed, whose candidate has
// no outcome at expiration alone (calendars, and straddles that are to be hedged), or
// that have no bar on that day, are left out. Bars that a split has changed since
// leave an analysis out when its strike is no longer near: past three times the price
// or under a third of it.
func (a *Analyst) Score(ctx context.Context, past []*Analysis) ([]Outcome, *Scorecard, error) {
	now := a.deps.Clock.Now()
	loc := a.deps.Calendar.Location()
	type open struct {
		analysis  *Analysis
		candidate *Candidate
	}
	by := map[market.Symbol][]open{}
	for _, p := range past {
		if p == nil {
			continue
		}
		i := slices.IndexFunc(p.Candidates, func(c Candidate) bool { return len(c.Vetoes) == 0 && settles(&c) })
		if i < 0 {
			continue
		}
		c := &p.Candidates[i]
		if session, ok := a.deps.Calendar.Session(c.Expiration); ok && session.Close.Before(now) {
			by[p.Symbol] = append(by[p.Symbol], open{p, c})
		}
	}
	var outcomes []Outcome
	for _, symbol := range slices.Sorted(maps.Keys(by)) {
		list := by[symbol]
		first, last := list[0].candidate.Expiration, list[0].candidate.Expiration
		for _, o := range list {
			if o.candidate.Expiration.Compare(first) < 0 {
				first = o.candidate.Expiration
			}
			if o.candidate.Expiration.Compare(last) > 0 {
				last = o.candidate.Expiration
			}
		}
		bars, err := a.deps.Market.Bars(ctx, market.BarsRequest{Symbol: symbol, Interval: market.Day, From: first.In(loc), To: last.AddDays(1).In(loc)})
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil && len(bars) == 0 {
			continue // one symbol without bars does not hide the others
		}
		closes := map[market.Date]float64{}
		for _, b := range bars {
			if usable(b) {
				closes[market.DateOf(b.Time.In(loc))] = b.Close
			}
		}
		for _, o := range list {
			if price, ok := closes[o.candidate.Expiration]; ok {
				if outcome, ok := settle(o.analysis, o.candidate, price); ok {
					outcomes = append(outcomes, outcome)
				}
			}
		}
	}
	slices.SortStableFunc(outcomes, func(x, y Outcome) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Symbol, y.Symbol)) })
	card := scorecard(outcomes)
	card.At = now.In(loc)
	return outcomes, card, nil
}

// settles tells whether a candidate has an outcome at its expiration.
func settles(c *Candidate) bool {
	if c.Strategy == GammaScalp {
		return false
	}
	return !slices.ContainsFunc(c.Legs, func(l CandidateLeg) bool { return l.Expiration != c.Expiration })
}

func settle(a *Analysis, c *Candidate, price float64) (Outcome, bool) {
	strike := float64(c.Strike)
	capital := c.CapitalRequired
	if !capital.IsPositive() || !(strike/price < 3 && strike/price > 1.0/3) {
		return Outcome{}, false
	}
	hundred := decimal.NewFromInt(100)
	worth := func(x float64) decimal.Decimal { return decimal.NewFromFloat(x).Mul(hundred).Round(2) }
	profit := c.CreditMid
	switch {
	case len(c.Legs) > 0:
		for _, l := range c.Legs {
			contract, ok := l.Symbol.Contract()
			if !ok {
				return Outcome{}, false
			}
			profit = profit.Add(worth(max(float64(contract.Kind)*(price-float64(l.Strike)), 0)).Mul(decimal.NewFromInt(int64(l.Quantity))))
		}
	case c.Strategy == CoveredCall: // the shares were bought with the capital
		profit = profit.Add(worth(min(price, strike))).Sub(capital)
	default:
		profit = profit.Sub(worth(max(strike-price, 0)))
	}
	return Outcome{
		Symbol: a.Symbol, At: a.At, Decision: a.Verdict.Decision, Strategy: c.Strategy, Expiration: c.Expiration, Close: price, Profit: profit,
		Return: profit.Div(capital).InexactFloat64(), StatedReturn: c.Return, StatedProbability: c.ProbabilityOfProfit,
	}, true
}

// scorecard sums outcomes up.
func scorecard(list []Outcome) *Scorecard {
	var selected, hits, sure, surer, realised, stated float64
	for _, o := range list {
		made := 0.0
		if o.Profit.IsPositive() {
			made = 1
		}
		if o.Decision == DecisionSelect {
			selected, hits = selected+1, hits+made
		}
		if o.StatedProbability.Known() {
			sure, surer = sure+1, surer+float64(o.StatedProbability)-made
		}
		if o.StatedReturn.Known() {
			stated, realised = stated+1, realised+o.Return-float64(o.StatedReturn)
		}
	}
	mean := func(sum, n float64) float64 {
		if n == 0 {
			return math.NaN()
		}
		return sum / n
	}
	return &Scorecard{Analyses: len(list), HitRate: mean(hits, selected), Calibration: mean(surer, sure), Realised: mean(realised, stated)}
}

// A ScorecardJob is the input of the scorecard's workflow.
type ScorecardJob struct {
	Symbol market.Symbol `json:"symbol,omitempty"` // empty: all symbols together
}

// A ScorecardDone is its result.
type ScorecardDone struct {
	Symbol   market.Symbol `json:"symbol,omitempty"`
	Outcomes []Outcome     `json:"outcomes"`
	// Profit is of all outcomes together, in dollars: see [Outcome].Profit.
	Profit decimal.Decimal `json:"profit"`
	// Numbers are null when they are not known: see Scorecard.
	Analyses    int          `json:"analyses"`
	HitRate     market.Float `json:"hit_rate"`
	Calibration market.Float `json:"calibration"`
	Realised    market.Float `json:"realised"`
	At          time.Time    `json:"at"`
}

// Scorecard returns the numbers as analysts take them.
func (d *ScorecardDone) Scorecard() *Scorecard {
	return &Scorecard{Analyses: d.Analyses, HitRate: float64(d.HitRate), Calibration: float64(d.Calibration), Realised: float64(d.Realised), At: d.At}
}

// Text is the scorecard in one sentence.
func (d *ScorecardDone) Text() string {
	say := func(x market.Float) string {
		if !x.Known() {
			return "unknown"
		}
		return percent(float64(x))
	}
	hits := "unknown"
	if d.HitRate.Known() {
		hits = share(float64(d.HitRate))
	}
	return fmt.Sprintf("%s: hit rate %s, profit of one unit each %s before fees, stated less actual probability of profit %s, realised less stated return %s.",
		plural(d.Analyses, "analysis has an outcome", "analyses have an outcome"), hits, d.Profit.StringFixed(2), say(d.Calibration), say(d.Realised))
}

func (w Workflows) scorecard(c *workflow.Ctx, job ScorecardJob) (ScorecardDone, error) {
	done := ScorecardDone{Symbol: job.Symbol, Outcomes: []Outcome{}}
	if w.Past == nil {
		return done, invalid.Missing("Past", "where earlier analyses are kept")
	}
	c.Progress(0, 2, "what became of earlier analyses")
	done, err := workflow.Step(c, "outcomes", reading, func(ctx context.Context, _ workflow.Call) (ScorecardDone, error) {
		past, err := w.Past(ctx, job.Symbol)
		if err != nil {
			return done, hopeless(err)
		}
		outcomes, card, err := w.Analyst.Score(ctx, past)
		if err != nil {
			return done, err
		}
		sum := ScorecardDone{Symbol: job.Symbol, Outcomes: append([]Outcome{}, outcomes...), Analyses: card.Analyses, HitRate: market.Float(card.HitRate),
			Calibration: market.Float(card.Calibration), Realised: market.Float(card.Realised), At: card.At}
		for _, o := range outcomes {
			sum.Profit = sum.Profit.Add(o.Profit)
		}
		return sum, nil
	})
	if err != nil || w.Save == nil {
		return done, err
	}
	c.Progress(1, 2, "saving")
	if _, err = workflow.Step(c, "save", workflow.Policy{}, func(ctx context.Context, call workflow.Call) (string, error) {
		return w.Save(ctx, call.Key, Result{Scorecard: &done})
	}); err != nil {
		return done, fmt.Errorf("saving the scorecard: %w", err)
	}
	c.Progress(2, 2, "done")
	return done, nil
}
