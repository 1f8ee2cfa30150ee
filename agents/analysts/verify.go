package analysts

import (
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Unsupported returns the numbers of a text that do not stand in the evidence, as they
// stand in the text, in its order. A number stands in the evidence when it is a value,
// or in a name or text, of one of the pieces, rounded to as many places as the text
// writes, as long as one digit of it is left. How a value was computed is no
// support: a method's constants measure nothing. A number with a percent sign is held
// against fractions in percent and against percents in texts, never against a
// fraction as it is. A sign that is written must be right, and so must a date, in
// digits or with the month's name. More are other texts that count, such as the
// description of a candidate.
//
// Numbers in words count from eleven on, and smaller ones before a unit ("two
// percent"). What is written in a form that is not read never has support: digits of
// other scripts, Roman numerals before a unit, fractions, powers, decimal commas.
// Ids of the evidence may be named. An empty result says that a text invents no
// number, not that it is true.
func Unsupported(text string, evidence []Evidence, more ...string) []string {
	var known facts
	for _, e := range evidence {
		if !e.Known() {
			continue
		}
		known.add(float64(e.Value), e.Unit)
		if e.Amount != nil {
			known.exact = append(known.exact, *e.Amount)
		}
		if e.DistanceATR != nil && e.DistanceATR.Known() {
			known.add(float64(*e.DistanceATR), UnitATR)
		}
		for _, s := range []string{e.Name, e.Text, e.At.Format("2006-01-02 15:04")} {
			known.read(s)
		}
	}
	for _, s := range more {
		known.read(s)
	}
	var missing []string
	for _, n := range numbers(withoutIDs(text, evidence)) {
		if !known.has(n) {
			missing = append(missing, n.text)
		}
	}
	return missing
}

// withoutIDs blanks the ids of evidence, some of which have digits.
func withoutIDs(text string, evidence []Evidence) string {
	for _, e := range evidence {
		if e.ID == "" || !strings.Contains(text, e.ID) {
			continue
		}
		var b strings.Builder
		rest := text
		for {
			before, after, found := strings.Cut(rest, e.ID)
			b.WriteString(before)
			if !found {
				break
			}
			if whole := (before == "" || !inID(before[len(before)-1])) && (after == "" || !inID(after[0]) || after[0] == '.' && (len(after) == 1 || !inID(after[1]))); whole {
				b.WriteByte(' ')
			} else {
				b.WriteString(e.ID)
			}
			rest = after
		}
		text = b.String()
	}
	return text
}

func inID(c byte) bool {
	return c == '.' || c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// facts are the numbers that have support.
type facts struct {
	values   []float64
	percents []float64
	exact    []decimal.Decimal
	days     []string // dates, and times of day
}

func (f *facts) add(x float64, unit string) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return
	}
	f.values = append(f.values, x)
	switch unit {
	case UnitFraction, UnitPerYear, UnitRatio, "":
		f.percents = append(f.percents, 100*x)
	}
}

func (f *facts) read(s string) {
	for _, n := range numbers(s) {
		switch {
		case n.strange:
		case n.day != "":
			f.days = append(f.days, n.day)
		case n.percent:
			f.percents = append(f.percents, n.value)
		default:
			f.values = append(f.values, n.value)
		}
	}
}

func (f *facts) has(n number) bool {
	switch {
	case n.strange:
		return false
	case n.day != "":
		return slices.ContainsFunc(f.days, func(known string) bool {
			return known == n.day || strings.HasPrefix(n.day, "-") && strings.HasSuffix(known, n.day)
		})
	case slices.ContainsFunc(f.percents, n.near):
		return true
	case n.percent:
		return false
	}
	return slices.ContainsFunc(f.values, n.near) || slices.ContainsFunc(f.exact, func(x decimal.Decimal) bool { return n.near(x.InexactFloat64()) })
}

// near tells whether a number is x, or x rounded so that at least a digit is left.
func (n number) near(x float64) bool {
	value := n.value
	if !n.signed {
		x, value = math.Abs(x), math.Abs(value)
	}
	off := math.Abs(x - value)
	tiny := 1e-9 * max(1, math.Abs(value))
	half := 0.5 * math.Pow(10, -float64(n.places))
	return off <= tiny || off <= half+tiny && half <= 0.5*math.Abs(x)+tiny
}
