package knowledge_test

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/knowledge"
)

func parse(t *testing.T, name, text string) knowledge.Document {
	t.Helper()
	d, err := knowledge.Parse(t.Context(), name, []byte(text))
	require.NoError(t, err)
	return d
}

func TestFrontMatterIsRead(t *testing.T) {
	d := parse(t, "n.md", `---
id: notes/x   # a comment
title: "Puts: a \"guide\""
tags: [income, 'short premium', "a, b"]
aliases:
  - what is a put?
  - 'it''s a put'
date: 2026-02-03
source: https://example.com/#part
author: Jo
empty:
---

# Heading

Text.
`)
	assert.Equal(t, knowledge.Document{
		ID: "notes/x", Title: `Puts: a "guide"`, Tags: []string{"income", "short premium", "a, b"}, Aliases: []string{"what is a put?", "it's a put"},
		Date: knowledge.Date{Year: 2026, Month: 2, Day: 3}, Source: "https://example.com/#part", Attributes: map[string]string{"author": "Jo", "empty": ""},
		Format: knowledge.Markdown, Text: "# Heading\n\nText.",
	}, d)
	assert.Equal(t, "---\na rule at the top", parse(t, "n.md", "---\na rule at the top").Text)
	assert.Equal(t, "Text.", parse(t, "n.md", "\ufeff---\r\ntitle: x\r\n---\r\nText.").Text)
}

func TestFrontMatterThatIsMoreThanItsSubsetIsRefusedWithItsLine(t *testing.T) {
	for matter, line := range map[string]string{
		"title: {a: b}": "line 2", "title: &anchor x": "line 2", "title: a: b": "line 2", "title: |\n  block": "line 2", "a: b\na: c": "line 3",
		"tags: [a, [b]]": "line 2", "tags: [a": "line 2", `title: "open`: "line 2", "- a": "line 2", "no colon": "line 2", "nested:\n  key: v": "line 3", "title: 'x' y": "line 2",
	} {
		_, err := knowledge.Parse(t.Context(), "n.md", []byte("---\n"+matter+"\n---\ntext"))
		var field *knowledge.FieldError
		require.ErrorAs(t, err, &field, matter)
		assert.Contains(t, field.Field, line, matter)
	}
	_, err := knowledge.Parse(t.Context(), "n.md", []byte("---\ndate: yesterday\n---\ntext"))
	assert.ErrorContains(t, err, "date")
}

func TestHTMLIsReadAsAReaderSeesIt(t *testing.T) {
	d := parse(t, "page.html", `<!doctype html><html><head><title>Selling  &amp; buying</title><style>p{}</style></head>
<body><nav><a href=/>Home</a></nav><h1>Selling puts</h1><script>if (a < b) alert("buy </p>")</script>
<p>A put is <b>sold</b> for
   a premium.<br>Second&nbsp;line: 2 &lt; 3 &eacute;.<p>Unclosed paragraph
<ul><li>one<li>two <ol><li>first</ol></ul>
<table><tr><th>Strike<th>Price<tr><td>95<td>1.73 | mid</table>
<pre>code  {
  kept
}</pre><!-- hidden comment --><h2>More</h2>Loose text.<footer>© nobody</footer></body></html>`)
	assert.Equal(t, "Selling & buying", d.Title)
	assert.Equal(t, `# Selling puts

A put is sold for a premium.
Second line: 2 < 3 é.

Unclosed paragraph

- one
- two

  1. first

| Strike | Price |
| --- | --- |
| 95 | 1.73 \| mid |

`+"```\ncode  {\n  kept\n}\n```"+`

## More

Loose text.`, d.Text)
}

func TestWhatAPageHidesIsLeftOut(t *testing.T) {
	for name, html := range map[string]string{
		"hidden":            `<div hidden>SECRET</div>`,
		"display":           `<p style="color:red; display : none">SECRET <b>SECRET</b></p>`,
		"visibility":        `<p style='VISIBILITY:hidden'>SECRET</p>`,
		"size":              `<span style="font-size:0px">SECRET</span>`,
		"opacity":           `<span style=opacity:0>SECRET</span>`,
		"escaped style":     `<span style="display&#58;none">SECRET</span>`,
		"far away":          `<div style="position:absolute;left:-9999px">SECRET</div>`,
		"assistive":         `<div aria-hidden=true>SECRET</div>`,
		"template":          `<template>SECRET</template>`,
		"noscript":          `<noscript>SECRET</noscript>`,
		"comment":           `<!-- SECRET -->`,
		"open comment":      `text<!-- SECRET`,
		"script":            `<script type="text/plain">SECRET</script>`,
		"open script":       `text<script>SECRET`,
		"textarea":          `<textarea>SECRET</textarea>`,
		"not closed":        `<div><div hidden>SECRET<p>SECRET</div></div>`,
		"deep":              strings.Repeat("<div>", 400) + "SECRET" + strings.Repeat("</div>", 400),
		"attribute":         `<p title="SECRET" data-x='SECRET>'>text</p>`,
		"head":              `<html><head><meta content="SECRET">SECRET</head><body>text</body>`,
		"invisible letters": "S\u200bE\u00adC\u2060R\U000E0045ET is visible, letters between are not: " + `<i hidden>SECRET</i>`,
	} {
		d := parse(t, "page.html", "<p>before</p>"+html+"<p>after</p>")
		if name != "invisible letters" {
			assert.NotContains(t, d.Text, "SECRET", name)
		}
		if !strings.HasPrefix(name, "open") {
			assert.Contains(t, d.Text, "before", name)
			assert.Contains(t, d.Text, "after", name)
		}
	}
	// The same within Markdown.
	s := inMemory(t)
	b := open(t, s, "ann", nil)
	_, err := b.Add(t.Context(), knowledge.Document{ID: "n/x", Text: "Before 2 < 3. <span style='display:none'>SECRET</span> after\n\n<!-- SECRET\n\nSECRET --> and more\n\n<!-- SECRET never closed"})
	require.NoError(t, err)
	for _, p := range search(t, b, knowledge.Query{Text: "before after more secret"}) {
		assert.NotContains(t, p.Text, "SECRET")
		assert.Contains(t, p.Text, "Before 2 < 3.")
		assert.Contains(t, p.Text, "and more")
	}
}

func TestFormatsAreToldByNameAndContent(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       knowledge.Format
	}{
		{"a.MD", "x", knowledge.Markdown}, {"a.txt", "# x", knowledge.Text}, {"a.htm", "x", knowledge.HTML},
		{"https://x.example/a.html?q=1", "x", knowledge.HTML}, {"download", "<!DOCTYPE html><p>x", knowledge.HTML},
		{"notes", "---\ntitle: x\n---\ny", knowledge.Markdown}, {"notes", "just text", knowledge.Text},
	} {
		assert.Equal(t, c.want, parse(t, c.name, c.text).Format, "%s %q", c.name, c.text)
	}
	assert.Equal(t, "Größe €", parse(t, "a.txt", "Gr\xf6\xdfe \x80").Text, "the western code page")
	assert.Equal(t, "é∆", parse(t, "a.txt", "\xff\xfe\xe9\x00\x06\x22").Text, "UTF-16")
	for name, text := range map[string]string{"a.txt": "MZ\x00\x01\x02binary", "b.txt": "  \n", "c.pdf": "no", "d.html": "<script>x</script>"} {
		_, err := knowledge.Parse(t.Context(), name, []byte(text))
		assert.Error(t, err, name)
	}
	_, err := knowledge.Parse(t.Context(), "big.txt", make([]byte, knowledge.MaxFile+1))
	assert.Error(t, err)
}

const tinyPDF = "%PDF-1.4\n1 0 obj << /Type /Page /Contents 2 0 R /Resources << /Font << /F << /Subtype /Type1 >> >> >> >> endobj\n" +
	"2 0 obj << /Length 0 >> stream\nBT /F 12 Tf 14 TL 72 700 Td (Assignment happens at night) Tj (# not a heading) ' (of sold options.) ' ET\nendstream endobj"

func TestPDFIsReadPageByPage(t *testing.T) {
	d := parse(t, "book", tinyPDF)
	assert.Equal(t, knowledge.PDF, d.Format)
	assert.Equal(t, "Assignment happens at night", d.Title)
	b := open(t, inMemory(t), "ann", nil)
	_, err := b.Add(t.Context(), d)
	require.NoError(t, err)
	found := search(t, b, knowledge.Query{Text: "when does assignment happen"})
	require.Len(t, found, 1)
	assert.Equal(t, []string{"Page 1"}, found[0].Path, "the page is the passage's place")
	assert.Contains(t, found[0].Text, "not a heading")
}

func FuzzParse(f *testing.F) {
	f.Add("a.md", "---\ntitle: x\ntags: [a, 'b']\n---\n# T\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```go\nx\n```\n<!-- c -->")
	f.Add("a.html", "<table><tr><td hidden>x<td>y</table><ul><li>a<ol><li>b</ul><pre>x")
	f.Add("a.html", "<p style=\"display:none\"><a href='x\">y</a></p><title>t")
	f.Add("a.txt", "\xff\xfe\x00a line")
	f.Add("a.pdf", tinyPDF)
	f.Fuzz(func(t *testing.T, name, text string) {
		if len(text) > 1<<16 {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		d, err := knowledge.Parse(ctx, name, []byte(text))
		if err != nil {
			return
		}
		d.ID, d.Source, d.Collection = "n/x", "", ""
		chunks, err := knowledge.Cut(d, knowledge.Chunking{})
		if err != nil {
			return
		}
		again, err := knowledge.Cut(d, knowledge.Chunking{})
		require.NoError(t, err)
		assert.Equal(t, chunks, again, "the same document gives the same chunks")
		seen := map[string]bool{}
		for _, c := range chunks {
			assert.True(t, utf8.ValidString(c.Text))
			assert.NotEmpty(t, strings.TrimSpace(c.Text))
			assert.False(t, seen[c.ID], "an id twice")
			assert.NotContains(t, c.Text, "\u202e")
			seen[c.ID] = true
		}
	})
}
