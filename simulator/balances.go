package simulator

import (
	"net/http"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// What a pattern day trader has beyond a margin account's usual buying power.
var (
	dayTradingFactor  = decimal.NewFromInt(4)
	dayTradingMinimum = decimal.NewFromInt(25_000)
)

// A report is the money of an account. Values are magnitudes, as on the wire.
type report struct {
	cash                                   decimal.Decimal
	longEquity, shortEquity                decimal.Decimal
	longOptions, shortOptions              decimal.Decimal
	futures, futureOptions                 decimal.Decimal // signed
	futuresMargin                          decimal.Decimal
	netLiq, marginEquity                   decimal.Decimal
	initial, maintenance, excess           decimal.Decimal
	equityPower, optionPower, dayPower     decimal.Decimal
	maintenanceCall, initialCall, withdraw decimal.Decimal
}

// engineMargin counts what the positions of margin accounts ask for: Regulation T
// by the strategies that it recognises, and for futures and their options, which
// their exchanges margin, shares of their value. Retirement accounts are no margin
// accounts here.
type engineMargin struct{}

// Shares of a future's value that stand in for its exchange's margin.
var (
	futureInitial     = decimal.New(88, -3)
	futureMaintenance = decimal.New(80, -3)
)

// Requirement implements paper.MarginModel.
func (engineMargin) Requirement(in broker.MarginInput) (*broker.Margin, error) {
	return requirement("", in)
}

// requirement counts a margin; the options on futures in it, which the rules do not
// know, stand as groups of their own.
func requirement(kind broker.MarginAccount, in broker.MarginInput) (*broker.Margin, error) {
	rules := broker.MarginRules{Account: kind}
	known := in
	known.Positions = nil
	var exotic []broker.MarginPosition
	for _, p := range in.Positions {
		switch p.Symbol.Kind() {
		case market.KindFutureOption:
			exotic = append(exotic, p)
			continue
		case market.KindFuture:
			if rules.Futures == nil {
				rules.Futures = map[string]broker.FutureMargin{}
			}
			value := p.Price.Mul(p.Multiplier)
			rules.Futures[market.FutureRoot(p.Symbol)] = broker.FutureMargin{Initial: value.Mul(futureInitial).Round(2), Maintenance: value.Mul(futureMaintenance).Round(2)}
		}
		known.Positions = append(known.Positions, p)
	}
	m, err := rules.Requirement(known)
	if err != nil {
		return nil, err
	}
	for _, p := range exotic {
		value := p.Price.Mul(p.Quantity).Mul(p.Multiplier)
		m.OptionValue = m.OptionValue.Add(value)
		g := broker.MarginGroup{Underlying: p.Underlying, Strategy: "long option", Legs: []broker.MarginLeg{{Symbol: p.Symbol, Quantity: p.Quantity}}}
		if p.Quantity.IsNegative() {
			under := p.Price // for want of the future's own
			if price, ok := in.Underlyings[p.Underlying]; ok {
				under = price
			}
			size := under.Mul(p.Quantity.Abs()).Mul(p.Multiplier)
			g.Strategy = "short option"
			g.Initial, g.Maintenance = value.Abs().Add(size.Mul(futureInitial)).Round(2), value.Abs().Add(size.Mul(futureMaintenance)).Round(2)
		}
		m.Initial, m.Maintenance = m.Initial.Add(g.Initial), m.Maintenance.Add(g.Maintenance)
		m.Groups = append(m.Groups, g)
	}
	return m, nil
}

// margin counts what holdings ask for, as the engine does.
func (s *Simulator) margin(a *AccountState, open []holding, at time.Time) (*broker.Margin, error) {
	in := broker.MarginInput{Date: market.DateOf(at.In(s.calendar.Location())), Underlyings: map[market.Symbol]decimal.Decimal{}}
	for i := range open {
		h := &open[i]
		if !h.mark.Valid {
			continue
		}
		p := broker.MarginPosition{Symbol: h.Symbol, Quantity: h.Quantity, Price: h.mark.Decimal, Multiplier: h.multiplier}
		if h.kind == "Equity Option" || h.kind == "Future Option" {
			p.Underlying = h.underlying
		}
		in.Positions = append(in.Positions, p)
		if p.Underlying != "" && h.spot.Valid {
			in.Underlyings[h.underlying] = h.spot.Decimal
		}
	}
	if !a.Margin {
		return requirement(broker.CashAccount, in)
	}
	return requirement(broker.RegTAccount, in)
}

// measure adds up an account. What the engine has counted stands as it did.
func (s *Simulator) measure(a *AccountState, open []holding, settled decimal.Decimal, at time.Time) report {
	r := report{cash: a.Cash.Add(settled)}
	for i := range open {
		h := &open[i]
		value := h.value()
		switch {
		case h.kind == "Equity" && !value.IsNegative():
			r.longEquity = r.longEquity.Add(value)
		case h.kind == "Equity":
			r.shortEquity = r.shortEquity.Sub(value)
		case h.kind == "Future":
			r.futures = r.futures.Add(value)
		case h.kind == "Future Option":
			r.futureOptions = r.futureOptions.Add(value)
		case !value.IsNegative():
			r.longOptions = r.longOptions.Add(value)
		default:
			r.shortOptions = r.shortOptions.Sub(value)
		}
	}
	m, err := s.margin(a, open, at)
	if err != nil {
		s.log("margin not counted", "account", a.Number, "error", err)
		m = &broker.Margin{}
	}
	r.initial, r.maintenance = m.Initial, m.Maintenance
	if call := m.Call(r.cash); call != nil {
		r.maintenanceCall = call.Amount
	}
	for _, g := range m.Groups {
		if g.Underlying.Kind() == market.KindFuture {
			r.futuresMargin = r.futuresMargin.Add(g.Maintenance)
		}
	}
	r.netLiq = r.cash.Add(r.longEquity).Sub(r.shortEquity).Add(r.longOptions).Sub(r.shortOptions).Add(r.futures).Add(r.futureOptions)
	r.marginEquity = r.cash.Add(r.longEquity).Sub(r.shortEquity).Add(m.LoanValue).Add(r.futures)
	r.excess = r.marginEquity.Sub(r.maintenance)
	free := r.marginEquity.Sub(r.initial)
	r.initialCall = decimal.Max(free.Neg(), decimal.Zero)
	r.optionPower = decimal.Max(free, decimal.Zero)
	if r.equityPower = r.optionPower; a.Margin {
		r.equityPower = r.optionPower.Add(r.optionPower)
	}
	s.engineCounted(a, &r)
	r.withdraw = decimal.Max(decimal.Min(r.cash, r.optionPower), decimal.Zero).RoundDown(2)
	if a.Margin && r.netLiq.GreaterThanOrEqual(dayTradingMinimum) {
		r.dayPower = decimal.Max(r.excess, decimal.Zero).Mul(dayTradingFactor)
	}
	return r
}

// engineCounted takes what the engine says over what was counted here.
func (s *Simulator) engineCounted(a *AccountState, r *report) {
	if a.money == nil {
		return
	}
	for _, one := range []struct{ to, from *decimal.Decimal }{
		{&r.netLiq, a.money.NetLiquidatingValue}, {&r.equityPower, a.money.EquityBuyingPower}, {&r.optionPower, a.money.DerivativeBuyingPower},
		{&r.maintenance, a.money.MaintenanceMargin}, {&r.excess, a.money.MaintenanceExcess},
	} {
		if one.from != nil {
			*one.to = one.from.Round(6) // its marks are floats
		}
	}
}

// listBalances serves GET /accounts/{account}/balances, a list of currencies
// since 2024.
func (s *Simulator) listBalances(w http.ResponseWriter, r *http.Request) {
	if balance, ok := s.balance(w, r); ok {
		writeItems(w, r, []wireBalance{balance}, nil)
	}
}

func (s *Simulator) getBalance(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.PathValue("currency"), "USD") {
		s.notFound(w, r)
		return
	}
	if balance, ok := s.balance(w, r); ok {
		writeData(w, r, balance)
	}
}

func (s *Simulator) balance(w http.ResponseWriter, r *http.Request) (wireBalance, bool) {
	a, ok := s.account(w, r)
	if !ok {
		return wireBalance{}, false
	}
	open, settled, err := s.holdings(r.Context(), a)
	if err != nil {
		s.internalError(w, r, err)
		return wireBalance{}, false
	}
	return s.wireBalance(a, s.measure(a, open, settled, s.clock.Now())), true
}

type wireBalance struct {
	AccountNumber                          string `json:"account-number"`
	AvailableTradingFunds                  string `json:"available-trading-funds"`
	BondMarginRequirement                  string `json:"bond-margin-requirement"`
	CashAvailableToWithdraw                string `json:"cash-available-to-withdraw"`
	CashBalance                            string `json:"cash-balance"`
	CashSettleBalance                      string `json:"cash-settle-balance"`
	ClosedLoopAvailableBalance             string `json:"closed-loop-available-balance"`
	CryptocurrencyMarginRequirement        string `json:"cryptocurrency-margin-requirement"`
	Currency                               string `json:"currency"`
	DayEquityCallValue                     string `json:"day-equity-call-value"`
	DayTradeExcess                         string `json:"day-trade-excess"`
	DayTradingBuyingPower                  string `json:"day-trading-buying-power"`
	DayTradingCallValue                    string `json:"day-trading-call-value"`
	DerivativeBuyingPower                  string `json:"derivative-buying-power"`
	EquityBuyingPower                      string `json:"equity-buying-power"`
	EquityOfferingMarginRequirement        string `json:"equity-offering-margin-requirement"`
	FixedIncomeSecurityMarginRequirement   string `json:"fixed-income-security-margin-requirement"`
	FuturesMarginRequirement               string `json:"futures-margin-requirement"`
	LongBondValue                          string `json:"long-bond-value"`
	LongCryptocurrencyValue                string `json:"long-cryptocurrency-value"`
	LongDerivativeValue                    string `json:"long-derivative-value"`
	LongEquityValue                        string `json:"long-equity-value"`
	LongFixedIncomeSecurityValue           string `json:"long-fixed-income-security-value"`
	LongFuturesDerivativeValue             string `json:"long-futures-derivative-value"`
	LongFuturesValue                       string `json:"long-futures-value"`
	LongMargineableValue                   string `json:"long-margineable-value"`
	MaintenanceCallValue                   string `json:"maintenance-call-value"`
	MaintenanceRequirement                 string `json:"maintenance-requirement"`
	MarginEquity                           string `json:"margin-equity"`
	MarginSettleBalance                    string `json:"margin-settle-balance"`
	NetLiquidatingValue                    string `json:"net-liquidating-value"`
	PendingCash                            string `json:"pending-cash"`
	PendingCashEffect                      string `json:"pending-cash-effect"`
	RegTCallValue                          string `json:"reg-t-call-value"`
	ShortCryptocurrencyValue               string `json:"short-cryptocurrency-value"`
	ShortDerivativeValue                   string `json:"short-derivative-value"`
	ShortEquityValue                       string `json:"short-equity-value"`
	ShortFuturesDerivativeValue            string `json:"short-futures-derivative-value"`
	ShortFuturesValue                      string `json:"short-futures-value"`
	ShortMargineableValue                  string `json:"short-margineable-value"`
	SMAEquityOptionBuyingPower             string `json:"sma-equity-option-buying-power"`
	SpecialMemorandumAccountApexAdjustment string `json:"special-memorandum-account-apex-adjustment"`
	SpecialMemorandumAccountValue          string `json:"special-memorandum-account-value"`
	TotalSettleBalance                     string `json:"total-settle-balance"`
	UnsettledCryptocurrencyFiatAmount      string `json:"unsettled-cryptocurrency-fiat-amount"`
	UnsettledCryptocurrencyFiatEffect      string `json:"unsettled-cryptocurrency-fiat-effect"`
	UsedDerivativeBuyingPower              string `json:"used-derivative-buying-power"`
	SnapshotDate                           string `json:"snapshot-date"`
	RegTMarginRequirement                  string `json:"reg-t-margin-requirement"`
	FuturesOvernightMarginRequirement      string `json:"futures-overnight-margin-requirement"`
	FuturesIntradayMarginRequirement       string `json:"futures-intraday-margin-requirement"`
	MaintenanceExcess                      string `json:"maintenance-excess"`
	PendingMarginInterest                  string `json:"pending-margin-interest"`
	BuyingPowerAdjustment                  string `json:"buying-power-adjustment"`
	BuyingPowerAdjustmentEffect            string `json:"buying-power-adjustment-effect"`
	EffectiveCryptocurrencyBuyingPower     string `json:"effective-cryptocurrency-buying-power"`
	TotalPendingLiquidityPoolRebate        string `json:"total-pending-liquidity-pool-rebate"`
	UpdatedAt                              string `json:"updated-at"`
}

func (s *Simulator) wireBalance(a *AccountState, r report) wireBalance {
	const none = "0.0"
	text := decimalText
	now := s.clock.Now()
	long := func(d decimal.Decimal) string { return text(decimal.Max(d, decimal.Zero)) }
	short := func(d decimal.Decimal) string { return text(decimal.Max(d.Neg(), decimal.Zero)) }
	return wireBalance{
		AccountNumber: a.Number, Currency: "USD",
		CashBalance: text(r.cash), CashSettleBalance: text(r.cash), MarginSettleBalance: text(r.cash), TotalSettleBalance: text(r.cash),
		CashAvailableToWithdraw: text(r.withdraw), AvailableTradingFunds: text(r.optionPower), ClosedLoopAvailableBalance: text(r.withdraw),
		LongEquityValue: text(r.longEquity), ShortEquityValue: text(r.shortEquity),
		LongDerivativeValue: text(r.longOptions), ShortDerivativeValue: text(r.shortOptions),
		LongMargineableValue: text(r.longEquity), ShortMargineableValue: text(r.shortEquity),
		NetLiquidatingValue: text(r.netLiq), MarginEquity: text(r.marginEquity),
		MaintenanceRequirement: text(r.maintenance), RegTMarginRequirement: text(r.initial),
		MaintenanceExcess: text(r.excess), DayTradeExcess: text(r.excess),
		MaintenanceCallValue: text(r.maintenanceCall), RegTCallValue: text(r.initialCall),
		EquityBuyingPower: text(r.equityPower), DerivativeBuyingPower: text(r.optionPower), DayTradingBuyingPower: text(r.dayPower),
		UsedDerivativeBuyingPower: text(r.maintenance), SMAEquityOptionBuyingPower: text(r.optionPower), SpecialMemorandumAccountValue: text(r.optionPower),
		BondMarginRequirement: none, CryptocurrencyMarginRequirement: none, DayEquityCallValue: none, DayTradingCallValue: none,
		EquityOfferingMarginRequirement: none, FixedIncomeSecurityMarginRequirement: none, FuturesMarginRequirement: text(r.futuresMargin),
		LongBondValue: none, LongCryptocurrencyValue: none, LongFixedIncomeSecurityValue: none,
		LongFuturesDerivativeValue: long(r.futureOptions), LongFuturesValue: long(r.futures), PendingCash: none, PendingCashEffect: "None",
		ShortCryptocurrencyValue: none, ShortFuturesDerivativeValue: short(r.futureOptions), ShortFuturesValue: short(r.futures),
		SpecialMemorandumAccountApexAdjustment: none, UnsettledCryptocurrencyFiatAmount: none, UnsettledCryptocurrencyFiatEffect: "None",
		FuturesOvernightMarginRequirement: text(r.futuresMargin), FuturesIntradayMarginRequirement: text(r.futuresMargin), PendingMarginInterest: none,
		BuyingPowerAdjustment: none, BuyingPowerAdjustmentEffect: "None", EffectiveCryptocurrencyBuyingPower: none,
		TotalPendingLiquidityPoolRebate: none,
		SnapshotDate:                    market.DateOf(now.In(s.calendar.Location())).String(), UpdatedAt: wireTime(now),
	}
}
