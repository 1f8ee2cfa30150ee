package alpacatest

import (
	"encoding/binary"
	"errors"
	"math"
)

// pack writes a value as MessagePack. Instants stay texts, as JSON has them.
func pack(out []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(out, 0xc0)
	case string:
		if len(v) < 32 {
			return append(append(out, 0xa0|byte(len(v))), v...)
		}
		return append(append(out, 0xd9, byte(len(v))), v[:min(len(v), 255)]...)
	case float64:
		return binary.BigEndian.AppendUint64(append(out, 0xcb), math.Float64bits(v))
	case int:
		return binary.BigEndian.AppendUint64(append(out, 0xd3), uint64(int64(v)))
	case []string:
		out = append(out, 0xdc, byte(len(v)>>8), byte(len(v)))
		for _, each := range v {
			out = pack(out, each)
		}
		return out
	case []any:
		out = append(out, 0xdc, byte(len(v)>>8), byte(len(v)))
		for _, each := range v {
			out = pack(out, each)
		}
		return out
	case map[string]any:
		out = append(out, 0xde, byte(len(v)>>8), byte(len(v)))
		for _, key := range sortedKeys(v) {
			out = pack(pack(out, key), v[key])
		}
		return out
	}
	return append(out, 0xc0)
}

var errPack = errors.New("not a message of a client")

// unpackMessage reads a client's message: a map of texts and lists of texts.
func unpackMessage(data []byte) (map[string]any, error) {
	value, rest, err := unpack(data)
	message, isMap := value.(map[string]any)
	if err != nil || !isMap || len(rest) > 0 {
		return nil, errPack
	}
	return message, nil
}

func unpack(data []byte) (value any, rest []byte, err error) {
	if len(data) == 0 {
		return nil, nil, errPack
	}
	head, data := data[0], data[1:]
	length := func(size int) (n int, ok bool) {
		if len(data) < size {
			return 0, false
		}
		for _, c := range data[:size] {
			n = n<<8 | int(c)
		}
		data = data[size:]
		return n, n <= len(data)
	}
	n, ok := 0, true
	switch {
	case head&0xe0 == 0xa0:
		n, head = int(head&0x1f), 0xd9
	case head&0xf0 == 0x80:
		n, head = int(head&0x0f), 0xde
	case head&0xf0 == 0x90:
		n, head = int(head&0x0f), 0xdc
	case head == 0xd9:
		n, ok = length(1)
	case head == 0xda, head == 0xdc, head == 0xde:
		n, ok = length(2)
		if head == 0xda {
			head = 0xd9
		}
	default:
		return nil, nil, errPack
	}
	if !ok || n > len(data) {
		return nil, nil, errPack
	}
	switch head {
	case 0xd9:
		return string(data[:n]), data[n:], nil
	case 0xdc:
		list := []any{}
		for range n {
			var each any
			if each, data, err = unpack(data); err != nil {
				return nil, nil, err
			}
			list = append(list, each)
		}
		return list, data, nil
	}
	fields := map[string]any{}
	for range n {
		var key, each any
		if key, data, err = unpack(data); err == nil {
			each, data, err = unpack(data)
		}
		name, isText := key.(string)
		if err != nil || !isText {
			return nil, nil, errPack
		}
		fields[name] = each
	}
	return fields, data, nil
}
