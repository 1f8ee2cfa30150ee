package agents

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// redacted stands where a secret stood.
const redacted = "[redacted]"

// A secretShape is what a kind of key or token looks like. One of its hints stands
// in each: looking for them first spares most texts the expression.
type secretShape struct {
	hints []string
	shape *regexp.Regexp
}

var secretShapes = []secretShape{
	{[]string{"Bearer", "bearer", "BEARER", "Basic", "basic", "BASIC"}, regexp.MustCompile(`\b(Bearer|bearer|BEARER|Basic|basic|BASIC)\s+[A-Za-z0-9._~+/=-]{8,}`)},
	{[]string{"sk-"}, regexp.MustCompile(`\bsk-[A-Za-z0-9_-]{8,}`)},
	{[]string{"eyJ"}, regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*`)},
	{[]string{"AKIA"}, regexp.MustCompile(`\bAKIA[A-Z0-9]{12,}`)},
	{[]string{"PRIVATE KEY"}, regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)},
}

// A redactor takes secrets out of what a model, a transcript or an error may hold.
type redactor struct{ secrets []string }

// newRedactor also takes the secrets as JSON, a query and base64 would write them.
// It ignores secrets of fewer than four characters: they are found in
// any text.
func newRedactor(secrets []string) *redactor {
	r := &redactor{}
	for _, s := range secrets {
		if s = Clean(s); len(s) < 4 {
			continue
		}
		quoted, err := encode(s)
		if err != nil {
			continue // cannot be: it is text
		}
		r.secrets = append(r.secrets, s, string(quoted[1:len(quoted)-1]), url.QueryEscape(s), base64.StdEncoding.EncodeToString([]byte(s)))
	}
	// The longest first: one secret may begin with another.
	slices.SortFunc(r.secrets, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	r.secrets = slices.Compact(r.secrets)
	return r
}

// text returns s cleaned, without secrets.
func (r *redactor) text(s string) string {
	s = Clean(s) // first: a secret may be split by what nobody sees
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, redacted)
	}
	for _, shape := range secretShapes {
		if slices.ContainsFunc(shape.hints, func(hint string) bool { return strings.Contains(s, hint) }) {
			s = shape.shape.ReplaceAllString(s, redacted)
		}
	}
	return s
}

// json is text for each string of a JSON value. A secret that stands there as a
// number goes with the value.
func (r *redactor) json(raw []byte) string {
	s := mapStrings(raw, r.text)
	for _, secret := range r.secrets {
		if strings.Contains(s, secret) {
			return `{"withheld":"a secret stood here"}`
		}
	}
	return s
}

// message returns m without secrets.
func (r *redactor) message(m Message) Message {
	out := Message{Role: m.Role}
	for _, p := range m.Parts {
		switch {
		case p.Call != nil:
			out.Parts = append(out.Parts, Part{Call: &Call{ID: r.text(p.Call.ID), Name: r.text(p.Call.Name), Arguments: json.RawMessage(r.json(p.Call.Arguments))}})
		case p.Result != nil:
			out.Parts = append(out.Parts, Part{Result: &CallResult{ID: p.Result.ID, Name: r.text(p.Result.Name), Content: r.json([]byte(p.Result.Content)), Failed: p.Result.Failed}})
		default:
			out.Parts = append(out.Parts, Part{Text: r.text(p.Text)})
		}
	}
	return out
}
