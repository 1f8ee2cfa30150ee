package indicators

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/ttai-go/ttai/indicators/internal/spec"
	"github.com/ttai-go/ttai/indicators/talib"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/nearest"
	"github.com/ttai-go/ttai/market"
)

// All returns a description of every indicator, by name. The slice is the
// caller's own. TA-Lib's functions are not among them: [Lookup] finds them as
// "talib:RSI", and talib.All lists them.
func All() []Indicator { return slices.Clone(bookEntries()) }

// bookEntries are those of the book, by name. They are made once and never
// written to.
var bookEntries = sync.OnceValue(func() []Indicator {
	all := []Indicator{
		smaIndicator(), emaIndicator(), rsiIndicator(), macdIndicator(), bollingerIndicator(),
		atrIndicator(), adxIndicator(), volatilityIndicator(),
	}
	all = append(all, book()...)
	for i, d := range all {
		all[i].Aliases = slices.Concat(d.Aliases, otherNames[d.Name])
	}
	slices.SortFunc(all, func(a, b Indicator) int { return strings.Compare(a.Name, b.Name) })
	return all
})

// byName finds the book's entries by the keys of their names.
var byName = sync.OnceValue(func() map[string]Indicator {
	table := map[string]Indicator{}
	for _, d := range bookEntries() {
		for _, name := range append([]string{d.Name}, d.Aliases...) {
			table[nameKey(name)] = d
		}
	}
	return table
})

// nameKey is a name without the differences of writing: "ATR stop", "atr-stop"
// and "ATRStop" are one.
func nameKey(name string) string {
	return strings.Map(func(c rune) rune {
		if c == ' ' || c == '-' || c == '_' {
			return -1
		}
		return unicode.ToLower(c)
	}, name)
}

// Lookup returns the indicator of that name or alias, in any case, with or without
// spaces, hyphens and underscores. A name that only TA-Lib has, such as HT_SINE or
// CDLDOJI, finds TA-Lib's function without "talib:" too. See [Find] for one that
// helps with a misspelt name.
func Lookup(name string) (Indicator, bool) {
	name = strings.TrimSpace(name)
	if len(name) > len(talib.Prefix) && strings.EqualFold(name[:len(talib.Prefix)], talib.Prefix) {
		return talib.Lookup(name)
	}
	if d, ok := byName()[nameKey(name)]; ok {
		return d, true
	}
	return talib.Lookup(name)
}

// Find is [Lookup] with a *[FieldError] when there is none of that name. The
// error names the one that was probably meant.
func Find(name string) (Indicator, error) {
	if d, ok := Lookup(name); ok {
		return d, nil
	}
	var names []string
	for _, d := range append(All(), talib.All()...) {
		names = append(append(names, d.Name), d.Aliases...)
	}
	if meant := nearest.Of(strings.TrimSpace(name), names); meant != "" {
		return Indicator{}, invalid.Fieldf("indicator", name, "the name of an indicator; did you mean %s?", meant)
	}
	return Indicator{}, invalid.Field("indicator", name, "the name of an indicator, such as RSI or MACD")
}

// Columns returns the columns of s that inputs name (open, high, low, close,
// volume), without copying, or a *[FieldError] for another name.
func Columns(s market.Series, inputs []string) ([][]float64, error) {
	columns := make([][]float64, 0, len(inputs))
	for _, name := range inputs {
		switch strings.ToLower(name) {
		case "open":
			columns = append(columns, s.Open)
		case "high":
			columns = append(columns, s.High)
		case "low":
			columns = append(columns, s.Low)
		case "close":
			columns = append(columns, s.Close)
		case "volume":
			columns = append(columns, s.Volume)
		default:
			return nil, invalid.Field("input", name, "open, high, low, close or volume")
		}
	}
	return columns, nil
}

// period describes a parameter that counts bars.
func period(name string, usual, least int) Param {
	return Param{Name: name, Default: float64(usual), Min: float64(least), Max: MaxPeriod, Integer: true}
}

// series is a stream of one input and one output.
type series interface {
	Update(x float64) float64
	Peek(x float64) float64
	Reset()
	Warmup() int
}

// oneToOne makes a spec.Stream of a series.
type oneToOne struct{ series }

func (s oneToOne) Update(in, out []float64) { out[0] = s.series.Update(in[0]) }
func (s oneToOne) Peek(in, out []float64)   { out[0] = s.series.Peek(in[0]) }

var _ spec.Stream = oneToOne{}
