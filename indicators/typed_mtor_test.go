package indicators_test

import (
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

var typedMToR = []typedRow{
	{"MAEnvelopes",
		func(s market.Series) [][]float64 {
			v := indicators.MAEnvelopes(indicators.MAEnvelopesValues{}, s.Close, 20, 2.5)
			return [][]float64{v.Upper, v.Middle, v.Lower}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewMAEnvelopes(20, 2.5)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Upper, u.Middle, u.Lower}, []float64{p.Upper, p.Middle, p.Lower}
			}, err
		}},
	{"MAMA",
		func(s market.Series) [][]float64 {
			v := indicators.MAMA(indicators.MAMAValues{}, s.High, s.Low, 0.5, 0.05)
			return [][]float64{v.MAMA, v.FAMA}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewMAMA(0.5, 0.05)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.MAMA, u.FAMA}, []float64{p.MAMA, p.FAMA}
			}, err
		}},
	{"MFI",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.MFI(nil, s.High, s.Low, s.Close, s.Volume, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewMFI(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i], s.Volume[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i], s.Volume[i])}, []float64{p}
			}, err
		}},
	{"MSW",
		func(s market.Series) [][]float64 {
			v := indicators.MSW(indicators.MSWValues{}, s.Close, 10)
			return [][]float64{v.Sine, v.Lead}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewMSW(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Sine, u.Lead}, []float64{p.Sine, p.Lead}
			}, err
		}},
	{"MarketFacilitation",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.MarketFacilitation(nil, s.High, s.Low, s.Volume)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewMarketFacilitation()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Volume[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Volume[i])}, []float64{p}
			}, err
		}},
	{"Marubozu",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Marubozu(nil, s.Open, s.High, s.Low, s.Close, 95)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewMarubozu(95)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.Open[i], s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"MassIndex",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.MassIndex(nil, s.High, s.Low, 25, 9)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewMassIndex(25, 9)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				return []float64{v.Update(s.High[i], s.Low[i])}, []float64{p}
			}, err
		}},
	{"McGinley",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.McGinley(nil, s.Close, 14, 0.6)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewMcGinley(14, 0.6)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"MeanDeviation",
		func(s market.Series) [][]float64 {
			v := indicators.MeanDeviation(indicators.MeanDeviationValues{}, s.Close, 20)
			return [][]float64{v.MAD, v.MSE, v.MAPE}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewMeanDeviation(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.MAD, u.MSE, u.MAPE}, []float64{p.MAD, p.MSE, p.MAPE}
			}, err
		}},
	{"Median",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Median(nil, s.Close, 30)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewMedian(30)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"Momentum",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Momentum(nil, s.Close, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewMomentum(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"NATR",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.NATR(nil, s.High, s.Low, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewNATR(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"NVI",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.NVI(nil, s.Close, s.Volume)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewNVI()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i], s.Volume[i])
				return []float64{v.Update(s.Close[i], s.Volume[i])}, []float64{p}
			}, err
		}},
	{"OBV",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.OBV(nil, s.Close, s.Volume)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewOBV()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i], s.Volume[i])
				return []float64{v.Update(s.Close[i], s.Volume[i])}, []float64{p}
			}, err
		}},
	{"PDist",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.PDist(nil, s.Open, s.High, s.Low, s.Close)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPDist()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.Open[i], s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"PGO",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.PGO(nil, s.High, s.Low, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPGO(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"PMO",
		func(s market.Series) [][]float64 {
			v := indicators.PMO(indicators.PMOValues{}, s.Close, 35, 20, 10)
			return [][]float64{v.PMO, v.Signal}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPMO(35, 20, 10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.PMO, u.Signal}, []float64{p.PMO, p.Signal}
			}, err
		}},
	{"PPO",
		func(s market.Series) [][]float64 {
			v := indicators.PPO(indicators.PPOValues{}, s.Close, 12, 26, 9)
			return [][]float64{v.PPO, v.Signal, v.Histogram}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPPO(12, 26, 9)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.PPO, u.Signal, u.Histogram}, []float64{p.PPO, p.Signal, p.Histogram}
			}, err
		}},
	{"PRS",
		func(s market.Series) [][]float64 {
			v := indicators.PRS(indicators.PRSValues{}, s.High, s.Low, 20)
			return [][]float64{v.PRS, v.Percent}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPRS(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.PRS, u.Percent}, []float64{p.PRS, p.Percent}
			}, err
		}},
	{"PSL",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.PSL(nil, s.Close, 12)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPSL(12)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"PVI",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.PVI(nil, s.Close, s.Volume)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPVI()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i], s.Volume[i])
				return []float64{v.Update(s.Close[i], s.Volume[i])}, []float64{p}
			}, err
		}},
	{"PVO",
		func(s market.Series) [][]float64 {
			v := indicators.PVO(indicators.PVOValues{}, s.Volume, 12, 26, 9)
			return [][]float64{v.PVO, v.Signal, v.Histogram}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPVO(12, 26, 9)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Volume[i])
				u := v.Update(s.Volume[i])
				return []float64{u.PVO, u.Signal, u.Histogram}, []float64{p.PVO, p.Signal, p.Histogram}
			}, err
		}},
	{"PVT",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.PVT(nil, s.Close, s.Volume)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPVT()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i], s.Volume[i])
				return []float64{v.Update(s.Close[i], s.Volume[i])}, []float64{p}
			}, err
		}},
	{"PWMA",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.PWMA(nil, s.Close, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPWMA(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"ParabolicSAR",
		func(s market.Series) [][]float64 {
			v := indicators.ParabolicSAR(indicators.ParabolicSARValues{}, s.High, s.Low, 0.02, 0.2)
			return [][]float64{v.SAR, v.IsReversal}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewParabolicSAR(0.02, 0.2)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.SAR, u.IsReversal}, []float64{p.SAR, p.IsReversal}
			}, err
		}},
	{"PercentRank",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.PercentRank(nil, s.Close, 100)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPercentRank(100)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"PriceForms",
		func(s market.Series) [][]float64 {
			v := indicators.PriceForms(indicators.PriceFormsValues{}, s.Open, s.High, s.Low, s.Close)
			return [][]float64{v.HL2, v.HLC3, v.OHLC4, v.HLCC4}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPriceForms()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				return []float64{u.HL2, u.HLC3, u.OHLC4, u.HLCC4}, []float64{p.HL2, p.HLC3, p.OHLC4, p.HLCC4}
			}, err
		}},
	{"PriceVolume",
		func(s market.Series) [][]float64 {
			v := indicators.PriceVolume(indicators.PriceVolumeValues{}, s.Close, s.Volume)
			return [][]float64{v.PVOL, v.PVR}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewPriceVolume()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i], s.Volume[i])
				u := v.Update(s.Close[i], s.Volume[i])
				return []float64{u.PVOL, u.PVR}, []float64{p.PVOL, p.PVR}
			}, err
		}},
	{"QQE",
		func(s market.Series) [][]float64 {
			v := indicators.QQE(indicators.QQEValues{}, s.Close, 14, 5, 4.236)
			return [][]float64{v.QQE, v.RSIMA, v.Trend}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewQQE(14, 5, 4.236)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.QQE, u.RSIMA, u.Trend}, []float64{p.QQE, p.RSIMA, p.Trend}
			}, err
		}},
	{"QStick",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.QStick(nil, s.Open, s.Close, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewQStick(10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Open[i], s.Close[i])
				return []float64{v.Update(s.Open[i], s.Close[i])}, []float64{p}
			}, err
		}},
	{"Quantile",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Quantile(nil, s.Close, 30, 0.5)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewQuantile(30, 0.5)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"ROC",
		func(s market.Series) [][]float64 {
			v := indicators.ROC(indicators.ROCValues{}, s.Close, 14)
			return [][]float64{v.ROC, v.Momentum}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewROC(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.ROC, u.Momentum}, []float64{p.ROC, p.Momentum}
			}, err
		}},
	{"ROCBands",
		func(s market.Series) [][]float64 {
			v := indicators.ROCBands(indicators.ROCBandsValues{}, s.Close, 20, 5, 5)
			return [][]float64{v.ROC, v.EMA, v.Upper, v.Lower}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewROCBands(20, 5, 5)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.ROC, u.EMA, u.Upper, u.Lower}, []float64{p.ROC, p.EMA, p.Upper, p.Lower}
			}, err
		}},
	{"RSX",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.RSX(nil, s.Close, 14)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewRSX(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"RVGI",
		func(s market.Series) [][]float64 {
			v := indicators.RVGI(indicators.RVGIValues{}, s.Open, s.High, s.Low, s.Close, 14)
			return [][]float64{v.RVGI, v.Signal}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewRVGI(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				return []float64{u.RVGI, u.Signal}, []float64{p.RVGI, p.Signal}
			}, err
		}},
	{"RVI",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.RVI(nil, s.Close, 14, 10)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewRVI(14, 10)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				return []float64{v.Update(s.Close[i])}, []float64{p}
			}, err
		}},
	{"RangeVolatility",
		func(s market.Series) [][]float64 {
			v := indicators.RangeVolatility(indicators.RangeVolatilityValues{}, s.Open, s.High, s.Low, s.Close, 20, 252)
			return [][]float64{v.Parkinson, v.GarmanKlass, v.RogersSatchell, v.YangZhang}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewRangeVolatility(20, 252)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Parkinson, u.GarmanKlass, u.RogersSatchell, u.YangZhang}, []float64{p.Parkinson, p.GarmanKlass, p.RogersSatchell, p.YangZhang}
			}, err
		}},
	{"Returns",
		func(s market.Series) [][]float64 {
			v := indicators.Returns(indicators.ReturnsValues{}, s.Close, 1)
			return [][]float64{v.Return, v.LogReturn}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewReturns(1)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Return, u.LogReturn}, []float64{p.Return, p.LogReturn}
			}, err
		}},
	{"RollingPivots",
		func(s market.Series) [][]float64 {
			v := indicators.RollingPivots(indicators.RollingPivotsValues{}, s.High, s.Low, s.Close, 20, 0)
			return [][]float64{v.PP, v.S1, v.S2, v.S3, v.R1, v.R2, v.R3}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewRollingPivots(20, 0)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.High[i], s.Low[i], s.Close[i])
				return []float64{u.PP, u.S1, u.S2, u.S3, u.R1, u.R2, u.R3}, []float64{p.PP, p.S1, p.S2, p.S3, p.R1, p.R2, p.R3}
			}, err
		}},
	{"RollingVWAP",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.RollingVWAP(nil, s.High, s.Low, s.Close, s.Volume, 20)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewRollingVWAP(20)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i], s.Close[i], s.Volume[i])
				return []float64{v.Update(s.High[i], s.Low[i], s.Close[i], s.Volume[i])}, []float64{p}
			}, err
		}},
}
