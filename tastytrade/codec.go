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
	"unicode"

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
//	json:"name"         the wire name; kebab-case, camelCase and snake_case
//	                    spellings of it are read alike
//	alt:"name"          another wire name of the same field
//	sign:"sibling"      the wire has a magnitude here and Credit/Debit/None (or
//	                    Long/Short/Zero) in the sibling; the field is signed
//	need:"true"         decoding fails when it is absent or unreadable
type codec struct {
	typ    reflect.Type
	fields []codecField
	slots  map[string]int // every spelling of every name, of siblings too
	count  int            // of slots
	nested []*codecField  // by slot: those that hold objects
}

type codecField struct {
	name  string
	slot  int
	index int
	sign  string
	signs int // slot of the sibling
	need  bool
	sub   *codec // of a struct, or of the elements of a slice
	opens byte   // what the JSON of a struct, or of a slice of structs, begins with
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
func codecFor[T any]() *codec { return newCodec(reflect.TypeFor[T](), map[reflect.Type]*codec{}) }

// newCodec describes t. Types can hold themselves: made has those begun already.
func newCodec(t reflect.Type, made map[reflect.Type]*codec) *codec {
	if c := made[t]; c != nil {
		return c
	}
	c := &codec{typ: t, slots: map[string]int{}}
	made[t] = c
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Type == objectType || name == "" || name == "-" {
			continue
		}
		field := codecField{name: name, index: i, sign: f.Tag.Get("sign"), need: f.Tag.Get("need") != ""}
		elem := f.Type
		for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice && elem != rawType || elem.Kind() == reflect.Map {
			elem = elem.Elem()
		}
		if isObject(elem) {
			field.sub = newCodec(elem, made)
			switch {
			case f.Type == elem:
				field.opens = '{'
			case f.Type.Kind() == reflect.Slice && f.Type.Elem() == elem:
				field.opens = '['
			}
		}
		c.fields = append(c.fields, field)
	}
	for i := range c.fields {
		c.fields[i].slot = c.slot(c.fields[i].name)
	}
	for i := range c.fields {
		if sign := c.fields[i].sign; sign != "" {
			c.fields[i].signs = c.slot(sign)
		}
	}
	for _, f := range c.fields {
		alt := t.Field(f.index).Tag.Get("alt")
		for _, other := range []struct {
			name string
			slot int
		}{{f.name, f.slot}, {alt, f.slot}, {f.sign, f.signs}} {
			if other.name == "" {
				continue
			}
			for _, spelling := range append(spellings(other.name), other.name) {
				if _, taken := c.slots[spelling]; !taken {
					c.slots[spelling] = other.slot
				}
			}
		}
	}
	c.nested = make([]*codecField, c.count)
	for i := range c.fields {
		if f := &c.fields[i]; f.opens != 0 && c.nested[f.slot] == nil {
			c.nested[f.slot] = f
		}
	}
	return c
}

func (c *codec) slot(name string) int {
	if slot, there := c.slots[name]; there {
		return slot
	}
	c.slots[name] = c.count
	c.count++
	return c.count - 1
}

// spellings writes a name as other routes and versions may write it.
func spellings(name string) []string {
	var words []string
	word := ""
	for i, r := range name {
		upper := unicode.IsUpper(r)
		switch {
		case r == '-' || r == '_':
			words, word = append(words, word), ""
			continue
		case upper && i > 0 && word != "" && !unicode.IsUpper(rune(name[i-1])):
			words, word = append(words, word), ""
		}
		word += strings.ToLower(string(r))
	}
	words = append(words, word)
	camel := words[0]
	for _, w := range words[1:] {
		if w != "" {
			camel += strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return []string{strings.Join(words, "-"), strings.Join(words, "_"), camel}
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
	end, err := c.decodeAt(data, 0, v)
	if err == nil && end != len(data) {
		err = fmt.Errorf("%s: %w", c.typ.Name(), errShape)
	}
	return err
}

// decodeAt is decode for the object that begins at byte i of data, and returns
// the end of it. Objects and lists of objects within it are decoded when they
// are met, so that every byte is looked at once however deep it lies.
func (c *codec) decodeAt(data []byte, i int, v reflect.Value) (end int, err error) {
	var small [64][]byte
	found := small[:]
	if c.count > len(small) {
		found = make([][]byte, c.count)
	}
	v.SetZero()
	members := scanner{data: data, at: i}
	for members.key() {
		slot, known := c.slots[string(members.name)]
		if !known {
			members.skip()
			continue
		}
		at := members.at
		if f := c.nested[slot]; f != nil && data[at] == f.opens {
			members.at, err = f.decodeNested(data, at, v.Field(f.index))
			if err != nil {
				return 0, fmt.Errorf("%s: %s: %w", c.typ.Name(), f.name, err)
			}
			found[slot] = done
			continue
		}
		members.skip()
		found[slot] = members.value
	}
	if members.err != nil {
		return 0, fmt.Errorf("%s: %w", c.typ.Name(), members.err)
	}
	for i := range c.fields {
		f := &c.fields[i]
		raw := found[f.slot]
		if len(raw) > 0 && &raw[0] == &done[0] {
			continue
		}
		field := v.Field(f.index)
		if absent := raw == nil || string(raw) == "null"; absent {
			if f.need {
				return 0, fmt.Errorf("%s: %s is missing", c.typ.Name(), f.name)
			}
			field.SetZero() // a list that came before, under the same name
			unknown(field)
			continue
		}
		if err := decodeValue(raw, field, f.sub, f.need); err != nil {
			return 0, fmt.Errorf("%s: %s: %w", c.typ.Name(), f.name, err)
		}
		if f.sign != "" {
			applySign(field, found[f.signs])
		}
	}
	v.Field(0).Addr().Interface().(*Object).raw = data[i:members.at:members.at]
	return members.at, nil
}

// done stands for a value that has been decoded already.
var done = []byte{0}

// decodeNested decodes an object, or a list of objects, that begins at byte i.
func (f *codecField) decodeNested(data []byte, i int, v reflect.Value) (end int, err error) {
	if f.opens == '{' {
		return f.sub.decodeAt(data, i, v)
	}
	v.SetZero()
	i = skipSpace(data, i+1)
	n := 0
	for i < len(data) && data[i] != ']' {
		if n == v.Cap() {
			v.Grow(max(4, n))
		}
		v.SetLen(n + 1)
		elem := v.Index(n)
		if data[i] == '{' {
			i, err = f.sub.decodeAt(data, i, elem)
		} else {
			end := skipValue(data, i)
			if end > len(data) || end == i {
				return 0, errShape
			}
			err = decodeValue(data[i:end:end], elem, f.sub, false)
			i = end
		}
		if err != nil {
			return 0, fmt.Errorf("[%d]: %w", n, err)
		}
		n++
		if i = skipSpace(data, i); i < len(data) && data[i] == ',' {
			i = skipSpace(data, i+1)
		}
	}
	if i >= len(data) {
		return 0, errShape
	}
	if n == 0 {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
	return i + 1, nil
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
		*v.Addr().Interface().(*decimal.Decimal) = d
		return nil
	case timeType:
		t, ok := readTime(raw)
		if !ok {
			return fail()
		}
		*v.Addr().Interface().(*time.Time) = t
		return nil
	case dateType:
		d, ok := readDate(raw)
		if !ok {
			return fail()
		}
		*v.Addr().Interface().(*Date) = d
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
	case reflect.Map:
		return decodeMap(raw, v, sub)
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
			return fail()
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
	switch {
	case raw[0] == '{' && sub == nil, raw[0] != '[' && raw[0] != '{' && sub != nil:
		return nil // not what the list is of: unknown
	case raw[0] == '[':
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

// decodeMap reads an object whose names are data. Values that cannot be read
// are left out.
func decodeMap(raw []byte, v reflect.Value, sub *codec) error {
	if raw[0] != '{' {
		return nil
	}
	out := reflect.MakeMap(v.Type())
	members := scanner{data: raw}
	for members.next() {
		elem := reflect.New(v.Type().Elem()).Elem()
		if string(members.value) != "null" && decodeValue(members.value, elem, sub, true) == nil {
			out.SetMapIndex(reflect.ValueOf(string(members.name)), elem)
		}
	}
	if members.err != nil {
		return members.err
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
	if d, ok := plainDecimal(raw); ok {
		return d, true
	}
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

// plainDecimal is readDecimal for the usual digits and one point, without
// making text of them first.
func plainDecimal(raw []byte) (decimal.Decimal, bool) {
	if len(raw) > 1 && raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	negative := len(raw) > 0 && raw[0] == '-'
	if negative {
		raw = raw[1:]
	}
	if len(raw) == 0 || len(raw) > 18 {
		return decimal.Decimal{}, false
	}
	var value int64
	places, point := int32(0), false
	for i, c := range raw {
		switch {
		case c >= '0' && c <= '9':
			value = value*10 + int64(c-'0')
			if point {
				places++
			}
		case c == '.' && !point && i > 0 && i < len(raw)-1:
			point = true
		default:
			return decimal.Decimal{}, false
		}
	}
	if negative {
		value = -value
	}
	return decimal.New(value, -places), true
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
var timeLayouts = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05 UTC", "2006-01-02T15:04Z07:00", time.DateOnly}

// readTime reads an ISO 8601 text, with or without more text behind it, or Unix
// milliseconds or seconds. Zero and negative numbers mean none.
func readTime(raw []byte) (time.Time, bool) {
	text, ok := scalar(raw)
	if !ok || text == "" {
		return time.Time{}, false
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		// 1e11 is 1973 in milliseconds and the year 5138 in seconds.
		if n > 0 && n < 1e11 {
			return time.Unix(int64(n), 0).UTC(), true
		}
		if n > 0 && n < 1e16 {
			return time.UnixMilli(int64(n)).UTC(), true
		}
		return time.Time{}, false
	}
	if t, ok := isoTime(text); ok {
		return t, true
	}
	if date := len(time.DateOnly); len(text) > date {
		if end := strings.IndexAny(text[date:], " [(,"); end >= 0 {
			return isoTime(text[:date+end])
		}
	}
	return time.Time{}, false
}

func isoTime(text string) (time.Time, bool) {
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
	if !strings.EqualFold(word, string(Debit)) && word != string(Short) {
		return
	}
	d := v.Interface().(*decimal.Decimal).Abs().Neg()
	v.Set(reflect.ValueOf(&d))
}
