package indicators_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	ta "github.com/ttai-go/ttai/indicators/talib"
)

// TestASnapshotOfOtherParametersIsRefused: an EMA of 10 keeps as much as one of
// 20, and would go on with the other's values.
func TestASnapshotOfOtherParametersIsRefused(t *testing.T) {
	s := readable(60)
	for _, d := range append(indicators.All(), ta.All()...) {
		params, err := d.Parameters(nil)
		require.NoError(t, err)
		for k := range params {
			other := append([]float64{}, params...)
			if other[k]++; other[k] > d.Params[k].Max {
				other[k] -= 2
			}
			if other[k] < d.Params[k].Min {
				other[k] = d.Params[k].Min
			}
			if _, err := d.Stream(other); err != nil || other[k] == params[k] {
				continue // impossible with the rest
			}
			one, err := d.Stream(params)
			require.NoError(t, err)
			two, err := d.Stream(other)
			require.NoError(t, err)
			in, out := make([]float64, len(d.Inputs)), make([]float64, len(d.Outputs))
			for i := range s.Len() {
				for k := range in {
					in[k] = s.Close[i]
				}
				one.Update(in, out)
				two.Update(in, out)
			}
			kept, err := indicators.Snapshot(one)
			require.NoError(t, err)
			before, err := indicators.Snapshot(two)
			require.NoError(t, err)
			require.Error(t, indicators.Restore(two, kept), "%s %v into %v", d.Name, params, other)
			after, err := indicators.Snapshot(two)
			require.NoError(t, err)
			require.Equal(t, before, after, "%s: a refused snapshot changes nothing", d.Name)
		}
	}
}

func TestASnapshotOfAnotherIndicatorIsRefused(t *testing.T) {
	kept := map[string][]byte{}
	open := func(d indicators.Indicator) indicators.Stream {
		stream, err := d.Stream(nil)
		require.NoError(t, err)
		return stream
	}
	all := append(indicators.All(), ta.All()...)
	for _, d := range all {
		data, err := indicators.Snapshot(open(d))
		require.NoError(t, err)
		kept[d.Name] = data
	}
	sizes := map[int][]string{}
	for _, d := range all {
		sizes[len(kept[d.Name])] = append(sizes[len(kept[d.Name])], d.Name)
	}
	tried := 0
	for _, d := range all {
		for _, name := range sizes[len(kept[d.Name])] {
			if name != d.Name {
				require.Error(t, indicators.Restore(open(d), kept[name]), "%s into %s", name, d.Name)
				tried++
			}
		}
	}
	require.Greater(t, tried, 100, "many keep equally much")
}

// TestTypedStreamsTakeSnapshotsOfTheirOwnOnly: those of constructors, too, know
// their parameters.
func TestTypedStreamsTakeSnapshotsOfTheirOwnOnly(t *testing.T) {
	short, err := indicators.NewATR(10)
	require.NoError(t, err)
	long, err := indicators.NewATR(20)
	require.NoError(t, err)
	d, err := indicators.Find("ATR")
	require.NoError(t, err)
	kept, err := indicators.Snapshot(short)
	require.NoError(t, err)
	require.ErrorIs(t, indicators.Restore(long, kept), indicators.ErrSnapshot)
	again, err := d.Stream([]float64{10})
	require.NoError(t, err)
	kept, err = indicators.Snapshot(again)
	require.NoError(t, err)
	again, err = d.Stream([]float64{11})
	require.NoError(t, err)
	require.ErrorIs(t, indicators.Restore(again, kept), indicators.ErrSnapshot)
}
