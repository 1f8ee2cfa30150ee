package main

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/nearest"
	"github.com/ttai-go/ttai/market"
)

// An indicatorRequest is an indicator with its parameters.
type indicatorRequest struct {
	indicators.Indicator
	label  string // how it was asked for: "RSI", "SMA(50)"
	params []float64
	set    []bool
}

// An indicatorResult is what a request gives for a file.
type indicatorResult struct {
	indicatorRequest
	inputs []string // the columns it took
	in     [][]float64
	names  []string // of the columns printed
	values [][]float64
}

// parseRequests reads "RSI", or "RSI,SMA(50),MACD(fast=12)", with the
// parameters that follow: NAME=VALUE, or a value alone for the next of the
// indicator's parameters.
func parseRequests(text string, given []string) ([]indicatorRequest, error) {
	var requests []indicatorRequest
	for _, part := range splitNames(text) {
		name, inside, parens := strings.Cut(part, "(")
		d, err := indicators.Find(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		params, err := d.Parameters(nil)
		if err != nil {
			return nil, err
		}
		r := indicatorRequest{Indicator: d, label: d.Name, params: slices.Clone(params), set: make([]bool, len(params))}
		if parens {
			inside, ok := strings.CutSuffix(strings.TrimSpace(inside), ")")
			if !ok {
				return nil, invalid.Field("indicator", part, "a name with its parameters in parentheses, such as SMA(50)")
			}
			r.label += "(" + inside + ")"
			for _, p := range splitList(inside) {
				if err := r.assign(p); err != nil {
					return nil, err
				}
			}
		}
		requests = append(requests, r)
	}
	if len(requests) == 0 {
		return nil, invalid.Field("indicator", text, "the name of an indicator, such as RSI or MACD")
	}
	for _, list := range given {
		for _, p := range splitList(list) {
			if err := assignToSome(requests, p); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range requests {
		if _, err := r.Parameters(r.params); err != nil {
			return nil, r.named(err)
		}
	}
	return requests, nil
}

// splitNames splits at commas outside of parentheses.
func splitNames(text string) (names []string) {
	depth, from := 0, 0
	for i, c := range text + "," {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth <= 0:
			if part := strings.TrimSpace(text[from:i]); part != "" {
				names = append(names, part)
			}
			from = i + 1
		}
	}
	if from < len(text) { // a parenthesis that was not closed
		names = append(names, text[from:])
	}
	return names
}

func splitList(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ';' || c == ' ' })
}

// assignToSome sets NAME.PARAMETER=VALUE of one of the requests, and
// PARAMETER=VALUE of all that have it.
func assignToSome(requests []indicatorRequest, text string) error {
	if len(requests) == 1 {
		return requests[0].assign(text)
	}
	name, value, _ := strings.Cut(text, "=")
	if of, parameter, ok := strings.Cut(name, "."); ok {
		used := false
		for i := range requests {
			if strings.EqualFold(of, requests[i].Name) || strings.EqualFold(of, requests[i].label) {
				used = true
				if err := requests[i].assign(parameter + "=" + value); err != nil {
					return err
				}
			}
		}
		if !used {
			return invalid.Field("param", text, "one of the indicators named, a point, and its parameter")
		}
		return nil
	}
	var problem error
	used := false
	for i := range requests {
		if requests[i].find(name) >= 0 {
			used = true
			problem = errors.Join(problem, requests[i].assign(text))
		}
	}
	if !used {
		return requests[0].assign(text) // its error lists what there is
	}
	return problem
}

// find returns the place of a parameter, -1 for none of that name.
func (r *indicatorRequest) find(name string) int {
	return slices.IndexFunc(r.Params, func(p indicators.Param) bool { return strings.EqualFold(p.Name, strings.TrimSpace(name)) })
}

func (r *indicatorRequest) assign(text string) error {
	name, value, named := strings.Cut(text, "=")
	i := r.find(name)
	if !named {
		value, i = name, slices.Index(r.set, false)
	}
	if i < 0 {
		names := make([]string, len(r.Params))
		for k, p := range r.Params {
			names[k] = p.Name
		}
		allowed := "one of " + strings.Join(names, ", ")
		if len(names) == 0 {
			allowed = "nothing: " + r.Name + " has no parameters"
		}
		if meant := nearest.Of(name, names); meant != "" && named {
			allowed += "; did you mean " + meant + "?"
		}
		return invalid.Field("param", name, allowed)
	}
	p := r.Params[i]
	v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		k := slices.IndexFunc(p.Choices, func(choice string) bool { return strings.EqualFold(choice, strings.TrimSpace(value)) })
		if k < 0 {
			allowed := "a number from " + strconv.FormatFloat(p.Min, 'g', -1, 64) + " to " + strconv.FormatFloat(p.Max, 'g', -1, 64)
			if p.Choices != nil {
				allowed += ", or one of " + strings.Join(p.Choices, ", ")
			}
			return r.named(invalid.Field(p.Name, value, allowed))
		}
		v = p.Min + float64(k)
	}
	r.params[i], r.set[i] = v, true
	return nil
}

// named says of which indicator an error is.
func (r *indicatorRequest) named(err error) error {
	if field, ok := errors.AsType[*indicators.FieldError](err); ok && !strings.Contains(field.Field, r.Name) {
		named := *field
		named.Field = r.Name + " " + field.Field
		return &named
	}
	return err
}

// splitInputs reads the columns asked for. A text that is itself a column of
// the file is that column, whatever characters it has.
func splitInputs(given []string, file *market.ColumnFile) (names []string) {
	for _, text := range given {
		if file.Has(text) {
			names = append(names, text)
			continue
		}
		for name := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == ',' || c == '|' || c == ';' }) {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// compute runs the indicator over its own inputs, or over the named columns in
// their place.
func (r indicatorRequest) compute(file *market.ColumnFile, named []string) (indicatorResult, error) {
	result := indicatorResult{indicatorRequest: r, inputs: named}
	if len(named) == 0 {
		result.inputs = r.Inputs
		if only := onlyColumn(file); only != "" && len(r.Inputs) == 1 && !file.Has(r.Inputs[0]) {
			result.inputs = []string{only}
		}
	}
	if len(result.inputs) != len(r.Inputs) {
		return result, invalid.Fieldf("input", strings.Join(named, ","), "%d columns for %s, in place of %s", len(r.Inputs), r.Name, strings.Join(r.Inputs, ", "))
	}
	for _, name := range result.inputs {
		column, err := inputColumn(file, name)
		if err != nil {
			if field, ok := errors.AsType[*indicators.FieldError](err); ok && len(named) == 0 {
				return result, invalid.Fieldf("input", name, "%s; --input names other columns for %s", field.Allowed, strings.Join(r.Inputs, ", "))
			}
			return result, err
		}
		result.in = append(result.in, column)
	}
	var err error
	result.values, err = r.Batch(nil, result.in, r.params)
	if err != nil {
		return result, r.named(err)
	}
	return result, nil
}

// onlyColumn is the file's column of numbers when there is just one.
func onlyColumn(file *market.ColumnFile) (only string) {
	for _, name := range file.Names {
		if file.Has(name) {
			if only != "" {
				return ""
			}
			only = name
		}
	}
	return only
}

// inputColumn is a column of the file, or a mean of its prices by the usual name.
func inputColumn(file *market.ColumnFile, name string) ([]float64, error) {
	column, err := file.Column(name)
	if err == nil || file.HasColumn(name) {
		return column, err
	}
	parts, ok := map[string][]string{"hl2": {"high", "low"}, "hlc3": {"high", "low", "close"},
		"ohlc4": {"open", "high", "low", "close"}, "hlcc4": {"high", "low", "close", "close"}}[strings.ToLower(name)]
	if !ok {
		return nil, err
	}
	mean := make([]float64, file.Len())
	for _, part := range parts {
		prices, err := file.Column(part)
		if err != nil {
			return nil, err
		}
		for i, v := range prices {
			mean[i] += v
		}
	}
	for i := range mean {
		mean[i] /= float64(len(parts))
	}
	return mean, nil
}

// nameColumns names what is printed: the outputs by themselves for one
// indicator, with the indicator before them for several.
func nameColumns(results []indicatorResult) {
	for i := range results {
		r := &results[i]
		for _, o := range r.Outputs {
			name := o.Name
			if len(results) > 1 {
				name = r.label
				if len(r.Outputs) > 1 {
					name += "." + o.Name
				}
			}
			r.names = append(r.names, name)
		}
	}
}

func jsonText(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`) // strings always encode
	}
	return b
}
