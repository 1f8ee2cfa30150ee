package knowledge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ttai-go/ttai/internal/civil"
	"github.com/ttai-go/ttai/internal/invalid"
)

// Front matter is what stands between two lines of --- at the top of Markdown. Of
// YAML this much is read: keys with text, in quotes or not; lists in brackets or
// on lines that begin with a dash; comments. Everything else is refused with its
// line, since half of a meaning may be the wrong one.

// maxMatter is the longest front matter in bytes.
const maxMatter = 64 << 10

var matterKey = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_-]*):(?:[ \t]+(.*))?$`)

// cutMatter parts front matter from the text after it. Without any it returns an
// empty matter.
func cutMatter(text string) (matter, rest string, err error) {
	body, ok := strings.CutPrefix(text, "---\n")
	if !ok {
		return "", text, nil
	}
	for from := 0; from < len(body); {
		line, _, _ := strings.Cut(body[from:], "\n")
		next := min(from+len(line)+1, len(body))
		if t := strings.TrimRight(line, " \t"); t == "---" || t == "..." {
			if from > maxMatter {
				return "", "", invalid.Fieldf("front matter", from, "at most %d bytes", maxMatter)
			}
			return body[:from], body[next:], nil
		}
		from = next
	}
	return "", text, nil // a rule at the top, and no second one
}

type values struct {
	list bool
	text []string
}

// parseMatter reads front matter.
func parseMatter(matter string) (map[string]values, error) {
	out := map[string]values{}
	last := "" // the key whose list may follow
	for n, line := range strings.Split(matter, "\n") {
		refuse := func(what string) error {
			return invalid.Field(fmt.Sprintf("front matter line %d", n+2), shorten(strings.TrimSpace(line), 80), what)
		}
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "#"):
			continue
		case trimmed == "-" || strings.HasPrefix(trimmed, "- "):
			if last == "" {
				return nil, refuse("a key before a list")
			}
			v, err := scalar(strings.TrimSpace(strings.TrimPrefix(trimmed, "-")))
			if err != nil {
				return nil, refuse(err.Error())
			}
			out[last] = values{true, append(out[last].text, v)}
			continue
		}
		m := matterKey.FindStringSubmatch(strings.TrimRight(line, " \t"))
		if m == nil {
			return nil, refuse("key: text, key: [a, b], or a list of lines that begin with a dash")
		}
		key := strings.ToLower(m[1])
		if _, twice := out[key]; twice {
			return nil, refuse("each key once")
		}
		written := strings.TrimSpace(m[2])
		last = ""
		switch {
		case written == "" || strings.HasPrefix(written, "#"):
			out[key], last = values{list: true}, key
		case strings.HasPrefix(written, "["):
			list, err := flow(written)
			if err != nil {
				return nil, refuse(err.Error())
			}
			out[key] = values{true, list}
		default:
			v, err := scalar(written)
			if err != nil {
				return nil, refuse(err.Error())
			}
			out[key] = values{text: []string{v}}
		}
	}
	return out, nil
}

// scalar reads one text as YAML writes it on a line.
func scalar(s string) (string, error) {
	v, rest, err := quoted(s, "")
	if err != nil {
		return "", err
	}
	if rest = strings.TrimSpace(rest); rest != "" && !strings.HasPrefix(rest, "#") {
		return "", fmt.Errorf("nothing after the closing quote")
	}
	return v, nil
}

// quoted reads a text that ends at one of ends, or at its closing quote.
func quoted(s, ends string) (text, rest string, err error) {
	switch {
	case strings.HasPrefix(s, `"`):
		end := 1
		for end < len(s) && s[end] != '"' {
			if s[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(s) {
			return "", "", fmt.Errorf("a closing quote")
		}
		if err := json.Unmarshal([]byte(s[:end+1]), &text); err != nil {
			return "", "", fmt.Errorf(`the escapes \" \\ \n \t and \u0000 only`)
		}
		return text, s[end+1:], nil
	case strings.HasPrefix(s, "'"):
		var b strings.Builder
		for i := 1; i < len(s); i++ {
			if s[i] != '\'' {
				b.WriteByte(s[i])
				continue
			}
			if i+1 < len(s) && s[i+1] == '\'' {
				b.WriteByte('\'')
				i++
				continue
			}
			return b.String(), s[i+1:], nil
		}
		return "", "", fmt.Errorf("a closing quote")
	case s != "" && strings.ContainsRune("{&*!|>%@`", rune(s[0])):
		return "", "", fmt.Errorf("plain text, or text in quotes")
	}
	end := len(s)
	if i := strings.Index(s, " #"); i >= 0 {
		end = i
	}
	if ends != "" {
		if i := strings.IndexAny(s[:end], ends); i >= 0 {
			end = i
		}
	}
	text = strings.TrimSpace(s[:end])
	if ends == "" && (strings.Contains(text, ": ") || strings.HasSuffix(text, ":")) {
		return "", "", fmt.Errorf("quotes around text with a colon")
	}
	if end < len(s) && s[end] == ' ' {
		return text, "", nil // a comment follows
	}
	return text, s[end:], nil
}

// flow reads [a, "b", c].
func flow(s string) ([]string, error) {
	var out []string
	s = strings.TrimSpace(s[1:])
	for {
		if s == "" {
			return nil, fmt.Errorf("a closing bracket")
		}
		if s[0] == ']' {
			if rest := strings.TrimSpace(s[1:]); rest != "" && rest[0] != '#' {
				return nil, fmt.Errorf("nothing after the closing bracket")
			}
			return out, nil
		}
		if s[0] == '[' {
			return nil, fmt.Errorf("a list without lists in it")
		}
		v, rest, err := quoted(s, ",]")
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		s = strings.TrimSpace(rest)
		if after, ok := strings.CutPrefix(s, ","); ok {
			s = strings.TrimSpace(after)
		} else if !strings.HasPrefix(s, "]") {
			return nil, fmt.Errorf("a comma or a closing bracket")
		}
	}
}

// applyMatter sets the fields that front matter names; other keys become
// attributes.
func (d *Document) applyMatter(matter map[string]values) error {
	for key, v := range matter {
		one := strings.Join(v.text, ", ")
		switch key {
		case "id":
			d.ID = one
		case "title":
			d.Title = one
		case "collection":
			d.Collection = one
		case "source":
			d.Source = one
		case "format":
			d.Format = Format(one)
		case "tags":
			d.Tags = v.text
			if !v.list {
				d.Tags = strings.FieldsFunc(one, func(r rune) bool { return r == ',' || r == ' ' })
			}
		case "aliases":
			d.Aliases = v.text
		case "date":
			if one == "" {
				continue
			}
			date, err := civil.ParseDate(one)
			if err != nil {
				return invalid.Field("date", one, "a date such as 2026-12-18")
			}
			d.Date = date
		default:
			if d.Attributes == nil {
				d.Attributes = map[string]string{}
			}
			d.Attributes[key] = one
		}
	}
	return nil
}

// WriteMarkdown returns the document as Markdown with front matter, which [Parse]
// reads back as an equal document.
func (d Document) WriteMarkdown() []byte {
	var b strings.Builder
	put := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, written(value))
		}
	}
	list := func(key string, values []string) {
		if len(values) > 0 {
			fmt.Fprintf(&b, "%s:\n", key)
			for _, v := range values {
				fmt.Fprintf(&b, "  - %s\n", written(v))
			}
		}
	}
	b.WriteString("---\n")
	put("id", d.ID)
	put("collection", d.Collection)
	put("title", d.Title)
	put("source", d.Source)
	if d.Format != Markdown {
		put("format", string(d.Format))
	}
	put("date", d.Date.String())
	list("tags", d.Tags)
	list("aliases", d.Aliases)
	var keys []string
	for k := range d.Attributes {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if matterKey.MatchString(k + ":") {
			put(k, d.Attributes[k])
		}
	}
	b.WriteString("---\n\n" + d.Text + "\n")
	return []byte(b.String())
}

var bare = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ./_-]*$`)

// written is a text as front matter holds it.
func written(s string) string {
	if bare.MatchString(s) && strings.TrimSpace(s) == s {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // cannot be: it is text
	}
	return strings.TrimSpace(b.String())
}
