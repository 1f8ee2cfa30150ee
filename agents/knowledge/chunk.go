package knowledge

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Chunking says how documents are cut, in characters. Four characters are about
// one token of a model. The zero value means the defaults.
type Chunking struct {
	Target  int // what a chunk grows to; default 900
	Max     int // what no chunk of prose exceeds; default 1500, at least Target + Overlap + 2
	Min     int // sections shorter than this join their neighbours; default 200
	Overlap int // of the end of a chunk that the next one repeats; default 120, negative: none
	// Whole is up to where tables and code are not cut, however much longer than Max
	// they are; default 6000. Beyond it a table is cut between rows, its head
	// repeated, and code between lines.
	Whole int
}

func (c Chunking) validated() (Chunking, error) {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&c.Target, 900)
	def(&c.Overlap, 120)
	c.Overlap = max(c.Overlap, 0)
	def(&c.Max, max(1500, c.Target+c.Overlap+2))
	def(&c.Min, min(200, c.Target))
	def(&c.Whole, max(6000, c.Max))
	for _, f := range []struct {
		name            string
		v, least, limit int
	}{
		{"Target", c.Target, 50, 20_000},
		{"Overlap", c.Overlap, 0, c.Target / 2},
		{"Max", c.Max, c.Target + c.Overlap + 2, 50_000},
		{"Min", c.Min, 0, c.Target},
		{"Whole", c.Whole, c.Max, 200_000},
	} {
		if f.v < f.least || f.v > f.limit {
			return c, invalid.Fieldf("Chunking."+f.name, f.v, "%d to %d", f.least, f.limit)
		}
	}
	return c, nil
}

// A Chunk is a passage of a document.
type Chunk struct {
	// ID is the document's with a hash of what the chunk says, so that it stays
	// when other parts of the document change.
	ID   string   `json:"id"`
	Path []string `json:"path,omitempty"` // headings above it, outermost first; without the title
	Text string   `json:"text"`
}

// Cut cuts a document along its structure: headings begin chunks and are kept as
// their path, tables and code stay whole, prose is cut between paragraphs, then
// sentences, then words. The same document gives the same chunks.
func Cut(d Document, c Chunking) ([]Chunk, error) {
	c, err := c.validated()
	if err != nil {
		return nil, err
	}
	if d, err = d.normalized(); err != nil {
		return nil, err
	}
	return cut(d, c), nil
}

func cut(d Document, c Chunking) []Chunk {
	var drafts []draft
	for _, s := range sections(d) {
		drafts = append(drafts, pack(s, c)...)
	}
	drafts = join(drafts, c)
	times := map[string]int{}
	out := make([]Chunk, 0, len(drafts))
	for _, draft := range drafts {
		sum := sha256.Sum256([]byte(strings.Join(draft.path, "\x00") + "\x00\x00" + draft.text()))
		id := d.ID + "#" + hex.EncodeToString(sum[:8])
		if times[id]++; times[id] > 1 {
			id = fmt.Sprintf("%s.%d", id, times[id])
		}
		out = append(out, Chunk{ID: id, Path: draft.path, Text: draft.text()})
	}
	return out
}

// A section is what stands between two headings.
type section struct {
	path   []string
	blocks []block
}

func sections(d Document) []section {
	if d.Format == Text {
		var s section
		for part := range strings.SplitSeq(d.Text, "\n\n") {
			if part = strings.TrimSpace(part); part != "" {
				s.blocks = append(s.blocks, block{text: part})
			}
		}
		return []section{s}
	}
	type open struct {
		level int
		title string
	}
	var stack []open
	out := []section{{}}
	for i, b := range blocks(d.Text) {
		if b.kind != heading {
			last := &out[len(out)-1]
			last.blocks = append(last.blocks, b)
			continue
		}
		for len(stack) > 0 && stack[len(stack)-1].level >= b.level {
			stack = stack[:len(stack)-1]
		}
		stack = append(stack, open{b.level, shorten(b.text, MaxTitle)})
		var path []string
		for n, o := range stack {
			if n > 0 || i > 0 && o.title != d.Title || o.title != d.Title {
				path = append(path, o.title)
			}
		}
		out = append(out, section{path: path})
	}
	kept := slices.DeleteFunc(out, func(s section) bool { return len(s.blocks) == 0 })
	if len(kept) == 0 { // headings only
		kept = []section{{blocks: []block{{text: d.Text}}}}
	}
	return kept
}

// A draft is a chunk that is being put together.
type draft struct {
	path  []string
	parts []string
	prose bool // the last part may be repeated
}

func (d *draft) text() string { return strings.Join(d.parts, "\n\n") }

func (d *draft) size() int {
	n := 2 * max(0, len(d.parts)-1)
	for _, p := range d.parts {
		n += utf8.RuneCountInString(p)
	}
	return n
}

// pack fills chunks with the blocks of a section.
func pack(s section, c Chunking) []draft {
	var out []draft
	cur := draft{path: s.path}
	begun := false // cur holds more than what it repeats
	emit := func() {
		if begun {
			out = append(out, cur)
		}
		cur, begun = draft{path: s.path}, false
	}
	for _, b := range s.blocks {
		for _, piece := range pieces(b, c) {
			soft := b.kind == prose || b.kind == listing
			if begun && cur.size()+2+utf8.RuneCountInString(piece) > c.Target {
				last := ""
				if cur.prose && soft {
					last = ending(cur.parts[len(cur.parts)-1], c.Overlap)
				}
				emit()
				if last != "" {
					cur.parts = []string{last}
				}
			}
			cur.parts = append(cur.parts, piece)
			cur.prose, begun = soft, true
		}
	}
	emit()
	return out
}

// pieces cuts a block that is too long for one chunk.
func pieces(b block, c Chunking) []string {
	n := utf8.RuneCountInString(b.text)
	switch b.kind {
	case code, table:
		if n <= c.Whole {
			return []string{b.text}
		}
		return cutRows(b, c.Whole)
	case listing:
		if n <= c.Target {
			return []string{b.text}
		}
		return gather(strings.Split(b.text, "\n"), "\n", c.Target)
	}
	if n <= c.Target {
		return []string{b.text}
	}
	return gather(sentences(b.text), " ", c.Target)
}

// cutRows cuts a table between rows and code between lines, each piece a whole
// table or a whole piece of code.
func cutRows(b block, most int) []string {
	lines := strings.Split(b.text, "\n")
	head, tail := "", ""
	switch {
	case b.kind == table && len(lines) > 2:
		head, lines = lines[0]+"\n"+lines[1]+"\n", lines[2:]
	case b.kind == code && fenceLine.MatchString(lines[0]) && len(lines) > 2:
		head, tail, lines = lines[0]+"\n", "\n"+lines[len(lines)-1], lines[1:len(lines)-1]
	}
	room := most - utf8.RuneCountInString(head) - utf8.RuneCountInString(tail)
	if room < most/2 { // the head alone is monstrous
		head, tail, room = "", "", most
	}
	out := gather(lines, "\n", room)
	for i := range out {
		out[i] = head + out[i] + tail
	}
	return out
}

// gather joins parts to pieces of up to most characters, and cuts parts that are
// longer.
func gather(parts []string, between string, most int) []string {
	var out []string
	var cur strings.Builder
	size := 0
	flush := func() {
		if strings.TrimSpace(cur.String()) != "" {
			out = append(out, cur.String())
		}
		cur.Reset()
		size = 0
	}
	for _, part := range parts {
		for n := utf8.RuneCountInString(part); ; n = utf8.RuneCountInString(part) {
			if size > 0 && size+len(between)+n > most {
				flush()
			}
			if n <= most {
				break
			}
			head := firstRunes(part, most)
			out = append(out, head)
			part = strings.TrimSpace(part[len(head):])
		}
		if size > 0 {
			cur.WriteString(between)
			size += len(between)
		}
		cur.WriteString(part)
		size += utf8.RuneCountInString(part)
	}
	flush()
	return out
}

// firstRunes returns the beginning of s of up to n characters, at a space when one
// is in its second half.
func firstRunes(s string, n int) string {
	at, space := 0, -1
	for i, r := range s {
		if n == 0 {
			break
		}
		n--
		at = i + utf8.RuneLen(r)
		if unicode.IsSpace(r) {
			space = i
		}
	}
	if space > at/2 {
		return s[:space]
	}
	return s[:at]
}

// sentences cuts prose after full stops, question and exclamation marks that are
// followed by space, unless it goes on in lower case, and after those of Chinese
// and Japanese.
func sentences(s string) []string {
	var out []string
	from := 0
	runes := []rune(s)
	for i, r := range runes {
		ends := false
		switch r {
		case '.', '!', '?', '…':
			next := i + 1
			for next < len(runes) && strings.ContainsRune(`"'”’)]`, runes[next]) {
				next++
			}
			if next+1 < len(runes) && unicode.IsSpace(runes[next]) {
				for next < len(runes) && unicode.IsSpace(runes[next]) {
					next++
				}
				ends = next == len(runes) || !unicode.IsLower(runes[next])
			}
		case '。', '！', '？':
			ends = true
		}
		if ends {
			if t := strings.TrimSpace(string(runes[from : i+1])); t != "" {
				out = append(out, t)
			}
			from = i + 1
		}
	}
	if t := strings.TrimSpace(string(runes[from:])); t != "" {
		out = append(out, t)
	}
	return out
}

// ending returns the last sentences of s, up to n characters: a part of the last
// one when it is longer.
func ending(s string, n int) string {
	if n == 0 {
		return ""
	}
	all := sentences(s)
	out := ""
	for _, sentence := range slices.Backward(all) {
		joined := strings.TrimSpace(sentence + " " + out)
		if utf8.RuneCountInString(joined) > n {
			break
		}
		out = joined
	}
	if out != "" || len(all) == 0 {
		return out
	}
	runes := []rune(all[len(all)-1])
	last := string(runes[len(runes)-min(n, len(runes)):])
	if _, words, ok := strings.Cut(last, " "); ok {
		return strings.TrimSpace(words)
	}
	return last
}

// join puts short sections together with their neighbours, siblings and children
// only. Their headings stay in the text.
func join(drafts []draft, c Chunking) []draft {
	var out []draft
	for _, d := range drafts {
		if n := len(out); n > 0 {
			last := &out[n-1]
			common := commonPath(last.path, d.path)
			related := len(common) >= len(last.path)-1 && len(common) >= len(d.path)-1 && !slices.Equal(last.path, d.path)
			a, b := last.size(), d.size()
			if related && (a < c.Min || b < c.Min) && a+b+titles(last.path, common)+titles(d.path, common)+8 <= c.Target {
				joined := draft{path: common, prose: d.prose}
				joined.parts = append(named(*last, common), named(d, common)...)
				out[n-1] = joined
				continue
			}
		}
		out = append(out, d)
	}
	return out
}

// named returns the parts of a draft below the headings that its new path lacks.
func named(d draft, path []string) []string {
	if len(d.path) <= len(path) {
		return d.parts
	}
	return append([]string{strings.Join(d.path[len(path):], " › ")}, d.parts...)
}

func titles(path, common []string) int {
	n := 0
	for _, t := range path[len(common):] {
		n += utf8.RuneCountInString(t) + 4
	}
	return n
}

func commonPath(a, b []string) []string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n:n]
}
