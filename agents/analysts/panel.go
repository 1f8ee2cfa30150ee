package analysts

import (
	"fmt"
	"math"
	"slices"
)

// The panel's weights, and the scores from which it selects and rejects.
const (
	chartWeight    = 0.35
	optionsWeight  = 0.30
	researchWeight = 0.20
	riskWeight     = 0.15

	selectFrom = 60.0
	rejectTo   = 40.0

	// A veto holds the score at neutral, a grave one at reject.
	vetoed  = 50.0
	refused = 40.0
)

// fewestBars is how many bars a verdict needs, and goodBars how many it takes
// to be more than neutral.
const (
	fewestBars = 20
	goodBars   = 60
)

// decide combines the views. Candidates have been chosen before: a chain from
// which none may be sold is a veto.
func (f *findings) decide(views []View, candidates []Candidate) Verdict {
	weights := map[string]float64{ViewChart: chartWeight, ViewOptions: optionsWeight, ViewResearch: researchWeight, ViewRisk: riskWeight}
	v := Verdict{Reasons: []Reason{}}
	var total, mean float64
	for _, view := range views {
		if view.Score.Known() {
			total += weights[view.Name]
			mean += weights[view.Name] * float64(view.Score)
		}
	}
	if total > 0 {
		mean /= total
	}
	for _, view := range views {
		if !view.Score.Known() {
			continue
		}
		ids := leadingEvidence(view)
		v.Reasons = append(v.Reasons, Reason{
			// Scores and weights are opinions, no evidence: they stand beside the words.
			Text:   fmt.Sprintf("%s is %s", view.Name, view.Stance),
			Weight: round3(weights[view.Name] / total * float64(view.Score)), Evidence: ids,
		})
		if float64(view.Score)*mean < 0 && math.Abs(float64(view.Score)) >= leaning {
			v.Dissent = append(v.Dissent, Reason{Text: fmt.Sprintf("%s disagrees: %s", view.Name, view.Stance), Evidence: ids})
		}
	}

	limit := 100.0
	veto := func(most float64, text string, ids ...string) {
		limit = min(limit, most)
		v.Vetoes = append(v.Vetoes, Reason{Text: text, Evidence: ids})
	}
	f.vetoData(veto)
	if f.downtrend() {
		veto(vetoed, "a downtrend: no short puts", f.present([]string{"trend.sma200_distance", "trend.sma50_slope", "trend.structure"})...)
	}
	if f.illiquid() {
		veto(vetoed, "the option chain is too illiquid to sell", f.present([]string{"options.spread", "options.open_interest"})...)
	}
	f.vetoCandidates(candidates, veto)

	f.limit = limit
	v.Score = math.Round(10*min(50+50*mean, limit)) / 10
	v.Decision = decisionOf(v.Score)
	return v
}

func decisionOf(score float64) Decision {
	switch {
	case score >= selectFrom:
		return DecisionSelect
	case score <= rejectTo:
		return DecisionReject
	}
	return DecisionNeutral
}

func leadingEvidence(view View) []string {
	ids := []string{}
	for _, r := range view.Reasons[:min(3, len(view.Reasons))] {
		for _, id := range r.Evidence {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func (f *findings) vetoData(veto func(most float64, text string, ids ...string)) {
	switch bars := f.value("data.bars"); {
	case !f.known("data.bars"):
		veto(refused, "no daily bars to judge the price by", "data.bars")
	case bars < fewestBars:
		veto(refused, "too little history: "+f.text("data.bars"), "data.bars")
	case bars < goodBars:
		veto(vetoed, "little history: "+f.text("data.bars"), "data.bars")
	}
	if f.value("data.last_bar") > 3 {
		veto(vetoed, "the bars are old: "+f.text("data.last_bar"), "data.last_bar")
	}
	if f.value("quote.halted") > 0 {
		veto(refused, "trading is halted", "quote.halted")
	}
}

// vetoCandidates says why there is nothing to sell.
func (f *findings) vetoCandidates(candidates []Candidate, veto func(most float64, text string, ids ...string)) {
	allowed := slices.ContainsFunc(candidates, func(c Candidate) bool { return len(c.Vetoes) == 0 })
	switch {
	case allowed:
	case !f.known("options.spot"):
		veto(vetoed, "no option quotes: nothing to sell can be judged", "options.spot")
	case len(f.contracts) == 0:
		veto(vetoed, "no expiration with quotes within the days that the rules ask for", "options.spot")
	case len(candidates) == 0:
		veto(vetoed, "no contract with the delta, the spread and the open interest that the rules ask for",
			f.present([]string{"options.spot", "options.spread", "options.open_interest"})...)
	case slices.ContainsFunc(candidates, func(c Candidate) bool {
		return slices.ContainsFunc(c.Vetoes, func(r Reason) bool { return slices.Contains(r.Evidence, "events.earnings") })
	}):
		veto(vetoed, "earnings before every expiration considered: "+f.text("events.earnings"), "events.earnings")
	}
}

// downtrend is when price, its average and its swings all point down.
func (f *findings) downtrend() bool {
	return f.value("trend.sma200_distance") < 0 && f.value("trend.sma50_slope") < 0 && !(f.value("trend.structure") > 0)
}

// illiquid is when what would be paid to get out eats the premium.
func (f *findings) illiquid() bool {
	return f.value("options.spread") > 0.25 || f.value("options.open_interest") < 100
}
