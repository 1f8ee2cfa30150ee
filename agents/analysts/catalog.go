package analysts

// A definition is what is always the same about a piece of evidence.
type definition struct {
	id, name, unit, method string
	// optional evidence is left out, rather than marked absent, when there is
	// none: the second support, the third expiration.
	optional bool
}

// catalog returns every piece of evidence there can be, in the order of the
// groups. The id's prefix is its group.
func catalog() []definition {
	return []definition{
		{"data.bars", "Daily bars", UnitBars, "complete daily bars in the lookback window", false},
		{"data.last_bar", "Age of the last bar", UnitBars, "sessions ended since the last complete bar", false},
		{"data.missing_bars", "Missing sessions", UnitBars, "sessions between first and last bar that have none", false},
		{"data.quote_age", "Age of the quote", UnitMinutes, "regular trading time since the quote", false},
		{"data.chain_age", "Age of the option quotes", UnitMinutes, "regular trading time since the chain's newest quote", false},

		{"quote.price", "Live price", UnitDollars, "mid of bid and ask, else last trade", false},
		{"quote.change", "Change since the last close", UnitFraction, "quote.price / trend.close − 1", false},
		{"quote.spread", "Bid-ask spread", UnitFraction, "(ask − bid) / mid", false},
		{"quote.halted", "Trading halt", UnitFlag, "as the source says", false},

		{"trend.close", "Last close", UnitDollars, "close of the last complete daily bar", false},
		{"trend.sma20_distance", "Distance to SMA 20", UnitFraction, "close / SMA(close, 20) − 1", false},
		{"trend.sma50_distance", "Distance to SMA 50", UnitFraction, "close / SMA(close, 50) − 1", false},
		{"trend.sma200_distance", "Distance to SMA 200", UnitFraction, "close / SMA(close, 200) − 1", false},
		{"trend.sma50_slope", "Slope of SMA 50", UnitFraction, "SMA(close, 50) / its value 20 bars before − 1", false},
		{"trend.adx", "ADX 14", UnitIndex, "Wilder's ADX(14)", false},
		{"trend.di_difference", "DI+ − DI−", UnitIndex, "Wilder's DI+(14) − DI−(14)", false},
		{"trend.structure", "Swing structure", UnitSign, "last two swing highs and lows (5 bars each side): +1 both higher, −1 both lower", false},

		{"momentum.rsi", "RSI 14", UnitIndex, "Wilder's RSI(close, 14)", false},
		{"momentum.macd_histogram", "MACD histogram", UnitATR, "(MACD(12, 26) − signal(9)) / ATR(14)", false},
		{"momentum.roc5", "Change over 5 bars", UnitFraction, "close / close 5 bars before − 1", false},
		{"momentum.roc21", "Change over 21 bars", UnitFraction, "close / close 21 bars before − 1", false},
		{"momentum.roc63", "Change over 63 bars", UnitFraction, "close / close 63 bars before − 1", false},
		{"momentum.roc252", "Change over 252 bars", UnitFraction, "close / close 252 bars before − 1", false},

		{"volatility.atr", "ATR 14", UnitDollars, "Wilder's ATR(14)", false},
		{"volatility.atr_percent", "ATR over price", UnitFraction, "ATR(14) / close", false},
		{"volatility.hv20", "Historical volatility 20", UnitPerYear, "sample deviation of 20 log returns × √252", false},
		{"volatility.hv60", "Historical volatility 60", UnitPerYear, "sample deviation of 60 log returns × √252", false},
		{"volatility.percent_b", "Bollinger %B", UnitRatio, "(close − lower) / (upper − lower), Bollinger(20, 2)", false},
		{"volatility.bandwidth", "Bollinger bandwidth", UnitRatio, "(upper − lower) / middle, Bollinger(20, 2)", false},
		{"volatility.range20", "Range of 20 bars", UnitATR, "(highest high − lowest low of 20 bars) / ATR(14)", false},

		{"levels.high52", "52-week high", UnitDollars, "highest high of the last 252 bars", false},
		{"levels.low52", "52-week low", UnitDollars, "lowest low of the last 252 bars", false},
		{"levels.position52", "Position in the 52-week range", UnitRatio, "(close − low52) / (high52 − low52)", false},
		{"levels.support.1", "Nearest support", UnitDollars, levelMethod, false},
		{"levels.support.2", "Second support", UnitDollars, "as levels.support.1", true},
		{"levels.support.3", "Third support", UnitDollars, "as levels.support.1", true},
		{"levels.resistance.1", "Nearest resistance", UnitDollars, levelMethod, false},
		{"levels.resistance.2", "Second resistance", UnitDollars, "as levels.resistance.1", true},
		{"levels.resistance.3", "Third resistance", UnitDollars, "as levels.resistance.1", true},
		{"levels.poc", "Point of control", UnitDollars, profileMethod, false},
		{"levels.value_low", "Value area low", UnitDollars, "as levels.poc", false},
		{"levels.value_high", "Value area high", UnitDollars, "as levels.poc", false},

		{"options.spot", "Underlying price for options", UnitDollars, "of the option quotes, else quote.price or trend.close", false},
		{"options.iv_index", "Implied volatility index", UnitPerYear, "source", false},
		{"options.iv_rank", "IV rank", UnitRatio, "source: place of the IV index in its range of a year", false},
		{"options.iv_percentile", "IV percentile", UnitRatio, "source: share of a year's days with a lower IV index", false},
		{"options.iv30", "30-day at-the-money volatility", UnitPerYear, "at-the-money variance interpolated to 30 days", false},
		{"options.iv_hv", "Implied over historical volatility", UnitRatio, "options.iv30 (options.iv_index without it) / volatility.hv20", false},
		{"options.atm_iv.1", "At-the-money volatility, front", UnitPerYear, atmMethod, false},
		{"options.atm_iv.2", "At-the-money volatility, second", UnitPerYear, "as options.atm_iv.1", true},
		{"options.atm_iv.3", "At-the-money volatility, third", UnitPerYear, "as options.atm_iv.1", true},
		{"options.expected_move.1", "Expected move, front", UnitDollars, moveMethod, false},
		{"options.expected_move.2", "Expected move, second", UnitDollars, "as options.expected_move.1", true},
		{"options.expected_move.3", "Expected move, third", UnitDollars, "as options.expected_move.1", true},
		{"options.term_slope", "Term structure slope", UnitFraction, "at-the-money volatility nearest 90 days / nearest 30 days − 1", false},
		{"options.skew25", "25-delta skew", UnitPerYear, "IV of 25-delta put − call, expiration nearest 30 days, linear in delta", false},
		{"options.spread", "Option spread", UnitRatio, "median (ask − bid) / mid, 0.15 ≤ |delta| ≤ 0.50, candidates' expirations", false},
		{"options.open_interest", "Open interest", UnitLots, "sum over the same contracts", false},
		{"options.volume", "Option volume", UnitLots, "sum over the same contracts, current session", false},

		{"events.earnings", "Next earnings", UnitDays, "source, days from the analysis", false},
		{"events.dividend", "Next ex-dividend date", UnitDays, "source, days from the analysis", false},
		{"events.dividend_amount", "Next dividend", UnitDollars, "source, per share", false},

		{"fundamentals.market_cap", "Market capitalisation", UnitDollars, "source", false},
		{"fundamentals.pe", "Price over earnings", UnitRatio, "source, trailing", false},
		{"fundamentals.dividend_yield", "Dividend yield", UnitPerYear, "source", false},
		{"fundamentals.beta", "Beta", UnitRatio, "source", false},
		{"fundamentals.liquidity", "Option liquidity rating", "1-5", "source", false},

		{"market.trend", "Benchmark against SMA 200", UnitFraction, "its close / SMA(close, 200) − 1", false},
		{"market.roc21", "Benchmark over 21 bars", UnitFraction, "its close / close 21 bars before − 1", false},
		{"market.rate", "Risk-free rate", UnitPerYear, "as configured, continuous", false},

		{"risk.var95", "One-day loss, 95 %", UnitFraction, "loss that 5 % of the window's days exceed", false},
		{"risk.cvar95", "Mean of the worst 5 % of days", UnitFraction, "mean loss of those days", false},
		{"risk.worst_month", "Worst 21 bars", UnitFraction, "of the window", false},
		{"risk.drawdown", "Largest drawdown", UnitFraction, "fall between closes of the window", false},
		{"risk.gap", "Largest gap", UnitFraction, "|open / close before − 1|, 252 bars", false},
		{"risk.correlation", "Correlation with the benchmark", UnitRatio, "log changes of 60 common sessions", false},
		{"risk.held_correlation", "Correlation with what is held", UnitRatio, "mean with the 5 largest others, by |exposure|", false},
		{"risk.concentration", "Concentration of the portfolio", UnitRatio, "Σ (share of |exposure|)², 1: a single underlying", false},
		{"risk.stress10", "Portfolio if the symbol falls 10 %", UnitDollars, "its positions revalued, volatilities unchanged", false},
		{"risk.stress10_share", "The same over the portfolio", UnitFraction, "risk.stress10 / portfolio.net_liq", false},
		{"risk.assignment", "Assignment of one put", UnitFraction, "options.spot × 100 / portfolio.net_liq", false},

		{"news.1", "Latest news", UnitDays, newsMethod, true},
		{"news.2", "News", UnitDays, newsMethod, true},
		{"news.3", "News", UnitDays, newsMethod, true},
		{"news.4", "News", UnitDays, newsMethod, true},
		{"news.5", "News", UnitDays, newsMethod, true},
		{"knowledge.1", "From the library", UnitRatio, knowledgeMethod, true},
		{"knowledge.2", "From the library", UnitRatio, knowledgeMethod, true},
		{"knowledge.3", "From the library", UnitRatio, knowledgeMethod, true},
		{"record.analyses", "Earlier analyses with an outcome", UnitCount, "analyses kept whose horizon has passed", true},
		{"record.hit_rate", "Hit rate", UnitFraction, "share of selected symbols whose candidate made money", true},
		{"record.calibration", "Calibration", UnitFraction, "mean of (stated probability of profit − 1 if it was made, else 0): above 0 is too sure", true},
		{"record.realised", "Realised over expected return", UnitFraction, "mean of the candidates' realised − stated return on capital", true},

		{"portfolio.shares", "Shares held", UnitShares, "sum of positions, short negative", false},
		{"portfolio.coverable", "Shares free to cover calls", UnitShares, "most in one account: long shares − 100 × short calls, at least 0", false},
		{"portfolio.options", "Option contracts held", UnitLots, "sum of positions, short negative", false},
		{"portfolio.exposure", "Exposure to the symbol", UnitDollars, "Σ quantity × multiplier × mark over its positions", false},
		{"portfolio.share", "Share of the portfolio", UnitFraction, "|portfolio.exposure| / portfolio.net_liq", false},
		{"portfolio.cash", "Cash", UnitDollars, "most in one account", false},
		{"portfolio.net_liq", "Net liquidating value", UnitDollars, "sum over accounts", false},
		{"portfolio.buying_power", "Derivative buying power", UnitDollars, "sum over accounts", false},
	}
}

const (
	levelMethod     = "levels and pivots of the last 252 bars, merged within 0.5 ATR"
	profileMethod   = "volume of 252 bars spread over their ranges; value area 70 %"
	newsMethod      = "days since it was published; a third party's text"
	knowledgeMethod = "relevance of the passage; a third party's text"
	atmMethod       = "implied volatility at the forward, from mids"
	moveMethod      = "one standard deviation to expiration: price × volatility × √years"
)
