// Package talib computes the functions of the TA-Lib library under its names:
// its parameters, its outputs, its first bar and its values.
//
// [Lookup] finds a function ("RSI" or "talib:RSI") and [All] lists all 161; the
// registry of package indicators resolves "talib:RSI" to the same. Each is
// computed over columns (Batch) or one bar at a time (Stream), bit for bit the
// same.
//
// # What is TA-Lib's and what is not
//
// Parameters have TA-Lib's names, defaults and ranges. Outputs are as long as
// the inputs and NaN before TA-Lib's first value. Values agree to 1e-9, those
// made from squares (STDDEV, VAR, BBANDS, CORREL, BETA) to 1e-6: there TA-Lib
// loses digits in running sums, and this package does not. Some definitions
// differ from the books; package indicators has those under the plain names.
//
// # Functions
//
// Every function also exists as a Go function of its name: destination first,
// then the inputs, then the parameters in TA-Lib's order. Destinations are
// reused where they are long enough and may be nil; impossible parameters and
// inputs of different lengths give NaN throughout. They have no settings.
//
// # Settings
//
// TA-Lib's two global settings are further parameters, in Batch and Stream, of
// every function that is no candlestick pattern:
//
//   - UnstablePeriod drops that many first values of each recurrence (0 to
//     100000). It concerns ADOSC, ADX, ADXR, ATR, CMO, DX, EMA and what is
//     made of it, the HT family, IMI, KAMA, MACD and MACDFIX, MAMA, MFI,
//     MINUS_DI and MINUS_DM, NATR, PLUS_DI and PLUS_DM, RSI, STOCHRSI, T3;
//     elsewhere it does nothing.
//   - Compatibility is 0 for the classic start of averages, 1 for Metastock's:
//     an EMA begins with the first value, RSI and CMO one bar earlier. It is
//     written from TA-Lib's documentation and has not been compared with its
//     output.
//
// A bar with a NaN or an infinity in it is unknown: its outputs are NaN, and
// the next bar follows as if it had not been there.
package talib

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/ttai-go/ttai/indicators/internal/spec"
	"github.com/ttai-go/ttai/internal/invalid"
)

// Prefix is what the registry of package indicators puts before TA-Lib's names.
const Prefix = "talib:"

// A FieldError names a refused argument and what is allowed.
type FieldError = invalid.FieldError

// The registry's types, the same as those of package indicators.
type (
	// An Indicator describes a function and computes it; see its methods
	// Batch, Stream and Parameters.
	Indicator = spec.Indicator
	// A Stream is an Indicator one bar at a time.
	Stream = spec.Stream
)

// TA-Lib's moving averages, the values of its MAType parameters.
const (
	TypeSMA = iota
	TypeEMA
	TypeWMA
	TypeDEMA
	TypeTEMA
	TypeTRIMA
	TypeKAMA
	TypeMAMA // with TA-Lib's default limits, whatever the period
	TypeT3   // with the volume factor 0.7
)

// epsilon is what TA-Lib takes for zero.
const epsilon = 1e-14

func isZero(x float64) bool { return x > -epsilon && x < epsilon }

func fillNaN(s []float64) {
	for i := range s {
		s[i] = math.NaN()
	}
}

// An env is what a function is made with: its parameters and the settings.
type env struct {
	p         []float64
	unstable  int
	metastock bool
}

func (e env) int(i int) int { return int(e.p[i]) }

// A function is an entry of the catalogue.
type function struct {
	name, summary string
	inputs        []string
	params        []spec.Param
	outputs       []spec.Output
	check         func(p []float64) error
	lookback      func(e env) int // leading bars without value; nil: none
	open          func(e env) core
}

func settings() []spec.Param {
	return []spec.Param{
		{Name: "UnstablePeriod", Default: 0, Min: 0, Max: maxPeriod, Integer: true},
		{Name: "Compatibility", Default: 0, Min: 0, Max: 1, Integer: true, Choices: []string{"Default", "Metastock"}},
	}
}

func (f function) first(e env) int {
	if f.lookback == nil {
		return 0
	}
	return f.lookback(e)
}

func (f function) indicator() spec.Indicator {
	own := len(f.params)
	setup := func(p []float64) env {
		return env{p: p[:own], unstable: int(p[own]), metastock: p[own+1] == 1}
	}
	return spec.Indicator{
		Name:    Prefix + f.name,
		Summary: f.summary,
		Inputs:  f.inputs,
		Params:  append(append([]spec.Param{}, f.params...), settings()...),
		Outputs: f.outputs,
		Check:   f.check,
		Run: runner(func(p []float64) (core, int) {
			e := setup(p)
			return f.open(e), f.first(e)
		}),
		Open: func(p []float64) spec.Stream {
			e := setup(p)
			return newStream(f.name, p, f.open(e), f.first(e))
		},
	}.WithDefaults()
}

// runner returns an indicator's Run for cores that open makes; it also says how
// many leading bars have no value. Works are pooled, so that repeating a
// run allocates nothing.
func runner(open func(p []float64) (core, int)) func(dst, in [][]float64, p []float64) {
	var idle sync.Pool // of *work
	return func(dst, in [][]float64, p []float64) {
		w, _ := idle.Get().(*work)
		if w == nil || !slices.Equal(w.params, p) {
			own := slices.Clone(p)
			c, first := open(own)
			w = newWork(c, own, first)
		}
		w.run(dst, in)
		idle.Put(w)
	}
}

// All describes every function, by groups. The slice is the caller's own.
func All() []Indicator {
	var all []Indicator
	for _, f := range catalogue() {
		all = append(all, f.indicator())
	}
	return append(all, candleIndicators()...)
}

// byName finds functions by their names. It is made once and never written to;
// the pools of its entries save calls from allocating and change no result.
var byName = sync.OnceValue(func() map[string]entry {
	table := map[string]entry{}
	for _, d := range All() {
		table[strings.TrimPrefix(d.Name, Prefix)] = entry{d, &sync.Pool{New: func() any { return new(arguments) }}}
	}
	return table
})

// Lookup returns the function of that name, in any case, with or without
// [Prefix]. What it returns must not be changed.
func Lookup(name string) (Indicator, bool) {
	name = strings.ToUpper(strings.TrimSpace(name))
	d, ok := byName()[strings.TrimPrefix(name, strings.ToUpper(Prefix))]
	return d.Indicator, ok
}

func catalogue() []function {
	var all []function
	for _, group := range [][]function{overlaps(), momentums(), volumes(), cycles(), statistics(), operators()} {
		all = append(all, group...)
	}
	return all
}
