package indicators

import "sync"

// once makes an entry of the registry at its first use. The functions over
// columns find what they keep between calls there; see [describe].
func once(entry func() Indicator) func() Indicator {
	return sync.OnceValue(func() Indicator { return entry().WithDefaults() })
}

// The usual inputs.
func closes() []string { return []string{"close"} }
func hl() []string     { return []string{"high", "low"} }
func hlc() []string    { return []string{"high", "low", "close"} }
func hlcv() []string   { return []string{"high", "low", "close", "volume"} }
func ohlc() []string   { return []string{"open", "high", "low", "close"} }
func cv() []string     { return []string{"close", "volume"} }

// overlay names outputs that are drawn over the price.
func overlay(names ...string) []Output {
	var o []Output
	for _, name := range names {
		o = append(o, Output{Name: name, Overlay: true})
	}
	return o
}

// pane names outputs that are drawn in a pane of their own.
func pane(names ...string) []Output {
	var o []Output
	for _, name := range names {
		o = append(o, Output{Name: name})
	}
	return o
}

// periods describes the parameter n.
func periods(usual, least int) []Param { return []Param{period("n", usual, least)} }

// number describes a parameter that is no count.
func number(name string, usual, low, high float64) Param {
	return Param{Name: name, Default: usual, Min: low, Max: high}
}

// whole describes a small count that is no period.
func whole(name string, usual, low, high float64) Param {
	return Param{Name: name, Default: usual, Min: low, Max: high, Integer: true}
}

// warm returns a warm-up that does not depend on parameters.
func warm(n int) func([]float64) int { return func([]float64) int { return n } }

// first returns a warm-up of as many bars as the first parameter, and more.
func first(more int) func([]float64) int { return func(p []float64) int { return int(p[0]) + more } }
