package backtest

import (
	"context"
	"fmt"
	"math"

	"github.com/ttai-go/ttai/market"
)

// An Assessment says how much of a search's best trial may be chance. Numbers are
// unknown (null) when the trials have no returns.
type Assessment struct {
	// Trials that were finished, pruned and failed ones left out; all of them count
	// for what chance can do.
	Trials    int `json:"trials"`
	Attempted int `json:"attempted"`
	// Effective is how many independent trials they amount to.
	Effective market.Float `json:"effective_trials"`
	// Observations is how many returns each trial has, Years how long they take.
	Observations int          `json:"observations"`
	Years        market.Float `json:"years"`
	// Sharpe is the best trial's annual ratio (mean over deviation of its returns),
	// ExpectedMax what the best of as many trials without skill would show.
	Sharpe      market.Float `json:"sharpe"`
	ExpectedMax market.Float `json:"expected_max_sharpe"`
	// Probabilistic is the probability that its true ratio is above 0 if it had been
	// the only trial, Deflated that probability after the search.
	Probabilistic market.Float `json:"probabilistic_sharpe"`
	Deflated      market.Float `json:"deflated_sharpe"`
	// MinYears is how many years of data so many trials need, so that a ratio like the
	// best's is not expected by chance.
	MinYears market.Float `json:"min_years"`
	// Overfitting is the probability that choosing the best of one half of time is no
	// better than the median in the other: see [ProbabilityOfOverfitting].
	Overfitting market.Float `json:"probability_of_overfitting"`
	// Interval of the best's annual Sharpe ratio by the stationary bootstrap. It knows
	// nothing of the search.
	SharpeLow  market.Float `json:"sharpe_low"`
	SharpeHigh market.Float `json:"sharpe_high"`
	// Warnings say in words what is wrong; empty when nothing is.
	Warnings []string `json:"warnings,omitempty"`
}

// Assess says how much of the best trial may be chance, and warns when the search
// was wider than the data can bear. The error is that of ctx.
func (r *SearchResult) Assess(ctx context.Context) (*Assessment, error) {
	nan := market.Float(math.NaN())
	a := &Assessment{
		Attempted: len(r.Trials), Effective: nan, Years: nan, Sharpe: nan, ExpectedMax: nan, Probabilistic: nan, Deflated: nan,
		MinYears: nan, Overfitting: nan, SharpeLow: nan, SharpeHigh: nan,
	}
	warn := func(format string, args ...any) { a.Warnings = append(a.Warnings, fmt.Sprintf(format, args...)) }
	best := r.Best()
	if best == nil {
		warn("No trial was finished.")
		return a, ctx.Err()
	}
	for i := range r.Trials {
		if r.Trials[i].Finished() {
			a.Trials++
		}
	}
	r.warnOfEdges(best, warn)
	if best.Trades > 0 && best.Trades < 30 {
		warn("The best setting closed so few trades (%d) that skill cannot be told from luck.", best.Trades)
	}
	// What is compared must be over the same periods.
	n := len(best.Returns)
	var rows [][]float64
	var ratios []float64
	for i := range r.Trials {
		t := &r.Trials[i]
		if !t.Finished() || len(t.Returns) != n || n < 3 {
			continue
		}
		rows = append(rows, t.Returns)
		ratio := Sharpe(t.Returns, 0)
		if math.IsNaN(ratio) {
			ratio = 0 // it never traded
		}
		ratios = append(ratios, ratio)
	}
	if len(rows) == 0 {
		return a, ctx.Err()
	}
	a.Observations, a.Years = n, market.Float(float64(n)/best.PerYear)
	annual := math.Sqrt(best.PerYear)
	sample := SampleSharpe(best.Returns)
	a.Sharpe, a.Probabilistic = finite(sample.Sharpe*annual), finite(sample.Probabilistic(0))
	effective, err := EffectiveTrials(rows)
	if err != nil {
		return a, err
	}
	// Trials that were not finished were looked at as well.
	effective *= float64(a.Attempted) / float64(len(rows))
	a.Effective = market.Float(max(effective, 1))
	spreadOf := 0.0
	if len(ratios) > 1 {
		spreadOf = deviation(ratios, 1)
	}
	trials := float64(a.Attempted)
	expected := ExpectedMaxSharpe(trials, spreadOf)
	a.ExpectedMax = finite(expected * annual)
	a.Deflated = finite(sample.Deflated(trials, spreadOf))
	if sample.Sharpe > 0 && trials > 1 {
		a.MinYears = finite(MinBacktestYears(max(effective, 2), sample.Sharpe*annual))
	}
	if interval, err := Bootstrap(ctx, best.Returns, func(x []float64) float64 { return Sharpe(x, 0) * annual }, &BootstrapOptions{Samples: 1000, Seed: r.Seed}); err == nil {
		a.SharpeLow, a.SharpeHigh = finite(interval.Low), finite(interval.High)
	}
	if len(rows) >= 2 {
		parts := 16
		for parts > 2 && (n < 10*parts || binomial(parts, parts/2)*len(rows) > 4_000_000) {
			parts -= 2
		}
		if over, err := ProbabilityOfOverfitting(ctx, rows, parts); err == nil {
			a.Overfitting = market.Float(over.Probability)
		}
	}
	if err := ctx.Err(); err != nil {
		return a, err
	}
	if trials > 1 {
		switch {
		case !(sample.Sharpe > expected):
			warn("The best Sharpe ratio found is %.2f a year; the best of %d trials without any skill is expected to show %.2f. There is no evidence of skill.", float64(a.Sharpe), a.Attempted, float64(a.ExpectedMax))
		case !(a.Deflated >= 0.95):
			warn("After %d trials the probability that the best setting has any skill is %.0f %%, not the %.0f %% that it seems by itself.", a.Attempted, 100*float64(a.Deflated), 100*float64(a.Probabilistic))
		}
		if a.MinYears > a.Years {
			warn("The search was wider than the data can bear: about %.0f independent trials need %.1f years before a Sharpe ratio of %.2f is more than chance, and there are %.1f.", float64(a.Effective), float64(a.MinYears), float64(a.Sharpe), float64(a.Years))
		}
		if a.Attempted > n {
			warn("More settings were tried (%d) than there are observations (%d).", a.Attempted, n)
		}
		if a.Overfitting >= 0.5 {
			warn("The best setting of one half of time is in %.0f %% of divisions no better than the median in the other: choosing by the past was worth nothing.", 100*float64(a.Overfitting))
		}
	}
	return a, nil
}

// warnOfEdges says when the best setting lies at the end of a range: the optimum is
// likely beyond it.
func (r *SearchResult) warnOfEdges(best *Trial, warn func(string, ...any)) {
	for i := range r.Space {
		d := &r.Space[i]
		if n := d.count(); len(d.Choices) > 0 || n == 1 || n == 2 {
			continue
		}
		if u := d.unit(best.Params[d.Name]); u < 1e-9 || u > 1-1e-9 {
			warn("The best %s, %v, is at the end of its range: a wider one may have a better one.", d.Name, best.Params[d.Name])
		}
	}
}

// A SearchSummary is a search in short.
type SearchSummary struct {
	Method  Method  `json:"method"`
	Seed    uint64  `json:"seed"`
	Space   Space   `json:"space"`
	Trials  int     `json:"trials"`
	Pruned  int     `json:"pruned"`
	Failed  int     `json:"failed"`
	Stopped string  `json:"stopped,omitempty"`
	Best    *Trial  `json:"best,omitempty"`
	Ranked  []Trial `json:"ranked"` // the best ones
	// Assessment says how much of it may be chance.
	Assessment *Assessment `json:"assessment,omitempty"`
}

// mostRanked is how many trials a summary lists.
const mostRanked = 20

// Summary is the search in short.
func (r *SearchResult) Summary() SearchSummary {
	out := SearchSummary{Method: r.Method, Seed: r.Seed, Space: r.Space, Trials: len(r.Trials), Stopped: r.Stopped, Best: r.Best(), Ranked: r.Ranked()}
	for i := range r.Trials {
		switch {
		case r.Trials[i].Pruned:
			out.Pruned++
		case r.Trials[i].Error != "":
			out.Failed++
		}
	}
	out.Ranked = out.Ranked[:min(len(out.Ranked), mostRanked)]
	out.Assessment, _ = r.Assess(context.Background()) // without an end to ctx there is no error
	return out
}
