package notify

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// clean takes out what no text needs: broken UTF-8, control characters, and marks
// that turn the direction of writing, by which a text can look like another.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "�")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r),
			r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u200e' || r == '\u200f' || r == '\ufeff',
			r >= 0xe0000 && r <= 0xe007f:
			return -1
		}
		return r
	}, s)
}

// line is clean on one line.
func line(s string) string {
	return strings.Join(strings.Fields(clean(s)), " ")
}

// units is the length of s in UTF-16 units, as chat services count.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// An escape writes a character so that a channel shows it as it is. Start tells
// that it is the first of a line, next is the one that follows, 0 at the end.
type escape func(r rune, start bool, next rune) string

func asItIs(r rune, _ bool, _ rune) string { return string(r) }

// fit escapes text and shortens it to at most limit units by count, which is the
// length of a piece as the channel counts it. A text that is cut ends with "…",
// where a word ends if one does nearby, never inside of an escaped or a composed
// character.
func fit(text string, limit int, esc escape, count func(raw, escaped string) int) string {
	type stop struct{ at, length int } // a place to cut: the length of the output, and counted
	var out strings.Builder
	var last, word stop
	length, start := 0, true
	var before rune
	for i, r := range text {
		size := utf8.RuneLen(r)
		if size < 0 {
			size = 1
		}
		next := rune(0)
		if i+size < len(text) {
			next, _ = utf8.DecodeRuneInString(text[i+size:])
		}
		if !joins(before, r) && length <= limit-1 {
			last = stop{out.Len(), length}
			if unicode.IsSpace(r) && !unicode.IsSpace(before) {
				word = last
			}
		}
		piece := esc(r, start, next)
		length += count(string(r), piece)
		out.WriteString(piece)
		start, before = r == '\n', r
	}
	if length <= limit {
		return out.String()
	}
	if limit < 1 {
		return ""
	}
	cut := last
	if word.length > 0 && last.length-word.length <= max(20, limit/5) {
		cut = word
	}
	return strings.TrimRightFunc(out.String()[:cut.at], unicode.IsSpace) + "…"
}

// joins tells that r belongs to the character before it: an accent, a variation, a
// skin tone, or one glued by a joiner.
func joins(before, r rune) bool {
	return before == '\u200d' || r == '\u200d' || unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc, unicode.Variation_Selector) ||
		r >= 0x1f3fb && r <= 0x1f3ff
}

func countRaw(raw, _ string) int         { return units(raw) }
func countEscaped(_, escaped string) int { return units(escaped) }

// fitBytes is fit for limits in bytes of UTF-8, without escapes.
func fitBytes(text string, limit int) string {
	out := fit(text, limit-2, asItIs, func(raw, _ string) int { return len(raw) })
	return out
}

// plain is a message as text without any markup.
func plain(m Message, limit int, charts bool) string {
	var b strings.Builder
	b.WriteString(line(m.Title))
	if s := strings.TrimSpace(clean(m.Text)); s != "" {
		b.WriteString("\n\n" + s)
	}
	if len(m.Facts) > 0 {
		b.WriteString("\n")
		for _, f := range m.Facts {
			b.WriteString("\n" + line(f.Name) + ": " + line(f.Value))
		}
	}
	if m.Link != "" {
		b.WriteString("\n\n" + m.Link)
	}
	out := fit(b.String(), limit, asItIs, countRaw)
	if charts {
		for _, a := range m.Attachments {
			if s := strings.Trim(clean(a.Text), "\n"); s != "" && units(out)+units(s)+2 <= limit {
				out += "\n\n" + s
			}
		}
	}
	return out
}

// Shorten returns a text as senders show it: cleaned of control characters, and of
// at most limit UTF-16 units, cut where a word ends if one does nearby.
func Shorten(text string, limit int) string {
	return fit(strings.TrimSpace(clean(text)), limit, asItIs, countRaw)
}
