package indicators_test

import (
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

var typedAToC = []typedRow{
	{"ADL",
		func(s market.Series) [][]float64 {
			v := indicators.ADL(indicators.ADLValues{}, s.High, s.Low, s.Close, s.Volume)
			return [][]float64{v.ADL, v.Multiplier, v.MoneyFlow}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewADL()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i], s.Volume[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i], s.Volume[i])
				return []float64{u.ADL, u.Multiplier, u.MoneyFlow}, []float64{p.ADL, p.Multiplier, p.MoneyFlow}
			}, err
		}},
	{"ADXR",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.ADXR(nil, s.High, s.Low, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewADXR(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"ALMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.ALMA(nil, s.Close, 9, 0.85, 6)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewALMA(9, 0.85, 6)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"AMAT",
		func(s market.Series) [][]float64 {
			v := indicators.AMAT(indicators.AMATValues{}, s.Close, 8, 21, 2)
			return [][]float64{v.Long, v.Short}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewAMAT(8, 21, 2)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Long, u.Short}, []float64{p.Long, p.Short}
			}, err
		}},
	{"AOBV",
		func(s market.Series) [][]float64 {
			v := indicators.AOBV(indicators.AOBVValues{}, s.Close, s.Volume, 4, 12, 2)
			return [][]float64{v.OBV, v.Fast, v.Slow, v.Max, v.Min}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewAOBV(4, 12, 2)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i], s.Volume[i])
				u := v.Update(s.Close[i], s.Volume[i])
				return []float64{u.OBV, u.Fast, u.Slow, u.Max, u.Min}, []float64{p.OBV, p.Fast, p.Slow, p.Max, p.Min}
			}, err
		}},
	{"APO",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.APO(nil, s.Close, 12, 26)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewAPO(12, 26)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"ATRStop",
		func(s market.Series) [][]float64 {
			v := indicators.ATRStop(indicators.ATRStopValues{}, s.High, s.Low, s.Close, 21, 3)
			return [][]float64{v.Stop, v.Trend, v.Buy, v.Sell, v.ATR}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewATRStop(21, 3)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Stop, u.Trend, u.Buy, u.Sell, u.ATR}, []float64{p.Stop, p.Trend, p.Buy, p.Sell, p.ATR}
			}, err
		}},
	{"Aberration",
		func(s market.Series) [][]float64 {
			v := indicators.Aberration(indicators.AberrationValues{}, s.High, s.Low, s.Close, 5, 15)
			return [][]float64{v.Upper, v.Middle, v.Lower, v.ATR}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewAberration(5, 15)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Upper, u.Middle, u.Lower, u.ATR}, []float64{p.Upper, p.Middle, p.Lower, p.ATR}
			}, err
		}},
	{"AccelerationBands",
		func(s market.Series) [][]float64 {
			v := indicators.AccelerationBands(indicators.AccelerationBandsValues{}, s.High, s.Low, s.Close, 20, 4)
			return [][]float64{v.Upper, v.Middle, v.Lower}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewAccelerationBands(20, 4)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Upper, u.Middle, u.Lower}, []float64{p.Upper, p.Middle, p.Lower}
			}, err
		}},
	{"Accelerator",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Accelerator(nil, s.High, s.Low, 5, 34)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewAccelerator(5, 34)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				return []float64{v.Update(s.High[i], s.Low[i])}, []float64{p}
			}, err
		}},
	{"Alligator",
		func(s market.Series) [][]float64 {
			v := indicators.Alligator(indicators.AlligatorValues{}, s.High, s.Low, 13, 8, 8, 5, 5, 3)
			return [][]float64{v.Jaw, v.Teeth, v.Lips}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewAlligator(13, 8, 8, 5, 5, 3)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Jaw, u.Teeth, u.Lips}, []float64{p.Jaw, p.Teeth, p.Lips}
			}, err
		}},
	{"Aroon",
		func(s market.Series) [][]float64 {
			v := indicators.Aroon(indicators.AroonValues{}, s.High, s.Low, 25)
			return [][]float64{v.Up, v.Down, v.Oscillator}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewAroon(25)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Up, u.Down, u.Oscillator}, []float64{p.Up, p.Down, p.Oscillator}
			}, err
		}},
	{"Awesome",
		func(s market.Series) [][]float64 {
			v := indicators.Awesome(indicators.AwesomeValues{}, s.High, s.Low, 5, 34)
			return [][]float64{v.AO, v.Normalized}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewAwesome(5, 34)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.AO, u.Normalized}, []float64{p.AO, p.Normalized}
			}, err
		}},
	{"BIAS",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.BIAS(nil, s.Close, 26)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewBIAS(26)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"BOP",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.BOP(nil, s.Open, s.High, s.Low, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewBOP(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.Open[i], s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"BRAR",
		func(s market.Series) [][]float64 {
			v := indicators.BRAR(indicators.BRARValues{}, s.Open, s.High, s.Low, s.Close, 26)
			return [][]float64{v.AR, v.BR}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewBRAR(26)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				return []float64{u.AR, u.BR}, []float64{p.AR, p.BR}
			}, err
		}},
	{"Beta",
		func(s market.Series) [][]float64 {
			v := indicators.Beta(indicators.BetaValues{}, s.High, s.Low, 50)
			return [][]float64{v.Beta, v.Up, v.Down}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewBeta(50)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Beta, u.Up, u.Down}, []float64{p.Beta, p.Up, p.Down}
			}, err
		}},
	{"CCI",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.CCI(nil, s.High, s.Low, s.Close, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewCCI(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"CFO",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.CFO(nil, s.Close, 9)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewCFO(9)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"CG",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.CG(nil, s.Close, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewCG(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"CMF",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.CMF(nil, s.High, s.Low, s.Close, s.Volume, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewCMF(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i], s.Volume[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i], s.Volume[i])}, []float64{p}
			}, err
		}},
	{"CMO",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.CMO(nil, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewCMO(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"CTI",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.CTI(nil, s.Close, 12)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewCTI(12)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"CVI",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.CVI(nil, s.High, s.Low, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewCVI(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				return []float64{v.Update(s.High[i], s.Low[i])}, []float64{p}
			}, err
		}},
	{"ChaikinOscillator",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.ChaikinOscillator(nil, s.High, s.Low, s.Close, s.Volume, 3, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewChaikinOscillator(3, 10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i], s.Volume[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i], s.Volume[i])}, []float64{p}
			}, err
		}},
	{"ChandeKroll",
		func(s market.Series) [][]float64 {
			v := indicators.ChandeKroll(indicators.ChandeKrollValues{}, s.High, s.Low, s.Close, 10, 1, 9)
			return [][]float64{v.Long, v.Short}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewChandeKroll(10, 1, 9)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Long, u.Short}, []float64{p.Long, p.Short}
			}, err
		}},
	{"Chandelier",
		func(s market.Series) [][]float64 {
			v := indicators.Chandelier(indicators.ChandelierValues{}, s.High, s.Low, s.Close, 22, 3)
			return [][]float64{v.Long, v.Short}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewChandelier(22, 3)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Long, u.Short}, []float64{p.Long, p.Short}
			}, err
		}},
	{"Choppiness",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Choppiness(nil, s.High, s.Low, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewChoppiness(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"ConnorsRSI",
		func(s market.Series) [][]float64 {
			v := indicators.ConnorsRSI(indicators.ConnorsRSIValues{}, s.Close, 3, 2, 100)
			return [][]float64{v.ConnorsRSI, v.RSI, v.StreakRSI, v.PercentRank}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewConnorsRSI(3, 2, 100)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.ConnorsRSI, u.RSI, u.StreakRSI, u.PercentRank}, []float64{p.ConnorsRSI, p.RSI, p.StreakRSI, p.PercentRank}
			}, err
		}},
	{"Coppock",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Coppock(nil, s.Close, 10, 14, 11)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewCoppock(10, 14, 11)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Correlation",
		func(s market.Series) [][]float64 {
			v := indicators.Correlation(indicators.CorrelationValues{}, s.High, s.Low, 20)
			return [][]float64{v.Correlation, v.RSquared, v.Covariance, v.VarianceA, v.VarianceB}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewCorrelation(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Correlation, u.RSquared, u.Covariance, u.VarianceA, u.VarianceB}, []float64{p.Correlation, p.RSquared, p.Covariance, p.VarianceA, p.VarianceB}
			}, err
		}},
}
