package market

import "time"

// This file says which expirations the options of an underlying have. The
// first dates of SPX and SPY come from the exchange's announcements; for other
// underlyings today's cycles stand for all years.

// optionRules returns the cycles of the options that are listed under root.
func optionRules(root string) []expirationRule {
	switch root {
	case "SPX":
		weeklies := everyDay("SPXW", [5]Date{
			date(2016, time.August, 22), date(2022, time.April, 19), date(2016, time.March, 2), date(2022, time.May, 12), date(2005, time.October, 28),
		}, date(2014, time.July, 1))
		for i := range weeklies {
			weeklies[i].third = date(2017, time.May, 1) // under the root SPXPM before
		}
		return append(weeklies, expirationRule{root: "SPX", cycle: CycleMonthly, settlement: SettledAM})
	case "NDX", "RUT":
		rules := []expirationRule{{root: root, cycle: CycleMonthly, settlement: SettledAM}}
		pm := map[string]string{"NDX": "NDXP", "RUT": "RUTW"}[root]
		return append(rules, everyDay(pm, [5]Date{}, Date{})...)
	case "DJX":
		return []expirationRule{{root: root, cycle: CycleMonthly, settlement: SettledAM}, {root: root, cycle: CycleWeekly, settlement: SettledPM, weekday: time.Friday}}
	case "VIX":
		return []expirationRule{
			{root: "VIX", cycle: CycleMonthly, settlement: SettledAM, volatility: true},
			{root: "VIXW", cycle: CycleWeekly, settlement: SettledAM, volatility: true, weekday: time.Wednesday, since: date(2015, time.October, 14)},
		}
	case "XSP":
		return append([]expirationRule{{root: root, cycle: CycleMonthly, settlement: SettledPM}}, everyDay(root, [5]Date{}, Date{})...)
	case "SPY":
		rules := []expirationRule{{root: root, cycle: CycleMonthly, settlement: SettledPM}}
		return append(rules, everyDay(root, [5]Date{
			date(2018, time.February, 20), date(2022, time.November, 15), date(2016, time.August, 31), date(2022, time.November, 17), date(2010, time.June, 4),
		}, date(2014, time.July, 1))...)
	case "QQQ", "IWM":
		return append([]expirationRule{{root: root, cycle: CycleMonthly, settlement: SettledPM}}, everyDay(root, [5]Date{}, Date{})...)
	}
	return []expirationRule{
		{root: root, cycle: CycleMonthly, settlement: SettledPM},
		{root: root, cycle: CycleWeekly, settlement: SettledPM, weekday: time.Friday, since: date(2010, time.June, 1)},
	}
}

// everyDay returns the PM-settled cycles of a root that expires from Monday to
// Friday and at the end of months and quarters, with their first dates.
func everyDay(root string, since [5]Date, endOfMonth Date) []expirationRule {
	rules := []expirationRule{
		{root: root, cycle: CycleQuarterly, settlement: SettledPM, since: endOfMonth},
		{root: root, cycle: CycleEndOfMonth, settlement: SettledPM, since: endOfMonth},
	}
	for i, first := range since {
		cycle, weekday := CycleDaily, time.Monday+time.Weekday(i)
		if weekday == time.Friday {
			cycle = CycleWeekly
		}
		rules = append(rules, expirationRule{root: root, cycle: cycle, settlement: SettledPM, weekday: weekday, since: first})
	}
	return rules
}
