package dxlink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// decodeData reads the data of a FEED_DATA message, whichever format it has,
// and calls emit for each event of a known kind. fields are the latest that the
// server announced for each kind.
func decodeData(data json.RawMessage, fields map[string][]string, emit func(kind string, r record)) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // an index is a 64-bit integer, which a float64 would round
	var elems []any
	if err := d.Decode(&elems); err != nil {
		return fmt.Errorf("event data: %w", err)
	}
	for i := 0; i < len(elems); i++ {
		switch e := elems[i].(type) {
		case map[string]any:
			kind, _ := e["eventType"].(string)
			r := newRecord(kind)
			if r == nil {
				continue
			}
			for name, v := range e {
				r.set(name, value{v})
			}
			emit(kind, r)
		case string:
			if i+1 == len(elems) {
				return fmt.Errorf("event data: %.20q has no values", e)
			}
			i++
			values, ok := elems[i].([]any)
			if !ok {
				return fmt.Errorf("event data: %.20q has no array of values", e)
			}
			if err := decodeCompact(e, values, fields[e], emit); err != nil {
				return err
			}
		default:
			return fmt.Errorf("event data: neither objects nor names and arrays")
		}
	}
	return nil
}

// decodeCompact reads any number of records that stand one behind the other.
func decodeCompact(kind string, values []any, fields []string, emit func(string, record)) error {
	if newRecord(kind) == nil {
		return nil
	}
	if len(fields) == 0 || len(values)%len(fields) != 0 {
		return fmt.Errorf("event data: %d values of %s do not divide into records of %d fields", len(values), kind, len(fields))
	}
	for len(values) > 0 {
		r := newRecord(kind)
		for i, name := range fields {
			r.set(name, value{values[i]})
		}
		values = values[len(fields):]
		emit(kind, r)
	}
	return nil
}

// A value is one decoded JSON scalar: string, json.Number, bool or nil.
type value struct{ v any }

func (x value) raw() string {
	switch v := x.v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func (x value) text() string { return x.raw() }

// code is an exchange code; the NUL character stands for none.
func (x value) code() string {
	if s := x.raw(); s != "\x00" {
		return s
	}
	return ""
}

// float reads numbers and the strings NaN, Infinity and -Infinity.
func (x value) float() float64 {
	f, err := strconv.ParseFloat(x.raw(), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

func (x value) int() int64 {
	n, err := strconv.ParseInt(x.raw(), 10, 64)
	if err == nil {
		return n
	}
	if f := x.float(); math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return 0
}

// time reads Unix milliseconds; zero and less mean unknown.
func (x value) time() time.Time {
	ms := x.int()
	if ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (x value) bool() bool {
	b, _ := x.v.(bool)
	return b || x.raw() == "true"
}
