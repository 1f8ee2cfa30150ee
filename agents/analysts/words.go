package analysts

import (
	"regexp"
	"strings"
	"unicode"
)

// wordNumber reads a number in words that ends at end, and says what is behind all of
// it. Small ones count only before a unit: "one of them" and "two reasons" measure
// nothing. Those that are put together in another way than "twenty-five" are not read.
func wordNumber(word string, runes []rune, end int) (n number, more int, ok bool) {
	lower := strings.ToLower(word)
	next, behind := nextWord(runes, end)
	if multiples[lower] || strings.HasSuffix(lower, "fold") && startsWithNumber(lower) {
		return number{text: word, strange: true}, end, true
	}
	if len(word) > 1 && word != "IV" && roman.MatchString(word) && (unitWords[next] || strings.HasPrefix(next, "%")) {
		return number{text: word, strange: true}, end, true
	}
	value := 0.0
	parts := strings.FieldsFunc(lower, isHyphen)
	for i, part := range parts {
		x, known := numberWords[part]
		if !known && i > 0 && (parted[part] || unitWords[part]) { // "two-thirds" is not read, "ten-day" is
			if parted[part] {
				return number{text: word, strange: true}, end, true
			}
			next, parts = part, parts[:i]
			break
		}
		if !known {
			return n, end, false
		}
		value += x
	}
	text := word
	if x, small := numberWords[next]; value >= 20 && value < 100 && int(value)%10 == 0 && len(parts) == 1 && small && x > 0 && x < 10 {
		value, text = value+x, word+" "+next
		end = behind
		next, behind = nextWord(runes, end)
	}
	switch {
	case value < 11 && !unitWords[next] && !(value > 1 && countWords[next]) && !strings.HasPrefix(next, "%") && !parted[next]:
		return n, end, false
	case value >= 100, numberWords[next] >= 100, parted[next] && value < 11, next == "point" && isNumberWord(runes, behind):
		// "two hundred", "two thirds", "five point two": not read, and so without support
		return number{text: text, strange: true}, end, true
	}
	return number{text: text, value: value}, end, true
}

// nextWord is the word behind a place, and what is behind it.
func nextWord(runes []rune, i int) (word string, end int) {
	for i < len(runes) && (runes[i] == ' ' || isHyphen(runes[i])) {
		i++
	}
	end = i
	for end < len(runes) && (unicode.IsLetter(runes[end]) || runes[end] == '%') {
		end++
	}
	return strings.ToLower(string(runes[i:end])), end
}

func isNumberWord(runes []rune, i int) bool {
	word, _ := nextWord(runes, i)
	_, ok := numberWords[word]
	return ok
}

func startsWithNumber(word string) bool {
	for w := range numberWords {
		if strings.HasPrefix(word, w) {
			return true
		}
	}
	return false
}

// roman are numerals that are no other words: the longest are years.
var roman = regexp.MustCompile(`^M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})$`)

var numberWords = map[string]float64{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
	"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
	"hundred": 100, "thousand": 1000, "million": 1e6, "billion": 1e9, "trillion": 1e12, "dozen": 12,
}

// multiples say how often without a number.
var multiples = map[string]bool{
	"doubled": true, "tripled": true, "trebled": true, "quadrupled": true, "halved": true, "thrice": true, "hundreds": true, "thousands": true, "millions": true, "billions": true,
}

// parted are the parts of fractions in words.
var parted = map[string]bool{
	"half": true, "halves": true, "third": true, "thirds": true, "quarters": true, "fourths": true, "fifth": true, "fifths": true, "sixths": true, "eighths": true, "tenth": true, "tenths": true, "hundredths": true,
}

var unitWords = map[string]bool{
	"%": true, "percent": true, "pct": true, "per": true, "point": true, "points": true, "dollar": true, "dollars": true, "cent": true, "cents": true,
	"day": true, "days": true, "week": true, "weeks": true, "month": true, "months": true, "year": true, "years": true, "session": true, "sessions": true,
	"share": true, "shares": true, "contract": true, "contracts": true, "hundred": true, "thousand": true, "million": true, "billion": true, "trillion": true,
	"times": true, "standard": true, "deviations": true, "atr": true, "bars": true, "hours": true, "minutes": true, "lots": true, "basis": true,
}

// countWords count what is traded: more than one of them is a number.
var countWords = map[string]bool{"put": true, "puts": true, "call": true, "calls": true, "options": true, "strikes": true, "spreads": true, "positions": true, "underlyings": true}
