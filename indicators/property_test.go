package indicators_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

// drawSeries makes bars as markets do, now and then with gaps, spikes, flat
// stretches and (if dirty) unknown values.
func drawSeries(t *rapid.T, dirty bool) market.Series {
	n := rapid.IntRange(0, 90).Draw(t, "bars")
	bars := make([]market.Bar, n)
	price := rapid.Float64Range(1, 1e5).Draw(t, "price")
	for i := range bars {
		step := rapid.Float64Range(-0.05, 0.05).Draw(t, "step")
		if rapid.IntRange(0, 9).Draw(t, "flat") == 0 {
			step = 0
		}
		open := price
		price *= 1 + step
		reach := math.Abs(step) * price
		b := market.Bar{Open: open, High: max(open, price) + reach, Low: min(open, price) - reach/2, Close: price, Volume: 100 * math.Abs(step)}
		if dirty && rapid.IntRange(0, 15).Draw(t, "unknown") == 0 {
			hole := rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}).Draw(t, "hole")
			b.Close, b.High = hole, hole
		}
		bars[i] = b
	}
	return market.NewSeries("", market.Day, bars)
}

// drawParams draws parameters with periods that a short series can fill.
func drawParams(t *rapid.T, d indicators.Indicator) []float64 {
	params := make([]float64, len(d.Params))
	for i, p := range d.Params {
		if p.Integer {
			params[i] = float64(rapid.IntRange(int(p.Min), 30).Draw(t, p.Name))
		} else {
			params[i] = rapid.Float64Range(max(p.Min, 0.1), min(p.Max, 300)).Draw(t, p.Name)
		}
	}
	if d.Name == "MACD" && params[0] >= params[1] {
		params[0], params[1] = params[1]-1, params[0]+1
		if params[0] < 1 {
			params[0] = 1
		}
	}
	return params
}

func forEach(t *testing.T, check func(t *rapid.T, d indicators.Indicator)) {
	for _, d := range indicators.All() {
		t.Run(d.Name, func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { check(t, d) }) })
	}
}

func columns(t require.TestingT, s market.Series, d indicators.Indicator) [][]float64 {
	in, err := indicators.Columns(s, d.Inputs)
	require.NoError(t, err)
	return in
}

func bits(x float64) uint64 {
	if math.IsNaN(x) {
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(x)
}

func requireBits(t require.TestingT, want, got [][]float64, at, gotAt int) {
	for k := range want {
		require.Equal(t, bits(want[k][at]), bits(got[k][gotAt]), "output %d at bar %d: %v and %v", k, at, want[k][at], got[k][gotAt])
	}
}

func TestStreamEqualsBatchBitForBit(t *testing.T) {
	forEach(t, func(t *rapid.T, d indicators.Indicator) {
		s, params := drawSeries(t, true), drawParams(t, d)
		in := columns(t, s, d)
		want, err := d.Batch(nil, in, params)
		require.NoError(t, err)
		stream, err := d.Stream(params)
		require.NoError(t, err)
		row, out, peek := make([]float64, len(in)), make([]float64, len(want)), make([]float64, len(want))
		for range 2 { // the second time after Reset
			for i := range s.Len() {
				for k := range in {
					row[k] = in[k][i]
				}
				stream.Peek(row, peek)
				stream.Peek(row, peek)
				stream.Update(row, out)
				for k := range out {
					require.Equal(t, bits(want[k][i]), bits(out[k]), "output %d at bar %d: batch %v, stream %v", k, i, want[k][i], out[k])
					require.Equal(t, bits(out[k]), bits(peek[k]), "peek of output %d at bar %d", k, i)
				}
			}
			stream.Reset()
		}
	})
}

func TestLaterBarsChangeNothing(t *testing.T) {
	forEach(t, func(t *rapid.T, d indicators.Indicator) {
		s, params := drawSeries(t, true), drawParams(t, d)
		cut := rapid.IntRange(0, s.Len()).Draw(t, "cut")
		whole, err := d.Batch(nil, columns(t, s, d), params)
		require.NoError(t, err)
		part, err := d.Batch(nil, columns(t, s.Slice(0, cut), d), params)
		require.NoError(t, err)
		for i := range cut {
			requireBits(t, whole, part, i, i)
		}
	})
}

func TestUnknownBarsAreSteppedOver(t *testing.T) {
	forEach(t, func(t *rapid.T, d indicators.Indicator) {
		dirty, params := drawSeries(t, true), drawParams(t, d)
		var clean []market.Bar
		var at []int // where the clean bars are in the dirty series
		for i := range dirty.Len() {
			if b := dirty.Bar(i); b.Close-b.Close == 0 {
				clean, at = append(clean, b), append(at, i)
			}
		}
		want, err := d.Batch(nil, columns(t, market.NewSeries("", market.Day, clean), d), params)
		require.NoError(t, err)
		got, err := d.Batch(nil, columns(t, dirty, d), params)
		require.NoError(t, err)
		known := map[int]bool{}
		for i, j := range at {
			requireBits(t, want, got, i, j)
			known[j] = true
		}
		for j := range dirty.Len() {
			if !known[j] {
				for k := range got {
					require.True(t, math.IsNaN(got[k][j]), "an unknown bar has no value")
				}
			}
		}
	})
}

// Multiplying by a power of two is exact, so the bits of a result are those of
// the original, or of the original multiplied.
func TestScaleOfPricesCarriesOver(t *testing.T) {
	ratio := map[string]bool{"RSI": true, "ADX": true, "PlusDI": true, "MinusDI": true, "HV": true, "PercentB": true, "Bandwidth": true}
	forEach(t, func(t *rapid.T, d indicators.Indicator) {
		s, params := drawSeries(t, false), drawParams(t, d)
		scale := math.Ldexp(1, rapid.IntRange(-20, 20).Draw(t, "power"))
		in := columns(t, s, d)
		scaled := make([][]float64, len(in))
		for k := range in {
			for _, v := range in[k] {
				scaled[k] = append(scaled[k], v*scale)
			}
		}
		want, err := d.Batch(nil, in, params)
		require.NoError(t, err)
		got, err := d.Batch(nil, scaled, params)
		require.NoError(t, err)
		for k, o := range d.Outputs {
			for i := range want[k] {
				v := want[k][i]
				if !ratio[o.Name] {
					v *= scale
				}
				require.Equal(t, bits(v), bits(got[k][i]), "%s at bar %d", o.Name, i)
			}
		}
	})
}

func TestWarmupCountsTheLeadingUnknowns(t *testing.T) {
	forEach(t, func(t *rapid.T, d indicators.Indicator) {
		params := drawParams(t, d)
		if d.Name == "Bollinger" && (params[0] == 1 || params[1] == 0) {
			return // bands that meet have no %B
		}
		s := readable(200)
		out, err := d.Batch(nil, columns(t, s, d), params)
		require.NoError(t, err)
		stream, err := d.Stream(params)
		require.NoError(t, err)
		first := 0
		for k := range out {
			i := 0
			for math.IsNaN(out[k][i]) {
				i++
			}
			first = max(first, i)
		}
		require.Equal(t, first, stream.Warmup())
	})
}

// readable is a plain wave.
func readable(n int) market.Series {
	bars := make([]market.Bar, n)
	for i := range bars {
		c := 100 + 10*math.Sin(float64(i)/5) + float64(i%7)
		bars[i] = market.Bar{Open: c, High: c + 1, Low: c - 2, Close: c}
	}
	return market.NewSeries("", market.Day, bars)
}

func TestRangesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSeries(t, false)
		n := rapid.IntRange(1, 20).Draw(t, "n")
		within := func(name string, values []float64, low, high float64) {
			for i, v := range values {
				require.False(t, v < low || v > high, "%s at bar %d: %v", name, i, v)
			}
		}
		within("RSI", indicators.RSI(nil, s.Close, n), 0, 100)
		within("ATR", indicators.ATR(nil, s.High, s.Low, s.Close, n), 0, math.Inf(1))
		adx := indicators.ADX(indicators.ADXValues{}, s.High, s.Low, s.Close, n)
		within("ADX", adx.ADX, 0, 100.0000001)
		within("+DI", adx.PlusDI, 0, 100.0000001)
		within("HV", indicators.HistoricalVolatility(nil, s.Close, n+1, 252), 0, math.Inf(1))
		bb := indicators.Bollinger(indicators.BollingerValues{}, s.Close, n, 2)
		sma := indicators.SMA(nil, s.Close, n)
		for i := range bb.Middle {
			require.Equal(t, bits(sma[i]), bits(bb.Middle[i]), "the middle band is the average")
			require.False(t, bb.Upper[i] < bb.Lower[i])
		}
	})
}
