package knowledge

import (
	"regexp"
	"strings"
)

// A blockKind is what a part of a document is.
type blockKind int8

const (
	prose blockKind = iota
	heading
	listing // a list
	code
	table
)

// A block is a part of a document that belongs together.
type block struct {
	kind  blockKind
	level int // of a heading, 1 to 6
	text  string
}

var (
	atxHeading   = regexp.MustCompile(`^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$`)
	setextLine   = regexp.MustCompile(`^ {0,3}(=+|-+)[ \t]*$`)
	fenceLine    = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})(.*)$")
	delimiterRow = regexp.MustCompile(`^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$`)
	listItem     = regexp.MustCompile(`^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:\s|$)`)
	ruleLine     = regexp.MustCompile(`^ {0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$`)
	indented     = regexp.MustCompile(`^(?: {4}|\t)`)
	markup       = regexp.MustCompile(`(?s)<!--|</?[a-zA-Z][a-zA-Z0-9-]*(?:[\s/][^<>]*)?>`)
)

// blocks reads Markdown as blocks. It understands headings of both forms, fenced
// and indented code, tables, lists and quotes; what stands in comments, or is
// hidden by markup, is left out. Everything is some block: no text is an error.
//
// https://spec.commonmark.org/0.31.2/ and tables of https://github.github.com/gfm/
func blocks(text string) []block {
	lines := strings.Split(text, "\n")
	var out []block
	var open []string // lines of the paragraph or list that is being read
	kind := prose
	flush := func() {
		joined := strings.TrimSpace(strings.Join(open, "\n"))
		if kind == prose || kind == listing {
			joined = strings.TrimSpace(visible(joined))
		}
		if joined != "" {
			out = append(out, block{kind: kind, text: joined})
		}
		open, kind = nil, prose
	}
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if f := fenceLine.FindStringSubmatch(line); f != nil && (f[1][0] == '~' || !strings.Contains(f[2], "`")) {
			flush()
			end := i + 1
			for end < len(lines) && !closes(lines[end], f[1]) {
				end++
			}
			last := min(end, len(lines)-1)
			body := lines[i : last+1]
			if end == len(lines) { // not closed: the document's end closes it
				body = append(append([]string{}, body...), f[1])
			}
			out = append(out, block{kind: code, text: strings.Join(body, "\n")})
			i = last
			continue
		}
		if strings.HasPrefix(strings.TrimLeft(line, " "), "<!--") {
			// A comment ends where it says so, blank lines or not.
			flush()
			rest := strings.Join(lines[i:], "\n")
			start := strings.Index(rest, "<!--")
			end := strings.Index(rest[start:], "-->")
			if end < 0 {
				break
			}
			end += start + len("-->")
			i += strings.Count(rest[:end], "\n")
			lines[i] = rest[end:][:strings.IndexByte(rest[end:]+"\n", '\n')]
			i--
			continue
		}
		if strings.TrimSpace(line) == "" {
			if kind == listing && continues(lines[i+1:]) {
				open = append(open, "")
				continue
			}
			flush()
			continue
		}
		if h := atxHeading.FindStringSubmatch(line); h != nil {
			flush()
			if title := plain(h[2]); title != "" {
				out = append(out, block{kind: heading, level: len(h[1]), text: title})
			}
			continue
		}
		if kind == prose && len(open) > 0 && setextLine.MatchString(line) {
			level := 2
			if strings.Contains(line, "=") {
				level = 1
			}
			title := plain(strings.Join(open, " "))
			open = nil
			if title != "" {
				out = append(out, block{kind: heading, level: level, text: title})
			}
			continue
		}
		if ruleLine.MatchString(line) {
			flush()
			continue
		}
		if len(open) == 0 && strings.Contains(line, "|") && i+1 < len(lines) && strings.Contains(lines[i+1], "-") && delimiterRow.MatchString(lines[i+1]) {
			end := i + 2
			for end < len(lines) && strings.Contains(lines[end], "|") && strings.TrimSpace(lines[end]) != "" {
				end++
			}
			out = append(out, block{kind: table, text: visible(strings.TrimSpace(strings.Join(lines[i:end], "\n")))})
			i = end - 1
			continue
		}
		if len(open) == 0 && indented.MatchString(line) {
			end := i
			for end < len(lines) && (indented.MatchString(lines[end]) || strings.TrimSpace(lines[end]) == "") {
				end++
			}
			body := strings.TrimRight(strings.Join(lines[i:end], "\n"), " \t\n")
			out = append(out, block{kind: code, text: body})
			i = end - 1
			continue
		}
		if listItem.MatchString(line) && (kind == listing || len(open) == 0) {
			kind = listing
		}
		open = append(open, line)
	}
	flush()
	return out
}

// closes tells whether a line ends the code that fence began.
func closes(line, fence string) bool {
	f := fenceLine.FindStringSubmatch(line)
	return f != nil && f[1][0] == fence[0] && len(f[1]) >= len(fence) && strings.TrimSpace(f[2]) == ""
}

// continues tells whether a list goes on after a blank line.
func continues(lines []string) bool {
	for _, line := range lines {
		if strings.TrimSpace(line) != "" {
			return listItem.MatchString(line) || strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t")
		}
	}
	return false
}

// visible takes markup out of Markdown, with what it hides.
func visible(text string) string {
	if !markup.MatchString(text) {
		return text
	}
	return strings.TrimSpace(readHTML(text, true).text)
}

var inline = regexp.MustCompile("!?\\[([^\\]\n]*)\\]\\([^)\n]*\\)|[*_`]+")

// plain is a heading without the signs of emphasis, code and links.
func plain(s string) string {
	s = inline.ReplaceAllStringFunc(visible(s), func(m string) string {
		if parts := inline.FindStringSubmatch(m); parts[1] != "" {
			return parts[1]
		}
		if strings.Trim(m, "_") == "" && len(m) == 1 {
			return m // as in a name_with_underscores
		}
		return ""
	})
	return strings.Join(strings.Fields(s), " ")
}

// firstHeading is the text of the first heading; empty when there is none.
func firstHeading(text string) string {
	for _, b := range blocks(text) {
		if b.kind == heading {
			return b.text
		}
	}
	return ""
}

// firstWords stand for a document that has no name at all.
func firstWords(text string) string {
	words := strings.Fields(text)
	return shorten(strings.Join(words[:min(len(words), 8)], " "), 80)
}
