package indicators_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
)

// Long windows are kept in another way than short ones.
func TestLongWindowsStreamBitForBitAlsoPeekedAndRestored(t *testing.T) {
	x := hardSets(4000)["1e6 and cents"]
	for name, params := range map[string][]float64{
		"CCI": {300}, "talib:CCI": {300}, "talib:AVGDEV": {700}, "MeanDeviation": {300},
		"Median": {1500}, "Quantile": {1500, 0.3}, "PercentRank": {1500},
	} {
		d, err := indicators.Find(name)
		require.NoError(t, err)
		in := make([][]float64, len(d.Inputs))
		for k := range in {
			in[k] = x
		}
		want, err := d.Batch(nil, in, params)
		require.NoError(t, err)
		stream, err := d.Stream(params)
		require.NoError(t, err)
		bar, out := make([]float64, len(in)), make([]float64, len(want))
		for i, v := range x {
			if i == 2222 {
				data, err := indicators.Snapshot(stream)
				require.NoError(t, err)
				stream, err = d.Stream(params)
				require.NoError(t, err)
				require.NoError(t, indicators.Restore(stream, data))
			}
			for k := range bar {
				bar[k] = v + 1
			}
			if i%37 == 0 {
				stream.Peek(bar, out)
			}
			for k := range bar {
				bar[k] = v
			}
			stream.Update(bar, out)
			for k := range out {
				require.Equal(t, bits(want[k][i]), bits(out[k]), "%s at bar %d", name, i)
			}
		}
	}
}
