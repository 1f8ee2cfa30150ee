package cassette

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Redact returns a cassette of entries in which nothing says whose account it is.
// Secrets are further values that must not appear: the credentials it was
// recorded with. The same value is replaced by the same substitute everywhere: in
// bodies, names of members, paths and queries.
//
//   - Tokens, passwords and secrets, by the names of their members.
//   - Account numbers, wherever a member or a path has shown one to be one.
//   - Of people: names, addresses, telephone and tax numbers, days of birth, and
//     every text at all in what is about a customer.
//   - Numbers of orders, transactions and other records of the account.
//   - Free text in what is about an account: notes, descriptions, names of lists.
//
// In answers about accounts a text is kept only when it is known to be harmless:
// a number, a time, a symbol or a word of the broker's own vocabulary. Answers
// about the market are kept, but for values that were replaced elsewhere.
func Redact(header Header, entries []Entry, secrets ...string) *Cassette {
	r := &redactor{substitutes: map[string]string{}, texts: map[string]string{}, counts: map[string]int{}}
	for _, s := range secrets {
		r.learn("secret", s)
	}
	// What is secret anywhere is secret everywhere, also in what came before.
	for _, e := range entries {
		r.learnFrom(e)
	}
	r.ready()
	header.Format, header.Redacted = Format, true
	header.Note = r.words(header.Note)
	c := &Cassette{Header: header}
	for _, e := range entries {
		c.Entries = append(c.Entries, r.entry(e))
	}
	return c
}

type redactor struct {
	substitutes map[string]string // of values that were learned
	texts       map[string]string // of texts that are replaced where they stand alone
	counts      map[string]int    // of substitutes of each kind
	replacer    *strings.Replacer
}

// Names of members, as regular expressions over their whole lower-case form.
var (
	secretNames  = regexp.MustCompile(`^(.*[-_])?(token|secret|password|passwd|authorization|session-id|remember-me)$|^(auth|access|refresh|session|dxlink|streamer)[-_]?token$`)
	accountNames = regexp.MustCompile(`^(account|account[-_]?number|accountnumber|account[-_]?id|from-account.*|to-account.*|ext-account.*)$`)
	personNames  = regexp.MustCompile(`^(.*[-_])?(first-name|last-name|middle-name|prefix-name|suffix-name|full-name|legal-name|name-of.*|nickname|user-?name|login|user|user-id|email|e-mail|.*phone.*|tax-number.*|tax-id|ssn|birth.*|dob|street.*|address.*|city|state-region|postal-code|zip.*|country|.*citizenship.*|visa.*|employer.*|occupation.*|job-title|spouse.*|net-worth.*|annual-.*|liquid-.*|external-crm-id|entity-.*|family-member-names|company-symbols)$`)
	recordNames  = regexp.MustCompile(`^(id|.*-id|.*-ids|.*-identifier)$`)
	textNames    = regexp.MustCompile(`^(name|group-name|note|notes|memo|comment|description|message|reason|text|title|.*-description|.*-reason|source|label|order-index-name)$`)
	symbolNames  = regexp.MustCompile(`^(.*-)?symbol(s)?$|^eventsymbol$|^cusip$|^streamer-.*$`)
)

// Forms of harmless text.
var (
	wordForm   = regexp.MustCompile(`^[A-Za-z][A-Za-z]*([ -][A-Za-z]+){0,4}$`)
	symbolForm = regexp.MustCompile(`^[./]?[A-Z0-9][A-Z0-9./: ]{0,40}([CP][0-9.]+)?$`)
	codeForm   = regexp.MustCompile(`^[a-z]+([_.-][a-z]+)*$`)
)

// aboutAccounts tells whether a path leads to what belongs to somebody.
func aboutAccounts(path string) bool {
	for _, prefix := range []string{"/accounts", "/customers", "/watchlists", "/quote-alerts", "/margin/accounts", "/users", "/me", "/backtests", "/orders", "/streamer"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// learn gives a value a substitute, unless it has one or is too short to be told
// from an ordinary word.
func (r *redactor) learn(kind, value string) {
	if len(value) < 4 || r.substitutes[value] != "" || value == "true" || value == "false" || value == "null" {
		return
	}
	r.counts[kind]++
	n := r.counts[kind]
	switch kind {
	case "account":
		r.substitutes[value] = fmt.Sprintf("5WT%05d", n)
	case "record": // a number stays a number of its own
		r.substitutes[value] = strconv.Itoa(1000000 + n)
	default:
		r.substitutes[value] = fmt.Sprintf("%s-%d", kind, n)
	}
}

func (r *redactor) learnFrom(e Entry) {
	if x := e.Exchange; x != nil {
		parts := strings.Split(strings.Trim(x.Path, "/"), "/")
		for i, part := range parts {
			if plain, err := url.PathUnescape(part); err == nil {
				part = plain
			}
			switch {
			case i > 0 && parts[i-1] == "accounts":
				r.learn("account", part)
			case i > 0 && parts[i-1] == "customers" && part != "me":
				r.learn("customer", part)
			}
		}
		r.learnValue(decoded(x.Body), "", aboutAccounts(x.Path))
	}
	if f := e.Frame; f != nil {
		r.learnValue(decoded(f.Data), "", !strings.Contains(f.Stream, "dxlink"))
	}
}

func decoded(b json.RawMessage) any {
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var v any
	if len(b) == 0 || decoder.Decode(&v) != nil {
		return nil
	}
	return v
}

func (r *redactor) learnValue(v any, name string, private bool) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			r.learnValue(v[key], strings.ToLower(key), private)
		}
		// The account streamer's connect message has accounts as its value.
		if v["action"] == "connect" {
			if list, ok := v["value"].([]any); ok {
				for _, a := range list {
					if s, ok := a.(string); ok {
						r.learn("account", s)
					}
				}
			}
		}
	case []any:
		for _, e := range v {
			r.learnValue(e, name, private)
		}
	case string:
		switch {
		case secretNames.MatchString(name):
			r.learn("token", v)
		case accountNames.MatchString(name):
			r.learn("account", v)
		case private && personNames.MatchString(name):
			r.learn("person", v)
		case private && strings.HasSuffix(name, "-identifier"): // the user's own words
			r.learn("record", v)
		case private && recordNames.MatchString(name) && len(v) > 4 && !wordForm.MatchString(v):
			r.learn("record", v)
		}
	case json.Number:
		if private && recordNames.MatchString(name) && len(v) > 4 {
			r.learn("record", v.String())
		}
	}
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// ready makes the replacer: longer values first, so that none hides in another.
func (r *redactor) ready() {
	values := make([]string, 0, len(r.substitutes))
	for v := range r.substitutes {
		values = append(values, v)
	}
	slices.SortFunc(values, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	var pairs []string
	for _, v := range values {
		pairs = append(pairs, v, r.substitutes[v])
		if escaped := url.QueryEscape(v); escaped != v {
			pairs = append(pairs, escaped, r.substitutes[v])
		}
	}
	r.replacer = strings.NewReplacer(pairs...)
}

// words replaces what was learned inside a text.
func (r *redactor) words(s string) string { return r.replacer.Replace(s) }

func (r *redactor) entry(e Entry) Entry {
	if x := e.Exchange; x != nil {
		y := *x
		y.Path, y.Query = r.words(x.Path), r.words(x.Query)
		y.Body = r.body(x.Body, aboutAccounts(x.Path))
		return Entry{Exchange: &y}
	}
	f := *e.Frame
	f.Data = r.body(f.Data, !strings.Contains(f.Stream, "dxlink"))
	return Entry{Frame: &f}
}

func (r *redactor) body(b json.RawMessage, private bool) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	v := r.value(decoded(b), "", private)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return json.RawMessage(`null`)
	}
	return bytes.TrimSpace(out.Bytes())
}

func (r *redactor) value(v any, name string, private bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, e := range v {
			out[r.words(key)] = r.value(e, strings.ToLower(key), private)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = r.value(e, name, private)
		}
		return out
	case json.Number:
		if s, ok := r.substitutes[v.String()]; ok && (recordNames.MatchString(name) || accountNames.MatchString(name)) {
			if _, err := strconv.Atoi(s); err == nil {
				return json.Number(s)
			}
		}
		if private && personNames.MatchString(name) {
			return json.Number("0")
		}
		return v
	case string:
		return r.text(v, name, private)
	}
	return v
}

func (r *redactor) text(s, name string, private bool) string {
	if to, ok := r.substitutes[s]; ok {
		return to
	}
	if secretNames.MatchString(name) || accountNames.MatchString(name) || private && strings.HasSuffix(name, "-identifier") || private && (personNames.MatchString(name) || textNames.MatchString(name) && !harmlessUnder(name, s)) {
		if s == "" {
			return s
		}
		return r.freeText(s)
	}
	kind := stringKind(s)
	if !private && kind == numberString { // a price whose digits happen to hold a postal code is still a price
		return s
	}
	if !private || name == "context" { // the path of the request
		return r.words(s)
	}
	switch {
	case s == "", kind == dateString, kind == timeString:
		return s
	case kind == numberString && !recordNames.MatchString(name):
		return s
	case symbolNames.MatchString(name) && (symbolForm.MatchString(s) || len(s) <= 6):
		return r.words(s)
	case wordForm.MatchString(s), codeForm.MatchString(s):
		return s
	case len(s) <= 4:
		return s
	}
	return r.freeText(s)
}

// harmlessUnder tells whether a text under one of textNames is a code and no
// sentence: a source like "WBT" or a reason like "insufficient_funds".
func harmlessUnder(name, s string) bool {
	switch name {
	case "source", "reason", "message":
		return codeForm.MatchString(s) || len(s) <= 4
	}
	return false
}

// freeText gives a text its substitute, the same each time.
func (r *redactor) freeText(s string) string {
	if r.texts[s] == "" {
		r.texts[s] = fmt.Sprintf("text %d", len(r.texts)+1)
	}
	return r.texts[s]
}
