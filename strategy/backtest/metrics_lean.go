package backtest

import "math"

// leanDefinitions are the statistics of LEAN, by its definitions but without its
// rounding, and NaN where LEAN writes 0 for what cannot be had. Returns are those of
// days (weeks, months, years of such bars), the first from the start; p is how many
// there are in a year, 252, 365, 52, 12 or 1.
func leanDefinitions() []definition {
	def := func(name, title string, unit Unit, better int, meaning string, of func(*sample) float64) definition {
		return definition{MetricDefinition{"lean." + name, title, unit, better, meaning}, of}
	}
	return []definition{
		def("total_orders", "Total Orders", UnitCount, 0, "orders that were placed", func(s *sample) float64 {
			if s.opts.Activity.Orders < 0 {
				return math.NaN()
			}
			return float64(s.opts.Activity.Orders)
		}),
		def("average_win", "Average Win", UnitRatio, 1, "mean over winning trades of profit over the start's worth and all profits before", func(s *sample) float64 {
			won, _ := s.leanRates()
			return mean(won)
		}),
		def("average_loss", "Average Loss", UnitRatio, 1, "the same of the others, negative", func(s *sample) float64 {
			_, lost := s.leanRates()
			return mean(lost)
		}),
		def("compounding_annual_return", "Compounding Annual Return", UnitYear, 1, "(final / start)^(1/y) - 1, with y the calendar days over 365", func(s *sample) float64 {
			years := s.duration().Hours() / 24 / 365
			return math.Pow(s.final()/s.start, 1/orNaN(years)) - 1
		}),
		def("drawdown", "Drawdown", UnitRatio, -1, "largest loss from a peak at the ends of days, positive", func(s *sample) float64 { return drawdownsOf(s.resampled).max }),
		def("expectancy", "Expectancy", UnitRatio, 1, "win rate · profit-loss ratio - loss rate", func(s *sample) float64 {
			w := s.leanWinRate()
			return w*s.leanProfitLoss() - (1 - w)
		}),
		def("start_equity", "Start Equity", UnitMoney, 0, "worth at the start", func(s *sample) float64 { return s.start }),
		def("end_equity", "End Equity", UnitMoney, 1, "worth at the end", (*sample).final),
		def("net_profit", "Net Profit", UnitRatio, 1, "final worth over that at the start, less 1", func(s *sample) float64 { return s.final()/s.start - 1 }),
		def("sharpe_ratio", "Sharpe Ratio", UnitRatio, 1, "(p · mean return - rate) / annual standard deviation", func(s *sample) float64 {
			return (s.leanAnnual() - s.opts.Rate) / orNaN(s.leanDeviation())
		}),
		def("sortino_ratio", "Sortino Ratio", UnitRatio, 1, "(p · mean return - rate) / √(p · variance of the negative returns alone)", func(s *sample) float64 {
			var down []float64
			for _, r := range s.btReturns() {
				if r < 0 {
					down = append(down, r)
				}
			}
			return (s.leanAnnual() - s.opts.Rate) / orNaN(math.Sqrt(variance(down, 1)*s.perYear))
		}),
		def("probabilistic_sharpe_ratio", "Probabilistic Sharpe Ratio", UnitRatio, 1, "Φ((SR - 1/√p) / √((1 - γ3·SR + (κ-1)/4·SR²) / (n-1))) with the sample skewness γ3 and, as LEAN has it, the excess kurtosis κ where the paper has the kurtosis (see probabilistic_sharpe)", func(s *sample) float64 {
			r := s.btReturns()
			x := SharpeSample{Sharpe: Sharpe(r, 0), N: len(r), Skewness: sampleSkewness(r), Kurtosis: sampleKurtosis(r)}
			return x.Probabilistic(1 / math.Sqrt(s.perYear))
		}),
		def("loss_rate", "Loss Rate", UnitRatio, -1, "share of closed trades without a profit", func(s *sample) float64 { return 1 - s.leanWinRate() }),
		def("win_rate", "Win Rate", UnitRatio, 1, "share of closed trades with a profit", (*sample).leanWinRate),
		def("profit_loss_ratio", "Profit-Loss Ratio", UnitRatio, 1, "average win over average loss, positive", (*sample).leanProfitLoss),
		def("alpha", "Alpha", UnitYear, 1, "p·mean return - (rate + beta · (p·mean return of the benchmark - rate))", func(s *sample) float64 {
			return s.leanAnnual() - (s.opts.Rate + s.leanBeta()*(s.leanMarket()-s.opts.Rate))
		}),
		def("beta", "Beta", UnitRatio, 0, "covariance of the returns with the benchmark's over its variance", (*sample).leanBeta),
		def("annual_standard_deviation", "Annual Standard Deviation", UnitYear, -1, "√(p · variance of returns)", (*sample).leanDeviation),
		def("annual_variance", "Annual Variance", UnitYear, -1, "p · variance of returns, n-1 below the line", func(s *sample) float64 { return variance(s.btReturns(), 1) * s.perYear }),
		def("information_ratio", "Information Ratio", UnitRatio, 1, "(p·mean return - that of the benchmark) / tracking error", func(s *sample) float64 {
			return (s.leanAnnual() - s.leanMarket()) / orNaN(s.leanTracking())
		}),
		def("tracking_error", "Tracking Error", UnitYear, -1, "√(p · variance of the difference to the benchmark's returns)", (*sample).leanTracking),
		def("treynor_ratio", "Treynor Ratio", UnitRatio, 1, "(p·mean return - rate) / beta", func(s *sample) float64 {
			return (s.leanAnnual() - s.opts.Rate) / orNaN(s.leanBeta())
		}),
		def("total_fees", "Total Fees", UnitMoney, -1, "all that was paid for trading", func(s *sample) float64 { return s.opts.Activity.Fees }),
		def("estimated_capacity", "Estimated Strategy Capacity", UnitMoney, 1, "each week, of the symbol with the least of it: (part of the money traded in the bars that follow its orders / its orders) / max(its share of what was traded, of the account's worth that it is); then 0.66 of the estimate before and 0.33 of the week's. NaN for what has no bars with volumes, such as options", func(s *sample) float64 { return s.opts.Activity.Capacity }),
		def("portfolio_turnover", "Portfolio Turnover", UnitRatio, 0, "mean over all days of the money traded over the account's worth", func(s *sample) float64 { return s.opts.Activity.Turnover }),
		def("drawdown_recovery", "Drawdown Recovery", UnitDays, -1, "calendar days from the peak before the largest drawdown until that peak is reached again; NaN when it is not", func(s *sample) float64 {
			d := s.drawdowns
			if d.max == 0 {
				return 0
			}
			for i := d.worst; i < len(s.Equity); i++ {
				if s.Equity[i] >= s.Equity[d.worstPeak] {
					return s.clock[i].Sub(s.clock[d.worstPeak]).Hours() / 24
				}
			}
			return math.NaN()
		}),
		def("value_at_risk_99", "VaR 99", UnitRatio, 1, "mean + Φ⁻¹(0.01)·deviation of the last p returns: the day's return that is undercut once in a hundred", func(s *sample) float64 { return s.leanRisk(0.99) }),
		def("value_at_risk_95", "VaR 95", UnitRatio, 1, "the same once in twenty", func(s *sample) float64 { return s.leanRisk(0.95) }),
	}
}

// leanRates are the profits of winning and of other trades relative to the capital
// at their time.
func (s *sample) leanRates() (won, lost []float64) {
	capital := s.start
	for _, t := range s.trades {
		if t.profit > 0 {
			won = append(won, t.profit/capital)
		} else {
			lost = append(lost, t.profit/capital)
		}
		capital += t.profit
	}
	return won, lost
}

func (s *sample) leanWinRate() float64 {
	won, lost := s.leanRates()
	return float64(len(won)) / orNaN(float64(len(won)+len(lost)))
}

func (s *sample) leanProfitLoss() float64 {
	won, lost := s.leanRates()
	return mean(won) / math.Abs(orNaN(mean(lost)))
}

func (s *sample) leanAnnual() float64    { return mean(s.btReturns()) * s.perYear }
func (s *sample) leanDeviation() float64 { return math.Sqrt(variance(s.btReturns(), 1) * s.perYear) }

// pairs are the returns and the benchmark's over the same periods, from the second
// period on, where both are known.
func (s *sample) pairs() (own, market []float64) {
	for i, m := range s.market {
		if r := s.returns[i]; !math.IsNaN(m) && !math.IsNaN(r) {
			own, market = append(own, r), append(market, m)
		}
	}
	return own, market
}

func (s *sample) leanBeta() float64 {
	own, market := s.pairs()
	return covariance(own, market) / orNaN(variance(market, 1))
}

func (s *sample) leanMarket() float64 {
	_, market := s.pairs()
	return mean(market) * s.perYear
}

func (s *sample) leanTracking() float64 {
	own, market := s.pairs()
	for i := range own {
		own[i] -= market[i]
	}
	return math.Sqrt(variance(own, 1) * s.perYear)
}

func (s *sample) leanRisk(confidence float64) float64 {
	r := s.btReturns()
	if n := int(s.perYear); len(r) > n {
		r = r[len(r)-n:]
	}
	return mean(r) + normalQuantile(1-confidence)*deviation(r, 1)
}
