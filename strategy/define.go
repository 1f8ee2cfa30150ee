package strategy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/nearest"
	"github.com/ttai-go/ttai/market"
)

// ErrUnknown: there is no strategy of that name.
var ErrUnknown = errors.New("unknown strategy")

// All returns the built-in strategies, ordered by name.
func All() []Definition {
	all := slices.Concat(priceDefinitions(), optionDefinitions())
	slices.SortFunc(all, func(a, b Definition) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Lookup returns the built-in strategy of a name. The error is an ErrUnknown that
// suggests the nearest name.
func Lookup(name string) (Definition, error) {
	all := All()
	names := make([]string, len(all))
	for i, d := range all {
		if d.Name == name {
			return d, nil
		}
		names[i] = d.Name
	}
	if near := nearest.Of(name, names); near != "" {
		return Definition{}, fmt.Errorf("%w %q: did you mean %s?", ErrUnknown, name, near)
	}
	return Definition{}, fmt.Errorf("%w %q", ErrUnknown, name)
}

// Define makes a definition of a strategy whose parameters are a struct. Each
// exported field is a parameter, those of embedded structs included, with the tags
//
//	json     its name
//	doc      what it means
//	min, max the range of a number or a duration, bounds included
//	choices  what a string may be, separated by commas
//	optional "true" for a string or symbol that may be empty
//
// The fields of embedded structs are parameters like the others. Fields are
// integers, floats, booleans, strings ([market.Symbol] and [market.Interval] are
// checked), [market.Float], or [time.Duration], which is written like "15m" in
// JSON. New gets parameters that are within their ranges and
// checks what depends on several of them. Define panics when the struct cannot be
// described.
func Define[P any](name, title, meaning string, defaults P, new func(P) (Strategy, error)) Definition {
	fields := describe(reflect.ValueOf(defaults))
	d := Definition{Name: name, Title: title, Meaning: meaning}
	for _, f := range fields {
		d.Params = append(d.Params, f.Param)
	}
	d.New = func(params json.RawMessage) (Strategy, error) {
		p := defaults
		if err := decode(reflect.ValueOf(&p).Elem(), fields, params); err != nil {
			return nil, err
		}
		return new(p)
	}
	return d
}

// A field is a parameter and where it is kept.
type field struct {
	Param
	index    []int
	optional bool
	what     string // that a text stands for, when not any
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	symbolType   = reflect.TypeFor[market.Symbol]()
	intervalType = reflect.TypeFor[market.Interval]()
)

func describe(v reflect.Value) []field {
	if v.Kind() != reflect.Struct {
		panic("strategy: parameters are a struct")
	}
	var fields []field
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		if sf.Anonymous { // its fields are parameters like the others
			for _, f := range describe(v.Field(i)) {
				f.index = append([]int{i}, f.index...)
				fields = append(fields, f)
			}
			continue
		}
		v := v.Field(i)
		f := field{index: []int{i}, optional: sf.Tag.Get("optional") == "true"}
		f.Name, f.Meaning = strings.Split(sf.Tag.Get("json"), ",")[0], sf.Tag.Get("doc")
		f.Min, f.Max = bound(sf, "min"), bound(sf, "max")
		if choices := sf.Tag.Get("choices"); choices != "" {
			f.Choices = strings.Split(choices, ",")
		}
		f.Default = v.Interface()
		switch {
		case !sf.IsExported() || f.Name == "" || f.Name == "-" || f.Meaning == "":
			panic("strategy: field " + sf.Name + " of parameters needs the tags json and doc")
		case sf.Type == durationType:
			f.Type, f.Default = "duration", v.Interface().(time.Duration).String()
		case v.CanInt():
			f.Type = "integer"
		case v.CanFloat():
			f.Type = "number"
		case sf.Type.Kind() == reflect.Bool:
			f.Type = "boolean"
		case sf.Type.Kind() == reflect.String:
			f.Type, f.Default = "string", v.String()
			switch sf.Type {
			case symbolType:
				f.what = "a symbol"
			case intervalType:
				f.what = "an interval such as 1d, 1h or 5m"
			}
		default:
			panic("strategy: field " + sf.Name + " of parameters has no type of a parameter")
		}
		fields = append(fields, f)
	}
	return fields
}

// bound reads the tag of a bound. Durations are in Go's notation and kept as
// seconds.
func bound(sf reflect.StructField, key string) float64 {
	text, ok := sf.Tag.Lookup(key)
	if !ok {
		return math.NaN()
	}
	if sf.Type == durationType {
		d, err := time.ParseDuration(text)
		if err != nil {
			panic("strategy: field " + sf.Name + ": " + err.Error())
		}
		return d.Seconds()
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("strategy: field " + sf.Name + ": " + err.Error())
	}
	return x
}

// decode reads parameters over the defaults in v and checks all of them. The
// error joins a *FieldError for each that is refused.
func decode(v reflect.Value, fields []field, params json.RawMessage) error {
	given, err := members(params)
	if err != nil {
		return err
	}
	var errs []error
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Name
	}
	for _, m := range given {
		i := slices.Index(names, m.name)
		if i < 0 {
			allowed := "one of " + strings.Join(names, ", ")
			if len(names) == 0 {
				allowed = "no parameters"
			} else if near := nearest.Of(m.name, names); near != "" {
				allowed = near + ", if that was meant, or " + allowed
			}
			errs = append(errs, invalid.Field(m.name, string(m.value), allowed))
			continue
		}
		if err := fields[i].read(v.FieldByIndex(fields[i].index), m.value); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for i := range fields {
		if err := fields[i].check(v.FieldByIndex(fields[i].index)); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

type member struct {
	name  string
	value json.RawMessage
}

// members reads the members of one object in their order. A name that comes
// twice is refused: one of the two values was not meant.
func members(params json.RawMessage) ([]member, error) {
	const allowed = "an object of parameters"
	if len(bytes.TrimSpace(params)) == 0 || bytes.Equal(bytes.TrimSpace(params), []byte("null")) {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(params))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, invalid.Field("params", string(params), allowed)
	}
	var out []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, invalid.Field("params", string(params), allowed)
		}
		m := member{name: name.(string)}
		if m.name == "" {
			return nil, invalid.Field("params", string(params), "an object whose parameters have names")
		}
		if err := d.Decode(&m.value); err != nil {
			return nil, invalid.Field("params", string(params), allowed)
		}
		if slices.ContainsFunc(out, func(o member) bool { return o.name == m.name }) {
			return nil, invalid.Field(m.name, string(m.value), "each parameter once")
		}
		out = append(out, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, invalid.Field("params", string(params), allowed)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, invalid.Field("params", string(params), allowed)
	}
	return out, nil
}

func (f *field) read(v reflect.Value, value json.RawMessage) error {
	if bytes.Equal(value, []byte("null")) {
		return invalid.Field(f.Name, "null", f.allowed())
	}
	if f.Type == "duration" {
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return invalid.Field(f.Name, string(value), f.allowed())
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			return invalid.Field(f.Name, text, f.allowed())
		}
		v.SetInt(int64(d))
		return nil
	}
	if err := json.Unmarshal(value, v.Addr().Interface()); err != nil {
		return invalid.Field(f.Name, string(value), f.allowed())
	}
	return nil
}

// check refuses what is out of range, and brings symbols to their normal form.
func (f *field) check(v reflect.Value) error {
	refuse := func() error { return invalid.Field(f.Name, v.Interface(), f.allowed()) }
	switch f.Type {
	case "integer":
		return f.within(float64(v.Int()), refuse)
	case "duration":
		return f.within(time.Duration(v.Int()).Seconds(), refuse)
	case "number":
		return f.within(v.Float(), refuse)
	case "string":
		text := v.String()
		switch {
		case text == "" && f.optional:
		case f.Choices != nil:
			if !slices.Contains(f.Choices, text) {
				return refuse()
			}
		case v.Type() == symbolType:
			symbol, err := market.ParseSymbol(text)
			if err != nil {
				return refuse()
			}
			v.SetString(string(symbol))
		case v.Type() == intervalType:
			interval, err := market.ParseInterval(text)
			if err != nil {
				return refuse()
			}
			v.SetString(string(interval))
		case text == "":
			return refuse()
		}
	}
	return nil
}

func (f *field) within(x float64, refuse func() error) error {
	if math.IsNaN(x) || math.IsInf(x, 0) || x < f.Min || x > f.Max {
		return refuse()
	}
	return nil
}

// allowed says what the parameter may be.
func (f *field) allowed() string {
	number := func(x float64) string {
		if f.Type == "duration" {
			return (time.Duration(x * float64(time.Second))).String()
		}
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	what := map[string]string{
		"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "a text", "duration": `a duration such as "15m"`,
	}[f.Type]
	if f.what != "" {
		what = f.what
	}
	if f.Choices != nil {
		what = "one of " + strings.Join(f.Choices, ", ")
	}
	switch low, high := !math.IsNaN(f.Min), !math.IsNaN(f.Max); {
	case low && high:
		return what + " from " + number(f.Min) + " to " + number(f.Max)
	case low:
		return what + " of at least " + number(f.Min)
	case high:
		return what + " of at most " + number(f.Max)
	}
	return what
}
