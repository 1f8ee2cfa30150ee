package indicators_test

import (
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

var typedMore = []typedRow{
	{"Drawdown",
		func(s market.Series) [][]float64 {
			v := indicators.Drawdown(indicators.DrawdownValues{}, s.Close)
			return [][]float64{v.Drawdown, v.Fraction, v.Log}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewDrawdown()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Drawdown, u.Fraction, u.Log}, []float64{p.Drawdown, p.Fraction, p.Log}
			}, err
		}},
	{"CandleZ",
		func(s market.Series) [][]float64 {
			v := indicators.CandleZ(indicators.CandleZValues{}, s.Open, s.High, s.Low, s.Close, 30)
			return [][]float64{v.Open, v.High, v.Low, v.Close}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewCandleZ(30)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				u := v.Update(s.Open[i], s.High[i], s.Low[i], s.Close[i])
				return []float64{u.Open, u.High, u.Low, u.Close}, []float64{p.Open, p.High, p.Low, p.Close}
			}, err
		}},
	{"Increasing",
		func(s market.Series) [][]float64 {
			v := indicators.Increasing(indicators.IncreasingValues{}, s.Close, 1)
			return [][]float64{v.Increasing, v.Decreasing}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewIncreasing(1)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Increasing, u.Decreasing}, []float64{p.Increasing, p.Decreasing}
			}, err
		}},
	{"DM",
		func(s market.Series) [][]float64 {
			v := indicators.DM(indicators.DMValues{}, s.High, s.Low, 14)
			return [][]float64{v.Plus, v.Minus}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewDM(14)
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u.Plus, u.Minus}, []float64{p.Plus, p.Minus}
			}, err
		}},
	{"Transforms",
		func(s market.Series) [][]float64 {
			v := indicators.Transforms(indicators.TransformsValues{}, s.Close)
			return [][]float64{v.Abs, v.Round, v.Trunc, v.Degrees, v.Radians}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			v, err := indicators.NewTransforms()
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.Close[i])
				u := v.Update(s.Close[i])
				return []float64{u.Abs, u.Round, u.Trunc, u.Degrees, u.Radians}, []float64{p.Abs, p.Round, p.Trunc, p.Degrees, p.Radians}
			}, err
		}},
	{"Crosses",
		func(s market.Series) [][]float64 {
			return [][]float64{indicators.Crosses(nil, s.High, s.Low)}
		},
		func(s market.Series) (func(i int) (update, peek []float64), error) {
			var v indicators.CrossesStream
			return func(i int) ([]float64, []float64) {
				p := v.Peek(s.High[i], s.Low[i])
				u := v.Update(s.High[i], s.Low[i])
				return []float64{u}, []float64{p}
			}, nil
		}},
}
