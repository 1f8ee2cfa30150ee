package chart

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// A Page is a self-contained HTML document: no script, no request.
type Page struct {
	Title    string
	Subtitle string
	Notice   string // shown at the top in a box, such as "simulated data"
	Sections []Section
	Footer   string
}

// A Section is a heading with text, facts, charts and tables below it, in this order.
type Section struct {
	Heading    string
	Paragraphs []string
	Facts      []Fact
	Charts     []Chart
	Items      []string // a list with bullets
	Tables     []Table
}

// A Fact is a short value with a name, shown as a tile.
type Fact struct{ Name, Value string }

// A Table is rows of text. Columns whose cells are all numbers align right.
type Table struct {
	Caption string
	Head    []string
	Rows    [][]string
}

// HTML writes the page as one file that needs nothing else: inline style, inline
// SVG, no script, and a policy that forbids the browser to load anything. All
// text is escaped. It follows the reader's light or dark colours and reads on a phone.
func HTML(w io.Writer, p Page) error {
	page, err := p.prepare()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := pageTemplate().Execute(&b, page); err != nil {
		return fmt.Errorf("chart: writing the page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// A view is a page prepared for the template.
type view struct {
	Page
	Sections []viewSection
}

type viewSection struct {
	Section
	ID     string
	Charts []template.HTML
	Tables []viewTable
}

type viewTable struct {
	Caption string
	Head    []cell
	Rows    [][]cell
}

type cell struct {
	Text    string
	Numeric bool
}

// prepare draws the charts and finds the columns of numbers.
func (p Page) prepare() (view, error) {
	v := view{Page: Page{Title: clean(p.Title), Subtitle: clean(p.Subtitle), Notice: clean(p.Notice), Footer: clean(p.Footer)}}
	if v.Title == "" {
		v.Title = "Report"
	}
	for i, s := range p.Sections {
		out := viewSection{Section: Section{Heading: clean(s.Heading)}, ID: fmt.Sprintf("s%d", i+1)}
		for _, x := range s.Paragraphs {
			out.Paragraphs = append(out.Paragraphs, clean(x))
		}
		for _, x := range s.Items {
			out.Items = append(out.Items, clean(x))
		}
		for _, x := range s.Facts {
			out.Facts = append(out.Facts, Fact{clean(x.Name), clean(x.Value)})
		}
		for _, c := range s.Charts {
			var b bytes.Buffer
			if err := c.SVG(&b); err != nil {
				return v, err
			}
			// The SVG is our own, with every text in it escaped.
			out.Charts = append(out.Charts, template.HTML(b.String()))
		}
		for _, t := range s.Tables {
			out.Tables = append(out.Tables, t.prepare())
		}
		v.Sections = append(v.Sections, out)
	}
	return v, nil
}

func (t Table) prepare() viewTable {
	columns := len(t.Head)
	for _, row := range t.Rows {
		columns = max(columns, len(row))
	}
	numeric := make([]bool, columns)
	for c := range numeric {
		known := 0
		numeric[c] = true
		for _, row := range t.Rows {
			if c >= len(row) || strings.Trim(row[c], " –-—") == "" {
				continue
			}
			known++
			numeric[c] = numeric[c] && looksNumeric(row[c])
		}
		numeric[c] = numeric[c] && known > 0
	}
	line := func(row []string) []cell {
		cells := make([]cell, columns)
		for c := range cells {
			cells[c].Numeric = numeric[c]
			if c < len(row) {
				cells[c].Text = clean(row[c])
			}
		}
		return cells
	}
	out := viewTable{Caption: clean(t.Caption)}
	if len(t.Head) > 0 {
		out.Head = line(t.Head)
	}
	for _, row := range t.Rows {
		out.Rows = append(out.Rows, line(row))
	}
	return out
}

// looksNumeric reports whether text is a number with the signs people put
// around it: +1.2, -3 %, $4.50, 1,234.5, 2.1x.
func looksNumeric(s string) bool {
	s = strings.Trim(s, " $€+-−%x()σ")
	digits := 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '.' || r == ',' || r == ' ' || r == 'k' || r == 'M' || r == 'B':
		default:
			return false
		}
	}
	return digits > 0
}

func pageTemplate() *template.Template {
	return template.Must(template.New("page").Parse(pageText))
}

const pageText = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>
<style>
:root{--bg:#f5f7f9;--card:#fff;--ink:#1c2430;--mut:#566172;--rule:#dfe4ea;--note:#fff6df;--noteink:#5b4300;--noterule:#e6c774}
@media (prefers-color-scheme:dark){:root{--bg:#0c0f13;--card:#12161c;--ink:#e8ecf2;--mut:#a3afbd;--rule:#2a323d;--note:#2b2413;--noteink:#f3dca0;--noterule:#6b5620}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:66rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.7rem;line-height:1.25;margin:0}
h2{font-size:1.2rem;line-height:1.3;margin:0 0 .75rem}
p,ul{margin:0 0 .75rem}
ul{padding-left:1.25rem}
.sub{color:var(--mut);margin:.25rem 0 0}
.note{background:var(--note);color:var(--noteink);border:1px solid var(--noterule);border-radius:8px;padding:.6rem .9rem;margin:1rem 0 0}
section{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:1.1rem 1.1rem .6rem;margin-top:1.1rem}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.6rem;margin:0 0 .9rem}
.facts div{border:1px solid var(--rule);border-radius:8px;padding:.5rem .7rem}
.facts dt{color:var(--mut);font-size:.8rem;line-height:1.3}
.facts dd{margin:.1rem 0 0;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.wide{overflow-x:auto;margin:0 0 .9rem}
.wide svg{display:block;min-width:42rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;color:var(--mut);padding-bottom:.35rem}
th,td{text-align:left;vertical-align:top;padding:.38rem .7rem .38rem 0;border-bottom:1px solid var(--rule)}
th{color:var(--mut);font-weight:600;white-space:nowrap}
tbody tr:last-child td{border-bottom:0}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
footer{color:var(--mut);font-size:.88rem;margin-top:1.5rem}
@media print{body{background:#fff}section{break-inside:avoid}}
</style>
</head>
<body>
<main>
<header>
<h1>{{.Title}}</h1>
{{with .Subtitle}}<p class="sub">{{.}}</p>
{{end}}{{with .Notice}}<p class="note" role="note">{{.}}</p>
{{end}}</header>
{{range .Sections}}<section{{if .Heading}} aria-labelledby="{{.ID}}"{{end}}>
{{if .Heading}}<h2 id="{{.ID}}">{{.Heading}}</h2>
{{end}}{{range .Paragraphs}}<p>{{.}}</p>
{{end}}{{if .Facts}}<dl class="facts">
{{range .Facts}}<div><dt>{{.Name}}</dt><dd>{{.Value}}</dd></div>
{{end}}</dl>
{{end}}{{range .Charts}}<div class="wide" tabindex="0">
{{.}}</div>
{{end}}{{if .Items}}<ul>
{{range .Items}}<li>{{.}}</li>
{{end}}</ul>
{{end}}{{range .Tables}}<div class="wide" tabindex="0"><table>
{{with .Caption}}<caption>{{.}}</caption>
{{end}}{{if .Head}}<thead><tr>{{range .Head}}<th scope="col"{{if .Numeric}} class="n"{{end}}>{{.Text}}</th>{{end}}</tr></thead>
{{end}}<tbody>
{{range .Rows}}<tr>{{range .}}<td{{if .Numeric}} class="n"{{end}}>{{.Text}}</td>{{end}}</tr>
{{end}}</tbody></table></div>
{{end}}</section>
{{end}}{{with .Footer}}<footer>{{.}}</footer>
{{end}}</main>
</body>
</html>
`
