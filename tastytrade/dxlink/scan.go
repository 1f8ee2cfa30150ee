package dxlink

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"time"
)

// A scanner reads JSON that a server wrote for machines: without spaces, with
// short numbers and plain strings. That it reads in place; everything else goes
// the slow way, through encoding/json and strconv, with the same result.
type scanner struct {
	b     []byte
	i     int
	texts map[string]string // strings that came before, so that they are not made again
}

// Most strings of a feed are a few words; a server that sends others must not
// fill the memory.
const (
	mostTexts   = 4096
	longestText = 64
)

func (s *scanner) fail(what string) error {
	return fmt.Errorf("event data: %s at byte %d", what, s.i)
}

// next skips white space and returns the byte it stops at, 0 at the end.
func (s *scanner) next() byte {
	for s.i < len(s.b) {
		c := s.b[s.i]
		if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		s.i++
	}
	return 0
}

// A token is one JSON value as it stands.
type token struct {
	kind byte // the first character: '"', '{', '[', 't', 'f', 'n', and '0' for numbers
	raw  []byte
}

// token reads any value.
func (s *scanner) token() (token, error) {
	switch c := s.next(); c {
	case '"':
		start := s.i
		for i := s.i + 1; i < len(s.b); i++ {
			switch s.b[i] {
			case '\\':
				i++
			case '"':
				s.i = i + 1
				return token{'"', s.b[start:s.i]}, nil
			}
		}
		return token{}, s.fail("a string does not end")
	case '{', '[':
		return s.nested()
	case 't', 'f', 'n':
		word := map[byte]string{'t': "true", 'f': "false", 'n': "null"}[c]
		if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
			return token{}, s.fail("no JSON")
		}
		start := s.i
		s.i += len(word)
		return token{c, s.b[start:s.i]}, nil
	}
	start, i := s.i, s.i
	for i < len(s.b) && (s.b[i] >= '0' && s.b[i] <= '9' || s.b[i] == '-' || s.b[i] == '+' || s.b[i] == '.' || s.b[i] == 'e' || s.b[i] == 'E') {
		i++
	}
	if i == start || !json.Valid(s.b[start:i]) {
		return token{}, s.fail("no JSON")
	}
	s.i = i
	return token{'0', s.b[start:i]}, nil
}

// nested reads an object or an array.
func (s *scanner) nested() (token, error) {
	start, depth := s.i, 0
	for i := s.i; i < len(s.b); i++ {
		switch s.b[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth > 0 {
				continue
			}
			raw := s.b[start : i+1]
			if !json.Valid(raw) {
				return token{}, s.fail("no JSON")
			}
			s.i = i + 1
			return token{raw[0], raw}, nil
		case '"':
			for i++; i < len(s.b) && s.b[i] != '"'; i++ {
				if s.b[i] == '\\' {
					i++
				}
			}
		}
	}
	return token{}, s.fail("a value does not end")
}

// text is what a string says, or a number as it is written; other values say
// nothing.
func (t token) text() (string, error) {
	switch t.kind {
	case '"':
		var out string
		err := json.Unmarshal(t.raw, &out)
		return out, err
	case '0':
		return string(t.raw), nil
	}
	return "", nil
}

// assign puts the value in its place. It is the meaning of each op; the
// scanner's quick ways do the same sooner.
func (f *field) assign(t token) error {
	word, err := t.text()
	if err != nil {
		return err
	}
	switch f.op {
	case opFloat:
		*f.float = parseFloat(word)
	case opInt:
		*f.int = parseInt(word)
	case opFlags:
		*f.flags = EventFlags(parseInt(word))
	case opTime:
		*f.time = milliseconds(parseInt(word))
	case opText, opSymbol:
		*f.text = word
	case opCode:
		if word == "\x00" {
			word = ""
		}
		*f.text = word
	case opBool:
		*f.bool = t.kind == 't' || word == "true"
	case opRaw:
		*f.raw = nil
		if t.kind != 'n' {
			*f.raw = append(json.RawMessage{}, t.raw...)
		}
	}
	return nil
}

// parseFloat reads numbers and the strings NaN, Infinity and -Infinity. What
// cannot be read is unknown.
func parseFloat(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

// parseInt reads 64-bit integers without a detour over float64, which would
// round them.
func parseInt(s string) int64 {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if f := parseFloat(s); math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return 0
}

// milliseconds is a Unix time; zero and less mean unknown.
func milliseconds(ms int64) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// value reads one value into its field.
func (s *scanner) value(f *field) error {
	switch f.op {
	case opFloat:
		if v, end := quickFloat(s.b, s.i); end > 0 {
			*f.float, s.i = v, end
			return nil
		}
	case opInt:
		if v, end := quickInt(s.b, s.i); end > 0 {
			*f.int, s.i = v, end
			return nil
		}
	case opFlags:
		if v, end := quickInt(s.b, s.i); end > 0 {
			*f.flags, s.i = EventFlags(v), end
			return nil
		}
	case opTime:
		if v, end := quickInt(s.b, s.i); end > 0 {
			*f.time, s.i = milliseconds(v), end
			return nil
		}
	case opText:
		if from, to := quickString(s.b, s.i); to > 0 {
			*f.text, s.i = s.intern(s.b[from:to]), to+1
			return nil
		}
	case opCode:
		if s.i+2 < len(s.b) && s.b[s.i] == '"' && s.b[s.i+2] == '"' && s.b[s.i+1] >= ' ' && s.b[s.i+1] < 0x80 && s.b[s.i+1] != '"' {
			*f.text = ascii[s.b[s.i+1] : s.b[s.i+1]+1]
			s.i += 3
			return nil
		}
		if from, to := quickString(s.b, s.i); to > 0 {
			*f.text, s.i = s.intern(s.b[from:to]), to+1
			return nil
		}
		if has(s.b, s.i, `"\u0000"`) {
			*f.text = ""
			s.i += len(`"\u0000"`)
			return nil
		}
	}
	t, err := s.token()
	if err != nil {
		return err
	}
	if err := f.assign(t); err != nil {
		return s.fail("a string that cannot be read")
	}
	return nil
}

// ascii has every character at its number, for strings of one.
const ascii = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f" +
	" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f"

func has(b []byte, i int, word string) bool {
	return len(b)-i >= len(word) && string(b[i:i+len(word)]) == word
}

// intern returns b as a string, the same one for the same bytes.
func (s *scanner) intern(b []byte) string {
	if len(b) <= 1 || len(b) > longestText {
		return string(b)
	}
	if known, ok := s.texts[string(b)]; ok {
		return known
	}
	made := string(b)
	if s.texts == nil {
		s.texts = map[string]string{}
	}
	if len(s.texts) < mostTexts {
		s.texts[made] = made
	}
	return made
}

// tens are the powers of ten that a float64 holds exactly, as far as needed.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// shifts are powers of ten for joining runs of digits.
var shifts = [16]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// digits reads the run of digits at byte i behind the number v, and returns
// the longer number and the end of the run. It reads eight bytes at once where
// it can: loops whose length changes from value to value cost more than the
// arithmetic. Numbers of more than 18 digits come out wrong.
func digits(b []byte, i int, v uint64) (uint64, int) {
	for i+8 <= len(b) {
		part, n := eight(binary.LittleEndian.Uint64(b[i:]))
		v, i = v*shifts[n]+part, i+n
		if n < 8 {
			return v, i
		}
	}
	for i < len(b) {
		d := b[i] - '0'
		if d > 9 {
			break
		}
		v = v*10 + uint64(d)
		i++
	}
	return v, i
}

// eight returns the number that the digits at the beginning of eight bytes make,
// the first of which is the lowest, and how many they are.
func eight(w uint64) (v uint64, n int) {
	n = run(w)
	return number(w, n), n
}

// run is how many of eight bytes, from the lowest on, are digits.
func run(w uint64) int {
	const ones = 0x0101010101010101
	// A byte below '0' borrows and one above '9' carries: either sets its high bit.
	// What that does to the bytes behind it does not matter.
	return bits.TrailingZeros64((w|(w-'0'*ones)|(w+('\x7f'-'9')*ones))&(0x80*ones)) >> 3
}

// number is what the lowest n bytes, which are digits, make: pairs become
// numbers below 100, pairs of these below 10,000, and so on.
func number(w uint64, n int) uint64 {
	d := (w - 0x3030303030303030) << (64 - 8*uint(n)) // zeros in front
	d = d*10 + d>>8
	d = (d&0x000000ff000000ff)*(100+1_000_000<<32) + (d>>16&0x000000ff000000ff)*(1+10_000<<32)
	return d >> 32
}

// quickFloat reads a number without an exponent whose digits make an integer
// below 2^53: then one division of two exact numbers rounds correctly (W. D.
// Clinger, How to read floating point numbers accurately, 1990). end is 0 for
// everything else. Prices and sizes, a few digits before and behind the point,
// are done first.
func quickFloat(b []byte, i int) (v float64, end int) {
	if i+9 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		n := run(w)
		if n == 1 || n > 1 && n < 8 && b[i] != '0' {
			switch c := byte(w >> (8 * uint(n))); {
			case c == '.':
				front := uint64(1)<<(8*uint(n)) - 1
				w = w&front | w>>8&^front // without the point; the highest byte is no digit
				length := run(w)
				if c := byte(w >> (8 * uint(length))); length > n && length < 7 && c|0x20 != 'e' {
					return float64(number(w, length)) / tens[(length-n)&7], i + length + 1
				}
			case c|0x20 != 'e':
				return float64(number(w, n)), i + n
			}
		}
	}
	return longFloat(b, i)
}

func longFloat(b []byte, i int) (v float64, end int) {
	if i >= len(b) {
		return 0, 0
	}
	negative := false
	switch b[i] {
	case '"':
		if has(b, i, `"NaN"`) {
			return math.NaN(), i + len(`"NaN"`)
		}
		return 0, 0
	case '-':
		negative = true
		i++
	}
	start := i
	m, i := digits(b, i, 0)
	length, scale := i-start, 0
	if length == 0 || length > 1 && b[start] == '0' || i == len(b) {
		return 0, 0
	}
	if b[i] == '.' {
		from := i + 1
		m, i = digits(b, from, m)
		scale = i - from
		if scale == 0 || i == len(b) {
			return 0, 0
		}
	}
	if length+scale > 18 || m >= 1<<53 || b[i]|0x20 == 'e' {
		return 0, 0
	}
	v = float64(m)
	if scale > 0 {
		v /= tens[scale]
	}
	if negative {
		v = -v
	}
	return v, i
}

// quickInt reads an integer of at most 18 digits; end is 0 for everything else.
func quickInt(b []byte, i int) (v int64, end int) {
	if i+17 <= len(b) {
		m, n := eight(binary.LittleEndian.Uint64(b[i:]))
		if n == 1 || n > 1 && b[i] != '0' {
			i += n
			length := n
			if n == 8 {
				part, more := eight(binary.LittleEndian.Uint64(b[i:]))
				m = m*shifts[more&15] + part
				i += more
				length += more
			}
			if length < 16 && b[i] != '.' && b[i]|0x20 != 'e' {
				return int64(m), i
			}
			i -= length
		}
	}
	return longInt(b, i)
}

func longInt(b []byte, i int) (v int64, end int) {
	negative := i < len(b) && b[i] == '-'
	if negative {
		i++
	}
	start := i
	m, i := digits(b, i, 0)
	if length := i - start; length == 0 || length > 18 || length > 1 && b[start] == '0' || i == len(b) || b[i] == '.' || b[i]|0x20 == 'e' {
		return 0, 0
	}
	v = int64(m)
	if negative {
		v = -v
	}
	return v, i
}

// quickString finds the ends of a string of plain ASCII; to is 0 for others.
func quickString(b []byte, i int) (from, to int) {
	if i >= len(b) || b[i] != '"' {
		return 0, 0
	}
	i++
	j := i
	for ; j+8 <= len(b); j += 8 { // eight bytes at once, until one is special
		const ones, high = 0x0101010101010101, 0x8080808080808080
		w := binary.LittleEndian.Uint64(b[j:])
		quote, slash := w^('"'*ones), w^('\\'*ones)
		// x-ones borrows into the high bit where a byte is 0; only the lowest such
		// byte is certain, and only that counts.
		special := ((quote-ones)&^quote | (slash-ones)&^slash | (w - ' '*ones) | w) & high
		if special != 0 {
			j += bits.TrailingZeros64(special) >> 3
			if b[j] == '"' {
				return i, j
			}
			return 0, 0
		}
	}
	for ; j < len(b); j++ {
		switch c := b[j]; {
		case c == '"':
			return i, j
		case c == '\\', c < ' ', c >= 0x80:
			return 0, 0
		}
	}
	return 0, 0
}
