package agents

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/nearest"
)

// normalize reads raw, checks it against schema and returns the arguments in
// the form that the schema asks for: strings turned into what they can only
// mean, defaults filled in, nulls dropped. Numbers are json.Number.
func normalize(raw json.RawMessage, schema *jsonschema.Schema) (map[string]any, error) {
	if len(bytes.TrimSpace(raw)) == 0 || string(bytes.TrimSpace(raw)) == "null" {
		raw = json.RawMessage("{}")
	}
	value, err := parse(raw)
	if err != nil {
		return nil, invalid.Field("arguments", string(raw), "a JSON object")
	}
	value, err = coerce(schema, value, "")
	if err != nil {
		return nil, err
	}
	arguments, ok := value.(map[string]any)
	if !ok {
		return nil, invalid.Field("arguments", string(raw), "a JSON object")
	}
	return arguments, nil
}

// parse reads exactly one JSON value.
func parse(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

// coerce returns value as schema wants it. The path is for errors.
func coerce(schema *jsonschema.Schema, value any, path string) (any, error) {
	switch schema.Type {
	case "object":
		return coerceObject(schema, value, path)
	case "array":
		return coerceArray(schema, value, path)
	case "integer", "number":
		return coerceNumber(schema, value, path)
	case "boolean":
		switch v := value.(type) {
		case bool:
			return v, nil
		case string:
			if b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(v))); err == nil {
				return b, nil
			}
		}
		return nil, invalid.Field(at(path), show(value), "true or false")
	case "string":
		return coerceString(schema, value, path)
	}
	return value, nil
}

func coerceObject(schema *jsonschema.Schema, value any, path string) (any, error) {
	if text, ok := value.(string); ok {
		if inner, err := parse([]byte(text)); err == nil {
			value = inner
		}
	}
	given, ok := value.(map[string]any)
	if !ok {
		return nil, invalid.Field(at(path), show(value), "a JSON object")
	}
	out := make(map[string]any, len(given))
	for _, name := range sortedKeys(given) {
		property, known := schema.Properties[name]
		if !known {
			if schema.AdditionalProperties != nil && schema.AdditionalProperties.Not != nil {
				return nil, unknown(schema, name, path)
			}
			if property = schema.AdditionalProperties; property == nil {
				property = &jsonschema.Schema{}
			}
		}
		if given[name] == nil {
			continue
		}
		v, err := coerce(property, given[name], join(path, name))
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	for name, property := range schema.Properties {
		if _, present := out[name]; !present && property.Default != nil {
			v, err := parse(property.Default)
			if err != nil {
				return nil, fmt.Errorf("agents: default of %s: %w", name, err)
			}
			out[name] = v
		}
	}
	for _, name := range schema.Required {
		if _, present := out[name]; !present {
			return nil, invalid.Missing(join(path, name), describe(schema.Properties[name]))
		}
	}
	return out, nil
}

// unknown refuses an argument and names the one that was probably meant.
func unknown(schema *jsonschema.Schema, name, path string) error {
	names := schema.PropertyOrder
	if len(names) == 0 {
		names = sortedKeys(schema.Properties)
	}
	allowed := "no argument of this name"
	if len(names) > 0 {
		allowed += ", only " + strings.Join(names, ", ")
	}
	if near := nearest.Of(name, names); near != "" {
		allowed += fmt.Sprintf("; did you mean %s?", near)
	}
	return invalid.Missing(join(path, name), allowed)
}

func coerceArray(schema *jsonschema.Schema, value any, path string) (any, error) {
	if text, ok := value.(string); ok {
		inner, err := parse([]byte(text))
		if list, isList := inner.([]any); err == nil && isList {
			value = list
		} else if schema.Items != nil && schema.Items.Type == "string" {
			value = []any{text}
		}
	}
	list, ok := value.([]any)
	if !ok {
		if schema.Items == nil || schema.Items.Type == "array" || schema.Items.Type == "" || value == nil {
			return nil, invalid.Field(at(path), show(value), "a list: "+describe(schema))
		}
		list = []any{value} // one item where a list is wanted
	}
	if schema.MinItems != nil && len(list) < *schema.MinItems {
		return nil, invalid.Fieldf(at(path), len(list), "at least %d items", *schema.MinItems)
	}
	if schema.MaxItems != nil && len(list) > *schema.MaxItems {
		return nil, invalid.Fieldf(at(path), fmt.Sprintf("%d items", len(list)), "at most %d; split the call", *schema.MaxItems)
	}
	items := schema.Items
	if items == nil {
		items = &jsonschema.Schema{}
	}
	out := make([]any, len(list))
	for i, v := range list {
		item := fmt.Sprintf("%s[%d]", at(path), i)
		if v == nil {
			return nil, invalid.Missing(item, describe(items))
		}
		var err error
		if out[i], err = coerce(items, v, item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func coerceNumber(schema *jsonschema.Schema, value any, path string) (any, error) {
	refuse := func() (any, error) { return nil, invalid.Field(at(path), show(value), describe(schema)) }
	var text string
	switch v := value.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = strings.TrimSpace(v)
		if parsed, err := parse([]byte(text)); err != nil {
			return refuse()
		} else if _, ok := parsed.(json.Number); !ok {
			return refuse()
		}
	default:
		return refuse()
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || schema.Minimum != nil && x < *schema.Minimum || schema.Maximum != nil && x > *schema.Maximum {
		return refuse()
	}
	if schema.Type != "integer" {
		return json.Number(text), nil
	}
	// 5.0 and 1e2 are whole numbers to JSON Schema; Go reads only 5 and 100.
	// Beyond 2^53 there is nothing a caller could mean.
	if x > 1<<53 || x < -(1<<53) {
		return refuse()
	}
	whole, ok := new(big.Rat).SetString(text)
	if !ok || !whole.IsInt() {
		return refuse()
	}
	return json.Number(whole.Num().String()), nil
}

func coerceString(schema *jsonschema.Schema, value any, path string) (any, error) {
	text, ok := value.(string)
	if n, isNumber := value.(json.Number); isNumber {
		text, ok = n.String(), true // an account number without its quotes
	}
	refuse := func() (any, error) { return nil, invalid.Field(at(path), show(value), describe(schema)) }
	if !ok {
		return refuse()
	}
	if len(schema.Enum) > 0 && !slices.Contains(schema.Enum, any(text)) {
		for _, allowed := range schema.Enum {
			if s, isText := allowed.(string); isText && strings.EqualFold(s, strings.TrimSpace(text)) {
				return s, nil
			}
		}
		return refuse()
	}
	if schema.MaxLength != nil && len([]rune(text)) > *schema.MaxLength {
		return refuse()
	}
	var err error
	switch schema.Format {
	case "date":
		_, err = time.Parse(time.DateOnly, text)
	case "date-time":
		_, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		return refuse()
	}
	return text, nil
}

// describe says in words what a schema allows.
func describe(s *jsonschema.Schema) string {
	if s == nil {
		return "a value"
	}
	var words string
	switch s.Type {
	case "integer", "number":
		words = map[string]string{"integer": "a whole number", "number": "a number"}[s.Type]
		switch {
		case s.Minimum != nil && s.Maximum != nil:
			words += fmt.Sprintf(" from %v to %v", *s.Minimum, *s.Maximum)
		case s.Minimum != nil:
			words += fmt.Sprintf(" of at least %v", *s.Minimum)
		case s.Maximum != nil:
			words += fmt.Sprintf(" of at most %v", *s.Maximum)
		}
	case "string":
		words = map[string]string{"date": "a date as YYYY-MM-DD", "date-time": "a time such as 2026-09-16T10:30:00-04:00"}[s.Format]
		if words == "" {
			words = "text"
		}
		if s.MaxLength != nil {
			words += fmt.Sprintf(" of at most %d characters", *s.MaxLength)
		}
	case "array":
		words = "a list"
		if s.Items != nil && s.Items.Type != "" {
			words += ", each " + describe(s.Items)
		}
	case "boolean":
		words = "true or false"
	default:
		words = "a value"
	}
	if len(s.Enum) > 0 {
		names := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			names[i] = fmt.Sprint(v)
		}
		words = "one of " + strings.Join(names, ", ")
	}
	if s.Description != "" {
		words += " (" + s.Description + ")"
	}
	return words
}

// plain returns v with numbers as float64, the form the validator takes.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		x, err := v.Float64()
		if err != nil {
			return v
		}
		return x
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = plain(v[k])
		}
		return out
	}
	return v
}

// show is what an error repeats of a value: text as it is, the rest as JSON.
func show(value any) any {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

func at(path string) string {
	if path == "" {
		return "arguments"
	}
	return path
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
