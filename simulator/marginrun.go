package simulator

import (
	"net/http"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

type wireMarginOrder struct {
	ID            string      `json:"id"`
	AccountNumber string      `json:"account-number"`
	TimeInForce   string      `json:"time-in-force"`
	OrderType     string      `json:"order-type"`
	Size          string      `json:"size"`
	Price         string      `json:"price,omitempty"`
	PriceEffect   string      `json:"price-effect,omitempty"`
	Value         string      `json:"value"`
	ValueEffect   string      `json:"value-effect"`
	Cancellable   bool        `json:"cancellable"`
	Editable      bool        `json:"editable"`
	Underlying    string      `json:"underlying-symbol"`
	Legs          []marginLeg `json:"legs"`
}

type marginLeg struct {
	Symbol         string `json:"symbol"`
	InstrumentType string `json:"instrument-type"`
	Quantity       string `json:"quantity"`
	Remaining      string `json:"remaining-quantity"`
	Action         string `json:"action"`
}

type marginValues struct {
	LongEquity      string `json:"long-equity-value"`
	LongEquityEff   string `json:"long-equity-value-effect,omitempty"`
	ShortEquity     string `json:"short-equity-value"`
	ShortEquityEff  string `json:"short-equity-value-effect,omitempty"`
	LongDerivative  string `json:"long-derivative-value"`
	ShortDerivative string `json:"short-derivative-value"`
	LongCoins       string `json:"long-cryptocurrency-value"`
	ShortCoins      string `json:"short-cryptocurrency-value"`
}

type marginResults struct {
	Code             string `json:"code"`
	Description      string `json:"description"`
	EntityCount      int    `json:"entity-count"`
	UnderlyingSymbol string `json:"underlying-symbol"`
	UnderlyingType   string `json:"underlying-type"`
	UnderlyingPrice  string `json:"underlying-price"`
	Margin           string `json:"margin-requirement"`
	MarginEff        string `json:"margin-requirement-effect"`
	Maintenance      string `json:"maintenance-requirement"`
	MaintenanceEff   string `json:"maintenance-requirement-effect"`
	Impact           string `json:"buying-power-impact"`
	ImpactEff        string `json:"buying-power-impact-effect"`
	Base             string `json:"base-margin-requirement"`
	BaseEff          string `json:"base-margin-requirement-effect"`
	Calculation      string `json:"margin-calculation-type"`
	Cash             string `json:"cash-adjustment"`
	CashEff          string `json:"cash-adjustment-effect"`
	Working          string `json:"working-margin"`
	WorkingEff       string `json:"working-margin-effect"`
	Position         string `json:"position-margin"`
	PositionEff      string `json:"position-margin-effect"`
	Equity           string `json:"position-equity-adjustment"`
	EquityEff        string `json:"position-equity-adjustment-effect"`
	Settlement       string `json:"cash-settlement-value"`
	SettlementEff    string `json:"cash-settlement-value-effect"`
	marginValues
	Groups       []marginGroupResult `json:"group-results"`
	OrderIDs     []string            `json:"order-ids"`
	CalculatedAt string              `json:"calculated-at"`
	Marks        map[string]string   `json:"marks"`
}

type marginGroupResult struct {
	Group          marginGroupEntry `json:"group"`
	Margin         string           `json:"margin"`
	Maintenance    string           `json:"maintenance-requirement"`
	MaintenanceEff string           `json:"maintenance-requirement-effect"`
	NetLiq         marginValues     `json:"net-liq-result"`
}

type marginGroupEntry struct {
	Strategy   string            `json:"margin-strategy"`
	Underlying *wireMarginEntry  `json:"underlying-entry,omitempty"`
	Options    []wireMarginEntry `json:"option-entries,omitempty"`
}

type marginRun struct {
	Orders        []wireMarginOrder `json:"orders"`
	Last          marginResults     `json:"last-results"`
	Base          marginResults     `json:"base-results"`
	New           marginResults     `json:"new-order-results"`
	Margin        string            `json:"change-in-margin-requirement"`
	MarginEff     string            `json:"change-in-margin-requirement-effect"`
	Power         string            `json:"change-in-buying-power"`
	PowerEff      string            `json:"change-in-buying-power-effect"`
	Current       string            `json:"current-buying-power"`
	CurrentEff    string            `json:"current-buying-power-effect"`
	NewPower      string            `json:"new-buying-power"`
	NewPowerEff   string            `json:"new-buying-power-effect"`
	Isolated      string            `json:"isolated-order-margin-requirement"`
	IsolatedEff   string            `json:"isolated-order-margin-requirement-effect"`
	IsolatedPower string            `json:"isolated-order-buying-power-effect"`
	IsolatedPEff  string            `json:"isolated-order-buying-power-effect-effect"`
	IsSpread      bool              `json:"is-spread"`
	OrderIDs      []string          `json:"order-ids"`
}

// marginDryRun serves POST /margin/accounts/{account}/dry-run: what the positions
// in an order's underlying ask for without it and with it.
func (s *Simulator) marginDryRun(w http.ResponseWriter, r *http.Request, d *desk) {
	var body orderRequest
	if !s.body(w, r, &body) {
		return
	}
	p, ok := d.sent(w, r, body)
	if !ok {
		return
	}
	preview, ok := d.tryOrder(w, r, p)
	if !ok {
		return
	}
	a, err := s.accountHeld(r.Context(), d.account)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	base, err := s.marginResults(r, a, p.underlying, p.kind, nil)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	with, err := s.marginResults(r, a, p.underlying, p.kind, p)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	e := powerEffect(preview)
	run := marginRun{
		Last: base, Base: base, New: with, OrderIDs: []string{"dry-run-0"}, IsSpread: e.IsSpread,
		Margin: e.ChangeInMargin, MarginEff: e.ChangeInMarginEffect, Power: e.ChangeInPower, PowerEff: e.ChangeInPowerEffect,
		Current: e.CurrentPower, CurrentEff: e.CurrentPowerEffect, NewPower: e.NewPower, NewPowerEff: e.NewPowerEffect,
		Isolated: e.Isolated, IsolatedEff: e.IsolatedEffect, IsolatedPower: e.Impact, IsolatedPEff: e.Effect,
	}
	o := wireMarginOrder{ID: "dry-run-0", AccountNumber: d.account, TimeInForce: p.sent.TimeInForce, OrderType: p.sent.OrderType,
		Size: p.order.Units().String(), Value: "0.0", ValueEffect: "None", Underlying: string(p.underlying)}
	if p.sent.Price != nil {
		o.Price, o.PriceEffect = decimalText(*p.sent.Price), p.sent.PriceEffect
	}
	for _, leg := range p.sent.Legs {
		o.Legs = append(o.Legs, marginLeg{leg.Symbol, leg.InstrumentType, leg.Quantity.String(), leg.Quantity.String(), leg.Action})
	}
	run.Orders = []wireMarginOrder{o}
	created(w, r, run)
}

// marginResults are what the positions in one underlying ask for, with an order
// filled at its price or at the marks, or without one.
func (s *Simulator) marginResults(r *http.Request, a *AccountState, underlying market.Symbol, kind string, p *parsedOrder) (marginResults, error) {
	held := *a
	held.Positions, held.Cash, held.money = nil, decimal.Zero, nil
	for _, one := range a.Positions {
		if h := s.holding(r.Context(), one); h.underlying == underlying {
			held.Positions = append(held.Positions, one)
		}
	}
	cash, ids := decimal.Zero, []string{}
	if p != nil {
		ids = append(ids, "dry-run-0")
		for _, leg := range p.order.Legs {
			held.Positions = addLeg(held.Positions, leg.Symbol, leg.Quantity.Mul(decimal.NewFromInt(int64(leg.Action.Sign()))))
		}
	}
	open, _, err := s.holdings(r.Context(), &held)
	if err != nil {
		return marginResults{}, err
	}
	if p != nil && p.order.Limit != nil {
		multiplier := decimal.NewFromInt(1)
		if len(open) > 0 {
			multiplier = open[len(open)-1].multiplier
		}
		cash = p.order.Limit.Mul(p.order.Units()).Mul(multiplier)
	}
	money := s.measure(&held, open, decimal.Zero, s.clock.Now())
	text, none := decimalText, "0.0"
	m := marginResults{
		Code: string(underlying), Description: string(underlying), EntityCount: len(open), UnderlyingSymbol: string(underlying), UnderlyingType: kind,
		UnderlyingPrice: "NaN", Calculation: marginCalculation(a), Settlement: none, SettlementEff: "None", OrderIDs: ids,
		CalculatedAt: s.clock.Now().In(s.calendar.Location()).Format("2006-01-02T15:04:05.000-07:00"), Marks: map[string]string{},
		Groups: []marginGroupResult{},
		marginValues: marginValues{LongEquity: text(money.longEquity), ShortEquity: text(money.shortEquity), LongDerivative: text(money.longOptions),
			ShortDerivative: text(money.shortOptions), LongCoins: none, ShortCoins: none,
			LongEquityEff: effectOf(money.longEquity), ShortEquityEff: effectOf(money.shortEquity.Neg())},
	}
	if list, err := s.market.Quotes(r.Context(), []market.Symbol{underlying}); err == nil && len(list) == 1 {
		m.UnderlyingPrice = nullText(mark(list[0]))
	}
	required := money.initial.Neg()
	m.Margin, m.MarginEff = magnitude(required)
	m.Base, m.BaseEff = magnitude(required)
	m.Position, m.PositionEff = magnitude(required)
	m.Maintenance, m.MaintenanceEff = magnitude(money.maintenance.Neg())
	m.Impact, m.ImpactEff = magnitude(cash.Sub(money.initial).Add(money.longEquity).Sub(money.shortEquity))
	m.Cash, m.CashEff = magnitude(cash)
	m.Working, m.WorkingEff = magnitude(decimal.Zero)
	m.Equity, m.EquityEff = magnitude(money.longEquity.Sub(money.shortEquity))
	for i := range open {
		if h := &open[i]; h.mark.Valid {
			m.Marks[string(h.Symbol)] = text(h.mark.Decimal)
		}
	}
	s.marginGroups(&m, &held, open, s.clock.Now())
	return m, nil
}

// marginGroups adds the strategies that were recognised.
func (s *Simulator) marginGroups(m *marginResults, a *AccountState, open []holding, at time.Time) {
	counted, err := s.margin(a, open, at)
	if err != nil {
		return
	}
	for _, g := range counted.Groups {
		one := marginGroupResult{Margin: decimalText(g.Initial), Maintenance: decimalText(g.Maintenance), MaintenanceEff: effectOf(g.Maintenance.Neg()),
			Group: marginGroupEntry{Strategy: strategyName(g.Strategy)}}
		var values report
		for _, leg := range g.Legs {
			for i := range open {
				h := open[i]
				if h.Symbol != leg.Symbol {
					continue
				}
				h.Quantity = leg.Quantity
				entry := h.marginEntry()
				value := h.value()
				switch {
				case h.kind == "Equity":
					one.Group.Underlying = &entry
					values.longEquity = values.longEquity.Add(decimal.Max(value, decimal.Zero))
					values.shortEquity = values.shortEquity.Add(decimal.Max(value.Neg(), decimal.Zero))
				default:
					one.Group.Options = append(one.Group.Options, entry)
					values.longOptions = values.longOptions.Add(decimal.Max(value, decimal.Zero))
					values.shortOptions = values.shortOptions.Add(decimal.Max(value.Neg(), decimal.Zero))
				}
			}
		}
		one.NetLiq = marginValues{LongEquity: decimalText(values.longEquity), ShortEquity: decimalText(values.shortEquity),
			LongDerivative: decimalText(values.longOptions), ShortDerivative: decimalText(values.shortOptions), LongCoins: "0.0", ShortCoins: "0.0"}
		m.Groups = append(m.Groups, one)
	}
}

// addLeg changes a position by a quantity.
func addLeg(positions []PositionState, symbol market.Symbol, by decimal.Decimal) []PositionState {
	for i := range positions {
		if positions[i].Symbol == symbol {
			out := append([]PositionState(nil), positions...)
			if out[i].Quantity = out[i].Quantity.Add(by); out[i].Quantity.IsZero() {
				out = append(out[:i], out[i+1:]...)
			}
			return out
		}
	}
	return append(append([]PositionState(nil), positions...), PositionState{Symbol: symbol, Quantity: by})
}

// accountIndex is the position of an account among all, counted from 1.
func (s *Simulator) accountIndex(number string) int {
	for i := range s.book.states {
		if s.book.states[i].Number == number {
			return i + 1
		}
	}
	return 0
}
