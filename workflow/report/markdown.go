package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/ttai-go/ttai/internal/chart"
)

// markdown writes a page as Markdown, with its charts drawn in letters.
func markdown(w io.Writer, p chart.Page) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n", escaped(p.Title))
	if p.Subtitle != "" {
		fmt.Fprintf(&b, "\n%s\n", escaped(p.Subtitle))
	}
	if p.Notice != "" {
		fmt.Fprintf(&b, "\n> %s\n", escaped(p.Notice))
	}
	for _, s := range p.Sections {
		if err := markdownSection(&b, s); err != nil {
			return err
		}
	}
	if p.Footer != "" {
		fmt.Fprintf(&b, "\n---\n\n%s\n", escaped(p.Footer))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func markdownSection(b *bytes.Buffer, s chart.Section) error {
	fmt.Fprintf(b, "\n## %s\n", escaped(s.Heading))
	for _, p := range s.Paragraphs {
		fmt.Fprintf(b, "\n%s\n", escaped(p))
	}
	if len(s.Facts) > 0 {
		b.WriteString("\n")
		for _, f := range s.Facts {
			fmt.Fprintf(b, "- %s: **%s**\n", escaped(f.Name), escaped(f.Value))
		}
	}
	for _, c := range s.Charts {
		var drawn bytes.Buffer
		if err := c.Terminal(&drawn, chart.TerminalOptions{Width: 80, Height: 16}); err != nil {
			return err
		}
		fence := "```"
		for strings.Contains(drawn.String(), fence) {
			fence += "`"
		}
		fmt.Fprintf(b, "\n%stext\n%s%s\n", fence, drawn.String(), fence)
	}
	if len(s.Items) > 0 {
		b.WriteString("\n")
		for _, i := range s.Items {
			fmt.Fprintf(b, "- %s\n", escaped(i))
		}
	}
	for _, t := range s.Tables {
		markdownTable(b, t)
	}
	return nil
}

func markdownTable(b *bytes.Buffer, t chart.Table) {
	if t.Caption != "" {
		fmt.Fprintf(b, "\n%s\n", escaped(t.Caption))
	}
	row := func(cells []string) {
		b.WriteString("|")
		for i := range t.Head {
			text := ""
			if i < len(cells) {
				text = escaped(cells[i])
			}
			b.WriteString(" " + text + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	row(t.Head)
	b.WriteString("|" + strings.Repeat(" --- |", len(t.Head)) + "\n")
	for _, r := range t.Rows {
		row(r)
	}
}

// escaped is text on one line in which Markdown finds no markup and HTML no tag.
func escaped(s string) string {
	var b strings.Builder
	text := strings.Join(strings.Fields(strings.ToValidUTF8(s, "�")), " ")
	for i, r := range text {
		switch {
		case unicode.IsControl(r):
			continue
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_{}[]#|~!@", r), r == ':' && strings.HasPrefix(text[i:], "://"):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	out := b.String()
	// A sign at the beginning of a line makes lists.
	if len(out) > 1 && strings.ContainsRune("-+", rune(out[0])) && out[1] == ' ' {
		out = `\` + out
	}
	if i := strings.IndexFunc(out, func(r rune) bool { return r < '0' || r > '9' }); i > 0 && strings.HasPrefix(out[i:], ". ") {
		out = out[:i] + `\` + out[i:]
	}
	return out
}
