package knowledge

import (
	"html"
	"regexp"
	"slices"
	"strings"
)

// A page is what HTML says to a reader.
type page struct {
	title string
	text  string // Markdown
}

// maxDepth bounds how deep elements lie in one another. Deeper ones are not read:
// no page that was made for readers has them, and what hides there may not be
// meant to be seen.
const maxDepth = 256

func set(names string) map[string]bool {
	out := map[string]bool{}
	for _, n := range strings.Fields(names) {
		out[n] = true
	}
	return out
}

// What the elements of HTML do.
type vocabulary struct {
	known   map[string]bool // all that markup within Markdown is known by
	dropped map[string]bool // whose content no reader sees, or that is not the text
	raw     map[string]bool // whose content is no markup
	void    map[string]bool // without content
	broken  map[string]bool // that begin a new paragraph
}

func words() vocabulary {
	return vocabulary{
		dropped: set(`script style template noscript iframe object embed svg canvas math head nav footer form button select option
			textarea input datalist dialog audio video map area param noembed noframes applet frameset frame title`),
		raw:    set("script style textarea title xmp iframe noembed noframes noscript plaintext"),
		void:   set("area base br col embed hr img input link meta param source track wbr frame"),
		broken: set("p div section article main header aside blockquote ul ol dl figure figcaption address details summary fieldset body html center"),
		known: set(`a abbr b bdi bdo big cite code del dfn em font i ins kbd label mark q s samp small span strike strong sub sup time tt u var
			br hr img p div section article main header aside blockquote ul ol li dl dt dd figure figcaption details summary table thead tbody
			tfoot tr td th caption pre h1 h2 h3 h4 h5 h6 center script style template noscript iframe object embed svg canvas form input
			button select option textarea nav footer dialog audio video link meta base title head body html`),
	}
}

var (
	hiding    = regexp.MustCompile(`(?i)display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0?(?:\.0+)?\s*(?:;|$|!|%)|font-size\s*:\s*0*(?:\.0+)?(?:px|pt|em|rem|%)?\s*(?:;|$|!)|clip\s*:\s*rect\(\s*0|text-indent\s*:\s*-\d{3,}|(?:left|top)\s*:\s*-\d{4,}`)
	attribute = regexp.MustCompile(`([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>` + "`" + `]+)))?`)
)

// readHTML reads HTML as Markdown: headings, paragraphs, lists, tables and
// preformatted text; of links the text. It leaves out what a browser does not show:
// scripts, styles, comments, and elements that say themselves that they are
// hidden. Any bytes are some page; it takes time in proportion to them. Within
// Markdown only the markup that HTML has is taken for markup, and entities and line
// ends stay.
func readHTML(src string, within bool) page {
	r := &reader{words: words(), within: within}
	r.read(src)
	r.end()
	return page{title: strings.Join(strings.Fields(html.UnescapeString(r.title)), " "), text: tidy(r.out.String(), within)}
}

type element struct {
	name    string
	dropped bool // it and all below
}

type reader struct {
	words  vocabulary
	within bool
	stack  []element
	out    strings.Builder
	title  string

	pre   int        // open pre elements
	lists []int      // of each open list the next number; -1: bullets
	rows  [][]string // of the open table
	cell  *strings.Builder
}

func (r *reader) hidden() bool {
	return len(r.stack) > 0 && r.stack[len(r.stack)-1].dropped
}

func (r *reader) read(src string) {
	for src != "" {
		i := strings.IndexByte(src, '<')
		if i < 0 {
			r.text(src)
			return
		}
		r.text(src[:i])
		src = src[i:]
		switch {
		case strings.HasPrefix(src, "<!--"):
			end := strings.Index(src, "-->")
			if end < 0 {
				return
			}
			src = src[end+3:]
		case strings.HasPrefix(src, "<!") && !r.within, strings.HasPrefix(src, "<?") && !r.within:
			end := strings.IndexByte(src, '>')
			if end < 0 {
				return
			}
			src = src[end+1:]
		default:
			n := r.tag(src)
			if n == 0 { // a lone sign
				r.text("<")
				n = 1
			}
			src = src[n:]
		}
	}
}

// tag reads the tag at the beginning of src, and with it the content of an element
// that holds no markup. It returns how much it read; 0: there is no tag.
func (r *reader) tag(src string) int {
	i, closing := 1, false
	if i < len(src) && src[i] == '/' {
		closing = true
		i++
	}
	start := i
	for i < len(src) && (isLetter(src[i]) || i > start && (src[i] >= '0' && src[i] <= '9' || src[i] == '-' || src[i] == ':')) {
		i++
	}
	name := strings.ToLower(src[start:i])
	if name == "" || r.within && !r.words.known[name] {
		return 0
	}
	from := i
	var quote byte
	for i < len(src) && (quote != 0 || src[i] != '>') {
		switch {
		case quote != 0 && src[i] == quote:
			quote = 0
		case quote == 0 && (src[i] == '"' || src[i] == '\'') && strings.HasSuffix(strings.TrimRight(src[from:i], " \t\n"), "="):
			quote = src[i]
		}
		i++
	}
	if i >= len(src) {
		if r.within {
			return 0
		}
		return len(src)
	}
	attributes := src[from:i]
	i++
	if closing {
		r.close(name)
		return i
	}
	r.open(name, attributes)
	if !r.words.raw[name] || strings.HasSuffix(attributes, "/") && r.within {
		return i
	}
	end := indexClosing(src[i:], name)
	if name == "title" && r.title == "" {
		r.title = src[i : i+end]
	} else if name == "xmp" || name == "plaintext" {
		r.text(html.EscapeString(src[i : i+end]))
	}
	return i + end // the closing tag is read as one
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// indexClosing returns where the closing tag of name begins, or the length of s.
func indexClosing(s, name string) int {
	for i := 0; ; {
		at := strings.Index(s[i:], "</")
		if at < 0 {
			return len(s)
		}
		i += at
		if rest := s[i+2:]; len(rest) >= len(name) && strings.EqualFold(rest[:len(name)], name) && (len(rest) == len(name) || !isLetter(rest[len(name)])) {
			return i
		}
		i += 2
	}
}

func hides(attributes string) bool {
	for _, m := range attribute.FindAllStringSubmatch(attributes, 64) {
		value := html.UnescapeString(m[2] + m[3] + m[4])
		switch strings.ToLower(m[1]) {
		case "hidden":
			return true
		case "aria-hidden":
			if strings.EqualFold(strings.TrimSpace(value), "true") {
				return true
			}
		case "style":
			if hiding.MatchString(value) {
				return true
			}
		}
	}
	return false
}

// closedBy are the elements whose end is left out before another begins.
func closedBy(open, next string, broken map[string]bool) bool {
	switch next {
	case "li":
		return open == "li"
	case "dt", "dd":
		return open == "dt" || open == "dd"
	case "tr":
		return open == "tr" || open == "td" || open == "th"
	case "td", "th":
		return open == "td" || open == "th"
	}
	return open == "p" && (broken[next] || next == "table" || next == "pre" || next == "hr" || len(next) == 2 && next[0] == 'h')
}

func (r *reader) open(name, attributes string) {
	if len(r.stack) > 0 && closedBy(r.stack[len(r.stack)-1].name, name, r.words.broken) {
		r.close(r.stack[len(r.stack)-1].name)
		if name == "tr" && len(r.stack) > 0 && r.stack[len(r.stack)-1].name == "tr" {
			r.close("tr")
		}
	}
	dropped := r.hidden() || r.words.dropped[name] || hides(attributes) || len(r.stack) >= maxDepth
	if !dropped {
		r.begin(name)
	}
	if r.words.void[name] || len(r.stack) > maxDepth {
		return
	}
	r.stack = append(r.stack, element{name, dropped})
}

func (r *reader) close(name string) {
	for i, e := range slices.Backward(r.stack) {
		if e.name != name {
			if e.name == "table" && name != "table" && len(name) == 2 && name[0] == 't' {
				return // a stray end within another table
			}
			continue
		}
		for j := len(r.stack) - 1; j >= i; j-- {
			if top := r.stack[j]; !top.dropped {
				r.finish(top.name)
			}
		}
		r.stack = r.stack[:i]
		return
	}
}

func (r *reader) end() {
	for _, e := range slices.Backward(r.stack) {
		if !e.dropped {
			r.finish(e.name)
		}
	}
}

// put writes to the open cell of a table, or to the page.
func (r *reader) put(s string) {
	if r.cell != nil {
		r.cell.WriteString(s)
		return
	}
	r.out.WriteString(s)
}

func (r *reader) begin(name string) {
	switch {
	case name == "br":
		r.put("\n")
	case name == "hr", r.words.broken[name]:
		if !r.within {
			r.put("\n\n")
		}
		if name == "ul" {
			r.lists = append(r.lists, -1)
		} else if name == "ol" {
			r.lists = append(r.lists, 1)
		}
	case len(name) == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6':
		r.put("\n\n" + strings.Repeat("#", int(name[1]-'0')) + " ")
	case name == "li":
		mark := "- "
		if n := len(r.lists); n > 0 && r.lists[n-1] > 0 {
			mark = string(appendInt(nil, r.lists[n-1])) + ". "
			r.lists[n-1]++
		}
		r.put("\n" + strings.Repeat("  ", max(0, len(r.lists)-1)) + mark)
	case name == "dt":
		r.put("\n\n")
	case name == "dd":
		r.put("\n")
	case name == "pre", name == "xmp", name == "plaintext":
		if r.pre++; r.cell == nil {
			r.put("\n\n```\n")
		}
	case name == "table":
		if r.cell == nil {
			r.rows = nil
			r.put("\n\n")
		}
	case name == "tr":
		if r.cell == nil {
			r.rows = append(r.rows, nil)
		}
	case name == "td", name == "th":
		if r.cell == nil && len(r.rows) > 0 {
			r.cell = &strings.Builder{}
		}
	}
}

func appendInt(b []byte, n int) []byte {
	if n >= 10 {
		b = appendInt(b, n/10)
	}
	return append(b, byte('0'+n%10))
}

func (r *reader) finish(name string) {
	switch {
	case r.words.broken[name]:
		if !r.within {
			r.put("\n\n")
		}
		if (name == "ul" || name == "ol") && len(r.lists) > 0 {
			r.lists = r.lists[:len(r.lists)-1]
		}
	case len(name) == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6':
		r.put("\n\n")
	case name == "pre", name == "xmp", name == "plaintext":
		if r.pre--; r.cell == nil {
			r.put("\n```\n\n")
		}
	case name == "td", name == "th":
		if r.cell != nil && len(r.rows) > 0 {
			last := len(r.rows) - 1
			r.rows[last] = append(r.rows[last], strings.ReplaceAll(strings.Join(strings.Fields(r.cell.String()), " "), "|", `\|`))
			r.cell = nil
		}
	case name == "table":
		if r.cell == nil {
			r.put(writeTable(r.rows) + "\n\n")
			r.rows = nil
		}
	}
}

// writeTable writes rows as a table of Markdown, the first being its head.
func writeTable(rows [][]string) string {
	rows = slices.DeleteFunc(rows, func(row []string) bool { return len(row) == 0 })
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", len(row)) + "\n")
		}
	}
	return b.String()
}

func (r *reader) text(s string) {
	if s == "" || r.hidden() {
		return
	}
	if r.within {
		r.put(s)
		return
	}
	s = html.UnescapeString(s)
	if r.pre > 0 {
		if r.cell == nil {
			s = strings.ReplaceAll(s, "```", "'''")
		}
		r.put(s)
		return
	}
	joined := strings.Join(strings.Fields(s), " ")
	if strings.TrimLeft(s, " \t\r\n\f") != s {
		joined = " " + joined
	}
	if joined != " " && strings.TrimRight(s, " \t\r\n\f") != s {
		joined += " "
	}
	if r.rows != nil && r.cell == nil && strings.TrimSpace(joined) == "" {
		return
	}
	r.put(joined)
}

var (
	spaces = regexp.MustCompile(`[ \t]{2,}`)
	empty  = regexp.MustCompile(`\n{3,}`)
)

// tidy takes out the space that markup left, but none of preformatted text.
func tidy(s string, within bool) string {
	if within {
		return s
	}
	var out []string
	pre := false
	for line := range strings.SplitSeq(s, "\n") {
		if strings.HasPrefix(line, "```") {
			pre = !pre
		}
		if !pre {
			lead := len(line) - len(strings.TrimLeft(line, " "))
			text := spaces.ReplaceAllString(strings.TrimSpace(line), " ")
			if strings.HasPrefix(text, "- ") || lead > 1 && text != "" && text[0] >= '0' && text[0] <= '9' {
				text = strings.Repeat(" ", lead) + text
			}
			line = text
		}
		out = append(out, line)
	}
	return strings.TrimSpace(empty.ReplaceAllString(strings.Join(out, "\n"), "\n\n"))
}
