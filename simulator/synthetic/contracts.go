package synthetic

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A contract is one month of a product.
type contract struct {
	symbol market.Symbol
	month  market.Date // its first day
	listed market.Date // first trade date
	roll   market.Date // first trade date on which the next contract is the active one
	last   market.Date // last trade date
	ends   time.Time   // of trading
}

// makeContracts computes every contract of the product, in order of month.
func (f *future) makeContracts() []contract {
	from, to := span()
	var all []contract
	for year := from.Year; year <= to.Year+3; year++ {
		for i := range f.months {
			month := market.Date{Year: year, Month: time.Month(strings.IndexByte(monthly, f.months[i]) + 1), Day: 1}
			c := contract{symbol: f.symbolOf(month), month: month, listed: from}
			c.last, c.ends = f.market.lastTrading(f.ends, month)
			if c.last.Before(from) {
				continue
			}
			c.roll = f.market.sessionBefore(c.last, f.roll)
			if n := len(all) - f.ahead; n >= 0 {
				c.listed = all[n].last.AddDays(1)
			}
			all = append(all, c)
		}
	}
	return all
}

// symbolOf names a contract as tastytrade does: /ESZ6, one digit for the year.
func (f *future) symbolOf(month market.Date) market.Symbol {
	return market.Symbol("/" + f.code + monthCode(month))
}

// monthCode is the letter of a month and the last digit of its year.
func monthCode(d market.Date) string {
	return monthly[d.Month-1:d.Month] + strconv.Itoa(d.Year%10)
}

// active returns the contract that most trade on a date: the first that has
// not rolled.
func (f *future) active(d market.Date) int {
	all := f.contracts()
	return min(len(all)-1, sort.Search(len(all), func(i int) bool { return all[i].roll.After(d) }))
}

// live returns the listed contracts that still trade at t, nearest first.
func (f *future) live(t time.Time) []contract {
	all := f.contracts()
	date := f.tradeDate(t)
	from := sort.Search(len(all), func(i int) bool { return all[i].ends.After(t) })
	to := sort.Search(len(all), func(i int) bool { return all[i].listed.After(date) })
	return all[from:max(from, to)]
}

// tradeDate is the date that the evening's trading belongs to: the next one
// from 18:00.
func (f *future) tradeDate(t time.Time) market.Date {
	return f.market.dateOf(t.Add(6 * time.Hour))
}

// share is the part of the product's volume that contract n has on the date of
// a session: nearly all of it goes over to the next one around the roll.
func (f *future) share(n int, date market.Date) float64 {
	front := f.active(date)
	all := f.contracts()
	passing := func(sessions int) float64 { return 0.45 * pow(0.4, sessions-1) }
	gone := 0.02 + passing(f.market.sessionsBetween(date, all[front].roll))
	switch behind := n - front; {
	case behind == 0:
		return 0.96 - gone
	case behind == 1:
		return gone
	case behind > 1:
		return 0.04 * pow(0.4, behind-1)
	}
	return 0.5 * passing(1+f.market.sessionsBetween(all[n].roll, date)) * pow(0.1, front-n-1)
}

// pow is x to a small whole power.
func pow(x float64, n int) float64 {
	p := 1.0
	for range min(n, 40) {
		p *= x
	}
	return p
}

// contractOf finds the contract that a symbol means at t: "/ES" is the active
// one, of "/ESZ6" (or "/ESZ26") the one whose end is nearest to t.
func (m *Market) contractOf(s market.Symbol, t time.Time) (*future, int, error) {
	unknown := fmt.Errorf("synthetic: future %q: %w", string(s), market.ErrUnknownSymbol)
	text, isFuture := strings.CutPrefix(string(s), "/")
	if !isFuture {
		return nil, 0, unknown
	}
	if f := m.futures[text]; f != nil && m.listed["/"+market.Symbol(text)] {
		return f, f.active(f.tradeDate(t)), nil
	}
	letters := strings.TrimRight(text, "0123456789")
	digits := text[len(letters):]
	if len(letters) < 2 || len(digits) < 1 || len(digits) > 2 {
		return nil, 0, unknown
	}
	code, month := letters[:len(letters)-1], letters[len(letters)-1:]
	f := m.futures[code]
	if f == nil || !m.listed["/"+market.Symbol(code)] {
		return nil, 0, unknown
	}
	best, distance := -1, time.Duration(0)
	for i, c := range f.contracts() {
		year := fmt.Sprintf("%02d", c.month.Year%100)
		if monthCode(c.month)[:1] != month || !strings.HasSuffix(year, digits) {
			continue
		}
		if d := c.ends.Sub(t).Abs(); best < 0 || d < distance {
			best, distance = i, d
		}
	}
	if best < 0 {
		return nil, 0, unknown
	}
	return f, best, nil
}

// lastTrading applies a rule for the end of a contract's trading.
func (m *Market) lastTrading(rule lastDay, month market.Date) (market.Date, time.Time) {
	loc := m.calendar.Location()
	at := func(d market.Date, hour, minute int) (market.Date, time.Time) { return d, d.At(hour, minute, loc) }
	previous := market.DateOf(time.Date(month.Year, month.Month-1, 1, 0, 0, 0, 0, time.UTC))
	end := market.DateOf(time.Date(month.Year, month.Month+1, 0, 0, 0, 0, 0, time.UTC)) // of the month
	switch rule {
	case crude:
		day := market.Date{Year: previous.Year, Month: previous.Month, Day: 25}
		n := 3
		if !m.trades(day) {
			n = 4
		}
		return at(m.sessionBefore(day, n), 14, 30)
	case gas:
		return at(m.sessionBefore(month, 3), 14, 30)
	case metal:
		return at(m.sessionBefore(m.back(end), 2), 13, 30)
	case bond:
		return at(m.sessionBefore(m.back(end), 7), 13, 1)
	case currencyDate:
		return at(m.sessionBefore(weekday(month, time.Wednesday, 3), 2), 10, 16)
	}
	return at(m.back(weekday(month, time.Friday, 3)), 9, 30)
}

// weekday returns the n-th given weekday of the month that d is in.
func weekday(d market.Date, w time.Weekday, n int) market.Date {
	first := market.Date{Year: d.Year, Month: d.Month, Day: 1}
	return first.AddDays((int(w)-int(first.Weekday())+7)%7 + 7*(n-1))
}

// trades reports whether d is a session.
func (m *Market) trades(d market.Date) bool {
	_, ok := m.calendar.Session(d)
	return ok
}

// back returns the last session on or before d: options expire on the Thursday
// when the Friday is a holiday.
func (m *Market) back(d market.Date) market.Date {
	for range 10 {
		if m.trades(d) {
			break
		}
		d = d.AddDays(-1)
	}
	return d
}

// sessionBefore returns the n-th session before d; d itself for n = 0.
func (m *Market) sessionBefore(d market.Date, n int) market.Date {
	for ; n > 0; n-- {
		d = m.back(d.AddDays(-1))
	}
	return d
}

// sessionsBetween counts the sessions from a up to the one before b.
func (m *Market) sessionsBetween(a, b market.Date) int {
	if days := a.DaysUntil(b); days > 60 {
		return days * 5 / 7 // far enough for a rough count
	}
	n := 0
	for d := a; d.Before(b); d = d.AddDays(1) {
		if m.trades(d) {
			n++
		}
	}
	return n
}
