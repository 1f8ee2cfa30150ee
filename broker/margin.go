package broker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A MarginAccount says what kind of account margin is counted for.
type MarginAccount string

// The kinds of accounts.
const (
	// RegTAccount is a margin account under Regulation T and the exchanges'
	// strategy rules.
	RegTAccount MarginAccount = ""
	// CashAccount pays for everything in full: long options, covered calls and
	// puts secured by cash.
	CashAccount MarginAccount = "cash"
	// RetirementAccount pays for shares in full and may hold option positions of
	// limited risk ("limited margin").
	RetirementAccount MarginAccount = "retirement"
)

// MarginRules count the margin of an account by recognising the strategies that
// its positions make up. The zero value is Regulation T with the exchanges'
// minimum rates. It is safe for concurrent use while nobody changes it.
//
// # Convention
//
// A requirement is held against [Margin.Equity]: cash and the value of shares,
// short shares negative. Options add nothing to that equity: what was paid for a
// long option has left the cash, so it needs no margin, and what was received for
// a short one is in it, so its requirement contains the option's price. Short
// shares likewise left their proceeds in cash: 150 % is a requirement of 50 %.
type MarginRules struct {
	Account MarginAccount
	// Default holds for underlyings that Symbols does not name.
	Default SymbolMargin
	// Symbols are the rates of single underlyings, where they differ.
	Symbols map[market.Symbol]SymbolMargin
	// Futures are the amounts per contract by product, such as "ES". Positions in
	// other futures, and in options on futures, are refused.
	Futures map[string]FutureMargin
	// CoveredCallCharge is a fraction of the call's value that is asked for a
	// covered call beyond the shares' own requirement: 0 by the exchanges' rules,
	// 0.8 fits what Interactive Brokers asks.
	CoveredCallCharge decimal.Decimal
	// LongDatedLoan is the fraction of the value of an option with more than nine
	// months to live that is lent: 0 by default, at most 0.25 by the exchanges'
	// rules.
	LongDatedLoan decimal.Decimal
	// MinimumEquity is what a margin account must hold before anything is lent to
	// it; zero means 2,000.
	MinimumEquity decimal.Decimal
}

// SymbolMargin are the rates of one underlying. A zero takes the value named.
type SymbolMargin struct {
	LongInitial      decimal.Decimal // fraction of the value of long shares: 0.5
	LongMaintenance  decimal.Decimal // 0.25
	ShortInitial     decimal.Decimal // of short shares, beyond their proceeds: 0.5
	ShortMaintenance decimal.Decimal // 0.3, and at least 5 a share, or 2.50 and all of a price below 5
	NakedStandard    decimal.Decimal // of the underlying, for uncovered options: 0.2, broad indices 0.15
	NakedMinimum     decimal.Decimal // of the underlying for calls, of the strike for puts: 0.1
	NakedFloor       decimal.Decimal // amount per contract, beyond the option's price: 0
	Leverage         decimal.Decimal // of a leveraged fund, without its sign: 1
}

// FutureMargin are amounts per contract.
type FutureMargin struct {
	Initial, Maintenance decimal.Decimal
}

// A MarginPosition is a holding that margin is counted for. What an option is,
// its symbol tells.
type MarginPosition struct {
	Symbol market.Symbol
	// Quantity is signed: long positive, short negative. Options have whole
	// numbers of contracts.
	Quantity decimal.Decimal
	// Price per unit, at least 0.
	Price decimal.Decimal
	// Underlying is told from the symbol when it is empty.
	Underlying market.Symbol
	// Multiplier is 1 for shares and coins and 100 for options when it is zero.
	Multiplier decimal.Decimal
}

// A MarginInput is what margin is counted from.
type MarginInput struct {
	Positions []MarginPosition
	// Underlyings are the prices of the underlyings of options. The price of a
	// position in the underlying itself stands in for one that is missing.
	Underlyings map[market.Symbol]decimal.Decimal
	// Date decides which options are long-dated; it may be zero otherwise.
	Date market.Date
}

// A Margin is what an account must hold.
type Margin struct {
	// Initial is asked for opening the positions, Maintenance for keeping them.
	// Neither is negative.
	Initial, Maintenance decimal.Decimal
	// ShareValue is the value of shares and coins, negative when short.
	ShareValue decimal.Decimal
	// OptionValue is the value of options, negative when short. It is no part of
	// the equity that requirements are held against.
	OptionValue decimal.Decimal
	// LoanValue is what long-dated options add to the equity.
	LoanValue decimal.Decimal
	// Groups are the strategies recognised, by underlying and in a stable order.
	Groups []MarginGroup
	// Violations are positions that this kind of account may not hold. Their
	// requirement is counted as in a margin account.
	Violations []Notice
	// Exact: all groupings were tried, and none asks for less. In books of many lots
	// those were tried that keep together what all quantities have in common. It is
	// false for positions of many different contracts on one underlying.
	Exact bool

	margined bool // something is borrowed or short
	account  MarginAccount
	minimum  decimal.Decimal
}

// A MarginGroup is one recognised strategy and what it asks for.
type MarginGroup struct {
	Underlying           market.Symbol
	Strategy             string // "iron condor", "covered call", "short put" …
	Legs                 []MarginLeg
	Initial, Maintenance decimal.Decimal
	// Formula tells how the requirement was counted, per unit of the underlying.
	Formula string
}

// A MarginLeg is the part of a position that a group uses.
type MarginLeg struct {
	Symbol   market.Symbol
	Quantity decimal.Decimal // signed
}

// Equity is what requirements are held against when the account has this cash.
func (m *Margin) Equity(cash decimal.Decimal) decimal.Decimal {
	return cash.Add(m.ShareValue).Add(m.LoanValue)
}

// BuyingPower is what is left for new requirements, negative when the account
// holds less than the initial requirement.
func (m *Margin) BuyingPower(cash decimal.Decimal) decimal.Decimal {
	return m.Equity(cash).Sub(m.Initial)
}

// Excess is what the equity is above the maintenance requirement; negative in a
// margin call.
func (m *Margin) Excess(cash decimal.Decimal) decimal.Decimal {
	return m.Equity(cash).Sub(m.Maintenance)
}

// NetLiquidating is the value of the account with this cash: all its positions
// closed at their prices.
func (m *Margin) NetLiquidating(cash decimal.Decimal) decimal.Decimal {
	return cash.Add(m.ShareValue).Add(m.OptionValue)
}

// MarginCallKind says why an account must bring in money.
type MarginCallKind string

// The kinds of calls.
const (
	MaintenanceCall   MarginCallKind = "maintenance"    // equity below the maintenance requirement
	MinimumEquityCall MarginCallKind = "minimum equity" // less than 2,000 with something borrowed
	CashDebitCall     MarginCallKind = "cash debit"     // a cash account owes money
)

// PatternDayTraderEquity is the equity that the rule on pattern day traders asks
// for: four day trades in five days in a margin account. The rule is under change
// and nothing here enforces it.
var PatternDayTraderEquity = decimal.NewFromInt(25_000)

// A MarginCall is a demand for money.
type MarginCall struct {
	Kind   MarginCallKind
	Amount decimal.Decimal // positive
}

// Call returns what an account with this cash is asked for, or nil.
func (m *Margin) Call(cash decimal.Decimal) *MarginCall {
	if short := m.Excess(cash).Neg(); short.Sign() > 0 {
		return &MarginCall{Kind: MaintenanceCall, Amount: short}
	}
	if m.account != RegTAccount {
		if cash.Sign() < 0 {
			return &MarginCall{Kind: CashDebitCall, Amount: cash.Neg()}
		}
		return nil
	}
	if m.margined || cash.Sign() < 0 {
		if short := m.minimum.Sub(m.Equity(cash)); short.Sign() > 0 {
			return &MarginCall{Kind: MinimumEquityCall, Amount: short}
		}
	}
	return nil
}

// BuyingPowerEffect is the change of buying power from one set of positions to
// another when the cash changes by this much: negative when buying power is used.
func BuyingPowerEffect(before, after *Margin, cash decimal.Decimal) decimal.Decimal {
	return after.BuyingPower(cash).Sub(before.BuyingPower(decimal.Zero))
}

// MarginPositions takes positions as brokers report them. A position without a
// mark is a *FieldError.
func MarginPositions(positions []Position) ([]MarginPosition, error) {
	out := make([]MarginPosition, len(positions))
	for i, p := range positions {
		if p.Mark == nil {
			return nil, invalid.Missing(fmt.Sprintf("positions[%d].Mark", i), "the price of "+string(p.Symbol))
		}
		out[i] = MarginPosition{Symbol: p.Symbol, Quantity: p.Quantity, Price: *p.Mark, Underlying: p.Underlying, Multiplier: p.Multiplier}
	}
	return out, nil
}

// Requirement counts the margin of positions. Positions in the same instrument
// are added up; they are grouped so that the requirement is the least possible.
// The error is a *FieldError: a price that is missing, a future without an amount.
func (r *MarginRules) Requirement(in MarginInput) (*Margin, error) {
	if r == nil {
		r = &MarginRules{}
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	books, err := r.books(in)
	if err != nil {
		return nil, err
	}
	m := &Margin{Exact: true, account: r.Account, minimum: orElse(r.MinimumEquity, minimumEquity)}
	for _, b := range books {
		b.count(m)
	}
	return m, nil
}

// Validate checks rates that somebody wrote. The error is a *FieldError.
func (r *MarginRules) Validate() error {
	switch r.Account {
	case RegTAccount, CashAccount, RetirementAccount:
	default:
		return invalid.Field("Account", string(r.Account), "nothing for a margin account, cash or retirement")
	}
	if err := r.Default.validate("Default"); err != nil {
		return err
	}
	for symbol, rates := range r.Symbols {
		if err := rates.validate(fmt.Sprintf("Symbols[%s]", symbol)); err != nil {
			return err
		}
	}
	for root, f := range r.Futures {
		if f.Initial.Sign() < 0 || f.Maintenance.Sign() < 0 {
			return invalid.Field(fmt.Sprintf("Futures[%s]", root), f.Initial, "amounts of at least 0")
		}
	}
	for field, fraction := range map[string]decimal.Decimal{"CoveredCallCharge": r.CoveredCallCharge, "LongDatedLoan": r.LongDatedLoan} {
		if fraction.Sign() < 0 || fraction.GreaterThan(unity) {
			return invalid.Field(field, fraction, "a fraction from 0 to 1")
		}
	}
	if r.MinimumEquity.Sign() < 0 {
		return invalid.Field("MinimumEquity", r.MinimumEquity, "an amount of at least 0")
	}
	return nil
}

func (s SymbolMargin) validate(at string) error {
	for _, rate := range []struct {
		field string
		value decimal.Decimal
	}{
		{"LongInitial", s.LongInitial}, {"LongMaintenance", s.LongMaintenance}, {"ShortInitial", s.ShortInitial},
		{"ShortMaintenance", s.ShortMaintenance}, {"NakedStandard", s.NakedStandard}, {"NakedMinimum", s.NakedMinimum},
		{"NakedFloor", s.NakedFloor}, {"Leverage", s.Leverage},
	} {
		if rate.value.Sign() < 0 {
			return invalid.Field(at+"."+rate.field, rate.value, "at least 0")
		}
	}
	return nil
}

var (
	unity         = decimal.NewFromInt(1)
	minimumEquity = decimal.NewFromInt(2000)
)

func orElse(x, otherwise decimal.Decimal) decimal.Decimal {
	if x.IsZero() {
		return otherwise
	}
	return x
}

// books sorts positions by underlying and adds up what is in the same instrument.
func (r *MarginRules) books(in MarginInput) ([]*marginBook, error) {
	sums := map[market.Symbol]MarginPosition{}
	var order []market.Symbol
	for i, p := range in.Positions {
		at := fmt.Sprintf("Positions[%d].", i)
		switch {
		case p.Symbol == "":
			return nil, invalid.Missing(at+"Symbol", "a symbol")
		case p.Price.Sign() < 0:
			return nil, invalid.Field(at+"Price", p.Price, "a price per unit, at least 0")
		case p.Multiplier.Sign() < 0:
			return nil, invalid.Field(at+"Multiplier", p.Multiplier, "a positive multiplier")
		}
		sum, seen := sums[p.Symbol]
		if !seen {
			sum, order = p, append(order, p.Symbol)
		} else {
			sum.Quantity = sum.Quantity.Add(p.Quantity)
		}
		sums[p.Symbol] = sum
	}
	byUnderlying := map[market.Symbol]*marginBook{}
	slices.Sort(order)
	for _, symbol := range order {
		p := sums[symbol]
		if p.Quantity.IsZero() {
			continue
		}
		item, underlying, err := newMarginItem(p)
		if err != nil {
			return nil, err
		}
		b := byUnderlying[underlying]
		if b == nil {
			b = &marginBook{rules: r, underlying: underlying, date: in.Date}
			byUnderlying[underlying] = b
		}
		b.items = append(b.items, item)
	}
	books := make([]*marginBook, 0, len(byUnderlying))
	for _, b := range byUnderlying {
		if err := b.prepare(in.Underlyings); err != nil {
			return nil, err
		}
		books = append(books, b)
	}
	slices.SortFunc(books, func(a, b *marginBook) int { return cmp.Compare(a.underlying, b.underlying) })
	return books, nil
}
