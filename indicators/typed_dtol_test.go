package indicators_test

import (
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

var typedDToL = []typedRow{
	{"DEMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.DEMA(nil, s.Close, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewDEMA(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"DPO",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.DPO(nil, s.Close, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewDPO(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"DX",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.DX(nil, s.High, s.Low, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewDX(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"Decay",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Decay(nil, s.Close, 5)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewDecay(5)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Doji",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Doji(nil, s.Open, s.Close, 0.1)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewDoji(0.1)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Open[i], s.Close[i])
				return []float64{v.Update(s.Open[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"Donchian",
		func(s market.Series) [][]float64 {
			v := indicators.Donchian(indicators.DonchianValues{}, s.High, s.Low, 20, 1)
			return [][]float64{v.Upper, v.Middle, v.Lower, v.Width}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewDonchian(20, 1)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Upper, u.Middle, u.Lower, u.Width}, []float64{p.Upper, p.Middle, p.Lower, p.Width}
			}, err
		}},
	{"EBSW",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.EBSW(nil, s.Close, 40, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewEBSW(40, 10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"EDecay",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.EDecay(nil, s.Close, 5)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewEDecay(5)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"EVWMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.EVWMA(nil, s.Close, s.Volume, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewEVWMA(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i], s.Volume[i])
				return []float64{v.Update(s.Close[i], s.Volume[i])}, []float64{p}
			}, err
		}},
	{"EaseOfMovement",
		func(s market.Series) [][]float64 {
			v := indicators.EaseOfMovement(indicators.EaseOfMovementValues{}, s.High, s.Low, s.Volume, 14, 10000)
			return [][]float64{v.EMV, v.Average}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewEaseOfMovement(14, 10000)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Volume[i])
				u := v.Update(s.High[i], s.Low[i], s.Volume[i])
				return []float64{u.EMV, u.Average}, []float64{p.EMV, p.Average}
			}, err
		}},
	{"EfficiencyRatio",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.EfficiencyRatio(nil, s.Close, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewEfficiencyRatio(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"ElderRay",
		func(s market.Series) [][]float64 {
			v := indicators.ElderRay(indicators.ElderRayValues{}, s.High, s.Low, s.Close, 13)
			return [][]float64{v.EMA, v.Bull, v.Bear}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewElderRay(13)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.EMA, u.Bull, u.Bear}, []float64{p.EMA, p.Bull, p.Bear}
			}, err
		}},
	{"Entropy",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Entropy(nil, s.Close, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewEntropy(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Extremes",
		func(s market.Series) [][]float64 {
			v := indicators.Extremes(indicators.ExtremesValues{}, s.Close, 20)
			return [][]float64{v.Max, v.Min, v.Midpoint}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewExtremes(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Max, u.Min, u.Midpoint}, []float64{p.Max, p.Min, p.Midpoint}
			}, err
		}},
	{"FOSC",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.FOSC(nil, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewFOSC(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"FWMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.FWMA(nil, s.Close, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewFWMA(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Fisher",
		func(s market.Series) [][]float64 {
			v := indicators.Fisher(indicators.FisherValues{}, s.High, s.Low, 10)
			return [][]float64{v.Fisher, v.Trigger}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewFisher(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Fisher, u.Trigger}, []float64{p.Fisher, p.Trigger}
			}, err
		}},
	{"ForceIndex",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.ForceIndex(nil, s.Close, s.Volume, 13)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewForceIndex(13)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i], s.Volume[i])
				return []float64{v.Update(s.Close[i], s.Volume[i])}, []float64{p}
			}, err
		}},
	{"Fractal",
		func(s market.Series) [][]float64 {
			v := indicators.Fractal(indicators.FractalValues{}, s.High, s.Low, 2, 2)
			return [][]float64{v.Bear, v.Bull}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewFractal(2, 2)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Bear, u.Bull}, []float64{p.Bear, p.Bull}
			}, err
		}},
	{"FractalChaosBands",
		func(s market.Series) [][]float64 {
			v := indicators.FractalChaosBands(indicators.FractalChaosBandsValues{}, s.High, s.Low, 2)
			return [][]float64{v.Upper, v.Lower}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewFractalChaosBands(2)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Upper, u.Lower}, []float64{p.Upper, p.Lower}
			}, err
		}},
	{"GMMA",
		func(s market.Series) [][]float64 {
			v := indicators.GMMA(indicators.GMMAValues{}, s.Close)
			return [][]float64{v.EMA3, v.EMA5, v.EMA8, v.EMA10, v.EMA12, v.EMA15, v.EMA30, v.EMA35, v.EMA40, v.EMA45, v.EMA50, v.EMA60}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewGMMA()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.EMA3, u.EMA5, u.EMA8, u.EMA10, u.EMA12, u.EMA15, u.EMA30, u.EMA35, u.EMA40, u.EMA45, u.EMA50, u.EMA60}, []float64{p.EMA3, p.EMA5, p.EMA8, p.EMA10, p.EMA12, p.EMA15, p.EMA30, p.EMA35, p.EMA40, p.EMA45, p.EMA50, p.EMA60}
			}, err
		}},
	{"GannHiLo",
		func(s market.Series) [][]float64 {
			v := indicators.GannHiLo(indicators.GannHiLoValues{}, s.High, s.Low, s.Close, 13, 21)
			return [][]float64{v.HiLo, v.Trend}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewGannHiLo(13, 21)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.HiLo, u.Trend}, []float64{p.HiLo, p.Trend}
			}, err
		}},
	{"Gator",
		func(s market.Series) [][]float64 {
			v := indicators.Gator(indicators.GatorValues{}, s.High, s.Low, 13, 8, 8, 5, 5, 3)
			return [][]float64{v.Upper, v.Lower, v.UpperExpanding, v.LowerExpanding}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewGator(13, 8, 8, 5, 5, 3)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Upper, u.Lower, u.UpperExpanding, u.LowerExpanding}, []float64{p.Upper, p.Lower, p.UpperExpanding, p.LowerExpanding}
			}, err
		}},
	{"GaussianHann",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.GaussianHann(nil, s.Close, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewGaussianHann(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"HMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.HMA(nil, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewHMA(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"HWC",
		func(s market.Series) [][]float64 {
			v := indicators.HWC(indicators.HWCValues{}, s.Close, 0.2, 0.1, 0.1, 0.1, 1)
			return [][]float64{v.Upper, v.Middle, v.Lower}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewHWC(0.2, 0.1, 0.1, 0.1, 1)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Upper, u.Middle, u.Lower}, []float64{p.Upper, p.Middle, p.Lower}
			}, err
		}},
	{"HWMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.HWMA(nil, s.Close, 0.2, 0.1, 0.1)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewHWMA(0.2, 0.1, 0.1)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"HeikinAshi",
		func(s market.Series) [][]float64 {
			v := indicators.HeikinAshi(indicators.HeikinAshiValues{}, s.Open, s.High, s.Low, s.Close)
			return [][]float64{v.Open, v.High, v.Low, v.Close}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewHeikinAshi()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Open, u.High, u.Low, u.Close}, []float64{p.Open, p.High, p.Low, p.Close}
			}, err
		}},
	{"HilbertTrendline",
		func(s market.Series) [][]float64 {
			v := indicators.HilbertTrendline(indicators.HilbertTrendlineValues{}, s.High, s.Low)
			return [][]float64{v.Trendline, v.Period, v.SmoothPrice}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewHilbertTrendline()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Trendline, u.Period, u.SmoothPrice}, []float64{p.Trendline, p.Period, p.SmoothPrice}
			}, err
		}},
	{"Hurst",
		func(s market.Series) [][]float64 {
			v := indicators.Hurst(indicators.HurstValues{}, s.Close, 100)
			return [][]float64{v.Hurst, v.AnisLloyd}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewHurst(100)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Hurst, u.AnisLloyd}, []float64{p.Hurst, p.AnisLloyd}
			}, err
		}},
	{"IBS",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.IBS(nil, s.High, s.Low, s.Close)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewIBS()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"Ichimoku",
		func(s market.Series) [][]float64 {
			v := indicators.Ichimoku(indicators.IchimokuValues{}, s.High, s.Low, s.Close, 9, 26, 52)
			return [][]float64{v.Tenkan, v.Kijun, v.SenkouA, v.SenkouB, v.Chikou}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewIchimoku(9, 26, 52)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Tenkan, u.Kijun, u.SenkouA, u.SenkouB, u.Chikou}, []float64{p.Tenkan, p.Kijun, p.SenkouA, p.SenkouB, p.Chikou}
			}, err
		}},
	{"Inertia",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Inertia(nil, s.Close, 20, 14, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewInertia(20, 14, 10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"JMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.JMA(nil, s.Close, 7, 0)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewJMA(7, 0)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"KAMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.KAMA(nil, s.Close, 10, 2, 30)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewKAMA(10, 2, 30)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"KDJ",
		func(s market.Series) [][]float64 {
			v := indicators.KDJ(indicators.KDJValues{}, s.High, s.Low, s.Close, 9, 3)
			return [][]float64{v.K, v.D, v.J}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewKDJ(9, 3)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.K, u.D, u.J}, []float64{p.K, p.D, p.J}
			}, err
		}},
	{"KST",
		func(s market.Series) [][]float64 {
			v := indicators.KST(indicators.KSTValues{}, s.Close, 9)
			return [][]float64{v.KST, v.Signal}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewKST(9)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.KST, u.Signal}, []float64{p.KST, p.Signal}
			}, err
		}},
	{"Kalman",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Kalman(nil, s.Close, 0.01, 1)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewKalman(0.01, 1)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Keltner",
		func(s market.Series) [][]float64 {
			v := indicators.Keltner(indicators.KeltnerValues{}, s.High, s.Low, s.Close, 20, 2, 10)
			return [][]float64{v.Upper, v.Middle, v.Lower, v.Width}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewKeltner(20, 2, 10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Upper, u.Middle, u.Lower, u.Width}, []float64{p.Upper, p.Middle, p.Lower, p.Width}
			}, err
		}},
	{"Klinger",
		func(s market.Series) [][]float64 {
			v := indicators.Klinger(indicators.KlingerValues{}, s.High, s.Low, s.Close, s.Volume, 34, 55, 13)
			return [][]float64{v.Oscillator, v.Signal}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewKlinger(34, 55, 13)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i], s.Volume[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i], s.Volume[i])
				return []float64{u.Oscillator, u.Signal}, []float64{p.Oscillator, p.Signal}
			}, err
		}},
	{"Kurtosis",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Kurtosis(nil, s.Close, 30)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewKurtosis(30)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Lag",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Lag(nil, s.Close, 5)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewLag(5)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"LinearRegression",
		func(s market.Series) [][]float64 {
			v := indicators.LinearRegression(indicators.LinearRegressionValues{}, s.Close, 14)
			return [][]float64{v.LinReg, v.Slope, v.Intercept, v.Forecast, v.Angle, v.StdErr, v.RSquared}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewLinearRegression(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.LinReg, u.Slope, u.Intercept, u.Forecast, u.Angle, u.StdErr, u.RSquared}, []float64{p.LinReg, p.Slope, p.Intercept, p.Forecast, p.Angle, p.StdErr, p.RSquared}
			}, err
		}},
	{"LongRun",
		func(s market.Series) [][]float64 {
			v := indicators.LongRun(indicators.LongRunValues{}, s.High, s.Low, 2)
			return [][]float64{v.Long, v.Short}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewLongRun(2)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Long, u.Short}, []float64{p.Long, p.Short}
			}, err
		}},
}
