package talib

import "github.com/ttai-go/ttai/indicators/internal/spec"

const maxPeriod = 100_000

func period(usual, least int) []spec.Param {
	return []spec.Param{periodNamed("TimePeriod", usual, least)}
}

func periodNamed(name string, usual, least int) spec.Param {
	return spec.Param{Name: name, Default: float64(usual), Min: float64(least), Max: maxPeriod, Integer: true}
}

func maType(name string) spec.Param {
	return spec.Param{Name: name, Default: TypeSMA, Min: TypeSMA, Max: TypeT3, Integer: true,
		Choices: []string{"SMA", "EMA", "WMA", "DEMA", "TEMA", "TRIMA", "KAMA", "MAMA", "T3"}}
}

func number(name string, usual, least, most float64) spec.Param {
	return spec.Param{Name: name, Default: usual, Min: least, Max: most}
}

// huge is TA-Lib's bound of parameters that have none.
const huge = 3e37

// The columns that functions take.
func closes() []string                      { return []string{"close"} }
func pair() []string                        { return []string{"high", "low"} }
func hlc() []string                         { return []string{"high", "low", "close"} }
func hlcv() []string                        { return []string{"high", "low", "close", "volume"} }
func ohlc() []string                        { return []string{"open", "high", "low", "close"} }
func pane(names ...string) []spec.Output    { return outputs(false, names) }
func overlay(names ...string) []spec.Output { return outputs(true, names) }

func outputs(overlay bool, names []string) []spec.Output {
	if len(names) == 0 {
		names = []string{"Real"}
	}
	list := make([]spec.Output, len(names))
	for i, name := range names {
		list[i] = spec.Output{Name: name, Overlay: overlay}
	}
	return list
}

// Lookbacks that several functions share.
func nBars(e env) int     { return e.int(0) }
func nLessOne(e env) int  { return e.int(0) - 1 }
func nUnstable(e env) int { return e.int(0) + e.unstable }
func oneBar(env) int      { return 1 }
func relativeBars(e env) int {
	if e.metastock {
		return nUnstable(e) - 1
	}
	return nUnstable(e)
}
