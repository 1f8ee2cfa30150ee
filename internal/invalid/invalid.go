// Package invalid has the one error type that every public package of the
// module returns for a bad argument. Packages re-export it where it surfaces:
//
//	type FieldError = invalid.FieldError
package invalid

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A FieldError says which argument was refused, what it held and what would be
// accepted. It never holds a secret: see [Secret].
type FieldError struct {
	Field   string // the name the caller used: a parameter, a JSON path, a flag, a CSV column
	Value   any    // what was given; nil when it is secret or absent
	Allowed string // what is accepted, as a phrase: "a positive number of days"
}

// Error returns one line such as
//
//	n: 0 is not allowed; want a whole number from 1 to 10000
func (e *FieldError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("%s: want %s", e.Field, e.Allowed)
	}
	return fmt.Sprintf("%s: %s is not allowed; want %s", e.Field, show(e.Value), e.Allowed)
}

// Field returns a *FieldError as an error.
func Field(field string, value any, allowed string) error {
	return &FieldError{Field: field, Value: value, Allowed: allowed}
}

// Fieldf is Field with a formatted phrase of what is allowed.
func Fieldf(field string, value any, format string, args ...any) error {
	return &FieldError{Field: field, Value: value, Allowed: fmt.Sprintf(format, args...)}
}

// Secret is Field for a value that must not be printed.
func Secret(field, allowed string) error {
	return &FieldError{Field: field, Allowed: allowed}
}

// Missing is Field for a value that is required and absent.
func Missing(field, allowed string) error {
	return &FieldError{Field: field, Allowed: allowed}
}

// longest is how many bytes of a refused value an error repeats.
const longest = 80

func show(v any) string {
	s := fmt.Sprint(v)
	switch v.(type) {
	case string, []byte, fmt.Stringer:
		s = fmt.Sprintf("%q", strings.ToValidUTF8(s, "�"))
	}
	if len(s) <= longest {
		return s
	}
	cut := longest
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
