package indicators_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

// A trial is one round of a property with its own random numbers.
type trial struct {
	*testing.T
	*rand.Rand
}

func (t trial) between(low, high int) int { return low + t.IntN(high-low+1) }

func (t trial) within(low, high float64) float64 { return low + (high-low)*t.Float64() }

// drawSeries makes bars as markets do, now and then with gaps, spikes, flat
// stretches and (if dirty) unknown values.
func drawSeries(t trial, dirty bool) market.Series {
	bars := make([]market.Bar, t.between(0, 160))
	price := t.within(1, 1e5)
	for i := range bars {
		step := t.within(-0.05, 0.05)
		if t.IntN(10) == 0 {
			step = 0
		}
		open := price * (1 + t.within(-0.01, 0.01))
		price *= 1 + step
		reach := math.Abs(step) * price
		b := market.Bar{Open: open, High: max(open, price) + reach, Low: min(open, price) - reach/2, Close: price, Volume: float64(t.IntN(1e6))}
		if dirty && t.IntN(16) == 0 {
			hole := []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[t.IntN(3)]
			b = market.Bar{Open: hole, High: hole, Low: math.NaN(), Close: hole, Volume: hole}
		}
		bars[i] = b
	}
	return market.NewSeries("", market.Day, bars)
}

// drawParams draws parameters with periods that a short series can fill.
func drawParams(t trial, d indicators.Indicator) []float64 {
	params := make([]float64, len(d.Params))
	for i, p := range d.Params {
		if p.Integer {
			params[i] = float64(t.between(int(p.Min), int(min(p.Max, max(p.Min+3, 14)))))
		} else {
			params[i] = t.within(max(p.Min, min(0.1, p.Max)), min(p.Max, 300))
		}
	}
	if d.Name == "MACD" && params[0] >= params[1] {
		params[0], params[1] = max(params[1]-1, 1), params[0]+1
	}
	return params
}

// rounds is how often each indicator is tried with other bars and parameters.
const rounds = 6

func forEach(t *testing.T, check func(t trial, d indicators.Indicator)) {
	for k, d := range indicators.All() {
		t.Run(d.Name, func(t *testing.T) {
			for round := range rounds {
				check(trial{t, rand.New(rand.NewPCG(uint64(k), uint64(round)))}, d)
			}
		})
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

// requireBits is fast where all is well: it is called a million times.
func requireBits(t trial, want, got [][]float64, at, gotAt int) {
	for k := range want {
		if bits(want[k][at]) != bits(got[k][gotAt]) {
			require.FailNow(t, "different", "output %d at bar %d: %v and %v", k, at, want[k][at], got[k][gotAt])
		}
	}
}

// row copies bar i of the columns.
func row(in [][]float64, i int, to []float64) []float64 {
	for k := range in {
		to[k] = in[k][i]
	}
	return to
}

func asColumns(values []float64) [][]float64 {
	c := make([][]float64, len(values))
	for k := range values {
		c[k] = values[k : k+1]
	}
	return c
}

func TestStreamEqualsBatchBitForBit(t *testing.T) {
	forEach(t, func(t trial, d indicators.Indicator) {
		s, params := drawSeries(t, true), drawParams(t, d)
		in := columns(t, s, d)
		want, err := d.Batch(nil, in, params)
		require.NoError(t, err)
		stream, err := d.Stream(params)
		require.NoError(t, err)
		bar, out, peek := make([]float64, len(in)), make([]float64, len(want)), make([]float64, len(want))
		for range 2 { // the second time after Reset
			for i := range s.Len() {
				stream.Peek(row(in, i, bar), peek)
				stream.Peek(bar, peek)
				stream.Update(bar, out)
				requireBits(t, want, asColumns(out), i, 0)
				requireBits(t, want, asColumns(peek), i, 0)
			}
			stream.Reset()
		}
	})
}

func TestRestoredStreamsGoOnWhereTheyWere(t *testing.T) {
	restored := 0
	forEach(t, func(t trial, d indicators.Indicator) {
		s, params := drawSeries(t, true), drawParams(t, d)
		in := columns(t, s, d)
		want, err := d.Batch(nil, in, params)
		require.NoError(t, err)
		stream, err := d.Stream(params)
		require.NoError(t, err)
		bar, out := make([]float64, len(in)), make([]float64, len(want))
		cut := t.between(0, s.Len())
		for i := range cut {
			stream.Update(row(in, i, bar), out)
		}
		kept, err := indicators.Snapshot(stream)
		require.NoError(t, err)
		again, err := d.Stream(params)
		require.NoError(t, err)
		for i := range min(cut, 3) { // what it has seen before does not matter
			again.Update(row(in, i, bar), out)
		}
		require.NoError(t, indicators.Restore(again, kept))
		for i := cut; i < s.Len(); i++ {
			again.Update(row(in, i, bar), out)
			requireBits(t, want, asColumns(out), i, 0)
		}
		require.ErrorIs(t, indicators.Restore(again, append(kept, 1)), indicators.ErrSnapshot)
		restored++
	})
	require.Equal(t, rounds*len(indicators.All()), restored)
}

func TestLaterBarsChangeNothing(t *testing.T) {
	forEach(t, func(t trial, d indicators.Indicator) {
		s, params := drawSeries(t, true), drawParams(t, d)
		cut := t.between(0, s.Len())
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
	forEach(t, func(t trial, d indicators.Indicator) {
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

func TestEveryParameterHasLimitsThatHold(t *testing.T) {
	s := readable(30)
	for _, d := range indicators.All() {
		in := columns(t, s, d)
		for i, p := range d.Params {
			bad := []float64{p.Min - 1, p.Max + 1, nan, math.Inf(1), math.Inf(-1)}
			if p.Integer {
				bad = append(bad, p.Min+0.5)
			}
			for _, v := range bad {
				params, err := d.Parameters(nil)
				require.NoError(t, err)
				params[i] = v
				_, err = d.Batch(nil, in, params)
				var refused *indicators.FieldError
				require.ErrorAs(t, err, &refused, "%s %s=%v", d.Name, p.Name, v)
				require.Equal(t, p.Name, refused.Field, d.Name)
				_, err = d.Stream(params)
				require.ErrorAs(t, err, &refused, d.Name)
			}
		}
	}
}

func TestStreamsAllocateNothing(t *testing.T) {
	s := readable(100)
	for _, d := range indicators.All() {
		in := columns(t, s, d)
		stream, err := d.Stream(nil)
		require.NoError(t, err)
		bar, out := row(in, 50, make([]float64, len(in))), make([]float64, len(d.Outputs))
		stream.Peek(bar, out)
		require.Zero(t, testing.AllocsPerRun(100, func() { stream.Update(bar, out); stream.Peek(bar, out) }), d.Name)
	}
}

// Absurd but finite bars may give absurd results; they end nothing.
func TestAbsurdBarsDoNotPanic(t *testing.T) {
	absurd := []float64{0, -5, 1e-308, 1e300, -1e300, math.MaxFloat64, 5e-324, 1}
	forEach(t, func(t trial, d indicators.Indicator) {
		n := t.between(1, 200)
		in := make([][]float64, len(d.Inputs))
		for k := range in {
			for range n {
				in[k] = append(in[k], absurd[t.IntN(len(absurd))])
			}
		}
		params := drawParams(t, d)
		out, err := d.Batch(nil, in, params)
		require.NoError(t, err)
		stream, err := d.Stream(params)
		require.NoError(t, err)
		bar, got := make([]float64, len(in)), make([]float64, len(out))
		for i := range n {
			stream.Update(row(in, i, bar), got)
			requireBits(t, out, asColumns(got), i, 0)
		}
	})
}

func TestEveryDestinationIsReused(t *testing.T) {
	s := readable(100)
	for _, d := range indicators.All() {
		in := columns(t, s, d)
		first, err := d.Batch(nil, in, nil)
		require.NoError(t, err)
		want := make([][]uint64, len(first))
		for k := range first {
			want[k] = bitsOf(first[k])
			require.Len(t, first[k], s.Len())
		}
		again, err := d.Batch(first, in, nil)
		require.NoError(t, err)
		for k := range again {
			require.Same(t, &first[k][0], &again[k][0], d.Name)
			require.Equal(t, want[k], bitsOf(again[k]), d.Name)
		}
		params, err := d.Parameters(nil)
		require.NoError(t, err)
		if !racing {
			require.Zero(t, testing.AllocsPerRun(3, func() { again, err = d.Batch(again, in, params) }), "%s: a repeated run allocates", d.Name)
		}
		require.NoError(t, err)
		none, err := d.Batch(nil, columns(t, s.Slice(0, 0), d), nil)
		require.NoError(t, err)
		require.Empty(t, none[0], d.Name)
	}
}

// Multiplying by a power of two is exact, so the bits of a result are those of
// the original, or of the original multiplied.
func TestScaleOfPricesCarriesOver(t *testing.T) {
	ratio := map[string]bool{"RSI": true, "ADX": true, "PlusDI": true, "MinusDI": true, "HV": true, "PercentB": true, "Bandwidth": true, "Width": true, "Trend": true}
	prices := []string{"ADX", "ATR", "Bollinger", "EMA", "HistoricalVolatility", "MACD", "RSI", "SMA", "WMA", "HMA", "Keltner", "Donchian", "Ichimoku", "SuperTrend"}
	forEach(t, func(t trial, d indicators.Indicator) {
		if !slices.Contains(prices, d.Name) {
			return
		}
		s, params := drawSeries(t, false), drawParams(t, d)
		scale := math.Ldexp(1, t.between(-20, 20))
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
	s := readable(900)
	forEach(t, func(t trial, d indicators.Indicator) {
		params := drawParams(t, d)
		if d.Name == "BRAR" {
			params[0] = 26 // over fewer bars, a rising wave has nothing to divide by
		}
		if d.Name == "Bollinger" && (params[0] == 1 || params[1] == 0) {
			return // bands that meet have no %B
		}
		out, err := d.Batch(nil, columns(t, s, d), params)
		require.NoError(t, err)
		stream, err := d.Stream(params)
		require.NoError(t, err)
		first := 0
		for k := range out {
			if d.Outputs[k].Sparse {
				continue
			}
			i := 0
			for i < len(out[k]) && math.IsNaN(out[k][i]) {
				i++
			}
			first = max(first, i)
		}
		if !d.Outputs[0].Sparse {
			require.Equal(t, first, stream.Warmup(), "%v", params)
		}
	})
}

// readable is a plain wave.
func readable(n int) market.Series {
	bars := make([]market.Bar, n)
	for i := range bars {
		c := 100 + 10*math.Sin(float64(i)/5) + float64(i%7)
		bars[i] = market.Bar{Open: c + math.Cos(float64(i)), High: c + 1, Low: c - 2, Close: c, Volume: 1000 + 100*float64(i%11)}
	}
	return market.NewSeries("", market.Day, bars)
}

func TestRangesHold(t *testing.T) {
	for round := range 200 {
		t := trial{t, rand.New(rand.NewPCG(77, uint64(round)))}
		s, n := drawSeries(t, false), t.between(1, 20)
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
	}
}
