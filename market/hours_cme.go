package market

import (
	"strings"
	"sync"
	"time"
)

// CMEEquityIndex returns the Globex hours of CME's equity-index futures and
// options (ES, NQ, RTY, YM and their micros), in New York time:
//
//   - a trade date runs from 18:00 of the evening before (Sunday for Monday) to
//     17:00, with the daily halt from 17:00 to 18:00;
//   - the hours of the stock exchange, 09:30 to 16:00, are its regular period,
//     what comes before is overnight, what follows is post;
//   - when shares close at 13:00, trading ends at 13:15;
//   - on holidays it halts at 13:00 (11:30 before May 2014) until 18:00, and all
//     of it belongs to the next trade date;
//   - Christmas and New Year's Day are closed until 18:00;
//   - Good Friday is closed, or, when it is the month's first Friday and the
//     employment report comes out, a trade date that ends at 09:15;
//   - national days of mourning end at 09:30.
//
// Known from 19 November 2012: to 18 September 2015 trading ended at 17:15, and
// to 25 June 2021 it paused from 16:15 to 16:30.
func CMEEquityIndex() *TradingHours { return cmeEquityIndex() }

var cmeEquityIndex = sync.OnceValue(func() *TradingHours {
	_, to := NYSE().Range()
	return &TradingHours{name: "CME equity index", from: date(2012, time.November, 19), to: to, day: cmeDay}
})

var cmeEquityIndexRoots = map[string]bool{
	"ES": true, "MES": true, "NQ": true, "MNQ": true, "RTY": true, "M2K": true, "YM": true, "MYM": true, "EMD": true, "SP": true,
}

// FutureRoot returns the product of a future or a future option: ES for /ESZ6
// and for "./ESZ6 E2AZ6 261218C5000"; "" for every other symbol. The year may
// have one or two digits.
func FutureRoot(s Symbol) string {
	text := strings.TrimPrefix(string(s), ".")
	text, ok := strings.CutPrefix(text, "/")
	if !ok {
		return ""
	}
	text, _, _ = strings.Cut(text, " ")
	end := len(text)
	for end > 0 && text[end-1] >= '0' && text[end-1] <= '9' {
		end--
	}
	if digits := len(text) - end; digits == 0 || digits > 2 {
		return text // a product as a whole, "/ES" or "/M2K"
	}
	if end < 2 || !strings.ContainsRune("FGHJKMNQUVXZ", rune(text[end-1])) {
		return text
	}
	return text[:end-1]
}

const (
	cmeOpen  = 18 * 60
	cmeClose = 17 * 60
)

// cmeKind is what a calendar day is for CME.
type cmeKind int

const (
	cmeNormal  cmeKind = iota // a trade date, perhaps with an early close
	cmeHalted                 // a holiday that trades until the halt, for the next trade date
	cmeClosed                 // a holiday without trading until the evening
	cmeWeekend                // no evening before it either
)

// cmeMourning are the trade dates that ended at 09:30 because the stock
// exchange stayed closed.
var cmeMourning = map[Date]bool{date(2018, time.December, 5): true, date(2025, time.January, 9): true}

// cmeKindOf returns the kind of a day, when it ends (minute of the day), and
// why it is not the usual.
func cmeKindOf(d Date) (kind cmeKind, end int, reason string) {
	if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
		return cmeWeekend, 0, ""
	}
	reason, holiday := NYSE().modernHoliday(d)
	switch {
	case !holiday:
		if s, _ := NYSE().Session(d); s.Early && s.Close.Hour() == 13 {
			return cmeNormal, 13*60 + 15, s.Reason
		}
		if !d.After(date(2015, time.September, 18)) {
			return cmeNormal, cmeClose + 15, ""
		}
		return cmeNormal, cmeClose, ""
	case cmeMourning[d]:
		return cmeNormal, 9*60 + 30, reason
	case reason == reasonGoodFriday && d.Day <= 7:
		return cmeNormal, 9*60 + 15, reason
	case reason == reasonGoodFriday, reason == reasonChristmas, reason == reasonNewYear, specialClosures[d] != "":
		return cmeClosed, 0, reason
	case d.Before(date(2014, time.May, 1)):
		return cmeHalted, 11*60 + 30, reason
	}
	return cmeHalted, 13 * 60, reason
}

func cmeDay(d Date) *TradingDay {
	if d.Year < firstYear || d.Year > lastYear {
		return nil
	}
	kind, end, reason := cmeKindOf(d)
	if kind != cmeNormal {
		return nil
	}
	day := &TradingDay{Date: d, Early: reason != "", Reason: reason}
	// Holidays before d, back to the previous trade date, trade for d.
	first := d
	for {
		before, _, _ := cmeKindOf(first.AddDays(-1))
		if before == cmeNormal {
			break
		}
		first = first.AddDays(-1)
	}
	for p := first; p != d; p = p.AddDays(1) {
		if kind, halt, _ := cmeKindOf(p); kind == cmeHalted {
			day.Periods = append(day.Periods, stretch(d, PhaseOvernight, p.AddDays(-1), cmeOpen, p, halt))
		}
	}
	const open, regularEnd = 9*60 + 30, 16 * 60
	day.Periods = append(day.Periods, stretch(d, PhaseOvernight, d.AddDays(-1), cmeOpen, d, min(open, end)))
	if end > open {
		day.Periods = append(day.Periods, stretch(d, PhaseRegular, d, open, d, min(regularEnd, end)))
	}
	switch {
	case end <= regularEnd:
	case d.After(date(2021, time.June, 25)):
		day.Periods = append(day.Periods, stretch(d, PhasePost, d, regularEnd, d, end))
	default:
		day.Periods = append(day.Periods,
			stretch(d, PhasePost, d, regularEnd, d, 16*60+15), stretch(d, PhasePost, d, 16*60+30, d, end))
	}
	return day
}
