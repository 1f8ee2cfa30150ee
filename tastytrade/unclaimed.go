package tastytrade

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
)

// Unclaimed names the members of a decoded value's JSON that no field of this
// package reads, as paths such as "items[].legs[].new-member", sorted, each once.
// Nothing of them is lost ([Object.Raw] has them), but a program cannot see them
// by name: they are what the broker has added, or this package does not know. v is
// any value that a method of this package returned, or a slice, map or pointer of
// such.
func Unclaimed(v any) []string {
	u := unclaimedFinder{map[string]bool{}, map[reflect.Type]*codec{}}
	u.walk(reflect.ValueOf(v), "")
	return slices.Sorted(maps.Keys(u.found))
}

// An unclaimedFinder walks a value.
type unclaimedFinder struct {
	found  map[string]bool
	codecs map[reflect.Type]*codec // describing a type takes longer than reading a value
}

func (u unclaimedFinder) walk(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			u.walk(v.Elem(), path)
		}
	case reflect.Slice, reflect.Array:
		if v.Type() == rawType {
			return
		}
		for i := range v.Len() {
			u.walk(v.Index(i), path+"[]")
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			u.walk(v.MapIndex(key), path+"[]")
		}
	case reflect.Struct:
		if v.Type() == decimalType || v.Type() == timeType {
			return
		}
		if isObject(v.Type()) {
			u.members(v, path)
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Type != objectType {
				u.walk(v.Field(i), memberPath(path, f))
			}
		}
	}
}

func (u unclaimedFinder) members(v reflect.Value, path string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(v.Field(0).Interface().(Object).raw, &members) != nil {
		return
	}
	known := newCodec(v.Type(), u.codecs)
	for name := range members {
		if _, claimed := known.slots[name]; !claimed {
			u.found[joined(path, name)] = true
		}
	}
}

func memberPath(path string, f reflect.StructField) string {
	name := f.Tag.Get("json")
	if name == "" || name == "-" {
		return path
	}
	return joined(path, name)
}

func joined(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
