package strategy

import (
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// CollarParams are those of the collar.
type CollarParams struct {
	OptionParams
	PutDelta      float64 `json:"put_delta" min:"0.01" max:"0.99" doc:"delta of the put that is bought, without sign"`
	PutMoneyness  float64 `json:"put_moneyness" min:"0" max:"10" doc:"instead of the delta: the highest strike at or below this part of the price; 0: by delta"`
	CallDelta     float64 `json:"call_delta" min:"0.01" max:"0.99" doc:"delta of the call that is sold"`
	CallMoneyness float64 `json:"call_moneyness" min:"0" max:"10" doc:"instead of the delta: the lowest strike at or above this part of the price; 0: by delta"`
	MaxCost       float64 `json:"max_cost" min:"-1" max:"1" doc:"most that the two options may cost, as a part of the price; negative: the least credit"`
	BuyShares     bool    `json:"buy_shares" doc:"buys shares together with the options when there are none; otherwise it waits for shares"`
	Management
}

func collarDefaults() CollarParams {
	p := CollarParams{OptionParams: defaultOptionParams(), Management: defaultManagement(), PutDelta: 0.25, CallDelta: 0.30, MaxCost: 0.02, BuyShares: true}
	p.Contracts, p.RollDTE, p.RollCredit, p.MaxRolls, p.Assigned, p.Wait = 1, 7, false, 1000, AssignedKeep, 0
	return p
}

// NewCollar returns a strategy that holds shares, a put below the price and a sold
// call above it, and rolls both. The error is a *FieldError.
func NewCollar(p CollarParams) (Strategy, error) {
	if p.PutMoneyness > 0 && p.CallMoneyness > 0 && p.PutMoneyness >= p.CallMoneyness {
		return nil, invalid.Fieldf("put_moneyness", p.PutMoneyness, "below call_moneyness, %g", p.CallMoneyness)
	}
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: "collar", shapes: []string{"collar"}, shares: true, size: coveredUnits,
		approval: LongOptions,
		open: func(v *view, h *holding, after market.Date) ([]pick, string) {
			if h.shares < 100 && !p.BuyShares {
				return nil, "no hundred shares to protect"
			}
			for _, expiry := range v.expiries(p.DTE, p.MinDTE, p.MaxDTE, after) {
				put, ok := v.choose(expiry, strikeRule{kind: options.Put, moneyness: p.PutMoneyness, delta: p.PutDelta})
				call, also := v.choose(expiry, strikeRule{kind: options.Call, sell: true, moneyness: p.CallMoneyness, delta: p.CallDelta})
				if !ok || !also || put.Strike >= call.Strike {
					continue
				}
				picks := []pick{bought(put), sold(call)}
				if -cashOf(picks, v.spot) > p.MaxCost*v.spot*100 {
					continue
				}
				if h.shares >= 100 {
					return picks, ""
				}
				return append(picks, shareLot(p.Symbol)), ""
			}
			return nil, "no put and call qualify"
		},
	})
}
