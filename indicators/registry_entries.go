package indicators

import "github.com/ttai-go/ttai/indicators/internal/kernel"

var smaIndicator = once(func() Indicator {
	return Indicator{
		Name:    "SMA",
		Summary: "Simple moving average: the mean of the last n values.",
		Inputs:  []string{"close"},
		Params:  []Param{period("n", 20, 1)},
		Outputs: []Output{{Name: "SMA", Overlay: true}},
		Run:     func(dst, in [][]float64, p []float64) { SMA(dst[0], in[0], int(p[0])) },
		Open: func(p []float64) Stream {
			n := int(p[0])
			return oneToOne{&SMAStream{sum: kernel.NewSum(nil, n), n: n}}
		},
	}
})

var emaIndicator = once(func() Indicator {
	return Indicator{
		Name:    "EMA",
		Summary: "Exponential moving average with k = 2/(n+1), started from a simple average.",
		Inputs:  []string{"close"},
		Params:  []Param{period("n", 20, 1)},
		Outputs: []Output{{Name: "EMA", Overlay: true}},
		Run:     func(dst, in [][]float64, p []float64) { EMA(dst[0], in[0], int(p[0])) },
		Open: func(p []float64) Stream {
			n := int(p[0])
			return oneToOne{&EMAStream{ema: kernel.NewEMA(n), n: n}}
		},
	}
})

var rsiIndicator = once(func() Indicator {
	return Indicator{
		Name:    "RSI",
		Summary: "Wilder's relative strength index, 0 to 100: how much of the recent movement was up.",
		Inputs:  []string{"close"},
		Params:  []Param{period("n", 14, 1)},
		Outputs: []Output{{Name: "RSI"}},
		Run:     func(dst, in [][]float64, p []float64) { RSI(dst[0], in[0], int(p[0])) },
		Open: func(p []float64) Stream {
			s := newRSI(int(p[0]))
			return oneToOne{&s}
		},
	}
})

var volatilityIndicator = once(func() Indicator {
	return Indicator{
		Name:    "HistoricalVolatility",
		Aliases: []string{"HV"},
		Summary: "Close-to-close volatility per year as a decimal: the sample deviation of the last n log returns.",
		Inputs:  []string{"close"},
		Params: []Param{period("n", 20, 2),
			{Name: "periodsPerYear", Default: 252, Min: 1e-6, Max: maxPeriodsPerYear}},
		Outputs: []Output{{Name: "HV"}},
		Run:     func(dst, in [][]float64, p []float64) { HistoricalVolatility(dst[0], in[0], int(p[0]), p[1]) },
		Open: func(p []float64) Stream {
			n := int(p[0])
			s := newVolatility(kernel.NewMoments(nil, n), n, p[1])
			return oneToOne{&s}
		},
	}
})

var macdIndicator = once(func() Indicator {
	return Indicator{
		Name:    "MACD",
		Summary: "Moving average convergence/divergence: the fast EMA less the slow, its own EMA, and the gap between the two.",
		Inputs:  []string{"close"},
		Params:  []Param{period("fast", 12, 1), period("slow", 26, 2), period("signal", 9, 1)},
		Outputs: []Output{{Name: "MACD"}, {Name: "Signal"}, {Name: "Histogram"}},
		Check:   func(p []float64) error { return checkMACD(int(p[0]), int(p[1]), int(p[2])) },
		Run: func(dst, in [][]float64, p []float64) {
			MACD(MACDValues{MACD: dst[0], Signal: dst[1], Histogram: dst[2]}, in[0], int(p[0]), int(p[1]), int(p[2]))
		},
		Open: func(p []float64) Stream {
			s := newMACD(int(p[0]), int(p[1]), int(p[2]))
			return macdRow{&s}
		},
	}
})

type macdRow struct{ *MACDStream }

func (s macdRow) Update(in, out []float64) { s.MACDStream.Update(in[0]).write(out) }
func (s macdRow) Peek(in, out []float64)   { s.MACDStream.Peek(in[0]).write(out) }

func (p MACDPoint) write(out []float64) { out[0], out[1], out[2] = p.MACD, p.Signal, p.Histogram }

var bollingerIndicator = once(func() Indicator {
	return Indicator{
		Name:    "Bollinger",
		Aliases: []string{"BB", "BollingerBands"},
		Summary: "Bollinger bands: a simple average and k population deviations either side, with %B and bandwidth.",
		Inputs:  []string{"close"},
		Params:  []Param{period("n", 20, 1), {Name: "k", Default: 2, Min: 0, Max: maxBollingerWidth}},
		Outputs: []Output{{Name: "Upper", Overlay: true}, {Name: "Middle", Overlay: true}, {Name: "Lower", Overlay: true},
			{Name: "PercentB"}, {Name: "Bandwidth"}},
		Run: func(dst, in [][]float64, p []float64) {
			Bollinger(BollingerValues{Upper: dst[0], Middle: dst[1], Lower: dst[2], PercentB: dst[3], Bandwidth: dst[4]},
				in[0], int(p[0]), p[1])
		},
		Open: func(p []float64) Stream {
			n := int(p[0])
			return bollingerRow{&BollingerStream{sum: kernel.NewSum(nil, n), moments: kernel.NewMoments(nil, n), n: n, k: p[1]}}
		},
	}
})

type bollingerRow struct{ *BollingerStream }

func (s bollingerRow) Update(in, out []float64) { s.BollingerStream.Update(in[0]).write(out) }
func (s bollingerRow) Peek(in, out []float64)   { s.BollingerStream.Peek(in[0]).write(out) }

func (p BollingerPoint) write(out []float64) {
	out[0], out[1], out[2], out[3], out[4] = p.Upper, p.Middle, p.Lower, p.PercentB, p.Bandwidth
}

var atrIndicator = once(func() Indicator {
	return Indicator{
		Name:    "ATR",
		Summary: "Wilder's average true range: how far a bar reaches, in price units.",
		Inputs:  []string{"high", "low", "close"},
		Params:  []Param{period("n", 14, 1)},
		Outputs: []Output{{Name: "ATR"}},
		Run:     func(dst, in [][]float64, p []float64) { ATR(dst[0], in[0], in[1], in[2], int(p[0])) },
		Open: func(p []float64) Stream {
			s := newATR(int(p[0]))
			return atrRow{&s}
		},
	}
})

type atrRow struct{ *ATRStream }

func (s atrRow) Update(in, out []float64) { out[0] = s.ATRStream.Update(in[0], in[1], in[2]) }
func (s atrRow) Peek(in, out []float64)   { out[0] = s.ATRStream.Peek(in[0], in[1], in[2]) }

var adxIndicator = once(func() Indicator {
	return Indicator{
		Name:    "ADX",
		Summary: "Wilder's average directional index, 0 to 100 for the strength of a trend, with the indicators of its direction.",
		Inputs:  []string{"high", "low", "close"},
		Params:  []Param{period("n", 14, 1)},
		Outputs: []Output{{Name: "ADX"}, {Name: "PlusDI"}, {Name: "MinusDI"}},
		Run: func(dst, in [][]float64, p []float64) {
			ADX(ADXValues{ADX: dst[0], PlusDI: dst[1], MinusDI: dst[2]}, in[0], in[1], in[2], int(p[0]))
		},
		Open: func(p []float64) Stream {
			s := newADX(int(p[0]))
			return adxRow{&s}
		},
	}
})

type adxRow struct{ *ADXStream }

func (s adxRow) Update(in, out []float64) { s.ADXStream.Update(in[0], in[1], in[2]).write(out) }
func (s adxRow) Peek(in, out []float64)   { s.ADXStream.Peek(in[0], in[1], in[2]).write(out) }

func (p ADXPoint) write(out []float64) { out[0], out[1], out[2] = p.ADX, p.PlusDI, p.MinusDI }
