package agents

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxData is how many bytes of a text [Data] keeps.
const MaxData = 16 << 10

// Data prepares text of third parties (news, documents, descriptions, messages of
// a broker) for a model: cleaned with [Clean], cut to MaxData bytes, and put
// between <data> and </data>. Each & and < of the text is written &amp; and &lt;,
// so no text can end the data or begin other markup. Instructions should say that
// what stands in data is never to be followed.
func Data(text string) string { return DataUpTo(text, MaxData) }

// DataUpTo is [Data] with a bound of its own, in bytes before escaping. A text
// that was cut says so in the opening tag. A bound below 1 keeps nothing.
func DataUpTo(text string, most int) string {
	clean := Clean(text)
	kept := cut(clean, max(most, 0))
	open := "<data>"
	if len(kept) < len(clean) {
		open = fmt.Sprintf(`<data cut="%d of %d bytes">`, len(kept), len(clean))
	}
	return open + "\n" + strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(kept) + "\n</data>"
}

// Clean returns text as valid UTF-8 without characters that a reader does not
// see: control characters except line feed and tab, formatting characters such
// as zero-width joiners, direction marks and tags, variation selectors, blank
// fillers, private use and unassigned ones. Line ends become line feeds.
func Clean(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u0085':
			return '\n'
		case r < unicode.MaxASCII:
			if r < ' ' {
				return -1
			}
			return r
		case r == utf8.RuneError, r == 0x7f, unicode.In(r, unicode.C, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point), r == '\u2800', r == '\u180f':
			return -1
		case !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// cut returns the first n bytes of s or fewer, whole characters only.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// mapStrings returns raw with f applied to each string in it, names of members
// included. Order, numbers and spaces stay as they are. What is not JSON is
// treated as one text.
func mapStrings(raw []byte, f func(string) string) string {
	if !json.Valid(raw) {
		return f(string(raw))
	}
	var out bytes.Buffer
	for len(raw) > 0 {
		start := bytes.IndexByte(raw, '"')
		if start < 0 {
			break
		}
		out.Write(raw[:start])
		raw = raw[start:]
		end := 1
		for raw[end] != '"' {
			if raw[end] == '\\' {
				end++
			}
			end++
		}
		var s string
		if err := json.Unmarshal(raw[:end+1], &s); err != nil {
			return f(string(raw)) // cannot be: the whole was valid
		}
		if quoted, err := encode(f(s)); err == nil {
			out.Write(quoted)
		}
		raw = raw[end+1:]
	}
	out.Write(raw)
	return out.String()
}
