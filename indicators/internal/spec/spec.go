// Package spec has the registry's types, so that the packages below
// indicators can describe their own indicators without importing their parent.
package spec

import (
	"math"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
)

// An Indicator describes one indicator of the registry and computes it.
type Indicator struct {
	Name    string   // as the registry spells it: "RSI", "talib:RSI"
	Aliases []string // other names it is found under
	Summary string   // one sentence
	// Inputs are the columns it takes, in order: open, high, low, close, volume.
	// An indicator of one column takes any series there.
	Inputs  []string
	Params  []Param
	Outputs []Output

	// Check refuses parameters that are impossible together; nil when ranges
	// are enough. It gets one value for each of Params, each in its range.
	Check func(params []float64) error
	// Run computes all outputs. Its arguments have been checked; dst has a
	// slice of the inputs' length for every output.
	Run func(dst, in [][]float64, params []float64)
	// Open makes a stream. Its parameters have been checked.
	Open func(params []float64) Stream

	defaults []float64 // of all Params, if it was made WithDefaults
}

// WithDefaults returns d with its default parameters prepared, so that Batch
// without parameters need not make them.
func (d Indicator) WithDefaults() Indicator {
	d.defaults = make([]float64, len(d.Params))
	for i, p := range d.Params {
		d.defaults[i] = p.Default
	}
	return d
}

// A Param is a parameter of an [Indicator].
type Param struct {
	Name              string
	Default, Min, Max float64
	Integer           bool // only whole numbers

	// Choices are names for the whole numbers from Min on, of a parameter that
	// chooses among named things; nil otherwise.
	Choices []string
}

// An Output is one result column of an [Indicator].
type Output struct {
	Name    string
	Overlay bool // drawn over the price, not in a pane of its own
	Sparse  bool // NaN after the warm-up too, where there is nothing to report
}

// A Stream computes an indicator one bar at a time, bit for bit what Batch
// gives. It is not safe for concurrent use.
type Stream interface {
	// Update takes the next bar, one value for each input, and writes one
	// value for each output.
	Update(in, out []float64)
	// Peek writes what Update would, and leaves the stream as it is.
	Peek(in, out []float64)
	// Reset forgets every bar.
	Reset()
	// Warmup returns how many leading bars leave some output NaN.
	Warmup() int
}

// Batch computes the indicator over columns of equal length, one for each of
// Inputs, and returns one column for each of Outputs, as long as the inputs and
// NaN during warm-up. Missing trailing parameters, or all of them (nil), take
// their defaults. The columns of dst are reused where they are long enough;
// dst may be nil. It returns a *FieldError for a wrong count or an impossible
// parameter.
func (d Indicator) Batch(dst, in [][]float64, params []float64) ([][]float64, error) {
	full := d.defaults
	if len(params) > 0 || full == nil {
		var err error
		if full, err = d.Parameters(params); err != nil {
			return nil, err
		}
	}
	if len(in) != len(d.Inputs) {
		return nil, invalid.Fieldf("in", len(in), "%d columns: %s", len(d.Inputs), strings.Join(d.Inputs, ", "))
	}
	for i := range in {
		if len(in[i]) != len(in[0]) {
			return nil, invalid.Fieldf(d.Inputs[i], len(in[i]), "%d values, as many as %s has", len(in[0]), d.Inputs[0])
		}
	}
	if cap(dst) < len(d.Outputs) {
		dst = append(dst[:cap(dst)], make([][]float64, len(d.Outputs)-cap(dst))...)
	}
	dst = dst[:len(d.Outputs)]
	for i := range dst {
		dst[i] = Resize(dst[i], len(in[0]))
	}
	d.Run(dst, in, full)
	return dst, nil
}

// Stream returns a new stream of the indicator; params are as for Batch.
func (d Indicator) Stream(params []float64) (Stream, error) {
	full, err := d.Parameters(params)
	if err != nil {
		return nil, err
	}
	return d.Open(full), nil
}

// Parameters returns params with the defaults of the missing ones, or a
// *FieldError that names the one refused.
func (d Indicator) Parameters(params []float64) ([]float64, error) {
	if len(params) > len(d.Params) {
		return nil, invalid.Fieldf("params", len(params), "at most %d parameters", len(d.Params))
	}
	full := params
	if len(params) < len(d.Params) {
		full = make([]float64, len(d.Params))
		copy(full, params)
		for i := len(params); i < len(full); i++ {
			full[i] = d.Params[i].Default
		}
	}
	for i, p := range d.Params {
		if err := p.check(full[i]); err != nil {
			return nil, err
		}
	}
	if d.Check != nil {
		if err := d.Check(full); err != nil {
			return nil, err
		}
	}
	return full, nil
}

func (p Param) check(v float64) error {
	switch {
	case p.Integer && !(v >= p.Min && v <= p.Max && v == math.Trunc(v)):
		return invalid.Fieldf(p.Name, v, "a whole number from %v to %v", p.Min, p.Max)
	case !(v >= p.Min && v <= p.Max):
		return invalid.Fieldf(p.Name, v, "a number from %v to %v", p.Min, p.Max)
	}
	return nil
}

// Resize returns dst with length n, in place when it is large enough.
func Resize(dst []float64, n int) []float64 {
	if cap(dst) >= n {
		return dst[:n]
	}
	return make([]float64, n)
}

// FillNaN sets every value of dst to NaN and returns it.
func FillNaN(dst []float64) []float64 {
	for i := range dst {
		dst[i] = math.NaN()
	}
	return dst
}
