package paper

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// An InterestTier is the yearly rate of balances of at least From.
type InterestTier struct {
	From decimal.Decimal // without sign
	Rate decimal.Decimal // 0.11 is 11 %
}

// An InterestRow are the rates from a day on. The whole balance earns or costs the
// rate of the highest tier that it reaches.
type InterestRow struct {
	From market.Date
	// Debit is charged on borrowed cash, Credit paid on idle cash; tiers ascend by
	// From, and a balance below the first has no interest.
	Debit, Credit []InterestTier
	Source        string
}

// An InterestTable are rates by date, ascending. Days before the first row take
// the first.
//
// Interest is counted at each close for the days to the next one, actual over 360,
// and posted at the last close of a month, to the cent. What short shares brought
// in is no idle cash and pays for nothing: it is taken off the cash first.
type InterestTable []InterestRow

// TastytradeInterest are tastytrade's margin rates as published for 2025: 11 %
// below 25,000, 10.5 % below 50,000 and 10 % from there. Earlier and later rates,
// and interest on idle cash, are not in it.
func TastytradeInterest() InterestTable {
	tier := func(from, rate string) InterestTier {
		return InterestTier{decimal.RequireFromString(from), decimal.RequireFromString(rate)}
	}
	return InterestTable{{
		Debit:  []InterestTier{tier("0", "0.11"), tier("25000", "0.105"), tier("50000", "0.1")},
		Source: "tastytrade.com/commissions-and-fees as stored; its day is unverified",
	}}
}

func (t InterestTable) validate() error {
	for i, row := range t {
		at := fmt.Sprintf("Lifecycle.Interest[%d].", i)
		if i > 0 && !t[i-1].From.Before(row.From) {
			return invalid.Field(at+"From", row.From, "a day after that of the row before")
		}
		for name, tiers := range map[string][]InterestTier{"Debit": row.Debit, "Credit": row.Credit} {
			for j, tier := range tiers {
				if tier.From.Sign() < 0 || j > 0 && !tiers[j-1].From.LessThan(tier.From) {
					return invalid.Field(fmt.Sprintf("%s%s[%d].From", at, name, j), tier.From, "ascending amounts of at least 0")
				}
			}
		}
	}
	return nil
}

// rate is that of a balance on a day: negative balances are borrowed.
func (t InterestTable) rate(day market.Date, balance decimal.Decimal) decimal.Decimal {
	rate := decimal.Zero
	for i, row := range t {
		if i > 0 && day.Before(row.From) {
			break
		}
		tiers := row.Credit
		if balance.Sign() < 0 {
			tiers = row.Debit
		}
		rate = decimal.Zero
		for _, tier := range tiers {
			if balance.Abs().GreaterThanOrEqual(tier.From) {
				rate = tier.Rate
			}
		}
	}
	return rate
}

var yearOfInterest = decimal.NewFromInt(360)

// accrue counts interest and borrow fees from today to the next session's day.
func (x *Exchange) accrue(today, next market.Date) {
	days := decimal.NewFromInt(int64(today.DaysUntil(next)))
	for _, a := range x.accountList {
		x.chargeBorrow(a, days)
		if x.opts.Lifecycle.Interest == nil {
			continue
		}
		balance := a.cash.Decimal()
		for _, p := range x.listed(a) {
			if p.quantity.Sign() < 0 && p.book.terms.kind == market.KindEquity {
				if worth, ok := p.worth(); ok {
					balance = balance.Add(worth)
				}
			}
		}
		rate := x.opts.Lifecycle.Interest.rate(today, balance)
		accrued := x.life.Accrued[a.info.ID].Add(balance.Mul(rate).Mul(days).Div(yearOfInterest))
		if today.Month != next.Month {
			if posted := accrued.Round(2); !posted.IsZero() {
				x.post(a, broker.Transaction{Kind: broker.Interest, Amount: posted, Text: "interest of " + today.Month.String()})
				x.tellBalances(a)
			}
			accrued = decimal.Zero
		}
		x.life.accrued(a.info.ID, accrued)
	}
}

// chargeBorrow charges what short shares cost: value × rate × days / 360.
func (x *Exchange) chargeBorrow(a *account, days decimal.Decimal) {
	if x.opts.BorrowRate == nil {
		return
	}
	for _, p := range x.listed(a) {
		worth, ok := p.worth()
		if !ok || p.quantity.Sign() >= 0 || p.book.terms.kind != market.KindEquity {
			continue
		}
		rate := x.opts.BorrowRate(p.book.symbol, x.time())
		if !(rate > 0) || rate > 1e6 {
			continue
		}
		if fee := worth.Mul(decimal.NewFromFloat(rate)).Mul(days).Div(yearOfInterest).Round(2); !fee.IsZero() {
			x.post(a, broker.Transaction{Kind: broker.FeeCharge, Symbol: p.book.symbol, Amount: fee, Text: "borrowing " + p.quantity.Neg().Decimal().String() + " shares"})
			x.tellBalances(a)
		}
	}
}
