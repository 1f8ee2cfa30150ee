package indicators_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	talibs "github.com/ttai-go/ttai/indicators/talib"
	"github.com/ttai-go/ttai/market"
)

// registry is everything that can be found by name: the book's and TA-Lib's.
var registry = sync.OnceValue(func() []indicators.Indicator { return append(indicators.All(), talibs.All()...) })

// parametersFrom reads parameters from bytes: of each, whether it is the default,
// one in range, one at an end of it, or one that is impossible.
func parametersFrom(d indicators.Indicator, choice []byte) []float64 {
	params := make([]float64, len(d.Params))
	for i, p := range d.Params {
		var b byte
		if i < len(choice) {
			b = choice[i]
		}
		small := min(p.Max, p.Min+float64(b>>3))
		switch b % 8 {
		case 0:
			params[i] = p.Default
		case 1:
			params[i] = p.Min
		case 2:
			params[i] = []float64{math.NaN(), math.Inf(1), p.Min - 1, 0.5 + p.Min, p.Max + 1}[int(b>>3)%5]
		case 3:
			params[i] = small / 3
		default:
			params[i] = small
		}
	}
	return params
}

// pricesFrom makes bars of bytes: steps of a price, now and then unknown or absurd.
func pricesFrom(raw []byte) market.Series {
	bars := make([]market.Bar, len(raw))
	price := 100.0
	for i, b := range raw {
		open := price
		switch {
		case b == 255:
			price = math.NaN()
		case b == 254:
			price = 1e300
		case b == 253:
			price = -price
		case b == 252:
			price = 0
		default:
			price *= 1 + (float64(b%64)-32)/1000
		}
		reach := float64(b>>6) / 100 * math.Abs(price)
		bars[i] = market.Bar{Open: open, High: max(open, price) + reach, Low: min(open, price) - reach/2, Close: price, Volume: float64(b) * 10}
		if price != price {
			price = open
		}
	}
	return market.NewSeries("", market.Day, bars)
}

func inputsFrom(s market.Series, d indicators.Indicator) [][]float64 {
	var in [][]float64
	for _, name := range d.Inputs {
		if name == "periods" {
			periods := make([]float64, s.Len())
			for i := range periods {
				periods[i] = float64(2 + i%29)
			}
			in = append(in, periods)
			continue
		}
		column, err := indicators.Columns(s, []string{name})
		if err != nil {
			return nil
		}
		in = append(in, column...)
	}
	return in
}

// Whatever the indicator, its parameters and the bars: nothing panics, a refusal
// names a parameter, results are as long as the inputs, nothing is known in the
// warm-up, a peek leaves no trace, and stream and batch have the same bits.
func FuzzRegistry(f *testing.F) {
	for which := range len(registry()) {
		r := rand.New(rand.NewPCG(9, uint64(which)))
		if which%7 != 0 {
			continue // the seeds run with every test
		}
		raw, choice := make([]byte, 80), make([]byte, 6)
		for i := range raw {
			raw[i] = byte(r.IntN(252))
		}
		for i := range choice {
			choice[i] = byte(r.IntN(256))
		}
		raw[40] = byte(252 + r.IntN(4))
		f.Add(uint16(which), choice, raw)
	}
	negative := slices.IndexFunc(registry(), func(d indicators.Indicator) bool { return d.Name == "talib:STDDEV" })
	f.Add(uint16(negative), []byte("01"), []byte("\xfc0000")) // a deviation of 0 times a negative factor
	f.Fuzz(func(t *testing.T, which uint16, choice, raw []byte) {
		if len(raw) > 2000 {
			return
		}
		d := registry()[int(which)%len(registry())]
		params, s := parametersFrom(d, choice), pricesFrom(raw)
		in := inputsFrom(s, d)
		want, err := d.Batch(nil, in, params)
		stream, refused := d.Stream(params)
		require.Equal(t, err == nil, refused == nil, d.Name)
		if err != nil {
			var field *indicators.FieldError
			require.ErrorAs(t, err, &field, d.Name)
			require.True(t, slices.ContainsFunc(d.Params, func(p indicators.Param) bool { return p.Name == field.Field }), "%s refuses %s", d.Name, field.Field)
			return
		}
		t.Log(d.Name, params)
		bar, out, peeked, odd := make([]float64, len(in)), make([]float64, len(want)), make([]float64, len(want)), make([]float64, len(in))
		for k := range want {
			require.Len(t, want[k], s.Len())
		}
		known := slices.Repeat([]bool{false}, len(want))
		for i := range s.Len() {
			row(in, i, bar)
			for k := range odd {
				odd[k] = bar[k]*1.5 + 1
			}
			stream.Peek(odd, peeked)
			stream.Peek(bar, peeked)
			stream.Update(bar, out)
			requireBits(trial{T: t}, want, asColumns(out), i, 0)
			requireBits(trial{T: t}, want, asColumns(peeked), i, 0)
			all := true
			for k := range out {
				known[k] = known[k] || !math.IsNaN(out[k])
				all = all && known[k]
			}
			require.False(t, all && i < stream.Warmup(), "%s %v: everything known at bar %d, in the warm-up", d.Name, params, i)
		}
	})
}

// FuzzFind: no text makes the search panic, and what it finds answers to its name.
func FuzzFind(f *testing.F) {
	for _, name := range []string{"RSI", "talib:rsi", "", "talib:", "bolinger", " %R ", "TALIB:CDL2CROWS", "\xff"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		d, err := indicators.Find(name)
		if err != nil {
			var refused *indicators.FieldError
			require.ErrorAs(t, err, &refused)
			return
		}
		again, ok := indicators.Lookup(d.Name)
		require.True(t, ok)
		require.Equal(t, d.Name, again.Name)
	})
}

// On bars that move in both directions and have a range and a volume, everything
// is known from the end of the warm-up on, but what is sparse by nature.
func TestNothingIsUnknownAfterTheWarmup(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var list []market.Bar
	price := 100.0
	for range 900 {
		open := price * (1 + 0.004*(r.Float64()-0.5))
		price *= 1 + 0.03*(r.Float64()-0.5)
		list = append(list, market.Bar{Open: open, High: max(open, price) * (1 + 0.01*r.Float64()), Low: min(open, price) * (1 - 0.01*r.Float64()), Close: price, Volume: 1000 * (1 + r.Float64())})
	}
	s := market.NewSeries("", market.Day, list)
	for _, d := range registry() {
		in := inputsFrom(s, d)
		if slices.Contains([]string{"talib:ACOS", "talib:ASIN", "talib:LN", "talib:LOG10", "talib:SQRT"}, d.Name) {
			in = [][]float64{make([]float64, s.Len())} // of what they are defined for
			for i := range in[0] {
				in[0][i] = 0.01 + 0.98*float64(i)/float64(s.Len())
			}
		}
		out, err := d.Batch(nil, in, nil)
		require.NoError(t, err)
		stream, err := d.Stream(nil)
		require.NoError(t, err)
		require.Less(t, stream.Warmup(), s.Len(), d.Name)
		for k, o := range d.Outputs {
			if o.Sparse {
				continue
			}
			for i := stream.Warmup(); i < s.Len(); i++ {
				if math.IsNaN(out[k][i]) || math.IsInf(out[k][i], 0) {
					t.Errorf("%s %s at bar %d is %v", d.Name, o.Name, i, out[k][i])
					break
				}
			}
		}
	}
}

// Bars in reverse have nothing to do with it: an indicator sees columns, and
// what it gives for a bar depends on no later one. Checked on every cut of short
// series, for all that can be found by name.
func TestNoNameLooksAhead(t *testing.T) {
	for k, d := range registry() {
		t := trial{t, rand.New(rand.NewPCG(21, uint64(k)))}
		s := drawSeries(t, true)
		in := inputsFrom(s, d)
		whole, err := d.Batch(nil, in, nil)
		require.NoError(t, err)
		for cut := 0; cut < s.Len(); cut += 1 + t.IntN(17) {
			short := make([][]float64, len(in))
			for c := range in {
				short[c] = in[c][:cut]
			}
			part, err := d.Batch(nil, short, nil)
			require.NoError(t, err)
			for i := range cut {
				requireBits(t, whole, part, i, i)
			}
		}
	}
}

func TestEveryNameIsOneOfAKind(t *testing.T) {
	seen := map[string]string{}
	for _, d := range registry() {
		require.NotEmpty(t, d.Summary, d.Name)
		require.NotEmpty(t, d.Outputs, d.Name)
		require.NotEmpty(t, d.Inputs, d.Name)
		for _, name := range append([]string{d.Name}, d.Aliases...) {
			key := strings.ToLower(name)
			require.NotContains(t, seen, key, "%s and %s", d.Name, seen[key])
			seen[key] = d.Name
			found, ok := indicators.Lookup(name)
			require.True(t, ok, name)
			require.Equal(t, d.Name, found.Name, name)
		}
		params := map[string]bool{}
		for _, p := range d.Params {
			require.False(t, params[strings.ToLower(p.Name)], "%s has %s twice", d.Name, p.Name)
			params[strings.ToLower(p.Name)] = true
			require.True(t, p.Min <= p.Default && p.Default <= p.Max, "%s %s", d.Name, p.Name)
			require.True(t, p.Choices == nil || p.Integer && len(p.Choices) == int(p.Max-p.Min)+1, "%s %s", d.Name, p.Name)
		}
		outputs := map[string]bool{}
		for _, o := range d.Outputs {
			require.False(t, outputs[strings.ToLower(o.Name)], "%s has %s twice", d.Name, o.Name)
			outputs[strings.ToLower(o.Name)] = true
		}
	}
}
