package talib_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/talib"
)

func batch(t *testing.T, name string, in []float64, params ...float64) []float64 {
	t.Helper()
	d, ok := talib.Lookup(name)
	require.True(t, ok)
	out, err := d.Batch(nil, [][]float64{in}, params)
	require.NoError(t, err)
	return out[0]
}

func TestMetastocksAverageBeginsWithTheFirstValue(t *testing.T) {
	// k = 1/2: 2, then 2+(4-2)/2 = 3, then 3+(8-3)/2 = 5.5, then 5.5+(1-5.5)/2 = 3.25.
	got := batch(t, "EMA", []float64{2, 4, 8, 1}, 3, 0, 1)
	require.True(t, math.IsNaN(got[0]) && math.IsNaN(got[1]))
	require.Equal(t, []float64{5.5, 3.25}, got[2:])
	classic := batch(t, "EMA", []float64{2, 4, 8, 1}, 3, 0, 0)
	require.InDelta(t, 14.0/3, classic[2], 1e-15)
}

func TestMetastocksRSIBeginsOneBarEarlierAndIsThenTheSame(t *testing.T) {
	x := []float64{10, 11, 10.5, 12, 11, 13, 12.5}
	classic, metastock := batch(t, "RSI", x, 3, 0, 0), batch(t, "RSI", x, 3, 0, 1)
	require.True(t, math.IsNaN(classic[2]))
	require.InDelta(t, 100*1/1.5, metastock[2], 1e-12, "one up of 1 and one down of 0.5")
	require.Equal(t, classic[3:], metastock[3:])
}

func TestAnUnstablePeriodHidesFirstValuesAndChangesNoOther(t *testing.T) {
	columns := columnsOf(t, "spy502")
	all, late := batch(t, "RSI", columns["close"], 14, 0, 0), batch(t, "RSI", columns["close"], 14, 20, 0)
	for i := range all {
		if i < 34 {
			require.True(t, math.IsNaN(late[i]))
			continue
		}
		require.Equal(t, all[i], late[i])
	}
}

func TestAStreamAllocatesNothing(t *testing.T) {
	columns := columnsOf(t, "spy502")
	for _, d := range talib.All() {
		s, err := d.Stream(nil)
		require.NoError(t, err)
		in, out := row(inputsOf(columns, d, false), 100), make([]float64, len(d.Outputs))
		for range 100 { // the tables of cycles and the tape of Peek grow once
			s.Update(in, out)
			s.Peek(in, out)
		}
		require.Zero(t, testing.AllocsPerRun(50, func() {
			s.Update(in, out)
			s.Peek(in, out)
		}), d.Name)
	}
}

func TestShortAndEmptySeriesHaveNoValues(t *testing.T) {
	for _, d := range talib.All() {
		s, err := d.Stream(nil)
		require.NoError(t, err)
		for _, n := range []int{0, s.Warmup()} {
			in := make([][]float64, len(d.Inputs))
			for k := range in {
				in[k] = make([]float64, n)
			}
			out, err := d.Batch(nil, in, nil)
			require.NoError(t, err, d.Name)
			for k := range out {
				require.Len(t, out[k], n)
				for _, v := range out[k] {
					require.True(t, math.IsNaN(v), "%s of %d bars", d.Name, n)
				}
			}
		}
	}
}
