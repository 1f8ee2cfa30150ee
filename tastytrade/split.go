package tastytrade

import "errors"

// A member is one name and value of a JSON object, in the order of the text.
type member struct {
	name  string
	value []byte
}

var errShape = errors.New("not the JSON that was expected")

// splitObject takes a valid JSON object apart without reading its values. The
// values are slices of data.
func splitObject(data []byte) ([]member, error) {
	if len(data) == 0 || data[0] != '{' {
		return nil, errShape
	}
	members := make([]member, 0, 8)
	i := skipSpace(data, 1)
	for i < len(data) && data[i] != '}' {
		end := skipValue(data, i)
		if data[i] != '"' || end > len(data) {
			return nil, errShape
		}
		name, ok := unquote(data[i:end])
		if i = skipSpace(data, end); !ok || i >= len(data) || data[i] != ':' {
			return nil, errShape
		}
		i = skipSpace(data, i+1)
		end = skipValue(data, i)
		if end > len(data) || end == i {
			return nil, errShape
		}
		members = append(members, member{name, data[i:end:end]})
		if i = skipSpace(data, end); i < len(data) && data[i] == ',' {
			i = skipSpace(data, i+1)
		}
	}
	if i >= len(data) {
		return nil, errShape
	}
	return members, nil
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
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
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
