package tastytrade

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// marshal is MarshalJSON of the type: the JSON that v was decoded from, with
// the fields that have changed since merged into it. A value that was not
// decoded is written without its unknown fields.
func (c *codec) marshal(v any) ([]byte, error) {
	value := reflect.New(c.typ).Elem() // addressable, and v stays as it is
	value.Set(reflect.ValueOf(v))
	return c.encode(value), nil
}

func (c *codec) encode(v reflect.Value) []byte {
	raw := v.Field(0).Interface().(Object).raw
	if raw == nil {
		var members []member
		for _, f := range c.fields {
			members = c.set(members, f, v.Field(f.index))
		}
		return joinObject(members)
	}
	before := reflect.New(c.typ).Elem()
	if err := c.decode(raw, before); err != nil {
		return raw // cannot be: it was decoded before
	}
	members, _ := splitObject(raw)
	changed := false
	for _, f := range c.fields {
		now, was := v.Field(f.index), before.Field(f.index)
		if bytes.Equal(encodeValue(now, f.sub), encodeValue(was, f.sub)) {
			continue
		}
		members, changed = c.set(members, f, now), true
	}
	if !changed {
		return raw
	}
	return joinObject(members)
}

// set writes field f into members, or takes it out when it is unknown.
func (c *codec) set(members []member, f codecField, v reflect.Value) []member {
	encoded := encodeValue(v, f.sub)
	if f.sign != "" {
		sibling := c.spelling(members, f.signs, f.sign)
		if encoded == nil {
			members = assign(members, sibling, nil)
		} else {
			d := *v.Interface().(*decimal.Decimal)
			abs := d.Abs()
			encoded = encodeValue(reflect.ValueOf(&abs), nil)
			// A zero amount has no sign of its own and keeps the effect it came with.
			if was := lookup(members, sibling); !d.IsZero() || was == nil || string(was) == "null" {
				members = assign(members, sibling, signWord(f.sign, d.Sign()))
			}
		}
	}
	return assign(members, c.spelling(members, f.slot, f.name), encoded)
}

// spelling is how members write the name of a slot.
func (c *codec) spelling(members []member, slot int, name string) string {
	for i := len(members) - 1; i >= 0; i-- {
		if at, known := c.slots[members[i].name]; known && at == slot {
			return members[i].name
		}
	}
	return name
}

func signWord(sibling string, sign int) []byte {
	words := [3]string{string(Debit), string(NoEffect), string(Credit)}
	if strings.HasSuffix(sibling, "-direction") {
		words = [3]string{string(Short), string(Zero), string(Long)}
	}
	return []byte(`"` + words[sign+1] + `"`)
}

// assign replaces, adds or removes a member. A number that arrived as a string
// goes back as one, and the other way round.
func assign(members []member, name string, value []byte) []member {
	for i := len(members) - 1; i >= 0; i-- {
		if members[i].name != name {
			continue
		}
		if value == nil {
			return append(members[:i:i], members[i+1:]...)
		}
		members[i].value = likeBefore(members[i].value, value)
		return members
	}
	if value == nil {
		return members
	}
	return append(members, member{name: name, value: value})
}

func likeBefore(was, now []byte) []byte {
	quoted := now[0] == '"'
	switch {
	case was[0] == '"' && isNumber(now):
		return []byte(`"` + string(now) + `"`)
	case isNumber(was) && quoted && isNumber(now[1:len(now)-1]):
		return now[1 : len(now)-1]
	}
	return now
}

func isNumber(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9') && json.Valid(raw)
}

// encodeValue returns the JSON of v, and nil when v is unknown.
func encodeValue(v reflect.Value, sub *codec) []byte {
	switch v.Type() {
	case rawType:
		return v.Bytes()
	case decimalType:
		return []byte(`"` + v.Interface().(decimal.Decimal).String() + `"`)
	case timeType:
		t := v.Interface().(time.Time)
		if t.IsZero() {
			return nil
		}
		layout := "2006-01-02T15:04:05.000-07:00"
		if t.Nanosecond()%1e6 != 0 {
			layout = "2006-01-02T15:04:05.999999999-07:00"
		}
		return []byte(`"` + t.Format(layout) + `"`)
	case dateType:
		d := v.Interface().(Date)
		if d.IsZero() {
			return nil
		}
		return []byte(`"` + d.String() + `"`)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return encodeValue(v.Elem(), sub)
	case reflect.Struct:
		return sub.encode(v)
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		out := []byte{'['}
		for i := range v.Len() {
			if i > 0 {
				out = append(out, ',')
			}
			e := encodeValue(v.Index(i), sub)
			if e == nil {
				e = []byte("null")
			}
			out = append(out, e...)
		}
		return append(out, ']')
	case reflect.Map:
		if v.IsNil() {
			return nil
		}
		var members []member
		for _, key := range slices.Sorted(maps.Keys(keysOf(v))) {
			members = append(members, member{key, encodeValue(v.MapIndex(reflect.ValueOf(key)), sub)})
		}
		return joinObject(members)
	case reflect.String:
		if v.Len() == 0 {
			return nil
		}
		return quote(v.String())
	case reflect.Bool:
		return strconv.AppendBool(nil, v.Bool())
	case reflect.Int, reflect.Int64:
		return strconv.AppendInt(nil, v.Int(), 10)
	case reflect.Float64:
		if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
			return nil
		}
		return strconv.AppendFloat(nil, v.Float(), 'f', -1, 64)
	}
	return nil
}

func keysOf(v reflect.Value) map[string]bool {
	keys := map[string]bool{}
	for _, key := range v.MapKeys() {
		keys[key.String()] = true
	}
	return keys
}

func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return []byte(`""`) // cannot be: a string always encodes
	}
	return bytes.TrimSpace(b.Bytes())
}
