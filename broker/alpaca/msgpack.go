package alpaca

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// errMsgpack: the bytes are not a MessagePack value of the kinds that JSON has.
var errMsgpack = errors.New("not a MessagePack message")

// deepest is how far values may be nested.
const deepest = 32

// msgpackToJSON rewrites one MessagePack value as JSON. Timestamps become RFC 3339
// texts, binary data base64; maps must have texts as keys. The format is
// https://github.com/msgpack/msgpack/blob/master/spec.md.
func msgpackToJSON(data []byte) ([]byte, error) {
	d := &unpacker{data: data, out: make([]byte, 0, 2*len(data))}
	if err := d.value(0); err != nil {
		return nil, err
	}
	if len(d.data) > 0 {
		return nil, fmt.Errorf("%w: %d bytes after its end", errMsgpack, len(d.data))
	}
	return d.out, nil
}

type unpacker struct {
	data []byte
	out  []byte
}

// take returns the next n bytes.
func (d *unpacker) take(n uint64) ([]byte, error) {
	if n > uint64(len(d.data)) {
		return nil, fmt.Errorf("%w: it ends early", errMsgpack)
	}
	b := d.data[:n]
	d.data = d.data[n:]
	return b, nil
}

// uint reads a big-endian number of size bytes.
func (d *unpacker) uint(size int) (uint64, error) {
	b, err := d.take(uint64(size))
	if err != nil {
		return 0, err
	}
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n, nil
}

func (d *unpacker) value(depth int) error {
	if depth > deepest {
		return fmt.Errorf("%w: nested too deeply", errMsgpack)
	}
	head, err := d.take(1)
	if err != nil {
		return err
	}
	switch c := head[0]; {
	case c <= 0x7f:
		d.out = strconv.AppendUint(d.out, uint64(c), 10)
	case c >= 0xe0:
		d.out = strconv.AppendInt(d.out, int64(int8(c)), 10)
	case c <= 0x8f:
		return d.object(uint64(c&0x0f), depth)
	case c <= 0x9f:
		return d.array(uint64(c&0x0f), depth)
	case c <= 0xbf:
		return d.text(uint64(c & 0x1f))
	default:
		return d.marked(c, depth)
	}
	return nil
}

// marked reads a value whose first byte c says its form alone.
func (d *unpacker) marked(c byte, depth int) error {
	switch c {
	case 0xc0:
		d.out = append(d.out, "null"...)
	case 0xc2:
		d.out = append(d.out, "false"...)
	case 0xc3:
		d.out = append(d.out, "true"...)
	case 0xca, 0xcb:
		return d.float(4 << (c - 0xca))
	case 0xcc, 0xcd, 0xce, 0xcf:
		n, err := d.uint(1 << (c - 0xcc))
		d.out = strconv.AppendUint(d.out, n, 10)
		return err
	case 0xd0, 0xd1, 0xd2, 0xd3:
		size := 1 << (c - 0xd0)
		n, err := d.uint(size)
		shift := 64 - 8*size
		d.out = strconv.AppendInt(d.out, int64(n<<shift)>>shift, 10)
		return err
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return d.extension(1 << (c - 0xd4))
	case 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf:
		return d.sized(c, depth)
	default:
		return fmt.Errorf("%w: byte %#x", errMsgpack, c)
	}
	return nil
}

// sized reads a value that tells its length first.
func (d *unpacker) sized(c byte, depth int) error {
	bytes := map[byte]int{0xc4: 1, 0xc5: 2, 0xc6: 4, 0xc7: 1, 0xc8: 2, 0xc9: 4, 0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4}
	n, err := d.uint(bytes[c])
	if err != nil {
		return err
	}
	switch {
	case c <= 0xc6:
		b, err := d.take(n)
		d.out = append(d.out, '"')
		d.out = base64.StdEncoding.AppendEncode(d.out, b)
		d.out = append(d.out, '"')
		return err
	case c <= 0xc9:
		return d.extension(n)
	case c <= 0xdb:
		return d.text(n)
	case c <= 0xdd:
		return d.array(n, depth)
	}
	return d.object(n, depth)
}

func (d *unpacker) float(size int) error {
	n, err := d.uint(size)
	if err != nil {
		return err
	}
	v := math.Float64frombits(n)
	if size == 4 {
		v = float64(math.Float32frombits(uint32(n)))
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		d.out = append(d.out, "null"...)
		return nil
	}
	d.out = strconv.AppendFloat(d.out, v, 'g', -1, 8*size)
	return nil
}

func (d *unpacker) text(n uint64) error {
	b, err := d.take(n)
	if err != nil {
		return err
	}
	if !utf8.Valid(b) {
		return fmt.Errorf("%w: a text that is not UTF-8", errMsgpack)
	}
	quoted, err := json.Marshal(string(b))
	d.out = append(d.out, quoted...)
	return err
}

func (d *unpacker) array(n uint64, depth int) error {
	if n > uint64(len(d.data)) {
		return fmt.Errorf("%w: it ends early", errMsgpack)
	}
	d.out = append(d.out, '[')
	for i := range n {
		if i > 0 {
			d.out = append(d.out, ',')
		}
		if err := d.value(depth + 1); err != nil {
			return err
		}
	}
	d.out = append(d.out, ']')
	return nil
}

func (d *unpacker) object(n uint64, depth int) error {
	if n > uint64(len(d.data)) {
		return fmt.Errorf("%w: it ends early", errMsgpack)
	}
	d.out = append(d.out, '{')
	for i := range n {
		if i > 0 {
			d.out = append(d.out, ',')
		}
		key := len(d.out)
		if err := d.value(depth + 1); err != nil {
			return err
		}
		if d.out[key] != '"' {
			return fmt.Errorf("%w: a key that is no text", errMsgpack)
		}
		d.out = append(d.out, ':')
		if err := d.value(depth + 1); err != nil {
			return err
		}
	}
	d.out = append(d.out, '}')
	return nil
}

// extension reads a timestamp, type -1, in its three sizes. Others are null.
func (d *unpacker) extension(n uint64) error {
	kind, err := d.take(1)
	if err != nil {
		return err
	}
	b, err := d.take(n)
	if err != nil {
		return err
	}
	var at time.Time
	switch {
	case kind[0] != 0xff:
	case n == 4:
		at = time.Unix(int64(binary.BigEndian.Uint32(b)), 0)
	case n == 8:
		v := binary.BigEndian.Uint64(b)
		at = time.Unix(int64(v&(1<<34-1)), int64(v>>34))
	case n == 12:
		at = time.Unix(int64(binary.BigEndian.Uint64(b[4:])), int64(binary.BigEndian.Uint32(b)))
	}
	at = at.UTC()
	if at.IsZero() || at.Year() < 1 || at.Year() > 9999 {
		d.out = append(d.out, "null"...)
		return nil
	}
	d.out = append(d.out, '"')
	d.out = at.AppendFormat(d.out, time.RFC3339Nano)
	d.out = append(d.out, '"')
	return nil
}

// packMessage writes a client's message: texts, and lists of texts, by name.
func packMessage(fields []field) []byte {
	out := []byte{0x80 | byte(len(fields))} // never more than 15
	for _, f := range fields {
		out = packText(out, f.name)
		if f.list == nil {
			out = packText(out, f.text)
			continue
		}
		out = append(out, 0xdc, byte(len(f.list)>>8), byte(len(f.list)))
		for _, s := range f.list {
			out = packText(out, s)
		}
	}
	return out
}

func packText(out []byte, s string) []byte {
	n := min(len(s), math.MaxUint16)
	return append(append(out, 0xda, byte(n>>8), byte(n)), s[:n]...)
}

// A field is part of a client's message.
type field struct {
	name string
	text string
	list []string // nil: text counts
}

// jsonMessage is packMessage in JSON.
func jsonMessage(fields []field) []byte {
	values := map[string]any{}
	for _, f := range fields {
		if f.list != nil {
			values[f.name] = f.list
		} else {
			values[f.name] = f.text
		}
	}
	out, _ := json.Marshal(values) // texts always encode
	return out
}
