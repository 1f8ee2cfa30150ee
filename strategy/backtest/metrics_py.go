package backtest

import (
	"math"
	"slices"
	"time"
)

// pyDefinitions are the statistics of backtesting.py, by its definitions.
func pyDefinitions() []definition {
	def := func(name, title string, unit Unit, better int, meaning string, of func(*sample) float64) definition {
		return definition{MetricDefinition{name, title, unit, better, meaning}, of}
	}
	return []definition{
		def("duration_days", "Duration", UnitDays, 0, "time from the first bar to the last", func(s *sample) float64 {
			return s.duration().Hours() / 24
		}),
		def("exposure_time_pct", "Exposure Time [%]", UnitPercent, 0, "share of bars in which a trade was open, its first and last bar counted", (*sample).exposureTime),
		def("equity_final", "Equity Final [$]", UnitMoney, 1, "worth of the account at the end", func(s *sample) float64 { return s.final() }),
		def("equity_peak", "Equity Peak [$]", UnitMoney, 1, "its largest worth at the end of a bar", func(s *sample) float64 {
			peak := math.Inf(-1)
			for _, v := range s.Equity {
				peak = max(peak, v)
			}
			return peak
		}),
		def("commissions", "Commissions [$]", UnitMoney, -1, "what the trades cost to enter and to leave", func(s *sample) float64 {
			var sum float64
			for _, t := range s.trades {
				sum += t.fees
			}
			return sum
		}),
		def("return_pct", "Return [%]", UnitPercent, 1, "final equity less that at the start, relative to it", func(s *sample) float64 { return s.gain() * 100 }),
		def("buy_hold_return_pct", "Buy & Hold Return [%]", UnitPercent, 0, "change of the benchmark's close from the first bar after the warm-up to the last", func(s *sample) float64 { return s.held() * 100 }),
		def("return_ann_pct", "Return (Ann.) [%]", UnitPercent, 1, "(1+g)^p - 1 for the geometric mean g of daily returns and p = 252 days a year, 365 with trading on weekends (52 weeks, 12 months of such bars)", func(s *sample) float64 { return s.annualReturn() * 100 }),
		def("volatility_ann_pct", "Volatility (Ann.) [%]", UnitPercent, -1, "√((v + (1+g)²)^p - (1+g)^2p) for the variance v of daily returns, n-1 below the line: the deviation of a year's compounded return", func(s *sample) float64 { return s.annualDeviation() * 100 }),
		def("cagr_pct", "CAGR [%]", UnitPercent, 1, "(final equity / start)^(1/y) - 1, with y the calendar days from first to last bar over 365.25", func(s *sample) float64 {
			years := s.duration().Hours() / 24 / 365.25
			if years == 0 {
				return math.NaN()
			}
			return (math.Pow(s.final()/s.Equity[0], 1/years) - 1) * 100
		}),
		def("sharpe_ratio", "Sharpe Ratio", UnitRatio, 1, "annual return less the risk-free rate, over annual volatility (both as above)", func(s *sample) float64 {
			return (s.annualReturn() - s.opts.Rate) / orNaN(s.annualDeviation())
		}),
		def("sortino_ratio", "Sortino Ratio", UnitRatio, 1, "annual return less the risk-free rate, over √(mean of squared negative daily returns · p)", func(s *sample) float64 {
			known := without(s.returns)
			var sum float64
			for _, r := range known {
				if r < 0 {
					sum += r * r
				}
			}
			return (s.annualReturn() - s.opts.Rate) / (math.Sqrt(sum/float64(len(known))) * math.Sqrt(s.perYear))
		}),
		def("calmar_ratio", "Calmar Ratio", UnitRatio, 1, "annual return over the largest drawdown", func(s *sample) float64 {
			return s.annualReturn() / orNaN(s.drawdowns.max)
		}),
		def("alpha_pct", "Alpha [%]", UnitPercent, 1, "Jensen's alpha over the whole span: return - rate - beta·(buy & hold return - rate)", func(s *sample) float64 {
			return (s.gain() - s.opts.Rate - s.beta()*(s.held()-s.opts.Rate)) * 100
		}),
		def("beta", "Beta", UnitRatio, 0, "covariance of the log returns of equity and benchmark, bar by bar, over the benchmark's variance", (*sample).beta),
		def("max_drawdown_pct", "Max. Drawdown [%]", UnitPercent, 1, "the largest loss from a peak of equity at the ends of bars, negative", func(s *sample) float64 { return -s.drawdowns.max * 100 }),
		def("avg_drawdown_pct", "Avg. Drawdown [%]", UnitPercent, 1, "mean over all drawdowns of their largest loss, negative; what recovers at the next bar is none", func(s *sample) float64 {
			var sum float64
			for _, d := range s.drawdowns.list {
				sum += d.depth
			}
			return -sum / float64(len(s.drawdowns.list)) * 100
		}),
		def("max_drawdown_days", "Max. Drawdown Duration", UnitDays, -1, "the longest time from a peak to its recovery, or to the end", func(s *sample) float64 {
			longest := math.NaN()
			for _, d := range s.drawdowns.list {
				if days := s.span(s.clock[d.to].Sub(s.clock[d.from])); !(days <= longest) {
					longest = days
				}
			}
			return longest
		}),
		def("avg_drawdown_days", "Avg. Drawdown Duration", UnitDays, -1, "the mean of those times, rounded up to the unit of the bars", func(s *sample) float64 {
			var sum time.Duration
			for _, d := range s.drawdowns.list {
				sum += s.clock[d.to].Sub(s.clock[d.from])
			}
			return s.meanSpan(sum, len(s.drawdowns.list))
		}),
		def("trades", "# Trades", UnitCount, 0, "trades that were closed, at the end at the latest", func(s *sample) float64 { return float64(len(s.trades)) }),
		def("win_rate_pct", "Win Rate [%]", UnitPercent, 1, "share of trades that earned something after costs", func(s *sample) float64 { return s.winRate() * 100 }),
		def("best_trade_pct", "Best Trade [%]", UnitPercent, 1, "the largest return of a trade", func(s *sample) float64 { return s.extreme(1) * 100 }),
		def("worst_trade_pct", "Worst Trade [%]", UnitPercent, 1, "the smallest return of a trade", func(s *sample) float64 { return s.extreme(-1) * 100 }),
		def("avg_trade_pct", "Avg. Trade [%]", UnitPercent, 1, "geometric mean of the returns of trades; 0 when one lost everything", func(s *sample) float64 {
			return geometricMean(s.tradeReturns(), len(s.trades)) * 100
		}),
		def("max_trade_days", "Max. Trade Duration", UnitDays, 0, "the longest time from entry to exit", func(s *sample) float64 {
			longest := math.NaN()
			for _, t := range s.trades {
				if days := s.span(s.wall(t.exit).Sub(s.wall(t.entry))); !(days <= longest) {
					longest = days
				}
			}
			return longest
		}),
		def("avg_trade_days", "Avg. Trade Duration", UnitDays, 0, "the mean of those times, rounded up to the unit of the bars", func(s *sample) float64 {
			var sum time.Duration
			for _, t := range s.trades {
				sum += s.wall(t.exit).Sub(s.wall(t.entry))
			}
			return s.meanSpan(sum, len(s.trades))
		}),
		def("profit_factor", "Profit Factor", UnitRatio, 1, "sum of positive returns of trades over the sum of negative ones", func(s *sample) float64 {
			var won, lost float64
			for _, r := range s.tradeReturns() {
				won, lost = won+max(r, 0), lost-min(r, 0)
			}
			return won / orNaN(lost)
		}),
		def("expectancy_pct", "Expectancy [%]", UnitPercent, 1, "mean return of trades", func(s *sample) float64 { return mean(s.tradeReturns()) * 100 }),
		def("sqn", "SQN", UnitRatio, 1, "system quality number (Tharp): √n · mean of the trades' profits / their deviation, n-1 below the line", func(s *sample) float64 {
			profits := s.profits()
			return math.Sqrt(float64(len(profits))) * mean(profits) / orNaN(deviation(profits, 1))
		}),
		def("kelly_criterion", "Kelly Criterion", UnitRatio, 1, "w - (1-w) / (mean profit of winning trades / mean loss of losing ones), with w the share that won", func(s *sample) float64 {
			w := s.winRate()
			won, lost := s.sides()
			return w - (1-w)/(mean(won)/-mean(lost))
		}),
	}
}

func (s *sample) duration() time.Duration { return s.clock[len(s.clock)-1].Sub(s.clock[0]) }
func (s *sample) final() float64          { return s.Equity[len(s.Equity)-1] }
func (s *sample) gain() float64           { return (s.final() - s.Equity[0]) / s.Equity[0] }

// held is the benchmark's return as a decimal.
func (s *sample) held() float64 {
	if s.Benchmark == nil {
		return math.NaN()
	}
	at := s.bought()
	from := s.Benchmark[at]
	return (s.Benchmark[len(s.Benchmark)-1] - from) / from
}

// bought is the first point at or after the warm-up at which the benchmark has a
// price.
func (s *Series) bought() int {
	for i := s.Warmup; i < len(s.Benchmark); i++ {
		if s.Benchmark[i] > 0 {
			return i
		}
	}
	return s.Warmup
}

func (s *sample) annualReturn() float64 {
	return math.Pow(1+s.periodMean(), s.perYear) - 1
}

func (s *sample) periodMean() float64 { return geometricMean(s.returns, len(s.returns)) }

func (s *sample) annualDeviation() float64 {
	g := 1 + s.periodMean()
	v := variance(without(s.returns), 1)
	return math.Sqrt(math.Pow(v+g*g, s.perYear) - math.Pow(g, 2*s.perYear))
}

func (s *sample) beta() float64 {
	if s.Benchmark == nil || len(s.Equity) < 3 {
		return math.NaN()
	}
	var x, y []float64
	mine, other := logReturns(s.Equity), logReturns(s.Benchmark)
	for i := range mine {
		if !math.IsNaN(mine[i]) && !math.IsNaN(other[i]) {
			x, y = append(x, mine[i]), append(y, other[i])
		}
	}
	return covariance(x, y) / variance(y, 1)
}

func logReturns(x []float64) []float64 {
	out := make([]float64, len(x)-1)
	for i := range out {
		out[i] = math.Log(x[i+1] / x[i])
	}
	return out
}

func (s *sample) exposureTime() float64 {
	// Ends of spans are counted instead of bars marked: trades may be many.
	change := make([]int, len(s.Times)+1)
	for _, t := range slices.Concat(s.trades, s.onTop) {
		from, to := max(t.from, 0), min(t.to, len(s.Times)-1)
		if from <= to {
			change[from]++
			change[to+1]--
		}
	}
	open, bars := 0, 0
	for _, c := range change[:len(s.Times)] {
		if open += c; open > 0 {
			bars++
		}
	}
	return float64(bars) / float64(len(s.Times)) * 100
}

func (s *sample) tradeReturns() []float64 {
	out := make([]float64, len(s.trades))
	for i, t := range s.trades {
		out[i] = t.gain
	}
	return out
}

func (s *sample) profits() []float64 {
	out := make([]float64, len(s.trades))
	for i, t := range s.trades {
		out[i] = t.profit
	}
	return out
}

// sides are the profits of the trades that won, and of those that lost.
func (s *sample) sides() (won, lost []float64) {
	for _, t := range s.trades {
		switch {
		case t.profit > 0:
			won = append(won, t.profit)
		case t.profit < 0:
			lost = append(lost, t.profit)
		}
	}
	return won, lost
}

func (s *sample) winRate() float64 {
	won, _ := s.sides()
	return float64(len(won)) / orNaN(float64(len(s.trades)))
}

// extreme is the largest return of a trade times sign.
func (s *sample) extreme(sign float64) float64 {
	best := math.NaN()
	for _, t := range s.trades {
		if !(t.gain*sign <= best*sign) {
			best = t.gain
		}
	}
	return best
}

func (s *sample) meanSpan(sum time.Duration, n int) float64 {
	if n == 0 {
		return math.NaN()
	}
	return s.span(sum / time.Duration(n))
}

// orNaN is x, or NaN in place of 0, by which nothing can be divided.
func orNaN(x float64) float64 {
	if x == 0 {
		return math.NaN()
	}
	return x
}
