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

	"github.com/ttai-go/ttai/broker"
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

	money *broker.Balances // by the engine; nil for an account of the past
}

// A PositionState is a holding.
type PositionState struct {
	Symbol           market.Symbol
	Quantity         decimal.Decimal // signed: short is negative; not 0
	AverageOpenPrice decimal.Decimal // per unit, positive
	OpenedAt         time.Time       // zero: when the clock began

	realized decimal.Decimal // profit of the day, signed
}

// An accountBook holds the accounts. The demo accounts' positions are made when
// they are first asked for, since that takes a look at the market.
type accountBook struct {
	mu     sync.Mutex
	states []AccountState
	seed   bool // the demo positions are still to be made
}

// addAccounts checks accounts and adds them to the book. Field is what errors
// begin with.
func (s *Simulator) addAccounts(field string, accounts []AccountState) (numbers []string, err error) {
	for i, a := range accounts {
		path := fmt.Sprintf("%sAccounts[%d]", field, i)
		if a.Number == "" || strings.Trim(a.Number, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return nil, invalid.Field(path+".Number", a.Number, "letters and digits")
		}
		if slices.ContainsFunc(s.book.states, func(b AccountState) bool { return b.Number == a.Number }) {
			return nil, invalid.Field(path+".Number", a.Number, "a number that no other account has")
		}
		a.Positions = slices.Clone(a.Positions)
		for j, p := range a.Positions {
			symbol, err := market.ParseSymbol(string(p.Symbol))
			switch field := fmt.Sprintf("%s.Positions[%d]", path, j); {
			case err != nil:
				return nil, fmt.Errorf("simulator: %s: %w", field, err)
			case p.Quantity.IsZero():
				return nil, invalid.Field(field+".Quantity", p.Quantity, "a number other than 0, negative for short")
			case p.AverageOpenPrice.IsNegative():
				return nil, invalid.Field(field+".AverageOpenPrice", p.AverageOpenPrice, "a price, positive for short positions too")
			}
			a.Positions[j].Symbol = symbol
		}
		a.Type = otherwise(a.Type, "Individual")
		a.OptionsLevel = otherwise(a.OptionsLevel, "No Restrictions")
		if a.OpenedAt.IsZero() {
			a.OpenedAt = s.start.AddDate(-3, 0, 0)
		}
		s.book.states = append(s.book.states, a)
		numbers = append(numbers, a.Number)
	}
	return numbers, nil
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
	if slices.Contains(caller(r).credentials.Accounts, number) {
		return number, true
	}
	s.refuse(w, http.StatusForbidden, "not_permitted", "User not permitted access")
	return "", false
}

// account returns the account that the path names as it is now, or answers.
func (s *Simulator) account(w http.ResponseWriter, r *http.Request) (*AccountState, bool) {
	number, ok := s.knows(w, r)
	if !ok {
		return nil, false
	}
	s.heart.mu.Lock()
	defer s.heart.mu.Unlock()
	a, err := s.accountNow(r.Context(), number)
	if err != nil {
		s.internalError(w, r, err)
		return nil, false
	}
	return a, true
}

// initial is what an account was when the clock began.
func (s *Simulator) initial(number string) *AccountState {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	for i := range s.book.states {
		if s.book.states[i].Number == number {
			a := s.book.states[i]
			return &a
		}
	}
	return nil
}

// accountNow is an account with the engine's positions and cash, with the heart
// locked.
func (s *Simulator) accountNow(ctx context.Context, number string) (*AccountState, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	now := s.clock.Now()
	s.beatTo(s.ctx, now)
	s.trade.prepare(ctx, s.heart.at, number)
	return s.accountHeld(ctx, number)
}

// accountHeld is accountNow without a look at the market.
func (s *Simulator) accountHeld(ctx context.Context, number string) (*AccountState, error) {
	a := s.initial(number)
	if a == nil {
		return nil, fmt.Errorf("simulator: %w: %s", broker.ErrUnknownAccount, number)
	}
	balances, err := s.trade.broker.Balances(ctx, broker.AccountID(number))
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	positions, err := s.trade.broker.Positions(ctx, broker.AccountID(number))
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	a.Positions, a.money = nil, balances
	if balances.Cash != nil {
		a.Cash = *balances.Cash
	}
	for _, p := range positions {
		state := PositionState{Symbol: p.Symbol, Quantity: p.Quantity, OpenedAt: p.OpenedAt}
		if p.AverageOpenPrice != nil {
			state.AverageOpenPrice = *p.AverageOpenPrice
		}
		if p.RealizedDay != nil {
			state.realized = *p.RealizedDay
		}
		a.Positions = append(a.Positions, state)
	}
	return a, nil
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
		InvestmentObjective: "GROWTH", IsFuturesApproved: a.Margin, MarginOrCash: kind, Nickname: nickname, SuitableOptionsLevels: a.OptionsLevel,
	}
}

func (s *Simulator) listAccounts(w http.ResponseWriter, r *http.Request) {
	list := []wireAuthority{}
	own := caller(r).credentials.Accounts
	for i := range s.book.states { // numbers and names are fixed; only positions come later
		if !slices.Contains(own, s.book.states[i].Number) {
			continue
		}
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

func (s *Simulator) getTradingStatus(w http.ResponseWriter, r *http.Request, d *desk) {
	if status, ok := s.tradingStatus(d.account); ok {
		writeData(w, r, status)
		return
	}
	s.notFound(w, r)
}

// tradingStatus is what an account may do, with the heart locked.
func (s *Simulator) tradingStatus(number string) (wireTradingStatus, bool) {
	a := s.initial(number)
	if a == nil {
		return wireTradingStatus{}, false
	}
	calculation := "Reg T"
	if !a.Margin {
		calculation = "Cash"
	}
	status := wireTradingStatus{
		AccountNumber: a.Number, EquitiesMarginCalculationType: calculation, FeeScheduleName: "default",
		FuturesMarginRateMultiplier: "0.0", SmallNotionalFuturesMarginRate: "0.0", ID: s.accountIndex(number),
		IsFullEquityMarginRequired: !a.Margin, IsRollTheDayForwardEnabled: true, AreFarOTMNetOptionsRestricted: true,
		OptionsLevel: a.OptionsLevel, ShortCallsEnabled: a.Margin, IsFuturesEnabled: a.Margin,
		EnhancedFraudSafeguardsEnabledAt: wireTime(a.OpenedAt), UpdatedAt: wireTime(s.start),
	}
	status.DayTradeCount = s.trade.dayTrades(number, s.heart.at)
	status.IsPatternDayTrader = a.Margin && status.DayTradeCount >= 4
	if held, err := s.accountHeld(s.ctx, number); err == nil {
		if open, settled, err := s.holdings(s.ctx, held); err == nil {
			status.IsInMarginCall = s.measure(held, open, settled, s.heart.at).excess.IsNegative()
			status.IsRiskReducingOnly = status.IsInMarginCall
		}
	}
	return status, true
}

// dayTrades counts, over five sessions, the symbols that were opened and closed on
// the same day.
func (t *trade) dayTrades(account string, now time.Time) int {
	loc := t.sim.calendar.Location()
	today := market.DateOf(now.In(loc))
	sessions := t.sim.calendar.Sessions(today.AddDays(-10), today)
	if len(sessions) == 0 {
		return 0
	}
	from := sessions[max(0, len(sessions)-5)].Date
	list, err := t.broker.Transactions(t.sim.ctx, broker.AccountID(account), from.In(loc), now.Add(time.Nanosecond))
	if err != nil {
		return 0
	}
	type roundTrip struct {
		day    market.Date
		symbol market.Symbol
	}
	opened, count := map[roundTrip]bool{}, map[roundTrip]bool{}
	for i := range list {
		tx := &list[i]
		o := t.orders[t.byEngine[tx.Order]]
		if tx.Kind != broker.Trade || o == nil {
			continue
		}
		key := roundTrip{market.DateOf(tx.Time.In(loc)), tx.Symbol}
		for _, leg := range o.Wire.Legs {
			if leg.Symbol == string(tx.Symbol) && strings.HasSuffix(leg.Action, "to Open") {
				opened[key] = true
			} else if leg.Symbol == string(tx.Symbol) && opened[key] {
				count[key] = true
			}
		}
	}
	return len(count)
}
