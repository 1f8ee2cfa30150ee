package notify

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// A Template makes a notification out of data. Its parts are text/template's, with
// the functions money, number, percent and when. What they make is plain text: no
// value can bring markup into a channel. Templates are the program's own, or its
// operator's, and never a user's.
type Template struct {
	Name  string // of [storage.CheckName]'s form
	Title string
	Text  string
	Facts []Fact // values are templates; one that is empty leaves the fact out
	// Charts names the parts of the data that hold a [Chart], or an [Attachment], to be
	// attached. A part that is not there, or nil, attaches nothing.
	Charts []string
}

// Templates is a set of parsed templates. It does not change once made.
type Templates struct {
	byName map[string]parsed
}

type parsed struct {
	title, text *template.Template
	facts       []factTemplate
	charts      []string
}

type factTemplate struct {
	name  string
	value *template.Template
}

// NewTemplates parses templates, or returns a *FieldError.
func NewTemplates(all ...Template) (*Templates, error) {
	out := &Templates{byName: map[string]parsed{}}
	for _, t := range all {
		if err := storage.CheckName("Name", t.Name); err != nil {
			return nil, err
		}
		parse := func(field, text string) (*template.Template, error) {
			p, err := template.New(t.Name).Option("missingkey=error").Funcs(functions()).Parse(text)
			if err != nil {
				return nil, invalid.Fieldf(field, text, "a template (%v)", err)
			}
			return p, nil
		}
		var p parsed
		var err error
		if p.title, err = parse("Title", t.Title); err != nil {
			return nil, err
		}
		if p.text, err = parse("Text", t.Text); err != nil {
			return nil, err
		}
		for _, f := range t.Facts {
			v, err := parse("Facts", f.Value)
			if err != nil {
				return nil, err
			}
			p.facts = append(p.facts, factTemplate{f.Name, v})
		}
		p.charts = slices.Clone(t.Charts)
		out.byName[t.Name] = p
	}
	return out, nil
}

// With returns the templates with others added, which replace those of their name.
func (t *Templates) With(others ...Template) (*Templates, error) {
	more, err := NewTemplates(others...)
	if err != nil {
		return nil, err
	}
	for name, p := range t.byName {
		if _, replaced := more.byName[name]; !replaced {
			more.byName[name] = p
		}
	}
	return more, nil
}

// DefaultTemplates are those for what the system itself tells:
//
//	alert      Symbol, Condition, Price, Note
//	portfolio  Symbol, Condition, Account, Value, Note
//	order      Symbol, Status, Account, Quantity, Price, Note
//	news       Symbol, Headline, Source, Summary
//	report     Name, Summary
//	job        Job, State, Note
//
// Data are a map or a struct with these names, all of them, and those of alert and
// portfolio may have a Chart.
func DefaultTemplates() (*Templates, error) {
	return NewTemplates(
		Template{
			Name: "alert", Title: "{{.Symbol}} {{.Condition}}", Text: "{{.Note}}",
			Facts: []Fact{{"Price", "{{number .Price}}"}}, Charts: []string{"Chart"},
		},
		Template{
			Name: "portfolio", Title: "{{.Symbol}}: {{.Condition}}", Text: "{{.Note}}",
			Facts: []Fact{{"Account", "{{.Account}}"}, {"Value", "{{number .Value}}"}}, Charts: []string{"Chart"},
		},
		Template{
			Name: "order", Title: "Order {{.Status}}: {{.Symbol}}", Text: "{{.Note}}",
			Facts: []Fact{{"Account", "{{.Account}}"}, {"Quantity", "{{number .Quantity}}"}, {"Price", "{{money .Price}}"}},
		},
		Template{Name: "news", Title: "{{.Symbol}}: {{.Headline}}", Text: "{{.Summary}}", Facts: []Fact{{"Source", "{{.Source}}"}}},
		Template{Name: "report", Title: "{{.Name}}", Text: "{{.Summary}}"},
		Template{Name: "job", Title: "{{.Job}}: {{.State}}", Text: "{{.Note}}"},
	)
}

// apply fills in a notification from its template.
func (t *Templates) apply(n *Notification) error {
	p, ok := t.byName[n.Template]
	if !ok {
		return invalid.Field("Template", n.Template, "a template that the service has")
	}
	var err error
	run := func(part *template.Template) string {
		b := &bounded{left: MaxText}
		if e := part.Execute(b, n.Data); e != nil && err == nil {
			err = invalid.Fieldf("Data", fmt.Sprintf("%T", n.Data), "what the template %s needs (%v)", n.Template, e)
		}
		return b.String()
	}
	n.Title, n.Text = fitBytes(line(run(p.title)), MaxTitle), strings.TrimSpace(run(p.text))
	n.Facts = nil
	for _, f := range p.facts {
		if v := line(run(f.value)); v != "" {
			n.Facts = append(n.Facts, Fact{f.name, fitBytes(v, 1024)})
		}
	}
	if err != nil {
		return err
	}
	return n.attach(p.charts)
}

// attach draws the charts that the data hold, behind the attachments that are given.
func (n *Notification) attach(names []string) error {
	n.Attachments = slices.Clone(n.Attachments)
	for _, name := range names {
		var a Attachment
		var err error
		switch v := part(n.Data, name).(type) {
		case nil:
			continue
		case Attachment:
			a = v
		case Chart:
			a, err = v.Attach(strings.ToLower(name))
		case *Chart:
			if v == nil {
				continue
			}
			a, err = v.Attach(strings.ToLower(name))
		default:
			err = invalid.Field("Data."+name, fmt.Sprintf("%T", v), "a Chart or an Attachment")
		}
		if err != nil {
			return err
		}
		n.Attachments = append(n.Attachments, a)
	}
	return nil
}

// part is a field of a struct, or a value of a map; nil when it is not there.
func part(data any, name string) any {
	r := reflect.ValueOf(data)
	for r.IsValid() && (r.Kind() == reflect.Pointer || r.Kind() == reflect.Interface) {
		r = r.Elem()
	}
	if !r.IsValid() {
		return nil
	}
	switch {
	case r.Kind() == reflect.Struct:
		r = r.FieldByName(name)
	case r.Kind() == reflect.Map && r.Type().Key().Kind() == reflect.String:
		r = r.MapIndex(reflect.ValueOf(name).Convert(r.Type().Key()))
	default:
		return nil
	}
	if !r.IsValid() || !r.CanInterface() {
		return nil
	}
	return r.Interface()
}

// bounded is a writer that takes so much and no more.
type bounded struct {
	strings.Builder
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return 0, fmt.Errorf("the text is longer than %d bytes", MaxText)
	}
	b.left -= len(p)
	return b.Builder.Write(p)
}

func functions() template.FuncMap {
	return template.FuncMap{"money": money, "number": number, "percent": percent, "when": when}
}

// unknown is how values that are not known are said.
const unknown = "unknown"

// float reads any number, and what prints as one; false for nil, NaN and others.
func float(v any) (float64, bool) {
	r := reflect.ValueOf(v)
	for r.IsValid() && (r.Kind() == reflect.Pointer || r.Kind() == reflect.Interface) {
		r = r.Elem()
	}
	if !r.IsValid() {
		return 0, false
	}
	f := math.NaN()
	switch {
	case r.CanFloat():
		f = r.Float()
	case r.CanInt():
		f = float64(r.Int())
	case r.CanUint():
		f = float64(r.Uint())
	default:
		if s, ok := r.Interface().(interface{ InexactFloat64() float64 }); ok {
			f = s.InexactFloat64()
		}
	}
	return f, !math.IsNaN(f) && !math.IsInf(f, 0)
}

// number writes a number with up to four decimals; texts stay as they are.
func number(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	f, ok := float(v)
	if !ok {
		return unknown
	}
	s := fmt.Sprintf("%.4f", f)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

func money(v any) string {
	f, ok := float(v)
	if !ok {
		return unknown
	}
	if f < 0 {
		return fmt.Sprintf("-$%.2f", -f)
	}
	return fmt.Sprintf("$%.2f", f)
}

// percent writes 0.05 as 5.00 %.
func percent(v any) string {
	f, ok := float(v)
	if !ok {
		return unknown
	}
	return fmt.Sprintf("%.2f %%", 100*f)
}

func when(t time.Time) string {
	if t.IsZero() {
		return unknown
	}
	return t.Format("Jan 2 15:04 MST")
}
