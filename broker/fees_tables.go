package broker

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// The rows of the tables are written with these: an amount as it stands in the
// source, and a day.
func amount(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func day(year int, month time.Month, d int) market.Date {
	return market.Date{Year: year, Month: month, Day: d}
}

var (
	listedOptions = []FeeProduct{EquityOptionProduct, IndexOptionProduct}
	securities    = []FeeProduct{EquityProduct, EquityOptionProduct, IndexOptionProduct}
	futures       = []FeeProduct{FutureProduct, MicroFutureProduct}
	futureOptions = []FeeProduct{FutureOptionProduct, MicroFutureOptionProduct}
)

// A dated is a rate and the day it came into force.
type dated struct {
	from       market.Date
	rate, cap  string
	source     string
	unverified bool
}

// spans writes a rule once for each rate, each valid until the next. The first
// also holds for all days before it: earlier rates are not in the tables.
func spans(rates []dated, rule func(r *FeeRule, rate decimal.Decimal)) []FeeRule {
	rules := make([]FeeRule, len(rates))
	for i, d := range rates {
		r := &rules[i]
		r.Source, r.Unverified = d.source, d.unverified
		if i > 0 {
			r.From = d.from
		}
		if i+1 < len(rates) {
			r.Until = rates[i+1].from
		}
		rule(r, amount(d.rate))
		if d.cap != "" {
			r.Cap = amount(d.cap)
		}
	}
	return rules
}

// sectionThirtyOne are the rates of section 31 of the Securities Exchange Act,
// of the value sold.
var sectionThirtyOne = []dated{
	{from: day(2014, time.March, 18), rate: "0.0000221", source: "FINRA information notice 2014-03-03"},
	{from: day(2015, time.February, 14), rate: "0.0000184", source: "SEC fee rate advisory", unverified: true},
	{from: day(2016, time.February, 16), rate: "0.0000218", source: "FINRA information notice 2016-03-15; the day is unverified", unverified: true},
	{from: day(2017, time.July, 4), rate: "0.0000231", source: "FINRA information notice 2018-05-07; the day is unverified", unverified: true},
	{from: day(2018, time.May, 22), rate: "0.000013", source: "FINRA information notice 2018-05-07"},
	{from: day(2019, time.April, 16), rate: "0.0000207", source: "SEC fee rate advisory", unverified: true},
	{from: day(2020, time.February, 18), rate: "0.0000221", source: "FINRA information notice 2021-02-16; the day is unverified", unverified: true},
	{from: day(2021, time.February, 25), rate: "0.0000051", source: "FINRA information notice 2021-02-16"},
	{from: day(2022, time.May, 14), rate: "0.0000229", source: "published broker fee pages; the day is unverified", unverified: true},
	{from: day(2023, time.February, 27), rate: "0.000008", source: "SEC fee rate advisory", unverified: true},
	{from: day(2024, time.May, 22), rate: "0.0000278", source: "published broker fee pages; the day is unverified", unverified: true},
	{from: day(2025, time.May, 14), rate: "0", source: "Security Traders Association, 2025-05-14"},
	{from: day(2026, time.April, 4), rate: "0.0000206", source: "SEC fee rate advisory", unverified: true},
}

// tradingActivityShares and tradingActivityOptions are FINRA's trading activity
// fee on sales, per share and per contract.
var tradingActivityShares = []dated{
	{from: day(2012, time.July, 1), rate: "0.000119", cap: "5.95", source: "FINRA by-laws, schedule A"},
	{from: day(2022, time.January, 1), rate: "0.00013", cap: "6.49", source: "published broker fee pages"},
	{from: day(2023, time.January, 1), rate: "0.000145", cap: "7.27", source: "recorded dry run, published broker fee pages"},
	{from: day(2024, time.January, 1), rate: "0.000166", cap: "8.30", source: "Alpaca's fee page"},
	{from: day(2026, time.January, 1), rate: "0.000195", cap: "9.79", source: "FINRA's fee adjustment schedule", unverified: true},
}

var tradingActivityOptions = []dated{
	{from: day(2012, time.July, 1), rate: "0.002", source: "FINRA by-laws, schedule A; recorded dry run"},
	{from: day(2022, time.January, 1), rate: "0.00218", source: "published broker fee pages"},
	{from: day(2023, time.January, 1), rate: "0.00244", source: "published broker fee pages"},
	{from: day(2024, time.January, 1), rate: "0.00279", source: "Alpaca's fee page"},
	{from: day(2026, time.January, 1), rate: "0.00329", source: "FINRA's fee adjustment schedule", unverified: true},
}

// optionsRegulatory is the sum of the exchanges' options regulatory fees as
// brokers pass it on, per contract bought or sold.
var optionsRegulatory = []dated{
	{from: day(2019, time.January, 1), rate: "0.0388", source: "tastytrade's fee page; agrees with a recorded dry run"},
	{from: day(2023, time.January, 1), rate: "0.02685", source: "Alpaca's fee page; the day is unverified", unverified: true},
	{from: day(2026, time.January, 1), rate: "0.02", source: "recorded trade of 2026-06-05 (0.02 for one contract); the day is unverified", unverified: true},
}

// TastytradeFees returns tastytrade's schedule. Fees of the exchanges for futures
// are there for the products of [FeeSchedule] whose rules name them; for other
// futures they are not counted.
//
// Recorded answers show that the section 31 fee is rounded up to a cent for each
// fill, the trading activity fee of options to a tenth of a cent, and the options
// regulatory fee to a cent.
func TastytradeFees() *FeeSchedule {
	const page = "tastytrade.com/commissions-and-fees"
	rules := []FeeRule{
		{Name: "brokerage", Part: CommissionPart, Products: []FeeProduct{EquityOptionProduct}, Side: OpenSide, PerUnit: amount("1"), Cap: amount("10"), Source: page},
		{Name: "brokerage", Part: CommissionPart, Products: []FeeProduct{IndexOptionProduct}, Side: OpenSide, PerUnit: amount("1"), Source: page},
		{Name: "brokerage", Part: CommissionPart, Products: []FeeProduct{FutureOptionProduct}, Side: OpenSide, PerUnit: amount("2.5"), Source: page},
		{Name: "brokerage", Part: CommissionPart, Products: []FeeProduct{MicroFutureOptionProduct}, Side: OpenSide, PerUnit: amount("1.5"), Source: page},
		{Name: "brokerage", Part: CommissionPart, Products: []FeeProduct{FutureProduct}, PerUnit: amount("1.25"), Source: page},
		{Name: "brokerage", Part: CommissionPart, Products: []FeeProduct{MicroFutureProduct}, PerUnit: amount("0.85"), Source: page},
		{Name: "spread", Part: CommissionPart, Products: []FeeProduct{CryptoProduct}, OfValue: amount("0.0035"), Source: page},

		{Name: "clearing", Part: ClearingPart, Products: listedOptions, PerUnit: amount("0.1"), Source: page},
		{Name: "clearing", Part: ClearingPart, Products: slices.Concat(futures, futureOptions), PerUnit: amount("0.3"), Source: page},
		{Name: "clearing", Part: ClearingPart, Products: []FeeProduct{EquityProduct}, Side: WholeOnly, PerUnit: amount("0.001"), Source: "recorded dry runs of 2023 and 2025; the page of older years says 0.0008"},
		{Name: "clearing", Part: ClearingPart, Products: []FeeProduct{EquityProduct}, Side: FractionOf, PerTrade: amount("0.1"), Source: page},
		{Name: "exercise", Part: ClearingPart, Products: []FeeProduct{EquityOptionProduct}, Cause: ForExercise, PerTrade: amount("5"), Source: "not on the stored page", Unverified: true},
		{Name: "assignment", Part: ClearingPart, Products: []FeeProduct{EquityOptionProduct}, Cause: ForAssignment, PerTrade: amount("5"), Source: "a recorded assignment has it among the clearing fees; whether per event or per contract is not shown", Unverified: true},
	}
	rules = append(rules, indexFees()...)
	rules = append(rules, futureFees()...)
	rules = append(rules, spans(optionsRegulatory, func(r *FeeRule, rate decimal.Decimal) {
		r.Name, r.Part, r.Products = "orf", RegulatoryPart, listedOptions
		r.PerUnit, r.Step, r.Up = rate, amount("0.01"), true
	})...)
	rules = append(rules, spans(sectionThirtyOne, func(r *FeeRule, rate decimal.Decimal) {
		r.Name, r.Part, r.Products, r.Side = "sec", RegulatoryPart, securities, SellSide
		r.OfValue, r.Step, r.Up = rate, amount("0.01"), true
	})...)
	rules = append(rules, spans(tradingActivityShares, func(r *FeeRule, rate decimal.Decimal) {
		r.Name, r.Part, r.Products, r.Side, r.PerUnit = "taf", RegulatoryPart, []FeeProduct{EquityProduct}, SellSide, rate
	})...)
	rules = append(rules, spans(tradingActivityOptions, func(r *FeeRule, rate decimal.Decimal) {
		r.Name, r.Part, r.Products, r.Side = "taf", RegulatoryPart, listedOptions, SellSide
		r.PerUnit, r.Step = rate, amount("0.001")
	})...)
	return &FeeSchedule{Name: "tastytrade", Rules: rules}
}

// indexFees are what the exchanges charge for their own index options, per
// contract and by the premium.
func indexFees() []FeeRule {
	const source = "Cboe and Nasdaq fee schedules of 2024"
	rows := []struct {
		roots          []string
		above, upTo    string
		legFrom, legTo string
		perContract    string
	}{
		{roots: []string{"SPX", "SPXW"}, upTo: "0.99", perContract: "0.57"},
		{roots: []string{"SPX", "SPXW"}, above: "0.99", perContract: "0.66"},
		{roots: []string{"VIX", "VIXW"}, upTo: "0.10", perContract: "0.10"},
		{roots: []string{"VIX", "VIXW"}, above: "0.10", upTo: "0.99", perContract: "0.25"},
		{roots: []string{"VIX", "VIXW"}, above: "0.99", upTo: "1.99", perContract: "0.40"},
		{roots: []string{"VIX", "VIXW"}, above: "1.99", perContract: "0.45"},
		{roots: []string{"RUT", "RUTW"}, perContract: "0.18"},
		{roots: []string{"NDX", "NDXP"}, upTo: "24.99", perContract: "0.18"},
		{roots: []string{"NDX", "NDXP"}, above: "24.99", perContract: "0.25"},
		{roots: []string{"XSP"}, legFrom: "10", perContract: "0.07"},
	}
	rules := make([]FeeRule, len(rows))
	optional := func(s string) decimal.Decimal {
		if s == "" {
			return decimal.Zero
		}
		return amount(s)
	}
	for i, row := range rows {
		rules[i] = FeeRule{
			Name: "proprietary", Part: ExchangePart, Products: []FeeProduct{IndexOptionProduct}, Roots: row.roots,
			Above: optional(row.above), UpTo: optional(row.upTo), LegFrom: optional(row.legFrom), LegTo: optional(row.legTo),
			PerUnit: amount(row.perContract), Source: source, Unverified: true,
		}
	}
	return rules
}

// futureFees are the exchanges' fees for customers who are not members, and the
// National Futures Association's.
func futureFees() []FeeRule {
	rules := []FeeRule{{Name: "nfa", Part: RegulatoryPart, Products: slices.Concat(futures, futureOptions), PerUnit: amount("0.02"), Source: "NFA assessment", Unverified: true}}
	for _, row := range []struct {
		roots       []string
		perContract string
	}{
		{[]string{"ES", "NQ", "RTY", "YM"}, "1.38"},
		{[]string{"MES", "MNQ", "M2K", "MYM"}, "0.35"},
		{[]string{"CL", "NG", "RB", "HO"}, "1.60"},
		{[]string{"GC", "SI", "HG"}, "1.60"},
		{[]string{"MCL", "MGC", "MHG"}, "0.60"},
		{[]string{"ZB", "ZN", "ZF", "ZT", "UB", "TN"}, "0.87"},
		{[]string{"6A", "6B", "6C", "6E", "6J", "6S"}, "1.60"},
		{[]string{"ZC", "ZS", "ZW", "ZL", "ZM"}, "2.10"},
	} {
		rules = append(rules, FeeRule{Name: "exchange", Part: RegulatoryPart, Products: futures, Roots: row.roots, PerUnit: amount(row.perContract), Source: "CME Group fee schedules of 2024", Unverified: true})
	}
	return append(rules,
		FeeRule{Name: "exchange", Part: RegulatoryPart, Products: []FeeProduct{FutureOptionProduct}, Roots: []string{"ES", "NQ"}, PerUnit: amount("0.66"), Source: "CME Group fee schedules of 2024", Unverified: true},
		FeeRule{Name: "exchange", Part: RegulatoryPart, Products: []FeeProduct{MicroFutureOptionProduct}, Roots: []string{"MES", "MNQ"}, PerUnit: amount("0.22"), Source: "CME Group fee schedules of 2024", Unverified: true})
}

// AlpacaFees returns Alpaca's schedule for self-directed accounts: no commission
// on shares and listed options, what regulators and the clearing house charge
// passed on, and the taker's rate for crypto. Alpaca rounds each kind of fee up to
// a cent over a whole day; here each fill is rounded up, which is never less.
func AlpacaFees() *FeeSchedule {
	const page = "docs.alpaca.markets/docs/regulatory-fees"
	cent := amount("0.01")
	rules := []FeeRule{
		{Name: "brokerage", Part: CommissionPart, Products: []FeeProduct{CryptoProduct}, OfValue: amount("0.0025"), Source: "Alpaca's crypto fee tiers, lowest volume, taker"},
		{Name: "clearing", Part: ClearingPart, Products: listedOptions, PerUnit: amount("0.02"), Cap: amount("55"), Source: page},
		{Name: "cat", Part: RegulatoryPart, Products: []FeeProduct{EquityProduct}, From: day(2024, time.September, 1), PerUnit: amount("0.000046"), Step: cent, Up: true, Source: page, Unverified: true},
		{Name: "cat", Part: RegulatoryPart, Products: listedOptions, From: day(2024, time.September, 1), PerUnit: amount("0.0046"), Step: cent, Up: true, Source: page, Unverified: true},
	}
	rules = append(rules, spans(optionsRegulatory, func(r *FeeRule, rate decimal.Decimal) {
		r.Name, r.Part, r.Products, r.PerUnit, r.Step, r.Up = "orf", RegulatoryPart, listedOptions, rate, cent, true
	})...)
	rules = append(rules, spans(sectionThirtyOne, func(r *FeeRule, rate decimal.Decimal) {
		r.Name, r.Part, r.Products, r.Side, r.OfValue, r.Step, r.Up = "sec", RegulatoryPart, securities, SellSide, rate, cent, true
	})...)
	rules = append(rules, spans(tradingActivityShares, func(r *FeeRule, rate decimal.Decimal) {
		r.Name, r.Part, r.Products, r.Side, r.PerUnit, r.Step, r.Up = "taf", RegulatoryPart, []FeeProduct{EquityProduct}, SellSide, rate, cent, true
	})...)
	rules = append(rules, spans(tradingActivityOptions, func(r *FeeRule, rate decimal.Decimal) {
		r.Name, r.Part, r.Products, r.Side, r.PerUnit, r.Step, r.Up = "taf", RegulatoryPart, listedOptions, SellSide, rate, cent, true
	})...)
	return &FeeSchedule{Name: "alpaca", Rules: rules}
}
