package tastytrade

import (
	"bytes"
	"errors"
)

// A member is one name and value of a JSON object, in the order of the text.
type member struct {
	name  string
	value []byte
}

var errShape = errors.New("not the JSON that was expected")

// A scanner goes through the members of a valid JSON object without reading
// their values. Names and values are slices of data.
type scanner struct {
	data        []byte
	at          int // the object's beginning, then behind the last name or value, in the end behind the object
	begun       bool
	name, value []byte
	err         error
}

// next goes to the next member and past its value.
func (s *scanner) next() bool {
	if !s.key() {
		return false
	}
	s.skip()
	return s.err == nil
}

// key goes to the value of the next member; the caller moves at behind it.
func (s *scanner) key() bool {
	if s.err != nil {
		return false
	}
	data, i := s.data, s.at
	if !s.begun {
		if i >= len(data) || data[i] != '{' {
			s.err = errShape
			return false
		}
		s.begun = true
		i = skipSpace(data, i+1)
	} else if i = skipSpace(data, i); i < len(data) && data[i] == ',' {
		i = skipSpace(data, i+1)
	}
	if i < len(data) && data[i] == '}' {
		s.at = i + 1
		return false
	}
	if i >= len(data) || data[i] != '"' {
		s.err = errShape
		return false
	}
	end := skipString(data, i)
	if end > len(data) {
		s.err = errShape
		return false
	}
	s.name = data[i+1 : end-1]
	if bytes.IndexByte(s.name, '\\') >= 0 {
		name, ok := unquote(data[i:end])
		if !ok {
			s.err = errShape
			return false
		}
		s.name = []byte(name)
	}
	if i = skipSpace(data, end); i >= len(data) || data[i] != ':' {
		s.err = errShape
		return false
	}
	if s.at = skipSpace(data, i+1); s.at >= len(data) {
		s.err = errShape
		return false
	}
	return true
}

// skip moves behind the value that begins where key has stopped.
func (s *scanner) skip() {
	end := skipValue(s.data, s.at)
	if end > len(s.data) || end == s.at {
		s.err = errShape
		return
	}
	s.value, s.at = s.data[s.at:end:end], end
}

// splitObject takes a valid JSON object apart. The values are slices of data.
func splitObject(data []byte) ([]member, error) {
	members := make([]member, 0, 8)
	s := scanner{data: data}
	for s.next() {
		members = append(members, member{string(s.name), s.value})
	}
	return members, s.err
}

// splitArray is splitObject for an array.
func splitArray(data []byte) ([][]byte, error) {
	if len(data) == 0 || data[0] != '[' {
		return nil, errShape
	}
	var elems [][]byte
	i := skipSpace(data, 1)
	for i < len(data) && data[i] != ']' {
		end := skipValue(data, i)
		if end > len(data) || end == i {
			return nil, errShape
		}
		elems = append(elems, data[i:end:end])
		if i = skipSpace(data, end); i < len(data) && data[i] == ',' {
			i = skipSpace(data, i+1)
		}
	}
	if i >= len(data) {
		return nil, errShape
	}
	return elems, nil
}

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns the index behind the value that starts at i, and an index
// beyond the data when the value does not end.
func skipValue(data []byte, i int) int {
	if i >= len(data) {
		return len(data) + 1
	}
	switch data[i] {
	case '"':
		return skipString(data, i)
	case '{', '[':
		depth := 0
		for i < len(data) {
			switch data[i] {
			case '"':
				i = skipString(data, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return len(data) + 1
	}
	for i < len(data) && data[i] != ',' && data[i] != '}' && data[i] != ']' && data[i] > ' ' {
		i++
	}
	return i
}

func skipString(data []byte, i int) int {
	for i++; i < len(data); {
		quote := bytes.IndexByte(data[i:], '"')
		if quote < 0 {
			break
		}
		// A quote behind an odd number of backslashes is part of the text.
		end := i + quote
		back := end
		for back > i && data[back-1] == '\\' {
			back--
		}
		i = end + 1
		if (end-back)%2 == 0 {
			return i
		}
	}
	return len(data) + 1
}

// lookup returns the value of the last member of that name, nil when there is none.
func lookup(members []member, name string) []byte {
	for i := len(members) - 1; i >= 0; i-- {
		if members[i].name == name {
			return members[i].value
		}
	}
	return nil
}

func joinObject(members []member) []byte {
	out := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, quote(m.name)...)
		out = append(out, ':')
		out = append(out, m.value...)
	}
	return append(out, '}')
}
