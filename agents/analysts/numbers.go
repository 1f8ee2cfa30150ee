package analysts

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A number is one as it stands in a text.
type number struct {
	text    string
	value   float64
	places  int    // digits after the point; negative for thousands and more
	signed  bool   // with a + or - before it that is no hyphen
	percent bool   // with a percent sign or the word behind it
	strange bool   // in a form that is not read
	day     string // a date such as 2026-09-15, a day such as -09-15, a time such as 15:04
}

// numbers finds the numbers of a text.
func numbers(text string) []number {
	var out []number
	runes := []rune(text)
	for i := 0; i < len(runes); {
		c := runes[i]
		if n, end, ok := readDay(runes, i); ok {
			out, i = append(out, n), end
			continue
		}
		switch {
		case isDigit(c) || c == '.' && i+1 < len(runes) && isDigit(runes[i+1]) && (i == 0 || !isDigit(runes[i-1])):
			n, end := readNumber(runes, i)
			out, i = append(out, n), end
		case c > unicode.MaxASCII && unicode.IsNumber(c):
			out = append(out, number{text: string(c), strange: true})
			i++
		case unicode.IsLetter(c):
			end := wordEnd(runes, i)
			word := string(runes[i:end])
			n, more, ok := wordNumber(word, runes, end)
			if ok {
				n.percent = isPercent(runes, more)
				n.sign(runes, i)
				out, end = append(out, n), more
			}
			i = end
		default:
			i++
		}
	}
	return out
}

func isDigit(c rune) bool { return c >= '0' && c <= '9' }

// wordEnd is behind the letters from i on, hyphens between letters included.
func wordEnd(runes []rune, i int) int {
	for i < len(runes) && (unicode.IsLetter(runes[i]) || isHyphen(runes[i]) && i+1 < len(runes) && unicode.IsLetter(runes[i+1])) {
		i++
	}
	return i
}

func isHyphen(c rune) bool { return c == '-' || c == '\u2010' || c == '\u2011' }

// The forms of days and times. What is behind them must not go on with digits.
var (
	isoDay    = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})(?:$|[^\d])`)
	clockTime = regexp.MustCompile(`^(\d{1,2}:\d{2})(?::\d{2})?(?:$|[^\d:])`)
	monthDay  = regexp.MustCompile(`^([A-Za-z]+)\.? +(\d{1,2})(?:st|nd|rd|th)?(?:,? +(\d{4}))?(?:$|[^\d.%])`)
	dayMonth  = regexp.MustCompile(`^(\d{1,2})(?:st|nd|rd|th)?(?: +of)? +([A-Za-z]+)\.?(?:,? +(\d{4}))?(?:$|[^\d%])`)
	slashed   = regexp.MustCompile(`^\d{1,4}(?:/\d{1,4})+`)
	power     = regexp.MustCompile(`^[\d.,]+ ?(?:\^|\*\*) ?[-+]?\d+`)
	grouped   = regexp.MustCompile(`^\d{1,3}(?:['’_\x{a0}\x{2009}\x{202f} ]\d{3})+(?:$|[^\d])`)
)

// longestDay bounds what the forms look at.
const longestDay = 32

// readDay reads a date or a time of day that begins at i.
func readDay(runes []rune, i int) (n number, end int, ok bool) {
	c := runes[i]
	if i > 0 && (isDigit(runes[i-1]) || unicode.IsLetter(runes[i-1])) || !isDigit(c) && !(c <= unicode.MaxASCII && unicode.IsLetter(c)) {
		return n, i, false
	}
	s := string(runes[i:min(i+longestDay, len(runes))])
	take := func(text, day string) (number, int, bool) {
		return number{text: text, day: day}, i + len([]rune(text)), true
	}
	if m := isoDay.FindStringSubmatch(s); m != nil {
		if _, err := time.Parse(time.DateOnly, m[1]); err == nil {
			return take(m[1], m[1])
		}
	}
	if m := clockTime.FindStringSubmatch(s); m != nil {
		return take(m[1], fmt.Sprintf("%05s", m[1]))
	}
	var month, day, year, whole string
	if m := monthDay.FindStringSubmatchIndex(s); m != nil {
		month, day, whole = s[m[2]:m[3]], s[m[4]:m[5]], s[:m[5]]
		if m[6] >= 0 {
			year, whole = s[m[6]:m[7]], s[:m[7]]
		}
	} else if m := dayMonth.FindStringSubmatchIndex(s); m != nil {
		day, month, whole = s[m[2]:m[3]], s[m[4]:m[5]], s[:m[5]]
		if m[6] >= 0 {
			year, whole = s[m[6]:m[7]], s[:m[7]]
		}
	}
	which, known := monthOf(month)
	if !known {
		return n, i, false
	}
	of, err := strconv.Atoi(day)
	if err != nil || of < 1 || of > 31 {
		return n, i, false
	}
	return take(whole, fmt.Sprintf("%s-%02d-%02d", year, which, of))
}

// monthOf reads a month's name. Those that are other words as well count with a
// capital only.
func monthOf(word string) (int, bool) {
	if len(word) < 3 {
		return 0, false
	}
	if lower := strings.ToLower(word); word == lower && slices.Contains([]string{"may", "march", "mar", "sep", "dec", "jan"}, lower) {
		return 0, false
	}
	for m := time.January; m <= time.December; m++ {
		name := m.String()
		if strings.EqualFold(word, name) || strings.EqualFold(word, name[:3]) || m == time.September && strings.EqualFold(word, "Sept") {
			return int(m), true
		}
	}
	return 0, false
}

// readNumber reads a number in digits and returns what is behind it.
func readNumber(runes []rune, start int) (number, int) {
	ahead := string(runes[start:min(start+longestDay, len(runes))])
	for _, form := range []*regexp.Regexp{power, slashed} {
		if odd := form.FindString(ahead); odd != "" {
			return number{text: odd, strange: true}, start + len([]rune(odd))
		}
	}
	end := numberEnd(runes, start)
	n := number{}
	digits := string(runes[start:end])
	if m := grouped.FindString(ahead); m != "" {
		text := strings.TrimRightFunc(m, func(c rune) bool { return !isDigit(c) })
		if len([]rune(text)) > end-start {
			end = start + len([]rune(text))
			digits = strings.Map(func(c rune) rune {
				if isDigit(c) {
					return c
				}
				return -1
			}, text)
		}
	}
	n.text = string(runes[start:end])
	// A comma between digits that groups no thousands is a decimal comma, or hides one.
	if end+1 < len(runes) && (runes[end] == ',' || runes[end] == '٫') && isDigit(runes[end+1]) {
		more := numberEnd(runes, end+1)
		return number{text: string(runes[start:more]), strange: true}, more
	}
	plain := strings.ReplaceAll(digits, ",", "")
	value, err := strconv.ParseFloat(plain, 64)
	if err != nil || len(plain) > 30 {
		n.strange = true
		return n, end
	}
	n.value = value
	if point := strings.IndexByte(plain, '.'); point >= 0 {
		n.places = len(plain) - point - 1
	}
	end = n.scale(runes, end)
	n.percent = isPercent(runes, end)
	n.sign(runes, start)
	return n, end
}

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

// scale reads what makes of digits another number: 1e9, 3k, 2bn, 5 million.
func (n *number) scale(runes []rune, end int) int {
	last := wordEnd(runes, end)
	letters := strings.ToLower(string(runes[end:last]))
	at := last
	if letters == "" && end < len(runes) && runes[end] == ' ' {
		at = wordEnd(runes, end+1)
		letters = strings.ToLower(string(runes[end+1 : at]))
		if len(letters) < 4 { // "5 m" may be metres, and "a" an article
			letters = ""
		}
	}
	by, ok := scales[letters]
	switch {
	case ok:
		n.text += string(runes[end:at])
		n.value *= by
		n.places -= int(math.Round(math.Log10(by)))
		n.strange = n.value == 0
		return at
	case letters == "e" && last < len(runes) && (isDigit(runes[last]) || last+1 < len(runes) && (runes[last] == '-' || runes[last] == '+') && isDigit(runes[last+1])):
		stop := last + 1
		for stop < len(runes) && isDigit(runes[stop]) {
			stop++
		}
		n.text, n.strange = n.text+string(runes[end:stop]), true
		return stop
	case strings.HasSuffix(letters, "fold") && last > end:
		n.text, n.strange = n.text+letters, true
		return last
	}
	return end
}

var scales = map[string]float64{
	"k": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9, "t": 1e12, "tn": 1e12,
	"hundred": 100, "thousand": 1e3, "million": 1e6, "millions": 1e6, "billion": 1e9, "billions": 1e9, "trillion": 1e12,
}

// sign reads a sign before a number: one that is no hyphen, before a sign of money
// too, or the word.
func (n *number) sign(runes []rune, start int) {
	at := start - 1
	if at >= 0 && unicode.Is(unicode.Sc, runes[at]) {
		at--
	}
	if at < 0 {
		return
	}
	before := runes[at]
	alone := at == 0 || !unicode.IsLetter(runes[at-1]) && !isDigit(runes[at-1]) && runes[at-1] != ')' && runes[at-1] != '%'
	switch {
	case strings.ContainsRune("-−–‐‑﹣－", before) && alone:
		n.value, n.signed, n.text = -n.value, true, string(runes[at:start])+n.text
	case (before == '+' || before == '＋') && alone:
		n.signed, n.text = true, string(runes[at:start])+n.text
	case before == ' ':
		from := at
		for from > 0 && unicode.IsLetter(runes[from-1]) {
			from--
		}
		switch strings.ToLower(string(runes[from:at])) {
		case "minus", "negative":
			n.value, n.signed, n.text = -n.value, true, string(runes[from:start])+n.text
		case "plus":
			n.signed, n.text = true, string(runes[from:start])+n.text
		}
	}
}

// isPercent tells whether a percent sign, or the word, stands at i.
func isPercent(runes []rune, i int) bool {
	for i < len(runes) && (runes[i] == ' ' || runes[i] == '\u00a0' || runes[i] == '\u202f' || isHyphen(runes[i])) {
		i++
	}
	if i < len(runes) && strings.ContainsRune("%％﹪٪", runes[i]) {
		return true
	}
	word := strings.ToLower(string(runes[i:wordEnd(runes, i)]))
	return word == "percent" || word == "pct" || word == "per" && strings.HasPrefix(strings.ToLower(string(runes[i:min(i+8, len(runes))])), "per cent")
}
