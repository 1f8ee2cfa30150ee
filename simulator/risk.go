package simulator

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

type wireMarginRequirement struct {
	UnderlyingSymbol       string `json:"underlying-symbol"`
	LongEquityInitial      string `json:"long-equity-initial"`
	ShortEquityInitial     string `json:"short-equity-initial"`
	LongEquityMaintenance  string `json:"long-equity-maintenance"`
	ShortEquityMaintenance string `json:"short-equity-maintenance"`
	NakedOptionStandard    string `json:"naked-option-standard"`
	NakedOptionMinimum     string `json:"naked-option-minimum"`
	NakedOptionFloor       string `json:"naked-option-floor"`
}

// getMarginRequirement serves the shares of Regulation T and FINRA Rule 4210
// that the account's balances are made with.
func (s *Simulator) getMarginRequirement(w http.ResponseWriter, r *http.Request) {
	a, ok := s.account(w, r)
	if !ok {
		return
	}
	symbol := market.Symbol(r.PathValue("symbol"))
	underlying, ok := s.instrument(r.Context(), symbol)
	if !ok || underlying.Kind != market.KindEquity {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find margin requirements for "+string(symbol))
		return
	}
	answer := wireMarginRequirement{ // the defaults of broker.SymbolMargin
		UnderlyingSymbol: string(symbol), LongEquityInitial: "0.5", ShortEquityInitial: "0.5",
		LongEquityMaintenance: "0.25", ShortEquityMaintenance: "0.3",
		NakedOptionStandard: "0.2", NakedOptionMinimum: "0.1", NakedOptionFloor: "0.0",
	}
	if underlying.Index {
		answer.NakedOptionStandard = "0.15"
	}
	if !a.Margin { // everything is paid in full
		answer.LongEquityInitial, answer.LongEquityMaintenance = "1.0", "1.0"
		answer.ShortEquityInitial, answer.ShortEquityMaintenance = "1.0", "1.0"
		answer.NakedOptionStandard, answer.NakedOptionMinimum = "1.0", "1.0"
	}
	writeData(w, r, answer)
}

type wirePositionLimit struct {
	AccountNumber               string `json:"account-number"`
	EquityOrderSize             int    `json:"equity-order-size"`
	EquityOptionOrderSize       int    `json:"equity-option-order-size"`
	FutureOrderSize             int    `json:"future-order-size"`
	FutureOptionOrderSize       int    `json:"future-option-order-size"`
	UnderlyingOpeningOrderLimit int    `json:"underlying-opening-order-limit"`
	EquityPositionSize          int    `json:"equity-position-size"`
	EquityOptionPositionSize    int    `json:"equity-option-position-size"`
	FuturePositionSize          int    `json:"future-position-size"`
	FutureOptionPositionSize    int    `json:"future-option-position-size"`
}

// getPositionLimit serves the limits that new accounts were seen with.
func (s *Simulator) getPositionLimit(w http.ResponseWriter, r *http.Request) {
	if number, ok := s.knows(w, r); ok {
		writeData(w, r, wirePositionLimit{number, 50_000, 10_000, 2500, 2500, 500, 500_000, 20_000, 5000, 5000})
	}
}

type wireMarginConfiguration struct {
	RiskFreeRate string `json:"risk-free-rate"`
}

// getMarginConfiguration serves the one route that needs no token but login.
func (s *Simulator) getMarginConfiguration(w http.ResponseWriter, r *http.Request) {
	writeData(w, r, wireMarginConfiguration{floatText(s.riskFree())})
}

type wireMargin struct {
	MarginRequirement            string `json:"margin-requirement"`
	MarginRequirementEffect      string `json:"margin-requirement-effect"`
	InitialRequirement           string `json:"initial-requirement"`
	InitialRequirementEffect     string `json:"initial-requirement-effect"`
	MaintenanceRequirement       string `json:"maintenance-requirement"`
	MaintenanceRequirementEffect string `json:"maintenance-requirement-effect"`
}

type wireMarginEntry struct {
	InstrumentSymbol string `json:"instrument-symbol"`
	InstrumentType   string `json:"instrument-type"`
	Quantity         string `json:"quantity"`
	AverageOpenPrice string `json:"average-open-price"`
	ClosePrice       string `json:"close-price"`
	FixingPrice      string `json:"fixing-price"`

	// Of options.
	DeliverableQuantity string `json:"deliverable-quantity,omitempty"`
	ExpirationDate      string `json:"expiration-date,omitempty"`
	OptionType          string `json:"option-type,omitempty"`
	StrikePrice         string `json:"strike-price,omitempty"`
}

type wireMarginPart struct {
	wireMargin
	Description          string            `json:"description"`
	IncludesWorkingOrder bool              `json:"includes-working-order"`
	BuyingPower          string            `json:"buying-power"`
	BuyingPowerEffect    string            `json:"buying-power-effect"`
	Entries              []wireMarginEntry `json:"position-entries"`
}

type wireMarginGroup struct {
	wireMargin
	Description           string           `json:"description"`
	Code                  string           `json:"code"`
	UnderlyingSymbol      string           `json:"underlying-symbol"`
	UnderlyingType        string           `json:"underlying-type"`
	ExpectedUp            string           `json:"expected-price-range-up-percent"`
	ExpectedDown          string           `json:"expected-price-range-down-percent"`
	PointOfNoReturn       string           `json:"point-of-no-return-percent"`
	MarginCalculationType string           `json:"margin-calculation-type"`
	BuyingPower           string           `json:"buying-power"`
	BuyingPowerEffect     string           `json:"buying-power-effect"`
	Groups                []wireMarginPart `json:"groups"`
	PriceIncrease         string           `json:"price-increase-percent"`
	PriceDecrease         string           `json:"price-decrease-percent"`
}

type wireMarginReport struct {
	wireMargin
	AccountNumber               string            `json:"account-number"`
	Description                 string            `json:"description"`
	MarginCalculationType       string            `json:"margin-calculation-type"`
	OptionLevel                 string            `json:"option-level"`
	MarginEquity                string            `json:"margin-equity"`
	MarginEquityEffect          string            `json:"margin-equity-effect"`
	OptionBuyingPower           string            `json:"option-buying-power"`
	OptionBuyingPowerEffect     string            `json:"option-buying-power-effect"`
	RegTMarginRequirement       string            `json:"reg-t-margin-requirement"`
	RegTMarginRequirementEffect string            `json:"reg-t-margin-requirement-effect"`
	RegTOptionBuyingPower       string            `json:"reg-t-option-buying-power"`
	RegTOptionBuyingPowerEffect string            `json:"reg-t-option-buying-power-effect"`
	MaintenanceExcess           string            `json:"maintenance-excess"`
	MaintenanceExcessEffect     string            `json:"maintenance-excess-effect"`
	Groups                      []wireMarginGroup `json:"groups"`
	LastStateTimestamp          int64             `json:"last-state-timestamp"`
}

// effectOf is the word beside an amount.
func effectOf(d decimal.Decimal) string {
	switch d.Sign() {
	case 1:
		return "Credit"
	case -1:
		return "Debit"
	}
	return "None"
}

func wireMarginOf(r report) wireMargin {
	initial, maintenance := decimalText(r.initial), decimalText(r.maintenance)
	owed, kept := effectOf(r.initial.Neg()), effectOf(r.maintenance.Neg())
	return wireMargin{maintenance, kept, initial, owed, maintenance, kept}
}

// marginCalculation names the rules that an account is measured by.
func marginCalculation(a *AccountState) string {
	if a.Margin {
		return "Reg T"
	}
	return "Cash"
}

// getMarginReport serves GET /margin/accounts/{account}/requirements: one group
// per underlying, by the rules of the balances.
func (s *Simulator) getMarginReport(w http.ResponseWriter, r *http.Request) {
	a, ok := s.account(w, r)
	if !ok {
		return
	}
	open, settled, err := s.holdings(r.Context(), a)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	all := s.measure(a, open, settled, s.clock.Now())
	power, excess, equity := decimalText(all.optionPower), all.excess, all.marginEquity
	answer := wireMarginReport{
		wireMargin: wireMarginOf(all), AccountNumber: a.Number, Description: "Total", MarginCalculationType: marginCalculation(a), OptionLevel: a.OptionsLevel,
		MarginEquity: decimalText(equity.Abs()), MarginEquityEffect: effectOf(equity), OptionBuyingPower: power, OptionBuyingPowerEffect: effectOf(all.optionPower),
		RegTMarginRequirement: decimalText(all.initial), RegTMarginRequirementEffect: effectOf(all.initial.Neg()),
		RegTOptionBuyingPower: power, RegTOptionBuyingPowerEffect: effectOf(all.optionPower),
		MaintenanceExcess: decimalText(excess.Abs()), MaintenanceExcessEffect: effectOf(excess),
		Groups: []wireMarginGroup{}, LastStateTimestamp: s.clock.Now().UnixMilli(),
	}
	for len(open) > 0 { // ordered by underlying
		n := 1
		for n < len(open) && open[n].underlying == open[0].underlying {
			n++
		}
		answer.Groups = append(answer.Groups, s.marginGroup(r.Context(), a, open[:n]))
		open = open[n:]
	}
	writeData(w, r, answer)
}

// marginGroup is what the holdings of one underlying ask for: a part for each
// strategy that was recognised in them.
func (s *Simulator) marginGroup(ctx context.Context, a *AccountState, open []holding) wireMarginGroup {
	bare := *a
	bare.Cash, bare.money = decimal.Zero, nil
	money := s.measure(&bare, open, decimal.Zero, s.clock.Now())
	margin, underlying := wireMarginOf(money), string(open[0].underlying)
	// What the group ties up stands as a debit of buying power.
	power, effect := decimalText(money.initial), effectOf(money.initial.Neg())
	kind := kindName(open[0].underlying)
	if i, ok := s.instrument(ctx, open[0].underlying); ok {
		kind = instrumentType(i)
	}
	group := wireMarginGroup{
		wireMargin: margin, Description: underlying, Code: underlying, UnderlyingSymbol: underlying, UnderlyingType: kind,
		ExpectedUp: "NaN", ExpectedDown: "NaN", PointOfNoReturn: "NaN", MarginCalculationType: marginCalculation(a),
		BuyingPower: power, BuyingPowerEffect: effect, Groups: []wireMarginPart{}, PriceIncrease: "NaN", PriceDecrease: "NaN",
	}
	m, err := s.margin(a, open, s.clock.Now())
	if err != nil || len(m.Groups) == 0 {
		group.Groups = append(group.Groups, wireMarginPart{wireMargin: margin, Description: "POSITIONS", BuyingPower: power,
			BuyingPowerEffect: effect, Entries: marginEntries(open, nil)})
		return group
	}
	for _, g := range m.Groups {
		required := report{initial: g.Initial, maintenance: g.Maintenance}
		group.Groups = append(group.Groups, wireMarginPart{
			wireMargin: wireMarginOf(required), Description: strategyName(g.Strategy), BuyingPower: decimalText(g.Initial),
			BuyingPowerEffect: effectOf(g.Initial.Neg()), Entries: marginEntries(open, g.Legs)})
	}
	return group
}

// strategyName writes a strategy as the margin report does: LONG_UNDERLYING.
func strategyName(strategy string) string {
	return strings.ToUpper(strings.ReplaceAll(strings.ReplaceAll(strategy, " ", "_"), "-", "_"))
}

// marginEntries are the positions of a group; those that it uses a part of, with
// that part. Without legs, all of them.
func marginEntries(open []holding, legs []broker.MarginLeg) []wireMarginEntry {
	entries := []wireMarginEntry{}
	for i := range open {
		h := open[i]
		if legs != nil {
			at := slices.IndexFunc(legs, func(l broker.MarginLeg) bool { return l.Symbol == h.Symbol })
			if at < 0 {
				continue
			}
			h.Quantity = legs[at].Quantity
		}
		entries = append(entries, h.marginEntry())
	}
	return entries
}

func (h *holding) marginEntry() wireMarginEntry {
	closing := "NaN"
	if h.prevClose.Valid {
		closing = decimalText(h.prevClose.Decimal)
	}
	entry := wireMarginEntry{
		InstrumentSymbol: string(h.Symbol), InstrumentType: h.kind, Quantity: decimalText(h.Quantity), AverageOpenPrice: decimalText(h.AverageOpenPrice),
		ClosePrice: closing, FixingPrice: "NaN",
	}
	if h.kind == "Equity Option" {
		entry.DeliverableQuantity, entry.ExpirationDate = decimalText(h.multiplier), h.contract.Expiration.String()
		entry.StrikePrice, entry.OptionType = floatText(h.contract.Strike), "C"
		if h.contract.Kind == market.Put {
			entry.OptionType = "P"
		}
	}
	return entry
}
