package analysts

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"
)

// Unsupported returns the numbers of a text that do not stand in the evidence, as they
// stand in the text, in its order. A number stands in the evidence when it is a value,
// or in a name, text or method, of one of the pieces, rounded to as many places as the
// text writes; fractions may be written in percent. More are other texts that count,
// such as the description of a candidate. A sign that is written must be right.
//
// Numbers in words count from eleven on, and smaller ones before a unit ("two
// percent"); digits of other scripts and fractions in one character never have
// support. An empty result says that a text invents no number, not that it is true.
func Unsupported(text string, evidence []Evidence, more ...string) []string {
	var known facts
	for _, e := range evidence {
		if !e.Known() {
			continue
		}
		known.add(float64(e.Value))
		if e.Amount != nil {
			known.exact = append(known.exact, *e.Amount)
		}
		if e.DistanceATR != nil && e.DistanceATR.Known() {
			known.add(float64(*e.DistanceATR))
		}
		for _, s := range []string{e.Name, e.Text, e.Method, e.At.Format("2006-01-02 15:04")} {
			known.read(s)
		}
	}
	for _, s := range more {
		known.read(s)
	}
	var missing []string
	for _, n := range numbers(text) {
		if !known.has(n) {
			missing = append(missing, n.text)
		}
	}
	return missing
}

// facts are the numbers that have support.
type facts struct {
	values []float64
	exact  []decimal.Decimal
	dates  []string
}

func (f *facts) add(x float64) {
	if !math.IsNaN(x) && !math.IsInf(x, 0) {
		f.values = append(f.values, x, 100*x)
	}
}

func (f *facts) read(s string) {
	for _, n := range numbers(s) {
		switch {
		case n.date:
			f.dates = append(f.dates, n.text)
		case !n.strange:
			f.values = append(f.values, n.value)
		}
	}
}

func (f *facts) has(n number) bool {
	if n.strange || n.date {
		return n.date && slices.Contains(f.dates, n.text)
	}
	half := 0.5*math.Pow(10, -float64(n.places)) + 1e-9*max(1, math.Abs(n.value))
	near := func(x float64) bool {
		if n.signed {
			return math.Abs(x-n.value) <= half
		}
		return math.Abs(math.Abs(x)-math.Abs(n.value)) <= half
	}
	for _, x := range f.values {
		if near(x) {
			return true
		}
	}
	for _, x := range f.exact {
		if near(x.InexactFloat64()) {
			return true
		}
	}
	return false
}

// A number is one as it stands in a text.
type number struct {
	text    string
	value   float64
	places  int  // digits after the point
	signed  bool // with a + or - before it that is no hyphen
	strange bool // in a form that is not read
	date    bool // a day, such as 2026-09-15
}

// numbers finds the numbers of a text.
func numbers(text string) []number {
	var out []number
	runes := []rune(text)
	for i := 0; i < len(runes); {
		c := runes[i]
		switch {
		case isDate(runes[i:]) && (i == 0 || !isDigit(runes[i-1])):
			out = append(out, number{text: string(runes[i : i+dateLength]), date: true})
			i += dateLength
		case c >= '0' && c <= '9' || c == '.' && i+1 < len(runes) && isDigit(runes[i+1]) && (i == 0 || !isDigit(runes[i-1])):
			end := numberEnd(runes, i)
			out = append(out, readNumber(runes, i, end))
			i = end
		case c > unicode.MaxASCII && unicode.IsNumber(c):
			out = append(out, number{text: string(c), strange: true})
			i++
		case unicode.IsLetter(c):
			end := i
			for end < len(runes) && (unicode.IsLetter(runes[end]) || runes[end] == '-' && end+1 < len(runes) && unicode.IsLetter(runes[end+1])) {
				end++
			}
			if n, ok := wordNumber(string(runes[i:end]), nextWord(runes, end)); ok {
				out = append(out, n)
			}
			i = end
		default:
			i++
		}
	}
	return out
}

const dateLength = len("2006-01-02")

func isDate(runes []rune) bool {
	if len(runes) < dateLength || len(runes) > dateLength && isDigit(runes[dateLength]) {
		return false
	}
	_, err := time.Parse(time.DateOnly, string(runes[:dateLength]))
	return err == nil
}

func isDigit(c rune) bool { return c >= '0' && c <= '9' }

// numberEnd is behind the digits, separators of thousands and decimal point from i on.
func numberEnd(runes []rune, i int) int {
	point := false
	for i < len(runes) {
		switch c := runes[i]; {
		case isDigit(c):
		case c == '.' && !point && i+1 < len(runes) && isDigit(runes[i+1]):
			point = true
		case c == ',' && !point && i+3 < len(runes) && isDigit(runes[i+1]) && isDigit(runes[i+2]) && isDigit(runes[i+3]) && (i+4 >= len(runes) || !isDigit(runes[i+4])):
		default:
			return i
		}
		i++
	}
	return i
}

func readNumber(runes []rune, start, end int) number {
	n := number{text: string(runes[start:end])}
	plain := strings.ReplaceAll(n.text, ",", "")
	value, err := strconv.ParseFloat(plain, 64)
	if err != nil || len(plain) > 30 {
		n.strange = true
		return n
	}
	n.value = value
	if point := strings.IndexByte(plain, '.'); point >= 0 {
		n.places = len(plain) - point - 1
	}
	if start > 0 {
		before := runes[start-1]
		alone := start == 1 || !unicode.IsLetter(runes[start-2]) && !isDigit(runes[start-2]) && runes[start-2] != ')'
		switch {
		case (before == '-' || before == '−' || before == '–') && alone:
			n.value, n.signed, n.text = -n.value, true, string(before)+n.text
		case before == '+' && alone:
			n.signed, n.text = true, "+"+n.text
		}
	}
	// 1e9, 3k and 2bn are other numbers than their digits.
	rest := strings.ToLower(string(runes[end:min(end+3, len(runes))]))
	scale := map[string]float64{"k": 1e3, "m": 1e6, "bn": 1e9, "b": 1e9, "t": 1e12}
	letters := rest[:len(rest)-len(strings.TrimLeftFunc(rest, unicode.IsLetter))]
	if by, ok := scale[letters]; ok && (end+len(letters) >= len(runes) || !unicode.IsLetter(runes[end+len(letters)])) {
		n.value, n.text = n.value*by, n.text+string(runes[end:end+len(letters)])
		n.places -= int(math.Round(math.Log10(by)))
	} else if len(rest) > 1 && rest[0] == 'e' && (isDigit(rune(rest[1])) || len(rest) > 2 && isDigit(rune(rest[2]))) {
		n.strange, n.text = true, n.text+rest
	}
	return n
}

// nextWord is the word behind a place.
func nextWord(runes []rune, i int) string {
	for i < len(runes) && (runes[i] == ' ' || runes[i] == '-') {
		i++
	}
	end := i
	for end < len(runes) && (unicode.IsLetter(runes[end]) || runes[end] == '%') {
		end++
	}
	return strings.ToLower(string(runes[i:end]))
}

// wordNumber reads a number in words. Small ones count only before a unit: "one of
// them" and "two reasons" measure nothing.
func wordNumber(word, next string) (number, bool) {
	value, ok := 0.0, false
	for part := range strings.SplitSeq(strings.ToLower(word), "-") {
		x, known := numberWords[part]
		if !known {
			return number{}, false
		}
		value, ok = value+x, true
	}
	if !ok || value < 11 && !unitWords[next] {
		return number{}, false
	}
	if value >= 100 || numberWords[next] >= 100 { // "two hundred": not read, and so without support
		return number{text: word, strange: true}, true
	}
	return number{text: word, value: value}, true
}

var numberWords = map[string]float64{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
	"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
	"hundred": 100, "thousand": 1000, "million": 1e6, "billion": 1e9, "trillion": 1e12, "dozen": 12,
}

var unitWords = map[string]bool{
	"%": true, "percent": true, "per": true, "point": true, "points": true, "dollar": true, "dollars": true, "cent": true, "cents": true,
	"day": true, "days": true, "week": true, "weeks": true, "month": true, "months": true, "year": true, "years": true, "session": true, "sessions": true,
	"share": true, "shares": true, "contract": true, "contracts": true, "hundred": true, "thousand": true, "million": true, "billion": true, "trillion": true,
	"times": true, "standard": true, "deviations": true, "atr": true,
}
