package knowledge

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ttai-go/ttai/agents/knowledge/pdf"
	"github.com/ttai-go/ttai/internal/invalid"
)

// MaxFile is the largest file that [Parse] reads, in bytes.
const MaxFile = 64 << 20

// Parse makes a document of a file. The format is told by the name's ending, else
// by the content: .md and .markdown are Markdown, .html, .htm and .xhtml are HTML,
// .pdf is PDF, and text is what remains. Source is the document's source, a path or
// URL; Collection and ID are left to front matter, or to the caller.
//
// A file that cannot be read as its format is a *FieldError; damaged ones are read
// as far as they go. Parse does not panic, and its time is bounded: a PDF ends at
// ctx.
func Parse(ctx context.Context, source string, data []byte) (Document, error) {
	d := Document{Source: source, Format: formatOf(source, data)}
	if len(data) > MaxFile {
		return d, invalid.Fieldf("file", source, "at most %d bytes", MaxFile)
	}
	var err error
	switch d.Format {
	case PDF:
		err = d.readPDF(ctx, data)
	case HTML:
		page := readHTML(lineEnds(decode(data)), false)
		d.Title, d.Text = page.title, page.text
	case Text:
		if bytes.IndexByte(data, 0) >= 0 && !wide(data) {
			return d, invalid.Field("file", source, "Markdown, text, HTML or PDF: this is something else")
		}
		d.Text = lineEnds(decode(data))
	default:
		err = d.readMarkdown(lineEnds(decode(data)))
	}
	if err != nil {
		return d, err
	}
	if strings.TrimSpace(d.Text) == "" {
		return d, invalid.Field("file", source, "a file with text in it; a scanned page has pictures only")
	}
	if len(d.Text) > MaxText {
		return d, invalid.Fieldf("file", source, "at most %d bytes of text; split it", MaxText)
	}
	return d, nil
}

func (d *Document) readMarkdown(text string) error {
	matter, rest, err := cutMatter(text)
	if err != nil {
		return err
	}
	d.Text = strings.TrimSpace(rest)
	parsed, err := parseMatter(matter)
	if err != nil {
		return err
	}
	return d.applyMatter(parsed)
}

func (d *Document) readPDF(ctx context.Context, data []byte) error {
	doc, err := pdf.Read(ctx, data, nil)
	if err != nil {
		return fmt.Errorf("knowledge: %s: %w", d.Source, err)
	}
	d.Title = doc.Title
	if d.Title == "" && len(doc.Pages) > 0 {
		first, _, _ := strings.Cut(strings.TrimSpace(doc.Pages[0]), "\n")
		d.Title = shorten(strings.TrimSpace(first), 120)
	}
	var b strings.Builder
	for i, text := range doc.Pages {
		if text = strings.TrimSpace(text); text != "" {
			// What looks like Markdown in a PDF is not meant as it.
			fmt.Fprintf(&b, "## Page %d\n\n%s\n\n", i+1, unmarked(text))
		}
	}
	d.Text = strings.TrimSpace(b.String())
	return nil
}

// unmarked keeps lines of text from being read as headings or code.
func unmarked(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if atxHeading.MatchString(line) || fenceLine.MatchString(line) || setextLine.MatchString(line) || indented.MatchString(line) {
			lines[i] = strings.TrimLeft(line, " \t#`~=-")
		}
	}
	return strings.Join(lines, "\n")
}

func formatOf(source string, data []byte) Format {
	if bytes.HasPrefix(bytes.TrimLeft(data[:min(len(data), 1024)], "\x00\t\n\f\r \xef\xbb\xbf"), []byte("%PDF-")) {
		return PDF // whatever it is called
	}
	name := source
	if i := strings.IndexAny(name, "?#"); i >= 0 && strings.Contains(source, "://") {
		name = name[:i]
	}
	switch strings.ToLower(path.Ext(strings.ReplaceAll(name, `\`, "/"))) {
	case ".md", ".markdown", ".mdown":
		return Markdown
	case ".html", ".htm", ".xhtml":
		return HTML
	case ".pdf":
		return PDF
	case ".txt", ".text":
		return Text
	}
	head := strings.ToLower(strings.TrimSpace(decode(data[:min(len(data), 1024)])))
	switch {
	case strings.HasPrefix(head, "<!doctype html"), strings.HasPrefix(head, "<html"), strings.HasPrefix(head, "<?xml") && strings.Contains(head, "<html"):
		return HTML
	case strings.HasPrefix(head, "---\n"), strings.HasPrefix(head, "# "):
		return Markdown
	}
	return Text
}

func lineEnds(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// wide tells whether data begin with a mark of UTF-16.
func wide(data []byte) bool {
	return len(data) >= 2 && (data[0] == 0xff && data[1] == 0xfe || data[0] == 0xfe && data[1] == 0xff)
}

// decode reads UTF-8, UTF-16 with its mark, and, when it is neither, the western
// code page of Windows.
func decode(data []byte) string {
	if wide(data) {
		units := make([]uint16, len(data)/2)
		for i := range units {
			low, high := data[2*i], data[2*i+1]
			if data[0] == 0xfe {
				low, high = high, low
			}
			units[i] = uint16(high)<<8 | uint16(low)
		}
		return string(utf16.Decode(units[1:]))
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) || len(data) > 0 && utf8.Valid(data[:max(0, len(data)-3)]) {
		return strings.ToValidUTF8(string(data), "")
	}
	var b strings.Builder
	for _, c := range data {
		b.WriteRune(pdf.Windows1252(c))
	}
	return b.String()
}
