package agents

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

// A Schemer is a type that states its own JSON schema.
type Schemer interface{ JSONSchema() *jsonschema.Schema }

// SchemaFor returns the JSON schema (draft 2020-12) of what encoding/json
// writes for a T:
//
//   - structs are objects without further properties; fields that are not
//     omitempty or omitzero are required;
//   - time.Time is a string of format date-time; what implements
//     encoding.TextMarshaler, such as decimal.Decimal, is a string;
//   - a float type with a MarshalJSON of its own, such as market.Float, is a
//     number or null;
//   - pointers, slices, maps that may be written as null allow null;
//   - a [Schemer] is what it says.
//
// A field's tag jsonschema:"…" is its description. Its tag schema:"…" narrows it
// further, with commas between: min=, max= (of a number), minItems=, maxItems=,
// maxLength=, format=, enum=a|b|c, default=JSON. Limits of a list's items go on
// the list: enum, min, max, maxLength.
//
// The caller may change the result. SchemaFor panics when T has no schema
// (functions, channels, maps without text keys, types that contain themselves).
func SchemaFor[T any]() *jsonschema.Schema { return schemaOf[T](false) }

func schemaOf[T any](input bool) *jsonschema.Schema {
	g := generator{input: input}
	return g.of(reflect.TypeFor[T]())
}

var (
	schemerType       = reflect.TypeFor[Schemer]()
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
	jsonMarshalerType = reflect.TypeFor[json.Marshaler]()
	timeType          = reflect.TypeFor[time.Time]()
	rawMessageType    = reflect.TypeFor[json.RawMessage]()
	numberType        = reflect.TypeFor[json.Number]()
)

// A generator writes the schema of one type.
type generator struct {
	input bool           // of arguments, which are never null
	path  []reflect.Type // the structs it is inside of, to notice recursion
}

func (g *generator) of(t reflect.Type) *jsonschema.Schema {
	if t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(schemerType) {
		return reflect.New(t).Interface().(Schemer).JSONSchema()
	}
	switch {
	case t == timeType:
		return &jsonschema.Schema{Type: "string", Format: "date-time"}
	case t == rawMessageType:
		return &jsonschema.Schema{}
	case t == numberType:
		return &jsonschema.Schema{Type: "number"}
	case t.Kind() == reflect.Pointer:
		return g.nullable(g.of(t.Elem()))
	}
	kind := t.Kind()
	pointer := reflect.PointerTo(t)
	if (kind == reflect.Float64 || kind == reflect.Float32) && pointer.Implements(jsonMarshalerType) {
		return g.nullable(&jsonschema.Schema{Type: "number"})
	}
	if pointer.Implements(textMarshalerType) {
		return &jsonschema.Schema{Type: "string"}
	}
	if pointer.Implements(jsonMarshalerType) {
		return &jsonschema.Schema{}
	}
	switch kind {
	case reflect.String:
		return &jsonschema.Schema{Type: "string"}
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &jsonschema.Schema{Type: "integer"}
	case reflect.Float32, reflect.Float64:
		return &jsonschema.Schema{Type: "number"}
	case reflect.Interface:
		return &jsonschema.Schema{}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return g.nullable(&jsonschema.Schema{Type: "string", ContentEncoding: "base64"})
		}
		return g.nullable(&jsonschema.Schema{Type: "array", Items: g.of(t.Elem())})
	case reflect.Array:
		return &jsonschema.Schema{Type: "array", Items: g.of(t.Elem())}
	case reflect.Map:
		if t.Key().Kind() == reflect.String || t.Key().Implements(textMarshalerType) {
			return g.nullable(&jsonschema.Schema{Type: "object", AdditionalProperties: g.of(t.Elem())})
		}
	case reflect.Struct:
		return g.object(t)
	}
	panic(fmt.Sprintf("agents: %v has no JSON schema", t))
}

// nullable allows null beside what s allows.
func (g *generator) nullable(s *jsonschema.Schema) *jsonschema.Schema {
	if g.input || s.Type == "" {
		return s
	}
	s.Types, s.Type = []string{s.Type, "null"}, ""
	return s
}

// present is the schema s of t for a field that is left out when it is nil.
func (g *generator) present(t reflect.Type, s *jsonschema.Schema) *jsonschema.Schema {
	switch t.Kind() {
	case reflect.Pointer:
		return g.of(t.Elem()) // which may be null itself
	case reflect.Slice, reflect.Map:
		if len(s.Types) == 2 {
			s.Type, s.Types = s.Types[0], nil
		}
	}
	return s
}

func (g *generator) object(t reflect.Type) *jsonschema.Schema {
	if slices.Contains(g.path, t) {
		panic(fmt.Sprintf("agents: %v contains itself and has no JSON schema", t))
	}
	g.path = append(g.path, t)
	defer func() { g.path = g.path[:len(g.path)-1] }()

	s := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}, AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}}}
	for i := range t.NumField() {
		g.field(s, t.Field(i))
	}
	return s
}

// field adds the property of one struct field to s, or those of an embedded struct.
func (g *generator) field(s *jsonschema.Schema, f reflect.StructField) {
	tag := f.Tag.Get("json")
	name, options, _ := strings.Cut(tag, ",")
	switch {
	case tag == "-":
		return
	case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct && !reflect.PointerTo(f.Type).Implements(jsonMarshalerType):
		inner := g.object(f.Type)
		for _, p := range inner.PropertyOrder {
			g.property(s, p, inner.Properties[p], slices.Contains(inner.Required, p))
		}
		return
	case !f.IsExported():
		return
	case name == "":
		name = f.Name
	}
	p := g.of(f.Type)
	optional := false
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			optional = true
			p = g.present(f.Type, p)
		case "omitzero":
			optional = true
			if f.Type.Kind() == reflect.Pointer {
				p = g.present(f.Type, p)
			}
		case "string":
			p = &jsonschema.Schema{Type: "string"}
		}
	}
	p.Description = f.Tag.Get("jsonschema")
	if err := narrow(p, f.Tag.Get("schema")); err != nil {
		panic(fmt.Sprintf("agents: field %s: %v", f.Name, err))
	}
	g.property(s, name, p, !optional && (!g.input || p.Default == nil))
}

func (g *generator) property(s *jsonschema.Schema, name string, p *jsonschema.Schema, required bool) {
	if _, seen := s.Properties[name]; !seen {
		s.PropertyOrder = append(s.PropertyOrder, name)
	}
	s.Properties[name] = p
	s.Required = slices.DeleteFunc(s.Required, func(r string) bool { return r == name })
	if required {
		s.Required = append(s.Required, name)
	}
}

// narrow applies the tag schema:"…".
func narrow(p *jsonschema.Schema, tag string) error {
	if tag == "" {
		return nil
	}
	item := p // what the limits of values apply to
	if p.Items != nil {
		item = p.Items
	}
	for part := range strings.SplitSeq(tag, ",") {
		key, value, _ := strings.Cut(part, "=")
		var err error
		switch key {
		case "min":
			item.Minimum, err = number(value)
		case "max":
			item.Maximum, err = number(value)
		case "minItems":
			p.MinItems, err = count(value)
		case "maxItems":
			p.MaxItems, err = count(value)
		case "maxLength":
			item.MaxLength, err = count(value)
		case "format":
			item.Format = value
		case "enum":
			for v := range strings.SplitSeq(value, "|") {
				item.Enum = append(item.Enum, v)
			}
		case "default":
			p.Default = json.RawMessage(value)
			if !json.Valid(p.Default) {
				p.Default = json.RawMessage(strconv.Quote(value))
			}
		default:
			err = fmt.Errorf("tag schema has no keyword %q", key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func number(s string) (*float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	return &x, err
}

func count(s string) (*int, error) {
	n, err := strconv.Atoi(s)
	return &n, err
}
