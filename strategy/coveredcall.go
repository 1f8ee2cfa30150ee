package strategy

import (
	"math"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// CoveredCallParams are those of the covered call.
type CoveredCallParams struct {
	OptionParams
	Delta     float64 `json:"delta" min:"0.01" max:"0.99" doc:"delta of the call that is sold"`
	Moneyness float64 `json:"moneyness" min:"0" max:"10" doc:"instead of the delta: the lowest strike at or above this part of the price; 0: by delta"`
	AboveCost bool    `json:"above_cost" doc:"sells no call below what the shares cost"`
	BuyShares bool    `json:"buy_shares" doc:"buys shares together with the call when there are none; otherwise it waits for shares"`
	Management
}

func coveredCallDefaults() CoveredCallParams {
	p := CoveredCallParams{OptionParams: defaultOptionParams(), Management: defaultManagement(), Delta: 0.30, BuyShares: true}
	p.Contracts, p.TakeProfit, p.RollTested, p.Assigned, p.Wait = 1, 0.8, false, AssignedKeep, 0
	return p
}

// shareLot is a hundred shares as a leg of one unit.
func shareLot(symbol market.Symbol) pick { return pick{symbol: symbol, ratio: 100} }

// NewCoveredCall returns a strategy that sells calls on shares, which it buys if
// asked to. Profits, stops and rolls are those of the calls: the shares stay. The
// error is a *FieldError.
func NewCoveredCall(p CoveredCallParams) (Strategy, error) {
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: "covered call", shapes: []string{"covered call"}, shares: true,
		approval: CoveredOptions,
		open: func(v *view, h *holding, after market.Date) ([]pick, string) {
			call, why := v.coveringCall(&p, h, after)
			switch {
			case why != "":
				return nil, why
			case h.shares >= 100:
				return []pick{sold(call)}, ""
			case !p.BuyShares:
				return nil, "no hundred shares to sell a call on"
			}
			return []pick{shareLot(p.Symbol), sold(call)}, ""
		},
		size: coveredUnits,
	})
}

// coveredUnits is how many lots of shares there are, or are to be bought.
func coveredUnits(v *view, h *holding, picks []pick) int {
	if h.shares >= 100 {
		return int(h.shares / 100)
	}
	return v.units(picks)
}

func (v *view) coveringCall(p *CoveredCallParams, h *holding, after market.Date) (market.OptionQuote, string) {
	for _, expiry := range v.expiries(v.p.DTE, v.p.MinDTE, v.p.MaxDTE, after) {
		rule := strikeRule{kind: options.Call, sell: true, moneyness: p.Moneyness, delta: p.Delta}
		call, ok := v.choose(expiry, rule)
		if ok && p.AboveCost && !math.IsNaN(h.basis) && call.Strike < h.basis {
			rule = strikeRule{kind: options.Call, sell: true, moneyness: h.basis / v.spot}
			call, ok = v.choose(expiry, rule)
		}
		if ok {
			return call, ""
		}
	}
	return market.OptionQuote{}, "no call qualifies"
}
