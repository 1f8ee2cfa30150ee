package backtest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/strategy"
)

// Params are a strategy's parameters by name: float64, int64, string or bool.
type Params map[string]any

// A Dimension is a parameter and what it may be: numbers from Min to Max, or
// Choices.
type Dimension struct {
	Name string `json:"name"`
	// Min and Max are the range, both in it. Step divides it, from Min on; 0: any
	// number, for Integer any whole one.
	Min  float64 `json:"min,omitempty"`
	Max  float64 `json:"max,omitempty"`
	Step float64 `json:"step,omitempty"`
	// Log spaces the range by ratios: Min is positive then, and a step a factor above 1.
	Log     bool `json:"log,omitempty"`
	Integer bool `json:"integer,omitempty"`
	// Choices instead of a range.
	Choices []any `json:"choices,omitempty"`
}

// A Space is the parameters of a search, in their order: in a grid the last changes
// fastest.
type Space []Dimension

// Validate checks a space. The error is a *[FieldError].
func (s Space) Validate() error {
	if len(s) == 0 {
		return invalid.Missing("space", "at least one parameter to search")
	}
	for i := range s {
		d := &s[i]
		field := fmt.Sprintf("space[%s]", d.Name)
		if d.Name == "" {
			return invalid.Missing(fmt.Sprintf("space[%d].Name", i), "the name of a parameter")
		}
		for _, other := range s[:i] {
			if other.Name == d.Name {
				return invalid.Field(field, d.Name, "each parameter once")
			}
		}
		if len(d.Choices) > 0 {
			continue
		}
		switch {
		case !(d.Min <= d.Max) || math.IsInf(d.Min, 0) || math.IsInf(d.Max, 0):
			return invalid.Field(field, fmt.Sprintf("%v..%v", d.Min, d.Max), "a range from a smaller to a larger number")
		case d.Step < 0 || math.IsNaN(d.Step) || math.IsInf(d.Step, 0):
			return invalid.Field(field, d.Step, "a positive step, or none")
		case d.Log && !(d.Min > 0):
			return invalid.Field(field, d.Min, "positive numbers for a logarithmic range")
		case d.Log && d.Step != 0 && !(d.Step > 1):
			return invalid.Field(field, d.Step, "a factor above 1 as the step of a logarithmic range")
		}
	}
	return nil
}

// count is how many settings a dimension has; 0 for a range without steps.
func (d *Dimension) count() float64 {
	switch {
	case len(d.Choices) > 0:
		return float64(len(d.Choices))
	case d.Min == d.Max:
		return 1
	case d.Log && d.Step > 0:
		return math.Floor(math.Log(d.Max/d.Min)/math.Log(d.Step)+1e-9) + 1
	case d.Step > 0:
		return math.Floor((d.Max-d.Min)/d.Step+1e-9) + 1
	case d.Integer:
		return math.Floor(d.Max) - math.Ceil(d.Min) + 1
	}
	return 0
}

// Size is how many settings the space has; false when a range has no steps.
func (s Space) Size() (float64, bool) {
	size := 1.0
	for i := range s {
		n := s[i].count()
		if n == 0 {
			return math.Inf(1), false
		}
		size *= n
	}
	return size, true
}

// step is the k-th setting of a dimension with a count.
func (d *Dimension) step(k int) any {
	switch {
	case len(d.Choices) > 0:
		return d.Choices[k]
	case d.Log && d.Step > 0:
		return d.value(d.Min * math.Pow(d.Step, float64(k)))
	case d.Step > 0:
		return d.value(d.Min + float64(k)*d.Step)
	case d.Integer:
		return d.value(math.Ceil(d.Min) + float64(k))
	}
	return d.value(d.Min)
}

// value rounds a number of the range to what it may be.
func (d *Dimension) value(x float64) any {
	x = min(max(x, d.Min), d.Max)
	if d.Integer {
		return int64(math.Round(x))
	}
	if d.Step > 0 && !d.Log {
		// Steps such as 0.1 leave tails of rounding that nobody wrote.
		if r, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 12, 64), 64); err == nil {
			x = r
		}
	}
	return x
}

// at is the i-th setting of a grid.
func (s Space) at(i int) Params {
	out := Params{}
	for k := len(s) - 1; k >= 0; k-- {
		n := int(s[k].count())
		out[s[k].Name] = s[k].step(i % n)
		i /= n
	}
	return out
}

// draw is a setting at random.
func (s Space) draw(r *rand.Rand) Params {
	out := Params{}
	for i := range s {
		out[s[i].Name] = s[i].draw(r)
	}
	return out
}

func (d *Dimension) draw(r *rand.Rand) any {
	if n := d.count(); n > 0 && n < 1<<31 {
		return d.step(r.IntN(int(n)))
	}
	return d.from(r.Float64())
}

// unit is where a number lies in the range, 0 to 1, and from the reverse.
func (d *Dimension) unit(v any) float64 {
	x, ok := numeric(v)
	if !ok || d.Max == d.Min {
		return 0
	}
	if d.Log {
		return math.Log(x/d.Min) / math.Log(d.Max/d.Min)
	}
	return (x - d.Min) / (d.Max - d.Min)
}

func (d *Dimension) from(u float64) any {
	u = min(max(u, 0), 1)
	x := d.Min + u*(d.Max-d.Min)
	if d.Log {
		x = d.Min * math.Pow(d.Max/d.Min, u)
	}
	switch {
	case d.Step > 0 && d.Log:
		return d.step(int(min(math.Round(math.Log(x/d.Min)/math.Log(d.Step)), d.count()-1)))
	case d.Step > 0:
		return d.step(int(min(math.Round((x-d.Min)/d.Step), d.count()-1)))
	}
	return d.value(x)
}

func numeric(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case int64:
		return float64(x), true
	case int:
		return float64(x), true
	}
	return 0, false
}

// key is equal for equal settings.
func (p Params) key() string {
	data, _ := json.Marshal(p) // values are numbers, text and truth; keys are sorted
	return string(data)
}

// String lists the parameters by name: "fast=10 slow=30".
func (p Params) String() string {
	var parts []string
	for name, v := range p {
		parts = append(parts, fmt.Sprintf("%s=%v", name, v))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// JSON is the object that a [strategy.Definition] takes, over a base that may be
// nil.
func (p Params) JSON(base json.RawMessage) (json.RawMessage, error) {
	all := map[string]any{}
	if len(base) > 0 {
		if err := json.Unmarshal(base, &all); err != nil {
			return nil, invalid.Field("params", string(base), "a JSON object")
		}
	}
	for name, v := range p {
		all[name] = v
	}
	return json.Marshal(all)
}

// ParseDimension reads a range as people write it:
//
//	fast=5..50:5      from 5 to 50 in steps of 5
//	stop=0.01..0.10   any number between
//	lots=1..8:x2      1, 2, 4, 8
//	kind=put,call     one of these
//
// Definitions may be nil; they tell which parameters are whole numbers, and the
// bounds that a range must keep. The error is a *[FieldError].
func ParseDimension(text string, definitions []strategy.Param) (Dimension, error) {
	const allowed = "name=from..to[:step], name=from..to:xfactor or name=a,b,c"
	name, rest, ok := strings.Cut(strings.TrimSpace(text), "=")
	if !ok || name == "" || rest == "" {
		return Dimension{}, invalid.Field("range", text, allowed)
	}
	d := Dimension{Name: name}
	var param *strategy.Param
	for i := range definitions {
		if definitions[i].Name == name {
			param = &definitions[i]
		}
	}
	if definitions != nil && param == nil {
		var names []string
		for _, p := range definitions {
			names = append(names, p.Name)
		}
		return Dimension{}, invalid.Field("range", name, "a parameter of the strategy: "+strings.Join(names, ", "))
	}
	from, to, isRange := strings.Cut(rest, "..")
	if !isRange {
		for part := range strings.SplitSeq(rest, ",") {
			d.Choices = append(d.Choices, choice(strings.TrimSpace(part), param))
		}
		return d, nil
	}
	to, step, hasStep := strings.Cut(to, ":")
	var err error
	if d.Min, err = strconv.ParseFloat(from, 64); err != nil {
		return Dimension{}, invalid.Field("range", text, allowed)
	}
	if d.Max, err = strconv.ParseFloat(to, 64); err != nil {
		return Dimension{}, invalid.Field("range", text, allowed)
	}
	if hasStep {
		step, d.Log = strings.CutPrefix(step, "x")
		if d.Step, err = strconv.ParseFloat(step, 64); err != nil || d.Step <= 0 {
			return Dimension{}, invalid.Field("range", text, allowed)
		}
	}
	whole := d.Min == math.Trunc(d.Min) && d.Max == math.Trunc(d.Max) && d.Step == math.Trunc(d.Step)
	d.Integer = whole && (param == nil && hasStep || param != nil && param.Type == "integer")
	if param != nil {
		if param.Type == "integer" && !whole {
			return Dimension{}, invalid.Field("range", text, name+" is a whole number")
		}
		if d.Min < param.Min || d.Max > param.Max {
			return Dimension{}, invalid.Fieldf("range", text, "%s from %v to %v", name, param.Min, param.Max)
		}
	}
	return d, Space{d}.Validate()
}

// choice reads a value as the type of its parameter, otherwise as what it looks like.
func choice(text string, param *strategy.Param) any {
	if param != nil && (param.Type == "string" || param.Type == "duration") {
		return text
	}
	if x, err := strconv.ParseInt(text, 10, 64); err == nil {
		return x
	}
	if x, err := strconv.ParseFloat(text, 64); err == nil {
		return x
	}
	if x, err := strconv.ParseBool(text); err == nil {
		return x
	}
	return text
}

// mix makes a seed of two numbers (the finaliser of SplitMix64).
func mix(seed, number uint64) uint64 {
	z := seed + (number+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// generator is the random numbers of one trial.
func generator(seed uint64, number int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(number)))
}
