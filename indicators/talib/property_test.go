package talib_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/indicators/internal/spec"
	"github.com/ttai-go/ttai/indicators/talib"
)

// keeper is what every stream of the package can do.
type keeper interface {
	spec.Stream
	Snapshot() []byte
	Restore(data []byte) error
}

// drawColumns makes bars as markets do, with flat stretches, ties and, if
// dirty, unknown values.
func drawColumns(t *rapid.T, dirty bool) map[string][]float64 {
	n := rapid.IntRange(0, 110).Draw(t, "bars")
	seed := rapid.Uint64().Draw(t, "seed")
	random := func() float64 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return float64(seed>>11) / (1 << 53)
	}
	if seed == 0 {
		seed = 1
	}
	price := rapid.SampledFrom([]float64{0.5, 20, 300, 6e4}).Draw(t, "price")
	tick := price / 100
	columns := map[string][]float64{}
	for i := range n {
		open := price
		if random() < 0.8 {
			price = max(tick, price+tick*math.Round(8*random()-4))
		}
		row := map[string]float64{
			"open": open, "close": price,
			"high": max(open, price) + tick*math.Floor(4*random()), "low": min(open, price) - tick/2*math.Floor(2*random()),
			"volume": math.Floor(1000 * random()), "periods": float64(2 + i%29),
		}
		if dirty && random() < 0.06 {
			hole := []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[int(3*random())]
			row["close"], row["low"] = hole, hole
		}
		for name, v := range row {
			columns[name] = append(columns[name], v)
		}
	}
	return columns
}

// drawParams draws parameters that a short series can fill.
func drawParams(t *rapid.T, d spec.Indicator) []float64 {
	params := make([]float64, len(d.Params))
	for i, p := range d.Params {
		switch {
		case p.Integer:
			params[i] = float64(rapid.IntRange(int(p.Min), int(min(p.Max, 25))).Draw(t, p.Name))
		default:
			params[i] = rapid.Float64Range(max(p.Min, 0.01), min(p.Max, 2)).Draw(t, p.Name)
		}
	}
	if d.Name == "talib:MAVP" {
		params[0], params[1] = min(params[0], params[1]), max(params[0], params[1])
	}
	return params
}

func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}

func row(in [][]float64, i int) []float64 {
	r := make([]float64, len(in))
	for k := range in {
		r[k] = in[k][i]
	}
	return r
}

// forEach checks every function, and as one more the candlestick patterns,
// which are all made alike.
func forEach(t *testing.T, check func(t *rapid.T, d spec.Indicator)) {
	var patterns []spec.Indicator
	for _, d := range talib.All() {
		name := strings.TrimPrefix(d.Name, talib.Prefix)
		if strings.HasPrefix(name, "CDL") {
			patterns = append(patterns, d)
			continue
		}
		t.Run(name, func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { check(t, d) }) })
	}
	t.Run("CDL", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { check(t, patterns[rapid.IntRange(0, len(patterns)-1).Draw(t, "pattern")]) })
	})
}

func TestAStreamEqualsTheBatchBitForBitAndSurvivesPeekResetAndRestore(t *testing.T) {
	forEach(t, func(t *rapid.T, d spec.Indicator) {
		in := inputsOf(drawColumns(t, rapid.Bool().Draw(t, "dirty")), d, false)
		params := drawParams(t, d)
		want, err := d.Batch(nil, in, params)
		require.NoError(t, err)
		first, err := d.Stream(params)
		require.NoError(t, err)
		stream := first.(keeper)
		out, peeked := make([]float64, len(d.Outputs)), make([]float64, len(d.Outputs))
		resetAt := rapid.IntRange(0, 40).Draw(t, "reset")
		for i := range min(resetAt, len(in[0])) {
			stream.Update(row(in, i), out)
		}
		stream.Reset()
		for i := range in[0] {
			odd := row(in, i)
			for k := range odd {
				odd[k] *= 1.25
			}
			stream.Peek(odd, peeked)
			stream.Peek(row(in, i), peeked)
			if i%37 == 5 {
				other, err := d.Stream(params)
				require.NoError(t, err)
				require.NoError(t, other.(keeper).Restore(stream.Snapshot()))
				stream = other.(keeper)
			}
			stream.Update(row(in, i), out)
			for k := range out {
				if !same(out[k], want[k][i]) || !same(peeked[k], out[k]) {
					t.Fatalf("%s %v output %d at bar %d: stream %v, peek %v, batch %v", d.Name, params, k, i, out[k], peeked[k], want[k][i])
				}
			}
		}
	})
}

func TestLaterBarsChangeNothing(t *testing.T) {
	forEach(t, func(t *rapid.T, d spec.Indicator) {
		in := inputsOf(drawColumns(t, rapid.Bool().Draw(t, "dirty")), d, false)
		params := drawParams(t, d)
		all, err := d.Batch(nil, in, params)
		require.NoError(t, err)
		cut := rapid.IntRange(0, len(in[0])).Draw(t, "cut")
		short := make([][]float64, len(in))
		for k := range in {
			short[k] = in[k][:cut]
		}
		part, err := d.Batch(nil, short, params)
		require.NoError(t, err)
		for k := range part {
			for i := range part[k] {
				if !same(part[k][i], all[k][i]) {
					t.Fatalf("%s %v output %d at bar %d: %v, with later bars %v", d.Name, params, k, i, part[k][i], all[k][i])
				}
			}
		}
	})
}

func TestAnUnknownBarIsNaNAndTheNextFollowsAsIfItHadNotBeenThere(t *testing.T) {
	for _, d := range talib.All() {
		columns := columnsOf(t, "spy502")
		in := inputsOf(columns, d, false)
		clean, err := d.Batch(nil, in, nil)
		require.NoError(t, err)
		const hole = 250
		holed := make([][]float64, len(in))
		for k := range in {
			holed[k] = append(append(append([]float64{}, in[k][:hole]...), math.NaN()), in[k][hole:]...)
		}
		got, err := d.Batch(nil, holed, nil)
		require.NoError(t, err)
		for k := range got {
			require.True(t, math.IsNaN(got[k][hole]), "%s", d.Name)
			for i := range clean[k] {
				at, want := i, clean[k][i]
				if i >= hole {
					at++
				}
				// The numbers of later bars are one more.
				if strings.HasSuffix(d.Name, "INDEX") && want >= hole {
					want++
				}
				require.True(t, same(got[k][at], want), "%s at bar %d: %v, want %v", d.Name, at, got[k][at], want)
			}
		}
	}
}

func TestWarmupIsTheNumberOfLeadingBarsWithoutValue(t *testing.T) {
	columns := columnsOf(t, "spy502")
	for _, d := range talib.All() {
		for _, unstable := range []float64{0, 7} {
			params := paramsOf(t, d, nil, unstable)
			out, err := d.Batch(nil, inputsOf(columns, d, strings.HasSuffix(d.Name, "ACOS") || strings.HasSuffix(d.Name, "ASIN")), params)
			require.NoError(t, err)
			s, err := d.Stream(params)
			require.NoError(t, err)
			n := 0
			for math.IsNaN(out[0][n]) {
				n++
			}
			require.Equal(t, n, s.Warmup(), "%s %v", d.Name, params)
		}
	}
}

func TestImpossibleParametersAreRefusedByName(t *testing.T) {
	for _, d := range talib.All() {
		for i, p := range d.Params {
			for _, bad := range []float64{p.Min - 1, math.NaN(), math.Inf(1)} {
				if bad == p.Min {
					continue // too huge to subtract from
				}
				params := paramsOf(t, d, nil, 0)
				params[i] = bad
				_, err := d.Batch(nil, make([][]float64, len(d.Inputs)), params)
				var field *talib.FieldError
				require.ErrorAs(t, err, &field, "%s %s = %v", d.Name, p.Name, bad)
				require.Equal(t, p.Name, field.Field)
				_, err = d.Stream(params)
				require.ErrorAs(t, err, &field)
			}
		}
	}
}

func TestARestoreOfAnotherFunctionsSnapshotIsRefused(t *testing.T) {
	sma, _ := talib.Lookup("SMA")
	long, err := sma.Stream([]float64{50})
	require.NoError(t, err)
	short, err := sma.Stream([]float64{10})
	require.NoError(t, err)
	var field *talib.FieldError
	require.ErrorAs(t, short.(keeper).Restore(long.(keeper).Snapshot()), &field)
}

func TestAllHas161FunctionsAndLookupFindsEach(t *testing.T) {
	all := talib.All()
	require.Len(t, all, 161)
	seen := map[string]bool{}
	for _, d := range all {
		require.False(t, seen[d.Name], d.Name)
		seen[d.Name] = true
		require.NotEmpty(t, d.Summary)
		for _, name := range []string{d.Name, strings.ToLower(d.Name), strings.TrimPrefix(d.Name, talib.Prefix)} {
			found, ok := talib.Lookup(name)
			require.True(t, ok, name)
			require.Equal(t, d.Name, found.Name)
		}
	}
	_, ok := talib.Lookup("NOPE")
	require.False(t, ok)
}
