package pdf

import (
	"bytes"
	"math"
)

// The objects of a PDF: nil, bool, float64, text, name, []any, dict, stream, ref,
// and operator in contents.
type (
	text     string
	name     string
	dict     map[string]any
	ref      int
	operator string
	stream   struct {
		dict dict
		data []byte // packed
	}
)

// A lexer reads objects. It always goes forward and ends at the end of its data.
type lexer struct {
	data []byte
	at   int
}

// end is what value returns behind the last object.
type end struct{}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isDelimiter(c byte) bool {
	return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0
}

func (l *lexer) space() {
	for l.at < len(l.data) {
		c := l.data[l.at]
		switch {
		case isSpace(c):
			l.at++
		case c == '%':
			for l.at < len(l.data) && l.data[l.at] != '\n' && l.data[l.at] != '\r' {
				l.at++
			}
		default:
			return
		}
	}
}

func (l *lexer) word() []byte {
	start := l.at
	for l.at < len(l.data) && !isSpace(l.data[l.at]) && !isDelimiter(l.data[l.at]) {
		l.at++
	}
	return l.data[start:l.at]
}

// value reads one object. What nests too deeply is nil.
func (l *lexer) value(depth int) any {
	l.space()
	if l.at >= len(l.data) {
		return end{}
	}
	switch c := l.data[l.at]; c {
	case '/':
		l.at++
		return name(unescape(l.word()))
	case '(':
		return l.literal()
	case '<':
		if l.at+1 < len(l.data) && l.data[l.at+1] == '<' {
			l.at += 2
			return l.dict(depth)
		}
		return l.hex()
	case '[':
		l.at++
		out := []any{}
		for {
			l.space()
			if l.at >= len(l.data) || depth > maxNesting {
				return out
			}
			if l.data[l.at] == ']' {
				l.at++
				return out
			}
			if v := l.value(depth + 1); v != (operator("")) {
				out = append(out, v)
			}
		}
	case ']', ')', '{', '}':
		l.at++
		return operator("")
	case '>':
		l.at++
		if l.at < len(l.data) && l.data[l.at] == '>' {
			l.at++
		}
		return operator("")
	}
	if n, ok := l.number(); ok {
		if r, ok := l.reference(n); ok {
			return r
		}
		return n
	}
	w := l.word()
	if len(w) == 0 { // cannot be; but go on in any case
		l.at++
		return operator("")
	}
	switch string(w) {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	return operator(w)
}

// number reads a number if one is there.
func (l *lexer) number() (float64, bool) {
	at, negative, digits := l.at, false, 0
	for at < len(l.data) && (l.data[at] == '+' || l.data[at] == '-') {
		negative = negative || l.data[at] == '-'
		at++
	}
	n, scale := 0.0, 0.0
	for ; at < len(l.data); at++ {
		c := l.data[at]
		if c == '.' && scale == 0 {
			scale = 1
			continue
		}
		if c == '-' && digits > 0 { // as some programs write: 12-34
			for at < len(l.data) && !isSpace(l.data[at]) && !isDelimiter(l.data[at]) {
				at++
			}
			break
		}
		if !isDigit(c) {
			break
		}
		digits++
		if scale != 0 {
			scale /= 10
			n += float64(c-'0') * scale
			continue
		}
		n = 10*n + float64(c-'0')
	}
	if digits == 0 || at < len(l.data) && !isSpace(l.data[at]) && !isDelimiter(l.data[at]) {
		return 0, false
	}
	l.at = at
	if negative {
		n = -n
	}
	if math.IsInf(n, 0) {
		n = 0
	}
	return n, true
}

// reference reads the rest of "12 0 R", if that is what follows the number.
func (l *lexer) reference(n float64) (ref, bool) {
	if n <= 0 || n != math.Trunc(n) || n > 1e9 {
		return 0, false
	}
	at := l.at
	for at < len(l.data) && isSpace(l.data[at]) {
		at++
	}
	from := at
	for at < len(l.data) && isDigit(l.data[at]) && at-from < 6 {
		at++
	}
	if at == from || at >= len(l.data) || !isSpace(l.data[at]) {
		return 0, false
	}
	for at < len(l.data) && isSpace(l.data[at]) {
		at++
	}
	if at >= len(l.data) || l.data[at] != 'R' || at+1 < len(l.data) && !isSpace(l.data[at+1]) && !isDelimiter(l.data[at+1]) {
		return 0, false
	}
	l.at = at + 1
	return ref(n), true
}

func (l *lexer) dict(depth int) dict {
	d := dict{}
	for {
		l.space()
		if l.at >= len(l.data) || depth > maxNesting {
			return d
		}
		if l.data[l.at] == '>' {
			l.at++
			if l.at < len(l.data) && l.data[l.at] == '>' {
				l.at++
			}
			return d
		}
		before := l.at
		key, ok := l.value(depth + 1).(name)
		if !ok {
			// A broken dictionary ends where its object ends.
			if bytes.HasPrefix(l.data[before:], []byte("endobj")) || bytes.HasPrefix(l.data[before:], []byte("stream")) {
				l.at = before
				return d
			}
			continue
		}
		l.space()
		if l.at < len(l.data) && l.data[l.at] == '>' {
			continue // a key without a value
		}
		d[string(key)] = l.value(depth + 1)
	}
}

// streamStart tells where the bytes of a stream begin, if one follows.
func (l *lexer) streamStart() (int, bool) {
	l.space()
	if !bytes.HasPrefix(l.data[l.at:], []byte("stream")) {
		return 0, false
	}
	at := l.at + len("stream")
	if at < len(l.data) && l.data[at] == '\r' {
		at++
	}
	if at < len(l.data) && l.data[at] == '\n' {
		at++
	}
	return at, true
}

func (l *lexer) literal() text {
	var out []byte
	depth := 0
	for l.at < len(l.data) {
		c := l.data[l.at]
		l.at++
		switch c {
		case '(':
			if depth++; depth == 1 {
				continue
			}
		case ')':
			if depth--; depth == 0 {
				return text(out)
			}
		case '\\':
			if l.at >= len(l.data) {
				return text(out)
			}
			c = l.data[l.at]
			l.at++
			switch {
			case c == 'n':
				c = '\n'
			case c == 'r':
				c = '\r'
			case c == 't':
				c = '\t'
			case c == 'b':
				c = '\b'
			case c == 'f':
				c = '\f'
			case c == '\r' || c == '\n':
				if c == '\r' && l.at < len(l.data) && l.data[l.at] == '\n' {
					l.at++
				}
				continue
			case c >= '0' && c <= '7':
				n := int(c - '0')
				for i := 0; i < 2 && l.at < len(l.data) && l.data[l.at] >= '0' && l.data[l.at] <= '7'; i++ {
					n = 8*n + int(l.data[l.at]-'0')
					l.at++
				}
				c = byte(n)
			}
		}
		out = append(out, c)
	}
	return text(out)
}

func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (l *lexer) hex() text {
	l.at++
	var out []byte
	half := -1
	for l.at < len(l.data) {
		c := l.data[l.at]
		l.at++
		if c == '>' {
			break
		}
		d := hexDigit(c)
		switch {
		case d < 0:
		case half < 0:
			half = d
		default:
			out = append(out, byte(half<<4|d))
			half = -1
		}
	}
	if half >= 0 {
		out = append(out, byte(half<<4))
	}
	return text(out)
}

// unescape reads the #20 of names.
func unescape(w []byte) string {
	if bytes.IndexByte(w, '#') < 0 {
		return string(w)
	}
	var out []byte
	for i := 0; i < len(w); i++ {
		if w[i] == '#' && i+2 < len(w) && hexDigit(w[i+1]) >= 0 && hexDigit(w[i+2]) >= 0 {
			out = append(out, byte(hexDigit(w[i+1])<<4|hexDigit(w[i+2])))
			i += 2
			continue
		}
		out = append(out, w[i])
	}
	return string(out)
}
