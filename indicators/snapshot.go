package indicators

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"unsafe"
)

// ErrSnapshot means that a snapshot is not of this indicator with these
// parameters.
var ErrSnapshot = errors.New("indicators: the snapshot is of another indicator or of other parameters")

// A snapshotter keeps its own state, as the streams of TA-Lib's functions do.
type snapshotter interface {
	Snapshot() []byte
	Restore(data []byte) error
}

// Snapshot returns the state of a stream of this module, for [Restore]: the
// stream of a registry entry, or one made by a constructor such as [NewRSI].
// The format may change between versions of this module.
func Snapshot(stream any) ([]byte, error) {
	switch s := stream.(type) {
	case oneToOne:
		return Snapshot(s.series)
	case *Set:
		return s.snapshot()
	case snapshotter:
		return s.Snapshot(), nil
	case several:
		return keepAll(s.parts())
	}
	var data []byte
	keep := func(v uint64) uint64 {
		data = binary.LittleEndian.AppendUint64(data, v)
		return v
	}
	err := visit(stream, visitor{number: keep, owner: func(v uint64) { keep(v) }})
	return data, err
}

// Restore puts a stream where another one of the same indicator with the same
// parameters was at its [Snapshot]. It returns [ErrSnapshot] (TA-Lib's functions
// an error of their own), and leaves the stream as it was, when the snapshot is
// of another indicator or of other parameters.
func Restore(stream any, data []byte) error {
	switch s := stream.(type) {
	case oneToOne:
		return Restore(s.series, data)
	case *Set:
		return s.restore(data)
	case snapshotter:
		return s.Restore(data)
	case several:
		return restoreAll(s.parts(), data)
	}
	size, another := 0, false
	look := visitor{
		number: func(v uint64) uint64 { size += 8; return v },
		owner: func(v uint64) {
			another = another || len(data) < size+8 || binary.LittleEndian.Uint64(data[size:]) != v
			size += 8
		},
	}
	if err := visit(stream, look); err != nil {
		return err
	}
	if another || size != len(data) {
		return ErrSnapshot
	}
	next := func(uint64) uint64 {
		v := binary.LittleEndian.Uint64(data)
		data = data[8:]
		return v
	}
	return visit(stream, visitor{number: next, owner: func(v uint64) { next(v) }})
}

// several is a stream made of others: a chain.
type several interface{ parts() []Stream }

func keepAll(streams []Stream) ([]byte, error) {
	var data []byte
	for _, s := range streams {
		part, err := Snapshot(s)
		if err != nil {
			return nil, err
		}
		data = append(binary.LittleEndian.AppendUint64(data, uint64(len(part))), part...)
	}
	return data, nil
}

func restoreAll(streams []Stream, data []byte) error {
	before, err := keepAll(streams)
	if err != nil {
		return err
	}
	if err := restoreParts(streams, data); err != nil {
		return errors.Join(err, restoreParts(streams, before))
	}
	return nil
}

func restoreParts(streams []Stream, data []byte) error {
	for _, s := range streams {
		if len(data) < 8 || binary.LittleEndian.Uint64(data) > uint64(len(data)-8) {
			return ErrSnapshot
		}
		size := int(binary.LittleEndian.Uint64(data))
		if err := Restore(s, data[8:8+size]); err != nil {
			return err
		}
		data = data[8+size:]
	}
	if len(data) > 0 {
		return ErrSnapshot
	}
	return nil
}

// A visitor gets every number of a stream's state, in a fixed order, and returns
// what to put in its place. Before them it gets whose they are.
type visitor struct {
	number func(uint64) uint64
	owner  func(uint64)
}

// visit shows the stream's state to a visitor.
func visit(stream any, f visitor) error {
	v := reflect.ValueOf(stream)
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return errors.New("indicators: no stream")
	}
	if v.Kind() != reflect.Pointer && v.Kind() != reflect.Struct {
		return fmt.Errorf("indicators: %T is no stream", stream)
	}
	if o, ok := stream.(owned); ok {
		f.owner(o.owner())
	}
	if v.Kind() == reflect.Struct {
		// A pointer with a method or two around it: a copy has an address, and
		// the state is behind the pointer.
		copied := reflect.New(v.Type()).Elem()
		copied.Set(v)
		v = copied
	}
	return walk(v, f)
}

func walk(v reflect.Value, f visitor) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		if m, ok := pointed[machine](v); ok {
			return walkMachine(m, f)
		}
		return walk(v.Elem(), f)
	case reflect.Struct:
		if m, ok := pointed[machine](v.Addr()); ok {
			return walkMachine(m, f)
		}
		for i := range v.NumField() {
			if err := walk(v.Field(i), f); err != nil {
				return err
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := walk(v.Index(i), f); err != nil {
				return err
			}
		}
	case reflect.Float64:
		x := f.number(math.Float64bits(v.Float()))
		settable(v).SetFloat(math.Float64frombits(x))
	case reflect.Int:
		x := f.number(uint64(v.Int()))
		settable(v).SetInt(int64(x))
	case reflect.Bool:
		n := uint64(0)
		if v.Bool() {
			n = 1
		}
		x := f.number(n)
		settable(v).SetBool(x == 1)
	case reflect.String:
	default:
		return fmt.Errorf("indicators: a stream with a %s has no snapshot", v.Kind())
	}
	return nil
}

// settable is v without the protection of unexported fields: these are streams
// of this module, and a snapshot must reach all of their state.
func settable(v reflect.Value) reflect.Value {
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

func pointed[T any](v reflect.Value) (*T, bool) {
	if v.Kind() != reflect.Pointer || v.Type() != reflect.TypeFor[*T]() {
		return nil, false
	}
	return (*T)(v.UnsafePointer()), true
}

func walkMachine(m *machine, f visitor) error {
	f.owner(m.of)
	b := m.state
	for _, values := range b.floats {
		for i, v := range values {
			x := f.number(math.Float64bits(v))
			values[i] = math.Float64frombits(x)
		}
	}
	for _, values := range b.ints {
		for i, v := range values {
			x := f.number(uint64(v))
			values[i] = int(x)
		}
	}
	return nil
}
