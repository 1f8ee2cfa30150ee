package simulator

import (
	"context"
	"net/http"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// Shares of Regulation T and FINRA Rule 4210 that the margin report uses.
var (
	initialShares     = decimal.New(50, -2) // of long and short shares, to open
	maintenanceLong   = decimal.New(25, -2)
	maintenanceShort  = decimal.New(30, -2)
	nakedEquity       = decimal.New(20, -2) // of the underlying, less what is out of the money
	nakedIndex        = decimal.New(15, -2)
	nakedMinimum      = decimal.New(10, -2)
	dayTradingFactor  = decimal.NewFromInt(4)
	dayTradingMinimum = decimal.NewFromInt(25_000)
)

// A report is the money of an account. Values are magnitudes, as on the wire.
type report struct {
	cash                                   decimal.Decimal
	longEquity, shortEquity                decimal.Decimal
	longOptions, shortOptions              decimal.Decimal
	netLiq, marginEquity                   decimal.Decimal
	initial, maintenance, excess           decimal.Decimal
	equityPower, optionPower, dayPower     decimal.Decimal
	maintenanceCall, initialCall, withdraw decimal.Decimal
}

// measure adds up an account by strategy-free rules: shares by Regulation T,
// short calls covered by shares need nothing, other short options the larger of
// premium + 20 % (indices 15 %) of the underlying less the amount out of the
// money and premium + 10 % (calls: of the underlying, puts: of the strike). A
// cash account secures short puts by their whole strike.
func (s *Simulator) measure(a *AccountState, open []holding, settled decimal.Decimal, index func(market.Symbol) bool) report {
	r := report{cash: a.Cash.Add(settled)}
	shares := map[market.Symbol]decimal.Decimal{} // long shares not yet covering a call
	for i := range open {
		h := &open[i]
		value := h.value()
		switch {
		case h.kind == "Equity" && !value.IsNegative():
			r.longEquity = r.longEquity.Add(value)
			shares[h.Symbol] = shares[h.Symbol].Add(h.Quantity)
			if a.Margin {
				r.initial = r.initial.Add(value.Mul(initialShares))
				r.maintenance = r.maintenance.Add(value.Mul(maintenanceLong))
			} else {
				r.initial, r.maintenance = r.initial.Add(value), r.maintenance.Add(value)
			}
		case h.kind == "Equity":
			r.shortEquity = r.shortEquity.Sub(value)
			r.initial = r.initial.Sub(value.Mul(initialShares))
			r.maintenance = r.maintenance.Sub(value.Mul(maintenanceShort))
		case !value.IsNegative():
			r.longOptions = r.longOptions.Add(value)
		default:
			r.shortOptions = r.shortOptions.Sub(value)
		}
	}
	for i := range open {
		h := &open[i]
		if h.kind != "Equity Option" || !h.Quantity.IsNegative() {
			continue
		}
		units := h.Quantity.Neg().Mul(h.multiplier)
		if h.contract.Kind == market.Call {
			covered := decimal.Min(units, shares[h.underlying])
			shares[h.underlying] = shares[h.underlying].Sub(covered)
			units = units.Sub(covered)
		}
		need := s.nakedRequirement(a, h, index(h.underlying)).Mul(units)
		r.initial, r.maintenance = r.initial.Add(need), r.maintenance.Add(need)
	}
	r.netLiq = r.cash.Add(r.longEquity).Sub(r.shortEquity).Add(r.longOptions).Sub(r.shortOptions)
	r.marginEquity = r.cash.Add(r.longEquity).Sub(r.shortEquity)
	r.excess = r.marginEquity.Sub(r.maintenance)
	r.maintenanceCall = decimal.Max(r.excess.Neg(), decimal.Zero)
	free := r.marginEquity.Sub(r.initial)
	r.initialCall = decimal.Max(free.Neg(), decimal.Zero)
	free = decimal.Max(free, decimal.Zero)
	r.optionPower = free
	r.withdraw = decimal.Max(decimal.Min(r.cash, free), decimal.Zero).RoundDown(2)
	if r.equityPower = free; a.Margin {
		r.equityPower = free.Add(free)
		if r.netLiq.GreaterThanOrEqual(dayTradingMinimum) {
			r.dayPower = decimal.Max(r.excess, decimal.Zero).Mul(dayTradingFactor)
		}
	}
	return r
}

// nakedRequirement is the requirement per unit of an uncovered short option.
func (s *Simulator) nakedRequirement(a *AccountState, h *holding, index bool) decimal.Decimal {
	strike := decimal.NewFromFloat(h.contract.Strike)
	if !a.Margin && h.contract.Kind == market.Put {
		return strike
	}
	spot, premium := h.spot.Decimal, h.mark.Decimal
	share, minimum := nakedEquity, spot
	if index {
		share = nakedIndex
	}
	out := strike.Sub(spot) // of the money, for a call
	if h.contract.Kind == market.Put {
		out, minimum = out.Neg(), strike
	}
	standard := spot.Mul(share).Sub(decimal.Max(out, decimal.Zero))
	return premium.Add(decimal.Max(standard, minimum.Mul(nakedMinimum)))
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
	return s.wireBalance(a, s.measure(a, open, settled, s.isIndex(r.Context()))), true
}

// isIndex tells indices from shares and funds.
func (s *Simulator) isIndex(ctx context.Context) func(market.Symbol) bool {
	return func(symbol market.Symbol) bool {
		i, ok := s.instrument(ctx, symbol)
		return ok && i.Index
	}
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
		EquityOfferingMarginRequirement: none, FixedIncomeSecurityMarginRequirement: none, FuturesMarginRequirement: none,
		LongBondValue: none, LongCryptocurrencyValue: none, LongFixedIncomeSecurityValue: none,
		LongFuturesDerivativeValue: none, LongFuturesValue: none, PendingCash: none, PendingCashEffect: "None",
		ShortCryptocurrencyValue: none, ShortFuturesDerivativeValue: none, ShortFuturesValue: none,
		SpecialMemorandumAccountApexAdjustment: none, UnsettledCryptocurrencyFiatAmount: none, UnsettledCryptocurrencyFiatEffect: "None",
		FuturesOvernightMarginRequirement: none, FuturesIntradayMarginRequirement: none, PendingMarginInterest: none,
		BuyingPowerAdjustment: none, BuyingPowerAdjustmentEffect: "None", EffectiveCryptocurrencyBuyingPower: none,
		TotalPendingLiquidityPoolRebate: none,
		SnapshotDate:                    market.DateOf(now.In(s.calendar.Location())).String(), UpdatedAt: wireTime(now),
	}
}
