package backtest

import (
	"math"
	"slices"
)

// backtraderDefinitions are the analyzers of backtrader with their default
// settings, by its definitions.
func backtraderDefinitions() []definition {
	def := func(name, title string, unit Unit, better int, meaning string, of func(*sample) float64) definition {
		return definition{MetricDefinition{"backtrader." + name, title, unit, better, meaning}, of}
	}
	out := []definition{
		def("rtot", "Returns rtot", UnitRatio, 1, "log of final worth over that at the start", (*sample).btTotal),
		def("ravg", "Returns ravg", UnitRatio, 1, "rtot over the number of periods (days, or weeks, months, years of such bars)", (*sample).btAverage),
		def("rnorm", "Returns rnorm", UnitYear, 1, "e^(ravg·p) - 1, with p = 252, 52, 12 or 1 periods a year", (*sample).btNormal),
		def("rnorm100", "Returns rnorm100", UnitPercent, 1, "rnorm in percent", func(s *sample) float64 { return s.btNormal() * 100 }),
		def("sharpe_ratio", "SharpeRatio", UnitRatio, 1, "mean of the returns of calendar years less 1 %, over their deviation (n below the line)", func(s *sample) float64 {
			var years []float64
			for _, y := range s.annual {
				years = append(years, y.change-0.01)
			}
			return mean(years) / orNaN(deviation(years, 0))
		}),
		def("sharpe_ratio_a", "SharpeRatio_A, days", UnitRatio, 1, "of the returns of days, the first from the start, less 1.01^(1/252) - 1: mean over deviation (n below the line), times √252", func(s *sample) float64 {
			days := s.btReturns()
			rate := math.Pow(1.01, 1/s.perYear) - 1
			return math.Sqrt(s.perYear) * (mean(days) - rate) / orNaN(deviation(days, 0))
		}),
		def("sharpe_ratio_days", "SharpeRatio_A, days, riskfreerate 0", UnitRatio, 1, "the same without a risk-free rate", func(s *sample) float64 {
			days := s.btReturns()
			return math.Sqrt(s.perYear) * mean(days) / orNaN(deviation(days, 0))
		}),
		def("calmar", "Calmar", UnitRatio, 1, "log of the worth at the end over that 36 months before (or the start), over the number of months' ends kept (36), over the largest drawdown in percent at the ends of months; the last value of the series. NaN before 36 months have passed", (*sample).btCalmar),
		def("drawdown_pct", "DrawDown drawdown", UnitPercent, -1, "loss from the peak at the end, positive", func(s *sample) float64 {
			return s.drawdowns.depth[len(s.drawdowns.depth)-1] * 100
		}),
		def("moneydown", "DrawDown moneydown", UnitMoney, -1, "that loss in money", func(s *sample) float64 {
			peak := slices.Max(s.Equity)
			return peak - s.final()
		}),
		def("drawdown_len", "DrawDown len", UnitBars, -1, "bars since the peak", func(s *sample) float64 {
			n := 0
			for i := len(s.drawdowns.depth) - 1; i >= 0 && s.drawdowns.depth[i] != 0; i-- {
				n++
			}
			return float64(n)
		}),
		def("max_drawdown_pct", "DrawDown max.drawdown", UnitPercent, -1, "largest loss from a peak at the ends of bars, positive", func(s *sample) float64 { return s.drawdowns.max * 100 }),
		def("max_moneydown", "DrawDown max.moneydown", UnitMoney, -1, "largest loss from a peak in money", func(s *sample) float64 { return s.drawdowns.maxMoney }),
		def("max_drawdown_len", "DrawDown max.len", UnitBars, -1, "most bars in a row below a peak", func(s *sample) float64 { return float64(s.drawdowns.maxBars) }),
		def("time_drawdown_pct", "TimeDrawDown maxdrawdown", UnitPercent, -1, "largest loss from a peak at the ends of days (weeks, months, years of such bars)", func(s *sample) float64 { return drawdownsOf(s.resampled).max * 100 }),
		def("time_drawdown_period", "TimeDrawDown maxdrawdownperiod", UnitCount, -1, "most such ends in a row below a peak", func(s *sample) float64 { return float64(drawdownsOf(s.resampled).maxBars) }),
		def("gross_leverage", "GrossLeverage, mean", UnitRatio, 0, "mean over the bars of the positions' worth, each positive, over that of the account", func(s *sample) float64 {
			return mean(s.leverage())
		}),
		def("gross_leverage_max", "GrossLeverage, largest", UnitRatio, 0, "the largest of them", func(s *sample) float64 {
			l := without(s.leverage())
			if len(l) == 0 {
				return math.NaN()
			}
			return slices.Max(l)
		}),
		def("log_return", "LogReturnsRolling, last", UnitRatio, 1, "log return of the last bar", func(s *sample) float64 {
			if len(s.Equity) < 2 {
				return math.NaN()
			}
			return math.Log(s.final() / s.Equity[len(s.Equity)-2])
		}),
		def("positions_value", "PositionsValue, last", UnitMoney, 0, "worth of all positions at the end, each positive", func(s *sample) float64 {
			if s.Exposure == nil {
				return math.NaN()
			}
			return s.Exposure[len(s.Exposure)-1]
		}),
		def("transactions", "Transactions", UnitCount, 0, "executions", func(s *sample) float64 {
			if s.opts.Activity.Fills < 0 {
				return math.NaN()
			}
			return float64(s.opts.Activity.Fills)
		}),
		def("sqn", "SQN", UnitRatio, 1, "√n · mean of the closed trades' net profits / their deviation (n below the line); 0 for fewer than two", func(s *sample) float64 {
			p := s.profits()
			if len(p) < 2 {
				return 0
			}
			return math.Sqrt(float64(len(p))) * mean(p) / orNaN(deviation(p, 0))
		}),
		def("vwr", "VWR", UnitPercent, 1, "variability-weighted return: rnorm100·(1 - (σ/2)^0.2), σ the deviation (n-1 below the line) of each period's worth over its beginning's worth·e^(ravg·k), k the period's number, less 1", (*sample).btVariability),
	}
	for _, p := range []struct {
		name, meaning string
		of            func([]float64) float64
	}{
		{"average", "mean of the returns of calendar years", mean},
		{"stddev", "their deviation (n below the line)", func(x []float64) float64 { return deviation(x, 0) }},
		{"positive", "years with a gain", func(x []float64) float64 { return count(x, func(v float64) bool { return v > 0 }) }},
		{"negative", "years with a loss", func(x []float64) float64 { return count(x, func(v float64) bool { return v < 0 }) }},
		{"nochange", "years with neither", func(x []float64) float64 { return count(x, func(v float64) bool { return v == 0 }) }},
		{"best", "the best year's return", func(x []float64) float64 { return slices.Max(x) }},
		{"worst", "the worst year's return", func(x []float64) float64 { return slices.Min(x) }},
	} {
		unit := UnitRatio
		if p.name == "positive" || p.name == "negative" || p.name == "nochange" {
			unit = UnitCount
		}
		out = append(out, def("period."+p.name, "PeriodStats "+p.name, unit, 0, p.meaning, func(s *sample) float64 {
			var years []float64
			for _, y := range s.annual {
				years = append(years, y.change)
			}
			return p.of(years)
		}))
	}
	return append(out, tradeAnalysis(def)...)
}

// tradeAnalysis is backtrader's TradeAnalyzer, flattened.
func tradeAnalysis(def func(name, title string, unit Unit, better int, meaning string, of func(*sample) float64) definition) []definition {
	var out []definition
	add := func(name string, unit Unit, better int, meaning string, of func(*sample) float64) {
		out = append(out, def("trade."+name, "TradeAnalyzer "+name, unit, better, meaning, of))
	}
	add("total", UnitCount, 0, "trades, open ones too", func(s *sample) float64 { return float64(len(s.trades) + len(s.onTop)) })
	add("open", UnitCount, 0, "trades open at the end", func(s *sample) float64 { return float64(len(s.onTop)) })
	add("closed", UnitCount, 0, "trades closed", func(s *sample) float64 { return float64(len(s.trades)) })
	add("won", UnitCount, 1, "closed trades with a net profit of 0 or more", func(s *sample) float64 {
		return count(s.profits(), func(v float64) bool { return v >= 0 })
	})
	add("lost", UnitCount, -1, "closed trades with a net loss", func(s *sample) float64 {
		return count(s.profits(), func(v float64) bool { return v < 0 })
	})
	add("streak.won.longest", UnitCount, 1, "most trades in a row that won", func(s *sample) float64 { return longestRun(s.profits(), func(v float64) bool { return v >= 0 }) })
	add("streak.lost.longest", UnitCount, -1, "most trades in a row that lost", func(s *sample) float64 { return longestRun(s.profits(), func(v float64) bool { return v < 0 }) })
	add("pnl.gross.total", UnitMoney, 1, "profits of closed trades before costs", func(s *sample) float64 {
		var sum float64
		for _, t := range s.trades {
			sum += t.profit + t.fees
		}
		return sum
	})
	add("pnl.net.total", UnitMoney, 1, "profits of closed trades after costs", func(s *sample) float64 { return total(s.profits()) })
	add("pnl.net.average", UnitMoney, 1, "their mean", func(s *sample) float64 { return mean(s.profits()) })
	for _, side := range []struct {
		name, what string
		keep       func(float64) bool
		most       func(...float64) float64
	}{
		{"won", "trades that won", func(v float64) bool { return v >= 0 }, func(x ...float64) float64 { return slices.Max(x) }},
		{"lost", "trades that lost", func(v float64) bool { return v < 0 }, func(x ...float64) float64 { return slices.Min(x) }},
	} {
		pick := func(s *sample) []float64 {
			return slices.DeleteFunc(s.profits(), func(v float64) bool { return !side.keep(v) })
		}
		add(side.name+".pnl.total", UnitMoney, 1, "net profit of "+side.what, func(s *sample) float64 { return total(pick(s)) })
		add(side.name+".pnl.average", UnitMoney, 1, "mean net profit of "+side.what, func(s *sample) float64 { return mean(pick(s)) })
		add(side.name+".pnl.max", UnitMoney, 1, "the most extreme of them", func(s *sample) float64 {
			if p := pick(s); len(p) > 0 {
				return side.most(p...)
			}
			return math.NaN()
		})
	}
	for _, side := range []struct {
		name string
		sign float64
	}{{"long", 1}, {"short", -1}} {
		pick := func(s *sample) []float64 {
			var out []float64
			for _, t := range s.trades {
				if t.size*side.sign > 0 {
					out = append(out, t.profit)
				}
			}
			return out
		}
		add(side.name+".total", UnitCount, 0, side.name+" trades closed", func(s *sample) float64 { return float64(len(pick(s))) })
		add(side.name+".won", UnitCount, 1, side.name+" trades with a net profit of 0 or more", func(s *sample) float64 {
			return count(pick(s), func(v float64) bool { return v >= 0 })
		})
		add(side.name+".pnl.total", UnitMoney, 1, "net profit of "+side.name+" trades", func(s *sample) float64 { return total(pick(s)) })
		add(side.name+".pnl.average", UnitMoney, 1, "mean net profit of "+side.name+" trades", func(s *sample) float64 { return mean(pick(s)) })
	}
	lengths := func(s *sample) []float64 {
		out := make([]float64, len(s.trades))
		for i, t := range s.trades {
			out[i] = float64(t.to - t.from)
		}
		return out
	}
	add("len.total", UnitBars, 0, "bars for which closed trades were open, summed", func(s *sample) float64 { return total(lengths(s)) })
	add("len.average", UnitBars, 0, "their mean", func(s *sample) float64 { return mean(lengths(s)) })
	add("len.max", UnitBars, 0, "the longest", func(s *sample) float64 {
		if l := lengths(s); len(l) > 0 {
			return slices.Max(l)
		}
		return math.NaN()
	})
	add("len.min", UnitBars, 0, "the shortest", func(s *sample) float64 {
		if l := lengths(s); len(l) > 0 {
			return slices.Min(l)
		}
		return math.NaN()
	})
	return out
}

func (s *sample) btTotal() float64   { return math.Log(s.final() / s.start) }
func (s *sample) btAverage() float64 { return s.btTotal() / float64(len(s.resampled)) }
func (s *sample) btNormal() float64  { return math.Expm1(s.btAverage() * s.perYear) }

// btReturns are the returns of periods, the first from the start.
func (s *sample) btReturns() []float64 {
	return append([]float64{s.resampled[0]/s.start - 1}, s.returns...)
}

func (s *sample) btVariability() float64 {
	average, before := s.btAverage(), s.start
	off := make([]float64, len(s.resampled))
	for i, v := range s.resampled {
		off[i] = v/(before*math.Exp(average*float64(i+1))) - 1
		before = v
	}
	return s.btNormal() * 100 * (1 - math.Pow(deviation(off, 1)/2, 0.2))
}

func (s *sample) btCalmar() float64 {
	const months = 36
	values := []float64{s.start}
	for i, t := range s.clock {
		if i+1 < len(s.clock) && s.clock[i+1].Month() == t.Month() && s.clock[i+1].Year() == t.Year() {
			continue
		}
		values = append(values, s.Equity[i])
	}
	if len(values) < months {
		return math.NaN()
	}
	worst := drawdownsOf(values[1:]).max * 100
	values = values[len(values)-months:]
	return math.Log(values[months-1]/values[0]) / months / orNaN(worst)
}

func (s *sample) leverage() []float64 {
	if s.Exposure == nil {
		return nil
	}
	out := make([]float64, len(s.Equity))
	for i, v := range s.Equity {
		out[i] = s.Exposure[i] / v
	}
	return out
}

func total(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum
}

func count(x []float64, keep func(float64) bool) float64 {
	n := 0
	for _, v := range x {
		if keep(v) {
			n++
		}
	}
	return float64(n)
}

func longestRun(x []float64, keep func(float64) bool) float64 {
	run, longest := 0, 0
	for _, v := range x {
		if run++; !keep(v) {
			run = 0
		}
		longest = max(longest, run)
	}
	return float64(longest)
}
