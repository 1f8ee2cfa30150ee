package talib_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/talib"
)

func TestAFunctionOfTheRegistryAllocatesNothingWhenItsDestinationIsReused(t *testing.T) {
	if racing {
		t.Skip("pools")
	}
	columns := columnsOf(t, "spy502")
	for _, d := range talib.All() {
		in, params := inputsOf(columns, d, false), paramsOf(t, d, nil, 0)
		dst, err := d.Batch(nil, in, params)
		require.NoError(t, err)
		require.Zero(t, testing.AllocsPerRun(3, func() { dst, err = d.Batch(dst, in, params) }), d.Name)
		require.Zero(t, testing.AllocsPerRun(3, func() { dst, err = d.Batch(dst, in, nil) }), d.Name)
	}
}

func TestTheFunctionsThemselvesAllocateNothing(t *testing.T) {
	if racing {
		t.Skip("pools")
	}
	c := columnsOf(t, "spy502")
	n := len(c["close"])
	one := make([]float64, n)
	bands := talib.BBANDSValues{RealUpperBand: make([]float64, n), RealMiddleBand: make([]float64, n), RealLowerBand: make([]float64, n)}
	stoch := talib.STOCHValues{SlowK: make([]float64, n), SlowD: make([]float64, n)}
	for name, f := range map[string]func(){
		"SMA":    func() { one = talib.SMA(one, c["close"], 30) },
		"BBANDS": func() { bands = talib.BBANDS(bands, c["close"], 20, 2, 2, talib.TypeSMA) },
		"STOCH": func() {
			stoch = talib.STOCH(stoch, c["high"], c["low"], c["close"], 14, 3, talib.TypeSMA, 3, talib.TypeSMA)
		},
		"SAREXT":     func() { one = talib.SAREXT(one, c["high"], c["low"], 0, 0, 0.02, 0.02, 0.2, 0.02, 0.02, 0.2) },
		"MFI":        func() { one = talib.MFI(one, c["high"], c["low"], c["close"], c["volume"], 14) },
		"COS":        func() { one = talib.COS(one, c["close"]) },
		"CDLMATHOLD": func() { one = talib.CDLMATHOLD(one, c["open"], c["high"], c["low"], c["close"], 0.5) },
	} {
		f()
		require.Zero(t, testing.AllocsPerRun(5, f), name)
	}
	require.False(t, math.IsNaN(one[n-1]))
}

// TestLongColumnsWithHolesAreTheSameAsAStream goes beyond what is computed at
// once, with and without unknown bars in it.
func TestLongColumnsWithHolesAreTheSameAsAStream(t *testing.T) {
	columns := benchColumns()
	const bars = 3500
	for name := range columns {
		columns[name] = columns[name][:bars:bars]
	}
	holed := map[string][]float64{}
	for name, values := range columns {
		holed[name] = append([]float64(nil), values...)
	}
	for i, at := range []int{3, 700, 1024, 2047, 2900} {
		holed[[]string{"close", "high", "low", "open", "volume"}[i]][at] = math.NaN()
	}
	for _, d := range talib.All() {
		for _, c := range []map[string][]float64{columns, holed} {
			for _, scale := range []float64{1, 2.5, 37} {
				in, params := inputsOf(c, d, false), paramsOf(t, d, nil, 0)
				if d.Name == "talib:MAVP" && scale > 1 {
					continue
				}
				for i, p := range d.Params {
					if p.Integer && p.Max > 1000 && params[i] > 1 {
						params[i] = math.Floor(params[i] * scale)
					}
				}
				want, err := d.Batch(nil, in, params)
				require.NoError(t, err, d.Name)
				stream, err := d.Stream(params)
				require.NoError(t, err)
				out := make([]float64, len(d.Outputs))
				for i := range bars {
					stream.Update(row(in, i), out)
					for k := range out {
						if !same(out[k], want[k][i]) {
							t.Fatalf("%s %v output %d at bar %d: stream %v, batch %v", d.Name, params, k, i, out[k], want[k][i])
						}
					}
				}
			}
		}
	}
}

func TestADestinationMayBeTheInput(t *testing.T) {
	columns := columnsOf(t, "spy502")
	for _, d := range talib.All() {
		if len(d.Outputs) > 1 {
			continue
		}
		in := inputsOf(columns, d, false)
		want, err := d.Batch(nil, in, nil)
		require.NoError(t, err)
		for k := range in {
			own := append([][]float64(nil), in...)
			own[k] = append([]float64(nil), in[k]...)
			got, err := d.Batch([][]float64{own[k]}, own, nil)
			require.NoError(t, err)
			require.Equal(t, reflect.ValueOf(own[k]).Pointer(), reflect.ValueOf(got[0]).Pointer())
			for i := range got[0] {
				require.True(t, same(want[0][i], got[0][i]), "%s over input %d at bar %d", d.Name, k, i)
			}
		}
	}
}
