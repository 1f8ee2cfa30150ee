package backtest

import (
	"math"
	"slices"
)

// ownDefinitions are metrics that the other lists lack. Returns are those of days
// (weeks, months, years of such bars) from the second one on.
func ownDefinitions() []definition {
	def := func(name, title string, unit Unit, better int, meaning string, of func(*sample) float64) definition {
		return definition{MetricDefinition{name, title, unit, better, meaning}, of}
	}
	return []definition{
		def("sharpe_simple", "Sharpe, arithmetic", UnitRatio, 1, "(mean return - rate/p) / deviation · √p, with p periods a year", func(s *sample) float64 {
			return Sharpe(without(s.returns), s.opts.Rate/s.perYear) * math.Sqrt(s.perYear)
		}),
		def("probabilistic_sharpe", "Probabilistic Sharpe", UnitRatio, 1, "probability that the true Sharpe ratio is above 0 (Bailey and López de Prado 2012)", func(s *sample) float64 {
			return SampleSharpe(without(s.returns)).Probabilistic(0)
		}),
		def("deflated_sharpe", "Deflated Sharpe", UnitRatio, 1, "the same for the best of as many trials as were made: above the best that trials without skill would show (Bailey and López de Prado 2014)", func(s *sample) float64 {
			return SampleSharpe(without(s.returns)).Deflated(max(s.opts.Trials, 1), s.opts.TrialDeviation)
		}),
		def("min_track_record", "Minimum Track Record", UnitCount, -1, "how many returns are needed to say with 95 % confidence that the Sharpe ratio is above 0", func(s *sample) float64 {
			return SampleSharpe(without(s.returns)).MinTrackRecord(0, 0.95)
		}),
		def("skewness", "Skewness", UnitRatio, 1, "third standardised moment of returns", func(s *sample) float64 { return Skewness(without(s.returns)) }),
		def("kurtosis", "Kurtosis", UnitRatio, -1, "fourth standardised moment of returns; 3 for the normal distribution", func(s *sample) float64 { return Kurtosis(without(s.returns)) }),
		def("omega", "Omega", UnitRatio, 1, "sum of returns above 0 over the sum of those below", func(s *sample) float64 {
			var up, down float64
			for _, r := range without(s.returns) {
				up, down = up+max(r, 0), down-min(r, 0)
			}
			return up / orNaN(down)
		}),
		def("ulcer_index", "Ulcer Index", UnitPercent, -1, "root of the mean square of the drawdowns at the ends of bars (Martin 1987)", func(s *sample) float64 {
			var sum float64
			for _, d := range s.drawdowns.depth {
				sum += d * d
			}
			return math.Sqrt(sum/float64(len(s.drawdowns.depth))) * 100
		}),
		def("tail_ratio", "Tail Ratio", UnitRatio, 1, "95th percentile of returns over the 5th, both positive", func(s *sample) float64 {
			r := sorted(s.returns)
			return quantile(r, 0.95) / orNaN(math.Abs(quantile(r, 0.05)))
		}),
		def("historical_var_95", "Historical VaR 95", UnitRatio, 1, "5th percentile of returns", func(s *sample) float64 { return quantile(sorted(s.returns), 0.05) }),
		def("historical_cvar_95", "Historical CVaR 95", UnitRatio, 1, "mean of the returns at or below it", func(s *sample) float64 {
			r := sorted(s.returns)
			limit := quantile(r, 0.05)
			return mean(slices.DeleteFunc(r, func(v float64) bool { return !(v <= limit) }))
		}),
		def("recovery_factor", "Recovery Factor", UnitRatio, 1, "profit over the largest drawdown, both in money", func(s *sample) float64 {
			return (s.final() - s.start) / orNaN(s.drawdowns.maxMoney)
		}),
		def("payoff_ratio", "Payoff Ratio", UnitRatio, 1, "mean profit of winning trades over mean loss of losing ones", func(s *sample) float64 {
			won, lost := s.sides()
			return mean(won) / -mean(lost)
		}),
		def("exposure_mean_pct", "Exposure, mean [%]", UnitPercent, 0, "mean of the positions' worth, each positive, over that of the account", func(s *sample) float64 { return mean(without(s.leverage())) * 100 }),
	}
}

func sorted(x []float64) []float64 {
	out := slices.Clone(without(x))
	slices.Sort(out)
	return out
}
