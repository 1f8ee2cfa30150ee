package cassette

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Shape is the form of JSON values: which members there are and of which types,
// not what they hold. Elements of an array share one path.
type Shape map[string]Types

// Types are the types that were seen at one path: "null", "bool", "number",
// "number in a string", "date", "time", "string", "object", "array".
type Types map[string]int

// The types. Empty text and "NaN" count as null: nothing is known.
const (
	null         = "null"
	boolean      = "bool"
	number       = "number"
	numberString = "number in a string"
	dateString   = "date"
	timeString   = "time"
	text         = "string"
	object       = "object"
	array        = "array"
)

// ShapeOf returns the shape of several values together. One that is no JSON is
// left out.
func ShapeOf(values ...json.RawMessage) Shape {
	s := Shape{}
	for _, v := range values {
		decoder := json.NewDecoder(bytes.NewReader(v))
		decoder.UseNumber()
		var decoded any
		if decoder.Decode(&decoded) == nil {
			s.add("", decoded)
		}
	}
	return s
}

func (s Shape) add(path string, v any) {
	note := func(kind string) {
		if s[path] == nil {
			s[path] = Types{}
		}
		s[path][kind]++
	}
	switch v := v.(type) {
	case nil:
		note(null)
	case bool:
		note(boolean)
	case json.Number:
		note(number)
	case string:
		note(stringKind(v))
	case []any:
		note(array)
		for _, e := range v {
			s.add(path+"[]", e)
		}
	case map[string]any:
		note(object)
		for name, e := range v {
			s.add(join(path, name), e)
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

var (
	isDate = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	isTime = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]\d\d:\d\d`)
)

func stringKind(s string) string {
	switch {
	case isDate.MatchString(s):
		return dateString
	case isTime.MatchString(s):
		return timeString
	case s == "", s == "NaN": // what is not known
		return null
	case strings.ContainsAny(s, "xXpPiInN_"): // hexadecimal, infinities and the like are words here
		return text
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return numberString
	}
	return text
}

// A Difference is one way in which two shapes differ.
type Difference struct {
	Path string `json:"path"` // "data.items[].strike-price"
	// What is "missing" (ours lacks it), "extra" (only ours has it) or "type".
	What   string `json:"what"`
	Theirs string `json:"theirs,omitempty"` // types seen there
	Ours   string `json:"ours,omitempty"`
}

// String is the difference in words.
func (d Difference) String() string {
	switch d.What {
	case "missing":
		return fmt.Sprintf("%s: missing here (%s there)", d.Path, d.Theirs)
	case "extra":
		return fmt.Sprintf("%s: only here (%s)", d.Path, d.Ours)
	}
	return fmt.Sprintf("%s: %s here, %s there", d.Path, d.Ours, d.Theirs)
}

// Compare returns how ours differs from s, by path. What cannot be known is no
// difference: members of an array or object that is empty or null on one side, and
// the type of what is null there.
func (s Shape) Compare(ours Shape) []Difference {
	var found []Difference
	for _, path := range slices.Sorted(maps.Keys(s)) {
		mine, ok := ours[path]
		switch {
		case !ok:
			if ours.couldHold(path) && s.parentHas(path) {
				found = append(found, Difference{Path: path, What: "missing", Theirs: s[path].String()})
			}
		case !s[path].agrees(mine):
			found = append(found, Difference{Path: path, What: "type", Theirs: s[path].String(), Ours: mine.String()})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(ours)) {
		if _, ok := s[path]; !ok && s.couldHold(path) && ours.parentHas(path) {
			found = append(found, Difference{Path: path, What: "extra", Ours: ours[path].String()})
		}
	}
	slices.SortStableFunc(found, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return found
}

// parentHas is false for elements of arrays: whether an array has some is no
// matter of shape.
func (Shape) parentHas(path string) bool { return !strings.HasSuffix(path, "[]") }

// couldHold tells whether the object that would hold path is there.
func (s Shape) couldHold(path string) bool {
	cut := strings.LastIndexByte(path, '.')
	if cut < 0 {
		return s[""][object] > 0
	}
	return s[path[:cut]][object] > 0
}

// agrees tells whether both have the same types, null and empty text aside: one
// value may be a date and the next one absent.
func (t Types) agrees(other Types) bool {
	a, b := t.known(), other.known()
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	for kind := range b {
		if a[kind] == 0 && !(isStringKind(kind) && a[text] > 0) {
			return false
		}
	}
	return true
}

func isStringKind(kind string) bool {
	return kind == numberString || kind == dateString || kind == timeString || kind == text
}

func (t Types) known() Types {
	k := maps.Clone(t)
	delete(k, null)
	return k
}

// String lists the types.
func (t Types) String() string { return strings.Join(slices.Sorted(maps.Keys(t)), " or ") }
