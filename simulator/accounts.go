package simulator

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// An AccountState is what one account holds.
type AccountState struct {
	Number       string // required; letters and digits
	Nickname     string
	Type         string // "Individual", "Roth IRA" …; empty: "Individual"
	Margin       bool   // margin account; false is a cash account
	OptionsLevel string // empty: "No Restrictions"
	Cash         decimal.Decimal
	Positions    []PositionState
	OpenedAt     time.Time // zero: three years before the clock began
}

// A PositionState is a holding. Options that expire are settled in cash at
// their value at the close of that day, and leave the account.
type PositionState struct {
	Symbol           market.Symbol
	Quantity         decimal.Decimal // signed: short is negative; not 0
	AverageOpenPrice decimal.Decimal // per unit, positive
	OpenedAt         time.Time       // zero: when the clock began
}

// An accountBook holds the accounts. The demo accounts' positions are made when
// they are first asked for, since that takes a look at the market.
type accountBook struct {
	mu     sync.Mutex
	states []AccountState
	seed   bool // the demo positions are still to be made
}

// setAccounts checks the accounts given, or prepares the demo accounts.
func (s *Simulator) setAccounts(o *Options) error {
	if o.Accounts == nil {
		s.book.states, s.book.seed = demoAccounts(), true
	}
	for i, a := range o.Accounts {
		path := fmt.Sprintf("Accounts[%d]", i)
		if a.Number == "" || strings.Trim(a.Number, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return invalid.Field(path+".Number", a.Number, "letters and digits")
		}
		if slices.ContainsFunc(s.book.states, func(b AccountState) bool { return b.Number == a.Number }) {
			return invalid.Field(path+".Number", a.Number, "a number that no other account has")
		}
		a.Positions = slices.Clone(a.Positions)
		for j, p := range a.Positions {
			symbol, err := market.ParseSymbol(string(p.Symbol))
			switch field := fmt.Sprintf("%s.Positions[%d]", path, j); {
			case err != nil:
				return fmt.Errorf("simulator: %s: %w", field, err)
			case p.Quantity.IsZero():
				return invalid.Field(field+".Quantity", p.Quantity, "a number other than 0, negative for short")
			case p.AverageOpenPrice.IsNegative():
				return invalid.Field(field+".AverageOpenPrice", p.AverageOpenPrice, "a price, positive for short positions too")
			}
			a.Positions[j].Symbol = symbol
		}
		s.book.states = append(s.book.states, a)
	}
	for i := range s.book.states {
		a := &s.book.states[i]
		if a.Type == "" {
			a.Type = "Individual"
		}
		if a.OptionsLevel == "" {
			a.OptionsLevel = "No Restrictions"
		}
		if a.OpenedAt.IsZero() {
			a.OpenedAt = s.start.AddDate(-3, 0, 0)
		}
	}
	return nil
}

// accounts returns all accounts, the demo positions made.
func (s *Simulator) accounts(ctx context.Context) ([]AccountState, error) {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	if s.book.seed {
		if err := s.fillDemo(ctx, s.book.states); err != nil {
			return nil, err
		}
		s.book.seed = false
	}
	return s.book.states, nil
}

// knows reports whether the customer has the account, and answers otherwise.
func (s *Simulator) knows(w http.ResponseWriter, r *http.Request) (number string, ok bool) {
	number = r.PathValue("account")
	if slices.Contains(s.credentials.Accounts, number) {
		return number, true
	}
	s.refuse(w, http.StatusForbidden, "not_permitted", "User not permitted access")
	return "", false
}

// account returns the account that the path names, or answers.
func (s *Simulator) account(w http.ResponseWriter, r *http.Request) (*AccountState, bool) {
	number, ok := s.knows(w, r)
	if !ok {
		return nil, false
	}
	all, err := s.accounts(r.Context())
	if err != nil {
		s.internalError(w, r, err)
		return nil, false
	}
	for i := range all {
		if all[i].Number == number {
			return &all[i], true
		}
	}
	s.notFound(w, r)
	return nil, false
}

type wireAccount struct {
	AccountNumber         string `json:"account-number"`
	AccountType           string `json:"account-type-name"`
	CreatedAt             string `json:"created-at"`
	DayTrader             bool   `json:"day-trader-status"`
	ExternalID            string `json:"external-id"`
	FundingDate           string `json:"funding-date"`
	InvestmentObjective   string `json:"investment-objective"`
	IsClosed              bool   `json:"is-closed"`
	IsFirmError           bool   `json:"is-firm-error"`
	IsFirmProprietary     bool   `json:"is-firm-proprietary"`
	IsForeign             bool   `json:"is-foreign"`
	IsFuturesApproved     bool   `json:"is-futures-approved"`
	MarginOrCash          string `json:"margin-or-cash"`
	Nickname              string `json:"nickname"`
	OpenedAt              string `json:"opened-at"`
	SuitableOptionsLevels string `json:"suitable-options-level"`
}

type wireAuthority struct {
	Account   wireAccount `json:"account"`
	Authority string      `json:"authority-level"`
}

func (s *Simulator) wireAccount(a *AccountState) wireAccount {
	kind := "Cash"
	if a.Margin {
		kind = "Margin"
	}
	nickname := a.Nickname
	if nickname == "" {
		nickname = a.Type
	}
	return wireAccount{
		AccountNumber: a.Number, AccountType: a.Type, CreatedAt: wireTime(a.OpenedAt), OpenedAt: wireTime(a.OpenedAt),
		ExternalID: "A-" + a.Number, FundingDate: market.DateOf(a.OpenedAt.UTC()).AddDays(7).String(),
		InvestmentObjective: "GROWTH", MarginOrCash: kind, Nickname: nickname, SuitableOptionsLevels: a.OptionsLevel,
	}
}

func (s *Simulator) listAccounts(w http.ResponseWriter, r *http.Request) {
	list := []wireAuthority{}
	for i := range s.book.states { // numbers and names are fixed; only positions come later
		list = append(list, wireAuthority{Account: s.wireAccount(&s.book.states[i]), Authority: "owner"})
	}
	writeItems(w, r, list, nil)
}

func (s *Simulator) getAccount(w http.ResponseWriter, r *http.Request) {
	if number, ok := s.knows(w, r); ok {
		for i := range s.book.states {
			if s.book.states[i].Number == number {
				writeData(w, r, s.wireAccount(&s.book.states[i]))
			}
		}
	}
}

type wireTradingStatus struct {
	AccountNumber                     string `json:"account-number"`
	DayTradeCount                     int    `json:"day-trade-count"`
	EquitiesMarginCalculationType     string `json:"equities-margin-calculation-type"`
	FeeScheduleName                   string `json:"fee-schedule-name"`
	FuturesMarginRateMultiplier       string `json:"futures-margin-rate-multiplier"`
	HasIntradayEquitiesMargin         bool   `json:"has-intraday-equities-margin"`
	ID                                int    `json:"id"`
	IsAggregatedAtClearing            bool   `json:"is-aggregated-at-clearing"`
	IsClosed                          bool   `json:"is-closed"`
	IsClosingOnly                     bool   `json:"is-closing-only"`
	IsCryptocurrencyClosingOnly       bool   `json:"is-cryptocurrency-closing-only"`
	IsCryptocurrencyEnabled           bool   `json:"is-cryptocurrency-enabled"`
	IsFrozen                          bool   `json:"is-frozen"`
	IsFullEquityMarginRequired        bool   `json:"is-full-equity-margin-required"`
	IsFuturesClosingOnly              bool   `json:"is-futures-closing-only"`
	IsFuturesIntraDayEnabled          bool   `json:"is-futures-intra-day-enabled"`
	IsFuturesEnabled                  bool   `json:"is-futures-enabled"`
	IsInDayTradeEquityMaintenanceCall bool   `json:"is-in-day-trade-equity-maintenance-call"`
	IsInMarginCall                    bool   `json:"is-in-margin-call"`
	IsPatternDayTrader                bool   `json:"is-pattern-day-trader"`
	IsPortfolioMarginEnabled          bool   `json:"is-portfolio-margin-enabled"`
	IsRiskReducingOnly                bool   `json:"is-risk-reducing-only"`
	IsSmallNotionalFuturesIntraDay    bool   `json:"is-small-notional-futures-intra-day-enabled"`
	IsRollTheDayForwardEnabled        bool   `json:"is-roll-the-day-forward-enabled"`
	AreFarOTMNetOptionsRestricted     bool   `json:"are-far-otm-net-options-restricted"`
	OptionsLevel                      string `json:"options-level"`
	ShortCallsEnabled                 bool   `json:"short-calls-enabled"`
	SmallNotionalFuturesMarginRate    string `json:"small-notional-futures-margin-rate-multiplier"`
	IsEquityOfferingEnabled           bool   `json:"is-equity-offering-enabled"`
	IsEquityOfferingClosingOnly       bool   `json:"is-equity-offering-closing-only"`
	EnhancedFraudSafeguardsEnabledAt  string `json:"enhanced-fraud-safeguards-enabled-at"`
	UpdatedAt                         string `json:"updated-at"`
}

func (s *Simulator) getTradingStatus(w http.ResponseWriter, r *http.Request) {
	number, ok := s.knows(w, r)
	if !ok {
		return
	}
	for i := range s.book.states {
		a := &s.book.states[i]
		if a.Number != number {
			continue
		}
		calculation := "Reg T"
		if !a.Margin {
			calculation = "Cash"
		}
		writeData(w, r, wireTradingStatus{
			AccountNumber: a.Number, EquitiesMarginCalculationType: calculation, FeeScheduleName: "default",
			FuturesMarginRateMultiplier: "0.0", SmallNotionalFuturesMarginRate: "0.0", ID: i + 1,
			IsFullEquityMarginRequired: !a.Margin, IsRollTheDayForwardEnabled: true, AreFarOTMNetOptionsRestricted: true,
			OptionsLevel: a.OptionsLevel, ShortCallsEnabled: a.Margin,
			EnhancedFraudSafeguardsEnabledAt: wireTime(a.OpenedAt), UpdatedAt: wireTime(s.start),
		})
	}
}
