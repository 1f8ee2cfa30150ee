package strategy

import (
	"math"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// WheelParams are those of the wheel. The same rules choose puts and calls.
type WheelParams struct {
	OptionParams
	SaleParams
	CallMoneyness float64 `json:"call_moneyness" min:"0" max:"10" doc:"part of the price at which the strike of calls is taken, the lowest at or above it, when puts go by moneyness"`
	AboveCost     bool    `json:"above_cost" doc:"sells no call below what the shares cost"`
	Management
}

func wheelDefaults() WheelParams {
	p := WheelParams{OptionParams: defaultOptionParams(), Management: defaultManagement(), AboveCost: true, CallMoneyness: 1.03}
	p.DTE, p.MinDTE, p.MaxDTE, p.OpenInterest = 14, 0, 21, 100
	p.Capital, p.MaxRisk, p.Wait = 1, 80_000, 0
	p.SaleParams = SaleParams{MinDelta: 0.15, MaxDelta: 0.30, MinYield: 0.04, MaxYield: 1, Choose: ChooseScore, MinScore: 0.05, BandWidths: 2}
	p.Assigned = AssignedKeep
	return p
}

// NewWheel returns a strategy that sells puts until shares are assigned, then
// sells calls on them until they are called away, and so on. The error is a
// *FieldError.
func NewWheel(p WheelParams) (Strategy, error) {
	if err := p.SaleParams.check(); err != nil {
		return nil, err
	}
	calls := p.SaleParams
	if p.Moneyness > 0 {
		calls.Moneyness = p.CallMoneyness
	}
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: "wheel", shapes: []string{"short put", "covered call", "long stock"}, shares: true, bars: p.BandDays,
		approval: CoveredOptions,
		open: func(v *view, h *holding, after market.Date) ([]pick, string) {
			kind, rule, floor := options.Put, &p.SaleParams, 0.0
			if h.shares >= 100 {
				if kind, rule = options.Call, &calls; p.AboveCost && !math.IsNaN(h.basis) {
					floor = h.basis
				}
			}
			q, why := v.sale(rule, kind, floor, after)
			if why != "" {
				return nil, why
			}
			return []pick{sold(q)}, ""
		},
		size: func(v *view, h *holding, picks []pick) int {
			if h.shares >= 100 {
				return int(h.shares / 100)
			}
			return v.units(picks)
		},
	})
}
