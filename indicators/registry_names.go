package indicators

// otherNames are those under which other libraries and charts know the book's
// indicators, besides their Aliases. It is never written to. What a library
// means by a name is not always what the book does: the table in
// docs/indicators.md has the differences.
var otherNames = map[string][]string{
	"ADX":                  {"DI"},
	"AccelerationBands":    {"ABANDS"},
	"Alligator":            {"WilliamsAlligator"},
	"Awesome":              {"AwesomeOscillator"},
	"Bollinger":            {"BBANDS"},
	"BOP":                  {"BalanceOfPower"},
	"Chandelier":           {"CHEXIT"},
	"Choppiness":           {"ChoppinessIndex"},
	"CMF":                  {"ChaikinMoneyFlow"},
	"DPO":                  {"DetrendedPriceOscillator"},
	"Fisher":               {"FisherTransform"},
	"HistoricalVolatility": {"Volatility"},
	"HilbertTrendline":     {"HT_TRENDLINE"},
	"Ichimoku":             {"IchimokuCloud"},
	"LinearRegression":     {"LR", "LinRegSlope", "LinRegIntercept"},
	"MAEnvelopes":          {"MAENV"},
	"ParabolicSAR":         {"ParabolicStop"},
	"PriceForms":           {"AVGPRICE", "MEDPRICE", "TYPPRICE", "WCPRICE", "WCP"},
	"PRS":                  {"PriceRelativeStrength"},
	"Stochastic":           {"StochasticOscillator"},
	"StdDev":               {"STDEV"},
	"StdDevChannels":       {"STDEVChannels", "TOSStdevAll"},
	"STARC":                {"STARCBands"},
	"SMMA":                 {"WilderAverage"},
	"TDSequential":         {"TDSEQ"},
	"Ulcer":                {"UlcerIndex"},
	"Ultimate":             {"UltimateOscillator"},
	"VolatilityStop":       {"VOLSTOP"},
}
