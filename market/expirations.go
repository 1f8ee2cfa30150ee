package market

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Cycle is a series of expirations. It is an open set.
type Cycle string

// The cycles, in the order in which they name a date that belongs to several.
const (
	CycleMonthly    Cycle = "monthly"      // third Friday; VIX: a Wednesday
	CycleQuarterly  Cycle = "quarterly"    // last session of a quarter; futures: third Friday of its last month
	CycleEndOfMonth Cycle = "end of month" // last session of a month
	CycleWeekly     Cycle = "weekly"       // the other Fridays; VIX: Wednesdays
	CycleDaily      Cycle = "daily"        // Monday to Thursday
)

var cycleOrder = []Cycle{CycleMonthly, CycleQuarterly, CycleEndOfMonth, CycleWeekly, CycleDaily}

// An ExpirationDay is a date on which options, or futures, of a root expire.
type ExpirationDay struct {
	Date       Date
	Root       string // "SPX" or "SPXW"; for futures the product, "ES"
	Cycle      Cycle
	Settlement Settlement
	// LastTrading is the last trade date: Date itself, or the session before it
	// for index options that settle at the opening.
	LastTrading Date
	// Formal is the date that the contracts' symbols carry: Date, and for
	// monthly options until January 2015 the Saturday after the third Friday.
	Formal Date
	// Moved says which holiday keeps the expiration from its usual weekday; ""
	// when nothing does.
	Moved string
}

// longestExpirations bounds one call of ExpirationDays.
const longestExpirations = 100 * 366

// ExpirationDays returns the dates in [from, to] on which the options of an
// underlying can expire, ascending, then by root: those of SPX, XSP, NDX, RUT,
// VIX and the ETFs with an expiration on every weekday by their own rules, every
// other symbol with monthly options and Friday weeklies. For CME's equity-index
// futures (/ES, /NQ …) and /VX it returns the futures' own last days.
//
// It is the exchanges' rules, not a listing: which of the dates have contracts
// on a given day, only the broker's chain knows; many shares have no weeklies,
// and a closure announced late moves contracts as the exchange then decides.
//
// A date without a session moves to the session before it; a Monday one moves
// to the Tuesday. VIX expires 30 days before the third Friday of the following
// month (its weeklies: before a Friday), on a Wednesday, and on the session
// before when that Wednesday or that Friday is a holiday.
//
// Nil means the calendar [NYSE]. Errors are *[FieldError]; [ErrUnsupported] for
// other futures and for crypto.
func ExpirationDays(underlying Symbol, from, to Date, cal *Calendar) ([]ExpirationDay, error) {
	if cal == nil {
		cal = NYSE()
	}
	switch {
	case underlying == "":
		return nil, invalid.Missing("underlying", "a symbol such as SPX, SPY or /ES")
	case clampDate(from) != from || DateOf(from.In(time.UTC)) != from:
		return nil, invalid.Fieldf("from", from.String(), "a date from %d to %d", firstYear, lastYear)
	case clampDate(to) != to || DateOf(to.In(time.UTC)) != to || to.Before(from) || from.DaysUntil(to) > longestExpirations:
		return nil, invalid.Fieldf("to", to.String(), "a date from %s, at most a hundred years later", from)
	}
	rules, err := expirationRules(underlying)
	if err != nil {
		return nil, err
	}
	found := map[[2]any]ExpirationDay{}
	for _, rule := range rules {
		// A date moves by a few days at most, and VIX looks a month ahead.
		for d := rule.first(from.AddDays(-7)); !d.After(to.AddDays(7)); d = rule.next(d) {
			day, ok := rule.expire(d, cal)
			if !ok || day.Date.Before(from) || day.Date.After(to) || day.Date.Before(rule.since) {
				continue
			}
			key := [2]any{day.Date, day.Root}
			if other, twice := found[key]; !twice || day.before(other) {
				found[key] = day
			}
		}
	}
	days := make([]ExpirationDay, 0, len(found))
	for _, day := range found {
		days = append(days, day)
	}
	slices.SortFunc(days, func(a, b ExpirationDay) int {
		return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.Root, b.Root))
	})
	return days, nil
}

// before reports whether a date that two cycles share is named by d rather
// than by other: by the cycle, then by the one on its usual day.
func (d ExpirationDay) before(other ExpirationDay) bool {
	a, b := slices.Index(cycleOrder, d.Cycle), slices.Index(cycleOrder, other.Cycle)
	return a < b || a == b && d.Moved == "" && other.Moved != ""
}

// MonthlyExpiration returns the last day of a month's standard equity and SPX
// options: the third Friday, or the session before it. Nil means the calendar
// [NYSE].
func MonthlyExpiration(year int, month time.Month, cal *Calendar) Date {
	if cal == nil {
		cal = NYSE()
	}
	d, _ := cal.sessionBefore(nthWeekday(year, month, time.Friday, 3))
	return d
}

// VIXExpiration returns the expiration of a month's standard VIX options and
// futures: see [ExpirationDays]. Nil means the calendar [NYSE].
func VIXExpiration(year int, month time.Month, cal *Calendar) Date {
	if cal == nil {
		cal = NYSE()
	}
	d, _ := cal.volatilityDate(nthWeekday(year, month+1, time.Friday, 3))
	return d
}

// volatilityDate returns the expiration of VIX products that look at the SPX
// options of a Friday: 30 days before it.
func (c *Calendar) volatilityDate(friday Date) (d Date, moved string) {
	wednesday := friday.AddDays(-30)
	if reason, closed := c.modernHoliday(friday); closed {
		d, _ := c.sessionBefore(wednesday.AddDays(-1))
		return d, reason
	}
	return c.sessionBefore(wednesday)
}

// sessionBefore returns d when it has a session, and otherwise the last date
// before that has one, with the holiday's name.
func (c *Calendar) sessionBefore(d Date) (Date, string) { return c.sessionFrom(d, -1) }

func (c *Calendar) sessionFrom(d Date, step int) (Date, string) {
	reason, _ := c.modernHoliday(d)
	for i := range reach {
		if day := d.AddDays(step * i); day.Weekday() != time.Saturday {
			if _, ok := c.Session(day); ok {
				return day, reason
			}
		}
	}
	return d, reason
}

// An expirationRule is one cycle of one root.
type expirationRule struct {
	root       string
	cycle      Cycle
	settlement Settlement
	weekday    time.Weekday // of weekly and daily ones
	volatility bool         // counted from a Friday 30 days later
	future     bool         // trades until the morning it settles
	since      Date         // zero: always
	third      Date         // from when weekly ones are on third Fridays too
}

// first returns the usual date of the rule's cycle at or after d; next the one
// after it. Both are before any holiday is looked at.
func (r expirationRule) first(d Date) Date {
	switch {
	case r.cycle == CycleWeekly || r.cycle == CycleDaily:
		return d.AddDays((int(r.weekday) - int(d.Weekday()) + 7) % 7)
	default:
		usual := r.inMonth(d.Year, d.Month)
		if usual.Before(d) {
			return r.next(usual)
		}
		return usual
	}
}

func (r expirationRule) next(d Date) Date {
	if r.cycle == CycleWeekly || r.cycle == CycleDaily {
		return d.AddDays(7)
	}
	after := DateOf(time.Date(d.Year, d.Month+1, 1, 0, 0, 0, 0, time.UTC))
	return r.inMonth(after.Year, after.Month)
}

// inMonth returns the usual date in a month, a VIX Wednesday included, which
// always lies in its month.
func (r expirationRule) inMonth(y int, m time.Month) Date {
	switch {
	case r.volatility:
		return nthWeekday(y, m+1, time.Friday, 3).AddDays(-30)
	case r.cycle == CycleMonthly || r.future:
		return nthWeekday(y, m, time.Friday, 3)
	}
	last := date(y, m+1, 1).AddDays(-1)
	for last.Weekday() == time.Saturday || last.Weekday() == time.Sunday {
		last = last.AddDays(-1)
	}
	return last
}

// expire returns the expiration whose usual date is d.
func (r expirationRule) expire(d Date, cal *Calendar) (ExpirationDay, bool) {
	friday := d.AddDays(30) // that a VIX Wednesday looks at
	switch {
	case r.cycle == CycleQuarterly && d.Month%3 != 0:
		return ExpirationDay{}, false
	case r.volatility && r.cycle == CycleWeekly && friday == nthWeekday(friday.Year, friday.Month, time.Friday, 3):
		return ExpirationDay{}, false // the monthly one
	case r.cycle == CycleWeekly && d.Before(r.third) && d == nthWeekday(d.Year, d.Month, time.Friday, 3):
		return ExpirationDay{}, false
	}
	day := ExpirationDay{Root: r.root, Cycle: r.cycle, Settlement: r.settlement}
	switch {
	case r.volatility:
		day.Date, day.Moved = cal.volatilityDate(friday)
	case r.cycle == CycleDaily && r.weekday == time.Monday:
		day.Date, day.Moved = cal.sessionFrom(d, +1)
	default:
		day.Date, day.Moved = cal.sessionBefore(d)
	}
	day.LastTrading, day.Formal = day.Date, day.Date
	if r.settlement == SettledAM && !r.future {
		day.LastTrading, _ = cal.sessionBefore(day.Date.AddDays(-1))
	}
	if r.cycle == CycleMonthly && !r.volatility && !r.future && d.Before(date(2015, time.February, 1)) {
		day.Formal = d.AddDays(1)
	}
	return day, true
}

// expirationRules returns the rules of an underlying.
func expirationRules(underlying Symbol) ([]expirationRule, error) {
	kind := underlying.Kind()
	root := optionRoot(underlying)
	switch kind {
	case KindFuture:
		product := FutureRoot(underlying)
		switch {
		case cmeEquityIndexRoots[product]:
			return []expirationRule{{root: product, cycle: CycleQuarterly, settlement: SettledAM, future: true}}, nil
		case product == "VX":
			return []expirationRule{{root: product, cycle: CycleMonthly, settlement: SettledAM, volatility: true, future: true}}, nil
		}
		return nil, fmt.Errorf("market: expirations of %s: %w", underlying, ErrUnsupported)
	case KindCrypto, KindFutureOption:
		return nil, fmt.Errorf("market: expirations of %s: %w", underlying, ErrUnsupported)
	case KindOption:
		return nil, invalid.Field("underlying", string(underlying), "the underlying of options, not an option")
	}
	return optionRules(optionRoot(rootUnderlying(root))), nil
}
