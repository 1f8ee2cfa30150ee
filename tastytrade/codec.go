package tastytrade

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// An Object is part of everything decoded from the API. It keeps the JSON as it
// arrived, so that nothing is lost: fields that this package does not know
// survive, and encoding writes back what arrived with the changed fields merged
// into it.
//
// Decoding is tolerant, because the broker's types vary: a number may be a
// string and the other way round, a list of one may come without brackets, and
// "NaN", null and absent all mean unknown, which is nil, NaN, the zero time or
// the empty string, never 0.
type Object struct{ raw json.RawMessage }

// Raw returns the JSON as it arrived; nil for a value that was not decoded.
// Changes made to the value do not show in it.
func (o Object) Raw() json.RawMessage { return bytes.Clone(o.raw) }

// A codec reads and writes one struct type that embeds Object first. Field tags:
//
//	json:"name"         the wire name
//	sign:"sibling"      the wire has a magnitude here and Credit/Debit/None (or
//	                    Long/Short/Zero) in the sibling; the field is signed
//	need:"true"         decoding fails when it is absent or unreadable
type codec struct {
	typ    reflect.Type
	fields []codecField
}

type codecField struct {
	name  string
	index int
	sign  string
	need  bool
	sub   *codec // of a struct, or of the elements of a slice
}

var (
	objectType  = reflect.TypeFor[Object]()
	decimalType = reflect.TypeFor[decimal.Decimal]()
	timeType    = reflect.TypeFor[time.Time]()
	dateType    = reflect.TypeFor[Date]()
	rawType     = reflect.TypeFor[json.RawMessage]()
)

// codecFor describes T, which is known to be well formed when the package's
// tests pass.
func codecFor[T any]() *codec { return newCodec(reflect.TypeFor[T]()) }

func newCodec(t reflect.Type) *codec {
	c := &codec{typ: t}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Type == objectType || name == "" || name == "-" {
			continue
		}
		field := codecField{name: name, index: i, sign: f.Tag.Get("sign"), need: f.Tag.Get("need") != ""}
		elem := f.Type
		for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice && elem != rawType {
			elem = elem.Elem()
		}
		if isObject(elem) {
			field.sub = newCodec(elem)
		}
		c.fields = append(c.fields, field)
	}
	return c
}

func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Type == objectType && t.Field(0).Anonymous
}

// unmarshal is UnmarshalJSON of the type; data belongs to the caller.
func (c *codec) unmarshal(data []byte, dst any) error {
	return c.decode(bytes.Clone(bytes.TrimSpace(data)), reflect.ValueOf(dst).Elem())
}

// decode fills v from one JSON object and keeps data, which must be valid JSON
// and must not change afterwards.
func (c *codec) decode(data []byte, v reflect.Value) error {
	if string(data) == "null" {
		return nil
	}
	members, err := splitObject(data)
	if err != nil {
		return fmt.Errorf("%s: %w", c.typ.Name(), err)
	}
	v.SetZero()
	for _, f := range c.fields {
		raw := lookup(members, f.name)
		field := v.Field(f.index)
		if absent := raw == nil || string(raw) == "null"; absent {
			if f.need {
				return fmt.Errorf("%s: %s is missing", c.typ.Name(), f.name)
			}
			unknown(field)
			continue
		}
		if err := decodeValue(raw, field, f.sub, f.need); err != nil {
			return fmt.Errorf("%s: %s: %w", c.typ.Name(), f.name, err)
		}
		if f.sign != "" {
			applySign(field, lookup(members, f.sign))
		}
	}
	v.Field(0).Set(reflect.ValueOf(Object{raw: data}))
	return nil
}

// unknown makes floats NaN; the zero value of every other type says unknown.
func unknown(v reflect.Value) {
	if v.Kind() == reflect.Float64 {
		v.SetFloat(math.NaN())
	}
}

var errUnreadable = errors.New("unreadable value")

// decodeValue is tolerant: what cannot be read into a type that can say unknown
// is unknown, and stays in the raw JSON. Types that cannot say so, and fields
// that are needed, report an error.
func decodeValue(raw []byte, v reflect.Value, sub *codec, need bool) error {
	fail := func() error {
		if need {
			return errUnreadable
		}
		v.SetZero()
		unknown(v)
		return nil
	}
	switch v.Type() {
	case rawType:
		v.SetBytes(raw)
		return nil
	case decimalType:
		d, ok := readDecimal(raw)
		if !ok {
			return errUnreadable
		}
		v.Set(reflect.ValueOf(d))
		return nil
	case timeType:
		t, ok := readTime(raw)
		if !ok {
			return fail()
		}
		v.Set(reflect.ValueOf(t))
		return nil
	case dateType:
		d, ok := readDate(raw)
		if !ok {
			return fail()
		}
		v.Set(reflect.ValueOf(d))
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		elem := reflect.New(v.Type().Elem())
		if err := decodeValue(raw, elem.Elem(), sub, true); err != nil {
			if sub != nil && raw[0] == '{' {
				return err
			}
			return fail()
		}
		v.Set(elem)
		return nil
	case reflect.Struct:
		if sub == nil || raw[0] != '{' {
			return fail()
		}
		return sub.decode(raw, v)
	case reflect.Slice:
		return decodeSlice(raw, v, sub)
	case reflect.String:
		text, ok := scalar(raw)
		if !ok {
			return fail()
		}
		v.SetString(text)
	case reflect.Bool:
		switch text, _ := scalar(raw); strings.ToLower(text) {
		case "true", "1", "yes":
			v.SetBool(true)
		case "false", "0", "no":
			v.SetBool(false)
		default:
			return fail()
		}
	case reflect.Int, reflect.Int64:
		d, ok := readDecimal(raw)
		if !ok || !d.IsInteger() || !d.BigInt().IsInt64() {
			return errUnreadable
		}
		v.SetInt(d.IntPart())
	case reflect.Float64:
		f, ok := readFloat(raw)
		if !ok {
			return fail()
		}
		v.SetFloat(f)
	default:
		return fmt.Errorf("no codec for %s", v.Type())
	}
	return nil
}

func decodeSlice(raw []byte, v reflect.Value, sub *codec) error {
	elems := [][]byte{raw} // one element without brackets
	if raw[0] == '[' {
		var err error
		if elems, err = splitArray(raw); err != nil {
			return err
		}
	}
	out := reflect.MakeSlice(v.Type(), len(elems), len(elems))
	for i, e := range elems {
		if string(e) == "null" {
			unknown(out.Index(i))
			continue
		}
		if err := decodeValue(e, out.Index(i), sub, false); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	v.Set(out)
	return nil
}

// scalar returns the text of a JSON string, number or boolean.
func scalar(raw []byte) (string, bool) {
	switch raw[0] {
	case '"':
		return unquote(raw)
	case '{', '[':
		return "", false
	}
	return string(raw), true
}

func unquote(raw []byte) (string, bool) {
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), true
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

func readDecimal(raw []byte) (decimal.Decimal, bool) {
	text, ok := scalar(raw)
	if !ok || len(text) > 64 {
		return decimal.Decimal{}, false
	}
	d, err := decimal.NewFromString(strings.TrimSpace(text))
	// An exponent of thousands is valid JSON and would take forever to print.
	if err != nil || d.Exponent() > 100 || d.Exponent() < -100 {
		return decimal.Decimal{}, false
	}
	return d, true
}

func readFloat(raw []byte) (float64, bool) {
	text, ok := scalar(raw)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return f, err == nil && !math.IsInf(f, 0)
}

// timeLayouts are the forms of instants seen in answers.
var timeLayouts = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05 UTC", time.DateOnly}

// readTime reads an ISO 8601 text or Unix milliseconds. Zero and negative
// numbers mean none.
func readTime(raw []byte) (time.Time, bool) {
	text, ok := scalar(raw)
	if !ok || text == "" {
		return time.Time{}, false
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		if ms <= 0 {
			return time.Time{}, false
		}
		return time.UnixMilli(ms).UTC(), true
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// readDate reads the date that a text begins with: some dates carry more.
func readDate(raw []byte) (Date, bool) {
	text, ok := scalar(raw)
	if !ok || len(text) < len(time.DateOnly) {
		return Date{}, false
	}
	var d Date
	err := d.UnmarshalText([]byte(text[:len(time.DateOnly)]))
	return d, err == nil
}

// applySign turns a magnitude into a signed amount.
func applySign(v reflect.Value, sibling []byte) {
	if sibling == nil || v.IsNil() {
		return
	}
	word, _ := scalar(sibling)
	if word != string(Debit) && word != string(Short) {
		return
	}
	d := v.Interface().(*decimal.Decimal).Abs().Neg()
	v.Set(reflect.ValueOf(&d))
}
