package main

import (
	"fmt"
	"strings"
	"unicode"
)

// plain is text that a terminal shows and does not obey: what would move the
// cursor, begin a line, or turn the direction of writing is written out. Somebody
// else may have written it: a model gives the reason of a kill switch.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text { // what is not UTF-8 becomes U+FFFD
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
	}
	return b.String()
}

// shown is an error whose text a terminal shows and does not obey.
type shown struct{ error }

func (e shown) Error() string { return plain(e.error.Error()) }

func (e shown) Unwrap() error { return e.error }

// plainly makes what an error says plain; nil stays nil.
func plainly(err error) error {
	if err == nil {
		return nil
	}
	return shown{err}
}
