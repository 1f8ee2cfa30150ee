package synthetic

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// A listing is the expirations and strikes of a symbol on one date. It grows
// with time and loses only what has expired: a contract that was listed once
// stays until then.
type listing struct {
	date        market.Date
	expirations []expiry
}

type expiry struct {
	market.Expiration
	expires time.Time
	window  int // days before the date on which it was listed
}

// How many days before its date an expiration is listed.
const (
	dailyWindow   = 15
	weeklyWindow  = 50
	monthWindow   = 100
	cycleWindow   = 280 // months of the March cycle
	quarterWindow = 380 // quarter ends, and every month, of the busiest
	longWindow    = 930 // January; June and December too of the busiest
)

// listing returns what is listed on the date of t in New York, expired or not.
func (k *track) listing(t time.Time) *listing {
	date := k.market.dateOf(t)
	if l := k.listed.Load(); l != nil && l.date == date {
		return l
	}
	l := &listing{date: date, expirations: k.expirations(date)}
	last := max(0, k.onDate(date)-1) // the session before, so that nothing changes within a day
	for i := range l.expirations {
		k.setStrikes(&l.expirations[i], date, last, k.sharesAt(t))
	}
	k.listed.Store(l)
	return l
}

func (k *track) class() class {
	if k.profile == nil {
		return share
	}
	return k.profile.class
}

// expirations lists the dates, without strikes, ordered by date, then root.
func (k *track) expirations(date market.Date) []expiry {
	c := k.class()
	busy := c == bigFund || c == index
	windows := map[market.Date]int{} // of contracts that settle at the close
	morning := map[market.Date]int{} // of standard index contracts
	add := func(to map[market.Date]int, d market.Date, window int) {
		if days := date.DaysUntil(d); days >= 0 && days <= window {
			to[d] = max(to[d], window)
		}
	}
	if busy {
		for n := range dailyWindow + 1 {
			if d := date.AddDays(n); k.market.trades(d) {
				add(windows, d, dailyWindow)
			}
		}
	}
	if c != smallShare {
		friday := date.AddDays((int(time.Friday) - int(date.Weekday()) + 7) % 7)
		for n := 0; n <= weeklyWindow; n += 7 {
			add(windows, k.market.back(friday.AddDays(n)), weeklyWindow)
		}
	}
	for n := range longWindow/30 + 2 {
		first := market.DateOf(time.Date(date.Year, date.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC))
		third := k.market.back(first.AddDays((int(time.Friday)-int(first.Weekday())+7)%7 + 14))
		window := monthWindow
		cycle := first.Month%3 == 0
		switch {
		case first.Month == time.January && c != smallShare, busy && (first.Month == time.June || first.Month == time.December):
			window = longWindow
		case busy:
			window = quarterWindow
		case cycle:
			window = cycleWindow
		}
		add(windows, third, window)
		if c == index {
			add(morning, third, window)
		}
		if busy && cycle {
			add(windows, k.market.back(market.DateOf(time.Date(first.Year, first.Month+1, 0, 0, 0, 0, 0, time.UTC))), quarterWindow)
		}
	}
	root := optionRoot(k.symbol)
	var out []expiry
	list := func(dates map[market.Date]int, root string, settled market.Settlement) {
		for d, window := range dates {
			style := market.American
			if c == index {
				style = market.European
			}
			out = append(out, expiry{
				Expiration: market.Expiration{Underlying: k.symbol, Root: root, Date: d, Settlement: settled, Style: style},
				expires:    options.ExpiryTime(d, settled, nil), window: window,
			})
		}
	}
	list(morning, root, market.SettledAM)
	if c == index {
		root += "W"
	}
	list(windows, root, market.SettledPM)
	slices.SortFunc(out, func(a, b expiry) int { return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.Root, b.Root)) })
	return out
}

// setStrikes lists the strikes around all closes since the expiration was
// listed, in fine steps near them and coarse ones further out. Options listed
// long ahead get finer strikes when their expiration comes near.
func (k *track) setStrikes(e *expiry, date market.Date, last, shares int) {
	windows := []int{e.window, monthWindow, weeklyWindow}
	if k.class() == smallShare {
		windows = windows[:2]
	}
	for i, window := range windows {
		if i == 0 || window < e.window && date.DaysUntil(e.Date) <= window {
			k.addStrikes(e, window, last, shares)
		}
	}
	slices.Sort(e.Strikes)
	e.Strikes = slices.Compact(e.Strikes)
}

// addStrikes adds those of contracts that are listed window days ahead.
func (k *track) addStrikes(e *expiry, window, last, shares int) {
	from := min(max(0, k.onDate(e.Date.AddDays(-window))-1), last)
	closes := k.prices(from, last, shares)
	low, high := slices.Min(closes), slices.Max(closes)
	deviation := math.Sqrt(max(k.slow[from], k.fast[from]) * float64(window) / 365)
	wide := max(0.12, min(0.6, 3.5*deviation))
	near := min(wide, max(0.06, 1.2*deviation))
	fine, coarse := k.strikeSteps(closes[0], window)
	steps := func(low, high, step float64) {
		for n := math.Ceil(low / step); n*step <= high; n++ {
			if n > 0 && n*step < 100_000 { // what an option symbol can hold
				e.Strikes = append(e.Strikes, n*step)
			}
		}
	}
	steps(low*(1-wide), high*(1+wide), coarse)
	steps(low*(1-near), high*(1+near), fine)
	if len(e.Strikes) == 0 {
		e.Strikes = []float64{fine}
	}
}

// strikeSteps returns the distance of strikes near a price and away from it,
// for options that are listed a number of days ahead.
func (k *track) strikeSteps(price float64, window int) (fine, coarse float64) {
	long := window >= cycleWindow
	if c := k.class(); c == index || c == bigFund {
		switch {
		case c == index && price >= 1000 && long:
			return 25, 100
		case c == index && price >= 1000:
			return 5, 25
		case long && price >= 100:
			return 5, 10
		}
		return 1, 5
	}
	liquid := k.rating() >= 4 && !long
	pick := func(a, b, c float64) (float64, float64) {
		if liquid {
			return a, b
		}
		return b, c
	}
	switch {
	case price < 25:
		return pick(0.5, 1, 2.5)
	case price < 75:
		return pick(0.5, 1, 5)
	case price < 200:
		return pick(1, 2.5, 5)
	case price < 500:
		return pick(2.5, 5, 10)
	case price < 1500:
		return pick(5, 10, 20)
	case price < 10_000:
		return pick(25, 50, 100)
	}
	return pick(250, 500, 1000)
}
