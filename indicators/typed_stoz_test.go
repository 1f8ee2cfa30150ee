package indicators_test

import (
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

var typedSToZ = []typedRow{
	{"SINWMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.SINWMA(nil, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSINWMA(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"SMI",
		func(s market.Series) [][]float64 {
			v := indicators.SMI(indicators.SMIValues{}, s.High, s.Low, s.Close, 13, 25, 2, 3)
			return [][]float64{v.SMI, v.Signal}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSMI(13, 25, 2, 3)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.SMI, u.Signal}, []float64{p.SMI, p.Signal}
			}, err
		}},
	{"SMIErgodic",
		func(s market.Series) [][]float64 {
			v := indicators.SMIErgodic(indicators.SMIErgodicValues{}, s.Close, 5, 20, 5)
			return [][]float64{v.SMI, v.Signal, v.Oscillator}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSMIErgodic(5, 20, 5)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.SMI, u.Signal, u.Oscillator}, []float64{p.SMI, p.Signal, p.Oscillator}
			}, err
		}},
	{"SMMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.SMMA(nil, s.Close, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSMMA(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"STARC",
		func(s market.Series) [][]float64 {
			v := indicators.STARC(indicators.STARCValues{}, s.High, s.Low, s.Close, 5, 2, 10)
			return [][]float64{v.Upper, v.Middle, v.Lower}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSTARC(5, 2, 10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Upper, u.Middle, u.Lower}, []float64{p.Upper, p.Middle, p.Lower}
			}, err
		}},
	{"STC",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.STC(nil, s.Close, 10, 23, 50)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSTC(10, 23, 50)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"STC2",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.STC2(nil, s.Close, 10, 23, 50, 0.5)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSTC2(10, 23, 50, 0.5)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"SWMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.SWMA(nil, s.Close, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSWMA(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Skew",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Skew(nil, s.Close, 30)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSkew(30)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Slope",
		func(s market.Series) [][]float64 {
			v := indicators.Slope(indicators.SlopeValues{}, s.Close, 14)
			return [][]float64{v.Slope, v.Intercept, v.StdDev, v.RSquared}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSlope(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Slope, u.Intercept, u.StdDev, u.RSquared}, []float64{p.Slope, p.Intercept, p.StdDev, p.RSquared}
			}, err
		}},
	{"SpecialK",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.SpecialK(nil, s.Close)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSpecialK()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Squeeze",
		func(s market.Series) [][]float64 {
			v := indicators.Squeeze(indicators.SqueezeValues{}, s.High, s.Low, s.Close, 20, 2, 20, 1.5)
			return [][]float64{v.Momentum, v.On}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSqueeze(20, 2, 20, 1.5)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Momentum, u.On}, []float64{p.Momentum, p.On}
			}, err
		}},
	{"SqueezePro",
		func(s market.Series) [][]float64 {
			v := indicators.SqueezePro(indicators.SqueezeProValues{}, s.High, s.Low, s.Close, 20, 2, 20, 2, 1.5, 1)
			return [][]float64{v.Momentum, v.Level}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSqueezePro(20, 2, 20, 2, 1.5, 1)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Momentum, u.Level}, []float64{p.Momentum, p.Level}
			}, err
		}},
	{"StdDev",
		func(s market.Series) [][]float64 {
			v := indicators.StdDev(indicators.StdDevValues{}, s.Close, 20)
			return [][]float64{v.StdDev, v.Mean, v.Variance, v.SampleStdDev, v.StdErr}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewStdDev(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.StdDev, u.Mean, u.Variance, u.SampleStdDev, u.StdErr}, []float64{p.StdDev, p.Mean, p.Variance, p.SampleStdDev, p.StdErr}
			}, err
		}},
	{"StdDevChannels",
		func(s market.Series) [][]float64 {
			v := indicators.StdDevChannels(indicators.StdDevChannelsValues{}, s.Close, 20, 2)
			return [][]float64{v.Upper, v.Center, v.Lower}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewStdDevChannels(20, 2)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Upper, u.Center, u.Lower}, []float64{p.Upper, p.Center, p.Lower}
			}, err
		}},
	{"StochRSI",
		func(s market.Series) [][]float64 {
			v := indicators.StochRSI(indicators.StochRSIValues{}, s.Close, 14, 14, 3, 3)
			return [][]float64{v.K, v.D}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewStochRSI(14, 14, 3, 3)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.K, u.D}, []float64{p.K, p.D}
			}, err
		}},
	{"Stochastic",
		func(s market.Series) [][]float64 {
			v := indicators.Stochastic(indicators.StochasticValues{}, s.High, s.Low, s.Close, 14, 3, 3)
			return [][]float64{v.K, v.D, v.J}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewStochastic(14, 3, 3)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.K, u.D, u.J}, []float64{p.K, p.D, p.J}
			}, err
		}},
	{"Streak",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Streak(nil, s.Close)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewStreak()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Sum",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Sum(nil, s.Close, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSum(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"SuperSmoother",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.SuperSmoother(nil, s.Close, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSuperSmoother(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"SuperTrend",
		func(s market.Series) [][]float64 {
			v := indicators.SuperTrend(indicators.SuperTrendValues{}, s.High, s.Low, s.Close, 10, 3)
			return [][]float64{v.SuperTrend, v.Trend, v.Upper, v.Lower}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewSuperTrend(10, 3)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.SuperTrend, u.Trend, u.Upper, u.Lower}, []float64{p.SuperTrend, p.Trend, p.Upper, p.Lower}
			}, err
		}},
	{"T3",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.T3(nil, s.Close, 5, 0.7)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewT3(5, 0.7)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"TDSequential",
		func(s market.Series) [][]float64 {
			v := indicators.TDSequential(indicators.TDSequentialValues{}, s.Close)
			return [][]float64{v.Buy, v.Sell}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewTDSequential()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Buy, u.Sell}, []float64{p.Buy, p.Sell}
			}, err
		}},
	{"TEMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.TEMA(nil, s.Close, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewTEMA(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"TRIMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.TRIMA(nil, s.Close, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewTRIMA(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"TRIX",
		func(s market.Series) [][]float64 {
			v := indicators.TRIX(indicators.TRIXValues{}, s.Close, 15)
			return [][]float64{v.TRIX, v.EMA3}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewTRIX(15)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.TRIX, u.EMA3}, []float64{p.TRIX, p.EMA3}
			}, err
		}},
	{"TSI",
		func(s market.Series) [][]float64 {
			v := indicators.TSI(indicators.TSIValues{}, s.Close, 25, 13, 7)
			return [][]float64{v.TSI, v.Signal}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewTSI(25, 13, 7)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.TSI, u.Signal}, []float64{p.TSI, p.Signal}
			}, err
		}},
	{"TTMTrend",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.TTMTrend(nil, s.High, s.Low, s.Close, 6)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewTTMTrend(6)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"Thermo",
		func(s market.Series) [][]float64 {
			v := indicators.Thermo(indicators.ThermoValues{}, s.High, s.Low, 20, 2, 0.5)
			return [][]float64{v.Thermo, v.EMA, v.Long, v.Short}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewThermo(20, 2, 0.5)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Thermo, u.EMA, u.Long, u.Short}, []float64{p.Thermo, p.EMA, p.Long, p.Short}
			}, err
		}},
	{"TrueRange",
		func(s market.Series) [][]float64 {
			v := indicators.TrueRange(indicators.TrueRangeValues{}, s.High, s.Low, s.Close)
			return [][]float64{v.TR, v.Percent}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewTrueRange()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.TR, u.Percent}, []float64{p.TR, p.Percent}
			}, err
		}},
	{"UTBot",
		func(s market.Series) [][]float64 {
			v := indicators.UTBot(indicators.UTBotValues{}, s.High, s.Low, s.Close, 10, 1)
			return [][]float64{v.Stop, v.Signal}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewUTBot(10, 1)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Stop, u.Signal}, []float64{p.Stop, p.Signal}
			}, err
		}},
	{"Ulcer",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Ulcer(nil, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewUlcer(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Ultimate",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Ultimate(nil, s.High, s.Low, s.Close, 7, 14, 28)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewUltimate(7, 14, 28)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"VHF",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.VHF(nil, s.Close, 28)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewVHF(28)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"VIDYA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.VIDYA(nil, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewVIDYA(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"VOSC",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.VOSC(nil, s.Volume, 5, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewVOSC(5, 20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Volume[i])
				return []float64{v.Update(s.Volume[i])}, []float64{p}
			}, err
		}},
	{"VWAP",
		func(s market.Series) [][]float64 {
			v := indicators.VWAP(indicators.VWAPValues{}, s.High, s.Low, s.Close, s.Volume, 1)
			return [][]float64{v.VWAP, v.Upper, v.Lower}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewVWAP(1)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i], s.Volume[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i], s.Volume[i])
				return []float64{u.VWAP, u.Upper, u.Lower}, []float64{p.VWAP, p.Upper, p.Lower}
			}, err
		}},
	{"VWMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.VWMA(nil, s.Close, s.Volume, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewVWMA(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i], s.Volume[i])
				return []float64{v.Update(s.Close[i], s.Volume[i])}, []float64{p}
			}, err
		}},
	{"VWMACD",
		func(s market.Series) [][]float64 {
			v := indicators.VWMACD(indicators.VWMACDValues{}, s.Close, s.Volume, 12, 26, 9)
			return [][]float64{v.MACD, v.Signal, v.Histogram}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewVWMACD(12, 26, 9)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i], s.Volume[i])
				u := v.Update(s.Close[i], s.Volume[i])
				return []float64{u.MACD, u.Signal, u.Histogram}, []float64{p.MACD, p.Signal, p.Histogram}
			}, err
		}},
	{"VolatilityStop",
		func(s market.Series) [][]float64 {
			v := indicators.VolatilityStop(indicators.VolatilityStopValues{}, s.High, s.Low, s.Close, 14, 3)
			return [][]float64{v.Stop, v.Trend, v.IsStop}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewVolatilityStop(14, 3)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Stop, u.Trend, u.IsStop}, []float64{p.Stop, p.Trend, p.IsStop}
			}, err
		}},
	{"Vortex",
		func(s market.Series) [][]float64 {
			v := indicators.Vortex(indicators.VortexValues{}, s.High, s.Low, s.Close, 14)
			return [][]float64{v.Plus, v.Minus}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewVortex(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Plus, u.Minus}, []float64{p.Plus, p.Minus}
			}, err
		}},
	{"WAD",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.WAD(nil, s.High, s.Low, s.Close)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewWAD()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"WMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.WMA(nil, s.Close, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewWMA(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"WilliamsR",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.WilliamsR(nil, s.High, s.Low, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewWilliamsR(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"ZLEMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.ZLEMA(nil, s.Close, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewZLEMA(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"ZScore",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.ZScore(nil, s.Close, 30)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewZScore(30)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"ZigZag",
		func(s market.Series) [][]float64 {
			v := indicators.ZigZag(indicators.ZigZagValues{}, s.Close, 5)
			return [][]float64{v.Turn, v.Age, v.Direction}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewZigZag(5)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Turn, u.Age, u.Direction}, []float64{p.Turn, p.Age, p.Direction}
			}, err
		}},
}
