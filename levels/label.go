package levels

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A label says where a level comes from. It is put into words only when
// someone asks for the level.
type label struct {
	form  labelForm
	name  string // "R1"
	span  string // "week of 2024-03-04"
	extra string
	a, b  time.Time
	x, y  float64
	n, m  int32
}

type labelForm int8

const (
	labelPlain   labelForm = iota // name as it is
	labelMembers                  // n swing highs and m swing lows from a to b
	labelSpan                     // name of the span (extra)
	labelRatio                    // x % name of the leg from a (y) to b (extra)
	labelBetween                  // kind between a and b
	labelCount                    // name n of extra
)

// text puts the label of a level of the kind into words; daily bars are named
// by their date alone.
func (l *label) text(kind Kind, daily bool) string {
	switch l.form {
	case labelMembers:
		return fmt.Sprintf("%s and %s from %s to %s", plural(int(l.n), "swing high"), plural(int(l.m), "swing low"), stamp(l.a, daily), stamp(l.b, daily))
	case labelSpan:
		text := l.name + " of the " + l.span
		if l.extra != "" {
			text += " (" + l.extra + ")"
		}
		return text
	case labelRatio:
		return fmt.Sprintf("%s %% %s of the leg from %s (%s) to %s (%s)", strconv.FormatFloat(100*l.x, 'g', 6, 64), l.name, stamp(l.a, daily), short(l.y), stamp(l.b, daily), l.extra)
	case labelBetween:
		text := l.name
		if text == "" {
			text = string(kind)
		}
		return text + " between " + stamp(l.a, daily) + " and " + stamp(l.b, daily)
	}
	return l.name
}

// stamp writes the time of a bar for people: the date of a daily or longer
// bar, with the time of day for a shorter one.
func stamp(t time.Time, daily bool) string {
	if !daily {
		return t.Format("2006-01-02 15:04")
	}
	return dateOf(t, nil).String()
}

// dateOf is the trading date of a bar: the one in zone, or the date as it
// stands when the time is a midnight, which is how dates without a zone are kept.
func dateOf(t time.Time, zone *time.Location) market.Date {
	if zone == nil || midnight(t) {
		return market.DateOf(t)
	}
	return market.DateOf(t.In(zone))
}

func midnight(t time.Time) bool {
	hour, minute, second := t.Clock()
	return hour == 0 && minute == 0 && second == 0 && t.Nanosecond() == 0
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// short writes a price with up to six significant digits, for people.
func short(x float64) string {
	if math.Abs(x) >= 1000 {
		return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}
