package indicators_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	ta "github.com/ttai-go/ttai/indicators/talib"
)

// everyName is the registry with TA-Lib's functions, with parameters that a
// short series fills.
func everyName(t *testing.T, check func(t trial, d indicators.Indicator, params []float64)) {
	for k, d := range append(indicators.All(), ta.All()...) {
		r := trial{t, rand.New(rand.NewPCG(99, uint64(k)))}
		params := drawParams(r, d)
		if strings.HasPrefix(d.Name, ta.Prefix) {
			params, _ = d.Parameters(nil)
		}
		if _, err := d.Stream(params); err != nil {
			params, _ = d.Parameters(nil)
		}
		check(r, d, params)
	}
}

// stateBars are bars for any inputs, some of them unknown in one place or all.
func stateBars(t trial, d indicators.Indicator, n int) [][]float64 {
	s := readable(n)
	in := make([][]float64, n)
	for i := range in {
		in[i] = make([]float64, len(d.Inputs))
		for k, name := range d.Inputs {
			in[i][k] = s.Close[i]
			switch name {
			case "open":
				in[i][k] = s.Open[i]
			case "high":
				in[i][k] = s.High[i]
			case "low":
				in[i][k] = s.Low[i]
			case "volume":
				in[i][k] = s.Volume[i]
			case "periods":
				in[i][k] = float64(2 + i%9)
			}
		}
		if t.IntN(12) == 0 {
			in[i][t.IntN(len(in[i]))] = nan
		}
	}
	return in
}

func snapshotOf(t require.TestingT, stream any) []byte {
	data, err := indicators.Snapshot(stream)
	require.NoError(t, err)
	return data
}

// TestPeekLeavesEveryStateAsItIs looks at the state itself, at every bar from
// the first on, with known bars, unknown ones and absurd ones.
func TestPeekLeavesEveryStateAsItIs(t *testing.T) {
	everyName(t, func(t trial, d indicators.Indicator, params []float64) {
		stream, err := d.Stream(params)
		require.NoError(t, err)
		in, out := stateBars(t, d, 80), make([]float64, len(d.Outputs))
		odd := make([]float64, len(d.Inputs))
		for i, bar := range in {
			before := snapshotOf(t, stream)
			for _, v := range []float64{nan, 3, -1e300, 0} {
				for k := range odd {
					odd[k] = bar[k]
				}
				odd[i%len(odd)] = v
				stream.Peek(odd, out)
			}
			stream.Peek(bar, out)
			require.Equal(t, before, snapshotOf(t, stream), "%s at bar %d", d.Name, i)
			stream.Update(bar, out)
		}
	})
}

// TestEveryBarCanBeRestored hands the state from stream to stream at every bar,
// those of the warm-up among them.
func TestEveryBarCanBeRestored(t *testing.T) {
	everyName(t, func(t trial, d indicators.Indicator, params []float64) {
		in := stateBars(t, d, 80)
		whole, err := d.Stream(params)
		require.NoError(t, err)
		one, err := d.Stream(params)
		require.NoError(t, err)
		two, err := d.Stream(params)
		require.NoError(t, err)
		want, got := make([]float64, len(d.Outputs)), make([]float64, len(d.Outputs))
		for i, bar := range in {
			two.Update(in[(i*7)%len(in)], got) // what it has seen does not matter
			require.NoError(t, indicators.Restore(two, snapshotOf(t, one)), d.Name)
			one, two = two, one
			whole.Update(bar, want)
			one.Update(bar, got)
			require.Equal(t, bitsOf(want), bitsOf(got), "%s at bar %d", d.Name, i)
		}
		fresh, err := d.Stream(params)
		require.NoError(t, err)
		one.Reset()
		require.Equal(t, snapshotOf(t, fresh), snapshotOf(t, one), "%s: Reset forgets all", d.Name)
	})
}

// TestAChainKeepsAndForgetsWhatItsStreamsDo: an RSI of an EMA of a TA-Lib
// function, with unknown values, restored on the way.
func TestAChainKeepsAndForgetsWhatItsStreamsDo(t *testing.T) {
	open := func() indicators.Stream {
		var streams []indicators.Stream
		for _, name := range []string{"talib:HT_TRENDLINE", "EMA", "RSI", "Bollinger"} {
			d, err := indicators.Find(name)
			require.NoError(t, err)
			stream, err := d.Stream(nil)
			require.NoError(t, err)
			streams = append(streams, stream)
		}
		chain, err := indicators.Chain(streams...)
		require.NoError(t, err)
		return chain
	}
	s := readable(400)
	s.Close[130], s.Close[300] = nan, nan
	line := ta.HT_TRENDLINE(nil, s.Close)
	want := indicators.Bollinger(indicators.BollingerValues{}, indicators.RSI(nil, indicators.EMA(nil, line, 20), 14), 20, 2)
	one, two := open(), open()
	out, peeked := make([]float64, 5), make([]float64, 5)
	for range 2 {
		for i, v := range s.Close {
			before := snapshotOf(t, one)
			one.Peek([]float64{nan}, peeked)
			one.Peek([]float64{v}, peeked)
			require.Equal(t, before, snapshotOf(t, one))
			two.Update([]float64{5}, out)
			require.NoError(t, indicators.Restore(two, before))
			one, two = two, one
			one.Update([]float64{v}, out)
			require.Equal(t, bitsOf(peeked), bitsOf(out))
			require.Equal(t, bitsOf([]float64{want.Upper[i], want.Middle[i], want.Lower[i], want.PercentB[i], want.Bandwidth[i]}), bitsOf(out), "bar %d", i)
			require.False(t, i < one.Warmup() && out[0] == out[0])
		}
		one.Reset()
		require.Equal(t, snapshotOf(t, open()), snapshotOf(t, one))
	}
	require.ErrorIs(t, indicators.Restore(one, snapshotOf(t, two)[8:]), indicators.ErrSnapshot)
}
