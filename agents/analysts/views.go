package analysts

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/ttai-go/ttai/market"
)

// A rule reads one or more pieces of evidence. The first id must be known for
// it to count; signal is from -1 to +1, 0 without an opinion.
type rule struct {
	weight float64
	ids    []string
	judge  func(f *findings) (signal float64, text string)
	// applies is whether the symbol could have the evidence at all; nil means yes.
	applies func(f *findings) bool
}

// enough is the share of a view's weight that must have evidence for a stance.
const enough = 0.4

// lightest is the weight below which a reason is not worth its line.
const lightest = 0.005

// leaning is the size of a score from which a view takes a side.
const leaning = 0.2

// look lets rules form a view. Its score is the mean of their signals, weighted
// by the rules that have evidence.
func (f *findings) look(name string, rules []rule, positive, negative Stance) View {
	view := View{Name: name, Stance: NoStance, Score: market.Float(math.NaN()), Reasons: []Reason{}}
	var total, heard, sum float64
	for _, r := range rules {
		if r.applies != nil && !r.applies(f) {
			continue
		}
		total += r.weight
		if !f.known(r.ids[0]) {
			continue
		}
		signal, text := r.judge(f)
		heard += r.weight
		sum += r.weight * clamp(signal)
		view.Reasons = append(view.Reasons, Reason{Text: text, Weight: r.weight * clamp(signal), Evidence: f.present(r.ids)})
	}
	if heard < enough*total {
		view.Absent = fmt.Sprintf("evidence for %.0f%% of its rules, needs %.0f%%", 100*heard/total, 100*enough)
		view.Reasons = []Reason{}
		return view
	}
	for i := range view.Reasons {
		view.Reasons[i].Weight = round3(view.Reasons[i].Weight / heard)
	}
	view.Reasons = slices.DeleteFunc(view.Reasons, func(r Reason) bool { return math.Abs(r.Weight) < lightest })
	slices.SortStableFunc(view.Reasons, func(a, b Reason) int { return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight)) })
	score := round3(sum / heard)
	view.Score = market.Float(score)
	switch {
	case score >= leaning:
		view.Stance = positive
	case score <= -leaning:
		view.Stance = negative
	default:
		view.Stance = Neutral
	}
	return view
}

func (f *findings) present(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !f.known(id) })
}

// says returns "Name: text" of a piece of evidence.
func (f *findings) says(id string) string { return f.definition(id).name + ": " + f.text(id) }

// linear is a rule whose signal grows with its evidence: -1 and +1 at zero ∓
// scale, a negative scale turning it round.
func linear(weight float64, id string, zero, scale float64) rule {
	return rule{weight: weight, ids: []string{id}, judge: func(f *findings) (float64, string) { return (f.value(id) - zero) / scale, f.says(id) }}
}

// hygiene makes a good signal count little: what every symbol should have is no
// reason to choose this one, and its lack is one against it.
func hygiene(signal float64) float64 { return min(signal, 0.3) }

func (f *findings) isCompany() bool {
	return !f.in.instrument.value.ETF && !f.in.instrument.value.Index
}

func clamp(x float64) float64 { return min(max(x, -1), 1) }

// round3 keeps scores and weights short; they are opinions, not measurements.
func round3(x float64) float64 { return math.Round(x*1000) / 1000 }

// chartView judges the direction of price.
func (f *findings) chartView() View {
	return f.look(ViewChart, []rule{
		linear(2, "trend.sma200_distance", 0, 0.10),
		linear(1, "trend.sma50_distance", 0, 0.05),
		linear(1.5, "trend.sma50_slope", 0, 0.03),
		linear(1.5, "trend.structure", 0, 1),
		{weight: 1, ids: []string{"trend.di_difference", "trend.adx"}, judge: func(f *findings) (float64, string) {
			side := "upward movement dominates"
			if f.value("trend.di_difference") < 0 {
				side = "downward movement dominates"
			}
			signal := math.Copysign(clamp((f.value("trend.adx")-15)/20), f.value("trend.di_difference"))
			if !(f.value("trend.adx") > 15) {
				signal = 0
			}
			return signal, fmt.Sprintf("%s: %s; %s", f.definition("trend.adx").name, f.text("trend.adx"), side)
		}},
		{weight: 1, ids: []string{"momentum.rsi"}, judge: func(f *findings) (float64, string) {
			switch x := f.value("momentum.rsi"); {
			case x >= 75: // stretched: a pullback is as likely as more
				return -0.3, f.says("momentum.rsi")
			case x <= 25:
				return 0.3, f.says("momentum.rsi")
			default:
				return (x - 50) / 20, f.says("momentum.rsi")
			}
		}},
		linear(0.75, "momentum.macd_histogram", 0, 0.3),
		linear(0.75, "momentum.roc63", 0, 0.15),
		linear(0.75, "momentum.roc252", 0, 0.30),
		{weight: 0.75, ids: []string{"levels.support.1", "levels.resistance.1", "volatility.atr"}, judge: func(f *findings) (float64, string) {
			return f.room()
		}},
		{weight: 0.5, ids: []string{"volatility.percent_b"}, judge: func(f *findings) (float64, string) {
			switch x := f.value("volatility.percent_b"); {
			case x > 1:
				return -0.6, f.says("volatility.percent_b")
			case x < 0:
				return -0.3, f.says("volatility.percent_b")
			}
			return 0, f.says("volatility.percent_b")
		}},
	}, Bullish, Bearish)
}

// room compares the way down to the nearest support with the way up to the
// nearest resistance.
func (f *findings) room() (float64, string) {
	last, atr := f.value("trend.close"), f.value("volatility.atr")
	down := (last - f.value("levels.support.1")) / atr
	if !f.known("levels.resistance.1") {
		return 0.5, fmt.Sprintf("support %.1f ATR below, no resistance above", down)
	}
	up := (f.value("levels.resistance.1") - last) / atr
	return (up - down) / 2, fmt.Sprintf("support %.1f ATR below, resistance %.1f ATR above", down, up)
}

// optionsView judges whether options are worth selling and can be traded.
func (f *findings) optionsView() View {
	return f.look(ViewOptions, []rule{
		linear(2, "options.iv_rank", 0.35, 0.35),
		linear(1, "options.iv_percentile", 0.4, 0.4),
		linear(2.5, "options.iv_hv", 1.05, 0.3),
		{weight: 1, ids: []string{"options.term_slope"}, judge: func(f *findings) (float64, string) {
			x := f.value("options.term_slope")
			return clamp(x/0.1+0.2) * 0.8, f.says("options.term_slope")
		}},
		{weight: 2, ids: []string{"options.spread"}, judge: func(f *findings) (float64, string) {
			return hygiene((0.08 - f.value("options.spread")) / 0.07), f.says("options.spread")
		}},
		{weight: 1, ids: []string{"options.open_interest"}, judge: func(f *findings) (float64, string) {
			return hygiene(math.Log10(max(f.value("options.open_interest"), 1)/500) / 1.5), f.says("options.open_interest")
		}},
		{weight: 0.5, ids: []string{"options.volume"}, judge: func(f *findings) (float64, string) {
			return hygiene(math.Log10(max(f.value("options.volume"), 1)/100) / 1.5), f.says("options.volume")
		}},
	}, Favourable, Unfavourable)
}

// researchView judges what lies around the price: dates, the market, the
// company and what is held already.
func (f *findings) researchView() View {
	return f.look(ViewResearch, []rule{
		{weight: 2, ids: []string{"events.earnings"}, applies: (*findings).isCompany, judge: func(f *findings) (float64, string) {
			switch days := f.value("events.earnings"); {
			case days <= 10:
				return -1, f.says("events.earnings") + ", too near"
			case days <= float64(f.rules.MaxDays):
				return -0.3, f.says("events.earnings") + ", before the last expirations considered"
			default:
				return 0.6, f.says("events.earnings") + ", after the expirations considered"
			}
		}},
		unlessBenchmark(linear(1.5, "market.trend", 0, 0.08)),
		unlessBenchmark(linear(0.75, "market.roc21", 0, 0.06)),
		{weight: 1, ids: []string{"portfolio.share"}, judge: func(f *findings) (float64, string) {
			x := f.value("portfolio.share")
			if x <= 0.1 {
				return 0.3, f.says("portfolio.share")
			}
			return (0.15 - x) / 0.1, f.says("portfolio.share")
		}},
		{weight: 0.5, ids: []string{"fundamentals.beta"}, judge: func(f *findings) (float64, string) {
			return hygiene(1.5 - math.Abs(f.value("fundamentals.beta"))), f.says("fundamentals.beta")
		}},
		{weight: 0.5, ids: []string{"fundamentals.liquidity"}, judge: func(f *findings) (float64, string) {
			return hygiene((f.value("fundamentals.liquidity") - 2.5) / 2), f.says("fundamentals.liquidity")
		}},
		{weight: 0.5, ids: []string{"fundamentals.pe"}, applies: (*findings).isCompany, judge: func(f *findings) (float64, string) {
			switch x := f.value("fundamentals.pe"); {
			case x <= 0:
				return -0.7, f.says("fundamentals.pe") + ", it earns nothing"
			case x > 60:
				return -0.4, f.says("fundamentals.pe")
			default:
				return 0.3, f.says("fundamentals.pe")
			}
		}},
	}, Favourable, Unfavourable)
}

// unlessBenchmark is r for symbols other than the benchmark, whose own trend the
// chart view judges.
func unlessBenchmark(r rule) rule {
	r.applies = func(f *findings) bool { return f.in.benchmark.absent != isBenchmark }
	return r
}
