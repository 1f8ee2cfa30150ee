package indicators_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

// A typedRow calls a function and its stream with the usual parameters.
type typedRow struct {
	name   string
	batch  func(s market.Series) [][]float64
	stream func(s market.Series) (func(i int) (update, peek []float64), error)
}

func TestFunctionsAndStreamsAreWhatTheRegistryComputes(t *testing.T) {
	s := readBars(t, "spy502.csv")
	named := map[string]bool{"ADX": true, "ATR": true, "Bollinger": true, "EMA": true, "HistoricalVolatility": true, "MACD": true, "RSI": true, "SMA": true}
	for _, row := range slices.Concat(typedAToC, typedDToL, typedMToR, typedSToZ, typedMore) {
		named[row.name] = true
		d, err := indicators.Find(row.name)
		require.NoError(t, err)
		want, err := d.Batch(nil, columns(t, s, d), nil)
		require.NoError(t, err)
		got := row.batch(s)
		require.Len(t, got, len(want), row.name)
		step, err := row.stream(s)
		require.NoError(t, err, row.name)
		for k := range want {
			require.Equal(t, bitsOf(want[k]), bitsOf(got[k]), "%s %s", row.name, d.Outputs[k].Name)
		}
		for i := range s.Len() {
			update, peek := step(i)
			for k := range want {
				if bits(want[k][i]) != bits(update[k]) || bits(update[k]) != bits(peek[k]) {
					require.FailNow(t, "different", "%s %s at bar %d: %v, %v, %v", row.name, d.Outputs[k].Name, i, want[k][i], update[k], peek[k])
				}
			}
		}
	}
	for _, d := range indicators.All() {
		require.True(t, named[d.Name], "%s has a function and a stream of its own", d.Name)
	}
}
