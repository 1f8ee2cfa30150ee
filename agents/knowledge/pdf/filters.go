package pdf

import (
	"bytes"
	"compress/flate"
	"io"
)

// unpack returns the bytes of a stream with its filters undone, as far as they can
// be. Pictures are not unpacked. What it returns counts towards the room.
func (f *file) unpack(s stream) []byte {
	data := s.data
	filters, parameters := f.list(s.dict["Filter"]), f.list(s.dict["DecodeParms"])
	for i, filter := range filters {
		if i >= 8 || f.ctx.Err() != nil {
			return nil
		}
		kind, _ := f.resolve(filter).(name)
		var parms dict
		if i < len(parameters) {
			parms = f.dict(parameters[i])
		}
		switch kind {
		case "FlateDecode", "Fl":
			data = f.predicted(f.inflate(data), parms)
		case "LZWDecode", "LZW":
			data = f.predicted(f.lzw(data, f.number(parms["EarlyChange"], 1) != 0), parms)
		case "ASCIIHexDecode", "AHx":
			l := lexer{data: append([]byte("<"), data...)}
			data = f.take([]byte(l.hex()))
		case "ASCII85Decode", "A85":
			data = f.take(ascii85(data))
		case "RunLengthDecode", "RL":
			data = f.runs(data)
		case "Crypt":
		default: // pictures
			return nil
		}
	}
	return data
}

// list is one value or an array of them.
func (f *file) list(v any) []any {
	switch v := f.resolve(v).(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// take counts unpacked bytes, and returns those that there is room for.
func (f *file) take(b []byte) []byte {
	b = b[:min(len(b), max(0, f.room))]
	f.room -= len(b)
	return b
}

// inflate undoes zlib. The checksum is not looked at and an early end is no error:
// what came before counts.
func (f *file) inflate(data []byte) []byte {
	if len(data) < 2 || f.room <= 0 {
		return nil
	}
	out := f.inflated(data[2:])
	if len(out) == 0 { // without the head of zlib
		out = f.inflated(data)
	}
	f.room -= len(out)
	return out
}

func (f *file) inflated(data []byte) []byte {
	r := flate.NewReader(bytes.NewReader(data))
	defer r.Close()
	var out bytes.Buffer
	for f.ctx.Err() == nil && out.Len() < f.room {
		n, err := io.Copy(&out, io.LimitReader(r, int64(min(1<<20, f.room-out.Len()))))
		if err != nil || n == 0 {
			break
		}
	}
	return out.Bytes()
}

// lzw undoes LZW of PDF: codes of 9 to 12 bits, the width growing one code early
// unless early is false.
func (f *file) lzw(data []byte, early bool) []byte {
	const clear, stop = 256, 257
	type entry struct {
		prefix int
		last   byte
		length int
	}
	table := make([]entry, 258, 4096)
	for i := range 256 {
		table[i] = entry{-1, byte(i), 1}
	}
	shift := 0
	if early {
		shift = 1
	}
	var out []byte
	bits, have, width, previous := 0, 0, 9, -1
	for _, c := range data {
		bits, have = bits<<8|int(c), have+8
		if have < width {
			continue
		}
		code := bits >> (have - width) & (1<<width - 1)
		have -= width
		bits &= 1<<have - 1
		if code == stop || len(out) >= f.room {
			break
		}
		if code == clear {
			table, width, previous = table[:258], 9, -1
			continue
		}
		if code > len(table) || code == len(table) && previous < 0 {
			break
		}
		if previous >= 0 && len(table) < 4096 {
			first := code
			if code == len(table) {
				first = previous
			}
			for table[first].prefix >= 0 {
				first = table[first].prefix
			}
			table = append(table, entry{previous, table[first].last, table[previous].length + 1})
		}
		if code >= len(table) {
			break
		}
		n := table[code].length
		start := len(out)
		out = append(out, make([]byte, n)...)
		for at, e := start+n-1, code; e >= 0 && at >= start; at-- {
			out[at] = table[e].last
			e = table[e].prefix
		}
		previous = code
		for len(table)+shift >= 1<<width && width < 12 {
			width++
		}
	}
	return f.take(out)
}

func ascii85(data []byte) []byte {
	var out []byte
	var group [5]byte
	n := 0
	flush := func() {
		if n < 2 {
			return
		}
		keep := n - 1
		for i := n; i < 5; i++ {
			group[i] = 84
		}
		v := uint32(0)
		for _, g := range group {
			v = v*85 + uint32(g)
		}
		out = append(out, []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}[:keep]...)
		n = 0
	}
	for _, c := range bytes.TrimPrefix(bytes.TrimSpace(data), []byte("<~")) {
		switch {
		case c == '~':
			flush()
			return out
		case c == 'z' && n == 0:
			out = append(out, 0, 0, 0, 0)
		case c >= '!' && c <= 'u':
			group[n] = c - '!'
			if n++; n == 5 {
				flush()
			}
		}
	}
	flush()
	return out
}

func (f *file) runs(data []byte) []byte {
	var out []byte
	for i := 0; i < len(data) && len(out) < f.room; {
		n := int(data[i])
		i++
		switch {
		case n == 128:
			return f.take(out)
		case n < 128:
			end := min(i+n+1, len(data))
			out = append(out, data[i:end]...)
			i = end
		case i < len(data):
			out = append(out, bytes.Repeat(data[i:i+1], 257-n)...)
			i++
		}
	}
	return f.take(out)
}

// predicted undoes the predictors of PNG, row by row.
func (f *file) predicted(data []byte, parms dict) []byte {
	if f.number(parms["Predictor"], 1) < 10 {
		return data
	}
	bits := f.number(parms["Colors"], 1) * f.number(parms["BitsPerComponent"], 8)
	columns := f.number(parms["Columns"], 1)
	if bits < 1 || bits > 64*32 || columns < 1 || columns > 1e6 {
		return nil
	}
	pixel, row := max(1, int(bits)/8), int(bits*columns+7)/8
	above := make([]byte, row)
	var out []byte
	for len(data) > 1 {
		kind := data[0]
		cur := make([]byte, row)
		n := copy(cur, data[1:])
		data = data[1+n:]
		for i := range cur {
			var left, corner int
			if i >= pixel {
				left, corner = int(cur[i-pixel]), int(above[i-pixel])
			}
			up := int(above[i])
			switch kind {
			case 1:
				cur[i] += byte(left)
			case 2:
				cur[i] += byte(up)
			case 3:
				cur[i] += byte((left + up) / 2)
			case 4:
				cur[i] += byte(paeth(left, up, corner))
			}
		}
		out = append(out, cur[:n]...)
		above = cur
	}
	return out
}

func paeth(a, b, c int) int {
	abs := func(x int) int { return max(x, -x) }
	p := a + b - c
	switch pa, pb, pc := abs(p-a), abs(p-b), abs(p-c); {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}
